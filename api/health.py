"""Health and metrics, for whoever runs the server."""

from collections.abc import Awaitable, Callable, MutableMapping
from functools import cache, lru_cache
from time import perf_counter
from typing import Any

import sqlalchemy as sa
from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest

from api.deps import site_of
from api.keys import signing_state
from api.look_ups import LookUpRoute
from domain.store import reading
from migrations import current, revisions

router = APIRouter(tags=["health"], route_class=LookUpRoute)

Message = MutableMapping[str, Any]


@cache
def newest_schema() -> str:
    """The schema this version of the program works with."""
    return revisions()[-1]


@router.get("/health/live")
def live() -> dict[str, str]:
    """The process answers."""
    return {"status": "live"}


@router.get("/health/ready")
def ready(request: Request, response: Response) -> dict[str, str]:
    """The database answers and has the schema of this version; `signing` says what is wrong with the signing key, or that it ends soon."""
    engine = site_of(request).engine
    try:
        with reading(engine) as session:
            session.connection().execute(sa.text("SELECT 1"))
        if current(engine) != newest_schema():
            response.status_code = 503
            return {"status": "the database has another schema; run: exolotl migrate"}
    except sa.exc.SQLAlchemyError:
        response.status_code = 503
        return {"status": "the database does not answer"}
    warning = signing_state(site_of(request)).warning
    return {"status": "ready", **({"signing": warning} if warning else {})}


@router.get("/metrics")
def metrics(request: Request) -> Response:
    """Counts and times of requests, for Prometheus."""
    return Response(generate_latest(request.app.state.metrics.registry), media_type=CONTENT_TYPE_LATEST)


class Metrics:
    """Counts and times requests; plain ASGI, as it stands before every one."""

    def __init__(self, app: Callable[..., Awaitable[None]], registry: CollectorRegistry) -> None:
        self.app, self.registry = app, registry
        self.count = Counter("exolotl_requests_total", "Requests answered", ["method", "status"], registry=registry)
        self._counted = lru_cache(maxsize=256)(self.count.labels)
        self.time = Histogram("exolotl_request_seconds", "Time to answer", registry=registry)

    async def __call__(self, scope: Message, receive: Any, send: Any) -> None:
        """Pass the request on, and note how it ended."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started, status = perf_counter(), 500

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, noting)
        finally:
            self._counted(scope["method"], status).inc()
            self.time.observe(perf_counter() - started)
