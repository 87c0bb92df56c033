"""Statements on certificates come from a list that QA approved; nothing is typed there."""

from typing import Any

import pytest
from pydantic import ValidationError

from domain.certificates import words
from domain.certificates.content import CertificateContent
from domain.certificates.statements import (
    DecideStatement,
    DraftStatement,
    RejectStatement,
    approve_statement,
    draft_statement,
    reject_statement,
    retire_statement,
    statements,
)
from domain.errors import Conflict, Forbidden, Invalid, NotFound, Refused
from domain.store import reading
from domain.work import Site
from tests import build
from tests.cast import act, credentials
from tests.stages import LOT

COLD = "Shipped at 2 to 8 °C; the record of the logger is enclosed."
KALT = "Versand bei 2 bis 8 °C; die Aufzeichnung des Loggers liegt bei."


def drafted(site: Site, code: str = "ST-COLD", text: str = COLD, product: str | None = None) -> int:
    command = DraftStatement(code=code, text_en=text, text_de=KALT, product_code=product)
    return act(site, "rhea", draft_statement, command).revision


def approved(site: Site, code: str = "ST-COLD", revision: int = 1, who: str = "cleo") -> None:
    act(site, who, approve_statement, DecideStatement(code=code, revision=revision, credentials=credentials(who)))


def retired(site: Site, code: str = "ST-COLD", revision: int = 1) -> None:
    act(site, "cleo", retire_statement, DecideStatement(code=code, revision=revision, credentials=credentials("cleo")))


def printed(site: Site) -> list[str]:
    """What the certificate of the stage's lot prints beside what all print."""
    content = CertificateContent.model_validate_json(build.released(site, LOT).content)
    assert content.statements[: len(words.STATEMENTS)] == words.STATEMENTS
    return [one.en for one in content.statements[len(words.STATEMENTS) :]]


@pytest.mark.requirement("URS-068")
@pytest.mark.stage("in_review")
def test_a_certificate_prints_what_qa_approved_and_nothing_that_is_only_drafted(site: Site) -> None:
    drafted(site)
    approved(site)
    drafted(site, text="A later wording that still waits for QA.")
    drafted(site, code="ST-DRAFT")
    drafted(site, code="ST-RETIRED")
    approved(site, "ST-RETIRED")
    retired(site, "ST-RETIRED")
    assert printed(site) == [COLD]


@pytest.mark.requirement("URS-068")
@pytest.mark.stage("in_review")
def test_a_statement_for_another_product_is_not_printed(site: Site) -> None:
    other = build.new_product(site, "AD-EV-10", "AEV")
    drafted(site, product=other)
    approved(site)
    drafted(site, code="ST-OWN", product="UC-EV-50")
    approved(site, "ST-OWN")
    assert printed(site) == [COLD]


@pytest.mark.requirement("URS-225")
def test_a_draft_is_rejected_with_a_reason_and_never_printed(site: Site) -> None:
    def rejected(revision: int = 1, reason: str = "the logger is not enclosed") -> None:
        signed = credentials("cleo")
        command = RejectStatement(code="ST-COLD", revision=revision, reason=reason, credentials=signed)
        act(site, "cleo", reject_statement, command)

    drafted(site)
    with pytest.raises(ValidationError):
        rejected(reason=" ")
    rejected()
    with pytest.raises(Conflict):
        approved(site)
    drafted(site)
    approved(site, revision=2)
    with pytest.raises(Conflict):
        rejected(2)
    with reading(site.engine) as session:
        told = [(one.revision, one.standing, one.reason) for one in statements(session)]
    assert told == [(2, "approved", None), (1, "rejected", "the logger is not enclosed")]


@pytest.mark.requirement("URS-068")
def test_nobody_approves_their_own_statement_and_only_qa_approves(site: Site) -> None:
    drafted(site)
    with pytest.raises(Forbidden):
        approved(site, who="rhea")
    with pytest.raises(NotFound):
        approved(site, revision=2)
    approved(site)
    with pytest.raises(Conflict):
        approved(site, who="quin")
    retired(site)
    with pytest.raises(Conflict):
        retired(site)
    with reading(site.engine) as session:
        (one,) = statements(session)
    assert (one.standing, one.decided_by) == ("retired", "Cleo Releases")


@pytest.mark.requirement("URS-067", "URS-068")
@pytest.mark.parametrize(
    "texts",
    [
        {"text_en": "This product is FDA approved and clinically proven."},
        {"text_de": "Dieses Präparat ist zugelassen und wirksam."},
    ],
)
def test_a_statement_that_claims_something_is_refused_as_it_is_typed(site: Site, texts: dict[str, Any]) -> None:
    command = DraftStatement(**{"code": "ST-CLAIM", "text_en": COLD, "text_de": KALT} | texts)
    with pytest.raises(Invalid) as refusal:
        act(site, "rhea", draft_statement, command)
    (reason,) = refusal.value.reasons
    assert (reason.code, reason.field) == ("claim-not-allowed", next(iter(texts)))


@pytest.mark.requirement("URS-067")
def test_a_product_whose_name_claims_something_is_refused(site: Site) -> None:
    with pytest.raises(Invalid, match="claims approval"):
        build.new_product(site, name_en="FDA-approved exosomes that heal")


@pytest.mark.requirement("URS-068")
def test_a_code_stays_with_its_products(site: Site) -> None:
    build.new_product(site)
    drafted(site, product="UC-EV-50")
    with pytest.raises(Refused, match="for other products"):
        drafted(site)
    with pytest.raises(NotFound):
        drafted(site, code="ST-X", product="NO-SUCH-1")
