"""A recipe as the controls of a form: rows added, removed and moved, and both ways between the controls and the content.

Names are places in the command. Empty rows fall away and the others move up, so that the place of a row on the page is its place in
the command, and a refusal finds it.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from api.web.forms import IDLE, Typed
from domain.errors import Invalid, Reason
from domain.manufacturing.recipe_models import RecipeContent

#: A row in which nothing but these is chosen was not filled in by anybody.
UNTOUCHED = IDLE | {"critical"}
#: What a switch says before anybody looks.
DEFAULTS = {"required": "yes", "critical": "no", "training_needed": "yes", "line_clearance": "yes"}
_STEPS = "content.steps"
#: What the controls of the content are called: `content.steps.2.parameters.0.alert_low`.
_NAME = re.compile(r"content\.(steps|hold_times)\.[0-9]{1,4}(\.[a-z_]+(\.[0-9]{1,4})?)*\.[a-z_]+")
_LISTED = ("equipment_classes", "room_classes")


def tidied(typed: Typed) -> Typed:
    """What was typed, without empty rows and with the others counted from 0."""
    return _with(typed, _tidy(_tree(typed)))


def steps_typed(typed: Typed) -> int:
    """How many steps the form has; typed: tidied."""
    return len(typed.places(_STEPS))


def acted(typed: Typed, act: str) -> tuple[Typed, str]:
    """The form after `add <kind>`, `up`, `down` or `remove <place>`, and where typing goes on. typed: tidied."""
    verb, _, place = act.partition(" ")
    tree = _tidy(_tree(typed))
    found = _rows(tree, place)
    if verb == "add":
        steps = tree.setdefault("content", {}).setdefault("steps", [])
        steps.append({"kind": place, "key": _free_key(place, [step.get("key", "") for step in steps])})
        focus = f"{_STEPS}.{len(steps) - 1}.key"
    elif found is None:
        return typed, ""
    else:
        rows, at = found
        to = {"up": at - 1, "down": at + 1}.get(verb, at)
        row = rows.pop(at)
        if verb in ("up", "down"):
            to = min(max(to, 0), len(rows))
            rows.insert(to, row)
        focus = f"{_STEPS}.{to}.key" if place.rpartition(".")[0] == _STEPS and rows else ""
    return _with(typed, _tidy(tree)), focus


def command_content(typed: Typed) -> dict[str, Any]:
    """The content as the command takes it; typed: tidied."""
    content: dict[str, Any] = _tidy(_tree(typed)).get("content", {})
    for step in content.get("steps", []):
        for name in (one for one in _LISTED if isinstance(step.get(one), str)):
            step[name] = [part.strip() for part in step[name].split(",") if part.strip()]
        if isinstance(step.get("statements"), list):
            step["statements"] = [row.get("text", "") for row in step["statements"]]
    return content


def shown_content(content: RecipeContent) -> list[tuple[str, str]]:
    """The controls of a version: what a next one begins with."""
    said = content.model_dump(mode="json")
    for step in said["steps"]:
        step |= {name: ", ".join(step[name]) for name in _LISTED}
        step["statements"] = [{"text": text} for text in step["statements"]]
    return list(_flat("content", said))


def _free_key(kind: str, taken: list[str]) -> str:
    plain = kind.replace("_", "-")
    return next(key for key in (plain, *(f"{plain}-{count}" for count in range(2, 100))) if key not in taken)


def _tree(typed: Typed) -> dict[str, Any]:
    """The controls of the content as nested values, rows still by their place. Raises Invalid for what no page of ours sends."""
    tree: dict[str, Any] = {}
    for name, values in typed.values.items():
        path = name.split(".")
        if path[0] != "content" or not values[0].strip():
            continue
        if not _NAME.fullmatch(name):
            raise Invalid(Reason("value-not-valid", f"{name[:60]}: a recipe has no such field"))
        inner: Any = tree
        for part in path[:-1]:
            inner = inner.setdefault(part, {})
            if not isinstance(inner, dict):
                break
        if not isinstance(inner, dict) or isinstance(inner.get(path[-1]), dict):
            raise Invalid(Reason("value-not-valid", f"{name}: a field cannot be a value and a group of values", name))
        inner[path[-1]] = values[0].strip()
    return tree


def _tidy(value: Any) -> Any:
    """Rows as lists without the untouched ones."""
    if isinstance(value, list):
        return [tidy for row in value if not _is_untouched(tidy := _tidy(row))]
    if not isinstance(value, dict):
        return value
    if value and all(key.isdecimal() and len(key) <= 4 for key in value):
        return _tidy([value[key] for key in sorted(value, key=int)])
    return {key: tidy for key, part in value.items() if not _is_untouched(tidy := _tidy(part))}


def _is_untouched(value: Any) -> bool:
    if isinstance(value, dict):
        return not {key for key, part in value.items() if not _is_untouched(part)} - UNTOUCHED
    return value in ("", [])


def _rows(tree: Mapping[str, Any], place: str) -> tuple[list[Any], int] | None:
    """The rows among which a place is, and which of them it is."""
    inner: Any = tree
    *path, last = place.split(".")
    for part in path:
        if isinstance(inner, list):
            inner = inner[int(part)] if part.isdecimal() and int(part) < len(inner) else None
        else:
            inner = inner.get(part) if isinstance(inner, dict) else None
    known = isinstance(inner, list) and last.isdecimal() and int(last) < len(inner)
    return (inner, int(last)) if known else None


def _with(typed: Typed, tree: Mapping[str, Any]) -> Typed:
    rest = [(name, text) for name, texts in typed.values.items() if not name.startswith("content.") for text in texts]
    return Typed([*rest, *_flat("", tree)], typed.files)


def _flat(place: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict | list):
        for name, part in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _flat(f"{place}.{name}".lstrip("."), part)
    elif value is not None:
        yield place, {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
