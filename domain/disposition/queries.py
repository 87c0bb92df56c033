"""Everything about one lot on one page, and what waits for whom."""

import json
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
import sqlalchemy.orm
from sqlmodel import Session, col, select

from domain.certificates.queries import certificates_of
from domain.certificates.words import RevisionCause
from domain.disposition import guards
from domain.disposition.late import outstanding
from domain.disposition.readiness import Action, told
from domain.disposition.signing import needed_for, signatures_shown
from domain.errors import NotFound, Reason
from domain.laboratory.catalogue import test as catalogue_test
from domain.laboratory.doors import stability_taken
from domain.laboratory.models import (
    LotSpecification,
    Purpose,
    Result,
    ResultReview,
    ReviewOutcome,
    Sample,
    SpecificationLine,
)
from domain.laboratory.queries import (
    Finding,
    LotResults,
    lot_results,
    release_results,
    specifications_of,
    stability_results,
)
from domain.laboratory.values import describe_value, load_value
from domain.laboratory.verdict import CriterionKind, Verdict, describe
from domain.lots.awaiting import awaited_of, may_come_late, open_conditions, still_awaited
from domain.lots.lifecycle import RULES, Case, blockers, state_on
from domain.lots.models import INPUT_KINDS, Consumption, Lot, LotKind, LotMove, LotState, Product, Yield
from domain.lots.queries import LotRow, ProductView, find_lots, lot_row
from domain.manufacturing.models import Reading, Step
from domain.people.models import User
from domain.permissions import Permission
from domain.signatures import SignatureView, signatures_on
from domain.work import Actor, View

assert guards.REGISTERED, "the rules name guards that this room registers"


class ReadingView(View):
    """A reading as recorded; `replaced` when a newer one corrects it."""

    id: int
    parameter: str
    entered_value: str
    entered_unit: str | None
    value: Decimal | None
    unit: str | None
    alert: str | None
    comment: str
    happened_at: datetime
    recorded_at: datetime
    late: bool
    recorded_by: str
    replaces_id: int | None
    reason: str
    replaced: bool


class Moved(View):
    """A quantity of a lot that a step consumed or yielded, in the lot's unit."""

    lot_number: str
    kind: LotKind
    state: LotState
    quantity: Decimal | None
    unit: str
    share: Decimal | None = None


class StepView(View):
    """A step with what it took, gave and recorded."""

    number: str
    kind: str
    product_code: str | None
    location: str
    equipment: str
    comment: str
    started_at: datetime
    start_recorded_at: datetime
    started_by: str
    late: bool
    ended_at: datetime | None
    completed_by: str | None
    consumed: tuple[Moved, ...]
    yielded: tuple[Moved, ...]
    readings: tuple[ReadingView, ...]


class ResultView(View):
    """A result with its replicates, and what its reviewer found."""

    id: int
    sample_number: str
    test_code: str
    test_name: str
    method: str
    value_en: str
    value_de: str
    replicates: tuple[str, ...]
    n: int | None
    sd: Decimal | None
    unit: str | None
    purity_class: str | None
    flags: tuple[str, ...]
    comment: str
    raw_sha256: str | None
    started_at: datetime
    finished_at: datetime
    recorded_at: datetime
    late: bool
    analyst: str
    reviewer: str | None
    outcome: ReviewOutcome | None
    review_comment: str
    replaces_id: int | None
    reason: str


class LineView(View):
    """A line of the specification with its verdict."""

    test_code: str
    name_en: str
    name_de: str
    method: str
    criterion_en: str
    criterion_de: str
    required: bool
    kind: CriterionKind
    verdict: Verdict
    why: str
    final: bool
    results: tuple[ResultView, ...]


class SampleView(View):
    """What was taken from a lot, in the lot's unit."""

    number: str
    lot_number: str
    quantity: Decimal
    unit: str
    purpose: str
    comment: str
    taken_at: datetime
    recorded_at: datetime
    late: bool
    taken_by: str


class MoveView(View):
    """A move of the life cycle."""

    action: str
    from_state: str
    to_state: str
    actor: str
    moved_at: datetime
    reason: str


class CertificateView(View):
    """An issued certificate; `revision_cause` of a revision after the first."""

    number: str
    revision: int
    revision_cause: RevisionCause | None
    issued_at: datetime
    content_sha256: str
    pdf_sha256: str


class StabilityPoint(View):
    """What was found of a stability unit after so many months; failing: tests that do not meet the shelf-life specification."""

    months: int
    sample_number: str
    results: tuple[ResultView, ...]
    failing: tuple[str, ...]


class LotFile(View):
    """Everything about one lot.

    release_specifications: code and name of each that it gets a certificate for. outstanding: tests that a conditional release would await, before
    it; awaited, awaited_until: what one awaits.
    """

    lot: LotRow
    held_from: LotState | None
    product: ProductView | None
    steps: tuple[StepView, ...]
    used_in: tuple[str, ...]
    samples: tuple[SampleView, ...]
    specification: str | None
    lines: tuple[LineView, ...]
    other_results: tuple[ResultView, ...]
    corrected_results: tuple[ResultView, ...]
    invalid_results: tuple[ResultView, ...]
    unconfirmed_results: tuple[ResultView, ...]
    distribution: tuple[tuple[float, ...], tuple[float, ...]] | None
    release_specifications: tuple[tuple[str, str], ...]
    outstanding: tuple[str, ...]
    awaited: tuple[str, ...]
    awaited_until: date | None
    stability: tuple[StabilityPoint, ...]
    actions: tuple[Action, ...]
    moves: tuple[MoveView, ...]
    signatures: tuple[SignatureView, ...]
    certificates: tuple[CertificateView, ...]


class AwaitedLot(View):
    """A lot that was released before these results; overdue: it is not usable any more. ready: they are there, and QA can complete the release."""

    lot_number: str
    state: LotState
    awaited: tuple[str, ...]
    due_on: date
    overdue: bool
    ready: bool
    certificate_number: str | None


class MyWork(View):
    """What waits; each list is filled only for those who can do something about it."""

    open_steps: tuple[StepView, ...] = ()
    to_sample: tuple[LotRow, ...] = ()
    to_test: tuple[SampleView, ...] = ()
    to_review: tuple[ResultView, ...] = ()
    to_submit: tuple[LotRow, ...] = ()
    to_decide: tuple[LotRow, ...] = ()
    to_accept: tuple[LotRow, ...] = ()
    on_hold: tuple[LotRow, ...] = ()
    awaited: tuple[AwaitedLot, ...] = ()


def lot_file(session: Session, lot_number: str, now: datetime, today: date, actor: Actor | None) -> LotFile:
    """Everything about a lot, in a number of statements that does not grow with its data. Raises NotFound.

    actor: who looks, and is told what they may do; None where nobody is to act on it.
    """
    found = session.exec(
        select(Lot, Product).outerjoin(Product, col(Lot.product_id) == Product.id).where(Lot.lot_number == lot_number)
    ).first()
    if found is None:
        raise NotFound(Reason("lot-not-found", f"there is no lot {lot_number!r}", "lot_number"))
    lot, product = found
    results, names = lot_results(session, lot.key), _names(session)
    own_steps = session.exec(select(Step).join(Yield).where(Yield.lot_id == lot.id)).all()
    used_in = session.exec(
        select(Step.number).join(Consumption).where(Consumption.lot_id == lot.id).order_by(col(Step.id))
    )
    awaited = still_awaited(session, lot.key)
    curves = [finding.result.distribution for finding in results.findings if finding.result.distribution]
    curve = json.loads(curves[-1]) if curves else None
    return LotFile(
        lot=lot_row(lot, product.code if product else None, today),
        held_from=lot.held_from,
        product=ProductView.model_validate(product) if product else None,
        steps=_steps(session, own_steps, names),
        used_in=tuple(used_in),
        samples=_samples(session, names, Sample.lot_id == lot.id),
        specification=results.specification.label if results.specification else None,
        lines=_lines(results, names),
        other_results=tuple(_result(one, names) for one in results.others),
        corrected_results=_corrected(session, results, names),
        invalid_results=tuple(_result(one, names) for one in results.invalid),
        unconfirmed_results=tuple(_result(one, names) for line in results.lines for one in line.unconfirmed),
        distribution=(tuple(curve["edges_nm"]), tuple(curve["values"])) if curve else None,
        release_specifications=tuple(
            (one.code, f"{one.label} ({one.market})" if one.market else one.label)
            for one in specifications_of(session, lot.key)
            if one.purpose is Purpose.RELEASE
        ),
        outstanding=tuple(sorted(outstanding(Case(session, lot, now, today, awaits=True)))),
        awaited=awaited.tests if awaited else (),
        awaited_until=awaited.due_on if awaited else None,
        stability=_stability(session, lot, names),
        actions=actions(session, lot, now, today, actor) if actor else (),
        moves=tuple(
            MoveView.model_validate(one)
            for one in session.exec(select(LotMove).where(LotMove.lot_id == lot.id).order_by(col(LotMove.id)))
        ),
        signatures=tuple(signatures_shown(session, lot, signatures_on(session, lot))),
        certificates=tuple(CertificateView.model_validate(one) for one in certificates_of(session, lot.key)),
    )


def _stability(session: Session, lot: Lot, names: dict[int, str]) -> tuple[StabilityPoint, ...]:
    """Every stability unit that was taken out, in the order of its months."""
    taken = stability_taken(session, lot.key)
    judged = stability_results(session, lot.key) if taken else ()
    found = {one.result.key: one for results in judged for one in results.findings}
    bad = {
        one.result.key
        for results in judged
        for line in results.lines
        for one in line.findings
        if line.judgement.verdict in (Verdict.FAIL, Verdict.INDETERMINATE)
    }
    points = []
    for sample, months in taken:
        own = [one for one in found.values() if one.sample.id == sample.id]
        points.append(
            StabilityPoint(
                months=months,
                sample_number=sample.number,
                results=tuple(_result(one, names) for one in own),
                failing=tuple(one.result.test_code for one in own if one.result.key in bad),
            )
        )
    return tuple(points)


def actions(session: Session, lot: Lot, now: datetime, today: date, actor: Actor) -> tuple[Action, ...]:
    """Every decision that the rules know for the lot's state of today, with all that stands in the way."""
    case = Case(session, lot, now, today)
    found = []
    for rule in RULES.values():
        if case.state in rule.from_ and rule.action not in ("finish", "sample") and _fits(session, rule.action, lot):
            why = blockers(case, rule.action, actor)
            permitted = rule.permission in actor.permissions
            shown = told(one for one in why if one.code != "permission-missing")
            found.append(Action(action=rule.action, permitted=permitted, meaning=rule.meaning, blockers=shown))
    return tuple(found)


def _fits(session: Session, action: str, lot: Lot) -> bool:
    """Drug products are submitted and released, everything else is accepted: the guards say so too, at length."""
    final = lot.kind is LotKind.DRUG_PRODUCT
    if action == "confirm":
        return final and "confirm" in needed_for(session, lot)
    if action == "release_conditionally":
        return final and bool(may_come_late(session, lot))
    return final != (action == "accept") if action in ("accept", "submit", "release") else True


def step_numbered(session: Session, number: str) -> StepView:
    """One step. Raises NotFound."""
    step = session.exec(select(Step).where(Step.number == number)).first()
    if step is None:
        raise NotFound(Reason("step-not-found", f"there is no step {number!r}", "step_number"))
    return _steps(session, [step], _names(session))[0]


def steps_shown(session: Session, steps: Sequence[Step]) -> tuple[StepView, ...]:
    """These steps, in their order."""
    return _steps(session, steps, _names(session))


def find_steps(session: Session, *, open_only: bool = False, limit: int = 100) -> tuple[StepView, ...]:
    """The newest steps."""
    found = select(Step).order_by(col(Step.id).desc()).limit(min(limit, 500))
    steps = session.exec(found.where(col(Step.ended_at).is_(None)) if open_only else found).all()
    return _steps(session, steps, _names(session))


def sample_file(session: Session, number: str) -> tuple[SampleView, tuple[ResultView, ...]]:
    """A sample with every result that counts. Raises NotFound."""
    names = _names(session)
    found = _samples(session, names, Sample.number == number)
    if not found:
        raise NotFound(Reason("sample-not-found", f"there is no sample {number!r}", "sample_number"))
    lot_id = session.exec(select(Sample.lot_id).where(Sample.number == number)).one()
    kept = (finding for results in stability_results(session, lot_id)[:1] for finding in results.findings)
    findings = (*lot_results(session, lot_id).findings, *kept)
    own = sorted((one for one in findings if one.sample.number == number), key=lambda one: one.result.key)
    return found[0], tuple(_result(one, names) for one in own)


def my_work(session: Session, today: date, actor: Actor) -> MyWork:
    """What waits for the one who asks, by permission."""
    can, names = actor.permissions, _names(session)
    lots: dict[str, tuple[LotRow, ...]] = {}
    for name, permission, state in (
        ("to_sample", Permission.DRAW_SAMPLE, LotState.QUARANTINE),
        ("to_submit", Permission.SUBMIT_LOT, LotState.UNDER_TEST),
        ("to_decide", Permission.RELEASE_LOT, LotState.QA_REVIEW),
        ("on_hold", Permission.LIFT_HOLD, LotState.ON_HOLD),
    ):
        if permission in can:
            kind = LotKind.DRUG_PRODUCT if name in ("to_sample", "to_submit") else None
            lots[name] = find_lots(session, today, state=state, kind=kind).lots
    if Permission.RELEASE_LOT in can:
        waiting = (find_lots(session, today, state=LotState.QUARANTINE, kind=kind).lots for kind in sorted(INPUT_KINDS))
        lots["to_accept"] = tuple(lot for found in waiting for lot in found)
    return MyWork(
        awaited=awaited_lots(session, today) if Permission.RELEASE_LOT in can else (),
        open_steps=find_steps(session, open_only=True) if Permission.RUN_STEP in can else (),
        to_test=_samples(session, names, _lacking()) if Permission.ENTER_RESULT in can else (),
        to_review=_unreviewed(session, names, actor) if Permission.REVIEW_RESULT in can else (),
        **lots,
    )


def awaited_lots(session: Session, today: date) -> tuple[AwaitedLot, ...]:
    """Every lot that still awaits results, the one due first first."""
    found = []
    for row, lot in open_conditions(session):
        awaited = awaited_of(row)
        lines = [line for one in release_results(session, lot.key) for line in one.lines]
        certificates = certificates_of(session, lot.key)
        found.append(
            AwaitedLot(
                lot_number=lot.lot_number,
                state=state_on(lot.state, lot.expires_on, today),
                awaited=awaited.tests,
                due_on=awaited.due_on,
                overdue=awaited.overdue(today),
                ready=all(line.final for line in lines if line.test.code in awaited.tests),
                certificate_number=certificates[-1].number if certificates else None,
            )
        )
    return tuple(found)


def _lacking() -> sa.ColumnElement[bool]:
    """Samples of a lot under test for which a required, measured result is missing, or was refused and not corrected."""
    newer = sa.orm.aliased(Result)
    counts = ~sa.exists().where(col(newer.replaces_id) == Result.id)
    of_lot = sa.select(Result.id).join(Sample, col(Result.sample_id) == Sample.id).where(col(Sample.lot_id) == Lot.id)  # type: ignore[call-overload]
    missing = (
        sa.exists()
        .where(col(LotSpecification.lot_id) == Lot.id)
        .where(col(SpecificationLine.specification_id) == LotSpecification.specification_id)
        .where(col(SpecificationLine.required).is_(True), col(SpecificationLine.method_id).is_not(None))
        .where(
            ~of_lot.where(col(Result.test_code) == SpecificationLine.test_code)
            .correlate(Lot, SpecificationLine)
            .exists()
        )
    )
    refused = (
        sa.exists()
        .where(col(Result.sample_id) == Sample.id, col(ResultReview.result_id) == Result.id)
        .where(col(ResultReview.outcome) == ReviewOutcome.REFUSED, counts)
    )
    held = sa.and_(col(Lot.state) == LotState.ON_HOLD, col(Lot.held_from) == LotState.UNDER_TEST)
    kept = col(Sample.reserve).is_(None)
    return sa.and_(kept, sa.or_(col(Lot.state) == LotState.UNDER_TEST, held), sa.or_(missing, refused))


def _unreviewed(session: Session, names: dict[int, str], actor: Actor) -> tuple[ResultView, ...]:
    corrected = sa.select(Result.replaces_id).where(col(Result.replaces_id).is_not(None))  # type: ignore[call-overload]
    rows = session.exec(
        select(Result, Sample)
        .join(Sample)
        .outerjoin(ResultReview, col(ResultReview.result_id) == Result.id)
        .where(col(ResultReview.id).is_(None), Result.analyst_id != actor.user_id, col(Result.id).not_in(corrected))
        .order_by(col(Result.id))
        .limit(500)
    ).all()
    return tuple(_result(Finding(result, sample, None, None), names) for result, sample in rows)


def _names(session: Session) -> dict[int, str]:
    return dict(session.exec(select(User.id, User.name)).all())  # type: ignore[arg-type]


def _steps(session: Session, steps: Sequence[Step], names: dict[int, str]) -> tuple[StepView, ...]:
    ids = [step.key for step in steps]
    taken = session.exec(
        select(Consumption, Lot).join(Lot).where(col(Consumption.step_id).in_(ids)).order_by(col(Lot.id))
    ).all()
    given = session.exec(select(Yield, Lot).join(Lot).where(col(Yield.step_id).in_(ids)).order_by(col(Lot.id))).all()
    readings = session.exec(select(Reading).where(col(Reading.step_id).in_(ids)).order_by(col(Reading.id))).all()
    codes = dict(session.exec(select(Product.id, Product.code)).all())
    replaced = {one.replaces_id for one in readings}
    return tuple(
        StepView(
            **{name: getattr(step, name) for name in _STEP_FACTS},
            product_code=codes.get(step.product_id),
            started_by=names.get(step.started_by, "?"),
            completed_by=names.get(step.completed_by) if step.completed_by else None,
            consumed=tuple(_moved(lot, one.quantity, one.share) for one, lot in taken if one.step_id == step.id),
            yielded=tuple(_moved(lot, lot.quantity) for one, lot in given if one.step_id == step.id),
            readings=tuple(_reading(one, names, one.id in replaced) for one in readings if one.step_id == step.id),
        )
        for step in steps
    )


_STEP_FACTS = (
    "number",
    "kind",
    "location",
    "equipment",
    "comment",
    "started_at",
    "start_recorded_at",
    "late",
    "ended_at",
)


def _moved(lot: Lot, quantity: Decimal | None, share: Decimal | None = None) -> Moved:
    return Moved(
        lot_number=lot.lot_number, kind=lot.kind, state=lot.state, quantity=quantity, unit=lot.unit, share=share
    )


def reading_view(session: Session, reading: Reading) -> ReadingView:
    """A reading just recorded."""
    recorder = session.get(User, reading.recorded_by)
    return _reading(reading, {recorder.key: recorder.name} if recorder else {}, False)


def _reading(one: Reading, names: dict[int, str], replaced: bool) -> ReadingView:
    facts: dict[str, Any] = {
        name: getattr(one, name) for name in ReadingView.model_fields if name not in ("recorded_by", "replaced")
    }
    return ReadingView(**facts, recorded_by=names.get(one.recorded_by, "?"), replaced=replaced)


def _samples(session: Session, names: dict[int, str], *conditions: Any) -> tuple[SampleView, ...]:
    rows = session.exec(select(Sample, Lot).join(Lot).where(*conditions).order_by(col(Sample.id)).limit(500)).all()
    facts = ("number", "quantity", "purpose", "comment", "taken_at", "recorded_at", "late")
    return tuple(
        SampleView(
            **{name: getattr(sample, name) for name in facts},
            lot_number=lot.lot_number,
            unit=lot.unit,
            taken_by=names.get(sample.taken_by, "?"),
        )
        for sample, lot in rows
    )


def _lines(results: LotResults, names: dict[int, str]) -> tuple[LineView, ...]:
    shown = []
    for line in results.lines:
        criterion = describe(line.criterion)
        shown.append(
            LineView(
                test_code=line.test.code,
                name_en=line.test.name_en,
                name_de=line.test.name_de,
                method=line.method.label if line.method else "calculated",
                criterion_en=criterion[0],
                criterion_de=criterion[1],
                required=line.line.required,
                kind=line.criterion.kind,
                verdict=line.judgement.verdict,
                why=line.judgement.reason,
                final=line.final,
                results=tuple(_result(one, names) for one in line.findings),
            )
        )
    return tuple(shown)


def _result(finding: Finding, names: dict[int, str]) -> ResultView:
    result, review = finding.result, finding.review
    value = describe_value(load_value(result.value))
    facts = (
        "id", "test_code", "n", "sd", "unit", "purity_class", "comment", "raw_sha256", "started_at", "finished_at", "recorded_at",
        "late", "replaces_id", "reason",
    )  # fmt: skip
    return ResultView(
        **{name: getattr(result, name) for name in facts},
        sample_number=finding.sample.number,
        test_name=catalogue_test(result.test_code).name_en,
        method=finding.method.label if finding.method else result.formula or "",
        value_en=value[0],
        value_de=value[1],
        replicates=finding.replicates,
        flags=finding.flags,
        analyst=names.get(result.analyst_id, "?"),
        reviewer=names.get(review.reviewer_id) if review else None,
        outcome=review.outcome if review else None,
        review_comment=review.comment if review else "",
    )


def _corrected(session: Session, results: LotResults, names: dict[int, str]) -> tuple[ResultView, ...]:
    if not results.superseded:
        return ()
    ids = [one.id for one in results.superseded]
    samples = dict(session.exec(select(Result.id, Sample).join(Sample).where(col(Result.id).in_(ids))).all())
    return tuple(_result(Finding(one, samples[one.id], None, None), names) for one in results.superseded)
