"""Threads for what anybody asks: look-ups answer while every thread of the workplace waits, for a time-stamp authority say."""

from collections.abc import Callable, Coroutine
from functools import partial, wraps
from inspect import iscoroutinefunction
from typing import Any

from anyio import CapacityLimiter, to_thread
from anyio.lowlevel import RunVar
from fastapi.routing import APIRoute

#: Until `allow` is called; each event loop has its own.
FEWEST = 2

_threads: RunVar[CapacityLimiter] = RunVar("look_ups")


def allow(threads: int) -> None:
    """How many look-ups are worked on at once in this event loop."""
    _threads.set(CapacityLimiter(threads))


class LookUpRoute(APIRoute):
    """A route whose plain function runs in the threads of the look-ups, and not in those of the workplace."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        super().__init__(path, endpoint if iscoroutinefunction(endpoint) else apart(endpoint), **options)


def apart(function: Callable[..., Any]) -> Callable[..., Coroutine[Any, Any, Any]]:
    """A plain function as one that runs in the threads of the look-ups."""

    @wraps(function)
    async def run(*arguments: Any, **named: Any) -> Any:
        limiter = _threads.get(None)
        if limiter is None:
            limiter = CapacityLimiter(FEWEST)
            _threads.set(limiter)
        return await to_thread.run_sync(partial(function, *arguments, **named), limiter=limiter)

    return run
