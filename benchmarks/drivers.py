"""The raw drivers: connections as durable as ours (WAL and synchronous=FULL; fsync), with the same settings."""

import sqlite3
from typing import Any

import psycopg
import sqlalchemy as sa

from domain.store import POSTGRESQL_OPTIONS


def connect(url: str) -> Any:
    """A connection that commits each statement unless it is told otherwise."""
    parsed = sa.make_url(url)
    if parsed.get_backend_name() == "postgresql":
        address = parsed.set(drivername="postgresql").render_as_string(hide_password=False)
        return psycopg.connect(address, autocommit=True, options=POSTGRESQL_OPTIONS)
    connection = sqlite3.connect(str(parsed.database), isolation_level=None, check_same_thread=False)
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=10000"):
        connection.execute(f"PRAGMA {pragma}")
    return connection
