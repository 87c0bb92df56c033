"""Recipes: versions, what changed between two, signatures on them; and the second person on a step."""

from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response

from api.web.forms import Field, Group, Sheet, Typed, offer, signature
from api.web.pages import Reader, Visit, page
from api.web.words import capital, spelled
from domain.disposition.not_normal import entered
from domain.disposition.queries import StepView, step_numbered
from domain.manufacturing.catalogue import step_kind
from domain.manufacturing.queries_control import StepControl, step_control
from domain.manufacturing.recipe_queries import RecipeView, difference, recipe_file, recipes
from domain.manufacturing.recipes import (
    ApproveRecipe,
    ReviewRecipe,
    approve_recipe,
    review_recipe,
)
from domain.manufacturing.verifying import VerifyReadings, VerifyStart, verify_readings, verify_start
from domain.permissions import Permission

router = APIRouter(include_in_schema=False)


@router.get("/recipes")
def listed(visit: Reader) -> Response:
    """Every version, newest first within a code."""
    found = visit.ask(recipes, visit.site.today())
    return page(visit, "recipes.html", found=found, may_draft=visit.may(Permission.DRAFT_RECIPE))


def _place(visit: Visit) -> tuple[str, int]:
    return str(visit.request.path_params["code"]), int(visit.request.path_params["revision"])


@router.get("/recipes/{code}/{revision}")
def one(code: str, revision: int, visit: Reader, against: int = 0) -> Response:
    """One version, and what changed since another."""
    row: RecipeView = visit.ask(recipe_file, code, revision, visit.site.today())
    other = against or (revision - 1 if revision > 1 else 0)
    return page(
        visit,
        "recipe.html",
        row=row,
        content=row.content,
        kinds={step.key: step_kind(step.kind) for step in row.content.steps},
        changes=visit.ask(difference, (code, other), (code, revision)) if other else [],
        other=other,
        may_review=visit.may(Permission.REVIEW_RECIPE) and row.drafted_by != visit.who.name,
        may_approve=visit.may(Permission.APPROVE_RECIPE),
        may_draft=visit.may(Permission.DRAFT_RECIPE),
    )


def _signing(visit: Visit, verb: str) -> Sheet:
    row: RecipeView = visit.ask(recipe_file, *_place(visit), visit.site.today())
    steps = tuple((step.key, step_kind(step.kind).en) for step in row.content.steps)
    return Sheet(
        f"{verb} {row.label}",
        (signature("You sign exactly the version shown."),),
        verb,
        f"Drafted by {row.drafted_by}; in force from {row.effective_from}. {row.reason}",
        (f"/recipes/{row.code}/{row.revision}", row.label),
        facts=(("Product", row.product_code), *steps),
    )


for _verb, _operation, _command, _done in (
    ("Review", review_recipe, ReviewRecipe, "The version is reviewed; QA can approve it."),
    ("Approve", approve_recipe, ApproveRecipe, "The version is approved and signed."),
):
    offer(
        router,
        f"/recipes/{{code}}/{{revision}}/{_verb.lower()}",
        _operation,
        _command,
        lambda visit, verb=_verb: _signing(visit, verb),  # type: ignore[misc]
        lambda visit, _signed, done=_done: (f"/recipes/{'/'.join(map(str, _place(visit)))}", done),  # type: ignore[misc]
        lambda visit, _typed: dict(zip(("code", "revision"), _place(visit), strict=True)),
    )


def _step(visit: Visit) -> tuple[StepView, StepControl]:
    number = str(visit.request.path_params["number"])
    return visit.ask(step_numbered, number), visit.ask(step_control, number, visit.site.clock())


def _back(visit: Visit) -> str:
    return f"/steps/{visit.request.path_params['number']}"


def _number(visit: Visit, _typed: Typed) -> dict[str, Any]:
    return {"step_number": visit.request.path_params["number"]}


def _start_seen(visit: Visit) -> Sheet:
    step, control = _step(visit)
    facts = [
        ("Step", f"{step_kind(step.kind).en} {step.number}"),
        ("Started by", step.started_by),
        ("Place", step.location),
        ("Equipment", ", ".join(control.equipment) or "none named"),
        ("Clearance", control.clearance or "–"),
        *((one.lot_number, f"{one.quantity} {one.unit} ({capital(spelled(one.kind))})") for one in step.consumed),
    ]
    if control.out_of_order:
        facts.append(("Out of order", control.out_of_order))
    return Sheet(
        f"Verify the start of {step.number}",
        (signature("You saw material, lots and amounts, room, line and equipment as they stand above."),),
        "Verify",
        "A second person sees the start of every step under a recipe.",
        (_back(visit), f"Step {step.number}"),
        facts=tuple(facts),
    )


offer(
    router,
    "/steps/{number}/verify-start",
    verify_start,
    VerifyStart,
    _start_seen,
    lambda visit, _signed: (_back(visit), "The start is verified and signed."),
    _number,
)


def _readings_checked(visit: Visit) -> Sheet:
    step, control = _step(visit)
    kind = step_kind(step.kind)
    open_ones = [one for one in step.readings if one.id in control.unverified]
    choices = tuple(
        (str(one.id), f"{kind.parameter(one.parameter).en}: {entered(one)} · {one.recorded_by}") for one in open_ones
    )
    group = Group(
        "Critical entries",
        (Field("reading_ids[]", "I compared with what they were read from", "checks", options=choices),),
    )
    return Sheet(
        f"Verify entries of {step.number}",
        (group, signature()) if choices else (),
        "Verify" if choices else "",
        "Tick what you have compared with the display, print-out or label." if choices else "Nothing waits for a second person.",
        (_back(visit), f"Step {step.number}"),
    )  # fmt: skip


offer(
    router,
    "/steps/{number}/verify",
    verify_readings,
    VerifyReadings,
    _readings_checked,
    lambda visit, found: (_back(visit), f"{len(found)} entries are verified and signed."),
    _number,
)
