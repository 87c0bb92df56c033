"""The picture of a size distribution."""

import math
import re
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Invalid
from reports.histogram import MOST_BINS, area, axes_for, histogram
from reports.plots import distribution_svg
from tests.reports.contents import distribution

SVG = "{http://www.w3.org/2000/svg}"


def svg_of(bins: int) -> str:
    shown = distribution(bins=bins)
    return distribution_svg(shown.edges_nm, shown.per_ml, mode=shown.mode, percent_30_150=shown.percent_30_150)


@pytest.mark.parametrize("bins", [1, 2, 40, 200, 1000, 5000])
def test_the_svg_is_a_named_picture_of_modest_size(bins: int) -> None:
    svg = svg_of(bins)
    root = ET.fromstring(svg)
    assert root.get("role") == "img"
    assert root.get("aria-labelledby") == "size-distribution-t size-distribution-d"
    assert (root.findtext(f"{SVG}title"), len(svg) < 25_000) == ("Particle size distribution", True)
    assert "94.2 %" in (root.findtext(f"{SVG}desc") or "")
    assert "currentColor" in svg
    assert not re.search(r"\b(nan|inf)\b", svg, re.IGNORECASE)


def test_words_in_the_svg_are_escaped() -> None:
    svg = distribution_svg(
        (0, 100, 200), (1, 1), mode="< 50", percent_30_150="> 94", title="NTA & TRPS <1>", ident='a"b'
    )
    assert ET.fromstring(svg).findtext(f"{SVG}title") == "NTA & TRPS <1>"


def test_no_particles_give_empty_axes() -> None:
    ET.fromstring(distribution_svg((0, 100, 200), (0, 0), mode="—", percent_30_150="—"))


@pytest.mark.parametrize(
    ("edges", "values"),
    [
        ((0, 1), (math.nan,)),
        ((0, 1), (-1.0,)),
        ((0, math.inf), (1.0,)),
        ((1, 0), (1.0,)),
        ((0, 1, 2), (1.0,)),
        ((0,), ()),
        ((-5, 1), (1.0,)),
    ],
)
def test_a_histogram_that_cannot_be_is_refused(edges: tuple[float, ...], values: tuple[float, ...]) -> None:
    with pytest.raises(Invalid):
        histogram(edges, values)


HEIGHTS = st.lists(st.floats(0, 1e12, allow_subnormal=False), min_size=1, max_size=2000)


@given(values=HEIGHTS, width=st.floats(0.01, 5))
def test_joining_bins_keeps_the_number_of_particles(values: list[float], width: float) -> None:
    edges = [index * width for index in range(len(values) + 1)]
    shown = histogram(edges, values)
    drawn = math.fsum(
        density * (right - left)
        for density, left, right in zip(shown.density, shown.edges, shown.edges[1:], strict=False)
    )
    assert len(shown.density) <= MOST_BINS
    assert math.isclose(drawn + shown.beyond * math.fsum(values), math.fsum(values), rel_tol=1e-6)


def test_what_lies_beyond_the_axis_is_said() -> None:
    values = [1e9] * 300 + [1.0] * 700
    svg = distribution_svg(tuple(range(1001)), values, mode="98", percent_30_150="50")
    assert "&gt; 300 nm" in svg


def test_bins_of_unequal_width_are_drawn_as_density() -> None:
    shown = histogram((0, 100, 300), (10, 20))
    assert shown.density == (0.1, 0.1)


def test_the_area_within_the_band_begins_and_ends_at_its_limits() -> None:
    shown = histogram((0, 100, 300), (10, 20))
    axes = axes_for(shown, 300, 100)
    xs = [x for x, _ in area(shown, axes, 30, 150)]
    assert (min(xs), max(xs)) == (axes.x(30), axes.x(150))
