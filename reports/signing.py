"""The manufacturer's signature on a certificate: PAdES (ETSI EN 319 142-1), written behind the unsigned bytes.

Baseline B-B without a time-stamp authority, B-T with one (RFC 3161). Nothing is drawn: the field and its look are part of the unsigned
file, which keeps PDF/A-3a and PDF/UA-1, and stays the first part of the signed one, byte for byte.
"""

import asyncio
from datetime import datetime
from io import BytesIO
from typing import Any

from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import signers
from pyhanko.sign.fields import SigSeedSubFilter
from pyhanko.sign.signers.pdf_cms import PdfCMSSignedAttributes
from pyhanko.stamp import BaseStampStyle

from reports.keys import DIGEST

#: The signature field of every certificate.
FIELD = "Manufacturer"


class Undrawn(BaseStampStyle):
    """No stamp: pyHanko's own would write text in a font that is not embedded."""

    def create_stamp(self, writer: Any, box: Any, text_params: Any) -> Any:
        """Nothing."""
        return None


class Signer:
    """Signs certificates with one key; made once, as keys and tokens are slow to open."""

    def __init__(self, key: signers.Signer) -> None:
        self._key = key

    def sign(self, pdf: bytes, at: datetime) -> bytes:
        """The file, signed in its empty field; it begins with the bytes given. `at`: the time it is signed, as printed in it."""
        return asyncio.run(self._signed(pdf, at))

    async def _signed(self, pdf: bytes, at: datetime) -> bytes:
        writer = IncrementalPdfFileWriter(BytesIO(pdf))
        wanted = signers.PdfSignatureMetadata(field_name=FIELD, md_algorithm=DIGEST, subfilter=SigSeedSubFilter.PADES)
        session = signers.PdfSigner(wanted, self._key, stamp_style=Undrawn()).init_signing_session(
            writer, existing_fields_only=True
        )
        session.system_time = at
        size = await session.estimate_signature_container_size(None)
        document = session.prepare_tbs_document(validation_info=None, bytes_reserved=size)
        digest, output = document.digest_tbs_document()
        signed = await document.perform_signature(digest.document_digest, PdfCMSSignedAttributes(signing_time=at))
        await signed.post_signature_processing(output)
        return output.getvalue()  # type: ignore[no-any-return]
