"""What is made ready before a release or a revision: credentials, number, content, and the signed file.

Two short transactions with the slow part between them, held by nothing: the first asks for the password and takes the number, the second is the act
itself, which composes the content anew. What stands in the way is left for the act to refuse, so that there is one place that tells it.
"""

from collections.abc import Iterable
from datetime import date

from domain.certificates.batch import compose_batch
from domain.certificates.compose import compose, missing_items
from domain.certificates.content import BatchCertificateContent, CertificateContent
from domain.certificates.frame import Frame
from domain.certificates.issue import Ready, drawn, frame_for, newest_of, take_number
from domain.certificates.models import Certificate, DocumentKind
from domain.certificates.words import RevisionCause
from domain.disposition.dossier import signed_content
from domain.disposition.late import why_not_due
from domain.disposition.signing import condition_content
from domain.laboratory.queries import LotResults, release_results
from domain.lots.awaiting import Awaited, awaited_of, conditional_release
from domain.lots.lifecycle import RULES, Case, blockers
from domain.lots.models import Lot, Product
from domain.lots.operations import lot_named
from domain.signatures import Credentials, Signature, authenticate, manifested
from domain.work import Actor, Site, Work, transaction

#: Under this name the number of a certificate is taken; the act that it is taken for follows.
TAKE_NUMBER = "take_certificate_number"


def ready_to_release(
    site: Site, actor: Actor, lot_number: str, reason: str, credentials: Credentials, awaited: Awaited | None = None
) -> Ready | None:
    """The signed certificates of a lot that may be released, one for each release specification, and its batch certificate if it has one; None
    where something stands in the way. awaited: of a conditional release.

    Raises Unauthenticated and Refused as `authenticate`, Unavailable when the signing key or the time-stamp authority fails.
    """
    action = "release_conditionally" if awaited else "release"
    with transaction(site, actor, reason) as work:
        work.act = (
            "release_conditionally" if awaited else "release_lot"
        )  # the name under which wrong credentials are on record
        lot = lot_named(work, lot_number)
        every = release_results(work.session, lot.key)
        product = work.session.get(Product, lot.product_id) if lot.product_id else None
        case = Case(work.session, lot, work.now, work.today, {"judged": every}, awaits=awaited is not None)
        if product is None or blockers(case, action, actor) or _missing(work, lot, product, every):
            return None
        if awaited is not None and any(why_not_due(case, awaited.tests, awaited.due_on)):
            return None
        who = authenticate(work, credentials)
        work.act = TAKE_NUMBER
        signed = signed_content(work.session, lot, every, action, reason)
        signed |= condition_content(awaited) if awaited else {}
        meaning = RULES[action].meaning
        assert meaning is not None
        released = manifested(who, lot, signed, meaning)
        composed = _certificates(work, lot, product, every, released, awaited)
        content = next(iter(composed.values()))[1]
        batch = _batch(work, lot, product, every[0], content) if product.batch_certificate else None
    return Ready(who, drawn(site, composed), (batch, site.print_certificate(batch)) if batch else None)


def _missing(work: Work, lot: Lot, product: Product, every: Iterable[LotResults]) -> bool:
    """Whether any of the certificates lacks something."""
    return any(any(missing_items(product, lot, results, work.site.profile)) for results in every)


def _certificates(
    work: Work, lot: Lot, product: Product, every: Iterable[LotResults], released: Signature, awaited: Awaited | None
) -> dict[int, tuple[Frame, CertificateContent]]:
    """The first certificate for each specification, by its id."""
    made = {}
    for results in every:
        assert results.specification is not None
        frame = frame_for(work, lot, results.specification, released, awaited=awaited)
        made[results.specification.key] = (frame, compose(work.session, work.site, lot, product, results, frame))
    return made


def _batch(
    work: Work, lot: Lot, product: Product, results: LotResults, content: CertificateContent
) -> BatchCertificateContent:
    assert results.specification is not None
    number = take_number(work, lot, DocumentKind.BATCH, results.specification).number
    return compose_batch(work.site, product, content, int(number.rpartition("-")[2]), number)


def ready_to_revise(
    work: Work,
    lot: Lot,
    product: Product,
    results: LotResults,
    issuer: Signature,
    cause: RevisionCause,
    expires_on: date | None = None,
) -> tuple[Frame, CertificateContent]:
    """The frame and content of the next revision; the certificate stays certified by the signature of the release, and keeps the product as it was
    unless the cause is that the product changed. What the release still awaits stays awaited until it is completed.
    """
    assert results.specification is not None
    newest = newest_of(work.session, lot, results.specification.key)
    assert newest is not None, "what is revised was issued"
    first = work.session.get_one(Signature, _first_of(work, newest).signature_id)
    before = CertificateContent.model_validate_json(newest.content)
    found = conditional_release(work.session, lot.key)
    awaited = awaited_of(found[0]) if found else None
    met = cause is RevisionCause.CONDITION_MET or (found is not None and found[1] is not None)
    frame = frame_for(
        work,
        lot,
        results.specification,
        first,
        issuer=issuer,
        cause=cause,
        awaited=None if met else awaited,
        came_late=awaited.tests if awaited and met else (),
        expires_on=expires_on,
        before=None if cause is RevisionCause.PRODUCT_DATA_CORRECTED else before,
    )
    return frame, compose(work.session, work.site, lot, product, results, frame)


def _first_of(work: Work, certificate: Certificate) -> Certificate:
    while certificate.supersedes_id is not None:
        certificate = work.session.get_one(Certificate, certificate.supersedes_id)
    return certificate
