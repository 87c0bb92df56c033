"""Set text: a ReportLab flowable of plain runs, each with its type and language, wrapped greedily.

A plain run cannot be mistaken for mark-up (`< 0.05 EU/mL` needs no escaping), and every piece names its font, so no unembedded default slips
in. All text of our documents is drawn by `Text.draw`, which marks it with the structure element that it is the text of.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from reportlab.platypus import Flowable

from reports.structure import Annotation, Element, TaggedCanvas
from reports.style import Type, require_glyphs, width_of
from reports.wording import drawable


@dataclass(frozen=True, slots=True)
class Run:
    """Words of one type and language; `href` makes them a link."""

    text: str
    type: Type
    lang: str = "en"
    href: str | None = None


Line = tuple[Run, ...]
Block = tuple[Run, ...]


@lru_cache(maxsize=4096)
def _printable(text: str) -> str:
    """The text in letters that the fonts have; Invalid (`character-not-printable`)."""
    written = drawable(text)
    require_glyphs(written)
    return written


def _checked(run: Run) -> Run:
    written = _printable(run.text)
    return run if written == run.text else Run(written, run.type, run.lang, run.href)


def _pieces(run: Run, width: float) -> Iterator[tuple[str, bool]]:
    """Words of the run with their trailing blanks, and whether a line ends after them; too wide words are cut."""
    for number, paragraph in enumerate(run.text.split("\n")):
        if number:
            yield "", True
        start = 0
        while start < len(paragraph):
            end = paragraph.find(" ", start)
            end = len(paragraph) if end < 0 else end + 1
            yield from ((part, False) for part in _cut(paragraph[start:end], run.type, width))
            start = end


def _cut(word: str, style: Type, width: float) -> Iterator[str]:
    while width_of(word.rstrip(" "), style.font, style.size) > width and len(word) > 1:
        fits = 1
        while fits < len(word) - 1 and width_of(word[: fits + 1], style.font, style.size) <= width:
            fits += 1
        yield word[:fits]
        word = word[fits:]
    yield word


def lay_out(block: Block, width: float) -> list[Line]:
    """The block's runs broken into lines not wider than `width` pt; a blank at which a line ends stays at its end."""
    if _width(block) <= width and not any("\n" in run.text for run in block):
        return [block]
    lines: list[list[Run]] = [[]]
    used = 0.0
    for run in block:
        for piece, ends in _pieces(run, width):
            bare = width_of(piece.rstrip(" "), run.type.font, run.type.size)
            if ends:
                _add(lines[-1], Run(" ", run.type, run.lang, run.href))
            if ends or (used + bare > width + 0.01 and lines[-1]):
                lines.append([])
                used = 0.0
            if not ends:
                _add(lines[-1], Run(piece, run.type, run.lang, run.href))
                used += width_of(piece, run.type.font, run.type.size)
    return [tuple(line) for line in lines]


def _add(line: list[Run], run: Run) -> None:
    if line and (line[-1].type is run.type and line[-1].href == run.href and line[-1].lang == run.lang):
        line[-1] = Run(line[-1].text + run.text, run.type, run.lang, run.href)
    else:
        line.append(run)


class Text(Flowable):  # type: ignore[misc]
    """Blocks of runs, one under the other; a block begins a new line. Splits between lines over pages.

    within: the element it belongs to; one block is all of it, several are its paragraphs (`kind`). elements: an element for each block, where
    they differ. Nothing given: paragraphs of the document. decoration: it says nothing that is not said elsewhere.
    """

    def __init__(
        self,
        *blocks: Block | Run,
        within: Element | None = None,
        kind: str = "P",
        elements: Sequence[Element] | None = None,
        align: str = "left",
        decoration: bool = False,
        space_before: float = 0,
        space_after: float = 0,
    ):
        super().__init__()
        self.blocks = tuple(self._checked((block,) if isinstance(block, Run) else block) for block in blocks)
        self.elements = tuple(elements or self._elements(within, kind))
        self.within, self.align, self.drawn = within, align, decoration
        self.spaceBefore, self.spaceAfter = space_before, space_after
        self._lines: list[tuple[Line, Element]] | None = None
        self._laid_out_for, self._tall = -1.0, 0.0
        for element, block in zip(self.elements, self.blocks, strict=True):
            if element.lang is None and block:
                element.lang = block[0].lang

    @staticmethod
    def _checked(block: Block) -> Block:
        return tuple(_checked(run) for run in block if run.text)

    def _elements(self, within: Element | None, kind: str) -> Sequence[Element]:
        if within is not None and len(self.blocks) == 1:
            return [within]
        return [Element(kind, within) for _ in self.blocks]

    def _part(self, lines: list[tuple[Line, Element]]) -> "Text":
        part = Text(*(line for line, _ in lines), elements=[element for _, element in lines], align=self.align)
        part._lines, part._laid_out_for, part._tall = lines, self._laid_out_for, _height(lines)
        return part

    def lines(self, width: float) -> list[tuple[Line, Element]]:
        """The lines at this width, each with its element; kept for drawing."""
        if self._lines is None or abs(width - self._laid_out_for) > 0.01:
            pairs = zip(self.blocks, self.elements, strict=True)
            self._lines = [(line, element) for block, element in pairs for line in lay_out(block, width)]
            self._laid_out_for = width
            self._tall = _height(self._lines)
        return self._lines

    def wrap(self, width: float, height: float) -> tuple[float, float]:
        """Takes the whole width; height is the sum of the leadings (pt)."""
        self.lines(width)
        self.width, self.height = width, self._tall
        return self.width, self.height

    def split(self, width: float, height: float) -> "list[Text]":
        """What fits into the height, and the rest."""
        lines, used, fits = self.lines(width), 0.0, 0
        while fits < len(lines) and used + _leading(lines[fits][0]) <= height:
            used += _leading(lines[fits][0])
            fits += 1
        if fits == len(lines):
            return [self]
        if fits == 0:
            return []
        return [self._part(lines[:fits]), self._part(lines[fits:])]

    def draw(self) -> None:
        """Draw on `self.canv`, top line first; drawn once more (as the head of a table is), it is an artifact."""
        canvas: Any = self.canv
        marked = isinstance(canvas, TaggedCanvas) and not self.drawn
        self.drawn = True
        if not marked:
            self._draw_lines(canvas, None)
            return
        for element in self.elements or filter(None, (self.within,)):
            canvas.structure.join(element)
        if self.blocks:
            with canvas.content():
                self._draw_lines(canvas, canvas)

    def _draw_lines(self, canvas: Any, tagged: TaggedCanvas | None) -> None:
        words, y = canvas.beginText(), self.height
        used: Type | None = None
        marks = _Marks(tagged, words)
        for line, element in self.lines(self.width):
            leading = _leading(line)
            y -= leading
            x = self.width - _width(line) if self.align == "right" else 0.0
            if line:
                words.setTextOrigin(x, y + 0.24 * leading)
            for run in line:
                wide = width_of(run.text, run.type.font, run.type.size)
                marks.turn_to(element, run, (x, y, x + wide, y + leading))
                if run.type is not used:
                    _set(words, run.type, used)
                    used = run.type
                words.textOut(run.text)
                x += wide
        marks.end()
        canvas.drawText(words)


class _Marks:
    """Brackets the operators of a text object with marks: one for each stretch of one element, language and link."""

    def __init__(self, canvas: TaggedCanvas | None, words: Any):
        self.canvas, self.words = canvas, words
        self.key: tuple[Element, str, str | None] | None = None
        self.target: Element | None = None

    def turn_to(self, element: Element, run: Run, box: tuple[float, float, float, float]) -> None:
        """What follows is text of the element, in the language of the run, and its link."""
        if self.canvas is None:
            return
        if (element, run.lang, run.href) != self.key:
            self.end()
            self.key = (element, run.lang, run.href)
            self.target = element
            if run.href or run.lang != element.lang:
                self.target = Element("Link" if run.href else "Span", element, lang=run.lang)
            self.words._code.append(self.canvas.claim(self.target))
        if run.href and self.target is not None:
            placed = self.canvas.placed(box)
            link = Annotation(self.canvas.page_index, placed, run.href, address=run.href)
            self.canvas.structure.annotate(self.target, link)

    def end(self) -> None:
        """End the mark, if there is one."""
        if self.key is not None:
            self.words._code.append("EMC")
            self.key = None


def _set(words: Any, wanted: Type, used: Type | None) -> None:
    if used is None or (wanted.font, wanted.size) != (used.font, used.size):
        words.setFont(wanted.font, wanted.size)
    if used is None or wanted.color != used.color:
        words.setFillColor(wanted.color)


def in_parts(cells: Sequence[Text], widths: Sequence[float], tallest: float) -> list[list[Text]]:
    """A table's row as rows not taller than `tallest` pt, so that no text, however long, is too tall for a page."""
    rows: list[list[Text]] = []
    rest: list[Text] = list(cells)
    while any(cell.wrap(width, 0)[1] > tallest for cell, width in zip(rest, widths, strict=True)):
        parts = [cell.split(width, tallest) for cell, width in zip(rest, widths, strict=True)]
        rows.append([part[0] for part in parts])
        rest = [part[1] if len(part) > 1 else Text() for part in parts]
    return [*rows, rest]


def _height(lines: list[tuple[Line, Element]]) -> float:
    return sum(_leading(line) for line, _ in lines)


def _leading(line: Line) -> float:
    if len(line) == 1:
        return line[0].type.leading
    return max((run.type.leading for run in line), default=6.0)


def _width(line: Line) -> float:
    if not line:
        return 0.0
    last = line[-1]
    before = sum(width_of(run.text, run.type.font, run.type.size) for run in line[:-1])
    return before + width_of(last.text.rstrip(" "), last.type.font, last.type.size)
