"""The table of rules, line by line, and how rooms register what it names: a change of either is a change of what a laboratory may do."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlmodel import col, select

from domain.disposition.decisions import HoldLot, hold_lot
from domain.errors import Reason, Refused
from domain.lots import lifecycle
from domain.lots.lifecycle import AFTER, DOERS, GUARDS, RULES, RUN_DOWN, Case, Rule, blockers, seize
from domain.lots.models import Lot, LotMove, LotState
from domain.lots.operations import lot_named
from domain.permissions import Permission
from domain.signatures import Meaning
from domain.store import reading
from domain.work import Actor, Site, Work, transaction
from tests import build
from tests.cast import act, actor, credentials

S, P = LotState, Permission
BEFORE = {S.QUARANTINE, S.UNDER_TEST, S.QA_REVIEW}

#: action: from, to, permission, what the signature means, whose doers may not do it
TABLE: dict[str, tuple[set[LotState], LotState | None, Permission, Meaning | None, set[str]]] = {
    "finish": ({S.IN_PROCESS}, S.QUARANTINE, P.RUN_STEP, None, set()),
    "sample": ({S.QUARANTINE}, S.UNDER_TEST, P.DRAW_SAMPLE, None, set()),
    "submit": (
        {S.UNDER_TEST, S.QA_REVIEW},
        S.QA_REVIEW,
        P.SUBMIT_LOT,
        Meaning.APPROVED,
        {"made", "tested", "confirmed"},
    ),
    "confirm": (
        {S.UNDER_TEST, S.QA_REVIEW},
        None,
        P.CONFIRM_MANUFACTURE,
        Meaning.APPROVED,
        {"made", "tested", "reviewed", "submitted"},
    ),
    "release": (
        {S.QA_REVIEW},
        S.RELEASED,
        P.RELEASE_LOT,
        Meaning.CERTIFIED,
        {"made", "tested", "reviewed", "confirmed", "submitted"},
    ),
    "release_conditionally": (
        {S.QA_REVIEW},
        S.RELEASED,
        P.RELEASE_LOT,
        Meaning.CERTIFIED,
        {"made", "tested", "reviewed", "confirmed", "submitted"},
    ),
    "accept": (
        {S.QUARANTINE, S.UNDER_TEST},
        S.RELEASED,
        P.RELEASE_LOT,
        Meaning.APPROVED,
        {"made", "tested", "reviewed"},
    ),
    "reject": ({S.IN_PROCESS, *BEFORE, S.ON_HOLD, S.EXPIRED}, S.REJECTED, P.REJECT_LOT, Meaning.REJECTED, set()),
    "hold": ({S.IN_PROCESS, *BEFORE, S.RELEASED, S.EXPIRED}, S.ON_HOLD, P.HOLD_LOT, Meaning.HELD, set()),
    "lift": ({S.ON_HOLD}, None, P.LIFT_HOLD, Meaning.HOLD_LIFTED, {"held"}),
    "recall": ({S.RELEASED, S.EXPIRED, S.ON_HOLD}, S.RECALLED, P.RECALL_LOT, Meaning.RECALLED, set()),
}
ACTOR = Actor(7, "zeus", "Zeus", permissions=frozenset(Permission))


@pytest.fixture(params=["sqlite"])
def databases(request: pytest.FixtureRequest, _databases: Any) -> Any:
    return _databases(request.param)


def test_the_table_of_rules_is_this_and_no_other() -> None:
    found = {
        action: (set(rule.from_), rule.to, rule.permission, rule.meaning, set(rule.not_by))
        for action, rule in RULES.items()
    }
    assert found == TABLE
    assert {action for action, rule in RULES.items() if not rule.moves} == {"confirm"}
    assert {action for action, rule in RULES.items() if rule.awaits} == {"submit", "confirm", "release_conditionally"}
    assert RULES["release_conditionally"].guards == ("late-allowed", *RULES["release"].guards)
    assert all(RULES[action].guards for action in RULES.keys() - {"finish", "sample", "hold"})


def test_a_rule_says_what_it_is_given_and_asks_for_nothing_else() -> None:
    bare = lifecycle._rule("burn", [S.REJECTED], S.RECALLED, P.RECALL_LOT)
    assert bare == Rule("burn", frozenset({S.REJECTED}), S.RECALLED, P.RECALL_LOT, None, (), (), True)
    assert (bare.moves, bare.awaits) == (True, False)
    said = (None, P.RECALL_LOT, Meaning.HELD, ("g",), ("d",))
    full = lifecycle._rule("burn", [S.REJECTED], *said, moves=False, awaits=True)
    assert full == Rule("burn", frozenset({S.REJECTED}), *said, False, True)


def test_what_a_room_registers_is_found_under_its_name_and_what_follows_a_move_in_its_order() -> None:
    def condition(_case: Case) -> Iterator[Reason]:
        yield Reason("never", "never")

    def part(_case: Case) -> set[int]:
        return {1}

    def first(_work: Work, _move: LotMove) -> None: ...

    def second(_work: Work, _move: LotMove) -> None: ...

    try:
        assert lifecycle.guard("moon")(condition) is condition
        assert lifecycle.doers("sang")(part) is part
        assert lifecycle.after("burn")(first) is first
        assert lifecycle.after("burn")(second) is second
        assert (GUARDS["moon"], DOERS["sang"], AFTER["burn"]) == (condition, part, [first, second])
    finally:
        del GUARDS["moon"], DOERS["sang"], AFTER["burn"]


def told(site: Site, lot: str, action: str, who: Actor = ACTOR) -> list[Reason]:
    with reading(site.engine) as session:
        row = build.lot(site, lot)
        return list(blockers(Case(session, row, site.clock(), site.today()), action, who))


def test_each_reason_names_what_it_is_about(site: Site) -> None:
    lot = build.material(site)
    (unknown,) = told(site, lot, "burn")
    assert (unknown.code, unknown.text) == (
        "no-such-rule",
        "there is no rule for 'burn': what no rule allows is refused",
    )
    assert unknown.about == ("lot", lot)
    dov = actor(site, "dov")
    missing, state = told(site, lot, "sample", dov)[0], told(site, lot, "recall")[0]
    assert (missing.code, missing.about) == ("permission-missing", ("lot", lot))
    assert missing.text == "Dov Looks does not hold the permission 'draw_sample'"
    assert dict(missing.given) == {"name": "Dov Looks", "permission": "draw_sample"}
    assert state.text == f"lot {lot} is quarantine; 'recall' is possible only from expired, on_hold, released"
    assert (state.code, state.about) == ("wrong-state", ("lot", lot))
    assert dict(state.given) == {"lot": lot, "state": "quarantine", "allowed": "expired, on_hold, released"}


def test_who_may_not_is_told_by_name_and_part_and_what_nobody_can_check_is_told_as_that(site: Site) -> None:
    lot = build.material(site)
    with reading(site.engine) as session:
        case = Case(session, build.lot(site, lot), site.clock(), site.today())
        tom = actor(site, "tom")
        (own,) = lifecycle.unmet(case, "accept", tom, (), ("made",))
        unknown_part, unknown_guard = lifecycle.unmet(case, "accept", ACTOR, ("moon",), ("sang", "made"))
    assert own.text == "Tom Takes made this lot or something it is made of, and so may not accept it"
    assert (own.code, own.about) == ("not-by-same-person", ("lot", lot))
    assert dict(own.given) == {"name": "Tom Takes", "part": "made", "action": "accept"}
    assert unknown_part.code == "not-by-same-person"
    assert (unknown_guard.code, unknown_guard.text) == (
        "unknown-guard",
        "the condition 'moon' cannot be checked",
    )
    assert dict(unknown_guard.given) == {"guard": "moon"}


def test_the_act_that_is_refused_to_a_maker_is_named(site: Site) -> None:
    lot = build.material(site)
    reasons = told(site, lot, "accept", actor(site, "tom"))
    own = next(one for one in reasons if one.code == "not-by-same-person")
    assert own.text.endswith("and so may not accept it")


def test_what_follows_a_move_follows_that_move_alone(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    lot = build.released_material(site)
    seen: list[str] = []
    for action in ("hold", "lift"):
        monkeypatch.setitem(AFTER, action, [lambda _work, move: seen.append(move.action)])
    with transaction(site, actor(site, "tom")) as work:
        work.act = "notice_something"
        seize(work, lot_named(work, lot), "because")
    assert seen == ["hold"]


def test_a_seizure_runs_down_where_asked_and_only_from_a_released_lot(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    monkeypatch.setitem(AFTER, RUN_DOWN, [lambda work, move: seen.append(f"{work.act}: {move.reason}")])
    released, other, undisturbed = build.released_material(site), build.material(site), build.released_material(site)
    for lot, said in ((released, {"down": True}), (other, {"down": True}), (undisturbed, {})):
        with transaction(site, actor(site, "tom")) as work:
            work.act = "notice_something"
            made = seize(work, lot_named(work, lot), f"of {lot}", **said)
            assert made is not None
    assert seen == [f"notice_something: of {released}"]


def test_a_condition_is_told_whether_the_act_waits_for_what_comes_late(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    lot, seen = build.material(site), list[bool]()

    def looks(case: Case) -> Iterator[Reason]:
        seen.append(case.awaits)
        yield Reason("near", "about something nearer", about=("step", "ST-1"))

    monkeypatch.setitem(GUARDS, "moon", looks)
    for awaits in (True, False):
        monkeypatch.setitem(
            RULES, "burn", lifecycle._rule("burn", [S.QUARANTINE], None, P.HOLD_LOT, None, ("moon",), awaits=awaits)
        )
        (near,) = told(site, lot, "burn")
        assert near.about == ("step", "ST-1")
    assert seen == [True, False]
    with reading(site.engine) as session:
        assert Case(session, build.lot(site, lot), site.clock(), site.today()).awaits is False


def moved(site: Site, lot: str) -> list[LotMove]:
    with reading(site.engine) as session:
        return list(session.exec(select(LotMove).join(Lot).where(Lot.lot_number == lot).order_by(col(LotMove.id))))


def test_what_the_system_holds_is_on_record_as_nobodys_decision_and_only_once(site: Site) -> None:
    lot = build.released_material(site)
    for expected in (True, False):
        with transaction(site, actor(site, "tom"), "reason of the act") as work:
            work.act = "notice_something"
            made = seize(work, lot_named(work, lot), "critical deviation DEV26-0001")
            assert (made is not None) is expected
    newest = moved(site, lot)[-1]
    assert (newest.action, newest.from_state, newest.to_state) == ("hold", "released", "on_hold")
    assert (newest.actor_id, newest.actor, newest.reason) == (None, "Exolotl", "critical deviation DEV26-0001")
    assert (newest.signature_id, newest.moved_at) == (None, site.clock())
    assert build.lot(site, lot).held_from is S.RELEASED
    assert len(moved(site, lot)) == 2


def test_what_leaves_a_lot_where_it_is_cannot_move_it(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    lot = build.material(site)
    monkeypatch.setitem(RULES, "hold", replace(RULES["hold"], moves=False))
    held = HoldLot(lot_number=lot, reason="suspicion", credentials=credentials("cleo"))
    with pytest.raises(AssertionError, match="hold leaves a lot where it is"):
        act(site, "cleo", hold_lot, held)
    assert build.lot(site, lot).state is S.QUARANTINE
    monkeypatch.setitem(RULES, "hold", replace(RULES["hold"], moves=True, permission=P.MANAGE_USERS))
    with pytest.raises(Refused):
        act(site, "cleo", hold_lot, held)
