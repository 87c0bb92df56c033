"""Conditional release and changes of products, as other programs ask for them."""

from datetime import timedelta
from typing import Any

import pytest

from domain.work import Site
from tests import build
from tests.stages import LOT
from tests.stories.over_http import House, credentials


@pytest.fixture(params=["sqlite"])
def databases(request: pytest.FixtureRequest, _databases: Any) -> Any:
    """One engine is enough: what is looked at here is the way in."""
    return _databases(request.param)


@pytest.mark.requirement("URS-198", "URS-205")
@pytest.mark.stage("awaiting")
def test_a_lot_is_released_conditionally_over_http_and_everybody_is_told(site: Site, house: House) -> None:
    blockers = house.get("cleo", f"/lots/{LOT}/readiness?action=release")
    assert {one["code"] for one in blockers} == {"result-missing"}
    assert all(one["record"] and one["clear_by"] and one["text_de"] for one in blockers)
    assert house.get("cleo", f"/lots/{LOT}/readiness?action=release_conditionally") == []
    due = str(site.today() + timedelta(days=5))
    said = {"awaited": ["STER"], "due_on": due, "reason": "the patient cannot wait", "credentials": credentials("cleo")}
    certificate = house.post("cleo", f"/lots/{LOT}/conditional-release", said)
    shown = house.ask(None, "GET", f"/api/v1/public/lots/{LOT}").json()
    assert shown["conditional"] == {"awaited": ["STER"], "due_on": due, "overdue": False}
    assert (shown["usable"], shown["certificates"]) == (True, [])
    assert shown["certificate"]["conclusion"] == "conditional"
    (waiting,) = house.get("cleo", "/awaited")
    assert (waiting["lot_number"], waiting["due_on"], waiting["ready"]) == (LOT, due, False)
    assert waiting["certificate_number"] == certificate["number"]
    assert house.get("cleo", "/register")[0]["awaited_until"] == due


@pytest.mark.requirement("URS-196")
@pytest.mark.stage("drug_product")
def test_a_product_is_changed_over_http_by_two_people(house: House) -> None:
    facts = {name: value for name, value in build.PRODUCT.items() if not hasattr(value, "model_dump")}
    facts |= {name: value.model_dump() for name, value in build.PRODUCT.items() if hasattr(value, "model_dump")}
    body = {**facts, "code": "UC-EV-50", "shelf_life_months": 30, "reason": "study ST-4 is complete"}
    change = house.post("ann", "/product-changes", body)
    assert change["changes"] == [{"name": "shelf_life_months", "old": "24", "new": "30"}]
    assert [one["lot_number"] for one in change["open_lots"]] == [LOT]
    assert house.get("dov", "/products/UC-EV-50")["shelf_life_months"] == 24
    decided = house.post("cleo", "/products/UC-EV-50/changes/1/decision", {"credentials": credentials("cleo")})
    assert (decided["standing"], decided["decided_by"]) == ("approved", "Cleo Releases")
    assert house.get("dov", "/products/UC-EV-50")["shelf_life_months"] == 30
    assert [one["revision"] for one in house.get("dov", "/products/UC-EV-50/changes")] == [1]
