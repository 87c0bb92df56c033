"""Two engines, one behaviour: engines, the Entity base and the exact column types.

SQLite: WAL, synchronous=FULL, writes begin IMMEDIATE under one in-process lock (a deferred BEGIN loses updates
silently).
PostgreSQL: READ COMMITTED for writes, AUTOCOMMIT for reads, jit off (JIT makes recursive traces slower).
"""

import re
import threading
from collections import namedtuple
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import declared_attr
from sqlmodel import Field, Session, SQLModel

WRITING = "exolotl_writing"
#: No JIT: it makes a trace nine times slower. Data lie on flash, where an index is worth its random reads.
POSTGRESQL_OPTIONS = "-c jit=off -c random_page_cost=1.1"

SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class ExactDecimal(sa.types.TypeDecorator[Decimal]):
    """A Decimal that comes back digit for digit (7.40 stays 7.40): numeric on PostgreSQL, text on SQLite."""

    impl = sa.Numeric
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        return dialect.type_descriptor(sa.Text() if dialect.name == "sqlite" else sa.Numeric())

    def process_bind_param(self, value: Decimal | None, dialect: sa.Dialect) -> Any:
        if value is None:
            return None
        if not isinstance(value, Decimal) or not value.is_finite():  # type: ignore[redundant-expr]
            raise ValueError(f"not a finite Decimal: {value!r}")
        plain = plain_decimal(value)
        return plain if dialect.name == "sqlite" else Decimal(plain)

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> Decimal | None:
        return None if value is None else Decimal(value)


def plain_decimal(value: Decimal) -> str:
    """All digits, without an exponent; zero has no sign, as PostgreSQL keeps none."""
    return format(value.copy_abs() if value.is_zero() else value, "f")


def iso_utc(moment: datetime) -> str:
    """UTC as text of fixed width (2026-11-22T10:08:35.000000Z), so that text order is time order."""
    if moment.tzinfo is None:
        raise ValueError("a time without a time zone")
    return moment.astimezone(UTC).isoformat(timespec="microseconds")[:26] + "Z"


class UtcDateTime(sa.types.TypeDecorator[datetime]):
    """An aware datetime, always UTC: timestamptz on PostgreSQL, ISO text of fixed width on SQLite."""

    impl = sa.DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        return dialect.type_descriptor(sa.Text() if dialect.name == "sqlite" else sa.DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> Any:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a time zone")
        return iso_utc(value) if dialect.name == "sqlite" else value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        return datetime.fromisoformat(value) if isinstance(value, str) else value.astimezone(UTC)


def coded(kind: type[StrEnum], *, check: str | None = None, **options: Any) -> Any:
    """A column that holds one of the enum's values as text, repeated as a CHECK (named after the enum, or `check`)."""
    return Field(sa_type=_coded_type(kind, check or snake_case(kind.__name__)), **options)


def snake_case(name: str) -> str:
    """`LotKind` -> `lot_kind`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def _coded_type(kind: type[StrEnum], check: str) -> sa.Enum:
    values = [member.value for member in kind]
    return sa.Enum(
        kind, native_enum=False, create_constraint=True, values_callable=lambda _: values, name=check, length=40
    )


def moment(**options: Any) -> Any:
    """A UTC time column."""
    return Field(sa_type=UtcDateTime, **options)


def exact(**options: Any) -> Any:
    """An exact decimal column."""
    return Field(sa_type=ExactDecimal, **options)


class Entity(SQLModel):
    """Base of every table under audit.

    Rows are made only inside operations, never deleted. `version` refuses stale writes. A class with `append_only` is
    never updated either: a correction is a new row.
    """

    append_only: ClassVar[bool] = False

    id: int | None = Field(default=None, primary_key=True)
    version: int = Field(default=1, nullable=False)

    @declared_attr.directive
    def __tablename__(cls) -> str:  # noqa: N805 - declared_attr gives the class
        return snake_case(cls.__name__)

    @declared_attr.directive
    def __mapper_args__(cls) -> dict[str, Any]:  # noqa: N805 - declared_attr gives the class
        return {"version_id_col": cls.__table__.c.version, "eager_defaults": False} if hasattr(cls, "__table__") else {}

    @property
    def key(self) -> int:
        """The id of a row that has been written."""
        assert self.id is not None, f"{type(self).__name__} has not been written yet"
        return self.id


class AppendOnly(Entity):
    """Base of tables whose rows are never changed; triggers on both engines repeat the law."""

    append_only: ClassVar[bool] = True


def entity_classes() -> dict[str, type[Entity]]:
    """Every table under audit, by table name."""
    found: dict[str, type[Entity]] = {}
    open_classes: list[type[Entity]] = [Entity]
    while open_classes:
        for cls in open_classes.pop().__subclasses__():
            open_classes.append(cls)
            if hasattr(cls, "__table__"):
                found[cls.__table__.name] = cls
    return dict(sorted(found.items()))


def engine_for(url: str, *, pool_size: int = 10) -> sa.Engine:
    """The engine for `sqlite:///path` or `postgresql+psycopg://…`; anything else is refused."""
    parsed = sa.make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return _sqlite(parsed, pool_size)
    if parsed.get_backend_name() == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
        return sa.create_engine(
            parsed, pool_size=pool_size, max_overflow=0, connect_args={"options": POSTGRESQL_OPTIONS}
        )
    raise ValueError(f"no engine for {parsed.get_backend_name()!r}: allowed are sqlite and postgresql")


def _sqlite(url: sa.URL, pool_size: int) -> sa.Engine:
    engine = sa.create_engine(
        url, poolclass=sa.QueuePool, pool_size=pool_size, max_overflow=0, connect_args={"check_same_thread": False}
    )

    @sa.event.listens_for(engine, "connect")
    def _settle(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "busy_timeout=10000",
            "recursive_triggers=ON",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        writing = connection.get_execution_options().get(WRITING)
        driver: Any = connection.connection.driver_connection
        driver.execute("BEGIN IMMEDIATE" if writing else "BEGIN")

    return engine


_write_locks: dict[str, threading.Lock] = {}


def _write_lock(engine: sa.Engine) -> AbstractContextManager[Any]:
    """One writer at a time on SQLite (p99 of a commit fell from 1 s to 60 ms); PostgreSQL needs none."""
    if engine.dialect.name != "sqlite":
        return nullcontext()
    return _write_locks.setdefault(str(engine.url), threading.Lock())


@contextmanager
def reading(engine: sa.Engine, *, consistent: bool = False) -> Iterator[Session]:
    """A session for queries; `consistent` makes several statements see one state of the data."""
    level = "REPEATABLE READ" if consistent else "AUTOCOMMIT"
    bound = engine if engine.dialect.name == "sqlite" else _isolated(engine, level)
    with Session(bound, autoflush=False, expire_on_commit=False) as session:
        yield session
        if consistent and bound is not engine and session.in_transaction():
            # Nothing was flushed, so nothing is written: but at a ROLLBACK psycopg forgets every statement it has prepared.
            driver: Any = session.connection().connection.driver_connection
            driver.commit()


class WritingSession(Session):
    """A session of one act, and so of one transaction; the audit trail listens to all of them."""

    _own: sa.Connection | None = None

    def connection(self, *arguments: Any, **options: Any) -> sa.Connection:
        """The connection of the transaction; found once, as an act asks for it many times."""
        if arguments or options:
            return super().connection(*arguments, **options)
        if self._own is None:
            self._own = super().connection()
        return self._own

    def commit(self) -> None:
        """Commit, or throw the connection away: what a failed COMMIT leaves open in it would be the next act's."""
        try:
            super().commit()
        except BaseException:
            self.invalidate()
            raise


@contextmanager
def writing(engine: sa.Engine) -> Iterator[Session]:
    """A session that may write. It never commits by itself: `work.transaction` does."""
    with _write_lock(engine), WritingSession(_for_writing(engine), expire_on_commit=False) as session:
        yield session


@lru_cache(maxsize=16)
def _isolated(engine: sa.Engine, level: str) -> sa.Engine:
    return engine.execution_options(isolation_level=level)


@lru_cache(maxsize=16)
def _for_writing(engine: sa.Engine) -> sa.Engine:
    return engine.execution_options(**{WRITING: True})


@lru_cache(maxsize=16)
def _own_connections(engine: sa.Engine) -> list[Any]:
    """Open connections that wait for single statements, the last used on top; as many as were ever asked at once."""
    waiting: list[Any] = []

    @sa.event.listens_for(engine, "engine_disposed")
    def _close(_engine: sa.Engine) -> None:
        while waiting:
            waiting.pop().close()

    return waiting


def _own_connection(engine: sa.Engine) -> Any:
    pooled = engine.raw_connection()
    driver: Any = pooled.driver_connection
    pooled.detach()
    if engine.dialect.name != "sqlite":
        driver.autocommit = True
    return driver


class Prepared:
    """A statement compiled once for each engine and handed to the driver itself, for what is asked or written all day.

    Values and rows pass through the column types as ever; left out is what SQLAlchemy builds and wraps at each call
    (measured: three quarters of the time of a look-up). Its text must not depend on its values, as that of an IN list does.
    """

    def __init__(self, statement: sa.Executable) -> None:
        self._statement = statement
        self._compiled: dict[str, _Compiled] = {}

    def rows(self, connection: sa.Connection, /, **values: Any) -> list[Any]:
        """Its rows, as part of the connection's transaction."""
        if not connection.in_transaction():
            connection.begin()
        driver = connection.connection.driver_connection
        return self._for(connection.dialect).run(driver, values)

    def alone(self, engine: sa.Engine, /, **values: Any) -> list[Any]:
        """Its rows, by itself: one statement sees one state of the data, and needs no transaction round it.

        It has connections of its own, which no transaction ever uses: to take one of the pool and give it back costs as much as the statement.
        """
        own = _own_connections(engine)
        try:
            driver = own.pop()
        except IndexError:
            driver = _own_connection(engine)
        try:
            found = self._for(engine.dialect).run(driver, values)
        except BaseException:
            driver.close()
            raise
        own.append(driver)
        return found

    def many(self, connection: sa.Connection, rows: list[dict[str, Any]]) -> None:
        """Run it for each set of values, as part of the connection's transaction; its rows are not wanted."""
        driver: Any = connection.connection.driver_connection
        self._for(connection.dialect).run_many(driver, rows)

    def _for(self, dialect: sa.Dialect) -> "_Compiled":
        found = self._compiled.get(dialect.name)
        if found is None:
            found = self._compiled[dialect.name] = _Compiled(self._statement, dialect)
        return found


class _Compiled:
    """A statement in the SQL of one engine, with what its column types do to values and rows."""

    def __init__(self, statement: Any, dialect: sa.Dialect) -> None:
        names = None
        if statement.is_insert:
            given = statement.table.autoincrement_column
            names = [column.name for column in statement.table.columns if column is not given]
        compiled = statement.compile(dialect=dialect, column_keys=names)
        self.sql, self.order, self.dialect = str(compiled), compiled.positiontup, dialect
        self.given, self.before = compiled.params, compiled._bind_processors
        self.types = [column.type for column in compiled._result_columns]
        self.row: Any = namedtuple("Row", [column.keyname for column in compiled._result_columns])  # type: ignore[misc]
        self.after: list[tuple[int, Any]] | None = None

    def run(self, driver: Any, values: dict[str, Any]) -> list[Any]:
        with self._errors():
            cursor = driver.execute(self.sql, self._bound(values))
            found = cursor.fetchall() if cursor.description else []
        if self.after is None:
            kinds = zip(self.types, cursor.description or (), strict=True)
            made = [kind.dialect_impl(self.dialect).result_processor(self.dialect, one[1]) for kind, one in kinds]
            self.after = [(at, process) for at, process in enumerate(made) if process is not None]
        return [self.row._make(self._shown(one)) for one in found]

    def run_many(self, driver: Any, rows: list[dict[str, Any]]) -> None:
        with self._errors():
            driver.cursor().executemany(self.sql, [self._bound(values) for values in rows])

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """What the driver refuses is raised as SQLAlchemy would."""
        driver: Any = self.dialect.dbapi
        try:
            yield
        except driver.Error as error:
            raise sa.exc.DBAPIError.instance(self.sql, None, error, driver.Error, dialect=self.dialect) from error

    def _bound(self, values: dict[str, Any]) -> Any:
        bound = {**self.given, **values}
        for name, process in self.before.items():
            bound[name] = process(bound[name])
        return [bound[name] for name in self.order] if self.order else bound

    def _shown(self, row: Any) -> Any:
        if not self.after:
            return row
        shown = list(row)
        for at, process in self.after:
            shown[at] = process(shown[at])
        return shown
