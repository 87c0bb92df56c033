"""A freeze-dryer's file on its step: judged against the recipe, drawn, replaced only with a reason."""

import hashlib
import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.batch_records import batch_record_pdf
from api.demo_files import CYCLE_PHASES, freeze_dryer_log
from api.main import create_app
from domain.disposition.batch_record import batch_record
from domain.disposition.export_records import records_of
from domain.errors import Conflict, DomainError, Invalid, Refused
from domain.instruments.cycles import CycleColumn, CyclePhase, ImportCycle, import_cycle
from domain.instruments.readers.freeze_dryer import Channel
from domain.manufacturing import control
from domain.manufacturing.cycle_logs import CycleLog
from domain.manufacturing.queries_control import step_control
from domain.manufacturing.readings import log_reading
from domain.manufacturing.recipe_models import ParameterRule
from domain.manufacturing.step_commands import Entry, LogReading
from domain.store import reading
from domain.work import Site
from tests import build, governed
from tests.build import Done
from tests.cast import Clock, act, actor, password, raw
from tests.governed import content, deviations, formulated, seen, start
from tests.web.browsing import Browser, errors_at

pytestmark = pytest.mark.stage("governed")
TIGHT = ParameterRule(
    code="shelf_temperature_primary", alert_low="-28", alert_high="-22", action_low="-30", action_high="-20"
)


@pytest.fixture
def drying(site: Site, clock: Clock) -> Done:
    """A drying under a recipe with an action limit, that ended two and a half days after it was begun."""
    governed.approved(site, content(drying={"parameters": (TIGHT,)}), reason="limits of the shelf")
    filled = governed.start(site, "fill", {formulated(site): ("210", "mL")})
    loaded = next(entry.value for entry in build.readings_for("fill") if entry.parameter == "vials_loaded")
    lot = governed.end(site, seen(site, filled), (loaded, "{vial}"), build.readings_for("fill")).lot
    begun = seen(site, start(site, "lyophilization", {lot: (loaded, "{vial}")}))
    clock.advance(hours=63)
    return begun


def log_of(site: Site, hours_ago: float = 62.5, **more: Any) -> bytes:
    began = (site.clock() - timedelta(hours=hours_ago)).astimezone(site.zone).replace(tzinfo=None)
    return freeze_dryer_log(began_at=began, seed=3, minutes=6, **more)


def phases(site: Site, hours_ago: float = 62.5) -> tuple[CyclePhase, ...]:
    began = site.clock() - timedelta(hours=hours_ago)
    return tuple(
        CyclePhase(phase=name, began_at=began + timedelta(hours=first), ended_at=began + timedelta(hours=last))
        for name, (first, last) in CYCLE_PHASES.items()
    )


def imported(site: Site, step: Done, data: bytes | None = None, who: str = "tom", **more: Any) -> CycleLog:
    said = {"step_number": step.step, "file_name": "FD2.csv", "data": data or log_of(site), "phases": phases(site)}
    return act(site, who, import_cycle, ImportCycle(**said | more))


def codes(refusal: pytest.ExceptionInfo[DomainError]) -> list[str]:
    return [one.code for one in refusal.value.reasons]


def warm(data: bytes) -> bytes:
    """The same file, with the shelf at -15 °C for half an hour of primary drying."""
    lines = data.decode("cp1252").split("\r\n")
    for place in range(200, 205):
        cells = lines[place].split(",")
        lines[place] = ",".join([cells[0], "-15.0", *cells[2:]])
    return "\r\n".join(lines).encode("cp1252")


@pytest.mark.requirement("URS-209")
def test_a_cycle_within_its_limits_is_kept_by_digest_and_opens_nothing(site: Site, drying: Done) -> None:
    data = log_of(site)
    log = imported(site, drying, data)
    assert log.sha256 == hashlib.sha256(data).hexdigest()
    assert site.documents.get(log.sha256) == data
    assert (log.said.excursions, log.said.flags, deviations(site)) == ((), (), [])
    figures = dict(log.said.figures)
    assert figures["Warmest product in primary drying"].startswith("-3")
    assert float(figures["Pirani to capacitance at the end of primary drying"]) < 1.2


@pytest.mark.requirement("URS-211")
def test_a_shelf_outside_the_action_limit_of_the_recipe_opens_a_deviation_by_itself(site: Site, drying: Done) -> None:
    data = warm(log_of(site))
    with pytest.raises(Invalid) as refusal:
        imported(site, drying, data)
    assert codes(refusal) == ["comment-needed"]
    assert "above the action limit of -20" in str(refusal.value)
    log = imported(site, drying, data, comment="heater valve stuck, mended at once")
    (found,) = log.said.excursions
    assert (found.extreme, found.readings, found.bound.level) == (-15.0, 5, "action")
    assert deviations(site) == ["outside-action-bounds"]
    with reading(site.engine) as session:
        odd = batch_record(session, drying.lot, site.clock(), site.today(), actor(site, "dov")).odd
    assert any(about == f"Cycle of {drying.step}" and "heater valve stuck" in what for about, what in odd)


@pytest.mark.requirement("URS-209")
def test_the_trend_is_drawn_on_the_step_and_in_the_batch_record(site: Site, drying: Done) -> None:
    imported(site, drying)
    with reading(site.engine) as session:
        shown = step_control(session, drying.step, site.clock()).cycle
        pdf = batch_record_pdf(session, drying.lot, site, actor(site, "dov"))
    assert shown is not None
    assert len(shown.content.seconds) <= 4000
    assert pdf.startswith(b"%PDF")


def test_the_file_of_another_time_another_step_or_another_kind_is_refused(site: Site, drying: Done) -> None:
    with pytest.raises(Invalid) as early:
        imported(site, drying, log_of(site, 90.0), phases=phases(site, 90.0))
    assert codes(early) == ["cycle-outside-step"]
    with pytest.raises(Refused) as kind:
        imported(site, Done(step="S-000001", lots=drying.lots))
    assert codes(kind) == ["cycle-of-other-step"]


@pytest.mark.requirement("URS-209")
def test_a_second_file_says_why_it_replaces_the_first_and_both_stay(site: Site, drying: Done) -> None:
    first = imported(site, drying)
    other = log_of(site, warmest=-34.5)
    with pytest.raises(Invalid) as refusal:
        imported(site, drying, other)
    assert codes(refusal) == ["reason-needed"]
    second = imported(site, drying, other, reason="the first was the export of the day before")
    assert second.replaces_id == first.key
    assert raw(site, "SELECT count(*) FROM cycle_log") == [(2,)]


@pytest.mark.requirement("URS-210")
def test_phases_lie_within_the_file_in_their_order_and_primary_drying_is_given(site: Site, drying: Done) -> None:
    freezing, primary, _ = phases(site)
    with pytest.raises(Invalid) as none:
        imported(site, drying, phases=(freezing,))
    assert codes(none) == ["cycle-phase-missing"]
    late = primary.model_copy(update={"ended_at": datetime.max.replace(tzinfo=primary.ended_at.tzinfo)})
    with pytest.raises(Invalid) as beyond:
        imported(site, drying, phases=(late,))
    assert codes(beyond) == ["phase-outside-file"]
    with pytest.raises(Invalid) as twice:
        imported(site, drying, phases=(primary, primary))
    assert "phase-twice" in codes(twice)
    with pytest.raises(Invalid) as silent:
        imported(site, drying, phases=(primary,))
    assert "secondary drying was not given and is not judged" in str(silent.value)


@pytest.mark.requirement("URS-210")
def test_a_channel_that_is_missing_is_not_taken_for_one_within_limits(site: Site, drying: Done) -> None:
    only = (CycleColumn(channel=Channel.SHELF, head="Shelf inlet [°C]"),)
    with pytest.raises(Invalid) as refusal:
        imported(site, drying, columns=only)
    assert "chamber pressure has no value in primary drying and is not judged" in str(refusal.value)


def test_the_digest_of_the_file_is_part_of_what_a_signature_on_the_lot_covers(site: Site, drying: Done) -> None:
    with reading(site.engine) as session:
        before = control.control_content(session, build.lot(site, drying.lot))
    log = imported(site, drying)
    with reading(site.engine) as session:
        after = control.control_content(session, build.lot(site, drying.lot))
    assert "curves" not in before
    assert after["curves"][0][1] == log.sha256


@pytest.mark.requirement("URS-209")
def test_the_file_is_imported_at_the_page_of_the_step_and_over_http(site: Site, drying: Done) -> None:
    tom, data = Browser(site, "tom"), warm(log_of(site))
    place = f"/steps/{drying.step}/cycle"
    times = {
        f"phases.{row}.{edge}": f"{getattr(one, edge).astimezone(site.zone):%Y-%m-%dT%H:%M}"
        for row, one in enumerate(phases(site))
        for edge in ("began_at", "ended_at")
    }
    refused = tom.send(place, times, {"file": ("FD2.csv", data, "text/csv")})
    assert (refused.status_code, "Say why in a comment" in errors_at(refused, "comment")) == (422, True)
    assert f'value="{times["phases.1.began_at"]}"' in refused.text
    answer = tom.send(place, {**times, "comment": "valve stuck"}, {"file": ("FD2.csv", data, "text/csv")})
    assert answer.headers["location"] == f"/steps/{drying.step}", answer.text
    told = tom.open(f"/steps/{drying.step}").text
    assert '<svg xmlns="http://www.w3.org/2000/svg" class="cycle" role="img"' in told
    assert "above the action limit of -20" in told
    said = {
        "phases": [one.model_dump(mode="json") for one in phases(site)],
        "comment": "again",
        "reason": "exported anew",
    }
    sent = {"data": {"said": json.dumps(said)}, "files": {"file": ("FD2.csv", log_of(site), "text/csv")}}
    client = TestClient(create_app(site))
    session = client.post("/api/v1/session", json={"username": "tom", "password": password("tom")}).json()
    client.cookies.clear()
    bearer = {"Authorization": f"Bearer {session['access_token']}"}
    told_json = client.post(f"/api/v1/steps/{drying.step}/cycle", headers=bearer, **sent)
    assert told_json.status_code == 201, told_json.text
    assert told_json.json()["excursions"] == []


@pytest.mark.requirement("URS-211")
def test_a_product_temperature_that_was_typed_otherwise_than_the_file_shows_is_not_normal(
    site: Site, drying: Done
) -> None:
    imported(site, drying)
    entry = Entry(parameter="product_temperature_max_primary", value="-36", unit="Cel")
    act(site, "tom", log_reading, LogReading(step_number=drying.step, entry=entry))
    with reading(site.engine) as session:
        odd = batch_record(session, drying.lot, site.clock(), site.today(), actor(site, "dov")).odd
    assert any("records -36 Cel as the highest product temperature, the file shows -34" in what for _, what in odd), odd


def test_the_file_goes_with_the_dossier_of_the_lot(site: Site, drying: Done) -> None:
    log = imported(site, drying)
    with reading(site.engine) as session:
        records = records_of(session, build.lot(site, drying.lot))
    assert log.sha256 in {row["sha256"] for row in records["document"].values()}


def test_nobody_imports_who_may_not_run_a_step(site: Site, drying: Done) -> None:
    with pytest.raises(DomainError) as refusal:
        imported(site, drying, who="dov")
    assert codes(refusal) == ["permission"] or "permission" in codes(refusal)[0]
    assert not isinstance(refusal.value, Conflict)
