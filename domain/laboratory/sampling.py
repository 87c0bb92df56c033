"""Sampling plans: what is taken of a product and of what it is made of, for which tests or as what reserve (ICH Q7 11.3; 21 CFR 211.160, 211.170)."""

import json
from collections.abc import Iterator
from datetime import date, timedelta

from pydantic import AwareDatetime, Field
from sqlmodel import Session, col, select

from domain.errors import Conflict, Invalid, NotFound, Reason, Refused, refuse_if_any
from domain.laboratory.catalogue import test as catalogue_test
from domain.laboratory.control_models import (
    LotSamplingPlan,
    ReserveUse,
    SamplingPlan,
    SamplingPlanApproval,
    SamplingPlanLine,
    Stage,
)
from domain.laboratory.models import Reserve, Result, Sample, SampleTest
from domain.laboratory.samples import Taken, draw, effective_plan, sample_named
from domain.laboratory.sterility import STERILITY, units_needed
from domain.lots.genealogy import ancestor_ids
from domain.lots.models import Lot, LotKind, LotState, Product
from domain.lots.operations import COUNTED, Amount, lot_named, positive
from domain.manufacturing.ending import add_months
from domain.permissions import Permission
from domain.signatures import Credentials, Meaning, sign
from domain.work import Command, Work, operation

K = LotKind
#: The kinds of lots that are sampled at each stage.
KINDS: dict[Stage, tuple[LotKind, ...]] = {
    Stage.DONOR: (K.DONATION,),
    Stage.BANK: (K.MASTER_CELL_BANK, K.WORKING_CELL_BANK),
    Stage.HARVEST: (K.HARVEST,),
    Stage.BULK: (K.PURIFIED_BULK, K.POOLED_BULK, K.FORMULATED_BULK),
    Stage.FINAL: (K.DRUG_PRODUCT,),
}
STAGE_OF = {kind: stage for stage, kinds in KINDS.items() for kind in kinds}


class PlanLine(Command):
    """One sample: for tests, or as a reserve. within_days: after the lot was made."""

    stage: Stage
    purpose: str = Field(min_length=2, max_length=60)
    quantity: Amount
    tests: tuple[str, ...] = Field(default=(), max_length=60)
    reserve: Reserve | None = None
    within_days: int | None = Field(default=None, ge=0, le=365)
    storage: str = Field(default="", max_length=120)


class DraftSamplingPlan(Command):
    """Write the sampling plan of a product, or its next revision."""

    code: str = Field(pattern=r"^[A-Z0-9][A-Z0-9.-]{1,29}$", examples=["SP-AD-EV-100"])
    product_code: str
    effective_from: date
    lines: tuple[PlanLine, ...] = Field(min_length=1, max_length=60)


class ApproveSamplingPlan(Command):
    """QA approves a revision with a signature."""

    code: str
    revision: int
    credentials: Credentials


class DrawByPlan(Command):
    """Take every sample of the lot's stage that the plan asks for and nobody has taken. plan_code: for lots that are of no product yet."""

    lot_number: str
    plan_code: str | None = None
    taken_at: AwareDatetime | None = None
    comment: str = Field(default="", max_length=1000)


class OpenReserve(Command):
    """Say why a retention or stability unit is tested after all. timepoint_months: of a stability unit, after how many months it was taken out."""

    sample_number: str
    reason: str = Field(min_length=10, max_length=1000)
    timepoint_months: int | None = Field(default=None, ge=0, le=120)


@operation(Permission.DRAFT_SPECIFICATION)
def draft_sampling_plan(work: Work, command: DraftSamplingPlan) -> SamplingPlan:
    """A line that says neither what it is for nor what it is kept for cannot be drafted."""
    product = work.session.exec(select(Product).where(Product.code == command.product_code)).first()
    if product is None:
        raise NotFound(Reason("product-not-found", f"there is no product {command.product_code!r}", "product_code"))
    of_code = select(SamplingPlan).where(SamplingPlan.code == command.code)
    earlier = work.session.exec(of_code.order_by(col(SamplingPlan.revision).desc())).first()
    if earlier is not None and earlier.product_id != product.id:
        raise Conflict(Reason("plan-of-other-product", f"{command.code} belongs to another product", "code"))
    plan = work.add(
        SamplingPlan(
            code=command.code,
            revision=earlier.revision + 1 if earlier else 1,
            product_id=product.key,
            effective_from=command.effective_from,
            drafted_at=work.now,
            drafted_by=work.actor.person,
        )
    )
    for position, line in enumerate(command.lines, 1):
        work.add(_line(plan, position, line))
    return plan


def _line(plan: SamplingPlan, position: int, line: PlanLine) -> SamplingPlanLine:
    field = f"lines.{position - 1}"
    quantity = positive(line.quantity, line.quantity.unit, f"{field}.quantity")
    if bool(line.tests) == (line.reserve is not None):
        text = "a sample is either for tests or kept as a reserve: name the tests, or what it is kept for"
        raise Invalid(Reason("purpose-needed", text, f"{field}.tests"))
    for code in line.tests:
        if catalogue_test(code).derived is not None:
            raise Invalid(
                Reason("test-is-derived", f"{code} is calculated; no sample is taken for it", f"{field}.tests")
            )
    return SamplingPlanLine(
        plan_id=plan.key,
        position=position,
        stage=line.stage,
        purpose=line.purpose,
        quantity=format(quantity, "f"),
        unit=line.quantity.unit,
        tests=json.dumps(list(dict.fromkeys(line.tests))),
        reserve=line.reserve,
        within_days=line.within_days,
        storage=line.storage,
    )


@operation(Permission.APPROVE_SPECIFICATION)
def approve_sampling_plan(work: Work, command: ApproveSamplingPlan) -> SamplingPlanApproval:
    """Nobody approves what they drafted."""
    found = select(SamplingPlan).where(SamplingPlan.code == command.code, SamplingPlan.revision == command.revision)
    plan = work.session.exec(found).first()
    if plan is None:
        text = f"there is no sampling plan {command.code} v{command.revision}"
        raise NotFound(Reason("plan-not-found", text, "code"))
    if plan.drafted_by == work.actor.user_id:
        raise Refused(Reason("not-by-same-person", f"{work.actor.name} drafted {plan.label} and so may not approve it"))
    approved = select(SamplingPlanApproval.id).where(SamplingPlanApproval.plan_id == plan.id)
    if work.session.exec(approved).first() is not None:
        raise Conflict(Reason("approved-already", f"{plan.label} is approved already"))
    lines = [one.model_dump(mode="json", exclude={"id", "version"}) for one in plan_lines(work.session, plan.key)]
    content = {"plan": plan.label, "effective_from": plan.effective_from.isoformat(), "lines": lines}
    signature = sign(work, plan, content, Meaning.APPROVED, command.credentials)
    return work.add(SamplingPlanApproval(plan_id=plan.key, signature_id=signature.key, approved_at=work.now))


def plan_lines(session: Session, plan_id: int) -> list[SamplingPlanLine]:
    """The lines in their order."""
    found = select(SamplingPlanLine).where(SamplingPlanLine.plan_id == plan_id)
    return list(session.exec(found.order_by(col(SamplingPlanLine.position))))


@operation(Permission.DRAW_SAMPLE)
def draw_by_plan(work: Work, command: DrawByPlan) -> list[Sample]:
    """Each line becomes a sample that knows its tests; reserves leave the lot too, and are kept."""
    lot = lot_named(work, command.lot_number)
    plan = _plan_for(work, lot, command.plan_code)
    stage = STAGE_OF.get(lot.kind)
    wanted = [one for one in plan_lines(work.session, plan.key) if one.stage is stage]
    done = set(work.session.exec(select(Sample.plan_line_id).where(Sample.lot_id == lot.id)))
    lines = [one for one in wanted if one.id not in done]
    if not lines:
        text = f"{plan.label} asks for no further sample of {lot.kind.value} lot {lot.lot_number}"
        raise Conflict(Reason("nothing-to-draw", text, "lot_number"))
    if reasons := list(_too_few_units(lot, lines)):
        raise Refused(*reasons)
    return [
        draw(
            work,
            lot,
            Taken(
                Amount(value=line.quantity, unit=line.unit),
                line.purpose,
                command.taken_at or work.now,
                command.comment,
                line.id,
                line.reserve,
                tuple(json.loads(line.tests)),
            ),
        )
        for line in lines
    ]


def _plan_for(work: Work, lot: Lot, code: str | None) -> SamplingPlan:
    plan: SamplingPlan | None = None
    if pinned := work.session.exec(select(LotSamplingPlan).where(LotSamplingPlan.lot_id == lot.id)).first():
        plan = work.session.get_one(SamplingPlan, pinned.plan_id)
    elif lot.product_id is not None:
        plan = effective_plan(work.session, lot.product_id, work.today)
    elif code is not None:
        products = select(SamplingPlan.product_id).where(SamplingPlan.code == code)
        product_id = work.session.exec(products).first()
        plan = effective_plan(work.session, product_id, work.today) if product_id is not None else None
    if plan is None or (code is not None and plan.code != code):
        text = f"no approved sampling plan {code or ''} is in force for lot {lot.lot_number}".replace("  ", " ")
        raise NotFound(Reason("plan-not-found", text, "plan_code"))
    return plan


def _too_few_units(lot: Lot, lines: list[SamplingPlanLine]) -> Iterator[Reason]:
    """USP <71>, table 3: the number of containers follows from the size of the lot."""
    if lot.unit not in COUNTED or lot.quantity is None or STAGE_OF.get(lot.kind) is not Stage.FINAL:
        return
    needed = units_needed(lot.quantity)
    for line in lines:
        if STERILITY & set(json.loads(line.tests)) and line.unit == lot.unit and float(line.quantity) < needed:
            text = f"{line.purpose}: a lot of {lot.quantity:f} needs {needed} containers for sterility, the plan takes {line.quantity}"
            yield Reason("too-few-units", text, "lot_number")


@operation(Permission.REVIEW_RESULT)
def open_reserve(work: Work, command: OpenReserve) -> ReserveUse:
    """Once a sample; from then on it can be tested."""
    sample = sample_named(work.session, command.sample_number)
    if sample.reserve is None:
        raise Invalid(Reason("not-a-reserve", f"sample {sample.number} is for testing anyway", "sample_number"))
    if work.session.exec(select(ReserveUse.id).where(ReserveUse.sample_id == sample.id)).first() is not None:
        raise Conflict(Reason("reserve-open", f"sample {sample.number} may be tested already", "sample_number"))
    refuse_if_any(_against_timepoint(work, sample, command.timepoint_months))
    return work.add(
        ReserveUse(
            sample_id=sample.key,
            reason=command.reason,
            opened_at=work.now,
            opened_by=work.actor.person,
            timepoint_months=command.timepoint_months,
        )
    )


#: A unit may be taken out this much before its timepoint.
EARLY = timedelta(days=14)


def _against_timepoint(work: Work, sample: Sample, months: int | None) -> Iterator[Reason]:
    """What is found of a stability unit speaks of the time that it was kept: after the release it must say of which."""
    lot = work.session.get_one(Lot, sample.lot_id)
    if months is None:
        if sample.reserve is Reserve.STABILITY and LotState.RELEASED in (lot.state, lot.held_from):
            text = f"lot {lot.lot_number} is released: say at which timepoint of its stability the unit is tested"
            yield Reason("timepoint-needed", text, "timepoint_months")
    elif sample.reserve is not Reserve.STABILITY:
        yield Reason("not-for-stability", f"sample {sample.number} is not kept for stability", "timepoint_months")
    elif lot.manufactured_on is None or add_months(lot.manufactured_on, months) - EARLY > work.today:
        text = f"lot {lot.lot_number} was made on {lot.manufactured_on}: it has not been kept for {months} months yet"
        yield Reason("timepoint-not-reached", text, "timepoint_months")


def why_not_fulfilled(session: Session, lot: Lot) -> Iterator[Reason]:
    """What the pinned plan of a drug product asks for, of the lot and of what it is made of, and nobody has taken."""
    pinned = session.exec(select(LotSamplingPlan).where(LotSamplingPlan.lot_id == lot.id)).first()
    if pinned is None:
        return
    plan = session.get_one(SamplingPlan, pinned.plan_id)
    ids = [lot.key, *ancestor_ids(session, lot.key)]
    lots = session.exec(select(Lot).where(col(Lot.id).in_(ids)).order_by(Lot.lot_number)).all()
    for line in plan_lines(session, plan.key):
        for one in lots:
            if one.kind in KINDS[line.stage] and not _taken(session, one, line):
                text = f"{plan.label}: {line.purpose} of {one.kind.value} lot {one.lot_number} was not taken"
                yield Reason("sample-missing", text, one.lot_number, about=("lot", one.lot_number))


def _taken(session: Session, lot: Lot, line: SamplingPlanLine) -> bool:
    """By this line, by a line of another plan that serves the same purpose, or by hand with every result there."""
    samples = session.exec(select(Sample).where(Sample.lot_id == lot.id)).all()
    if any(one.plan_line_id == line.id for one in samples):
        return True
    if line.reserve is not None:
        return any(one.reserve is line.reserve for one in samples)
    ids = [one.key for one in samples]
    meant = set(session.exec(select(SampleTest.test_code).where(col(SampleTest.sample_id).in_(ids))))
    found = set(session.exec(select(Result.test_code).where(col(Result.sample_id).in_(ids))))
    final = STAGE_OF[lot.kind] is Stage.FINAL
    return set(json.loads(line.tests)) <= (meant if final else meant | found)


def overdue(session: Session, today: date) -> list[tuple[Lot, SamplingPlanLine, date]]:
    """Samples of drug products that should have been taken by now: lot, line, and the last day."""
    open_lots = session.exec(
        select(Lot).where(
            Lot.kind == LotKind.DRUG_PRODUCT,
            col(Lot.state).in_((LotState.QUARANTINE, LotState.UNDER_TEST, LotState.ON_HOLD)),
            col(Lot.manufactured_on).is_not(None),
        )
    ).all()
    late = []
    for lot in open_lots:
        assert lot.product_id is not None
        assert lot.manufactured_on is not None
        plan = effective_plan(session, lot.product_id, today)
        for line in plan_lines(session, plan.key) if plan else ():
            if line.stage is not Stage.FINAL or line.within_days is None:
                continue
            due = lot.manufactured_on + timedelta(days=line.within_days)
            if due < today and not _taken(session, lot, line):
                late.append((lot, line, due))
    return late
