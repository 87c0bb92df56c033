"""Recipes, equipment, training and materials at the workplace, and the second person on a step."""

import pytest

from domain.manufacturing.readings import log_reading
from domain.manufacturing.step_commands import Entry, LogReading
from domain.work import Site
from tests import build, governed
from tests.cast import act, raw
from tests.governed import BULK, CLEARED, PRODUCT, RECIPE, buffer_of
from tests.web.browsing import Browser, errors_at, signed

pytestmark = pytest.mark.stage("governed")


@pytest.fixture(params=["sqlite"])
def databases(request: pytest.FixtureRequest, _databases: object) -> object:
    """What a page says does not depend on the engine."""
    return _databases(request.param)  # type: ignore[operator]


@pytest.mark.requirement("URS-134", "URS-135")
def test_the_next_version_is_drafted_compared_reviewed_and_approved_at_the_pages(site: Site) -> None:
    ann = Browser(site, "ann")
    assert RECIPE in ann.open("/recipes").text
    fields = {"reason": "slower fill", "effective_from": str(site.today())}
    fields["content.steps.0.instruction"] = "Mix slowly the bulk with the buffer."
    answer = ann.send(f"/recipes/new?like={RECIPE}%20v1", fields)
    assert answer.headers["location"] == f"/recipes/{RECIPE}/2"
    told = ann.open(f"/recipes/{RECIPE}/2").text
    assert "What changed since v1" in told
    assert "Mix slowly the bulk" in told
    assert Browser(site, "rhea").send(f"/recipes/{RECIPE}/2/review", signed("rhea")).status_code == 303
    assert Browser(site, "cleo").send(f"/recipes/{RECIPE}/2/approve", signed("cleo")).status_code == 303
    assert "In force" in ann.open(f"/recipes/{RECIPE}/2").text


@pytest.mark.requirement("URS-139", "URS-140")
def test_a_step_under_a_recipe_is_begun_verified_and_shown_with_what_waits(site: Site) -> None:
    tom, ann = Browser(site, "tom"), Browser(site, "ann")
    fields = {
        "location": "B1",
        "product_code": PRODUCT,
        "equipment_codes[]": ["MV-5", "B1"],
        "clearance": CLEARED,
        "inputs.0.lot_number": BULK,
        "inputs.0.quantity.value": "100",
        "inputs.0.quantity.unit": "mL",
        "inputs.1.lot_number": buffer_of(site),
        "inputs.1.quantity.value": "100",
        "inputs.1.quantity.unit": "mL",
    }
    answer = tom.send("/steps/new/formulation", fields)
    assert answer.status_code == 303, answer.text
    place = answer.headers["location"]
    entry = Entry(parameter="ph", value="7.2", unit="[pH]")
    act(site, "tom", log_reading, LogReading(step_number=place.rpartition("/")[2], entry=entry))
    told = ann.open(place).text
    for part in (f"{RECIPE} v1 · formulation", CLEARED, "nobody yet", "Verify 1 critical entry"):
        assert part in told, part
    assert ann.send(f"{place}/verify-start", signed("ann")).status_code == 303
    form = ann.open(f"{place}/verify").text
    assert "pH: 7.2" in form
    reading_id = raw(site, "SELECT max(id) FROM reading")[0][0]
    assert ann.send(f"{place}/verify", {"reading_ids[]": str(reading_id), **signed("ann")}).status_code == 303
    after = ann.open(place).text
    assert "Ann Makes" in after
    assert "critical entr" not in after
    assert "Nothing waits" in ann.open(f"{place}/verify").text


@pytest.mark.requirement("URS-208")
def test_a_step_out_of_order_asks_for_the_second_person_at_its_field(site: Site) -> None:
    said = governed.content()
    first = governed.RecipeStep(key="pooling", kind="pooling")
    governed.approved(site, said.model_copy(update={"steps": (first, *said.steps)}), reason="pool first")
    tom = Browser(site, "tom")
    fields = {
        "location": "B1",
        "product_code": PRODUCT,
        "equipment_codes[]": ["MV-5", "B1"],
        "clearance": CLEARED,
        "out_of_order_reason": "one bulk only",
        **{
            f"inputs.{place}.{leaf}": text
            for place, lot in enumerate((BULK, buffer_of(site)))
            for leaf, text in (("lot_number", lot), ("quantity.value", "100"), ("quantity.unit", "mL"))
        },
    }
    refused = tom.send("/steps/new/formulation", fields)
    assert "a second person agrees" in errors_at(refused, "second_person.username")
    second = {f"second_{name.replace('credentials', 'person')}": text for name, text in signed("ann").items()}
    wrong = tom.send("/steps/new/formulation", {**fields, **second, "second_person.password": "guessed"})
    assert (wrong.status_code, errors_at(wrong, "second_person.password") != "") == (422, True)
    answer = tom.send("/steps/new/formulation", {**fields, **second})
    assert answer.status_code == 303, answer.text
    assert "one bulk only (agreed by Ann Makes)" in tom.open(answer.headers["location"]).text


@pytest.mark.requirement("URS-142")
def test_a_step_is_completed_with_what_was_left_out_and_why(site: Site) -> None:
    begun = governed.seen(site, governed.formulation(site))
    tom = Browser(site, "tom")
    values = {
        f"readings.{one.parameter}.{leaf}": said
        for one in build.readings_for("formulation", ph=None)
        for leaf, said in (("value", one.value), ("unit", one.unit or ""))
    }
    fields = {"outputs.0.quantity.value": "210", "outputs.0.quantity.unit": "mL", **values}
    form = f"/steps/{begun.step}/complete"
    assert "pH is not recorded" in tom.send(form, fields).text
    left = {"left_out.0.parameter": "ph", "left_out.0.reason": "the probe broke"}
    assert tom.send(form, {**fields, **left}).status_code == 303
    assert "the probe broke" in tom.open(f"/steps/{begun.step}").text


@pytest.mark.requirement("URS-148", "URS-157")
def test_papers_are_filed_and_the_ledger_is_shown(site: Site) -> None:
    number = build.material(site)
    tom = Browser(site, "tom")
    assert "no papers" in tom.open("/materials").text
    files = {"file": ("coa.pdf", b"%PDF-1.7 x", "application/pdf")}
    assert tom.send(f"/materials/{number}/papers", {"origin": "animal"}, files).status_code == 422
    answer = tom.send(f"/materials/{number}/papers", {"origin": "recombinant"}, files)
    assert answer.status_code == 303, answer.text
    told = tom.open(f"/materials/{number}").text
    assert "coa.pdf" in told
    assert tom.send(f"/materials/{number}/count", {"counted.value": "9", "reason": "spilt"}).status_code == 303
    assert "Correction" in tom.open(f"/materials/{number}").text
    assert "not PDF" not in told


@pytest.mark.requirement("URS-150", "URS-152")
def test_equipment_is_registered_serviced_and_excepted_at_the_pages(site: Site) -> None:
    ann = Browser(site, "ann")
    fields = {"code": "CF-9", "name": "Centrifuge", "equipment_class": "centrifuge", "serial": "9", "location": "C1"}
    assert ann.send("/equipment/new", fields).status_code == 303
    assert "no calibration of CF-9" in ann.open("/equipment").text.replace("No", "no")
    event = {"kind": "calibration", "finding": "within_tolerance", "next_due": "2027-01-01", "performed_by": "Maker"}
    assert ann.send("/equipment/CF-9/event", event).status_code == 303
    assert "within tolerance" in ann.open("/equipment/CF-9").text
    cleo = Browser(site, "cleo")
    said = {"of": "equipment", "valid_until": str(site.today()), "reason": "checked against CF-8", **signed("cleo")}
    assert cleo.send("/exceptions/new?code=CF-9", said).status_code == 303
    assert "checked against CF-8" in cleo.open("/equipment/CF-9").text


@pytest.mark.requirement("URS-155")
def test_training_is_recorded_at_the_page(site: Site) -> None:
    rhea = Browser(site, "rhea")
    said = {"username": "ben", "subject": "method", "code": "SOP-PH", "trainer": "ann", "evidence": "TR-9",
            "trained_on": str(site.today()), "valid_until": "2027-01-01"}  # fmt: skip
    assert rhea.send("/training/new", said).status_code == 303
    told = rhea.open("/training").text
    assert "SOP-PH" in told
    assert "Tom Takes" in told
    asked = {"subject": "step", "code": "pooling", "reason": "after deviation 12"}
    assert rhea.send("/training/requirement", asked).status_code == 303
    assert "after deviation 12" in rhea.open("/training").text


@pytest.mark.requirement("URS-143")
def test_the_page_of_a_lot_shows_its_clocks_and_links_to_its_batch_record(site: Site) -> None:
    lot = governed.formulated(site)
    told = Browser(site, "tom").open(f"/lots/{lot}").text
    assert "Hold times" in told
    assert f"/api/v1/lots/{lot}/batch-record.pdf" in told
