"""Recipes: versions, signatures on them, and what changed; the second person on a step; the clocks and the record of a lot."""

# ruff: noqa: B008 - acting() and asking() are declarations that FastAPI reads, like Depends()

from datetime import date
from typing import Any

from fastapi import APIRouter, Depends, Request, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from api.batch_records import batch_record_pdf
from api.deps import acting, asking, current_actor, site_of
from api.problems import answers
from domain.lots.queries import lot_id_of
from domain.manufacturing.control import HoldClock, hold_clocks
from domain.manufacturing.recipe_models import RecipeContent
from domain.manufacturing.recipe_queries import Change, RecipeRow, RecipeView, difference, recipe_file, recipes
from domain.manufacturing.recipes import (
    ApproveRecipe,
    DraftRecipe,
    ReviewRecipe,
    approve_recipe,
    draft_recipe,
    review_recipe,
)
from domain.manufacturing.verifying import VerifyReadings, VerifyStart, verify_readings, verify_start
from domain.signatures import Credentials
from domain.work import Actor, View

router = APIRouter(prefix="/api/v1", tags=["recipes"], responses=answers(401, 403, 409, 422))


class Signed(BaseModel):
    """A signature."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    credentials: Credentials


class Draft(BaseModel):
    """A version to be written."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    product_code: str
    effective_from: date
    reason: str = Field(min_length=3, max_length=1000, description="what is new, and why")
    content: RecipeContent


class ReadingsToVerify(Signed):
    """The readings that were compared with what they were read from."""

    reading_ids: tuple[int, ...] = Field(min_length=1, max_length=200)


class Verified(View):
    """A verification that was signed."""

    verified_at: AwareDatetime


@router.get("/recipes")
def list_recipes(request: Request, ask: Any = asking()) -> list[RecipeRow]:
    """Every version, newest first within a code."""
    return ask(recipes, site_of(request).today())  # type: ignore[no-any-return]


@router.post("/recipes/{code}", status_code=201, responses=answers(404))
def draft(code: str, body: Draft, request: Request, act: Any = acting(draft_recipe), ask: Any = asking()) -> RecipeView:
    """Draft a recipe, or its next version; a second person reviews it, and QA approves it."""
    facts = {name: getattr(body, name) for name in type(body).model_fields}
    recipe = act(DraftRecipe(code=code, **facts))
    return ask(recipe_file, code, recipe.revision, site_of(request).today())  # type: ignore[no-any-return]


@router.get("/recipes/{code}/{revision}", responses=answers(404))
def get_recipe(code: str, revision: int, request: Request, ask: Any = asking()) -> RecipeView:
    """One version with its content."""
    return ask(recipe_file, code, revision, site_of(request).today())  # type: ignore[no-any-return]


@router.get("/recipes/{code}/{revision}/difference/{other}", responses=answers(404))
def get_difference(code: str, revision: int, other: int, ask: Any = asking()) -> list[Change]:
    """What changes from one version to another."""
    return ask(difference, (code, revision), (code, other))  # type: ignore[no-any-return]


@router.post("/recipes/{code}/{revision}/review", responses=answers(404))
def review(
    code: str, revision: int, body: Signed, request: Request, act: Any = acting(review_recipe), ask: Any = asking()
) -> RecipeView:
    """Reviewed by a second person."""
    act(ReviewRecipe(code=code, revision=revision, credentials=body.credentials))
    return ask(recipe_file, code, revision, site_of(request).today())  # type: ignore[no-any-return]


@router.post("/recipes/{code}/{revision}/approval", responses=answers(404))
def approval(
    code: str, revision: int, body: Signed, request: Request, act: Any = acting(approve_recipe), ask: Any = asking()
) -> RecipeView:
    """Approved by QA: a lot begun from its date on is made by it."""
    act(ApproveRecipe(code=code, revision=revision, credentials=body.credentials))
    return ask(recipe_file, code, revision, site_of(request).today())  # type: ignore[no-any-return]


@router.post("/steps/{step_number}/start-verification", status_code=201, responses=answers(404), tags=["steps"])
def seen(step_number: str, body: Signed, act: Any = acting(verify_start)) -> Verified:
    """A second person saw materials, lots, amounts, clearance and equipment of the start."""
    return Verified.model_validate(act(VerifyStart(step_number=step_number, credentials=body.credentials)))


@router.post("/steps/{step_number}/reading-verifications", status_code=201, responses=answers(404), tags=["steps"])
def checked(step_number: str, body: ReadingsToVerify, act: Any = acting(verify_readings)) -> list[Verified]:
    """A second person compared readings with what they were read from."""
    command = VerifyReadings(step_number=step_number, reading_ids=body.reading_ids, credentials=body.credentials)
    return [Verified.model_validate(one) for one in act(command)]


@router.get("/lots/{lot_number}/hold-times", responses=answers(404), tags=["lots"])
def clocks(lot_number: str, request: Request, ask: Any = asking()) -> list[HoldClock]:
    """The hold times of the recipe on the way to a lot: since when, until when, over or not."""
    now = site_of(request).clock()
    return ask(lambda session: hold_clocks(session, [lot_id_of(session, lot_number)], now))  # type: ignore[no-any-return]


@router.get(
    "/lots/{lot_number}/batch-record.pdf",
    responses={**answers(404), 200: {"content": {"application/pdf": {}}}},
    response_class=Response,
    tags=["lots"],
)
def batch_record(
    lot_number: str, request: Request, actor: Actor = Depends(current_actor), ask: Any = asking()
) -> Response:
    """How the lot was made, as a PDF; first what was not normal (21 CFR 211.188)."""
    pdf = ask(batch_record_pdf, lot_number, site_of(request), actor)
    headers = {"Content-Disposition": f'inline; filename="batch-record-{lot_number}.pdf"', "Cache-Control": "no-store"}
    return Response(pdf, media_type="application/pdf", headers=headers)
