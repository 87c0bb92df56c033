"""Runs, sampling plans, custody, slow tests and contract laboratories."""

# ruff: noqa: B008 - acting() and asking() are declarations that FastAPI reads, like Depends()

from typing import Any

from fastapi import APIRouter, Request

from api.deps import RowId, acting, asking, site_of
from api.problems import answers
from api.rest.bodies import body_of, command_from
from domain.laboratory.contract import (
    CheckTranscription,
    EnterContractResult,
    KeepReport,
    check_transcription,
    enter_contract_result,
    keep_report,
)
from domain.laboratory.control_queries import (
    LaboratoryWork,
    ReportView,
    StandingView,
    TranscriptionView,
    laboratory_work,
    reports,
    standing,
    transcriptions,
)
from domain.laboratory.custody import RecordCustody, record_custody
from domain.laboratory.methods import ApproveMethod, approve_method
from domain.laboratory.run_queries import RunView, run_file, runs
from domain.laboratory.runs import ConcludeRun, StartRun, conclude_run, start_run
from domain.laboratory.sampling import (
    ApproveSamplingPlan,
    DraftSamplingPlan,
    DrawByPlan,
    OpenReserve,
    approve_sampling_plan,
    draft_sampling_plan,
    draw_by_plan,
    open_reserve,
)
from domain.laboratory.sampling_queries import (
    InoculationView,
    SampleControl,
    SamplingPlanView,
    inoculations,
    sample_control,
    sampling_plan_file,
    sampling_plans,
)
from domain.laboratory.specification_queries import TouchedLot, open_lots_touched
from domain.laboratory.sterility import (
    ConcludeSlowTest,
    Inoculate,
    ReadGrowth,
    conclude_slow_test,
    inoculate,
    read_growth,
)

router = APIRouter(prefix="/api/v1", tags=["laboratory"], responses=answers(401, 403, 409, 422))

RunEnd: Any = body_of(ConcludeRun, "run_number")
Approval: Any = body_of(ApproveSamplingPlan, "code", "revision")
Drawing: Any = body_of(DrawByPlan, "lot_number")
Link: Any = body_of(RecordCustody, "sample_number")
Opening: Any = body_of(OpenReserve, "sample_number")
Start: Any = body_of(Inoculate, "sample_number")
Look: Any = body_of(ReadGrowth, "sample_number")
End: Any = body_of(ConcludeSlowTest, "sample_number")
Figures: Any = body_of(EnterContractResult, "sample_number")
Report: Any = body_of(KeepReport, "data", "file_name")
Again: Any = body_of(CheckTranscription, "result_id")


@router.get("/laboratory/work")
def waiting(request: Request, ask: Any = asking()) -> LaboratoryWork:
    """What waits in the laboratory: runs, readings due, investigations, alerts, figures to check, samples overdue."""
    return ask(laboratory_work, site_of(request).today())  # type: ignore[no-any-return]


@router.post("/methods/{code}/{revision}/approval", responses=answers(404))
def method_approval(code: str, revision: RowId, body: Approval, act: Any = acting(approve_method)) -> dict[str, str]:
    """QA approves a revision of a method; nobody approves what they defined."""
    act(command_from(ApproveMethod, body, code=code, revision=revision))
    return {"approved": f"{code} v{revision}"}


@router.get("/specifications/{code}/{revision}/open-lots", responses=answers(404))
def touched(code: str, revision: RowId, ask: Any = asking()) -> list[TouchedLot]:
    """Open lots of the product, with the revision that each stays judged by."""
    return ask(open_lots_touched, code, revision)  # type: ignore[no-any-return]


@router.get("/lots/{lot_number}/standing", responses=answers(404))
def lot_standing(lot_number: str, ask: Any = asking()) -> list[StandingView]:
    """How a lot stands against each specification that is pinned to it."""
    return ask(standing, lot_number)  # type: ignore[no-any-return]


@router.get("/runs")
def list_runs(ask: Any = asking()) -> list[RunView]:
    """The newest runs."""
    return ask(runs)  # type: ignore[no-any-return]


@router.post("/runs", status_code=201)
def new_run(body: StartRun, act: Any = acting(start_run), ask: Any = asking()) -> RunView:
    """Begin a run of a method on an instrument."""
    return ask(run_file, act(body).number)  # type: ignore[no-any-return]


@router.get("/runs/{run_number}", responses=answers(404))
def get_run(run_number: str, ask: Any = asking()) -> RunView:
    """A run with its checks and results."""
    return ask(run_file, run_number)  # type: ignore[no-any-return]


@router.post("/runs/{run_number}/conclusion", status_code=201, responses=answers(404))
def run_end(run_number: str, body: RunEnd, act: Any = acting(conclude_run), ask: Any = asking()) -> RunView:
    """Enter every check; whether the run counts follows from them."""
    act(command_from(ConcludeRun, body, run_number=run_number))
    return ask(run_file, run_number)  # type: ignore[no-any-return]


@router.get("/sampling-plans")
def list_plans(ask: Any = asking()) -> list[SamplingPlanView]:
    """All sampling plans, every revision."""
    return ask(sampling_plans)  # type: ignore[no-any-return]


@router.post("/sampling-plans", status_code=201)
def new_plan(body: DraftSamplingPlan, act: Any = acting(draft_sampling_plan), ask: Any = asking()) -> SamplingPlanView:
    """Draft a sampling plan, or its next revision."""
    drafted = act(body)
    return ask(sampling_plan_file, drafted.code, drafted.revision)  # type: ignore[no-any-return]


@router.post("/sampling-plans/{code}/{revision}/approval", responses=answers(404))
def plan_approval(
    code: str, revision: RowId, body: Approval, act: Any = acting(approve_sampling_plan), ask: Any = asking()
) -> SamplingPlanView:
    """QA approves a sampling plan; nobody approves what they drafted."""
    act(command_from(ApproveSamplingPlan, body, code=code, revision=revision))
    return ask(sampling_plan_file, code, revision)  # type: ignore[no-any-return]


@router.post("/lots/{lot_number}/samples-by-plan", status_code=201, responses=answers(404))
def by_plan(lot_number: str, body: Drawing, act: Any = acting(draw_by_plan)) -> dict[str, list[str]]:
    """Take every sample of the lot's stage that the plan asks for and nobody has taken."""
    return {"samples": [one.number for one in act(command_from(DrawByPlan, body, lot_number=lot_number))]}


@router.get("/samples/{sample_number}/control", responses=answers(404))
def control(sample_number: str, ask: Any = asking()) -> SampleControl:
    """Tests, reserve, chain of custody and slow tests of a sample."""
    return ask(sample_control, sample_number)  # type: ignore[no-any-return]


@router.post("/samples/{sample_number}/custody", status_code=201, responses=answers(404))
def link(sample_number: str, body: Link, act: Any = acting(record_custody), ask: Any = asking()) -> SampleControl:
    """Hand a sample over, receive, store, return it, or state that it is used up."""
    act(command_from(RecordCustody, body, sample_number=sample_number))
    return ask(sample_control, sample_number)  # type: ignore[no-any-return]


@router.post("/samples/{sample_number}/reserve-use", status_code=201, responses=answers(404))
def reserve_use(
    sample_number: str, body: Opening, act: Any = acting(open_reserve), ask: Any = asking()
) -> SampleControl:
    """Say why a retention or stability unit is tested after all."""
    act(command_from(OpenReserve, body, sample_number=sample_number))
    return ask(sample_control, sample_number)  # type: ignore[no-any-return]


@router.get("/inoculations")
def list_inoculations(ask: Any = asking()) -> list[InoculationView]:
    """Slow tests, newest first, with their readings and the earliest time of a final result."""
    return ask(inoculations)  # type: ignore[no-any-return]


@router.post("/samples/{sample_number}/inoculations", status_code=201, responses=answers(404))
def new_inoculation(
    sample_number: str, body: Start, act: Any = acting(inoculate), ask: Any = asking()
) -> SampleControl:
    """Begin a slow test."""
    act(command_from(Inoculate, body, sample_number=sample_number))
    return ask(sample_control, sample_number)  # type: ignore[no-any-return]


@router.post("/samples/{sample_number}/growth-readings", status_code=201, responses=answers(404))
def new_growth(sample_number: str, body: Look, act: Any = acting(read_growth), ask: Any = asking()) -> SampleControl:
    """Record what the media look like; growth is the result at once."""
    act(command_from(ReadGrowth, body, sample_number=sample_number))
    return ask(sample_control, sample_number)  # type: ignore[no-any-return]


@router.post("/samples/{sample_number}/slow-test-results", status_code=201, responses=answers(404))
def slow_end(
    sample_number: str, body: End, act: Any = acting(conclude_slow_test), ask: Any = asking()
) -> SampleControl:
    """State no growth, once the readings allow it; or that the test is invalid."""
    act(command_from(ConcludeSlowTest, body, sample_number=sample_number))
    return ask(sample_control, sample_number)  # type: ignore[no-any-return]


@router.get("/contract-reports")
def list_reports(ask: Any = asking()) -> list[ReportView]:
    """Reports of contract laboratories."""
    return ask(reports)  # type: ignore[no-any-return]


@router.post("/contract-reports", status_code=201, responses=answers(404))
def new_report(body: Report, act: Any = acting(keep_report)) -> ReportView:
    """Record the report of a contract laboratory; its file was uploaded to /documents before."""
    return ReportView.model_validate(act(command_from(KeepReport, body)))


@router.post("/samples/{sample_number}/contract-results", status_code=201, responses=answers(404))
def new_contract_result(sample_number: str, body: Figures, act: Any = acting(enter_contract_result)) -> dict[str, int]:
    """Enter a figure from a report, as it stands there."""
    return {"result_id": act(command_from(EnterContractResult, body, sample_number=sample_number)).id}


@router.get("/transcriptions")
def list_transcriptions(ask: Any = asking()) -> list[TranscriptionView]:
    """Figures that wait for the second person; the figures themselves are not shown."""
    return ask(transcriptions)  # type: ignore[no-any-return]


@router.post("/results/{result_id}/transcription-check", status_code=201, responses=answers(404))
def transcription_check(result_id: RowId, body: Again, act: Any = acting(check_transcription)) -> dict[str, int]:
    """Type the figures of the report again; what differs is refused with both shown."""
    act(command_from(CheckTranscription, body, result_id=result_id))
    return {"result_id": result_id}
