"""From settings to keys: what signs certificates, what signs the public log, who is trusted, and how long the certificate still lasts."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asn1crypto import pem
from asn1crypto import x509 as asn1
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
from prometheus_client import CollectorRegistry, Gauge

from api import development
from domain.certificates.proofs import key_id
from domain.errors import DomainError
from domain.work import Site
from reports.keys import HeldKey, TokenKey, from_pkcs11, from_pkcs12, not_usable
from reports.signing import Signer
from reports.timestamps import TimeStamps

if TYPE_CHECKING:
    from api.settings import Settings

#: From when on the end of the signing certificate is shown: time enough to order a new one.
SHOWN_FROM = timedelta(days=60)

_BLOCK = re.compile(rb"-----BEGIN (CERTIFICATE|PUBLIC KEY)-----.+?-----END \1-----", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Trusted:
    """Who is believed: certificates (roots, and signing certificates used before), and keys of the public log by their id."""

    certificates: tuple[asn1.Certificate, ...] = ()
    log_keys: tuple[tuple[str, Ed25519PublicKey], ...] = ()


def trusted_in(data: bytes) -> Trusted:
    """The certificates and public keys of a PEM file. Raises ValueError when it holds none, or one that cannot be read."""
    certificates, log_keys = [], []
    for found in _BLOCK.finditer(data):
        if found[1] == b"CERTIFICATE":
            certificates.append(asn1.Certificate.load(pem.unarmor(found[0])[2], strict=True))
        else:
            key = load_pem_public_key(found[0])
            if not isinstance(key, Ed25519PublicKey):
                raise ValueError("a public key of a log is an Ed25519 key")
            log_keys.append((key_id(key), key))
    if not certificates and not log_keys:
        raise ValueError("there is no certificate and no public key in it (PEM)")
    return Trusted(tuple(certificates), tuple(log_keys))


def trusted_of(settings: "Settings") -> Trusted:
    """What EXOLOTL_TRUSTED names."""
    return trusted_in(Path(settings.trusted).read_bytes()) if settings.trusted else Trusted()


def check_settings(settings: "Settings") -> None:
    """Raises ValueError when what is set of keys cannot be meant: it is told at the start, not at the first release."""
    if settings.signing_pkcs12 and settings.signing_pkcs11:
        raise ValueError("set EXOLOTL_SIGNING_PKCS12 or EXOLOTL_SIGNING_PKCS11, not both")
    if settings.signing_pkcs11 and not (settings.signing_token and settings.signing_key):
        raise ValueError("EXOLOTL_SIGNING_PKCS11 needs EXOLOTL_SIGNING_TOKEN and EXOLOTL_SIGNING_KEY")
    if settings.signing_level == "lta" and not settings.timestamp_url:
        raise ValueError("EXOLOTL_SIGNING_LEVEL=lta needs EXOLOTL_TIMESTAMP_URL")
    for name in ("signing_pkcs12", "signing_pkcs11", "trusted", "log_key"):
        path = getattr(settings, name)
        if path and not Path(path).is_file():
            raise ValueError(f"EXOLOTL_{name.upper()}: there is no file {path!r}")
    try:
        known = trusted_of(settings)
    except ValueError as error:
        raise ValueError(f"EXOLOTL_TRUSTED: {error}") from error
    if settings.timestamp_url and not known.certificates:
        raise ValueError("EXOLOTL_TIMESTAMP_URL needs the root of that authority in EXOLOTL_TRUSTED")
    if settings.log_key:
        _private_log_key(Path(settings.log_key).read_bytes())


def signer_of(settings: "Settings") -> Signer | None:
    """What signs certificates; None: there is no key, and nothing can be issued. The key itself is opened when it is first needed."""
    opened: partial[HeldKey] | partial[TokenKey]
    if settings.signing_pkcs12:
        opened = partial(_from_file, Path(settings.signing_pkcs12), settings.signing_password)
    elif settings.signing_pkcs11:
        opened = partial(
            from_pkcs11, settings.signing_pkcs11, settings.signing_token, settings.signing_key, settings.signing_pin
        )
    elif settings.demo:
        opened = partial(_development, Path(settings.keys))
    else:
        return None
    trusted = trusted_of(settings).certificates
    stamps = TimeStamps(settings.timestamp_url, trusted) if settings.timestamp_url else None
    return Signer(opened, stamps, settings.signing_level, trusted)


def _from_file(path: Path, password: str) -> HeldKey:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise not_usable(f"the file of the signing key cannot be read ({error.strerror})") from error
    return from_pkcs12(data, password)


def _development(folder: Path) -> HeldKey:
    return from_pkcs12(development.signing_key(folder), "")


def signs(settings: "Settings") -> bool:
    """Whether certificates can be signed and entered in the public log: both keys are set, or made in demo mode."""
    return settings.demo or bool((settings.signing_pkcs12 or settings.signing_pkcs11) and settings.log_key)


def log_key_of(settings: "Settings") -> Ed25519PrivateKey | None:
    """What signs the heads of the public log; None: it is not set, and nothing can be issued, withdrawn or recalled."""
    if settings.log_key:
        return _private_log_key(Path(settings.log_key).read_bytes())
    return _private_log_key(development.log_key(Path(settings.keys))) if settings.demo else None


def _private_log_key(data: bytes) -> Ed25519PrivateKey:
    try:
        key = load_pem_private_key(data, password=None)
    except (ValueError, TypeError) as error:
        raise ValueError("EXOLOTL_LOG_KEY: no PEM file of a private key without a password") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError("EXOLOTL_LOG_KEY: the key of the log is an Ed25519 key")
    return key


def log_keys_of(settings: "Settings", site: Site) -> dict[str, Ed25519PublicKey]:
    """Every key that has signed the log of a site, by id: the one of today, and those of EXOLOTL_TRUSTED."""
    own = [site.log_key.public_key()] if site.log_key else []
    return {**dict(trusted_of(settings).log_keys), **{key_id(key): key for key in own}}


def signer_at(site: Site) -> Signer | None:
    """What signs at a site."""
    found: Any = getattr(site.print_certificate, "signer", None)
    return found if isinstance(found, Signer) else None


def trusted_at(site: Site) -> tuple[asn1.Certificate, ...]:
    """Whom a file's signature is held against: the certificate of the site's own key, and what EXOLOTL_TRUSTED names.

    Not what stands above the own certificate: the root of a public authority vouches for anybody.
    """
    signer = signer_at(site)
    if signer is None:
        return ()
    try:
        return (signer.certificate, *signer.trusted)
    except DomainError:  # the token is away: what is set is still known
        return signer.trusted


@dataclass(frozen=True, slots=True)
class SigningState:
    """Whether certificates can be signed, by whom, until when. problem: why not, in words; development: nobody vouches for the key."""

    subject: str = ""
    not_after: datetime | None = None
    left: timedelta | None = None
    problem: str = ""
    development: bool = False

    @property
    def warning(self) -> str:
        """A line for those who must do something, from sixty days before the end; empty while all is well."""
        if self.problem:
            return f"Nothing can be issued, withdrawn or recalled: {self.problem}."
        if self.left is None or self.not_after is None or self.left > SHOWN_FROM:
            return ""
        if self.left < timedelta(0):
            return f"The signing certificate ended on {self.not_after:%Y-%m-%d}: nothing can be issued until a new one is set."
        return f"The signing certificate ends on {self.not_after:%Y-%m-%d}, in {self.left.days} days: order a new one."


def signing_state(site: Site) -> SigningState:
    """How it stands with the keys of a site now: that of the certificates, and that of the public log."""
    signer = signer_at(site)
    unlogged = "" if site.log_key else "the key of the public log is not set (EXOLOTL_LOG_KEY)"
    if signer is None:
        unsigned = "no signing key is set (EXOLOTL_SIGNING_PKCS12 or EXOLOTL_SIGNING_PKCS11)"
        return SigningState(problem="; ".join(filter(None, (unsigned, unlogged))))
    try:
        left = signer.not_after - site.clock()
        return SigningState(signer.subject, signer.not_after, left, unlogged, signer.is_development)
    except DomainError as error:
        return SigningState(problem=error.reasons[0].text)


def watch(site: Site, registry: CollectorRegistry) -> None:
    """Tell Prometheus how long the signing certificate still lasts, in seconds (NaN when the key cannot be opened), and whether the log has a key."""
    logs = Gauge("exolotl_log_key_set", "Whether the key of the public log is set", registry=registry)
    logs.set(site.log_key is not None)
    gauge = Gauge(
        "exolotl_signing_certificate_expires_seconds", "Until the signing certificate ends", registry=registry
    )

    def left() -> float:
        found = signing_state(site).left
        return found.total_seconds() if found is not None else float("nan")

    gauge.set_function(left)
