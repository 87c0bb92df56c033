"""Pytest plugin: where EXOLOTL_NO_SKIPS is set, a test that was skipped has failed.

A run that nobody watches must not be green because something was missing.
"""

import os
from collections.abc import Generator

import pytest

TEXT = "skipped where nothing may be skipped (EXOLOTL_NO_SKIPS): {}"


def _strict() -> bool:
    return os.environ.get("EXOLOTL_NO_SKIPS", "") not in {"", "0"}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skipped test into a failed one; a known failure (xfail) stays what it is."""
    report = yield
    if _strict() and report.skipped and not hasattr(report, "wasxfail"):
        _fail(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Turn a module that skips itself as a whole into a failed one."""
    report = yield
    if _strict() and report.skipped:
        _fail(report)
    return report


def _fail(report: pytest.TestReport | pytest.CollectReport) -> None:
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
    report.outcome = "failed"
    report.longrepr = TEXT.format(reason)
