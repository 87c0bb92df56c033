"""The content of a certificate as it is published, without its PDF."""

from sqlmodel import Session, col, select

from domain.certificates.models import Certificate
from domain.errors import NotFound, Reason


def content_of(session: Session, certificate_number: str, revision: int | None = None) -> str:
    """The canonical JSON of a certificate, the newest revision unless one is named. Raises NotFound."""
    found = select(Certificate.content).where(Certificate.number == certificate_number)
    if revision is not None:
        found = found.where(Certificate.revision == revision)
    if content := session.exec(found.order_by(col(Certificate.revision).desc()).limit(1)).first():
        return content
    raise NotFound(Reason("no-certificate", "There is no certificate with this number.", "certificate_number"))
