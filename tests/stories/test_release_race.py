"""Sixteen clients release the same lot at once: one release, one certificate."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import httpx
import pytest

from domain import audit
from domain.certificates.queries import anchors
from domain.store import reading
from domain.work import Site
from tests.cast import raw
from tests.stories.over_http import House, Story, credentials
from tests.stories.servers import serving

CLIENTS = 16


@pytest.mark.requirement("URS-001", "URS-005", "URS-022", "URS-040")
def test_sixteen_clients_release_a_lot_at_once_and_one_certificate_is_issued(story: Story, site: Site) -> None:
    lot = story.ready_for_release()
    with serving(site, threads=CLIENTS) as address:
        answers = at_once(address, lot)
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [201] + [409] * (CLIENTS - 1)
    refused = {reason["type"] for answer in answers if answer.status_code == 409 for reason in answer.json()["reasons"]}
    assert refused <= {"/problems/wrong-state", "/problems/changed-meanwhile"}
    assert raw(site, "SELECT count(*) FROM certificate") == [(1,)]
    assert raw(site, "SELECT count(*) FROM lot_move WHERE action = 'release'") == [(1,)]
    assert raw(site, "SELECT count(*) FROM signature WHERE meaning = 'certified for release'") == [(1,)]
    assert raw(site, "SELECT count(*) FROM audit_entry WHERE act = 'release_lot' AND outcome = 'done'") == [(1,)]
    with reading(site.engine) as session:
        assert audit.verify(site.engine, list(anchors(session))).broken is None


def at_once(address: str, lot: str) -> list[httpx.Response]:
    """Every client has signed in and holds the same button; then all press it."""
    clients = [httpx.Client(base_url=address, timeout=60) for _ in range(CLIENTS)]
    houses = [House(client) for client in clients]
    people = [("cleo", "quin")[place % 2] for place in range(CLIENTS)]
    for house, who in zip(houses, people, strict=True):
        house.sign_in(who)
    ready = Barrier(CLIENTS)

    def press(house: House, who: str) -> httpx.Response:
        ready.wait(timeout=30)
        body = {"reason": "complies", "credentials": credentials(who)}
        return house.ask(who, "POST", f"/api/v1/lots/{lot}/release", json=body)

    try:
        with ThreadPoolExecutor(CLIENTS) as pool:
            return list(pool.map(press, houses, people))
    finally:
        for client in clients:
            client.close()
