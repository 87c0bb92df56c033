"""Numbers as typed, units of a closed list."""

from decimal import Decimal
from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Invalid
from domain.quantities import (
    SPELLINGS,
    UNITS,
    Language,
    Quantity,
    convert,
    format_decimal,
    parse_decimal,
    pretty,
    ucum,
    unit_of,
    units_like,
)

numbers = st.decimals(min_value=-(10**15), max_value=10**15, places=6)
units = st.sampled_from(sorted(UNITS))


def pairs() -> st.SearchStrategy[tuple[str, str]]:
    return units.flatmap(lambda unit: st.tuples(st.just(unit), st.sampled_from(units_like(unit))))


def reason(refusal: pytest.ExceptionInfo[Invalid]) -> tuple[str, str, str | None]:
    (only,) = refusal.value.reasons
    return only.code, only.text, only.field


@pytest.mark.parametrize("text", ["7.40", "-80", "+5", "0", "1.2E+11", "1e-5", "007", "1e20", "120000000000"])
def test_a_number_is_read_exactly_as_typed(text: str) -> None:
    assert str(parse_decimal(text)) == str(Decimal(text))


@pytest.mark.parametrize(
    "given_text",
    [
        *("", " ", "NaN", "sNaN", "inf", "-Infinity", "1e400", "1e21", "1E-21", "1e99999", "1,5", "٣", "1_000", "0x1"),
        *("1 000", " 1", "1\n", "1.", ".5", "1..2", "--1", "1e", "1e1.5", "²", "−5", "1" * 41, "1\x00", "1/2", "ND"),
        *("<0.05", None, 1, 1.5, True, Decimal(1), b"1"),
    ],
)
def test_what_is_not_plainly_a_number_is_refused(given_text: object) -> None:
    with pytest.raises(Invalid) as refusal:
        parse_decimal(given_text, "readings.ph")
    code, _, field = reason(refusal)
    assert (code, field) == ("not-a-number", "readings.ph")


def test_a_comma_is_answered_with_the_decimal_point() -> None:
    with pytest.raises(Invalid, match=r"'1,5' is not a number: use a decimal point"):
        parse_decimal("1,5")


def test_an_empty_field_is_never_read_as_zero() -> None:
    with pytest.raises(Invalid, match="never read as zero"):
        parse_decimal("")


def test_a_long_number_is_not_thrown_back_at_full_length() -> None:
    with pytest.raises(Invalid) as refusal:
        parse_decimal("9" * 100_000)
    assert len(reason(refusal)[1]) < 200


@given(st.one_of(st.text(), st.from_regex(r"[-+0-9eE.,_ ]{0,45}"), st.none(), st.integers(), st.floats()))
def test_every_entry_is_either_a_finite_number_or_refused(text: object) -> None:
    try:
        number = parse_decimal(text)
    except Invalid:
        return
    assert number.is_finite()
    assert number == Decimal(str(text))


@given(numbers, units)
def test_a_number_in_its_own_unit_keeps_every_digit(number: Decimal, unit: str) -> None:
    assert str(convert(number, unit, unit)) == str(number)


@given(numbers, pairs())
def test_there_and_back_gives_the_same_number(number: Decimal, pair: tuple[str, str]) -> None:
    there, back = pair
    again = convert(convert(number, there, back), back, there)
    # a sixtieth has no last digit: 50 digits are kept, and offsets (273.15) count in absolute terms
    assert abs(again - number) <= (abs(number) + 1000) * Decimal("1E-40")


@given(numbers, numbers, pairs())
def test_conversion_keeps_the_order(one: Decimal, other: Decimal, pair: tuple[str, str]) -> None:
    there, back = pair
    assert (convert(one, there, back) < convert(other, there, back)) == (one < other)


@pytest.mark.parametrize(
    ("magnitude", "unit", "into", "expected"),
    [
        ("7.40", "mL", "uL", "7400"),
        ("90", "min", "h", "1.5"),
        ("25", "Cel", "K", "298.15"),
        ("0", "K", "Cel", "-273.15"),
        ("13.3322", "Pa", "mbar", "0.133322"),
        ("1.2E+11", "{particles}/mL", "{particles}/mL", "120000000000"),
        ("5", "{EU}/mL", "[iU]/mL", "5"),
        ("10", "[CFU]/(100.mL)", "[CFU]/mL", "0.1"),
        ("35", "10*6.{cells}", "{cells}", "35000000"),
        ("8", "ug/mL", "mg/mL", "0.008"),
        ("12", "mo", "a", "1"),
        ("0.5", "1", "%", "50"),
        ("150", "mmol/L", "mol/L", "0.15"),
    ],
)
def test_known_conversions_are_exact(magnitude: str, unit: str, into: str, expected: str) -> None:
    assert format_decimal(convert(Decimal(magnitude), unit, into)) == expected


@pytest.mark.parametrize(
    ("unit", "into"),
    [
        ("g", "{g}"),
        ("kDa", "kg"),
        ("{particles}/mL", "{cells}/mL"),
        ("{vial}", "{bag}"),
        ("Cel/min", "Cel"),
        ("L/m2", "cm"),
        ("mosm/kg", "mmol/L"),
        ("[pH]", "1"),
        ("{EU}/{vial}", "{EU}/{dose}"),
    ],
)
def test_unlike_things_never_turn_into_each_other(unit: str, into: str) -> None:
    with pytest.raises(Invalid) as refusal:
        convert(Decimal(1), unit, into, "amount")
    code, text, field = reason(refusal)
    assert (code, field) == ("incompatible-units", "amount")
    assert into in text.split("allowed:")[1]


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ("[EU]/mL", "Ehrlich"),
        ("[EU]", "{EU}"),
        ("mTorr", "mbar or Pa"),
        ("EU/mL", "{EU}/mL"),
        ("°C", "write Cel"),
        ("µg/mL", "write ug/mL"),
        ("ml", "write mL"),
        ("particles/mL", "write {particles}/mL"),
        ("furlong", "UCUM"),
        ("", "UCUM"),
        (None, "UCUM"),
        (["mL"], "UCUM"),
    ],
)
def test_a_unit_outside_the_list_is_refused_with_a_hint(written: object, hint: str) -> None:
    with pytest.raises(Invalid) as refusal:
        unit_of(written, "unit")
    code, text, field = reason(refusal)
    assert (code, field) == ("unknown-unit", "unit")
    assert hint in text


@pytest.mark.requirement("URS-215")
@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("mosmol/kg", "mosm/kg"), ("mOsm/kg", "mosm/kg"), ("mOsmol/kg", "mosm/kg"), ("µg/mL", "ug/mL"), ("μg/ml", "ug/mL"),
        ("mcg/mL", "ug/mL"), ("°C", "Cel"), ("degC", "Cel"), ("ml", "mL"), ("µl", "uL"), ("l", "L"), ("EU/mL", "{EU}/mL"),
        ("EU/ml", "{EU}/mL"), ("particles/ml", "{particles}/mL"), ("Partikel/mL", "{particles}/mL"), ("vials", "{vial}"),
        ("IU/mL", "[iU]/mL"), ("KBE/mL", "[CFU]/mL"), ("h", "h"), (" mL ", "mL"), ("pH", "[pH]"),
    ],
)  # fmt: skip
def test_a_usual_spelling_of_a_unit_is_read_as_its_code_and_shown_in_one_form(written: str, code: str) -> None:
    assert ucum(written) == code or written.strip() == code
    assert unit_of(ucum(written) if written.strip() != code else code).en == UNITS[code].en


@pytest.mark.requirement("URS-215")
@pytest.mark.parametrize("written", ["ML", "Ml", "MG", "mTorr", "[EU]/mL", "furlong", "", None, 1, ["mL"], "M", "C"])
def test_what_may_be_another_unit_is_never_read_as_one(written: object) -> None:
    assert ucum(written) == written


def test_every_spelling_leads_to_a_unit_and_no_code_is_a_spelling_of_another() -> None:
    assert set(SPELLINGS.values()) <= set(UNITS)
    assert not set(SPELLINGS) & set(UNITS)


def test_the_conversion_of_what_is_not_finite_is_refused() -> None:
    with pytest.raises(Invalid, match="finite"):
        convert(Decimal("NaN"), "mL", "L")


def test_every_factor_is_exact_where_units_convert() -> None:
    for _, group in groupby(sorted(UNITS.values(), key=lambda unit: unit.dimension), key=lambda unit: unit.dimension):
        family = list(group)
        assert len(family) == 1 or all(len(unit.factor.as_tuple().digits) < 14 for unit in family)


def test_every_unit_has_words_for_people_in_both_languages() -> None:
    assert all(unit.en and unit.de for unit in UNITS.values() if unit.ucum != "1")
    assert (UNITS["{particles}/mL"].en, UNITS["{particles}/mL"].de) == ("particles/mL", "Partikel/mL")


def test_a_litre_equals_a_thousand_millilitres() -> None:
    litre, millilitres = Quantity.parse("1", "L"), Quantity.parse("1000", "mL")
    assert litre == millilitres
    assert len({litre, millilitres}) == 1
    assert Quantity.parse("1", "d") > Quantity.parse("23.9", "h")
    assert Quantity.parse("300", "K") >= Quantity.parse("26.85", "Cel")


def test_grams_and_particles_are_neither_equal_nor_ordered() -> None:
    grams, particles = Quantity.parse("1", "g"), Quantity.parse("1", "{particles}")
    assert grams != particles
    assert grams != "1 g"
    with pytest.raises(Invalid, match="cannot become"):
        _ = grams < particles
    with pytest.raises(TypeError):
        _ = grams < 1  # type: ignore[operator]  # what a slip would do


def test_what_was_typed_stays_beside_the_value() -> None:
    quantity = Quantity.parse("7.40", "mL").to("uL")
    assert (quantity.entered, str(quantity)) == ("7.40 mL", "7400 uL")
    assert str(Quantity.parse("1.20E+11", "{particles}")) == "120000000000 {particles}"
    assert Quantity(Decimal("5.0"), "mL").entered == "5.0 mL"


@pytest.mark.parametrize(("magnitude", "unit"), [(Decimal("NaN"), "mL"), (Decimal("inf"), "mL"), (Decimal(1), "mTorr")])
def test_an_illegal_quantity_cannot_be_built(magnitude: Decimal, unit: str) -> None:
    with pytest.raises(Invalid):
        Quantity(magnitude, unit)


@pytest.mark.parametrize(("value", "text"), [("7.40", "7.40"), ("1.2E+11", "120000000000"), ("1E-7", "0.0000001")])
def test_a_number_is_written_with_all_its_digits(value: str, text: str) -> None:
    assert format_decimal(Decimal(value)) == text
    with pytest.raises(Invalid):
        format_decimal(Decimal("sNaN"))


@pytest.mark.parametrize(
    ("value", "unit", "language", "shown"),
    [
        ("1.2E+11", "{particles}/mL", "en", "1.2 × 10¹¹ particles/mL"),
        ("1.2E+11", "{particles}/mL", "de", "1.2 × 10¹¹ Partikel/mL"),
        ("< 0.05", "{EU}/mL", "en", "< 0.05 EU/mL"),
        ("8.0E+10 – 1.2E+11", None, "en", "8.0 × 10¹⁰ – 1.2 × 10¹¹"),
        ("1E-5", "1", "en", "0.00001"),
        ("7.40", "[pH]", "de", "7.40 pH"),
        ("No growth", None, "en", "No growth"),
        ("LOT1E5", None, "en", "LOT1E5"),
    ],
)
def test_figures_for_people_keep_their_digits(value: str, unit: str | None, language: Language, shown: str) -> None:
    assert pretty(value, unit, language) == shown
