"""Decisions on lots: the acts that join signature, life cycle and certificate in one transaction."""

from typing import Literal

from pydantic import Field

from domain.certificates.following import tell_followers
from domain.certificates.issue import Ready, issue, issue_batch, log_recall, void_numbers
from domain.certificates.models import Certificate
from domain.disposition import guards
from domain.disposition.dossier import signed_content
from domain.disposition.models import ManufactureConfirmation
from domain.disposition.readying import ready_to_release
from domain.laboratory.queries import LotResults, lot_results
from domain.lots import lifecycle
from domain.lots.models import Lot, LotMove, Product
from domain.lots.operations import lot_named
from domain.permissions import Permission
from domain.signatures import Authenticated, Credentials, Signature, sign
from domain.work import Actor, Command, Site, Work, operation

assert guards.REGISTERED, "the rules name guards that this room registers"

Why = Field(min_length=3, max_length=1000)


class Decide(Command):
    """A decision on a lot, with a signature."""

    lot_number: str
    reason: str = Field(default="", max_length=1000)
    credentials: Credentials


class SubmitLot(Decide):
    """The head of QC: tested according to instruction; the lot goes to QA."""


class ConfirmManufacture(Decide):
    """The head of production: manufactured according to instruction. Leaves the lot where it is."""


class ReleaseLot(Decide):
    """Certify a drug product for release; its certificate is issued in the same act."""


class AcceptLot(Decide):
    """Release an input (donation, cell bank, raw material) for use in manufacturing."""


class RejectLot(Decide):
    """Reject a lot for good."""

    reason: str = Why


class HoldLot(Decide):
    """Put a lot on hold."""

    reason: str = Why


class LiftHold(Decide):
    """Lift a hold; the lot goes back to where it was."""

    reason: str = Why


class RecallLot(Decide):
    """Recall a released lot: class I (life-threatening), II (harmful) or III (unlikely to harm). Cannot be undone."""

    recall_class: Literal["I", "II", "III"]
    reason: str = Why


@operation(Permission.SUBMIT_LOT)
def submit_lot(work: Work, command: SubmitLot) -> LotMove:
    """Needs every required result, reviewed."""
    return _decide(work, command, "submit")[0]


@operation(Permission.CONFIRM_MANUFACTURE)
def confirm_manufacture(work: Work, command: ConfirmManufacture) -> ManufactureConfirmation:
    """One of the signatures that a release needs, where the product asks for it; given anew when the dossier has changed since."""
    lot = lot_named(work, command.lot_number)
    lifecycle.require(work, lot, "confirm")
    signature, _ = _signed(work, lot, command, "confirm")
    return work.add(
        ManufactureConfirmation(
            lot_id=lot.key,
            reason=work.reason,
            confirmed_at=work.now,
            confirmed_by=work.actor.person,
            signature_id=signature.key,
        )
    )


def _ready(site: Site, actor: Actor, command: ReleaseLot) -> Ready | None:
    return ready_to_release(site, actor, command.lot_number, command.reason, command.credentials)


@operation(Permission.RELEASE_LOT, prepare=_ready)
def release_lot(work: Work, command: ReleaseLot) -> Certificate:
    """Signature, state and certificate in one transaction; refuses with everything that stands in the way.

    The certificate was drawn and signed before: if what it rests on has changed since, nothing is released (Stale).
    """
    ready: Ready | None = work.prepared
    move, signature, results = _decide(work, command, "release", by=ready.by if ready else None)
    lot = work.session.get_one(Lot, move.lot_id)
    product = work.session.get_one(Product, lot.product_id)
    certificate = issue(work, lot, product, results, ready, signature)
    if ready is not None:
        issue_batch(work, lot, product, ready, certificate, signature)
    return certificate


@operation(Permission.RELEASE_LOT)
def accept_lot(work: Work, command: AcceptLot) -> LotMove:
    """For inputs; a drug product is released."""
    return _decide(work, command, "accept")[0]


@operation(Permission.REJECT_LOT)
def reject_lot(work: Work, command: RejectLot) -> LotMove:
    """Terminal; a number that was taken for its certificate is voided."""
    move, _, _ = _decide(work, command, "reject")
    void_numbers(work, work.session.get_one(Lot, move.lot_id))
    return move


@operation(Permission.HOLD_LOT)
def hold_lot(work: Work, command: HoldLot) -> LotMove:
    """Remembers where the lot came from."""
    return _decide(work, command, "hold")[0]


@operation(Permission.LIFT_HOLD)
def lift_hold(work: Work, command: LiftHold) -> LotMove:
    """By another person than the one who set it."""
    return _decide(work, command, "lift")[0]


@lifecycle.after("hold")
def _tell_of_hold(work: Work, move: LotMove) -> None:
    tell_followers(work, move.lot_id, "hold")


@lifecycle.after("lift")
def _tell_of_lift(work: Work, move: LotMove) -> None:
    tell_followers(work, move.lot_id, "hold_lifted")


@operation(Permission.RECALL_LOT)
def recall_lot(work: Work, command: RecallLot) -> LotMove:
    """Every certificate of the lot is marked in the same act, and the look-up shows it in the very next request."""
    move, _, _ = _decide(work, command, "recall", f"class {command.recall_class}: {command.reason}")
    log_recall(work, work.session.get_one(Lot, move.lot_id))
    tell_followers(work, move.lot_id, "recall")
    return move


def _decide(
    work: Work, command: Decide, action: str, reason: str | None = None, by: Authenticated | None = None
) -> tuple[LotMove, Signature, LotResults]:
    """Sign the dossier as it is, and move; whatever stands in the way undoes both."""
    lot = lot_named(work, command.lot_number)
    signature, results = _signed(work, lot, command, action, reason, by)
    return lifecycle.move(work, lot, action, signature_id=signature.key), signature, results


def _signed(
    work: Work, lot: Lot, command: Decide, action: str, reason: str | None = None, by: Authenticated | None = None
) -> tuple[Signature, LotResults]:
    work.reason = reason or command.reason or work.reason
    results = lot_results(work.session, lot.key)
    meaning = lifecycle.RULES[action].meaning
    assert meaning is not None
    content = signed_content(work.session, lot, results, action, work.reason)
    return sign(work, lot, content, meaning, by or command.credentials), results
