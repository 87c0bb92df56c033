"""What the recipe says of one step, as shown beside it."""

from datetime import datetime

from sqlmodel import Session, col, select

from domain.deviations.models import Deviation
from domain.equipment.models import Equipment
from domain.errors import NotFound, Reason
from domain.lots.models import Yield
from domain.manufacturing.catalogue import StepKind, step_kind
from domain.manufacturing.control import HoldClock, hold_clocks
from domain.manufacturing.cycle_logs import CycleView, cycle_shown
from domain.manufacturing.executing import kind_on
from domain.manufacturing.execution_models import EquipmentUse, Execution, StartVerification
from domain.manufacturing.models import Step
from domain.manufacturing.out_of_order import order_said
from domain.manufacturing.recipe_models import Recipe, SamplePoint
from domain.manufacturing.verifying import unverified_readings
from domain.people.models import User
from domain.work import View


class StepControl(View):
    """recipe: the pinned version; empty where none governs the step. unverified: ids of critical readings that wait for a second person."""

    recipe: str
    recipe_place: str
    step_key: str
    instruction: str
    clearance: str
    out_of_order: str
    equipment: tuple[str, ...]
    samples: tuple[SamplePoint, ...]
    start_verified_by: str
    unverified: tuple[int, ...]
    clocks: tuple[HoldClock, ...]
    deviations: tuple[tuple[str, str], ...]
    cycle: CycleView | None = None


def kind_of_step(session: Session, number: str) -> StepKind:
    """The kind of a step as its recipe narrows it: required and critical parameters, limits. Raises NotFound."""
    step = session.exec(select(Step).where(Step.number == number)).first()
    if step is None:
        raise NotFound(Reason("step-not-found", f"there is no step {number!r}", "step_number"))
    return kind_on(session, step.key, step_kind(step.kind))


def step_control(session: Session, number: str, now: datetime) -> StepControl:
    """How a step stands under its recipe. Raises NotFound."""
    step = session.exec(select(Step).where(Step.number == number)).first()
    if step is None:
        raise NotFound(Reason("step-not-found", f"there is no step {number!r}", "step_number"))
    execution = session.exec(select(Execution).where(Execution.step_id == step.id)).first()
    recipe = session.get_one(Recipe, execution.recipe_id) if execution else None
    planned = recipe.said.step(execution.step_key or "") if recipe and execution else None
    seen = session.exec(select(StartVerification).where(StartVerification.step_id == step.id)).first()
    used = select(Equipment.code, Equipment.name).join(EquipmentUse, col(EquipmentUse.equipment_id) == Equipment.id)
    lots = session.exec(select(Yield.lot_id).where(Yield.step_id == step.id)).all()
    opened = select(Deviation.number, Deviation.text).where(Deviation.step_id == step.id).order_by(col(Deviation.id))
    return StepControl(
        recipe=recipe.label if recipe else "",
        recipe_place=f"/recipes/{recipe.code}/{recipe.revision}" if recipe else "",
        step_key=(execution.step_key or "") if execution else "",
        instruction=planned.instruction if planned else "",
        clearance=execution.clearance if execution else "",
        out_of_order=order_said(session, execution),
        equipment=tuple(f"{code} {name}" for code, name in session.exec(used.where(EquipmentUse.step_id == step.id))),
        samples=planned.samples if planned else (),
        start_verified_by=session.get_one(User, seen.verified_by).name if seen else "",
        unverified=tuple(one.key for one in unverified_readings(session, step)) if recipe else (),
        clocks=tuple(hold_clocks(session, lots, now)),
        deviations=tuple((number_, text) for number_, text in session.exec(opened)),
        cycle=cycle_shown(session, step.key) if step.kind == "lyophilization" else None,
    )
