"""The audit trail as those see it who may: by record, by person, by time, page by page."""

import hashlib
from itertools import pairwise
from typing import Any

import pytest

from domain.work import Site
from tests.cast import Clock, raw
from tests.stories.over_http import House, Story


@pytest.fixture
def busy(story: Story, clock: Clock) -> Story:
    """A morning: a donor, three materials, an acceptance, a refused act."""
    story.donor("D-2026-017")
    clock.advance(hours=1)
    story.house.forget()
    materials = [story.material() for _ in range(3)]
    story.accept(materials[0])
    story.house.ask("dov", "POST", "/api/v1/materials", json={})
    return story


def audit(house: House, **asked: Any) -> Any:
    return house.get("dov", "/audit", params=asked)


def all_entries(house: House, **asked: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    page = audit(house, **asked)
    while True:
        found += page["entries"]
        if page["next"] is None:
            return found
        page = audit(house, **asked, before=page["next"])


@pytest.mark.requirement("URS-012")
def test_every_entry_is_found_page_by_page_newest_first(busy: Story, site: Site) -> None:
    audit(busy.house)  # whoever looks has signed in, which is an entry of its own
    found = [one["sequence"] for one in all_entries(busy.house, limit=7)]
    assert found == sorted(range(1, raw(site, "SELECT max(sequence) FROM audit_entry")[0][0] + 1), reverse=True)


@pytest.mark.requirement("URS-012")
def test_an_entry_tells_who_did_what_when_and_what_it_changed(busy: Story, site: Site) -> None:
    (lot,) = raw(site, "SELECT id, lot_number FROM lot WHERE state = 'released'")
    accepted, received = all_entries(busy.house, record="lot", record_id=lot[0])
    assert (accepted["actor"], accepted["act"], accepted["outcome"]) == ("Cleo Releases", "accept_lot", "done")
    assert accepted["reason"] == "complies"
    assert accepted["at"] == "2026-03-02T09:00:00Z"
    change = next(one for one in accepted["changes"] if one["record"] == "lot")
    assert change["changed"] == {"state": ["quarantine", "released"]}
    assert received["act"] == "receive_material"
    assert received["changes"][0]["changed"]["lot_number"] == [None, lot[1]]


@pytest.mark.requirement("URS-013")
def test_each_entry_names_the_one_before(busy: Story) -> None:
    entries = all_entries(busy.house)
    for newer, older in pairwise(entries):
        assert newer["previous"] == older["digest"]
    assert entries[-1]["previous"] == "0" * 64
    assert len({one["digest"] for one in entries}) == len(entries)
    assert all(len(one["digest"]) == hashlib.sha256().digest_size * 2 for one in entries)


@pytest.mark.requirement("URS-015")
def test_a_refused_act_is_there_with_its_reason(busy: Story) -> None:
    (refused,) = [one for one in all_entries(busy.house) if one["outcome"] == "refused"]
    assert (refused["actor"], refused["act"]) == ("Dov Looks", "receive_material")
    assert "receive_material" in refused["reason"]
    assert refused["changes"] == []


def test_entries_are_found_by_person_and_by_time(busy: Story) -> None:
    assert {one["act"] for one in all_entries(busy.house, actor="Cleo Releases")} == {
        "open_sign_in",
        "decide_eligibility_and_hold",
        "accept_lot",
    }
    late = all_entries(busy.house, since="2026-03-02T10:00:00+01:00")
    early = all_entries(busy.house, until="2026-03-02T08:59:59Z")
    assert {one["act"] for one in late} == {"open_sign_in", "receive_material", "accept_lot"}
    assert len(late) + len(early) == len(all_entries(busy.house))
    assert all_entries(busy.house, actor="Nobody Known") == []
    assert all_entries(busy.house, record="lot", record_id=999) == []


def test_no_secret_stands_in_the_audit_trail(busy: Story, site: Site) -> None:
    busy.house.post("ada", "/users/ben/password", {"password": "an altogether new secret"})
    told = str(all_entries(busy.house))
    assert "an altogether new secret" not in told
    assert "quiet harbour" not in told


def test_looking_at_the_audit_trail_leaves_no_entry(busy: Story, site: Site) -> None:
    audit(busy.house)
    before = raw(site, "SELECT count(*) FROM audit_entry")
    audit(busy.house)
    assert raw(site, "SELECT count(*) FROM audit_entry") == before


def test_a_refused_look_at_records_is_on_record_too(house: House, site: Site) -> None:
    assert house.ask("tom", "GET", "/api/v1/audit").status_code == 403
    newest = raw(site, "SELECT actor, act, outcome FROM audit_entry ORDER BY sequence DESC LIMIT 1")[0]
    assert tuple(newest) == ("Tom Takes", "read /api/v1/audit", "refused")
