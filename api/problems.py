"""Refusals as HTTP: RFC 9457 problem+json for machines, a page for a browser. Nothing else in the application knows a status code."""

import html
import logging
import uuid
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, Response
from pydantic import BaseModel, Field, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from api import problem_types
from api.look_ups import apart
from domain.errors import (
    Conflict,
    DomainError,
    Forbidden,
    Invalid,
    NotFound,
    Reason,
    Refused,
    Stale,
    Unauthenticated,
    Unavailable,
)

logger = logging.getLogger("exolotl")

#: Kind of refusal -> status and title.
KINDS: dict[type[DomainError], tuple[int, str]] = {
    Invalid: (422, "A value cannot be what it should be"),
    Unauthenticated: (401, "Sign in first"),
    Forbidden: (403, "Not permitted"),
    NotFound: (404, "Not found"),
    Refused: (409, "Refused by a rule of the laboratory"),
    Conflict: (409, "It exists already"),
    Stale: (409, "Somebody else changed it meanwhile"),
    Unavailable: (503, "Something this needs does not answer"),
}


class ProblemReason(BaseModel):
    """One reason of a refusal."""

    type: str = Field(examples=["/problems/value-outside-hard-bounds"])
    detail: str
    field: str | None = Field(
        default=None, description="where the wrong value was given", examples=["readings.ph.value"]
    )


class Problem(BaseModel):
    """RFC 9457. `type` names the reason; if there are several, `/problems/several-reasons`, and each is listed."""

    type: str = Field(examples=["/problems/not-enough-left"])
    title: str
    status: int
    detail: str
    instance: str
    reasons: list[ProblemReason]


def problem(request: Request, status: int, title: str, reasons: tuple[Reason, ...]) -> Response:
    """The answer for a refusal, in the form that the asker reads."""
    kind = reasons[0].code if len(reasons) == 1 else "several-reasons"
    if _wants_page(request):
        return _page(request, status, title, reasons)
    body = Problem(
        type=f"/problems/{kind}",
        title=title,
        status=status,
        detail=" ".join(_sentence(reason.text) for reason in reasons),
        instance=request.url.path,
        reasons=[ProblemReason(type=f"/problems/{one.code}", detail=one.text, field=one.field) for one in reasons],
    )
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else None
    return JSONResponse(body.model_dump(), status, headers=headers, media_type="application/problem+json")


def _sentence(text: str) -> str:
    return text if text.endswith(".") else f"{text}."


def _wants_page(request: Request) -> bool:
    return not request.url.path.startswith("/api/") and "text/html" in request.headers.get("accept", "")


def _page(request: Request, status: int, title: str, reasons: tuple[Reason, ...]) -> Response:
    draw = getattr(request.app.state, "problem_page", None)
    if draw is not None:
        return draw(request, status, title, reasons)  # type: ignore[no-any-return]
    items = "".join(f"<li>{html.escape(reason.text)}</li>" for reason in reasons)
    return HTMLResponse(
        f"<!doctype html><title>{html.escape(title)}</title><h1>{html.escape(title)}</h1><ul>{items}</ul>", status
    )


def _location(parts: tuple[Any, ...]) -> str:
    kept = parts[1:] if parts and parts[0] in ("body", "query", "path") else parts
    return ".".join(str(part) for part in kept)


def reasons_of(errors: Any) -> tuple[Reason, ...]:
    """Pydantic's errors as reasons, each with the place of the wrong value."""
    return tuple(
        Reason("value-not-valid", f"{_location(one['loc']) or 'the request'}: {one['msg']}", _location(one["loc"]))
        for one in errors
    )


def install(app: FastAPI) -> None:
    """Let the application answer every refusal, and every failure, in these forms."""

    def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, DomainError)
        status, title = next((known for kind, known in KINDS.items() if isinstance(error, kind)), (400, "Refused"))
        return problem(request, status, title, error.reasons)

    def not_valid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError | ValidationError)
        return problem(request, 422, KINDS[Invalid][1], reasons_of(error.errors()))

    def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        code = {404: "not-found", 405: "method-not-allowed", 413: "too-large"}.get(error.status_code, "http-error")
        return problem(request, error.status_code, str(error.detail), (Reason(code, str(error.detail)),))

    def failed(request: Request, error: Exception) -> Response:
        number = uuid.uuid4().hex[:12]
        logger.error("failure %s at %s %s", number, request.method, request.url.path, exc_info=error)
        text = (
            f"Something failed in the server; nothing was recorded by this request. Quote {number} when you report it."
        )
        return problem(request, 500, "Failure", (Reason("failure", text),))

    def gone(_request: Request, _error: Exception) -> Response:
        """Who asked went away before the request was read, as at a second click: nothing was done, and nobody reads an answer."""
        return Response(status_code=400)

    app.include_router(problem_types.router)
    app.add_exception_handler(ClientDisconnect, gone)
    app.add_exception_handler(DomainError, apart(refused))
    app.add_exception_handler(RequestValidationError, apart(not_valid))
    app.add_exception_handler(ValidationError, apart(not_valid))
    app.add_exception_handler(HTTPException, apart(http))
    app.add_exception_handler(Exception, apart(failed))


def answers(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI description of the refusals that a route can give."""
    titles: dict[int, str] = {429: "Asked too often"}
    for status, title in KINDS.values():
        titles[status] = f"{titles[status]}; {title[0].lower()}{title[1:]}" if status in titles else title
    schema = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": titles[status], "model": Problem, "content": schema} for status in statuses}
