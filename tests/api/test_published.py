"""The forms of a certificate for machines, published without an account: the very bytes whose digests stand on the PDF."""

import hashlib
import re

import pypdfium2
import pytest
from fastapi.testclient import TestClient
from fhir.resources.bundle import Bundle
from jsonschema import Draft202012Validator

from domain.certificates.content import CertificateContent
from domain.certificates.words import RevisionCause
from domain.disposition.certificates import (
    ReviseCertificate,
    WithdrawCertificate,
    revise_certificate,
    withdraw_certificate,
)
from domain.disposition.decisions import RecallLot, recall_lot
from domain.work import Site
from reports.fhir import bundle
from tests import build
from tests.cast import act, credentials
from tests.stages import LOT

pytestmark = pytest.mark.stage("in_review")
CERTIFICATES = "/api/v1/public/certificates"


@pytest.mark.requirement("URS-099", "URS-102")
def test_what_is_published_is_what_was_issued_and_fits_the_published_schema(site: Site, client: TestClient) -> None:
    issued = build.released(site, LOT)
    published = client.get(f"{CERTIFICATES}/{issued.number}.json")
    assert hashlib.sha256(published.content).hexdigest() == issued.content_sha256
    schema = client.get("/schemas/coa.json").json()
    assert not list(Draft202012Validator(schema).iter_errors(published.json()))
    fhir = client.get(f"{CERTIFICATES}/{issued.number}.fhir.json")
    assert fhir.headers["content-type"] == "application/fhir+json"
    assert fhir.content == bundle(CertificateContent.model_validate_json(issued.content))
    Bundle.model_validate_json(fhir.content)


def test_a_published_file_can_be_compared_as_it_is(site: Site, client: TestClient) -> None:
    issued = build.released(site, LOT)
    own = client.get(f"{CERTIFICATES}/{issued.number}.json").json()
    other = own | {"number": "COA-1"}
    answer = client.post("/api/v1/public/compare", json={"certificates": [own, other]})
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
@pytest.mark.parametrize("kind", ["json", "fhir.json"])
def test_what_was_never_issued_is_not_found(site: Site, client: TestClient, kind: str) -> None:
    issued = build.released(site, LOT)
    for address in (f"COA-2026-999999.{kind}", f"{issued.number}.{kind}?revision=2"):
        assert client.get(f"{CERTIFICATES}/{address}").status_code == 404
    assert client.get(f"{CERTIFICATES}/{issued.number}.{kind}?revision=1").status_code == 200


@pytest.mark.requirement("URS-054")
@pytest.mark.stage("cast")
def test_what_is_downloaded_needs_the_check_code_too_where_the_product_asks_for_it(
    site: Site, client: TestClient
) -> None:
    """Numbers of certificates can be guessed: without the code on the label nothing is told, in the words for what does not exist."""
    code = build.new_product(site, look_up_code=True)
    build.approved_specification(site, code)
    lot = build.drug_product(site, code)
    build.tested(site, lot)
    number = build.released(site, lot).number
    check = build.lot(site, lot).check_code
    for ending in (".pdf", ".json", ".fhir.json", "/proof", "/copy.pdf"):
        address = f"/api/v1/public/certificates/{number}{ending}"
        unknown = client.get(f"/api/v1/public/certificates/COA-2026-999999{ending}")
        for asked in (address, f"{address}?code=", f"{address}?code=AAAAAA"):
            refused = client.get(asked)
            assert refused.status_code == unknown.status_code == 404
            assert refused.json()["detail"] == unknown.json()["detail"]
        assert client.get(f"{address}?code={check}").status_code == 200
    told = client.get(f"/api/v1/public/lots/{lot}?code={check}").json()
    assert client.get(told["pdf_url"]).status_code == 200
    assert client.get(told["revisions"][0]["pdf_url"]).status_code == 200
    assert client.get(told["proof_url"]).json() == client.get(told["revisions"][0]["proof_url"]).json()
    entries = client.get("/api/v1/public/log/entries").text
    assert (number in entries, lot in entries) == (True, False), "the log names numbers, and no lot"


@pytest.mark.requirement("URS-224")
@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
def test_a_copy_says_on_every_page_what_became_of_the_certificate_and_the_original_stays(
    site: Site, client: TestClient
) -> None:
    issued = build.released(site, LOT)
    original = client.get(f"{CERTIFICATES}/{issued.number}.pdf").content

    def said(revision: int) -> set[str]:
        answer = client.get(f"{CERTIFICATES}/{issued.number}/copy.pdf?revision={revision}")
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-cache")
        pages = [page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(answer.content)]
        found = [set(re.findall(r"COPY|SUPERSEDED|WITHDRAWN|LOTRECALLED", re.sub(r"\s", "", page))) for page in pages]
        assert len(pages) > 1
        assert all(one == found[0] for one in found)
        return found[0]

    links = client.get(f"/c/{LOT}", headers={"accept": "text/html"}).text
    assert (said(1), "copy.pdf" in links) == ({"COPY"}, False)
    for operation, command, expected in (
        (
            revise_certificate,
            ReviseCertificate(
                certificate_number=issued.number,
                cause=RevisionCause.WORDING_CORRECTED,
                reason="a typing error",
                credentials=credentials("cleo"),
            ),
            ("SUPERSEDED", "COPY"),
        ),
        (
            withdraw_certificate,
            WithdrawCertificate(certificate_number=issued.number, reason="a mix-up", credentials=credentials("cleo")),
            ("SUPERSEDED", "WITHDRAWN"),
        ),
        (
            recall_lot,
            RecallLot(lot_number=LOT, recall_class="I", reason="particles", credentials=credentials("cleo")),
            ("LOTRECALLED", "LOTRECALLED"),
        ),
    ):
        act(site, "cleo", operation, command)  # type: ignore[arg-type,type-var]
        assert [said(revision) for revision in (1, 2)] == [{one} for one in expected]
    page = client.get(f"/c/{LOT}", headers={"accept": "text/html"}).text
    assert f"{issued.number}/copy.pdf?revision=1" in page
    assert f"{issued.number}.pdf?revision=1" in page
    assert client.get(f"{CERTIFICATES}/{issued.number}.pdf?revision=1").content == original
