"""The public look-up: the truth of this minute about a lot, in one statement, without an account.

A lot is known in public once a certificate was issued for it. Unknown, unreleased and never-released lots answer alike, by the same
statement.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from domain.certificates.models import Certificate
from domain.errors import NotFound, Reason
from domain.lots.lifecycle import state_on
from domain.lots.models import Lot, LotMove, LotState
from domain.store import Prepared

_LOT, _CERTIFICATE, _MOVE = Lot.__table__, Certificate.__table__, LotMove.__table__  # type: ignore[attr-defined]

_public = Prepared(
    sa.select(
        _LOT.c.lot_number,
        _LOT.c.state,
        _LOT.c.expires_on,
        _CERTIFICATE.c.number,
        _CERTIFICATE.c.revision,
        _CERTIFICATE.c.issued_at,
        _CERTIFICATE.c.content_sha256,
        _CERTIFICATE.c.pdf_sha256,
        _CERTIFICATE.c.content,
        sa.select(_MOVE.c.moved_at)
        .where(_MOVE.c.lot_id == _LOT.c.id)
        .order_by(_MOVE.c.id.desc())
        .limit(1)
        .scalar_subquery()
        .label("since"),
    )
    .join(_CERTIFICATE, _CERTIFICATE.c.lot_id == _LOT.c.id)
    .where(_LOT.c.lot_number == sa.bindparam("lot_number"))
    .order_by(_CERTIFICATE.c.revision.desc())
    .limit(1)
)

NOT_FOUND = Reason(
    "no-certificate",
    "No certificate has been issued under this lot number. Check the number on the label.",
    "lot_number",
)


@dataclass(frozen=True, slots=True)
class PublicLot:
    """What anyone may know of a lot: its state today, and its newest certificate."""

    lot_number: str
    state: LotState
    since: datetime
    expires_on: date
    certificate_number: str
    revision: int
    issued_at: datetime
    content_sha256: str
    pdf_sha256: str
    content: str

    @property
    def etag(self) -> str:
        """Changes with the state, the revision and the day of expiry, so that a recall shows in the very next request."""
        told = f"{self.lot_number}|{self.state.value}|{self.since.isoformat()}|{self.content_sha256}|{self.pdf_sha256}"
        return f'"{hashlib.sha256(told.encode()).hexdigest()[:32]}"'

    @property
    def certificate(self) -> dict[str, Any]:
        """The frozen content as plain values."""
        return dict(json.loads(self.content))

    def json(self, pdf_url: str) -> bytes:
        """The answer of the JSON look-up: the live state first, then the stored content, untouched."""
        head = json.dumps(
            {
                "lot_number": self.lot_number,
                "state": self.state.value,
                "state_since": self.since.isoformat(),
                "usable": self.state is LotState.RELEASED,
                "expires_on": self.expires_on.isoformat(),
                "certificate_number": self.certificate_number,
                "revision": self.revision,
                "issued_at": self.issued_at.isoformat(),
                "content_sha256": self.content_sha256,
                "pdf_sha256": self.pdf_sha256,
                "pdf_url": pdf_url,
            }
        )
        return f'{head[:-1]}, "certificate": {self.content}}}'.encode()


def public_lot(asked: Session | sa.Engine, lot_number: str, today: date) -> PublicLot:
    """The lot of that number, as people type it. Raises NotFound, in the same words for every lot without a certificate."""
    number = as_printed(lot_number)
    found = (
        _public.alone(asked, lot_number=number)
        if isinstance(asked, sa.Engine)
        else _public.rows(asked.connection(), lot_number=number)
    )
    if not found:
        raise NotFound(NOT_FOUND)
    (row,) = found
    return PublicLot(
        row.lot_number,
        state_on(row.state, row.expires_on, today),
        row.since,
        row.expires_on,
        row.number,
        row.revision,
        row.issued_at,
        row.content_sha256,
        row.pdf_sha256,
        row.content,
    )


_DASHES = str.maketrans(dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-"))


def as_printed(typed: str) -> str:
    """A lot number as people type it: spaces round and inside it, and lower case, are forgiven."""
    return re.sub(r"\s+", "", typed.translate(_DASHES)).upper()[:40]


def pdf_digest(session: Session, certificate_number: str, revision: int | None = None) -> str:
    """The SHA-256 of a certificate's file, the newest revision unless one is named. Raises NotFound."""
    found = select(Certificate.pdf_sha256).where(Certificate.number == certificate_number)
    if revision is not None:
        found = found.where(Certificate.revision == revision)
    if digest := session.exec(found.order_by(col(Certificate.revision).desc()).limit(1)).first():
        return digest
    raise NotFound(Reason("no-certificate", "There is no certificate with this number.", "certificate_number"))


@dataclass(frozen=True, slots=True)
class FileChecked:
    """A file that is a certificate of this site, byte for byte: which revision, and its lot as it is today.

    sound: the stored content still has the digest that stands on the file.
    """

    number: str
    revision: int
    sound: bool
    lot: PublicLot

    @property
    def newest(self) -> bool:
        """Whether no later revision was issued."""
        return self.revision == self.lot.revision


def check_file(session: Session, pdf_sha256: str, today: date) -> FileChecked | None:
    """What is known of a file with this digest; None when it is no certificate of this site, or was altered."""
    own = select(Certificate, Lot.lot_number).join(Lot, col(Certificate.lot_id) == Lot.id)
    found = session.exec(own.where(Certificate.pdf_sha256 == pdf_sha256)).first()
    if found is None:
        return None
    certificate, lot_number = found
    sound = hashlib.sha256(certificate.content.encode()).hexdigest() == certificate.content_sha256
    return FileChecked(certificate.number, certificate.revision, sound, public_lot(session, lot_number, today))


def certificates_of(session: Session, lot_id: int) -> list[Certificate]:
    """All revisions, newest first."""
    found = select(Certificate).where(Certificate.lot_id == lot_id)
    return list(session.exec(found.order_by(col(Certificate.revision).desc())))


def anchors(session: Session) -> Iterator[tuple[int, str, str]]:
    """The heads of the audit chain that certificates carry, with the certificate that does."""
    rows = session.exec(select(Certificate.audit_sequence, Certificate.audit_sha256, Certificate.number))
    for sequence, sha256, number in rows:
        if sequence:
            yield sequence, sha256, f"certificate {number}"
