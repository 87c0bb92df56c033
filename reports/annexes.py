"""What stands behind the results: how each was measured, where it comes from, and what was investigated (domain.md 4.1)."""

from collections.abc import Sequence

from reportlab.platypus import Table

from domain.certificates.content import CertificateContent, DistributionShown, Investigation, TestLine
from reports.design import SMALL, SMALL_INK, STRONG, TINY, Design, below, beside
from reports.results import in_groups, method_of
from reports.style import SEMIBOLD
from reports.tables import Cell, DataTable, Row
from reports.text import Block, Run
from reports.wording import for_people

_NAME = SMALL_INK.but(font=SEMIBOLD)


def _named(design: Design, line: TestLine) -> Cell:
    """The test and its code; its translation stands in the table of results."""
    said = design.of(line.name)[0]
    return Cell([(Run(said.text, _NAME, said.lang), Run(f"  {line.code}", TINY))])


def _plain(value: object) -> Cell:
    return Cell([Run("—" if value is None else for_people(str(value)), SMALL_INK)])


def measured_table(design: Design, content: CertificateContent) -> Table:
    """How it was measured: method with its version, principle and reference, instrument and settings, n and SD, limits of the method."""
    shares = (0.19, 0.315, 0.215, 0.03, 0.115, 0.135)
    named = ("results.test", "measured.method", "measured.instrument", "measured.n", "measured.sd", "measured.limits")
    table = DataTable(
        design, [design.say(key) for key in named], [share * design.width for share in shares], tight=True
    )
    shown = {tuple(each.settings) for each in content.distributions}
    for group, lines in in_groups(content.tests):
        table.group(design.say(f"group.{group}"), [_measured(design, line, line.settings in shown) for line in lines])
    return table.flowable()


def _measured(design: Design, line: TestLine, with_curve: bool) -> Row:
    return (
        _named(design, line),
        Cell(method_of(design, line, SMALL_INK)),
        Cell(_instrument(design, line, with_curve)),
        _plain(line.n),
        _plain(line.sd),
        Cell(_limits(design, line)),
    )


def _instrument(design: Design, line: TestLine, with_curve: bool) -> list[Block | Run]:
    found: list[Block | Run] = [Run(line.instrument or "—", SMALL_INK)]
    if line.settings and with_curve:
        found.append(beside(design.say("measured.with_curve"), SMALL))
    elif line.settings:
        found.append(Run(" · ".join(f"{name} {for_people(value)}" for name, value in line.settings), SMALL))
    return found


def _limits(design: Design, line: TestLine) -> list[Block | Run]:
    limits = {"measured.lod": line.lod, "measured.loq": line.loq}
    said = [(design.say(key)[0], limit) for key, limit in limits.items() if limit]
    found: list[Block | Run] = [
        (Run(f"{label.text} ", SMALL, label.lang), Run(for_people(limit), SMALL_INK, label.lang))
        for label, limit in said
    ]
    return found or [Run("—", SMALL_INK)]


def traceability_table(design: Design, tests: Sequence[TestLine], distributions: Sequence[DistributionShown]) -> Table:
    """Where each result comes from: its row in the records, the day it was found, the digest of the raw file; and curves of other files."""
    named = ("results.test", "trace.result", "trace.on", "trace.raw")
    shares = (0.335, 0.125, 0.12, 0.42)
    table = DataTable(
        design, [design.say(key) for key in named], [share * design.width for share in shares], tight=True
    )
    for group, lines in in_groups(tests):
        rows = [
            (_named(design, line), _plain(line.result_id), _plain(line.tested_on), _digest(line.raw_sha256))
            for line in lines
        ]
        table.group(design.say(f"group.{group}"), rows)
    known = {line.raw_sha256 for line in tests}
    if others := [shown for shown in distributions if shown.raw_sha256 not in known]:
        curves = [
            (
                Cell([(Run(shown.method, _NAME), Run(f"  {shown.test_code}", TINY))]),
                _plain(None),
                _plain(None),
                _digest(shown.raw_sha256),
            )
            for shown in others
        ]
        table.group(design.say("group.distributions"), curves)
    return table.flowable()


def _digest(sha256: str | None) -> Cell:
    return Cell([Run(sha256 or "—", TINY.but(size=5.9, color=SMALL_INK.color))])


def investigations_table(design: Design, found: Sequence[Investigation]) -> Table:
    """Repeated and invalid tests, corrections, holds, deviations: each with the number of its record at the manufacturer."""
    named = ("investigation.kind", "investigation.on", "investigation.what", "investigation.reference")
    shares = (0.19, 0.11, 0.47, 0.23)
    table = DataTable(design, [design.say(key) for key in named], [share * design.width for share in shares])
    for each in found:
        table.add(
            (
                Cell(below(design.say(f"investigation.{each.kind}"), STRONG)),
                _plain(each.on),
                Cell(below(design.of(each.words), SMALL_INK)),
                _plain(each.reference),
            )
        )
    return table.flowable()
