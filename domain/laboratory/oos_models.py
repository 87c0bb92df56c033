"""Investigations of results out of specification, and alerts of trends, in tables."""

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import Field

from domain.store import AppendOnly, coded, moment


class Oos(AppendOnly, table=True):
    """A result outside its specification, under investigation (FDA guidance 2006, rev. 2022). The system opens it."""

    number: str = Field(unique=True)
    lot_id: int = Field(foreign_key="lot.id", index=True)
    sample_id: int = Field(foreign_key="sample.id")
    test_code: str
    text: str
    opened_at: datetime = moment()


class OosResult(AppendOnly, table=True):
    """A result that is investigated: the one that failed, and what failed with it because it was calculated from it."""

    oos_id: int = Field(foreign_key="oos.id", index=True)
    result_id: int = Field(foreign_key="result.id", unique=True)


class Cause(StrEnum):
    """An assignable cause in the laboratory, or none."""

    NONE = "none"
    CALCULATION = "calculation"
    TRANSCRIPTION = "transcription"
    SAMPLE_PREPARATION = "sample_preparation"
    DILUTION = "dilution"
    INSTRUMENT = "instrument"
    STANDARD_OR_REAGENT = "standard_or_reagent"
    METHOD_NOT_FOLLOWED = "method_not_followed"
    CONTAMINATION_IN_THE_LABORATORY = "contamination_in_the_laboratory"


class OosLaboratory(AppendOnly, table=True):
    """Phase 1: the laboratory looks for an error of its own. checklist: JSON of item -> answer and remark."""

    oos_id: int = Field(foreign_key="oos.id", unique=True)
    checklist: str
    cause: Cause = coded(Cause)
    text: str
    done_at: datetime = moment()
    done_by: int = Field(foreign_key="app_user.id")
    signature_id: int = Field(foreign_key="signature.id")


class OosProduction(AppendOnly, table=True):
    """Phase 2: production reviews how the lot was made."""

    oos_id: int = Field(foreign_key="oos.id", unique=True)
    cause_found: bool
    text: str
    done_at: datetime = moment()
    done_by: int = Field(foreign_key="app_user.id")
    signature_id: int = Field(foreign_key="signature.id")


class SampleFault(StrEnum):
    """Why a sample is no longer fit to be tested again."""

    USED_UP = "used_up"
    NOT_REPRESENTATIVE = "not_representative"
    CONTAINER_DAMAGED = "container_damaged"
    STORED_WRONGLY = "stored_wrongly"
    MIXED_UP = "mixed_up"


class RetestPlan(AppendOnly, table=True):
    """How often the test is repeated, on what, and by whom (JSON list of user ids): fixed before any retest."""

    oos_id: int = Field(foreign_key="oos.id", unique=True)
    sample_id: int = Field(foreign_key="sample.id")
    count: int
    analysts: str
    reason: str
    sample_fault: SampleFault | None = coded(SampleFault, default=None, nullable=True)
    proposed_at: datetime = moment()
    proposed_by: int = Field(foreign_key="app_user.id")

    __table_args__ = (sa.CheckConstraint("count > 0", name="count"),)


class RetestApproval(AppendOnly, table=True):
    """QA's signature on a retest plan."""

    plan_id: int = Field(foreign_key="retest_plan.id", unique=True)
    approved_at: datetime = moment()
    signature_id: int = Field(foreign_key="signature.id")


class Outcome(StrEnum):
    """What QA concludes."""

    CONFIRMED = "confirmed"
    LABORATORY_ERROR = "laboratory_error"
    NOT_CONFIRMED = "not_confirmed"


class OosConclusion(AppendOnly, table=True):
    """QA's conclusion, signed; once."""

    oos_id: int = Field(foreign_key="oos.id", unique=True)
    outcome: Outcome = coded(Outcome)
    text: str
    concluded_at: datetime = moment()
    concluded_by: int = Field(foreign_key="app_user.id")
    signature_id: int = Field(foreign_key="signature.id")


class TrendKind(StrEnum):
    """Why a passing result is looked at all the same."""

    ALERT_LIMIT = "alert_limit"
    OUT_OF_TREND = "out_of_trend"


class TrendAlert(AppendOnly, table=True):
    """A result that passes, but is outside an alert limit or unlike those of earlier lots; it holds nothing."""

    result_id: int = Field(foreign_key="result.id", index=True)
    lot_id: int = Field(foreign_key="lot.id", index=True)
    kind: TrendKind = coded(TrendKind)
    text: str
    opened_at: datetime = moment()


class TrendAssessment(AppendOnly, table=True):
    """What the head of QC makes of an alert."""

    alert_id: int = Field(foreign_key="trend_alert.id", unique=True)
    text: str
    assessed_at: datetime = moment()
    assessed_by: int = Field(foreign_key="app_user.id")
