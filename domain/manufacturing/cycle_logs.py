"""The trend of a freeze-drying cycle on its step: what was recorded over time, judged against the limits of the recipe (21 CFR 211.188(b))."""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict
from sqlmodel import Field, Session, col, select

from domain.manufacturing.catalogue import StepKind
from domain.people.models import User
from domain.quantities import format_decimal
from domain.store import AppendOnly, moment
from domain.work import View


class Phase(StrEnum):
    """The parts of a cycle that limits are for."""

    FREEZING = "freezing"
    PRIMARY = "primary_drying"
    SECONDARY = "secondary_drying"


SHELF, PRODUCT, CAPACITANCE, PIRANI = "shelf_temperature", "product_temperature", "chamber_pressure", "pirani_pressure"
#: Which parameter of the process catalogue limits which channel in which phase.
LIMITED: Mapping[tuple[Phase, str], str] = {
    (Phase.FREEZING, SHELF): "shelf_temperature_freezing",
    (Phase.PRIMARY, SHELF): "shelf_temperature_primary",
    (Phase.PRIMARY, CAPACITANCE): "chamber_pressure_primary",
    (Phase.PRIMARY, PRODUCT): "product_temperature_max_primary",
    (Phase.SECONDARY, SHELF): "shelf_temperature_secondary",
    (Phase.SECONDARY, CAPACITANCE): "chamber_pressure_secondary",
}
#: Of a drawn curve; what is thinned keeps the lowest and the highest of each stretch.
STRETCHES = 400


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True)


class Trend(_Value):
    """One channel: Cel or mbar, None where there was no value; beside the times of its log."""

    channel: str
    head: str
    unit: str
    values: tuple[float | None, ...]


class PhaseTimes(_Value):
    """From when until when a phase lasted, UTC."""

    phase: Phase
    began_at: datetime
    ended_at: datetime


class Bound(_Value):
    """A limit that a channel has in a phase; level: alert, action or hard."""

    phase: Phase
    channel: str
    level: str
    side: str
    value: float
    text: str


class Excursion(_Value):
    """Values of a channel beyond a limit in a phase: how far, how many, from when until when."""

    head: str
    unit: str
    bound: Bound
    extreme: float
    readings: int
    began_at: datetime
    ended_at: datetime

    def said(self) -> str:
        """In a sentence, times in UTC."""
        away = "below" if self.bound.side == "low" else "above"
        return (
            f"{self.head} in {self.bound.phase.value.replace('_', ' ')}: {self.extreme:.4g} {self.unit}, {away} the {self.bound.level}"
            f" limit of {self.bound.text} {self.unit}, {self.readings} readings from {self.began_at:%Y-%m-%d %H:%M}"
            f" to {self.ended_at:%Y-%m-%d %H:%M} UTC"
        )


class CycleContent(_Value):
    """What is kept of a log beside the file itself.

    seconds: since `began_at`. breaks: places after which the recorder paused. warmest: of the product in primary drying, Cel.
    """

    began_at: datetime
    rows: int
    seconds: tuple[float, ...]
    breaks: tuple[int, ...]
    trends: tuple[Trend, ...]
    phases: tuple[PhaseTimes, ...]
    bounds: tuple[Bound, ...]
    excursions: tuple[Excursion, ...]
    flags: tuple[str, ...]
    figures: tuple[tuple[str, str], ...]
    read_as: tuple[tuple[str, str], ...]
    warmest: float | None = None


class CycleLog(AppendOnly, table=True):
    """A trend file of a step, by the digest of its bytes; replaces_id: the log that this one takes the place of, with `reason`."""

    step_id: int = Field(foreign_key="step.id", index=True)
    sha256: str = Field(foreign_key="document.sha256", index=True)
    file_name: str
    content: str
    comment: str
    imported_at: datetime = moment()
    imported_by: int = Field(foreign_key="app_user.id")
    replaces_id: int | None = Field(default=None, foreign_key="cycle_log.id", unique=True)
    reason: str = ""

    __table_args__ = (
        sa.CheckConstraint("length(sha256) = 64", name="digest"),
        sa.CheckConstraint("replaces_id IS NULL OR length(reason) > 0", name="replacement_reason"),
    )

    @property
    def said(self) -> CycleContent:
        """The content as a value."""
        return _content(self.content)


class CycleView(View):
    """A log as shown."""

    sha256: str
    file_name: str
    comment: str
    imported_at: datetime
    imported_by: str
    reason: str
    content: CycleContent


@lru_cache(maxsize=64)
def _content(text: str) -> CycleContent:
    return CycleContent.model_validate_json(text)


def current_cycle(session: Session, step_id: int) -> CycleLog | None:
    """The log of a step that counts: the newest."""
    found = select(CycleLog).where(CycleLog.step_id == step_id).order_by(col(CycleLog.id).desc())
    return session.exec(found.limit(1)).first()


def cycle_shown(session: Session, step_id: int) -> CycleView | None:
    """The log of a step that counts, as shown."""
    log = current_cycle(session, step_id)
    if log is None:
        return None
    facts = ("sha256", "file_name", "comment", "imported_at", "reason")
    by = session.get_one(User, log.imported_by).name
    return CycleView(**{name: getattr(log, name) for name in facts}, imported_by=by, content=log.said)


def bounds_of(kind: StepKind) -> list[Bound]:
    """The limits that a kind of step, as its recipe narrows it, sets on channels."""
    found = []
    for (phase, channel), code in LIMITED.items():
        parameter = kind.parameter(code)
        for level in ("alert", "action", "hard"):
            for side in ("low", "high"):
                value = getattr(parameter, f"{level}_{side}")
                if value is not None and (channel != PRODUCT or side == "high"):
                    found.append(
                        Bound(phase=phase, channel=channel, level=level, side=side, value=float(value),
                              text=format_decimal(value))
                    )  # fmt: skip
    return found


def excursions(
    times: Sequence[datetime], trends: Sequence[Trend], phases: Sequence[PhaseTimes], bounds: Sequence[Bound]
) -> Iterator[Excursion]:
    """Every channel that left a limit in a phase: once a limit, the gravest only of those on one side."""
    order = {"hard": 0, "action": 1, "alert": 2}
    for part in phases:
        inside = [place for place, at in enumerate(times) if part.began_at <= at <= part.ended_at]
        for trend in trends:
            own = [one for one in bounds if (one.phase, one.channel) == (part.phase, trend.channel)]
            for side in ("low", "high"):
                ranked = sorted((one for one in own if one.side == side), key=lambda one: order[one.level])
                found = (_beyond(times, trend, inside, bound) for bound in ranked)
                gravest = next((one for one in found if one is not None), None)
                if gravest is not None:
                    yield gravest


def _beyond(times: Sequence[datetime], trend: Trend, inside: Sequence[int], bound: Bound) -> Excursion | None:
    sign = -1 if bound.side == "low" else 1
    out = [
        (value, place)
        for place in inside
        if (value := trend.values[place]) is not None and sign * value > sign * bound.value
    ]
    if not out:
        return None
    extreme = max(out, key=lambda one: sign * one[0])[0]
    return Excursion(
        head=trend.head,
        unit="°C" if trend.unit == "Cel" else trend.unit,
        bound=bound,
        extreme=extreme,
        readings=len(out),
        began_at=times[out[0][1]],
        ended_at=times[out[-1][1]],
    )


def _primary(times: Sequence[datetime], phases: Sequence[PhaseTimes]) -> list[int]:
    """The places of primary drying."""
    parts = [one for one in phases if one.phase is Phase.PRIMARY]
    return [place for place, at in enumerate(times) if any(one.began_at <= at <= one.ended_at for one in parts)]


def warmest_product(times: Sequence[datetime], trends: Sequence[Trend], phases: Sequence[PhaseTimes]) -> float | None:
    """The highest product temperature of any probe in primary drying, Cel; None without one."""
    inside = _primary(times, phases)
    found = (one.values[place] for one in trends if one.channel == PRODUCT for place in inside)
    return max((value for value in found if value is not None), default=None)


def figures(
    times: Sequence[datetime], trends: Sequence[Trend], phases: Sequence[PhaseTimes]
) -> tuple[tuple[str, str], ...]:
    """What is read off a cycle: the warmest product, and how near the gauges came at the end of primary drying."""
    inside = _primary(times, phases)
    warmest = warmest_product(times, trends, phases)
    said = [("Warmest product in primary drying", f"{warmest:.1f} °C")] if warmest is not None else []
    by_channel = {one.channel: one.values for one in trends}
    if CAPACITANCE in by_channel and PIRANI in by_channel:
        pairs = [
            (p, c)
            for place in inside
            if (p := by_channel[PIRANI][place]) is not None and (c := by_channel[CAPACITANCE][place])
        ]
        said += (
            [("Pirani to capacitance at the end of primary drying", f"{pairs[-1][0] / pairs[-1][1]:.2f}")]
            if pairs
            else []
        )
    return tuple(said)


def thinned(seconds: Sequence[float], trends: Sequence[Trend]) -> list[int]:
    """The places that are kept for drawing: of each stretch the first, and of every channel its lowest, highest and first missing one."""
    size = max(1, -(-len(seconds) // STRETCHES))
    kept = {0, len(seconds) - 1}
    for start in range(0, len(seconds), size):
        places = range(start, min(start + size, len(seconds)))
        kept.add(start)
        for trend in trends:
            known = [place for place in places if trend.values[place] is not None]
            kept.update(
                [next(place for place in places if trend.values[place] is None)] if len(known) < len(places) else []
            )
            if known:
                kept.add(min(known, key=lambda place: trend.values[place] or 0.0))
                kept.add(max(known, key=lambda place: trend.values[place] or 0.0))
    return sorted(kept)


def breaks_after(kept: Sequence[int], gaps: Sequence[int]) -> tuple[int, ...]:
    """The places among the kept ones after which the line is broken."""
    first = [bisect_left(gaps, place) for place in kept]
    return tuple(place for place, (a, b) in enumerate(pairwise(first)) if b > a)


def at(content: CycleContent, second: float) -> datetime:
    """A time of the log."""
    return content.began_at + timedelta(seconds=second)
