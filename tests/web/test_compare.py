"""The page that sets lots side by side, as somebody without an account sees it."""

import html
import json
import re
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from httpx import Response

from api.web.compare import _named
from domain.disposition.decisions import RecallLot, recall_lot
from domain.work import Site
from tests import build
from tests.cast import act, credentials
from tests.certificates import typed
from tests.stages import LOT
from tests.web.browsing import PAGE, Browser
from tests.web.test_real_browser import address, chromium, page  # noqa: F401 - fixtures

OTHER = typed.certificate(number="COA-2026-000124")
pytestmark = [pytest.mark.stage("in_review"), pytest.mark.requirement("URS-107")]


@pytest.fixture(params=["sqlite"])
def databases(request: pytest.FixtureRequest, _databases: Any) -> Any:
    """What a page shows does not depend on the engine."""
    return _databases(request.param)


def send(site: Site, lots: str = "", *files: bytes, language: str = "en", vials: str = "") -> Response:
    chosen = [("files", (f"coa-{place}.json", data, "application/json")) for place, data in enumerate(files)]
    return Browser(site).client.post(
        f"/compare?lang={language}", data={"lots": lots, "vials": vials}, files=chosen or None, headers=PAGE
    )


def words_of(answer: Response) -> str:
    """The page without its marks."""
    body = re.sub(r"(?s)<(script|style).*?</\1>", "", answer.text)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())


def test_the_form_asks_for_lots_and_files_in_both_languages(site: Site) -> None:
    for language, title in (("en", "Compare lots"), ("de", "Chargen vergleichen")):
        answer = Browser(site).open(f"/compare?lang={language}")
        assert answer.status_code == 200
        assert f"<h1>{title}</h1>" in answer.text
        assert 'name="lots"' in answer.text
        assert 'type="file"' in answer.text


@pytest.mark.requirement("URS-108")
def test_the_state_of_each_lot_comes_first_and_a_file_is_marked_as_given(site: Site) -> None:
    build.released(site, LOT)
    told = words_of(send(site, f" {LOT.lower()} ", OTHER.canonical()))
    assert (
        told.index("Released")
        < told.index("As given by the file, not verified here")
        < told.index("Particles per vial")
    )
    act(
        site,
        "cleo",
        recall_lot,
        RecallLot(lot_number=LOT, recall_class="I", reason="particles", credentials=credentials("cleo")),
    )
    told = words_of(send(site, LOT, OTHER.canonical()))
    assert (
        told.index("Recalled") < told.index("Do not use. Contact the manufacturer.") < told.index("Particles per vial")
    )


def test_figures_grades_and_what_is_missing_are_shown_in_words(site: Site) -> None:
    build.released(site, LOT)
    told = words_of(send(site, LOT, OTHER.canonical(), vials="2"))
    assert "6.0 × 10¹¹ particles/vial" in told
    assert "missing: not on this certificate" in told
    assert "< 0.25 EU/vial" in told
    assert "1.20 × 10¹² particles/dose" in told
    assert re.search(r"Grade [BCD]", told)
    assert not re.search(r"\b(better|best|winner|worse|superior)\b", told, re.IGNORECASE)


def test_the_same_in_german(site: Site) -> None:
    build.released(site, LOT)
    told = words_of(send(site, LOT, OTHER.canonical(), language="de"))
    for word in ("Freigegeben", "Wie in der Datei angegeben, hier nicht geprüft", "Partikel pro Vial", "fehlt", "Grad"):
        assert word in told


def test_lots_in_the_address_are_compared_so_that_it_can_be_passed_on(site: Site) -> None:
    build.released(site, LOT)
    answer = Browser(site).open(f"/compare?lots={LOT},{LOT}")
    assert answer.status_code == 422
    assert "Each lot is named once." in answer.text
    waiting = Browser(site).open(f"/compare?lots={LOT}&lang=de")
    assert waiting.status_code == 200, "one lot alone waits in the form for another"
    assert f">{LOT}</textarea>" in waiting.text


def test_an_unknown_and_an_unreleased_lot_get_the_same_words(site: Site) -> None:
    answers = [send(site, number, OTHER.canonical()) for number in ("UEV26-9999", LOT)]
    assert {answer.status_code for answer in answers} == {404}
    assert answers[0].text.replace("UEV26-9999", LOT) == answers[1].text


@pytest.mark.parametrize(
    ("typed_in", "named"),
    [
        ("UEV26-0001 / 7K2Q9M\n uev 26 0002 ", [("UEV26-0001", "7K2Q9M"), ("uev 26 0002", "")]),
        ("A,B;C\n\n", [("A", ""), ("B", ""), ("C", "")]),
        ("(01)09521234543213(17)280302(10)UEV26-0001", [("(01)09521234543213(17)280302(10)UEV26-0001", "")]),
        (" \n,;", []),
    ],
)
def test_lots_stand_one_a_line_with_their_check_code_behind_a_slash(
    typed_in: str, named: list[tuple[str, str]]
) -> None:
    assert list(_named(typed_in)) == named


@pytest.mark.parametrize(
    ("file", "word"),
    [
        (b"%PDF-1.7", "coa-1.json: this is no coa.json."),
        (b"{}", "coa-1.json: not exactly of the published schema."),
        (typed.certificate(draft=True).canonical(), "nothing was issued"),
        (b'"' + b"x" * 1_000_001 + b'"', "coa-1.json: this is no coa.json."),
        (b"[" * 50_000, "coa-1.json: this is no coa.json."),
    ],
)
def test_a_file_that_is_no_certificate_is_refused_by_its_name(site: Site, file: bytes, word: str) -> None:
    answer = send(site, "", OTHER.canonical(), file)
    assert answer.status_code == 422
    assert word in words_of(answer)
    assert "Particles per vial" not in answer.text


def test_what_a_file_says_is_never_taken_as_marks_of_the_page(site: Site) -> None:
    plain = json.loads(OTHER.canonical())
    evil = "<script>alert(1)</script><svg onload=x>\"'{{ 7*7 }}"
    plain["lot"]["number"] = plain["product"]["name"]["en"] = plain["manufacturer"]["name"] = evil
    for line in plain["tests"]:
        line["method"] = line["instrument"] = evil
    answer = send(site, "", OTHER.canonical(), json.dumps(plain).encode())
    assert answer.status_code == 200
    assert "<script>alert" not in answer.text
    assert "<svg onload" not in answer.text
    assert "&lt;script&gt;alert(1)" in answer.text
    assert "script-src" not in answer.headers["content-security-policy"]


def test_too_many_lots_and_no_number_of_vials_are_refused(site: Site) -> None:
    assert "at most five lots" in send(site, "A\nB\nC\nD\nE\nF").text
    assert (
        "A dose is 1 to 100 vials."
        in send(site, "", OTHER.canonical(), typed.certificate().canonical(), vials="two").text
    )


def test_the_page_fits_a_phone_and_has_no_fault_that_a_machine_finds(site: Site, page: Any) -> None:  # noqa: F811
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text))
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto("/compare")
    files = [OTHER, typed.certificate()]
    page.set_input_files(
        "#files",
        [{"name": one.number, "mimeType": "application/json", "buffer": one.canonical()} for one in files],
    )
    page.click("form button.button")
    assert page.locator("section .exo-scale").count() > 10
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    found = Axe().run(page)
    assert not found.response["violations"], found.generate_report()
    assert not errors, "the policy lets everything of ours pass"


@pytest.mark.requirement("URS-223")
@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("en", ("revision: is of another kind than the schema asks for", "stray: is not known to the schema")),
        ("de", ("revision: ist von anderer Art, als das Schema verlangt", "stray: kennt das Schema nicht")),
    ],
)
def test_what_is_wrong_in_a_file_is_told_in_the_words_of_the_page(
    site: Site, lang: str, words: tuple[str, ...]
) -> None:
    odd = json.loads(OTHER.canonical()) | {"revision": "one", "stray": 1}
    answer = send(site, "", json.dumps(odd).encode(), language=lang)
    assert answer.status_code == 422
    assert all(one in words_of(answer) for one in words)
    assert "Input should" not in answer.text
    empty = send(site, "", b"", language=lang)
    assert ("the file is empty" if lang == "en" else "Die Datei ist leer") in words_of(empty)
