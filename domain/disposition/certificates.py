"""Acts on issued certificates, and the preview of one: revise, withdraw, draft. QA alone; what was issued stays for ever."""

from collections.abc import Iterator

from pydantic import Field
from sqlmodel import Session, col, select

from domain import audit
from domain.certificates.compose import Frame, compose, missing_items
from domain.certificates.content import CertificateContent
from domain.certificates.following import tell_followers
from domain.certificates.issue import Ready, drawn, issue, log_withdrawal, newest_of
from domain.certificates.models import Certificate, Withdrawal
from domain.certificates.words import RevisionCause
from domain.disposition import guards
from domain.disposition.dossier import signed_content
from domain.disposition.readying import TAKE_NUMBER, ready_to_revise
from domain.errors import NotFound, Reason, Refused, refuse_if_any
from domain.laboratory.queries import lot_results
from domain.lots.lifecycle import LABORATORY, Case, unmet
from domain.lots.models import Lot, LotState, Product
from domain.permissions import Permission
from domain.signatures import Credentials, Meaning, authenticate, manifested, sign
from domain.work import Actor, Command, Site, Work, operation, transaction

assert guards.REGISTERED, "the conditions named here are registered there"

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
        results = lot_results(work.session, lot.key)
        product = work.session.get_one(Product, lot.product_id)
        if any(missing_items(product, lot, results, site.profile)):
            return None
        who = authenticate(work, command.credentials)
        work.act = TAKE_NUMBER
        signed = signed_content(work.session, lot, results, "revise", work.reason)
        issuer = manifested(who, newest, signed, Meaning.ISSUED)
        frame, content = ready_to_revise(work, lot, product, results, newest, issuer, command.cause)
    return Ready(who, frame, drawn(site, content))


@operation(Permission.RELEASE_LOT, prepare=_ready)
def revise_certificate(work: Work, command: ReviseCertificate) -> Certificate:
    """The next revision; the one before stays where it is, and is shown as superseded from now on.

    Refused with every reason: the lot was recalled, a result does not pass, or whoever asks made, tested or reviewed the lot.
    """
    work.reason = command.reason
    newest, lot = _named(work, command.certificate_number)
    refuse_if_any(_against_revision(work, lot, newest, command.cause))
    results = lot_results(work.session, lot.key)
    product = work.session.get_one(Product, lot.product_id)
    ready: Ready | None = work.prepared
    signed = signed_content(work.session, lot, results, "revise", work.reason)
    signature = sign(work, newest, signed, Meaning.ISSUED, ready.by if ready else command.credentials)
    certificate = issue(work, lot, product, results, ready, signature)
    tell_followers(work, lot.key, "revision")
    return certificate


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


def draft(session: Session, site: Site, lot_number: str) -> CertificateContent:
    """A preview of a lot's certificate as it would be now, with all that stands in the way; it has no number and is never issued.

    Raises NotFound, and Refused when there is nothing to preview: no product, no specification, or not measured yet.
    """
    lot = session.exec(select(Lot).where(Lot.lot_number == lot_number)).first()
    if lot is None:
        raise NotFound(Reason("lot-not-found", f"there is no lot {lot_number!r}", "lot_number"))
    results = lot_results(session, lot.key)
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
    newest = newest_of(work.session, lot) if lot else None
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
    case = Case(work.session, lot, work.now, work.today)
    if case.state not in REVISED_IN:
        allowed = ", ".join(state.value for state in REVISED_IN)
        text = f"lot {lot.lot_number} is {case.state.value}; a certificate is revised only while its lot is {allowed}"
        yield Reason("wrong-state", text)
    yield from unmet(case, "revise the certificate of", work.actor, CONDITIONS, NOT_BY)


def _withdrawn(session: Session, certificate: Certificate) -> bool:
    found = select(Withdrawal.id).where(Withdrawal.certificate_id == certificate.id)
    return session.exec(found).first() is not None
