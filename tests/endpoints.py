"""Servers of somebody else, on loopback: a mail server that keeps what it takes, and an endpoint of webhooks behind TLS."""

import base64
import hmac
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from standardwebhooks.webhooks import Webhook


def free_port() -> int:
    """A port of loopback that nobody has now."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def certificate_for(name: str, folder: Path) -> Path:
    """A certificate that vouches for itself and for one name, with its key, in a file."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{name}.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


@dataclass
class Post:
    """A mail server: what it took, and what it refuses (a recipient, a status)."""

    port: int
    taken: list[EmailMessage] = field(default_factory=list)
    refuse: dict[str, str] = field(default_factory=dict)

    async def handle_RCPT(  # noqa: N802 - aiosmtpd calls it so
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: list[str]
    ) -> str:
        if address in self.refuse:
            return self.refuse[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd calls it so
        self.taken.append(message_from_bytes(envelope.content, policy=policy.default))  # type: ignore[arg-type]
        return "250 OK"


@contextmanager
def post_office(certificate: Path | None = None, login: tuple[str, str] | None = None) -> Iterator[Post]:
    """A real SMTP server on loopback; with a certificate it speaks STARTTLS, with a login it wants one."""
    post = Post(free_port())
    options: dict[str, Any] = {}
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        options = {"tls_context": context, "require_starttls": True}
    if login is not None:

        def allowed(_server: Any, _session: Any, _envelope: Any, _mechanism: str, said: Any) -> AuthResult:
            return AuthResult(success=(said.login.decode(), said.password.decode()) == login, handled=False)

        options |= {"authenticator": allowed, "auth_required": True}
    controller = Controller(post, hostname="127.0.0.1", port=post.port, **options)
    controller.start()
    try:
        yield post
    finally:
        controller.stop()


@dataclass
class Endpoint:
    """An endpoint of webhooks that takes all, and answers challenges with the secrets that it was told. answer: what it says instead."""

    url: str
    trusted: ssl.SSLContext
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    secrets: list[str] = field(default_factory=list)
    answer: Callable[[dict[str, Any]], tuple[int, bytes, dict[str, str]]] | None = None

    def usual(self, said: dict[str, Any], headers: dict[str, str], body: bytes) -> tuple[int, bytes, dict[str, str]]:
        """As docs/following.md says: with the secret that the challenge was signed with."""
        own = [one for one in self.secrets if signature(one, headers, body) == headers["webhook-signature"]]
        challenge = said["data"].get("challenge")
        if not own or challenge is None:
            return 200, b"{}", {}
        key = base64.b64decode(own[0].removeprefix("whsec_"))
        return 200, json.dumps({"hmac": hmac.new(key, challenge.encode(), "sha256").hexdigest()}).encode(), {}

    @property
    def told(self) -> list[dict[str, Any]]:
        """The messages."""
        return [json.loads(body) for _, body in self.got]

    def signed_with(self, secret: str, place: int = -1) -> bool:
        """Whether a message has the signature of that secret, over what it carried."""
        headers, body = self.got[place]
        return signature(secret, headers, body) == headers["webhook-signature"]


def signature(secret: str, headers: dict[str, str], body: bytes) -> str:
    """The signature of that secret over a message."""
    at = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
    return Webhook(secret).sign(headers["webhook-id"], at, body.decode())


@contextmanager
def endpoint(folder: Path, name: str = "hooks.example") -> Iterator[Endpoint]:
    """A real HTTPS server on loopback whose certificate is for one name."""
    certificate = certificate_for(name, folder)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {key.lower(): value for key, value in self.headers.items()}
            known.got.append((headers, body))
            message = json.loads(body)
            status, said, more = known.answer(message) if known.answer else known.usual(message, headers, body)
            self.send_response(status)
            for key, value in {"content-length": str(len(said)), **more}.items():
                self.send_header(key, value)
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    trusted = ssl.create_default_context(cafile=str(certificate))
    known = Endpoint(f"https://{name}:{server.server_port}/lots", trusted)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield known
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
