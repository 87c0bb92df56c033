"""Sampling plans, and what happened to a sample: custody, inoculation, growth."""

import json
from datetime import date, datetime

from sqlmodel import Session, col, select

from domain.errors import NotFound, Reason
from domain.laboratory.control_models import (
    Custody,
    CustodyEvent,
    Growth,
    Inoculation,
    ReserveUse,
    SamplingPlan,
    SamplingPlanApproval,
    Stage,
)
from domain.laboratory.custody import chain_of, holder_of
from domain.laboratory.models import Method, Reserve, Result, Sample, SampleTest
from domain.laboratory.run_queries import MOST, people_by_id
from domain.laboratory.samples import sample_named
from domain.laboratory.sampling import STAGE_OF, plan_lines
from domain.laboratory.sterility import earliest_final, readings_of
from domain.lots.models import Lot, Product
from domain.work import View


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
    names = people_by_id(session)
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
    sample, names = sample_named(session, number), people_by_id(session)
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


def is_planned(session: Session, lot_number: str) -> bool:
    """Whether an approved sampling plan can be asked of the lot: of its own product, or any at all where it is of none yet."""
    lot = session.exec(select(Lot).where(Lot.lot_number == lot_number)).first()
    if lot is None or lot.kind not in STAGE_OF:
        return False
    approved = select(SamplingPlan.id).join(SamplingPlanApproval, col(SamplingPlanApproval.plan_id) == SamplingPlan.id)
    if lot.product_id is not None:
        approved = approved.where(SamplingPlan.product_id == lot.product_id)
    return session.exec(approved.limit(1)).first() is not None
