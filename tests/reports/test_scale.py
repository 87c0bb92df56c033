"""Lots on one scale: all are drawn inside it, told apart without colours, and what is missing is never drawn as zero."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.scale import SHAPES, Mark, axis_for, scale_svg

values = st.floats(min_value=0, max_value=1e99, allow_nan=False, allow_subnormal=False)
marks = st.lists(
    st.builds(Mark, value=st.none() | values, comparator=st.none() | st.sampled_from("<>"), missing=st.just("missing")),
    min_size=1,
    max_size=5,
)


def drawn(*given_marks: Mark, logarithmic: bool = True, spread: float | None = 1.6) -> str:
    return scale_svg(
        given_marks, logarithmic=logarithmic, spread=spread, label="1 <A> 5", written=lambda number: f"{number:g}"
    )


@settings(max_examples=100, deadline=None)
@given(marks, st.booleans(), st.sampled_from([None, 1.6]))
def test_every_mark_lies_on_the_drawing(given_marks: list[Mark], logarithmic: bool, spread: float | None) -> None:
    svg = drawn(*given_marks, logarithmic=logarithmic, spread=spread)
    if all(mark.value is None for mark in given_marks):
        assert svg == ""
        return
    assert svg.count('class="m m') == sum(mark.value is not None for mark in given_marks)
    assert svg.count(">missing<") == sum(mark.value is None for mark in given_marks)
    places = [float(x) for x in re.findall(r"translate\(([-0-9.]+) ", svg)]
    assert all(20 <= x <= 350 for x in places)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(min_value=1e-90, max_value=1e90), min_size=2, max_size=5), st.booleans())
def test_more_lies_further_to_the_right(numbers: list[float], logarithmic: bool) -> None:
    axis = axis_for(numbers, logarithmic, 1.6)
    places = [axis.x(number) for number in sorted(numbers)]
    assert places == sorted(places)
    assert 2 <= len(axis.ticks) <= 9


def test_each_lot_has_a_shape_and_a_number_of_its_own() -> None:
    svg = drawn(*(Mark(10.0 * place) for place in range(1, 6)))
    assert len(set(SHAPES)) == 5
    assert all(svg.count(shape) == 1 for shape in SHAPES)
    assert [int(number) for number in re.findall(r'class="n"[^>]*>(\d)<', svg)] == [1, 2, 3, 4, 5]


def test_a_bound_is_an_open_mark_with_an_arrow_and_no_bar() -> None:
    below, above, plain = drawn(Mark(5, "<")), drawn(Mark(5, ">")), drawn(Mark(5))
    assert 'class="open"' in below
    assert 'class="beyond"' in above
    assert 'class="bar"' not in below + above
    assert 'class="bar"' in plain
    assert below != above


def test_words_are_words() -> None:
    assert "1 &lt;A&gt; 5" in drawn(Mark(5))
    assert "<script" not in drawn(Mark(None, missing="<script>"), Mark(1))


@pytest.mark.parametrize(
    ("numbers", "ticks"), [([89.3, 85.3], (0, 50, 100, 150)), ([0.0], (0, 1)), ([-2, 22], (-10, 0, 10, 20, 30, 40))]
)
def test_a_linear_scale_begins_at_zero_or_below_and_has_round_ticks(
    numbers: list[float], ticks: tuple[float, ...]
) -> None:
    assert axis_for(numbers, False, 1.6).ticks == ticks
