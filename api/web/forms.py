"""Forms as data: a sheet is groups of fields; one template draws it, one function turns what was typed into a command.

The name of a field is its place in the command (`quantity.value`, `inputs.0.lot_number`), so a refusal's `field` finds the
field it is about, and what was typed stays in it.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, TypeVar
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, Response
from pydantic import ValidationError
from starlette.datastructures import UploadFile

from api.problems import KINDS
from api.web.pages import Member, Visit, guarded, leads_to, page
from api.web.words import sentence
from domain.errors import DomainError, Forbidden, Invalid, Reason
from domain.work import OPERATIONS, Command, Work, perform

Kind = Literal["text", "area", "number", "select", "date", "time", "password", "checks", "file", "hidden", "code"]
Option = tuple[str, str]

MOST_FIELDS = 2000
MOST_BYTES = 20_000_000

#: A row in which nothing but these is filled was not typed by anybody.
IDLE = frozenset({"unit", "rounding", "required", "marker", "phase"})


@dataclass(frozen=True)
class Field:
    """One field. `allowed` stands beside it: what may be entered; `unit` behind it. `template` draws it in a way of its own."""

    name: str
    label: str
    kind: Kind = "text"
    hint: str = ""
    allowed: str = ""
    usual: str = ""
    unit: str = ""
    options: tuple[Option, ...] = ()
    needed: bool = True
    value: str = ""
    autocomplete: str = "off"
    mark: str = ""
    comment: bool = False
    suggestions: tuple[Option, ...] = ()
    template: str = ""


@dataclass(frozen=True)
class Amount:
    """A number with the unit it is given in: two controls, `<name>.value` and `<name>.unit`, under one label."""

    name: str
    label: str
    units: tuple[Option, ...]
    hint: str = ""
    allowed: str = ""
    usual: str = ""
    needed: bool = True
    value: str = ""
    unit: str = ""
    mark: str = ""
    comment: bool = False


@dataclass(frozen=True)
class Rows:
    """A table of equal rows, `<name>.<place>.<column>`; more are added by asking for them.

    labels: what stands above each row. removable: each row has a button `_act` = `remove <name>.<place>`.
    """

    name: str
    columns: tuple[Field, ...]
    least: int = 1
    first: int = 0
    more: str = "Add a row"
    presets: tuple[Mapping[str, str], ...] = ()
    legend: str = ""
    labels: tuple[str, ...] = ()
    removable: bool = False


Part = Field | Amount | Rows


@dataclass(frozen=True)
class Group:
    """Fields under one heading; actions: buttons `_act` with value and word, that change the form and send nothing off."""

    legend: str
    parts: tuple[Part, ...]
    note: str = ""
    actions: tuple[Option, ...] = ()


@dataclass(frozen=True)
class Sheet:
    """A form: title, what it does, its groups, and the words on its button; without a button there is nothing to send.

    `tone` is `grave` for what cannot be undone. focus: the control in which typing goes on.
    """

    title: str
    groups: tuple[Group, ...]
    button: str
    lead: str = ""
    back: tuple[str, str] = ("/work", "My work")
    tone: str = "main"
    warnings: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    above: str = ""
    context: Mapping[str, Any] = field(default_factory=dict)
    focus: str = ""


class Typed:
    """What came with a form: the text of each field by name, and its files."""

    def __init__(
        self, items: Iterable[tuple[str, str]] = (), files: Mapping[str, tuple[str, bytes]] | None = None
    ) -> None:
        self.values: dict[str, list[str]] = {}
        for name, value in items:
            self.values.setdefault(name, []).append(value)
        self.files = dict(files or {})

    def get(self, name: str, default: str = "") -> str:
        """The text of a field."""
        return self.values.get(name, [default])[0]

    def all(self, name: str) -> list[str]:
        """Every ticked value of a field."""
        return self.values.get(name, [])

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def __bool__(self) -> bool:
        return bool(self.values)

    def places(self, name: str) -> list[int]:
        """The places of the rows that were sent."""
        starts = f"{name}."
        found = {key[len(starts) :].partition(".")[0] for key in self.values if key.startswith(starts)}
        return sorted(int(place) for place in found if _is_place(place))


async def typed_in(request: Request) -> Typed:
    """A dependency: the form of the request, read before the route's thread is taken."""
    form = await request.form(max_fields=MOST_FIELDS)
    items: list[tuple[str, str]] = []
    files: dict[str, tuple[str, bytes]] = {}
    for name, value in form.multi_items():
        if isinstance(value, UploadFile):
            data = await value.read(MOST_BYTES + 1)
            if len(data) > MOST_BYTES:
                raise Invalid(Reason("file-too-large", f"a file has at most {MOST_BYTES // 1_000_000} MB", name))
            files[name] = (value.filename or "file", data)
        elif "\x00" in value:
            raise Invalid(Reason("control-characters", "control characters are not allowed", name))
        else:
            items.append((name, value.replace("\r\n", "\n")))
    typed = Typed(items, files)
    request.state.typed = typed
    return typed


Form = Annotated[Typed, Depends(typed_in)]

CommandT = TypeVar("CommandT", bound=Command)


def command_of(typed: Typed, kind: type[CommandT], zone: ZoneInfo, /, **fixed: Any) -> CommandT:
    """The command that was typed; blank fields are not given. Raises ValidationError, or Invalid for an impossible time."""
    tree: dict[str, Any] = {}
    for name, values in typed.values.items():
        if name.startswith("_") or name == "csrf":
            continue
        if f"{name}[]" in typed.values:
            continue
        many = name.endswith("[]")
        given: Any = [value.strip() for value in values if value.strip()] if many else values[0].strip()
        if given:
            path = name.removesuffix("[]").split(".")
            _put(tree, path, _instant(given, zone, name) if path[-1].endswith("_at") else given)
    return kind.model_validate({**{name: _listed(name, part) for name, part in tree.items()}, **fixed})


def _put(tree: dict[str, Any], path: list[str], value: Any) -> None:
    for part in path[:-1]:
        inner: Any = tree.setdefault(part, {})
        if not isinstance(inner, dict):
            name = ".".join(path)
            raise Invalid(Reason("value-not-valid", f"{name}: a field cannot be a value and a group of values", name))
        tree = inner
    tree[path[-1]] = value


def _is_place(text: str) -> bool:
    """Whether this is the place of a row."""
    return text.isdecimal() and len(text) <= 4


def _listed(name: str, part: Any) -> Any:
    """Tables as lists without their idle rows, and readings as entries."""
    if not isinstance(part, dict):
        return part
    if name == "readings":
        return [{"parameter": code, **entry} for code, entry in part.items() if _is_entry(entry)]
    if part and all(_is_place(key) for key in part):
        return [part[key] for key in sorted(part, key=int) if not _is_idle(part[key])]
    return part


def _is_entry(entry: Any) -> bool:
    return isinstance(entry, dict) and bool(set(entry) - {"unit"})


def _is_idle(row: Any) -> bool:
    return isinstance(row, dict) and not _leaves(row) - IDLE


def _leaves(row: Mapping[str, Any]) -> set[str]:
    return {leaf for key, value in row.items() for leaf in (_leaves(value) if isinstance(value, dict) else {key})}


def _instant(text: str, zone: ZoneInfo, name: str) -> datetime:
    """What `datetime-local` sends is the clock of the site; a time that the clock skips in spring is none."""
    try:
        said = datetime.fromisoformat(text)
    except ValueError:
        said = None
    if said is None:
        raise Invalid(Reason("not-a-time", f"{text!r} is no time; give date and time such as 2026-11-20 09:30", name))
    if said.tzinfo is not None:
        return said
    at = said.replace(tzinfo=zone).astimezone(UTC)
    if at.astimezone(zone).replace(tzinfo=None) != said:
        raise Invalid(
            Reason("not-a-time", f"{said:%Y-%m-%d %H:%M} does not exist in {zone.key}: the clocks skip that hour", name)
        )
    return at


_MESSAGES = {
    "missing": "This is needed.",
    "enum": "Choose one of the list.",
    "literal_error": "Choose one of the list.",
    "date_from_datetime_parsing": "Give a date, such as 2026-11-20.",
    "date_parsing": "Give a date, such as 2026-11-20.",
    "int_parsing": "Give a whole number.",
    "too_short": "At least one is needed.",
}


def plain_reasons(error: ValidationError, kind: type[Command], typed: Typed) -> tuple[Reason, ...]:
    """Pydantic's errors in words, each with the name of its field."""
    found = []
    for one in error.errors():
        place = _on_page([str(part) for part in one["loc"]], typed)
        text = _MESSAGES.get(one["type"], str(one["msg"]).removeprefix("Value error, "))
        if one["type"] == "string_pattern_mismatch":
            info = kind.model_fields.get(place[0])
            told = info and (info.description or (info.examples and f"as in {info.examples[0]}"))
            text = f"This does not have the form it needs: {told}" if told else text
        found.append(Reason("value-not-valid", text, ".".join(place)))
    return tuple(found)


def _on_page(place: list[str], typed: Typed) -> list[str]:
    """A place in the command as the place on the page: empty rows are not part of the command, and readings go by their code."""
    if len(place) < 2 or not _is_place(place[1]):
        return place
    rows: dict[str, set[str]] = {}
    for name, values in typed.values.items():
        table, _, rest = name.partition(".")
        row, _, column = rest.partition(".")
        if table == place[0] and row and values[0].strip():
            rows.setdefault(row, set()).add(column.rpartition(".")[2])
    kept = [row for row in (rows if place[0] == "readings" else sorted(rows, key=_order)) if rows[row] - IDLE]
    return [place[0], kept[int(place[1])], *place[2:]] if int(place[1]) < len(kept) else place


def _order(row: str) -> int:
    return int(row) if _is_place(row) else 0


def names_of(sheet: Sheet, typed: Typed) -> list[str]:
    """Every control of a sheet, in its order."""
    found: list[str] = []
    for part in (part for group in sheet.groups for part in group.parts):
        if isinstance(part, Field):
            found += [part.name, *([comment_of(part.name)] if part.comment else [])]
        elif isinstance(part, Amount):
            found += [f"{part.name}.value", f"{part.name}.unit", *([f"{part.name}.comment"] if part.comment else [])]
        else:
            found += [
                f"{part.name}.{place}.{column.name}" for place in places_of(part, typed) for column in part.columns
            ]
    return found


def labels_of(sheet: Sheet, typed: Typed) -> dict[str, str]:
    """What each control of a sheet is called where it is not in sight."""
    found: dict[str, str] = {}
    for part in (part for group in sheet.groups for part in group.parts):
        if isinstance(part, Rows):
            for count, place in enumerate(places_of(part, typed)):
                own = part.presets[count].get("_label") if count < len(part.presets) else None
                row = f"{part.legend or 'Row'} {count + 1}"
                for column in part.columns:
                    found[f"{part.name}.{place}.{column.name}"] = f"{own or row}, {column.label}"
        elif isinstance(part, Amount):
            found |= {f"{part.name}.value": part.label, f"{part.name}.unit": f"Unit of {part.label}"}
            found[f"{part.name}.comment"] = f"Comment on {part.label}"
        else:
            found |= {comment_of(part.name): f"Comment on {part.label}", part.name: part.label}
    return found


def named(text: str, label: str | None) -> str:
    """A reason in the summary, where its field is not beside it: `Location: this is needed.`"""
    if not label:
        return sentence(text)
    own = text[:1].lower() + text[1:] if text in _MESSAGES.values() or text.startswith("This ") else text
    said = f"{label}: {own.strip()}"
    return said if said.endswith((".", "!", "?")) else f"{said}."


def comment_of(name: str) -> str:
    """The comment that belongs to a value."""
    return f"{name.removesuffix('.value')}.comment"


def places_of(rows: Rows, typed: Typed) -> range:
    """The places of the rows to draw: those that were sent, and one more when asked."""
    sent = len(typed.places(rows.name)) if typed else 0
    count = max(rows.least, len(rows.presets), sent + (1 if typed.get("_more") == rows.name else 0))
    return range(rows.first, rows.first + count)


def field_for(where: str | None, names: Iterable[str]) -> str | None:
    """The control that a reason is about: the very one, the nearest inside or around it, or the one of the same column."""
    if not where:
        return None
    plain = {name.removesuffix("[]"): name for name in names}
    if where in plain:
        return plain[where]
    rules: tuple[Callable[[str], bool], ...] = (
        lambda name: name.startswith(f"{where}."),
        lambda name: where.startswith(f"{name}."),
        lambda name: [part for part in name.split(".") if not part.isdigit()] == where.split("."),
        lambda name: where in name.split("."),
    )
    return next((plain[name] for rule in rules for name in plain if rule(name)), None)


#: Reasons that name no field but concern one.
_PLACES = {"wrong-credentials": "credentials.password"}


def placed(reasons: Iterable[Reason], names: Iterable[str]) -> tuple[tuple[Reason, str | None], ...]:
    """Each reason with the control it belongs to."""
    names = list(names)
    return tuple((one, field_for(one.field or _PLACES.get(one.code), names)) for one in reasons)


def show(
    visit: Visit, sheet: Sheet, typed: Typed | None = None, reasons: Iterable[Reason] = (), status: int = 200
) -> HTMLResponse:
    """The sheet as a page: with what was typed, and every reason at its field."""
    typed = typed or Typed()
    found = placed(reasons, names_of(sheet, typed))
    errors: dict[str, list[str]] = {}
    for reason, name in found:
        if name is not None:
            errors.setdefault(name, []).append(sentence(reason.text))
    labels = labels_of(sheet, typed)
    summary = [(named(reason.text, labels.get(name or "")), name) for reason, name in found]
    return page(
        visit,
        "form.html",
        status,
        sheet=sheet,
        typed=typed,
        errors=errors,
        summary=summary,
        places_of=places_of,
        comment_of=comment_of,
    )


CSRF_MISSING = Reason(
    "csrf", "this form is not from your present sign-in; nothing was recorded. Look it over and send it again"
)

Make = Callable[[Visit], Sheet]
Done = Callable[[Visit, Any], tuple[str, str]]
Fix = Callable[[Visit, Typed], Mapping[str, Any]]


def status_of(error: DomainError) -> int:
    """The status of a refusal; a wrong password at a signature is no lost sign-in, so it is answered as a refused value."""
    code = next((known[0] for kind, known in KINDS.items() if isinstance(error, kind)), 400)
    return 422 if code == 401 else code


def attempt(
    visit: Visit,
    typed: Typed,
    kind: type[Command],
    operation: Callable[[Work, Any], Any],
    fixed: Mapping[str, Any],
) -> tuple[Any, tuple[Reason, ...], int]:
    """Do what was typed: `(result, (), 303)`, or `(None, reasons, status)`. A missing permission goes on as a refusal of the page."""
    if not visit.carries(typed.get("csrf")):
        return None, (CSRF_MISSING,), 403
    try:
        command = command_of(typed, kind, visit.site.zone, **fixed)
        return perform(visit.site, visit.who, operation, command, once=typed.get("_once")[:200]), (), 303
    except ValidationError as error:
        return None, plain_reasons(error, kind, typed), 422
    except Forbidden:
        raise
    except DomainError as error:
        return None, tuple(_shifted(reason, typed) for reason in error.reasons), status_of(error)


def _shifted(reason: Reason, typed: Typed) -> Reason:
    """The domain counts rows from 0 and replicates from 1, as the page does; only empty rows between must be counted in."""
    path = (reason.field or "").split(".")
    if path[0] not in ("lines", "phases"):
        return reason
    return Reason(reason.code, reason.text, ".".join(_on_page(path, typed)))


def offer(
    router: APIRouter,
    path: str,
    operation: Callable[[Work, Any], Any],
    kind: type[Command],
    sheet: Make,
    done: Done,
    fix: Fix = lambda _visit, _typed: {},
) -> None:
    """A page with a form for one operation: GET shows the sheet, POST performs it or shows it again with every reason."""
    ready = guarded(OPERATIONS[operation.__name__].permission)

    def ask(visit: Visit = Depends(ready)) -> Response:
        return show(visit, sheet(visit))

    def act(visit: Member, typed: Form) -> Response:
        if "_more" in typed:
            return show(visit, sheet(visit), typed)
        result, reasons, status = attempt(visit, typed, kind, operation, fix(visit, typed))
        if reasons:
            return show(visit, sheet(visit), typed, reasons, status)
        return leads_to(*done(visit, result))

    router.add_api_route(path, ask, methods=["GET"], include_in_schema=False, name=f"{operation.__name__}_form")
    router.add_api_route(path, act, methods=["POST"], include_in_schema=False, name=operation.__name__)


def signature(note: str = "Your signature is bound to exactly what is recorded now.") -> Group:
    """Both components of a signature (21 CFR 11.200)."""
    return Group(
        "Signature",
        (
            Field(
                "credentials.username",
                "Username",
                autocomplete="username",
                hint="Your own: a signature is yours alone.",
            ),
            Field("credentials.password", "Password", "password", autocomplete="current-password"),
        ),
        note,
    )


def options(codes: Iterable[str], word: Callable[[str], str], *, empty: str = "Choose …") -> tuple[Option, ...]:
    """Codes as the options of a select, behind an empty one: nothing is chosen by not looking."""
    return (("", empty), *((str(code), word(code)) for code in codes))
