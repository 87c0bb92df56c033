"""The fixed words of a certificate claim nothing that nobody granted."""

import re

import pytest

from domain.certificates import words
from domain.certificates.content import Words
from domain.lots.models import RegulatoryStatus, Route
from domain.manufacturing.models import Tissue

#: What would claim an approval or an effect, unless it is denied in the same breath.
CLAIMS = re.compile(
    r"\b(approved|authori[sz]ed|licen[sc]ed|safe|effective|cures?|treats?|heals?|zugelassen\w*|genehmigt\w*|sicher|wirksam|heilt)\b",
    re.IGNORECASE,
)
DENIED = re.compile(
    r"\b(not|no|kein\w*|nicht)\b[^.;]*$|within an authorised clinical trial|genehmigten klinischen", re.IGNORECASE
)


def claims(text: str) -> list[str]:
    return [
        sentence
        for sentence in re.split(r"(?<=[.;])\s+", text)
        for found in CLAIMS.finditer(sentence)
        if not DENIED.search(sentence[: found.end()]) and not DENIED.search(sentence)
    ]


def every_word() -> list[Words]:
    return [*words.NOTICES.values(), *words.STATEMENTS, words.ELIGIBLE, words.DEVIATIONS, words.LOWER_LIMIT_UNKNOWN]


@pytest.mark.requirement("URS-051")
@pytest.mark.parametrize("said", every_word(), ids=lambda said: said.en[:40])
def test_no_words_of_ours_claim_an_approval_or_an_effect(said: Words) -> None:
    assert claims(said.en) == []
    assert claims(said.de) == []


@pytest.mark.requirement("URS-051")
@pytest.mark.parametrize("status", list(RegulatoryStatus))
def test_every_regulatory_status_comes_with_the_words_that_this_is_no_approval(status: RegulatoryStatus) -> None:
    notice = words.NOTICES[status]
    assert "not a marketing authorisation" in notice.en
    assert "keine Zulassung" in notice.de


@pytest.mark.parametrize(
    "claim", ["FDA approved.", "A safe and effective product.", "Heilt Wunden.", "Arzneilich wirksam."]
)
def test_a_claim_would_be_noticed(claim: str) -> None:
    assert claims(claim)


def test_every_tissue_and_route_has_its_words() -> None:
    assert set(words.TISSUES) == set(Tissue)
    assert set(words.ROUTES) == set(Route)
