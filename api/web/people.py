"""Users, one's own password, and the audit trail."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter
from fastapi.responses import Response

from api.web.forms import Field, Form, Group, Sheet, Typed, attempt, offer, options, show
from api.web.pages import Administrator, Auditor, Member, Visit, home_of, leads_to, page
from api.web.words import ROLES
from domain.audit_queries import find_entries
from domain.errors import NotFound, Reason
from domain.people.operations import (
    ChangePassword,
    CreateUser,
    DeactivateUser,
    GrantRole,
    ResetPassword,
    RevokeRole,
    change_password,
    create_user,
    deactivate_user,
    grant_role,
    reset_password,
    revoke_role,
)
from domain.people.queries import UserView, users
from domain.permissions import Permission
from domain.store import entity_classes

router = APIRouter(include_in_schema=False)

_LONG = "At least 12 characters; several words are best."


@router.get("/users")
def listed(visit: Administrator) -> Response:
    """Everybody, with roles."""
    return page(visit, "users.html", found=visit.ask(users), now=visit.site.clock())


def _create(_visit: Visit) -> Sheet:
    return Sheet(
        "Create a user",
        (
            Group(
                "Person or instrument",
                (
                    Field(
                        "username",
                        "Username",
                        hint="2 to 40 lower-case letters, digits, dots, _ or -; never given twice.",
                    ),
                    Field("name", "Name", hint="As printed beside signatures."),
                    Field("function", "Function", needed=False, hint="As printed beside signatures."),
                    Field(
                        "password",
                        "First password",
                        "password",
                        hint=f"{_LONG} It signs nothing until its holder has changed it.",
                        autocomplete="new-password",
                    ),
                ),
            ),
            Group(
                "Roles",
                (Field("roles[]", "Roles", "checks", options=tuple(ROLES.items())),),
                "Who makes or tests does not release; who manages users does neither.",
            ),
        ),
        "Create the user",
        back=("/users", "Users"),
    )


offer(
    router,
    "/users/new",
    create_user,
    CreateUser,
    _create,
    lambda _visit, user: (f"/users/{user.username}", f"{user.name} can sign in as {user.username}."),
)

_ACTS: dict[str, tuple[Any, Any]] = {
    "grant": (grant_role, GrantRole),
    "revoke": (revoke_role, RevokeRole),
    "deactivate": (deactivate_user, DeactivateUser),
    "reset": (reset_password, ResetPassword),
}


def _user(visit: Visit, username: str) -> UserView:
    for one in visit.ask(users):
        if one.username == username:
            return one  # type: ignore[no-any-return]
    raise NotFound(Reason("user-not-found", f"there is no user {username!r}"))


@router.get("/users/{username}")
def user_page(username: str, visit: Administrator) -> Response:
    """One user: roles, password, account."""
    return page(visit, "user.html", user=_user(visit, username), roles=ROLES, reasons=())


@router.post("/users/{username}/{act}")
def change(username: str, act: str, visit: Member, typed: Form) -> Response:
    """Grant, revoke, reset, or close: one act each."""
    if act not in _ACTS:
        raise NotFound(Reason("no-such-act", "there is no such act on a user"))
    operation, kind = _ACTS[act]
    _, reasons, status = attempt(visit, typed, kind, operation, {"username": username})
    if reasons:
        visit.who.require(Permission.MANAGE_USERS)
        return page(visit, "user.html", status, user=_user(visit, username), roles=ROLES, reasons=reasons)
    return leads_to(f"/users/{username}", "Recorded.")


def _password(visit: Visit) -> Sheet:
    return Sheet(
        "Change your password",
        (
            Group(
                "Password",
                (
                    Field("old_password", "Present password", "password", autocomplete="current-password"),
                    Field("new_password", "New password", "password", _LONG, autocomplete="new-password"),
                    Field("again", "New password, once more", "password", autocomplete="new-password"),
                ),
            ),
        ),
        "Change it",
        "Nobody but you should know it: it signs in your name. All your other sign-ins end.",
        (home_of(visit.who) if home_of(visit.who) != "/password" else "/", "Back"),
    )


@router.get("/password")
def password_form(visit: Member) -> Response:
    """The form for one's own password."""
    return show(visit, _password(visit))


@router.post("/password")
def own_password(visit: Member, typed: Form) -> Response:
    """Needs the present one, and the new one twice."""
    if typed.get("new_password") != typed.get("again"):
        return show(
            visit,
            _password(visit),
            Typed(),
            (Reason("not-the-same", "this is not the same as the new password", "again"),),
            422,
        )
    typed.values.pop("again", None)
    _, reasons, status = attempt(visit, typed, ChangePassword, change_password, {})
    if reasons:
        told = tuple(
            Reason(
                one.code,
                one.text,
                one.field
                or (
                    "old_password"
                    if one.code == "wrong-credentials"
                    else "new_password"
                    if "password" in one.code
                    else None
                ),
            )
            for one in reasons
        )
        return show(visit, _password(visit), Typed(), told, status)
    return leads_to(home_of(visit.who), "Your password is changed.")


@router.get("/audit")
def audit_trail(
    visit: Auditor,
    record: str = "",
    record_id: str = "",
    actor: str = "",
    since: str = "",
    until: str = "",
    before: int | None = None,
) -> Response:
    """What was done, by whom, when and why: sealed in its order, newest first."""
    found = visit.ask(
        find_entries,
        record=record or None,
        record_id=int(record_id) if record_id.isdigit() else None,
        actor=actor or None,
        since=_midnight(visit, since, 0),
        until=_midnight(visit, until, 1),
        before=before,
    )
    asked = {"record": record, "record_id": record_id, "actor": actor, "since": since, "until": until}
    following = (
        f"/audit?{urlencode({**{name: text for name, text in asked.items() if text}, 'before': found.next})}"
        if found.next
        else ""
    )
    return page(
        visit,
        "audit.html",
        found=found,
        asked=asked,
        following=following,
        records=options(entity_classes(), lambda code: code.replace("_", " "), empty="Any record"),
        names=(("", "Anybody"), *((one.name, one.name) for one in visit.ask(users))),
    )


def _midnight(visit: Visit, day: str, after: int) -> datetime | None:
    """The beginning of the day at the site, or of the one after it."""
    try:
        on = date.fromisoformat(day) + timedelta(days=after)
    except ValueError:
        return None
    return datetime.combine(on, time(), visit.site.zone).astimezone(UTC)
