"""The public page: what somebody with a vial in the hand sees."""

import re
from dataclasses import replace

import pytest

from domain.disposition.decisions import HoldLot, hold_lot
from domain.work import Site
from tests import build
from tests.cast import Clock, act, credentials
from tests.web.browsing import Browser, Page, signed


def test_a_released_lot_says_so_first_and_shows_its_results(site: Site) -> None:
    certificate = build.released(site)
    answer = Browser(site).open("/c/UEV26-0001")
    assert answer.status_code == 200
    assert answer.text.index("Released") < answer.text.index("Product and lot") < answer.text.index("≤ 0.50 EU/mL")
    assert certificate.pdf_sha256 in answer.text
    assert "For research use only" in answer.text


def test_the_page_is_one_small_request_and_names_no_donor(site: Site) -> None:
    build.released(site)
    answer = Browser(site).open("/c/UEV26-0001")
    assert len(answer.content) < 60_000
    assert not re.search(r"<script|<img|<link rel=\"stylesheet|@import|url\(|src=", answer.text)
    assert "D-2026-" not in answer.text
    assert "approved" not in answer.text.lower()


def test_unknown_and_unreleased_lots_look_alike(site: Site) -> None:
    number = build.drug_product(site)
    browser = Browser(site)
    unknown, unreleased = browser.open("/c/UEV26-9999"), browser.open(f"/c/{number}")
    assert unknown.status_code == unreleased.status_code == 404
    assert unknown.content == unreleased.content.replace(number.encode(), b"UEV26-9999")
    assert {name for name in unknown.headers if name != "date"} == {
        name for name in unreleased.headers if name != "date"
    }


def test_a_hold_a_recall_and_the_expiry_show_in_the_very_next_request(site: Site, clock: Clock) -> None:
    build.released(site)
    browser = Browser(site)
    first = browser.open("/c/UEV26-0001")
    same = browser.open("/c/UEV26-0001", **{"if-none-match": first.headers["etag"]})
    assert (same.status_code, same.content) == (304, b"")
    assert first.headers["cache-control"] == "no-cache"
    act(site, "rhea", hold_lot, HoldLot(lot_number="UEV26-0001", reason="complaint", credentials=credentials("rhea")))
    held = browser.open("/c/UEV26-0001", **{"if-none-match": first.headers["etag"]})
    assert held.status_code == 200
    assert "On hold" in held.text
    assert "complaint" not in held.text
    quality = Browser(site, "cleo")
    recall = quality.send(
        "/lots/UEV26-0001/recall", {"recall_class": "II", "reason": "particles seen", **signed("cleo")}
    )
    assert recall.status_code == 303
    recalled = browser.open("/c/UEV26-0001")
    assert "Recalled" in recalled.text
    assert site.profile.phone in recalled.text
    assert recalled.text.index("Do not use") < recalled.text.index("Product and lot")


@pytest.mark.requirement("URS-222")
@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
@pytest.mark.parametrize("act", ["recall", "withdraw"])
def test_nothing_of_a_recalled_or_withdrawn_lot_is_shown_as_good(site: Site, act: str) -> None:
    number = build.released(site).number
    pages = ("/c/UEV26-0001", "/lots/UEV26-0001", f"/certificates/{number}", "/register")
    quality = Browser(site, "cleo")
    before = {page: quality.open(page).text for page in pages}
    assert 'class="verdict good"' in before["/c/UEV26-0001"]
    assert "Pass" in before["/lots/UEV26-0001"]
    if act == "recall":
        typed = {"recall_class": "II", "reason": "particles seen", **signed("cleo")}
        assert quality.send("/lots/UEV26-0001/recall", typed).status_code == 303
    else:
        typed = {"reason": "a mix-up", **signed("cleo")}
        assert quality.send(f"/certificates/{number}/withdraw", typed).status_code == 303
    public, lot, certificate, register = (quality.open(page).text for page in pages)
    assert 'class="verdict good"' not in public
    assert ">Current<" not in public
    results = lot.partition('id="results"')[2].partition("</table>")[0]
    assert results
    assert "badge good" not in results
    assert ">Current<" not in certificate.replace("</svg>Current", ">Current<")
    word = "Lot recalled" if act == "recall" else "Withdrawn"
    assert word in certificate
    assert f"</svg>{word}<" in register


def test_a_site_without_an_address_for_mail_shows_none(site: Site) -> None:
    build.released(site)
    silent = replace(site, profile=replace(site.profile, email=""))
    for page in ("/c/UEV26-0001", "/c/UEV26-0009", "/c"):
        assert "mailto:" in Browser(site).open(page).text
        assert "mailto:" not in Browser(silent).open(page).text


def test_the_page_expires_with_the_lot(site: Site, clock: Clock) -> None:
    build.released(site)
    browser = Browser(site)
    before = browser.open("/c/UEV26-0001").headers["etag"]
    clock.advance(days=3 * 365)
    after = browser.open("/c/UEV26-0001", **{"if-none-match": before})
    assert after.status_code == 200
    assert "Expired" in after.text


def test_the_page_speaks_german_to_who_likes_it_better_or_asks(site: Site) -> None:
    build.released(site)
    browser = Browser(site)
    liked = browser.open("/c/UEV26-0001", **{"accept-language": "de-DE,de;q=0.9,en;q=0.7"})
    assert 'lang="de"' in liked.text
    assert "Freigegeben" in liked.text
    assert liked.headers["vary"] == "Accept-Language"
    asked = browser.open("/c/UEV26-0001?lang=en", **{"accept-language": "de"})
    assert "Released" in asked.text
    assert asked.headers["etag"] != liked.headers["etag"]


def test_a_number_is_forgiven_its_spaces_and_small_letters(site: Site) -> None:
    build.released(site)
    browser = Browser(site)
    led = browser.open("/c?lot=uev26-0001 ")
    assert led.headers["location"] == "/c/uev26-0001"
    assert browser.open(led.headers["location"]).status_code == 200


def test_an_odd_number_is_no_failure_and_is_not_echoed(site: Site) -> None:
    browser = Browser(site)
    for odd in ("a/b", "<b>", "%01", "é", "x" * 300):
        answer = browser.open(f"/c/{odd}")
        assert answer.status_code == 404
        assert "<b>" not in answer.text


def test_an_address_with_a_nul_names_nothing(site: Site) -> None:
    browser = Browser(site)
    for path in ("/c/%00", "/c?lot=%00", "/lots?text=%00"):
        assert browser.open(path).status_code == 400
    assert browser.sign_in("tom\x00", "secret").status_code == 422


@pytest.mark.requirement("URS-226")
@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
def test_a_stranger_finds_every_public_place_from_the_start_page(site: Site) -> None:
    number = build.released(site).number
    stranger = Browser(site)
    start = Page(stranger.open("/").text)
    assert {"/verify", "/compare", "/log", "/register", "/sign-in"} <= set(start.links)
    assert "lot" in start.values
    log = stranger.open("/log?lang=en").text
    assert f'<strong class="number">{number}</strong>' in log
    assert "UEV26-0001" not in log, "the log names no lot"
    assert "Entries: 1" in log
    german = stranger.open("/log?lang=de&before=1").text
    assert "Ausgestellt" in german
    assert stranger.open("/log?before=0").status_code == 422


@pytest.mark.requirement("URS-226")
@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
def test_quality_assurance_sees_at_work_what_keeps_it_from_issuing(site: Site) -> None:
    keyless = replace(site, log_key=None)
    assert "the key of the public log is not set" in Browser(keyless, "cleo").open("/work").text
    assert "the key of the public log is not set" not in Browser(keyless, "tom").open("/work").text
    assert "Nothing can be issued" not in Browser(site, "cleo").open("/work").text
