#!/usr/bin/env python3
"""Check an exported dossier: run `python3 verify.py` in the folder that it was unpacked to. Needs nothing but Python 3.8 or newer.

1. Every file has the SHA-256 that SHA256SUMS names, and no file is there that it does not name.
2. Every audit entry has the digest of its own fields and changes, and names the digest of the entry before it where that one is here too.
3. Every record has the digest that the newest audit entry about it sealed.
What it cannot tell: whether entries about other lots are whole. That is `exolotl verify-audit`, at the laboratory.
"""

import hashlib
import json
import sys
from pathlib import Path


def sha256(data: bytes) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(data).hexdigest()


def entry_digest(entry: dict) -> str:  # type: ignore[type-arg]
    """The digest of an audit entry: each field with its length, from the digest before it to the last change."""
    names = ("previous", "sequence", "at", "actor_id", "actor", "act", "outcome", "reason")
    fields = [entry[name] for name in names]
    for change in entry["changes"]:
        fields += [change[name] for name in ("ordinal", "record", "record_id", "row_digest", "changed")]
    return sha256("".join(f"{len(text)}:{text}" for text in map(str, fields)).encode())


def broken_sums(folder: Path) -> "list[str]":
    """Files that are missing, altered, or not named."""
    named = {}
    for line in (folder / "SHA256SUMS").read_text(encoding="utf-8").splitlines():
        digest, _, name = line.partition("  ")
        named[name] = digest
    there = {str(one.relative_to(folder).as_posix()) for one in folder.rglob("*") if one.is_file()}
    found = [f"{name} is missing" for name in sorted(set(named) - there)]
    found += [f"{name} is not named in SHA256SUMS" for name in sorted(there - set(named) - {"SHA256SUMS"})]
    for name in sorted(set(named) & there):
        if sha256((folder / name).read_bytes()) != named[name]:
            found.append(f"{name} was altered")
    return found


def broken_audit(entries: "list[dict]", records: "dict[str, dict]") -> "list[str]":  # type: ignore[type-arg]
    """Entries that were altered, chains that do not fit, and records that are not what was sealed."""
    found = [f"audit entry {one['sequence']} was altered" for one in entries if entry_digest(one) != one["digest"]]
    by_number = {one["sequence"]: one for one in entries}
    for one in entries:
        before = by_number.get(one["sequence"] - 1)
        if before is not None and before["digest"] != one["previous"]:
            found.append(f"audit entry {one['sequence']} does not follow the one before it")
    sealed = {}
    for one in sorted(entries, key=lambda entry: entry["sequence"]):
        for change in one["changes"]:
            sealed[change["record"], str(change["record_id"])] = change["row_digest"]
    for table, rows in records.items():
        for key, text in rows.items():
            if sealed.get((table, key)) != sha256(text.encode()):
                found.append(f"{table} {key} is not what was sealed")
    return found


def main(folder: Path) -> int:
    """Print what is broken, or that all is well."""
    found = broken_sums(folder)
    try:
        entries = json.loads((folder / "audit.json").read_text(encoding="utf-8"))
        records = json.loads((folder / "records.json").read_text(encoding="utf-8"))
        found += broken_audit(entries, records)
    except (OSError, ValueError, KeyError, TypeError) as error:
        entries, records = [], {}
        found.append(f"audit.json or records.json cannot be read: {error}")
    for line in found:
        print(f"BROKEN: {line}")  # noqa: T201 - it talks to a terminal
    if not found:
        count = sum(len(rows) for rows in records.values())
        print(f"OK: every file, {len(entries)} audit entries and {count} records are as they were sealed")  # noqa: T201
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent))
