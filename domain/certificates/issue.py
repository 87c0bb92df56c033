"""Issuing: compose, draw, store, in the transaction of the release. A file is drawn once and never again."""

from sqlmodel import col, select

from domain.certificates.compose import compose, missing_items
from domain.certificates.models import Certificate
from domain.errors import refuse_if_any
from domain.laboratory.queries import LotResults
from domain.lots.models import Lot, Product
from domain.lots.numbers import count_in
from domain.signatures import Signature
from domain.work import Work

NUMBER = "COA-{year}-{count:06d}"


def issue(work: Work, lot: Lot, product: Product, results: LotResults, released: Signature) -> Certificate:
    """Issue the lot's certificate, or refuse with everything that is missing from it.

    The number is minted in this act: if the act is undone, so is the number. The head of the audit chain printed is the newest entry sealed
    before this act.
    """
    refuse_if_any(missing_items(product, lot, results, work.site.profile))
    assert results.specification is not None
    earlier = work.session.exec(
        select(Certificate).where(Certificate.lot_id == lot.id).order_by(col(Certificate.revision).desc())
    ).first()
    number = (
        earlier.number
        if earlier
        else NUMBER.format(year=work.today.year, count=count_in(work, f"certificate-{work.today.year}"))
    )
    supersedes = f"{earlier.number} rev. {earlier.revision}" if earlier else None
    content = compose(work, lot, product, results, number, earlier.revision + 1 if earlier else 1, supersedes, released)
    pdf = work.site.print_certificate(content)
    return work.add(
        Certificate(
            number=number,
            revision=content.revision,
            lot_id=lot.key,
            specification_id=results.specification.key,
            signature_id=released.key,
            content=content.canonical().decode(),
            content_sha256=content.sha256(),
            pdf_sha256=work.keep_document(pdf, f"{number}-{content.revision}.pdf", "application/pdf"),
            audit_sequence=content.audit_head.sequence,
            audit_sha256=content.audit_head.sha256,
            issued_at=work.now,
            issued_by=work.actor.person,
            supersedes_id=earlier.id if earlier else None,
        )
    )
