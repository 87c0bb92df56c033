"""Numbers of lots, steps, samples and certificates: unique, never reused, gap-free in their series.

The counter is raised inside the act: an act that is undone gives its number back, and two acts at once wait for each
other.
"""

import re
from datetime import date

import sqlalchemy as sa
from sqlmodel import SQLModel

from domain.errors import Invalid, Reason
from domain.work import Work

MAXIMUM_LENGTH = 20  # GS1 General Specifications, AI (10): X..20

#: Of the GS1 set (AI encodable character set 82) those that are the same however people type them, and safe in an address.
GS1_CHARACTERS = re.compile(r"[A-Z0-9._-]+")

counters = sa.Table(
    "number_series",
    SQLModel.metadata,
    sa.Column("series", sa.Text, primary_key=True),
    sa.Column("last", sa.Integer, nullable=False),
)

_next = sa.text(
    "INSERT INTO number_series (series, last) VALUES (:series, 1)"
    " ON CONFLICT (series) DO UPDATE SET last = number_series.last + 1 RETURNING last"
)


def count_in(work: Work, series: str) -> int:
    """The next count of a series, from 1."""
    return int(work.session.connection().execute(_next, {"series": series}).scalar_one())


def next_number(work: Work, scheme: str, series: str, on: date) -> str:
    """The next number under a scheme with `{series}`, `{year}` and `{count}`, such as `{series}{year:02d}-{count:04d}`.

    Raises Invalid when the scheme would give more than 20 characters or one outside A-Z, 0-9, `.`, `_` and `-`.
    """
    key = _formatted(scheme, series, on, 0)
    if key == _formatted(scheme, series, on, 1):
        raise Invalid(
            Reason(
                "lot-number-scheme", f"the lot-number scheme {scheme!r} has no {{count}}, so no number would be unique"
            )
        )
    number = _formatted(scheme, series, on, count_in(work, key))
    if len(number) > MAXIMUM_LENGTH or not GS1_CHARACTERS.fullmatch(number):
        raise Invalid(
            Reason(
                "lot-number-scheme",
                f"the scheme {scheme!r} gives {number!r}: at most 20 characters of the GS1 set are allowed, and of these A-Z, 0-9, '.', '_' and '-'",
            )
        )
    return number


def _formatted(scheme: str, series: str, on: date, count: int) -> str:
    try:
        return scheme.format(series=series, year=on.year % 100, count=count)
    except (KeyError, IndexError, ValueError, AttributeError, TypeError) as error:
        text = (
            f"the lot-number scheme {scheme!r} cannot be used ({error}); allowed are {{series}}, {{year}} and {{count}}"
        )
        raise Invalid(Reason("lot-number-scheme", text)) from None


def gtin_is_valid(gtin: str) -> bool:
    """Whether 14 digits end in their GS1 check digit (mod 10, weights 3 and 1 from the right)."""
    if not re.fullmatch(r"[0-9]{14}", gtin):
        return False
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(gtin[:13]))
    return (10 - total % 10) % 10 == int(gtin[13])
