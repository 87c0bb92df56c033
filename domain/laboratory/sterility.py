"""Sterility and other slow tests: the inoculation is an act of its own, the media are read, and the result follows.

USP <71>, Ph. Eur. 2.6.1: at least 14 days; media that are turbid at the end, so that growth cannot be seen, are subcultured and read for at
least 4 further days; growth on any day is final at once. The number of containers depends on the size of the lot (USP <71>, table 3).
"""

import math
from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from pydantic import AwareDatetime, Field
from sqlmodel import Session, col, select

from domain.deviations.models import DeviationOrigin, Severity
from domain.deviations.opening import open_deviation
from domain.errors import Conflict, Invalid, NotFound, Reason, Refused
from domain.laboratory.catalogue import test as catalogue_test
from domain.laboratory.conditions import believed, why_not_by, why_not_of_lot, why_not_of_sample
from domain.laboratory.control_models import Growth, GrowthReading, Inoculation
from domain.laboratory.keeping import Found, current_result, keep
from domain.laboratory.models import Method, Result, Sample
from domain.laboratory.queries import worth_of
from domain.laboratory.results import newest_method
from domain.laboratory.samples import CLOCK_SKEW, LATE_AFTER, sample_named
from domain.laboratory.values import Qualitative, load_value
from domain.lots.models import Lot
from domain.lots.operations import COUNTED
from domain.permissions import Permission
from domain.work import Command, Work, operation

SUBCULTURE_DAYS = 4
STERILITY = frozenset({"STER", "STER-R"})
INVALID = Qualitative(term="invalid")


class Inoculate(Command):
    """Begin a slow test. units: containers tested, where the lot is counted in containers."""

    sample_number: str
    method_code: str
    units: int | None = Field(default=None, ge=1, le=10_000)
    media: str = Field(min_length=2, max_length=200, examples=["FTM lot 4471 at 32 Cel, TSB lot 4472 at 22 Cel"])
    inoculated_at: AwareDatetime | None = Field(
        default=None, description="now, if left out; else marked as a late entry"
    )


class ReadGrowth(Command):
    """What the media look like now. subculture: part of a turbid medium was moved to fresh medium at this reading."""

    sample_number: str
    method_code: str
    seen: Growth
    subculture: bool = False
    read_at: AwareDatetime | None = None
    comment: str = Field(default="", max_length=1000)


class ConcludeSlowTest(Command):
    """State the result that follows from the readings: no growth; or that the test is invalid, and why (a control failed)."""

    sample_number: str
    method_code: str
    invalid_because: str = Field(default="", max_length=1000)
    comment: str = Field(default="", max_length=1000)


def units_needed(lot_size: Decimal) -> int:
    """Containers for the sterility test of a parenteral lot: up to 100, 10 % but at least 4; up to 500, 10; else 2 % but at most 20."""
    if lot_size <= 100:
        return max(4, math.ceil(lot_size / 10))
    return 10 if lot_size <= 500 else min(20, math.ceil(lot_size / 50))


@operation(Permission.ENTER_RESULT)
def inoculate(work: Work, command: Inoculate) -> Inoculation:
    """Once a sample and method, unless the earlier one came to nothing (an invalid test)."""
    sample, method = _named(work.session, command.sample_number, command.method_code)
    lot = work.session.exec(select(Lot).where(Lot.id == sample.lot_id).with_for_update()).one()
    at = command.inoculated_at or work.now
    if open_inoculation(work.session, sample, method) is not None:
        text = f"sample {sample.number} is inoculated by {method.code} already"
        raise Conflict(Reason("inoculated-already", text, "method_code"))
    if reasons := list(_why_not_inoculated(work, sample, lot, method, command.units, at)):
        raise Refused(*reasons)
    return work.add(
        Inoculation(
            sample_id=sample.key,
            method_id=method.key,
            units=command.units,
            media=command.media,
            inoculated_at=at,
            recorded_at=work.now,
            late=work.now - at > CLOCK_SKEW,
            inoculated_by=work.actor.person,
        )
    )


def _why_not_inoculated(
    work: Work, sample: Sample, lot: Lot, method: Method, units: int | None, at: datetime
) -> Iterator[Reason]:
    if method.minimum_days is None or method.read_every_days is None:
        text = f"{method.label} is no test that is inoculated and read: it says neither how long nor how often"
        yield Reason("not-a-slow-test", text, "method_code")
    if at > work.now + CLOCK_SKEW:
        yield Reason("in-the-future", "an inoculation is not in the future", "inoculated_at")
    if at < sample.taken_at - CLOCK_SKEW:
        yield Reason("before-the-sample", f"sample {sample.number} was taken after that", "inoculated_at")
    yield from why_not_by(work, method.code, None, at)
    yield from why_not_of_sample(work.session, sample)
    yield from why_not_of_lot(work.session, lot, method, None, 0)
    if method.test_code in STERILITY and lot.unit in COUNTED and lot.quantity is not None:
        needed = units_needed(lot.quantity)
        if units is None or units < needed:
            text = f"a lot of {lot.quantity:f} needs {needed} containers for {method.test_code} (USP <71>); {units or 'none'} given"
            yield Reason("too-few-units", text, "units")
        if units is not None and units > sample.quantity:
            yield Reason("too-few-units", f"sample {sample.number} has only {sample.quantity:f} containers", "units")


@operation(Permission.ENTER_RESULT)
def read_growth(work: Work, command: ReadGrowth) -> GrowthReading:
    """Growth on any day is the result, at once; a subculture is made when turbidity hides the result at the end."""
    sample, method, begun = _begun(work, command.sample_number, command.method_code)
    at = command.read_at or work.now
    earlier = readings_of(work.session, begun)
    if at > work.now + CLOCK_SKEW or at < begun.inoculated_at or (earlier and at < earlier[-1].read_at):
        text = "a reading comes after the inoculation and the reading before it, and not in the future"
        raise Invalid(Reason("time-impossible", text, "read_at"))
    if command.seen is not Growth.CLEAR and not command.comment:
        raise Invalid(Reason("comment-needed", "describe what was seen", "comment"))
    if command.subculture:
        _refuse_odd_subculture(work, begun, method, command.seen, min(at, work.now))
    reading = work.add(
        GrowthReading(
            inoculation_id=begun.key,
            seen=command.seen,
            subculture=command.subculture,
            comment=command.comment,
            read_at=at,
            recorded_at=work.now,
            late=work.now - at > LATE_AFTER,
            read_by=work.actor.person,
        )
    )
    if command.seen is Growth.GROWTH:
        _result(work, sample, method, begun, "growth", at, command.comment)
    return reading


def _refuse_odd_subculture(work: Work, begun: Inoculation, method: Method, seen: Growth, at: datetime) -> None:
    due = believed_inoculation(work.session, begun) + timedelta(days=method.minimum_days or 0)
    if seen is not Growth.TURBID or at < due:
        text = f"only turbid media are subcultured, at the end of the incubation: {due:%Y-%m-%d %H:%M} UTC or later"
        raise Refused(Reason("subculture-too-early", text, "subculture"))


@operation(Permission.ENTER_RESULT)
def conclude_slow_test(work: Work, command: ConcludeSlowTest) -> Result:
    """No growth: only after the last day, read to the end, and with the subculture clear where there was one."""
    sample, method, begun = _begun(work, command.sample_number, command.method_code)
    readings = readings_of(work.session, begun)
    if command.invalid_because:
        return _result(work, sample, method, begun, "invalid", work.now, command.invalid_because)
    if reasons := list(_why_not_final(work, begun, method, readings)):
        raise Refused(*reasons)
    _deviate_for_gaps(work, sample, method, begun, readings)
    return _result(work, sample, method, begun, "no growth", readings[-1].read_at, command.comment)


def _why_not_final(work: Work, begun: Inoculation, method: Method, readings: list[GrowthReading]) -> Iterator[Reason]:
    earliest = earliest_final(work.session, begun, method, readings)
    last = readings[-1] if readings else None
    if work.now < earliest or last is None or min(last.read_at, last.recorded_at) < earliest:
        text = (
            f"{method.label} is final with a reading at {earliest:%Y-%m-%d %H:%M} UTC or later, by the server's clock"
        )
        yield Reason("too-early", text, "method_code")
    if last is not None and (last.seen is Growth.TURBID or _hidden(work.session, begun, method, readings)):
        text = "the media are turbid: make a subculture at the end of the incubation and read it for 4 days"
        yield Reason("subculture-needed", text, "method_code")


def _hidden(session: Session, begun: Inoculation, method: Method, readings: list[GrowthReading]) -> bool:
    """Whether media were turbid at the end or later and no subculture was made then: they do not become clear by themselves."""
    due = believed_inoculation(session, begun) + timedelta(days=method.minimum_days or 0)
    hidden = False
    for one in readings:
        if one.seen is Growth.TURBID and one.read_at >= due:
            hidden = not one.subculture
    return hidden


def earliest_final(session: Session, begun: Inoculation, method: Method, readings: list[GrowthReading]) -> datetime:
    """When no growth can be stated at the earliest."""
    earliest = believed_inoculation(session, begun) + timedelta(days=method.minimum_days or 0)
    moved = [min(one.read_at, one.recorded_at) for one in readings if one.subculture]
    return max(earliest, moved[-1] + timedelta(days=SUBCULTURE_DAYS)) if moved else earliest


def believed_inoculation(session: Session, begun: Inoculation) -> datetime:
    """As said, but no more than a day before it was on record, whatever the server's clock showed then."""
    return believed(session, begun, begun.inoculated_at, LATE_AFTER, CLOCK_SKEW)


def _deviate_for_gaps(
    work: Work, sample: Sample, method: Method, begun: Inoculation, readings: list[GrowthReading]
) -> None:
    """A reading that was missed cannot be made up: a deviation says so."""
    days = [work.site.today(at) for at in (begun.inoculated_at, *(one.read_at for one in readings))]
    most = method.read_every_days or method.minimum_days or 0
    gaps = [(one, other) for one, other in pairwise(days) if (other - one).days > most]
    if gaps:
        told = ", ".join(f"{one} to {other}" for one, other in gaps)
        text = f"{method.label} of sample {sample.number} was not read from {told}; it is read every {most} days"
        lot = work.session.get_one(Lot, sample.lot_id)
        open_deviation(work, DeviationOrigin.LABORATORY, "reading-missed", text, [lot], severity=Severity.MINOR)


def _result(
    work: Work, sample: Sample, method: Method, begun: Inoculation, word: str, at: datetime, comment: str
) -> Result:
    found = Found(
        test=catalogue_test(method.test_code),
        method=method,
        value=Qualitative(term=word),
        started_at=begun.inoculated_at,
        finished_at=at,
        comment=comment,
        inoculation=begun,
    )
    earlier = current_result(work.session, sample.key, method.test_code)
    if earlier is not None and load_value(earlier.value) == INVALID:
        return keep(work, sample, found, replaces=earlier, reason=f"the invalid test was repeated: {earlier.comment}")
    return keep(work, sample, found)


def _named(session: Session, sample_number: str, method_code: str) -> tuple[Sample, Method]:
    return sample_named(session, sample_number), newest_method(session, method_code)


def _begun(work: Work, sample_number: str, method_code: str) -> tuple[Sample, Method, Inoculation]:
    sample, newest = _named(work.session, sample_number, method_code)
    begun = open_inoculation(work.session, sample, newest)
    if begun is None:
        text = f"sample {sample.number} has no open inoculation by {method_code}"
        raise NotFound(Reason("inoculation-not-found", text, "sample_number"))
    return sample, work.session.get_one(Method, begun.method_id), begun


def open_inoculation(session: Session, sample: Sample, method: Method) -> Inoculation | None:
    """The inoculation by any revision of the method that has no result worth anything yet."""
    found = session.exec(
        select(Inoculation)
        .join(Method, col(Inoculation.method_id) == Method.id)
        .where(Inoculation.sample_id == sample.id, Method.code == method.code)
        .order_by(col(Inoculation.id).desc())
    ).first()
    if found is None:
        return None
    results = session.exec(select(Result).where(Result.inoculation_id == found.id)).all()
    invalid = worth_of(session, sample.lot_id).invalid
    if results and all(one.id in invalid or load_value(one.value) == INVALID for one in results):
        return None
    return found


def readings_of(session: Session, begun: Inoculation) -> list[GrowthReading]:
    """Every reading, oldest first."""
    found = select(GrowthReading).where(GrowthReading.inoculation_id == begun.id)
    return list(session.exec(found.order_by(col(GrowthReading.id))))


def why_slow_tests_not_final(session: Session, lot_id: int, but: Collection[str] = ()) -> Iterator[Reason]:
    """Inoculations of a lot that have no result yet; but for tests that are awaited."""
    found = (
        select(Sample.number, Method)
        .join(Inoculation, col(Inoculation.sample_id) == Sample.id)
        .join(Method, col(Inoculation.method_id) == Method.id)
        .outerjoin(Result, col(Result.inoculation_id) == Inoculation.id)
        .where(Sample.lot_id == lot_id, col(Result.id).is_(None), col(Method.test_code).not_in(but))
        .order_by(col(Inoculation.id))
    )
    for number, method in session.exec(found):
        text = f"{method.label} of sample {number} is not final"
        yield Reason("slow-test-open", text, method.test_code, about=("sample", number))
