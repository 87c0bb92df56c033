"""Methods, specifications, samples, results and their reviews. All but the sample are facts that never change."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import Field

from domain.laboratory.reportable import Rule
from domain.laboratory.verdict import CriterionKind, Rounding
from domain.lots.models import LotKind
from domain.store import AppendOnly, coded, exact, moment


class Validation(StrEnum):
    """What is known of a method (ICH Q2; USP <1225>, <1226>)."""

    NOT_VALIDATED = "not_validated"
    VERIFIED = "verified"
    VALIDATED = "validated"


class Method(AppendOnly, table=True):
    """How a test is done, versioned. lod, loq: in the test's unit. minimum_days: from start to the earliest final result.

    linear_low, linear_high: what the instrument can read, in the test's unit, before dilution. suitability: JSON list of the checks of a run
    (`runs.Check`). run_required: a result names its run. validated_for: JSON list of product codes and kinds of lots. read_every_days: a slow
    test whose inoculation is an act of its own, read at least so often. Empty columns: the method asks for none of it.
    """

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
    instrument_class: str | None = None
    linear_low: Decimal | None = exact(default=None, nullable=True)
    linear_high: Decimal | None = exact(default=None, nullable=True)
    suitability: str | None = None
    run_required: bool | None = None
    validation: Validation | None = coded(Validation, default=None, nullable=True)
    validated_for: str | None = None
    read_every_days: int | None = None

    __table_args__ = (sa.UniqueConstraint("code", "revision"), sa.CheckConstraint("replicates > 0", name="replicates"))

    @property
    def label(self) -> str:
        """Code and revision, as printed."""
        return f"{self.code} v{self.revision}"


class MethodApproval(AppendOnly, table=True):
    """QA's signature on a revision of a method."""

    method_id: int = Field(foreign_key="method.id", unique=True)
    signature_id: int = Field(foreign_key="signature.id")
    approved_at: datetime = moment()


class Purpose(StrEnum):
    """What a specification is for."""

    RELEASE = "release"
    SHELF_LIFE = "shelf_life"
    IN_PROCESS = "in_process"


class Specification(AppendOnly, table=True):
    """A version of the list of criteria for a product. It counts once approved, from its date on.

    market: for which market or route, where a product has several; stage: of an in-process specification, the kind of lot it judges.
    controlled: every method it names must be approved by QA, and so must a later revision that a result was found by.
    """

    code: str
    revision: int
    product_id: int = Field(foreign_key="product.id", index=True)
    purpose: Purpose = coded(Purpose)
    effective_from: date
    drafted_at: datetime = moment()
    drafted_by: int = Field(foreign_key="app_user.id")
    market: str | None = None
    stage: LotKind | None = coded(LotKind, check="stage", default=None, nullable=True)
    controlled: bool | None = None

    __table_args__ = (sa.UniqueConstraint("code", "revision"),)

    @property
    def label(self) -> str:
        """Code and revision, as printed."""
        return f"{self.code} v{self.revision}"


class SpecificationLine(AppendOnly, table=True):
    """One criterion. Limits are text, exactly as approved; allowed: JSON list of terms.

    alert_lower, alert_upper: tighter, internal limits in the same unit; never printed on a certificate.
    """

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
    alert_lower: str | None = None
    alert_upper: str | None = None

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
    """A version the lot is judged against, pinned when its first sample is drawn: no later version can make a result pass.

    The first row of a lot is its primary release specification; others are for other markets, routes and purposes.
    """

    lot_id: int = Field(foreign_key="lot.id")
    specification_id: int = Field(foreign_key="specification.id")

    __table_args__ = (sa.UniqueConstraint("lot_id", "specification_id"),)


class Reserve(StrEnum):
    """What a sample is kept for, if not for testing (21 CFR 211.170; ICH Q5C)."""

    RETENTION = "retention"
    STABILITY = "stability"


class Sample(AppendOnly, table=True):
    """What was taken from a lot, in the lot's unit. plan_line_id: drawn by the sampling plan; reserve: kept, tested only with a reason."""

    number: str = Field(unique=True)
    lot_id: int = Field(foreign_key="lot.id", index=True)
    quantity: Decimal = exact()
    purpose: str
    comment: str = ""
    taken_at: datetime = moment()
    recorded_at: datetime = moment()
    late: bool
    taken_by: int = Field(foreign_key="app_user.id")
    plan_line_id: int | None = Field(default=None, foreign_key="sampling_plan_line.id", index=True)
    reserve: Reserve | None = coded(Reserve, default=None, nullable=True)


class SampleTest(AppendOnly, table=True):
    """A test that a sample was drawn for."""

    sample_id: int = Field(foreign_key="sample.id")
    test_code: str

    __table_args__ = (sa.UniqueConstraint("sample_id", "test_code"),)


class Result(AppendOnly, table=True):
    """What was found.

    value: typed JSON (`values.dump_value`); replicates: JSON list as typed; distribution: JSON of the curve, where there is one.
    replaces_id: the result that this one corrects, with `reason`; each is replaced once at most. run_id: the run it was found in. report_id: of a
    contract laboratory. oos_id: a retest of that investigation. dilution: the factor that the replicates as read were multiplied by.
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
    run_id: int | None = Field(default=None, foreign_key="test_run.id", index=True)
    report_id: int | None = Field(default=None, foreign_key="contract_report.id", index=True)
    oos_id: int | None = Field(default=None, foreign_key="oos.id", index=True)
    inoculation_id: int | None = Field(default=None, foreign_key="inoculation.id", index=True)
    dilution: Decimal | None = exact(default=None, nullable=True)
    instrument: str | None = None

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
