"""What no combination of roles, and no race, may reach."""

from typing import Any

import pytest

from domain.errors import DomainError, Refused, Unauthenticated
from domain.people import operations
from domain.people.models import SignInKind
from domain.people.operations import COMMAND_LINE, GrantRole, OpenSignIn, grant_role, open_sign_in, sign_in
from domain.permissions import Permission, Role, permissions_of, toxic_pairs
from domain.work import Site
from tests.cast import act, password, raw


def codes(refusal: pytest.ExceptionInfo[Any]) -> set[str]:
    assert isinstance(refusal.value, DomainError)
    return {reason.code for reason in refusal.value.reasons}


def test_no_roles_together_bring_results_in_and_release_lots() -> None:
    for role in Role:
        for other in Role:
            held = permissions_of((role, other))
            if Permission.RELEASE_LOT in held and (Permission.IMPORT_RESULT in held or Permission.ENTER_RESULT in held):
                assert toxic_pairs((role, other))


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.INSTRUMENT])
def test_an_instrument_is_nothing_else_so_that_its_token_never_grows(site: Site, role: Role) -> None:
    with pytest.raises(Refused) as refusal:
        act(site, COMMAND_LINE, grant_role, GrantRole(username="nano", role=role))
    assert codes(refusal) == {"toxic-roles"}


def test_a_person_is_no_instrument(site: Site) -> None:
    with pytest.raises(Refused):
        act(site, COMMAND_LINE, grant_role, GrantRole(username="ben", role=Role.INSTRUMENT))


def test_a_right_guess_that_was_on_its_way_when_the_account_was_locked_opens_nothing(site: Site) -> None:
    for _ in range(operations.LOCK_AFTER):
        with pytest.raises(Unauthenticated):
            sign_in(site, "ben", "not the password", SignInKind.PAGE)
    (key,) = raw(site, "SELECT id FROM app_user WHERE username = 'ben'")[0]
    with pytest.raises(Unauthenticated):
        act(site, operations.NOBODY, open_sign_in, OpenSignIn(user_id=key, kind=SignInKind.PAGE))


def test_a_locked_account_takes_as_long_to_refuse_as_one_that_nobody_has(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(operations.LOCK_AFTER):
        with pytest.raises(Unauthenticated):
            sign_in(site, "ben", "not the password", SignInKind.PAGE)
    asked: list[str | None] = []

    def counting(password_hash: str | None, _secret: str) -> bool:
        asked.append(password_hash)
        return False

    monkeypatch.setattr(operations, "passwords", type("Counting", (), {"matches": staticmethod(counting)}))
    with pytest.raises(Unauthenticated):
        sign_in(site, "ben", password("ben"), SignInKind.PAGE)
    assert asked == [None]
