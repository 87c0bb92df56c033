"""A departure from its first word to QA's signature."""

from typing import Any

import pytest
from pydantic import ValidationError

from domain import audit
from domain.deviations.models import LotOutcome, RootCause, Severity
from domain.deviations.operations import AddDeviationLots, RecordInvestigation, add_deviation_lots, record_investigation
from domain.deviations.queries import DeviationFile, deviation_file, find_deviations
from domain.disposition.decisions import HoldLot, LiftHold, hold_lot, lift_hold
from domain.errors import Conflict, DomainError, Forbidden, Invalid, NotFound, Refused
from domain.lots.models import LotState
from domain.store import reading
from domain.work import Site
from tests import build
from tests.cast import act, actor, credentials, raw
from tests.deviations.steps import classified, closed, decided, investigated, opened, settled
from tests.stages import LOT

MADE = pytest.mark.stage("drug_product")
AT_QA = pytest.mark.stage("in_review")


def codes(refusal: pytest.ExceptionInfo[Any]) -> set[str]:
    assert isinstance(refusal.value, DomainError)
    return {reason.code for reason in refusal.value.reasons}


def file_of(site: Site, number: str, who: str = "quin") -> DeviationFile:
    with reading(site.engine) as session:
        return deviation_file(session, number, site.today(), actor(site, who).user_id)


def lot_of(site: Site, kind: str) -> str:
    return str(raw(site, "SELECT lot_number FROM lot WHERE kind = :kind ORDER BY id", kind=kind)[0][0])


@pytest.mark.requirement("URS-180", "URS-181")
def test_a_deviation_goes_from_the_one_who_saw_it_to_the_signature_of_quality_assurance(site: Site) -> None:
    lot = build.material(site)
    number = opened(site, lot)
    assert number == "DEV26-0001"
    with pytest.raises(Refused) as refusal:
        closed(site, number)
    assert codes(refusal) == {"deviation-not-classified", "deviation-without-cause", "deviation-lot-undecided"}
    settled(site, number, lot)
    found = file_of(site, number)
    assert [fact.kind for fact in found.history] == ["opened", "classification", "investigation", "outcome", "closed"]
    assert (found.deviation.severity, found.opened_severity) == (Severity.MAJOR, Severity.MINOR)
    assert (found.root_cause, found.lots[0].outcome) == (RootCause.METHOD, LotOutcome.USE_AS_IS)
    assert [(one.name, one.current) for one in found.signatures] == [("Quin Releases Too", True)]
    assert audit.verify(site.engine).broken is None


@pytest.mark.requirement("URS-181")
def test_nothing_is_added_to_a_deviation_once_it_is_closed(site: Site) -> None:
    number = opened(site)
    settled(site, number)
    for late in (classified, investigated, closed):
        with pytest.raises(Refused) as refusal:
            late(site, number)
        assert codes(refusal) == {"deviation-closed"}


@pytest.mark.requirement("URS-181")
@pytest.mark.parametrize("part", ["opened", "investigated"])
def test_who_opened_or_investigated_a_deviation_does_not_close_it(site: Site, part: str) -> None:
    number = opened(site, who="quin" if part == "opened" else "tom")
    classified(site, number)
    investigated(site, number, "quin" if part == "investigated" else "ann")
    with pytest.raises(Refused) as refusal:
        closed(site, number, "quin")
    assert codes(refusal) == {"not-by-same-person"}
    closed(site, number, "cleo")


def test_a_technician_reports_but_neither_classifies_nor_closes(site: Site) -> None:
    number = opened(site)
    for forbidden in (classified, investigated, closed):
        with pytest.raises(Forbidden):
            forbidden(site, number, who="tom")


@pytest.mark.requirement("URS-180")
def test_two_clicks_make_one_deviation(site: Site) -> None:
    lot = build.material(site)
    first = opened(site, lot)
    with pytest.raises(Conflict):
        opened(site, lot)
    opened(site, lot, text="another door")
    settled(site, first, lot)
    opened(site, lot)
    assert raw(site, "SELECT count(*) FROM deviation") == [(3,)]


def test_the_same_word_twice_is_a_second_click(site: Site) -> None:
    number = opened(site)
    classified(site, number)
    investigated(site, number)
    for again in (classified, investigated):
        with pytest.raises(Conflict):
            again(site, number)
    classified(site, number, Severity.MINOR)
    classified(site, number, Severity.MAJOR)
    assert file_of(site, number).deviation.severity is Severity.MAJOR


def test_a_root_cause_is_a_category_and_words(site: Site) -> None:
    number = opened(site)
    half = RecordInvestigation(number=number, text="looked", root_cause=RootCause.MACHINE)
    with pytest.raises(Invalid) as refusal:
        act(site, "ann", record_investigation, half)
    assert codes(refusal) == {"root-cause-incomplete"}
    with pytest.raises(ValidationError):
        RecordInvestigation(number=number, text="")


@pytest.mark.requirement("URS-183")
def test_a_critical_deviation_puts_its_lots_on_hold_by_itself_and_keeps_them_there(site: Site) -> None:
    lot, other = build.released_material(site), build.released_material(site)
    number = opened(site, lot)
    assert build.lot(site, lot).state is LotState.RELEASED
    classified(site, number, Severity.CRITICAL)
    assert build.lot(site, lot).state is LotState.ON_HOLD
    further = AddDeviationLots(number=number, lot_numbers=(other,), reason="same delivery")
    act(site, "ann", add_deviation_lots, further)
    assert build.lot(site, other).state is LotState.ON_HOLD
    lift = LiftHold(lot_number=lot, reason="looked at", credentials=credentials("cleo"))
    with pytest.raises(Refused) as refusal:
        act(site, "cleo", lift_hold, lift)
    assert codes(refusal) == {"deviation-critical"}
    investigated(site, number)
    decided(site, number, lot)
    decided(site, number, other)
    closed(site, number)
    act(site, "cleo", lift_hold, lift)
    assert build.lot(site, lot).state is LotState.RELEASED
    assert raw(site, "SELECT actor, actor_id FROM lot_move WHERE action = 'hold'") == [("Exolotl", None)] * 2


def test_a_critical_deviation_leaves_a_hold_that_stands_and_a_final_state_alone(site: Site) -> None:
    lot = build.released_material(site)
    act(site, "cleo", hold_lot, HoldLot(lot_number=lot, reason="suspicion", credentials=credentials("cleo")))
    opened(site, lot, severity=Severity.CRITICAL)
    assert raw(site, "SELECT count(*) FROM lot_move WHERE action = 'hold'") == [(1,)]


@AT_QA
@pytest.mark.requirement("URS-182")
@pytest.mark.parametrize("kind", ["drug_product", "master_cell_bank", "donation", "purified_bulk"])
def test_an_open_deviation_of_the_lot_or_of_what_it_is_made_of_blocks_the_release(site: Site, kind: str) -> None:
    touched = lot_of(site, kind)
    number = opened(site, touched)
    with pytest.raises(Refused) as refusal:
        build.released(site, LOT)
    assert codes(refusal) == {"deviation-open", "signature-void"}
    settled(site, number, touched)
    build.resubmitted(site, LOT)
    build.released(site, LOT)
    assert build.lot(site, LOT).state is LotState.RELEASED


@AT_QA
@pytest.mark.requirement("URS-182")
def test_a_lot_that_a_closed_deviation_rejects_is_not_released(site: Site) -> None:
    number = opened(site, LOT)
    settled(site, number, LOT, outcome=LotOutcome.REJECT)
    build.resubmitted(site, LOT)
    with pytest.raises(Refused) as refusal:
        build.released(site, LOT)
    assert codes(refusal) == {"deviation-rejects-lot"}


def test_an_input_with_an_open_deviation_is_not_accepted(site: Site) -> None:
    lot = build.material(site)
    opened(site, lot)
    with pytest.raises(Refused) as refusal:
        build.accepted(site, lot)
    assert codes(refusal) == {"deviation-open"}


@MADE
def test_what_was_made_of_a_touched_lot_is_proposed(site: Site) -> None:
    bank = lot_of(site, "master_cell_bank")
    number = opened(site, bank)
    proposed = {one.lot_number for one in file_of(site, number).proposed}
    assert LOT in proposed
    assert bank not in proposed
    act(site, "ann", add_deviation_lots, AddDeviationLots(number=number, lot_numbers=(LOT,), reason="made of it"))
    with pytest.raises(Conflict):
        act(site, "ann", add_deviation_lots, AddDeviationLots(number=number, lot_numbers=(LOT,), reason="made of it"))
    found = file_of(site, number)
    assert LOT not in {one.lot_number for one in found.proposed}
    assert found.deviation.lot_numbers == (bank, LOT)


@MADE
def test_what_was_filled_is_not_reworked(site: Site) -> None:
    number = opened(site, LOT, lot_of(site, "purified_bulk"))
    with pytest.raises(Refused) as refusal:
        decided(site, number, LOT, LotOutcome.REWORK)
    assert codes(refusal) == {"rework-not-offered"}
    decided(site, number, lot_of(site, "purified_bulk"), LotOutcome.REWORK)
    with pytest.raises(NotFound):
        decided(site, number, lot_of(site, "donation"))


def test_open_deviations_are_listed_apart_and_by_lot(site: Site) -> None:
    lot = build.material(site)
    first, second = opened(site, lot), opened(site, text="another")
    settled(site, first, lot)
    with reading(site.engine) as session:
        assert [one.number for one in find_deviations(session)] == [second, first]
        assert [one.number for one in find_deviations(session, open_only=True)] == [second]
        assert [one.number for one in find_deviations(session, lot_number=lot)] == [first]
        assert [one.number for one in find_deviations(session, before=second)] == [first]
