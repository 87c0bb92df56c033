"""Conditional releases: what a lot was released before, until when it is awaited, and whether it came."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlmodel import Session, col, select

from domain.lots.models import ConditionalRelease, ConditionMet, Lot, Product


@dataclass(frozen=True, slots=True)
class Awaited:
    """The tests (codes) whose results a release did not wait for, and the last day that they may come on."""

    tests: tuple[str, ...]
    due_on: date

    def overdue(self, today: date) -> bool:
        """Whether that day is over: without the results the lot is not usable any more."""
        return today > self.due_on


def awaited_of(row: ConditionalRelease) -> Awaited:
    """What a release awaits, or awaited."""
    return Awaited(tuple(json.loads(row.awaited)), row.due_on)


def conditional_release(session: Session, lot_id: int) -> tuple[ConditionalRelease, ConditionMet | None] | None:
    """The conditional release of a lot and its completion; None for a lot that was never released so."""
    found = select(ConditionalRelease, ConditionMet).outerjoin(
        ConditionMet, col(ConditionMet.conditional_id) == ConditionalRelease.id
    )
    row = session.exec(found.where(ConditionalRelease.lot_id == lot_id)).first()
    return (row[0], row[1]) if row else None


def still_awaited(session: Session, lot_id: int) -> Awaited | None:
    """What the release of a lot still awaits."""
    found = conditional_release(session, lot_id)
    return awaited_of(found[0]) if found and found[1] is None else None


def may_come_late(session: Session, lot: Lot) -> tuple[str, ...]:
    """The tests that the lot's product lets come after a release."""
    product = session.get(Product, lot.product_id) if lot.product_id else None
    return late_tests(product)


def late_tests(product: Product | None) -> tuple[str, ...]:
    """The tests that a product lets come late; none unless QA approved it."""
    return tuple(json.loads(product.late_tests)) if product and product.late_tests else ()


def open_conditions(session: Session) -> Sequence[tuple[ConditionalRelease, Lot]]:
    """Every lot that still awaits results, the one due first first."""
    met = select(ConditionMet.id).where(ConditionMet.conditional_id == ConditionalRelease.id)
    found = select(ConditionalRelease, Lot).join(Lot, col(ConditionalRelease.lot_id) == Lot.id).where(~met.exists())
    return session.exec(found.order_by(col(ConditionalRelease.due_on), col(ConditionalRelease.id))).all()
