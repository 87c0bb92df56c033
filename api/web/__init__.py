"""The HTML workplace: the same operations as everywhere, behind forms that need no script."""

from fastapi import FastAPI
from starlette.staticfiles import StaticFiles

from api.web import donors, laboratory, lots, people, products, public, sign_in, specifications, steps
from api.web.pages import FOLDER, problem_page
from api.web.security import SecurityHeaders


def install(app: FastAPI) -> None:
    """Give the application its pages, their style, the pages of refusals, and the headers that guard them all."""
    for room in (sign_in, public, lots, products, steps, donors, laboratory, specifications, people):
        app.include_router(room.router)
    app.mount("/static", StaticFiles(directory=FOLDER / "static"), name="static")
    app.state.problem_page = problem_page
    app.add_middleware(SecurityHeaders)
