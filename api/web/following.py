"""Following a lot, as pages: the wish, its confirmation by a button behind the link of a letter, and its end.

A link alone changes nothing: what looks through mail for dangerous links opens them all.
"""

from typing import Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response
from pydantic import ValidationError

from api.deps import site_of
from api.letters import unfollow_url
from api.web.public import missing
from api.web.public_drawing import ONCE, address, drawn, language_in, profile_of
from api.web.public_words import FOLLOW, Language
from api.webhooks import Webhooks
from domain.certificates.following import FollowLot, UseLink, confirm_following, follow_lot, unfollow
from domain.errors import Invalid, NotFound
from domain.people.operations import NOBODY
from domain.work import perform

router = APIRouter(include_in_schema=False)


@router.post("/follow")
def ask(
    request: Request, lot: str = Form(""), code: str = Form(""), email: str = Form(""), webhook: str = Form("")
) -> Response:
    """Noted; the answer is the same whether or not the address follows the lot already."""
    language, known = language_in(request), request.app.state.settings
    by_mail, by_webhook = email.strip() or None, webhook.strip() or None
    if by_webhook is None and known.mail() is None:
        return _told(request, language, "no_mail", 422, tone="warn", icon="question")
    try:
        if by_webhook is not None:
            Webhooks(known.webhooks_may_be_local).accept(by_webhook)
        wish = FollowLot(lot_number=lot, code=code, email=by_mail, webhook=by_webhook, language=language)
        noted = perform(site_of(request), NOBODY, follow_lot, wish)
    except NotFound:
        return missing(request, language, lot)
    except (Invalid, ValidationError):
        wrong = "bad_email" if by_webhook is None else "bad_webhook"
        again = {"lot": lot, "code": code, "email": email, "webhook": webhook, "by_mail": known.mail() is not None}
        return _told(request, language, wrong, 422, tone="bad", icon="cross", again=again)
    back = address(f"/c/{lot}", code=code, lang=language)
    if noted.secret is None:
        return _told(request, language, "asked", to_lot=back)
    ends = unfollow_url(profile_of(request), noted.unfollow)
    return _told(request, language, "hook", secret=noted.secret, unfollow=ends, to_lot=back)


@router.get("/follow/{token}")
def ask_again(token: str, request: Request) -> Response:
    """The button behind the link in the first letter."""
    return _told(request, language_in(request), "confirm", action=address(f"/follow/{token[:100]}"))


@router.post("/follow/{token}")
def confirm(token: str, request: Request) -> Response:
    """From now on the address is told."""
    language = language_in(request)
    try:
        lot = perform(site_of(request), NOBODY, confirm_following, UseLink(token=token))
    except (NotFound, ValidationError):
        return _told(request, language, "late", 404, tone="warn", icon="clock")
    back = address(f"/c/{lot}", lang=language)
    return _told(request, language, "confirmed", tone="good", icon="check", lot=lot, to_lot=back)


@router.get("/unfollow/{token}")
def ask_to_end(token: str, request: Request) -> Response:
    """The button behind the link in every letter."""
    return _told(request, language_in(request), "unfollow", action=address(f"/unfollow/{token[:100]}"))


@router.post("/unfollow/{token}")
def end(token: str, request: Request) -> Response:
    """The address is gone; also what a mail program sends for one click (RFC 8058), and the same for a link that nobody knows."""
    if len(token) <= 100 and token.isprintable():
        perform(site_of(request), NOBODY, unfollow, UseLink(token=token))
    return _told(request, language_in(request), "removed", tone="good", icon="check")


def _told(
    request: Request,
    language: Language,
    what: str,
    status: int = 200,
    tone: str = "note",
    icon: str = "letter",
    **context: Any,
) -> Response:
    """One of the few things that are said about following; `what` names its words."""
    given = {"action": "", "lot": "", "secret": "", "unfollow": "", "to_lot": "", "again": None, **context}
    shown = {"what": what, "tone": tone, "icon_name": icon, "follow": FOLLOW[language], **given}
    return drawn(request, language, "public_follow.html", status, ONCE, request.url.path, typed="", **shown)
