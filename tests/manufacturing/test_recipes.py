"""Recipes: three people, versions that are never edited, limits that only narrow, and what changed between two."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.exc import DBAPIError

from domain.errors import Conflict, DomainError, Forbidden, Invalid, NotFound, Refused
from domain.manufacturing.catalogue import STEP_KINDS
from domain.manufacturing.recipe_models import LIMITS, ParameterRule, RecipeContent, RecipeStep, governed
from domain.manufacturing.recipe_queries import difference, recipe_file, recipes
from domain.manufacturing.recipes import (
    ApproveRecipe,
    ReviewRecipe,
    approve_recipe,
    effective_recipe,
    review_recipe,
)
from domain.store import reading
from domain.work import Site
from tests import build
from tests.cast import Clock, act, credentials, raw
from tests.governed import PRODUCT, RECIPE, approved, content, drafted


def codes(refusal: pytest.ExceptionInfo[DomainError]) -> list[str]:
    return [reason.code for reason in refusal.value.reasons]


def review(site: Site, who: str = "rhea", revision: int = 1) -> None:
    command = ReviewRecipe(code=RECIPE, revision=revision, credentials=credentials(who))
    act(site, who, review_recipe, command)


def approve(site: Site, who: str = "cleo", revision: int = 1) -> None:
    command = ApproveRecipe(code=RECIPE, revision=revision, credentials=credentials(who))
    act(site, who, approve_recipe, command)


def in_force(site: Site, days: int = 0) -> str | None:
    with reading(site.engine) as session:
        found = effective_recipe(
            session, raw(site, "SELECT id FROM product")[0][0], site.today() + timedelta(days=days)
        )
        return found.label if found else None


@pytest.mark.requirement("URS-134")
def test_a_recipe_is_drafted_reviewed_and_approved_by_three_people(site: Site) -> None:
    build.new_product(site)
    drafted(site)
    with pytest.raises(Refused) as unreviewed:
        approve(site)
    assert codes(unreviewed) == ["not-reviewed"]
    with pytest.raises(Refused) as own:
        review(site, "ann")
    assert codes(own) == ["not-by-same-person"]
    review(site)
    for who in ("rhea", "ann"):
        with pytest.raises(Forbidden):
            approve(site, who)
    assert in_force(site) is None
    approve(site)
    assert in_force(site) == f"{RECIPE} v1"
    meanings = raw(site, "SELECT meaning FROM signature WHERE record = 'recipe' ORDER BY id")
    assert [row[0] for row in meanings] == ["reviewed", "approved"]


@pytest.mark.requirement("URS-134")
def test_two_clicks_on_approve_make_one_approval(site: Site) -> None:
    build.new_product(site)
    approved(site)
    with pytest.raises(Conflict):
        approve(site, "quin")
    with pytest.raises(Conflict):
        review(site)
    assert raw(site, "SELECT count(*) FROM recipe_approval") == [(1,)]


@pytest.mark.requirement("URS-135")
def test_a_version_comes_into_force_on_its_date_and_supersedes_the_earlier_one(site: Site) -> None:
    build.new_product(site)
    approved(site)
    approved(site, on=site.today() + timedelta(days=10), reason="slower drying")
    drafted(site, reason="a third, not approved")
    assert [in_force(site, days) for days in (-1, 0, 9, 10)] == [None, f"{RECIPE} v1", f"{RECIPE} v1", f"{RECIPE} v2"]


@pytest.mark.requirement("URS-135")
def test_a_recipe_is_never_edited(site: Site) -> None:
    build.new_product(site)
    approved(site)
    for sql in ("UPDATE recipe SET content = '{}'", "DELETE FROM recipe_approval", "DELETE FROM recipe"):
        with pytest.raises(DBAPIError), site.engine.begin() as connection:
            connection.exec_driver_sql(sql)


def refused(site: Site, **step: Any) -> list[str]:
    """The codes of what is wrong with a recipe of one formulation."""
    build.new_product(site)
    with pytest.raises(DomainError) as refusal:
        drafted(site, RecipeContent(steps=(RecipeStep(key="mixing", kind="formulation", **step),)))
    return codes(refusal)


@pytest.mark.requirement("URS-136")
@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ({"code": "ph", "hard_low": "2.9"}, "limits-too-wide"),
        ({"code": "ph", "hard_high": "11.01"}, "limits-too-wide"),
        ({"code": "ph", "action_high": "12"}, "limits-too-wide"),
        ({"code": "ph", "alert_low": "7.5", "alert_high": "7.0"}, "limits-out-of-order"),
        ({"code": "ph", "action_high": "7.2"}, "limits-out-of-order"),
        ({"code": "ph", "alert_high": "1,5"}, "not-a-number"),
        ({"code": "ph", "alert_high": "NaN"}, "not-a-number"),
        ({"code": "ph", "alert_high": "٣"}, "not-a-number"),
        ({"code": "ph", "alert_high": "1_0"}, "not-a-number"),
        ({"code": "buffer", "alert_high": "7"}, "only-numbers-have-limits"),
        ({"code": "vials"}, "unknown-parameter"),
    ],
)
def test_limits_that_cannot_be_are_refused(site: Site, rule: dict[str, str], code: str) -> None:
    assert code in refused(site, parameters=(ParameterRule(**rule),))


@pytest.mark.requirement("URS-136")
def test_a_draft_says_all_that_is_wrong_with_it_at_once(site: Site) -> None:
    build.new_product(site)
    said = content(
        hold_times=({"after": "fill", "before": "formulation", "at_most": {"value": "0", "unit": "h"}},),
        fill={"expected_yield": {"low": "100", "high": "x"}},
    )
    with pytest.raises(Invalid) as refusal:
        drafted(site, said)
    assert codes(refusal) == ["not-a-number", "times-out-of-order", "not-positive"]
    assert refusal.value.reasons[0].field == "content.steps.1.expected_yield.high"
    with pytest.raises(NotFound):
        drafted(site, product_code="NONE")


@pytest.mark.requirement("URS-136")
def test_a_recipe_belongs_to_one_product_and_names_each_step_and_material_once(site: Site) -> None:
    build.new_product(site)
    other = build.new_product(site, "OTHER-1", "OTH")
    drafted(site)
    with pytest.raises(Conflict) as elsewhere:
        drafted(site, product_code=other)
    assert codes(elsewhere) == ["recipe-of-other-product"]
    twice = RecipeStep(key="mixing", kind="formulation")
    with pytest.raises(Invalid) as refusal:
        drafted(site, RecipeContent(steps=(twice, twice)))
    assert codes(refusal) == ["step-twice"]


PARAMETERS = [one for kind in STEP_KINDS.values() for one in kind.parameters if one.unit is not None]


@pytest.mark.requirement("URS-136")
@given(
    st.sampled_from(PARAMETERS),
    st.dictionaries(st.sampled_from(LIMITS), st.decimals(-1000, 1000, places=2).map(str)),
)
def test_a_limit_that_is_not_given_stays_as_it_was_and_is_never_0(parameter: Any, limits: dict[str, str]) -> None:
    narrowed = governed(parameter, ParameterRule(code=parameter.code, **limits))
    for name in LIMITS:
        if name in limits:
            assert str(getattr(narrowed, name)) == limits[name]
        else:
            assert getattr(narrowed, name) == getattr(parameter, name)


@pytest.mark.requirement("URS-135")
def test_the_difference_between_two_versions_names_every_place_that_changed(site: Site) -> None:
    build.new_product(site)
    approved(site)
    slower = content(fill={"instruction": "Fill slowly.", "expected_yield": {"low": "90", "high": "100"}})
    drafted(site, slower, reason="slower")
    with reading(site.engine) as session:
        changed = {one.place: (one.before, one.after) for one in difference(session, (RECIPE, 1), (RECIPE, 2))}
        back = {one.place: (one.before, one.after) for one in difference(session, (RECIPE, 2), (RECIPE, 1))}
        assert difference(session, (RECIPE, 1), (RECIPE, 1)) == []
        with pytest.raises(NotFound):
            difference(session, (RECIPE, 1), (RECIPE, 9))
    assert changed == {
        "step fill, instruction": (None, "Fill slowly."),
        "step fill, expected yield, low": (None, "90"),
        "step fill, expected yield, high": (None, "100"),
    }
    assert back == {place: (after, before) for place, (before, after) in changed.items()}


def test_a_changed_limit_is_told_by_the_name_of_its_parameter_with_its_unit(site: Site) -> None:
    build.new_product(site)
    approved(site)
    drafted(site, content(formulation={"parameters": (ParameterRule(code="osmolality", alert_high="330"),)}))
    with reading(site.engine) as session:
        changed = {one.place: (one.before, one.after) for one in difference(session, (RECIPE, 1), (RECIPE, 2))}
    assert changed["step formulation, Osmolality, alert high"] == ("340 mosm/kg", "330 mosm/kg")
    assert changed["step formulation, pH, alert low"] == ("7.0", None)


def test_the_list_shows_which_version_is_in_force(site: Site, clock: Clock) -> None:
    build.new_product(site)
    approved(site)
    approved(site, reason="second", on=site.today() + timedelta(days=1))
    with reading(site.engine) as session:
        assert [(one.revision, one.in_force) for one in recipes(session, site.today())] == [(2, False), (1, True)]
        shown = recipe_file(session, RECIPE, 1, site.today())
    assert (shown.drafted_by, shown.reviewed_by, shown.approved_by) == ("Ann Makes", "Rhea Reviews", "Cleo Releases")
    assert shown.product_code == PRODUCT
    clock.advance(days=1)
    with reading(site.engine) as session:
        assert [(one.revision, one.in_force) for one in recipes(session, site.today())] == [(2, True), (1, False)]
