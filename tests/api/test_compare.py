"""Anyone compares lots by number and by published file: live state first, strangers' files marked, nothing guessed, nobody favoured."""

import json
from decimal import Decimal
from typing import Any

import pytest
from fastapi.testclient import TestClient

from domain.disposition.decisions import RecallLot, recall_lot
from domain.work import Site
from tests import build
from tests.cast import act, credentials
from tests.certificates import typed
from tests.stages import LOT

COMPARE = "/api/v1/public/compare"
FILE = json.loads(typed.certificate().canonical())
OTHER = json.loads(typed.certificate(number="COA-2026-000124").canonical())
pytestmark = [pytest.mark.stage("in_review"), pytest.mark.requirement("URS-107")]


@pytest.fixture
def released(site: Site) -> str:
    """The lot of the stage, released; returns its number."""
    build.released(site, LOT)
    return LOT


def post(client: TestClient, **body: Any) -> Any:
    return client.post(COMPARE, json=body)


def row(answer: Any, code: str) -> dict[str, Any]:
    (found,) = [one for one in answer.json()["comparison"]["rows"] if one["code"] == code]
    return dict(found)


@pytest.mark.requirement("URS-108")
def test_the_live_state_of_a_lot_comes_first_and_a_file_has_none(released: str, site: Site, client: TestClient) -> None:
    answer = post(client, lots=[f" {released.lower()} "], certificates=[FILE])
    assert answer.status_code == 200, answer.text
    assert list(answer.json()) == ["standings", "comparison"]
    own, file = answer.json()["standings"]
    assert (own["lot_number"], own["state"], own["usable"], file) == (released, "released", True, None)
    assert [one["verified"] for one in answer.json()["comparison"]["columns"]] == [True, False]
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.requirement("URS-108")
def test_a_recall_shows_in_the_very_next_comparison(released: str, site: Site, client: TestClient) -> None:
    recall = RecallLot(
        lot_number=released, recall_class="II", reason="particles found", credentials=credentials("cleo")
    )
    act(site, "cleo", recall_lot, recall)
    own = post(client, lots=[released], certificates=[FILE]).json()["standings"][0]
    assert (own["state"], own["usable"], own["recall_class"]) == ("recalled", False, "II")


@pytest.mark.requirement("URS-221")
def test_a_file_that_was_issued_here_is_known_by_its_digest(released: str, site: Site, client: TestClient) -> None:
    own = client.get(f"/api/v1/public/lots/{released}").json()["certificate"]
    other = own | {"number": "COA-2026-999999"}
    told = client.post("/api/v1/public/compare", json={"certificates": [own, other]}).json()
    assert [column["verified"] for column in told["comparison"]["columns"]] == [True, False]
    assert told["standings"][0]["state"] == "released"
    assert told["standings"][1] is None
    again = client.post("/api/v1/public/compare", json={"lots": [released], "certificates": [own]})
    assert again.json()["type"] == "/problems/compared-twice"


def test_figures_are_text_and_a_file_is_never_graded_as_of_this_laboratory(released: str, client: TestClient) -> None:
    answer = post(client, lots=[released], certificates=[FILE])
    particles = row(answer, "particles-per-vial")
    assert Decimal(particles["figures"][0]["value"]) == Decimal("5.0E10")
    assert isinstance(particles["figures"][1]["value"], str)
    assert all(one["grade"] != "A" for found in answer.json()["comparison"]["rows"] for one in found["pairs"])
    missing = row(answer, "cd9")["figures"][0]
    assert (missing["value"], missing["missing"]["en"]) == (None, "not on this certificate")


def test_the_dose_is_what_the_reader_says(client: TestClient, site: Site) -> None:
    answer = post(client, certificates=[FILE, OTHER], vials_per_dose=2)
    assert row(answer, "particles-per-dose")["figures"][0]["value"] == "1.20E+12"
    assert answer.json()["comparison"]["vials_per_dose"] == 2
    assert post(client, certificates=[FILE, OTHER], vials_per_dose=0).status_code == 422


def test_an_unknown_and_an_unreleased_lot_answer_in_the_words_of_the_look_up(client: TestClient, site: Site) -> None:
    looked_up = client.get("/api/v1/public/lots/UEV26-9999").json()["reasons"][0]
    for number in ("UEV26-9999", LOT):
        answer = post(client, lots=[number], certificates=[FILE])
        assert answer.status_code == 404
        (reason,) = answer.json()["reasons"]
        assert (reason["type"], reason["detail"]) == (looked_up["type"], looked_up["detail"])
        assert reason["field"] == "lots.0"


def test_a_lot_whose_look_up_asks_for_a_code_asks_for_it_here_too(site: Site, client: TestClient) -> None:
    code = build.new_product(site, "UC-EV-60", "UEW", look_up_code=True)
    build.approved_specification(site, code, code="SPEC-UC-EV-60")
    number = build.drug_product(site, code)
    build.tested(site, number)
    build.released(site, number)
    without = post(client, lots=[number], certificates=[FILE])
    assert without.status_code == 404
    with_code = {"lot_number": number, "code": build.lot(site, number).check_code}
    assert post(client, lots=[with_code], certificates=[FILE]).status_code == 200


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        ({}, 422, "too-few-to-compare"),
        ({"certificates": [FILE]}, 422, "too-few-to-compare"),
        ({"certificates": [FILE, FILE]}, 422, "compared-twice"),
        ({"certificates": [FILE, {}]}, 422, "several-reasons"),
        ({"certificates": [FILE, FILE | {"number": ""}]}, 422, "certificate-not-valid"),
        ({"certificates": [FILE, FILE | {"draft": True}]}, 422, "certificate-is-a-draft"),
        ({"certificates": [FILE, FILE | {"specification": "x" * 1_000_001}]}, 422, "certificate-not-readable"),
        ({"certificates": [FILE] * 6}, 422, "value-not-valid"),
        ({"lots": ["A", "B", "C"], "certificates": [FILE, OTHER, FILE]}, 422, "too-many-to-compare"),
        ({"lots": ["A"], "stray": 1}, 422, "value-not-valid"),
    ],
)
@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
def test_what_cannot_be_compared_is_refused_with_its_reason(
    body: dict[str, Any], status: int, kind: str, site: Site, client: TestClient
) -> None:
    answer = post(client, **body)
    assert (answer.status_code, answer.json()["type"]) == (status, f"/problems/{kind}")


@pytest.mark.parametrize(
    "body", [b"[" * 100_000, b"{", b'{"lots": ["a\x00"]}', b'{"certificates": [{"number": NaN}, {}]}', b"\xff\xfe"]
)
@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
def test_hostile_bodies_are_refused(body: bytes, site: Site, client: TestClient) -> None:
    answer = client.post(COMPARE, content=body, headers={"Content-Type": "application/json"})
    assert 400 <= answer.status_code < 500
    assert answer.json()["reasons"]
