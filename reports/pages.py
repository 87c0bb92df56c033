"""The sheet of a document: header band, footer with page n of N, watermark, outline, metadata."""

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, Flowable, Frame, PageTemplate

from reports import style
from reports.style import MARGIN, PAGE_HEIGHT, PAGE_WIDTH, REGULAR, SEMIBOLD, WIDTH, Type, fitted, shortened, width_of
from reports.text import Block, Run, Text
from reports.wording import drawable, in_utc

BAND, SLIM_BAND, BOTTOM = 94.0, 40.0, 58.0


@dataclass(frozen=True, slots=True)
class Sheet:
    """What stands on every page, and what the file says of itself.

    title and facts stand in the band of the first page, `running` in the slim band of the others;
    footer: lines at the left; `mark` at the right above the page number. watermark: a word over every page, or None.
    """

    number: str
    maker: str
    tagline: str
    title: str
    title_de: str
    facts: str
    running: str
    footer: tuple[str, ...]
    mark: str
    subject: str
    keywords: str
    issued_at: datetime
    watermark: str | None = None


class _Moment:
    """The moment of issue in the shape ReportLab asks of its time stamp (attributes as there)."""

    def __init__(self, moment: datetime):
        at = in_utc(moment)
        self.t, self.lt, self.tzname = at.timestamp(), at.timetuple(), "UTC"
        self.YMDhms = tuple(self.lt)[:6]
        self.dhh = self.dmm = 0
        self.datetime, self.asctime = at, at.ctime()


class _SheetCanvas(Canvas):  # type: ignore[misc]
    """Holds the pages back until their number is known, then draws footer and watermark and ships them.

    `headings` of a page (title, y) become the outline when the page is shipped: before, its page has no reference.
    """

    def __init__(self, filename: Any, sheet: Sheet, **options: Any):
        super().__init__(filename, **options)
        self._doc._timeStamp = _Moment(sheet.issued_at)
        self._doc.signature = hashlib.md5(b"Exolotl", usedforsecurity=False)  # else seeded from SOURCE_DATE_EPOCH
        self._doc.info.creator = "Exolotl"
        self._sheet = sheet
        self._held: list[dict[str, Any]] = []
        self.headings: list[tuple[str, float]] = []

    def showPage(self) -> None:  # noqa: N802 (the name is ReportLab's)
        self._held.append(dict(self.__dict__))
        self.headings = []
        self._startPage()

    def save(self) -> None:
        held, pages = self._held, len(self._held)
        for number, page in enumerate(held, start=1):
            self.__dict__.update(page)
            _draw_footer(self, self._sheet, number, pages)
            _draw_watermark(self, self._sheet.watermark)
            for index, (title, y) in enumerate(self.headings):
                key = f"heading-{number}-{index}"
                self.bookmarkHorizontal(key, 0, y + 24)
                self.addOutlineEntry(title, key, 0, closed=0)
            super().showPage()
        super().save()


def compose(sheet: Sheet, story: Sequence[Flowable]) -> bytes:
    """The PDF of the story on A4: the same sheet and story give the same bytes, anywhere and at any time."""
    out = io.BytesIO()
    document = BaseDocTemplate(
        out,
        pagesize=(PAGE_WIDTH, PAGE_HEIGHT),
        title=drawable(f"{sheet.title} {sheet.number}"),
        author=drawable(sheet.maker),
        subject=drawable(sheet.subject),
        keywords=drawable(sheet.keywords),
        producer="Exolotl, ReportLab",
        lang="en",
        invariant=1,
        pageCompression=1,
        initialFontName=REGULAR,
        initialFontSize=9,
    )
    document.addPageTemplates(
        [
            _template("first", BAND + 18, _draw_band, sheet, "later"),
            _template("later", SLIM_BAND + 18, _draw_slim_band, sheet, None),
        ]
    )
    document.build(list(story), canvasmaker=lambda name, **options: _SheetCanvas(name, sheet, **options))
    return out.getvalue()


def _template(name: str, top: float, painter: Any, sheet: Sheet, following: str | None) -> PageTemplate:
    height = PAGE_HEIGHT - top - BOTTOM
    frame = Frame(MARGIN, BOTTOM, WIDTH, height, leftPadding=0, rightPadding=0, topPadding=0, bottomPadding=0, id=name)
    return PageTemplate(
        name, [frame], onPage=lambda canvas, _document: painter(canvas, sheet), autoNextPageTemplate=following
    )


def _place(canvas: Any, text: Text, x: float, top: float, width: float) -> float:
    """Draw the text with its upper edge at `top`; gives the lower edge."""
    _, height = text.wrapOn(canvas, width, PAGE_HEIGHT)
    text.drawOn(canvas, x, top - height)
    return float(top - height)


def _ground(canvas: Any, height: float) -> None:
    canvas.setFillColor(style.PETROL)
    canvas.rect(0, PAGE_HEIGHT - height, PAGE_WIDTH, height, stroke=0, fill=1)
    canvas.setFillColor(style.TEAL)
    canvas.rect(0, PAGE_HEIGHT - height, PAGE_WIDTH, 3, stroke=0, fill=1)


def _draw_vesicle(canvas: Any, x: float, y: float, radius: float) -> None:
    """A vesicle: membrane of two leaflets, cargo inside."""
    canvas.setStrokeColor(style.WHITE)
    canvas.setLineWidth(radius * 0.13)
    canvas.circle(x, y, radius * 0.92, stroke=1, fill=0)
    canvas.setStrokeColor(style.TEAL)
    canvas.setLineWidth(radius * 0.10)
    canvas.circle(x, y, radius * 0.70, stroke=1, fill=0)
    canvas.setFillColor(style.WHITE)
    for dx, dy, size in ((-0.22, 0.18, 0.15), (0.26, 0.12, 0.11), (0.02, -0.28, 0.13)):
        canvas.circle(x + dx * radius, y + dy * radius, size * radius, stroke=0, fill=1)


def _draw_band(canvas: Any, sheet: Sheet) -> None:
    _ground(canvas, BAND)
    _draw_vesicle(canvas, MARGIN + 17, PAGE_HEIGHT - 40, 18)
    white, pale = style.WHITE, style.MIST
    maker = fitted(sheet.maker, Type(SEMIBOLD, 15, 17.5, white), 2 * 190, 6)
    left = Text(Run(sheet.maker, maker), Run(shortened(sheet.tagline, REGULAR, 8, 214), Type(REGULAR, 8, 10, pale)))
    _place(canvas, left, MARGIN + 46, PAGE_HEIGHT - 22, 214)
    title = Text(
        Run(sheet.title, Type(style.LIGHT, 23, 25, white)),
        Run(sheet.title_de, Type(REGULAR, 10, 13, pale), "de"),
        align="right",
    )
    _place(canvas, title, PAGE_WIDTH / 2, PAGE_HEIGHT - 17, PAGE_WIDTH / 2 - MARGIN)
    facts = Text(Run(sheet.facts, fitted(sheet.facts, Type(REGULAR, 8.6, 11, white), WIDTH, 6)), align="right")
    _place(canvas, facts, MARGIN, PAGE_HEIGHT - 68, WIDTH)


def _draw_slim_band(canvas: Any, sheet: Sheet) -> None:
    _ground(canvas, SLIM_BAND)
    _draw_vesicle(canvas, MARGIN + 9, PAGE_HEIGHT - 18.5, 9.5)
    room = WIDTH - 26 - width_of(drawable(sheet.running), REGULAR, 8) - 14
    # The whole name stands in the footer of every page.
    maker = shortened(drawable(sheet.maker), SEMIBOLD, 9.5, room)
    _place(canvas, Text(Run(maker, Type(SEMIBOLD, 9.5, 12, style.WHITE))), MARGIN + 26, PAGE_HEIGHT - 12.5, WIDTH)
    _place(
        canvas,
        Text(Run(sheet.running, Type(REGULAR, 8, 10, style.WHITE)), align="right"),
        MARGIN,
        PAGE_HEIGHT - 13.5,
        WIDTH,
    )


def _draw_footer(canvas: Any, sheet: Sheet, number: int, pages: int) -> None:
    canvas.setStrokeColor(style.RULE)
    canvas.setLineWidth(0.6)
    canvas.line(MARGIN, 46, MARGIN + WIDTH, 46)
    blocks: list[Block | Run] = [Run(line, fitted(line, style.TINY, 390, 5)) for line in sheet.footer]
    _place(canvas, Text(*blocks), MARGIN, 42, 400)
    page = Text(
        Run(sheet.mark, style.TINY.but(font=SEMIBOLD)),
        Run(f"Page / Seite {number} of / von {pages}", style.TINY),
        align="right",
    )
    _place(canvas, page, MARGIN + 300, 42, WIDTH - 300)


def _draw_watermark(canvas: Any, word: str | None) -> None:
    if not word:
        return
    word = drawable(word)
    size = min(96.0, 600 / max(width_of(word, style.BOLD, 1), 1))
    canvas.saveState()
    canvas.translate(PAGE_WIDTH / 2, PAGE_HEIGHT / 2)
    canvas.rotate(52)
    canvas.setFillColor(style.AMBER)
    canvas.setFillAlpha(0.14)
    canvas.setFont(style.BOLD, size)
    canvas.drawCentredString(0, -size / 3, word)
    canvas.restoreState()


class Heading(Text):
    """A section's title in both languages with a bar before and a rule after it.

    Stays with what follows as a whole; before a table that may break, `binds=False` and a conditional page break.
    """

    def __init__(self, en: str, de: str, *, binds: bool = True):
        super().__init__((Run(en, style.H2), Run("   ", style.H2_DE), Run(de, style.H2_DE, "de")))
        self.title, self.keepWithNext = en, int(binds)
        self.spaceBefore, self.spaceAfter = 13, 7

    def wrap(self, width: float, height: float) -> tuple[float, float]:
        """The text, indented by the bar."""
        _, tall = super().wrap(width - 10, height)
        return width, tall

    def draw(self) -> None:
        """Bar, title, rule to the right edge, and a mark for the outline."""
        canvas: Any = self.canv
        canvas.headings.append((self.title, canvas.absolutePosition(0, 0)[1]))
        canvas.setFillColor(style.TEAL)
        canvas.rect(0, 1, 3, self.height - 2, stroke=0, fill=1)
        last = self.lines(self.width)[-1]
        end = 10 + sum(width_of(run.text, run.type.font, run.type.size) for run in last) + 8
        canvas.setStrokeColor(style.RULE)
        canvas.setLineWidth(0.6)
        if end < WIDTH:
            canvas.line(end, self.height / 2 - 0.5, WIDTH, self.height / 2 - 0.5)
        canvas.translate(10, 0)
        super().draw()
