"""Acts on users, roles and sign-ins."""

import hashlib
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta

from pydantic import Field, SecretStr
from sqlmodel import Session, col, select

from domain.errors import Conflict, NotFound, Reason, Refused, Unauthenticated
from domain.people import passwords
from domain.people.models import RoleGrant, SignIn, SignInKind, User, activity
from domain.permissions import Permission, Role, toxic_pairs
from domain.store import reading
from domain.work import Actor, Command, Site, Work, operation, transaction

LOCK_AFTER = 5
LOCK_BASE = timedelta(minutes=1)
LOCK_MOST = timedelta(hours=24)
LIFETIME = {SignInKind.PAGE: timedelta(hours=12), SignInKind.TOKEN: timedelta(hours=12)}
INSTRUMENT_LIFETIME = timedelta(days=365)

NOBODY = Actor(user_id=None, username="nobody", name="nobody signed in")
COMMAND_LINE = Actor(None, "command-line", "command line", "operator", frozenset({Permission.MANAGE_USERS}))

Username = Field(pattern=r"^[a-z][a-z0-9._-]{1,39}$", description="2 to 40 lower-case letters, digits, '.', '_' or '-'")


class CreateUser(Command):
    """Make a new user, person or instrument, with its roles."""

    username: str = Username
    name: str = Field(min_length=2, max_length=100, description="name as printed beside signatures")
    function: str = Field(default="", max_length=100, description="function as printed beside signatures")
    password: SecretStr
    roles: tuple[Role, ...] = Field(min_length=1)


class GrantRole(Command):
    """Give a user one more role."""

    username: str
    role: Role


class RevokeRole(Command):
    """Take a role from a user."""

    username: str
    role: Role


class DeactivateUser(Command):
    """Close a user's account for good; what it did stays."""

    username: str


class ResetPassword(Command):
    """Set another user's password; it signs in, but signs nothing until its holder has changed it."""

    username: str
    password: SecretStr


class ChangePassword(Command):
    """Change one's own password."""

    old_password: SecretStr
    new_password: SecretStr


class IssueToken(Command):
    """Make an API token for an instrument; it is shown once."""

    username: str
    days: int = Field(default=365, ge=1, le=365)


class EndSignIn(Command):
    """Sign out."""


def user_named(session: Session, username: str) -> User:
    """The user, or NotFound."""
    if user := session.exec(select(User).where(User.username == username)).first():
        return user
    raise NotFound(Reason("user-not-found", f"there is no user {username!r}", "username"))


def roles_held(session: Session, user_id: int) -> tuple[Role, ...]:
    """The roles a user holds now."""
    held = select(col(RoleGrant.role)).where(RoleGrant.user_id == user_id, col(RoleGrant.revoked_at).is_(None))
    return tuple(session.exec(held.order_by(RoleGrant.role)))


def _refuse_toxic(roles: tuple[Role, ...]) -> None:
    if Role.INSTRUMENT in roles and len(set(roles)) > 1:  # its token of a year must not grow with its roles
        raise Refused(Reason("toxic-roles", "an instrument is no person and holds no other role", "roles"))
    if pairs := toxic_pairs(roles):
        raise Refused(
            *(Reason("toxic-roles", f"these roles may not be held by one person: {pair}", "roles") for pair in pairs)
        )


@operation(Permission.MANAGE_USERS)
def create_user(work: Work, command: CreateUser) -> User:
    """A username is given once and never again."""
    _refuse_toxic(command.roles)
    if work.session.exec(select(User.id).where(User.username == command.username)).first() is not None:
        raise Conflict(
            Reason(
                "username-taken", f"the username {command.username!r} was given already; it is never reused", "username"
            )
        )
    user = work.add(
        User(
            username=command.username,
            name=command.name,
            function=command.function,
            password_hash=passwords.hash_password(
                command.password.get_secret_value(), command.username, demo=work.site.profile.demo
            ),
            password_is_own=work.actor.user_id is None,
            demo=work.site.profile.demo,
            created_at=work.now,
        )
    )
    for role in dict.fromkeys(command.roles):
        work.add(RoleGrant(user_id=user.key, role=role, granted_at=work.now))
    return user


@operation(Permission.MANAGE_USERS)
def grant_role(work: Work, command: GrantRole) -> User:
    """Nobody grants a role to themselves, nor one half of a toxic pair to the holder of the other."""
    user = work.session.exec(select(User).where(User.username == command.username).with_for_update()).first()
    if user is None:
        raise NotFound(Reason("user-not-found", f"there is no user {command.username!r}", "username"))
    if user.id == work.actor.user_id:
        raise Refused(Reason("own-roles", "nobody grants a role to themselves", "username"))
    held = roles_held(work.session, user.key)
    if command.role in held:
        raise Conflict(Reason("role-held", f"{user.name} holds the role {command.role} already", "role"))
    _refuse_toxic((*held, command.role))
    work.add(RoleGrant(user_id=user.key, role=command.role, granted_at=work.now))
    return user


@operation(Permission.MANAGE_USERS)
def revoke_role(work: Work, command: RevokeRole) -> User:
    """The grant stays on record with its end."""
    user = user_named(work.session, command.username)
    if user.id == work.actor.user_id:
        raise Refused(
            Reason("own-roles", "nobody takes a role from themselves; another administrator does", "username")
        )
    grant = work.session.exec(
        select(RoleGrant).where(
            RoleGrant.user_id == user.id, RoleGrant.role == command.role, col(RoleGrant.revoked_at).is_(None)
        )
    ).first()
    if grant is None:
        raise NotFound(Reason("role-not-held", f"{user.name} does not hold the role {command.role}", "role"))
    grant.revoked_at = work.now
    return user


@operation(Permission.MANAGE_USERS)
def deactivate_user(work: Work, command: DeactivateUser) -> User:
    """All sign-ins of the user end with it."""
    user = user_named(work.session, command.username)
    if user.id == work.actor.user_id:
        raise Refused(Reason("own-account", "nobody closes their own account", "username"))
    user.active = False
    _end_sign_ins(work, user.key)
    return user


@operation(Permission.MANAGE_USERS)
def reset_password(work: Work, command: ResetPassword) -> User:
    """Lifts a lock-out, and ends all sign-ins of the user."""
    user = user_named(work.session, command.username)
    user.password_hash = passwords.hash_password(command.password.get_secret_value(), user.username)
    user.password_is_own = work.actor.user_id is None or user.id == work.actor.user_id
    user.failed_attempts, user.locked_until = 0, None
    _end_sign_ins(work, user.key)
    return user


@operation(None)
def change_password(work: Work, command: ChangePassword) -> User:
    """Needs the old password; ends all other sign-ins."""
    user = verified(work, None, command.old_password.get_secret_value())
    user.password_hash = passwords.hash_password(command.new_password.get_secret_value(), user.username)
    user.password_is_own = True
    _end_sign_ins(work, user.key, keep=work.actor.session_id)
    return user


@operation(Permission.MANAGE_USERS)
def issue_token(work: Work, command: IssueToken) -> str:
    """A token for an instrument account; returns it, once."""
    user = user_named(work.session, command.username)
    if roles_held(work.session, user.key) != (Role.INSTRUMENT,):
        raise Refused(
            Reason("not-an-instrument", "tokens are made only for accounts whose one role is instrument", "username")
        )
    return _start(work, user, SignInKind.TOKEN, timedelta(days=command.days))


@operation(None)
def end_sign_in(work: Work, _command: EndSignIn) -> None:
    """Ends the sign-in the act came by."""
    if work.actor.session_id is not None and (sign_in := work.session.get(SignIn, work.actor.session_id)):
        sign_in.ended_at = work.now


def _end_sign_ins(work: Work, user_id: int, keep: int | None = None) -> None:
    for sign_in in work.session.exec(select(SignIn).where(SignIn.user_id == user_id, col(SignIn.ended_at).is_(None))):
        if sign_in.id != keep:
            sign_in.ended_at = work.now


def _start(work: Work, user: User, kind: SignInKind, lifetime: timedelta) -> str:
    token = secrets.token_urlsafe(32)
    sign_in = work.add(
        SignIn(
            user_id=user.key,
            kind=kind,
            token_sha256=token_digest(token),
            started_at=work.now,
            expires_at=work.now + lifetime,
        )
    )
    work.session.execute(activity.insert(), {"sign_in_id": sign_in.id, "last_seen_at": work.now})
    return token


def token_digest(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


WRONG = Reason(
    "wrong-credentials", "username and password do not belong together, or the account is closed or locked for a while"
)


def _failed(user_id: int) -> Callable[[Work], None]:
    """The aftermath of a wrong password: counted; from the fifth on the account is locked, twice as long each time."""

    def count(work: Work) -> None:
        user = work.session.exec(select(User).where(User.id == user_id).with_for_update()).one()
        user.failed_attempts += 1
        if user.failed_attempts >= LOCK_AFTER:
            user.locked_until = work.now + min(LOCK_BASE * 2 ** min(user.failed_attempts - LOCK_AFTER, 20), LOCK_MOST)

    return count


def is_open(user: User | None, site: Site) -> bool:
    """Whether the account can act here: not closed, and no demo account outside demo mode (21 CFR 11.300)."""
    return user is not None and user.active and (site.profile.demo or not user.demo)


def _check(site: Site, user: User | None, password: str, now: datetime) -> None:
    """Raise Unauthenticated unless the password is right and the account open; says no more than that it failed."""
    if user is not None and user.locked_until is not None and now < user.locked_until:
        passwords.matches(None, password)  # a quick answer would tell that the account is there
        raise Unauthenticated(WRONG)
    known = user if is_open(user, site) else None
    if not passwords.matches(known.password_hash if known else None, password):
        raise Unauthenticated(WRONG, aftermath=_failed(known.key) if known else None)


def verified(work: Work, username: str | None, password: str) -> User:
    """The actor's user after asking for the password again (21 CFR 11.200(a)). Raises Unauthenticated."""
    user = work.session.get(User, work.actor.user_id) if work.actor.user_id is not None else None
    if username is not None and (user is None or user.username != username):
        raise Unauthenticated(WRONG, aftermath=_failed(user.key) if user else None)
    _check(work.site, user, password, work.now)
    assert user is not None
    if user.failed_attempts:
        user.failed_attempts, user.locked_until = 0, None
    return user


def verified_named(work: Work, username: str, password: str) -> User:
    """The user of that name, who gives both components at somebody else's place. Raises Unauthenticated."""
    known = select(User).where(User.username == username)
    user = work.session.exec(known).first() if username.isprintable() else None  # PostgreSQL takes no NUL
    _check(work.site, user, password, work.now)
    assert user is not None
    return user


class OpenSignIn(Command):
    """Record a sign-in whose password was found right."""

    user_id: int
    kind: SignInKind


@operation(None)
def open_sign_in(work: Work, command: OpenSignIn) -> str:
    """Starts the sign-in and forgets earlier failures; returns the token."""
    user = work.session.exec(select(User).where(User.id == command.user_id).with_for_update()).one()
    if not is_open(user, work.site) or (user.locked_until is not None and work.now < user.locked_until):
        raise Unauthenticated(WRONG)  # closed or locked while the password was checked
    if user.failed_attempts:
        user.failed_attempts, user.locked_until = 0, None
    return _start(work, user, command.kind, LIFETIME[command.kind])


def sign_in(site: Site, username: str, password: str, kind: SignInKind) -> str:
    """Check name and password, and start a sign-in; returns its token. Raises Unauthenticated, and records that."""
    return sign_in_by(site, username, password, (kind,))[0]


def sign_in_by(site: Site, username: str, password: str, kinds: tuple[SignInKind, ...]) -> tuple[str, ...]:
    """As `sign_in`, for several kinds at once: the password is checked once, and each kind has a token of its own.

    The password is checked before the transaction: Argon2 takes long on purpose, and must not hold the write lock.
    """
    now = site.clock()
    with reading(site.engine) as session:
        known = select(User).where(User.username == username)
        user = session.exec(known).first() if username.isprintable() else None  # PostgreSQL takes no NUL
    unknown = Actor(None, username[:40], f"unknown user {username[:40]!r}")
    actor = unknown if user is None else Actor(user.id, user.username, user.name, user.function)
    try:
        _check(site, user, password, now)
    except Unauthenticated as failure:
        with transaction(site, actor) as work:
            work.act = "sign_in"
            raise failure
    assert user is not None
    with transaction(site, actor) as work:
        return tuple(open_sign_in(work, OpenSignIn(user_id=user.key, kind=kind)) for kind in kinds)
