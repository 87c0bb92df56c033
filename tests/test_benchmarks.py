"""The machinery of the figures works; how fast anything is, is not asked here."""

import json
from pathlib import Path

import pytest

from benchmarks import trace
from benchmarks.__main__ import main
from benchmarks.figures import FIGURES
from benchmarks.report import Figure


@pytest.mark.parametrize("name", ["lookup", "audit"])
def test_a_figure_is_measured_printed_and_written(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "250")
    assert main([name, "--quick", "--engine", "sqlite", "--out", str(tmp_path / "bench.json")]) == 0
    assert name in capsys.readouterr().out
    written = json.loads((tmp_path / "bench.json").read_text())
    (figure,) = written["figures"]
    assert len(figure["ours"]) == len(figure["bare"]) > 0
    assert written["machine"]["cores"] > 0


def test_an_unknown_figure_is_refused_with_the_names_of_all() -> None:
    with pytest.raises(SystemExit):
        main(["speed"])
    assert FIGURES == ("lookup", "reading", "trace", "certificate", "verify", "audit")


def test_the_ratio_is_the_median_of_the_rounds_and_says_whether_the_target_is_met() -> None:
    slow = Figure("x", "sqlite", "y", "requests/s", (70.0, 10.0, 80.0), (100.0, 100.0, 100.0), "at least", 0.7)
    assert slow.ratio == 0.7
    assert slow.met
    late = Figure("x", "sqlite", "y", "ms", (2.0,), (1.0,), "at most", 1.5)
    assert not late.met
    assert "missed" in "".join(late.as_row())


def test_every_family_of_the_trace_has_the_same_shape() -> None:
    assert trace.family() == trace.family()
    lots, made = trace.family()
    assert all(0 <= old < new < lots for new, old in made)
