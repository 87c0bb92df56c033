"""Reader of the trend file of a freeze-dryer: delimited text of any dryer, bytes in, curves out.

What a file leaves open (which column is what, in which unit, in which order a date is written) is said by whoever imports it, never
guessed. Refusals are Invalid with the line as field. Values that are missing or cannot be stay missing, counted and told, and break the
line; they never become a number.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from math import isfinite
from statistics import median
from typing import Literal

from domain.errors import Invalid, Reason
from domain.instruments.readers.delimited import Cells, cells, number_pattern

MOST_ROWS = 500_000
#: A pause of more than so many usual intervals is a gap.
GAP = 5.0
_TORR = 101325 / 760 / 100


class Channel(StrEnum):
    """What a freeze-dryer records over time."""

    SHELF = "shelf_temperature"
    PRODUCT = "product_temperature"
    CAPACITANCE = "chamber_pressure"
    PIRANI = "pirani_pressure"


DateOrder = Literal["ymd", "dmy", "mdy"]
#: Units as freeze-dryers write them: what leads to Cel (factor, offset) or to mbar.
TEMPERATURES: Mapping[str, tuple[float, float]] = {"Cel": (1, 0), "K": (1, -273.15), "degF": (5 / 9, -160 / 9)}
PRESSURES: Mapping[str, tuple[float, float]] = {
    "mbar": (1, 0), "ubar": (0.001, 0), "Pa": (0.01, 0), "kPa": (10, 0), "Torr": (_TORR, 0), "mTorr": (_TORR / 1000, 0),
}  # fmt: skip
_SPELLINGS = {
    "c": "Cel", "°c": "Cel", "degc": "Cel", "deg c": "Cel", "cel": "Cel", "k": "K", "f": "degF", "°f": "degF", "degf": "degF",
    "mbar": "mbar", "hpa": "mbar", "µbar": "ubar", "ubar": "ubar", "pa": "Pa", "kpa": "kPa", "torr": "Torr", "mtorr": "mTorr",
}  # fmt: skip
#: Outside of these a gauge shows nothing: an open thermocouple reads 999, a gauge below zero has lost its zero.
_POSSIBLE = {"temperature": (-200.0, 200.0), "pressure": (0.0, 2000.0)}
_MISSING = frozenset({"", "nan", "-nan", "n/a", "na", "null", "none", "bad", "ol", "---", "--", "-", "inf", "-inf"})
_ELAPSED = {"s": 1, "sec": 1, "min": 60, "h": 3600, "hours": 3600}


@dataclass(frozen=True, slots=True)
class Column:
    """Which column is what: its head as it stands in the file, and its unit where the head does not say it in brackets."""

    channel: Channel
    head: str
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class Layout:
    """What the file leaves open. columns: empty, where the heads speak for themselves. began_at: for files of elapsed time."""

    columns: tuple[Column, ...] = ()
    date_order: DateOrder | None = None
    began_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Curve:
    """One channel over time: temperatures in Cel, pressures in mbar, None where there is no value."""

    channel: Channel
    head: str
    unit: str
    values: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Cycle:
    """What a file says. times: on the clock of the dryer (no zone), or with the zone of `began_at`; flags: what is odd about it."""

    times: tuple[datetime, ...]
    curves: tuple[Curve, ...]
    flags: tuple[str, ...]
    read_as: tuple[tuple[str, str], ...]


def read(data: bytes, layout: Layout) -> Cycle:
    """The curves. Raises Invalid with the line for what cannot be read, and with what has to be said for what is open."""
    found = cells(data)
    first = next(
        (place for place, row in enumerate(found.rows) if len(row.cells) > 1 and _is_time(row.cells[0], found)), None
    )
    if not first:
        raise _bad("no line of heads followed by lines that begin with a time was found", None)
    heads = [head.strip() for head in found.rows[first - 1].cells]
    rows = found.rows[first:]
    for row in rows:
        if len(row.cells) != len(heads):
            raise _bad(f"{len(row.cells)} cells under {len(heads)} heads; the file is cut or damaged", row.line)
    if len(rows) > MOST_ROWS:
        raise _bad(f"{len(rows)} lines; at most {MOST_ROWS} are read", rows[-1].line)
    columns = layout.columns or _recognised(heads)
    times, flags = _times(heads[0], found, first, layout)
    curves = []
    for column in columns:
        curve, told = _curve(column, heads, found, first)
        flags += told
        if any(value is not None for value in curve.values):
            curves.append(curve)
        elif layout.columns:
            raise _bad(f"the column {column.head!r} holds no value at all", rows[0].line)
    if not curves:
        raise _bad(_unknown(heads), found.rows[first - 1].line)
    flags += _gaps(times)
    read_as = (("Encoding", found.encoding), ("Separator", found.separator_word), ("Decimal mark", found.decimal), *(
        (curve.head, f"{curve.channel.value.replace('_', ' ')}, {curve.unit}") for curve in curves
    ))  # fmt: skip
    return Cycle(tuple(times), tuple(curves), tuple(flags), read_as)


def _bad(text: str, line: int | None) -> Invalid:
    where = f"line {line}" if line is not None else "file"
    return Invalid(Reason("not-a-trend-file", f"{where}: {text}", where))


def _unknown(heads: Sequence[str]) -> str:
    return f"say which column is what, and in which unit; the file has {', '.join(map(repr, heads[1:]))}"


def _recognised(heads: Sequence[str]) -> tuple[Column, ...]:
    """Columns whose heads say what they are and, in brackets, in which unit; no set point is a measurement."""
    found = []
    for head in heads[1:]:
        name = head.casefold()
        channel = next((channel for pattern, channel in _NAMES if re.search(pattern, name)), None)
        if channel is not None and _unit_in(head) and not re.search(r"set|soll|sp\b|target", name):
            found.append(Column(channel, head))
    return tuple(found)


_NAMES = (
    (r"pirani", Channel.PIRANI),
    (r"capacitance|baratron|kapazit|\bcm\b|mks", Channel.CAPACITANCE),
    (r"shelf|stellfl", Channel.SHELF),
    (r"product|produkt|probe|thermocouple|\bt\d|\btc", Channel.PRODUCT),
)


def _unit_in(head: str) -> str | None:
    """The unit that stands in brackets at the end of a head."""
    bracketed = re.search(r"[\[(]\s*([^\])]+?)\s*[\])]\s*$", head)
    return _spelled(bracketed[1]) if bracketed else None


def _spelled(unit: str) -> str | None:
    return _SPELLINGS.get(unit.strip().replace("μ", "µ").casefold())


def _curve(column: Column, heads: Sequence[str], found: Cells, first: int) -> tuple[Curve, list[str]]:
    """A column as numbers in Cel or mbar, and what is odd about it."""
    if column.head not in heads[1:]:
        raise _bad(f"there is no column {column.head!r}; {_unknown(heads)}", found.rows[first - 1].line)
    quantity = "temperature" if column.channel in (Channel.SHELF, Channel.PRODUCT) else "pressure"
    known = TEMPERATURES if quantity == "temperature" else PRESSURES
    unit = _spelled(column.unit) if column.unit else _unit_in(column.head)
    if unit is None or unit not in known:
        text = f"the unit of the {quantity} {column.head!r} is not known; say it: {', '.join(known)}"
        raise _bad(text, found.rows[first - 1].line)
    factor, offset = known[unit]
    low, high = _POSSIBLE[quantity]
    place, pattern = heads.index(column.head), number_pattern(found.decimal)
    values: list[float | None] = []
    missing, impossible = list[int](), list[int]()
    for row in found.rows[first:]:
        text = row.cells[place].strip()
        if text.casefold() in _MISSING:
            missing.append(row.line)
            values.append(None)
            continue
        if not pattern.fullmatch(text):
            raise _bad(f"{column.head}: {text[:40]!r} is no number with a decimal {found.decimal}", row.line)
        value = float(text.replace(",", ".")) * factor + offset
        possible = isfinite(value) and low < value < high
        values.append(value if possible else None)
        if not possible:
            impossible.append(row.line)
    own = "Cel" if quantity == "temperature" else "mbar"
    told = [_told(column.head, "without a value", missing, len(values))] if missing else []
    told += [_told(column.head, "that cannot be", impossible, len(values))] if impossible else []
    return Curve(column.channel, column.head, own, tuple(values)), told


def _told(head: str, what: str, lines: Sequence[int], total: int) -> str:
    return f"{head}: {len(lines)} of {total} readings {what}, first in line {lines[0]}; they count as missing"


def _is_time(text: str, found: Cells) -> bool:
    text = text.strip()
    return bool(_DATE.match(text)) or bool(number_pattern(found.decimal).fullmatch(text))


_DATE = re.compile(
    r"(?P<a>\d{1,4})(?P<mark>[-./])(?P<b>\d{1,2})(?P=mark)(?P<c>\d{1,4})"
    r"(?:[ T]+(?P<h>\d{1,2}):(?P<m>\d{2})(?::(?P<s>\d{2})(?:[.,]\d+)?)?(?:\s*(?P<half>[AP]M))?)?$",
    re.IGNORECASE | re.ASCII,
)


def _times(head: str, found: Cells, first: int, layout: Layout) -> tuple[list[datetime], list[str]]:
    rows = found.rows[first:]
    if _DATE.match(rows[0].cells[0].strip()):
        if layout.began_at is not None:
            raise Invalid(Reason("time-in-file", "the file carries its times; leave the beginning empty", "began_at"))
        times, flags = _dated(found, first, layout)
    else:
        times, flags = _elapsed(head, found, first, layout), []
    for (before, now), row in zip(pairwise(times), rows[1:], strict=True):
        if now <= before:
            text = f"the clock goes back or stands still: {now:%Y-%m-%d %H:%M:%S} after {before:%Y-%m-%d %H:%M:%S}"
            raise Invalid(Reason("clock-not-forward", f"line {row.line}: {text}", f"line {row.line}"))
    return times, flags


def _dated(found: Cells, first: int, layout: Layout) -> tuple[list[datetime], list[str]]:
    times, bare = list[datetime](), list[int]()
    order = layout.date_order
    for row in found.rows[first:]:
        matched = _DATE.match(row.cells[0].strip())
        if matched is None:
            raise _bad(f"{row.cells[0][:40]!r} is no date and time", row.line)
        order = order or _order_of(matched, row.line)
        times.append(_moment(matched, order, row.line))
        if matched["h"] is None:
            bare.append(row.line)
    if not bare:
        return times, []
    return times, [f"{len(bare)} lines carry a date and no time, first line {bare[0]}; read as midnight"]


def _order_of(matched: re.Match[str], line: int) -> DateOrder:
    if len(matched["a"]) == 4:
        return "ymd"
    if matched["mark"] == ".":
        return "dmy"
    text = f"line {line}: {matched[0]!r} may be day or month first; say the order of the dates"
    raise Invalid(Reason("date-order-needed", text, "date_order"))


def _moment(matched: re.Match[str], order: DateOrder, line: int) -> datetime:
    parts = dict(zip(order, (int(matched[name]) for name in "abc"), strict=True))
    hour, half = int(matched["h"] or 0), (matched["half"] or "").upper()
    if half:
        hour = hour % 12 + (12 if half == "PM" else 0)
    try:
        clock = (hour, int(matched["m"] or 0), int(matched["s"] or 0))
        return datetime(parts["y"], parts["m"], parts["d"], *clock)  # noqa: DTZ001  (the dryer's own clock)
    except ValueError:
        raise _bad(f"{matched[0]!r} is no date and time in the order {order}", line) from None


def _elapsed(head: str, found: Cells, first: int, layout: Layout) -> list[datetime]:
    """Seconds, minutes or hours since a beginning that has to be said."""
    bracketed = re.search(r"[\[(]\s*([a-z]+)\s*[\])]", head, re.IGNORECASE)
    scale = _ELAPSED.get(bracketed[1].casefold()) if bracketed else None
    if scale is None:
        raise _bad(
            f"the time column {head!r} does not say its unit in brackets: s, min or h", found.rows[first - 1].line
        )
    if layout.began_at is None:
        raise Invalid(Reason("time-needed", "the file counts from its beginning; say when that was", "began_at"))
    pattern, times = number_pattern(found.decimal), list[datetime]()
    for row in found.rows[first:]:
        text = row.cells[0].strip()
        if not pattern.fullmatch(text) or not 0 <= (seconds := float(text.replace(",", ".")) * scale) < 1e8:
            raise _bad(f"{text[:40]!r} is no elapsed time", row.line)
        times.append(layout.began_at + timedelta(seconds=seconds))
    return times


def _gaps(times: Sequence[datetime]) -> list[str]:
    """Where the recorder paused."""
    found = gaps(times)
    if not found:
        return []
    first, last = times[found[0]], times[found[0] + 1]
    return [f"{len(found)} gaps in the record, the first from {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M}"]


def gaps(times: Sequence[datetime]) -> list[int]:
    """The places after which nothing was recorded for more than `GAP` usual intervals."""
    pauses = [(later - sooner).total_seconds() for sooner, later in pairwise(times)]
    usual = median(pauses) if pauses else 0.0
    return [place for place, pause in enumerate(pauses) if pause > GAP * usual]
