"""The JSON Schemas of certificates, at addresses that stay."""

from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import RedirectResponse

from api.problems import answers
from domain.errors import NotFound, Reason
from reports.schemas import NEWEST, frozen

router = APIRouter(prefix="/schemas", tags=["public"], responses=answers(404, 422))

#: A published schema never changes; programs on other sites may read it.
HEADERS = {"Cache-Control": "public, max-age=86400", "Access-Control-Allow-Origin": "*"}
_JSON_SCHEMA: dict[int | str, dict[str, Any]] = {
    200: {"description": "A JSON Schema", "content": {"application/schema+json": {"schema": {"type": "object"}}}}
}


@router.get("/{name}.json", response_class=Response, responses=_JSON_SCHEMA)
def schema(name: str) -> Response:
    """A JSON Schema (draft 2020-12) by name and version (`coa-1.1`); `coa` and `batch-certificate` lead to the newest."""
    file = f"{name}.json"
    if newest := NEWEST.get(file):
        return RedirectResponse(f"/schemas/{newest}", 307, headers={"Cache-Control": "no-cache"})
    try:
        return Response(frozen(file), media_type="application/schema+json", headers=HEADERS)
    except FileNotFoundError:
        raise NotFound(Reason("not-found", f"there is no schema {name[:60]!r}", "name")) from None
