"""What a file is that somebody was sent: a certificate of this laboratory and current, one that no longer counts, altered, or not ours.

Genuine is decided by the bytes and the records alone; the signature and what else is in the file are told beside it.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Literal

from anyio import CapacityLimiter, to_thread
from sqlmodel import Session

from api.checks import Check, minute, of_file, said, sentences_for
from api.keys import trusted_at
from api.limited import EXAMINER
from domain.certificates.reading import empty
from domain.certificates.recognising import Issued, begins_as, claims_to_be, issued_as
from domain.lots.models import LotState
from domain.store import reading
from domain.work import Site
from reports.checking import Found

Examine = Callable[[bytes, Sequence[bytes]], Found]

#: Files checked at the same time; most of it is waiting for a place (api.limited).
_APART = CapacityLimiter(16)


class Outcome(StrEnum):
    """What is said of a file. Genuine: these very bytes were issued here, and the record of it is sound; then what is true of it now."""

    GENUINE_CURRENT = "genuine_current"
    GENUINE_SUPERSEDED = "genuine_superseded"
    GENUINE_WITHDRAWN = "genuine_withdrawn"
    GENUINE_RECALLED = "genuine_recalled"
    GENUINE_EXPIRED = "genuine_expired"
    GENUINE_ON_HOLD = "genuine_on_hold"
    GENUINE_OVERDUE = "genuine_overdue"
    ALTERED = "altered"
    NOT_OURS = "not_ours"


@dataclass(frozen=True, slots=True)
class Checked:
    """The answer for a file. What follows `checks` is known of genuine files only, save for what an altered one claims to be.

    sha256: of the file as received. document: a certificate of analysis or a batch certificate. newest_revision: of that number. state: of the
    lot now.
    """

    outcome: Outcome
    sha256: str
    checked_at: datetime
    checks: tuple[Check, ...]
    document: Literal["analysis", "batch"] | None = None
    certificate_number: str | None = None
    revision: int | None = None
    newest_revision: int | None = None
    lot_number: str | None = None
    state: LotState | None = None

    @property
    def genuine(self) -> bool:
        """Whether these very bytes were issued here."""
        return self.outcome.value.startswith("genuine")

    @property
    def current(self) -> bool:
        """Genuine, the newest revision, not withdrawn, and of a lot that is released today."""
        return self.outcome is Outcome.GENUINE_CURRENT


def check(site: Site, data: bytes, examine: Examine = EXAMINER.examine) -> Checked:
    """What a file is, within two seconds whatever it is. `examine`: looks into it, in a limited process. Raises Invalid for an empty one."""
    if not data:
        raise empty()
    found = examine(data, [one.dump() for one in trusted_at(site)])
    now = site.clock()
    today = site.today(now)
    with reading(site.engine, consistent=True) as session:
        issued = issued_as(session, data, today)
        likened = None if issued else _likened(session, data, found, today)
    sha256 = hashlib.sha256(data).hexdigest()
    if issued is not None:
        return _of_issued(issued, found, sha256, now)
    return _of_another(data, likened, found, sha256, now)


def _likened(session: Session, data: bytes, found: Found, today: date) -> Issued | None:
    digests = (found.content_sha256, found.stated_sha256)
    return begins_as(session, data, today) or claims_to_be(session, data, found.number, digests, today)


async def check_apart(site: Site, data: bytes) -> Checked:
    """The same from a route: in threads of its own, as a slow file must not take those that answer look-ups."""
    return await to_thread.run_sync(check, site, data, limiter=_APART)


def _of_issued(issued: Issued, found: Found, sha256: str, now: datetime) -> Checked:
    spoilt = found.signature is not None and not found.signature.intact
    since_log = issued.unsigned_sha256 is not None
    sound = issued.sound and not spoilt and (issued.logged is not None or not since_log)
    checks = (
        said("digest", "issued", number=issued.number, revision=issued.revision, issued=minute(issued.issued_at)),
        said("record", "sound") if issued.sound else said("record", "altered", "failed"),
        *of_file(found, issued.content_sha256, unsigned=issued.unsigned_sha256 is None),
        *_of_now(issued),
    )
    return Checked(
        _outcome(issued) if sound else Outcome.ALTERED,
        sha256,
        now,
        checks,
        issued.document,
        issued.number,
        issued.revision,
        issued.newest_revision,
        issued.lot_number,
        issued.state,
    )


def _outcome(issued: Issued) -> Outcome:
    """What bars the use of a lot comes before a newer revision; the worst first."""
    if issued.state is LotState.RECALLED:
        return Outcome.GENUINE_RECALLED
    if issued.withdrawn_at is not None:
        return Outcome.GENUINE_WITHDRAWN
    if issued.state is not LotState.RELEASED:
        return Outcome.GENUINE_EXPIRED if issued.state is LotState.EXPIRED else Outcome.GENUINE_ON_HOLD
    if issued.overdue:
        return Outcome.GENUINE_OVERDUE
    return Outcome.GENUINE_CURRENT if issued.revision == issued.newest_revision else Outcome.GENUINE_SUPERSEDED


def _of_another(data: bytes, likened: Issued | None, found: Found, sha256: str, now: datetime) -> Checked:
    """A file that was not issued: one of ours that was changed, one that pretends to be, or another one."""
    signed_here = found.signature is not None and found.signature.trusted_by is not None
    if likened is not None:
        how = "begins" if likened.unsigned_size and likened.begins(data) else "claims"
        first = said("digest", how, "failed", number=likened.number, revision=likened.revision)
    else:
        first = said("digest", "signed" if signed_here else "unknown", "failed")
    outcome = Outcome.ALTERED if likened is not None or signed_here else Outcome.NOT_OURS
    return Checked(
        outcome,
        sha256,
        now,
        (first, *of_file(found, likened.content_sha256 if likened else None, issued=False)),
        likened.document if likened else None,
        likened.number if likened else None,
        (found.revision or likened.revision) if likened else None,
    )


def _of_now(issued: Issued) -> Iterator[Check]:
    """What became of it."""
    if issued.logged is not None:
        at = minute(datetime.fromisoformat(issued.logged.leaf.at))
        yield said("log", "entered", at=at, position=issued.logged.position)
    elif issued.unsigned_sha256 is None:
        yield said("log", "before", "not_possible")
    else:
        yield said("log", "missing", "failed")
    if issued.withdrawn_at is not None:
        yield said("newest", "withdrawn", "failed", withdrawn=minute(issued.withdrawn_at))
    elif issued.revision != issued.newest_revision:
        yield said("newest", "superseded", "failed", newest=issued.newest_revision)
    else:
        yield said("newest", "newest")
    told = issued.state.value if issued.state.value in sentences_for("lot") else "other"
    yield said("lot", told, "ok" if issued.state is LotState.RELEASED else "failed", lot=issued.lot_number)
    if issued.awaited is not None and issued.state is LotState.RELEASED:
        how, state = ("overdue", "failed") if issued.overdue else ("awaited", "ok")
        yield said("lot", how, state, lot=issued.lot_number, due=issued.awaited.due_on)  # type: ignore[arg-type]
