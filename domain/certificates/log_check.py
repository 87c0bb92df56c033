"""Whether the public log is whole: every hash, head and signature, and that it says what the records say.

Whoever keeps a head of their own needs none of this: a consistency proof tells them that nothing before it was removed, reordered or altered.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import ValidationError
from sqlmodel import Session

from domain.certificates.log import head, signed_head
from domain.certificates.models import (
    BatchCertificate,
    Certificate,
    CertificateNumber,
    LogEntry,
    LogNode,
    TreeHead,
    VoidedNumber,
    Withdrawal,
)
from domain.certificates.proofs import Leaf, SignedHead, hasher, leaf_hash
from domain.lots.models import Lot, LotMove
from domain.store import iso_utc, reading

#: The longest that signing and waiting may take: a certificate dated further back than this before its entry is back-dated.
LATEST = timedelta(hours=1)

_C, _B, _N = Certificate.__table__, BatchCertificate.__table__, CertificateNumber.__table__  # type: ignore[attr-defined]
_W, _V, _M = Withdrawal.__table__, VoidedNumber.__table__, LotMove.__table__  # type: ignore[attr-defined]
_L = Lot.__table__  # type: ignore[attr-defined]

_WRITTEN = (_C.c.number, _C.c.revision, _C.c.content_sha256, _C.c.pdf_sha256)
_WRITTEN_BATCH = (_B.c.number, sa.literal(1), _B.c.content_sha256, _B.c.pdf_sha256)
_LATER, _H = _C.alias(), TreeHead.__table__  # type: ignore[attr-defined]
_BEGUN = sa.select(_H.c.signed_at).where(_H.c.size == 1).scalar_subquery()
_RECALL = (_M.c.moved_at, _M.c.moved_at >= _BEGUN)
_NEWEST = ~sa.exists().where(_LATER.c.number == _C.c.number, _LATER.c.revision > _C.c.revision)

#: What the log should hold: kind; number, revision, the two digests, when, and whether it must be there.
EXPECTED: tuple[tuple[str, sa.Select[Any]], ...] = (
    ("issue", sa.select(*_WRITTEN, _C.c.issued_at, _C.c.unsigned_sha256.is_not(None)).where(_C.c.revision == 1)),
    ("revise", sa.select(*_WRITTEN, _C.c.issued_at, _C.c.unsigned_sha256.is_not(None)).where(_C.c.revision > 1)),
    ("issue", sa.select(*_WRITTEN_BATCH, _B.c.issued_at, sa.true())),
    ("withdraw", sa.select(*_WRITTEN, _W.c.withdrawn_at, sa.true()).join(_W, _W.c.certificate_id == _C.c.id)),
    (
        "withdraw",
        sa.select(*_WRITTEN_BATCH, _W.c.withdrawn_at, sa.true()).join(_W, _W.c.certificate_id == _B.c.certificate_id),
    ),
    (
        "supersede",
        sa.select(*_WRITTEN_BATCH, _LATER.c.issued_at, sa.true()).join(
            _LATER, _LATER.c.supersedes_id == _B.c.certificate_id
        ),
    ),
    (
        "recall",
        sa.select(*_WRITTEN, *_RECALL).join(_M, _M.c.lot_id == _C.c.lot_id).where(_M.c.action == "recall", _NEWEST),
    ),
    (
        "recall",
        sa.select(*_WRITTEN_BATCH, *_RECALL).join(_M, _M.c.lot_id == _B.c.lot_id).where(_M.c.action == "recall"),
    ),
    (
        "void",
        sa.select(_N.c.number, sa.null(), sa.null(), sa.null(), _V.c.voided_at, sa.true()).join(
            _V, _V.c.number_id == _N.c.id
        ),
    ),
)

_ENTRY, _NODE = LogEntry.__table__, LogNode.__table__  # type: ignore[attr-defined]

Leaves = dict[tuple[str, str, int | None], Leaf]
Keys = Mapping[str, Ed25519PublicKey]


@dataclass(frozen=True, slots=True)
class LogChecked:
    """How many entries there are, the newest head, and the first thing that is broken, in words (None: all is well)."""

    entries: int
    head: SignedHead | None
    broken: str | None


def check_log(engine: sa.Engine, keys: Keys) -> LogChecked:
    """Walk the whole log in one consistent view; `keys`: every key that has signed it, by id."""
    leaves: Leaves = {}
    with reading(engine, consistent=True) as session:
        broken = next(_tree(session, keys, leaves), None)
        count = session.connection().execute(sa.select(sa.func.count()).select_from(_ENTRY)).scalar_one()
        return LogChecked(count, head(session), broken or next(_records(session, leaves), None))


def _tree(session: Session, keys: Keys, leaves: Leaves) -> Iterator[str]:
    """What is wrong with the tree itself; fills `leaves`."""
    nodes, heads = _rows(session, _NODE, _NODE.c.id), _rows(session, _H, _H.c.size)
    peaks: list[bytes] = []
    size, last = 0, ""
    for row in _rows(session, _ENTRY, _ENTRY.c.position):
        if row.position != size:
            yield f"entry {size} is missing from the public log"
        leaf, hashed = _leaf(row), leaf_hash(row.leaf.encode())
        if leaf is None or hashed.hex() != row.leaf_hash:
            yield f"entry {size} of the public log was altered"
            return
        if (leaf.kind, leaf.number, leaf.revision) in leaves and leaf.kind in ("issue", "revise", "void"):
            yield f"{leaf.kind} of {leaf.number} stands in the public log twice: entry {size} repeats it"
        leaves[leaf.kind, leaf.number, leaf.revision] = leaf
        for level in range(_merged(size)):
            hashed, node = hasher.hash_pair(peaks.pop(), hashed), next(nodes, None)
            if node is None or (node.level, node.place, node.hash) != (level + 1, size >> level + 1, hashed.hex()):
                yield f"a hash above entry {size} of the public log was altered"
        peaks.append(hashed)
        size += 1
        published = next(heads, None)
        yield from _head(published, size, hasher.hash_fold(peaks[::-1]), keys, last)
        last = iso_utc(published.signed_at) if published else last
    if next(nodes, None) is not None or next(heads, None) is not None:
        yield f"the public log ends at entry {size}, but hashes or heads of more are published"


def _rows(session: Session, table: sa.Table, order: sa.Column[Any]) -> Iterator[Any]:
    streamed = {"stream_results": True, "max_row_buffer": 5000}
    return iter(session.connection().execute(sa.select(table).order_by(order), execution_options=streamed))


def _merged(size: int) -> int:
    """How many subtrees the next leaf completes: the ones at the end of the size in binary."""
    return (size ^ (size + 1)).bit_length() - 1


def _leaf(row: Any) -> Leaf | None:
    try:
        leaf = Leaf.model_validate_json(row.leaf)
    except ValidationError:
        return None
    same = leaf.canonical() == row.leaf.encode() and (leaf.number, leaf.revision) == (row.number, row.revision)
    return leaf if same else None


def _head(row: Any, size: int, root: bytes, keys: Keys, last: str) -> Iterator[str]:
    if row is None or row.size != size:
        yield f"the head of the public log at size {size} is missing"
        return
    published = signed_head(row)
    if published.root != root.hex():
        yield f"the head of the public log at size {size} is not that of its entries"
    if not published.signed_by(keys):
        yield f"no known key signed the head of the public log at size {size}"
    if published.signed_at < last:
        yield f"the head of the public log at size {size} is dated before the one before it"


def _records(session: Session, leaves: Leaves) -> Iterator[str]:
    """Where the log and the records differ. What happened before there was a log is not expected in it."""
    found = ((kind, row) for kind, rows in EXPECTED for row in session.connection().execute(rows))
    for kind, (number, revision, *digests, at, since_log) in found:
        leaf = leaves.pop((kind, number, revision), None)
        if leaf is None:
            if since_log:
                yield f"{number} {kind}: not in the public log"
            continue
        if [leaf.content_sha256, leaf.pdf_sha256] != digests:
            yield f"{number} rev. {revision} is not the one in the public log"
        recorded = datetime.fromisoformat(leaf.at)
        if not at <= recorded <= at + LATEST:
            yield f"{number} {kind} is dated {iso_utc(at)}, but was put into the public log at {leaf.at}"
    for kind, number, revision in leaves:
        yield f"the public log tells of {number} rev. {revision} ({kind}), of which there is no record"
    yield from _lots(session)


def _lots(session: Session) -> Iterator[str]:
    """Where a document is kept for another lot than stands in it: the log names no lot, the content that it commits to does."""
    for table in (_C, _B):
        wanted = sa.select(table.c.number, table.c.content, _L.c.lot_number).join(_L, _L.c.id == table.c.lot_id)
        for row in session.connection().execute(wanted, execution_options={"yield_per": 500}):
            stated = json.loads(row.content)["lot"]["number"]
            if stated != row.lot_number:
                yield f"{row.number} was issued for lot {stated}, but is kept as that of lot {row.lot_number}"
