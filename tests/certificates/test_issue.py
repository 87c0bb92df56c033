"""A certificate is complete, frozen, and traceable."""

import hashlib
import json
from dataclasses import replace

import pypdfium2
import pytest
from sqlmodel import select

from domain.certificates.content import CertificateContent
from domain.certificates.look_up import public_lot
from domain.certificates.models import Certificate
from domain.documents import Document
from domain.errors import Refused
from domain.laboratory.models import Result
from domain.lots.models import LotState
from domain.lots.typed import as_printed
from domain.store import reading
from domain.work import Site
from tests import build
from tests.cast import act, credentials
from tests.stages import LOT

pytestmark = pytest.mark.stage("in_review")


@pytest.fixture
def lot(site: Site) -> str:
    """A drug product in QA review."""
    return LOT


@pytest.mark.requirement("URS-048")
def test_the_certificate_says_what_was_judged_and_where_it_came_from(site: Site, lot: str) -> None:
    certificate = build.released(site, lot)
    content = CertificateContent.model_validate_json(certificate.content)
    assert content.sha256() == certificate.content_sha256 == hashlib.sha256(certificate.content.encode()).hexdigest()
    lines = {line.code: line for line in content.tests}
    assert lines["PH"].result.en == "7.2"
    assert lines["ENDO"].result.en.startswith("< 0.05")
    assert lines["STER"].verdict == "pass"
    assert lines["PROT"].verdict == "reported"
    with reading(site.engine) as session:
        for line in content.tests:
            assert session.get_one(Result, line.result_id).test_code == line.code
    assert content.lot.number == lot
    assert content.look_up_url.endswith(f"/c/{lot}")
    assert [one.meaning.en for one in content.signatures] == ["reviewed", "approved", "certified for release"]


@pytest.mark.requirement("URS-057")
def test_no_donor_is_on_a_certificate(site: Site, lot: str) -> None:
    certificate = build.released(site, lot)
    assert "D-2026" not in certificate.content
    assert "C-118" not in certificate.content


@pytest.mark.requirement("URS-049")
def test_the_pdf_is_stored_and_carries_digest_and_audit_head(site: Site, lot: str) -> None:
    certificate = build.released(site, lot)
    pdf = site.documents.get(certificate.pdf_sha256)
    document = pypdfium2.PdfDocument(pdf)
    text = "".join(page.get_textpage().get_text_bounded() for page in document).replace("\n", "").replace("\r", "")
    assert certificate.content_sha256 in text
    assert certificate.audit_sha256 in text
    assert certificate.number in text
    with reading(site.engine) as session:
        assert session.exec(select(Document).where(Document.sha256 == certificate.pdf_sha256)).one().size == len(pdf)


@pytest.mark.parametrize("empty", ["name", "address", "phone", "base_url"])
def test_an_incomplete_certificate_is_refused_and_the_lot_stays(site: Site, lot: str, empty: str) -> None:
    lacking = replace(site, profile=replace(site.profile, **{empty: ""}))
    with pytest.raises(Refused) as refusal:
        build.released(lacking, lot)
    assert {reason.code for reason in refusal.value.reasons} == {"certificate-incomplete"}
    assert build.lot(site, lot).state is LotState.QA_REVIEW


def test_a_printer_that_fails_leaves_no_half_release(site: Site, lot: str) -> None:
    def broken(_content: object) -> bytes:
        raise OSError("no ink")

    with pytest.raises(OSError, match="no ink"):
        build.released(replace(site, print_certificate=broken), lot)
    assert build.lot(site, lot).state is LotState.QA_REVIEW
    certificate = build.released(site, lot)
    assert certificate.number.endswith("000001")


def test_the_public_answer_is_the_stored_content_untouched(site: Site, lot: str) -> None:
    certificate = build.released(site, lot)
    with reading(site.engine) as session:
        found = public_lot(session, f" {lot.lower()} ", site.today())
    answer = json.loads(found.json("/pdf", {}))
    assert answer["usable"] is True
    assert answer["certificate"] == json.loads(certificate.content)


@pytest.mark.parametrize("typed", ["uev26-0001", " UEV26-0001 ", "UEV26 - 0001", "uev26-0001\n"])
def test_a_lot_number_is_understood_as_people_type_it(typed: str) -> None:
    assert as_printed(typed) == "UEV26-0001"


def test_only_the_release_issues_a_certificate(site: Site, lot: str) -> None:
    with reading(site.engine) as session:
        assert session.exec(select(Certificate)).all() == []
    act(site, "cleo", build.release_lot, build.ReleaseLot(lot_number=lot, credentials=credentials("cleo")))
    with reading(site.engine) as session:
        assert len(session.exec(select(Certificate)).all()) == 1
