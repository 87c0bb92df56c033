"""A size distribution as counted: bin edges in nm and what lies in each bin; statistics by one named convention.

Curves are the one place where floats are allowed. Values are per bin, not per nanometre.
"""

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Literal

from domain.errors import Invalid, Reason

Weighting = Literal["number", "area", "volume", "intensity"]
_MOST = 1e100
_LARGEST_NM = 1e9
_WEIGHTINGS = ("number", "area", "volume", "intensity")

CONVENTION_EN = (
    "Particles are taken as evenly spread inside each bin: percentages within a size range and the percentiles D10, "
    "D50 and D90 are found by linear interpolation of the cumulative curve between bin edges, over all bins, "
    "number-weighted. Mode is the centre of the fullest bin; SD is the width of the distribution; span is "
    "(D90 - D10) / D50."
)
CONVENTION_DE = (
    "Partikel gelten innerhalb jeder Klasse als gleichmäßig verteilt: Anteile in einem Größenbereich und die "
    "Perzentile D10, D50 und D90 folgen aus linearer Interpolation der Summenkurve zwischen den Klassengrenzen, über "
    "alle Klassen, anzahlgewichtet. Der Modus ist die Mitte der vollsten Klasse; die SD ist die Breite der "
    "Verteilung; die Spanne (Span) ist (D90 - D10) / D50."
)
CONVENTION = (CONVENTION_EN, CONVENTION_DE)
"""How the statistics are found, in English and German, for print."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """Sizes in nm; `percent_30_150` in %; `span` without unit; `total` in the unit of the values."""

    mean: float
    mode: float
    sd: float
    d10: float
    d50: float
    d90: float
    span: float
    percent_30_150: float
    total: float


@dataclass(frozen=True, slots=True)
class SizeDistribution:
    """`edges_nm` (n + 1, ascending, nm) and `values` (n, one per bin, such as {particles}/mL); never empty.

    Invalid: `bad-distribution` when edges or values cannot be what they should be, `empty-distribution` when every bin
    is zero: no particles is a finding of its own, and has no mean, mode or percentile.
    """

    edges_nm: tuple[float, ...]
    values: tuple[float, ...]
    weighting: Weighting = "number"

    def __post_init__(self) -> None:
        if self.weighting not in _WEIGHTINGS:
            raise _bad(f"the weighting {self.weighting!r} is none of {', '.join(_WEIGHTINGS)}")
        if not self.values or len(self.edges_nm) != len(self.values) + 1:
            raise _bad(f"{len(self.values)} bins need {len(self.values) + 1} edges and at least one bin")
        if not all(math.isfinite(number) and number >= 0 for number in (*self.edges_nm, *self.values)):
            raise _bad("edges and values must be finite numbers, none below zero")
        if any(lower >= upper for lower, upper in pairwise(self.edges_nm)):
            raise _bad("the edges must ascend")
        if max(self.values) > _MOST or self.edges_nm[-1] > _LARGEST_NM:
            raise _bad(f"a value is at most {_MOST:g}, an edge at most {_LARGEST_NM:g} nm")
        if self.total < 1 / _MOST:
            raise Invalid(Reason("empty-distribution", "The distribution holds no particles: every bin is zero."))

    @property
    def total(self) -> float:
        """The sum over all bins, in the unit of the values."""
        return math.fsum(self.values)

    def bins(self) -> Iterator[tuple[float, float, float]]:
        """Lower edge, upper edge (nm) and value of each bin."""
        return zip(self.edges_nm, self.edges_nm[1:], self.values, strict=False)

    def percentile(self, percent: float) -> float:
        """The size in nm below which `percent` (0 to 100) of the particles lie: linear between bin edges."""
        wanted = self.total * _within(percent, 0, 100) / 100
        below = 0.0
        for lower, upper, value in self.bins():
            if value and below + value >= wanted:
                return lower + (upper - lower) * max(0.0, wanted - below) / value
            below += value
        return max(upper for _, upper, value in self.bins() if value)  # a last digit lost in summing

    def percent_within(self, lower_nm: float, upper_nm: float) -> float:
        """The percentage between two sizes in nm; a bin counts by the part of it that lies inside (domain.md 2.1)."""
        if not 0 <= lower_nm < upper_nm:
            raise _bad(f"a size range goes from a smaller to a larger size, not from {lower_nm} to {upper_nm} nm")
        inside = math.fsum(
            value * max(0.0, min(upper, upper_nm) - max(lower, lower_nm)) / (upper - lower)
            for lower, upper, value in self.bins()
        )
        return min(100.0, 100 * (inside / self.total))

    def statistics(self) -> Statistics:
        """All figures of `CONVENTION` at once; SD is the population SD of the bin centres."""
        total = self.total
        weighted = [((lower + upper) / 2, value / total) for lower, upper, value in self.bins()]
        mean = math.fsum(centre * share for centre, share in weighted)
        variance = math.fsum((centre - mean) ** 2 * share for centre, share in weighted)
        d10, d50, d90 = (self.percentile(percent) for percent in (10, 50, 90))
        return Statistics(
            mean=mean,
            mode=max(weighted, key=lambda one: one[1])[0],
            sd=math.sqrt(variance),
            d10=d10,
            d50=d50,
            d90=d90,
            span=(d90 - d10) / d50,
            percent_30_150=self.percent_within(30, 150),
            total=total,
        )

    def to_json(self) -> str:
        """JSON text that `from_json` reads back to an equal distribution."""
        return json.dumps(asdict(self), allow_nan=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> "SizeDistribution":
        """The distribution `to_json` wrote; Invalid (`bad-distribution`) for anything else."""
        try:
            read = json.loads(text)
            edges, values = (tuple(float(number) for number in read[name]) for name in ("edges_nm", "values"))
            return cls(edges, values, read["weighting"])
        except (ValueError, TypeError, KeyError, OverflowError) as wrong:
            raise _bad(f"not a stored distribution ({type(wrong).__name__})") from wrong


def average(distributions: Sequence[SizeDistribution]) -> SizeDistribution:
    """The mean curve, bin by bin; Invalid (`bad-distribution`) unless all share one grid and one weighting."""
    if not distributions:
        raise _bad("there is no distribution to average")
    first = distributions[0]
    if any((one.edges_nm, one.weighting) != (first.edges_nm, first.weighting) for one in distributions):
        raise _bad("only distributions on the same bins and with the same weighting can be averaged")
    columns = zip(*(one.values for one in distributions), strict=True)
    return SizeDistribution(
        first.edges_nm,
        tuple(math.fsum(value / len(distributions) for value in column) for column in columns),
        first.weighting,
    )


def _within(number: float, least: float, most: float) -> float:
    if not least <= number <= most:
        raise _bad(f"{number} does not lie between {least} and {most}")
    return number


def _bad(text: str) -> Invalid:
    return Invalid(Reason("bad-distribution", f"{text[0].upper()}{text[1:]}."))
