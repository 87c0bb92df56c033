"""One lot from its donor to the look-up of a clinic, over HTTP alone, on both engines."""

import hashlib
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
import rfc8785

from api.demo_files import nanosight_summary
from domain.certificates.content import CertificateContent
from domain.work import Site
from tests.cast import START, Clock
from tests.stories.over_http import Story, readings

SAMPLES = Path(os.environ.get("EXOLOTL_SAMPLE_DATA", Path(__file__).parents[2] / ".." / "shared" / "data"))
REAL = SAMPLES / "nta" / "tidyNano_beads2_NTA3.4_5runs.csv"


def generated() -> tuple[bytes, datetime]:
    """A file of our own in the instrument's layout, whose clock shows 08:40 at the site on the day the tests are read."""
    captured = datetime(2026, 3, 16, 8, 40, tzinfo=UTC)
    facts = {"mode_nm": 105.0, "concentration_per_ml": 4.2e10, "dilution": 1000, "runs": 5, "seed": 7}
    return nanosight_summary(**facts, sample="UEV26", captured_at=captured), START


def real() -> tuple[bytes, datetime]:
    """A file that a real instrument wrote, on 16 June 2020 at 11:52; the story is told in those days."""
    if not REAL.exists():
        told = (
            f"no sample file of a real instrument at {REAL}: set EXOLOTL_SAMPLE_DATA to the folder of the sample files"
        )
        (pytest.fail if os.environ.get("CI") else pytest.skip)(told)
    return REAL.read_bytes(), datetime(2020, 6, 2, 10, tzinfo=UTC)


@pytest.fixture(params=[generated, real], ids=["generated", "real"])
def instrument_file(request: pytest.FixtureRequest, clock: Clock) -> bytes:
    """What the NanoSight writes; the clock stands fourteen days before it was measured."""
    told: Callable[[], tuple[bytes, datetime]] = request.param
    data, clock.now = told()
    return data


def released(story: Story, data: bytes) -> dict[str, str]:
    """A lot from its donor to its release; returns the numbers on the way."""
    product = story.product()
    story.specification(product, nanosight=True)
    donor = story.donor("D-2026-017")
    bank, material = story.bank(donor), story.accept(story.material())
    lot = story.pack(story.bulk(bank, material), product)
    sample = story.test(lot, nanosight=data)
    story.review(sample)
    story.submit(lot)
    certificate = story.decide("cleo", lot, "release")["number"]
    return {"lot": lot, "bank": bank, "material": material, "sample": sample, "certificate": certificate}


@pytest.mark.requirement("URS-001", "URS-023", "URS-036", "URS-037", "URS-048", "URS-050", "URS-052", "URS-053")
def test_from_the_donor_to_the_look_up_of_a_clinic(story: Story, site: Site, instrument_file: bytes) -> None:
    known = released(story, instrument_file)
    shown = story.house.ask(None, "GET", f"/api/v1/public/lots/{known['lot']}")
    public = shown.json()
    assert (public["state"], public["usable"], public["certificate_number"]) == ("released", True, known["certificate"])
    the_content_is_what_its_digest_says(public)
    the_answer_is_the_same_in_every_language(story, known["lot"], shown.content)
    the_file_is_the_one_that_was_issued(story, public)
    the_raw_file_comes_back_byte_for_byte(story, public, instrument_file)
    the_trace_runs_both_ways(story, known)
    an_unchanged_answer_is_not_sent_twice(story, known["lot"], shown.headers["etag"])
    a_recall_shows_in_the_next_request(story, known, shown.headers["etag"], public["pdf_sha256"])


def the_content_is_what_its_digest_says(public: dict[str, Any]) -> None:
    """Anyone can recompute the digest from the JSON, with RFC 8785 alone."""
    assert hashlib.sha256(rfc8785.dumps(public["certificate"])).hexdigest() == public["content_sha256"]
    content = CertificateContent.model_validate(public["certificate"])
    assert content.sha256() == public["content_sha256"]
    lines = {line.code: line for line in content.tests}
    assert {line.verdict for line in content.tests} <= {"pass", "reported"}
    assert lines["ENDO"].result.en == "< 0.05 {EU}/mL"
    assert lines["PART-CONC"].n == 5
    assert lines["PART-VIAL"].verdict == "pass"
    (curve,) = content.distributions
    assert len(curve.edges_nm) == len(curve.per_ml) + 1
    assert dict(curve.settings)["Runs counted"] == "5 of 5"
    assert content.origin.cell_banks
    assert "D-2026-017" not in content.canonical().decode(), "a donor's pseudonym stands on a certificate"


def the_answer_is_the_same_in_every_language(story: Story, lot: str, content: bytes) -> None:
    """Both languages are in the one answer; what the asker prefers changes nothing."""
    for language in ("de", "en", "fr"):
        answer = story.house.ask(None, "GET", f"/api/v1/public/lots/{lot}", headers={"Accept-Language": language})
        assert answer.content == content
    assert b"Sterility" in content
    assert "Sterilität".encode() in content


def the_file_is_the_one_that_was_issued(story: Story, public: dict[str, Any]) -> None:
    """The PDF opens, says what the JSON says in both languages, and is found genuine; a changed one is not."""
    answer = story.house.ask(None, "GET", public["pdf_url"])
    assert answer.headers["content-type"] == "application/pdf"
    assert hashlib.sha256(answer.content).hexdigest() == public["pdf_sha256"]
    text = "\n".join(page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(answer.content))
    for word in (
        public["lot_number"],
        public["certificate_number"],
        public["content_sha256"],
        "Sterility",
        "Sterilität",
    ):
        assert word in text
    genuine = story.house.client.post("/api/v1/public/verify", files={"file": answer.content}).json()
    assert (genuine["genuine"], genuine["current"], genuine["lot_number"]) == (True, True, public["lot_number"])
    altered = answer.content[:-1] + bytes([answer.content[-1] ^ 1])
    assert story.house.client.post("/api/v1/public/verify", files={"file": altered}).json()["genuine"] is False


def the_raw_file_comes_back_byte_for_byte(story: Story, public: dict[str, Any], data: bytes) -> None:
    """From the certificate to the instrument's own file, by its digest."""
    digests = {line["raw_sha256"] for line in public["certificate"]["tests"]} - {None}
    assert digests == {hashlib.sha256(data).hexdigest()}
    answer = story.house.ask("dov", "GET", f"/api/v1/documents/{digests.pop()}")
    assert answer.content == data
    assert answer.headers["content-disposition"].startswith("attachment")


def the_trace_runs_both_ways(story: Story, known: dict[str, str]) -> None:
    """Up to the donation and every material, down to the packed lot; each from its own end."""
    up = story.house.get("dov", f"/lots/{known['lot']}/trace")
    above = {one["lot_number"]: one["distance"] for one in up["lots"]}
    assert {known["bank"], known["material"]} < above.keys()
    (donation,) = (one["lot_number"] for one in up["lots"] if one["kind"] == "donation")
    assert above[donation] == min(above.values())
    down = story.house.get("dov", f"/lots/{donation}/trace")
    below = {one["lot_number"]: one["distance"] for one in down["lots"]}
    assert below[known["lot"]] == max(below.values()) == -above[donation]
    assert known["material"] not in below, "a trace downward does not turn up again"
    edges = {(one["lot_number"], one["direction"]): (one["quantity"], one["unit"]) for one in up["edges"]}
    assert edges[known["bank"], "consumed"] == ("1", "{vial}")
    assert edges[known["lot"], "yielded"] == (readings("packaging")["vials_accepted"]["value"], "{vial}")


def an_unchanged_answer_is_not_sent_twice(story: Story, lot: str, etag: str) -> None:
    """304 without a body, and whoever stands between has to ask again each time."""
    answer = story.house.ask(None, "GET", f"/api/v1/public/lots/{lot}", headers={"If-None-Match": f'"other", W/{etag}'})
    assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", etag)
    assert answer.headers["cache-control"] == "no-cache"


def a_recall_shows_in_the_next_request(story: Story, known: dict[str, str], etag: str, pdf_sha256: str) -> None:
    """The asker who has the old answer gets the new one; the file stays what it was, and is no longer current."""
    story.decide("cleo", known["lot"], "recall", recall_class="II")
    answer = story.house.ask(None, "GET", f"/api/v1/public/lots/{known['lot']}", headers={"If-None-Match": etag})
    assert (answer.status_code, answer.json()["state"], answer.json()["usable"]) == (200, "recalled", False)
    assert answer.headers["etag"] != etag
    file = story.house.ask(None, "GET", answer.json()["pdf_url"]).content
    assert hashlib.sha256(file).hexdigest() == pdf_sha256
    checked = story.house.client.post("/api/v1/public/verify", files={"file": file}).json()
    assert (checked["genuine"], checked["current"], checked["state"]) == (True, False, "recalled")
