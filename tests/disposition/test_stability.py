"""Stability after the release: timepoints judged by the shelf-life specification, and a later expiry that everything agrees on."""

from datetime import date
from typing import Any

import pytest

from domain.certificates.content import CertificateContent
from domain.certificates.look_up import public_lot
from domain.disposition.queries import lot_file
from domain.disposition.shelf_life import ExtendExpiry, extend_expiry
from domain.errors import DomainError, Invalid, Refused
from domain.labels.queries import label_preview
from domain.laboratory.control_models import Stage
from domain.laboratory.models import Purpose, Reserve
from domain.laboratory.oos_models import Outcome
from domain.laboratory.queries import lot_results
from domain.laboratory.sampling import (
    ApproveSamplingPlan,
    DraftSamplingPlan,
    DrawByPlan,
    OpenReserve,
    PlanLine,
    approve_sampling_plan,
    draft_sampling_plan,
    draw_by_plan,
    open_reserve,
)
from domain.laboratory.verdict import CriterionKind
from domain.lots.models import LotState
from domain.store import reading
from domain.work import Site
from tests import build
from tests.cast import Clock, act, actor, credentials, raw
from tests.laboratory import control

#: What the product must keep until it expires: a wider pH than at its release.
SHELF_LIFE = {"PH": {"kind": CriterionKind.BETWEEN, "lower": "6.5", "upper": "7.9"}}


def codes(refusal: pytest.ExceptionInfo[Any]) -> set[str]:
    assert isinstance(refusal.value, DomainError)
    return {reason.code for reason in refusal.value.reasons}


@pytest.fixture
def lot(site: Site) -> str:
    """A released lot with two stability units on the shelf; twelve months have passed."""
    code = build.new_product(site, expiry_extension_months=12)
    build.approved_specification(site, code)
    build.approved_specification(site, code, panel=SHELF_LIFE, code="SPEC-SHELF", purpose=Purpose.SHELF_LIFE)
    kept = {"stage": Stage.FINAL, "quantity": build.amount("4", "{vial}"), "reserve": Reserve.STABILITY}
    lines = tuple(PlanLine(purpose=f"stability {place}", **kept) for place in (1, 2))
    tests = tuple(one for one in build.PANEL if one not in ("PART-VIAL", "RATIO-PP"))
    lines += (PlanLine(stage=Stage.FINAL, purpose="release", quantity=build.amount("30", "{vial}"), tests=tests),)
    plan = DraftSamplingPlan(code="SP-1", product_code=code, effective_from=site.today(), lines=lines)
    act(site, "rhea", draft_sampling_plan, plan)
    approval = ApproveSamplingPlan(code="SP-1", revision=1, credentials=credentials("cleo"))
    act(site, "cleo", approve_sampling_plan, approval)
    number = build.drug_product(site, code)
    act(site, "ben", draw_by_plan, DrawByPlan(lot_number=number))
    build.tested(site, number)
    build.released(site, number)
    assert isinstance(site.clock, Clock)
    site.clock.advance(days=365)
    return number


def taken_out(site: Site, place: int, months: int | None = 12) -> str:
    """One of the units, taken out of the store; returns the sample."""
    sample = str(raw(site, "SELECT number FROM sample WHERE reserve = 'stability' ORDER BY id")[place][0])
    said = {"sample_number": sample, "reason": "stability protocol ST-4", "timepoint_months": months}
    act(site, "rhea", open_reserve, OpenReserve(**said))
    return sample


def extended(site: Site, number: str, to: date = date(2028, 9, 2)) -> None:
    command = ExtendExpiry(
        lot_number=number,
        new_expires_on=to,
        data_reference="ST-4, 12 months at 5 °C",
        justification="all attributes within limits, no trend",
        credentials=credentials("cleo"),
    )
    act(site, "cleo", extend_expiry, command)


@pytest.mark.requirement("URS-203")
def test_a_timepoint_is_judged_by_the_shelf_life_and_changes_nothing_of_the_release(site: Site, lot: str) -> None:
    sample = taken_out(site, 0)
    build.entered(site, sample, "PH", "7.75", "7.75")  # outside the release criterion, within the shelf life
    assert build.lot(site, lot).state is LotState.RELEASED
    with reading(site.engine) as session:
        released = lot_results(session, build.lot(site, lot).key)
        file = lot_file(session, lot, site.clock(), site.today(), actor(site, "cleo"))
    assert all(one.sample.number != sample for one in released.findings)
    assert [one.current for one in file.signatures][-1], "what was signed for the release has not changed"
    (point,) = file.stability
    assert (point.months, point.sample_number, point.failing) == (12, sample, ())
    assert [one.test_code for one in point.results] == ["PH"]


@pytest.mark.requirement("URS-203")
def test_a_stability_result_that_fails_opens_its_investigation_and_holds_all_made_of_the_lot(
    site: Site, lot: str
) -> None:
    build.entered(site, taken_out(site, 0), "PH", "8.2", "8.2")
    assert build.lot(site, lot).state is LotState.ON_HOLD
    assert raw(site, "SELECT test_code FROM oos")[0][0] == "PH"
    assert raw(site, "SELECT cause FROM hold_cascade")[0][0] == "failed_result"
    with pytest.raises(Refused) as refused:
        extended(site, lot)
    assert "wrong-state" in codes(refused)
    other = taken_out(site, 1)
    assert build.entered(site, other, "PH", "7.2", "7.2"), "another unit is no retest of the first"


@pytest.mark.requirement("URS-177")
@pytest.mark.parametrize("found", ["8.3", "7.2"])
def test_retests_of_a_stability_unit_are_judged_by_the_shelf_life_specification(
    site: Site, lot: str, found: str
) -> None:
    sample = taken_out(site, 0)
    build.entered(site, sample, "PH", "8.2", "8.2")
    (oos,) = control.investigations(site)
    control.phase_one(site, oos.number)
    control.produced(site, oos.number)
    control.planned(site, oos.number, count=1)
    site.clock.advance(hours=1)  # type: ignore[attr-defined]
    control.retested(site, oos.number, found, found)
    build.reviewed(site, sample, who="rob")
    if found == "7.2":
        control.closed(site, oos.number, Outcome.NOT_CONFIRMED)
        return
    with pytest.raises(Refused) as refusal:
        control.closed(site, oos.number, Outcome.NOT_CONFIRMED)
    assert codes(refusal) == {"retest-fails"}


def test_a_unit_of_a_released_lot_says_its_timepoint_and_that_it_has_reached_it(site: Site, lot: str) -> None:
    for months, code in ((None, "timepoint-needed"), (24, "timepoint-not-reached")):
        with pytest.raises(Refused) as refused:
            taken_out(site, 0, months)
        assert codes(refused) == {code}
    assert isinstance(lot, str)


@pytest.mark.requirement("URS-204")
def test_a_later_expiry_is_on_certificate_look_up_and_label_in_the_same_act(site: Site, lot: str) -> None:
    sample = taken_out(site, 0)
    build.entered(site, sample, "PH", "7.4", "7.4")
    with pytest.raises(Refused) as refused:
        extended(site, lot)
    assert codes(refused) == {"result-not-reviewed"}
    build.reviewed(site, sample)
    extended(site, lot)
    with reading(site.engine) as session:
        shown = public_lot(session, lot, site.today())
        label = label_preview(session, site, lot, "vial", "en")
    content = CertificateContent.model_validate_json(shown.content)
    assert shown.expires_on == content.lot.expires_on == date(2028, 9, 2)
    assert "2028-09-02" in str(label.model_dump(mode="json"))
    assert shown.revision == 2
    assert content.revision_reason is not None
    assert content.revision_reason.en == "The expiry was extended on stability data"
    found = raw(site, "SELECT id FROM result WHERE sample_id = (SELECT id FROM sample WHERE number = :one)", one=sample)
    assert raw(site, "SELECT results FROM expiry_extension")[0][0] == f"[{found[0][0]}]"


def test_a_retention_unit_has_no_timepoint(site: Site, lot: str) -> None:
    sample = str(raw(site, "SELECT number FROM sample WHERE reserve IS NULL")[0][0])
    command = OpenReserve(sample_number=sample, reason="stability protocol", timepoint_months=3)
    with pytest.raises(Invalid, match="for testing anyway"):
        act(site, "rhea", open_reserve, command)
    assert isinstance(lot, str)
