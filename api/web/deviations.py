"""Deviations and the actions they lead to."""

from base64 import b64encode
from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response

from api.web.forms import Field, Group, Sheet, Typed, offer, options, signature
from api.web.pages import Reader, Visit, page
from api.web.words import SEVERITIES, capital, spelled
from domain.deviations.capa import CheckCapa, CompleteCapa, RaiseCapa, check_capa, complete_capa, raise_capa
from domain.deviations.models import CapaKind, LotOutcome, RootCause, Severity
from domain.deviations.operations import (
    AddDeviationLots,
    ClassifyDeviation,
    CloseDeviation,
    DecideOutcome,
    OpenDeviation,
    RecordInvestigation,
    add_deviation_lots,
    classify_deviation,
    close_deviation,
    decide_outcome,
    record_investigation,
    report_deviation,
)
from domain.deviations.queries import DeviationFile, capa_numbered, deviation_file, find_capa, find_deviations
from domain.people.queries import usernames

router = APIRouter(include_in_schema=False)

_SEVERITY = Field(
    "severity",
    "Severity",
    "select",
    options=options(Severity, lambda code: SEVERITIES[code].word),
    hint="Critical: may harm who gets the product. Major: may affect its quality. Minor: neither.",
)


def word(code: str) -> str:
    """A code as an option of a select."""
    return capital(spelled(code))


def attached(typed: Typed, name: str = "attachment") -> dict[str, Any]:
    """The file that came with a form, as a command takes it; nothing where none was chosen."""
    title, data = typed.files.get(name, ("", b""))
    return {name: {"name": title[-200:], "data": b64encode(data)}} if data else {}


def lot_numbers(typed: Typed) -> dict[str, Any]:
    """Numbers of lots as people type or scan them: apart by spaces, commas or lines."""
    return {"lot_numbers": tuple(typed.get("lot_numbers").upper().replace(",", " ").replace(";", " ").split())}


def _number(visit: Visit, *_typed: Any) -> dict[str, str]:
    return {"number": str(visit.request.path_params["number"])}


def _here(visit: Visit, *_done: Any) -> str:
    return f"/deviations/{_number(visit)['number']}"


def _back(visit: Visit) -> tuple[str, str]:
    return _here(visit), f"Deviation {_number(visit)['number']}"


def _file(visit: Visit) -> DeviationFile:
    number = _number(visit)["number"]
    return visit.ask(deviation_file, number, visit.site.today(), visit.who.user_id)  # type: ignore[no-any-return]


def _facts(file: DeviationFile) -> tuple[tuple[str, str], ...]:
    one = file.deviation
    lots = ", ".join(one.lot_numbers) or "none"
    return (("What happened", one.text), ("Severity", SEVERITIES[one.severity].word), ("Lots", lots))


@router.get("/deviations")
def listed(visit: Reader, open: str = "") -> Response:  # noqa: A002 - the word in the address
    """The newest deviations, or those that are open."""
    found = visit.ask(find_deviations, open_only=bool(open))
    return page(visit, "deviations.html", found=found, open_only=bool(open))


@router.get("/capa")
def actions(visit: Reader, overdue: str = "") -> Response:
    """Actions, what is due first, first."""
    found = visit.ask(find_capa, visit.site.today(), overdue_only=bool(overdue))
    return page(visit, "capa.html", found=found, overdue_only=bool(overdue))


def _report(visit: Visit) -> Sheet:
    lot = visit.request.query_params.get("lot", "")[:20]
    return Sheet(
        "Report a deviation",
        (
            Group(
                "What departed",
                (
                    Field("text", "What happened", "area", hint="What was seen, where, and what should have been."),
                    Field("code", "In short", "code", hint="A few words joined by hyphens, such as door-open."),
                    _SEVERITY,
                    Field(
                        "happened_at", "Happened", "time", needed=False, hint=f"{visit.site.profile.time_zone} time."
                    ),
                    Field(
                        "lot_numbers",
                        "Lots it touches",
                        "area",
                        needed=False,
                        value=lot,
                        hint="Their numbers; what was made of them is proposed later.",
                    ),
                ),
            ),
        ),
        "Report it",
        "It is numbered and stays for good. While it is open, none of its lots is released; a critical one holds them.",
        ("/deviations", "Deviations"),
    )


offer(
    router,
    "/deviations/new",
    report_deviation,
    OpenDeviation,
    _report,
    lambda _visit, made: (f"/deviations/{made.number}", f"Deviation {made.number} is open."),
    lambda _visit, typed: lot_numbers(typed),
)


@router.get("/deviations/{number}")
def one_deviation(number: str, visit: Reader) -> Response:
    """A deviation with its lots, actions and history."""
    found = visit.ask(deviation_file, number, visit.site.today(), visit.who.user_id)
    return page(visit, "deviation.html", file=found)


def _sheet(
    visit: Visit, title: str, parts: tuple[Field, ...], button: str, lead: str = "", signed: bool = False
) -> Sheet:
    file = _file(visit)
    groups = (Group(title, parts), *((signature(),) if signed else ()))
    name = f"{title}: {file.deviation.number}"
    warnings = file.missing if signed else ()
    return Sheet(name, groups, button, lead, _back(visit), facts=_facts(file), warnings=warnings)


offer(
    router,
    "/deviations/{number}/classify",
    classify_deviation,
    ClassifyDeviation,
    lambda visit: _sheet(
        visit,
        "Classification",
        (_SEVERITY, Field("reason", "Why", "area")),
        "Classify it",
        "Critical puts every lot it touches on hold in the same act.",
    ),
    lambda visit, _made: (_here(visit), "The classification is recorded."),
    _number,
)
offer(
    router,
    "/deviations/{number}/lots",
    add_deviation_lots,
    AddDeviationLots,
    lambda visit: _sheet(
        visit,
        "Further lots",
        (
            Field(
                "lot_numbers",
                "Lots",
                "area",
                value="\n".join(one.lot_number for one in _file(visit).proposed),
                hint="What was made of those named already stands here; take out what is not touched.",
            ),
            Field("reason", "Why they are touched", "area"),
        ),
        "Add them",
    ),
    lambda visit, _made: (_here(visit), "The lots are added."),
    lambda visit, typed: _number(visit) | lot_numbers(typed),
)
offer(
    router,
    "/deviations/{number}/investigate",
    record_investigation,
    RecordInvestigation,
    lambda visit: _sheet(
        visit,
        "Investigation",
        (
            Field("text", "What was found out", "area"),
            Field("root_cause", "Root cause", "select", options=options(RootCause, word), needed=False),
            Field("root_cause_text", "The root cause in words", "area", needed=False),
        ),
        "Record it",
        "Nothing recorded earlier is changed; the newest word counts.",
    ),
    lambda visit, _made: (_here(visit), "The investigation is recorded."),
    _number,
)
offer(
    router,
    "/deviations/{number}/outcome",
    decide_outcome,
    DecideOutcome,
    lambda visit: _sheet(
        visit,
        "Outcome of a lot",
        (
            Field(
                "lot_number",
                "Lot",
                "select",
                options=options((one.lot_number for one in _file(visit).lots), str),
            ),
            Field(
                "outcome",
                "What becomes of it",
                "select",
                options=options(LotOutcome, word),
                hint="Rework is not offered for what is filled.",
            ),
            Field("justification", "Justification", "area"),
        ),
        "Decide",
    ),
    lambda visit, _made: (_here(visit), "The outcome is recorded."),
    _number,
)
offer(
    router,
    "/deviations/{number}/close",
    close_deviation,
    CloseDeviation,
    lambda visit: _sheet(
        visit,
        "Closure",
        (Field("conclusion", "Conclusion", "area"),),
        "Close it",
        "Your signature covers everything recorded about it. Nothing but its actions goes on afterwards.",
        signed=True,
    ),
    lambda visit, _made: (_here(visit), "The deviation is closed and signed."),
    _number,
)


def _planning(visit: Visit, prefix: str = "", *, needed: bool = True) -> tuple[Field, ...]:
    owners = tuple(visit.ask(usernames))
    return (
        Field(f"{prefix}kind", "Kind", "select", options=options(CapaKind, word), needed=needed),
        Field(f"{prefix}text", "What is to be done", "area", needed=needed),
        Field(f"{prefix}owner", "Owner", "select", options=(("", "Choose …"), *owners), needed=needed),
        Field(f"{prefix}due_on", "Due on", "date", needed=needed),
        Field(f"{prefix}check_due_on", "Effect checked on", "date", needed=needed),
    )


offer(
    router,
    "/deviations/{number}/action",
    raise_capa,
    RaiseCapa,
    lambda visit: _sheet(visit, "Action", _planning(visit), "Raise it"),
    lambda visit, made: (_here(visit), f"Action {made.number} is raised."),
    lambda visit, _typed: {"deviation_number": _number(visit)["number"]},
)


def _action_sheet(visit: Visit, title: str, groups: tuple[Group, ...], button: str) -> Sheet:
    one = visit.ask(capa_numbered, _number(visit)["number"], visit.site.today())
    facts = [("To be done", one.text), ("Owner", one.owner), ("Due on", one.due_on.isoformat())]
    facts += [("Done", one.evidence)] if one.evidence else []
    back = (f"/deviations/{one.deviation_number}", f"Deviation {one.deviation_number}")
    return Sheet(f"{title} {one.number}", groups, button, "", back, facts=tuple(facts))


offer(
    router,
    "/capa/{number}/done",
    complete_capa,
    CompleteCapa,
    lambda visit: _action_sheet(
        visit,
        "Done:",
        (
            Group(
                "What shows it",
                (
                    Field("evidence", "Evidence", "area"),
                    Field("attachment", "File", "file", needed=False),
                ),
            ),
        ),
        "It is done",
    ),
    lambda _visit, _made: ("/capa", "The action is done; its effect is still to be checked."),
    lambda visit, typed: _number(visit) | attached(typed),
)
offer(
    router,
    "/capa/{number}/check",
    check_capa,
    CheckCapa,
    lambda visit: _action_sheet(
        visit,
        "Effect of",
        (
            Group(
                "Did it help?",
                (
                    Field(
                        "effective",
                        "It helped",
                        "select",
                        options=(("", "Choose …"), ("true", "Yes"), ("false", "No")),
                    ),
                    Field("finding", "What was looked at", "area"),
                ),
            ),
            Group("If not: what comes next", _planning(visit, "next_action.", needed=False)),
            signature(),
        ),
        "Sign the check",
    ),
    lambda _visit, _made: ("/capa", "The check is recorded and signed."),
    _number,
)
