"""The start page, signing in and out."""

import hmac
import secrets
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from api.deps import COOKIE, csrf_token
from api.web.forms import Form
from api.web.pages import Anybody, Visit, home_of, is_local, leads_to, page
from domain.errors import Reason, Unauthenticated
from domain.people.models import SignInKind
from domain.people.operations import EndSignIn, end_sign_in, sign_in
from domain.people.queries import actor_of
from domain.work import perform

router = APIRouter(include_in_schema=False)

#: Before there is a session, its forms are guarded by a cookie of their own (double submit).
FORM_COOKIE = "exolotl_form"

FROM_ELSEWHERE = Reason("csrf", "this form was open too long or came from elsewhere; type it once more")


@router.get("/")
def start(visit: Anybody) -> Response:
    """What this is, a way to look up a lot, and the way in; who is signed in goes to work."""
    if visit.actor is not None:
        return leads_to(home_of(visit.actor))
    return page(visit, "start.html")


@router.get("/sign-in")
def ask(visit: Anybody) -> Response:
    """The form."""
    return _shown(visit, visit.request.query_params.get("next", ""))


@router.post("/sign-in")
def enter(visit: Anybody, typed: Form) -> Response:
    """Checks name and password, and begins a session in a cookie that no script can read."""
    request, target = visit.request, typed.get("next")
    cookie = request.cookies.get(FORM_COOKIE, "")
    username = typed.get("username").strip().lower()
    if not cookie or not hmac.compare_digest(typed.get("csrf").encode(), csrf_token(cookie).encode()):
        return _shown(visit, target, username, (FROM_ELSEWHERE,), 403)
    try:
        token = sign_in(visit.site, username, typed.get("password"), SignInKind.PAGE)
    except Unauthenticated as refusal:
        return _shown(visit, target, username, refusal.reasons, 401)
    home = home_of(actor_of(visit.site, token, SignInKind.PAGE))
    answer = leads_to(target if is_local(target) else home)
    answer.set_cookie(COOKIE, token, httponly=True, samesite="lax", secure=is_secure(request, visit), path="/")
    answer.delete_cookie(FORM_COOKIE)
    return answer


@router.post("/sign-out")
def leave(visit: Anybody, typed: Form) -> Response:
    """Ends the session here and in the records; the cookie goes in any case."""
    if visit.actor is not None:
        if not visit.carries(typed.get("csrf")):
            return page(visit, "problem.html", 403, title="Still signed in", reasons=(FROM_ELSEWHERE,))
        perform(visit.site, visit.actor, end_sign_in, EndSignIn())
    answer = leads_to("/", "You are signed out.")
    answer.delete_cookie(COOKIE, path="/")
    return answer


def is_secure(request: Request, visit: Visit) -> bool:
    """Whether the cookie may travel over HTTPS only: then it does."""
    return request.url.scheme == "https" or visit.site.profile.base_url.startswith("https:")


def _shown(
    visit: Visit, target: str, username: str = "", reasons: tuple[Reason, ...] = (), status: int = 200
) -> HTMLResponse:
    token = visit.request.cookies.get(FORM_COOKIE) or secrets.token_urlsafe(24)
    answer = page(
        visit,
        "sign_in.html",
        status,
        token=csrf_token(token),
        target=target if is_local(target) else "",
        username=username,
        reasons=reasons,
        cast=_cast() if visit.site.profile.demo else (),
    )
    answer.set_cookie(
        FORM_COOKIE, token, max_age=3600, httponly=True, samesite="lax", secure=is_secure(visit.request, visit)
    )
    return answer


def _cast() -> tuple[Any, ...]:
    """Who can sign in to a demonstration, each with username, password, name and function."""
    if find_spec("api.demo") is None:
        return ()
    return tuple(getattr(import_module("api.demo"), "CAST", ()))
