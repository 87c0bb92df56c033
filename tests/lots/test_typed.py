"""Lot numbers as people type them and scanners read them: understood where they can mean one lot alone."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.gs1 import digital_link, element_string
from domain.lots.check_codes import ALPHABET, LENGTH, new_code, same_code
from domain.lots.typed import Asked, key_of, read

GTIN = "09521234543213"
EXPIRY = date(2028, 10, 31)

numbers = st.from_regex(r"[A-Z]{2,6}[0-9]{2}-[0-9]{4}", fullmatch=True)


@pytest.mark.requirement("URS-118")
@pytest.mark.parametrize(
    "typed",
    [
        "UCEV26-0002",
        "ucev260002",
        "UCEV26 OOO2",
        " ucev 26‑0002 ",
        "UCEV-26-0002",
        "UCEV26.0002",
        "UCEV26_0oO2",
        "UCEV26–0002",
    ],
)
def test_the_ways_to_type_a_number_have_one_key(typed: str) -> None:
    assert key_of(typed) == key_of("UCEV26-0002")


@pytest.mark.requirement("URS-118")
@given(numbers, st.data())
def test_spaces_hyphens_capitals_and_look_alike_signs_never_change_the_key(number: str, data: st.DataObject) -> None:
    alike = {"0": "0Oo", "O": "O0o", "1": "1IlL", "I": "I1l", "L": "L1l", "-": ["-", "", " ", "–", "."]}
    typed = "".join(
        data.draw(st.sampled_from(list(alike.get(sign, sign + sign.lower())))) + data.draw(st.sampled_from(["", " "]))
        for sign in number
    )
    assert key_of(typed) == key_of(number)


@pytest.mark.requirement("URS-119")
@given(numbers, numbers)
def test_numbers_that_differ_in_more_than_looks_have_different_keys(one: str, other: str) -> None:
    same = one.replace("O", "0").translate(str.maketrans("IL", "11")) == other.replace("O", "0").translate(
        str.maketrans("IL", "11")
    )
    assert (key_of(one) == key_of(other)) == same


@pytest.mark.requirement("URS-118")
@given(numbers)
def test_what_is_encoded_is_read_back_however_it_is_scanned(number: str) -> None:
    whole = Asked(number, GTIN, "281031")
    assert read(element_string(GTIN, number, EXPIRY)) == whole
    for raw in (
        f"01{GTIN}17281031{'10'}{number}",
        f"]d201{GTIN}10{number}\x1d17281031",
        f"]Q301{GTIN}17281031\x1d10{number}\x1d21A1",
    ):
        assert read(raw) == whole
    for link in (
        digital_link("https://coa.example.org", GTIN, number, EXPIRY),
        f"coa.example.org/01/{GTIN[1:]}/10/{number}/21/7?17=281031",
    ):
        assert read(link) == whole
    assert read(f"https://coa.example.org/c/{number}?lang=de") == Asked(number)
    assert read(number) == Asked(number)


@pytest.mark.parametrize(
    "odd",
    [
        "",
        " ",
        "(10)",
        "/01/",
        "01",
        f"01{GTIN}",
        "http://[",
        "(01)x(10)",
        "\x1d\x1d",
        "]d2",
        "%00",
        "x" * 5000,
        "٠١٢",
        "/01/1/10/",
    ],
)
def test_an_odd_thing_is_read_as_something_that_is_no_lot(odd: str) -> None:
    assert len(read(odd).lot_number) <= 300


@pytest.mark.requirement("URS-121")
def test_a_code_agrees_with_the_record_in_all_that_it_says() -> None:
    assert Asked("X").agrees(GTIN, EXPIRY)
    assert Asked("X", GTIN, "281031").agrees(GTIN, EXPIRY)
    assert Asked("X", GTIN, "281000").agrees(GTIN, EXPIRY), "a day of 00 is the month"
    for wrong in (
        Asked("X", GTIN, "281030"),
        Asked("X", GTIN, "2810"),
        Asked("X", "08806388269617", "281031"),
        Asked("X", GTIN, "291000"),
    ):
        assert not wrong.agrees(GTIN, EXPIRY)
    assert not Asked("X", GTIN).agrees(None, EXPIRY)


@pytest.mark.requirement("URS-123")
def test_check_codes_are_of_signs_that_nobody_misreads_and_no_two_are_alike() -> None:
    made = {new_code() for _ in range(500)}
    assert len(made) == 500
    assert all(len(code) == LENGTH and set(code) <= set(ALPHABET) for code in made)
    assert not set("ILOU") & set(ALPHABET)


@pytest.mark.requirement("URS-122")
def test_a_check_code_is_understood_as_people_type_it_and_an_empty_one_never_fits() -> None:
    for typed in ("A01K9Z", "aO1k9z", " A0I K9-Z ", "a0lk9z"):
        assert same_code(typed, "A01K9Z")
    for typed, code in (
        ("A01K9Y", "A01K9Z"),
        ("", "A01K9Z"),
        (None, "A01K9Z"),
        ("", ""),
        (None, None),
        ("", None),
        ("\ud800", "A01K9Z"),
    ):
        assert not same_code(typed, code)
