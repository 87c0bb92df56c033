"""What was not as it should be on the way to a lot: whoever signs sees it on the page with the signature."""

from collections.abc import Iterator

from api.web.pages import amount
from api.web.words import spelled
from domain.disposition.queries import LotFile, ReadingView, ResultView, StepView
from domain.laboratory.models import ReviewOutcome
from domain.manufacturing.catalogue import STEP_KINDS

Odd = tuple[str, str]


def not_normal(file: LotFile) -> list[Odd]:
    """Of the lot's own step, samples, results and history, in this order: what it is about, and what is odd about it."""
    results = [one for line in file.lines for one in line.results] + list(file.other_results)
    olds = {one.id: one for one in file.corrected_results}
    return [
        *(odd for step in file.steps for odd in _of_step(step)),
        *((f"Sample {one.number}", "entered late") for one in file.samples if one.late),
        *(odd for one in results for odd in _of_result(one, olds)),
        *(
            ("History", f"on hold since {one.moved_at:%Y-%m-%d}, by {one.actor}: {one.reason}")
            for one in file.moves
            if one.action == "hold"
        ),
    ]


def _of_step(step: StepView) -> Iterator[Odd]:
    name = f"{STEP_KINDS[step.kind].en} {step.number}"
    if step.late:
        yield name, "entered late"
    if step.comment:
        yield name, f"comment: {step.comment}"
    olds = {one.id: one for one in step.readings}
    for one in step.readings:
        if not one.replaced:
            yield from _of_reading(one, olds, STEP_KINDS[step.kind].parameter(one.parameter).en)


def _of_reading(one: ReadingView, olds: dict[int, ReadingView], name: str) -> Iterator[Odd]:
    value = _entered(one)
    if one.alert:
        yield name, f"{value}: {one.alert}" + (f"; comment: {one.comment}" if one.comment else "")
    if one.late:
        yield name, f"{value} was entered late, by {one.recorded_by}"
    if one.replaces_id:
        yield name, f"corrected from {_entered(olds[one.replaces_id])} to {value} by {one.recorded_by}: {one.reason}"


def _entered(one: ReadingView) -> str:
    return amount(one.entered_value, one.entered_unit) if one.unit else spelled(one.entered_value)


def _of_result(one: ResultView, olds: dict[int, ResultView]) -> Iterator[Odd]:
    if one.replaces_id:
        old = olds.get(one.replaces_id)
        was = f"from {old.value_en} " if old else ""
        yield one.test_name, f"corrected {was}to {one.value_en} by {one.analyst}: {one.reason}"
    if one.late:
        yield one.test_name, f"entered late, by {one.analyst}"
    if one.comment:
        yield one.test_name, f"comment: {one.comment}"
    if one.flags:
        yield one.test_name, f"flags of the instrument: {'; '.join(one.flags)}"
    if one.outcome is ReviewOutcome.REFUSED:
        yield one.test_name, f"refused by {one.reviewer}: {one.review_comment}"
