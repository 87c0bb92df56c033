"""Throw-away keys of the tests: a laboratory's signing key under its own authority, and the key of its log.

Valid from 2020 to 2050, as the tests live in a 2026 of their own. Made once a process.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import NamedTuple

from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from reports.keys import HeldKey, PrivateKey
from reports.signing import Signer

FROM, UNTIL = datetime(2020, 1, 1, tzinfo=UTC), datetime(2050, 1, 1, tzinfo=UTC)


class Certified(NamedTuple):
    """A key and its certificate."""

    key: PrivateKey
    certificate: x509.Certificate


def _name(common: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "DE"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Test Laboratory"),
            x509.NameAttribute(NameOID.COMMON_NAME, common),
        ]
    )


def _usage(*named: str) -> x509.KeyUsage:
    every = (
        "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
        "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
    )  # fmt: skip
    return x509.KeyUsage(**{one: one in named for one in every})


@cache
def authority(name: str = "Test Laboratory Root") -> Certified:
    """A root that certifies the others."""
    key = ec.generate_private_key(ec.SECP256R1())
    draft = _draft(name, key, _name(name), FROM, UNTIL).add_extension(x509.BasicConstraints(True, None), critical=True)
    draft = draft.add_extension(_usage("key_cert_sign", "crl_sign"), critical=True)
    return Certified(key, draft.sign(key, hashes.SHA256()))


def certified(
    name: str = "Test Laboratory Quality",
    key: PrivateKey | None = None,
    valid: tuple[datetime, datetime] = (FROM, UNTIL),
    by: Certified | None = None,
    purpose: x509.ObjectIdentifier | None = None,
) -> Certified:
    """A new key for signing documents (or time-stamps, by its purpose) with a certificate of the authority."""
    key, by = key or ec.generate_private_key(ec.SECP256R1()), by or authority()
    draft = _draft(name, key, by.certificate.subject, *valid)
    draft = draft.add_extension(x509.BasicConstraints(False, None), critical=True)
    draft = draft.add_extension(_usage("digital_signature", "content_commitment"), critical=True)
    if purpose is not None:
        draft = draft.add_extension(x509.ExtendedKeyUsage([purpose]), critical=True)
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(by.key.public_key())
    return Certified(key, draft.add_extension(issuer, critical=False).sign(by.key, hashes.SHA256()))


def _draft(name: str, key: PrivateKey, issuer: x509.Name, start: datetime, end: datetime) -> x509.CertificateBuilder:
    draft = x509.CertificateBuilder(issuer, _name(name), key.public_key(), x509.random_serial_number(), start, end)
    return draft.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)


@cache
def laboratory() -> Certified:
    """The laboratory's own signing key."""
    return certified()


@cache
def time_stamper(name: str = "Test Time-Stamp Authority", by: Certified | None = None) -> Certified:
    """The key of a time-stamp authority that real clocks are asked of."""
    now = datetime.now(UTC)
    valid = (now - timedelta(days=1), now + timedelta(days=3650))
    return certified(name, valid=valid, by=by, purpose=ExtendedKeyUsageOID.TIME_STAMPING)


def signer_of(own: Certified, *, above: bool = True, trusted: Sequence[asn1.Certificate] = ()) -> Signer:
    """What signs with a key; `above`: with the root beside its certificate."""
    roots = (authority().certificate,) if above else ()
    return Signer(lambda: HeldKey(*own, roots), trusted=trusted)


@cache
def signer() -> Signer:
    """What signs the certificates of the tests."""
    return signer_of(laboratory())


@cache
def log_key() -> Ed25519PrivateKey:
    """What signs the heads of the log in the tests."""
    return Ed25519PrivateKey.generate()
