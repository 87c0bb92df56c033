"""What departs from a recipe: accepted only with words on why, and a deviation is opened in the same act."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import select

from domain.deviations.models import Deviation, DeviationLot, DeviationOrigin, Severity
from domain.deviations.opening import open_deviation
from domain.errors import Invalid, Reason
from domain.lots.models import Lot
from domain.work import Work


@dataclass(frozen=True, slots=True)
class Departure:
    """Something that departs from the recipe or the rules."""

    origin: DeviationOrigin
    code: str
    text: str
    severity: Severity = Severity.MINOR


def depart(
    work: Work, step_id: int, departures: Iterable[Departure], lots: Sequence[Lot], at: datetime | None = None
) -> list[Deviation]:
    """Open a deviation for each, on the lots that the step gives."""
    return [
        open_deviation(
            work, one.origin, one.code, one.text, lots, severity=one.severity, step_id=step_id, happened_at=at
        )
        for one in departures
    ]


def touched(work: Work, deviation_ids: Iterable[int], lots: Sequence[Lot]) -> None:
    """The deviation of an exception touches every lot that is made under it."""
    for deviation_id in sorted(set(deviation_ids)):
        known = set(work.session.exec(select(DeviationLot.lot_id).where(DeviationLot.deviation_id == deviation_id)))
        for lot in lots:
            if lot.key not in known:
                work.add(DeviationLot(deviation_id=deviation_id, lot_id=lot.key))


def demand_comment(comment: str, departures: Iterable[Departure], field: str = "comment") -> None:
    """What departs is accepted only with words on why. Raises Invalid."""
    told = tuple(Reason("comment-needed", f"{one.text} Say why in a comment.", field) for one in departures)
    if told and not comment:
        raise Invalid(*told)
