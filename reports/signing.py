"""The manufacturer's signature on a certificate: PAdES (ETSI EN 319 142-1), written behind the unsigned bytes.

Baseline B-B without a time-stamp authority, B-T with one (RFC 3161), B-LTA if asked for. Nothing is drawn: the field and its look are part of the
unsigned file, which keeps PDF/A-3a and PDF/UA-1, and stays the first part of the signed one, byte for byte.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from io import BytesIO
from threading import Lock
from typing import Any, Literal

from asn1crypto import x509 as asn1
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.sign import signers
from pyhanko.sign.fields import InvisSigSettings, SigSeedSubFilter
from pyhanko.sign.general import SigningError
from pyhanko.sign.signers.pdf_cms import PdfCMSSignedAttributes
from pyhanko.sign.signers.pdf_signer import PdfSigningSession, PreSignValidationStatus, TimestampDSSContentSettings
from pyhanko.stamp import BaseStampStyle
from pyhanko_certvalidator import ValidationContext

from domain.errors import Reason, Refused, Unavailable
from reports.keys import DIGEST
from reports.timestamps import TimeStamps

#: The signature field of every certificate, and that of the time-stamp which keeps it for long.
FIELD, ARCHIVE_FIELD = "Manufacturer", "Archive"

#: What the certificate of a development authority says of itself, on every one.
DEMONSTRATION = "DEMONSTRATION ONLY"


class _Undrawn(BaseStampStyle):
    """No stamp: pyHanko's own would write text in a font that is not embedded."""

    def create_stamp(self, writer: Any, box: Any, text_params: Any) -> Any:
        """Nothing."""
        return None


class Signer:
    """Signs certificates with one key, opened when first needed: a server whose token is away still answers look-ups.

    stamps: the time-stamp authority, if there is one. level: `lta` adds what a check in many years needs (PAdES B-LTA), and needs `stamps`.
    trusted: the roots that the signer and the authority are held against in it.
    """

    def __init__(
        self,
        opened: Callable[[], signers.Signer],
        stamps: TimeStamps | None = None,
        level: Literal["b", "lta"] = "b",
        trusted: Sequence[asn1.Certificate] = (),
    ) -> None:
        self._open, self._lock = opened, Lock()
        self._opened: signers.Signer | None = None
        self._refusal: Refused | None = None
        self._size: int | None = None
        self.stamps, self.level, self.trusted = stamps, level, tuple(trusted)

    @property
    def _key(self) -> signers.Signer:
        """The key. What is refused stays refused until a restart: a wrong PIN, tried again and again, locks a token."""
        with self._lock:
            if self._refusal is not None:
                raise self._refusal
            if self._opened is None:
                try:
                    self._opened = self._open()
                except Refused as refusal:
                    self._refusal = refusal
                    raise
            return self._opened

    @property
    def certificate(self) -> asn1.Certificate:
        """The certificate of the key. Raises Refused or Unavailable, as everything that needs the key does."""
        return self._key.signing_cert

    @property
    def subject(self) -> str:
        """Who signs, as the certificate names it."""
        return str(self.certificate.subject.human_friendly)

    @property
    def not_after(self) -> datetime:
        """When the certificate ends."""
        return self.certificate.not_valid_after  # type: ignore[no-any-return]

    @property
    def is_development(self) -> bool:
        """Whether nobody vouches for the key."""
        return DEMONSTRATION in self.subject

    @property
    def chain(self) -> tuple[asn1.Certificate, ...]:
        """The certificate, and the others that came with the key."""
        others = (one for one in self._key.cert_registry if one.sha256 != self.certificate.sha256)
        return (self.certificate, *sorted(others, key=lambda one: one.sha256))

    def sign(self, pdf: bytes, at: datetime) -> bytes:
        """The file, signed in its empty field; it begins with the bytes given. `at`: the time it is signed, as printed in it.

        Raises Refused when the key cannot be used or its certificate is not valid at that time, Unavailable when the token or the time-stamp
        authority does not answer as it should.
        """
        self._check_validity(at)
        try:
            return asyncio.run(self._signed(pdf, at))
        except Unavailable:
            with self._lock:
                self._opened = self._size = None  # a token that came back is opened anew
            raise
        except (SigningError, PdfError) as error:
            raise Refused(Reason("not-signable", f"the certificate cannot be signed: {error}")) from error

    def _check_validity(self, at: datetime) -> None:
        certificate = self.certificate
        if at < certificate.not_valid_before:
            text = f"the signing certificate is valid from {certificate.not_valid_before:%Y-%m-%d %H:%M} UTC only"
            raise Refused(Reason("signing-certificate-not-yet-valid", text))
        if at > certificate.not_valid_after:
            text = f"the signing certificate ended on {certificate.not_valid_after:%Y-%m-%d %H:%M} UTC; set a new key"
            raise Refused(Reason("signing-certificate-expired", text))

    async def _signed(self, pdf: bytes, at: datetime) -> bytes:
        stamps = self.stamps.around(at) if self.stamps else None
        context = (
            ValidationContext(trust_roots=list(self.trusted), allow_fetching=True) if self.level == "lta" else None
        )
        wanted = signers.PdfSignatureMetadata(
            field_name=FIELD,
            md_algorithm=DIGEST,
            subfilter=SigSeedSubFilter.PADES,
            validation_context=context,
            embed_validation_info=context is not None,
        )
        writer = IncrementalPdfFileWriter(BytesIO(pdf))
        signer = signers.PdfSigner(wanted, self._key, timestamper=stamps, stamp_style=_Undrawn())
        session = signer.init_signing_session(writer, existing_fields_only=True)
        session.system_time = at
        known = await session.perform_presign_validation(writer)
        if self._size is None:  # the same for every file: making a signature only to measure it takes 9 ms
            self._size = await session.estimate_signature_container_size(known)
        return await _written(session, known, self._size, context)


async def _written(
    session: PdfSigningSession, known: PreSignValidationStatus | None, size: int, context: ValidationContext | None
) -> bytes:
    document = session.prepare_tbs_document(validation_info=known, bytes_reserved=size)
    digest, output = document.digest_tbs_document()
    await document.perform_signature(digest.document_digest, PdfCMSSignedAttributes(signing_time=session.system_time))
    if context is not None and known is not None and session.timestamper is not None:
        # Outside of the page: PDF/UA wants every field on it tagged, and PDF/A forbids to hide it.
        outside = InvisSigSettings(box_out_of_bounds=True)
        stamper = signers.PdfTimeStamper(session.timestamper, ARCHIVE_FIELD, outside, "Archive time-stamp")
        await stamper.async_timestamp_pdf(
            IncrementalPdfFileWriter(output),
            DIGEST,
            context,
            validation_paths=known.validation_paths,
            in_place=True,
            dss_settings=TimestampDSSContentSettings(include_vri=False, update_before_ts=True),
        )
    assert isinstance(output, BytesIO)
    return output.getvalue()
