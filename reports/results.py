"""The results of a certificate: the table by group, and the conclusion, which counts lines and nothing else."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from reportlab.platypus import Flowable, Table

from domain.certificates.content import CertificateContent, Conclusion, TestLine
from domain.errors import Invalid, Reason
from domain.laboratory.verdict import CriterionKind
from reports.catalogue import Pair
from reports.design import BODY, CELL, SMALL, SMALL_INK, STRONG, TINY, Design, below, beside
from reports.marks import TONES
from reports.style import SEMIBOLD, Type
from reports.tables import Cell, DataTable, Row, notice
from reports.text import Block, Run, Text

GROUPS = ("physicochemical", "identity", "purity", "safety", "potency")
#: The sign of each conclusion.
_SIGNS: dict[Conclusion, str] = {
    "complies": "pass",
    "conditional": "indeterminate",
    "does_not_comply": "fail",
    "incomplete": "not_tested",
}


def in_groups(tests: Sequence[TestLine]) -> list[tuple[str, list[TestLine]]]:
    """The lines by group, groups in the order of `GROUPS`, lines as in the specification."""
    ordered = sorted(tests, key=lambda line: GROUPS.index(line.group))
    return [(group, list(lines)) for group, lines in groupby(ordered, key=lambda line: line.group)]


def results_table(design: Design, tests: Sequence[TestLine]) -> Table:
    """Test, method, acceptance criterion, result, verdict: every line of the specification, those not tested too."""
    named = ("test", "method", "criterion", "result", "verdict")
    shares = (0.245, 0.235, 0.197, 0.188, 0.135)
    table = DataTable(
        design, [design.say(f"results.{name}") for name in named], [share * design.width for share in shares]
    )
    for group, lines in in_groups(tests):
        table.group(design.say(f"group.{group}"), [_row(design, line) for line in lines])
    return table.flowable()


def _row(design: Design, line: TestLine) -> Row:
    name: list[Block | Run] = [*below(design.of(line.name), STRONG)]
    if line.note:
        name += below(design.of(line.note), TINY, TINY)
    verdict = below(design.say(f"verdict.{line.verdict}"), STRONG.but(color=design.tone(TONES[line.verdict]).color))
    return (
        Cell(name),
        Cell(method_of(design, line, CELL)),
        Cell(below(design.of(line.criterion), CELL)),
        Cell(below(design.of(line.result), STRONG)),
        Cell(verdict, verdict=line.verdict),
    )


def method_of(design: Design, line: TestLine, type_: Type) -> list[Block | Run]:
    """Method and version; below it principle and reference, or what a calculated result was calculated from."""
    method: list[Block | Run] = [Run(line.method, type_)]
    calculated = bool(line.inputs) and line.method_code is None
    said = [line.reference, None if calculated else line.method_principle]
    if beside_it := " · ".join(filter(None, said)):
        method.append(Run(beside_it, SMALL))
    if line.inputs:
        method.append((*beside(design.say("measured.inputs"), SMALL), Run(f": {', '.join(line.inputs)}", SMALL)))
    return method


@dataclass(frozen=True, slots=True)
class Tally:
    """Lines by what became of them. A report-only line is no test passed, and nothing depends on it."""

    passed: tuple[TestLine, ...]
    failed: tuple[TestLine, ...]
    unclear: tuple[TestLine, ...]
    pending: tuple[TestLine, ...]
    not_tested: tuple[TestLine, ...]
    reported: tuple[TestLine, ...]
    not_reported: tuple[TestLine, ...]

    @property
    def judged(self) -> int:
        """How many lines have a criterion to meet."""
        return sum(map(len, (self.passed, self.failed, self.unclear, self.pending, self.not_tested)))

    @property
    def all_passed(self) -> bool:
        """Whether there is something to pass, and all of it passed."""
        return bool(self.passed) and len(self.passed) == self.judged


def tally(tests: Sequence[TestLine]) -> Tally:
    """Counts the lines."""

    def of(verdict: str) -> tuple[TestLine, ...]:
        return tuple(line for line in tests if line.verdict == verdict)

    missing = of("not_tested")
    only_reported = tuple(line for line in missing if line.limits and line.limits.kind is CriterionKind.REPORT_ONLY)
    return Tally(
        passed=of("pass"),
        failed=of("fail"),
        unclear=of("indeterminate"),
        pending=of("pending"),
        not_tested=tuple(line for line in missing if line not in only_reported),
        reported=of("reported"),
        not_reported=only_reported,
    )


def conclusion(content: CertificateContent) -> Conclusion:
    """What the certificate concludes; contents of schema 1.0 leave it to their lines.

    Raises Invalid (`conclusion-contradicted`) where it says more than its lines do.
    """
    counted = tally(content.tests)
    if content.conclusion is None:
        return "complies" if counted.all_passed else "does_not_comply" if counted.failed else "incomplete"
    too_much = {
        "complies": not counted.all_passed,
        "conditional": bool(counted.failed or counted.unclear) or not content.conditional,
    }
    if too_much.get(content.conclusion, False):
        text = f"a certificate cannot conclude {content.conclusion!r} from {len(counted.passed)} of {counted.judged} tests passed"
        raise Invalid(Reason("conclusion-contradicted", text, "conclusion"))
    return content.conclusion


def banner(design: Design, content: CertificateContent) -> Flowable:
    """The conclusion, large, with the lines that it does not rest on named."""
    concluded, counted = conclusion(content), tally(content.tests)
    sign = _SIGNS[concluded]
    tone = TONES[sign]
    color = design.tone(tone).color
    count = design.say("conclusion.count", n=len(counted.passed), of=counted.judged)
    headline = design.say(f"conclusion.{concluded}", count=count)
    blocks: list[Block | Run] = [*below(headline, Type(SEMIBOLD, 11.5, 14, color), BODY.but(color=color))]
    if content.conditional:
        blocks += below(design.of(content.conditional), BODY, SMALL)
    blocks += [beside(pair, STRONG.but(size=8), SMALL) for pair in _remarks(design, counted)]
    if counted.reported:
        blocks.append(beside(design.say("conclusion.reported", n=len(counted.reported)), SMALL_INK, SMALL))
    return notice(design, [Text(*blocks)], tone, sign=sign, space_before=8)


def _remarks(design: Design, counted: Tally) -> list[Pair]:
    named = {
        "failed": counted.failed,
        "unclear": counted.unclear,
        "pending": counted.pending,
        "not_tested": (*counted.not_tested, *counted.not_reported),
    }
    return [
        design.say(f"conclusion.{key}", names=design.voice.listed([design.of(line.name) for line in lines]))
        for key, lines in named.items()
        if lines
    ]
