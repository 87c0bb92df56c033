"""The public log of what was issued, revised, withdrawn, recalled and voided: a Merkle tree that can only grow (RFC 9162).

An entry is written in the transaction of its act, together with the hashes of the subtrees that it completes and a signed head. With those, an
append and a proof read O(log n) rows, never the log.
"""

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from domain.certificates.models import LogEntry, LogNode, TreeHead
from domain.certificates.proofs import Kind, Leaf, SignedHead, hasher, leaf_hash, sign_head
from domain.errors import Reason, Refused
from domain.store import Prepared, iso_utc
from domain.work import Work

__all__ = ["Kind", "append", "head"]

_ENTRY, _NODE, _HEAD = LogEntry.__table__, LogNode.__table__, TreeHead.__table__  # type: ignore[attr-defined]

_LOG_LOCK = 0x45584C47  # one appender at a time on PostgreSQL, from its append to its commit

LOG_KEY_MISSING = Reason(
    "log-key-missing", "the key of the public log is not set: without it nothing can be issued, withdrawn or recalled"
)

_newest = Prepared(sa.select(_HEAD).order_by(_HEAD.c.size.desc()).limit(1))


def append(
    work: Work,
    kind: Kind,
    number: str,
    revision: int | None,
    lot_number: str | None,
    content_sha256: str | None,
    pdf_sha256: str | None,
) -> SignedHead:
    """Add an entry about a certificate in the transaction of its act; returns the new head. Raises Refused without the log's key.

    A void names no lot: that one was never released, and is known to nobody.
    """
    key = work.site.log_key
    if key is None:
        raise Refused(LOG_KEY_MISSING)
    connection = work.session.connection()
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOG_LOCK})")
    leaf = Leaf(
        kind=kind,
        number=number,
        revision=revision,
        lot_number=None if kind == "void" else lot_number,
        content_sha256=content_sha256,
        pdf_sha256=pdf_sha256,
        at=iso_utc(work.now),
    )
    last = head(work.session)
    position = last.size if last else 0
    digest = leaf_hash(leaf.canonical())
    work.add(
        LogEntry(
            position=position, leaf=leaf.canonical().decode(), leaf_hash=digest.hex(), number=number, revision=revision
        )
    )
    signed = sign_head(key, position + 1, _grow(work, position, digest), iso_utc(work.now))
    work.add(TreeHead(**{**signed.model_dump(), "signed_at": work.now}))
    return signed


def _grow(work: Work, position: int, digest: bytes) -> bytes:
    """Write the hashes of the subtrees that a new leaf completes; returns the root with it."""
    peaks = _nodes(work.session, complete(position))
    level, hashed = 0, digest
    while position >> level & 1:
        hashed = hasher.hash_pair(peaks.pop((level, (position >> level) - 1)), hashed)
        level += 1
        work.add(LogNode(level=level, place=position >> level, hash=hashed.hex()))
    return bytes(hasher.hash_fold([hashed, *(peaks[one] for one in sorted(peaks))]))


def complete(size: int) -> list[tuple[int, int]]:
    """The complete subtrees that a tree of this size consists of, as (level, place), from the right."""
    return [(level, (size >> level) - 1) for level in range(size.bit_length()) if size >> level & 1]


def head(session: Session) -> SignedHead | None:
    """The newest signed head; None while the log is empty."""
    found = _newest.rows(session.connection())
    return _signed(found[0]) if found else None


def _signed(row: Any) -> SignedHead:
    return SignedHead(
        size=row.size, root=row.root, signed_at=iso_utc(row.signed_at), key_id=row.key_id, signature=row.signature
    )


def _nodes(session: Session, wanted: Iterable[tuple[int, int]]) -> dict[tuple[int, int], bytes]:
    """The hashes of these subtrees, in one statement; those of a single leaf stand in its entry."""
    leaves = [place for level, place in wanted if level == 0]
    others = [one for one in wanted if one[0] > 0]
    found = sa.union_all(
        sa.select(sa.literal(0).label("level"), _ENTRY.c.position, _ENTRY.c.leaf_hash).where(
            _ENTRY.c.position.in_(leaves)
        ),
        sa.select(_NODE.c.level, _NODE.c.place, _NODE.c.hash).where(
            sa.tuple_(_NODE.c.level, _NODE.c.place).in_(others)
        ),
    )
    return {(level, place): bytes.fromhex(digest) for level, place, digest in session.connection().execute(found)}
