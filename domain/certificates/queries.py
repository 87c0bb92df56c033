"""Questions about certificates: their files, their revisions, the heads of the audit chain that they carry."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from sqlmodel import Session, col, select

from domain.certificates.look_up import PublicLot, lot_of_certificate
from domain.certificates.models import Certificate
from domain.errors import NotFound, Reason
from domain.lots.models import Lot


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
    return FileChecked(certificate.number, certificate.revision, sound, lot_of_certificate(session, lot_number, today))


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
