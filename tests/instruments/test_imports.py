"""Instrument files become results that point back to their bytes."""

import hashlib
import json
from datetime import datetime
from typing import Any

import pytest
from sqlmodel import select

from api.demo_files import nanosight_summary
from domain.errors import Conflict, DomainError, Forbidden, Invalid, Refused
from domain.instruments.imports import ImportNanoSight, import_nanosight
from domain.laboratory.defining import DefineMethod, define_method
from domain.laboratory.keeping import distribution_of
from domain.laboratory.models import Result
from domain.laboratory.results import CorrectResult, correct_result
from domain.laboratory.values import NotReportable, Numeric, load_value
from domain.store import reading
from domain.work import Site
from tests import build
from tests.cast import Clock, act, raw
from tests.instruments.nanosight_files import summary_3_2, summary_3_4
from tests.laboratory import control
from tests.stages import LOT


def codes(refusal: pytest.ExceptionInfo[Any]) -> set[str]:
    assert isinstance(refusal.value, DomainError)
    return {reason.code for reason in refusal.value.reasons}


@pytest.fixture
def sample(site: Site) -> str:
    """A sample of a donation, with the two NTA methods defined: any lot can be measured."""
    for code, test in (("SOP-NTA-C", "PART-CONC"), ("SOP-NTA-S", "SIZE-DIST")):
        command = DefineMethod(code=code, test_code=test, name="NTA", principle="Nanoparticle tracking analysis (NTA)")
        act(site, "rhea", define_method, command)
    return build.sampled(site, build.donation(site), ("1", "g"))


def file_of(site: Site, **more: Any) -> bytes:
    said: dict[str, Any] = {
        "mode_nm": 105.0,
        "concentration_per_ml": 1.2e11,
        "dilution": 1000,
        "runs": 5,
        "seed": 7,
        "sample": "lot under test",
        "captured_at": site.clock().astimezone(site.zone).replace(tzinfo=None),
    }
    return nanosight_summary(**said | more)


def imported(site: Site, sample: str, data: bytes, who: str = "nano", **more: Any) -> dict[str, Result]:
    said: dict[str, Any] = {
        "sample_number": sample,
        "file_name": "run-ExperimentSummary.csv",
        "data": data,
        "concentration_method": "SOP-NTA-C",
        "size_method": "SOP-NTA-S",
    }
    act(site, who, import_nanosight, ImportNanoSight(**said | more))
    with reading(site.engine) as session:
        return {row.test_code: row for row in session.exec(select(Result).order_by(Result.id))}  # type: ignore[arg-type]


@pytest.mark.requirement("URS-036")
def test_an_instrument_imports_a_file_and_every_figure_points_to_its_bytes(site: Site, sample: str) -> None:
    data = file_of(site)
    found = imported(site, sample, data)
    digest = hashlib.sha256(data).hexdigest()
    assert {"PART-CONC", "SIZE-DIST", "D50", "PCT-30-150", "SPAN"} <= found.keys()
    assert found["PART-CONC"].raw_sha256 == found["SIZE-DIST"].raw_sha256 == digest
    assert site.documents.get(digest) == data
    assert len(json.loads(found["PART-CONC"].replicates)) == 5
    value = load_value(found["PART-CONC"].value)
    assert isinstance(value, Numeric)
    assert 1.0e11 < float(value.value) < 1.4e11
    curve = distribution_of(found["SIZE-DIST"])
    assert curve is not None
    assert curve.total == pytest.approx(float(value.value), rel=0.02)


def test_a_dilution_that_the_file_has_applied_is_never_applied_twice(site: Site, sample: str) -> None:
    with pytest.raises(Invalid) as refusal:
        imported(site, sample, file_of(site), dilution="1000")
    assert codes(refusal) == {"dilution-in-file"}


def test_a_dilution_that_the_file_does_not_record_is_asked_for_and_applied_to_number_and_curve(
    site: Site, sample: str
) -> None:
    data = summary_3_2()
    with pytest.raises(Invalid) as refusal:
        imported(site, sample, data)
    assert codes(refusal) & {"dilution-needed", "time-needed"}


def test_the_same_sample_is_imported_twice_only_with_a_reason(site: Site, sample: str) -> None:
    imported(site, sample, file_of(site))
    with pytest.raises(Invalid) as refusal:
        imported(site, sample, file_of(site, seed=8))
    assert codes(refusal) == {"reason-needed"}
    found = imported(site, sample, file_of(site, seed=8), reason="camera level was wrong")
    assert found["PART-CONC"].replaces_id is not None
    assert found["D50"].replaces_id is not None


def test_too_few_runs_are_not_reportable(site: Site, sample: str) -> None:
    found = imported(site, sample, file_of(site, runs=2))
    assert isinstance(load_value(found["PART-CONC"].value), NotReportable)


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"a,b\n1,2\n", summary_3_4()[:900]])
def test_what_is_no_summary_is_refused_and_nothing_stays(site: Site, sample: str, data: bytes) -> None:
    with pytest.raises(Invalid):
        imported(site, sample, data)
    with reading(site.engine) as session:
        assert session.exec(select(Result)).all() == []


def test_a_technician_cannot_import(site: Site, sample: str) -> None:
    with pytest.raises(Forbidden):
        imported(site, sample, file_of(site), who="tom")


def test_a_file_measured_before_the_sample_was_taken_is_not_of_it(site: Site, sample: str) -> None:
    with pytest.raises(DomainError) as refusal:
        imported(site, sample, file_of(site, captured_at=datetime(2020, 6, 16, 11, 52)))  # noqa: DTZ001 - the instrument's clock has no zone
    assert "before-the-sample" in codes(refusal)


def test_what_the_instrument_warns_of_must_be_answered_in_a_comment(site: Site, sample: str) -> None:
    data = file_of(site, runs=5).replace(
        b"Validity of concentration measurement,OK", b"Validity of concentration measurement,Unreliable", 1
    )
    with pytest.raises(Invalid) as refusal:
        imported(site, sample, data)
    assert codes(refusal) == {"comment-needed"}
    found = imported(site, sample, data, comment="focus lost in the first run only")
    assert "(1 of 5 runs" in found["SIZE-DIST"].flags


def test_an_imported_result_is_not_overtyped(site: Site, sample: str) -> None:
    found = imported(site, sample, file_of(site))
    now = site.clock()
    command = CorrectResult(
        result_id=found["PART-CONC"].key,
        reason="looks better",
        replicates=("1E11", "1E11", "1E11"),
        unit="{particles}/mL",
        started_at=now,
        finished_at=now,
    )
    with pytest.raises(Refused) as refusal:
        act(site, "ben", correct_result, command)
    assert codes(refusal) == {"not-by-hand"}


def nta(site: Site, **more: Any) -> None:
    """The two methods of NTA, by the names that the control of the laboratory uses."""
    control.method(site, "PART-CONC", replicates=3, rule="mean", **more)
    control.method(site, "SIZE-DIST", **more)


def files(site: Site, sample: str, per_ml: float, seed: int, who: str, **more: Any) -> list[Result]:
    data = file_of(site, concentration_per_ml=per_ml, seed=seed, runs=3)
    said: dict[str, Any] = {
        "sample_number": sample,
        "file_name": "x-ExperimentSummary.csv",
        "data": data,
        "comment": "as diluted",
    }
    methods = {"concentration_method": "SOP-PART-CONC", "size_method": "SOP-SIZE-DIST"}
    return act(site, who, import_nanosight, ImportNanoSight(**said | methods | more))


@pytest.mark.stage("drug_product")
@pytest.mark.requirement("URS-212")
def test_an_import_belongs_to_its_runs_and_of_an_invalid_run_it_does_not_count(site: Site) -> None:
    nta(site, suitability=(control.RECOVERY,), run_required=True)
    sample = build.sampled(site, LOT)
    with pytest.raises(Refused) as refusal:
        files(site, sample, 1e9, 1, "ben")
    assert codes(refusal) == {"run-needed"}
    runs = {"concentration_run": control.run(site, "PART-CONC"), "size_run": control.run(site, "SIZE-DIST")}
    with pytest.raises(Refused) as swapped:
        files(site, sample, 1e9, 1, "ben", concentration_run=runs["size_run"], size_run=runs["concentration_run"])
    assert codes(swapped) == {"run-of-other-method"}
    size, concentration = files(site, sample, 1e9, 1, "ben", **runs)
    assert (size.run_id, concentration.run_id) == (2, 1)
    assert concentration.instrument == "Plate reader 1"
    assert control.investigations(site) == [], "nobody knows yet whether it counts"
    assert not control.concluded(site, runs["concentration_run"], spike_recovery="20")
    assert control.investigations(site) == [], "an invalid run is no result out of specification"
    with pytest.raises(Refused) as invalid:
        files(site, sample, 1e9, 2, "ben", **runs, reason="again")
    assert codes(invalid) == {"run-invalid"}


@pytest.mark.stage("drug_product")
@pytest.mark.requirement("URS-212")
def test_a_failing_import_counts_once_its_run_is_concluded_valid(site: Site) -> None:
    nta(site, suitability=(control.RECOVERY,))
    run, size = control.run(site, "PART-CONC"), control.run(site, "SIZE-DIST")
    files(site, build.sampled(site, LOT), 1e9, 1, "ben", concentration_run=run, size_run=size)
    assert control.investigations(site) == []
    assert control.concluded(site, run, spike_recovery="98")
    assert [one.test_code for one in control.investigations(site)] == ["PART-CONC"]


@pytest.mark.stage("drug_product")
@pytest.mark.requirement("URS-212")
def test_a_planned_retest_is_imported_by_an_analyst_of_the_plan_from_a_file_of_its_own(
    site: Site, clock: Clock
) -> None:
    nta(site)
    sample = build.sampled(site, LOT)
    files(site, sample, 1e9, 1, "ben")
    (oos,) = control.investigations(site)
    with pytest.raises(Refused) as unplanned:
        files(site, sample, 2.4e10, 2, "bea", oos_number=oos.number)
    assert codes(unplanned) == {"retest-unplanned"}
    control.phase_one(site, oos.number)
    control.planned(site, oos.number, 2)
    clock.advance(hours=1)
    with pytest.raises(Forbidden) as other:
        files(site, sample, 2.4e10, 2, "ben", oos_number=oos.number)
    assert codes(other) == {"not-in-the-plan"}
    (first,) = files(site, sample, 2.4e10, 2, "bea", oos_number=oos.number)
    assert (first.test_code, first.oos_id, first.replaces_id) == ("PART-CONC", oos.id, None)
    with pytest.raises(Conflict) as twice:
        files(site, sample, 2.4e10, 2, "bea", oos_number=oos.number)
    assert codes(twice) == {"file-counted-already"}
    with pytest.raises(Refused) as elsewhere:
        files(site, build.sampled(site, LOT), 2.4e10, 3, "bea", oos_number=oos.number)
    assert codes(elsewhere) == {"sample-not-planned"}
    files(site, sample, 2.5e10, 3, "bea", oos_number=oos.number)
    with pytest.raises(Refused) as enough:
        files(site, sample, 2.6e10, 4, "bea", oos_number=oos.number)
    assert codes(enough) == {"retests-done"}
    assert raw(site, "SELECT count(*) FROM result WHERE test_code = 'SIZE-DIST'") == [(1,)]


@pytest.mark.stage("drug_product")
@pytest.mark.requirement("URS-212")
def test_a_file_that_was_measured_before_the_plan_was_approved_is_no_retest(site: Site, clock: Clock) -> None:
    nta(site)
    sample = build.sampled(site, LOT)
    files(site, sample, 1e9, 1, "ben")
    (oos,) = control.investigations(site)
    control.phase_one(site, oos.number)
    earlier = file_of(site, concentration_per_ml=2.4e10, seed=9, runs=3)
    clock.advance(hours=1)
    control.planned(site, oos.number, 1)
    with pytest.raises(Invalid) as refusal:
        files(site, sample, 2.4e10, 9, "bea", oos_number=oos.number, data=earlier)
    assert codes(refusal) == {"before-the-plan"}
