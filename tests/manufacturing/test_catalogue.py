"""The process catalogue as data, and the check of one entry."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Invalid, NotFound
from domain.lots.models import LotKind
from domain.manufacturing.catalogue import STEP_KINDS, CheckedValue, Parameter, StepKind, read_catalogue, step_kind
from domain.manufacturing.checks import BALANCES
from domain.quantities import units_like

everything = [(kind, parameter) for kind in STEP_KINDS.values() for parameter in kind.parameters]
each = st.sampled_from([parameter for _, parameter in everything])


def parameter(kind: str, code: str) -> Parameter:
    return step_kind(kind).parameter(code)


def refused(parameter: Parameter, text: str, unit: str | None = None) -> str:
    with pytest.raises(Invalid) as refusal:
        parameter.check(text, unit, "readings.0.value")
    (reason,) = refusal.value.reasons
    assert reason.field == "readings.0.value"
    assert reason.text.endswith(".")
    return reason.code


def test_the_catalogue_holds_the_process_in_order() -> None:
    assert list(STEP_KINDS) == [
        "procurement", "isolation", "banking", "expansion", "conditioning", "harvest", "clarification",
        "purification", "pooling", "formulation", "fill", "lyophilization", "packaging",
    ]  # fmt: skip


def test_every_kind_of_lot_but_raw_material_is_the_yield_of_some_step() -> None:
    yielded = {kind for step in STEP_KINDS.values() for kind in step.yields}
    assert yielded == set(LotKind) - {LotKind.RAW_MATERIAL}
    consumed = {kind for step in STEP_KINDS.values() for kind in step.consumes}
    assert consumed == set(LotKind) - {LotKind.DRUG_PRODUCT}


def test_every_step_may_consume_raw_material() -> None:
    assert all(LotKind.RAW_MATERIAL in step.consumes for step in STEP_KINDS.values())


def test_every_step_has_something_that_must_be_recorded() -> None:
    assert all(any(parameter.required for parameter in step.parameters) for step in STEP_KINDS.values())


def test_what_must_balance_must_be_recorded() -> None:
    for balance in BALANCES:
        for code in (balance.whole, *balance.parts):
            assert parameter(balance.kind, code).required
    for code in ("chamber_pressure_primary", "product_temperature_max_primary"):
        assert parameter("lyophilization", code).required


def test_only_the_shelf_life_of_the_product_dates_what_is_in_vials() -> None:
    for step in STEP_KINDS.values():
        final = {LotKind.FILLED_VIALS, LotKind.LYOPHILIZED_VIALS, LotKind.DRUG_PRODUCT} & set(step.yields)
        assert step.expiry.product_shelf_life == bool(final)


def test_every_example_is_accepted_without_a_flag() -> None:
    for _, parameter in everything:
        assert parameter.check(parameter.example, parameter.example_unit or parameter.unit).alert is None


def test_a_pressure_in_pascal_is_kept_as_entered_and_compared_in_millibar() -> None:
    checked = parameter("lyophilization", "chamber_pressure_primary").check("13.30", "Pa")
    assert checked == CheckedValue("13.30", "Pa", Decimal("0.133"))


@pytest.mark.parametrize(
    ("kind", "code", "text", "unit", "code_of_reason"),
    [
        ("formulation", "ph", "", "[pH]", "value-missing"),
        ("formulation", "ph", "  ", "[pH]", "value-missing"),
        ("formulation", "ph", "7,2", "[pH]", "not-a-number"),
        ("formulation", "ph", "NaN", "[pH]", "not-a-number"),
        ("formulation", "ph", "7.2", None, "unit-missing"),
        ("formulation", "ph", "7.2", "mL", "incompatible-units"),
        ("formulation", "ph", "7.2", "pH units", "unknown-unit"),
        ("formulation", "ph", "2.99", "[pH]", "value-outside-hard-bounds"),
        ("formulation", "ph", "11.01", "[pH]", "value-outside-hard-bounds"),
        ("banking", "cells_per_vial", "0", "10*6.{cells}/{vial}", "value-outside-hard-bounds"),
        ("banking", "passage_number", "2.5", "1", "not-a-whole-number"),
        ("banking", "passage_number", "-1", "1", "value-outside-hard-bounds"),
        ("banking", "passage_number", "51", None, "value-outside-hard-bounds"),
        ("fill", "vials_filled", "96", "{bag}", "incompatible-units"),
        ("purification", "method", "magic", None, "unknown-choice"),
        ("purification", "method", "TFF", None, "unknown-choice"),
        ("purification", "method", "tff", "mL", "unit-not-allowed"),
        ("packaging", "label_template", "x" * 501, None, "text-too-long"),
    ],
)
def test_what_cannot_be_is_refused(kind: str, code: str, text: str, unit: str | None, code_of_reason: str) -> None:
    assert refused(parameter(kind, code), text, unit) == code_of_reason


def test_a_refusal_names_value_bound_and_unit() -> None:
    with pytest.raises(Invalid, match=r"Temperature: 60 Cel cannot be; allowed are numbers from 20 up to 45 in Cel"):
        parameter("expansion", "temperature").check("60", "Cel")
    with pytest.raises(Invalid, match=r"allowed are tff, sec, iex, affinity, multimodal, uc"):
        parameter("purification", "method").check("")


@pytest.mark.parametrize(
    ("kind", "code", "text", "unit"),
    [
        ("formulation", "ph", "3", "[pH]"),
        ("expansion", "temperature", "38.0", "Cel"),
        ("conditioning", "viability_end", "89.9", "%"),
        ("packaging", "rejected_critical", "1", "{vial}"),
        ("fill", "filter_integrity_post_use", "fail", None),
    ],
)
def test_the_unusual_is_accepted_and_flagged(kind: str, code: str, text: str, unit: str | None) -> None:
    checked = parameter(kind, code).check(text, unit)
    assert checked.text == text
    assert checked.alert is not None


@pytest.mark.parametrize(("text", "flagged"), [("6.8", False), ("7.6", False), ("6.79", True), ("7.61", True)])
def test_alert_bounds_are_inclusive(text: str, flagged: bool) -> None:
    assert (parameter("formulation", "ph").check(text, "[pH]").alert is not None) == flagged


@given(each, st.one_of(st.text(), st.decimals(allow_nan=False).map(str)), st.data())
def test_every_entry_is_either_within_the_hard_bounds_or_refused(
    parameter: Parameter, text: str, data: st.DataObject
) -> None:
    unit = data.draw(st.sampled_from(units_like(parameter.unit))) if parameter.unit else None
    try:
        checked = parameter.check(text, unit)
    except Invalid:
        return
    assert (checked.text, checked.unit) == (text, unit)
    if checked.magnitude is not None:
        assert parameter.hard_low is None or checked.magnitude >= parameter.hard_low
        assert parameter.hard_high is None or checked.magnitude <= parameter.hard_high


def test_an_unknown_step_or_parameter_is_answered_with_the_known_ones() -> None:
    with pytest.raises(NotFound, match="known are procurement, isolation"):
        step_kind("magic")
    with pytest.raises(NotFound, match="it has volume, hold_time"):
        step_kind("harvest").parameter("ph")


def test_a_tff_step_needs_its_membrane_data_and_a_spin_its_force() -> None:
    def missing(method: str) -> set[str | None]:
        values = {"method": method, "step_recovery": Decimal(70)}
        return {reason.field for reason in step_kind("purification").missing(values)}

    assert {"cut_off", "concentration_factor", "transmembrane_pressure"} <= missing("tff")
    assert missing("uc") == {"rcf", "uc_time", "uc_temperature"}
    assert {reason.field for reason in step_kind("purification").missing({})} == {"method", "step_recovery"}


STEP = """
[spin]
en = "Spin"
de = "Spin"
source = "-"
note = "-"
consumes = ["raw_material"]
yields = ["harvest"]
expiry = { max_days = 1, source = "-" }
[spin.parameters]
"""


def catalogue_of(line: str) -> StepKind:
    return read_catalogue(STEP + line)["spin"]


def test_a_legal_parameter_is_read() -> None:
    kind = catalogue_of('a = { en = "A", de = "A", unit = "mL", hard_low = "0", example = "1", description = "-" }')
    assert kind.parameter("a").hard_low == 0


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ('unit = "mTorr", example = "1"', "its unit is not in the list"),
        ('unit = "mL", hard_high = "5", alert_high = "6", example = "1"', "alert bounds lie outside"),
        ('unit = "mL", hard_low = "5", hard_high = "1", example = "1"', "alert bounds lie outside"),
        ('unit = "mL"', "example"),
        ('unit = "mL", hard_low = 0.1, example = "1"', "not a number"),
        ('unit = "mL", hard_low_exclusive = true, example = "1"', "an exclusive bound is missing"),
        ('unit = "mL", hard_high = "5", example = "6"', "its own example is refused"),
        ('unit = "mL", alert_high = "5", example = "6"', "its own example is unusual"),
        ('type = "count", unit = "1", example = "6"', "a count begins at zero"),
        ('type = "choice", example = "x"', "only choices have choices"),
        ('type = "choice", choices = ["x"], alert_choices = ["y"], example = "x"', "an alert choice is not a choice"),
        ('type = "text", hard_low = "1", example = "x"', "only numbers have bounds"),
        ('type = "text", unit = "mL", example = "x"', "its unit is not in the list"),
        ('unit = "mL", example = "1", colour = "red"', "colour"),
        ('unit = "mL", example = "1", needed_when = { method = ["tff"] }', "spin.a: needed for an unknown method"),
    ],
)
def test_an_illegal_catalogue_is_refused_at_the_place(fields: str, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        catalogue_of(f'a = {{ en = "A", de = "A", description = "-", {fields} }}')


def test_a_code_cannot_stand_twice() -> None:
    line = 'a = { en = "A", de = "A", unit = "mL", example = "1", description = "-" }\n'
    with pytest.raises(ValueError, match="line"):
        catalogue_of(line + line)
