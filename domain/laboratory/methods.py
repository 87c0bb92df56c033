"""Methods: what a run must show, what an instrument can read, what a method is validated for, and QA's approval."""

import json
from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum

from pydantic import Field, ValidationError, model_validator
from sqlmodel import Session, col, select

from domain.errors import Conflict, Invalid, NotFound, Reason, Refused
from domain.laboratory.catalogue import Test
from domain.laboratory.models import Method, MethodApproval, Validation
from domain.laboratory.reportable import Reportable, parse_entry
from domain.laboratory.values import Censored, NotReportable, Numeric
from domain.laboratory.verdict import Criterion, CriterionKind, Rounding
from domain.lots.models import LotKind
from domain.permissions import Permission
from domain.quantities import UnitCode, parse_decimal
from domain.signatures import Credentials, Meaning, sign
from domain.work import Command, Work, operation

FIGURES = ("lod", "loq", "linear_low", "linear_high")
#: Rapid tests stand in for a slow one only where the method is validated for what is tested (Ph. Eur. 2.6.27, USP <1071>).
RAPID = frozenset({"STER-R"})


class CheckKind(StrEnum):
    """What a run is checked by."""

    CONTROL = "control"
    BLANK = "blank"
    STANDARD = "standard"
    SUITABILITY = "suitability"


class Check(Command):
    """One check of a run with its acceptance criterion; limits are text in `unit`."""

    name: str = Field(min_length=1, max_length=100, examples=["positive product control, recovery"])
    check: CheckKind
    kind: CriterionKind
    lower: str | None = None
    upper: str | None = None
    unit: UnitCode | None = None
    allowed: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _can_fail(self) -> "Check":
        if self.kind is CriterionKind.REPORT_ONLY:
            raise ValueError("a check that cannot fail checks nothing: give it a criterion")
        try:
            self.criterion()
        except ValidationError as error:
            told = "; ".join(str(one["msg"]).removeprefix("Value error, ") for one in error.errors())
            raise ValueError(told) from None
        return self

    def criterion(self) -> Criterion:
        """As the verdict function takes it; numbers are compared as they are."""
        return Criterion(
            kind=self.kind,
            lower=self.lower,
            upper=self.upper,
            unit=self.unit,
            allowed=self.allowed,
            rounding=Rounding.NONE,
        )


class ApproveMethod(Command):
    """QA approves a revision of a method with a signature."""

    code: str
    revision: int
    credentials: Credentials


@operation(Permission.APPROVE_SPECIFICATION)
def approve_method(work: Work, command: ApproveMethod) -> MethodApproval:
    """Nobody approves what they defined; one that says it is not validated cannot be approved."""
    found = select(Method).where(Method.code == command.code, Method.revision == command.revision)
    method = work.session.exec(found).first()
    if method is None:
        raise NotFound(Reason("method-not-found", f"there is no method {command.code} v{command.revision}", "code"))
    if method.defined_by == work.actor.user_id:
        raise Refused(
            Reason("not-by-same-person", f"{work.actor.name} defined {method.label} and so may not approve it")
        )
    if method.validation is Validation.NOT_VALIDATED:
        raise Refused(Reason("method-not-validated", f"{method.label} is not validated; define a revision that is"))
    if is_approved(work.session, method):
        raise Conflict(Reason("approved-already", f"{method.label} is approved already"))
    signature = sign(work, method, method_content(method), Meaning.APPROVED, command.credentials)
    return work.add(MethodApproval(method_id=method.key, signature_id=signature.key, approved_at=work.now))


def method_content(method: Method) -> dict[str, object]:
    """What a signature on a method covers: all of it, without empty columns."""
    facts = method.model_dump(mode="json", exclude={"id", "version", "defined_at", "defined_by"})
    return {name: value for name, value in facts.items() if value is not None}


def is_approved(session: Session, method: Method) -> bool:
    """Whether QA has signed this revision."""
    return session.exec(select(MethodApproval.id).where(MethodApproval.method_id == method.id)).first() is not None


def approved_ids(session: Session, ids: set[int]) -> set[int]:
    """Those of the methods that QA has approved."""
    return set(session.exec(select(MethodApproval.method_id).where(col(MethodApproval.method_id).in_(ids))))


def refuse_odd_method(
    test: Test, figures: Mapping[str, Decimal], validation: Validation | None, validated_for: tuple[str, ...]
) -> None:
    """What cannot be said of a method: reversed limits, a linear range of words, validated for something but not validated."""
    lod, loq = figures.get("lod"), figures.get("loq")
    if lod is not None and loq is not None and lod > loq:
        raise Invalid(Reason("lod-above-loq", f"the LOD {lod} is above the LOQ {loq}", "lod"))
    low, high = figures.get("linear_low"), figures.get("linear_high")
    if (low, high) == (None, None):
        pass
    elif test.result != "numeric" or low is None or high is None or low >= high:
        text = "a linear range has a lower and a higher end, and only numbers have one"
        raise Invalid(Reason("linear-range-odd", text, "linear_low"))
    if validated_for and validation is not Validation.VALIDATED:
        raise Invalid(Reason("validation-odd", "only a validated method is validated for something", "validated_for"))


def refuse_odd_alert(criterion: Criterion, lower: str | None, upper: str | None, field: str) -> None:
    """An alert limit is a number inside the limit it warns of."""
    sides = (("alert_lower", lower, criterion.lower, 1), ("alert_upper", upper, criterion.upper, -1))
    for name, text, limit, inwards in sides:
        if not text:
            continue
        number = parse_decimal(text, f"{field}.{name}")
        if limit is None or (number - Decimal(limit)) * inwards < 0:
            told = f"an alert limit lies inside a limit of the same side; {text} does not"
            raise Invalid(Reason("alert-outside-limit", told, f"{field}.{name}"))


def checks_text(checks: tuple[Check, ...]) -> str | None:
    """The checks of a method as stored; None without any. Each name stands once."""
    if len({one.name for one in checks}) != len(checks):
        raise Invalid(Reason("check-twice", "two checks of the method have the same name", "suitability"))
    return json.dumps([one.model_dump(mode="json") for one in checks]) if checks else None


def checks_of(method: Method) -> tuple[Check, ...]:
    """The checks that a run of the method must pass."""
    return tuple(Check.model_validate(one) for one in json.loads(method.suitability or "[]"))


def validated_for(method: Method) -> tuple[str, ...]:
    """Product codes and kinds of lots that the method is validated for."""
    return tuple(json.loads(method.validated_for or "[]"))


def why_not_rapid(method: Method, product_code: str | None, kind: LotKind) -> Reason | None:
    """Why a rapid method may not be used for this lot: it is not validated for it."""
    if method.test_code not in RAPID:
        return None
    if method.validation is Validation.VALIDATED and {product_code, kind.value} & set(validated_for(method)):
        return None
    told = f"{method.label} is rapid and counts only where it is validated for what is tested: {product_code or kind.value}"
    return Reason("rapid-not-validated", told, "method_code")


def within_linear_range(method: Method, measured: Reportable, unit: str) -> NotReportable | None:
    """Why nothing can be reported: a reading, as the instrument gave it, lies outside the linear range."""
    low, high = method.linear_low, method.linear_high
    if low is None or high is None:
        return None
    for text in measured.replicates:
        entry = parse_entry(text, unit)
        if isinstance(entry, Numeric):
            inside = low <= entry.value <= high
        else:
            inside = not isinstance(entry, Censored) or (entry.comparator == "<" and entry.bound <= high)
        if not inside:
            why = f"{text} is outside the linear range {low:f} to {high:f} of {method.label}: dilute and measure again"
            return NotReportable(why=why)
    return None
