"""The public log as a page: what was issued, revised, withdrawn, recalled and voided, the newest first; of no lot and nobody."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from api.deps import site_of
from api.look_ups import LookUpRoute
from api.web.public_drawing import ONCE, drawn, language_in, minute
from api.web.public_words import LOG
from domain.certificates import log
from domain.certificates.proofs import Leaf
from domain.store import reading

router = APIRouter(include_in_schema=False, route_class=LookUpRoute)

#: Entries on a page.
MOST = 50

_ICONS = {
    "issue": ("plain", "check"),
    "revise": ("plain", "clock"),
    "supersede": ("warn", "clock"),
    "withdraw": ("bad", "cross"),
    "recall": ("bad", "cross"),
    "void": ("quiet", "minus"),
}


@router.get("/log")
def show(request: Request, before: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None) -> Response:
    """The newest entries, or those before a place; its head, and how to check it without this server."""
    language, zone = language_in(request), site_of(request).profile.time_zone
    with reading(site_of(request).engine, consistent=True) as session:
        head = log.head(session)
        end = min(before or 2**31 - 1, head.size if head else 0)
        found = log.entries(session, max(0, end - MOST), end) if end else []
    leaves = [(position, Leaf.model_validate_json(leaf)) for position, leaf in reversed(found)]
    lines = [
        (position, leaf, *_ICONS[leaf.kind], LOG[language][leaf.kind], minute(datetime.fromisoformat(leaf.at), zone))
        for position, leaf in leaves
    ]
    here = f"/log?before={before}" if before else "/log"
    earlier = found[0][0] if found and found[0][0] > 0 else 0
    shown = {"words": LOG[language], "head": head, "lines": lines, "earlier": earlier}
    return drawn(request, language, "public_log.html", 200, ONCE, here, typed="", **shown)
