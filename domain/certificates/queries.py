"""Questions about certificates: their files, their revisions, the heads of the audit chain that they carry."""

from collections.abc import Iterator

from sqlmodel import Session, col, select

from domain.certificates.models import Certificate
from domain.errors import NotFound, Reason


def pdf_digest(session: Session, certificate_number: str, revision: int | None = None) -> str:
    """The SHA-256 of a certificate's file, for the laboratory: the newest revision unless one is named. Raises NotFound."""
    found = select(Certificate.pdf_sha256).where(Certificate.number == certificate_number)
    if revision is not None:
        found = found.where(Certificate.revision == revision)
    if digest := session.exec(found.order_by(col(Certificate.revision).desc()).limit(1)).first():
        return digest
    raise NotFound(Reason("no-certificate", "There is no certificate with this number.", "certificate_number"))


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
