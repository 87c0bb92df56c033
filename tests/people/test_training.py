"""Training: recorded by others, valid until a day, offered to the laboratory for methods."""

from datetime import timedelta

import pytest

from domain.errors import DomainError, Forbidden, Invalid, Refused
from domain.people.training import (
    RecordTraining,
    RequireTraining,
    TrainedFor,
    record_training,
    require_training,
    requirements,
    training_records,
    untrained,
)
from domain.store import reading
from domain.work import Site
from tests.cast import Clock, act, raw


def codes(refusal: pytest.ExceptionInfo[DomainError]) -> list[str]:
    return [reason.code for reason in refusal.value.reasons]


def record(site: Site, who: str = "ann", **differing: object) -> None:
    said = {
        "username": "ben",
        "subject": TrainedFor.METHOD,
        "code": "SOP-PH",
        "trained_on": site.today(),
        "valid_until": site.today() + timedelta(days=365),
        "trainer": "rhea",
        "evidence": "TR-2026-001",
    }
    act(site, who, record_training, RecordTraining(**said | differing))  # type: ignore[arg-type]


def told(site: Site, method: str = "SOP-PH", days: int = 0) -> list[str]:
    ((user_id,),) = raw(site, "SELECT id FROM app_user WHERE username = 'ben'")
    with reading(site.engine) as session:
        return [reason.text for reason in untrained(session, user_id, method, site.clock() + timedelta(days=days))]


@pytest.mark.requirement("URS-156")
def test_an_analyst_is_untrained_for_a_method_that_asks_for_training_until_it_is_recorded(site: Site) -> None:
    assert told(site) == [], "no method asks for training unless somebody says so"
    command = RequireTraining(subject=TrainedFor.METHOD, code="SOP-PH", reason="validated method")
    act(site, "rhea", require_training, command)
    assert "no training is recorded" in told(site)[0]
    record(site)
    assert told(site) == []
    assert told(site, days=365) == []
    assert "ended on" in told(site, days=366)[0]
    assert "only" in told(site, days=-1)[0]
    assert told(site, method="SOP-ENDO") == []
    with reading(site.engine) as session:
        assert [one.code for one in requirements(session)] == ["SOP-PH"]


@pytest.mark.requirement("URS-156")
def test_a_newer_record_that_ends_earlier_takes_training_away(site: Site, clock: Clock) -> None:
    act(site, "rhea", require_training, RequireTraining(subject=TrainedFor.METHOD, code="SOP-PH", reason="validated"))
    record(site)
    clock.advance(days=10)
    record(site, valid_until=site.today(), trained_on=site.today(), evidence="failed the yearly check")
    assert told(site) == []
    assert "ended" in told(site, days=1)[0]
    with reading(site.engine) as session:
        assert [one.counts for one in training_records(session, site.today())] == [True, False]


@pytest.mark.requirement("URS-156")
def test_nobody_trains_themselves_or_records_training_of_their_own(site: Site) -> None:
    for differing in ({"trainer": "ben"}, {"username": "ann", "trainer": "rhea"}):
        with pytest.raises(Refused) as refusal:
            record(site, **differing)
        assert codes(refusal) == ["own-training"]
    with pytest.raises(Forbidden):
        record(site, "tom")


def test_training_is_neither_in_the_future_nor_over_before_it_was_given(site: Site) -> None:
    for differing, code in (
        ({"trained_on": site.today() + timedelta(days=1)}, "in-the-future"),
        ({"valid_until": site.today() - timedelta(days=1)}, "times-reversed"),
    ):
        with pytest.raises(Invalid) as refusal:
            record(site, **differing)
        assert codes(refusal) == [code]
