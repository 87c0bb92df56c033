"""The recipe (master batch record): its frozen content, and the tables of its versions (21 CFR 211.186; EU GMP Chapter 4, 4.17).

The content is one canonical text: what was reviewed and signed is what is kept, letter by letter.
"""

from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache

import sqlalchemy as sa
from pydantic import Field as Given
from sqlmodel import Field

from domain.lots.operations import Amount
from domain.manufacturing.catalogue import Parameter, StepKind, step_kind
from domain.store import AppendOnly, moment
from domain.work import Command

Key = Given(pattern=r"^[a-z][a-z0-9-]{0,39}$", description="name of the step within the recipe", examples=["fill"])
Limit = Given(default=None, max_length=40, description="in the parameter's unit; not given is not limited here")
LIMITS = ("hard_low", "action_low", "alert_low", "alert_high", "action_high", "hard_high")


class ParameterRule(Command):
    """What a recipe asks of a parameter. A limit that is not given stays as the catalogue has it, or is none; it is never 0.

    Outside the alert limits a comment is needed, outside the action limits a deviation opens, outside the hard ones nothing is recorded.
    """

    code: str = Given(max_length=60)
    required: bool = True
    critical: bool = Given(default=False, description="checked by a second person, beside what the catalogue says")
    hard_low: str | None = Limit
    action_low: str | None = Limit
    alert_low: str | None = Limit
    alert_high: str | None = Limit
    action_high: str | None = Limit
    hard_high: str | None = Limit


class BillLine(Command):
    """A material of the bill: its description or specification code, the quantity for a batch, and how far it may be off in percent."""

    material: str = Given(min_length=1, max_length=300)
    quantity: Amount
    tolerance: str = Given(max_length=20, examples=["5"], description="± percent of the quantity")


class ExpectedYield(Command):
    """The range of the yield in percent of the theoretical quantity, or, without one, of what was taken in the same unit (21 CFR 211.103)."""

    low: str = Given(max_length=20, examples=["90"])
    high: str = Given(max_length=20, examples=["100"])
    theoretical: Amount | None = None


class SamplePoint(Command):
    """A sample that is taken of what the step yields."""

    purpose: str = Given(min_length=2, max_length=100, examples=["bioburden before filtration"])
    quantity: Amount
    stage: str = Given(default="", max_length=200, examples=["before the sterile filter"])


class RecipeStep(Command):
    """One step: kind, what is recorded, taken, given and sampled, in which room and with what, by whom."""

    key: str = Key
    kind: str
    instruction: str = Given(default="", max_length=2000)
    parameters: tuple[ParameterRule, ...] = Given(default=(), max_length=100)
    expected_yield: ExpectedYield | None = None
    materials: tuple[BillLine, ...] = Given(default=(), max_length=50)
    samples: tuple[SamplePoint, ...] = Given(default=(), max_length=20)
    equipment_classes: tuple[str, ...] = Given(default=(), max_length=20)
    room_classes: tuple[str, ...] = Given(default=(), max_length=10, description="any one of these")
    training_needed: bool = True
    line_clearance: bool = True
    statements: tuple[str, ...] = Given(default=(), max_length=20, description="printed in the batch record")


class HoldTime(Command):
    """The longest time from the end of one step to the start of a later one."""

    after: str = Key
    before: str = Key
    at_most: Amount


class RecipeContent(Command):
    """All that a recipe says; steps in their order."""

    steps: tuple[RecipeStep, ...] = Given(min_length=1, max_length=60)
    hold_times: tuple[HoldTime, ...] = Given(default=(), max_length=60)

    def step(self, key: str) -> RecipeStep | None:
        """The step of that name, if there is one."""
        return next((one for one in self.steps if one.key == key), None)


class Recipe(AppendOnly, table=True):
    """A version of a recipe; a draft until it is reviewed and approved, superseded by the next one, never edited."""

    code: str
    revision: int
    product_id: int = Field(foreign_key="product.id", index=True)
    effective_from: date
    content: str
    reason: str
    drafted_at: datetime = moment()
    drafted_by: int = Field(foreign_key="app_user.id")

    __table_args__ = (sa.UniqueConstraint("code", "revision"),)

    @property
    def label(self) -> str:
        """`MBR-AD-EV-100 v2`."""
        return f"{self.code} v{self.revision}"

    @property
    def said(self) -> RecipeContent:
        """The content as a value."""
        return read_content(self.content)


class RecipeReview(AppendOnly, table=True):
    """A second person reviewed the version, signed."""

    recipe_id: int = Field(foreign_key="recipe.id", unique=True)
    signature_id: int = Field(foreign_key="signature.id")
    reviewed_at: datetime = moment()
    reviewed_by: int = Field(foreign_key="app_user.id")


class RecipeApproval(AppendOnly, table=True):
    """A third person, of QA, approved the version, signed."""

    recipe_id: int = Field(foreign_key="recipe.id", unique=True)
    signature_id: int = Field(foreign_key="signature.id")
    approved_at: datetime = moment()
    approved_by: int = Field(foreign_key="app_user.id")


@lru_cache(maxsize=256)
def read_content(text: str) -> RecipeContent:
    """The content that a version keeps as text."""
    return RecipeContent.model_validate_json(text)


@lru_cache(maxsize=1024)
def governed_kind(content: str, key: str) -> StepKind:
    """The kind of a step as its recipe narrows it: required parameters, critical ones, limits."""
    step = read_content(content).step(key)
    assert step is not None, f"the recipe has no step {key}"
    kind, rules = step_kind(step.kind), {one.code: one for one in step.parameters}
    parameters = [governed(one, rules[one.code]) if one.code in rules else one for one in kind.parameters]
    return kind.model_copy(update={"parameters": tuple(parameters)})


def governed(parameter: Parameter, rule: ParameterRule) -> Parameter:
    """The parameter under a rule; a limit that the rule does not give stays what it was, which may be none."""
    given = {name: Decimal(text) for name in LIMITS if (text := getattr(rule, name)) is not None}
    return parameter.model_copy(
        update=given
        | {
            "required": parameter.required or rule.required,
            "critical": parameter.critical or rule.critical,
            "hard_low_exclusive": parameter.hard_low_exclusive and given.get("hard_low") in (None, parameter.hard_low),
        }
    )
