"""Products, lots, and the two edges of the genealogy."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import Field

from domain.lots.typed import key_sql
from domain.store import AppendOnly, Entity, coded, exact, moment


class LotKind(StrEnum):
    """What a lot is."""

    RAW_MATERIAL = "raw_material"
    DONATION = "donation"
    ISOLATED_CELLS = "isolated_cells"
    MASTER_CELL_BANK = "master_cell_bank"
    WORKING_CELL_BANK = "working_cell_bank"
    CULTURE = "culture"
    CONDITIONED_MEDIUM = "conditioned_medium"
    HARVEST = "harvest"
    CLARIFIED_HARVEST = "clarified_harvest"
    PURIFIED_BULK = "purified_bulk"
    POOLED_BULK = "pooled_bulk"
    FORMULATED_BULK = "formulated_bulk"
    FILLED_VIALS = "filled_vials"
    LYOPHILIZED_VIALS = "lyophilized_vials"
    DRUG_PRODUCT = "drug_product"


#: Kinds that QA releases before anything is made of them (domain.md 1.3, 5).
RELEASED_BEFORE_USE = frozenset({LotKind.RAW_MATERIAL, LotKind.MASTER_CELL_BANK, LotKind.WORKING_CELL_BANK})

#: Kinds that QA releases by themselves. A donation is worked up within hours, before its donor can be found eligible,
#: so it may be used first; but nothing made of it goes to a patient until it is released. What lies between (culture
#: to bulk) is judged with the drug product.
INPUT_KINDS = RELEASED_BEFORE_USE | {LotKind.DONATION}

#: What a lot number of each kind begins with, unless its product has a series of its own.
SERIES: dict[LotKind, str] = {
    LotKind.RAW_MATERIAL: "RM",
    LotKind.DONATION: "DN",
    LotKind.ISOLATED_CELLS: "IC",
    LotKind.MASTER_CELL_BANK: "MCB",
    LotKind.WORKING_CELL_BANK: "WCB",
    LotKind.CULTURE: "CU",
    LotKind.CONDITIONED_MEDIUM: "CM",
    LotKind.HARVEST: "HV",
    LotKind.CLARIFIED_HARVEST: "CH",
    LotKind.PURIFIED_BULK: "PB",
    LotKind.POOLED_BULK: "PL",
    LotKind.FORMULATED_BULK: "FB",
    LotKind.FILLED_VIALS: "FV",
    LotKind.LYOPHILIZED_VIALS: "LV",
    LotKind.DRUG_PRODUCT: "DP",
}


class LotState(StrEnum):
    """Where a lot stands. EXPIRED is never stored: it follows from the expiry date (`lifecycle.state_on`)."""

    IN_PROCESS = "in_process"
    QUARANTINE = "quarantine"
    UNDER_TEST = "under_test"
    QA_REVIEW = "qa_review"
    RELEASED = "released"
    REJECTED = "rejected"
    ON_HOLD = "on_hold"
    RECALLED = "recalled"
    EXPIRED = "expired"


class RegulatoryStatus(StrEnum):
    """What the product is before the law. None of these is claimed to be an approval by this system."""

    RESEARCH_USE = "research_use"
    INVESTIGATIONAL = "investigational"
    NAMED_PATIENT = "named_patient"
    LICENSED = "licensed"


class Route(StrEnum):
    """How the product is given."""

    INTRAVENOUS = "intravenous"
    INTRADERMAL = "intradermal"
    INTRAARTICULAR = "intraarticular"
    TOPICAL = "topical"
    INHALATION = "inhalation"
    NOT_FOR_HUMANS = "not_for_humans"


class Product(Entity, table=True):
    """What is made and sold. Volumes in mL, shelf life in months, temperatures in Cel.

    authorisation: number of the marketing or clinical-trial authorisation, if there is one. batch_certificate: a released lot gets a batch
    certificate too (EU GMP Annex 16). look_up_code: the public look-up asks for the check code on the label. An empty one of the two is no.
    release_signatures: 3: head of production, head of QC and QA; 2 or empty: head of QC and QA. expiry_extension_months: by how much at most a
    lot's expiry may be extended, all extensions together; empty: not at all. late_tests: the tests (JSON list of codes) whose results may come after
    a conditional release, at most late_days after it; empty: none.
    """

    code: str = Field(unique=True)
    name_en: str
    name_de: str
    gtin: str | None = Field(default=None, unique=True)
    lot_series: str = Field(unique=True)
    form_en: str
    form_de: str
    composition: str
    container: str
    fill_volume: Decimal = exact()
    reconstitution_volume: Decimal = exact()
    diluent_en: str
    diluent_de: str
    route: Route = coded(Route)
    label_particles: Decimal | None = exact(default=None, nullable=True)
    shelf_life_months: int
    storage_low: Decimal = exact()
    storage_high: Decimal = exact()
    regulatory_status: RegulatoryStatus = coded(RegulatoryStatus)
    created_at: datetime = moment()
    authorisation: str | None = None
    batch_certificate: bool | None = None
    look_up_code: bool | None = None
    release_signatures: int | None = None
    expiry_extension_months: int | None = None
    late_tests: str | None = None
    late_days: int | None = None

    __table_args__ = (
        sa.CheckConstraint("shelf_life_months BETWEEN 1 AND 120", name="shelf_life"),
        sa.CheckConstraint("CAST(fill_volume AS NUMERIC) > 0", name="fill_volume"),
        sa.CheckConstraint("CAST(reconstitution_volume AS NUMERIC) > 0", name="reconstitution_volume"),
    )


class ProductChange(AppendOnly, table=True):
    """A proposal to change a product: the product as it shall be (command: JSON), and what of it differs (changes: JSON, name -> old and new)."""

    product_id: int = Field(foreign_key="product.id")
    revision: int
    command: str
    changes: str
    reason: str
    proposed_at: datetime = moment()
    proposed_by: int = Field(foreign_key="app_user.id")

    __table_args__ = (sa.UniqueConstraint("product_id", "revision"),)


class ProductChangeDecision(AppendOnly, table=True):
    """QA's signature on a proposal: from then on the product is what was proposed, or stays what it was."""

    change_id: int = Field(foreign_key="product_change.id", unique=True)
    approved: bool
    comment: str = ""
    decided_at: datetime = moment()
    decided_by: int = Field(foreign_key="app_user.id")
    signature_id: int = Field(foreign_key="signature.id", unique=True)


class ConditionalRelease(AppendOnly, table=True):
    """A lot was released before these results (awaited: JSON list of test codes) were final; they are awaited until the end of `due_on`."""

    lot_id: int = Field(foreign_key="lot.id", unique=True)
    awaited: str
    due_on: date
    reason: str
    released_at: datetime = moment()
    released_by: int = Field(foreign_key="app_user.id")
    signature_id: int = Field(foreign_key="signature.id", unique=True)


class ConditionMet(AppendOnly, table=True):
    """The results that a release awaited are there and comply: QA completed it."""

    conditional_id: int = Field(foreign_key="conditional_release.id", unique=True)
    completed_at: datetime = moment()
    completed_by: int = Field(foreign_key="app_user.id")
    signature_id: int = Field(foreign_key="signature.id", unique=True)


class Lot(Entity, table=True):
    """Anything tracked as one.

    quantity, quantity_left: in `unit`; both are empty until the step that yields the lot is complete. What is left is
    what was made less what was consumed and sampled. held_from: where a lot on hold came from, and goes back to. check_code: what stands on the
    label beside the number, where the product's look-up asks for it (lot numbers can be guessed).
    """

    lot_number: str = Field(unique=True, max_length=20)
    kind: LotKind = coded(LotKind, index=True)
    state: LotState = coded(LotState, index=True)
    held_from: LotState | None = coded(LotState, check="held_from_state", default=None, nullable=True)
    product_id: int | None = Field(default=None, foreign_key="product.id", index=True)
    description: str = ""
    supplier: str | None = None
    supplier_lot_number: str | None = None
    quantity: Decimal | None = exact(default=None, nullable=True)
    quantity_left: Decimal | None = exact(default=None, nullable=True)
    unit: str
    manufactured_on: date | None = None
    expires_on: date | None = None
    created_at: datetime = moment()
    created_by: int | None = Field(default=None, foreign_key="app_user.id")
    check_code: str | None = None

    __table_args__ = (
        sa.Index("ix_lot_key", sa.text(key_sql())),
        sa.CheckConstraint("CAST(quantity AS NUMERIC) > 0", name="quantity"),
        sa.CheckConstraint("CAST(quantity_left AS NUMERIC) >= 0", name="quantity_left"),
        sa.CheckConstraint(
            "kind <> 'raw_material' OR (coalesce(length(supplier), 0) > 0"
            " AND coalesce(length(supplier_lot_number), 0) > 0 AND expires_on IS NOT NULL)",
            name="raw_material",
        ),
        sa.CheckConstraint("kind <> 'drug_product' OR product_id IS NOT NULL", name="drug_product"),
        sa.CheckConstraint("(state = 'on_hold') = (held_from IS NOT NULL)", name="held_from"),
        sa.CheckConstraint(
            "quantity IS NOT NULL OR state IN ('in_process', 'rejected')"
            " OR (state = 'on_hold' AND held_from = 'in_process')",
            name="measured",
        ),
        sa.CheckConstraint("state <> 'expired'", name="expired_is_derived"),
    )


class Consumption(AppendOnly, table=True):
    """A step took a quantity of a lot (in its unit). entered_*: as typed; share: percent, in poolings.

    reason: why not of the lot of that material which expires first, if not.
    """

    __table_args__ = (
        sa.UniqueConstraint("step_id", "lot_id"),
        sa.Index("ix_consumption_lot_id_step_id", "lot_id", "step_id"),
        sa.CheckConstraint("CAST(quantity AS NUMERIC) > 0", name="quantity"),
    )

    step_id: int = Field(foreign_key="step.id")
    lot_id: int = Field(foreign_key="lot.id")
    quantity: Decimal = exact()
    entered_quantity: str
    entered_unit: str
    share: Decimal | None = exact(default=None, nullable=True)
    reason: str | None = None


class Yield(AppendOnly, table=True):
    """A step gave a lot; every lot comes from one step at most."""

    __tablename__ = "lot_yield"
    __table_args__ = (
        sa.UniqueConstraint("lot_id"),
        sa.Index("ix_lot_yield_lot_id_step_id", "lot_id", "step_id"),
        sa.Index("ix_lot_yield_step_id_lot_id", "step_id", "lot_id"),
    )

    step_id: int = Field(foreign_key="step.id")
    lot_id: int = Field(foreign_key="lot.id")


class LotMove(AppendOnly, table=True):
    """A lot went from one state to another."""

    lot_id: int = Field(foreign_key="lot.id", index=True)
    action: str
    from_state: str
    to_state: str
    actor_id: int | None = Field(default=None, foreign_key="app_user.id")
    actor: str
    moved_at: datetime = moment()
    reason: str
    signature_id: int | None = Field(default=None, foreign_key="signature.id")
