"""Acts on the register, and whether equipment was fit for use at a time (21 CFR 211.68, 211.160(b)(4); EU GMP Chapter 3)."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from pydantic import AwareDatetime, Field
from sqlmodel import Session, col, select

from domain.equipment.models import Equipment, EquipmentEvent, EquipmentException, EventKind, Finding
from domain.errors import Conflict, Invalid, NotFound, Reason
from domain.permissions import Permission
from domain.work import Command, Work, operation

CLOCK_SKEW = timedelta(minutes=5)
_NEED = {EventKind.CALIBRATION: "needs_calibration", EventKind.MAINTENANCE: "needs_maintenance"}


class RegisterEquipment(Command):
    """Enter a device, an instrument or a room. It is fit for use once calibrated and maintained as it needs to be."""

    code: str = Field(pattern=r"^[A-Z0-9][A-Z0-9.-]{1,29}$", examples=["FD-2"])
    name: str = Field(min_length=2, max_length=200, examples=["Freeze dryer, 6 m2"])
    equipment_class: str = Field(
        pattern=r"^[a-z][A-Za-z0-9-]{1,39}$", description="what recipes ask for", examples=["freeze-dryer"]
    )
    serial: str = Field(min_length=1, max_length=100)
    location: str = Field(min_length=1, max_length=100)
    needs_calibration: bool = True
    needs_maintenance: bool = True


class LogEquipmentEvent(Command):
    """Record a calibration, a maintenance, or a change of service. A calibration says what it found before any adjustment."""

    code: str
    kind: EventKind
    happened_at: AwareDatetime | None = None
    finding: Finding | None = None
    next_due: date | None = None
    performed_by: str = Field(min_length=2, max_length=200)
    document_sha256: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")
    comment: str = Field(default="", max_length=1000)


@operation(Permission.MANAGE_EQUIPMENT)
def register_equipment(work: Work, command: RegisterEquipment) -> Equipment:
    """A code is given once."""
    if work.session.exec(select(Equipment.id).where(Equipment.code == command.code)).first() is not None:
        raise Conflict(Reason("equipment-exists", f"{command.code} is in the register already", "code"))
    return work.add(
        Equipment(**command.model_dump(), registered_at=work.now, registered_by=work.actor.person),
    )


def log_event(work: Work, command: LogEquipmentEvent) -> EquipmentEvent:
    """Write an event; `manufacturing.equipment_use` has the act, as an event can touch lots."""
    equipment = equipment_coded(work.session, command.code)
    happened_at = command.happened_at or work.now
    if happened_at > work.now + CLOCK_SKEW:
        raise Invalid(Reason("in-the-future", f"{happened_at:%Y-%m-%d %H:%M} is in the future", "happened_at"))
    if (command.kind is EventKind.CALIBRATION) != (command.finding is not None):
        text = "a calibration says whether the equipment was within its tolerance, and nothing else does"
        raise Invalid(Reason("finding-with-calibration", text, "finding"))
    due = command.kind in _NEED and command.finding is not Finding.OUT
    if due != (command.next_due is not None):
        text = (
            "a calibration or maintenance that was good names the day on which the next is due, and nothing else does"
        )
        raise Invalid(Reason("next-due", text, "next_due"))
    if command.next_due is not None and command.next_due < work.site.today(happened_at):
        raise Invalid(Reason("times-reversed", f"{command.next_due} is before the event itself", "next_due"))
    if (command.kind is EventKind.TAKEN_OUT or command.finding is Finding.OUT) and not command.comment:
        raise Invalid(Reason("comment-needed", "say what is wrong with the equipment", "comment"))
    return work.add(
        EquipmentEvent(
            **command.model_dump(exclude={"code", "happened_at"}),
            equipment_id=equipment.key,
            happened_at=happened_at,
            recorded_at=work.now,
            recorded_by=work.actor.person,
        )
    )


def equipment_coded(session: Session, code: str, field: str = "code") -> Equipment:
    """The equipment of that code. Raises NotFound."""
    if found := session.exec(select(Equipment).where(Equipment.code == code)).first():
        return found
    raise NotFound(Reason("equipment-not-found", f"there is no equipment {code!r} in the register", field))


def events_of(session: Session, equipment_id: int) -> list[EquipmentEvent]:
    """Its events in the order in which they happened."""
    found = select(EquipmentEvent).where(EquipmentEvent.equipment_id == equipment_id)
    return list(session.exec(found.order_by(col(EquipmentEvent.happened_at), col(EquipmentEvent.id))))


def unfit(session: Session, equipment: Equipment, at: datetime, on: date) -> Iterator[Reason]:
    """Why equipment may not be used: out of service, never calibrated, out of tolerance, or due; an exception is not asked for.

    at: the moment of use. on: its calendar date at the site; a due date is the last good day.
    """
    events = [one for one in events_of(session, equipment.key) if one.happened_at <= at]
    service = [one for one in events if one.kind in (EventKind.TAKEN_OUT, EventKind.PUT_BACK)]
    if service and service[-1].kind is EventKind.TAKEN_OUT:
        text = f"{equipment.code} is out of service since {service[-1].happened_at:%Y-%m-%d}: {service[-1].comment}"
        yield Reason("equipment-out-of-service", text, "equipment_codes")
    for kind, need in _NEED.items():
        if getattr(equipment, need):
            yield from _overdue(equipment, kind, [one for one in events if one.kind is kind], on)


def _overdue(equipment: Equipment, kind: EventKind, events: list[EquipmentEvent], on: date) -> Iterator[Reason]:
    newest = events[-1] if events else None
    if newest is None:
        said = f"no {kind.value} of {equipment.code} is recorded"
    elif newest.finding is Finding.OUT:
        said = f"{equipment.code} was found out of tolerance on {newest.happened_at:%Y-%m-%d}"
    elif newest.next_due is None or on > newest.next_due:
        said = f"the {kind.value} of {equipment.code} was due on {newest.next_due}"
    else:
        return
    yield Reason(f"{kind.value}-overdue", f"{said}; it may not be used on {on}", "equipment_codes")


def exception_for(session: Session, equipment_id: int, on: date) -> EquipmentException | None:
    """The newest exception of QA that covers that day."""
    found = (
        select(EquipmentException)
        .where(EquipmentException.equipment_id == equipment_id)
        .where(col(EquipmentException.valid_from) <= on, col(EquipmentException.valid_until) >= on)
        .order_by(col(EquipmentException.id).desc())
    )
    return session.exec(found.limit(1)).first()
