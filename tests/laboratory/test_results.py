"""Entering, correcting, deriving and reviewing results."""

import json
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select

from domain.disposition.queries import my_work
from domain.errors import Conflict, DomainError, Forbidden, Invalid, Refused
from domain.laboratory.models import Result, ResultInput, ReviewOutcome
from domain.laboratory.queries import lot_results
from domain.laboratory.results import CorrectResult, EnterResult, correct_result, enter_result
from domain.laboratory.reviewing import ReviewResults, review_results
from domain.laboratory.samples import DrawSample, draw_sample
from domain.laboratory.values import load_value
from domain.laboratory.verdict import CriterionKind, Verdict
from domain.lots.models import LotState
from domain.store import reading
from domain.work import Site
from tests import build
from tests.cast import Clock, act, actor, credentials
from tests.stages import LOT


def codes(refusal: pytest.ExceptionInfo[Any]) -> set[str]:
    assert isinstance(refusal.value, DomainError)
    return {reason.code for reason in refusal.value.reasons}


pytestmark = pytest.mark.stage("drug_product")


@pytest.fixture
def lot(site: Site) -> str:
    """A drug product with an approved specification."""
    return LOT


@pytest.fixture
def sample(site: Site, lot: str) -> str:
    """Ten vials of it."""
    return build.sampled(site, lot)


def results(site: Site) -> dict[str, list[Result]]:
    with reading(site.engine) as session:
        found: dict[str, list[Result]] = {}
        for row in session.exec(select(Result).order_by(Result.id)):  # type: ignore[arg-type]
            found.setdefault(row.test_code, []).append(row)
        return found


def verdicts(site: Site, lot_number: str) -> dict[str, Verdict]:
    with reading(site.engine) as session:
        found = lot_results(session, build.lot(site, lot_number).key)
        return {line.test.code: line.judgement.verdict for line in found.lines}


@pytest.mark.parametrize("typed", ["", " ", "NaN", "inf", "1e400", "1,5", "٣", "1_000", "0x10", "7.2.1", "seven"])
def test_what_only_looks_like_a_number_is_refused_as_it_is_typed(site: Site, sample: str, typed: str) -> None:
    with pytest.raises(Invalid):
        build.entered(site, sample, "PH", typed, "7.2")
    assert results(site) == {}


@pytest.mark.parametrize("unit", [None, "mL", "{EU}/{vial}", "[EU]/mL"])
def test_a_unit_is_asked_for_and_never_assumed(site: Site, sample: str, unit: str | None) -> None:
    now = site.clock()
    command = EnterResult(
        sample_number=sample,
        method_code="SOP-ENDO",
        replicates=("0.1", "0.1"),
        unit=unit,
        started_at=now,
        finished_at=now,
    )
    with pytest.raises(Invalid) as refusal:
        act(site, "ben", enter_result, command)
    assert codes(refusal) == {"wrong-unit"}


@pytest.mark.requirement("URS-035")
@pytest.mark.parametrize("word", ["Intact", "INTACT", "yes", "ok", "1"])
def test_a_word_outside_the_controlled_list_is_refused(site: Site, sample: str, word: str) -> None:
    with pytest.raises(Invalid) as refusal:
        build.entered(site, sample, "APP-CAKE", word)
    assert codes(refusal) == {"unknown-term"}


@pytest.mark.requirement("URS-038")
def test_replicates_are_kept_as_typed_and_the_mean_is_not_rounded(site: Site, sample: str) -> None:
    build.entered(site, sample, "PART-CONC", "2.40E10", "2.6E10", "2.5E10")
    row = results(site)["PART-CONC"][0]
    assert json.loads(row.replicates) == ["2.40E10", "2.6E10", "2.5E10"]
    assert load_value(row.value).value == 25_000_000_000  # type: ignore[union-attr]
    assert row.n == 3


@pytest.mark.requirement("URS-037")
def test_a_derived_result_pins_its_inputs(site: Site, sample: str) -> None:
    build.entered(site, sample, "PART-CONC", "2.4E10", "2.6E10", "2.5E10")
    build.entered(site, sample, "PROT", "8.1", "8.0", "7.9")
    found = results(site)
    with reading(site.engine) as session:
        inputs = session.exec(select(ResultInput).where(ResultInput.result_id == found["RATIO-PP"][0].id)).all()
    assert {one.input_result_id for one in inputs} == {found["PART-CONC"][0].id, found["PROT"][0].id}
    assert load_value(found["PART-VIAL"][0].value).value == 50_000_000_000  # type: ignore[union-attr]
    assert found["RATIO-PP"][0].purity_class == "B"


def test_a_corrected_input_makes_a_new_derived_result_and_the_old_one_stays(site: Site, sample: str) -> None:
    first = build.entered(site, sample, "PART-CONC", "2.4E10", "2.6E10", "2.5E10")
    now = site.clock()
    command = CorrectResult(
        result_id=first,
        reason="wrong dilution typed",
        replicates=("4.8E10", "5.2E10", "5.0E10"),
        unit="{particles}/mL",
        started_at=now,
        finished_at=now,
    )
    act(site, "ben", correct_result, command)
    old, new = results(site)["PART-VIAL"]
    assert new.replaces_id == old.id
    assert load_value(new.value).value == 100_000_000_000  # type: ignore[union-attr]
    with pytest.raises(Conflict):
        act(site, "ben", correct_result, command)


def test_a_test_is_entered_once_per_sample(site: Site, sample: str) -> None:
    build.entered(site, sample, "PH", "7.2", "7.2")
    with pytest.raises(Conflict) as refusal:
        build.entered(site, sample, "PH", "7.3", "7.3")
    assert codes(refusal) == {"result-exists"}


@pytest.mark.requirement("URS-038")
def test_a_second_sample_does_not_average_a_failure_away(site: Site, lot: str, sample: str) -> None:
    build.entered(site, sample, "PH", "7.9", "7.9")
    with pytest.raises(Refused) as refusal:
        build.entered(site, build.sampled(site, lot), "PH", "7.2", "7.2")
    assert codes(refusal) == {"oos-retest-unplanned"}
    assert verdicts(site, lot)["PH"] is Verdict.FAIL


@pytest.mark.requirement("URS-034")
def test_less_than_a_bound_is_never_the_bound(site: Site, lot: str, sample: str) -> None:
    build.entered(site, sample, "ENDO", "<1.0", "<1.0")
    assert verdicts(site, lot)["ENDO"] is Verdict.INDETERMINATE


def test_what_was_not_tested_is_missing(site: Site, lot: str, sample: str) -> None:
    assert set(verdicts(site, lot).values()) == {Verdict.MISSING}
    assert sample


@pytest.mark.requirement("URS-043")
def test_no_growth_is_final_after_fourteen_days_and_growth_at_once(site: Site, lot: str, sample: str) -> None:
    started = site.clock()
    assert isinstance(site.clock, Clock)
    site.clock.advance(days=13, hours=23)
    with pytest.raises(Refused) as refusal:
        build.entered(site, sample, "STER", "no growth", started_at=started)
    assert codes(refusal) == {"too-early"}
    site.clock.advance(hours=1)
    build.entered(site, sample, "STER", "no growth", started_at=started)
    build.entered(site, build.sampled(site, lot), "STER", "growth")
    assert build.lot(site, lot).state is LotState.ON_HOLD


def test_an_inoculation_cannot_be_backdated_before_the_sample(site: Site, sample: str) -> None:
    started = site.clock() - timedelta(days=15)
    with pytest.raises(Refused) as refusal:
        build.entered(site, sample, "STER", "no growth", started_at=started)
    assert "before-the-sample" in codes(refusal)


@pytest.mark.requirement("URS-039")
def test_nobody_reviews_a_result_of_their_own(site: Site, sample: str) -> None:
    build.entered(site, sample, "PH", "7.2", "7.2")
    with pytest.raises(Forbidden):
        build.reviewed(site, sample, who="ben")


def test_a_result_is_reviewed_once(site: Site, sample: str) -> None:
    key = build.entered(site, sample, "PH", "7.2", "7.2")
    command = ReviewResults(sample_number=sample, result_ids=(key,), credentials=credentials("rhea"))
    act(site, "rhea", review_results, command)
    with pytest.raises(Refused) as refusal:
        act(site, "rhea", review_results, command)
    assert codes(refusal) == {"reviewed-already"}


@pytest.mark.requirement("URS-039")
def test_a_refused_result_must_be_corrected_and_does_not_count(site: Site, lot: str, sample: str) -> None:
    key = build.entered(site, sample, "PH", "7.2", "7.2")
    said = {
        "sample_number": sample,
        "result_ids": (key,),
        "outcome": ReviewOutcome.REFUSED,
        "credentials": credentials("rhea"),
    }
    with pytest.raises(Invalid):
        act(site, "rhea", review_results, ReviewResults(**said))  # type: ignore[arg-type]
    act(site, "rhea", review_results, ReviewResults(**said, comment="electrode not calibrated"))  # type: ignore[arg-type]
    with reading(site.engine) as session:
        told = {reason.code for reason in lot_results(session, build.lot(site, lot).key).not_final()}
    assert "result-refused" in told


@pytest.mark.requirement("URS-031")
def test_a_later_specification_cannot_make_a_result_pass(site: Site, lot: str, sample: str) -> None:
    build.entered(site, sample, "PH", "7.9", "7.9")
    wider = {"PH": {"kind": CriterionKind.BETWEEN, "lower": "6.0", "upper": "9.0"}}
    build.approved_specification(site, panel=wider)
    build.sampled(site, lot)
    assert verdicts(site, lot)["PH"] is Verdict.FAIL


def test_results_are_closed_once_the_lot_is_with_qa(site: Site, lot: str) -> None:
    build.tested(site, lot)
    with pytest.raises(Refused) as refusal:
        build.entered(site, build.sampled(site, lot), "PH", "7.2", "7.2")
    assert "lot-decided" in codes(refusal)


@pytest.mark.requirement("URS-031")
def test_a_drug_product_without_an_approved_specification_is_not_sampled(site: Site) -> None:
    number = build.drug_product(site, build.new_product(site, code="NO-SPEC-1", lot_series="NSP"))
    with pytest.raises(Refused) as refusal:
        build.sampled(site, number)
    assert codes(refusal) == {"no-specification"}


@pytest.mark.parametrize(
    ("test", "replicates"),
    [
        ("PH", ("-4", "25")),
        ("PH", ("14.1", "7.2")),
        ("ENDO", ("-0.25", "-0.25")),
        ("ENDO", ("<-5", "<-5")),
        ("PART-CONC", ("-1E9", "1E10", "1E10")),
        ("PROT", ("8.1", "-0.1", "8.0")),
    ],
)
def test_a_figure_that_cannot_be_is_refused_as_it_is_typed(
    site: Site, sample: str, test: str, replicates: tuple[str, ...]
) -> None:
    with pytest.raises(Invalid) as refusal:
        build.entered(site, sample, test, *replicates)
    assert codes(refusal) == {"value-outside-hard-bounds"}
    assert results(site) == {}


@pytest.mark.parametrize("typed", ["0.04", "<0.01", "0"])
def test_a_figure_below_what_the_method_can_quantify_is_written_as_less_than_it(
    site: Site, sample: str, typed: str
) -> None:
    with pytest.raises(Invalid) as refusal:
        build.entered(site, sample, "ENDO", typed, typed)
    assert codes(refusal) == {"below-quantification"}


def test_my_work_lists_the_sample_until_every_required_result_is_there(site: Site, lot: str, sample: str) -> None:
    def waiting() -> list[str]:
        with reading(site.engine) as session:
            return [one.number for one in my_work(session, site.today(), actor(site, "ben")).to_test]

    assert waiting() == [sample]
    build.entered(site, sample, "PH", "7.2", "7.2")
    assert waiting() == [sample]
    refused = build.entered(site, sample, "APP-CAKE", "intact")
    said = {"sample_number": sample, "result_ids": (refused,), "comment": "no photograph"}
    command = ReviewResults(**said, outcome=ReviewOutcome.REFUSED, credentials=credentials("rhea"))  # type: ignore[arg-type]
    act(site, "rhea", review_results, command)
    started = site.clock()
    assert isinstance(site.clock, Clock)
    site.clock.advance(days=14)
    for test, (_, usual) in build.PANEL.items():
        if usual and test not in ("PH", "APP-CAKE"):
            build.entered(site, sample, test, *usual, started_at=started)
    assert waiting() == [sample]
    now = site.clock()
    correction = CorrectResult(
        result_id=refused, reason="photographed", replicates=("intact",), started_at=now, finished_at=now
    )
    act(site, "ben", correct_result, correction)
    assert waiting() == []


def test_quality_assurance_sees_the_materials_that_wait_for_acceptance(site: Site) -> None:
    number = build.material(site)
    with reading(site.engine) as session:
        waiting = my_work(session, site.today(), actor(site, "cleo")).to_accept
    assert number in [lot.lot_number for lot in waiting]


@pytest.mark.requirement("URS-043")
def test_a_back_dated_sample_does_not_make_sterility_early(site: Site, lot: str) -> None:
    assert isinstance(site.clock, Clock)
    made = site.clock()
    site.clock.advance(days=15)
    command = DrawSample(lot_number=lot, quantity=build.amount("10", "{vial}"), taken_at=made)
    number = act(site, "ben", draw_sample, command).number
    with pytest.raises(Refused) as refusal:
        build.entered(site, number, "STER", "no growth", started_at=made)
    assert codes(refusal) == {"too-early"}
    site.clock.advance(days=13)
    build.entered(site, number, "STER", "no growth", started_at=made)
