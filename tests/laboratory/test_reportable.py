"""From replicates to the reportable value, without inventing figures."""

from decimal import Decimal
from statistics import stdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Invalid
from domain.laboratory.reportable import Rule, parse_entry, reportable, sample_sd
from domain.laboratory.values import Censored, NotReportable, Numeric, Qualitative

EU = "{EU}/mL"


def test_the_mean_of_three_vials_is_kept_unrounded_beside_the_replicates_as_typed() -> None:
    result = reportable(["98.10", " 98.20", "98.30"], Rule.MEAN, 3, "%")
    assert result.value == Numeric(value=Decimal("98.2"), unit="%")
    assert result.replicates == ("98.10", " 98.20", "98.30")
    assert (result.n, result.sd) == (3, Decimal("0.1"))


def test_the_median_of_an_even_number_is_the_middle_of_the_two_in_the_middle() -> None:
    assert reportable(["1", "9", "2", "4"], Rule.MEDIAN, 4).value == Numeric(value=Decimal(3), unit="1")
    assert reportable(["1", "9", "2"], Rule.MEDIAN, 3).value == Numeric(value=Decimal(2), unit="1")


def test_a_single_determination_has_no_standard_deviation() -> None:
    result = reportable(["7.40"], Rule.SINGLE, 1, "[pH]")
    assert result.value == parse_entry("7.40", "[pH]")
    assert result.sd is None


def test_no_replicate_is_no_value() -> None:
    assert reportable([], Rule.MEAN, 3).value is None


@pytest.mark.parametrize(("count", "why"), [(2, "too few"), (4, "extra ones")])
def test_only_the_number_of_replicates_fixed_by_the_method_counts(count: int, why: str) -> None:
    value = reportable(["1.0"] * count, Rule.MEAN, 3).value
    assert isinstance(value, NotReportable)
    assert why in value.why


def test_replicates_that_are_all_censored_give_the_weakest_bound() -> None:
    low = reportable(["<0.05", "<0.10", "<0.05"], Rule.MEAN, 3, EU, loq=Decimal("0.05")).value
    assert low == Censored(comparator="<", bound=Decimal("0.10"), unit=EU, loq=Decimal("0.05"))
    high = reportable([">50", ">20"], Rule.MEDIAN, 2, EU).value
    assert high == Censored(comparator=">", bound=Decimal(20), unit=EU)


@pytest.mark.parametrize("replicates", [["<0.05", "0.06"], ["<0.05", ">5"]])
def test_no_figure_is_put_in_place_of_a_censored_replicate(replicates: list[str]) -> None:
    result = reportable(replicates, Rule.MEAN, 2, EU)
    assert isinstance(result.value, NotReportable)
    assert "< 0.05" in result.value.why
    assert result.sd is None


def test_words_must_agree() -> None:
    assert reportable(["no growth"] * 2, Rule.ALL_AGREE, 2).value == Qualitative(term="no growth")
    disagree = reportable(["no growth", "growth"], Rule.ALL_AGREE, 2).value
    assert isinstance(disagree, NotReportable)
    assert "disagree" in disagree.why
    assert isinstance(reportable(["no growth", "1"], Rule.MEAN, 2).value, NotReportable)


@pytest.mark.parametrize(
    "text", ["1,5", "NaN", "nan", "Infinity", "1e400", "٣", "1_000", "", " ", "<", "<٣", "< 1,5", ">>1", "±3", "0x10"]
)
def test_what_is_no_number_is_refused_and_says_where(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        reportable(["1.0", text], Rule.MEAN, 2)
    assert refused.value.reasons[0].field == "replicates.2"


def test_a_bound_is_never_a_number() -> None:
    assert parse_entry("< 0.05", EU, lod=Decimal("0.01")) == Censored(
        comparator="<", bound=Decimal("0.05"), unit=EU, lod=Decimal("0.01")
    )


def test_a_result_word_is_short_and_printable() -> None:
    assert parse_entry(" no growth ") == Qualitative(term="no growth")
    for text in ("x" * 201, "no\x07growth"):
        with pytest.raises(Invalid):
            parse_entry(text)


@given(st.lists(st.integers(-(10**9), 10**9), min_size=2, max_size=12))
def test_the_standard_deviation_is_that_of_a_sample(numbers: list[int]) -> None:
    sd = sample_sd([Decimal(number) for number in numbers])
    assert sd is not None
    assert float(sd) == pytest.approx(stdev(numbers), rel=1e-9, abs=1e-9)


@given(
    st.lists(st.decimals("-1e6", "1e6", places=3), min_size=1, max_size=9), st.sampled_from([Rule.MEAN, Rule.MEDIAN])
)
def test_mean_and_median_lie_among_the_replicates(numbers: list[Decimal], rule: Rule) -> None:
    value = reportable([str(number) for number in numbers], rule, len(numbers)).value
    assert isinstance(value, Numeric)
    assert min(numbers) <= value.value <= max(numbers)


@given(st.text(max_size=30))
def test_every_text_is_an_entry_or_refused(text: str) -> None:
    try:
        entry = parse_entry(text)
    except Invalid:
        return
    assert not isinstance(entry, Numeric) or text.strip().isascii()
