"""The trend of a freeze-drying cycle on paper: the plot, what was read off it, and what was not normal."""

from collections.abc import Iterator
from typing import Any

from reportlab.lib.colors import Color
from reportlab.pdfgen.pathobject import PDFPathObject
from reportlab.platypus import Flowable, KeepTogether

from reports.catalogue import Said
from reports.cycle import CycleShown, Ground, Mark, Stroke, marks
from reports.design import SMALL, SMALL_INK, Design
from reports.look import mixed
from reports.pages import Heading
from reports.structure import Element
from reports.style import INK, MUTED, REGULAR, RULE, SEMIBOLD
from reports.text import Run, Text
from reports.wording import for_people

HEIGHT = 330.0


def section(design: Design, shown: CycleShown) -> Iterator[Flowable]:
    """Heading, plot, facts, and what was not normal; kept on one page."""
    parts: list[Flowable] = [
        Heading(design, (Said(shown.title, "en"), Said("Verlauf der Gefriertrocknung", "de")), binds=False),
        CyclePlot(design, shown, design.width, HEIGHT),
    ]
    facts = " · ".join(f"{name}: {for_people(value)}" for name, value in shown.facts)
    parts.append(Text(Run(facts, SMALL_INK, "en"), space_before=4))
    warn = SMALL.but(color=design.tone("warn").color, font=SEMIBOLD)
    parts += [Text(Run(for_people(one), warn, "en"), space_before=2) for one in shown.odd]
    yield KeepTogether(parts)


class CyclePlot(Flowable):  # type: ignore[misc]
    """The plot, `width` × `height` pt."""

    def __init__(self, design: Design, shown: CycleShown, width: float, height: float):
        super().__init__()
        self.design, self.shown, self.width, self.height = design, shown, width, height
        self.element = Element("Figure", lang="en", alt=shown.told)
        bright, deep = design.palette.bright, design.palette.deep
        warn, bad = design.tone("warn").color, design.tone("bad").color
        #: Colour, width and dashes of a stroke; told apart in grey as well.
        self.pens: dict[str, tuple[Color, float, tuple[float, ...]]] = {
            "grid": (RULE, 0.4, ()), "axis": (INK, 0.9, ()), "line0": (deep, 1.1, ()), "line1": (bright, 1.0, (5, 1.5)),
            "line2": (MUTED, 0.9, (1.5, 1.5)), "line3": (bright, 0.8, ()), "alert": (warn, 0.8, (2, 2)),
            "action": (bad, 0.9, (6, 2)), "hard": (bad, 0.9, ()),
        }  # fmt: skip

    def wrap(self, width: float, height: float) -> tuple[float, float]:
        """Fixed size."""
        return self.width, self.height

    def draw(self) -> None:
        """One figure."""
        canvas: Any = self.canv
        with canvas.figure(self.element, self.width, self.height):
            canvas.saveState()
            canvas.setLineJoin(1)
            for mark in marks(self.shown, self.width, self.height, 7.4):
                self._mark(canvas, mark)
            canvas.restoreState()

    def _mark(self, canvas: Any, mark: Mark) -> None:
        if isinstance(mark, Ground):
            canvas.setFillColor(mixed(self.design.palette.bright, 0.09))
            canvas.rect(*mark.box, stroke=0, fill=1)
        elif isinstance(mark, Stroke):
            self._stroke(canvas, mark)
        else:
            strong = mark.style == "name"
            canvas.setFont(SEMIBOLD if strong else REGULAR, 7.6 if strong else 7.2)
            canvas.setFillColor(self.design.palette.deep if strong else MUTED)
            put = {"start": canvas.drawString, "middle": canvas.drawCentredString, "end": canvas.drawRightString}
            put[mark.anchor](*mark.at, mark.text)

    def _stroke(self, canvas: Any, mark: Stroke) -> None:
        color, width, dashes = self.pens[mark.style]
        canvas.setStrokeColor(color)
        canvas.setLineWidth(width)
        canvas.setDash(*([list(dashes), 0] if dashes else []))
        if len(mark.points) > 1:
            code = [f"{x:.2f} {y:.2f} l" for x, y in mark.points]
            code[0] = code[0][:-1] + "m"
            canvas.drawPath(PDFPathObject(code=code), stroke=1, fill=0)
        canvas.setDash()
