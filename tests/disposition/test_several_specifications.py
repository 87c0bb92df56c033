"""A lot that is judged against several release specifications: a certificate for each, all of them or none."""

from dataclasses import replace
from typing import Any

import pytest
from sqlmodel import select

from domain.certificates.content import CertificateContent
from domain.certificates.history import register
from domain.certificates.look_up import public_lot
from domain.certificates.models import Certificate
from domain.certificates.words import RevisionCause
from domain.disposition.certificates import (
    ReviseCertificate,
    WithdrawCertificate,
    draft,
    revise_certificate,
    withdraw_certificate,
)
from domain.disposition.decisions import RecallLot, RejectLot, recall_lot, reject_lot
from domain.errors import DomainError, Reason, Refused, Unavailable
from domain.laboratory.verdict import CriterionKind
from domain.store import reading
from domain.work import Site
from tests import build
from tests.cast import act, credentials, raw

#: What the Swiss market asks for beside: a tighter pH.
SWISS = {
    "PH": {"kind": CriterionKind.BETWEEN, "lower": "7.0", "upper": "7.4"},
    "ENDO": {"kind": CriterionKind.AT_MOST, "upper": "0.25"},
}


@pytest.fixture
def lot(site: Site) -> str:
    """A drug product with QA, judged for two markets."""
    code = build.new_product(site)
    build.approved_specification(site, code)
    build.approved_specification(site, code, panel=SWISS, code="SPEC-UC-EV-50-CH", market="CH")
    number = build.drug_product(site, code)
    build.tested(site, number)
    return number


def certificates(site: Site) -> list[Certificate]:
    with reading(site.engine) as session:
        return list(session.exec(select(Certificate).order_by(Certificate.id)))  # type: ignore[arg-type]


def content(one: Certificate) -> CertificateContent:
    return CertificateContent.model_validate_json(one.content)


@pytest.mark.requirement("URS-201")
def test_a_release_issues_a_certificate_for_each_specification_with_a_number_of_its_own(site: Site, lot: str) -> None:
    first = build.released(site, lot)
    home, swiss = certificates(site)
    assert first.number == home.number == "COA-2026-000001"
    assert swiss.number == "COA-2026-000002"
    assert content(home).specification == "SPEC-UC-EV-50 v1"
    assert content(swiss).specification == "SPEC-UC-EV-50-CH v1 (CH)"
    assert {one.code for one in content(swiss).tests} == {"PH", "ENDO"}
    assert content(swiss).signatures[-1] == content(home).signatures[-1]
    with reading(site.engine) as session:
        assert [(one.number, one.standing) for one in register(session)] == [
            (swiss.number, "issued"),
            (home.number, "issued"),
        ]


@pytest.mark.requirement("URS-201")
def test_a_lot_that_fails_one_market_is_released_for_none(site: Site) -> None:
    code = build.new_product(site)
    build.approved_specification(site, code)
    build.approved_specification(site, code, panel=SWISS, code="SPEC-UC-EV-50-CH", market="CH")
    number = build.drug_product(site, code)
    build.tested(site, number, PH=("7.5", "7.5"), submit=False)
    with pytest.raises(Refused) as refused:
        build.released(site, number)
    told = [one.text for one in refused.value.reasons if one.code == "result-fail"]
    assert len(told) == 1
    assert told[0].startswith("SPEC-UC-EV-50-CH v1 (CH): pH")
    assert certificates(site) == []


@pytest.mark.requirement("URS-202")
def test_the_look_up_names_both_and_shows_the_one_asked_for(site: Site, lot: str) -> None:
    build.released(site, lot)
    home, swiss = certificates(site)
    with reading(site.engine) as session:
        first = public_lot(session, lot, site.today())
        other = public_lot(session, lot, site.today(), certificate=swiss.number)
        odd = public_lot(session, lot, site.today(), certificate="COA-2026-999999")
    assert (first.certificate_number, other.certificate_number, odd.certificate_number) == (
        home.number,
        swiss.number,
        home.number,
    )
    assert [(one.number, one.market) for one in first.others] == [(home.number, None), (swiss.number, "CH")]
    assert len(first.revisions) == len(other.revisions) == 1
    assert other.certificate["specification"] == "SPEC-UC-EV-50-CH v1 (CH)"


def test_each_is_revised_and_withdrawn_by_itself_and_a_recall_takes_all(site: Site, lot: str) -> None:
    build.released(site, lot)
    _, swiss = certificates(site)
    said: dict[str, Any] = {
        "certificate_number": swiss.number,
        "reason": "a letter was wrong",
        "credentials": credentials("cleo"),
    }
    again = act(site, "cleo", revise_certificate, ReviseCertificate(cause=RevisionCause.WORDING_CORRECTED, **said))
    assert (again.number, again.revision) == (swiss.number, 2)
    assert [(one.number, one.revision) for one in certificates(site)] == [
        ("COA-2026-000001", 1),
        ("COA-2026-000002", 1),
        ("COA-2026-000002", 2),
    ]
    act(site, "cleo", withdraw_certificate, WithdrawCertificate(**said))
    with reading(site.engine) as session:
        home, other = (
            public_lot(session, lot, site.today(), certificate=one) for one in ("COA-2026-000001", swiss.number)
        )
    assert (home.usable, other.usable) == (True, False)
    recall = RecallLot(lot_number=lot, recall_class="II", reason="particles seen", credentials=credentials("cleo"))
    act(site, "cleo", recall_lot, recall)
    told = raw(site, "SELECT number, revision FROM log_entry WHERE leaf LIKE '%recall%' ORDER BY id")
    assert [tuple(one) for one in told] == [("COA-2026-000001", 1), ("COA-2026-000002", 2)]


def test_an_answer_that_was_kept_is_asked_for_anew_when_another_certificate_of_the_lot_was_revised(
    site: Site, lot: str
) -> None:
    build.released(site, lot)
    _, swiss = certificates(site)
    with reading(site.engine) as session:
        before = public_lot(session, lot, site.today())
    said = ReviseCertificate(
        certificate_number=swiss.number,
        cause=RevisionCause.WORDING_CORRECTED,
        reason="a letter was wrong",
        credentials=credentials("cleo"),
    )
    act(site, "cleo", revise_certificate, said)
    with reading(site.engine) as session:
        after = public_lot(session, lot, site.today())
    assert [one.newest.revision for one in after.others] == [1, 2]
    assert after.etag() != before.etag()


def test_a_preview_is_drawn_for_each(site: Site, lot: str) -> None:
    with reading(site.engine) as session:
        assert draft(session, site, lot).specification == "SPEC-UC-EV-50 v1"
        assert draft(session, site, lot, "SPEC-UC-EV-50-CH").specification == "SPEC-UC-EV-50-CH v1 (CH)"
        with pytest.raises(DomainError, match="not judged against"):
            draft(session, site, lot, "SPEC-OTHER")


@pytest.mark.requirement("URS-201")
def test_a_signer_that_fails_at_the_second_leaves_no_certificate_and_the_numbers_for_the_next_try(
    site: Site, lot: str
) -> None:
    class Failing:
        """Draws the first and then loses its key."""

        def __init__(self) -> None:
            self.drawn = 0

        def __call__(self, content: Any) -> Any:
            self.drawn += 1
            if self.drawn == 2:
                raise Unavailable(Reason("signing-key-not-usable", "the token is gone"))
            return site.print_certificate(content)

        def draw(self, *given: Any, **more: Any) -> bytes:
            return site.print_certificate.draw(*given, **more)

    broken = replace(site, print_certificate=Failing())
    with pytest.raises(Unavailable):
        build.released(broken, lot)
    assert certificates(site) == []
    build.released(site, lot)
    assert [one.number for one in certificates(site)] == ["COA-2026-000001", "COA-2026-000002"]


def test_the_numbers_of_a_rejected_lot_are_voided_all_of_them_also_that_of_the_batch_certificate(
    site: Site, lot: str
) -> None:
    def unable(_content: Any) -> Any:
        raise Unavailable(Reason("signing-key-not-usable", "the token is gone"))

    with pytest.raises(Unavailable):
        build.released(replace(site, print_certificate=unable), lot)
    act(site, "cleo", reject_lot, RejectLot(lot_number=lot, reason="cracked vials", credentials=credentials("cleo")))
    with reading(site.engine) as session:
        assert {one.standing for one in register(session)} == {"voided"}
