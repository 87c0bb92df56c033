"""Numbers of lots, steps, samples and certificates: unique, never reused, gap-free in their series.

The counter is raised inside the act: an act that is undone gives its number back, and two acts at once wait for each
other.
"""

import re
from datetime import date

import sqlalchemy as sa
from sqlmodel import SQLModel

from domain.errors import Invalid, Reason
from domain.gs1 import LOT_LENGTH
from domain.work import Work

MAXIMUM_LENGTH = LOT_LENGTH  # a lot number fits a GS1 code

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

    Raises Invalid as `checked_scheme` does.
    """
    counted = count_in(work, _formatted(scheme, series, on, 0))
    return checked_scheme(scheme, series, on, counted)


def checked_scheme(scheme: str, series: str = "ABCDEF", on: date = date(2026, 1, 1), count: int = 9999) -> str:
    """The number that a scheme gives, by default a long one.

    Raises Invalid when the scheme cannot be used, has no `{count}`, or gives more than 20 characters or one outside A-Z, 0-9, `.`, `_`, `-`.
    """
    number = _formatted(scheme, series, on, count)
    if number == _formatted(scheme, series, on, count + 1):
        text = f"the lot-number scheme {scheme!r} has no {{count}}, so no number would be unique"
        raise Invalid(Reason("lot-number-scheme", text))
    if len(number) > MAXIMUM_LENGTH or not GS1_CHARACTERS.fullmatch(number):
        text = (
            f"the scheme {scheme!r} gives {number!r}: at most 20 characters of the GS1 set are allowed,"
            " and of these A-Z, 0-9, '.', '_' and '-'"
        )
        raise Invalid(Reason("lot-number-scheme", text))
    return number


def _formatted(scheme: str, series: str, on: date, count: int) -> str:
    try:
        return scheme.format(series=series, year=on.year % 100, count=count)
    except (KeyError, IndexError, ValueError, AttributeError, TypeError) as error:
        text = (
            f"the lot-number scheme {scheme!r} cannot be used ({error}); allowed are {{series}}, {{year}} and {{count}}"
        )
        raise Invalid(Reason("lot-number-scheme", text)) from None
