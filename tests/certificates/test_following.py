"""Followers of a lot: told of every act that matters, once it is committed, and forgotten without a trace."""

from datetime import timedelta
from typing import Any

import pytest

from api.worker import forget
from domain.certificates.following import (
    CONFIRM_WITHIN,
    MOST_QUESTIONS,
    FollowLot,
    Noted,
    UseLink,
    confirm_following,
    follow_lot,
    mail_address,
    unfollow,
    webhook_address,
)
from domain.certificates.letters import Address, Answered, Letter, address_letter, confirm_webhook
from domain.certificates.words import RevisionCause
from domain.disposition.certificates import (
    ReviseCertificate,
    WithdrawCertificate,
    revise_certificate,
    withdraw_certificate,
)
from domain.disposition.decisions import HoldLot, LiftHold, RecallLot, hold_lot, lift_hold, recall_lot
from domain.errors import Invalid, NotFound, Refused
from domain.jobs import run_one
from domain.people.operations import NOBODY
from domain.work import Site, perform
from tests import build
from tests.behind import triggers_asleep
from tests.cast import Clock, act, credentials, raw
from tests.stages import LOT

pytestmark = pytest.mark.stage("in_review")

CLINIC = "pharmacy@clinic.example"


@pytest.fixture
def lot(site: Site) -> str:
    """A released lot."""
    build.released(site, LOT)
    return LOT


def wished(site: Site, lot: str, email: str | None = CLINIC, **more: Any) -> Noted:
    return perform(site, NOBODY, follow_lot, FollowLot(lot_number=lot, email=email, **more))


def letters(site: Site) -> list[Letter]:
    """Every letter that is due, as it would be sent."""
    sent: list[Letter] = []

    def take(_site: Site, payload: dict[str, Any]) -> None:
        letter = perform(site, NOBODY, address_letter, Address.model_validate(payload))
        sent.extend([letter] if letter is not None else [])

    while run_one(site, {"follower-letter": take}):
        pass
    return sent


def follows(site: Site, lot: str, email: str = CLINIC, **more: Any) -> str:
    """Somebody who follows; returns the token that ends it."""
    wished(site, lot, email, **more)
    (letter,) = letters(site)
    assert letter.confirm is not None
    assert perform(site, NOBODY, confirm_following, UseLink(token=letter.confirm)) == lot
    return letter.unfollow


def everywhere(site: Site) -> str:
    """All that the database holds, as text."""
    tables = raw(
        site,
        "SELECT name FROM sqlite_master WHERE type = 'table'"
        if site.engine.dialect.name == "sqlite"
        else "SELECT tablename FROM pg_tables WHERE schemaname = 'public'",
    )
    return str([raw(site, f"SELECT * FROM {name}") for (name,) in tables])


@pytest.mark.requirement("URS-129")
def test_followers_learn_of_everything_that_becomes_of_the_lot(site: Site, lot: str, clock: Clock) -> None:
    follows(site, lot)
    follows(site, lot, "ward@clinic.example", language="de")
    number = raw(site, "SELECT number FROM certificate")[0][0]
    certificate: dict[str, Any] = {"certificate_number": number, "reason": "as asked"}
    acts: list[tuple[str, str, Any, Any]] = [
        ("hold", "cleo", hold_lot, HoldLot(lot_number=lot, reason="complaint", credentials=credentials("cleo"))),
        (
            "hold_lifted",
            "quin",
            lift_hold,
            LiftHold(lot_number=lot, reason="unfounded", credentials=credentials("quin")),
        ),
        (
            "revision",
            "cleo",
            revise_certificate,
            ReviseCertificate(cause=RevisionCause.WORDING_CORRECTED, credentials=credentials("cleo"), **certificate),
        ),
        (
            "withdrawal",
            "cleo",
            withdraw_certificate,
            WithdrawCertificate(credentials=credentials("cleo"), **certificate),
        ),
        (
            "recall",
            "cleo",
            recall_lot,
            RecallLot(lot_number=lot, recall_class="I", reason="seen", credentials=credentials("cleo")),
        ),
    ]
    for event, who, operation, command in acts:
        clock.advance(minutes=1)
        act(site, who, operation, command)
        told = letters(site)
        assert [(one.event, one.address, one.language) for one in sorted(told, key=lambda one: one.address)] == [
            (event, CLINIC, "en"),
            (event, "ward@clinic.example", "de"),
        ]
        assert len({one.message for one in told}) == 2
        assert {one.at for one in told} == {clock.now}
        assert {one.lot.lot_number for one in told} == {lot}


@pytest.mark.requirement("URS-129")
def test_an_act_that_is_undone_tells_nobody(site: Site, lot: str) -> None:
    follows(site, lot)
    with pytest.raises(Refused):
        act(site, "cleo", lift_hold, LiftHold(lot_number=lot, reason="no hold", credentials=credentials("cleo")))
    assert letters(site) == []


@pytest.mark.requirement("URS-127")
def test_who_did_not_confirm_is_told_nothing_and_forgotten_after_two_days(site: Site, lot: str, clock: Clock) -> None:
    wished(site, lot)
    (letter,) = letters(site)
    assert letter.confirm is not None
    act(site, "cleo", hold_lot, HoldLot(lot_number=lot, reason="complaint", credentials=credentials("cleo")))
    assert letters(site) == []
    clock.now += CONFIRM_WITHIN - timedelta(minutes=1)
    forget(site, {})
    assert len(raw(site, "SELECT id FROM follower")) == 1
    clock.advance(minutes=2)
    with pytest.raises(NotFound):
        perform(site, NOBODY, confirm_following, UseLink(token=letter.confirm))
    forget(site, {})
    assert raw(site, "SELECT id FROM follower") == raw(site, "SELECT sha256 FROM follower_link") == []
    assert CLINIC not in everywhere(site)


@pytest.mark.requirement("URS-128", "URS-132")
def test_who_unfollows_is_gone_from_every_table_and_was_never_in_the_audit_trail(site: Site, lot: str) -> None:
    before = raw(site, "SELECT count(*) FROM audit_entry")
    token = follows(site, lot)
    assert CLINIC in everywhere(site)
    assert everywhere(site).count(CLINIC) == 1, "the address stands in one place"
    assert token not in everywhere(site), "a link is kept as its digest"
    perform(site, NOBODY, unfollow, UseLink(token=token))
    perform(site, NOBODY, unfollow, UseLink(token=token))
    assert CLINIC not in everywhere(site)
    assert raw(site, "SELECT id FROM follower") == []
    assert raw(site, "SELECT count(*) FROM audit_entry") == before
    act(site, "cleo", hold_lot, HoldLot(lot_number=lot, reason="complaint", credentials=credentials("cleo")))
    assert letters(site) == []


def test_a_letter_already_queued_reaches_nobody_who_unfollowed_meanwhile(site: Site, lot: str) -> None:
    token = follows(site, lot)
    act(site, "cleo", hold_lot, HoldLot(lot_number=lot, reason="complaint", credentials=credentials("cleo")))
    perform(site, NOBODY, unfollow, UseLink(token=token))
    follows(site, lot, "ward@clinic.example")
    assert letters(site) == []


@pytest.mark.requirement("URS-132")
def test_following_twice_is_answered_alike_and_ends_in_one_follower(site: Site, lot: str) -> None:
    first, again = wished(site, lot), wished(site, lot)
    assert (first.secret, again.secret) == (None, None)
    one, other = letters(site)
    for letter in (one, other, one, other):
        assert letter.confirm is not None
        assert perform(site, NOBODY, confirm_following, UseLink(token=letter.confirm)) == lot
    assert len(raw(site, "SELECT id FROM follower")) == 1
    perform(site, NOBODY, unfollow, UseLink(token=other.unfollow))
    assert raw(site, "SELECT id FROM follower") == [], "any link of any letter ends it"


@pytest.mark.requirement("URS-129")
def test_what_is_queued_when_an_address_follows_once_more_still_reaches_it(site: Site, lot: str) -> None:
    first = follows(site, lot)
    wished(site, lot, language="de")
    (question,) = letters(site)
    act(site, "cleo", hold_lot, HoldLot(lot_number=lot, reason="complaint", credentials=credentials("cleo")))
    assert question.confirm is not None
    perform(site, NOBODY, confirm_following, UseLink(token=question.confirm))
    assert [(one.event, one.language) for one in letters(site)] == [("hold", "de")]
    perform(site, NOBODY, unfollow, UseLink(token=first))
    assert raw(site, "SELECT id FROM follower") == []


@pytest.mark.requirement("URS-130")
def test_a_stranger_who_names_a_webhook_of_somebody_else_can_neither_confirm_nor_end_it(site: Site, lot: str) -> None:
    hook = "https://hooks.example/lots"
    owner = wished(site, lot, None, webhook=hook)
    (first,) = raw(site, "SELECT id FROM follower")
    perform(site, NOBODY, confirm_webhook, Answered(follower=first[0]))
    stranger = wished(site, lot, None, webhook=hook)
    assert stranger.secret != owner.secret
    perform(site, NOBODY, unfollow, UseLink(token=stranger.unfollow))
    assert raw(site, "SELECT id, secret FROM follower") == [(first[0], owner.secret)]
    again = wished(site, lot, None, webhook=hook)
    (second,) = raw(site, "SELECT id FROM follower WHERE confirmed_at IS NULL")
    perform(site, NOBODY, confirm_webhook, Answered(follower=second[0]))
    assert set(raw(site, "SELECT id, secret FROM follower")) == {(first[0], owner.secret), (second[0], again.secret)}, (
        "nobody's secret is ever changed by another registration"
    )
    perform(site, NOBODY, unfollow, UseLink(token=owner.unfollow))
    assert raw(site, "SELECT id, secret FROM follower") == [(second[0], again.secret)], "so an owner changes it"


@pytest.mark.requirement("URS-132")
def test_nobody_is_flooded_with_questions_by_somebody_else(site: Site, lot: str, clock: Clock) -> None:
    for _ in range(MOST_QUESTIONS + 3):
        noted = wished(site, lot)
        assert len(noted.unfollow) == 43
    assert len(letters(site)) == MOST_QUESTIONS
    clock.advance(hours=25)
    wished(site, lot)
    assert len(letters(site)) == 1


@pytest.mark.requirement("URS-127")
def test_a_lot_without_a_certificate_cannot_be_followed_and_answers_as_an_unknown_one(site: Site) -> None:
    refusals = []
    for lot in (LOT, "UEV26-0009"):
        with pytest.raises(NotFound) as refusal:
            wished(site, lot)
        refusals.append(refusal.value.reasons)
    assert refusals[0] == refusals[1]
    assert raw(site, "SELECT id FROM follower") == []


def test_a_lot_that_wants_its_check_code_wants_it_for_following_too(site: Site, lot: str) -> None:
    with triggers_asleep(site) as connection:
        connection.exec_driver_sql("UPDATE product SET look_up_code = true")
        connection.exec_driver_sql(f"UPDATE lot SET check_code = 'A01K9Z' WHERE lot_number = '{lot}'")
    with pytest.raises(NotFound):
        wished(site, lot)
    wished(site, lot, code="a01k9z")
    assert [one.event for one in letters(site)] == ["confirm"]


def test_followers_of_a_lot_that_expired_a_year_ago_are_forgotten(site: Site, lot: str, clock: Clock) -> None:
    follows(site, lot)
    clock.now = clock.now.replace(year=2029, month=3, day=2)
    forget(site, {})
    assert len(raw(site, "SELECT id FROM follower")) == 1
    clock.advance(days=1)
    forget(site, {})
    assert raw(site, "SELECT id FROM follower") == []


@pytest.mark.requirement("URS-131")
@pytest.mark.parametrize(
    "wrong",
    [
        "", "nobody", "a@localhost", "Bob <a@clinic.example>", '"a b"@clinic.example', "a@[127.0.0.1]", "ä@clinic.example",
        "a@clinic.example, b@clinic.example", "a@clinic.example\nBcc: b@clinic.example", "a\r\nBcc: b@x.example@clinic.example",
        "a@clinic.example\x00", "a" * 65 + "@clinic.example", "a@" + "b" * 300 + ".example", "a@-clinic.example", "a b@clinic.example",
    ],
)  # fmt: skip
def test_what_is_no_address_or_hides_a_header_is_refused(wrong: str) -> None:
    with pytest.raises(Invalid) as refusal:
        mail_address(wrong)
    assert refusal.value.reasons[0].field == "email"


@pytest.mark.parametrize(
    "wrong",
    [
        "http://hooks.example/", "https://", "https:///x", "https://user:secret@hooks.example/", "https://hooks.example/#here", "ftp://hooks.example",
        "https://hooks.example:99999/", "https://hooks.example/ä", "https://hooks.example/a b", "javascript:alert(1)", "//hooks.example",
        "hooks.example",
    ],
)  # fmt: skip
def test_what_is_no_address_of_a_webhook_is_refused(wrong: str) -> None:
    with pytest.raises(Invalid) as refusal:
        webhook_address(wrong)
    assert refusal.value.reasons[0].field == "webhook"


def test_a_wish_names_one_address(site: Site, lot: str) -> None:
    for email, webhook in ((None, None), (CLINIC, "https://hooks.example/")):
        with pytest.raises(Invalid):
            wished(site, lot, email, webhook=webhook)


def test_a_domain_of_another_alphabet_is_written_as_mail_servers_know_it(site: Site, lot: str) -> None:
    wished(site, lot, "apotheke@bücher.example")
    assert letters(site)[0].address == "apotheke@xn--bcher-kva.example"
