"""Donors, steps and readings."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import Field

from domain.store import AppendOnly, Entity, coded, exact, moment


class Tissue(StrEnum):
    """Where the cells come from (domain.md 1.1)."""

    ADIPOSE = "adipose"
    BONE_MARROW = "bone_marrow"
    UMBILICAL_CORD = "umbilical_cord"
    CORD_BLOOD = "cord_blood"
    PLACENTA_AMNION = "placenta_amnion"
    DENTAL = "dental"
    IPSC_MSC = "ipsc_msc"
    OTHER = "other"


class ConsentScope(StrEnum):
    """What the donor agreed to."""

    RESEARCH = "research"
    THERAPEUTIC = "therapeutic"
    COMMERCIAL = "commercial"


class Marker(StrEnum):
    """Infection markers of a donor (Dir. 2006/17/EC Annex II; 21 CFR 1271.85)."""

    HIV_AB = "hiv_ab"
    HBSAG = "hbsag"
    ANTI_HBC = "anti_hbc"
    ANTI_HCV = "anti_hcv"
    SYPHILIS = "syphilis"
    HIV_NAT = "hiv_nat"
    HBV_NAT = "hbv_nat"
    HCV_NAT = "hcv_nat"
    HTLV = "htlv"
    CMV = "cmv"
    WNV = "wnv"
    T_CRUZI = "t_cruzi"
    MALARIA = "malaria"


#: Dir. 2006/17/EC Annex II, 1.1: what every donor is tested for.
MINIMUM_PANEL = (Marker.HIV_AB, Marker.HBSAG, Marker.ANTI_HBC, Marker.ANTI_HCV, Marker.SYPHILIS)

#: Markers that a physician may judge although they are not negative, with the reason in writing (domain.md 1.1).
JUDGED_BY_PHYSICIAN = (Marker.ANTI_HBC, Marker.CMV)


class MarkerVerdict(StrEnum):
    """What a serological or NAT test said."""

    NEGATIVE = "negative"
    POSITIVE = "positive"
    INDETERMINATE = "indeterminate"
    NOT_DONE = "not_done"


class Eligibility(StrEnum):
    """The decision on a donor; incomplete is what every donor is until somebody decides."""

    ELIGIBLE = "eligible"
    INELIGIBLE = "ineligible"
    INCOMPLETE = "incomplete"


class Donor(Entity, table=True):
    """A person behind a pseudonym: no name, no date of birth."""

    pseudonym: str = Field(unique=True)
    tissue: Tissue = coded(Tissue)
    tissue_text: str = ""
    age_years: int | None = None
    consent_id: str
    consent_version: str
    consent_scope: ConsentScope = coded(ConsentScope)
    consent_withdrawn_on: date | None = None
    registered_at: datetime = moment()
    registered_by: int = Field(foreign_key="app_user.id")

    __table_args__ = (sa.CheckConstraint("age_years BETWEEN 0 AND 120", name="age"),)


class MarkerResult(AppendOnly, table=True):
    """One infection marker of a donor; a later result counts instead of an earlier one, which stays."""

    donor_id: int = Field(foreign_key="donor.id", index=True)
    marker: Marker = coded(Marker)
    verdict: MarkerVerdict = coded(MarkerVerdict)
    sampled_on: date
    laboratory: str
    recorded_at: datetime = moment()
    recorded_by: int = Field(foreign_key="app_user.id")


class EligibilityDecision(AppendOnly, table=True):
    """A person's decision on a donor, signed; the newest counts."""

    donor_id: int = Field(foreign_key="donor.id", index=True)
    decision: Eligibility = coded(Eligibility)
    reason: str
    decided_at: datetime = moment()
    decided_by: int = Field(foreign_key="app_user.id")
    signature_id: int = Field(foreign_key="signature.id")


class Donation(AppendOnly, table=True):
    """Which donor a donation lot came from."""

    lot_id: int = Field(foreign_key="lot.id", unique=True)
    donor_id: int = Field(foreign_key="donor.id", index=True)


class Step(Entity, table=True):
    """One piece of manufacturing, open until completed; times as said (started_at, ended_at) and as recorded (UTC)."""

    number: str = Field(unique=True)
    kind: str = Field(index=True)
    product_id: int | None = Field(default=None, foreign_key="product.id")
    location: str
    equipment: str
    comment: str = ""
    started_at: datetime = moment()
    start_recorded_at: datetime = moment()
    started_by: int = Field(foreign_key="app_user.id")
    late: bool
    ended_at: datetime | None = moment(default=None, nullable=True)
    end_recorded_at: datetime | None = moment(default=None, nullable=True)
    completed_by: int | None = Field(default=None, foreign_key="app_user.id")

    __table_args__ = (sa.CheckConstraint("ended_at IS NULL OR ended_at >= started_at", name="times"),)


class Reading(AppendOnly, table=True):
    """One recorded value of a parameter on a step.

    entered_*: as typed. value: in the catalogue's `unit`, empty for choices and texts. alert: why the value is flagged,
    if it is.
    replaces_id: the reading that this one corrects, with `reason`; a reading is replaced once at most.
    """

    step_id: int = Field(foreign_key="step.id")
    parameter: str
    entered_value: str
    entered_unit: str | None = None
    value: Decimal | None = exact(default=None, nullable=True)
    unit: str | None = None
    alert: str | None = None
    comment: str = ""
    happened_at: datetime = moment()
    recorded_at: datetime = moment()
    late: bool
    recorded_by: int = Field(foreign_key="app_user.id")
    replaces_id: int | None = Field(default=None, foreign_key="reading.id", unique=True)
    reason: str = ""
    beyond_action: bool | None = None

    __table_args__ = (
        sa.Index("ix_reading_step_id_parameter", "step_id", "parameter"),
        sa.CheckConstraint("length(entered_value) > 0", name="not_empty"),
        sa.CheckConstraint("alert IS NULL OR length(comment) > 0", name="alert_comment"),
        sa.CheckConstraint("replaces_id IS NULL OR length(reason) > 0", name="correction_reason"),
    )
