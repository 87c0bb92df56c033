"""Sampling plans, and drawing by them."""

from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response

from api.web.forms import Field, Group, Rows, Sheet, Typed, offer, options, signature
from api.web.lots import unit_options
from api.web.pages import Reader, Visit, page
from api.web.words import capital, spelled
from domain.laboratory.control_models import Stage
from domain.laboratory.models import Reserve
from domain.laboratory.sampling import (
    ApproveSamplingPlan,
    DraftSamplingPlan,
    DrawByPlan,
    approve_sampling_plan,
    draft_sampling_plan,
    draw_by_plan,
)
from domain.laboratory.sampling_queries import SamplingPlanView, sampling_plan_file, sampling_plans
from domain.lots.queries import products
from domain.permissions import Permission

router = APIRouter(include_in_schema=False)


def _word(code: str) -> str:
    return capital(spelled(code))


@router.get("/sampling-plans")
def listed(visit: Reader) -> Response:
    """Every revision, newest first."""
    found = visit.ask(sampling_plans)
    return page(
        visit, "sampling_plans.html", found=found, may_draft=visit.may(Permission.DRAFT_SPECIFICATION),
        may_approve=visit.may(Permission.APPROVE_SPECIFICATION),
    )  # fmt: skip


def _draft(visit: Visit) -> Sheet:
    columns = (
        Field("stage", "Stage", "select", options=options(Stage, _word)),
        Field("purpose", "Purpose", hint="Such as sterility, or retention."),
        Field("quantity.value", "Quantity", "number"),
        Field("quantity.unit", "Unit", "select", options=unit_options()),
        Field("tests", "Tests", needed=False, hint="Codes, separated by commas."),
        Field("reserve", "Or kept as", "select", needed=False, options=options(Reserve, _word, empty="For tests")),
        Field("within_days", "Within days", "number", needed=False, hint="After the lot was made."),
        Field("storage", "Stored at", needed=False),
    )
    coded = [(one.code, f"{one.code} · {one.name_en}") for one in visit.ask(products)]
    return Sheet(
        "Draft a sampling plan",
        (
            Group(
                "Plan",
                (
                    Field(
                        "code",
                        "Code",
                        "code",
                        hint="Such as SP-AD-EV-100; the same code again makes the next revision.",
                    ),
                    Field("product_code", "Product", "select", options=(("", "Choose …"), *coded)),
                    Field("effective_from", "In force from", "date"),
                ),
            ),
            Group("Samples", (Rows("lines", columns, least=3, more="Add a sample"),)),
        ),
        "Draft it",
        "A draft counts for nothing until QA approves it; nobody approves their own.",
        ("/sampling-plans", "Sampling plans"),
        context={"width": ""},
    )


def _tests_split(_visit: Visit, typed: Typed) -> dict[str, Any]:
    """The codes of each line become a list."""
    for place in typed.places("lines"):
        name = f"lines.{place}.tests"
        if codes := [code.strip().upper() for code in typed.get(name).split(",") if code.strip()]:
            typed.values[f"{name}[]"] = codes
        typed.values.setdefault(name, [""])
    return {}


offer(
    router,
    "/sampling-plans/new",
    draft_sampling_plan,
    DraftSamplingPlan,
    _draft,
    lambda _visit, found: ("/sampling-plans", f"{found.label} is drafted and waits for approval."),
    _tests_split,
)


def _place(visit: Visit) -> tuple[str, int]:
    return str(visit.request.path_params["code"]), int(visit.request.path_params["revision"])


def _approval(visit: Visit) -> Sheet:
    plan: SamplingPlanView = visit.ask(sampling_plan_file, *_place(visit))
    facts = tuple(
        (
            f"{_word(one.stage)}: {one.purpose}",
            f"{one.quantity} {one.unit}, {', '.join(one.tests) or spelled(one.reserve or '')}",
        )
        for one in plan.lines
    )
    return Sheet(
        f"Approve {plan.label}",
        (signature("You approve exactly the samples above."),),
        "Approve",
        f"For {plan.product_code}, in force from {plan.effective_from}.",
        ("/sampling-plans", "Sampling plans"),
        facts=facts,
    )


offer(
    router,
    "/sampling-plans/{code}/{revision}/approve",
    approve_sampling_plan,
    ApproveSamplingPlan,
    _approval,
    lambda _visit, _approved: ("/sampling-plans", "The sampling plan is approved and signed."),
    lambda visit, _typed: dict(zip(("code", "revision"), _place(visit), strict=True)),
)


def _drawing(visit: Visit) -> Sheet:
    number = str(visit.request.path_params["lot_number"])
    codes = sorted({one.code for one in visit.ask(sampling_plans) if one.approved_at})
    fields = (
        Field(
            "plan_code", "Plan", "select", needed=False, options=(("", "That of the lot’s product"), *((one, one) for one in codes)),
            hint="Chosen only for lots that are of no product yet, such as banks and harvests.",
        ),
        Field("taken_at", "Taken", "time", needed=False, hint=f"{visit.site.profile.time_zone} time; now, if left empty."),
        Field("comment", "Comment", "area", needed=False),
    )  # fmt: skip
    return Sheet(
        f"Sample lot {number} by its plan",
        (Group("Sampling", fields),),
        "Record the samples",
        "Every sample of this stage that the plan asks for and nobody has taken; reserves leave the lot too.",
        (f"/lots/{number}", f"Lot {number}"),
    )


offer(
    router,
    "/lots/{lot_number}/samples/by-plan",
    draw_by_plan,
    DrawByPlan,
    _drawing,
    lambda visit, samples: (
        f"/lots/{visit.request.path_params['lot_number']}",
        f"{len(samples)} samples are recorded: {', '.join(one.number for one in samples)}.",
    ),
    lambda visit, _typed: {"lot_number": str(visit.request.path_params["lot_number"])},
)
