"""Rules between the entries of one step."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Reason
from domain.manufacturing.catalogue import STEP_KINDS
from domain.manufacturing.checks import (
    ALERTS,
    BALANCES,
    HARD,
    Balance,
    cross_alerts,
    cross_check,
    ice_vapour_pressure,
    time_order,
)

counts = st.integers(0, 10**6).map(Decimal)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def values(**given: str | int) -> dict[str, Decimal | str]:
    """Numbers as text or int; words stay words."""
    return {
        code: value if isinstance(value, str) and value.isalpha() else Decimal(value) for code, value in given.items()
    }


def codes(reasons: tuple[Reason, ...]) -> list[str]:
    return [reason.code for reason in reasons]


def example_values(kind: str) -> dict[str, Decimal | str]:
    checked = {p.code: p.check(p.example, p.example_unit or p.unit) for p in STEP_KINDS[kind].parameters}
    return {code: c.text if c.magnitude is None else c.magnitude for code, c in checked.items()}


@pytest.mark.parametrize("kind", list(STEP_KINDS))
def test_the_examples_of_a_step_stand_together(kind: str) -> None:
    shares = {"PB-1": Decimal(60), "PB-2": Decimal(40)} if kind == "pooling" else {}
    assert cross_check(kind, example_values(kind), shares=shares) == ()
    assert cross_alerts(kind, example_values(kind), before={"tissue_source": "umbilical_cord"}) == ()


def test_rules_are_about_steps_and_parameters_that_exist() -> None:
    assert (HARD.keys() | ALERTS.keys()) <= STEP_KINDS.keys()
    for balance in BALANCES:
        for code in (balance.whole, *balance.parts):
            STEP_KINDS[balance.kind].parameter(code)


def test_one_vial_that_is_nowhere_stops_the_fill() -> None:
    counts_of_fill = values(vials_filled=110, vials_ipc_used=4, vials_rejected=2, vials_loaded=103)
    (reason,) = cross_check("fill", counts_of_fill)
    assert (reason.code, reason.field) == ("reconciliation-does-not-balance", "vials_filled")
    assert "vials_filled 110, but vials_ipc_used 4 + vials_rejected 2 + vials_loaded 103 = 109" in reason.text


def test_every_imbalance_of_packaging_is_named_at_once() -> None:
    recorded = example_values("packaging") | values(vials_inspected=105, labels_printed=111)
    assert [reason.field for reason in cross_check("packaging", recorded)] == ["vials_inspected", "labels_printed"]


@given(st.sampled_from(BALANCES), st.lists(counts, min_size=4, max_size=4), st.integers(-5, 5))
def test_counts_balance_exactly_or_not_at_all(balance: Balance, parts: list[Decimal], slip: int) -> None:
    recorded: dict[str, Decimal | str] = dict(zip(balance.parts, parts, strict=False))
    whole = sum((value for value in recorded.values() if isinstance(value, Decimal)), Decimal(slip))
    found = cross_check(balance.kind, recorded | {balance.whole: whole})
    assert bool(found) == (slip != 0)


@pytest.mark.parametrize(
    ("celsius", "millibar"), [("-40", "0.128"), ("-35", "0.223"), ("-30", "0.380"), ("0.01", "6.117")]
)
def test_the_vapour_pressure_of_ice_is_that_of_murphy_and_koop(celsius: str, millibar: str) -> None:
    assert round(ice_vapour_pressure(Decimal(celsius)), 3) == Decimal(millibar)


def test_there_is_no_ice_above_the_triple_point_and_no_equation_below_110_kelvin() -> None:
    assert ice_vapour_pressure(Decimal(30)) == ice_vapour_pressure(Decimal("0.01"))
    with pytest.raises(ValueError, match="110 K"):
        ice_vapour_pressure(Decimal(-170))


@given(st.decimals(-100, 0, places=2), st.decimals("0.01", 50, places=2))
def test_colder_ice_has_a_lower_vapour_pressure(celsius: Decimal, step: Decimal) -> None:
    assert ice_vapour_pressure(celsius - step) < ice_vapour_pressure(celsius)


@pytest.mark.parametrize(("pressure", "stops"), [("0.127", False), ("0.129", True), ("0.20", True)])
def test_ice_does_not_sublime_against_a_higher_chamber_pressure(pressure: str, stops: bool) -> None:
    recorded = values(chamber_pressure_primary=pressure, product_temperature_max_primary="-40")
    assert codes(cross_check("lyophilization", recorded)) == (["no-sublimation"] if stops else [])


def test_a_product_within_two_degrees_of_collapse_is_flagged() -> None:
    recorded = values(product_temperature_max_primary="-30.9", critical_temperature="-29")
    assert codes(cross_alerts("lyophilization", recorded)) == ["product-near-collapse"]


@pytest.mark.parametrize(("last", "refused"), [("39.9", False), ("40.1", False), ("39.8", True), ("40.2", True)])
def test_shares_of_a_pool_add_up_to_a_hundred(last: str, refused: bool) -> None:
    shares = {"PB-1": Decimal(60), "PB-2": Decimal(last)}
    assert codes(cross_check("pooling", {}, shares=shares)) == (["shares-do-not-add-up"] if refused else [])


def test_a_pool_of_nothing_and_a_negative_share_are_refused() -> None:
    assert codes(cross_check("pooling", {}, shares={})) == ["shares-do-not-add-up"]
    shares = {"PB-1": Decimal(110), "PB-2": Decimal(-10)}
    assert codes(cross_check("pooling", {}, shares=shares)) == ["share-not-positive"]


def test_a_pool_of_two_donors_needs_a_donation_number() -> None:
    whole = {"PB-1": Decimal(100)}
    assert codes(cross_check("pooling", values(donors_per_pool=2), shares=whole)) == ["pool-without-donation-number"]
    assert cross_check("pooling", values(donors_per_pool=2) | {"pool_din": "G123498654321"}, shares=whole) == ()


def test_the_lowest_temperature_is_not_above_the_highest() -> None:
    recorded = values(transport_temperature_min="8", transport_temperature_max="4")
    assert codes(cross_check("procurement", recorded)) == ["lowest-above-highest"]


@pytest.mark.parametrize(
    ("kind", "recorded", "before", "expected"),
    [
        ("procurement", {"transport_temperature_max": Decimal(9)}, {"tissue_source": "dental"}, None),
        ("isolation", {"procurement_to_processing": Decimal(30)}, {}, "processed-late"),
        ("isolation", {"procurement_to_processing": Decimal(30)}, {"tissue_source": "adipose"}, "processed-late"),
        ("isolation", {"procurement_to_processing": Decimal(30)}, {"tissue_source": "umbilical_cord"}, None),
        ("banking", {"bank_tier": "master", "passage_number": Decimal(4)}, {}, "bank-passage-high"),
        ("banking", {"bank_tier": "working", "passage_number": Decimal(4)}, {}, None),
        ("conditioning", {"viability_end": Decimal("79.9")}, {}, "viability-calls-for-rejection"),
        ("harvest", {"hold_time": Decimal(25), "hold_temperature": Decimal(5)}, {}, "held-too-long"),
        ("harvest", {"hold_time": Decimal(100), "hold_temperature": Decimal(-80)}, {}, None),
        ("harvest", {"hold_temperature": Decimal(-20)}, {}, "held-too-warm"),
        ("harvest", {"particle_concentration": Decimal(99)}, {"particle_blank": Decimal(10)}, "particle-blank-high"),
        ("harvest", {"particle_concentration": Decimal(100)}, {"particle_blank": Decimal(10)}, None),
        ("fill", {"fill_volume": Decimal("5.26"), "fill_volume_target": Decimal(5)}, {}, "fill-volume-off-target"),
        ("fill", {"fill_duration": Decimal(9), "aseptic_time_limit": Decimal(8)}, {}, "aseptic-time-exceeded"),
        ("fill", {"vials_filled": Decimal(100), "vials_loaded": Decimal(89)}, {}, "fill-yield-low"),
    ],
)  # fmt: skip
def test_the_unusual_is_flagged_and_not_refused(
    kind: str, recorded: dict[str, Decimal | str], before: dict[str, Decimal | str], expected: str | None
) -> None:
    assert codes(cross_alerts(kind, recorded, before=before)) == ([expected] if expected else [])
    assert cross_check(kind, recorded, before=before) == ()


def test_fat_that_travelled_warm_is_flagged() -> None:
    recorded = values(transport_temperature_max=15, tissue_source="adipose")
    assert codes(cross_alerts("procurement", recorded)) == ["transport-temperature-unsuited"]


def test_a_step_cannot_end_before_it_began() -> None:
    moments = (("start", NOON), ("reading", None), ("end", NOON - timedelta(minutes=1)), ("now", NOON))
    (reason,) = time_order(*moments)
    assert (reason.code, reason.field) == ("times-out-of-order", "end")
    assert time_order(("start", NOON), ("end", NOON), ("now", NOON + timedelta(days=1))) == ()
