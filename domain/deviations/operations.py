"""Acts on deviations: opened, classified, investigated, decided for each lot, closed by QA. Each is a fact; nothing is written over."""

from collections.abc import Iterator
from datetime import datetime

from pydantic import AwareDatetime, Field
from sqlmodel import Session, col, select

from domain.deviations.models import (
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
from domain.deviations.opening import hold_all
from domain.deviations.opening import open_deviation as opened
from domain.errors import Conflict, Invalid, NotFound, Reason, Refused, refuse_if_any
from domain.lots.models import Lot, LotKind
from domain.lots.operations import lots_named
from domain.permissions import Permission
from domain.signatures import Credentials, Meaning, sign
from domain.work import Command, Work, operation

Why = Field(min_length=3, max_length=4000)

#: What no lot of these kinds can be made good by: a sterile vial that is opened is no longer sterile (domain.md 1.10 to 1.12).
NO_REWORK = frozenset({LotKind.FILLED_VIALS, LotKind.LYOPHILIZED_VIALS, LotKind.DRUG_PRODUCT})


class OpenDeviation(Command):
    """Report a departure. The severity is what whoever reports it thinks; it is classified later."""

    code: str = Field(
        pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=60, description="what was noticed, in kebab-case"
    )
    text: str = Why
    severity: Severity = Severity.MINOR
    origin: DeviationOrigin = DeviationOrigin.PERSON
    lot_numbers: tuple[str, ...] = Field(default=(), max_length=200)
    happened_at: AwareDatetime | None = None


class AboutDeviation(Command):
    """An act on a deviation that is open."""

    number: str


class ClassifyDeviation(AboutDeviation):
    """Judge how grave it is; critical puts its lots on hold by itself."""

    severity: Severity
    reason: str = Why


class AddDeviationLots(AboutDeviation):
    """Name further lots that it touches, such as what was made of the first."""

    lot_numbers: tuple[str, ...] = Field(min_length=1, max_length=200)
    reason: str = Why


class RecordInvestigation(AboutDeviation):
    """What was found out; the root cause as soon as it is known, or that none was found."""

    text: str = Why
    root_cause: RootCause | None = None
    root_cause_text: str = Field(default="", max_length=4000)


class DecideOutcome(AboutDeviation):
    """What becomes of one lot."""

    lot_number: str
    outcome: LotOutcome
    justification: str = Why


class CloseDeviation(AboutDeviation):
    """QA closes it."""

    conclusion: str = Why
    credentials: Credentials


@operation(Permission.OPEN_DEVIATION)
def report_deviation(work: Work, command: OpenDeviation) -> Deviation:
    """Anyone at work may, and must be able to, say that something departed."""
    happened: datetime = command.happened_at or work.now
    if happened > work.now:
        raise Invalid(Reason("in-the-future", "what departed has happened already", "happened_at"))
    lots = lots_named(work, command.lot_numbers) if command.lot_numbers else {}
    _refuse_twin(work, command)
    return opened(
        work,
        command.origin,
        command.code,
        command.text,
        lots.values(),
        severity=command.severity,
        happened_at=happened,
        by_system=False,
    )


def _refuse_twin(work: Work, command: OpenDeviation) -> None:
    """The same words by the same person while the first are open are a second click, not a second departure."""
    found = select(Deviation.number).where(
        Deviation.opened_by == work.actor.user_id, Deviation.code == command.code, Deviation.text == command.text
    )
    for number in work.session.exec(found).all():
        first = deviation_named(work.session, number)
        touched = {lot.lot_number for lot in touched_lots(work.session, first)}
        if closure_of(work.session, first) is None and touched >= set(command.lot_numbers):
            raise Conflict(Reason("exists-already", f"you reported the same already as {number}", "text"))


def _refuse_repeat(newest: object, **said: object) -> None:
    if newest is not None and all(getattr(newest, name) == value for name, value in said.items()):
        raise Conflict(Reason("exists-already", "exactly this stands there already, as the newest word"))


@operation(Permission.CLASSIFY_DEVIATION)
def classify_deviation(work: Work, command: ClassifyDeviation) -> DeviationClassification:
    """QA or the head of production, with the reason."""
    deviation = still_open(work, command.number)
    lots = touched_lots(work.session, deviation, lock=True)
    newest = select(DeviationClassification).where(DeviationClassification.deviation_id == deviation.id)
    last = work.session.exec(newest.order_by(col(DeviationClassification.id).desc())).first()
    _refuse_repeat(last, severity=command.severity, reason=command.reason, classified_by=work.actor.user_id)
    made = work.add(
        DeviationClassification(
            deviation_id=deviation.key,
            severity=command.severity,
            reason=command.reason,
            classified_at=work.now,
            classified_by=work.actor.person,
        )
    )
    if command.severity is Severity.CRITICAL:
        hold_all(work, deviation, lots)
    return made


@operation(Permission.INVESTIGATE_DEVIATION)
def add_deviation_lots(work: Work, command: AddDeviationLots) -> Deviation:
    """Lots are only ever added; that one was not affected is an outcome."""
    deviation = still_open(work, command.number)
    lots = lots_named(work, command.lot_numbers)
    known = {lot.key for lot in touched_lots(work.session, deviation)}
    for lot in sorted(lots.values(), key=lambda one: one.key):
        if lot.key in known:
            text = f"{deviation.number} touches lot {lot.lot_number} already"
            raise Conflict(Reason("deviation-names-lot", text, "lot_numbers"))
        work.add(
            DeviationLot(
                deviation_id=deviation.key,
                lot_id=lot.key,
                added_at=work.now,
                added_by=work.actor.person,
                reason=command.reason,
            )
        )
    if severity_of(work.session, deviation) is Severity.CRITICAL:
        hold_all(work, deviation, lots.values())
    return deviation


@operation(Permission.INVESTIGATE_DEVIATION)
def record_investigation(work: Work, command: RecordInvestigation) -> DeviationInvestigation:
    """As often as something is found out."""
    deviation = still_open(work, command.number)
    if (command.root_cause is None) != (not command.root_cause_text):
        text = "a root cause has a category and words; give both or neither"
        raise Invalid(Reason("root-cause-incomplete", text, "root_cause_text"))
    found = investigations_of(work.session, deviation)
    said = command.model_dump(exclude={"number"})
    _refuse_repeat(found[-1] if found else None, **said, investigated_by=work.actor.user_id)
    return work.add(
        DeviationInvestigation(
            deviation_id=deviation.key,
            **said,
            investigated_at=work.now,
            investigated_by=work.actor.person,
        )
    )


@operation(Permission.DECIDE_DEVIATION)
def decide_outcome(work: Work, command: DecideOutcome) -> DeviationOutcome:
    """QA decides for each lot it touches; rework is not offered for what is filled."""
    deviation = still_open(work, command.number)
    lot = next((one for one in touched_lots(work.session, deviation) if one.lot_number == command.lot_number), None)
    if lot is None:
        text = f"{deviation.number} does not touch lot {command.lot_number}; add it first"
        raise NotFound(Reason("deviation-without-lot", text, "lot_number"))
    if command.outcome is LotOutcome.REWORK and lot.kind in NO_REWORK:
        text = f"lot {lot.lot_number} is {lot.kind.value}: what was filled under asepsis is not reworked"
        raise Refused(Reason("rework-not-offered", text, "outcome"))
    last = outcomes_of(work.session, deviation).get(lot.key)
    _refuse_repeat(last, outcome=command.outcome, justification=command.justification)
    return work.add(
        DeviationOutcome(
            deviation_id=deviation.key,
            lot_id=lot.key,
            outcome=command.outcome,
            justification=command.justification,
            decided_at=work.now,
            decided_by=work.actor.person,
        )
    )


@operation(Permission.DECIDE_DEVIATION)
def close_deviation(work: Work, command: CloseDeviation) -> DeviationClosure:
    """Needs a classification, a root cause and an outcome for every lot; not by who opened or investigated it."""
    deviation = still_open(work, command.number)
    refuse_if_any(against_closure(work.session, deviation, work.actor.user_id))
    content = {**deviation_content(work.session, deviation), "conclusion": command.conclusion}
    signature = sign(work, deviation, content, Meaning.APPROVED, command.credentials)
    return work.add(
        DeviationClosure(
            deviation_id=deviation.key,
            conclusion=command.conclusion,
            closed_at=work.now,
            closed_by=work.actor.person,
            signature_id=signature.key,
        )
    )


def against_closure(session: Session, deviation: Deviation, user_id: int | None) -> Iterator[Reason]:
    """Everything that is missing before it can be closed, and why this person may not."""
    found = investigations_of(session, deviation)
    about = ("deviation", deviation.number)
    if user_id is not None and user_id in {deviation.opened_by, *(one.investigated_by for one in found)}:
        text = f"who opened or investigated {deviation.number} does not close it"
        yield Reason("not-by-same-person", text, about=about)
    classified = select(DeviationClassification.id).where(DeviationClassification.deviation_id == deviation.id)
    if session.exec(classified.limit(1)).first() is None:
        yield Reason("deviation-not-classified", f"nobody has classified {deviation.number} yet", about=about)
    if not found or found[-1].root_cause is None:
        text = f"the newest word of the investigation of {deviation.number} names no root cause"
        yield Reason("deviation-without-cause", text, about=about)
    decided = outcomes_of(session, deviation)
    for lot in touched_lots(session, deviation):
        if lot.key not in decided:
            text = f"{deviation.number} does not say yet what becomes of lot {lot.lot_number}"
            yield Reason("deviation-lot-undecided", text, about=("lot", lot.lot_number))


def deviation_named(session: Session, number: str, *, lock: bool = False) -> Deviation:
    """Raises NotFound."""
    found = select(Deviation).where(Deviation.number == number)
    if deviation := session.exec(found.with_for_update() if lock else found).first():
        return deviation
    raise NotFound(Reason("deviation-not-found", f"there is no deviation {number!r}", "number"))


def still_open(work: Work, number: str) -> Deviation:
    """The deviation, locked until the act is over. Raises NotFound, or Refused once it is closed."""
    deviation = deviation_named(work.session, number, lock=True)
    if closure_of(work.session, deviation) is not None:
        raise Refused(Reason("deviation-closed", f"{deviation.number} is closed; open another that refers to it"))
    return deviation


def closure_of(session: Session, deviation: Deviation) -> DeviationClosure | None:
    """QA's signature under it, if it is closed."""
    return session.exec(select(DeviationClosure).where(DeviationClosure.deviation_id == deviation.id)).first()


def severity_of(session: Session, deviation: Deviation) -> Severity:
    """As it was last classified, or else as it was opened."""
    newest = (
        select(DeviationClassification.severity)
        .where(DeviationClassification.deviation_id == deviation.id)
        .order_by(col(DeviationClassification.id).desc())
    )
    return Severity(session.exec(newest.limit(1)).first() or deviation.severity)


def touched_lots(session: Session, deviation: Deviation, *, lock: bool = False) -> list[Lot]:
    """Every lot it touches, in the order of their ids."""
    found = select(Lot).join(DeviationLot).where(DeviationLot.deviation_id == deviation.id).order_by(col(Lot.id))
    return list(session.exec(found.with_for_update(of=Lot) if lock else found).all())


def investigations_of(session: Session, deviation: Deviation) -> list[DeviationInvestigation]:
    """Oldest first."""
    found = select(DeviationInvestigation).where(DeviationInvestigation.deviation_id == deviation.id)
    return list(session.exec(found.order_by(col(DeviationInvestigation.id))).all())


def outcomes_of(session: Session, deviation: Deviation) -> dict[int, DeviationOutcome]:
    """The outcome that counts for each lot: the newest."""
    found = select(DeviationOutcome).where(DeviationOutcome.deviation_id == deviation.id)
    return {one.lot_id: one for one in session.exec(found.order_by(col(DeviationOutcome.id)))}


def deviation_content(session: Session, deviation: Deviation) -> dict[str, object]:
    """What a signature under it covers: how it was opened, and all that was found and decided."""
    return {
        "number": deviation.number,
        "code": deviation.code,
        "text": deviation.text,
        "severity": severity_of(session, deviation).value,
        "lots": [lot.lot_number for lot in touched_lots(session, deviation)],
        "investigations": [
            [one.text, one.root_cause.value if one.root_cause else None, one.root_cause_text]
            for one in investigations_of(session, deviation)
        ],
        "outcomes": [
            [one.lot_id, one.outcome.value, one.justification]
            for _, one in sorted(outcomes_of(session, deviation).items())
        ],
    }
