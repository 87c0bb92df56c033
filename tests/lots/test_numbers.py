"""Numbers are given once, without gaps, and fit a GS1 code."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Invalid, Refused
from domain.lots.numbers import GS1_CHARACTERS, MAXIMUM_LENGTH, next_number
from domain.lots.operations import ReceiveMaterial, receive_material
from domain.work import Site, transaction
from tests.build import amount, material
from tests.cast import Clock, act, actor

DAY = date(2026, 3, 2)


def number(site: Site, scheme: str, series: str = "AEV", on: date = DAY) -> str:
    with transaction(site, actor(site, "tom")) as work:
        return next_number(work, scheme, series, on)


@pytest.mark.requirement("URS-022")
def test_sixteen_who_book_in_at_once_get_numbers_without_gaps(site: Site) -> None:
    doer = actor(site, "tom")

    def receive(turn: int) -> str | None:
        """Every third one is refused and must give its number back."""
        said = {
            "material": "Trehalose",
            "supplier": "S",
            "supplier_lot_number": str(turn),
            "quantity": amount("1", "kg"),
        }
        try:
            with transaction(site, doer) as work:
                made = receive_material(work, ReceiveMaterial(**said, expires_on=DAY + timedelta(days=9)))
                if turn % 3 == 0:
                    raise ZeroDivisionError
                return made.lot_number
        except ZeroDivisionError:
            return None

    with ThreadPoolExecutor(16) as pool:
        given_out = sorted(filter(None, pool.map(receive, range(48))))
    assert given_out == [f"RM26-{count:04d}" for count in range(1, 33)]


@pytest.mark.requirement("URS-022")
def test_each_series_and_each_year_counts_for_itself(site: Site) -> None:
    scheme = site.profile.lot_scheme
    assert [number(site, scheme), number(site, scheme), number(site, scheme, "BEV")] == [
        "AEV26-0001",
        "AEV26-0002",
        "BEV26-0001",
    ]
    assert number(site, scheme, on=date(2027, 1, 1)) == "AEV27-0001"
    assert number(site, scheme) == "AEV26-0003"


@pytest.mark.requirement("URS-022")
@pytest.mark.parametrize(
    "scheme",
    ["{series}{year:02d}", "{series}-{count:019d}", "{series}#{count}", "{series} {count}", "{series}/{count}", "{lot}{count}",
     "{series", "{count:x!}", "Ä{count}",
     "{series.nothing}{count}", "{count[0]}"],
)  # fmt: skip
def test_a_scheme_that_could_not_be_printed_or_repeats_itself_is_refused(site: Site, scheme: str) -> None:
    with pytest.raises(Invalid) as refusal:
        number(site, scheme)
    assert refusal.value.reasons[0].code == "lot-number-scheme"


@pytest.mark.requirement("URS-022")
def test_a_scheme_of_the_site_is_used_for_its_lots(site: Site) -> None:
    own = replace(site, profile=replace(site.profile, lot_scheme="{year:02d}.{series}_{count:03d}"))
    assert material(own) == "26.RM_001"


@pytest.mark.requirement("URS-022")
@given(st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=2, max_size=6), st.integers(1, 10**9), st.integers(0, 99))
def test_every_number_of_the_usual_scheme_fits_a_gs1_code(series: str, count: int, year: int) -> None:
    text = f"{series}{year:02d}-{count:04d}"
    assert len(text) <= MAXIMUM_LENGTH
    assert GS1_CHARACTERS.fullmatch(text)


def test_a_material_that_has_expired_is_not_booked_in(site: Site, clock: Clock) -> None:
    material(site, expires_on=site.today())
    with pytest.raises(Refused) as refusal:
        material(site, expires_on=site.today() - timedelta(days=1))
    assert refusal.value.reasons[0].code == "lot-expired"


@pytest.mark.parametrize("field", ["material", "supplier", "supplier_lot_number"])
def test_a_material_without_its_suppliers_lot_number_cannot_be_booked_in(site: Site, field: str) -> None:
    with pytest.raises(ValueError, match=field):
        material(site, **{field: " "})


def test_a_material_has_a_quantity_above_zero(site: Site) -> None:
    for value in ("0", "-1"):
        with pytest.raises(Invalid) as refusal:
            act(site, "tom", receive_material, ReceiveMaterial(
                material="M", supplier="S", supplier_lot_number="1", quantity=amount(value, "kg"), expires_on=DAY
            ))  # fmt: skip
        assert refusal.value.reasons[0].code == "not-positive"
