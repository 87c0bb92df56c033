"""Every act leaves one sealed entry, and whatever is done behind the application's back is found and named."""

import json
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import select

from domain.audit import GENESIS, entry_digest, head, row_digest, verify
from domain.errors import Forbidden, Unauthenticated
from domain.lots.models import Lot
from domain.people.models import SignInKind
from domain.people.operations import CreateUser, create_user, sign_in
from domain.permissions import Role
from domain.signatures import Signature
from domain.store import entity_classes, reading
from domain.work import Site, transaction
from tests.behind import triggers_asleep
from tests.build import accepted, drug_product, eligible_donor, lot, material, released
from tests.cast import CAST, act, actor, raw


def entries(site: Site) -> list[sa.Row[tuple[object, ...]]]:
    with site.engine.connect() as connection:
        return list(connection.exec_driver_sql("SELECT * FROM audit_entry ORDER BY sequence"))


@pytest.mark.requirement("URS-012")
def test_one_act_is_one_entry_with_who_what_when_why_and_the_old_and_new_values(site: Site) -> None:
    number = material(site)
    before = len(entries(site))
    accepted(site, number)
    (entry,) = entries(site)[before:]
    assert (entry.actor, entry.act, entry.outcome, entry.reason) == ("Cleo Releases", "accept_lot", "done", "complies")
    assert entry.at == "2026-03-02T08:00:00.000000Z"
    changed = {
        record: json.loads(text)
        for record, text in raw(site, "SELECT record, changed FROM audit_change WHERE sequence = :n", n=entry.sequence)
    }
    assert changed["lot"] == {"state": ["quarantine", "released"]}
    assert changed["lot_move"]["action"] == [None, "accept"]
    assert set(changed) == {"lot", "lot_move", "signature"}


@pytest.mark.requirement("URS-012", "URS-013")
def test_the_whole_story_of_a_release_verifies(site: Site) -> None:
    released(site)
    found = verify(site.engine)
    assert found.broken is None
    assert found.entries == len(entries(site))
    assert found.rows > 200


@pytest.mark.requirement("URS-013")
def test_sixteen_who_act_at_once_make_one_chain_without_gaps(site: Site) -> None:
    doer, before = actor(site, "ada"), len(entries(site))

    def add(number: int) -> None:
        with transaction(site, doer) as work:
            create_user(
                work,
                CreateUser(
                    username=f"guest{number}", name="Guest", password="one two three four", roles=(Role.AUDITOR,)
                ),
            )

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(add, range(32)))
    assert [entry.sequence for entry in entries(site)] == list(range(1, before + 33))
    assert all(later.previous == earlier.digest for earlier, later in pairwise(entries(site)))
    assert verify(site.engine).broken is None


@pytest.mark.requirement("URS-014")
def test_a_row_changed_behind_the_back_is_found_and_named_in_every_table(site: Site) -> None:
    released(site)
    tables = {name: cls for name, cls in entity_classes().items() if raw(site, f"SELECT id FROM {name} LIMIT 1")}
    assert len(tables) >= 24
    for name in tables:
        row_id = raw(site, f"SELECT max(id) FROM {name}")[0][0]
        with triggers_asleep(site) as connection:
            connection.exec_driver_sql(f"UPDATE {name} SET version = version + 1 WHERE id = {row_id}")
        assert verify(site.engine).broken == f"{name} {row_id} was altered behind the application's back"
        with triggers_asleep(site) as connection:
            connection.exec_driver_sql(f"UPDATE {name} SET version = version - 1 WHERE id = {row_id}")
    assert verify(site.engine).broken is None


@pytest.mark.requirement("URS-014")
@pytest.mark.parametrize("column", [column.name for column in Lot.__table__.columns if column.name != "id"])  # type: ignore[attr-defined]
def test_no_column_of_a_lot_can_be_changed_unseen(site: Site, column: str) -> None:
    number = material(site)
    value = {
        "version": "99", "state": "'rejected'", "kind": "'harvest'", "held_from": "'released'", "product_id": "1",
        "quantity": "'9'", "quantity_left": "'9'", "manufactured_on": "'2026-01-01'", "expires_on": "'2031-01-01'",
        "created_at": "'2026-01-01T00:00:00.000000Z'", "created_by": "7",
    }.get(column, "'x'")  # fmt: skip
    with triggers_asleep(site) as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("ALTER TABLE lot DROP CONSTRAINT ck_lot_held_from")
        else:
            connection.exec_driver_sql("PRAGMA ignore_check_constraints=ON")
        connection.exec_driver_sql(f"UPDATE lot SET {column} = {value} WHERE lot_number = '{number}'")
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA ignore_check_constraints=OFF")
    try:
        assert "lot 1 was altered" in str(verify(site.engine).broken)
    finally:
        with triggers_asleep(site) as connection:
            if connection.dialect.name == "postgresql":
                connection.exec_driver_sql("DELETE FROM lot")
                connection.exec_driver_sql(
                    "ALTER TABLE lot ADD CONSTRAINT ck_lot_held_from CHECK ((state = 'on_hold') = (held_from IS NOT NULL))"
                )


@pytest.mark.requirement("URS-014")
def test_a_row_put_in_behind_the_back_is_found(site: Site) -> None:
    eligible_donor(site)
    with triggers_asleep(site) as connection:
        columns = "version, donor_id, marker, verdict, sampled_on, laboratory, recorded_at, recorded_by"
        connection.exec_driver_sql(
            f"INSERT INTO marker_result ({columns}) SELECT {columns} FROM marker_result WHERE marker = 'hiv_ab'"
        )
    assert verify(site.engine).broken == "marker_result 6 was put in behind the application's back"


@pytest.mark.requirement("URS-014")
def test_a_row_taken_out_behind_the_back_is_found(site: Site) -> None:
    eligible_donor(site)
    with triggers_asleep(site) as connection:
        connection.exec_driver_sql("DELETE FROM marker_result WHERE id = 2")
    assert f"marker_result 2 of audit entry {len(CAST) + 2} has vanished" in str(verify(site.engine).broken)


@pytest.mark.requirement("URS-013")
@pytest.mark.parametrize("column", ["at", "actor", "act", "reason", "actor_id", "outcome", "digest", "previous"])
def test_an_edited_entry_is_found_and_the_first_broken_one_named(site: Site, column: str) -> None:
    value = {"actor_id": "8", "outcome": "'refused'"}.get(column, "'forged'")
    with triggers_asleep(site) as connection:
        for sequence in (4, 7):
            new = f"'forged {sequence}'" if column == "digest" else value
            connection.exec_driver_sql(f"UPDATE audit_entry SET {column} = {new} WHERE sequence = {sequence}")
    assert verify(site.engine).broken is not None
    assert "audit entry 4" in str(verify(site.engine).broken)


@pytest.mark.requirement("URS-013")
@pytest.mark.parametrize("column", ["record", "row_digest", "changed"])
def test_an_edited_change_is_found(site: Site, column: str) -> None:
    with triggers_asleep(site) as connection:
        connection.exec_driver_sql(f"UPDATE audit_change SET {column} = 'forged' WHERE sequence = 5 AND ordinal = 0")
    assert verify(site.engine).broken == "audit entry 5 (create_user) was altered after it was sealed"


@pytest.mark.requirement("URS-013")
def test_a_removed_entry_is_found_with_or_without_its_changes(site: Site) -> None:
    with triggers_asleep(site) as connection:
        connection.exec_driver_sql("DELETE FROM audit_entry WHERE sequence = 4")
    assert verify(site.engine).broken == "entry 4 is missing from the audit trail"
    with triggers_asleep(site) as connection:
        connection.exec_driver_sql("DELETE FROM audit_change WHERE sequence = 4")
    assert verify(site.engine).broken == "entry 4 is missing from the audit trail"


@pytest.mark.requirement("URS-013")
def test_two_entries_that_changed_places_are_found(site: Site) -> None:
    with triggers_asleep(site) as connection:
        for old, new in ((5, 1005), (6, 5), (1005, 6)):
            for table in ("audit_entry", "audit_change"):
                connection.exec_driver_sql(f"UPDATE {table} SET sequence = {new} WHERE sequence = {old}")
    assert "audit entry 5 (create_user) was altered" in str(verify(site.engine).broken)


@pytest.mark.requirement("URS-013")
def test_a_trail_with_its_end_cut_off_is_found_by_a_head_printed_elsewhere(site: Site) -> None:
    number = material(site)
    with reading(site.engine) as session:
        printed = head(session)
    anchors = [(printed.sequence, printed.digest, "certificate COA-2026-000001")]
    assert verify(site.engine, anchors).broken is None
    with triggers_asleep(site) as connection:
        connection.exec_driver_sql(f"DELETE FROM lot WHERE lot_number = '{number}'")
        connection.exec_driver_sql(f"DELETE FROM audit_change WHERE sequence = {printed.sequence}")
        connection.exec_driver_sql(f"DELETE FROM audit_entry WHERE sequence = {printed.sequence}")
    assert verify(site.engine).broken is None
    assert f"but certificate COA-2026-000001 names entry {len(CAST) + 1}" in str(verify(site.engine, anchors).broken)


@pytest.mark.requirement("URS-013")
def test_a_trail_written_anew_is_found_by_a_head_printed_elsewhere(site: Site) -> None:
    anchors = [(3, "f" * 64, "certificate COA-2026-000001")]
    assert verify(site.engine, anchors).broken == "audit entry 3 is not the one printed elsewhere"


@pytest.mark.requirement("URS-013")
def test_changes_without_an_entry_are_found(site: Site) -> None:
    with triggers_asleep(site) as connection:
        connection.exec_driver_sql(
            "INSERT INTO audit_change (sequence, ordinal, record, record_id, row_digest, changed)"
            " VALUES (99, 0, 'lot', 1, 'x', '{}')"
        )
    assert "audit entry 99 has changes" in str(verify(site.engine).broken)


@pytest.mark.requirement("URS-015")
def test_a_refused_act_is_recorded_with_its_reason(site: Site) -> None:
    before = len(entries(site))
    with pytest.raises(Forbidden):
        act(
            site,
            "dov",
            create_user,
            CreateUser(username="eve", name="Eve", password="one two three four", roles=(Role.QA,)),
        )
    (entry,) = entries(site)[before:]
    assert (entry.actor, entry.act, entry.outcome) == ("Dov Looks", "create_user", "refused")
    assert "manage_users" in str(entry.reason)
    assert verify(site.engine).broken is None


@pytest.mark.requirement("URS-008", "URS-015")
def test_a_failed_sign_in_is_recorded_even_for_a_name_that_nobody_has(site: Site) -> None:
    with pytest.raises(Unauthenticated):
        sign_in(site, "mallory", "whatever it may be", SignInKind.PAGE)
    entry = entries(site)[-1]
    assert (entry.actor, entry.actor_id, entry.act, entry.outcome) == (
        "unknown user 'mallory'",
        None,
        "sign_in",
        "refused",
    )


@pytest.mark.requirement("URS-007")
def test_nothing_is_written_outside_an_act(site: Site) -> None:
    number = material(site)
    with pytest.raises(RuntimeError, match="outside an operation"), transaction(site, actor(site, "tom")) as work:
        work.session.exec(select(Lot).where(Lot.lot_number == number)).one().description = "new"
    assert lot(site, number).description != "new"


@pytest.mark.parametrize(
    "statement",
    [
        sa.update(Lot).values(description="all of them"),
        sa.delete(Lot),
        sa.insert(Lot).values(lot_number="X"),
        sa.text("UPDATE lot SET description = 'all of them'"),
    ],
    ids=["update", "delete", "insert", "text"],
)
def test_a_bulk_write_that_would_slip_past_the_trail_is_refused(site: Site, statement: sa.Executable) -> None:
    with pytest.raises(RuntimeError, match="slip past"), transaction(site, actor(site, "tom")) as work:  # noqa: PT012
        work.act = "test"
        work.session.execute(statement)


def test_nothing_can_be_deleted_through_the_application(site: Site) -> None:
    number = material(site)
    with pytest.raises(RuntimeError, match="nothing is ever deleted"), transaction(site, actor(site, "tom")) as work:  # noqa: PT012
        work.act = "test"
        work.session.delete(work.session.exec(select(Lot).where(Lot.lot_number == number)).one())


@pytest.mark.requirement("URS-002")
def test_a_signature_cannot_be_changed_through_the_application(site: Site) -> None:
    eligible_donor(site)
    with pytest.raises((RuntimeError, sa.exc.IntegrityError)), transaction(site, actor(site, "tom")) as work:  # noqa: PT012
        work.act = "test"
        work.session.exec(select(Signature)).one().name = "Somebody Else"
    assert raw(site, "SELECT name FROM signature") == [("Cleo Releases",)]


def test_the_chain_of_an_empty_house_begins_at_genesis(engine: sa.Engine) -> None:
    found = verify(engine)
    assert (found.entries, found.broken, found.head.digest) == (0, None, GENESIS)


plain = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=8)


@given(st.lists(plain, min_size=2, max_size=5), st.lists(plain, min_size=2, max_size=5))
def test_no_two_entries_with_different_fields_have_one_digest(one: list[str], other: list[str]) -> None:
    assert (entry_digest(one, []) == entry_digest(other, [])) == (one == other)


@given(st.dictionaries(plain, st.one_of(plain, st.integers(), st.none()), max_size=5))
def test_an_empty_column_added_later_leaves_the_digest_of_a_row_alone(row: dict[str, object]) -> None:
    assert row_digest(row) == row_digest({**row, "added later": None})


@pytest.mark.requirement("URS-023")
def test_a_drug_product_leaves_a_trail_that_verifies_at_every_step(site: Site) -> None:
    drug_product(site)
    assert verify(site.engine).broken is None


@pytest.mark.parametrize("column", ["lot_number", "state", "quantity"])
def test_bytes_that_read_as_the_text_they_replace_are_found(site: Site, column: str) -> None:
    """SQLite keeps bytes in a column of text: they print alike, but no look-up finds them, and a recall would be lost."""
    if site.engine.dialect.name == "postgresql":
        return  # its columns keep to their type
    number = material(site)
    with triggers_asleep(site) as connection:
        connection.exec_driver_sql("PRAGMA ignore_check_constraints=ON")
        connection.exec_driver_sql(f"UPDATE lot SET {column} = CAST({column} AS BLOB) WHERE lot_number = '{number}'")
        connection.exec_driver_sql("PRAGMA ignore_check_constraints=OFF")
    assert verify(site.engine).broken == "lot 1 was altered behind the application's back"
