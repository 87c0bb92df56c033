"""The batch record of a lot: what was not normal first, then everything, as a file that can be read and searched."""

import hashlib

import pypdfium2
import pytest
from fastapi.testclient import TestClient

from api.batch_records import batch_record_pdf
from api.main import create_app
from domain.disposition.batch_record import batch_record
from domain.errors import Invalid, NotFound
from domain.manufacturing.readings import correct_reading, log_reading
from domain.manufacturing.step_commands import CorrectReading, Entry, LogReading
from domain.store import reading
from domain.work import Site
from tests import build, governed
from tests.cast import Clock, act, actor
from tests.stories.over_http import House


@pytest.fixture(params=["sqlite"])
def databases(request: pytest.FixtureRequest, _databases: object) -> object:
    """What a document says does not depend on the engine."""
    return _databases(request.param)  # type: ignore[operator]


def pages(pdf: bytes) -> list[str]:
    return [page.get_textpage().get_text_bounded().replace("\r\n", "\n") for page in pypdfium2.PdfDocument(pdf)]


def drawn(site: Site, lot: str) -> bytes:
    with reading(site.engine) as session:
        return batch_record_pdf(session, lot, site, actor(site, "cleo"))


def troubled(site: Site, clock: Clock) -> str:
    """A filled lot on whose way something went wrong; returns its number."""
    begun = governed.formulation(site)
    for code, value, comment in (("ph", "7.52", "meter checked"), ("osmolality", "300", "")):
        unit = "[pH]" if code == "ph" else "mosm/kg"
        entry = Entry(parameter=code, value=value, unit=unit, comment=comment)
        found = act(site, "tom", log_reading, LogReading(step_number=begun.step, entry=entry))
    correction = CorrectReading(reading_id=found.key, value="310", unit="mosm/kg", reason="digit misread")
    act(site, "tom", correct_reading, correction)
    governed.seen(site, begun)
    readings = build.readings_for("formulation", ph=None, osmolality=None)
    lot = governed.verified(site, governed.end(site, begun, ("210", "mL"), readings)).lot
    clock.advance(hours=5)
    return governed.start(site, "fill", {lot: ("210", "mL")}, comment="the line was down").lot


@pytest.mark.stage("governed")
@pytest.mark.requirement("URS-158", "URS-159")
def test_the_first_page_lists_what_was_not_normal_and_only_that(site: Site, clock: Clock) -> None:
    lot = troubled(site, clock)
    first, *others = pages(drawn(site, lot))
    for told in ("7.52", "DEV26-0001", "digit misread", "began 5.0 h after the end of formulation"):
        assert told in first, told
    for normal in ("Room and line free", "Histidine buffer", "Cut-off"):
        assert normal not in first, normal
    whole = "\n".join(others)
    for told in (
        "Room and line free",
        "Histidine buffer",
        "SN-MV-5",
        "310 mosmol/kg",
        "300 mosmol/kg",
        "Ann Makes",
        "MX-4471",
    ):
        assert told in whole, told


@pytest.mark.stage("governed")
@pytest.mark.requirement("URS-158")
def test_the_record_begins_with_what_quality_assurance_released_by_itself(site: Site) -> None:
    lot = governed.formulated(site)
    with reading(site.engine) as session:
        found = batch_record(session, lot, site.clock(), site.today(), actor(site, "cleo"))
    kinds = [one.step.kind for one in found.steps]
    assert kinds == ["expansion", "conditioning", "harvest", "clarification", "purification", "formulation"]
    assert {one.kind.value for one in found.materials} == {"raw_material", "master_cell_bank"}
    assert found.recipe == "MBR-UC-EV-50 v1"
    assert found.steps[-1].start_verified == "Ann Makes"
    assert len(found.steps[-1].verified) == len(found.steps[-1].step.readings)
    assert [one.code for one in found.steps[-1].equipment] == ["B1", "MV-5"]


@pytest.mark.stage("governed")
@pytest.mark.requirement("URS-158")
def test_a_lot_on_whose_way_nothing_went_wrong_says_so(site: Site) -> None:
    first = pages(drawn(site, governed.formulated(site)))[0]
    assert "Nothing was out of the ordinary." in first


@pytest.mark.stage("governed")
@pytest.mark.requirement("URS-158")
def test_the_same_record_is_the_same_file_and_a_strange_letter_is_refused(site: Site) -> None:
    lot = governed.formulated(site)
    assert len({hashlib.sha256(drawn(site, lot)).hexdigest() for _ in range(2)}) == 1
    with pytest.raises(NotFound):
        drawn(site, "FB26-9999")
    odd = governed.start(site, "fill", {lot: ("210", "mL")}, comment="囊泡")
    with pytest.raises(Invalid) as refusal:
        drawn(site, odd.lot)
    assert refusal.value.reasons[0].code == "character-not-printable"


@pytest.mark.stage("in_review")
@pytest.mark.requirement("URS-158")
def test_the_record_of_a_lot_without_a_recipe_is_drawn_for_whoever_may_read(site: Site) -> None:
    with TestClient(create_app(site), raise_server_exceptions=False) as client:
        house = House(client)
        answer = house.ask("dov", "GET", "/api/v1/lots/UEV26-0001/batch-record.pdf")
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
        assert house.ask("dov", "GET", "/api/v1/lots/NONE/batch-record.pdf").status_code == 404
        assert house.ask("ada", "GET", "/api/v1/lots/UEV26-0001/batch-record.pdf").status_code == 403
    told = pages(answer.content)
    assert "No recipe" in told[0]
    assert "Page" in told[-1]
