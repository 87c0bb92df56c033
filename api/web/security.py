"""Headers that keep a page to itself: no frames, no foreign content, no script but the one that a page names."""

import base64
import hashlib
import re
from collections.abc import Iterable

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reports.genealogy import trace_svg
from reports.plots import distribution_svg


def hash_source(text: str) -> str:
    """The source expression of a style or a script in a Content-Security-Policy."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _own_style(svg: str) -> str:
    found = re.search(r"<style>(.*?)</style>", svg, re.DOTALL)
    assert found is not None, "our pictures carry their style"
    return found[1]


class _Empty:
    lot_number, lots, edges = "", (), ()


PLOT_STYLE = _own_style(distribution_svg((0.0, 1.0), (1.0,), mode="", percent_30_150=""))
TRACE_STYLE = _own_style(trace_svg(_Empty()))


def policy(styles: Iterable[str], scripts: Iterable[str] = ()) -> str:
    """A policy that allows the style and script sources given, images and forms of our own, and nothing else."""
    run = f" script-src {' '.join(scripts)};" if scripts else ""
    return (
        f"default-src 'none'; style-src {' '.join(styles)};{run} img-src 'self' data:; font-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    )


WORKPLACE = policy(("'self'", hash_source(PLOT_STYLE), hash_source(TRACE_STYLE)))
NOTHING = "default-src 'none'; frame-ancestors 'none'"

#: What every answer carries that has not said it itself.
_SEALED = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
    (b"content-security-policy", NOTHING.encode()),
)
_SEALED_AND_NOT_STORED = (*_SEALED, (b"cache-control", b"no-store"))

#: What is the same for everybody, and may be kept.
_KEPT = ("/static", "/fonts", "/docs")


class SecurityHeaders:
    """ASGI middleware: every answer is never sniffed, never framed, and carries a policy; one that it has stays.

    An address with a NUL is refused here: PostgreSQL takes none, so it can name nothing.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Add what is missing to the head of the answer."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if b"%00" in scope.get("raw_path", b"") + scope.get("query_string", b""):
            await PlainTextResponse("An address has no NUL in it.", 400)(scope, receive, send)
            return
        # an answer, a "not found" too, may be another one a moment later
        given = _SEALED if scope["path"].startswith(_KEPT) else _SEALED_AND_NOT_STORED

        async def sealed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = list(message.get("headers", ()))
                there = {name.lower() for name, _ in headers}
                message["headers"] = headers + [one for one in given if one[0] not in there]
            await send(message)

        await self.app(scope, receive, sealed)
