"""A release before a result is final: where the product allows it, for as long as it allows, and under its own words everywhere."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from api.checking import Outcome, check
from domain.certificates.content import CertificateContent
from domain.certificates.history import register
from domain.certificates.look_up import public_lot
from domain.certificates.models import Certificate
from domain.certificates.words import RevisionCause
from domain.disposition.cascade import LiftCascade, lift_cascade, propose_lift
from domain.disposition.certificates import ReviseCertificate, revise_certificate
from domain.disposition.decisions import LiftHold, lift_hold
from domain.disposition.queries import my_work
from domain.disposition.readiness import readiness
from domain.errors import DomainError, Refused
from domain.lots.models import LotState
from domain.store import reading
from domain.work import Site
from tests import build
from tests.cast import Clock, act, actor, credentials, raw
from tests.stages import LOT

pytestmark = pytest.mark.stage("awaiting")


def codes(refusal: pytest.ExceptionInfo[Any]) -> set[str]:
    assert isinstance(refusal.value, DomainError)
    return {reason.code for reason in refusal.value.reasons}


def sterility(site: Site, found: str = "no growth") -> str:
    """What the sterility test that was begun with the others says; returns the sample."""
    sample, taken = raw(site, "SELECT number, taken_at FROM sample ORDER BY id")[0]
    started = taken if isinstance(taken, datetime) else datetime.fromisoformat(taken)
    build.entered(site, sample, "STER", found, started_at=started)
    return str(sample)


def content(certificate: Certificate) -> CertificateContent:
    return CertificateContent.model_validate_json(certificate.content)


def completed(site: Site, number: str, cause: RevisionCause = RevisionCause.CONDITION_MET) -> Certificate:
    said = {
        "certificate_number": number,
        "cause": cause,
        "reason": "sterility is there",
        "credentials": credentials("cleo"),
    }
    return act(site, "cleo", revise_certificate, ReviseCertificate(**said))


@pytest.mark.requirement("URS-198")
def test_a_lot_is_released_before_its_sterility_and_everything_says_so(site: Site) -> None:
    with pytest.raises(Refused) as refused:
        build.released(site, LOT)
    assert codes(refused) == {"result-missing"}
    certificate = content(build.released_awaiting(site, LOT))
    assert build.lot(site, LOT).state is LotState.RELEASED
    due = site.today() + timedelta(days=14)
    assert certificate.conclusion == "conditional"
    assert certificate.conditional is not None
    assert (
        f"before the result of the following was final: Sterility. The result is awaited until {due}"
        in certificate.conditional.en
    )
    assert f"Sterilität. Es wird bis {due} erwartet" in certificate.conditional.de
    assert "save for the results that are awaited" in certificate.statements[0].en
    line = next(one for one in certificate.tests if one.code == "STER")
    assert (line.verdict, line.result.en, line.value) == ("not_tested", "Awaited", None)
    with reading(site.engine) as session:
        shown = public_lot(session, LOT, site.today())
        (line_of_register,) = register(session)
    assert shown.awaited is not None
    assert (shown.awaited.tests, shown.awaited.due_on, shown.usable) == (("STER",), due, True)
    assert line_of_register.awaited_until == due


@pytest.mark.requirement("URS-198")
def test_what_the_product_does_not_name_is_never_awaited(site: Site) -> None:
    for awaited, days, code in (
        (("MYCO",), 14, "awaited-differs"),
        (("STER", "PH"), 14, "awaited-differs"),
        (("STER",), 21, "due-date-not-allowed"),
    ):
        with pytest.raises(Refused) as refused:
            build.released_awaiting(site, LOT, *awaited, days=days)
        assert codes(refused) == {code}
    sterility(site, "growth")
    with pytest.raises(Refused) as refused:
        build.released_awaiting(site, LOT)
    assert {"oos-open", "wrong-state"} <= codes(refused)


@pytest.mark.stage("in_review")
def test_conditional_release_is_off_unless_the_product_allows_it(site: Site) -> None:
    with pytest.raises(Refused) as refused:
        build.released_awaiting(site, LOT)
    assert codes(refused) == {"late-not-allowed", "awaited-differs", "due-date-not-allowed"}
    build.late(site)
    with pytest.raises(Refused) as refused:
        build.released_awaiting(site, LOT)
    assert codes(refused) == {"nothing-awaited", "awaited-differs"}


@pytest.mark.requirement("URS-199")
def test_once_the_result_is_there_and_reviewed_qa_completes_the_release(site: Site) -> None:
    number = build.released_awaiting(site, LOT).number
    with pytest.raises(Refused) as refused:
        completed(site, number)
    assert codes(refused) == {"result-missing"}
    still = content(completed(site, number, RevisionCause.WORDING_CORRECTED))
    assert still.conclusion == "conditional"
    sample = sterility(site)
    with pytest.raises(Refused) as refused:
        completed(site, number)
    assert codes(refused) == {"result-not-reviewed"}
    build.reviewed(site, sample)
    final = content(completed(site, number))
    assert (final.revision, final.conclusion, final.conditional) == (3, "complies", None)
    assert final.revision_reason is not None
    assert "awaited are final" in final.revision_reason.en
    assert "released before the result of the following was final: Sterility" in final.statements[0].en
    with reading(site.engine) as session:
        assert public_lot(session, LOT, site.today()).awaited is None
    with pytest.raises(Refused) as refused:
        completed(site, number)
    assert codes(refused) == {"cause-does-not-fit"}


@pytest.mark.requirement("URS-200")
@pytest.mark.parametrize("found", ["growth", "invalid"])
def test_a_late_result_that_does_not_pass_holds_the_lot_and_all_made_of_it_in_its_own_act(
    site: Site, found: str
) -> None:
    build.released_awaiting(site, LOT)
    sterility(site, found)
    assert build.lot(site, LOT).state is LotState.ON_HOLD
    ((cause, lots),) = raw(site, "SELECT cause, (SELECT count(*) FROM cascade_lot) FROM hold_cascade")
    assert (cause, lots) == ("failed_result", 1)
    with pytest.raises(Refused) as refused:
        act(site, "cleo", lift_hold, LiftHold(lot_number=LOT, reason="no doubt", credentials=credentials("cleo")))
    assert {"cascade-stands", "result-fail" if found == "growth" else "result-indeterminate"} <= codes(refused)


def test_an_unclear_late_result_is_found_again_before_two_people_lift_the_hold(site: Site) -> None:
    number = build.released_awaiting(site, LOT).number
    sterility(site, "invalid")
    again = build.sampled(site, LOT, ("10", "{vial}"))
    old = raw(site, "SELECT max(id) FROM result")[0][0]
    started = site.clock()
    assert isinstance(site.clock, Clock)
    site.clock.advance(days=13)
    lift = LiftCascade(number="HC26-0001", reason="repeated", credentials=credentials("quin"))
    act(site, "quin", propose_lift, lift)
    with pytest.raises(Refused) as refused:
        act(site, "cleo", lift_cascade, LiftCascade(**{**dict(lift), "credentials": credentials("cleo")}))
    assert "result-indeterminate" in codes(refused)
    from domain.laboratory.results import CorrectResult, correct_result

    site.clock.advance(days=1)
    said = {
        "replicates": ("no growth",),
        "started_at": started,
        "finished_at": site.clock(),
        "reason": "positive control failed",
    }
    act(site, "ben", correct_result, CorrectResult(result_id=old, **said))
    build.reviewed(site, raw(site, "SELECT number FROM sample ORDER BY id")[0][0])
    act(site, "cleo", lift_cascade, LiftCascade(**{**dict(lift), "credentials": credentials("cleo")}))
    assert build.lot(site, LOT).state is LotState.RELEASED
    assert content(completed(site, number)).conclusion == "complies"
    assert again


@pytest.mark.requirement("URS-199")
def test_after_the_due_date_without_the_result_the_lot_is_not_usable_and_qa_is_reminded(site: Site) -> None:
    build.released_awaiting(site, LOT, days=2)
    assert isinstance(site.clock, Clock)
    site.clock.advance(days=2)
    with reading(site.engine) as session:
        on_time = public_lot(session, LOT, site.today())
        late = public_lot(session, LOT, site.today() + timedelta(days=1))
        mine = my_work(session, site.today() + timedelta(days=1), actor(site, "cleo"))
    assert (on_time.usable, late.usable, late.overdue) == (True, False, True)
    assert on_time.etag() != late.etag()
    assert [(one.lot_number, one.awaited, one.overdue) for one in mine.awaited] == [(LOT, ("STER",), True)]


def test_readiness_tells_what_a_conditional_release_lacks(site: Site) -> None:
    with reading(site.engine) as session:
        here = session, LOT
        told = readiness(*here, "release_conditionally", site.clock(), site.today(), actor(site, "cleo"))
        plain = readiness(*here, "release", site.clock(), site.today(), actor(site, "cleo"))
    assert told == ()
    assert {one.code for one in plain} == {"result-missing"}


def test_no_other_result_of_a_released_lot_is_taken(site: Site) -> None:
    build.released_awaiting(site, LOT)
    sample = build.sampled(site, LOT, ("1", "{vial}"))
    with pytest.raises(Refused) as refused:
        build.entered(site, sample, "PH", "7.2", "7.2")
    assert codes(refused) == {"lot-decided"}


@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
def test_a_dropped_file_of_a_lot_whose_result_is_overdue_is_genuine_and_not_current(site: Site) -> None:
    data = site.documents.get(build.released_awaiting(site, LOT, days=1).pdf_sha256)
    found = [check(site, data)]
    assert isinstance(site.clock, Clock)
    site.clock.advance(days=2)
    found.append(check(site, data))
    assert [(one.outcome, one.current) for one in found] == [
        (Outcome.GENUINE_CURRENT, True),
        (Outcome.GENUINE_OVERDUE, False),
    ]
    assert [one.checks[-1].state for one in found] == ["ok", "failed"]
    assert "do not use it" in found[1].checks[-1].en
