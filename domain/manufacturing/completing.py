"""The end of a step under its recipe: what was left out, does not balance, was lost or gained, or fell due meanwhile."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from pydantic import Field
from sqlmodel import Session, col, select

from domain.deviations.models import DeviationOrigin, Severity
from domain.equipment import register
from domain.equipment.models import Equipment
from domain.errors import DomainError, Reason
from domain.lots.models import Consumption, Lot, LotKind
from domain.lots.operations import Amount, magnitude, positive
from domain.manufacturing.catalogue import StepKind
from domain.manufacturing.checks import unbalanced
from domain.manufacturing.departures import Departure, depart
from domain.manufacturing.executing import governed_step, is_governed
from domain.manufacturing.execution_models import EquipmentLapse, EquipmentUse, StartVerification
from domain.manufacturing.recipe_models import ExpectedYield
from domain.work import Command, Work


class Explained(Command):
    """Why a parameter was not recorded, or why counts do not balance."""

    parameter: str = Field(max_length=60)
    reason: str = Field(min_length=3, max_length=1000)


def unverified_start(session: Session, step_id: int, number: str) -> Iterator[Reason]:
    """A step under a recipe ends only when a second person has seen its start."""
    seen = select(StartVerification.id).where(StartVerification.step_id == step_id)
    if is_governed(session, step_id) and session.exec(seen).first() is None:
        text = f"a second person must verify the start of step {number}: materials, lots, amounts, clearance, equipment"
        yield Reason("start-not-verified", text, "step_number")


def missing_readings(
    session: Session, step_id: int, kind: StepKind, values: Mapping[str, object], left_out: Sequence[Explained]
) -> tuple[list[Reason], list[Departure]]:
    """What must be recorded and is not: reasons against the end; departures, where a recipe governs and each is explained."""
    missing = {reason.field: reason for reason in kind.missing(values)}
    explained = {one.parameter: one.reason for one in left_out} if is_governed(session, step_id) else {}
    stands = [reason for field, reason in missing.items() if field not in explained]
    departures = [
        Departure(
            DeviationOrigin.MISSING_READING,
            "reading-missing",
            f"{reason.text} {explained[field]}",
            Severity.MAJOR if kind.parameter(str(field)).critical else Severity.MINOR,
        )
        for field, reason in missing.items()
        if field in explained
    ]
    stray = [one.parameter for one in left_out if one.parameter not in missing]
    stands += [Reason("not-left-out", f"{code} is recorded, or need not be", "left_out") for code in stray]
    return stands, departures


def differences(
    kind: str, values: Mapping[str, Decimal | str], explanations: Sequence[Explained]
) -> tuple[list[Reason], list[Departure]]:
    """Counts that do not balance: reasons against the end, or departures where the difference is explained (21 CFR 211.125)."""
    explained = {one.parameter: one.reason for one in explanations}
    found = unbalanced(kind, values)
    stands = [reason for reason in found if reason.field not in explained]
    departures = [
        Departure(
            DeviationOrigin.RECONCILIATION,
            reason.code,
            f"{reason.text} {explained[reason.field or '']}",
            Severity.MAJOR,
        )
        for reason in found
        if reason.field in explained
    ]
    stray = set(explained) - {reason.field for reason in found}
    stands += [Reason("nothing-to-explain", f"{code} balances", "explanations") for code in sorted(stray)]
    return stands, departures


def yield_departures(
    session: Session, step_id: int, outputs: Sequence[tuple[Amount, Lot]], taken: Sequence[tuple[Consumption, Lot]]
) -> Iterator[Departure]:
    """A yield outside the range that the recipe expects, or one that cannot be told."""
    found = governed_step(session, step_id)
    if found is None or found[1].expected_yield is None:
        return
    expected, key = found[1].expected_yield, found[1].key
    try:
        percent = _percent(expected, outputs, taken)
    except DomainError as fault:
        yield Departure(DeviationOrigin.YIELD, "yield-not-told", f"The yield of {key} cannot be told: {fault}.")
        return
    if not Decimal(expected.low) <= percent <= Decimal(expected.high):
        text = f"The yield of {key} is {percent:.1f} %; {expected.low} to {expected.high} % are expected."
        yield Departure(DeviationOrigin.YIELD, "yield-out-of-range", text)


def _percent(
    expected: ExpectedYield, outputs: Sequence[tuple[Amount, Lot]], taken: Sequence[tuple[Consumption, Lot]]
) -> Decimal:
    unit = outputs[0][1].unit
    made = sum((positive(given, unit, "outputs.quantity") for given, _ in outputs), Decimal(0))
    if expected.theoretical is not None:
        return made * 100 / magnitude(expected.theoretical, unit, "theoretical")
    worked = [(one, lot) for one, lot in taken if lot.kind is not LotKind.RAW_MATERIAL]
    whole = sum(
        (magnitude(Amount(value=format(one.quantity, "f"), unit=lot.unit), unit, "inputs") for one, lot in worked),
        Decimal(0),
    )
    return made * 100 / whole if whole else Decimal(0)


def lapsed_equipment(work: Work, step_id: int, at: datetime) -> tuple[list[tuple[Equipment, Departure]], set[int]]:
    """Equipment that fell due, or out of service, while the step ran; and the deviations of exceptions that cover it."""
    departures, used = list[tuple[Equipment, Departure]](), set[int]()
    on = work.site.today(at)
    found = select(Equipment).join(EquipmentUse, col(EquipmentUse.equipment_id) == Equipment.id)
    for one in work.session.exec(found.where(EquipmentUse.step_id == step_id)).all():
        reasons = list(register.unfit(work.session, one, at, on))
        excepted = register.exception_for(work.session, one.key, on) if reasons else None
        if excepted is not None:
            used.add(excepted.deviation_id)
        elif reasons:
            text = "; ".join(reason.text for reason in reasons) + ", and the step ended then."
            departures.append((one, Departure(DeviationOrigin.EQUIPMENT, reasons[0].code, text, Severity.MAJOR)))
    return departures, used


def lapsed(
    work: Work, step_id: int, found: Sequence[tuple[Equipment, Departure]], lots: Sequence[Lot], at: datetime
) -> None:
    """Open a deviation for each lapse, and keep that QA has to sign an exception before a release."""
    for equipment, departure in found:
        (deviation,) = depart(work, step_id, [departure], lots, at)
        work.add(
            EquipmentLapse(
                step_id=step_id,
                equipment_id=equipment.key,
                on=work.site.today(at),
                text=departure.text,
                deviation_id=deviation.key,
            )
        )
