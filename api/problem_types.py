"""What each reason of a refusal means: the table of problems.toml, served at /problems/{code} and printed as docs/problems.md.

`python -m api.problem_types` writes the document anew.
"""

import html
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

from domain.errors import NotFound, Reason

DOCUMENT = Path(__file__).parents[1] / "docs" / "problems.md"

_INTRODUCTION = """# Refusals

Every refusal is a problem (RFC 9457, `application/problem+json`). Its `type` is one of these, or
`/problems/several-reasons`; its `reasons` list every reason with `type`, `detail` and the `field` of the wrong value. The code
and its meaning are part of the API; the sentence in `detail` is for people and may get better. The same is served at
`/problems/{code}`. Made from `api/problems.toml` by `python -m api.problem_types`.
"""


@dataclass(frozen=True, slots=True)
class ProblemType:
    """One reason: its code, the area it belongs to, the statuses it can come with (none: an alert), and its meaning."""

    code: str
    area: str
    status: tuple[int, ...]
    means: str

    @property
    def statuses(self) -> str:
        """`409, 422`, or that it refuses nothing by itself."""
        return ", ".join(map(str, self.status)) or "needs a comment"


@cache
def problem_types() -> dict[str, ProblemType]:
    """Every reason by its code, in the order of the file."""
    tables = tomllib.loads(Path(__file__).with_name("problems.toml").read_text(encoding="utf-8"))
    return {
        code: ProblemType(code, area, tuple(facts.get("status", ())), facts["means"])
        for area, table in tables.items()
        for code, facts in table.items()
    }


def document() -> str:
    """The table for people."""
    lines = [_INTRODUCTION]
    for area in dict.fromkeys(one.area for one in problem_types().values()):
        lines += [f"## {area.capitalize()}\n", "| code | status | what it means |", "|---|---|---|"]
        lines += [
            f"| {one.code} | {one.statuses} | {one.means} |" for one in problem_types().values() if one.area == area
        ]
        lines.append("")
    return "\n".join(lines)


router = APIRouter(tags=["problems"])


@router.get("/problems", response_model=list[ProblemType])
def every_problem(request: Request) -> Response:
    """Every reason that a refusal can give."""
    return _shown(request, tuple(problem_types().values()), "Refusals")


@router.get("/problems/{code}", response_model=ProblemType)
def one_problem(code: str, request: Request) -> Response:
    """What a reason means, as a page for a browser and as JSON for a program."""
    found = problem_types().get(code)
    if found is None:
        raise NotFound(Reason("not-found", f"there is no problem type {code[:60]!r}", "code"))
    return _shown(request, found, found.code)


def _shown(request: Request, what: ProblemType | tuple[ProblemType, ...], title: str) -> Response:
    if "text/html" not in request.headers.get("accept", ""):
        plain = [_plain(one) for one in what] if isinstance(what, tuple) else _plain(what)
        return JSONResponse(plain)
    rows = "".join(
        f"<dt>{html.escape(one.code)} ({html.escape(one.statuses)})</dt><dd>{html.escape(one.means)}</dd>"
        for one in (what if isinstance(what, tuple) else (what,))
    )
    page = f'<!doctype html><html lang="en"><title>{html.escape(title)} - Exolotl</title><main><h1>{html.escape(title)}</h1>'
    return HTMLResponse(f"{page}<dl>{rows}</dl></main></html>")


def _plain(one: ProblemType) -> dict[str, object]:
    return {"code": one.code, "area": one.area, "status": list(one.status), "means": one.means}


if __name__ == "__main__":
    DOCUMENT.write_text(document(), encoding="utf-8")
