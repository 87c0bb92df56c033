"""What anybody may ask without an account, and what nobody learns that way."""

import hashlib

import pytest
from fastapi.testclient import TestClient

from domain.work import Site
from tests import build
from tests.cast import Clock
from tests.stories.over_http import Story

LOTS = "/api/v1/public/lots"


@pytest.mark.requirement("URS-054", "URS-057")
def test_a_lot_that_is_not_released_answers_like_one_that_does_not_exist(story: Story, client: TestClient) -> None:
    waiting = story.ready_for_release()
    bank = next(one["lot_number"] for one in story.house.get("dov", "/lots?kind=master_cell_bank")["lots"])
    unknown = client.get(f"{LOTS}/UEV26-9999")
    assert unknown.status_code == 404
    for number in (waiting, bank):
        found = client.get(f"{LOTS}/{number}")
        assert found.content.replace(number.encode(), b"UEV26-9999") == unknown.content
        assert dict(found.headers) | {"content-length": ""} == dict(unknown.headers) | {"content-length": ""}
    assert client.get(f"/api/v1/lots/{waiting}").status_code == 401, "the laboratory's own view needs a sign-in"


@pytest.mark.requirement("URS-052", "URS-053", "URS-055")
def test_the_state_of_this_minute_is_shown_whatever_becomes_of_the_lot(story: Story, client: TestClient) -> None:
    lot = story.ready_for_release()
    story.decide("cleo", lot, "release")
    seen = {}
    for what, who in (("hold", "cleo"), ("hold-lift", "quin"), ("recall", "cleo")):
        more = {"recall_class": "II"} if what == "recall" else {}
        story.decide(who, lot, what, **more)
        answer = client.get(f"{LOTS}/{lot}")
        seen[what] = (answer.json()["state"], answer.json()["usable"], answer.headers["etag"])
        assert answer.headers["cache-control"] == "no-cache"
        assert answer.json()["certificate_number"] == "COA-2026-000001"
    assert {what: one[:2] for what, one in seen.items()} == {
        "hold": ("on_hold", False),
        "hold-lift": ("released", True),
        "recall": ("recalled", False),
    }
    assert len({etag for *_, etag in seen.values()}) == 3


@pytest.mark.requirement("URS-052")
def test_a_lot_expires_by_the_clock_alone_at_the_end_of_its_day_at_the_site(
    site: Site, client: TestClient, clock: Clock
) -> None:
    certificate = build.released(site)
    lot = "UEV26-0001"
    before = client.get(f"{LOTS}/{lot}")
    assert (before.json()["certificate_number"], before.json()["expires_on"]) == (certificate.number, "2028-03-02")
    clock.now = clock.now.replace(year=2028, month=3, day=2, hour=22, minute=59)  # 23:59 in Berlin
    assert client.get(f"{LOTS}/{lot}").json()["state"] == "released"
    clock.advance(minutes=1)
    after = client.get(f"{LOTS}/{lot}", headers={"If-None-Match": before.headers["etag"]})
    assert (after.status_code, after.json()["state"], after.json()["usable"]) == (200, "expired", False)


def test_a_lot_number_is_found_as_people_type_it(site: Site, client: TestClient) -> None:
    build.released(site)
    shown = client.get(f"{LOTS}/UEV26-0001").content
    for typed in ("uev26-0001", " UEV26-0001 ", "UEV26 -0001", "uev26%2D0001"):
        assert client.get(f"{LOTS}/{typed}").content == shown


def test_head_answers_as_get_does_without_a_body(site: Site, client: TestClient) -> None:
    certificate = build.released(site)
    for path in (f"{LOTS}/UEV26-0001", f"/api/v1/public/certificates/{certificate.number}.pdf", f"{LOTS}/UEV26-9999"):
        whole, head = client.get(path), client.head(path)
        assert (head.status_code, head.content) == (whole.status_code, b"")
        assert {**head.headers} == {**whole.headers}


@pytest.mark.requirement("URS-055", "URS-056")
def test_the_file_comes_with_its_digest_and_is_asked_for_again_each_time(site: Site, client: TestClient) -> None:
    certificate = build.released(site)
    path = f"/api/v1/public/certificates/{certificate.number}.pdf"
    answer = client.get(path)
    assert hashlib.sha256(answer.content).hexdigest() == certificate.pdf_sha256
    assert (answer.headers["cache-control"], answer.headers["content-type"]) == ("no-cache", "application/pdf")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert client.get(path, headers={"If-None-Match": answer.headers["etag"]}).status_code == 304
    assert client.get(path, params={"revision": 1}).content == answer.content
    assert client.get(path, params={"revision": 2}).status_code == 404


@pytest.mark.requirement("URS-056")
def test_a_file_is_told_genuine_current_or_neither(story: Story, client: TestClient) -> None:
    lot = story.ready_for_release()
    number = story.decide("cleo", lot, "release")["number"]
    file = client.get(f"/api/v1/public/certificates/{number}.pdf").content

    def checked(data: bytes) -> tuple[bool, bool, str | None]:
        answer = client.post("/api/v1/public/verify", files={"file": ("coa.pdf", data, "application/pdf")})
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
        return answer.json()["genuine"], answer.json()["current"], answer.json()["state"]

    assert checked(file) == (True, True, "released")
    assert checked(file + b"\n") == (False, False, None)
    story.decide("cleo", lot, "hold")
    assert checked(file) == (True, False, "on_hold")


@pytest.mark.requirement("URS-057")
def test_nothing_of_the_donor_and_nobody_but_the_signers_is_told(site: Site, client: TestClient) -> None:
    donor = build.eligible_donor(site, "D-2026-777")
    product = build.new_product(site)
    build.approved_specification(site, product)
    lot = build.drug_product(site, product, from_bank=build.bank(site, donor))
    build.tested(site, lot)
    build.released(site, lot)
    told = client.get(f"{LOTS}/{lot}").text
    assert "D-2026-777" not in told
    assert "DN26-" not in told, "a donation's number leads to its donor"
    signers = {one["name"] for one in client.get(f"{LOTS}/{lot}").json()["certificate"]["signatures"]}
    assert "Cleo Releases" in signers
    assert all(name not in told for name in ("Tom Takes", "Ann Makes", "Ben Tests", "Dov Looks") if name not in signers)
