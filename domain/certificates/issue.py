"""Issuing, in two parts: what is drawn and signed before the transaction, and what is written in it.

Signing may wait for a time-stamp authority, and so must not hold the write lock: first a number is taken for the lot, the content is composed from
the records, drawn and signed; then the act composes it anew and writes it only if nothing it rests on has changed. Both succeed or neither does.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session, col, select

from domain import audit
from domain.certificates import log
from domain.certificates.batch import compose_batch
from domain.certificates.compose import compose, missing_items
from domain.certificates.content import BatchCertificateContent, CertificateContent
from domain.certificates.frame import Frame
from domain.certificates.models import BatchCertificate, Certificate, CertificateNumber, DocumentKind, VoidedNumber
from domain.errors import Reason, Stale, refuse_if_any
from domain.laboratory.models import Specification
from domain.laboratory.queries import LotResults, specifications_of
from domain.lots.models import Lot, Product
from domain.lots.numbers import count_in
from domain.signatures import Authenticated, Signature
from domain.work import Printed, Site, Work

#: The series of each document. Batch certificates are counted through the years: their count is the entry in the register.
SERIES = {
    DocumentKind.ANALYSIS: ("certificate-{year}", "COA-{year}-{count:06d}"),
    DocumentKind.BATCH: ("batch-register", "QPC-{count:06d}"),
}

CHANGED = Reason(
    "changed-meanwhile", "what the certificate rests on changed while it was signed; look again and decide again"
)


@dataclass(frozen=True, slots=True)
class Document:
    """A content with the frame it was composed in, drawn and signed."""

    frame: Frame
    content: CertificateContent
    printed: Printed


@dataclass(frozen=True, slots=True)
class Ready:
    """What is ready before the act: who gave the credentials, and the signed files, by the id of the specification that each is for."""

    by: Authenticated
    documents: Mapping[int, Document]
    batch: tuple[BatchCertificateContent, Printed] | None = None


def take_number(work: Work, lot: Lot, kind: DocumentKind, specification: Specification) -> CertificateNumber:
    """The number of a lot's document for a specification: the one it has, or the next of the series. The lot is locked by whoever asks."""
    own = col(CertificateNumber.specification_id) == specification.id
    if specifications_of(work.session, lot.key)[0].id == specification.id:
        own |= col(CertificateNumber.specification_id).is_(None)  # taken before a lot could have several
    taken = select(CertificateNumber).where(CertificateNumber.lot_id == lot.id, CertificateNumber.kind == kind, own)
    if found := work.session.exec(taken).first():
        return found
    series, shape = SERIES[kind]
    count = count_in(work, series.format(year=work.today.year))
    number = shape.format(year=work.today.year, count=count)
    return work.add(
        CertificateNumber(
            number=number,
            kind=kind,
            lot_id=lot.key,
            specification_id=specification.key,
            taken_at=work.now,
            taken_by=work.actor.person,
        )
    )


def void_numbers(work: Work, lot: Lot) -> None:
    """Void, on record and in the public log, every number that was taken for a lot and has no document: it will never have one."""
    issued = select(Certificate.number).where(Certificate.lot_id == lot.id)
    batches = select(BatchCertificate.number).where(BatchCertificate.lot_id == lot.id)
    voided = select(VoidedNumber.id).where(VoidedNumber.number_id == CertificateNumber.id)
    taken = (
        select(CertificateNumber)
        .where(CertificateNumber.lot_id == lot.id, ~voided.exists())
        .where(col(CertificateNumber.number).not_in(issued), col(CertificateNumber.number).not_in(batches))
        .order_by(col(CertificateNumber.id))
    )
    for one in work.session.exec(taken).all():
        reason = f"lot {lot.lot_number} was rejected before the document was issued"
        work.add(VoidedNumber(number_id=one.key, reason=reason, voided_at=work.now, voided_by=work.actor.person))
        log.append(work, "void", one.number, None, None, None)


def newest_of(session: Session, lot: Lot, specification_id: int) -> Certificate | None:
    """The newest revision of a lot's certificate for a specification."""
    found = select(Certificate).where(Certificate.lot_id == lot.id, Certificate.specification_id == specification_id)
    return session.exec(found.order_by(col(Certificate.revision).desc()).limit(1)).first()


def newest_certificates(session: Session, lot: Lot) -> list[Certificate]:
    """The newest revision of each certificate of a lot, in the order in which they were first issued."""
    found = select(Certificate).where(Certificate.lot_id == lot.id).order_by(col(Certificate.id))
    return list({one.specification_id: one for one in session.exec(found)}.values())


def frame_for(work: Work, lot: Lot, specification: Specification, released: Signature, **more: Any) -> Frame:
    """What the next revision of the lot's certificate for a specification takes from this act; more: the other fields of the frame.

    The number is that of the revisions before, or else is taken here.
    """
    earlier = newest_of(work.session, lot, specification.key)
    number = earlier.number if earlier else take_number(work, lot, DocumentKind.ANALYSIS, specification).number
    return Frame(
        number=number,
        revision=earlier.revision + 1 if earlier else 1,
        supersedes=f"{earlier.number} rev. {earlier.revision}" if earlier else None,
        issued_at=work.now,
        head=audit.head(work.session),
        released=released,
        **more,
    )


def drawn(site: Site, composed: Mapping[int, tuple[Frame, CertificateContent]]) -> dict[int, Document]:
    """Draw and sign; outside of any transaction. Raises Unavailable when the key or the time-stamp authority fails."""
    return {
        key: Document(frame, content, site.print_certificate(content)) for key, (frame, content) in composed.items()
    }


def issue(
    work: Work, lot: Lot, product: Product, results: LotResults, ready: Ready | None, signed: Signature
) -> Certificate:
    """Write the certificate that is ready, or refuse with everything that is missing from it.

    Raises Stale when what it rests on has changed since it was drawn. signed: the signature, as it was written.
    """
    refuse_if_any(missing_items(product, lot, results, work.site.profile))
    if ready is None:
        raise Stale(CHANGED)
    assert results.specification is not None
    document = ready.documents.get(results.specification.key)
    if document is None:
        raise Stale(CHANGED)
    shown = document.frame.issuer or document.frame.released
    if shown is None or shown.record_sha256 != signed.record_sha256:
        raise Stale(CHANGED)  # what is printed is the digest of what was signed, and of nothing else (21 CFR 11.70)
    content = compose(work.session, work.site, lot, product, results, document.frame)
    earlier = newest_of(work.session, lot, results.specification.key)
    if content.sha256() != document.content.sha256() or (earlier.revision if earlier else 0) != content.revision - 1:
        raise Stale(CHANGED)
    printed = document.printed
    if printed.logo is not None:
        work.keep_document(printed.logo, "logo", "application/octet-stream")
    certificate = work.add(
        Certificate(
            number=content.number,
            revision=content.revision,
            lot_id=lot.key,
            specification_id=results.specification.key,
            signature_id=signed.key,
            content=content.canonical().decode(),
            content_sha256=content.sha256(),
            pdf_sha256=work.keep_document(printed.pdf, f"{content.number}-{content.revision}.pdf", "application/pdf"),
            audit_sequence=content.audit_head.sequence,
            audit_sha256=content.audit_head.sha256,
            issued_at=content.issued_at,
            issued_by=work.actor.person,
            supersedes_id=earlier.id if earlier else None,
            unsigned_size=printed.unsigned_size,
            unsigned_sha256=printed.unsigned_sha256,
            revision_cause=document.frame.cause,
            look=printed.look,
        )
    )
    _logged(work, "revise" if earlier else "issue", certificate)
    if earlier:
        _log_fallen(work, "supersede", earlier)
    return certificate


def issue_batch(
    work: Work, lot: Lot, product: Product, ready: Ready, certificate: Certificate, signed: Signature
) -> None:
    """Write the batch certificate, if the product has one: it names the certificate of analysis it goes with."""
    if not product.batch_certificate:
        return
    if ready.batch is None:
        raise Stale(CHANGED)
    content, printed = ready.batch
    pdf_sha256 = work.keep_document(printed.pdf, f"{content.number}.pdf", "application/pdf")
    if (
        compose_batch(
            work.site,
            product,
            ready.documents[certificate.specification_id].content,
            content.register_entry,
            content.number,
        )
        != content
    ):
        raise Stale(CHANGED)
    work.add(
        BatchCertificate(
            number=content.number,
            lot_id=lot.key,
            certificate_id=certificate.key,
            signature_id=signed.key,
            register_entry=content.register_entry,
            content=content.canonical().decode(),
            content_sha256=content.sha256(),
            pdf_sha256=pdf_sha256,
            unsigned_size=printed.unsigned_size,
            unsigned_sha256=printed.unsigned_sha256,
            look=printed.look,
            issued_at=content.issued_at,
            issued_by=work.actor.person,
        )
    )
    log.append(work, "issue", content.number, content.revision, content.sha256(), pdf_sha256)


def log_recall(work: Work, lot: Lot) -> None:
    """A recall flips every certificate of the lot at once: each document's newest revision is marked in the public log."""
    for newest in newest_certificates(work.session, lot):
        _logged(work, "recall", newest)
    batch = work.session.exec(select(BatchCertificate).where(BatchCertificate.lot_id == lot.id)).first()
    if batch is not None:
        _log_batch(work, "recall", batch)


def log_withdrawal(work: Work, certificate: Certificate) -> None:
    """The public log says that this revision no longer counts, nor the batch certificate that names it."""
    _logged(work, "withdraw", certificate)
    _log_fallen(work, "withdraw", certificate)


def _log_fallen(work: Work, kind: log.Kind, certificate: Certificate) -> None:
    """The batch certificate that names a certificate of analysis falls with it."""
    named = select(BatchCertificate).where(BatchCertificate.certificate_id == certificate.id)
    batch = work.session.exec(named).first()
    if batch is not None:
        _log_batch(work, kind, batch)


def _log_batch(work: Work, kind: log.Kind, batch: BatchCertificate) -> None:
    log.append(work, kind, batch.number, 1, batch.content_sha256, batch.pdf_sha256)


def _logged(work: Work, kind: log.Kind, certificate: Certificate) -> None:
    digests = (certificate.content_sha256, certificate.pdf_sha256)
    log.append(work, kind, certificate.number, certificate.revision, *digests)
