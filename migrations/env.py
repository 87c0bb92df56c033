"""Run by Alembic for every command: which connection, and how a difference from the models is written down."""

from typing import Any, Literal

import sqlalchemy as sa
from alembic import context
from alembic.autogenerate.api import AutogenContext

import migrations.checks
import migrations.expressions
import migrations.triggers  # noqa: F401 - teaches Alembic `op.protect`
from domain.store import ExactDecimal, UtcDateTime
from migrations.tables import metadata


def in_plain_types(kind: str, item: Any, _context: AutogenContext) -> str | Literal[False]:
    """Column types of ours as what they are in the database: a migration must not change when a class does."""
    if kind != "type":
        return False
    if isinstance(item, ExactDecimal):
        return 'sa.Numeric().with_variant(sa.Text(), "sqlite")'
    if isinstance(item, UtcDateTime):
        return 'sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")'
    if type(item).__module__.startswith("sqlmodel"):
        return f"sa.String(length={item.length})" if item.length else "sa.String()"
    return False


connection: sa.Connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    render_as_batch=True,
    transactional_ddl=True,
    render_item=in_plain_types,
)
with context.begin_transaction():
    context.run_migrations()
