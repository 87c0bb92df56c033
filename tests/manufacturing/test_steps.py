"""What happens on a step: what it takes, what is recorded, and when it is complete."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import select

from domain.disposition.decisions import HoldLot, RejectLot, hold_lot, reject_lot
from domain.errors import Conflict, DomainError, Forbidden, Invalid, NotFound, Refused
from domain.lots.models import LotKind, LotState
from domain.manufacturing.ending import add_months
from domain.manufacturing.models import Reading
from domain.manufacturing.readings import correct_reading, current_values, log_reading
from domain.manufacturing.step_commands import CorrectReading, Entry, Input, LogReading
from domain.store import reading
from domain.work import Site
from tests import build
from tests.build import (
    Done,
    K,
    accepted,
    amount,
    bank,
    begun,
    bulk,
    donation,
    drug_product,
    ended,
    lot,
    material,
    new_product,
    pooled,
    quarantined_bank,
    readings_for,
    released_material,
    step,
    vials,
)
from tests.cast import Clock, act, credentials, raw


def codes(refusal: pytest.ExceptionInfo[DomainError]) -> list[str]:
    return [reason.code for reason in refusal.value.reasons]


def expansion(site: Site, **more: Any) -> Done:
    """An expansion that has begun with one vial of a released bank."""
    return begun(site, "expansion", {bank(site): ("1", "{vial}")}, [(K.CULTURE, "10*6.{cells}")], **more)


def log(
    site: Site, on: Done, parameter: str, value: str, unit: str | None = None, who: str = "tom", **more: Any
) -> Reading:
    entry = Entry(parameter=parameter, value=value, unit=unit, **more)
    return act(site, who, log_reading, LogReading(step_number=on.step, entry=entry))


def correct(site: Site, which: Reading, value: str, unit: str | None = None, **more: Any) -> Reading:
    command = CorrectReading(reading_id=which.key, value=value, unit=unit, reason="misread the display", **more)
    return act(site, "tom", correct_reading, command)


# --- readings


@pytest.mark.requirement("URS-026")
@pytest.mark.parametrize(("value", "unit"), [("19.9", "Cel"), ("45.1", "Cel"), ("318.3", "K")])
def test_a_value_outside_the_hard_bounds_is_refused(site: Site, value: str, unit: str) -> None:
    with pytest.raises(Invalid) as refusal:
        log(site, expansion(site), "temperature", value, unit)
    assert codes(refusal) == ["value-outside-hard-bounds"]
    assert refusal.value.reasons[0].field == "readings.temperature.value"


@pytest.mark.requirement("URS-027")
def test_an_unusual_value_is_recorded_only_with_a_comment_and_flagged(site: Site) -> None:
    running = expansion(site)
    with pytest.raises(Invalid) as refusal:
        log(site, running, "temperature", "38.2", "Cel")
    assert codes(refusal) == ["comment-needed"]
    kept = log(site, running, "temperature", "38.2", "Cel", comment="door was open for a minute")
    assert kept.alert is not None
    assert "38.2 Cel is above the alert bound of 37.5 Cel" in kept.alert


@pytest.mark.requirement("URS-004", "URS-025")
def test_a_value_is_kept_as_typed_beside_its_conversion(site: Site) -> None:
    kept = log(site, expansion(site), "temperature", "310.150", "K")
    assert (kept.entered_value, kept.entered_unit) == ("310.150", "K")
    assert (kept.value, kept.unit) == (37, "Cel")


@pytest.mark.requirement("URS-016")
def test_a_late_entry_is_marked_with_both_times(site: Site, clock: Clock) -> None:
    running = expansion(site)
    clock.advance(hours=3)
    happened = clock.now - timedelta(minutes=61)
    late = log(site, running, "co2", "5.0", "%", happened_at=happened)
    punctual = log(site, running, "o2", "5", "%", happened_at=clock.now - timedelta(minutes=60))
    assert (late.late, punctual.late) == (True, False)
    assert (late.happened_at, late.recorded_at) == (happened, clock.now)


@pytest.mark.requirement("URS-016")
def test_nothing_is_recorded_from_the_future_or_from_before_the_step(site: Site, clock: Clock) -> None:
    running = expansion(site)
    with pytest.raises(Invalid) as future:
        log(site, running, "co2", "5", "%", happened_at=clock.now + timedelta(minutes=6))
    with pytest.raises(Invalid) as past:
        log(site, running, "co2", "5", "%", happened_at=clock.now - timedelta(minutes=6))
    assert (codes(future), codes(past)) == (["in-the-future"], ["before-the-step"])
    log(site, running, "co2", "5", "%", happened_at=clock.now + timedelta(minutes=4))


@pytest.mark.requirement("URS-016")
def test_a_time_without_its_zone_cannot_be_said() -> None:
    with pytest.raises(ValueError, match="timezone"):
        Entry(parameter="co2", value="5", unit="%", happened_at=datetime(2026, 3, 2, 8))  # noqa: DTZ001


@pytest.mark.requirement("URS-017")
def test_a_parameter_is_recorded_once_and_then_only_corrected(site: Site) -> None:
    running = expansion(site)
    first = log(site, running, "co2", "5.0", "%")
    with pytest.raises(Conflict) as refusal:
        log(site, running, "co2", "5.2", "%")
    assert codes(refusal) == ["reading-exists"]
    second = correct(site, first, "5.2", "%")
    assert (second.replaces_id, second.reason) == (first.id, "misread the display")
    with reading(site.engine) as session:
        assert str(current_values(session, first.step_id)["co2"]) == "5.2"
        assert len(session.exec(select(Reading).where(Reading.parameter == "co2")).all()) == 2


@pytest.mark.requirement("URS-017")
def test_a_reading_is_corrected_once_and_the_newer_one_after_that(site: Site) -> None:
    first = log(site, expansion(site), "co2", "5.0", "%")
    second = correct(site, first, "5.2", "%")
    with pytest.raises(Conflict) as refusal:
        correct(site, first, "5.3", "%")
    assert codes(refusal) == ["reading-replaced"]
    correct(site, second, "5.3", "%")


@pytest.mark.requirement("URS-017")
def test_a_correction_needs_a_reason_and_keeps_the_time_it_happened(site: Site, clock: Clock) -> None:
    first = log(site, expansion(site), "co2", "5.0", "%")
    with pytest.raises(ValueError, match="reason"):
        CorrectReading(reading_id=first.key, value="5.2", unit="%", reason="")
    clock.advance(hours=2)
    second = correct(site, first, "5.2", "%")
    assert (second.happened_at, second.recorded_at, second.late) == (first.happened_at, clock.now, True)


def test_a_correction_obeys_the_bounds_too(site: Site) -> None:
    first = log(site, expansion(site), "co2", "5.0", "%")
    with pytest.raises(Invalid):
        correct(site, first, "21", "%")
    with pytest.raises(Invalid):
        correct(site, first, "6", "%")
    correct(site, first, "6", "%", comment="valve stuck")


@pytest.mark.requirement("URS-017")
def test_a_reading_is_corrected_after_the_step_until_a_lot_made_of_it_is_decided_on(site: Site) -> None:
    number = bank(site)
    rows = raw(site, "SELECT id FROM reading WHERE parameter = 'nucleated_cells'")
    command = CorrectReading(reading_id=rows[0][0], value="36", unit="10*6.{cells}", reason="counted again")
    with pytest.raises(Refused) as refusal:
        act(site, "tom", correct_reading, command)
    assert set(codes(refusal)) == {"lot-decided"}
    assert number in str(refusal.value)


def test_an_unknown_parameter_reading_or_step_is_not_found(site: Site) -> None:
    running = expansion(site)
    with pytest.raises(NotFound):
        log(site, running, "aura", "blue")
    with pytest.raises(NotFound):
        log(site, Done("S-999999", ()), "co2", "5", "%")
    with pytest.raises(NotFound):
        act(site, "tom", correct_reading, CorrectReading(reading_id=999, value="1", reason="typo"))
    with pytest.raises(NotFound):
        begun(site, "alchemy", {}, [(K.CULTURE, "g")])


@pytest.mark.requirement("URS-010")
@pytest.mark.parametrize("who", ["ben", "rhea", "cleo", "dov", "ada", "nano"])
def test_only_production_runs_steps(site: Site, who: str) -> None:
    with pytest.raises(Forbidden):
        begun(site, "procurement", {}, [(K.DONATION, "g")], who=who)


# --- completing


@pytest.mark.requirement("URS-018")
def test_a_step_is_not_complete_until_everything_required_is_recorded(site: Site) -> None:
    running = expansion(site)
    with pytest.raises(Refused) as refusal:
        ended(site, running, [("180", "10*6.{cells}")], readings_for("expansion", medium=None, co2=None))
    assert codes(refusal) == ["parameter-missing", "parameter-missing"]
    assert {reason.field for reason in refusal.value.reasons} == {"medium", "co2"}
    assert raw(site, "SELECT count(*) FROM reading WHERE parameter = 'vessel_type'") == [(0,)]


def test_what_a_choice_makes_necessary_is_asked_for(site: Site) -> None:
    running = expansion(site)
    with pytest.raises(Refused) as refusal:
        ended(
            site,
            running,
            [("180", "10*6.{cells}")],
            readings_for("expansion", vessel_type="microcarrier_str", seeding_density_volume=None),
        )
    assert [reason.field for reason in refusal.value.reasons] == ["seeding_density_volume"]


def test_a_complete_step_takes_nothing_more(site: Site) -> None:
    done = ended(site, expansion(site), [("180", "10*6.{cells}")], readings_for("expansion"))
    with pytest.raises(Refused) as refusal:
        log(site, done, "o2", "5", "%")
    assert codes(refusal) == ["step-complete"]
    with pytest.raises(Refused):
        ended(site, done, [("180", "10*6.{cells}")], ())


def test_a_step_ends_after_it_began_and_not_in_the_future(site: Site, clock: Clock) -> None:
    running = expansion(site)
    for hours, code in ((-1, "times-reversed"), (1, "in-the-future")):
        with pytest.raises(Invalid) as refusal:
            ended(
                site,
                running,
                [("1", "10*6.{cells}")],
                readings_for("expansion"),
                ended_at=clock.now + timedelta(hours=hours),
            )
        assert codes(refusal) == [code]


@pytest.mark.requirement("URS-016")
def test_a_step_entered_later_is_marked_late(site: Site, clock: Clock) -> None:
    thawed = bank(site)
    clock.advance(hours=3)
    started = clock.now - timedelta(hours=2)
    begun(site, "expansion", {thawed: ("1", "{vial}")}, [(K.CULTURE, "10*6.{cells}")], started_at=started)
    assert raw(site, "SELECT late FROM step WHERE kind = 'expansion'") == [(True,)]


def test_every_lot_of_a_step_is_measured_and_no_other(site: Site) -> None:
    running = expansion(site)
    with pytest.raises(Refused) as refusal:
        ended(site, Done(running.step, ("CU26-9999",)), [("1", "10*6.{cells}")], readings_for("expansion"))
    assert sorted(codes(refusal)) == ["output-missing", "output-unknown"]


def test_a_finished_lot_goes_into_quarantine_with_its_quantity_and_dates(site: Site) -> None:
    running = expansion(site)
    assert (lot(site, running.lot).state, lot(site, running.lot).quantity) == (LotState.IN_PROCESS, None)
    ended(site, running, [("180", "10*6.{cells}")], readings_for("expansion"))
    found = lot(site, running.lot)
    assert (found.state, str(found.quantity), found.manufactured_on) == (LotState.QUARANTINE, "180", site.today())
    assert found.expires_on == site.today() + timedelta(days=30)


@pytest.mark.requirement("URS-029")
@pytest.mark.parametrize("counted", ["vials_ipc_used", "vials_rejected", "vials_loaded"])
def test_vials_filled_used_rejected_and_loaded_balance_exactly(site: Site, counted: str) -> None:
    new_product(site)
    source = bulk(site, bank(site))
    made = [(K.FORMULATED_BULK, "210", "mL")]
    formulated = step(site, "formulation", {source: ("100", "mL")}, made, product="UC-EV-50").lot
    usual = {entry.parameter: int(entry.value) for entry in readings_for("fill") if entry.parameter.startswith("vials")}
    with pytest.raises(Refused) as refusal:
        step(
            site, "fill", {formulated: ("210", "mL")}, [(K.FILLED_VIALS, "90", "{vial}")], product="UC-EV-50",
            **{counted: (str(usual[counted] - 1), "{vial}")},
        )  # fmt: skip
    assert codes(refusal) == ["reconciliation-does-not-balance"]


@pytest.mark.requirement("URS-028")
def test_nothing_dries_at_a_pressure_above_that_of_the_ice(site: Site) -> None:
    filled = vials(site, bulk(site, bank(site)), new_product(site))
    loaded = str(lot(site, filled).quantity)
    running = begun(
        site, "lyophilization", {filled: (loaded, "{vial}")}, [(K.LYOPHILIZED_VIALS, "{vial}")], product_code="UC-EV-50"
    )
    log(site, running, "product_temperature_max_primary", "-40", "Cel")
    with pytest.raises((Refused, Invalid)) as refusal:
        log(site, running, "chamber_pressure_primary", "0.13", "mbar")
    assert codes(refusal) == ["no-sublimation"]
    log(site, running, "chamber_pressure_primary", "0.12", "mbar")


# --- what a step takes


@pytest.mark.requirement("URS-030")
def test_a_bank_is_used_only_once_it_is_released(site: Site) -> None:
    with pytest.raises(Refused) as refusal:
        begun(site, "expansion", {quarantined_bank(site): ("1", "{vial}")}, [(K.CULTURE, "10*6.{cells}")])
    assert codes(refusal) == ["lot-not-released"]


@pytest.mark.requirement("URS-030")
def test_a_material_that_waits_or_has_expired_is_not_used(site: Site, clock: Clock) -> None:
    cells = bank(site)
    waiting, old = material(site), released_material(site, expires_on=date(2026, 3, 31))
    clock.now = datetime(2026, 3, 31, 21, 59, tzinfo=UTC)
    begun(site, "expansion", {old: ("1", "L"), cells: ("1", "{vial}")}, [(K.CULTURE, "10*6.{cells}")])
    clock.now = datetime(2026, 3, 31, 22, 0, tzinfo=UTC)
    for number, code in ((waiting, "lot-not-released"), (old, "lot-expired")):
        with pytest.raises(Refused) as refusal:
            begun(site, "expansion", {number: ("1", "L"), cells: ("1", "{vial}")}, [(K.CULTURE, "10*6.{cells}")])
        assert codes(refusal) == [code]
    assert str(lot(site, cells).quantity_left) == "59"


@pytest.mark.requirement("URS-030")
@pytest.mark.parametrize("barred", ["hold", "reject"])
def test_a_lot_on_hold_or_rejected_is_not_used(site: Site, barred: str) -> None:
    given = accepted(site, donation(site)) if barred == "hold" else donation(site)
    said = {"lot_number": given, "reason": "mix-up suspected", "credentials": credentials("cleo")}
    if barred == "hold":
        act(site, "cleo", hold_lot, HoldLot(**said))
    else:
        act(site, "cleo", reject_lot, RejectLot(**said))
    with pytest.raises(Refused) as refusal:
        build.cells(site, given)
    assert codes(refusal) == ["lot-not-usable"]


@pytest.mark.requirement("URS-024", "URS-030")
def test_a_lot_that_is_still_being_made_is_not_used(site: Site) -> None:
    running = expansion(site)
    with pytest.raises(Refused) as refusal:
        begun(site, "expansion", {running.lot: ("1", "10*6.{cells}")}, [(K.CULTURE, "10*6.{cells}")])
    assert codes(refusal) == ["lot-not-usable"]


@pytest.mark.requirement("URS-018")
def test_everything_wrong_with_what_goes_in_and_out_is_said_at_once(site: Site) -> None:
    with pytest.raises(Refused) as refusal:
        begun(site, "fill", {donation(site): ("1", "g")}, [(K.CULTURE, "g"), (K.DRUG_PRODUCT, "{vial}")])
    assert sorted(codes(refusal)) == ["input-missing", "product-needed", *["wrong-kind-of-lot"] * 3]


def test_a_lot_is_named_once_per_step(site: Site) -> None:
    twice = [Input(lot_number=released_material(site), quantity=amount("1", "L"))] * 2
    with pytest.raises(Refused) as refusal:
        begun(
            site,
            "expansion",
            [*twice, Input(lot_number=bank(site), quantity=amount("1", "{vial}"))],
            [(K.CULTURE, "10*6.{cells}")],
        )
    assert codes(refusal) == ["lot-twice"]


# --- expiry


def test_a_lot_never_outlives_what_it_was_made_of_where_the_rule_says_so(site: Site, clock: Clock) -> None:
    collected = build.medium(site, bank(site))
    own = lot(site, collected).expires_on
    assert own == site.today() + timedelta(days=7)
    clock.advance(days=5)
    harvested = step(site, "harvest", {collected: ("2", "L")}, [(K.HARVEST, "2", "L")]).lot
    assert lot(site, harvested).expires_on == own


def test_an_expiry_may_be_earlier_than_the_rule_allows_but_not_later(site: Site) -> None:
    running = expansion(site)
    latest = site.today() + timedelta(days=30)
    from domain.manufacturing.ending import complete_step
    from domain.manufacturing.step_commands import CompleteStep, Measured

    def finish(expires_on: date) -> None:
        output = Measured(lot_number=running.lot, quantity=amount("1", "10*6.{cells}"), expires_on=expires_on)
        act(
            site,
            "tom",
            complete_step,
            CompleteStep(step_number=running.step, outputs=(output,), readings=readings_for("expansion")),
        )

    for wrong, code in (
        (latest + timedelta(days=1), "expiry-too-late"),
        (site.today() - timedelta(days=1), "expiry-too-early"),
    ):
        with pytest.raises((Refused, Invalid)) as refusal:
            finish(wrong)
        assert codes(refusal) == [code]
    finish(latest - timedelta(days=10))
    assert lot(site, running.lot).expires_on == latest - timedelta(days=10)


def test_the_shelf_life_of_a_product_counts_from_the_fill(site: Site, clock: Clock) -> None:
    filled = vials(site, bulk(site, bank(site)), new_product(site))
    fill_day = site.today()
    clock.advance(days=3)
    loaded = str(lot(site, filled).quantity)
    dried = step(
        site,
        "lyophilization",
        {filled: (loaded, "{vial}")},
        [(K.LYOPHILIZED_VIALS, loaded, "{vial}")],
        product="UC-EV-50",
    ).lot
    assert lot(site, dried).manufactured_on == fill_day
    assert lot(site, dried).expires_on == add_months(fill_day, 24)


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        ("2026-01-31", 1, "2026-02-28"),
        ("2024-01-31", 1, "2024-02-29"),
        ("2026-03-02", 24, "2028-03-02"),
        ("2026-12-15", 1, "2027-01-15"),
    ],
)
def test_months_end_on_the_last_day_that_there_is(start: str, months: int, end: str) -> None:
    assert add_months(date.fromisoformat(start), months) == date.fromisoformat(end)


# --- pooling


@pytest.fixture
def two_bulks(site: Site) -> tuple[str, str]:
    """Two lots of bulk from one bank."""
    cells, medium = bank(site), released_material(site)
    return bulk(site, cells, medium), bulk(site, cells, medium)


@pytest.mark.requirement("URS-023")
def test_the_shares_of_a_pool_add_up_and_say_the_same_as_the_quantities(site: Site, two_bulks: tuple[str, str]) -> None:
    one, other = two_bulks
    for shares, code in (
        ({one: ("60", "60"), other: ("40", "41")}, "shares-do-not-add-up"),
        ({one: ("60", "50"), other: ("40", "50")}, "share-differs"),
        ({one: ("60", "100"), other: ("40", "0")}, "share-not-positive"),
    ):
        with pytest.raises(Refused) as refusal:
            pooled(site, shares)
        assert code in codes(refusal)
    made = pooled(site, {one: ("60", "60.0"), other: ("40", "40.0")})
    assert lot(site, made).kind is LotKind.POOLED_BULK
    assert sorted(
        row[0] for row in raw(site, "SELECT CAST(share AS TEXT) FROM consumption WHERE share IS NOT NULL")
    ) == ["40.0", "60.0"]


def test_only_a_pooling_has_shares_and_it_cannot_do_without(site: Site) -> None:
    given = Input(lot_number=bank(site), quantity=amount("1", "{vial}"), share="100")
    with pytest.raises(Invalid) as refusal:
        begun(site, "expansion", [given], [(K.CULTURE, "10*6.{cells}")])
    assert codes(refusal) == ["share-not-allowed"]
    with pytest.raises(Invalid):
        begun(site, "pooling", {bulk(site, given.lot_number): ("50", "mL")}, [(K.POOLED_BULK, "mL")])


def test_a_whole_drug_product_can_be_made_from_donor_to_vial(site: Site) -> None:
    found = lot(site, drug_product(site))
    assert (found.kind, found.state) == (LotKind.DRUG_PRODUCT, LotState.QUARANTINE)
    assert found.expires_on == add_months(site.today(), 24)
