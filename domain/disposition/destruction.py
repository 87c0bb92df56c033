"""Destroying what is left of a lot: one person counts and destroys, another witnesses, and the quantity must be all that is left."""

from decimal import Decimal

from pydantic import Field
from sqlmodel import Session, col, select

from domain.disposition.decisions import Why
from domain.disposition.models import Destruction, DestructionWitness
from domain.errors import Conflict, NotFound, Reason, Refused
from domain.lots.lifecycle import Case
from domain.lots.models import Lot, LotState
from domain.lots.operations import Amount, lot_named, positive, take
from domain.people.models import User
from domain.permissions import Permission
from domain.quantities import format_decimal
from domain.signatures import Credentials, Meaning, sign
from domain.work import Command, View, Work, operation

#: Of which lots what is left may be destroyed: nothing else will ever be done with them.
FINAL = (LotState.REJECTED, LotState.RECALLED, LotState.EXPIRED)


class DestroyLot(Command):
    """State that all that is left of a lot was destroyed, and how."""

    lot_number: str
    quantity: Amount
    method: str = Field(min_length=3, max_length=300, examples=["steam, 134 °C, 18 min, then incinerated"])
    reason: str = Why
    credentials: Credentials


class WitnessDestruction(Command):
    """State that one saw it."""

    lot_number: str
    credentials: Credentials


@operation(Permission.DESTROY_LOT)
def destroy_lot(work: Work, command: DestroyLot) -> Destruction:
    """The quantity counted must be what the records say is left, to the last vial; it counts once it is witnessed."""
    lot = lot_named(work, command.lot_number)
    work.reason = command.reason
    _require_final(work, lot)
    if waiting_for_witness(work.session, lot) is not None:
        raise Conflict(
            Reason(
                "destruction-recorded", f"the destruction of lot {lot.lot_number} is recorded and waits for its witness"
            )
        )
    quantity = positive(command.quantity, lot.unit, "quantity")
    _require_all(lot, quantity)
    content = _content(lot, quantity, command.method, work.reason)
    signature = sign(work, lot, content, Meaning.DESTROYED, command.credentials)
    return work.add(
        Destruction(
            lot_id=lot.key,
            quantity=quantity,
            method=command.method,
            reason=work.reason,
            destroyed_at=work.now,
            destroyed_by=work.actor.person,
            signature_id=signature.key,
        )
    )


@operation(Permission.DESTROY_LOT)
def witness_destruction(work: Work, command: WitnessDestruction) -> DestructionWitness:
    """By somebody else; from now on nothing is left of the lot."""
    lot = lot_named(work, command.lot_number)
    _require_final(work, lot)
    waiting = waiting_for_witness(work.session, lot)
    if waiting is None:
        raise NotFound(Reason("destruction-not-found", f"no destruction of lot {lot.lot_number} waits for a witness"))
    if waiting.destroyed_by == work.actor.user_id:
        raise Refused(Reason("not-by-same-person", "whoever destroyed it does not witness it"))
    _require_all(lot, waiting.quantity)
    content = _content(lot, waiting.quantity, waiting.method, waiting.reason)
    signature = sign(work, lot, content, Meaning.WITNESSED, command.credentials)
    take(lot, Amount(value=format(waiting.quantity, "f"), unit=lot.unit), "quantity")
    return work.add(
        DestructionWitness(
            destruction_id=waiting.key,
            witnessed_at=work.now,
            witnessed_by=work.actor.person,
            signature_id=signature.key,
        )
    )


def waiting_for_witness(session: Session, lot: Lot) -> Destruction | None:
    """The destruction of a lot that nobody has witnessed yet."""
    witnessed = select(DestructionWitness.id).where(DestructionWitness.destruction_id == Destruction.id).exists()
    found = select(Destruction).where(Destruction.lot_id == lot.id, ~witnessed).order_by(col(Destruction.id).desc())
    return session.exec(found).first()


class DestructionView(View):
    """A destruction that waits for its witness; the quantity in the lot's unit."""

    quantity: Decimal
    unit: str
    method: str
    by: str


def destruction_of(session: Session, lot_number: str) -> DestructionView | None:
    """What waits for a witness. Raises NotFound."""
    lot = session.exec(select(Lot).where(Lot.lot_number == lot_number)).first()
    if lot is None:
        raise NotFound(Reason("lot-not-found", f"there is no lot {lot_number!r}", "lot_number"))
    waiting = waiting_for_witness(session, lot)
    if waiting is None:
        return None
    by = session.get_one(User, waiting.destroyed_by).name
    return DestructionView(quantity=waiting.quantity, unit=lot.unit, method=waiting.method, by=by)


def _require_final(work: Work, lot: Lot) -> None:
    state = Case(work.session, lot, work.now, work.today).state
    if state not in FINAL:
        allowed = ", ".join(one.value for one in FINAL)
        text = f"lot {lot.lot_number} is {state.value}; destroyed is only what is {allowed}"
        raise Refused(Reason("wrong-state", text, about=("lot", lot.lot_number)))


def _require_all(lot: Lot, quantity: Decimal) -> None:
    left = lot.quantity_left if lot.quantity_left is not None else Decimal(0)
    if quantity != left:
        told = f"{format_decimal(quantity)} {lot.unit} counted, {format_decimal(left)} {lot.unit} left on record"
        text = f"lot {lot.lot_number} does not reconcile: {told}"
        raise Refused(Reason("does-not-reconcile", text, "quantity.value"))


def _content(lot: Lot, quantity: Decimal, method: str, reason: str) -> dict[str, object]:
    said = {"quantity": format(quantity, "f"), "unit": lot.unit, "method": method, "reason": reason}
    return {"lot": lot.lot_number, "action": "destroy", **said}
