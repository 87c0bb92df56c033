"""Handing letters to a mail server. What fails says why without the address it failed for: failures are kept in the queue and in logs."""

import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import parseaddr
from urllib.parse import parse_qs, unquote, urlsplit

from email_validator import EmailNotValidError, validate_email

#: Seconds that the mail server may take for one answer.
PATIENCE = 20.0

_PORTS = {"smtp": 587, "smtps": 465}


class Undelivered(RuntimeError):
    """A letter did not arrive; it is tried again later. Its text names no address."""


@dataclass(frozen=True)
class Mail:
    """A mail server, and whom letters come from. The password is only ever sent over TLS."""

    host: str
    port: int
    sender: str
    user: str = ""
    password: str = ""
    starttls: bool = False
    implicit_tls: bool = False

    @classmethod
    def parse(cls, url: str, sender: str) -> "Mail":
        """`smtp://user:password@host:587?starttls=1` or `smtps://user:password@host`. Raises ValueError for anything else.

        sender: an address, or `Name <address>`.
        """
        parts, host = urlsplit(url), urlsplit(url).hostname
        asked = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        if parts.scheme not in _PORTS or not host or set(asked) - {"starttls"} or parts.path.strip("/"):
            raise ValueError(
                "a mail server is given as smtp://user:password@host:587?starttls=1 or smtps://user:password@host"
            )
        starttls, implicit = asked.get("starttls", "0") in ("1", "true", "yes"), parts.scheme == "smtps"
        if parts.password and not (starttls or implicit):
            raise ValueError("a password is not sent in the clear: add ?starttls=1, or use smtps://")
        return cls(
            host, parts.port or _PORTS[parts.scheme], checked_sender(sender), unquote(parts.username or ""),
            unquote(parts.password or ""), starttls and not implicit, implicit,
        )  # fmt: skip

    @property
    def domain(self) -> str:
        """Where letters come from, for their Message-ID."""
        return parseaddr(self.sender)[1].rpartition("@")[2] or "localhost"

    def send(self, message: EmailMessage) -> None:
        """Hand a letter in, to the one address in its To. Raises Undelivered."""
        try:
            with self._connected() as server:
                server.send_message(message)
        except smtplib.SMTPResponseException as error:
            raise Undelivered(f"the mail server refused the letter with {error.smtp_code}") from None
        except smtplib.SMTPRecipientsRefused as error:
            codes = ", ".join(str(code) for code, _ in error.recipients.values())
            raise Undelivered(f"the mail server refused the recipient with {codes}") from None
        except (smtplib.SMTPException, OSError) as error:
            raise Undelivered(f"the mail server did not take the letter: {type(error).__name__}") from None

    def _connected(self) -> smtplib.SMTP:
        trusted = ssl.create_default_context()
        if self.implicit_tls:
            server: smtplib.SMTP = smtplib.SMTP_SSL(self.host, self.port, timeout=PATIENCE, context=trusted)
        else:
            server = smtplib.SMTP(self.host, self.port, timeout=PATIENCE)
        try:
            if self.starttls:
                server.starttls(context=trusted)
            if self.user:
                server.login(self.user, self.password)
        except BaseException:
            server.close()
            raise
        return server


def checked_sender(sender: str) -> str:
    """The sender as it is. Raises ValueError where it is no address, or has a line break in it."""
    if not sender:
        return ""
    if any(ord(sign) < 32 for sign in sender):
        raise ValueError("a sender has no line breaks in it")
    try:
        validate_email(parseaddr(sender)[1], check_deliverability=False, allow_smtputf8=False)
    except EmailNotValidError as error:
        raise ValueError(f"the sender is no address: {error}") from error
    return sender
