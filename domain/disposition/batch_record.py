"""The batch record of a lot: every step from the inputs that QA released by themselves, and all that belongs to it (21 CFR 211.188)."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal

from sqlmodel import Session, col, select

from domain.deviations.models import Deviation, DeviationLot
from domain.disposition.not_normal import not_normal
from domain.disposition.queries import LotFile, StepView, lot_file, steps_shown
from domain.equipment.models import Equipment, EventKind
from domain.equipment.register import events_of
from domain.lots.models import INPUT_KINDS, Consumption, Lot, LotKind, Yield
from domain.manufacturing.bill import papers_of
from domain.manufacturing.control import HoldClock, hold_clocks, recipe_of
from domain.manufacturing.cycle_logs import CycleView, cycle_shown
from domain.manufacturing.execution_models import EquipmentUse, Execution, ReadingVerification, StartVerification
from domain.manufacturing.models import Reading, Step
from domain.manufacturing.out_of_order import order_said
from domain.manufacturing.recipe_models import Recipe, SamplePoint
from domain.people.models import User
from domain.signatures import Signature, SignatureView
from domain.work import Actor, View


class EquipmentShown(View):
    """Equipment that a step was done with, and how it stood then."""

    code: str
    name: str
    serial: str
    calibration_due: date | None
    maintenance_due: date | None


class StepRecord(View):
    """A step with what its recipe asked for, who verified it, and with what it was done."""

    step: StepView
    recipe_step: str | None
    instruction: str
    clearance: str
    out_of_order: str
    equipment: tuple[EquipmentShown, ...]
    samples: tuple[SamplePoint, ...]
    statements: tuple[str, ...]
    start_verified: str | None
    verified: dict[int, str]
    cycle: CycleView | None = None


class Taken(View):
    """A lot that went in: raw material, bank, donation."""

    lot_number: str
    kind: LotKind
    description: str
    supplier: str | None
    supplier_lot_number: str | None
    expires_on: date | None
    quantity: Decimal
    unit: str
    step: str
    origin: str | None
    reason: str


class DeviationShown(View):
    """A deviation that touches the lot or one of its steps."""

    number: str
    code: str
    text: str
    severity: str
    opened_at: datetime
    opened_by: str
    step: str | None


class BatchRecord(View):
    """Everything about how a lot was made."""

    file: LotFile
    recipe: str | None
    steps: tuple[StepRecord, ...]
    materials: tuple[Taken, ...]
    deviations: tuple[DeviationShown, ...]
    clocks: tuple[HoldClock, ...]
    people: tuple[tuple[str, str], ...]
    signatures: tuple[tuple[str, SignatureView], ...]
    odd: tuple[tuple[str, str], ...]


def batch_record(session: Session, lot_number: str, now: datetime, today: date, actor: Actor) -> BatchRecord:
    """How a lot was made. Raises NotFound."""
    file = lot_file(session, lot_number, now, today, actor)
    lot = session.exec(select(Lot).where(Lot.lot_number == lot_number)).one()
    steps, lot_ids = _way(session, lot)
    shown = steps_shown(session, steps)
    names = dict(session.exec(select(User.id, User.name)).all())
    recipe = recipe_of(session, lot.key)
    records = tuple(_step_record(session, step, view, names) for step, view in zip(steps, shown, strict=True))
    deviations = tuple(_deviations(session, lot_ids, [step.key for step in steps], names))
    clocks, taken = hold_clocks(session, [lot.key], now), _materials(session, steps)
    odd = [
        *((f"{one.number} ({one.severity})", one.text) for one in deviations),
        *(
            (f"Hold time {one.after} to {one.before}", "over" if one.stopped_at else "over, and still running")
            for one in clocks
            if one.over
        ),
        *((one.step.number, f"out of order: {one.out_of_order}") for one in records if one.out_of_order),
        *((f"Material {one.lot_number}", one.reason) for one in taken if one.reason),
        *(odd for one in records if one.cycle for odd in _odd_cycle(one.step, one.cycle)),
        *not_normal(file, shown),
    ]
    return BatchRecord(
        file=file,
        recipe=recipe.label if recipe else None,
        steps=records,
        materials=tuple(taken),
        deviations=deviations,
        clocks=tuple(clocks),
        people=tuple(_people(records)),
        signatures=tuple(_signatures(session, lot, steps)),
        odd=tuple(dict.fromkeys(odd)),
    )


#: How far the highest product temperature as typed may be from what the file shows, in °C.
READ_OFF = Decimal(1)


def _odd_cycle(shown: StepView, cycle: CycleView) -> Iterable[tuple[str, str]]:
    """Limits that the trend of a cycle left, what is odd about its file, and where what was typed is not what it shows."""
    step, warmest = shown.number, cycle.content.warmest
    for one in shown.readings:
        highest = one.parameter == "product_temperature_max_primary" and not one.replaced and one.value is not None
        if highest and warmest is not None and abs(Decimal(f"{warmest:.2f}") - (one.value or 0)) > READ_OFF:
            text = (
                f"the step records {one.value} Cel as the highest product temperature, the file shows {warmest:.1f} Cel"
            )
            yield f"Cycle of {step}", text
    said = f"; comment: {cycle.comment}" if cycle.comment else ""
    for told in (*(one.said() for one in cycle.content.excursions), *cycle.content.flags):
        yield f"Cycle of {step}", f"{told}{said}"
    if cycle.reason:
        yield f"Cycle of {step}", f"the file replaces another: {cycle.reason}"


def _way(session: Session, lot: Lot) -> tuple[list[Step], set[int]]:
    """The steps from the released inputs to the lot, in order of the start, and the lots that they gave."""
    steps: dict[int, Step] = {}
    made, waiting = {lot.key}, {lot.key}
    while waiting:
        found = session.exec(select(Step).join(Yield).where(col(Yield.lot_id).in_(waiting))).all()
        new = {step.key: step for step in found if step.key not in steps}
        steps |= new
        parents = select(Lot).join(Consumption, col(Consumption.lot_id) == Lot.id)
        before = session.exec(parents.where(col(Consumption.step_id).in_(new)).distinct()).all()
        waiting = {one.key for one in before if one.kind not in INPUT_KINDS} - made
        made |= waiting
    return sorted(steps.values(), key=lambda one: (one.started_at, one.key)), made


def _step_record(session: Session, step: Step, view: StepView, names: dict[int | None, str]) -> StepRecord:
    execution = session.exec(select(Execution).where(Execution.step_id == step.id)).first()
    said = session.get_one(Recipe, execution.recipe_id).said if execution else None
    planned = said.step(execution.step_key) if said and execution and execution.step_key else None
    seen = session.exec(select(StartVerification).where(StartVerification.step_id == step.id)).first()
    checked = session.exec(
        select(ReadingVerification)
        .join(Reading, col(Reading.id) == ReadingVerification.reading_id)
        .where(Reading.step_id == step.id)
    )
    return StepRecord(
        step=view,
        recipe_step=execution.step_key if execution else None,
        instruction=planned.instruction if planned else "",
        clearance=execution.clearance if execution else "",
        out_of_order=order_said(session, execution),
        equipment=tuple(_equipment(session, step)),
        samples=planned.samples if planned else (),
        statements=planned.statements if planned else (),
        start_verified=names[seen.verified_by] if seen else None,
        verified={one.reading_id: names[one.verified_by] for one in checked},
        cycle=cycle_shown(session, step.key) if step.kind == "lyophilization" else None,
    )


def _equipment(session: Session, step: Step) -> Iterable[EquipmentShown]:
    found = select(Equipment).join(EquipmentUse, col(EquipmentUse.equipment_id) == Equipment.id)
    for one in session.exec(found.where(EquipmentUse.step_id == step.id).order_by(Equipment.code)).all():
        due = {
            event.kind: event.next_due for event in events_of(session, one.key) if event.happened_at <= step.started_at
        }
        yield EquipmentShown(
            code=one.code,
            name=one.name,
            serial=one.serial,
            calibration_due=due.get(EventKind.CALIBRATION),
            maintenance_due=due.get(EventKind.MAINTENANCE),
        )


def _materials(session: Session, steps: Sequence[Step]) -> list[Taken]:
    rows = session.exec(
        select(Consumption, Lot, Step)
        .join(Lot, col(Consumption.lot_id) == Lot.id)
        .join(Step, col(Consumption.step_id) == Step.id)
        .where(col(Consumption.step_id).in_([step.key for step in steps]), col(Lot.kind).in_(INPUT_KINDS))
        .order_by(col(Step.started_at), col(Lot.lot_number))
    ).all()
    facts = ("lot_number", "kind", "description", "supplier", "supplier_lot_number", "expires_on", "unit")
    taken = []
    for one, lot, step in rows:
        papers = papers_of(session, lot.key)
        taken.append(
            Taken(
                **{name: getattr(lot, name) for name in facts},
                quantity=one.quantity,
                step=step.number,
                origin=papers.origin.value if papers else None,
                reason=one.reason or "",
            )
        )
    return taken


def _deviations(
    session: Session, lot_ids: set[int], step_ids: Sequence[int], names: dict[int | None, str]
) -> Iterable[DeviationShown]:
    touching = select(DeviationLot.deviation_id).where(col(DeviationLot.lot_id).in_(lot_ids))
    found = (
        select(Deviation, Step.number)
        .outerjoin(Step, col(Deviation.step_id) == Step.id)
        .where(col(Deviation.step_id).in_(step_ids) | col(Deviation.id).in_(touching))
        .order_by(col(Deviation.id))
    )
    for one, number in session.exec(found).all():
        yield DeviationShown(
            number=one.number,
            code=one.code,
            text=one.text,
            severity=one.severity.value,
            opened_at=one.opened_at,
            opened_by=names[one.opened_by] if one.opened_by else "by itself",
            step=number,
        )


def _people(records: Sequence[StepRecord]) -> Iterable[tuple[str, str]]:
    """Who did what, each name once."""
    did: dict[str, dict[str, None]] = {}
    for one in records:
        did.setdefault(one.step.started_by, {})["started steps"] = None
        if one.step.completed_by:
            did.setdefault(one.step.completed_by, {})["completed steps"] = None
        for reading in one.step.readings:
            did.setdefault(reading.recorded_by, {})["recorded"] = None
        for name in filter(None, (one.start_verified, *one.verified.values())):
            did.setdefault(name, {})["verified"] = None
    return ((name, ", ".join(parts)) for name, parts in did.items())


def _signatures(session: Session, lot: Lot, steps: Sequence[Step]) -> Iterable[tuple[str, SignatureView]]:
    """Signatures on the steps and on the lot, oldest first, each with what it is on."""
    numbers = {step.key: f"Step {step.number}" for step in steps}
    found = select(Signature).where(
        ((col(Signature.record) == "step") & col(Signature.record_id).in_(numbers))
        | ((col(Signature.record) == "lot") & (col(Signature.record_id) == lot.key))
    )
    for one in session.exec(found.order_by(col(Signature.signed_at), col(Signature.id))):
        about = numbers[one.record_id] if one.record == "step" else f"Lot {lot.lot_number}"
        yield about, SignatureView.model_validate(one)
