"""From a vial back to every donor, and from a donor to every vial, at full depth."""

from collections import Counter

import pytest
import sqlalchemy as sa

from domain.errors import NotFound
from domain.lots.genealogy import ancestor_ids, descendant_ids, trace
from domain.store import WRITING, reading
from domain.work import Site
from tests.behind import triggers_asleep
from tests.build import (
    K,
    bank,
    bulk,
    donation,
    drug_product,
    eligible_donor,
    lot,
    new_product,
    pooled,
    released_material,
    vials,
)


def traced(site: Site, number: str) -> tuple[dict[str, int], Counter[tuple[str, str, str, str]]]:
    """Lot: distance; and how often each edge (step kind, direction, lot, quantity with unit) is told."""
    with reading(site.engine, consistent=True) as session:
        found = trace(session, number, site.today())
    distances = {one.lot_number: one.distance for one in found.lots}
    assert len(distances) == len(found.lots)
    return distances, Counter(
        (edge.kind, edge.direction, edge.lot_number, f"{edge.quantity} {edge.unit}") for edge in found.edges
    )


@pytest.mark.requirement("URS-023")
def test_a_pool_of_two_donors_is_traced_up_to_both_and_down_to_every_vial(site: Site) -> None:
    new_product(site)
    medium = released_material(site)
    banks = [bank(site, eligible_donor(site, f"D-2026-90{turn}")) for turn in (1, 2)]
    bulks = [bulk(site, one, medium) for one in banks]
    pool = pooled(site, {bulks[0]: ("60", "60"), bulks[1]: ("40", "40")})
    halves = [drug_product(site, "UC-EV-50", of_bulk=pooled_half) for pooled_half in split(site, pool)]

    distances, edges = traced(site, pool)
    assert distances[pool] == 0
    assert {distances[one] for one in bulks} == {-1}
    assert {distances[one] for one in banks} == {-6}
    assert {number: far for number, far in distances.items() if number.startswith("DN")} == {
        "DN26-0001": -8,
        "DN26-0002": -8,
    }
    assert distances[medium] < 0
    assert all(distances[half] > 0 for half in halves)
    assert edges["pooling", "consumed", bulks[0], "60 mL"] == 1
    assert edges["pooling", "consumed", bulks[1], "40 mL"] == 1
    assert edges["pooling", "yielded", pool, "100 mL"] == 1

    up, _ = traced(site, halves[0])
    assert halves[1] not in up
    assert {"DN26-0001", "DN26-0002", *banks, *bulks, pool, medium} <= set(up)
    down, _ = traced(site, "DN26-0001")
    assert {*halves, pool, bulks[0], banks[0]} <= set(down)
    assert bulks[1] not in {number for number, far in down.items() if far > 0}


def split(site: Site, pool: str) -> list[str]:
    """Two lots of bulk made of one pool, by pooling each half alone."""
    from tests.build import Input, amount, step

    made = []
    for _ in range(2):
        inputs = [Input(lot_number=pool, quantity=amount("50", "mL"), share="100")]
        made.append(step(site, "pooling", inputs, [(K.POOLED_BULK, "100", "mL")]).lot)
    return made


@pytest.mark.requirement("URS-023")
def test_ancestors_and_descendants_are_each_others_mirror(site: Site) -> None:
    number = vials(site, bulk(site, bank(site)), new_product(site))
    with reading(site.engine) as session:
        everyone = [row[0] for row in session.connection().execute(sa.text("SELECT id FROM lot"))]
        up = {(one, other) for one in everyone for other in ancestor_ids(session, one)}
        down = {(other, one) for one in everyone for other in descendant_ids(session, one)}
    assert up == down
    assert len([pair for pair in up if pair[0] == lot(site, number).id]) >= 9


@pytest.mark.requirement("URS-024")
def test_no_lot_is_its_own_ancestor(site: Site) -> None:
    drug_product(site)
    with reading(site.engine) as session:
        for (one,) in session.connection().execute(sa.text("SELECT id FROM lot")).all():
            assert one not in ancestor_ids(session, one)


@pytest.mark.requirement("URS-024")
def test_a_lot_comes_from_one_step_only(site: Site) -> None:
    donation(site)
    options = {WRITING: True}
    with pytest.raises(sa.exc.IntegrityError), site.engine.execution_options(**options).begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO lot_yield (version, step_id, lot_id) SELECT 1, step_id, lot_id FROM lot_yield"
        )


def test_a_trace_ends_even_on_a_ring_made_behind_the_back(site: Site) -> None:
    number = donation(site)
    lot_id = lot(site, number).id
    with triggers_asleep(site) as connection:
        connection.exec_driver_sql(
            "INSERT INTO consumption (version, step_id, lot_id, quantity, entered_quantity, entered_unit)"
            f" SELECT 1, step_id, lot_id, '1', '1', 'g' FROM lot_yield WHERE lot_id = {lot_id}"
        )
    distances, _ = traced(site, number)
    assert distances == {number: 0}


def test_a_lot_nobody_uses_is_traced_to_itself(site: Site) -> None:
    number = released_material(site)
    assert traced(site, number) == ({number: 0}, Counter())


def test_a_lot_that_is_not_there_is_not_found(site: Site) -> None:
    with pytest.raises(NotFound):
        traced(site, "XX26-0001")
