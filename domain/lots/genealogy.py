"""Where a lot came from and where it went: all ancestors and all descendants, at full depth, in one call.

Lots are the nodes; a step takes quantities of lots (consumption) and gives lots (yield). No cycle can arise: a step
yields only lots that are born
with it, and consumes nothing once it is complete. The walk is a recursive query on ids with UNION, so that it would end
even on a cycle.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

import sqlalchemy as sa
from sqlmodel import Session

from domain.errors import NotFound, Reason
from domain.lots.lifecycle import state_on
from domain.lots.models import LotState

_EDGE = """s.id AS step_id, s.number, s.kind AS step_kind,
    l.id AS lot_id, l.lot_number, l.kind, l.state, l.expires_on, l.unit"""
_UP = """
WITH RECURSIVE up(id) AS (
    SELECT CAST(:lot AS INTEGER)
    UNION
    SELECT c.lot_id FROM up JOIN lot_yield y ON y.lot_id = up.id JOIN consumption c ON c.step_id = y.step_id
)
"""
_DOWN = """
WITH RECURSIVE down(id) AS (
    SELECT CAST(:lot AS INTEGER)
    UNION
    SELECT y.lot_id FROM down JOIN consumption c ON c.lot_id = down.id JOIN lot_yield y ON y.step_id = c.step_id
)
"""

#: Every edge above the lot: what was yielded on the way to it, and all that the steps which did so consumed.
ANCESTORS = f"""{_UP}
SELECT 'yielded' AS direction, l.quantity, {_EDGE}
FROM up JOIN lot_yield y ON y.lot_id = up.id JOIN step s ON s.id = y.step_id JOIN lot l ON l.id = up.id
UNION ALL
SELECT 'consumed', c.quantity, {_EDGE}
FROM (SELECT DISTINCT y.step_id FROM up JOIN lot_yield y ON y.lot_id = up.id) AS done
JOIN step s ON s.id = done.step_id JOIN consumption c ON c.step_id = s.id JOIN lot l ON l.id = c.lot_id
"""  # noqa: S608 - put together from constants

#: Every edge below the lot: what was consumed of it and its descendants, and all that those steps yielded.
DESCENDANTS = f"""{_DOWN}
SELECT 'consumed' AS direction, c.quantity, {_EDGE}
FROM down JOIN consumption c ON c.lot_id = down.id JOIN step s ON s.id = c.step_id JOIN lot l ON l.id = down.id
UNION ALL
SELECT 'yielded', l.quantity, {_EDGE}
FROM (SELECT DISTINCT c.step_id FROM down JOIN consumption c ON c.lot_id = down.id) AS done
JOIN step s ON s.id = done.step_id JOIN lot_yield y ON y.step_id = s.id JOIN lot l ON l.id = y.lot_id
"""  # noqa: S608 - put together from constants

_ancestors, _descendants = sa.text(ANCESTORS), sa.text(DESCENDANTS)
_ancestor_ids = sa.text(f"{_UP} SELECT id FROM up WHERE id <> :lot")  # noqa: S608
_descendant_ids = sa.text(f"{_DOWN} SELECT id FROM down WHERE id <> :lot")  # noqa: S608
_lot = sa.text("SELECT id, lot_number, kind, state, expires_on FROM lot WHERE lot_number = :number")


@dataclass(frozen=True, slots=True)
class TraceLot:
    """A lot of a trace; distance: steps away, negative above the lot asked for, 0 itself, positive below."""

    lot_number: str
    kind: str
    state: str
    distance: int


@dataclass(frozen=True, slots=True)
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


def ancestor_ids(session: Session, lot_id: int) -> list[int]:
    """Ids of every lot that this one is made of, at any depth."""
    return list(session.connection().execute(_ancestor_ids, {"lot": lot_id}).scalars())


def descendant_ids(session: Session, lot_id: int) -> list[int]:
    """Ids of every lot that is made of this one, at any depth."""
    return list(session.connection().execute(_descendant_ids, {"lot": lot_id}).scalars())


def trace(session: Session, lot_number: str, today: date) -> Trace:
    """All ancestors and descendants of a lot with the steps and quantities between. Raises NotFound.

    Three statements, whatever the depth. Quantities are text, in the unit of the lot; a lot in process has none yet
    ("").
    """
    connection = session.connection()
    start = connection.execute(_lot, {"number": lot_number}).first()
    if start is None:
        raise NotFound(Reason("lot-not-found", f"there is no lot {lot_number!r}", "lot_number"))
    above = connection.execute(_ancestors, {"lot": start.id}).all()
    below = connection.execute(_descendants, {"lot": start.id}).all()
    distances = {start.id: 0} | _distances(above, start.id, "yielded", -1) | _distances(below, start.id, "consumed", 1)
    rows = {row.lot_id: row for row in (*above, *below)} | {start.id: start}
    lots = tuple(
        TraceLot(row.lot_number, row.kind, _state(row, today), distances[key])
        for key, row in sorted(rows.items(), key=lambda pair: (distances[pair[0]], pair[1].lot_number))
    )
    return Trace(start.lot_number, lots, tuple(map(_edge, (*above, *below))))


def _edge(row: Any) -> TraceEdge:
    quantity = (
        "" if row.quantity is None else row.quantity if isinstance(row.quantity, str) else format(row.quantity, "f")
    )
    return TraceEdge(row.number, row.step_kind, row.lot_number, row.direction, quantity, row.unit)


def _state(row: Any, today: date) -> str:
    expires = date.fromisoformat(row.expires_on) if isinstance(row.expires_on, str) else row.expires_on
    return state_on(LotState(row.state), expires, today).value


def _distances(edges: Sequence[Any], start: int, near: str, sign: int) -> dict[int, int]:
    """Steps from the start to each lot, walking from the lots on the `near` side of a step to those on the other."""
    steps_of: dict[int, list[int]] = {}
    lots_of: dict[int, list[int]] = {}
    for edge in edges:
        if edge.direction == near:
            steps_of.setdefault(edge.lot_id, []).append(edge.step_id)
        else:
            lots_of.setdefault(edge.step_id, []).append(edge.lot_id)
    found, frontier, distance = {start: 0}, [start], 0
    while frontier:
        distance += sign
        reached = [lot for one in frontier for step in steps_of.get(one, ()) for lot in lots_of.get(step, ())]
        frontier = [lot for lot in dict.fromkeys(reached) if lot not in found]
        found.update(dict.fromkeys(frontier, distance))
    return found
