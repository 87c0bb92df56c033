"""A result that counts and fails opens an investigation and holds its lot, in the act that recorded it; one that is merely odd opens an alert."""

from collections.abc import Iterable, Iterator
from decimal import Decimal

from sqlmodel import Session, col, select

from domain.laboratory.catalogue import test as catalogue_test
from domain.laboratory.control_models import RunConclusion
from domain.laboratory.doors import is_awaited, timepoint_of
from domain.laboratory.methods import approved_ids
from domain.laboratory.models import Method, Purpose, Result, Sample, Specification, SpecificationLine
from domain.laboratory.oos_models import Oos, OosConclusion, OosResult, Outcome, TrendAlert, TrendKind
from domain.laboratory.queries import Finding, judged, shelf_life_of, specifications_of, stability_samples
from domain.laboratory.reportable import mean, sample_sd
from domain.laboratory.specifications import criterion_of, lines_of
from domain.laboratory.values import VOCABULARY, Numeric, Qualitative, load_value
from domain.laboratory.verdict import Judgement, Verdict
from domain.lots import lifecycle
from domain.lots.models import Lot, LotState
from domain.lots.numbers import next_number
from domain.quantities import convert
from domain.work import Work

NUMBER = "{series}{year:02d}-{count:04d}"
#: A trend is spoken of from so many earlier lots on, and a result is out of it beyond so many standard deviations.
TREND_LOTS, TREND_SD = 10, Decimal(3)


def counts_now(session: Session, result: Result) -> bool:
    """Whether a result counts already: it belongs to no run, or to one that was concluded valid."""
    if result.run_id is None:
        return True
    concluded = select(RunConclusion.valid).where(RunConclusion.run_id == result.run_id)
    return bool(session.exec(concluded).first())


def look_at(work: Work, lot: Lot, sample: Sample, found: Result, derived: Iterable[Result]) -> Oos | None:
    """Judge what was just found and what follows from it; open what has to be opened.

    A retest belongs to the investigation that asked for it, and opens no other.
    """
    if found.oos_id is not None or not counts_now(work.session, found):
        return None
    failing: list[tuple[Result, str]] = []
    kept = timepoint_of(work.session, sample.key) is not None
    for result in (found, *derived):
        why = next(_why_failing(work.session, lot, sample, result), None)
        if why is not None:
            failing.append((result, why))
        elif not kept:
            _look_at_trend(work, lot, result)
    if failing:
        return _open(work, lot, sample, found, failing)
    for result in (found, *derived):
        _hold_unclear(work, lot, sample, result)
    return None


def _hold_unclear(work: Work, lot: Lot, sample: Sample, result: Result) -> None:
    """After a release nothing is left open: what cannot be said to pass holds the lot until it can."""
    if lot.state is not LotState.RELEASED:
        return
    for judgement in _judged(work.session, lot, sample, result):
        if judgement.verdict is not Verdict.PASS and lot.state is LotState.RELEASED:
            name = catalogue_test(result.test_code).name_en
            lifecycle.seize(work, lot, f"{name} ({result.test_code}) after the release: {judgement.reason}", down=True)


def hold_for_invalid(work: Work, lot: Lot, result: Result, run: str) -> None:
    """What a release awaited was found in a run that does not count: the lot is held until it is found again."""
    if lot.state is LotState.RELEASED and is_awaited(work.session, lot, result.test_code):
        name = catalogue_test(result.test_code).name_en
        told = f"{name} ({result.test_code}) after the release: run {run} is invalid"
        lifecycle.seize(work, lot, told, down=True)


def _open(work: Work, lot: Lot, sample: Sample, found: Result, failing: list[tuple[Result, str]]) -> Oos:
    text = " ".join(
        f"{catalogue_test(result.test_code).name_en} ({result.test_code}): {why}" for result, why in failing
    )
    number = next_number(work, NUMBER, "OOS", work.today)
    oos = work.add(
        Oos(
            number=number,
            lot_id=lot.key,
            sample_id=sample.key,
            test_code=found.test_code,
            text=text,
            opened_at=work.now,
        )
    )
    for result in dict.fromkeys([found.key, *(result.key for result, _ in failing)]):
        work.add(OosResult(oos_id=oos.key, result_id=result))
    lifecycle.seize(work, lot, f"{number}: {text}", down=True)
    return oos


def _judging(
    session: Session, lot: Lot, test_code: str, sample: Sample | None = None
) -> Iterator[tuple[Specification, SpecificationLine]]:
    """The lines that judge the test: of the lot's release and in-process specifications, or of its shelf-life ones for a stability unit."""
    pinned = specifications_of(session, lot.key)
    kept = sample is not None and timepoint_of(session, sample.key) is not None
    for specification in shelf_life_of(pinned) if kept else pinned:
        if kept or specification.purpose is not Purpose.SHELF_LIFE:
            for line in lines_of(session, specification.key):
                if line.test_code == test_code:
                    yield specification, line


def _judged(session: Session, lot: Lot, sample: Sample, result: Result) -> Iterator[Judgement]:
    method = session.get(Method, result.method_id) if result.method_id else None
    finding = Finding(result, sample, method, None)
    for specification, line in _judging(session, lot, result.test_code, sample):
        named = session.get(Method, line.method_id) if line.method_id else None
        approved = approved_ids(session, {method.key}) if specification.controlled and method else None
        yield judged(criterion_of(line), named, finding, approved)


def _why_failing(session: Session, lot: Lot, sample: Sample, result: Result) -> Iterator[str]:
    for judgement in _judged(session, lot, sample, result):
        if judgement.verdict is Verdict.FAIL:
            yield judgement.reason
    if is_contamination(result):
        yield "contamination was found; no specification allows it."


def is_contamination(result: Result) -> bool:
    """A safety test that found what must not be there, whether or not a line asks for it."""
    value, safety = load_value(result.value), catalogue_test(result.test_code).group == "safety"
    bad = ("present", "does_not_conform")
    return (
        safety and isinstance(value, Qualitative) and value.term in VOCABULARY and VOCABULARY[value.term].outcome in bad
    )


def _look_at_trend(work: Work, lot: Lot, result: Result) -> None:
    value = load_value(result.value)
    if not isinstance(value, Numeric):
        return
    told = [(TrendKind.ALERT_LIMIT, text) for text in _beyond_alert(work.session, lot, result, value)]
    if text := _out_of_trend(work.session, lot, result, value):
        told.append((TrendKind.OUT_OF_TREND, text))
    for kind, text in told:
        work.add(TrendAlert(result_id=result.key, lot_id=lot.key, kind=kind, text=text, opened_at=work.now))


def _beyond_alert(session: Session, lot: Lot, result: Result, value: Numeric) -> Iterator[str]:
    for specification, line in _judging(session, lot, result.test_code):
        number = convert(value.value, value.unit, line.unit or "1") if line.alert_lower or line.alert_upper else None
        if number is None:
            continue
        if line.alert_lower and number < Decimal(line.alert_lower):
            yield f"{number:f} is below the alert limit {line.alert_lower} of {specification.label}"
        if line.alert_upper and number > Decimal(line.alert_upper):
            yield f"{number:f} is above the alert limit {line.alert_upper} of {specification.label}"


def _out_of_trend(session: Session, lot: Lot, result: Result, value: Numeric) -> str | None:
    """Beyond three standard deviations of what the newest earlier lots of the product gave by the same method."""
    if lot.product_id is None or result.method_id is None:
        return None
    code = select(Method.code).where(Method.id == result.method_id)
    rows = session.exec(
        select(Sample.lot_id, Result.value)
        .join(Sample, col(Result.sample_id) == Sample.id)
        .join(Lot, col(Sample.lot_id) == Lot.id)
        .join(Method, col(Result.method_id) == Method.id)
        .where(Lot.product_id == lot.product_id, Lot.kind == lot.kind, Lot.id != lot.id)
        .where(Result.test_code == result.test_code, Method.code == code.scalar_subquery())
        .where(col(Sample.id).not_in(stability_samples()))
        .order_by(col(Result.id).desc())
        .limit(100)
    )
    newest: dict[int, Decimal] = {}
    for lot_id, text in rows:
        earlier = load_value(text)
        if isinstance(earlier, Numeric) and earlier.unit == value.unit:
            newest.setdefault(lot_id, earlier.value)
    numbers = list(newest.values())
    sd = sample_sd(numbers)
    if len(numbers) < TREND_LOTS or sd is None or abs(value.value - mean(numbers)) <= TREND_SD * sd:
        return None
    return f"{value.value:f} is beyond 3 SD ({sd:.3g}) of the mean {mean(numbers):.4g} of {len(numbers)} earlier lots"


def oos_against(session: Session, lot_id: int, test_code: str) -> list[tuple[Oos, OosConclusion | None]]:
    """Investigations of a test of a lot after which it is not simply tested again: open ones, and all but laboratory errors."""
    found = (
        select(Oos, OosConclusion)
        .outerjoin(OosConclusion, col(OosConclusion.oos_id) == Oos.id)
        .where(Oos.lot_id == lot_id, Oos.test_code == test_code)
        .order_by(col(Oos.id))
    )
    rows: list[tuple[Oos, OosConclusion | None]] = [(oos, end) for oos, end in session.exec(found)]
    return [(oos, end) for oos, end in rows if end is None or end.outcome is not Outcome.LABORATORY_ERROR]
