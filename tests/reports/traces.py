"""Sample genealogies, in the shape the domain gives them."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Lot:
    lot_number: str
    kind: str
    state: str
    distance: int


@dataclass(frozen=True)
class Edge:
    step: str
    kind: str
    lot_number: str
    direction: Literal["consumed", "yielded"]
    quantity: str
    unit: str


@dataclass(frozen=True)
class Family:
    lot_number: str
    lots: tuple[Lot, ...]
    edges: tuple[Edge, ...]


def family() -> Family:
    """Two donations, one bank, two harvests pooled, a bulk with trehalose, the filled lot, two shipments' lots."""
    lots = (
        Lot("DON-2025-003", "donation", "released", -4), Lot("DON-2025-004", "donation", "released", -4),
        Lot("MCB-007", "cell_bank", "released", -3), Lot("MED-2026-118", "raw_material", "expired", -3),
        Lot("HRV-2026-021", "harvest", "released", -2), Lot("HRV-2026-022", "harvest", "released", -2),
        Lot("TRE-2026-009", "raw_material", "released", -1), Lot("BLK-2026-011", "bulk", "released", -1),
        Lot("EV-2026-0417", "drug_product", "quarantine", 0), Lot("EV-2026-0417-A", "drug_product", "on_hold", 1),
        Lot("EV-2026-0417-B", "drug_product", "recalled", 1),
    )  # fmt: skip
    edges = (
        Edge("S-000101", "banking", "DON-2025-003", "consumed", "40", "mL"),
        Edge("S-000101", "banking", "DON-2025-004", "consumed", "35", "mL"),
        Edge("S-000101", "banking", "MCB-007", "yielded", "120", "{vial}"),
        Edge("S-000110", "conditioning", "MCB-007", "consumed", "2", "{vial}"),
        Edge("S-000110", "conditioning", "MED-2026-118", "consumed", "12.5", "L"),
        Edge("S-000110", "conditioning", "HRV-2026-021", "yielded", "11.8", "L"),
        Edge("S-000111", "conditioning", "MCB-007", "consumed", "2", "{vial}"),
        Edge("S-000111", "conditioning", "HRV-2026-022", "yielded", "11.2", "L"),
        Edge("S-000120", "pooling", "HRV-2026-021", "consumed", "11.8", "L"),
        Edge("S-000120", "pooling", "HRV-2026-022", "consumed", "11.2", "L"),
        Edge("S-000120", "pooling", "BLK-2026-011", "yielded", "500", "mL"),
        Edge("S-000130", "lyophilization", "BLK-2026-011", "consumed", "480", "mL"),
        Edge("S-000130", "lyophilization", "TRE-2026-009", "consumed", "25", "g"),
        Edge("S-000130", "lyophilization", "EV-2026-0417", "yielded", "96", "{vial}"),
        Edge("S-000140", "packaging", "EV-2026-0417", "consumed", "90", "{vial}"),
        Edge("S-000140", "packaging", "EV-2026-0417-A", "yielded", "45", "{vial}"),
        Edge("S-000140", "packaging", "EV-2026-0417-B", "yielded", "45", "{vial}"),
    )
    return Family("EV-2026-0417", lots, edges)


def wide(count: int) -> Family:
    """A bank that fed `count - 1` harvests."""
    children = [f"HRV-{number:04d}" for number in range(count - 1)]
    lots = (Lot("MCB-001", "cell_bank", "released", 0), *(Lot(child, "harvest", "released", 1) for child in children))
    edges: list[Edge] = []
    for number, child in enumerate(children):
        step = f"S-{number:06d}"
        edges.append(Edge(step, "conditioning", "MCB-001", "consumed", "1", "{vial}"))
        edges.append(Edge(step, "conditioning", child, "yielded", "10.0", "L"))
    return Family("MCB-001", lots, tuple(edges))
