"""Retests of a result out of specification: how many, on what and by whom is fixed and approved before the first of them."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from pydantic import AwareDatetime, Field
from sqlmodel import Session, select

from domain.errors import Conflict, Invalid, Reason, Refused
from domain.laboratory.conditions import run_numbered
from domain.laboratory.keeping import keep
from domain.laboratory.models import Method, Result, Sample
from domain.laboratory.oos_models import (
    Cause,
    Oos,
    RetestApproval,
    RetestPlan,
    SampleFault,
)
from domain.laboratory.oos_records import (
    Why,
    approval_of,
    first_analysts,
    open_investigation,
    phase_one_of,
    record_of,
    refuse_outside_plan,
    results_of,
    retests_of,
)
from domain.laboratory.results import measured_by, newest_method
from domain.laboratory.samples import sample_named
from domain.people.models import User
from domain.people.operations import roles_held
from domain.permissions import Permission, permissions_of
from domain.quantities import UnitCode
from domain.signatures import Credentials, Meaning, sign
from domain.work import Command, Work, operation

MOST_RETESTS = 12


class PlanRetest(Command):
    """Fix the retests before any is done. sample_number: another one only where the first is at fault, with the reason about it."""

    oos_number: str
    count: int = Field(ge=1, le=MOST_RETESTS)
    analysts: tuple[str, ...] = Field(min_length=1, max_length=6, description="usernames; never who tested first")
    reason: str = Why
    sample_number: str | None = None
    sample_fault: SampleFault | None = None


class ApproveRetest(Command):
    """QA approves the plan."""

    oos_number: str
    credentials: Credentials


class EnterRetest(Command):
    """One planned retest, on a blank form: nothing of the first result is in it."""

    oos_number: str
    replicates: tuple[str, ...] = Field(min_length=1, max_length=100)
    unit: UnitCode | None = Field(default=None, max_length=30)
    started_at: AwareDatetime
    finished_at: AwareDatetime
    comment: str = Field(default="", max_length=1000)
    raw_sha256: str | None = None
    dilution: str | None = Field(default=None, max_length=20)
    run_number: str | None = Field(default=None, max_length=20)


@operation(Permission.REVIEW_RESULT)
def plan_retest(work: Work, command: PlanRetest) -> RetestPlan:
    """Once: a plan that could be made anew until it fits would be testing into compliance."""
    oos = open_investigation(work, command.oos_number)
    phase = phase_one_of(work.session, oos)
    if record_of(work.session, RetestPlan, oos) is not None:
        raise Conflict(Reason("retest-planned", f"{oos.number} has its retest plan already; it is made once"))
    if phase.cause is not Cause.NONE:
        text = "phase 1 found an assignable cause: the result is invalid, and the test is repeated after the conclusion"
        raise Refused(Reason("cause-assigned", text))
    sample = _sample_for(work, oos, command)
    analysts = list(_analysts(work, oos, command.analysts))
    return work.add(
        RetestPlan(
            oos_id=oos.key,
            sample_id=sample.key,
            count=command.count,
            analysts=json.dumps(analysts),
            reason=command.reason,
            sample_fault=command.sample_fault,
            proposed_at=work.now,
            proposed_by=work.actor.person,
        )
    )


def _sample_for(work: Work, oos: Oos, command: PlanRetest) -> Sample:
    first = work.session.get_one(Sample, oos.sample_id)
    if command.sample_number is None or command.sample_number == first.number:
        if command.sample_fault is not None:
            text = f"sample {first.number} is at fault, so name the other one that is tested"
            raise Invalid(Reason("sample-needed", text, "sample_number"))
        return first
    if command.sample_fault is None:
        text = "another sample is tested only for a fault of the first one; a failing result is none"
        raise Refused(Reason("resampling-unjustified", text, "sample_fault"))
    sample = sample_named(work.session, command.sample_number)
    if sample.lot_id != oos.lot_id:
        raise Invalid(Reason("sample-of-other-lot", f"sample {sample.number} is of another lot", "sample_number"))
    return sample


def _analysts(work: Work, oos: Oos, usernames: tuple[str, ...]) -> Iterator[int]:
    first = first_analysts(work.session, oos)
    for place, username in enumerate(dict.fromkeys(usernames)):
        field = f"analysts.{place}"
        user = work.session.exec(select(User).where(User.username == username)).first()
        if user is None or Permission.ENTER_RESULT not in permissions_of(roles_held(work.session, user.key)):
            raise Invalid(Reason("not-an-analyst", f"{username!r} is no analyst", field))
        if user.id in first:
            text = f"{user.name} found the first result; a retest is done by another analyst"
            raise Refused(Reason("not-by-same-person", text, field))
        if user.id == work.actor.user_id:
            raise Refused(Reason("not-by-same-person", "who asks for a retest does not do it", field))
        yield user.key


@operation(Permission.CONCLUDE_OOS)
def approve_retest(work: Work, command: ApproveRetest) -> RetestApproval:
    """Before any retest; the signature covers number, sample and analysts."""
    oos = open_investigation(work, command.oos_number)
    plan = record_of(work.session, RetestPlan, oos)
    if plan is None:
        raise Refused(Reason("retest-unplanned", f"{oos.number} has no retest plan"))
    if approval_of(work.session, plan) is not None:
        raise Conflict(Reason("approved-already", f"the retest plan of {oos.number} is approved already"))
    content = {
        "oos": oos.number,
        "sample": plan.sample_id,
        "count": plan.count,
        "analysts": plan.analysts,
        "reason": plan.reason,
    }
    signature = sign(work, oos, content, Meaning.APPROVED, command.credentials)
    return work.add(RetestApproval(plan_id=plan.key, approved_at=work.now, signature_id=signature.key))


@operation(Permission.ENTER_RESULT)
def enter_retest(work: Work, command: EnterRetest) -> Result:
    """By an analyst of the plan, and no more than it allows; the result stands beside the first one."""
    oos, sample = planned_retest(work, command.oos_number, command.started_at)
    run, method = run_numbered(work, command.run_number), _method(work.session, oos)
    if run is not None and (own := work.session.get_one(Method, run.method_id)).code == method.code:
        method = own
    found = replace(measured_by(method, command), run=run, oos_id=oos.key, instrument=run.instrument if run else None)
    return keep(work, sample, found)


def planned_retest(work: Work, number: str, started_at: datetime) -> tuple[Oos, Sample]:
    """The investigation and the sample of a retest that the actor may do now. Raises Refused, Forbidden or Invalid."""
    oos, plan = refuse_outside_plan(work, number, started_at)
    if len(retests_of(work.session, oos)) >= plan.count:
        raise Refused(Reason("retests-done", f"all {plan.count} planned retests are done; none is added"))
    return oos, work.session.get_one(Sample, plan.sample_id)


def _method(session: Session, oos: Oos) -> Method:
    """The newest revision of the method that the first result was found by."""
    first = session.get_one(Result, results_of(session, oos)[0])
    return newest_method(session, session.get_one(Method, first.method_id).code)
