"""Indexes on expressions: Alembic leaves them out on SQLite, as SQLAlchemy cannot read them back there; by name it can tell whether they exist."""

from typing import Any

import sqlalchemy as sa
from alembic.autogenerate import comparators
from alembic.autogenerate.api import AutogenContext
from alembic.operations.ops import CreateIndexOp, UpgradeOps
from alembic.util import DispatchPriority

from migrations.tables import metadata


@comparators.dispatch_for("schema", priority=DispatchPriority.LAST)
def _missing(context: AutogenContext, upgrade: UpgradeOps, _schemas: Any) -> None:
    assert context.connection is not None
    if context.connection.dialect.name != "sqlite":
        return
    there = set(context.connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'index'").scalars())
    for table in metadata.sorted_tables:
        for index in sorted(table.indexes, key=lambda one: str(one.name)):
            if any(not isinstance(part, sa.Column) for part in index.expressions) and index.name not in there:
                upgrade.ops.append(CreateIndexOp.from_index(index))
