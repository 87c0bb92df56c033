"""Test runs as shown, with their checks and what was found in them."""

from datetime import datetime

from sqlmodel import Session, col, select

from domain.errors import NotFound, Reason
from domain.laboratory.control_models import RunCheck, RunConclusion, TestRun
from domain.laboratory.methods import Check, checks_of
from domain.laboratory.models import Method, Result, Sample
from domain.laboratory.values import describe_value, load_value
from domain.laboratory.verdict import Verdict
from domain.lots.models import Lot
from domain.people.models import User
from domain.work import View

MOST = 300


class RunCheckView(View):
    """A check of a run: what it must be, and what it gave."""

    name: str
    entered: str
    verdict: Verdict
    why: str


class FoundView(View):
    """A result in short."""

    result_id: int
    sample_number: str
    lot_number: str
    test_code: str
    value: str
    analyst: str
    finished_at: datetime


class RunView(View):
    """A run; `valid` is empty while nobody has concluded it."""

    number: str
    method: str
    test_code: str
    instrument: str
    started_at: datetime
    late: bool
    analyst: str
    comment: str
    valid: bool | None
    reasons: str
    finished_at: datetime | None
    wanted: tuple[Check, ...]
    checks: tuple[RunCheckView, ...]
    results: tuple[FoundView, ...]


def runs(session: Session, number: str | None = None) -> list[RunView]:
    """The newest runs, or the one."""
    found = (
        select(TestRun, Method, RunConclusion)
        .join(Method, col(TestRun.method_id) == Method.id)
        .outerjoin(RunConclusion, col(RunConclusion.run_id) == TestRun.id)
        .order_by(col(TestRun.id).desc())
        .limit(MOST)
    )
    rows: list[tuple[TestRun, Method, RunConclusion | None]] = list(
        session.exec(found.where(TestRun.number == number) if number else found).all()
    )
    names, ids = people_by_id(session), [run.key for run, *_ in rows]
    checks = session.exec(select(RunCheck).where(col(RunCheck.run_id).in_(ids)).order_by(col(RunCheck.id))).all()
    results = found_in(session, names, col(Result.run_id).in_(ids), col(Result.formula).is_(None))
    return [
        RunView(
            **{name: getattr(run, name) for name in ("number", "instrument", "started_at", "late", "comment")},
            method=method.label,
            test_code=method.test_code,
            analyst=names.get(run.analyst_id, "?"),
            valid=end.valid if end else None,
            reasons=end.reasons if end else "",
            finished_at=end.finished_at if end else None,
            wanted=checks_of(method),
            checks=tuple(RunCheckView.model_validate(one) for one in checks if one.run_id == run.id),
            results=tuple(view for row, view in results if row.run_id == run.id),
        )
        for run, method, end in rows
    ]


def run_file(session: Session, number: str) -> RunView:
    """One run. Raises NotFound."""
    if found := runs(session, number):
        return found[0]
    raise NotFound(Reason("run-not-found", f"there is no run {number!r}", "run_number"))


def found_in(session: Session, names: dict[int, str], *conditions: object) -> list[tuple[Result, FoundView]]:
    rows = session.exec(
        select(Result, Sample, Lot)
        .join(Sample, col(Result.sample_id) == Sample.id)
        .join(Lot, col(Sample.lot_id) == Lot.id)
        .where(*conditions)  # type: ignore[arg-type]
        .order_by(col(Result.id))
    ).all()
    return [
        (
            result,
            FoundView(
                result_id=result.key,
                sample_number=sample.number,
                lot_number=lot.lot_number,
                test_code=result.test_code,
                value=describe_value(load_value(result.value))[0],
                analyst=names.get(result.analyst_id, "?"),
                finished_at=result.finished_at,
            ),
        )
        for result, sample, lot in rows
    ]


def people_by_id(session: Session) -> dict[int, str]:
    return dict(session.exec(select(User.id, User.name)).all())  # type: ignore[arg-type]


def open_runs(session: Session, method_code: str) -> list[str]:
    """Numbers of the runs of a method that are not concluded, newest first."""
    found = (
        select(TestRun.number)
        .join(Method, col(TestRun.method_id) == Method.id)
        .outerjoin(RunConclusion, col(RunConclusion.run_id) == TestRun.id)
        .where(Method.code == method_code, col(RunConclusion.id).is_(None))
    )
    return list(session.exec(found.order_by(col(TestRun.id).desc()).limit(50)))
