"""Runs, investigations, sampling plans, inoculations and samples under control, as shown; and what of them waits for whom."""

import json
from datetime import date, datetime

from sqlmodel import Session, col, select

from domain.errors import NotFound, Reason
from domain.laboratory.control_models import (
    Cause,
    ContractReport,
    Custody,
    CustodyEvent,
    Growth,
    Inoculation,
    Oos,
    OosConclusion,
    OosLaboratory,
    OosProduction,
    Outcome,
    ReserveUse,
    RetestPlan,
    RunCheck,
    RunConclusion,
    SampleFault,
    SamplingPlan,
    SamplingPlanApproval,
    Stage,
    TestRun,
    TranscriptionCheck,
    TrendAlert,
    TrendAssessment,
    TrendKind,
)
from domain.laboratory.custody import chain_of, holder_of
from domain.laboratory.methods import Check, checks_of
from domain.laboratory.models import Method, Reserve, Result, Sample, SampleTest
from domain.laboratory.oos import approval_of, results_of, retests_of
from domain.laboratory.queries import all_lot_results
from domain.laboratory.results import sample_named
from domain.laboratory.sampling import STAGE_OF, overdue, plan_lines
from domain.laboratory.sterility import earliest_final, readings_of
from domain.laboratory.values import describe_value, load_value
from domain.laboratory.verdict import Verdict
from domain.lots.models import Lot, Product
from domain.people.models import User
from domain.people.operations import roles_held
from domain.permissions import Permission, permissions_of
from domain.work import View

MOST = 300


class RunCheckView(View):
    """A check of a run: what it must be, and what it gave."""

    name: str
    entered: str
    verdict: Verdict
    why: str


class FoundView(View):
    """A result in short."""

    result_id: int
    sample_number: str
    lot_number: str
    test_code: str
    value: str
    analyst: str
    finished_at: datetime


class RunView(View):
    """A run; `valid` is empty while nobody has concluded it."""

    number: str
    method: str
    test_code: str
    instrument: str
    started_at: datetime
    late: bool
    analyst: str
    comment: str
    valid: bool | None
    reasons: str
    finished_at: datetime | None
    wanted: tuple[Check, ...]
    checks: tuple[RunCheckView, ...]
    results: tuple[FoundView, ...]


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


class PlanLineView(View):
    """A line of a sampling plan."""

    position: int
    stage: Stage
    purpose: str
    quantity: str
    unit: str
    tests: tuple[str, ...]
    reserve: Reserve | None
    within_days: int | None
    storage: str


class SamplingPlanView(View):
    """A revision of a sampling plan; `approved_at` is empty while it is a draft."""

    code: str
    revision: int
    label: str
    product_code: str
    effective_from: date
    drafted_at: datetime
    approved_at: datetime | None
    lines: tuple[PlanLineView, ...]


class CustodyView(View):
    """A link of the chain of custody."""

    event: CustodyEvent
    to: str
    place: str
    comment: str
    happened_at: datetime
    late: bool
    by: str


class GrowthView(View):
    """A reading of the media."""

    seen: Growth
    subculture: bool
    comment: str
    read_at: datetime
    late: bool
    by: str


class InoculationView(View):
    """A slow test; `final` once it has its result. next_due: the day of the next reading."""

    sample_number: str
    lot_number: str
    method_code: str
    method: str
    test_code: str
    units: int | None
    media: str
    inoculated_at: datetime
    late: bool
    by: str
    earliest_final: datetime
    next_due: date
    final: bool
    readings: tuple[GrowthView, ...]


class SampleControl(View):
    """What is known of a sample beside its results."""

    tests: tuple[str, ...]
    reserve: Reserve | None
    reserve_opened: str
    holder: str
    custody: tuple[CustodyView, ...]
    inoculations: tuple[InoculationView, ...]


class AlertView(View):
    """A passing result that is odd; `assessment` is empty until somebody looked at it."""

    id: int
    lot_number: str
    test_code: str
    kind: TrendKind
    text: str
    opened_at: datetime
    assessment: str
    assessed_by: str


class TranscriptionView(View):
    """A figure of a contract laboratory that waits for its second person; the figure itself is not shown."""

    result_id: int
    sample_number: str
    lot_number: str
    test_code: str
    unit: str | None
    count: int
    laboratory: str
    accreditation: str
    report_number: str
    sha256: str


class ReportView(View):
    """The report of a contract laboratory."""

    laboratory: str
    accreditation: str
    report_number: str
    sha256: str
    received_on: date


class DueSample(View):
    """A sample that should have been taken."""

    lot_number: str
    purpose: str
    due: date


class StandingView(View):
    """How a lot stands against one of its specifications."""

    specification: str
    purpose: str
    market: str
    verdicts: dict[str, Verdict]
    final: bool


class LaboratoryWork(View):
    """What waits in the laboratory."""

    runs: tuple[RunView, ...]
    readings: tuple[InoculationView, ...]
    investigations: tuple[OosView, ...]
    alerts: tuple[AlertView, ...]
    transcriptions: tuple[TranscriptionView, ...]
    samples: tuple[DueSample, ...]


def laboratory_work(session: Session, today: date) -> LaboratoryWork:
    """Open runs, readings due today, open investigations and alerts, unchecked figures, samples overdue."""
    return LaboratoryWork(
        runs=tuple(one for one in runs(session) if one.valid is None),
        readings=tuple(one for one in inoculations(session, open_only=True) if one.next_due <= today),
        investigations=tuple(one for one in investigations(session) if one.outcome is None),
        alerts=tuple(one for one in alerts(session) if not one.assessment),
        transcriptions=tuple(transcriptions(session)),
        samples=tuple(
            DueSample(lot_number=lot.lot_number, purpose=line.purpose, due=due)
            for lot, line, due in overdue(session, today)
        ),
    )


def runs(session: Session, number: str | None = None) -> list[RunView]:
    """The newest runs, or the one."""
    found = (
        select(TestRun, Method, RunConclusion)
        .join(Method, col(TestRun.method_id) == Method.id)
        .outerjoin(RunConclusion, col(RunConclusion.run_id) == TestRun.id)
        .order_by(col(TestRun.id).desc())
        .limit(MOST)
    )
    rows: list[tuple[TestRun, Method, RunConclusion | None]] = list(
        session.exec(found.where(TestRun.number == number) if number else found).all()
    )
    names, ids = _names(session), [run.key for run, *_ in rows]
    checks = session.exec(select(RunCheck).where(col(RunCheck.run_id).in_(ids)).order_by(col(RunCheck.id))).all()
    results = _found(session, names, col(Result.run_id).in_(ids), col(Result.formula).is_(None))
    return [
        RunView(
            **{name: getattr(run, name) for name in ("number", "instrument", "started_at", "late", "comment")},
            method=method.label,
            test_code=method.test_code,
            analyst=names.get(run.analyst_id, "?"),
            valid=end.valid if end else None,
            reasons=end.reasons if end else "",
            finished_at=end.finished_at if end else None,
            wanted=checks_of(method),
            checks=tuple(RunCheckView.model_validate(one) for one in checks if one.run_id == run.id),
            results=tuple(view for row, view in results if row.run_id == run.id),
        )
        for run, method, end in rows
    ]


def run_file(session: Session, number: str) -> RunView:
    """One run. Raises NotFound."""
    if found := runs(session, number):
        return found[0]
    raise NotFound(Reason("run-not-found", f"there is no run {number!r}", "run_number"))


def _found(session: Session, names: dict[int, str], *conditions: object) -> list[tuple[Result, FoundView]]:
    rows = session.exec(
        select(Result, Sample, Lot)
        .join(Sample, col(Result.sample_id) == Sample.id)
        .join(Lot, col(Sample.lot_id) == Lot.id)
        .where(*conditions)  # type: ignore[arg-type]
        .order_by(col(Result.id))
    ).all()
    return [
        (
            result,
            FoundView(
                result_id=result.key,
                sample_number=sample.number,
                lot_number=lot.lot_number,
                test_code=result.test_code,
                value=describe_value(load_value(result.value))[0],
                analyst=names.get(result.analyst_id, "?"),
                finished_at=result.finished_at,
            ),
        )
        for result, sample, lot in rows
    ]


def investigations(session: Session, number: str | None = None, lot_id: int | None = None) -> list[OosView]:
    """The newest investigations, the one, or those of a lot."""
    found = select(Oos, Lot, Sample).join(Lot, col(Oos.lot_id) == Lot.id).join(Sample, col(Oos.sample_id) == Sample.id)
    found = found.where(Oos.number == number) if number else found
    found = found.where(Oos.lot_id == lot_id) if lot_id else found
    rows = session.exec(found.order_by(col(Oos.id).desc()).limit(MOST)).all()
    names = _names(session)
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
        results=tuple(view for _, view in _found(session, names, col(Result.id).in_(ids))),
        checklist=json.loads(first.checklist) if first else {},
        cause=first.cause if first else None,
        laboratory=_phase(first.text, names, first.done_by, first.done_at) if first else None,
        production=_phase(second.text, names, second.done_by, second.done_at) if second else None,
        plan=shown,
        retests=tuple(view for _, view in _found(session, names, col(Result.id).in_(retests))) if retests else (),
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


def sampling_plans(session: Session) -> list[SamplingPlanView]:
    """Every revision, newest first."""
    found = (
        select(SamplingPlan, Product.code, SamplingPlanApproval)
        .join(Product, col(SamplingPlan.product_id) == Product.id)
        .outerjoin(SamplingPlanApproval, col(SamplingPlanApproval.plan_id) == SamplingPlan.id)
        .order_by(SamplingPlan.code, col(SamplingPlan.revision).desc())
        .limit(MOST)
    )
    rows: list[tuple[SamplingPlan, str, SamplingPlanApproval | None]] = list(session.exec(found).all())
    return [
        SamplingPlanView(
            **{name: getattr(one, name) for name in ("code", "revision", "label", "effective_from", "drafted_at")},
            product_code=product,
            approved_at=approval.approved_at if approval else None,
            lines=tuple(
                PlanLineView(
                    **line.model_dump(include=set(PlanLineView.model_fields) - {"tests"}), tests=json.loads(line.tests)
                )
                for line in plan_lines(session, one.key)
            ),
        )
        for one, product, approval in rows
    ]


def sampling_plan_file(session: Session, code: str, revision: int) -> SamplingPlanView:
    """One revision. Raises NotFound."""
    for one in sampling_plans(session):
        if (one.code, one.revision) == (code, revision):
            return one
    raise NotFound(Reason("plan-not-found", f"there is no sampling plan {code} v{revision}", "code"))


def inoculations(session: Session, *, sample_id: int | None = None, open_only: bool = False) -> list[InoculationView]:
    """Slow tests, newest first."""
    found = (
        select(Inoculation, Sample, Lot, Method, Result)  # type: ignore[call-overload]
        .join(Sample, col(Inoculation.sample_id) == Sample.id)
        .join(Lot, col(Sample.lot_id) == Lot.id)
        .join(Method, col(Inoculation.method_id) == Method.id)
        .outerjoin(Result, col(Result.inoculation_id) == Inoculation.id)
        .order_by(col(Inoculation.id).desc())
        .limit(MOST)
    )
    found = found.where(Inoculation.sample_id == sample_id) if sample_id is not None else found
    found = found.where(col(Result.id).is_(None)) if open_only else found
    names = _names(session)
    return [_inoculation(session, names, *row) for row in session.exec(found)]


def _inoculation(
    session: Session,
    names: dict[int, str],
    begun: Inoculation,
    sample: Sample,
    lot: Lot,
    method: Method,
    result: Result | None,
) -> InoculationView:
    readings = readings_of(session, begun)
    earliest = earliest_final(session, begun, method, readings)
    last = readings[-1].read_at if readings else begun.inoculated_at
    due = last.date().toordinal() + (method.read_every_days or method.minimum_days or 1)
    return InoculationView(
        **{name: getattr(begun, name) for name in ("units", "media", "inoculated_at", "late")},
        sample_number=sample.number,
        lot_number=lot.lot_number,
        method_code=method.code,
        method=method.label,
        test_code=method.test_code,
        by=names.get(begun.inoculated_by, "?"),
        earliest_final=earliest,
        next_due=min(date.fromordinal(due), max(earliest.date(), last.date())),
        final=result is not None,
        readings=tuple(
            GrowthView(
                **{name: getattr(one, name) for name in ("seen", "subculture", "comment", "read_at", "late")},
                by=names.get(one.read_by, "?"),
            )
            for one in readings
        ),
    )


def sample_control(session: Session, number: str) -> SampleControl:
    """Tests, reserve, custody and slow tests of a sample. Raises NotFound."""
    sample, names = sample_named(session, number), _names(session)
    chain = chain_of(session, sample)
    holder = holder_of(sample, chain)
    opened = session.exec(select(ReserveUse).where(ReserveUse.sample_id == sample.id)).first()
    tests = select(SampleTest.test_code).where(SampleTest.sample_id == sample.id).order_by(col(SampleTest.id))
    return SampleControl(
        tests=tuple(session.exec(tests)),
        reserve=sample.reserve,
        reserve_opened=opened.reason if opened else "",
        holder=names.get(holder, "?") if holder is not None else _whereabouts(chain, names),
        custody=tuple(_link(one, names) for one in chain),
        inoculations=tuple(inoculations(session, sample_id=sample.id)),
    )


def _whereabouts(chain: list[Custody], names: dict[int, str]) -> str:
    last = chain[-1]
    if last.event is CustodyEvent.HANDED_OVER:
        return f"on the way to {names.get(last.to_user_id or 0, last.to_name)}"
    return last.place or "used up"


def _link(one: Custody, names: dict[int, str]) -> CustodyView:
    return CustodyView(
        **{name: getattr(one, name) for name in ("event", "place", "comment", "happened_at", "late")},
        to=names.get(one.to_user_id, "?") if one.to_user_id else one.to_name,
        by=names.get(one.recorded_by, "?"),
    )


def alerts(session: Session) -> list[AlertView]:
    """The newest alerts; those of results that were corrected are void, and left out."""
    replaced = select(Result.replaces_id).where(col(Result.replaces_id).is_not(None))
    found = (
        select(TrendAlert, Result, Lot, TrendAssessment)
        .join(Result, col(TrendAlert.result_id) == Result.id)
        .join(Lot, col(TrendAlert.lot_id) == Lot.id)
        .outerjoin(TrendAssessment, col(TrendAssessment.alert_id) == TrendAlert.id)
        .where(col(Result.id).not_in(replaced))
        .order_by(col(TrendAlert.id).desc())
        .limit(MOST)
    )
    names = _names(session)
    rows: list[tuple[TrendAlert, Result, Lot, TrendAssessment | None]] = list(session.exec(found).all())
    return [
        AlertView(
            **{name: getattr(one, name) for name in ("id", "kind", "text", "opened_at")},
            lot_number=lot.lot_number,
            test_code=result.test_code,
            assessment=looked.text if looked else "",
            assessed_by=names.get(looked.assessed_by, "?") if looked else "",
        )
        for one, result, lot, looked in rows
    ]


def transcriptions(session: Session, result_id: int | None = None) -> list[TranscriptionView]:
    """Figures of contract laboratories that nobody has typed again."""
    replaced = select(Result.replaces_id).where(col(Result.replaces_id).is_not(None))
    found = (
        select(Result, Sample, Lot, ContractReport)
        .join(Sample, col(Result.sample_id) == Sample.id)
        .join(Lot, col(Sample.lot_id) == Lot.id)
        .join(ContractReport, col(Result.report_id) == ContractReport.id)
        .outerjoin(TranscriptionCheck, col(TranscriptionCheck.result_id) == Result.id)
        .where(col(TranscriptionCheck.id).is_(None), col(Result.id).not_in(replaced))
        .order_by(col(Result.id))
        .limit(MOST)
    )
    found = found.where(Result.id == result_id) if result_id is not None else found
    facts = ("laboratory", "accreditation", "report_number", "sha256")
    return [
        TranscriptionView(
            **{name: getattr(report, name) for name in facts},
            result_id=result.key,
            sample_number=sample.number,
            lot_number=lot.lot_number,
            test_code=result.test_code,
            unit=result.unit,
            count=len(json.loads(result.replicates)),
        )
        for result, sample, lot, report in session.exec(found)
    ]


def transcription(session: Session, result_id: int) -> TranscriptionView:
    """The one that waits. Raises NotFound."""
    if found := transcriptions(session, result_id):
        return found[0]
    raise NotFound(Reason("result-not-found", f"result {result_id} waits for no transcription check", "result_id"))


def reports(session: Session) -> list[ReportView]:
    """The newest reports of contract laboratories."""
    found = session.exec(select(ContractReport).order_by(col(ContractReport.id).desc()).limit(MOST))
    return [ReportView.model_validate(one) for one in found]


def standing(session: Session, lot_number: str) -> list[StandingView]:
    """How a lot stands against each of its specifications, the primary one first. Raises NotFound."""
    lot = session.exec(select(Lot).where(Lot.lot_number == lot_number)).first()
    if lot is None:
        raise NotFound(Reason("lot-not-found", f"there is no lot {lot_number!r}", "lot_number"))
    return [
        StandingView(
            specification=one.specification.label,
            purpose=one.specification.purpose,
            market=one.specification.market or "",
            verdicts={line.test.code: line.judgement.verdict for line in one.lines},
            final=not one.not_final(),
        )
        for one in all_lot_results(session, lot.key)
        if one.specification is not None
    ]


def investigations_of(session: Session, lot_number: str) -> list[OosView]:
    """The investigations of a lot."""
    lot_id = session.exec(select(Lot.id).where(Lot.lot_number == lot_number)).first()
    return investigations(session, lot_id=lot_id) if lot_id else []


def _names(session: Session) -> dict[int, str]:
    return dict(session.exec(select(User.id, User.name)).all())  # type: ignore[arg-type]


def analysts(session: Session) -> list[tuple[str, str]]:
    """Username and name of everybody who may enter results now."""
    users = session.exec(select(User).where(col(User.active).is_(True)).order_by(User.name)).all()
    able = (one for one in users if Permission.ENTER_RESULT in permissions_of(roles_held(session, one.key)))
    return [(one.username, one.name) for one in able]


def open_runs(session: Session, method_code: str) -> list[str]:
    """Numbers of the runs of a method that are not concluded, newest first."""
    found = (
        select(TestRun.number)
        .join(Method, col(TestRun.method_id) == Method.id)
        .outerjoin(RunConclusion, col(RunConclusion.run_id) == TestRun.id)
        .where(Method.code == method_code, col(RunConclusion.id).is_(None))
    )
    return list(session.exec(found.order_by(col(TestRun.id).desc()).limit(50)))


def is_planned(session: Session, lot_number: str) -> bool:
    """Whether an approved sampling plan can be asked of the lot: of its own product, or any at all where it is of none yet."""
    lot = session.exec(select(Lot).where(Lot.lot_number == lot_number)).first()
    if lot is None or lot.kind not in STAGE_OF:
        return False
    approved = select(SamplingPlan.id).join(SamplingPlanApproval, col(SamplingPlanApproval.plan_id) == SamplingPlan.id)
    if lot.product_id is not None:
        approved = approved.where(SamplingPlan.product_id == lot.product_id)
    return session.exec(approved.limit(1)).first() is not None
