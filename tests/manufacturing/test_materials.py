"""Raw materials: papers, quarantine, first expired first out, and a ledger that only grows."""

from datetime import timedelta

import pytest

from domain.disposition.ledger import ledger, material_file, materials
from domain.errors import DomainError, Invalid, NotFound, Refused
from domain.laboratory.samples import DrawSample, draw_sample
from domain.manufacturing.bill import first_to_expire
from domain.manufacturing.execution_models import AnimalOrigin
from domain.manufacturing.materials import CorrectStock, correct_stock
from domain.store import reading
from domain.work import Site
from tests import build
from tests.build import amount
from tests.cast import Clock, act, raw
from tests.governed import papers


def codes(refusal: pytest.ExceptionInfo[DomainError]) -> list[str]:
    return [reason.code for reason in refusal.value.reasons]


def correct(site: Site, number: str, value: str, unit: str = "L", reason: str = "counted at the stocktaking") -> None:
    command = CorrectStock(lot_number=number, counted=amount(value, unit), reason=reason)
    act(site, "tom", correct_stock, command)


@pytest.mark.requirement("URS-148")
@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"origin": AnimalOrigin.ANIMAL}, "origin-incomplete"),
        ({"origin": AnimalOrigin.ANIMAL, "species": "cattle"}, "origin-incomplete"),
        ({"origin": AnimalOrigin.NONE, "species": "cattle"}, "origin-contradicts"),
        ({"origin": AnimalOrigin.RECOMBINANT, "country": "DE"}, "origin-contradicts"),
        ({"data": b""}, "file-not-readable"),
        ({"data": b"MZ not a document"}, "file-not-readable"),
    ],
)
def test_papers_that_are_incomplete_are_refused(site: Site, said: dict[str, object], code: str) -> None:
    number = build.material(site)
    with pytest.raises(Invalid) as refusal:
        papers(site, number, **said)
    assert set(codes(refusal)) == {code}


@pytest.mark.requirement("URS-148")
def test_the_certificate_of_the_supplier_is_kept_as_it_came_and_newer_papers_need_a_reason(site: Site) -> None:
    number = build.material(site)
    said = {"origin": AnimalOrigin.ANIMAL, "species": "cattle", "country": "New Zealand"}
    papers(site, number, **said)
    with pytest.raises(Invalid) as refusal:
        papers(site, number, **said)
    assert codes(refusal) == ["reason-needed"]
    papers(site, number, **said, data=b"%PDF-2.0 second", reason="the supplier corrected the country")
    with reading(site.engine) as session:
        shown = material_file(session, number, site.today()).papers
    assert shown is not None
    assert site.documents.get(shown.certificate_sha256) == b"%PDF-2.0 second"
    assert raw(site, "SELECT count(*) FROM material_papers") == [(2,)]


@pytest.mark.requirement("URS-148")
def test_a_material_is_in_quarantine_and_not_usable_by_default(site: Site) -> None:
    number = build.material(site)
    papers(site, number)
    with reading(site.engine) as session:
        assert first_to_expire(session, "DMEM/F12, xeno-free", site.today()) == []
    from_bank = build.bank(site)
    with pytest.raises(Refused) as refusal:
        build.begun(
            site, "expansion", {from_bank: ("1", "{vial}"), number: ("1", "L")}, [(build.K.CULTURE, "10*6.{cells}")]
        )
    assert codes(refusal) == ["lot-not-released"]


@pytest.mark.requirement("URS-147")
def test_the_lot_that_expires_first_is_proposed(site: Site, clock: Clock) -> None:
    later = build.released_material(site, expires_on=site.today() + timedelta(days=90))
    sooner = build.released_material(site, expires_on=site.today() + timedelta(days=30))
    build.material(site, expires_on=site.today() + timedelta(days=10))
    with reading(site.engine) as session:
        proposed = [one.lot_number for one in first_to_expire(session, "dmem/f12, XENO-free", site.today())]
        marked = {one.lot.lot_number: one.first_to_expire for one in materials(session, site.today())}
    assert proposed == [sooner, later]
    assert (marked[sooner], marked[later]) == (True, False)
    clock.advance(days=31)
    with reading(site.engine) as session:
        assert [one.lot_number for one in first_to_expire(session, "DMEM/F12, xeno-free", site.today())] == [later]


@pytest.mark.requirement("URS-157")
def test_the_ledger_tells_receipt_consumption_sampling_and_correction_and_ends_at_what_is_left(
    site: Site, clock: Clock
) -> None:
    number = build.released_material(site)
    from_bank = build.bank(site)
    clock.advance(minutes=1)
    build.begun(
        site, "expansion", {from_bank: ("1", "{vial}"), number: ("2.5", "L")}, [(build.K.CULTURE, "10*6.{cells}")]
    )
    clock.advance(minutes=1)
    act(site, "ben", draw_sample, DrawSample(lot_number=number, quantity=amount("100", "mL")))
    clock.advance(minutes=1)
    correct(site, number, "7.0")
    with reading(site.engine) as session:
        lines = ledger(session, build.lot(site, number))
    assert [(one.entry, str(one.change), str(one.balance)) for one in lines] == [
        ("receipt", "10", "10"),
        ("consumption", "-2.5", "7.5"),
        ("sampling", "-0.1", "7.4"),
        ("correction", "-0.4", "7.0"),
    ]
    assert lines[-1].balance == build.lot(site, number).quantity_left
    assert (lines[-1].who, lines[-1].reason) == ("Tom Takes", "counted at the stocktaking")


@pytest.mark.requirement("URS-157")
@pytest.mark.parametrize(
    ("value", "unit", "code"),
    [("-1", "L", "not-positive"), ("10.1", "L", "more-than-received"), ("10", "L", "nothing-changes"),
     ("1,5", "L", "not-a-number"), ("1", "g", "incompatible-units")],
)  # fmt: skip
def test_a_count_that_cannot_be_is_refused(site: Site, value: str, unit: str, code: str) -> None:
    number = build.material(site)
    with pytest.raises((Invalid, Refused)) as refusal:
        correct(site, number, value, unit)
    assert codes(refusal) == [code]


def test_nothing_left_can_be_counted_and_only_of_raw_materials(site: Site) -> None:
    number = build.material(site)
    correct(site, number, "0")
    assert build.lot(site, number).quantity_left == 0
    with pytest.raises(Refused) as refusal:
        correct(site, build.donation(site), "1", "g")
    assert codes(refusal) == ["not-a-material"]
    with reading(site.engine) as session, pytest.raises(NotFound):
        material_file(session, "RM26-9999", site.today())
