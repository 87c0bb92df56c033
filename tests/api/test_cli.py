"""The command line, on both engines: what an operator types, and what comes back."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from api.cli import app
from api.demo_files import nanosight_summary
from api.settings import settings
from domain.people.models import SignInKind
from domain.people.operations import sign_in
from domain.work import Site
from migrations import current, revisions
from tests import build
from tests.behind import triggers_asleep
from tests.cast import START, Clock, password, raw
from tests.databases import Databases
from tests.stages import LOT

Exolotl = Callable[..., Result]


@pytest.fixture
def exolotl(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Exolotl]:
    """The command, with the site of the test for its own."""
    url = site.engine.url.render_as_string(hide_password=False)
    yield from _commands(url, tmp_path, monkeypatch, site)


def _commands(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, site: Site | None = None) -> Iterator[Exolotl]:
    monkeypatch.setenv("EXOLOTL_DATABASE_URL", url)
    monkeypatch.setenv("EXOLOTL_DOCUMENTS_URL", str(tmp_path / "documents"))
    monkeypatch.delenv("EXOLOTL_DEMO", raising=False)
    settings.cache_clear()
    if site is not None:
        monkeypatch.setattr("api.settings.Settings.site", lambda _self: site)
    yield lambda *typed, **more: CliRunner().invoke(app, [str(one) for one in typed], **more)
    settings.cache_clear()


@pytest.mark.requirement("URS-003")
def test_migrate_brings_an_empty_database_to_the_schema_of_today_and_can_be_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for exolotl in _commands(f"sqlite:///{tmp_path / 'new.db'}", tmp_path, monkeypatch):
        for _ in range(2):
            done = exolotl("migrate")
            assert (done.exit_code, done.output.strip()) == (0, f"schema {revisions()[-1]}")
        assert current(settings().site().engine) == revisions()[-1]


NEW = ("create-user", "nia", "--name", "Nia New", "--function", "Analyst", "--role", "analyst")


@pytest.mark.requirement("URS-007")
def test_a_user_made_at_the_command_line_can_sign_in_and_is_in_the_audit_trail(exolotl: Exolotl, site: Site) -> None:
    done = exolotl(*NEW, input="a long enough secret\na long enough secret\n")
    assert done.exit_code == 0
    assert "nia can sign in as analyst" in done.output
    assert "a long enough secret" not in done.output
    assert sign_in(site, "nia", "a long enough secret", SignInKind.TOKEN)
    assert raw(site, "SELECT actor FROM audit_entry WHERE act = 'create_user' ORDER BY sequence DESC")[0] == (
        "command line",
    )


@pytest.mark.requirement("URS-011")
@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ((*NEW, "--password", "short"), "weak-password"),
        ((*NEW, "--password", "nia and a long secret"), "weak-password"),
        ((*NEW, "--role", "qa", "--password", "a long enough secret"), "toxic-roles"),
        (("create-user", "ben", *NEW[2:], "--password", "a long enough secret"), "username-taken"),
        (("create-user", "Nia New", *NEW[2:], "--password", "a long enough secret"), "value-not-valid"),
    ],
)
def test_what_cannot_be_a_user_is_refused_with_its_reason(exolotl: Exolotl, site: Site, typed: Any, code: str) -> None:
    before = raw(site, "SELECT count(*) FROM app_user")
    refused = exolotl(*typed)
    assert refused.exit_code == 1
    assert code in refused.output
    assert "long enough secret" not in refused.output
    assert raw(site, "SELECT count(*) FROM app_user") == before


def test_an_unknown_role_and_two_different_passwords_are_refused(exolotl: Exolotl) -> None:
    assert (
        exolotl("create-user", "nia", "--name", "Nia", "--role", "king", "--password", "a long enough secret").exit_code
        == 2
    )
    assert exolotl(*NEW, input="a long enough secret\nanother long secret\n" * 2).exit_code != 0


@pytest.mark.requirement("URS-013", "URS-014")
def test_verify_audit_tells_a_whole_trail_from_a_broken_one(exolotl: Exolotl, site: Site) -> None:
    lot = build.material(site)
    whole = exolotl("verify-audit")
    assert whole.exit_code == 0
    assert "the audit trail is whole" in whole.output
    with triggers_asleep(site) as connection:
        connection.exec_driver_sql(f"UPDATE lot SET supplier = 'Somebody else' WHERE lot_number = '{lot}'")
    broken = exolotl("verify-audit")
    assert broken.exit_code == 1
    assert "broken: lot 1 was altered behind the application's back" in broken.output


@pytest.mark.requirement("URS-013")
def test_verify_audit_finds_a_tail_that_was_cut_off_by_the_head_on_a_certificate(exolotl: Exolotl, site: Site) -> None:
    build.released(site)
    with triggers_asleep(site) as connection:
        connection.exec_driver_sql("DELETE FROM audit_change WHERE sequence > 10")
        connection.exec_driver_sql("DELETE FROM audit_entry WHERE sequence > 10")
    broken = exolotl("verify-audit")
    assert broken.exit_code == 1
    assert "certificate COA-2026-000001" in broken.output


def summary() -> bytes:
    facts = {"mode_nm": 100.0, "concentration_per_ml": 4e10, "dilution": 1000, "runs": 3, "seed": 1}
    return nanosight_summary(**facts, sample="A", captured_at=START + timedelta(hours=2))


@pytest.mark.requirement("URS-036")
def test_import_file_enters_what_an_instrument_measured(
    exolotl: Exolotl, site: Site, clock: Clock, tmp_path: Path
) -> None:
    build.methods(site, ("PART-CONC", "SIZE-DIST"))
    sample = build.sampled(site, build.material(site), ("1", "L"))
    clock.advance(hours=2)
    token = sign_in(site, "nano", password("nano"), SignInKind.TOKEN)
    file = tmp_path / "A-ExperimentSummary.csv"
    file.write_bytes(summary())
    methods = ("--concentration-method", "SOP-PART-CONC", "--size-method", "SOP-SIZE-DIST")
    warned = exolotl("import-file", file, "--sample", sample, *methods, "--token", token)
    assert (warned.exit_code, "comment-needed" in warned.output) == (1, True)
    methods = (*methods, "--comment", "few particles at this dilution")
    done = exolotl("import-file", file, "--sample", sample, *methods, env={"EXOLOTL_TOKEN": token})
    assert done.exit_code == 0, done.output
    assert "PART-CONC" in done.output
    assert "SIZE-DIST" in done.output
    again = exolotl("import-file", file, "--sample", sample, *methods, "--token", token)
    assert (again.exit_code, "reason-needed" in again.output) == (1, True)
    file.write_bytes(b"no such thing")
    refused = exolotl("import-file", file, "--sample", sample, *methods, "--token", token)
    assert (refused.exit_code, "not-a-nanosight-summary" in refused.output) == (1, True)
    assert exolotl("import-file", file, "--sample", sample, *methods, "--token", "made-up").exit_code == 1


def test_serve_refuses_several_processes_on_sqlite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    served: list[dict[str, Any]] = []
    monkeypatch.setattr("api.cli.uvicorn.run", lambda *_, **settings: served.append(settings))
    for exolotl in _commands(f"sqlite:///{tmp_path / 'new.db'}", tmp_path, monkeypatch):
        refused = exolotl("serve", "--workers", 2)
        assert (refused.exit_code, "SQLite takes one process" in refused.output, served) == (2, True, [])
        assert exolotl("migrate").exit_code == 0
        started = exolotl("serve", "--workers", 1)
        assert (started.exit_code, "EXOLOTL_LOG_KEY" in started.output) == (0, True), (
            "what is missing is told at the start"
        )
    assert [(one["workers"], one["port"]) for one in served] == [(1, 8000)]


def test_serve_takes_several_processes_on_postgresql(
    exolotl: Exolotl, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    served: list[dict[str, Any]] = []
    monkeypatch.setattr("api.cli.uvicorn.run", lambda *_, **settings: served.append(settings))
    monkeypatch.setattr("api.cli.current", lambda _engine: revisions()[-1])
    several = site.engine.dialect.name == "postgresql"
    assert exolotl("serve", "--workers", 4, "--port", 9000).exit_code == (0 if several else 2)
    assert [(one["workers"], one["port"]) for one in served] == ([(4, 9000)] if several else [])


@pytest.mark.requirement("URS-220")
def test_what_is_wrong_is_one_line_that_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.cli.uvicorn.run", lambda *_, **_settings: pytest.fail("served all the same"))
    for exolotl in _commands(f"sqlite:///{tmp_path / 'new.db'}", tmp_path, monkeypatch):
        for typed in (
            ("serve",),
            ("verify-audit",),
            ("worker", "--once"),
            (*NEW, "--password", "a long enough secret"),
        ):
            refused = exolotl(*typed)
            assert refused.exit_code == 1, typed
            assert refused.output.strip().endswith("type: exolotl migrate"), refused.output
            assert len(refused.output.strip().splitlines()) == 1
    wrong = {
        "DATABASE_URL": ("mysql://nowhere/x", "EXOLOTL_DATABASE_URL: a database is sqlite:///path or"),
        "SITE_TIME_ZONE": ("Mars", "EXOLOTL_SITE_TIME_ZONE: 'Mars' is no time zone such as Europe/Berlin"),
        "LOG_KEY": (str(tmp_path / "none.pem"), "EXOLOTL_LOG_KEY: there is no file"),
        "DEMO": ("perhaps", "EXOLOTL_DEMO: Input should be a valid boolean"),
    }
    for name, (value, told) in wrong.items():
        with monkeypatch.context() as patched:
            for exolotl in _commands(f"sqlite:///{tmp_path / 'new.db'}", tmp_path, patched):
                patched.setenv(f"EXOLOTL_{name}", value)
                refused = exolotl("migrate")
                assert (refused.exit_code, refused.output.startswith(told)) == (1, True), refused.output
    for exolotl in _commands("postgresql+psycopg://nobody@127.0.0.1:9/none", tmp_path, monkeypatch):
        refused = exolotl("migrate")
        assert refused.output.startswith("the database does not answer"), refused.output


@pytest.mark.stage("in_review")
@pytest.mark.requirement("URS-091")
def test_verify_audit_counts_every_entry_of_the_public_log_and_says_when_its_key_is_not_known(
    exolotl: Exolotl, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    build.released(site, LOT)
    assert "1 entries in the public log, root" in exolotl("verify-audit").output
    monkeypatch.setattr("api.cli.log_keys_of", lambda *_: {})
    unknown = exolotl("verify-audit")
    assert (unknown.exit_code, "1 entries in the public log" in unknown.output) == (1, True)
    assert "set EXOLOTL_LOG_KEY" in unknown.output


@pytest.mark.requirement("URS-060")
def test_the_demo_cast_is_not_made_outside_demo_mode(exolotl: Exolotl, site: Site) -> None:
    before = raw(site, "SELECT count(*) FROM app_user")
    refused = exolotl("demo")
    assert (refused.exit_code, "EXOLOTL_DEMO" in refused.output) == (2, True)
    assert raw(site, "SELECT count(*) FROM app_user") == before


@pytest.mark.requirement("URS-013")
def test_the_worker_checks_the_audit_trail_and_says_by_its_exit_whether_it_is_whole(
    exolotl: Exolotl, site: Site
) -> None:
    lot = build.material(site)
    assert exolotl("worker", "--once").exit_code == 0
    assert isinstance(site.clock, Clock)
    site.clock.advance(days=1, minutes=1)
    with triggers_asleep(site) as connection:
        connection.exec_driver_sql(f"UPDATE lot SET supplier = 'Somebody else' WHERE lot_number = '{lot}'")
    assert exolotl("worker", "--once").exit_code == 1


def test_a_unit_in_brackets_reaches_the_terminal_whole(exolotl: Exolotl, databases: Databases) -> None:
    """The terminal's markup would swallow `[pH]` and colour `[red]`."""
    refused = exolotl(
        "create-user", "nia", "--name", "[red]Nia[pH]", "--role", "analyst", "--role", "qa", "--password", "x" * 12
    )
    assert refused.exit_code == 1
    odd = exolotl("create-user", "[ph]", "--name", "Nia", "--role", "analyst", "--password", "x" * 12)
    assert odd.exit_code == 1
    assert "username" in odd.output
