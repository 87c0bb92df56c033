"""How a recipe is carried out: what a step pinned, with what it was done, what a second person verified; and the papers of materials."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import Field

from domain.store import AppendOnly, coded, exact, moment


class Execution(AppendOnly, table=True):
    """A step carries out a step of a recipe, whose version it pins; `step_key` is empty for what the recipe does not ask for.

    clearance: what was seen of room and line at the start. reason: why it is out of order, if it is.
    """

    step_id: int = Field(foreign_key="step.id", unique=True)
    recipe_id: int = Field(foreign_key="recipe.id", index=True)
    step_key: str | None = None
    clearance: str
    out_of_order: bool
    reason: str = ""

    __table_args__ = (sa.CheckConstraint("NOT out_of_order OR length(reason) > 0", name="order_reason"),)


class OrderWaiver(AppendOnly, table=True):
    """A second person agreed, signed, that a step is done out of the order of its recipe; why stands in the execution."""

    step_id: int = Field(foreign_key="step.id", unique=True)
    signature_id: int = Field(foreign_key="signature.id")
    waived_at: datetime = moment()
    waived_by: int = Field(foreign_key="app_user.id")


class EquipmentUse(AppendOnly, table=True):
    """A step was done with equipment of the register, or in a room of it."""

    step_id: int = Field(foreign_key="step.id", index=True)
    equipment_id: int = Field(foreign_key="equipment.id", index=True)

    __table_args__ = (sa.UniqueConstraint("step_id", "equipment_id"),)


class StartVerification(AppendOnly, table=True):
    """A second person saw the start of a step: materials, lots and amounts, clearance, equipment, and why it is out of order."""

    step_id: int = Field(foreign_key="step.id", unique=True)
    signature_id: int = Field(foreign_key="signature.id")
    verified_at: datetime = moment()
    verified_by: int = Field(foreign_key="app_user.id")


class ReadingVerification(AppendOnly, table=True):
    """A second person checked a reading against what it was read from."""

    reading_id: int = Field(foreign_key="reading.id", unique=True)
    signature_id: int = Field(foreign_key="signature.id")
    verified_at: datetime = moment()
    verified_by: int = Field(foreign_key="app_user.id")


class EquipmentLapse(AppendOnly, table=True):
    """Equipment was no longer fit when a step ended, although it was at the start; `on`: the day at the site. QA has to sign an exception."""

    step_id: int = Field(foreign_key="step.id", index=True)
    equipment_id: int = Field(foreign_key="equipment.id")
    on: date
    text: str
    deviation_id: int = Field(foreign_key="deviation.id")


class AnimalOrigin(StrEnum):
    """What a supplier states of a material's origin (EMA/410/01; Ph. Eur. 5.2.8)."""

    NONE = "none"
    ANIMAL = "animal"
    HUMAN = "human"
    RECOMBINANT = "recombinant"


class MaterialPapers(AppendOnly, table=True):
    """What came with a raw material: the supplier's certificate as a file, and the statement on its origin; the newest counts."""

    lot_id: int = Field(foreign_key="lot.id", index=True)
    specification_code: str
    origin: AnimalOrigin = coded(AnimalOrigin)
    species: str
    country: str
    certificate_sha256: str
    certificate_name: str
    filed_at: datetime = moment()
    filed_by: int = Field(foreign_key="app_user.id")
    reason: str = ""

    __table_args__ = (
        sa.CheckConstraint("origin <> 'animal' OR (length(species) > 0 AND length(country) > 0)", name="animal"),
        sa.CheckConstraint("length(certificate_sha256) = 64", name="certificate"),
    )


class StockCorrection(AppendOnly, table=True):
    """What was counted of a material, where the ledger said otherwise; in the lot's unit."""

    lot_id: int = Field(foreign_key="lot.id", index=True)
    before: Decimal = exact()
    counted: Decimal = exact()
    reason: str
    corrected_at: datetime = moment()
    corrected_by: int = Field(foreign_key="app_user.id")

    __table_args__ = (sa.CheckConstraint("CAST(counted AS NUMERIC) >= 0", name="counted"),)
