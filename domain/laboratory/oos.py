"""Investigation of a result that is out of specification (FDA guidance, 2006, revised May 2022).

Phase 1: the laboratory looks for an error of its own, by a fixed checklist. Phase 2: production reviews the lot, and QC may plan retests: how
many, on what and by whom is fixed and approved by QA before the first of them. QA concludes, signed. The original result stays on record
whatever comes out; nothing is averaged; another sample is taken only for a fault of the sample.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from pydantic import AwareDatetime, Field
from sqlmodel import Session, col, select

from domain.errors import Conflict, Forbidden, Invalid, NotFound, Reason, Refused, refuse_if_any
from domain.laboratory.conditions import run_numbered
from domain.laboratory.control_models import (
    Cause,
    Oos,
    OosConclusion,
    OosLaboratory,
    OosProduction,
    OosResult,
    Outcome,
    RetestApproval,
    RetestPlan,
    SampleFault,
)
from domain.laboratory.models import Method, Purpose, Result, ResultReview, ReviewOutcome, Sample
from domain.laboratory.oos_opening import counts_now, is_contamination
from domain.laboratory.queries import WORST, all_lot_results, worst_of, worth_of
from domain.laboratory.results import analysts_of, keep, measured_by, newest_method, sample_named
from domain.laboratory.verdict import Verdict
from domain.lots.models import Lot
from domain.people.models import User
from domain.people.operations import roles_held
from domain.permissions import Permission, permissions_of
from domain.quantities import UnitCode
from domain.signatures import Credentials, Meaning, sign
from domain.work import Command, Work, operation

#: What the laboratory looks at in phase 1 (FDA guidance, III.A and B): code -> question. Fixed, so that nothing is skipped.
CHECKLIST: dict[str, str] = {
    "analyst_heard": "Was the test discussed with the analyst, and did the analyst know and follow the method?",
    "raw_data": "Were the raw data looked at, chromatograms, curves and images included, and is nothing unusual in them?",
    "calculation": "Was every calculation and transcription repeated and found right?",
    "instrument": "Was the instrument calibrated, and did it work as it should?",
    "suitability": "Did controls, blanks and standards meet their criteria?",
    "reagents": "Were standards, reagents and media the right ones, in date and stored as they should be?",
    "sample": "Was it the right sample, intact, and stored and prepared as the method says?",
    "solutions_kept": "Are the sample solutions kept, and were they examined?",
    "method_history": "Has the method performed as validated in earlier tests?",
}
MOST_RETESTS = 12
Why = Field(min_length=10, max_length=4000)


class ChecklistAnswer(Command):
    """`as_it_should_be` is false where something was found; say what."""

    item: str
    as_it_should_be: bool
    remark: str = Field(default="", max_length=1000)


class InvestigateLaboratory(Command):
    """Phase 1: every item of the checklist is answered, and an assignable cause is named, or none."""

    oos_number: str
    answers: tuple[ChecklistAnswer, ...]
    cause: Cause
    text: str = Why
    credentials: Credentials


class ReviewManufacture(Command):
    """Phase 2: production reviews how the lot was made."""

    oos_number: str
    cause_found: bool
    text: str = Why
    credentials: Credentials


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


class ConcludeOos(Command):
    """QA concludes: confirmed (the lot can only be rejected), an error of the laboratory, or not confirmed by the planned retests."""

    oos_number: str
    outcome: Outcome
    text: str = Why
    credentials: Credentials


@operation(Permission.REVIEW_RESULT)
def investigate_laboratory(work: Work, command: InvestigateLaboratory) -> OosLaboratory:
    """By somebody else than the analyst; a cause must show in the checklist."""
    oos = _open(work, command.oos_number)
    if _one(work.session, OosLaboratory, oos) is not None:
        raise Conflict(Reason("phase-done", f"phase 1 of {oos.number} is done already"))
    if work.actor.user_id in _first_analysts(work.session, oos):
        raise Refused(Reason("not-by-same-person", f"{work.actor.name} found the result under investigation"))
    refuse_if_any(_why_not_complete(command))
    checklist = {one.item: [one.as_it_should_be, one.remark] for one in command.answers}
    content = {"oos": oos.number, "checklist": checklist, "cause": command.cause.value, "text": command.text}
    signature = sign(work, oos, content, Meaning.REVIEWED, command.credentials)
    return work.add(
        OosLaboratory(
            oos_id=oos.key,
            checklist=json.dumps(checklist),
            cause=command.cause,
            text=command.text,
            done_at=work.now,
            done_by=work.actor.person,
            signature_id=signature.key,
        )
    )


def _why_not_complete(command: InvestigateLaboratory) -> Iterator[Reason]:
    answered = [one.item for one in command.answers]
    for place, item in enumerate(CHECKLIST):
        if answered.count(item) != 1:
            yield Reason("checklist-incomplete", f"answer once: {CHECKLIST[item]}", f"answers.{place}.as_it_should_be")
    for place, one in enumerate(command.answers):
        if one.item not in CHECKLIST:
            yield Reason("checklist-incomplete", f"there is no item {one.item!r}", f"answers.{place}.item")
        if not one.as_it_should_be and not one.remark:
            yield Reason("comment-needed", "say what was found", f"answers.{place}.remark")
    odd = any(not one.as_it_should_be for one in command.answers)
    if command.cause is not Cause.NONE and not odd:
        text = "an assignable cause shows in the checklist; every item says that all was as it should be"
        yield Reason("cause-not-shown", text, "cause")


@operation(Permission.REVIEW_PRODUCTION)
def review_manufacture(work: Work, command: ReviewManufacture) -> OosProduction:
    """After phase 1 found no assignable cause, or where QA wants to know."""
    oos = _open(work, command.oos_number)
    _phase_one(work.session, oos)
    if _one(work.session, OosProduction, oos) is not None:
        raise Conflict(Reason("phase-done", f"production has reviewed {oos.number} already"))
    content = {"oos": oos.number, "cause_found": command.cause_found, "text": command.text}
    signature = sign(work, oos, content, Meaning.REVIEWED, command.credentials)
    return work.add(
        OosProduction(
            oos_id=oos.key,
            cause_found=command.cause_found,
            text=command.text,
            done_at=work.now,
            done_by=work.actor.person,
            signature_id=signature.key,
        )
    )


@operation(Permission.REVIEW_RESULT)
def plan_retest(work: Work, command: PlanRetest) -> RetestPlan:
    """Once: a plan that could be made anew until it fits would be testing into compliance."""
    oos = _open(work, command.oos_number)
    phase = _phase_one(work.session, oos)
    if _one(work.session, RetestPlan, oos) is not None:
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
    first = _first_analysts(work.session, oos)
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
    oos = _open(work, command.oos_number)
    plan = _one(work.session, RetestPlan, oos)
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
    oos = _open(work, number)
    plan = _one(work.session, RetestPlan, oos)
    approval = approval_of(work.session, plan) if plan else None
    if plan is None or approval is None:
        raise Refused(Reason("retest-unplanned", f"{oos.number} has no retest plan that QA approved"))
    if work.actor.user_id not in json.loads(plan.analysts):
        raise Forbidden(Reason("not-in-the-plan", f"{work.actor.name} is not an analyst of the retest plan"))
    if len(retests_of(work.session, oos)) >= plan.count:
        raise Refused(Reason("retests-done", f"all {plan.count} planned retests are done; none is added"))
    if started_at < approval.approved_at:
        raise Invalid(Reason("before-the-plan", "a retest starts after QA approved its plan", "started_at"))
    return oos, work.session.get_one(Sample, plan.sample_id)


def _method(session: Session, oos: Oos) -> Method:
    """The newest revision of the method that the first result was found by."""
    first = session.get_one(Result, results_of(session, oos)[0])
    return newest_method(session, session.get_one(Method, first.method_id).code)


@operation(Permission.CONCLUDE_OOS)
def conclude_oos(work: Work, command: ConcludeOos) -> OosConclusion:
    """The signature covers the phases, every result and the outcome."""
    oos = _open(work, command.oos_number)
    refuse_if_any(_why_not_concluded(work.session, oos, command.outcome))
    signature = sign(work, oos, oos_content(work.session, oos, command), Meaning.APPROVED, command.credentials)
    return work.add(
        OosConclusion(
            oos_id=oos.key,
            outcome=command.outcome,
            text=command.text,
            concluded_at=work.now,
            concluded_by=work.actor.person,
            signature_id=signature.key,
        )
    )


def oos_content(session: Session, oos: Oos, command: ConcludeOos) -> dict[str, object]:
    """What QA's signature on a conclusion covers."""
    phase, plan = _one(session, OosLaboratory, oos), _one(session, RetestPlan, oos)
    production = _one(session, OosProduction, oos)
    return {
        "oos": oos.number,
        "results": results_of(session, oos),
        "laboratory": [phase.checklist, phase.cause.value, phase.text] if phase else None,
        "production": [production.cause_found, production.text] if production else None,
        "plan": [plan.count, plan.analysts, plan.sample_id] if plan else None,
        "retests": [[one.id, one.value] for one in retests_of(session, oos)],
        "outcome": command.outcome.value,
        "text": command.text,
    }


def _why_not_concluded(session: Session, oos: Oos, outcome: Outcome) -> Iterator[Reason]:
    phase, plan = _one(session, OosLaboratory, oos), _one(session, RetestPlan, oos)
    if phase is None:
        yield Reason("phase-missing", f"phase 1 of {oos.number}, the laboratory's own, is not done")
        return
    retests = retests_of(session, oos)
    if outcome is Outcome.LABORATORY_ERROR:
        if phase.cause is Cause.NONE:
            text = "phase 1 found no assignable cause in the laboratory: the result stands"
            yield Reason("no-assignable-cause", text, "outcome")
        return
    if phase.cause is not Cause.NONE:
        yield Reason("cause-assigned", f"phase 1 found a cause in the laboratory: {phase.cause.value}", "outcome")
    if _one(session, OosProduction, oos) is None:
        yield Reason("phase-missing", f"production has not reviewed the lot of {oos.number}")
    if plan is not None and len(retests) < plan.count:
        text = f"{len(retests)} of {plan.count} planned retests are done; the others cannot be left out"
        yield Reason("retests-missing", text)
    if outcome is Outcome.NOT_CONFIRMED:
        yield from _why_not_outweighed(session, oos, plan, retests)


def _why_not_outweighed(session: Session, oos: Oos, plan: RetestPlan | None, retests: list[Result]) -> Iterator[Reason]:
    if any(is_contamination(session.get_one(Result, one)) for one in results_of(session, oos)):
        text = "what was found is not outweighed by a retest that does not find it; only an error of the laboratory undoes it"
        yield Reason("contamination-stands", text, "outcome")
    if plan is None or approval_of(session, plan) is None:
        yield Reason(
            "retest-unplanned", f"{oos.number} has no approved retest plan, so nothing speaks against its result"
        )
    reviews = select(ResultReview.result_id).where(ResultReview.outcome == ReviewOutcome.ACCEPTED)
    accepted = set(session.exec(reviews.where(col(ResultReview.result_id).in_([one.id for one in retests]))))
    for one in retests:
        if one.id not in accepted:
            yield Reason("result-not-reviewed", f"retest {one.id} ({one.test_code}) is not reviewed")
        if not counts_now(session, one):
            yield Reason("run-open", f"the run of retest {one.id} is not concluded")
    verdicts = _verdicts(session, oos)
    failing = [code for code, verdict in verdicts.items() if verdict is not Verdict.PASS]
    if retests and failing:
        text = f"the retests do not pass for {', '.join(sorted(failing))}: the result is confirmed"
        yield Reason("retest-fails", text, "outcome")


def _verdicts(session: Session, oos: Oos) -> dict[str, Verdict]:
    """The worst verdict of the retests, and of what was calculated from them, for each test under investigation."""
    tests = {session.get_one(Result, one).test_code for one in results_of(session, oos)}
    found: dict[str, Verdict] = {}
    for results in all_lot_results(session, oos.lot_id):
        for line in results.lines:
            if (
                line.test.code in tests
                and results.specification
                and results.specification.purpose is not Purpose.SHELF_LIFE
            ):
                own = tuple(one for one in line.findings if one.result.oos_id == oos.id)
                verdict = worst_of(session, results.specification, line, own)
                found[line.test.code] = max(verdict, found.get(line.test.code, Verdict.PASS), key=WORST.index)
    return found


def _open(work: Work, number: str) -> Oos:
    """An investigation that is not concluded; its lot is locked until the act is over. Raises NotFound, Conflict."""
    oos = work.session.exec(select(Oos).where(Oos.number == number)).first()
    if oos is None:
        raise NotFound(Reason("oos-not-found", f"there is no investigation {number!r}", "oos_number"))
    work.session.exec(select(Lot).where(Lot.id == oos.lot_id).with_for_update()).one()
    if conclusion_of(work.session, oos) is not None:
        raise Conflict(Reason("oos-concluded", f"{number} is concluded"))
    return oos


def _phase_one(session: Session, oos: Oos) -> OosLaboratory:
    if phase := _one(session, OosLaboratory, oos):
        return phase
    raise Refused(Reason("phase-missing", f"phase 1 of {oos.number}, the laboratory's own, is not done"))


PhaseT = TypeVar("PhaseT", OosLaboratory, OosProduction, RetestPlan)


def _one(session: Session, kind: type[PhaseT], oos: Oos) -> PhaseT | None:
    return session.exec(select(kind).where(kind.oos_id == oos.id)).first()


def conclusion_of(session: Session, oos: Oos) -> OosConclusion | None:
    """QA's conclusion, if there is one."""
    return session.exec(select(OosConclusion).where(OosConclusion.oos_id == oos.id)).first()


def approval_of(session: Session, plan: RetestPlan) -> RetestApproval | None:
    """QA's approval of a retest plan."""
    return session.exec(select(RetestApproval).where(RetestApproval.plan_id == plan.id)).first()


def results_of(session: Session, oos: Oos) -> list[int]:
    """Ids of the results under investigation; the first is the one that was measured."""
    found = select(OosResult.result_id).where(OosResult.oos_id == oos.id)
    return list(session.exec(found.order_by(col(OosResult.id))))


def retests_of(session: Session, oos: Oos) -> list[Result]:
    """The retests that count towards the plan: measured, newest correction, not of an invalid run."""
    replaced = select(Result.replaces_id).where(col(Result.replaces_id).is_not(None))
    rows = session.exec(
        select(Result)
        .where(Result.oos_id == oos.id, col(Result.formula).is_(None), col(Result.id).not_in(replaced))
        .order_by(col(Result.id))
    ).all()
    invalid = worth_of(session, oos.lot_id).invalid
    return [row for row in rows if row.id not in invalid]


def _first_analysts(session: Session, oos: Oos) -> set[int]:
    found: set[int] = set()
    for result_id in results_of(session, oos):
        found |= analysts_of(session, session.get_one(Result, result_id))
    return found


def why_oos_blocks(session: Session, lot_id: int) -> Iterator[Reason]:
    """Investigations of a lot that are open, or that confirmed a failing result."""
    found = (
        select(Oos, OosConclusion)
        .outerjoin(OosConclusion, col(OosConclusion.oos_id) == Oos.id)
        .where(Oos.lot_id == lot_id)
        .order_by(col(Oos.id))
    )
    rows: list[tuple[Oos, OosConclusion | None]] = list(session.exec(found).all())
    for oos, concluded in rows:
        if concluded is None:
            yield Reason("oos-open", f"{oos.number} is open: {oos.text}", oos.test_code)
        elif concluded.outcome is Outcome.CONFIRMED:
            text = f"{oos.number} confirmed a result out of specification; the lot can only be rejected"
            yield Reason("oos-confirmed", text, oos.test_code)
