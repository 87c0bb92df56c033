"""The workplace in a real browser: by keyboard alone, on a phone, and looked over for accessibility."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from api.main import create_app
from domain.work import Site
from tests import build
from tests.cast import password
from tests.governed import RECIPE
from tests.servers import chromium_path


@pytest.fixture(params=["sqlite"])
def databases(request: pytest.FixtureRequest, _databases: object) -> object:
    """What a browser does does not depend on the engine."""
    return _databases(request.param)  # type: ignore[operator]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium_path(), args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def address(site: Site) -> Iterator[str]:
    """A server on a free port of this machine."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(create_app(site), host="127.0.0.1", port=port, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(10)


@pytest.fixture
def page(chromium: Browser, address: str) -> Iterator[Page]:
    context = chromium.new_context(base_url=address, viewport={"width": 1280, "height": 900})
    yield context.new_page()
    context.close()


def sign_in(page: Page, username: str) -> None:
    """The username has the focus when the page opens; Enter sends."""
    page.goto("/sign-in")
    page.locator("#username:focus").wait_for()  # a busy machine may load a page before it focuses anything
    page.keyboard.type(username)
    page.keyboard.press("Tab")
    page.keyboard.type(password(username))
    page.keyboard.press("Enter")
    page.wait_for_url("**/work")


def serious(page: Page) -> list[str]:
    """What axe finds that keeps people out."""
    found = Axe().run(page).response["violations"]
    return [
        f"{one['id']}: {one['nodes'][0]['html'][:120]}" for one in found if one["impact"] in ("serious", "critical")
    ]


@pytest.mark.requirement("URS-058")
def test_a_bad_then_a_good_reading_by_keyboard_alone(page: Page, site: Site) -> None:
    bank, basal = build.bank(site), build.released_material(site)
    step = build.begun(
        site, "expansion", {bank: ("1", "{vial}"), basal: ("1", "L")}, [(build.K.CULTURE, "10*6.{cells}")]
    ).step
    sign_in(page, "tom")
    page.goto(f"/steps/{step}?next=temperature")
    assert page.evaluate("document.activeElement.id") == "f-readings.temperature.value"
    page.keyboard.type("370")
    page.keyboard.press("Enter")
    page.get_by_role("alert").wait_for()
    assert "cannot be" in page.get_by_role("alert").inner_text()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    field = page.locator("[id='f-readings.temperature.value']")
    assert field.input_value() == "370"
    field.press("Control+a")
    page.keyboard.type("37.0")
    page.keyboard.press("Enter")
    page.get_by_role("status").wait_for()
    assert "Temperature: recorded." in page.get_by_role("status").inner_text()
    assert page.evaluate("document.activeElement.id") == "f-readings.co2.value"
    assert serious(page) == []


def test_quality_assurance_releases_a_lot_and_a_phone_sees_it(
    page: Page, site: Site, chromium: Browser, address: str
) -> None:
    code = build.new_product(site)
    build.approved_specification(site, code)
    number = build.drug_product(site, code)
    build.tested(site, number)
    sign_in(page, "cleo")
    page.get_by_role("link", name=number).click()
    assert serious(page) == []
    page.get_by_role("link", name="Release …").click()
    page.get_by_label("Reason").fill("complies")
    page.get_by_label("Username").fill("cleo")
    page.get_by_label("Password", exact=True).fill(password("cleo"))
    assert serious(page) == []
    page.get_by_role("button", name="Release").click()
    page.wait_for_url(f"**/lots/{number}")
    assert "Released" in page.locator(".standing").inner_text()
    phone = chromium.new_context(
        base_url=address, viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True
    )
    asked: list[str] = []
    look = phone.new_page()
    look.on("request", lambda request: asked.append(request.url))
    look.goto(f"/c/{number}")
    assert [url for url in asked if not url.startswith("data:")] == [f"{address}/c/{number}"]
    assert look.get_by_role("heading", level=1).inner_text() == "Released"
    assert look.evaluate("document.documentElement.scrollWidth") <= 390
    assert serious(look) == []
    look.goto(f"/c/{number}?lang=de")
    assert look.get_by_role("heading", level=1).inner_text() == "Freigegeben"
    phone.close()


@pytest.mark.requirement("URS-058")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nobody_is_kept_out_of_the_main_pages(chromium: Browser, site: Site, address: str, scheme: str) -> None:
    code = build.new_product(site)
    build.approved_specification(site, code)
    number = build.drug_product(site, code)
    sample = build.sampled(site, number)
    build.entered(site, sample, "PH", "7.9", "8.1")
    build.donor(site, "D-2026-0099")
    maker = [
        "/work",
        "/lots",
        "/steps",
        "/steps/new",
        "/steps/new/lyophilization",
        "/donors/D-2026-0099",
        "/donors/D-2026-0099/markers",
    ]
    visits = {
        "": ["/", "/sign-in", "/c", "/c/none"],
        "tom": [*maker, f"/lots/{number}"],
        "ben": [f"/samples/{sample}", f"/samples/{sample}/results/SOP-ENDO", f"/samples/{sample}/import"],
        "rhea": [f"/samples/{sample}/review", "/specifications/new", "/methods", f"/lots/{number}/submit"],
        "cleo": ["/audit", "/specifications/SPEC-UC-EV-50/1"],
        "ann": ["/products", "/products/new"],
        "ada": ["/users", "/users/ben", "/users/new"],
    }  # fmt: skip
    for username, paths in visits.items():
        context = chromium.new_context(base_url=address, viewport={"width": 390, "height": 844}, color_scheme=scheme)
        page = context.new_page()
        if username:
            page.goto("/sign-in")
            page.fill("#username", username)
            page.fill("#password", password(username))
            page.locator("main button").click()
            page.wait_for_load_state()
        for path in paths:
            page.goto(path)
            assert serious(page) == [], path
            assert page.evaluate("document.documentElement.scrollWidth") <= 390, path
        context.close()


def test_the_description_of_the_api_needs_nothing_but_this_site(page: Page, address: str) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto("/docs")
    page.wait_for_selector(".opblock")
    assert page.title() == "Exolotl: the JSON API"
    assert all(one.startswith((address, "data:")) for one in asked), asked


@pytest.mark.stage("governed")
@pytest.mark.requirement("URS-207")
def test_a_recipe_is_drafted_on_a_phone_by_keyboard_without_javascript(
    chromium: Browser, address: str, site: Site
) -> None:
    context = chromium.new_context(base_url=address, viewport={"width": 390, "height": 844}, java_script_enabled=False)
    page = context.new_page()
    sign_in(page, "ann")
    page.goto(f"/recipes/new?like={RECIPE}%20v1")
    page.fill("[name=reason]", "slower")
    page.fill("[name=effective_from]", str(site.today()))
    page.locator("[name=_more][value='content.steps.1.parameters']").press("Enter")
    page.wait_for_load_state()
    page.locator("[name='content.steps.1.parameters.0.code']").select_option("fill_volume")
    page.fill("[name='content.steps.1.parameters.0.alert_low']", "1.95")
    page.keyboard.press("Enter")  # draws the form again, and sends nothing off
    page.wait_for_load_state()
    assert page.input_value("[name='content.steps.1.parameters.0.alert_low']") == "1.95"
    page.get_by_role("button", name="Draft it").press("Enter")
    page.wait_for_url(f"**/recipes/{RECIPE}/2")
    assert "alert low" in page.inner_text("main")
    context.close()
