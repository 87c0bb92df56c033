"""Readiness as data: everything that stands in the way of an act on a lot, where to look, and who can clear it.

The reasons are those of `lifecycle.blockers`, which the act itself asks. Nothing else decides; here they are only told in German too, and led home.
"""

import tomllib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlmodel import Session, select

from domain.disposition import guards
from domain.errors import NotFound, Reason
from domain.lots.lifecycle import RULES, Case, blockers
from domain.lots.models import Lot
from domain.permissions import ROLES, Role
from domain.work import Actor, View

assert guards.REGISTERED, "the rules name guards that this room registers"

#: kind of record -> where its page begins
PAGES: Mapping[str, str] = {
    "lot": "/lots/",
    "step": "/steps/",
    "sample": "/samples/",
    "donor": "/donors/",
    "deviation": "/deviations/",
    "cascade": "/holds/",
    "run": "/runs/",
    "oos": "/oos/",
}

#: What each signature says, in German.
_SAYS_DE = {
    "confirm": "nach Anweisung hergestellt",
    "submit": "geprüft und von der erforderlichen Qualität",
    "release": "zur Freigabe zertifiziert",
    "release_conditionally": "unter Auflage zur Freigabe zertifiziert",
}


@dataclass(frozen=True, slots=True)
class Told:
    """A reason in German, and the roles that can clear it."""

    de: str
    who: tuple[Role, ...]


class Record(View):
    """A record that a blocker points to; `link`: its page at the workplace, where it has one."""

    kind: str
    number: str
    link: str | None


class Blocker(View):
    """One thing that stands in the way. text: in English; clear_by: the roles that can clear it, most likely first."""

    code: str
    text: str
    field: str | None
    text_de: str = ""
    record: Record | None = None
    clear_by: tuple[Role, ...] = ()


class Action(View):
    """What the table of rules knows for the lot's state, and what stands in the way for the one who asks."""

    action: str
    permitted: bool
    meaning: str | None
    blockers: tuple[Blocker, ...]


@cache
def catalogue() -> dict[str, Told]:
    """Every reason that a guard of the table of rules can give, by its code."""
    rows = tomllib.loads(Path(__file__).with_name("blockers.toml").read_text(encoding="utf-8"))
    return {code: Told(row["de"], tuple(Role(one) for one in row["who"])) for code, row in rows.items()}


def blocker(reason: Reason) -> Blocker:
    """A reason as it is told: one that the catalogue does not know stays in English and names nobody."""
    known = catalogue().get(reason.code)
    kind, number = reason.about or ("", "")
    words: dict[str, Any] = defaultdict(lambda: "–")
    words |= {"number": number, "field": reason.field or "", **reason.given}
    words["says_de"] = _SAYS_DE.get(str(reason.given.get("action")), "")
    link = f"{PAGES[kind]}{quote(number, safe='')}" if kind in PAGES else None
    return Blocker(
        code=reason.code,
        text=reason.text,
        field=reason.field,
        text_de=known.de.format_map(words) if known else reason.text,
        record=Record(kind=kind, number=number, link=link) if reason.about else None,
        clear_by=_who(reason, known),
    )


def _who(reason: Reason, known: Told | None) -> tuple[Role, ...]:
    """A signature is given by whoever the rule of its act asks; all else by the catalogue."""
    rule = RULES.get(str(reason.given.get("action")))
    if reason.code in ("signature-missing", "signature-void") and rule is not None:
        return tuple(role for role, held in ROLES.items() if rule.permission in held)
    return known.who if known else ()


def told(reasons: Iterable[Reason]) -> tuple[Blocker, ...]:
    """Reasons as they are told, in their order."""
    return tuple(blocker(one) for one in reasons)


def readiness(
    session: Session, lot_number: str, action: str, now: datetime, today: date, actor: Actor
) -> tuple[Blocker, ...]:
    """What stands in the way of an action on a lot. Raises NotFound."""
    lot = session.exec(select(Lot).where(Lot.lot_number == lot_number)).first()
    if lot is None:
        raise NotFound(Reason("lot-not-found", f"there is no lot {lot_number!r}", "lot_number"))
    return told(blockers(Case(session, lot, now, today), action, actor))
