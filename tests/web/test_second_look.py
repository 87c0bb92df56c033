"""Whoever reviews, submits or releases sees on the very page of the signature what there is to see."""

import pytest

from domain.laboratory.results import CorrectResult, correct_result
from domain.laboratory.reviewing import ReviewResults, review_results
from domain.work import Site
from tests import build
from tests.cast import Clock, act, credentials
from tests.web.browsing import Browser, Page, signed


@pytest.fixture(params=["sqlite"])
def databases(request: pytest.FixtureRequest, _databases: object) -> object:
    """What a page says does not depend on the engine."""
    return _databases(request.param)  # type: ignore[operator]


def _corrected(site: Site, clock: Clock) -> tuple[str, str]:
    """A lot and its sample with a pH that was mistyped and corrected."""
    code = build.new_product(site)
    build.approved_specification(site, code)
    lot = build.drug_product(site, code)
    sample = build.sampled(site, lot)
    result_id = build.entered(site, sample, "PH", "7.91", "7.2")
    correction = CorrectResult(
        result_id=result_id,
        replicates=("7.19", "7.2"),
        unit="[pH]",
        started_at=clock(),
        finished_at=clock(),
        reason="the print-out says 7.19",
    )
    act(site, "ben", correct_result, correction)
    return lot, sample


def test_a_corrected_result_shows_what_it_replaced_and_why_wherever_it_stands(site: Site, clock: Clock) -> None:
    lot, sample = _corrected(site, clock)
    for path in (f"/lots/{lot}", f"/samples/{sample}", f"/samples/{sample}/review"):
        told = Browser(site, "rhea").open(path).text
        assert "7.91" in told[told.index("<del>") : told.index("</del>")], path
        assert "the print-out says 7.19" in told, path


def test_a_reviewer_sees_criterion_verdict_and_replicates_beside_the_tick_box(site: Site, clock: Clock) -> None:
    _, sample = _corrected(site, clock)
    told = Browser(site, "rhea").open(f"/samples/{sample}/review").text
    row = told[told.index('name="result_ids[]"') : told.index("</tr>", told.index('name="result_ids[]"'))]
    for part in ("Replicates: 7.19", 'data-label="Criterion"', "Pass", "is within", "Typed"):
        assert part in row, part


def test_a_refused_review_says_why_on_the_pages_of_lot_and_sample(site: Site, clock: Clock) -> None:
    code = build.new_product(site)
    build.approved_specification(site, code)
    lot = build.drug_product(site, code)
    sample = build.sampled(site, lot)
    result_id = build.entered(site, sample, "PH", "7.2", "7.2")
    refusal = ReviewResults(
        sample_number=sample,
        result_ids=(result_id,),
        outcome="refused",
        comment="no print-out of the meter",
        credentials=credentials("rhea"),
    )
    act(site, "rhea", review_results, refusal)
    for path in (f"/lots/{lot}", f"/samples/{sample}"):
        assert "no print-out of the meter" in Browser(site, "ben").open(path).text
    assert sample in Browser(site, "ben").open("/work").text


def test_a_release_form_counts_criteria_apart_and_lists_what_was_not_normal(site: Site) -> None:
    lot = build.drug_product(site, _specified(site))
    build.tested(site, lot)
    browser = Browser(site, "cleo")
    hold = browser.send(f"/lots/{lot}/hold", {"reason": "freezer alarm", **signed("cleo")})
    assert hold.status_code == 303
    told = browser.open(f"/lots/{lot}/lift").text
    assert "Not normal" in told
    assert "freezer alarm" in told
    assert "criteria met" in told
    assert "lines pass" not in told


def _specified(site: Site) -> str:
    code = build.new_product(site)
    build.approved_specification(site, code)
    return code


def test_a_decision_that_the_rules_do_not_know_asks_for_no_password(site: Site) -> None:
    build.released(site)
    answer = Browser(site, "cleo").open("/lots/UEV26-0001/release")
    assert "credentials.password" not in Page(answer.text).values
    assert "do not allow" in answer.text


def test_quality_assurance_sees_which_inputs_wait_for_acceptance(site: Site) -> None:
    number = build.material(site)
    told = Browser(site, "cleo").open("/work").text
    assert "To accept for use" in told
    assert number in told


def test_the_summary_of_errors_names_each_field(site: Site) -> None:
    answer = Browser(site, "tom").send("/materials/new", {})
    assert ">Material: this is needed.</a>" in answer.text
    assert ">Quantity: this is needed.</a>" in answer.text


def test_a_stranger_learns_from_a_file_whether_it_is_genuine_and_still_counts(site: Site) -> None:
    certificate = build.released(site)
    browser, pdf = Browser(site), site.documents.get(certificate.pdf_sha256)
    assert browser.open("/verify").status_code == 200
    assert "Genuine and current" in browser.send("/verify", files={"file": ("c.pdf", pdf)}).text
    assert "Altered" in browser.send("/verify", files={"file": ("c.pdf", pdf + b" ")}).text
    assert browser.client.post("/verify").status_code == 422
    Browser(site, "cleo").send(
        "/lots/UEV26-0001/recall", {"recall_class": "II", "reason": "particles seen", **signed("cleo")}
    )
    recalled = browser.send("/verify", files={"file": ("c.pdf", pdf)}).text
    assert "recalled" in recalled.lower()
    assert "Recalled" in recalled


def test_the_public_page_says_as_of_when_and_that_paper_grows_old(site: Site, clock: Clock) -> None:
    build.released(site)
    browser = Browser(site)
    first = browser.open("/c/UEV26-0001")
    assert f'as of <time datetime="{clock():%Y-%m-%dT%H:%M}' in first.text
    assert "Europe/Berlin" in first.text
    assert "Look again before use" in first.text
    assert 'href="tel:' in first.text
    clock.advance(minutes=2)
    later = browser.open("/c/UEV26-0001", **{"if-none-match": first.headers["etag"]})
    assert later.status_code == 200
