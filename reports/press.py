"""The press: draws a certificate, signs it, and says which part of the file is which."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from domain.certificates.content import BatchCertificateContent, CertificateContent
from domain.errors import Reason, Refused
from reports import batch_certificate, certificate
from reports.design import design
from reports.look import Look
from reports.signing import Signer


@dataclass(frozen=True, slots=True)
class Printed:
    """The signed file; its first `unsigned_size` bytes are the unsigned one (hex digest `unsigned_sha256`), drawn in `look` with `logo`."""

    pdf: bytes
    unsigned_size: int
    unsigned_sha256: str
    look: str
    logo: bytes | None


@dataclass(frozen=True, slots=True)
class Press:
    """Draws in one look and signs with one key. Calling it may take seconds where a time-stamp authority is asked."""

    signer: Signer | None
    look: Look

    def __call__(self, content: CertificateContent | BatchCertificateContent, /) -> Printed:
        """Raises Unavailable or Refused as `Signer.sign`, Invalid as the drawing does (`character-not-printable`)."""
        if self.signer is None:
            raise Refused(
                Reason("signing-key-missing", "the key that signs certificates is not set: nothing can be issued")
            )
        unsigned = self.draw(content)
        pdf = self.signer.sign(unsigned, content.issued_at)
        digest = hashlib.sha256(unsigned).hexdigest()
        return Printed(pdf, len(unsigned), digest, self.look.described(), self.look.logo)

    def draw(
        self,
        content: CertificateContent | BatchCertificateContent,
        /,
        look: str | None = None,
        file: Callable[[str], bytes] | None = None,
        copy: Literal["current", "superseded", "withdrawn", "recalled"] | None = None,
    ) -> bytes:
        """The unsigned file, in the look of today, or in the one it was issued in; `file` gives a logo by its SHA-256.

        copy: what became of it: under a watermark that says so, and with no field to sign.

        The same content and look give the same bytes.
        """
        chosen = self.look if look is None or file is None else Look.from_description(look, file)
        if isinstance(content, BatchCertificateContent):
            return batch_certificate.render(content, look=chosen)
        watermark = design(chosen).both(f"copy.{copy}") if copy else None
        return certificate.render(content, look=chosen, watermark=watermark)
