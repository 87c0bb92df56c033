"""What is said of each thing that was checked in a file: a code, how it stands, and a sentence in both languages (checks.toml)."""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Literal

from reports.checking import Found, Signature
from reports.signing import DEMONSTRATION

State = Literal["ok", "failed", "not_possible"]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at, and what was found, as a sentence in both languages.

    code: `digest`, `record`, `signature`, `signer`, `timestamp`, `attachments`, `active`, `log`, `newest`, `lot`, in this order; only those that
    there was something to look at for.
    """

    code: str
    state: State
    en: str
    de: str


def of_file(
    found: Found, content_sha256: str | None, *, issued: bool = True, unsigned: bool = False
) -> Iterator[Check]:
    """What the file itself shows. content_sha256: the digest that its data must have; unsigned: nothing was signed when it was issued.

    issued: whether the file is what was issued; of another, data that agree with each other say nothing of what is printed.
    """
    signature = found.signature
    if found.problem:
        yield said("signature", found.problem, "not_possible")
        return
    if signature is None:
        yield said("signature", "before", "not_possible") if unsigned else said("signature", "none", "failed")
    else:
        yield from _of_signature(signature)
    yield _of_attached(found, content_sha256, issued)
    if found.active:
        yield said("active", "found", "failed", held=", ".join(found.active[:5]))


def _of_signature(signature: Signature) -> Iterator[Check]:
    if not signature.intact:
        yield said("signature", "broken", "failed")
    elif not signature.covers:
        yield said("signature", "added", "failed")
    else:
        yield said("signature", "intact", level=signature.level)
    named = signature.model_dump(include={"signer", "trusted_by"})
    if not signature.intact:
        yield said("signer", "untold", "not_possible")
    elif signature.trusted_by is None:
        yield said("signer", "unknown", "failed", **named)
    elif DEMONSTRATION in signature.signer:
        yield said("signer", "demonstration", "not_possible")
    else:
        yield said("signer", "own" if signature.trusted_by == signature.signer else "trusted", **named)
    if signature.stamped_at is None:
        stated = minute(signature.signed_at) if signature.signed_at else "–"
        yield said("timestamp", "none", "not_possible", signed_at=stated)
    elif signature.stamp_trusted:
        yield said("timestamp", "stamped", stamped_by=signature.stamped_by, stamped_at=minute(signature.stamped_at))
    else:
        yield said("timestamp", "untrusted", "failed")


def _of_attached(found: Found, content_sha256: str | None, issued: bool) -> Check:
    if found.content_sha256 is None:
        return said("attachments", "none", "not_possible")
    if not found.agree or content_sha256 not in (None, found.content_sha256):
        return said("attachments", "differ", "failed")
    if not issued:
        return said("attachments", "alone" if content_sha256 is None else "copied", "not_possible")
    return said("attachments", "agree", digest=found.content_sha256)


@cache
def _sentences() -> dict[str, dict[str, dict[str, str]]]:
    return tomllib.loads((Path(__file__).parent / "checks.toml").read_text(encoding="utf-8"))


def sentences_for(code: str) -> frozenset[str]:
    """What can be found of a code."""
    return frozenset(_sentences()[code])


def said(code: str, what: str, state: State = "ok", **words: Any) -> Check:
    """What was found, in words."""
    told = _sentences()[code][what]
    return Check(code, state, told["en"].format(**words), told["de"].format(**words))


def judged(fine: bool, code: str, good: str, bad: str, **words: Any) -> Check:
    """One finding or the other."""
    return said(code, good, "ok", **words) if fine else said(code, bad, "failed", **words)


def minute(at: datetime) -> str:
    """`2026-03-02 08:30`, UTC."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M}"
