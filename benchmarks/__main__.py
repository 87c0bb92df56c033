"""`python -m benchmarks [figure …] [--quick] [--engine sqlite]`: measure, print a table, write build/bench.json."""

import argparse
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from benchmarks import report
from benchmarks.figures import FIGURES, measured
from benchmarks.place import ENGINES
from tests import servers


def main(arguments: Sequence[str] | None = None) -> int:
    """Each figure in a fresh process, so that none inherits the memory of another."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("figures", nargs="*", metavar="figure", help=f"{', '.join(FIGURES)}; default: all")
    parser.add_argument("--quick", action="store_true", help="small sizes: does it work, not how fast is it")
    parser.add_argument("--engine", choices=ENGINES, action="append", help="which; default: both")
    parser.add_argument("--out", type=Path, default=Path("build/bench.json"))
    chosen = parser.parse_args(arguments)
    if unknown := set(chosen.figures) - set(FIGURES):
        parser.error(f"unknown: {', '.join(unknown)}; there are {', '.join(FIGURES)}")
    found, facts = [], report.machine()
    for engine in chosen.engine or ENGINES:
        if engine == "postgresql":
            servers.postgres_url(durable=True)  # started here, and shared with the processes below
            os.environ["PYTEST_XDIST_TESTRUNUID"] = servers._RUN
        for figure in chosen.figures or FIGURES:
            print(f"{figure} on {engine} …", file=sys.stderr)
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
                found += process.submit(measured, figure, engine, chosen.quick).result()
    report.show(found, facts)
    report.write(found, facts, chosen.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
