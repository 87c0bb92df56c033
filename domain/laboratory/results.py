"""Acts on samples and results: drawing, entering, correcting, deriving, reviewing."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Protocol

from pydantic import AwareDatetime, Field
from sqlmodel import Session, col, select

from domain.errors import Conflict, Invalid, NotFound, Reason, Refused, refuse_if_any
from domain.laboratory.catalogue import TESTS, Test
from domain.laboratory.catalogue import test as catalogue_test
from domain.laboratory.conditions import (
    believed,
    run_numbered,
    why_not_by,
    why_not_corrected,
    why_not_in_run,
    why_not_of_lot,
    why_not_of_sample,
)
from domain.laboratory.control_models import (
    Inoculation,
    LotSamplingPlan,
    RetestPlan,
    SamplingPlan,
    SamplingPlanApproval,
    TestRun,
)
from domain.laboratory.derived import Input, derive
from domain.laboratory.files import document_facts
from domain.laboratory.methods import within_linear_range
from domain.laboratory.models import (
    LotSpecification,
    Method,
    Purpose,
    Reserve,
    Result,
    ResultInput,
    ResultReview,
    ReviewOutcome,
    Sample,
    SampleTest,
)
from domain.laboratory.oos_opening import look_at
from domain.laboratory.queries import specifications_of, worth_of
from domain.laboratory.reportable import Reportable, parse_entry, reportable
from domain.laboratory.size_distribution import SizeDistribution
from domain.laboratory.specifications import effective_specifications
from domain.laboratory.values import EXACT, Censored, Numeric, Qualitative, ReportableValue, dump_value, load_value
from domain.lots import lifecycle
from domain.lots.models import Lot, LotKind, LotState, Product
from domain.lots.numbers import count_in
from domain.lots.operations import Amount, lot_named, take
from domain.permissions import Permission
from domain.quantities import UnitCode, parse_decimal
from domain.signatures import Credentials, Meaning, sign
from domain.work import Command, Work, operation

LATE_AFTER = timedelta(hours=24)
CLOCK_SKEW = timedelta(minutes=5)
RECONSTITUTION_VOLUME = "reconstitution-volume"


class DrawSample(Command):
    """Take a sample from a lot; the first one of a drug product pins the specification it is judged against."""

    lot_number: str
    quantity: Amount
    purpose: str = Field(default="release", max_length=60)
    taken_at: AwareDatetime | None = None
    comment: str = Field(default="", max_length=1000)


class EnterResult(Command):
    """Enter what was found: every replicate as read (`7.40`, `<0.05`, `no growth`), in the test's unit.

    started_at: when the test began (sterility: the inoculation); finished_at: when it was read for good.
    """

    sample_number: str
    method_code: str
    replicates: tuple[str, ...] = Field(min_length=1, max_length=100)
    unit: UnitCode | None = Field(
        default=None, max_length=30, description="must be the test's unit; asked for, never assumed"
    )
    started_at: AwareDatetime
    finished_at: AwareDatetime
    comment: str = Field(default="", max_length=1000)
    raw_sha256: str | None = Field(default=None, description="digest of a file uploaded before")
    run_number: str | None = Field(default=None, max_length=20, description="the run it was found in")
    dilution: str | None = Field(
        default=None, max_length=20, description="the replicates are as read, and are multiplied by it; 1 if undiluted"
    )
    instrument: str | None = Field(default=None, max_length=100)


class CorrectResult(Command):
    """Replace a result by a new one, with the reason; the old one stays on record."""

    result_id: int
    reason: str = Field(min_length=3, max_length=1000)
    replicates: tuple[str, ...] = Field(min_length=1, max_length=100)
    unit: UnitCode | None = Field(default=None, max_length=30)
    started_at: AwareDatetime
    finished_at: AwareDatetime
    comment: str = Field(default="", max_length=1000)
    raw_sha256: str | None = None
    dilution: str | None = Field(default=None, max_length=20)


class ReviewResults(Command):
    """A second person reviews results of one sample against the raw data, with one signature."""

    sample_number: str
    result_ids: tuple[int, ...] = Field(min_length=1, max_length=200)
    outcome: ReviewOutcome = ReviewOutcome.ACCEPTED
    comment: str = Field(default="", max_length=1000)
    credentials: Credentials


@dataclass(frozen=True)
class Found:
    """What goes into a result row, however it was obtained."""

    test: Test
    method: Method | None
    value: ReportableValue
    started_at: datetime
    finished_at: datetime
    measured: Reportable | None = None
    distribution: SizeDistribution | None = None
    formula: str | None = None
    purity: str | None = None
    inputs: tuple[tuple[str, int | None, str, str], ...] = ()
    settings: tuple[tuple[str, str], ...] = ()
    flags: tuple[str, ...] = ()
    comment: str = ""
    raw_sha256: str | None = None
    run: TestRun | None = None
    report_id: int | None = None
    oos_id: int | None = None
    inoculation: Inoculation | None = None
    dilution: Decimal | None = None
    instrument: str | None = None


@operation(Permission.DRAW_SAMPLE)
def draw_sample(work: Work, command: DrawSample) -> Sample:
    """The quantity comes off the lot; a drug product needs an approved specification to be tested against."""
    lot = lot_named(work, command.lot_number)
    taken = Taken(command.quantity, command.purpose, command.taken_at or work.now, command.comment)
    return draw(work, lot, taken)


@dataclass(frozen=True)
class Taken:
    """What is taken from a lot, by hand or by the sampling plan."""

    quantity: Amount
    purpose: str
    taken_at: datetime
    comment: str = ""
    plan_line_id: int | None = None
    reserve: Reserve | None = None
    tests: tuple[str, ...] = ()


def draw(work: Work, lot: Lot, taken: Taken) -> Sample:
    """Take a sample of a locked lot."""
    state = lifecycle.state_on(lot.state, lot.expires_on, work.today)
    if state in (LotState.IN_PROCESS, LotState.REJECTED, LotState.RECALLED):
        raise Refused(
            Reason("lot-not-usable", f"lot {lot.lot_number} is {state.value}; no sample is drawn from it", "lot_number")
        )
    if taken.taken_at > work.now + CLOCK_SKEW or taken.taken_at < lot.created_at - CLOCK_SKEW:
        raise Invalid(
            Reason("time-impossible", "a sample is taken after its lot was made, and not in the future", "taken_at")
        )
    quantity = take(lot, taken.quantity, "quantity")
    _pin_specifications(work, lot)
    if lot.state is LotState.QUARANTINE:
        lifecycle.move(work, lot, "sample")
    sample = work.add(
        Sample(
            number=f"SA-{count_in(work, 'sample'):06d}",
            lot_id=lot.key,
            quantity=quantity,
            purpose=taken.purpose,
            comment=taken.comment,
            taken_at=taken.taken_at,
            recorded_at=work.now,
            late=work.now - taken.taken_at > LATE_AFTER,
            taken_by=work.actor.person,
            plan_line_id=taken.plan_line_id,
            reserve=taken.reserve,
        )
    )
    for test in taken.tests:
        work.add(SampleTest(sample_id=sample.key, test_code=test))
    return sample


def _pin_specifications(work: Work, lot: Lot) -> None:
    """Every specification in force for the lot, the primary one first: of a drug product its release and shelf-life ones, else in-process ones."""
    if lot.product_id is None or specifications_of(work.session, lot.key):
        return
    final = lot.kind is LotKind.DRUG_PRODUCT
    purposes = (Purpose.RELEASE, Purpose.SHELF_LIFE) if final else (Purpose.IN_PROCESS,)
    found = [
        one
        for purpose in purposes
        for one in effective_specifications(work.session, lot.product_id, purpose, work.today, lot.kind)
    ]
    if final and not any(one.purpose is Purpose.RELEASE for one in found):
        raise Refused(
            Reason(
                "no-specification",
                "the product has no approved release specification in force; a lot cannot be tested without one",
            )
        )
    for one in found:
        work.add(LotSpecification(lot_id=lot.key, specification_id=one.key))
    plan = effective_plan(work.session, lot.product_id, work.today) if final else None
    if plan is not None:
        work.add(LotSamplingPlan(lot_id=lot.key, plan_id=plan.key))


def effective_plan(session: Session, product_id: int, on: date) -> SamplingPlan | None:
    """The newest approved sampling plan in force on that day."""
    found = (
        select(SamplingPlan)
        .join(SamplingPlanApproval, col(SamplingPlanApproval.plan_id) == SamplingPlan.id)
        .where(SamplingPlan.product_id == product_id, col(SamplingPlan.effective_from) <= on)
        .order_by(col(SamplingPlan.effective_from).desc(), col(SamplingPlan.id).desc())
    )
    return session.exec(found).first()


@operation(Permission.ENTER_RESULT)
def enter_result(work: Work, command: EnterResult) -> Result:
    """The reportable value follows from the replicates by the method's rule; what is derived from it is derived at once."""
    sample = sample_named(work.session, command.sample_number)
    run = run_numbered(work, command.run_number)
    method = newest_method(work.session, command.method_code)
    if run is not None and (own := work.session.get_one(Method, run.method_id)).code == method.code:
        method = own  # a run is of the revision that was the newest when it began
    found = replace(
        measured_by(method, command), run=run, instrument=command.instrument or (run.instrument if run else None)
    )
    return keep(work, sample, found)


@operation(Permission.ENTER_RESULT)
def correct_result(work: Work, command: CorrectResult) -> Result:
    """Possible until the lot is with QA; the new result needs a review of its own."""
    old = work.session.get(Result, command.result_id)
    if old is None:
        raise NotFound(Reason("result-not-found", f"there is no result {command.result_id}", "result_id"))
    if old.method_id is None or old.settings != "[]":
        raise Refused(
            Reason(
                "not-by-hand",
                "this result was calculated or imported; correct what it came from, or import again",
                "result_id",
            )
        )
    sample = work.session.get_one(Sample, old.sample_id)
    found = measured_by(work.session.get_one(Method, old.method_id), command)
    run = work.session.get_one(TestRun, old.run_id) if old.run_id is not None else None
    found = replace(found, run=run, report_id=old.report_id, oos_id=old.oos_id, instrument=old.instrument)
    return keep(work, sample, found, replaces=old, reason=command.reason)


class Reading(Protocol):
    """What every way of entering a result gives."""

    @property
    def replicates(self) -> tuple[str, ...]: ...
    @property
    def unit(self) -> str | None: ...
    @property
    def started_at(self) -> datetime: ...
    @property
    def finished_at(self) -> datetime: ...
    @property
    def comment(self) -> str: ...
    @property
    def raw_sha256(self) -> str | None: ...
    @property
    def dilution(self) -> str | None: ...


def measured_by(method: Method, command: Reading) -> Found:
    """The reportable value of what was read, by the method's rule, range and dilution."""
    test = catalogue_test(method.test_code)
    if test.result == "distribution":
        raise Invalid(Reason("file-needed", f"{test.code} comes from an instrument's file; import it", "method_code"))
    if (command.unit or None) != test.unit:
        raise Invalid(
            Reason(
                "wrong-unit",
                f"{test.code} is reported in {test.unit or 'words, without a unit'}; {command.unit!r} was given",
                "unit",
            )
        )
    measured = reportable(
        command.replicates, method.rule, method.replicates, test.unit or "1", lod=method.lod, loq=method.loq
    )
    _refuse_wrong_type(test, method, measured)
    dilution = _dilution(test, method, command.dilution)
    outside = within_linear_range(method, measured, test.unit or "1")
    return Found(
        test=test,
        method=method,
        value=outside or _diluted(measured, dilution),
        dilution=dilution,
        started_at=command.started_at,
        finished_at=command.finished_at,
        measured=measured,
        comment=command.comment,
        raw_sha256=command.raw_sha256,
    )


def _dilution(test: Test, method: Method, typed: str | None) -> Decimal | None:
    """The factor as typed; asked for where the method has a linear range, which holds for what the instrument read."""
    if not typed:
        if method.linear_high is not None:
            text = f"{method.label} has a linear range: say how the sample was diluted (1 if undiluted)"
            raise Invalid(Reason("dilution-needed", text, "dilution"))
        return None
    factor = parse_decimal(typed, "dilution")
    if test.result != "numeric" or factor < 1:
        raise Invalid(
            Reason("dilution-below-one", f"a dilution factor is 1 or more, of a number; not {typed}", "dilution")
        )
    return factor


def _diluted(measured: Reportable, factor: Decimal | None) -> ReportableValue:
    """The reported value in the undiluted sample; a bound moves with it, so "<0.05" of a tenfold dilution is "<0.5"."""
    value = measured.value
    if factor is None or factor == 1:
        return value
    if isinstance(value, Numeric):
        return Numeric(value=EXACT.multiply(value.value, factor), unit=value.unit)
    if isinstance(value, Censored):
        return value.model_copy(update={"bound": EXACT.multiply(value.bound, factor)})
    return value


def _refuse_wrong_type(test: Test, method: Method, measured: Reportable) -> None:
    """A word for a number, an unknown word, or a number that cannot be is a slip of the hand: refused as it is typed."""
    for place, text in enumerate(measured.replicates, 1):
        field = f"replicates.{place}"
        if test.result == "qualitative" and text.strip() not in test.terms:
            told = f"{test.code} is one of {', '.join(test.terms)}; {text!r} is none of them"
            raise Invalid(Reason("unknown-term", told, field))
        if test.result == "numeric":
            _refuse_impossible(test, method, text, field)


def _refuse_impossible(test: Test, method: Method, text: str, field: str) -> None:
    entry = parse_entry(text, test.unit or "1", field=field)
    if isinstance(entry, Qualitative):
        raise Invalid(Reason("not-a-number", f"{test.code} is a number in {test.unit}; {text!r} is none", field))
    number = entry.value if isinstance(entry, Numeric) else entry.bound
    low, high = test.low, test.high
    fraction = test.whole and number != number.to_integral_value()
    if fraction or (low is not None and number < low) or (high is not None and number > high):
        told = f"{test.code}: {text} {test.unit} cannot be; allowed are {test.allowed()}"
        raise Invalid(Reason("value-outside-hard-bounds", told, field))
    limit = method.loq if method.loq is not None else method.lod
    if (
        limit is None
        or number >= limit
        or (isinstance(entry, Censored) and method.lod is not None and number >= method.lod)
    ):
        return
    told = f"{test.code}: {text} is below what {method.label} can quantify ({limit:f} {test.unit}); write <{limit:f}"
    raise Invalid(Reason("below-quantification", told, field))


def keep(work: Work, sample: Sample, found: Found, *, replaces: Result | None = None, reason: str = "") -> Result:
    """Write a result, and every result that can now be derived from it."""
    lot = work.session.exec(select(Lot).where(Lot.id == sample.lot_id).with_for_update()).one()
    refuse_if_any(_why_not_kept(work, sample, lot, found, replaces))
    if (
        replaces is None
        and found.oos_id is None
        and current_result(work.session, sample.key, found.test.code) is not None
    ):
        text = f"sample {sample.number} has a result for {found.test.code} already; correct it with a reason, or draw another sample"
        raise Conflict(Reason("result-exists", text))
    result = _write(work, sample, found, replaces, reason)
    followed = [
        _derive(work, sample, lot, test, result) for test in TESTS.values() if found.test.code in test.inputs.values()
    ]
    look_at(work, lot, sample, result, [one for one in followed if one is not None])
    return result


def _why_not_kept(
    work: Work, sample: Sample, lot: Lot, found: Found, replaces: Result | None = None
) -> Iterator[Reason]:
    if found.method is not None and found.oos_id is None:
        inoculated = found.inoculation.id if found.inoculation else None
        yield from why_not_of_lot(work.session, lot, found.method, found.run, inoculated)
    if found.method is not None:
        yield from why_not_by(work, found.method.code, found.instrument, found.finished_at)
        yield from why_not_in_run(work.session, found.method, found.run, found.finished_at)
    if replaces is not None:
        yield from why_not_corrected(work.session, replaces, found.inoculation.id if found.inoculation else None)
    yield from why_not_of_sample(work.session, sample)
    closed = (LotState.QA_REVIEW, LotState.RELEASED, LotState.REJECTED, LotState.RECALLED)
    if lot.state in closed or lot.held_from in closed:
        yield Reason(
            "lot-decided", f"lot {lot.lot_number} is {lot.state.value}; its results are closed", "sample_number"
        )
    if found.finished_at > work.now + CLOCK_SKEW:
        yield Reason("in-the-future", "a test cannot have finished in the future", "finished_at")
    if found.started_at < sample.taken_at - CLOCK_SKEW:
        yield Reason(
            "before-the-sample",
            f"sample {sample.number} was taken at {sample.taken_at:%Y-%m-%d %H:%M} UTC, after that start",
            "started_at",
        )
    if found.finished_at < found.started_at:
        yield Reason("times-reversed", "a test cannot finish before it started", "finished_at")
    begun = believed_start(work.session, sample, found.started_at)
    if reason := too_early(found.method, found.value, begun, min(found.finished_at, work.now)):
        yield reason
    if found.raw_sha256 is not None:
        document_facts(work.session, found.raw_sha256)
        work.site.documents.get(found.raw_sha256)


def believed_start(session: Session, sample: Sample, started_at: datetime) -> datetime:
    """The start as said, but not more than a day before the sample was on record.

    Neither a back-dated sample nor a clock that was set back when it was recorded can make a slow test final early.
    """
    return believed(session, sample, started_at, LATE_AFTER, CLOCK_SKEW)


def too_early(method: Method | None, value: ReportableValue, started_at: datetime, until: datetime) -> Reason | None:
    """Why a slow test is not final yet (USP <71>: no growth only after 14 days); growth is final when it is seen, and so is an invalid test."""
    at_once = value in (Qualitative(term="growth"), Qualitative(term="invalid"))
    if method is None or method.minimum_days is None or at_once:
        return None
    earliest = started_at + timedelta(days=method.minimum_days)
    if until >= earliest:
        return None
    text = f"{method.label} started at {started_at:%Y-%m-%d %H:%M} UTC and is final no earlier than {earliest:%Y-%m-%d %H:%M} UTC"
    return Reason("too-early", text, "finished_at")


def _write(work: Work, sample: Sample, found: Found, replaces: Result | None, reason: str) -> Result:
    measured, test = found.measured, found.test
    result = work.add(
        Result(
            sample_id=sample.key,
            test_code=test.code,
            method_id=found.method.id if found.method else None,
            formula=found.formula,
            purity_class=found.purity,
            value=dump_value(found.value),
            unit=test.unit,
            replicates=json.dumps(measured.replicates if measured else []),
            rule=measured.rule if measured else None,
            n=measured.n if measured else None,
            sd=measured.sd if measured else None,
            distribution=found.distribution.to_json() if found.distribution else None,
            settings=json.dumps(found.settings),
            flags=json.dumps(found.flags),
            comment=found.comment,
            raw_sha256=found.raw_sha256,
            started_at=found.started_at,
            finished_at=found.finished_at,
            recorded_at=work.now,
            late=work.now - found.finished_at > LATE_AFTER,
            analyst_id=work.actor.person,
            replaces_id=replaces.id if replaces else None,
            reason=reason,
            run_id=found.run.id if found.run else None,
            report_id=found.report_id,
            oos_id=found.oos_id,
            inoculation_id=found.inoculation.id if found.inoculation else None,
            dilution=found.dilution,
            instrument=found.instrument,
        )
    )
    for name, input_id, source, value in found.inputs:
        work.add(ResultInput(result_id=result.key, name=name, input_result_id=input_id, source=source, value=value))
    return result


def _derive(work: Work, sample: Sample, lot: Lot, test: Test, new: Result) -> Result | None:
    """Compute a derived result if all it needs is there; a corrected input makes a new one that replaces the old.

    What follows from a retest stands beside what followed from the result under investigation, and replaces nothing.
    """
    given: dict[str, Input] = {}
    pinned: list[tuple[str, int | None, str, str]] = []
    for name, source in test.inputs.items():
        if source == RECONSTITUTION_VOLUME:
            product = work.session.get(Product, lot.product_id) if lot.product_id else None
            if product is None:
                return None
            given[name] = Numeric(value=product.reconstitution_volume, unit="mL")
            pinned.append(
                (
                    name,
                    None,
                    f"product {product.code}, reconstitution volume in mL",
                    format(product.reconstitution_volume, "f"),
                )
            )
            continue
        row = new if source == new.test_code else current_result(work.session, sample.key, source)
        if row is None:
            return None
        value: Input = (
            distribution_of(row) if catalogue_test(source).result == "distribution" else load_value(row.value)
        )
        given[name] = value
        pinned.append((name, row.id, source, row.value))
    derived = derive(test.derived or "", given)
    retest = new.oos_id is not None
    return _write(
        work,
        sample,
        Found(
            test=test,
            method=None,
            value=derived.value,
            started_at=new.started_at,
            finished_at=new.finished_at,
            formula=derived.formula,
            purity=derived.purity,
            inputs=tuple(pinned),
            run=work.session.get(TestRun, new.run_id) if new.run_id else None,
            oos_id=new.oos_id,
        ),
        None if retest else current_result(work.session, sample.key, test.code),
        f"input {new.test_code} is now result {new.id}",
    )


@operation(Permission.REVIEW_RESULT)
def review_results(work: Work, command: ReviewResults) -> list[ResultReview]:
    """Nobody reviews a result of their own, nor one calculated from a result of their own."""
    sample = sample_named(work.session, command.sample_number)
    ids = dict.fromkeys(command.result_ids)
    results = work.session.exec(select(Result).where(col(Result.id).in_(ids), Result.sample_id == sample.id)).all()
    refuse_if_any(_why_not_reviewed(work, results, ids))
    if command.outcome is ReviewOutcome.REFUSED and not command.comment:
        raise Invalid(Reason("comment-needed", "say why the results are refused", "comment"))
    content = {
        "sample": sample.number,
        "outcome": command.outcome.value,
        "results": [result_content(row) for row in results],
    }
    signature = sign(work, sample, content, Meaning.REVIEWED, command.credentials)
    return [
        work.add(
            ResultReview(
                result_id=row.key,
                outcome=command.outcome,
                comment=command.comment,
                reviewer_id=work.actor.person,
                reviewed_at=work.now,
                signature_id=signature.key,
            )
        )
        for row in results
    ]


def _why_not_reviewed(work: Work, results: Iterable[Result], ids: Iterable[int]) -> Iterator[Reason]:
    rows = {row.key: row for row in results}
    for missing in sorted(set(ids) - rows.keys()):
        yield Reason("result-not-found", f"the sample has no result {missing}", "result_ids")
    seen = set(work.session.exec(select(ResultReview.result_id).where(col(ResultReview.result_id).in_(rows))))
    replaced = set(work.session.exec(select(Result.replaces_id).where(col(Result.replaces_id).in_(rows))))
    for key, row in rows.items():
        if key in seen:
            yield Reason("reviewed-already", f"result {key} ({row.test_code}) was reviewed already", "result_ids")
        if key in replaced:
            yield Reason(
                "result-replaced", f"result {key} ({row.test_code}) was corrected; review the newer one", "result_ids"
            )
        if work.actor.user_id in analysts_of(work.session, row):
            yield Reason(
                "not-by-same-person",
                f"{work.actor.name} found result {key} ({row.test_code}) and so may not review it",
                "result_ids",
            )
        if work.actor.user_id == _retest_asked_by(work.session, row):
            text = f"{work.actor.name} asked for the retest that is result {key}, and so is no second person for it"
            yield Reason("not-by-same-person", text, "result_ids")


def _retest_asked_by(session: Session, result: Result) -> int | None:
    if result.oos_id is None:
        return None
    return session.exec(select(RetestPlan.proposed_by).where(RetestPlan.oos_id == result.oos_id)).first()


def analysts_of(session: Session, result: Result) -> set[int]:
    """Who found a result, or anything it was calculated from."""
    inputs = session.exec(
        select(Result.analyst_id)
        .join(ResultInput, col(ResultInput.input_result_id) == Result.id)
        .where(ResultInput.result_id == result.id)
    )
    return {result.analyst_id, *inputs}


def result_content(result: Result) -> dict[str, object]:
    """What signatures cover of a result."""
    return {
        "id": result.id,
        "test": result.test_code,
        "method": result.method_id,
        "formula": result.formula,
        "value": result.value,
        "replicates": result.replicates,
        "raw": result.raw_sha256,
        "replaces": result.replaces_id,
        **{name: getattr(result, name) for name in _CONTROLLED if getattr(result, name) is not None},
    }


_CONTROLLED = ("run_id", "report_id", "oos_id", "inoculation_id")


def distribution_of(result: Result) -> SizeDistribution | None:
    """The curve of a result, if it has one."""
    return SizeDistribution.from_json(result.distribution) if result.distribution is not None else None


def current_result(session: Session, sample_id: int, test_code: str) -> Result | None:
    """The newest result of a sample for a test that is worth anything; retests stand beside it and are not it."""
    found = select(Result).where(
        Result.sample_id == sample_id, Result.test_code == test_code, col(Result.oos_id).is_(None)
    )
    rows = session.exec(found.order_by(col(Result.id).desc())).all()
    if not rows:
        return None
    lot_id = session.exec(select(Sample.lot_id).where(Sample.id == sample_id)).one()
    invalid = worth_of(session, lot_id).invalid
    return next((row for row in rows if row.id not in invalid), None)


def sample_named(session: Session, number: str) -> Sample:
    """The sample, or NotFound."""
    if sample := session.exec(select(Sample).where(Sample.number == number)).first():
        return sample
    raise NotFound(Reason("sample-not-found", f"there is no sample {number!r}", "sample_number"))


def newest_method(session: Session, code: str) -> Method:
    """The newest revision of a method, or NotFound."""
    if method := session.exec(select(Method).where(Method.code == code).order_by(col(Method.revision).desc())).first():
        return method
    raise NotFound(Reason("method-not-found", f"there is no method {code!r}", "method_code"))


def sd_text(sd: Decimal | None) -> str | None:
    """A standard deviation to three significant figures, for print."""
    return None if sd is None else f"{sd:.3g}"
