"""Methods and specifications as shown."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal

from sqlmodel import Session, col, select

from domain.errors import NotFound, Reason
from domain.laboratory.models import (
    LotSpecification,
    Method,
    Purpose,
    Specification,
    SpecificationApproval,
    SpecificationLine,
)
from domain.laboratory.reportable import Rule
from domain.laboratory.specifications import criterion_of
from domain.laboratory.verdict import CriterionKind, Rounding, describe
from domain.lots.models import Lot, LotKind, LotState, Product
from domain.work import View


class MethodView(View):
    """A revision of a method."""

    code: str
    revision: int
    label: str
    test_code: str
    name: str
    principle: str
    instrument: str
    reference: str | None
    lod: Decimal | None
    loq: Decimal | None
    replicates: int
    rule: Rule
    minimum_days: int | None
    limitation_en: str
    limitation_de: str
    defined_at: datetime


class SpecificationLineView(View):
    """A criterion; limits as approved, letter by letter."""

    position: int
    test_code: str
    method: str | None
    kind: CriterionKind
    lower: str | None
    upper: str | None
    unit: str | None
    rounding: Rounding
    required: bool
    criterion_en: str
    criterion_de: str


class SpecificationView(View):
    """A revision of a specification; `approved_at` is empty while it is a draft."""

    code: str
    revision: int
    label: str
    product_code: str
    purpose: Purpose
    effective_from: date
    drafted_at: datetime
    approved_at: datetime | None
    lines: tuple[SpecificationLineView, ...]


def methods(session: Session) -> list[MethodView]:
    """Every revision, newest first within a code."""
    found = session.exec(select(Method).order_by(Method.test_code, Method.code, col(Method.revision).desc()))
    return [MethodView.model_validate(one) for one in found]


def specifications(session: Session) -> list[SpecificationView]:
    """Every revision, in four statements."""
    return _shown(
        session,
        session.exec(select(Specification).order_by(Specification.code, col(Specification.revision).desc())).all(),
    )


def specification_file(session: Session, code: str, revision: int) -> SpecificationView:
    """One revision. Raises NotFound."""
    found = session.exec(
        select(Specification).where(Specification.code == code, Specification.revision == revision)
    ).all()
    if not found:
        raise NotFound(Reason("specification-not-found", f"there is no specification {code} v{revision}", "code"))
    return _shown(session, found)[0]


def _shown(session: Session, found: Sequence[Specification]) -> list[SpecificationView]:
    ids = [one.key for one in found]
    rows = session.exec(
        select(SpecificationLine, Method)
        .outerjoin(Method, col(SpecificationLine.method_id) == Method.id)
        .where(col(SpecificationLine.specification_id).in_(ids))
        .order_by(col(SpecificationLine.position))
    ).all()
    approvals = session.exec(
        select(SpecificationApproval).where(col(SpecificationApproval.specification_id).in_(ids))
    ).all()
    approved = {one.specification_id: one.approved_at for one in approvals}
    codes = dict(session.exec(select(Product.id, Product.code)).all())
    return [
        SpecificationView(
            code=one.code,
            revision=one.revision,
            label=one.label,
            product_code=codes[one.product_id],
            purpose=one.purpose,
            effective_from=one.effective_from,
            drafted_at=one.drafted_at,
            approved_at=approved.get(one.key),
            lines=tuple(_line(line, method) for line, method in rows if line.specification_id == one.id),
        )
        for one in found
    ]


def _line(line: SpecificationLine, method: Method | None) -> SpecificationLineView:
    facts = ("position", "test_code", "kind", "lower", "upper", "unit", "rounding", "required")
    criterion = describe(criterion_of(line))
    return SpecificationLineView(
        **{name: getattr(line, name) for name in facts},
        method=method.label if method else None,
        criterion_en=criterion[0],
        criterion_de=criterion[1],
    )


class TouchedLot(View):
    """A lot that is open and judged by an earlier revision, which stays pinned to it."""

    lot_number: str
    state: LotState
    specification: str


def open_lots_touched(session: Session, code: str, revision: int) -> list[TouchedLot]:
    """Open lots of the product that are pinned to another revision of the code, or to none yet: what an approval should know."""
    found = session.exec(
        select(Specification).where(Specification.code == code, Specification.revision == revision)
    ).first()
    if found is None:
        raise NotFound(Reason("specification-not-found", f"there is no specification {code} v{revision}", "code"))
    over = (LotState.RELEASED, LotState.REJECTED, LotState.RECALLED)
    lots = select(Lot).where(
        Lot.product_id == found.product_id, Lot.kind == LotKind.DRUG_PRODUCT, col(Lot.state).not_in(over)
    )
    pinned = session.exec(
        select(LotSpecification.lot_id, Specification)
        .join(Specification, col(LotSpecification.specification_id) == Specification.id)
        .where(Specification.code == code)
    ).all()
    labels = {lot_id: one.label for lot_id, one in pinned}
    return [
        TouchedLot(lot_number=lot.lot_number, state=lot.state, specification=labels.get(lot.key, ""))
        for lot in session.exec(lots.order_by(Lot.lot_number))
    ]
