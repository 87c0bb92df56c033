"""Signing in, and users."""

# ruff: noqa: B008 - acting() and asking() are declarations that FastAPI reads, like Depends()

from typing import Any

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from api.deps import COOKIE, acting, asking, csrf_token, current_actor, site_of
from api.problems import answers
from domain.people.models import SignInKind
from domain.people.operations import (
    ChangePassword,
    CreateUser,
    DeactivateUser,
    EndSignIn,
    GrantRole,
    IssueToken,
    ResetPassword,
    RevokeRole,
    change_password,
    create_user,
    deactivate_user,
    end_sign_in,
    grant_role,
    issue_token,
    reset_password,
    revoke_role,
    sign_in_by,
)
from domain.people.queries import UserView, users
from domain.permissions import Permission, Role
from domain.work import Actor

router = APIRouter(prefix="/api/v1", tags=["people"], responses=answers(401, 403, 409, 422))


class SignInForm(BaseModel):
    """Name and password."""

    model_config = ConfigDict(extra="forbid")

    username: str = Field(max_length=100)
    password: SecretStr = Field(max_length=1000)


class SignedIn(BaseModel):
    """A bearer token; the answer also sets the session cookie for pages."""

    access_token: str
    token_type: str = "bearer"  # noqa: S105 - the kind of token, not a token
    csrf_token: str = Field(description="for requests that come with the cookie: header X-CSRF-Token")


class Me(BaseModel):
    """Who is signed in."""

    username: str
    name: str
    function: str
    permissions: list[Permission]


class Password(BaseModel):
    """A new password."""

    model_config = ConfigDict(extra="forbid")

    password: SecretStr


class RoleBody(BaseModel):
    """A role."""

    model_config = ConfigDict(extra="forbid")

    role: Role


class TokenBody(BaseModel):
    """How long a token shall be good."""

    model_config = ConfigDict(extra="forbid")

    days: int = Field(default=365, ge=1, le=365)


def set_cookie(request: Request, response: Response, token: str) -> None:
    """The session cookie: not readable by scripts, not sent from other sites, Secure behind TLS."""
    secure = request.url.scheme == "https" or site_of(request).profile.base_url.startswith("https://")
    response.set_cookie(COOKIE, token, httponly=True, samesite="lax", secure=secure, path="/", max_age=12 * 3600)


@router.post("/session")
def open_session(form: SignInForm, request: Request, response: Response) -> SignedIn:
    """Sign in: a bearer token for the API, and a session cookie for pages. Failures are counted and recorded."""
    site = site_of(request)
    password = form.password.get_secret_value()
    token, cookie = sign_in_by(site, form.username, password, (SignInKind.TOKEN, SignInKind.PAGE))
    set_cookie(request, response, cookie)
    response.headers["Cache-Control"] = "no-store"
    return SignedIn(access_token=token, csrf_token=csrf_token(cookie))


@router.delete("/session", status_code=204)
def close_session(response: Response, act: Any = acting(end_sign_in)) -> None:
    """Sign out: the token or cookie that the request came with is worth nothing from now on."""
    act(EndSignIn())
    response.delete_cookie(COOKIE, path="/")


@router.get("/session")
def who_am_i(actor: Actor = Depends(current_actor)) -> Me:
    """Who the token or cookie stands for."""
    return Me(username=actor.username, name=actor.name, function=actor.function, permissions=sorted(actor.permissions))


@router.post("/session/password", status_code=204)
def own_password(body: ChangePassword, act: Any = acting(change_password)) -> None:
    """Change one's own password."""
    act(body)


@router.get("/users")
def list_users(ask: Any = asking(Permission.MANAGE_USERS)) -> list[UserView]:
    """Everybody, with the roles held now."""
    return ask(users)  # type: ignore[no-any-return]


def _one(ask: Any, username: str) -> UserView:
    found: list[UserView] = ask(users)
    return next(user for user in found if user.username == username)


@router.post("/users", status_code=201)
def new_user(body: CreateUser, act: Any = acting(create_user), ask: Any = asking(Permission.MANAGE_USERS)) -> UserView:
    """Make a user; toxic pairs of roles are refused."""
    act(body)
    return _one(ask, body.username)


@router.post("/users/{username}/roles", responses=answers(404))
def add_role(
    username: str, body: RoleBody, act: Any = acting(grant_role), ask: Any = asking(Permission.MANAGE_USERS)
) -> UserView:
    """Grant a role."""
    act(GrantRole(username=username, role=body.role))
    return _one(ask, username)


@router.post("/users/{username}/roles/{role}/revocation", responses=answers(404))
def take_role(
    username: str, role: Role, act: Any = acting(revoke_role), ask: Any = asking(Permission.MANAGE_USERS)
) -> UserView:
    """Revoke a role; the grant stays on record with its end."""
    act(RevokeRole(username=username, role=role))
    return _one(ask, username)


@router.post("/users/{username}/deactivation", responses=answers(404))
def close_account(
    username: str, act: Any = acting(deactivate_user), ask: Any = asking(Permission.MANAGE_USERS)
) -> UserView:
    """Close an account; nothing it did goes away."""
    act(DeactivateUser(username=username))
    return _one(ask, username)


@router.post("/users/{username}/password", status_code=204, responses=answers(404))
def set_password(username: str, body: Password, act: Any = acting(reset_password)) -> None:
    """Set another user's password; until its holder changes it, it signs nothing."""
    act(ResetPassword(username=username, password=body.password))


@router.post("/users/{username}/tokens", status_code=201, responses=answers(404))
def new_token(username: str, body: TokenBody, act: Any = acting(issue_token)) -> SignedIn:
    """A token for an instrument, shown once."""
    return SignedIn(access_token=act(IssueToken(username=username, days=body.days)), csrf_token="")
