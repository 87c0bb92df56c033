"""What the recipe says of a finished lot: why it may not be released, which clocks run, and what a signature on it covers."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session, col, select

from domain.deviations.models import Deviation, DeviationOrigin
from domain.equipment import register
from domain.errors import Reason
from domain.lots.genealogy import lineage, progeny
from domain.lots.models import Lot, Yield
from domain.manufacturing.catalogue import step_kind
from domain.manufacturing.checks import unbalanced
from domain.manufacturing.cycle_logs import CycleLog
from domain.manufacturing.executing import executed
from domain.manufacturing.execution_models import (
    EquipmentLapse,
    ReadingVerification,
    StartVerification,
)
from domain.manufacturing.models import Reading, Step
from domain.manufacturing.readings import current_values
from domain.manufacturing.recipe_models import Recipe, SamplePoint
from domain.manufacturing.recipes import hours
from domain.manufacturing.verifying import unverified_readings
from domain.quantities import format_decimal
from domain.work import View


class HoldClock(View):
    """A hold time of a lot: it runs from the end of a step until the next one starts; `over` once it took longer than allowed."""

    after: str
    before: str
    at_most_hours: str
    began_at: datetime
    due_at: datetime
    stopped_at: datetime | None
    over: bool


def recipe_of(session: Session, lot_id: int) -> Recipe | None:
    """The version that a lot pins, itself or by what it is made of: that of the newest step."""
    done = executed(session, [lot_id])
    return session.get_one(Recipe, done[-1][0].recipe_id) if done else None


def not_followed(session: Session, lot: Lot) -> Iterator[Reason]:
    """Steps of the pinned recipe that nobody did."""
    recipe = recipe_of(session, lot.key)
    if recipe is None:
        return
    done = {one.step_key for one, step in executed(session, [lot.key], recipe) if step.ended_at is not None}
    for step in recipe.said.steps:
        if step.key not in done:
            text = f"{recipe.label} asks for {step.key} ({step_kind(step.kind).en}); it was not done"
            yield Reason("recipe-step-missing", text, about=("lot", lot.lot_number), given={"step": step.key})


def not_verified(session: Session, lot: Lot) -> Iterator[Reason]:
    """Starts and critical entries under the recipe that no second person has seen."""
    for _, step in executed(session, [lot.key]):
        seen = select(StartVerification.id).where(StartVerification.step_id == step.id)
        if session.exec(seen).first() is None:
            text = f"no second person has verified the start of step {step.number}"
            yield Reason("start-not-verified", text, about=("step", step.number))
        for reading in unverified_readings(session, step):
            text = f"step {step.number}: {reading.parameter} is critical, and no second person has verified it"
            yield Reason("reading-not-verified", text, about=("step", step.number))


def not_explained(session: Session, lot: Lot) -> Iterator[Reason]:
    """Counts that do not balance, without a deviation that explains the difference."""
    for step in steps_to(session, lot.key):
        for reason in unbalanced(step.kind, current_values(session, step.key)):
            told = select(Deviation.id).where(
                Deviation.step_id == step.id, Deviation.origin == DeviationOrigin.RECONCILIATION
            )
            if session.exec(told).first() is None:
                yield Reason(reason.code, f"step {step.number}: {reason.text}", about=("step", step.number))


def not_excepted(session: Session, lot: Lot) -> Iterator[Reason]:
    """Equipment that was no longer fit when a step ended, without an exception that QA signed."""
    steps = {step.key: step for step in steps_to(session, lot.key)}
    lapses = select(EquipmentLapse).where(col(EquipmentLapse.step_id).in_(steps)).order_by(col(EquipmentLapse.id))
    for lapse in session.exec(lapses):
        if register.exception_for(session, lapse.equipment_id, lapse.on) is None:
            text = f"step {steps[lapse.step_id].number}: {lapse.text} QA has signed no exception"
            yield Reason("exception-missing", text, about=("step", steps[lapse.step_id].number))


def steps_to(session: Session, lot_id: int) -> list[Step]:
    """Every step on the way to a lot, in order of the start."""
    found = (
        select(Step).join(Yield, col(Yield.step_id) == Step.id).where(col(Yield.lot_id).in_(lineage(session, lot_id)))
    )
    return sorted({step.key: step for step in session.exec(found)}.values(), key=lambda one: (one.started_at, one.key))


def hold_clocks(session: Session, lot_ids: Iterable[int], now: datetime) -> list[HoldClock]:
    """The clocks that ran or run on the way to these lots and on from them; one that nothing has stopped is measured against now."""
    own = set(lot_ids)
    done = executed(session, progeny(session, *own))
    if not done:
        return []
    recipe = session.get_one(Recipe, done[-1][0].recipe_id)
    clocks = []
    for hold in recipe.said.hold_times:
        ends = [step.ended_at for one, step in done if one.step_key == hold.after and step.ended_at is not None]
        starts = [step.started_at for one, step in done if one.step_key == hold.before]
        if not ends:
            continue
        began, stopped = min(ends), max(starts, default=None)
        due = began + timedelta(hours=float(hours(hold)))
        clocks.append(
            HoldClock(
                after=hold.after,
                before=hold.before,
                at_most_hours=format_decimal(hours(hold)),
                began_at=began,
                due_at=due,
                stopped_at=stopped,
                over=(stopped or now) > due,
            )
        )
    return clocks


def samples_wanted(session: Session, lot: Lot) -> Iterator[tuple[Step, tuple[SamplePoint, ...], list[int]]]:
    """Every step at which the recipe asks for samples, what it asks for, and the ids of the lots that the step gave."""
    for execution, step in executed(session, [lot.key]):
        said = session.get_one(Recipe, execution.recipe_id).said
        planned = said.step(execution.step_key) if execution.step_key else None
        if planned is not None and planned.samples:
            yield step, planned.samples, list(session.exec(select(Yield.lot_id).where(Yield.step_id == step.id)))


def control_content(session: Session, lot: Lot) -> dict[str, Any]:
    """What control of manufacture adds to what a signature on a lot covers, as plain values."""
    done = executed(session, [lot.key])
    ids = [step.key for _, step in done]
    readings = (
        select(ReadingVerification.reading_id)
        .join(Reading, col(Reading.id) == ReadingVerification.reading_id)
        .where(col(Reading.step_id).in_(ids))
    )
    starts = select(StartVerification.step_id).where(col(StartVerification.step_id).in_(ids))
    recipe = recipe_of(session, lot.key)
    files = (
        select(CycleLog.step_id, CycleLog.sha256)
        .join(Yield, col(Yield.step_id) == CycleLog.step_id)
        .where(col(Yield.lot_id).in_(lineage(session, lot.key)))
        .distinct()
    )
    curves = sorted([step_id, sha256] for step_id, sha256 in session.exec(files))
    return {
        **(
            {"curves": curves} if curves else {}
        ),  # a lot without one is what its signatures covered before there were any
        "recipe": recipe.label if recipe else None,
        "steps": [[step.number, one.step_key, one.clearance, one.reason] for one, step in done],
        "verified_starts": sorted(session.exec(starts)),
        "verified_readings": sorted(session.exec(readings)),
    }
