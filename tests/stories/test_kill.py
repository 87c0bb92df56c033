"""A server killed in the middle of its work: what it answered is there, and nothing by halves (EU GMP Annex 11, 13)."""

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import httpx
import pytest
import sqlalchemy as sa

from domain import audit
from domain.store import engine_for
from migrations import upgrade
from tests.cast import furnish, raw
from tests.servers import create_database, drop_database
from tests.stories.over_http import House, amount
from tests.stories.servers import free_port, start_process

ACTS, CLIENTS, KILLED_AFTER = 500, 4, 230


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path, worker_id: str) -> Iterator[str]:
    """A migrated database with the cast in it, on disk and guarded against the loss of power."""
    name = f"kill_{worker_id}"
    durable = request.param == "postgresql"
    url = create_database(name, durable=True) if durable else f"sqlite:///{tmp_path / 'lots.db'}"
    engine = engine_for(url)
    upgrade(engine)
    furnish(engine)
    engine.dispose()
    yield url
    if durable:
        drop_database(name, durable=True)


class Bench:
    """Clients that book materials in, and note every act that was answered."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.answered: dict[str, str] = {}
        self.enough = Event()

    def work(self, client_number: int, acts: range) -> None:
        """Book in one material after the other until the server is gone."""
        with httpx.Client(base_url=self.address, timeout=30) as client:
            house = House(client)
            house.sign_in("tom")
            for act in acts:
                try:
                    lot = house.post("tom", "/materials", material(f"{client_number}-{act}"))
                except httpx.TransportError:
                    return
                self.answered[f"{client_number}-{act}"] = lot["lot_number"]
                if len(self.answered) >= KILLED_AFTER:
                    self.enough.set()


def material(supplier_lot_number: str) -> dict[str, object]:
    """A material that can be told from every other."""
    facts = {"material": "PBS", "supplier": "Biowest", "expires_on": "2099-12-31", "quantity": amount(("1", "L"))}
    return {**facts, "supplier_lot_number": supplier_lot_number}


@pytest.mark.requirement("URS-001", "URS-006", "URS-012", "URS-022")
def test_every_act_that_was_answered_is_there_after_a_kill(database_url: str, tmp_path: Path) -> None:
    documents = tmp_path / "documents"
    port = free_port()
    server = start_process(database_url, documents, port)
    bench = Bench(f"http://127.0.0.1:{port}")
    shares = [range(number, ACTS, CLIENTS) for number in range(CLIENTS)]
    with ThreadPoolExecutor(CLIENTS) as clients:
        at_work = [clients.submit(bench.work, number, share) for number, share in enumerate(shares)]
        assert bench.enough.wait(timeout=120), "the clients got no answers"
        os.kill(server.pid, signal.SIGKILL)
        server.wait(timeout=30)
        for client in at_work:
            client.result(timeout=60)
    assert KILLED_AFTER <= len(bench.answered) < ACTS, "the server was to be killed in the middle"
    engine = engine_for(database_url)
    try:
        all_is_as_answered(engine, bench.answered)
        again = Bench(f"http://127.0.0.1:{port}")
        server = start_process(database_url, documents, port)
        try:
            again.work(9, range(ACTS - len(bench.answered)))
            seen = House(httpx.Client(base_url=again.address, timeout=30)).get("dov", "/lots", params={"limit": 200})
        finally:
            server.terminate()
            server.wait(timeout=30)
        assert len(seen["lots"]) == 200
        all_is_as_answered(engine, bench.answered | again.answered)
    finally:
        engine.dispose()


def all_is_as_answered(engine: sa.Engine, answered: dict[str, str]) -> None:
    """Every answered act with its audit entry; no lot without one; numbers without a gap; a whole chain."""
    kept = dict(raw(engine, "SELECT supplier_lot_number, lot_number FROM lot"))
    assert answered.items() <= kept.items()
    assert len(kept) - len(answered) <= CLIENTS, "at most what was under way was done and not answered"
    audited = raw(
        engine,
        "SELECT l.lot_number FROM lot l JOIN audit_change c ON c.record = 'lot' AND c.record_id = l.id"
        " JOIN audit_entry e ON e.sequence = c.sequence WHERE e.act = 'receive_material' AND e.outcome = 'done'",
    )
    assert sorted(number for (number,) in audited) == sorted(kept.values())
    counts = sorted(int(number.rpartition("-")[2]) for number in kept.values())
    assert counts == list(range(1, len(kept) + 1))
    assert audit.verify(engine).broken is None
