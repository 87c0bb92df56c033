"""Instrument files for the demonstration data: invented measurements in the layout of the real instruments."""

import argparse
import math
import random
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from domain.laboratory.size_distribution import SizeDistribution, Statistics, average

_CENTRES = tuple(bin_ + 0.5 for bin_ in range(1000))
_EDGES = tuple(float(edge) for edge in range(1001))
_WIDTH = 0.28  # of the log-normal: vesicles purified by size, with a tail to larger ones
_PER_FRAME = 5.4e6  # {particles}/mL in the cell for one particle in the field of view
_SIZES = (("Mean", "mean"), ("Mode", "mode"), ("SD", "sd"), ("D10", "d10"), ("D50", "d50"), ("D90", "d90"))


def nanosight_summary(
    *,
    mode_nm: float,
    concentration_per_ml: float,
    dilution: int,
    runs: int,
    seed: int,
    sample: str,
    captured_at: datetime,
) -> bytes:
    """An NTA 3.4 `ExperimentSummary.csv`: log-normal by number, the same bytes for the same arguments.

    mode_nm: 20 to 500 nm. concentration_per_ml: of the undiluted sample, {particles}/mL; the file gives it adjusted for
    the dilution factor, as the instrument does. captured_at: shown as it is, without its time zone.
    """
    if not (20 <= mode_nm <= 500 and concentration_per_ml > 0 and dilution >= 1 and runs >= 1):
        raise ValueError("a demonstration file needs a mode of 20-500 nm, particles, a dilution and at least one run")
    chance = random.Random(seed)  # noqa: S311  (invented data, no secret)
    curves = [
        _curve(mode_nm * chance.gauss(1, 0.015), concentration_per_ml * max(0.5, chance.gauss(1, 0.03)))
        for _ in range(runs)
    ]
    frames = [curve.total / dilution / _PER_FRAME for curve in curves]
    lines = [
        *_details(sample, captured_at, runs),
        *_conditions(runs, chance),
        *_results(curves, frames, dilution, chance),
        *_warnings(frames),
        *_size_data(curves, frames),
    ]
    return "".join(f"{line}\r\n" for line in lines).encode("latin-1", "replace")


def _curve(mode_nm: float, concentration: float) -> SizeDistribution:
    centre = math.log(mode_nm) + _WIDTH**2
    shape = [math.exp(-((math.log(size) - centre) ** 2) / (2 * _WIDTH**2)) / size for size in _CENTRES]
    scale = concentration / math.fsum(shape)
    return SizeDistribution(_EDGES, tuple(float(round(value * scale)) for value in shape))


def _details(sample: str, captured_at: datetime, runs: int) -> list[str]:
    label = sample.replace(",", " ").replace('"', " ").replace("\n", " ")
    return [
        "NTA Experiment Summary File,",
        "Created with NTA 3.4 Build 3.4.003,",
        ",",
        "[Experiment Details],,",
        "Software Version,NTA 3.4 Build 3.4.003,",
        f"Experiment Name,{label}.nano,",
        "Operator Name,,",
        f"Time Captured,{captured_at:%H:%M:%S  %d/%m/%Y},",
        f"Sample Description,{label},",
        "Pre-treatment,,",
        "Diluent,PBS,",
        "Remarks,,",
        ",,",
        _row("Filename:", (f"run_{place:02d}" for place in range(runs))),
        _row("Processed", ["Yes"] * runs),
        "",
    ]


def _conditions(runs: int, chance: random.Random) -> list[str]:
    same = {
        "Camera Type": "sCMOS",
        "Laser Type": "Blue488",
        "Camera Level": "14",
        "Slider Shutter": "1259",
        "Slider Gain": "366",
        "Frame rate/fps": "24.982500",
        "Syringe Pump Speed/AU": "50",
    }
    analysis = {"Detection Threshold": "5", "Max Jump Mode": "Auto", "Blur": "Auto", "Min Track Length": "Auto"}
    return [
        "[Conditions]" + "," * (runs + 1),
        _row("Temperature/C", (f"{chance.uniform(24.9, 25.1):.3f}" for _ in range(runs))),
        _row("Viscosity/cP", (f"{chance.uniform(0.888, 0.892):.6f}" for _ in range(runs))),
        *(_row(label, [value] * runs) for label, value in same.items()),
        "," * (runs + 1),
        "[Settings]" + "," * (runs + 1),
        *(_row(label, [value] * runs) for label, value in analysis.items()),
        _row("Total frames analysed", ["1498"] * runs),
        "," * (runs + 1),
        "[Exclusion Regions]",
        "No Exclusion Regions Used" + "," * (runs + 1),
        "",
    ]


def _results(
    curves: Sequence[SizeDistribution], frames: Sequence[float], dilution: int, chance: random.Random
) -> list[str]:
    totals = [curve.total for curve in curves]
    return [
        "[Results]" + "," * (len(curves) + 1) + "Average,Standard Error,",
        _row("Dilution factor (concentrations adjusted for this factor)", [f"{dilution:.2e}"] * len(curves)) + ",,",
        _row("Concentration (Particles / ml)", (f"{value:.2e}" for value in (*totals, _mean(totals), _error(totals)))),
        _row("Particles per frame", (f"{value:.1f}" for value in (*frames, _mean(frames), _error(frames)))),
        _row("Completed tracks", (f"{frame * chance.uniform(39, 42):.0f}" for frame in frames)) + ",,",
        "," * (len(curves) + 3),
    ]


def _warnings(frames: Sequence[float]) -> list[str]:
    """What the software would say of so many particles in view: 20 to 100 are good, below 10 and above 150 are not."""
    valid = ["OK" if 10 <= frame <= 150 else "Unreliable" for frame in frames]
    view = ["OK" if 10 <= frame <= 150 else "Too Low" if frame < 10 else "Too High" for frame in frames]
    return [
        "[Concentration Warnings]",
        _row("Validity of concentration measurement", valid),
        _row("Particles per frame", view),
        _row("Noise level", ["No"] * len(frames)),
        "",
        "[Information]",
        _row("Vibration detected", ["No"] * len(frames)),
        _row("Vibration correction applied", ["No"] * len(frames)),
        "",
    ]


def _size_data(curves: Sequence[SizeDistribution], frames: Sequence[float]) -> list[str]:
    names = [f"run_{place:02d}" for place in range(len(curves))]
    found = [curve.statistics() for curve in curves]
    mean = average(curves).values
    columns = zip(*(curve.values for curve in curves), strict=True)
    errors = (_error(values) for values in zip(*(curve.values for curve in curves), strict=True))
    return [
        "[Data Included],",
        "Size distribution - Number weighting - With Percentiles,",
        ",",
        "[Size Data],,",
        "Analysis Method,FTLA,",
        "Weighting,Number,",
        _row("Filename", [*names, "Average", "Standard Error"]),
        *(_statistics_row(label, name, found) for label, name in _SIZES),
        _row("Valid Tracks", (f"{frame * 16:.1f}" for frame in frames)) + ",,",
        "Graph Data,",
        _row(
            "Bin centre (nm)",
            ["Concentration (particles / ml)"] * len(curves) + ["Concentration average", "Standard Error"],
        ),
        *(
            _row(f"{centre}", (f"{value:.0f}" for value in (*values, middle, error)))
            for centre, values, middle, error in zip(_CENTRES, columns, mean, errors, strict=True)
        ),
        "",
        _row("Percentile", ["Size (nm)"] * len(curves)),
        *(_row(f"{step}", (f"{curve.percentile(step):.1f}" for curve in curves)) for step in range(101)),
        "," * (len(curves) + 1),
    ]


def _statistics_row(label: str, name: str, found: Sequence[Statistics]) -> str:
    values = [float(getattr(one, name)) for one in found]
    return _row(label, (f"{value:.1f}" for value in (*values, _mean(values), _error(values))))


def _row(label: str, cells: Iterable[str]) -> str:
    return ",".join([label, *cells, ""])


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def _error(values: Sequence[float]) -> float:
    """Standard error of the mean; zero for a single run, as the instrument prints it."""
    if len(values) < 2:
        return 0.0
    centre = _mean(values)
    return math.sqrt(math.fsum((value - centre) ** 2 for value in values) / (len(values) - 1) / len(values))


#: A gentle cycle: what the shelf does, as (hours, end in °C).
_SHELF = ((1.0, 5.0), (1.67, -45.0), (3.0, -45.0), (0.67, -25.0), (41.33, -25.0), (8.33, 25.0), (6.0, 25.0))
#: Hours since the beginning at which the phases of that cycle begin and end.
CYCLE_PHASES = {"freezing": (3.0, 5.6), "primary_drying": (7.0, 43.0), "secondary_drying": (56.5, 61.9)}
_SUBLIMED = 43.5


def freeze_dryer_log(
    *, began_at: datetime, seed: int, minutes: int = 2, warmest: float = -34.2, decimal: str = ".", separator: str = ","
) -> bytes:
    """The trend of a freeze-dryer: shelf, two probes, capacitance and Pirani gauge; invented, the same bytes for the same arguments.

    began_at: shown as it is, without its time zone. warmest: of the product in primary drying, °C.
    """
    chance = random.Random(seed)  # noqa: S311  (invented data, no secret)
    heads = ("Time", "Shelf inlet [°C]", "Product probe 1 [°C]", "Product probe 2 [°C]",
             "Chamber capacitance [mbar]", "Chamber Pirani [mbar]")  # fmt: skip
    lines = ["# Freeze dryer FD-2, invented data", separator.join(heads)]
    whole = sum(hours for hours, _ in _SHELF)
    for place in range(int(whole * 60 / minutes) + 1):
        hour = place * minutes / 60
        shelf = _shelf_at(hour) + chance.gauss(0, 0.15)
        probes = [_product_at(hour, shelf, warmest - lag) + chance.gauss(0, 0.1) for lag in (0.4, 0.9)]
        pressure = 1000.0 if hour < 5.7 else max(0.1, 1000.0 * math.exp(-(hour - 5.7) * 30)) * chance.gauss(1, 0.01)
        wet = 0.5 / (1 + math.exp((hour - _SUBLIMED + 3) * 1.6)) if hour > 5.7 else 0.0
        cells = [f"{value:.1f}" for value in (shelf, *probes)] + [f"{pressure:.4g}", f"{pressure * (1.03 + wet):.4g}"]
        stamp = f"{began_at + timedelta(hours=hour):%Y-%m-%d %H:%M:%S}"
        lines.append(separator.join([stamp, *(cell.replace(".", decimal) for cell in cells)]))
    return "".join(f"{line}\r\n" for line in lines).encode("cp1252")


def _shelf_at(hour: float) -> float:
    value, before = 5.0, 0.0
    for hours, end in _SHELF:
        if hour <= before + hours:
            return value + (end - value) * (hour - before) / hours
        value, before = end, before + hours
    return value


def _product_at(hour: float, shelf: float, coldest: float) -> float:
    """Ice sublimes below the shelf's temperature until it is gone."""
    if hour < 6.2:
        return shelf + 1.5
    gone = 1 / (1 + math.exp(-(hour - _SUBLIMED - 2) * 2))
    return (coldest - 2 * math.exp(-(hour - 6.2) / 6)) * (1 - gone) + shelf * gone


def main() -> None:
    """Write a file that was captured just now, as the instrument would: `python -m api.demo_files SA-000012 summary.csv`."""
    asked = argparse.ArgumentParser(description="Write an invented NTA summary file, captured now.")
    asked.add_argument("sample", help="sample number, written into the file")
    asked.add_argument("file", type=Path, help="the file to write")
    asked.add_argument("--mode", type=float, default=105.0, help="nm, 20 to 500")
    asked.add_argument("--per-ml", type=float, default=2.4e10, help="particles per mL, undiluted")
    asked.add_argument("--zone", default="Europe/Berlin", help="the time zone of the laboratory")
    said = asked.parse_args()
    data = nanosight_summary(
        mode_nm=said.mode,
        concentration_per_ml=said.per_ml,
        dilution=100,
        runs=5,
        seed=1,
        sample=said.sample,
        captured_at=datetime.now(ZoneInfo(said.zone)),
    )
    said.file.write_bytes(data)


if __name__ == "__main__":
    main()
