"""The one door for writes, and the one commit behind it."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from pydantic import ValidationError
from sqlmodel import select

from domain.audit import verify
from domain.errors import Conflict, DomainError, Forbidden, Reason, Refused, refuse_if_any
from domain.lots.models import Lot, Product
from domain.manufacturing.donors import RegisterDonor, register_donor
from domain.manufacturing.models import ConsentScope, Donor, Tissue
from domain.permissions import Permission
from domain.work import OPERATIONS, Actor, Command, Site, Work, operation, transaction
from tests.build import donor, lot, material, new_product
from tests.cast import CAST, act, actor, raw


class Note(Command):
    """A remark on a lot, for these tests."""

    lot_number: str
    text: str


@operation(Permission.RUN_STEP)
def outer_note(work: Work, command: Note) -> None:
    """Writes through another operation."""
    inner_note(work, command)


@operation(Permission.RUN_STEP)
def inner_note(work: Work, command: Note) -> None:
    """Writes."""
    work.session.exec(select(Lot).where(Lot.lot_number == command.lot_number)).one().description = command.text


for _name in ("outer_note", "inner_note"):
    del OPERATIONS[_name]  # they are not of the house

DONOR = {"tissue": Tissue.ADIPOSE, "consent_id": "C-1", "consent_version": "1", "consent_scope": ConsentScope.RESEARCH}


@pytest.mark.requirement("URS-010")
@pytest.mark.parametrize("who", [name for name in CAST if name != "tom"])
def test_only_who_holds_the_permission_may_act(site: Site, who: str) -> None:
    with pytest.raises(Forbidden) as refusal:
        act(site, who, register_donor, RegisterDonor(pseudonym="D-1", **DONOR))
    assert [reason.code for reason in refusal.value.reasons] == ["permission-missing"]
    assert raw(site, "SELECT act, outcome FROM audit_entry ORDER BY sequence DESC LIMIT 1") == [
        ("register_donor", "refused")
    ]
    assert raw(site, "SELECT count(*) FROM donor") == [(0,)]


@pytest.mark.requirement("URS-010")
def test_every_write_names_the_permission_it_needs_or_is_about_signing_in_or_following() -> None:
    open_to_all = {name for name, found in OPERATIONS.items() if found.permission is None}
    following = {"follow_lot", "confirm_following", "confirm_webhook", "unfollow", "drop_follower", "address_letter"}
    following |= {"forget_followers"}
    own = {"change_password", "end_sign_in", "open_sign_in"}
    assert own <= open_to_all <= own | following  # whichever of them were imported by now


def test_an_operation_within_an_operation_is_one_act_named_after_the_outer_one(site: Site) -> None:
    number = material(site)
    act(site, "tom", outer_note, Note(lot_number=number, text="opened"))
    assert lot(site, number).description == "opened"
    assert raw(site, "SELECT act FROM audit_entry ORDER BY sequence DESC LIMIT 1") == [("outer_note",)]


@pytest.mark.requirement("URS-006")
def test_an_act_that_fails_half_way_leaves_nothing(site: Site) -> None:
    with pytest.raises(ZeroDivisionError), transaction(site, actor(site, "tom")) as work:  # noqa: PT012
        register_donor(work, RegisterDonor(pseudonym="D-1", **DONOR))
        _ = 1 / 0
    assert raw(site, "SELECT count(*) FROM donor") == [(0,)]
    assert verify(site.engine).broken is None


def test_two_who_enter_the_same_thing_at_once_make_it_once(site: Site) -> None:
    doer, gate = actor(site, "tom"), threading.Barrier(6)

    def register(_turn: int) -> str:
        gate.wait()
        try:
            with transaction(site, doer) as work:
                work.act = "test"
                work.add(Donor(pseudonym="D-1", **DONOR, registered_at=work.now, registered_by=work.actor.person))
        except Conflict as conflict:
            return conflict.reasons[0].code
        return "made"

    with ThreadPoolExecutor(6) as pool:
        outcomes = list(pool.map(register, range(6)))
    assert sorted(outcomes) == ["exists-already"] * 5 + ["made"]


def test_the_clock_of_the_site_is_the_time_of_the_act(site: Site) -> None:
    donor(site)
    assert raw(site, "SELECT at FROM audit_entry ORDER BY sequence DESC LIMIT 1") == [("2026-03-02T08:00:00.000000Z",)]


@pytest.mark.requirement("URS-016")
def test_a_day_at_the_site_ends_at_its_own_midnight(site: Site) -> None:
    assert site.today(datetime(2026, 3, 2, 22, 59, tzinfo=UTC)).isoformat() == "2026-03-02"
    assert site.today(datetime(2026, 3, 2, 23, 0, tzinfo=UTC)).isoformat() == "2026-03-03"
    assert site.today(datetime(2026, 7, 2, 22, 0, tzinfo=UTC)).isoformat() == "2026-07-03"


@pytest.mark.requirement("URS-018")
def test_a_refusal_carries_all_its_reasons() -> None:
    reasons = (Reason("one", "first"), Reason("two", "second", "place"))
    with pytest.raises(Refused, match="first; second") as refusal:
        refuse_if_any(reasons)
    assert refusal.value.reasons == reasons
    refuse_if_any(())
    with pytest.raises(ValueError, match="without a reason"):
        DomainError()


@pytest.mark.parametrize("text", ["bell\x07", "null\x00", "escape\x1b[0m", "\ud800"])
def test_control_characters_are_refused_wherever_they_are_typed(text: str) -> None:
    with pytest.raises(ValidationError):
        Note(lot_number="X", text=text)


def test_a_command_takes_no_stray_fields_and_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        Note(lot_number="X", text="x", state="released")  # type: ignore[call-arg]
    with pytest.raises(ValidationError):
        Note(lot_number=" X ", text="x").text = "y"  # type: ignore[misc]
    assert Note(lot_number=" X ", text="x").lot_number == "X"


def test_nobody_has_no_id_to_sign_for() -> None:
    with pytest.raises(AssertionError, match="is no user"):
        _ = Actor(None, "nobody", "nobody signed in").person


def test_the_same_file_kept_twice_is_one_document(site: Site) -> None:
    for name in ("first.csv", "again.csv"):
        with transaction(site, actor(site, "ben")) as work:
            work.act = "test"
            digest = work.keep_document(b"1,2,3", name, "text/csv")
    assert raw(site, "SELECT sha256, name, size FROM document") == [(digest, "first.csv", 5)]
    assert site.documents.get(digest) == b"1,2,3"


def test_a_product_entered_twice_at_once_is_refused_the_second_time(site: Site) -> None:
    new_product(site)
    with pytest.raises(Conflict), transaction(site, actor(site, "ann")) as work:  # noqa: PT012
        work.act = "test"
        found = work.session.exec(select(Product)).one()
        work.add(Product(**found.model_dump(exclude={"id", "version", "code"}), code="OTHER"))
