"""A later expiry, given before the earlier one, with data and a signature, and never beyond what the product allows.

ICH Q5C 6.2 lets a shelf life grow with real-time data of the product itself; ICH Q1E 2.4 bounds how far data may be extrapolated. What is allowed
is therefore a figure of the product, counted from the expiry that the lot was first given, so that small steps cannot add up to a large one.
"""

import hashlib
import json
from datetime import date

from pydantic import Field
from sqlmodel import Session, col, select

from domain.certificates.compose import missing_items
from domain.certificates.following import tell_followers
from domain.certificates.issue import Ready, drawn, issue
from domain.certificates.words import RevisionCause
from domain.disposition.certificates import against_issue, revisions, to_revise
from domain.disposition.decisions import Why
from domain.disposition.models import ExpiryExtension
from domain.disposition.readying import TAKE_NUMBER
from domain.errors import Reason, refuse_if_any
from domain.laboratory.doors import speaking_against
from domain.laboratory.queries import stability_results, unreviewed
from domain.lots.awaiting import still_awaited
from domain.lots.lifecycle import Case
from domain.lots.models import Lot, LotState, Product
from domain.lots.operations import lot_named
from domain.manufacturing.ending import add_months
from domain.permissions import Permission
from domain.signatures import Credentials, Meaning, authenticate, manifested, sign
from domain.work import Actor, Attachment, Command, Site, Work, operation, transaction


class ExtendExpiry(Command):
    """Let a released lot expire later: which stability data say so, and why they do."""

    lot_number: str
    new_expires_on: date
    data_reference: str = Field(
        min_length=3, max_length=300, description="study, report or protocol of the stability data"
    )
    attachment: Attachment | None = None
    justification: str = Why
    credentials: Credentials


def _ready(site: Site, actor: Actor, command: ExtendExpiry) -> Ready | None:
    with transaction(site, actor, command.justification) as work:
        work.act = "extend_expiry"
        lot = lot_named(work, command.lot_number)
        if any(_against(work, lot, command)):
            return None
        who = authenticate(work, command.credentials)
        work.act = TAKE_NUMBER
        product = work.session.get_one(Product, lot.product_id)
        document = hashlib.sha256(command.attachment.data).hexdigest() if command.attachment else None
        signed = manifested(who, lot, _content(work.session, lot, command, document), Meaning.ISSUED)
        every, new = to_revise(work, lot, None), command.new_expires_on
        composed = revisions(work, lot, product, every, signed, RevisionCause.EXPIRY_EXTENDED, new)
    return Ready(who, drawn(site, composed))


@operation(Permission.EXTEND_EXPIRY, prepare=_ready)
def extend_expiry(work: Work, command: ExtendExpiry) -> ExpiryExtension:
    """Its certificates are revised in the same act, so that they, the look-up and every label printed from now on say the same date.

    Refused with every reason, among them a stability result of the lot that does not pass or that nobody has reviewed.
    """
    lot = lot_named(work, command.lot_number)
    work.reason = command.justification
    refuse_if_any(_against(work, lot, command))
    assert lot.expires_on is not None
    ready: Ready | None = work.prepared
    document = work.keep_attachment(command.attachment)
    content = _content(work.session, lot, command, document)
    signature = sign(work, lot, content, Meaning.ISSUED, ready.by if ready else command.credentials)
    every, product = to_revise(work, lot, None), work.session.get_one(Product, lot.product_id)
    for results in every:
        issue(work, lot, product, results, ready, signature)
    made = work.add(
        ExpiryExtension(
            lot_id=lot.key,
            old_expires_on=lot.expires_on,
            new_expires_on=command.new_expires_on,
            data_reference=command.data_reference,
            document_sha256=document,
            justification=command.justification,
            extended_at=work.now,
            extended_by=work.actor.person,
            signature_id=signature.key,
            results=json.dumps(_stability(work.session, lot)),
        )
    )
    lot.expires_on = command.new_expires_on
    if every:
        tell_followers(work, lot.key, "revision")
    return made


def _content(session: Session, lot: Lot, command: ExtendExpiry, document: str | None) -> dict[str, object]:
    """What the signature covers, the lot's own stability results among it."""
    assert lot.expires_on is not None
    return {
        "lot": lot.lot_number,
        "action": "extend_expiry",
        "old": lot.expires_on.isoformat(),
        "new": command.new_expires_on.isoformat(),
        "data": command.data_reference,
        "document": document,
        "justification": command.justification,
        "stability_results": _stability(session, lot),
    }


def _stability(session: Session, lot: Lot) -> list[int]:
    found = {one.result.key for results in stability_results(session, lot.key) for one in results.findings}
    return sorted(found)


def _against(work: Work, lot: Lot, command: ExtendExpiry) -> list[Reason]:
    """Everything that stands against the later date, and against the certificates that would say it."""
    found = against_extension(work.session, lot, command.new_expires_on, Case(work.session, lot, work.now, work.today))
    kept = stability_results(work.session, lot.key)
    found += [reason for results in kept for reason in unreviewed(results.findings)]
    found += speaking_against(work.session, lot)
    if (awaited := still_awaited(work.session, lot.key)) is not None:
        text = f"the release of lot {lot.lot_number} still awaits {', '.join(awaited.tests)}: QA completes it first"
        found.append(Reason("result-awaited", text, about=("lot", lot.lot_number)))
    every = to_revise(work, lot, None)
    if every:
        found += against_issue(work, lot, awaits=False)
        product = work.session.get_one(Product, lot.product_id)
        found += [one for results in every for one in missing_items(product, lot, results, work.site.profile)]
    return list(dict.fromkeys(found))


def against_extension(session: Session, lot: Lot, new: date, case: Case) -> list[Reason]:
    """Everything that stands against that date."""
    about = ("lot", lot.lot_number)
    if case.state is not LotState.RELEASED or lot.expires_on is None:
        text = (
            f"lot {lot.lot_number} is {case.state.value}; only a released lot that has not expired gets a later expiry"
        )
        return [Reason("wrong-state", text, about=about)]
    product = session.get(Product, lot.product_id) if lot.product_id else None
    months = product.expiry_extension_months if product else None
    if not months:
        text = f"nothing says that the expiry of lot {lot.lot_number} may be extended"
        return [Reason("extension-not-allowed", text, about=about)]
    if new <= lot.expires_on:
        return [Reason("extension-not-later", f"the lot expires on {lot.expires_on} already", "new_expires_on")]
    latest = add_months(first_expiry(session, lot), months)
    if new > latest:
        text = f"lot {lot.lot_number} may expire on {latest} at the latest: {months} months after its first expiry"
        return [Reason("extension-too-long", text, "new_expires_on")]
    return []


def first_expiry(session: Session, lot: Lot) -> date:
    """The expiry that the lot was made with."""
    found = select(ExpiryExtension).where(ExpiryExtension.lot_id == lot.id).order_by(col(ExpiryExtension.id))
    first = session.exec(found.limit(1)).first()
    assert lot.expires_on is not None
    return first.old_expires_on if first else lot.expires_on
