"""The end of a step: everything recorded, every lot measured and dated, what departs explained."""

import calendar
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

from sqlmodel import Session, col, select

from domain.errors import Invalid, Reason, Refused, refuse_if_any
from domain.lots import lifecycle
from domain.lots.models import Consumption, Lot, Product
from domain.lots.operations import measured, positive
from domain.manufacturing.catalogue import StepKind, step_kind
from domain.manufacturing.checks import cross_alerts, cross_check
from domain.manufacturing.completing import (
    differences,
    lapsed,
    lapsed_equipment,
    missing_readings,
    unverified_start,
    yield_departures,
)
from domain.manufacturing.departures import Departure, demand_comment, depart, touched
from domain.manufacturing.executing import kind_on, refuse_untrained
from domain.manufacturing.models import Step
from domain.manufacturing.readings import consumed, current_values, record, when_happened, why_not_open, yielded
from domain.manufacturing.step_commands import CompleteStep, Measured
from domain.manufacturing.steps import VIALS
from domain.permissions import Permission
from domain.quantities import format_decimal
from domain.work import Work, operation


@operation(Permission.RUN_STEP)
def complete_step(work: Work, command: CompleteStep) -> Step:
    """Refuses with all that is missing; then the lots are measured, dated, and go into quarantine."""
    step = _open_step(work, command.step_number)
    refuse_untrained(work, step.key, step.kind)
    kind = kind_on(work.session, step.key, step_kind(step.kind))
    ended_at = when_happened(work, command.ended_at, "ended_at")
    if ended_at < step.started_at:
        raise Invalid(
            Reason(
                "times-reversed",
                f"the step started at {step.started_at:%Y-%m-%d %H:%M} UTC, after that end",
                "ended_at",
            )
        )
    record(work, step, kind, command.readings, balanced=False)
    values = current_values(work.session, step.key)
    lots = {lot.lot_number: lot for lot in yielded(work.session, step.key)}
    departures = _ending(work, step, kind, command, values, lots)
    departed = _departing(work, step, command, lots, ended_at)
    if (unusual := cross_alerts(kind.code, values)) and not command.comment:
        told = (Reason("comment-needed", f"{reason.text} Say why in a comment.", "comment") for reason in unusual)
        raise Invalid(*told)
    depart(work, step.key, (*departures, *departed), list(lots.values()), ended_at)
    step.ended_at, step.end_recorded_at, step.completed_by = ended_at, work.now, work.actor.user_id
    step.comment = "\n".join(filter(None, (step.comment, command.comment)))
    parents = consumed(work.session, step.key)
    for output in command.outputs:
        _finish(work, step, kind, lots[output.lot_number], output, parents)
    return step


def _ending(
    work: Work,
    step: Step,
    kind: StepKind,
    command: CompleteStep,
    values: Mapping[str, Decimal | str],
    lots: Mapping[str, Lot],
) -> list[Departure]:
    """What was left out or does not balance, and is explained. Raises Refused with all that stands against the end."""
    missing, left_out = missing_readings(work.session, step.key, kind, values, command.left_out)
    uneven, explained = differences(kind.code, values, command.explanations)
    refuse_if_any(
        (
            *unverified_start(work.session, step.key, step.number),
            *missing,
            *uneven,
            *cross_check(kind.code, values, balanced=False),
            *_unmatched(lots, command.outputs),
        )
    )
    refuse_if_any(_more_than_there_was(work.session, step, values, lots, command.outputs))
    return [*left_out, *explained]


def _departing(
    work: Work, step: Step, command: CompleteStep, lots: Mapping[str, Lot], ended_at: datetime
) -> list[Departure]:
    """A yield out of its range, and equipment that fell due meanwhile. Raises Invalid without a comment."""
    outputs = [(one.quantity, lots[one.lot_number]) for one in command.outputs]
    taken = work.session.exec(select(Consumption, Lot).join(Lot).where(Consumption.step_id == step.id)).all()
    unfit, excepted = lapsed_equipment(work, step.key, ended_at)
    departures = list(yield_departures(work.session, step.key, outputs, list(taken)))
    demand_comment(command.comment, (*departures, *(departure for _, departure in unfit)))
    touched(work, excepted, list(lots.values()))
    lapsed(work, step.key, unfit, list(lots.values()), ended_at)
    return departures


def _open_step(work: Work, number: str) -> Step:
    step = work.session.exec(select(Step).where(Step.number == number).with_for_update()).first()
    if step is None or step.ended_at is not None:
        raise why_not_open(number, step is not None)
    return step


def _unmatched(lots: Mapping[str, Lot], outputs: Sequence[Measured]) -> Iterator[Reason]:
    named = [output.lot_number for output in outputs]
    for number in lots.keys() - set(named):
        yield Reason(
            "output-missing", f"lot {number} is not measured; a step is complete when all it yields is", "outputs"
        )
    for number in set(named) - lots.keys():
        yield Reason("output-unknown", f"lot {number} is not yielded by this step", "outputs")
    if len(set(named)) != len(named):
        yield Reason("lot-twice", "a lot is measured twice", "outputs")


HANDED_ON = {"fill": "vials_loaded", "packaging": "vials_accepted"}


def _more_than_there_was(
    session: Session,
    step: Step,
    values: Mapping[str, Decimal | str],
    lots: Mapping[str, Lot],
    outputs: Sequence[Measured],
) -> Iterator[Reason]:
    """Vials do not multiply: a step gives no more than it took, and no more than was counted (21 CFR 211.103)."""
    named = [(one.quantity, lots[one.lot_number]) for one in outputs]
    counted = [positive(given, lot.unit, "outputs.quantity") for given, lot in named if lot.kind in VIALS]
    if not counted:
        return
    made = sum(counted, Decimal(0))
    vials = select(col(Consumption.quantity)).join(Lot).where(col(Lot.kind).in_(VIALS))
    taken = session.exec(vials.where(Consumption.step_id == step.id)).all()
    bounds: list[tuple[Decimal | str | None, str]] = [
        (sum(taken, Decimal(0)) if taken else None, "were taken"),
        (values.get(HANDED_ON.get(step.kind, "")), f"were counted ({HANDED_ON.get(step.kind)})"),
    ]
    for most, said in bounds:
        if isinstance(most, Decimal) and made > most:
            text = f"{format_decimal(made)} vials cannot come out of a step where {format_decimal(most)} {said}"
            yield Reason("more-than-taken", text, "outputs.quantity")


def _finish(work: Work, step: Step, kind: StepKind, lot: Lot, output: Measured, parents: Sequence[Lot]) -> None:
    assert step.ended_at is not None
    made_on = work.site.today(step.ended_at)
    carried = [parent for parent in parents if parent.kind in kind.expiry.not_after_parent]
    inherits = kind.expiry.product_shelf_life and carried
    lot.manufactured_on = min(parent.manufactured_on or made_on for parent in carried) if inherits else made_on
    latest = _latest_expiry(work, kind, lot, step, carried, made_on)
    if output.expires_on is not None and latest is not None and output.expires_on > latest:
        said = f"lot {lot.lot_number} may expire on {latest} at the latest"
        text = f"{said} ({kind.expiry.source}), not on {output.expires_on}"
        raise Refused(Reason("expiry-too-late", text, "outputs.expires_on"))
    if output.expires_on is not None and output.expires_on < made_on:
        raise Invalid(
            Reason("expiry-too-early", f"lot {lot.lot_number} cannot expire before it was made", "outputs.expires_on")
        )
    lot.expires_on = output.expires_on or latest
    measured(work, lot, positive(output.quantity, lot.unit, "outputs.quantity"))
    lifecycle.move(work, lot, "finish")


def _latest_expiry(
    work: Work, kind: StepKind, lot: Lot, step: Step, carried: Sequence[Lot], made_on: date
) -> date | None:
    """The latest date the step's rule allows; None where lots of that kind have none."""
    bounds = [parent.expires_on for parent in carried if parent.expires_on is not None]
    if kind.expiry.max_days is not None:
        bounds.append(made_on + timedelta(days=kind.expiry.max_days))
    if kind.expiry.product_shelf_life:
        product = work.session.get_one(Product, step.product_id)
        assert lot.manufactured_on is not None
        bounds.append(add_months(lot.manufactured_on, product.shelf_life_months))
    return min(bounds, default=None)


def add_months(start: date, months: int) -> date:
    """The same day so many months later; the last day of the month where that day does not exist."""
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    return date(year, month + 1, min(start.day, calendar.monthrange(year, month + 1)[1]))
