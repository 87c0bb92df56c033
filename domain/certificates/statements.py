"""The statements that certificates print: drafted by one person, approved by the signature of another, in force until retired.

A statement is never typed on a certificate. Beside those that every certificate has (`words.STATEMENTS`) it prints the newest approved revision of
each code that is meant for its product or for all.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from pydantic import Field as Given
from sqlmodel import Field, Session, col, select

from domain.certificates.content import Words
from domain.claims import refuse_claims
from domain.errors import Conflict, NotFound, Reason, Refused
from domain.lots.models import Product
from domain.people.models import User
from domain.permissions import Permission
from domain.signatures import Credentials, Meaning, Signature, sign
from domain.store import AppendOnly, coded, moment
from domain.work import Command, View, Work, operation


class StatementOutcome(StrEnum):
    """What QA decided on a statement."""

    APPROVED = "approved"
    RETIRED = "retired"


class Statement(AppendOnly, table=True):
    """A revision of a sentence in both languages; product_id: the one product it is for, or none for all."""

    code: str
    revision: int
    text_en: str
    text_de: str
    product_id: int | None = Field(default=None, foreign_key="product.id")
    drafted_at: datetime = moment()
    drafted_by: int = Field(foreign_key="app_user.id")

    __table_args__ = (sa.UniqueConstraint("code", "revision"),)

    @property
    def label(self) -> str:
        """Code and revision."""
        return f"{self.code} v{self.revision}"


class StatementDecision(AppendOnly, table=True):
    """QA's signature on a statement; approved once, and retired once at most. reason: of one that was never approved, why it is rejected."""

    statement_id: int = Field(foreign_key="statement.id", index=True)
    outcome: StatementOutcome = coded(StatementOutcome)
    signature_id: int = Field(foreign_key="signature.id")
    decided_at: datetime = moment()
    reason: str | None = None

    __table_args__ = (sa.UniqueConstraint("statement_id", "outcome"),)


class DraftStatement(Command):
    """Write a statement, or the next revision of one. It is printed once QA approves it."""

    code: str = Given(pattern=r"^[A-Z0-9][A-Z0-9.-]{1,29}$", examples=["ST-COLD-CHAIN"])
    text_en: str = Given(min_length=10, max_length=500)
    text_de: str = Given(min_length=10, max_length=500)
    product_code: str | None = Given(default=None, description="only on the certificates of this product")


class DecideStatement(Command):
    """QA's decision on one revision of a statement."""

    code: str
    revision: int = Given(ge=1, le=10_000)
    credentials: Credentials


class RejectStatement(DecideStatement):
    """QA does not approve a draft, and says why."""

    reason: str = Given(min_length=3, max_length=1000)


class StatementView(View):
    """A revision and how it stands: `drafted`, `approved`, `superseded`, `retired` or `rejected`, with the reason."""

    code: str
    revision: int
    text_en: str
    text_de: str
    product_code: str | None
    drafted_by: str
    drafted_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    standing: str
    reason: str | None = None


@operation(Permission.DRAFT_SPECIFICATION)
def draft_statement(work: Work, command: DraftStatement) -> Statement:
    """Raises Invalid (`claim-not-allowed`) for a text that claims approval, safety or effect."""
    refuse_claims({"text_en": command.text_en, "text_de": command.text_de})
    product_id = _product_id(work.session, command.product_code)
    newest = work.session.exec(
        select(Statement).where(Statement.code == command.code).order_by(col(Statement.revision).desc()).limit(1)
    ).first()
    if newest is not None and newest.product_id != product_id:
        raise Refused(Reason("statement-of-another", f"{command.code} is for other products; give a code of its own"))
    return work.add(
        Statement(
            code=command.code,
            revision=newest.revision + 1 if newest else 1,
            text_en=command.text_en,
            text_de=command.text_de,
            product_id=product_id,
            drafted_at=work.now,
            drafted_by=work.actor.person,
        )
    )


@operation(Permission.APPROVE_SPECIFICATION)
def approve_statement(work: Work, command: DecideStatement) -> StatementDecision:
    """Nobody approves what they drafted."""
    statement = _named(work.session, command)
    if statement.drafted_by == work.actor.user_id:
        text = f"{work.actor.name} drafted {statement.label} and so may not approve it"
        raise Refused(Reason("not-by-same-person", text))
    return _decided(work, statement, StatementOutcome.APPROVED, Meaning.APPROVED, command.credentials)


@operation(Permission.APPROVE_SPECIFICATION)
def reject_statement(work: Work, command: RejectStatement) -> StatementDecision:
    """A draft that will never be printed; the next revision may be."""
    work.reason = command.reason
    statement = _named(work.session, command)
    approved = select(StatementDecision.outcome).where(StatementDecision.statement_id == statement.id)
    if StatementOutcome.APPROVED in set(work.session.exec(approved)):
        raise Conflict(Reason("decided-already", f"{statement.label} is approved already; it can be retired"))
    return _decided(work, statement, StatementOutcome.RETIRED, Meaning.REJECTED, command.credentials, command.reason)


@operation(Permission.APPROVE_SPECIFICATION)
def retire_statement(work: Work, command: DecideStatement) -> StatementDecision:
    """From now on no certificate prints it; those that did stay as they are."""
    statement = _named(work.session, command)
    return _decided(work, statement, StatementOutcome.RETIRED, Meaning.REJECTED, command.credentials)


def _decided(
    work: Work,
    statement: Statement,
    outcome: StatementOutcome,
    meaning: Meaning,
    credentials: Credentials,
    reason: str | None = None,
) -> StatementDecision:
    known = select(StatementDecision.outcome).where(StatementDecision.statement_id == statement.id)
    decided = set(work.session.exec(known))
    if outcome in decided or StatementOutcome.RETIRED in decided:
        raise Conflict(Reason("decided-already", f"{statement.label} is {max(decided)} already"))
    content = {**_plain(statement), "outcome": outcome.value, **({"reason": reason} if reason else {})}
    signature = sign(work, statement, content, meaning, credentials)
    return work.add(
        StatementDecision(
            statement_id=statement.key,
            outcome=outcome,
            signature_id=signature.key,
            decided_at=work.now,
            reason=reason,
        )
    )


def _plain(statement: Statement) -> dict[str, Any]:
    names = ("code", "revision", "text_en", "text_de", "product_id")
    return {name: getattr(statement, name) for name in names}


def _named(session: Session, command: DecideStatement) -> Statement:
    wanted = select(Statement).where(Statement.code == command.code, Statement.revision == command.revision)
    if found := session.exec(wanted).first():
        return found
    raise NotFound(Reason("statement-not-found", f"there is no statement {command.code} v{command.revision}", "code"))


def _product_id(session: Session, code: str | None) -> int | None:
    if code is None:
        return None
    found = session.exec(select(Product.id).where(Product.code == code)).first()
    if found is None:
        raise NotFound(Reason("product-not-found", f"there is no product {code!r}", "product_code"))
    return found


def in_force(session: Session, product: Product) -> tuple[Words, ...]:
    """What the certificates of a product print beside the statements that all have, by code."""
    rows = session.exec(
        select(Statement, StatementDecision.outcome)
        .join(StatementDecision)
        .where(col(Statement.product_id).is_(None) | (col(Statement.product_id) == product.id))
        .order_by(col(Statement.code), col(Statement.revision))
    ).all()
    retired = {statement.id for statement, outcome in rows if outcome is StatementOutcome.RETIRED}
    newest = {statement.code: statement for statement, outcome in rows if outcome is StatementOutcome.APPROVED}
    return tuple(Words(en=one.text_en, de=one.text_de) for one in newest.values() if one.id not in retired)


def statements(session: Session) -> list[StatementView]:
    """Every revision, by code, newest first."""
    rows = session.exec(
        select(Statement, User.name, Product.code)
        .join(User, col(Statement.drafted_by) == User.id)
        .outerjoin(Product, col(Statement.product_id) == Product.id)
        .order_by(col(Statement.code), col(Statement.revision).desc())
    ).all()
    decisions = session.exec(
        select(StatementDecision, Signature.name)
        .join(Signature, col(StatementDecision.signature_id) == Signature.id)
        .order_by(col(StatementDecision.id))
    ).all()
    last = {decision.statement_id: (decision, name) for decision, name in decisions}
    newest: dict[str, int] = {}
    for statement, _, _ in rows:
        if statement.id in last and last[statement.key][0].reason is None:
            newest.setdefault(statement.code, statement.key)
    return [_view(one, drafter, code, last.get(one.key), newest.get(one.code)) for one, drafter, code in rows]


def _view(
    one: Statement,
    drafter: str,
    product_code: str | None,
    decided: tuple[StatementDecision, str] | None,
    newest: int | None,
) -> StatementView:
    decision, by = decided or (None, None)
    standing = "drafted" if decision is None else "rejected" if decision.reason else decision.outcome.value
    return StatementView(
        **{name: getattr(one, name) for name in ("code", "revision", "text_en", "text_de", "drafted_at")},
        product_code=product_code,
        drafted_by=drafter,
        decided_by=by,
        decided_at=decision.decided_at if decision else None,
        reason=decision.reason if decision else None,
        standing="superseded" if standing == "approved" and one.key != newest else standing,
    )
