"""Review by exception: what was not as it should be on the way to a lot, and nothing else."""

from collections.abc import Iterator, Sequence

from domain.disposition.queries import LotFile, ReadingView, ResultView, StepView
from domain.laboratory.models import ReviewOutcome
from domain.manufacturing.catalogue import STEP_KINDS
from domain.quantities import UNITS, pretty

Odd = tuple[str, str]


def not_normal(file: LotFile, steps: Sequence[StepView] | None = None) -> list[Odd]:
    """Of the steps, samples, results and history, in this order: what it is about, and what is odd about it.

    steps: those of the whole way; without them, the lot's own.
    """
    results = [one for line in file.lines for one in line.results] + list(file.other_results)
    olds = {one.id: one for one in file.corrected_results}
    return [
        *(odd for step in (file.steps if steps is None else steps) for odd in _of_step(step)),
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
    if step.ended_at is None:
        yield name, "not complete"
    if step.late:
        yield name, "entered late"
    if step.comment:
        yield name, f"comment: {step.comment}"
    olds = {one.id: one for one in step.readings}
    for one in step.readings:
        if not one.replaced:
            yield from _of_reading(one, olds, f"{name}: {STEP_KINDS[step.kind].parameter(one.parameter).en}")


def _of_reading(one: ReadingView, olds: dict[int, ReadingView], name: str) -> Iterator[Odd]:
    value = entered(one)
    if one.alert:
        yield name, f"{value}: {one.alert}" + (f"; comment: {one.comment}" if one.comment else "")
    if one.late:
        yield name, f"{value} was entered late, by {one.recorded_by}"
    if one.replaces_id:
        yield name, f"corrected from {entered(olds[one.replaces_id])} to {value} by {one.recorded_by}: {one.reason}"


def entered(one: ReadingView) -> str:
    """A reading as typed, as people write it: `7.21`, `36.9 °C`, `human platelet lysate`."""
    if one.unit is None:
        return one.entered_value.replace("_", " ")
    unit = one.entered_unit
    return pretty(one.entered_value) + (f" {UNITS[unit].en}" if unit and unit not in ("1", "[pH]") else "")


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
