"""The doors: who acts, where and when; the only commit; the only way in for writes.

`with transaction(site, actor, reason) as work:` commits; `@operation(permission)` guards a function `(work, command)`.
No ambient user, no ambient clock: an operation asks `work.actor` and `work.now`.
"""

import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import cached_property, wraps
from mimetypes import guess_type
from typing import Any, Literal, Protocol, TypeVar
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import Base64Bytes, BaseModel, ConfigDict, Field, field_validator
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm.exc import StaleDataError
from sqlmodel import Session, col

from domain import audit, store
from domain.documents import Document, Documents
from domain.errors import Conflict, DomainError, Forbidden, Reason, Refused, Stale, Unauthenticated
from domain.once import claim
from domain.permissions import Permission

EntityT = TypeVar("EntityT", bound=store.Entity)


class Command(BaseModel):
    """What someone wants done: frozen, and takes no stray fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    @field_validator("*", mode="after")
    @classmethod
    def _only_printable(cls, value: Any) -> Any:
        if isinstance(value, str) and any(
            unicodedata.category(sign) in ("Cc", "Cs") and sign not in "\n\t" for sign in value
        ):
            raise ValueError("control characters are not allowed")
        return value


class Attachment(Command):
    """A file that goes with an act; `data` is its bytes in base64."""

    name: str = Field(min_length=1, max_length=200)
    data: Base64Bytes = Field(repr=False, max_length=28_000_000)


class View(BaseModel):
    """What someone is shown."""

    model_config = ConfigDict(frozen=True, from_attributes=True)


@dataclass(frozen=True)
class Actor:
    """Who acts. `user_id`: None for the command line and nobody; `session_id`: the sign-in the act came by."""

    user_id: int | None
    username: str
    name: str
    function: str = ""
    permissions: frozenset[Permission] = frozenset()
    session_id: int | None = None

    @property
    def person(self) -> int:
        """The id of the user; only users do what is recorded with its doer."""
        assert self.user_id is not None, f"{self.name} is no user"
        return self.user_id

    def require(self, permission: Permission) -> None:
        """Refuse an act that the actor has no permission for."""
        if permission not in self.permissions:
            text = f"{self.name} does not hold the permission {permission.value!r} that this act needs"
            raise Forbidden(Reason("permission-missing", text))


@dataclass(frozen=True)
class Place:
    """A site that makes or tests lots: name, address, what it does in both languages, its licence or GMP certificate."""

    name: str
    address: str
    activity_en: str
    activity_de: str
    licence: str | None = None


@dataclass(frozen=True)
class Profile:
    """What the settings say of the site: its name and address (ICH Q7 11.44), time zone and lot-number scheme.

    signs: whether there is a key to sign certificates with. places: the sites that make and test, for batch certificates; without any it is the
    manufacturer alone.
    """

    name: str = "Exolotl Demo Laboratory"
    tagline: str = "Extracellular vesicles · secretome"
    address: str = "Musterstraße 1, 10115 Berlin, Germany"
    phone: str = "+49 30 0000000"
    email: str = "quality@example.org"
    licence: str | None = None
    time_zone: str = "Europe/Berlin"
    base_url: str = "http://127.0.0.1:8000"
    lot_scheme: str = "{series}{year:02d}-{count:04d}"
    demo: bool = False
    signs: bool = True
    places: tuple[Place, ...] = ()


class Printed(Protocol):
    """A signed file; its first `unsigned_size` bytes are the unsigned one, which is the same wherever the content is drawn in that look."""

    @property
    def pdf(self) -> bytes: ...
    @property
    def unsigned_size(self) -> int: ...
    @property
    def unsigned_sha256(self) -> str: ...
    @property
    def look(self) -> str: ...
    @property
    def logo(self) -> bytes | None: ...


class CertificatePrinter(Protocol):
    """Draws and signs a certificate; `reports` has it, `api` hands it in, since the domain knows no PDF."""

    def __call__(self, content: Any, /) -> Printed:
        """Draw and sign. Raises Unavailable when the key or the time-stamp authority does not answer.

        It may take seconds: never call it in a transaction.
        """
        ...

    def draw(
        self,
        content: Any,
        /,
        look: str | None = None,
        file: Callable[[str], bytes] | None = None,
        copy: Literal["current", "superseded", "withdrawn", "recalled"] | None = None,
    ) -> bytes:
        """The unsigned file alone: a preview in the look of today, or what a file that was issued in `look` must begin with.

        file: gives the bytes of a logo by their SHA-256. copy: what became of it, as a watermark.
        """
        ...


#: Draws labels: the domain's content in, a PDF and ZPL out; `reports` has it, `api` hands it in.
LabelPrinter = Callable[[Any], Any]


@dataclass(frozen=True)
class Site:
    """Where acts happen: database, documents, printers, clock, profile and the key of the transparency log of one laboratory."""

    engine: sa.Engine
    documents: Documents
    print_certificate: CertificatePrinter
    profile: Profile = field(default_factory=Profile)
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    log_key: Ed25519PrivateKey | None = None
    print_labels: LabelPrinter | None = None

    @cached_property
    def zone(self) -> ZoneInfo:
        """The site's time zone: a lot expires at the end of its expiry date there."""
        return ZoneInfo(self.profile.time_zone)

    def today(self, now: datetime | None = None) -> date:
        """The calendar date at the site."""
        return (now or self.clock()).astimezone(self.zone).date()


@dataclass
class Work:
    """One act in progress. prepared: what its operation made ready before the transaction (`perform`)."""

    session: Session
    site: Site
    actor: Actor
    now: datetime
    reason: str
    act: str | None = None
    prepared: Any = None

    @property
    def today(self) -> date:
        """The calendar date at the site."""
        return self.site.today(self.now)

    def add(self, entity: EntityT) -> EntityT:
        """Write a new record now, so that it has its id."""
        if isinstance(entity, store.AppendOnly):
            audit.insert(self.session, entity)
            return entity
        self.session.add(entity)
        self.session.flush()
        return entity

    def keep_document(self, data: bytes, name: str, media_type: str) -> str:
        """Keep a file and what is known of it; returns its SHA-256."""
        sha256 = self.site.documents.put(data)
        known = self.session.execute(sa.select(col(Document.id)).where(col(Document.sha256) == sha256)).first()
        if known is None:
            self.add(Document(sha256=sha256, name=name[:200], media_type=media_type, size=len(data)))
        return sha256

    def keep_attachment(self, attached: Attachment | None) -> str | None:
        """Keep the file that goes with the act, if there is one; returns its SHA-256."""
        if attached is None:
            return None
        media_type = guess_type(attached.name)[0] or "application/octet-stream"
        return self.keep_document(attached.data, attached.name, media_type)


@dataclass(frozen=True)
class Operation:
    """A registered write: its name, what it needs, the function, and what is made ready for it before the transaction."""

    name: str
    permission: Permission | None
    function: Callable[..., Any]
    prepare: Callable[[Site, Actor, Any], Any] | None = None


OPERATIONS: dict[str, Operation] = {}

CommandT = TypeVar("CommandT", bound=Command)
ResultT = TypeVar("ResultT")


def operation(
    permission: Permission | None, *, prepare: Callable[[Site, Actor, Any], Any] | None = None
) -> Callable[[Callable[[Work, CommandT], ResultT]], Callable[[Work, CommandT], ResultT]]:
    """The only door for writes: checks the actor and names the act. `None`: open to whoever is there (signing in).

    prepare: what takes long or asks somebody else, and so must be done before the database's write lock is held; `perform` calls it.
    """

    def register(function: Callable[[Work, CommandT], ResultT]) -> Callable[[Work, CommandT], ResultT]:
        name = function.__name__

        @wraps(function)
        def guarded(work: Work, command: CommandT) -> ResultT:
            work.act = work.act or name
            if permission is not None:
                work.actor.require(permission)
            return function(work, command)

        guarded.known = OPERATIONS[name] = Operation(name, permission, guarded, prepare)  # type: ignore[attr-defined]
        return guarded

    return register


@contextmanager
def transaction(site: Site, actor: Actor, reason: str = "") -> Iterator[Work]:
    """One act: everything in it is committed with its sealed audit entry, or nothing is.

    A refusal (permission, rule, credentials) is recorded in a transaction of its own before it goes on to the caller.
    Raises Stale when somebody else changed a record meanwhile, Conflict when the same thing exists already.
    """
    work: Work | None = None
    try:
        with store.writing(site.engine) as session:
            collected = audit.collect(session)
            work = Work(session, site, actor, site.clock(), reason)
            yield work
            session.flush()
            if collected:
                _seal(work, collected)
            session.commit()
    except (Forbidden, Refused, Unauthenticated) as refusal:
        if work is not None:
            _record_refusal(work, refusal)
        raise
    except StaleDataError:
        raise Stale(
            Reason("changed-meanwhile", "somebody else changed this record meanwhile; look again and decide again")
        ) from None
    except OperationalError as error:
        if (
            getattr(error.orig, "sqlstate", None) != "40P01"
        ):  # PostgreSQL ended a ring of acts that waited for each other
            raise
        raise Stale(
            Reason("changed-meanwhile", "somebody else was at the same records; look again and try again")
        ) from None
    except IntegrityError as error:
        if "unique" not in str(error.orig).lower():
            raise
        raise Conflict(
            Reason("exists-already", "the same thing was recorded already, perhaps a moment ago; look again")
        ) from None


def perform(
    site: Site,
    actor: Actor,
    function: Callable[[Work, CommandT], ResultT],
    command: CommandT,
    reason: str = "",
    once: str = "",
) -> ResultT:
    """One operation in one transaction, after what it makes ready before: the way from every asker to a write.

    What was made ready is only a proposal: the operation checks that nothing it rests on has changed. once: the key of a form or request; a
    second act with it is refused (Conflict).
    """
    known: Operation = function.known  # type: ignore[attr-defined]
    may = known.permission is None or known.permission in actor.permissions
    prepared = known.prepare(site, actor, command) if known.prepare is not None and may else None
    with transaction(site, actor, reason) as work:
        work.prepared = prepared
        if once:
            claim(work.session, f"{known.name}:{once}", actor.user_id, work.now)
        return function(work, command)


def _seal(work: Work, collected: list[tuple[str, int, str, str]], refusal: DomainError | None = None) -> None:
    if work.act is None and refusal is None:
        raise RuntimeError("records changed outside an operation")
    audit.seal(
        work.session,
        at=work.now,
        actor_id=work.actor.user_id,
        actor=work.actor.name,
        act=work.act or "unknown",
        outcome="refused" if refusal else "done",
        reason="; ".join(reason.text for reason in refusal.reasons)[:2000] if refusal else work.reason,
        collected=collected,
    )


def _record_refusal(refused: Work, refusal: DomainError) -> None:
    with store.writing(refused.site.engine) as session:
        collected = audit.collect(session)
        work = replace(refused, session=session)
        if refusal.aftermath:
            refusal.aftermath(work)
            session.flush()
        _seal(work, collected, refusal)
        session.commit()
