"""One address asks so often and no more; who asks is told by nothing that the asker can write."""

from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import pytest
from fastapi.testclient import TestClient
from limits.errors import StorageError
from pydantic import ValidationError

from api.main import create_app
from api.rate_limits import Budget, Counting, Proxies, Rules, budget_of, counted_as, limits_of, store_of
from api.settings import Settings
from domain.documents import Documents
from domain.store import engine_for
from domain.work import Site
from migrations import upgrade
from tests.printing import press

LOT = "/api/v1/public/lots/UEV26-0009"
PAGE = {"accept": "text/html"}


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A laboratory without lots; how often is asked does not depend on its engine."""
    engine = engine_for(f"sqlite:///{tmp_path_factory.mktemp('limits') / 'empty.db'}")
    upgrade(engine)
    yield Site(engine, Documents("memory://"), press())
    engine.dispose()


def asking(site: Site, address: str = "192.0.2.1", **settings: str) -> TestClient:
    """Somebody at an address, asking a server with these settings."""
    return TestClient(
        create_app(site, given=Settings(**settings)), client=(address, 4711), raise_server_exceptions=False
    )  # type: ignore[arg-type]


@pytest.mark.requirement("URS-124")
def test_whoever_asks_too_often_is_told_when_to_ask_again(empty: Site) -> None:
    client = asking(empty, rate_lookups="3/minute")
    assert [client.get(LOT).status_code for _ in range(3)] == [404, 404, 404]
    refused = client.get(LOT)
    assert (refused.status_code, refused.json()["type"]) == (429, "/problems/asked-too-often")
    assert refused.headers["content-type"] == "application/problem+json"
    assert 1 <= int(refused.headers["retry-after"]) <= 120
    assert refused.headers["cache-control"] == "no-store"
    page = client.get("/c/UEV26-0009", headers={**PAGE, "accept-language": "de"})
    assert (page.status_code, page.headers["retry-after"].isdecimal()) == (429, True)
    assert "Bitte warten Sie etwas" in page.text
    assert empty.profile.phone in page.text, "a recall may be urgent"
    assert "script-src" not in page.headers["content-security-policy"]


@pytest.mark.requirement("URS-124")
def test_each_kind_of_question_has_its_own_budget_and_the_workplace_has_none(empty: Site) -> None:
    client = asking(empty, **{f"rate_{budget}": "1/minute" for budget in Budget})
    asked = {
        "lookups": ("GET", LOT),
        "verify": ("POST", "/api/v1/public/verify"),
        "follow": ("POST", f"{LOT}/followers"),
        "sign_in": ("POST", "/api/v1/session"),
    }
    for method, path in asked.values():
        assert client.request(method, path).status_code != 429, path
    for method, path in asked.values():
        assert client.request(method, path).status_code == 429, path
    for free in ("/health/live", "/metrics", "/lots", "/api/v1/lots", "/c", "/verify", "/sign-in"):
        assert {client.get(free, follow_redirects=False).status_code for _ in range(4)} & {429} == set(), free


@pytest.mark.requirement("URS-124")
def test_every_public_route_spends_a_budget(empty: Site) -> None:
    app = create_app(empty)
    paths = {path for path in app.openapi()["paths"] if path.startswith("/api/v1/public/")}
    for path in paths:
        for method in app.openapi()["paths"][path]:
            assert budget_of(method.upper(), path) is not None, f"{method} {path}"
    for method, path in (
        ("GET", "/c/X"),
        ("GET", "/01/1/10/X"),
        ("POST", "/verify"),
        ("POST", "/follow"),
        ("GET", "/compare"),
    ):
        assert budget_of(method, path) is not None


def test_another_address_is_not_held_up(empty: Site) -> None:
    app = create_app(empty, given=Settings(rate_lookups="1/minute"))
    one, other = (TestClient(app, client=(address, 1)) for address in ("192.0.2.1", "192.0.2.2"))
    assert [one.get(LOT).status_code, one.get(LOT).status_code, other.get(LOT).status_code] == [404, 429, 404]


@pytest.mark.requirement("URS-124")
@pytest.mark.parametrize(
    ("address", "whom"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("testclient", "testclient"),
        ("", "unknown"),
    ],
)
def test_an_ipv6_client_is_counted_by_its_network(address: str, whom: str) -> None:
    assert counted_as(address) == whom


@pytest.mark.requirement("URS-125")
@pytest.mark.parametrize(
    ("proxies", "peer", "forwarded", "client"),
    [
        ("", "192.0.2.1", "203.0.113.9", "192.0.2.1"),
        ("1", "10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("1", "10.0.0.1", "6.6.6.6, 203.0.113.9", "203.0.113.9"),
        ("2", "10.0.0.1", "6.6.6.6, 203.0.113.9, 10.0.0.2", "203.0.113.9"),
        ("2", "10.0.0.1", "203.0.113.9", "10.0.0.1"),
        ("1", "10.0.0.1", "", "10.0.0.1"),
        ("1", "10.0.0.1", "nonsense", "10.0.0.1"),
        ("10.0.0.0/8", "10.0.0.1", "6.6.6.6, 203.0.113.9", "203.0.113.9"),
        ("10.0.0.0/8", "10.0.0.1", "6.6.6.6, 203.0.113.9, 10.0.0.2", "203.0.113.9"),
        ("10.0.0.0/8", "192.0.2.1", "203.0.113.9", "192.0.2.1"),
        ("10.0.0.0/8, fd00::/8", "fd00::1", "203.0.113.9:4711", "203.0.113.9"),
        ("10.0.0.0/8", "10.0.0.1", "[2001:db8::1]:443", "2001:db8::1"),
        ("10.0.0.0/8", "10.0.0.1", "10.0.0.3", "10.0.0.3"),
        ("10.0.0.0/8", "10.0.0.1", "6.6.6.6, <script>", "10.0.0.1"),
    ],
)
def test_the_address_is_the_nearest_that_a_proxy_of_ours_saw(
    proxies: str, peer: str, forwarded: str, client: str
) -> None:
    assert Proxies.parse(proxies).client(peer, forwarded) == client


@pytest.mark.requirement("URS-125")
def test_a_header_of_an_outsider_buys_nothing(empty: Site) -> None:
    client = asking(empty, rate_lookups="2/minute")
    answers = [client.get(LOT, headers={"x-forwarded-for": f"203.0.113.{at}"}).status_code for at in range(4)]
    assert answers == [404, 404, 429, 429]
    behind = asking(empty, "10.0.0.1", rate_lookups="1/minute", trusted_proxies="1")
    said = ("6.6.6.1, 203.0.113.1", "6.6.6.2, 203.0.113.1", "6.6.6.3, 203.0.113.2")
    assert [behind.get(LOT, headers={"x-forwarded-for": one}).status_code for one in said] == [404, 429, 404]


@pytest.mark.requirement("URS-132")
def test_look_ups_are_counted_by_kind_and_without_lots_or_addresses(empty: Site) -> None:
    client = asking(empty, "198.51.100.77", rate_lookups="2/minute")
    for _ in range(3):
        client.get(LOT)
    told = client.get("/metrics").text
    assert 'exolotl_public_requests_total{budget="lookups",outcome="not_found"} 2.0' in told
    assert 'exolotl_public_requests_total{budget="lookups",outcome="limited"} 1.0' in told
    assert "198.51.100.77" not in told
    assert "UEV26-0009" not in told


def test_a_limit_can_be_switched_off_and_have_several_parts(empty: Site) -> None:
    assert limits_of("off") == limits_of(" OFF ") == ()
    client = asking(empty, rate_lookups="100/second; 2/hour")
    assert [client.get(LOT).status_code for _ in range(3)] == [404, 404, 429]


@pytest.mark.parametrize(
    "wrong",
    [
        {"rate_lookups": "often"},
        {"rate_verify": ""},
        {"trusted_proxies": "anybody"},
        {"trusted_proxies": "-1"},
        {"rate_store": "nowhere://"},
    ],
)
def test_a_setting_that_says_nothing_is_refused_at_the_start(wrong: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        Settings(**wrong)  # type: ignore[arg-type]


def test_a_refused_setting_does_not_print_the_secret_in_it() -> None:
    with pytest.raises(ValidationError) as refused:
        Settings(smtp_url="smtp://user:hunter2@mail.example.org:587")
    assert "hunter2" not in str(refused.value)


class Dead:
    """A shared store that does not answer."""

    def __init__(self) -> None:
        self.asked = 0

    def hit(self, *_: object) -> bool:
        self.asked += 1
        raise StorageError(ConnectionError("no route to the store"))


def test_a_shared_store_that_does_not_answer_holds_up_nobody_and_is_not_asked_at_once_again() -> None:
    counting = Counting(Rules({Budget.LOOKUPS: limits_of("2/minute")}))
    counting.shared, counting._limiter = True, Dead()  # type: ignore[assignment]
    assert [bool(counting.spend(Budget.LOOKUPS, "192.0.2.1")) for _ in range(3)] == [False, False, True]
    assert counting._limiter.asked == 1  # type: ignore[attr-defined]


@pytest.mark.requirement("URS-132")
def test_what_was_counted_is_forgotten_when_its_window_is_over() -> None:
    counting = Counting(Rules({Budget.LOOKUPS: limits_of("1/second")}))
    storage: Any = counting._own.storage
    for last in range(50):
        counting.spend(Budget.LOOKUPS, f"192.0.2.{last}")
    assert len(storage.expirations) == 50
    storage.expirations = dict.fromkeys(storage.expirations, 0.0)
    storage._due = 0.0
    counting.spend(Budget.LOOKUPS, "198.51.100.1")
    storage.timer.join(2)
    assert len(storage.storage) == 1


def test_a_shared_store_is_loaded_by_its_name_or_said_to_be_missing() -> None:
    if find_spec("redis"):
        assert type(store_of("redis://127.0.0.1:1/0")).__name__ == "RedisStorage"
        return
    with pytest.raises(ValueError, match="redis"):
        store_of("redis://127.0.0.1:1/0")
