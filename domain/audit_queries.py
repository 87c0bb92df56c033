"""Reading the audit trail: by record, by person, by time."""

import json
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from domain.audit import changes, entries
from domain.store import iso_utc
from domain.work import View

MOST = 500


class ChangeView(View):
    """What an act changed on one record: column -> [old, new]."""

    record: str
    record_id: int
    row_digest: str
    changed: dict[str, list[Any]]


class EntryView(View):
    """One sealed entry."""

    sequence: int
    at: datetime
    actor_id: int | None
    actor: str
    act: str
    outcome: str
    reason: str
    previous: str
    digest: str
    changes: tuple[ChangeView, ...]


class EntriesFound(View):
    """A page of entries, newest first; `next` is the `before` of the following page."""

    entries: tuple[EntryView, ...]
    next: int | None


def find_entries(
    session: Session,
    *,
    record: str | None = None,
    record_id: int | None = None,
    actor: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    before: int | None = None,
    limit: int = 50,
) -> EntriesFound:
    """Entries that touched a record (table name, with or without its id), by a person (printed name), within a time; two statements."""
    found = sa.select(entries)
    if record is not None:
        touched = sa.select(changes.c.sequence).where(changes.c.record == record)
        found = found.where(
            entries.c.sequence.in_(
                touched.where(changes.c.record_id == record_id) if record_id is not None else touched
            )
        )
    if actor is not None:
        found = found.where(entries.c.actor == actor)
    if since is not None:
        found = found.where(entries.c.at >= iso_utc(since))
    if until is not None:
        found = found.where(entries.c.at <= iso_utc(until))
    if before is not None:
        found = found.where(entries.c.sequence < before)
    limit = max(1, min(limit, MOST))
    connection = session.connection()
    rows = connection.execute(found.order_by(entries.c.sequence.desc()).limit(limit + 1)).all()
    shown = rows[:limit]
    own: dict[int, list[ChangeView]] = {}
    wanted = changes.c.sequence.in_([row.sequence for row in shown])
    for change in connection.execute(sa.select(changes).where(wanted).order_by(changes.c.sequence, changes.c.ordinal)):
        view = ChangeView(
            record=change.record,
            record_id=change.record_id,
            row_digest=change.row_digest,
            changed=json.loads(change.changed),
        )
        own.setdefault(change.sequence, []).append(view)
    views = tuple(
        EntryView(**{**row._mapping, "at": datetime.fromisoformat(row.at)}, changes=tuple(own.get(row.sequence, ())))
        for row in shown
    )
    return EntriesFound(entries=views, next=shown[-1].sequence if len(rows) > limit else None)
