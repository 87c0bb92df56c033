"""Takes the pictures of the README anew: `.venv/bin/python -m docs.pictures`.

A demo is made in a temporary folder and served on loopback; the first page of a certificate is drawn from its PDF, the look-up page of
the same lot is photographed in Chromium. Both are written to docs/pictures, with a palette, as they have to stay small.
"""

import io
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pypdfium2
from PIL import Image
from playwright.sync_api import sync_playwright

from tests.servers import chromium_path

PICTURES = Path(__file__).parent / "pictures"
LARGEST = 250_000
WIDTH = 1000


@contextmanager
def demo_server(folder: Path) -> Iterator[str]:
    """What `make run` does, in another folder and on a free port; yields the address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    settings = {"DEMO": "1", "DATABASE_URL": f"sqlite:///{folder}/demo.db", "DOCUMENTS_URL": str(folder / "documents")}
    settings["BASE_URL"] = "http://127.0.0.1:8000"
    environment = os.environ | {f"EXOLOTL_{name}": value for name, value in settings.items()}
    program = [sys.executable, "-c", "from api.cli import app; app()"]
    for command in ("migrate", "demo"):
        subprocess.run([*program, command], env=environment, check=True)
    serving = subprocess.Popen([*program, "serve", "--port", url.rsplit(":", 1)[1]], env=environment)
    try:
        _wait_for(url)
        yield url
    finally:
        serving.terminate()
        serving.wait()


def _wait_for(url: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            if httpx.get(f"{url}/health/ready").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise TimeoutError("the demo server does not answer")


def released_lot(url: str) -> str:
    """The number of a released lot, asked for as the auditor."""
    answer = httpx.post(f"{url}/api/v1/session", json={"username": "dov", "password": "velvet granite one"})
    headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    found = httpx.get(f"{url}/api/v1/lots?state=released&kind=drug_product&text=AD-EV", headers=headers)
    return str(found.json()["lots"][0]["lot_number"])


def certificate_page(url: str, lot: str) -> Image.Image:
    """The first page of the lot's certificate."""
    public = httpx.get(f"{url}/api/v1/public/lots/{lot}").json()
    page = pypdfium2.PdfDocument(httpx.get(url + public["pdf_url"]).content)[0]
    return page.render(scale=WIDTH / page.get_width()).to_pil()  # type: ignore[no-any-return]


def look_up_page(url: str, lot: str) -> Image.Image:
    """What a visitor sees of the lot first."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": WIDTH, "height": 1250}, color_scheme="light")
        page.goto(f"{url}/c/{lot}")
        picture = page.screenshot()
        browser.close()
    return Image.open(io.BytesIO(picture))


def keep(picture: Image.Image, name: str) -> None:
    """Write a small PNG."""
    path = PICTURES / name
    picture.convert("RGB").quantize(128, dither=Image.Dither.NONE).save(path, optimize=True)
    if path.stat().st_size > LARGEST:
        raise ValueError(f"{path} has {path.stat().st_size} bytes; at most {LARGEST} are wanted")
    sys.stdout.write(f"{path} {path.stat().st_size}\n")


def main() -> None:
    """Take both."""
    with tempfile.TemporaryDirectory() as folder, demo_server(Path(folder)) as url:
        lot = released_lot(url)
        keep(certificate_page(url, lot), "certificate.png")
        keep(look_up_page(url, lot), "look-up.png")


if __name__ == "__main__":
    main()
