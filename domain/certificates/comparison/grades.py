"""How far two figures can be compared, and when they differ (domain.md 7).

Two results differ only if their ratio exceeds exp(1.96 * sqrt(2) * s), s = sqrt(ln(1 + CV^2)). Day to day one laboratory's NTA varies by
up to 25 % (J Extracell Vesicles 2017;6:1344087), six laboratories' TRPS by 52.5 % (2016;5:31242): so within 2-fold (A) or 4-fold (B)
figures cannot be told apart.
"""

import math
import re
from collections.abc import Mapping, Sequence
from decimal import ROUND_DOWN, ROUND_UP, Context, Decimal

from domain.certificates.comparison.shapes import Figure, Grade, Pair
from domain.certificates.content import TestLine, Words

#: Coefficient of variation of repeated measurements: in one laboratory (A), between laboratories (B).
SPREADS: Mapping[str, float] = {"A": 0.25, "B": 0.525}

#: A ratio is shown with three figures, rounded away from the factor, so that it never seems to equal what it exceeds.
_SHOWN = {True: Context(prec=3, rounding=ROUND_UP), False: Context(prec=3, rounding=ROUND_DOWN)}


def log_sd(cv: float) -> float:
    """The standard deviation of the logarithm of a log-normal quantity with this coefficient of variation."""
    return math.sqrt(math.log(1 + cv**2))


def least_ratio(cv: float) -> float:
    """From which ratio on two single results differ, with 95 % confidence."""
    return math.exp(1.96 * math.sqrt(2) * log_sd(cv))


FACTORS: Mapping[str, int] = {grade: math.ceil(least_ratio(cv)) for grade, cv in SPREADS.items()}


#: Principles by the words that name them, as laboratories write them; others are the same only if they are written alike.
PRINCIPLES: Mapping[str, tuple[str, ...]] = {
    "NTA": ("nta", "nanoparticle tracking", "particle tracking"),
    "TRPS": ("trps", "resistive pulse"),
    "nFCM": ("nfcm", "nano-flow", "nanoflow", "nano flow"),
    "DLS": ("dls", "dynamic light scattering"),
    "SP-IRIS": ("sp-iris", "interferometric"),
    "bead-based flow cytometry": ("bead",),
    "BCA": ("bca", "bicinchoninic"),
    "Bradford": ("bradford",),
    "Qubit": ("qubit",),
    "ELISA": ("elisa",),
    "qPCR": ("qpcr", "quantitative pcr"),
    "Karl Fischer": ("karl fischer",),
    "TGA": ("tga", "thermogravimetr"),
    "recombinant factor C": ("recombinant factor c", "rfc"),
    "kinetic chromogenic": ("chromogenic",),
}

#: Tests whose figures mean nothing without the instrument (J Extracell Vesicles 2017;6:1344087).
_BY_INSTRUMENT = ("PART-", "SIZE-", "TET-")


def principle_of(line: TestLine) -> str:
    """The principle under one name, however it was written: `Nanoparticle tracking analysis (NTA), 488 nm` is NTA."""
    said = _folded(line.principle)
    known = (name for name, words in PRINCIPLES.items() for word in words if re.search(rf"\b{re.escape(word)}", said))
    return next(known, said)


def grade(firsts: Sequence[TestLine], seconds: Sequence[TestLine], same_laboratory: bool) -> tuple[Grade, Words]:
    """The grade of two figures and why, from the measured lines that each rests on: the worst of all."""
    ours, theirs = ({line.code: line for line in lines} for lines in (firsts, seconds))
    if not ours or ours.keys() != theirs.keys():
        return "D", Words(en="not stated how both were found", de="nicht angegeben, wie beide ermittelt wurden")
    found = [_of_lines(ours[code], theirs[code], same_laboratory) for code in ours]
    return max(found, key=lambda one: one[0])


def _of_lines(one: TestLine, other: TestLine, same_laboratory: bool) -> tuple[Grade, Words]:
    if unstated := [*_unstated(one), *_unstated(other)]:
        names = list(dict.fromkeys(unstated))
        return "D", Words(
            en=f"not stated: {', '.join(en for en, _ in names)}",
            de=f"nicht angegeben: {', '.join(de for _, de in names)}",
        )
    principle = principle_of(one)
    if principle != principle_of(other):
        named = f"{one.principle}, {other.principle}"
        return "C", Words(en=f"different principles: {named}", de=f"verschiedene Prinzipien: {named}")
    differing = [
        words
        for words, same in (
            (("other laboratory", "anderes Labor"), same_laboratory),
            (("other method or version", "andere Methode oder Version"), _method(one) == _method(other)),
            (("other instrument", "anderes Gerät"), _folded(one.instrument) == _folded(other.instrument)),
            (("other reference material", "anderes Referenzmaterial"), _reference(one) == _reference(other)),
        )
        if not same
    ]
    if differing:
        return "B", Words(
            en=f"same principle ({principle}), {', '.join(en for en, _ in differing)}",
            de=f"gleiches Prinzip ({principle}), {', '.join(de for _, de in differing)}",
        )
    method = f"{one.method_code} v{one.method_revision}"
    return "A", Words(en=f"same laboratory, same method ({method})", de=f"gleiches Labor, gleiche Methode ({method})")


def _unstated(line: TestLine) -> list[tuple[str, str]]:
    needed = [
        (("method", "Methode"), line.method_code),
        (("method version", "Methodenversion"), line.method_revision),
        (("principle", "Prinzip"), line.principle),
    ]
    if line.code.startswith(_BY_INSTRUMENT):
        needed.append((("instrument", "Gerät"), line.instrument))
    return [words for words, given in needed if given is None or not str(given).strip()]


def _method(line: TestLine) -> tuple[str, int | None]:
    return _folded(line.method_code), line.method_revision


def _reference(line: TestLine) -> str:
    """The reference material measured beside it, where the settings state one."""
    return next((_folded(value) for name, value in line.settings if _folded(name).startswith("reference")), "")


def _folded(text: str | None) -> str:
    return " ".join((text or "").split()).casefold()


def judged(place: tuple[int, int], figures: tuple[Figure, Figure], found: tuple[Grade, Words]) -> Pair:
    """What can be said of two figures of a grade; of C and D, and of what is not a plain number above zero, no ratio is given."""
    (first, second), (grade_, why) = place, found
    one, other = figures
    factor = FACTORS.get(grade_)
    if factor is None:
        return Pair(first=first, second=second, grade=grade_, why=why, saying="side_by_side", said=_SIDE_BY_SIDE)
    if one.comparator or other.comparator:
        return Pair(first=first, second=second, grade=grade_, why=why, saying="no_ratio", said=_CENSORED)
    if not one.value or not other.value or min(one.value, other.value) <= 0:
        return Pair(first=first, second=second, grade=grade_, why=why, saying="no_ratio", said=_ZERO)
    low, high = sorted((one.value, other.value))
    differ = high > low * factor
    ratio = _SHOWN[differ].divide(high, low)
    ratio = ratio.quantize(Decimal("0.01")) if ratio < 10 else ratio
    shown = f"{ratio:f}"
    return Pair(
        first=first,
        second=second,
        grade=grade_,
        why=why,
        saying="different" if differ else "not_distinguishable",
        said=_different(shown, factor) if differ else _alike(shown, factor),
        ratio=ratio,
        factor=factor,
    )


_SIDE_BY_SIDE = Words(en="not comparable; shown side by side only", de="nicht vergleichbar; nur nebeneinander gezeigt")
_CENSORED = Words(
    en="no ratio: a figure is only known to lie below or above a limit",
    de="kein Verhältnis: von einem Wert ist nur bekannt, dass er unter oder über einer Grenze liegt",
)
_ZERO = Words(en="no ratio: a figure is zero", de="kein Verhältnis: ein Wert ist null")


def _alike(ratio: str, factor: int) -> Words:
    return Words(
        en=f"not distinguishable: {ratio}-fold, within {factor}-fold",
        de=f"nicht unterscheidbar: {ratio}-fach, innerhalb {factor}-fach",
    )


def _different(ratio: str, factor: int) -> Words:
    return Words(
        en=f"different: {ratio}-fold, more than {factor}-fold", de=f"verschieden: {ratio}-fach, mehr als {factor}-fach"
    )
