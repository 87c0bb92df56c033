"""The test catalogue: every test the laboratory knows, as data in `catalogue.toml` (domain.md 2).

An entry says what kind of result a test has and how it is named, never what is acceptable: limits belong to
specifications, instruments and detection limits to methods.
"""

import tomllib
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from domain.errors import NotFound, Reason
from domain.laboratory.derived import FORMULAS
from domain.laboratory.reportable import Rule
from domain.laboratory.values import VOCABULARY
from domain.quantities import UNITS, parse_decimal

Group = Literal["physicochemical", "identity", "purity", "safety", "potency"]
ResultType = Literal["numeric", "qualitative", "distribution", "text"]

SOURCES = ("reconstitution-volume", "PART-CONC before lyophilisation")
"""Inputs of formulas that are not results of the same sample: the product's volume, and the bulk before drying."""


class Test(BaseModel):
    """An entry of the catalogue.

    unit: UCUM, for numbers and (nm) distributions. low, high, whole: what a number can be at all,
    inclusive, in that unit. terms: the words a qualitative result may be. replicates, rule: how
    many make the reportable value, and how, unless the method fixes another number. derived, inputs: name of a formula
    and, for each of its inputs, a test code or one of `SOURCES`. minimum_days: whole days from start to the earliest
    final result, where the test itself (not its method) fixes them.
    """

    __test__ = False
    model_config = ConfigDict(frozen=True, extra="forbid")

    code: Annotated[str, Field(pattern=r"[A-Z0-9]+(-[A-Z0-9]+)*")]
    name_en: Annotated[str, Field(min_length=1)]
    name_de: Annotated[str, Field(min_length=1)]
    group: Group
    result: ResultType
    unit: str | None = None
    low: Decimal | None = None
    high: Decimal | None = None
    whole: bool = False
    terms: tuple[str, ...] = ()
    replicates: Annotated[int, Field(ge=1, le=100)] = 1
    rule: Rule = Rule.SINGLE
    derived: str | None = None
    inputs: dict[str, str] = Field(default_factory=dict)
    reference: str | None = None
    methods: tuple[str, ...] = ()
    minimum_days: Annotated[int, Field(ge=1)] | None = None
    note_en: str | None = None

    @field_validator("low", "high", mode="before")
    @classmethod
    def _a_bound_is_text(cls, bound: object) -> object:
        """TOML floats would bring binary fractions."""
        return None if bound is None else parse_decimal(bound)

    def allowed(self) -> str:
        """What a number can be at all, in one phrase."""
        bounds = [f"from {self.low:f}"] if self.low is not None else []
        bounds += [f"up to {self.high:f}"] if self.high is not None else []
        return " ".join(["whole numbers" if self.whole else "numbers", *bounds])

    @model_validator(mode="after")
    def _the_parts_fit(self) -> Self:
        measured = self.result in ("numeric", "distribution")
        if measured != (self.unit is not None) or (self.unit is not None and self.unit not in UNITS):
            raise ValueError(f"{self.code}: numbers and distributions need a unit of the list, others take none")
        if self.result != "numeric" and (self.low, self.high, self.whole) != (None, None, False):
            raise ValueError(f"{self.code}: only a number has bounds")
        if (self.result == "qualitative") != bool(self.terms) or any(term not in VOCABULARY for term in self.terms):
            raise ValueError(f"{self.code}: a qualitative test, and only that, lists terms of the controlled list")
        if (self.rule is Rule.SINGLE) != (self.replicates == 1):
            raise ValueError(f"{self.code}: one replicate is single; several need a rule")
        if self.derived is not None:
            formula = FORMULAS[self.derived]
            if set(self.inputs) != set(formula.inputs) or self.unit != formula.unit or self.result != "numeric":
                raise ValueError(f"{self.code}: inputs and unit must be those of {formula.label}")
        elif self.inputs:
            raise ValueError(f"{self.code}: only a derived test has inputs")
        return self


def test(code: str) -> Test:
    """The catalogue's entry; NotFound (`unknown-test`) if there is none with this code."""
    try:
        return TESTS[code]
    except KeyError:
        raise NotFound(Reason("unknown-test", f"There is no test {code!r} in the catalogue.", "test")) from None


test.__test__ = False  # type: ignore[attr-defined]


def _read() -> dict[str, Test]:
    """All entries; a code given twice or an input that is neither test nor source stops the program."""
    text = Path(__file__).with_name("catalogue.toml").read_text(encoding="utf-8")
    entries = [Test.model_validate(row) for row in tomllib.loads(text)["test"]]
    tests = {entry.code: entry for entry in entries}
    sources = {source for entry in entries for source in entry.inputs.values()}
    if len(tests) != len(entries) or not sources <= {*tests, *SOURCES}:
        raise ValueError("catalogue.toml: a code stands twice, or an input is not in the catalogue")
    return tests


TESTS: Mapping[str, Test] = MappingProxyType(_read())
"""The catalogue by code, in the order of the certificate."""
