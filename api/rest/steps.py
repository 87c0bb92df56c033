"""Steps: each kind has its own schema, made from the process catalogue."""

# ruff: noqa: B008 - acting() and asking() are declarations that FastAPI reads, like Depends()

from typing import Annotated, Any, Literal

from fastapi import APIRouter, File, Form, Query, Response, UploadFile
from fastapi.exceptions import RequestValidationError
from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, create_model

from api.deps import RowId, acting, acting_at_once, asking, described
from api.problems import answers
from api.rest.bodies import body_of
from domain.disposition.queries import StepView, find_steps, step_numbered
from domain.errors import Invalid, Reason
from domain.instruments.cycles import ImportCycle, import_cycle
from domain.lots.models import LotKind
from domain.manufacturing.catalogue import STEP_KINDS, Parameter, StepKind
from domain.manufacturing.completing import Explained
from domain.manufacturing.cycle_logs import CycleContent, CycleLog
from domain.manufacturing.ending import complete_step
from domain.manufacturing.models import Reading
from domain.manufacturing.readings import correct_reading, log_reading
from domain.manufacturing.step_commands import (
    CompleteStep,
    CorrectReading,
    Entry,
    Input,
    LogReading,
    Measured,
    Output,
    StartStep,
)
from domain.manufacturing.steps import start_step
from domain.quantities import UnitCode, ucum, units_like
from domain.signatures import Credentials
from domain.work import View

router = APIRouter(prefix="/api/v1", tags=["steps"], responses=answers(401, 403, 409, 422))

MOST_BYTES = 20_000_000
CycleFacts = body_of(ImportCycle, "step_number", "file_name", "data")


class Bench(BaseModel):
    """What every value at the bench may carry."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    happened_at: AwareDatetime | None = Field(default=None, description="when it was read off; default: now")
    comment: str = Field(default="", max_length=1000, description="needed outside the alert bounds")


class Recorded(View):
    """A reading as it was recorded; `alert` says why it is flagged, `late` that it was recorded late."""

    id: int
    parameter: str
    entered_value: str
    entered_unit: str | None
    value: str | None
    unit: str | None
    alert: str | None
    late: bool
    happened_at: AwareDatetime
    recorded_at: AwareDatetime
    replaces_id: int | None

    @classmethod
    def of(cls, reading: Reading) -> "Recorded":
        """The row as an answer."""
        facts = {name: getattr(reading, name) for name in cls.model_fields if name != "value"}
        return cls.model_construct(**facts, value=None if reading.value is None else format(reading.value, "f"))


def _words(parameter: Parameter) -> str:
    told = [parameter.description, f"Allowed: {parameter.allowed().removeprefix('allowed are ')}."]
    if parameter.alert_low is not None or parameter.alert_high is not None:
        low, high = (bound if bound is not None else "…" for bound in (parameter.alert_low, parameter.alert_high))
        told.append(f"Usual: {low} to {high} {parameter.unit}; outside, a comment is needed.")
    if parameter.alert_choices:
        told.append(f"{', '.join(parameter.alert_choices)}: a comment is needed.")
    told += ["Critical process parameter."] * parameter.critical + ["Needed to complete the step."] * parameter.required
    return " ".join(told)


def _bounds(parameter: Parameter) -> dict[str, Any]:
    names = ("hard_low", "hard_high", "alert_low", "alert_high")
    bounds: dict[str, Any] = {
        f"x-{name.replace('_', '-')}": str(getattr(parameter, name))
        for name in names
        if getattr(parameter, name) is not None
    }
    if parameter.hard_low_exclusive:
        bounds["x-hard-low-exclusive"] = True
    if parameter.unit:
        bounds["x-unit"] = parameter.unit
    return bounds | {"x-critical": parameter.critical, "x-name-de": parameter.de}


def _value_model(kind: StepKind, parameter: Parameter) -> type[BaseModel]:
    name = "".join(part.capitalize() for part in f"{kind.code}_{parameter.code}".split("_"))
    example: dict[str, Any] = {"value": parameter.example}
    fields: dict[str, Any] = {"value": (str, Field(min_length=1, max_length=600, examples=[parameter.example]))}
    if parameter.type == "choice":
        fields["value"] = (Literal[parameter.choices], Field(examples=[parameter.example]))
    if parameter.unit is not None:
        units, usual = tuple(units_like(parameter.unit)), parameter.example_unit or parameter.unit
        optional = parameter.unit == "1" or parameter.type == "count"
        fields["unit"] = (
            Annotated[Literal[units] | None if optional else Literal[units], BeforeValidator(ucum)],
            Field(default=None if optional else ..., examples=[usual]),
        )
        example["unit"] = usual
    extra = _bounds(parameter)
    settings = ConfigDict(
        title=f"{kind.en}: {parameter.en}",
        frozen=True,
        extra="forbid",
        json_schema_extra={"examples": [example], **extra},
    )
    made = create_model(name, __base__=Bench, __doc__=_words(parameter), **fields)
    made.model_config.update(settings)
    made.model_rebuild(force=True)
    return made


def _readings_model(kind: StepKind) -> type[BaseModel]:
    fields: dict[str, Any] = {
        parameter.code: (
            _value_model(kind, parameter) | None,
            Field(default=None, title=parameter.en, description=_words(parameter)),
        )
        for parameter in kind.parameters
    }
    name = f"{kind.code.capitalize()}Readings"
    return create_model(
        name,
        __config__=ConfigDict(frozen=True, extra="forbid"),
        __doc__=f"{kind.en} / {kind.de}. {kind.note}",
        **fields,
    )


def _start_model(kind: StepKind, readings: type[BaseModel]) -> type[BaseModel]:
    outputs = tuple(Output(kind=LotKind(code), unit=_usual_unit(LotKind(code))) for code in kind.yields[:1])
    fields: dict[str, Any] = {
        "started_at": (AwareDatetime | None, Field(default=None, description="default: now")),
        "location": (str, Field(min_length=1, max_length=100, examples=["Clean room B2"])),
        "equipment": (str, Field(default="", max_length=300)),
        "equipment_codes": (
            tuple[str, ...],
            Field(default=(), max_length=30, description="devices and rooms of the register"),
        ),
        "clearance": (str, Field(default="", max_length=1000, description="needed under a recipe")),
        "recipe_step": (str | None, Field(default=None, description="default: the next of its kind")),
        "out_of_order_reason": (str, Field(default="", max_length=1000)),
        "second_person": (Credentials | None, Field(default=None, description="who agrees to a step out of order")),
        "comment": (str, Field(default="", max_length=1000)),
        "inputs": (
            tuple[Input, ...],
            Field(default=(), max_length=200, description=f"lots of {', '.join(kind.consumes)}"),
        ),
        "outputs": (
            tuple[Output, ...],
            Field(default=outputs, min_length=1, max_length=50, description=f"lots of {', '.join(kind.yields)}"),
        ),
        "readings": (readings, Field(default_factory=readings)),
    }
    fields["product_code"] = (
        str if kind.expiry.product_shelf_life else str | None,
        Field(default=... if kind.expiry.product_shelf_life else None),
    )
    if kind.code == "procurement":
        fields["donor"] = (str, Field(description="the donor's pseudonym", examples=["D-2026-017"]))
    return create_model(
        f"Start{kind.code.capitalize()}",
        __config__=ConfigDict(frozen=True, extra="forbid"),
        __doc__=f"Start: {kind.en}. {kind.note}",
        **fields,
    )


def _usual_unit(kind: LotKind) -> str:
    if kind in (
        LotKind.FILLED_VIALS,
        LotKind.LYOPHILIZED_VIALS,
        LotKind.DRUG_PRODUCT,
        LotKind.MASTER_CELL_BANK,
        LotKind.WORKING_CELL_BANK,
    ):
        return "{vial}"
    return {LotKind.ISOLATED_CELLS: "10*6.{cells}", LotKind.CULTURE: "10*6.{cells}"}.get(kind, "mL")


def entries_of(readings: BaseModel) -> tuple[Entry, ...]:
    """The readings of a typed body as the catalogue's entries."""
    given = readings.model_dump(exclude_none=True)
    return tuple(Entry(parameter=code, **one) for code, one in given.items())


def _add_kind(kind: StepKind) -> None:
    readings = _readings_model(kind)
    start = _start_model(kind, readings)

    def begin(body: Any, act: Any = acting(start_step), ask: Any = asking()) -> StepView:
        facts = {
            name: value
            for name in type(body).model_fields
            if (value := getattr(body, name)) is not None and name != "readings"
        }
        step = act(StartStep(kind=kind.code, readings=entries_of(body.readings), **facts))
        return ask(step_numbered, step.number)  # type: ignore[no-any-return]

    def record(step_number: str, body: Any, act: Any = acting(complete_step), ask: Any = asking()) -> StepView:
        facts = {
            name: value
            for name in type(body).model_fields
            if (value := getattr(body, name)) is not None and name != "readings"
        }
        act(CompleteStep(step_number=step_number, readings=entries_of(body.readings), **facts))
        return ask(step_numbered, step_number)  # type: ignore[no-any-return]

    complete = create_model(
        f"Complete{kind.code.capitalize()}",
        __config__=ConfigDict(frozen=True, extra="forbid"),
        __doc__=f"Complete: {kind.en}. Every lot it yields is measured.",
        ended_at=(AwareDatetime | None, Field(default=None, description="default: now")),
        outputs=(tuple[Measured, ...], Field(min_length=1, max_length=50)),
        readings=(readings, Field(default_factory=readings)),
        comment=(str, Field(default="", max_length=1000)),
        left_out=(
            tuple[Explained, ...],
            Field(default=(), max_length=50, description="under a recipe; a deviation opens"),
        ),
        explanations=(
            tuple[Explained, ...],
            Field(default=(), max_length=10, description="counts that do not balance; a deviation opens"),
        ),
    )
    begin.__annotations__["body"], record.__annotations__["body"] = start, complete
    router.post(
        f"/steps/{kind.code}",
        status_code=201,
        response_model=StepView,
        name=f"start_{kind.code}",
        summary=f"Start {kind.en.lower()}",
        description=f"{kind.note} Takes what the step consumes, and mints the numbers of the lots it will yield.",
        responses=answers(404),
    )(begin)
    router.post(
        f"/steps/{{step_number}}/completion/{kind.code}",
        response_model=StepView,
        name=f"complete_{kind.code}",
        summary=f"Complete {kind.en.lower()}",
        description=f"{kind.note} Every lot that the step yields is measured, and what must be recorded is there.",
        responses=answers(404),
    )(record)


@router.get("/steps")
def list_steps(
    open_only: bool = False, limit: int = Query(default=100, ge=1, le=500), ask: Any = asking()
) -> list[StepView]:
    """The newest steps."""
    return list(ask(find_steps, open_only=open_only, limit=limit))


@router.get("/steps/{step_number}", responses=answers(404))
def get_step(step_number: str, ask: Any = asking()) -> StepView:
    """One step, with what it took, gave and recorded."""
    return ask(step_numbered, step_number)  # type: ignore[no-any-return]


@router.post(
    "/steps/{step_number}/readings",
    status_code=201,
    response_model=Recorded,
    responses=answers(404),
    openapi_extra=described(Entry),
)
def log(step_number: str, act: Any = acting_at_once(log_reading, Entry)) -> Response:
    """Record one value on an open step; GET /api/v1/step-kinds lists the parameters."""
    recorded = Recorded.of(act(lambda entry: LogReading(step_number=step_number, entry=entry)))
    return Response(recorded.model_dump_json(), 201, media_type="application/json")  # not validated a second time


@router.post("/steps/{step_number}/cycle", status_code=201, responses=answers(404))
def cycle(
    step_number: str,
    file: UploadFile = File(description="trend file of a freeze-dryer, as it wrote it"),
    said: str = Form(description="JSON of ImportCycle without step and file: phases, and what the file leaves open"),
    act: Any = acting(import_cycle),
) -> CycleContent:
    """Import the trend of a freeze-drying cycle; it is judged against the limits of the recipe."""
    data = file.file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise Invalid(Reason("file-too-large", "a file has at most 20 MB", "file"))
    try:
        facts = CycleFacts.model_validate_json(said).model_dump()
    except ValidationError as error:
        raise RequestValidationError([{**one, "loc": ("said", *one["loc"])} for one in error.errors()]) from error
    log: CycleLog = act(
        ImportCycle(step_number=step_number, file_name=(file.filename or "unnamed")[-200:], data=data, **facts)
    )
    return log.said


class Correction(BaseModel):
    """A new value for a reading, with the reason."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    value: str
    unit: UnitCode | None = None
    comment: str = ""
    reason: str = Field(min_length=3, max_length=1000)


@router.post("/readings/{reading_id}/correction", status_code=201, response_model=Recorded, responses=answers(404))
def correct(reading_id: RowId, body: Correction, act: Any = acting(correct_reading)) -> Any:
    """The old reading stays on record."""
    return Recorded.of(act(CorrectReading(reading_id=reading_id, **body.model_dump())))


@router.get("/step-kinds", tags=["catalogues"])
def step_kinds(ask: Any = asking()) -> list[StepKind]:
    """The process catalogue: every kind of step with its parameters, units and bounds."""
    return ask(lambda _session: list(STEP_KINDS.values()))  # type: ignore[no-any-return]


# Last, as a router is searched in order and readings are what is logged all day.
for _kind in STEP_KINDS.values():
    _add_kind(_kind)
