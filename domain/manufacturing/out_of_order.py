"""A step out of the order of its recipe: with a reason, with a second person who agrees at once, and with a deviation."""

from collections.abc import Iterator
from typing import Protocol

from sqlmodel import Session, col, select

from domain.deviations.models import DeviationOrigin, Severity
from domain.errors import Reason
from domain.manufacturing.catalogue import step_kind
from domain.manufacturing.departures import Departure
from domain.manufacturing.execution_models import Execution, OrderWaiver
from domain.manufacturing.models import Step
from domain.manufacturing.recipe_models import Recipe
from domain.people.models import User
from domain.signatures import Credentials, Meaning, authenticate_second, manifested
from domain.work import Work


class Waived(Protocol):
    """What is asked of the command that starts a step out of order."""

    @property
    def out_of_order_reason(self) -> str: ...
    @property
    def second_person(self) -> Credentials | None: ...


def not_waived(command: Waived, recipe: Recipe, wanted: str, done: set[str]) -> Iterator[Reason]:
    """What is missing for a step out of order; wanted: what was about to be done. done: keys of the steps behind it."""
    if not command.out_of_order_reason:
        following = next((one.key for one in recipe.said.steps if one.key not in done), "nothing")
        text = f"{recipe.label} goes on with {following}, not with {wanted}; out of order needs a reason"
        yield Reason("step-out-of-order", text, "out_of_order_reason")
    if command.second_person is None:
        text = f"{wanted} is out of the order of {recipe.label}: a second person agrees, with username and password"
        yield Reason("second-person-needed", text, "second_person.username")


def waive(work: Work, step: Step, recipe: Recipe, step_key: str | None, command: Waived) -> Departure:
    """Write the second person's signature, and return what departs. Raises as `authenticate_second`."""
    assert command.second_person is not None, "not_waived refuses before"
    who = authenticate_second(work, command.second_person, "second_person")
    content = {
        "step": step.number,
        "kind": step.kind,
        "recipe": recipe.label,
        "recipe_step": step_key,
        "reason": command.out_of_order_reason,
        "started_by": work.actor.name,
    }
    signature = work.add(manifested(who, step, content, Meaning.APPROVED))
    work.add(
        OrderWaiver(step_id=step.key, signature_id=signature.key, waived_at=work.now, waived_by=who.user_id),
    )
    said = (
        f"{step_kind(step.kind).en} was begun out of the order of {recipe.label}: {command.out_of_order_reason}"
        f" (agreed by {who.name})"
    )
    return Departure(DeviationOrigin.STEP_ORDER, "step-out-of-order", said, Severity.MAJOR)


def order_said(session: Session, execution: Execution | None) -> str:
    """Why a step is out of order and who agreed; empty for one in order."""
    if execution is None or not execution.out_of_order:
        return ""
    agreed = select(User.name).join(OrderWaiver, col(OrderWaiver.waived_by) == User.id)
    name = session.exec(agreed.where(OrderWaiver.step_id == execution.step_id)).first()
    return f"{execution.reason} (agreed by {name})" if name else execution.reason
