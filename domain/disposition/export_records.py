"""Which records belong to a lot: found by the references between tables, so that a table that is added later is not forgotten.

Down: what refers to the lot, to the lots it is made of, or to the steps that gave these, and what refers to that in turn; nothing about other lots.
Up: what any of these refers to (specification, method, deviation, donor …), with the parts that those consist of.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from domain.audit import changes, entries, row_text
from domain.lots.genealogy import ancestor_ids
from domain.lots.models import Lot, Yield
from domain.store import entity_classes

#: People are named, not exported; and that a dossier was taken is no part of it, or no two would be alike.
LEFT_OUT = frozenset({"app_user", "sign_in", "role_grant", "dossier_export"})

#: What a record consists of where its parts do not begin with its name (`specification_line` is one of `specification`).
PARTS: Mapping[str, frozenset[str]] = {
    "deviation": frozenset({"capa_action"}),
    "capa_action": frozenset({"capa_completion", "capa_check"}),
    "donor": frozenset({"marker_result", "eligibility_decision"}),
    "hold_cascade": frozenset({"lift_proposal", "cascade_lift"}),
}

Row = Mapping[str, Any]
Records = dict[str, dict[int, Row]]


class _Walk:
    """The walk from a lot to all its records."""

    def __init__(self, session: Session, lot: Lot) -> None:
        self.session = session
        self.tables: dict[str, sa.Table] = {
            name: cls.__table__  # type: ignore[attr-defined]
            for name, cls in entity_classes().items()
            if name not in LEFT_OUT
        }
        self.lots = {lot.key, *ancestor_ids(session, lot.key)}
        self.steps = set(session.exec(select(Yield.step_id).where(col(Yield.lot_id).in_(self.lots))))
        self.found: Records = defaultdict(dict)
        self.parts: dict[str, list[tuple[str, sa.Column[Any]]]] = defaultdict(list)
        for name, table in self.tables.items():
            for column, target in _references(table):
                if target.name == "id":
                    self.parts[target.table.name].append((name, column))

    def walk(self) -> Records:
        self._down("lot", self._rows("lot", "id", self.lots))
        self._down("step", self._rows("step", "id", self.steps))
        return {name: dict(sorted(rows.items())) for name, rows in sorted(self.found.items())}

    def _rows(self, name: str, column: str, values: Iterable[Any]) -> list[Row]:
        table = self.tables[name]
        wanted = sorted(set(values))
        if not wanted:
            return []
        found = self.session.execute(sa.select(table).where(table.c[column].in_(wanted)).order_by(table.c.id))
        plain = [dict(zip(found.keys(), row, strict=True)) for row in found]
        return [row for row in plain if self._ours(table, row)]

    def _ours(self, table: sa.Table, row: Row) -> bool:
        """Whether a row speaks of no other lot and no other step."""
        bounds = {"lot": self.lots, "step": self.steps}
        return all(
            row[column.name] is None or row[column.name] in bounds[target.table.name]
            for column, target in _references(table)
            if target.table.name in bounds
        )

    def _new(self, name: str, rows: list[Row]) -> list[Row]:
        fresh = [row for row in rows if row["id"] not in self.found[name]]
        self.found[name] |= {row["id"]: row for row in fresh}
        return fresh

    def _down(self, name: str, rows: list[Row]) -> None:
        if not (fresh := self._new(name, rows)):
            return
        self._up(name, fresh)
        for child, column in self.parts[name]:
            self._down(child, self._rows(child, column.name, (row["id"] for row in fresh)))

    def _up(self, name: str, rows: list[Row]) -> None:
        """What these rows refer to, with its own parts alone: others refer to it too."""
        for column, target in _references(self.tables[name]):
            parent = target.table.name
            if parent not in self.tables or parent in ("lot", "step"):
                continue
            values = {row[column.name] for row in rows if row[column.name] is not None}
            if fresh := self._new(parent, self._rows(parent, target.name, values)):
                self._up(parent, fresh)
                self._with_parts(parent, fresh)

    def _with_parts(self, name: str, rows: list[Row]) -> None:
        for child, column in self.parts[name]:
            if not child.startswith(f"{name}_") and child not in PARTS.get(name, ()):
                continue
            if fresh := self._new(child, self._rows(child, column.name, (row["id"] for row in rows))):
                self._up(child, fresh)
                self._with_parts(child, fresh)


def _references(table: sa.Table) -> list[tuple[sa.Column[Any], sa.Column[Any]]]:
    return [(key.parent, key.column) for key in sorted(table.foreign_keys, key=lambda one: one.parent.name)]


def records_of(session: Session, lot: Lot) -> Records:
    """Every record that belongs to a lot, by table and id; columns as the models have them."""
    return _Walk(session, lot).walk()


def sealed_texts(records: Records) -> dict[str, dict[str, str]]:
    """Each record in the very form whose digest was sealed."""
    return {name: {str(key): row_text(row) for key, row in rows.items()} for name, rows in records.items()}


def people_in(records: Records) -> set[int]:
    """Ids of everybody whom the records name."""
    classes = entity_classes()
    return {
        row[column.name]
        for name, rows in records.items()
        for column, target in _references(classes[name].__table__)  # type: ignore[attr-defined]
        if target.table.name == "app_user"
        for row in rows.values()
        if row[column.name] is not None
    }


def audit_of(session: Session, records: Records) -> list[dict[str, Any]]:
    """Every sealed entry that touched one of the records, whole, in order: all that its digest is made of."""
    wanted: set[int] = set()
    for name, rows in records.items():
        touched = sa.select(changes.c.sequence).where(changes.c.record == name, changes.c.record_id.in_(sorted(rows)))
        wanted |= set(session.execute(touched).scalars())
    own: dict[int, list[dict[str, Any]]] = defaultdict(list)
    numbers = sorted(wanted)
    made = sa.select(changes).where(changes.c.sequence.in_(numbers)).order_by(changes.c.sequence, changes.c.ordinal)
    for change in session.execute(made):
        plain = dict(change._mapping)
        own[plain.pop("sequence")].append(plain)
    sealed = session.execute(sa.select(entries).where(entries.c.sequence.in_(numbers)).order_by(entries.c.sequence))
    return [{**entry._mapping, "changes": own[entry.sequence]} for entry in sealed]
