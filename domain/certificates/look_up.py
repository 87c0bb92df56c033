"""The public look-up: the truth of this minute about a lot, in one statement, without an account.

A lot is known in public once a certificate was issued for it. Unknown, unreleased and never-released lots answer alike, by the same
statement; so does a lot whose product asks for the check code on the label, to whoever does not give it.
"""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal
from urllib.parse import quote, urlencode

import sqlalchemy as sa
from pydantic_core import to_json
from sqlmodel import Session

from domain.certificates.models import Certificate, Withdrawal
from domain.certificates.words import RevisionCause
from domain.errors import NotFound, Reason
from domain.laboratory.models import Specification
from domain.lots.awaiting import Awaited
from domain.lots.check_codes import same_code
from domain.lots.lifecycle import state_on
from domain.lots.models import ConditionalRelease, ConditionMet, Lot, LotMove, LotState, Product
from domain.lots.typed import key_of, key_sql, read
from domain.store import Prepared

_LOT, _CERTIFICATE, _MOVE = Lot.__table__, Certificate.__table__, LotMove.__table__  # type: ignore[attr-defined]
_PRODUCT, _WITHDRAWAL = Product.__table__, Withdrawal.__table__  # type: ignore[attr-defined]
_CONDITION, _MET = ConditionalRelease.__table__, ConditionMet.__table__  # type: ignore[attr-defined]
_SPECIFICATION = Specification.__table__  # type: ignore[attr-defined]
_LATER = _CERTIFICATE.alias("later")
_LAST = _MOVE.alias("last")

#: Every revision of every lot that the key fits, the newest with its content; the text must not depend on what is asked.
_public = Prepared(
    sa.select(
        _LOT.c.id.label("lot_id"),
        _LOT.c.lot_number,
        _LOT.c.state,
        _LOT.c.expires_on,
        _LOT.c.check_code,
        _PRODUCT.c.look_up_code,
        _PRODUCT.c.gtin,
        _MOVE.c.moved_at,
        _MOVE.c.action,
        _MOVE.c.reason,
        _CERTIFICATE.c.number,
        _CERTIFICATE.c.revision,
        _CERTIFICATE.c.issued_at,
        _CERTIFICATE.c.content_sha256,
        _CERTIFICATE.c.pdf_sha256,
        _CERTIFICATE.c.revision_cause,
        _WITHDRAWAL.c.withdrawn_at,
        _CONDITION.c.awaited,
        _CONDITION.c.due_on,
        _SPECIFICATION.c.market,
        _SPECIFICATION.c.code.label("specification"),
        sa.case(
            (
                _CERTIFICATE.c.revision
                == sa.select(sa.func.max(_LATER.c.revision))
                .where(_LATER.c.lot_id == _LOT.c.id, _LATER.c.specification_id == _CERTIFICATE.c.specification_id)
                .scalar_subquery(),
                _CERTIFICATE.c.content,
            )
        ).label("content"),
    )
    .join(_CERTIFICATE, _CERTIFICATE.c.lot_id == _LOT.c.id)
    .join(
        _MOVE,
        _MOVE.c.id == sa.select(sa.func.max(_LAST.c.id)).where(_LAST.c.lot_id == _LOT.c.id).scalar_subquery(),
    )
    .outerjoin(_PRODUCT, _PRODUCT.c.id == _LOT.c.product_id)
    .join(_SPECIFICATION, _SPECIFICATION.c.id == _CERTIFICATE.c.specification_id)
    .outerjoin(_WITHDRAWAL, _WITHDRAWAL.c.certificate_id == _CERTIFICATE.c.id)
    .outerjoin(
        _CONDITION,
        (_CONDITION.c.lot_id == _LOT.c.id) & ~sa.exists().where(_MET.c.conditional_id == _CONDITION.c.id),
    )
    .where(sa.literal_column(key_sql("lot.lot_number")) == sa.bindparam("key", type_=sa.Text))
    .order_by(_CERTIFICATE.c.revision.desc())
)

NOT_FOUND = Reason(
    "no-certificate",
    "No certificate has been issued under this lot number. Check the number on the label; some lots need the code printed beside it as well.",
    "lot_number",
)
DISAGREES = Reason(
    "code-disagrees",
    "A certificate has been issued under this lot number, but with another product number (GTIN) or expiry than the code says. The label may be"
    " wrong or counterfeit: do not use the vial, and ask the manufacturer.",
    "lot_number",
)

#: What a recall's record begins with; what a person wrote behind it is told to nobody outside.
_RECALL_CLASS = re.compile(r"class (I{1,3}):")

Standing = Literal["current", "superseded", "withdrawn"]


@dataclass(frozen=True, slots=True)
class Revision:
    """A revision of a certificate and what became of it. A withdrawn one stays withdrawn, also when another was issued later.

    check_code: what the address of its file carries too, where the product asks for it: numbers of certificates can be guessed.
    """

    number: str
    revision: int
    standing: Standing
    issued_at: datetime
    cause: RevisionCause | None
    withdrawn_at: datetime | None
    superseded_by: int | None
    content_sha256: str
    pdf_sha256: str
    check_code: str | None = None

    def pdf_url(self, files: str, *, newest: bool = False) -> str:
        """Where its file is, below `files`; newest: of whatever revision is the newest then."""
        return f"{files}/{quote(self.number)}.pdf{self._asked(newest)}"

    def copy_url(self, files: str, *, newest: bool = False) -> str:
        """Where a copy is whose pages say what became of it."""
        return f"{files}/{quote(self.number)}/copy.pdf{self._asked(newest)}"

    def proof_url(self, files: str, *, newest: bool = False) -> str:
        """Where the proof is that it stands in the public log."""
        return f"{files}/{quote(self.number)}/proof{self._asked(newest)}"

    def _asked(self, newest: bool) -> str:
        said = {} if newest else {"revision": self.revision}
        asked = urlencode({**said, "code": self.check_code} if self.check_code else said)
        return f"?{asked}" if asked else ""

    def told(self, files: str) -> dict[str, Any]:
        """As JSON; `files`: where certificates are downloaded."""
        return {
            "revision": self.revision,
            "state": self.standing,
            "issued_at": self.issued_at.isoformat(),
            "cause": self.cause,
            "withdrawn_at": self.withdrawn_at.isoformat() if self.withdrawn_at else None,
            "supersedes": self.revision - 1 if self.revision > 1 else None,
            "superseded_by": self.superseded_by,
            "content_sha256": self.content_sha256,
            "pdf_sha256": self.pdf_sha256,
            "pdf_url": self.pdf_url(files),
            "copy_url": self.copy_url(files),
            "proof_url": self.proof_url(files),
        }


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several certificates of a lot: the market that it is for, and how its newest revision stands."""

    newest: Revision
    market: str | None
    specification: str

    @property
    def number(self) -> str:
        """Of the certificate."""
        return self.newest.number

    @property
    def standing(self) -> Standing:
        """Of its newest revision."""
        return self.newest.standing

    def told(self, files: str) -> dict[str, Any]:
        """As JSON."""
        newest = self.newest
        return {
            "certificate_number": newest.number,
            "market": self.market,
            "specification": self.specification,
            "revision": newest.revision,
            "certificate_state": newest.standing,
            "pdf_url": newest.pdf_url(files, newest=True),
        }


@dataclass(frozen=True)
class PublicLot:
    """What anyone may know of a lot: its state today, and its certificate with all revisions, newest first.

    since: when the lot was moved to the state that is stored; it expires at the end of `expires_on`. recall_class: I, II or III. awaited: the results
    that the release did not wait for; overdue: the day they were due is over without them. others: all certificates of the lot, where it has several
    (for several markets, of which this one is for `market`).
    """

    lot_id: int
    lot_number: str
    state: LotState
    since: datetime
    expires_on: date
    gtin: str | None
    recall_class: str | None
    revisions: tuple[Revision, ...]
    content: str
    awaited: Awaited | None = None
    overdue: bool = False
    market: str | None = None
    others: tuple[Choice, ...] = ()

    @property
    def newest(self) -> Revision:
        """The newest revision, whether it counts or was withdrawn."""
        return self.revisions[0]

    @property
    def certificate_number(self) -> str:
        """The number, which all revisions share."""
        return self.newest.number

    @property
    def revision(self) -> int:
        """Of the newest."""
        return self.newest.revision

    @property
    def issued_at(self) -> datetime:
        """Of the newest."""
        return self.newest.issued_at

    @property
    def content_sha256(self) -> str:
        """Of the newest."""
        return self.newest.content_sha256

    @property
    def pdf_sha256(self) -> str:
        """Of the newest."""
        return self.newest.pdf_sha256

    @property
    def withdrawn(self) -> bool:
        """Whether the lot has no certificate that counts."""
        return self.newest.standing == "withdrawn"

    @property
    def usable(self) -> bool:
        """Released today, with a certificate that counts, and with all that it awaits still in time."""
        return self.state is LotState.RELEASED and not self.withdrawn and not self.overdue

    def etag(self, *beside: str) -> str:
        """Changes with every change of state, revision, withdrawal and day of expiry: a recall shows in the very next request.

        beside: what else the answer shows that may be another one tomorrow.
        """
        told = "|".join(
            (
                self.lot_number,
                self.state,
                self.since.isoformat(),
                self.recall_class or "",
                f"{self.awaited.tests} {self.awaited.due_on} {self.overdue}" if self.awaited else "",
                *(f"{one.number} {one.newest.revision} {one.standing}" for one in self.others),
                *(f"{one.revision} {one.standing} {one.content_sha256} {one.pdf_sha256}" for one in self.revisions),
                *beside,
            )
        )
        return f'"{hashlib.sha256(told.encode()).hexdigest()[:32]}"'

    @property
    def certificate(self) -> dict[str, Any]:
        """The frozen content as plain values."""
        return dict(json.loads(self.content))

    def json(self, files: str, contact: dict[str, str]) -> bytes:
        """The answer of the JSON look-up: the live state first, then the stored content, untouched.

        files: where certificates are downloaded. contact: whom to ask when the lot is recalled.
        """
        newest = self.newest
        recall = {"class": self.recall_class, "since": self.since.isoformat(), "contact": contact}
        head = to_json(
            {
                "lot_number": self.lot_number,
                "state": self.state,
                "state_since": self.since.isoformat(),
                "usable": self.usable,
                "certificate_state": newest.standing,
                "recall": recall if self.state is LotState.RECALLED else None,
                "conditional": self._condition(),
                "expires_on": self.expires_on.isoformat(),
                "certificate_number": newest.number,
                "revision": newest.revision,
                "issued_at": newest.issued_at.isoformat(),
                "content_sha256": newest.content_sha256,
                "pdf_sha256": newest.pdf_sha256,
                "pdf_url": newest.pdf_url(files, newest=True),
                "proof_url": newest.proof_url(files, newest=True),
                "revisions": [one.told(files) for one in self.revisions],
                "certificates": [one.told(files) for one in self.others],
            }
        )
        return b'%s,"certificate":%s}' % (head[:-1], self.content.encode())

    def _condition(self) -> dict[str, Any] | None:
        """What the release awaits, as JSON."""
        if self.awaited is None:
            return None
        return {
            "awaited": list(self.awaited.tests),
            "due_on": self.awaited.due_on.isoformat(),
            "overdue": self.overdue,
        }


def public_lot(
    asked: Session | sa.Engine, typed: str, today: date, code: str | None = None, certificate: str | None = None
) -> PublicLot:
    """The lot of that number, as people type it or scanners read it.

    code: the check code, where the product asks for it. certificate: number of the one that is shown, of several; the one that was issued first, if
    none is named or it is not of this lot. Raises NotFound: in the same words for every lot without a certificate and for one whose
    code is not given; in others where a scanned code names another GTIN or expiry than the record.
    """
    wanted = read(typed)
    rows = _fitting(_rows(asked, wanted.lot_number), wanted.lot_number)
    allowed = [row for row in rows if same_code(code, row.check_code) or not row.look_up_code]
    if not allowed:
        raise NotFound(NOT_FOUND)
    if not wanted.agrees(allowed[0].gtin, allowed[0].expires_on):
        raise NotFound(DISAGREES)
    return _shown(allowed, today, certificate)


def lot_of_certificate(
    asked: Session | sa.Engine, lot_number: str, today: date, certificate: str | None = None
) -> PublicLot:
    """The lot of exactly that number, for somebody who has its certificate in hand and so needs no check code. Raises NotFound."""
    rows = [row for row in _rows(asked, lot_number) if row.lot_number == lot_number]
    if not rows:
        raise NotFound(NOT_FOUND)
    return _shown(rows, today, certificate)


def _rows(asked: Session | sa.Engine, lot_number: str) -> list[Any]:
    key = key_of(lot_number)
    return _public.alone(asked, key=key) if isinstance(asked, sa.Engine) else _public.rows(asked.connection(), key=key)


def _fitting(rows: Sequence[Any], lot_number: str) -> list[Any]:
    """The rows of the one lot that is meant: the exact number, or else the only one that the key fits; where several do, none."""
    exact = [row for row in rows if row.lot_number == lot_number]
    return exact or ([] if len({row.lot_number for row in rows}) > 1 else list(rows))


def _shown(every: Sequence[Any], today: date, certificate: str | None) -> PublicLot:
    numbers = sorted({row.number for row in every})
    chosen = certificate if certificate in numbers else numbers[0]
    rows = [row for row in every if row.number == chosen]
    first = rows[0]
    awaited = Awaited(tuple(json.loads(first.awaited)), first.due_on) if first.awaited else None
    newest = [next(row for row in every if row.number == number) for number in numbers]
    state = state_on(first.state, first.expires_on, today)
    named = _RECALL_CLASS.match(first.reason) if first.action == "recall" else None
    later = [None, *(row.revision for row in rows[:-1])]
    return PublicLot(
        first.lot_id,
        first.lot_number,
        state,
        first.moved_at,
        first.expires_on,
        first.gtin,
        named[1] if named else None,
        tuple(_revision(row, superseded_by) for row, superseded_by in zip(rows, later, strict=True)),
        first.content,
        awaited,
        awaited is not None and awaited.overdue(today),
        first.market,
        tuple(Choice(_revision(row, None), row.market, row.specification) for row in newest) if len(newest) > 1 else (),
    )


def _revision(row: Any, superseded_by: int | None) -> Revision:
    standing: Standing = "withdrawn" if row.withdrawn_at else "superseded" if superseded_by else "current"
    return Revision(
        row.number,
        row.revision,
        standing,
        row.issued_at,
        row.revision_cause,
        row.withdrawn_at,
        superseded_by,
        row.content_sha256,
        row.pdf_sha256,
        row.check_code if row.look_up_code else None,
    )
