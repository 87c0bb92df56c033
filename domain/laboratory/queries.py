"""What the laboratory found out about a lot, judged line by line."""

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session, col, select

from domain.errors import Reason
from domain.laboratory.catalogue import Test
from domain.laboratory.catalogue import test as catalogue_test
from domain.laboratory.control_models import ReserveUse, RunConclusion
from domain.laboratory.methods import approved_ids
from domain.laboratory.models import (
    LotSpecification,
    Method,
    Purpose,
    Result,
    ResultInput,
    ResultReview,
    ReviewOutcome,
    Sample,
    Specification,
    SpecificationLine,
)
from domain.laboratory.oos_models import Oos, OosConclusion, OosResult, Outcome
from domain.laboratory.specifications import criterion_of, lines_of
from domain.laboratory.values import load_value
from domain.laboratory.verdict import Criterion, Judgement, Verdict, judge

#: The worst verdict of several results of one test counts: nothing is averaged away.
WORST = (Verdict.PASS, Verdict.MISSING, Verdict.INDETERMINATE, Verdict.FAIL)


@dataclass(frozen=True)
class Finding:
    """A result that counts (it was not corrected), with its sample, method and review."""

    result: Result
    sample: Sample
    method: Method | None
    review: ResultReview | None

    @property
    def accepted(self) -> bool:
        """Whether a second person accepted it."""
        return self.review is not None and self.review.outcome is ReviewOutcome.ACCEPTED

    @property
    def replicates(self) -> tuple[str, ...]:
        """As typed."""
        return tuple(json.loads(self.result.replicates))

    @property
    def flags(self) -> tuple[str, ...]:
        """What the instrument warned of."""
        return tuple(json.loads(self.result.flags))


@dataclass(frozen=True)
class Line:
    """A line of the specification with what was found; `judgement` is that of the worst result that counts.

    unconfirmed: results that failed and that the planned retests did not confirm, as QA concluded; they are reported beside the retests.
    """

    line: SpecificationLine
    criterion: Criterion
    test: Test
    method: Method | None
    findings: tuple[Finding, ...]
    judgement: Judgement
    unconfirmed: tuple[Finding, ...] = ()

    @property
    def shown(self) -> Finding | None:
        """The newest result."""
        return self.findings[-1] if self.findings else None

    @property
    def final(self) -> bool:
        """Whether there is a result and a second person accepted all of them; an optional line without a result is final."""
        return all(finding.accepted for finding in self.findings) and (bool(self.findings) or not self.line.required)


@dataclass(frozen=True)
class LotResults:
    """Everything found about a lot: the specification it is judged against, its lines, and results outside of it.

    invalid: what was found in an invalid run, or through an error of the laboratory; shown, never printed, and of no weight.
    """

    specification: Specification | None
    lines: tuple[Line, ...]
    others: tuple[Finding, ...]
    superseded: tuple[Result, ...]
    invalid: tuple[Finding, ...] = ()

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Every result that counts."""
        return (*(finding for line in self.lines for finding in line.findings), *self.others)

    def not_final(self, but: Collection[str] = ()) -> tuple[Reason, ...]:
        """Why testing is not finished: what is missing, and what no second person has accepted; but for tests that are awaited."""
        reasons = [
            Reason("result-missing", f"{line.test.name_en} ({line.test.code}) has no result", line.test.code)
            for line in self.lines
            if line.line.required and not line.findings and line.test.code not in but
        ]
        if self.specification is not None and not reasons and not any(line.findings for line in self.lines):
            reasons.append(Reason("result-missing", "nothing was tested: no line of the specification has a result"))
        if self.specification is None:
            reasons.append(
                Reason("no-specification", "the lot is not judged against any specification yet: no sample was drawn")
            )
        return (*reasons, *unreviewed(one for one in self.findings if one.result.test_code not in but))

    def not_passing(self, but: Collection[str] = ()) -> tuple[Reason, ...]:
        """Every line that does not pass, with the reason of its verdict; but for tests that are awaited."""
        return tuple(
            Reason(
                f"result-{line.judgement.verdict.value}",
                f"{line.test.name_en} ({line.test.code}): {line.judgement.reason}",
                line.test.code,
                about=("sample", line.findings[-1].sample.number) if line.findings else None,
            )
            for line in self.lines
            if line.judgement.verdict is not Verdict.PASS
            and (line.line.required or line.findings)
            and line.test.code not in but
        )


def unreviewed(findings: Iterable[Finding]) -> tuple[Reason, ...]:
    """A reason for each result that no second person has accepted."""
    return tuple(
        Reason(
            "result-refused" if finding.review else "result-not-reviewed",
            f"result {finding.result.id} ({finding.result.test_code}) "
            + ("was refused by its reviewer and must be corrected" if finding.review else "is not reviewed"),
            finding.result.test_code,
            about=("sample", finding.sample.number),
            given={"test": finding.result.test_code, "result": finding.result.id},
        )
        for finding in findings
        if not finding.accepted
    )


@dataclass(frozen=True)
class _Found:
    """The results of a lot by what they are worth."""

    counted: tuple[Finding, ...]
    unconfirmed: tuple[Finding, ...]
    invalid: tuple[Finding, ...]
    superseded: tuple[Result, ...]


def lot_results(session: Session, lot_id: int) -> LotResults:
    """All results of a lot's samples, judged by its primary specification; a handful of statements, however many results there are."""
    found, pinned = _findings(session, lot_id), specifications_of(session, lot_id)
    if not pinned:
        return LotResults(None, (), found.counted, found.superseded, found.invalid)
    return _judged_by(session, pinned[0], found)


def all_lot_results(session: Session, lot_id: int) -> tuple[LotResults, ...]:
    """The same results judged by each specification that is pinned to the lot, the primary one first."""
    found = _findings(session, lot_id)
    return tuple(_judged_by(session, one, found) for one in specifications_of(session, lot_id))


def release_results(session: Session, lot_id: int) -> tuple[LotResults, ...]:
    """The results judged by each release specification that is pinned to the lot, the primary one first: each has its own certificate.

    Where none is pinned, the results alone.
    """
    found = _findings(session, lot_id)
    pinned = [one for one in specifications_of(session, lot_id) if one.purpose is Purpose.RELEASE]
    if not pinned:
        return (lot_results(session, lot_id),)
    return tuple(_judged_by(session, one, found) for one in pinned)


def stability_results(session: Session, lot_id: int) -> tuple[LotResults, ...]:
    """What was found of the lot's stability units, judged by its shelf-life specifications; by its release ones where it has none."""
    found, pinned = _findings(session, lot_id, stability=True), specifications_of(session, lot_id)
    return tuple(_judged_by(session, one, found) for one in shelf_life_of(pinned))


def shelf_life_of(pinned: Sequence[Specification]) -> list[Specification]:
    """Of the specifications of a lot those that its stability results must meet."""
    of = {purpose: [one for one in pinned if one.purpose is purpose] for purpose in Purpose}
    return of[Purpose.SHELF_LIFE] or of[Purpose.RELEASE]


def specifications_of(session: Session, lot_id: int) -> list[Specification]:
    """What the lot is judged against, the primary specification first."""
    pinned = select(Specification).join(LotSpecification).where(LotSpecification.lot_id == lot_id)
    return list(session.exec(pinned.order_by(col(LotSpecification.id))))


def _judged_by(session: Session, specification: Specification, found: _Found) -> LotResults:
    rows = lines_of(session, specification.key)
    wanted = {row.method_id for row in rows if row.method_id is not None}
    methods = {method.key: method for method in session.exec(select(Method).where(col(Method.id).in_(wanted)))}
    approved = None
    if specification.controlled:
        used = {finding.method.key for finding in found.counted if finding.method is not None}
        approved = approved_ids(session, used)
    lines = tuple(_line(row, methods.get(row.method_id or 0), found, approved) for row in rows)
    in_lines = {row.test_code for row in rows}
    others = tuple(finding for finding in found.counted if finding.result.test_code not in in_lines)
    return LotResults(specification, lines, others, found.superseded, found.invalid)


def stability_samples() -> Any:
    """The ids of samples that were taken out of the stability store at a timepoint, as a statement: they speak of the shelf life."""
    return select(ReserveUse.sample_id).where(col(ReserveUse.timepoint_months).is_not(None))


def _findings(session: Session, lot_id: int, *, stability: bool = False) -> _Found:
    kept = col(Sample.id).in_(stability_samples())
    rows = session.exec(
        select(Result, Sample, Method, ResultReview)
        .join(Sample, col(Result.sample_id) == Sample.id)
        .outerjoin(Method, col(Result.method_id) == Method.id)
        .outerjoin(ResultReview, col(ResultReview.result_id) == Result.id)
        .where(Sample.lot_id == lot_id, kept if stability else ~kept)
        .order_by(col(Result.id))
    ).all()
    replaced = {result.replaces_id for result, *_ in rows}
    worth = worth_of(session, lot_id)
    found = [Finding(*row) for row in rows if row[0].id not in replaced]
    invalid = tuple(one for one in found if one.result.id in worth.invalid)
    unconfirmed = tuple(one for one in found if one.result.id in worth.unconfirmed - worth.invalid)
    counted = tuple(one for one in found if one.result.id not in worth.invalid | worth.unconfirmed)
    return _Found(counted, unconfirmed, invalid, tuple(row[0] for row in rows if row[0].id in replaced))


@dataclass(frozen=True)
class Worth:
    """Results (ids) that do not count: invalid ones, and failing ones that planned retests did not confirm."""

    invalid: frozenset[int]
    unconfirmed: frozenset[int]


def worth_of(session: Session, lot_id: int) -> Worth:
    """What runs and investigations say of a lot's results. What was calculated from an invalid result is invalid too."""
    of_lot = select(Result.id).join(Sample, col(Result.sample_id) == Sample.id).where(Sample.lot_id == lot_id)
    in_invalid_runs = of_lot.join(RunConclusion, col(RunConclusion.run_id) == Result.run_id).where(
        col(RunConclusion.valid).is_(False)
    )
    invalid: set[int | None] = set()
    in_runs = session.exec(in_invalid_runs).all()
    invalid.update(in_runs)
    unconfirmed: set[int | None] = set()
    concluded = (
        select(OosResult.result_id, OosConclusion.outcome)
        .join(OosConclusion, col(OosConclusion.oos_id) == OosResult.oos_id)
        .join(Oos, col(Oos.id) == OosResult.oos_id)
        .where(Oos.lot_id == lot_id, col(OosConclusion.outcome) != Outcome.CONFIRMED)
    )
    for result_id, outcome in session.exec(concluded):
        (invalid if outcome is Outcome.LABORATORY_ERROR else unconfirmed).add(result_id)
    if invalid:
        followed = select(ResultInput.result_id).where(col(ResultInput.input_result_id).in_(invalid))
        calculated = session.exec(followed).all()
        invalid.update(calculated)
    return Worth(
        frozenset(one for one in invalid if one is not None), frozenset(one for one in unconfirmed if one is not None)
    )


def _line(row: SpecificationLine, method: Method | None, found: _Found, approved: set[int] | None) -> Line:
    criterion = criterion_of(row)
    own = tuple(finding for finding in found.counted if finding.result.test_code == row.test_code)
    apart = tuple(finding for finding in found.unconfirmed if finding.result.test_code == row.test_code)
    judgements = [judged(criterion, method, finding, approved) for finding in own] or [judge(criterion, None)]
    worst = max(judgements, key=lambda judgement: WORST.index(judgement.verdict))
    return Line(row, criterion, catalogue_test(row.test_code), method, own, worst, apart)


def worst_of(session: Session, specification: Specification, line: Line, findings: Iterable[Finding]) -> Verdict:
    """The worst verdict of some results by a line; missing where there is none."""
    findings = tuple(findings)
    used = {one.method.key for one in findings if one.method is not None}
    approved = approved_ids(session, used) if specification.controlled else None
    verdicts = [judged(line.criterion, line.method, one, approved).verdict for one in findings]
    return max(verdicts, key=WORST.index) if verdicts else Verdict.MISSING


def judged(
    criterion: Criterion, method: Method | None, finding: Finding, approved: set[int] | None = None
) -> Judgement:
    """A result by another method than the specification names, or by an older or a laxer revision of it, is not comparable with the limit.

    approved: ids of the methods that QA approved, where the specification asks for that.
    """
    used = finding.method
    if method is not None and (used is None or used.code != method.code or used.revision < method.revision):
        told = f"tested by {used.label if used else 'calculation'}, but the specification names {method.label}"
        return Judgement(verdict=Verdict.INDETERMINATE, reason=told)
    if method is not None and used is not None and _laxer(used, method):
        told = f"{used.label} asks for less than {method.label}, which QA approved with the specification"
        return Judgement(verdict=Verdict.INDETERMINATE, reason=told)
    if approved is not None and used is not None and used.key not in approved:
        told = f"QA has not approved {used.label}, and the specification asks for approved methods"
        return Judgement(verdict=Verdict.INDETERMINATE, reason=told)
    return judge(criterion, load_value(finding.result.value))


def _laxer(used: Method, approved: Method) -> bool:
    """Fewer replicates, another rule, fewer days, or no run where one was asked for: whoever defines methods could undo what QA approved."""
    days = (approved.minimum_days or 0) > (used.minimum_days or 0)
    run = bool(approved.run_required) and not used.run_required
    return used.replicates < approved.replicates or used.rule != approved.rule or days or run
