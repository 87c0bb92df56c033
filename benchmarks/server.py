"""Servers under test, each a process: ours is the real application with its settings, bare is `benchmarks.bare`; both by uvicorn, alike."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn

from api.rate_limits import Budget

CONNECTIONS = 4
"""Requests under way at once."""


class Server:
    """A running server."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self.process, self.port = process, port

    def memory(self, what: str = "VmRSS") -> int:
        """Resident memory in MB: now (VmRSS) or at most (VmHWM)."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith(f"{what}:"):
                return int(line.split()[1]) // 1024
        return 0

    def load(self, requests: Sequence[str], connections: int = CONNECTIONS) -> dict[str, Any]:
        """Send all requests from a process of its own. Fails when one is not answered with success."""
        job = json.dumps({"port": self.port, "connections": connections, "requests": requests})
        client = Path(__file__).with_name("load.py")
        done = subprocess.run(
            [sys.executable, "-I", str(client)], input=job.encode(), stdout=subprocess.PIPE, check=True
        )
        found: dict[str, Any] = json.loads(done.stdout)
        if found["wrong"]:
            raise RuntimeError(f"requests failed: {found['wrong']}")
        return found

    def rate(self, requests: Sequence[str]) -> float:
        """Requests answered a second."""
        return len(requests) / float(self.load(requests)["seconds"])


@contextmanager
def serving(which: str, database_url: str, folder: Path) -> Iterator[Server]:
    """A server (`ours` or `bare`) on a free port of the loopback address, until the block ends."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    setting = {"EXOLOTL_DATABASE_URL": database_url, "EXOLOTL_DOCUMENTS_URL": str(folder / "documents")}
    setting |= {f"EXOLOTL_RATE_{budget}".upper(): "1000000/second" for budget in Budget}  # counted, never refused
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.server", which, str(port)], env=os.environ | setting)
    try:
        _await(process, port)
        yield Server(process, port)
    finally:
        process.terminate()
        process.wait(20)


def _await(process: subprocess.Popen[bytes], port: int) -> None:
    for _ in range(600):
        if process.poll() is not None:
            raise RuntimeError("the server ended before it answered")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("the server does not answer")


def get(path: str) -> str:
    """A request, as it goes over the wire."""
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


def post(path: str, body: Any, token: str = "") -> str:
    """A request with JSON, as it goes over the wire; signed in with a token."""
    text = json.dumps(body)
    bearer = f"Authorization: Bearer {token}\r\n" if token else ""
    return f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{bearer}Content-Type: application/json\r\nContent-Length: {len(text)}\r\n\r\n{text}"


def posted_file(path: str, data: bytes) -> str:
    """A request that drops a file, as it goes over the wire (Latin-1, so that each byte is one sign)."""
    edge = "exolotl-benchmark"
    head = f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="c.pdf"\r\nContent-Type: application/pdf\r\n\r\n'
    body = head.encode() + data + f"\r\n--{edge}--\r\n".encode()
    start = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: multipart/form-data; boundary={edge}\r\n"
    return (f"{start}Content-Length: {len(body)}\r\n\r\n").encode().decode() + body.decode("latin-1")


if __name__ == "__main__":
    app = {"ours": "api.main:create_app", "bare": "benchmarks.bare:create_app"}[sys.argv[1]]
    uvicorn.run(app, factory=True, host="127.0.0.1", port=int(sys.argv[2]), log_level="warning", access_log=False)
