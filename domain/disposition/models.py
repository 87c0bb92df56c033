"""What is decided about lots beside their moves: confirmations, holds that run down, extended expiry, destruction, exported dossiers."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import Field

from domain.store import AppendOnly, coded, exact, moment


class ManufactureConfirmation(AppendOnly, table=True):
    """The head of production: manufactured according to instruction. Another is given where the dossier has changed since."""

    lot_id: int = Field(foreign_key="lot.id", index=True)
    reason: str
    confirmed_at: datetime = moment()
    confirmed_by: int = Field(foreign_key="app_user.id")
    signature_id: int = Field(foreign_key="signature.id", unique=True)


class CascadeCause(StrEnum):
    """Why a lot and all that was made of it is held."""

    CONSENT_WITHDRAWN = "consent_withdrawn"
    DONOR_INELIGIBLE = "donor_ineligible"
    DONOR_PROBLEM = "donor_problem"
    BANK_PROBLEM = "bank_problem"
    BULK_PROBLEM = "bulk_problem"
    MATERIAL_PROBLEM = "material_problem"
    FAILED_RESULT = "failed_result"
    OTHER = "other"


class HoldCascade(AppendOnly, table=True):
    """A hold that runs down from a donor or a lot to everything made of it, in one act with one reason.

    signature_id is empty where the hold followed by itself, as from a consent that was withdrawn.
    """

    number: str = Field(unique=True)
    cause: CascadeCause = coded(CascadeCause)
    donor_id: int | None = Field(default=None, foreign_key="donor.id", index=True)
    lot_id: int | None = Field(default=None, foreign_key="lot.id", index=True)
    reason: str
    set_at: datetime = moment()
    set_by: int = Field(foreign_key="app_user.id")
    signature_id: int | None = Field(default=None, foreign_key="signature.id")

    __table_args__ = (sa.CheckConstraint("(donor_id IS NULL) <> (lot_id IS NULL)", name="one_source"),)


class CascadeLot(AppendOnly, table=True):
    """A lot that a cascade reached, and the state it was found in. move_id is empty where it was on hold already, or final."""

    cascade_id: int = Field(foreign_key="hold_cascade.id", index=True)
    lot_id: int = Field(foreign_key="lot.id", index=True)
    found_in: str
    move_id: int | None = Field(default=None, foreign_key="lot_move.id", unique=True)

    __table_args__ = (sa.UniqueConstraint("cascade_id", "lot_id"),)


class LiftProposal(AppendOnly, table=True):
    """The first of the two of QA who lift a cascade."""

    cascade_id: int = Field(foreign_key="hold_cascade.id", unique=True)
    reason: str
    proposed_at: datetime = moment()
    proposed_by: int = Field(foreign_key="app_user.id")
    signature_id: int = Field(foreign_key="signature.id")


class CascadeLift(AppendOnly, table=True):
    """The second of the two: the cascade no longer stands."""

    cascade_id: int = Field(foreign_key="hold_cascade.id", unique=True)
    reason: str
    lifted_at: datetime = moment()
    lifted_by: int = Field(foreign_key="app_user.id")
    signature_id: int = Field(foreign_key="signature.id")


class ExpiryExtension(AppendOnly, table=True):
    """A later expiry, given before the earlier one and with data (ICH Q1E, Q5C). results: the lot's own stability results, a JSON list of ids."""

    lot_id: int = Field(foreign_key="lot.id", index=True)
    old_expires_on: date
    new_expires_on: date
    data_reference: str
    document_sha256: str | None = Field(default=None, foreign_key="document.sha256")
    justification: str
    extended_at: datetime = moment()
    extended_by: int = Field(foreign_key="app_user.id")
    signature_id: int = Field(foreign_key="signature.id")

    results: str | None = None

    __table_args__ = (sa.CheckConstraint("new_expires_on > old_expires_on", name="later"),)


class Destruction(AppendOnly, table=True):
    """What is left of a lot is to be destroyed: counted by one person, in the lot's unit. It counts once somebody else has witnessed it."""

    lot_id: int = Field(foreign_key="lot.id", index=True)
    quantity: Decimal = exact()
    method: str
    reason: str
    destroyed_at: datetime = moment()
    destroyed_by: int = Field(foreign_key="app_user.id")
    signature_id: int = Field(foreign_key="signature.id")


class DestructionWitness(AppendOnly, table=True):
    """A second person saw it."""

    destruction_id: int = Field(foreign_key="destruction.id", unique=True)
    witnessed_at: datetime = moment()
    witnessed_by: int = Field(foreign_key="app_user.id")
    signature_id: int = Field(foreign_key="signature.id")


class DossierExport(AppendOnly, table=True):
    """Somebody took the dossier of a lot out of the system; sha256: of the ZIP that was handed out."""

    lot_id: int = Field(foreign_key="lot.id", index=True)
    sha256: str
    exported_at: datetime = moment()
    exported_by: int | None = Field(default=None, foreign_key="app_user.id")
