"""How a public page is drawn: one small answer in the reader's language, without an account, a cookie or anything from elsewhere."""

import hashlib
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse, Response
from markupsafe import Markup

from api.deps import site_of
from api.web import security
from api.web.pages import FOLDER, TEMPLATES, problem_page
from api.web.public_words import REFUSALS, WORDS, Language, language_of
from domain.errors import Reason
from domain.work import Profile
from reports.wording import at_site

TEMPLATE_FILES = FOLDER / "templates"
STYLE = (TEMPLATE_FILES / "public.css").read_text(encoding="utf-8").strip()
_STYLES = (security.hash_source(STYLE), security.hash_source(security.PLOT_STYLE))
POLICY = security.policy(_STYLES)

#: Changes with the look and the words of the pages, so that nobody is told "unchanged" about an old one.
LOOK = hashlib.sha256(
    b"".join(path.read_bytes() for path in sorted([*TEMPLATE_FILES.glob("public*"), *FOLDER.glob("public*.*")]))
).hexdigest()

#: Where public pages live; a refusal there looks as they do.
PLACES = ("/c", "/01", "/verify", "/follow", "/unfollow", "/compare", "/log")

#: What a cache keeps it must ask about each time: a recall shows in the very next request.
FRESH = {"Cache-Control": "no-cache", "Vary": "Accept-Language", "Content-Security-Policy": POLICY}

#: What is true of one request alone, and is kept by nobody.
ONCE = {"Cache-Control": "no-store", "Content-Security-Policy": POLICY}


def with_script(script: str) -> str:
    """The policy of a page that runs this one script of ours."""
    return security.policy(_STYLES, (security.hash_source(script),))


def language_in(request: Request, lang: str | None = None) -> Language:
    """The language asked for in the address, else the one the browser likes."""
    return language_of(lang or request.query_params.get("lang"), request.headers.get("accept-language", ""))


def address(path: str, **asked: str | None) -> str:
    """An address on this site; what is not given is left out."""
    given = {name: value for name, value in asked.items() if value}
    return quote(path) + (f"?{urlencode(given)}" if given else "")


def minute(at: datetime, zone: str) -> str:
    """`2026-11-20 09:31 +01:00 (Europe/Berlin)`."""
    local = at_site(at, zone)
    return f"{local:%Y-%m-%d %H:%M} {local.isoformat()[-6:]} ({zone})"


def drawn(
    request: Request,
    language: Language,
    template: str,
    status: int = 200,
    headers: dict[str, str] | None = None,
    here: str = "/c",
    **context: Any,
) -> HTMLResponse:
    """A page. here: the address under which it can be read in the other language, as `address` gives it."""
    other: Language = "en" if language == "de" else "de"
    html = TEMPLATES.get_template(template).render(
        language=language,
        say=WORDS[language],
        profile=profile_of(request),
        style=Markup(STYLE),  # noqa: S704 - a file of ours
        other=other,
        in_other=f"{here}{'&' if '?' in here else '?'}lang={other}",
        **context,
    )
    return HTMLResponse(html, status, headers={**(headers or FRESH), "Content-Language": language})


def profile_of(request: Request) -> Profile:
    """Who runs this site."""
    return site_of(request).profile


def refusal_page(request: Request, status: int, title: str, reasons: tuple[Reason, ...]) -> Response:
    """A refusal as a page: a public one in public places and for whoever asks too often, a page of the workplace elsewhere."""
    path = request.url.path
    if status != 429 and not any(path == place or path.startswith(f"{place}/") for place in PLACES):
        return problem_page(request, status, title, reasons)
    language = language_in(request)
    words = REFUSALS[language].get(status, REFUSALS[language][0])
    told = "" if status in REFUSALS[language] else " ".join(reason.text for reason in reasons)
    return drawn(request, language, "public_refusal.html", status, ONCE, title=words[0], lead=words[1], told=told)
