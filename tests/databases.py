"""A migrated database for each test, at the stage it begins with, on both engines, quickly.

SQLite: a copy of a file that was made once per worker. PostgreSQL: one database per worker, emptied between tests, and filled from rows kept
beside; copying a template takes longer than most tests.
"""

import shutil
from abc import ABC, abstractmethod
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa

from domain.store import engine_for
from migrations import upgrade
from tests import servers
from tests.cast import START, Clock
from tests.stages import STAGES, play

EMPTY = "empty"


class Databases(ABC):
    """The databases of one engine in one worker. `times`: what the clock showed at the end of each stage that was made."""

    def __init__(self) -> None:
        self.times: dict[str, datetime] = {EMPTY: START}

    @abstractmethod
    def fresh(self, stage: str) -> str:
        """The URL of a migrated database at that stage; the one given before is gone."""

    def _play(self, stage: str, url: str) -> None:
        clock = Clock(self.times[STAGES[stage][0]])
        engine = engine_for(url)
        play(stage, engine, clock)
        self._settle(engine)
        engine.dispose()
        self.times[stage] = clock.now

    def _settle(self, engine: sa.Engine) -> None:  # noqa: B027 - PostgreSQL needs nothing
        """What an engine needs before its database can be kept."""


class SQLite(Databases):
    """One file a test."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder
        self._count = 0

    def fresh(self, stage: str) -> str:
        """A copy of the stage's file."""
        (self.folder / f"{self._count}.db").unlink(missing_ok=True)
        self._count += 1
        path = self.folder / f"{self._count}.db"
        shutil.copyfile(self._kept(stage), path)
        return f"sqlite:///{path}"

    def _kept(self, stage: str) -> Path:
        path = self.folder / f"{stage}.db"
        if not path.exists():
            draft = self.folder / f"{stage}.draft.db"
            if stage == EMPTY:
                engine = engine_for(f"sqlite:///{draft}")
                upgrade(engine)
                self._settle(engine)
                engine.dispose()
            else:
                shutil.copyfile(self._kept(STAGES[stage][0]), draft)
                self._play(stage, f"sqlite:///{draft}")
            draft.rename(path)
        return path

    def _settle(self, engine: sa.Engine) -> None:
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")


class PostgreSQL(Databases):
    """One database a worker; the rows of each stage are kept in a schema of their own."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.url = servers.create_database(name)
        engine = engine_for(self.url)
        upgrade(engine)
        self._resets = {EMPTY: self._keep(engine, EMPTY)}
        engine.dispose()

    def fresh(self, stage: str) -> str:
        """The same database at its stage; whoever still holds a connection to it loses it."""
        if stage not in self._resets:
            url = self.fresh(STAGES[stage][0])
            self._play(stage, url)
            engine = engine_for(url)
            self._resets[stage] = self._keep(engine, stage)
            engine.dispose()
        engine = sa.create_engine(self.url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
        with engine.connect() as connection:
            connection.exec_driver_sql(self._resets[stage])
        return self.url

    def _keep(self, engine: sa.Engine, stage: str) -> str:
        """Copy every row into a schema of the stage; returns the script that puts them back, while triggers sleep."""
        others = "pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        reset = [f"SELECT pg_terminate_backend(pid) FROM {others}", "SET session_replication_role = replica"]
        with engine.begin() as connection:
            connection.exec_driver_sql(f"CREATE SCHEMA stage_{stage}")
            for table in sa.inspect(connection).get_table_names():
                if table == "alembic_version":
                    continue
                reset.append(f"DELETE FROM {table}")
                connection.exec_driver_sql(f"CREATE TABLE stage_{stage}.{table} AS TABLE public.{table}")
                if connection.exec_driver_sql(f"SELECT 1 FROM {table} LIMIT 1").first():
                    reset.append(f"INSERT INTO {table} SELECT * FROM stage_{stage}.{table}")
            for name, last in connection.exec_driver_sql("SELECT sequencename, last_value FROM pg_sequences").all():
                reset.append(f"SELECT setval('{name}', {last or 1}, {str(last is not None).lower()})")
        return ";\n".join(reset)
