"""The trend file of a freeze-dryer: imported at the page of its step."""

from typing import Any

from fastapi import APIRouter

from api.web.forms import Field, Group, Rows, Sheet, Typed, offer
from api.web.pages import Visit
from api.web.words import capital, spelled
from domain.disposition.queries import step_numbered
from domain.instruments.cycles import ImportCycle, import_cycle
from domain.instruments.readers.freeze_dryer import PRESSURES, TEMPERATURES, Channel
from domain.manufacturing.cycle_logs import CycleLog, Phase
from domain.manufacturing.queries_control import step_control

router = APIRouter(include_in_schema=False)

_ORDERS = (("", "not needed"), ("dmy", "day, month, year"), ("mdy", "month, day, year"), ("ymd", "year, month, day"))
_UNITS = {"Cel": "°C", "degF": "°F", "ubar": "µbar"}


def _number(visit: Visit) -> str:
    return str(visit.request.path_params["number"])


def _sheet(visit: Visit) -> Sheet:
    step = visit.ask(step_numbered, _number(visit))
    control = visit.ask(step_control, step.number, visit.site.clock())
    zone = f"{visit.site.profile.time_zone} time."
    phases = tuple({"_label": capital(spelled(one)), "phase": str(one)} for one in Phase)
    times = (
        Field("phase", "Phase", "hidden"),
        Field("began_at", "From", "time", needed=False),
        Field("ended_at", "Until", "time", needed=False),
    )
    units = (("", "as the head says"), *((one, _UNITS.get(one, one)) for one in (*TEMPERATURES, *PRESSURES)))
    columns = (
        Field("channel", "What it is", "select", needed=False,
              options=(("", "Nothing"), *((str(one), capital(spelled(one))) for one in Channel))),
        Field("head", "Head of the column in the file", needed=False),
        Field("unit", "Unit", "select", options=units, needed=False),
    )  # fmt: skip
    again = control.cycle is not None
    return Sheet(
        f"Import the freeze-dryer's file of {step.number}",
        (
            Group("File", (Field("file", "Trend file", "file", hint="As the dryer wrote it; kept byte for byte."),)),
            Group("Phases", (Rows("phases", times, more="", presets=phases),),
                  f"{zone} What is recorded in each is judged against the limits of the recipe. Primary drying is needed."),
            Group("Columns", (Rows("columns", columns, more="Say another column"),),
                  "Only where the heads do not say what a column is, with its unit in brackets."),
            Group("Only if the file does not say", (
                Field("date_order", "Dates are written", "select", options=_ORDERS, needed=False),
                Field("began_at", "The record began", "time", needed=False, hint=f"{zone} For files that count seconds or hours."),
            )),
            Group("Words", (
                Field("comment", "Comment", "area", needed=False, hint="Needed where a limit was left, or the file has gaps."),
                *([Field("reason", "Why it replaces the file that is there", "area")] if again else []),
            )),
        ),
        "Import",
        "Shelf, product and pressure are drawn on the step and in the batch record. Outside an action limit a deviation opens.",
        (f"/steps/{step.number}", f"Step {step.number}"),
    )  # fmt: skip


def _fix(visit: Visit, typed: Typed) -> dict[str, Any]:
    name, data = typed.files.get("file", ("", b""))
    return {"step_number": _number(visit)} | ({"file_name": name[-200:], "data": data} if name else {})


def _done(visit: Visit, log: CycleLog) -> tuple[str, str]:
    beyond = [one for one in log.said.excursions if one.bound.level != "alert"]
    told = f" {len(beyond)} limits were left: a deviation is open for each." if beyond else ""
    return f"/steps/{_number(visit)}", f"The file is imported: {log.said.rows} readings.{told}"


offer(router, "/steps/{number}/cycle", import_cycle, ImportCycle, _sheet, _done, _fix)
