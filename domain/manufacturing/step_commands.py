"""What somebody wants done on a step: start it, log and correct readings, complete it."""

from datetime import date

from pydantic import AwareDatetime, Field

from domain.lots.models import LotKind
from domain.lots.operations import Amount
from domain.manufacturing.completing import (
    Explained,
)
from domain.quantities import UnitCode
from domain.signatures import Credentials
from domain.work import Command


class Input(Command):
    """What a step takes of a lot; `share` in percent, only when pooling."""

    lot_number: str = Field(max_length=20)
    quantity: Amount
    share: str | None = Field(default=None, max_length=20, examples=["50.0"])
    reason: str = Field(default="", max_length=500, description="why not the lot of that material which expires first")


class Output(Command):
    """A lot that the step will yield; its number is minted when the step starts, its quantity measured when it ends."""

    kind: LotKind
    unit: UnitCode = Field(max_length=30, examples=["mL"])
    description: str = Field(default="", max_length=300)


class Entry(Command):
    """One value as typed. `happened_at` when it was read off (default: now); an alert value needs a comment."""

    parameter: str = Field(max_length=60)
    value: str = Field(max_length=600)
    unit: UnitCode | None = Field(default=None, max_length=30)
    happened_at: AwareDatetime | None = None
    comment: str = Field(default="", max_length=1000)


class StartStep(Command):
    """Begin a step: what it takes, what it will yield, and readings that are known already."""

    kind: str
    started_at: AwareDatetime | None = None
    location: str = Field(min_length=1, max_length=100, examples=["Clean room B2"])
    equipment: str = Field(default="", max_length=300)
    comment: str = Field(default="", max_length=1000)
    product_code: str | None = None
    donor: str | None = Field(default=None, description="pseudonym; needed for a procurement, and only there")
    equipment_codes: tuple[str, ...] = Field(
        default=(), max_length=30, description="devices and rooms of the equipment register"
    )
    clearance: str = Field(
        default="", max_length=1000, description="what was seen of room and line; needed under a recipe"
    )
    recipe_step: str | None = Field(default=None, description="which step of the recipe; default: the next of its kind")
    out_of_order_reason: str = Field(default="", max_length=1000)
    second_person: Credentials | None = Field(
        default=None, description="who agrees that the step is out of order, with both components; needed then"
    )
    inputs: tuple[Input, ...] = Field(default=(), max_length=200)
    outputs: tuple[Output, ...] = Field(min_length=1, max_length=50)
    readings: tuple[Entry, ...] = Field(default=(), max_length=200)


class LogReading(Command):
    """Record one value on an open step."""

    step_number: str
    entry: Entry


class CorrectReading(Command):
    """Replace a reading by a new one, with the reason; the old one stays on record."""

    reading_id: int
    value: str = Field(max_length=600)
    unit: UnitCode | None = Field(default=None, max_length=30)
    comment: str = Field(default="", max_length=1000)
    reason: str = Field(min_length=3, max_length=1000)


class Measured(Command):
    """What came out: the quantity of a lot of the step, and its expiry if earlier than the rule allows."""

    lot_number: str
    quantity: Amount
    expires_on: date | None = None


class CompleteStep(Command):
    """End a step: every lot it yields is measured, what must be recorded is recorded, and nothing more can be."""

    step_number: str
    ended_at: AwareDatetime | None = None
    outputs: tuple[Measured, ...] = Field(min_length=1, max_length=50)
    readings: tuple[Entry, ...] = Field(default=(), max_length=200)
    comment: str = Field(default="", max_length=1000)
    left_out: tuple[Explained, ...] = Field(
        default=(), max_length=50, description="under a recipe: what was not recorded, and why; a deviation opens"
    )
    explanations: tuple[Explained, ...] = Field(
        default=(), max_length=10, description="counts that do not balance, by their whole, and why; a deviation opens"
    )
