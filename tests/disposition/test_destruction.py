"""What is left of a lot is destroyed before a witness, and to the last vial."""

from typing import Any

import pytest

from domain.disposition.decisions import RejectLot, reject_lot
from domain.disposition.destruction import DestroyLot, WitnessDestruction, destroy_lot, witness_destruction
from domain.errors import Conflict, DomainError, NotFound, Refused
from domain.work import Site
from tests import build
from tests.cast import act, credentials, raw


def codes(refusal: pytest.ExceptionInfo[Any]) -> set[str]:
    assert isinstance(refusal.value, DomainError)
    return {reason.code for reason in refusal.value.reasons}


def destroyed(site: Site, number: str, value: str = "10", who: str = "ann") -> None:
    said = {"method": "incinerated", "reason": "rejected", "credentials": credentials(who)}
    act(site, who, destroy_lot, DestroyLot(lot_number=number, quantity=build.amount(value, "L"), **said))


def witnessed(site: Site, number: str, who: str = "cleo") -> None:
    act(site, who, witness_destruction, WitnessDestruction(lot_number=number, credentials=credentials(who)))


@pytest.fixture
def lot(site: Site) -> str:
    number = build.material(site)
    said = RejectLot(lot_number=number, reason="bag leaks", credentials=credentials("cleo"))
    act(site, "cleo", reject_lot, said)
    return number


@pytest.mark.requirement("URS-192")
def test_two_people_destroy_all_that_is_left_and_nothing_is_left(site: Site, lot: str) -> None:
    destroyed(site, lot)
    assert build.lot(site, lot).quantity_left == 10
    with pytest.raises(Refused) as refusal:
        witnessed(site, lot, "ann")
    assert codes(refusal) == {"not-by-same-person"}
    witnessed(site, lot)
    assert build.lot(site, lot).quantity_left == 0
    meanings = {row[0] for row in raw(site, "SELECT meaning FROM signature")}
    assert {"destroyed", "witnessed"} <= meanings
    with pytest.raises(NotFound):
        witnessed(site, lot)


@pytest.mark.requirement("URS-192")
@pytest.mark.parametrize("counted", ["9.999", "10.001"])
def test_what_does_not_reconcile_is_not_destroyed(site: Site, lot: str, counted: str) -> None:
    with pytest.raises(Refused) as refusal:
        destroyed(site, lot, counted)
    assert codes(refusal) == {"does-not-reconcile"}
    destroyed(site, lot, "10000" if counted == "mL" else "10.0")
    with pytest.raises(Conflict):
        destroyed(site, lot)


def test_what_can_still_be_used_is_not_destroyed(site: Site) -> None:
    with pytest.raises(Refused) as refusal:
        destroyed(site, build.released_material(site))
    assert codes(refusal) == {"wrong-state"}
