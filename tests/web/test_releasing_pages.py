"""A release at a browser: its preview, two clicks, under a condition, and for several markets."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import anyio
import pytest
from starlette.types import Message

from api.main import create_app
from domain.work import Site
from tests import build
from tests.cast import raw
from tests.disposition.test_several_specifications import SWISS
from tests.stages import LOT
from tests.web.browsing import Browser, signed

CHECKED = re.compile(r'name="late_tests\[\]" value="([A-Z-]+)" checked')


@pytest.mark.requirement("URS-206")
@pytest.mark.stage("in_review")
def test_two_clicks_on_release_give_one_record_and_the_same_answer(site: Site) -> None:
    cleo = Browser(site, "cleo")
    form = cleo.open(f"/lots/{LOT}/release").text
    assert f"/lots/{LOT}/certificate-draft.pdf?specification=SPEC-UC-EV-50" in form
    assert cleo.open(f"/lots/{LOT}/certificate-draft.pdf?specification=SPEC-UC-EV-50").content.startswith(b"%PDF")
    browsers = cleo, Browser(site, "cleo")
    with ThreadPoolExecutor(2) as both:
        answers = list(both.map(lambda one: one.send(f"/lots/{LOT}/release", {}, **signed("cleo")), browsers))
    assert {answer.status_code for answer in answers} <= {303, 409}
    again = cleo.send(f"/lots/{LOT}/release", {}, **signed("cleo"))
    assert (again.status_code, again.headers["location"]) == (303, f"/lots/{LOT}")
    assert raw(site, "SELECT count(*) FROM certificate")[0][0] == 1
    assert raw(site, "SELECT count(*) FROM lot_move WHERE action = 'release'")[0][0] == 1


@pytest.mark.requirement("URS-206")
@pytest.mark.stage("in_review")
@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
def test_who_goes_away_before_the_request_is_read_is_no_failure_of_the_server(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    app, sent = create_app(site), []

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    token = Browser(site, "cleo").client.cookies
    cookie = "; ".join(f"{name}={value}" for name, value in token.items()).encode()
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http",
        "path": f"/lots/{LOT}/release", "raw_path": b"", "query_string": b"", "root_path": "", "client": ("127.0.0.1", 1),
        "server": ("testserver", 80),
        "headers": [(b"content-type", b"multipart/form-data; boundary=x"), (b"cookie", cookie), (b"content-length", b"10")],
    }  # fmt: skip
    anyio.run(app, scope, receive, send)
    assert next(one["status"] for one in sent if one["type"] == "http.response.start") < 500
    assert "failure" not in caplog.text


@pytest.mark.stage("awaiting")
@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
def test_a_conditional_release_is_signed_with_what_it_awaits_ticked(site: Site) -> None:
    cleo = Browser(site, "cleo")
    assert "Release conditionally" in cleo.open(f"/lots/{LOT}").text
    form = cleo.open(f"/lots/{LOT}/release_conditionally").text
    assert 'value="STER"' in form
    due = str(site.today() + timedelta(days=10))
    said = {"reason": "the patient cannot wait", "due_on": due}
    refused = cleo.send(f"/lots/{LOT}/release_conditionally", said, **signed("cleo"))
    assert refused.status_code == 422
    answer = cleo.send(f"/lots/{LOT}/release_conditionally", said | {"awaited[]": "STER"}, **signed("cleo"))
    assert answer.status_code == 303
    assert f'Awaited until <strong class="number">{due}' in cleo.open(f"/lots/{LOT}").text
    assert "Released, result awaited" in cleo.open("/work").text
    public = Browser(site).open(f"/c/{LOT}?lang=en").text
    assert "Released conditionally" in public
    assert f"awaited until {due}" in public
    assert site.clock.advance(days=11)  # type: ignore[attr-defined]
    assert "Ergebnis überfällig" in Browser(site).open(f"/c/{LOT}?lang=de").text


@pytest.mark.stage("drug_product")
@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
def test_a_product_is_changed_on_its_page_by_two_people(site: Site) -> None:
    ann, cleo = Browser(site, "ann"), Browser(site, "cleo")
    assert ann.open("/products/UC-EV-50/change").status_code == 200
    said = {"late_tests[]": "STER", "late_days": "20", "reason": "short shelf life", "shelf_life_months": "30"}
    answer = ann.send("/products/UC-EV-50/change", said)
    assert (answer.status_code, answer.headers["location"]) == (303, "/products/UC-EV-50")
    page = cleo.open("/products/UC-EV-50").text
    assert "Waits for QA" in page
    assert LOT in page
    decision = "/products/UC-EV-50/changes/1/decide"
    assert "24 → 30" in cleo.open(decision).text
    assert cleo.send(decision, {"approved": "true"}, **signed("cleo")).status_code == 303
    assert "STER may come up to 20 days late" in cleo.open("/products/UC-EV-50").text
    form = ann.open("/products/UC-EV-50/change").text
    assert [code for code in CHECKED.findall(form) if code == "STER"], "what may come late now is ticked"
    assert 'value="ENDO"' not in form


@pytest.mark.requirement("URS-202")
@pytest.mark.stage("drug_product")
@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
def test_the_public_page_offers_the_certificate_of_each_market(site: Site) -> None:
    build.approved_specification(site, "UC-EV-50", panel=SWISS, code="SPEC-CH", market="CH")
    build.tested(site, LOT)
    build.released(site, LOT)
    anyone = Browser(site)
    page = anyone.open(f"/c/{LOT}?lang=en").text
    assert "This lot has several certificates" in page
    assert f"/c/{LOT}?certificate=COA-2026-000002" in page
    other = anyone.open(f"/c/{LOT}?certificate=COA-2026-000002&lang=en").text
    assert "SPEC-CH v1 (CH)" in other
    answer = anyone.client.get(f"/api/v1/public/lots/{LOT}?certificate=COA-2026-000002").json()
    assert answer["certificate"]["specification"] == "SPEC-CH v1 (CH)"
    assert [one["market"] for one in answer["certificates"]] == [None, "CH"]
    assert Browser(site, "cleo").open(f"/lots/{LOT}").text.count("Revisions of COA-") == 2
