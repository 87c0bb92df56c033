"""Entering and correcting results: what was read becomes a reportable value by the rule, range and dilution of its method."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from pydantic import AwareDatetime, Field
from sqlmodel import Session, col, select

from domain.errors import Invalid, NotFound, Reason, Refused
from domain.laboratory.catalogue import Test
from domain.laboratory.catalogue import test as catalogue_test
from domain.laboratory.conditions import (
    run_numbered,
)
from domain.laboratory.control_models import TestRun
from domain.laboratory.keeping import Found, keep
from domain.laboratory.methods import within_linear_range
from domain.laboratory.models import (
    Method,
    Result,
    Sample,
)
from domain.laboratory.oos_models import Oos
from domain.laboratory.oos_records import refuse_outside_plan
from domain.laboratory.reportable import Reportable, parse_entry, reportable
from domain.laboratory.samples import sample_named
from domain.laboratory.values import EXACT, Censored, Numeric, Qualitative, ReportableValue
from domain.permissions import Permission
from domain.quantities import UnitCode, parse_decimal
from domain.work import Command, Work, operation


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
    if old.oos_id is not None:
        refuse_outside_plan(work, work.session.get_one(Oos, old.oos_id).number, command.started_at)
    sample = work.session.get_one(Sample, old.sample_id)
    found = measured_by(work.session.get_one(Method, old.method_id), command)
    run = work.session.get_one(TestRun, old.run_id, with_for_update=True) if old.run_id is not None else None
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


def newest_method(session: Session, code: str) -> Method:
    """The newest revision of a method, or NotFound."""
    if method := session.exec(select(Method).where(Method.code == code).order_by(col(Method.revision).desc())).first():
        return method
    raise NotFound(Reason("method-not-found", f"there is no method {code!r}", "method_code"))
