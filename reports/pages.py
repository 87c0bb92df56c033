"""From a story to a file: pages with their bands, number of all pages, outline, and the structure of what was drawn."""

import hashlib
import io
from collections.abc import Sequence
from typing import Any, NamedTuple

from reportlab.platypus import BaseDocTemplate, Flowable, Frame, PageTemplate

from reports.bands import BOTTOM, Sheet, draw_band, draw_foot, draw_slim_band, draw_watermark
from reports.catalogue import Pair
from reports.design import MARGIN, Design, beside
from reports.structure import Element, Structure, TaggedCanvas
from reports.style import REGULAR, RULE, width_of
from reports.text import Text
from reports.wording import drawable, in_utc

GAP = 16.0  # between band and text


class Drawn(NamedTuple):
    """A file as ReportLab makes it, and what is marked in it."""

    pdf: bytes
    structure: Structure


class _Moment:
    """The moment of issue in the shape ReportLab asks of its time stamp (attributes as there)."""

    def __init__(self, sheet: Sheet):
        at = in_utc(sheet.issued_at)
        self.t, self.lt, self.tzname = at.timestamp(), at.timetuple(), "UTC"
        self.YMDhms = tuple(self.lt)[:6]
        self.dhh = self.dmm = 0
        self.datetime, self.asctime = at, at.ctime()


class _SheetCanvas(TaggedCanvas):
    """Holds the pages back until their number is known, then draws foot and watermark and ships them.

    `headings` of a page (title, y) become the outline when the page is shipped: before, its page has no reference.
    """

    def __init__(self, filename: Any, sheet: Sheet, design: Design, structure: Structure, **options: Any):
        super().__init__(filename, structure, **options)
        self._doc._timeStamp = _Moment(sheet)
        self._doc.signature = hashlib.md5(b"Exolotl", usedforsecurity=False)  # else seeded from SOURCE_DATE_EPOCH
        self._doc.info.creator = "Exolotl"
        self._sheet, self._design = sheet, design
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
            draw_foot(self, self._sheet, self._design, number, pages)
            draw_watermark(self, self._sheet.watermark, self._design)
            for index, (title, y) in enumerate(self.headings):
                key = f"heading-{number}-{index}"
                self.bookmarkHorizontal(key, 0, y + 24)
                self.addOutlineEntry(title, key, 0, closed=0)
            self.close_marks()
            super().showPage()
        super().save()


def compose(sheet: Sheet, design: Design, story: Sequence[Flowable]) -> Drawn:
    """The story on its pages: the same sheet, design and story give the same bytes, anywhere and at any time.

    Nothing is deflated: what deflate makes of the same bytes differs between builds of zlib.
    """
    out = io.BytesIO()
    structure = Structure(Element("Document", lang=design.language))
    document = BaseDocTemplate(
        out,
        pagesize=(design.page_width, design.page_height),
        title=drawable(title_of(sheet)),
        author=drawable(sheet.maker.name),
        subject=drawable(sheet.subject),
        keywords=drawable(sheet.keywords),
        producer="Exolotl, ReportLab",
        lang=design.language,
        invariant=1,
        pageCompression=0,
        initialFontName=REGULAR,
        initialFontSize=9,
    )
    document.addPageTemplates(
        [
            _template("first", sheet.band(True) + GAP, draw_band, sheet, design, "later"),
            _template("later", sheet.band(False) + GAP, draw_slim_band, sheet, design, None),
        ]
    )
    document.build(
        list(story), canvasmaker=lambda name, **options: _SheetCanvas(name, sheet, design, structure, **options)
    )
    return Drawn(out.getvalue(), structure)


def title_of(sheet: Sheet) -> str:
    """The title of the file, in its leading language."""
    return f"{sheet.title[0].text} {sheet.mark}"


def _template(name: str, top: float, painter: Any, sheet: Sheet, design: Design, following: str | None) -> PageTemplate:
    height = design.page_height - top - BOTTOM
    frame = Frame(
        MARGIN, BOTTOM, design.width, height, leftPadding=0, rightPadding=0, topPadding=0, bottomPadding=0, id=name
    )
    return PageTemplate(
        name, [frame], onPage=lambda canvas, _document: painter(canvas, sheet, design), autoNextPageTemplate=following
    )


class Heading(Text):
    """A section's title in both languages with a bar before and a rule after it.

    Stays with what follows as a whole; before a table that may break, `binds=False` and a conditional page break.
    """

    def __init__(self, design: Design, words: Pair, *, binds: bool = True):
        super().__init__(beside(words, design.heading, design.heading_second, "   "), kind="H2")
        self.design, self.title, self.keepWithNext = design, words[0].text, int(binds)
        self.spaceBefore, self.spaceAfter = 13, 7

    def wrap(self, width: float, height: float) -> tuple[float, float]:
        """The text, indented by the bar."""
        _, tall = super().wrap(width - 10, height)
        return width, tall

    def draw(self) -> None:
        """Bar, title, rule to the right edge, and a mark for the outline."""
        canvas: Any = self.canv
        canvas.headings.append((self.title, canvas.absolutePosition(0, 0)[1]))
        canvas.setFillColor(self.design.palette.bright)
        canvas.rect(0, 1, 3, self.height - 2, stroke=0, fill=1)
        last, _ = self.lines(self.width)[-1]
        end = 10 + sum(width_of(run.text, run.type.font, run.type.size) for run in last) + 8
        canvas.setStrokeColor(RULE)
        canvas.setLineWidth(0.6)
        if end < self.design.width:
            canvas.line(end, self.height / 2 - 0.5, self.design.width, self.height / 2 - 0.5)
        canvas.translate(10, 0)
        super().draw()
