"""A hold that runs down from a donor or a lot to everything made of it, in one act; two people of QA lift it."""

from collections.abc import Iterable
from typing import Literal

from sqlmodel import col, select

from domain.disposition import guards
from domain.disposition.cascade_queries import cascade_named, donations_of, reached_from
from domain.disposition.decisions import Why
from domain.disposition.models import CascadeCause, CascadeLift, CascadeLot, HoldCascade, LiftProposal
from domain.errors import Conflict, NotFound, Reason, Refused
from domain.lots import lifecycle
from domain.lots.lifecycle import RULES, Case, blockers
from domain.lots.models import Lot, LotMove, LotState
from domain.lots.numbers import next_number
from domain.lots.operations import lot_named
from domain.manufacturing.donors import (
    DecideEligibility,
    WithdrawConsent,
    decide_eligibility,
    donor_named,
    withdraw_consent,
)
from domain.manufacturing.models import Donor, Eligibility, EligibilityDecision
from domain.permissions import Permission
from domain.signatures import Credentials, Meaning, sign
from domain.work import Command, Work, operation

assert guards.REGISTERED, "the rules name guards that this room registers"

NUMBER = "{series}{year:02d}-{count:04d}"


class HoldDescendants(Command):
    """Hold a lot and everything made of it."""

    lot_number: str
    cause: Literal[
        CascadeCause.BANK_PROBLEM, CascadeCause.BULK_PROBLEM, CascadeCause.MATERIAL_PROBLEM, CascadeCause.OTHER
    ]
    reason: str = Why
    credentials: Credentials


class HoldDonor(Command):
    """Hold every donation of a donor and everything made of them."""

    pseudonym: str
    reason: str = Why
    credentials: Credentials


class LiftCascade(Command):
    """One of the two of QA who lift such a hold."""

    number: str
    reason: str = Why
    credentials: Credentials


@operation(Permission.HOLD_LOT)
def hold_descendants(work: Work, command: HoldDescendants) -> HoldCascade:
    """One act, one reason, one signature; what is rejected or recalled is listed and stays what it is."""
    lot = lot_named(work, command.lot_number)
    _refuse_standing(work, command.cause, lot=lot)
    return _run_down(work, command.cause, command.reason, [lot.key], lot=lot, credentials=command.credentials)


@operation(Permission.HOLD_LOT)
def hold_donor(work: Work, command: HoldDonor) -> HoldCascade:
    """As `hold_descendants`, from a donor."""
    donor = donor_named(work.session, command.pseudonym, alone=True)
    sources = donations_of(work.session, donor.key)
    if not sources:
        text = f"nothing was ever taken from donor {donor.pseudonym}"
        raise NotFound(Reason("donor-without-donation", text, "pseudonym"))
    _refuse_standing(work, CascadeCause.DONOR_PROBLEM, donor=donor)
    cause, said = CascadeCause.DONOR_PROBLEM, command.reason
    return _run_down(work, cause, said, sources, donor=donor, credentials=command.credentials)


@operation(Permission.DECIDE_ELIGIBILITY)
def withdraw_consent_and_hold(work: Work, command: WithdrawConsent) -> Donor:
    """A withdrawn consent holds all that was made of the donor's cells, in the same act."""
    donor = withdraw_consent(work, command)
    _follow(work, donor, CascadeCause.CONSENT_WITHDRAWN, command.reason, None)
    return donor


@operation(Permission.DECIDE_ELIGIBILITY)
def decide_eligibility_and_hold(work: Work, command: DecideEligibility) -> EligibilityDecision:
    """A donor found ineligible holds all that was made of the donor's cells, under the same signature."""
    decision = decide_eligibility(work, command)
    if command.decision is Eligibility.INELIGIBLE:
        donor = donor_named(work.session, command.pseudonym)
        _follow(work, donor, CascadeCause.DONOR_INELIGIBLE, command.reason, decision.signature_id)
    return decision


@operation(Permission.LIFT_HOLD)
def propose_lift(work: Work, command: LiftCascade) -> LiftProposal:
    """The first of two, neither of whom set the hold."""
    cascade = _standing(work, command.number)
    work.reason = command.reason
    if _proposal(work, cascade) is not None:
        raise Conflict(Reason("lift-proposed", f"lifting {cascade.number} was proposed already", "number"))
    signature = sign(work, cascade, _content(work, cascade, "propose_lift"), Meaning.HOLD_LIFTED, command.credentials)
    return work.add(
        LiftProposal(
            cascade_id=cascade.key,
            reason=command.reason,
            proposed_at=work.now,
            proposed_by=work.actor.person,
            signature_id=signature.key,
        )
    )


@operation(Permission.LIFT_HOLD)
def lift_cascade(work: Work, command: LiftCascade) -> CascadeLift:
    """The second: every lot that this hold moved goes back to where it was, or none does.

    A lot that another hold, a critical deviation or a donor still bars refuses the whole; what was rejected or recalled meanwhile stays so.
    """
    cascade = _standing(work, command.number)
    proposal = _proposal(work, cascade)
    if proposal is None:
        raise Refused(Reason("lift-not-proposed", f"another person of QA proposes first to lift {cascade.number}"))
    if proposal.proposed_by == work.actor.user_id:
        text = f"who proposed to lift {cascade.number} does not confirm it"
        raise Refused(Reason("not-by-same-person", text))
    work.reason = command.reason
    signature = sign(work, cascade, _content(work, cascade, "lift"), Meaning.HOLD_LIFTED, command.credentials)
    made = work.add(
        CascadeLift(
            cascade_id=cascade.key,
            reason=command.reason,
            lifted_at=work.now,
            lifted_by=work.actor.person,
            signature_id=signature.key,
        )
    )
    _go_back(work, cascade, signature.key)
    return made


def _go_back(work: Work, cascade: HoldCascade, signature_id: int) -> None:
    """In the order in which the lots were made, so that each finds what it is made of back already; every reason is told at once."""
    held = select(CascadeLot.lot_id).where(CascadeLot.cascade_id == cascade.id, col(CascadeLot.move_id).is_not(None))
    reasons: list[Reason] = []
    for lot in _locked(work, work.session.exec(held).all()):
        if lot.state is not LotState.ON_HOLD:
            continue
        if found := blockers(Case(work.session, lot, work.now, work.today), "lift", work.actor):
            reasons += [one for one in found if one not in reasons]
        elif not reasons:
            lifecycle.move(work, lot, "lift", signature_id=signature_id)
    if reasons:
        raise Refused(*reasons)


def _follow(work: Work, donor: Donor, cause: CascadeCause, reason: str, signature_id: int | None) -> None:
    if sources := donations_of(work.session, donor.key):
        _run_down(work, cause, reason, sources, donor=donor, signature_id=signature_id)


def _run_down(
    work: Work,
    cause: CascadeCause,
    reason: str,
    sources: list[int],
    *,
    lot: Lot | None = None,
    donor: Donor | None = None,
    credentials: Credentials | None = None,
    signature_id: int | None = None,
) -> HoldCascade:
    work.reason = reason
    number = next_number(work, NUMBER, "HC", work.today)
    lots = _locked(work, reached_from(work.session, sources))
    if credentials is not None:
        content = {"cascade": number, "cause": cause.value, "reason": reason, "lots": [one.lot_number for one in lots]}
        source = lot or donor
        assert source is not None
        signature_id = sign(work, source, content, Meaning.HELD, credentials).key
    cascade = work.add(
        HoldCascade(
            number=number,
            cause=cause,
            donor_id=donor.key if donor else None,
            lot_id=lot.key if lot else None,
            reason=reason,
            set_at=work.now,
            set_by=work.actor.person,
            signature_id=signature_id,
        )
    )
    for one in lots:
        state = Case(work.session, one, work.now, work.today).state
        move = None
        if state in RULES["hold"].from_:
            move = lifecycle.move(work, one, "hold", signature_id=signature_id)
        moved = move.key if move else None
        work.add(CascadeLot(cascade_id=cascade.key, lot_id=one.key, found_in=state.value, move_id=moved))
    return cascade


@lifecycle.after(lifecycle.RUN_DOWN)
def _run_down_by_itself(work: Work, move: LotMove) -> None:
    """What holds a released lot by itself, a failing or unclear result, holds all that was made of it, in the same act; two people lift it."""
    cascade = work.add(
        HoldCascade(
            number=next_number(work, NUMBER, "HC", work.today),
            cause=CascadeCause.FAILED_RESULT,
            lot_id=move.lot_id,
            reason=move.reason,
            set_at=work.now,
            set_by=work.actor.person,
        )
    )
    found_in = LotState.RELEASED.value
    work.add(CascadeLot(cascade_id=cascade.key, lot_id=move.lot_id, found_in=found_in, move_id=move.key))
    for one in _locked(work, [key for key in reached_from(work.session, [move.lot_id]) if key != move.lot_id]):
        state = Case(work.session, one, work.now, work.today).state
        made = lifecycle.seize(work, one, f"{cascade.number}: {move.reason}")
        held = made.key if made else None
        work.add(CascadeLot(cascade_id=cascade.key, lot_id=one.key, found_in=state.value, move_id=held))


def _locked(work: Work, ids: Iterable[int]) -> list[Lot]:
    found = select(Lot).where(col(Lot.id).in_(list(ids))).order_by(col(Lot.id)).with_for_update()
    return list(work.session.exec(found.execution_options(populate_existing=True)).all())


def _refuse_standing(work: Work, cause: CascadeCause, *, lot: Lot | None = None, donor: Donor | None = None) -> None:
    """A second click holds nothing twice; a hold that stands is widened by lifting it and setting another."""
    found = select(HoldCascade).where(
        HoldCascade.cause == cause,
        HoldCascade.lot_id == (lot.id if lot else None),
        HoldCascade.donor_id == (donor.id if donor else None),
        ~select(CascadeLift.id).where(CascadeLift.cascade_id == HoldCascade.id).exists(),
    )
    if standing := work.session.exec(found).first():
        raise Conflict(Reason("cascade-exists", f"{standing.number} stands already, with the same source and cause"))


def _standing(work: Work, number: str) -> HoldCascade:
    cascade_named(work.session, number)
    locked = select(HoldCascade).where(HoldCascade.number == number).with_for_update()
    cascade = work.session.exec(locked).one()
    if work.session.exec(select(CascadeLift.id).where(CascadeLift.cascade_id == cascade.id)).first() is not None:
        raise Conflict(Reason("cascade-lifted", f"{number} was lifted already", "number"))
    if cascade.set_by == work.actor.user_id:
        raise Refused(Reason("not-by-same-person", f"who set {number} does not lift it"))
    return cascade


def _proposal(work: Work, cascade: HoldCascade) -> LiftProposal | None:
    return work.session.exec(select(LiftProposal).where(LiftProposal.cascade_id == cascade.id)).first()


def _content(work: Work, cascade: HoldCascade, action: str) -> dict[str, object]:
    reached = select(Lot.lot_number, CascadeLot.found_in).join(CascadeLot).where(CascadeLot.cascade_id == cascade.id)
    lots = [list(row) for row in work.session.exec(reached.order_by(col(Lot.id)))]
    return {"cascade": cascade.number, "action": action, "reason": work.reason, "lots": lots}


REGISTERED = bool(lifecycle.AFTER[lifecycle.RUN_DOWN])
