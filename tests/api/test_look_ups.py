"""Look-ups answer whatever the workplace waits for."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Event, Semaphore
from typing import Any

import httpx
import pytest

from domain.work import Site
from tests.cast import password
from tests.stages import LOT
from tests.stories.servers import serving

pytestmark = pytest.mark.stage("in_review")


class SlowPress:
    """A press whose time-stamp authority does not answer until it is told to."""

    def __init__(self, press: Any) -> None:
        self.press, self.asked, self.answers = press, Semaphore(0), Event()

    def __call__(self, content: Any) -> Any:
        self.asked.release()
        assert self.answers.wait(60)
        return self.press(content)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.press, name)


@pytest.mark.requirement("URS-227")
def test_look_ups_and_health_answer_while_every_thread_waits_for_a_time_stamp_authority(site: Site) -> None:
    slow = SlowPress(site.print_certificate)

    def release(address: str, who: str) -> int:
        given = {"username": who, "password": password(who)}
        signed = httpx.post(f"{address}/api/v1/session", json=given, timeout=60).json()
        body = {"reason": "complies", "credentials": given}
        held = {"authorization": f"Bearer {signed['access_token']}"}
        return httpx.post(f"{address}/api/v1/lots/{LOT}/release", json=body, headers=held, timeout=90).status_code

    with serving(replace(site, print_certificate=slow), threads=2) as address, ThreadPoolExecutor(2) as pool:
        waiting = [pool.submit(release, address, who) for who in ("cleo", "quin")]
        try:
            assert all(slow.asked.acquire(timeout=30) for _ in waiting), "both threads of the workplace wait"
            begun = time.monotonic()
            for path, status in (
                (f"/c/{LOT}", 404),
                (f"/api/v1/public/lots/{LOT}", 404),
                ("/api/v1/public/log/entries", 200),
                ("/log", 200),
                ("/compare", 200),
                ("/health/ready", 200),
                ("/health/live", 200),
            ):
                answer = httpx.get(f"{address}{path}", timeout=10)
                assert answer.status_code == status, path
            assert time.monotonic() - begun < 8
        finally:
            slow.answers.set()
        assert sorted(one.result(60) for one in waiting) == [201, 409]
