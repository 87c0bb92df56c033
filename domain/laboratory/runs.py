"""Test runs: samples tested together, and the controls, blanks and standards that say whether the run counts.

A run that fails its suitability is invalid, and no result out of specification: what was found in it stays visible, does not count and is never
printed (FDA OOS guidance 2022, III; USP <1225> on system suitability). Nobody decides that it is valid after all.
"""

from collections.abc import Collection, Iterator, Sequence

from pydantic import AwareDatetime, Field
from sqlmodel import Session, col, select

from domain.errors import Conflict, Invalid, NotFound, Reason, refuse_if_any
from domain.laboratory.conditions import run_numbered, why_not_by
from domain.laboratory.control_models import RunCheck, RunConclusion, TestRun
from domain.laboratory.methods import Check, checks_of
from domain.laboratory.models import Method, Result, ResultInput, Sample
from domain.laboratory.oos_opening import hold_for_invalid, look_at
from domain.laboratory.reportable import Entry, parse_entry
from domain.laboratory.results import newest_method
from domain.laboratory.samples import CLOCK_SKEW, LATE_AFTER
from domain.laboratory.values import Qualitative, dump_value
from domain.laboratory.verdict import Verdict, judge
from domain.lots.models import Lot
from domain.lots.numbers import count_in
from domain.permissions import Permission
from domain.work import Command, Work, operation


class StartRun(Command):
    """Begin a run of the newest revision of a method on an instrument."""

    method_code: str
    instrument: str = Field(min_length=1, max_length=100)
    started_at: AwareDatetime | None = None
    comment: str = Field(default="", max_length=1000)


class CheckEntry(Command):
    """What a control, blank or standard gave, as read."""

    name: str = Field(min_length=1, max_length=100)
    value: str = Field(min_length=1, max_length=200, examples=["98.4", "<0.01", "detected"])


class ConcludeRun(Command):
    """Enter every check of the run; whether it counts follows from them.

    invalid_because: something else went wrong (power, a wrong plate), so that the run does not count although its checks pass.
    """

    run_number: str
    checks: tuple[CheckEntry, ...] = Field(default=(), max_length=100)
    finished_at: AwareDatetime | None = None
    invalid_because: str = Field(default="", max_length=1000)


@operation(Permission.ENTER_RESULT)
def start_run(work: Work, command: StartRun) -> TestRun:
    """The run is of the revision that is the newest now."""
    method = newest_method(work.session, command.method_code)
    started_at = command.started_at or work.now
    if started_at > work.now + CLOCK_SKEW:
        raise Invalid(Reason("in-the-future", "a run cannot have started in the future", "started_at"))
    refuse_if_any(why_not_by(work, method.code, command.instrument, started_at))
    return work.add(
        TestRun(
            number=f"RUN-{count_in(work, 'run'):06d}",
            method_id=method.key,
            instrument=command.instrument,
            started_at=started_at,
            recorded_at=work.now,
            late=work.now - started_at > LATE_AFTER,
            analyst_id=work.actor.person,
            comment=command.comment,
        )
    )


@operation(Permission.ENTER_RESULT)
def conclude_run(work: Work, command: ConcludeRun) -> RunConclusion:
    """Valid only if every check of the method was entered and passes; then its results are judged, in the same act."""
    run = _open_run(work, command.run_number)
    method = work.session.get_one(Method, run.method_id)
    finished_at = command.finished_at or work.now
    if finished_at < run.started_at or finished_at > work.now + CLOCK_SKEW:
        raise Invalid(Reason("times-reversed", "a run ends after it started, and not in the future", "finished_at"))
    checks = checks_of(method)
    failed = list(_failed(work, run, checks, command.checks))
    if command.invalid_because:
        failed.append(command.invalid_because)
    conclusion = work.add(
        RunConclusion(
            run_id=run.key,
            valid=not failed,
            reasons=" ".join(failed),
            finished_at=finished_at,
            concluded_at=work.now,
            concluded_by=work.actor.person,
        )
    )
    if conclusion.valid:
        _judge_results(work, run)
    else:
        for result in _results_in(work.session, run):
            hold_for_invalid(work, _lot_of(work, result), result, run.number)
    return conclusion


def _open_run(work: Work, number: str) -> TestRun:
    run = run_numbered(work, number)
    if run is None:
        raise NotFound(Reason("run-not-found", "name the run", "run_number"))
    if concluded_of(work.session, run) is not None:
        raise Conflict(Reason("run-concluded", f"run {run.number} is concluded already", "run_number"))
    return run


def concluded_of(session: Session, run: TestRun) -> RunConclusion | None:
    """The conclusion of a run, if there is one."""
    return session.exec(select(RunConclusion).where(RunConclusion.run_id == run.id)).first()


def _failed(work: Work, run: TestRun, checks: Sequence[Check], given: Sequence[CheckEntry]) -> Iterator[str]:
    """Record every check, and say which of them do not pass. Raises Invalid for a missing, double or unknown one."""
    typed = {one.name: one.value for one in given}
    if len(typed) != len(given):
        raise Invalid(Reason("check-twice", "a check was entered twice", "checks"))
    known = {one.name for one in checks}
    missing = [Reason("check-missing", f"{name}: what did it give?", "checks") for name in known - typed.keys()]
    strange = [Reason("check-unknown", f"the method has no check {name!r}", "checks") for name in typed.keys() - known]
    if missing or strange:
        raise Invalid(*sorted(missing + strange, key=lambda one: one.text))
    for place, check in enumerate(checks):
        value = _read(check, typed[check.name], f"checks.{place}.value")
        judgement = judge(check.criterion(), value)
        passed = judgement.verdict is Verdict.PASS
        work.add(
            RunCheck(
                run_id=run.key,
                name=check.name,
                entered=typed[check.name],
                value=dump_value(value),
                verdict=judgement.verdict,
                why=judgement.reason,
            )
        )
        if not passed:
            yield f"{check.name}: {judgement.reason}"


def _read(check: Check, typed: str, field: str) -> Entry:
    value = parse_entry(typed, check.unit or "1", field=field)
    if check.unit is not None and isinstance(value, Qualitative):
        raise Invalid(Reason("not-a-number", f"{check.name} is a number in {check.unit}; {typed!r} is none", field))
    return value


def _judge_results(work: Work, run: TestRun) -> None:
    """Now that the run counts, what was found in it does: what fails opens its investigation here."""
    replaced = select(Result.replaces_id).where(col(Result.replaces_id).is_not(None))
    for result in _results_in(work.session, run):
        sample, lot = work.session.get_one(Sample, result.sample_id), _lot_of(work, result)
        derived = (
            select(Result)
            .join(ResultInput, col(ResultInput.result_id) == Result.id)
            .where(ResultInput.input_result_id == result.id, col(Result.id).not_in(replaced))
        )
        look_at(work, lot, sample, result, work.session.exec(derived).all())


def _results_in(session: Session, run: TestRun) -> Sequence[Result]:
    """What was measured in a run, without what was corrected."""
    replaced = select(Result.replaces_id).where(col(Result.replaces_id).is_not(None))
    of_run = select(Result).where(
        Result.run_id == run.id, col(Result.formula).is_(None), col(Result.id).not_in(replaced)
    )
    return session.exec(of_run.order_by(col(Result.id))).all()


def _lot_of(work: Work, result: Result) -> Lot:
    of = select(Sample.lot_id).where(Sample.id == result.sample_id)
    return work.session.exec(select(Lot).where(col(Lot.id).in_(of)).with_for_update()).one()


def why_runs_do_not_count(session: Session, lot_id: int, but: Collection[str] = ()) -> Iterator[Reason]:
    """Results of a lot whose run is not concluded: nobody knows yet whether they count; but for tests that are awaited."""
    open_runs = (
        select(TestRun.number)
        .join(Result, col(Result.run_id) == TestRun.id)
        .join(Sample, col(Result.sample_id) == Sample.id)
        .outerjoin(RunConclusion, col(RunConclusion.run_id) == TestRun.id)
        .where(Sample.lot_id == lot_id, col(RunConclusion.id).is_(None), col(Result.test_code).not_in(but))
    )
    for number in session.exec(open_runs.distinct().order_by(TestRun.number)):
        text = f"run {number} is not concluded: its controls decide whether its results count"
        yield Reason("run-open", text, about=("run", number))
