"""Acts on methods and specifications: defined by one person, approved by another's signature, never edited."""

import json
from collections.abc import Iterator
from datetime import date

from pydantic import Field, ValidationError
from sqlmodel import Session, col, select

from domain.errors import Conflict, Invalid, NotFound, Reason, Refused, refuse_if_any
from domain.laboratory.catalogue import test as catalogue_test
from domain.laboratory.methods import refuse_odd_alert
from domain.laboratory.models import (
    Method,
    MethodApproval,
    Purpose,
    Specification,
    SpecificationApproval,
    SpecificationLine,
)
from domain.laboratory.verdict import Criterion, CriterionKind, Rounding
from domain.lots.models import LotKind, Product
from domain.permissions import Permission
from domain.quantities import UnitCode
from domain.signatures import Credentials, Meaning, sign
from domain.work import Command, Work, operation


class LineDraft(Command):
    """One criterion; limits are text, as they shall be printed (`0.50` is not `0.5`)."""

    test_code: str
    method_code: str | None = Field(default=None, description="the newest revision is pinned; derived tests have none")
    kind: CriterionKind
    lower: str | None = None
    upper: str | None = None
    unit: UnitCode | None = None
    allowed: tuple[str, ...] = ()
    rounding: Rounding = Rounding.USP_DECIMALS
    required: bool = True
    alert_lower: str | None = Field(
        default=None, description="internal: opens an alert, holds nothing, is never printed"
    )
    alert_upper: str | None = None


class DraftSpecification(Command):
    """Write a specification, or its next revision."""

    code: str = Field(pattern=r"^[A-Z0-9][A-Z0-9.-]{1,29}$", examples=["SPEC-AD-EV-100"])
    product_code: str
    purpose: Purpose = Purpose.RELEASE
    market: str = Field(default="", max_length=60, description="market or route, where the product has several")
    stage: LotKind | None = Field(default=None, description="of an in-process specification: the kind of lot it judges")
    controlled: bool = Field(default=False, description="every method it names must be approved by QA")
    effective_from: date
    lines: tuple[LineDraft, ...] = Field(min_length=1, max_length=200)


class ApproveSpecification(Command):
    """Approve a revision with a signature."""

    code: str
    revision: int
    credentials: Credentials


@operation(Permission.DRAFT_SPECIFICATION)
def draft_specification(work: Work, command: DraftSpecification) -> Specification:
    """A criterion that could not be judged cannot be drafted; a revision is a new row, the old one stays."""
    product = work.session.exec(select(Product).where(Product.code == command.product_code)).first()
    if product is None:
        raise NotFound(Reason("product-not-found", f"there is no product {command.product_code!r}", "product_code"))
    earlier = work.session.exec(
        select(Specification).where(Specification.code == command.code).order_by(col(Specification.revision).desc())
    ).first()
    if earlier is not None and earlier.product_id != product.id:
        raise Conflict(Reason("specification-of-other-product", f"{command.code} belongs to another product", "code"))
    if command.stage is not None and command.purpose is not Purpose.IN_PROCESS:
        text = "only an in-process specification is for a kind of lot; the others judge the drug product"
        raise Invalid(Reason("stage-not-in-process", text, "stage"))
    if not command.controlled and _once_controlled(work.session, product):
        text = f"{product.code} has a specification whose methods QA approves; a later one cannot ask for less"
        raise Refused(Reason("controlled-once", text, "controlled"))
    specification = work.add(
        Specification(
            code=command.code,
            revision=earlier.revision + 1 if earlier else 1,
            product_id=product.key,
            purpose=command.purpose,
            market=command.market or None,
            stage=command.stage,
            controlled=command.controlled or None,
            effective_from=command.effective_from,
            drafted_at=work.now,
            drafted_by=work.actor.person,
        )
    )
    for position, draft in enumerate(command.lines, 1):
        work.add(_line(work.session, specification, position, draft))
    return specification


def _line(session: Session, specification: Specification, position: int, draft: LineDraft) -> SpecificationLine:
    field = f"lines.{position - 1}"
    test = catalogue_test(draft.test_code)
    unit = draft.unit or (
        test.unit if draft.kind in (CriterionKind.AT_MOST, CriterionKind.AT_LEAST, CriterionKind.BETWEEN) else None
    )
    try:
        criterion = Criterion(
            kind=draft.kind,
            lower=draft.lower,
            upper=draft.upper,
            unit=unit,
            allowed=draft.allowed,
            rounding=draft.rounding,
        )
    except ValidationError as error:
        told = "; ".join(str(one["msg"]).removeprefix("Value error, ") for one in error.errors())
        raise Invalid(Reason("criterion-not-judgeable", f"{test.code}: {told}", field)) from None
    if strange := [term for term in criterion.allowed if term not in test.terms]:
        text = f"{test.code} is never {', '.join(strange)}; it can be {', '.join(test.terms) or 'a number'}"
        raise Invalid(Reason("unknown-term", text, f"{field}.allowed"))
    if not draft.required and draft.kind is not CriterionKind.REPORT_ONLY:
        raise Invalid(
            Reason("judged-lines-are-required", f"{test.code}: a line with a criterion cannot be optional", field)
        )
    refuse_odd_alert(criterion, draft.alert_lower, draft.alert_upper, field)
    method = _newest_method(session, draft, field)
    return SpecificationLine(
        specification_id=specification.key,
        position=position,
        test_code=test.code,
        method_id=method.id if method else None,
        kind=criterion.kind,
        lower=criterion.lower,
        upper=criterion.upper,
        unit=criterion.unit,
        allowed=json.dumps(criterion.allowed),
        rounding=criterion.rounding,
        required=draft.required,
        alert_lower=draft.alert_lower or None,
        alert_upper=draft.alert_upper or None,
    )


def _once_controlled(session: Session, product: Product) -> bool:
    """Whether the product has ever had an approved specification that asks for approved methods."""
    found = (
        select(Specification.id)
        .join(SpecificationApproval, col(SpecificationApproval.specification_id) == Specification.id)
        .where(Specification.product_id == product.id, col(Specification.controlled).is_(True))
    )
    return session.exec(found.limit(1)).first() is not None


def _newest_method(session: Session, draft: LineDraft, field: str) -> Method | None:
    if (draft.method_code is None) != (catalogue_test(draft.test_code).derived is not None):
        raise Invalid(
            Reason(
                "method-needed", f"{draft.test_code}: a measured test names its method, a derived one has none", field
            )
        )
    if draft.method_code is None:
        return None
    newest = select(Method).where(Method.code == draft.method_code).order_by(col(Method.revision).desc())
    method = session.exec(newest).first()
    if method is None or method.test_code != draft.test_code:
        raise NotFound(
            Reason("method-not-found", f"there is no method {draft.method_code!r} for {draft.test_code}", field)
        )
    return method


@operation(Permission.APPROVE_SPECIFICATION)
def approve_specification(work: Work, command: ApproveSpecification) -> SpecificationApproval:
    """Nobody approves what they drafted."""
    found = select(Specification).where(Specification.code == command.code, Specification.revision == command.revision)
    specification = work.session.exec(found).first()
    if specification is None:
        raise NotFound(
            Reason("specification-not-found", f"there is no specification {command.code} v{command.revision}", "code")
        )
    if specification.drafted_by == work.actor.user_id:
        raise Refused(
            Reason("not-by-same-person", f"{work.actor.name} drafted {specification.label} and so may not approve it")
        )
    approved = select(SpecificationApproval.id).where(SpecificationApproval.specification_id == specification.id)
    if work.session.exec(approved).first() is not None:
        raise Conflict(Reason("approved-already", f"{specification.label} is approved already"))
    if specification.controlled:
        refuse_if_any(_not_approved(work.session, specification))
    content = specification_content(work.session, specification)
    signature = sign(work, specification, content, Meaning.APPROVED, command.credentials)
    return work.add(
        SpecificationApproval(specification_id=specification.key, signature_id=signature.key, approved_at=work.now)
    )


def _not_approved(session: Session, specification: Specification) -> Iterator[Reason]:
    """The methods of a controlled specification that QA has not approved."""
    lines = (
        select(Method, MethodApproval)
        .join(SpecificationLine, col(SpecificationLine.method_id) == Method.id)
        .outerjoin(MethodApproval, col(MethodApproval.method_id) == Method.id)
        .where(SpecificationLine.specification_id == specification.id)
        .order_by(col(SpecificationLine.position))
    )
    rows: list[tuple[Method, MethodApproval | None]] = list(session.exec(lines).all())
    for method, approval in rows:
        if approval is None:
            yield Reason(
                "method-not-approved", f"QA has not approved {method.label}, the method for {method.test_code}"
            )


def lines_of(session: Session, specification_id: int) -> list[SpecificationLine]:
    """The lines in their order."""
    lines = select(SpecificationLine).where(SpecificationLine.specification_id == specification_id)
    return list(session.exec(lines.order_by(col(SpecificationLine.position))))


def criterion_of(line: SpecificationLine) -> Criterion:
    """The line as the verdict function takes it."""
    return Criterion(
        kind=line.kind,
        lower=line.lower,
        upper=line.upper,
        unit=line.unit,
        allowed=tuple(json.loads(line.allowed)),
        rounding=line.rounding,
    )


def specification_content(session: Session, specification: Specification) -> dict[str, object]:
    """What a signature on a specification covers."""
    lines = [
        {
            **criterion_of(line).model_dump(mode="json"),
            "test": line.test_code,
            "method": line.method_id,
            "required": line.required,
            **{name: getattr(line, name) for name in ("alert_lower", "alert_upper") if getattr(line, name)},
        }
        for line in lines_of(session, specification.key)
    ]
    return {
        "specification": specification.label,
        "purpose": specification.purpose.value,
        "effective_from": specification.effective_from.isoformat(),
        "lines": lines,
        **{
            name: getattr(specification, name)
            for name in ("market", "stage", "controlled")
            if getattr(specification, name)
        },
    }


def effective_specifications(
    session: Session, product_id: int, purpose: Purpose, on: date, stage: LotKind | None = None
) -> list[Specification]:
    """The newest approved revision in force on that day for each market; the one for no market in particular comes first."""
    found = (
        select(Specification)
        .join(SpecificationApproval, col(SpecificationApproval.specification_id) == Specification.id)
        .where(
            Specification.product_id == product_id,
            Specification.purpose == purpose,
            col(Specification.effective_from) <= on,
        )
        .order_by(col(Specification.effective_from).desc(), col(Specification.id).desc())
    )
    newest: dict[str, Specification] = {}
    for one in session.exec(found):
        if one.stage is None or one.stage == stage:
            newest.setdefault(one.market or "", one)
    return [newest[market] for market in sorted(newest)]
