"""Users, the roles they hold, and their sign-ins."""

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from domain.permissions import Role
from domain.store import Entity, UtcDateTime, coded, moment


class User(Entity, table=True):
    """A person, or an instrument, that can act. A username is never reused (21 CFR 11.100(a)); nobody is deleted.

    password_is_own: false while the password was set by somebody else; such a password signs in but signs nothing (21
    CFR 11.200(a)(2)).
    demo: made in demo mode, whose passwords everybody can read; such an account works in demo mode alone.
    """

    __tablename__ = "app_user"

    username: str = Field(unique=True)
    name: str
    function: str
    password_hash: str
    password_is_own: bool
    active: bool = True
    demo: bool = False
    created_at: datetime = moment()
    failed_attempts: int = 0
    locked_until: datetime | None = moment(default=None, nullable=True)


class RoleGrant(Entity, table=True):
    """A role held by a user from `granted_at` until `revoked_at`."""

    __table_args__ = (
        sa.Index(
            "uq_role_grant_held",
            "user_id",
            "role",
            unique=True,
            sqlite_where=sa.text("revoked_at IS NULL"),
            postgresql_where=sa.text("revoked_at IS NULL"),
        ),
    )

    user_id: int = Field(foreign_key="app_user.id")
    role: Role = coded(Role)
    granted_at: datetime = moment()
    revoked_at: datetime | None = moment(default=None, nullable=True)


class SignInKind(StrEnum):
    """How a sign-in is presented: the cookie of a browser, or a bearer token."""

    PAGE = "page"
    TOKEN = "token"  # noqa: S105 - the name of a kind, not a secret


class SignIn(Entity, table=True):
    """One sign-in. Only the SHA-256 of its token is kept."""

    user_id: int = Field(foreign_key="app_user.id", index=True)
    kind: SignInKind = coded(SignInKind)
    token_sha256: str = Field(unique=True)
    started_at: datetime = moment()
    expires_at: datetime = moment()
    ended_at: datetime | None = moment(default=None, nullable=True)


#: When a page was last asked for, at most once a minute: it is no record, so it stands outside the audit trail.
activity = sa.Table(
    "sign_in_activity",
    SQLModel.metadata,
    sa.Column("sign_in_id", sa.ForeignKey("sign_in.id"), primary_key=True, autoincrement=False),
    sa.Column("last_seen_at", UtcDateTime, nullable=False),
)
