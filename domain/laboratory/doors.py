"""What may still be found out of a lot whose results are closed: what a release awaits, what may come late, and how it keeps on the shelf."""

from collections.abc import Iterator

from sqlmodel import Session, col, select

from domain.errors import Reason
from domain.laboratory.control_models import ReserveUse
from domain.laboratory.models import Sample
from domain.laboratory.queries import LotResults, release_results, stability_results
from domain.laboratory.verdict import Verdict
from domain.lots.awaiting import may_come_late, still_awaited
from domain.lots.models import Lot, LotState

_CLOSED = (LotState.QA_REVIEW, LotState.RELEASED, LotState.REJECTED, LotState.RECALLED)


def timepoint_of(session: Session, sample_id: int) -> int | None:
    """The months after which a stability unit was taken out to be tested; None for any other sample."""
    return session.exec(select(ReserveUse.timepoint_months).where(ReserveUse.sample_id == sample_id)).first()


def why_closed(session: Session, lot: Lot, sample: Sample, test_code: str) -> Iterator[Reason]:
    """Results are closed once the lot is with QA, but for three doors; after a rejection or a recall there is none."""
    state = lot.held_from or lot.state
    if state not in _CLOSED:
        return
    if state is LotState.QA_REVIEW and test_code in may_come_late(session, lot):
        return
    if state is LotState.RELEASED and (
        timepoint_of(session, sample.key) is not None or is_awaited(session, lot, test_code)
    ):
        return
    text = f"lot {lot.lot_number} is {lot.state.value}; its results are closed"
    yield Reason("lot-decided", text, "sample_number")


def is_awaited(session: Session, lot: Lot, test_code: str) -> bool:
    """Whether the lot was released before the result of this test."""
    awaited = still_awaited(session, lot.key)
    return awaited is not None and test_code in awaited.tests


def speaking_against(session: Session, lot: Lot) -> Iterator[Reason]:
    """What was found since the release and does not pass: awaited results, and those of stability."""
    awaited = still_awaited(session, lot.key)
    late = awaited.tests if awaited else ()
    yield from _not_passing(release_results(session, lot.key), late)
    yield from _not_passing(stability_results(session, lot.key), None)


def _not_passing(judged: tuple[LotResults, ...], tests: tuple[str, ...] | None) -> Iterator[Reason]:
    for results in judged:
        for line in results.lines:
            bad = line.judgement.verdict in (Verdict.FAIL, Verdict.INDETERMINATE)
            if bad and (tests is None or line.test.code in tests):
                about = ("sample", line.findings[-1].sample.number) if line.findings else None
                text = f"{line.test.name_en} ({line.test.code}): {line.judgement.reason}"
                yield Reason(f"result-{line.judgement.verdict.value}", text, line.test.code, about=about)


def stability_taken(session: Session, lot_id: int) -> list[tuple[Sample, int]]:
    """The stability units of a lot that were taken out, with their months, in that order."""
    found = select(Sample, ReserveUse.timepoint_months).join(ReserveUse, col(ReserveUse.sample_id) == Sample.id)
    found = found.where(Sample.lot_id == lot_id, col(ReserveUse.timepoint_months).is_not(None))
    rows = session.exec(found.order_by(col(ReserveUse.timepoint_months), col(Sample.id)))
    return [(sample, months) for sample, months in rows if months is not None]
