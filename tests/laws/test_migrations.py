"""The migrations lead to what the models say, from every version that was ever released."""

import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command

import domain
from domain.audit import verify
from domain.store import engine_for
from migrations import config, current, revisions, upgrade
from migrations.tables import metadata
from tests import servers
from tests.cast import furnish


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path, worker_id: str) -> Iterator[sa.Engine]:
    """A database with nothing in it."""
    name = f"migrations_{worker_id}"
    url = servers.create_database(name) if request.param == "postgresql" else f"sqlite:///{tmp_path}/empty.db"
    engine = engine_for(url)
    yield engine
    engine.dispose()
    if request.param == "postgresql":
        servers.drop_database(name)


def shape(engine: sa.Engine) -> dict[str, Any]:
    """Columns, keys, checks and indexes of every table, as the database tells them."""
    found = sa.inspect(engine)
    return {
        table: {
            "columns": [(c["name"], str(c["type"]), c["nullable"], c["default"]) for c in found.get_columns(table)],
            "primary": found.get_pk_constraint(table)["constrained_columns"],
            "foreign": sorted((k["name"] or "", k["referred_table"]) for k in found.get_foreign_keys(table)),
            "unique": sorted((k["name"] or "", k["column_names"]) for k in found.get_unique_constraints(table)),
            "checks": sorted(
                (k["name"] or "", " ".join(k["sqltext"].split())) for k in found.get_check_constraints(table)
            ),
            "indexes": sorted((k["name"] or "", k["column_names"], k["unique"]) for k in found.get_indexes(table)),
        }
        for table in found.get_table_names()
        if table != "alembic_version"
    }


@pytest.mark.requirement("URS-003")
def test_the_migrations_make_exactly_what_the_models_say(engine: sa.Engine, empty: sa.Engine) -> None:
    if engine.dialect.name != empty.dialect.name:
        return
    metadata.create_all(empty)
    assert shape(engine) == shape(empty)


@pytest.mark.requirement("URS-003")
def test_autogenerate_finds_nothing_left_to_do(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        settings = config()
        settings.attributes["connection"] = connection
        command.check(settings)


@pytest.mark.requirement("URS-003")
@pytest.mark.parametrize("revision", [None, *revisions()])
def test_a_database_of_any_version_is_brought_to_the_newest(empty: sa.Engine, revision: str | None) -> None:
    if revision is not None:
        upgrade(empty, revision)
    assert current(empty) == revision
    upgrade(empty)
    assert current(empty) == revisions()[-1]
    furnish(empty)
    assert verify(empty).broken is None
    upgrade(empty)


@pytest.mark.requirement("URS-003")
def test_a_migration_that_fails_leaves_nothing_behind(empty: sa.Engine) -> None:
    with empty.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE step (id INTEGER)")
    with pytest.raises(sa.exc.DBAPIError):
        upgrade(empty)
    assert sa.inspect(empty).get_table_names() == ["step"]
    assert current(empty) is None


def test_there_is_no_way_back(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        settings = config()
        settings.attributes["connection"] = connection
        with pytest.raises(RuntimeError, match="nothing is ever deleted"):
            command.downgrade(settings, "base")


def test_every_constraint_and_index_has_a_name_short_enough_for_postgresql() -> None:
    for table in metadata.tables.values():
        for part in (*table.constraints, *table.indexes):
            assert part.name, f"{type(part).__name__} of {table.name}"
            assert len(str(part.name)) <= 63


def test_no_table_of_the_domain_is_unknown_to_the_migrations() -> None:
    known = set(metadata.tables)
    for module in pkgutil.walk_packages(domain.__path__, "domain."):
        importlib.import_module(module.name)
    assert set(metadata.tables) == known


def test_versions_are_numbered_one_after_the_other() -> None:
    assert revisions() == [f"{number:04d}" for number in range(1, len(revisions()) + 1)]
