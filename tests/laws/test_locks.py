"""The lock files answer to pyproject.toml, to each other and to what is installed; no network is asked."""

import re
import tomllib
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PIN = re.compile(r"^([A-Za-z0-9][^ \\]*==[^\\]*?) *\\$", re.MULTILINE)
REFRESH = "type `make lock`"


def pins(name: str) -> dict[str, list[Requirement]]:
    """The pinned requirements of a lock file by project; one project may have a pin a platform."""
    found: dict[str, list[Requirement]] = {}
    for line in PIN.findall((ROOT / name).read_text()):
        requirement = Requirement(line)
        found.setdefault(canonicalize_name(requirement.name), []).append(requirement)
    return found


def wanted(*extras: str) -> list[Requirement]:
    """What pyproject.toml asks for."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extra = [line for name in extras for line in project["optional-dependencies"][name]]
    return [Requirement(line) for line in [*project["dependencies"], *extra]]


def version(pin: Requirement) -> str:
    """`2.1.9` of `sqlalchemy==2.1.9`."""
    return next(iter(pin.specifier)).version


def unmet(requirements: Iterable[Requirement], locked: dict[str, list[Requirement]]) -> list[str]:
    """The requirements that no pin satisfies."""
    return [
        str(requirement)
        for requirement in requirements
        if not any(
            requirement.specifier.contains(version(pin), prereleases=True)
            for pin in locked.get(canonicalize_name(requirement.name), [])
        )
    ]


@pytest.mark.parametrize(
    ("name", "extras"), [("requirements.lock", ("build",)), ("requirements-dev.lock", ("build", "dev"))]
)
def test_the_lock_pins_all_that_the_project_asks_for_by_hash_and_from_nowhere_in_particular(
    name: str, extras: tuple[str, ...]
) -> None:
    text = (ROOT / name).read_text()
    assert not unmet(wanted(*extras), pins(name)), REFRESH
    assert len(PIN.findall(text)) == len(re.findall(r"==", re.sub(r"(?m)#.*| ;.*", "", text)))
    assert all("--hash=sha256:" in block for block in re.split(r"(?m)^(?=[A-Za-z0-9])", text)[1:]), REFRESH
    assert "://" not in text, "a lock names projects, versions and hashes, never an address"


def test_the_lock_holds_nothing_that_nobody_asks_for() -> None:
    locked, asked = pins("requirements.lock"), set()
    waiting = [(requirement.name, tuple(requirement.extras)) for requirement in wanted("build")]
    while waiting:
        name, extras = waiting.pop()
        if (canonicalize_name(name), extras) in asked:
            continue
        asked.add((canonicalize_name(name), extras))
        try:
            further = [Requirement(line) for line in metadata.requires(name) or []]
        except metadata.PackageNotFoundError:
            continue  # for another platform
        waiting += [
            (more.name, tuple(more.extras))
            for more in further
            if not more.marker or any(more.marker.evaluate({"extra": extra}) for extra in ("", *extras))
        ]
    here = {name for name, found in locked.items() if any(pin.marker is None or pin.marker.evaluate() for pin in found)}
    assert here - {name for name, _ in asked} == set(), REFRESH


def test_what_runs_is_what_was_tested() -> None:
    run, dev = pins("requirements.lock"), pins("requirements-dev.lock")
    assert {name: list(map(version, found)) for name, found in run.items()} == {
        name: list(map(version, dev[name])) for name in run if name in dev
    }, REFRESH


def test_what_is_installed_is_what_is_locked() -> None:
    strays = [
        f"{name}: locked {version(pin)}, installed {metadata.version(name)}"
        for name, found in pins("requirements-dev.lock").items()
        for pin in found
        if (pin.marker is None or pin.marker.evaluate()) and metadata.version(name) != version(pin)
    ]
    assert not strays, "type `make clean test`:\n" + "\n".join(strays)
