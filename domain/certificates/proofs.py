"""Proofs of the public log, as anybody checks them: without a database, a server, or trust in either (RFC 9162, 2.1).

A leaf is canonical JSON (RFC 8785). The hashes are those of RFC 9162: SHA-256 of 0x00 and the leaf, of 0x01 and two hashes. A tree head is
signed with Ed25519 over its canonical JSON.
"""

import base64
import binascii
import hashlib
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Annotated, Any, Literal

import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pydantic import Field
from pymerkle.hasher import MerkleHasher

from domain.certificates.content import Frozen

#: A count that canonical JSON can hold.
Count = Annotated[int, Field(ge=0, lt=2**53)]

#: What a leaf records. A recall marks the certificates of the lot; a batch certificate is superseded when the certificate that it names is
#: revised, and withdrawn with it; a void says that a number was taken and will never be used.
Kind = Literal["issue", "revise", "supersede", "withdraw", "recall", "void"]

hasher = MerkleHasher("sha256")


class Leaf(Frozen):
    """One act of the log: no person, no lot, and no words that could name one. at: when it was recorded, UTC.

    content_sha256, pdf_sha256: of the revision that it is about, empty for a void. The lot stands in the content: whoever holds the certificate
    can compare it, and whoever reads the log learns of no lot, as some are shown only to those who have the label in hand.
    """

    kind: Kind
    number: str
    revision: Count | None
    content_sha256: str | None
    pdf_sha256: str | None
    at: str

    def canonical(self) -> bytes:
        """The bytes that are hashed."""
        return rfc8785.dumps(self.model_dump())


class SignedHead(Frozen):
    """The log at a size: its root (hex), and the log's signature (base64) over the canonical JSON of everything else."""

    size: Count
    root: str
    signed_at: str
    key_id: str
    signature: str

    def signed_by(self, keys: Mapping[str, Ed25519PublicKey]) -> bool:
        """Whether one of these keys, by its id, made the signature."""
        return _signed(keys.get(self.key_id), self.signature, _stated(self.model_dump(exclude={"signature"})))


def sign_head(key: Ed25519PrivateKey, size: int, root: bytes, signed_at: str) -> SignedHead:
    """The head of the log at a size."""
    fields: dict[str, Any] = {
        "size": size,
        "root": root.hex(),
        "signed_at": signed_at,
        "key_id": key_id(key.public_key()),
    }
    return SignedHead(**fields, signature=base64.b64encode(key.sign(_stated(fields))).decode())


def key_id(key: Ed25519PublicKey) -> str:
    """The name of a log's key: SHA-256 of its SubjectPublicKeyInfo, hex (RFC 6962, 3.2)."""
    return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def leaf_hash(leaf: bytes) -> bytes:
    """SHA-256 of 0x00 and the leaf."""
    return bytes(hasher.hash_buff(leaf))


def includes(leaf: bytes, position: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Whether the leaf with this hash is at this position of the tree with that size and root (RFC 9162, 2.1.3.2)."""
    if not 0 <= position < size:
        return False
    at, last, node = position, size - 1, leaf
    for sibling in path:
        if last == 0:
            return False
        if at & 1 or at == last:
            node = hasher.hash_pair(sibling, node)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            node = hasher.hash_pair(node, sibling)
        at, last = at >> 1, last >> 1
    return last == 0 and node == root


def extends(first: int, first_root: bytes, second: int, second_root: bytes, path: Sequence[bytes]) -> bool:
    """Whether the second tree is the first with leaves added: nothing removed, reordered or altered (RFC 9162, 2.1.4.2)."""
    if first == second:
        return not path and first_root == second_root
    if not 0 < first < second or not path:
        return False
    nodes = [first_root, *path] if first & (first - 1) == 0 else list(path)
    at, last = first - 1, second - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    old = new = nodes[0]
    for sibling in nodes[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            old, new = hasher.hash_pair(sibling, old), hasher.hash_pair(sibling, new)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            new = hasher.hash_pair(new, sibling)
        at, last = at >> 1, last >> 1
    return last == 0 and old == first_root and new == second_root


class Included(Frozen):
    """A leaf with its way to the root of a tree (hashes, hex, from the leaf up)."""

    position: Count
    leaf: Leaf
    path: tuple[str, ...]

    def within(self, head: SignedHead) -> bool:
        """Whether that tree holds it."""
        try:
            path, root = [bytes.fromhex(one) for one in self.path], bytes.fromhex(head.root)
        except ValueError:
            return False
        return includes(leaf_hash(self.leaf.canonical()), self.position, head.size, path, root)


class Proof(Frozen):
    """Everything that a check without our server needs of the log about one revision of a certificate, as of `stated_at`.

    entry: its issue. later: every entry on the same number after it, up to the head: what became of it. The signature of the log's key is over
    the canonical JSON of everything else, so that nothing can be left out of `later` by whoever hands the proof on.
    """

    version: Literal["1"] = "1"
    stated_at: str
    head: SignedHead
    entry: Included
    later: tuple[Included, ...]
    key_id: str
    signature: str

    def signed_by(self, keys: Mapping[str, Ed25519PublicKey]) -> bool:
        """Whether one of these keys, by its id, states this."""
        return _signed(keys.get(self.key_id), self.signature, _stated(self.model_dump(exclude={"signature"})))

    def contained(self) -> bool:
        """Whether every entry is in the tree of the head, in the order of the log, and about one number."""
        every = (self.entry, *self.later)
        rising = all(one.position < after.position for one, after in pairwise(every))
        return rising and all(one.within(self.head) and one.leaf.number == self.entry.leaf.number for one in every)


def sign_proof(
    key: Ed25519PrivateKey, head: SignedHead, entry: Included, later: Sequence[Included], stated_at: str
) -> Proof:
    """What the log says of a revision at a time."""
    draft = Proof(
        stated_at=stated_at, head=head, entry=entry, later=tuple(later), key_id=key_id(key.public_key()), signature=""
    )
    signature = key.sign(_stated(draft.model_dump(exclude={"signature"})))
    return draft.model_copy(update={"signature": base64.b64encode(signature).decode()})


def _stated(fields: dict[str, Any]) -> bytes:
    return rfc8785.dumps(fields)


def _signed(key: Ed25519PublicKey | None, signature: str, signed: bytes) -> bool:
    if key is None:
        return False
    try:
        key.verify(base64.b64decode(signature, validate=True), signed)
    except (InvalidSignature, binascii.Error):
        return False
    return True
