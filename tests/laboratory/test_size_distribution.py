"""Size distributions: one convention, and nothing computed where there are no particles."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Invalid
from domain.laboratory.size_distribution import CONVENTION, SizeDistribution, average


@st.composite
def distributions(draw: st.DrawFn) -> SizeDistribution:
    steps = draw(st.lists(st.floats(0.1, 100), min_size=1, max_size=30))
    values = draw(
        st.lists(st.floats(0, 1e13), min_size=len(steps), max_size=len(steps)).filter(lambda one: max(one) > 1)
    )
    edges = [draw(st.floats(0, 50))]
    for step in steps:
        edges.append(edges[-1] + step)
    return SizeDistribution(tuple(edges), tuple(values))


def test_the_figures_of_a_curve_that_can_be_checked_by_hand() -> None:
    found = SizeDistribution((0, 50, 100, 200), (2, 6, 2)).statistics()
    assert found.total == 10
    assert found.mean == pytest.approx((2 * 25 + 6 * 75 + 2 * 150) / 10)
    assert found.mode == 75
    assert (found.d10, found.d50, found.d90) == pytest.approx((25, 75, 150))
    assert found.span == pytest.approx(125 / 75)
    assert found.sd == pytest.approx(1600**0.5)
    assert found.percent_30_150 == pytest.approx(100 * (2 * 0.4 + 6 + 2 * 0.5) / 10)
    assert SizeDistribution((0, 1, 2), (1, 1)).percentile(40) == pytest.approx(0.8)


def test_the_percentage_is_linear_inside_a_bin() -> None:
    one_bin = SizeDistribution((0, 200), (5,))
    assert one_bin.percent_within(30, 150) == pytest.approx(60)
    assert one_bin.percent_within(150, float("inf")) == pytest.approx(25)
    with pytest.raises(Invalid):
        one_bin.percent_within(150, 30)


def test_no_particles_are_a_finding_of_their_own() -> None:
    with pytest.raises(Invalid, match="no particles") as refused:
        SizeDistribution((0, 1, 2), (0, 0))
    assert refused.value.reasons[0].code == "empty-distribution"


@pytest.mark.parametrize(
    ("edges", "values"),
    [
        ((), ()),
        ((0,), ()),
        ((0, 1), (1, 2)),
        ((0, 1, 1), (1, 2)),
        ((2, 1), (1,)),
        ((-1, 1), (1,)),
        ((0, 1), (-1,)),
        ((0, float("inf")), (1,)),
        ((0, 1), (float("nan"),)),
        ((0, 1, 2), (1e308, 1e308)),
    ],
)
def test_an_impossible_curve_cannot_be_built(edges: tuple[float, ...], values: tuple[float, ...]) -> None:
    with pytest.raises(Invalid) as refused:
        SizeDistribution(edges, values)
    assert refused.value.reasons[0].code == "bad-distribution"
    with pytest.raises(Invalid):
        SizeDistribution((0, 1), (1,), "mass")  # type: ignore[arg-type]


def test_curves_are_averaged_bin_by_bin_on_one_grid_only() -> None:
    one, other = SizeDistribution((0, 1, 2), (2, 0)), SizeDistribution((0, 1, 2), (0, 4))
    assert average([one, other]).values == (1, 2)
    for wrong in ([], [one, SizeDistribution((0, 1, 3), (2, 0))], [one, SizeDistribution((0, 1, 2), (2, 0), "volume")]):
        with pytest.raises(Invalid):
            average(wrong)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"edges_nm":[0,1],"values":["x"],"weighting":"number"}', "[[0,1],[1]]"]
)
def test_what_was_not_stored_by_us_is_no_distribution(text: str) -> None:
    with pytest.raises(Invalid):
        SizeDistribution.from_json(text)


@given(distributions())
def test_a_distribution_survives_storage_to_the_last_digit(distribution: SizeDistribution) -> None:
    assert SizeDistribution.from_json(distribution.to_json()) == distribution


@given(distributions())
def test_the_figures_of_every_curve_are_in_order(distribution: SizeDistribution) -> None:
    found, slack = distribution.statistics(), 1e-6
    assert distribution.edges_nm[0] <= found.d10 <= found.d50 + slack
    assert found.d50 <= found.d90 + slack
    assert found.d90 <= distribution.edges_nm[-1] + slack
    assert 0 <= found.percent_30_150 <= 100
    assert distribution.edges_nm[0] < found.mode < distribution.edges_nm[-1]
    assert found.span >= -slack


@given(distributions(), st.floats(5, 95))
def test_percentile_and_percentage_are_each_others_inverse(distribution: SizeDistribution, percent: float) -> None:
    size = distribution.percentile(percent)
    assert distribution.percent_within(0, max(size, 1e-9)) == pytest.approx(percent, abs=1e-6)


def test_the_convention_is_named_in_both_languages() -> None:
    assert "linear interpolation" in CONVENTION[0]
    assert "linearer Interpolation" in CONVENTION[1]
