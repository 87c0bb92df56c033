"""The application: the JSON API, the pages, refusals, health."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace

import anyio.to_thread
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

import api.rest
import api.web
from api import health, keys, look_ups, problems
from api.limited import EXAMINER
from api.limits import BodyLimit
from api.rate_limits import RateLimits
from api.settings import Settings, settings
from domain.work import Site

logger = logging.getLogger("exolotl")

DESCRIPTION = """
Lots, quality control and certificates of analysis for secretome and extracellular-vesicle products.

Sign in with `POST /api/v1/session` and send the `access_token` as a bearer token. Numbers are text (`"7.40"` is not `"7.4"`), units are
UCUM, times carry their zone. Every refusal is a problem (RFC 9457) that lists all its reasons. Nothing is edited or deleted: a correction is a
new record that names the one it replaces. This system never claims that a product is approved.
"""


def create_app(site: Site | None = None, threads: int | None = None, given: Settings | None = None) -> FastAPI:
    """The application for a site (default: the one the settings describe), with the settings given or those of the process."""
    known = given or settings()
    chosen = site or known.site()
    tokens = threads or known.worker_threads()

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = tokens
        look_ups.allow(tokens)
        EXAMINER.start()
        if warning := keys.signing_state(chosen).warning:
            logger.warning("%s", warning)
        yield
        chosen.engine.dispose()

    app = FastAPI(
        title="Exolotl",
        version="0.1.0",
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    app.state.site, app.state.settings = chosen, known
    problems.install(app)
    api.rest.install(app)
    app.include_router(health.router)
    registry = CollectorRegistry()
    app.state.metrics = SimpleNamespace(registry=registry)
    keys.watch(chosen, registry)
    app.add_middleware(RateLimits, rules=known.rate_rules(), registry=registry)
    api.web.install(app)
    app.add_middleware(BodyLimit)
    app.add_middleware(health.Metrics, registry=registry)
    return app
