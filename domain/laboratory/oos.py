"""Investigation of a result that is out of specification (FDA guidance, 2006, revised May 2022).

Phase 1: the laboratory looks for an error of its own, by a fixed checklist. Phase 2: production reviews the lot, and QC may plan retests: how
many, on what and by whom is fixed and approved by QA before the first of them. QA concludes, signed. The original result stays on record
whatever comes out; nothing is averaged; another sample is taken only for a fault of the sample.
"""

import json
from collections.abc import Iterator

from pydantic import Field
from sqlmodel import Session, col, select

from domain.errors import Conflict, Reason, Refused, refuse_if_any
from domain.laboratory.doors import timepoint_of
from domain.laboratory.models import Purpose, Result, ResultReview, ReviewOutcome
from domain.laboratory.oos_models import (
    Cause,
    Oos,
    OosConclusion,
    OosLaboratory,
    OosProduction,
    Outcome,
    RetestPlan,
)
from domain.laboratory.oos_opening import counts_now, is_contamination
from domain.laboratory.oos_records import (
    Why,
    approval_of,
    first_analysts,
    open_investigation,
    phase_one_of,
    record_of,
    results_of,
    retests_of,
)
from domain.laboratory.queries import WORST, LotResults, all_lot_results, stability_results, worst_of
from domain.laboratory.verdict import Verdict
from domain.permissions import Permission
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


class ConcludeOos(Command):
    """QA concludes: confirmed (the lot can only be rejected), an error of the laboratory, or not confirmed by the planned retests."""

    oos_number: str
    outcome: Outcome
    text: str = Why
    credentials: Credentials


@operation(Permission.REVIEW_RESULT)
def investigate_laboratory(work: Work, command: InvestigateLaboratory) -> OosLaboratory:
    """By somebody else than the analyst; a cause must show in the checklist."""
    oos = open_investigation(work, command.oos_number)
    if record_of(work.session, OosLaboratory, oos) is not None:
        raise Conflict(Reason("phase-done", f"phase 1 of {oos.number} is done already"))
    if work.actor.user_id in first_analysts(work.session, oos):
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
    oos = open_investigation(work, command.oos_number)
    phase_one_of(work.session, oos)
    if record_of(work.session, OosProduction, oos) is not None:
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


@operation(Permission.CONCLUDE_OOS)
def conclude_oos(work: Work, command: ConcludeOos) -> OosConclusion:
    """The signature covers the phases, every result and the outcome."""
    oos = open_investigation(work, command.oos_number)
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
    phase, plan = record_of(session, OosLaboratory, oos), record_of(session, RetestPlan, oos)
    production = record_of(session, OosProduction, oos)
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
    phase, plan = record_of(session, OosLaboratory, oos), record_of(session, RetestPlan, oos)
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
    if record_of(session, OosProduction, oos) is None:
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
    if retests and (failing or not verdicts):
        text = f"the retests do not pass for {', '.join(sorted(failing)) or oos.test_code}: the result is confirmed"
        yield Reason("retest-fails", text, "outcome")


def _verdicts(session: Session, oos: Oos) -> dict[str, Verdict]:
    """The worst verdict of the retests, and of what was calculated from them, for each test under investigation."""
    tests = {session.get_one(Result, one).test_code for one in results_of(session, oos)}
    found: dict[str, Verdict] = {}
    for results in _judged_results(session, oos):
        for line in results.lines:
            if line.test.code in tests and results.specification:
                own = tuple(one for one in line.findings if one.result.oos_id == oos.id)
                verdict = worst_of(session, results.specification, line, own)
                found[line.test.code] = max(verdict, found.get(line.test.code, Verdict.PASS), key=WORST.index)
    return found


def _judged_results(session: Session, oos: Oos) -> Iterator[LotResults]:
    """By the specifications that judged the result under investigation: the shelf-life ones for a stability unit, else all others."""
    if timepoint_of(session, oos.sample_id) is not None:
        yield from stability_results(session, oos.lot_id)
        return
    for results in all_lot_results(session, oos.lot_id):
        if results.specification and results.specification.purpose is not Purpose.SHELF_LIFE:
            yield results


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
            yield Reason("oos-open", f"{oos.number} is open: {oos.text}", oos.test_code, about=("oos", oos.number))
        elif concluded.outcome is Outcome.CONFIRMED:
            text = f"{oos.number} confirmed a result out of specification; the lot can only be rejected"
            yield Reason("oos-confirmed", text, oos.test_code, about=("oos", oos.number))
