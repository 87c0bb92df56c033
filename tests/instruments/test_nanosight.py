"""NanoSight summaries: what is read, and what is refused with the line that is wrong."""

import json
import os
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Invalid
from domain.instruments.readers import nanosight, nanosight_rows
from domain.instruments.readers.nanosight import read
from tests.instruments.nanosight_files import changed, line_of, summary_3_2, summary_3_4, without_particles

SAMPLES = Path(os.environ.get("EXOLOTL_SAMPLE_DATA", Path(__file__).parents[2] / ".." / "shared" / "data")) / "nta"
FILES = {
    "tidyNano_beads2_NTA3.4_5runs.csv": ("3.4", 0.05),
    "tidyNano_beads_NTA3.2_12runs_excelresaved.csv": ("3.2", 1.0),
    "tidyNano_nanotest_NTA3.2_36runs_zero_conc.csv": ("3.2", 1.0),
}
OURS = {"mean": "mean_nm", "mode": "mode_bin_centre_nm", "sd": "sd_nm", "d10": "D10_linear_nm", "d50": "D50_linear_nm",
        "d90": "D90_linear_nm", "percent_30_150": "pct_30_150_linear_cumulative"}  # fmt: skip
FILE_3_4, FILE_3_2 = summary_3_4(), summary_3_2()


def refusal(data: bytes) -> tuple[str | None, str]:
    with pytest.raises(Invalid) as refused:
        read(data)
    reason = refused.value.reasons[0]
    assert reason.code == "not-a-nanosight-summary"
    return reason.field, reason.text


def sample_file(name: str) -> tuple[bytes, dict[str, Any]]:
    if not SAMPLES.is_dir():
        message = f"no sample files of real instruments at {SAMPLES}: set EXOLOTL_SAMPLE_DATA to their folder"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    expected = json.loads((SAMPLES / "expected.json").read_text(encoding="utf-8"))
    return (SAMPLES / name).read_bytes(), expected["files"][name]


@pytest.mark.parametrize("name", FILES)
def test_real_files_give_the_expected_header(name: str) -> None:
    data, expected = sample_file(name)
    summary, header = read(data), expected["header"]
    assert summary.version == FILES[name][0]
    assert len(summary.runs) == expected["n_replicates"]
    assert [float(run.concentration) for run in summary.runs] == header["concentration_per_ml"]
    assert [run.completed_tracks for run in summary.runs] == header["completed_tracks"]
    for run, factor, validity in zip(summary.runs, header["dilution_factor"], header["validity"], strict=True):
        assert run.dilution_factor == (None if factor == "Not recorded" else Decimal(factor))
        assert (f"Validity of concentration measurement: {validity}" in run.flags) == (validity != "OK")
    assert summary.reported_average is not None
    assert float(summary.reported_average.concentration or 0) == header["average"]


@pytest.mark.parametrize("name", FILES)
def test_real_files_give_the_expected_statistics_of_every_run(name: str) -> None:
    data, expected = sample_file(name)
    columns = expected["sections"][0]["columns"]
    for place, run in enumerate(read(data).runs, 1):
        wanted = columns[f"replicate_{place}"]
        assert run.empty == (wanted is None)
        if wanted is None:
            assert run.distribution is None
            assert run.statistics is None
            continue
        assert run.distribution is not None
        assert run.statistics is not None
        ours = run.distribution.statistics()
        assert ours.total == pytest.approx(wanted["total_sum_over_bins"], rel=1e-5)
        for name_here, name_there in OURS.items():
            assert getattr(ours, name_here) == pytest.approx(wanted[name_there], abs=6e-4), name_here
        for label, printed in wanted["reported_by_software"].items():
            assert float(getattr(run.statistics, label.lower()) or 0) == printed
        assert ours.d50 - float(run.statistics.d50 or 0) == pytest.approx(0 if FILES[name][1] < 1 else 1, abs=0.06)


@pytest.mark.parametrize("name", FILES)
def test_the_average_of_real_files_is_that_of_the_runs_with_particles(name: str) -> None:
    data, expected = sample_file(name)
    summary, wanted = read(data), expected["sections"][0]["columns"]["average"]
    assert summary.average is not None
    assert summary.average.distribution is not None
    ours = summary.average.distribution.statistics()
    assert ours.mean == pytest.approx(wanted["mean_nm"], abs=1e-3)
    assert ours.d50 == pytest.approx(wanted["D50_linear_nm"], abs=1e-3)
    counted_as_zero = summary.average.runs / len(summary.runs)
    assert ours.total * counted_as_zero == pytest.approx(wanted["total_sum_over_bins"], rel=1e-5)


def test_a_summary_of_nta_3_4_is_read() -> None:
    summary = read(FILE_3_4)
    assert (summary.version, summary.encoding, summary.sample, summary.diluent) == ("3.4", "ascii", "EV bulk", "PBS")
    assert summary.captured_at == datetime.fromisoformat("2026-03-01T09:30")
    assert summary.conditions["Camera Level"] == ("14", "14", "14")
    assert summary.settings["Detection Threshold"] == ("5", "5", "5")
    assert [run.name for run in summary.runs] == ["run_00", "run_01", "run_02"]
    assert all(run.dilution_factor == 500 and not run.flags and not run.empty for run in summary.runs)
    assert summary.notes == ()


def test_a_summary_of_nta_3_2_says_the_same_without_dilution_and_time() -> None:
    old, new = read(FILE_3_2), read(FILE_3_4)
    assert (old.version, old.captured_at, old.sample) == ("3.2", None, "EV bulk")
    assert all(run.dilution_factor is None for run in old.runs)
    assert [run.concentration for run in old.runs] == [run.concentration for run in new.runs]
    assert [run.distribution for run in old.runs] == [run.distribution for run in new.runs]


def test_a_recorded_dilution_is_never_applied_a_second_time() -> None:
    run = read(summary_3_4(dilution=1000)).runs[0]
    assert run.dilution_factor == 1000
    assert run.distribution is not None
    assert float(run.concentration) == pytest.approx(run.distribution.total, rel=0.005)


def test_an_empty_run_has_no_sizes_and_is_never_counted_as_zero() -> None:
    summary = read(without_particles(FILE_3_4, 1))
    assert [run.empty for run in summary.runs] == [False, True, False]
    assert summary.runs[1].statistics is None
    assert summary.average is not None
    assert summary.average.runs == 2
    assert summary.average.concentration == (summary.runs[0].concentration + summary.runs[2].concentration) / 2
    assert summary.notes == ("1 of 3 runs hold no particles: left out of the average.",)


def test_a_run_with_a_printed_concentration_but_empty_bins_is_empty_and_flagged() -> None:
    run = read(without_particles(FILE_3_4, 1, "2.08e+06")).runs[1]
    assert run.empty
    assert run.flags == ("Concentration: 2.08E+6 is printed, but the bins hold 0",)


def test_when_every_run_is_empty_there_is_no_average() -> None:
    assert read(without_particles(summary_3_4(runs=1), 0)).average is None


def test_warnings_of_the_software_are_carried_as_flags_once() -> None:
    data = changed(FILE_3_4, r"^(Noise level|Vibration detected),No", r"\1,High noise")
    data = changed(data, r"^(Vibration detected),No", r"Noise level,High noise,No,No,\r\n\1,Minor vibration")
    assert read(data).runs[0].flags == ("Noise level: High noise", "Vibration detected: Minor vibration")


def test_a_day_the_instrument_did_not_write_day_first_is_noted_and_not_guessed() -> None:
    summary = read(changed(FILE_3_4, r"01/03/2026", "03/31/2026"))
    assert summary.captured_at is None
    assert "03/31/2026" in summary.notes[0]


@pytest.mark.parametrize(
    "data",
    [
        b"\xef\xbb\xbf" + FILE_3_4,
        FILE_3_4.decode().encode("utf-16"),
        FILE_3_4.replace(b"\r\n", b"\n"),
        b"\r\n".join(line + b",,,," for line in FILE_3_4.split(b"\r\n")),
        changed(FILE_3_4, "Remarks,", 'Remarks,"area in nm\xb2, volume in nm\xb3"'),
    ],
    ids=["byte order mark", "UTF-16", "LF", "padded by a spreadsheet", "Latin-1"],
)
def test_the_same_numbers_are_read_however_the_file_was_saved(data: bytes) -> None:
    assert read(data).runs == read(FILE_3_4).runs


def test_the_number_weighted_distribution_is_chosen_among_three() -> None:
    block = FILE_3_4[FILE_3_4.index(b"[Size Data]") :]
    by_area = block.replace(b"Weighting,Number", b"Weighting,Surface area").replace(b"110.5,", b"110.5,9")
    assert read(FILE_3_4.replace(block, by_area + block)).runs == read(FILE_3_4).runs
    assert read(FILE_3_4 + by_area).runs == read(FILE_3_4).runs
    assert "twice" in refusal(FILE_3_4 + block)[1]


def test_a_file_without_any_distribution_says_so() -> None:
    data = FILE_3_4[: FILE_3_4.index(b"[Size Data]")].replace(
        b"Size distribution - Number", b"Size distribution - Area"
    )
    summary = read(data)
    assert summary.average is not None
    assert summary.average.distribution is None
    assert summary.notes == ("The file holds no number-weighted size distribution.",)


def test_missing_conditions_are_no_hindrance_but_missing_results_are() -> None:
    assert read(changed(FILE_3_4, r"^\[Conditions\]", "Conditions")).conditions == {}
    assert "[Results] is missing" in refusal(changed(FILE_3_4, r"^\[Results\]", "Results"))[1]


@pytest.mark.parametrize(
    ("data", "field", "words"),
    [
        (b"", None, "empty"),
        (b" \r\n", None, "empty"),
        (b"%PDF-1.7\0\0", "line 1", "not a text file"),
        (b"Size / nm\tNumber\n", "line 1", "does not begin with"),
        (b"NTA Experiment Summary File,\n", "line 2", "NTA 3"),
        (FILE_3_4.replace(b",", b";"), "line 1", "not separated by commas"),
        (changed(FILE_3_4, "NTA 3.4 Build", "NTA 2.3 Build"), "line 2", "NTA 3"),
        (changed(FILE_3_4, r"^Filename:?.*", ",", count=2), None, "names the runs"),
        (changed(FILE_3_4, r"^Filename:.*", "Filename:,,,"), "line 14", "names no runs"),
        (changed(FILE_3_4, r"^Filename:.*", "Filename:,a,,b"), "line 14", "without name"),
    ],
)
def test_what_is_no_such_file_is_refused(data: bytes, field: str | None, words: str) -> None:
    found, text = refusal(data)
    assert words in text
    assert found == field


def test_the_names_of_the_runs_must_foretell_the_columns_of_the_results() -> None:
    data = changed(FILE_3_4, r"^Filename:.*", "Filename:,a,b")
    assert refusal(data)[0] == f"line {line_of(data, '[Results]')}"
    assert [run.name for run in read(changed(FILE_3_4, r"^Filename:.*", ",")).runs] == ["run_00", "run_01", "run_02"]


@pytest.mark.parametrize(
    ("start", "old", "new", "words"),
    [
        ("Concentration (", r"^(Concentration \(Particles / ml\)),[^,]+", r"\1,", "not a concentration"),
        ("Concentration (", r"^(Concentration \(Particles / ml\)),[^,]+", r"\1,nan", "not a concentration"),
        ("Concentration (", r"^(Concentration \(Particles / ml\)),[^,]+", r"\1,-1", "below zero"),
        ("Concentration (", r"^(Concentration \(Particles / ml\)),[^,]+", r"\1,1e400", "not a concentration"),
        ("Concentration (", r"^(Concentration \(Particles / ml\)),[^,]+", r'\1,"1,2e+11"', "decimal comma"),
        ("Concentration (", r"^(Concentration \(Particles / ml\)),1\.", r"\1,1,", "decimal comma"),
        ("Dilution", r"5\.00e\+02", "0", "at least 1"),
        ("90.5,", r"^90\.5,[^,]+", "90.5,many", "not a particle concentration"),
        ("90.5,", r"^90\.5,", "ninety,", "not a bin centre"),
        ("90.5,", r"^90\.5,", "90,5,", "decimal comma"),
        ("90.5,", r"^90\.5,[^,]+", "90.5,-7", "less than nothing"),
        ("90.5,", r"^90\.5,.*", "90.5,7", "cut off"),
        ("90.5,", r"^90\.5,.*\n", "", "equal steps"),
    ],
)
def test_a_wrong_cell_is_refused_with_its_line(start: str, old: str, new: str, words: str) -> None:
    field, text = refusal(changed(FILE_3_4, old, new))
    assert words in text
    assert field == f"line {line_of(FILE_3_4, start)}"


def test_a_section_or_a_label_that_stands_twice_is_refused() -> None:
    assert "stands twice" in refusal(FILE_3_4 + b"[Results],,,,Average,Standard Error,\r\n")[1]
    assert "stands twice" in refusal(changed(FILE_3_4, r"^(Concentration \(P.*\n)", r"\1\1"))[1]


def test_a_huge_file_is_refused_before_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    assert nanosight_rows.MAX_BYTES == 20 * 1024 * 1024
    monkeypatch.setattr(nanosight_rows, "MAX_BYTES", 1000)
    assert "bytes" in refusal(FILE_3_4)[1]


@given(st.integers(min_value=0, max_value=FILE_3_4.rindex(b"\n100,") + 15))
def test_a_file_cut_off_anywhere_is_refused_or_says_what_it_lacks(length: int) -> None:
    try:
        notes = read(FILE_3_4[:length]).notes
    except Invalid as refused:
        notes = (refused.reasons[0].text,)
    assert any("cut off" in note or "cannot be read" in note or "holds no" in note for note in notes)


@given(st.binary(max_size=300))
def test_no_bytes_make_the_reader_fall(noise: bytes) -> None:
    for data in (noise, FILE_3_4[:1500] + noise, FILE_3_4[:-200] + noise):
        try:
            read(data)
        except Invalid:
            continue


def test_the_same_demonstration_file_is_made_every_time() -> None:
    assert summary_3_4(seed=5) == summary_3_4(seed=5) != summary_3_4(seed=6)
    with pytest.raises(ValueError, match="mode of 20-500"):
        summary_3_4(mode_nm=5)


def test_the_convention_of_the_average_is_named_in_both_languages() -> None:
    assert all("null" in text or "zero" in text for text in nanosight.AVERAGE_CONVENTION)
