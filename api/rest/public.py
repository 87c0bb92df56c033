"""What anyone may ask, without an account: a lot's certificate and its state of this minute."""

import base64
import hashlib
from datetime import date, datetime
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from api.deps import site_of
from api.problems import answers
from domain.certificates.content import CertificateContent
from domain.certificates.queries import pdf_digest, public_lot
from domain.lots.models import LotState
from domain.store import reading

router = APIRouter(prefix="/api/v1/public", tags=["public"], responses=answers(404))

#: A cache may keep the answer but must ask again each time: a recall shows in the very next request.
FRESH = {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}


class PublicLotView(BaseModel):
    """The live state first; `certificate` is the frozen content, whose canonical JSON (RFC 8785) has `content_sha256`."""

    lot_number: str
    state: LotState
    state_since: datetime
    usable: bool
    expires_on: date
    certificate_number: str
    revision: int
    issued_at: datetime
    content_sha256: str
    pdf_sha256: str
    pdf_url: str
    certificate: CertificateContent


def unchanged(request: Request, etag: str) -> bool:
    """Whether the asker has this very answer already."""
    return etag in (part.strip().removeprefix("W/") for part in request.headers.get("if-none-match", "").split(","))


@router.get("/lots/{lot_number}", response_model=PublicLotView)
def look_up(lot_number: str, request: Request) -> Any:
    """The newest certificate of a lot, and its state today. Unknown and unreleased lots answer alike."""
    site = site_of(request)
    with reading(site.engine) as session:
        found = public_lot(session, lot_number, site.today())
    if unchanged(request, found.etag):
        return Response(status_code=304, headers={"ETag": found.etag, **FRESH})
    url = f"/api/v1/public/certificates/{found.certificate_number}.pdf"
    return Response(found.json(url), media_type="application/json", headers={"ETag": found.etag, **FRESH})


@router.get("/certificates/{certificate_number}.pdf", response_class=Response)
def download(certificate_number: str, request: Request, revision: int | None = None) -> Response:
    """The PDF as it was issued; the newest revision unless one is named. For the state of the lot, look the lot up."""
    site = site_of(request)
    with reading(site.engine) as session:
        digest = pdf_digest(session, certificate_number, revision)
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


def _base64(data: bytes) -> str:
    return base64.b64encode(hashlib.sha256(data).digest()).decode()
