"""Two to five certificates side by side: each figure on one scale, how far two can be compared, and no winner.

Particle figures depend on the instrument, the method and the laboratory: each pair gets a grade of comparability, and figures within the
measurement's own spread are called not distinguishable (domain.md 7). What is missing is missing, never zero.
"""

from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from itertools import combinations
from typing import Literal, cast

from domain.certificates.comparison.grades import grade, judged, principle_of
from domain.certificates.comparison.rows import (
    MEASURED,
    Measured,
    different_convention,
    lower_limit_unstated,
    metadata,
    misev,
)
from domain.certificates.comparison.shapes import Column, Comparison, Fact, Figure, Grade, Pair, Row
from domain.certificates.comparison.sides import Found, Missing, Side, figure
from domain.certificates.content import CertificateContent, TestLine, Words
from domain.errors import Invalid, Reason

FEWEST, MOST = 2, 5
MOST_VIALS = 100


def compare(
    certificates: Sequence[tuple[CertificateContent, bool]], today: date, vials_per_dose: int | None = None
) -> Comparison:
    """The comparison of two to five certificates, each with whether it is known to be issued here, in the order given.

    vials_per_dose: for figures per dose. Raises Invalid: `too-few-to-compare`, `too-many-to-compare`, `compared-twice`, `vials-per-dose`.
    """
    _check(certificates, vials_per_dose)
    sides = [Side(content, verified, vials_per_dose) for content, verified in certificates]
    measured = [_measured(row, sides) for row in MEASURED]
    told = [_dated(name, sides, today) for name in _DATES]
    return Comparison(
        columns=tuple(_column(side) for side in sides),
        rows=(*measured, *told, _transparency(sides)),
        vials_per_dose=vials_per_dose,
        as_of=today,
    )


def _check(certificates: Sequence[tuple[CertificateContent, bool]], vials_per_dose: int | None) -> None:
    if len(certificates) < FEWEST:
        raise Invalid(Reason("too-few-to-compare", "a comparison needs at least two lots", "lots"))
    if len(certificates) > MOST:
        raise Invalid(Reason("too-many-to-compare", "a comparison takes at most five lots", "lots"))
    if len({content.sha256() for content, _ in certificates}) < len(certificates):
        raise Invalid(Reason("compared-twice", "each lot is named once", "lots"))
    if vials_per_dose is not None and not 1 <= vials_per_dose <= MOST_VIALS:
        raise Invalid(Reason("vials-per-dose", f"a dose is 1 to {MOST_VIALS} vials", "vials_per_dose"))


def _column(side: Side) -> Column:
    content = side.content
    return Column(
        verified=side.verified,
        lot_number=content.lot.number,
        product=content.product.name,
        manufacturer=content.manufacturer.name,
        certificate_number=content.number,
        revision=content.revision,
        issued_at=content.issued_at,
        expires_on=content.lot.expires_on,
        specification=content.specification,
        regulatory_notice=content.product.regulatory_notice,
        storage=content.product.storage,
        demonstration=content.demonstration,
    )


def _measured(row: Measured, sides: Sequence[Side]) -> Row:
    figures: list[Figure] = []
    founds: list[Found | None] = []
    for side in sides:
        try:
            found = row.find(side)
        except Missing as missing:
            figures.append(Figure(missing=missing.words))
            founds.append(None)
            continue
        figures.append(figure(found, row.unit, tuple(_beside(row, side, found.lines))))
        founds.append(found)
    pairs: list[Pair] = []
    for first, second in combinations(range(len(sides)), 2):
        one, other = founds[first], founds[second]
        if one is not None and other is not None:
            graded = _graded(row, (sides[first], sides[second]), (one, other))
            pairs.append(judged((first, second), (figures[first], figures[second]), graded))
    return Row(
        code=row.code,
        title=row.title,
        unit=row.unit,
        scale=cast(Literal["logarithmic", "linear"], row.scale),
        help=row.help,
        compared=True,
        figures=tuple(figures),
        pairs=tuple(pairs),
    )


def _graded(row: Measured, sides: tuple[Side, Side], founds: tuple[Found, Found]) -> tuple[Grade, Words]:
    """The grade of the methods, lowered by what a size or a percentage needs besides."""
    one, other = sides
    found = grade(founds[0].lines, founds[1].lines, _same_laboratory(one, other))
    lowered: list[tuple[Grade, Words]] = [found]
    if row.sized and (lower_limit_unstated(one) or lower_limit_unstated(other)):
        lowered.append(("D", Words(en="not stated: lower size limit", de="nicht angegeben: untere Größengrenze")))
    elif row.sized and different_convention(one, other):
        lowered.append(
            ("C", Words(en="evaluated by different conventions", de="nach verschiedenen Konventionen ausgewertet"))
        )
    if row.one_count:
        lowered += _by_count(founds)
    if row.denominator is not None:
        lowered += _by_denominator(row.denominator, sides)
    return max(lowered, key=lambda graded: graded[0])


def _by_count(founds: tuple[Found, Found]) -> list[tuple[Grade, Words]]:
    """A share that one principle found, times a count of another, is no count of either: never set against anything (domain.md 7)."""
    principles = [list(dict.fromkeys(principle_of(line) for line in found.lines)) for found in founds]
    mixed = next((named for named in principles if len(named) > 1), None)
    if mixed is None:
        return []
    named = ", ".join(mixed)
    return [
        (
            "C",
            Words(
                en=f"joins figures of different principles: {named}",
                de=f"verbindet Werte verschiedener Prinzipien: {named}",
            ),
        )
    ]


def _by_denominator(code: str, sides: tuple[Side, Side]) -> list[tuple[Grade, Words]]:
    try:
        first, second = (side.denominator(code) for side in sides)
    except Missing as unstated:
        return [("D", unstated.words)]
    same = first[0] == second[0] == "all" or first[1].en.casefold() == second[1].en.casefold()
    return [] if same else [("C", Words(en="percent of different things", de="Prozent von Verschiedenem"))]


def _same_laboratory(one: Side, other: Side) -> bool:
    """Whether the maker is one and the same; a file that nobody vouches for is never taken for a certificate of this site."""
    makers = [(side.content.manufacturer.name, side.content.manufacturer.address) for side in (one, other)]
    return one.verified == other.verified and makers[0] == makers[1]


def _beside(row: Measured, side: Side, lines: Sequence[TestLine]) -> list[Fact]:
    told = metadata(lines)
    shown = side.distribution()
    if row.sized and shown is not None:
        told += [(_LOWER, shown.lower_limit), (_CONVENTION, shown.convention)]
    if row.code.startswith("endotoxin"):
        told.append((_ROUTE, side.content.product.route))
    if row.unit.endswith("{vial}"):
        told.append((_RECONSTITUTION, side.content.product.reconstitution))
    return [Fact(label=label, text=text) for label, text in told]


_LOWER = Words(en="Lower limit", de="Untere Grenze")
_CONVENTION = Words(en="Convention", de="Konvention")
_ROUTE = Words(en="Route", de="Anwendung")
_RECONSTITUTION = Words(en="Reconstitution", de="Rekonstitution")

_Dated = tuple[str, Words, Words, Callable[[Side, date], int]]


def _age(side: Side, today: date) -> int:
    return _months(side.content.lot.manufactured_on, today)


def _left(side: Side, today: date) -> int:
    return _months(today, side.content.lot.expires_on)


def _age_at_test(side: Side, _today: date) -> int:
    return _months(side.content.lot.manufactured_on, side.content.lot.tested_until)


_DATES: Sequence[_Dated] = (
    ("age", Words(en="Age", de="Alter"), Words(en="Whole months since manufacture.", de="Volle Monate seit der Herstellung."), _age),
    ("age-at-test", Words(en="Age when tested", de="Alter bei der Prüfung"),
     Words(en="Whole months from manufacture to the last test.", de="Volle Monate von der Herstellung bis zur letzten Prüfung."), _age_at_test),
    ("months-to-expiry", Words(en="Months to expiry", de="Monate bis zum Verfall"),
     Words(en="Whole months that are left; below zero it is expired.", de="Volle verbleibende Monate; unter null ist es verfallen."), _left),
)  # fmt: skip


def _months(first: date, last: date) -> int:
    """Whole months from one day to another; below zero when the second comes first."""
    if last < first:
        return -_months(last, first) or -1
    return 12 * (last.year - first.year) + last.month - first.month - (last.day < first.day)


def _dated(row: _Dated, sides: Sequence[Side], today: date) -> Row:
    code, title, explained, count = row
    storage = Words(en="Storage", de="Lagerung")
    figures = tuple(
        figure(Found(Decimal(count(side, today))), "mo", (Fact(label=storage, text=side.content.product.storage),))
        for side in sides
    )
    return Row(code=code, title=title, unit="mo", scale="linear", help=explained, compared=False, figures=figures)


def _transparency(sides: Sequence[Side]) -> Row:
    figures = []
    for side in sides:
        done, undone = misev(side)
        note = Words(
            en=f"not shown: {', '.join(one.en for one in undone)}",
            de=f"nicht gezeigt: {', '.join(one.de for one in undone)}",
        )
        figures.append(figure(Found(Decimal(done), note=note if undone else None), "1"))
    return Row(
        code="misev",
        title=Words(en="MISEV items shown (of 8)", de="Gezeigte MISEV-Punkte (von 8)"),
        unit="1",
        scale="linear",
        help=Words(
            en="How much the certificate tells, not how good the lot is (MISEV2023).",
            de="Wie viel das Zertifikat sagt, nicht wie gut die Charge ist (MISEV2023).",
        ),
        compared=False,
        figures=tuple(figures),
    )
