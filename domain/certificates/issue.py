"""Issuing, in two parts: what is drawn and signed before the transaction, and what is written in it.

Signing may wait for a time-stamp authority, and so must not hold the write lock: first a number is taken for the lot, the content is composed from
the records, drawn and signed; then the act composes it anew and writes it only if nothing it rests on has changed. Both succeed or neither does.
"""

from dataclasses import dataclass

from sqlmodel import Session, col, select

from domain import audit
from domain.certificates import log
from domain.certificates.batch import compose_batch
from domain.certificates.compose import Frame, compose, missing_items
from domain.certificates.content import BatchCertificateContent, CertificateContent
from domain.certificates.models import BatchCertificate, Certificate, CertificateNumber, DocumentKind, VoidedNumber
from domain.certificates.words import RevisionCause
from domain.errors import Reason, Stale, refuse_if_any
from domain.laboratory.queries import LotResults
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
    """A content, drawn and signed."""

    content: CertificateContent
    printed: Printed


@dataclass(frozen=True, slots=True)
class Ready:
    """What is ready before the act: who gave the credentials, from what the content was composed, and the signed files."""

    by: Authenticated
    frame: Frame
    analysis: Document
    batch: tuple[BatchCertificateContent, Printed] | None = None


def take_number(work: Work, lot: Lot, kind: DocumentKind) -> CertificateNumber:
    """The number of a lot's document: the one it has, or the next of the series. The lot is locked by whoever asks."""
    taken = select(CertificateNumber).where(CertificateNumber.lot_id == lot.id, CertificateNumber.kind == kind)
    if found := work.session.exec(taken).first():
        return found
    series, shape = SERIES[kind]
    count = count_in(work, series.format(year=work.today.year))
    number = shape.format(year=work.today.year, count=count)
    return work.add(
        CertificateNumber(number=number, kind=kind, lot_id=lot.key, taken_at=work.now, taken_by=work.actor.person)
    )


def void_numbers(work: Work, lot: Lot) -> None:
    """Void, on record and in the public log, every number that was taken for a lot which will never have the document."""
    issued = select(Certificate.id).where(Certificate.lot_id == lot.id)
    if work.session.exec(issued.limit(1)).first() is not None:
        return
    taken = select(CertificateNumber).where(CertificateNumber.lot_id == lot.id).order_by(col(CertificateNumber.id))
    for one in work.session.exec(taken).all():
        reason = f"lot {lot.lot_number} was rejected before the document was issued"
        work.add(VoidedNumber(number_id=one.key, reason=reason, voided_at=work.now, voided_by=work.actor.person))
        log.append(work, "void", one.number, None, None, None)


def newest_of(session: Session, lot: Lot) -> Certificate | None:
    """The newest revision of a lot's certificate."""
    found = select(Certificate).where(Certificate.lot_id == lot.id)
    return session.exec(found.order_by(col(Certificate.revision).desc()).limit(1)).first()


def frame_for(
    work: Work,
    lot: Lot,
    released: Signature,
    *,
    number: str,
    issuer: Signature | None = None,
    cause: RevisionCause | None = None,
) -> Frame:
    """What the next revision of the lot's certificate takes from this act."""
    earlier = newest_of(work.session, lot)
    return Frame(
        number=earlier.number if earlier else number,
        revision=earlier.revision + 1 if earlier else 1,
        supersedes=f"{earlier.number} rev. {earlier.revision}" if earlier else None,
        issued_at=work.now,
        head=audit.head(work.session),
        released=released,
        issuer=issuer,
        cause=cause,
    )


def drawn(site: Site, content: CertificateContent) -> Document:
    """Draw and sign; outside of any transaction. Raises Unavailable when the key or the time-stamp authority fails."""
    return Document(content, site.print_certificate(content))


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
    shown = ready.frame.issuer or ready.frame.released
    if shown is None or shown.record_sha256 != signed.record_sha256:
        raise Stale(CHANGED)  # what is printed is the digest of what was signed, and of nothing else (21 CFR 11.70)
    content = compose(work.session, work.site, lot, product, results, ready.frame)
    earlier = newest_of(work.session, lot)
    if (
        content.sha256() != ready.analysis.content.sha256()
        or (earlier.revision if earlier else 0) != content.revision - 1
    ):
        raise Stale(CHANGED)
    printed = ready.analysis.printed
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
            revision_cause=ready.frame.cause,
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
    if compose_batch(work.site, product, ready.analysis.content, content.register_entry, content.number) != content:
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
    if newest := newest_of(work.session, lot):
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
