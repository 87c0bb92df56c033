"""Reader of NanoSight NTA `*-ExperimentSummary.csv` files (NTA 3.x, known layouts 3.2 and 3.4): bytes in, value out.

The file is refused rather than guessed at: every refusal is Invalid (`not-a-nanosight-summary`) with the line as field.

- One column per video ("run"), then "Average" and "Standard Error". Labels recur, so cells are looked up by section.
- Concentrations are adjusted for the recorded dilution factor already: they are never multiplied here.
- An empty run is one without particles in its bins; its printed sizes of 0 mean "none" and are not taken over. The
  file's own average counts empty runs as zero; ours (`AVERAGE_CONVENTION`) does not.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import pairwise

from domain.instruments.readers.nanosight_rows import Sections, bad, number, open_sections, optional_number
from domain.laboratory.reportable import mean
from domain.laboratory.size_distribution import SizeDistribution, average

_AVERAGE_EN = (
    "Average of the runs that hold particles: mean of their concentrations, and statistics of their averaged curve. "
    "Empty runs are named and left out, never counted as zero."
)
_AVERAGE_DE = (
    "Mittel der Messungen mit Partikeln: Mittelwert ihrer Konzentrationen und Kennzahlen ihrer gemittelten Kurve. "
    "Leere Messungen werden genannt und ausgelassen, nie als null gezählt."
)
AVERAGE_CONVENTION = (_AVERAGE_EN, _AVERAGE_DE)
"""How the runs are averaged, in English and German, for print."""

_DETAILS, _RESULTS, _SIZES = "Experiment Details", "Results", "Size Data"
_CONCENTRATION = "Concentration (Particles / ml)"
_DILUTION = "Dilution factor (concentrations adjusted for this factor)"
_WARNINGS = ("Concentration Warnings", "Information")
_NO_WARNING = ("", "OK", "No")
_NO_FLAG = ("Vibration correction applied",)  # what the software did about the vibration, which is flagged itself
_SIZE_LABELS = {"mean": "Mean", "mode": "Mode", "sd": "SD", "d10": "D10", "d50": "D50", "d90": "D90"}
_BIN_SUM_TOLERANCE = 0.02
_TIME = "%H:%M:%S %d/%m/%Y"


@dataclass(frozen=True, slots=True)
class ReportedStatistics:
    """Sizes in nm as the software printed them, by its own convention (NTA 3.2 prints percentiles 1 nm lower)."""

    mean: Decimal | None
    mode: Decimal | None
    sd: Decimal | None
    d10: Decimal | None
    d50: Decimal | None
    d90: Decimal | None


@dataclass(frozen=True, slots=True)
class Run:
    """One video. concentration: {particles}/mL as printed, adjusted for `dilution_factor` if there is one.

    flags: what the software warns of ("Noise level: High noise"); statistics and distribution are None when empty.
    """

    name: str
    concentration: Decimal
    dilution_factor: Decimal | None
    particles_per_frame: Decimal | None
    completed_tracks: int | None
    statistics: ReportedStatistics | None
    flags: tuple[str, ...]
    distribution: SizeDistribution | None
    empty: bool


@dataclass(frozen=True, slots=True)
class Average:
    """Our average over the `runs` that hold particles, by `AVERAGE_CONVENTION`."""

    runs: int
    concentration: Decimal
    distribution: SizeDistribution | None


@dataclass(frozen=True, slots=True)
class ReportedAverage:
    """The file's own average, kept aside: the mean of the runs' figures with empty runs counted as zero."""

    concentration: Decimal | None
    statistics: ReportedStatistics


@dataclass(frozen=True, slots=True)
class NanoSightSummary:
    """What the file says. version: "3.4"; captured_at: the instrument's clock, without time zone.

    conditions, settings: label -> one text per run. average: None when every run is empty. notes: what was odd.
    """

    version: str
    software: str
    encoding: str
    operator: str
    captured_at: datetime | None
    sample: str
    diluent: str
    conditions: Mapping[str, tuple[str, ...]]
    settings: Mapping[str, tuple[str, ...]]
    runs: tuple[Run, ...]
    average: Average | None
    reported_average: ReportedAverage | None
    notes: tuple[str, ...]


def read(data: bytes) -> NanoSightSummary:
    """The summary in `data`; Invalid (`not-a-nanosight-summary`, field "line <n>") says where and why it is refused."""
    file = open_sections(data)
    names = _run_names(file)
    curves = _curves(file, len(names))
    runs = tuple(_run(file, place, name, curves) for place, name in enumerate(names))
    captured_at, notes = _captured_at(file)
    filled = [run for run in runs if not run.empty]
    if curves is None:
        notes += ("The file holds no number-weighted size distribution.",)
    if len(filled) < len(runs):
        notes += (f"{len(runs) - len(filled)} of {len(runs)} runs hold no particles: left out of the average.",)
    return NanoSightSummary(
        version=file.version,
        software=file.software,
        encoding=file.encoding,
        operator=file.text(_DETAILS, "Operator Name"),
        captured_at=captured_at,
        sample=file.text(_DETAILS, "Sample Description") or file.text(_DETAILS, "Sample Name"),
        diluent=file.text(_DETAILS, "Diluent"),
        conditions=_per_run(file, "Conditions", len(names)),
        settings=_per_run(file, "Settings", len(names)),
        runs=runs,
        average=_average(filled),
        reported_average=_reported_average(file, len(names)),
        notes=notes,
    )


def _run_names(file: Sections) -> tuple[str, ...]:
    """The names of the runs; the columns of the results must be headed as these names foretell."""
    row = file.row(_DETAILS, "Filename:") or file.row(_SIZES, "Filename")
    if row is None:
        raise bad('there is no row "Filename:", which names the runs')
    names = [cell for cell in row.filled() if cell not in ("Average", "Standard Error")]
    if not names or "" in names:
        raise bad('the row "Filename:" names no runs, or leaves one without name', row.line)
    heading = file.required(_RESULTS)[0]
    if heading.filled()[len(names) :] != ("Average", "Standard Error"):
        raise bad(f'"Average" and "Standard Error" must follow the columns of the {len(names)} runs', heading.line)
    for result in file.rows(_RESULTS):
        if len(result.filled()) > len(names) + 2:
            raise bad("more values than columns; were numbers written with a decimal comma?", result.line)
    return tuple(names)


def _run(file: Sections, place: int, name: str, curves: list[SizeDistribution | None] | None) -> Run:
    concentration = number(file.needed(_RESULTS, _CONCENTRATION), place, "a concentration")
    if concentration < 0:
        raise bad("a concentration cannot be below zero", file.needed(_RESULTS, _CONCENTRATION).line)
    distribution = curves[place] if curves else None
    empty = distribution is None if curves else not concentration
    tracks = optional_number(file.row(_RESULTS, "Completed tracks"), place)
    return Run(
        name=name,
        concentration=concentration,
        dilution_factor=_dilution(file, place),
        particles_per_frame=optional_number(file.row(_RESULTS, "Particles per frame"), place),
        completed_tracks=None if tracks is None else int(tracks),
        statistics=None if empty else _statistics(file, place),
        flags=(*_flags(file, place), *_contradiction(concentration, distribution, curves is not None)),
        distribution=distribution,
        empty=empty,
    )


def _dilution(file: Sections, place: int) -> Decimal | None:
    row = file.row(_RESULTS, _DILUTION)
    if row is None or row.cell(place).casefold() in ("", "not recorded"):
        return None
    factor = number(row, place, "a dilution factor")
    if factor < 1:
        raise bad(f"a dilution factor is at least 1, not {row.cell(place)}", row.line)
    return factor


def _flags(file: Sections, place: int) -> tuple[str, ...]:
    """Each warning once, although some stand in two sections."""
    found = {
        f"{row.label}: {row.cell(place)}": None
        for section in _WARNINGS
        for row in file.rows(section)
        if row.cell(place) not in _NO_WARNING and row.label not in _NO_FLAG
    }
    return tuple(found)


def _contradiction(concentration: Decimal, curve: SizeDistribution | None, has_curves: bool) -> tuple[str, ...]:
    """A flag of ours, where the bins do not hold what the concentration says (NTA agrees within 0.5 %)."""
    counted = curve.total if curve else 0.0
    if not has_curves or abs(counted - float(concentration)) <= _BIN_SUM_TOLERANCE * float(concentration):
        return ()
    return (f"Concentration: {concentration} is printed, but the bins hold {counted:.3g}",)


def _statistics(file: Sections, place: int) -> ReportedStatistics:
    block = {row.label: row for row in file.number_block()}
    return ReportedStatistics(
        **{name: optional_number(block.get(label), place) for name, label in _SIZE_LABELS.items()}
    )


def _curves(file: Sections, runs: int) -> list[SizeDistribution | None] | None:
    """The number-weighted curve of each run (None: no particles); None if the file carries no such distribution."""
    centres, columns = file.bins(runs)
    if not centres:
        return None
    half = (centres[1] - centres[0]) / 2
    edges = (
        max(0.0, centres[0] - half),
        *((lower + upper) / 2 for lower, upper in pairwise(centres)),
        centres[-1] + half,
    )
    return [SizeDistribution(edges, tuple(column)) if any(column) else None for column in columns]


def _captured_at(file: Sections) -> tuple[datetime | None, tuple[str, ...]]:
    """The time of capture, day first; a text that is no such time is kept as a note, not guessed at."""
    text = " ".join(file.text(_DETAILS, "Time Captured").split())
    if not text:
        return None, ()
    try:
        return datetime.strptime(text, _TIME), ()  # noqa: DTZ007  (the instrument knows no time zone)
    except ValueError:
        return None, (f'The time of capture "{text}" is not written as hour:minute:second day/month/year.',)


def _per_run(file: Sections, section: str, runs: int) -> dict[str, tuple[str, ...]]:
    return {row.label: tuple(row.cell(place) for place in range(runs)) for row in file.rows(section)}


def _average(filled: list[Run]) -> Average | None:
    if not filled:
        return None
    curves = [run.distribution for run in filled if run.distribution is not None]
    return Average(len(filled), mean([run.concentration for run in filled]), average(curves) if curves else None)


def _reported_average(file: Sections, runs: int) -> ReportedAverage | None:
    concentration = optional_number(file.row(_RESULTS, _CONCENTRATION), runs)
    statistics = _statistics(file, runs)
    if concentration is None and statistics.mean is None:
        return None
    return ReportedAverage(concentration, statistics)
