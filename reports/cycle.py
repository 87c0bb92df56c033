"""The trend of a freeze-drying cycle as strokes and words on a plane: what the page draws as SVG and the batch record on paper."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10
from typing import Literal
from xml.sax.saxutils import escape

from reports.histogram import nice_step
from reports.style import REGULAR, SEMIBOLD, width_of

Point = tuple[float, float]
#: What a stroke or a word is; each painter knows how it looks.
Style = Literal[
    "grid", "axis", "tick", "phase", "name", "line0", "line1", "line2", "line3", "alert", "action", "hard", "legend"
]
LINES: tuple[Style, ...] = ("line0", "line1", "line2", "line3")


@dataclass(frozen=True, slots=True)
class Line:
    """A channel: its name, and its values over the hours since the beginning, in unbroken parts."""

    name: str
    parts: tuple[tuple[Point, ...], ...]


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit from one hour to another."""

    level: Literal["alert", "action", "hard"]
    begins: float
    ends: float
    value: float


@dataclass(frozen=True, slots=True)
class Panel:
    """Channels of one unit. decades: the axis is logarithmic."""

    title: str
    unit: str
    lines: tuple[Line, ...]
    limits: tuple[Limit, ...] = ()
    decades: bool = False


@dataclass(frozen=True, slots=True)
class CycleShown:
    """A whole cycle. phases: name, first and last hour. told: what it shows, in words; facts: what, value; odd: what was not normal."""

    title: str
    told: str
    hours: float
    phases: tuple[tuple[str, float, float], ...]
    panels: tuple[Panel, ...]
    facts: tuple[tuple[str, str], ...] = ()
    odd: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Stroke:
    """A line through points."""

    style: Style
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Ground:
    """A filled rectangle: left, bottom, width, height."""

    style: Style
    box: tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Word:
    """Words at a place. anchor: what of them stands there."""

    style: Style
    at: Point
    text: str
    anchor: Literal["start", "middle", "end"] = "start"


Mark = Stroke | Ground | Word
LEFT, RIGHT, LEGEND, HOURS, BETWEEN = 42.0, 8.0, 26.0, 30.0, 12.0


def marks(shown: CycleShown, width: float, height: float, size: float) -> Iterator[Mark]:
    """Everything to be drawn on width × height, the origin below left, from the ground up. size: of the words."""
    count = len(shown.panels)
    tall = (height - HOURS - (count - 1) * BETWEEN) / count - LEGEND
    for place, panel in enumerate(shown.panels):
        foot = HOURS + (count - 1 - place) * (tall + LEGEND + BETWEEN)
        yield from _panel(shown, panel, (LEFT, foot, width - LEFT - RIGHT, tall), size, named=place == 0)
    for hour in _round(0.0, shown.hours, 10):
        x = LEFT + (width - LEFT - RIGHT) * hour / (shown.hours or 1)
        yield Word("tick", (x, HOURS - 11), f"{hour:g}", "middle")
    yield Word(
        "tick",
        (LEFT + (width - LEFT - RIGHT) / 2, HOURS - 24),
        "Hours since the beginning / Stunden seit Beginn",
        "middle",
    )


def _panel(
    shown: CycleShown, panel: Panel, box: tuple[float, float, float, float], size: float, *, named: bool
) -> Iterator[Mark]:
    left, foot, width, tall = box
    low, high, steps = _scale(panel)

    def place(hour: float, value: float) -> Point:
        share = (
            (log10(max(value, low)) - log10(low)) / (log10(high) - log10(low))
            if panel.decades
            else (value - low) / (high - low)
        )
        return left + width * hour / (shown.hours or 1), foot + tall * min(max(share, 0.0), 1.0)

    for count, (name, begins, ends) in enumerate(shown.phases):
        x, until = place(begins, low)[0], place(ends, low)[0]
        if count % 2 == 0:
            yield Ground("phase", (x, foot, until - x, tall))
        if named:
            half = width_of(name, SEMIBOLD, size) / 2
            middle = min(max((x + until) / 2, left + half), left + width - half)
            yield Word("name", (middle, foot + tall - size - 1), name, "middle")
    for value in steps:
        y = place(0, value)[1]
        yield Stroke("grid", ((left, y), (left + width, y)))
        yield Word("tick", (left - 5, y - 2.5), f"{value:g}", "end")
    for limit in panel.limits:
        if low <= limit.value <= high:
            yield Stroke(limit.level, (place(limit.begins, limit.value), place(limit.ends, limit.value)))
    for style, line in zip(_styles(len(panel.lines)), panel.lines, strict=True):
        for part in line.parts:
            yield Stroke(style, tuple(place(*point) for point in part))
    yield Stroke("axis", ((left, foot), (left + width, foot)))
    yield from _legend(panel, foot + tall + 12, size)


def _legend(panel: Panel, y: float, size: float) -> Iterator[Mark]:
    title = f"{panel.title} [{panel.unit}]"
    yield Word("name", (0, y), title)
    x = width_of(title, SEMIBOLD, size) * 1.15 + 14
    levels = dict.fromkeys(limit.level for limit in panel.limits)
    samples: list[tuple[Style, str]] = [
        *zip(_styles(len(panel.lines)), (line.name for line in panel.lines), strict=True),
        *((level, f"{level} limit") for level in levels),
    ]
    for style, name in samples:
        yield Stroke(style, ((x, y + 2.5), (x + 16, y + 2.5)))
        yield Word("legend", (x + 20, y), name)
        x += 32 + width_of(name, REGULAR, size) * 1.1


def _styles(count: int) -> tuple[Style, ...]:
    return tuple(LINES[place % len(LINES)] for place in range(count))


def _scale(panel: Panel) -> tuple[float, float, Sequence[float]]:
    """The lowest and the highest value of the axis, and where lines cross the panel."""
    values = [value for line in panel.lines for part in line.parts for _, value in part]
    values += [limit.value for limit in panel.limits if limit.level != "hard"]
    if not panel.decades:
        steps = _round(min(values), max(values), 7)
        return steps[0], steps[-1], steps
    above = [value for value in values if value > 0] or [0.1, 1.0]
    first = floor(log10(min(above)))
    last = max(ceil(log10(max(above) / 1.2)), first + 1)
    return 10.0**first, 10.0**last, tuple(10.0**power for power in range(first, last + 1))


def _round(low: float, high: float, most: int) -> tuple[float, ...]:
    """Round values that hold all others between them; hours end where the record ends."""
    step = nice_step(max(high - low, 1e-9), most)
    first, last = floor(low / step), ceil(high / step) if low else floor(high / step + 1e-9)
    return tuple(place * step for place in range(first, max(last, first + 1) + 1))


def parts_of(
    hours: Sequence[float], values: Sequence[float | None], breaks: Sequence[int]
) -> tuple[tuple[Point, ...], ...]:
    """A channel as unbroken parts: broken where a value is missing, and after the places where the recorder paused."""
    found: list[list[Point]] = [[]]
    paused = set(breaks)
    for place, (hour, value) in enumerate(zip(hours, values, strict=True)):
        if value is not None:
            found[-1].append((hour, value))
        if (value is None or place in paused) and found[-1]:
            found.append([])
    return tuple(tuple(part) for part in found if part)


def svg(shown: CycleShown, *, ident: str, width: int = 760, height: int = 460) -> str:
    """An accessible SVG; how its marks look stands in the style sheet of the page (`.cycle`)."""
    drawn = []
    for mark in marks(shown, width, height, 11):
        if isinstance(mark, Ground):
            x, y, wide, tall = mark.box
            drawn.append(
                f'<rect class="{mark.style}" x="{x:.1f}" y="{height - y - tall:.1f}" width="{wide:.1f}" height="{tall:.1f}"/>'
            )
        elif isinstance(mark, Word):
            x, y = mark.at
            drawn.append(
                f'<text class="{mark.style}" x="{x:.1f}" y="{height - y:.1f}" text-anchor="{mark.anchor}">{escape(mark.text)}</text>'
            )
        elif len(mark.points) > 1:
            path = "L".join(f"{x:.1f} {height - y:.1f}" for x, y in mark.points)
            drawn.append(f'<path class="{mark.style}" d="M{path}"/>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="cycle" role="img" aria-labelledby="{ident}-t {ident}-d"'
        f' viewBox="0 0 {width} {height}" width="100%"><title id="{ident}-t">{escape(shown.title)}</title>'
        f'<desc id="{ident}-d">{escape(shown.told)}</desc>{"".join(drawn)}</svg>'
    )
