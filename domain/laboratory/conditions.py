"""Why a result may not be recorded, as runs, custody, reserves, slow tests and investigations have it."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import Session, col, select

from domain.audit import changes, entries
from domain.equipment.models import Equipment
from domain.equipment.register import exception_for, unfit
from domain.errors import NotFound, Reason
from domain.laboratory.control_models import Custody, CustodyEvent, Inoculation, ReserveUse, RunConclusion, TestRun
from domain.laboratory.doors import timepoint_of
from domain.laboratory.methods import why_not_rapid
from domain.laboratory.models import Method, Result, ResultInput, Sample
from domain.laboratory.oos_models import OosResult
from domain.laboratory.oos_opening import oos_against
from domain.lots.models import Lot, Product
from domain.people.training import untrained
from domain.permissions import Permission
from domain.work import Work


def why_not_in_run(session: Session, method: Method, run: TestRun | None, finished_at: datetime) -> Iterator[Reason]:
    """A method may demand a run; a run is of one revision of one method, and takes nothing once it is invalid."""
    if run is None:
        if method.run_required:
            text = f"{method.label} asks for a run with its controls; say in which run this was found"
            yield Reason("run-needed", text, "run_number")
        return
    if run.method_id != method.key:
        yield Reason("run-of-other-method", f"run {run.number} is not of {method.label}", "run_number")
    if finished_at < run.started_at:
        yield Reason("before-the-run", f"run {run.number} started after this was finished", "finished_at")
    concluded = session.exec(select(RunConclusion).where(RunConclusion.run_id == run.id)).first()
    if concluded is not None and not concluded.valid:
        yield Reason("run-invalid", f"run {run.number} is invalid; test again in another run", "run_number")


def why_not_by(work: Work, method_code: str, instrument: str | None, at: datetime) -> Iterator[Reason]:
    """Who tests is trained for the method, where it asks for that; an instrument of the register is fit for use, or QA excepted it."""
    local = at.astimezone(work.site.zone)
    if Permission.ENTER_RESULT in work.actor.permissions:
        yield from untrained(work.session, work.actor.person, method_code, local)
    known = select(Equipment).where(Equipment.code == (instrument or ""))
    if equipment := work.session.exec(known).first():
        reasons = list(unfit(work.session, equipment, at, local.date()))
        if reasons and exception_for(work.session, equipment.key, local.date()) is None:
            yield from reasons


def why_not_of_sample(session: Session, sample: Sample) -> Iterator[Reason]:
    """Reserves are not for testing; a sample that somebody handed over is in nobody's hands until it is received."""
    if sample.reserve is not None:
        opened = select(ReserveUse.id).where(ReserveUse.sample_id == sample.id)
        if session.exec(opened).first() is None:
            text = f"sample {sample.number} is kept for {sample.reserve.value}; say first why it is tested"
            yield Reason("sample-reserved", text, "sample_number")
    last = session.exec(
        select(Custody).where(Custody.sample_id == sample.id).order_by(col(Custody.id).desc()).limit(1)
    ).first()
    if last is not None and last.event is CustodyEvent.HANDED_OVER and last.to_user_id is not None:
        text = f"sample {sample.number} was handed over and nobody has received it yet"
        yield Reason("sample-in-transit", text, "sample_number")


def why_not_of_lot(
    session: Session,
    lot: Lot,
    method: Method,
    run: TestRun | None,
    inoculation_id: int | None,
    sample: Sample | None = None,
) -> Iterator[Reason]:
    """No retest outside a plan that QA approved; a slow test goes by its inoculation; a rapid one only where it is validated.

    A later timepoint of stability is no retest of an earlier one.
    """
    apart = sample is not None and timepoint_of(session, sample.key) is not None
    for oos, concluded in oos_against(session, lot.key, method.test_code):
        if apart and sample is not None and oos.sample_id != sample.id:
            continue
        if run is not None and run.recorded_at < oos.opened_at:
            continue
        said = "is open" if concluded is None else f"was concluded: {concluded.outcome.value}"
        text = f"{oos.number} on {method.test_code} of lot {lot.lot_number} {said}; it is tested again only by the approved plan"
        yield Reason("oos-retest-unplanned", text, "method_code")
    if method.read_every_days is not None and inoculation_id is None:
        text = f"{method.label} begins with a recorded inoculation, and its result follows from the readings"
        yield Reason("inoculation-needed", text, "method_code")
    product = session.get(Product, lot.product_id) if lot.product_id else None
    if reason := why_not_rapid(method, product.code if product else None, lot.kind):
        yield reason


def why_not_corrected(session: Session, old: Result, inoculation_id: int | None) -> Iterator[Reason]:
    """What is under investigation is not corrected: an error is concluded there, and the result stays as it is."""
    derived = select(ResultInput.result_id).where(ResultInput.input_result_id == old.id)
    found = select(OosResult.id).where((col(OosResult.result_id) == old.id) | col(OosResult.result_id).in_(derived))
    if session.exec(found.limit(1)).first() is not None:
        yield Reason(
            "oos-open",
            f"result {old.id} is under investigation as out of specification; an error is concluded there, not corrected here",
            "result_id",
        )
    if old.inoculation_id is not None and inoculation_id is None:
        yield Reason("not-by-hand", "this result follows from the readings of its inoculation", "result_id")


def recorded_since(session: Session, row: Sample | Inoculation) -> datetime:
    """When a row was recorded at the earliest: no earlier than anything that the audit trail has before it.

    A clock that was set back cannot make a row older than the acts that came before it.
    """
    table = str(row.__tablename__)
    written = sa.select(sa.func.min(changes.c.sequence)).where(changes.c.record == table, changes.c.record_id == row.id)
    sequence = session.execute(written).scalar()
    latest = sa.select(sa.func.max(entries.c.at))
    if sequence is not None:
        latest = latest.where(entries.c.sequence <= sequence)
    at = session.execute(latest).scalar()
    return max(row.recorded_at, datetime.fromisoformat(at)) if at else row.recorded_at


def believed(
    session: Session, row: Sample | Inoculation, said: datetime, grace: timedelta, skew: timedelta
) -> datetime:
    """The start that somebody stated, but not more than the grace of a late entry before its row was recorded.

    There is no grace where the clock showed less than acts before had shown: it was set back.
    """
    since = recorded_since(session, row)
    return max(said, since if since > row.recorded_at + skew else since - grace)


def run_numbered(work: Work, number: str | None) -> TestRun | None:
    """The run, locked until the act is over; None where none is named. Raises NotFound."""
    if not number:
        return None
    if run := work.session.exec(select(TestRun).where(TestRun.number == number).with_for_update()).first():
        return run
    raise NotFound(Reason("run-not-found", f"there is no run {number!r}", "run_number"))
