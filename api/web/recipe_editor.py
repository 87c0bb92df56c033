"""Drafting a recipe: a form that grows. Every button sends it, and it comes back with what was typed; nothing is kept until it is drafted."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from api.web.forms import Amount, Field, Form, Group, Option, Part, Rows, Sheet, Typed, attempt, show
from api.web.lots import LOT_UNITS, unit_options
from api.web.pages import Member, Visit, guarded, leads_to, unit_word
from api.web.recipe_form import DEFAULTS, acted, command_content, shown_content, steps_typed, tidied
from api.web.steps import allowed, usual
from domain.equipment.queries import equipment_list
from domain.errors import Reason
from domain.lots.queries import products
from domain.manufacturing.catalogue import STEP_KINDS, Parameter, StepKind
from domain.manufacturing.recipe_queries import recipe_file
from domain.manufacturing.recipes import DraftRecipe, draft_recipe
from domain.permissions import Permission
from domain.quantities import UNITS

router = APIRouter(include_in_schema=False)

Drafter = Annotated[Visit, Depends(guarded(Permission.DRAFT_RECIPE))]

_YES_NO = (("yes", "Yes"), ("no", "No"))
_LIMITS = (
    ("hard_low", "Cannot be below"), ("action_low", "Action below"), ("alert_low", "Alert below"),
    ("alert_high", "Alert above"), ("action_high", "Action above"), ("hard_high", "Cannot be above"),
)  # fmt: skip
_KEY = "A step is named with small letters, digits and hyphens, such as fill or sterile-filtration."


@router.get("/recipes/new")
def draft_form(visit: Drafter, like: str = "") -> Response:
    """An empty recipe, or the next version of one."""
    code, _, revision = like.rpartition(" v")
    if not (code and revision.isdecimal() and len(revision) <= 6):
        return show(visit, _sheet(visit, Typed()))
    old = visit.ask(recipe_file, code, int(revision), visit.site.today())
    typed = Typed([("code", old.code), ("product_code", old.product_code), *shown_content(old.content)])
    return show(visit, _sheet(visit, typed), typed)


@router.post("/recipes/new")
def draft(visit: Member, typed: Form) -> Response:
    """Drafted; or the form once more, with a row more or less, or with every reason at its field."""
    typed = tidied(typed)
    if "_more" in typed:
        return show(visit, _sheet(visit, typed), typed)
    if "_act" in typed:
        return _changed(visit, typed)
    recipe, reasons, status = attempt(visit, typed, DraftRecipe, draft_recipe, {"content": command_content(typed)})
    if reasons:
        return show(visit, _sheet(visit, typed), typed, [_plain(one) for one in reasons], status)
    return leads_to(f"/recipes/{recipe.code}/{recipe.revision}", f"{recipe.label} is drafted and waits for review.")


def _changed(visit: Visit, typed: Typed) -> Response:
    """Steps and rows added, moved and removed."""
    act, kind = typed.get("_act"), typed.get("_kind")
    if act == "add" and kind not in STEP_KINDS:
        return show(
            visit, _sheet(visit, typed), typed, [Reason("value-missing", "choose the kind of step", "_kind")], 422
        )
    changed, focus = acted(typed, f"add {kind}" if act == "add" else act)
    return show(visit, _sheet(visit, changed, focus), changed)


def _plain(reason: Reason) -> Reason:
    """Reasons of forms in words of this one."""
    if reason.field in ("content", "content.steps") and "needed" in reason.text:
        return Reason(reason.code, "a recipe has at least one step", "_kind")
    if reason.text.startswith("String should match pattern"):
        return Reason(reason.code, _KEY, reason.field)
    return reason


def _sheet(visit: Visit, typed: Typed, focus: str = "") -> Sheet:
    coded = [(one.code, f"{one.code} · {one.name_en}") for one in visit.ask(products)]
    now = visit.site.clock()
    known = sorted({one.equipment_class for one in visit.ask(equipment_list, now, visit.site.today(now))})
    steps = range(steps_typed(typed))
    about = (
        Field("code", "Code", "code", hint="Such as MBR-AD-EV-100; the same code again makes the next version."),
        Field("product_code", "Product", "select", options=(("", "Choose …"), *coded)),
        Field("effective_from", "In force from", "date"),
        Field("reason", "What is new, and why", "area"),
    )
    kinds = (("", "Choose …"), *((one.code, one.en) for one in STEP_KINDS.values()))
    adding = Group("Add a step", (Field("_kind", "Kind of step", "select", options=kinds, needed=False),),
                   "It is added at the end; move it to its place.", (("add", "Add the step"),))  # fmt: skip
    return Sheet(
        "Draft a recipe",
        (
            Group("Recipe", about),
            *(_step(typed, place, len(steps), known) for place in steps),
            adding,
            *([_holds(typed)] if len(steps) > 1 else []),
        ),
        "Draft it",
        "A draft counts for nothing until a second person has reviewed it and QA has approved it.",
        ("/recipes", "Recipes"),
        context={"width": "", "redraws": True},
        focus=focus,
    )


def _step(typed: Typed, place: int, count: int, classes: list[str]) -> Group:
    """One step with its tables, and the buttons that move and remove it."""
    base = f"content.steps.{place}"
    kind = STEP_KINDS.get(typed.get(f"{base}.kind"))
    named = f"As in the register, parted by commas: {', '.join(classes)}." if classes else "Parted by commas."
    parts: tuple[Part, ...] = (
        Field(f"{base}.kind", "Kind", "hidden"),
        Field(f"{base}.key", "Name of the step", hint="How hold times and records call it."),
        _switch(f"{base}.training_needed", "Training needed"),
        _switch(f"{base}.line_clearance", "Line clearance at the start"),
        Field(f"{base}.equipment_classes", "Equipment", hint=f"All of these classes. {named}", needed=False),
        Field(f"{base}.room_classes", "Room", hint="Any one of these classes, parted by commas.", needed=False),
        Field(f"{base}.instruction", "Instruction", "area", needed=False),
        *([_parameters(typed, base, kind)] if kind else []),
        _materials(typed, base),
        _samples(typed, base),
        Field(f"{base}.expected_yield.low", "Expected yield, from", "number", unit="%", needed=False),
        Field(f"{base}.expected_yield.high", "to", "number", unit="%", needed=False),
        Amount(f"{base}.expected_yield.theoretical", "of the theoretical quantity", _units(typed, base),
               "What was taken in the same unit, if left empty.", needed=False),
        Rows(f"{base}.statements", (Field("text", "Printed in the batch record", needed=False),), 0,
             more="Add a statement", legend="Statements", removable=True),
    )  # fmt: skip
    moves: list[Option] = [("up", "Move up")] * (place > 0) + [("down", "Move down")] * (place < count - 1)
    actions = (*((f"{verb} {base}", word) for verb, word in moves), (f"remove {base}", "Remove this step"))
    return Group(f"Step {place + 1}: {kind.en if kind else 'unknown'}", parts, kind.note if kind else "", actions)


def _switch(name: str, label: str) -> Field:
    return Field(name, label, "select", options=_YES_NO, value=DEFAULTS[name.rpartition(".")[2]])


def _parameters(typed: Typed, base: str, kind: StepKind) -> Rows:
    """What the recipe asks of the parameters, each with its unit and what the catalogue says beside it."""
    name = f"{base}.parameters"
    choices = tuple((one.code, _with_unit(one)) for one in kind.parameters)
    columns = (
        Field("code", "Parameter", "select", options=(("", "Choose …"), *choices)),
        _switch("required", "Required"),
        _switch("critical", "Second person"),
        *(Field(limit, label, "number", needed=False) for limit, label in _LIMITS),
    )
    known = {one.code: one for one in kind.parameters}
    rows = [known.get(typed.get(f"{name}.{place}.code")) for place in typed.places(name)]
    labels = tuple(_catalogue_says(one) if one else "" for one in rows)
    return Rows(name, columns, 0, more="Add a parameter", legend="Parameters", labels=labels, removable=True)


def _with_unit(parameter: Parameter) -> str:
    unit = unit_word(parameter.unit)
    return f"{parameter.en} ({unit})" if unit else parameter.en


def _catalogue_says(parameter: Parameter) -> str:
    bounds = allowed(parameter)
    said = [f"Limits in {unit_word(parameter.unit)}."] if unit_word(parameter.unit) else []
    said += [f"The catalogue allows {bounds}."] if bounds else ["It has no limits."]
    return " ".join([*said, *([one] if (one := usual(parameter)) else [])])


def _units(typed: Typed, base: str) -> tuple[Option, ...]:
    """The usual units, and those that the version has already."""
    used = [texts[0] for name, texts in typed.values.items() if name.startswith(f"{base}.") and name.endswith(".unit")]
    more = [code for code in dict.fromkeys(used) if code in UNITS and code not in LOT_UNITS]
    return unit_options((*LOT_UNITS, *more))


def _materials(typed: Typed, base: str) -> Rows:
    columns = (
        Field("material", "Material or specification"),
        Field("quantity.value", "Quantity", "number"),
        Field("quantity.unit", "Unit", "select", options=_units(typed, base)),
        Field("tolerance", "Tolerance ±", "number", unit="%"),
    )
    return Rows(f"{base}.materials", columns, 0, more="Add a material", legend="Materials", removable=True)


def _samples(typed: Typed, base: str) -> Rows:
    columns = (
        Field("purpose", "Purpose"),
        Field("quantity.value", "Quantity", "number"),
        Field("quantity.unit", "Unit", "select", options=_units(typed, base)),
        Field("stage", "When", needed=False),
    )
    return Rows(f"{base}.samples", columns, 0, more="Add a sample", legend="Samples", removable=True)


def _holds(typed: Typed) -> Group:
    name = "content.hold_times"
    keys = [typed.get(f"content.steps.{place}.key") for place in typed.places("content.steps")]
    used: list[Any] = [typed.get(f"{name}.{row}.{end}") for row in typed.places(name) for end in ("after", "before")]
    choices = (("", "Choose …"), *((key, key) for key in dict.fromkeys([*keys, *used]) if key))
    times = tuple((code, UNITS[code].en) for code in ("h", "min", "d"))
    columns = (
        Field("after", "From the end of", "select", options=choices),
        Field("before", "to the start of", "select", options=choices),
        Field("at_most.value", "at most", "number"),
        Field("at_most.unit", "Unit", "select", options=times, value="h"),
    )
    return Group("Hold times", (Rows(name, columns, 0, more="Add a hold time", removable=True),))
