"""An answer of success means that it is written; a failure tells its number and nothing else."""

import inspect
import logging
import re
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from fastapi.testclient import TestClient

from api.main import create_app
from domain import audit
from domain.documents import Documents
from domain.store import engine_for, entity_classes
from domain.work import Site
from tests.cast import raw
from tests.laws.test_permission_matrix import dependencies, routes
from tests.stories.over_http import House, Story, amount

SECRET = "relation app_user of postgres at 10.1.2.3, password=hunter2"
MATERIAL = {
    "material": "PBS",
    "supplier": "Biowest",
    "supplier_lot_number": "B-1",
    "expires_on": "2027-03-01",
    "quantity": amount(("10", "L")),
}


@pytest.fixture
def app(site: Site) -> FastAPI:
    return create_app(site, threads=4)


@pytest.fixture
def house(app: FastAPI) -> Iterator[House]:
    with TestClient(app, raise_server_exceptions=False) as client:
        yield House(client)


@pytest.fixture
def failing_commit(house: House) -> Iterator[None]:
    """Everybody has signed in; from now on no transaction can be committed."""
    for who in ("tom", "ada", "ann", "ben"):
        house.sign_in(who)

    def fail(_connection: sa.Connection) -> None:
        raise sa.exc.DBAPIError("COMMIT", {}, OSError(SECRET))

    sa.event.listen(sa.Engine, "commit", fail)
    yield
    sa.event.remove(sa.Engine, "commit", fail)


ACTS: tuple[tuple[str, str, str, dict[str, Any]], ...] = (
    ("tom", "POST", "/materials", MATERIAL),
    ("ada", "POST", "/users", {"username": "new", "name": "Nova", "password": "a long enough secret", "roles": ["qa"]}),
    ("ada", "POST", "/users/ben/deactivation", {}),
    ("ben", "DELETE", "/session", {}),
)


def everything(site: Site) -> list[Any]:
    """How much is written: rows and versions of every table, and the audit trail."""
    counted = " UNION ALL ".join(
        f"SELECT '{one}', count(*), coalesce(sum(version), 0) FROM {one}" for one in entity_classes()
    )
    return raw(site, f"{counted} UNION ALL SELECT 'audit_entry', count(*), 0 FROM audit_entry ORDER BY 1")


@pytest.mark.requirement("URS-006", "URS-012", "URS-059")
@pytest.mark.usefixtures("failing_commit")
def test_an_act_whose_commit_fails_is_never_answered_as_done(
    house: House, site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    before = everything(site)
    for who, method, path, body in ACTS:
        with caplog.at_level(logging.ERROR, logger="exolotl"):
            answer = house.ask(who, method, f"/api/v1{path}", **({"json": body} if body else {}))
        assert answer.status_code == 500, f"{method} {path}"
        told = answer.json()
        assert told.keys() == {"type", "title", "status", "detail", "instance", "reasons"}
        number = re.search(r"Quote ([0-9a-f]{12}) ", told["detail"])
        assert number is not None, told
        assert number[1] in caplog.text, "the log does not know the number"
        for leak in (SECRET, "hunter2", "COMMIT", "OSError", "Traceback", "sqlalchemy", "/domain/"):
            assert leak not in answer.text
        assert "set-cookie" not in answer.headers
    signing_in = house.client.post("/api/v1/session", json={"username": "dov", "password": "quiet harbour 6 morning"})
    assert signing_in.status_code == 500
    assert "access_token" not in signing_in.text
    assert everything(site) == before


@pytest.mark.requirement("URS-006")
def test_an_act_whose_commit_failed_is_not_written_by_the_next_one(house: House, site: Site) -> None:
    """What a failed COMMIT leaves open in a connection must not be part of what the next one writes there."""
    house.sign_in("tom")
    failing = iter([True])

    def fail_once(_connection: sa.Connection) -> None:
        if next(failing, False):
            raise sa.exc.DBAPIError("COMMIT", {}, OSError(SECRET))

    sa.event.listen(sa.Engine, "commit", fail_once)
    try:
        lost = house.ask("tom", "POST", "/api/v1/materials", json={**MATERIAL, "supplier_lot_number": "lost"})
        done = [
            house.post("tom", "/materials", {**MATERIAL, "supplier_lot_number": f"done {place}"}) for place in range(3)
        ]
    finally:
        sa.event.remove(sa.Engine, "commit", fail_once)
    assert lost.status_code == 500
    assert raw(site, "SELECT supplier_lot_number FROM lot ORDER BY id") == [(f"done {place}",) for place in range(3)]
    assert done[0]["lot_number"].endswith("-0001"), "the number of the lost act is given again"
    assert audit.verify(site.engine).broken is None


@pytest.mark.requirement("URS-006")
@pytest.mark.usefixtures("failing_commit")
def test_reading_goes_on_while_nothing_can_be_written(house: House) -> None:
    assert house.ask("tom", "GET", "/api/v1/lots").status_code == 200


@pytest.mark.requirement("URS-059")
def test_a_failure_in_a_query_answers_with_a_number_and_no_detail(
    house: House, site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError(SECRET)

    monkeypatch.setattr("api.rest.lots.find_lots", broken)
    with caplog.at_level(logging.ERROR, logger="exolotl"):
        answer = house.ask("dov", "GET", "/api/v1/lots")
    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")
    assert SECRET not in answer.text
    assert SECRET in caplog.text


def test_a_server_without_its_database_says_no_more_than_that(tmp_path: Any) -> None:
    nowhere = Site(engine_for(f"sqlite:///{tmp_path / 'no' / 'such.db'}"), Documents("memory://"), lambda _content: b"")
    with TestClient(create_app(nowhere, threads=2), raise_server_exceptions=False) as client:
        assert client.get("/health/live").status_code == 200
        ready = client.get("/health/ready")
        assert (ready.status_code, ready.json()) == (503, {"status": "the database does not answer"})
        looked_up = client.get("/api/v1/public/lots/UEV26-0001")
        assert looked_up.status_code == 500
        assert str(tmp_path) not in looked_up.text


def test_a_database_of_another_version_is_not_served_as_ready(
    site: Site, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert house.client.get("/health/ready").json() == {"status": "ready"}
    monkeypatch.setattr("api.health.newest_schema", lambda: "9999_of_tomorrow")
    ready = house.client.get("/health/ready")
    assert (ready.status_code, "exolotl migrate" in ready.text) == (503, True)


def test_no_dependency_commits_after_the_answer_is_made(app: FastAPI) -> None:
    """A dependency with `yield` may end after the answer was sent; ours have none, so a commit always comes first."""
    late = {
        f"{name}: {call.__qualname__}"
        for name, dependant in routes(app).items()
        if dependant is not None
        for call in dependencies(dependant)
        if inspect.isgeneratorfunction(call) or inspect.isasyncgenfunction(call)
    }
    assert not late


def test_every_route_is_a_plain_function_that_runs_in_a_thread(app: FastAPI) -> None:
    waiting = {
        name
        for name, dependant in routes(app).items()
        if " /api/" in name and dependant is not None and inspect.iscoroutinefunction(inspect.unwrap(dependant.call))
    }
    assert not waiting, "an async route would stop the whole server while it asks the database"


def test_the_same_act_sent_twice_at_once_is_done_once(house: House, site: Site) -> None:
    story = Story(house, site)
    donor = {"tissue": "umbilical_cord", "consent_id": "C", "consent_version": "1", "consent_scope": "commercial"}
    story.house.post("tom", "/donors", {"pseudonym": "D-1-1", **donor})
    again = house.ask("tom", "POST", "/api/v1/donors", json={"pseudonym": "D-1-1", **donor})
    assert (again.status_code, again.json()["type"]) == (409, "/problems/donor-exists")
    assert raw(site, "SELECT count(*) FROM donor") == [(1,)]
