"""What somebody without good intentions sends."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.deps import COOKIE, csrf_token
from domain.work import Site
from tests.cast import password

SESSION = "/api/v1/session"
MEGABYTE = 1024 * 1024


def bearer(client: TestClient, who: str) -> dict[str, str]:
    answer = client.post(SESSION, json={"username": who, "password": password(who)})
    client.cookies.clear()
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        (SESSION, "application/json"),
        ("/api/v1/methods", "application/json"),
        ("/api/v1/public/verify", "multipart/form-data; boundary=x"),
        ("/sign-in", "application/x-www-form-urlencoded"),
    ],
)
def test_a_body_that_says_it_is_huge_is_not_read(client: TestClient, path: str, kind: str) -> None:
    headers = {"Content-Length": str(26 * MEGABYTE), "Content-Type": kind}
    answer = client.post(path, content=b"x", headers=headers)
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == "/problems/too-large"


def test_a_body_that_does_not_say_how_long_it_is_ends_at_the_limit(client: TestClient) -> None:
    sent = 0

    def endless() -> Any:
        nonlocal sent
        while sent < 40 * MEGABYTE:
            sent += MEGABYTE
            yield b" " * MEGABYTE

    answer = client.post(SESSION, content=endless(), headers={"Content-Type": "application/json"})
    assert answer.status_code == 413


def test_a_file_of_twenty_megabytes_still_comes_through(client: TestClient) -> None:
    answer = client.post("/api/v1/public/verify", files={"file": ("a.pdf", b"%" * (20 * MEGABYTE))})
    assert answer.status_code == 200


@pytest.mark.parametrize("text", ["a\\u0000b", "\\ud800"])
@pytest.mark.parametrize("field", ["username", "password"])
def test_what_is_no_text_is_refused_not_failed(client: TestClient, text: str, field: str) -> None:
    said = {"username": "ben", "password": password("ben")}
    body = "{" + ",".join(f'"{name}": "{text if name == field else value}"' for name, value in said.items()) + "}"
    answer = client.post(SESSION, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (401, 422)


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded"])
def test_a_form_of_another_site_cannot_sign_anybody_in(client: TestClient, kind: str) -> None:
    body = f'{{"username": "ben", "password": "{password("ben")}"}}'
    answer = client.post(SESSION, content=body, headers={"Content-Type": kind})
    assert answer.status_code == 422
    assert COOKIE not in answer.cookies


@pytest.mark.stage("in_review")
@pytest.mark.parametrize("digest", ["../../../etc/passwd", "a" * 64, "A", "", "/etc/passwd", "%2e%2e/x"])
def test_a_raw_file_that_is_not_kept_here_is_told_so(client: TestClient, site: Site, digest: str) -> None:
    from tests import build

    lot = build.drug_product(site, "UC-EV-50")
    sample = build.sampled(site, lot)
    now = site.clock().isoformat()
    said = {
        "method_code": "SOP-PH",
        "replicates": ["7.2", "7.2"],
        "unit": "[pH]",
        "started_at": now,
        "finished_at": now,
    }
    answer = client.post(
        f"/api/v1/samples/{sample}/results", json={**said, "raw_sha256": digest}, headers=bearer(client, "ben")
    )
    assert answer.status_code in (404, 422)


@pytest.mark.parametrize("path", ["/api/v1/session", "/api/v1/lots", "/api/v1/public/lots/NONE-1", "/api/v1/tests"])
def test_what_the_api_answers_is_kept_by_no_cache_unless_it_says_so(client: TestClient, path: str) -> None:
    answer = client.get(path, headers=bearer(client, "ben"))
    assert answer.headers["cache-control"] in ("no-store", "no-cache")


def test_a_page_token_is_no_bearer_token_and_a_bearer_token_no_cookie(client: TestClient) -> None:
    answer = client.post(SESSION, json={"username": "ben", "password": password("ben")})
    page, token = client.cookies[COOKIE], answer.json()["access_token"]
    client.cookies.clear()
    assert client.get(SESSION, headers={"Authorization": f"Bearer {page}"}).status_code == 401
    assert client.get(SESSION, headers={"Cookie": f"{COOKIE}={token}"}).status_code == 401


@pytest.mark.parametrize("where", ["//evil.example", "/\\evil.example", "https://evil.example", "/\t/evil.example"])
def test_signing_in_leads_nowhere_else(client: TestClient, where: str) -> None:
    client.get("/sign-in")
    form = {
        "csrf": csrf_token(client.cookies["exolotl_form"]),
        "username": "ben",
        "password": password("ben"),
        "next": where,
    }
    answer = client.post("/sign-in", data=form, follow_redirects=False)
    assert answer.status_code == 303
    assert "evil" not in answer.headers["location"]
    assert client.get("/work").status_code == 200


@pytest.mark.parametrize(
    "form",
    [
        {"pseudonym": "D-1", "pseudonym.value": "x"},
        {"pseudonym.value": "x", "pseudonym": "D-1"},
        {"inputs.²": "x", "results.²": "x", "results.².marker": "x"},
    ],
)
def test_a_form_with_names_of_its_own_making_is_refused_not_failed(client: TestClient, form: dict[str, str]) -> None:
    client.post(SESSION, json={"username": "tom", "password": password("tom")})
    answer = client.post("/donors/new", data={**form, "csrf": csrf_token(client.cookies[COOKIE])})
    assert answer.status_code == 422
