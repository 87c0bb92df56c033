"""Ways in which a wrong lot could get past the release, each tried once."""

import json
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select

from domain.certificates.compose import _origin
from domain.disposition.decisions import (
    AcceptLot,
    HoldLot,
    LiftHold,
    RecallLot,
    SubmitLot,
    accept_lot,
    hold_lot,
    lift_hold,
    recall_lot,
    submit_lot,
)
from domain.errors import DomainError, Refused
from domain.laboratory.defining import DefineMethod, define_method
from domain.laboratory.models import ReviewOutcome
from domain.laboratory.reviewing import ReviewResults, review_results
from domain.laboratory.values import Qualitative
from domain.laboratory.verdict import Criterion, CriterionKind, Verdict, judge
from domain.lots.models import LotState
from domain.manufacturing.donors import WithdrawConsent, withdraw_consent
from domain.manufacturing.models import Reading, Step
from domain.manufacturing.readings import correct_reading
from domain.manufacturing.step_commands import CorrectReading
from domain.people.operations import COMMAND_LINE, GrantRole, RevokeRole, grant_role, revoke_role
from domain.permissions import Role
from domain.store import reading
from domain.work import Site
from tests import build
from tests.cast import Clock, act, credentials, raw
from tests.stages import LOT

MADE = pytest.mark.stage("drug_product")
AT_QA = pytest.mark.stage("in_review")
K = build.K


def codes(refusal: pytest.ExceptionInfo[Any]) -> set[str]:
    assert isinstance(refusal.value, DomainError)
    return {reason.code for reason in refusal.value.reasons}


def number_of(site: Site, kind: str) -> str:
    return str(raw(site, "SELECT lot_number FROM lot WHERE kind = :kind ORDER BY id", kind=kind)[0][0])


def hold(site: Site, number: str, who: str = "cleo") -> None:
    act(site, who, hold_lot, HoldLot(lot_number=number, reason="suspicion", credentials=credentials(who)))


def lift(site: Site, number: str, who: str = "quin") -> None:
    act(site, who, lift_hold, LiftHold(lot_number=number, reason="looked at", credentials=credentials(who)))


@MADE
def test_the_figure_on_the_certificate_is_that_of_the_sample_it_names(site: Site) -> None:
    first = build.tested(site, LOT, submit=False)
    second = build.sampled(site, LOT)
    started = site.clock()
    newest = build.entered(site, second, "PH", "7.5", "7.5", started_at=started)
    build.reviewed(site, second)
    assert first != second
    act(site, "rhea", submit_lot, SubmitLot(lot_number=LOT, reason="all done", credentials=credentials("rhea")))
    content = build.released(site, LOT).content
    line = next(one for one in json.loads(content)["tests"] if one["code"] == "PH")
    assert line["result_id"] == newest
    assert line["result"]["en"] == "7.5"


@MADE
@pytest.mark.parametrize(("test", "word"), [("STER", "growth"), ("MYCO", "detected")])
def test_growth_in_a_lot_on_the_way_stands_against_what_was_made_of_it(site: Site, test: str, word: str) -> None:
    """ICH Q5A: mycoplasma and viruses are sought in the harvest, before clarification could hide them."""
    code = "UC-EV-50"
    filled = build.vials(site, build.bulk(site, build.bank(site)), code)
    sample = build.sampled(site, filled, ("4", "{vial}"))
    left = ("100", "{vial}")
    frozen = build.step(site, "lyophilization", {filled: left}, [(K.LYOPHILIZED_VIALS, *left)], product=code).lot
    packed = build.step(site, "packaging", {frozen: left}, [(K.DRUG_PRODUCT, *left)], product=code).lot
    build.entered(site, sample, test, word)
    assert build.lot(site, filled).state is LotState.ON_HOLD
    build.tested(site, packed)
    with pytest.raises(Refused) as refusal:
        build.released(site, packed)
    assert codes(refusal) == {"ancestor-result-fail", "ancestor-result-not-final", "ancestor-barred"}
    build.reviewed(site, sample)
    with pytest.raises(Refused) as refusal:
        build.released(site, packed)
    assert codes(refusal) == {"ancestor-result-fail", "ancestor-barred", "signature-void"}


@MADE
def test_a_result_nobody_asked_for_is_no_less_true(site: Site) -> None:
    build.methods(site, ("VIRUS",))
    sample = build.tested(site, LOT, submit=False)
    build.entered(site, sample, "VIRUS", "detected")
    build.reviewed(site, sample)
    assert build.lot(site, LOT).state is LotState.ON_HOLD
    with pytest.raises(Refused) as refusal:
        build.released(site, LOT)
    assert codes(refusal) == {"wrong-state", "result-fail", "oos-open", "signature-missing"}


@pytest.mark.parametrize("word", ["invalid", "does not conform"])
def test_an_input_is_not_accepted_on_a_test_that_is_invalid_or_does_not_conform(site: Site, word: str) -> None:
    test = "STER" if word == "invalid" else "CCI"
    build.methods(site, (test,))
    number = build.material(site)
    sample = build.sampled(site, number, ("10", "mL"))
    site.clock.advance(days=15)  # type: ignore[attr-defined]
    build.entered(site, sample, test, word, started_at=site.clock() - timedelta(days=15))
    build.reviewed(site, sample)
    with pytest.raises(Refused) as refusal:
        build.accepted(site, number)
    held = {"wrong-state", "oos-open"} if word == "does not conform" else set()
    assert codes(refusal) == {"result-fail"} | held


@AT_QA
@pytest.mark.parametrize("kind", ["master_cell_bank", "raw_material"])
def test_a_hold_is_not_lifted_back_to_released_over_a_barred_ancestor(site: Site, kind: str) -> None:
    build.released(site, LOT)
    hold(site, LOT)
    recall = RecallLot(
        lot_number=number_of(site, kind), recall_class="I", reason="contaminated", credentials=credentials("cleo")
    )
    act(site, "cleo", recall_lot, recall)
    with pytest.raises(Refused) as refusal:
        lift(site, LOT)
    assert codes(refusal) == {"ancestor-not-released"}
    assert build.lot(site, LOT).state is LotState.ON_HOLD


@AT_QA
def test_a_hold_is_not_lifted_back_to_released_over_a_donor_who_is_not_eligible(site: Site) -> None:
    build.released(site, LOT)
    hold(site, LOT)
    donor = str(raw(site, "SELECT pseudonym FROM donor ORDER BY id")[0][0])
    withdrawal = WithdrawConsent(pseudonym=donor, withdrawn_on=site.today(), reason="by letter")
    act(site, "cleo", withdraw_consent, withdrawal)
    with pytest.raises(Refused) as refusal:
        lift(site, LOT)
    assert codes(refusal) == {"donor-not-eligible"}


@AT_QA
def test_a_hold_before_the_release_is_lifted_whatever_the_ancestors_are(site: Site) -> None:
    """The release asks again; till then a lot must be able to go back to where it was."""
    hold(site, LOT)
    hold(site, number_of(site, "master_cell_bank"))
    lift(site, LOT)
    assert build.lot(site, LOT).state is LotState.QA_REVIEW


def test_who_received_a_material_does_not_accept_it_after_changing_sides(site: Site) -> None:
    number = build.material(site)
    act(site, COMMAND_LINE, revoke_role, RevokeRole(username="tom", role=Role.TECHNICIAN))
    act(site, COMMAND_LINE, grant_role, GrantRole(username="tom", role=Role.QA))
    with pytest.raises(Refused) as refusal:
        act(site, "tom", accept_lot, AcceptLot(lot_number=number, credentials=credentials("tom")))
    assert codes(refusal) == {"not-by-same-person"}


@MADE
def test_a_later_revision_of_a_method_cannot_ask_for_less_than_the_one_approved(site: Site) -> None:
    laxer = DefineMethod(code="SOP-PH", test_code="PH", name="pH", principle="one glance", replicates=1, rule="single")
    act(site, "rhea", define_method, laxer)
    build.tested(site, LOT, PH=("7.2",))
    with pytest.raises(Refused) as refusal:
        build.released(site, LOT)
    assert codes(refusal) == {"result-indeterminate"}


def test_a_control_that_failed_is_not_reported_even_where_nothing_is_judged() -> None:
    found = judge(Criterion(kind=CriterionKind.REPORT_ONLY), Qualitative(term="invalid"))
    assert found.verdict is Verdict.INDETERMINATE


def test_a_lot_of_which_nothing_was_tested_is_not_submitted_although_every_line_is_optional(site: Site) -> None:
    code = build.new_product(site)
    build.approved_specification(site, code, {"PROT": {"kind": CriterionKind.REPORT_ONLY, "required": False}})
    number = build.drug_product(site, code)
    build.sampled(site, number)
    with pytest.raises(Refused) as refusal:
        act(site, "rhea", submit_lot, SubmitLot(lot_number=number, credentials=credentials("rhea")))
    assert codes(refusal) == {"result-missing"}


def test_the_passage_on_the_certificate_is_that_of_the_last_expansion_not_of_the_last_correction(site: Site) -> None:
    thawed, basal = build.bank(site), build.released_material(site)
    made, all_cells = [(K.CULTURE, "180", "10*6.{cells}")], ("180", "10*6.{cells}")
    inputs = {thawed: ("1", "{vial}"), basal: ("1", "L")}
    first = build.step(site, "expansion", inputs, made, passage_number="3")
    second = build.step(site, "expansion", {first.lot: all_cells}, made, passage_number="4")
    collected = [(K.CONDITIONED_MEDIUM, "2", "L")]
    medium = build.step(site, "conditioning", {second.lot: all_cells, basal: ("2", "L")}, collected).lot
    with reading(site.engine) as session:
        early = session.exec(
            select(Reading).join(Step).where(Step.number == first.step, Reading.parameter == "passage_number")
        ).one()
    correction = CorrectReading(reading_id=early.key, value="2", reason="counted from the thaw")
    act(site, "tom", correct_reading, correction)
    with reading(site.engine) as session:
        assert _origin(session, build.lot(site, medium)).passage == "P4"


@MADE
def test_a_refused_result_keeps_its_lot_from_qa_until_it_is_corrected(site: Site) -> None:
    sample = build.tested(site, LOT, submit=False, PROT=None)
    result = build.entered(site, sample, "PROT", "8.0", "8.0", "8.0")
    said = {"result_ids": (result,), "outcome": ReviewOutcome.REFUSED, "comment": "wrong curve"}
    act(site, "rhea", review_results, ReviewResults(sample_number=sample, credentials=credentials("rhea"), **said))
    build.reviewed(site, sample)
    with pytest.raises(Refused) as refusal:
        act(site, "rhea", submit_lot, SubmitLot(lot_number=LOT, credentials=credentials("rhea")))
    assert codes(refusal) == {"result-refused"}


@AT_QA
def test_no_result_reaches_a_lot_that_is_with_qa_even_on_hold(site: Site) -> None:
    sample = build.sampled(site, LOT)
    hold(site, LOT)
    with pytest.raises(Refused) as refusal:
        build.entered(site, sample, "PH", "7.2", "7.2")
    assert codes(refusal) == {"lot-decided"}
    assert isinstance(site.clock, Clock)
