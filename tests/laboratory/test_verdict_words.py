"""What a verdict says to people, word by word, and figures longer than any instrument gives."""

from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from domain.laboratory.values import ABSENT_TERMS, Censored, NotReportable, Numeric, Qualitative, Text
from domain.laboratory.verdict import Criterion, CriterionKind, Judgement, Rounding, Verdict, judge, round_to_limit

K, V = CriterionKind, Verdict
EU = "{EU}/mL"
AT_MOST = Criterion(kind=K.AT_MOST, upper="0.50", unit=EU)
BETWEEN = Criterion(kind=K.BETWEEN, lower="6.8", upper="7.6", unit="[pH]")
RATIO = Criterion(kind=K.AT_LEAST, lower="0.90", unit="1")
ONE_OF = Criterion(kind=K.ONE_OF, allowed=("intact", "shrunken"))
NONE = Criterion(kind=K.NONE_DETECTED)
CONFORMS = Criterion(kind=K.CONFORMS)
REPORT = Criterion(kind=K.REPORT_ONLY)


def number(value: str, unit: str = EU) -> Numeric:
    return Numeric(value=Decimal(value), unit=unit)


def censored(comparator: Any, bound: str, unit: str = EU) -> Censored:
    return Censored(comparator=comparator, bound=Decimal(bound), unit=unit)


@pytest.mark.requirement("URS-032", "URS-033")
@pytest.mark.parametrize(
    ("criterion", "value", "verdict", "reason", "rounded"),
    [
        (AT_MOST, number("0.504"), V.PASS, "0.504 {EU}/mL, rounded to 0.50 {EU}/mL, is within ≤ 0.50 {EU}/mL.", "0.50"),
        (
            AT_MOST,
            number("0.505"),
            V.FAIL,
            "0.505 {EU}/mL, rounded to 0.51 {EU}/mL, is above the upper limit 0.50 {EU}/mL.",
            "0.51",
        ),
        (BETWEEN, number("6.74", "[pH]"), V.FAIL, "6.74, rounded to 6.7, is below the lower limit 6.8.", "6.7"),
        (BETWEEN, number("7.66", "[pH]"), V.FAIL, "7.66, rounded to 7.7, is above the upper limit 7.6.", "7.7"),
        (BETWEEN, number("7.2", "[pH]"), V.PASS, "7.2, rounded to 7.2, is within 6.8 – 7.6.", "7.2"),
        (RATIO, number("0.95", "1"), V.PASS, "0.95, rounded to 0.95, is within ≥ 0.90.", "0.95"),
        (
            AT_MOST.model_copy(update={"rounding": Rounding.NONE}),
            number("0.504"),
            V.FAIL,
            "0.504 {EU}/mL, taken as 0.504 {EU}/mL, is above the upper limit 0.50 {EU}/mL.",
            "0.504",
        ),
        (AT_MOST, censored("<", "0.05"), V.PASS, "< 0.05 {EU}/mL lies wholly within ≤ 0.50 {EU}/mL.", None),
        (AT_MOST, censored(">", "0.6"), V.FAIL, "> 0.6 {EU}/mL lies wholly outside ≤ 0.50 {EU}/mL.", None),
        (
            AT_MOST,
            censored("<", "1.0"),
            V.INDETERMINATE,
            "< 1.0 {EU}/mL may lie on either side of ≤ 0.50 {EU}/mL; measure within the quantifiable range.",
            None,
        ),
        (RATIO, censored(">", "0.95", "1"), V.PASS, "> 0.95 lies wholly within ≥ 0.90.", None),
        (AT_MOST, None, V.MISSING, "No value was reported.", None),
        (AT_MOST, Text.model_construct(text=" "), V.MISSING, "The reported value is empty.", None),
        (NONE, Qualitative.model_construct(term=""), V.MISSING, "The reported value is empty.", None),
        (
            AT_MOST,
            Text(text="clear"),
            V.INDETERMINATE,
            "The words 'clear' cannot be compared with ≤ 0.50 {EU}/mL.",
            None,
        ),
        (
            AT_MOST,
            Qualitative(term="no growth"),
            V.INDETERMINATE,
            "The words 'No growth' cannot be compared with ≤ 0.50 {EU}/mL.",
            None,
        ),
        (AT_MOST, NotReportable(why="two of three wells failed"), V.INDETERMINATE, None, None),
        (
            NONE,
            Qualitative(term="invalid"),
            V.INDETERMINATE,
            "The test is invalid (a control failed); repeat it, this is no out-of-specification result.",
            None,
        ),
        (ONE_OF, Qualitative(term="intact"), V.PASS, '\'intact\' meets the criterion: "intact", "shrunken".', None),
        (
            ONE_OF,
            Qualitative(term="collapsed"),
            V.FAIL,
            '\'collapsed\' does not meet the criterion: "intact", "shrunken".',
            None,
        ),
        (
            ONE_OF,
            Qualitative(term="Intact"),
            V.INDETERMINATE,
            'The term \'Intact\' is not understood here; allowed: "intact", "shrunken".',
            None,
        ),
        (
            ONE_OF,
            number("1", "1"),
            V.INDETERMINATE,
            '\'1\' is no term of the controlled list; allowed: "intact", "shrunken".',
            None,
        ),
        (CONFORMS, Qualitative(term="conforms"), V.PASS, "'conforms' meets the criterion: \"conforms\".", None),
        (
            CONFORMS,
            Qualitative(term="does not conform"),
            V.FAIL,
            "'does not conform' does not meet the criterion: \"conforms\".",
            None,
        ),
        (
            CONFORMS,
            Qualitative(term="no growth"),
            V.INDETERMINATE,
            "The term 'no growth' is not understood here; allowed: \"conforms\".",
            None,
        ),
        (REPORT, Text(text="as seen"), V.PASS, "report only", None),
    ],
)
def test_a_verdict_is_told_in_these_words(
    criterion: Criterion, value: Any, verdict: Verdict, reason: str | None, rounded: str | None
) -> None:
    told = reason or "Nothing can be reported: two of three wells failed."
    assert judge(criterion, value) == Judgement(verdict=verdict, reason=told, rounded=rounded)


def test_a_word_of_another_language_is_told_in_english() -> None:
    told = judge(ONE_OF, Censored(comparator="<", bound=Decimal(5), unit="1")).reason
    assert told.startswith("'< 5' is no term")
    assert judge(AT_MOST, Qualitative(term="not detected")).reason.startswith("The words 'Not detected' cannot")
    assert judge(NONE.model_copy(update={"allowed": ("no growth",)}), Qualitative(term="growth")).verdict is V.FAIL


def test_a_sentence_ends_with_one_full_stop_whatever_it_was_given() -> None:
    assert judge(AT_MOST, NotReportable(why="it was spilt.")).reason == "Nothing can be reported: it was spilt."
    assert judge(AT_MOST, NotReportable(why="it was X.X")).reason == "Nothing can be reported: it was X.X."


@pytest.mark.requirement("URS-033")
@pytest.mark.parametrize("digits", [30, 38])
def test_a_figure_with_more_digits_than_anybody_prints_is_still_judged_exactly(digits: int) -> None:
    """Decimal's usual 28 digits would round, or refuse; a figure just above its limit is above it."""
    limit = "1" + "0" * digits
    above = Decimal(f"1{'0' * (digits - 1)}1")
    exact = Criterion(kind=K.AT_MOST, upper=limit, unit="1", rounding=Rounding.NONE)
    assert judge(exact, Numeric(value=above, unit="1")).verdict is V.FAIL
    assert judge(exact, Numeric(value=Decimal(limit), unit="1")).verdict is V.PASS
    assert str(round_to_limit(Decimal(f"{above}.26"), "0.1", Rounding.USP_DECIMALS)) == f"{above}.3"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"kind": K.ONE_OF}, "a criterion one_of needs at least one allowed term"),
        (
            {"kind": K.ONE_OF, "allowed": ("invalid",)},
            '"invalid" says that a control failed: it cannot be a passing term',
        ),
        ({"kind": K.CONFORMS, "allowed": ("conforms",)}, "a criterion conforms takes no allowed terms"),
        (
            {"kind": K.NONE_DETECTED, "allowed": ("growth",)},
            f'none_detected passes with {", ".join(f"{chr(34)}{term}{chr(34)}" for term in ABSENT_TERMS)} only, not "growth"',
        ),
    ],
)
def test_a_criterion_that_cannot_be_says_why(said: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        Criterion(**said)
    assert [one["msg"] for one in refusal.value.errors()] == [f"Value error, {told}"]
