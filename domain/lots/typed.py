"""Lot numbers as people type them and scanners read them.

What is typed is compared by a key: without hyphens and the like, and with one sign for those that look alike on a label (O and 0; I, L and 1).
Each engine keeps an index on the key of every lot number, so that nothing is ever listed or searched through.
"""

import re

_DASHES = str.maketrans(dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212\uff0d", "-"))
_ALIKE = str.maketrans("OIL", "011")


def key_sql(column: str = "lot_number") -> str:
    """The key as both engines compute it from a column; the index is on exactly this text."""
    bare = f"replace(replace(replace({column}, '-', ''), '.', ''), '_', '')"
    return f"replace(replace(replace({bare}, 'O', '0'), 'I', '1'), 'L', '1')"


def as_printed(typed: str) -> str:
    """A lot number as people type it: spaces round and inside it, lower case, and hyphens of other kinds are forgiven."""
    return re.sub(r"\s+", "", typed.translate(_DASHES)).upper()[:40]


def key_of(typed: str) -> str:
    """What all ways to type a lot number have in common: `uev26 ooo2` and `UEV26-0002` -> `UEV260002`."""
    return re.sub(r"[\W_]", "", as_printed(typed)).translate(_ALIKE)
