"""Manufacturing: starting a step, its readings, completing it."""

from decimal import Decimal

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response
from markupsafe import Markup

from api.cycles import drawn
from api.web.forms import (
    Amount,
    Field,
    Form,
    Group,
    Option,
    Part,
    Rows,
    Sheet,
    Typed,
    attempt,
    comment_of,
    field_for,
    named,
    offer,
    options,
)
from api.web.lists import donors, reading_place, usable_lots
from api.web.lots import LOT_UNITS, unit_options
from api.web.pages import Maker, Member, Reader, Visit, leads_to, page, unit_word
from api.web.words import capital, sentence, spelled
from domain.disposition.queries import ReadingView, StepView, find_steps, step_numbered
from domain.equipment.queries import EquipmentView, equipment_list
from domain.errors import NotFound, Reason
from domain.lots.queries import products
from domain.manufacturing.catalogue import STEP_KINDS, Parameter, StepKind, step_kind
from domain.manufacturing.checks import BALANCES
from domain.manufacturing.cycle_logs import CycleView
from domain.manufacturing.ending import complete_step
from domain.manufacturing.queries_control import kind_of_step, step_control
from domain.manufacturing.readings import correct_reading, log_reading
from domain.manufacturing.step_commands import CompleteStep, CorrectReading, LogReading, StartStep
from domain.manufacturing.steps import start_step
from domain.permissions import Permission
from domain.quantities import UNITS, format_decimal, pretty, units_like
from reports.cycle import CycleShown, svg

router = APIRouter(include_in_schema=False)

#: In what each kind of lot is usually counted: what stands in the unit's field before somebody chooses.
_COUNTED = {
    "donation": "mL",
    "isolated_cells": "10*6.{cells}",
    "master_cell_bank": "{vial}",
    "working_cell_bank": "{vial}",
    "culture": "10*6.{cells}",
    "filled_vials": "{vial}",
    "lyophilized_vials": "{vial}",
    "drug_product": "{vial}",
}


@router.get("/steps")
def listed(visit: Reader, open_only: bool = False) -> Response:
    """The newest steps."""
    found = visit.ask(find_steps, open_only=open_only)
    return page(
        visit, "steps.html", found=found, kinds=STEP_KINDS, open_only=open_only, may_run=visit.may(Permission.RUN_STEP)
    )


@router.get("/steps/new")
def choose(visit: Maker) -> Response:
    """The kinds of step, in the order of the process."""
    return page(visit, "step_kinds.html", kinds=STEP_KINDS.values())


def allowed(parameter: Parameter) -> str:
    """What may be entered, for people: units as they are written."""
    if parameter.type in ("choice", "text"):
        return ""
    said = pretty(parameter.allowed().removeprefix("allowed are "))
    return said.replace(f" in {parameter.unit}", f" {unit_word(parameter.unit)}".rstrip()) if parameter.unit else said


def usual(parameter: Parameter) -> str:
    """The alert range; outside of it an entry needs a comment."""
    low, high = (
        pretty(format_decimal(one)) if one is not None else "" for one in (parameter.alert_low, parameter.alert_high)
    )
    if parameter.alert_choices:
        return f"{capital(', '.join(spelled(one) for one in parameter.alert_choices))}: say why in the comment."
    if not low and not high:
        return ""
    span = f"{low} to {high}" if low and high else f"at least {low}" if low else f"at most {high}"
    return f"Usual: {span} {unit_word(parameter.unit)}".rstrip() + "; outside, a comment is needed."


def _units(parameter: Parameter) -> tuple[Option, ...]:
    """The catalogue's unit first; a bare number is offered beside percent only."""
    assert parameter.unit is not None
    own = parameter.unit
    others = () if own == "1" or parameter.type == "count" else units_like(own)
    words = {"1": "" if own == "1" else "ratio"}
    return tuple((code, words.get(code, UNITS[code].en)) for code in (own, *(one for one in others if one != own)))


def parameter_part(parameter: Parameter, kind: StepKind, *, needed: bool = False, comment: bool = True) -> Part:
    """The field of a parameter: its unit, what is allowed and what is usual beside it, and room for a comment."""
    when = "; ".join(
        f"{kind.parameter(code).en.lower()}: {' or '.join(spelled(one) for one in of)}"
        for code, of in parameter.needed_when.items()
    )
    hint = parameter.description + (f" Needed with {when}." if when else "")
    mark = "critical" if parameter.critical else ""
    if parameter.type in ("choice", "text"):
        return Field(
            f"readings.{parameter.code}.value",
            parameter.en,
            "select" if parameter.type == "choice" else "text",
            hint,
            usual=usual(parameter),
            options=options(parameter.choices, lambda code: capital(spelled(code))),
            needed=needed,
            mark=mark,
            comment=comment,
        )
    return Amount(
        f"readings.{parameter.code}", parameter.en, _units(parameter), hint, allowed(parameter), usual(parameter),
        needed=needed, unit=parameter.unit or "1", mark=mark, comment=comment,
    )  # fmt: skip


def _code_of(visit: Visit) -> str:
    return str(visit.request.path_params["kind"])


def _start_sheet(visit: Visit) -> Sheet:
    kind = step_kind(_code_of(visit))
    about: list[Field] = [
        Field("location", "Place", hint="Room or line, such as Clean room B2."),
        Field("equipment", "Equipment", needed=False, hint="What it is done with, as numbered in the register."),
        Field(
            "started_at",
            "Started",
            "time",
            needed=False,
            hint=f"{visit.site.profile.time_zone} time; now, if left empty.",
        ),
    ]
    known = [(one.code, f"{one.code} · {one.name_en}") for one in visit.ask(products)]
    product = Field(
        "product_code", "Product", "select", options=(("", "None"), *known), needed=kind.expiry.product_shelf_life
    )
    if kind.code == "procurement":
        codes = [
            (one.pseudonym, f"{one.pseudonym} · {spelled(one.tissue)}")
            for one in visit.ask(donors)
            if not one.consent_withdrawn_on
        ]
        about.append(Field("donor", "Donor", "select", options=(("", "Choose …"), *codes)))
    else:
        about.append(product)
    about.append(Field("comment", "Comment", "area", needed=False))
    known_codes = tuple((one.code, one.name) for one in _register(visit))
    under = (
        Field(
            "equipment_codes[]",
            "Equipment and rooms of the register",
            "checks",
            needed=False,
            options=tuple((code, f"{code} · {name}") for code, name in known_codes),
        ),
        Field("clearance", "Room and line clearance", "area", needed=False,
              hint="What was seen: clean, and free of other products, materials and papers. Needed under a recipe."),
        Field("recipe_step", "Step of the recipe", needed=False, hint="The next of its kind, if left empty."),
        Field("out_of_order_reason", "Why out of order", "area", needed=False),
        Field("second_person.username", "Second person: username", needed=False,
              hint="Out of order only: somebody else who agrees, and signs here."),
        Field("second_person.password", "Second person: password", "password", needed=False),
    )  # fmt: skip
    readings = tuple(parameter_part(one, kind) for one in kind.parameters)
    return Sheet(
        f"Start: {kind.en}",
        (
            Group("Where and when", tuple(about)),
            Group("Recipe and equipment", under if known_codes else under[1:]),
            Group("What it takes", (_inputs(visit, kind),), _takes(kind)),
            Group(
                "What it will give",
                (_outputs(kind),),
                "The numbers of these lots are given when the step starts; they are measured when it ends.",
            ),
            Group(
                "Readings known already",
                readings,
                "Leave empty what is not known yet; it can be logged until the step is completed.",
            ),
        ),
        "Start the step",
        kind.note,
        ("/steps/new", "Kinds of step"),
        context={"width": ""},
    )


def _register(visit: Visit) -> list[EquipmentView]:
    now = visit.site.clock()
    return visit.ask(equipment_list, now, visit.site.today(now))  # type: ignore[no-any-return]


def _takes(kind: StepKind) -> str:
    words = ", ".join(spelled(one) for one in kind.consumes)
    return f"Takes {words}. Scan or type a lot number; Enter gives the next row."


def _inputs(visit: Visit, kind: StepKind) -> Rows:
    suggestions = tuple(visit.ask(usable_lots, kind.consumes))
    columns = [
        Field("lot_number", "Lot", "code", suggestions=suggestions),
        Field("quantity.value", "Quantity", "number"),
        Field("quantity.unit", "Unit", "select", options=unit_options()),
    ]
    if kind.code == "pooling":
        columns.append(Field("share", "Share", "number", unit="%", needed=False))
    columns.append(Field("reason", "Why not the first to expire", needed=False))
    return Rows("inputs", tuple(columns), least=2, more="Add a lot")


def _outputs(kind: StepKind) -> Rows:
    single = len(kind.yields) == 1
    columns = (
        Field("kind", "Kind of lot", "select", options=options(kind.yields, lambda code: capital(spelled(code)))),
        Field("unit", "Measured in", "select", options=unit_options(LOT_UNITS)),
        Field("description", "Description", needed=False),
    )
    first = {
        "kind": str(kind.yields[0]) if single else "",
        "unit": _COUNTED.get(kind.yields[0], "mL") if single else "",
    }
    return Rows("outputs", columns, more="Add a lot to be given", presets=(first,))


offer(
    router,
    "/steps/new/{kind}",
    start_step,
    StartStep,
    _start_sheet,
    lambda _visit, step: (f"/steps/{step.number}", f"Step {step.number} is started."),
    lambda visit, _typed: {"kind": _code_of(visit)},
)


def _step_page(
    visit: Visit,
    step: StepView,
    typed: Typed | None = None,
    reasons: tuple[Reason, ...] = (),
    status: int = 200,
    focus: str = "",
) -> HTMLResponse:
    """A step: what is recorded, what is missing, and a form for each parameter while it is open."""
    kind, typed = visit.ask(kind_of_step, step.number), typed or Typed()
    current = {one.parameter: one for one in step.readings if not one.replaced}
    values: dict[str, Decimal | str] = {
        code: one.value if one.value is not None else one.entered_value for code, one in current.items()
    }
    parts = {one.code: parameter_part(one, kind, needed=one.required, comment=False) for one in kind.parameters}
    control = visit.ask(step_control, step.number, visit.site.clock())
    code = typed.get("_parameter")
    names = [f"readings.{code}.{leaf}" for leaf in ("value", "unit", "comment", "happened_at")]
    errors: dict[str, list[str]] = {}
    summary: list[tuple[str, str | None]] = []
    for one in reasons:
        name = field_for(one.field, names)
        summary.append((named(one.text, kind.parameter(code).en if name else None), name))
        if name:
            errors.setdefault(name, []).append(sentence(one.text))
    return page(
        visit,
        "step.html",
        status,
        step=step,
        kind=kind,
        current=current,
        missing={one.field for one in kind.missing(values)},
        history={
            code: [one for one in step.readings if one.parameter == code]
            for code in {one.parameter for one in step.readings}
        },
        parts=parts,
        typed=typed,
        errors=errors,
        summary=summary,
        focus=focus or code,
        may_run=visit.may(Permission.RUN_STEP),
        comment_of=comment_of,
        control=control,
        cycle=_cycle(visit, step.number, control.cycle),
    )


def _cycle(visit: Visit, number: str, found: CycleView | None) -> tuple[CycleShown, Markup] | None:
    """The trend of a freeze-drying cycle and its picture."""
    if found is None:
        return None
    shown = drawn(found, number, visit.site.profile.time_zone)
    return shown, Markup(svg(shown, ident="cycle"))  # noqa: S704  (every text in it is escaped)


@router.get("/steps/{number}")
def step_page(number: str, visit: Reader, next: str = "") -> Response:  # noqa: A002 - a word of the address
    """One step."""
    return _step_page(visit, visit.ask(step_numbered, number), focus=next)


@router.post("/steps/{number}")
def log(number: str, visit: Member, typed: Form) -> Response:
    """One reading; afterwards the next empty parameter is ready to be typed."""
    code = typed.get("_parameter")
    entry = {leaf: typed.get(f"readings.{code}.{leaf}").strip() for leaf in ("value", "unit", "comment")}
    happened = {"entry.happened_at": typed.get(f"readings.{code}.happened_at")}
    sent = Typed(
        [
            ("csrf", typed.get("csrf")),
            ("_once", typed.get("_once")),
            *((f"entry.{leaf}", text) for leaf, text in entry.items()),
            *happened.items(),
            ("entry.parameter", code),
        ]
    )
    _, reasons, status = attempt(visit, sent, LogReading, log_reading, {"step_number": number})
    if reasons:
        told = tuple(Reason(one.code, one.text, _renamed(one.field, code)) for one in reasons)
        return _step_page(visit, visit.ask(step_numbered, number), typed, told, status)
    step = visit.ask(step_numbered, number)
    kind, done = step_kind(step.kind), {one.parameter for one in step.readings}
    codes = [one.code for one in kind.parameters]
    after = codes[codes.index(code) + 1 :] + codes[: codes.index(code)]
    following = next((one for one in after if one not in done), "")
    return leads_to(f"/steps/{number}?next={following}", f"{kind.parameter(code).en}: recorded.")


def _renamed(name: str | None, code: str) -> str | None:
    """`entry.value` of the command is `readings.<code>.value` on the page."""
    return f"readings.{code}.{name.removeprefix('entry.')}" if name and name.startswith("entry.") else name


def _reading_of(visit: Visit) -> tuple[StepView, ReadingView]:
    reading_id = int(visit.request.path_params["reading_id"])
    step = visit.ask(step_numbered, visit.ask(reading_place, reading_id))
    found = next((one for one in step.readings if one.id == reading_id), None)
    if found is None:
        raise NotFound(Reason("reading-not-found", f"there is no reading {reading_id}"))
    return step, found


def _correction_sheet(visit: Visit) -> Sheet:
    step, old = _reading_of(visit)
    parameter = step_kind(step.kind).parameter(old.parameter)
    value: Part
    if parameter.type == "choice":
        value = Field(
            "value",
            parameter.en,
            "select",
            options=options(parameter.choices, lambda code: capital(spelled(code))),
            value=old.entered_value,
        )
    else:
        value = Field(
            "value",
            parameter.en,
            "number" if parameter.unit else "text",
            allowed=allowed(parameter),
            usual=usual(parameter),
            value=old.entered_value,
        )
    unit = (
        (Field("unit", "Unit", "select", options=_units(parameter), value=old.entered_unit or parameter.unit or ""),)
        if parameter.unit
        else ()
    )
    return Sheet(
        f"Correct {parameter.en.lower() if not parameter.en.isupper() else parameter.en}",
        (
            Group(
                "Right value",
                (
                    value,
                    *unit,
                    Field("comment", "Comment", "area", needed=False, value=old.comment),
                    Field("reason", "Why it is corrected", "area", hint="Stands beside both values for ever."),
                ),
            ),
        ),
        "Record the correction",
        "The old value stays on record, struck through, with your reason.",
        (f"/steps/{step.number}", f"Step {step.number}"),
        facts=(
            ("Step", step.number),
            ("Recorded value", f"{old.entered_value} {unit_word(old.entered_unit)}".strip()),
            ("Recorded by", old.recorded_by),
        ),
    )


offer(
    router,
    "/readings/{reading_id}/correct",
    correct_reading,
    CorrectReading,
    _correction_sheet,
    lambda visit, _reading: (f"/steps/{_reading_of(visit)[0].number}", "The correction is recorded."),
    lambda visit, _typed: {"reading_id": visit.request.path_params["reading_id"]},
)


def _step_of(visit: Visit) -> StepView:
    return visit.ask(step_numbered, str(visit.request.path_params["number"]))  # type: ignore[no-any-return]


def _explanations(kind: StepKind) -> tuple[Group, ...]:
    """What was left out, and counts that do not balance: each with its reason, each a deviation."""
    columns = (
        Field("parameter", "Parameter", "select", needed=False,
              options=(("", "Nothing"), *((one.code, one.en) for one in kind.parameters))),
        Field("reason", "Why", needed=False),
    )  # fmt: skip
    wholes = tuple((one.whole, one.name) for one in BALANCES if one.kind == kind.code)
    note = "A deviation opens by itself."
    groups = [Group("Not recorded", (Rows("left_out", columns, more="Add a row"),), f"Under a recipe only. {note}")]
    if wholes:
        explained = (
            Field("parameter", "Count", "select", needed=False, options=(("", "Nothing"), *wholes)),
            columns[1],
        )
        groups.append(Group("Does not balance", (Rows("explanations", explained, more="Add a row"),), note))
    return tuple(groups)


def _completion_sheet(visit: Visit) -> Sheet:
    step = _step_of(visit)
    kind = visit.ask(kind_of_step, step.number)
    have = {
        one.parameter: one.value if one.value is not None else one.entered_value
        for one in step.readings
        if not one.replaced
    }
    missing = {one.field for one in kind.missing(have)}
    open_ones = [one for one in kind.parameters if one.code not in have and (one.required or one.needed_when)]
    lots = tuple(
        {"_label": f"{one.lot_number} · {spelled(one.kind)}", "lot_number": one.lot_number, "quantity.unit": one.unit}
        for one in step.yielded
    )
    columns = (
        Field("lot_number", "Lot", "hidden"),
        Field("quantity.value", "What came out", "number"),
        Field("quantity.unit", "Unit", "select", options=unit_options()),
        Field("expires_on", "Expires on", "date", needed=False, hint="Only if earlier than the rule allows."),
    )
    groups = [Group("What came out", (Rows("outputs", columns, least=len(lots), more="", presets=lots),))]
    if open_ones:
        parts = tuple(parameter_part(one, kind, needed=one.code in missing) for one in open_ones)
        groups.append(
            Group("Still to be recorded", parts, "The step cannot be completed without what is not marked “if any”.")
        )
    end = (
        Field(
            "ended_at", "Ended", "time", needed=False, hint=f"{visit.site.profile.time_zone} time; now, if left empty."
        ),
        Field("comment", "Comment", "area", needed=False, hint="Needed where the values together are unusual."),
    )
    return Sheet(
        f"Complete step {step.number}",
        (*groups, *_explanations(kind), Group("End", end)),
        "Complete the step",
        f"{kind.en}. Once completed, nothing more is recorded on it, and its lots go into quarantine.",
        (f"/steps/{step.number}", f"Step {step.number}"),
    )


offer(
    router,
    "/steps/{number}/complete",
    complete_step,
    CompleteStep,
    _completion_sheet,
    lambda _visit, step: (f"/steps/{step.number}", f"Step {step.number} is complete; its lots are in quarantine."),
    lambda visit, _typed: {"step_number": visit.request.path_params["number"]},
)
