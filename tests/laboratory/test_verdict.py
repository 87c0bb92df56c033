"""Verdicts: the vectors of the pharmacopoeias, and the laws every judgement obeys."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.errors import Invalid
from domain.laboratory.verdict import (
    ABSENT_TERMS,
    PRESENT_TERMS,
    VOCABULARY,
    Censored,
    Criterion,
    CriterionKind,
    NotReportable,
    Numeric,
    Qualitative,
    ReportableValue,
    Rounding,
    Text,
    Verdict,
    describe,
    describe_value,
    dump_value,
    judge,
    load_value,
    round_to_limit,
)
from domain.quantities import UNITS

EU = "{EU}/mL"
PASS, FAIL, INDETERMINATE, MISSING = Verdict.PASS, Verdict.FAIL, Verdict.INDETERMINATE, Verdict.MISSING


def at_most(limit: str, unit: str = EU, rounding: Rounding = Rounding.USP_DECIMALS) -> Criterion:
    return Criterion(kind=CriterionKind.AT_MOST, upper=limit, unit=unit, rounding=rounding)


def at_least(limit: str, unit: str = "%", rounding: Rounding = Rounding.USP_DECIMALS) -> Criterion:
    return Criterion(kind=CriterionKind.AT_LEAST, lower=limit, unit=unit, rounding=rounding)


def between(lower: str, upper: str, unit: str = "[pH]") -> Criterion:
    return Criterion(kind=CriterionKind.BETWEEN, lower=lower, upper=upper, unit=unit)


def number(text: str, unit: str = EU) -> Numeric:
    return Numeric(value=Decimal(text), unit=unit)


def censored(text: str, unit: str = EU) -> Censored:
    return Censored(comparator="<" if text[0] == "<" else ">", bound=Decimal(text[1:]), unit=unit)


NO_GROWTH = Criterion(kind=CriterionKind.NONE_DETECTED, allowed=("no growth",))
NOT_DETECTED = Criterion(kind=CriterionKind.NONE_DETECTED)
CONFORMS = Criterion(kind=CriterionKind.CONFORMS)
REPORT_ONLY = Criterion(kind=CriterionKind.REPORT_ONLY)

POWERS = st.integers(min_value=-20, max_value=20)
DECIMALS = st.builds(lambda digits, power: Decimal(digits).scaleb(power), st.integers(-(10**12), 10**12), POWERS)
LIMITS = st.builds(lambda digits, power: f"{digits}E{power}", st.integers(-(10**6), 10**6), POWERS) | st.sampled_from(
    ["0", "0.0", "1", "1.0", "0.50", "98.0", "100.0", "1.0E10", "-30.5"]
)
SOME_UNITS = st.sampled_from([*UNITS, "no unit at all"])
WORDS = st.sampled_from([*VOCABULARY, "Yes", "yes", "ND", "٣"]) | st.text(min_size=1, max_size=20).filter(str.strip)
VALUES: st.SearchStrategy[ReportableValue] = st.one_of(
    st.none(),
    st.builds(Numeric, value=DECIMALS, unit=SOME_UNITS),
    st.builds(Censored, comparator=st.sampled_from("<>"), bound=DECIMALS, unit=SOME_UNITS, lod=st.none() | DECIMALS),
    st.builds(Qualitative, term=WORDS),
    st.builds(Text, text=WORDS),
    st.builds(NotReportable, why=WORDS),
)
ROUNDINGS = st.sampled_from(Rounding)
UNIT = st.sampled_from(list(UNITS))


@st.composite
def criteria(draw: st.DrawFn) -> Criterion:
    kind, unit, rounding = draw(st.sampled_from(CriterionKind)), draw(UNIT), draw(ROUNDINGS)
    lower, upper = sorted((draw(LIMITS), draw(LIMITS)), key=Decimal)
    parts: dict[CriterionKind, dict[str, Any]] = {
        CriterionKind.AT_MOST: {"upper": upper, "unit": unit},
        CriterionKind.AT_LEAST: {"lower": lower, "unit": unit},
        CriterionKind.BETWEEN: {"lower": lower, "upper": upper, "unit": unit},
        CriterionKind.ONE_OF: {"allowed": ("intact", "Yes")},
    }
    return Criterion(kind=kind, rounding=rounding, **parts.get(kind, {}))


@pytest.mark.requirement("URS-033")
@pytest.mark.parametrize(
    ("criterion", "value", "verdict"),
    [
        (at_least("98.0"), "97.96", PASS),
        (at_least("98.0"), "97.95", PASS),
        (at_least("98.0"), "97.92", FAIL),
        (at_least("98.0"), "97.949", FAIL),
        (at_most("101.5", "%"), "101.55", FAIL),
        (at_most("101.5", "%"), "101.46", PASS),
        (at_most("101.5", "%"), "101.45", PASS),
        (at_most("0.02", "%"), "0.025", FAIL),
        (at_most("0.02", "%"), "0.015", PASS),
        (at_most("3", "%"), "3.5", FAIL),
        (at_most("3", "%"), "2.5", PASS),
        (at_most("0.5", "%"), "0.54", PASS),
        (at_most("0.50", "%"), "0.54", FAIL),
    ],
)
def test_usp_rounding_as_in_general_notices_7_20(criterion: Criterion, value: str, verdict: Verdict) -> None:
    assert judge(criterion, number(value, "%")).verdict == verdict


def test_a_power_of_ten_is_rounded_at_the_exponent_of_the_limit() -> None:
    judgement = judge(at_least("1.0E10", "{particles}/mL"), number("9.96E9", "{particles}/mL"))
    assert (judgement.verdict, judgement.rounded) == (PASS, "1.0E10")


@pytest.mark.requirement("URS-033")
def test_ph_eur_keeps_significant_figures_where_usp_keeps_decimals() -> None:
    value = Decimal("98.28568")
    assert str(round_to_limit(value, "100.0", Rounding.PH_EUR_SIGNIFICANT_FIGURES)) == "98.29"
    assert str(round_to_limit(value, "100.0", Rounding.USP_DECIMALS)) == "98.3"
    assert str(round_to_limit(Decimal("9.996"), "1.00", Rounding.PH_EUR_SIGNIFICANT_FIGURES)) == "10.0"
    assert str(round_to_limit(Decimal("0.04"), "0.0", Rounding.PH_EUR_SIGNIFICANT_FIGURES)) == "0.0"


def test_without_rounding_a_value_is_compared_as_it_is() -> None:
    assert judge(at_most("0.5", rounding=Rounding.NONE), number("0.54")).verdict == FAIL


@pytest.mark.requirement("URS-034")
@pytest.mark.parametrize(
    ("criterion", "value", "verdict"),
    [
        (at_most("0.5"), "<0.05", PASS),
        (at_most("0.5"), "<0.50", PASS),
        (at_most("0.5"), "<1.0", INDETERMINATE),
        (at_most("0.5"), "<0.54", INDETERMINATE),
        (at_most("0.5"), ">0.4", INDETERMINATE),
        (at_most("0.5"), ">0.5", FAIL),
        (at_least("0.5", EU), "<0.5", FAIL),
        (at_least("0.5", EU), "<1", INDETERMINATE),
        (at_least("0.5", EU), ">0.5", PASS),
        (at_least("0.5", EU), ">0.4", INDETERMINATE),
        (between("0.5", "5", EU), "<0.5", FAIL),
        (between("0.5", "5", EU), "<4", INDETERMINATE),
        (between("0.5", "5", EU), ">5", FAIL),
        (between("0.5", "5", EU), ">1", INDETERMINATE),
    ],
)
def test_a_censored_result_passes_only_if_every_value_it_stands_for_does(
    criterion: Criterion, value: str, verdict: Verdict
) -> None:
    assert judge(criterion, censored(value)).verdict == verdict


def test_limits_themselves_are_within() -> None:
    assert [judge(between("6.5", "7.8"), number(text, "[pH]")).verdict for text in ("6.5", "7.8", "6.44", "7.85")] == [
        PASS,
        PASS,
        FAIL,
        FAIL,
    ]
    assert judge(between("1", "1", "%"), number("2", "%")).verdict == FAIL


def test_the_reason_names_the_value_the_rounded_value_and_the_limit() -> None:
    assert judge(at_most("0.5"), number("0.54")).reason == (
        "0.54 {EU}/mL, rounded to 0.5 {EU}/mL, is within ≤ 0.5 {EU}/mL."
    )
    assert judge(between("6.5", "7.8"), number("6.4", "[pH]")).reason == (
        "6.4, rounded to 6.4, is below the lower limit 6.5."
    )


def test_a_compatible_unit_is_converted_and_another_is_no_verdict() -> None:
    protein = at_most("8.0", "ug/mL")
    assert judge(protein, number("0.0080", "mg/mL")).verdict == PASS
    assert judge(protein, number("0.0081", "mg/mL")).verdict == FAIL
    unlike = judge(protein, number("1", "nm"))
    assert unlike.verdict == INDETERMINATE
    assert "nm" in unlike.reason
    assert judge(protein, number("1", "furlong")).verdict == INDETERMINATE
    assert judge(protein, censored("<1", "nm")).verdict == INDETERMINATE


@pytest.mark.parametrize("text", ["NaN", "sNaN", "Infinity", "-Infinity", "1E+500", "1E-500"])
def test_nan_and_infinity_cannot_be_built_and_would_never_pass(text: str) -> None:
    with pytest.raises(ValidationError):
        number(text)
    smuggled = Numeric.model_construct(value=Decimal(text), unit=EU)
    bound = Censored.model_construct(comparator="<", bound=Decimal(text), unit=EU)
    for criterion in (at_most("0.5"), at_least("0"), REPORT_ONLY):
        assert judge(criterion, smuggled).verdict == INDETERMINATE
        assert judge(criterion, bound).verdict == INDETERMINATE


@pytest.mark.parametrize("given", [0.05, True, "1,5", "٣", "1_000", " ", "", None])
def test_a_value_is_built_from_exact_figures_only(given: object) -> None:
    with pytest.raises(ValidationError):
        Numeric(value=given, unit=EU)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("criterion", "term", "verdict"),
    [
        *((NOT_DETECTED, term, PASS) for term in ABSENT_TERMS),
        *((NOT_DETECTED, term, FAIL) for term in PRESENT_TERMS),
        (NOT_DETECTED, "invalid", INDETERMINATE),
        (NOT_DETECTED, "No Growth", INDETERMINATE),
        (NO_GROWTH, "no growth", PASS),
        (NO_GROWTH, "growth", FAIL),
        (NO_GROWTH, "negative", INDETERMINATE),
        (CONFORMS, "conforms", PASS),
        (CONFORMS, "does not conform", FAIL),
        (CONFORMS, "Conforms", INDETERMINATE),
        (CONFORMS, "growth", INDETERMINATE),
        (Criterion(kind=CriterionKind.ONE_OF, allowed=("intact", "shrunken")), "shrunken", PASS),
        (Criterion(kind=CriterionKind.ONE_OF, allowed=("intact", "shrunken")), "collapsed", FAIL),
        (Criterion(kind=CriterionKind.ONE_OF, allowed=("intact", "shrunken")), "invalid", INDETERMINATE),
        (Criterion(kind=CriterionKind.ONE_OF, allowed=("yes",)), "Yes", INDETERMINATE),
        (REPORT_ONLY, "whatever", PASS),
    ],
)
def test_words_are_understood_letter_by_letter(criterion: Criterion, term: str, verdict: Verdict) -> None:
    assert judge(criterion, Qualitative(term=term)).verdict == verdict


def test_an_unknown_term_is_answered_with_the_allowed_ones() -> None:
    reason = judge(NO_GROWTH, Qualitative(term="No Growth")).reason
    assert "'No Growth'" in reason
    assert '"no growth"' in reason


def test_a_failed_control_is_no_out_of_specification_result() -> None:
    assert "control" in judge(NO_GROWTH, Qualitative(term="invalid")).reason


def test_words_are_not_compared_with_limits_nor_numbers_with_words() -> None:
    for value in (Qualitative(term="no growth"), Text(text="0.1")):
        assert judge(at_most("0.5"), value).verdict == INDETERMINATE
    for stray in (number("0"), censored("<0.1"), Text(text="no growth")):
        assert judge(NO_GROWTH, stray).verdict == INDETERMINATE


@pytest.mark.parametrize("criterion", [at_most("0.5"), NO_GROWTH, CONFORMS, REPORT_ONLY])
def test_nothing_reported_is_missing_and_a_failed_measurement_is_indeterminate(criterion: Criterion) -> None:
    assert judge(criterion, None).verdict == MISSING
    assert judge(criterion, NotReportable(why="outside the linear range")).verdict == INDETERMINATE
    assert judge(criterion, Text.model_construct(text=" ")).verdict == MISSING
    assert judge(criterion, Qualitative.model_construct(term="")).verdict == MISSING


def test_what_is_only_reported_passes_and_says_so() -> None:
    for value in (number("1"), censored("<1"), Text(text="cup-shaped")):
        assert judge(REPORT_ONLY, value).reason == "report only"


@pytest.mark.parametrize(
    "parts",
    [
        {"kind": "at_most", "unit": EU},
        {"kind": "at_most", "upper": "", "unit": EU},
        {"kind": "at_most", "upper": " ", "unit": EU},
        {"kind": "at_most", "upper": "0,5", "unit": EU},
        {"kind": "at_most", "upper": "NaN", "unit": EU},
        {"kind": "at_most", "upper": "0.5", "lower": "0.1", "unit": EU},
        {"kind": "at_most", "upper": "0.5"},
        {"kind": "at_most", "upper": "0.5", "unit": "[EU]/mL"},
        {"kind": "at_most", "upper": "0.5", "unit": EU, "allowed": ("negative",)},
        {"kind": "at_least", "upper": "0.5", "unit": EU},
        {"kind": "between", "lower": "7.8", "upper": "6.5", "unit": "[pH]"},
        {"kind": "between", "lower": "6.5", "unit": "[pH]"},
        {"kind": "one_of"},
        {"kind": "one_of", "allowed": ("",)},
        {"kind": "one_of", "allowed": ("invalid",)},
        {"kind": "one_of", "allowed": ("intact", "intact")},
        {"kind": "none_detected", "allowed": ("detected",)},
        {"kind": "none_detected", "upper": "0"},
        {"kind": "conforms", "allowed": ("conforms",)},
        {"kind": "report_only", "lower": "1", "unit": "%"},
    ],
)
def test_a_criterion_that_could_not_be_judged_cannot_be_built(parts: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Criterion(**parts)


@pytest.mark.requirement("URS-032")
def test_a_blank_upper_limit_is_never_read_as_zero() -> None:
    with pytest.raises(ValidationError, match="never read as zero"):
        at_most("")


@pytest.mark.parametrize(
    ("criterion", "en", "de"),
    [
        (at_most("0.50"), "≤ 0.50 {EU}/mL", "≤ 0.50 {EU}/mL"),
        (at_least("70", "%"), "≥ 70 %", "≥ 70 %"),
        (between("6.5", "7.8"), "6.5 – 7.8", "6.5 – 7.8"),
        (NOT_DETECTED, "Not detected", "Nicht nachweisbar"),
        (NO_GROWTH, "No growth", "Kein Wachstum"),
        (CONFORMS, "Conforms", "Entspricht"),
        (REPORT_ONLY, "Report only", "Nur zur Information"),
        (
            Criterion(kind=CriterionKind.ONE_OF, allowed=("clear", "opalescent")),
            "Clear or Opalescent",
            "Klar oder Opaleszent",
        ),
    ],
)
def test_a_criterion_is_printed_in_both_languages(criterion: Criterion, en: str, de: str) -> None:
    assert describe(criterion) == (en, de)


@pytest.mark.parametrize(
    ("value", "en", "de"),
    [
        (number("7.40", "[pH]"), "7.40", "7.40"),
        (number("1.20E11", "{particles}/mL"), "1.20E11 {particles}/mL", "1.20E11 {particles}/mL"),
        (Numeric(value=Decimal(1) / Decimal(3), unit="%"), "0.3333 %", "0.3333 %"),
        (censored("<0.05"), "< 0.05 {EU}/mL", "< 0.05 {EU}/mL"),
        (Qualitative(term="no growth"), "No growth", "Kein Wachstum"),
        (Text(text="as expected"), "as expected", "as expected"),
        (NotReportable(why="control failed"), "Not reportable: control failed", "Nicht auswertbar: control failed"),
        (None, "Not tested", "Nicht geprüft"),
    ],
)
def test_a_value_is_printed_in_both_languages(value: ReportableValue, en: str, de: str) -> None:
    assert describe_value(value) == (en, de)


def test_the_rounded_figure_can_be_printed_instead_of_the_computed_one() -> None:
    assert describe_value(number("97.96", "%"), "98.0") == ("98.0 %", "98.0 %")


@pytest.mark.parametrize("text", ["", "0.05", "{}", '{"kind":"numeric","value":0.05,"unit":"%"}', '{"kind":"guess"}'])
def test_what_was_not_stored_by_us_is_not_read(text: str) -> None:
    with pytest.raises(Invalid):
        load_value(text)


@given(VALUES)
def test_every_value_survives_storage_with_all_its_digits(value: ReportableValue) -> None:
    again = load_value(dump_value(value))
    assert again == value
    assert dump_value(again) == dump_value(value)


@pytest.mark.requirement("URS-032")
@given(criteria(), VALUES)
def test_there_is_a_verdict_for_every_pair_and_nothing_never_passes(
    criterion: Criterion, value: ReportableValue
) -> None:
    judgement = judge(criterion, value)
    assert judgement.reason
    assert judge(criterion, None).verdict == MISSING
    if value is None or isinstance(value, NotReportable):
        assert judgement.verdict in (MISSING, INDETERMINATE)
    assert all(describe(criterion))
    assert all(describe_value(value))


@given(LIMITS, DECIMALS, DECIMALS, ROUNDINGS)
def test_what_is_better_than_a_passing_value_passes(
    limit: str, one: Decimal, other: Decimal, rounding: Rounding
) -> None:
    less, more = sorted((one, other))
    if judge(at_most(limit, rounding=rounding), Numeric(value=more, unit=EU)).verdict == PASS:
        assert judge(at_most(limit, rounding=rounding), Numeric(value=less, unit=EU)).verdict == PASS
    if judge(at_least(limit, EU, rounding), Numeric(value=less, unit=EU)).verdict == PASS:
        assert judge(at_least(limit, EU, rounding), Numeric(value=more, unit=EU)).verdict == PASS


@given(DECIMALS, LIMITS, ROUNDINGS)
def test_rounding_twice_is_rounding_once(value: Decimal, limit: str, rounding: Rounding) -> None:
    once = round_to_limit(value, limit, rounding)
    assert str(round_to_limit(once, limit, rounding)) == str(once)


@given(LIMITS, ROUNDINGS)
def test_the_limit_itself_is_always_within(limit: str, rounding: Rounding) -> None:
    value = Numeric(value=Decimal(limit), unit=EU)
    assert judge(at_most(limit, rounding=rounding), value).verdict == PASS
    assert judge(at_least(limit, EU, rounding), value).verdict == PASS


def test_the_reason_cuts_a_long_number_and_says_so() -> None:
    third = Decimal(116) / Decimal(3)
    criterion = Criterion(kind=CriterionKind.AT_MOST, upper="120", unit="s")
    reason = judge(criterion, Numeric(value=third, unit="s")).reason
    assert reason.startswith("38.66666666… s, rounded to 39 s,")
