"""The audit trail: one sealed entry per act, in a hash chain, inside the transaction of the act (21 CFR 11.10(e)).

While a session is being collected, every insert and update of an Entity becomes a change (old -> new, and the digest of
the row as it
then is). `seal` writes them as one entry whose digest covers the entry, its changes and the digest before it. Deletes
and bulk writes that would slip past are refused. `verify` walks the chain and compares every row with its newest
digest.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

import sqlalchemy as sa
from pydantic_core import to_json
from sqlalchemy.orm import ORMExecuteState
from sqlmodel import Session, SQLModel

from domain.store import (
    AppendOnly,
    Entity,
    ExactDecimal,
    Prepared,
    UtcDateTime,
    WritingSession,
    entity_classes,
    iso_utc,
    plain_decimal,
    reading,
)

GENESIS = "0" * 64
_COLLECTED = "changes collected"

entries = sa.Table(
    "audit_entry",
    SQLModel.metadata,
    sa.Column("sequence", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=False),
    sa.Column("at", sa.Text, nullable=False),
    sa.Column("actor_id", sa.Integer),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("act", sa.Text, nullable=False),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("previous", sa.Text, nullable=False),
    sa.Column("digest", sa.Text, nullable=False, unique=True),
    sa.CheckConstraint("outcome IN ('done', 'refused')", name="outcome"),
    sa.Index(None, "at"),
    sa.Index(None, "actor_id", "sequence"),
)

changes = sa.Table(
    "audit_change",
    SQLModel.metadata,
    sa.Column("sequence", sa.ForeignKey("audit_entry.sequence"), primary_key=True),
    sa.Column("ordinal", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("record", sa.Text, nullable=False),
    sa.Column("record_id", sa.Integer, nullable=False),
    sa.Column("row_digest", sa.Text, nullable=False),
    sa.Column("changed", sa.Text, nullable=False),
    sa.Index(None, "record", "record_id", "sequence"),
)

_CHAIN_LOCK = 0x45584F4C  # one sealer at a time on PostgreSQL: an advisory lock, held from sealing to commit
_newest = Prepared(sa.select(entries.c.sequence, entries.c.digest).order_by(entries.c.sequence.desc()).limit(1))
_insert_entry = Prepared(entries.insert())
_insert_change = Prepared(changes.insert())
_inserts: dict[str, Prepared] = {}
_STREAMED = {"stream_results": True, "max_row_buffer": 5000}


@dataclass(frozen=True, slots=True)
class Head:
    """The newest entry of the chain; an empty chain has sequence 0 and the genesis digest."""

    sequence: int
    digest: str


def _plain(value: Any) -> Any:
    match value:
        case Enum():
            return value.value
        case None | bool() | int() | str() | float():
            return value
        case Decimal():
            return plain_decimal(value)
        case datetime():
            return iso_utc(value)
        case date():
            return value.isoformat()
    raise TypeError(f"no audit form for {type(value).__name__}")


_json = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode


def row_text(row: Mapping[str, Any]) -> str:
    """A row's canonical JSON; without empty columns, so that one added later changes nothing while empty."""
    return _json({name: _plain(value) for name, value in row.items() if value is not None})


def row_digest(row: Mapping[str, Any]) -> str:
    """SHA-256 of a row's canonical JSON."""
    return hashlib.sha256(row_text(row).encode()).hexdigest()


def entry_text(entry: Iterable[Any], changed: Iterable[Iterable[Any]]) -> str:
    """Length-prefixed fields: previous digest, the entry from sequence to reason, then every change."""
    fields = [*entry, *(field for change in changed for field in change)]
    return "".join([f"{len(text)}:{text}" for text in map(str, fields)])


def entry_digest(entry: Iterable[Any], changed: Iterable[Iterable[Any]]) -> str:
    """SHA-256 of an entry and its changes."""
    return hashlib.sha256(entry_text(entry, changed).encode()).hexdigest()


def collect(session: Session) -> list[tuple[str, int, str, str]]:
    """From now on every Entity change of the session is put in this list: (record, id, row digest, changed)."""
    collected: list[tuple[str, int, str, str]] = session.info.setdefault(_COLLECTED, [])
    return collected


def written_so_far(session: Session) -> int:
    """How many changes the session has written: what was read before the last of them may no longer hold."""
    return len(session.info.get(_COLLECTED, ()))


def insert(session: Session, entity: AppendOnly) -> None:
    """Write a new row that will never change, and collect it: what never changes need not be watched by the session."""
    session.flush()
    table: sa.Table = entity.__table__  # type: ignore[attr-defined]
    if table.name not in _inserts:
        _inserts[table.name] = Prepared(table.insert().returning(table.c.id))
    row = _row(entity)
    entity.id = _inserts[table.name].rows(session.connection(), **row)[0].id
    changed = {name: [None, value] for name, value in row.items() if value is not None}
    session.info[_COLLECTED].append(_change(entity, changed))


@sa.event.listens_for(WritingSession, "after_flush")
def _collect(session: Session, _context: Any) -> None:
    found = list(_changes_of(session))
    if found and _COLLECTED not in session.info:
        raise RuntimeError("records change only where the audit trail listens: there is no way to switch it off")
    if found:
        session.info[_COLLECTED].extend(found)


@sa.event.listens_for(WritingSession, "before_flush")
def _refuse_deletes(session: Session, _context: Any, _instances: Any) -> None:
    if session.deleted:
        raise RuntimeError("nothing is ever deleted")


@sa.event.listens_for(WritingSession, "do_orm_execute")
def _refuse_bulk(state: ORMExecuteState) -> None:
    if isinstance(state.statement, sa.TextClause):
        raise RuntimeError("SQL as text could slip past the audit trail")
    if not (state.is_insert or state.is_update or state.is_delete):
        return
    table = getattr(state.statement, "table", None)
    if table is None or table.name in entity_classes():
        raise RuntimeError("a bulk write of records would slip past the audit trail")


def _changes_of(session: Session) -> Iterator[tuple[str, int, str, str]]:
    for entity in session.new:
        if isinstance(entity, Entity):
            yield _change(entity, {name: [None, value] for name, value in _row(entity).items() if value is not None})
    for entity in session.dirty:
        if isinstance(entity, Entity) and session.is_modified(entity):
            if entity.append_only:
                raise RuntimeError(f"{type(entity).__name__} is append-only")
            yield _change(entity, dict(_differences(entity)))


def _row(entity: Entity) -> dict[str, Any]:
    state = entity.__dict__
    return {column.name: state.get(column.name) for column in entity.__table__.columns}  # type: ignore[attr-defined]


def _differences(entity: Entity) -> Iterator[tuple[str, list[Any]]]:
    state = sa.inspect(entity)
    for name in _row(entity):
        history = state.attrs[name].history
        if history.has_changes():
            yield name, [history.deleted[0] if history.deleted else None, history.added[0] if history.added else None]


def _change(entity: Entity, changed: dict[str, list[Any]]) -> tuple[str, int, str, str]:
    readable = {
        name: [_plain(old), _plain(new)] for name, (old, new) in changed.items() if name not in ("id", "version")
    }
    return entity.__table__.name, entity.key, row_digest(_row(entity)), _json(readable)  # type: ignore[attr-defined]


def head(session: Session) -> Head:
    """The newest sealed entry."""
    found = _newest.rows(session.connection())
    return Head(found[0].sequence, found[0].digest) if found else Head(0, GENESIS)


def seal(
    session: Session,
    *,
    at: datetime,
    actor_id: int | None,
    actor: str,
    act: str,
    outcome: str,
    reason: str,
    collected: list[tuple[str, int, str, str]],
) -> Head:
    """Append one entry with its changes to the chain; the caller commits. Returns the new head."""
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_CHAIN_LOCK})")
    last = head(session)
    fields = (last.sequence + 1, iso_utc(at), actor_id, actor, act, outcome, reason)
    numbered = [(ordinal, *change) for ordinal, change in enumerate(collected)]
    digest = entry_digest((last.digest, *fields), numbered)
    names = ("sequence", "at", "actor_id", "actor", "act", "outcome", "reason")
    _insert_entry.rows(connection, **dict(zip(names, fields, strict=True)), previous=last.digest, digest=digest)
    columns = ("ordinal", "record", "record_id", "row_digest", "changed")
    rows = [{"sequence": fields[0], **dict(zip(columns, row, strict=True))} for row in numbered]
    if len(rows) == 1:
        _insert_change.rows(connection, **rows[0])
    elif rows:
        _insert_change.many(connection, rows)
    collected.clear()
    return Head(last.sequence + 1, digest)


@dataclass(frozen=True, slots=True)
class Verification:
    """What `verify` found: how much it looked at, and the first thing that is broken, in words (None: all is well)."""

    entries: int
    rows: int
    broken: str | None
    head: Head


def verify(
    engine: sa.Engine,
    anchors: Iterable[tuple[int, str, str]] = (),
    progress: Callable[[int], None] = lambda _done: None,
) -> Verification:
    """Walk the whole chain, then compare every row under audit with its newest digest, in one consistent view.

    anchors: (sequence, digest, where it is printed): heads noted elsewhere, such as on certificates, so that a cut tail
    shows.
    """
    with reading(engine, consistent=True) as session:
        count, last, broken = _verify_chain(
            session, {sequence: (digest, where) for sequence, digest, where in anchors}, progress
        )
        rows = 0
        if broken is None:
            for cls in entity_classes().values():
                seen, broken = _verify_rows(session, cls)
                rows += seen
                if broken:
                    break
        return Verification(count, rows, broken, last)


def _raw(session: Session, sql: str) -> Iterator[Any]:
    """Rows as the driver gives them, streamed: the chain is text, and text needs no conversion."""
    return iter(session.connection().exec_driver_sql(sql, execution_options=_STREAMED))


def _stored_forms(columns: Iterable[sa.Column[Any]], dialect: str) -> list[tuple[str, Callable[[Any], Any]]]:
    """What the driver gives otherwise than it was sealed: on SQLite everything is sealed as it is stored, save booleans."""
    if dialect == "sqlite":
        truth = {0: False, 1: True}
        return [
            (column.name, lambda one: truth.get(one, one)) for column in columns if isinstance(column.type, sa.Boolean)
        ]
    kinds = (sa.DateTime, sa.Date, sa.Numeric, UtcDateTime, ExactDecimal)
    return [(column.name, _plain) for column in columns if isinstance(column.type, kinds)]


def _verify_chain(
    session: Session, anchors: dict[int, tuple[str, str]], progress: Callable[[int], None]
) -> tuple[int, Head, str | None]:
    sequence, previous = 0, GENESIS
    stream = _raw(
        session,
        "SELECT sequence, ordinal, record, record_id, row_digest, changed FROM audit_change ORDER BY sequence, ordinal",
    )
    change = next(stream, None)
    for row in _raw(
        session,
        "SELECT previous, sequence, at, actor_id, actor, act, outcome, reason, digest"
        " FROM audit_entry ORDER BY sequence",
    ):
        sequence += 1
        if row[1] != sequence:
            return sequence, Head(sequence - 1, previous), f"entry {sequence} is missing from the audit trail"
        own = []
        while change is not None and change[0] == sequence:
            own.append(change[1:])
            change = next(stream, None)
        if row[0] != previous or entry_digest(row[:8], own) != row[8]:
            return (
                sequence,
                Head(sequence - 1, previous),
                f"audit entry {sequence} ({row[5]}) was altered after it was sealed",
            )
        previous = row[8]
        if sequence in anchors and anchors.pop(sequence)[0] != previous:
            return sequence, Head(sequence, previous), f"audit entry {sequence} is not the one printed elsewhere"
        if not sequence % 10_000:
            progress(sequence)
    if change is not None:
        return (
            sequence,
            Head(sequence, previous),
            f"audit entry {change[0]} has changes but is missing from the audit trail",
        )
    if anchors:
        first, (_, where) = min(anchors.items())
        return (
            sequence,
            Head(sequence, previous),
            f"the audit trail ends at entry {sequence}, but {where} names entry {first}",
        )
    return sequence, Head(sequence, previous), None


def _verify_rows(session: Session, cls: type[Entity]) -> tuple[int, str | None]:
    table: sa.Table = cls.__table__  # type: ignore[attr-defined]
    columns = sorted(table.columns, key=lambda column: column.name)
    names = [column.name for column in columns]
    connection = session.connection()
    stored = _stored_forms(columns, connection.dialect.name)
    count = 0
    newest = (
        f"SELECT row_digest FROM audit_change WHERE record = '{table.name}' AND record_id = here.id"  # noqa: S608 - our own names
        " ORDER BY sequence DESC, ordinal DESC LIMIT 1"
    )
    shown = ", ".join(f'here."{name}"' for name in names)
    for row in _raw(session, f"SELECT {shown}, ({newest}) FROM {table.name} AS here ORDER BY here.id"):  # noqa: S608
        count += 1
        if bytes in map(
            type, row
        ):  # SQLite keeps bytes in any column: they read as the text, and are found by no look-up
            return count, f"{table.name} {row[names.index('id')]} was altered behind the application's back"
        fields = {name: value for name, value in zip(names, row, strict=False) if value is not None}
        for name, plain in stored:
            if name in fields:
                fields[name] = plain(fields[name])
        if hashlib.sha256(to_json(fields)).hexdigest() == row[-1]:
            continue
        if row[-1] is None:
            return count, f"{table.name} {fields['id']} was put in behind the application's back"
        if row_digest(fields) != row[-1]:  # the other writer of JSON was the quick one; this is the one that sealed
            return count, f"{table.name} {fields['id']} was altered behind the application's back"
    gone = connection.execute(
        sa.select(changes.c.record_id, changes.c.sequence)
        .where(changes.c.record == table.name, ~sa.exists().where(table.c.id == changes.c.record_id))
        .limit(1)
    ).first()
    return count, f"{table.name} {gone.record_id} of audit entry {gone.sequence} has vanished" if gone else None
