"""What the laboratory records beside results: runs, custody, inoculations, contract reports, sampling plans, investigations. Facts, all of them."""

from datetime import date, datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import Field

from domain.laboratory.models import Reserve
from domain.laboratory.verdict import Verdict
from domain.store import AppendOnly, coded, moment


class TestRun(AppendOnly, table=True):
    """Samples tested together, with the controls, blanks and standards that say whether the run counts."""

    __test__ = False

    number: str = Field(unique=True)
    method_id: int = Field(foreign_key="method.id", index=True)
    instrument: str
    started_at: datetime = moment()
    recorded_at: datetime = moment()
    late: bool
    analyst_id: int = Field(foreign_key="app_user.id")
    comment: str = ""


class RunCheck(AppendOnly, table=True):
    """What a control, blank or standard gave: as typed, as read, and judged by the criterion of the method."""

    run_id: int = Field(foreign_key="test_run.id", index=True)
    name: str
    entered: str
    value: str
    verdict: Verdict = coded(Verdict)
    why: str

    __table_args__ = (sa.UniqueConstraint("run_id", "name"),)


class RunConclusion(AppendOnly, table=True):
    """Whether the run counts; once a run. An invalid run is not out of specification: its results stay visible and do not count."""

    run_id: int = Field(foreign_key="test_run.id", unique=True)
    valid: bool
    reasons: str
    finished_at: datetime = moment()
    concluded_at: datetime = moment()
    concluded_by: int = Field(foreign_key="app_user.id")

    __table_args__ = (sa.CheckConstraint("valid OR length(reasons) > 0", name="invalid_says_why"),)


class Stage(StrEnum):
    """Where on the way from donor to vial a sample is taken."""

    DONOR = "donor"
    BANK = "bank"
    HARVEST = "harvest"
    BULK = "bulk"
    FINAL = "final_vial"


class SamplingPlan(AppendOnly, table=True):
    """A version of what is sampled of a product and of what it is made of. It counts once approved, from its date on."""

    code: str
    revision: int
    product_id: int = Field(foreign_key="product.id", index=True)
    effective_from: date
    drafted_at: datetime = moment()
    drafted_by: int = Field(foreign_key="app_user.id")

    __table_args__ = (sa.UniqueConstraint("code", "revision"),)

    @property
    def label(self) -> str:
        """Code and revision, as printed."""
        return f"{self.code} v{self.revision}"


class SamplingPlanLine(AppendOnly, table=True):
    """One sample: at which stage, how much, for which tests (JSON list of codes) or as what reserve, within how many days."""

    plan_id: int = Field(foreign_key="sampling_plan.id")
    position: int
    stage: Stage = coded(Stage)
    purpose: str
    quantity: str
    unit: str
    tests: str = "[]"
    reserve: Reserve | None = coded(Reserve, default=None, nullable=True)
    within_days: int | None = None
    storage: str = ""

    __table_args__ = (sa.UniqueConstraint("plan_id", "position"),)


class SamplingPlanApproval(AppendOnly, table=True):
    """QA's signature on a sampling plan."""

    plan_id: int = Field(foreign_key="sampling_plan.id", unique=True)
    signature_id: int = Field(foreign_key="signature.id")
    approved_at: datetime = moment()


class LotSamplingPlan(AppendOnly, table=True):
    """The plan that a drug product is sampled by, pinned with its first sample."""

    lot_id: int = Field(foreign_key="lot.id", unique=True)
    plan_id: int = Field(foreign_key="sampling_plan.id")


class CustodyEvent(StrEnum):
    """What happens to a sample on its way."""

    HANDED_OVER = "handed_over"
    RECEIVED = "received"
    STORED = "stored"
    RETURNED = "returned"
    CONSUMED = "consumed"


class Custody(AppendOnly, table=True):
    """A link of the chain of custody. to_user_id or to_name: to whom it was handed over; place: where it is stored."""

    sample_id: int = Field(foreign_key="sample.id", index=True)
    event: CustodyEvent = coded(CustodyEvent)
    to_user_id: int | None = Field(default=None, foreign_key="app_user.id")
    to_name: str = ""
    place: str = ""
    comment: str = ""
    happened_at: datetime = moment()
    recorded_at: datetime = moment()
    late: bool
    recorded_by: int = Field(foreign_key="app_user.id")


class ReserveUse(AppendOnly, table=True):
    """A retention or stability unit is tested after all, with the reason. timepoint_months: of a stability unit, since when its results speak of the
    shelf life and no longer of the release; empty: what is found counts as any other result of the lot.
    """

    sample_id: int = Field(foreign_key="sample.id", unique=True)
    reason: str
    opened_at: datetime = moment()
    opened_by: int = Field(foreign_key="app_user.id")
    timepoint_months: int | None = None

    __table_args__ = (sa.CheckConstraint("length(reason) > 0", name="says_why"),)


class ContractReport(AppendOnly, table=True):
    """The report of a contract laboratory, as a file."""

    laboratory: str
    accreditation: str
    report_number: str
    sha256: str = Field(foreign_key="document.sha256")
    received_on: date
    recorded_at: datetime = moment()
    recorded_by: int = Field(foreign_key="app_user.id")

    __table_args__ = (sa.UniqueConstraint("laboratory", "report_number"),)


class TranscriptionCheck(AppendOnly, table=True):
    """A second person read the report and typed the same figures (EU GMP Annex 11, 6); what differed was refused."""

    result_id: int = Field(foreign_key="result.id", unique=True)
    checked_at: datetime = moment()
    checked_by: int = Field(foreign_key="app_user.id")


class Inoculation(AppendOnly, table=True):
    """The start of a slow test. units: how many containers were tested (USP <71>, table 3), where the lot is counted."""

    sample_id: int = Field(foreign_key="sample.id", index=True)
    method_id: int = Field(foreign_key="method.id")
    units: int | None = None
    media: str
    inoculated_at: datetime = moment()
    recorded_at: datetime = moment()
    late: bool
    inoculated_by: int = Field(foreign_key="app_user.id")


class Growth(StrEnum):
    """What the media look like."""

    CLEAR = "clear"
    TURBID = "turbid"
    GROWTH = "growth"


class GrowthReading(AppendOnly, table=True):
    """One reading. subculture: the medium was turbid at the end, and part of it was moved to fresh medium now."""

    inoculation_id: int = Field(foreign_key="inoculation.id", index=True)
    seen: Growth = coded(Growth)
    subculture: bool
    comment: str = ""
    read_at: datetime = moment()
    recorded_at: datetime = moment()
    late: bool
    read_by: int = Field(foreign_key="app_user.id")
