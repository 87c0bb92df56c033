"""The worker: does queued jobs, and has the whole audit trail checked once a day."""

import logging
import time
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from domain import audit
from domain.certificates.queries import anchors
from domain.jobs import enqueue, jobs, run_one
from domain.store import reading, writing
from domain.work import Site

logger = logging.getLogger("exolotl.worker")

VERIFY = "verify-audit"
EVERY = timedelta(days=1)


class BrokenTrail(RuntimeError):
    """The audit trail does not verify."""


def verify_audit(site: Site, _payload: dict[str, Any]) -> None:
    """Check the audit trail; a broken one is an error in the log and a failed job that stays visible."""
    with reading(site.engine) as session:
        printed = list(anchors(session))
    found = audit.verify(site.engine, printed)
    if found.broken:
        raise BrokenTrail(found.broken)
    logger.info("audit trail whole: %s entries, %s records, head %s", found.entries, found.rows, found.head.digest)


HANDLERS = {VERIFY: verify_audit}


def schedule(site: Site) -> None:
    """Queue the daily check, unless one is waiting or was done within a day."""
    now = site.clock()
    with writing(site.engine) as session:
        recent = sa.select(jobs.c.id).where(
            jobs.c.kind == VERIFY,
            sa.or_(jobs.c.done_at > now - EVERY, sa.and_(jobs.c.done_at.is_(None), jobs.c.failure.is_(None))),
        )
        if session.execute(recent.limit(1)).first() is None:
            enqueue(session, VERIFY, {}, now)
        session.commit()


def run(site: Site, *, once: bool = False, pause: float = 2.0) -> int:
    """Work until stopped; with `once`, until nothing is due: 0, or 1 if a job failed."""
    failures = 0
    while True:
        schedule(site)
        try:
            job = run_one(site, HANDLERS)
        except Exception:
            failures += 1
            logger.exception("a job failed; it is tried again later")
            job = None
        if job is None:
            if once:
                return min(failures, 1)
            time.sleep(pause)
