"""A dropped PDF over HTTP: a certificate of ours, one with a byte changed, and another file, against a bare route that hashes and asks once."""

from collections.abc import Iterator
from statistics import median
from typing import Any

from benchmarks.place import place
from benchmarks.report import Figure
from benchmarks.server import posted_file, serving
from tests import build


def measure(engine_name: str, quick: bool) -> Iterator[Figure]:
    """Milliseconds of one request, one after the other."""
    count, rounds = (4, 2) if quick else (60, 9)
    with place(engine_name, "verify") as here:
        certificate = build.released(here.site)
        pdf = here.site.documents.get(certificate.pdf_sha256)
        here.settle()
        altered = bytearray(pdf)
        altered[len(altered) // 2] ^= 1
        files = {"genuine": pdf, "altered": bytes(altered), "not ours": b"%PDF-1.7\n%%EOF\n"}
        with serving("ours", here.url, here.folder) as ours, serving("bare", here.url, here.folder) as bare:
            idle = ours.memory()
            mine = {name: [posted_file("/api/v1/public/verify", data)] * count for name, data in files.items()}
            limit = [posted_file("/verify", pdf)] * count
            for some in (*mine.values(), limit):
                (bare if some is limit else ours).load(some[:2], connections=1)
            pairs = [(_each(ours, mine["genuine"]), _each(bare, limit)) for _ in range(rounds)]
            notes: dict[str, Any] = {
                f"{name} ms": f"{median([_each(ours, mine[name]) for _ in range(2)]):.1f}" for name in mine
            }
            notes |= {"KB": len(pdf) // 1024, "MB idle": idle, "MB peak": ours.memory("VmHWM")}
            took, least = zip(*pairs, strict=True)
            yield Figure("verify", engine_name, "check a dropped PDF", "ms", took, least, "at most", 20, notes)


def _each(server: Any, requests: list[str]) -> float:
    return float(server.load(requests, connections=1)["p50"]) * 1000
