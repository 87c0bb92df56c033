"""Holds that ran down from a donor or a lot: what each reached, and which of them stand over a lot."""

from datetime import date, datetime

from sqlmodel import Session, col, select

from domain.disposition.models import CascadeCause, CascadeLift, CascadeLot, HoldCascade, LiftProposal
from domain.errors import NotFound, Reason
from domain.lots.genealogy import progeny
from domain.lots.lifecycle import RULES, state_on
from domain.lots.models import Lot, LotKind, LotMove, LotState
from domain.manufacturing.models import Donation, Donor
from domain.people.models import User
from domain.work import View

MOST = 200


class ReachedLot(View):
    """A lot that a hold reaches. was_released: ever; found_in: as it was found; held: by this hold, and not on hold already or final."""

    lot_number: str
    kind: LotKind
    was_released: bool
    found_in: LotState
    state: LotState
    held: bool


class CascadeView(View):
    """A hold that runs down. lots: what was released first. standing: `stands`, `lift_proposed` or `lifted`."""

    number: str
    cause: CascadeCause
    source: str
    reason: str
    set_at: datetime
    set_by: str
    standing: str
    proposed_by: str | None
    lifted_by: str | None
    lifted_at: datetime | None
    lots: tuple[ReachedLot, ...]


def standing_over(session: Session, lot_id: int) -> list[HoldCascade]:
    """Every hold that reached the lot and that nobody has lifted."""
    found = (
        select(HoldCascade)
        .join(CascadeLot, col(CascadeLot.cascade_id) == HoldCascade.id)
        .where(
            CascadeLot.lot_id == lot_id,
            ~select(CascadeLift.id).where(CascadeLift.cascade_id == HoldCascade.id).exists(),
        )
        .order_by(col(HoldCascade.id))
    )
    return list(session.exec(found).all())


def reached_from(session: Session, sources: list[int]) -> list[int]:
    """Ids of these lots and of everything made of them, at full depth, through pools; in order: no lot before what it is made of."""
    return sorted(progeny(session, *sources))


def donations_of(session: Session, donor_id: int) -> list[int]:
    """Ids of the donation lots of a donor."""
    return list(session.exec(select(Donation.lot_id).where(Donation.donor_id == donor_id)).all())


def cascade_named(session: Session, number: str) -> HoldCascade:
    """Raises NotFound."""
    if found := session.exec(select(HoldCascade).where(HoldCascade.number == number)).first():
        return found
    raise NotFound(Reason("cascade-not-found", f"there is no hold {number!r}", "number"))


def cascade_view(session: Session, number: str) -> CascadeView:
    """One hold with every lot it reached. Raises NotFound."""
    return _view(session, cascade_named(session, number))


def find_cascades(session: Session) -> tuple[CascadeView, ...]:
    """The newest first."""
    found = session.exec(select(HoldCascade).order_by(col(HoldCascade.id).desc()).limit(MOST)).all()
    return tuple(_view(session, one) for one in found)


def would_reach(session: Session, lot_number: str, today: date) -> tuple[ReachedLot, ...]:
    """What a hold from this lot would reach, released ones first. Raises NotFound."""
    lot = session.exec(select(Lot).where(Lot.lot_number == lot_number)).first()
    if lot is None:
        raise NotFound(Reason("lot-not-found", f"there is no lot {lot_number!r}", "lot_number"))
    ids = reached_from(session, [lot.key])
    found = session.exec(select(Lot).where(col(Lot.id).in_(ids)).order_by(col(Lot.id)))
    released = _ever_released(session, ids)
    states = [(one, state_on(one.state, one.expires_on, today)) for one in found]
    return released_first(
        [
            ReachedLot(
                lot_number=one.lot_number,
                kind=one.kind,
                was_released=one.key in released,
                found_in=state,
                state=state,
                held=state in RULES["hold"].from_,
            )
            for one, state in states
        ]
    )


def released_first(lots: list[ReachedLot]) -> tuple[ReachedLot, ...]:
    """What was ever released comes first, of that the drug products: whoever has one must be told."""
    final = LotKind.DRUG_PRODUCT
    return tuple(sorted(lots, key=lambda one: (not one.was_released, one.kind is not final, one.lot_number)))


def _ever_released(session: Session, lot_ids: list[int]) -> set[int]:
    moved = select(LotMove.lot_id).where(col(LotMove.lot_id).in_(lot_ids), LotMove.to_state == LotState.RELEASED)
    return set(session.exec(moved).all())


def _view(session: Session, one: HoldCascade) -> CascadeView:
    names: dict[int, str] = dict(session.exec(select(User.id, User.name)).all())  # type: ignore[arg-type]
    proposal = session.exec(select(LiftProposal).where(LiftProposal.cascade_id == one.id)).first()
    lift = session.exec(select(CascadeLift).where(CascadeLift.cascade_id == one.id)).first()
    reached = session.exec(
        select(CascadeLot, Lot).join(Lot, col(CascadeLot.lot_id) == Lot.id).where(CascadeLot.cascade_id == one.id)
    ).all()
    released = _ever_released(session, [lot.key for _, lot in reached])
    lots = [
        ReachedLot(
            lot_number=lot.lot_number,
            kind=lot.kind,
            was_released=lot.key in released,
            found_in=LotState(entry.found_in),
            state=lot.state,
            held=entry.move_id is not None,
        )
        for entry, lot in reached
    ]
    return CascadeView(
        number=one.number,
        cause=one.cause,
        source=_source(session, one),
        reason=one.reason,
        set_at=one.set_at,
        set_by=names.get(one.set_by, "?"),
        standing="lifted" if lift else "lift_proposed" if proposal else "stands",
        proposed_by=names.get(proposal.proposed_by) if proposal else None,
        lifted_by=names.get(lift.lifted_by) if lift else None,
        lifted_at=lift.lifted_at if lift else None,
        lots=released_first(lots),
    )


def _source(session: Session, one: HoldCascade) -> str:
    if one.donor_id is not None:
        return f"donor {session.get_one(Donor, one.donor_id).pseudonym}"
    assert one.lot_id is not None
    return f"lot {session.get_one(Lot, one.lot_id).lot_number}"
