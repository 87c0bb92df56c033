"""Methods, specifications, samples, results and their reviews. All but the sample are facts that never change."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import Field

from domain.laboratory.reportable import Rule
from domain.laboratory.verdict import CriterionKind, Rounding
from domain.store import AppendOnly, coded, exact, moment


class Method(AppendOnly, table=True):
    """How a test is done, versioned. lod, loq: in the test's unit. minimum_days: from start to the earliest final result."""

    code: str
    revision: int
    test_code: str
    name: str
    principle: str
    instrument: str
    reference: str | None = None
    lod: Decimal | None = exact(default=None, nullable=True)
    loq: Decimal | None = exact(default=None, nullable=True)
    replicates: int
    rule: Rule = coded(Rule)
    minimum_days: int | None = None
    limitation_en: str = ""
    limitation_de: str = ""
    defined_at: datetime = moment()
    defined_by: int = Field(foreign_key="app_user.id")

    __table_args__ = (sa.UniqueConstraint("code", "revision"), sa.CheckConstraint("replicates > 0", name="replicates"))

    @property
    def label(self) -> str:
        """Code and revision, as printed."""
        return f"{self.code} v{self.revision}"


class Purpose(StrEnum):
    """What a specification is for."""

    RELEASE = "release"
    SHELF_LIFE = "shelf_life"
    IN_PROCESS = "in_process"


class Specification(AppendOnly, table=True):
    """A version of the list of criteria for a product. It counts once approved, from its date on."""

    code: str
    revision: int
    product_id: int = Field(foreign_key="product.id", index=True)
    purpose: Purpose = coded(Purpose)
    effective_from: date
    drafted_at: datetime = moment()
    drafted_by: int = Field(foreign_key="app_user.id")

    __table_args__ = (sa.UniqueConstraint("code", "revision"),)

    @property
    def label(self) -> str:
        """Code and revision, as printed."""
        return f"{self.code} v{self.revision}"


class SpecificationLine(AppendOnly, table=True):
    """One criterion. Limits are text, exactly as approved; allowed: JSON list of terms."""

    specification_id: int = Field(foreign_key="specification.id")
    position: int
    test_code: str
    method_id: int | None = Field(default=None, foreign_key="method.id")
    kind: CriterionKind = coded(CriterionKind)
    lower: str | None = None
    upper: str | None = None
    unit: str | None = None
    allowed: str = "[]"
    rounding: Rounding = coded(Rounding)
    required: bool

    __table_args__ = (
        sa.UniqueConstraint("specification_id", "position"),
        sa.UniqueConstraint("specification_id", "test_code"),
        sa.CheckConstraint("required OR kind = 'report_only'", name="judged_lines_are_required"),
    )


class SpecificationApproval(AppendOnly, table=True):
    """QA's signature on a specification."""

    specification_id: int = Field(foreign_key="specification.id", unique=True)
    signature_id: int = Field(foreign_key="signature.id")
    approved_at: datetime = moment()


class LotSpecification(AppendOnly, table=True):
    """The version a lot is judged against, pinned when its first sample is drawn: no later version can make a result pass."""

    lot_id: int = Field(foreign_key="lot.id", unique=True)
    specification_id: int = Field(foreign_key="specification.id")


class Sample(AppendOnly, table=True):
    """What was taken from a lot, in the lot's unit."""

    number: str = Field(unique=True)
    lot_id: int = Field(foreign_key="lot.id", index=True)
    quantity: Decimal = exact()
    purpose: str
    comment: str = ""
    taken_at: datetime = moment()
    recorded_at: datetime = moment()
    late: bool
    taken_by: int = Field(foreign_key="app_user.id")


class Result(AppendOnly, table=True):
    """What was found.

    value: typed JSON (`values.dump_value`); replicates: JSON list as typed; distribution: JSON of the curve, where there is one.
    replaces_id: the result that this one corrects, with `reason`; each is replaced once at most.
    """

    sample_id: int = Field(foreign_key="sample.id", index=True)
    test_code: str
    method_id: int | None = Field(default=None, foreign_key="method.id")
    formula: str | None = None
    purity_class: str | None = None
    value: str
    unit: str | None = None
    replicates: str = "[]"
    rule: str | None = None
    n: int | None = None
    sd: Decimal | None = exact(default=None, nullable=True)
    distribution: str | None = None
    settings: str = "[]"
    flags: str = "[]"
    comment: str = ""
    raw_sha256: str | None = Field(default=None, foreign_key="document.sha256")
    started_at: datetime = moment()
    finished_at: datetime = moment()
    recorded_at: datetime = moment()
    late: bool
    analyst_id: int = Field(foreign_key="app_user.id")
    replaces_id: int | None = Field(default=None, foreign_key="result.id", unique=True)
    reason: str = ""

    __table_args__ = (
        sa.CheckConstraint("length(value) > 0", name="not_empty"),
        sa.CheckConstraint("finished_at >= started_at", name="times"),
        sa.CheckConstraint("replaces_id IS NULL OR length(reason) > 0", name="correction_reason"),
        sa.CheckConstraint("(method_id IS NULL) <> (formula IS NULL)", name="measured_or_derived"),
    )


class ResultInput(AppendOnly, table=True):
    """What a derived result was computed from: a result, or a source such as the reconstitution volume; with the value read."""

    result_id: int = Field(foreign_key="result.id", index=True)
    name: str
    input_result_id: int | None = Field(default=None, foreign_key="result.id", index=True)
    source: str
    value: str


class ReviewOutcome(StrEnum):
    """What the second person found."""

    ACCEPTED = "accepted"
    REFUSED = "refused"


class ResultReview(AppendOnly, table=True):
    """A second person looked at a result and its raw data (21 CFR 211.194(a)(8)); once per result."""

    result_id: int = Field(foreign_key="result.id", unique=True)
    outcome: ReviewOutcome = coded(ReviewOutcome)
    comment: str = ""
    reviewer_id: int = Field(foreign_key="app_user.id")
    reviewed_at: datetime = moment()
    signature_id: int = Field(foreign_key="signature.id")
