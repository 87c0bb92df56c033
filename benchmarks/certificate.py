"""Issue of a certificate (the act of release, from the question for the password to the commit) against the sum of its bare parts.

The parts: the password, the drawing with its PDF/A pass, the signature (PAdES B-B), hashing, storing, the rows. A second figure issues with two
workers at once, against two that do the bare parts at once in the same way: two processes on PostgreSQL, two threads on SQLite, which has one
writer.
"""

import hashlib
import resource
import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from datetime import datetime
from functools import cache, partial
from itertools import count
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any

import rfc8785

from benchmarks.place import Place, place
from benchmarks.report import Figure
from domain.certificates.content import CertificateContent
from domain.certificates.models import Certificate
from domain.disposition.decisions import ReleaseLot, release_lot
from domain.documents import Documents
from domain.people import passwords
from domain.people.operations import user_named
from domain.store import engine_for, reading
from domain.work import Site, perform
from tests import build
from tests.cast import Clock, actor, credentials, password
from tests.printing import press
from tests.reports.contents import TYPICAL
from tests.signing.keys import log_key

WRITTEN = (
    "certificate_number",
    "signature",
    "lot_move",
    "document",
    "certificate",
    "log_entry",
    "tree_head",
    "audit_entry",
    "audit_change",
)
WORKERS = 2


def measure(engine_name: str, quick: bool) -> Iterator[Figure]:
    """Milliseconds from the call to the commit; the parts of the very same certificate follow it each time."""
    with place(engine_name, "certificate") as here:
        ready = lots(here, 2 if quick else 9)
        here.settle()
        started_with = peak()
        ours, bare, parts = [], [], []
        for which, lot_number in enumerate(ready):
            spent, certificate = _release(here, lot_number)
            found = _parts(here, certificate)
            if which:  # the first warms up fonts and plans
                ours.append(spent)
                bare.append(sum(found.values()))
                parts.append(found)
        notes: dict[str, Any] = {name: f"{median(one[name] for one in parts):.1f}" for name in parts[0]}
        notes |= {"MB peak": peak(), "MB before": started_with}
        yield Figure("certificate", engine_name, "issue", "ms", tuple(ours), tuple(bare), "at most", 1.3, notes)
        yield from _at_once(here, engine_name, certificate, 1 if quick else 5)


def _at_once(here: Place, engine_name: str, certificate: Certificate, each: int) -> Iterator[Figure]:
    """Certificates a second with two workers, and how often two workers do the bare parts of one: each in turn."""
    rounds = [lots(here, WORKERS * each) for _ in range(3)]
    run = _threads(here) if here.lite else _processes(here)
    next(run)
    ours, bare = [], []
    for ready in rounds:
        ours.append(WORKERS * each / run.send((_releases, [ready[place::WORKERS] for place in range(WORKERS)])))
        bare.append(WORKERS * each / run.send((_bares, [[certificate] * each] * WORKERS)))
    run.close()
    yield Figure(
        "certificate", engine_name, "issue, 2 workers", "certificates/s", tuple(ours), tuple(bare), "at least", 0.7
    )


def _threads(here: Place) -> Generator[float, tuple[Callable[..., None], list[Any]], None]:
    """Seconds that two threads of this process take for their share of what is sent."""
    spent = 0.0
    with ThreadPoolExecutor(WORKERS) as threads:
        while True:
            job, shares = yield spent
            started = time.perf_counter()
            list(threads.map(partial(job, here), shares))
            spent = time.perf_counter() - started


def _processes(here: Place) -> Generator[float, tuple[Callable[..., None], list[Any]], None]:
    """Seconds that two processes take, each with the laboratory, the fonts and the keys opened before."""
    spent, where = 0.0, (here.url, str(here.folder))
    with ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn")) as processes:
        list(processes.map(_warmed, [where] * WORKERS))
        while True:
            job, shares = yield spent
            started = time.perf_counter()
            list(processes.map(_apart, [(where, here.site.clock(), job, share) for share in shares]))
            spent = time.perf_counter() - started


def _warmed(where: tuple[str, str]) -> None:
    _process(*where)
    time.sleep(0.5)  # so that each worker takes one


def _apart(told: tuple[tuple[str, str], datetime, Callable[..., None], list[Any]]) -> None:
    where, now, job, share = told
    here = _process(*where)
    assert isinstance(here.site.clock, Clock)
    here.site.clock.now = now
    job(here, share)


def _releases(here: Place, numbers: list[str]) -> None:
    for one in numbers:
        _release(here, one)


def _bares(here: Place, certificates: list[Certificate]) -> None:
    steps = _bare(here, certificates[0])
    for step in [*steps.values()] * len(certificates):
        step()


@cache
def _process(url: str, folder: str) -> Place:
    site = Site(engine_for(url), Documents(f"{folder}/documents"), press(), clock=Clock(), log_key=log_key())
    site.print_certificate.draw(TYPICAL)
    return Place(url, Path(folder), site)


def peak() -> int:
    """The most memory that this process ever held, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def lots(here: Place, count: int) -> list[str]:
    """Lots that only wait for their release."""
    site = here.site
    product = build.new_product(site)
    build.approved_specification(site, product)
    bank = build.bank(site)
    made = [build.drug_product(site, product, from_bank=bank) for _ in range(count)]
    for one in made:
        build.tested(site, one)
    return made


def _release(here: Place, lot_number: str) -> tuple[float, Certificate]:
    who, command = (
        actor(here.site, "quin"),
        ReleaseLot(lot_number=lot_number, reason="complies", credentials=credentials("quin")),
    )
    started = time.perf_counter()
    certificate = perform(here.site, who, release_lot, command)
    return (time.perf_counter() - started) * 1000, certificate


def _parts(here: Place, certificate: Certificate) -> dict[str, float]:
    """Milliseconds of each part by itself."""
    return {name: _timed(step) for name, step in _bare(here, certificate).items()}


def _bare(here: Place, certificate: Certificate) -> dict[str, Callable[[], Any]]:
    """Each part of a certificate's issue, done with the bare means; every one can be done again and again."""
    content = CertificateContent.model_validate_json(certificate.content)
    plain = content.model_dump(mode="json")
    with reading(here.site.engine) as session:
        hashed = user_named(session, "quin").password_hash
    pdf = here.site.documents.get(certificate.pdf_sha256)
    printer = press()
    unsigned = printer.draw(content)
    folder = Documents(str(here.folder / "bare" / certificate.number))
    marks = count()
    return {
        "canonical JSON": lambda: rfc8785.dumps(plain),
        "drawing, PDF/A": lambda: printer.draw(content),
        "signature": lambda: printer.signer.sign(unsigned, content.issued_at),
        "hashing": lambda: (hashlib.sha256(pdf).hexdigest(), hashlib.sha256(certificate.content.encode()).hexdigest()),
        "storing": lambda: folder.put(b"%s%%%d" % (pdf, next(marks))),
        "password": lambda: passwords.hasher.verify(hashed, password("quin")),
        "rows": _rows(here),
    }


def _timed(step: Callable[[], Any]) -> float:
    started = time.perf_counter()
    step()
    return (time.perf_counter() - started) * 1000


def _rows(here: Place) -> Callable[[], None]:
    """Inserts the very rows of the newest act once more, by the raw driver, into tables of their own, in one transaction."""
    connection = here.raw().thing
    newest = "(SELECT max(sequence) FROM audit_entry)"
    rows = []
    for table in WRITTEN:
        connection.execute(f"CREATE TABLE IF NOT EXISTS bare_{table} AS SELECT * FROM {table} WHERE 1 = 0")
        own = f"sequence = {newest}" if table.startswith("audit") else f"id = (SELECT max(id) FROM {table})"
        rows += [(table, row) for row in connection.execute(f"SELECT * FROM {table} WHERE {own}").fetchall()]
    mark = "?" if here.lite else "%s"

    def insert() -> None:
        connection.execute("BEGIN IMMEDIATE" if here.lite else "BEGIN")
        for table, row in rows:
            connection.execute(f"INSERT INTO bare_{table} VALUES ({', '.join(mark for _ in row)})", row)
        connection.execute("COMMIT")

    return insert
