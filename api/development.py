"""Keys for demo mode: an authority that nobody trusts and says so, made at the first start and kept. Never used where real lots are."""

import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, pkcs12
from cryptography.x509.oid import NameOID

from reports.signing import DEMONSTRATION

#: The demo data are dated back; what signs them must have been valid then.
FROM, UNTIL = datetime(2020, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC)

_USES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


def signing_key(folder: Path) -> bytes:
    """The PKCS#12 file (no password) of the demonstration's key; made if there is none."""
    return _kept(folder / "demonstration-signing.p12", authority)


def log_key(folder: Path) -> bytes:
    """The PEM file of the demonstration's log key; made if there is none."""
    return _kept(folder / "demonstration-log.pem", _log_key)


def authority() -> bytes:
    """A new key under a new authority, as a PKCS#12 file without a password."""
    root, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root_name, name = _name("development authority, trusted by nobody"), _name("Exolotl, not a manufacturer")
    above = _certificate(root_name, root_name, root.public_key(), root, authority=True)
    certificate = _certificate(name, root_name, key.public_key(), root, authority=False)
    return pkcs12.serialize_key_and_certificates(b"demonstration", key, certificate, [above], NoEncryption())


def _log_key() -> bytes:
    key = Ed25519PrivateKey.generate()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{DEMONSTRATION}: {text}")])


def _certificate(
    name: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    by: ec.EllipticCurvePrivateKey,
    *,
    authority: bool,
) -> x509.Certificate:
    used = {"key_cert_sign", "crl_sign"} if authority else {"digital_signature", "content_commitment"}
    usage = x509.KeyUsage(**{use: use in used for use in _USES})
    draft = x509.CertificateBuilder(issuer, name, key, x509.random_serial_number(), FROM, UNTIL)
    draft = draft.add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    draft = draft.add_extension(usage, critical=True)
    draft = draft.add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    issued_by = x509.AuthorityKeyIdentifier.from_issuer_public_key(by.public_key())
    return draft.add_extension(issued_by, critical=False).sign(by, hashes.SHA256())


def _kept(path: Path, make: Callable[[], bytes]) -> bytes:
    """The file, made once: of several processes that start together, all use what the first one made. Readable by its owner alone."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent) as made:
            made.write(make())
            made.flush()
            os.fsync(made.fileno())
            with suppress(FileExistsError):
                os.link(made.name, path)
    return path.read_bytes()
