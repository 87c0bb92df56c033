"""Where equipment meets lots: its events, and which lots were made with it since it was last known to be good."""

from datetime import datetime

from pydantic import AwareDatetime
from sqlmodel import Session, col, select

from domain.deviations.models import DeviationOrigin, Severity
from domain.deviations.opening import open_deviation
from domain.equipment.models import EquipmentEvent, EventKind, Finding
from domain.equipment.register import LogEquipmentEvent, equipment_coded, events_of, log_event
from domain.lots.models import Lot, LotKind, LotState, Yield
from domain.manufacturing.execution_models import EquipmentUse
from domain.manufacturing.models import Step
from domain.permissions import Permission
from domain.work import View, Work, operation


class MadeWith(View):
    """A lot that was made with equipment, and by which step."""

    lot_number: str
    kind: LotKind
    state: LotState
    step_number: str
    started_at: AwareDatetime


@operation(Permission.MANAGE_EQUIPMENT)
def log_equipment_event(work: Work, command: LogEquipmentEvent) -> EquipmentEvent:
    """A calibration out of tolerance opens a deviation on every lot made since the last good one (21 CFR 211.68; ICH Q7 5.35)."""
    event = log_event(work, command)
    if event.finding is Finding.OUT:
        lots = [lot for lot, _ in _made(work.session, event.equipment_id, event.happened_at, work.now)]
        text = f"{command.code} was found out of tolerance: {command.comment} Lots made with it since the last good calibration are listed."
        open_deviation(
            work,
            DeviationOrigin.EQUIPMENT,
            "calibration-out-of-tolerance",
            text,
            lots,
            severity=Severity.MAJOR,
            happened_at=event.happened_at,
        )
    return event


def made_since_good(session: Session, code: str, at: datetime) -> list[MadeWith]:
    """The lots made with this equipment from its last good calibration until `at`, in order of their steps. Raises NotFound."""
    equipment = equipment_coded(session, code)
    return [
        MadeWith(
            lot_number=lot.lot_number,
            kind=lot.kind,
            state=lot.state,
            step_number=step.number,
            started_at=step.started_at,
        )
        for lot, step in _made(session, equipment.key, at, at)
    ]


def _made(session: Session, equipment_id: int, at: datetime, until: datetime) -> list[tuple[Lot, Step]]:
    """Since the last good calibration before `at`; steps that were still running then count too.

    until: what was begun after the equipment was found out of tolerance, but before that was on record, was made with it as well.
    """
    good = [
        one.happened_at
        for one in events_of(session, equipment_id)
        if one.kind is EventKind.CALIBRATION and one.finding is Finding.WITHIN and one.happened_at < at
    ]
    found = (
        select(Lot, Step)
        .join(Yield, col(Yield.lot_id) == Lot.id)
        .join(Step, col(Yield.step_id) == Step.id)
        .join(EquipmentUse, col(EquipmentUse.step_id) == Step.id)
        .where(EquipmentUse.equipment_id == equipment_id, col(Step.started_at) <= max(at, until))
        .order_by(col(Step.started_at), col(Lot.id))
    )
    if good:
        found = found.where(col(Step.ended_at).is_(None) | (col(Step.ended_at) >= good[-1]))
    return list(session.exec(found).all())
