"""Following a lot: who left an address learns of a hold, a recall, a revision or a withdrawal.

A follower is no record of the laboratory. It stands outside the audit trail, as `jobs` does, so that who no longer follows is really gone;
the address is kept for the letters alone, is shown to nobody, and is in no job and no log. A link that a letter carries is stored as its
SHA-256 only.
"""

import base64
import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, Literal
from urllib.parse import urlsplit

import sqlalchemy as sa
from email_validator import EmailNotValidError, validate_email
from pydantic import Field
from sqlmodel import SQLModel, col

from domain.certificates.look_up import public_lot
from domain.errors import Invalid, NotFound, Reason
from domain.jobs import MOST_TRIES, enqueue
from domain.lots.models import Lot
from domain.store import UtcDateTime, iso_utc
from domain.work import Command, Work, operation

#: How long the link in the first letter may be used.
CONFIRM_WITHIN = timedelta(hours=48)
#: A follower of a lot that expired so long ago is forgotten.
KEPT_AFTER_EXPIRY = timedelta(days=365)
#: How often a day an address is asked to confirm, so that nobody is flooded by somebody else.
MOST_QUESTIONS = 5

#: The kind of job that sends one letter to one follower.
LETTER = "follower-letter"
#: What bars the use of a lot is told before anything else that the worker has to do.
URGENT = ("recall", "hold", "withdrawal")
#: How often a webhook is asked its challenge: it is there, or it is not.
MOST_CHALLENGES = 3

Event = Literal["hold", "hold_lifted", "recall", "revision", "withdrawal"]
Language = Literal["en", "de"]


class Channel(StrEnum):
    """How a follower is reached."""

    MAIL = "mail"
    WEBHOOK = "webhook"


class Purpose(StrEnum):
    """What a link in a letter does."""

    CONFIRM = "confirm"
    UNFOLLOW = "unfollow"


#: `id` is random and never used again, so that a job never reaches another follower than it was meant for.
followers = sa.Table(
    "follower",
    SQLModel.metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("lot_id", sa.ForeignKey("lot.id"), nullable=False, index=True),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("address", sa.Text, nullable=False, index=True),
    sa.Column("language", sa.Text, nullable=False),
    sa.Column("secret", sa.Text),
    sa.Column("asked_at", UtcDateTime, nullable=False, index=True),
    sa.Column("confirmed_at", UtcDateTime),
    sa.CheckConstraint("channel IN ('mail', 'webhook')", name="channel"),
    sa.CheckConstraint("(channel = 'webhook') = (secret IS NOT NULL)", name="secret"),
)

links = sa.Table(
    "follower_link",
    SQLModel.metadata,
    sa.Column("sha256", sa.Text, primary_key=True),
    sa.Column("follower_id", sa.ForeignKey("follower.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("purpose", sa.Text, nullable=False),
    sa.CheckConstraint("purpose IN ('confirm', 'unfollow')", name="purpose"),
)


class FollowLot(Command):
    """Somebody without an account wants to learn what becomes of a lot: by e-mail, or by a webhook."""

    lot_number: str = Field(max_length=300)
    code: str = Field(default="", max_length=40, description="the check code on the label, where there is one")
    email: str | None = Field(default=None, max_length=320, examples=["pharmacy@clinic.example"])
    webhook: str | None = Field(default=None, max_length=1000, examples=["https://clinic.example/hooks/lots"])
    language: Language = Field(default="en", description="of the letters")


class UseLink(Command):
    """What a link in a letter stands for is wanted."""

    token: str = Field(max_length=100)


class Forget(Command):
    """Followers whose time is over are forgotten."""


@dataclass(frozen=True, slots=True)
class Noted:
    """What was noted of a wish to follow. secret: signs what a webhook is sent, told this once. unfollow: the token that ends it."""

    secret: str | None
    unfollow: str


@operation(None)
def follow_lot(work: Work, command: FollowLot) -> Noted:
    """Noted until it is confirmed; whether the address follows already makes no difference to what is done or answered.

    Raises NotFound as the look-up does, and Invalid for an address that letters or webhooks cannot have.
    """
    if (command.email is None) == (command.webhook is None):
        raise Invalid(Reason("address-needed", "give either an e-mail address or the address of a webhook", "email"))
    channel = Channel.MAIL if command.email is not None else Channel.WEBHOOK
    address = mail_address(command.email) if command.email is not None else webhook_address(command.webhook or "")
    lot = public_lot(work.session, command.lot_number, work.today, command.code)
    secret = None if channel is Channel.MAIL else f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}"
    follower_id = secrets.token_hex(16)
    if _questions(work, address) < MOST_QUESTIONS:
        noted = {"id": follower_id, "lot_id": lot.lot_id, "channel": channel, "address": address, "secret": secret}
        work.session.execute(followers.insert(), {**noted, "language": command.language, "asked_at": work.now})
        unfollow = new_link(work, follower_id, Purpose.UNFOLLOW)
        _queue(work, [follower_id], "confirm", MOST_TRIES if channel is Channel.MAIL else MOST_CHALLENGES)
    else:
        unfollow = secrets.token_urlsafe(32)
    return Noted(secret, unfollow)


def mail_address(typed: str) -> str:
    """An address as mail servers take it, its domain in ASCII. Raises Invalid for a name beside it, control characters and the like."""
    try:
        known = validate_email(
            typed.strip(), check_deliverability=False, allow_smtputf8=False, allow_display_name=False, strict=True
        )
    except EmailNotValidError as error:
        raise Invalid(Reason("address-not-valid", f"this is no e-mail address: {error}", "email")) from None
    assert known.ascii_email is not None, "without SMTPUTF8 every address has an ASCII form"
    return known.ascii_email


def webhook_address(typed: str) -> str:
    """The address of a webhook. Raises Invalid unless it is https with a host, and without a user or a fragment."""
    text = typed.strip()
    try:
        parts = urlsplit(text)
        wrong = parts.scheme != "https" or not parts.hostname or "@" in parts.netloc or bool(parts.fragment)
        wrong = wrong or (parts.port or 443) < 1
    except ValueError:
        wrong = True
    if wrong or not text.isascii() or not text.isprintable() or " " in text:
        said = "a webhook is an address that begins with https:// and has neither a user nor a fragment"
        raise Invalid(Reason("address-not-valid", said, "webhook"))
    return text


def _questions(work: Work, address: str) -> int:
    """How often the address was asked to confirm within a day."""
    asked = followers.c.address == address, followers.c.asked_at > work.now - timedelta(days=1)
    return int(work.session.execute(sa.select(sa.func.count()).select_from(followers).where(*asked)).scalar_one())


@operation(None)
def confirm_following(work: Work, command: UseLink) -> str:
    """The address is right and wants to be told; returns the lot's number. Raises NotFound when the link is unknown or too old."""
    found = _linked(work, command.token, Purpose.CONFIRM)
    if found is None or (found.confirmed_at is None and found.asked_at < work.now - CONFIRM_WITHIN):
        raise NotFound(
            Reason("link-not-valid", "this link is unknown, or older than 48 hours; follow the lot once more", "token")
        )
    settle(work, found)
    return str(work.session.execute(sa.select(col(Lot.lot_number)).where(col(Lot.id) == found.lot_id)).scalar_one())


def settle(work: Work, found: Any) -> None:
    """From now on this one is told. If a mail address follows the lot already, the two become one, and every link in every letter keeps working.

    A webhook that is registered once more is one more follower, with a secret of its own: nobody can change the secret of another.
    """
    same = (
        followers.c.lot_id == found.lot_id,
        followers.c.channel == Channel.MAIL,
        followers.c.address == found.address,
    )
    earlier = work.session.execute(
        sa.select(followers.c.id).where(*same, followers.c.confirmed_at.is_not(None), followers.c.id != found.id)
    ).scalar()
    if earlier is None or found.channel != Channel.MAIL:
        _change(work, found.id, confirmed_at=work.now)
        return
    work.session.execute(links.update().where(links.c.follower_id == found.id).values(follower_id=earlier))
    remove(work, sa.select(followers.c.id).where(followers.c.id == found.id))
    _change(work, earlier, language=found.language)


def _change(work: Work, follower_id: str, **values: Any) -> None:
    work.session.execute(followers.update().where(followers.c.id == follower_id).values(**values))


@operation(None)
def unfollow(work: Work, command: UseLink) -> None:
    """The address is removed, and nothing of it is left; that it was removed before, or never was there, makes no difference."""
    if found := _linked(work, command.token, Purpose.UNFOLLOW):
        remove(work, sa.select(followers.c.id).where(followers.c.id == found.id))


@operation(None)
def forget_followers(work: Work, _command: Forget) -> None:
    """Remove who did not confirm in time, and who follows a lot that expired a year ago."""
    over = work.today - KEPT_AFTER_EXPIRY
    expired = sa.select(col(Lot.id)).where(col(Lot.expires_on) < over)
    late = sa.and_(followers.c.confirmed_at.is_(None), followers.c.asked_at < work.now - CONFIRM_WITHIN)
    remove(work, sa.select(followers.c.id).where(sa.or_(late, followers.c.lot_id.in_(expired))))


def remove(work: Work, chosen: sa.Select[tuple[str]]) -> None:
    """The chosen followers and their links are gone."""
    ids = list(work.session.execute(chosen).scalars())
    work.session.execute(links.delete().where(links.c.follower_id.in_(ids)))
    work.session.execute(followers.delete().where(followers.c.id.in_(ids)))


def new_link(work: Work, follower_id: str, purpose: Purpose) -> str:
    """A token for a new link; only its digest is kept."""
    token = secrets.token_urlsafe(32)
    work.session.execute(links.insert(), {"sha256": _digest(token), "follower_id": follower_id, "purpose": purpose})
    return token


def _linked(work: Work, token: str, purpose: Purpose) -> Any:
    """The follower that a link belongs to, or None."""
    chosen = sa.select(followers).join(links, links.c.follower_id == followers.c.id)
    return work.session.execute(chosen.where(links.c.sha256 == _digest(token), links.c.purpose == purpose)).first()


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def tell_followers(work: Work, lot_id: int, event: Event) -> None:
    """Queue a letter to each follower of the lot: it is sent if, and only if, the act is committed."""
    chosen = sa.select(followers.c.id).where(followers.c.lot_id == lot_id, followers.c.confirmed_at.is_not(None))
    _queue(work, work.session.execute(chosen).scalars(), event)


def _queue(work: Work, follower_ids: Iterable[str], event: str, most_tries: int = MOST_TRIES) -> None:
    """One job a follower, so that one bad address does not hold up or repeat the others."""
    for follower_id in follower_ids:
        said = {
            "follower": follower_id,
            "event": event,
            "at": iso_utc(work.now),
            "message": f"msg_{secrets.token_hex(12)}",
        }
        priority = 1 if event in URGENT else 0
        enqueue(work.session, LETTER, said, work.now, priority=priority, most_tries=most_tries)
