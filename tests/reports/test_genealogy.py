"""The picture of where a lot came from and went."""

import re
from dataclasses import replace
from xml.etree import ElementTree as ET

from hypothesis import given, settings
from hypothesis import strategies as st

from reports.genealogy import trace_svg
from tests.reports.traces import Edge, Family, Lot, family, wide

SVG = "{http://www.w3.org/2000/svg}"


def words_of(svg: str) -> list[str]:
    return [element.text or "" for element in ET.fromstring(svg).iter(f"{SVG}text")]


def boxes_of(svg: str) -> dict[str, float]:
    """Left edge of each lot's box."""
    found = {}
    for group in ET.fromstring(svg).iter(f"{SVG}g"):
        box, number = group.find(f"{SVG}rect[@class='box']"), group.find(f"{SVG}text[@class='number']")
        if box is not None and number is not None:
            found[number.text or ""] = float(box.get("x") or "nan")
    return found


def test_every_lot_stands_with_kind_and_state_and_every_step_with_its_quantities() -> None:
    words = words_of(trace_svg(family()))
    for lot in family().lots:
        assert lot.lot_number in words
    for said in ("drug product", "quarantine", "on hold", "S-000130", "lyophilization", "480 mL", "96 vials"):
        assert said in words


def test_a_lot_stands_right_of_all_it_was_made_from() -> None:
    boxes = boxes_of(trace_svg(family()))
    for edge in family().edges:
        if edge.direction == "consumed":
            yielded = [e.lot_number for e in family().edges if e.step == edge.step and e.direction == "yielded"]
            assert all(boxes[edge.lot_number] < boxes[lot] for lot in yielded)


def test_the_picture_is_named_and_described() -> None:
    root = ET.fromstring(trace_svg(family()))
    assert root.findtext(f"{SVG}title") == "Genealogy of lot EV-2026-0417"
    assert "8 lots it was made from" in (root.findtext(f"{SVG}desc") or "")


def test_boxes_are_links_where_there_is_a_page() -> None:
    svg = trace_svg(family(), href=lambda number: None if number.startswith("DON") else f"/lots/{number}?a=1&b=2")
    addresses = [link.get("href") for link in ET.fromstring(svg).iter(f"{SVG}a")]
    assert len(addresses) == 9
    assert "/lots/EV-2026-0417?a=1&b=2" in addresses


def test_beyond_200_lots_the_nearest_are_drawn_and_the_rest_is_counted() -> None:
    svg = trace_svg(wide(230))
    assert len(boxes_of(svg)) == 200
    assert "MCB-001" in boxes_of(svg)
    assert "30 more distant lots are not drawn." in words_of(svg)
    assert "S-000198" in words_of(svg)
    assert "S-000199" not in words_of(svg)


def test_a_lot_without_relatives_stands_alone() -> None:
    assert list(boxes_of(trace_svg(Family("RAW-1", (Lot("RAW-1", "raw_material", "released", 0),), ())))) == ["RAW-1"]


def test_a_lot_in_process_has_no_quantity_yet() -> None:
    one = Family("B", (Lot("B", "bulk", "in_process", 0),), (Edge("S-1", "pooling", "B", "yielded", "", "L"),))
    assert words_of(trace_svg(one)).count("L") == 0


def test_hostile_words_are_escaped() -> None:
    hostile = replace(family(), lots=(Lot('"><script>x</script>', "<b>", "&", 0),), edges=())
    svg = trace_svg(hostile, href=lambda number: f'/lots/"{number}')
    assert "<script" not in svg
    ET.fromstring(svg)


def test_even_a_cycle_ends() -> None:
    lots = (Lot("A", "bulk", "released", 0), Lot("B", "bulk", "released", 1))
    edges = (
        Edge("S-1", "pooling", "A", "consumed", "1", "L"),
        Edge("S-1", "pooling", "B", "yielded", "1", "L"),
        Edge("S-2", "pooling", "B", "consumed", "1", "L"),
        Edge("S-2", "pooling", "A", "yielded", "1", "L"),
    )
    assert set(boxes_of(trace_svg(Family("A", lots, edges)))) == {"A", "B"}


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=60), st.integers(0, 30))
def test_any_genealogy_is_drawn_without_overlap(pairs: list[tuple[int, int]], start: int) -> None:
    lots = tuple(Lot(f"L-{n}", "bulk", "released", n - start) for n in range(31))
    edges = []
    for index, (a, b) in enumerate((min(pair), max(pair)) for pair in pairs if pair[0] != pair[1]):
        edges.append(Edge(f"S-{index}", "pooling", f"L-{a}", "consumed", "1", "mL"))
        edges.append(Edge(f"S-{index}", "pooling", f"L-{b}", "yielded", "1", "mL"))
    svg = trace_svg(Family(f"L-{start}", lots, tuple(edges)))
    places = re.findall(r'class="box" x="([\d.]+)" y="([\d.]+)"', svg)
    assert len(places) == len(set(places)) == 31
    assert "nan" not in svg
