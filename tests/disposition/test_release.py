"""What stands in the way of a release, and what happens when nothing does."""

from dataclasses import replace
from typing import Any

import pytest
from pydantic import SecretStr
from sqlmodel import select

from domain import audit
from domain.certificates.look_up import public_lot
from domain.certificates.models import Certificate
from domain.certificates.queries import anchors
from domain.disposition.decisions import (
    AcceptLot,
    HoldLot,
    LiftHold,
    RecallLot,
    RejectLot,
    SubmitLot,
    accept_lot,
    hold_lot,
    lift_hold,
    recall_lot,
    reject_lot,
    submit_lot,
)
from domain.disposition.queries import lot_file
from domain.errors import DomainError, NotFound, Refused, Unauthenticated
from domain.lots.models import Lot, LotMove, LotState
from domain.manufacturing.models import Eligibility, Marker, MarkerVerdict
from domain.signatures import Credentials, Meaning, Signature
from domain.store import reading
from domain.work import Site
from tests import build
from tests.cast import Clock, act, actor, credentials
from tests.stages import LOT


def codes(refusal: pytest.ExceptionInfo[Any]) -> set[str]:
    error = refusal.value
    assert isinstance(error, DomainError)
    return {reason.code for reason in error.reasons}


AT_QA = pytest.mark.stage("in_review")
MADE = pytest.mark.stage("drug_product")


@pytest.fixture
def ready(site: Site) -> str:
    """A drug product in QA review with nothing in its way."""
    return LOT


@AT_QA
@pytest.mark.requirement("URS-044", "URS-048")
def test_a_release_is_one_act_with_signature_state_and_certificate(site: Site, ready: str) -> None:
    certificate = build.released(site, ready)
    with reading(site.engine) as session:
        lot = session.exec(select(Lot).where(Lot.lot_number == ready)).one()
        move = session.exec(select(LotMove).where(LotMove.lot_id == lot.id, LotMove.action == "release")).one()
        signature = session.get_one(Signature, certificate.signature_id)
        sealed = audit.head(session)
    assert lot.state is LotState.RELEASED
    assert move.signature_id == signature.id
    assert signature.meaning is Meaning.CERTIFIED
    assert signature.name == "Cleo Releases"
    found = audit.verify(site.engine)
    assert found.broken is None
    assert found.head.sequence == sealed.sequence
    assert certificate.audit_sequence < sealed.sequence


@pytest.mark.requirement("URS-041")
@MADE
def test_every_reason_is_told_at_once(site: Site) -> None:
    number = LOT
    build.sampled(site, number)
    with pytest.raises(Refused) as refusal:
        build.released(site, number)
    assert {"wrong-state", "result-missing"} <= codes(refusal)
    assert len(refusal.value.reasons) > 5


@pytest.mark.requirement("URS-041")
@MADE
@pytest.mark.parametrize(
    ("test", "replicates"),
    [("PH", ("7.9", "7.9")), ("ENDO", ("0.6", "0.6")), ("STER", ("growth",)), ("APP-CAKE", ("collapsed",))],
)
def test_a_lot_that_fails_is_held_at_once_and_not_released(site: Site, test: str, replicates: tuple[str, ...]) -> None:
    build.tested(site, LOT, submit=False, **{test.replace("-", "_"): replicates})
    assert build.lot(site, LOT).state is LotState.ON_HOLD
    with pytest.raises(Refused) as refusal:
        build.released(site, LOT)
    assert codes(refusal) >= {"wrong-state", "result-fail", "oos-open"}
    with reading(site.engine) as session:
        assert session.exec(select(Certificate)).all() == []
        assert session.exec(select(Signature).where(Signature.meaning == Meaning.CERTIFIED)).all() == []


@MADE
def test_a_lot_that_cannot_be_judged_is_not_released(site: Site) -> None:
    build.tested(site, LOT, ENDO=("<1.0", "<1.0"))
    with pytest.raises(Refused) as refusal:
        build.released(site, LOT)
    assert codes(refusal) == {"result-indeterminate"}


@AT_QA
def test_the_page_and_the_act_tell_the_same_of_what_stands_in_the_way(site: Site, ready: str) -> None:
    act(
        site,
        "cleo",
        hold_lot,
        HoldLot(lot_number=bank_of(site), reason="contamination suspected", credentials=credentials("cleo")),
    )
    with reading(site.engine) as session:
        shown = lot_file(session, ready, site.clock(), site.today(), actor(site, "cleo")).actions
    release = next(one for one in shown if one.action == "release")
    with pytest.raises(Refused) as refusal:
        build.released(site, ready)
    assert {one.text for one in release.blockers} == {reason.text for reason in refusal.value.reasons}


def bank_of(site: Site) -> str:
    with reading(site.engine) as session:
        return session.exec(select(Lot.lot_number).where(Lot.kind == "master_cell_bank")).one()


@AT_QA
def test_a_wrong_password_releases_nothing(site: Site, ready: str) -> None:
    wrong = Credentials(username="cleo", password=SecretStr("not the password"))
    with pytest.raises(Unauthenticated):
        act(site, "cleo", build.release_lot, build.ReleaseLot(lot_number=ready, credentials=wrong))
    assert build.lot(site, ready).state is LotState.QA_REVIEW


@pytest.mark.requirement("URS-041")
@AT_QA
@pytest.mark.parametrize("ancestor", ["raw_material", "master_cell_bank", "donation"])
def test_a_lot_with_a_barred_ancestor_is_not_released(site: Site, ready: str, ancestor: str) -> None:
    with reading(site.engine) as session:
        number = session.exec(select(Lot.lot_number).where(Lot.kind == ancestor).order_by(Lot.lot_number)).first()
    hold = HoldLot(lot_number=number or "", reason="supplier recalled it", credentials=credentials("cleo"))
    act(site, "cleo", hold_lot, hold)
    with pytest.raises(Refused) as refusal:
        build.released(site, ready)
    assert codes(refusal) == {"ancestor-not-released", "signature-void"}


@MADE
def test_a_positive_marker_after_the_decision_asks_for_a_new_one(site: Site) -> None:
    code = "UC-EV-50"
    donor = build.eligible_donor(site)
    number = build.drug_product(site, code, from_bank=build.bank(site, donor))
    assert isinstance(site.clock, Clock)
    site.clock.advance(minutes=1)
    build.markers(site, donor, {Marker.HIV_AB: MarkerVerdict.POSITIVE})
    build.tested(site, number)
    with pytest.raises(Refused) as refusal:
        build.released(site, number)
    assert "donor-not-eligible" in codes(refusal)
    with pytest.raises(Refused):
        build.decided(site, donor, Eligibility.ELIGIBLE)


@MADE
def test_a_blood_sample_taken_too_late_stands_in_the_way(site: Site) -> None:
    code = "UC-EV-50"
    donor = build.eligible_donor(site)
    number = build.drug_product(site, code, from_bank=build.bank(site, donor))
    build.tested(site, number)
    build.markers(site, donor, sampled_on=site.today())
    build.decided(site, donor)
    with pytest.raises(Refused) as refusal:
        build.released(site, number)
    assert codes(refusal) == {"marker-untimely"}


@AT_QA
def test_an_expired_lot_is_not_released(site: Site, ready: str) -> None:
    assert isinstance(site.clock, Clock)
    site.clock.advance(days=800)
    with pytest.raises(Refused) as refusal:
        build.released(site, ready)
    assert {"lot-expired", "wrong-state"} <= codes(refusal)


@AT_QA
def test_a_lot_is_released_once(site: Site, ready: str) -> None:
    build.released(site, ready)
    with pytest.raises(Refused) as refusal:
        build.released(site, ready)
    assert codes(refusal) == {"wrong-state"}
    with reading(site.engine) as session:
        assert len(session.exec(select(Certificate)).all()) == 1


@pytest.mark.requirement("URS-043")
@MADE
def test_a_clock_set_back_does_not_make_sterility_early(site: Site) -> None:
    number = LOT
    build.tested(site, number)
    assert isinstance(site.clock, Clock)
    site.clock.advance(days=-10)
    with pytest.raises(Refused) as refusal:
        build.released(site, number)
    assert "too-early" in codes(refusal)


@AT_QA
def test_only_inputs_are_accepted_and_only_drug_products_released(site: Site, ready: str) -> None:
    command = AcceptLot(lot_number=ready, credentials=credentials("cleo"))
    with pytest.raises(Refused) as refusal:
        act(site, "cleo", accept_lot, command)
    assert "not-an-input" in codes(refusal)


@AT_QA
@pytest.mark.requirement("URS-053")
def test_a_recall_shows_in_the_very_next_look_up(site: Site, ready: str) -> None:
    build.released(site, ready)
    with reading(site.engine) as session:
        before = public_lot(session, ready, site.today())
    command = RecallLot(lot_number=ready, recall_class="II", reason="particles seen", credentials=credentials("cleo"))
    act(site, "cleo", recall_lot, command)
    with reading(site.engine) as session:
        after = public_lot(session, ready, site.today())
    assert (before.state, after.state) == (LotState.RELEASED, LotState.RECALLED)
    assert before.etag() != after.etag()


@AT_QA
def test_a_recall_is_for_good(site: Site, ready: str) -> None:
    build.released(site, ready)
    command = RecallLot(lot_number=ready, recall_class="I", reason="particles seen", credentials=credentials("cleo"))
    act(site, "cleo", recall_lot, command)
    for operation, back in (
        (lift_hold, LiftHold(lot_number=ready, reason="all is well", credentials=credentials("quin"))),
        (hold_lot, HoldLot(lot_number=ready, reason="all is well", credentials=credentials("quin"))),
        (reject_lot, RejectLot(lot_number=ready, reason="all is well", credentials=credentials("quin"))),
    ):
        with pytest.raises(Refused):
            act(site, "quin", operation, back)


@pytest.mark.requirement("URS-047")
@AT_QA
def test_what_was_never_released_is_rejected_not_recalled(site: Site, ready: str) -> None:
    recall = RecallLot(lot_number=ready, recall_class="I", reason="never out", credentials=credentials("cleo"))
    with pytest.raises(Refused):
        act(site, "cleo", recall_lot, recall)
    act(site, "cleo", reject_lot, RejectLot(lot_number=ready, reason="cake melted", credentials=credentials("cleo")))
    assert build.lot(site, ready).state is LotState.REJECTED


@pytest.mark.requirement("URS-046")
@AT_QA
def test_a_hold_is_lifted_by_another_person_and_goes_back(site: Site, ready: str) -> None:
    act(site, "cleo", hold_lot, HoldLot(lot_number=ready, reason="complaint", credentials=credentials("cleo")))
    with pytest.raises(Refused) as refusal:
        act(site, "cleo", lift_hold, LiftHold(lot_number=ready, reason="checked", credentials=credentials("cleo")))
    assert codes(refusal) == {"not-by-same-person"}
    act(site, "quin", lift_hold, LiftHold(lot_number=ready, reason="checked", credentials=credentials("quin")))
    assert build.lot(site, ready).state is LotState.QA_REVIEW


@AT_QA
@pytest.mark.requirement("URS-054")
def test_a_lot_without_a_certificate_is_unknown_in_public(site: Site, ready: str) -> None:
    told = []
    for number in (ready, "NEVER-WAS-0001"):
        with reading(site.engine) as session, pytest.raises(NotFound) as refusal:
            public_lot(session, number, site.today())
        told.append(refusal.value.reasons)
    assert told[0] == told[1]


@AT_QA
def test_a_cut_tail_shows_on_the_certificates(site: Site, ready: str) -> None:
    build.released(site, ready)
    with reading(site.engine) as session:
        printed = list(anchors(session))
    assert printed
    sequence, sha256, where = printed[0]
    assert audit.verify(site.engine, printed).broken is None
    cut = audit.verify(site.engine, [(sequence + 10_000, sha256, where)])
    assert cut.broken is not None
    assert where in cut.broken


@MADE
def test_the_head_of_qc_cannot_submit_before_everything_is_reviewed(site: Site) -> None:
    number = LOT
    sample = build.sampled(site, number)
    build.entered(site, sample, "PH", "7.2", "7.2")
    with pytest.raises(Refused) as refusal:
        act(site, "rhea", submit_lot, SubmitLot(lot_number=number, credentials=credentials("rhea")))
    assert {"result-missing", "result-not-reviewed"} <= codes(refusal)


@pytest.mark.stage("in_review")
def test_a_lot_that_took_no_number_is_rejected_without_the_key_of_the_public_log(site: Site) -> None:
    keyless = replace(site, log_key=None)
    act(keyless, "cleo", reject_lot, RejectLot(lot_number=LOT, reason="cracked vials", credentials=credentials("cleo")))
    assert build.lot(site, LOT).state is LotState.REJECTED
