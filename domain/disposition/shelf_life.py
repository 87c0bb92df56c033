"""A later expiry, given before the earlier one, with data and a signature, and never beyond what the product allows.

ICH Q5C 6.2 lets a shelf life grow with real-time data of the product itself; ICH Q1E 2.4 bounds how far data may be extrapolated. What is allowed
is therefore a figure of the product, counted from the expiry that the lot was first given, so that small steps cannot add up to a large one.
"""

from datetime import date

from pydantic import Field
from sqlmodel import Session, col, select

from domain.disposition.decisions import Why
from domain.disposition.models import ExpiryExtension
from domain.errors import Reason, refuse_if_any
from domain.lots.lifecycle import Case
from domain.lots.models import Lot, LotState, Product
from domain.lots.operations import lot_named
from domain.manufacturing.ending import add_months
from domain.permissions import Permission
from domain.signatures import Credentials, Meaning, sign
from domain.work import Attachment, Command, Work, operation


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


@operation(Permission.EXTEND_EXPIRY)
def extend_expiry(work: Work, command: ExtendExpiry) -> ExpiryExtension:
    """Its certificates keep the date they were issued with: QA revises the newest one."""
    lot = lot_named(work, command.lot_number)
    work.reason = command.justification
    refuse_if_any(
        against_extension(work.session, lot, command.new_expires_on, Case(work.session, lot, work.now, work.today))
    )
    assert lot.expires_on is not None
    document = work.keep_attachment(command.attachment)
    content = {
        "lot": lot.lot_number,
        "action": "extend_expiry",
        "old": lot.expires_on.isoformat(),
        "new": command.new_expires_on.isoformat(),
        "data": command.data_reference,
        "document": document,
        "justification": command.justification,
    }
    signature = sign(work, lot, content, Meaning.APPROVED, command.credentials)
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
        )
    )
    lot.expires_on = command.new_expires_on
    return made


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
