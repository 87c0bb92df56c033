"""How values are written for people: units as laboratories print them, powers of ten, times of the site.

Nothing here computes: digits are carried over exactly as judged.
"""

import re
import unicodedata
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from domain.quantities import UNITS, Language, pretty

_BY_LENGTH = sorted((code for code in UNITS if code != "1"), key=len, reverse=True)
_UNIT = re.compile(r"(?<=\d) (" + "|".join(map(re.escape, _BY_LENGTH)) + r")(?=$|[\s,;)–])")
_NO_UNIT = re.compile(r"(?<=\d) (?:\[pH\]|1)(?=$)")
_ANNOTATION = re.compile(r"\{([^{}]*)\}")
_MINUS = re.compile(r"(?<![\w)])-(?=\d)")
_ONE_OF_MANY = re.compile(r"^1 ([a-z]+)s$")
# Letters the embedded font lacks, each with one of the same meaning that it has.
_DRAWABLE = str.maketrans({"\u2009": "\u202f", "\u2011": "-", "\u00ad": "", "\t": " ", "\r": ""})


def for_people(text: str, language: Language = "en") -> str:
    """`≤ 0.50 {EU}/mL` -> `≤ 0.50 EU/mL`; `1.2E+11 {particles}/mL` -> `1.2 × 10¹¹ particles/mL`; `7.3 [pH]` -> `7.3`.

    A unit is read where it follows a number; a code that is no unit of ours loses its braces only.
    """
    written = _UNIT.sub(lambda found: " " + getattr(UNITS[found[1]], language), _NO_UNIT.sub("", text))
    written = _MINUS.sub("−", pretty(_ANNOTATION.sub(r"\1", written)))
    return _ONE_OF_MANY.sub(r"1 \1", written.strip())


def drawable(text: str) -> str:
    """The text in composed letters (NFC), with spaces and hyphens of a kind the embedded font has."""
    return unicodedata.normalize("NFC", text).translate(_DRAWABLE)


def in_utc(moment: datetime) -> datetime:
    """The moment in UTC; without a zone it is UTC already, never the zone of the machine that draws."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def at_site(moment: datetime, zone: str) -> datetime:
    """The moment on the clock of the site (IANA zone name)."""
    return in_utc(moment).astimezone(ZoneInfo(zone))


def utc_time(moment: datetime) -> str:
    """`2026-11-20 08:31:05 UTC`."""
    return in_utc(moment).strftime("%Y-%m-%d %H:%M:%S UTC")


def site_time(moment: datetime, zone: str) -> str:
    """`2026-11-20 09:31:05 +01:00 (Europe/Berlin)`."""
    local = at_site(moment, zone)
    return f"{local:%Y-%m-%d %H:%M:%S} {local.isoformat()[-6:]} ({zone})"


def site_date(moment: datetime, zone: str) -> str:
    """`2026-11-20`, the calendar date at the site."""
    return at_site(moment, zone).date().isoformat()
