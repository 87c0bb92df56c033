"""Labels at the workplace: seen, printed, reprinted with a reason, accounted for."""

from typing import Any

import pytest

from domain.work import Site
from tests import build
from tests.stages import LOT
from tests.web.browsing import Browser

pytestmark = pytest.mark.stage("drug_product")
LABELS = f"/lots/{LOT}/labels"


@pytest.fixture(params=["sqlite"])
def databases(request: pytest.FixtureRequest, _databases: Any) -> Any:
    """What a page shows does not depend on the engine."""
    return _databases(request.param)


@pytest.mark.requirement("URS-112", "URS-113")
def test_labels_are_printed_and_accounted_for_through_the_pages(site: Site) -> None:
    tom = Browser(site, "tom")
    assert f'href="{LABELS}"' in tom.open(f"/lots/{LOT}").text
    before = tom.open(LABELS)
    assert before.text.count('role="img"') == 2, "a vial and a carton, as they would be printed"
    assert "None were printed here." in before.text
    assert tom.send(f"{LABELS}/print", {"kind": "vial", "count": "110", "language": "en"}).status_code == 303
    again = tom.send(f"{LABELS}/print", {"kind": "vial", "count": "2", "language": "en"})
    assert again.status_code == 422
    assert "say why more are printed" in again.text
    assert "110 vial labels printed" in tom.open(LABELS).text
    counted = {"kind": "vial", "applied": "101", "destroyed": "7", "sample_attached": "1"}
    short = tom.send(f"{LABELS}/reconcile", counted)
    assert short.status_code == 409
    assert "count again, or explain the difference" in short.text
    assert tom.send(f"{LABELS}/reconcile", counted | {"explanation": "one was not found"}).status_code == 303
    assert "one was not found" in tom.open(LABELS).text
    assert "records 8 labels destroyed, and the prints and their reconciliation give 7" in tom.open(LABELS).text


def test_who_may_not_print_sees_no_button_and_no_form(site: Site) -> None:
    dov = Browser(site, "dov")
    assert f"{LABELS}/print" not in dov.open(LABELS).text
    assert dov.open(f"{LABELS}/print").status_code == 403


def test_a_lot_on_the_way_has_no_labels_and_says_why(site: Site) -> None:
    dov = Browser(site, "dov")
    bank = next(one for one in dov.open("/lots?kind=master_cell_bank").text.split('"') if one.startswith("/lots/MCB"))
    assert "only a drug product gets vial labels" in dov.open(f"{bank}/labels").text


def test_a_sample_is_labelled_from_its_page(site: Site) -> None:
    sample = build.sampled(site, LOT)
    ben = Browser(site, "ben")
    assert f"/samples/{sample}/labels/print" in ben.open(f"/samples/{sample}").text
    assert ben.send(f"/samples/{sample}/labels/print", {"count": "3", "language": "de"}).status_code == 303
    assert sample in ben.open(LABELS).text
