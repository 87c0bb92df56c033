"""Acts on donors: registering, the infection panel, and the decision whether their cells may be used."""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta

from pydantic import Field
from sqlmodel import Session, col, select

from domain.errors import Conflict, Invalid, NotFound, Reason, Refused, Stale
from domain.manufacturing.models import (
    JUDGED_BY_PHYSICIAN,
    MINIMUM_PANEL,
    ConsentScope,
    Donor,
    Eligibility,
    EligibilityDecision,
    Marker,
    MarkerResult,
    MarkerVerdict,
    Tissue,
)
from domain.permissions import Permission
from domain.signatures import Credentials, Meaning, sign
from domain.work import Command, Work, operation


class RegisterDonor(Command):
    """Enter a donor under a pseudonym. Age in years (perinatal tissue: the mother's)."""

    pseudonym: str = Field(
        pattern=r"^[A-Z0-9][A-Z0-9-]{2,29}$", examples=["D-2026-017"], description="a code, never a name"
    )
    tissue: Tissue
    tissue_text: str = Field(default="", max_length=100, description="which tissue, if `other`")
    age_years: int | None = Field(default=None, ge=0, le=120)
    consent_id: str = Field(min_length=1, max_length=60)
    consent_version: str = Field(min_length=1, max_length=20)
    consent_scope: ConsentScope


class MarkerEntry(Command):
    """One marker as the laboratory reported it."""

    marker: Marker
    verdict: MarkerVerdict
    sampled_on: date


class RecordMarkers(Command):
    """Enter results of a donor's infection panel."""

    pseudonym: str
    laboratory: str = Field(min_length=1, max_length=200)
    results: tuple[MarkerEntry, ...] = Field(min_length=1, max_length=40)


class DecideEligibility(Command):
    """Decide on a donor, with a signature."""

    pseudonym: str
    decision: Eligibility
    reason: str = Field(min_length=3, max_length=1000)
    credentials: Credentials


class WithdrawConsent(Command):
    """The donor withdrew the consent; from now on nothing may be made of the donor's cells."""

    pseudonym: str
    withdrawn_on: date
    reason: str = Field(min_length=3, max_length=1000)


@operation(Permission.REGISTER_DONOR)
def register_donor(work: Work, command: RegisterDonor) -> Donor:
    """No name and no date of birth can be entered; a pseudonym is given once."""
    if command.tissue is Tissue.OTHER and not command.tissue_text:
        raise Invalid(Reason("tissue-text-needed", "say which tissue", "tissue_text"))
    if work.session.exec(select(Donor.id).where(Donor.pseudonym == command.pseudonym)).first() is not None:
        raise Conflict(Reason("donor-exists", f"there is a donor {command.pseudonym} already", "pseudonym"))
    return work.add(Donor(**command.model_dump(), registered_at=work.now, registered_by=work.actor.person))


@operation(Permission.REGISTER_DONOR)
def record_markers(work: Work, command: RecordMarkers) -> list[MarkerResult]:
    """Each result is kept; per marker the newest counts. Raises Stale when the donor was decided on meanwhile."""
    donor = donor_named(work.session, command.pseudonym, alone=True)
    decided = select(EligibilityDecision.id).where(
        EligibilityDecision.donor_id == donor.id, col(EligibilityDecision.decided_at) > work.now
    )
    if work.session.exec(decided).first() is not None:  # its time would say that the decision had seen it
        raise Stale(Reason("changed-meanwhile", "somebody decided on this donor meanwhile; record the markers again"))
    for entry in command.results:
        if entry.sampled_on > work.today:
            raise Invalid(Reason("in-the-future", f"{entry.sampled_on} is in the future", "results.sampled_on"))
    return [
        work.add(
            MarkerResult(
                donor_id=donor.key,
                **entry.model_dump(),
                laboratory=command.laboratory,
                recorded_at=work.now,
                recorded_by=work.actor.person,
            )
        )
        for entry in command.results
    ]


@operation(Permission.DECIDE_ELIGIBILITY)
def decide_eligibility(work: Work, command: DecideEligibility) -> EligibilityDecision:
    """Eligible needs a consent that stands and the minimum panel, negative (anti-HBc and CMV may be judged)."""
    donor = donor_named(work.session, command.pseudonym, alone=True)
    if command.decision is Eligibility.ELIGIBLE and (reasons := tuple(_against(work.session, donor))):
        raise Refused(*reasons)
    panel = {marker.value: result.verdict.value for marker, result in panel_of(work.session, donor.key).items()}
    content = {"donor": donor.pseudonym, "decision": command.decision.value, "reason": command.reason, "panel": panel}
    signature = sign(work, donor, content, Meaning.APPROVED, command.credentials)
    return work.add(
        EligibilityDecision(
            donor_id=donor.key,
            decision=command.decision,
            reason=command.reason,
            decided_at=work.now,
            decided_by=work.actor.person,
            signature_id=signature.key,
        )
    )


@operation(Permission.DECIDE_ELIGIBILITY)
def withdraw_consent(work: Work, command: WithdrawConsent) -> Donor:
    """Once withdrawn stays withdrawn."""
    donor = donor_named(work.session, command.pseudonym)
    if donor.consent_withdrawn_on is not None:
        raise Conflict(
            Reason("consent-withdrawn", f"the consent was withdrawn on {donor.consent_withdrawn_on} already")
        )
    if command.withdrawn_on > work.today:
        raise Invalid(Reason("in-the-future", f"{command.withdrawn_on} is in the future", "withdrawn_on"))
    donor.consent_withdrawn_on = command.withdrawn_on
    work.reason = work.reason or command.reason
    return donor


def donor_named(session: Session, pseudonym: str, *, alone: bool = False) -> Donor:
    """The donor, or NotFound; `alone`: locked until the act is over."""
    found = select(Donor).where(Donor.pseudonym == pseudonym)
    if donor := session.exec(found.with_for_update() if alone else found).first():
        return donor
    raise NotFound(Reason("donor-not-found", f"there is no donor {pseudonym!r}", "pseudonym"))


def panel_of(session: Session, donor_id: int) -> dict[Marker, MarkerResult]:
    """The newest result of each marker."""
    rows = session.exec(select(MarkerResult).where(MarkerResult.donor_id == donor_id).order_by(col(MarkerResult.id)))
    return {row.marker: row for row in rows}


def eligibility_of(session: Session, donor_id: int) -> Eligibility:
    """What stands today: see `standing`."""
    decisions = select(EligibilityDecision).where(EligibilityDecision.donor_id == donor_id)
    newest = session.exec(decisions.order_by(col(EligibilityDecision.id).desc())).first()
    return standing(session.get_one(Donor, donor_id), newest, panel_of(session, donor_id).values())


def standing(donor: Donor, newest: EligibilityDecision | None, panel: Iterable[MarkerResult]) -> Eligibility:
    """The newest decision, or incomplete; a withdrawn consent makes a donor ineligible whatever was decided.

    A marker recorded after a decision for the donor asks for a new one: the decision never saw it. So does one that
    would have stood against it.
    """
    if donor.consent_withdrawn_on is not None:
        return Eligibility.INELIGIBLE
    if newest is None:
        return Eligibility.INCOMPLETE
    unseen = any(result.recorded_at > newest.decided_at or _is_against(result) for result in panel)
    return Eligibility.INCOMPLETE if unseen and newest.decision is Eligibility.ELIGIBLE else newest.decision


def _against(session: Session, donor: Donor) -> Iterator[Reason]:
    if donor.consent_withdrawn_on is not None:
        yield Reason("consent-withdrawn", f"the consent was withdrawn on {donor.consent_withdrawn_on}")
    panel = panel_of(session, donor.key)
    for marker in MINIMUM_PANEL:
        if marker not in panel or panel[marker].verdict is MarkerVerdict.NOT_DONE:
            yield Reason(
                "marker-missing",
                f"{marker.value} has no result; the minimum panel is {', '.join(MINIMUM_PANEL)}",
                "results",
            )
    for marker, result in panel.items():
        if _is_against(result):
            yield Reason("marker-not-negative", f"{marker.value} is {result.verdict.value}", "results")


def _is_against(result: MarkerResult) -> bool:
    bad = (MarkerVerdict.POSITIVE, MarkerVerdict.INDETERMINATE)
    return result.verdict in bad and result.marker not in JUDGED_BY_PHYSICIAN


#: How long before and after the donation the blood may be taken: EU living donor at donation or 7 d after, 21 CFR
#: 1271.80 7 d either way;
#: bone marrow 30 d before (domain.md 1.1).
SAMPLE_BEFORE = {Tissue.BONE_MARROW: timedelta(days=30)}
SAMPLE_AROUND = timedelta(days=7)


def untimely_markers(session: Session, donor: Donor, donated_on: date) -> Iterator[Reason]:
    """Markers of the minimum panel whose blood was taken too early or too late for this donation."""
    earliest = donated_on - SAMPLE_BEFORE.get(donor.tissue, SAMPLE_AROUND)
    for marker, result in panel_of(session, donor.key).items():
        if marker in MINIMUM_PANEL and not earliest <= result.sampled_on <= donated_on + SAMPLE_AROUND:
            text = (
                f"{marker.value} of donor {donor.pseudonym} was sampled on {result.sampled_on};"
                f" for the donation of {donated_on} it must be between {earliest} and {donated_on + SAMPLE_AROUND}"
            )
            yield Reason("marker-untimely", text)
