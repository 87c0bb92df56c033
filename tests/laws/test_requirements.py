"""Every user requirement is proved by a test, and every mark names a requirement that exists."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.requirements_marker import MARKER

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"^\| (URS-\d{3}) \| (.+?) \| (.+?) \|$", re.MULTILINE)


def requirements() -> list[tuple[str, str, str]]:
    """Number, text and source of each row in docs/requirements.md."""
    return ROW.findall((ROOT / "docs/requirements.md").read_text())


def cited(source: str) -> Iterator[str]:
    """The numbers in the marks of a module; a mark may stand on a test, a class, a parameter or a whole module."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(f"mark.{MARKER}"):
            yield from (str(ast.literal_eval(argument)) for argument in node.args)


def cited_anywhere() -> dict[str, str]:
    """Each cited number and one file that cites it."""
    files = sorted((ROOT / "tests").rglob("test_*.py"))
    return {number: str(file.relative_to(ROOT)) for file in files for number in cited(file.read_text())}


def test_every_requirement_is_proved_by_a_test() -> None:
    proved = cited_anywhere()
    unproved = [f"{number} {text}" for number, text, _ in requirements() if number not in proved]
    assert not unproved, "no test proves:\n" + "\n".join(unproved)


def test_no_test_proves_a_requirement_that_nobody_made() -> None:
    made = {number for number, _, _ in requirements()}
    assert not {number: file for number, file in cited_anywhere().items() if number not in made}


def test_requirements_are_numbered_in_order_and_name_their_source() -> None:
    rows = requirements()
    assert [number for number, _, _ in rows] == [f"URS-{count:03}" for count in range(1, len(rows) + 1)]
    assert all(text.strip() and source.strip() for _, text, source in rows)
    mentioned = re.findall(r"^\| *URS", (ROOT / "docs/requirements.md").read_text(), re.MULTILINE)
    assert len(mentioned) == len(rows), "a row of the table is not written as `| URS-000 | text | source |`"


def test_marks_are_found_on_tests_classes_and_modules() -> None:
    source = "pytestmark = pytest.mark.requirement('URS-001')\n@mark.requirement('URS-002', 'URS-003')\nclass T: ..."
    assert list(cited(source)) == ["URS-001", "URS-002", "URS-003"]
