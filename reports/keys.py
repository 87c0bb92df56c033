"""Keys that sign certificates: from memory, from a PKCS#12 file, from a PKCS#11 token.

Each gives pyHanko's kind of signer. The key object is held, as loading an RSA key checks it anew each time (measured: 130 ms).
"""

from collections.abc import Iterable
from typing import Any

from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, pkcs12
from pkcs11.exceptions import PinIncorrect, PinLenRange, PinLocked, PKCS11Error, UserAlreadyLoggedIn
from pyhanko.config.pkcs11 import TokenCriteria
from pyhanko.sign import signers
from pyhanko.sign.pkcs11 import PKCS11Signer, open_pkcs11_session
from pyhanko_certvalidator.registry import SimpleCertificateStore

from domain.errors import Reason, Refused, Unavailable

#: What a certificate can be signed with.
PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

DIGEST = "sha256"


def not_usable(text: str) -> Refused:
    """The refusal of a key that will not become usable by itself."""
    return Refused(Reason("signing-key-not-usable", text))


def key_unavailable(text: str) -> Unavailable:
    """The refusal of a key that may be back in a moment."""
    return Unavailable(Reason("signing-key-unavailable", f"{text}; nothing was issued, and it can be tried again"))


class HeldKey(signers.Signer):
    """A private key in the memory of this process, with its certificate and those above it. Raises Refused when they do not belong together."""

    def __init__(self, key: PrivateKey, certificate: x509.Certificate, above: Iterable[x509.Certificate] = ()) -> None:
        if key.public_key() != certificate.public_key():
            raise not_usable("the signing certificate is not the one of the signing key")
        registry: Any = SimpleCertificateStore()  # type: ignore[no-untyped-call]
        registry.register_multiple(_asn1(one) for one in above)
        super().__init__(signing_cert=_asn1(certificate), cert_registry=registry)
        self._key = key

    async def async_sign_raw(self, data: bytes, digest_algorithm: str, dry_run: bool = False) -> bytes:
        """The signature over these bytes; RSA keys sign as PKCS #1 v1.5, which every reader knows."""
        if dry_run:
            return bytes(_size(self._key.public_key()))
        digest = _digest(digest_algorithm)
        if isinstance(self._key, rsa.RSAPrivateKey):
            return self._key.sign(data, padding.PKCS1v15(), digest)
        return self._key.sign(data, ec.ECDSA(digest))


class TokenKey(PKCS11Signer):
    """A private key that never leaves its token. Each signature is checked: a token can fail in silence."""

    def __init__(self, session: Any, label: str) -> None:
        super().__init__(session, cert_label=label, key_label=label, other_certs_to_pull=None, use_raw_mechanism=True)
        certificate = x509.load_der_x509_certificate(self.signing_cert.dump())
        public: Any = certificate.public_key()
        if not isinstance(public, ec.EllipticCurvePublicKey | rsa.RSAPublicKey):
            raise not_usable("the key on the token must be an EC or RSA key")
        self._public = public

    async def async_sign_raw(self, data: bytes, digest_algorithm: str, dry_run: bool = False) -> bytes:
        """The token's signature over these bytes. Raises Unavailable."""
        if dry_run:
            return bytes(_size(self._public))
        try:
            signature: bytes = await super().async_sign_raw(data, digest_algorithm)
        except PKCS11Error as error:
            raise key_unavailable(f"the token with the signing key does not sign ({_named(error)})") from error
        digest = _digest(digest_algorithm)
        try:
            if isinstance(self._public, rsa.RSAPublicKey):
                self._public.verify(signature, data, padding.PKCS1v15(), digest)
            else:
                self._public.verify(signature, data, ec.ECDSA(digest))
        except InvalidSignature:
            raise not_usable("what the token signs does not fit the certificate beside its key") from None
        return signature


def from_pkcs12(data: bytes, password: str) -> HeldKey:
    """The key in a PKCS#12 file. Raises Refused when the password does not open it, or when it holds no key that signs certificates."""
    try:
        key, certificate, above = pkcs12.load_key_and_certificates(data, password.encode() or None)
    except ValueError:
        raise not_usable(
            "the signing key cannot be opened: it is no PKCS#12 file, or EXOLOTL_SIGNING_PASSWORD is not its password"
        ) from None
    if certificate is None or not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise not_usable("the PKCS#12 file must hold an EC or RSA key together with its certificate")
    return HeldKey(key, certificate, above)


def from_pkcs11(module: str, token: str, label: str, pin: str) -> TokenKey:
    """The key and certificate with that label on a token. Raises Refused (wrong PIN, no such key), or Unavailable when the token is away."""
    try:
        return TokenKey(_session(module, token, pin), label)
    except (PinIncorrect, PinLenRange, PinLocked) as error:
        raise not_usable(f"the token refuses EXOLOTL_SIGNING_PIN ({_named(error)}); it is not tried again") from error
    except PKCS11Error as error:
        raise key_unavailable(
            f"the token {token!r} with the key {label!r} cannot be opened ({_named(error)})"
        ) from error


def _size(key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey) -> int:
    """The most bytes that a signature of the key takes (of EC: two numbers and their DER)."""
    return key.key_size // 8 if isinstance(key, rsa.RSAPublicKey) else 2 * (key.key_size // 8) + 12


def _session(module: str, token: str, pin: str) -> Any:
    """A session that may sign; a process signs in to a token once for all its sessions."""
    wanted = TokenCriteria(label=token)
    try:
        return open_pkcs11_session(module, token_criteria=wanted, user_pin=pin or None)
    except UserAlreadyLoggedIn:
        return open_pkcs11_session(module, token_criteria=wanted)


def _named(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _digest(name: str) -> hashes.SHA256:
    if name != DIGEST:
        raise ValueError(f"certificates are signed over SHA-256, not {name}")
    return hashes.SHA256()


def _asn1(certificate: x509.Certificate) -> asn1.Certificate:
    return asn1.Certificate.load(certificate.public_bytes(Encoding.DER))
