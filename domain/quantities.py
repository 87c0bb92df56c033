"""Quantities: an exact decimal and a unit of a closed list.

Units are UCUM codes (https://ucum.org). The arithmetic of units is Pint's, with a registry file of our own
(`units.txt`) and Decimal throughout; which codes exist, and which may be converted into each other, is the table
`UNITS`. What somebody typed is kept beside the value.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Context, Decimal, localcontext
from functools import total_ordering
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal

import pint
from pydantic import BeforeValidator

from domain.errors import Invalid, Reason

MAX_CHARACTERS = 40
MAX_EXPONENT = 20
_EXACT = Context(prec=50)
_DECIMAL = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE](?P<exponent>[+-]?[0-9]{1,5}))?")
_POWER_OF_TEN = re.compile(r"(?<![\w.])([+-]?[0-9]+(?:\.[0-9]+)?)[eE]([+-]?[0-9]{1,2})(?!\w|\.[0-9])")
_SUPERSCRIPT = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")

Language = Literal["en", "de"]


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of the closed list.

    ucum: the code that is stored. expression: what Pint reads. dimension: units of the same dimension, and only
    those, convert into each other. en, de: what people read. factor, offset: base value = magnitude * factor + offset.
    """

    ucum: str
    expression: str
    dimension: str
    en: str
    de: str
    factor: Decimal
    offset: Decimal


# UCUM code | Pint expression | dimension | English [| German, where it differs]
_TABLE = """
1 | 1 | ratio |
% | 1 / 100 | ratio | %
L | L | volume | L
mL | mL | volume | mL
uL | uL | volume | µL
kg | kg | mass | kg
g | g | mass | g
mg | mg | mass | mg
ug | ug | mass | µg
ng | ng | mass | ng
m | m | length | m
cm | cm | length | cm
mm | mm | length | mm
um | um | length | µm
nm | nm | length | nm
m2 | m ** 2 | area | m²
cm2 | cm ** 2 | area | cm²
a | a | time | years | Jahre
mo | mo | time | months | Monate
d | d | time | days | Tage
h | h | time | h
min | min | time | min
s | s | time | s
/s | 1 / s | rate | 1/s
Cel | Cel | temperature | °C
K | K | temperature | K
Cel/min | K / min | temperature ramp | °C/min
bar | bar | pressure | bar
mbar | mbar | pressure | mbar
kPa | kPa | pressure | kPa
Pa | Pa | pressure | Pa
mbar.L/s | mbar * L / s | leak rate | mbar·L/s
mL/min | mL / min | flow | mL/min
L/m2 | L / m ** 2 | filter load | L/m²
L/(m2.h) | L / (m ** 2 * h) | flux | L/(m²·h)
N | N | force | N
mV | mV | voltage | mV
mS/cm | mS / cm | conductivity | mS/cm
mPa.s | mPa * s | viscosity | mPa·s
[pH] | pH | pH | pH
mosm/kg | mosm / kg | osmolality | mosmol/kg
mol/L | mol / L | molarity | mol/L
mmol/L | mmol / L | molarity | mmol/L
g/L | g / L | mass concentration | g/L
mg/mL | mg / mL | mass concentration | mg/mL
ug/mL | ug / mL | mass concentration | µg/mL
ng/mL | ng / mL | mass concentration | ng/mL
ng/ug | ng / ug | mass ratio | ng/µg
mg/{vial} | mg / vial | mass per vial | mg/vial | mg/Vial
ug/{vial} | ug / vial | mass per vial | µg/vial | µg/Vial
ng/{vial} | ng / vial | mass per vial | ng/vial | ng/Vial
ug/{dose} | ug / dose | mass per dose | µg/dose | µg/Dosis
ng/{dose} | ng / dose | mass per dose | ng/dose | ng/Dosis
kDa | kDa | molar mass cut-off | kDa
{g} | rcf | relative centrifugal force | × g
U | U | enzyme activity | U
U/mL | U / mL | enzyme activity concentration | U/mL
{cells} | cell | cells | cells | Zellen
10*6.{cells} | 1e6 * cell | cells | million cells | Mio. Zellen
{cells}/mL | cell / mL | cell concentration | cells/mL | Zellen/mL
10*6.{cells}/mL | 1e6 * cell / mL | cell concentration | million cells/mL | Mio. Zellen/mL
{cells}/cm2 | cell / cm ** 2 | cells per area | cells/cm² | Zellen/cm²
10*6.{cells}/{vial} | 1e6 * cell / vial | cells per vial | million cells/vial | Mio. Zellen/Vial
{particles} | particle | particles | particles | Partikel
{particles}/mL | particle / mL | particle concentration | particles/mL | Partikel/mL
{particles}/ug | particle / ug | particles per mass | particles/µg | Partikel/µg
{particles}/{vial} | particle / vial | particles per vial | particles/vial | Partikel/Vial
{particles}/{container} | particle / container | particles per container | particles/container | Partikel/Behältnis
{particles}/{dose} | particle / dose | particles per dose | particles/dose | Partikel/Dosis
{particles}/{cell} | particle / cell | particles per cell | particles/cell | Partikel/Zelle
{particles}/{frame} | particle / frame | particles per frame | particles/frame | Partikel/Bild
/m3 | 1 / m ** 3 | airborne particles | per m³ | pro m³
{EU} | EU | endotoxin | EU
{EU}/mL | EU / mL | endotoxin concentration | EU/mL
[iU]/mL | IU / mL | endotoxin concentration | IU/mL | I.E./mL
{EU}/{vial} | EU / vial | endotoxin per vial | EU/vial | EU/Vial
{EU}/{dose} | EU / dose | endotoxin per dose | EU/dose | EU/Dosis
{EU}/(kg.h) | EU / (kg * h) | endotoxin per body mass and time | EU/(kg·h)
[CFU] | CFU | colonies | CFU | KBE
[CFU]/mL | CFU / mL | bioburden | CFU/mL | KBE/mL
[CFU]/(100.mL) | CFU / (100 * mL) | bioburden | CFU/100 mL | KBE/100 mL
{vial} | vial | vials | vials | Vials
{container} | container | containers | containers | Behältnisse
{bag} | bag | bags | bags | Beutel
{flask} | flask | flasks | flasks | Flaschen
{dose} | dose | doses | doses | Dosen
{unit} | piece | units | units | Stück
"""


def _read_units() -> dict[str, Unit]:
    """The table, with factors from Pint; a code given twice or a dimension of two kinds stops the program."""
    definitions = str(Path(__file__).with_name("units.txt"))
    registry: pint.UnitRegistry[Decimal] = pint.UnitRegistry(definitions, non_int_type=Decimal)
    units: dict[str, Unit] = {}
    kinds: dict[str, pint.util.UnitsContainer] = {}
    for line in _TABLE.strip().splitlines():
        ucum, expression, dimension, en, *other = (cell.strip() for cell in line.split("|"))
        read = registry.Quantity(registry.parse_expression(expression))
        unit = registry.Unit(read.units)
        zero, one = (
            Decimal(str(registry.Quantity(value, unit).to_root_units().magnitude)).normalize()
            for value in (Decimal(0), read.magnitude)
        )
        if ucum in units or kinds.setdefault(dimension, unit.dimensionality) != unit.dimensionality:
            raise ValueError(f"units: {ucum} stands twice, or is not a {dimension}")
        units[ucum] = Unit(ucum, expression, dimension, en, other[0] if other else en, one - zero, zero)
    return units


with localcontext(_EXACT):
    UNITS: Mapping[str, Unit] = MappingProxyType(_read_units())

# How people write a unit, folded -> the code we store: only ever a hint, never a silent repair.
_WRITTEN = {
    written.casefold(): unit.ucum
    for unit in UNITS.values()
    for written in (unit.ucum.replace("{", "").replace("}", ""), unit.en, unit.de, unit.ucum)
    if written
}


def _read_spellings() -> dict[str, str]:
    """Usual spellings of the units, exact in their letters (a millilitre is no megalitre), each of one unit alone."""
    found: dict[str, set[str]] = {}
    for unit in UNITS.values():
        base = {unit.ucum.replace("{", "").replace("}", ""), unit.en, unit.de} - {""}
        base |= {re.sub(r"^ug\b", "mcg", one) for one in base}
        base |= {one.replace("mosmol", other) for one in base for other in ("mosm", "mOsm", "mOsmol")}
        base |= {one.replace("°C", "degC") for one in base}
        for one in base | {re.sub(r"(?<![A-Za-z])([mµu]?)L\b", r"\1l", one) for one in base}:
            found.setdefault(one, set()).add(unit.ucum)
    return {one: codes.pop() for one, codes in found.items() if len(codes) == 1 and one not in UNITS}


#: How people write a unit -> the code that is stored: what is typed so is read so, and shown in one form everywhere.
SPELLINGS: Mapping[str, str] = MappingProxyType(_read_spellings())


def ucum(written: object) -> Any:
    """The code of a unit that is written in a usual way; anything else as it is, to be refused where it is used."""
    plain = written.strip().replace("μ", "µ") if isinstance(written, str) else written
    return SPELLINGS.get(plain, written) if isinstance(plain, str) else written


#: The unit of a command: a code, or a usual spelling of one.
UnitCode = Annotated[str, BeforeValidator(ucum)]


def unit_of(code: object, field: str | None = None) -> Unit:
    """The unit with this UCUM code; Invalid (`unknown-unit`) with a hint, if there is none."""
    if isinstance(code, str) and code in UNITS:
        return UNITS[code]
    raise Invalid(Reason("unknown-unit", f"{_shown(code)} is not a unit known here; {_hint(code)}.", field))


def units_like(code: str) -> tuple[str, ...]:
    """The UCUM codes that convert into `code` and back, itself included."""
    return tuple(unit.ucum for unit in UNITS.values() if unit.dimension == unit_of(code).dimension)


def _hint(code: object) -> str:
    written = code.strip().replace("μ", "µ").casefold() if isinstance(code, str) else ""
    if "[eu]" in written:
        return "in UCUM [EU] is the Ehrlich unit: for endotoxin write {EU}, as in {EU}/mL"
    if "torr" in written:
        return "write a pressure in mbar or Pa (100 mTorr = 0.1333 mbar)"
    if written in _WRITTEN:
        return f"write {_WRITTEN[written]}"
    return "units are UCUM codes such as mL, ug/mL, Cel, {particles}/mL or {EU}/mL"


def _shown(given: object) -> str:
    """What was given, fit for one line of a message."""
    text = repr(given)
    return text if len(text) <= 60 else text[:57] + "..."


def parse_decimal(text: object, field: str | None = None) -> Decimal:
    """The number as typed, trailing zeros kept ("7.40" stays 7.40).

    Allowed: an optional sign, digits, one decimal point between digits, an exponent within ±20; ASCII only, at most 40
    characters. All else, blanks, NaN and what is not text included, is Invalid (`not-a-number`): nothing is guessed.
    """
    match = _DECIMAL.fullmatch(text) if isinstance(text, str) and len(text) <= MAX_CHARACTERS else None
    if match and abs(int(match["exponent"] or 0)) <= MAX_EXPONENT:
        return Decimal(match[0])
    raise Invalid(Reason("not-a-number", f"{_shown(text)} is not a number: {_number_hint(text)}.", field))


def _number_hint(text: object) -> str:
    if not isinstance(text, str):
        return "a number is given as text, such as 7.40 or 1.2E+11"
    if not text.strip():
        return "nothing was given, and an empty field is never read as zero"
    if len(text) > MAX_CHARACTERS:
        return f"at most {MAX_CHARACTERS} characters are allowed"
    if "," in text:
        return "use a decimal point and no thousands separator, as in 1.5 or 1500"
    if _DECIMAL.fullmatch(text):
        return f"the exponent may be at most {MAX_EXPONENT}"
    return "digits with at most one decimal point between them are allowed, such as 7.40, -80 or 1.2E+11"


def convert(magnitude: Decimal, from_unit: str, to_unit: str, field: str | None = None) -> Decimal:
    """`magnitude` in `to_unit`: 50 digits, trailing zeros dropped; the same unit gives the very same number.

    Invalid: `unknown-unit`, `incompatible-units` (the text lists what is compatible), `not-a-number` for NaN, infinity.
    """
    source, target = unit_of(from_unit, field), unit_of(to_unit, field)
    if not magnitude.is_finite():
        raise Invalid(Reason("not-a-number", f"{magnitude} cannot be converted: it is not a finite number.", field))
    if source is target:
        return magnitude
    if source.dimension != target.dimension:
        allowed = ", ".join(units_like(to_unit))
        text = f"{from_unit} ({source.dimension}) cannot become {to_unit} ({target.dimension}); allowed: {allowed}."
        raise Invalid(Reason("incompatible-units", text, field))
    base = _base(magnitude, source)
    return _EXACT.normalize(_EXACT.divide(_EXACT.subtract(base, target.offset), target.factor))


def _base(magnitude: Decimal, unit: Unit) -> Decimal:
    return _EXACT.add(_EXACT.multiply(magnitude, unit.factor), unit.offset)


@total_ordering
@dataclass(frozen=True, slots=True, eq=False)
class Quantity:
    """A finite decimal with a unit of the list; `entered` is the number and unit as they were typed.

    Quantities compare by what they measure (1 L equals 1000 mL); ordering unlike ones is Invalid.
    """

    magnitude: Decimal
    unit: str
    entered: str = ""

    def __post_init__(self) -> None:
        convert(self.magnitude, self.unit, self.unit)  # an unknown unit, NaN and infinity cannot be built
        if not self.entered:
            object.__setattr__(self, "entered", f"{self.magnitude} {self.unit}")

    @classmethod
    def parse(cls, text: str, unit: str, field: str | None = None) -> "Quantity":
        """The quantity as typed; Invalid as in `parse_decimal` and `unit_of`."""
        return cls(parse_decimal(text, field), unit_of(unit, field).ucum, f"{text} {unit}")

    def to(self, unit: str, field: str | None = None) -> "Quantity":
        """The same quantity in another unit; what was typed stays beside it."""
        return Quantity(convert(self.magnitude, self.unit, unit, field), unit, self.entered)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Quantity):
            return NotImplemented
        return self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def __lt__(self, other: "Quantity") -> bool:
        if not isinstance(other, Quantity):
            return NotImplemented
        if UNITS[self.unit].dimension != UNITS[other.unit].dimension:
            convert(other.magnitude, other.unit, self.unit)  # raises, naming both units
        return self._key() < other._key()

    def _key(self) -> tuple[str, Decimal]:
        unit = UNITS[self.unit]
        return unit.dimension, _base(self.magnitude, unit)

    def __str__(self) -> str:
        return f"{format_decimal(self.magnitude)} {self.unit}"


def format_decimal(value: Decimal) -> str:
    """All digits, no exponent: 7.40 -> "7.40", 1.2E+11 -> "120000000000". Invalid for NaN and infinity."""
    if not value.is_finite():
        raise Invalid(Reason("not-a-number", f"{value} cannot be written: it is not a finite number."))
    return format(value, "f")


def pretty(value_text: str, unit: str | None = None, language: Language = "en") -> str:
    """Figures for people: ("< 1.2E+11", "{particles}/mL") -> "< 1.2 × 10¹¹ particles/mL"; other words stay.

    Digits never change. Negative powers are written out (0.00001): the certificate's font lacks a superscript minus.
    """
    figures = _POWER_OF_TEN.sub(_written_out, value_text)
    label = "" if unit is None else getattr(unit_of(unit), language)
    return f"{figures} {label}" if label else figures


def _written_out(match: re.Match[str]) -> str:
    mantissa, exponent = match[1], int(match[2])
    if exponent <= 0:
        return format_decimal(Decimal(match[0]))
    return f"{mantissa} × 10{str(exponent).translate(_SUPERSCRIPT)}"
