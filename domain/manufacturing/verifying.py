"""The second person: sees the start of a step, and checks critical entries (EU GMP Chapter 4; 21 CFR 211.188(b)(11))."""

from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import Field
from sqlmodel import Session, col, select

from domain.equipment.models import Equipment
from domain.errors import Conflict, NotFound, Reason, Refused, refuse_if_any
from domain.lots.models import Consumption, Lot
from domain.manufacturing.catalogue import step_kind
from domain.manufacturing.executing import kind_on
from domain.manufacturing.execution_models import EquipmentUse, Execution, ReadingVerification, StartVerification
from domain.manufacturing.models import Reading, Step
from domain.permissions import Permission
from domain.signatures import Credentials, Meaning, sign
from domain.work import Command, Work, operation


class VerifyStart(Command):
    """You saw materials, lots and amounts, room and line, and the equipment, as recorded."""

    step_number: str
    credentials: Credentials


class VerifyReadings(Command):
    """You compared these readings with what they were read from."""

    step_number: str
    reading_ids: tuple[int, ...] = Field(min_length=1, max_length=200)
    credentials: Credentials


@operation(Permission.RUN_STEP)
def verify_start(work: Work, command: VerifyStart) -> StartVerification:
    """Not by the one who started the step."""
    step = _step(work, command.step_number)
    if step.started_by == work.actor.user_id:
        text = f"{work.actor.name} started step {step.number}; a second person verifies it"
        raise Refused(Reason("not-by-same-person", text))
    known = select(StartVerification.id).where(StartVerification.step_id == step.id)
    if work.session.exec(known).first() is not None:
        raise Conflict(Reason("verified-already", f"the start of step {step.number} is verified already"))
    signature = sign(work, step, start_content(work.session, step), Meaning.VERIFIED, command.credentials)
    return work.add(
        StartVerification(
            step_id=step.key, signature_id=signature.key, verified_at=work.now, verified_by=work.actor.person
        )
    )


@operation(Permission.RUN_STEP)
def verify_readings(work: Work, command: VerifyReadings) -> list[ReadingVerification]:
    """Not by the one who entered them, nor by the one who asked for what they replace; a corrected reading is verified anew."""
    step = _step(work, command.step_number)
    ids = tuple(dict.fromkeys(command.reading_ids))
    found = select(Reading).where(Reading.step_id == step.id, col(Reading.id).in_(ids)).order_by(col(Reading.id))
    readings = work.session.exec(found).all()
    refuse_if_any(_why_not(work, step, readings, ids))
    content = {"step": step.number, "readings": [reading_content(one) for one in readings]}
    signature = sign(work, step, content, Meaning.VERIFIED, command.credentials)
    return [
        work.add(
            ReadingVerification(
                reading_id=one.key,
                signature_id=signature.key,
                verified_at=work.now,
                verified_by=work.actor.person,
            )
        )
        for one in readings
    ]


def _why_not(work: Work, step: Step, readings: Sequence[Reading], ids: Sequence[int]) -> Iterator[Reason]:
    known = {one.key for one in readings}
    for missing in (one for one in ids if one not in known):
        yield Reason("reading-not-found", f"step {step.number} has no reading {missing}", "reading_ids")
    newer = set(work.session.exec(select(Reading.replaces_id).where(col(Reading.replaces_id).in_(ids))))
    done = set(
        work.session.exec(select(ReadingVerification.reading_id).where(col(ReadingVerification.reading_id).in_(ids)))
    )
    for one in readings:
        if one.recorded_by == work.actor.user_id:
            text = f"{work.actor.name} entered {one.parameter} and so may not verify it"
            yield Reason("not-by-same-person", text, "reading_ids")
        if one.key in newer:
            yield Reason("reading-replaced", f"{one.parameter} was corrected; verify the newer one", "reading_ids")
        if one.key in done:
            yield Reason("verified-already", f"{one.parameter} is verified already", "reading_ids")


def _step(work: Work, number: str) -> Step:
    step = work.session.exec(select(Step).where(Step.number == number).with_for_update()).first()
    if step is None:
        raise NotFound(Reason("step-not-found", f"there is no step {number!r}", "step_number"))
    return step


def unverified_readings(session: Session, step: Step) -> list[Reading]:
    """The critical readings that count and that no second person has verified."""
    kind = kind_on(session, step.key, step_kind(step.kind))
    critical = {parameter.code for parameter in kind.parameters if parameter.critical}
    readings = session.exec(select(Reading).where(Reading.step_id == step.id).order_by(col(Reading.id))).all()
    replaced = {one.replaces_id for one in readings}
    done = set(
        session.exec(
            select(ReadingVerification.reading_id)
            .join(Reading, col(Reading.id) == ReadingVerification.reading_id)
            .where(Reading.step_id == step.id)
        )
    )
    return [one for one in readings if one.parameter in critical and one.key not in replaced and one.key not in done]


def reading_content(reading: Reading) -> list[Any]:
    """What is said of a reading, as plain values."""
    return [reading.key, reading.parameter, reading.entered_value, reading.entered_unit, reading.comment]


def start_content(session: Session, step: Step) -> dict[str, Any]:
    """What the second person sees at the start of a step, as plain values."""
    taken = session.exec(
        select(Consumption, Lot).join(Lot).where(Consumption.step_id == step.id).order_by(col(Lot.lot_number))
    ).all()
    used = session.exec(
        select(Equipment.code)
        .join(EquipmentUse, col(EquipmentUse.equipment_id) == Equipment.id)
        .where(EquipmentUse.step_id == step.id)
        .order_by(Equipment.code)
    ).all()
    execution = session.exec(select(Execution).where(Execution.step_id == step.id)).first()
    return {
        "step": step.number,
        "kind": step.kind,
        "location": step.location,
        "equipment": list(used),
        "recipe_step": execution.step_key if execution else None,
        "clearance": execution.clearance if execution else "",
        "out_of_order": execution.reason if execution else "",
        "taken": [
            [lot.lot_number, lot.description, one.entered_quantity, one.entered_unit, one.reason or ""]
            for one, lot in taken
        ],
    }
