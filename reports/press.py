"""The press: draws a certificate, signs it, and says which part of the file is which."""

import hashlib
from dataclasses import dataclass

from domain.certificates.content import BatchCertificateContent, CertificateContent
from domain.errors import Reason, Refused
from reports import batch_certificate, certificate
from reports.look import Look
from reports.signing import Signer


@dataclass(frozen=True, slots=True)
class Printed:
    """The signed file; its first `unsigned_size` bytes are the unsigned one (hex digest `unsigned_sha256`)."""

    pdf: bytes
    unsigned_size: int
    unsigned_sha256: str


@dataclass(frozen=True, slots=True)
class Press:
    """Draws in one look and signs with one key. Calling it may take seconds where a time-stamp authority is asked."""

    signer: Signer | None
    look: Look

    def __call__(self, content: CertificateContent | BatchCertificateContent, /) -> Printed:
        """Raises Unavailable or Refused as `Signer.sign`, Invalid as the drawing does (`character-not-printable`)."""
        if self.signer is None:
            raise Refused(Reason("signing-key-missing", "the key that signs certificates is not set: nothing can be issued"))
        unsigned = self.draw(content)
        pdf = self.signer.sign(unsigned, content.issued_at)
        return Printed(pdf, len(unsigned), hashlib.sha256(unsigned).hexdigest())

    def draw(self, content: CertificateContent | BatchCertificateContent, /) -> bytes:
        """The unsigned file: the same content gives the same bytes."""
        if isinstance(content, BatchCertificateContent):
            return batch_certificate.render(content, look=self.look)
        return certificate.render(content, look=self.look)
