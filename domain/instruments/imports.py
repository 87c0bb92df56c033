"""Files of instruments become results: the raw bytes are kept by their SHA-256, and each figure points to them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from pydantic import AwareDatetime, Field
from sqlmodel import select

from domain.errors import Conflict, Invalid, Reason, Refused
from domain.instruments.readers import nanosight
from domain.instruments.readers.nanosight import NanoSightSummary
from domain.laboratory.catalogue import test as catalogue_test
from domain.laboratory.conditions import run_numbered
from domain.laboratory.control_models import TestRun
from domain.laboratory.keeping import Found, current_result, keep
from domain.laboratory.methods import within_linear_range
from domain.laboratory.models import Method, Result, Sample
from domain.laboratory.oos_retests import planned_retest
from domain.laboratory.reportable import Reportable, reportable
from domain.laboratory.results import newest_method
from domain.laboratory.samples import sample_named
from domain.laboratory.size_distribution import SizeDistribution
from domain.laboratory.values import NotReportable, Text
from domain.permissions import Permission
from domain.quantities import parse_decimal
from domain.work import Command, Work, operation

SETTINGS_SHOWN = 24


class ImportNanoSight(Command):
    """Import an NTA ExperimentSummary file into a sample.

    dilution: only when the file says "Not recorded", as the values are then as measured. measured_at: only when the file carries no time.
    reason: only when the sample has NTA results already, which the import then corrects.
    concentration_run, size_run: the runs it was measured in; a run is of one method. oos_number: the file is a planned retest of that
    investigation, and gives the figure that is under investigation alone.
    """

    sample_number: str
    file_name: str = Field(min_length=1, max_length=200)
    data: bytes = Field(repr=False)
    concentration_method: str = Field(description="method code for PART-CONC")
    size_method: str = Field(description="method code for SIZE-DIST")
    dilution: str | None = Field(default=None, max_length=20)
    measured_at: AwareDatetime | None = None
    comment: str = Field(default="", max_length=1000)
    reason: str = Field(default="", max_length=1000)
    concentration_run: str | None = Field(default=None, max_length=20)
    size_run: str | None = Field(default=None, max_length=20)
    oos_number: str | None = Field(default=None, max_length=20)


@operation(Permission.IMPORT_RESULT)
def import_nanosight(work: Work, command: ImportNanoSight) -> list[Result]:
    """Particle concentration (one replicate a run) and size distribution (mean of the runs' curves), and what derives from them.

    Runs without particles are never counted. Raises Invalid with line and reason for a file that cannot be read.
    """
    summary = nanosight.read(command.data)
    sample = sample_named(work.session, command.sample_number)
    at, factor = _measured_at(work, summary, command), _dilution(summary, command)
    nothing = NotReportable(why="no run of the file shows particles")
    average = summary.average.distribution if summary.average else None
    size_run = run_numbered(work, command.size_run)
    size = Found(
        test=catalogue_test("SIZE-DIST"),
        method=_method(work, command.size_method, "SIZE-DIST", size_run),
        value=Text(text=f"distribution of {_counted(summary)} runs") if average else nothing,
        distribution=_scaled(average, factor) if average else None,
        started_at=at,
        finished_at=at,
        settings=_settings(summary, factor),
        flags=_flags(summary, command),
        comment=command.comment,
        raw_sha256=work.keep_document(command.data, command.file_name, "text/csv"),
        run=size_run,
        instrument=size_run.instrument if size_run else None,
    )
    run = run_numbered(work, command.concentration_run)
    method = _method(work, command.concentration_method, "PART-CONC", run)
    measured = _concentration(summary, method, factor)
    value = _outside(summary, method) or (measured.value if measured else nothing)
    concentration = replace(
        size, test=catalogue_test("PART-CONC"), method=method, value=value, measured=measured, distribution=None,
        run=run, instrument=run.instrument if run else None,
    )  # fmt: skip
    if command.oos_number:
        return [_retest(work, command.oos_number, sample, (size, concentration))]
    return [_keep(work, sample, found, command.reason) for found in (size, concentration)]


def _retest(work: Work, number: str, sample: Sample, found: Sequence[Found]) -> Result:
    """The figure that the investigation is about, as one of its planned retests; each of them has a file of its own."""
    oos, planned = planned_retest(work, number, found[0].started_at)
    one = next((one for one in found if one.test.code == oos.test_code), None)
    if one is None:
        text = f"{number} is about {oos.test_code}, which this file does not give"
        raise Refused(Reason("retest-of-other-test", text, "oos_number"))
    if sample.key != planned.key:
        text = f"the plan of {number} is for sample {planned.number}, not for {sample.number}"
        raise Refused(Reason("sample-not-planned", text, "sample_number"))
    known = select(Result.id).where(Result.raw_sha256 == one.raw_sha256, Result.test_code == one.test.code)
    if work.session.exec(known).first() is not None:
        raise Conflict(
            Reason(
                "file-counted-already", "this very file has given a result already; a retest is measured anew", "file"
            )
        )
    return keep(work, sample, replace(one, oos_id=oos.key))


def _flags(summary: NanoSightSummary, command: ImportNanoSight) -> tuple[str, ...]:
    """What the software warned of, each once with its runs, and runs without particles: whoever imports must say why it counts."""
    runs: dict[str, list[str]] = {}
    for run in summary.runs:
        for flag in (*run.flags, *(("no particles, not counted",) if run.empty else ())):
            runs.setdefault(flag, []).append(run.name)
    total = len(summary.runs)
    flags = tuple(f"{flag} ({len(names)} of {total} runs: {_listed(names)})" for flag, names in runs.items())
    if flags and not command.comment:
        told = "; ".join(flags[:3]) + ("; …" if len(flags) > 3 else "")
        raise Invalid(
            Reason("comment-needed", f"the instrument warns: {told}. Say in a comment why the file counts", "comment")
        )
    return (*flags, *summary.notes)


def _listed(names: list[str]) -> str:
    return ", ".join(names[:3]) + (", …" if len(names) > 3 else "")


def _counted(summary: NanoSightSummary) -> int:
    return sum(not run.empty for run in summary.runs)


def _keep(work: Work, sample: Sample, found: Found, reason: str) -> Result:
    earlier = current_result(work.session, sample.key, found.test.code)
    if earlier is not None and not reason:
        text = f"sample {sample.number} has a result for {found.test.code} already; say why this file replaces it"
        raise Invalid(Reason("reason-needed", text, "reason"))
    return keep(work, sample, found, replaces=earlier, reason=reason)


def _method(work: Work, code: str, test_code: str, run: TestRun | None) -> Method:
    """The newest revision, or that of the run, which was the newest when it began."""
    method = newest_method(work.session, code)
    if run is not None and (own := work.session.get_one(Method, run.method_id)).code == code:
        method = own
    if method.test_code != test_code:
        raise Invalid(
            Reason("method-of-other-test", f"{code} is a method for {method.test_code}, not for {test_code}", "method")
        )
    return method


def _measured_at(work: Work, summary: NanoSightSummary, command: ImportNanoSight) -> datetime:
    """The instrument's clock shows the site's local time."""
    if summary.captured_at is None:
        if command.measured_at is None:
            raise Invalid(Reason("time-needed", "the file does not say when it was measured; say it", "measured_at"))
        return command.measured_at
    if command.measured_at is not None:
        raise Invalid(
            Reason("time-in-file", f"the file says when it was measured: {summary.captured_at}", "measured_at")
        )
    return summary.captured_at.replace(tzinfo=work.site.zone).astimezone(UTC)


def _dilution(summary: NanoSightSummary, command: ImportNanoSight) -> Decimal | None:
    """The factor still to be applied: none when the file's concentrations are adjusted already. Never applied twice."""
    recorded = {run.dilution_factor for run in summary.runs}
    if None not in recorded:
        if command.dilution is not None:
            told = ", ".join(sorted(str(factor) for factor in recorded))
            raise Invalid(
                Reason("dilution-in-file", f"the file is already adjusted for its dilution factor {told}", "dilution")
            )
        return None
    if len(recorded) > 1:
        raise Invalid(
            Reason("dilution-mixed", "some runs of the file record a dilution factor and others do not", "file")
        )
    if command.dilution is None:
        raise Invalid(
            Reason(
                "dilution-needed", "the file does not record the dilution factor; say it (1 if undiluted)", "dilution"
            )
        )
    factor = parse_decimal(command.dilution, "dilution")
    if factor < 1:
        raise Invalid(
            Reason("dilution-below-one", f"a dilution factor is 1 or more, not {command.dilution}", "dilution")
        )
    return factor


def _concentration(summary: NanoSightSummary, method: Method, factor: Decimal | None) -> Reportable | None:
    counted = [run.concentration * (factor or 1) for run in summary.runs if not run.empty]
    if not counted:
        return None
    unit = catalogue_test("PART-CONC").unit or "1"
    required = max(method.replicates, len(counted))  # every run with particles counts, and there must be enough of them
    return reportable([f"{one:.10g}" for one in counted], method.rule, required, unit, lod=method.lod, loq=method.loq)


def _outside(summary: NanoSightSummary, method: Method) -> NotReportable | None:
    """Why nothing can be reported: the particles in view were outside the method's linear range, before any dilution factor."""
    seen = [run.concentration / (run.dilution_factor or 1) for run in summary.runs if not run.empty]
    unit = catalogue_test("PART-CONC").unit or "1"
    required = max(len(seen), 1)
    as_seen = reportable([f"{one:.10g}" for one in seen], method.rule, required, unit)
    return within_linear_range(method, as_seen, unit)


def _scaled(curve: SizeDistribution, factor: Decimal | None) -> SizeDistribution:
    return curve if factor is None else replace(curve, values=tuple(value * float(factor) for value in curve.values))


def _settings(summary: NanoSightSummary, factor: Decimal | None) -> tuple[tuple[str, str], ...]:
    """What a result cannot be compared without (domain.md 7), each value once if all runs agree."""
    dilutions = {str(run.dilution_factor) for run in summary.runs if run.dilution_factor is not None}
    tracks = [run.completed_tracks for run in summary.runs if run.completed_tracks is not None]
    first = (
        ("Software", summary.software),
        ("Runs counted", f"{_counted(summary)} of {len(summary.runs)}"),
        ("Dilution", f"{factor} (typed)" if factor else ", ".join(sorted(dilutions)) or "not recorded"),
        ("Completed tracks", str(sum(tracks)) if tracks else "not recorded"),
        ("Diluent", summary.diluent or "not recorded"),
    )
    every = {**summary.conditions, **summary.settings}
    rest = ((name, ", ".join(dict.fromkeys(values))) for name, values in every.items() if any(values))
    return (*first, *tuple(rest)[: SETTINGS_SHOWN - len(first)])
