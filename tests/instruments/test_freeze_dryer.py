"""The trend file of a freeze-dryer: what is read, what is flagged, and what is refused with its line."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.demo_files import freeze_dryer_log
from domain.errors import Invalid
from domain.instruments.readers.freeze_dryer import Channel, Column, Cycle, Layout, read
from domain.manufacturing.cycle_logs import Trend, breaks_after, thinned

BEGAN = datetime.fromisoformat("2026-11-20T16:00")
PLAIN = "Time,Shelf [°C],Product 1 [°C],Capacitance [mbar],Pirani [mbar]\n"
ROWS = [f"2026-11-20 16:{minute:02d}:00,-25.0,-34.{minute:02d},0.100,0.16" for minute in range(20)]


def file(rows: list[str] = ROWS, heads: str = PLAIN) -> bytes:
    return (heads + "\n".join(rows) + "\n").encode()


def refused(data: bytes, layout: Layout = Layout()) -> str:  # noqa: B008  (a frozen value)
    with pytest.raises(Invalid) as refusal:
        read(data, layout)
    return str(refusal.value)


def values(cycle: Cycle, channel: Channel) -> tuple[float | None, ...]:
    return next(one.values for one in cycle.curves if one.channel == channel)


@pytest.mark.requirement("URS-209")
def test_a_file_whose_heads_speak_for_themselves_is_read_without_a_word() -> None:
    cycle = read(freeze_dryer_log(began_at=BEGAN, seed=1), Layout())
    assert [one.channel.value for one in cycle.curves] == [
        "shelf_temperature", "product_temperature", "product_temperature", "chamber_pressure", "pirani_pressure",
    ]  # fmt: skip
    assert (cycle.times[0], cycle.flags, dict(cycle.read_as)["Encoding"]) == (BEGAN, (), "CP1252")


@pytest.mark.requirement("URS-209")
def test_a_decimal_comma_reads_as_the_very_same_curve() -> None:
    point = read(freeze_dryer_log(began_at=BEGAN, seed=1), Layout())
    comma = read(freeze_dryer_log(began_at=BEGAN, seed=1, decimal=",", separator=";"), Layout())
    assert point.curves == comma.curves
    assert "decimal comma" in refused(
        freeze_dryer_log(began_at=BEGAN, seed=1, decimal=",", separator=";") + b"x;1.5\r\n"
    )


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_every_usual_encoding_reads_the_same(encoding: str) -> None:
    assert read((PLAIN + "\n".join(ROWS)).encode(encoding), Layout()).curves == read(file(), Layout()).curves


@pytest.mark.requirement("URS-210")
@pytest.mark.parametrize("word", ["", "NaN", "-nan", "---", "Bad", "inf"])
def test_a_missing_value_stays_missing_is_counted_and_breaks_the_line(word: str) -> None:
    rows = [*ROWS[:4], f"2026-11-20 16:04:00,{word},-34.0,0.100,0.16", *ROWS[5:]]
    cycle = read(file(rows), Layout())
    assert values(cycle, Channel.SHELF)[4] is None
    assert cycle.flags == ("Shelf [°C]: 1 of 20 readings without a value, first in line 6; they count as missing",)


@pytest.mark.requirement("URS-210")
def test_an_open_thermocouple_that_reads_999_is_no_temperature() -> None:
    rows = [*ROWS[:4], "2026-11-20 16:04:00,-25.0,999.0,0.100,0.16", *ROWS[5:]]
    cycle = read(file(rows), Layout())
    assert values(cycle, Channel.PRODUCT)[4] is None
    assert "1 of 20 readings that cannot be" in cycle.flags[0]


@pytest.mark.requirement("URS-210")
@pytest.mark.parametrize(
    ("cell", "told"),
    [
        ("1,234.5", "cells under"),
        ("1_000", "is no number"),
        ("٣", "is no number"),
        ("1e400", "is no number"),
        ("minus", "is no number"),
    ],
)
def test_what_only_looks_like_a_number_is_refused_with_its_line(cell: str, told: str) -> None:
    said = refused(file([*ROWS[:2], f"2026-11-20 16:02:00,-25.0,-34.0,{cell},0.16", *ROWS[3:]]))
    assert told in said
    assert "line 4" in said


@pytest.mark.requirement("URS-210")
def test_a_clock_that_goes_back_or_stands_still_is_refused() -> None:
    assert "line 4: the clock goes back" in refused(file([*ROWS[:2], ROWS[0], *ROWS[3:]]))
    assert "line 4: the clock goes back or stands still" in refused(file([*ROWS[:2], ROWS[1], *ROWS[2:]]))


@pytest.mark.requirement("URS-210")
def test_a_gap_in_the_record_is_told_and_a_cut_file_is_refused() -> None:
    cycle = read(file([*ROWS[:5], *ROWS[15:]]), Layout())
    assert cycle.flags == ("1 gaps in the record, the first from 2026-11-20 16:04 to 2026-11-20 16:15",)
    assert "line 22: 3 cells under 5 heads" in refused(file([*ROWS, "2026-11-20 16:20:00,-25.0,-3"]))


@pytest.mark.requirement("URS-209")
def test_a_unit_is_said_or_stands_in_the_head_and_is_never_assumed() -> None:
    heads = "Timestamp,SHELF.PV,CM\n"
    rows = ["11/20/2026 16:00:00,-13,100", "11/20/2026 16:01:00,-13,100"]
    assert "the file has 'SHELF.PV', 'CM'" in refused(file(rows, heads), Layout(date_order="mdy"))
    bare = (Column(Channel.SHELF, "SHELF.PV"),)
    assert "the unit of the temperature 'SHELF.PV' is not known" in refused(file(rows, heads), Layout(bare, "mdy"))
    said = (Column(Channel.SHELF, "SHELF.PV", "degF"), Column(Channel.CAPACITANCE, "CM", "mTorr"))
    cycle = read(file(rows, heads), Layout(said, "mdy"))
    assert values(cycle, Channel.SHELF)[0] == pytest.approx(-25.0)
    assert values(cycle, Channel.CAPACITANCE)[0] == pytest.approx(0.13332, rel=1e-4)
    assert "pressure 'CM'" in refused(file(rows, heads), Layout((Column(Channel.CAPACITANCE, "CM", "°C"),), "mdy"))


@pytest.mark.requirement("URS-209")
def test_a_date_that_may_be_either_month_is_not_guessed() -> None:
    rows = ["03/02/2026 14:00:00,1,1,1,1", "03/02/2026 14:01:00,1,1,1,1", "03/03/2026,1,1,1,1"]
    assert "day or month first" in refused(file(rows))
    cycle = read(file(rows), Layout(date_order="mdy"))
    assert (cycle.times[0], cycle.times[-1]) == tuple(
        map(datetime.fromisoformat, ("2026-03-02T14:00", "2026-03-03T00:00"))
    )
    assert "carry a date and no time" in cycle.flags[0]


def test_elapsed_time_needs_a_beginning_and_a_unit() -> None:
    rows = ["0.0,-38.9", "10.5,-38.9"]
    assert "say when that was" in refused(file(rows, "Elapsed [s],T1 [C]\n"))
    began = datetime(2026, 11, 20, 16, tzinfo=UTC)
    assert (read(file(rows, "Elapsed [s],T1 [C]\n"), Layout(began_at=began)).times[1] - began).total_seconds() == 10.5
    assert "does not say its unit" in refused(file(rows, "Elapsed,T1 [C]\n"), Layout(began_at=began))


@pytest.mark.parametrize("data", [b"", b"\x00\x01\x02\x81", b"hello", b"a,b\nc,d\n", b"PK\x03\x04zip", b"\xff\xfe\x00"])
def test_what_is_no_trend_file_is_refused(data: bytes) -> None:
    assert refused(data)


@given(st.binary(max_size=300))
def test_no_bytes_whatever_break_the_reader(data: bytes) -> None:
    for content in (data, PLAIN.encode() + data):
        try:
            read(content, Layout(began_at=BEGAN))
        except Invalid:
            continue


@given(st.lists(st.one_of(st.none(), st.floats(-50, 50)), min_size=2, max_size=3000), st.data())
def test_what_is_thinned_for_drawing_keeps_the_lowest_the_highest_and_every_break(
    values: list[float | None], data: st.DataObject
) -> None:
    trend = Trend(channel="shelf_temperature", head="x", unit="Cel", values=tuple(values))
    kept = thinned([float(place) for place in range(len(values))], [trend])
    known = [value for value in values if value is not None]
    shown = [values[place] for place in kept]
    if known:
        assert min(known) in shown
        assert max(known) in shown
    assert (None in values) == (None in shown)
    assert len(kept) <= 4 * 400 + 2


@pytest.mark.parametrize(
    ("kept", "gaps", "told"),
    [
        ([0, 1, 2], [1], (1,)),
        ([0, 5, 9], [4], (0,)),
        ([0, 5, 9], [5], (1,)),
        ([0, 5, 9], [1, 2, 8], (0, 1)),
        ([0], [], ()),
    ],
)
def test_a_line_is_broken_where_the_recorder_paused(kept: list[int], gaps: list[int], told: tuple[int, ...]) -> None:
    assert breaks_after(kept, gaps) == told
