"""The test catalogue: complete, consistent, and without limits."""

from typing import Any

import pytest
from pydantic import ValidationError

from domain.errors import NotFound
from domain.laboratory import catalogue
from domain.laboratory.catalogue import TESTS, Test
from domain.laboratory.derived import FORMULAS

PANEL = [
    "APP-CAKE",
    "APP-REC",
    "PART-CONC",
    "PART-VIAL",
    "SIZE-DIST",
    "PCT-30-150",
    "SPAN",
    "PDI",
    "MORPH",
    "PROT",
    "LIPID",
    "RATIO-PP",
    "TET-9",
    "TET-63",
    "TET-81",
    "CYT",
    "NEG-INT",
    "NEG-EXT",
    "MSC-EV-ID",
    "LYSIS",
    "POT-1",
    "STER",
    "STER-R",
    "ENDO",
    "MYCO",
    "BIOB",
    "VIRUS",
    "VIS",
    "SUBV-10",
    "SUBV-25",
    "MOIST",
    "PH",
    "OSMO",
    "UNIF",
    "DNA",
    "BSA",
    "RES",
    "RNA",
    "ZETA",
    "CCI",
    "LYO-REC",
]


def test_the_whole_panel_is_in_the_catalogue() -> None:
    assert set(PANEL) <= set(TESTS)
    assert all(entry.code == code for code, entry in TESTS.items())


def test_every_formula_is_used_by_a_test() -> None:
    assert {entry.derived for entry in TESTS.values() if entry.derived} == set(FORMULAS)


def test_a_test_is_found_by_its_code_only() -> None:
    assert catalogue.test("ENDO").unit == "{EU}/mL"
    with pytest.raises(NotFound, match="endo"):
        catalogue.test("endo")


def test_sterility_takes_fourteen_days_and_mycoplasma_what_its_method_takes() -> None:
    assert catalogue.test("STER").minimum_days == 14
    assert catalogue.test("MYCO").minimum_days is None


def test_every_qualitative_test_can_be_invalid() -> None:
    assert all("invalid" in entry.terms for entry in TESTS.values() if entry.result == "qualitative")


def test_every_entry_is_named_in_both_languages() -> None:
    assert all(entry.name_en and entry.name_de for entry in TESTS.values())


@pytest.mark.parametrize(
    "changes",
    [
        {"unit": None},
        {"unit": "[EU]/mL"},
        {"terms": ("detected",)},
        {"result": "qualitative", "unit": None},
        {"result": "qualitative", "unit": None, "terms": ("Detected",)},
        {"replicates": 3},
        {"inputs": {"concentration": "PART-CONC"}},
        {"derived": "span", "inputs": {"distribution": "SIZE-DIST"}},
        {"code": "endo"},
        {"limit": "0.5"},
    ],
)
def test_an_entry_that_contradicts_itself_cannot_be_built(changes: dict[str, Any]) -> None:
    whole = {"code": "X", "name_en": "x", "name_de": "x", "group": "safety", "result": "numeric", "unit": "{EU}/mL"}
    assert Test.model_validate(whole)
    with pytest.raises(ValidationError):
        Test.model_validate(whole | changes)
