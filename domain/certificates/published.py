"""What anybody may download of a certificate: the file as it was issued, and its content for machines."""

from typing import NamedTuple

from sqlmodel import Session, col, select

from domain.certificates.models import Certificate
from domain.errors import NotFound, Reason
from domain.lots.check_codes import same_code
from domain.lots.models import Lot, Product


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
        text = "There is no certificate with this number; some need the code printed on the label as well."
        raise NotFound(Reason("no-certificate", text, "certificate_number"))
    return Published(row[0], row[1])
