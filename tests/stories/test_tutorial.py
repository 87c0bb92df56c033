"""The tutorial is typed into a shell, against a live server with the demo in it; what it promises to print is printed."""

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```sh\n(.*?)^```\n(?:```text\n(.*?)^```\n)?", re.MULTILINE | re.DOTALL)
CUT = "-- the next block --"
START_TIMEOUT = 60.0


def exolotl(*arguments: str) -> list[str]:
    """The command line, run by this very Python."""
    return [sys.executable, "-c", "from api.cli import app; app()", *arguments]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """What `make run` does, in a folder and on a port of its own."""
    folder = tmp_path_factory.mktemp("tutorial")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    environment = os.environ | {
        "EXOLOTL_DEMO": "1",
        "EXOLOTL_DATABASE_URL": f"sqlite:///{folder}/exolotl.db",
        "EXOLOTL_DOCUMENTS_URL": str(folder / "documents"),
        "EXOLOTL_BASE_URL": url,
    }
    for command in ("migrate", "demo"):
        subprocess.run(exolotl(command), cwd=ROOT, env=environment, check=True, capture_output=True)
    with (folder / "log").open("w") as log:
        serving = subprocess.Popen(
            exolotl("serve", "--port", str(port)), cwd=ROOT, env=environment, stdout=log, stderr=log
        )
        try:
            _wait_for(url, serving)
            yield url
        finally:
            serving.terminate()
            serving.wait()


def _wait_for(url: str, serving: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_TIMEOUT
    while time.monotonic() < deadline:
        assert serving.poll() is None, "the server ended"
        try:
            if httpx.get(f"{url}/health/ready").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    raise AssertionError("the server does not answer")


def pattern(promised: str) -> str:
    """The promised text, where `…` stands for anything on one line."""
    return ".*".join(re.escape(part) for part in promised.strip().split("…"))


def test_every_command_of_the_tutorial_works_and_prints_what_it_promises(server: str, tmp_path: Path) -> None:
    blocks = BLOCK.findall((ROOT / "docs/tutorial.md").read_text())
    assert len(blocks) >= 8
    script = f"\necho '{CUT}'\n".join(["set -euo pipefail", *(commands for commands, _ in blocks)])
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        env=os.environ | {"EXOLOTL": server, "PYTHON": sys.executable, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    printed = [part.strip() for part in done.stdout.split(f"{CUT}\n")][1:]
    for (commands, promised), found in zip(blocks, printed, strict=False):
        assert re.fullmatch(pattern(promised), found), (
            f"{commands}\npromised:\n{promised}\nprinted:\n{found}\n{done.stderr}"
        )
    assert done.returncode == 0, done.stderr
    assert len(printed) == len(blocks)
