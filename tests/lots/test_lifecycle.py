"""A lot moves only along the table of rules; what the table does not name is refused."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from sqlmodel import select

from domain.disposition.decisions import (
    HoldLot,
    LiftHold,
    RecallLot,
    RejectLot,
    hold_lot,
    lift_hold,
    recall_lot,
    reject_lot,
)
from domain.errors import Refused
from domain.lots import lifecycle
from domain.lots.lifecycle import DOERS, GUARDS, RULES, Case, blockers, state_on
from domain.lots.models import Lot, LotState
from domain.permissions import Permission
from domain.store import reading
from domain.work import Actor, Site, transaction
from tests import build
from tests.build import (
    K,
    accepted,
    approved_specification,
    begun,
    drug_product,
    eligible_donor,
    lot,
    material,
    new_product,
    released,
)
from tests.cast import Clock, act, actor, credentials, raw

S = LotState
ALL_POWERFUL = Actor(1, "zeus", "Zeus", permissions=frozenset(Permission))
ALLOWED = {(state, action) for action, rule in RULES.items() for state in rule.from_}


def codes(refusal: pytest.ExceptionInfo[Refused]) -> set[str]:
    return {reason.code for reason in refusal.value.reasons}


def hold(site: Site, number: str, who: str = "rhea") -> None:
    act(site, who, hold_lot, HoldLot(lot_number=number, reason="complaint 12", credentials=credentials(who)))


def lift(site: Site, number: str, who: str = "cleo") -> None:
    act(site, who, lift_hold, LiftHold(lot_number=number, reason="unfounded", credentials=credentials(who)))


@pytest.mark.requirement("URS-040")
@pytest.mark.parametrize("state", [state for state in S if state is not S.EXPIRED])
def test_a_move_that_the_table_does_not_name_is_refused(site: Site, state: LotState) -> None:
    number = material(site)
    with reading(site.engine) as session:
        row = session.exec(select(Lot).where(Lot.lot_number == number)).one()
        row.state, row.held_from = state, S.QUARANTINE if state is S.ON_HOLD else None
        for action in (*RULES, "release-anyway", "", "delete"):
            told = {
                reason.code for reason in blockers(Case(session, row, site.clock(), site.today()), action, ALL_POWERFUL)
            }
            assert ("no-such-rule" in told) == (action not in RULES)
            assert ("wrong-state" in told) == (action in RULES and (state, action) not in ALLOWED)
            if (state, action) not in ALLOWED:
                with pytest.raises(Refused), transaction(site, ALL_POWERFUL) as work:
                    lifecycle.move(work, row, action)


@pytest.mark.requirement("URS-047")
def test_nothing_leads_out_of_rejected_or_recalled() -> None:
    assert not {(state, action) for state, action in ALLOWED if state in (S.REJECTED, S.RECALLED)}


def test_every_guard_and_doer_of_the_table_is_known() -> None:
    assert {name for rule in RULES.values() for name in rule.guards} <= set(GUARDS)
    assert {name for rule in RULES.values() for name in rule.not_by} <= set(DOERS)


@pytest.mark.requirement("URS-040")
def test_a_condition_that_nobody_can_check_refuses(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    number = material(site)
    strange = replace(RULES["accept"], guards=("moon-is-full",), not_by=("dreamt",))
    monkeypatch.setitem(RULES, "accept", strange)
    with reading(site.engine) as session:
        row = session.exec(select(Lot).where(Lot.lot_number == number)).one()
        told = [
            reason.code for reason in blockers(Case(session, row, site.clock(), site.today()), "accept", ALL_POWERFUL)
        ]
    assert told == ["not-by-same-person", "unknown-guard"]


@pytest.mark.requirement("URS-018", "URS-041")
def test_a_refused_release_lists_everything_that_stands_in_the_way(site: Site) -> None:
    code = new_product(site)
    approved_specification(site, code)
    number = drug_product(site, code)
    with pytest.raises(Refused) as refusal:
        released(site, number)
    assert {"wrong-state"} < codes(refusal)
    assert len(refusal.value.reasons) >= 3


@pytest.mark.requirement("URS-042")
def test_who_made_the_lot_cannot_release_it_whatever_permission_they_hold(site: Site) -> None:
    number = drug_product(site)
    tom = replace(actor(site, "tom"), permissions=frozenset(Permission))
    with reading(site.engine) as session:
        row = session.exec(select(Lot).where(Lot.lot_number == number)).one()
        told = blockers(Case(session, row, site.clock(), site.today()), "release", tom)
    assert "not-by-same-person" in {reason.code for reason in told}


@pytest.mark.requirement("URS-046")
@pytest.mark.parametrize("state", [S.IN_PROCESS, S.QUARANTINE, S.QA_REVIEW, S.RELEASED])
def test_a_hold_remembers_where_the_lot_came_from(site: Site, state: LotState) -> None:
    if state is S.IN_PROCESS:
        number = begun(site, "procurement", {}, [(K.DONATION, "g")], donor=eligible_donor(site)).lot
    elif state is S.QA_REVIEW:
        approved_specification(site, new_product(site))
        number = drug_product(site)
        build.tested(site, number)
    else:
        number = material(site)
        if state is S.RELEASED:
            accepted(site, number)
    hold(site, number)
    assert (lot(site, number).state, lot(site, number).held_from) == (S.ON_HOLD, state)
    with pytest.raises(Refused):
        hold(site, number)
    lift(site, number)
    assert (lot(site, number).state, lot(site, number).held_from) == (state, None)


@pytest.mark.requirement("URS-046")
def test_a_hold_is_lifted_by_another_person_than_set_it(site: Site) -> None:
    number = material(site)
    hold(site, number, "cleo")
    with pytest.raises(Refused) as refusal:
        lift(site, number, "cleo")
    assert codes(refusal) == {"not-by-same-person"}
    lift(site, number, "quin")


@pytest.mark.requirement("URS-047")
def test_a_lot_in_process_can_be_rejected_before_it_is_measured(site: Site) -> None:
    number = begun(site, "procurement", {}, [(K.DONATION, "g")], donor=eligible_donor(site)).lot
    act(site, "cleo", reject_lot, RejectLot(lot_number=number, reason="bag leaks", credentials=credentials("cleo")))
    assert lot(site, number).state is S.REJECTED


@pytest.mark.requirement("URS-047")
def test_what_was_released_is_recalled_and_what_was_not_is_rejected(site: Site) -> None:
    fresh, used = material(site), accepted(site, material(site))
    recall = {"recall_class": "II", "reason": "glass found", "credentials": credentials("cleo")}
    reject = {"reason": "glass found", "credentials": credentials("cleo")}
    with pytest.raises(Refused):
        act(site, "cleo", recall_lot, RecallLot(lot_number=fresh, **recall))
    with pytest.raises(Refused):
        act(site, "cleo", reject_lot, RejectLot(lot_number=used, **reject))
    hold(site, used)
    with pytest.raises(Refused) as refusal:
        act(site, "cleo", reject_lot, RejectLot(lot_number=used, **reject))
    assert codes(refusal) == {"was-released"}
    act(site, "cleo", recall_lot, RecallLot(lot_number=used, **recall))
    act(site, "cleo", reject_lot, RejectLot(lot_number=fresh, **reject))
    assert (lot(site, used).state, lot(site, fresh).state) == (S.RECALLED, S.REJECTED)


def test_a_lot_expires_at_the_end_of_its_last_day_at_the_site(site: Site, clock: Clock) -> None:
    number = accepted(site, material(site, expires_on=date(2026, 6, 30)))

    def state(moment: datetime) -> LotState:
        found = lot(site, number)
        return state_on(found.state, found.expires_on, site.today(moment))

    assert state(datetime(2026, 6, 30, 21, 59, 59, tzinfo=UTC)) is S.RELEASED
    assert state(datetime(2026, 6, 30, 22, 0, tzinfo=UTC)) is S.EXPIRED
    clock.now = datetime(2026, 6, 30, 22, 0, tzinfo=UTC)
    assert lot(site, number).state is S.RELEASED
    hold(site, number)
    lift(site, number)
    assert lot(site, number).state is S.RELEASED


@pytest.mark.parametrize("stored", list(S))
def test_only_what_waits_or_is_released_expires(stored: LotState) -> None:
    later = state_on(stored, date(2026, 3, 1), date(2026, 3, 2))
    expirable = {S.QUARANTINE, S.UNDER_TEST, S.QA_REVIEW, S.RELEASED, S.EXPIRED}
    assert later is (S.EXPIRED if stored in expirable else stored)
    assert state_on(stored, date(2026, 3, 2), date(2026, 3, 2)) is stored
    assert state_on(stored, None, date(2099, 1, 1)) is stored


@pytest.mark.requirement("URS-012")
def test_every_move_is_on_record_with_who_why_and_the_signature(site: Site) -> None:
    number = material(site)
    accepted(site, number)
    hold(site, number)
    moves = raw(site, "SELECT action, from_state, to_state, actor, reason, signature_id FROM lot_move ORDER BY id")
    assert moves == [
        ("accept", "quarantine", "released", "Cleo Releases", "complies", 1),
        ("hold", "released", "on_hold", "Rhea Reviews", "complaint 12", 2),
    ]


def test_expired_is_never_stored(site: Site) -> None:
    import sqlalchemy as sa

    with pytest.raises(sa.exc.IntegrityError), site.engine.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO lot (version, lot_number, kind, state, description, quantity, quantity_left, unit, created_at)"
            " VALUES (1, 'X', 'harvest', 'expired', '', '1', '1', 'g', '2026-03-02T08:00:00.000000Z')"
        )


def test_a_raw_material_cannot_even_be_put_in_without_its_suppliers_number(site: Site) -> None:
    import sqlalchemy as sa

    with pytest.raises(sa.exc.IntegrityError, match="raw_material"), site.engine.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO lot (version, lot_number, kind, state, description, quantity, quantity_left, unit, created_at, expires_on)"
            " VALUES (1, 'X', 'raw_material', 'quarantine', '', '1', '1', 'g', '2026-03-02T08:00:00.000000Z', '2027-03-02')"
        )
