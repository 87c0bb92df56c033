"""Starting a step: what it takes, what it will give, and what stands against that."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal

from sqlmodel import Session, col, select

from domain.errors import Invalid, NotFound, Reason, Refused, refuse_if_any
from domain.lots.genealogy import lineage
from domain.lots.models import Lot, LotKind, Product, Yield
from domain.lots.numbers import count_in
from domain.lots.operations import consume, lots_named, new_lot, positive
from domain.manufacturing.bill import Taken
from domain.manufacturing.catalogue import StepKind, step_kind
from domain.manufacturing.checks import cross_check
from domain.manufacturing.donors import donor_named, eligibility_of
from domain.manufacturing.executing import plan_start, started
from domain.manufacturing.models import Donation, Donor, Eligibility, Step
from domain.manufacturing.readings import CLOCK_SKEW, LATE_AFTER, record, when_happened
from domain.manufacturing.step_commands import StartStep
from domain.permissions import Permission
from domain.quantities import parse_decimal, unit_of
from domain.work import Work, operation

SHARE_TOLERANCE = Decimal("0.1")


@operation(Permission.RUN_STEP)
def start_step(work: Work, command: StartStep) -> Step:
    """Takes what the step consumes, and mints the numbers of the lots it will yield."""
    kind = step_kind(command.kind)
    started_at = when_happened(work, command.started_at, "started_at")
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
    all_ids = lineage(session, *lot_ids)
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


#: Lots of vials, and the reading that counts what a step of each kind hands on.
VIALS = (LotKind.FILLED_VIALS, LotKind.LYOPHILIZED_VIALS, LotKind.DRUG_PRODUCT)
