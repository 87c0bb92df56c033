"""Opening a deviation, from within the act that departs from the recipe."""

from collections.abc import Iterable
from datetime import datetime

from domain.deviations.models import Deviation, DeviationLot, DeviationOrigin, Severity
from domain.lots.lifecycle import seize
from domain.lots.models import Lot
from domain.lots.numbers import next_number
from domain.work import Work

NUMBER = "{series}{year:02d}-{count:04d}"


def open_deviation(
    work: Work,
    origin: DeviationOrigin,
    code: str,
    text: str,
    lots: Iterable[Lot],
    *,
    severity: Severity = Severity.MINOR,
    step_id: int | None = None,
    happened_at: datetime | None = None,
    by_system: bool = True,
) -> Deviation:
    """Open a deviation in the act's transaction: it exists if, and only if, what departs is recorded.

    A critical one puts its lots on hold by itself, whoever's act showed it.
    """
    deviation = work.add(
        Deviation(
            number=next_number(work, NUMBER, "DEV", work.today),
            origin=origin,
            code=code,
            text=text,
            severity=severity,
            step_id=step_id,
            happened_at=happened_at or work.now,
            opened_at=work.now,
            opened_by=None if by_system else work.actor.user_id,
        )
    )
    touched = {lot.key: lot for lot in lots}
    for lot_id in sorted(touched):
        work.add(DeviationLot(deviation_id=deviation.key, lot_id=lot_id))
    if severity is Severity.CRITICAL:
        hold_all(work, deviation, touched.values())
    return deviation


def hold_all(work: Work, deviation: Deviation, lots: Iterable[Lot]) -> None:
    """A critical deviation holds every lot it touches, until it is closed and QA lifts the hold."""
    for lot in sorted(lots, key=lambda one: one.key):
        seize(work, lot, f"critical deviation {deviation.number}")
