"""Deviations and actions as they stand: the newest of every fact, with all of them as history."""

from datetime import date, datetime

import sqlalchemy as sa
from sqlmodel import Session, col, select

from domain.deviations.models import (
    CapaAction,
    CapaCheck,
    CapaCompletion,
    CapaKind,
    Deviation,
    DeviationClassification,
    DeviationClosure,
    DeviationInvestigation,
    DeviationLot,
    DeviationOrigin,
    DeviationOutcome,
    LotOutcome,
    RootCause,
    Severity,
)
from domain.deviations.operations import against_closure, closure_of, deviation_content, deviation_named
from domain.errors import NotFound, Reason
from domain.lots.genealogy import progeny
from domain.lots.models import Lot, LotKind, LotState
from domain.people.models import User
from domain.signatures import SignatureView, signatures_on
from domain.work import View

MOST = 500


class Fact(View):
    """Something that was recorded about a deviation: what kind of fact, by whom, when, in words."""

    kind: str
    text: str
    by: str
    at: datetime


class TouchedLot(View):
    """A lot that a deviation touches, and what is to become of it; `outcome` is empty while nobody has decided."""

    lot_number: str
    kind: LotKind
    state: LotState
    outcome: LotOutcome | None
    justification: str


class ProposedLot(View):
    """A lot that was made of one that is touched, and is not named itself yet."""

    lot_number: str
    kind: LotKind
    state: LotState


class CapaView(View):
    """An action. standing: `open`, `done` (to be checked), `effective` or `not_effective`; overdue: on the day asked about."""

    number: str
    deviation_number: str
    kind: CapaKind
    text: str
    owner: str
    due_on: date
    check_due_on: date
    standing: str
    overdue: bool
    evidence: str | None
    document_sha256: str | None
    completed_at: datetime | None
    finding: str | None
    checked_by: str | None
    follows: str | None


class DeviationRow(View):
    """A deviation in a list."""

    number: str
    code: str
    text: str
    origin: DeviationOrigin
    severity: Severity
    open: bool
    opened_at: datetime
    opened_by: str
    lot_numbers: tuple[str, ...]


class DeviationFile(View):
    """Everything about one deviation. missing: what stands in the way of its closure for whoever asks."""

    deviation: DeviationRow
    opened_severity: Severity
    happened_at: datetime
    classified: bool
    root_cause: RootCause | None
    root_cause_text: str
    lots: tuple[TouchedLot, ...]
    proposed: tuple[ProposedLot, ...]
    history: tuple[Fact, ...]
    actions: tuple[CapaView, ...]
    missing: tuple[str, ...]
    conclusion: str | None
    closed_at: datetime | None
    signatures: tuple[SignatureView, ...]


def find_deviations(
    session: Session, *, open_only: bool = False, lot_number: str | None = None, before: str | None = None
) -> tuple[DeviationRow, ...]:
    """The newest 500, or those of a lot; before: only numbers earlier than this one."""
    found = select(Deviation).order_by(col(Deviation.id).desc()).limit(MOST)
    if open_only:
        found = found.where(~select(DeviationClosure.id).where(DeviationClosure.deviation_id == Deviation.id).exists())
    if lot_number is not None:
        touched = select(DeviationLot.deviation_id).join(Lot).where(Lot.lot_number == lot_number)
        found = found.where(col(Deviation.id).in_(touched))
    if before is not None:
        found = found.where(
            col(Deviation.id) < select(Deviation.id).where(Deviation.number == before).scalar_subquery()
        )
    return _rows(session, list(session.exec(found).all()))


def _rows(session: Session, found: list[Deviation]) -> tuple[DeviationRow, ...]:
    """Three statements, however many there are."""
    ids = [one.key for one in found]
    closed = set(session.exec(select(DeviationClosure.deviation_id).where(col(DeviationClosure.deviation_id).in_(ids))))
    classified = select(DeviationClassification).where(col(DeviationClassification.deviation_id).in_(ids))
    severities = {
        one.deviation_id: one.severity for one in session.exec(classified.order_by(col(DeviationClassification.id)))
    }
    lots: dict[int, list[str]] = {}
    named = select(DeviationLot.deviation_id, Lot.lot_number).join(Lot).where(col(DeviationLot.deviation_id).in_(ids))
    for deviation_id, number in session.exec(named.order_by(col(Lot.id))):
        lots.setdefault(deviation_id, []).append(number)
    names = _names(session)
    return tuple(
        DeviationRow(
            number=one.number,
            code=one.code,
            text=one.text,
            origin=one.origin,
            severity=severities.get(one.key, one.severity),
            open=one.key not in closed,
            opened_at=one.opened_at,
            opened_by=names.get(one.opened_by or 0, "the system"),
            lot_numbers=tuple(lots.get(one.key, ())),
        )
        for one in found
    )


def deviation_file(session: Session, number: str, today: date, user_id: int | None = None) -> DeviationFile:
    """Raises NotFound."""
    one = deviation_named(session, number)
    names, closure = _names(session), closure_of(session, one)
    lots = _lots(session, one)
    facts = _history(session, one, names)
    cause = next((fact for fact in reversed(_investigations(session, one)) if fact.root_cause), None)
    content = deviation_content(session, one)
    return DeviationFile(
        deviation=_rows(session, [one])[0],
        opened_severity=one.severity,
        happened_at=one.happened_at,
        classified=any(fact.kind == "classification" for fact in facts),
        root_cause=cause.root_cause if cause else None,
        root_cause_text=cause.root_cause_text if cause else "",
        lots=lots,
        proposed=() if closure else _proposed(session, one),
        history=facts,
        actions=find_capa(session, today, deviation=one),
        missing=() if closure else tuple(reason.text for reason in against_closure(session, one, user_id)),
        conclusion=closure.conclusion if closure else None,
        closed_at=closure.closed_at if closure else None,
        signatures=tuple(
            signatures_on(session, one, {**content, "conclusion": closure.conclusion} if closure else None)
        ),
    )


def _lots(session: Session, one: Deviation) -> tuple[TouchedLot, ...]:
    decided: dict[int, DeviationOutcome] = {}
    outcomes = select(DeviationOutcome).where(DeviationOutcome.deviation_id == one.id)
    for outcome in session.exec(outcomes.order_by(col(DeviationOutcome.id))):
        decided[outcome.lot_id] = outcome
    found = select(Lot).join(DeviationLot).where(DeviationLot.deviation_id == one.id).order_by(col(Lot.id))
    return tuple(
        TouchedLot(
            lot_number=lot.lot_number,
            kind=lot.kind,
            state=lot.state,
            outcome=decided[lot.key].outcome if lot.key in decided else None,
            justification=decided[lot.key].justification if lot.key in decided else "",
        )
        for lot in session.exec(found)
    )


def _proposed(session: Session, one: Deviation) -> tuple[ProposedLot, ...]:
    touched = set(session.exec(select(DeviationLot.lot_id).where(DeviationLot.deviation_id == one.id)))
    below = progeny(session, *touched) - touched
    found = session.exec(select(Lot).where(col(Lot.id).in_(below)).order_by(col(Lot.id)).limit(200))
    return tuple(ProposedLot(lot_number=lot.lot_number, kind=lot.kind, state=lot.state) for lot in found)


def _investigations(session: Session, one: Deviation) -> list[DeviationInvestigation]:
    found = select(DeviationInvestigation).where(DeviationInvestigation.deviation_id == one.id)
    return list(session.exec(found.order_by(col(DeviationInvestigation.id))).all())


def _history(session: Session, one: Deviation, names: dict[int, str]) -> tuple[Fact, ...]:
    """Every fact in the order of its time."""
    by = names.get(one.opened_by or 0, "the system")
    facts = [Fact(kind="opened", text=f"{one.severity.value}: {one.text}", by=by, at=one.opened_at)]
    classified = select(DeviationClassification).where(DeviationClassification.deviation_id == one.id)
    for said in session.exec(classified):
        text = f"{said.severity.value}: {said.reason}"
        facts.append(
            Fact(kind="classification", text=text, by=names.get(said.classified_by, "?"), at=said.classified_at)
        )
    added = select(DeviationLot, Lot.lot_number).join(Lot).where(DeviationLot.deviation_id == one.id)
    for touched, number in session.exec(added.where(col(DeviationLot.added_at).is_not(None))):
        assert touched.added_at is not None
        text, who = f"{number}: {touched.reason}", names.get(touched.added_by or 0, "?")
        facts.append(Fact(kind="lot_added", text=text, by=who, at=touched.added_at))
    for found in _investigations(session, one):
        cause = f" Root cause ({found.root_cause.value}): {found.root_cause_text}" if found.root_cause else ""
        who = names.get(found.investigated_by, "?")
        facts.append(Fact(kind="investigation", text=found.text + cause, by=who, at=found.investigated_at))
    decided = select(DeviationOutcome, Lot.lot_number).join(Lot).where(DeviationOutcome.deviation_id == one.id)
    for outcome, number in session.exec(decided):
        text = f"{number}, {outcome.outcome.value.replace('_', ' ')}: {outcome.justification}"
        facts.append(Fact(kind="outcome", text=text, by=names.get(outcome.decided_by, "?"), at=outcome.decided_at))
    if closure := closure_of(session, one):
        who = names.get(closure.closed_by, "?")
        facts.append(Fact(kind="closed", text=closure.conclusion, by=who, at=closure.closed_at))
    return tuple(sorted(facts, key=lambda fact: fact.at))


def capa_numbered(session: Session, number: str, today: date) -> CapaView:
    """One action. Raises NotFound."""
    if found := find_capa(session, today, number=number):
        return found[0]
    raise NotFound(Reason("capa-not-found", f"there is no action {number!r}", "number"))


def find_capa(
    session: Session,
    today: date,
    *,
    deviation: Deviation | None = None,
    number: str | None = None,
    overdue_only: bool = False,
) -> tuple[CapaView, ...]:
    """Actions, what is due first, first; those of one deviation, one alone, or those that are late."""
    found = (
        sa.select(CapaAction, CapaCompletion, CapaCheck, col(Deviation.number), col(User.name))
        .join(Deviation, col(CapaAction.deviation_id) == Deviation.id)
        .join(User, col(CapaAction.owner_id) == User.id)
        .outerjoin(CapaCompletion, col(CapaCompletion.action_id) == CapaAction.id)
        .outerjoin(CapaCheck, col(CapaCheck.action_id) == CapaAction.id)
        .order_by(col(CapaAction.due_on), col(CapaAction.id))
    )
    if deviation is not None:
        found = found.where(col(CapaAction.deviation_id) == deviation.id)
    if number is not None:
        found = found.where(col(CapaAction.number) == number)
    if overdue_only:
        late = (col(CapaCompletion.id).is_(None) & (col(CapaAction.due_on) < today)) | (
            col(CapaCompletion.id).is_not(None) & (col(CapaAction.check_due_on) < today)
        )
        found = found.where(col(CapaCheck.id).is_(None), late)
    names = _names(session)
    numbers = dict(session.exec(select(CapaAction.id, CapaAction.number)).all())
    return tuple(
        _capa(action, done, check, number, owner, today, names, numbers.get(action.follows_id))
        for action, done, check, number, owner in session.execute(found.limit(MOST))
    )


def _capa(
    action: CapaAction,
    done: CapaCompletion | None,
    check: CapaCheck | None,
    number: str,
    owner: str,
    today: date,
    names: dict[int, str],
    follows: str | None,
) -> CapaView:
    standing = "open" if done is None else "done"
    if check is not None:
        standing = "effective" if check.effective else "not_effective"
    due = {"open": action.due_on, "done": action.check_due_on}.get(standing)
    return CapaView(
        number=action.number,
        deviation_number=number,
        kind=action.kind,
        text=action.text,
        owner=owner,
        due_on=action.due_on,
        check_due_on=action.check_due_on,
        standing=standing,
        overdue=due is not None and due < today,
        evidence=done.evidence if done else None,
        document_sha256=done.document_sha256 if done else None,
        completed_at=done.completed_at if done else None,
        finding=check.finding if check else None,
        checked_by=names.get(check.checked_by) if check else None,
        follows=follows,
    )


def _names(session: Session) -> dict[int, str]:
    return dict(session.exec(select(User.id, User.name)).all())  # type: ignore[arg-type]
