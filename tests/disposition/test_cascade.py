"""A hold runs down to everything that was made, in one act; two people of QA lift it."""

from typing import Any

import pytest
from pydantic import SecretStr

from domain import audit
from domain.disposition.cascade import (
    HoldDescendants,
    HoldDonor,
    LiftCascade,
    decide_eligibility_and_hold,
    hold_descendants,
    hold_donor,
    lift_cascade,
    propose_lift,
    withdraw_consent_and_hold,
)
from domain.disposition.cascade_queries import CascadeView, cascade_view, find_cascades, would_reach
from domain.disposition.decisions import HoldLot, LiftHold, RejectLot, hold_lot, lift_hold, reject_lot
from domain.disposition.models import CascadeCause
from domain.errors import Conflict, DomainError, NotFound, Refused
from domain.lots.lifecycle import seize
from domain.lots.models import LotState
from domain.lots.operations import lot_named
from domain.manufacturing.donors import DecideEligibility, WithdrawConsent
from domain.manufacturing.models import Eligibility
from domain.people.operations import COMMAND_LINE, CreateUser, create_user
from domain.permissions import Role
from domain.store import reading
from domain.work import Site, transaction
from tests import build, cast
from tests.cast import act, actor, credentials, raw
from tests.stages import LOT

AT_QA = pytest.mark.stage("in_review")
S = LotState


def codes(refusal: pytest.ExceptionInfo[Any]) -> set[str]:
    assert isinstance(refusal.value, DomainError)
    return {reason.code for reason in refusal.value.reasons}


def lot_of(site: Site, kind: str) -> str:
    return str(raw(site, "SELECT lot_number FROM lot WHERE kind = :kind ORDER BY id", kind=kind)[0][0])


def donor_of(site: Site) -> str:
    return str(raw(site, "SELECT pseudonym FROM donor ORDER BY id")[0][0])


def held(site: Site, number: str, who: str = "rhea", cause: CascadeCause = CascadeCause.BANK_PROBLEM) -> CascadeView:
    said = HoldDescendants(lot_number=number, cause=cause, reason="mycoplasma found", credentials=credentials(who))
    return view(site, act(site, who, hold_descendants, said).number)


def view(site: Site, number: str) -> CascadeView:
    with reading(site.engine) as session:
        return cascade_view(session, number)


def lifting(site: Site, number: str, who: str, act_of: Any) -> None:
    act(site, who, act_of, LiftCascade(number=number, reason="repeat test negative", credentials=credentials(who)))


def lifted(site: Site, number: str) -> None:
    lifting(site, number, "cleo", propose_lift)
    lifting(site, number, "quin", lift_cascade)


def states(site: Site) -> dict[str, str]:
    return dict(raw(site, "SELECT lot_number, state FROM lot"))


@pytest.mark.requirement("URS-188")
def test_a_hold_does_not_stop_at_pooled_lots(site: Site) -> None:
    """A hold that stops at pooled lots: the failure this is named after."""
    code = build.new_product(site)
    first, second = build.bank(site), build.bank(site)
    pool = build.pooled(site, {build.bulk(site, first): ("60", "60"), build.bulk(site, second): ("40", "40")})
    packed = build.drug_product(site, code, of_bulk=pool)
    found = held(site, first)
    reached = {one.lot_number for one in found.lots}
    assert {first, pool, packed} <= reached
    assert second not in reached
    now = states(site)
    assert {now[number] for number in reached} == {"on_hold"}
    assert now[second] == "released"


@AT_QA
@pytest.mark.requirement("URS-188")
def test_released_lots_are_listed_first_and_all_is_one_act(site: Site) -> None:
    build.released(site, LOT)
    bank = lot_of(site, "master_cell_bank")
    before = raw(site, "SELECT max(sequence) FROM audit_entry")[0][0]
    found = held(site, bank)
    assert raw(site, "SELECT max(sequence) FROM audit_entry")[0][0] == before + 1
    assert [(one.lot_number, one.was_released) for one in found.lots[:3]] == [
        (LOT, True),
        (bank, True),
        (found.lots[2].lot_number, False),
    ]
    moves = raw(site, "SELECT DISTINCT reason, signature_id FROM lot_move WHERE action = 'hold'")
    assert len(moves) == 1
    assert audit.verify(site.engine).broken is None


@pytest.mark.usefixtures("third_person")
@AT_QA
@pytest.mark.requirement("URS-189")
def test_two_people_of_quality_assurance_lift_it_and_neither_is_who_set_it(site: Site) -> None:
    build.released(site, LOT)
    before = states(site)
    number = held(site, lot_of(site, "master_cell_bank"), "cleo").number
    for step in (propose_lift, lift_cascade):
        with pytest.raises(Refused) as refusal:
            lifting(site, number, "cleo", step)
        assert codes(refusal) == {"not-by-same-person"}
    with pytest.raises(Refused) as refusal:
        lifting(site, number, "quin", lift_cascade)
    assert codes(refusal) == {"lift-not-proposed"}
    lifting(site, number, "quin", propose_lift)
    with pytest.raises(Conflict):
        lifting(site, number, "quin", propose_lift)
    with pytest.raises(Refused) as refusal:
        lifting(site, number, "quin", lift_cascade)
    assert codes(refusal) == {"not-by-same-person"}
    assert view(site, number).standing == "lift_proposed"
    lifting(site, number, "quentin", lift_cascade)
    assert states(site) == before
    assert view(site, number).standing == "lifted"
    with pytest.raises(Conflict):
        lifting(site, number, "quin", lift_cascade)


@pytest.fixture
def third_person(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """One more of QA, for the test alone."""
    name, function = "Quentin Third", "Quality Assurance"
    monkeypatch.setitem(cast.CAST, "quentin", (name, function, (Role.QA,)))
    secret = SecretStr(cast.password("quentin"))
    said = CreateUser(username="quentin", name=name, function=function, password=secret, roles=(Role.QA,))
    act(site, COMMAND_LINE, create_user, said)


@AT_QA
@pytest.mark.requirement("URS-189")
def test_a_lot_is_not_lifted_out_of_a_hold_that_ran_down(site: Site) -> None:
    held(site, lot_of(site, "master_cell_bank"))
    with pytest.raises(Refused) as refusal:
        act(site, "cleo", lift_hold, LiftHold(lot_number=LOT, reason="we need it", credentials=credentials("cleo")))
    assert codes(refusal) == {"cascade-stands"}


@AT_QA
def test_what_was_held_before_stays_on_hold_when_the_whole_is_lifted(site: Site) -> None:
    act(site, "rhea", hold_lot, HoldLot(lot_number=LOT, reason="complaint", credentials=credentials("rhea")))
    number = held(site, lot_of(site, "master_cell_bank")).number
    assert [one.held for one in view(site, number).lots if one.lot_number == LOT] == [False]
    lifted(site, number)
    assert states(site)[LOT] == "on_hold"


@AT_QA
@pytest.mark.requirement("URS-188")
def test_what_is_rejected_is_listed_and_stays_rejected(site: Site) -> None:
    said = RejectLot(lot_number=LOT, reason="broken vials", credentials=credentials("cleo"))
    act(site, "cleo", reject_lot, said)
    found = held(site, lot_of(site, "master_cell_bank"))
    (own,) = [one for one in found.lots if one.lot_number == LOT]
    assert (own.found_in, own.state, own.held) == (S.REJECTED, S.REJECTED, False)


@pytest.mark.usefixtures("third_person")
@AT_QA
@pytest.mark.requirement("URS-190")
def test_a_withdrawn_consent_holds_everything_in_the_same_act(site: Site) -> None:
    build.released(site, LOT)
    said = WithdrawConsent(pseudonym=donor_of(site), withdrawn_on=site.today(), reason="by letter")
    act(site, "cleo", withdraw_consent_and_hold, said)
    assert states(site)[LOT] == "on_hold"
    with reading(site.engine) as session:
        (only,) = find_cascades(session)
    assert (only.cause, only.source) == (CascadeCause.CONSENT_WITHDRAWN, f"donor {donor_of(site)}")
    lifting(site, only.number, "quin", propose_lift)
    with pytest.raises(Refused) as refusal:
        lifting(site, only.number, "quentin", lift_cascade)
    assert "donor-not-eligible" in codes(refusal)
    assert states(site)[LOT] == "on_hold"


@AT_QA
@pytest.mark.requirement("URS-190")
@pytest.mark.parametrize("decision", [Eligibility.INELIGIBLE, Eligibility.INCOMPLETE])
def test_a_donor_found_ineligible_holds_everything_under_the_same_signature(site: Site, decision: Eligibility) -> None:
    said = {"pseudonym": donor_of(site), "decision": decision, "reason": "HTLV positive"}
    act(site, "cleo", decide_eligibility_and_hold, DecideEligibility(**said, credentials=credentials("cleo")))
    assert (states(site)[LOT] == "on_hold") == (decision is Eligibility.INELIGIBLE)


def test_a_donor_from_whom_nothing_came_is_decided_on_and_holds_nothing(site: Site) -> None:
    donor = build.donor(site)
    withdrawal = WithdrawConsent(pseudonym=donor, withdrawn_on=site.today(), reason="by letter")
    act(site, "cleo", withdraw_consent_and_hold, withdrawal)
    with pytest.raises(NotFound):
        act(site, "cleo", hold_donor, HoldDonor(pseudonym=donor, reason="doubt", credentials=credentials("cleo")))
    with reading(site.engine) as session:
        assert not find_cascades(session)


@AT_QA
@pytest.mark.requirement("URS-188")
def test_two_clicks_make_one_hold(site: Site) -> None:
    bank = lot_of(site, "master_cell_bank")
    held(site, bank)
    with pytest.raises(Conflict):
        held(site, bank)
    donor = HoldDonor(pseudonym=donor_of(site), reason="doubt", credentials=credentials("cleo"))
    act(site, "cleo", hold_donor, donor)
    with pytest.raises(Conflict):
        act(site, "cleo", hold_donor, donor)


@AT_QA
def test_what_a_hold_would_reach_can_be_looked_at_before(site: Site) -> None:
    bank = lot_of(site, "master_cell_bank")
    with reading(site.engine) as session:
        before = {one.lot_number for one in would_reach(session, bank, site.today())}
    assert {one.lot_number for one in held(site, bank).lots} == before


@pytest.mark.stage("drug_product")
@pytest.mark.requirement("URS-200")
def test_what_holds_a_released_lot_by_itself_runs_down_to_everything_made_of_it(site: Site) -> None:
    bank = str(raw(site, "SELECT lot_number FROM lot WHERE kind = 'master_cell_bank'")[0][0])
    with transaction(site, actor(site, "ben")) as work:
        work.act = "enter_result"
        seize(work, lot_named(work, bank), "OOS26-0001: not sterile", down=True)
    held = {str(row[0]) for row in raw(site, "SELECT lot_number FROM lot WHERE state = 'on_hold'")}
    reached = raw(site, "SELECT l.lot_number, c.move_id FROM cascade_lot c JOIN lot l ON l.id = c.lot_id")
    assert {str(number) for number, _ in reached} == held >= {bank, LOT}
    assert all(move for _, move in reached)
    ((cause, signature),) = raw(site, "SELECT cause, signature_id FROM hold_cascade")
    assert (cause, signature) == ("failed_result", None)
    for who, step in (("cleo", propose_lift), ("quin", lift_cascade)):
        lift = LiftCascade(number="HC26-0001", reason="not confirmed", credentials=credentials(who))
        act(site, who, step, lift)
    assert build.lot(site, bank).state is LotState.RELEASED
