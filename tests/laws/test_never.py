"""Each thing that must never happen has a test, and the test is there."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"^\| (.+?) \| `(tests/[\w/]+\.py)::(test_\w+)` \|$", re.MULTILINE)
ROWS = ROW.findall(
    (ROOT / "docs/requirements.md").read_text(encoding="utf-8").partition("## What must never happen")[2]
)


def test_the_list_of_what_must_never_happen_is_whole() -> None:
    said = (ROOT / "docs/requirements.md").read_text(encoding="utf-8").partition("## What must never happen")[2]
    assert len(ROWS) >= 18
    assert len(ROWS) == len(re.findall(r"^\|", said, re.MULTILINE)) - 2, "a row is not written as `| never | `test` |`"


@pytest.mark.parametrize(("never", "file", "name"), ROWS, ids=[row[0] for row in ROWS])
def test_what_must_never_happen_has_its_test(never: str, file: str, name: str) -> None:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    found = next((one for one in tree.body if isinstance(one, ast.FunctionDef) and one.name == name), None)
    assert found is not None, f"{never}: {file} has no {name}"
    proves = [one for one in ast.walk(found) if isinstance(one, ast.Assert) or "raises" in ast.unparse(one)[:200]]
    assert proves, f"{never}: {name} asserts nothing"
