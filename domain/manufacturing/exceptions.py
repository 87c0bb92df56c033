"""QA's exception from a gate: equipment that is due, or a person who is not trained, may be used until a day. It opens a deviation."""

from datetime import date
from typing import Any, Literal

from pydantic import Field
from sqlmodel import col, select

from domain.deviations.models import Deviation, DeviationOrigin, Severity
from domain.deviations.opening import open_deviation
from domain.equipment.models import Equipment, EquipmentException
from domain.equipment.register import equipment_coded
from domain.errors import Invalid, Reason, Refused
from domain.lots.models import Lot, Yield
from domain.lots.operations import lots_named
from domain.manufacturing.execution_models import EquipmentUse
from domain.manufacturing.models import Step
from domain.people.models import User
from domain.people.operations import user_named
from domain.people.training import TrainedFor, TrainingException
from domain.permissions import Permission
from domain.signatures import Credentials, Meaning, Signature, sign
from domain.work import Command, Work, operation

LONGEST_DAYS = 31


class ApproveException(Command):
    """Let equipment be used although it is not fit, or a person although not trained, until a day.

    code: of the equipment, or of the kind of step or method. username: of the person. valid_from: today, or an earlier day for what was
    done already. lots: that it is known to touch; every lot that is made under it is added to its deviation.
    """

    of: Literal["equipment", "training"]
    code: str = Field(min_length=1, max_length=60)
    username: str | None = None
    subject: TrainedFor = TrainedFor.STEP
    valid_from: date | None = None
    valid_until: date
    reason: str = Field(min_length=10, max_length=1000)
    lots: tuple[str, ...] = Field(default=(), max_length=50)
    credentials: Credentials


@operation(Permission.APPROVE_EXCEPTION)
def approve_exception(work: Work, command: ApproveException) -> EquipmentException | TrainingException:
    """Signed by QA, who says why; nobody excepts themselves."""
    first = command.valid_from or work.today
    if not first <= command.valid_until:
        raise Invalid(Reason("times-reversed", f"it would end on {command.valid_until}, before {first}", "valid_until"))
    if (command.valid_until - max(first, work.today)).days > LONGEST_DAYS:
        text = f"an exception lasts {LONGEST_DAYS} days at most; after that the cause is mended"
        raise Refused(Reason("exception-too-long", text, "valid_until"))
    if (command.of == "training") != (command.username is not None):
        raise Invalid(Reason("person-with-training", "an exception from training names the person", "username"))
    if command.of == "equipment":
        return _of_equipment(work, command, first)
    return _of_training(work, command, first)


def _of_equipment(work: Work, command: ApproveException, first: date) -> EquipmentException:
    equipment = equipment_coded(work.session, command.code)
    signature = _signed(work, equipment, command, first)
    text = f"{equipment.code} may be used until {command.valid_until} by exception: {command.reason}"
    deviation = _opened(work, command, DeviationOrigin.EQUIPMENT, text, _made_already(work, equipment, first))
    return work.add(
        EquipmentException(equipment_id=equipment.key, **_facts(work, command, first, signature, deviation))
    )


def _of_training(work: Work, command: ApproveException, first: date) -> TrainingException:
    user = user_named(work.session, command.username or "")
    if user.id == work.actor.user_id:
        raise Refused(Reason("not-by-same-person", f"{user.name} may not except {user.name}", "username"))
    signature = _signed(work, user, command, first)
    what = f"{command.subject.value} {command.code}"
    text = f"{user.name} may do {what} until {command.valid_until} by exception: {command.reason}"
    deviation = _opened(work, command, DeviationOrigin.TRAINING, text, [])
    return work.add(
        TrainingException(
            user_id=user.key,
            subject=command.subject,
            code=command.code,
            **_facts(work, command, first, signature, deviation),
        )
    )


def _facts(
    work: Work, command: ApproveException, first: date, signature: Signature, deviation: Deviation
) -> dict[str, Any]:
    return {
        "valid_from": first,
        "valid_until": command.valid_until,
        "reason": command.reason,
        "approved_at": work.now,
        "approved_by": work.actor.person,
        "signature_id": signature.key,
        "deviation_id": deviation.key,
    }


def _signed(work: Work, record: Equipment | User, command: ApproveException, first: date) -> Signature:
    content = command.model_dump(mode="json", exclude={"credentials"}) | {"valid_from": first.isoformat()}
    return sign(work, record, content, Meaning.APPROVED, command.credentials)


def _opened(work: Work, command: ApproveException, origin: DeviationOrigin, text: str, made: list[Lot]) -> Deviation:
    named = list(lots_named(work, command.lots).values()) if command.lots else []
    return open_deviation(
        work, origin, f"{command.of}-exception", text, [*named, *made], severity=Severity.MAJOR, by_system=False
    )


def _made_already(work: Work, equipment: Equipment, first: date) -> list[Lot]:
    """What was made with it on the days that the exception covers, for one that is given afterwards."""
    found = (
        select(Lot, Step)
        .join(Yield, col(Yield.lot_id) == Lot.id)
        .join(Step, col(Yield.step_id) == Step.id)
        .join(EquipmentUse, col(EquipmentUse.step_id) == Step.id)
        .where(EquipmentUse.equipment_id == equipment.id)
    )
    return [lot for lot, step in work.session.exec(found) if work.site.today(step.ended_at or step.started_at) >= first]
