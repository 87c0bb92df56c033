"""Set text: a ReportLab flowable of plain runs, each with its type, wrapped greedily.

A plain run cannot be mistaken for mark-up (`< 0.05 EU/mL` needs no escaping), and every piece names its font, so no
unembedded default slips in. All text of our documents is drawn by `Text.draw`, one place to put marked content round.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from reportlab.platypus import Flowable

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
    """The block's runs broken into lines not wider than `width` pt."""
    if _width(block) <= width and not any("\n" in run.text for run in block):
        return [block]
    lines: list[list[Run]] = [[]]
    used = 0.0
    for run in block:
        for piece, ends in _pieces(run, width):
            bare = width_of(piece.rstrip(" "), run.type.font, run.type.size)
            if ends or (used + bare > width + 0.01 and lines[-1]):
                lines.append([])
                used = 0.0
            if ends:
                continue
            line = lines[-1]
            if line and line[-1].type is run.type and line[-1].href == run.href:
                line[-1] = Run(line[-1].text + piece, run.type, run.lang, run.href)
            else:
                line.append(Run(piece, run.type, run.lang, run.href))
            used += width_of(piece, run.type.font, run.type.size)
    return [_trimmed(line) for line in lines]


def _trimmed(line: list[Run]) -> Line:
    if line:
        last = line[-1]
        line[-1] = Run(last.text.rstrip(" "), last.type, last.lang, last.href)
    return tuple(line)


class Text(Flowable):  # type: ignore[misc]
    """Blocks of runs, one under the other; a block begins a new line. Splits between lines over pages."""

    def __init__(self, *blocks: Block | Run, align: str = "left", space_before: float = 0, space_after: float = 0):
        super().__init__()
        self.blocks = tuple(self._checked((block,) if isinstance(block, Run) else block) for block in blocks)
        self.align = align
        self.spaceBefore, self.spaceAfter = space_before, space_after
        self._lines: list[Line] | None = None
        self._laid_out_for, self._tall = -1.0, 0.0

    @staticmethod
    def _checked(block: Block) -> Block:
        block = tuple(Run(drawable(run.text), run.type, run.lang, run.href) for run in block)
        for run in block:
            require_glyphs(run.text)
        return block

    @classmethod
    def _of_lines(cls, lines: list[Line], like: "Text") -> "Text":
        text = cls(*lines, align=like.align)
        text._lines, text._laid_out_for, text._tall = lines, like._laid_out_for, sum(map(_leading, lines))
        return text

    def lines(self, width: float) -> list[Line]:
        """The lines at this width, kept for drawing."""
        if self._lines is None or abs(width - self._laid_out_for) > 0.01:
            self._lines = [line for block in self.blocks for line in lay_out(block, width)]
            self._laid_out_for = width
            self._tall = sum(map(_leading, self._lines))
        return self._lines

    def wrap(self, width: float, height: float) -> tuple[float, float]:
        """Takes the whole width; height is the sum of the leadings (pt)."""
        self.lines(width)
        self.width, self.height = width, self._tall
        return self.width, self.height

    def split(self, width: float, height: float) -> "list[Text]":
        """What fits into the height, and the rest."""
        lines, used, fits = self.lines(width), 0.0, 0
        while fits < len(lines) and used + _leading(lines[fits]) <= height:
            used += _leading(lines[fits])
            fits += 1
        if fits == len(lines):
            return [self]
        if fits == 0:
            return []
        return [Text._of_lines(lines[:fits], self), Text._of_lines(lines[fits:], self)]

    def draw(self) -> None:
        """Draw on `self.canv`, top line first."""
        canvas: Any = self.canv
        words, y = canvas.beginText(), self.height
        used: Type | None = None
        for line in self.lines(self.width):
            leading = _leading(line)
            y -= leading
            x = self.width - _width(line) if self.align == "right" else 0.0
            if line:
                words.setTextOrigin(x, y + 0.24 * leading)
            for run in line:
                if run.type is not used:
                    self._set(words, run.type, used)
                    used = run.type
                words.textOut(run.text)
                if run.href:
                    wide = width_of(run.text, run.type.font, run.type.size)
                    canvas.linkURL(run.href, (x, y, x + wide, y + leading), relative=1)
                x += width_of(run.text, run.type.font, run.type.size)
        canvas.drawText(words)

    @staticmethod
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


def _leading(line: Line) -> float:
    if len(line) == 1:
        return line[0].type.leading
    return max((run.type.leading for run in line), default=6.0)


def _width(line: Line) -> float:
    return sum(width_of(run.text, run.type.font, run.type.size) for run in line)
