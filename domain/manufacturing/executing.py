"""A step under its recipe: which step it carries out, what stands against it, and what departs from the recipe.

A lot pins the version of the recipe at the first step that is done for its product; every later step finds it through what it takes. A product
without an approved recipe is made by the catalogue alone. What departs is accepted with a comment, and opens a deviation in the same act.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol

import sqlalchemy as sa
from sqlmodel import Session, col, select

from domain.deviations.models import DeviationOrigin, Severity
from domain.equipment import register
from domain.equipment.models import Equipment
from domain.errors import Invalid, Reason, Refused
from domain.lots.genealogy import lineage
from domain.lots.models import Lot, Product, Yield
from domain.manufacturing.bill import Taken, bill_departures, stray_materials, unfit_materials
from domain.manufacturing.catalogue import StepKind
from domain.manufacturing.departures import Departure, demand_comment, depart, touched
from domain.manufacturing.execution_models import EquipmentUse, Execution
from domain.manufacturing.models import Step
from domain.manufacturing.out_of_order import Waived, not_waived, waive
from domain.manufacturing.recipe_models import Recipe, RecipeContent, RecipeStep, governed_kind, read_content
from domain.manufacturing.recipes import effective_recipe, hours
from domain.people import training
from domain.people.training import TrainedFor
from domain.quantities import format_decimal
from domain.store import Prepared
from domain.work import Work

_execution = Prepared(
    sa.select(col(Execution.step_key).label("step_key"), col(Recipe.content).label("content"))
    .join(Recipe, col(Execution.recipe_id) == Recipe.id)
    .where(col(Execution.step_id) == sa.bindparam("step_id"))
)


class Begun(Waived, Protocol):
    """What is asked of the command that starts a step."""

    @property
    def equipment_codes(self) -> Sequence[str]: ...
    @property
    def clearance(self) -> str: ...
    @property
    def recipe_step(self) -> str | None: ...
    @property
    def comment(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Plan:
    """What a start rests on: the pinned recipe and its step (None without one), equipment, exceptions in use, departures."""

    recipe: Recipe | None
    step: RecipeStep | None
    equipment: tuple[Equipment, ...]
    exceptions: frozenset[int]
    departures: tuple[Departure, ...]
    out_of_order: bool = False


def plan_start(
    work: Work, command: Begun, kind: StepKind, product: Product | None, taken: Sequence[Taken], at: datetime
) -> Plan:
    """Which step of which recipe this start carries out. Raises Refused with all that stands against it, Invalid without a comment."""
    session, on, lots = work.session, work.site.today(at), [one.lot for one in taken]
    equipment = tuple(
        register.equipment_coded(session, code, "equipment_codes") for code in dict.fromkeys(command.equipment_codes)
    )
    reasons, exceptions = _gates(session, equipment, at, on)
    recipe = pinned_recipe(session, product, lots, on)
    step, out_of_order, departures = None, False, list[Departure]()
    if recipe is not None:
        done = keys_done(session, recipe, [lot.key for lot in lots])
        step, out_of_order = _chosen(recipe.said, kind, command.recipe_step, done)
        reasons += [*_order(command, recipe, step, kind, out_of_order, done)]
        if step is not None:
            reasons += [
                *_missing_classes(step, equipment),
                *stray_materials(session, step, taken),
                *unfit_materials(session, taken, on),
            ]
            departures += [
                *bill_departures(session, step, taken),
                *_missed_holds(session, recipe.said, step, recipe, [lot.key for lot in lots], at),
            ]
    elif command.recipe_step is not None:
        reasons.append(Reason("no-recipe", "no approved recipe governs this step", "recipe_step"))
    needed = step.training_needed if step is not None else None
    told, used = _training(session, work.actor.person, kind.code, on, needed)
    reasons += told
    if reasons:
        raise Refused(*reasons)
    demand_comment(command.comment, departures)
    return Plan(recipe, step, equipment, exceptions | used, tuple(departures), out_of_order)


def started(work: Work, step: Step, plan: Plan, command: Begun, lots: Sequence[Lot]) -> None:
    """Write what the start pinned and used, and open what departs."""
    for one in plan.equipment:
        work.add(EquipmentUse(step_id=step.key, equipment_id=one.key))
    if plan.recipe is not None:
        work.add(
            Execution(
                step_id=step.key,
                recipe_id=plan.recipe.key,
                step_key=plan.step.key if plan.step else None,
                clearance=command.clearance,
                out_of_order=plan.out_of_order,
                reason=command.out_of_order_reason,
            )
        )
    departures = list(plan.departures)
    if plan.recipe is not None and plan.out_of_order:
        departures.append(waive(work, step, plan.recipe, plan.step.key if plan.step else None, command))
    depart(work, step.key, departures, lots, step.started_at)
    touched(work, plan.exceptions, lots)


def pinned_recipe(session: Session, product: Product | None, lots: Sequence[Lot], on: date) -> Recipe | None:
    """The version that the lots pin; at the first step of a product the one in force; None where no recipe governs."""
    if product is None:
        return None
    ids = lineage(session, *(lot.key for lot in lots))
    pinned = session.exec(
        select(Recipe)
        .join(Execution, col(Execution.recipe_id) == Recipe.id)
        .join(Yield, col(Yield.step_id) == Execution.step_id)
        .where(col(Yield.lot_id).in_(ids), Recipe.product_id == product.id)
        .distinct()
    ).all()
    if len(pinned) > 1:
        versions = " and ".join(sorted(one.label for one in pinned))
        raise Refused(Reason("recipes-differ", f"these lots were made by {versions}; they cannot be joined", "inputs"))
    if pinned:
        return pinned[0]
    for_product = select(Lot.id).where(col(Lot.id).in_(ids), Lot.product_id == product.id)
    begun_without = session.exec(for_product.limit(1)).first() is not None
    return None if begun_without else effective_recipe(session, product.key, on)


def executed(session: Session, lot_ids: Iterable[int], recipe: Recipe | None = None) -> list[tuple[Execution, Step]]:
    """What was carried out on the way to the lots, in order of the start."""
    found = (
        select(Execution, Step)
        .join(Step, col(Execution.step_id) == Step.id)
        .join(Yield, col(Yield.step_id) == Step.id)
        .where(col(Yield.lot_id).in_(lineage(session, *lot_ids)))
    )
    if recipe is not None:
        found = found.where(Execution.recipe_id == recipe.id)
    rows = {execution.key: (execution, step) for execution, step in session.exec(found)}
    return sorted(rows.values(), key=lambda row: (row[1].started_at, row[1].key))


def keys_done(session: Session, recipe: Recipe, lot_ids: Iterable[int]) -> set[str]:
    """The steps of the recipe that are done on the way to the lots."""
    return {one.step_key for one, _ in executed(session, lot_ids, recipe) if one.step_key is not None}


def governed_step(session: Session, step_id: int) -> tuple[RecipeContent, RecipeStep] | None:
    """The recipe and its step that a step carries out, if any."""
    rows = _execution.rows(session.connection(), step_id=step_id)
    if not rows or rows[0].step_key is None:
        return None
    content = read_content(rows[0].content)
    step = content.step(rows[0].step_key)
    assert step is not None, "a recipe keeps its steps"
    return content, step


def kind_on(session: Session, step_id: int, kind: StepKind) -> StepKind:
    """The kind of step as the recipe of this step narrows it; itself without one."""
    rows = _execution.rows(session.connection(), step_id=step_id)
    return governed_kind(rows[0].content, rows[0].step_key) if rows and rows[0].step_key else kind


def is_governed(session: Session, step_id: int) -> bool:
    """Whether a recipe governs the step, be it one that it asks for or not."""
    return bool(_execution.rows(session.connection(), step_id=step_id))


def refuse_untrained(work: Work, step_id: int, kind: str) -> None:
    """Whoever records on a step or completes it is trained for its kind, where recipe or kind ask for that. Raises Refused."""
    found = governed_step(work.session, step_id)
    needed = found[1].training_needed if found else None
    told, used = _training(work.session, work.actor.person, kind, work.today, needed)
    if told:
        raise Refused(*told)
    if used:
        made = select(Lot).join(Yield, col(Yield.lot_id) == Lot.id).where(Yield.step_id == step_id)
        touched(work, used, work.session.exec(made).all())


def _training(
    session: Session, user_id: int, kind: str, on: date, needed: bool | None
) -> tuple[list[Reason], frozenset[int]]:
    """Why the person may not do a step of this kind; and the deviations of the exceptions that let them."""
    if not needed and not training.is_required(session, TrainedFor.STEP, kind):
        return [], frozenset()
    told = list(training.lacking(session, user_id, TrainedFor.STEP, kind, on))
    excepted = training.exception_for(session, user_id, TrainedFor.STEP, kind, on)
    return told, frozenset([excepted.deviation_id] if excepted and not told else [])


def _gates(
    session: Session, equipment: Sequence[Equipment], at: datetime, on: date
) -> tuple[list[Reason], frozenset[int]]:
    """Why equipment may not be used, unless QA signed an exception; and the deviations of the exceptions in use."""
    told: list[Reason] = []
    used: set[int] = set()
    for one in equipment:
        reasons = list(register.unfit(session, one, at, on))
        excepted = register.exception_for(session, one.key, on) if reasons else None
        if excepted is not None:
            used.add(excepted.deviation_id)
        else:
            told += reasons
    return told, frozenset(used)


def _chosen(
    content: RecipeContent, kind: StepKind, wanted: str | None, done: set[str]
) -> tuple[RecipeStep | None, bool]:
    """The step that is carried out, and whether it is out of order; without a name the first open one of the kind."""
    following = next((step for step in content.steps if step.key not in done), None)
    if wanted is not None:
        named = content.step(wanted)
        if named is None or named.kind != kind.code:
            known = ", ".join(step.key for step in content.steps if step.kind == kind.code) or "none"
            text = f"the recipe has no step {wanted!r} of the kind {kind.code}; it has {known}"
            raise Invalid(Reason("step-unknown", text, "recipe_step"))
        return named, following is None or named.key != following.key
    if following is not None and following.kind == kind.code:
        return following, False
    open_ones = (step for step in content.steps if step.kind == kind.code and step.key not in done)
    return next(open_ones, None), True


def _order(
    command: Begun, recipe: Recipe, step: RecipeStep | None, kind: StepKind, out_of_order: bool, done: set[str]
) -> Iterator[Reason]:
    if out_of_order:
        yield from not_waived(command, recipe, step.key if step else kind.code, done)
    if (step is None or step.line_clearance) and not command.clearance:
        text = "say what was seen of room and line: free of other products, materials, labels and papers, and clean"
        yield Reason("clearance-needed", text, "clearance")


def _missing_classes(step: RecipeStep, equipment: Sequence[Equipment]) -> Iterator[Reason]:
    """A recipe that names equipment refuses a step without it."""
    have = {one.equipment_class for one in equipment}
    for wanted in step.equipment_classes:
        if wanted not in have:
            text = f"{step.key} is done with equipment of the class {wanted}; none was named"
            yield Reason("equipment-missing", text, "equipment_codes")
    if step.room_classes and not have & set(step.room_classes):
        text = f"{step.key} is done in a room of the class {' or '.join(step.room_classes)}; none was named"
        yield Reason("room-missing", text, "equipment_codes")


def _missed_holds(
    session: Session, content: RecipeContent, step: RecipeStep, recipe: Recipe, lot_ids: Sequence[int], at: datetime
) -> Iterator[Departure]:
    """Hold times that were over before this start; the earliest end counts, as the oldest part waited longest."""
    for hold in content.hold_times:
        if hold.before != step.key:
            continue
        ends = [
            before.ended_at
            for one, before in executed(session, lot_ids, recipe)
            if one.step_key == hold.after and before.ended_at is not None
        ]
        if ends and at > min(ends) + timedelta(hours=float(hours(hold))):
            waited = (at - min(ends)) / timedelta(hours=1)
            text = (
                f"{step.key} began {waited:.1f} h after the end of {hold.after};"
                f" at most {format_decimal(hours(hold))} h are allowed."
            )
            yield Departure(DeviationOrigin.HOLD_TIME, "hold-time-missed", text, Severity.MAJOR)
