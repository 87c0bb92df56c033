"""Certificates for machines: `coa.json` and the FHIR bundle, as they are attached to the PDF."""

from typing import Any

from fastapi import APIRouter, Request, Response

from api.deps import CheckCode, RowId, site_of
from api.problems import answers
from domain.certificates.content import CertificateContent
from domain.certificates.published import published
from domain.store import reading
from reports.fhir import bundle

router = APIRouter(prefix="/api/v1/public/certificates", tags=["public"], responses=answers(404, 422, 429))

#: A revision never changes, but which one is the newest does: a cache asks again. Programs on other sites may read it.
HEADERS = {"Cache-Control": "no-cache", "Access-Control-Allow-Origin": "*"}


def _typed(media_type: str, what: str) -> dict[int | str, dict[str, Any]]:
    return {200: {"description": what, "content": {media_type: {"schema": {"type": "object"}}}}}


# Before `.json`, which would take `.fhir` for the end of a number.
@router.get(
    "/{certificate_number}.fhir.json",
    response_class=Response,
    responses=_typed("application/fhir+json", "A FHIR R5 bundle"),
)
def coa_fhir(
    certificate_number: str, request: Request, revision: RowId | None = None, code: CheckCode = ""
) -> Response:
    """`coa.fhir.json`: the same as a bundle of FHIR R5."""
    content = CertificateContent.model_validate_json(_content(request, certificate_number, revision, code))
    return _file(bundle(content), certificate_number, "coa.fhir.json", "application/fhir+json")


@router.get(
    "/{certificate_number}.json", response_class=Response, responses=_typed("application/json", "The canonical content")
)
def coa_json(
    certificate_number: str, request: Request, revision: RowId | None = None, code: CheckCode = ""
) -> Response:
    """`coa.json`: the canonical content (RFC 8785), of the schema /schemas/coa.json; the newest revision unless one is named.

    For the state of the lot, look the lot up.
    """
    return _file(
        _content(request, certificate_number, revision, code).encode(),
        certificate_number,
        "coa.json",
        "application/json",
    )


def _content(request: Request, certificate_number: str, revision: int | None, code: str) -> str:
    with reading(site_of(request).engine) as session:
        return published(session, certificate_number, revision, code).content


def _file(data: bytes, number: str, name: str, media_type: str) -> Response:
    disposition = f'inline; filename="{number}.{name}"'
    return Response(data, media_type=media_type, headers={**HEADERS, "Content-Disposition": disposition})
