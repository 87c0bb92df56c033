"""The process catalogue: the kinds of step, and what is recorded on each.

The catalogue is data (`catalogue.toml`, from the process model of the field); this file reads it, refuses an illegal
one at import, and checks one entry at a time. Rules between entries stand in `checks.py`.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from domain.errors import Invalid, NotFound, Reason
from domain.lots.models import LotKind
from domain.quantities import UNITS, convert, format_decimal, parse_decimal

MAX_TEXT = 500


@dataclass(frozen=True, slots=True)
class CheckedValue:
    """An entry that may be recorded.

    text, unit: as entered. magnitude: the number in the catalogue's unit; None for choices and texts.
    alert: why the entry is unusual, if it is.
    """

    text: str
    unit: str | None
    magnitude: Decimal | None = None
    alert: Reason | None = None


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Parameter(_Entry):
    """What is recorded under one code.

    Bounds are in `unit` (UCUM), inclusive unless `hard_low_exclusive`. Outside the hard ones an entry is refused,
    outside the action ones (which recipes give) it opens a deviation, outside the alert ones it is flagged.
    critical: a critical process parameter. needed_when: required if another
    parameter of the step has one of these choices.
    """

    code: str
    en: str
    de: str
    type: Literal["numeric", "count", "choice", "text"] = "numeric"
    unit: str | None = None
    hard_low: Decimal | None = None
    hard_high: Decimal | None = None
    hard_low_exclusive: bool = False
    action_low: Decimal | None = None
    action_high: Decimal | None = None
    alert_low: Decimal | None = None
    alert_high: Decimal | None = None
    choices: tuple[str, ...] = ()
    alert_choices: tuple[str, ...] = ()
    critical: bool = False
    required: bool = False
    needed_when: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    example: str
    example_unit: str | None = None
    description: str
    note: str | None = None

    @field_validator("hard_low", "hard_high", "action_low", "action_high", "alert_low", "alert_high", mode="before")
    @classmethod
    def _bound_is_typed_text(cls, value: object) -> object:
        """A bound is text in the file: TOML floats would bring binary fractions."""
        return None if value is None else parse_decimal(value)

    @model_validator(mode="after")
    def _is_legal(self) -> Self:
        measured = self.type in ("numeric", "count")
        bounds = (self.hard_low, self.action_low, self.alert_low, self.alert_high, self.action_high, self.hard_high)
        ladder = [b for b in bounds if b is not None]
        faults = {
            "its unit is not in the list": self.unit not in UNITS if measured else self.unit is not None,
            "only choices have choices": (self.type == "choice") != bool(self.choices),
            "an alert choice is not a choice": not set(self.alert_choices) <= set(self.choices),
            "only numbers have bounds": bool(ladder) and not measured,
            "alert bounds lie outside the hard ones": ladder != sorted(ladder),
            "an exclusive bound is missing": self.hard_low_exclusive and self.hard_low is None,
            "a count begins at zero or above": self.type == "count" and (self.hard_low is None or self.hard_low < 0),
        }
        if found := [fault for fault, is_so in faults.items() if is_so]:
            raise ValueError(f"{self.code}: {'; '.join(found)}")
        try:
            checked = self.check(self.example, self.example_unit or self.unit)
        except Invalid as refusal:
            raise ValueError(f"{self.code}: its own example is refused: {refusal}") from refusal
        if checked.alert:
            raise ValueError(f"{self.code}: its own example is unusual: {checked.alert.text}")
        return self

    def check(self, text: str, unit: str | None = None, field: str | None = None) -> CheckedValue:
        """The entry, ready to be recorded; a compatible unit is converted.

        unit: needed for numbers, save where the catalogue's unit is 1 or the entry is a count.
        field: where it was given, else the parameter's code.
        Invalid: `value-missing`, `not-a-number`, `unit-missing`, `unit-not-allowed`, `unknown-unit`,
        `incompatible-units`, `not-a-whole-number`, `value-outside-hard-bounds`, `unknown-choice`, `text-too-long`.
        """
        field = field or self.code
        if not text or not text.strip():
            raise Invalid(Reason("value-missing", f"{self.en}: nothing was given; {self.allowed()}.", field))
        if self.unit is None:
            return self._check_words(text, unit, field)
        return self._check_number(text, unit, self.unit, field)

    def allowed(self) -> str:
        """What may be entered, in one phrase."""
        if self.type == "choice":
            return "allowed are " + ", ".join(self.choices)
        if self.type == "text":
            return f"up to {MAX_TEXT} characters are allowed"
        low, high = self.hard_low, self.hard_high
        bounds = [f"{'above' if self.hard_low_exclusive else 'from'} {format_decimal(low)}"] if low is not None else []
        bounds += [f"up to {format_decimal(high)}"] if high is not None else []
        kind = "whole numbers" if self.type == "count" else "numbers"
        return " ".join(["allowed are", kind, *bounds, *([f"in {self.unit}"] if self.unit != "1" else [])])

    def _check_words(self, text: str, unit: str | None, field: str) -> CheckedValue:
        if unit:
            raise Invalid(Reason("unit-not-allowed", f"{self.en} has no unit, {unit!r} was given.", field))
        if self.type == "text":
            if len(text) > MAX_TEXT:
                raise Invalid(Reason("text-too-long", f"{self.en}: {len(text)} characters; {self.allowed()}.", field))
            return CheckedValue(text, None)
        if text not in self.choices:
            raise Invalid(Reason("unknown-choice", f"{self.en}: {text[:60]!r} is unknown; {self.allowed()}.", field))
        unusual = Reason("unusual-choice", f"{self.en}: {text} needs a comment.", field)
        return CheckedValue(text, None, alert=unusual if text in self.alert_choices else None)

    def _check_number(self, text: str, unit: str | None, own_unit: str, field: str) -> CheckedValue:
        entered = parse_decimal(text, field)
        if not unit and own_unit != "1" and self.type != "count":
            raise Invalid(Reason("unit-missing", f"{self.en}: {text} without a unit; {self.allowed()}.", field))
        unit = unit or own_unit
        magnitude = convert(entered, unit, own_unit, field)
        if self.type == "count" and magnitude != magnitude.to_integral_value():
            raise Invalid(Reason("not-a-whole-number", f"{self.en}: {text} is no count; {self.allowed()}.", field))
        low, high = self.hard_low, self.hard_high
        too_low = low is not None and (magnitude < low or (self.hard_low_exclusive and magnitude == low))
        if too_low or (high is not None and magnitude > high):
            said = f"{self.en}: {text} {unit} cannot be; {self.allowed()}."
            raise Invalid(Reason("value-outside-hard-bounds", said, field))
        return CheckedValue(text, unit, magnitude, self._alert(magnitude, f"{text} {unit}", field))

    def _alert(self, magnitude: Decimal, said: str, field: str) -> Reason | None:
        for name, bound, beyond, side in (
            ("action", self.action_low, -1, "below"),
            ("action", self.action_high, 1, "above"),
            ("alert", self.alert_low, -1, "below"),
            ("alert", self.alert_high, 1, "above"),
        ):
            if bound is not None and magnitude.compare(bound) == beyond:
                text = f"{self.en}: {said} is {side} the {name} bound of {format_decimal(bound)} {self.unit}."
                return Reason(f"outside-{name}-bounds", text, field)
        return None


class ExpiryRule(_Entry):
    """How long what a step yields may be used; with neither of the first two it has no date (banks are retested).

    max_days: days from the end of the step. product_shelf_life: the product's shelf life from the fill date.
    not_after_parent: kinds of consumed lots whose own expiry date also bounds the yielded lot.
    """

    max_days: int | None = Field(default=None, ge=1)
    product_shelf_life: bool = False
    not_after_parent: tuple[LotKind, ...] = ()
    source: str

    @model_validator(mode="after")
    def _is_one_rule(self) -> Self:
        if self.product_shelf_life and self.max_days is not None:
            raise ValueError("expiry: either days or the product's shelf life, not both")
        return self


class StepKind(_Entry):
    """One kind of manufacturing step: what it may consume, what it yields, what is recorded (in order)."""

    code: str
    en: str
    de: str
    source: str
    note: str
    consumes: tuple[LotKind, ...]
    yields: tuple[LotKind, ...]
    expiry: ExpiryRule
    parameters: tuple[Parameter, ...]

    @model_validator(mode="after")
    def _is_legal(self) -> Self:
        by_code = {parameter.code: parameter for parameter in self.parameters}
        if len(by_code) != len(self.parameters):
            raise ValueError(f"{self.code}: a parameter code stands twice")
        if not self.yields or LotKind.RAW_MATERIAL not in self.consumes:
            raise ValueError(f"{self.code}: a step yields something and may consume raw material")
        if not set(self.expiry.not_after_parent) <= set(self.consumes):
            raise ValueError(f"{self.code}: its expiry is bounded by what it does not consume")
        for parameter in self.parameters:
            for selector, choices in parameter.needed_when.items():
                if selector not in by_code or not set(choices) <= set(by_code[selector].choices):
                    raise ValueError(f"{self.code}.{parameter.code}: needed for an unknown {selector}")
        return self

    def parameter(self, code: str) -> Parameter:
        """The parameter with this code; NotFound (`unknown-parameter`) lists those of the step."""
        for parameter in self.parameters:
            if parameter.code == code:
                return parameter
        allowed = ", ".join(parameter.code for parameter in self.parameters)
        text = f"{self.en} has no parameter {code[:60]!r}; it has {allowed}."
        raise NotFound(Reason("unknown-parameter", text, "parameter"))

    def missing(self, values: Mapping[str, object]) -> tuple[Reason, ...]:
        """What must still be recorded before the step can be completed; values: by parameter code (21 CFR 211.188)."""
        return tuple(
            Reason("parameter-missing", f"{self.en}: {parameter.en} is not recorded.", parameter.code)
            for parameter in self.parameters
            if parameter.code not in values
            and (parameter.required or any(values.get(key) in of for key, of in parameter.needed_when.items()))
        )


def read_catalogue(text: str) -> Mapping[str, StepKind]:
    """The step kinds of a catalogue file, in its order; ValueError names the place of whatever is illegal in it."""
    kinds = {}
    for code, table in tomllib.loads(text).items():
        parameters = [_read_parameter(code, name, entry) for name, entry in table.pop("parameters", {}).items()]
        kinds[code] = StepKind.model_validate({"code": code, **table, "parameters": parameters})
    return MappingProxyType(kinds)


def _read_parameter(kind: str, name: str, entry: Mapping[str, object]) -> Parameter:
    try:
        return Parameter.model_validate({"code": name, **entry})
    except (Invalid, ValueError) as fault:
        raise ValueError(f"{kind}.{name}: {fault}") from fault


STEP_KINDS = read_catalogue(Path(__file__).with_name("catalogue.toml").read_text(encoding="utf-8"))


def step_kind(code: str) -> StepKind:
    """The step kind with this code; NotFound (`unknown-step-kind`) lists the known ones."""
    if code in STEP_KINDS:
        return STEP_KINDS[code]
    text = f"There is no step kind {code[:60]!r}; known are {', '.join(STEP_KINDS)}."
    raise NotFound(Reason("unknown-step-kind", text, "kind"))
