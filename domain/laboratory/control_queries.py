"""What waits in the laboratory: alerts, transcriptions, samples to be drawn, and what of a lot stands."""

import json
from datetime import date, datetime

from sqlmodel import Session, col, select

from domain.errors import NotFound, Reason
from domain.laboratory.control_models import (
    ContractReport,
    TranscriptionCheck,
)
from domain.laboratory.models import Result, Sample
from domain.laboratory.oos_models import (
    TrendAlert,
    TrendAssessment,
    TrendKind,
)
from domain.laboratory.oos_queries import OosView, investigations
from domain.laboratory.queries import all_lot_results
from domain.laboratory.run_queries import MOST, RunView, people_by_id, runs
from domain.laboratory.sampling import overdue
from domain.laboratory.sampling_queries import InoculationView, inoculations
from domain.laboratory.verdict import Verdict
from domain.lots.models import Lot
from domain.people.models import User
from domain.people.operations import roles_held
from domain.permissions import Permission, permissions_of
from domain.work import View


class AlertView(View):
    """A passing result that is odd; `assessment` is empty until somebody looked at it."""

    id: int
    lot_number: str
    test_code: str
    kind: TrendKind
    text: str
    opened_at: datetime
    assessment: str
    assessed_by: str


class TranscriptionView(View):
    """A figure of a contract laboratory that waits for its second person; the figure itself is not shown."""

    result_id: int
    sample_number: str
    lot_number: str
    test_code: str
    unit: str | None
    count: int
    laboratory: str
    accreditation: str
    report_number: str
    sha256: str


class ReportView(View):
    """The report of a contract laboratory."""

    laboratory: str
    accreditation: str
    report_number: str
    sha256: str
    received_on: date


class DueSample(View):
    """A sample that should have been taken."""

    lot_number: str
    purpose: str
    due: date


class StandingView(View):
    """How a lot stands against one of its specifications."""

    specification: str
    purpose: str
    market: str
    verdicts: dict[str, Verdict]
    final: bool


class LaboratoryWork(View):
    """What waits in the laboratory."""

    runs: tuple[RunView, ...]
    readings: tuple[InoculationView, ...]
    investigations: tuple[OosView, ...]
    alerts: tuple[AlertView, ...]
    transcriptions: tuple[TranscriptionView, ...]
    samples: tuple[DueSample, ...]


def laboratory_work(session: Session, today: date) -> LaboratoryWork:
    """Open runs, readings due today, open investigations and alerts, unchecked figures, samples overdue."""
    return LaboratoryWork(
        runs=tuple(one for one in runs(session) if one.valid is None),
        readings=tuple(one for one in inoculations(session, open_only=True) if one.next_due <= today),
        investigations=tuple(one for one in investigations(session) if one.outcome is None),
        alerts=tuple(one for one in alerts(session) if not one.assessment),
        transcriptions=tuple(transcriptions(session)),
        samples=tuple(
            DueSample(lot_number=lot.lot_number, purpose=line.purpose, due=due)
            for lot, line, due in overdue(session, today)
        ),
    )


def alerts(session: Session) -> list[AlertView]:
    """The newest alerts; those of results that were corrected are void, and left out."""
    replaced = select(Result.replaces_id).where(col(Result.replaces_id).is_not(None))
    found = (
        select(TrendAlert, Result, Lot, TrendAssessment)
        .join(Result, col(TrendAlert.result_id) == Result.id)
        .join(Lot, col(TrendAlert.lot_id) == Lot.id)
        .outerjoin(TrendAssessment, col(TrendAssessment.alert_id) == TrendAlert.id)
        .where(col(Result.id).not_in(replaced))
        .order_by(col(TrendAlert.id).desc())
        .limit(MOST)
    )
    names = people_by_id(session)
    rows: list[tuple[TrendAlert, Result, Lot, TrendAssessment | None]] = list(session.exec(found).all())
    return [
        AlertView(
            **{name: getattr(one, name) for name in ("id", "kind", "text", "opened_at")},
            lot_number=lot.lot_number,
            test_code=result.test_code,
            assessment=looked.text if looked else "",
            assessed_by=names.get(looked.assessed_by, "?") if looked else "",
        )
        for one, result, lot, looked in rows
    ]


def transcriptions(session: Session, result_id: int | None = None) -> list[TranscriptionView]:
    """Figures of contract laboratories that nobody has typed again."""
    replaced = select(Result.replaces_id).where(col(Result.replaces_id).is_not(None))
    found = (
        select(Result, Sample, Lot, ContractReport)
        .join(Sample, col(Result.sample_id) == Sample.id)
        .join(Lot, col(Sample.lot_id) == Lot.id)
        .join(ContractReport, col(Result.report_id) == ContractReport.id)
        .outerjoin(TranscriptionCheck, col(TranscriptionCheck.result_id) == Result.id)
        .where(col(TranscriptionCheck.id).is_(None), col(Result.id).not_in(replaced))
        .order_by(col(Result.id))
        .limit(MOST)
    )
    found = found.where(Result.id == result_id) if result_id is not None else found
    facts = ("laboratory", "accreditation", "report_number", "sha256")
    return [
        TranscriptionView(
            **{name: getattr(report, name) for name in facts},
            result_id=result.key,
            sample_number=sample.number,
            lot_number=lot.lot_number,
            test_code=result.test_code,
            unit=result.unit,
            count=len(json.loads(result.replicates)),
        )
        for result, sample, lot, report in session.exec(found)
    ]


def transcription(session: Session, result_id: int) -> TranscriptionView:
    """The one that waits. Raises NotFound."""
    if found := transcriptions(session, result_id):
        return found[0]
    raise NotFound(Reason("result-not-found", f"result {result_id} waits for no transcription check", "result_id"))


def reports(session: Session) -> list[ReportView]:
    """The newest reports of contract laboratories."""
    found = session.exec(select(ContractReport).order_by(col(ContractReport.id).desc()).limit(MOST))
    return [ReportView.model_validate(one) for one in found]


def standing(session: Session, lot_number: str) -> list[StandingView]:
    """How a lot stands against each of its specifications, the primary one first. Raises NotFound."""
    lot = session.exec(select(Lot).where(Lot.lot_number == lot_number)).first()
    if lot is None:
        raise NotFound(Reason("lot-not-found", f"there is no lot {lot_number!r}", "lot_number"))
    return [
        StandingView(
            specification=one.specification.label,
            purpose=one.specification.purpose,
            market=one.specification.market or "",
            verdicts={line.test.code: line.judgement.verdict for line in one.lines},
            final=not one.not_final(),
        )
        for one in all_lot_results(session, lot.key)
        if one.specification is not None
    ]


def analysts(session: Session) -> list[tuple[str, str]]:
    """Username and name of everybody who may enter results now."""
    users = session.exec(select(User).where(col(User.active).is_(True)).order_by(User.name)).all()
    able = (one for one in users if Permission.ENTER_RESULT in permissions_of(roles_held(session, one.key)))
    return [(one.username, one.name) for one in able]
