"""A later expiry: before the earlier one, with data, and within what the product allows."""

from base64 import b64encode
from datetime import date, timedelta
from typing import Any

import pytest

from domain.disposition.shelf_life import ExtendExpiry, extend_expiry
from domain.errors import DomainError, Forbidden, Refused
from domain.work import Attachment, Site
from tests import build
from tests.cast import Clock, act, credentials, raw

START = date(2028, 3, 2)


def codes(refusal: pytest.ExceptionInfo[Any]) -> set[str]:
    assert isinstance(refusal.value, DomainError)
    return {reason.code for reason in refusal.value.reasons}


@pytest.fixture
def lot(site: Site) -> str:
    code = build.new_product(site, expiry_extension_months=6)
    build.approved_specification(site, code)
    number = build.drug_product(site, code)
    build.tested(site, number)
    build.released(site, number)
    return number


def extended(site: Site, number: str, to: date, who: str = "cleo") -> None:
    report = Attachment(name="stability-24M.pdf", data=b64encode(b"%PDF-1.7 24 months at 5 degrees"))
    said = ExtendExpiry(
        lot_number=number,
        new_expires_on=to,
        data_reference="STAB-2026-03, 24 months at 5 °C",
        attachment=report,
        justification="all attributes within limits, no trend",
        credentials=credentials(who),
    )
    act(site, who, extend_expiry, said)


@pytest.mark.requirement("URS-191")
def test_the_expiry_of_a_released_lot_is_extended_with_data_up_to_the_limit_of_its_product(
    site: Site, lot: str
) -> None:
    first = build.lot(site, lot).expires_on
    assert first == START
    extended(site, lot, date(2028, 6, 2))
    extended(site, lot, date(2028, 9, 2))
    assert build.lot(site, lot).expires_on == date(2028, 9, 2)
    with pytest.raises(Refused) as refusal:
        extended(site, lot, date(2028, 9, 3))
    assert codes(refusal) == {"extension-too-long"}
    rows = raw(site, "SELECT document_sha256, signature_id FROM expiry_extension")
    assert len(rows) == 2
    assert all(document and signature for document, signature in rows)


@pytest.mark.requirement("URS-191")
def test_an_expired_lot_is_not_made_young_again(site: Site, lot: str, clock: Clock) -> None:
    clock.now = clock.now.replace(year=2028, month=3, day=3)
    with pytest.raises(Refused) as refusal:
        extended(site, lot, date(2028, 6, 2))
    assert codes(refusal) == {"wrong-state"}


def test_an_expiry_is_neither_repeated_nor_shortened_nor_extended_by_production(site: Site, lot: str) -> None:
    for to in (START, START - timedelta(days=1)):
        with pytest.raises(Refused) as refusal:
            extended(site, lot, to)
        assert codes(refusal) == {"extension-not-later"}
    with pytest.raises(Forbidden):
        extended(site, lot, START + timedelta(days=30), who="ann")


@pytest.mark.stage("in_review")
def test_a_product_that_says_nothing_of_extensions_allows_none(site: Site) -> None:
    number = build.released(site, str(raw(site, "SELECT lot_number FROM lot WHERE kind = 'drug_product'")[0][0]))
    lot = str(raw(site, "SELECT lot_number FROM lot WHERE id = :id", id=number.lot_id)[0][0])
    with pytest.raises(Refused) as refusal:
        extended(site, lot, date(2028, 4, 2))
    assert codes(refusal) == {"extension-not-allowed"}
