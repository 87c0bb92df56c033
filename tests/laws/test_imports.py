"""What import-linter cannot see: the surroundings that the domain and the reports may not look at."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FORBIDDEN = {
    "os.environ": "settings are arguments",
    "os.environb": "settings are arguments",
    "os.getenv": "settings are arguments",
    "datetime.datetime.now": "the clock is work.now",
    "datetime.datetime.utcnow": "the clock is work.now",
    "datetime.datetime.today": "the clock is work.now",
    "datetime.date.today": "the clock is work.now",
    "time.time": "the clock is work.now",
}
# The one place where the clock is read: it gives each act its time.
CLOCK = {"domain/work.py"}


def full_names(tree: ast.AST) -> dict[str, str]:
    """What the imported names of a module stand for: {'now': 'time.time'}."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {(alias.asname or alias.name): alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {(alias.asname or alias.name): f"{node.module}.{alias.name}" for alias in node.names}
    return names


def looks(source: str) -> Iterator[tuple[int, str]]:
    """Line and full name of each forbidden thing a module uses or imports."""
    tree = ast.parse(source)
    names = full_names(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Name):
            first, _, rest = ast.unparse(node).partition(".")
            name = ".".join(filter(None, (names.get(first, first), rest)))
            if name in FORBIDDEN:
                yield node.lineno, name


def modules() -> list[str]:
    """Every module of the domain and the reports, from the root of the checkout."""
    return sorted(str(path.relative_to(ROOT)) for room in ("domain", "reports") for path in (ROOT / room).rglob("*.py"))


def test_domain_and_reports_see_neither_the_environment_nor_a_clock_of_their_own() -> None:
    seen = [
        f"{module}:{line}: {name}: {FORBIDDEN[name]}"
        for module in modules()
        for line, name in looks((ROOT / module).read_text())
        if not (module in CLOCK and FORBIDDEN[name] == "the clock is work.now")
    ]
    assert not seen, "\n".join(seen)


@pytest.mark.parametrize(
    "source",
    [
        "import os\nos.environ['A']",
        "from os import environ\nenviron.get('A')",
        "import os as o\no.getenv('A')",
        "from datetime import datetime as d\nd.now()",
        "import datetime\ndatetime.date.today()",
        "from time import time as now\nnow()",
    ],
)
def test_no_disguise_hides_a_look_at_the_surroundings(source: str) -> None:
    assert list(looks(source))


def test_a_time_that_is_given_is_not_a_look_at_the_clock() -> None:
    assert not list(looks("from datetime import datetime\ndatetime.fromisoformat(text)\nwork.now"))
