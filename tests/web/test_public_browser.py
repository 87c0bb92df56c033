"""The public pages in a real browser: on a phone and a desk, in light and dark, by keyboard, with a file dropped, and on paper."""

import io
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from api.help_on_tests import HELP
from api.main import create_app
from api.settings import Settings
from api.web.public_words import FOLLOW, REFUSALS, VERIFY, WORDS
from domain.disposition.certificates import WithdrawCertificate, withdraw_certificate
from domain.disposition.decisions import RecallLot, recall_lot
from domain.laboratory.catalogue import TESTS
from domain.work import Site
from tests import build
from tests.cast import act, credentials
from tests.servers import chromium_path
from tests.stages import LOT

pytestmark = pytest.mark.stage("in_review")


@pytest.fixture(params=["sqlite"])
def databases(request: pytest.FixtureRequest, _databases: Any) -> Any:
    """What a browser does does not depend on the engine."""
    return _databases(request.param)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium_path(), args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def address(site: Site) -> Iterator[str]:
    """A server on a free port of this machine, with a lot that was released."""
    with ThreadPoolExecutor(
        1
    ) as another:  # Playwright keeps the loop of this thread running, and signing wants one of its own
        another.submit(build.released, site, LOT).result()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    known = Settings(smtp_url="smtp://127.0.0.1:9", mail_from="quality@maker.example", rate_compare="1/hour")
    server = uvicorn.Server(
        uvicorn.Config(create_app(site, given=known), host="127.0.0.1", port=port, log_level="error")
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(10)


def opened(chromium: Browser, address: str, width: int = 390, scheme: str = "light", **more: Any) -> Page:
    context = chromium.new_context(
        base_url=address, viewport={"width": width, "height": 844}, color_scheme=scheme, locale="en-GB", **more
    )
    return context.new_page()


def serious(page: Page) -> list[str]:
    """What axe finds that keeps people out."""
    found = Axe().run(page).response["violations"]
    return [
        f"{one['id']}: {one['nodes'][0]['html'][:120]}" for one in found if one["impact"] in ("serious", "critical")
    ]


@pytest.mark.requirement("URS-058")
@pytest.mark.parametrize(
    ("scheme", "paths"),
    [
        ("light", ["/c", "/c/UEV26-0009", "/verify?lang=de", "/follow/abc", "/compare/none", f"/c/{LOT}"]),
        ("dark", ["/c/UEV26-0009", "/verify", f"/c/{LOT}?lang=de"]),
    ],
)
def test_nobody_is_kept_out_of_the_public_pages(
    chromium: Browser, site: Site, address: str, scheme: str, paths: list[str]
) -> None:
    pages = {width: opened(chromium, address, width, scheme) for width in (390, 1280)}

    def looked_at(path: str, what: str) -> None:
        for width, page in pages.items():
            page.goto(path)
            page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
            assert page.locator("h1").inner_text(), what
            assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{what} at {width}"
        assert serious(pages[390]) == [], what

    for path in paths:
        looked_at(path, path)
    number = build_number(site)
    said = {"certificate_number": number, "reason": "a mix-up"}
    act(site, "cleo", withdraw_certificate, WithdrawCertificate(**said, credentials=credentials("cleo")))
    if scheme == "light":
        looked_at(f"/c/{LOT}", "withdrawn")
    act(
        site,
        "cleo",
        recall_lot,
        RecallLot(lot_number=LOT, recall_class="II", reason="seen", credentials=credentials("cleo")),
    )
    looked_at(f"/c/{LOT}?lang=de", "recalled")


def build_number(site: Site) -> str:
    """The number of the one certificate."""
    with site.engine.connect() as connection:
        return str(connection.exec_driver_sql("SELECT number FROM certificate").scalar_one())


@pytest.mark.requirement("URS-126")
def test_a_pdf_dropped_on_the_page_is_checked_at_once_and_without_scripts_it_is_chosen(
    chromium: Browser, site: Site, address: str, tmp_path: Path
) -> None:
    page = opened(chromium, address)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.goto("/verify")
    file = site.documents.get(build_digest(site))
    page.evaluate(
        """bytes => {
            const given = new DataTransfer();
            given.items.add(new File([new Uint8Array(bytes)], "coa.pdf", {type: "application/pdf"}));
            const drop = kind => document.getElementById("drop").dispatchEvent(
                new DragEvent(kind, {bubbles: true, cancelable: true, dataTransfer: given}));
            drop("dragover");
            drop("drop");
        }""",
        list(file),
    )
    page.wait_for_selector(".checks")
    assert page.get_by_role("heading", level=1).inner_text() == "Genuine and current"
    assert page.locator(".checks li").count() >= 3
    assert not [one for one in said if "Content Security Policy" in one], said
    assert serious(page) == []
    plain = opened(chromium, address, java_script_enabled=False)
    plain.goto("/verify?lang=de")
    (tmp_path / "coa.pdf").write_bytes(file[:-40] + b"x" + file[-39:])
    plain.set_input_files("#file", tmp_path / "coa.pdf")
    plain.get_by_role("button", name="Datei prüfen").click()
    assert plain.get_by_role("heading", level=1).inner_text() in ("Verändert", "Nicht von uns")


def build_digest(site: Site) -> str:
    """The digest of the one certificate's file."""
    with site.engine.connect() as connection:
        return str(connection.exec_driver_sql("SELECT pdf_sha256 FROM certificate").scalar_one())


@pytest.mark.requirement("URS-116", "URS-058")
def test_a_test_is_explained_by_keyboard_alone(chromium: Browser, address: str) -> None:
    page = opened(chromium, address)
    page.goto(f"/c/{LOT}")
    explained = page.locator(".tests details").first
    assert not explained.locator("p").is_visible()
    explained.locator("summary").focus()
    page.keyboard.press("Enter")
    assert explained.locator("p").inner_text() == HELP["ENDO"].en
    page.keyboard.press("Home")
    page.goto(f"/c/{LOT}")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    assert page.evaluate("getComputedStyle(document.activeElement).left") == "0px"


def test_on_paper_the_state_and_a_warning_stand_first_and_no_form_is_printed(chromium: Browser, address: str) -> None:
    page = opened(chromium, address)
    page.goto(f"/c/{LOT}")
    document = pypdfium2.PdfDocument(io.BytesIO(page.pdf(format="A4")))
    text = "\n".join(one.get_textpage().get_text_range() for one in document)
    assert text.index("Released") < text.index("paper does not know of a recall") < text.index("Results")
    for left_out in ("Follow by e-mail", "Look up another lot", "What does this tell me"):
        assert left_out not in text


# --- words --------------------------------------------------------------------------------------------------------

#: Words that would claim what no page may claim.
CLAIMS = (
    "safe for",
    "is safe",
    "approved",
    "cures",
    "heals",
    "effective against",
    "zugelassen",
    "unbedenklich",
    "heilt",
    "wirksam gegen",
)


@pytest.mark.requirement("URS-116", "URS-051")
def test_every_test_of_the_catalogue_is_explained_in_both_languages_and_nothing_is_claimed() -> None:
    assert set(HELP) == set(TESTS)
    for code, told in HELP.items():
        for text in (told.en, told.de):
            assert 60 < len(text) < 420, code
            assert text.endswith("."), code
            assert not [claim for claim in CLAIMS if claim in text.lower()], code
        assert told.en != told.de


def test_the_public_words_are_there_in_both_languages() -> None:
    for table in (WORDS, VERIFY, FOLLOW, REFUSALS):
        english, german = table["en"], table["de"]
        assert english.keys() == german.keys()  # type: ignore[attr-defined]
        assert not [claim for claim in CLAIMS if claim in str((english, german)).lower()]
