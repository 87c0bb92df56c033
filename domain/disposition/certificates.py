"""Acts on issued certificates, and the preview of one: revise, withdraw, draft. QA alone; what was issued stays for ever."""

from collections.abc import Iterable, Iterator
from datetime import date

from pydantic import Field
from sqlmodel import Session, col, select

from domain import audit
from domain.certificates.compose import compose, missing_items
from domain.certificates.content import CertificateContent
from domain.certificates.following import tell_followers
from domain.certificates.frame import Frame
from domain.certificates.issue import Ready, drawn, issue, log_withdrawal, newest_certificates
from domain.certificates.models import Certificate, Withdrawal
from domain.certificates.words import RevisionCause
from domain.disposition import cascade, guards
from domain.disposition.dossier import signed_content
from domain.disposition.readying import TAKE_NUMBER, ready_to_revise
from domain.errors import NotFound, Reason, Refused, refuse_if_any
from domain.laboratory.queries import LotResults, release_results
from domain.lots.awaiting import conditional_release, still_awaited
from domain.lots.lifecycle import LABORATORY, Case, unmet
from domain.lots.models import ConditionMet, Lot, LotState, Product
from domain.permissions import Permission
from domain.signatures import Credentials, Meaning, Signature, authenticate, manifested, sign
from domain.work import Actor, Command, Site, Work, operation, transaction

assert guards.REGISTERED, "the conditions named here are registered there"
assert cascade.REGISTERED, "what holds a released lot by itself runs down from there"

#: What must hold for a revision: what held for the release, save what time alone undoes.
CONDITIONS = (
    "is-drug-product",
    "results-final",
    "results-pass",
    "no-contamination",
    "sterility-time",
    "certificate-complete",
    "every-specification",
    *LABORATORY,
)
#: Who made, tested or reviewed the lot issues no certificate of it either.
NOT_BY = ("made", "tested", "reviewed")
#: A recalled lot keeps the certificates it had: a newer one could be taken for a clean one.
REVISED_IN = (LotState.RELEASED, LotState.EXPIRED, LotState.ON_HOLD)

Why = Field(min_length=3, max_length=1000)


class ReviseCertificate(Command):
    """Issue the next revision from the records as they are now; the number stays.

    The cause is printed on it and shown in public; the reason stays in the records, as what is typed freely could claim anything.
    """

    certificate_number: str
    cause: RevisionCause
    reason: str = Why
    credentials: Credentials


class WithdrawCertificate(Command):
    """State that the newest revision no longer counts, although no other takes its place."""

    certificate_number: str
    reason: str = Why
    credentials: Credentials


def _ready(site: Site, actor: Actor, command: ReviseCertificate) -> Ready | None:
    with transaction(site, actor, command.reason) as work:
        work.act = "revise_certificate"
        newest, lot = _named(work, command.certificate_number)
        if any(_against_revision(work, lot, newest, command.cause)):
            return None
        every = to_revise(work, lot, newest if command.cause is not RevisionCause.CONDITION_MET else None)
        product = work.session.get_one(Product, lot.product_id)
        if any(any(missing_items(product, lot, results, site.profile)) for results in every):
            return None
        who = authenticate(work, command.credentials)
        work.act = TAKE_NUMBER
        signed = signed_content(work.session, lot, release_results(work.session, lot.key), "revise", work.reason)
        issuer = manifested(who, newest, signed, Meaning.ISSUED)
        composed = revisions(work, lot, product, every, issuer, command.cause)
    return Ready(who, drawn(site, composed))


@operation(Permission.RELEASE_LOT, prepare=_ready)
def revise_certificate(work: Work, command: ReviseCertificate) -> Certificate:
    """The next revision; the one before stays where it is, and is shown as superseded from now on.

    With the cause that what the release awaited is there, QA completes a conditional release: every certificate of the lot is revised, and the
    condition is gone. Refused with every reason: the lot was recalled, a result does not pass, or whoever asks made, tested or reviewed the lot.
    """
    work.reason = command.reason
    newest, lot = _named(work, command.certificate_number)
    refuse_if_any(_against_revision(work, lot, newest, command.cause))
    completes = command.cause is RevisionCause.CONDITION_MET
    every = to_revise(work, lot, None if completes else newest)
    product = work.session.get_one(Product, lot.product_id)
    ready: Ready | None = work.prepared
    signed = signed_content(work.session, lot, release_results(work.session, lot.key), "revise", work.reason)
    signature = sign(work, newest, signed, Meaning.ISSUED, ready.by if ready else command.credentials)
    made = [issue(work, lot, product, results, ready, signature) for results in every]
    if completes:
        _completed(work, lot, signature)
    tell_followers(work, lot.key, "revision")
    return next(one for one in made if one.number == newest.number)


def to_revise(work: Work, lot: Lot, only: Certificate | None) -> list[LotResults]:
    """The results by each specification whose certificate is revised: of the one named, or of all that were not withdrawn."""
    every = {one.specification_id: one for one in newest_certificates(work.session, lot)}
    wanted = [only] if only else [one for one in every.values() if not _withdrawn(work.session, one)]
    keys = {one.specification_id for one in wanted}
    found = release_results(work.session, lot.key)
    return [results for results in found if results.specification and results.specification.id in keys]


def revisions(
    work: Work,
    lot: Lot,
    product: Product,
    every: Iterable[LotResults],
    issuer: Signature,
    cause: RevisionCause,
    expires_on: date | None = None,
) -> dict[int, tuple[Frame, CertificateContent]]:
    """The next revision for each of these specifications, by its id."""
    return {
        results.specification.key: ready_to_revise(work, lot, product, results, issuer, cause, expires_on)
        for results in every
        if results.specification is not None
    }


def _completed(work: Work, lot: Lot, signature: Signature) -> None:
    found = conditional_release(work.session, lot.key)
    assert found is not None, "it was looked for before"
    work.add(
        ConditionMet(
            conditional_id=found[0].key,
            completed_at=work.now,
            completed_by=work.actor.person,
            signature_id=signature.key,
        )
    )


@operation(Permission.RELEASE_LOT)
def withdraw_certificate(work: Work, command: WithdrawCertificate) -> Withdrawal:
    """The newest revision no longer counts, from the very next request on; the public log says so for ever."""
    work.reason = command.reason
    newest, lot = _named(work, command.certificate_number)
    if _withdrawn(work.session, newest):
        raise Refused(Reason("withdrawn-already", f"{newest.number} rev. {newest.revision} was withdrawn already"))
    content = {"certificate": newest.content_sha256, "action": "withdraw", "reason": work.reason}
    signature = sign(work, newest, content, Meaning.RECALLED, command.credentials)
    withdrawal = work.add(
        Withdrawal(
            certificate_id=newest.key,
            reason=work.reason,
            withdrawn_at=work.now,
            withdrawn_by=work.actor.person,
            signature_id=signature.key,
        )
    )
    log_withdrawal(work, newest)
    tell_followers(work, lot.key, "withdrawal")
    return withdrawal


def draft(session: Session, site: Site, lot_number: str, specification: str | None = None) -> CertificateContent:
    """A preview of a lot's certificate as it would be now, with all that stands in the way; it has no number and is never issued.

    specification: code of the one it is for, of several; the primary one, if none is named. Raises NotFound, and Refused when there is nothing to
    preview: no product, no specification, or not measured yet.
    """
    lot = session.exec(select(Lot).where(Lot.lot_number == lot_number)).first()
    if lot is None:
        raise NotFound(Reason("lot-not-found", f"there is no lot {lot_number!r}", "lot_number"))
    every = release_results(session, lot.key)
    found = [one for one in every if one.specification and one.specification.code == specification]
    if specification is not None and not found:
        text = f"lot {lot_number} is not judged against a release specification {specification!r}"
        raise NotFound(Reason("specification-not-found", text, "specification"))
    results = found[0] if found else every[0]
    product = session.get(Product, lot.product_id) if lot.product_id else None
    if product is None or results.specification is None or lot.quantity is None or lot.expires_on is None:
        refuse_if_any(missing_items(product, lot, results))
        raise Refused(Reason("certificate-incomplete", f"lot {lot_number} has no expiry date yet"))
    frame = Frame("DRAFT", 0, None, site.clock(), audit.head(session))
    return compose(session, site, lot, product, results, frame)


def _named(work: Work, number: str) -> tuple[Certificate, Lot]:
    """The newest revision of that number and its lot, which is locked until the act is over."""
    of = select(Certificate.lot_id).where(Certificate.number == number).limit(1)
    lot = work.session.exec(select(Lot).where(col(Lot.id).in_(of)).with_for_update()).first()
    found = select(Certificate).where(Certificate.number == number).order_by(col(Certificate.revision).desc())
    newest = work.session.exec(found.limit(1)).first()
    if lot is None or newest is None:
        text = f"there is no certificate with the number {number!r}"
        raise NotFound(Reason("certificate-not-found", text, "certificate_number"))
    return newest, lot


def _against_revision(work: Work, lot: Lot, newest: Certificate, cause: RevisionCause) -> Iterator[Reason]:
    after = cause is RevisionCause.AFTER_WITHDRAWAL
    if after != _withdrawn(work.session, newest):
        text = (
            f"{newest.number} rev. {newest.revision} was not withdrawn: give another cause"
            if after
            else f"{newest.number} rev. {newest.revision} was withdrawn: only the cause that says so brings it back"
        )
        yield Reason("cause-does-not-fit", text, "cause")
    awaited = still_awaited(work.session, lot.key)
    if cause is RevisionCause.CONDITION_MET and awaited is None:
        yield Reason("cause-does-not-fit", f"the release of lot {lot.lot_number} awaits nothing", "cause")
    if cause is RevisionCause.EXPIRY_EXTENDED:
        text = f"extend the expiry of lot {lot.lot_number}: its certificates are revised in that act"
        yield Reason("cause-does-not-fit", text, "cause")
    yield from against_issue(work, lot, awaits=awaited is not None and cause is not RevisionCause.CONDITION_MET)


def against_issue(work: Work, lot: Lot, *, awaits: bool) -> Iterator[Reason]:
    """Why no further revision of the lot's certificates can be issued by whoever asks."""
    case = Case(work.session, lot, work.now, work.today, awaits=awaits)
    if case.state not in REVISED_IN:
        allowed = ", ".join(state.value for state in REVISED_IN)
        text = f"lot {lot.lot_number} is {case.state.value}; a certificate is revised only while its lot is {allowed}"
        yield Reason("wrong-state", text)
    yield from unmet(case, "revise the certificate of", work.actor, CONDITIONS, NOT_BY)


def _withdrawn(session: Session, certificate: Certificate) -> bool:
    found = select(Withdrawal.id).where(Withdrawal.certificate_id == certificate.id)
    return session.exec(found).first() is not None
