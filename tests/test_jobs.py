"""Work for later is done once, tried again when it fails, and kept when it fails for good."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from domain.jobs import LEASE, MOST_TRIES, claim, enqueue, run_one
from domain.lots.operations import ReceiveMaterial, receive_material
from domain.work import Site, transaction
from tests.build import amount
from tests.cast import Clock, actor, raw


def asked(site: Site, count: int = 1, kind: str = "print") -> None:
    with transaction(site, actor(site, "tom")) as work:
        for number in range(count):
            enqueue(work.session, kind, {"number": number}, work.now)


def test_a_job_exists_only_if_the_act_that_asked_for_it_does(site: Site) -> None:
    with pytest.raises(ZeroDivisionError), transaction(site, actor(site, "tom")) as work:  # noqa: PT012
        enqueue(work.session, "print", {}, work.now)
        _ = 1 / 0
    assert claim(site) is None
    with transaction(site, actor(site, "tom")) as work:
        receive_material(
            work,
            ReceiveMaterial(
                material="Trehalose",
                supplier="S",
                supplier_lot_number="1",
                quantity=amount("1", "kg"),
                expires_on="2027-01-01",
            ),
        )
        enqueue(work.session, "print", {"lot": 1}, work.now)
    found = claim(site)
    assert found is not None
    assert (found.kind, found.payload, found.tries) == ("print", {"lot": 1}, 1)


def test_two_workers_never_take_the_same_job(site: Site) -> None:
    asked(site, 40)

    def work_off(_worker: int) -> list[int]:
        taken, idle = [], 0
        while idle < 3:
            job = claim(site)
            idle = idle + 1 if job is None else 0
            taken += [job.id] if job else []
        return taken

    with ThreadPoolExecutor(8) as pool:
        taken = [job for worker in pool.map(work_off, range(8)) for job in worker]
    assert len(taken) == len(set(taken)) == 40


def test_the_job_that_is_due_longest_comes_first_and_none_before_its_time(site: Site, clock: Clock) -> None:
    asked(site, kind="first")
    with transaction(site, actor(site, "tom")) as work:
        enqueue(work.session, "later", {}, clock.now.replace(hour=9))
    done: list[str] = []
    handlers = {"first": lambda *_: done.append("first"), "later": lambda *_: done.append("later")}
    assert run_one(site, handlers) is not None
    assert run_one(site, handlers) is None
    clock.advance(hours=1)
    run_one(site, handlers)
    assert done == ["first", "later"]
    assert run_one(site, handlers) is None


def test_a_job_that_fails_is_tried_again_with_growing_pauses_and_kept_when_it_never_succeeds(
    site: Site, clock: Clock
) -> None:
    asked(site)
    pauses = []

    def fail(_site: Site, _payload: dict[str, Any]) -> None:
        raise OSError("printer on fire")

    for _ in range(MOST_TRIES):
        waited = 0
        while True:
            try:
                if run_one(site, {"print": fail}) is None:
                    waited += 10
                    clock.advance(seconds=10)
                    continue
            except OSError:
                pauses.append(waited)
                break
    assert pauses == [0, *(10 * 2**turn for turn in range(1, MOST_TRIES))]
    clock.advance(days=30)
    assert run_one(site, {"print": fail}) is None
    assert raw(site, "SELECT failure, tries FROM job") == [("OSError: printer on fire", MOST_TRIES)]


def test_a_job_whose_worker_died_is_taken_by_another_after_its_lease(site: Site, clock: Clock) -> None:
    asked(site)
    first = claim(site)
    assert first is not None
    assert claim(site) is None
    clock.now += LEASE
    second = claim(site)
    assert second is not None
    assert (second.id, second.claim, second.tries) == (first.id, 2, 2)


def test_a_job_of_an_unknown_kind_is_no_success(site: Site) -> None:
    asked(site, kind="dance")
    with pytest.raises(KeyError):
        run_one(site, {})
    assert raw(site, "SELECT done_at, tries FROM job") == [(None, 1)]
