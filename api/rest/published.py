"""Certificates for machines (`coa.json` and the FHIR bundle, as they are attached to the PDF), and copies that say what became of them."""

from typing import Annotated, Any

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Depends, Request, Response

from api.deps import CheckCode, RowId, site_of
from api.look_ups import LookUpRoute
from api.problems import answers
from domain.certificates.content import CertificateContent
from domain.certificates.published import published, to_copy
from domain.store import reading
from domain.work import Site
from reports.fhir import bundle

router = APIRouter(
    prefix="/api/v1/public/certificates", tags=["public"], responses=answers(404, 422, 429), route_class=LookUpRoute
)

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


#: Drawing takes a part of a second of a processor: one at a time, and none of the threads that answer look-ups.
_ONE_AT_A_TIME = CapacityLimiter(1)


async def copied(
    certificate_number: str, request: Request, revision: RowId | None = None, code: CheckCode = ""
) -> bytes:
    """A dependency: the copy, drawn in a thread of its own."""
    return await to_thread.run_sync(
        _copied, site_of(request), certificate_number, revision, code, limiter=_ONE_AT_A_TIME
    )


@router.get(
    "/{certificate_number}/copy.pdf", response_class=Response, responses={200: {"content": {"application/pdf": {}}}}
)
def copy_for_information(certificate_number: str, copy: Annotated[bytes, Depends(copied)]) -> Response:
    """A copy whose every page says what became of the certificate: superseded, withdrawn, its lot recalled, or that it is a copy.

    It is drawn anew, not signed, and not the file that was issued: that one is at `….pdf`, and the check of a file knows it alone.
    """
    return _file(copy, certificate_number, "copy.pdf", "application/pdf")


def _copied(site: Site, number: str, revision: int | None, code: str) -> bytes:
    with reading(site.engine, consistent=True) as session:
        found = to_copy(session, number, revision, code)
    content = CertificateContent.model_validate_json(found.content)
    return site.print_certificate.draw(content, found.look, site.documents.get, found.standing)


def _content(request: Request, certificate_number: str, revision: int | None, code: str) -> str:
    with reading(site_of(request).engine) as session:
        return published(session, certificate_number, revision, code).content


def _file(data: bytes, number: str, name: str, media_type: str) -> Response:
    disposition = f'inline; filename="{number}.{name}"'
    return Response(data, media_type=media_type, headers={**HEADERS, "Content-Disposition": disposition})
