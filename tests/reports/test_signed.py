"""What is signed with a time-stamp, or for long keeping, is still archival and accessible, for veraPDF, qpdf and poppler."""

import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import pytest
from asn1crypto import x509 as asn1
from cryptography.hazmat.primitives.serialization import Encoding

from reports.archival import SIGNATURE_FIELD
from reports.checking import FIELD as CHECKED_FIELD
from reports.keys import HeldKey
from reports.signing import FIELD, Signer
from reports.timestamps import TimeStamps
from tests.oracle import Failure
from tests.reports.conftest import drawn_pdf
from tests.signing import authority as tsa
from tests.signing.keys import authority, laboratory, time_stamper


def test_the_field_that_is_drawn_is_the_one_that_is_signed_and_looked_for() -> None:
    assert SIGNATURE_FIELD == FIELD == CHECKED_FIELD


@pytest.mark.requirement("URS-084", "URS-098")
@pytest.mark.parametrize("level", ["b", "lta"])
def test_a_stamped_document_is_still_archival_and_accessible(
    level: Literal["b", "lta"], oracle: Callable[[bytes], list[Failure]], tmp_path: Path
) -> None:
    unsigned = drawn_pdf("typical")
    root = asn1.Certificate.load(authority().certificate.public_bytes(Encoding.DER))
    with tsa.served(tsa.openssl(tmp_path, time_stamper())) as (url, _):
        stamped = Signer(lambda: HeldKey(*laboratory()), TimeStamps(url, [root]), level, [root])
        signed = stamped.sign(unsigned, datetime.now(UTC))
    assert signed.startswith(unsigned)
    assert oracle(signed) == []
    (tmp_path / "signed.pdf").write_bytes(signed)
    checked = subprocess.run(
        ["qpdf", "--check", "signed.pdf"], cwd=tmp_path, capture_output=True, timeout=60, check=False
    )
    assert checked.returncode == 0, checked.stderr
    told = subprocess.run(
        ["pdfsig", "-nocert", "signed.pdf"], cwd=tmp_path, capture_output=True, timeout=60, check=False
    )
    assert b"Signature is Valid." in told.stdout
