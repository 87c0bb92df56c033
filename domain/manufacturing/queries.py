"""Donors as shown: pseudonyms only."""

from collections.abc import Sequence
from datetime import date, datetime

from sqlmodel import Session, col, select

from domain.errors import NotFound, Reason
from domain.lots.models import Lot
from domain.manufacturing.donors import standing
from domain.manufacturing.models import (
    ConsentScope,
    Donation,
    Donor,
    Eligibility,
    EligibilityDecision,
    Marker,
    MarkerResult,
    MarkerVerdict,
    Tissue,
)
from domain.work import View


class MarkerView(View):
    """A result of the infection panel; `counts` for the newest of its marker."""

    marker: Marker
    verdict: MarkerVerdict
    sampled_on: date
    laboratory: str
    recorded_at: datetime
    counts: bool = True


class DecisionView(View):
    """A decision on a donor."""

    decision: Eligibility
    reason: str
    decided_at: datetime


class DonorView(View):
    """A donor: pseudonym, tissue, consent, panel, decisions, donations."""

    pseudonym: str
    tissue: Tissue
    tissue_text: str
    age_years: int | None
    consent_id: str
    consent_version: str
    consent_scope: ConsentScope
    consent_withdrawn_on: date | None
    registered_at: datetime
    eligibility: Eligibility
    panel: tuple[MarkerView, ...]
    decisions: tuple[DecisionView, ...]
    donations: tuple[str, ...]


def donors(session: Session) -> list[DonorView]:
    """All donors by pseudonym, in four statements."""
    return _shown(session, session.exec(select(Donor).order_by(Donor.pseudonym)).all())


def donor_file(session: Session, pseudonym: str) -> DonorView:
    """One donor. Raises NotFound."""
    found = session.exec(select(Donor).where(Donor.pseudonym == pseudonym)).all()
    if not found:
        raise NotFound(Reason("donor-not-found", f"there is no donor {pseudonym!r}", "pseudonym"))
    return _shown(session, found)[0]


def _shown(session: Session, found: Sequence[Donor]) -> list[DonorView]:
    ids = [donor.key for donor in found]
    markers = session.exec(
        select(MarkerResult).where(col(MarkerResult.donor_id).in_(ids)).order_by(col(MarkerResult.id))
    ).all()
    decisions = session.exec(
        select(EligibilityDecision)
        .where(col(EligibilityDecision.donor_id).in_(ids))
        .order_by(col(EligibilityDecision.id))
    ).all()
    donations = session.exec(
        select(Donation.donor_id, Lot.lot_number)
        .join(Lot, col(Donation.lot_id) == Lot.id)
        .where(col(Donation.donor_id).in_(ids))
    ).all()
    newest = {(one.donor_id, one.marker): one.id for one in markers}
    facts = [name for name in DonorView.model_fields if name not in ("eligibility", "panel", "decisions", "donations")]
    shown = []
    for donor in found:
        own = [one for one in decisions if one.donor_id == donor.id]
        counting = [one for one in markers if newest[one.donor_id, one.marker] == one.id and one.donor_id == donor.id]
        panel = [
            MarkerView.model_validate(one).model_copy(update={"counts": newest[one.donor_id, one.marker] == one.id})
            for one in markers
            if one.donor_id == donor.id
        ]
        shown.append(
            DonorView(
                **{name: getattr(donor, name) for name in facts},
                eligibility=standing(donor, own[-1] if own else None, counting),
                panel=tuple(panel),
                decisions=tuple(DecisionView.model_validate(one) for one in own),
                donations=tuple(number for donor_id, number in donations if donor_id == donor.id),
            )
        )
    return shown
