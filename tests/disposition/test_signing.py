"""Three signatures by three people, each bound to the dossier that its signer saw."""

from dataclasses import replace
from typing import Any

import pytest
from sqlmodel import select

from domain.disposition.decisions import HoldLot, LiftHold, hold_lot, lift_hold
from domain.disposition.queries import lot_file
from domain.disposition.signing import signed_on
from domain.errors import DomainError, Refused
from domain.lots.lifecycle import RULES, Case, blockers
from domain.lots.models import Lot, LotState
from domain.manufacturing.models import Reading
from domain.manufacturing.readings import correct_reading
from domain.manufacturing.step_commands import CorrectReading
from domain.permissions import Permission
from domain.store import reading
from domain.work import Site
from tests import build
from tests.cast import act, actor, credentials, raw
from tests.deviations.steps import opened, settled

K = build.K


def codes(refusal: pytest.ExceptionInfo[Any]) -> set[str]:
    assert isinstance(refusal.value, DomainError)
    return {reason.code for reason in refusal.value.reasons}


@pytest.fixture
def lot(site: Site) -> str:
    """Under test with all results in, of a product that asks for three signatures."""
    code = build.new_product(site, release_signatures=3)
    build.approved_specification(site, code)
    number = build.drug_product(site, code)
    build.tested(site, number, submit=False)
    return number


def current(site: Site, number: str) -> list[tuple[str, bool]]:
    """Who signed for the release, and whether it still counts."""
    with reading(site.engine) as session:
        file = lot_file(session, number, site.clock(), site.today(), actor(site, "cleo"))
    return [(one.name, one.current) for one in file.signatures]


@pytest.mark.requirement("URS-186", "URS-187")
def test_a_lot_is_released_by_three_people_each_of_whom_signed_the_same_dossier(site: Site, lot: str) -> None:
    build.confirmed(site, lot)
    build.resubmitted(site, lot)
    build.released(site, lot)
    with reading(site.engine) as session:
        row = session.exec(select(Lot).where(Lot.lot_number == lot)).one()
        signed = signed_on(session, row)
    assert [one.action for one in signed] == ["confirm", "submit", "release"]
    assert len({one.signature.user_id for one in signed}) == 3
    assert current(site, lot) == [("Ann Makes", True), ("Rhea Reviews", True), ("Cleo Releases", True)]


@pytest.mark.requirement("URS-186")
def test_the_head_of_production_may_sign_after_quality_control(site: Site, lot: str) -> None:
    build.resubmitted(site, lot)
    with pytest.raises(Refused) as refusal:
        build.released(site, lot)
    assert codes(refusal) == {"signature-missing"}
    build.confirmed(site, lot)
    build.released(site, lot)


@pytest.mark.stage("in_review")
@pytest.mark.requirement("URS-186")
def test_a_product_that_asks_for_two_signatures_takes_no_third(site: Site) -> None:
    with pytest.raises(Refused) as refusal:
        build.confirmed(site, build_lot(site))
    assert codes(refusal) == {"signature-not-asked"}
    build.released(site, build_lot(site))


def build_lot(site: Site) -> str:
    return str(raw(site, "SELECT lot_number FROM lot WHERE kind = 'drug_product'")[0][0])


@pytest.mark.requirement("URS-187")
def test_a_correction_voids_the_signatures_given_before_it_and_they_are_given_again(site: Site, lot: str) -> None:
    build.confirmed(site, lot)
    with reading(site.engine) as session:
        first = session.exec(select(Reading).where(Reading.parameter == "ph")).first()
    assert first is not None
    correction = CorrectReading(reading_id=first.key, value="7.3", unit="[pH]", reason="misread", comment="misread")
    act(site, "tom", correct_reading, correction)
    assert current(site, lot) == [("Ann Makes", False)]
    build.resubmitted(site, lot)
    with pytest.raises(Refused) as refusal:
        build.released(site, lot)
    assert codes(refusal) == {"signature-void"}
    build.confirmed(site, lot)
    build.released(site, lot)
    assert [counts for _, counts in current(site, lot)] == [False, True, True, True]


@pytest.mark.requirement("URS-187")
@pytest.mark.parametrize("change", ["deviation", "hold", "ancestor"])
def test_what_speaks_against_the_lot_voids_every_signature(site: Site, lot: str, change: str) -> None:
    build.confirmed(site, lot)
    build.resubmitted(site, lot)
    number = lot if change != "ancestor" else bank_of(site)
    if change == "deviation":
        settled(site, opened(site, lot), lot)
    else:
        act(site, "cleo", hold_lot, HoldLot(lot_number=number, reason="doubt", credentials=credentials("cleo")))
        if change == "hold":
            act(site, "quin", lift_hold, LiftHold(lot_number=number, reason="fine", credentials=credentials("quin")))
    assert current(site, lot)[:2] == [("Ann Makes", False), ("Rhea Reviews", False)]
    with pytest.raises(Refused) as refusal:
        build.released(site, lot)
    assert "signature-void" in codes(refusal)
    assert len([one for one in refusal.value.reasons if one.code == "signature-void"]) == 2


def bank_of(site: Site) -> str:
    return str(raw(site, "SELECT lot_number FROM lot WHERE kind = 'master_cell_bank'")[0][0])


@pytest.mark.requirement("URS-186")
def test_two_clicks_make_one_signature(site: Site, lot: str) -> None:
    build.confirmed(site, lot)
    build.resubmitted(site, lot)
    for again in (build.confirmed, build.resubmitted):
        with pytest.raises(Refused) as refusal:
            again(site, lot)
        assert codes(refusal) == {"signed-already"}
    assert raw(site, "SELECT count(*) FROM signature WHERE record = 'lot' AND meaning = 'approved'")[0][0] >= 2
    assert len(current(site, lot)) == 2


@pytest.mark.requirement("URS-186")
@pytest.mark.parametrize(
    ("first", "then"), [("confirm", "submit"), ("submit", "confirm"), ("confirm", "release"), ("submit", "release")]
)
def test_nobody_signs_twice_for_one_lot_whatever_permissions_they_hold(
    site: Site, lot: str, first: str, then: str
) -> None:
    signer = {"confirm": "ann", "submit": "rhea"}[first]
    (build.confirmed if first == "confirm" else build.resubmitted)(site, lot)
    mighty = replace(actor(site, signer), permissions=frozenset(Permission))
    with reading(site.engine) as session:
        row = session.exec(select(Lot).where(Lot.lot_number == lot)).one()
        told = blockers(Case(session, row, site.clock(), site.today()), then, mighty)
    assert "not-by-same-person" in {reason.code for reason in told}


def test_a_signature_without_content_cannot_be(site: Site, lot: str) -> None:
    """Every signature names the record and the digest of what was signed; the database takes none without."""
    import sqlalchemy as sa

    build.confirmed(site, lot)
    digests = [row[0] for row in raw(site, "SELECT record_sha256 FROM signature")]
    assert all(len(digest) == 64 for digest in digests)
    with pytest.raises(sa.exc.IntegrityError), site.engine.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO signature (version, user_id, name, function, meaning, signed_at, record, record_id)"
            " VALUES (1, 1, 'X', '', 'approved', '2026-03-02T08:00:00.000000Z', 'lot', 1)"
        )


def test_a_confirmation_leaves_the_lot_where_it_is(site: Site, lot: str) -> None:
    build.confirmed(site, lot)
    assert build.lot(site, lot).state is LotState.UNDER_TEST
    assert not RULES["confirm"].moves
