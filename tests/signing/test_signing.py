"""The manufacturer's signature, as readers that are not ours see it, and what happens when a key or an authority fails."""

import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest
from asn1crypto import x509 as asn1
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, pkcs12
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import PdfSignatureStatus, validate_pdf_signature, validate_pdf_timestamp
from pyhanko_certvalidator import ValidationContext

from domain.errors import DomainError, Refused, Unavailable
from reports.keys import HeldKey, PrivateKey, from_pkcs12
from reports.signing import Signer
from reports.timestamps import TimeStamps
from tests.signing import authority as tsa
from tests.signing.keys import Certified, authority, certified, laboratory, signer, time_stamper
from tests.signing.papers import unsigned

AT = datetime(2026, 3, 2, 8, 30, tzinfo=UTC)
ROOT = asn1.Certificate.load(authority().certificate.public_bytes(Encoding.DER))


def judged(pdf: bytes, at: datetime = AT) -> PdfSignatureStatus:
    """What pyHanko says of the signature, for somebody who trusts the root of the laboratory."""
    (embedded,) = PdfFileReader(BytesIO(pdf)).embedded_regular_signatures
    context = ValidationContext(trust_roots=[ROOT], moment=at, allow_fetching=False)
    return validate_pdf_signature(embedded, context, ValidationContext(trust_roots=[ROOT], allow_fetching=False))


def poppler(pdf: bytes, folder: Path) -> str:
    """What pdfsig says."""
    (folder / "signed.pdf").write_bytes(pdf)
    done = subprocess.run(
        ["pdfsig", "-nocert", "signed.pdf"], cwd=folder, capture_output=True, text=True, timeout=20, check=False
    )
    return done.stdout


def refusal(refused: type[DomainError], act: Callable[[], object]) -> str:
    """The code of the one reason."""
    with pytest.raises(refused) as raised:
        act()
    (reason,) = raised.value.reasons
    return reason.code


@pytest.fixture(scope="module")
def rsa_key() -> PrivateKey:
    return rsa.generate_private_key(65537, 2048)


@pytest.fixture
def stamps(tmp_path: Path) -> Iterator[TimeStamps]:
    """An authority that works."""
    with tsa.served(tsa.openssl(tmp_path, time_stamper())) as (url, _):
        yield TimeStamps(url, [ROOT])


def stamped(stamps: TimeStamps, level: str = "b") -> Signer:
    return Signer(signer()._open, stamps, level, [ROOT])  # type: ignore[arg-type]


@pytest.mark.requirement("URS-084", "URS-098")
def test_a_signed_file_is_the_unsigned_one_with_a_signature_behind_it(tmp_path: Path) -> None:
    signed = signer().sign(unsigned(), AT)
    assert signed.startswith(unsigned())
    status = judged(signed)
    assert (status.bottom_line, status.coverage.name, status.modification_level.name) == (True, "ENTIRE_FILE", "NONE")
    assert status.signer_reported_dt == AT
    assert "Test Laboratory Quality" in status.signing_cert.subject.human_friendly
    told = poppler(signed, tmp_path)
    assert "Signature is Valid." in told
    assert "Total document signed" in told
    assert "ETSI.CAdES.detached" in told
    assert "Mar 02 2026 08:30:00" in told
    assert b"Courier" not in signed[len(unsigned()) :], "no stamp is drawn"


@pytest.mark.requirement("URS-084")
def test_the_key_comes_from_a_pkcs12_file_with_its_password(tmp_path: Path, rsa_key: PrivateKey) -> None:
    for key in (None, rsa_key):
        own = certified(key=key)
        data = _pkcs12(own)
        signed = Signer(lambda held=data: from_pkcs12(held, "open sesame")).sign(unsigned(), AT)  # type: ignore[misc]
        assert judged(signed).bottom_line
        assert "Signature is Valid." in poppler(signed, tmp_path)
    assert refusal(Refused, lambda: from_pkcs12(data, "open barley")) == "signing-key-not-usable"
    assert refusal(Refused, lambda: from_pkcs12(b"no such file", "")) == "signing-key-not-usable"
    lonely = pkcs12.serialize_key_and_certificates(b"x", None, own.certificate, None, BestAvailableEncryption(b"o"))
    assert refusal(Refused, lambda: from_pkcs12(lonely, "o")) == "signing-key-not-usable"


def _pkcs12(own: Certified) -> bytes:
    secret = BestAvailableEncryption(b"open sesame")
    return pkcs12.serialize_key_and_certificates(b"key", own.key, own.certificate, [authority().certificate], secret)


@pytest.mark.requirement("URS-085")
def test_a_key_and_a_certificate_that_do_not_belong_together_sign_nothing() -> None:
    assert refusal(Refused, lambda: HeldKey(laboratory().key, certified().certificate)) == "signing-key-not-usable"


@pytest.mark.requirement("URS-085")
def test_a_certificate_signs_only_while_it_is_valid() -> None:
    brief = certified(valid=(AT - timedelta(days=1), AT + timedelta(days=1)))
    signing = Signer(lambda: HeldKey(*brief))
    assert signing.sign(unsigned(), AT)
    late, early = AT + timedelta(days=2), AT - timedelta(days=2)
    assert refusal(Refused, lambda: signing.sign(unsigned(), late)) == "signing-certificate-expired"
    assert refusal(Refused, lambda: signing.sign(unsigned(), early)) == "signing-certificate-not-yet-valid"
    assert (signing.not_after, signing.is_development) == (AT + timedelta(days=1), False)


@pytest.mark.requirement("URS-085")
@pytest.mark.parametrize("paper", [b"no PDF at all", unsigned(field="Another"), b"%PDF-1.7\n%%EOF"])
def test_what_has_no_empty_field_of_the_manufacturer_is_not_signed(paper: bytes) -> None:
    assert refusal(Refused, lambda: signer().sign(paper, AT)) == "not-signable"
    assert refusal(Refused, lambda: signer().sign(signer().sign(unsigned(), AT), AT)) == "not-signable"


@pytest.mark.requirement("URS-084", "URS-098")
def test_a_time_stamp_of_the_authority_is_in_the_signature(stamps: TimeStamps, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    signed = stamped(stamps).sign(unsigned(), now)
    status = judged(signed, now)
    assert status.bottom_line
    assert status.timestamp_validity is not None
    assert status.timestamp_validity.trusted
    assert abs(status.timestamp_validity.timestamp - now) < timedelta(minutes=1)
    assert signed.startswith(unsigned())
    assert _openssl_verifies(signed, tmp_path) == "Verification: OK"


def _openssl_verifies(signed: bytes, folder: Path) -> str:
    """What openssl says of the time-stamp token, as one over the signature's value."""
    (embedded,) = PdfFileReader(BytesIO(signed)).embedded_regular_signatures
    info = embedded.signer_info
    (token,) = next(
        one["values"] for one in info["unsigned_attrs"] if one["type"].native == "signature_time_stamp_token"
    )
    (folder / "token.der").write_bytes(token.dump())
    (folder / "value").write_bytes(info["signature"].native)
    (folder / "root.pem").write_bytes(authority().certificate.public_bytes(Encoding.PEM))
    command = ["openssl", "ts", "-verify", "-token_in", "-in", "token.der", "-data", "value", "-CAfile", "root.pem"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=20, check=False)
    return done.stdout.strip()


@pytest.mark.requirement("URS-084")
def test_a_signature_for_long_keeping_carries_all_that_a_later_check_needs(stamps: TimeStamps, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    signed = stamped(stamps, "lta").sign(unsigned(), now)
    assert signed.startswith(unsigned())
    reader = PdfFileReader(BytesIO(signed))
    (archive,) = reader.embedded_timestamp_signatures
    kept = validate_pdf_timestamp(archive, ValidationContext(trust_roots=[ROOT], allow_fetching=False))
    assert (kept.trusted, kept.valid, kept.intact, kept.coverage.name) == (True, True, True, "ENTIRE_FILE")
    assert "/DSS" in reader.root
    status = judged(signed, now)
    assert (status.bottom_line, status.modification_level.name) == (True, "LTA_UPDATES")
    told = poppler(signed, tmp_path)
    assert "Signature is Valid." in told
    assert "Signature Field Name: Archive" in told


# --- an authority that fails -------------------------------------------------------------------------------------------


def _of(url: str, limit: float = 10) -> Signer:
    return stamped(TimeStamps(url, [ROOT], limit))


def _now() -> datetime:
    return datetime.now(UTC)


@pytest.mark.requirement("URS-085")
def test_an_authority_that_is_away_fails_or_hangs_is_told_within_the_limit_and_nothing_is_signed(
    tmp_path: Path,
) -> None:
    asked = lambda url, limit=10.0: refusal(Unavailable, lambda: _of(url, limit).sign(unsigned(), _now()))  # noqa: E731
    assert asked(tsa.nowhere()) == "timestamp-unavailable"
    with tsa.served(lambda _query: b"out of order", status=500) as (url, _):
        assert asked(url) == "timestamp-unavailable"
    began = time.monotonic()
    with tsa.silent() as url:
        assert asked(url, 0.3) == "timestamp-unavailable"
    with tsa.served(lambda _query: bytes(1000), drip=0.05) as (url, _):
        assert asked(url, 0.3) == "timestamp-unavailable", "each byte comes in time, the answer never"
    assert time.monotonic() - began < 3
    works = tsa.openssl(tmp_path, time_stamper())
    with tsa.served(works) as (url, _):
        assert _of(url).sign(unsigned(), _now()), "the next try is a new one"


@pytest.mark.requirement("URS-085")
def test_an_authority_that_lies_is_not_believed(tmp_path: Path) -> None:
    def asked(answer: tsa.Answer, at: datetime | None = None) -> str:
        with tsa.served(answer) as (url, _):
            return refusal(Unavailable, lambda: _of(url).sign(unsigned(), at or _now()))

    works = tsa.openssl(tmp_path, time_stamper())
    kept: list[bytes] = []

    def replayed(query: bytes) -> bytes:
        kept.append(works(query))
        return kept[0]

    assert asked(lambda _query: b"<html>") == "timestamp-not-believed"
    assert asked(lambda _query: bytes(200_000)) == "timestamp-not-believed"
    assert asked(lambda query: works(query)[:-20]) == "timestamp-not-believed"
    assert asked(lambda query: _spoilt(works(query))) == "timestamp-not-believed"
    assert asked(replayed) == "timestamp-not-believed", "the answer to another question"
    assert asked(works, _now() + timedelta(hours=2)) == "timestamp-not-believed", "the clocks are two hours apart"
    assert asked(lambda _query: bytes.fromhex("30053003020102")) == "timestamp-unavailable", "it refuses politely"
    stranger = time_stamper("Somebody", authority("Another Root"))
    assert asked(tsa.openssl(tmp_path, stranger)) == "timestamp-not-believed", "nobody trusts it"


def _spoilt(answer: bytes) -> bytes:
    """The same answer with one bit of its signature changed."""
    return answer[:-5] + bytes([answer[-5] ^ 1]) + answer[-4:]
