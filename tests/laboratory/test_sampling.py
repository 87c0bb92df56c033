"""Sampling by plan, custody, reserves, and slow tests from inoculation to result."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from domain.errors import Conflict, Invalid, Refused
from domain.laboratory.control_models import CustodyEvent, Growth, Stage
from domain.laboratory.custody import RecordCustody, record_custody
from domain.laboratory.models import Reserve, Sample
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
    overdue,
    why_not_fulfilled,
)
from domain.laboratory.sterility import (
    ConcludeSlowTest,
    Inoculate,
    ReadGrowth,
    conclude_slow_test,
    inoculate,
    read_growth,
    units_needed,
)
from domain.lots.models import LotState
from domain.store import reading
from domain.work import Site
from tests import build
from tests.cast import Clock, act, credentials, raw
from tests.laboratory import control
from tests.laboratory.control import codes
from tests.stages import LOT

pytestmark = pytest.mark.stage("drug_product")
STER = {"method_code": "SOP-STER"}


def line(purpose: str, quantity: str, *tests: str, stage: Stage = Stage.FINAL, **more: Any) -> PlanLine:
    return PlanLine(stage=stage, purpose=purpose, quantity=build.amount(quantity, "{vial}"), tests=tests, **more)


def plan(site: Site, *lines: PlanLine) -> None:
    """An approved sampling plan of the product."""
    said: dict[str, Any] = {"code": "SP-1", "product_code": "UC-EV-50", "effective_from": site.today(), "lines": lines}
    drafted = act(site, "rhea", draft_sampling_plan, DraftSamplingPlan(**said))
    command = ApproveSamplingPlan(code="SP-1", revision=drafted.revision, credentials=credentials("cleo"))
    act(site, "cleo", approve_sampling_plan, command)


def missing(site: Site) -> list[str]:
    with reading(site.engine) as session:
        return [one.text for one in why_not_fulfilled(session, build.lot(site, LOT))]


@pytest.mark.requirement("URS-164")
def test_a_plan_draws_every_sample_with_its_tests_and_reserves(site: Site) -> None:
    plan(
        site,
        line("release tests", "12", "PH", "STER", within_days=7),
        line("retention", "6", reserve=Reserve.RETENTION, storage="2-8 Cel"),
    )
    left = build.lot(site, LOT).quantity_left
    samples = act(site, "ben", draw_by_plan, DrawByPlan(lot_number=LOT))
    assert left is not None
    assert build.lot(site, LOT).quantity_left == left - 18
    assert [one.reserve for one in samples] == [None, Reserve.RETENTION]
    rows = raw(site, "SELECT test_code FROM sample_test ORDER BY id")
    assert [row[0] for row in rows] == ["PH", "STER"]
    assert missing(site) == []
    with pytest.raises(Conflict):
        act(site, "ben", draw_by_plan, DrawByPlan(lot_number=LOT))


@pytest.mark.requirement("URS-164")
def test_a_sample_that_the_plan_asks_for_and_nobody_took_stands_in_the_way(site: Site) -> None:
    plan(
        site,
        line("retention", "6", reserve=Reserve.RETENTION, within_days=3),
        line("bank identity", "1", "MYCO", stage=Stage.BANK),
    )
    build.sampled(site, LOT)
    told = " ".join(missing(site))
    assert "retention" in told
    assert "bank identity of master_cell_bank" in told
    assert isinstance(site.clock, Clock)
    site.clock.advance(days=4)
    with reading(site.engine) as session:
        ((lot, late, _due),) = overdue(session, site.today())
    assert (lot.lot_number, late.purpose) == (LOT, "retention")


@pytest.mark.requirement("URS-166")
def test_a_reserve_is_not_tested_without_a_reason(site: Site) -> None:
    plan(site, line("retention", "6", reserve=Reserve.RETENTION))
    (kept,) = act(site, "ben", draw_by_plan, DrawByPlan(lot_number=LOT))
    with pytest.raises(Refused) as refusal:
        build.entered(site, kept.number, "PH", "7.2", "7.2")
    assert codes(refusal) == {"sample-reserved"}
    act(site, "rhea", open_reserve, OpenReserve(sample_number=kept.number, reason="a clinic complains of turbidity"))
    build.entered(site, kept.number, "PH", "7.2", "7.2")


@pytest.mark.requirement("URS-172")
@pytest.mark.parametrize(
    ("size", "units"),
    [(10, 4), (40, 4), (41, 5), (100, 10), (101, 10), (500, 10), (501, 11), (1000, 20), (5000, 20)],
)
def test_the_containers_for_sterility_follow_from_the_size_of_the_lot(size: int, units: int) -> None:
    assert units_needed(Decimal(size)) == units


@pytest.mark.requirement("URS-172")
def test_a_plan_that_takes_too_few_containers_for_sterility_is_refused_for_the_lot(site: Site) -> None:
    plan(site, line("sterility", "3", "STER"))
    with pytest.raises(Refused) as refusal:
        act(site, "ben", draw_by_plan, DrawByPlan(lot_number=LOT))
    assert codes(refusal) == {"too-few-units"}


def custody(site: Site, who: str, sample: str, event: CustodyEvent, **more: Any) -> None:
    act(site, who, record_custody, RecordCustody(sample_number=sample, event=event, **more))


@pytest.mark.requirement("URS-165")
def test_a_sample_goes_from_hand_to_hand_and_only_its_holder_passes_it_on(site: Site) -> None:
    sample = build.sampled(site, LOT, who="tom")
    with pytest.raises(Refused) as refusal:
        custody(site, "ben", sample, CustodyEvent.HANDED_OVER, to_username="bea")
    assert codes(refusal) == {"not-the-holder"}
    custody(site, "tom", sample, CustodyEvent.HANDED_OVER, to_username="ben")
    with pytest.raises(Refused) as refusal:
        build.entered(site, sample, "PH", "7.2", "7.2")
    assert codes(refusal) == {"sample-in-transit"}
    with pytest.raises(Refused) as refusal:
        custody(site, "bea", sample, CustodyEvent.RECEIVED)
    assert codes(refusal) == {"not-the-receiver"}
    custody(site, "ben", sample, CustodyEvent.RECEIVED)
    build.entered(site, sample, "PH", "7.2", "7.2")
    custody(site, "ben", sample, CustodyEvent.HANDED_OVER, to_name="Contract lab")
    custody(site, "ben", sample, CustodyEvent.RETURNED)
    custody(site, "ben", sample, CustodyEvent.STORED, place="Refrigerator 4")
    custody(site, "bea", sample, CustodyEvent.CONSUMED)
    with pytest.raises(Refused) as refusal:
        custody(site, "bea", sample, CustodyEvent.STORED, place="Refrigerator 4")
    assert codes(refusal) == {"sample-consumed"}


@pytest.fixture
def begun(site: Site) -> str:
    """A sample of ten vials that is inoculated now, by a method that is read daily."""
    control.method(site, "STER", read_every_days=7)
    sample = build.sampled(site, LOT)
    act(site, "ben", inoculate, Inoculate(sample_number=sample, units=10, media="FTM, TSB", **STER))
    return sample


def read(site: Site, sample: str, seen: Growth = Growth.CLEAR, **more: Any) -> None:
    said = {"comment": "" if seen is Growth.CLEAR else "as seen"}
    act(site, "ben", read_growth, ReadGrowth(sample_number=sample, seen=seen, **STER, **said | more))


def conclude(site: Site, sample: str, **more: Any) -> Any:
    return act(site, "ben", conclude_slow_test, ConcludeSlowTest(sample_number=sample, **STER, **more))


def later(site: Site, **by: float) -> None:
    assert isinstance(site.clock, Clock)
    site.clock.advance(**by)


@pytest.mark.requirement("URS-169")
def test_no_growth_is_stated_after_fourteen_days_with_a_reading_at_the_end(site: Site, begun: str) -> None:
    with pytest.raises(Refused) as refusal:
        build.entered(site, begun, "STER", "no growth", started_at=site.clock())
    assert "inoculation-needed" in codes(refusal)
    later(site, days=7)
    read(site, begun)
    later(site, days=6, hours=23)
    read(site, begun)
    with pytest.raises(Refused) as refusal:
        conclude(site, begun)
    assert codes(refusal) == {"too-early"}
    later(site, hours=1)
    with pytest.raises(Refused) as refusal:
        conclude(site, begun)
    assert codes(refusal) == {"too-early"}
    read(site, begun)
    conclude(site, begun)
    assert raw(site, "SELECT count(*) FROM deviation")[0][0] == 0


@pytest.mark.requirement("URS-169")
def test_turbid_media_are_subcultured_at_the_end_and_read_for_four_more_days(site: Site, begun: str) -> None:
    later(site, days=7)
    with pytest.raises(Refused) as refusal:
        read(site, begun, Growth.TURBID, subculture=True)
    assert codes(refusal) == {"subculture-too-early"}
    read(site, begun, Growth.TURBID)
    later(site, days=7)
    read(site, begun, Growth.TURBID, subculture=True)
    with pytest.raises(Refused) as refusal:
        conclude(site, begun)
    assert codes(refusal) == {"too-early", "subculture-needed"}
    later(site, days=3, hours=23)
    read(site, begun)
    with pytest.raises(Refused) as refusal:
        conclude(site, begun)
    assert codes(refusal) == {"too-early"}
    later(site, hours=1)
    read(site, begun)
    conclude(site, begun)


@pytest.mark.requirement("URS-169")
def test_media_that_are_turbid_at_the_end_do_not_become_clear_without_a_subculture(site: Site, begun: str) -> None:
    later(site, days=7)
    read(site, begun)
    later(site, days=7)
    read(site, begun, Growth.TURBID)
    later(site, hours=1)
    read(site, begun)
    with pytest.raises(Refused) as refusal:
        conclude(site, begun)
    assert codes(refusal) == {"subculture-needed"}


@pytest.mark.requirement("URS-169")
def test_growth_on_any_day_is_final_at_once_and_holds_the_lot(site: Site, begun: str) -> None:
    later(site, days=2)
    read(site, begun, Growth.GROWTH)
    assert build.lot(site, LOT).state is LotState.ON_HOLD
    assert [one.test_code for one in control.investigations(site)] == ["STER"]


@pytest.mark.requirement("URS-169")
def test_a_missed_reading_is_a_deviation(site: Site, begun: str) -> None:
    later(site, days=14)
    read(site, begun)
    conclude(site, begun)
    ((code, origin),) = raw(site, "SELECT code, origin FROM deviation")
    assert (code, origin) == ("reading-missed", "laboratory")


def test_an_invalid_sterility_test_is_repeated_and_stays_on_record(site: Site, begun: str) -> None:
    later(site, days=1)
    conclude(site, begun, invalid_because="growth in the negative control")
    act(site, "ben", inoculate, Inoculate(sample_number=begun, units=10, media="FTM, TSB", **STER))
    later(site, days=14)
    read(site, begun)
    conclude(site, begun)
    rows = raw(site, "SELECT value, replaces_id FROM result ORDER BY id")
    assert "invalid" in rows[0][0]
    assert rows[1][1] is not None


@pytest.mark.requirement("URS-170")
def test_a_clock_that_was_set_back_does_not_make_sterility_early(site: Site) -> None:
    control.method(site, "STER", read_every_days=14)
    made = site.clock()
    later(site, days=15)
    build.material(site)
    assert isinstance(site.clock, Clock)
    site.clock.now = made
    sample = build.sampled(site, LOT)
    act(site, "ben", inoculate, Inoculate(sample_number=sample, units=10, media="FTM, TSB", **STER))
    site.clock.now = made + timedelta(days=15)
    read(site, sample)
    with pytest.raises(Refused) as refusal:
        conclude(site, sample)
    assert codes(refusal) == {"too-early"}
    later(site, days=13)
    read(site, sample)
    with pytest.raises(Refused):
        conclude(site, sample)
    later(site, days=1)
    read(site, sample)
    conclude(site, sample)


@pytest.mark.requirement("URS-170")
def test_a_clock_that_was_set_back_does_not_make_a_result_typed_by_hand_early_either(site: Site) -> None:
    made = site.clock()
    later(site, days=15)
    build.material(site)
    assert isinstance(site.clock, Clock)
    site.clock.now = made
    sample = build.sampled(site, LOT)
    site.clock.now = made + timedelta(days=15)
    with pytest.raises(Refused) as refusal:
        build.entered(site, sample, "STER", "no growth", started_at=made)
    assert codes(refusal) == {"too-early"}


@pytest.mark.requirement("URS-172")
def test_an_inoculation_of_too_few_containers_is_refused(site: Site) -> None:
    control.method(site, "STER", read_every_days=14)
    sample = build.sampled(site, LOT)
    for units in (None, 3, 11):
        with pytest.raises(Refused) as refusal:
            act(site, "ben", inoculate, Inoculate(sample_number=sample, units=units, media="FTM, TSB", **STER))
        assert codes(refusal) == {"too-few-units"}


def test_a_plan_line_is_for_tests_or_for_keeping(site: Site) -> None:
    for odd in (line("nothing", "3"), line("both", "3", "PH", reserve=Reserve.STABILITY), line("sum", "3", "RATIO-PP")):
        with pytest.raises(Invalid):
            plan(site, odd)
    with reading(site.engine) as session:
        assert session.get(Sample, 1) is None


def test_sterility_inoculated_on_the_first_of_march_is_final_on_the_fifteenth() -> None:
    from datetime import UTC, datetime

    from domain.laboratory.keeping import too_early
    from domain.laboratory.models import Method
    from domain.laboratory.values import Qualitative

    method = Method(code="SOP-STER", revision=1, test_code="STER", minimum_days=14)  # type: ignore[call-arg]
    started, no_growth = datetime(2026, 3, 1, 9, tzinfo=UTC), Qualitative(term="no growth")
    assert too_early(method, no_growth, started, datetime(2026, 3, 15, 8, 59, tzinfo=UTC)) is not None
    assert too_early(method, no_growth, started, datetime(2026, 3, 15, 9, tzinfo=UTC)) is None
    assert too_early(method, Qualitative(term="growth"), started, started) is None
