"""Letters to followers of a lot: what one is told when its turn in the queue comes, and what became of it."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import col

from domain.certificates.following import Channel, Language, Purpose, followers, new_link, remove, settle
from domain.certificates.look_up import PublicLot, lot_of_certificate
from domain.lots.models import Lot
from domain.work import Command, Work, operation


class Address(Command):
    """A queued letter is about to be sent."""

    follower: str
    event: str
    at: datetime
    message: str


@dataclass(frozen=True, slots=True)
class Letter:
    """What one follower is told, and how they are reached; the lot as it is now.

    event: `confirm`, or what happened at `at`. confirm, unfollow: tokens for the links. message: the same each time that it is tried.
    """

    channel: Channel
    address: str
    language: Language
    secret: str | None
    event: str
    at: datetime
    message: str
    lot: PublicLot
    confirm: str | None
    unfollow: str


@operation(None)
def address_letter(work: Work, command: Address) -> Letter | None:
    """What is to be sent for a queued letter, with fresh links; None when the follower is gone or need not be asked any more."""
    found = work.session.execute(sa.select(followers).where(followers.c.id == command.follower)).first()
    if found is None or (command.event == "confirm" and found.confirmed_at is not None):
        return None
    number = work.session.execute(sa.select(col(Lot.lot_number)).where(col(Lot.id) == found.lot_id)).scalar_one()
    asks = command.event == "confirm" and found.channel == Channel.MAIL
    return Letter(
        Channel(found.channel),
        found.address,
        found.language,
        found.secret,
        command.event,
        command.at,
        command.message,
        lot_of_certificate(work.session, number, work.today),
        new_link(work, found.id, Purpose.CONFIRM) if asks else None,
        new_link(work, found.id, Purpose.UNFOLLOW),
    )


class Answered(Command):
    """A webhook has answered the challenge."""

    follower: str


@operation(None)
def confirm_webhook(work: Work, command: Answered) -> None:
    """The endpoint proved that it knows the secret; one that was removed meanwhile stays removed."""
    found = work.session.execute(sa.select(followers).where(followers.c.id == command.follower)).first()
    if found is not None:
        settle(work, found)


@operation(None)
def drop_follower(work: Work, command: Answered) -> None:
    """The endpoint is gone for good (410)."""
    remove(work, sa.select(followers.c.id).where(followers.c.id == command.follower))
