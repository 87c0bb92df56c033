"""A certificate is revised, withdrawn, recalled; its number is minted once, and every gap is explained."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from sqlmodel import select

from domain.certificates.content import BatchCertificateContent, CertificateContent
from domain.certificates.history import history_of, register
from domain.certificates.models import BatchCertificate, Certificate, LogEntry, Withdrawal
from domain.certificates.words import REVISION_CAUSES, RevisionCause
from domain.disposition.certificates import (
    ReviseCertificate,
    WithdrawCertificate,
    draft,
    revise_certificate,
    withdraw_certificate,
)
from domain.disposition.decisions import (
    HoldLot,
    LiftHold,
    RecallLot,
    RejectLot,
    hold_lot,
    lift_hold,
    recall_lot,
    reject_lot,
)
from domain.errors import Forbidden, NotFound, Reason, Refused, Unauthenticated, Unavailable
from domain.lots.models import LotState, RegulatoryStatus
from domain.signatures import Credentials, Meaning, Signature
from domain.store import reading, writing
from domain.work import Place, Site
from tests import build
from tests.cast import Clock, act, actor, credentials, raw
from tests.stages import LOT

pytestmark = pytest.mark.stage("in_review")


def revised(site: Site, number: str, who: str = "quin", **differing: Any) -> Certificate:
    said = {"cause": RevisionCause.WORDING_CORRECTED, "reason": "a letter was wrong", "credentials": credentials(who)}
    return act(site, who, revise_certificate, ReviseCertificate(certificate_number=number, **said | differing))


def withdrawn(site: Site, number: str, who: str = "cleo") -> Withdrawal:
    command = WithdrawCertificate(certificate_number=number, reason="made of a mix-up", credentials=credentials(who))
    return act(site, who, withdraw_certificate, command)


def logged(site: Site) -> list[tuple[str, str, int | None]]:
    """What the public log says: kind, number, revision."""
    with reading(site.engine) as session:
        leaves = [json.loads(entry.leaf) for entry in session.exec(select(LogEntry).order_by(LogEntry.position))]
    return [(leaf["kind"], leaf["number"], leaf["revision"]) for leaf in leaves]


def codes(refusal: Any) -> set[str]:
    return {reason.code for reason in refusal.value.reasons}


@pytest.mark.requirement("URS-061")
def test_a_revision_keeps_the_number_and_the_one_before_stays_where_it_is(site: Site) -> None:
    first = build.released(site, LOT)
    second = revised(site, first.number)
    assert (second.number, second.revision, second.supersedes_id) == (first.number, 2, first.id)
    content = CertificateContent.model_validate_json(second.content)
    assert content.supersedes == f"{first.number} rev. 1"
    assert content.revision_reason == REVISION_CAUSES[RevisionCause.WORDING_CORRECTED]
    assert "a letter was wrong" not in second.content
    assert [one.meaning.en for one in content.signatures][-2:] == ["certified for release", "issued"]
    with reading(site.engine) as session:
        found = history_of(session, first.number)
    assert [(one.revision, one.standing) for one in found.revisions] == [(2, "current"), (1, "superseded")]
    assert site.documents.get(first.pdf_sha256) != site.documents.get(second.pdf_sha256)
    assert logged(site) == [("issue", first.number, 1), ("revise", first.number, 2)]


@pytest.mark.requirement("URS-061")
@pytest.mark.parametrize(
    "gap", [{"cause": None}, {"cause": "FDA approved"}, {"reason": ""}, {"reason": "  "}, {"credentials": None}]
)
def test_a_revision_without_cause_reason_or_signature_cannot_be_asked_for(gap: dict[str, Any]) -> None:
    said = {"cause": "wording_corrected", "reason": "a letter was wrong", "credentials": {"password": "x"}}
    with pytest.raises(ValueError, match=next(iter(gap))):
        ReviseCertificate.model_validate({"certificate_number": "COA-2026-000001", **said, **gap})


@pytest.mark.requirement("URS-061")
def test_a_recalled_lot_gets_no_new_certificate_and_nobody_who_made_or_tested_it_issues_one(site: Site) -> None:
    certificate = build.released(site, LOT)
    for who in ("ben", "rhea", "tom", "dov", "ada"):
        with pytest.raises(Forbidden):
            revised(site, certificate.number, who)
    command = RecallLot(lot_number=LOT, recall_class="II", reason="cracked vials", credentials=credentials("cleo"))
    act(site, "cleo", recall_lot, command)
    with pytest.raises(Refused) as refusal:
        revised(site, certificate.number)
    assert codes(refusal) == {"wrong-state"}
    with pytest.raises(NotFound):
        revised(site, "COA-2026-999999")


@pytest.mark.requirement("URS-061")
def test_a_revision_with_a_wrong_password_leaves_nothing(site: Site) -> None:
    certificate = build.released(site, LOT)
    wrong = Credentials(username="quin", password=credentials("cleo").password)
    with pytest.raises(Unauthenticated):
        revised(site, certificate.number, credentials=wrong)
    assert logged(site) == [("issue", certificate.number, 1)]


@pytest.mark.requirement("URS-062")
def test_a_withdrawn_certificate_counts_no_longer_until_it_is_issued_anew(site: Site) -> None:
    certificate = build.released(site, LOT)
    withdrawal = withdrawn(site, certificate.number)
    with reading(site.engine) as session:
        signature = session.get_one(Signature, withdrawal.signature_id)
        assert (signature.meaning, signature.record, signature.name) == (
            Meaning.RECALLED,
            "certificate",
            "Cleo Releases",
        )
        assert history_of(session, certificate.number).revisions[0].standing == "withdrawn"
    with pytest.raises(Refused) as refusal:
        withdrawn(site, certificate.number, "quin")
    assert codes(refusal) == {"withdrawn-already"}
    revised(site, certificate.number, cause=RevisionCause.AFTER_WITHDRAWAL)
    with reading(site.engine) as session:
        assert [one.standing for one in history_of(session, certificate.number).revisions] == ["current", "withdrawn"]
    assert [kind for kind, _, _ in logged(site)] == ["issue", "withdraw", "revise"]
    assert build.lot(site, LOT).state is LotState.RELEASED


@pytest.mark.requirement("URS-063")
def test_a_recall_marks_the_newest_revision_in_the_public_log_in_the_same_act(site: Site) -> None:
    certificate = build.released(site, LOT)
    revised(site, certificate.number)
    command = RecallLot(lot_number=LOT, recall_class="I", reason="contamination", credentials=credentials("cleo"))
    act(site, "cleo", recall_lot, command)
    assert logged(site)[-1] == ("recall", certificate.number, 2)
    rows = raw(site, "SELECT count(*) FROM audit_entry WHERE act = 'recall_lot' AND outcome = 'done'")
    assert rows == [(1,)]


@pytest.mark.requirement("URS-064")
def test_a_number_is_taken_before_signing_and_serves_the_next_try(site: Site) -> None:
    def silent(_content: object) -> None:
        raise Unavailable(Reason("time-stamp-unavailable", "the time-stamp authority does not answer"))

    with pytest.raises(Unavailable):
        build.released(replace(site, print_certificate=silent), LOT)  # type: ignore[arg-type]
    assert build.lot(site, LOT).state is LotState.QA_REVIEW
    with reading(site.engine) as session:
        (taken,) = register(session)
        assert (taken.standing, taken.lot_number) == ("open", LOT)
        assert session.exec(select(Signature).where(Signature.meaning == Meaning.CERTIFIED)).all() == []
    assert build.released(site, LOT).number == taken.number
    with reading(site.engine) as session:
        assert [(one.standing, one.certified_by) for one in register(session)] == [("issued", "Cleo Releases")]


@pytest.mark.requirement("URS-064")
def test_the_number_of_a_lot_that_is_rejected_after_all_is_voided_on_record(site: Site) -> None:
    def broken(_content: object) -> None:
        raise Unavailable(Reason("signing-failed", "the key does not answer"))

    with pytest.raises(Unavailable):
        build.released(replace(site, print_certificate=broken), LOT)  # type: ignore[arg-type]
    command = RejectLot(lot_number=LOT, reason="given up", credentials=credentials("cleo"))
    act(site, "cleo", reject_lot, command)
    with reading(site.engine) as session:
        (entry,) = register(session)
    assert entry.standing == "voided"
    assert LOT in (entry.void_reason or "")
    assert logged(site) == [("void", entry.number, None)]


@pytest.mark.requirement("URS-064")
def test_while_a_certificate_is_signed_others_can_write(site: Site) -> None:
    """The time-stamp authority may be slow: no lock is held meanwhile."""
    signing, written = threading.Event(), threading.Event()

    def slow(content: Any) -> Any:
        signing.set()
        assert written.wait(timeout=20), "nobody could write while the certificate was signed"
        return site.print_certificate(content)

    with ThreadPoolExecutor(1) as pool:
        release = pool.submit(build.released, replace(site, print_certificate=slow), LOT)  # type: ignore[arg-type]
        assert signing.wait(timeout=20)
        build.material(site)
        written.set()
        certificate = release.result(timeout=30)
    assert certificate.revision == 1
    with writing(site.engine):
        assert build.lot(site, LOT).state is LotState.RELEASED


@pytest.mark.requirement("URS-064")
def test_what_changes_while_a_certificate_is_signed_undoes_the_release(site: Site) -> None:
    """QA signs for what it saw: a donor's lot that is held meanwhile is no longer that."""

    def meanwhile(content: Any) -> Any:
        printed = site.print_certificate(content)
        act(site, "quin", hold_lot, HoldLot(lot_number=LOT, reason="a complaint", credentials=credentials("quin")))
        act(site, "cleo", lift_hold, LiftHold(lot_number=LOT, reason="unfounded", credentials=credentials("cleo")))
        return printed

    with pytest.raises(Refused) as refusal:
        build.released(replace(site, print_certificate=meanwhile), LOT)  # type: ignore[arg-type]
    assert codes(refusal) == {"signature-void"}
    assert build.lot(site, LOT).state is LotState.QA_REVIEW
    with reading(site.engine) as session:
        assert session.exec(select(Certificate)).all() == []
    build.resubmitted(site, LOT)
    content = CertificateContent.model_validate_json(build.released(site, LOT).content)
    assert [one.words.en for one in content.investigations] == ["Put on hold", "Hold lifted by quality assurance"]


@pytest.mark.requirement("URS-064")
def test_without_a_key_nothing_is_issued(site: Site) -> None:
    lacking = replace(site, profile=replace(site.profile, signs=False))
    with pytest.raises(Refused) as refusal:
        build.released(lacking, LOT)
    assert any("key to sign it with" in reason.text for reason in refusal.value.reasons)
    with pytest.raises(Refused) as refusal:
        build.released(replace(site, log_key=None), LOT)
    assert codes(refusal) == {"log-key-missing"}
    assert build.lot(site, LOT).state is LotState.QA_REVIEW


@pytest.mark.requirement("URS-065")
def test_a_preview_shows_what_stands_in_the_way_and_takes_no_number(site: Site) -> None:
    before = raw(site, "SELECT count(*) FROM audit_entry")
    with reading(site.engine) as session:
        ready = draft(session, site, LOT)
    assert (ready.draft, ready.number, ready.conclusion, ready.missing) == (True, "DRAFT", "complies", ())
    assert ready.lot.released_at is None
    assert raw(site, "SELECT count(*) FROM audit_entry") == before
    assert raw(site, "SELECT count(*) FROM certificate_number") == [(0,)]
    with reading(site.engine) as session:
        lacking = draft(session, replace(site, profile=replace(site.profile, phone="")), LOT)
    assert lacking.conclusion == "incomplete"
    assert any("telephone" in text for text in lacking.missing)


@pytest.mark.stage("drug_product")
@pytest.mark.requirement("URS-065")
def test_a_preview_of_a_failing_lot_says_that_it_does_not_comply(site: Site) -> None:
    build.tested(site, LOT, submit=False, PH=("7.9", "7.9"), MYCO=None)
    with reading(site.engine) as session:
        shown = draft(session, site, LOT)
    verdicts = {line.code: line.verdict for line in shown.tests}
    assert shown.conclusion == "does_not_comply"
    assert (verdicts["PH"], verdicts["STER"]) == ("fail", "pass")


@pytest.mark.stage("drug_product")
@pytest.mark.requirement("URS-065")
def test_what_no_second_person_has_accepted_is_pending_in_a_preview(site: Site) -> None:
    sample = build.sampled(site, LOT)
    build.entered(site, sample, "PH", "7.2", "7.2")
    with reading(site.engine) as session:
        shown = draft(session, site, LOT)
    verdicts = {line.code: line.verdict for line in shown.tests}
    assert (verdicts["PH"], verdicts["STER"], shown.conclusion) == ("pending", "not_tested", "incomplete")


def in_the_clinic(site: Site) -> Site:
    """The laboratory with a licence, and a contract laboratory."""
    places = (
        Place(site.profile.name, site.profile.address, "Manufacture", "Herstellung", "DE_BE_01_MIA_2026_0001"),
        Place("Sterilab", "Teststraße 2, 10115 Berlin", "Test of sterility", "Prüfung auf Sterilität"),
    )
    return replace(site, profile=replace(site.profile, licence="DE_BE_01_MIA_2026_0001", places=places))


@pytest.mark.stage("cast")
@pytest.mark.requirement("URS-066")
def test_a_batch_certificate_is_a_document_of_its_own_and_a_line_of_the_register(site: Site) -> None:
    licensed = in_the_clinic(site)
    status = {"regulatory_status": RegulatoryStatus.INVESTIGATIONAL, "batch_certificate": True, "authorisation": "CT-1"}
    code = build.new_product(licensed, **status)
    build.approved_specification(licensed, code)
    lot = build.drug_product(licensed, code)
    build.tested(licensed, lot)
    analysis = build.released(licensed, lot)
    with reading(site.engine) as session:
        batch = session.exec(select(BatchCertificate)).one()
        kinds = {(one.number, one.standing) for one in register(session)}
    content = BatchCertificateContent.model_validate_json(batch.content)
    assert (batch.number, batch.register_entry) == ("QPC-000001", 1)
    assert content.analysis_sha256 == analysis.content_sha256
    assert content.analysis_certificate == f"{analysis.number} rev. 1"
    assert content.certifier.name == "Cleo Releases"
    assert content.certifier.meaning.en == "certified for release"
    assert [place.name for place in content.sites] == [site.profile.name, "Sterilab"]
    assert kinds == {(analysis.number, "issued"), (batch.number, "issued")}
    assert "GMP" not in analysis.content
    assert [kind for kind, _, _ in logged(site)] == ["issue", "issue"]
    revised(licensed, analysis.number)
    assert _standings(site) == {analysis.number: ("issued", 2), batch.number: ("superseded", 2)}
    withdrawn(licensed, analysis.number)
    assert _standings(site) == {analysis.number: ("withdrawn", 2), batch.number: ("superseded", 2)}
    act(
        licensed,
        "cleo",
        recall_lot,
        RecallLot(lot_number=lot, recall_class="I", reason="contamination", credentials=credentials("cleo")),
    )
    assert {standing for standing, _ in _standings(site).values()} == {"recalled"}


def _standings(site: Site) -> dict[str, tuple[str, int]]:
    with reading(site.engine) as session:
        return {one.number: (one.standing, one.revisions) for one in register(session)}


@pytest.mark.stage("cast")
@pytest.mark.requirement("URS-066")
def test_a_product_for_research_gets_no_certificate_that_speaks_of_gmp(site: Site) -> None:
    code = build.new_product(site, batch_certificate=True)
    build.approved_specification(site, code)
    lot = build.drug_product(site, code)
    build.tested(site, lot)
    with pytest.raises(Refused) as refusal:
        build.released(site, lot)
    assert "research use" in str(refusal.value)


def test_credentials_given_by_one_person_sign_for_nobody_else(site: Site) -> None:
    """What was made ready by one person cannot be written by another."""
    from domain.disposition.decisions import ReleaseLot, release_lot
    from domain.disposition.readying import ready_to_release
    from domain.work import transaction

    ready = ready_to_release(site, actor(site, "cleo"), LOT, "complies", credentials("cleo"))
    with transaction(site, actor(site, "quin")) as work:
        work.prepared = ready
        command = ReleaseLot(lot_number=LOT, reason="complies", credentials=credentials("quin"))
        with pytest.raises(Forbidden):
            release_lot(work, command)
    assert build.lot(site, LOT).state is LotState.QA_REVIEW


def test_two_lots_released_at_once_have_two_numbers(site: Site) -> None:
    code = "UC-EV-50"
    other = build.drug_product(site, code)
    build.tested(site, other)
    assert isinstance(site.clock, Clock)
    with ThreadPoolExecutor(2) as pool:
        made = list(pool.map(lambda lot: build.released(site, lot).number, (LOT, other)))
    assert sorted(made) == ["COA-2026-000001", "COA-2026-000002"]


@pytest.mark.requirement("URS-049")
def test_a_certificate_can_be_drawn_again_in_the_look_it_was_issued_in(site: Site) -> None:
    """The maker's look changes; what was issued is compared with its own."""
    from reports.look import Look

    logo = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10"><path d="M0 0H10V10Z" fill="#0e4f5a"/></svg>'
    plain = replace(site, print_certificate=replace(site.print_certificate, look=Look("plain", "letter", logo=logo)))  # type: ignore[type-var]
    certificate = build.released(plain, LOT)
    content = CertificateContent.model_validate_json(certificate.content)
    issued = site.documents.get(certificate.pdf_sha256)[: certificate.unsigned_size]
    assert site.print_certificate.draw(content, certificate.look, site.documents.get) == issued
    assert site.print_certificate.draw(content) != issued


@pytest.mark.requirement("URS-079")
@pytest.mark.stage("in_review")
def test_a_deviation_of_the_lot_or_of_its_bank_is_named_on_the_certificate_by_its_number(site: Site) -> None:
    from domain.deviations.models import DeviationOrigin
    from domain.deviations.opening import open_deviation
    from domain.lots.models import Lot, LotKind
    from domain.work import transaction

    with transaction(site, actor(site, "tom")) as work:
        work.act = "test"
        bank = work.session.exec(select(Lot).where(Lot.kind == LotKind.MASTER_CELL_BANK)).one()
        number = open_deviation(work, DeviationOrigin.PERSON, "storage", "the freezer was open", [bank]).number
    with reading(site.engine) as session:
        content = draft(session, site, LOT)
    assert [(one.kind, one.reference) for one in content.investigations] == [("deviation", number)]
    assert "freezer" not in content.model_dump_json()


@pytest.mark.requirement("URS-061")
def test_after_a_withdrawal_only_the_cause_that_says_so_brings_a_certificate_back(site: Site) -> None:
    certificate = build.released(site, LOT)
    with pytest.raises(Refused) as refusal:
        revised(site, certificate.number, cause=RevisionCause.AFTER_WITHDRAWAL)
    assert codes(refusal) == {"cause-does-not-fit"}
    withdrawn(site, certificate.number)
    with pytest.raises(Refused) as refusal:
        revised(site, certificate.number)
    assert codes(refusal) == {"cause-does-not-fit"}


@pytest.mark.requirement("URS-064")
@pytest.mark.parametrize("ending", ["role", "account"])
def test_who_loses_the_role_while_a_certificate_is_signed_does_not_release(site: Site, ending: str) -> None:
    from domain.people.operations import DeactivateUser, RevokeRole, deactivate_user, revoke_role
    from domain.permissions import Role

    def meanwhile(content: Any, /) -> Any:
        if ending == "role":
            act(site, "ada", revoke_role, RevokeRole(username="cleo", role=Role.QA))
        else:
            act(site, "ada", deactivate_user, DeactivateUser(username="cleo"))
        return site.print_certificate(content)

    with pytest.raises(Forbidden):
        build.released(replace(site, print_certificate=meanwhile), LOT)  # type: ignore[arg-type]
    assert build.lot(site, LOT).state is LotState.QA_REVIEW
