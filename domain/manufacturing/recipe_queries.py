"""Recipes as shown, and the difference between two versions."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any

from sqlmodel import Session, col, select

from domain.lots.models import Product
from domain.manufacturing.catalogue import Parameter, step_kind
from domain.manufacturing.recipe_models import (
    LIMITS,
    ParameterRule,
    Recipe,
    RecipeApproval,
    RecipeContent,
    RecipeReview,
)
from domain.manufacturing.recipes import effective_recipe, recipe_coded
from domain.people.models import User
from domain.work import View


class RecipeRow(View):
    """A version in a list; `in_force` for the one that a lot begun today would pin."""

    code: str
    revision: int
    label: str
    product_code: str
    effective_from: date
    reason: str
    drafted_at: datetime
    drafted_by: str
    reviewed_at: datetime | None
    reviewed_by: str | None
    approved_at: datetime | None
    approved_by: str | None
    in_force: bool


class RecipeView(RecipeRow):
    """A version with its content."""

    content: RecipeContent


class Change(View):
    """One difference between two versions: where, what it was, what it is; None where it is not there."""

    place: str
    before: str | None
    after: str | None


def recipes(session: Session, today: date) -> list[RecipeRow]:
    """Every version, newest first within a code."""
    found = session.exec(select(Recipe).order_by(Recipe.code, col(Recipe.revision).desc())).all()
    return [RecipeRow(**_facts(session, one, today)) for one in found]


def recipe_file(session: Session, code: str, revision: int, today: date) -> RecipeView:
    """One version. Raises NotFound."""
    recipe = recipe_coded(session, code, revision)
    return RecipeView(**_facts(session, recipe, today), content=recipe.said)


def difference(session: Session, a: tuple[str, int], b: tuple[str, int]) -> list[Change]:
    """What changes from version a to version b, each given by code and number; steps go by their name, not by their place.

    Raises NotFound.
    """
    old, new = recipe_coded(session, *a), recipe_coded(session, *b)
    before, after = ({"effective from": one.effective_from.isoformat(), **dict(_flat(one.said))} for one in (old, new))
    places = [*before, *(place for place in after if place not in before)]
    return [
        Change(place=place, before=before.get(place), after=after.get(place))
        for place in places
        if before.get(place) != after.get(place)
    ]


def _facts(session: Session, recipe: Recipe, today: date) -> dict[str, Any]:
    names = dict(session.exec(select(User.id, User.name)).all())
    review = session.exec(select(RecipeReview).where(RecipeReview.recipe_id == recipe.id)).first()
    approval = session.exec(select(RecipeApproval).where(RecipeApproval.recipe_id == recipe.id)).first()
    effective = effective_recipe(session, recipe.product_id, today)
    own = ("code", "revision", "label", "effective_from", "reason", "drafted_at")
    return {name: getattr(recipe, name) for name in own} | {
        "product_code": session.get_one(Product, recipe.product_id).code,
        "drafted_by": names[recipe.drafted_by],
        "reviewed_at": review.reviewed_at if review else None,
        "reviewed_by": names[review.reviewed_by] if review else None,
        "approved_at": approval.approved_at if approval else None,
        "approved_by": names[approval.approved_by] if approval else None,
        "in_force": effective is not None and effective.id == recipe.id,
    }


def _flat(content: RecipeContent) -> Iterator[tuple[str, str]]:
    yield "order of steps", " → ".join(step.key for step in content.steps)
    for step in content.steps:
        yield from _leaves(f"step {step.key}", step.model_dump(exclude={"key", "parameters"}))
        for rule in step.parameters:
            yield from _ruled(f"step {step.key}", step_kind(step.kind).parameter(rule.code), rule)
    for hold in content.hold_times:
        yield f"hold time {hold.after} → {hold.before}", f"at most {hold.at_most.value} {hold.at_most.unit}"


def _ruled(place: str, parameter: Parameter, rule: ParameterRule) -> Iterator[tuple[str, str]]:
    """A parameter by the name that people read, its limits with their unit."""
    where, unit = f"{place}, {parameter.en}", parameter.unit if parameter.unit not in (None, "1", "[pH]") else ""
    yield where, "named"
    for name, value in _leaves(where, rule.model_dump(exclude={"code"})):
        is_limit = name.rpartition(", ")[2].replace(" ", "_") in LIMITS
        yield name, f"{value} {unit}".strip() if is_limit else value


def _leaves(place: str, said: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Every value with its place; rows of a table go by what names them."""
    for name, value in said.items():
        where = f"{place}, {name.replace('_', ' ')}"
        if isinstance(value, Mapping):
            if set(value) == {"value", "unit"}:
                yield where, f"{value['value']} {value['unit']}"
            else:
                yield from _leaves(where, value)
        elif isinstance(value, tuple | list):
            yield from _rows(where, value)
        elif value not in (None, ""):
            yield where, {True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool) else str(value)


def _rows(where: str, rows: Any) -> Iterator[tuple[str, str]]:
    plain = [row for row in rows if not isinstance(row, Mapping)]
    if plain:
        yield where, "; ".join(map(str, plain))
    for row in rows:
        if isinstance(row, Mapping):
            name = next(row[key] for key in ("material", "purpose") if key in row)
            yield f"{where} {name}", "named"
            yield from _leaves(f"{where} {name}", {k: v for k, v in row.items() if k not in ("material", "purpose")})
