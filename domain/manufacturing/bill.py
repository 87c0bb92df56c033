"""The bill of materials at the start of a step: nothing that is not on it, the right amounts, papers complete, first expired first out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlmodel import Session, col, select

from domain.deviations.models import DeviationOrigin
from domain.errors import DomainError, Reason
from domain.lots.models import Lot, LotKind, LotState
from domain.lots.operations import Amount, positive
from domain.manufacturing.departures import Departure
from domain.manufacturing.execution_models import MaterialPapers
from domain.manufacturing.recipe_models import BillLine, RecipeStep
from domain.quantities import format_decimal


@dataclass(frozen=True, slots=True)
class Taken:
    """What a start takes of a lot, and why not of the one that expires first."""

    lot: Lot
    quantity: Amount
    reason: str = ""


def papers_of(session: Session, lot_id: int) -> MaterialPapers | None:
    """The papers that count: the newest."""
    found = select(MaterialPapers).where(MaterialPapers.lot_id == lot_id).order_by(col(MaterialPapers.id).desc())
    return session.exec(found.limit(1)).first()


def expiring_sooner(session: Session, lot: Lot, today: date) -> list[Lot]:
    """Released lots of the same material with something left that expire earlier: first expired, first out."""
    if lot.expires_on is None:
        return []
    found = (
        select(Lot)
        .where(Lot.kind == LotKind.RAW_MATERIAL, Lot.state == LotState.RELEASED, Lot.id != lot.id)
        .where(col(Lot.expires_on) >= today, col(Lot.expires_on) < lot.expires_on)
        .order_by(col(Lot.expires_on), col(Lot.id))
    )
    name = lot.description.casefold()
    return [one for one in session.exec(found) if one.description.casefold() == name and one.quantity_left]


def first_to_expire(session: Session, material: str, today: date) -> list[Lot]:
    """Usable lots of a material (its description or specification code), the one to take first at the head."""
    found = (
        select(Lot)
        .where(Lot.kind == LotKind.RAW_MATERIAL, Lot.state == LotState.RELEASED, col(Lot.expires_on) >= today)
        .order_by(col(Lot.expires_on), col(Lot.id))
    )
    return [one for one in session.exec(found) if one.quantity_left and _is(session, one, material)]


def stray_materials(session: Session, step: RecipeStep, taken: Sequence[Taken]) -> Iterator[Reason]:
    """A material that the recipe does not name is a mix-up (21 CFR 211.101)."""
    for one in _materials(taken):
        if _line_of(session, step, one.lot) is None:
            text = f"lot {one.lot.lot_number} ({one.lot.description}) is not on the bill of materials of {step.key}"
            yield Reason("material-not-in-recipe", text, "inputs")


def unfit_materials(session: Session, taken: Sequence[Taken], today: date) -> Iterator[Reason]:
    """Papers that are missing, and a lot taken before one that expires sooner without saying why."""
    named = {one.lot.key for one in taken}
    for one in _materials(taken):
        if papers_of(session, one.lot.key) is None:
            text = f"the supplier's certificate and the statement on animal origin of lot {one.lot.lot_number} are not filed"
            yield Reason("material-papers-missing", text, "inputs")
        sooner = [lot for lot in expiring_sooner(session, one.lot, today) if lot.key not in named]
        if sooner and not one.reason:
            text = (
                f"lot {sooner[0].lot_number} of the same material expires first, on {sooner[0].expires_on};"
                f" taking {one.lot.lot_number} needs a reason"
            )
            yield Reason("not-first-expired", text, "inputs")


def bill_departures(session: Session, step: RecipeStep, taken: Sequence[Taken]) -> Iterator[Departure]:
    """Materials that are missing, and amounts that are off by more than the tolerance."""
    for line in step.materials:
        found = [one for one in _materials(taken) if _line_of(session, step, one.lot) == line]
        if not found:
            text = f"{line.material} was not taken; the recipe asks for {line.quantity.value} {line.quantity.unit}."
            yield Departure(DeviationOrigin.MATERIAL, "material-missing", text)
            continue
        yield from _off(line, found)


def _off(line: BillLine, found: Sequence[Taken]) -> Iterator[Departure]:
    unit = line.quantity.unit
    wanted, tolerance = positive(line.quantity, unit, "quantity"), Decimal(line.tolerance)
    try:
        total = sum((positive(one.quantity, unit, "inputs.quantity") for one in found), Decimal(0))
    except DomainError as fault:
        text = f"{line.material}: what was taken cannot be compared with {line.quantity.value} {unit} ({fault})."
        yield Departure(DeviationOrigin.MATERIAL, "material-amount-off", text)
        return
    if abs(total - wanted) * 100 > tolerance * wanted:
        text = (
            f"{line.material}: {format_decimal(total)} {unit} were taken;"
            f" the recipe asks for {line.quantity.value} {unit} ± {line.tolerance} %."
        )
        yield Departure(DeviationOrigin.MATERIAL, "material-amount-off", text)


def _materials(taken: Sequence[Taken]) -> list[Taken]:
    return [one for one in taken if one.lot.kind is LotKind.RAW_MATERIAL]


def _line_of(session: Session, step: RecipeStep, lot: Lot) -> BillLine | None:
    return next((line for line in step.materials if _is(session, lot, line.material)), None)


def _is(session: Session, lot: Lot, material: str) -> bool:
    if lot.description.casefold() == material.casefold():
        return True
    papers = papers_of(session, lot.key)
    return papers is not None and papers.specification_code != "" and papers.specification_code == material
