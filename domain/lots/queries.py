"""Products and lots as lists."""

import json
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated

import sqlalchemy as sa
from pydantic import BeforeValidator
from sqlmodel import Session, col, select

from domain.errors import NotFound, Reason
from domain.lots.lifecycle import state_on
from domain.lots.models import Lot, LotKind, LotState, Product, RegulatoryStatus, Route
from domain.work import View

MOST = 200

#: An empty answer, of a product that was defined before the question was asked, is no.
YesOrNo = Annotated[bool, BeforeValidator(bool)]
#: Codes that a row keeps as a JSON list; empty is none.
Codes = Annotated[
    tuple[str, ...],
    BeforeValidator(lambda kept: json.loads(kept or "[]") if kept is None or isinstance(kept, str) else kept),
]


class ProductView(View):
    """A product; volumes in mL, storage in Cel, shelf life in months."""

    code: str
    name_en: str
    name_de: str
    gtin: str | None
    lot_series: str
    form_en: str
    form_de: str
    composition: str
    container: str
    fill_volume: Decimal
    reconstitution_volume: Decimal
    diluent_en: str
    diluent_de: str
    route: Route
    label_particles: Decimal | None
    shelf_life_months: int
    storage_low: Decimal
    storage_high: Decimal
    regulatory_status: RegulatoryStatus
    authorisation: str | None
    batch_certificate: YesOrNo
    look_up_code: YesOrNo
    release_signatures: int | None
    expiry_extension_months: int | None
    late_tests: Codes
    late_days: int | None


class LotRow(View):
    """A lot in a list; quantities in `unit`; the state is that of today."""

    lot_number: str
    kind: LotKind
    state: LotState
    product_code: str | None
    description: str
    supplier: str | None
    supplier_lot_number: str | None
    quantity: Decimal | None
    quantity_left: Decimal | None
    unit: str
    manufactured_on: date | None
    expires_on: date | None
    created_at: datetime


class LotsFound(View):
    """A page of lots, newest first; `next` is the `after` of the following page."""

    lots: tuple[LotRow, ...]
    next: str | None


def products(session: Session) -> list[ProductView]:
    """All products by code."""
    return [ProductView.model_validate(one) for one in session.exec(select(Product).order_by(Product.code))]


def product_coded(session: Session, code: str) -> ProductView:
    """One product. Raises NotFound."""
    if product := session.exec(select(Product).where(Product.code == code)).first():
        return ProductView.model_validate(product)
    raise NotFound(Reason("product-not-found", f"there is no product {code!r}", "code"))


def lot_row(lot: Lot, product_code: str | None, today: date) -> LotRow:
    """A lot as shown, in its state of today."""
    facts = {name: getattr(lot, name) for name in LotRow.model_fields if name not in ("state", "product_code")}
    return LotRow(**facts, state=state_on(lot.state, lot.expires_on, today), product_code=product_code)


def lot_numbered(session: Session, lot_number: str, today: date) -> LotRow:
    """One lot, in its state of today. Raises NotFound."""
    found = select(Lot, Product.code).outerjoin(Product, col(Lot.product_id) == Product.id)
    if row := session.exec(found.where(Lot.lot_number == lot_number)).first():
        return lot_row(row[0], row[1], today)
    raise NotFound(Reason("lot-not-found", f"there is no lot {lot_number!r}", "lot_number"))


def lot_id_of(session: Session, lot_number: str) -> int:
    """The id of a lot. Raises NotFound."""
    if (found := session.exec(select(Lot.id).where(Lot.lot_number == lot_number)).first()) is not None:
        return found
    raise NotFound(Reason("lot-not-found", f"there is no lot {lot_number!r}", "lot_number"))


def find_lots(
    session: Session,
    today: date,
    *,
    state: LotState | None = None,
    kind: LotKind | None = None,
    text: str = "",
    after: str | None = None,
    limit: int = 50,
) -> LotsFound:
    """Lots by state of today, kind, and text (in the number, the supplier's number, the description or the product's code)."""
    found = select(Lot, Product.code).outerjoin(Product, col(Lot.product_id) == Product.id)
    if kind is not None:
        found = found.where(Lot.kind == kind)
    if state is not None:
        found = found.where(_in_state(state, today))
    if text.strip():
        columns = (Lot.lot_number, Lot.supplier_lot_number, Lot.description, Product.code)
        found = found.where(sa.or_(*(col(one).icontains(text.strip(), autoescape=True) for one in columns)))
    if after is not None:
        found = found.where(col(Lot.id) < select(Lot.id).where(Lot.lot_number == after).scalar_subquery())
    limit = max(1, min(limit, MOST))
    rows = session.exec(found.order_by(col(Lot.id).desc()).limit(limit + 1)).all()
    shown = tuple(lot_row(lot, code, today) for lot, code in rows[:limit])
    return LotsFound(lots=shown, next=shown[-1].lot_number if len(rows) > limit else None)


def _in_state(state: LotState, today: date) -> sa.ColumnElement[bool]:
    """The same rule as `lifecycle.state_on`, as SQL."""
    expirable = (LotState.QUARANTINE, LotState.UNDER_TEST, LotState.QA_REVIEW, LotState.RELEASED)
    expired = sa.and_(col(Lot.state).in_(expirable), col(Lot.expires_on) < today)
    if state is LotState.EXPIRED:
        return expired
    not_expired = sa.or_(col(Lot.expires_on).is_(None), col(Lot.expires_on) >= today)
    return sa.and_(col(Lot.state) == state, not_expired) if state in expirable else col(Lot.state) == state
