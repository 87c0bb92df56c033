"""From replicates to the one reportable value a method defines (domain.md 2.1; FDA OOS guidance 2022, IV.C.1).

The value is computed unrounded, from exactly as many replicates as the method fixes in advance: too few are not enough,
and extra ones could test a failing sample into compliance. Every replicate is kept as it was typed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from enum import StrEnum

from domain.errors import Invalid, Reason
from domain.laboratory.values import Censored, NotReportable, Numeric, Qualitative, ReportableValue, describe_value
from domain.quantities import parse_decimal

LONGEST_TERM = 200
_ARITHMETIC = Context(prec=50)
_NOT_NUMBERS = ("nan", "snan", "qnan", "inf", "infinity")

Entry = Numeric | Censored | Qualitative


class Rule(StrEnum):
    """How a method makes one value of its replicates."""

    MEAN = "mean"
    MEDIAN = "median"
    SINGLE = "single"
    ALL_AGREE = "all_agree"


@dataclass(frozen=True, slots=True)
class Reportable:
    """The reportable value, the replicates as typed, their number, and their sample standard deviation.

    sd: same unit as the value; None unless two or more numbers were found.
    """

    value: ReportableValue
    replicates: tuple[str, ...]
    rule: Rule
    n: int
    sd: Decimal | None = None


def parse_entry(
    text: str, unit: str = "1", *, lod: Decimal | None = None, loq: Decimal | None = None, field: str | None = None
) -> Entry:
    """What somebody typed or an instrument wrote: "7.40", "<0.05", "> 2000" or a word such as "no growth".

    Numbers are strict ASCII (`1,5`, `NaN`, `1e400`, `1_000` and a blank are Invalid: `not-a-number`); whatever begins
    with a letter is a word of at most 200 printable characters (Invalid otherwise: `not-a-term`).
    unit: UCUM. lod, loq: of the method, in the same unit; kept with a censored value.
    """
    typed = text.strip()
    if typed[:1] in ("<", ">"):
        bound = parse_decimal(typed[1:].strip(), field)
        return Censored(comparator="<" if typed[0] == "<" else ">", bound=bound, unit=unit, lod=lod, loq=loq)
    if not typed[:1].isalpha() or typed.casefold() in _NOT_NUMBERS:
        return Numeric(value=parse_decimal(typed, field), unit=unit)
    if len(typed) > LONGEST_TERM or not typed.isprintable():
        raise Invalid(Reason("not-a-term", f"A result word has at most {LONGEST_TERM} printable characters.", field))
    return Qualitative(term=typed)


def reportable(
    replicates: Sequence[str],
    rule: Rule,
    required: int,
    unit: str = "1",
    *,
    lod: Decimal | None = None,
    loq: Decimal | None = None,
) -> Reportable:
    """The reportable value of replicates as typed; `None` as value when there are none.

    required: the number the method fixes. Invalid, with `replicates.<n>` as field, if one of them cannot be read.
    """
    typed = tuple(replicates)
    entries = [
        parse_entry(text, unit, lod=lod, loq=loq, field=f"replicates.{place}") for place, text in enumerate(typed, 1)
    ]
    value = _value(entries, rule, required, unit) if entries else None
    numbers = [entry.value for entry in entries if isinstance(entry, Numeric)]
    sd = sample_sd(numbers) if len(numbers) == len(entries) else None
    return Reportable(value, typed, rule, len(entries), sd)


def mean(numbers: Sequence[Decimal]) -> Decimal:
    """The arithmetic mean, to 50 digits."""
    total = Decimal(0)
    for number in numbers:
        total = _ARITHMETIC.add(total, number)
    return _ARITHMETIC.divide(total, Decimal(len(numbers)))


def median(numbers: Sequence[Decimal]) -> Decimal:
    """The middle number; of an even number of them, the mean of the two in the middle."""
    ordered, middle = sorted(numbers), len(numbers) // 2
    return ordered[middle] if len(ordered) % 2 else mean(ordered[middle - 1 : middle + 1])


def sample_sd(numbers: Sequence[Decimal]) -> Decimal | None:
    """The sample standard deviation (n - 1), to 50 digits; None for fewer than two numbers."""
    if len(numbers) < 2:
        return None
    centre, squares = mean(numbers), Decimal(0)
    for number in numbers:
        distance = _ARITHMETIC.subtract(number, centre)
        squares = _ARITHMETIC.add(squares, _ARITHMETIC.multiply(distance, distance))
    return _ARITHMETIC.sqrt(_ARITHMETIC.divide(squares, Decimal(len(numbers) - 1)))


def _value(entries: list[Entry], rule: Rule, required: int, unit: str) -> Entry | NotReportable:
    if rule is Rule.SINGLE:
        required = 1
    if len(entries) != required:
        few = "too few to report" if len(entries) < required else "extra ones may not be averaged in"
        return NotReportable(why=f"{len(entries)} replicates where the method fixes {required}: {few}")
    words = [entry.term for entry in entries if isinstance(entry, Qualitative)]
    if rule is Rule.SINGLE:
        return entries[0]
    if rule is Rule.ALL_AGREE:
        return entries[0] if len(set(entries)) == 1 else NotReportable(why=f"the replicates disagree: {_all(entries)}")
    if words:
        return NotReportable(why=f"words among the replicates have no {rule}: {_all(entries)}")
    numbers = [entry.value for entry in entries if isinstance(entry, Numeric)]
    if len(numbers) == len(entries):
        return Numeric(value=mean(numbers) if rule is Rule.MEAN else median(numbers), unit=unit)
    return _censored([entry for entry in entries if isinstance(entry, Censored)], entries)


def _censored(censored: list[Censored], entries: list[Entry]) -> Censored | NotReportable:
    """Replicates all censored on the same side give the weakest of their bounds; any other mixture gives nothing.

    If each is below its bound, mean and median are below the largest bound, and that is all that is known. With numbers
    among them a mean would need a figure in place of "<LOQ" (0, LOQ/2, LOQ): each choice invents a result, so none is
    made and the sample is measured again within the quantifiable range.
    """
    sides = {one.comparator for one in censored}
    if len(censored) < len(entries) or len(sides) > 1:
        return NotReportable(why=f"some replicates are outside the quantifiable range: {_all(entries)}")
    weakest = max if sides == {"<"} else min
    return weakest(censored, key=lambda one: one.bound)


def _all(entries: list[Entry]) -> str:
    return ", ".join(describe_value(entry)[0] for entry in entries)
