"""The geometry of a size distribution's picture, the same for paper and for pages.

The histogram is drawn as recorded, as density (particles per mL and nm), so bins of unequal width stay comparable;
nothing is smoothed. Bins narrower than a stroke are joined, which keeps the area and so the number of particles.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from domain.errors import Invalid, Reason

BAND = (30.0, 150.0)  # nm: small extracellular vesicles as the certificate states them
MOST_BINS = 320
_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Histogram:
    """Steps to draw: edges in nm (n + 1), densities (n); the axis ends at `x_end`, `beyond` is the share past it."""

    edges: tuple[float, ...]
    density: tuple[float, ...]
    x_end: float
    beyond: float


@dataclass(frozen=True, slots=True)
class Axes:
    """The plotting area in the units of its picture, y upwards from 0, and what its axes count to."""

    width: float
    height: float
    x_end: float
    y_end: float

    def x(self, nm: float) -> float:
        """Where a diameter stands."""
        return self.width * min(max(nm / self.x_end, 0.0), 1.0)

    def y(self, density: float) -> float:
        """Where a density stands."""
        return self.height * min(density / self.y_end, 1.0)


def histogram(edges: Sequence[float], values: Sequence[float]) -> Histogram:
    """What is drawn of bins (edges in nm, ascending; one value per bin, in {particles}/mL).

    The axis ends where 99.8 % of the particles are shown. Invalid: `distribution-malformed`.
    """
    _require_bins(edges, values)
    total, end = math.fsum(values), len(values)
    if total > 0:
        end = next((n for n, seen in enumerate(accumulate(values), start=1) if seen >= 0.998 * total), end)
    x_end = _axis_end(edges[end])
    while end < len(values) and edges[end + 1] <= x_end:
        end += 1
    kept, heights = _joined(edges[: end + 1], values[:end])
    beyond = math.fsum(values[end:]) / total if total > 0 else 0.0
    return Histogram(kept, heights, x_end, beyond)


def _require_bins(edges: Sequence[float], values: Sequence[float]) -> None:
    ascending = all(left < right for left, right in pairwise(edges))
    finite = all(map(math.isfinite, (*edges, *values)))
    counts = len(edges) == len(values) + 1 and len(values) > 0
    if not (counts and finite and ascending and edges[0] >= 0 and min(values) >= 0):
        text = "A size distribution needs n + 1 ascending edges in nm for n bins, all finite, no value below zero."
        raise Invalid(Reason("distribution-malformed", text, "distributions"))


def _joined(edges: Sequence[float], values: Sequence[float]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """At most MOST_BINS bins, neighbours joined; densities per nm."""
    step = -(-len(values) // MOST_BINS)
    starts = range(0, len(values), step)
    kept = (*(edges[start] for start in starts), edges[-1])
    sums = (math.fsum(values[start : start + step]) for start in starts)
    heights = tuple(total / (right - left) for total, left, right in zip(sums, kept, kept[1:], strict=False))
    return kept, heights


def _axis_end(nm: float) -> float:
    step = nice_step(max(nm, 250.0), 8)
    return math.ceil(max(nm, 250.0) / step - 1e-9) * step


def nice_step(extent: float, most: int) -> float:
    """The least of 1, 2, 2.5, 5 × 10ⁿ that divides the extent into at most `most` parts."""
    raw = extent / most
    power = 10.0 ** math.floor(math.log10(raw))
    return next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= raw * (1 - 1e-9))


def ticks(end: float, most: int) -> tuple[float, ...]:
    """Round values from 0 to the end of an axis."""
    step = nice_step(end, most)
    return tuple(index * step for index in range(int(end / step + 1e-9) + 1))


def area(shown: Histogram, axes: Axes, low: float, high: float) -> tuple[Point, ...]:
    """The outline of the histogram between two diameters: from the ground over the steps back to the ground."""
    points: list[Point] = []
    for left, right, density in zip(shown.edges, shown.edges[1:], shown.density, strict=False):
        a, b = max(left, low), min(right, high)
        if a < b:
            points += [(axes.x(a), axes.y(density)), (axes.x(b), axes.y(density))]
    return ((points[0][0], 0.0), *points, (points[-1][0], 0.0)) if points else ()


def density_at(shown: Histogram, nm: float) -> float:
    """Height of the step over a diameter; 0 outside the bins."""
    for left, right, density in zip(shown.edges, shown.edges[1:], shown.density, strict=False):
        if left <= nm < right:
            return density
    return 0.0


def axes_for(shown: Histogram, width: float, height: float) -> Axes:
    """Axes of this size (any unit), the highest step a little below the top."""
    highest = max(shown.density)
    return Axes(width, height, shown.x_end, highest * 1.12 if highest > 0 else 1.0)


def scale_of(axes: Axes) -> tuple[float, str]:
    """The power of ten the densities are divided by on their axis, and the label that says so."""
    exponent = math.floor(math.log10(axes.y_end))
    exponent -= exponent % 3
    unit = f"10{str(exponent).translate(_SUPERSCRIPTS)} /mL per nm" if exponent > 0 else "/mL per nm"
    return 10.0 ** max(exponent, 0), unit


def beyond_text(shown: Histogram) -> str:
    """What of the distribution lies right of the picture."""
    share = shown.beyond * 100
    return f"{'< 0.01' if share < 0.01 else f'{share:.2f}'} % > {shown.x_end:g} nm"


def number_of(text: str) -> float | None:
    """The number that a figure printed is, if it is one."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
