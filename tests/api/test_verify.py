"""A file that somebody was sent: what is said of it, in words and as JSON, whatever became of the lot or was done to the file."""

import hashlib
import random
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pikepdf
import pytest
from fastapi.testclient import TestClient
from pyhanko.pdf_utils.generic import StreamObject
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from api.checking import Checked, Outcome, check
from api.keys import log_keys_of, trusted_at
from api.limited import EXAMINER
from api.settings import settings
from domain.certificates import log
from domain.certificates.log_check import check_log
from domain.certificates.models import Certificate
from domain.certificates.reading import read_certificate
from domain.certificates.words import RevisionCause
from domain.disposition.certificates import (
    ReviseCertificate,
    WithdrawCertificate,
    revise_certificate,
    withdraw_certificate,
)
from domain.disposition.decisions import HoldLot, RecallLot, hold_lot, recall_lot
from domain.errors import Invalid
from domain.lots.models import RegulatoryStatus
from domain.store import reading
from domain.work import Site, perform
from reports.checking import Found
from reports.look import Look
from reports.press import Press
from reports.signing import DEMONSTRATION
from tests import build
from tests.behind import triggers_asleep
from tests.cast import Clock, act, actor, credentials, raw
from tests.signing.keys import certified, signer, signer_of
from tests.signing.papers import unsigned
from tests.stages import LOT

pytestmark = pytest.mark.stage("in_review")

#: What is found in the file alone is found with any database.
of_the_file = pytest.mark.parametrize("databases", ["sqlite"], indirect=True)


@pytest.fixture
def certificate(site: Site) -> Certificate:
    return build.released(site, LOT)


@pytest.fixture
def pdf(site: Site, certificate: Certificate) -> bytes:
    """The certificate as it was issued."""
    return site.documents.get(certificate.pdf_sha256)


def codes(checked: Checked, state: str = "failed") -> set[str]:
    return {one.code for one in checked.checks if one.state == state}


def unread(_data: bytes, _trusted: object) -> Found:
    """An examiner that has no time: what is said then rests on the bytes and the records alone."""
    return Found(problem="busy")


def patient(data: bytes, trusted: list[bytes]) -> Found:
    """The real one, also where the machine is busy."""
    return EXAMINER.examine(data, trusted, patience=30)


@pytest.mark.requirement("URS-093")
def test_a_certificate_as_it_was_issued_is_genuine_and_current(
    site: Site, certificate: Certificate, pdf: bytes
) -> None:
    checked = check(site, pdf, patient)
    assert (checked.outcome, checked.genuine, checked.current) == (Outcome.GENUINE_CURRENT, True, True)
    assert (checked.certificate_number, checked.revision, checked.newest_revision) == (certificate.number, 1, 1)
    assert (checked.document, checked.lot_number, checked.state) == ("analysis", LOT, "released")
    assert [(one.code, one.state) for one in checked.checks] == [
        ("digest", "ok"),
        ("record", "ok"),
        ("signature", "ok"),
        ("signer", "ok"),
        ("timestamp", "not_possible"),
        ("attachments", "ok"),
        ("log", "ok"),
        ("newest", "ok"),
        ("lot", "ok"),
    ]
    said = {one.code: one.en for one in checked.checks}
    assert said["signer"] == "It was signed by “Test Laboratory Quality”, with a key of this laboratory."
    assert certificate.content_sha256 in said["attachments"]
    assert all(one.en != one.de and "{" not in one.en + one.de for one in checked.checks)


def _recall(site: Site, _number: str, _clock: Clock) -> None:
    command = RecallLot(lot_number=LOT, recall_class="I", reason="contaminated", credentials=credentials("cleo"))
    act(site, "cleo", recall_lot, command)


def _hold(site: Site, _number: str, _clock: Clock) -> None:
    act(site, "cleo", hold_lot, HoldLot(lot_number=LOT, reason="a complaint", credentials=credentials("cleo")))


def _withdraw(site: Site, number: str, _clock: Clock) -> None:
    command = WithdrawCertificate(certificate_number=number, reason="a mix-up", credentials=credentials("cleo"))
    act(site, "cleo", withdraw_certificate, command)


def _revise(site: Site, number: str, _clock: Clock | None) -> None:
    command = ReviseCertificate(
        certificate_number=number,
        cause=RevisionCause.WORDING_CORRECTED,
        reason="a typing error",
        credentials=credentials("cleo"),
    )
    perform(site, actor(site, "cleo"), revise_certificate, command)


def _expire(_site: Site, _number: str, clock: Clock) -> None:
    clock.advance(days=1500)


def _all_of_it(site: Site, number: str, clock: Clock) -> None:
    for each in (_revise, _withdraw, _recall, _expire):
        each(site, number, clock)


@pytest.mark.requirement("URS-093")
@pytest.mark.parametrize(
    ("happened", "outcome", "failed"),
    [
        (_recall, Outcome.GENUINE_RECALLED, {"lot"}),
        (_hold, Outcome.GENUINE_ON_HOLD, {"lot"}),
        (_withdraw, Outcome.GENUINE_WITHDRAWN, {"newest"}),
        (_revise, Outcome.GENUINE_SUPERSEDED, {"newest"}),
        (_expire, Outcome.GENUINE_EXPIRED, {"lot"}),
        (_all_of_it, Outcome.GENUINE_RECALLED, {"newest", "lot"}),
    ],
)
def test_what_became_of_it_shows_in_the_very_next_check(
    site: Site,
    clock: Clock,
    certificate: Certificate,
    pdf: bytes,
    happened: Callable[[Site, str, Clock], None],
    outcome: Outcome,
    failed: set[str],
) -> None:
    assert check(site, pdf, unread).current
    clock.advance(minutes=5)
    happened(site, certificate.number, clock)
    checked = check(site, pdf, unread)
    assert (checked.outcome, checked.genuine, checked.current) == (outcome, True, False)
    assert codes(checked) == failed


@pytest.mark.requirement("URS-094")
def test_of_a_thousand_changes_of_one_byte_every_one_is_found(site: Site, pdf: bytes, certificate: Certificate) -> None:
    chosen = random.Random(9162)
    seen: set[Outcome] = set()
    many = 1000 if site.engine.dialect.name == "sqlite" else 50  # each engine finds what its records say
    for at in chosen.sample(range(len(pdf)), many):
        changed = bytearray(pdf)
        changed[at] ^= chosen.randrange(1, 256)
        seen.add(check(site, bytes(changed), unread).outcome)
    assert seen == {Outcome.ALTERED}, "each begins with bytes of ours, or carries the number"


@of_the_file
@pytest.mark.requirement("URS-093", "URS-094")
def test_what_was_done_to_a_file_is_told(site: Site, certificate: Certificate, pdf: bytes) -> None:
    size = certificate.unsigned_size or 0

    def told(data: bytes) -> tuple[Outcome, set[str], str]:
        checked = check(site, data, patient)
        assert not checked.genuine
        assert (checked.state, checked.lot_number) == (None, None)
        return checked.outcome, codes(checked), checked.checks[0].en

    for data, failed in (
        (pdf + b"\n", {"digest"}),
        (pdf[:size], {"digest", "signature"}),
        (pdf[: size + 100], {"digest"}),
        (_spoilt(pdf, pdf.rfind(b"/ByteRange") + 300), {"digest", "signature"}),
    ):
        outcome, codes_failed, words = told(data)
        assert outcome is Outcome.ALTERED
        assert failed <= codes_failed | {"digest"}
        assert f"begins as {certificate.number} revision 1" in words
    added = _added(pdf)
    assert told(added)[:2] == (Outcome.ALTERED, {"digest", "signature"})
    saved_again = _saved_again(pdf)
    outcome, failed, words = told(saved_again)
    assert (outcome, "signature" in failed) == (Outcome.ALTERED, True)
    assert f"says it is {certificate.number}" in words
    assert told(_with_other_data(pdf))[1] >= {"digest", "signature", "attachments"}
    assert "attachments" not in codes(check(site, saved_again, patient), "ok"), "right data vouch for no page"
    assert "signer" in codes(check(site, saved_again, patient), "not_possible"), "a broken signature names nobody"


@of_the_file
@pytest.mark.requirement("URS-223")
def test_of_an_altered_file_nothing_is_called_in_order_that_vouches_for_nothing(site: Site, pdf: bytes) -> None:
    stranger = Found(number="COA-2025-000001", revision=1, lot_number="X", content_sha256="1" * 64, agree=True)
    checked = check(site, b"%PDF-1.7 of somebody else", lambda *_: stranger)
    assert (checked.outcome, codes(checked, "ok")) == (Outcome.NOT_OURS, set())
    told = {one.code: one.en for one in checked.checks}
    assert "says nothing of whether anybody issued them" in told["attachments"]


@of_the_file
@pytest.mark.requirement("URS-223")
def test_a_demonstration_key_is_no_good_sign(site: Site, pdf: bytes) -> None:
    genuine = patient(pdf, [one.dump() for one in trusted_at(site)])
    assert genuine.signature is not None
    demo = genuine.model_copy(update={"signature": genuine.signature.model_copy(update={"signer": DEMONSTRATION})})
    checked = check(site, pdf, lambda *_: demo)
    assert (checked.outcome, "signer" in codes(checked, "not_possible")) == (Outcome.GENUINE_CURRENT, True)


@pytest.mark.requirement("URS-223")
def test_an_empty_file_has_one_answer_everywhere(client: TestClient, site: Site, tmp_path: Path) -> None:
    (tmp_path / "empty.pdf").write_bytes(b"")
    for address, name in (("verify", "file"),):
        refused = client.post(f"/api/v1/public/{address}", files={name: ("coa.pdf", b"", "application/pdf")})
        assert (refused.status_code, refused.json()["type"]) == (422, "/problems/file-empty")
    page = client.post("/verify", files={"file": ("coa.pdf", b"", "application/pdf")}, headers={"accept": "text/html"})
    assert (page.status_code, "No file was chosen" in page.text) == (422, True)
    with pytest.raises(Invalid) as refusal:
        check(site, b"", unread)
    with pytest.raises(Invalid) as as_json:
        read_certificate(b"")
    assert refusal.value.reasons == as_json.value.reasons


def _spoilt(pdf: bytes, at: int) -> bytes:
    return pdf[:at] + bytes([pdf[at] ^ 1]) + pdf[at + 1 :]


def _added(pdf: bytes) -> bytes:
    """A page scribbled on by an incremental update, as an editor does it."""
    writer = IncrementalPdfFileWriter(BytesIO(pdf))
    scribbled = writer.add_object(StreamObject(stream_data=b"0 0 m 100 100 l S"))
    writer.add_stream_to_page(0, scribbled)
    out = BytesIO()
    writer.write(out)
    return out.getvalue()


def _saved_again(pdf: bytes) -> bytes:
    out = BytesIO()
    with pikepdf.open(BytesIO(pdf)) as opened:
        opened.save(out)
    return out.getvalue()


def _with_other_data(pdf: bytes) -> bytes:
    """The same with another result in the data for machines."""
    out = BytesIO()
    with pikepdf.open(BytesIO(pdf)) as opened:
        file = opened.attachments["coa.json"]
        data = file.get_file().read_bytes().replace(b'"No growth"', b'"Some growth"')
        file.obj.EF.F.write(data)
        opened.save(out)
    return out.getvalue()


@of_the_file
@pytest.mark.requirement("URS-093")
def test_a_file_of_somebody_else_is_not_ours(site: Site, pdf: bytes) -> None:
    stranger = signer_of(certified("Another Laboratory"), above=False)
    for data, failed in (
        (b"a letter", {"digest"}),
        (unsigned(), {"digest", "signature"}),
        (stranger.sign(unsigned(), site.clock()), {"digest", "signer"}),
    ):
        checked = check(site, data, patient)
        assert (checked.outcome, codes(checked)) == (Outcome.NOT_OURS, failed)
        assert checked.sha256 == hashlib.sha256(data).hexdigest()


@of_the_file
@pytest.mark.requirement("URS-094")
def test_an_imitation_is_found_however_it_is_signed(site: Site, certificate: Certificate, pdf: bytes) -> None:
    forger = signer_of(certified("Test Laboratory Quality"), above=False)
    imitation = forger.sign(pdf[: certificate.unsigned_size], certificate.issued_at)
    checked = check(site, imitation, patient)
    assert (checked.outcome, codes(checked)) == (Outcome.ALTERED, {"digest", "signer"})
    again = signer().sign(pdf[: certificate.unsigned_size], certificate.issued_at)
    assert again != pdf
    assert check(site, again, patient).outcome is Outcome.ALTERED, "signed by us, but never issued"
    other = signer().sign(unsigned(), certificate.issued_at)
    assert (check(site, other, patient).outcome, len(other) > 0) == (Outcome.ALTERED, True), "ours, but no certificate"


@pytest.mark.requirement("URS-093")
def test_a_file_whose_record_was_tampered_with_is_not_called_genuine(
    site: Site, certificate: Certificate, pdf: bytes
) -> None:
    with triggers_asleep(site) as connection:
        connection.exec_driver_sql("UPDATE log_entry SET leaf = replace(leaf, '\"issue\"', '\"revise\"')")
    checked = check(site, pdf, unread)
    assert (checked.outcome, codes(checked)) == (Outcome.ALTERED, {"log"})
    with triggers_asleep(site) as connection:
        connection.exec_driver_sql("UPDATE certificate SET content = replace(content, 'No growth', 'Growth')")
    checked = check(site, pdf, unread)
    assert (checked.outcome, codes(checked)) == (Outcome.ALTERED, {"record", "log"})


@pytest.mark.requirement("URS-217")
def test_a_certificate_that_is_kept_for_another_lot_than_it_names_is_found(
    site: Site, certificate: Certificate, pdf: bytes
) -> None:
    """The log names no lot; the content that it commits to does."""
    with triggers_asleep(site) as connection:
        connection.exec_driver_sql(f"UPDATE lot SET lot_number = 'UEV99-00001' WHERE lot_number = '{LOT}'")
    checked = check(site, pdf, unread)
    assert (checked.outcome, codes(checked)) == (Outcome.ALTERED, {"record"})
    broken = check_log(site.engine, log_keys_of(settings(), site)).broken
    assert broken == f"{certificate.number} was issued for lot {LOT}, but is kept as that of lot UEV99-00001"


@pytest.mark.requirement("URS-217")
def test_a_made_up_file_tells_nobody_which_lot_a_hidden_certificate_belongs_to(
    site: Site, certificate: Certificate, pdf: bytes
) -> None:
    guess = b"%PDF-1.7 " + certificate.number.encode() + b" " + LOT.encode()
    assert check(site, guess, unread).outcome is Outcome.ALTERED
    with triggers_asleep(site) as connection:
        connection.exec_driver_sql("UPDATE product SET look_up_code = true")
    for made_up in (unread, lambda *_: Found(number=certificate.number, lot_number=LOT, content_sha256="0" * 64)):
        checked = check(site, guess, made_up)
        assert (checked.outcome, checked.certificate_number) == (Outcome.NOT_OURS, None)
    claimed = Found(number=certificate.number, lot_number=LOT, content_sha256=certificate.content_sha256)
    checked = check(site, guess, lambda *_: claimed)
    assert (checked.outcome, checked.certificate_number) == (Outcome.ALTERED, certificate.number)
    assert check(site, pdf, unread).outcome is Outcome.GENUINE_CURRENT, "who has the file, has it"


@of_the_file
@pytest.mark.requirement("URS-088")
def test_an_old_certificate_is_still_vouched_for_after_the_key_was_changed(site: Site, pdf: bytes) -> None:
    new = signer_of(certified("The New Key"), above=False)
    forgotten = replace(site, print_certificate=Press(new, Look()))
    checked = check(forgotten, pdf, patient)
    assert (checked.outcome, codes(checked)) == (Outcome.GENUINE_CURRENT, {"signer"})
    new = signer_of(certified("The New Key"), above=False, trusted=[signer().certificate])
    remembered = replace(site, print_certificate=Press(new, Look()))
    assert codes(check(remembered, pdf, patient)) == set()


@pytest.mark.requirement("URS-093")
def test_the_answer_as_json_says_everything_that_was_checked(
    client: TestClient, certificate: Certificate, pdf: bytes
) -> None:
    EXAMINER.examine(unsigned(), (), patience=30)
    answer = client.post("/api/v1/public/verify", files={"file": ("coa.pdf", pdf, "application/pdf")})
    told = answer.json()
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    assert (told["outcome"], told["genuine"], told["current"]) == ("genuine_current", True, True)
    assert (told["certificate_number"], told["lot_number"], told["state"]) == (certificate.number, LOT, "released")
    assert set(told["checks"][0]) == {"code", "state", "en", "de"}
    other = client.post("/api/v1/public/verify", files={"file": ("x", pdf + b" ", "application/pdf")}).json()
    assert (other["outcome"], other["genuine"], other["current"], other["state"]) == ("altered", False, False, None)
    assert (other["certificate_number"], other["revision"]) == (certificate.number, 1)


@pytest.mark.stage("cast")
@pytest.mark.requirement("URS-093")
def test_a_batch_certificate_is_checked_as_a_document_of_its_own(site: Site) -> None:
    site = replace(site, profile=replace(site.profile, licence="DE_BE_01_MIA_2026_0001"))
    code = build.new_product(
        site, regulatory_status=RegulatoryStatus.INVESTIGATIONAL, batch_certificate=True, authorisation="CT-1"
    )
    build.approved_specification(site, code)
    lot = build.drug_product(site, code)
    build.tested(site, lot)
    build.released(site, lot)
    (row,) = raw(site, "SELECT number, pdf_sha256 FROM batch_certificate")
    pdf = site.documents.get(row.pdf_sha256)
    checked = check(site, pdf, patient)
    assert (checked.outcome, checked.document) == (Outcome.GENUINE_CURRENT, "batch")
    assert (checked.certificate_number, checked.revision, checked.lot_number) == (row.number, 1, lot)
    assert codes(checked) == set()
    assert check(site, pdf + b" ", unread).outcome is Outcome.ALTERED
    (analysis,) = raw(site, "SELECT number FROM certificate")
    _revise(site, analysis.number, None)
    assert check(site, pdf, unread).outcome is Outcome.GENUINE_SUPERSEDED
    with reading(site.engine) as session:
        proof = log.proof_of(session, site.log_key, row.number, 1, site.clock())
    assert [one.leaf.kind for one in proof.later] == ["supersede"], "a check without the server knows it too"
    act(
        site,
        "cleo",
        recall_lot,
        RecallLot(lot_number=lot, recall_class="I", reason="x y z", credentials=credentials("cleo")),
    )
    assert check(site, pdf, unread).outcome is Outcome.GENUINE_RECALLED
    assert check_log(site.engine, log_keys_of(settings(), site)).broken is None
