"""Mix-ups and impossible amounts: what a tired person would type at the end of a shift."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlmodel import select

from domain.disposition.decisions import AcceptLot, accept_lot
from domain.errors import DomainError, Invalid, Refused, Stale
from domain.manufacturing.donors import WithdrawConsent, record_markers, withdraw_consent
from domain.manufacturing.models import Eligibility, Marker, MarkerVerdict, Reading
from domain.manufacturing.readings import correct_reading
from domain.manufacturing.step_commands import CorrectReading
from domain.store import reading
from domain.work import Site
from tests import build
from tests.build import K
from tests.cast import act, raw

MADE = pytest.mark.stage("drug_product")


def codes(refusal: pytest.ExceptionInfo[Any]) -> set[str]:
    assert isinstance(refusal.value, DomainError)
    return {reason.code for reason in refusal.value.reasons}


@pytest.fixture
def filled(site: Site) -> str:
    """Filled vials of the usual product."""
    code = build.new_product(site)
    return build.vials(site, build.bulk(site, build.bank(site)), code)


def test_vials_of_one_product_are_not_packed_as_another(site: Site, filled: str) -> None:
    other = build.new_product(site, "UC-EV-99", "UVX")
    loaded = str(build.lot(site, filled).quantity)
    for product in (other, None):
        with pytest.raises(Refused) as refusal:
            build.begun(
                site, "packaging", {filled: (loaded, "{vial}")}, [(K.DRUG_PRODUCT, "{vial}")], product_code=product
            )
        assert "wrong-product" in codes(refusal)


def test_a_step_cannot_give_more_vials_than_it_took(site: Site, filled: str) -> None:
    code = "UC-EV-50"
    began = build.begun(
        site, "lyophilization", {filled: ("5", "{vial}")}, [(K.LYOPHILIZED_VIALS, "{vial}")], product_code=code
    )
    with pytest.raises(Refused) as refusal:
        build.ended(site, began, [("6", "{vial}")], build.readings_for("lyophilization"))
    assert codes(refusal) == {"more-than-taken"}
    build.ended(site, began, [("5", "{vial}")], build.readings_for("lyophilization"))


def test_vials_are_counted_in_nothing_but_vials(site: Site, filled: str) -> None:
    outputs = [(K.LYOPHILIZED_VIALS, "mL")]
    with pytest.raises(Refused) as refusal:
        build.begun(site, "lyophilization", {filled: ("5", "{vial}")}, outputs, product_code="UC-EV-50")
    assert codes(refusal) == {"wrong-unit"}


def test_vials_are_whole(site: Site, filled: str) -> None:
    began = build.begun(
        site, "lyophilization", {filled: ("5", "{vial}")}, [(K.LYOPHILIZED_VIALS, "{vial}")], product_code="UC-EV-50"
    )
    with pytest.raises(Invalid) as refusal:
        build.ended(site, began, [("4.5", "{vial}")], build.readings_for("lyophilization"))
    assert codes(refusal) == {"not-a-whole-number"}


@pytest.mark.parametrize(("unit", "code"), [("millilitres", "unknown-unit"), ("", "unknown-unit")])
def test_a_lot_cannot_be_begun_in_a_unit_in_which_it_could_never_be_measured(site: Site, unit: str, code: str) -> None:
    donor = build.eligible_donor(site)
    with pytest.raises(Invalid) as refusal:
        build.begun(site, "procurement", {}, [(K.DONATION, unit)], donor=donor)
    assert codes(refusal) == {code}


def test_a_step_cannot_begin_before_what_it_takes_was_made(site: Site) -> None:
    donation = build.donation(site)
    with pytest.raises(Refused) as refusal:
        build.begun(
            site,
            "isolation",
            {donation: ("40", "g")},
            [(K.ISOLATED_CELLS, "10*6.{cells}")],
            started_at=site.clock() - timedelta(days=3),
        )
    assert codes(refusal) == {"before-its-inputs"}


def test_nothing_more_is_made_of_cells_whose_donor_withdrew(site: Site) -> None:
    donor = build.eligible_donor(site)
    bank, basal = build.bank(site, donor), build.released_material(site)
    act(site, "cleo", withdraw_consent, WithdrawConsent(pseudonym=donor, withdrawn_on=site.today(), reason="letter"))
    with pytest.raises(Refused) as refusal:
        build.begun(site, "expansion", {bank: ("1", "{vial}"), basal: ("1", "L")}, [(K.CULTURE, "10*6.{cells}")])
    assert codes(refusal) == {"consent-withdrawn"}


def test_a_marker_recorded_while_the_decision_was_made_does_not_slip_under_it(site: Site) -> None:
    """On PostgreSQL two acts overlap: one that began first may be written last, with the earlier time."""
    donor = build.donor(site)
    build.markers(site, donor)
    before = site.clock()
    site.clock.advance(minutes=1)  # type: ignore[attr-defined]
    build.decided(site, donor)
    late = build.RecordMarkers(
        pseudonym=donor,
        laboratory="Blood bank",
        results=(build.MarkerEntry(marker=Marker.CMV, verdict=MarkerVerdict.POSITIVE, sampled_on=site.today()),),
    )
    site.clock.now = before  # type: ignore[attr-defined]
    with pytest.raises(Stale):
        act(site, "tom", record_markers, late)


def test_a_positive_marker_stands_against_a_decision_that_did_not_see_it_whatever_the_clock_said(site: Site) -> None:
    from domain.manufacturing.donors import standing
    from domain.manufacturing.models import Donor, EligibilityDecision, MarkerResult

    now = site.clock()
    donor = Donor(pseudonym="D-1", tissue="umbilical_cord", consent_id="1", consent_version="1",
                  consent_scope="commercial", registered_at=now, registered_by=1)  # fmt: skip
    decision = EligibilityDecision(donor_id=1, decision=Eligibility.ELIGIBLE, reason="x", decided_at=now, decided_by=1,
                                   signature_id=1)  # fmt: skip
    marker = MarkerResult(donor_id=1, marker=Marker.HIV_AB, verdict=MarkerVerdict.POSITIVE, sampled_on=now.date(),
                          laboratory="x", recorded_at=now - timedelta(seconds=1), recorded_by=1)  # fmt: skip
    assert standing(donor, decision, [marker]) is Eligibility.INCOMPLETE


def test_a_crumb_taken_of_a_mountain_is_missing_from_it(site: Site) -> None:
    from domain.laboratory.samples import DrawSample, draw_sample

    number = build.material(site, quantity=("1E20", "L"))
    act(site, "ben", draw_sample, DrawSample(lot_number=number, quantity=build.amount("1E-19", "L")))
    left = build.lot(site, number).quantity_left
    assert left is not None
    assert Decimal("1E20") - left != 0


@MADE
def test_a_correction_that_makes_the_values_unusual_together_needs_a_comment_too(site: Site) -> None:
    with reading(site.engine) as session:
        held = session.exec(select(Reading).where(Reading.parameter == "hold_time")).one()
    said: dict[str, Any] = {"reading_id": held.key, "value": "30", "unit": "h", "reason": "typed wrong"}
    with pytest.raises(Invalid) as refusal:
        act(site, "tom", correct_reading, CorrectReading(**said))
    assert codes(refusal) == {"comment-needed"}
    act(site, "tom", correct_reading, CorrectReading(**said, comment="the filter had to be changed"))


@MADE
def test_a_bank_is_not_accepted_while_nobody_has_decided_on_its_donor(site: Site) -> None:
    donor = build.eligible_donor(site)
    bank = build.quarantined_bank(site, donor)
    site.clock.advance(minutes=1)  # type: ignore[attr-defined]
    build.markers(site, donor, {Marker.CMV: MarkerVerdict.POSITIVE})
    with pytest.raises(Refused) as refusal:
        act(site, "cleo", accept_lot, AcceptLot(lot_number=bank, credentials=build.credentials("cleo")))
    assert codes(refusal) == {"donor-not-eligible"}
    assert raw(site, "SELECT state FROM lot WHERE lot_number = :n", n=bank)[0][0] == "quarantine"
