"""The ledger of a raw material: receipt, consumption, sampling, correction, in the order in which they were recorded (21 CFR 211.184)."""

from datetime import date, datetime
from decimal import Decimal
from typing import Literal

from sqlmodel import Session, col, select

from domain.errors import NotFound, Reason
from domain.laboratory.models import Sample
from domain.lots.models import Consumption, Lot, LotKind, LotState
from domain.lots.queries import LotRow, lot_row
from domain.manufacturing.bill import first_to_expire, papers_of
from domain.manufacturing.execution_models import AnimalOrigin, StockCorrection
from domain.manufacturing.models import Step
from domain.people.models import User
from domain.work import View

Entry = Literal["receipt", "consumption", "sampling", "correction"]


class LedgerLine(View):
    """One line: what changed, by how much (in the lot's unit, negative for what was taken), and what was left then."""

    entry: Entry
    at: datetime
    change: Decimal
    balance: Decimal
    reference: str
    who: str
    reason: str


class PapersView(View):
    """The supplier's papers that count."""

    specification_code: str
    origin: AnimalOrigin
    species: str
    country: str
    certificate_sha256: str
    certificate_name: str
    filed_at: datetime
    filed_by: str


class MaterialFile(View):
    """A raw material: the lot, its papers, its ledger, and whether it is the one to take first."""

    lot: LotRow
    papers: PapersView | None
    ledger: tuple[LedgerLine, ...]
    first_to_expire: bool


class MaterialRow(View):
    """A raw material in a list."""

    lot: LotRow
    papers: bool
    first_to_expire: bool


def materials(session: Session, today: date, limit: int = 200) -> list[MaterialRow]:
    """Raw-material lots with something left, newest first."""
    found = select(Lot).where(Lot.kind == LotKind.RAW_MATERIAL).order_by(col(Lot.id).desc()).limit(min(limit, 500))
    return [
        MaterialRow(
            lot=lot_row(lot, None, today),
            papers=papers_of(session, lot.key) is not None,
            first_to_expire=_is_first(session, lot, today),
        )
        for lot in session.exec(found).all()
    ]


def material_file(session: Session, number: str, today: date) -> MaterialFile:
    """One raw material with its ledger. Raises NotFound."""
    lot = session.exec(select(Lot).where(Lot.lot_number == number, Lot.kind == LotKind.RAW_MATERIAL)).first()
    if lot is None:
        raise NotFound(Reason("lot-not-found", f"there is no raw material {number!r}", "lot_number"))
    papers = papers_of(session, lot.key)
    names = dict(session.exec(select(User.id, User.name)).all())
    facts = [name for name in PapersView.model_fields if name != "filed_by"]
    return MaterialFile(
        lot=lot_row(lot, None, today),
        papers=PapersView(**{name: getattr(papers, name) for name in facts}, filed_by=names[papers.filed_by])
        if papers
        else None,
        ledger=tuple(ledger(session, lot)),
        first_to_expire=_is_first(session, lot, today),
    )


def ledger(session: Session, lot: Lot) -> list[LedgerLine]:
    """Every movement of the lot; the last balance is what is left."""
    names = dict(session.exec(select(User.id, User.name)).all())
    received = lot.quantity or Decimal(0)
    moves: list[tuple[datetime, int, Entry, Decimal, str, int | None, str]] = [
        (lot.created_at, 0, "receipt", received, lot.supplier_lot_number or "", lot.created_by, "")
    ]
    taken = session.exec(select(Consumption, Step).join(Step).where(Consumption.lot_id == lot.id))
    moves += [
        (step.start_recorded_at, one.key, "consumption", -one.quantity, step.number, step.started_by, one.reason or "")
        for one, step in taken
    ]
    moves += [
        (one.recorded_at, one.key, "sampling", -one.quantity, one.number, one.taken_by, one.purpose)
        for one in session.exec(select(Sample).where(Sample.lot_id == lot.id))
    ]
    moves += [
        (one.corrected_at, one.key, "correction", one.counted - one.before, "", one.corrected_by, one.reason)
        for one in session.exec(select(StockCorrection).where(StockCorrection.lot_id == lot.id))
    ]
    lines, balance = list[LedgerLine](), Decimal(0)
    for at, _, entry, change, reference, who, reason in sorted(moves, key=lambda one: (one[0], one[1])):
        balance += change
        lines.append(
            LedgerLine(
                entry=entry, at=at, change=change, balance=balance, reference=reference,
                who=names.get(who, "") if who else "", reason=reason,
            )
        )  # fmt: skip
    return lines


def _is_first(session: Session, lot: Lot, today: date) -> bool:
    if lot.state is not LotState.RELEASED:
        return False
    ready = first_to_expire(session, lot.description, today)
    return bool(ready) and ready[0].id == lot.id
