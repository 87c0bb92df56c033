"""What anyone may ask, without an account: a lot's certificate and its state of this minute."""

import base64
import hashlib
from datetime import date, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, File, Request, Response, UploadFile
from pydantic import BaseModel, ConfigDict, Field

from api.checking import Checked, Outcome, check_apart
from api.checks import State
from api.deps import CheckCode, RowId, site_of
from api.help_on_tests import HELP
from api.look_ups import LookUpRoute
from api.problems import answers
from domain.certificates.content import CertificateContent, Words
from domain.certificates.look_up import Standing, public_lot
from domain.certificates.published import published
from domain.certificates.words import RevisionCause
from domain.errors import Invalid, Reason
from domain.lots.models import LotState
from domain.store import reading

router = APIRouter(prefix="/api/v1/public", tags=["public"], responses=answers(404, 422, 429), route_class=LookUpRoute)

FILES = "/api/v1/public/certificates"

MOST_BYTES = 20 * 1024 * 1024

#: A cache may keep the answer but must ask again each time: a recall shows in the very next request.
FRESH = {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}


#: Described here and read by the route itself: it is asked all day, and a declared parameter costs 10 of its 370 µs (measured).
CODE = {
    "name": "code",
    "in": "query",
    "required": False,
    "description": "the check code printed on the label beside the lot number, where there is one",
    "schema": {"type": "string", "maxLength": 40},
}


CERTIFICATE = {
    "name": "certificate",
    "in": "query",
    "required": False,
    "description": "which certificate is shown, of a lot that has several",
    "schema": {"type": "string", "maxLength": 20},
}


class Contact(BaseModel):
    """Whom to ask at the manufacturer."""

    name: str
    phone: str
    email: str


class RecallView(BaseModel):
    """Class I: may be life-threatening; II: may harm; III: is unlikely to harm. Do not use what is recalled, and ask the manufacturer."""

    class_: Literal["I", "II", "III"] | None = Field(alias="class")
    since: datetime
    contact: Contact


class RevisionView(BaseModel):
    """A revision of the certificate. `state`: a withdrawn one stays withdrawn, also when another was issued later."""

    revision: int
    state: Standing
    issued_at: datetime
    cause: RevisionCause | None = Field(description="why there is a revision after the first")
    withdrawn_at: datetime | None
    supersedes: int | None
    superseded_by: int | None
    content_sha256: str
    pdf_sha256: str
    pdf_url: str = Field(description="the file as it was issued")
    copy_url: str = Field(description="a copy for information, unsigned, whose every page says what became of it")
    proof_url: str = Field(description="that it stands in the public log (RFC 9162)")


class ConditionView(BaseModel):
    """A lot that was released before these results (codes of tests); `overdue`: the day is over without them, and the lot is not usable."""

    awaited: list[str]
    due_on: date
    overdue: bool


class ChoiceView(BaseModel):
    """One of several certificates of a lot, and the market it is for; ask for it with `certificate`."""

    certificate_number: str
    market: str | None
    specification: str
    revision: int
    certificate_state: Standing
    pdf_url: str


class PublicLotView(BaseModel):
    """The live state first; `certificate` is the frozen content, whose canonical JSON (RFC 8785) has `content_sha256`.

    `state_since`: when the lot was last moved; it expires at the end of `expires_on`. `usable`: released today, with a certificate that counts, and
    with nothing overdue that its release awaits. `certificates`: all of them, where a lot has several, one a market; else none is listed.
    `certificate_state` is that of the newest revision. What a test can tell stands at /api/v1/public/tests.
    """

    lot_number: str
    state: LotState
    state_since: datetime
    usable: bool
    certificate_state: Literal["current", "withdrawn"]
    recall: RecallView | None
    conditional: ConditionView | None
    expires_on: date
    certificate_number: str
    revision: int
    issued_at: datetime
    content_sha256: str
    pdf_sha256: str
    pdf_url: str
    proof_url: str
    revisions: list[RevisionView]
    certificates: list[ChoiceView]
    certificate: CertificateContent


class CheckView(BaseModel):
    """One thing that was looked at; the sentence in English and German says what was found."""

    model_config = ConfigDict(from_attributes=True)

    code: str = Field(examples=["digest"])
    state: State
    en: str
    de: str


class FileCheck(BaseModel):
    """What a file is. Genuine: these very bytes were issued here, and the record of it is sound. Current: it is genuine, no later revision was
    issued, it was not withdrawn, and the lot is released today. Of an altered file, number and revision are what it claims to be.
    """

    model_config = ConfigDict(from_attributes=True)

    sha256: str = Field(description="of the file as it was received")
    outcome: Outcome
    genuine: bool
    current: bool
    checked_at: datetime
    document: Literal["analysis", "batch"] | None
    certificate_number: str | None
    revision: int | None
    newest_revision: int | None
    lot_number: str | None
    state: LotState | None
    checks: list[CheckView]


def unchanged(request: Request, etag: str) -> bool:
    """Whether the asker has this very answer already."""
    return etag in (part.strip().removeprefix("W/") for part in request.headers.get("if-none-match", "").split(","))


@router.head("/lots/{lot_number}", include_in_schema=False)
@router.get("/lots/{lot_number}", response_model=PublicLotView, openapi_extra={"parameters": [CODE, CERTIFICATE]})
def look_up(lot_number: str, request: Request) -> Any:
    """The newest certificate of a lot, and its state today. Unknown and unreleased lots answer alike.

    The number is understood as people type it (spaces, lower case, O for 0, other hyphens or none) or scan it (a GS1 element string).
    """
    site = site_of(request)
    asked = request.query_params if request.scope["query_string"] else {}
    found = public_lot(site.engine, lot_number, site.today(), asked.get("code"), asked.get("certificate"))
    maker = site.profile
    contact = {"name": maker.name, "phone": maker.phone, "email": maker.email}
    headers = {"ETag": found.etag(*contact.values()), **FRESH}
    if unchanged(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return Response(found.json(FILES, contact), media_type="application/json", headers=headers)


@router.get("/tests")
def explain_tests() -> dict[str, Words]:
    """What each test can tell, and what it cannot, by its code."""
    return dict(HELP)


@router.head("/certificates/{certificate_number}.pdf", include_in_schema=False)
@router.get("/certificates/{certificate_number}.pdf", response_class=Response)
def download(
    certificate_number: str, request: Request, revision: RowId | None = None, code: CheckCode = ""
) -> Response:
    """The PDF as it was issued; the newest revision unless one is named. For the state of the lot, look the lot up."""
    site = site_of(request)
    with reading(site.engine) as session:
        digest = published(session, certificate_number, revision, code).pdf_sha256
    etag = f'"{digest[:32]}"'
    if unchanged(request, etag):
        return Response(status_code=304, headers={"ETag": etag, **FRESH})
    data = site.documents.get(digest)
    headers = {
        "ETag": etag,
        "Content-Disposition": f'inline; filename="{certificate_number}.pdf"',
        "Repr-Digest": f"sha-256=:{_base64(data)}:",
        **FRESH,
    }
    return Response(data, media_type="application/pdf", headers=headers)


async def dropped(request: Request, file: UploadFile = File(description="a PDF")) -> Checked:
    """A dependency: what the file is, found in threads of its own; those that answer look-ups do not wait for it."""
    data = await file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise Invalid(Reason("file-too-large", "a certificate has at most 20 MB", "file"))
    return await check_apart(site_of(request), data)


@router.post("/verify")
def verify(response: Response, checked: Annotated[Checked, Depends(dropped)]) -> FileCheck:
    """Whether a file is a certificate of this laboratory, byte for byte, what is true of it and its lot now, and what was checked. It is not kept."""
    response.headers["Cache-Control"] = "no-store"
    return FileCheck.model_validate(checked)


def _base64(data: bytes) -> str:
    return base64.b64encode(hashlib.sha256(data).digest()).decode()
