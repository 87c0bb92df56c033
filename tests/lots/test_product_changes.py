"""A product changes by an act that another person signs; what is known by it never changes."""

from typing import Any

import pytest

from domain.disposition.product_changes import (
    DecideProductChange,
    ProductChangeView,
    ProposeProductChange,
    decide_product_change,
    product_changes,
    propose_product_change,
)
from domain.errors import Conflict, Forbidden, Invalid, Refused
from domain.lots.queries import product_coded
from domain.store import reading
from domain.work import Site
from tests import build
from tests.build import amount
from tests.cast import act, credentials
from tests.stages import LOT


def proposed(site: Site, who: str = "ann", **differing: Any) -> int:
    """A change of the builders' product; returns its revision."""
    said = {**build.PRODUCT, "code": build.new_product(site), "reason": "stability study ST-4 is complete"}
    return act(site, who, propose_product_change, ProposeProductChange(**said | differing)).revision


def decided(site: Site, revision: int = 1, who: str = "cleo", **differing: Any) -> None:
    said = {"code": build.new_product(site), "revision": revision, "credentials": credentials(who)}
    act(site, who, decide_product_change, DecideProductChange(**said | differing))


def changes(site: Site) -> tuple[ProductChangeView, ...]:
    with reading(site.engine) as session:
        return product_changes(session, build.new_product(site), site.today())


def shelf_life(site: Site) -> int:
    with reading(site.engine) as session:
        return product_coded(session, build.new_product(site)).shelf_life_months


@pytest.mark.requirement("URS-196")
@pytest.mark.stage("in_review")
def test_a_change_counts_once_another_person_has_signed_it_and_names_the_open_lots(site: Site) -> None:
    proposed(site, shelf_life_months=36, storage_low=amount("-20", "Cel"))
    assert shelf_life(site) == 24
    (waiting,) = changes(site)
    told = {one.name: (one.old, one.new) for one in waiting.changes}
    assert told == {"shelf_life_months": ("24", "36"), "storage_low": ("2", "-20")}
    assert [one.lot_number for one in waiting.open_lots] == [LOT]
    decided(site)
    assert shelf_life(site) == 36
    assert changes(site)[0].standing == "approved"


def test_nobody_approves_a_change_of_their_own_and_qa_alone_does(site: Site) -> None:
    proposed(site, shelf_life_months=36)
    with pytest.raises(Forbidden):
        decided(site, who="ann")
    with pytest.raises(Invalid, match="say why"):
        decided(site, approved=False)
    decided(site, approved=False, comment="the study is not complete")
    assert shelf_life(site) == 24
    assert changes(site)[0].standing == "declined"
    with pytest.raises(Conflict, match="decided already"):
        decided(site)


def test_one_proposal_waits_at_a_time_and_one_that_changes_nothing_is_none(site: Site) -> None:
    with pytest.raises(Conflict, match="exactly this already"):
        proposed(site, shelf_life_months=24)
    proposed(site, shelf_life_months=36)
    with pytest.raises(Conflict, match="waits for QA"):
        proposed(site, shelf_life_months=30)


@pytest.mark.stage("in_review")
def test_what_labels_carry_never_changes(site: Site) -> None:
    with pytest.raises(Refused) as refused:
        proposed(site, lot_series="XYZ", look_up_code=True)
    assert {one.code for one in refused.value.reasons} == {"never-changed", "labels-without-code"}
    proposed(site, gtin="09521234543213")
    decided(site)
    with pytest.raises(Refused, match="another one is another product"):
        proposed(site, gtin="04012345678901")


@pytest.mark.requirement("URS-197")
@pytest.mark.parametrize("test", ["ENDO", "PART-VIAL", "PROT"])
def test_endotoxin_and_what_is_calculated_never_come_late(site: Site, test: str) -> None:
    with pytest.raises(Refused, match=r"cannot come late"):
        proposed(site, late_tests=("STER", test), late_days=30)
    with pytest.raises(Refused, match="given together"):
        proposed(site, late_tests=("STER",))


def test_a_claim_is_not_changed_into_a_product(site: Site) -> None:
    with pytest.raises(Invalid):
        proposed(site, form_en="Lyophilisate, FDA approved")
