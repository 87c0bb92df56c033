"""The public log of what was issued, revised, withdrawn, recalled and voided: a Merkle tree that can only grow (RFC 9162).

An entry is written in the transaction of its act, together with the hashes of the subtrees that it completes and a signed head. With those, an
append and a proof read O(log n) rows, never the log.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pymerkle import BaseMerkleTree
from sqlmodel import Session

from domain.certificates.models import LogEntry, LogNode, TreeHead
from domain.certificates.proofs import Included, Kind, Leaf, Proof, SignedHead, hasher, leaf_hash, sign_head, sign_proof
from domain.errors import Invalid, NotFound, Reason, Refused
from domain.store import Prepared, iso_utc
from domain.work import Work

__all__ = ["Kind", "append", "consistency", "entries", "head", "history", "proof_of"]

_ENTRY, _NODE, _HEAD = LogEntry.__table__, LogNode.__table__, TreeHead.__table__  # type: ignore[attr-defined]

_LOG_LOCK = 0x45584C47  # one appender at a time on PostgreSQL, from its append to its commit

LOG_KEY_MISSING = Reason(
    "log-key-missing", "the key of the public log is not set: without it nothing can be issued, withdrawn or recalled"
)

#: The most entries in one answer.
MOST = 1000

_newest = Prepared(sa.select(_HEAD).order_by(_HEAD.c.size.desc()).limit(1))


def append(
    work: Work,
    kind: Kind,
    number: str,
    revision: int | None,
    content_sha256: str | None,
    pdf_sha256: str | None,
) -> SignedHead:
    """Add an entry about a certificate in the transaction of its act; returns the new head. Raises Refused without the log's key."""
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


class _Tree(BaseMerkleTree):  # type: ignore[misc]  # the library has no types
    """The log at a size, as pymerkle walks trees, with the hashes of the subtrees that one walk needs."""

    def __init__(self, size: int, nodes: dict[tuple[int, int], bytes]) -> None:
        super().__init__("sha256")
        self.size, self.nodes = size, nodes

    def _get_size(self) -> int:
        return self.size

    def _get_subroot(self, offset: int, width: int) -> bytes:
        level = width.bit_length() - 1
        return self.nodes[level, offset >> level]

    def _unused(self, *_arguments: Any) -> Any:
        raise NotImplementedError("the log is read and written by the functions of this module")

    _encode_entry = _store_leaf = _get_leaf = _get_leaves = _unused

    def path(self, position: int) -> list[bytes]:
        """The inclusion path of a leaf (RFC 9162, 2.1.3.1): pymerkle's, less the leaf itself."""
        return list(self.prove_inclusion(position + 1, self.size).path[1:])

    def extension(self, first: int) -> list[bytes]:
        """The consistency path from an earlier size (RFC 9162, 2.1.4.1); pymerkle's is another where that size is a power of two."""
        return self._extension(first, 0, self.size, whole=True)

    def _extension(self, first: int, start: int, end: int, *, whole: bool) -> list[bytes]:
        if first == end - start:
            return [] if whole else [self._get_root(start, end)]
        middle = 1 << (end - start - 1).bit_length() - 1
        if first <= middle:
            return [
                *self._extension(first, start, start + middle, whole=whole),
                self._get_root(start + middle, end),
            ]
        return [
            *self._extension(first - middle, start + middle, end, whole=False),
            self._get_root(start, start + middle),
        ]


def complete(size: int) -> list[tuple[int, int]]:
    """The complete subtrees that a tree of this size consists of, as (level, place), from the right."""
    return [(level, (size >> level) - 1) for level in range(size.bit_length()) if size >> level & 1]


def _beside(position: int, size: int) -> list[tuple[int, int]]:
    """The leaf and the complete subtrees beside its way up."""
    beside = [(level, (position >> level) ^ 1) for level in range(size.bit_length())]
    return [(0, position), *((level, place) for level, place in beside if (place + 1) << level <= size)]


def head(session: Session) -> SignedHead | None:
    """The newest signed head; None while the log is empty."""
    found = _newest.rows(session.connection())
    return signed_head(found[0]) if found else None


def head_at(session: Session, size: int) -> SignedHead:
    """The head that was signed at a size. Raises NotFound."""
    found = session.connection().execute(sa.select(_HEAD).where(_HEAD.c.size == size)).first()
    if found is None:
        raise NotFound(Reason("log-size-unknown", "the public log has not had this size", "size"))
    return signed_head(found)


def signed_head(row: Any) -> SignedHead:
    """A row of the heads as it is published."""
    return SignedHead(
        size=row.size, root=row.root, signed_at=iso_utc(row.signed_at), key_id=row.key_id, signature=row.signature
    )


def entries(session: Session, start: int, end: int) -> list[tuple[int, str]]:
    """Position and leaf (canonical JSON) of the entries from start up to, not including, end; at most a thousand."""
    wanted = sa.select(_ENTRY.c.position, _ENTRY.c.leaf).where(_ENTRY.c.position >= start, _ENTRY.c.position < end)
    found = session.connection().execute(wanted.order_by(_ENTRY.c.position).limit(MOST))
    return [(row.position, row.leaf) for row in found]


def consistency(session: Session, first: int, second: int) -> list[str]:
    """The proof (hashes, hex) that the log at the second size is that at the first with entries added. Raises Invalid, NotFound."""
    if not 0 < first <= second:
        raise Invalid(Reason("log-sizes", "the first size is at least 1 and not above the second", "first"))
    head_at(session, second)
    wanted = {*complete(first), *complete(second), *_beside(first - 1, second)}
    tree = _Tree(second, _nodes(session, wanted))
    return [one.hex() for one in tree.extension(first)]


def history(session: Session, number: str) -> tuple[SignedHead | None, list[Included]]:
    """The newest head, and every entry about a number with its way to it, in the order of the log."""
    newest = head(session)
    found = sa.select(_ENTRY.c.position, _ENTRY.c.leaf).where(_ENTRY.c.number == number)
    rows = session.connection().execute(found.order_by(_ENTRY.c.position))
    leaves = [(row.position, Leaf.model_validate_json(row.leaf)) for row in rows]
    if newest is None or not leaves:
        return newest, []
    size = newest.size
    wanted = {*complete(size), *(one for position, _ in leaves for one in _beside(position, size))}
    tree = _Tree(size, _nodes(session, wanted))
    return newest, [
        Included(position=position, leaf=leaf, path=tuple(one.hex() for one in tree.path(position)))
        for position, leaf in leaves
    ]


def proof_of(
    session: Session, key: Ed25519PrivateKey | None, number: str, revision: int | None, now: datetime
) -> Proof:
    """Everything the log says of one revision (the newest, if none is named), signed. Raises NotFound, or Refused without the log's key."""
    if key is None:
        raise Refused(LOG_KEY_MISSING)
    newest, known = history(session, number)
    made = [one for one in known if one.leaf.kind in ("issue", "revise") and revision in (None, one.leaf.revision)]
    if newest is None or not made:
        raise NotFound(
            Reason("no-certificate", "The public log has no certificate with this number and revision.", "number")
        )
    later = [one for one in known if one.position > made[-1].position]
    return sign_proof(key, newest, made[-1], later, iso_utc(now))


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
