"""Review of results by a second person, against the raw data (21 CFR 211.194(a)(8))."""

from collections.abc import Iterable, Iterator

from pydantic import Field
from sqlmodel import Session, col, select

from domain.errors import Invalid, Reason, refuse_if_any
from domain.laboratory.models import (
    Result,
    ResultInput,
    ResultReview,
    ReviewOutcome,
)
from domain.laboratory.oos_models import RetestPlan
from domain.laboratory.samples import sample_named
from domain.permissions import Permission
from domain.signatures import Credentials, Meaning, sign
from domain.work import Command, Work, operation


class ReviewResults(Command):
    """A second person reviews results of one sample against the raw data, with one signature."""

    sample_number: str
    result_ids: tuple[int, ...] = Field(min_length=1, max_length=200)
    outcome: ReviewOutcome = ReviewOutcome.ACCEPTED
    comment: str = Field(default="", max_length=1000)
    credentials: Credentials


@operation(Permission.REVIEW_RESULT)
def review_results(work: Work, command: ReviewResults) -> list[ResultReview]:
    """Nobody reviews a result of their own, nor one calculated from a result of their own."""
    sample = sample_named(work.session, command.sample_number)
    ids = dict.fromkeys(command.result_ids)
    results = work.session.exec(select(Result).where(col(Result.id).in_(ids), Result.sample_id == sample.id)).all()
    refuse_if_any(_why_not_reviewed(work, results, ids))
    if command.outcome is ReviewOutcome.REFUSED and not command.comment:
        raise Invalid(Reason("comment-needed", "say why the results are refused", "comment"))
    content = {
        "sample": sample.number,
        "outcome": command.outcome.value,
        "results": [result_content(row) for row in results],
    }
    signature = sign(work, sample, content, Meaning.REVIEWED, command.credentials)
    return [
        work.add(
            ResultReview(
                result_id=row.key,
                outcome=command.outcome,
                comment=command.comment,
                reviewer_id=work.actor.person,
                reviewed_at=work.now,
                signature_id=signature.key,
            )
        )
        for row in results
    ]


def _why_not_reviewed(work: Work, results: Iterable[Result], ids: Iterable[int]) -> Iterator[Reason]:
    rows = {row.key: row for row in results}
    for missing in sorted(set(ids) - rows.keys()):
        yield Reason("result-not-found", f"the sample has no result {missing}", "result_ids")
    seen = set(work.session.exec(select(ResultReview.result_id).where(col(ResultReview.result_id).in_(rows))))
    replaced = set(work.session.exec(select(Result.replaces_id).where(col(Result.replaces_id).in_(rows))))
    for key, row in rows.items():
        if key in seen:
            yield Reason("reviewed-already", f"result {key} ({row.test_code}) was reviewed already", "result_ids")
        if key in replaced:
            yield Reason(
                "result-replaced", f"result {key} ({row.test_code}) was corrected; review the newer one", "result_ids"
            )
        if work.actor.user_id in analysts_of(work.session, row):
            yield Reason(
                "not-by-same-person",
                f"{work.actor.name} found result {key} ({row.test_code}) and so may not review it",
                "result_ids",
            )
        if work.actor.user_id == _retest_asked_by(work.session, row):
            text = f"{work.actor.name} asked for the retest that is result {key}, and so is no second person for it"
            yield Reason("not-by-same-person", text, "result_ids")


def _retest_asked_by(session: Session, result: Result) -> int | None:
    if result.oos_id is None:
        return None
    return session.exec(select(RetestPlan.proposed_by).where(RetestPlan.oos_id == result.oos_id)).first()


def analysts_of(session: Session, result: Result) -> set[int]:
    """Who found a result, or anything it was calculated from."""
    inputs = session.exec(
        select(Result.analyst_id)
        .join(ResultInput, col(ResultInput.input_result_id) == Result.id)
        .where(ResultInput.result_id == result.id)
    )
    return {result.analyst_id, *inputs}


def result_content(result: Result) -> dict[str, object]:
    """What signatures cover of a result."""
    return {
        "id": result.id,
        "test": result.test_code,
        "method": result.method_id,
        "formula": result.formula,
        "value": result.value,
        "replicates": result.replicates,
        "raw": result.raw_sha256,
        "replaces": result.replaces_id,
        **{name: getattr(result, name) for name in _CONTROLLED if getattr(result, name) is not None},
    }


_CONTROLLED = ("run_id", "report_id", "oos_id", "inoculation_id")
