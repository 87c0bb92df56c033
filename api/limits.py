"""How much a request may bring: what is larger is refused before it fills memory or disk."""

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: The largest file of an instrument (20 MB) with room for what a form puts round it.
MOST_BYTES = 25 * 1024 * 1024


class BodyLimit:
    """ASGI middleware: a body longer than the limit, as announced or as it arrives, is refused with 413.

    It is refused where it is read, so that the answer has the form of every other refusal.
    """

    def __init__(self, app: ASGIApp, most: int = MOST_BYTES) -> None:
        self.app, self.most = app, most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, counting what is read of it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        too_long = not announced.isdigit() or len(announced) > 15 or int(announced) > self.most
        read = 0

        async def counting() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if message["type"] == "http.request" and (too_long or read > self.most):
                raise HTTPException(413, f"a request brings at most {self.most // 1024 // 1024} MB")
            return message

        await self.app(scope, counting, send)
