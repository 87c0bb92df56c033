"""Defining a method, or its next revision: what is stated and by which rule its values are reported."""

import json
from typing import Any

from pydantic import Field
from sqlmodel import col, select

from domain.claims import refuse_claims
from domain.errors import Conflict, Invalid, Reason, Refused
from domain.laboratory.catalogue import test as catalogue_test
from domain.laboratory.methods import FIGURES, Check, checks_text, refuse_odd_method
from domain.laboratory.models import (
    Method,
    Validation,
)
from domain.laboratory.reportable import Rule
from domain.permissions import Permission
from domain.quantities import parse_decimal
from domain.work import Command, Work, operation


class DefineMethod(Command):
    """Enter a method, or its next revision. LOD and LOQ in the test's unit."""

    code: str = Field(pattern=r"^[A-Z0-9][A-Z0-9.-]{1,29}$", examples=["SOP-QC-041"])
    test_code: str
    name: str = Field(min_length=2, max_length=200)
    principle: str = Field(min_length=2, max_length=200, examples=["Nanoparticle tracking analysis (NTA)"])
    instrument: str = Field(default="", max_length=200)
    reference: str | None = Field(default=None, max_length=200)
    lod: str | None = Field(default=None, max_length=40)
    loq: str | None = Field(default=None, max_length=40)
    replicates: int | None = Field(default=None, ge=1, le=100, description="default: the catalogue's")
    rule: Rule | None = Field(default=None, description="default: the catalogue's")
    minimum_days: int | None = Field(default=None, ge=1, le=60, description="never fewer than the catalogue's")
    limitation_en: str = Field(
        default="", max_length=500, description="what the method cannot see, printed on certificates"
    )
    limitation_de: str = Field(default="", max_length=500)
    instrument_class: str | None = Field(default=None, max_length=100, examples=["NTA instrument"])
    linear_low: str | None = Field(default=None, max_length=40, description="what the instrument can read, undiluted")
    linear_high: str | None = Field(default=None, max_length=40)
    suitability: tuple[Check, ...] = Field(
        default=(), max_length=40, description="controls, blanks, standards of a run"
    )
    run_required: bool | None = Field(
        default=None, description="a result must name its run; yes where there are checks"
    )
    validation: Validation | None = None
    validated_for: tuple[str, ...] = Field(
        default=(), max_length=40, description="product codes and kinds of lots", examples=[["AD-EV-100"]]
    )
    read_every_days: int | None = Field(
        default=None,
        ge=1,
        le=60,
        description="the inoculation is an act of its own, and readings are at most so far apart",
    )


@operation(Permission.DEFINE_METHOD)
def define_method(work: Work, command: DefineMethod) -> Method:
    """What the catalogue fixes (days, replicates) can be tightened, never loosened."""
    printed = ("name", "principle", "instrument", "reference", "limitation_en", "limitation_de")
    refuse_claims({name: getattr(command, name) for name in printed})
    test = catalogue_test(command.test_code)
    figures: dict[str, Any] = {name: parse_decimal(text, name) for name in FIGURES if (text := getattr(command, name))}
    refuse_odd_method(test, figures, command.validation, command.validated_for)
    if test.derived is not None:
        raise Invalid(Reason("test-is-derived", f"{test.code} is calculated; it has no method of its own", "test_code"))
    days = max(filter(None, (test.minimum_days, command.minimum_days)), default=None)
    if command.minimum_days is not None and command.minimum_days != days:
        raise Refused(Reason("too-few-days", f"{test.code} needs at least {test.minimum_days} days", "minimum_days"))
    earlier = work.session.exec(
        select(Method).where(Method.code == command.code).order_by(col(Method.revision).desc())
    ).first()
    if earlier is not None and earlier.test_code != test.code:
        raise Conflict(Reason("method-of-other-test", f"{command.code} is a method for {earlier.test_code}", "code"))
    written = {*FIGURES, "replicates", "rule", "minimum_days", "suitability", "validated_for", "run_required"}
    return work.add(
        Method(
            **command.model_dump(exclude=written),
            **figures,
            revision=earlier.revision + 1 if earlier else 1,
            suitability=checks_text(command.suitability),
            run_required=bool(command.suitability) or command.run_required,
            validated_for=json.dumps(command.validated_for) if command.validated_for else None,
            replicates=command.replicates or test.replicates,
            rule=command.rule or test.rule,
            minimum_days=days,
            defined_at=work.now,
            defined_by=work.actor.person,
        )
    )
