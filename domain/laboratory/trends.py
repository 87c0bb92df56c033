"""Alerts: results that pass but are outside an alert limit or unlike earlier lots; milder than an investigation, they hold nothing."""

from collections.abc import Iterator

from pydantic import Field
from sqlmodel import Session, col, select

from domain.errors import Conflict, NotFound, Reason, Refused
from domain.laboratory.models import Result, Sample
from domain.laboratory.oos_models import TrendAlert, TrendAssessment
from domain.laboratory.queries import worth_of
from domain.laboratory.reviewing import analysts_of
from domain.permissions import Permission
from domain.work import Command, Work, operation


class AssessAlert(Command):
    """What the head of QC makes of an alert."""

    alert_id: int
    text: str = Field(min_length=10, max_length=2000)


@operation(Permission.REVIEW_RESULT)
def assess_alert(work: Work, command: AssessAlert) -> TrendAssessment:
    """Once, by somebody else than the analyst."""
    alert = work.session.get(TrendAlert, command.alert_id)
    if alert is None:
        raise NotFound(Reason("alert-not-found", f"there is no alert {command.alert_id}", "alert_id"))
    if work.session.exec(select(TrendAssessment.id).where(TrendAssessment.alert_id == alert.id)).first() is not None:
        raise Conflict(Reason("assessed-already", f"alert {alert.id} is assessed already", "alert_id"))
    if work.actor.user_id in analysts_of(work.session, work.session.get_one(Result, alert.result_id)):
        raise Refused(Reason("not-by-same-person", f"{work.actor.name} found the result of alert {alert.id}"))
    return work.add(
        TrendAssessment(alert_id=alert.key, text=command.text, assessed_at=work.now, assessed_by=work.actor.person)
    )


def why_not_assessed(session: Session, lot_id: int) -> Iterator[Reason]:
    """Alerts of a lot that nobody has looked at; those of results that were corrected or are invalid are void."""
    replaced = select(Result.replaces_id).where(col(Result.replaces_id).is_not(None))
    found = session.exec(
        select(TrendAlert, Result, Sample.number)
        .join(Result, col(TrendAlert.result_id) == Result.id)
        .join(Sample, col(Result.sample_id) == Sample.id)
        .outerjoin(TrendAssessment, col(TrendAssessment.alert_id) == TrendAlert.id)
        .where(TrendAlert.lot_id == lot_id, col(TrendAssessment.id).is_(None), col(Result.id).not_in(replaced))
        .order_by(col(TrendAlert.id))
    ).all()
    invalid = worth_of(session, lot_id).invalid if found else frozenset()
    for alert, result, number in found:
        if result.id not in invalid:
            text = f"alert {alert.id} on {result.test_code} is not assessed: {alert.text}"
            yield Reason("alert-open", text, result.test_code, about=("sample", number))
