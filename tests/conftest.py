"""Every test that asks for `engine` or `site` runs twice: on SQLite and on PostgreSQL, on a migrated database."""

from collections.abc import Callable, Iterator

import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher

from api.rate_limits import Budget
from api.settings import settings
from domain.documents import Documents
from domain.people import passwords
from domain.store import engine_for
from domain.work import Site
from reports.labels import print_labels
from tests.cast import Clock
from tests.databases import Databases, PostgreSQL, SQLite
from tests.printing import press
from tests.signing.keys import log_key

Backend = Callable[[], Databases]


@pytest.fixture(scope="session", autouse=True)
def _quick_passwords() -> Iterator[None]:
    """Argon2 as cheap as it can be: the tests ask for passwords hundreds of times."""
    cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "hasher", cheap)
        patch.setattr(passwords, "_NOBODY", cheap.hash("nobody knows this"))
        yield


@pytest.fixture(scope="session", autouse=True)
def _generous_limits() -> Iterator[None]:
    """Tests ask all at once; those of the rate limits bring their own."""
    with pytest.MonkeyPatch.context() as patch:
        for budget in Budget:
            patch.setenv(f"EXOLOTL_RATE_{budget}".upper(), "1000000/second")
        settings.cache_clear()
        yield
    settings.cache_clear()


@pytest.fixture(scope="session")
def _databases(
    _quick_passwords: None, tmp_path_factory: pytest.TempPathFactory, worker_id: str
) -> Callable[[str], Databases]:
    """The databases of this worker by engine, made when first asked for."""
    made: dict[str, Databases] = {}

    def of(kind: str) -> Databases:
        if kind not in made:
            folder = tmp_path_factory.mktemp("databases")
            made[kind] = SQLite(folder) if kind == "sqlite" else PostgreSQL(f"tests_{worker_id}")
        return made[kind]

    return of


@pytest.fixture(params=["sqlite", "postgresql"])
def databases(request: pytest.FixtureRequest, _databases: Callable[[str], Databases]) -> Databases:
    """One engine, then the other."""
    return _databases(request.param)


@pytest.fixture
def engine(databases: Databases) -> Iterator[sa.Engine]:
    """An engine on a migrated, empty database."""
    yield from _opened(databases.fresh("empty"))


@pytest.fixture
def clock() -> Clock:
    """Monday, 2 March 2026, 08:00 UTC, or when the stage of the test ended; it moves only when told."""
    return Clock()


@pytest.fixture
def site(request: pytest.FixtureRequest, databases: Databases, clock: Clock) -> Iterator[Site]:
    """A laboratory with the cast in it, and what the stage of the test adds."""
    chosen = request.node.get_closest_marker("stage")
    stage = chosen.args[0] if chosen else "cast"
    url = databases.fresh(stage)
    clock.now = databases.times[stage]
    for opened in _opened(url):
        yield Site(opened, Documents("memory://"), press(), clock=clock, log_key=log_key(), print_labels=print_labels)


def _opened(url: str) -> Iterator[sa.Engine]:
    engine = engine_for(url, pool_size=20)
    yield engine
    engine.dispose()
