"""What stands above, below and over the text of every page: the maker's band, the foot, a watermark, the strip of a demonstration."""

from dataclasses import dataclass
from datetime import datetime
from math import cos, radians, sin
from typing import Any

from domain.certificates.content import Manufacturer
from reports.catalogue import Pair
from reports.design import MARGIN, TINY, Design, below, beside
from reports.logo import Logo
from reports.structure import Element
from reports.style import BOLD, LIGHT, REGULAR, RULE, SEMIBOLD, WHITE, Type, fitted, shortened, width_of
from reports.text import Block, Run, Text
from reports.wording import drawable

BAND, SLIM_BAND, STRIP, BOTTOM = 94.0, 40.0, 17.0, 58.0
_SLOPE = 52  # degrees: of a watermark


@dataclass(frozen=True, slots=True)
class Sheet:
    """What stands on every page, and what the file says of itself.

    facts: in the band of the first page; running: in the slim band of the others. footer: lines at the left; mark: at the right above the
    page number. watermark: words over every page. demonstration: whether every page says that it is one.
    """

    maker: Manufacturer
    title: Pair
    facts: Block
    running: str
    footer: tuple[str, ...]
    mark: str
    subject: str
    keywords: str
    issued_at: datetime
    watermark: str | None = None
    demonstration: bool = False

    def band(self, first: bool) -> float:
        """Height of what stands above the text of a page."""
        return (BAND if first else SLIM_BAND) + (STRIP if self.demonstration else 0)


def place(canvas: Any, text: Text, x: float, top: float, width: float) -> float:
    """Draw the text with its upper edge at `top`; gives the lower edge."""
    _, height = text.wrapOn(canvas, width, 1e4)
    text.drawOn(canvas, x, top - height)
    return float(top - height)


def draw_band(canvas: Any, sheet: Sheet, design: Design) -> None:
    """The band of the first page: it is content, and holds the title of the document."""
    top = design.page_height
    _ground(canvas, design, BAND)
    indent = _draw_mark(canvas, design, MARGIN, top - 60, 40)
    first = Type(LIGHT if design.palette.filled else SEMIBOLD, 23, 25, design.on_deep)
    second = Type(REGULAR, 10, 13, design.on_deep_second)
    lines = below(sheet.title, first, second)
    wide = max(width_of(drawable(run.text), run.type.font, run.type.size) for run in lines) + 1
    title = Element("H1")
    place(canvas, Text(*lines, elements=[title] * len(lines), align="right"), MARGIN, top - 17, design.width)
    room = design.width - wide - indent - 14
    maker = fitted(sheet.maker.name, Type(SEMIBOLD, 15, 17.5, design.on_deep), 1.6 * room, 6)
    said = [Run(sheet.maker.name, maker, design.language)]
    if sheet.maker.tagline:
        tagline = fitted(sheet.maker.tagline, Type(REGULAR, 8, 10, design.on_deep_second), 1.9 * room, 6)
        said.append(Run(sheet.maker.tagline, tagline, design.language))
    place(canvas, Text(*said), MARGIN + indent, top - 22, room)
    _draw_facts(canvas, sheet, design)
    if sheet.demonstration:
        _draw_strip(canvas, sheet, design, BAND, decoration=False)


def _draw_facts(canvas: Any, sheet: Sheet, design: Design) -> None:
    wide = sum(width_of(run.text, run.type.font, run.type.size) for run in sheet.facts)
    scale = min(1.0, design.width / max(wide, 1))
    facts = tuple(Run(run.text, run.type.but(size=max(6.0, run.type.size * scale)), run.lang) for run in sheet.facts)
    place(canvas, Text(facts, align="right"), MARGIN, design.page_height - 68, design.width)


def draw_slim_band(canvas: Any, sheet: Sheet, design: Design) -> None:
    """The band of every other page: an artifact, as it says what the first page said."""
    with canvas.pagination("Header"):
        _ground(canvas, design, SLIM_BAND)
        top = design.page_height
        indent = _draw_mark(canvas, design, MARGIN, top - 30, 21)
        type_ = Type(REGULAR, 8, 10, design.on_deep)
        running = shortened(drawable(sheet.running), REGULAR, 8, design.width - 120)
        room = design.width - indent - width_of(running, REGULAR, 8) - 14
        # The whole name stands in the foot of every page.
        maker = Run(shortened(drawable(sheet.maker.name), SEMIBOLD, 9.5, room), Type(SEMIBOLD, 9.5, 12, design.on_deep))
        place(canvas, Text(maker, decoration=True), MARGIN + indent, top - 12.5, design.width)
        place(canvas, Text(Run(running, type_), decoration=True, align="right"), MARGIN, top - 13.5, design.width)
        if sheet.demonstration:
            _draw_strip(canvas, sheet, design, SLIM_BAND, decoration=True)


def _ground(canvas: Any, design: Design, height: float) -> None:
    palette, top = design.palette, design.page_height
    if palette.filled:
        canvas.setFillColor(palette.deep)
        canvas.rect(0, top - height, design.page_width, height, stroke=0, fill=1)
        canvas.setFillColor(palette.bright)
        canvas.rect(0, top - height, design.page_width, 3, stroke=0, fill=1)
        return
    canvas.setFillColor(palette.deep)
    canvas.rect(MARGIN, top - height + 2, design.width, 1.4, stroke=0, fill=1)
    canvas.rect(MARGIN, top - height - 0.4, design.width, 0.5, stroke=0, fill=1)


def _draw_mark(canvas: Any, design: Design, x: float, y: float, height: float) -> float:
    """The maker's logo, else a vesicle; gives the width that it takes."""
    logo = design.look.mark()
    if logo is None:
        _draw_vesicle(canvas, design, x + height / 2, y + height / 2, height * 0.46)
        return height + 8
    return _draw_logo(canvas, design, logo, x, y, height)


def _draw_logo(canvas: Any, design: Design, logo: Logo, x: float, y: float, height: float) -> float:
    """As tall as there is room, at most three times as wide; on a plate where the band is dark, as a logo is made for white paper."""
    pad = height * 0.12 if design.palette.filled else 0.0
    width = min((height - 2 * pad) * logo.ratio, 3 * height)
    tall = width / logo.ratio
    if pad:
        canvas.setFillColor(WHITE)
        canvas.roundRect(x, y, width + 2 * pad, height, 3, stroke=0, fill=1)
    logo.draw(canvas, x + pad, y + (height - tall) / 2, width, tall)
    return width + 2 * pad + 9


def _draw_vesicle(canvas: Any, design: Design, x: float, y: float, radius: float) -> None:
    """A vesicle: membrane of two leaflets, cargo inside."""
    canvas.setStrokeColor(design.on_deep)
    canvas.setLineWidth(radius * 0.13)
    canvas.circle(x, y, radius * 0.92, stroke=1, fill=0)
    canvas.setStrokeColor(design.palette.bright)
    canvas.setLineWidth(radius * 0.10)
    canvas.circle(x, y, radius * 0.70, stroke=1, fill=0)
    canvas.setFillColor(design.on_deep)
    for dx, dy, size in ((-0.22, 0.18, 0.15), (0.26, 0.12, 0.11), (0.02, -0.28, 0.13)):
        canvas.circle(x + dx * radius, y + dy * radius, size * radius, stroke=0, fill=1)


def _draw_strip(canvas: Any, sheet: Sheet, design: Design, below_band: float, *, decoration: bool) -> None:
    """That this is a demonstration, and under a watermark that nobody signed it: dark on light amber with a line, so that it stays clear in grey."""
    tone, top = design.tone("warn"), design.page_height - below_band - (0 if design.palette.filled else 2)
    canvas.setFillColor(tone.ground)
    canvas.rect(0, top - STRIP, design.page_width, STRIP, stroke=0, fill=1)
    canvas.setFillColor(tone.color)
    canvas.rect(0, top - STRIP, design.page_width, 1, stroke=0, fill=1)
    words = "sheet.demonstration_unsigned" if sheet.watermark else "sheet.demonstration"
    said = beside(design.say(words), Type(SEMIBOLD, 7.6, 9.4, tone.color), joint="   ·   ")
    wide = sum(width_of(run.text, run.type.font, run.type.size) for run in said)
    scale = min(1.0, design.width / wide)
    said = tuple(Run(run.text, run.type.but(size=run.type.size * scale), run.lang) for run in said)
    x = (design.page_width - wide * scale) / 2
    place(canvas, Text(said, decoration=decoration), x, top - 3.6, wide * scale + 1)


def draw_foot(canvas: Any, sheet: Sheet, design: Design, number: int, pages: int) -> None:
    """Maker, and which page of how many (WHO TRS 1010 Annex 4)."""
    with canvas.pagination("Footer"):
        canvas.setStrokeColor(RULE)
        canvas.setLineWidth(0.6)
        canvas.line(MARGIN, 46, MARGIN + design.width, 46)
        left = design.width - 120
        lines = [Run(line, fitted(line, TINY, left, 5)) for line in sheet.footer]
        place(canvas, Text(*lines, decoration=True), MARGIN, 42, left)
        page, of = design.both("sheet.page"), design.both("sheet.of")
        right = (
            Run(sheet.mark, fitted(sheet.mark, TINY.but(font=SEMIBOLD), 118, 4)),
            Run(f"{page} {number} {of} {pages}", TINY),
        )
        place(canvas, Text(*right, decoration=True, align="right"), MARGIN + left, 42, 120)


def draw_watermark(canvas: Any, words: str | None, design: Design) -> None:
    """Words across the page, light enough to read through."""
    if not words:
        return
    words = drawable(words)
    room = 0.9 * min(design.page_width / cos(radians(_SLOPE)), design.page_height / sin(radians(_SLOPE)))
    size = min(96.0, room / max(width_of(words, BOLD, 1), 1))
    with canvas.pagination("Watermark"):
        canvas.saveState()
        canvas.translate(design.page_width / 2, design.page_height / 2)
        canvas.rotate(_SLOPE)
        canvas.setFillColor(design.tone("bad").color)
        canvas.setFillAlpha(0.11)
        canvas.setFont(BOLD, size)
        canvas.drawCentredString(0, -size / 3, words)
        canvas.restoreState()
