"""Work for later: enqueued in the act's transaction, claimed by compare-and-swap, tried again with growing pauses.

A job is no record: it stands outside the audit trail; what it does is an act like any other.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, SQLModel

from domain.store import UtcDateTime, writing
from domain.work import Site

LEASE = timedelta(minutes=10)
MOST_TRIES = 8

jobs = sa.Table(
    "job",
    SQLModel.metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("payload", sa.Text, nullable=False),
    sa.Column("due_at", UtcDateTime, nullable=False, index=True),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("claim", sa.Integer, nullable=False),
    sa.Column("done_at", UtcDateTime),
    sa.Column("failure", sa.Text),
    sa.Column("priority", sa.Integer, nullable=False, server_default="0"),
    sa.Column("most_tries", sa.Integer, nullable=False, server_default=str(MOST_TRIES)),
)


@dataclass(frozen=True, slots=True)
class Job:
    """A claimed job; `claim` counts how often it was claimed."""

    id: int
    kind: str
    payload: dict[str, Any]
    tries: int
    claim: int
    most_tries: int


Handler = Callable[[Site, dict[str, Any]], None]


def enqueue(
    session: Session,
    kind: str,
    payload: dict[str, Any],
    due_at: datetime,
    *,
    priority: int = 0,
    most_tries: int = MOST_TRIES,
) -> None:
    """Put a job in the queue; it exists if, and only if, the act that asked for it is committed.

    priority: of the jobs that are due, those with more come first.
    """
    fresh = {"due_at": due_at, "tries": 0, "claim": 0, "priority": priority, "most_tries": most_tries}
    session.execute(jobs.insert(), {"kind": kind, "payload": json.dumps(payload), **fresh})


def claim(site: Site) -> Job | None:
    """Take the most urgent job that is due, of several the one that is due longest, for ten minutes; two workers never take the same one."""
    now = site.clock()
    with writing(site.engine) as session:
        due = sa.select(jobs).where(jobs.c.done_at.is_(None), jobs.c.failure.is_(None), jobs.c.due_at <= now)
        first = due.order_by(jobs.c.priority.desc(), jobs.c.due_at, jobs.c.id).limit(1)
        row = session.execute(first.with_for_update(skip_locked=True)).first()
        if row is None:
            return None
        swap = jobs.update().where(jobs.c.id == row.id, jobs.c.claim == row.claim, jobs.c.done_at.is_(None))
        taken = session.execute(swap.values(claim=row.claim + 1, tries=row.tries + 1, due_at=now + LEASE))
        session.commit()
        if taken.rowcount != 1:  # type: ignore[attr-defined]
            return None
        return Job(row.id, row.kind, json.loads(row.payload), row.tries + 1, row.claim + 1, row.most_tries)


def run_one(site: Site, handlers: Mapping[str, Handler]) -> Job | None:
    """Claim a job and do it; what fails is tried again, and after its last try (the eighth, as a rule) kept as failed. None: nothing is due."""
    job = claim(site)
    if job is None:
        return None
    try:
        handlers[job.kind](site, job.payload)
    except Exception as error:
        values: dict[str, Any] = {"due_at": site.clock() + timedelta(seconds=2**job.tries * 10)}
        if job.tries >= job.most_tries:
            values["failure"] = f"{type(error).__name__}: {error}"[:500]
        _settle(site, job, values)
        raise
    _settle(site, job, {"done_at": site.clock()})
    return job


def _settle(site: Site, job: Job, values: dict[str, Any]) -> None:
    with writing(site.engine) as session:
        session.execute(jobs.update().where(jobs.c.id == job.id, jobs.c.claim == job.claim).values(**values))
        session.commit()
