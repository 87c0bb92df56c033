"""What was measured, as a table and as a file."""

import json
import os
import platform
import sqlite3
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Literal

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Figure:
    """One ratio, ours to a bare limit, of pairs measured in turn (A B A B …).

    ours, bare: one number a round, in `unit`. target: what the median of the ratios should reach, from which side.
    notes: what else was seen (milliseconds, memory, sizes).
    """

    name: str
    engine: str
    what: str
    unit: str
    ours: tuple[float, ...]
    bare: tuple[float, ...]
    side: Literal["at least", "at most"]
    target: float
    notes: dict[str, float | int | str] = field(default_factory=dict)

    @property
    def ratios(self) -> list[float]:
        """Ours over bare, round by round."""
        return [mine / limit for mine, limit in zip(self.ours, self.bare, strict=True)]

    @property
    def ratio(self) -> float:
        """The median of the rounds."""
        return median(self.ratios)

    @property
    def met(self) -> bool:
        """Whether the target is reached."""
        return self.ratio >= self.target if self.side == "at least" else self.ratio <= self.target

    def as_row(self) -> tuple[str, ...]:
        """A line of the table."""
        spread = f"{min(self.ratios):.2f}-{max(self.ratios):.2f}"
        numbers = (f"{median(self.ours):,.4g}", f"{median(self.bare):,.4g}", f"{self.ratio:.2f}", spread)
        notes = ", ".join(f"{name} {value}" for name, value in self.notes.items())
        verdict = "[green]reached[/]" if self.met else "[red]missed[/]"
        return (self.name, self.engine, self.what, self.unit, *numbers, f"{self.side} {self.target:g}", verdict, notes)


def machine() -> dict[str, str | float | int]:
    """What the figures were measured on."""
    about = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    model = next(
        (line.partition(":")[2].strip() for line in about.splitlines() if line.startswith("model name")),
        platform.machine(),
    )
    return {
        "processor": model,
        "cores": os.cpu_count() or 0,
        "load": round(os.getloadavg()[0], 2),
        "system": platform.platform(),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def show(figures: Sequence[Figure], facts: dict[str, str | float | int]) -> None:
    """Print the table."""
    table = Table(
        title="Ours against the bare limit: medians of rounds in turn",
        caption=", ".join(f"{k} {v}" for k, v in facts.items()),
    )
    for name in ("figure", "engine", "what", "unit", "ours", "bare", "ratio", "spread", "target", "verdict", "notes"):
        table.add_column(name, overflow="fold")
    for figure in figures:
        table.add_row(*figure.as_row())
    Console(width=None if os.isatty(1) else 200).print(table)


def write(figures: Sequence[Figure], facts: dict[str, str | float | int], path: Path) -> None:
    """Write build/bench.json."""
    path.parent.mkdir(parents=True, exist_ok=True)
    told = [{**asdict(one), "ratio": round(one.ratio, 3), "met": one.met} for one in figures]
    path.write_text(json.dumps({"machine": facts, "figures": told}, indent=1))
