"""Acts on steps: start (consume), log readings, correct them, complete (yield)."""

import calendar
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Protocol, cast

import sqlalchemy as sa
from pydantic import AwareDatetime, Field
from sqlmodel import Session, col, select

from domain.deviations.models import DeviationOrigin, Severity
from domain.errors import Conflict, DomainError, Invalid, NotFound, Reason, Refused, refuse_if_any
from domain.lots import lifecycle
from domain.lots.genealogy import ancestor_ids, descendant_ids
from domain.lots.models import Consumption, Lot, LotKind, LotState, Product, Yield
from domain.lots.numbers import count_in
from domain.lots.operations import Amount, consume, lots_named, measured, new_lot, positive
from domain.manufacturing.bill import Taken
from domain.manufacturing.catalogue import StepKind, step_kind
from domain.manufacturing.checks import cross_alerts, cross_check, unbalanced
from domain.manufacturing.completing import (
    Explained,
    differences,
    lapsed,
    lapsed_equipment,
    missing_readings,
    unverified_start,
    yield_departures,
)
from domain.manufacturing.departures import Departure, demand_comment, depart, touched
from domain.manufacturing.donors import donor_named, eligibility_of
from domain.manufacturing.executing import is_governed, kind_on, plan_start, refuse_untrained, started
from domain.manufacturing.models import Donation, Donor, Eligibility, Reading, Step
from domain.permissions import Permission
from domain.quantities import UnitCode, format_decimal, parse_decimal, unit_of
from domain.signatures import Credentials
from domain.store import Prepared
from domain.work import Command, Work, operation

#: An entry recorded later than this after it happened is marked late (ALCOA: contemporaneous).
LATE_AFTER = timedelta(hours=1)
#: How far a bench clock may run ahead of the server's.
CLOCK_SKEW = timedelta(minutes=5)
SHARE_TOLERANCE = Decimal("0.1")

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


class Input(Command):
    """What a step takes of a lot; `share` in percent, only when pooling."""

    lot_number: str = Field(max_length=20)
    quantity: Amount
    share: str | None = Field(default=None, max_length=20, examples=["50.0"])
    reason: str = Field(default="", max_length=500, description="why not the lot of that material which expires first")


class Output(Command):
    """A lot that the step will yield; its number is minted when the step starts, its quantity measured when it ends."""

    kind: LotKind
    unit: UnitCode = Field(max_length=30, examples=["mL"])
    description: str = Field(default="", max_length=300)


class Entry(Command):
    """One value as typed. `happened_at` when it was read off (default: now); an alert value needs a comment."""

    parameter: str = Field(max_length=60)
    value: str = Field(max_length=600)
    unit: UnitCode | None = Field(default=None, max_length=30)
    happened_at: AwareDatetime | None = None
    comment: str = Field(default="", max_length=1000)


class StartStep(Command):
    """Begin a step: what it takes, what it will yield, and readings that are known already."""

    kind: str
    started_at: AwareDatetime | None = None
    location: str = Field(min_length=1, max_length=100, examples=["Clean room B2"])
    equipment: str = Field(default="", max_length=300)
    comment: str = Field(default="", max_length=1000)
    product_code: str | None = None
    donor: str | None = Field(default=None, description="pseudonym; needed for a procurement, and only there")
    equipment_codes: tuple[str, ...] = Field(
        default=(), max_length=30, description="devices and rooms of the equipment register"
    )
    clearance: str = Field(
        default="", max_length=1000, description="what was seen of room and line; needed under a recipe"
    )
    recipe_step: str | None = Field(default=None, description="which step of the recipe; default: the next of its kind")
    out_of_order_reason: str = Field(default="", max_length=1000)
    second_person: Credentials | None = Field(
        default=None, description="who agrees that the step is out of order, with both components; needed then"
    )
    inputs: tuple[Input, ...] = Field(default=(), max_length=200)
    outputs: tuple[Output, ...] = Field(min_length=1, max_length=50)
    readings: tuple[Entry, ...] = Field(default=(), max_length=200)


class LogReading(Command):
    """Record one value on an open step."""

    step_number: str
    entry: Entry


class CorrectReading(Command):
    """Replace a reading by a new one, with the reason; the old one stays on record."""

    reading_id: int
    value: str = Field(max_length=600)
    unit: UnitCode | None = Field(default=None, max_length=30)
    comment: str = Field(default="", max_length=1000)
    reason: str = Field(min_length=3, max_length=1000)


class Measured(Command):
    """What came out: the quantity of a lot of the step, and its expiry if earlier than the rule allows."""

    lot_number: str
    quantity: Amount
    expires_on: date | None = None


class CompleteStep(Command):
    """End a step: every lot it yields is measured, what must be recorded is recorded, and nothing more can be."""

    step_number: str
    ended_at: AwareDatetime | None = None
    outputs: tuple[Measured, ...] = Field(min_length=1, max_length=50)
    readings: tuple[Entry, ...] = Field(default=(), max_length=200)
    comment: str = Field(default="", max_length=1000)
    left_out: tuple[Explained, ...] = Field(
        default=(), max_length=50, description="under a recipe: what was not recorded, and why; a deviation opens"
    )
    explanations: tuple[Explained, ...] = Field(
        default=(), max_length=10, description="counts that do not balance, by their whole, and why; a deviation opens"
    )


@operation(Permission.RUN_STEP)
def start_step(work: Work, command: StartStep) -> Step:
    """Takes what the step consumes, and mints the numbers of the lots it will yield."""
    kind = step_kind(command.kind)
    started_at = _happened(work, command.started_at, "started_at")
    lots = lots_named(work, (given.lot_number for given in command.inputs))
    product = _product(work, command)
    refuse_if_any(
        (
            *_unfit_inputs(kind, command, lots),
            *_unfit_outputs(kind, command, product),
            *_mixed_up(product, lots.values()),
            *_too_soon(work.session, started_at, lots.values()),
        )
    )
    _refuse_unfit_donors(work, kind, lots.values())
    donor = _donor(work, command)
    taken = [Taken(lots[one.lot_number], one.quantity, one.reason) for one in command.inputs]
    plan = plan_start(work, command, kind, product, taken, started_at)
    step = work.add(
        Step(
            number=f"S-{count_in(work, 'step'):06d}",
            kind=kind.code,
            product_id=product.id if product else None,
            location=command.location,
            equipment=command.equipment,
            comment=command.comment,
            started_at=started_at,
            start_recorded_at=work.now,
            started_by=work.actor.person,
            late=work.now - started_at > LATE_AFTER,
        )
    )
    shares = _shares(kind, command, lots)
    for given in command.inputs:
        consume(work, step.key, lots[given.lot_number], given.quantity, shares.get(given.lot_number), given.reason)
    made = []
    for wanted in command.outputs:
        lot = new_lot(work, wanted.kind, wanted.unit, product=product, description=wanted.description)
        work.add(lot)
        made.append(lot)
        work.add(Yield(step_id=step.key, lot_id=lot.key))
        if donor is not None:
            work.add(Donation(lot_id=lot.key, donor_id=donor.key))
    started(work, step, plan, command, made)
    record(work, step, kind, command.readings)
    return step


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


@operation(Permission.RUN_STEP)
def complete_step(work: Work, command: CompleteStep) -> Step:
    """Refuses with all that is missing; then the lots are measured, dated, and go into quarantine."""
    step = _open_step(work, command.step_number)
    refuse_untrained(work, step.key, step.kind)
    kind = kind_on(work.session, step.key, step_kind(step.kind))
    ended_at = _happened(work, command.ended_at, "ended_at")
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


def _happened(work: Work, said: datetime | None, field: str) -> datetime:
    if said is not None and said > work.now + CLOCK_SKEW:
        raise Invalid(
            Reason(
                "in-the-future",
                f"{said:%Y-%m-%d %H:%M} is in the future; the server's time is {work.now:%Y-%m-%d %H:%M} UTC",
                field,
            )
        )
    return said or work.now


def _open_step(work: Work, number: str) -> Step:
    step = work.session.exec(select(Step).where(Step.number == number).with_for_update()).first()
    if step is None or step.ended_at is not None:
        raise _not_open(number, step is not None)
    return step


def _to_log_on(work: Work, number: str) -> StepFacts:
    """The same, without loading the whole step: readings are what is logged all day."""
    found = _step.rows(work.session.connection(), number=number)
    if not found or found[0].ended_at is not None:
        raise _not_open(number, bool(found))
    return cast(StepFacts, found[0])


def _not_open(number: str, known: bool) -> DomainError:
    if not known:
        return NotFound(Reason("step-not-found", f"there is no step {number!r}", "step_number"))
    return Refused(
        Reason("step-complete", f"step {number} is complete; nothing more can be recorded on it", "step_number")
    )


def _reading(
    work: Work, step: StepFacts, kind: StepKind, entry: Entry, replaces: Reading | None = None, reason: str = ""
) -> Reading:
    field = f"readings.{entry.parameter}"
    happened_at = _happened(work, entry.happened_at, f"{field}.happened_at")
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


def _product(work: Work, command: StartStep) -> Product | None:
    if command.product_code is None:
        return None
    product = work.session.exec(select(Product).where(Product.code == command.product_code)).first()
    if product is None:
        raise NotFound(Reason("product-not-found", f"there is no product {command.product_code!r}", "product_code"))
    return product


def _donor(work: Work, command: StartStep) -> Donor | None:
    if (command.donor is not None) != (command.kind == "procurement"):
        raise Invalid(
            Reason("donor-with-procurement", "a procurement names its donor, and no other step does", "donor")
        )
    if command.donor is None:
        return None
    donor = donor_named(work.session, command.donor)
    if donor.consent_withdrawn_on is not None:
        raise Refused(
            Reason(
                "consent-withdrawn",
                f"donor {donor.pseudonym} withdrew the consent on {donor.consent_withdrawn_on}",
                "donor",
            )
        )
    said = [entry.value for entry in command.readings if entry.parameter == "tissue_source"]
    if said and said[0] != donor.tissue:
        raise Refused(
            Reason(
                "tissue-differs",
                f"donor {donor.pseudonym} gives {donor.tissue.value}, not {said[0]}",
                "readings.tissue_source.value",
            )
        )
    return donor


def _unfit_inputs(kind: StepKind, command: StartStep, lots: Mapping[str, Lot]) -> Iterator[Reason]:
    if len(lots) != len(command.inputs):
        yield Reason("lot-twice", "a lot is named twice; give its quantity once", "inputs")
    for lot in lots.values():
        if lot.kind not in kind.consumes:
            allowed = ", ".join(kind.consumes)
            yield Reason(
                "wrong-kind-of-lot",
                f"{kind.en} does not take {lot.kind.value} ({lot.lot_number}); it takes {allowed}",
                "inputs",
            )
    needed = [code for code in kind.consumes if code is not LotKind.RAW_MATERIAL]
    if needed and not any(lot.kind in needed for lot in lots.values()):
        yield Reason("input-missing", f"{kind.en} needs at least one lot of {', '.join(needed)}", "inputs")


def _unfit_outputs(kind: StepKind, command: StartStep, product: Product | None) -> Iterator[Reason]:
    for wanted in command.outputs:
        unit_of(wanted.unit, "outputs.unit")
        if wanted.kind in VIALS and wanted.unit not in ("{vial}", "{container}"):
            yield Reason(
                "wrong-unit", f"{wanted.kind.value} are counted in {{vial}}, not in {wanted.unit}", "outputs.unit"
            )
        if wanted.kind not in kind.yields:
            yield Reason(
                "wrong-kind-of-lot", f"{kind.en} yields {', '.join(kind.yields)}, not {wanted.kind.value}", "outputs"
            )
    if kind.expiry.product_shelf_life and product is None:
        yield Reason("product-needed", f"{kind.en} needs a product, whose shelf life dates the lot", "product_code")


def _mixed_up(product: Product | None, lots: Iterable[Lot]) -> Iterator[Reason]:
    """What was formulated, filled or dried for one product is never used for another (21 CFR 211.130)."""
    for lot in lots:
        if lot.product_id is not None and (product is None or lot.product_id != product.id):
            other = product.code if product else "no product"
            text = f"lot {lot.lot_number} was made for another product and cannot be used for {other}"
            yield Reason("wrong-product", text, "product_code")


def _too_soon(session: Session, started_at: datetime, lots: Iterable[Lot]) -> Iterator[Reason]:
    """A step cannot have begun before what it takes was there; a late entry tells the true times of both."""
    made = (
        select(Lot.lot_number, Step.ended_at)
        .join(Yield, col(Yield.lot_id) == Lot.id)
        .join(Step, col(Yield.step_id) == Step.id)
        .where(col(Lot.id).in_([lot.key for lot in lots]))
    )
    for number, ended_at in session.exec(made.order_by(Lot.lot_number)):
        if ended_at is not None and started_at < ended_at - CLOCK_SKEW:
            text = f"lot {number} was made at {ended_at:%Y-%m-%d %H:%M} UTC, after that start"
            yield Reason("before-its-inputs", text, "started_at")


def _refuse_unfit_donors(work: Work, kind: StepKind, lots: Iterable[Lot]) -> None:
    """Cells of an ineligible or undecided donor cannot go into a bank (domain.md 1.1); after a withdrawal nothing is made."""
    donors = donors_of(work.session, [lot.key for lot in lots if lot.kind is not LotKind.RAW_MATERIAL])
    refuse_if_any(
        Reason("consent-withdrawn", f"donor {donor.pseudonym} withdrew the consent: nothing more is made", "inputs")
        for donor, _ in donors
        if donor.consent_withdrawn_on is not None
    )
    if kind.code != "banking":
        return
    reasons = []
    for donor, _ in donors:
        if (decision := eligibility_of(work.session, donor.key)) is not Eligibility.ELIGIBLE:
            reasons.append(
                Reason(
                    "donor-not-eligible",
                    f"donor {donor.pseudonym} is {decision.value}: no bank is made of these cells",
                    "inputs",
                )
            )
    refuse_if_any(reasons)


def donors_of(session: Session, lot_ids: Iterable[int]) -> list[tuple[Donor, Lot]]:
    """Every donor whose cells are in these lots, with the donation lot."""
    all_ids = {one for lot_id in lot_ids for one in (lot_id, *ancestor_ids(session, lot_id))}
    found = (
        select(Donor, Lot).join(Donation, col(Donation.donor_id) == Donor.id).join(Lot, col(Donation.lot_id) == Lot.id)
    )
    return [(donor, lot) for donor, lot in session.exec(found.where(col(Donation.lot_id).in_(all_ids)))]


def _shares(kind: StepKind, command: StartStep, lots: Mapping[str, Lot]) -> dict[str, Decimal]:
    """Percent of each sub-lot of a pool: typed, adding up to 100 within 0.1, and telling the same as the quantities."""
    pooled = [
        one
        for one in command.inputs
        if kind.code == "pooling" and lots[one.lot_number].kind is not LotKind.RAW_MATERIAL
    ]
    if not pooled:
        if any(one.share is not None for one in command.inputs):
            raise Invalid(Reason("share-not-allowed", "only a pooling has shares", "inputs.share"))
        return {}
    shares = {one.lot_number: parse_decimal(one.share or "", "inputs.share") for one in pooled}
    refuse_if_any(cross_check("pooling", {}, shares=shares))
    unit = lots[pooled[0].lot_number].unit
    amounts = {one.lot_number: positive(one.quantity, unit, "inputs.quantity") for one in pooled}
    total = sum(amounts.values())
    for number, share in shares.items():
        found = amounts[number] * 100 / total
        if abs(found - share) > SHARE_TOLERANCE:
            raise Refused(
                Reason("share-differs", f"lot {number} gives {found:.2f} % by quantity, not {share} %", "inputs.share")
            )
    return shares


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


#: Lots of vials, and the reading that counts what a step of each kind hands on.
VIALS = (LotKind.FILLED_VIALS, LotKind.LYOPHILIZED_VIALS, LotKind.DRUG_PRODUCT)
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


def decided_lots(session: Session, step: Step) -> Iterator[Reason]:
    """Lots of the step, or made of them, on which a decision stands: what they rest on is no longer changed.

    They are locked first, so that none is decided on while the correction is written.
    """
    decided = (LotState.QA_REVIEW, LotState.RELEASED, LotState.RECALLED)
    own = [lot.key for lot in yielded(session, step.key)]
    everything = {one for lot_id in own for one in (lot_id, *descendant_ids(session, lot_id))}
    locked = select(Lot).where(col(Lot.id).in_(everything)).order_by(col(Lot.id)).with_for_update()
    for lot in session.exec(locked.execution_options(populate_existing=True)):
        if lot.state not in decided and lot.held_from not in decided:
            continue
        yield Reason(
            "lot-decided",
            f"lot {lot.lot_number} is {lot.state.value} on the strength of this reading; raise it with QA",
            "reading_id",
        )
