"""The JSON API: one router a noun, a route is one call."""

from fastapi import FastAPI

from api.rest import audit, certificates, investigations, laboratory, lots, people, public, schemas, steps, testing


def install(app: FastAPI) -> None:
    """Add every router."""
    # searched in order: the most asked come first
    for part in (public, steps, people, lots, laboratory, testing, investigations, certificates, schemas, audit):
        app.router.routes.extend(part.router.routes)  # include_router would match each request twice over
