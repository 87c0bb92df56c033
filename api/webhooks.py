"""Webhooks: signed after Standard Webhooks, over TLS, and never sent to an address inside.

A name is resolved once, every address that it has is checked, and the connection goes to an address that was checked: what the name says a moment
later makes no difference. Redirects are not followed, and no proxy of the environment is asked.
"""

import base64
import hashlib
import hmac
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any
from urllib.parse import SplitResult, urlsplit

import httpx
from standardwebhooks.webhooks import Webhook

from api.mail import Undelivered
from domain.errors import Invalid, Reason

PORT = 443
#: Seconds for one step of the connection, and for all of it.
PATIENCE, MOST_SECONDS = 5.0, 15.0
#: The same for a challenge: who is not there is not waited for, as letters of other lots may be behind it.
CHALLENGE_SECONDS = 4.0
#: No more of an answer is read.
MOST_BYTES = 16_384

#: Beside what the address itself says of being private, link-local, shared or reserved (IANA special-purpose registries): multicast, the
#: addresses that carry another one inside (6to4, NAT64, IPv4-compatible), and where clouds keep the credentials of their machines.
_INSIDE = tuple(
    ip_network(one)
    for one in (
        "100.64.0.0/10", "168.63.129.16/32", "192.0.0.0/24", "192.88.99.0/24", "224.0.0.0/4",
        "2001::/23", "2002::/16", "3fff::/20",
    )
)  # fmt: skip
_GLOBAL_IPV6 = ip_network("2000::/3")

Resolver = Callable[[str, int], list[str]]


class Gone(Undelivered):
    """The endpoint says that it wants nothing more (410)."""


def is_inside(address: IPv4Address | IPv6Address) -> bool:
    """Whether an address belongs to this machine, this network, or nobody."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return is_inside(address.ipv4_mapped)
        if address not in _GLOBAL_IPV6:
            return True
    return not address.is_global or any(address in network for network in _INSIDE)


def resolved(host: str, port: int) -> list[str]:
    """Every address that a name has."""
    try:
        return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    except (OSError, UnicodeError):
        raise Undelivered("the name of the endpoint has no address") from None


@cache
def _trusted() -> ssl.SSLContext:
    """The authorities that this machine trusts."""
    return ssl.create_default_context()


@dataclass(frozen=True)
class Webhooks:
    """How webhooks are reached. may_be_local: for tests only, loopback addresses and any port. trusted: instead of what this machine trusts."""

    may_be_local: bool = False
    trusted: ssl.SSLContext | None = None
    resolve: Resolver = resolved
    most_seconds: float = MOST_SECONDS

    def accept(self, url: str) -> None:
        """Raises Invalid for what can be told without asking anybody: another port, or an address inside. A name is checked when it is used."""
        parts = urlsplit(url)
        if not self.may_be_local and (parts.port or PORT) != PORT:
            raise Invalid(Reason("address-not-valid", f"a webhook is reached on port {PORT} alone", "webhook"))
        try:
            literal = ip_address(parts.hostname or "")
        except ValueError:
            return
        if not self._may(literal):
            text = "this address is inside a network, or nobody's; a webhook has an address on the internet"
            raise Invalid(Reason("address-not-valid", text, "webhook"))

    def send(
        self, url: str, secret: str, message: str, said: dict[str, Any], now: datetime, seconds: float | None = None
    ) -> bytes:
        """Post, signed; the beginning of the answer. Raises Undelivered with a reason that names no address, Gone after 410.

        seconds: for all of it, instead of what messages have.
        """
        body = json.dumps(said, ensure_ascii=False)
        headers = {
            "accept-encoding": "identity",
            "content-type": "application/json",
            "user-agent": "Exolotl",
            "webhook-id": message,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Webhook(secret).sign(message, now, body),
        }
        parts = urlsplit(url)
        for address in self._checked(parts):
            try:
                with self._posted(parts, address, headers, body, seconds or self.most_seconds) as answer:
                    return _read(answer)
            except httpx.ConnectError:
                continue
            except httpx.HTTPError as error:
                raise Undelivered(f"the endpoint did not answer: {type(error).__name__}") from None
        raise Undelivered("the endpoint could not be reached")

    def _checked(self, parts: SplitResult) -> list[str]:
        """The addresses of the endpoint; refused altogether if one of them is inside."""
        port = parts.port or PORT
        if not self.may_be_local and port != PORT:
            raise Undelivered(f"a webhook is reached on port {PORT} alone")
        found = list(dict.fromkeys(self.resolve(parts.hostname or "", port)))
        if not found or not all(self._may(ip_address(one.partition("%")[0])) for one in found):
            raise Undelivered("the name of the endpoint leads to an address inside")
        return found

    def _may(self, address: IPv4Address | IPv6Address) -> bool:
        return not is_inside(address) or (self.may_be_local and address.is_loopback)

    @contextmanager
    def _posted(
        self, parts: SplitResult, address: str, headers: dict[str, str], body: str, seconds: float
    ) -> Iterator[httpx.Response]:
        """The request to the checked address; the certificate must be that of the name."""
        host = f"[{address}]" if ":" in address else address
        target = parts._replace(netloc=f"{host}:{parts.port or PORT}").geturl()
        known = {"sni_hostname": parts.hostname}
        with httpx.Client(
            verify=self.trusted or _trusted(), trust_env=False, follow_redirects=False, timeout=min(PATIENCE, seconds)
        ) as client:
            enough = threading.Timer(seconds, client.close)  # each step has its time; this is for all of them
            enough.start()
            try:
                with client.stream(
                    "POST", target, content=body, headers={**headers, "host": parts.netloc}, extensions=known
                ) as answer:
                    yield answer
            finally:
                enough.cancel()


def proof_of_secret(secret: str, challenge: str) -> str:
    """What only who knows the secret can answer to a challenge: HMAC-SHA256, hex; the key is what follows `whsec_`, decoded from base64."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    return hmac.new(key, challenge.encode(), hashlib.sha256).hexdigest()


def _read(answer: httpx.Response) -> bytes:
    """The beginning of an answer of success."""
    if answer.status_code == 410:
        raise Gone("the endpoint is gone")
    if not answer.is_success:
        raise Undelivered(f"the endpoint answered {answer.status_code}")
    read = b""
    for part in answer.iter_raw():
        read += part
        if len(read) >= MOST_BYTES:
            break
    return read[:MOST_BYTES]
