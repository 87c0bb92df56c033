"""Deviations and the lots they touch. What is found out about them later is recorded as facts of their own, never over these."""

from datetime import date, datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import Field

from domain.store import AppendOnly, coded, moment


class DeviationOrigin(StrEnum):
    """What opened it: a person, or what the system noticed."""

    PERSON = "person"
    READING = "reading"
    MISSING_READING = "missing_reading"
    HOLD_TIME = "hold_time"
    STEP_ORDER = "step_order"
    RECONCILIATION = "reconciliation"
    EQUIPMENT = "equipment"
    TRAINING = "training"
    MATERIAL = "material"
    YIELD = "yield"
    LABORATORY = "laboratory"
    DONOR = "donor"
    COMPLAINT = "complaint"


class Severity(StrEnum):
    """How grave it is (EU GMP Chapter 8; ICH Q9)."""

    MINOR = "minor"
    MAJOR = "major"
    CRITICAL = "critical"


class Deviation(AppendOnly, table=True):
    """A departure, as it was opened. code: the kebab-case name of what was noticed; opened_by is empty where the system opened it."""

    number: str = Field(unique=True)
    origin: DeviationOrigin = coded(DeviationOrigin)
    code: str
    text: str
    severity: Severity = coded(Severity)
    step_id: int | None = Field(default=None, foreign_key="step.id", index=True)
    happened_at: datetime = moment()
    opened_at: datetime = moment()
    opened_by: int | None = Field(default=None, foreign_key="app_user.id")


class DeviationLot(AppendOnly, table=True):
    """A lot that the deviation touches. added_*: of a lot that was found to be touched later, with `reason`."""

    deviation_id: int = Field(foreign_key="deviation.id", index=True)
    lot_id: int = Field(foreign_key="lot.id", index=True)
    added_at: datetime | None = moment(default=None, nullable=True)
    added_by: int | None = Field(default=None, foreign_key="app_user.id")
    reason: str = ""

    __table_args__ = (sa.UniqueConstraint("deviation_id", "lot_id"),)


class RootCause(StrEnum):
    """Where the cause lies (the six M of a cause-and-effect diagram, a supplier, or that none was found)."""

    PERSON = "person"
    METHOD = "method"
    MACHINE = "machine"
    MATERIAL = "material"
    ENVIRONMENT = "environment"
    MEASUREMENT = "measurement"
    SUPPLIER = "supplier"
    NOT_FOUND = "not_found"


class LotOutcome(StrEnum):
    """What becomes of a lot that a deviation touches."""

    NOT_AFFECTED = "not_affected"
    USE_AS_IS = "use_as_is"
    REWORK = "rework"
    REJECT = "reject"


class DeviationClassification(AppendOnly, table=True):
    """How grave a deviation was judged to be, and why; the newest counts."""

    deviation_id: int = Field(foreign_key="deviation.id", index=True)
    severity: Severity = coded(Severity)
    reason: str
    classified_at: datetime = moment()
    classified_by: int = Field(foreign_key="app_user.id")


class DeviationInvestigation(AppendOnly, table=True):
    """What somebody found out, with the cause as it was understood then; the newest counts, all stay."""

    deviation_id: int = Field(foreign_key="deviation.id", index=True)
    text: str
    root_cause: RootCause | None = coded(RootCause, default=None, nullable=True)
    root_cause_text: str = ""
    investigated_at: datetime = moment()
    investigated_by: int = Field(foreign_key="app_user.id")

    __table_args__ = (
        sa.CheckConstraint("(root_cause IS NULL) = (length(root_cause_text) = 0)", name="cause_with_words"),
    )


class DeviationOutcome(AppendOnly, table=True):
    """What is to become of one lot, and why; the newest of a lot counts."""

    deviation_id: int = Field(foreign_key="deviation.id", index=True)
    lot_id: int = Field(foreign_key="lot.id", index=True)
    outcome: LotOutcome = coded(LotOutcome)
    justification: str
    decided_at: datetime = moment()
    decided_by: int = Field(foreign_key="app_user.id")

    __table_args__ = (sa.CheckConstraint("length(justification) > 0", name="justified"),)


class DeviationClosure(AppendOnly, table=True):
    """QA's signature under a deviation; nothing but its CAPA goes on afterwards."""

    deviation_id: int = Field(foreign_key="deviation.id", unique=True)
    conclusion: str
    closed_at: datetime = moment()
    closed_by: int = Field(foreign_key="app_user.id")
    signature_id: int = Field(foreign_key="signature.id")


class CapaKind(StrEnum):
    """Corrective: against the cause of what happened; preventive: against what could (ICH Q10 3.2.2)."""

    CORRECTIVE = "corrective"
    PREVENTIVE = "preventive"


class CapaAction(AppendOnly, table=True):
    """What somebody is to do until a day, and when it is checked whether that helped. follows_id: the action that did not."""

    number: str = Field(unique=True)
    deviation_id: int = Field(foreign_key="deviation.id", index=True)
    kind: CapaKind = coded(CapaKind)
    text: str
    owner_id: int = Field(foreign_key="app_user.id", index=True)
    due_on: date
    check_due_on: date
    raised_at: datetime = moment()
    raised_by: int = Field(foreign_key="app_user.id")
    follows_id: int | None = Field(default=None, foreign_key="capa_action.id", unique=True)

    __table_args__ = (sa.CheckConstraint("check_due_on >= due_on", name="checked_after"),)


class CapaCompletion(AppendOnly, table=True):
    """The owner did it: what shows that, in words and perhaps as a file."""

    action_id: int = Field(foreign_key="capa_action.id", unique=True)
    evidence: str
    document_sha256: str | None = Field(default=None, foreign_key="document.sha256")
    completed_at: datetime = moment()
    completed_by: int = Field(foreign_key="app_user.id")


class CapaCheck(AppendOnly, table=True):
    """QA looked whether it helped, and closed it by signature."""

    action_id: int = Field(foreign_key="capa_action.id", unique=True)
    effective: bool
    finding: str
    checked_at: datetime = moment()
    checked_by: int = Field(foreign_key="app_user.id")
    signature_id: int = Field(foreign_key="signature.id")
