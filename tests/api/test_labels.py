"""Labels over HTTP: printed, taken to the printer, accounted for."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from domain.work import Site
from tests import build
from tests.stages import LOT
from tests.stories.over_http import House

pytestmark = pytest.mark.stage("drug_product")


@pytest.mark.requirement("URS-112", "URS-113")
def test_labels_are_printed_taken_to_the_printer_and_accounted_for(house: House, site: Site) -> None:
    printed = house.post("tom", f"/lots/{LOT}/labels", {"kind": "vial", "count": 110})
    assert (printed["kind"], printed["count"], printed["printed_by"], printed["reprint_of"]) == (
        "vial",
        110,
        "Tom Takes",
        None,
    )
    pdf, zpl = (house.ask("dov", "GET", f"/api/v1/lots/{LOT}/labels/{printed['id']}.{kind}") for kind in ("pdf", "zpl"))
    assert pdf.content.startswith(b"%PDF-")
    assert pdf.headers["content-type"] == "application/pdf"
    assert zpl.text.startswith("^XA^CI28")
    assert "attachment" in zpl.headers["content-disposition"]
    shown = house.get("dov", f"/lots/{LOT}/labels")
    assert [one["code"] for one in shown["open"]] == ["labels-open"]
    counted = {"kind": "vial", "applied": 101, "destroyed": 8, "sample_attached": 1}
    after = house.post("tom", f"/lots/{LOT}/labels/reconciliation", counted)
    assert after["open"] == []
    assert after["reconciliations"][0]["difference"] == 0


def test_a_sample_gets_labels_from_whoever_draws_samples(house: House, site: Site) -> None:
    sample = build.sampled(site, LOT)
    reader = house.post("ben", f"/samples/{sample}/labels", {"count": 2})
    assert (reader["sample_number"], reader["kind"]) == (sample, "sample")


@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("who", "path", "body", "status", "kind"),
    [
        ("ben", "labels", {"kind": "vial", "count": 1}, 403, "permission-missing"),
        ("tom", "labels", {"kind": "vial", "count": 0}, 422, "value-not-valid"),
        ("tom", "labels", {"kind": "sample", "count": 1}, 422, "value-not-valid"),
        ("tom", "labels", {"kind": "vial", "count": 1, "serialised": True}, 409, "label-incomplete"),
        (
            "tom",
            "labels/reconciliation",
            {"kind": "vial", "applied": 1, "destroyed": 0, "sample_attached": 0},
            409,
            "no-labels-printed",
        ),
    ],
)
def test_refusals_say_why(
    house: House, site: Site, who: str, path: str, body: dict[str, Any], status: int, kind: str
) -> None:
    answer = house.ask(who, "POST", f"/api/v1/lots/{LOT}/{path}", json=body)
    assert (answer.status_code, answer.json()["type"]) == (status, f"/problems/{kind}")


@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
def test_files_of_labels_are_not_for_strangers_and_belong_to_their_lot(
    house: House, site: Site, client: TestClient
) -> None:
    printed = house.post("tom", f"/lots/{LOT}/labels", {"kind": "vial", "count": 1})
    address = f"/api/v1/lots/{LOT}/labels/{printed['id']}.pdf"
    assert client.get(address).status_code == 401
    other = house.ask("dov", "GET", address.replace(LOT, "UEV26-0099"))
    assert (other.status_code, other.json()["type"]) == (404, "/problems/label-print-not-found")
