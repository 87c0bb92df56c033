"""Quality assurance at a browser: deviations, actions, holds, signatures that no longer count."""

from typing import Any

import pytest

from domain.work import Site
from tests import build
from tests.cast import raw
from tests.deviations.steps import opened, planned
from tests.stages import LOT
from tests.web.browsing import Browser, signed

pytestmark = pytest.mark.stage("three_signatures")


@pytest.fixture(params=["sqlite"])
def databases(request: pytest.FixtureRequest, _databases: Any) -> Any:
    return _databases(request.param)


def test_a_deviation_is_reported_investigated_and_closed_on_the_pages(site: Site) -> None:
    tom, ann, quin = Browser(site, "tom"), Browser(site, "ann"), Browser(site, "quin")
    said = {"text": "the door stood open", "code": "door-open", "severity": "minor", "lot_numbers": f"{LOT}\n"}
    answer = tom.send("/deviations/new", said)
    here = "/deviations/DEV26-0001"
    assert (answer.status_code, answer.headers["location"]) == (303, here)
    assert "Report a deviation" in tom.open("/deviations?open=1").text
    assert "Before it can be closed" in ann.open(here).text
    assert ann.send(f"{here}/classify", severity="major", reason="air came in").status_code == 303
    cause = {"root_cause": "method", "root_cause_text": "not in the procedure"}
    assert ann.send(f"{here}/investigate", {"text": "looked", **cause}).status_code == 303
    refused = quin.send(f"{here}/close", {"conclusion": "fine"}, **signed("quin"))
    assert refused.status_code == 409
    assert "does not say yet what becomes of lot" in refused.text
    outcome = {"lot_number": LOT, "outcome": "use_as_is", "justification": "vials were closed"}
    assert quin.send(f"{here}/outcome", outcome).status_code == 303
    assert quin.send(f"{here}/close", {"conclusion": "understood"}, **signed("quin")).status_code == 303
    page = quin.open(here).text
    assert "Closed" in page
    assert "Quin Releases Too" in page
    assert "DEV26-0001" in tom.open(f"/lots/{LOT}").text


def test_an_action_is_done_with_a_file_and_checked(site: Site) -> None:
    number = planned(site, opened(site))
    tom, cleo = Browser(site, "tom"), Browser(site, "cleo")
    file = {"attachment": ("procedure.pdf", b"%PDF-1.7", "application/pdf")}
    assert tom.send(f"/capa/{number}/done", {"evidence": "procedure v4"}, file).status_code == 303
    assert "Done, to be checked" in tom.open("/capa").text
    said = {"effective": "true", "finding": "ten runs"}
    assert cleo.send(f"/capa/{number}/check", said, **signed("cleo")).status_code == 303
    assert "Helped" in cleo.open("/capa").text
    assert raw(site, "SELECT name FROM document") == [("procedure.pdf",)]


def test_a_hold_runs_down_and_shows_what_it_would_reach_first(site: Site) -> None:
    bank = str(raw(site, "SELECT lot_number FROM lot WHERE kind = 'master_cell_bank'")[0][0])
    rhea, cleo, quin = Browser(site, "rhea"), Browser(site, "cleo"), Browser(site, "quin")
    assert LOT in rhea.open(f"/lots/{bank}/hold-descendants").text
    said = {"cause": "bank_problem", "reason": "mycoplasma found"}
    answer = rhea.send(f"/lots/{bank}/hold-descendants", said, **signed("rhea"))
    assert answer.headers["location"] == "/holds/HC26-0001"
    page = cleo.open("/holds/HC26-0001").text
    assert "was released" in page
    assert cleo.send("/holds/HC26-0001/propose", {"reason": "negative"}, **signed("cleo")).status_code == 303
    assert quin.send("/holds/HC26-0001/lift", {"reason": "negative"}, **signed("quin")).status_code == 303
    assert "Lifted" in quin.open("/holds").text


def test_a_void_signature_is_seen_and_readiness_leads_to_the_deviation(site: Site) -> None:
    ann, cleo = Browser(site, "ann"), Browser(site, "cleo")
    assert ann.send(f"/lots/{LOT}/confirm", {"reason": "as instructed"}, **signed("ann")).status_code == 303
    build.resubmitted(site, LOT)
    assert "Void: changed since" not in cleo.open(f"/lots/{LOT}").text
    number = opened(site, LOT)
    page = cleo.open(f"/lots/{LOT}").text
    assert page.count("Void: changed since") == 2
    assert f'href="/deviations/{number}"' in page
    assert "To be cleared by: Head of production" in page


def test_expiry_and_destruction_have_their_forms(site: Site) -> None:
    cleo, ann = Browser(site, "cleo"), Browser(site, "ann")
    refused = cleo.send(
        f"/lots/{LOT}/extend-expiry",
        {"new_expires_on": "2029-01-01", "data_reference": "STAB-1", "justification": "no trend"},
        **signed("cleo"),
    )
    assert refused.status_code == 409
    assert "only a released lot" in refused.text
    cleo.send(f"/lots/{LOT}/reject", {"reason": "cracked"}, **signed("cleo"))
    assert ann.open(f"/lots/{LOT}/destruction").headers["location"] == f"/lots/{LOT}/destroy"
    left = str(raw(site, "SELECT quantity_left FROM lot WHERE lot_number = :lot", lot=LOT)[0][0])
    said = {"quantity.value": left, "method": "incinerated", "reason": "rejected"}
    assert ann.send(f"/lots/{LOT}/destroy", said, **signed("ann")).status_code == 303
    assert cleo.open(f"/lots/{LOT}/destruction").headers["location"].endswith("/witness-destruction")
    assert cleo.send(f"/lots/{LOT}/witness-destruction", **signed("cleo")).status_code == 303
    assert raw(site, "SELECT quantity_left FROM lot WHERE lot_number = :lot", lot=LOT)[0][0] in ("0", 0)


def test_everything_made_of_a_donors_cells_is_held_from_the_donors_page(site: Site) -> None:
    donor = str(raw(site, "SELECT pseudonym FROM donor")[0][0])
    cleo = Browser(site, "cleo")
    assert f"/donors/{donor}/hold" in cleo.open(f"/donors/{donor}").text
    assert cleo.send(f"/donors/{donor}/hold", {"reason": "doubt"}, **signed("cleo")).status_code == 303
    assert build.lot(site, LOT).state == "on_hold"
