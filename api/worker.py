"""The worker: does queued jobs, has the whole audit trail checked once a day, and forgets followers whose time is over."""

import logging
import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from api.keys import log_keys_of
from api.mail import Undelivered
from api.settings import settings
from domain import audit
from domain.certificates.following import Forget, forget_followers
from domain.certificates.log_check import check_log
from domain.certificates.queries import anchors
from domain.jobs import Handler, enqueue, jobs, run_one
from domain.people.operations import NOBODY
from domain.store import reading, writing
from domain.work import Site, perform

logger = logging.getLogger("exolotl.worker")

VERIFY, FORGET = "verify-audit", "forget"

#: What is done again and again, and how often.
RECURRING = {VERIFY: timedelta(days=1), FORGET: timedelta(hours=1)}

#: How long a job that is done can still be looked at.
KEPT = timedelta(days=30)


class BrokenTrail(RuntimeError):
    """The audit trail, or the public log, does not verify."""


def verify_audit(site: Site, _payload: dict[str, Any]) -> None:
    """Check the audit trail and the public log; a broken one is an error in the log and a failed job that stays visible."""
    with reading(site.engine) as session:
        printed = list(anchors(session))
    found = audit.verify(site.engine, printed)
    if found.broken:
        raise BrokenTrail(found.broken)
    if broken := check_log(site.engine, log_keys_of(settings(), site)).broken:
        raise BrokenTrail(broken)
    logger.info("audit trail whole: %s entries, %s records, head %s", found.entries, found.rows, found.head.digest)


def forget(site: Site, _payload: dict[str, Any]) -> None:
    """Followers who did not confirm within 48 hours are gone, and so are jobs that were done a month ago."""
    perform(site, NOBODY, forget_followers, Forget())
    with writing(site.engine) as session:
        session.execute(jobs.delete().where(jobs.c.done_at < site.clock() - KEPT))
        session.commit()


HANDLERS: Mapping[str, Handler] = {VERIFY: verify_audit, FORGET: forget}


def schedule(site: Site) -> None:
    """Queue each recurring job, unless one is waiting or was done within its time."""
    now = site.clock()
    with writing(site.engine) as session:
        for kind, every in RECURRING.items():
            recent = sa.select(jobs.c.id).where(
                jobs.c.kind == kind,
                sa.or_(jobs.c.done_at > now - every, sa.and_(jobs.c.done_at.is_(None), jobs.c.failure.is_(None))),
            )
            if session.execute(recent.limit(1)).first() is None:
                enqueue(session, kind, {}, now)
        session.commit()


def run(site: Site, letters: Mapping[str, Handler], *, once: bool = False, pause: float = 2.0) -> int:
    """Work until stopped; with `once`, until nothing is due: 0, or 1 if a job failed. letters: how followers are told."""
    handlers, failures = {**HANDLERS, **letters}, 0
    while True:
        schedule(site)
        try:
            job = run_one(site, handlers)
        except Undelivered as error:  # somebody else's server, and nothing that a trace would explain
            failures += 1
            logger.warning("a letter was not delivered, and is tried again later: %s", error)
            continue
        except Exception:
            failures += 1
            logger.exception("a job failed; it is tried again later")
            continue
        if job is None:
            if once:
                return min(failures, 1)
            time.sleep(pause)
