"""How deviations stand in the way of lots: an open one blocks release, a critical one keeps its lots on hold."""

from collections.abc import Iterable, Iterator

from sqlmodel import Session, col, select

from domain.deviations.models import Deviation, DeviationClosure, DeviationLot, LotOutcome, Severity
from domain.deviations.operations import deviation_content, outcomes_of, severity_of
from domain.errors import Reason
from domain.lots.models import Lot

Touched = tuple[Deviation, Lot, DeviationClosure | None]


def touching(session: Session, lot_ids: Iterable[int]) -> list[Touched]:
    """Every deviation that touches one of the lots, with that lot and its closure, in order of their numbers."""
    return list(
        session.exec(
            select(Deviation, Lot, DeviationClosure)
            .join(DeviationLot, col(DeviationLot.deviation_id) == Deviation.id)
            .join(Lot, col(DeviationLot.lot_id) == Lot.id)
            .outerjoin(DeviationClosure, col(DeviationClosure.deviation_id) == Deviation.id)
            .where(col(DeviationLot.lot_id).in_(list(lot_ids)))
            .order_by(col(Deviation.id), col(Lot.id))
        ).all()
    )


def against_release(session: Session, lot_ids: Iterable[int]) -> Iterator[Reason]:
    """Open deviations of these lots, and closed ones that say that a lot is to be rejected."""
    for deviation, lot, closure in touching(session, lot_ids):
        about, given = ("deviation", deviation.number), {"number": deviation.number, "lot": lot.lot_number}
        if closure is None:
            text = f"deviation {deviation.number} of lot {lot.lot_number} is open: {deviation.text}"
            yield Reason("deviation-open", text, about=about, given=given)
            continue
        decided = outcomes_of(session, deviation).get(lot.key)
        if decided is not None and decided.outcome is LotOutcome.REJECT:
            text = f"deviation {deviation.number} says that lot {lot.lot_number} is to be rejected"
            yield Reason("deviation-rejects-lot", text, about=about, given=given)


def against_lifting(session: Session, lot_ids: Iterable[int]) -> Iterator[Reason]:
    """Critical deviations that are still open."""
    for deviation, lot, closure in touching(session, lot_ids):
        if closure is None and severity_of(session, deviation) is Severity.CRITICAL:
            text = f"critical deviation {deviation.number} of lot {lot.lot_number} is open"
            given = {"number": deviation.number, "lot": lot.lot_number}
            yield Reason("deviation-critical", text, about=("deviation", deviation.number), given=given)


def deviation_facts(session: Session, lot_ids: Iterable[int]) -> list[dict[str, object]]:
    """What is known of every deviation that touches one of the lots: part of the dossier that is signed."""
    found = {one.key: (one, closure) for one, _, closure in touching(session, lot_ids)}
    return [
        {**deviation_content(session, one), "closed": closure.conclusion if closure else None}
        for one, closure in found.values()
    ]
