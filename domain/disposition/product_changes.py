"""Changing a product: proposed by one person, approved by another's signature, kept as a numbered row; what is on record is never edited.

What a lot is known by (code, series of lot numbers, a GTIN once given) never changes. A certificate that was issued keeps the product as it was; only
a revision with the cause that says so takes the product as it is.
"""

import json
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from pydantic import Field
from sqlmodel import Session, col, select

from domain.disposition.decisions import Why
from domain.errors import Conflict, Invalid, NotFound, Reason, Refused, Stale, refuse_if_any
from domain.laboratory.catalogue import TESTS
from domain.laboratory.catalogue import test as catalogue_test
from domain.lots.lifecycle import state_on
from domain.lots.models import Lot, LotKind, LotState, Product, ProductChange, ProductChangeDecision
from domain.lots.operations import DefineProduct, product_facts
from domain.people.models import User
from domain.permissions import Permission
from domain.signatures import Credentials, Meaning, sign
from domain.work import Command, View, Work, operation

#: Endotoxin is known within hours, and kills: no release ever waits for it afterwards.
NEVER_LATE = frozenset({"ENDO"})
#: What an empty answer of a product that was defined before the question was asked means.
_UNASKED: dict[str, Any] = {"batch_certificate": False, "look_up_code": False, "release_signatures": 2}
_CLOSED = (LotState.RELEASED, LotState.REJECTED, LotState.RECALLED)


class ProposeProductChange(DefineProduct):
    """A product as it shall be: every fact anew; what differs is the change."""

    late_tests: tuple[str, ...] = Field(
        default=(), max_length=20, description="tests whose results may come after a conditional release; empty: none"
    )
    late_days: int | None = Field(default=None, ge=1, le=90, description="how many days after the release at most")
    reason: str = Why


class DecideProductChange(Command):
    """QA's decision on a proposal."""

    code: str
    revision: int = Field(ge=1, le=10_000)
    approved: bool = True
    comment: str = Field(default="", max_length=1000)
    credentials: Credentials


class ChangedFact(View):
    """One fact of a product, as it was and as it shall be; text, empty where there is none."""

    name: str
    old: str
    new: str


class OpenLot(View):
    """A lot of the product that is not decided yet: its certificate will be made of the product as it is then."""

    lot_number: str
    state: LotState


class ProductChangeView(View):
    """A proposal and what became of it: `proposed`, `approved` or `declined`."""

    product_code: str
    revision: int
    changes: tuple[ChangedFact, ...]
    reason: str
    proposed_by: str
    proposed_at: datetime
    standing: str
    decided_by: str | None
    decided_at: datetime | None
    comment: str
    open_lots: tuple[OpenLot, ...]


@operation(Permission.DEFINE_PRODUCT)
def propose_product_change(work: Work, command: ProposeProductChange) -> ProductChange:
    """Nothing changes before QA approves it; one proposal at a time."""
    product = _product(work, command.code)
    refuse_if_any(_against(work.session, product, command))
    changes = _differing(product, command)
    if not changes:
        raise Conflict(Reason("nothing-changed", f"product {product.code} is exactly this already"))
    newest = _newest(work.session, product)
    if newest is not None and _decision(work.session, newest) is None:
        text = f"change {newest.revision} of product {product.code} waits for QA; it is decided first"
        raise Conflict(Reason("change-waits", text))
    work.reason = command.reason
    return work.add(
        ProductChange(
            product_id=product.key,
            revision=newest.revision + 1 if newest else 1,
            command=command.model_dump_json(),
            changes=json.dumps(changes, ensure_ascii=False),
            reason=command.reason,
            proposed_at=work.now,
            proposed_by=work.actor.person,
        )
    )


@operation(Permission.APPROVE_SPECIFICATION)
def decide_product_change(work: Work, command: DecideProductChange) -> ProductChangeDecision:
    """Nobody decides on a proposal of their own; approved, the product changes in the same act."""
    product = _product(work, command.code)
    found = select(ProductChange).where(
        ProductChange.product_id == product.id, ProductChange.revision == command.revision
    )
    change = work.session.exec(found).first()
    if change is None:
        text = f"there is no change {command.revision} of product {product.code}"
        raise NotFound(Reason("change-not-found", text, "revision"))
    if _decision(work.session, change) is not None:
        raise Conflict(Reason("decided-already", f"change {change.revision} of {product.code} is decided already"))
    if change.proposed_by == work.actor.user_id:
        text = f"{work.actor.name} proposed this change and so may not decide on it"
        raise Refused(Reason("not-by-same-person", text))
    if not command.approved and not command.comment:
        raise Invalid(Reason("comment-needed", "say why the change is declined", "comment"))
    proposed = ProposeProductChange.model_validate_json(change.command)
    if command.approved:
        _apply(work, product, change, proposed)
    work.reason = command.comment or change.reason
    content = {
        "product": product.code,
        "revision": change.revision,
        "changes": json.loads(change.changes),
        "reason": change.reason,
        "approved": command.approved,
        "comment": command.comment,
    }
    meaning = Meaning.APPROVED if command.approved else Meaning.REJECTED
    signature = sign(work, change, content, meaning, command.credentials)
    return work.add(
        ProductChangeDecision(
            change_id=change.key,
            approved=command.approved,
            comment=command.comment,
            decided_at=work.now,
            decided_by=work.actor.person,
            signature_id=signature.key,
        )
    )


def _apply(work: Work, product: Product, change: ProductChange, proposed: ProposeProductChange) -> None:
    refuse_if_any(_against(work.session, product, proposed))
    if _differing(product, proposed) != json.loads(change.changes):
        text = f"product {product.code} changed since this was proposed; propose it anew"
        raise Stale(Reason("changed-meanwhile", text))
    for name, value in _facts(proposed).items():
        if _plain(name, getattr(product, name)) != _plain(name, value):
            setattr(product, name, value)
    work.session.flush()


def _against(session: Session, product: Product, command: ProposeProductChange) -> Iterator[Reason]:
    if command.lot_series != product.lot_series:
        text = f"the lot numbers of {product.code} begin with {product.lot_series}, for ever"
        yield Reason("never-changed", text, "lot_series")
    if product.gtin is not None and command.gtin != product.gtin:
        text = f"labels carry the GTIN {product.gtin}: another one is another product"
        yield Reason("never-changed", text, "gtin")
    elif command.gtin is not None and command.gtin != product.gtin:
        taken = select(Product.id).where(Product.gtin == command.gtin)
        if session.exec(taken).first() is not None:
            yield Reason("product-exists", f"another product has the GTIN {command.gtin}", "gtin")
    if command.look_up_code and not product.look_up_code:
        bare = select(Lot.id).where(Lot.product_id == product.id, col(Lot.check_code).is_(None))
        if session.exec(bare.where(Lot.kind == LotKind.DRUG_PRODUCT).limit(1)).first() is not None:
            text = f"lots of {product.code} have no check code on their labels: nobody could look them up any more"
            yield Reason("labels-without-code", text, "look_up_code")
    yield from _late(command)


def why_never_late(code: str) -> str | None:
    """Why a test cannot come after a release: a measured one that nothing is calculated from may, and never one that decides within hours.

    Raises Invalid for a code that is not in the catalogue.
    """
    test, inputs = catalogue_test(code), {source for one in TESTS.values() for source in one.inputs.values()}
    if code in NEVER_LATE:
        return "is never released without"
    return "is calculated, or others are from it" if test.derived is not None or code in inputs else None


def _late(command: ProposeProductChange) -> Iterator[Reason]:
    for place, code in enumerate(command.late_tests):
        if why := why_never_late(code):
            text = f"{catalogue_test(code).name_en} ({code}) {why}: it cannot come late"
            yield Reason("test-never-late", text, f"late_tests.{place}")
    if bool(command.late_tests) != (command.late_days is not None):
        text = "tests that may come late and the days they may come late by are given together"
        yield Reason("late-days-needed", text, "late_days")


def _facts(command: ProposeProductChange) -> dict[str, Any]:
    late = sorted(set(command.late_tests))
    kept = json.dumps(late) if late else None
    return {**product_facts(command), "late_tests": kept, "late_days": command.late_days}


def _differing(product: Product, command: ProposeProductChange) -> dict[str, list[str]]:
    told = {name: [_plain(name, getattr(product, name)), _plain(name, new)] for name, new in _facts(command).items()}
    return {name: pair for name, pair in told.items() if pair[0] != pair[1]}


def _plain(name: str, value: Any) -> str:
    """A fact as text: engines keep other zeros of a number, and what was never asked is no."""
    if value is None:
        value = _UNASKED.get(name, "")
    if name == "late_tests":
        return ", ".join(json.loads(value or "[]"))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value.normalize():f}" if hasattr(value, "normalize") else str(getattr(value, "value", value))


def _product(work: Work, code: str) -> Product:
    """The product, locked until the act is over. Raises NotFound."""
    if found := work.session.exec(select(Product).where(Product.code == code).with_for_update()).first():
        return found
    raise NotFound(Reason("product-not-found", f"there is no product {code!r}", "code"))


def _newest(session: Session, product: Product) -> ProductChange | None:
    found = select(ProductChange).where(ProductChange.product_id == product.id)
    return session.exec(found.order_by(col(ProductChange.revision).desc()).limit(1)).first()


def _decision(session: Session, change: ProductChange) -> ProductChangeDecision | None:
    return session.exec(select(ProductChangeDecision).where(ProductChangeDecision.change_id == change.id)).first()


def product_changes(session: Session, code: str, today: date) -> tuple[ProductChangeView, ...]:
    """Every proposal for a product, newest first, with the open lots that it touches. Raises NotFound."""
    product = session.exec(select(Product).where(Product.code == code)).first()
    if product is None:
        raise NotFound(Reason("product-not-found", f"there is no product {code!r}", "code"))
    names: dict[int, str] = dict(session.exec(select(User.id, User.name)).all())  # type: ignore[arg-type]
    rows = session.exec(
        select(ProductChange, ProductChangeDecision)
        .outerjoin(ProductChangeDecision, col(ProductChangeDecision.change_id) == ProductChange.id)
        .where(ProductChange.product_id == product.id)
        .order_by(col(ProductChange.revision).desc())
    ).all()
    lots = _open_lots(session, product, today)
    return tuple(_view(product, change, decided, names, lots) for change, decided in rows)


def _open_lots(session: Session, product: Product, today: date) -> tuple[OpenLot, ...]:
    found = select(Lot).where(Lot.product_id == product.id, Lot.kind == LotKind.DRUG_PRODUCT)
    lots = session.exec(found.where(col(Lot.state).not_in(_CLOSED)).order_by(Lot.lot_number)).all()
    return tuple(OpenLot(lot_number=one.lot_number, state=state_on(one.state, one.expires_on, today)) for one in lots)


def _view(
    product: Product,
    change: ProductChange,
    decided: ProductChangeDecision | None,
    names: dict[int, str],
    lots: tuple[OpenLot, ...],
) -> ProductChangeView:
    told = json.loads(change.changes)
    return ProductChangeView(
        product_code=product.code,
        revision=change.revision,
        changes=tuple(ChangedFact(name=name, old=old, new=new) for name, (old, new) in told.items()),
        reason=change.reason,
        proposed_by=names.get(change.proposed_by, "?"),
        proposed_at=change.proposed_at,
        standing="proposed" if decided is None else "approved" if decided.approved else "declined",
        decided_by=names.get(decided.decided_by) if decided else None,
        decided_at=decided.decided_at if decided else None,
        comment=decided.comment if decided else "",
        open_lots=lots,
    )
