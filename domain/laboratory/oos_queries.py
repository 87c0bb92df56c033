"""Investigations of results out of specification as shown, phase by phase."""

import json
from datetime import datetime

from sqlmodel import Session, col, select

from domain.errors import NotFound, Reason
from domain.laboratory.models import Result, Sample
from domain.laboratory.oos_models import (
    Cause,
    Oos,
    OosConclusion,
    OosLaboratory,
    OosProduction,
    Outcome,
    RetestPlan,
    SampleFault,
)
from domain.laboratory.oos_records import approval_of, results_of, retests_of
from domain.laboratory.run_queries import MOST, FoundView, found_in, people_by_id
from domain.lots.models import Lot
from domain.work import View


class PhaseView(View):
    """Who did a phase, when, and what was found."""

    text: str
    by: str
    at: datetime


class RetestPlanView(View):
    """A retest plan; `approved_at` is empty until QA has signed it."""

    count: int
    analysts: tuple[str, ...]
    sample_number: str
    sample_fault: SampleFault | None
    reason: str
    proposed_by: str
    proposed_at: datetime
    approved_at: datetime | None


class OosView(View):
    """An investigation with its phases."""

    number: str
    lot_number: str
    sample_number: str
    test_code: str
    text: str
    opened_at: datetime
    stage: str
    results: tuple[FoundView, ...]
    checklist: dict[str, tuple[bool, str]]
    cause: Cause | None
    laboratory: PhaseView | None
    production: PhaseView | None
    plan: RetestPlanView | None
    retests: tuple[FoundView, ...]
    outcome: Outcome | None
    conclusion: PhaseView | None


def investigations(session: Session, number: str | None = None, lot_id: int | None = None) -> list[OosView]:
    """The newest investigations, the one, or those of a lot."""
    found = select(Oos, Lot, Sample).join(Lot, col(Oos.lot_id) == Lot.id).join(Sample, col(Oos.sample_id) == Sample.id)
    found = found.where(Oos.number == number) if number else found
    found = found.where(Oos.lot_id == lot_id) if lot_id else found
    rows = session.exec(found.order_by(col(Oos.id).desc()).limit(MOST)).all()
    names = people_by_id(session)
    return [_oos(session, names, *row) for row in rows]


def oos_file(session: Session, number: str) -> OosView:
    """One investigation. Raises NotFound."""
    if found := investigations(session, number):
        return found[0]
    raise NotFound(Reason("oos-not-found", f"there is no investigation {number!r}", "oos_number"))


def _oos(session: Session, names: dict[int, str], oos: Oos, lot: Lot, sample: Sample) -> OosView:
    first = session.exec(select(OosLaboratory).where(OosLaboratory.oos_id == oos.id)).first()
    second = session.exec(select(OosProduction).where(OosProduction.oos_id == oos.id)).first()
    plan = session.exec(select(RetestPlan).where(RetestPlan.oos_id == oos.id)).first()
    end = session.exec(select(OosConclusion).where(OosConclusion.oos_id == oos.id)).first()
    ids = results_of(session, oos)
    retests = [one.key for one in retests_of(session, oos)]
    shown = _plan(session, names, plan) if plan else None
    return OosView(
        **{name: getattr(oos, name) for name in ("number", "test_code", "text", "opened_at")},
        lot_number=lot.lot_number,
        sample_number=sample.number,
        stage=stage_of(first, second, shown, len(retests), end),
        results=tuple(view for _, view in found_in(session, names, col(Result.id).in_(ids))),
        checklist=json.loads(first.checklist) if first else {},
        cause=first.cause if first else None,
        laboratory=_phase(first.text, names, first.done_by, first.done_at) if first else None,
        production=_phase(second.text, names, second.done_by, second.done_at) if second else None,
        plan=shown,
        retests=tuple(view for _, view in found_in(session, names, col(Result.id).in_(retests))) if retests else (),
        outcome=end.outcome if end else None,
        conclusion=_phase(end.text, names, end.concluded_by, end.concluded_at) if end else None,
    )


def stage_of(
    first: OosLaboratory | None,
    second: OosProduction | None,
    plan: RetestPlanView | None,
    retests: int,
    end: OosConclusion | None,
) -> str:
    """What an investigation waits for."""
    if end is not None:
        return "concluded"
    if first is None:
        return "phase 1: laboratory"
    if first.cause is not Cause.NONE:
        return "conclusion by QA"
    if second is None:
        return "phase 2: review by production"
    if plan is not None and plan.approved_at is None:
        return "approval of the retest plan by QA"
    if plan is not None and retests < plan.count:
        return f"retests: {retests} of {plan.count} done"
    return "conclusion by QA"


def _phase(text: str, names: dict[int, str], by: int, at: datetime) -> PhaseView:
    return PhaseView(text=text, by=names.get(by, "?"), at=at)


def _plan(session: Session, names: dict[int, str], plan: RetestPlan) -> RetestPlanView:
    approval = approval_of(session, plan)
    return RetestPlanView(
        count=plan.count,
        analysts=tuple(names.get(one, "?") for one in json.loads(plan.analysts)),
        sample_number=session.get_one(Sample, plan.sample_id).number,
        sample_fault=plan.sample_fault,
        reason=plan.reason,
        proposed_by=names.get(plan.proposed_by, "?"),
        proposed_at=plan.proposed_at,
        approved_at=approval.approved_at if approval else None,
    )


def investigations_of(session: Session, lot_number: str) -> list[OosView]:
    """The investigations of a lot."""
    lot_id = session.exec(select(Lot.id).where(Lot.lot_number == lot_number)).first()
    return investigations(session, lot_id=lot_id) if lot_id else []
