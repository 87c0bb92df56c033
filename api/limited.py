"""Files of strangers are examined in a process of their own, which can do nothing else: little memory, little time, no file, no network.

One process imports everything beforehand; for each file it forks another, which takes limits upon itself before it reads a byte and ends with
its answer. Whatever becomes of that one (killed, crashed, too slow) is an answer too: the file could not be read within the limits.
"""

import asyncio
import gc
import io
import json
import logging
import os
import resource
import select
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from threading import BoundedSemaphore, Lock

import pikepdf
from pikepdf import Array, Dictionary, Name, String
from pydantic import ValidationError

from api import development
from reports.checking import FIELD, Found, examine
from reports.keys import from_pkcs12
from reports.signing import Signer

#: Bytes of memory, seconds of processor, seconds in all: for one file.
MEMORY, PROCESSOR, SECONDS = 300 * 1024 * 1024, 2, 1.5
#: The most bytes of an answer that are read.
MOST_ANSWER = 100_000
#: How many files are examined at once by one server process; who comes then, waits within the time they have.
AT_ONCE = max(2, os.cpu_count() or 2)

_LENGTH = struct.Struct("!II")
_NOBODY = 65534
_READY = b"+"


class Examiner:
    """The door to those processes; one a server process, made ready at its start (`start`)."""

    def __init__(self) -> None:
        self._lock, self._places = Lock(), BoundedSemaphore(AT_ONCE)
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._ready = False

    def start(self) -> None:
        """Start the process that waits for files, unless it runs; returns at once."""
        with self._lock:
            self._started()

    def _started(self) -> socket.socket:
        if self._process is not None and self._process.poll() is None and self._control is not None:
            return self._control
        self.stop()
        ours, theirs = socket.socketpair()
        code = f"from api.limited import wait_for_files; wait_for_files({theirs.fileno()})"
        root = str(Path(__file__).parents[1])
        self._process = subprocess.Popen(  # noqa: S603 - our own code
            [sys.executable, "-c", code],
            pass_fds=[theirs.fileno()],
            env={"PYTHONPATH": root, "PATH": os.environ.get("PATH", ""), "LANG": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
        )
        theirs.close()
        self._control, self._ready = ours, False
        return ours

    def stop(self) -> None:
        """End the process that waits for files."""
        if self._control is not None:
            self._control.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._process = self._control = None

    def examine(self, data: bytes, trusted: Sequence[bytes], patience: float = SECONDS) -> Found:
        """What the file is; never raises, and answers within `patience` (s): `busy` if there was no place or process for it in that time."""
        until = time.monotonic() + patience
        if not self._places.acquire(timeout=patience):
            return Found(problem="busy")
        try:
            asked = self._asked(until)
            if asked is None:
                return Found(problem="busy")
            with asked:
                return _answer(asked, data, trusted, until)
        finally:
            self._places.release()

    def _asked(self, until: float) -> socket.socket | None:
        """A line to a new process, or None when there is none in time. A process that was ended from outside is started again."""
        for _ in range(2):
            ours, theirs = socket.socketpair()
            with theirs, self._lock:
                try:
                    control = self._started()
                    if not self._ready:
                        control.settimeout(max(0.01, until - time.monotonic()))
                        self._ready = control.recv(1) == _READY
                    socket.send_fds(control, [_READY], [theirs.fileno()])
                except TimeoutError:
                    ours.close()
                    return None
                except OSError:
                    self.stop()
                    ours.close()
                else:
                    return ours
        return None


def _answer(asked: socket.socket, data: bytes, trusted: Sequence[bytes], until: float) -> Found:
    answer = b""
    try:
        head = json.dumps([one.hex() for one in trusted]).encode()
        for part in (_LENGTH.pack(len(head), len(data)), head, data):
            asked.settimeout(max(0.01, until - time.monotonic()))
            asked.sendall(part)
        while len(answer) <= MOST_ANSWER:
            asked.settimeout(max(0.01, until - time.monotonic()))
            more = asked.recv(65536)
            if not more:
                return Found.model_validate_json(answer)
            answer += more
    except (OSError, ValidationError):
        pass
    return Found(problem="limits")


EXAMINER = Examiner()


# --- what runs in the processes -------------------------------------------------------------------------------------------


def wait_for_files(descriptor: int) -> None:
    """The process that waits: for each line it is handed, it forks one that reads a file from it. Ends when its server does."""
    logging.disable()
    control = socket.socket(fileno=descriptor)
    examine(_sample(), (), asyncio.run)
    gc.collect()
    gc.freeze()
    with suppress(OSError):
        control.sendall(_READY)
    children: dict[int, float] = {}
    while True:
        waiting, _, _ = select.select([control], [], [], 0.2 if children else None)
        if waiting:
            line = _handed(control)
            if line is None:
                os._exit(0)
            pid = os.fork()
            if pid == 0:
                control.close()
                _examine_one(line)
            line.close()
            children[pid] = time.monotonic() + SECONDS + 1
        _tidy(children)


def _sample() -> bytes:
    """A small signed file: examining it imports all that is imported only when it is needed, which no limited process could."""
    pdf = pikepdf.new()
    page = pdf.add_blank_page()
    field = Dictionary(Type=Name.Annot, Subtype=Name.Widget, FT=Name.Sig, T=String(FIELD), F=132, Rect=[0, 0, 9, 9])
    placed = pdf.make_indirect(field)
    page.obj.Annots = Array([placed])
    pdf.Root.AcroForm = Dictionary(Fields=Array([placed]), SigFlags=1)
    written = io.BytesIO()
    pdf.save(written)
    return Signer(lambda: from_pkcs12(development.authority(), "")).sign(written.getvalue(), datetime.now(UTC))


def _handed(control: socket.socket) -> socket.socket | None:
    try:
        _, descriptors, _, _ = socket.recv_fds(control, 1, 1)
    except OSError:
        return None
    return socket.socket(fileno=descriptors[0]) if descriptors else None


def _tidy(children: dict[int, float]) -> None:
    """Let go of the ones that have ended; end those that should have."""
    for pid, until in list(children.items()):
        if os.waitpid(pid, os.WNOHANG)[0]:
            del children[pid]
        elif time.monotonic() > until:
            os.kill(pid, signal.SIGKILL)


def _examine_one(line: socket.socket) -> None:
    """Read a file, answer, end. The loop for pyHanko's coroutines is made before the limits, as it needs descriptors."""
    try:
        loop = asyncio.new_event_loop()
        _limit()
        heads, size = _LENGTH.unpack(_read(line, _LENGTH.size))
        trusted = [bytes.fromhex(one) for one in json.loads(_read(line, heads))]
        found = examine(bytes(_read(line, size)), trusted, loop.run_until_complete)
        line.sendall(found.model_dump_json().encode())
    except BaseException:  # noqa: BLE001 - whatever it is: no answer is one, and nothing may return from here
        os._exit(1)
    os._exit(0)


def _read(line: socket.socket, size: int) -> bytearray:
    data = bytearray(size)
    view, have = memoryview(data), 0
    while have < size:
        more = line.recv_into(view[have:])
        if not more:
            raise EOFError
        have += more
    return data


def _limit() -> None:
    """From here on: no descriptor can be opened, so no file and no connection; nothing written, no process, no way back for root."""
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    for kind, most in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, PROCESSOR),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, 0),
        (resource.RLIMIT_NPROC, 0),
    ):
        resource.setrlimit(kind, (most, most))
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(_NOBODY)
        os.setuid(_NOBODY)
