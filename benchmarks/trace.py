"""The trace of a lot, all ancestors and descendants, against the bare recursive SQL; and how it grows with the number of edges."""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from statistics import median
from typing import Any

from benchmarks.place import STEP, Place, place
from benchmarks.report import Figure
from domain.lots.genealogy import ANCESTORS, DESCENDANTS, trace
from domain.store import iso_utc, reading

LAYERS = (1, 4, 20, 60, 120, 120)
"""Lots a generation of one family: from a donation over banks and cultures to vials."""


def family() -> tuple[int, list[tuple[int, int]]]:
    """How many lots, and which lot is made of which (index, index), the same in every family: equal results everywhere."""
    dice, made, first, before = random.Random(7), [], 0, 0
    for size, former in zip(LAYERS[1:], LAYERS, strict=False):
        before, first = first, first + former
        made += [
            (first + one, before + old) for one in range(size) for old in dice.sample(range(former), min(2, former))
        ]
    return sum(LAYERS), made


LOTS, MADE_OF = family()
EDGES = LOTS - 1 + len(MADE_OF)


def measure(engine_name: str, quick: bool) -> Iterator[Figure]:
    """Milliseconds a trace, from a donation (the whole family) and from a vial, in turn."""
    small, large, rounds, each = (2_000, 10_000, 3, 2) if quick else (100_000, 1_000_000, 15, 5)
    with ExitStack() as stack:
        few, many = (stack.enter_context(place(engine_name, f"trace{size}")) for size in (small, large))
        for here, size in ((few, small), (many, large)):
            seed(here, size // EDGES + 1)
            here.settle()
        bare = stack.enter_context(many.raw())
        for what, at in (("of a donation", 0), ("of a vial", LOTS - 1)):
            dice = random.Random(3)
            ways: list[Callable[[int], int]] = [
                lambda base, at=at: _ours(many, base + at),
                lambda base, at=at: _ours(few, base + at),
                lambda base, at=at: _bare(many, bare, base + at),
            ]
            spans = [small, small, small]
            found = _rounds(
                ways, [[dice.randrange(size // EDGES) * LOTS for size in spans] for _ in range(each)], rounds
            )
            notes = {"edges found": _ours(many, at), "edges": large}
            yield Figure(
                "trace", engine_name, f"{what}, against bare SQL", "ms", found[0], found[2], "at most", 1.5, notes
            )
            yield Figure(
                "trace",
                engine_name,
                f"{what}, {large:,} against {small:,} edges",
                "ms",
                found[0],
                found[1],
                "at most",
                1.3,
                notes,
            )


def _rounds(ways: list[Callable[[int], int]], bases: list[list[int]], rounds: int) -> list[tuple[float, ...]]:
    """The median milliseconds of each way, round by round; the ways take turns."""
    found: list[list[float]] = [[] for _ in ways]
    for _ in range(rounds):
        spent: list[list[float]] = [[] for _ in ways]
        for base in bases:
            for which, way in enumerate(ways):
                started = time.perf_counter()
                way(base[which])
                spent[which].append((time.perf_counter() - started) * 1000)
        for which, times in enumerate(spent):
            found[which].append(median(times))
    return [tuple(one) for one in found]


def _ours(here: Place, lot: int) -> int:
    with reading(here.site.engine, consistent=True) as session:
        return len(trace(session, number(lot), here.site.today()).edges)


def _bare(here: Place, connection: Any, lot: int) -> int:
    rows = 0
    for sql in (ANCESTORS, DESCENDANTS):
        text = sql if here.lite else sql.replace(":lot", "%(lot)s")
        rows += len(connection.execute(text, {"lot": lot + 1}).fetchall())
    return rows


def number(lot: int) -> str:
    """The number of a lot, counted from 0."""
    return f"X{lot:09d}"


def seed(here: Place, families: int) -> None:
    """Families of lots, each of the same shape; every lot but the first of a family is yielded by a step of its own."""
    now = iso_utc(datetime.now(UTC))
    everyone = range(families * LOTS)
    here.fill(
        "lot",
        (
            "id",
            "version",
            "lot_number",
            "kind",
            "state",
            "description",
            "quantity",
            "quantity_left",
            "unit",
            "expires_on",
            "created_at",
        ),
        (
            (one + 1, 1, number(one), "culture", "quarantine", "", "12.50", "12.50", "mL", "2030-01-31", now)
            for one in everyone
        ),
    )
    steps = [one for one in everyone if one % LOTS]
    here.fill(
        "step",
        STEP,
        ((one + 1, 1, f"S-{one:09d}", "expansion", "B2", "", "", now, now, 1, False) for one in steps),
    )
    here.fill("lot_yield", ("id", "version", "step_id", "lot_id"), ((one + 1, 1, one + 1, one + 1) for one in steps))
    made = ((base + new + 1, base + old + 1) for base in range(0, families * LOTS, LOTS) for new, old in MADE_OF)
    here.fill(
        "consumption",
        ("id", "version", "step_id", "lot_id", "quantity", "entered_quantity", "entered_unit"),
        ((at, 1, new, old, "0.25", "0.25", "mL") for at, (new, old) in enumerate(made, 1)),
    )
