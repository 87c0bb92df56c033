"""The register as shown."""

from datetime import date, datetime

from sqlmodel import Session, select

from domain.equipment.models import Equipment, EquipmentException, EventKind, Finding
from domain.equipment.register import equipment_coded, events_of, unfit
from domain.people.models import User
from domain.work import View


class EventView(View):
    """An event of equipment."""

    kind: EventKind
    happened_at: datetime
    finding: Finding | None
    next_due: date | None
    performed_by: str
    document_sha256: str | None
    comment: str
    recorded_at: datetime
    recorded_by: str


class ExceptionView(View):
    """QA's exception from a due date."""

    valid_from: date
    valid_until: date
    reason: str
    approved_at: datetime
    approved_by: str


class EquipmentView(View):
    """A device, instrument or room; `unfit` says why it may not be used now."""

    code: str
    name: str
    equipment_class: str
    serial: str
    location: str
    calibration_due: date | None
    maintenance_due: date | None
    unfit: tuple[str, ...]
    events: tuple[EventView, ...] = ()
    exceptions: tuple[ExceptionView, ...] = ()


def equipment_list(session: Session, now: datetime, today: date) -> list[EquipmentView]:
    """The whole register, by code."""
    return [_shown(session, one, now, today) for one in session.exec(select(Equipment).order_by(Equipment.code))]


def equipment_file(session: Session, code: str, now: datetime, today: date) -> EquipmentView:
    """One entry with its history. Raises NotFound."""
    return _shown(session, equipment_coded(session, code), now, today)


def _shown(session: Session, equipment: Equipment, now: datetime, today: date) -> EquipmentView:
    names = dict(session.exec(select(User.id, User.name)).all())
    events = events_of(session, equipment.key)
    due = {one.kind: one.next_due for one in events}
    granted = session.exec(select(EquipmentException).where(EquipmentException.equipment_id == equipment.id))
    facts = ("code", "name", "equipment_class", "serial", "location")
    told = ("kind", "happened_at", "finding", "next_due", "performed_by", "document_sha256", "comment", "recorded_at")
    return EquipmentView(
        **{name: getattr(equipment, name) for name in facts},
        calibration_due=due.get(EventKind.CALIBRATION),
        maintenance_due=due.get(EventKind.MAINTENANCE),
        unfit=tuple(reason.text for reason in unfit(session, equipment, now, today)),
        events=tuple(
            EventView(**{name: getattr(one, name) for name in told}, recorded_by=names[one.recorded_by])
            for one in reversed(events)
        ),
        exceptions=tuple(
            ExceptionView(
                **{name: getattr(one, name) for name in ("valid_from", "valid_until", "reason", "approved_at")},
                approved_by=names[one.approved_by],
            )
            for one in granted
        ),
    )
