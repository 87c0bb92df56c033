"""Versions of the database. `upgrade` brings one to the newest; nothing ever goes back, as nothing is ever deleted.

Everything is configured here, in code, so that an installed package migrates wherever it is started.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from domain.store import WRITING

_ONE_AT_A_TIME = 0x45584F4D  # an advisory lock on PostgreSQL; on SQLite, BEGIN IMMEDIATE does as much


def config() -> Config:
    """Where Alembic finds the versions."""
    found = Config()
    found.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    found.set_main_option("path_separator", "newline")
    return found


def revisions() -> list[str]:
    """Every version there is, oldest first."""
    return [script.revision for script in ScriptDirectory.from_config(config()).walk_revisions()][::-1]


def upgrade(engine: sa.Engine, revision: str = "head") -> None:
    """Bring the database to a version: all of it or nothing, and one process at a time."""
    with _connected(engine) as connection:
        settings = config()
        settings.attributes["connection"] = connection
        command.upgrade(settings, revision)


def current(engine: sa.Engine) -> str | None:
    """The version the database has; None for an empty one."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


@contextmanager
def _connected(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A transaction. SQLite alters a table by copying it, so references are checked at the end, not on the way."""
    with engine.execution_options(**{WRITING: True}).connect() as connection:
        if connection.dialect.name == "sqlite":
            driver = connection.connection.driver_connection
            assert driver is not None
            driver.execute("PRAGMA foreign_keys=OFF")
            try:
                with connection.begin():
                    yield connection
                    if broken := connection.exec_driver_sql("PRAGMA foreign_key_check").first():
                        raise RuntimeError(f"a migration broke a reference of the table {broken[0]}")
            finally:
                driver.execute("PRAGMA foreign_keys=ON")
        else:
            with connection.begin():
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_ONE_AT_A_TIME})")
                yield connection
