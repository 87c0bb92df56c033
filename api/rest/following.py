"""Following a lot: to be told of a hold, a recall, a revision or a withdrawal, by mail or by webhook. Without an account."""

from typing import Any, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from api.deps import CheckCode, site_of
from api.letters import unfollow_url
from api.problems import answers
from api.webhooks import Webhooks
from domain.certificates.following import FollowLot, Language, follow_lot
from domain.errors import Invalid, Reason
from domain.people.operations import NOBODY
from domain.work import perform

router = APIRouter(prefix="/api/v1/public", tags=["public"], responses=answers(404, 422, 429))


class Wish(BaseModel):
    """Where to: an e-mail address, or a webhook (https, port 443, on the internet)."""

    model_config = ConfigDict(extra="forbid")

    email: str | None = Field(default=None, max_length=320, examples=["pharmacy@clinic.example"])
    webhook: str | None = Field(default=None, max_length=1000, examples=["https://clinic.example/hooks/lots"])
    language: Language = Field(default="en", description="of the letters")


class Noted(BaseModel):
    """Noted until it is confirmed, for 48 hours. The same whether or not the address follows the lot already.

    To mail, a letter with a link is sent; a webhook is sent a signed challenge, and must answer with its HMAC. `secret` (Standard Webhooks) and
    `unfollow_url` are told this once, for webhooks only.
    """

    status: Literal["confirm by the link in the letter", "answer the challenge"]
    secret: str | None = None
    unfollow_url: str | None = None


@router.post("/lots/{lot_number}/followers", status_code=202)
def follow(lot_number: str, wish: Wish, request: Request, code: CheckCode = "") -> Noted:
    """Follow a lot. A lot without a certificate cannot be followed, and answers as an unknown one."""
    site, known = site_of(request), request.app.state.settings
    if wish.email is not None and known.mail() is None:
        text = "this site sends no letters; look the lot up before each use, or follow it by a webhook"
        raise Invalid(Reason("mail-not-set-up", text, "email"))
    if wish.webhook is not None:
        Webhooks(known.webhooks_may_be_local).accept(wish.webhook)
    said: dict[str, Any] = wish.model_dump()
    noted = perform(site, NOBODY, follow_lot, FollowLot(lot_number=lot_number, code=code, **said))
    if noted.secret is None:
        return Noted(status="confirm by the link in the letter")
    return Noted(
        status="answer the challenge", secret=noted.secret, unfollow_url=unfollow_url(site.profile, noted.unfollow)
    )
