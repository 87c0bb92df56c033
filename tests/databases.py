"""A migrated database for each test, on both engines, quickly.

SQLite: a copy of a file that was migrated once per worker. PostgreSQL: one database per worker, emptied between tests; copying a template takes
longer than most tests. What is to be there at the start (the cast) is made once, kept, and put back.
"""

import shutil
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path

import sqlalchemy as sa

from domain.store import engine_for
from migrations import upgrade
from tests import servers

Setting = Callable[[sa.Engine], None]


class Databases(ABC):
    """The databases of one engine in one worker; `setting` fills the one that is not empty, and is called once."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting

    @abstractmethod
    def fresh(self, *, furnished: bool) -> str:
        """The URL of a migrated database, empty or with the setting in it; the one given before is gone."""


class SQLite(Databases):
    """One file a test."""

    def __init__(self, folder: Path, setting: Setting) -> None:
        super().__init__(setting)
        self.folder = folder
        self._count = 0

    def fresh(self, *, furnished: bool) -> str:
        """A copy of the template."""
        (self.folder / f"{self._count}.db").unlink(missing_ok=True)
        self._count += 1
        path = self.folder / f"{self._count}.db"
        shutil.copyfile(self._template(furnished=furnished), path)
        return f"sqlite:///{path}"

    def _template(self, *, furnished: bool) -> Path:
        path = self.folder / ("furnished.db" if furnished else "empty.db")
        if not path.exists():
            draft = self.folder / "draft.db"
            engine = engine_for(f"sqlite:///{draft}")
            if furnished:
                shutil.copyfile(self._template(furnished=False), draft)
                self.setting(engine)
            else:
                upgrade(engine)
            with engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            engine.dispose()
            draft.rename(path)
        return path


class PostgreSQL(Databases):
    """One database a worker; the rows of the setting are kept beside it in a schema of their own."""

    def __init__(self, name: str, setting: Setting) -> None:
        super().__init__(setting)
        self.url = servers.create_database(name)
        self._reset = {False: "", True: ""}
        engine = engine_for(self.url)
        upgrade(engine)
        self._keep(engine, "nothing", furnished=False)
        engine.dispose()

    def fresh(self, *, furnished: bool) -> str:
        """The same database, as it was at the start; whoever still holds a connection to it loses it."""
        if furnished and not self._reset[True]:
            url = self.fresh(furnished=False)
            engine = engine_for(url)
            self.setting(engine)
            self._keep(engine, "furniture", furnished=True)
            engine.dispose()
        engine = sa.create_engine(self.url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
        with engine.connect() as connection:
            connection.exec_driver_sql(self._reset[furnished])
        return self.url

    def _keep(self, engine: sa.Engine, schema: str, *, furnished: bool) -> None:
        """Copy every row into the schema, and write the script that puts them back; triggers sleep meanwhile."""
        reset = [
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
            "SET session_replication_role = replica",
        ]
        with engine.begin() as connection:
            connection.exec_driver_sql(f"CREATE SCHEMA {schema}")
            for table in sa.inspect(connection).get_table_names():
                if table == "alembic_version":
                    continue
                reset.append(f"DELETE FROM {table}")
                connection.exec_driver_sql(f"CREATE TABLE {schema}.{table} AS TABLE public.{table}")
                if connection.exec_driver_sql(f"SELECT 1 FROM {table} LIMIT 1").first():
                    reset.append(f"INSERT INTO {table} SELECT * FROM {schema}.{table}")
            for name, last in connection.exec_driver_sql("SELECT sequencename, last_value FROM pg_sequences").all():
                reset.append(f"SELECT setval('{name}', {last or 1}, {str(last is not None).lower()})")
        self._reset[furnished] = ";\n".join(reset)
