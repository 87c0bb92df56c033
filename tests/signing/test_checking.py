"""What a file shows of itself: who signed it, at which level, whom that leads to, and what it holds that it should not."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from asn1crypto import x509 as asn1
from cryptography.hazmat.primitives.serialization import Encoding

from reports.checking import Found, Signature, examine
from reports.keys import HeldKey
from reports.signing import Signer
from reports.timestamps import TimeStamps
from tests.signing import authority as tsa
from tests.signing.keys import Certified, authority, certified, laboratory, signer, time_stamper
from tests.signing.papers import unsigned

AT = datetime(2026, 3, 2, 8, 30, tzinfo=UTC)


def looked_at(data: bytes, *trusted: Certified) -> Found:
    return examine(data, [one.certificate.public_bytes(Encoding.DER) for one in trusted], asyncio.run)


def signature(data: bytes, *trusted: Certified) -> Signature:
    found = looked_at(data, *trusted).signature
    assert found is not None
    return found


@pytest.fixture
def stamps(tmp_path: Path) -> Iterator[TimeStamps]:
    root = asn1.Certificate.load(authority().certificate.public_bytes(Encoding.DER))
    with tsa.served(tsa.openssl(tmp_path, time_stamper())) as (url, _):
        yield TimeStamps(url, [root])


@pytest.mark.requirement("URS-093")
def test_a_signature_leads_to_a_root_or_to_the_certificate_itself_or_to_nobody() -> None:
    signed = signer().sign(unsigned(), AT)
    told = {
        name: signature(signed, *trusted).trusted_by
        for name, trusted in {
            "root": (authority(),),
            "itself": (laboratory(),),
            "another": (authority("Another Root"),),
            "nobody": (),
        }.items()
    }
    assert told == {
        "root": "Test Laboratory Root",
        "itself": "Test Laboratory Quality",
        "another": None,
        "nobody": None,
    }
    one = signature(signed, authority())
    assert (one.intact, one.covers, one.level, one.signed_at, one.stamped_at) == (True, True, "B-B", AT, None)


@pytest.mark.requirement("URS-084", "URS-093")
def test_time_stamps_and_what_keeps_a_signature_for_long_are_told(stamps: TimeStamps) -> None:
    now = datetime.now(UTC)
    for level, told in (("b", "B-T"), ("lta", "B-LTA")):
        signed = Signer(lambda: HeldKey(*laboratory()), stamps, level, stamps.trusted).sign(unsigned(), now)  # type: ignore[arg-type]
        one = signature(signed, authority())
        assert (one.intact, one.covers, one.level, one.stamp_trusted) == (True, True, told, True)
        assert one.stamped_by == "Test Time-Stamp Authority"
        assert one.stamped_at is not None
        assert abs(one.stamped_at - now) < timedelta(minutes=1)
        assert not signature(signed, laboratory()).stamp_trusted, "who trusts the signer need not trust the stamp"


@pytest.mark.requirement("URS-088")
def test_what_was_signed_while_a_certificate_was_valid_stays_signed() -> None:
    brief = certified(valid=(AT - timedelta(days=1), AT + timedelta(days=1)))
    signed = Signer(lambda: HeldKey(*brief)).sign(unsigned(), AT)
    assert datetime.now(UTC) > AT + timedelta(days=1)
    assert signature(signed, authority()).trusted_by == "Test Laboratory Root"


@pytest.mark.requirement("URS-094")
def test_a_changed_byte_breaks_the_signature_and_an_added_one_is_seen() -> None:
    signed = signer().sign(unsigned(), AT)
    at = signed.index(b"/MediaBox")
    changed = signed[: at + 12] + b"9" + signed[at + 13 :]
    assert not signature(changed, authority()).intact
    added = signature(signed + b"\n%more", authority())
    assert (added.intact, added.covers) == (True, False)


def test_what_is_no_signed_file_is_told_as_what_it_is() -> None:
    assert looked_at(b"").problem == looked_at(b"GIF89a").problem == "not-a-pdf"
    assert looked_at(b"%PDF-" + bytes(21 * 1024 * 1024)).problem == "too-large"
    empty = looked_at(unsigned())
    assert (empty.problem, empty.field, empty.signature) == ("", True, None)
    assert not looked_at(unsigned(field="Another")).field
