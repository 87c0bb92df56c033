"""Documents drawn once a worker, and the oracle that they are shown to."""

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from reports import batch_certificate, certificate
from tests.oracle import Failure, Oracle
from tests.reports.contents import BATCH, LIFE, SAMPLES

Ask = Callable[[bytes], list[Failure]]


@cache
def drawn_pdf(name: str) -> bytes:
    """The PDF of a sample, in the usual look."""
    if name == "batch":
        return batch_certificate.render(BATCH)
    return certificate.render(LIFE[name] if name in LIFE else SAMPLES[name])


@pytest.fixture(scope="session")
def oracle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    """What veraPDF finds wrong with a file; one Java process a worker, if it is asked at all."""
    folder = tmp_path_factory.mktemp("oracle")
    with Oracle() as asked:

        def ask(pdf: bytes) -> list[Failure]:
            path: Path = folder / "asked.pdf"
            path.write_bytes(pdf)
            return asked.failures(path)

        yield ask
