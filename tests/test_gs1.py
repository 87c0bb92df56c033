"""What stands in the codes: check digits first, then element strings and Digital Links that a GS1 parser reads back."""

from datetime import date

import biip
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Invalid
from domain.gs1 import check_digit, digital_link, element_string, gtin_is_valid

GTIN, LOT, DAY = "09521234543213", "EV-2026-0417", date(2028, 10, 31)
LOTS = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZabcxyz0123456789!\"%&'*+,-./:;<=>?_", min_size=1, max_size=20)
GTINS = st.text("0123456789", min_size=13, max_size=13).map(lambda digits: digits + check_digit(digits))
DAYS = st.dates(date(2020, 1, 1), date(2060, 12, 31))


@pytest.mark.parametrize("gtin", [GTIN, "08806388269617"])
def test_a_gtin_ends_in_its_check_digit(gtin: str) -> None:
    assert gtin_is_valid(gtin)
    assert not any(gtin_is_valid(gtin[:-1] + digit) for digit in "0123456789" if digit != gtin[-1])


@given(GTINS, st.integers(0, 13), st.integers(1, 9))
def test_one_wrong_digit_of_a_gtin_is_always_seen(gtin: str, place: int, by: int) -> None:
    wrong = gtin[:place] + str((int(gtin[place]) + by) % 10) + gtin[place + 1 :]
    assert not gtin_is_valid(wrong)


@pytest.mark.parametrize(
    "gtin", ["", "952123454321", "0952123454321X", "095212345432130", "٠٩٥٢١٢٣٤٥٤٣٢١٣", GTIN[:-1] + "4"]
)
def test_nothing_is_encoded_with_a_gtin_that_is_none(gtin: str) -> None:
    assert not gtin_is_valid(gtin)
    for encode in (lambda: element_string(gtin, LOT, DAY), lambda: digital_link("https://coa.example", gtin, LOT, DAY)):
        with pytest.raises(Invalid) as refusal:
            encode()
        assert refusal.value.reasons[0].code == "gtin-check-digit"


@pytest.mark.parametrize("lot", ["", "A" * 21, "EV 1", "EV(10)1", "ÄV-1", "EV\x1d1", "EV-1\n"])
def test_a_lot_number_that_a_code_cannot_hold_is_refused(lot: str) -> None:
    for encode in (lambda: element_string(GTIN, lot, DAY), lambda: digital_link("https://coa.example", GTIN, lot, DAY)):
        with pytest.raises(Invalid) as refusal:
            encode()
        assert refusal.value.reasons[0].code == "lot-not-encodable"


def test_the_element_string_needs_no_separator_as_the_lot_comes_last() -> None:
    assert element_string(GTIN, LOT, DAY) == "(01)09521234543213(17)281031(10)EV-2026-0417"


@pytest.mark.requirement("URS-077")
@given(GTINS, LOTS, DAYS)
def test_a_gs1_parser_reads_back_what_was_encoded(gtin: str, lot: str, day: date) -> None:
    plain = element_string(gtin, lot, day)
    message = biip.parse("]d2" + plain.replace("(", "").replace(")", "")).gs1_message
    link = biip.parse(digital_link("https://coa.example/", gtin, lot, day)).gs1_digital_link_uri
    for read in (message, link):
        assert read is not None
        found = {one.ai.ai: one.value for one in read.element_strings}
        assert found == {"01": gtin, "17": day.strftime("%y%m%d"), "10": lot}
        assert all(one.gtin_error is None and one.date in {None, day} for one in read.element_strings)
