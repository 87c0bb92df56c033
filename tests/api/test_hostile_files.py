"""Files that mean harm: each is answered within two seconds, by a process that can do nothing else, and the server stays as it was."""

import os
import subprocess
import sys
import time
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from io import BytesIO

import pikepdf
import pytest
from fastapi.testclient import TestClient
from pikepdf import Array, Dictionary, Name, String

from api.limited import AT_ONCE, EXAMINER, MEMORY, Examiner
from reports.checking import FIELD
from tests.signing.keys import signer
from tests.signing.papers import unsigned

MB = 1024 * 1024


def _saved(pdf: pikepdf.Pdf, **how: object) -> bytes:
    out = BytesIO()
    pdf.save(out, **how)  # type: ignore[arg-type]
    return out.getvalue()


def _plain(*objects: bytes, root: bytes = b"<< /Type /Catalog /Pages 2 0 R >>") -> bytes:
    """A file written by hand: catalogue, an empty page tree, and these objects from number 3 on."""
    body = [root, b"<< /Type /Pages /Kids [] /Count 0 >>", *objects]
    out, places = b"%PDF-1.7\n", []
    for number, one in enumerate(body, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, one)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(body) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    return out + b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(body) + 1, start)


def _stream(data: bytes, filters: bytes, more: bytes = b"") -> bytes:
    return b"<< /Length %d /Filter %s %s >>\nstream\n%s\nendstream" % (len(data), filters, more, data)


def _attached_bomb() -> bytes:
    """An attached file of 400 MB in 2 MB, as the data of a certificate."""
    bomb = zlib.compress(bytes(400 * MB), 1)
    return _plain(
        b"<< /Type /Filespec /F (coa.json) /UF (coa.json) /AFRelationship /Source /EF << /F 4 0 R >> >>",
        _stream(bomb, b"/FlateDecode"),
        root=b"<< /Type /Catalog /Pages 2 0 R /Names << /EmbeddedFiles << /Names [(coa.json) 3 0 R] >> >> >>",
    )


def _metadata_bomb() -> bytes:
    """A bomb in a bomb: the metadata, packed twice."""
    bomb = zlib.compress(zlib.compress(bytes(400 * MB), 1), 9)
    root = b"<< /Type /Catalog /Pages 2 0 R /Metadata 3 0 R >>"
    return _plain(_stream(bomb, b"[/FlateDecode /FlateDecode]"), root=root)


def _signed_bomb() -> bytes:
    """A field of ours whose signature says that it covers everything many times over, and holds what is no signature."""
    pdf = pikepdf.open(BytesIO(signer().sign(unsigned(), datetime(2026, 3, 2, tzinfo=UTC))))
    value = pdf.Root.AcroForm.Fields[0].V
    value.ByteRange = Array([0, 2**31 - 1] * 50_000)
    value.Contents = String("0" * (2 * MB))
    return _saved(pdf)


def _ten_thousand_pages() -> bytes:
    pdf = pikepdf.new()
    page = pdf.make_indirect(Dictionary(Type=Name.Page, MediaBox=[0, 0, 9, 9]))
    pages = [pdf.make_indirect(Dictionary(page)) for _ in range(10_000)]
    pdf.Root.Pages = pdf.make_indirect(Dictionary(Type=Name.Pages, Kids=Array(pages), Count=10_000))
    return _saved(pdf)


def _scripted() -> bytes:
    pdf = pikepdf.open(BytesIO(unsigned()), allow_overwriting_input=False)
    pdf.Root.OpenAction = Dictionary(S=Name.JavaScript, JS=String("while (true) {}"))
    pdf.pages[0].obj.AA = Dictionary(O=Dictionary(S=Name.Launch, F=String("/bin/sh")))
    pdf.attachments["payload.exe"] = b"MZ"
    return _saved(pdf)


def _encrypted() -> bytes:
    with pikepdf.open(BytesIO(unsigned())) as pdf:
        return _saved(pdf, encryption=pikepdf.Encryption(user="secret", owner="secret"))


def _deep() -> bytes:
    return _plain(b"[" * 200_000 + b"]" * 200_000)


def _deep_json() -> bytes:
    data = b"[" * 500_000
    return _plain(
        b"<< /Type /Filespec /F (coa.json) /UF (coa.json) /AFRelationship /Source /EF << /F 4 0 R >> >>",
        _stream(zlib.compress(data), b"/FlateDecode"),
        root=b"<< /Type /Catalog /Pages 2 0 R /Names << /EmbeddedFiles << /Names [(coa.json) 3 0 R] >> >> >>",
    )


def _circles() -> bytes:
    """Page tree, fields and attached files that lead back to themselves, and a cross-reference table that does."""
    field = b"<< /FT /Sig /T (" + FIELD.encode() + b") /Kids [3 0 R] /Parent 3 0 R /V 3 0 R >>"
    root = (
        b"<< /Type /Catalog /Pages 1 0 R /AcroForm << /Fields [3 0 R] >> /Names << /EmbeddedFiles 4 0 R >> /AF 3 0 R >>"
    )
    made = _plain(field, b"<< /Kids [4 0 R] /Limits [(a) (z)] >>", root=root)
    start = made.rindex(b"startxref") + 10
    place = made[start:].split(b"\n")[0]
    return made.replace(b"/Root 1 0 R", b"/Root 1 0 R /Prev " + place)


def _polyglot() -> bytes:
    return b"PK\x03\x04<html><script>alert(1)</script>" + unsigned() + b"<!-- PK\x05\x06" + bytes(18)


HOSTILE: dict[str, Callable[[], bytes]] = {
    "a bomb as attached file": _attached_bomb,
    "a bomb in a bomb as metadata": _metadata_bomb,
    "a signature that covers all too much": _signed_bomb,
    "ten thousand pages": _ten_thousand_pages,
    "JavaScript, a program to launch, a program attached": _scripted,
    "encrypted": _encrypted,
    "cut in the middle": lambda: unsigned()[: len(unsigned()) // 2],
    "nested two hundred thousand times": _deep,
    "data nested half a million times": _deep_json,
    "leading back to itself": _circles,
    "a page, an archive and a PDF in one": _polyglot,
    "twenty megabytes of nothing": lambda: b"%PDF-1.7\n" + bytes(20 * MB - 100),
    "twenty megabytes of ends": lambda: (b"%PDF-1.7\n" + b"%%EOF\n" * 3_400_000)[: 20 * MB],
    "twenty megabytes of numbers": lambda: (b"%PDF-1.7\n" + b"COA-2026-000009 " * 1_300_000)[: 20 * MB],
    "random bytes": lambda: b"%PDF-1.7\n" + os.urandom(MB),
    "nothing but a header": lambda: b"%PDF-1.7",
}


@pytest.fixture(scope="module")
def made() -> dict[str, bytes]:
    """The files; and the process that waits for them is ready."""
    assert EXAMINER.examine(unsigned(), (), patience=60).field
    return {name: make() for name, make in HOSTILE.items()}


@pytest.mark.requirement("URS-095")
def test_every_hostile_file_is_examined_in_time_and_told(made: dict[str, bytes]) -> None:
    found, slow = {}, {}
    for name, data in made.items():
        began = time.monotonic()
        found[name] = EXAMINER.examine(data, ())
        if (taken := time.monotonic() - began) > 1.9:
            slow[name] = taken
    assert not slow
    assert found["encrypted"].problem == "encrypted"
    for name in ("a bomb as attached file", "cut in the middle"):
        assert found[name].problem in ("limits", "damaged"), name
    assert set(found["JavaScript, a program to launch, a program attached"].active) == {
        "OpenAction entry",
        "AA entry",
        "JavaScript action",
        "Launch action",
        "attached file payload.exe",
    }
    assert found["ten thousand pages"].active == ("far more than a certificate has",)
    assert found["a page, an archive and a PDF in one"].field, "it is a PDF for a reader"
    assert all(one.signature is None or not one.signature.intact for one in found.values())


@pytest.mark.requirement("URS-095")
def test_a_hostile_file_is_not_ours_and_no_failure_of_the_server(client: TestClient, made: dict[str, bytes]) -> None:
    for name in ("a bomb as attached file", "twenty megabytes of ends", "twenty megabytes of numbers", "random bytes"):
        began = time.monotonic()
        answer = client.post("/api/v1/public/verify", files={"file": ("x.pdf", made[name], "application/pdf")})
        assert (answer.status_code, answer.json()["outcome"]) == (200, "not_ours"), name
        assert time.monotonic() - began < 2, name
    more = client.post("/api/v1/public/verify", files={"file": ("x.pdf", bytes(20 * MB + 1), "application/pdf")})
    assert (more.status_code, more.json()["type"]) == (422, "/problems/file-too-large")


@pytest.mark.requirement("URS-095")
def test_many_hostile_files_at_once_do_not_keep_a_good_one_waiting_for_long(made: dict[str, bytes]) -> None:
    bomb = made["a bomb as attached file"]
    began = time.monotonic()
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda _: EXAMINER.examine(bomb, ()), range(12)))
    assert time.monotonic() - began < 2.5
    assert {one.problem for one in answers} <= {"limits", "damaged", "busy"}
    assert len([one for one in answers if one.problem != "busy"]) >= AT_ONCE
    assert EXAMINER.examine(unsigned(), (), patience=30).field


LIMITED = """
import os, socket, sys
from api.limited import _limit
_limit()
for name, act in {
    "file": lambda: open("/etc/hostname"),
    "network": lambda: socket.create_connection(("127.0.0.1", 9)),
    "memory": lambda: bytearray(400 * 1024 * 1024),
    "program": lambda: os.posix_spawn("/bin/true", ["true"], {}),
    "root": lambda: os.setuid(0) if os.getuid() != 0 else None,
}.items():
    try:
        act()
        print(name, "done")
    except (OSError, MemoryError) as error:
        print(name, "refused")
while True:
    pass
"""


@pytest.mark.requirement("URS-095")
def test_the_process_that_examines_opens_nothing_starts_nothing_and_is_ended_in_time() -> None:
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-u", "-c", LIMITED], capture_output=True, text=True, timeout=30, check=False
    )
    told = dict(line.split() for line in done.stdout.splitlines())
    assert told == dict.fromkeys(("file", "network", "memory", "program", "root"), "refused")
    assert done.returncode < 0, "ended by a signal"
    assert time.monotonic() - began < 10
    assert MEMORY == 300 * MB


@pytest.mark.requirement("URS-095")
def test_a_waiting_process_that_was_ended_is_started_again() -> None:
    own = Examiner()
    try:
        assert own.examine(unsigned(), (), patience=60).field
        assert own._process is not None
        own._process.kill()
        own._process.wait()
        assert own.examine(unsigned(), (), patience=60).field
    finally:
        own.stop()
    assert own._process is None
