"""Deviations, and the corrective and preventive actions they lead to."""

# ruff: noqa: B008 - acting() and asking() are declarations that FastAPI reads, like Depends()

from typing import Any

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field

from api.deps import acting, asking, current_actor, site_of
from api.problems import answers
from domain.deviations.capa import CheckCapa, CompleteCapa, PlanAction, RaiseCapa, check_capa, complete_capa, raise_capa
from domain.deviations.models import LotOutcome, RootCause, Severity
from domain.deviations.operations import (
    AddDeviationLots,
    ClassifyDeviation,
    CloseDeviation,
    DecideOutcome,
    OpenDeviation,
    RecordInvestigation,
    add_deviation_lots,
    classify_deviation,
    close_deviation,
    decide_outcome,
    record_investigation,
    report_deviation,
)
from domain.deviations.queries import (
    CapaView,
    DeviationFile,
    DeviationRow,
    capa_numbered,
    deviation_file,
    find_capa,
    find_deviations,
)
from domain.signatures import Credentials
from domain.work import Actor, Attachment

router = APIRouter(prefix="/api/v1", tags=["deviations"], responses=answers(401, 403, 409, 422))

Why = Field(min_length=3, max_length=4000)


class Body(BaseModel):
    """A request's body: takes no stray fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Classification(Body):
    """How grave it is, and why."""

    severity: Severity
    reason: str = Why


class FurtherLots(Body):
    """Lots that it touches too."""

    lot_numbers: tuple[str, ...] = Field(min_length=1, max_length=200)
    reason: str = Why


class Investigation(Body):
    """What was found out; the root cause as soon as it is known."""

    text: str = Why
    root_cause: RootCause | None = None
    root_cause_text: str = Field(default="", max_length=4000)


class Outcome(Body):
    """What becomes of a lot."""

    outcome: LotOutcome
    justification: str = Why


class Closure(Body):
    """QA closes it."""

    conclusion: str = Why
    credentials: Credentials


class Completion(Body):
    """What shows that an action is done."""

    evidence: str = Why
    attachment: Attachment | None = None


class Check(Body):
    """Whether an action helped."""

    effective: bool
    finding: str = Why
    next_action: PlanAction | None = None
    credentials: Credentials


def _file(ask: Any, request: Request, actor: Actor, number: str) -> DeviationFile:
    return ask(deviation_file, number, site_of(request).today(), actor.user_id)  # type: ignore[no-any-return]


@router.get("/deviations")
def list_deviations(
    open_only: bool = False, lot_number: str | None = None, before: str | None = None, ask: Any = asking()
) -> list[DeviationRow]:
    """The newest deviations, at most 500; those of a lot, or those that are open."""
    return list(ask(find_deviations, open_only=open_only, lot_number=lot_number, before=before))


@router.post("/deviations", status_code=201, responses=answers(404))
def new_deviation(
    body: OpenDeviation,
    request: Request,
    actor: Actor = Depends(current_actor),
    act: Any = acting(report_deviation),
    ask: Any = asking(),
) -> DeviationFile:
    """Report a departure."""
    return _file(ask, request, actor, act(body).number)


@router.get("/deviations/{number}", responses=answers(404))
def one_deviation(
    number: str, request: Request, actor: Actor = Depends(current_actor), ask: Any = asking()
) -> DeviationFile:
    """A deviation with its whole history, its lots and actions, and what stands in the way of its closure."""
    return _file(ask, request, actor, number)


@router.post("/deviations/{number}/classification", status_code=201, responses=answers(404))
def classification(
    number: str,
    body: Classification,
    request: Request,
    actor: Actor = Depends(current_actor),
    act: Any = acting(classify_deviation),
    ask: Any = asking(),
) -> DeviationFile:
    """QA or the head of production says how grave it is; critical holds its lots."""
    act(ClassifyDeviation(number=number, **dict(body)))
    return _file(ask, request, actor, number)


@router.post("/deviations/{number}/lots", status_code=201, responses=answers(404))
def further_lots(
    number: str,
    body: FurtherLots,
    request: Request,
    actor: Actor = Depends(current_actor),
    act: Any = acting(add_deviation_lots),
    ask: Any = asking(),
) -> DeviationFile:
    """Name further lots that it touches."""
    act(AddDeviationLots(number=number, **dict(body)))
    return _file(ask, request, actor, number)


@router.post("/deviations/{number}/investigation", status_code=201, responses=answers(404))
def investigation(
    number: str,
    body: Investigation,
    request: Request,
    actor: Actor = Depends(current_actor),
    act: Any = acting(record_investigation),
    ask: Any = asking(),
) -> DeviationFile:
    """Record what was found out."""
    act(RecordInvestigation(number=number, **dict(body)))
    return _file(ask, request, actor, number)


@router.post("/deviations/{number}/lots/{lot_number}/outcome", status_code=201, responses=answers(404))
def outcome(
    number: str,
    lot_number: str,
    body: Outcome,
    request: Request,
    actor: Actor = Depends(current_actor),
    act: Any = acting(decide_outcome),
    ask: Any = asking(),
) -> DeviationFile:
    """QA decides what becomes of a lot."""
    act(DecideOutcome(number=number, lot_number=lot_number, **dict(body)))
    return _file(ask, request, actor, number)


@router.post("/deviations/{number}/closure", status_code=201, responses=answers(404))
def closure(
    number: str,
    body: Closure,
    request: Request,
    actor: Actor = Depends(current_actor),
    act: Any = acting(close_deviation),
    ask: Any = asking(),
) -> DeviationFile:
    """QA closes it with a signature."""
    act(CloseDeviation(number=number, **dict(body)))
    return _file(ask, request, actor, number)


@router.post("/deviations/{number}/capa", status_code=201, responses=answers(404))
def new_action(
    number: str, body: PlanAction, request: Request, act: Any = acting(raise_capa), ask: Any = asking()
) -> CapaView:
    """Raise a corrective or preventive action."""
    made = act(RaiseCapa(deviation_number=number, **dict(body)))
    return ask(capa_numbered, made.number, site_of(request).today())  # type: ignore[no-any-return]


@router.get("/capa")
def list_actions(request: Request, overdue_only: bool = False, ask: Any = asking()) -> list[CapaView]:
    """Actions, what is due first, first."""
    return list(ask(find_capa, site_of(request).today(), overdue_only=overdue_only))


@router.post("/capa/{number}/completion", status_code=201, responses=answers(404))
def completion(
    number: str, body: Completion, request: Request, act: Any = acting(complete_capa), ask: Any = asking()
) -> CapaView:
    """Its owner says that it is done."""
    act(CompleteCapa(number=number, evidence=body.evidence, attachment=body.attachment))
    return ask(capa_numbered, number, site_of(request).today())  # type: ignore[no-any-return]


@router.post("/capa/{number}/check", status_code=201, responses=answers(404))
def check(number: str, body: Check, request: Request, act: Any = acting(check_capa), ask: Any = asking()) -> CapaView:
    """QA says whether it helped, with a signature."""
    act(CheckCapa(number=number, **dict(body)))
    return ask(capa_numbered, number, site_of(request).today())  # type: ignore[no-any-return]
