"""The readings of a step: logged, corrected, checked against catalogue, recipe and each other; and the lots of a step."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Protocol, cast

import sqlalchemy as sa
from sqlmodel import Session, col, select

from domain.deviations.models import DeviationOrigin, Severity
from domain.errors import Conflict, DomainError, Invalid, NotFound, Reason, Refused, refuse_if_any
from domain.lots.genealogy import progeny
from domain.lots.models import Consumption, Lot, LotState, Yield
from domain.manufacturing.catalogue import StepKind, step_kind
from domain.manufacturing.checks import cross_alerts, cross_check, unbalanced
from domain.manufacturing.departures import Departure, depart
from domain.manufacturing.executing import is_governed, kind_on, refuse_untrained
from domain.manufacturing.models import Reading, Step
from domain.manufacturing.step_commands import CorrectReading, Entry, LogReading
from domain.permissions import Permission
from domain.store import Prepared
from domain.work import Work, operation

#: An entry recorded later than this after it happened is marked late (ALCOA: contemporaneous).
LATE_AFTER = timedelta(hours=1)


#: How far a bench clock may run ahead of the server's.
CLOCK_SKEW = timedelta(minutes=5)


_step = Prepared(
    select(col(Step.id).label("key"), Step.kind, Step.started_at, Step.ended_at)
    .where(Step.number == sa.bindparam("number"))
    .with_for_update()
)


_readings = Prepared(
    sa.select(
        col(Reading.id),
        col(Reading.parameter),
        col(Reading.value),
        col(Reading.entered_value),
        col(Reading.replaces_id),
    )
    .where(col(Reading.step_id) == sa.bindparam("step_id"))
    .order_by(col(Reading.id))
)


class StepFacts(Protocol):
    """What the checks of a reading ask of its step."""

    @property
    def key(self) -> int: ...
    @property
    def kind(self) -> str: ...
    @property
    def started_at(self) -> datetime: ...


@operation(Permission.RUN_STEP)
def log_reading(work: Work, command: LogReading) -> Reading:
    """Refuses what the catalogue's hard bounds or the step's other values rule out; flags what is unusual."""
    step = _to_log_on(work, command.step_number)
    refuse_untrained(work, step.key, step.kind)
    return record(work, step, step_kind(step.kind), (command.entry,))[0]


@operation(Permission.RUN_STEP)
def correct_reading(work: Work, command: CorrectReading) -> Reading:
    """The new reading names the one it replaces; impossible once a lot made of the step has been decided on."""
    old = work.session.get(Reading, command.reading_id)
    if old is None:
        raise NotFound(Reason("reading-not-found", f"there is no reading {command.reading_id}", "reading_id"))
    if work.session.exec(select(Reading.id).where(Reading.replaces_id == old.id)).first() is not None:
        raise Conflict(
            Reason("reading-replaced", "this reading was corrected already; correct the newer one", "reading_id")
        )
    step = work.session.exec(select(Step).where(Step.id == old.step_id).with_for_update()).one()
    refuse_if_any(decided_lots(work.session, step))
    refuse_untrained(work, step.key, step.kind)
    kind = kind_on(work.session, step.key, step_kind(step.kind))
    entry = Entry(
        parameter=old.parameter,
        value=command.value,
        unit=command.unit,
        comment=command.comment,
        happened_at=old.happened_at,
    )
    corrected = _reading(work, step, kind, entry, old, command.reason)
    before = current_values(work.session, step.key)
    values = before | {old.parameter: _plain(corrected)}
    uneven = [one for one in unbalanced(kind.code, values) if one not in unbalanced(kind.code, before)]
    governed = is_governed(work.session, step.key)
    refuse_if_any((*(uneven if not governed else ()), *cross_check(kind.code, values, balanced=False)))
    unusual = set(cross_alerts(kind.code, values)) - set(cross_alerts(kind.code, before))
    if step.ended_at is not None and (unusual or uneven) and not command.comment:
        told = (
            Reason("comment-needed", f"{reason.text} Say why in a comment.", "comment")
            for reason in (*unusual, *uneven)
        )
        raise Invalid(*told)
    work.add(corrected)
    if step.ended_at is not None:
        said = [Departure(DeviationOrigin.RECONCILIATION, one.code, one.text, Severity.MAJOR) for one in uneven]
        depart(work, step.key, said, yielded(work.session, step.key), corrected.happened_at)
    _beyond_action(work, step, [corrected])
    return corrected


def record(
    work: Work, step: StepFacts, kind: StepKind, entries: Sequence[Entry], *, balanced: bool = True
) -> list[Reading]:
    """Write readings, after checking each against catalogue and recipe and all against each other; a parameter once only.

    balanced: counts have to balance at once, unless a recipe governs the step: then they are looked at when it ends.
    """
    if not entries:
        return []
    kind = kind_on(work.session, step.key, kind)
    balanced = balanced and not is_governed(work.session, step.key)
    known = current_values(work.session, step.key)
    readings: list[Reading] = []
    for entry in entries:
        if entry.parameter in known:
            text = f"{entry.parameter} is recorded already; correct that reading, with the reason"
            raise Conflict(Reason("reading-exists", text, f"readings.{entry.parameter}"))
        readings.append(_reading(work, step, kind, entry))
        known[entry.parameter] = _plain(readings[-1])
    refuse_if_any(cross_check(kind.code, known, balanced=balanced))
    for reading in readings:
        work.add(reading)
    _beyond_action(work, step, readings)
    return readings


def _beyond_action(work: Work, step: StepFacts, readings: Sequence[Reading]) -> None:
    """A value outside the action limits of the recipe opens a deviation by itself."""
    beyond = [one for one in readings if one.beyond_action]
    if beyond:
        lots = yielded(work.session, step.key)
        for one in beyond:
            said = Departure(
                DeviationOrigin.READING, "outside-action-bounds", f"{one.alert} {one.comment}", Severity.MAJOR
            )
            depart(work, step.key, [said], lots, one.happened_at)


def current_values(session: Session, step_id: int) -> dict[str, Decimal | str]:
    """The newest value of each parameter of a step: what was recorded last and not replaced."""
    rows = _readings.rows(session.connection(), step_id=step_id)
    replaced = {row.replaces_id for row in rows}
    return {row.parameter: _plain(row) for row in rows if row.id not in replaced}


def consumed(session: Session, step_id: int) -> list[Lot]:
    """The lots a step took from."""
    return list(session.exec(select(Lot).join(Consumption).where(Consumption.step_id == step_id).order_by(col(Lot.id))))


def yielded(session: Session, step_id: int) -> list[Lot]:
    """The lots a step gives."""
    return list(session.exec(select(Lot).join(Yield).where(Yield.step_id == step_id).order_by(col(Lot.id))))


def _plain(reading: Reading | Any) -> Decimal | str:
    value: Decimal | None = reading.value
    return value if value is not None else str(reading.entered_value)


def when_happened(work: Work, said: datetime | None, field: str) -> datetime:
    if said is not None and said > work.now + CLOCK_SKEW:
        raise Invalid(
            Reason(
                "in-the-future",
                f"{said:%Y-%m-%d %H:%M} is in the future; the server's time is {work.now:%Y-%m-%d %H:%M} UTC",
                field,
            )
        )
    return said or work.now


def _to_log_on(work: Work, number: str) -> StepFacts:
    """The same, without loading the whole step: readings are what is logged all day."""
    found = _step.rows(work.session.connection(), number=number)
    if not found or found[0].ended_at is not None:
        raise why_not_open(number, bool(found))
    return cast(StepFacts, found[0])


def why_not_open(number: str, known: bool) -> DomainError:
    if not known:
        return NotFound(Reason("step-not-found", f"there is no step {number!r}", "step_number"))
    return Refused(
        Reason("step-complete", f"step {number} is complete; nothing more can be recorded on it", "step_number")
    )


def _reading(
    work: Work, step: StepFacts, kind: StepKind, entry: Entry, replaces: Reading | None = None, reason: str = ""
) -> Reading:
    field = f"readings.{entry.parameter}"
    happened_at = when_happened(work, entry.happened_at, f"{field}.happened_at")
    if replaces is None and happened_at < step.started_at - CLOCK_SKEW:
        raise Invalid(
            Reason(
                "before-the-step",
                f"the step started at {step.started_at:%Y-%m-%d %H:%M} UTC, after that reading",
                f"{field}.happened_at",
            )
        )
    checked = kind.parameter(entry.parameter).check(entry.value, entry.unit, f"{field}.value")
    if checked.alert and not entry.comment:
        raise Invalid(
            Reason(
                "comment-needed", f"{checked.alert.text} Say why in a comment, or mend the value.", f"{field}.comment"
            )
        )
    return Reading(
        step_id=step.key,
        parameter=entry.parameter,
        entered_value=checked.text,
        entered_unit=checked.unit,
        value=checked.magnitude,
        unit=kind.parameter(entry.parameter).unit,
        alert=checked.alert.text if checked.alert else None,
        beyond_action=True if checked.alert and checked.alert.code == "outside-action-bounds" else None,
        comment=entry.comment,
        happened_at=happened_at,
        recorded_at=work.now,
        late=work.now - happened_at > LATE_AFTER,
        recorded_by=work.actor.person,
        replaces_id=replaces.id if replaces else None,
        reason=reason,
    )


def decided_lots(session: Session, step: Step) -> Iterator[Reason]:
    """Lots of the step, or made of them, on which a decision stands: what they rest on is no longer changed.

    They are locked first, so that none is decided on while the correction is written.
    """
    decided = (LotState.QA_REVIEW, LotState.RELEASED, LotState.RECALLED)
    own = [lot.key for lot in yielded(session, step.key)]
    everything = progeny(session, *own)
    locked = select(Lot).where(col(Lot.id).in_(everything)).order_by(col(Lot.id)).with_for_update()
    for lot in session.exec(locked.execution_options(populate_existing=True)):
        if lot.state not in decided and lot.held_from not in decided:
            continue
        yield Reason(
            "lot-decided",
            f"lot {lot.lot_number} is {lot.state.value} on the strength of this reading; raise it with QA",
            "reading_id",
        )
