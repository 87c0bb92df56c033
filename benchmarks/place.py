"""Laboratories to measure in: a migrated database on either engine, durable, with the cast in it."""

import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg
import sqlalchemy as sa
from argon2 import PasswordHasher
from pydantic import SecretStr

from benchmarks.drivers import connect
from domain.documents import Documents
from domain.people import passwords
from domain.people.models import SignInKind
from domain.people.operations import COMMAND_LINE, ResetPassword, reset_password, sign_in
from domain.store import engine_for
from domain.work import Site, transaction
from migrations import upgrade
from tests import servers
from tests.cast import Clock, furnish, password
from tests.printing import press
from tests.signing.keys import log_key

ENGINES = ("sqlite", "postgresql")

#: The columns of a step that are filled in bulk.
STEP = ("id", "version", "number", "kind", "location", "equipment", "comment", "started_at", "start_recorded_at",
        "started_by", "late")  # fmt: skip


@dataclass(frozen=True)
class Place:
    """A laboratory: its database, its folder, and a site whose clock stands still until it is moved."""

    url: str
    folder: Path
    site: Site

    def token(self, username: str) -> str:
        """A bearer token of one of the cast."""
        with opened(self.url) as engine:
            return sign_in(Site(engine, self.site.documents, press()), username, password(username), SignInKind.TOKEN)

    def raw(self) -> Any:
        """A connection of the raw driver."""
        return closing(connect(self.url))

    def fill(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Insert rows in bulk, past the application: a fixture."""
        names = ", ".join(columns)
        with self.raw() as connection:
            if isinstance(connection, sqlite3.Connection):
                connection.execute("BEGIN IMMEDIATE")
                connection.executemany(f"INSERT INTO {table} ({names}) VALUES ({', '.join('?' * len(columns))})", rows)
                connection.execute("COMMIT")
                return
            assert isinstance(connection, psycopg.Connection)
            with connection.transaction(), connection.cursor().copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)

    def settle(self) -> None:
        """What a database does in quiet hours: fresh statistics, and everything in its place."""
        with self.raw() as connection:
            for statement in (
                ("ANALYZE", "PRAGMA wal_checkpoint(TRUNCATE)") if self.lite else ("VACUUM ANALYZE", "CHECKPOINT")
            ):
                connection.execute(statement)

    @property
    def lite(self) -> bool:
        """Whether it is SQLite."""
        return self.url.startswith("sqlite")


@contextmanager
def opened(url: str) -> Iterator[sa.Engine]:
    """An engine, closed at the end."""
    engine = engine_for(url)
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def place(engine_name: str, name: str, days_ago: int = 60) -> Iterator[Place]:
    """A new laboratory with the cast; the passwords of the cast cost little, save that of Quin, who releases."""
    kept = Path("build")
    kept.mkdir(exist_ok=True)
    with TemporaryDirectory(prefix=f"bench-{name}-", dir=kept) as path:
        folder, database = Path(path).resolve(), f"bench_{name}_{os.getpid()}"
        lite = engine_name == "sqlite"
        url = f"sqlite:///{folder / 'bench.db'}" if lite else servers.create_database(database, durable=True)
        try:
            with opened(url) as engine:
                upgrade(engine)
                clock = Clock(datetime.now(UTC) - timedelta(days=days_ago))
                _cast(engine, clock)
                documents = Documents(str(folder / "documents"))
                yield Place(url, folder, Site(engine, documents, press(), clock=clock, log_key=log_key()))
        finally:
            if not lite:
                servers.drop_database(database, durable=True)


def _cast(engine: sa.Engine, clock: Clock) -> None:
    usual, passwords.hasher = passwords.hasher, PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    try:
        furnish(engine)
    finally:
        passwords.hasher = usual
    site = Site(
        engine, Documents("memory://"), press(), clock=clock
    )  # one clock: what was set back makes no test final
    with transaction(site, COMMAND_LINE, "as costly as everybody's") as work:
        reset_password(work, ResetPassword(username="quin", password=SecretStr(password("quin"))))
