"""Where a lot came from and where it went: all ancestors and all descendants, at full depth, in one call.

Lots are the nodes; a step takes quantities of lots (consumption) and gives lots (yield). No cycle can arise: a step
yields only lots that are born
with it, and consumes nothing once it is complete. The walk is a recursive query on ids with UNION, so that it would end
even on a cycle.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from operator import attrgetter
from typing import Any, Literal

import sqlalchemy as sa
from sqlmodel import Session

from domain.audit import written_so_far
from domain.errors import NotFound, Reason
from domain.lots.lifecycle import state_on
from domain.lots.models import Lot, LotState
from domain.store import Prepared

_LOT: sa.Table = Lot.__table__  # type: ignore[attr-defined]

_EDGE = """s.id AS step_id, s.number, s.kind AS step_kind,
    l.id AS lot_id, l.lot_number, l.kind, l.state, l.expires_on, l.unit"""
_UP = """
WITH RECURSIVE up(id) AS (
    SELECT CAST(:lot AS INTEGER)
    UNION
    SELECT c.lot_id FROM up CROSS JOIN lot_yield y CROSS JOIN consumption c
    WHERE y.lot_id = up.id AND c.step_id = y.step_id
)
"""
_DOWN = """
WITH RECURSIVE down(id) AS (
    SELECT CAST(:lot AS INTEGER)
    UNION
    SELECT y.lot_id FROM down CROSS JOIN consumption c CROSS JOIN lot_yield y
    WHERE c.lot_id = down.id AND y.step_id = c.step_id
)
"""

# CROSS JOIN keeps SQLite to the order written; left to itself it scans all steps (measured: 35 ms against 1 ms at 50,000
# edges, and growing with them). PostgreSQL reads it as any other join.

#: Every edge above the lot: what was yielded on the way to it, and all that the steps which did so consumed.
ANCESTORS = f"""{_UP}
SELECT 'yielded' AS direction, coalesce(CAST(l.quantity AS TEXT), ''), {_EDGE}
FROM up CROSS JOIN lot_yield y CROSS JOIN step s CROSS JOIN lot l
WHERE y.lot_id = up.id AND s.id = y.step_id AND l.id = up.id
UNION ALL
SELECT 'consumed', CAST(c.quantity AS TEXT), {_EDGE}
FROM (SELECT DISTINCT y.step_id FROM up CROSS JOIN lot_yield y WHERE y.lot_id = up.id) AS done
CROSS JOIN step s CROSS JOIN consumption c CROSS JOIN lot l
WHERE s.id = done.step_id AND c.step_id = done.step_id AND l.id = c.lot_id
"""  # noqa: S608 - put together from constants

#: Every edge below the lot: what was consumed of it and its descendants, and all that those steps yielded.
DESCENDANTS = f"""{_DOWN}
SELECT 'consumed' AS direction, CAST(c.quantity AS TEXT), {_EDGE}
FROM down CROSS JOIN consumption c CROSS JOIN step s CROSS JOIN lot l
WHERE c.lot_id = down.id AND s.id = c.step_id AND l.id = down.id
UNION ALL
SELECT 'yielded', coalesce(CAST(l.quantity AS TEXT), ''), {_EDGE}
FROM (SELECT DISTINCT c.step_id FROM down CROSS JOIN consumption c WHERE c.lot_id = down.id) AS done
CROSS JOIN step s CROSS JOIN lot_yield y CROSS JOIN lot l
WHERE s.id = done.step_id AND y.step_id = done.step_id AND l.id = y.lot_id
"""  # noqa: S608 - put together from constants

_STEP_ID, _LOT_ID = 2, 5  # columns of both
_FROM_ONE, _FROM_ALL = "SELECT CAST(:lot AS INTEGER)", "SELECT id FROM lot WHERE id IN :lots"
_above = sa.text(f"{_UP.replace(_FROM_ONE, _FROM_ALL)} SELECT id FROM up").bindparams(  # noqa: S608
    sa.bindparam("lots", expanding=True)
)
_below = sa.text(f"{_DOWN.replace(_FROM_ONE, _FROM_ALL)} SELECT id FROM down").bindparams(  # noqa: S608
    sa.bindparam("lots", expanding=True)
)
_lot = Prepared(
    sa.select(_LOT.c.id, _LOT.c.lot_number, _LOT.c.kind, _LOT.c.state, _LOT.c.expires_on).where(
        _LOT.c.lot_number == sa.bindparam("number")
    )
)


# Not frozen, as a trace has thousands of these, and a frozen one takes three times as long to make.
@dataclass(slots=True, unsafe_hash=True)
class TraceLot:
    """A lot of a trace; distance: steps away, negative above the lot asked for, 0 itself, positive below."""

    lot_number: str
    kind: str
    state: str
    distance: int


@dataclass(slots=True, unsafe_hash=True)
class TraceEdge:
    """A step consumed or yielded a quantity of a lot, in the lot's unit."""

    step: str
    kind: str
    lot_number: str
    direction: Literal["consumed", "yielded"]
    quantity: str
    unit: str


@dataclass(frozen=True, slots=True)
class Trace:
    """All ancestors and descendants of a lot, with the steps between."""

    lot_number: str
    lots: tuple[TraceLot, ...]
    edges: tuple[TraceEdge, ...]


def lineage(session: Session, *lot_ids: int) -> frozenset[int]:
    """Ids of these lots and of every lot that they are made of, at any depth: one statement, however many there are.

    A session that has written nothing since is not asked again, as the conditions of a release want to know it twenty times: what a lot is made
    of is settled when its step is complete. What is made of a lot is not; `progeny` asks each time.
    """
    written, start = written_so_far(session), frozenset(lot_ids)
    known: dict[frozenset[int], tuple[int, frozenset[int]]] = session.info.setdefault("lineage", {})
    if start not in known or known[start][0] != written:
        known[start] = (written, _walked(session, _above, start))
    return known[start][1]


def progeny(session: Session, *lot_ids: int) -> frozenset[int]:
    """Ids of these lots and of every lot that is made of them, at any depth: one statement, however many there are."""
    return _walked(session, _below, frozenset(lot_ids))


def ancestor_ids(session: Session, lot_id: int) -> list[int]:
    """Ids of every lot that this one is made of, at any depth."""
    return sorted(lineage(session, lot_id) - {lot_id})


def descendant_ids(session: Session, lot_id: int) -> list[int]:
    """Ids of every lot that is made of this one, at any depth."""
    return sorted(progeny(session, lot_id) - {lot_id})


def _walked(session: Session, statement: sa.TextClause, start: frozenset[int]) -> frozenset[int]:
    return frozenset(session.connection().execute(statement, {"lots": sorted(start)}).scalars())


def trace(session: Session, lot_number: str, today: date) -> Trace:
    """All ancestors and descendants of a lot with the steps and quantities between. Raises NotFound.

    Three statements, whatever the depth. Quantities are text, in the unit of the lot; a lot in process has none yet
    ("").
    """
    connection = session.connection()
    found = _lot.rows(connection, number=lot_number)
    if not found:
        raise NotFound(Reason("lot-not-found", f"there is no lot {lot_number!r}", "lot_number"))
    (start,) = found
    above = _edges(connection, ANCESTORS, start.id)
    below = _edges(connection, DESCENDANTS, start.id)
    distances = {start.id: 0} | _distances(above, start.id, "yielded", -1) | _distances(below, start.id, "consumed", 1)
    rows = {row[_LOT_ID]: row[_LOT_ID + 1 : _LOT_ID + 5] for row in (*above, *below)}
    rows[start.id] = (start.lot_number, start.kind, start.state, start.expires_on)
    states: dict[tuple[Any, Any], str] = {}
    lots = []
    for key, (number, kind, state, expires) in rows.items():
        if (state, expires) not in states:
            states[state, expires] = _state(state, expires, today)
        lots.append(TraceLot(number, kind, states[state, expires], distances[key]))
    lots.sort(key=attrgetter("distance", "lot_number"))
    edges = [
        TraceEdge(step, kind, lot, direction, quantity, unit)
        for direction, quantity, _, step, kind, _, lot, _, _, _, unit in (*above, *below)
    ]
    return Trace(start.lot_number, tuple(lots), tuple(edges))


def _edges(connection: sa.Connection, sql: str, lot_id: int) -> list[tuple[Any, ...]]:
    """The rows as the driver gives them: thousands, of text and whole numbers, that need no conversion."""
    driver: Any = connection.connection.driver_connection
    if connection.dialect.name == "sqlite":
        return list(driver.execute(sql, {"lot": lot_id}).fetchall())
    return list(driver.execute(sql.replace(":lot", "%(lot)s"), {"lot": lot_id}).fetchall())


def _state(state: str, expires_on: str | date | None, today: date) -> str:
    expires = date.fromisoformat(expires_on) if isinstance(expires_on, str) else expires_on
    return state_on(LotState(state), expires, today).value


def _distances(edges: Sequence[tuple[Any, ...]], start: int, near: str, sign: int) -> dict[int, int]:
    """Steps from the start to each lot, walking from the lots on the `near` side of a step to those on the other."""
    steps_of: defaultdict[int, list[int]] = defaultdict(list)
    lots_of: defaultdict[int, list[int]] = defaultdict(list)
    for edge in edges:
        if edge[0] == near:
            steps_of[edge[_LOT_ID]].append(edge[_STEP_ID])
        else:
            lots_of[edge[_STEP_ID]].append(edge[_LOT_ID])
    found, frontier, distance = {start: 0}, [start], 0
    while frontier:
        distance += sign
        reached = {step: None for one in frontier for step in steps_of.get(one, ())}
        lots = dict.fromkeys(lot for step in reached for lot in lots_of.get(step, ()))
        frontier = [lot for lot in lots if lot not in found]
        found.update(dict.fromkeys(frontier, distance))
    return found
