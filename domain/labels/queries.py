"""The labels of a lot as shown: prints, reconciliations, and what is still open."""

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlmodel import Session, col, select

from domain.errors import NotFound, Reason
from domain.labels.compose import product_labels
from domain.labels.content import LabelContent, LabelKind, LabelLanguage
from domain.labels.models import Kind, LabelPrint, LabelReconciliation
from domain.laboratory.models import Sample
from domain.lots.lifecycle import state_on
from domain.lots.models import Lot, Yield
from domain.manufacturing.models import Step
from domain.manufacturing.readings import current_values
from domain.people.models import User
from domain.work import Site, View


class PrintView(View):
    """A print of labels, with its files; `reprint_of`: the print before."""

    id: int
    kind: Kind
    template: str
    language: str
    count: int
    first_serial: int | None
    last_serial: int | None
    expires_on: date | None
    sample_number: str | None
    reprint_of: int | None
    reason: str
    printed_at: datetime
    printed_by: str
    content_sha256: str
    pdf_sha256: str
    zpl_sha256: str


class ReconciliationView(View):
    """Labels of a kind accounted for. `counts`: it is the newest, and nothing was printed since. difference: printed less accounted for."""

    kind: Kind
    printed: int
    applied: int
    destroyed: int
    sample_attached: int
    difference: int
    explanation: str
    reconciled_at: datetime
    reconciled_by: str
    counts: bool


class OpenReason(View):
    """What is not settled about the labels of a lot."""

    code: str
    text: str


class LabelsView(View):
    """Everything about the labels of a lot, prints and reconciliations oldest first."""

    lot_number: str
    prints: tuple[PrintView, ...]
    reconciliations: tuple[ReconciliationView, ...]
    open: tuple[OpenReason, ...]


def prints_of(session: Session, lot_id: int, kind: Kind, sample_id: int | None = None) -> list[LabelPrint]:
    """The prints of a kind for a lot (or for one of its samples), oldest first."""
    found = select(LabelPrint).where(LabelPrint.lot_id == lot_id, LabelPrint.kind == kind)
    if sample_id is not None:
        found = found.where(LabelPrint.sample_id == sample_id)
    return list(session.exec(found.order_by(col(LabelPrint.id))))


def print_numbered(session: Session, lot_number: str, print_id: int) -> LabelPrint:
    """A print of labels for a lot. Raises NotFound."""
    found = select(LabelPrint).join(Lot, col(LabelPrint.lot_id) == Lot.id)
    one = session.exec(found.where(Lot.lot_number == lot_number, LabelPrint.id == print_id)).first()
    if one is None:
        text = f"there is no print {print_id} of labels for lot {lot_number!r}"
        raise NotFound(Reason("label-print-not-found", text, "print_id"))
    return one


def _with_names(where: Any) -> Any:
    """Prints with who printed them and the sample they are for."""
    return (
        select(LabelPrint, User.name, Sample.number)
        .join(User, col(LabelPrint.printed_by) == User.id)
        .outerjoin(Sample, col(LabelPrint.sample_id) == Sample.id)
        .where(where)
        .order_by(col(LabelPrint.id))
    )


def print_shown(session: Session, print_id: int) -> PrintView:
    """A print as shown, just made."""
    return _print_view(*session.exec(_with_names(col(LabelPrint.id) == print_id)).one())


def labels_of(session: Session, lot_number: str) -> LabelsView:
    """Prints, reconciliations and what is open. Raises NotFound."""
    lot = lot_numbered(session, lot_number)
    prints = session.exec(_with_names(col(LabelPrint.lot_id) == lot.key)).all()
    found = _reconciliations(session, lot.key)
    people = select(LabelReconciliation.id, User.name).join(User, col(LabelReconciliation.reconciled_by) == User.id)
    by = dict(session.exec(people.where(LabelReconciliation.lot_id == lot.key)).all())
    counting = {one.kind: one.id for one in found if _covers(one, [row[0] for row in prints])}
    return LabelsView(
        lot_number=lot.lot_number,
        prints=tuple(_print_view(*row) for row in prints),
        reconciliations=tuple(
            ReconciliationView(
                **{name: getattr(one, name) for name in _RECONCILED},
                reconciled_by=by[one.key],
                counts=counting.get(one.kind) == one.id,
            )
            for one in found
        ),
        open=tuple(OpenReason(code=reason.code, text=reason.text) for reason in open_labels(session, lot.key)),
    )


def lot_numbered(session: Session, lot_number: str) -> Lot:
    """The lot. Raises NotFound."""
    if lot := session.exec(select(Lot).where(Lot.lot_number == lot_number)).first():
        return lot
    raise NotFound(Reason("lot-not-found", f"there is no lot {lot_number!r}", "lot_number"))


def label_preview(
    session: Session, site: Site, lot_number: str, kind: LabelKind, language: LabelLanguage
) -> LabelContent:
    """What a label of a lot would say if it were printed now. Raises as the print would."""
    lot = lot_numbered(session, lot_number)
    state = state_on(lot.state, lot.expires_on, site.today())
    return product_labels(session, site, lot, state, kind, language, 1, None)


_RECONCILED = (
    "kind",
    "printed",
    "applied",
    "destroyed",
    "sample_attached",
    "difference",
    "explanation",
    "reconciled_at",
)


def _print_view(one: LabelPrint, printed_by: str, sample_number: str | None) -> PrintView:
    same = [name for name in PrintView.model_fields if name not in ("reprint_of", "printed_by", "sample_number")]
    return PrintView(
        **{name: getattr(one, name) for name in same},
        reprint_of=one.reprint_of_id,
        printed_by=printed_by,
        sample_number=sample_number,
    )


def open_labels(session: Session, lot_id: int) -> list[Reason]:
    """Everything that is not settled about the labels printed here for a lot; empty where none were printed.

    Prints not accounted for since, labels that say another expiry than the lot has, and counts that are not those of its packaging.
    """
    lot = session.get_one(Lot, lot_id)
    prints = list(session.exec(select(LabelPrint).where(LabelPrint.lot_id == lot_id).order_by(col(LabelPrint.id))))
    return list(_open(session, lot, [one for one in prints if one.kind is not Kind.SAMPLE]))


def _open(session: Session, lot: Lot, prints: list[LabelPrint]) -> Iterator[Reason]:
    settled = {one.kind: one for one in _reconciliations(session, lot.key) if _covers(one, prints)}
    for kind in dict.fromkeys(one.kind for one in prints):
        of_kind = [one for one in prints if one.kind is kind]
        if kind not in settled:
            count = sum(one.count for one in of_kind)
            yield Reason(
                "labels-open", f"{count} {kind.value} labels printed for lot {lot.lot_number} are not accounted for"
            )
        newest = of_kind[-1]
        if lot.expires_on is not None and newest.expires_on != lot.expires_on:
            text = f"the newest {kind.value} labels of lot {lot.lot_number} say that it expires on {newest.expires_on}, not on {lot.expires_on}"
            yield Reason("label-expiry-differs", text)
    yield from _against_packaging(
        session, lot, [one for one in prints if one.kind is Kind.VIAL], settled.get(Kind.VIAL)
    )


#: What the packaging step records of labels, and what it is called here.
_READINGS = {"labels_applied": "applied", "labels_destroyed": "destroyed", "labels_sample_attached": "sample_attached"}


def _against_packaging(
    session: Session, lot: Lot, prints: list[LabelPrint], settled: LabelReconciliation | None
) -> Iterator[Reason]:
    """Counts of vial labels that are not those recorded in packaging.

    Where none were printed here before it ended, it speaks of what was printed next. Labels printed later still were not known there: they
    explain differences up to their own number.
    """
    step = session.exec(select(Step).join(Yield).where(col(Yield.lot_id) == lot.key)).first()
    if step is None or step.kind != "packaging" or not prints:
        return
    recorded = {code: value for code, value in current_values(session, step.key).items() if isinstance(value, Decimal)}
    then = _printed_for(prints, step.end_recorded_at, recorded.get("labels_printed", Decimal(0)))
    since = sum(one.count for one in prints) - then
    told = {"labels_printed": (then, 0)}
    if settled is not None:
        told |= {reading: (getattr(settled, name), since) for reading, name in _READINGS.items()}
    for reading, (count, later) in told.items():
        if reading in recorded and not count - later <= recorded[reading] <= count:
            what = reading.replace("_", " ")
            text = f"step {step.number} records {recorded[reading]} {what}, and the prints and their reconciliation give {count}"
            yield Reason("labels-disagree", text)


def _printed_for(prints: list[LabelPrint], ended: datetime | None, recorded: Decimal) -> int:
    """How many labels the packaging speaks of: those printed before its end, or, where there were none, as many prints as reach its count."""
    before = [one.count for one in prints if ended is None or one.printed_at <= ended]
    if before:
        return sum(before)
    count = 0
    for one in prints:
        if count and count >= recorded:
            break
        count += one.count
    return count


def _reconciliations(session: Session, lot_id: int) -> list[LabelReconciliation]:
    found = select(LabelReconciliation).where(LabelReconciliation.lot_id == lot_id)
    return list(session.exec(found.order_by(col(LabelReconciliation.id))))


def _covers(one: LabelReconciliation, prints: list[LabelPrint]) -> bool:
    """Whether nothing of its kind was printed after it."""
    return one.last_print_id == max((print_.key for print_ in prints if print_.kind is one.kind), default=None)
