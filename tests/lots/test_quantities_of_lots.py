"""What was made is what is left, consumed and sampled, however many take at the same time."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.errors import DomainError, Invalid, Refused
from domain.lots.operations import Amount
from domain.work import Site
from tests.build import K, amount, bank, begun, lot, new_product, released_material, sampled
from tests.cast import raw


def taken(site: Site, number: str) -> tuple[Decimal, Decimal]:
    """What was consumed of a lot, and what was sampled."""
    rows = [
        raw(
            site,
            f"SELECT t.quantity FROM {table} t JOIN lot l ON l.id = t.lot_id WHERE l.lot_number = :number",
            number=number,
        )
        for table in ("consumption", "sample")
    ]
    consumed, samples = (sum((Decimal(row[0]) for row in found), Decimal(0)) for found in rows)
    return consumed, samples


amounts = st.tuples(
    st.decimals(min_value="-1", max_value="700", places=3, allow_nan=False, allow_infinity=False).map(str),
    st.sampled_from(["mL", "L", "uL", "g"]),
)


@pytest.mark.requirement("URS-024", "URS-025")
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=st.lists(st.tuples(st.sampled_from(["use", "sample"]), amounts), max_size=5))
def test_nothing_is_ever_lost_or_won(site: Site, history: list[tuple[str, tuple[str, str]]]) -> None:
    number = released_material(site, quantity=("1.000", "L"))
    for act_, (value, unit) in history:
        try:
            if act_ == "sample":
                sampled(site, number, (value, unit))
            else:
                begun(
                    site,
                    "expansion",
                    {number: (value, unit), shared_bank(site): ("1", "{vial}")},
                    [(K.CULTURE, "10*6.{cells}")],
                )
        except (Invalid, Refused):
            continue
    found = lot(site, number)
    assert found.quantity is not None
    assert found.quantity_left is not None
    assert found.quantity_left >= 0
    assert found.quantity == found.quantity_left + sum(taken(site, number))


_banks: dict[int, str] = {}


def shared_bank(site: Site) -> str:
    """One bank for all examples of a test."""
    if id(site) not in _banks:
        _banks.clear()
        _banks[id(site)] = bank(site)
    return _banks[id(site)]


@pytest.mark.requirement("URS-005", "URS-024")
def test_many_who_take_at_once_never_take_more_than_there_is(site: Site) -> None:
    number, cells = released_material(site, quantity=("1", "L")), bank(site)

    def use(_turn: int) -> str:
        try:
            begun(site, "expansion", {number: ("300", "mL"), cells: ("1", "{vial}")}, [(K.CULTURE, "10*6.{cells}")])
        except DomainError as refusal:
            return refusal.reasons[0].code
        return "taken"

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(use, range(8)))
    assert outcomes.count("taken") == 3
    assert set(outcomes) <= {"taken", "not-enough-left", "changed-meanwhile"}
    assert lot(site, number).quantity_left == Decimal("0.1")
    assert sum(taken(site, number)) == Decimal("0.9")


@pytest.mark.requirement("URS-025")
def test_what_was_typed_is_kept_beside_what_was_taken(site: Site) -> None:
    number = released_material(site, quantity=("1", "L"))
    begun(site, "expansion", {number: ("12.50", "mL"), bank(site): ("1", "{vial}")}, [(K.CULTURE, "10*6.{cells}")])
    found = raw(
        site,
        "SELECT c.entered_quantity, c.entered_unit FROM consumption c JOIN lot l ON l.id = c.lot_id WHERE l.lot_number = :n",
        n=number,
    )
    assert found == [("12.50", "mL")]
    assert lot(site, number).quantity_left == Decimal("0.9875")


@pytest.mark.requirement("URS-018", "URS-025")
@pytest.mark.parametrize(
    ("quantity", "code"),
    [(("1", "g"), "incompatible-units"), (("1", "cup"), "unknown-unit"), (("much", "L"), "not-a-number"), (("0", "L"), "not-positive"),
     (("2", "L"), "not-enough-left")],
)  # fmt: skip
def test_an_amount_that_cannot_be_taken_is_refused_with_its_reason(
    site: Site, quantity: tuple[str, str], code: str
) -> None:
    number = released_material(site, quantity=("1", "L"))
    with pytest.raises((Invalid, Refused)) as refusal:
        sampled(site, number, quantity)
    assert [reason.code for reason in refusal.value.reasons] == [code]


def test_an_amount_without_a_unit_cannot_be_said() -> None:
    with pytest.raises(ValueError, match="unit"):
        Amount(value="1")  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [("gtin", "09521234543214", "gtin-check-digit"), ("lot_series", "RM", "lot-series-reserved"),
     ("storage_low", amount("20", "Cel"), "range-reversed"), ("fill_volume", amount("0", "mL"), "not-positive"),
     ("fill_volume", amount("2", "g"), "incompatible-units")],
)  # fmt: skip
def test_a_product_that_cannot_be_is_refused(site: Site, field: str, value: object, code: str) -> None:
    with pytest.raises(Invalid) as refusal:
        new_product(site, **{field: value})
    assert refusal.value.reasons[0].code == code
