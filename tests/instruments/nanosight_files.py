"""NanoSight summaries of our own, in the layouts of NTA 3.4 and 3.2, and what may happen to a file on its way."""

import re
from datetime import UTC, datetime
from typing import Any

from api.demo_files import nanosight_summary


def summary_3_4(**changes: Any) -> bytes:
    """NTA 3.4: CRLF, a trailing comma on every line, the dilution recorded."""
    wanted: dict[str, Any] = {
        "mode_nm": 110.0,
        "concentration_per_ml": 1.2e11,
        "dilution": 500,
        "runs": 3,
        "seed": 1,
        "sample": "EV bulk",
        "captured_at": datetime(2026, 3, 1, 9, 30, tzinfo=UTC),
    }
    return nanosight_summary(**(wanted | changes))


def summary_3_2(**changes: Any) -> bytes:
    """NTA 3.2, combined: LF, no trailing commas, three-digit exponents, neither dilution nor time."""
    lines = summary_3_4(**changes).decode().split("\r\n")
    for old, new in (
        (r"Created with.*", "Created with NTA 3.2 Dev Build 3.2.16"),
        (r"Software Version,.*", "Software Version,Unknown"),
        (r"Time Captured,.*", "Time Captured,"),
        (r"Sample Description,", "Sample Name,"),
        (r"Bin centre \(nm\),", "Bin centre (nm), "),
        (r"\de[+-](?=\d\d\b)", None),
        (r"(?<=for this factor\),).*", ",".join(["Not recorded"] * changes.get("runs", 3))),
    ):
        lines = [re.sub(old, new if new is not None else lambda found: found[0] + "0", line) for line in lines]
    return "\n".join(line.rstrip(",") for line in lines if not line.startswith("Processed")).encode()


def changed(data: bytes, pattern: str, new: str, count: int = 1) -> bytes:
    """The file with one passage changed; the pattern must be there."""
    text, times = re.subn(pattern, new, data.decode("latin-1"), count=count, flags=re.MULTILINE)
    assert times, pattern
    return text.encode("latin-1")


def without_particles(data: bytes, run: int, concentration: str = "0.00e+00") -> bytes:
    """The file with every bin and every size of one run (counted from 0) printed as zero."""
    lines = data.decode("latin-1").split("\r\n")
    for place, line in enumerate(lines):
        cells = line.split(",")
        if re.fullmatch(r"\d+\.5|Mean|Mode|SD|D\d0", cells[0]):
            cells[run + 1] = "0"
        elif cells[0].startswith("Concentration (Particles"):
            cells[run + 1] = concentration
        lines[place] = ",".join(cells)
    return "\r\n".join(lines).encode("latin-1")


def line_of(data: bytes, start: str) -> int:
    """The number of the first line that begins with `start`."""
    return next(place for place, line in enumerate(data.decode("latin-1").splitlines(), 1) if line.startswith(start))
