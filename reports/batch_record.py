"""The batch record of a lot as a PDF, from values that are words already; what was not normal comes first.

What it must hold: 21 CFR 211.188, EU GMP Chapter 4, 4.20. Whoever composes it says what stands in each section; this file knows how it looks.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from reportlab.platypus import CondPageBreak, Flowable, PageBreak, Spacer

from domain.certificates.content import DistributionShown, Manufacturer
from reports import cycle_plot, distributions
from reports.bands import Sheet
from reports.catalogue import Pair, Said
from reports.cycle import CycleShown
from reports.design import BODY, CELL, TINY, Design, design
from reports.document import document
from reports.facts import PLAIN
from reports.look import Look
from reports.pages import Heading
from reports.style import INK, MUTED, REGULAR, SEMIBOLD, Type
from reports.tables import Cell as Drawn
from reports.tables import DataTable, Fact, facts_grid, notice, panel
from reports.text import Block, Run, Text
from reports.wording import for_people, site_date

TITLE: Pair = (Said("Batch Record", "en"), Said("Chargenprotokoll", "de"))
_CELL = CELL.but(size=7.8)


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands in a cell, and below it smaller; `odd` for what is not normal, `old` for what was replaced."""

    text: str
    note: str = ""
    mark: Literal["plain", "odd", "old"] = "plain"


@dataclass(frozen=True, slots=True)
class Grid:
    """A table: its heads with the share of the width each has, and its rows."""

    heads: tuple[tuple[str, float], ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the record: its title, facts (what, value), sentences and tables. page: begins a page of its own."""

    title: str
    title_de: str
    facts: tuple[tuple[str, str], ...] = ()
    sentences: tuple[str, ...] = ()
    grids: tuple[Grid, ...] = ()
    page: bool = False


@dataclass(frozen=True, slots=True)
class BatchRecord:
    """The whole record. normal: whether nothing at all was out of the ordinary. state: of the lot when this was drawn."""

    lot_number: str
    product: str
    recipe: str
    state: str
    maker: Manufacturer
    time_zone: str
    drawn_at: datetime
    normal: bool
    exceptions: Section
    sections: tuple[Section, ...]
    curves: tuple[DistributionShown, ...] = ()
    cycles: tuple[CycleShown, ...] = ()
    demonstration: bool = False


def render(record: BatchRecord, *, look: Look | None = None) -> bytes:
    """The PDF; the same record and look give the same bytes. Invalid: `character-not-printable`."""
    drawing = design(look or Look())
    return document(drawing, _sheet(drawing, record), list(_story(drawing, record)), [])


def _sheet(drawing: Design, record: BatchRecord) -> Sheet:
    maker, drawn = record.maker, site_date(record.drawn_at, record.time_zone)
    line = Type(REGULAR, 8.6, 11, drawing.on_deep)
    return Sheet(
        maker=maker,
        title=TITLE,
        facts=(Run(f"Lot / Charge {record.lot_number}   ·   Drawn / Erstellt {drawn}", line, "en"),),
        running=f"Batch record / Chargenprotokoll   ·   Lot / Charge {record.lot_number}",
        footer=(
            f"{maker.name} · {maker.address}",
            f"Drawn from the electronic record, which is the original. Times are those of {record.time_zone}.",
        ),
        mark=record.lot_number,
        subject=f"Batch record of lot {record.lot_number}, {record.product}",
        keywords=f"{record.lot_number}; batch record",
        issued_at=record.drawn_at,
        demonstration=record.demonstration,
    )


def _story(drawing: Design, record: BatchRecord) -> Iterator[Flowable]:
    lead = " · ".join((f"Recipe {record.recipe}" if record.recipe else "No recipe", record.state))
    yield Text(
        Run(record.product, Type(SEMIBOLD, 16, 19, INK)), Run(lead, Type(REGULAR, 10, 12.5, MUTED)), space_after=6
    )
    tone, said = (
        ("good", "Nothing was out of the ordinary.")
        if record.normal
        else ("warn", "Review by exception: this table lists only what was not normal.")
    )
    words = Text(Run(said, Type(SEMIBOLD, 10, 12.5, drawing.tone(tone).color)))
    yield notice(drawing, [words], tone, space_before=4)
    yield from _section(drawing, record.exceptions)
    for section in record.sections:
        yield from _section(drawing, section)
    for cycle in record.cycles:
        yield from cycle_plot.section(drawing, cycle)
    for curve in record.curves:
        yield from distributions.section(drawing, curve)


def _section(drawing: Design, section: Section) -> Iterator[Flowable]:
    yield PageBreak() if section.page else CondPageBreak(130)
    title: Pair = (Said(section.title, "en"), Said(section.title_de, "de"))
    yield Heading(drawing, title, binds=False)
    if section.facts:
        facts = [
            Fact((Said(name, "en"),), (Said(for_people(value), "en"),) if value else ())
            for name, value in section.facts
        ]
        padded = [("TOPPADDING", (0, 0), (-1, -1), 3), ("BOTTOMPADDING", (0, 0), (-1, -1), 4)]
        yield facts_grid(drawing, facts, PLAIN, 3, [*padded, *panel(drawing)])
    for sentence in section.sentences:
        yield Text(Run(for_people(sentence), BODY), space_before=3, space_after=2)
    for grid in section.grids:
        yield Spacer(1, 5)
        yield _grid(drawing, grid).flowable()


def _grid(drawing: Design, grid: Grid) -> DataTable:
    whole = sum(share for _, share in grid.heads)
    widths = [drawing.width * share / whole for _, share in grid.heads]
    table = DataTable(drawing, [(Said(name, "en"),) for name, _ in grid.heads], widths, tight=True)
    for row in grid.rows:
        table.add([_cell(drawing, cell) for cell in row])
    return table


def _cell(drawing: Design, cell: Cell) -> Drawn:
    types = {
        "plain": _CELL,
        "odd": _CELL.but(color=drawing.tone("warn").color, font=SEMIBOLD),
        "old": _CELL.but(color=MUTED),
    }
    blocks: list[Block | Run] = [Run(for_people(cell.text) or "–", types[cell.mark])]
    if cell.note:
        blocks.append(Run(for_people(cell.note), TINY))
    return Drawn(blocks)
