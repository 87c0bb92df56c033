"""Accounts, roles, sign-ins: only people with an account of their own act, and only as their roles allow."""

from datetime import timedelta
from itertools import combinations

import pytest
from argon2 import PasswordHasher, extract_parameters
from argon2.low_level import Type
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError
from sqlmodel import select

from domain.audit import verify
from domain.errors import Conflict, Forbidden, Invalid, NotFound, Refused, Unauthenticated
from domain.people import passwords
from domain.people.models import SignInKind
from domain.people.operations import (
    COMMAND_LINE,
    ChangePassword,
    CreateUser,
    DeactivateUser,
    EndSignIn,
    GrantRole,
    IssueToken,
    ResetPassword,
    RevokeRole,
    change_password,
    create_user,
    deactivate_user,
    end_sign_in,
    grant_role,
    issue_token,
    reset_password,
    revoke_role,
    sign_in,
    user_named,
)
from domain.people.queries import IDLE_LIMIT, actor_of, users
from domain.permissions import ROLES, TOXIC_PAIRS, Permission, Role, permissions_of, toxic_pairs
from domain.store import reading
from domain.work import Site
from tests.cast import CAST, Clock, act, password, raw, signed_in

PAGE, TOKEN = SignInKind.PAGE, SignInKind.TOKEN
SECRET = SecretStr("one two three four")


def newcomer(username: str = "eve", *roles: Role) -> CreateUser:
    return CreateUser(username=username, name="Eve Arrives", password=SECRET, roles=roles or (Role.ANALYST,))


def codes(refusal: pytest.ExceptionInfo[Exception]) -> list[str]:
    return [reason.code for reason in refusal.value.reasons]  # type: ignore[attr-defined]


# --- passwords


@pytest.mark.requirement("URS-007")
def test_only_an_argon2id_hash_of_the_password_is_kept(site: Site) -> None:
    kept = [row[0] for row in raw(site, "SELECT password_hash FROM app_user")]
    assert all(text.startswith("$argon2id$v=19$") for text in kept)
    assert len(set(kept)) == len(CAST)
    everything = raw(site, "SELECT changed FROM audit_change")
    assert not any(password(name) in text for name in CAST for (text,) in everything)


@pytest.mark.requirement("URS-007")
def test_outside_the_tests_hashing_costs_what_rfc_9106_asks_for() -> None:
    for text in (
        PasswordHasher().hash("x"),
        "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHRzb21lc2FsdA$R0n3vCkXAI0b6mkX8Tn6hWdRAuB6QCmgtSSShbTSTM8",
    ):
        found = extract_parameters(text)
        assert (found.type, found.memory_cost, found.time_cost, found.parallelism) == (Type.ID, 65536, 3, 4)
        assert found.hash_len == 32


@pytest.mark.parametrize("bad", ["short", "eleven char", "x" * 201, "my name is EVE today"])
def test_a_password_that_is_short_or_contains_the_username_is_refused(site: Site, bad: str) -> None:
    command = CreateUser(username="eve", name="Eve", password=SecretStr(bad), roles=(Role.ANALYST,))
    with pytest.raises(Invalid) as refusal:
        act(site, "ada", create_user, command)
    assert codes(refusal) == ["weak-password"]


def test_no_hash_matches_no_password() -> None:
    assert not passwords.matches(None, "nobody knows this")
    assert not passwords.matches("not a hash", "anything at all")


# --- accounts and roles


@pytest.mark.requirement("URS-007")
def test_a_username_is_never_given_twice(site: Site) -> None:
    act(site, "ada", create_user, newcomer())
    act(site, "ada", deactivate_user, DeactivateUser(username="eve"))
    with pytest.raises(Conflict) as refusal:
        act(site, "ada", create_user, newcomer())
    assert codes(refusal) == ["username-taken"]


@pytest.mark.parametrize("username", ["Eve", "e", "eve smith", "1eve", "eve@home", "x" * 41])
def test_a_username_is_lower_case_letters_digits_and_three_signs(username: str) -> None:
    with pytest.raises(ValidationError):
        newcomer(username)


@pytest.mark.requirement("URS-010")
@pytest.mark.parametrize("who", [name for name in CAST if name != "ada"])
def test_only_the_administrator_manages_users(site: Site, who: str) -> None:
    for operation, command in (
        (create_user, newcomer()),
        (grant_role, GrantRole(username="dov", role=Role.QA)),
        (revoke_role, RevokeRole(username="ben", role=Role.ANALYST)),
        (deactivate_user, DeactivateUser(username="ben")),
        (reset_password, ResetPassword(username="ben", password=SECRET)),
        (issue_token, IssueToken(username="nano")),
    ):
        with pytest.raises(Forbidden):
            act(site, who, operation, command)  # type: ignore[arg-type]


@pytest.mark.requirement("URS-011")
@given(st.sets(st.sampled_from(list(Role))))
def test_no_set_of_roles_that_may_be_held_reaches_both_halves_of_a_toxic_pair(roles: set[Role]) -> None:
    held = permissions_of(roles)
    both = [pair for pair in TOXIC_PAIRS if pair[0] in held and pair[1] in held]
    assert bool(toxic_pairs(roles)) == bool(both)


@pytest.mark.requirement("URS-011")
@pytest.mark.parametrize("pair", list(combinations(Role, 2)), ids="+".join)
def test_every_pair_of_roles_is_refused_at_once_and_one_after_the_other_alike(
    site: Site, pair: tuple[Role, Role]
) -> None:
    if not toxic_pairs(pair) and Role.INSTRUMENT not in pair:
        act(site, "ada", create_user, newcomer("eve", *pair))
        return
    with pytest.raises(Refused) as refusal:
        act(site, "ada", create_user, newcomer("eve", *pair))
    assert set(codes(refusal)) == {"toxic-roles"}
    act(site, "ada", create_user, newcomer("eve", pair[0]))
    with pytest.raises(Refused):
        act(site, "ada", grant_role, GrantRole(username="eve", role=pair[1]))


@pytest.mark.requirement("URS-011")
def test_the_pairs_that_the_rules_of_the_field_forbid_are_forbidden() -> None:
    forbidden = {frozenset(pair) for pair in combinations(Role, 2) if toxic_pairs(pair)}
    for maker_or_tester in (Role.TECHNICIAN, Role.PRODUCTION_HEAD, Role.ANALYST, Role.REVIEWER):
        assert {Role.QA, maker_or_tester} in forbidden
    for role in set(Role) - {Role.ADMINISTRATOR, Role.AUDITOR}:
        assert {Role.ADMINISTRATOR, role} in forbidden
    assert not any(toxic_pairs([role]) for role in Role)


@pytest.mark.requirement("URS-010")
def test_administrators_hold_no_laboratory_permission_and_every_permission_has_a_holder() -> None:
    assert ROLES[Role.ADMINISTRATOR] == {Permission.MANAGE_USERS}
    assert permissions_of(Role) == set(Permission)
    assert permissions_of([]) == frozenset()


def test_nobody_grants_a_role_to_themselves(site: Site) -> None:
    with pytest.raises(Refused) as refusal:
        act(site, "ada", grant_role, GrantRole(username="ada", role=Role.AUDITOR))
    assert codes(refusal) == ["own-roles"]


def test_a_role_is_granted_once_and_taken_once_and_both_stay_on_record(site: Site) -> None:
    with pytest.raises(Conflict):
        act(site, "ada", grant_role, GrantRole(username="ben", role=Role.ANALYST))
    act(site, "ada", revoke_role, RevokeRole(username="ben", role=Role.ANALYST))
    with pytest.raises(NotFound):
        act(site, "ada", revoke_role, RevokeRole(username="ben", role=Role.ANALYST))
    act(site, "ada", grant_role, GrantRole(username="ben", role=Role.TECHNICIAN))
    with reading(site.engine) as session:
        (ben,) = [user for user in users(session) if user.username == "ben"]
    assert ben.roles == (Role.TECHNICIAN,)
    assert len(raw(site, "SELECT id FROM role_grant WHERE user_id = 3")) == 2


def test_nobody_closes_their_own_account(site: Site) -> None:
    with pytest.raises(Refused) as refusal:
        act(site, "ada", deactivate_user, DeactivateUser(username="ada"))
    assert codes(refusal) == ["own-account"]


def test_a_user_that_is_not_there_is_not_found(site: Site) -> None:
    with pytest.raises(NotFound), reading(site.engine) as session:
        user_named(session, "eve")
    with pytest.raises(NotFound):
        act(site, "ada", grant_role, GrantRole(username="eve", role=Role.AUDITOR))


# --- sign-ins


@pytest.mark.requirement("URS-007")
def test_a_sign_in_gives_the_actor_with_the_permissions_of_the_roles_held_now(site: Site) -> None:
    ben = signed_in(site, "ben")
    assert (ben.username, ben.name, ben.function) == ("ben", "Ben Tests", "Analyst")
    assert ben.permissions == ROLES[Role.ANALYST]
    assert ben.session_id is not None


@pytest.mark.requirement("URS-010")
def test_a_role_taken_away_is_gone_with_the_next_request(site: Site) -> None:
    token = sign_in(site, "ben", password("ben"), PAGE)
    act(site, "ada", revoke_role, RevokeRole(username="ben", role=Role.ANALYST))
    assert actor_of(site, token, PAGE).permissions == frozenset()


@pytest.mark.requirement("URS-007")
def test_only_the_digest_of_a_token_is_kept(site: Site) -> None:
    token = sign_in(site, "ben", password("ben"), PAGE)
    assert len(token) >= 43
    assert not any(token in str(row) for row in raw(site, "SELECT * FROM sign_in"))
    assert not any(token in row[0] for row in raw(site, "SELECT changed FROM audit_change"))


def test_an_unknown_user_gets_the_same_answer_as_a_wrong_password(site: Site) -> None:
    told = []
    for username, secret in (("ben", "wrong wrong wrong"), ("nobody", "wrong wrong wrong"), ("ben", "")):
        with pytest.raises(Unauthenticated) as refusal:
            sign_in(site, username, secret, PAGE)
        told.append(refusal.value.reasons)
    assert told[0] == told[1] == told[2]


def fail(site: Site, times: int = 1) -> None:
    for _ in range(times):
        with pytest.raises(Unauthenticated):
            sign_in(site, "ben", "wrong wrong wrong", PAGE)


def locked_for(site: Site, clock: Clock) -> timedelta:
    with reading(site.engine) as session:
        until = user_named(session, "ben").locked_until
    return until - clock.now if until else timedelta(0)


@pytest.mark.requirement("URS-008", "URS-015")
def test_five_wrong_passwords_lock_the_account_and_each_further_one_twice_as_long(site: Site, clock: Clock) -> None:
    fail(site, 4)
    assert locked_for(site, clock) == timedelta(0)
    sign_in(site, "ben", password("ben"), PAGE)
    fail(site, 5)
    pauses = [locked_for(site, clock)]
    for _ in range(3):
        with pytest.raises(Unauthenticated):
            sign_in(site, "ben", password("ben"), PAGE)
        clock.now += pauses[-1]
        fail(site)
        pauses.append(locked_for(site, clock))
    assert pauses == [timedelta(minutes=turn) for turn in (1, 2, 4, 8)]
    refused = raw(site, "SELECT count(*) FROM audit_entry WHERE act = 'sign_in' AND outcome = 'refused'")
    assert refused == [(4 + 5 + 3 + 3,)]
    clock.now += pauses[-1]
    sign_in(site, "ben", password("ben"), PAGE)
    assert raw(site, "SELECT failed_attempts FROM app_user WHERE username = 'ben'") == [(0,)]
    assert verify(site.engine).broken is None


@pytest.mark.requirement("URS-008")
def test_a_lock_out_never_lasts_longer_than_a_day(site: Site, clock: Clock) -> None:
    fail(site, 5)
    for _ in range(14):
        clock.now += locked_for(site, clock)
        fail(site)
    assert locked_for(site, clock) == timedelta(hours=24)


@pytest.mark.requirement("URS-009")
def test_a_page_that_stood_idle_asks_for_a_new_sign_in(site: Site, clock: Clock) -> None:
    token = sign_in(site, "ben", password("ben"), PAGE)
    for _ in range(4):
        clock.now += IDLE_LIMIT
        actor_of(site, token, PAGE)
    clock.now += IDLE_LIMIT + timedelta(seconds=1)
    with pytest.raises(Unauthenticated) as refusal:
        actor_of(site, token, PAGE)
    assert codes(refusal) == ["not-signed-in"]


@pytest.mark.requirement("URS-009")
def test_a_sign_in_ends_after_twelve_hours_however_busy(site: Site, clock: Clock) -> None:
    token = sign_in(site, "ben", password("ben"), PAGE)
    for _ in range(47):
        clock.advance(minutes=15)
        actor_of(site, token, PAGE)
    clock.advance(minutes=15)
    with pytest.raises(Unauthenticated):
        actor_of(site, token, PAGE)


def test_a_token_of_one_kind_is_none_of_the_other(site: Site) -> None:
    token = sign_in(site, "ben", password("ben"), TOKEN)
    actor_of(site, token, TOKEN)
    with pytest.raises(Unauthenticated):
        actor_of(site, token, PAGE)
    with pytest.raises(Unauthenticated):
        actor_of(site, "made up", TOKEN)


def test_who_signs_out_is_out(site: Site) -> None:
    token = sign_in(site, "ben", password("ben"), PAGE)
    act(site, actor_of(site, token, PAGE), end_sign_in, EndSignIn())
    with pytest.raises(Unauthenticated):
        actor_of(site, token, PAGE)


@pytest.mark.requirement("URS-007")
def test_a_closed_account_is_out_at_once_and_cannot_come_back(site: Site) -> None:
    token = sign_in(site, "ben", password("ben"), PAGE)
    act(site, "ada", deactivate_user, DeactivateUser(username="ben"))
    with pytest.raises(Unauthenticated):
        actor_of(site, token, PAGE)
    with pytest.raises(Unauthenticated):
        sign_in(site, "ben", password("ben"), PAGE)


def test_changing_the_password_ends_all_other_sign_ins(site: Site) -> None:
    here, there = (sign_in(site, "ben", password("ben"), PAGE) for _ in range(2))
    command = ChangePassword(old_password=SecretStr(password("ben")), new_password=SECRET)
    act(site, actor_of(site, here, PAGE), change_password, command)
    actor_of(site, here, PAGE)
    with pytest.raises(Unauthenticated):
        actor_of(site, there, PAGE)
    sign_in(site, "ben", SECRET.get_secret_value(), PAGE)


def test_changing_the_password_needs_the_old_one(site: Site) -> None:
    command = ChangePassword(old_password=SECRET, new_password=SECRET)
    with pytest.raises(Unauthenticated):
        act(site, signed_in(site, "ben"), change_password, command)
    assert raw(site, "SELECT failed_attempts FROM app_user WHERE username = 'ben'") == [(1,)]


def test_a_reset_password_lifts_the_lock_and_ends_all_sign_ins(site: Site) -> None:
    token = sign_in(site, "ben", password("ben"), PAGE)
    fail(site, 5)
    act(site, "ada", reset_password, ResetPassword(username="ben", password=SECRET))
    with pytest.raises(Unauthenticated):
        actor_of(site, token, PAGE)
    sign_in(site, "ben", SECRET.get_secret_value(), PAGE)


@pytest.mark.requirement("URS-044")
def test_a_password_set_by_the_command_line_is_its_holders_own_and_one_set_by_an_administrator_is_not(
    site: Site,
) -> None:
    act(site, "ada", create_user, newcomer("eve"))
    act(site, COMMAND_LINE, create_user, newcomer("adam"))
    assert raw(
        site, "SELECT username, password_is_own FROM app_user WHERE username IN ('eve', 'adam') ORDER BY username"
    ) == [
        ("adam", True),
        ("eve", False),
    ]


def test_an_instrument_gets_a_token_that_imports_and_nothing_else(site: Site, clock: Clock) -> None:
    token = act(site, "ada", issue_token, IssueToken(username="nano", days=30))
    clock.advance(days=29)
    assert actor_of(site, token, TOKEN).permissions == {Permission.IMPORT_RESULT}
    clock.advance(days=1)
    with pytest.raises(Unauthenticated):
        actor_of(site, token, TOKEN)


def test_people_get_no_tokens_from_administrators(site: Site) -> None:
    with pytest.raises(Refused) as refusal:
        act(site, "ada", issue_token, IssueToken(username="ben"))
    assert codes(refusal) == ["not-an-instrument"]


def test_two_administrators_cannot_give_one_person_both_halves_at_the_same_time(site: Site) -> None:
    from concurrent.futures import ThreadPoolExecutor

    from domain.people.models import RoleGrant

    act(site, COMMAND_LINE, create_user, newcomer("eve", Role.AUDITOR))

    def grant(role: Role) -> str:
        try:
            act(site, "ada", grant_role, GrantRole(username="eve", role=role))
        except Refused:
            return "refused"
        return "granted"

    with ThreadPoolExecutor(2) as pool:
        outcomes = sorted(pool.map(grant, [Role.QA, Role.ANALYST]))
    assert outcomes == ["granted", "refused"]
    with reading(site.engine) as session:
        eve = user_named(session, "eve")
        held = session.exec(select(RoleGrant.role).where(RoleGrant.user_id == eve.id)).all()
    assert not toxic_pairs(held)
