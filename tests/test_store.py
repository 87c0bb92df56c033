"""What goes into the database comes out of it, and nothing written at the same time is lost."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.exc import StatementError
from sqlmodel import select

from domain.errors import Stale
from domain.lots.models import Lot, Product
from domain.store import engine_for, iso_utc, plain_decimal, reading, snake_case
from domain.work import Site, transaction
from tests.build import amount, lot, material, new_product
from tests.cast import actor, raw


def product(site: Site) -> Product:
    with reading(site.engine) as session:
        return session.exec(select(Product)).one()


@pytest.mark.requirement("URS-001", "URS-004")
@pytest.mark.parametrize("typed", ["7.40", "7.4", "7", "0.000000000000000001", "123456789012345678.90", "0.0"])
def test_a_number_comes_back_digit_for_digit(site: Site, typed: str) -> None:
    number = material(site, quantity=("1", "L"))
    with transaction(site, actor(site, "tom")) as work:
        work.act = "test"
        row = work.session.exec(select(Lot).where(Lot.lot_number == number)).one()
        row.quantity_left = Decimal(typed)
    assert format(lot(site, number).quantity_left, "f") == typed


@pytest.mark.requirement("URS-004")
def test_storage_temperatures_keep_their_last_zero(site: Site) -> None:
    new_product(site, storage_low=amount("2.0", "Cel"), storage_high=amount("8.00", "Cel"))
    assert (str(product(site).storage_low), str(product(site).storage_high)) == ("2.0", "8.00")


@pytest.mark.parametrize(
    ("number", "text"), [("1E+3", "1000"), ("-0.00", "0.00"), ("5E-7", "0.0000005"), ("-2.50", "-2.50")]
)
def test_a_number_is_written_without_exponent_and_zero_without_sign(number: str, text: str) -> None:
    assert plain_decimal(Decimal(number)) == text


@pytest.mark.parametrize("value", [7.4, Decimal("NaN"), Decimal("Infinity"), 7])
def test_what_is_no_exact_finite_number_is_not_stored(site: Site, value: object) -> None:
    number = material(site)
    with pytest.raises((StatementError, TypeError)), transaction(site, actor(site, "tom")) as work:  # noqa: PT012
        work.act = "test"
        work.session.exec(select(Lot).where(Lot.lot_number == number)).one().quantity_left = value  # type: ignore[assignment]


@pytest.mark.requirement("URS-016")
def test_a_time_without_a_zone_is_refused(site: Site) -> None:
    number = material(site)
    with pytest.raises((StatementError, ValueError)), transaction(site, actor(site, "tom")) as work:  # noqa: PT012
        work.act = "test"
        work.session.exec(select(Lot).where(Lot.lot_number == number)).one().created_at = datetime(2026, 3, 2, 8)  # noqa: DTZ001


@pytest.mark.requirement("URS-016")
def test_a_time_given_in_another_zone_comes_back_in_utc(site: Site) -> None:
    number = material(site)
    berlin = datetime(2026, 3, 2, 9, 30, 0, 123456, tzinfo=timezone(timedelta(hours=1)))
    with transaction(site, actor(site, "tom")) as work:
        work.act = "test"
        work.session.exec(select(Lot).where(Lot.lot_number == number)).one().created_at = berlin
    found = lot(site, number).created_at
    assert found == berlin
    assert found.utcoffset() == timedelta(0)


@given(st.lists(st.datetimes(min_value=datetime(1900, 1, 1), timezones=st.just(UTC)), min_size=2))  # noqa: DTZ001
def test_the_order_of_times_as_text_is_the_order_of_times(moments: list[datetime]) -> None:
    assert sorted(moments) == [datetime.fromisoformat(text) for text in sorted(map(iso_utc, moments))]


@pytest.mark.requirement("URS-005", "URS-006")
def test_eight_who_take_and_write_at_once_lose_nothing(site: Site) -> None:
    number, doer = material(site, quantity=("1000", "mL")), actor(site, "tom")

    def take(_turn: int) -> int:
        """One unit of the lot, again whenever somebody else was faster; how often that was."""
        late = 0
        while True:
            try:
                with transaction(site, doer) as work:
                    work.act = "test"
                    row = work.session.exec(select(Lot).where(Lot.lot_number == number)).one()
                    assert row.quantity_left is not None
                    row.quantity_left -= 1
                return late
            except Stale:
                late += 1

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(take, range(80)))
    assert lot(site, number).quantity_left == 920


@pytest.mark.requirement("URS-005")
def test_a_change_based_on_an_outdated_view_is_refused(site: Site) -> None:
    number = material(site)
    held = lot(site, number)
    with transaction(site, actor(site, "tom")) as work:
        work.act = "test"
        work.session.exec(select(Lot).where(Lot.lot_number == number)).one().description = "first"
    with pytest.raises(Stale) as refusal, transaction(site, actor(site, "ann")) as work:  # noqa: PT012
        work.act = "test"
        work.session.add(held)
        held.description = "second"
    assert refusal.value.reasons[0].code == "changed-meanwhile"
    assert lot(site, number).description == "first"


@pytest.mark.requirement("URS-006")
def test_a_reader_sees_all_of_a_committed_act_and_nothing_of_an_open_one(site: Site) -> None:
    number = material(site)
    with transaction(site, actor(site, "tom")) as work:
        work.act = "test"
        work.session.exec(select(Lot).where(Lot.lot_number == number)).one().description = "new"
        work.session.flush()
        assert lot(site, number).description != "new"
    assert lot(site, number).description == "new"


def test_a_consistent_read_sees_one_state_however_long_it_takes(site: Site) -> None:
    number = material(site)
    with reading(site.engine, consistent=True) as session:
        before = session.exec(select(Lot.description).where(Lot.lot_number == number)).one()
        with transaction(site, actor(site, "tom")) as work:
            work.act = "test"
            work.session.exec(select(Lot).where(Lot.lot_number == number)).one().description = "new"
        assert session.exec(select(Lot.description).where(Lot.lot_number == number)).one() == before


def test_what_is_not_committed_is_not_kept(site: Site) -> None:
    number = material(site)
    with pytest.raises(ValueError, match="in the middle"), transaction(site, actor(site, "tom")) as work:  # noqa: PT012
        work.act = "test"
        work.session.exec(select(Lot).where(Lot.lot_number == number)).one().description = "lost"
        work.session.flush()
        raise ValueError("in the middle")
    assert lot(site, number).description != "lost"


def test_sqlite_keeps_every_commit_through_a_power_failure(tmp_path: object) -> None:
    engine = engine_for(f"sqlite:///{tmp_path}/settings.db")
    with engine.connect() as connection:
        found = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
    engine.dispose()
    assert found == ["wal", 2, 1]


def test_the_same_row_cannot_be_pointed_to_if_it_is_not_there(site: Site) -> None:
    with pytest.raises(sa.exc.IntegrityError), site.engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO donation (version, lot_id, donor_id) VALUES (1, 999, 999)")


def test_only_sqlite_and_postgresql_are_engines() -> None:
    with pytest.raises(ValueError, match="sqlite and postgresql"):
        engine_for("mysql://nowhere/x")


@pytest.mark.parametrize(("name", "table"), [("Lot", "lot"), ("LotMove", "lot_move"), ("RoleGrant", "role_grant")])
def test_tables_are_named_after_their_classes(name: str, table: str) -> None:
    assert snake_case(name) == table


@pytest.mark.requirement("URS-005")
def test_every_change_of_a_row_raises_its_version(site: Site) -> None:
    number = material(site)
    first = raw(site, "SELECT version FROM lot WHERE lot_number = :number", number=number)[0][0]
    with transaction(site, actor(site, "tom")) as work:
        work.act = "test"
        work.session.exec(select(Lot).where(Lot.lot_number == number)).one().description = "new"
    assert raw(site, "SELECT version FROM lot WHERE lot_number = :number", number=number)[0][0] == first + 1
