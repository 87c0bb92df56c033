"""The life of a certificate over HTTP: by JSON and at the workplace's pages."""

from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from api.main import create_app
from domain.work import Site
from tests import build
from tests.stages import LOT
from tests.stories.over_http import House, credentials
from tests.web.browsing import Browser, errors_at

pytestmark = pytest.mark.stage("in_review")


@pytest.fixture
def house(site: Site) -> House:
    return House(TestClient(create_app(site, threads=2)))


def revision(house: House, number: str, who: str = "quin", **differing: Any) -> httpx.Response:
    said = {"cause": "wording_corrected", "reason": "a letter was wrong", "credentials": credentials(who)}
    return house.ask(who, "POST", f"/api/v1/certificates/{number}/revision", json=said | differing)


@pytest.mark.requirement("URS-061", "URS-062")
def test_a_certificate_is_revised_and_withdrawn_by_json_and_its_history_tells_all(site: Site, house: House) -> None:
    number = build.released(site, LOT).number
    answer = revision(house, number)
    assert answer.status_code == 201, answer.text
    assert (answer.json()["revision"], answer.json()["revision_cause"]) == (2, "wording_corrected")
    body = {"reason": "a mix-up", "credentials": credentials("cleo")}
    gone = house.ask("cleo", "POST", f"/api/v1/certificates/{number}/withdrawal", json=body)
    assert gone.status_code == 201, gone.text
    found = house.get("dov", f"/certificates/{number}")
    assert [(one["revision"], one["standing"]) for one in found["revisions"]] == [(2, "withdrawn"), (1, "superseded")]
    assert [one["standing"] for one in house.get("dov", "/register")] == ["withdrawn"]


@pytest.mark.requirement("URS-061", "URS-059")
@pytest.mark.parametrize(
    ("differing", "status", "kind"),
    [
        ({"cause": "approved by the FDA"}, 422, "value-not-valid"),
        ({"cause": ""}, 422, "value-not-valid"),
        ({"reason": ""}, 422, "value-not-valid"),
        ({"reason": "a\u0000b"}, 422, "value-not-valid"),
        ({"credentials": {"username": "quin", "password": "wrong"}}, 401, "wrong-credentials"),
        ({"extra": 1}, 422, "value-not-valid"),
    ],
)
def test_a_revision_that_lacks_something_is_refused_with_the_reason(
    site: Site, house: House, differing: dict[str, Any], status: int, kind: str
) -> None:
    number = build.released(site, LOT).number
    answer = revision(house, number, **differing)
    assert answer.status_code == status, answer.text
    assert answer.json()["type"] == f"/problems/{kind}"
    assert len(house.get("dov", f"/certificates/{number}")["revisions"]) == 1


@pytest.mark.requirement("URS-065")
def test_a_preview_is_for_those_who_may_read_and_is_kept_nowhere(site: Site, house: House) -> None:
    path = f"/api/v1/lots/{LOT}/certificate/draft.pdf"
    assert house.ask(None, "GET", path).status_code == 401
    answer = house.ask("tom", "GET", path)
    assert answer.status_code == 200
    assert answer.content.startswith(b"%PDF")
    assert answer.headers["cache-control"] == "no-store"
    assert house.ask("tom", "GET", "/api/v1/lots/NO-SUCH/certificate/draft.pdf").status_code == 404
    assert Browser(site, "tom").open(f"/lots/{LOT}/certificate-draft.pdf").content.startswith(b"%PDF")


@pytest.mark.requirement("URS-061", "URS-062")
def test_qa_revises_and_withdraws_at_a_page_and_others_see_no_button(site: Site) -> None:
    number = build.released(site, LOT).number
    qa, looker = Browser(site, "quin"), Browser(site, "dov")
    assert "Revise …" in qa.open(f"/certificates/{number}").text
    assert "Revise …" not in looker.open(f"/certificates/{number}").text
    signed = {"credentials.username": "quin", "credentials.password": credentials("quin")["password"]}
    empty = qa.send(f"/certificates/{number}/revise", {"reason": "a letter was wrong", **signed})
    assert empty.status_code == 422
    assert errors_at(empty, "cause")
    done = qa.send(
        f"/certificates/{number}/revise", {"cause": "wording_corrected", "reason": "a letter was wrong", **signed}
    )
    assert done.status_code == 303, done.text
    gone = qa.send(f"/certificates/{number}/withdraw", {"reason": "a mix-up", **signed})
    assert gone.status_code == 303, gone.text
    page = looker.open(f"/certificates/{number}").text
    assert "Withdrawn" in page
    assert "Superseded" in page
    assert number in looker.open("/register").text


@pytest.mark.requirement("URS-068")
def test_a_statement_goes_from_draft_to_print_over_pages(site: Site) -> None:
    rhea, cleo = Browser(site, "rhea"), Browser(site, "cleo")
    said = {
        "code": "ST-COLD",
        "text_en": "Shipped at 2 to 8 °C, with a logger.",
        "text_de": "Versand bei 2 bis 8 °C, mit Logger.",
    }
    claim = rhea.send("/statements/new", {**said, "text_en": "Approved by the FDA for everything."})
    assert claim.status_code == 422
    assert "claims approval" in errors_at(claim, "text_en")
    assert rhea.send("/statements/new", said).status_code == 303
    signed = {"credentials.username": "cleo", "credentials.password": credentials("cleo")["password"]}
    assert cleo.send("/statements/ST-COLD/1/approve", signed).status_code == 303
    assert "In force" in cleo.open("/statements").text
    assert cleo.send("/statements/ST-COLD/1/retire", signed).status_code == 303
    assert "Retired" in rhea.open("/statements").text
