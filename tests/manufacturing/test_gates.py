"""Equipment and training gate every use; QA's exception opens the gate and a deviation; a bad calibration reaches back."""

from datetime import timedelta

import pytest

from domain.disposition.guards import GUARDS
from domain.equipment.models import Finding
from domain.errors import DomainError, Forbidden, Invalid, NotFound, Refused
from domain.lots.lifecycle import RULES
from domain.manufacturing import control
from domain.manufacturing.equipment_use import made_since_good
from domain.manufacturing.exceptions import ApproveException, approve_exception
from domain.people.training import RequireTraining, TrainedFor, require_training
from domain.store import reading
from domain.work import Site
from tests import build, governed
from tests.cast import Clock, act, credentials, raw
from tests.governed import BULK, deviations, end, formulated, formulation, seen, serviced, start, trained

pytestmark = pytest.mark.stage("governed")


def codes(refusal: pytest.ExceptionInfo[DomainError]) -> list[str]:
    return [reason.code for reason in refusal.value.reasons]


def excepted(site: Site, of: str, code: str, who: str = "cleo", **more: object) -> None:
    said = {"reason": "checked against a second device before use", "valid_until": site.today()} | more
    command = ApproveException(of=of, code=code, credentials=credentials(who), **said)  # type: ignore[arg-type]
    act(site, who, approve_exception, command)


@pytest.mark.requirement("URS-151")
def test_a_recipe_that_names_equipment_refuses_a_step_without_it(site: Site) -> None:
    with pytest.raises(Refused) as refusal:
        formulation(site, equipment_codes=())
    assert codes(refusal) == ["equipment-missing", "room-missing"]
    with pytest.raises(NotFound):
        formulation(site, equipment_codes=("MV-5", "B1", "NONE-1"))


@pytest.mark.requirement("URS-151")
def test_equipment_that_is_due_is_refused_with_or_without_a_recipe(site: Site, clock: Clock) -> None:
    clock.advance(days=366)
    bare = build.new_product(site, "BARE-1", "BRE")
    with pytest.raises(Refused) as refusal:
        build.begun(
            site, "formulation", {BULK: ("1", "mL")}, [(build.K.FORMULATED_BULK, "mL")],
            product_code=bare, equipment_codes=("MV-5",),
        )  # fmt: skip
    assert set(codes(refusal)) >= {"calibration-overdue", "maintenance-overdue"}


@pytest.mark.requirement("URS-152")
def test_an_exception_of_quality_assurance_opens_the_gate_and_a_deviation_that_touches_the_lot(
    site: Site, clock: Clock
) -> None:
    serviced(site, "MV-5", days=1)
    clock.advance(days=2)
    with pytest.raises(Refused) as refusal:
        formulation(site)
    assert codes(refusal) == ["calibration-overdue"]
    with pytest.raises(Forbidden):
        excepted(site, "equipment", "MV-5", "ann")
    excepted(site, "equipment", "MV-5")
    assert deviations(site) == ["equipment-exception"]
    begun = formulation(site)
    assert raw(site, "SELECT l.lot_number FROM deviation_lot d JOIN lot l ON l.id = d.lot_id") == [(begun.lot,)]
    assert deviations(site) == ["equipment-exception"], "one deviation, not two"
    clock.advance(days=1)
    with pytest.raises(Refused):
        formulation(site)


@pytest.mark.requirement("URS-152")
def test_an_exception_is_short_signed_and_says_why(site: Site) -> None:
    with pytest.raises(Refused) as long:
        excepted(site, "equipment", "MV-5", valid_until=site.today() + timedelta(days=32))
    assert codes(long) == ["exception-too-long"]
    with pytest.raises(Invalid) as reversed_:
        excepted(site, "equipment", "MV-5", valid_until=site.today() - timedelta(days=1))
    assert codes(reversed_) == ["times-reversed"]
    with pytest.raises(Invalid) as nobody:
        excepted(site, "training", "fill")
    assert codes(nobody) == ["person-with-training"]
    with pytest.raises(ValueError, match="at least 10"):
        excepted(site, "equipment", "MV-5", reason="ok")


@pytest.mark.requirement("URS-151", "URS-153")
def test_equipment_that_falls_due_while_a_step_runs_blocks_the_release_until_quality_assurance_signs(
    site: Site, clock: Clock
) -> None:
    serviced(site, "MV-5", days=0)
    begun = seen(site, formulation(site))
    clock.advance(days=1)
    readings = build.readings_for("formulation", ph="7.2")
    with pytest.raises(Invalid) as refusal:
        end(site, begun, ("210", "mL"), readings)
    assert codes(refusal) == ["comment-needed"]
    end(site, begun, ("210", "mL"), readings, comment="mixed over night")
    assert deviations(site) == ["calibration-overdue"]
    lot = build.lot(site, begun.lot)
    with reading(site.engine) as session:
        assert [reason.code for reason in control.not_excepted(session, lot)] == ["exception-missing"]
    excepted(site, "equipment", "MV-5", valid_from=site.today())
    with reading(site.engine) as session:
        assert list(control.not_excepted(session, lot)) == []


@pytest.mark.requirement("URS-154")
def test_a_calibration_out_of_tolerance_lists_the_lots_made_since_the_last_good_one(site: Site, clock: Clock) -> None:
    first = formulated(site)
    clock.advance(days=1)
    serviced(site, "MV-5")
    clock.advance(days=1)
    with_it = ("FL-1", "MV-5", "B1")
    second = start(site, "fill", {first: ("210", "mL")}, equipment_codes=with_it, comment="held over night")
    clock.advance(days=1)
    serviced(site, "MV-5", finding=Finding.OUT, comment="stirrer 20 % too slow")
    with reading(site.engine) as session:
        made = made_since_good(session, "MV-5", clock())
        assert made_since_good(session, "FD-2", clock()) == []
    assert [one.lot_number for one in made] == [second.lot]
    assert deviations(site)[-1] == "calibration-out-of-tolerance"
    touched = raw(
        site,
        "SELECT l.lot_number FROM deviation_lot d JOIN lot l ON l.id = d.lot_id"
        " WHERE d.deviation_id = (SELECT max(id) FROM deviation)",
    )
    assert touched == [(second.lot,)]


@pytest.mark.requirement("URS-154")
def test_a_calibration_out_of_tolerance_that_is_recorded_late_lists_what_was_made_meanwhile(
    site: Site, clock: Clock
) -> None:
    first = formulated(site)
    found_at = clock()
    clock.advance(days=1)
    with_it = ("FL-1", "MV-5", "B1")
    second = start(site, "fill", {first: ("210", "mL")}, equipment_codes=with_it, comment="held over night")
    clock.advance(days=1)
    serviced(site, "MV-5", finding=Finding.OUT, comment="stirrer 20 % too slow", happened_at=found_at)
    touched = raw(
        site,
        "SELECT l.lot_number FROM deviation_lot d JOIN lot l ON l.id = d.lot_id"
        " WHERE d.deviation_id = (SELECT max(id) FROM deviation)",
    )
    assert (second.lot,) in touched


# --- training


@pytest.mark.requirement("URS-155")
def test_somebody_untrained_neither_starts_nor_records_nor_ends_a_step(site: Site, clock: Clock) -> None:
    begun = seen(site, formulation(site))
    clock.advance(days=366)
    for code in governed.EQUIPMENT:
        serviced(site, code)
        serviced(site, code, governed.EventKind.MAINTENANCE)
    for attempt in (
        lambda: formulation(site),
        lambda: end(site, begun, ("210", "mL"), build.readings_for("formulation", ph="7.2")),
    ):
        with pytest.raises(Refused) as refusal:
            attempt()
        assert "not-trained" in codes(refusal)
    trained(site, "tom", "formulation")
    end(site, begun, ("210", "mL"), build.readings_for("formulation", ph="7.2"))


@pytest.mark.requirement("URS-155")
def test_an_exception_from_training_touches_the_lots_that_are_made_under_it(site: Site, clock: Clock) -> None:
    trained(site, "tom", "formulation", days=0)
    clock.advance(days=1)
    with pytest.raises(Refused) as refusal:
        formulation(site)
    assert codes(refusal) == ["not-trained"]
    excepted(site, "training", "formulation", username="tom")
    begun = formulation(site)
    assert deviations(site) == ["training-exception"]
    assert raw(site, "SELECT l.lot_number FROM deviation_lot d JOIN lot l ON l.id = d.lot_id") == [(begun.lot,)]


@pytest.mark.requirement("URS-155")
def test_a_kind_of_step_asks_for_training_without_any_recipe_once_that_is_said(site: Site) -> None:
    bare = build.new_product(site, "BARE-1", "BRE")
    command = RequireTraining(subject=TrainedFor.STEP, code="pooling", reason="after deviation 12")
    act(site, "rhea", require_training, command)
    said = {"product_code": bare}
    inputs = [build.Input(lot_number=BULK, quantity=build.amount("1", "mL"), share="100")]
    with pytest.raises(Refused) as refusal:
        build.begun(site, "pooling", inputs, [(build.K.POOLED_BULK, "mL")], **said)
    assert codes(refusal) == ["not-trained"]
    act(site, "rhea", require_training, command.model_copy(update={"required": False}))
    build.begun(site, "pooling", inputs, [(build.K.POOLED_BULK, "mL")], **said)


@pytest.mark.requirement("URS-149")
def test_the_guards_of_control_stand_in_the_rule_of_release() -> None:
    wanted = {"recipe-followed", "entries-verified", "differences-explained", "exceptions-approved", "samples-taken"}
    assert wanted <= set(RULES["release"].guards)
    assert wanted <= GUARDS.keys()
