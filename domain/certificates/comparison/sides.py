"""One certificate of a comparison, read for its figures: converted exactly, never guessed; what is not there is missing, and says why."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Context, Decimal
from typing import Literal, Self

from domain.certificates.comparison.shapes import Fact, Figure
from domain.certificates.content import CertificateContent, DistributionShown, TestLine, Words
from domain.errors import Invalid
from domain.laboratory.values import Censored, NotReportable, Numeric, ReportableValue, describe_value
from domain.quantities import convert, parse_decimal, unit_of

_ARITHMETIC = Context(prec=50)
_PRINTED = re.compile(r"(?P<comparator>[<>]?) ?(?P<figures>[0-9][0-9.eE+-]*)(?: (?P<unit>\S+))?")
_VOLUME = re.compile(r"(?P<figures>[0-9]+(?:\.[0-9]+)?) mL\b")

Denominator = Literal["all", "other"]


class Missing(Exception):
    """Why there is no figure."""

    def __init__(self, en: str, de: str) -> None:
        self.words = Words(en=en, de=de)
        super().__init__(en)


@dataclass(frozen=True, slots=True)
class Found:
    """A number, or a bound that it lies below or above; the measured lines it rests on; what is said of it; how the certificate prints it."""

    value: Decimal
    comparator: Literal["<", ">"] | None = None
    lines: tuple[TestLine, ...] = ()
    note: Words | None = None
    printed: str | None = None

    def times(self, factor: Decimal, divisor: Decimal = Decimal(1)) -> Self:
        """Multiplied, and then divided, by a plain number; a bound stays a bound."""
        value = _ARITHMETIC.divide(_ARITHMETIC.multiply(self.value, factor), divisor)
        return replace(self, value=value, printed=None)

    def over(self, divisor: "Found") -> "Found":
        """The ratio of two numbers; Missing when one is only a bound, or the divisor is zero."""
        if self.comparator or divisor.comparator or not divisor.value:
            raise Missing("needs two plain numbers above zero", "braucht zwei reine Zahlen über null")
        lines = tuple({line.code: line for line in (*self.lines, *divisor.lines)}.values())
        return Found(_ARITHMETIC.divide(self.value, divisor.value), lines=lines)


@dataclass(frozen=True, slots=True)
class Side:
    """A certificate, whether it is known to be issued here, and how many vials make a dose, as whoever compares said."""

    content: CertificateContent
    verified: bool
    vials_per_dose: int | None = None

    def line(self, code: str) -> TestLine:
        """The line of a test, tested if any of them is; Missing when there is none, or it was not tested."""
        lines = [line for line in self.content.tests if line.code == code]
        if not lines:
            raise Missing("not on this certificate", "nicht auf diesem Zertifikat")
        tested = [line for line in lines if line.verdict != "not_tested"]
        if not tested:
            raise Missing("not tested", "nicht geprüft")
        return tested[0]

    def has(self, code: str) -> bool:
        """Whether the test was done."""
        return any(line.code == code and line.verdict != "not_tested" for line in self.content.tests)

    def number(self, code: str, unit: str) -> Found:
        """What a test found, in a unit; Missing for words, for what cannot be converted, and for what cannot be."""
        line = self.line(code)
        said = printed(line.result.en)
        value = line.value if line.value is not None else said
        match value:
            case Numeric():
                found = Found(_in_unit(value.value, value.unit, unit))
            case Censored():
                found = Found(_in_unit(value.bound, value.unit, unit), value.comparator)
            case NotReportable():
                raise Missing(f"not reportable: {value.why}", f"nicht auswertbar: {value.why}")
            case _:
                raise Missing(f"no number: {line.result.en}", f"keine Zahl: {line.result.de}")
        if found.value < 0:
            raise Missing("a figure below zero cannot be", "ein Wert unter null kann nicht sein")
        as_printed = isinstance(said, Numeric | Censored) and type(said) is type(value) and said.unit == unit
        return replace(found, lines=tuple(self.measured(line)), printed=line.result.en.strip() if as_printed else None)

    def measured(self, line: TestLine) -> Iterator[TestLine]:
        """The lines whose methods a figure rests on: itself, or for a calculated one those it was calculated from."""
        known = {one.code: one for one in reversed(self.content.tests)}
        seen, waiting = {line.code}, [line]
        while waiting:
            one = waiting.pop()
            inputs = [known[code] for code in dict.fromkeys(one.inputs) if code in known]
            if one.method_code is not None or not inputs:
                yield one
                continue
            fresh = [found for found in inputs if found.code not in seen]
            seen |= {found.code for found in fresh}
            waiting += fresh

    def volume(self) -> Decimal:
        """The reconstitution volume in mL; Missing when the certificate does not state it so."""
        stated = _VOLUME.match(self.content.product.reconstitution.en)
        if stated is None or not Decimal(stated["figures"]):
            raise Missing("reconstitution volume not stated in mL", "Rekonstitutionsvolumen nicht in mL angegeben")
        return Decimal(stated["figures"])

    def vials(self) -> Decimal:
        """Vials for a dose; Missing unless whoever compares said."""
        if self.vials_per_dose is None:
            raise Missing("vials per dose not given", "Vials pro Dosis nicht angegeben")
        return Decimal(self.vials_per_dose)

    def distribution(self) -> DistributionShown | None:
        """The first size distribution, if there is one."""
        return next(iter(self.content.distributions), None)

    def denominator(self, code: str) -> tuple[Denominator, Words]:
        """Of what a percentage of positive particles is one: of all counted, or of others; Missing when that is not stated."""
        line = self.line(code)
        stated = [
            Words(en=value, de=value) for name, value in line.settings if name.casefold() in ("denominator", "nenner")
        ]
        for text in [*stated, *([line.note] if line.note else [])]:
            said = text.en.casefold()
            if "all particles" in said or "all counted" in said:
                return "all", text
            if stated or any(word in said for word in ("dye", "captured", "positive particles", "gated")):
                return "other", text
        raise Missing("denominator (percent of what) not stated", "Nenner (Prozent wovon) nicht angegeben")


def printed(text: str) -> ReportableValue:
    """A figure as it was printed before values were typed, such as `< 0.05 {EU}/mL`; None for other words."""
    match = _PRINTED.fullmatch(text.strip())
    if match is None:
        return None
    try:
        figures, unit = parse_decimal(match["figures"]), unit_of(match["unit"] or "1").ucum
    except Invalid:
        return None
    if match["comparator"]:
        return Censored(comparator="<" if match["comparator"] == "<" else ">", bound=figures, unit=unit)
    return Numeric(value=figures, unit=unit)


def _in_unit(number: Decimal, from_unit: str, unit: str) -> Decimal:
    try:
        return convert(number, from_unit, unit)
    except Invalid:
        raise Missing(f"given in {from_unit}, not in {unit}", f"angegeben in {from_unit}, nicht in {unit}") from None


def shown(number: Decimal, unit: str, comparator: Literal["<", ">"] | None = None) -> str:
    """A figure with its unit: `6.0E11 {particles}/{vial}`, `< 0.25 {EU}/{vial}`; a number without an end has four figures."""
    text = describe_value(Numeric(value=number, unit=unit))[0]
    return f"{comparator} {text}" if comparator else text


def figure(found: Found, unit: str, beside: tuple[Fact, ...] = ()) -> Figure:
    """A figure with what must stand beside it."""
    text = found.printed or shown(found.value, unit, found.comparator)
    return Figure(value=found.value, text=text, comparator=found.comparator, note=found.note, beside=beside)
