"""The public look-up over HTTP, as JSON and as a page, with 100,000 certificates stored, against a bare route with the same SELECT."""

import random
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import sqlalchemy as sa

from benchmarks.place import Place, place
from benchmarks.report import Figure
from benchmarks.server import get, serving
from domain.certificates.models import Certificate
from domain.lots.models import Lot, LotMove
from tests import build


def measure(engine_name: str, quick: bool) -> Iterator[Figure]:
    """Requests a second for lots drawn at random."""
    lots, requests, rounds = (50, 60, 2) if quick else (100_000, 3_000, 9)
    with place(engine_name, "lookup") as here:
        numbers = seed(here, lots)
        here.settle()
        with serving("ours", here.url, here.folder) as ours, serving("bare", here.url, here.folder) as bare:
            idle = ours.memory()
            dice = random.Random(1)
            drawn = [dice.choice(numbers) for _ in range(requests)]
            mine, limit = [get(f"/api/v1/public/lots/{one}") for one in drawn], [get(f"/lots/{one}") for one in drawn]
            pages = [get(f"/c/{one}") for one in drawn[: requests // 5]]
            for server, wanted in ((ours, mine), (ours, pages[: requests // 15]), (bare, limit)):
                server.load(wanted[: requests // 3])
            pairs = [(ours.rate(mine), bare.rate(limit)) for _ in range(rounds)]
            alone = ours.load(mine)
            notes: dict[str, Any] = {"p50 ms": f"{alone['p50'] * 1000:.1f}", "p99 ms": f"{alone['p99'] * 1000:.1f}"}
            page = ours.load(pages)
            notes |= {"page/s": f"{len(pages) / page['seconds']:.0f}", "page p50 ms": f"{page['p50'] * 1000:.1f}"}
            notes |= {"MB idle": idle, "MB peak": ours.memory("VmHWM"), "certificates": lots}
            rates, limits = zip(*pairs, strict=True)
            yield Figure("lookup", engine_name, "public look-up", "requests/s", rates, limits, "at least", 0.7, notes)


def seed(here: Place, count: int) -> list[str]:
    """One lot released in earnest, and copies of it under other numbers; returns the numbers."""
    certificate = build.released(here.site)
    with here.site.engine.connect() as connection:
        shown = [
            [dict(row) for row in connection.execute(sa.select(table).where(key == certificate.lot_id)).mappings()]
            for table, key in _tables()
        ]
    number = shown[0][0]["lot_number"]
    numbers = [f"DP26-{one:06d}" for one in range(count)]
    with here.site.engine.begin() as connection:
        for (table, key), rows in zip(_tables(), shown, strict=True):
            for some in batched(enumerate(numbers), 2000):
                copies = [
                    _copy(row, number, other, 1000 + at, key.name) | {"id": 1000 + at * len(rows) + which}
                    for at, other in some
                    for which, row in enumerate(rows)
                ]
                connection.execute(table.insert(), copies)
    return numbers


def batched(what: Iterable[Any], size: int) -> Iterator[list[Any]]:
    """In lists of at most so many."""
    rest = iter(what)
    while some := list(islice(rest, size)):
        yield some


def _tables() -> list[tuple[sa.Table, sa.Column[Any]]]:
    tables: list[sa.Table] = [cls.__table__ for cls in (Lot, Certificate, LotMove)]  # type: ignore[attr-defined]
    return [(table, table.c.id if table.name == "lot" else table.c.lot_id) for table in tables]


def _copy(row: dict[str, Any], number: str, other: str, lot_id: int, key: str) -> dict[str, Any]:
    made = {name: value.replace(number, other) if isinstance(value, str) else value for name, value in row.items()}
    if key == "lot_id" and "revision" in row:
        made["number"] = f"COA-{other}"
    return made | {key: lot_id}
