"""Equipment, what happened to it, and QA's exceptions from its due dates."""

from datetime import date, datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import Field

from domain.store import AppendOnly, coded, moment


class EventKind(StrEnum):
    """What happens to equipment."""

    CALIBRATION = "calibration"
    MAINTENANCE = "maintenance"
    TAKEN_OUT = "taken_out_of_service"
    PUT_BACK = "put_into_service"


class Finding(StrEnum):
    """What a calibration found as the equipment came in, before anything was adjusted."""

    WITHIN = "within_tolerance"
    OUT = "out_of_tolerance"


class Equipment(AppendOnly, table=True):
    """A device, an instrument or a room. equipment_class: what recipes ask for (`incubator`, `room-B`)."""

    code: str = Field(unique=True)
    name: str
    equipment_class: str = Field(index=True)
    serial: str
    location: str
    needs_calibration: bool
    needs_maintenance: bool
    registered_at: datetime = moment()
    registered_by: int = Field(foreign_key="app_user.id")


class EquipmentEvent(AppendOnly, table=True):
    """A calibration or maintenance with the day the next one is due, or a change of service."""

    equipment_id: int = Field(foreign_key="equipment.id", index=True)
    kind: EventKind = coded(EventKind)
    happened_at: datetime = moment()
    finding: Finding | None = coded(Finding, default=None, nullable=True)
    next_due: date | None = None
    performed_by: str
    document_sha256: str | None = None
    comment: str
    recorded_at: datetime = moment()
    recorded_by: int = Field(foreign_key="app_user.id")

    __table_args__ = (
        sa.CheckConstraint("(kind = 'calibration') = (finding IS NOT NULL)", name="calibration_finding"),
        sa.CheckConstraint(
            "next_due IS NOT NULL OR kind NOT IN ('calibration', 'maintenance') OR finding = 'out_of_tolerance'",
            name="next_due",
        ),
    )


class EquipmentException(AppendOnly, table=True):
    """QA signed that equipment may be used although it is not fit, until a day; the deviation that this opened is named."""

    equipment_id: int = Field(foreign_key="equipment.id", index=True)
    valid_from: date
    valid_until: date
    reason: str
    approved_at: datetime = moment()
    approved_by: int = Field(foreign_key="app_user.id")
    signature_id: int = Field(foreign_key="signature.id")
    deviation_id: int = Field(foreign_key="deviation.id")
