"""A step under its recipe: order, the second person, limits, hold times, yields, counts, and the deviations that open by themselves."""

from datetime import timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from domain.deviations.models import DeviationLot
from domain.disposition.batch_record import batch_record
from domain.disposition.decisions import ReleaseLot, release_lot
from domain.errors import Conflict, DomainError, Invalid, NotFound, Refused, Unauthenticated
from domain.manufacturing import control
from domain.manufacturing.queries_control import step_control
from domain.manufacturing.readings import correct_reading, log_reading
from domain.manufacturing.step_commands import CorrectReading, Entry, LogReading
from domain.manufacturing.verifying import VerifyReadings, VerifyStart, verify_readings, verify_start
from domain.signatures import Credentials
from domain.store import reading
from domain.work import Site
from tests import build, governed
from tests.build import Done, readings_for
from tests.cast import Clock, act, actor, credentials, raw
from tests.governed import (
    BULK,
    CLEARED,
    buffer_of,
    content,
    deviations,
    documented,
    end,
    explained,
    formulated,
    formulation,
    seen,
    start,
)

pytestmark = pytest.mark.stage("governed")


def codes(refusal: pytest.ExceptionInfo[DomainError]) -> list[str]:
    return [reason.code for reason in refusal.value.reasons]


def log(site: Site, on: Done, parameter: str, value: str, unit: str | None = None, **more: str) -> int:
    entry = Entry(parameter=parameter, value=value, unit=unit, **more)
    return act(site, "tom", log_reading, LogReading(step_number=on.step, entry=entry)).key


# --- order, clearance, the second person


@pytest.mark.requirement("URS-137")
def test_a_lot_pins_the_version_at_its_first_step_and_keeps_it_when_a_new_one_comes_into_force(site: Site) -> None:
    lot = formulated(site)
    governed.approved(site, content(fill={"instruction": "slower"}), reason="fill more slowly")
    start(site, "fill", {lot: ("210", "mL")})
    pinned = raw(site, "SELECT r.revision FROM execution e JOIN recipe r ON r.id = e.recipe_id ORDER BY e.id")
    assert [row[0] for row in pinned] == [1, 1]


def pooled_first(site: Site) -> None:
    """A version that begins with a pooling."""
    said = content()
    pooling = governed.RecipeStep(key="pooling", kind="pooling")
    governed.approved(site, said.model_copy(update={"steps": (pooling, *said.steps)}), reason="pool first")


SKIPPED: dict[str, Any] = {"out_of_order_reason": "one bulk only, nothing to pool", "second_person": credentials("ann")}


@pytest.mark.requirement("URS-138", "URS-208")
def test_a_step_out_of_order_needs_a_reason_and_a_second_person_and_opens_a_deviation(site: Site) -> None:
    pooled_first(site)
    with pytest.raises(Refused) as refusal:
        formulation(site)
    assert codes(refusal) == ["step-out-of-order", "second-person-needed"]
    assert "goes on with pooling" in str(refusal.value)
    with pytest.raises(Refused) as alone:
        formulation(site, out_of_order_reason="one bulk only, nothing to pool")
    assert codes(alone) == ["second-person-needed"]
    formulation(site, **SKIPPED)
    assert deviations(site) == ["step-out-of-order"]
    assert "agreed by Ann Makes" in raw(site, "SELECT text FROM deviation")[0][0]
    assert raw(site, "SELECT name, meaning FROM signature ORDER BY id DESC LIMIT 1") == [("Ann Makes", "approved")]


@pytest.mark.requirement("URS-208")
@pytest.mark.parametrize(
    ("who", "code"),
    [("tom", "not-by-same-person"), ("dov", "second-person-may-not"), ("rhea", "second-person-may-not")],
)
def test_nobody_agrees_to_their_own_step_out_of_order_nor_to_what_they_may_not_do(
    site: Site, who: str, code: str
) -> None:
    pooled_first(site)
    with pytest.raises(Refused) as refusal:
        formulation(site, **SKIPPED | {"second_person": credentials(who)})
    assert codes(refusal) == [code]
    assert deviations(site) == []


@pytest.mark.requirement("URS-208")
def test_a_wrong_password_of_the_second_person_begins_nothing_and_is_counted(site: Site) -> None:
    pooled_first(site)
    wrong = Credentials(username="ann", password=SecretStr("not hers at all"))
    with pytest.raises(Unauthenticated) as refusal:
        formulation(site, **SKIPPED | {"second_person": wrong})
    assert refusal.value.reasons[0].field == "second_person.password"
    assert raw(site, "SELECT failed_attempts FROM app_user WHERE username = 'ann'") == [(1,)]
    assert raw(site, "SELECT count(*) FROM execution") == [(0,)]


@pytest.mark.requirement("URS-208")
def test_who_agreed_to_a_step_out_of_order_stands_beside_the_step_and_on_the_page_of_what_was_not_normal(
    site: Site,
) -> None:
    pooled_first(site)
    begun = formulation(site, **SKIPPED)
    with reading(site.engine) as session:
        said = step_control(session, begun.step, site.clock()).out_of_order
        odd = batch_record(session, begun.lot, site.clock(), site.today(), actor(site, "dov")).odd
    assert said == "one bulk only, nothing to pool (agreed by Ann Makes)"
    assert (begun.step, f"out of order: {said}") in odd


@pytest.mark.requirement("URS-138")
def test_a_step_out_of_order_ends_only_when_its_start_is_verified_too(site: Site) -> None:
    pooled_first(site)
    begun = formulation(site, **SKIPPED)
    with pytest.raises(Refused) as refusal:
        end(site, begun, ("210", "mL"), readings_for("formulation", ph="7.2"))
    assert codes(refusal) == ["start-not-verified"]
    lot = end(site, seen(site, begun), ("210", "mL"), readings_for("formulation", ph="7.2")).lot
    with reading(site.engine) as session:
        told = [reason.text for reason in control.not_followed(session, build.lot(site, lot))]
    assert "pooling" in told[0], "what was passed over still bars the release"


@pytest.mark.requirement("URS-138")
def test_a_step_of_the_recipe_is_named_by_its_key(site: Site) -> None:
    with pytest.raises(Invalid) as refusal:
        formulation(site, recipe_step="fill")
    assert codes(refusal) == ["step-unknown"]
    formulation(site, recipe_step="formulation")
    with pytest.raises(Refused) as bare:
        build.begun(
            site, "formulation", {BULK: ("1", "mL")}, [(build.K.FORMULATED_BULK, "mL")],
            product_code=build.new_product(site, "BARE-1", "BRE"), recipe_step="formulation",
        )  # fmt: skip
    assert codes(bare) == ["no-recipe"]


@pytest.mark.requirement("URS-215")
def test_a_unit_in_a_usual_spelling_is_kept_as_its_code(site: Site) -> None:
    step = formulation(site)
    log(site, step, "osmolality", "300", "mOsmol/kg")
    assert raw(site, "SELECT entered_value, entered_unit, unit FROM reading ORDER BY id DESC LIMIT 1") == [
        ("300", "mosm/kg", "mosm/kg")
    ]


@pytest.mark.requirement("URS-139")
def test_room_and_line_clearance_is_recorded_at_the_start(site: Site) -> None:
    with pytest.raises(Refused) as refusal:
        formulation(site, clearance="")
    assert codes(refusal) == ["clearance-needed"]
    formulation(site)
    assert raw(site, "SELECT clearance FROM execution") == [(CLEARED,)]


@pytest.mark.requirement("URS-139")
def test_a_step_cannot_end_before_a_second_person_has_seen_its_start(site: Site) -> None:
    begun = formulation(site)
    with pytest.raises(Refused) as refusal:
        end(site, begun, ("210", "mL"), readings_for("formulation", ph="7.2"))
    assert codes(refusal) == ["start-not-verified"]
    with pytest.raises(Refused) as refusal:
        seen(site, begun, "tom")
    assert codes(refusal) == ["not-by-same-person"]
    seen(site, begun)
    with pytest.raises(Conflict):
        seen(site, begun)
    end(site, begun, ("210", "mL"), readings_for("formulation", ph="7.2"))


@pytest.mark.requirement("URS-140")
def test_the_rule_of_the_verifier_can_fire_the_one_who_entered_a_value_never_verifies_it(site: Site) -> None:
    begun = formulation(site)
    ids = (log(site, begun, "ph", "7.2", "[pH]"),)
    for who, codes_wanted in (("tom", ["not-by-same-person"]), ("ann", [])):
        command = VerifyReadings(step_number=begun.step, reading_ids=ids, credentials=credentials(who))
        if codes_wanted:
            with pytest.raises(Refused) as refusal:
                act(site, who, verify_readings, command)
            assert codes(refusal) == codes_wanted
        else:
            assert len(act(site, who, verify_readings, command)) == 1
    with pytest.raises(Refused) as refusal:
        act(site, "ann", verify_readings, command)
    assert codes(refusal) == ["verified-already"]


@pytest.mark.requirement("URS-140")
def test_a_corrected_critical_reading_has_to_be_verified_anew(site: Site) -> None:
    begun = formulation(site)
    old = log(site, begun, "ph", "7.2", "[pH]")
    command = VerifyReadings(step_number=begun.step, reading_ids=(old,), credentials=credentials("ann"))
    act(site, "ann", verify_readings, command)
    correction = CorrectReading(reading_id=old, value="7.3", unit="[pH]", reason="misread the display")
    new = act(site, "tom", correct_reading, correction)
    with pytest.raises(Refused) as refusal:
        act(site, "ann", verify_readings, command)
    assert codes(refusal) == ["reading-replaced", "verified-already"]
    with reading(site.engine) as session:
        reasons = list(control.not_verified(session, build.lot(site, begun.lot)))
    assert "ph is critical" in " ".join(reason.text for reason in reasons)
    both = VerifyReadings(step_number=begun.step, reading_ids=(new.key, new.key), credentials=credentials("ann"))
    assert len(act(site, "ann", verify_readings, both)) == 1


@pytest.mark.requirement("URS-140")
def test_two_clicks_on_verify_make_one_record(site: Site) -> None:
    begun = seen(site, formulation(site))
    with pytest.raises(Conflict):
        act(site, "ann", verify_start, VerifyStart(step_number=begun.step, credentials=credentials("ann")))
    assert raw(site, "SELECT count(*) FROM start_verification") == [(1,)]
    assert raw(site, "SELECT count(*) FROM signature WHERE record = 'step'") == [(1,)]


@pytest.mark.requirement("URS-139")
def test_a_reading_of_another_step_cannot_be_verified_with_this_one(site: Site) -> None:
    begun = formulation(site)
    with pytest.raises(Refused) as refusal:
        act(
            site, "ann", verify_readings,
            VerifyReadings(step_number=begun.step, reading_ids=(1,), credentials=credentials("ann")),
        )  # fmt: skip
    assert codes(refusal) == ["reading-not-found"]
    with pytest.raises(NotFound):
        act(site, "ann", verify_start, VerifyStart(step_number="S-9", credentials=credentials("ann")))


# --- limits, missing readings


@pytest.mark.requirement("URS-141")
def test_the_limits_of_the_recipe_override_those_of_the_catalogue(site: Site) -> None:
    begun = formulation(site)
    with pytest.raises(Invalid) as refusal:
        log(site, begun, "ph", "7.45", "[pH]")
    assert codes(refusal) == ["comment-needed"]
    assert "above the alert bound of 7.4" in str(refusal.value)
    log(site, begun, "ph", "7.45", "[pH]", comment="buffer warm")
    assert deviations(site) == []


@pytest.mark.requirement("URS-141")
def test_a_value_outside_the_action_limits_needs_a_comment_and_opens_a_deviation_on_the_lot(site: Site) -> None:
    begun = formulation(site)
    with pytest.raises(Invalid) as refusal:
        log(site, begun, "ph", "7.52", "[pH]")
    assert "above the action bound of 7.5" in str(refusal.value)
    assert deviations(site) == []
    log(site, begun, "ph", "7.52", "[pH]", comment="pH meter checked, value confirmed")
    assert deviations(site) == ["outside-action-bounds"]
    touched = raw(site, "SELECT l.lot_number FROM deviation_lot d JOIN lot l ON l.id = d.lot_id")
    assert touched == [(begun.lot,)]
    assert DeviationLot.append_only


@pytest.mark.requirement("URS-141")
def test_a_blank_upper_limit_is_no_limit_and_never_0(site: Site) -> None:
    said = content(formulation={"parameters": (governed.ParameterRule(code="buffer_concentration", alert_low="1"),)})
    governed.approved(site, said, reason="limits")
    begun = formulation(site)
    log(site, begun, "buffer_concentration", "150", "mmol/L")
    assert raw(site, "SELECT alert FROM reading ORDER BY id DESC LIMIT 1") == [(None,)]


@pytest.mark.requirement("URS-142")
@pytest.mark.parametrize("text", ["", "   ", "\t"])
def test_an_empty_reading_is_never_accepted(site: Site, text: str) -> None:
    begun = formulation(site)
    with pytest.raises(Invalid) as refusal:
        log(site, begun, "ph", text, "[pH]", comment="nothing to see")
    assert codes(refusal) == ["value-missing"]


@pytest.mark.requirement("URS-142")
@pytest.mark.parametrize("text", ["NaN", "1e400", "1,5", "٣", "1_000", "∞", "0x10", "7.2 "])
def test_a_text_that_looks_like_a_number_is_not_read_as_one(site: Site, text: str) -> None:
    begun = formulation(site)
    if text.strip() != text:
        log(site, begun, "ph", text, "[pH]")  # blanks round it are taken off, and nothing else
        return
    with pytest.raises(Invalid):
        log(site, begun, "ph", text, "[pH]", comment="as shown")


@pytest.mark.requirement("URS-142")
def test_a_missing_reading_ends_a_step_only_with_a_reason_and_opens_a_deviation(site: Site) -> None:
    begun = seen(site, formulation(site))
    without = readings_for("formulation", ph=None)
    with pytest.raises(Refused) as refusal:
        end(site, begun, ("210", "mL"), without)
    assert codes(refusal) == ["parameter-missing"]
    end(site, begun, ("210", "mL"), without, left_out=(explained("ph"),))
    assert deviations(site) == ["reading-missing"]
    assert raw(
        site, "SELECT count(*) FROM reading WHERE parameter = 'ph' AND step_id = (SELECT max(id) FROM step)"
    ) == [(0,)]


@pytest.mark.requirement("URS-142")
def test_what_is_recorded_cannot_be_left_out(site: Site) -> None:
    begun = seen(site, formulation(site))
    with pytest.raises(Refused) as refusal:
        end(site, begun, ("210", "mL"), readings_for("formulation", ph="7.2"), left_out=(explained("ph"),))
    assert codes(refusal) == ["not-left-out"]


def test_without_a_recipe_a_missing_reading_still_bars_the_end(site: Site) -> None:
    bare = build.new_product(site, "BARE-1", "BRE")
    begun = build.begun(site, "formulation", {BULK: ("20", "mL")}, [(build.K.FORMULATED_BULK, "mL")], product_code=bare)
    with pytest.raises(Refused) as refusal:
        end(site, begun, ("20", "mL"), readings_for("formulation", ph=None), left_out=(explained("ph"),))
    assert "parameter-missing" in codes(refusal)
    end(site, begun, ("20", "mL"), readings_for("formulation", ph="7.2"))


# --- hold times, yields, counts


@pytest.mark.requirement("URS-143")
def test_a_missed_hold_time_needs_a_comment_and_opens_a_deviation(site: Site, clock: Clock) -> None:
    lot = formulated(site)
    clock.advance(hours=4, minutes=1)
    with pytest.raises(Invalid) as refusal:
        start(site, "fill", {lot: ("210", "mL")})
    assert codes(refusal) == ["comment-needed"]
    begun = start(site, "fill", {lot: ("210", "mL")}, comment="the line was down")
    assert deviations(site) == ["hold-time-missed"]
    with reading(site.engine) as session:
        (clock_of,) = control.hold_clocks(session, [build.lot(site, begun.lot).key], clock())
    assert (clock_of.after, clock_of.before, clock_of.over) == ("formulation", "fill", True)


@pytest.mark.requirement("URS-143")
def test_the_clock_of_a_hold_time_runs_until_the_next_step_starts(site: Site, clock: Clock) -> None:
    lot = build.lot(site, formulated(site))
    clock.advance(hours=4)
    with reading(site.engine) as session:
        (running,) = control.hold_clocks(session, [lot.key], clock())
        (late,) = control.hold_clocks(session, [lot.key], clock() + timedelta(seconds=1))
    assert (running.stopped_at, running.over, late.over) == (None, False, True)
    start(site, "fill", {lot.lot_number: ("210", "mL")})
    assert deviations(site) == []
    with reading(site.engine) as session:
        (stopped,) = control.hold_clocks(session, [lot.key], clock() + timedelta(days=9))
    assert (stopped.stopped_at, stopped.over) == (clock(), False)


@pytest.mark.requirement("URS-144")
def test_a_yield_outside_the_expected_range_opens_a_deviation(site: Site) -> None:
    expected = {"expected_yield": governed.ExpectedYield(low="95", high="105", theoretical=build.amount("0.2", "L"))}
    governed.approved(site, content(formulation=expected), reason="yield")
    begun = seen(site, formulation(site))
    readings = readings_for("formulation", ph="7.2")
    with pytest.raises(Invalid) as refusal:
        end(site, begun, ("180", "mL"), readings)
    assert "90.0 %" in str(refusal.value)
    end(site, begun, ("180", "mL"), readings, comment="20 mL were spilt")
    assert deviations(site) == ["yield-out-of-range"]


@pytest.mark.requirement("URS-145")
def test_counts_that_do_not_balance_end_a_step_only_explained_and_with_a_deviation(site: Site) -> None:
    begun = seen(site, start(site, "fill", {formulated(site): ("210", "mL")}))
    counted = {one.parameter: one.value for one in readings_for("fill")}
    loaded = str(int(counted["vials_loaded"]) - 1)
    readings = readings_for("fill", vials_loaded=loaded)
    with pytest.raises(Refused) as refusal:
        end(site, begun, (loaded, "{vial}"), readings)
    assert codes(refusal) == ["reconciliation-does-not-balance"]
    why = explained("vials_filled", "one vial broke on the way to the dryer and was not found")
    end(site, begun, (loaded, "{vial}"), readings, explanations=(why,))
    assert deviations(site) == ["reconciliation-does-not-balance"]
    with reading(site.engine) as session:
        assert list(control.not_explained(session, build.lot(site, begun.lot))) == []


@pytest.mark.requirement("URS-145")
def test_an_explanation_for_what_balances_is_refused(site: Site) -> None:
    begun = seen(site, start(site, "fill", {formulated(site): ("210", "mL")}))
    loaded = next(one.value for one in readings_for("fill") if one.parameter == "vials_loaded")
    with pytest.raises(Refused) as refusal:
        end(site, begun, (loaded, "{vial}"), readings_for("fill"), explanations=(explained("vials_filled"),))
    assert codes(refusal) == ["nothing-to-explain"]


# --- materials under a recipe


@pytest.mark.requirement("URS-146")
def test_a_material_that_is_not_on_the_bill_is_refused(site: Site) -> None:
    other = documented(site, "Trehalose dihydrate", ("1", "kg"))
    with pytest.raises(Refused) as refusal:
        formulation(site, taken={BULK: ("100", "mL"), buffer_of(site): ("100", "mL"), other: ("10", "g")})
    assert codes(refusal) == ["material-not-in-recipe"]


@pytest.mark.requirement("URS-146")
@pytest.mark.parametrize(
    ("quantity", "opened"),
    [("105", []), ("95", []), ("105.1", ["material-amount-off"]), ("94.9", ["material-amount-off"])],
)
def test_an_amount_outside_the_tolerance_of_the_bill_opens_a_deviation(
    site: Site, quantity: str, opened: list[str]
) -> None:
    taken = {BULK: ("100", "mL"), buffer_of(site): (quantity, "mL")}
    if opened:
        with pytest.raises(Invalid) as refusal:
            formulation(site, taken=taken)
        assert codes(refusal) == ["comment-needed"]
    formulation(site, taken=taken, comment="weighed as given")
    assert deviations(site) == opened


@pytest.mark.requirement("URS-146")
def test_a_material_that_is_missing_opens_a_deviation(site: Site) -> None:
    formulation(site, taken={BULK: ("100", "mL")}, comment="bulk was in buffer already")
    assert deviations(site) == ["material-missing"]


@pytest.mark.requirement("URS-147")
def test_another_lot_than_the_one_that_expires_first_needs_a_reason(site: Site) -> None:
    later = documented(site, expires_on=site.today() + timedelta(days=700))
    taken = [
        build.Input(lot_number=BULK, quantity=build.amount("100", "mL")),
        build.Input(lot_number=later, quantity=build.amount("100", "mL")),
    ]
    with pytest.raises(Refused) as refusal:
        formulation(site, taken=taken)
    assert codes(refusal) == ["not-first-expired"]
    taken[1] = taken[1].model_copy(update={"reason": "the older lot is set aside for stability"})
    formulation(site, taken=taken)
    assert raw(site, "SELECT reason FROM consumption WHERE reason IS NOT NULL") == [
        ("the older lot is set aside for stability",)
    ]


@pytest.mark.requirement("URS-148")
def test_a_material_without_papers_is_refused_under_a_recipe(site: Site) -> None:
    bare = build.released_material(site, governed.BUFFER, ("1", "L"), expires_on=site.today() + timedelta(days=3))
    with pytest.raises(Refused) as refusal:
        formulation(site, taken={BULK: ("100", "mL"), bare: ("100", "mL")})
    assert codes(refusal) == ["material-papers-missing"]


# --- release


@pytest.mark.requirement("URS-149")
def test_a_lot_is_released_only_when_every_step_is_done_verified_and_sampled(site: Site) -> None:
    lot = governed.drug_product(site)
    build.tested(site, lot)
    command = ReleaseLot(lot_number=lot, reason="complies", credentials=credentials("cleo"))
    assert act(site, "cleo", release_lot, command).revision == 1
    assert deviations(site) == []


@pytest.mark.requirement("URS-149")
def test_an_unverified_entry_and_a_step_not_done_block_the_release(site: Site) -> None:
    lot = build.lot(site, formulated(site))
    with reading(site.engine) as session:
        assert {reason.code for reason in control.not_followed(session, lot)} == {"recipe-step-missing"}
        assert len(list(control.not_followed(session, lot))) == 3
    begun = seen(site, start(site, "fill", {lot.lot_number: ("210", "mL")}))
    log(site, begun, "vials_filled", "500")
    with reading(site.engine) as session:
        told = list(control.not_verified(session, build.lot(site, begun.lot)))
    assert [reason.code for reason in told] == ["reading-not-verified"]


def test_a_product_without_a_recipe_is_made_as_before(site: Site) -> None:
    bare = build.new_product(site, "BARE-1", "BRE")
    lot = build.drug_product(site, bare, of_bulk=BULK)
    with reading(site.engine) as session:
        row = build.lot(site, lot)
        for guard in (control.not_followed, control.not_verified, control.not_explained, control.not_excepted):
            assert list(guard(session, row)) == []
