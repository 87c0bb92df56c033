"""Investigations of results out of specification, and alerts."""

# ruff: noqa: B008 - acting() and asking() are declarations that FastAPI reads, like Depends()

from typing import Any

from fastapi import APIRouter

from api.deps import RowId, acting, asking
from api.problems import answers
from api.rest.bodies import body_of, command_from
from domain.laboratory.control_queries import AlertView, alerts
from domain.laboratory.oos import (
    CHECKLIST,
    ConcludeOos,
    InvestigateLaboratory,
    ReviewManufacture,
    conclude_oos,
    investigate_laboratory,
    review_manufacture,
)
from domain.laboratory.oos_queries import OosView, investigations, oos_file
from domain.laboratory.oos_retests import (
    ApproveRetest,
    EnterRetest,
    PlanRetest,
    approve_retest,
    enter_retest,
    plan_retest,
)
from domain.laboratory.trends import AssessAlert, assess_alert

router = APIRouter(prefix="/api/v1", tags=["laboratory"], responses=answers(401, 403, 409, 422))

First: Any = body_of(InvestigateLaboratory, "oos_number")
Second: Any = body_of(ReviewManufacture, "oos_number")
Plan: Any = body_of(PlanRetest, "oos_number")
Signed: Any = body_of(ApproveRetest, "oos_number")
Retest: Any = body_of(EnterRetest, "oos_number")
Final: Any = body_of(ConcludeOos, "oos_number")
Assessment: Any = body_of(AssessAlert, "alert_id")


@router.get("/oos")
def list_oos(ask: Any = asking()) -> list[OosView]:
    """The newest investigations."""
    return ask(investigations)  # type: ignore[no-any-return]


@router.get("/oos-checklist")
def checklist(ask: Any = asking()) -> dict[str, str]:
    """The items of phase 1, all of which are answered."""
    return ask(lambda _session: CHECKLIST)  # type: ignore[no-any-return]


@router.get("/oos/{oos_number}", responses=answers(404))
def get_oos(oos_number: str, ask: Any = asking()) -> OosView:
    """An investigation with its phases, plan, retests and conclusion."""
    return ask(oos_file, oos_number)  # type: ignore[no-any-return]


@router.post("/oos/{oos_number}/laboratory", status_code=201, responses=answers(404))
def laboratory(oos_number: str, body: First, act: Any = acting(investigate_laboratory), ask: Any = asking()) -> OosView:
    """Phase 1: the checklist, and an assignable cause or none; signed."""
    act(command_from(InvestigateLaboratory, body, oos_number=oos_number))
    return ask(oos_file, oos_number)  # type: ignore[no-any-return]


@router.post("/oos/{oos_number}/production", status_code=201, responses=answers(404))
def production(oos_number: str, body: Second, act: Any = acting(review_manufacture), ask: Any = asking()) -> OosView:
    """Phase 2: production reviews the lot; signed."""
    act(command_from(ReviewManufacture, body, oos_number=oos_number))
    return ask(oos_file, oos_number)  # type: ignore[no-any-return]


@router.post("/oos/{oos_number}/retest-plan", status_code=201, responses=answers(404))
def plan(oos_number: str, body: Plan, act: Any = acting(plan_retest), ask: Any = asking()) -> OosView:
    """Fix number, sample and analysts of the retests; once."""
    act(command_from(PlanRetest, body, oos_number=oos_number))
    return ask(oos_file, oos_number)  # type: ignore[no-any-return]


@router.post("/oos/{oos_number}/retest-plan/approval", status_code=201, responses=answers(404))
def plan_approval(oos_number: str, body: Signed, act: Any = acting(approve_retest), ask: Any = asking()) -> OosView:
    """QA approves the plan; only then a retest is done."""
    act(command_from(ApproveRetest, body, oos_number=oos_number))
    return ask(oos_file, oos_number)  # type: ignore[no-any-return]


@router.post("/oos/{oos_number}/retests", status_code=201, responses=answers(404))
def retest(oos_number: str, body: Retest, act: Any = acting(enter_retest), ask: Any = asking()) -> OosView:
    """One planned retest, by an analyst of the plan."""
    act(command_from(EnterRetest, body, oos_number=oos_number))
    return ask(oos_file, oos_number)  # type: ignore[no-any-return]


@router.post("/oos/{oos_number}/conclusion", status_code=201, responses=answers(404))
def conclusion(oos_number: str, body: Final, act: Any = acting(conclude_oos), ask: Any = asking()) -> OosView:
    """QA concludes: confirmed, an error of the laboratory, or not confirmed; signed."""
    act(command_from(ConcludeOos, body, oos_number=oos_number))
    return ask(oos_file, oos_number)  # type: ignore[no-any-return]


@router.get("/alerts")
def list_alerts(ask: Any = asking()) -> list[AlertView]:
    """Results that pass, but are outside an alert limit or unlike those of earlier lots."""
    return ask(alerts)  # type: ignore[no-any-return]


@router.post("/alerts/{alert_id}/assessment", status_code=201, responses=answers(404))
def assessment(alert_id: RowId, body: Assessment, act: Any = acting(assess_alert)) -> dict[str, int]:
    """What the head of QC makes of an alert."""
    act(command_from(AssessAlert, body, alert_id=alert_id))
    return {"alert_id": alert_id}
