"""The people of the tests, made through the same acts as everybody else, and how a test lets them act."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import sqlalchemy as sa
from pydantic import SecretStr
from sqlmodel import select

from domain.documents import Documents
from domain.people.models import SignInKind, User
from domain.people.operations import COMMAND_LINE, CreateUser, create_user, roles_held, sign_in
from domain.people.queries import actor_of
from domain.permissions import Role, permissions_of
from domain.signatures import Credentials
from domain.store import reading
from domain.work import Actor, Command, Site, Work, perform, transaction
from tests.printing import press

START = datetime(2026, 3, 2, 8, tzinfo=UTC)  # a Monday
FOUNDED = datetime(2020, 6, 1, 8, tzinfo=UTC)  # before the day on which the real instrument's file was written

#: username: name, function, roles
CAST: dict[str, tuple[str, str, tuple[Role, ...]]] = {
    "tom": ("Tom Takes", "Technician", (Role.TECHNICIAN,)),
    "ann": ("Ann Makes", "Head of Production", (Role.PRODUCTION_HEAD,)),
    "ben": ("Ben Tests", "Analyst", (Role.ANALYST,)),
    "rhea": ("Rhea Reviews", "Head of Quality Control", (Role.REVIEWER,)),
    "cleo": ("Cleo Releases", "Quality Assurance", (Role.QA,)),
    "quin": ("Quin Releases Too", "Quality Assurance", (Role.QA,)),
    "dov": ("Dov Looks", "Auditor", (Role.AUDITOR,)),
    "ada": ("Ada Administers", "Administrator", (Role.ADMINISTRATOR,)),
    "nano": ("NanoSight 300", "Instrument", (Role.INSTRUMENT,)),
    "bea": ("Bea Tests Too", "Analyst", (Role.ANALYST,)),
    "rob": ("Rob Reviews Too", "Quality Control", (Role.REVIEWER,)),
}

CommandT = TypeVar("CommandT", bound=Command)
ResultT = TypeVar("ResultT")


class Clock:
    """A clock that moves only when told."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **by: float) -> datetime:
        """`advance(days=14)`; returns the new time."""
        self.now += timedelta(**by)
        return self.now


def password(username: str) -> str:
    """The password of one of the cast."""
    return f"quiet harbour {list(CAST).index(username)} morning"


def furnish(engine: sa.Engine) -> None:
    """Give everybody an account, with a password of their own, when the house was founded."""
    site = Site(engine, Documents("memory://"), press(), clock=Clock(FOUNDED))
    for username, (name, function, roles) in CAST.items():
        secret = SecretStr(password(username))
        command = CreateUser(username=username, name=name, function=function, password=secret, roles=roles)
        with transaction(site, COMMAND_LINE, "the cast") as work:
            create_user(work, command)


def actor(site: Site, username: str) -> Actor:
    """Someone as the application knows them without a sign-in."""
    with reading(site.engine) as session:
        user = session.exec(select(User).where(User.username == username)).one()
        return Actor(user.id, username, user.name, user.function, permissions_of(roles_held(session, user.key)))


def signed_in(site: Site, username: str) -> Actor:
    """Someone who has just signed in at a page."""
    return actor_of(site, sign_in(site, username, password(username), SignInKind.PAGE), SignInKind.PAGE)


def credentials(username: str) -> Credentials:
    """Both components of someone's signature."""
    return Credentials(username=username, password=SecretStr(password(username)))


def act(
    site: Site,
    who: str | Actor,
    operation: Callable[[Work, CommandT], ResultT],
    command: CommandT,
    reason: str = "",
) -> ResultT:
    """One act of one person: `act(site, "ben", enter_result, EnterResult(…))`."""
    return perform(site, actor(site, who) if isinstance(who, str) else who, operation, command, reason)


def raw(site_or_engine: Any, sql: str, **values: Any) -> list[Any]:
    """Rows as the database has them, past the application; for looking only."""
    engine = getattr(site_or_engine, "engine", site_or_engine)
    with engine.connect() as connection:
        return list(connection.execute(sa.text(sql), values).all())
