"""Following a lot: who left an address learns of a hold, a recall, a revision or a withdrawal.

A follower is no record of the laboratory. It stands outside the audit trail, as `jobs` does, so that who no longer follows is really gone;
the address is kept for the letters alone, is shown to nobody, and is in no job and no log. A link that a letter carries is stored as its
SHA-256 only.
"""

import secrets
from collections.abc import Iterable
from datetime import timedelta
from enum import StrEnum
from typing import Literal

import sqlalchemy as sa
from sqlmodel import SQLModel

from domain.jobs import enqueue
from domain.store import UtcDateTime, iso_utc
from domain.work import Work

#: How long the link in the first letter may be used.
CONFIRM_WITHIN = timedelta(hours=48)
#: A follower of a lot that expired so long ago is forgotten.
KEPT_AFTER_EXPIRY = timedelta(days=365)
#: How often a day an address is asked to confirm, so that nobody is flooded by somebody else.
MOST_QUESTIONS = 5

#: The kind of job that sends one letter to one follower.
LETTER = "follower-letter"

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


def tell_followers(work: Work, lot_id: int, event: Event) -> None:
    """Queue a letter to each follower of the lot: it is sent if, and only if, the act is committed."""
    chosen = sa.select(followers.c.id).where(followers.c.lot_id == lot_id, followers.c.confirmed_at.is_not(None))
    _queue(work, work.session.execute(chosen).scalars(), event)


def _queue(work: Work, follower_ids: Iterable[str], event: str) -> None:
    """One job a follower, so that one bad address does not hold up or repeat the others."""
    for follower_id in follower_ids:
        said = {"follower": follower_id, "event": event, "at": iso_utc(work.now), "message": secrets.token_hex(12)}
        enqueue(work.session, LETTER, said, work.now)
