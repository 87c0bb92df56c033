"""Whether a file is a document that was issued here, or begins as one, or claims to be one; and what is true of that document today."""

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import chain, islice
from typing import Any, Literal

import sqlalchemy as sa
from sqlmodel import Session

from domain.certificates.log import history
from domain.certificates.models import BatchCertificate, Certificate, Withdrawal
from domain.certificates.proofs import Included
from domain.lots.awaiting import Awaited, still_awaited
from domain.lots.lifecycle import state_on
from domain.lots.models import Lot, LotState, Product
from domain.store import Prepared

_C, _B = Certificate.__table__, BatchCertificate.__table__  # type: ignore[attr-defined]
_L, _W = Lot.__table__, Withdrawal.__table__  # type: ignore[attr-defined]
_P, _LATER = Product.__table__, _C.alias("later")  # type: ignore[attr-defined]

#: Where a file may end for a reader: the unsigned file ends so, and the signed one again.
_END = re.compile(rb"%%EOF(?:\r\n|\n|\r)?")
#: How many ends are looked at: a signed file has two, one kept for long three.
MOST_ENDS = 4
#: What numbers of ours look like (domain.certificates.issue.SERIES); how many are looked at, and how many different ones looked up.
_NUMBERS = (re.compile(rb"COA-\d{4}-\d{6}"), re.compile(rb"QPC-\d{6}"))
MOST_SEEN, MOST_NUMBERS = 1000, 5


def _of(table: Any, document: str, revision: Any, newest: Any, withdrawn_at: Any) -> sa.Select[Any]:
    found = sa.select(
        sa.literal(document).label("document"),
        table.c.number,
        revision.label("revision"),
        newest.label("newest"),
        withdrawn_at.label("withdrawn_at"),
        table.c.issued_at,
        table.c.content,
        table.c.content_sha256,
        table.c.pdf_sha256,
        table.c.unsigned_size,
        table.c.unsigned_sha256,
        table.c.look,
        _L.c.id.label("lot_id"),
        _L.c.lot_number,
        _L.c.state,
        _L.c.expires_on,
        _P.c.look_up_code,
    )
    return found.join(_L, _L.c.id == table.c.lot_id).outerjoin(_P, _P.c.id == _L.c.product_id)


_NEWEST = sa.select(sa.func.max(_LATER.c.revision)).where(_LATER.c.number == _C.c.number).scalar_subquery()
_SINCE_THEN = 1 + _NEWEST - _C.c.revision
_DOCUMENTS: tuple[tuple[Any, sa.Select[Any]], ...] = (
    (
        _C,
        _of(_C, "analysis", _C.c.revision, _NEWEST, _W.c.withdrawn_at)
        .outerjoin(_W, _W.c.certificate_id == _C.c.id)
        .order_by(_C.c.revision.desc()),
    ),
    (
        _B,  # it counts as long as the certificate of analysis that it names: withdrawn with it, and superseded when that is revised
        _of(_B, "batch", sa.literal(1), _SINCE_THEN, _W.c.withdrawn_at)
        .join(_C, _C.c.id == _B.c.certificate_id)
        .outerjoin(_W, _W.c.certificate_id == _C.c.id),
    ),
)
#: By what a document is looked for: one statement for each kind of document.
_BY = {
    column: [
        Prepared(documents.where(table.c[column] == sa.bindparam("value")).limit(1)) for table, documents in _DOCUMENTS
    ]
    for column in ("pdf_sha256", "unsigned_sha256", "number")
}


@dataclass(frozen=True, slots=True)
class Issued:
    """A document of this site, and what is true of it and its lot today.

    sound: what is stored still has the digest that stands on it, and is kept for the lot that it names. hidden: shown only to those who have the
    label in hand. logged: its entry in the public log, if that proves it and says the same.
    awaited: what the lot's release still awaits; overdue: it did not come in time.
    """

    document: Literal["analysis", "batch"]
    number: str
    revision: int
    newest_revision: int
    withdrawn_at: datetime | None
    issued_at: datetime
    content: str
    content_sha256: str
    pdf_sha256: str
    unsigned_size: int | None
    unsigned_sha256: str | None
    look: str | None
    lot_number: str
    state: LotState
    sound: bool
    hidden: bool
    logged: Included | None
    awaited: Awaited | None = None
    overdue: bool = False

    def begins(self, data: bytes) -> bool:
        """Whether a file begins with the unsigned bytes of this document."""
        return hashlib.sha256(data[: self.unsigned_size]).hexdigest() == self.unsigned_sha256


def issued_as(session: Session, data: bytes, today: date) -> Issued | None:
    """The document that these very bytes are."""
    return _found(session, today, "pdf_sha256", hashlib.sha256(data).hexdigest())


def begins_as(session: Session, data: bytes, today: date) -> Issued | None:
    """A document that the file begins with: the unsigned one or the signed one, with something else behind it."""
    for end in _ends(data):
        for column in ("unsigned_sha256", "pdf_sha256"):
            if known := _found(session, today, column, end):
                return known
    return None


def claims_to_be(
    session: Session, data: bytes, number: str | None, digests: Sequence[str | None], today: date
) -> Issued | None:
    """A document whose number the file carries, in itself or as `number` read from it, together with the number of its lot.

    digests: those of the data in the file. A lot that is shown only with the code on its label is told to nobody who guesses numbers: of its
    documents the file must carry the data themselves, or their digest.
    """
    for one in dict.fromkeys(filter(None, [number, *_numbers(data)])):
        known = _found(session, today, "number", one)
        if known is None:
            continue
        guessed = known.hidden and known.content_sha256 not in digests
        if not guessed and (one == number or known.lot_number.encode() in data):
            return known
    return None


def _numbers(data: bytes) -> list[str]:
    found = chain.from_iterable(islice(shape.finditer(data), MOST_SEEN) for shape in _NUMBERS)
    return list(dict.fromkeys(one.group().decode() for one in found))[:MOST_NUMBERS]


def _ends(data: bytes) -> Iterator[str]:
    """The digests of the file up to each of its first ends."""
    digest, done = hashlib.sha256(), 0
    for count, end in enumerate(_END.finditer(data)):
        if count == MOST_ENDS:
            return
        digest.update(memoryview(data)[done : end.end()])
        done = end.end()
        yield digest.copy().hexdigest()


def _found(session: Session, today: date, column: str, value: str) -> Issued | None:
    for documents in _BY[column]:
        if rows := documents.rows(session.connection(), value=value):
            return _issued(session, rows[0], today)
    return None


def _issued(session: Session, row: Any, today: date) -> Issued:
    return Issued(
        row.document,
        row.number,
        row.revision,
        row.newest,
        row.withdrawn_at,
        row.issued_at,
        row.content,
        row.content_sha256,
        row.pdf_sha256,
        row.unsigned_size,
        row.unsigned_sha256,
        row.look,
        row.lot_number,
        state_on(row.state, row.expires_on, today),
        _sound(row),
        bool(row.look_up_code),
        _logged(session, row),
        awaited := still_awaited(session, row.lot_id),
        awaited is not None and awaited.overdue(today),
    )


def _sound(row: Any) -> bool:
    digest = hashlib.sha256(row.content.encode()).hexdigest()
    return bool(digest == row.content_sha256 and json.loads(row.content)["lot"]["number"] == row.lot_number)


def _logged(session: Session, row: Any) -> Included | None:
    try:
        newest, entries = history(session, row.number)
    except (ValueError, KeyError):  # the log itself was tampered with: it proves nothing
        return None
    for entry in entries:
        digests = (entry.leaf.content_sha256, entry.leaf.pdf_sha256)
        made = entry.leaf.kind in ("issue", "revise") and entry.leaf.revision == row.revision
        if made and newest is not None and digests == (row.content_sha256, row.pdf_sha256) and entry.within(newest):
            return entry
    return None
