"""What a person with a database shell, and no good intentions, would do."""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from domain.store import WRITING
from domain.work import Site


@contextmanager
def triggers_asleep(site: Site) -> Iterator[sa.Connection]:
    """A connection on which no trigger and no reference is looked at; what is done on it is committed."""
    with site.engine.execution_options(**{WRITING: True}).connect() as connection:
        if connection.dialect.name == "postgresql":
            with connection.begin():
                connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
                yield connection
            return
        driver = connection.connection.driver_connection
        assert driver is not None
        driver.execute("PRAGMA foreign_keys=OFF")
        with connection.begin():
            kept = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").all()
            for name, _ in kept:
                connection.exec_driver_sql(f'DROP TRIGGER "{name}"')
            yield connection
            for _, statement in kept:
                connection.exec_driver_sql(statement)
        driver.execute("PRAGMA foreign_keys=ON")
