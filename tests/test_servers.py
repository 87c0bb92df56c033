"""The neighbours are real, and they go when the run ends."""

import os
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine, make_url, text

from tests import servers

WHAT_A_RUN_LEAVES = """
import os, signal
from tests import servers
print(servers.postgres_url(), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def database(worker_id: str) -> str:
    return servers.create_database(f"servers_{worker_id}")


def test_postgres_is_a_real_server_that_keeps_and_takes_back_a_transaction(database: str) -> None:
    engine = create_engine(database)
    with engine.begin() as connection:
        assert connection.execute(text("SELECT version()")).scalar_one().startswith("PostgreSQL ")
        connection.execute(text("CREATE TABLE vial (number integer PRIMARY KEY)"))
        connection.execute(text("INSERT INTO vial VALUES (1)"))
    with engine.connect() as connection, connection.begin() as transaction:
        connection.execute(text("INSERT INTO vial VALUES (2)"))
        transaction.rollback()
    with engine.connect() as connection:
        assert connection.execute(text("SELECT number FROM vial")).scalars().all() == [1]
    engine.dispose()


def test_a_database_can_be_copied_with_all_that_is_in_it(database: str, worker_id: str) -> None:
    with psycopg.connect(plain(database), autocommit=True) as connection:
        connection.execute("CREATE TABLE lot AS SELECT 'EXO-1' AS number")
    copy = servers.create_database(f"servers_copy_{worker_id}", template=str(make_url(database).database))
    with psycopg.connect(plain(copy)) as connection:
        assert connection.execute("SELECT number FROM lot").fetchone() == ("EXO-1",)


def test_the_server_ends_with_the_run_even_when_the_run_is_killed() -> None:
    environment = outside_this_run()
    killed = subprocess.run(
        [sys.executable, "-c", WHAT_A_RUN_LEAVES], capture_output=True, text=True, env=environment, check=False
    )
    data = Path(str(make_url(killed.stdout.strip()).query["host"]))
    deadline = time.monotonic() + 20
    while data.parent.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not data.parent.exists()


def test_a_server_that_cannot_start_says_why_and_what_to_type() -> None:
    tried = subprocess.run(
        [sys.executable, "-c", "from tests import servers; servers.postgres_url()"],
        capture_output=True,
        text=True,
        env={**outside_this_run(), "EXOLOTL_TEST_POSTGRES_BIN": "/nowhere"},
        check=False,
    )
    assert "/nowhere/initdb" in tried.stderr
    assert "EXOLOTL_TEST_DATABASE_URL=" in tried.stderr


def test_chromium_can_be_started_from_where_it_is_found() -> None:
    version = subprocess.run(
        [servers.chromium_path(), "--version", "--no-sandbox"], capture_output=True, text=True, check=True
    )
    assert "Chrom" in version.stdout


def plain(url: str) -> str:
    """The URL as the driver itself takes it."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def outside_this_run() -> dict[str, str]:
    """The environment of a run of its own, with its own server."""
    mine = ("PYTEST_XDIST_TESTRUNUID", "EXOLOTL_TEST_DATABASE_URL")
    return {key: value for key, value in os.environ.items() if key not in mine}
