"""Tables: of data, tagged as such, with a head that repeats on every page; and frames that only arrange what stands in them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from reportlab.platypus import Table

from reports.catalogue import Pair
from reports.design import SMALL, STRONG, TINY, Design, below, beside
from reports.marks import Marked, Sign
from reports.structure import Element
from reports.style import REGULAR, RULE, SEMIBOLD, Type
from reports.text import Block, Run, Text, in_parts

Command = tuple[Any, ...]
BARE: list[Command] = [
    ("FONT", (0, 0), (-1, -1), REGULAR, 8),
    ("VALIGN", (0, 0), (-1, -1), "TOP"),
    ("LEFTPADDING", (0, 0), (-1, -1), 0),
    ("RIGHTPADDING", (0, 0), (-1, -1), 0),
    ("TOPPADDING", (0, 0), (-1, -1), 0),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 0),
]
ROUND: Command = ("ROUNDEDCORNERS", [5, 5, 5, 5])
TALLEST = 420.0  # pt: a row of a table leaves room for head and group on any page
_SIDES = 11.0  # pt: paddings left and right of a cell


def panel(design: Design) -> list[Command]:
    """The ground of a panel, or lines round it."""
    if design.palette.filled:
        return [("BACKGROUND", (0, 0), (-1, -1), design.palette.panel), ROUND]
    return [("BOX", (0, 0), (-1, -1), 0.7, RULE)]


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands in a cell of data; verdict: its sign before it."""

    blocks: Sequence[Block | Run]
    verdict: str | None = None
    align: str = "left"


Row = Sequence[Cell]


class DataTable:
    """Collects rows, by group or not; `flowable` is the table.

    head, widths: one for each column, widths in pt. The first cell of a row names it. The title of a group never stands alone at the foot of a
    page, and a row too tall for a page goes on in the next.
    """

    def __init__(self, design: Design, head: Sequence[Pair], widths: Sequence[float], *, tight: bool = False):
        self.design, self.widths = design, list(widths)
        self.element = Element("Table")
        first = Type(SEMIBOLD, 8.2, 10, design.on_deep)
        second = TINY.but(color=design.on_deep_second)
        row = Element("TR", Element("THead", self.element))
        self.rows: list[list[Any]] = [
            [Text(*below(words, first, second), within=Element("TH", row, scope="Column")) for words in head]
        ]
        self.commands = self._style(tight)
        self.body = Element("TBody", self.element)

    def _style(self, tight: bool) -> list[Command]:
        above, beneath = (1.2, 2.2) if tight else (2.4, 3.2)
        commands: list[Command] = [
            ("FONT", (0, 0), (-1, -1), REGULAR, 8),
            ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
            ("LEFTPADDING", (0, 0), (-1, -1), 6),
            ("RIGHTPADDING", (0, 0), (-1, -1), _SIDES - 6),
            ("TOPPADDING", (0, 0), (-1, -1), above),
            ("BOTTOMPADDING", (0, 0), (-1, -1), beneath),
            ("TOPPADDING", (0, 0), (-1, 0), 4),
            ("BOTTOMPADDING", (0, 0), (-1, 0), 5),
            ("LINEBELOW", (0, 1), (-1, -1), 0.5, RULE),
        ]
        if self.design.palette.filled:
            return [*commands, ("BACKGROUND", (0, 0), (-1, 0), self.design.palette.deep)]
        deep = self.design.palette.deep
        return [*commands, ("LINEABOVE", (0, 0), (-1, 0), 1.2, deep), ("LINEBELOW", (0, 0), (-1, 0), 0.7, deep)]

    def group(self, title: Pair, rows: Iterable[Row]) -> None:
        """Rows under a title of their own."""
        self.body = Element("TBody", self.element)
        at = len(self.rows)
        words = beside(title, STRONG.but(color=self.design.palette.link), SMALL.but(size=7.6), " · ")
        cell = Element("TH", Element("TR", self.body), scope="Column", columns=len(self.widths))
        self.rows.append([Text(words, within=cell), *[""] * (len(self.widths) - 1)])
        self.commands += [("SPAN", (0, at), (-1, at)), ("NOSPLIT", (0, at), (0, at + 1))]
        if self.design.palette.filled:
            self.commands.append(("BACKGROUND", (0, at), (-1, at), self.design.palette.panel))
        for row in rows:
            self.add(row)

    def add(self, row: Row) -> None:
        """One more row."""
        element = Element("TR", self.body)
        cells = [self._cell(cell, element, first=not place) for place, cell in enumerate(row)]
        self.rows.extend(list(part) for part in in_parts(cells, [width - _SIDES for width in self.widths], TALLEST))

    def _cell(self, cell: Cell, row: Element, *, first: bool) -> Text:
        element = Element("TH", row, scope="Row") if first else Element("TD", row)
        if cell.verdict is not None:
            return Marked(self.design, cell.verdict, *cell.blocks, within=element)
        return Text(*cell.blocks, within=element, align=cell.align)

    def flowable(self) -> Table:
        """The table, with the head repeated where it goes on."""
        return Table(self.rows, colWidths=self.widths, repeatRows=1, style=self.commands)


@dataclass(frozen=True, slots=True)
class Fact:
    """A value with what it is."""

    label: Pair
    value: Pair


def facts_grid(
    design: Design, facts: Sequence[Fact], type_: Type, columns: int, commands: Sequence[Command], *, dash: str = "—"
) -> Table:
    """Facts, several in a row: each with its label above. For a reader of the structure a list of labels and what they stand for."""
    listed = Element("L")
    cells = [_fact(design, fact, type_, listed, dash) for fact in facts]
    cells += [Text() for _ in range(-len(cells) % columns)]
    inner = design.width / columns - 14  # pt: the paddings
    starts = range(0, len(cells), columns)
    rows = [row for start in starts for row in in_parts(cells[start : start + columns], [inner] * columns, TALLEST)]
    style = [*BARE, ("LEFTPADDING", (0, 0), (-1, -1), 10), ("RIGHTPADDING", (0, 0), (-1, -1), 4), *commands]
    return Table(rows, colWidths=[design.width / columns] * columns, style=style, spaceAfter=0)


def _fact(design: Design, fact: Fact, type_: Type, listed: Element, dash: str) -> Text:
    item = Element("LI", listed)
    label, body = Element("Lbl", item), Element("LBody", item)
    values = below(fact.value, type_, TINY) or [Run(dash, type_, design.language)]
    elements = [label, *(Element("P", body) for _ in values)] if len(values) > 1 else [label, body]
    return Text(beside(fact.label, TINY), *values, elements=elements)


def notice(
    design: Design,
    cells: Sequence[Text],
    tone: str,
    *,
    sign: str | None = None,
    space_before: float = 0,
    space_after: float = 0,
) -> Table:
    """Texts side by side on a ground, with a bar before them, and the sign of a verdict, if any; it may go on on the next page."""
    thick, signed = 5.0, 40.0 if sign else 0.0
    found = design.tone(tone)
    width = (design.width - thick - signed) / len(cells)
    lead: list[Any] = ["", Sign(design, sign, 9)] if sign else [""]
    rows: list[list[Any]] = in_parts(cells, [width - 18] * len(cells), TALLEST)
    rows = [[*(lead if not place else [""] * len(lead)), *row] for place, row in enumerate(rows)]
    commands: list[Command] = [
        *BARE,
        ("BACKGROUND", (0, 0), (0, -1), found.color),
        ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
        ("LEFTPADDING", (1, 0), (-1, -1), 12),
        ("RIGHTPADDING", (len(lead), 0), (-1, -1), 6),
        ("TOPPADDING", (1, 0), (-1, 0), 5),
        ("BOTTOMPADDING", (1, -1), (-1, -1), 7),
    ]
    if sign:
        commands.append(("LEFTPADDING", (2, 0), (2, -1), 6))
    if design.palette.filled:
        commands += [("BACKGROUND", (1, 0), (-1, -1), found.ground), ("ROUNDEDCORNERS", [2, 4, 2, 4])]
    else:
        commands.append(("BOX", (0, 0), (-1, -1), 0.7, found.color))
    widths = [thick, *([signed] if sign else []), *[width] * len(cells)]
    return Table(rows, colWidths=widths, style=commands, spaceBefore=space_before, spaceAfter=space_after)
