"""Who looks at a page, and how a page is drawn."""

import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote, unquote

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from api.deps import COOKIE, csrf_token, demand, site_of
from api.web import security, words
from domain.errors import Reason, Unauthenticated
from domain.people.models import SignInKind
from domain.people.queries import SIGNED_OUT, actor_of
from domain.permissions import Permission
from domain.quantities import UNITS, format_decimal, pretty
from domain.store import reading
from domain.work import Actor, Site
from reports.wording import at_site, for_people

FOLDER = Path(__file__).parent
NOTE = "exolotl_note"


@dataclass(frozen=True)
class Visit:
    """One request for a page: where, by whom, and the token that its forms carry."""

    request: Request
    site: Site
    actor: Actor | None = None

    @property
    def who(self) -> Actor:
        """Whoever is signed in; only for pages that `visiting` guards."""
        assert self.actor is not None
        return self.actor

    @property
    def csrf(self) -> str:
        """What a form of this session must carry."""
        return csrf_token(self.request.cookies.get(COOKIE, ""))

    def may(self, permission: Permission) -> bool:
        """Whether who looks holds the permission."""
        return self.actor is not None and permission in self.actor.permissions

    def ask(self, query: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        """The answer of a query over one consistent view of the data."""
        with reading(self.site.engine, consistent=True) as session:
            return query(session, *arguments, **named)

    @property
    def once(self) -> str:
        """The key of a form that is being drawn: sent twice, it is done once."""
        return secrets.token_urlsafe(16)

    def carries(self, token: str) -> bool:
        """Whether a form's token is that of this session."""
        return bool(self.request.cookies.get(COOKIE)) and hmac.compare_digest(token.encode(), self.csrf.encode())


def anybody(request: Request) -> Visit:
    """A dependency: the visit of somebody who may be signed in or not."""
    site = site_of(request)
    cookie = request.cookies.get(COOKIE)
    try:
        return Visit(request, site, actor_of(site, cookie, SignInKind.PAGE) if cookie else None)
    except Unauthenticated:
        return Visit(request, site)


def guarded(permission: Permission | None) -> Callable[[Request], Visit]:
    """A dependency: the visit of somebody who is signed in and holds the permission."""

    def ready(request: Request) -> Visit:
        site, cookie = site_of(request), request.cookies.get(COOKIE)
        if not cookie:
            raise Unauthenticated(SIGNED_OUT)
        visit = Visit(request, site, actor_of(site, cookie, SignInKind.PAGE))
        demand(site, visit.who, permission, f"open {request.url.path}"[:200])
        return visit

    return ready


Anybody = Annotated[Visit, Depends(anybody)]
Member = Annotated[Visit, Depends(guarded(None))]
Reader = Annotated[Visit, Depends(guarded(Permission.READ_RECORDS))]
Maker = Annotated[Visit, Depends(guarded(Permission.RUN_STEP))]
Auditor = Annotated[Visit, Depends(guarded(Permission.READ_AUDIT))]
Administrator = Annotated[Visit, Depends(guarded(Permission.MANAGE_USERS))]


def home_of(actor: Actor) -> str:
    """Where somebody's day begins."""
    for permission, address, _ in words.PLACES:
        if permission in actor.permissions:
            return address
    return "/password"


def is_local(address: str) -> bool:
    """Whether an address stays on this site: one slash first, so that no other host can be named."""
    return address.startswith("/") and not address.startswith(("//", "/\\")) and address.isprintable()


def page(visit: Visit, template: str, status: int = 200, **context: Any) -> HTMLResponse:
    """A page of the workplace; never stored by a browser, as what it shows may not outlive the sign-in."""
    note = visit.request.cookies.get(NOTE, "")
    zone = visit.site.profile.time_zone
    html = TEMPLATES.get_template(template).render(
        visit=visit,
        actor=visit.actor,
        site=visit.site.profile,
        path=visit.request.url.path,
        places=[place for place in words.PLACES if visit.may(place[0])],
        note=_decoded(note),
        status=status,
        moment=lambda at: _moment(at, zone),
        day=_day,
        **context,
    )
    answer = HTMLResponse(
        html, status, headers={"Cache-Control": "no-store", "Content-Security-Policy": security.WORKPLACE}
    )
    if note:
        answer.delete_cookie(NOTE)
    return answer


def leads_to(address: str, note: str = "") -> Response:
    """The browser goes on to another page, which shows the note once."""
    answer = RedirectResponse(address, 303)
    if note:
        answer.set_cookie(NOTE, quote(note), max_age=60, httponly=True, samesite="lax")
    return answer


def _decoded(note: str) -> str:
    return unquote(note)[:300]


def _moment(at: datetime | None, zone: str) -> Markup:
    """A time as a person at the site reads it, with the exact one for machines."""
    if at is None:
        return Markup("–")
    local = at_site(at, zone)
    return Markup('<time datetime="{}">{}</time>').format(local.isoformat(), f"{local:%Y-%m-%d %H:%M}")


def _day(on: date | None) -> Markup:
    return Markup("–") if on is None else Markup('<time datetime="{0}">{0}</time>').format(on.isoformat())


def amount(number: Decimal | str | None, unit: str | None = None) -> str:
    """A number with its unit as people write it."""
    if number is None or number == "":
        return "–"
    text = number if isinstance(number, str) else format_decimal(number)
    return for_people(f"{text} {unit}") if unit and unit != "1" else pretty(text)


def unit_word(code: str | None) -> str:
    """A unit as people write it; nothing for a bare number."""
    return "" if code in (None, "1", "[pH]") else UNITS[code].en if code in UNITS else str(code)


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "spelled": words.spelled,
        "capital": words.capital,
        "sentence": words.sentence,
        "for_people": for_people,
        "unit": unit_word,
        "plainly": pretty,
    }
    environment.globals |= {"words": words, "amount": amount, "quoted": lambda text: quote(str(text), safe="")}
    return environment


TEMPLATES = _environment()


def problem_page(request: Request, status: int, title: str, reasons: tuple[Reason, ...]) -> Response:
    """A refusal as a page. Who is not signed in is asked to, and comes back to where they were going."""
    if status == 401 and request.method in ("GET", "HEAD"):
        target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return leads_to(f"/sign-in?next={quote(target, safe='')}" if target != "/" else "/sign-in")
    visit = anybody(request)
    return page(visit, "problem.html", status, title=title, reasons=reasons)
