"""The verdict: the total function of a criterion and a reported value (domain.md 2.1).

Pass, fail, indeterminate or missing, with a sentence that says why; for no pair does it raise, and what is absent or
not understood never passes. Rounding is named by the criterion and applied once, half up, in Decimal:

- `usp_decimals`: to the decimal place of the limit as written, powers of ten at the limit's exponent (USP GN 7.20);
- `ph_eur_significant_figures`: to the number of significant figures of the limit as written (Ph. Eur. 1.4);
- `none`: compared as it is.

Limits are text, because "1.0" is not "1"; a value equal to the limit is within it. The bound of a censored value is
never rounded and never replaced by zero or half the limit of quantification.
"""

from decimal import Decimal
from enum import StrEnum
from operator import gt, lt
from typing import Self

from pydantic import BaseModel, ConfigDict, field_validator, model_validator

from domain.errors import Invalid
from domain.laboratory.values import (
    ABSENT_TERMS,
    EXACT,
    PRESENT_TERMS,
    VOCABULARY,
    Censored,
    NotReportable,
    Numeric,
    Qualitative,
    ReportableValue,
    Text,
    cut_text,
    decimal_text,
    describe_term,
    describe_value,
    dump_value,
    is_sound,
    load_value,
    with_unit,
)
from domain.quantities import convert, parse_decimal, unit_of

__all__ = [
    "ABSENT_TERMS",
    "PRESENT_TERMS",
    "VOCABULARY",
    "Censored",
    "Criterion",
    "CriterionKind",
    "Judgement",
    "NotReportable",
    "Numeric",
    "Qualitative",
    "ReportableValue",
    "Rounding",
    "Text",
    "Verdict",
    "describe",
    "describe_value",
    "dump_value",
    "judge",
    "load_value",
    "round_to_limit",
]


class Verdict(StrEnum):
    """What a value says about a criterion."""

    PASS = "pass"  # noqa: S105  (a verdict, not a password)
    FAIL = "fail"
    INDETERMINATE = "indeterminate"
    MISSING = "missing"


class Rounding(StrEnum):
    """How a value is rounded before it is compared with a limit."""

    USP_DECIMALS = "usp_decimals"
    PH_EUR_SIGNIFICANT_FIGURES = "ph_eur_significant_figures"
    NONE = "none"


class CriterionKind(StrEnum):
    """The shapes an acceptance criterion can have."""

    AT_MOST = "at_most"
    AT_LEAST = "at_least"
    BETWEEN = "between"
    ONE_OF = "one_of"
    NONE_DETECTED = "none_detected"
    CONFORMS = "conforms"
    REPORT_ONLY = "report_only"


# Which limits each kind takes: (lower, upper). All others take none; an ignored limit would be a lie.
_LIMITS = {
    CriterionKind.AT_MOST: (False, True),
    CriterionKind.AT_LEAST: (True, False),
    CriterionKind.BETWEEN: (True, True),
}
_CONTROL_FAILED = "the test is invalid (a control failed); repeat it, this is no out-of-specification result"
_CONFORMING = {"conforms": Verdict.PASS, "does not conform": Verdict.FAIL}


class Criterion(BaseModel):
    """An acceptance criterion; one that could not be judged cannot be built (ValidationError).

    lower, upper: limits as text, in `unit` (UCUM; required where there are limits). allowed: the passing terms of
    `one_of`; for `none_detected` those of the four "absent" terms the method uses, or none for all four.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: CriterionKind
    lower: str | None = None
    upper: str | None = None
    unit: str | None = None
    allowed: tuple[str, ...] = ()
    rounding: Rounding = Rounding.USP_DECIMALS

    @field_validator("lower", "upper")
    @classmethod
    def _a_limit_is_a_number(cls, limit: str | None) -> str | None:
        if limit is not None:
            try:
                parse_decimal(limit)
            except Invalid as wrong:
                raise ValueError(f"the limit {limit!r} is no number: {wrong}") from wrong
        return limit

    @field_validator("unit")
    @classmethod
    def _a_unit_is_known(cls, unit: str | None) -> str | None:
        if unit is not None:
            try:
                unit_of(unit)
            except Invalid as wrong:
                raise ValueError(str(wrong)) from wrong
        return unit

    @field_validator("allowed")
    @classmethod
    def _terms_are_words(cls, allowed: tuple[str, ...]) -> tuple[str, ...]:
        if any(not term or term != term.strip() for term in allowed) or len(set(allowed)) != len(allowed):
            raise ValueError("the allowed terms must be words without spaces round them, each once")
        return allowed

    @model_validator(mode="after")
    def _the_parts_fit_the_kind(self) -> Self:
        for name, limit, wanted in zip(
            ("lower", "upper"), (self.lower, self.upper), _LIMITS.get(self.kind, (False, False)), strict=True
        ):
            if wanted != (limit is not None):
                raise ValueError(f"a criterion {self.kind} {'needs' if wanted else 'takes no'} {name} limit")
        if self.kind in _LIMITS and self.unit is None:
            raise ValueError(f"a criterion {self.kind} needs a unit; write 1 for a ratio")
        if self.lower is not None and self.upper is not None and Decimal(self.lower) > Decimal(self.upper):
            raise ValueError(f"the lower limit {self.lower} is above the upper limit {self.upper}")
        self._terms_fit_the_kind()
        return self

    def _terms_fit_the_kind(self) -> None:
        if self.kind is CriterionKind.ONE_OF:
            if not self.allowed:
                raise ValueError("a criterion one_of needs at least one allowed term")
            if "invalid" in self.allowed:
                raise ValueError('"invalid" says that a control failed: it cannot be a passing term')
        elif self.kind is CriterionKind.NONE_DETECTED:
            if stray := [term for term in self.allowed if term not in ABSENT_TERMS]:
                raise ValueError(f"none_detected passes with {_listed(ABSENT_TERMS)} only, not {_listed(stray)}")
        elif self.allowed:
            raise ValueError(f"a criterion {self.kind} takes no allowed terms")


class Judgement(BaseModel):
    """A verdict with its reason in one English sentence.

    rounded: the number that was compared, in the unit of the criterion; between two limits written with different
    precision, as rounded for the one that decided (the upper one, if the value is within both).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    verdict: Verdict
    reason: str
    rounded: str | None = None


def judge(criterion: Criterion, value: ReportableValue) -> Judgement:
    """Judge a reported value; total, it never raises (domain.md 2.1)."""
    match value:
        case Numeric() if not is_sound(value.value):
            return _unclear(f"{value.value} is not a number that can be reported")
        case Censored() if not is_sound(value.bound):
            return _unclear(f"{value.comparator} {value.bound} is not a bound that can be reported")
        case Qualitative(term=words) | Text(text=words) if not words.strip():
            return Judgement(verdict=Verdict.MISSING, reason="The reported value is empty.")
        case Qualitative(term="invalid") | NotReportable():
            why = f"nothing can be reported: {value.why}" if isinstance(value, NotReportable) else _CONTROL_FAILED
            return _unclear(why)
        case None:
            return Judgement(verdict=Verdict.MISSING, reason="No value was reported.")
    if criterion.kind is CriterionKind.REPORT_ONLY:
        return Judgement(verdict=Verdict.PASS, reason="report only")
    if criterion.kind not in _LIMITS:
        return _judge_term(criterion, value)
    if isinstance(value, Numeric):
        return _judge_number(criterion, value)
    if isinstance(value, Censored):
        return _judge_censored(criterion, value)
    return _unclear(f"the words {describe_value(value)[0]!r} cannot be compared with {describe(criterion)[0]}")


def round_to_limit(value: Decimal, limit: str, rounding: Rounding) -> Decimal:
    """`value` rounded once, half up, as the limit is written.

    Rounding twice gives the same as once. A limit of zero has no significant figures: there its decimals count.
    """
    written = Decimal(limit)
    exponent = int(written.as_tuple().exponent)
    if rounding is Rounding.NONE:
        return value
    if rounding is Rounding.USP_DECIMALS or not written or not value:
        return _at(value, exponent)
    figures = len(written.as_tuple().digits)
    rounded = _at(value, value.adjusted() - figures + 1)
    return _at(rounded, rounded.adjusted() - figures + 1)  # 9.996 became 10.00: one figure too many, and it is a zero


def describe(criterion: Criterion) -> tuple[str, str]:
    """The criterion for print, English and German: "≤ 0.50 {EU}/mL", "6.5 – 7.8", "No growth"; units are UCUM codes."""
    match criterion.kind:
        case CriterionKind.AT_MOST:
            text = f"≤ {criterion.upper}"
        case CriterionKind.AT_LEAST:
            text = f"≥ {criterion.lower}"
        case CriterionKind.BETWEEN:
            text = f"{criterion.lower} – {criterion.upper}"
        case CriterionKind.ONE_OF:
            words = [describe_term(term) for term in criterion.allowed]
            return " or ".join(en for en, _ in words), " oder ".join(de for _, de in words)
        case CriterionKind.NONE_DETECTED:
            return describe_term((criterion.allowed or ABSENT_TERMS)[0])
        case CriterionKind.CONFORMS:
            return describe_term("conforms")
        case CriterionKind.REPORT_ONLY:
            return "Report only", "Nur zur Information"
    text = with_unit(text, criterion.unit)
    return text, text


def _judge_number(criterion: Criterion, value: Numeric) -> Judgement:
    try:
        converted = convert(value.value, value.unit, criterion.unit or "1")
    except Invalid as wrong:
        return _unclear(f"the units do not fit: {wrong}")
    how = "taken as" if criterion.rounding is Rounding.NONE else "rounded to"
    sides = ((criterion.lower, lt, "below the lower"), (criterion.upper, gt, "above the upper"))
    compared = [
        (limit, round_to_limit(converted, limit, criterion.rounding), beyond, side)
        for limit, beyond, side in sides
        if limit is not None
    ]
    outside = next((one for one in compared if one[2](one[1], Decimal(one[0]))), None)
    limit, number, _, side = outside or compared[-1]
    rounded = decimal_text(number)
    found = f"{describe_value(value, cut_text(value.value))[0]}, {how} {with_unit(rounded, criterion.unit)}, is"
    if outside:
        told = f"{found} {side} limit {with_unit(limit, criterion.unit)}."
        return Judgement(verdict=Verdict.FAIL, reason=told, rounded=rounded)
    return Judgement(verdict=Verdict.PASS, reason=f"{found} within {describe(criterion)[0]}.", rounded=rounded)


def _judge_censored(criterion: Criterion, value: Censored) -> Judgement:
    """`<b` passes an upper limit U if b <= U, fails a lower limit L if b <= L; `>b` mirror-wise; else nobody knows."""
    try:
        bound = convert(value.bound, value.unit, criterion.unit or "1")
    except Invalid as wrong:
        return _unclear(f"the units do not fit: {wrong}")
    below = value.comparator == "<"
    near, far = (criterion.lower, criterion.upper) if below else (criterion.upper, criterion.lower)
    shown, limits = describe_value(value)[0], describe(criterion)[0]
    if near is not None and _reaches(bound, near, below):
        return Judgement(verdict=Verdict.FAIL, reason=f"{shown} lies wholly outside {limits}.")
    if near is None and far is not None and _reaches(bound, far, below):
        return Judgement(verdict=Verdict.PASS, reason=f"{shown} lies wholly within {limits}.")
    return _unclear(f"{shown} may lie on either side of {limits}; measure within the quantifiable range")


def _judge_term(criterion: Criterion, value: ReportableValue) -> Judgement:
    passing = criterion.allowed or (ABSENT_TERMS if criterion.kind is CriterionKind.NONE_DETECTED else ("conforms",))
    if not isinstance(value, Qualitative):
        return _unclear(f"{describe_value(value)[0]!r} is no term of the controlled list; allowed: {_listed(passing)}")
    verdict, known = Verdict.INDETERMINATE, VOCABULARY.get(value.term)
    if value.term in passing:
        verdict = Verdict.PASS
    elif criterion.kind is CriterionKind.NONE_DETECTED:
        verdict = Verdict.FAIL if value.term in PRESENT_TERMS else Verdict.INDETERMINATE
    elif criterion.kind is CriterionKind.CONFORMS:
        verdict = _CONFORMING.get(value.term, Verdict.INDETERMINATE)
    elif known and known.outcome != "invalid":
        verdict = Verdict.FAIL
    if verdict is Verdict.INDETERMINATE:
        return _unclear(f"the term {value.term!r} is not understood here; allowed: {_listed(passing)}")
    answer = "meets" if verdict is Verdict.PASS else "does not meet"
    return Judgement(verdict=verdict, reason=f"{value.term!r} {answer} the criterion: {_listed(passing)}.")


def _reaches(bound: Decimal, limit: str, below: bool) -> bool:
    return bound <= Decimal(limit) if below else bound >= Decimal(limit)


def _at(value: Decimal, exponent: int) -> Decimal:
    return value.quantize(Decimal(1).scaleb(exponent), context=EXACT)  # which rounds half up


def _unclear(why: str) -> Judgement:
    return Judgement(verdict=Verdict.INDETERMINATE, reason=f"{why[0].upper()}{why[1:].rstrip('.')}.")


def _listed(terms: tuple[str, ...] | list[str]) -> str:
    return ", ".join(f'"{term}"' for term in terms)
