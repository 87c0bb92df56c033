"""The page where somebody drops a PDF that they were sent. The file is not kept."""

from typing import Any

from fastapi import APIRouter, File, Request, UploadFile
from fastapi.responses import Response
from markupsafe import Markup

from api.checking import Checked, check_apart
from api.deps import site_of
from api.web.public_drawing import TEMPLATE_FILES, drawn, language_in, minute, with_script
from api.web.public_words import VERIFY, Language, outcome_words, state_words

router = APIRouter(include_in_schema=False)

#: As large as a certificate may be.
MOST_BYTES = 20 * 1024 * 1024

#: Lets a file be dropped on the form; without it, the form asks for the file as ever.
SCRIPT = (TEMPLATE_FILES / "public_drop.js").read_text(encoding="utf-8").strip()
HEADERS = {"Cache-Control": "no-store", "Content-Security-Policy": with_script(SCRIPT)}


@router.get("/verify")
def ask_for_file(request: Request) -> Response:
    """The form."""
    return _page(request, language_in(request))


@router.post("/verify")
async def verify(request: Request, file: UploadFile | None = File(None)) -> Response:
    """What the file is, and what is true of its lot now, with everything that was checked."""
    language = language_in(request)
    data = await file.read(MOST_BYTES + 1) if file else b""
    if not 0 < len(data) <= MOST_BYTES:
        return _page(request, language, 422, refused=True)
    return _page(request, language, checked=await check_apart(site_of(request), data))


def _page(
    request: Request, language: Language, status: int = 200, *, checked: Checked | None = None, refused: bool = False
) -> Response:
    shown: dict[str, Any] = {
        "words": VERIFY[language],
        "script": Markup(SCRIPT),  # noqa: S704 - a file of ours
        "checked": checked,
        "refused": refused,
    }
    if checked is not None:
        shown |= {
            "judged": outcome_words(checked.outcome, language),
            "state": state_words(checked.state, language).state if checked.state else "",
            "at": minute(checked.checked_at, site_of(request).profile.time_zone),
            "listed": [(one.state, getattr(one, language)) for one in checked.checks],
        }
    return drawn(request, language, "public_verify.html", status, HEADERS, "/verify", typed="", **shown)
