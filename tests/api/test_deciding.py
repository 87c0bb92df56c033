"""Deviations, holds that run down, confirmations and dossiers, as other programs ask for them."""

import io
from typing import Any
from zipfile import ZipFile

import pytest

from domain.work import Site
from tests.cast import raw
from tests.stages import LOT
from tests.stories.over_http import House, credentials

pytestmark = pytest.mark.stage("three_signatures")


@pytest.fixture(params=["sqlite"])
def databases(request: pytest.FixtureRequest, _databases: Any) -> Any:
    """One engine is enough: what is looked at here is the way in."""
    return _databases(request.param)


def bank(site: Site) -> str:
    return str(raw(site, "SELECT lot_number FROM lot WHERE kind = 'master_cell_bank'")[0][0])


def signed(who: str, **said: Any) -> dict[str, Any]:
    return {**said, "credentials": credentials(who)}


@pytest.mark.requirement("URS-180", "URS-185")
def test_a_deviation_goes_its_way_over_http_and_readiness_tells_of_it(house: House) -> None:
    report = {"code": "door-open", "text": "the door stood open", "lot_numbers": [LOT]}
    opened = house.post("tom", "/deviations", report)
    here = f"/deviations/{opened['deviation']['number']}"
    blockers = {one["code"]: one for one in house.get("cleo", f"/lots/{LOT}/readiness?action=release")}
    assert blockers["deviation-open"]["record"]["link"] == here
    assert blockers["deviation-open"]["clear_by"] == ["qa"]
    assert blockers["deviation-open"]["text_de"].startswith("Abweichung DEV26-0001")
    assert {"code", "text", "field"} <= blockers["deviation-open"].keys()
    house.post("ann", f"{here}/classification", {"severity": "major", "reason": "air came in"})
    cause = {"root_cause": "method", "root_cause_text": "the door is not named"}
    house.post("ann", f"{here}/investigation", {"text": "looked at the log", **cause})
    house.post("quin", f"{here}/lots/{LOT}/outcome", {"outcome": "use_as_is", "justification": "vials were closed"})
    action = {"kind": "preventive", "text": "name the door", "owner": "tom"}
    days = {"due_on": "2026-04-01", "check_due_on": "2026-06-01"}
    raised = house.post("ann", f"{here}/capa", {**action, **days})
    closed = house.post("quin", f"{here}/closure", signed("quin", conclusion="understood"))
    assert (closed["deviation"]["open"], closed["missing"]) == (False, [])
    done = {"evidence": "procedure v4", "attachment": {"name": "p.txt", "data": "cHJvY2VkdXJl"}}
    shown = house.post("tom", f"/capa/{raised['number']}/completion", done)
    assert shown["standing"] == "done"
    assert house.ask("cleo", "GET", f"/api/v1/documents/{shown['document_sha256']}").content == b"procedure"
    checked = house.post("cleo", f"/capa/{raised['number']}/check", signed("cleo", effective=True, finding="ten runs"))
    assert checked["standing"] == "effective"
    assert [one["number"] for one in house.get("dov", "/capa")] == [raised["number"]]
    assert house.get("dov", "/capa?overdue_only=true") == []
    assert [one["number"] for one in house.get("dov", "/deviations?open_only=true")] == []
    codes = {one["code"] for one in house.get("cleo", f"/lots/{LOT}/readiness")}
    assert "deviation-open" not in codes


@pytest.mark.requirement("URS-186")
def test_three_people_release_a_lot_over_http(house: House) -> None:
    house.post("ann", f"/lots/{LOT}/manufacture-confirmation", signed("ann", reason="as instructed"))
    house.post("rhea", f"/lots/{LOT}/submission", signed("rhea", reason="tested"))
    assert house.get("cleo", f"/lots/{LOT}/readiness?action=release") == []
    house.post("cleo", f"/lots/{LOT}/release", signed("cleo"))
    signatures = house.get("dov", f"/lots/{LOT}")["signatures"]
    assert [(one["name"], one["current"]) for one in signatures] == [
        ("Ann Makes", True),
        ("Rhea Reviews", True),
        ("Cleo Releases", True),
    ]


@pytest.mark.requirement("URS-188", "URS-189")
def test_a_hold_runs_down_and_is_lifted_over_http(house: House, site: Site) -> None:
    before = house.get("rhea", f"/lots/{bank(site)}/hold-cascade")
    body = signed("rhea", cause="bank_problem", reason="mycoplasma found")
    held = house.post("rhea", f"/lots/{bank(site)}/hold-cascade", body)
    assert [one["lot_number"] for one in held["lots"]] == [one["lot_number"] for one in before]
    assert held["lots"][0]["was_released"]
    assert LOT in {one["lot_number"] for one in held["lots"]}
    here = f"/hold-cascades/{held['number']}"
    assert house.post("cleo", f"{here}/lift-proposal", signed("cleo", reason="negative"))["standing"] == "lift_proposed"
    assert house.post("quin", f"{here}/lift", signed("quin", reason="negative"))["standing"] == "lifted"
    assert [one["number"] for one in house.get("dov", "/hold-cascades")] == [held["number"]]
    assert house.get("dov", here)["lifted_by"] == "Quin Releases Too"


@pytest.mark.requirement("URS-190")
def test_a_withdrawn_consent_holds_all_over_http(house: House, site: Site) -> None:
    donor = str(raw(site, "SELECT pseudonym FROM donor")[0][0])
    said = {"withdrawn_on": site.today().isoformat(), "reason": "by letter"}
    house.post("cleo", f"/donors/{donor}/consent-withdrawal", said)
    assert house.get("dov", f"/lots/{LOT}")["lot"]["state"] == "on_hold"
    assert house.get("dov", "/hold-cascades")[0]["cause"] == "consent_withdrawn"
    again = house.ask("rhea", "POST", f"/api/v1/donors/{donor}/hold-cascade", json=signed("rhea", reason="doubt"))
    assert again.status_code == 201


@pytest.mark.requirement("URS-193")
def test_auditors_take_a_dossier_and_it_is_on_record(house: House, site: Site) -> None:
    answer = house.ask("dov", "GET", f"/api/v1/lots/{LOT}/dossier.zip")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/zip")
    assert {"index.html", "verify.py", "SHA256SUMS"} <= set(ZipFile(io.BytesIO(answer.content)).namelist())
    assert raw(site, "SELECT act, actor FROM audit_entry ORDER BY sequence DESC LIMIT 1") == [
        ("export_dossier", "Dov Looks")
    ]
    assert house.ask("tom", "GET", f"/api/v1/lots/{LOT}/dossier.zip").status_code == 403
    assert house.ask("dov", "GET", "/api/v1/lots/NONE/dossier.zip").status_code == 404


def test_a_rejected_lot_is_destroyed_before_a_witness_over_http(house: House) -> None:
    house.post("cleo", f"/lots/{LOT}/rejection", signed("cleo", reason="cracked vials"))
    left = house.get("ann", f"/lots/{LOT}")["lot"]
    body = {"quantity": {"value": left["quantity_left"], "unit": left["unit"]}, "method": "incinerated"}
    house.post("ann", f"/lots/{LOT}/destruction", signed("ann", **body, reason="rejected"))
    house.post("cleo", f"/lots/{LOT}/destruction/witness", signed("cleo"))
    assert float(house.get("ann", f"/lots/{LOT}")["lot"]["quantity_left"]) == 0
