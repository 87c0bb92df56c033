"""The tables of a certificate: results by group, the conclusion that counts them, and where each result comes from."""

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from reportlab.lib.colors import Color
from reportlab.platypus import Flowable, Table

from domain.certificates.content import DistributionShown, TestLine, Words
from reports import style
from reports.style import REGULAR, SEMIBOLD, WIDTH, Type
from reports.text import Block, Run, Text, in_parts
from reports.wording import for_people

GROUPS = {
    "physicochemical": Words(en="Physicochemical", de="Physikalisch-chemisch"),
    "identity": Words(en="Identity", de="Identität"),
    "purity": Words(en="Purity", de="Reinheit"),
    "safety": Words(en="Safety", de="Sicherheit"),
    "potency": Words(en="Potency", de="Wirkstärke"),
}
VERDICTS = {
    "pass": Words(en="Complies", de="entspricht"),
    "reported": Words(en="Reported", de="informativ"),
    "not_tested": Words(en="Not tested", de="nicht geprüft"),
}
_COLORS = {"pass": style.GREEN, "reported": style.SLATE, "not_tested": style.AMBER}
_HEAD = Type(SEMIBOLD, 8.2, 10, style.WHITE)
_HEAD_DE = style.TINY.but(color=style.MIST)
Cell = Text | str
BARE: list[tuple[Any, ...]] = [
    ("FONT", (0, 0), (-1, -1), REGULAR, 8),
    ("VALIGN", (0, 0), (-1, -1), "TOP"),
    ("LEFTPADDING", (0, 0), (-1, -1), 0),
    ("RIGHTPADDING", (0, 0), (-1, -1), 0),
    ("TOPPADDING", (0, 0), (-1, -1), 0),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 0),
]
ROUND = ("ROUNDEDCORNERS", [5, 5, 5, 5])
TALLEST = 420.0  # pt: a row of a table leaves room for head and group on any page


def draw_mark(canvas: Any, verdict: str, x: float, y: float, radius: float) -> None:
    """A sign that differs in shape as well as colour: tick on a disc, ring with a point, bar on a disc."""
    color = _COLORS[verdict]
    canvas.setFillColor(color)
    canvas.setStrokeColor(color)
    canvas.setLineWidth(radius * 0.26)
    canvas.circle(
        x, y, radius * (0.86 if verdict == "reported" else 1), stroke=verdict == "reported", fill=verdict != "reported"
    )
    if verdict == "reported":
        canvas.circle(x, y, radius * 0.3, stroke=0, fill=1)
        return
    canvas.setStrokeColor(style.WHITE)
    canvas.setLineCap(1)
    path = canvas.beginPath()
    path.moveTo(x - radius * 0.45, y)
    if verdict == "pass":
        path.lineTo(x - radius * 0.1, y - radius * 0.36)
        path.lineTo(x + radius * 0.48, y + radius * 0.36)
    else:
        path.lineTo(x + radius * 0.45, y)
    canvas.drawPath(path, stroke=1, fill=0)


class Marked(Text):
    """Text behind the mark of a verdict."""

    def __init__(self, verdict: str, *blocks: Block | Run, radius: float = 5, indent: float = 15):
        super().__init__(*blocks)
        self.verdict, self.radius, self.indent = verdict, radius, indent

    def wrap(self, width: float, height: float) -> tuple[float, float]:
        """The text beside the indent."""
        _, tall = super().wrap(width - self.indent, height)
        return width, tall

    def draw(self) -> None:
        """Mark in the middle of the height, then the text."""
        canvas: Any = self.canv
        canvas.saveState()
        draw_mark(canvas, self.verdict, self.radius, self.height / 2 + 0.4, self.radius)
        canvas.restoreState()
        canvas.translate(self.indent, 0)
        super().draw()


def both(words: Words, en: Type, de: Type = style.SMALL) -> list[Run]:
    """English above German; once, where both are the same text (figures)."""
    runs = [Run(for_people(words.en), en)]
    if words.de != words.en:
        runs.append(Run(for_people(words.de, "de"), de, "de"))
    return runs


def head(en: str, de: str) -> Text:
    """A head cell."""
    return Text(Run(en, _HEAD), Run("" if de == en else de, _HEAD_DE, "de"))


def _row(line: TestLine) -> list[Text]:
    verdict = VERDICTS[line.verdict]
    color = _COLORS[line.verdict]
    name = both(line.name, style.STRONG)
    if line.note:
        name += both(line.note, style.TINY, style.TINY)
    method = [Run(line.method, style.CELL)]
    if beside := " · ".join(filter(None, (line.reference, line.method_principle))):
        method.append(Run(beside, style.SMALL))
    return [
        Text(*name),
        Text(*method),
        Text(*both(line.criterion, style.CELL)),
        Text(*both(line.result, style.STRONG)),
        Marked(line.verdict, *both(verdict, style.STRONG.but(color=color))),
    ]


def in_groups(tests: Sequence[TestLine]) -> list[tuple[str, list[TestLine]]]:
    """The lines by group, groups in the order of `GROUPS`, lines as in the specification."""
    order = list(GROUPS)
    ordered = sorted(tests, key=lambda line: order.index(line.group))
    return [(group, list(lines)) for group, lines in groupby(ordered, key=lambda line: line.group)]


_TABLE_STYLE: list[tuple[Any, ...]] = [
    ("FONT", (0, 0), (-1, -1), REGULAR, 8),
    ("BACKGROUND", (0, 0), (-1, 0), style.PETROL),
    ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
    ("LEFTPADDING", (0, 0), (-1, -1), 6),
    ("RIGHTPADDING", (0, 0), (-1, -1), 5),
    ("TOPPADDING", (0, 0), (-1, -1), 2.4),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 3.2),
    ("TOPPADDING", (0, 0), (-1, 0), 4),
    ("BOTTOMPADDING", (0, 0), (-1, 0), 5),
    ("LINEBELOW", (0, 1), (-1, -1), 0.5, style.RULE),
]


def _grouped(
    header: list[Text],
    widths: Sequence[float],
    groups: Sequence[tuple[Words, Sequence[list[Text]]]],
    *extra: tuple[Any, ...],
) -> Table:
    """A table with a repeated head; the title of a group never stands alone at the foot of a page."""
    rows: list[list[Cell]] = [list(header)]
    commands = [*_TABLE_STYLE, *extra]
    for words, lines in groups:
        at = len(rows)
        title = (
            Run(words.en, style.STRONG.but(color=style.TEAL_TEXT)),
            Run(" · ", style.SMALL),
            Run(words.de, style.SMALL.but(size=7.6), "de"),
        )
        rows.append([Text(title), *[""] * (len(header) - 1)])
        rows.extend([*part] for line in lines for part in in_parts(line, [width - 11 for width in widths], TALLEST))
        commands += [
            ("SPAN", (0, at), (-1, at)),
            ("BACKGROUND", (0, at), (-1, at), style.FOAM),
            ("NOSPLIT", (0, at), (0, at + 1)),
        ]
    return Table(rows, colWidths=widths, repeatRows=1, style=commands)


def results_table(tests: Sequence[TestLine]) -> Table:
    """Test, method, acceptance criterion, result, verdict: every line of the specification."""
    header = [
        head("Test", "Prüfung"),
        head("Method", "Methode"),
        head("Acceptance criterion", "Akzeptanzkriterium"),
        head("Result", "Ergebnis"),
        head("Verdict", "Bewertung"),
    ]
    groups = [(GROUPS[group], [_row(line) for line in lines]) for group, lines in in_groups(tests)]
    return _grouped(header, (128, 102, 106, WIDTH - 128 - 102 - 106 - 71, 71), groups)


def conclusion(tests: Sequence[TestLine]) -> tuple[str, Words, Words]:
    """Mark, headline and what stands below it: found by counting lines and nothing else.

    A report-only line is no test passed. With a line not tested the lot is not said to comply: the line is named.
    """
    passed, reported, missing = (
        [line for line in tests if line.verdict == verdict] for verdict in ("pass", "reported", "not_tested")
    )
    n, of = len(passed), len(passed) + len(missing)
    en, de = f"{n} of {of} tests passed", f"{n} von {of} Prüfungen bestanden"
    below_en = [f"{len(reported)} reported without criterion"] if reported else []
    below_de = [f"{len(reported)} informativ, ohne Kriterium"] if reported else []
    if missing:
        below_en.append("not tested: " + ", ".join(line.name.en for line in missing))
        below_de.append("nicht geprüft: " + ", ".join(line.name.de for line in missing))
    below = Words(en="; ".join(below_en), de="; ".join(below_de))
    if missing or not passed:
        return ("not_tested" if missing else "reported"), Words(en=en, de=de), below
    return "pass", Words(en=f"Complies with specification – {en}", de=f"Entspricht der Spezifikation – {de}"), below


def banner(tests: Sequence[TestLine]) -> Flowable:
    """The conclusion, large."""
    mark, headline, below = conclusion(tests)
    color = _COLORS[mark]
    ground = {"pass": style.GREEN_GROUND, "not_tested": style.AMBER_GROUND, "reported": style.SLATE_GROUND}[mark]
    blocks: list[Block | Run] = [
        Run(headline.en, Type(SEMIBOLD, 11.5, 14, color)),
        Run(headline.de, style.BODY.but(color=color), "de"),
    ]
    if below.en:
        small = style.SMALL.but(color=style.INK)
        blocks += [Run(below.en, small), Run(below.de, small.but(color=style.MUTED), "de")]
    return barred([Marked(mark, *blocks, radius=9, indent=28)], color, ground, space_before=8)


def barred(cells: Sequence[Text], bar: Color, ground: Color, *, space_before: float) -> Table:
    """Texts side by side on a ground, with a bar before them."""
    thick = 5.0
    commands = [
        *BARE,
        ("BACKGROUND", (0, 0), (0, 0), bar),
        ("BACKGROUND", (1, 0), (-1, 0), ground),
        ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
        ("LEFTPADDING", (1, 0), (-1, 0), 12),
        ("RIGHTPADDING", (1, 0), (-1, 0), 6),
        ("TOPPADDING", (1, 0), (-1, 0), 5),
        ("BOTTOMPADDING", (1, 0), (-1, 0), 7),
        ("ROUNDEDCORNERS", [2, 4, 2, 4]),
    ]
    widths = [thick, *[(WIDTH - thick) / len(cells)] * len(cells)]
    return Table([["", *cells]], colWidths=widths, style=commands, spaceBefore=space_before, spaceAfter=0)


def _digest(sha256: str | None) -> Text:
    """The whole digest in two lines of 32 figures."""
    tiny = style.TINY.but(size=5.7, color=style.INK)
    return Text(Run(f"{sha256[:32]}\n{sha256[32:]}" if sha256 else "—", tiny))


def _traced(line: TestLine) -> list[Text]:
    small = style.SMALL.but(color=style.INK)

    def cell(value: object) -> Text:
        return Text(Run("—" if value is None else for_people(str(value)), small))

    name = Text((Run(line.name.en, small.but(font=SEMIBOLD)), Run(f"  {line.code}", style.TINY)))
    figures = (line.result_id, line.tested_on, line.n, line.sd, line.lod, line.loq)
    return [name, *map(cell, figures), _digest(line.raw_sha256)]


def traceability_table(tests: Sequence[TestLine], distributions: Sequence[DistributionShown]) -> Table:
    """Where each result comes from: row in the records, day, replicates, method limits, digest of the raw file."""
    header = [
        head("Test", "Prüfung"),
        head("Result no.", "Ergebnis-Nr."),
        head("Analysed", "Geprüft am"),
        head("n", "n"),
        head("SD", "Std.-Abw."),
        head("LOD", "NG"),
        head("LOQ", "BG"),
        head("Raw file, SHA-256", "Rohdatei, SHA-256"),
    ]
    groups: list[tuple[Words, Sequence[list[Text]]]] = [
        (GROUPS[group], [_traced(line) for line in lines]) for group, lines in in_groups(tests)
    ]
    if distributions:
        small = style.SMALL.but(color=style.INK)
        curves: list[list[Text]] = [
            [
                Text((Run(shown.method, small.but(font=SEMIBOLD)), Run(f"  {shown.test_code}", style.TINY))),
                *[Text(Run("—", small)) for _ in range(6)],
                _digest(shown.raw_sha256),
            ]
            for shown in distributions
        ]
        groups.append((Words(en="Size distributions", de="Größenverteilungen"), curves))
    widths = (130, 44, 48, 16, 46, 53, 53)
    tight = (
        ("LEFTPADDING", (1, 0), (-1, -1), 4),
        ("RIGHTPADDING", (0, 0), (-1, -1), 3),
        ("TOPPADDING", (0, 1), (-1, -1), 1),
        ("BOTTOMPADDING", (0, 1), (-1, -1), 2),
    )
    return _grouped(header, (*widths, WIDTH - sum(widths)), groups, *tight)
