"""What a test can report: a number, a censored number, a word of a controlled list, text, or that it cannot report.

A value keeps its type through storage: `dump_value` and `load_value` go to JSON text and back, decimals as strings.
"<0.05" is never 0.05 and never 0; an absent value is `None`, never an empty string.
"""

import re
from collections.abc import Mapping
from decimal import ROUND_DOWN, ROUND_HALF_UP, Context, Decimal
from types import MappingProxyType
from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

from domain.errors import Invalid, Reason

EXACT = Context(prec=200, rounding=ROUND_HALF_UP)
"""Room enough to round any allowed number at any allowed limit without a second, hidden rounding."""
LARGEST_EXPONENT = 99
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?")
_READABLE_DIGITS = 10
_SHORTENED_DIGITS = 4


def is_sound(number: Decimal) -> bool:
    """True for a finite number between 1E-99 and 1E+99 in size (or zero) that can be compared without surprises."""
    if not number.is_finite():
        return False
    smallest, exponent = -2 * LARGEST_EXPONENT, int(number.as_tuple().exponent)
    return smallest <= exponent <= LARGEST_EXPONENT and number.adjusted() <= LARGEST_EXPONENT


def _exact(given: object) -> Decimal:
    """Only what is exact: a Decimal, a whole number or plain ASCII text; a float has already lost its digits."""
    written = str(given) if isinstance(given, int | str) and not isinstance(given, bool) else ""
    number = Decimal(written) if _NUMBER.fullmatch(written) else given
    if isinstance(number, Decimal) and is_sound(number):
        return number
    raise ValueError(f"{given!r} is not a finite number within 1E±{LARGEST_EXPONENT}, given exactly, as text")


Exact = Annotated[Decimal, BeforeValidator(_exact)]
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]


class Value(BaseModel):
    """A reported value cannot change and takes no stray fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Numeric(Value):
    """A finite number with its UCUM unit (`1` for a ratio); trailing zeros are kept."""

    kind: Literal["numeric"] = "numeric"
    value: Exact
    unit: Words


class Censored(Value):
    """Below (`<`) or above (`>`) what the method can quantify; `bound`, `lod`, `loq` share the unit."""

    kind: Literal["censored"] = "censored"
    comparator: Literal["<", ">"]
    bound: Exact
    unit: Words
    lod: Exact | None = None
    loq: Exact | None = None


class Qualitative(Value):
    """A word, compared letter by letter with the controlled list: "Yes" is not "yes"."""

    kind: Literal["qualitative"] = "qualitative"
    term: Words


class Text(Value):
    """Free text, for what is only reported."""

    kind: Literal["text"] = "text"
    text: Words


class NotReportable(Value):
    """Something was measured that must not be reported: a failed control, outside the linear range (not an OOS)."""

    kind: Literal["not_reportable"] = "not_reportable"
    why: Words


ReportableValue = Numeric | Censored | Qualitative | Text | NotReportable | None

Outcome = Literal["absent", "present", "conforms", "does_not_conform", "invalid", "descriptive"]


class Term(NamedTuple):
    """A word of the controlled list: what it says about the sample, and how it is printed in both languages."""

    outcome: Outcome
    en: str
    de: str


VOCABULARY: Mapping[str, Term] = MappingProxyType(
    {
        "not detected": Term("absent", "Not detected", "Nicht nachweisbar"),
        "negative": Term("absent", "Negative", "Negativ"),
        "no growth": Term("absent", "No growth", "Kein Wachstum"),
        "absent": Term("absent", "Absent", "Nicht vorhanden"),
        "detected": Term("present", "Detected", "Nachgewiesen"),
        "positive": Term("present", "Positive", "Positiv"),
        "growth": Term("present", "Growth", "Wachstum"),
        "present": Term("present", "Present", "Vorhanden"),
        "conforms": Term("conforms", "Conforms", "Entspricht"),
        "does not conform": Term("does_not_conform", "Does not conform", "Entspricht nicht"),
        "invalid": Term("invalid", "Invalid test", "Prüfung ungültig"),
        "depleted": Term("descriptive", "Depleted", "Abgereichert"),
        "intact": Term("descriptive", "Intact cake", "Intakter Kuchen"),
        "shrunken": Term("descriptive", "Shrunken cake", "Geschrumpfter Kuchen"),
        "collapsed": Term("descriptive", "Collapsed cake", "Kollabierter Kuchen"),
        "melt-back": Term("descriptive", "Melt-back", "Rückgeschmolzener Kuchen"),
        "clear": Term("descriptive", "Clear", "Klar"),
        "opalescent": Term("descriptive", "Opalescent", "Opaleszent"),
        "turbid": Term("descriptive", "Turbid", "Trüb"),
        "essentially free": Term("descriptive", "Essentially free", "Praktisch frei"),
        "visible particles": Term("descriptive", "Visible particles", "Sichtbare Partikel"),
        "cup-shaped": Term("descriptive", "Cup-shaped vesicles", "Becherförmige Vesikel"),
        "lipid bilayer": Term("descriptive", "Vesicles with lipid bilayer", "Vesikel mit Lipiddoppelschicht"),
        "no vesicles": Term("descriptive", "No vesicles seen", "Keine Vesikel erkennbar"),
        "reference pattern": Term("descriptive", "As the reference pattern", "Wie das Referenzmuster"),
        "other pattern": Term("descriptive", "Unlike the reference pattern", "Anders als das Referenzmuster"),
    }
)
"""The controlled list: result word -> what it means. Spelling counts; a word outside it is never understood."""

ABSENT_TERMS = tuple(word for word, term in VOCABULARY.items() if term.outcome == "absent")
PRESENT_TERMS = tuple(word for word, term in VOCABULARY.items() if term.outcome == "present")

_ADAPTER: TypeAdapter[ReportableValue] = TypeAdapter(
    Annotated[Numeric | Censored | Qualitative | Text | NotReportable, Field(discriminator="kind")] | None
)


def dump_value(value: ReportableValue) -> str:
    """JSON text with the kind and decimals as strings; `null` for an absent value."""
    return _ADAPTER.dump_json(value).decode()


def load_value(text: str) -> ReportableValue:
    """The value `dump_value` wrote; Invalid (`unreadable-value`) for anything else."""
    try:
        return _ADAPTER.validate_json(text)
    except ValidationError as wrong:
        raise Invalid(Reason("unreadable-value", f"not a reported value: {text[:80]!r}")) from wrong


def decimal_text(number: Decimal) -> str:
    """The digits as they are, powers of ten without a plus: Decimal("1.0E+10") -> "1.0E10"."""
    return str(number).replace("E+", "E")


def cut_text(number: Decimal) -> str:
    """The digits as they are, cut off (never rounded) after ten, with "…" for the rest: Decimal(116) / 3 -> "38.66666666…"."""
    if len(number.as_tuple().digits) <= _READABLE_DIGITS:
        return decimal_text(number)
    mantissa, _, exponent = decimal_text(Context(prec=_READABLE_DIGITS, rounding=ROUND_DOWN).plus(number)).partition(
        "E"
    )
    return f"{mantissa}…" + (f"E{exponent}" if exponent else "")


def with_unit(figures: str, unit: str | None) -> str:
    """Figures and UCUM code; a ratio and a pH are written without one."""
    return figures if unit in (None, "1", "[pH]") else f"{figures} {unit}"


def describe_value(value: ReportableValue, shown: str | None = None) -> tuple[str, str]:
    """The value for print, in English and German; the decimal point stays in both: the same figures, letter by letter.

    `shown` replaces the digits of a number (the rounded value of its judgement). Without it a computed number, which
    has no natural end, is shortened to four significant figures; up to ten digits, as people enter, are left alone.
    """
    match value:
        case Numeric():
            text = with_unit(shown or _readable(value.value), value.unit)
        case Censored():
            text = with_unit(f"{value.comparator} {decimal_text(value.bound)}", value.unit)
        case Qualitative():
            return describe_term(value.term)
        case Text():
            text = value.text
        case NotReportable():
            return f"Not reportable: {value.why}", f"Nicht auswertbar: {value.why}"
        case _:
            return "Not tested", "Nicht geprüft"
    return text, text


def describe_term(word: str) -> tuple[str, str]:
    """A word of the controlled list in English and German; an unknown word as it is."""
    term = VOCABULARY.get(word)
    return (term.en, term.de) if term else (word, word)


def _readable(number: Decimal) -> str:
    if len(number.as_tuple().digits) <= _READABLE_DIGITS:
        return decimal_text(number)
    return decimal_text(Context(prec=_SHORTENED_DIGITS, rounding=ROUND_HALF_UP).plus(number))
