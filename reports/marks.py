"""Signs of verdicts and conclusions: they differ in shape as well as colour, so that they say the same in grey."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from reportlab.platypus import Flowable

from reports.design import Design
from reports.structure import Element
from reports.style import WHITE
from reports.text import Block, Run, Text

_RADIUS, _INDENT = 5.0, 15.0  # pt: of a sign before text
#: The tone of each verdict.
TONES: Mapping[str, str] = MappingProxyType(
    {
        "pass": "good",
        "reported": "calm",
        "not_tested": "warn",
        "fail": "bad",
        "indeterminate": "warn",
        "pending": "calm",
    }
)


def draw_mark(canvas: Any, design: Design, verdict: str, x: float, y: float, radius: float) -> None:
    """The sign of the verdict round a point."""
    color = design.tone(TONES[verdict]).color
    canvas.setFillColor(color)
    canvas.setStrokeColor(color)
    canvas.setLineWidth(radius * 0.26)
    canvas.setLineCap(1)
    _SIGNS[verdict](canvas, x, y, radius)


def _stroke(canvas: Any, x: float, y: float, radius: float, *points: tuple[float, float]) -> None:
    path = canvas.beginPath()
    for place, (dx, dy) in enumerate(points):
        (path.lineTo if place else path.moveTo)(x + dx * radius, y + dy * radius)
    canvas.drawPath(path, stroke=1, fill=0)


def _disc(canvas: Any, x: float, y: float, radius: float) -> None:
    canvas.circle(x, y, radius, stroke=0, fill=1)
    canvas.setStrokeColor(WHITE)


def _tick(canvas: Any, x: float, y: float, radius: float) -> None:
    _disc(canvas, x, y, radius)
    _stroke(canvas, x, y, radius, (-0.45, 0), (-0.1, -0.36), (0.48, 0.36))


def _bar(canvas: Any, x: float, y: float, radius: float) -> None:
    _disc(canvas, x, y, radius)
    _stroke(canvas, x, y, radius, (-0.45, 0), (0.45, 0))


def _cross(canvas: Any, x: float, y: float, radius: float) -> None:
    """On a square on its corner: the outline alone tells it from a tick."""
    path = canvas.beginPath()
    for place, (dx, dy) in enumerate(((0, 1.15), (1.15, 0), (0, -1.15), (-1.15, 0))):
        (path.lineTo if place else path.moveTo)(x + dx * radius, y + dy * radius)
    path.close()
    canvas.drawPath(path, stroke=0, fill=1)
    canvas.setStrokeColor(WHITE)
    _stroke(canvas, x, y, radius, (-0.34, 0.34), (0.34, -0.34))
    _stroke(canvas, x, y, radius, (-0.34, -0.34), (0.34, 0.34))


def _ring(canvas: Any, x: float, y: float, radius: float) -> None:
    canvas.circle(x, y, radius * 0.86, stroke=1, fill=0)


def _point_in_ring(canvas: Any, x: float, y: float, radius: float) -> None:
    _ring(canvas, x, y, radius)
    canvas.circle(x, y, radius * 0.3, stroke=0, fill=1)


def _clock(canvas: Any, x: float, y: float, radius: float) -> None:
    _ring(canvas, x, y, radius)
    _stroke(canvas, x, y, radius, (0, 0.5), (0, 0), (0.36, -0.2))


def _doubt(canvas: Any, x: float, y: float, radius: float) -> None:
    """A triangle with a call."""
    path = canvas.beginPath()
    for place, (dx, dy) in enumerate(((0, 1.1), (1.1, -0.85), (-1.1, -0.85))):
        (path.lineTo if place else path.moveTo)(x + dx * radius, y + dy * radius)
    path.close()
    canvas.drawPath(path, stroke=0, fill=1)
    canvas.setStrokeColor(WHITE)
    canvas.setFillColor(WHITE)
    _stroke(canvas, x, y, radius, (0, 0.42), (0, -0.16))
    canvas.circle(x, y - 0.54 * radius, radius * 0.15, stroke=0, fill=1)


_SIGNS: Mapping[str, Callable[[Any, float, float, float], None]] = {
    "pass": _tick,
    "reported": _point_in_ring,
    "not_tested": _bar,
    "fail": _cross,
    "indeterminate": _doubt,
    "pending": _clock,
}


class Sign(Flowable):  # type: ignore[misc]
    """The sign of a verdict by itself, beside the words that say it."""

    def __init__(self, design: Design, verdict: str, radius: float):
        super().__init__()
        self.design, self.verdict, self.radius = design, verdict, radius

    def wrap(self, width: float, height: float) -> tuple[float, float]:
        """A square round it."""
        return 2 * self.radius, 2 * self.radius

    def draw(self) -> None:
        """In the middle."""
        draw_mark(self.canv, self.design, self.verdict, self.radius, self.radius, self.radius)


class Marked(Text):
    """Text behind the sign of a verdict, which it says in words."""

    def __init__(
        self,
        design: Design,
        verdict: str,
        *blocks: Block | Run,
        within: Element | None = None,
    ):
        super().__init__(*blocks, within=within)
        self.design, self.verdict = design, verdict

    def wrap(self, width: float, height: float) -> tuple[float, float]:
        """The text beside the indent."""
        _, tall = super().wrap(width - _INDENT, height)
        return width, tall

    def draw(self) -> None:
        """Sign in the middle of the height, then the text."""
        canvas: Any = self.canv
        canvas.saveState()
        draw_mark(canvas, self.design, self.verdict, _RADIUS, self.height / 2 + 0.4, _RADIUS)
        canvas.restoreState()
        canvas.translate(_INDENT, 0)
        super().draw()
