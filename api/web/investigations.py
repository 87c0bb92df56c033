"""Investigations of results out of specification, phase by phase, and alerts."""

from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response

from api.web.forms import Field, Group, Rows, Sheet, Typed, offer, options, signature
from api.web.laboratory import method_facts, replicates_of, time_fields, value_fields
from api.web.lists import MethodRow, method_coded
from api.web.pages import Reader, Visit, page
from api.web.words import capital, spelled
from domain.errors import NotFound, Reason
from domain.laboratory.control_queries import alerts, analysts
from domain.laboratory.models import Method, Result
from domain.laboratory.oos import (
    CHECKLIST,
    ConcludeOos,
    InvestigateLaboratory,
    ReviewManufacture,
    conclude_oos,
    investigate_laboratory,
    review_manufacture,
)
from domain.laboratory.oos_models import Cause, Outcome, SampleFault
from domain.laboratory.oos_queries import OosView, investigations, oos_file
from domain.laboratory.oos_retests import (
    ApproveRetest,
    EnterRetest,
    PlanRetest,
    approve_retest,
    enter_retest,
    plan_retest,
)
from domain.laboratory.run_queries import open_runs
from domain.laboratory.trends import AssessAlert, assess_alert
from domain.permissions import Permission

router = APIRouter(include_in_schema=False)

#: Act -> its address, word and permission, in the order of the phases.
ACTS: dict[str, tuple[str, Permission]] = {
    "laboratory": ("Phase 1: laboratory", Permission.REVIEW_RESULT),
    "production": ("Phase 2: review by production", Permission.REVIEW_PRODUCTION),
    "retest-plan": ("Plan retests", Permission.REVIEW_RESULT),
    "retest-approval": ("Approve the retest plan", Permission.CONCLUDE_OOS),
    "retest": ("Enter a retest", Permission.ENTER_RESULT),
    "conclusion": ("Conclude", Permission.CONCLUDE_OOS),
}
OUTCOMES = (
    (str(Outcome.CONFIRMED), "Confirmed: the lot can only be rejected"),
    (str(Outcome.LABORATORY_ERROR), "Error of the laboratory: the result is invalid, stays visible, is never printed"),
    (str(Outcome.NOT_CONFIRMED), "Not confirmed by the planned retests: all results are reported"),
)


def _word(code: str) -> str:
    return capital(spelled(code))


@router.get("/oos")
def listed(visit: Reader) -> Response:
    """Every investigation, newest first."""
    return page(visit, "oos_list.html", found=visit.ask(investigations))


@router.get("/oos/{number}")
def one(number: str, visit: Reader) -> Response:
    """An investigation with all its phases, and what can be done next."""
    oos: OosView = visit.ask(oos_file, number)
    offers = [(name, *ACTS[name]) for name in _next(oos)]
    return page(visit, "oos.html", oos=oos, checklist=CHECKLIST, offers=offers, outcomes=dict(OUTCOMES))


def _next(oos: OosView) -> list[str]:
    """The acts that the phase of an investigation allows; the rules themselves are the domain's."""
    if oos.outcome is not None:
        return []
    if oos.laboratory is None:
        return ["laboratory"]
    found = [] if oos.production else ["production"]
    if oos.cause is Cause.NONE and oos.plan is None:
        found.append("retest-plan")
    if oos.plan is not None and oos.plan.approved_at is None:
        found.append("retest-approval")
    if oos.plan is not None and oos.plan.approved_at is not None and len(oos.retests) < oos.plan.count:
        found.append("retest")
    return [*found, "conclusion"]


def _number(visit: Visit) -> str:
    return str(visit.request.path_params["number"])


def _sheet(visit: Visit, title: str, groups: tuple[Group, ...], button: str, lead: str, **more: Any) -> Sheet:
    oos: OosView = visit.ask(oos_file, _number(visit))
    facts = (("Lot", oos.lot_number), ("Sample", oos.sample_number), ("Test", oos.test_code), *more.pop("facts", ()))
    back = (f"/oos/{oos.number}", oos.number)
    return Sheet(f"{oos.number}: {title}", groups, button, lead, back, facts=facts, **more)


def _done(note: str) -> Any:
    return lambda visit, _result: (f"/oos/{_number(visit)}", note)


def _named(visit: Visit, _typed: Typed) -> dict[str, Any]:
    return {"oos_number": _number(visit)}


def _text(label: str, hint: str = "") -> Field:
    return Field("text", label, "area", hint=hint)


def _first(visit: Visit) -> Sheet:
    columns = (
        Field("item", "Item", "hidden"),
        Field(
            "as_it_should_be",
            "Answer",
            "select",
            options=(("", "Choose …"), ("true", "As it should be"), ("false", "Something was found")),
        ),
        Field("remark", "What was found", needed=False),
    )
    presets = tuple({"_label": question, "item": item} for item, question in CHECKLIST.items())
    ending = (
        Field("cause", "Assignable cause in the laboratory", "select", options=options(Cause, _word)),
        _text("What was looked at, and what follows"),
    )
    return _sheet(
        visit,
        "phase 1, the laboratory’s own",
        (
            Group("Checklist", (Rows("answers", columns, least=len(CHECKLIST), more="", presets=presets),)),
            Group("Outcome", ending),
            signature(),
        ),
        "Sign phase 1",
        "By somebody else than the analyst. A cause must show in the checklist; without one the result stands.",
    )


offer(
    router,
    "/oos/{number}/laboratory",
    investigate_laboratory,
    InvestigateLaboratory,
    _first,
    _done("Phase 1 is recorded."),
    _named,
)


def _second(visit: Visit) -> Sheet:
    fields = (
        Field(
            "cause_found",
            "A cause in manufacture",
            "select",
            options=(("", "Choose …"), ("true", "Found"), ("false", "None found")),
        ),
        _text("What was reviewed, and what was found"),
    )
    return _sheet(
        visit,
        "review by production",
        (Group("Review", fields), signature()),
        "Sign the review",
        "How the lot was made, step by step.",
    )


offer(
    router,
    "/oos/{number}/production",
    review_manufacture,
    ReviewManufacture,
    _second,
    _done("The review by production is recorded."),
    _named,
)


def _plan(visit: Visit) -> Sheet:
    fields = (
        Field("count", "Number of retests", "number", hint="All of them are done, and none is added."),
        Field("analysts[]", "Analysts", "checks", options=tuple(visit.ask(analysts)), hint="Never who tested first."),
        Field("reason", "Why so many, on what, and by whom", "area"),
    )
    other = (
        Field("sample_number", "Another sample", "code", needed=False),
        Field(
            "sample_fault",
            "Fault of the first sample",
            "select",
            needed=False,
            options=options(SampleFault, _word, empty="None"),
        ),
    )
    return _sheet(
        visit,
        "plan retests",
        (
            Group("Plan", fields),
            Group("Only if the sample is at fault", other, "A failing result is no fault of a sample."),
        ),
        "Propose the plan",
        "Once, and before any retest; QA approves it. Whoever asks for the retests reviews none of them.",
    )


offer(
    router,
    "/oos/{number}/retest-plan",
    plan_retest,
    PlanRetest,
    _plan,
    _done("The plan waits for QA’s approval."),
    _named,
)


def _approval(visit: Visit) -> Sheet:
    plan = visit.ask(oos_file, _number(visit)).plan
    if plan is None:
        raise NotFound(Reason("retest-unplanned", "there is no retest plan to approve"))
    facts = (
        ("Retests", str(plan.count)),
        ("Analysts", ", ".join(plan.analysts)),
        ("On sample", plan.sample_number),
        ("Why", plan.reason),
    )
    return _sheet(
        visit,
        "approve the retest plan",
        (signature("You approve number, sample and analysts."),),
        "Approve",
        f"Proposed by {plan.proposed_by}.",
        facts=facts,
    )


offer(
    router,
    "/oos/{number}/retest-approval",
    approve_retest,
    ApproveRetest,
    _approval,
    _done("The plan is approved."),
    _named,
)


def _method(visit: Visit) -> MethodRow:
    """By its code; what was found first is not looked at."""
    first = visit.ask(oos_file, _number(visit)).results[0].result_id
    code = visit.ask(lambda session: session.get_one(Method, session.get_one(Result, first).method_id).code)
    return visit.ask(method_coded, code)  # type: ignore[no-any-return]


def _retest(visit: Visit) -> Sheet:
    """A blank form: nothing of the first result is on it."""
    method = _method(visit)
    known = tuple((one, one) for one in visit.ask(open_runs, method.code))
    more: tuple[Field, ...] = (Field("run_number", "Run", "select", options=(("", "None"), *known), needed=False),)
    more += (Field("dilution", "Dilution factor", "number", needed=False, hint="1 if undiluted."),)
    return _sheet(
        visit,
        f"retest of {method.test_name}",
        (Group("What was found", value_fields(method)), Group("How", more), Group("When", time_fields(visit))),
        "Record the retest",
        "By an analyst of the approved plan. It stands beside the first result and replaces nothing.",
        facts=method_facts(method),
    )


def _retest_fix(visit: Visit, typed: Typed) -> dict[str, Any]:
    return {"oos_number": _number(visit), "unit": _method(visit).unit} | replicates_of(typed)


offer(
    router,
    "/oos/{number}/retest",
    enter_retest,
    EnterRetest,
    _retest,
    _done("The retest is recorded and waits for review."),
    _retest_fix,
)


def _conclusion(visit: Visit) -> Sheet:
    fields = (Field("outcome", "Conclusion", "select", options=(("", "Choose …"), *OUTCOMES)), _text("Why"))
    return _sheet(
        visit,
        "conclude",
        (Group("Conclusion", fields), signature("You sign for the phases, every result and the outcome.")),
        "Sign the conclusion",
        "The first result stays on record whatever is concluded; nothing is averaged.",
    )


offer(
    router,
    "/oos/{number}/conclusion",
    conclude_oos,
    ConcludeOos,
    _conclusion,
    _done("The investigation is concluded and signed."),
    _named,
)


def _alert(visit: Visit) -> Sheet:
    wanted = int(visit.request.path_params["alert_id"])
    found = next((one for one in visit.ask(alerts) if one.id == wanted), None)
    if found is None:
        raise NotFound(Reason("alert-not-found", f"there is no alert {wanted}"))
    return Sheet(
        f"Assess alert {found.id}",
        (Group("Assessment", (_text("What to make of it"),)),),
        "Record the assessment",
        "The result passes and holds nothing; the lot is submitted once somebody has looked at it.",
        ("/laboratory", "Laboratory"),
        facts=(("Lot", found.lot_number), ("Test", found.test_code), ("Alert", capital(found.text))),
    )


offer(
    router,
    "/alerts/{alert_id}",
    assess_alert,
    AssessAlert,
    _alert,
    lambda _visit, _found: ("/laboratory", "The assessment is recorded."),
    lambda visit, _typed: {"alert_id": int(visit.request.path_params["alert_id"])},
)
