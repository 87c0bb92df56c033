"""The figures by name."""

from importlib import import_module

from benchmarks.report import Figure

FIGURES = ("lookup", "reading", "trace", "certificate", "verify", "audit")


def measured(figure: str, engine: str, quick: bool) -> list[Figure]:
    """All rounds of one figure on one engine."""
    return list(import_module(f"benchmarks.{figure}").measure(engine, quick))
