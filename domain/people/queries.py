"""Who is signed in, and who is there."""

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import Session, col, select

from domain.errors import Reason, Unauthenticated
from domain.people.models import RoleGrant, SignIn, SignInKind, User, activity
from domain.people.operations import token_digest
from domain.permissions import Role, permissions_of
from domain.store import Prepared, UtcDateTime, writing
from domain.work import Actor, Site, View

IDLE_LIMIT = timedelta(minutes=30)
SEEN_EVERY = timedelta(minutes=1)

SIGNED_OUT = Reason(
    "not-signed-in", "sign in first: there is no sign-in, or it has ended, expired or been idle for too long"
)

_by_token = Prepared(
    sa.select(
        SignIn.id,  # type: ignore[call-overload]
        SignIn.kind,
        SignIn.expires_at,
        activity.c.last_seen_at,
        User.id.label("user_id"),  # type: ignore[union-attr]
        User.username,
        User.name,
        User.function,
        User.demo,
        RoleGrant.role,
    )
    .join(User, SignIn.user_id == User.id)
    .join(activity, activity.c.sign_in_id == SignIn.id)
    .outerjoin(RoleGrant, sa.and_(col(RoleGrant.user_id) == User.id, col(RoleGrant.revoked_at).is_(None)))
    .where(
        SignIn.token_sha256 == sa.bindparam("digest"),
        col(SignIn.ended_at).is_(None),
        col(User.active).is_(True),
    )
)
_seen = (
    activity.update()
    .where(
        activity.c.sign_in_id == sa.bindparam("which"),
        activity.c.last_seen_at < sa.bindparam("before", type_=UtcDateTime),
    )
    .values(last_seen_at=sa.bindparam("at", type_=UtcDateTime))
)


def actor_of(site: Site, token: str, kind: SignInKind) -> Actor:
    """The actor that a token stands for. Raises Unauthenticated when it is unknown, ended, expired or (page) idle."""
    rows = _by_token.alone(site.engine, digest=token_digest(token))
    now = site.clock()
    if not rows or rows[0].kind != kind or now >= rows[0].expires_at:
        raise Unauthenticated(SIGNED_OUT)
    first = rows[0]
    if first.demo and not site.profile.demo:
        raise Unauthenticated(SIGNED_OUT)
    if kind is SignInKind.PAGE:
        if now - first.last_seen_at > IDLE_LIMIT:
            raise Unauthenticated(SIGNED_OUT)
        if now - first.last_seen_at > SEEN_EVERY:
            with writing(site.engine) as session:
                session.execute(_seen, {"which": first.id, "before": now, "at": now})
                session.commit()
    held = permissions_of(row.role for row in rows if row.role is not None)
    return Actor(first.user_id, first.username, first.name, first.function, held, first.id)


class UserView(View):
    """A user with the roles held now."""

    username: str
    name: str
    function: str
    active: bool
    created_at: datetime
    locked_until: datetime | None
    roles: tuple[Role, ...]


def users(session: Session) -> list[UserView]:
    """Everybody, in two statements."""
    held: dict[int, list[Role]] = {}
    for user_id, role in session.exec(
        select(RoleGrant.user_id, col(RoleGrant.role)).where(col(RoleGrant.revoked_at).is_(None))
    ):
        held.setdefault(user_id, []).append(role)
    return [
        UserView(
            username=user.username,
            name=user.name,
            function=user.function,
            active=user.active,
            created_at=user.created_at,
            locked_until=user.locked_until,
            roles=tuple(sorted(held.get(user.key, []))),
        )
        for user in session.exec(select(User).order_by(User.username))
    ]


def usernames(session: Session) -> list[tuple[str, str]]:
    """Username and name of everybody who works here today, by name."""
    found = select(User.username, User.name).where(col(User.active).is_(True))
    return list(session.exec(found.order_by(User.name)).all())
