"""What is made ready before a release or a revision: credentials, number, content, and the signed file.

Two short transactions with the slow part between them, held by nothing: the first asks for the password and takes the number, the second is the act
itself, which composes the content anew. What stands in the way is left for the act to refuse, so that there is one place that tells it.
"""

from domain.certificates.batch import compose_batch
from domain.certificates.compose import Frame, compose, missing_items
from domain.certificates.content import BatchCertificateContent, CertificateContent
from domain.certificates.issue import Ready, drawn, frame_for, newest_of, take_number
from domain.certificates.models import Certificate, DocumentKind
from domain.certificates.words import RevisionCause
from domain.disposition.dossier import signed_content
from domain.laboratory.queries import LotResults, lot_results
from domain.lots.lifecycle import RULES, Case, blockers
from domain.lots.models import Lot, Product
from domain.lots.operations import lot_named
from domain.signatures import Credentials, Signature, authenticate, manifested
from domain.work import Actor, Site, Work, transaction

#: Under this name the number of a certificate is taken; the act that it is taken for follows.
TAKE_NUMBER = "take_certificate_number"


def ready_to_release(site: Site, actor: Actor, lot_number: str, reason: str, credentials: Credentials) -> Ready | None:
    """The signed certificate of a lot that may be released, and its batch certificate if it has one; None where something stands in the way.

    Raises Unauthenticated and Refused as `authenticate`, Unavailable when the signing key or the time-stamp authority fails.
    """
    with transaction(site, actor, reason) as work:
        work.act = "release_lot"  # the name under which wrong credentials are on record
        lot = lot_named(work, lot_number)
        results = lot_results(work.session, lot.key)
        product = work.session.get(Product, lot.product_id) if lot.product_id else None
        case = Case(work.session, lot, work.now, work.today)
        if (
            product is None
            or blockers(case, "release", actor)
            or any(missing_items(product, lot, results, site.profile))
        ):
            return None
        who = authenticate(work, credentials)
        work.act = TAKE_NUMBER
        signed = signed_content(work.session, lot, results, "release", reason)
        meaning = RULES["release"].meaning
        assert meaning is not None
        released = manifested(who, lot, signed, meaning)
        number = take_number(work, lot, DocumentKind.ANALYSIS).number
        frame = frame_for(work, lot, released, number=number)
        content = compose(work.session, site, lot, product, results, frame)
        batch = _batch(work, lot, product, content) if product.batch_certificate else None
    return Ready(who, frame, drawn(site, content), (batch, site.print_certificate(batch)) if batch else None)


def _batch(work: Work, lot: Lot, product: Product, content: CertificateContent) -> BatchCertificateContent:
    number = take_number(work, lot, DocumentKind.BATCH).number
    return compose_batch(work.site, product, content, int(number.rpartition("-")[2]), number)


def ready_to_revise(
    work: Work,
    lot: Lot,
    product: Product,
    results: LotResults,
    newest: Certificate,
    issuer: Signature,
    cause: RevisionCause,
) -> tuple[Frame, CertificateContent]:
    """The frame and content of the next revision; the certificate stays certified by the signature of the release."""
    first = work.session.get_one(Signature, _first_of(work, newest).signature_id)
    frame = frame_for(work, lot, first, number=newest.number, issuer=issuer, cause=cause)
    return frame, compose(work.session, work.site, lot, product, results, frame)


def _first_of(work: Work, certificate: Certificate) -> Certificate:
    while certificate.supersedes_id is not None:
        certificate = work.session.get_one(Certificate, certificate.supersedes_id)
    return certificate


__all__ = ["TAKE_NUMBER", "newest_of", "ready_to_release", "ready_to_revise"]
