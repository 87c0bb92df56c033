"""Figures of several lots on one scale, as an SVG for a page: a lane each, a shape and a number of its own, the measurement's spread as a bar.

Shapes and shades differ, so that lots are told apart in grey and by whoever sees no colours. Nothing on it says which is more.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal

#: Shapes round the origin, 11 units tall, and their shades; the outline is that of the text.
SHAPES = (
    '<circle r="5.5"/>',
    '<rect x="-5" y="-5" width="10" height="10"/>',
    '<path d="M0-6.5 6 4.5H-6z"/>',
    '<path d="M0-7 7 0 0 7-7 0z"/>',
    '<path d="M-2.2-6.6h4.4L6.6-2.2v4.4L2.2 6.6h-4.4L-6.6 2.2v-4.4z"/>',
)
STYLE = (
    ".exo-scale{fill:none;stroke:none}"
    ".exo-scale text{font:11px var(--font,system-ui,sans-serif);fill:var(--muted,#44555c);stroke:none}"
    ".exo-scale .n{font-weight:700;fill:var(--text,#14242b)}"
    ".exo-scale .grid{stroke:currentColor;stroke-opacity:.18;stroke-width:1}"
    ".exo-scale .axis{stroke:currentColor;stroke-opacity:.6;stroke-width:1}"
    ".exo-scale .bar{stroke:currentColor;stroke-opacity:.75;stroke-width:2}"
    ".exo-scale .beyond{stroke:currentColor;stroke-width:1.5;stroke-dasharray:3 3}"
    ".exo-scale .m{stroke:var(--text,#14242b);stroke-width:1.4}"
    ".exo-scale .open .m{fill:var(--background,#fff)}"
    ".exo-scale .m0{fill:#123f5a}.exo-scale .m1{fill:#5fb3b5}.exo-scale .m2{fill:#f3d28b}.exo-scale .m3{fill:#8a5a8f}.exo-scale .m4{fill:#fff}"
)

_WIDTH, _LEFT, _RIGHT, _LANE, _TOP = 360.0, 26.0, 14.0, 24.0, 8.0


@dataclass(frozen=True, slots=True)
class Mark:
    """A figure in its lane; comparator: it lies below or above the value; value None: missing, and `missing` says so."""

    value: float | None
    comparator: Literal["<", ">"] | None = None
    missing: str = ""


@dataclass(frozen=True, slots=True)
class Axis:
    """From where to where, and where the ticks stand."""

    low: float
    high: float
    ticks: tuple[float, ...]
    logarithmic: bool

    def x(self, value: float) -> float:
        """The place of a value on the drawing."""
        low, high, at = (self._seen(number) for number in (self.low, self.high, value))
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * min(1.0, max(0.0, (at - low) / (high - low)))

    def _seen(self, number: float) -> float:
        return math.log10(max(number, self.low)) if self.logarithmic else number


def scale_svg(
    marks: Sequence[Mark], *, logarithmic: bool, spread: float | None, label: str, written: Callable[[float], str]
) -> str:
    """The marks on one scale; spread: the factor within which repeated measurements lie, drawn as a bar; label: the same in words.

    written: how a number stands at a tick. Empty when no figure can be drawn.
    """
    values = [mark.value for mark in marks if mark.value is not None]
    if not values:
        return ""
    axis = axis_for(values, logarithmic, spread or 1.0)
    bottom = _TOP + _LANE * len(marks)
    parts = [
        f'<svg class="exo-scale" viewBox="0 0 {_WIDTH:g} {bottom + 22:g}" role="img" aria-label="{escape(label)}"><style>{STYLE}</style>'
    ]
    for tick in axis.ticks:
        x = axis.x(tick)
        anchor = "start" if x < _LEFT + 12 else "end" if x > _WIDTH - _RIGHT - 12 else "middle"
        parts.append(f'<path class="grid" d="M{x:.1f} {_TOP:g}V{bottom:g}"/>')
        parts.append(f'<text x="{x:.1f}" y="{bottom + 15:g}" text-anchor="{anchor}">{escape(written(tick))}</text>')
    parts.append(f'<path class="axis" d="M{_LEFT:g} {bottom:g}H{_WIDTH - _RIGHT:g}"/>')
    parts += [_lane(place, mark, axis, spread) for place, mark in enumerate(marks)]
    return "".join([*parts, "</svg>"])


def axis_for(values: Sequence[float], logarithmic: bool, spread: float) -> Axis:
    """An axis with room for all values and their bars: decades on a logarithmic scale, round numbers from zero (or below) on a linear one."""
    positive = [value for value in values if value > 0]
    if logarithmic and positive:
        low, high = min(positive) / spread, max(positive) * spread
        first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
        last = max(last, first + 1)
        step = max(1, math.ceil((last - first) / 5))
        return Axis(10.0**first, 10.0**last, tuple(10.0**at for at in range(first, last + 1, step)), True)
    low, high = min(0.0, *values), max(0.0, *(value * spread for value in values))
    width = _round_step((high - low) / 4 or 1)
    first, last = math.floor(low / width), math.ceil(high / width) or 1
    return Axis(first * width, last * width, tuple(at * width for at in range(first, last + 1)), False)


def _round_step(rough: float) -> float:
    """1, 2 or 5 times a power of ten, not below the rough step."""
    power: float = 10.0 ** math.floor(math.log10(rough))
    return next(times * power for times in (1, 2, 5, 10) if times * power >= rough * 0.999)


def _lane(place: int, mark: Mark, axis: Axis, spread: float | None) -> str:
    y = _TOP + _LANE * (place + 0.5)
    number = f'<text class="n" x="4" y="{y + 4:g}">{place + 1}</text>'
    if mark.value is None:
        return f'{number}<text x="{_LEFT + 4:g}" y="{y + 4:g}">{escape(mark.missing)}</text>'
    x = axis.x(mark.value)
    shape = f'<g class="m m{place}" transform="translate({x:.1f} {y:g})">{SHAPES[place]}</g>'
    if mark.comparator:
        end = _LEFT if mark.comparator == "<" else _WIDTH - _RIGHT
        back = 6 if mark.comparator == "<" else -6
        beyond = f'<path class="beyond" d="M{x:.1f} {y:g}H{end:g}M{end + back:g} {y - 4:g}L{end:g} {y:g}L{end + back:g} {y + 4:g}"/>'
        return f'{number}<g class="open">{beyond}{shape}</g>'
    bar = ""
    if spread is not None and mark.value > 0:
        left, right = axis.x(mark.value / spread), axis.x(mark.value * spread)
        bar = f'<path class="bar" d="M{left:.1f} {y:g}H{right:.1f}M{left:.1f} {y - 4:g}v8M{right:.1f} {y - 4:g}v8"/>'
    return f"{number}{bar}{shape}"


def key_svg(place: int) -> str:
    """The shape of a lot by itself, for its name."""
    return (
        f'<svg class="exo-scale" viewBox="-8 -8 16 16" width="20" height="20" aria-hidden="true"><style>{STYLE}</style>'
        f'<g class="m m{place}">{SHAPES[place]}</g></svg>'
    )
