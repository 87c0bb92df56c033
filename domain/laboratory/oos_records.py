"""The records of an investigation, as its acts ask for them."""

import json
from datetime import datetime
from typing import TypeVar

from pydantic import Field
from sqlmodel import Session, col, select

from domain.errors import Conflict, Forbidden, Invalid, NotFound, Reason, Refused
from domain.laboratory.models import Result
from domain.laboratory.oos_models import (
    Oos,
    OosConclusion,
    OosLaboratory,
    OosProduction,
    OosResult,
    RetestApproval,
    RetestPlan,
)
from domain.laboratory.queries import worth_of
from domain.laboratory.reviewing import analysts_of
from domain.lots.models import Lot
from domain.work import Work

Why = Field(min_length=10, max_length=4000)


def open_investigation(work: Work, number: str) -> Oos:
    """An investigation that is not concluded; its lot is locked until the act is over. Raises NotFound, Conflict."""
    oos = work.session.exec(select(Oos).where(Oos.number == number)).first()
    if oos is None:
        raise NotFound(Reason("oos-not-found", f"there is no investigation {number!r}", "oos_number"))
    work.session.exec(select(Lot).where(Lot.id == oos.lot_id).with_for_update()).one()
    if conclusion_of(work.session, oos) is not None:
        raise Conflict(Reason("oos-concluded", f"{number} is concluded"))
    return oos


def phase_one_of(session: Session, oos: Oos) -> OosLaboratory:
    if phase := record_of(session, OosLaboratory, oos):
        return phase
    raise Refused(Reason("phase-missing", f"phase 1 of {oos.number}, the laboratory's own, is not done"))


PhaseT = TypeVar("PhaseT", OosLaboratory, OosProduction, RetestPlan)


def record_of(session: Session, kind: type[PhaseT], oos: Oos) -> PhaseT | None:
    return session.exec(select(kind).where(kind.oos_id == oos.id)).first()


def conclusion_of(session: Session, oos: Oos) -> OosConclusion | None:
    """QA's conclusion, if there is one."""
    return session.exec(select(OosConclusion).where(OosConclusion.oos_id == oos.id)).first()


def approval_of(session: Session, plan: RetestPlan) -> RetestApproval | None:
    """QA's approval of a retest plan."""
    return session.exec(select(RetestApproval).where(RetestApproval.plan_id == plan.id)).first()


def results_of(session: Session, oos: Oos) -> list[int]:
    """Ids of the results under investigation; the first is the one that was measured."""
    found = select(OosResult.result_id).where(OosResult.oos_id == oos.id)
    return list(session.exec(found.order_by(col(OosResult.id))))


def retests_of(session: Session, oos: Oos) -> list[Result]:
    """The retests that count towards the plan: measured, newest correction, not of an invalid run."""
    replaced = select(Result.replaces_id).where(col(Result.replaces_id).is_not(None))
    rows = session.exec(
        select(Result)
        .where(Result.oos_id == oos.id, col(Result.formula).is_(None), col(Result.id).not_in(replaced))
        .order_by(col(Result.id))
    ).all()
    invalid = worth_of(session, oos.lot_id).invalid
    return [row for row in rows if row.id not in invalid]


def refuse_outside_plan(work: Work, number: str, started_at: datetime) -> tuple[Oos, RetestPlan]:
    """The open investigation and its approved plan, for one of its analysts and a test begun after it. Raises Refused, Forbidden or Invalid."""
    oos = open_investigation(work, number)
    plan = record_of(work.session, RetestPlan, oos)
    approval = approval_of(work.session, plan) if plan else None
    if plan is None or approval is None:
        raise Refused(Reason("retest-unplanned", f"{oos.number} has no retest plan that QA approved"))
    if work.actor.user_id not in json.loads(plan.analysts):
        raise Forbidden(Reason("not-in-the-plan", f"{work.actor.name} is not an analyst of the retest plan"))
    if started_at < approval.approved_at:
        raise Invalid(Reason("before-the-plan", "a retest starts after QA approved its plan", "started_at"))
    return oos, plan


def first_analysts(session: Session, oos: Oos) -> set[int]:
    found: set[int] = set()
    for result_id in results_of(session, oos):
        found |= analysts_of(session, session.get_one(Result, result_id))
    return found
