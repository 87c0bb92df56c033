"""Labels are printed on record, again only with a reason, and all of them are accounted for (21 CFR 211.122, 211.125)."""

import json
from typing import Any

import pytest
from pydantic import ValidationError
from sqlmodel import Session, select

from domain.disposition.decisions import HoldLot, hold_lot
from domain.disposition.readiness import readiness
from domain.errors import Forbidden, Invalid, NotFound, Refused
from domain.labels.content import LabelContent
from domain.labels.models import Kind, LabelPrint, LabelReconciliation
from domain.labels.operations import (
    PrintLabels,
    PrintSampleLabels,
    ReconcileLabels,
    print_labels,
    print_sample_labels,
    reconcile_labels,
)
from domain.labels.queries import labels_of, open_labels
from domain.lots.models import LotKind, Product
from domain.manufacturing.models import Reading
from domain.manufacturing.readings import correct_reading
from domain.manufacturing.step_commands import CorrectReading
from domain.store import reading
from domain.work import Site, perform
from reports.labels import pdf_of
from reports.labels.zpl import zpl_of
from tests import build
from tests.cast import Clock, act, actor, credentials, raw
from tests.stages import LOT

GTIN = "09521234543213"
pytestmark = pytest.mark.stage("drug_product")


def printed(
    site: Site, count: int = 110, kind: str = "vial", reason: str = "", who: str = "tom", **more: Any
) -> LabelPrint:
    command = PrintLabels.model_validate({"lot_number": LOT, "kind": kind, "count": count, "reason": reason, **more})
    return act(site, who, print_labels, command)


def reconciled(
    site: Site, applied: int = 101, destroyed: int = 8, attached: int = 1, **more: Any
) -> LabelReconciliation:
    said = {"lot_number": LOT, "kind": "vial", "applied": applied, "destroyed": destroyed, "sample_attached": attached}
    return act(site, "tom", reconcile_labels, ReconcileLabels.model_validate(said | more))


def open_codes(site: Site) -> list[str]:
    with reading(site.engine) as session:
        return [reason.code for reason in open_labels(session, build.lot(site, LOT).key)]


def content_of(one: LabelPrint) -> LabelContent:
    return LabelContent.model_validate_json(one.content)


def codes(refused: pytest.ExceptionInfo[Any]) -> set[str]:
    return {reason.code for reason in refused.value.reasons}


def with_gtin(site: Site) -> None:
    """The product of the stage gets a GTIN, as it would have been defined with one."""
    with Session(site.engine) as session:
        product = session.exec(select(Product)).one()
        product.gtin = GTIN
        session.add(product)
        session.commit()


# --- what a label says ------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("URS-109")
def test_a_vial_label_says_what_the_records_say(site: Site) -> None:
    said = content_of(printed(site, language="de"))
    assert said.product_name == "MSC-Vesikel aus Nabelschnur, gefriergetrocknet"
    assert said.lot_number == LOT
    assert said.expires_on == build.lot(site, LOT).expires_on
    assert (said.storage, said.route, said.notice) == ("2 bis 8 °C", "Topisch", "Nur für Forschungszwecke")
    assert said.strength == "5.0E10 {particles}/{vial}"
    assert (said.element_string, said.plain_code, said.check_code) == (None, LOT, None)


def test_with_a_gtin_the_code_is_gtin_expiry_and_lot_and_a_carton_leads_to_the_public_page(site: Site) -> None:
    with_gtin(site)
    carton = content_of(printed(site, kind="carton", count=2))
    on = build.lot(site, LOT).expires_on
    assert on is not None
    assert carton.element_string == f"(01){GTIN}(17){on:%y%m%d}(10){LOT}"
    assert carton.look_up == f"{site.profile.base_url}/01/{GTIN}/10/{LOT}?17={on:%y%m%d}"
    assert carton.form == "Lyophilisate"
    assert site.profile.address in str(carton.manufacturer)


def test_the_check_code_stands_on_the_label_where_the_look_up_asks_for_it(site: Site) -> None:
    code = build.new_product(site, "UC-EV-60", "UEW", look_up_code=True)
    number = build.drug_product(site, code)
    said = content_of(printed(site, lot_number=number, count=1))
    assert said.check_code
    assert said.check_code == build.lot(site, number).check_code


@pytest.mark.stage("cast")
def test_vials_are_labelled_while_they_are_packed_with_the_expiry_they_will_have(site: Site) -> None:
    code = build.new_product(site)
    filled = build.vials(site, build.bulk(site, build.bank(site)), code)
    loaded = str(build.lot(site, filled).quantity)
    frozen = build.step(
        site,
        "lyophilization",
        {filled: (loaded, "{vial}")},
        [(LotKind.LYOPHILIZED_VIALS, loaded, "{vial}")],
        product=code,
    ).lot
    packing = build.begun(
        site, "packaging", {frozen: (loaded, "{vial}")}, [(LotKind.DRUG_PRODUCT, "{vial}")], product_code=code
    )
    assert build.lot(site, packing.lot).expires_on is None
    labels = printed(site, lot_number=packing.lot)
    build.ended(site, packing, [("101", "{vial}")], build.readings_for("packaging"))
    assert labels.expires_on == build.lot(site, packing.lot).expires_on
    assert content_of(labels).expires_on == labels.expires_on


# --- printing is an act ---------------------------------------------------------------------------------------------------


@pytest.mark.requirement("URS-112")
def test_a_print_is_on_record_with_its_files(site: Site) -> None:
    one = printed(site)
    said = content_of(one)
    assert (one.kind, one.template, one.count, one.reprint_of_id, one.reason) == (Kind.VIAL, "VIAL-1", 110, None, "")
    assert one.printed_at == site.clock()
    assert one.content_sha256 == said.sha256()
    assert site.documents.get(one.pdf_sha256) == pdf_of(said)
    assert site.documents.get(one.zpl_sha256) == zpl_of(said)
    (entry,) = raw(site, "SELECT act, actor FROM audit_entry ORDER BY sequence DESC LIMIT 1")
    assert tuple(entry) == ("print_labels", "Tom Takes")


@pytest.mark.requirement("URS-112")
def test_more_labels_of_a_kind_are_a_reprint_and_say_why(site: Site) -> None:
    first = printed(site)
    with pytest.raises(Invalid) as refused:
        printed(site, count=5)
    assert codes(refused) == {"reason-needed"}
    again = printed(site, count=5, reason="five were smudged")
    assert (again.reprint_of_id, again.reason) == (first.id, "five were smudged")
    printed(site, kind="carton", count=4)  # another kind begins anew


@pytest.mark.parametrize("count", [0, -1, 2001])
def test_a_print_has_one_to_two_thousand_labels(count: int) -> None:
    with pytest.raises(ValidationError):
        PrintLabels(lot_number=LOT, kind="vial", count=count)


def test_serial_numbers_are_counted_on_and_only_printed_ones_are_printed_anew(site: Site) -> None:
    with pytest.raises(Refused) as refused:
        printed(site, serialised=True)
    assert codes(refused) == {"label-incomplete"}, "a serial number belongs to a GTIN"
    with_gtin(site)
    ranges = [
        printed(site, count=20, serialised=True),
        printed(site, count=5, serialised=True, reason="more vials"),
        printed(site, count=2, serialised=True, first_serial=7, reason="two were torn"),
        printed(site, count=1, serialised=True, reason="one more"),
    ]
    assert [(one.first_serial, one.last_serial) for one in ranges] == [(1, 20), (21, 25), (7, 8), (26, 26)]
    with pytest.raises(Invalid) as beyond:
        printed(site, count=2, serialised=True, first_serial=26, reason="beyond the last")
    assert codes(beyond) == {"serial-not-printed"}


def test_only_a_drug_product_gets_vial_labels_and_only_who_makes_prints_them(site: Site) -> None:
    (bank,) = raw(site, "SELECT lot_number FROM lot WHERE kind = 'master_cell_bank'")
    with pytest.raises(Refused) as refused:
        printed(site, lot_number=bank[0])
    assert codes(refused) == {"labels-only-of-drug-product"}
    with pytest.raises(NotFound):
        printed(site, lot_number="UEV99-0001")
    for who in ("ben", "cleo", "dov", "ada"):
        with pytest.raises(Forbidden):
            printed(site, who=who)


def test_a_lot_on_hold_gets_no_labels_and_the_refusal_is_on_record(site: Site) -> None:
    act(site, "cleo", hold_lot, HoldLot(lot_number=LOT, reason="a complaint", credentials=credentials("cleo")))
    command = PrintLabels(lot_number=LOT, kind="vial", count=1)
    with pytest.raises(Refused) as refused:
        perform(site, actor(site, "tom"), print_labels, command)
    assert codes(refused) == {"labels-barred"}
    (entry,) = raw(site, "SELECT act, outcome FROM audit_entry ORDER BY sequence DESC LIMIT 1")
    assert tuple(entry) == ("print_labels", "refused")


def test_an_expired_lot_gets_no_labels(site: Site, clock: Clock) -> None:
    clock.advance(days=1000)
    with pytest.raises(Refused) as refused:
        printed(site)
    assert codes(refused) == {"labels-barred"}


@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
def test_a_name_that_does_not_fit_is_refused_by_name(site: Site) -> None:
    code = build.new_product(site, "UC-EV-70", "UEX", name_en="Vesicles of the umbilical cord, freeze-dried, " * 4)
    number = build.drug_product(site, code)
    with pytest.raises(Invalid) as refused:
        printed(site, lot_number=number)
    assert codes(refused) == {"label-does-not-fit"}
    assert "product's name" in str(refused.value)


def test_what_was_drawn_ahead_is_used_only_if_it_is_still_true(site: Site) -> None:
    command = PrintLabels(lot_number=LOT, kind="vial", count=3)
    done = perform(site, actor(site, "tom"), print_labels, command)
    assert site.documents.get(done.pdf_sha256) == pdf_of(content_of(done))


# --- samples --------------------------------------------------------------------------------------------------------------------


def test_the_labels_of_a_sample_carry_its_number_and_whoever_draws_it_prints_them(site: Site) -> None:
    sample = build.sampled(site, LOT)
    one = act(site, "ben", print_sample_labels, PrintSampleLabels(sample_number=sample, count=3))
    said = content_of(one)
    assert (said.kind, said.plain_code, said.sample_number, said.lot_number) == ("sample", sample, sample, LOT)
    with pytest.raises(Invalid) as refused:
        act(site, "ben", print_sample_labels, PrintSampleLabels(sample_number=sample, count=1))
    assert codes(refused) == {"reason-needed"}
    other = build.sampled(site, LOT)
    act(site, "tom", print_sample_labels, PrintSampleLabels(sample_number=other, count=1))
    with pytest.raises(NotFound):
        act(site, "ben", print_sample_labels, PrintSampleLabels(sample_number="SA-999999", count=1))
    assert open_codes(site) == [], "labels of samples are not reconciled"


# --- reconciliation ---------------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("URS-113")
def test_printed_labels_are_open_until_all_are_accounted_for(site: Site) -> None:
    assert open_codes(site) == [], "labels that were not printed here are not asked for"
    printed(site)
    assert open_codes(site) == ["labels-open"]
    done = reconciled(site)
    assert (done.printed, done.difference) == (110, 0)
    assert open_codes(site) == []
    printed(site, count=2, reason="two vials more")
    assert "labels-open" in open_codes(site), "what was printed since is not accounted for"


@pytest.mark.requirement("URS-113")
def test_what_does_not_add_up_is_counted_again_or_explained(site: Site) -> None:
    printed(site)
    for explanation in ("", "no"):
        with pytest.raises(Refused) as refused:
            reconciled(site, applied=100, explanation=explanation)
        assert codes(refused) == {"labels-do-not-add-up"}
    assert "110 vial labels were printed, and 109" in str(refused.value)
    done = reconciled(site, applied=100, explanation="one fell behind the line and was not found")
    assert done.difference == 1
    with reading(site.engine) as session:
        (shown,) = labels_of(session, LOT).reconciliations
    assert (shown.difference, shown.counts, shown.explanation) == (
        1,
        True,
        "one fell behind the line and was not found",
    )


def test_more_labels_than_were_printed_are_a_difference_too(site: Site) -> None:
    printed(site)
    with pytest.raises(Refused):
        reconciled(site, applied=102)


def test_nothing_is_reconciled_that_was_not_printed(site: Site) -> None:
    with pytest.raises(Refused) as refused:
        reconciled(site)
    assert codes(refused) == {"no-labels-printed"}


@pytest.mark.requirement("URS-113")
def test_counts_that_are_not_those_of_the_packaging_are_a_reason(site: Site) -> None:
    """The labels of the stage's lot were printed elsewhere before it was packed; the clock stands still, so these count as printed then."""
    printed(site, count=112)
    assert open_codes(site) == ["labels-open", "labels-disagree"]
    reconciled(site, applied=102, destroyed=9)
    assert open_codes(site) == ["labels-disagree"] * 3, "printed, applied and destroyed"
    with reading(site.engine) as session:
        step = session.exec(select(Reading).where(Reading.parameter == "labels_printed")).one()
    with pytest.raises(Refused):
        correct(site, step.key, "112")  # the parts of the packaging must still add up


def correct(site: Site, reading_id: int, value: str) -> None:
    command = CorrectReading(reading_id=reading_id, value=value, unit="{unit}", reason="counted again")
    act(site, "tom", correct_reading, command)


def test_labels_printed_after_the_packaging_are_not_held_against_it(site: Site, clock: Clock) -> None:
    printed(site)
    reconciled(site)
    clock.advance(days=1)
    printed(site, count=3, reason="labels came off in the cold")
    assert open_codes(site) == ["labels-open"]
    reconciled(site, applied=104)
    assert open_codes(site) == []


@pytest.mark.requirement("URS-113", "URS-214")
def test_counts_of_the_packaging_stand_against_labels_that_were_printed_once_it_had_ended(
    site: Site, clock: Clock
) -> None:
    """Packaging says 110 printed, 101 applied, 8 destroyed, 1 attached; what is printed an hour later is what it speaks of."""
    clock.advance(hours=1)
    printed(site, count=119)
    reconciled(site, applied=110)
    assert open_codes(site) == ["labels-disagree"] * 2, "printed and applied"
    with reading(site.engine) as session:
        told = [one.text for one in open_labels(session, build.lot(site, LOT).key)]
    assert "records 110 labels printed" in told[0]
    assert "give 119" in told[0]


@pytest.mark.requirement("URS-214")
def test_labels_printed_late_in_two_prints_agree_if_their_sum_does(site: Site, clock: Clock) -> None:
    clock.advance(hours=1)
    printed(site, count=60)
    printed(site, count=50, reason="the roll was used up")
    reconciled(site)
    assert open_codes(site) == []


@pytest.mark.requirement("URS-214")
def test_a_later_print_of_three_does_not_hide_that_the_counts_of_the_packaging_are_others(
    site: Site, clock: Clock
) -> None:
    printed(site)
    clock.advance(days=1)
    printed(site, count=3, reason="labels came off in the cold")
    reconciled(site, applied=90, destroyed=22)
    assert open_codes(site) == ["labels-disagree"] * 2, "fewer applied, and more destroyed than were printed since"


@pytest.mark.requirement("URS-214")
def test_a_lot_whose_labels_disagree_with_its_packaging_is_not_released(site: Site, clock: Clock) -> None:
    clock.advance(hours=1)
    printed(site, count=119)
    reconciled(site, applied=110)
    with reading(site.engine) as session:
        told = readiness(session, LOT, "release", site.clock(), site.today(), actor(site, "cleo"))
    assert "labels-disagree" in {one.code for one in told}


def test_an_expiry_shortened_when_the_packing_ends_shows_the_labels_as_wrong(site: Site) -> None:
    printed(site)
    reconciled(site)
    with Session(site.engine) as session:
        from domain.lots.models import Lot

        lot = session.exec(select(Lot).where(Lot.lot_number == LOT)).one()
        assert lot.expires_on is not None
        lot.expires_on = lot.expires_on.replace(year=lot.expires_on.year - 1)
        session.add(lot)
        session.commit()
    assert open_codes(site) == ["label-expiry-differs"]


def test_everything_is_shown_in_its_order(site: Site) -> None:
    printed(site)
    printed(site, kind="carton", count=4)
    reconciled(site)
    sample = build.sampled(site, LOT)
    act(site, "ben", print_sample_labels, PrintSampleLabels(sample_number=sample, count=1))
    with reading(site.engine) as session:
        shown = labels_of(session, LOT)
    assert [(one.kind.value, one.count, one.printed_by, one.sample_number) for one in shown.prints] == [
        ("vial", 110, "Tom Takes", None),
        ("carton", 4, "Tom Takes", None),
        ("sample", 1, "Ben Tests", sample),
    ]
    assert [(one.code, one.text) for one in shown.open] == [
        ("labels-open", f"4 carton labels printed for lot {LOT} are not accounted for")
    ]
    assert json.loads(shown.model_dump_json())["reconciliations"][0]["reconciled_by"] == "Tom Takes"


@pytest.mark.requirement("URS-112")
def test_the_database_refuses_to_change_a_print_or_a_reconciliation(site: Site) -> None:
    import sqlalchemy as sa

    printed(site)
    reconciled(site)
    for table in ("label_print", "label_reconciliation"):
        for statement in (f"UPDATE {table} SET version = version", f"DELETE FROM {table}"):
            with site.engine.connect() as connection, pytest.raises(sa.exc.DBAPIError):
                connection.exec_driver_sql(statement)
