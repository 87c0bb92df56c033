"""The chain of custody of a sample: handed over, received, stored, returned, consumed; who has it now follows from it."""

from collections.abc import Iterator

from pydantic import AwareDatetime, Field
from sqlmodel import Session, col, select

from domain.errors import Invalid, Reason, refuse_if_any
from domain.laboratory.control_models import Custody, CustodyEvent
from domain.laboratory.models import Sample
from domain.laboratory.samples import CLOCK_SKEW, LATE_AFTER, sample_named
from domain.people.models import User
from domain.permissions import Permission
from domain.work import Command, Work, operation

E = CustodyEvent


class RecordCustody(Command):
    """What happens to a sample. to_username: to a person here; to_name: to somebody outside, such as a contract laboratory."""

    sample_number: str
    event: CustodyEvent
    to_username: str | None = Field(default=None, max_length=60)
    to_name: str = Field(default="", max_length=200)
    place: str = Field(default="", max_length=120)
    comment: str = Field(default="", max_length=1000)
    happened_at: AwareDatetime | None = None


@operation(Permission.DRAW_SAMPLE)
def record_custody(work: Work, command: RecordCustody) -> Custody:
    """Only who has the sample hands it over or stores it; only to whom it was handed receives it."""
    sample = sample_named(work.session, command.sample_number)
    work.session.refresh(sample, with_for_update=True)  # of two at once the second sees what the first did
    chain = chain_of(work.session, sample)
    at = command.happened_at or work.now
    to = _person(work, command)
    refuse_if_any(_why_not(work, sample, chain, command))
    if at > work.now + CLOCK_SKEW or at < (chain[-1].happened_at if chain else sample.taken_at):
        text = "the links of the chain follow one another, and none is in the future"
        raise Invalid(Reason("time-impossible", text, "happened_at"))
    return work.add(
        Custody(
            sample_id=sample.key,
            event=command.event,
            to_user_id=to.id if to else None,
            to_name=command.to_name,
            place=command.place,
            comment=command.comment,
            happened_at=at,
            recorded_at=work.now,
            late=work.now - at > LATE_AFTER,
            recorded_by=work.actor.person,
        )
    )


def _person(work: Work, command: RecordCustody) -> User | None:
    handed = command.event is E.HANDED_OVER
    if handed != bool(command.to_username or command.to_name) or (command.to_username and command.to_name):
        text = "a hand-over names one receiver, here or outside; nothing else names one"
        raise Invalid(Reason("receiver-odd", text, "to_username"))
    if (command.event is E.STORED) != bool(command.place):
        raise Invalid(Reason("place-odd", "storing names the place; nothing else does", "place"))
    if not command.to_username:
        return None
    user = work.session.exec(select(User).where(User.username == command.to_username)).first()
    if user is None or user.id == work.actor.user_id:
        raise Invalid(
            Reason("receiver-odd", f"{command.to_username!r} is nobody else of this laboratory", "to_username")
        )
    return user


def _why_not(work: Work, sample: Sample, chain: list[Custody], command: RecordCustody) -> Iterator[Reason]:
    last = chain[-1] if chain else None
    under_way = last is not None and last.event is E.HANDED_OVER
    if last is not None and last.event is E.CONSUMED:
        yield Reason("sample-consumed", f"sample {sample.number} is used up", "sample_number")
    elif command.event is E.RECEIVED:
        if last is None or not under_way or last.to_user_id != work.actor.user_id:
            yield Reason("not-the-receiver", f"nobody handed sample {sample.number} to {work.actor.name}", "event")
    elif command.event is E.RETURNED:
        if last is None or not under_way or last.to_user_id is not None:
            text = f"sample {sample.number} is not with anybody outside, so nobody returns it"
            yield Reason("not-outside", text, "event")
    elif under_way or holder_of(sample, chain) not in (None, work.actor.user_id):
        yield Reason("not-the-holder", f"sample {sample.number} is not in the hands of {work.actor.name}", "event")


def chain_of(session: Session, sample: Sample) -> list[Custody]:
    """Every link, oldest first."""
    found = select(Custody).where(Custody.sample_id == sample.id)
    return list(session.exec(found.order_by(col(Custody.id))))


def holder_of(sample: Sample, chain: list[Custody]) -> int | None:
    """Who has the sample (user id): who took it, or received it last; None where it is stored and anybody may fetch it, or outside."""
    holder: int | None = sample.taken_by
    for link in chain:
        holder = link.recorded_by if link.event in (E.RECEIVED, E.RETURNED) else None
    return holder
