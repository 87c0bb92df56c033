"""What waits in the laboratory, test runs, and the figures of contract laboratories."""

from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response

from api.web.forms import Field, Group, Sheet, Typed, offer
from api.web.laboratory import method_facts, replicates_of, time_fields, value_fields
from api.web.lists import MethodRow, method_coded, methods
from api.web.pages import Reader, Visit, page, unit_word
from domain.laboratory.contract import (
    CheckTranscription,
    EnterContractResult,
    KeepReport,
    check_transcription,
    enter_contract_result,
    keep_report,
)
from domain.laboratory.control_queries import TranscriptionView, alerts, laboratory_work, reports, transcription
from domain.laboratory.run_queries import RunView, run_file, runs
from domain.laboratory.runs import ConcludeRun, StartRun, conclude_run, start_run
from domain.laboratory.verdict import describe
from domain.permissions import Permission
from reports.wording import for_people

router = APIRouter(include_in_schema=False)


@router.get("/laboratory")
def laboratory(visit: Reader) -> Response:
    """What waits: runs, readings, investigations, alerts, figures to check, samples overdue."""
    waiting = visit.ask(laboratory_work, visit.site.today())
    return page(
        visit,
        "laboratory.html",
        waiting=waiting,
        runs=visit.ask(runs),
        alerts=visit.ask(alerts),
        reports=visit.ask(reports),
    )


def _start(visit: Visit) -> Sheet:
    known = [(one.code, f"{one.code} v{one.revision} · {one.test_name}") for one in visit.ask(methods)]
    return Sheet(
        "Start a run",
        (
            Group(
                "Run",
                (
                    Field("method_code", "Method", "select", options=(("", "Choose …"), *known)),
                    Field("instrument", "Instrument", hint="Such as Plate reader 1."),
                    Field(
                        "started_at",
                        "Started",
                        "time",
                        needed=False,
                        hint=f"{visit.site.profile.time_zone} time; now, if empty.",
                    ),
                    Field("comment", "Comment", "area", needed=False),
                ),
            ),
        ),
        "Start the run",
        "Samples tested together. Its controls, blanks and standards decide whether what is found in it counts.",
        ("/laboratory", "Laboratory"),
    )


offer(
    router,
    "/runs/new",
    start_run,
    StartRun,
    _start,
    lambda _visit, run: (f"/runs/{run.number}", f"Run {run.number} has started."),
)


@router.get("/runs/{number}")
def run_page(number: str, visit: Reader) -> Response:
    """A run with its checks and results."""
    run: RunView = visit.ask(run_file, number)
    return page(visit, "run.html", run=run, wanted=_wanted(run), may=visit.may(Permission.ENTER_RESULT))


def _wanted(run: RunView) -> dict[str, str]:
    return {one.name: for_people(describe(one.criterion())[0]) for one in run.wanted}


def _run_number(visit: Visit) -> str:
    return str(visit.request.path_params["number"])


def _conclude(visit: Visit) -> Sheet:
    run: RunView = visit.ask(run_file, _run_number(visit))
    wanted = _wanted(run)
    checks: tuple[Any, ...] = tuple(
        part
        for place, one in enumerate(run.wanted)
        for part in (
            Field(f"checks.{place}.name", one.name, "hidden", value=one.name),
            Field(
                f"checks.{place}.value",
                f"{one.name} ({one.check.value})",
                "text" if one.unit is None else "number",
                hint=f"Must be {wanted[one.name]}.",
                unit=unit_word(one.unit),
            ),
        )
    )
    ending = (
        Field(
            "finished_at", "Finished", "time", needed=False, hint=f"{visit.site.profile.time_zone} time; now, if empty."
        ),
        Field(
            "invalid_because",
            "Invalid because",
            "area",
            needed=False,
            hint="Only if something else went wrong: the run then does not count, whatever its checks gave.",
        ),
    )
    groups = (*((Group("What controls, blanks and standards gave", checks),) if checks else ()), Group("End", ending))
    return Sheet(
        f"Conclude run {run.number}",
        groups,
        "Conclude the run",
        "Valid only if every check passes. A run that is not valid is no result out of specification, and cannot be made valid.",
        (f"/runs/{run.number}", f"Run {run.number}"),
        facts=(("Method", run.method), ("Instrument", run.instrument), ("Results in it", str(len(run.results)))),
    )


offer(
    router,
    "/runs/{number}/conclude",
    conclude_run,
    ConcludeRun,
    _conclude,
    lambda visit, end: (
        f"/runs/{_run_number(visit)}",
        "The run is valid." if end.valid else "The run is invalid: nothing in it counts.",
    ),
    lambda visit, _typed: {"run_number": _run_number(visit)},
)


def _report_sheet(_visit: Visit) -> Sheet:
    return Sheet(
        "Record a contract laboratory’s report",
        (
            Group(
                "Report",
                (
                    Field("laboratory", "Laboratory"),
                    Field("accreditation", "Accreditation", hint="Such as ISO/IEC 17025, with its number."),
                    Field("report_number", "Report number", "code"),
                    Field("received_on", "Received on", "date"),
                    Field("file", "Report as a file", "file", hint="Kept byte for byte."),
                ),
            ),
        ),
        "Record the report",
        "Its figures are entered at the sample, and typed again by a second person.",
        ("/laboratory", "Laboratory"),
    )


def _report_fix(_visit: Visit, typed: Typed) -> dict[str, Any]:
    name, data = typed.files.get("file", ("", b""))
    return {"file_name": name[-200:], "data": data} if name else {}


offer(
    router,
    "/contract-reports/new",
    keep_report,
    KeepReport,
    _report_sheet,
    lambda _visit, report: ("/laboratory", f"Report {report.report_number} of {report.laboratory} is recorded."),
    _report_fix,
)


def _contract_sheet(visit: Visit) -> Sheet:
    number, code = (str(visit.request.path_params[name]) for name in ("number", "method"))
    method: MethodRow = visit.ask(method_coded, code)
    known = [
        (f"{one.laboratory}|{one.report_number}", f"{one.report_number} · {one.laboratory}")
        for one in visit.ask(reports)
    ]
    report = Field("report", "Report", "select", options=(("", "Choose …"), *known))
    return Sheet(
        f"{method.test_name}: figure from a report",
        (
            Group("Report", (report,)),
            Group("As it stands there", value_fields(method)),
            Group("When", time_fields(visit)),
        ),
        "Record the figure",
        "It counts once a second person has typed the same from the report.",
        (f"/samples/{number}", f"Sample {number}"),
        facts=method_facts(method),
    )


def _contract_fix(visit: Visit, typed: Typed) -> dict[str, Any]:
    method: MethodRow = visit.ask(method_coded, str(visit.request.path_params["method"]))
    laboratory, _, number = typed.values.pop("report", [""])[0].partition("|")
    typed.values["_report"] = [f"{laboratory}|{number}"]
    return {
        "sample_number": str(visit.request.path_params["number"]),
        "laboratory": laboratory,
        "report_number": number,
        "method_code": method.code,
        "unit": method.unit,
    } | replicates_of(typed)


offer(
    router,
    "/samples/{number}/contract/{method}",
    enter_contract_result,
    EnterContractResult,
    _contract_sheet,
    lambda visit, result: (
        f"/samples/{visit.request.path_params['number']}",
        f"{result.test_code}: recorded; a second person types it again.",
    ),
    _contract_fix,
)


def _result_id(visit: Visit) -> int:
    return int(visit.request.path_params["result_id"])


def _again_sheet(visit: Visit) -> Sheet:
    one: TranscriptionView = visit.ask(transcription, _result_id(visit))
    fields = tuple(
        Field(f"replicates.{place}", f"Figure {place}", unit=unit_word(one.unit)) for place in range(1, one.count + 1)
    )
    return Sheet(
        f"Check the transcription of {one.test_code}",
        (Group("Type what stands in the report", fields, "What was entered first is not shown: read the report."),),
        "Compare",
        "Sign for sign: 7.20 is not 7.2.",
        ("/laboratory", "Laboratory"),
        facts=(
            ("Report", f"{one.report_number} of {one.laboratory}"),
            ("Accreditation", one.accreditation),
            ("Sample", f"{one.sample_number} of lot {one.lot_number}"),
        ),
        above="report_link.html",
        context={"sha256": one.sha256},
    )


def _again_fix(visit: Visit, typed: Typed) -> dict[str, Any]:
    one: TranscriptionView = visit.ask(transcription, _result_id(visit))
    return {"result_id": one.result_id, "unit": one.unit} | replicates_of(typed)


offer(
    router,
    "/transcriptions/{result_id}",
    check_transcription,
    CheckTranscription,
    _again_sheet,
    lambda _visit, _check: ("/laboratory", "Both read the same: the figure counts."),
    _again_fix,
)
