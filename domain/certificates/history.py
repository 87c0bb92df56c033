"""What the laboratory sees of its documents: the revisions of a certificate, and the running register of numbers."""

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from domain.certificates.models import (
    BatchCertificate,
    Certificate,
    CertificateNumber,
    DocumentKind,
    VoidedNumber,
    Withdrawal,
)
from domain.certificates.words import RevisionCause
from domain.errors import NotFound, Reason
from domain.lots.models import ConditionalRelease, ConditionMet, Lot, LotState
from domain.signatures import Signature
from domain.store import UtcDateTime
from domain.work import View


class RevisionView(View):
    """A revision and what became of it: `current`, `superseded` or `withdrawn`."""

    revision: int
    standing: str
    cause: RevisionCause | None
    issued_at: datetime
    signed_by: str
    content_sha256: str
    pdf_sha256: str
    withdrawn_at: datetime | None
    withdrawal_reason: str | None


class CertificateHistory(View):
    """A certificate with all its revisions, newest first, and the state of its lot: of a recalled lot no certificate counts."""

    number: str
    lot_number: str
    lot_state: LotState
    revisions: tuple[RevisionView, ...]


class RegisterEntry(View):
    """A number of the running register, and what became of it.

    standing: `open` (taken, not issued yet), `issued`, `superseded` (a batch certificate whose certificate of analysis was revised), `withdrawn`,
    `recalled` (the lot was) or `voided`, with the reason. revisions: how many were issued.
    awaited_until: the lot was released before a result that is still awaited, until then.
    """

    number: str
    kind: DocumentKind
    lot_number: str
    taken_at: datetime
    standing: str
    issued_at: datetime | None
    certified_by: str | None
    void_reason: str | None
    revisions: int = 0
    withdrawn_at: datetime | None = None
    awaited_until: date | None = None


def history_of(session: Session, number: str) -> CertificateHistory:
    """Raises NotFound."""
    rows = session.exec(
        select(Certificate, Lot, Signature.name, Withdrawal)
        .join(Lot, col(Certificate.lot_id) == Lot.id)
        .join(Signature, col(Certificate.signature_id) == Signature.id)
        .outerjoin(Withdrawal, col(Withdrawal.certificate_id) == Certificate.id)
        .where(Certificate.number == number)
        .order_by(col(Certificate.revision).desc())
    ).all()
    if not rows:
        text = f"there is no certificate with the number {number!r}"
        raise NotFound(Reason("certificate-not-found", text, "certificate_number"))
    newest = rows[0][0].revision
    return CertificateHistory(
        number=number,
        lot_number=rows[0][1].lot_number,
        lot_state=rows[0][1].state,
        revisions=tuple(
            _revision(one, signer, withdrawn, one.revision == newest) for one, _, signer, withdrawn in rows
        ),
    )


def _revision(one: Certificate, signer: str, withdrawn: Withdrawal | None, newest: bool) -> RevisionView:
    standing = "withdrawn" if withdrawn else "current" if newest else "superseded"
    return RevisionView(
        revision=one.revision,
        standing=standing,
        cause=one.revision_cause,
        issued_at=one.issued_at,
        signed_by=signer,
        content_sha256=one.content_sha256,
        pdf_sha256=one.pdf_sha256,
        withdrawn_at=withdrawn.withdrawn_at if withdrawn else None,
        withdrawal_reason=withdrawn.reason if withdrawn else None,
    )


#: As many lines of the register as one answer has.
MOST = 500


def register(session: Session, before: str | None = None) -> list[RegisterEntry]:
    """Every number that was taken, newest first, at most 500 at a time: the series has no gap that is not explained here (AMWHV 17(5)).

    before: only numbers taken earlier than this one.
    """
    analysis, batch = aliased(Signature), aliased(Signature)
    wanted = (
        sa.select(
            CertificateNumber,
            col(Lot.lot_number),
            col(VoidedNumber.reason),
            sa.func.coalesce(Certificate.issued_at, BatchCertificate.issued_at, type_=UtcDateTime()),
            sa.func.coalesce(analysis.name, batch.name),
            col(Lot.state),
            _revisions(),
            _withdrawn_at(),
            col(ConditionalRelease.due_on),
        )
        .join(Lot, col(CertificateNumber.lot_id) == Lot.id)
        .outerjoin(VoidedNumber, col(VoidedNumber.number_id) == CertificateNumber.id)
        .outerjoin(
            Certificate, (col(Certificate.number) == CertificateNumber.number) & (col(Certificate.revision) == 1)
        )
        .outerjoin(analysis, col(analysis.id) == Certificate.signature_id)
        .outerjoin(BatchCertificate, col(BatchCertificate.number) == CertificateNumber.number)
        .outerjoin(batch, col(batch.id) == BatchCertificate.signature_id)
        .outerjoin(
            ConditionalRelease,
            (col(ConditionalRelease.lot_id) == Lot.id)
            & ~sa.exists().where(col(ConditionMet.conditional_id) == ConditionalRelease.id),
        )
        .order_by(col(CertificateNumber.id).desc())
        .limit(MOST)
    )
    if before is not None:
        mark = select(CertificateNumber.id).where(CertificateNumber.number == before).scalar_subquery()
        wanted = wanted.where(col(CertificateNumber.id) < mark)
    return _entries(session, wanted)


_Any, _Later = aliased(Certificate), aliased(Certificate)


def _revisions() -> Any:
    """How many revisions a number has; of a batch certificate 1, or 2 once the certificate that it names was revised."""
    own = sa.select(sa.func.count()).where(col(_Any.number) == CertificateNumber.number).scalar_subquery()
    named = sa.select(sa.func.count()).where(col(_Later.supersedes_id) == BatchCertificate.certificate_id)
    return sa.case((col(BatchCertificate.id).is_not(None), 1 + named.scalar_subquery()), else_=own)


def _withdrawn_at() -> Any:
    """When the newest revision, or the certificate that a batch certificate names, was withdrawn."""
    of_number = sa.select(sa.func.max(_Later.revision)).where(col(_Later.number) == CertificateNumber.number)
    newest = of_number.correlate(CertificateNumber).scalar_subquery()
    own = (
        sa.select(col(_Any.id))
        .where(col(_Any.number) == CertificateNumber.number, col(_Any.revision) == newest)
        .correlate(CertificateNumber)
    )
    which = sa.func.coalesce(BatchCertificate.certificate_id, own.scalar_subquery())
    return sa.select(col(Withdrawal.withdrawn_at)).where(col(Withdrawal.certificate_id) == which).scalar_subquery()


def _standing(taken: CertificateNumber, row: Any) -> str:
    _, _, void, issued_at, _, state, revisions, withdrawn_at, _ = row
    if void or not issued_at:
        return "voided" if void else "open"
    if state == LotState.RECALLED:
        return "recalled"
    if withdrawn_at:
        return "withdrawn"
    return "superseded" if taken.kind is DocumentKind.BATCH and revisions > 1 else "issued"


def _entries(session: Session, wanted: Any) -> list[RegisterEntry]:
    return [
        RegisterEntry(
            number=row[0].number,
            kind=row[0].kind,
            lot_number=row[1],
            taken_at=row[0].taken_at,
            standing=_standing(row[0], row),
            issued_at=row[3],
            certified_by=row[4],
            void_reason=row[2],
            revisions=row[6] if row[3] else 0,
            withdrawn_at=row[7],
            awaited_until=row[8],
        )
        for row in session.exec(wanted)
    ]


def batch_pdf(session: Session, number: str) -> str:
    """The SHA-256 of a batch certificate's file. Raises NotFound."""
    if found := session.exec(select(BatchCertificate.pdf_sha256).where(BatchCertificate.number == number)).first():
        return found
    text = f"there is no batch certificate with the number {number!r}"
    raise NotFound(Reason("certificate-not-found", text, "certificate_number"))
