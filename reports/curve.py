"""The size distribution painted on a PDF canvas, as one figure that says in words what it shows."""

from typing import Any

from reportlab.pdfgen.pathobject import PDFPathObject
from reportlab.platypus import Flowable

from domain.certificates.content import DistributionShown
from reports.design import Design
from reports.histogram import (
    BAND,
    Axes,
    Histogram,
    Point,
    area,
    axes_for,
    beyond_text,
    density_at,
    histogram,
    number_of,
    scale_of,
    ticks,
)
from reports.look import mixed
from reports.structure import Element
from reports.style import INK, MUTED, REGULAR, RULE, SEMIBOLD, fitted, width_of
from reports.style import Type as Setting

LEFT, BOTTOM, TOP, RIGHT = 40.0, 34.0, 8.0, 8.0


class DistributionPlot(Flowable):  # type: ignore[misc]
    """The plot, `width` × `height` pt. Raises Invalid (`distribution-malformed`) for bins that cannot be."""

    def __init__(self, design: Design, shown: DistributionShown, width: float, height: float):
        super().__init__()
        self.design, self.shown, self.width, self.height = design, shown, width, height
        self.histogram: Histogram = histogram(shown.edges_nm, shown.per_ml)
        self.axes: Axes = axes_for(self.histogram, width - LEFT - RIGHT, height - BOTTOM - TOP)
        words = design.say("plot.alt", mode=shown.mode, d10=shown.d10, d50=shown.d50, d90=shown.d90,
                           percent=shown.percent_30_150, end=f"{self.axes.x_end:g}")[0]  # fmt: skip
        self.element = Element("Figure", lang=words.lang, alt=words.text)

    def wrap(self, width: float, height: float) -> tuple[float, float]:
        """Fixed size."""
        return self.width, self.height

    def draw(self) -> None:
        """Band, grid, histogram, axes, mode, words: from the ground up."""
        canvas: Any = self.canv
        with canvas.figure(self.element, self.width, self.height):
            canvas.saveState()
            canvas.translate(LEFT, BOTTOM)
            self._grid(canvas)
            self._curve(canvas)
            self._axis(canvas)
            self._labels(canvas)
            canvas.restoreState()

    def _grid(self, canvas: Any) -> None:
        axes, (low, high) = self.axes, BAND
        canvas.setFillColor(mixed(self.design.palette.bright, 0.09))
        canvas.rect(axes.x(low), 0, axes.x(high) - axes.x(low), axes.height, stroke=0, fill=1)
        divisor, unit = scale_of(axes)
        canvas.setStrokeColor(RULE)
        canvas.setLineWidth(0.5)
        canvas.setFont(REGULAR, 7.2)
        canvas.setFillColor(MUTED)
        for tick in ticks(axes.y_end / divisor, 7):
            y = axes.y(tick * divisor)
            if tick:
                canvas.line(0, y, axes.width, y)
            canvas.drawRightString(-5, y - 2.4, f"{tick:g}")
        canvas.saveState()
        canvas.translate(-29, axes.height / 2)
        canvas.rotate(90)
        canvas.drawCentredString(0, 0, f"{self.design.both('plot.particles')}  [{unit}]")
        canvas.restoreState()

    def _curve(self, canvas: Any) -> None:
        axes, palette, (low, high) = self.axes, self.design.palette, BAND
        within, outside = mixed(palette.bright, 0.55), mixed(palette.bright, 0.22)
        for start, end, color in ((0.0, low, outside), (low, high, within), (high, axes.x_end, outside)):
            canvas.setFillColor(color)
            self._path(canvas, area(self.histogram, axes, start, end), stroke=0, fill=1)
        canvas.setStrokeColor(palette.deep)
        canvas.setLineWidth(0.9)
        canvas.setLineJoin(1)
        self._path(canvas, area(self.histogram, axes, 0.0, axes.x_end), stroke=1, fill=0)
        canvas.setStrokeColor(palette.bright)
        canvas.setLineWidth(0.8)
        canvas.setDash(3, 2.2)
        for edge in BAND:
            canvas.line(axes.x(edge), 0, axes.x(edge), axes.height)
        canvas.setDash()

    @staticmethod
    def _path(canvas: Any, points: tuple[Point, ...], *, stroke: int, fill: int) -> None:
        if points:
            code = [f"{x:.2f} {y:.2f} l" for x, y in points]
            code[0] = code[0][:-1] + "m"
            canvas.drawPath(PDFPathObject(code=code), stroke=stroke, fill=fill)

    def _axis(self, canvas: Any) -> None:
        axes = self.axes
        canvas.setStrokeColor(INK)
        canvas.setLineWidth(0.9)
        canvas.line(0, 0, axes.width, 0)
        canvas.setFont(REGULAR, 7.2)
        canvas.setFillColor(MUTED)
        for tick in ticks(axes.x_end, 8):
            canvas.line(axes.x(tick), 0, axes.x(tick), -2.5)
            canvas.drawCentredString(axes.x(tick), -11, f"{tick:g}")
        words = f"{self.design.both('plot.diameter')}  [nm]"
        size = fitted(words, Setting(REGULAR, 7.2, 9, MUTED), axes.width, 4).size
        canvas.setFont(REGULAR, size)
        canvas.drawCentredString(axes.width / 2, -26, words)

    def _labels(self, canvas: Any) -> None:
        axes, shown = self.axes, self.shown
        mode = number_of(shown.mode)
        top = axes.height - 15
        strong, plain = f"{shown.percent_30_150} %", f"  {self.design.both('plot.within')} 30–150 nm"
        room = axes.width - width_of(strong, SEMIBOLD, 8) - width_of(plain, REGULAR, 8)
        beside = min(axes.x(BAND[1]) + 8, room)
        if mode is not None and mode < axes.x_end:
            x, y = axes.x(mode), axes.y(density_at(self.histogram, mode))
            beside = min(max(beside, x + 16), room)
            canvas.setStrokeColor(self.design.palette.deep)
            canvas.setLineWidth(0.7)
            canvas.line(x, y, beside - 4, top + 2.6)
            canvas.setFillColor(self.design.palette.deep)
            canvas.circle(x, y, 2.4, stroke=0, fill=1)
            self._said(canvas, beside, top, f"{self.design.both('figure.mode')}  {shown.mode} nm", "")
        self._said(canvas, beside, top - 13, strong, plain)
        if self.histogram.beyond:
            canvas.setFont(REGULAR, 6.6)
            canvas.setFillColor(MUTED)
            canvas.drawRightString(axes.width, 13, f"{beyond_text(self.histogram)} →")

    def _said(self, canvas: Any, x: float, y: float, strong: str, plain: str) -> None:
        canvas.setFont(SEMIBOLD, 8)
        canvas.setFillColor(self.design.palette.deep)
        canvas.drawString(x, y, strong)
        canvas.setFont(REGULAR, 8)
        canvas.setFillColor(MUTED)
        canvas.drawString(x + width_of(strong, SEMIBOLD, 8), y, plain)
