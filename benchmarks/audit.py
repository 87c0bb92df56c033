"""`verify-audit` against hashing the same bytes with hashlib."""

import hashlib
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from benchmarks.place import STEP, Place, place
from benchmarks.report import Figure
from domain import audit
from domain.store import iso_utc

READING = ("id", "version", "step_id", "parameter", "entered_value", "entered_unit", "value", "unit", "comment",
           "happened_at", "recorded_at", "late", "recorded_by", "reason")  # fmt: skip
ENTRY = ("sequence", "at", "actor_id", "actor", "act", "outcome", "reason", "previous", "digest")
CHANGE = ("sequence", "ordinal", "record", "record_id", "row_digest", "changed")
READINGS_OF_A_STEP = 20


def measure(engine_name: str, quick: bool) -> Iterator[Figure]:
    """Megabytes a second: entries with their changes, and every row under audit."""
    entries, rounds = (300, 2) if quick else (100_000, 5)
    with place(engine_name, "audit") as here:
        texts = seed(here, entries)
        here.settle()
        size = sum(map(len, texts)) / 1e6
        ours, bare = [], []
        for _ in range(rounds):
            started = time.perf_counter()
            found = audit.verify(here.site.engine)
            ours.append(size / (time.perf_counter() - started))
            if found.broken:
                raise RuntimeError(found.broken)
            started = time.perf_counter()
            for text in texts:
                hashlib.sha256(text).hexdigest()
            bare.append(size / (time.perf_counter() - started))
        notes: dict[str, Any] = {
            "entries": found.entries,
            "records": found.rows,
            "bytes a digest": int(size * 1e6 / len(texts)),
        }
        notes["us a digest"] = f"{1e6 * size / sorted(ours)[rounds // 2] / len(texts):.1f}"
        yield Figure("audit", engine_name, "verify", "MB/s", tuple(ours), tuple(bare), "at least", 0.2, notes)


def seed(here: Place, count: int) -> list[bytes]:
    """Steps and readings with the entries that an honest history of them has; returns the texts that are hashed."""
    with here.raw() as connection:
        sequence, digest = connection.execute(
            "SELECT sequence, digest FROM audit_entry ORDER BY sequence DESC LIMIT 1"
        ).fetchone()
    texts: list[bytes] = []
    rows: dict[str, list[tuple[Any, ...]]] = {"step": [], "reading": [], "audit_entry": [], "audit_change": []}
    for at in range(1, count + 1):
        changed = []
        if at % READINGS_OF_A_STEP == 1:
            changed.append(_row(rows, texts, "step", STEP, _step(at)))
        changed.append(_row(rows, texts, "reading", READING, _reading(at)))
        numbered = [(ordinal, *one) for ordinal, one in enumerate(changed)]
        sequence += 1
        entry = (sequence, _moment(at), 1, "Tom Takes", "log_reading", "done", "")
        texts.append(audit.entry_text((digest, *entry), numbered).encode())
        previous, digest = digest, hashlib.sha256(texts[-1]).hexdigest()
        rows["audit_entry"].append((*entry, previous, digest))
        rows["audit_change"] += [(sequence, *one) for one in numbered]
    for table, columns in (("step", STEP), ("reading", READING), ("audit_entry", ENTRY), ("audit_change", CHANGE)):
        here.fill(table, columns, rows[table])
    return texts


def _row(
    rows: dict[str, list[tuple[Any, ...]]],
    texts: list[bytes],
    table: str,
    names: tuple[str, ...],
    values: tuple[Any, ...],
) -> tuple[Any, ...]:
    rows[table].append(values)
    text = audit.row_text(dict(zip(names, values, strict=True)))
    texts.append(text.encode())
    changed = ",".join(
        f'"{name}":[null,"{value}"]' for name, value in zip(names, values, strict=True) if name not in ("id", "version")
    )
    return table, values[0], hashlib.sha256(texts[-1]).hexdigest(), "{" + changed + "}"


def _moment(at: int) -> str:
    return iso_utc(datetime.fromtimestamp(1_790_000_000 + at, UTC))


def _step(at: int) -> tuple[Any, ...]:
    return (at, 1, f"S-{at:06d}", "purification", "Clean room B2", "TFF-03", "", _moment(at), _moment(at), 1, False)


def _reading(at: int) -> tuple[Any, ...]:
    step = at - (at - 1) % READINGS_OF_A_STEP
    return (
        at,
        1,
        step,
        "transmembrane_pressure",
        "0.30",
        "bar",
        "0.30",
        "bar",
        "",
        _moment(at),
        _moment(at),
        False,
        1,
        "",
    )
