"""Acts on products and materials, and the two movements of quantity that every room uses."""

from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Context, Decimal
from typing import Any, Literal

from pydantic import Field, field_validator
from sqlmodel import col, select

from domain.claims import refuse_claims
from domain.errors import Conflict, Invalid, NotFound, Reason, Refused, refuse_if_any
from domain.gs1 import require_gtin
from domain.lots.check_codes import new_code
from domain.lots.lifecycle import state_on
from domain.lots.models import (
    RELEASED_BEFORE_USE,
    SERIES,
    Consumption,
    Lot,
    LotKind,
    LotState,
    Product,
    RegulatoryStatus,
    Route,
)
from domain.lots.numbers import next_number
from domain.permissions import Permission
from domain.quantities import Quantity, UnitCode, format_decimal
from domain.work import Command, Work, operation

Text = Field(min_length=1, max_length=300)

#: Units of what is counted; there are no halves of them.
COUNTED = frozenset({"{vial}", "{container}", "{bag}", "{flask}", "{unit}"})

#: Room for every digit that an amount can have, so that nothing taken is lost in rounding.
_EXACT = Context(prec=150)


class Amount(Command):
    """A quantity as typed: a number as text, and a UCUM unit."""

    value: str = Field(examples=["12.5"], max_length=40)
    unit: UnitCode = Field(examples=["mL"], max_length=30)


class DefineProduct(Command):
    """Enter a product. Volumes in mL, storage in Cel, shelf life in months."""

    code: str = Field(pattern=r"^[A-Z0-9][A-Z0-9-]{1,19}$", examples=["AD-EV-100"])
    name_en: str = Text
    name_de: str = Text
    gtin: str | None = Field(default=None, description="GTIN-14 with its check digit", examples=["09521234543213"])
    lot_series: str = Field(
        pattern=r"^[A-Z]{2,6}$", description="what this product's lot numbers begin with", examples=["AEV"]
    )
    form_en: str = Text
    form_de: str = Text
    composition: str = Text
    container: str = Text
    fill_volume: Amount
    reconstitution_volume: Amount
    diluent_en: str = Text
    diluent_de: str = Text
    route: Route
    label_particles: Amount | None = Field(
        default=None, description="particles per vial on the label, {particles}/{vial}"
    )
    shelf_life_months: int = Field(ge=1, le=120)
    storage_low: Amount
    storage_high: Amount
    regulatory_status: RegulatoryStatus
    authorisation: str | None = Field(
        default=None,
        min_length=1,
        max_length=80,
        description="number of the marketing or clinical-trial authorisation, if there is one",
    )
    batch_certificate: bool = Field(default=False, description="a released lot gets a batch certificate too")
    look_up_code: bool = Field(
        default=False, description="the public look-up asks for the check code on the label of each lot"
    )
    release_signatures: Literal[2, 3] = Field(
        default=2, description="3: head of production, head of QC and QA sign for a release; 2: head of QC and QA"
    )
    expiry_extension_months: int | None = Field(
        default=None, ge=1, le=60, description="by how much at most a lot's expiry may be extended; empty: not at all"
    )

    @field_validator("release_signatures", mode="before")
    @classmethod
    def _as_typed(cls, given: object) -> object:
        """A form sends the number as text."""
        return int(given) if isinstance(given, str) and given in ("2", "3") else given


class ReceiveMaterial(Command):
    """Book a raw-material lot in. It is in quarantine until QA accepts it."""

    material: str = Text
    supplier: str = Text
    supplier_lot_number: str = Field(
        min_length=1, max_length=60, description="the supplier's own lot number, as on the container"
    )
    quantity: Amount
    expires_on: date


@operation(Permission.DEFINE_PRODUCT)
def define_product(work: Work, command: DefineProduct) -> Product:
    """Checks the GTIN's check digit, the volumes and the storage range; codes are never reused."""
    facts = product_facts(command)
    reserved = set(SERIES.values())
    if command.lot_series in reserved:
        raise Invalid(
            Reason(
                "lot-series-reserved", f"the series {command.lot_series} is used for other kinds of lots", "lot_series"
            )
        )
    taken = select(Product.id).where(
        (col(Product.code) == command.code)
        | (col(Product.lot_series) == command.lot_series)
        | (col(Product.gtin) == (command.gtin or ""))
    )
    if work.session.exec(taken).first() is not None:
        raise Conflict(Reason("product-exists", "a product has this code, lot series or GTIN already", "code"))
    return work.add(Product(**facts, created_at=work.now))


def product_facts(command: DefineProduct) -> dict[str, Any]:
    """What a product's row holds of what was typed. Raises Invalid for what no product can be."""
    if command.gtin is not None:
        require_gtin(command.gtin)
    printed = ("name_en", "name_de", "form_en", "form_de", "composition", "container", "diluent_en", "diluent_de")
    refuse_claims({name: getattr(command, name) for name in printed})
    low = magnitude(command.storage_low, "Cel", "storage_low")
    high = magnitude(command.storage_high, "Cel", "storage_high")
    if low > high:
        raise Invalid(Reason("range-reversed", "the lower storage temperature is above the upper one", "storage_low"))
    label = command.label_particles
    amounts = {"fill_volume", "reconstitution_volume", "label_particles", "storage_low", "storage_high"}
    return {
        **{name: getattr(command, name) for name in DefineProduct.model_fields if name not in amounts},
        "fill_volume": positive(command.fill_volume, "mL", "fill_volume"),
        "reconstitution_volume": positive(command.reconstitution_volume, "mL", "reconstitution_volume"),
        "label_particles": positive(label, "{particles}/{vial}", "label_particles") if label else None,
        "storage_low": low,
        "storage_high": high,
    }


@operation(Permission.RECEIVE_MATERIAL)
def receive_material(work: Work, command: ReceiveMaterial) -> Lot:
    """The supplier's own lot number and the expiry are mandatory (ICH Q7 7.2); an expired material is refused."""
    if command.expires_on < work.today:
        raise Refused(Reason("lot-expired", f"the material expired on {command.expires_on}", "expires_on"))
    quantity = positive(command.quantity, command.quantity.unit, "quantity")
    lot = new_lot(work, LotKind.RAW_MATERIAL, command.quantity.unit, description=command.material)
    lot.supplier, lot.supplier_lot_number = command.supplier, command.supplier_lot_number
    lot.expires_on = command.expires_on
    return measured(work, lot, quantity, state=LotState.QUARANTINE)


def magnitude(amount: Amount, unit: str, field: str) -> Decimal:
    """The typed amount in `unit`. Raises Invalid for what is no number or another kind of unit."""
    return Quantity.parse(amount.value, amount.unit, field).to(unit).magnitude


def positive(amount: Amount, unit: str, field: str) -> Decimal:
    """As `magnitude`, and more than zero."""
    value = magnitude(amount, unit, field)
    if value <= 0:
        raise Invalid(Reason("not-positive", f"{amount.value} {amount.unit}: more than 0 is needed", f"{field}.value"))
    if unit in COUNTED and value != value.to_integral_value():
        text = f"{amount.value} {amount.unit}: what is counted is a whole number"
        raise Invalid(Reason("not-a-whole-number", text, f"{field}.value"))
    return value


def new_lot(work: Work, kind: LotKind, unit: str, *, product: Product | None = None, description: str = "") -> Lot:
    """A lot with its number, not written yet, in process until it is measured."""
    final = product if kind is LotKind.DRUG_PRODUCT else None
    series = final.lot_series if final is not None else SERIES[kind]
    return Lot(
        lot_number=next_number(work, work.site.profile.lot_scheme, series, work.today),
        kind=kind,
        state=LotState.IN_PROCESS,
        product_id=product.id if product else None,
        description=description,
        unit=unit,
        created_at=work.now,
        created_by=work.actor.user_id,
        check_code=new_code() if final is not None and final.look_up_code else None,
    )


def measured(work: Work, lot: Lot, quantity: Decimal, *, state: LotState | None = None) -> Lot:
    """Give a new lot its quantity, all of which is left; `state` for lots that come in from outside."""
    lot.quantity = lot.quantity_left = quantity
    if state is not None:
        lot.state = state
    return work.add(lot)


def lot_named(work: Work, lot_number: str, field: str = "lot_number") -> Lot:
    """The lot, locked until the act is over, as others may be taking from it at the same time. Raises NotFound."""
    if lot := work.session.exec(select(Lot).where(Lot.lot_number == lot_number).with_for_update()).first():
        return lot
    raise NotFound(Reason("lot-not-found", f"there is no lot {lot_number!r}", field))


def lots_named(work: Work, numbers: Iterable[str]) -> dict[str, Lot]:
    """Several lots, locked in the order of their ids, so that two acts never wait for each other in a ring."""
    wanted = sorted(set(numbers))
    locked = select(Lot).where(col(Lot.lot_number).in_(wanted)).order_by(col(Lot.id)).with_for_update()
    found = {lot.lot_number: lot for lot in work.session.exec(locked)}
    if missing := [number for number in wanted if number not in found]:
        raise NotFound(*(Reason("lot-not-found", f"there is no lot {number!r}", "inputs") for number in missing))
    return found


def why_not_usable(lot: Lot, today: date) -> Iterator[Reason]:
    """Why nothing may be made of a lot: its state, its expiry, or a release that it needs first."""
    state = state_on(lot.state, lot.expires_on, today)
    if state is LotState.EXPIRED:
        yield Reason("lot-expired", f"lot {lot.lot_number} expired on {lot.expires_on} and cannot be used", "inputs")
    elif lot.kind in RELEASED_BEFORE_USE and state is not LotState.RELEASED:
        yield Reason(
            "lot-not-released",
            f"lot {lot.lot_number} ({lot.kind.value}) is {state.value}; it must be released before use",
            "inputs",
        )
    elif state in (LotState.IN_PROCESS, LotState.REJECTED, LotState.ON_HOLD, LotState.RECALLED):
        yield Reason("lot-not-usable", f"lot {lot.lot_number} is {state.value} and cannot be used", "inputs")


def take(lot: Lot, amount: Amount, field: str) -> Decimal:
    """Take an amount of the lot; returns it in the lot's unit. Raises Invalid (unit, sign) or Refused (too much)."""
    quantity = positive(amount, lot.unit, field)
    left = lot.quantity_left if lot.quantity_left is not None else Decimal(0)
    if quantity > left:
        wanted = f"{amount.value} {amount.unit}"
        text = f"lot {lot.lot_number} has {format_decimal(left)} {lot.unit} left; {wanted} cannot be taken"
        raise Refused(Reason("not-enough-left", text, f"{field}.value"))
    lot.quantity_left = _EXACT.subtract(left, quantity)
    return quantity


def consume(
    work: Work, step_id: int, lot: Lot, amount: Amount, share: Decimal | None = None, reason: str = ""
) -> Consumption:
    """A step takes an amount of a usable lot."""
    refuse_if_any(why_not_usable(lot, work.today))
    quantity = take(lot, amount, "inputs")
    return work.add(
        Consumption(
            step_id=step_id,
            lot_id=lot.key,
            quantity=quantity,
            entered_quantity=amount.value,
            entered_unit=amount.unit,
            share=share,
            reason=reason or None,
        )
    )
