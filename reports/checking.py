"""What a file is, told from its bytes alone: no database, no network, no file. It may be hostile, and is examined in a limited process.

Whether it is genuine is not told here: that needs the records, or the public log.
"""

import hashlib
import io
import json
import re
from collections.abc import Callable, Coroutine, Iterator, Sequence
from datetime import date, datetime
from typing import Any, Literal

import pikepdf
from asn1crypto import x509 as asn1
from pydantic import BaseModel, ConfigDict
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import EmbeddedPdfSignature, PdfSignatureStatus, async_validate_pdf_signature
from pyhanko.sign.validation.generic_cms import extract_tst_data_iter
from pyhanko.sign.validation.settings import KeyUsageConstraints
from pyhanko.sign.validation.status import SignatureCoverageLevel
from pyhanko_certvalidator import ValidationContext

#: The field of the manufacturer's signature (reports.signing), and the names of the two attached files (reports.certificate).
FIELD = "Manufacturer"

MOST_BYTES = 20 * 1024 * 1024
#: A certificate has some tens of pages and some thousand objects.
MOST_PAGES, MOST_OBJECTS, MOST_ATTACHED = 500, 50_000, 8 * 1024 * 1024

_STATED = re.compile(rb"sha256:([0-9a-f]{64})")
#: What does something when a file is opened or clicked; a link to an address is no such thing.
_ACTIONS = {
    "/JavaScript",
    "/Launch",
    "/SubmitForm",
    "/ImportData",
    "/GoToR",
    "/GoToE",
    "/Rendition",
    "/RichMediaExecute",
}

Run = Callable[[Coroutine[Any, Any, Any]], Any]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Signature(_Value):
    """The signature in the manufacturer's field.

    intact: what it covers is unchanged since, and the signature over it is right. covers: that is the whole file, or all but what was added to
    keep the signature for long. trusted_by: the name of the trusted certificate that it leads to. signed_at: as the signer says; stamped_at,
    stamped_by: as a time-stamp authority says; stamp_trusted: whether one that is trusted. level: of PAdES.
    """

    intact: bool
    covers: bool
    signer: str
    trusted_by: str | None
    signed_at: datetime | None
    stamped_at: datetime | None = None
    stamped_by: str | None = None
    stamp_trusted: bool = False
    level: Literal["B-B", "B-T", "B-LTA"] = "B-B"


#: What the numbers of certificates look like (`domain.certificates.issue.SERIES`).
_NUMBER = re.compile(r"COA-[0-9]{4}-[0-9]{6,}|QPC-[0-9]{6,}")


class Found(_Value):
    """What was found in a file.

    problem: why it could not be read, if it could not. number, revision, lot_number, document: what the attached data claim. content_sha256: the
    digest of the data; stated_sha256: the one that the file says they have. agree: whether everything attached says the same. field: whether
    it has the manufacturer's field, signature: and what is in it, unless it cannot be read. active: what would do something by itself, and
    files that do not belong.
    """

    problem: Literal["", "not-a-pdf", "encrypted", "damaged", "too-large", "limits", "busy"] = ""
    number: str | None = None
    revision: int | None = None
    lot_number: str | None = None
    document: Literal["analysis", "batch"] | None = None
    issued_at: datetime | None = None
    expires_on: date | None = None
    content_sha256: str | None = None
    stated_sha256: str | None = None
    agree: bool = False
    field: bool = False
    signature: Signature | None = None
    active: tuple[str, ...] = ()


def looks_like_pdf(data: bytes) -> bool:
    """Whether readers would take it for a PDF (the header is within the first kilobyte)."""
    return b"%PDF-" in data[:1024]


def examine(data: bytes, trusted: Sequence[bytes], run: Run) -> Found:
    """What the file is. `trusted`: certificates (DER); `run`: runs a coroutine, as a limited process may open no new loop."""
    if len(data) > MOST_BYTES:
        return Found(problem="too-large")
    if not looks_like_pdf(data):
        return Found(problem="not-a-pdf")
    try:
        with pikepdf.open(io.BytesIO(data), suppress_warnings=True) as pdf:
            if pdf.is_encrypted:
                return Found(problem="encrypted")
            found = _within(pdf)
    except pikepdf.PasswordError:
        return Found(problem="encrypted")
    except MemoryError:
        return Found(problem="limits")
    except Exception:  # noqa: BLE001 - a hostile file can break a parser in any way
        return Found(problem="damaged")
    if not found.field:
        return found
    try:
        signature = run(_signature(data, [asn1.Certificate.load(one) for one in trusted]))
    except Exception:  # noqa: BLE001 - as above; a signature that cannot be read is none
        signature = None
    return found.model_copy(update={"signature": signature})


def _within(pdf: pikepdf.Pdf) -> Found:
    attached = list(_attached(pdf))
    sources = [(name, data) for name, relationship, data in attached if relationship == "/Source"]
    others = [data for _, relationship, data in attached if relationship == "/Alternative"]
    stray = [
        f"attached file {name}" for name, relationship, _ in attached if relationship not in ("/Source", "/Alternative")
    ]
    active = tuple(dict.fromkeys([*_active(pdf), *stray, *(f"attached file {name}" for name, _ in sources[1:])]))
    found = Found(field=FIELD in _fields(pdf), active=active, stated_sha256=_stated(pdf))
    if not sources:
        return found
    digest = hashlib.sha256(sources[0][1]).hexdigest()
    agree = found.stated_sha256 == digest and all(digest.encode() in other for other in others)
    return found.model_copy(update={"content_sha256": digest, "agree": agree, **_claims(sources[0][1])})


def _claims(data: bytes) -> dict[str, Any]:
    """What the data of a certificate say it is; nothing, if they are not such data."""
    try:
        content = json.loads(data)
        claimed = Found(
            number=content["number"],
            revision=content["revision"],
            lot_number=content["lot"]["number"],
            issued_at=content["issued_at"],
            expires_on=content["lot"]["expires_on"],
            document="batch" if str(content["schema_version"]).startswith("batch") else "analysis",
        )
    except (ValueError, KeyError, TypeError, RecursionError):
        return {}
    if not _NUMBER.fullmatch(claimed.number or "") or not 0 < (claimed.revision or 0) < 100_000:
        return {}  # no number that was ever issued looks so, and a database need not be asked for it
    return claimed.model_dump(include={"number", "revision", "lot_number", "issued_at", "expires_on", "document"})


def _attached(pdf: pikepdf.Pdf) -> Iterator[tuple[str, str, bytes]]:
    """Name, relationship and bytes of every file within the file."""
    for specification in pdf.attachments.values():
        relationship = str(specification.obj.get("/AFRelationship", ""))
        file = specification.get_file()
        if int(file.obj.get("/Length", 0)) > MOST_ATTACHED:
            raise MemoryError
        yield specification.filename, relationship, file.read_bytes()


def _stated(pdf: pikepdf.Pdf) -> str | None:
    metadata = pdf.Root.get("/Metadata")
    stated = _STATED.search(metadata.read_bytes()) if isinstance(metadata, pikepdf.Stream) else None
    return stated[1].decode() if stated else None


def _fields(pdf: pikepdf.Pdf) -> set[str]:
    form = pdf.Root.get("/AcroForm", pikepdf.Dictionary())
    fields = form.get("/Fields", pikepdf.Array())
    return {str(field.get("/T", "")) for field in fields if field.get("/FT") == pikepdf.Name.Sig}


def _active(pdf: pikepdf.Pdf) -> Iterator[str]:
    if len(pdf.objects) > MOST_OBJECTS or len(pdf.pages) > MOST_PAGES:
        yield "far more than a certificate has"
        return
    for one in pdf.objects:
        if isinstance(one, pikepdf.Dictionary | pikepdf.Stream):
            yield from _does(one)


def _does(one: Any, depth: int = 0) -> Iterator[str]:
    """What a dictionary, or one directly in it, would do by itself."""
    for key, value in one.items():
        if key in ("/OpenAction", "/AA", "/JavaScript", "/XFA"):
            yield f"{key[1:]} entry"
        if key == "/S" and str(value) in _ACTIONS:
            yield f"{str(value)[1:]} action"
        if depth < 3 and isinstance(value, pikepdf.Dictionary) and not value.is_indirect:
            yield from _does(value, depth + 1)


async def _signature(data: bytes, trusted: list[asn1.Certificate]) -> Signature | None:
    reader = PdfFileReader(io.BytesIO(data))
    own = [one for one in reader.embedded_regular_signatures if one.field_name == FIELD]
    if not own:
        return None
    when = _when(own[0])
    about = ValidationContext(trust_roots=trusted, moment=when, allow_fetching=False, best_signature_time=when)
    stamps = ValidationContext(trust_roots=trusted, allow_fetching=False, moment=when)
    usage = KeyUsageConstraints(key_usage={"non_repudiation", "digital_signature"}, match_all_key_usages=False)
    status = await async_validate_pdf_signature(own[0], about, stamps, key_usage_settings=usage)
    return _shown(status, long_kept="/DSS" in reader.root and bool(reader.embedded_timestamp_signatures))


def _when(signature: EmbeddedPdfSignature) -> datetime | None:
    """The time that the chain of the signer is judged at: that of the time-stamp, else what the signer says.

    Certificates end, what they signed stays signed; that it was not signed later is what the time-stamp and the public log are for.
    """
    for token in extract_tst_data_iter(signature.signer_info, signed=False):
        return token["encap_content_info"]["content"].parsed["gen_time"].native  # type: ignore[no-any-return]
    return signature.self_reported_timestamp


def _shown(status: PdfSignatureStatus, *, long_kept: bool) -> Signature:
    stamp = status.timestamp_validity
    whole = status.coverage is SignatureCoverageLevel.ENTIRE_FILE
    kept = long_kept and status.modification_level is not None and status.modification_level.name == "LTA_UPDATES"
    path = status.validation_path
    return Signature(
        intact=bool(status.intact and status.valid),
        covers=whole or kept,
        signer=_named(status.signing_cert),
        trusted_by=_named(path.first) if status.trusted and path else None,
        signed_at=status.signer_reported_dt,
        stamped_at=stamp.timestamp if stamp and stamp.intact and stamp.valid else None,
        stamped_by=_named(stamp.signing_cert) if stamp else None,
        stamp_trusted=bool(stamp and stamp.intact and stamp.valid and stamp.trusted),
        level="B-LTA" if kept else "B-T" if stamp else "B-B",
    )


def _named(certificate: asn1.Certificate) -> str:
    """The common name of whom it certifies, or all of the name if there is none."""
    named = certificate.subject.native.get("common_name")
    return named if isinstance(named, str) else str(certificate.subject.human_friendly)
