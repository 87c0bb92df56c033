"""Logging a reading over HTTP (sign-in, permission, checks, audit, commit) against a bare route that inserts two rows in one transaction."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from benchmarks.place import STEP, Place, place
from benchmarks.report import Figure
from benchmarks.server import get, post, serving
from domain.manufacturing.catalogue import STEP_KINDS
from domain.store import iso_utc

KIND = "purification"
PARAMETERS = [one for one in STEP_KINDS[KIND].parameters if one.type in ("numeric", "count")]


def measure(engine_name: str, quick: bool) -> Iterator[Figure]:
    """Readings a second, every parameter of a step in turn, on steps that are open."""
    steps, rounds = (3, 2) if quick else (60, 9)
    with place(engine_name, "reading") as here, place(engine_name, "bare") as there:
        for one in (here, there):
            seed(one, steps * (rounds + 2))
            one.settle()
        token = here.token("tom")
        with serving("ours", here.url, here.folder) as ours, serving("bare", there.url, there.folder) as bare:
            ours.load([get("/health/live")])
            idle = ours.memory()
            legs = [_requests(at * steps, steps, token) for at in range(rounds + 2)]
            ours.load(legs[0][0])
            bare.load(legs[0][1])
            pairs = [(ours.rate(mine), bare.rate(limit)) for mine, limit in legs[1:-1]]
            alone = ours.load(legs[-1][0])
            notes: dict[str, Any] = {"p50 ms": f"{alone['p50'] * 1000:.1f}", "p99 ms": f"{alone['p99'] * 1000:.1f}"}
            notes |= {"MB idle": idle, "MB peak": ours.memory("VmHWM")}
            rates, limits = zip(*pairs, strict=True)
            yield Figure("reading", engine_name, "log a reading", "requests/s", rates, limits, "at least", 0.5, notes)


def seed(here: Place, steps: int) -> None:
    """Open steps."""
    started = iso_utc(datetime.now(UTC) - timedelta(hours=2))
    rows = (
        (one, 1, f"S-{one:06d}", KIND, "Clean room B2", "", "", started, started, 1, False)
        for one in range(1, steps + 1)
    )
    here.fill("step", STEP, rows)


def _requests(after: int, steps: int, token: str) -> tuple[list[str], list[str]]:
    """The same readings for ours and for the bare route; neighbours are of different steps, as at real benches."""
    ours, bare = [], []
    for parameter in PARAMETERS:
        for step in range(after + 1, after + steps + 1):
            body = {
                "parameter": parameter.code,
                "value": parameter.example,
                "unit": parameter.example_unit or parameter.unit,
            }
            ours.append(post(f"/api/v1/steps/S-{step:06d}/readings", body, token))
            bare.append(post(f"/steps/{step}/readings", body))
    return ours, bare
