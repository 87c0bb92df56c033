"""Whose cells may be used: consent, the infection panel, and a person's decision on both."""

from datetime import date, timedelta

import pytest
from pydantic import ValidationError

from domain.errors import Conflict, Forbidden, Invalid, NotFound, Refused, Unauthenticated
from domain.manufacturing.donors import (
    DecideEligibility,
    RegisterDonor,
    WithdrawConsent,
    decide_eligibility,
    donor_named,
    eligibility_of,
    panel_of,
    untimely_markers,
    withdraw_consent,
)
from domain.manufacturing.models import (
    MINIMUM_PANEL,
    ConsentScope,
    Donor,
    Eligibility,
    Marker,
    MarkerVerdict,
    Tissue,
)
from domain.store import reading
from domain.work import Site
from tests.build import accepted, cells, decided, donation, donor, eligible_donor, markers, quarantined_bank
from tests.cast import act, credentials, raw

M, V = Marker, MarkerVerdict
NEGATIVE = dict.fromkeys(MINIMUM_PANEL, V.NEGATIVE)


def codes(refusal: pytest.ExceptionInfo[Refused]) -> list[str]:
    return [reason.code for reason in refusal.value.reasons]


def stands(site: Site, pseudonym: str) -> Eligibility:
    with reading(site.engine) as session:
        return eligibility_of(session, donor_named(session, pseudonym).key)


def withdrawn(site: Site, pseudonym: str, on: date | None = None) -> None:
    command = WithdrawConsent(pseudonym=pseudonym, withdrawn_on=on or site.today(), reason="letter of the donor")
    act(site, "cleo", withdraw_consent, command)


@pytest.mark.requirement("URS-019", "URS-057")
def test_there_is_no_place_for_a_name_or_a_date_of_birth() -> None:
    columns = {column.name for column in Donor.__table__.columns}  # type: ignore[attr-defined]
    assert not {part for name in columns for part in name.split("_")} & {
        "name",
        "birth",
        "address",
        "born",
        "email",
        "phone",
    }
    with pytest.raises(ValidationError):
        RegisterDonor(  # type: ignore[call-arg]
            pseudonym="D-1",
            name="Jane",
            tissue=Tissue.DENTAL,
            consent_id="1",
            consent_version="1",
            consent_scope=ConsentScope.RESEARCH,
        )


@pytest.mark.requirement("URS-019")
@pytest.mark.parametrize("pseudonym", ["Jane Doe", "d-1", "D", "-D1", "D_1", "x" * 31])
def test_a_pseudonym_looks_like_a_code_and_not_like_a_name(site: Site, pseudonym: str) -> None:
    with pytest.raises(ValidationError):
        donor(site, pseudonym)


def test_a_pseudonym_is_given_once(site: Site) -> None:
    donor(site, "D-2026-777")
    with pytest.raises(Conflict) as refusal:
        donor(site, "D-2026-777")
    assert refusal.value.reasons[0].code == "donor-exists"


def test_another_tissue_must_be_said(site: Site) -> None:
    with pytest.raises(Invalid):
        donor(site, tissue=Tissue.OTHER)
    donor(site, tissue=Tissue.OTHER, tissue_text="synovium")


@pytest.mark.requirement("URS-021")
@pytest.mark.parametrize("marker", MINIMUM_PANEL)
@pytest.mark.parametrize("verdict", [None, V.NOT_DONE])
def test_no_donor_is_eligible_without_the_whole_minimum_panel(
    site: Site, marker: Marker, verdict: MarkerVerdict | None
) -> None:
    name = donor(site)
    panel = {one: said for one, said in {**NEGATIVE, marker: verdict}.items() if said is not None}
    markers(site, name, panel)
    with pytest.raises(Refused) as refusal:
        decided(site, name)
    assert codes(refusal) == ["marker-missing"]
    assert stands(site, name) is Eligibility.INCOMPLETE


@pytest.mark.requirement("URS-018", "URS-021")
def test_everything_that_is_missing_is_said_at_once(site: Site) -> None:
    name = donor(site)
    markers(site, name, {M.HIV_AB: V.POSITIVE, M.HCV_NAT: V.INDETERMINATE})
    withdrawn(site, name)
    with pytest.raises(Refused) as refusal:
        decided(site, name)
    assert sorted(codes(refusal)) == ["consent-withdrawn", *["marker-missing"] * 4, *["marker-not-negative"] * 2]


@pytest.mark.requirement("URS-021")
@pytest.mark.parametrize("marker", list(Marker))
@pytest.mark.parametrize("verdict", [V.POSITIVE, V.INDETERMINATE])
def test_only_anti_hbc_and_cmv_may_be_judged_by_a_physician(site: Site, marker: Marker, verdict: MarkerVerdict) -> None:
    name = donor(site)
    markers(site, name, {**NEGATIVE, marker: verdict})
    if marker in (M.ANTI_HBC, M.CMV):
        decided(site, name)
        assert stands(site, name) is Eligibility.ELIGIBLE
    else:
        with pytest.raises(Refused) as refusal:
            decided(site, name)
        assert codes(refusal) == ["marker-not-negative"]


@pytest.mark.requirement("URS-017")
def test_a_later_result_of_a_marker_counts_and_the_earlier_one_stays(site: Site) -> None:
    name = donor(site)
    markers(site, name, {**NEGATIVE, M.HBSAG: V.INDETERMINATE})
    markers(site, name, {M.HBSAG: V.NEGATIVE})
    decided(site, name)
    with reading(site.engine) as session:
        found = donor_named(session, name)
        assert panel_of(session, found.key)[M.HBSAG].verdict is V.NEGATIVE
    assert raw(site, "SELECT verdict FROM marker_result WHERE marker = 'hbsag' ORDER BY id") == [
        ("indeterminate",),
        ("negative",),
    ]


def test_a_sample_of_tomorrow_is_refused(site: Site) -> None:
    with pytest.raises(Invalid) as refusal:
        markers(site, donor(site), sampled_on=site.today() + timedelta(days=1))
    assert refusal.value.reasons[0].code == "in-the-future"


@pytest.mark.requirement("URS-019", "URS-044")
def test_a_decision_is_signed_by_qa(site: Site) -> None:
    name = donor(site)
    markers(site, name)
    for who in ("tom", "ann", "rhea", "ada"):
        with pytest.raises(Forbidden):
            decided(site, name, who=who)
    wrong = DecideEligibility(
        pseudonym=name, decision=Eligibility.ELIGIBLE, reason="complies", credentials=credentials("quin")
    )
    with pytest.raises(Unauthenticated):
        act(site, "cleo", decide_eligibility, wrong)
    decided(site, name)
    assert raw(site, "SELECT name, meaning, record FROM signature") == [("Cleo Releases", "approved", "donor")]


def test_a_donor_can_always_be_found_ineligible(site: Site) -> None:
    name = donor(site)
    decided(site, name, Eligibility.INELIGIBLE)
    assert stands(site, name) is Eligibility.INELIGIBLE


def test_the_newest_decision_counts(site: Site) -> None:
    name = eligible_donor(site)
    decided(site, name, Eligibility.INELIGIBLE, who="quin")
    assert stands(site, name) is Eligibility.INELIGIBLE


@pytest.mark.requirement("URS-019")
def test_a_withdrawn_consent_makes_a_donor_ineligible_whatever_was_decided(site: Site) -> None:
    name = eligible_donor(site)
    withdrawn(site, name)
    assert stands(site, name) is Eligibility.INELIGIBLE
    with pytest.raises(Conflict):
        withdrawn(site, name)
    with pytest.raises(Refused):
        decided(site, name)
    with pytest.raises(Refused) as refusal:
        donation(site, name)
    assert "consent-withdrawn" in codes(refusal)


def test_a_consent_cannot_be_withdrawn_tomorrow(site: Site) -> None:
    with pytest.raises(Invalid):
        withdrawn(site, donor(site), site.today() + timedelta(days=1))


@pytest.mark.requirement("URS-019")
@pytest.mark.parametrize("decision", [None, Eligibility.INELIGIBLE, Eligibility.INCOMPLETE])
def test_the_cells_of_an_undecided_or_ineligible_donor_are_not_banked(site: Site, decision: Eligibility | None) -> None:
    from tests.build import K, step

    name = donor(site)
    markers(site, name)
    if decision is not None:
        decided(site, name, decision)
    isolated = cells(site, donation(site, name))
    with pytest.raises(Refused) as refusal:
        step(site, "banking", {isolated: ("35", "10*6.{cells}")}, [(K.MASTER_CELL_BANK, "60", "{vial}")])
    assert codes(refusal) == ["donor-not-eligible"]


@pytest.mark.requirement("URS-019")
def test_a_bank_is_not_released_once_its_donor_withdrew(site: Site) -> None:
    name = eligible_donor(site)
    number = quarantined_bank(site, name)
    withdrawn(site, name)
    with pytest.raises(Refused) as refusal:
        accepted(site, number)
    assert "donor-not-eligible" in codes(refusal)


@pytest.mark.requirement("URS-020")
@pytest.mark.parametrize(
    ("tissue", "days", "timely"),
    [(Tissue.UMBILICAL_CORD, -8, False), (Tissue.UMBILICAL_CORD, -7, True), (Tissue.UMBILICAL_CORD, 7, True),
     (Tissue.UMBILICAL_CORD, 8, False), (Tissue.BONE_MARROW, -30, True), (Tissue.BONE_MARROW, -31, False),
     (Tissue.BONE_MARROW, 8, False)],
)  # fmt: skip
def test_the_blood_sample_lies_within_the_permitted_days_of_the_donation(
    site: Site, tissue: Tissue, days: int, timely: bool
) -> None:
    name = donor(site, tissue=tissue)
    markers(site, name)
    with reading(site.engine) as session:
        found = list(untimely_markers(session, donor_named(session, name), site.today() - timedelta(days=days)))
    assert {reason.code for reason in found} == (set() if timely else {"marker-untimely"})
    assert len(found) == (0 if timely else len(MINIMUM_PANEL))


@pytest.mark.requirement("URS-020")
def test_a_donation_with_a_late_blood_sample_is_not_accepted(site: Site) -> None:
    name = donor(site)
    markers(site, name, sampled_on=site.today() - timedelta(days=8))
    decided(site, name)
    number = donation(site, name)
    with pytest.raises(Refused) as refusal:
        accepted(site, number)
    assert set(codes(refusal)) == {"marker-untimely"}


def test_a_procurement_names_its_donor_and_gives_the_donors_tissue(site: Site) -> None:
    from tests.build import K, begun

    with pytest.raises(Invalid) as missing:
        begun(site, "procurement", {}, [(K.DONATION, "g")])
    assert missing.value.reasons[0].code == "donor-with-procurement"
    with pytest.raises(NotFound):
        begun(site, "procurement", {}, [(K.DONATION, "g")], donor="D-NOBODY")
