"""Derived results: named, versioned formulas over reported values and size distributions.

A formula gives a number only from numbers. If an input is missing, censored, a word or not reportable, the derived
result is not reportable and says which input stands in the way: no figure is ever put in place of "<LOQ".
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Context, Decimal
from types import MappingProxyType
from typing import Literal

from domain.errors import Invalid, NotFound, Reason
from domain.laboratory.size_distribution import SizeDistribution
from domain.laboratory.values import NotReportable, Numeric, ReportableValue, describe_value, is_sound
from domain.quantities import convert

Input = ReportableValue | SizeDistribution
PurityClass = Literal["A", "B", "C"]

_ARITHMETIC = Context(prec=50)
_CURVE_FIGURES = 12


@dataclass(frozen=True, slots=True)
class Derived:
    """The result of a formula, with the formula's version, the inputs as read, and a purity class where it has one."""

    value: Numeric | NotReportable
    formula: str
    inputs: tuple[tuple[str, str], ...]
    purity: PurityClass | None = None


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula by name and version: inputs with their UCUM unit (None: a size distribution), and the unit it gives."""

    name: str
    version: int
    inputs: Mapping[str, str | None]
    unit: str
    text: str
    compute: Callable[..., Decimal]

    @property
    def label(self) -> str:
        """Name and version as stored with a result: `particles-per-vial/1`."""
        return f"{self.name}/{self.version}"


class _Unreportable(Exception):
    """Why a formula has no number to give."""


def derive(name: str, inputs: Mapping[str, Input]) -> Derived:
    """The result of the formula `name`; bad inputs are no error, an unknown formula is NotFound (`unknown-formula`)."""
    formula = _formula(name)
    read = tuple((one, _shown(inputs.get(one))) for one in formula.inputs)
    try:
        given = {one: _given(one, inputs.get(one), unit) for one, unit in formula.inputs.items()}
        number = formula.compute(**given)
        if not is_sound(number):
            raise _Unreportable("the result is too large or too small to be real")
    except _Unreportable as why:
        return Derived(NotReportable(why=f"{formula.text} needs numbers: {why}"), formula.label, read)
    value = Numeric(value=number, unit=formula.unit)
    ratio = formula.name == "particles-per-ug-protein"
    return Derived(value, formula.label, read, purity_class(value.value) if ratio else None)


def purity_class(ratio: Decimal) -> PurityClass:
    """Particles per ug protein -> A (at least 3E10), B (2E9 to below 3E10), C (below 2E9).

    The classes close the gaps between the thresholds of Webber & Clayton 2013; the ratio speaks of purity, not potency.
    """
    if ratio >= Decimal("3E10"):
        return "A"
    return "B" if ratio >= Decimal("2E9") else "C"


def _formula(name: str) -> Formula:
    try:
        return FORMULAS[name]
    except KeyError:
        text = f"There is no formula {name!r}; known: {', '.join(FORMULAS)}."
        raise NotFound(Reason("unknown-formula", text)) from None


def _given(name: str, value: Input, unit: str | None) -> Decimal | SizeDistribution:
    if unit is None and isinstance(value, SizeDistribution):
        if value.weighting != "number":
            raise _Unreportable(f"{name} is weighted by {value.weighting}, not by number")
        return value
    if unit is None or not isinstance(value, Numeric):
        raise _Unreportable(f"{name} is {_shown(value)}")
    try:
        number = convert(value.value, value.unit, unit)
    except Invalid as wrong:
        raise _Unreportable(f"{name}: {wrong}") from wrong
    if number < 0:
        raise _Unreportable(f"{name} is {_shown(value)}, below zero")
    return number


def _shown(value: Input) -> str:
    if isinstance(value, SizeDistribution):
        return f"a distribution of {value.total:.4g} particles in {len(value.values)} bins"
    return describe_value(value)[0]


def _over(number: Decimal, divisor: Decimal, what: str) -> Decimal:
    if not divisor:
        raise _Unreportable(f"{what} is zero")
    return _ARITHMETIC.divide(number, divisor)


def _from_curve(size: float) -> Decimal:
    """Floats end here: twelve figures are far beyond any instrument and drop the dust of binary arithmetic."""
    return Decimal(format(size, f".{_CURVE_FIGURES}g"))


def _particles_per_vial(concentration: Decimal, volume: Decimal) -> Decimal:
    return _ARITHMETIC.multiply(concentration, volume)


def _particles_per_ug_protein(concentration: Decimal, protein: Decimal) -> Decimal:
    return _over(concentration, protein, "protein")


def _lyo_recovery(after: Decimal, before: Decimal) -> Decimal:
    return _ARITHMETIC.multiply(Decimal(100), _over(after, before, "before"))


def _percent_30_150(distribution: SizeDistribution) -> Decimal:
    return _from_curve(distribution.percent_within(30, 150))


def _percent_above_200(distribution: SizeDistribution) -> Decimal:
    return _from_curve(distribution.percent_within(200, float("inf")))


def _d50(distribution: SizeDistribution) -> Decimal:
    return _from_curve(distribution.percentile(50))


def _span(distribution: SizeDistribution) -> Decimal:
    return _from_curve(distribution.statistics().span)


_PER_ML, _CURVE = "{particles}/mL", {"distribution": None}

FORMULAS: Mapping[str, Formula] = MappingProxyType(
    {
        formula.name: formula
        for formula in (
            Formula(
                "particles-per-vial",
                1,
                {"concentration": _PER_ML, "volume": "mL"},
                "{particles}/{vial}",
                "particle concentration x reconstitution volume",
                _particles_per_vial,
            ),
            Formula(
                "particles-per-ug-protein",
                1,
                {"concentration": _PER_ML, "protein": "ug/mL"},
                "{particles}/ug",
                "particle concentration / protein concentration",
                _particles_per_ug_protein,
            ),
            Formula(
                "lyo-recovery",
                1,
                {"after": _PER_ML, "before": _PER_ML},
                "%",
                "particle concentration after / before lyophilisation, in the same volume",
                _lyo_recovery,
            ),
            Formula("percent-30-150", 1, _CURVE, "%", "percentage of particles within 30-150 nm", _percent_30_150),
            Formula("percent-above-200", 1, _CURVE, "%", "percentage of particles above 200 nm", _percent_above_200),
            Formula("d50", 1, _CURVE, "nm", "median size D50", _d50),
            Formula("span", 1, _CURVE, "1", "(D90 - D10) / D50", _span),
        )
    }
)
"""Every formula by name. A changed formula is a new version, never a mended old one."""
