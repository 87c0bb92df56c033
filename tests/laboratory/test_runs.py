"""Runs with controls, linear ranges, approved methods, several specifications, contract laboratories, alerts."""

import json
from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from domain.disposition.decisions import SubmitLot, submit_lot
from domain.equipment.register import RegisterEquipment, register_equipment
from domain.errors import Conflict, Invalid, Refused
from domain.laboratory.contract import (
    CheckTranscription,
    EnterContractResult,
    KeepReport,
    check_transcription,
    enter_contract_result,
    keep_report,
)
from domain.laboratory.files import KeepFile, keep_file
from domain.laboratory.methods import Check, CheckKind
from domain.laboratory.models import Validation
from domain.laboratory.queries import all_lot_results, lot_results
from domain.laboratory.results import CorrectResult, correct_result
from domain.laboratory.runs import StartRun, start_run
from domain.laboratory.specification_queries import open_lots_touched
from domain.laboratory.specifications import (
    ApproveSpecification,
    DraftSpecification,
    LineDraft,
    approve_specification,
    draft_specification,
)
from domain.laboratory.trends import AssessAlert, assess_alert
from domain.laboratory.values import NotReportable, Numeric, load_value
from domain.laboratory.verdict import CriterionKind, Verdict
from domain.lots.models import LotState
from domain.people.training import RecordTraining, RequireTraining, TrainedFor, record_training, require_training
from domain.store import reading
from domain.work import Site
from tests import build
from tests.cast import act, credentials, raw
from tests.laboratory import control
from tests.laboratory.control import codes
from tests.stages import LOT

pytestmark = pytest.mark.stage("drug_product")


def found(site: Site) -> Any:
    with reading(site.engine) as session:
        return lot_results(session, build.lot(site, LOT).key)


def waiting(site: Site) -> set[str]:
    """Why the lot is not submitted now."""
    with pytest.raises(Refused) as refusal:
        act(site, "rhea", submit_lot, SubmitLot(lot_number=LOT, credentials=credentials("rhea")))
    return codes(refusal)


@pytest.mark.requirement("URS-167")
def test_a_run_that_fails_its_controls_is_invalid_and_no_result_out_of_specification(site: Site) -> None:
    control.method(site, "ENDO", lod="0.05", loq="0.05", suitability=[control.RECOVERY])
    sample = build.sampled(site, LOT)
    run = control.run(site, "ENDO")
    control.entered(site, sample, "ENDO", "0.9", "0.9", run_number=run)
    assert control.investigations(site) == []
    assert control.concluded(site, run, spike_recovery="212") is False
    assert control.investigations(site) == []
    assert build.lot(site, LOT).state is LotState.UNDER_TEST
    results = found(site)
    assert results.findings == ()
    assert [one.replicates for one in results.invalid] == [("0.9", "0.9")]
    with pytest.raises(Refused) as refusal:
        control.entered(site, sample, "ENDO", "<0.05", "<0.05", run_number=run)
    assert codes(refusal) == {"run-invalid"}
    again = control.run(site, "ENDO")
    control.entered(site, sample, "ENDO", "<0.05", "<0.05", run_number=again)
    assert control.concluded(site, again, spike_recovery="97") is True
    assert next(one for one in found(site).lines if one.test.code == "ENDO").judgement.verdict is Verdict.PASS


@pytest.mark.requirement("URS-167")
def test_a_failing_result_counts_from_the_moment_its_run_is_valid(site: Site) -> None:
    control.method(site, "ENDO", lod="0.05", loq="0.05", suitability=[control.RECOVERY])
    run = control.run(site, "ENDO")
    control.entered(site, build.sampled(site, LOT), "ENDO", "0.9", "0.9", run_number=run)
    assert "run-open" in waiting(site)
    control.concluded(site, run, spike_recovery="97")
    assert [one.test_code for one in control.investigations(site)] == ["ENDO"]
    assert build.lot(site, LOT).state is LotState.ON_HOLD


def test_a_method_with_controls_takes_no_result_outside_a_run(site: Site) -> None:
    control.method(site, "ENDO", suitability=[control.RECOVERY])
    with pytest.raises(Refused) as refusal:
        control.entered(site, build.sampled(site, LOT), "ENDO", "<0.05", "<0.05")
    assert codes(refusal) == {"run-needed"}


def test_a_run_is_concluded_once_with_every_check_and_no_other(site: Site) -> None:
    control.method(site, "ENDO", suitability=[control.RECOVERY])
    run = control.run(site, "ENDO")
    for checks in ({}, {"spike_recovery": "97", "blank": "1"}):
        with pytest.raises(Invalid) as refusal:
            control.concluded(site, run, **checks)
        assert codes(refusal) <= {"check-missing", "check-unknown"}
    assert control.concluded(site, run, spike_recovery="97", because="power cut while reading") is False
    with pytest.raises(Conflict):
        control.concluded(site, run, spike_recovery="97")


@pytest.mark.parametrize("typed", ["NaN", "1e400", "1,5", "٣", "1_000", "good"])
def test_a_check_that_only_looks_like_a_number_is_refused(site: Site, typed: str) -> None:
    control.method(site, "ENDO", suitability=[control.RECOVERY])
    with pytest.raises(Invalid):
        control.concluded(site, control.run(site, "ENDO"), spike_recovery=typed)


def test_a_check_that_cannot_fail_cannot_be_defined() -> None:
    with pytest.raises(ValidationError):
        Check(name="blank", check=CheckKind.BLANK, kind=CriterionKind.REPORT_ONLY)


@pytest.mark.requirement("URS-161")
def test_a_value_outside_the_linear_range_is_not_reportable_whatever_the_dilution_makes_of_it(site: Site) -> None:
    control.method(site, "PROT", linear_low="2", linear_high="20")
    sample = build.sampled(site, LOT)
    with pytest.raises(Invalid) as refusal:
        control.entered(site, sample, "PROT", "8", "8", "8")
    assert codes(refusal) == {"dilution-needed"}
    control.entered(site, sample, "PROT", "25", "19", "19", dilution="1")
    (first,) = found(site).findings
    assert isinstance(load_value(first.result.value), NotReportable)
    assert control.investigations(site) == []
    control.entered(site, build.sampled(site, LOT), "PROT", "2.5", "2.4", "2.6", dilution="10")
    value = load_value(found(site).findings[-1].result.value)
    assert value == Numeric(value="25.0", unit="ug/mL")  # type: ignore[arg-type]


@pytest.mark.requirement("URS-161")
def test_a_bound_moves_with_the_dilution(site: Site) -> None:
    sample = build.sampled(site, LOT)
    control.entered(site, sample, "ENDO", "<0.05", "<0.05", dilution="100")
    (one,) = found(site).findings
    assert load_value(one.result.value).bound == 5  # type: ignore[union-attr]
    assert (
        next(line for line in found(site).lines if line.test.code == "ENDO").judgement.verdict is Verdict.INDETERMINATE
    )


def _controlled(site: Site, code: str = "SPEC-C", **more: Any) -> tuple[str, int]:
    line = LineDraft(test_code="PH", method_code="SOP-PH", kind=CriterionKind.BETWEEN, lower="7.0", upper="7.4")
    said: dict[str, Any] = {"code": code, "product_code": "UC-EV-50", "effective_from": site.today(), "lines": (line,)}
    drafted = act(site, "rhea", draft_specification, DraftSpecification(**said | more))
    return drafted.code, drafted.revision


def _approve(site: Site, code: str, revision: int) -> None:
    command = ApproveSpecification(code=code, revision=revision, credentials=credentials("cleo"))
    act(site, "cleo", approve_specification, command)


@pytest.mark.requirement("URS-160")
def test_a_controlled_specification_is_approved_only_with_approved_methods(site: Site) -> None:
    control.method(site, "PH", validation=Validation.VERIFIED)
    drafted = _controlled(site, controlled=True)
    with pytest.raises(Refused) as refusal:
        _approve(site, *drafted)
    assert codes(refusal) == {"method-not-approved"}
    control.approved(site, "SOP-PH", 2)
    _approve(site, *drafted)
    with pytest.raises(Refused) as refusal:
        _controlled(site, "SPEC-D")
    assert codes(refusal) == {"controlled-once"}


@pytest.mark.requirement("URS-160")
def test_a_later_revision_that_qa_has_not_approved_gives_no_verdict_where_methods_are_controlled(site: Site) -> None:
    control.method(site, "PH")
    control.approved(site, "SOP-PH", 2)
    _approve(site, *_controlled(site, controlled=True))
    sample = build.sampled(site, LOT)
    control.method(site, "PH")
    control.entered(site, sample, "PH", "7.2", "7.2")
    assert found(site).lines[0].judgement.verdict is Verdict.INDETERMINATE
    control.approved(site, "SOP-PH", 3)
    assert found(site).lines[0].judgement.verdict is Verdict.PASS


def test_a_method_that_is_not_validated_or_ones_own_is_not_approved(site: Site) -> None:
    control.method(site, "PH", validation=Validation.NOT_VALIDATED)
    with pytest.raises(Refused) as refusal:
        control.approved(site, "SOP-PH", 2)
    assert codes(refusal) == {"method-not-validated"}


@pytest.mark.requirement("URS-162")
def test_a_lot_is_judged_by_the_specification_of_each_market_and_released_only_if_it_meets_all(site: Site) -> None:
    _approve(site, *_controlled(site, market="Switzerland"))
    build.tested(site, LOT, submit=False)
    with reading(site.engine) as session:
        every = all_lot_results(session, build.lot(site, LOT).key)
        primary = lot_results(session, build.lot(site, LOT).key)
    assert [one.specification.label for one in every if one.specification] == ["SPEC-UC-EV-50 v1", "SPEC-C v1"]
    assert primary.specification is not None
    assert primary.specification.label == "SPEC-UC-EV-50 v1"
    assert [line.judgement.verdict for line in every[1].lines] == [Verdict.PASS]


@pytest.mark.requirement("URS-162")
def test_what_fails_the_specification_of_one_market_alone_is_out_of_specification(site: Site) -> None:
    _approve(site, *_controlled(site, market="Switzerland"))
    build.entered(site, build.sampled(site, LOT), "PH", "7.5", "7.5")
    (oos,) = control.investigations(site)
    assert "7.4" in oos.text


@pytest.mark.requirement("URS-163")
def test_an_approval_shows_the_open_lots_that_a_new_version_touches(site: Site) -> None:
    build.sampled(site, LOT)
    code, revision = _controlled(site, "SPEC-UC-EV-50")
    with reading(site.engine) as session:
        (touched,) = open_lots_touched(session, code, revision)
    assert (touched.lot_number, touched.specification) == (LOT, "SPEC-UC-EV-50 v1")


def test_a_specification_cannot_be_edited_after_the_result(site: Site) -> None:
    build.entered(site, build.sampled(site, LOT), "PH", "7.5", "7.5")
    with pytest.raises(Exception, match="never changed"), site.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE specification_line SET upper = '9.0'")
    _approve(site, *_controlled(site, "SPEC-UC-EV-50"))
    assert found(site).lines[1].criterion.upper == "7.6"


def test_a_result_changed_after_its_review_needs_a_new_one(site: Site) -> None:
    sample = build.sampled(site, LOT)
    first = build.entered(site, sample, "PH", "7.2", "7.2")
    build.reviewed(site, sample)
    now = site.clock()
    said: dict[str, Any] = {"reason": "other print-out", "replicates": ("7.3", "7.3"), "unit": "[pH]"}
    act(site, "ben", correct_result, CorrectResult(result_id=first, started_at=now, finished_at=now, **said))
    assert "result-not-reviewed" in waiting(site)


@pytest.mark.requirement("URS-178")
def test_a_passing_result_beyond_its_alert_limit_opens_an_alert_and_holds_nothing(site: Site) -> None:
    line = LineDraft(
        test_code="PH", method_code="SOP-PH", kind=CriterionKind.BETWEEN, lower="6.8", upper="7.6", alert_upper="7.40"
    )
    _approve(site, *_controlled(site, "SPEC-UC-EV-50", lines=(line,)))
    build.entered(site, build.sampled(site, LOT), "PH", "7.5", "7.5")
    assert build.lot(site, LOT).state is LotState.UNDER_TEST
    assert control.investigations(site) == []
    assert "alert-open" in waiting(site)
    ((alert,),) = raw(site, "SELECT id FROM trend_alert")
    act(site, "rhea", assess_alert, AssessAlert(alert_id=alert, text="new buffer lot, within its range"))
    assert "alert-open" not in waiting(site)


def test_an_alert_limit_outside_the_limit_it_warns_of_is_refused(site: Site) -> None:
    line = LineDraft(test_code="PH", method_code="SOP-PH", kind=CriterionKind.AT_MOST, upper="7.6", alert_upper="7.7")
    with pytest.raises(Invalid) as refusal:
        _controlled(site, lines=(line,))
    assert codes(refusal) == {"alert-outside-limit"}


def contracted(site: Site, *replicates: str) -> tuple[int, str]:
    """A pH from the report of a contract laboratory; returns the result's id and the sample."""
    data = KeepFile(name="report.pdf", media_type="application/pdf", data=b"%PDF-1.7 pH 7.21")
    sha256 = act(site, "ben", keep_file, data)
    said: dict[str, Any] = {"laboratory": "Contract lab", "report_number": "R-4711"}
    report = KeepReport(accreditation="ISO/IEC 17025", sha256=sha256, received_on=site.today(), **said)
    act(site, "ben", keep_report, report)
    sample, now = build.sampled(site, LOT), site.clock()
    command = EnterContractResult(
        sample_number=sample,
        method_code="SOP-PH",
        replicates=replicates,
        unit="[pH]",
        started_at=now,
        finished_at=now,
        **said,
    )
    return act(site, "ben", enter_contract_result, command).key, sample


@pytest.mark.requirement("URS-168")
def test_a_figure_of_a_contract_laboratory_counts_once_a_second_person_typed_the_same(site: Site) -> None:
    result, sample = contracted(site, "7.21", "7.20")
    build.reviewed(site, sample)
    assert "transcription-unchecked" in waiting(site)
    with pytest.raises(Refused) as refusal:
        act(
            site,
            "rhea",
            check_transcription,
            CheckTranscription(result_id=result, replicates=("7.21", "7.2"), unit="[pH]"),
        )
    (reason,) = refusal.value.reasons
    assert reason.code == "transcription-differs"
    assert "'7.20'" in reason.text
    assert "'7.2'" in reason.text
    same = CheckTranscription(result_id=result, replicates=("7.21", "7.20"), unit="[pH]")
    act(site, "rhea", check_transcription, same)
    assert "transcription-unchecked" not in waiting(site)
    with pytest.raises(Conflict):
        act(site, "rob", check_transcription, same)


@pytest.mark.requirement("URS-179")
def test_a_derived_result_names_the_version_of_its_formula_and_the_units_of_its_inputs(site: Site) -> None:
    sample = build.sampled(site, LOT)
    build.entered(site, sample, "PART-CONC", "2.4E10", "2.6E10", "2.5E10")
    rows = raw(
        site,
        "SELECT r.formula, r.unit, i.name, i.value FROM result r JOIN result_input i ON i.result_id = r.id"
        " WHERE r.test_code = 'PART-VIAL' ORDER BY i.id",
    )
    assert {(row[0], row[1]) for row in rows} == {("particles-per-vial/1", "{particles}/{vial}")}
    inputs = {row[2]: row[3] for row in rows}
    assert json.loads(inputs["concentration"])["unit"] == "{particles}/mL"
    assert inputs["volume"].startswith("2")


@pytest.mark.requirement("URS-171")
def test_a_rapid_sterility_method_counts_only_where_it_is_validated_for_the_product(site: Site) -> None:
    control.method(site, "STER-R")
    sample, started = build.sampled(site, LOT), site.clock()
    site.clock.advance(days=8)  # type: ignore[attr-defined]
    for said in ({}, {"validation": "validated"}, {"validation": "validated", "validated_for": ["OTHER-1"]}):
        control.method(site, "STER-R", **said)
        with pytest.raises(Refused) as refusal:
            control.entered(site, sample, "STER-R", "no growth", started_at=started)
        assert codes(refusal) == {"rapid-not-validated"}
    control.method(site, "STER-R", validation="validated", validated_for=["UC-EV-50"])
    control.entered(site, sample, "STER-R", "no growth", started_at=started)
    assert started + timedelta(days=7) < site.clock()


def test_a_method_that_asks_for_training_is_used_by_trained_people_only(site: Site) -> None:
    said: dict[str, Any] = {"subject": TrainedFor.METHOD, "code": "SOP-PH"}
    act(site, "rhea", require_training, RequireTraining(reason="new electrode", **said))
    sample, today = build.sampled(site, LOT), site.today()
    with pytest.raises(Refused) as refusal:
        control.entered(site, sample, "PH", "7.2", "7.2")
    assert codes(refusal) == {"not-trained"}
    said |= {"trained_on": today, "valid_until": today, "trainer": "bea", "evidence": "list TR-1"}
    act(site, "rhea", record_training, RecordTraining(username="ben", **said))
    control.entered(site, sample, "PH", "7.2", "7.2")


def test_an_instrument_of_the_register_is_used_only_while_it_is_fit(site: Site) -> None:
    command = RegisterEquipment(
        code="PR-1", name="Plate reader 1", equipment_class="plate-reader", serial="4711", location="Laboratory 2"
    )
    act(site, "rhea", register_equipment, command)
    with pytest.raises(Refused):
        act(site, "ben", start_run, StartRun(method_code="SOP-PH", instrument="PR-1"))
    with pytest.raises(Refused):
        control.entered(site, build.sampled(site, LOT), "PH", "7.2", "7.2", instrument="PR-1")
    act(site, "ben", start_run, StartRun(method_code="SOP-PH", instrument="a reader nobody registered"))
