"""The equipment register, training, and the exceptions of QA."""

from fastapi import APIRouter
from fastapi.responses import Response

from api.web.forms import Field, Group, Sheet, offer, options, signature
from api.web.pages import Reader, Visit, page
from api.web.words import capital, spelled
from domain.equipment.models import EventKind, Finding
from domain.equipment.queries import equipment_file, equipment_list
from domain.equipment.register import LogEquipmentEvent, RegisterEquipment, register_equipment
from domain.manufacturing.catalogue import STEP_KINDS
from domain.manufacturing.equipment_use import log_equipment_event, made_since_good
from domain.manufacturing.exceptions import ApproveException, approve_exception
from domain.people.queries import users
from domain.people.training import (
    RecordTraining,
    RequireTraining,
    TrainedFor,
    record_training,
    require_training,
    requirements,
    training_records,
)
from domain.permissions import Permission

router = APIRouter(include_in_schema=False)
_YES = (("true", "Yes"), ("false", "No"))


def _word(code: str) -> str:
    return capital(spelled(code))


@router.get("/equipment")
def listed(visit: Reader) -> Response:
    """The whole register."""
    now = visit.site.clock()
    found = visit.ask(equipment_list, now, visit.site.today(now))
    may = {"manage": visit.may(Permission.MANAGE_EQUIPMENT), "except": visit.may(Permission.APPROVE_EXCEPTION)}
    return page(visit, "equipment_list.html", found=found, may=may)


def _entry(_visit: Visit) -> Sheet:
    return Sheet(
        "Register equipment",
        (
            Group(
                "Equipment or room",
                (
                    Field("code", "Code", "code", hint="Such as FD-2; given once."),
                    Field("name", "Name"),
                    Field("equipment_class", "Class", hint="What recipes ask for: freeze-dryer, room-B."),
                    Field("serial", "Serial number"),
                    Field("location", "Place"),
                    Field("needs_calibration", "Needs calibration", "select", options=_YES),
                    Field("needs_maintenance", "Needs maintenance", "select", options=_YES),
                ),
            ),
        ),
        "Register",
        "It may be used once it is calibrated and maintained as it needs to be.",
        ("/equipment", "Equipment"),
    )


offer(
    router,
    "/equipment/new",
    register_equipment,
    RegisterEquipment,
    _entry,
    lambda _visit, found: (f"/equipment/{found.code}", f"{found.code} is in the register."),
)


@router.get("/equipment/{code}")
def one(code: str, visit: Reader) -> Response:
    """One entry with its history, and what was made with it since it was last known to be good."""
    now = visit.site.clock()
    found = visit.ask(equipment_file, code, now, visit.site.today(now))
    made = visit.ask(made_since_good, code, now)
    may = {"manage": visit.may(Permission.MANAGE_EQUIPMENT), "except": visit.may(Permission.APPROVE_EXCEPTION)}
    return page(visit, "equipment.html", one=found, made=made, may=may)


def _code(visit: Visit) -> str:
    return str(visit.request.path_params["code"])


def _event(visit: Visit) -> Sheet:
    zone = visit.site.profile.time_zone
    parts = (
        Field("kind", "What happened", "select", options=options(EventKind, _word)),
        Field("happened_at", "When", "time", needed=False, hint=f"{zone} time; now, if left empty."),
        Field(
            "finding",
            "Found",
            "select",
            options=options(Finding, _word),
            needed=False,
            hint="Of a calibration: as it came in, before any adjustment.",
        ),
        Field("next_due", "Next due", "date", needed=False, hint="The last good day."),
        Field("performed_by", "Done by"),
        Field("comment", "Comment", "area", needed=False),
    )
    return Sheet(
        f"Record an event of {_code(visit)}",
        (Group("Event", parts),),
        "Record",
        "Out of tolerance opens a deviation on every lot made since the last good calibration.",
        (f"/equipment/{_code(visit)}", _code(visit)),
    )


offer(
    router,
    "/equipment/{code}/event",
    log_equipment_event,
    LogEquipmentEvent,
    _event,
    lambda visit, _found: (f"/equipment/{_code(visit)}", "The event is recorded."),
    lambda visit, _typed: {"code": _code(visit)},
)


def _exception(visit: Visit) -> Sheet:
    of = (("equipment", "Equipment that is due"), ("training", "A person who is not trained"))
    asked = visit.request.query_params.get("code", "")
    parts = (
        Field("of", "Exception for", "select", options=of),
        Field("code", "Equipment, or kind of step", "code", value=asked),
        Field("username", "Person", needed=False, hint="Username; only with training."),
        Field("valid_from", "From", "date", needed=False, hint="Today, or an earlier day for what was done already."),
        Field("valid_until", "Until", "date", hint="31 days at most."),
        Field("reason", "Why this is acceptable", "area"),
    )
    return Sheet(
        "Sign an exception",
        (Group("Exception", parts), signature()),
        "Sign",
        "It opens a deviation, which touches every lot that is made under it.",
        ("/equipment", "Equipment"),
        "grave",
    )


offer(
    router,
    "/exceptions/new",
    approve_exception,
    ApproveException,
    _exception,
    lambda _visit, _found: ("/equipment", "The exception is signed; a deviation is open."),
)


@router.get("/training")
def trained(visit: Reader) -> Response:
    """Who is trained for what, and what asks for it."""
    return page(
        visit,
        "training.html",
        found=visit.ask(training_records, visit.site.today()),
        needed=visit.ask(requirements),
        may_record=visit.may(Permission.RECORD_TRAINING),
        kinds=STEP_KINDS,
    )


def _subject() -> tuple[Field, Field]:
    return (
        Field("subject", "For", "select", options=options(TrainedFor, lambda code: {"step": "A kind of step", "method": "A method"}[code])),
        Field("code", "Kind of step or method", "code", suggestions=tuple((code, kind.en) for code, kind in STEP_KINDS.items())),
    )  # fmt: skip


def _training(visit: Visit) -> Sheet:
    people = tuple((one.username, one.name) for one in visit.ask(users) if one.active)
    parts = (
        Field("username", "Person", "select", options=(("", "Choose …"), *people)),
        *_subject(),
        Field("trained_on", "Trained on", "date"),
        Field("valid_until", "Valid until", "date"),
        Field("trainer", "Trained by", "select", options=(("", "Choose …"), *people)),
        Field("evidence", "Evidence", hint="Where the signed record lies."),
    )
    return Sheet("Record training", (Group("Training", parts),), "Record", "", ("/training", "Training"))


def _required(_visit: Visit) -> Sheet:
    parts = (*_subject(), Field("required", "Training needed", "select", options=_YES), Field("reason", "Why", "area"))
    return Sheet("Ask for training", (Group("What needs training", parts),), "Record", "", ("/training", "Training"))


offer(
    router,
    "/training/new",
    record_training,
    RecordTraining,
    _training,
    lambda _visit, _found: ("/training", "The training is recorded."),
)
offer(
    router,
    "/training/requirement",
    require_training,
    RequireTraining,
    _required,
    lambda _visit, _found: ("/training", "It is recorded what needs training."),
)
