"""What a comparison is made of: columns (certificates), rows (figures on one scale) and what can be said of each pair."""

from datetime import date, datetime
from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from domain.certificates.content import Words

Grade = Literal["A", "B", "C", "D"]
Saying = Literal["not_distinguishable", "different", "side_by_side", "no_ratio"]


class Part(BaseModel):
    """A part of a comparison does not change."""

    model_config = ConfigDict(frozen=True)


class Fact(Part):
    """Something that must be known to read a figure: method, instrument, denominator …"""

    label: Words
    text: Words


class Figure(Part):
    """What one certificate says in one row.

    value: in the row's unit, before rounding; None when it is missing. text: for people, with its unit; rounded as the certificate prints it, or four
    digits of a computed figure.
    comparator: `<` or `>`, when it is only known to lie below or above the value.
    missing: why there is no figure; it is never zero instead. note: what else is said of it, such as its purity class.
    """

    value: Decimal | None = None
    text: str | None = None
    comparator: Literal["<", ">"] | None = None
    missing: Words | None = None
    note: Words | None = None
    beside: tuple[Fact, ...] = ()


class Pair(Part):
    """What can be said of two figures, by the places of their columns.

    grade: A same laboratory and method version; B same principle; C different principles, shown side by side and never ranked; D something
    that must be known is not stated. ratio: of the larger to the smaller, where the grade allows one; factor: up to which the two cannot be
    told apart.
    """

    first: int
    second: int
    grade: Grade
    why: Words
    saying: Saying
    said: Words
    ratio: Decimal | None = None
    factor: int | None = None


class Row(Part):
    """A figure of every certificate on one scale, in one unit (UCUM). compared: pairs are judged; else the figures only inform."""

    code: str
    title: Words
    unit: str
    scale: Literal["logarithmic", "linear"]
    help: Words
    compared: bool
    figures: tuple[Figure, ...]
    pairs: tuple[Pair, ...] = ()


class Column(Part):
    """A certificate that is compared. verified: it was issued here, word for word; else a file says so, and nobody here vouches for it."""

    verified: bool
    lot_number: str
    product: Words
    manufacturer: str
    certificate_number: str
    revision: int
    issued_at: datetime
    expires_on: date
    specification: str
    regulatory_notice: Words
    storage: Words
    demonstration: bool


class Comparison(Part):
    """Two to five certificates side by side. No row names a winner. vials_per_dose: as whoever compares said."""

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    vials_per_dose: int | None = Field(description="as entered by whoever compares; figures for a dose rest on it")
    as_of: date
