"""Signing in: the token, the cookie beside it, and what ends them."""

from dataclasses import replace
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.deps import COOKIE, CSRF_HEADER
from api.main import create_app
from domain.people import operations, passwords
from domain.people.operations import LOCK_AFTER
from domain.work import Profile, Site
from tests.cast import Clock, password, raw

SESSION = "/api/v1/session"


def sign_in(client: TestClient, who: str = "ben", secret: str | None = None) -> Any:
    return client.post(SESSION, json={"username": who, "password": secret or password(who)})


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def code(answer: Any) -> str:
    return str(answer.json()["reasons"][0]["type"]).removeprefix("/problems/")


def test_who_signs_in_gets_a_token_and_a_cookie_that_no_script_can_read(client: TestClient) -> None:
    answer = sign_in(client)
    assert answer.json().keys() == {"access_token", "token_type", "csrf_token"}
    assert answer.headers["cache-control"] == "no-store"
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=")
    assert {"HttpOnly", "SameSite=lax", "Path=/"} <= set(cookie.split("; "))
    assert "Secure" not in cookie
    assert answer.json()["access_token"] not in cookie


def test_behind_tls_the_cookie_is_secure(site: Site) -> None:
    secured = replace(site, profile=replace(site.profile, base_url="https://lots.example.org"))
    with TestClient(create_app(secured, threads=2)) as client:
        assert "Secure" in sign_in(client).headers["set-cookie"].split("; ")
    with TestClient(create_app(site, threads=2), base_url="https://testserver") as client:
        assert "Secure" in sign_in(client).headers["set-cookie"].split("; ")


def test_the_password_is_checked_once_for_token_and_cookie(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[str] = []

    def counting(password_hash: str | None, secret: str) -> bool:
        checked.append(secret)
        return passwords.matches(password_hash, secret)

    monkeypatch.setattr(operations, "passwords", type("Counting", (), {"matches": staticmethod(counting)}))
    assert sign_in(client).status_code == 200
    assert len(checked) == 1


def test_one_act_of_signing_in_is_one_audit_entry(client: TestClient, site: Site) -> None:
    before = raw(site, "SELECT count(*) FROM audit_entry")[0][0]
    sign_in(client)
    assert raw(site, "SELECT count(*) FROM audit_entry")[0][0] == before + 1


@pytest.mark.requirement("URS-007")
def test_neither_token_nor_password_is_kept(client: TestClient, site: Site) -> None:
    answer = sign_in(client)
    kept = (
        str(raw(site, "SELECT * FROM sign_in"))
        + str(raw(site, "SELECT * FROM app_user"))
        + str(raw(site, "SELECT * FROM audit_change"))
    )
    for secret in (answer.json()["access_token"], client.cookies[COOKIE], password("ben")):
        assert secret not in kept
    hashes = {row[0] for row in raw(site, "SELECT password_hash FROM app_user")}
    assert all(one.startswith("$argon2id$") for one in hashes)


def test_the_cookie_alone_reads_but_does_not_write(client: TestClient) -> None:
    csrf = sign_in(client, "ada").json()["csrf_token"]
    user = {"username": "new", "name": "Nova", "password": "a long enough secret", "roles": ["auditor"]}
    assert client.get(SESSION).json()["username"] == "ada"
    assert code(client.post("/api/v1/users", json=user)) == "csrf"
    assert code(client.post("/api/v1/users", json=user, headers={CSRF_HEADER: "0" * 64})) == "csrf"
    assert code(client.post("/api/v1/users", json=user, headers={CSRF_HEADER: "ÿ".encode("latin-1")})) == "csrf"
    assert client.post("/api/v1/users", json=user, headers={CSRF_HEADER: csrf}).status_code == 201


def test_a_token_is_not_a_cookie_and_a_cookie_is_no_token(client: TestClient) -> None:
    token = sign_in(client).json()["access_token"]
    cookie = client.cookies[COOKIE]
    client.cookies.clear()
    assert client.get(SESSION, headers=bearer(cookie)).status_code == 401
    client.cookies.set(COOKIE, token)
    assert client.get(SESSION).status_code == 401


def test_who_is_not_signed_in_is_told_how(client: TestClient) -> None:
    for headers in ({}, {"Authorization": "Bearer "}, {"Authorization": "Basic YmVuOmJlbg=="}, bearer("nonsense")):
        answer = client.get(SESSION, headers=headers)
        assert (answer.status_code, code(answer), answer.headers["www-authenticate"]) == (
            401,
            "not-signed-in",
            "Bearer",
        )


def test_a_token_is_good_for_a_shift(client: TestClient, clock: Clock) -> None:
    token = sign_in(client).json()["access_token"]
    client.cookies.clear()
    clock.advance(hours=11, minutes=59)
    assert client.get(SESSION, headers=bearer(token)).status_code == 200
    clock.advance(minutes=1)
    assert client.get(SESSION, headers=bearer(token)).status_code == 401


@pytest.mark.requirement("URS-009")
def test_a_page_that_stood_idle_asks_again_and_a_token_does_not(client: TestClient, clock: Clock) -> None:
    token = sign_in(client).json()["access_token"]
    for _ in range(3):
        clock.advance(minutes=29)
        assert client.get(SESSION).status_code == 200, "who works is not idle"
    clock.advance(minutes=31)
    assert client.get(SESSION).status_code == 401
    client.cookies.clear()
    assert client.get(SESSION, headers=bearer(token)).status_code == 200


def test_signing_out_ends_the_token_that_came_and_no_other(client: TestClient) -> None:
    first = sign_in(client).json()["access_token"]
    client.cookies.clear()
    second = sign_in(client).json()["access_token"]
    client.cookies.clear()
    ended = client.delete(SESSION, headers=bearer(first))
    assert (ended.status_code, ended.content) == (204, b"")
    assert client.get(SESSION, headers=bearer(first)).status_code == 401
    assert client.get(SESSION, headers=bearer(second)).status_code == 200


def test_signing_out_at_a_page_ends_the_cookie(client: TestClient) -> None:
    csrf, cookie = sign_in(client).json()["csrf_token"], client.cookies[COOKIE]
    assert client.delete(SESSION, headers={CSRF_HEADER: csrf}).status_code == 204
    assert COOKIE not in client.cookies
    client.cookies.set(COOKIE, cookie)
    assert client.get(SESSION).status_code == 401


@pytest.fixture
def locked(client: TestClient) -> TestClient:
    """Somebody has guessed Ben's password until the account is locked."""
    for _ in range(LOCK_AFTER):
        assert sign_in(client, secret="guess").status_code == 401
    return client


@pytest.mark.requirement("URS-008")
def test_a_locked_account_takes_no_password_and_says_no_more_than_for_a_wrong_one(
    locked: TestClient, site: Site
) -> None:
    right, unknown = sign_in(locked), sign_in(locked, "nobody-there", "guess")
    assert right.status_code == unknown.status_code == 401
    assert right.json() == unknown.json()
    attempts = raw(site, "SELECT count(*) FROM audit_entry WHERE act = 'sign_in' AND outcome = 'refused'")
    assert attempts == [(LOCK_AFTER + 2,)]


@pytest.mark.requirement("URS-008")
def test_a_lock_ends_by_itself_and_comes_back_longer(locked: TestClient, clock: Clock) -> None:
    clock.advance(seconds=61)
    assert sign_in(locked, secret="guess").status_code == 401
    clock.advance(seconds=61)
    assert sign_in(locked).status_code == 401, "the sixth failure locks for two minutes"
    clock.advance(seconds=61)
    assert sign_in(locked).status_code == 200
    assert sign_in(locked, secret="guess").status_code == 401
    assert sign_in(locked).status_code == 200, "a right password has cleared the count"


@pytest.mark.requirement("URS-060")
def test_a_demo_account_opens_nothing_outside_demo_mode(site: Site, client: TestClient) -> None:
    user = {"username": "demo", "name": "Demo", "password": "a long enough secret", "roles": ["auditor"]}
    demo = replace(site, profile=replace(Profile(), demo=True))
    with TestClient(create_app(demo, threads=2)) as there:
        csrf = sign_in(there, "ada").json()["csrf_token"]
        assert there.post("/api/v1/users", json=user, headers={CSRF_HEADER: csrf}).status_code == 201
        token = sign_in(there, "demo", user["password"]).json()["access_token"]
        there.cookies.clear()
        assert there.get(SESSION, headers=bearer(token)).status_code == 200
    assert sign_in(client, "demo", user["password"]).status_code == 401
    assert client.get(SESSION, headers=bearer(token)).status_code == 401


def test_whoever_changes_the_password_stays_and_every_other_sign_in_ends(client: TestClient) -> None:
    here, there = (sign_in(client).json()["access_token"] for _ in range(2))
    client.cookies.clear()
    change = {"old_password": password("ben"), "new_password": "a quite different harbour"}
    assert client.post(f"{SESSION}/password", json=change, headers=bearer(here)).status_code == 204
    assert client.get(SESSION, headers=bearer(here)).status_code == 200
    assert client.get(SESSION, headers=bearer(there)).status_code == 401
    assert sign_in(client).status_code == 401


def test_a_weak_password_is_refused_with_a_reason_that_does_not_repeat_it(client: TestClient) -> None:
    token = sign_in(client).json()["access_token"]
    change = {"old_password": password("ben"), "new_password": "shorty"}
    answer = client.post(f"{SESSION}/password", json=change, headers=bearer(token))
    assert (answer.status_code, code(answer)) == (422, "weak-password")
    assert "shorty" not in answer.text
    odd = client.post(SESSION, json={"username": "ben", "password": {"secret": "sesame"}})
    assert odd.status_code == 422
    assert "sesame" not in odd.text
