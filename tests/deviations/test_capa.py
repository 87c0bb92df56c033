"""Corrective and preventive actions: owned, due, done, and shown to have helped."""

from base64 import b64encode
from typing import Any

import pytest

from domain.deviations.capa import CheckCapa, CompleteCapa, PlanAction, check_capa, complete_capa
from domain.deviations.queries import CapaView, find_capa
from domain.errors import Conflict, DomainError, Invalid, NotFound, Refused
from domain.store import reading
from domain.work import Attachment, Site
from tests.cast import Clock, act, credentials
from tests.deviations.steps import opened, plan, planned, settled


def codes(refusal: pytest.ExceptionInfo[Any]) -> set[str]:
    assert isinstance(refusal.value, DomainError)
    return {reason.code for reason in refusal.value.reasons}


def done(site: Site, number: str, who: str = "tom") -> None:
    shown = Attachment(name="procedure.pdf", data=b64encode(b"%PDF-1.7 the procedure"))
    act(site, who, complete_capa, CompleteCapa(number=number, evidence="procedure v4 in force", attachment=shown))


def checked(site: Site, number: str, *, effective: bool = True, then: PlanAction | None = None) -> None:
    said = {"effective": effective, "finding": "twenty runs looked at", "next_action": then}
    act(site, "cleo", check_capa, CheckCapa(number=number, credentials=credentials("cleo"), **said))


def actions(site: Site, **asked: Any) -> list[CapaView]:
    with reading(site.engine) as session:
        return list(find_capa(session, site.today(), **asked))


@pytest.mark.requirement("URS-184")
def test_an_action_is_done_by_its_owner_and_closed_by_quality_assurance_once_it_helped(
    site: Site, clock: Clock
) -> None:
    deviation = opened(site)
    settled(site, deviation)
    number = planned(site, deviation)
    with pytest.raises(Refused) as refusal:
        checked(site, number)
    assert codes(refusal) == {"capa-not-done"}
    with pytest.raises(Refused) as refusal:
        done(site, number, "ann")
    assert codes(refusal) == {"not-the-owner"}
    done(site, number)
    assert actions(site)[0].standing == "done"
    checked(site, number)
    (only,) = actions(site)
    assert (only.standing, only.checked_by, only.evidence) == ("effective", "Cleo Releases", "procedure v4 in force")
    assert site.documents.get(only.document_sha256 or "") == b"%PDF-1.7 the procedure"
    for again in (done, checked):
        with pytest.raises(Conflict):
            again(site, number)


@pytest.mark.requirement("URS-184")
def test_what_did_not_help_is_followed_by_another_action(site: Site) -> None:
    number = planned(site, opened(site))
    done(site, number)
    with pytest.raises(Invalid) as refusal:
        checked(site, number, effective=False)
    assert codes(refusal) == {"capa-next-action"}
    checked(site, number, effective=False, then=plan(site, text="a door that closes itself", owner="ann"))
    first, second = sorted(actions(site), key=lambda one: one.number)
    assert (first.standing, second.standing, second.follows) == ("not_effective", "open", number)


@pytest.mark.requirement("URS-184")
def test_what_is_late_is_listed(site: Site, clock: Clock) -> None:
    number = planned(site, opened(site))
    assert not actions(site, overdue_only=True)
    clock.advance(days=8)
    assert [one.number for one in actions(site, overdue_only=True)] == [number]
    done(site, number)
    assert not actions(site, overdue_only=True)
    clock.advance(days=30)
    assert [(one.number, one.overdue) for one in actions(site, overdue_only=True)] == [(number, True)]
    checked(site, number)
    assert not actions(site, overdue_only=True)


def test_who_owns_an_action_does_not_say_whether_it_helped(site: Site) -> None:
    number = planned(site, opened(site), owner="cleo")
    done(site, number, "cleo")
    with pytest.raises(Refused) as refusal:
        checked(site, number)
    assert codes(refusal) == {"not-by-same-person"}


def test_an_action_has_an_owner_who_works_here_and_days_in_order(site: Site) -> None:
    deviation = opened(site)
    with pytest.raises(NotFound):
        planned(site, deviation, owner="nobody")
    with pytest.raises(Invalid) as refusal:
        planned(site, deviation, check_due_on=site.today())
    assert codes(refusal) == {"due-date"}
    planned(site, deviation)
    with pytest.raises(Conflict):
        planned(site, deviation)
