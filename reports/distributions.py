"""A size distribution of a certificate: the plot, its figures as a table, and how both are to be read."""

from collections.abc import Iterator, Sequence

from reportlab.platypus import Flowable, KeepTogether, Table

from domain.certificates.content import DistributionShown
from reports.catalogue import Said
from reports.curve import DistributionPlot
from reports.design import SMALL, SMALL_INK, STRONG, Design, beside
from reports.pages import Heading
from reports.structure import Element
from reports.style import RULE, SEMIBOLD
from reports.tables import BARE, TALLEST, Command, panel
from reports.text import Block, Run, Text, in_parts
from reports.wording import for_people

_PLOT, _GAP = 0.728, 12.0  # share of the width; pt


def section(design: Design, shown: DistributionShown) -> Iterator[Flowable]:
    """Heading, plot beside its figures, convention; kept on one page."""
    plot_width = round(design.width * _PLOT)
    beside_it = design.width - plot_width - _GAP
    figures = _figures(design, shown, beside_it)
    _, tall = figures.wrap(beside_it, 2000)
    plot = DistributionPlot(design, shown, plot_width, min(max(tall, 210.0), 300.0))
    arranged = Table([[plot, "", figures]], colWidths=[plot_width, _GAP, beside_it], style=BARE)
    title = tuple(
        Said(f"{said.text}, {shown.method}" if not place else said.text, said.lang)
        for place, said in enumerate(design.say("section.distribution"))
    )
    yield KeepTogether([Heading(design, title), arranged, _reading(design, shown)])


def _figures(design: Design, shown: DistributionShown, width: float) -> Table:
    figures = {
        "mean": f"{shown.mean} nm",
        "mode": f"{shown.mode} nm",
        "sd": f"{shown.sd} nm",
        "d10": f"{shown.d10} nm",
        "d50": f"{shown.d50} nm",
        "d90": f"{shown.d90} nm",
        "span": shown.span,
        "within": f"{shown.percent_30_150} %",
        "concentration": for_people(shown.concentration),
    }
    table, strong = Element("Table"), STRONG.but(size=8)
    rows: list[list[Text | str]] = []
    for key, value in figures.items():
        row = Element("TR", table)
        name = Text(beside(design.say(f"figure.{key}"), SMALL_INK), within=Element("TH", row, scope="Row"))
        rows.append([name, Text(Run(value, strong), within=Element("TD", row), align="right")])
    title = beside(design.say("section.figures"), STRONG.but(color=design.palette.deep), SMALL, " ")
    last = len(rows)
    commands: list[Command] = [
        *BARE,
        ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
        ("LEFTPADDING", (0, 0), (0, -1), 8),
        ("RIGHTPADDING", (1, 0), (1, -1), 8),
        ("TOPPADDING", (0, 0), (-1, -1), 3.2),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 4.2),
        ("LINEBELOW", (0, 1), (-1, last - 1), 0.5, RULE),
        ("SPAN", (0, 0), (1, 0)),
        *panel(design),
    ]
    return Table([[Text(title), ""], *rows], colWidths=[width * 0.57, width * 0.43], style=commands)


def _reading(design: Design, shown: DistributionShown) -> Table:
    """The convention of percent 30-150 nm and the lower limit of the instrument, in each language; then settings and flags as it names them."""
    convention, limit = design.of(shown.convention), design.of(shown.lower_limit)
    columns: dict[str, list[Block | Run]] = {}
    for pair in (convention, limit):
        for said in pair:
            type_ = SMALL_INK if said.lang == pair[0].lang else SMALL
            columns.setdefault(said.lang, []).append(Run(said.text, type_, said.lang))
    cells = [Text(*blocks) for blocks in columns.values()]
    width = design.width / len(cells)
    rows: list[Sequence[Text | str]] = [*in_parts(cells, [width - 12] * len(cells), TALLEST)]
    commands: list[Command] = [*BARE, ("TOPPADDING", (0, 0), (-1, -1), 4), ("RIGHTPADDING", (0, 0), (-1, -1), 12)]
    if below_it := _as_measured(design, shown):
        for (part,) in in_parts([Text(*below_it)], [design.width - 12], TALLEST):
            commands.append(("SPAN", (0, len(rows)), (-1, len(rows))))
            rows.append([part, *[""] * (len(cells) - 1)])
    return Table(rows, colWidths=[width] * len(cells), style=commands)


def _as_measured(design: Design, shown: DistributionShown) -> list[Block | Run]:
    settings = " · ".join(f"{name} {for_people(value)}" for name, value in shown.settings)
    found: list[Block | Run] = []
    if settings:
        label = beside(design.say("measured.settings"), SMALL.but(font=SEMIBOLD))
        found.append((*label, Run(f": {settings}", SMALL)))
    if shown.flags:
        warn = SMALL.but(color=design.tone("warn").color)
        label = beside(design.say("distribution.flags"), warn.but(font=SEMIBOLD))
        found.append((*label, Run(f": {'; '.join(shown.flags)}", warn)))
    return found
