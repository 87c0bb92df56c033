"""Prints of labels and their reconciliation: facts, each written once (21 CFR 211.122, 211.125)."""

from datetime import date, datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import Field

from domain.store import AppendOnly, coded, moment


class Kind(StrEnum):
    """What is labelled."""

    VIAL = "vial"
    CARTON = "carton"
    SAMPLE = "sample"


class LabelPrint(AppendOnly, table=True):
    """Labels were printed: what they say, how many, and why again.

    content: canonical JSON of what they say; expires_on: the expiry printed. reprint_of_id: the print before, of the same kind for the same lot (or
    sample); every print but the first has one, and a reason. first_serial, last_serial: the range of serial numbers, if they carry any.
    """

    lot_id: int = Field(foreign_key="lot.id", index=True)
    sample_id: int | None = Field(default=None, foreign_key="sample.id", index=True)
    kind: Kind = coded(Kind)
    template: str
    language: str
    count: int
    first_serial: int | None = None
    last_serial: int | None = None
    expires_on: date | None = None
    content: str
    content_sha256: str
    pdf_sha256: str = Field(foreign_key="document.sha256")
    zpl_sha256: str = Field(foreign_key="document.sha256")
    reprint_of_id: int | None = Field(default=None, foreign_key="label_print.id", unique=True)
    reason: str = ""
    printed_at: datetime = moment()
    printed_by: int = Field(foreign_key="app_user.id")

    __table_args__ = (
        sa.CheckConstraint("count >= 1", name="count"),
        sa.CheckConstraint("reprint_of_id IS NULL OR length(reason) >= 3", name="reprint_reason"),
        sa.CheckConstraint("(kind = 'sample') = (sample_id IS NOT NULL)", name="sample"),
        sa.CheckConstraint(
            "(first_serial IS NULL AND last_serial IS NULL) OR last_serial = first_serial + count - 1", name="serials"
        ),
    )


class LabelReconciliation(AppendOnly, table=True):
    """All labels of a kind printed for a lot up to a print were accounted for; a later reconciliation counts instead.

    printed: the sum of the prints, as the system knows it. explanation: why the others do not add up to it, where they do not.
    """

    lot_id: int = Field(foreign_key="lot.id", index=True)
    kind: Kind = coded(Kind)
    last_print_id: int = Field(foreign_key="label_print.id")
    printed: int
    applied: int
    destroyed: int
    sample_attached: int
    explanation: str = ""
    reconciled_at: datetime = moment()
    reconciled_by: int = Field(foreign_key="app_user.id")

    __table_args__ = (
        sa.CheckConstraint("applied >= 0 AND destroyed >= 0 AND sample_attached >= 0", name="counts"),
        sa.CheckConstraint(
            "printed = applied + destroyed + sample_attached OR length(explanation) >= 3", name="difference"
        ),
    )

    @property
    def difference(self) -> int:
        """Printed labels that were neither applied, destroyed nor attached; below zero, if more were."""
        return self.printed - self.applied - self.destroyed - self.sample_attached
