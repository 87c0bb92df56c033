"""Electronic signatures: who, what it means, when, and exactly what was signed (21 CFR 11.50, 11.70, 11.200)."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import rfc8785
from pydantic import BaseModel, ConfigDict, SecretStr
from sqlmodel import Field, Session, col, select

from domain.errors import Forbidden, Reason, Refused, Unauthenticated
from domain.people.models import User
from domain.people.operations import is_open, roles_held, verified, verified_named
from domain.permissions import permissions_of
from domain.store import AppendOnly, Entity, coded, moment
from domain.work import OPERATIONS, View, Work


class Meaning(StrEnum):
    """What a signature means: the fixed list of domain.md, section 5."""

    PERFORMED = "performed"
    VERIFIED = "verified"
    SAMPLED = "sampled"
    TESTED = "tested"
    REVIEWED = "reviewed"
    APPROVED = "approved"
    CERTIFIED = "certified for release"
    REJECTED = "rejected"
    HELD = "put on hold"
    HOLD_LIFTED = "hold lifted"
    RECALLED = "recalled"
    DESTROYED = "destroyed"
    WITNESSED = "witnessed"
    ISSUED = "issued"


MEANING_DE: dict[Meaning, str] = {
    Meaning.PERFORMED: "durchgeführt",
    Meaning.VERIFIED: "gegengeprüft",
    Meaning.SAMPLED: "Probe gezogen",
    Meaning.TESTED: "geprüft",
    Meaning.REVIEWED: "begutachtet",
    Meaning.APPROVED: "genehmigt",
    Meaning.CERTIFIED: "zur Freigabe zertifiziert",
    Meaning.REJECTED: "zurückgewiesen",
    Meaning.HELD: "gesperrt",
    Meaning.HOLD_LIFTED: "Sperre aufgehoben",
    Meaning.RECALLED: "zurückgerufen",
    Meaning.DESTROYED: "vernichtet",
    Meaning.WITNESSED: "bezeugt",
    Meaning.ISSUED: "ausgestellt",
}


class Signature(AppendOnly, table=True):
    """One signature: name and function as they were, UTC time, meaning, and the digest of what was signed."""

    user_id: int = Field(foreign_key="app_user.id", index=True)
    sign_in_id: int | None = Field(default=None, foreign_key="sign_in.id")
    name: str
    function: str
    meaning: Meaning = coded(Meaning)
    signed_at: datetime = moment()
    record: str
    record_id: int
    record_sha256: str


class Credentials(BaseModel):
    """Both components of a signature; the username only for the first signing of a session (21 CFR 11.200(a)(1))."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    username: str | None = None
    password: SecretStr


class SignatureView(View):
    """The manifestation of a signature; `current` is false when what was signed has changed since."""

    name: str
    function: str
    meaning: Meaning
    signed_at: datetime
    record_sha256: str
    current: bool = True


def digest(content: Any) -> str:
    """SHA-256 (hex) of the canonical JSON (RFC 8785) of plain values."""
    return hashlib.sha256(rfc8785.dumps(content)).hexdigest()


@dataclass(frozen=True, slots=True)
class Authenticated:
    """Somebody who has just given both components of a signature, and when; made by `authenticate` alone."""

    user_id: int
    name: str
    function: str
    session_id: int | None
    at: datetime


def authenticate(work: Work, credentials: Credentials) -> Authenticated:
    """Ask for the password again.

    Raises Unauthenticated when name and password do not belong to the actor, Refused when the password was set by
    somebody else or the username is missing at the first signing of a session.
    """
    if credentials.username is None and not _has_signed(work):
        raise Refused(
            Reason("username-needed", "the first signature of a session needs the username too", "credentials.username")
        )
    user = verified(work, credentials.username, credentials.password.get_secret_value())
    if not user.password_is_own:
        raise Refused(
            Reason(
                "password-not-own",
                "change your password first: whoever set it could sign in your name",
                "credentials.password",
            )
        )
    return Authenticated(user.key, user.name, user.function, work.actor.session_id, work.now)


def authenticate_second(work: Work, credentials: Credentials, field: str) -> Authenticated:
    """Somebody else than the actor, who agrees at the actor's place with both components.

    field: where they were given. Raises Unauthenticated when they do not belong together; Refused when it is the actor, when the password is
    not the person's own, and when the person may not do the act.
    """
    try:
        user = verified_named(work, credentials.username or "", credentials.password.get_secret_value())
    except Unauthenticated as error:
        raise Unauthenticated(
            *(Reason(one.code, one.text, f"{field}.password") for one in error.reasons), aftermath=error.aftermath
        ) from error
    if user.key == work.actor.user_id:
        raise Refused(Reason("not-by-same-person", "the second person is somebody else", f"{field}.username"))
    if not user.password_is_own:
        text = f"{user.name} changes the password first: whoever set it could sign in that name"
        raise Refused(Reason("password-not-own", text, f"{field}.password"))
    known = OPERATIONS.get(work.act or "")
    if known is None or known.permission not in permissions_of(roles_held(work.session, user.key)):
        text = f"{user.name} may not do this, and so cannot agree to it"
        raise Refused(Reason("second-person-may-not", text, f"{field}.username"))
    return Authenticated(user.key, user.name, user.function, None, work.now)


def manifested(who: Authenticated, record: Entity, content: Any, meaning: Meaning) -> Signature:
    """The signature that `who` gives by this, not yet written: name, function, time and the digest of `content`."""
    return Signature(
        user_id=who.user_id,
        sign_in_id=who.session_id,
        name=who.name,
        function=who.function,
        meaning=meaning,
        signed_at=who.at,
        record=record.__tablename__,
        record_id=record.key,
        record_sha256=digest(content),
    )


def sign(work: Work, record: Entity, content: Any, meaning: Meaning, by: Credentials | Authenticated) -> Signature:
    """Bind a signature to the digest of `content`, the record's plain values, and write it.

    by: the credentials, which are asked for here (raises as `authenticate`); or, in an act that was made ready before its
    transaction, who gave them there.
    """
    who = authenticate(work, by) if isinstance(by, Credentials) else by
    if (who.user_id, who.session_id) != (work.actor.user_id, work.actor.session_id):
        raise Forbidden(Reason("not-the-signer", "somebody else gave the credentials of this signature"))
    if by is who:
        _require_still(work, who)
    return work.add(manifested(who, record, content, meaning))


def _require_still(work: Work, who: Authenticated) -> None:
    """Refuse in the name of somebody whose account was closed or locked, or whose role was revoked, since the credentials were given."""
    user = work.session.exec(
        select(User).where(User.id == who.user_id).execution_options(populate_existing=True).with_for_update()
    ).one()
    known = OPERATIONS.get(work.act or "")
    needed = known.permission if known else None
    held = permissions_of(roles_held(work.session, user.key))
    locked = user.locked_until is not None and work.now < user.locked_until
    if not is_open(user, work.site) or locked or (needed is not None and needed not in held):
        raise Forbidden(Reason("not-the-signer", f"{who.name} may no longer sign this: the account or its role ended"))


def _has_signed(work: Work) -> bool:
    signed = select(Signature.id).where(
        Signature.sign_in_id == work.actor.session_id, col(Signature.sign_in_id).is_not(None)
    )
    return work.session.exec(signed.limit(1)).first() is not None


def signatures_on(session: Session, record: Entity, content: Any = None) -> list[SignatureView]:
    """All signatures on a record, oldest first; with `content`, each tells whether it still covers it."""
    now = digest(content) if content is not None else None
    found = session.exec(
        select(Signature)
        .where(Signature.record == record.__tablename__, Signature.record_id == record.id)
        .order_by(col(Signature.id))
    )
    return [
        SignatureView.model_validate(one).model_copy(update={"current": now is None or one.record_sha256 == now})
        for one in found
    ]
