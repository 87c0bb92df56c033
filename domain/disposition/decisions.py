"""Decisions on lots: the acts that join signature, life cycle and certificate in one transaction."""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from types import MappingProxyType
from typing import Literal

from pydantic import Field

from domain.certificates.following import tell_followers
from domain.certificates.issue import Ready, issue, issue_batch, log_recall, void_numbers
from domain.certificates.models import Certificate
from domain.disposition import guards
from domain.disposition.dossier import signed_content
from domain.disposition.late import why_not_due
from domain.disposition.models import ManufactureConfirmation
from domain.disposition.readying import ready_to_release
from domain.disposition.signing import condition_content
from domain.errors import refuse_if_any
from domain.laboratory.queries import LotResults, release_results
from domain.lots import lifecycle
from domain.lots.awaiting import Awaited
from domain.lots.lifecycle import Case
from domain.lots.models import ConditionalRelease, Lot, LotMove, Product
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


class ReleaseConditionally(Decide):
    """Certify a drug product for release before the results of these tests are final; its certificate says so.

    awaited: exactly what is outstanding. due_on: without the results nobody may use the lot after that day.
    """

    awaited: tuple[str, ...] = Field(min_length=1, max_length=20)
    due_on: date
    reason: str = Why


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


def _ready(site: Site, actor: Actor, command: ReleaseLot | ReleaseConditionally) -> Ready | None:
    awaited = awaited_in(command) if isinstance(command, ReleaseConditionally) else None
    return ready_to_release(site, actor, command.lot_number, command.reason, command.credentials, awaited)


def awaited_in(command: ReleaseConditionally) -> Awaited:
    """The condition that is named, in one order."""
    return Awaited(tuple(sorted(set(command.awaited))), command.due_on)


@operation(Permission.RELEASE_LOT, prepare=_ready)
def release_lot(work: Work, command: ReleaseLot) -> Certificate:
    """Signature, state and certificates in one transaction; refuses with everything that stands in the way. Gives the certificate of the
    primary specification.

    They were drawn and signed before: if what they rest on has changed since, nothing is released (Stale).
    """
    return _released(work, command, "release", None)


@operation(Permission.RELEASE_LOT, prepare=_ready)
def release_conditionally(work: Work, command: ReleaseConditionally) -> Certificate:
    """As `release_lot`, but for the results named, which the product lets come late.

    Until QA completes it (`revise_certificate`) the certificates and the look-up say what is awaited and until when.
    """
    awaited = awaited_in(command)
    lot = lot_named(work, command.lot_number)
    case = Case(work.session, lot, work.now, work.today, awaits=True)
    refuse_if_any(
        (*lifecycle.blockers(case, "release_conditionally", work.actor), *why_not_due(case, *_plain(awaited)))
    )
    return _released(work, command, "release_conditionally", awaited)


def _plain(awaited: Awaited) -> tuple[tuple[str, ...], date]:
    return awaited.tests, awaited.due_on


def _released(work: Work, command: Decide, action: str, awaited: Awaited | None) -> Certificate:
    ready: Ready | None = work.prepared
    by = ready.by if ready else None
    move, signature, every = _decide(work, command, action, by=by, more=condition_content(awaited) if awaited else {})
    lot = work.session.get_one(Lot, move.lot_id)
    product = work.session.get_one(Product, lot.product_id)
    certificates = [issue(work, lot, product, results, ready, signature) for results in every]
    if ready is not None:
        issue_batch(work, lot, product, ready, certificates[0], signature)
    if awaited is not None:
        work.add(
            ConditionalRelease(
                lot_id=lot.key,
                awaited=json.dumps(awaited.tests),
                due_on=awaited.due_on,
                reason=work.reason,
                released_at=work.now,
                released_by=work.actor.person,
                signature_id=signature.key,
            )
        )
    return certificates[0]


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
    work: Work,
    command: Decide,
    action: str,
    reason: str | None = None,
    by: Authenticated | None = None,
    more: Mapping[str, object] = MappingProxyType({}),
) -> tuple[LotMove, Signature, Sequence[LotResults]]:
    """Sign the dossier as it is, and move; whatever stands in the way undoes both. more: what is signed beside it."""
    lot = lot_named(work, command.lot_number)
    signature, every = _signed(work, lot, command, action, reason, by, more)
    return lifecycle.move(work, lot, action, signature_id=signature.key), signature, every


def _signed(
    work: Work,
    lot: Lot,
    command: Decide,
    action: str,
    reason: str | None = None,
    by: Authenticated | None = None,
    more: Mapping[str, object] = MappingProxyType({}),
) -> tuple[Signature, Sequence[LotResults]]:
    work.reason = reason or command.reason or work.reason
    every = release_results(work.session, lot.key)
    meaning = lifecycle.RULES[action].meaning
    assert meaning is not None
    content = signed_content(work.session, lot, every, action, work.reason) | dict(more)
    return sign(work, lot, content, meaning, by or command.credentials), every
