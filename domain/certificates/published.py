"""What anybody may download of a certificate: the file as it was issued, its content for machines, and what the public log proves of it."""

from datetime import datetime
from typing import Literal, NamedTuple

import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlmodel import Session, col, select

from domain.certificates.log import proof_of
from domain.certificates.models import BatchCertificate, Certificate, Withdrawal
from domain.certificates.proofs import Proof
from domain.errors import NotFound, Reason
from domain.lots.check_codes import same_code
from domain.lots.models import Lot, LotState, Product

NOT_PUBLISHED = Reason(
    "no-certificate",
    "There is no certificate with this number; some need the code printed on the label as well.",
    "certificate_number",
)


class Published(NamedTuple):
    """A revision: the digest of its file, and its canonical JSON."""

    pdf_sha256: str
    content: str


def published(
    session: Session, certificate_number: str, revision: int | None = None, code: str | None = None
) -> Published:
    """A certificate, the newest revision unless one is named.

    code: the check code on the label, where the product asks for it, as numbers of certificates can be guessed too. Raises NotFound, in the same
    words for a number that does not exist.
    """
    found = select(Certificate.pdf_sha256, Certificate.content, Product.look_up_code, Lot.check_code)
    found = found.join(Lot, col(Certificate.lot_id) == Lot.id).outerjoin(Product, col(Lot.product_id) == Product.id)
    found = found.where(Certificate.number == certificate_number)
    if revision is not None:
        found = found.where(Certificate.revision == revision)
    row = session.exec(found.order_by(col(Certificate.revision).desc()).limit(1)).first()
    if row is None or (row[2] and not same_code(code, row[3])):
        raise NotFound(NOT_PUBLISHED)
    return Published(row[0], row[1])


class ToCopy(NamedTuple):
    """What a copy for information is drawn from: the canonical JSON, in what it was drawn, and what stands over every page of it."""

    content: str
    look: str | None
    standing: Literal["current", "superseded", "withdrawn", "recalled"]


def to_copy(session: Session, certificate_number: str, revision: int | None, code: str | None) -> ToCopy:
    """A revision (the newest, if none is named) and what became of it; code as above. Raises NotFound."""
    published(session, certificate_number, revision, code)
    found = select(Certificate, Lot.state, Withdrawal.id)
    found = found.join(Lot, col(Certificate.lot_id) == Lot.id)
    found = found.outerjoin(Withdrawal, col(Withdrawal.certificate_id) == Certificate.id)
    found = found.where(Certificate.number == certificate_number).order_by(col(Certificate.revision).desc())
    rows = session.exec(found).all()
    certificate, state, withdrawn = next(row for row in rows if revision in (None, row[0].revision))
    if state is LotState.RECALLED:
        return ToCopy(certificate.content, certificate.look, "recalled")
    if withdrawn is not None:
        return ToCopy(certificate.content, certificate.look, "withdrawn")
    newest = rows[0][0].revision == certificate.revision
    return ToCopy(certificate.content, certificate.look, "current" if newest else "superseded")


def published_proof(
    session: Session,
    key: Ed25519PrivateKey | None,
    number: str,
    revision: int | None,
    code: str | None,
    now: datetime,
) -> Proof:
    """What the public log states of a certificate or a batch certificate; code as above. Raises NotFound, or Refused without the log's key."""
    documents = sa.union_all(
        sa.select(col(Certificate.lot_id)).where(col(Certificate.number) == number),
        sa.select(col(BatchCertificate.lot_id)).where(col(BatchCertificate.number) == number),
    )
    found = select(Product.look_up_code, Lot.check_code).join(Product, col(Lot.product_id) == Product.id, isouter=True)
    row = session.exec(found.where(col(Lot.id).in_(documents))).first()
    if row is None or (row[0] and not same_code(code, row[1])):
        raise NotFound(NOT_PUBLISHED)
    return proof_of(session, key, number, revision, now)
