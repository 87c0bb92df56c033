"""The equipment register, training, and the exceptions of QA from both."""

# ruff: noqa: B008 - acting() and asking() are declarations that FastAPI reads, like Depends()

from datetime import date
from typing import Any

from fastapi import APIRouter, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from api.deps import acting, asking, site_of
from api.problems import answers
from domain.equipment.models import EventKind, Finding
from domain.equipment.queries import EquipmentView, equipment_file, equipment_list
from domain.equipment.register import LogEquipmentEvent, RegisterEquipment, register_equipment
from domain.manufacturing.equipment_use import MadeWith, log_equipment_event, made_since_good
from domain.manufacturing.exceptions import ApproveException, approve_exception
from domain.people.training import (
    RecordTraining,
    RequirementView,
    RequireTraining,
    TrainingView,
    record_training,
    require_training,
    requirements,
    training_records,
)
from domain.work import View

router = APIRouter(prefix="/api/v1", tags=["equipment"], responses=answers(401, 403, 409, 422))


class Event(BaseModel):
    """What happened to equipment."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: EventKind
    happened_at: AwareDatetime | None = None
    finding: Finding | None = Field(default=None, description="as it came in, before any adjustment")
    next_due: date | None = None
    performed_by: str = Field(min_length=2, max_length=200)
    document_sha256: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")
    comment: str = Field(default="", max_length=1000)


class Excepted(View):
    """An exception that QA signed."""

    valid_from: date
    valid_until: date
    reason: str
    approved_at: AwareDatetime


@router.get("/equipment")
def list_equipment(request: Request, ask: Any = asking()) -> list[EquipmentView]:
    """The whole register; `unfit` says why something may not be used now."""
    site = site_of(request)
    now = site.clock()
    return ask(equipment_list, now, site.today(now))  # type: ignore[no-any-return]


@router.post("/equipment", status_code=201)
def register(
    body: RegisterEquipment, request: Request, act: Any = acting(register_equipment), ask: Any = asking()
) -> EquipmentView:
    """Enter a device, an instrument or a room."""
    return _file(ask, act(body).code, request)


@router.get("/equipment/{code}", responses=answers(404))
def get_equipment(code: str, request: Request, ask: Any = asking()) -> EquipmentView:
    """One entry with its history."""
    return _file(ask, code, request)


@router.post("/equipment/{code}/events", status_code=201, responses=answers(404))
def event(
    code: str, body: Event, request: Request, act: Any = acting(log_equipment_event), ask: Any = asking()
) -> EquipmentView:
    """A calibration, a maintenance, out of service or back; out of tolerance opens a deviation on the lots made since."""
    act(LogEquipmentEvent(code=code, **body.model_dump()))
    return _file(ask, code, request)


@router.get("/equipment/{code}/lots", responses=answers(404))
def lots_since(code: str, request: Request, ask: Any = asking()) -> list[MadeWith]:
    """The lots made with it since its last good calibration."""
    return ask(made_since_good, code, site_of(request).clock())  # type: ignore[no-any-return]


@router.post("/exceptions", status_code=201, responses=answers(404))
def exception(body: ApproveException, act: Any = acting(approve_exception)) -> Excepted:
    """QA lets equipment that is due, or a person who is not trained, be used until a day; a deviation opens."""
    return Excepted.model_validate(act(body))


@router.get("/training", tags=["people"])
def list_training(request: Request, ask: Any = asking()) -> list[TrainingView]:
    """Every training record."""
    return ask(training_records, site_of(request).today())  # type: ignore[no-any-return]


@router.post("/training", status_code=201, tags=["people"], responses=answers(404))
def train(
    body: RecordTraining, request: Request, act: Any = acting(record_training), ask: Any = asking()
) -> list[TrainingView]:
    """Record that somebody was trained by somebody else."""
    act(body)
    found = ask(training_records, site_of(request).today())
    return [one for one in found if one.username == body.username]


@router.get("/training/requirements", tags=["people"])
def list_requirements(ask: Any = asking()) -> list[RequirementView]:
    """The kinds of step and methods that ask for training, beside what recipes ask."""
    return ask(requirements)  # type: ignore[no-any-return]


@router.post("/training/requirements", status_code=201, tags=["people"])
def require(body: RequireTraining, act: Any = acting(require_training), ask: Any = asking()) -> list[RequirementView]:
    """Say that a kind of step or a method asks for training, or no longer does."""
    act(body)
    return ask(requirements)  # type: ignore[no-any-return]


def _file(ask: Any, code: str, request: Request) -> EquipmentView:
    site = site_of(request)
    now = site.clock()
    return ask(equipment_file, code, now, site.today(now))  # type: ignore[no-any-return]
