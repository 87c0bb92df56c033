"""Out of specification: opened by the system, investigated in phases, concluded by QA; nothing is averaged away."""

from datetime import timedelta

import pytest

from domain.disposition.certificates import draft
from domain.disposition.decisions import LiftHold, RejectLot, lift_hold, reject_lot
from domain.errors import Conflict, DomainError, Forbidden, Invalid, Refused
from domain.laboratory.models import Result
from domain.laboratory.oos_models import Cause, Outcome, SampleFault
from domain.laboratory.queries import lot_results
from domain.laboratory.results import CorrectResult, correct_result
from domain.laboratory.verdict import Verdict
from domain.lots.models import LotState
from domain.store import reading
from domain.work import Site
from tests import build
from tests.cast import act, credentials, raw
from tests.laboratory import control
from tests.laboratory.control import codes
from tests.stages import LOT

pytestmark = pytest.mark.stage("drug_product")


@pytest.fixture
def number(site: Site) -> str:
    """The investigation of a pH of 7.9."""
    build.entered(site, build.sampled(site, LOT), "PH", "7.9", "7.9")
    (oos,) = control.investigations(site)
    return oos.number


def lift(site: Site) -> None:
    act(site, "quin", lift_hold, LiftHold(lot_number=LOT, reason="concluded", credentials=credentials("quin")))


def ph(site: Site) -> Verdict:
    with reading(site.engine) as session:
        found = lot_results(session, build.lot(site, LOT).key)
    return next(line.judgement.verdict for line in found.lines if line.test.code == "PH")


@pytest.mark.requirement("URS-173")
def test_a_failing_result_opens_an_investigation_and_the_system_holds_the_lot(site: Site, number: str) -> None:
    assert number == "OOS26-0001"
    lot = build.lot(site, LOT)
    assert (lot.state, lot.held_from) == (LotState.ON_HOLD, LotState.UNDER_TEST)
    ((actor_id, actor, reason),) = raw(site, "SELECT actor_id, actor, reason FROM lot_move WHERE action = 'hold'")
    assert (actor_id, actor) == (None, "Exolotl")
    assert number in reason


@pytest.mark.requirement("URS-173")
def test_the_other_tests_of_a_held_lot_go_on(site: Site, number: str) -> None:
    build.entered(site, build.sampled(site, LOT), "APP-CAKE", "intact")
    assert len(control.investigations(site)) == 1
    assert number


def test_what_is_calculated_from_a_failing_result_is_in_the_same_investigation(site: Site) -> None:
    build.entered(site, build.sampled(site, LOT), "PART-CONC", "1E10", "1E10", "1E10")
    (oos,) = control.investigations(site)
    tests = raw(site, "SELECT r.test_code FROM oos_result o JOIN result r ON r.id = o.result_id ORDER BY r.id")
    assert [row[0] for row in tests] == ["PART-CONC", "PART-VIAL"]
    assert "PART-VIAL" in oos.text


@pytest.mark.requirement("URS-173")
def test_an_open_investigation_keeps_its_lot_on_hold(site: Site, number: str) -> None:
    with pytest.raises(Refused) as refusal:
        lift(site)
    assert codes(refusal) == {"oos-open"}
    assert number


def test_a_result_under_investigation_is_not_corrected_away(site: Site, number: str) -> None:
    now = site.clock()
    command = CorrectResult(
        result_id=1, reason="typed wrongly", replicates=("7.2", "7.2"), unit="[pH]", started_at=now, finished_at=now
    )
    with pytest.raises(Refused) as refusal:
        act(site, "ben", correct_result, command)
    assert "oos-open" in codes(refusal)
    assert number


@pytest.mark.requirement("URS-175")
def test_nobody_tests_again_before_qa_approved_a_plan(site: Site, number: str) -> None:
    with pytest.raises(Refused) as refusal:
        build.entered(site, build.sampled(site, LOT), "PH", "7.2", "7.2", who="bea")
    assert codes(refusal) == {"oos-retest-unplanned"}
    control.phase_one(site, number)
    control.planned(site, number, approve=False)
    with pytest.raises(Refused) as refusal:
        control.retested(site, number, "7.2", "7.2")
    assert codes(refusal) == {"retest-unplanned"}


@pytest.mark.requirement("URS-175")
def test_a_retest_is_by_an_analyst_of_the_plan_and_never_by_the_first_one(site: Site, number: str) -> None:
    control.phase_one(site, number)
    with pytest.raises(Refused) as refusal:
        control.planned(site, number, analysts=("ben",))
    assert codes(refusal) == {"not-by-same-person"}
    with pytest.raises(Invalid):
        control.planned(site, number, analysts=("tom",))
    control.planned(site, number)
    with pytest.raises(Forbidden):
        control.retested(site, number, "7.2", "7.2", who="ben")
    with pytest.raises(Conflict):
        control.planned(site, number, count=12)


@pytest.mark.requirement("URS-175")
def test_the_planned_number_of_retests_is_neither_exceeded_nor_left_short(site: Site, number: str) -> None:
    control.phase_one(site, number)
    control.produced(site, number)
    control.planned(site, number, count=2)
    site.clock.advance(hours=1)  # type: ignore[attr-defined]
    control.retested(site, number, "7.2", "7.2")
    with pytest.raises(Refused) as refusal:
        control.closed(site, number, Outcome.CONFIRMED)
    assert codes(refusal) == {"retests-missing"}
    control.retested(site, number, "7.3", "7.3")
    with pytest.raises(Refused) as refusal:
        control.retested(site, number, "7.2", "7.2")
    assert codes(refusal) == {"retests-done"}


@pytest.mark.requirement("URS-175")
def test_a_retest_is_corrected_only_by_an_analyst_of_the_plan_and_before_the_conclusion(
    site: Site, number: str
) -> None:
    control.phase_one(site, number)
    control.produced(site, number)
    control.planned(site, number, count=1)
    site.clock.advance(hours=1)  # type: ignore[attr-defined]
    retest, now = control.retested(site, number, "7.9", "7.9"), site.clock()
    command = CorrectResult(
        result_id=retest,
        reason="typed wrongly",
        replicates=("7.2", "7.2"),
        unit="[pH]",
        started_at=now,
        finished_at=now,
    )
    with pytest.raises(Forbidden) as refusal:
        act(site, "ben", correct_result, command)
    assert codes(refusal) == {"not-in-the-plan"}
    early = command.model_copy(update={"started_at": now - timedelta(minutes=90)})
    with pytest.raises(Invalid) as refusal:
        act(site, "bea", correct_result, early)
    assert codes(refusal) == {"before-the-plan"}
    control.closed(site, number, Outcome.CONFIRMED)
    with pytest.raises(Conflict) as refusal:
        act(site, "bea", correct_result, command)
    assert codes(refusal) == {"oos-concluded"}


@pytest.mark.requirement("URS-176")
def test_the_one_who_asked_for_the_retest_is_not_counted_as_its_verifier(site: Site, number: str) -> None:
    control.phase_one(site, number)
    control.planned(site, number, count=1)
    site.clock.advance(hours=1)  # type: ignore[attr-defined]
    control.retested(site, number, "7.2", "7.2")
    sample = raw(site, "SELECT number FROM sample")[0][0]
    with pytest.raises(Refused) as refusal:
        build.reviewed(site, sample, who="rhea")
    assert codes(refusal) == {"not-by-same-person"}
    build.reviewed(site, sample, who="rob")


@pytest.mark.requirement("URS-177")
def test_retests_that_do_not_confirm_stand_beside_the_first_result_which_stays(site: Site, number: str) -> None:
    control.phase_one(site, number)
    control.produced(site, number)
    control.planned(site, number, count=2)
    site.clock.advance(hours=1)  # type: ignore[attr-defined]
    control.retested(site, number, "7.2", "7.2")
    control.retested(site, number, "7.3", "7.3")
    assert ph(site) is Verdict.FAIL
    with pytest.raises(Refused) as refusal:
        control.closed(site, number, Outcome.NOT_CONFIRMED)
    assert codes(refusal) == {"result-not-reviewed"}
    build.reviewed(site, raw(site, "SELECT number FROM sample")[0][0], who="rob")
    control.closed(site, number, Outcome.NOT_CONFIRMED)
    with reading(site.engine) as session:
        line = next(one for one in lot_results(session, build.lot(site, LOT).key).lines if one.test.code == "PH")
    assert line.judgement.verdict is Verdict.PASS
    assert [one.replicates for one in line.unconfirmed] == [("7.9", "7.9")]
    assert [one.replicates for one in line.findings] == [("7.2", "7.2"), ("7.3", "7.3")]
    with reading(site.engine) as session:
        told = {one.kind: one for one in draft(session, site, LOT).investigations}
    assert told["out_of_specification"].reference.startswith(f"{number}: result ")
    assert "not confirmed by the retests" in told["out_of_specification"].words.en
    assert "2 results count" in told["retest"].words.en
    lift(site)
    assert build.lot(site, LOT).state is LotState.UNDER_TEST


@pytest.mark.requirement("URS-177")
def test_one_failing_retest_of_several_is_not_averaged_away(site: Site, number: str) -> None:
    control.phase_one(site, number)
    control.produced(site, number)
    control.planned(site, number, count=2)
    site.clock.advance(hours=1)  # type: ignore[attr-defined]
    control.retested(site, number, "7.0", "7.0")
    control.retested(site, number, "7.8", "7.8")
    build.reviewed(site, raw(site, "SELECT number FROM sample")[0][0], who="rob")
    with pytest.raises(Refused) as refusal:
        control.closed(site, number, Outcome.NOT_CONFIRMED)
    assert codes(refusal) == {"retest-fails"}
    control.closed(site, number, Outcome.CONFIRMED)
    with pytest.raises(Refused) as refusal:
        lift(site)
    assert codes(refusal) == {"oos-confirmed"}
    act(site, "cleo", reject_lot, RejectLot(lot_number=LOT, reason="OOS confirmed", credentials=credentials("cleo")))
    assert build.lot(site, LOT).state is LotState.REJECTED


@pytest.mark.requirement("URS-174", "URS-177")
def test_an_error_of_the_laboratory_makes_the_result_invalid_and_it_stays_visible(site: Site, number: str) -> None:
    control.phase_one(site, number, Cause.CALCULATION)
    control.closed(site, number, Outcome.LABORATORY_ERROR)
    sample = raw(site, "SELECT number FROM sample")[0][0]
    build.entered(site, sample, "PH", "7.2", "7.2")
    with reading(site.engine) as session:
        found = lot_results(session, build.lot(site, LOT).key)
    assert [one.replicates for one in found.invalid] == [("7.9", "7.9")]
    assert [one.replicates for one in found.findings] == [("7.2", "7.2")]
    assert ph(site) is Verdict.PASS


def test_no_error_of_the_laboratory_is_concluded_where_none_was_found(site: Site, number: str) -> None:
    control.phase_one(site, number)
    with pytest.raises(Refused) as refusal:
        control.closed(site, number, Outcome.LABORATORY_ERROR)
    assert codes(refusal) == {"no-assignable-cause"}


@pytest.mark.requirement("URS-174")
def test_phase_one_answers_every_item_and_a_cause_shows_in_one(site: Site, number: str) -> None:
    from domain.laboratory.oos import CHECKLIST, ChecklistAnswer, InvestigateLaboratory, investigate_laboratory

    def investigate(items: list[str], cause: Cause, who: str = "rhea") -> None:
        answers = tuple(ChecklistAnswer(item=item, as_it_should_be=True) for item in items)
        said = {"oos_number": number, "answers": answers, "cause": cause, "text": control.WHY}
        act(site, who, investigate_laboratory, InvestigateLaboratory(**said, credentials=credentials(who)))  # type: ignore[arg-type]

    with pytest.raises(Refused) as refusal:
        investigate(list(CHECKLIST)[1:], Cause.NONE)
    assert codes(refusal) == {"checklist-incomplete"}
    with pytest.raises(Refused) as refusal:
        investigate(list(CHECKLIST), Cause.INSTRUMENT)
    assert codes(refusal) == {"cause-not-shown"}
    with pytest.raises(Forbidden):
        investigate(list(CHECKLIST), Cause.NONE, who="ben")


def test_another_sample_is_tested_only_for_a_fault_of_the_first(site: Site, number: str) -> None:
    control.phase_one(site, number)
    other = build.sampled(site, LOT)
    with pytest.raises(Refused) as refusal:
        control.planned(site, number, sample_number=other)
    assert codes(refusal) == {"resampling-unjustified"}
    control.planned(site, number, sample_number=other, sample_fault=SampleFault.CONTAINER_DAMAGED)


def test_growth_is_not_outweighed_by_retests(site: Site) -> None:
    sample = build.sampled(site, LOT)
    build.entered(site, sample, "STER", "growth")
    (oos,) = control.investigations(site)
    control.phase_one(site, oos.number)
    control.produced(site, oos.number)
    with pytest.raises(Refused) as refusal:
        control.closed(site, oos.number, Outcome.NOT_CONFIRMED)
    assert codes(refusal) == {"contamination-stands", "retest-unplanned"}


@pytest.mark.requirement("URS-177")
def test_an_invalidated_result_is_never_printed(site: Site) -> None:
    sample = build.sampled(site, LOT)
    first = build.entered(site, sample, "PH", "7.9", "7.9")
    (oos,) = control.investigations(site)
    control.phase_one(site, oos.number, Cause.TRANSCRIPTION)
    control.closed(site, oos.number, Outcome.LABORATORY_ERROR)
    lift(site)
    build.tested(site, LOT)
    content = build.released(site, LOT).content
    assert '"7.9"' not in content
    assert f'"result_id":{first},' not in content


def test_an_investigation_cannot_be_concluded_twice(site: Site, number: str) -> None:
    control.phase_one(site, number, Cause.CALCULATION)
    control.closed(site, number, Outcome.LABORATORY_ERROR)
    with pytest.raises(DomainError) as refusal:
        control.closed(site, number, Outcome.CONFIRMED)
    assert codes(refusal) == {"oos-concluded"}
    with reading(site.engine) as session:
        assert session.get_one(Result, 1).replicates == '["7.9", "7.9"]'
