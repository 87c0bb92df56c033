"""Drafting a recipe at its page: rows that come, go and move, and what was typed stays."""

import pytest
from httpx import Response

from domain.manufacturing.recipe_queries import recipe_file
from domain.store import reading
from domain.work import Site
from tests.governed import PRODUCT, RECIPE
from tests.web.browsing import PAGE, Browser, Page, errors_at

pytestmark = pytest.mark.stage("governed")
FORM = "/recipes/new"


@pytest.fixture(params=["sqlite"])
def databases(request: pytest.FixtureRequest, _databases: object) -> object:
    """What a page says does not depend on the engine."""
    return _databases(request.param)  # type: ignore[operator]


def pressed(browser: Browser, before: Response, name: str = "", value: str = "", **typed: str) -> Response:
    """What a page answers when something is typed into it and a button of it is pressed."""
    held = {**Page(before.text).values, **{key.replace("__", "."): text for key, text in typed.items()}}
    held.pop("_act", None)
    return browser.client.post(FORM, data=held | ({name: value} if name else {}), headers=PAGE)


def values(answer: Response) -> dict[str, str]:
    return Page(answer.text).values


@pytest.mark.requirement("URS-207")
def test_a_recipe_is_written_step_by_step_without_a_line_of_json(site: Site) -> None:
    ann = Browser(site, "ann")
    page = pressed(ann, ann.open(FORM), "_act", "add", _kind="formulation", code="MBR-NEW-1", product_code=PRODUCT)
    page = pressed(ann, page, "_act", "add", _kind="fill", reason="first version", effective_from=str(site.today()))
    assert values(page)["content.steps.1.key"] == "fill"
    page = pressed(ann, page, "_more", "content.steps.0.parameters")
    ph = {f"content__steps__0__parameters__0__{name}": text for name, text in
          {"code": "ph", "alert_low": "7.0", "alert_high": "7.4", "critical": "yes"}.items()}  # fmt: skip
    page = pressed(ann, page, "_more", "content.steps.0.materials", **ph)
    assert "The catalogue allows" in page.text
    bill = {f"content__steps__0__materials__0__{name}": text for name, text in
            {"material": "Buffer", "quantity__value": "100", "quantity__unit": "mL", "tolerance": "5"}.items()}  # fmt: skip
    page = pressed(ann, page, "_more", "content.steps.1.statements", **bill)
    page = pressed(ann, page, "_more", "content.hold_times", content__steps__1__statements__0__text="Valid process.")
    hold = {f"content__hold_times__0__{name}": text for name, text in
            {"after": "formulation", "before": "fill", "at_most__value": "4"}.items()}  # fmt: skip
    done = pressed(ann, page, content__steps__1__equipment_classes="filling-line, pump", **hold)
    assert done.headers["location"] == "/recipes/MBR-NEW-1/1", done.text
    with reading(site.engine) as session:
        said = recipe_file(session, "MBR-NEW-1", 1, site.today()).content
    (rule,) = said.steps[0].parameters
    assert (rule.code, rule.alert_low, rule.alert_high, rule.action_high, rule.critical) == (
        "ph",
        "7.0",
        "7.4",
        None,
        True,
    )
    assert (said.steps[0].materials[0].tolerance, said.steps[1].equipment_classes) == ("5", ("filling-line", "pump"))
    assert said.steps[1].statements == ("Valid process.",)
    assert (said.hold_times[0].at_most.value, said.hold_times[0].at_most.unit) == ("4", "h")


@pytest.mark.requirement("URS-207")
def test_a_wrong_limit_is_told_beside_it_and_nothing_typed_is_lost(site: Site) -> None:
    ann = Browser(site, "ann")
    wrong = {"content__steps__0__parameters__0__alert_high": "7,4", "reason": "tighter", "effective_from": "2026-01-01"}
    answer = pressed(ann, ann.open(f"{FORM}?like={RECIPE}%20v1"), **wrong)
    assert answer.status_code == 422
    assert "7,4" in errors_at(answer, "content.steps.0.parameters.0.alert_high")
    assert values(answer)["content.steps.0.parameters.0.alert_high"] == "7,4"
    assert values(answer)["content.steps.0.parameters.1.alert_high"] == "340"
    assert values(answer)["reason"] == "tighter"
    named = pressed(ann, answer, content__steps__1__key="Fill 1")
    assert "small letters" in errors_at(named, "content.steps.1.key")


@pytest.mark.requirement("URS-207")
def test_an_untouched_row_falls_away_and_its_neighbour_still_finds_its_error(site: Site) -> None:
    ann = Browser(site, "ann")
    page = pressed(ann, ann.open(f"{FORM}?like={RECIPE}%20v1"), "_more", "content.steps.1.parameters")
    below = {
        "content__steps__1__parameters__3__code": "fill_volume",
        "content__steps__1__parameters__3__alert_low": "x",
    }
    answer = pressed(ann, page, **below, reason="tighter", effective_from="2026-01-01")
    assert "x" in errors_at(answer, "content.steps.1.parameters.0.alert_low")


@pytest.mark.requirement("URS-207")
def test_steps_are_moved_and_rows_removed_by_buttons_alone(site: Site) -> None:
    ann = Browser(site, "ann")
    page = pressed(ann, ann.open(f"{FORM}?like={RECIPE}%20v1"), "_act", "down content.steps.0")
    keys = [values(page)[f"content.steps.{place}.key"] for place in range(4)]
    assert keys == ["fill", "formulation", "drying", "packing"]
    page = pressed(ann, page, "_act", "remove content.steps.1.parameters.0")
    assert values(page)["content.steps.1.parameters.0.code"] == "osmolality"
    page = pressed(ann, page, "_act", "remove content.steps.3")
    assert "content.steps.3.key" not in values(page)
    refused = pressed(ann, page, reason="other order", effective_from="2026-01-01")
    assert "does not come after" in errors_at(refused, "content.hold_times.0.before")


def test_a_recipe_without_a_step_is_refused_in_words(site: Site) -> None:
    ann = Browser(site, "ann")
    answer = pressed(
        ann, ann.open(FORM), code="MBR-2", product_code=PRODUCT, reason="empty", effective_from="2026-01-01"
    )
    assert (answer.status_code, "at least one step" in errors_at(answer, "_kind")) == (422, True)
    assert "choose the kind" in errors_at(pressed(ann, answer, "_act", "add"), "_kind").lower()


def test_what_no_page_sends_is_refused_and_draws_a_page(site: Site) -> None:
    ann = Browser(site, "ann")
    for name, text in (
        ("content", "x"),
        ("content.steps", "x"),
        ("content.steps.0", "x"),
        ("content.steps.0.a.b", "x"),
    ):
        typed = {"reason": "odd", "effective_from": "2026-01-01", "code": "MBR-3", "product_code": PRODUCT, name: text}
        assert (
            pressed(ann, ann.open(FORM), **{key.replace(".", "__"): one for key, one in typed.items()}).status_code
            == 422
        )
    assert pressed(ann, ann.open(FORM), "_act", "remove content.steps.7").status_code == 200
