"""How often one address may ask what needs no account: a budget for each kind of question, counted by the library `limits`.

An IPv6 client has a whole /64 to ask from, so that is what is counted. Behind proxies the address is read from X-Forwarded-For, but only from
the part that proxies of our own wrote: the rest is what the client says of itself. Addresses live in the counting store for two windows at most,
and nowhere else.
"""

import logging
import time
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache, lru_cache, partial
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from math import ceil
from typing import Any

import anyio
import anyio.to_thread
from limits import RateLimitItem, parse_many
from limits.errors import ConfigurationError, StorageError
from limits.storage import MemoryStorage, Storage, storage_from_string
from limits.strategies import SlidingWindowCounterRateLimiter
from prometheus_client import CollectorRegistry, Counter
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import problem
from domain.errors import Reason

logger = logging.getLogger("exolotl.rate_limits")

OFF, IN_MEMORY = "off", "memory://"

#: A shared store that does not answer is left alone so long; meanwhile each process counts by itself.
REST = 10.0
#: A shared store answers at once, or it is not asked.
PATIENCE = {"socket_timeout": 0.25, "socket_connect_timeout": 0.25}


class Budget(StrEnum):
    """What is counted apart."""

    LOOKUPS = "lookups"
    VERIFY = "verify"
    FOLLOW = "follow"
    COMPARE = "compare"
    SIGN_IN = "sign_in"


_READ, _WRITE = frozenset({"GET", "HEAD"}), frozenset({"POST"})

#: Which requests spend which budget: method and the beginning of the path; the first that fits counts.
SPENT: tuple[tuple[frozenset[str], str, Budget], ...] = (
    (_WRITE, "/verify", Budget.VERIFY),
    (_WRITE, "/api/v1/public/verify", Budget.VERIFY),
    (_READ | _WRITE, "/compare", Budget.COMPARE),
    (_READ | _WRITE, "/api/v1/public/compar", Budget.COMPARE),
    (_WRITE, "/follow", Budget.FOLLOW),
    (_WRITE, "/api/v1/public/lots/", Budget.FOLLOW),
    (_WRITE, "/sign-in", Budget.SIGN_IN),
    (_WRITE, "/api/v1/session", Budget.SIGN_IN),
    (_READ, "/api/v1/public/", Budget.LOOKUPS),
    (_READ, "/c/", Budget.LOOKUPS),
    (_READ, "/01/", Budget.LOOKUPS),
    (_READ, "/log", Budget.LOOKUPS),
    (_READ | _WRITE, "/follow", Budget.LOOKUPS),
    (_READ | _WRITE, "/unfollow", Budget.LOOKUPS),
)
_WATCHED = tuple({start for _, start, _ in SPENT})


def budget_of(method: str, path: str) -> Budget | None:
    """The budget that a request spends; None: it is not counted."""
    if not path.startswith(_WATCHED):
        return None
    return next((budget for methods, start, budget in SPENT if method in methods and path.startswith(start)), None)


Network = IPv4Network | IPv6Network


@dataclass(frozen=True)
class Proxies:
    """Proxies of our own: how many stand in front of the server, or which addresses they have."""

    count: int = 0
    networks: tuple[Network, ...] = ()

    @classmethod
    def parse(cls, text: str) -> "Proxies":
        """`2`, or `10.0.0.0/8, 192.0.2.7`, or nothing. Raises ValueError for anything else."""
        said = text.strip()
        if not said:
            return cls()
        if said.isdecimal():
            return cls(count=int(said))
        return cls(networks=tuple(ip_network(part.strip()) for part in said.split(",")))

    def client(self, peer: str, forwarded: str) -> str:
        """The address that asks: the nearest one that is no proxy of ours. `forwarded`: X-Forwarded-For, the nearest last."""
        said = [part.strip() for part in forwarded.split(",")] if forwarded else []
        if self.count:
            return _bare(said[-self.count]) or peer if len(said) >= self.count else peer
        asking = peer
        while said and self._is_ours(asking) and (further := _bare(said.pop())):
            asking = further
        return asking

    def _is_ours(self, address: str) -> bool:
        try:
            return any(ip_address(address) in network for network in self.networks)
        except ValueError:
            return False


def _bare(said: str) -> str:
    """An address without the port that some proxies add; empty if it is none."""
    host = said[1:].partition("]")[0] if said.startswith("[") else said
    if host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        return str(ip_address(host))
    except ValueError:
        return ""


@lru_cache(maxsize=4096)
def counted_as(address: str) -> str:
    """Whom an address is counted with: itself, or its /64 if it is an IPv6 address."""
    try:
        known = ip_address(address.partition("%")[0])
    except ValueError:
        return address[:60] or "unknown"
    if isinstance(known, IPv6Address):
        return str(known.ipv4_mapped or ip_network((int(known), 64), strict=False))
    return str(known)


def limits_of(text: str) -> tuple[RateLimitItem, ...]:
    """`60/minute`, or several such as `60/minute; 1000/day`, or `off`. Raises ValueError for anything else."""
    return () if text.strip().lower() == OFF else tuple(parse_many(text))


class _Memory(MemoryStorage):
    """The library's memory, cleared of what is over once a minute instead of by a new thread every few requests (measured: 0.1 ms a request)."""

    STORAGE_SCHEME = ["memory-swept-once-a-minute"]  # noqa: RUF012 - the library reads it of the class
    _due = 0.0

    def _MemoryStorage__schedule_expiry(self) -> None:  # noqa: N802 - where the library starts its thread
        if time.monotonic() >= self._due:
            self._due = time.monotonic() + 60
            super()._MemoryStorage__schedule_expiry()  # type: ignore[misc]


def store_of(url: str) -> Storage:
    """The store that counts. Raises ValueError where its kind is unknown or its library is not installed."""
    if url == IN_MEMORY:
        return _Memory()
    options = PATIENCE if url.startswith(("redis", "valkey")) else {}
    try:
        return storage_from_string(url, wrap_exceptions=True, **options)  # type: ignore[return-value]
    except ConfigurationError as error:
        raise ValueError(f"{url.partition(':')[0]!r} cannot count: {error}") from error


@dataclass(frozen=True)
class Rules:
    """How much each budget is, where it is counted, and whose word about an address counts."""

    budgets: dict[Budget, tuple[RateLimitItem, ...]] = field(default_factory=dict)
    store: str = IN_MEMORY
    proxies: Proxies = field(default_factory=Proxies)


class Counting:
    """Spends budgets in a store; where a shared one does not answer, in the memory of this process."""

    def __init__(self, rules: Rules) -> None:
        self.rules, self.shared = rules, rules.store != IN_MEMORY
        self._own = SlidingWindowCounterRateLimiter(store_of(IN_MEMORY))
        self._limiter = SlidingWindowCounterRateLimiter(store_of(rules.store)) if self.shared else self._own
        self._resting_until = 0.0

    def spend(self, budget: Budget, who: str) -> int:
        """Count a request; 0, or the seconds after which it may be asked again."""
        if self.shared and time.monotonic() >= self._resting_until:
            try:
                return self._spend(self._limiter, budget, who)
            except StorageError as error:
                self._resting_until = time.monotonic() + REST
                logger.warning(
                    "the shared store of rate limits does not answer: %s", type(error.storage_error).__name__
                )
        return self._spend(self._own, budget, who)

    def _spend(self, limiter: SlidingWindowCounterRateLimiter, budget: Budget, who: str) -> int:
        for limit in self.rules.budgets.get(budget, ()):
            if not limiter.hit(limit, budget, who):
                return max(1, ceil(limiter.get_window_stats(limit, budget, who).reset_time - time.time()))
        return 0


class RateLimits:
    """ASGI middleware: who asks too often is answered 429 with Retry-After, before anything of the request is read."""

    def __init__(self, app: ASGIApp, rules: Rules, registry: CollectorRegistry) -> None:
        self.app, self.counting = app, Counting(rules)
        self._asking = anyio.CapacityLimiter(8)
        self.count = Counter(
            "exolotl_public_requests_total",
            "What was asked without an account",
            ["budget", "outcome"],
            registry=registry,
        )
        self._counted = cache(self.count.labels)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, unless its budget is spent; what becomes of it is counted by kind alone."""
        budget = budget_of(scope["method"], scope["path"]) if scope["type"] == "http" else None
        if budget is None:
            await self.app(scope, receive, send)
            return
        if wait := await self._spend(budget, self._who(scope)):
            self._counted(budget, "limited").inc()
            await _too_often(Request(scope), wait)(scope, receive, send)
            return

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._counted(budget, _outcome(message["status"])).inc()
            await send(message)

        await self.app(scope, receive, noting)

    def _who(self, scope: Scope) -> str:
        peer = scope["client"][0] if scope.get("client") else ""
        said = [value.decode("latin-1") for name, value in scope["headers"] if name == b"x-forwarded-for"]
        return counted_as(self.counting.rules.proxies.client(peer, ",".join(said)))

    async def _spend(self, budget: Budget, who: str) -> int:
        if not self.counting.shared:
            return self.counting.spend(budget, who)
        asked = partial(self.counting.spend, budget, who)
        return await anyio.to_thread.run_sync(asked, limiter=self._asking)


def _outcome(status: int) -> str:
    return {200: "found", 304: "unchanged", 404: "not_found"}.get(status, "done" if status < 400 else "refused")


def _too_often(request: Request, wait: int) -> Any:
    text = f"this address asked too often; it can ask again in {wait} seconds"
    answer = problem(request, 429, "Asked too often", (Reason("asked-too-often", text),))
    answer.headers["Retry-After"] = str(wait)
    return answer
