"""Training: who may do which kind of step or use which method, and until when (21 CFR 211.25; EU GMP Chapter 2)."""

from collections.abc import Iterator
from datetime import date, datetime
from enum import StrEnum

import sqlalchemy as sa
from pydantic import Field as Given
from sqlmodel import Field, Session, col, select

from domain.errors import Invalid, Reason, Refused
from domain.people.models import User
from domain.people.operations import user_named
from domain.permissions import Permission
from domain.store import AppendOnly, Prepared, coded, moment
from domain.work import Command, View, Work, operation


class TrainedFor(StrEnum):
    """What somebody is trained for: a kind of step of the process catalogue, or a method of the laboratory."""

    STEP = "step"
    METHOD = "method"


class TrainingRequirement(AppendOnly, table=True):
    """Whether a kind of step, or a method, asks for training; the newest counts, and without one it does not."""

    subject: TrainedFor = coded(TrainedFor)
    code: str = Field(index=True)
    required: bool
    reason: str
    decided_at: datetime = moment()
    decided_by: int = Field(foreign_key="app_user.id")


_required = Prepared(
    sa.select(col(TrainingRequirement.required).label("required"))
    .where(
        col(TrainingRequirement.subject) == sa.bindparam("subject"),
        col(TrainingRequirement.code) == sa.bindparam("code"),
    )
    .order_by(col(TrainingRequirement.id).desc())
    .limit(1)
)


class TrainingRecord(AppendOnly, table=True):
    """Somebody was trained by another, until a day; the newest record counts, so that one that ends earlier takes training away."""

    user_id: int = Field(foreign_key="app_user.id", index=True)
    subject: TrainedFor = coded(TrainedFor)
    code: str
    trained_on: date
    valid_until: date
    trainer_id: int = Field(foreign_key="app_user.id")
    evidence: str
    recorded_at: datetime = moment()
    recorded_by: int = Field(foreign_key="app_user.id")

    __table_args__ = (
        sa.CheckConstraint("valid_until >= trained_on", name="validity"),
        sa.CheckConstraint("trainer_id <> user_id", name="trainer"),
    )


class TrainingException(AppendOnly, table=True):
    """QA signed that somebody untrained may do it, until a day; the deviation that this opened is named."""

    user_id: int = Field(foreign_key="app_user.id", index=True)
    subject: TrainedFor = coded(TrainedFor)
    code: str
    valid_from: date
    valid_until: date
    reason: str
    approved_at: datetime = moment()
    approved_by: int = Field(foreign_key="app_user.id")
    signature_id: int = Field(foreign_key="signature.id")
    deviation_id: int = Field(foreign_key="deviation.id")


Code = Given(min_length=1, max_length=60, description="code of a kind of step, or of a method")
Why = Given(min_length=3, max_length=1000)


class RequireTraining(Command):
    """Say that a kind of step or a method asks for training, or no longer does."""

    subject: TrainedFor
    code: str = Code
    required: bool = True
    reason: str = Why


class RecordTraining(Command):
    """Record that somebody was trained; the trainer is somebody else."""

    username: str
    subject: TrainedFor
    code: str = Code
    trained_on: date
    valid_until: date
    trainer: str = Given(description="username of the trainer")
    evidence: str = Given(min_length=2, max_length=500, examples=["Attendance list TR-2026-014"])


class TrainingView(View):
    """A training record as shown; `counts` for the newest of its person and subject, `valid` if it covers the day asked about."""

    username: str
    name: str
    subject: TrainedFor
    code: str
    trained_on: date
    valid_until: date
    trainer: str
    evidence: str
    recorded_at: datetime
    counts: bool
    valid: bool


class RequirementView(View):
    """A kind of step or method that asks for training."""

    subject: TrainedFor
    code: str
    reason: str
    decided_at: datetime


@operation(Permission.RECORD_TRAINING)
def require_training(work: Work, command: RequireTraining) -> TrainingRequirement:
    """From now on only the trained do it, or all again."""
    facts = command.model_dump()
    return work.add(TrainingRequirement(**facts, decided_at=work.now, decided_by=work.actor.person))


@operation(Permission.RECORD_TRAINING)
def record_training(work: Work, command: RecordTraining) -> TrainingRecord:
    """Nobody records their own training, nor trains themselves."""
    user, trainer = user_named(work.session, command.username), user_named(work.session, command.trainer)
    if user.id == trainer.id:
        raise Refused(Reason("own-training", f"{user.name} cannot be trained by {user.name}", "trainer"))
    if user.id == work.actor.user_id:
        raise Refused(Reason("own-training", f"{user.name} cannot record training of their own", "username"))
    if command.trained_on > work.today:
        raise Invalid(Reason("in-the-future", f"{command.trained_on} is in the future", "trained_on"))
    if command.valid_until < command.trained_on:
        text = f"the training would end on {command.valid_until}, before it was given"
        raise Invalid(Reason("times-reversed", text, "valid_until"))
    return work.add(
        TrainingRecord(
            **command.model_dump(exclude={"username", "trainer"}),
            user_id=user.key,
            trainer_id=trainer.key,
            recorded_at=work.now,
            recorded_by=work.actor.person,
        )
    )


def is_required(session: Session, subject: TrainedFor, code: str) -> bool:
    """Whether this kind of step or method asks for training."""
    rows = _required.rows(session.connection(), subject=subject, code=code)
    return bool(rows and rows[0].required)


def untrained(session: Session, user_id: int, method_code: str, at: datetime) -> Iterator[Reason]:
    """Why somebody may not use a method then; nothing, where the method asks for no training.

    at: on the clock of the site, whose calendar date counts.
    """
    if is_required(session, TrainedFor.METHOD, method_code):
        yield from lacking(session, user_id, TrainedFor.METHOD, method_code, at.date())


def lacking(session: Session, user_id: int, subject: TrainedFor, code: str, on: date) -> Iterator[Reason]:
    """Why somebody's training does not cover that day: never trained, not yet, or no longer; nothing while an exception of QA stands."""
    newest = (
        select(TrainingRecord)
        .where(TrainingRecord.user_id == user_id, TrainingRecord.subject == subject, TrainingRecord.code == code)
        .order_by(col(TrainingRecord.id).desc())
    )
    record = session.exec(newest.limit(1)).first()
    if record is not None and record.trained_on <= on <= record.valid_until:
        return
    if exception_for(session, user_id, subject, code, on) is not None:
        return
    name = session.get_one(User, user_id).name
    if record is None:
        said = "no training is recorded"
    elif on < record.trained_on:
        said = f"the training was on {record.trained_on} only"
    else:
        said = f"the training ended on {record.valid_until}"
    yield Reason("not-trained", f"{name} is not trained for {subject.value} {code} on {on}: {said}", "training")


def exception_for(session: Session, user_id: int, subject: TrainedFor, code: str, on: date) -> TrainingException | None:
    """The newest exception that covers that day."""
    found = (
        select(TrainingException)
        .where(
            TrainingException.user_id == user_id, TrainingException.subject == subject, TrainingException.code == code
        )
        .where(col(TrainingException.valid_from) <= on, col(TrainingException.valid_until) >= on)
        .order_by(col(TrainingException.id).desc())
    )
    return session.exec(found.limit(1)).first()


def training_records(session: Session, on: date) -> list[TrainingView]:
    """Every record, by person and subject, the newest of each first."""
    people = {user.key: user for user in session.exec(select(User))}
    seen: set[tuple[int, str, str]] = set()
    shown = []
    for one in session.exec(select(TrainingRecord).order_by(col(TrainingRecord.id).desc())):
        place = (one.user_id, one.subject, one.code)
        facts = {name: getattr(one, name) for name in TrainingView.model_fields if hasattr(one, name)}
        shown.append(
            TrainingView(
                **facts,
                username=people[one.user_id].username,
                name=people[one.user_id].name,
                trainer=people[one.trainer_id].name,
                counts=place not in seen,
                valid=place not in seen and one.trained_on <= on <= one.valid_until,
            )
        )
        seen.add(place)
    return sorted(shown, key=lambda one: (one.name, one.subject, one.code))


def requirements(session: Session) -> list[RequirementView]:
    """What asks for training now."""
    newest = {
        (one.subject, one.code): one
        for one in session.exec(select(TrainingRequirement).order_by(col(TrainingRequirement.id)))
    }
    return [RequirementView.model_validate(one) for one in newest.values() if one.required]
