"""What is known of a lot and its ancestors: what a decision's signature is bound to.

The signatures themselves and the moves they cause are no part of it, so that one signer does not void another. Everything that anybody could decide
otherwise for is: a reading, a result, its review, a correction, a deviation, a donor, the state of an ancestor, and each hold of the lot.
"""

from collections.abc import Collection, Iterable, Sequence

from sqlmodel import Session, col, select

from domain.deviations.blocking import deviation_facts
from domain.laboratory.models import Result, ResultReview, Sample
from domain.laboratory.queries import LotResults, stability_samples
from domain.laboratory.reviewing import result_content
from domain.laboratory.verdict import Verdict
from domain.lots.awaiting import awaited_of, conditional_release
from domain.lots.genealogy import ancestor_ids
from domain.lots.models import Lot, LotMove, Yield
from domain.manufacturing.control import control_content
from domain.manufacturing.donors import eligibility_of
from domain.manufacturing.models import Reading, Step
from domain.manufacturing.steps import donors_of

#: Moves that are somebody's doubt or verdict, and so void what was signed before them.
_DOUBTS = ("hold", "lift", "reject", "recall")


def dossier(session: Session, lot: Lot, every: Sequence[LotResults]) -> dict[str, object]:
    """What is known of a lot and its ancestors, as plain values. every: its results by each of its release specifications."""
    results = every[0]
    ancestors = ancestor_ids(session, lot.key)
    everything = [lot.key, *ancestors]
    late = _late(session, lot)
    lots = session.exec(select(Lot).where(col(Lot.id).in_(everything)).order_by(Lot.lot_number)).all()
    return {
        "lot": lot.lot_number,
        "lots": [_lot(one, own=one.key == lot.key) for one in lots],
        "donors": sorted(
            [donor.pseudonym, eligibility_of(session, donor.key).value] for donor, _ in donors_of(session, [lot.key])
        ),
        "steps": _steps(session, everything),
        "readings": _readings(session, everything),
        "control": control_content(session, lot),
        "specification": results.specification.label if results.specification else None,
        "results": [result_content(one.result) for one in results.findings if one.result.test_code not in late],
        "reviews": _reviews(session, lot, everything, late),
        "ancestor_results": _results(session, ancestors),
        "verdicts": _verdicts(results, late),
        **_further(every[1:], late),
        "deviations": deviation_facts(session, everything),
        "doubts": _doubts(session, lot),
    }


def _late(session: Session, lot: Lot) -> tuple[str, ...]:
    """Tests that the lot was released before: what came of them later is no part of what was signed then."""
    found = conditional_release(session, lot.key)
    return awaited_of(found[0]).tests if found else ()


def _verdicts(results: LotResults, late: Collection[str]) -> dict[str, str]:
    missing = Verdict.MISSING
    return {
        line.test.code: (missing if line.test.code in late else line.judgement.verdict).value for line in results.lines
    }


def _further(others: Sequence[LotResults], late: Collection[str]) -> dict[str, object]:
    """The verdicts by the lot's further release specifications, where it has any."""
    told = {one.specification.label: _verdicts(one, late) for one in others if one.specification}
    return {"further_specifications": told} if told else {}


def signed_content(
    session: Session, lot: Lot, every: Sequence[LotResults], action: str, reason: str
) -> dict[str, object]:
    """What a decision's signature is bound to: the dossier, what is decided, and why."""
    return {**dossier(session, lot, every), "action": action, "reason": reason}


def _lot(lot: Lot, *, own: bool) -> dict[str, object]:
    return {
        "number": lot.lot_number,
        "kind": lot.kind.value,
        "state": None if own else lot.state.value,
        "quantity": None if lot.quantity is None else format(lot.quantity, "f"),
        "expires_on": lot.expires_on.isoformat() if lot.expires_on else None,
    }


def _steps(session: Session, lot_ids: Iterable[int]) -> list[list[object]]:
    found = select(Step).join(Yield).where(col(Yield.lot_id).in_(list(lot_ids))).distinct().order_by(col(Step.id))
    return [
        [one.number, one.kind, one.location, one.equipment, one.comment, one.ended_at is not None]
        for one in session.exec(found)
    ]


def _readings(session: Session, lot_ids: Iterable[int]) -> list[list[object]]:
    found = session.exec(
        select(Step.number, Reading)
        .join(Step, col(Reading.step_id) == Step.id)
        .join(Yield, col(Yield.step_id) == Step.id)
        .where(col(Yield.lot_id).in_(list(lot_ids)))
        .order_by(col(Reading.id))
    ).all()
    return [
        [number, one.id, one.parameter, one.entered_value, one.entered_unit]
        for number, one in {one.id: (number, one) for number, one in found}.values()
    ]


def _results(session: Session, lot_ids: Iterable[int]) -> list[dict[str, object]]:
    found = select(Result).join(Sample).where(col(Sample.lot_id).in_(list(lot_ids))).order_by(col(Result.id))
    return [result_content(one) for one in session.exec(found)]


def _reviews(session: Session, lot: Lot, lot_ids: Iterable[int], late: Collection[str]) -> list[list[object]]:
    """Of all that speaks of the release: neither of stability, nor of what the release did not wait for."""
    apart = (col(Sample.lot_id) == lot.id) & (col(Result.test_code).in_(late) | col(Sample.id).in_(stability_samples()))
    found = select(ResultReview).join(Result).join(Sample).where(col(Sample.lot_id).in_(list(lot_ids)), ~apart)
    return [
        [one.result_id, one.outcome.value, one.comment]
        for one in session.exec(found.order_by(col(ResultReview.result_id)))
    ]


def _doubts(session: Session, lot: Lot) -> list[list[object]]:
    found = select(LotMove).where(LotMove.lot_id == lot.id, col(LotMove.action).in_(_DOUBTS))
    return [[one.action, one.id, one.reason] for one in session.exec(found.order_by(col(LotMove.id)))]
