"""Deviations and the lots they touch. What is found out about them later is recorded as facts of their own, never over these."""

from datetime import datetime
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
    """A lot that the deviation touches."""

    deviation_id: int = Field(foreign_key="deviation.id", index=True)
    lot_id: int = Field(foreign_key="lot.id", index=True)

    __table_args__ = (sa.UniqueConstraint("deviation_id", "lot_id"),)
