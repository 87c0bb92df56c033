"""The JSON API: one router a noun, a route is one call."""

from fastapi import FastAPI

from api.rest import (
    audit,
    certificates,
    compare,
    decisions,
    deviations,
    equipment,
    following,
    investigations,
    labels,
    laboratory,
    log,
    lots,
    materials,
    people,
    products,
    public,
    published,
    recipes,
    schemas,
    steps,
    testing,
)

#: Searched in order: the most asked come first.
PARTS = (
    public,
    steps,
    people,
    lots,
    labels,
    laboratory,
    certificates,
    decisions,
    deviations,
    log,
    following,
    compare,
    published,
    schemas,
    audit,
    recipes,
    equipment,
    materials,
    testing,
    investigations,
    products,
)


def install(app: FastAPI) -> None:
    """Add every router."""
    for part in PARTS:
        app.router.routes.extend(part.router.routes)  # include_router would match each request twice over
