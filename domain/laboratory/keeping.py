"""Writing a result, however it was found: why it may not be kept, and what is derived from it at once."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from sqlmodel import Session, col, select

from domain.errors import Conflict, Reason, refuse_if_any
from domain.laboratory.catalogue import TESTS, Test
from domain.laboratory.catalogue import test as catalogue_test
from domain.laboratory.conditions import (
    believed,
    why_not_by,
    why_not_corrected,
    why_not_in_run,
    why_not_of_lot,
    why_not_of_sample,
)
from domain.laboratory.control_models import Inoculation, TestRun
from domain.laboratory.derived import Input, derive
from domain.laboratory.doors import why_closed
from domain.laboratory.files import document_facts
from domain.laboratory.models import (
    Method,
    Result,
    ResultInput,
    Sample,
)
from domain.laboratory.oos_opening import look_at
from domain.laboratory.queries import worth_of
from domain.laboratory.reportable import Reportable
from domain.laboratory.samples import CLOCK_SKEW, LATE_AFTER
from domain.laboratory.size_distribution import SizeDistribution
from domain.laboratory.values import Numeric, Qualitative, ReportableValue, dump_value, load_value
from domain.lots.models import Lot, Product
from domain.work import Work

RECONSTITUTION_VOLUME = "reconstitution-volume"


@dataclass(frozen=True)
class Found:
    """What goes into a result row, however it was obtained."""

    test: Test
    method: Method | None
    value: ReportableValue
    started_at: datetime
    finished_at: datetime
    measured: Reportable | None = None
    distribution: SizeDistribution | None = None
    formula: str | None = None
    purity: str | None = None
    inputs: tuple[tuple[str, int | None, str, str], ...] = ()
    settings: tuple[tuple[str, str], ...] = ()
    flags: tuple[str, ...] = ()
    comment: str = ""
    raw_sha256: str | None = None
    run: TestRun | None = None
    report_id: int | None = None
    oos_id: int | None = None
    inoculation: Inoculation | None = None
    dilution: Decimal | None = None
    instrument: str | None = None


def keep(work: Work, sample: Sample, found: Found, *, replaces: Result | None = None, reason: str = "") -> Result:
    """Write a result, and every result that can now be derived from it."""
    lot = work.session.exec(select(Lot).where(Lot.id == sample.lot_id).with_for_update()).one()
    refuse_if_any(_why_not_kept(work, sample, lot, found, replaces))
    if (
        replaces is None
        and found.oos_id is None
        and current_result(work.session, sample.key, found.test.code) is not None
    ):
        text = f"sample {sample.number} has a result for {found.test.code} already; correct it with a reason, or draw another sample"
        raise Conflict(Reason("result-exists", text))
    result = _write(work, sample, found, replaces, reason)
    followed = [
        _derive(work, sample, lot, test, result) for test in TESTS.values() if found.test.code in test.inputs.values()
    ]
    look_at(work, lot, sample, result, [one for one in followed if one is not None])
    return result


def _why_not_kept(
    work: Work, sample: Sample, lot: Lot, found: Found, replaces: Result | None = None
) -> Iterator[Reason]:
    if found.method is not None and found.oos_id is None:
        inoculated = found.inoculation.id if found.inoculation else None
        yield from why_not_of_lot(work.session, lot, found.method, found.run, inoculated, sample)
    if found.method is not None:
        yield from why_not_by(work, found.method.code, found.instrument, found.finished_at)
        yield from why_not_in_run(work.session, found.method, found.run, found.finished_at)
    if replaces is not None:
        yield from why_not_corrected(work.session, replaces, found.inoculation.id if found.inoculation else None)
    yield from why_not_of_sample(work.session, sample)
    yield from why_closed(work.session, lot, sample, found.test.code)
    if found.finished_at > work.now + CLOCK_SKEW:
        yield Reason("in-the-future", "a test cannot have finished in the future", "finished_at")
    if found.started_at < sample.taken_at - CLOCK_SKEW:
        yield Reason(
            "before-the-sample",
            f"sample {sample.number} was taken at {sample.taken_at:%Y-%m-%d %H:%M} UTC, after that start",
            "started_at",
        )
    if found.finished_at < found.started_at:
        yield Reason("times-reversed", "a test cannot finish before it started", "finished_at")
    yield from why_not_final(
        work.session, found.method, found.value, sample, found.started_at, min(found.finished_at, work.now)
    )
    if found.raw_sha256 is not None:
        document_facts(work.session, found.raw_sha256)
        work.site.documents.get(found.raw_sha256)


def believed_start(session: Session, sample: Sample, started_at: datetime) -> datetime:
    """The start as said, but not more than a day before the sample was on record.

    Neither a back-dated sample nor a clock that was set back when it was recorded can make a slow test final early.
    """
    return believed(session, sample, started_at, LATE_AFTER, CLOCK_SKEW)


def why_not_final(
    session: Session,
    method: Method | None,
    value: ReportableValue,
    sample: Sample,
    started_at: datetime,
    until: datetime,
) -> Iterator[Reason]:
    """A slow test that is called final before its days are over, whatever anybody's clock showed when it began."""
    if takes_days(method, value) and (
        reason := too_early(method, value, believed_start(session, sample, started_at), until)
    ):
        yield reason


def takes_days(method: Method | None, value: ReportableValue) -> bool:
    """Whether this answer of the method is final only after a number of days."""
    at_once = value in (Qualitative(term="growth"), Qualitative(term="invalid"))
    return method is not None and method.minimum_days is not None and not at_once


def too_early(method: Method | None, value: ReportableValue, started_at: datetime, until: datetime) -> Reason | None:
    """Why a slow test is not final yet (USP <71>: no growth only after 14 days); growth is final when it is seen, and so is an invalid test."""
    if method is None or method.minimum_days is None or not takes_days(method, value):
        return None
    earliest = started_at + timedelta(days=method.minimum_days)
    if until >= earliest:
        return None
    text = f"{method.label} started at {started_at:%Y-%m-%d %H:%M} UTC and is final no earlier than {earliest:%Y-%m-%d %H:%M} UTC"
    return Reason("too-early", text, "finished_at")


def _write(work: Work, sample: Sample, found: Found, replaces: Result | None, reason: str) -> Result:
    measured, test = found.measured, found.test
    result = work.add(
        Result(
            sample_id=sample.key,
            test_code=test.code,
            method_id=found.method.id if found.method else None,
            formula=found.formula,
            purity_class=found.purity,
            value=dump_value(found.value),
            unit=test.unit,
            replicates=json.dumps(measured.replicates if measured else []),
            rule=measured.rule if measured else None,
            n=measured.n if measured else None,
            sd=measured.sd if measured else None,
            distribution=found.distribution.to_json() if found.distribution else None,
            settings=json.dumps(found.settings),
            flags=json.dumps(found.flags),
            comment=found.comment,
            raw_sha256=found.raw_sha256,
            started_at=found.started_at,
            finished_at=found.finished_at,
            recorded_at=work.now,
            late=work.now - found.finished_at > LATE_AFTER,
            analyst_id=work.actor.person,
            replaces_id=replaces.id if replaces else None,
            reason=reason,
            run_id=found.run.id if found.run else None,
            report_id=found.report_id,
            oos_id=found.oos_id,
            inoculation_id=found.inoculation.id if found.inoculation else None,
            dilution=found.dilution,
            instrument=found.instrument,
        )
    )
    for name, input_id, source, value in found.inputs:
        work.add(ResultInput(result_id=result.key, name=name, input_result_id=input_id, source=source, value=value))
    return result


def _derive(work: Work, sample: Sample, lot: Lot, test: Test, new: Result) -> Result | None:
    """Compute a derived result if all it needs is there; a corrected input makes a new one that replaces the old.

    What follows from a retest stands beside what followed from the result under investigation, and replaces nothing.
    """
    given: dict[str, Input] = {}
    pinned: list[tuple[str, int | None, str, str]] = []
    for name, source in test.inputs.items():
        if source == RECONSTITUTION_VOLUME:
            product = work.session.get(Product, lot.product_id) if lot.product_id else None
            if product is None:
                return None
            given[name] = Numeric(value=product.reconstitution_volume, unit="mL")
            pinned.append(
                (
                    name,
                    None,
                    f"product {product.code}, reconstitution volume in mL",
                    format(product.reconstitution_volume, "f"),
                )
            )
            continue
        row = new if source == new.test_code else current_result(work.session, sample.key, source)
        if row is None:
            return None
        value: Input = (
            distribution_of(row) if catalogue_test(source).result == "distribution" else load_value(row.value)
        )
        given[name] = value
        pinned.append((name, row.id, source, row.value))
    derived = derive(test.derived or "", given)
    retest = new.oos_id is not None
    return _write(
        work,
        sample,
        Found(
            test=test,
            method=None,
            value=derived.value,
            started_at=new.started_at,
            finished_at=new.finished_at,
            formula=derived.formula,
            purity=derived.purity,
            inputs=tuple(pinned),
            run=work.session.get(TestRun, new.run_id) if new.run_id else None,
            oos_id=new.oos_id,
        ),
        None if retest else current_result(work.session, sample.key, test.code),
        f"input {new.test_code} is now result {new.id}",
    )


def distribution_of(result: Result) -> SizeDistribution | None:
    """The curve of a result, if it has one."""
    return SizeDistribution.from_json(result.distribution) if result.distribution is not None else None


def current_result(session: Session, sample_id: int, test_code: str) -> Result | None:
    """The newest result of a sample for a test that is worth anything; retests stand beside it and are not it."""
    found = select(Result).where(
        Result.sample_id == sample_id, Result.test_code == test_code, col(Result.oos_id).is_(None)
    )
    rows = session.exec(found.order_by(col(Result.id).desc())).all()
    if not rows:
        return None
    lot_id = session.exec(select(Sample.lot_id).where(Sample.id == sample_id)).one()
    invalid = worth_of(session, lot_id).invalid
    return next((row for row in rows if row.id not in invalid), None)


def sd_text(sd: Decimal | None) -> str | None:
    """A standard deviation to three significant figures, for print."""
    return None if sd is None else f"{sd:.3g}"
