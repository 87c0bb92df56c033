"""Triggers that refuse to change or delete what is recorded, alike on SQLite and PostgreSQL (21 CFR 11.10(e)).

`op.protect(table, "UPDATE", "DELETE")` stands in a migration; Alembic's autogenerate writes it where the models ask for
it and the database has it not. PostgreSQL refuses TRUNCATE wherever it refuses DELETE.
"""

from typing import Any

import sqlalchemy as sa
from alembic.autogenerate import comparators, renderers
from alembic.autogenerate.api import AutogenContext
from alembic.operations import MigrateOperation, Operations
from alembic.operations.ops import ModifyTableOps, UpgradeOps
from alembic.util import DispatchPriority

from migrations.tables import protected

WHAT = {"UPDATE": "changed", "DELETE": "deleted", "TRUNCATE": "deleted"}

_FUNCTION = """
CREATE OR REPLACE FUNCTION exolotl_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'exolotl: rows of "%" are never %', TG_TABLE_NAME,
        CASE TG_OP WHEN 'UPDATE' THEN 'changed' ELSE 'deleted' END USING ERRCODE = 'restrict_violation';
END $$
"""


def name_of(table: str, event: str) -> str:
    """`result`, `UPDATE` -> `result_never_update`."""
    return f"{table}_never_{event.lower()}"


def statements(dialect: str, table: str, events: tuple[str, ...]) -> list[str]:
    """The SQL that makes a table refuse UPDATE or DELETE."""
    if dialect == "sqlite":
        return [
            f'CREATE TRIGGER IF NOT EXISTS "{name_of(table, event)}" BEFORE {event} ON "{table}"'
            f" BEGIN SELECT RAISE(ABORT, 'exolotl: rows of \"{table}\" are never {WHAT[event]}'); END"
            for event in events
        ]
    also = ("TRUNCATE",) if "DELETE" in events else ()
    return [
        _FUNCTION,
        *(
            f'CREATE OR REPLACE TRIGGER "{name_of(table, event)}" BEFORE {event} ON "{table}"'
            " FOR EACH STATEMENT EXECUTE FUNCTION exolotl_refuse()"
            for event in (*events, *also)
        ),
    ]


def found_in(connection: sa.Connection) -> set[str]:
    """The names of all triggers of ours that the database has."""
    query = (
        "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        if connection.dialect.name == "sqlite"
        else "SELECT t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
        " WHERE NOT t.tgisinternal AND t.tgenabled = 'O' AND c.relnamespace = current_schema()::regnamespace"
    )
    return {name for name in connection.exec_driver_sql(query).scalars() if "_never_" in name}


@Operations.register_operation("protect")
class Protect(MigrateOperation):
    """Make a table refuse events."""

    def __init__(self, table: str, *events: str) -> None:
        self.table = table
        self.events = events

    @classmethod
    def protect(cls, operations: Operations, table: str, *events: str) -> None:
        """`op.protect("result", "UPDATE", "DELETE")`."""
        operations.invoke(cls(table, *events))

    def reverse(self) -> "Protect":
        """Alembic asks for it; the way back is never written."""
        return self

    def to_diff_tuple(self) -> tuple[Any, ...]:
        """How `alembic check` shows that it is missing."""
        return ("protect", self.table, *self.events)


@Operations.implementation_for(Protect)
def _protect(operations: Operations, protect: Protect) -> None:
    dialect = operations.get_bind().dialect.name
    for statement in statements(dialect, protect.table, protect.events):
        operations.get_bind().exec_driver_sql(statement.replace("%", "%%") if dialect == "postgresql" else statement)


@comparators.dispatch_for("schema", priority=DispatchPriority.LAST)
def _missing(context: AutogenContext, upgrade: UpgradeOps, _schemas: Any) -> None:
    assert context.connection is not None
    there = found_in(context.connection)
    altered = {one.table_name for one in upgrade.ops if isinstance(one, ModifyTableOps)}
    for table, events in protected().items():
        if table in altered:  # SQLite may make the table anew, without its triggers
            upgrade.ops.append(Protect(table, *events))
        elif missing := [event for event in events if name_of(table, event) not in there]:
            upgrade.ops.append(Protect(table, *missing))


@renderers.dispatch_for(Protect)
def _render(_context: AutogenContext, protect: Protect) -> str:
    return f"op.protect({', '.join(repr(text) for text in (protect.table, *protect.events))})"
