"""Keys that sign certificates: from memory, from a PKCS#12 file, from a PKCS#11 token.

Each gives pyHanko's kind of signer. The key object is held, as loading an RSA key checks it anew each time (measured: 130 ms).
"""

from collections.abc import Iterable

from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, pkcs12
from pyhanko.sign import signers
from pyhanko_certvalidator.registry import SimpleCertificateStore

from domain.errors import Reason, Refused

#: What a certificate can be signed with.
PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

DIGEST = "sha256"


class HeldKey(signers.Signer):
    """A private key in the memory of this process, with its certificate and those above it."""

    def __init__(self, key: PrivateKey, certificate: x509.Certificate, above: Iterable[x509.Certificate] = ()) -> None:
        registry = SimpleCertificateStore()
        registry.register_multiple(_asn1(one) for one in above)
        super().__init__(signing_cert=_asn1(certificate), cert_registry=registry)
        self._key = key

    async def async_sign_raw(self, data: bytes, digest_algorithm: str, dry_run: bool = False) -> bytes:
        """The signature over these bytes; RSA keys sign as PKCS #1 v1.5, which every reader knows."""
        digest = getattr(hashes, digest_algorithm.upper())()
        if isinstance(self._key, rsa.RSAPrivateKey):
            return self._key.sign(data, padding.PKCS1v15(), digest)
        return self._key.sign(data, ec.ECDSA(digest))


def from_pkcs12(data: bytes, password: str) -> HeldKey:
    """The key in a PKCS#12 file. Raises Refused when the password does not open it, or when it holds no key that signs certificates."""
    try:
        key, certificate, above = pkcs12.load_key_and_certificates(data, password.encode())
    except ValueError:
        text = (
            "the signing key cannot be opened: it is no PKCS#12 file, or EXOLOTL_SIGNING_PASSWORD is not its password"
        )
        raise Refused(Reason("signing-key-not-usable", text)) from None
    if certificate is None or not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        text = "the PKCS#12 file must hold an EC or RSA key together with its certificate"
        raise Refused(Reason("signing-key-not-usable", text))
    return HeldKey(key, certificate, above)


def _asn1(certificate: x509.Certificate) -> asn1.Certificate:
    return asn1.Certificate.load(certificate.public_bytes(Encoding.DER))
