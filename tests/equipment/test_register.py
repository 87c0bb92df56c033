"""The equipment register: due dates, service, tolerance, and what stands in the way of use."""

from datetime import timedelta

import pytest

from domain.equipment.models import EventKind, Finding
from domain.equipment.queries import equipment_file, equipment_list
from domain.equipment.register import LogEquipmentEvent, RegisterEquipment, register_equipment
from domain.errors import Conflict, DomainError, Forbidden, Invalid, NotFound
from domain.manufacturing.equipment_use import log_equipment_event
from domain.store import reading
from domain.work import Site
from tests.cast import Clock, act
from tests.governed import equipped, serviced


def codes(refusal: pytest.ExceptionInfo[DomainError]) -> list[str]:
    return [reason.code for reason in refusal.value.reasons]


def unfit(site: Site, code: str) -> tuple[str, ...]:
    with reading(site.engine) as session:
        return equipment_file(session, code, site.clock(), site.today()).unfit


def event(site: Site, code: str, kind: EventKind, **more: object) -> None:
    command = LogEquipmentEvent(code=code, kind=kind, performed_by="Workshop", **more)
    act(site, "ann", log_equipment_event, command)


@pytest.mark.requirement("URS-150")
def test_new_equipment_may_not_be_used_before_it_is_calibrated_and_maintained(site: Site) -> None:
    said = {"code": "FD-9", "name": "Freeze dryer", "equipment_class": "freeze-dryer", "serial": "1", "location": "121"}
    act(site, "ann", register_equipment, RegisterEquipment(**said))
    assert [text.split(" of ")[0] for text in unfit(site, "FD-9")] == ["no calibration", "no maintenance"]
    serviced(site, "FD-9")
    serviced(site, "FD-9", EventKind.MAINTENANCE)
    assert unfit(site, "FD-9") == ()
    with pytest.raises(Conflict):
        act(site, "ann", register_equipment, RegisterEquipment(**said))
    with pytest.raises(Forbidden):
        act(site, "tom", register_equipment, RegisterEquipment(**said))


@pytest.mark.requirement("URS-150")
def test_the_due_date_is_the_last_good_day(site: Site, clock: Clock) -> None:
    equipped(site, {"FD-2": "freeze-dryer"})
    serviced(site, "FD-2", days=30)
    clock.advance(days=30)
    assert unfit(site, "FD-2") == ()
    clock.advance(days=1)
    assert len(unfit(site, "FD-2")) == 1
    assert "calibration of FD-2 was due on 2026-04-01" in unfit(site, "FD-2")[0]


@pytest.mark.requirement("URS-150")
def test_equipment_out_of_service_may_not_be_used_until_it_is_put_back(site: Site, clock: Clock) -> None:
    equipped(site, {"FD-2": "freeze-dryer"})
    event(site, "FD-2", EventKind.TAKEN_OUT, comment="the door seal leaks")
    assert "the door seal leaks" in unfit(site, "FD-2")[0]
    clock.advance(hours=1)
    event(site, "FD-2", EventKind.PUT_BACK)
    assert unfit(site, "FD-2") == ()


@pytest.mark.requirement("URS-150")
def test_equipment_found_out_of_tolerance_is_unfit_until_a_good_calibration(site: Site, clock: Clock) -> None:
    equipped(site, {"FD-2": "freeze-dryer"})
    clock.advance(hours=1)
    serviced(site, "FD-2", finding=Finding.OUT, comment="2 Cel too warm")
    assert "out of tolerance" in unfit(site, "FD-2")[0]
    clock.advance(hours=1)
    serviced(site, "FD-2")
    assert unfit(site, "FD-2") == ()


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"kind": EventKind.CALIBRATION, "next_due": "2027-01-01"}, "finding-with-calibration"),
        (
            {"kind": EventKind.MAINTENANCE, "finding": Finding.WITHIN, "next_due": "2027-01-01"},
            "finding-with-calibration",
        ),
        ({"kind": EventKind.MAINTENANCE}, "next-due"),
        ({"kind": EventKind.CALIBRATION, "finding": Finding.WITHIN}, "next-due"),
        (
            {"kind": EventKind.CALIBRATION, "finding": Finding.OUT, "next_due": "2027-01-01", "comment": "off"},
            "next-due",
        ),
        ({"kind": EventKind.CALIBRATION, "finding": Finding.OUT}, "comment-needed"),
        ({"kind": EventKind.TAKEN_OUT}, "comment-needed"),
        ({"kind": EventKind.MAINTENANCE, "next_due": "2026-03-01"}, "times-reversed"),
    ],
)
def test_an_event_that_cannot_be_is_refused(site: Site, facts: dict[str, object], code: str) -> None:
    equipped(site, {"FD-2": "freeze-dryer"})
    with pytest.raises(Invalid) as refusal:
        event(site, "FD-2", **facts)  # type: ignore[arg-type]
    assert codes(refusal) == [code]


def test_an_event_in_the_future_or_of_unknown_equipment_is_refused(site: Site, clock: Clock) -> None:
    equipped(site, {"FD-2": "freeze-dryer"})
    with pytest.raises(Invalid) as refusal:
        event(site, "FD-2", EventKind.PUT_BACK, happened_at=clock() + timedelta(minutes=6))
    assert codes(refusal) == ["in-the-future"]
    with pytest.raises(NotFound):
        event(site, "FD-3", EventKind.PUT_BACK)
    with reading(site.engine) as session:
        assert [one.code for one in equipment_list(session, clock(), site.today())] == ["FD-2"]
