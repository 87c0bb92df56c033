"""CHECK constraints whose condition changed, such as a list of codes that grew: Alembic compares neither, so it is told here.

`op.recheck(table, name, condition)` stands in a migration. Conditions are compared on SQLite, where migrations are drafted: PostgreSQL writes them
anew in words of its own.
"""

from typing import Any

import sqlalchemy as sa
from alembic.autogenerate import comparators, renderers
from alembic.autogenerate.api import AutogenContext
from alembic.operations import MigrateOperation, Operations
from alembic.operations.ops import UpgradeOps
from alembic.util import DispatchPriority

from migrations.tables import metadata, protected
from migrations.triggers import Protect


@Operations.register_operation("recheck")
class Recheck(MigrateOperation):
    """Give a CHECK constraint another condition."""

    def __init__(self, table: str, name: str, condition: str) -> None:
        self.table, self.name, self.condition = table, name, condition

    @classmethod
    def recheck(cls, operations: Operations, table: str, name: str, condition: str) -> None:
        """`op.recheck("lot", "ck_lot_kind", "kind IN ('bulk', 'vial')")`."""
        operations.invoke(cls(table, name, condition))

    def reverse(self) -> "Recheck":
        """Alembic asks for it; the way back is never written."""
        return self

    def to_diff_tuple(self) -> tuple[Any, ...]:
        """How `alembic check` shows that it is missing."""
        return ("recheck", self.table, self.name, self.condition)


@Operations.implementation_for(Recheck)
def _recheck(operations: Operations, one: Recheck) -> None:
    with operations.batch_alter_table(one.table) as batch:
        batch.drop_constraint(operations.f(one.name), type_="check")
        batch.create_check_constraint(operations.f(one.name), one.condition)


@comparators.dispatch_for("schema", priority=DispatchPriority.LAST)
def _changed(context: AutogenContext, upgrade: UpgradeOps, _schemas: Any) -> None:
    connection = context.connection
    assert connection is not None
    if connection.dialect.name != "sqlite":
        return
    found, fixed = sa.inspect(connection), protected()
    for table in (one for one in metadata.sorted_tables if found.has_table(one.name)):
        there = {one["name"]: " ".join(one["sqltext"].split()) for one in found.get_check_constraints(table.name)}
        for name, condition in sorted(_wanted(connection, table).items()):
            if name in there and there[name] != condition:
                upgrade.ops.append(Recheck(table.name, name, condition))
                if table.name in fixed:  # SQLite makes the table anew, without its triggers
                    upgrade.ops.append(Protect(table.name, *fixed[table.name]))


def _wanted(connection: sa.Connection, table: sa.Table) -> dict[str, str]:
    dialect, words = connection.dialect, {"literal_binds": True, "include_table": False}
    return {
        str(dialect.identifier_preparer.format_constraint(one)): " ".join(
            str(one.sqltext.compile(dialect=dialect, compile_kwargs=words)).split()
        )
        for one in table.constraints
        if isinstance(one, sa.CheckConstraint)
    }


@renderers.dispatch_for(Recheck)
def _render(_context: AutogenContext, one: Recheck) -> str:
    return f"op.recheck({one.table!r}, {one.name!r}, {one.condition!r})"
