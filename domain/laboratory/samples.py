"""Samples: drawn from a lot, which then pins what it is tested against."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from pydantic import AwareDatetime, Field
from sqlmodel import Session, col, select

from domain.errors import Invalid, NotFound, Reason, Refused
from domain.laboratory.control_models import LotSamplingPlan, SamplingPlan, SamplingPlanApproval
from domain.laboratory.models import (
    LotSpecification,
    Purpose,
    Reserve,
    Sample,
    SampleTest,
)
from domain.laboratory.queries import specifications_of
from domain.laboratory.specifications import effective_specifications
from domain.lots import lifecycle
from domain.lots.models import Lot, LotKind, LotState
from domain.lots.numbers import count_in
from domain.lots.operations import Amount, lot_named, take
from domain.permissions import Permission
from domain.work import Command, Work, operation

LATE_AFTER = timedelta(hours=24)


CLOCK_SKEW = timedelta(minutes=5)


class DrawSample(Command):
    """Take a sample from a lot; the first one of a drug product pins the specification it is judged against."""

    lot_number: str
    quantity: Amount
    purpose: str = Field(default="release", max_length=60)
    taken_at: AwareDatetime | None = None
    comment: str = Field(default="", max_length=1000)


@operation(Permission.DRAW_SAMPLE)
def draw_sample(work: Work, command: DrawSample) -> Sample:
    """The quantity comes off the lot; a drug product needs an approved specification to be tested against."""
    lot = lot_named(work, command.lot_number)
    taken = Taken(command.quantity, command.purpose, command.taken_at or work.now, command.comment)
    return draw(work, lot, taken)


@dataclass(frozen=True)
class Taken:
    """What is taken from a lot, by hand or by the sampling plan."""

    quantity: Amount
    purpose: str
    taken_at: datetime
    comment: str = ""
    plan_line_id: int | None = None
    reserve: Reserve | None = None
    tests: tuple[str, ...] = ()


def draw(work: Work, lot: Lot, taken: Taken) -> Sample:
    """Take a sample of a locked lot."""
    state = lifecycle.state_on(lot.state, lot.expires_on, work.today)
    if state in (LotState.IN_PROCESS, LotState.REJECTED, LotState.RECALLED):
        raise Refused(
            Reason("lot-not-usable", f"lot {lot.lot_number} is {state.value}; no sample is drawn from it", "lot_number")
        )
    if taken.taken_at > work.now + CLOCK_SKEW or taken.taken_at < lot.created_at - CLOCK_SKEW:
        raise Invalid(
            Reason("time-impossible", "a sample is taken after its lot was made, and not in the future", "taken_at")
        )
    quantity = take(lot, taken.quantity, "quantity")
    _pin_specifications(work, lot)
    if lot.state is LotState.QUARANTINE:
        lifecycle.move(work, lot, "sample")
    sample = work.add(
        Sample(
            number=f"SA-{count_in(work, 'sample'):06d}",
            lot_id=lot.key,
            quantity=quantity,
            purpose=taken.purpose,
            comment=taken.comment,
            taken_at=taken.taken_at,
            recorded_at=work.now,
            late=work.now - taken.taken_at > LATE_AFTER,
            taken_by=work.actor.person,
            plan_line_id=taken.plan_line_id,
            reserve=taken.reserve,
        )
    )
    for test in taken.tests:
        work.add(SampleTest(sample_id=sample.key, test_code=test))
    return sample


def _pin_specifications(work: Work, lot: Lot) -> None:
    """Every specification in force for the lot, the primary one first: of a drug product its release and shelf-life ones, else in-process ones."""
    if lot.product_id is None or specifications_of(work.session, lot.key):
        return
    final = lot.kind is LotKind.DRUG_PRODUCT
    purposes = (Purpose.RELEASE, Purpose.SHELF_LIFE) if final else (Purpose.IN_PROCESS,)
    found = [
        one
        for purpose in purposes
        for one in effective_specifications(work.session, lot.product_id, purpose, work.today, lot.kind)
    ]
    if final and not any(one.purpose is Purpose.RELEASE for one in found):
        raise Refused(
            Reason(
                "no-specification",
                "the product has no approved release specification in force; a lot cannot be tested without one",
            )
        )
    for one in found:
        work.add(LotSpecification(lot_id=lot.key, specification_id=one.key))
    plan = effective_plan(work.session, lot.product_id, work.today) if final else None
    if plan is not None:
        work.add(LotSamplingPlan(lot_id=lot.key, plan_id=plan.key))


def effective_plan(session: Session, product_id: int, on: date) -> SamplingPlan | None:
    """The newest approved sampling plan in force on that day."""
    found = (
        select(SamplingPlan)
        .join(SamplingPlanApproval, col(SamplingPlanApproval.plan_id) == SamplingPlan.id)
        .where(SamplingPlan.product_id == product_id, col(SamplingPlan.effective_from) <= on)
        .order_by(col(SamplingPlan.effective_from).desc(), col(SamplingPlan.id).desc())
    )
    return session.exec(found).first()


def sample_named(session: Session, number: str) -> Sample:
    """The sample, or NotFound."""
    if sample := session.exec(select(Sample).where(Sample.number == number)).first():
        return sample
    raise NotFound(Reason("sample-not-found", f"there is no sample {number!r}", "sample_number"))
