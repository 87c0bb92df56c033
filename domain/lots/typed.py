"""Lot numbers as people type them and scanners read them.

What is typed is compared by a key: without hyphens and the like, and with one sign for those that look alike on a label (O and 0; I, L and 1).
Each engine keeps an index on the key of every lot number, so that nothing is ever listed or searched through. A scanner may send the whole code
instead: a GS1 element string or a GS1 Digital Link, which name the GTIN and the expiry as well.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from urllib.parse import parse_qs, unquote

from domain.gs1 import expiry, gtin_is_valid

_DASHES = str.maketrans(dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212\uff0d", "-"))
_ALIKE = str.maketrans("OIL", "011")
#: Of a number as it is printed, to its key.
_KEY = {ord(sign): None for sign in "-._"} | _ALIKE
_PRINTED = re.compile(r"[0-9A-Z._-]{1,20}")

#: What is longer is no lot number and no code of ours.
MOST_TYPED = 300

#: FNC1 as scanners send it, and the symbology identifiers that may come first (ISO/IEC 15424).
_GS = "\x1d"
_SYMBOLOGY = re.compile(r"^\](?:C1|e0|d2|Q3|J1)")
_BRACKETED = re.compile(r"\(([0-9]{2,4})\)([^(]*)")
#: Lengths of the identifiers that need no separator behind them (GS1 General Specifications, 7.8.5), as far as labels carry them.
_FIXED = {"00": 18, "01": 14, "02": 14, "11": 6, "12": 6, "13": 6, "15": 6, "16": 6, "17": 6, "20": 2}
_IN_LINK = re.compile(r"/01/([0-9]{8}|[0-9]{12,14})(?:/[0-9]{2,4}/[^/]+)*?/10/([^/]+)")
_IN_LOOK_UP = re.compile(r"^https?://[^/]+/c/([^/?#]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Asked:
    """A lot number, and what a code said beside it: GTIN-14, and expiry as YYMMDD."""

    lot_number: str
    gtin: str | None = None
    expires: str | None = None

    def agrees(self, gtin: str | None, expires_on: date) -> bool:
        """Whether what the code said is what is on record; a code that said nothing agrees. A day of 00 is the whole month."""
        if self.gtin is not None and self.gtin != gtin:
            return False
        if self.expires is None:
            return True
        said, known = self.expires, expiry(expires_on)
        return said == known or (said.endswith("00") and said[:4] == known[:4])


def read(typed: str) -> Asked:
    """What was typed or scanned: a lot number, a GS1 element string with or without brackets, a Digital Link, or our own address."""
    if _PRINTED.fullmatch(typed) and not typed.startswith("01"):
        return Asked(typed)
    text = typed.strip()[:MOST_TYPED]
    if found := _IN_LOOK_UP.match(text):
        return Asked(as_printed(unquote(found[1])))
    if "/01/" in text:
        return _of_link(text)
    said = dict(_elements(text))
    return _asked(said["10"], said.get("01"), said.get("17")) if "10" in said else Asked(as_printed(text))


def _of_link(text: str) -> Asked:
    path, _, query = text.partition("?")
    found = _IN_LINK.search(path.partition("#")[0])
    if found is None:
        return Asked(as_printed(text))
    said = parse_qs(query.partition("#")[0])
    return _asked(unquote(found[2]), found[1], said.get("17", [None])[0])


def _asked(lot: str, gtin: str | None, expires: str | None) -> Asked:
    return Asked(as_printed(lot), gtin.zfill(14) if gtin else None, expires or None)


def _elements(text: str) -> Iterator[tuple[str, str]]:
    """Identifier and value of each element of a string; nothing for what is none."""
    if text.startswith("("):
        yield from ((found[1], found[2].strip(" \x1d")) for found in _BRACKETED.finditer(text))
        return
    rest = _SYMBOLOGY.sub("", text).lstrip(_GS)
    if not (rest.startswith("01") and gtin_is_valid(rest[2:16])):
        return
    while len(rest) > 2:
        identifier = rest[:2]
        length = _FIXED.get(identifier)
        value = rest[2 : 2 + length] if length else rest[2:].partition(_GS)[0]
        yield identifier, value
        rest = rest[2 + len(value) :].lstrip(_GS)


def key_sql(column: str = "lot_number") -> str:
    """The key as both engines compute it from a column; the index is on exactly this text."""
    bare = f"replace(replace(replace({column}, '-', ''), '.', ''), '_', '')"
    return f"replace(replace(replace({bare}, 'O', '0'), 'I', '1'), 'L', '1')"


def as_printed(typed: str) -> str:
    """A lot number as people type it: spaces round and inside it, lower case, and hyphens of other kinds are forgiven."""
    return re.sub(r"\s+", "", typed.translate(_DASHES)).upper()[:40]


def key_of(typed: str) -> str:
    """What all ways to type a lot number have in common: `uev26 ooo2` and `UEV26-0002` -> `UEV260002`."""
    printed = typed if _PRINTED.fullmatch(typed) else as_printed(typed)
    return printed.translate(_KEY) if _PRINTED.fullmatch(printed) else re.sub(r"[\W_]", "", printed).translate(_ALIKE)
