"""Pytest plugin: `@pytest.mark.requirement("URS-001", …)` names the user requirements a test proves.

`tests/laws/test_requirements.py` holds the marks and `docs/requirements.md` together. `pytest --requirement URS-001`
runs only what proves that one.
"""

import re

import pytest

MARKER = "requirement"
NUMBER = re.compile(r"URS-\d{3}")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--requirement`."""
    parser.addoption("--requirement", metavar="URS-000", help="run only the tests that prove this user requirement")


def pytest_configure(config: pytest.Config) -> None:
    """Make the mark known to `--strict-markers`."""
    config.addinivalue_line("markers", f"{MARKER}(*numbers): the user requirements (URS-001) that the test proves")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Refuse marks that name nothing, and choose the tests of one requirement."""
    wanted = config.getoption("--requirement")
    for item in items:
        if bad := [str(number) for mark in item.iter_markers(MARKER) for number in _named(mark) if not _good(number)]:
            raise pytest.UsageError(f"{item.nodeid}: not the number of a requirement (URS-001): {', '.join(bad)}")
    if wanted:
        chosen = [item for item in items if any(wanted in mark.args for mark in item.iter_markers(MARKER))]
        config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
        items[:] = chosen


def _named(mark: pytest.Mark) -> tuple[object, ...]:
    return mark.args or ("nothing at all",)


def _good(number: object) -> bool:
    return isinstance(number, str) and NUMBER.fullmatch(number) is not None
