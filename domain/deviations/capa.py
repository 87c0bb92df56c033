"""Corrective and preventive actions: owned, due on a day, done with evidence, and closed by QA once they helped (ICH Q10 3.2.2)."""

from datetime import date

from pydantic import Field
from sqlmodel import col, select

from domain.deviations.models import CapaAction, CapaCheck, CapaCompletion, CapaKind
from domain.deviations.opening import NUMBER
from domain.deviations.operations import Why, deviation_named
from domain.errors import Conflict, Invalid, NotFound, Reason, Refused
from domain.lots.numbers import next_number
from domain.people.models import User
from domain.permissions import Permission
from domain.signatures import Credentials, Meaning, sign
from domain.work import Attachment, Command, Work, operation


class PlanAction(Command):
    """What is to be done, by whom, until when, and when it is looked at whether it helped."""

    kind: CapaKind
    text: str = Why
    owner: str = Field(description="username")
    due_on: date
    check_due_on: date


class RaiseCapa(PlanAction):
    """An action that a deviation asks for; also after it was closed."""

    deviation_number: str


class CompleteCapa(Command):
    """The owner says that it is done, and what shows it."""

    number: str
    evidence: str = Why
    attachment: Attachment | None = None


class CheckCapa(Command):
    """QA says whether it helped. What did not help is followed by another action, which is raised in the same act."""

    number: str
    effective: bool
    finding: str = Why
    next_action: PlanAction | None = None
    credentials: Credentials


@operation(Permission.INVESTIGATE_DEVIATION)
def raise_capa(work: Work, command: RaiseCapa) -> CapaAction:
    """Numbered; its owner is somebody who works here."""
    deviation = deviation_named(work.session, command.deviation_number)
    return _planned(work, deviation.key, command)


@operation(Permission.OPEN_DEVIATION)
def complete_capa(work: Work, command: CompleteCapa) -> CapaCompletion:
    """By its owner alone, once."""
    action = _action(work, command.number)
    if action.owner_id != work.actor.user_id:
        raise Refused(Reason("not-the-owner", f"only its owner can say that {action.number} is done"))
    if _completion(work, action) is not None:
        raise Conflict(Reason("capa-done", f"{action.number} was done already", "number"))
    return work.add(
        CapaCompletion(
            action_id=action.key,
            evidence=command.evidence,
            document_sha256=work.keep_attachment(command.attachment),
            completed_at=work.now,
            completed_by=work.actor.person,
        )
    )


@operation(Permission.DECIDE_DEVIATION)
def check_capa(work: Work, command: CheckCapa) -> CapaCheck:
    """By somebody else than its owner, after it was done, with a signature."""
    action = _action(work, command.number)
    done = _completion(work, action)
    if done is None:
        raise Refused(Reason("capa-not-done", f"{action.number} is not done yet", "number"))
    if action.owner_id == work.actor.user_id:
        raise Refused(Reason("not-by-same-person", f"who did {action.number} does not say whether it helped"))
    if work.session.exec(select(CapaCheck.id).where(CapaCheck.action_id == action.id)).first() is not None:
        raise Conflict(Reason("capa-checked", f"{action.number} was checked already", "number"))
    if command.effective == (command.next_action is not None):
        text = "what did not help is followed by another action, and what helped is not"
        raise Invalid(Reason("capa-next-action", text, "next_action"))
    content = {
        "action": action.number,
        "text": action.text,
        "evidence": done.evidence,
        "document": done.document_sha256,
        "effective": command.effective,
        "finding": command.finding,
    }
    signature = sign(work, action, content, Meaning.REVIEWED, command.credentials)
    if command.next_action is not None:
        _planned(work, action.deviation_id, command.next_action, follows=action)
    return work.add(
        CapaCheck(
            action_id=action.key,
            effective=command.effective,
            finding=command.finding,
            checked_at=work.now,
            checked_by=work.actor.person,
            signature_id=signature.key,
        )
    )


def _planned(work: Work, deviation_id: int, plan: PlanAction, follows: CapaAction | None = None) -> CapaAction:
    owner = work.session.exec(select(User).where(User.username == plan.owner, col(User.active).is_(True))).first()
    if owner is None:
        raise NotFound(Reason("user-not-found", f"nobody works here under the username {plan.owner!r}", "owner"))
    if not work.today <= plan.due_on <= plan.check_due_on:
        text = "an action is due from today on, and its check not before it is due"
        raise Invalid(Reason("due-date", text, "due_on"))
    twin = select(CapaAction.number).where(
        CapaAction.deviation_id == deviation_id, CapaAction.text == plan.text, CapaAction.owner_id == owner.id
    )
    if twin_number := work.session.exec(twin).first():
        raise Conflict(Reason("exists-already", f"the same action was raised already as {twin_number}", "text"))
    return work.add(
        CapaAction(
            number=next_number(work, NUMBER, "CAPA", work.today),
            deviation_id=deviation_id,
            kind=plan.kind,
            text=plan.text,
            owner_id=owner.key,
            due_on=plan.due_on,
            check_due_on=plan.check_due_on,
            raised_at=work.now,
            raised_by=work.actor.person,
            follows_id=follows.key if follows else None,
        )
    )


def _action(work: Work, number: str) -> CapaAction:
    if found := work.session.exec(select(CapaAction).where(CapaAction.number == number).with_for_update()).first():
        return found
    raise NotFound(Reason("capa-not-found", f"there is no action {number!r}", "number"))


def _completion(work: Work, action: CapaAction) -> CapaCompletion | None:
    return work.session.exec(select(CapaCompletion).where(CapaCompletion.action_id == action.id)).first()
