"""The database itself refuses to change or delete what is recorded, on both engines."""

import pytest
import sqlalchemy as sa

from domain.store import entity_classes
from domain.work import Site
from migrations.tables import protected
from migrations.triggers import found_in, name_of
from tests.build import released
from tests.cast import raw

APPEND_ONLY = sorted(name for name, events in protected().items() if "UPDATE" in events)


@pytest.fixture
def used(site: Site) -> Site:
    """A laboratory that has released a lot."""
    released(site)
    return site


def refusal(site: Site, statement: str) -> str:
    """What the database says to a statement; nothing, if it lets it pass."""
    with site.engine.connect() as connection:
        try:
            connection.exec_driver_sql(statement)
        except sa.exc.DBAPIError as error:
            return str(error.orig)
        finally:
            connection.rollback()
    return ""


@pytest.mark.requirement("URS-002")
def test_no_row_under_audit_can_be_deleted_and_none_of_an_append_only_table_changed(used: Site) -> None:
    filled = [name for name in protected() if raw(used, f"SELECT 1 FROM {name} LIMIT 1")]
    assert {"audit_entry", "audit_change", "signature", "result", "reading", "certificate", "lot"} <= set(filled)
    for name in filled:
        assert f'exolotl: rows of "{name}" are never deleted' in refusal(used, f"DELETE FROM {name}")
        column = "ordinal" if name == "audit_change" else "sequence" if name == "audit_entry" else "version"
        answer = refusal(used, f"UPDATE {name} SET {column} = {column}")
        assert (f'exolotl: rows of "{name}" are never changed' in answer) == (name in APPEND_ONLY)


@pytest.mark.requirement("URS-002")
def test_no_table_under_audit_can_be_emptied(used: Site) -> None:
    if used.engine.dialect.name == "sqlite":
        return  # knows no TRUNCATE
    for name in protected():
        assert "are never deleted" in refusal(used, f"TRUNCATE {name} CASCADE")


@pytest.mark.requirement("URS-002")
def test_a_row_cannot_be_replaced_by_another_with_its_id(used: Site) -> None:
    if used.engine.dialect.name == "postgresql":
        statement = (
            "INSERT INTO signature SELECT * FROM signature WHERE id = 1 ON CONFLICT (id) DO UPDATE SET name = 'Mallory'"
        )
    else:
        statement = "INSERT OR REPLACE INTO signature SELECT * FROM signature WHERE id = 1"
    assert "exolotl: rows of" in refusal(used, statement)


@pytest.mark.requirement("URS-002", "URS-003")
def test_the_triggers_are_those_that_the_models_ask_for(engine: sa.Engine) -> None:
    truncate = ("TRUNCATE",) if engine.dialect.name == "postgresql" else ()
    wanted = {name_of(table, event) for table, events in protected().items() for event in (*events, *truncate)}
    with engine.connect() as connection:
        assert found_in(connection) == wanted


def test_what_is_found_signed_or_decided_is_append_only() -> None:
    facts = {
        "result",
        "result_review",
        "signature",
        "reading",
        "consumption",
        "lot_yield",
        "lot_move",
        "certificate",
        "document",
    }
    assert facts <= set(APPEND_ONLY)


def test_what_changes_in_place_is_named_here_one_by_one() -> None:
    changing = {name for name, cls in entity_classes().items() if not cls.append_only}
    assert changing == {"app_user", "role_grant", "sign_in", "donor", "lot", "product", "step"}
