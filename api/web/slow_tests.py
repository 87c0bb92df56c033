"""Samples under control: custody, reserves, and slow tests from inoculation to result."""

from typing import Any

from fastapi import APIRouter

from api.web.forms import Field, Group, Sheet, Typed, offer, options
from api.web.lists import MethodRow, method_coded, methods
from api.web.pages import Visit
from api.web.words import capital, spelled
from domain.laboratory.control_models import CustodyEvent, Growth
from domain.laboratory.custody import RecordCustody, record_custody
from domain.laboratory.sampling import OpenReserve, open_reserve
from domain.laboratory.sampling_queries import sample_control
from domain.laboratory.sterility import (
    ConcludeSlowTest,
    Inoculate,
    ReadGrowth,
    conclude_slow_test,
    inoculate,
    read_growth,
)

router = APIRouter(include_in_schema=False)


def _word(code: str) -> str:
    return capital(spelled(code))


def _number(visit: Visit) -> str:
    return str(visit.request.path_params["number"])


def _back(visit: Visit) -> tuple[str, str]:
    return f"/samples/{_number(visit)}", f"Sample {_number(visit)}"


def _named(visit: Visit, _typed: Typed) -> dict[str, Any]:
    return {"sample_number": _number(visit)}


def _done(note: str) -> Any:
    return lambda visit, _result: (f"/samples/{_number(visit)}", note)


def _when(visit: Visit, name: str, label: str) -> Field:
    return Field(name, label, "time", needed=False, hint=f"{visit.site.profile.time_zone} time; now, if left empty.")


def _custody(visit: Visit) -> Sheet:
    held = visit.ask(sample_control, _number(visit)).holder
    fields = (
        Field("event", "What happens", "select", options=options(CustodyEvent, _word)),
        Field("to_username", "Handed over to (username)", needed=False),
        Field("to_name", "Or to somebody outside", needed=False, hint="Such as a contract laboratory."),
        Field("place", "Stored where", needed=False, hint="Such as Refrigerator 4, shelf 2."),
        _when(visit, "happened_at", "When"),
        Field("comment", "Comment", "area", needed=False),
    )
    lead = "Who has the sample hands it over or stores it; to whom it was handed receives it."
    return Sheet(
        f"Custody of sample {_number(visit)}",
        (Group("Link", fields),),
        "Record",
        lead,
        _back(visit),
        facts=(("Now", held),),
    )


offer(
    router,
    "/samples/{number}/custody",
    record_custody,
    RecordCustody,
    _custody,
    _done("The chain of custody goes on."),
    _named,
)


def _reserve(visit: Visit) -> Sheet:
    fields = (
        Field("reason", "Why it is tested after all", "area"),
        Field(
            "timepoint_months",
            "Timepoint of stability",
            "number",
            unit="months",
            needed=False,
            hint="Of a stability unit: what is found then speaks of the shelf life, not of the release.",
        ),
    )
    lead = "A retention or stability unit leaves its shelf for good."
    return Sheet(
        f"Test the reserve {_number(visit)}", (Group("Reason", fields),), "Record the reason", lead, _back(visit)
    )


offer(
    router, "/samples/{number}/reserve", open_reserve, OpenReserve, _reserve, _done("The sample may be tested."), _named
)


def _inoculation(visit: Visit) -> Sheet:
    slow = [one for one in visit.ask(methods) if one.read_every_days]
    known = [(one.code, f"{one.code} v{one.revision} · {one.test_name}, {one.minimum_days} days") for one in slow]
    fields = (
        Field("method_code", "Method", "select", options=(("", "Choose …"), *known)),
        Field(
            "units",
            "Containers tested",
            "number",
            needed=False,
            hint="Needed where the lot is counted (USP <71>, table 3).",
        ),
        Field("media", "Media", hint="With their lots and temperatures."),
        _when(visit, "inoculated_at", "Inoculated"),
    )
    lead = "The days count from here. What is entered later is marked, and believed for a day at most."
    return Sheet(
        f"Inoculate sample {_number(visit)}",
        (Group("Inoculation", fields),),
        "Record the inoculation",
        lead,
        _back(visit),
    )


offer(
    router,
    "/samples/{number}/inoculate",
    inoculate,
    Inoculate,
    _inoculation,
    _done("The inoculation is recorded."),
    _named,
)


def _of_method(visit: Visit, _typed: Typed) -> dict[str, Any]:
    method: MethodRow = visit.ask(method_coded, str(visit.request.path_params["method"]))
    return {"sample_number": _number(visit), "method_code": method.code}


def _reading(visit: Visit) -> Sheet:
    fields = (
        Field("seen", "The media are", "select", options=options(Growth, _word)),
        Field(
            "subculture",
            "Subculture",
            "select",
            options=(("false", "None"), ("true", "Made now, from turbid media, at the end")),
            needed=False,
        ),
        _when(visit, "read_at", "Read"),
        Field("comment", "What was seen", "area", needed=False, hint="Needed unless the media are clear."),
    )
    lead = "Growth is the result, at once. Turbid media at the end are subcultured and read for 4 further days."
    return Sheet(
        f"Read the media of sample {_number(visit)}",
        (Group("Reading", fields),),
        "Record the reading",
        lead,
        _back(visit),
    )


offer(
    router,
    "/samples/{number}/growth/{method}",
    read_growth,
    ReadGrowth,
    _reading,
    _done("The reading is recorded."),
    _of_method,
)


def _ending(visit: Visit) -> Sheet:
    fields = (
        Field("comment", "Comment", "area", needed=False),
        Field(
            "invalid_because",
            "Invalid because",
            "area",
            needed=False,
            hint="Only if a control failed; the test is then repeated.",
        ),
    )
    lead = "No growth follows from the readings, after the last day by the server’s clock."
    return Sheet(
        f"State no growth for sample {_number(visit)}",
        (Group("Result", fields),),
        "Record the result",
        lead,
        _back(visit),
    )


offer(
    router,
    "/samples/{number}/final/{method}",
    conclude_slow_test,
    ConcludeSlowTest,
    _ending,
    _done("The result is recorded, waiting for review."),
    _of_method,
)
