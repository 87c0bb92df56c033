"""A real server of the application: uvicorn on a port of its own, in this process or in one that can be killed."""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import uvicorn

from api.main import create_app
from domain.work import Site

START_TIMEOUT = 60.0


def free_port() -> int:
    """A port of the loopback that nobody listens on."""
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        return int(asked.getsockname()[1])


@contextmanager
def serving(site: Site, threads: int) -> Iterator[str]:
    """The application behind uvicorn in a thread of this process; yields its address."""
    port = free_port()
    config = uvicorn.Config(create_app(site, threads=threads), host="127.0.0.1", port=port, log_level="error")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, name="uvicorn")
    thread.start()
    try:
        wait_until_ready(f"http://127.0.0.1:{port}", thread.is_alive)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(timeout=30)


def start_process(database_url: str, documents: Path, port: int) -> subprocess.Popen[bytes]:
    """`exolotl serve` as an operator starts it; returns once it is ready."""
    settings = {"EXOLOTL_DATABASE_URL": database_url, "EXOLOTL_DOCUMENTS_URL": str(documents), "EXOLOTL_DEMO": "0"}
    command = [sys.executable, "-c", "from api.cli import app; app()", "serve", "--port", str(port)]
    root = Path(__file__).parents[2]
    log = (documents.parent / f"server-{port}.log").open("ab")
    process = subprocess.Popen(command, cwd=root, env={**os.environ, **settings}, stdout=log, stderr=log)
    log.close()
    wait_until_ready(f"http://127.0.0.1:{port}", lambda: process.poll() is None)
    return process


def wait_until_ready(address: str, alive: Callable[[], bool]) -> None:
    """Wait for /health/ready."""
    deadline = time.monotonic() + START_TIMEOUT
    while True:
        assert alive(), "the server ended before it was ready"
        assert time.monotonic() < deadline, f"the server was not ready within {START_TIMEOUT:.0f} s"
        try:
            if httpx.get(f"{address}/health/ready", timeout=5).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)
