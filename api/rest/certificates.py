"""Certificates inside the laboratory: preview, revise, withdraw, the register of certified batches, and the statements they print."""

# ruff: noqa: B008 - acting() and asking() are declarations that FastAPI reads, like Depends()

from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from api.deps import RowId, acting, asking, site_of
from api.problems import answers
from domain.certificates.history import CertificateHistory, RegisterEntry, batch_pdf, history_of, register
from domain.certificates.queries import pdf_digest
from domain.certificates.statements import (
    DecideStatement,
    DraftStatement,
    RejectStatement,
    StatementView,
    approve_statement,
    draft_statement,
    reject_statement,
    retire_statement,
    statements,
)
from domain.certificates.words import RevisionCause
from domain.disposition.certificates import (
    ReviseCertificate,
    WithdrawCertificate,
    draft,
    revise_certificate,
    withdraw_certificate,
)
from domain.disposition.queries import CertificateView
from domain.signatures import Credentials

router = APIRouter(prefix="/api/v1", tags=["certificates"], responses=answers(401, 403, 409, 422))


class Body(BaseModel):
    """A request's body: takes no stray fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Revision(Body):
    """The cause is printed, the reason stays in the records."""

    cause: RevisionCause
    reason: str = Field(min_length=3, max_length=1000)
    credentials: Credentials


class Withdrawn(Body):
    """Why the newest revision no longer counts."""

    reason: str = Field(min_length=3, max_length=1000)
    credentials: Credentials


class Rejected(Body):
    """Why a draft is not approved."""

    reason: str = Field(min_length=3, max_length=1000)
    credentials: Credentials


class WithdrawalView(BaseModel):
    """A withdrawal, as recorded."""

    model_config = ConfigDict(from_attributes=True)

    reason: str
    withdrawn_at: datetime


class Signed(Body):
    """A decision that the signature says it all about."""

    credentials: Credentials


@router.get("/lots/{lot_number}/certificate/draft.pdf", response_class=Response, responses=answers(404))
def preview(lot_number: str, request: Request, specification: str | None = None, ask: Any = asking()) -> Response:
    """A lot's certificate as it would be now, with what stands in its way; it has a watermark and no number.

    specification: code of the one it is for; the primary one, if none is named.
    """
    site = site_of(request)
    pdf = site.print_certificate.draw(ask(draft, site, lot_number, specification))
    headers = {"Content-Disposition": f'inline; filename="draft-{lot_number}.pdf"', "Cache-Control": "no-store"}
    return Response(pdf, media_type="application/pdf", headers=headers)


@router.post("/certificates/{certificate_number}/revision", status_code=201, responses=answers(404, 503))
def revision(certificate_number: str, body: Revision, act: Any = acting(revise_certificate)) -> CertificateView:
    """Issue the next revision; the number stays, and the one before is shown as superseded."""
    command = ReviseCertificate(certificate_number=certificate_number, **dict(body))
    return CertificateView.model_validate(act(command))


@router.post("/certificates/{certificate_number}/withdrawal", status_code=201, responses=answers(404))
def withdrawal(certificate_number: str, body: Withdrawn, act: Any = acting(withdraw_certificate)) -> WithdrawalView:
    """Withdraw the newest revision."""
    command = WithdrawCertificate(certificate_number=certificate_number, **dict(body))
    return WithdrawalView.model_validate(act(command))


@router.get("/certificates/{certificate_number}.pdf", response_class=Response, responses=answers(404))
def issued(certificate_number: str, request: Request, revision: RowId | None = None, ask: Any = asking()) -> Response:
    """A certificate as it was issued; the newest revision unless one is named."""
    data = site_of(request).documents.get(ask(pdf_digest, certificate_number, revision))
    headers = {"Content-Disposition": f'inline; filename="{certificate_number}.pdf"', "Cache-Control": "no-store"}
    return Response(data, media_type="application/pdf", headers=headers)


@router.get("/certificates/{certificate_number}", responses=answers(404))
def one(certificate_number: str, ask: Any = asking()) -> CertificateHistory:
    """Every revision of a certificate, newest first, with what became of each."""
    return ask(history_of, certificate_number)  # type: ignore[no-any-return]


@router.get("/register")
def certified_batches(before: str | None = None, ask: Any = asking()) -> list[RegisterEntry]:
    """The running register: every number taken for a document, newest first; issued, open, or voided with its reason."""
    return ask(register, before)  # type: ignore[no-any-return]


@router.get("/batch-certificates/{number}.pdf", response_class=Response, responses=answers(404))
def batch_certificate(number: str, request: Request, ask: Any = asking()) -> Response:
    """A batch certificate as it was issued."""
    data = site_of(request).documents.get(ask(batch_pdf, number))
    headers = {"Content-Disposition": f'inline; filename="{number}.pdf"', "Cache-Control": "no-store"}
    return Response(data, media_type="application/pdf", headers=headers)


@router.get("/statements")
def list_statements(ask: Any = asking()) -> list[StatementView]:
    """Every revision of every statement, and how it stands."""
    return ask(statements)  # type: ignore[no-any-return]


def _shown(ask: Any, code: str, revision: int) -> StatementView:
    found: list[StatementView] = ask(statements)
    return next(one for one in found if (one.code, one.revision) == (code, revision))


@router.post("/statements", status_code=201)
def new_statement(body: DraftStatement, act: Any = acting(draft_statement), ask: Any = asking()) -> StatementView:
    """Draft a statement; it is printed once QA approves it."""
    made = act(body)
    return _shown(ask, made.code, made.revision)


@router.post("/statements/{code}/{revision}/approval", status_code=201, responses=answers(404))
def approval(
    code: str, revision: int, body: Signed, act: Any = acting(approve_statement), ask: Any = asking()
) -> StatementView:
    """QA approves a statement that somebody else drafted."""
    act(DecideStatement(code=code, revision=revision, credentials=body.credentials))
    return _shown(ask, code, revision)


@router.post("/statements/{code}/{revision}/rejection", status_code=201, responses=answers(404))
def rejection(
    code: str, revision: int, body: Rejected, act: Any = acting(reject_statement), ask: Any = asking()
) -> StatementView:
    """QA rejects a draft, with the reason; it will never be printed."""
    act(RejectStatement(code=code, revision=revision, reason=body.reason, credentials=body.credentials))
    return _shown(ask, code, revision)


@router.post("/statements/{code}/{revision}/retirement", status_code=201, responses=answers(404))
def retirement(
    code: str, revision: int, body: Signed, act: Any = acting(retire_statement), ask: Any = asking()
) -> StatementView:
    """QA retires a statement: no further certificate prints it."""
    act(DecideStatement(code=code, revision=revision, credentials=body.credentials))
    return _shown(ask, code, revision)
