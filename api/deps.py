"""How a request becomes an act or a question: who asks is settled before the body is looked at.

`acting(operation)` gives a route a function that performs that one operation in one transaction; `asking(permission)` one that answers one query.
Both run inside the route's own thread: a dependency that held the write lock while its route waits for a thread could wait for ever.
"""

import hashlib
import hmac
from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Query, Request
from fastapi.security import HTTPBearer
from pydantic import BaseModel, Field

from domain.errors import Forbidden, Invalid, Reason, Unauthenticated
from domain.people.models import SignInKind
from domain.people.queries import SIGNED_OUT, actor_of
from domain.permissions import Permission
from domain.store import reading
from domain.work import OPERATIONS, Actor, Command, Site, Work, perform, transaction

COOKIE = "exolotl_session"
CSRF_HEADER = "x-csrf-token"
ONCE_HEADER = "idempotency-key"
SAFE = ("GET", "HEAD", "OPTIONS")

bearer = HTTPBearer(auto_error=False, description="the access_token of POST /api/v1/session, or an instrument's token")

#: The number of a row, within what both engines can hold.
RowId = Annotated[int, Field(ge=0, le=2**31 - 1)]

#: The check code of a lot, for what is asked without an account.
CheckCode = Annotated[
    str,
    Query(max_length=40, description="the check code printed on the label beside the lot number, where there is one"),
]

ResultT = TypeVar("ResultT")
BodyT = TypeVar("BodyT", bound=BaseModel)


def site_of(request: Request) -> Site:
    """The site this application serves."""
    return request.app.state.site  # type: ignore[no-any-return]


def csrf_token(session_token: str) -> str:
    """The token every form of that session carries; nobody who does not know the cookie can make it."""
    return hmac.new(session_token.encode(), b"exolotl csrf", hashlib.sha256).hexdigest()


def signed_in(request: Request) -> Actor:
    """Who asks: the bearer of a token, or the holder of the session cookie (with the CSRF header for anything but reading)."""
    site = site_of(request)
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token:
        return actor_of(site, token.strip(), SignInKind.TOKEN)
    cookie = request.cookies.get(COOKIE)
    if not cookie:
        raise Unauthenticated(SIGNED_OUT)
    actor = actor_of(site, cookie, SignInKind.PAGE)
    shown = request.headers.get(CSRF_HEADER, "")
    if request.method not in SAFE and not hmac.compare_digest(shown.encode(), csrf_token(cookie).encode()):
        raise Forbidden(
            Reason(
                "csrf", f"a request with the session cookie needs the header {CSRF_HEADER}; use a bearer token instead"
            )
        )
    return actor


def acting(operation: Callable[[Work, Any], Any]) -> Any:
    """A dependency: a function `(command) -> result` that performs the operation, for a request that may."""
    known = OPERATIONS[operation.__name__]

    def ready(request: Request, _scheme: Any = Depends(bearer)) -> Callable[[Command], Any]:
        actor = permitted(request, known.permission, known.name)
        once = once_of(request)
        return lambda command: perform(site_of(request), actor, operation, command, once=once)

    ready.permission = known.permission  # type: ignore[attr-defined]
    return Depends(ready)


def once_of(request: Request) -> str:
    """The key that the sender gave the request, so that sending it again does nothing a second time; empty without one. Raises Invalid."""
    key = request.headers.get(ONCE_HEADER, "")
    if len(key) > 200:
        raise Invalid(Reason("value-not-valid", f"{ONCE_HEADER} has at most 200 characters", ONCE_HEADER))
    return key


def permitted(request: Request, permission: Permission | None, act: str) -> Actor:
    """Who asks, if they may; a refusal is on record under the name of what was tried (21 CFR 11.10(g), 11.300(d))."""
    actor = signed_in(request)
    demand(site_of(request), actor, permission, act)
    return actor


def demand(site: Site, actor: Actor, permission: Permission | None, act: str) -> None:
    """Refuse, on record, what the actor has no permission for."""
    if permission is not None and permission not in actor.permissions:
        with transaction(site, actor) as work:
            work.act = act
            actor.require(permission)


def acting_at_once(operation: Callable[[Work, Any], Any], body: type[BodyT]) -> Any:
    """As `acting`, for what is asked all day: a function `(body -> command) -> result` that does everything in the route's own thread.

    Each dependency that is a plain function costs one more change of threads. Who asks is still settled before the body is looked at, which
    is why the body is read here and described with `described(body)`.
    """
    known = OPERATIONS[operation.__name__]

    async def ready(request: Request, _scheme: Any = Depends(bearer)) -> Callable[[Callable[[BodyT], Command]], Any]:
        sent = await request.body()

        def act(made: Callable[[BodyT], Command]) -> Any:
            actor = permitted(request, known.permission, known.name)
            command = made(body.model_validate_json(sent))
            return perform(site_of(request), actor, operation, command, once=once_of(request))

        return act

    ready.permission = known.permission  # type: ignore[attr-defined]
    return Depends(ready)


def described(body: type[BaseModel]) -> dict[str, Any]:
    """The OpenAPI of a body that the route reads itself."""
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": body.model_json_schema()}}}}


def asking(permission: Permission | None = Permission.READ_RECORDS) -> Any:
    """A dependency: a function `(query, *arguments) -> answer` over one consistent view of the data, for a request that may.

    A query is called with the session first.
    """

    def ready(request: Request, _scheme: Any = Depends(bearer)) -> Callable[..., Any]:
        site = site_of(request)
        permitted(request, permission, f"read {request.url.path}"[:200])

        def ask(query: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
            with reading(site.engine, consistent=True) as session:
                return query(session, *arguments, **named)

        return ask

    ready.permission = permission  # type: ignore[attr-defined]
    return Depends(ready)


def current_actor(request: Request, _scheme: Any = Depends(bearer)) -> Actor:
    """A dependency: who asks."""
    return signed_in(request)
