"""The public log can only grow, and anybody can tell: proofs as RFC 9162 has them, checked against two implementations that are not ours."""

import hashlib
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st
from pymerkle import InmemoryTree, verify_inclusion

from domain.certificates import log
from domain.certificates.log import _beside, _Tree, complete
from domain.certificates.log_check import check_log
from domain.certificates.proofs import (
    Included,
    Leaf,
    Proof,
    extends,
    includes,
    key_id,
    leaf_hash,
    sign_head,
    sign_proof,
)
from domain.disposition.decisions import RecallLot, recall_lot
from domain.errors import Invalid, NotFound, Refused
from domain.permissions import Permission
from domain.store import UtcDateTime, reading
from domain.work import Command, Site, Work, operation
from tests import build
from tests.behind import triggers_asleep
from tests.cast import Clock, act, credentials, raw
from tests.signing.keys import log_key
from tests.stages import LOT

KEYS = {key_id(log_key().public_key()): log_key().public_key()}


class NoteInLog(Command):
    """So many entries about nothing."""

    count: int
    first: int = 0


@operation(Permission.READ_RECORDS)
def note_in_log(work: Work, command: NoteInLog) -> None:
    for at in range(command.first, command.first + command.count):
        log.append(work, "issue", f"COA-2026-{at:06}", 1, "0" * 64, "1" * 64)


# --- the tree of RFC 9162, section 2.1, word for word: slow, and not ours ---------------------------------------------


def mth(leaves: list[bytes]) -> bytes:
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\0" + leaves[0]).digest()
    k = split(len(leaves))
    return hashlib.sha256(b"\1" + mth(leaves[:k]) + mth(leaves[k:])).digest()


def split(n: int) -> int:
    return max(1 << power for power in range(n.bit_length()) if 1 << power < n)


def path(m: int, leaves: list[bytes]) -> list[bytes]:
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    return [*path(m, leaves[:k]), mth(leaves[k:])] if m < k else [*path(m - k, leaves[k:]), mth(leaves[:k])]


def subproof(m: int, leaves: list[bytes], whole: bool) -> list[bytes]:
    if m == len(leaves):
        return [] if whole else [mth(leaves)]
    k = split(len(leaves))
    if m <= k:
        return [*subproof(m, leaves[:k], whole), mth(leaves[k:])]
    return [*subproof(m - k, leaves[k:], False), mth(leaves[:k])]


def tree(leaves: list[bytes], *needed: tuple[int, int]) -> _Tree:
    """Our tree, with no more hashes than it says it needs."""
    nodes = {(level, place): mth(leaves[place << level : (place + 1) << level]) for level, place in needed}
    return _Tree(len(leaves), nodes)


#: The leaves of the reference tests of Certificate Transparency (merkle_tree_test.cc), and the root at each size.
KNOWN = [bytes.fromhex(one) for one in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657")]
KNOWN.append(bytes(range(0x60, 0x70)))
ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)


@pytest.mark.requirement("URS-090")
def test_the_tree_is_the_one_of_the_reference_tests_of_certificate_transparency() -> None:
    for size, root in enumerate(ROOTS, 1):
        assert mth(KNOWN[:size]).hex() == root
        assert tree(KNOWN[:size], *complete(size)).get_root().hex() == root
    assert [one.hex()[:8] for one in tree(KNOWN, *complete(8), *_beside(0, 8)).path(0)] == [
        "96a296d2",
        "5f083f0a",
        "6b47aaf2",
    ]
    grown = tree(KNOWN, *complete(6), *complete(8), *_beside(5, 8)).extension(6)
    assert [one.hex()[:8] for one in grown] == ["0ebc5d34", "ca854ea1", "d37ee418"]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(max_size=4), min_size=1, max_size=70), st.data())
@pytest.mark.requirement("URS-090")
def test_every_entry_is_proved_to_be_in_the_log_and_nothing_else_is(leaves: list[bytes], data: st.DataObject) -> None:
    size = len(leaves)
    at = data.draw(st.integers(0, size - 1))
    known = tree(leaves, *complete(size), *_beside(at, size))
    found, root = known.path(at), mth(leaves)
    assert (found, known.get_root()) == (path(at, leaves), root)
    assert includes(leaf_hash(leaves[at]), at, size, found, root)
    verify_inclusion(leaf_hash(leaves[at]), root, known.prove_inclusion(at + 1, size), index=at + 1, size=size)
    assert not includes(leaf_hash(leaves[at] + b"!"), at, size, found, root)
    assert not includes(leaf_hash(leaves[at]), at, size, [*found, root], root)
    assert not includes(leaf_hash(leaves[at]), at, size, found[:-1], root) or size == 1
    for other in range(size):
        if leaves[other] != leaves[at]:
            assert not includes(leaf_hash(leaves[other]), at, size, found, root)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(max_size=4), min_size=1, max_size=70, unique=True), st.data())
@pytest.mark.requirement("URS-090", "URS-091")
def test_a_removed_reordered_or_altered_entry_is_found_by_whoever_kept_a_head(
    leaves: list[bytes], data: st.DataObject
) -> None:
    size = len(leaves)
    first = data.draw(st.integers(1, size))
    kept = mth(leaves[:first])

    def grown(now: list[bytes]) -> list[bytes]:
        end = len(now)
        return tree(now, *complete(first), *complete(end), *_beside(first - 1, end)).extension(first)

    assert grown(leaves) == subproof(first, leaves, True)
    assert extends(first, kept, size, mth(leaves), grown(leaves))
    at = data.draw(st.integers(0, first - 1))
    forged = {
        "altered": [*leaves[:at], leaves[at] + b"!!!!!", *leaves[at + 1 :]],
        "removed": [*leaves[:at], *leaves[at + 1 :]],
        "reordered": [*leaves[at:], *leaves[:at]],
        "put in": [*leaves[:at], b"an entry of yesterday", *leaves[at:]],
    }
    for what, now in forged.items():
        if now != leaves and len(now) >= first:
            for shown in (grown(now), grown(leaves), []):
                assert not extends(first, kept, len(now), mth(now), shown), what


@settings(max_examples=100, deadline=None)
@given(st.integers(-3, 40), st.integers(-3, 40), st.lists(st.binary(min_size=32, max_size=32), max_size=8), st.data())
def test_an_invented_proof_proves_nothing(first: int, second: int, made_up: list[bytes], data: st.DataObject) -> None:
    root, other = data.draw(st.binary(min_size=32, max_size=32)), data.draw(st.binary(min_size=32, max_size=32))
    assert not includes(root, first, second, made_up, other) or (root == other and second == 1)
    assert not extends(first, root, second, other, made_up) or (root == other and first == second)


@contextmanager
def counted(site: Site) -> Iterator[Callable[[], int]]:
    """How many rows were fetched and statements run by a session."""
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        seen.append(statement)

    sa.event.listen(site.engine, "before_cursor_execute", note)
    yield lambda: len(seen)
    sa.event.remove(site.engine, "before_cursor_execute", note)


@pytest.mark.requirement("URS-090")
def test_what_the_database_answers_is_what_the_whole_tree_would(site: Site) -> None:
    act(site, "cleo", note_in_log, NoteInLog(count=21))
    reference = InmemoryTree("sha256")
    with reading(site.engine) as session:
        leaves = [leaf.encode() for _, leaf in log.entries(session, 0, 99)]
        assert len(leaves) == 21
        for size in range(1, 22):
            reference.append_entry(leaves[size - 1])
            head = log.head_at(session, size)
            assert (head.root, head.signed_by(KEYS)) == (reference.get_root().hex(), True)
        root = bytes.fromhex(log.head_at(session, 21).root)
        for first in range(1, 22):
            shown = [bytes.fromhex(one) for one in log.consistency(session, first, 21)]
            assert extends(first, bytes.fromhex(log.head_at(session, first).root), 21, root, shown)
            proof = log.proof_of(session, log_key(), f"COA-2026-{first - 1:06}", 1, site.clock())
            assert proof.entry.leaf.canonical() == leaves[first - 1]
            assert proof.contained()


@pytest.mark.requirement("URS-090")
def test_proofs_and_appends_ask_as_often_of_a_long_log_as_of_a_short_one(site: Site) -> None:
    asked = {}
    for size in (3, 60):
        act(site, "cleo", note_in_log, NoteInLog(count=size - (3 if size > 3 else 0), first=size))
        with reading(site.engine) as session, counted(site) as so_far:
            log.proof_of(session, log_key(), f"COA-2026-{size:06}", 1, site.clock())
            log.consistency(session, 2, size)
        asked[size] = so_far()
        rows = raw(site, "SELECT count(*) FROM log_node")[0][0]
        assert rows == size - size.bit_count(), "one hash for each subtree that is complete"
    assert asked[3] == asked[60] <= 5


@pytest.mark.requirement("URS-089")
def test_nothing_is_logged_without_the_key_of_the_log(site: Site) -> None:
    with pytest.raises(Refused) as refusal:
        act(replace(site, log_key=None), "cleo", note_in_log, NoteInLog(count=1))
    assert refusal.value.reasons == (log.LOG_KEY_MISSING,)
    assert raw(site, "SELECT count(*) FROM log_entry") == [(0,)]


@pytest.mark.requirement("URS-089")
def test_acts_at_the_same_moment_stand_one_behind_the_other(site: Site) -> None:
    def one(first: int) -> None:
        act(site, "cleo", note_in_log, NoteInLog(count=5, first=first * 5))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(one, range(4)))
    assert [row[0] for row in raw(site, "SELECT position FROM log_entry ORDER BY position")] == list(range(20))
    checked = check_log(site.engine, KEYS)
    assert checked.entries == 20
    assert "no record" in str(checked.broken), "the tree is right; what it tells of is invented"


@pytest.mark.requirement("URS-089")
def test_an_act_that_is_undone_leaves_no_entry(site: Site) -> None:
    with pytest.raises(RuntimeError, match="power"):
        act(site, "cleo", _fail_after_logging, NoteInLog(count=2))
    assert raw(site, "SELECT count(*) FROM log_entry") == raw(site, "SELECT count(*) FROM tree_head") == [(0,)]


@operation(Permission.READ_RECORDS)
def _fail_after_logging(work: Work, command: NoteInLog) -> None:
    note_in_log(work, command)
    raise RuntimeError("power cut")


def test_sizes_that_the_log_has_not_had_are_refused(site: Site) -> None:
    act(site, "cleo", note_in_log, NoteInLog(count=3))
    with reading(site.engine) as session:
        for first, second in ((0, 3), (3, 2), (-1, 2)):
            with pytest.raises(Invalid, match="first size"):
                log.consistency(session, first, second)
        with pytest.raises(NotFound, match="has not had this size"):
            log.consistency(session, 1, 4)
        with pytest.raises(NotFound, match="no certificate"):
            log.proof_of(session, log_key(), "COA-2026-000000", 2, site.clock())


# --- the log of a laboratory -------------------------------------------------------------------------------------------


@pytest.fixture
def issued(site: Site) -> str:
    """The number of a certificate that was issued."""
    return build.released(site, LOT).number


def _proof(site: Site, number: str, revision: int | None = 1) -> Proof:
    with reading(site.engine) as session:
        return log.proof_of(session, site.log_key, number, revision, site.clock())


@pytest.mark.stage("in_review")
@pytest.mark.requirement("URS-089", "URS-092")
def test_an_issue_is_in_the_log_with_its_digests_and_without_any_person(site: Site, issued: str) -> None:
    proof = _proof(site, issued)
    leaf = proof.entry.leaf
    (row,) = raw(site, "SELECT content_sha256, pdf_sha256 FROM certificate")
    assert (leaf.kind, leaf.revision, (leaf.content_sha256, leaf.pdf_sha256)) == ("issue", 1, tuple(row))
    assert set(json.loads(leaf.canonical())) == {"kind", "number", "revision", "content_sha256", "pdf_sha256", "at"}
    assert LOT.encode() not in proof.model_dump_json().encode(), "whoever reads the log learns of no lot"
    assert proof.signed_by(KEYS)
    assert proof.head.signed_by(KEYS)
    assert proof.contained()
    checked = check_log(site.engine, KEYS)
    assert (checked.entries, checked.broken, checked.head) == (1, None, proof.head)


@pytest.mark.stage("in_review")
@pytest.mark.requirement("URS-089", "URS-092")
def test_a_recall_stands_behind_the_issue_and_cannot_be_left_out_of_the_proof(site: Site, issued: str) -> None:
    before = _proof(site, issued)
    recall = RecallLot(lot_number=LOT, recall_class="I", reason="contaminated", credentials=credentials("cleo"))
    act(site, "cleo", recall_lot, recall)
    after = _proof(site, issued)
    assert [one.leaf.kind for one in after.later] == ["recall"]
    assert (before.later, after.signed_by(KEYS), after.contained()) == ((), True, True)
    silent = after.model_copy(update={"later": ()})
    assert silent.contained(), "each entry is still in the tree"
    assert not silent.signed_by(KEYS), "but the log never stated that this was all"
    assert not before.model_copy(update={"head": after.head}).signed_by(KEYS)
    own = Ed25519PrivateKey.generate()
    assert not sign_proof(own, after.head, after.entry, (), after.stated_at).signed_by(KEYS)
    assert check_log(site.engine, KEYS).broken is None


TAMPERED = {
    "was altered": "UPDATE log_entry SET leaf = replace(leaf, 'COA-', 'COB-') WHERE position = 1",
    "entry 1 is missing": "UPDATE log_entry SET position = 77 WHERE position = 1",
    "a hash above": "UPDATE log_node SET hash = '{zeros}' WHERE level = 1 AND place = 0",
    "not that of its entries": "UPDATE tree_head SET root = '{zeros}' WHERE size = 2",
    "no known key": "UPDATE tree_head SET signature = '{zeros}' WHERE size = 3",
    "size 2 is missing": "DELETE FROM tree_head WHERE size = 2",
    "heads of more": "DELETE FROM log_entry WHERE position = 2",
}


@pytest.mark.parametrize("found", TAMPERED)
@pytest.mark.requirement("URS-091")
def test_whatever_is_done_to_the_log_behind_the_applications_back_is_found(site: Site, found: str) -> None:
    act(site, "cleo", note_in_log, NoteInLog(count=3))
    with triggers_asleep(site) as connection:
        connection.exec_driver_sql(TAMPERED[found].format(zeros="0" * 64))
    assert found in str(check_log(site.engine, KEYS).broken)


@pytest.mark.stage("in_review")
@pytest.mark.requirement("URS-091")
def test_a_certificate_beside_the_log_or_dated_back_is_found(site: Site, issued: str, clock: Clock) -> None:
    assert check_log(site.engine, {}).broken == "no known key signed the head of the public log at size 1"
    earlier = site.clock() - timedelta(days=3)
    with triggers_asleep(site) as connection:
        table = sa.table("certificate", sa.column("issued_at", UtcDateTime()))
        connection.execute(table.update().values(issued_at=earlier))
    assert f"{issued} issue is dated" in str(check_log(site.engine, KEYS).broken)
    with triggers_asleep(site) as connection:
        connection.exec_driver_sql("UPDATE certificate SET number = 'COA-2026-000099'")
    assert "COA-2026-000099 issue: not in the public log" in str(check_log(site.engine, KEYS).broken)


def test_a_leaf_has_one_form_only() -> None:
    leaf = Leaf(
        kind="void", number="COA-2026-000001", revision=None, content_sha256=None, pdf_sha256=None,
        at="2026-03-02T08:00:00.000000Z",
    )  # fmt: skip
    assert leaf.canonical() == (
        b'{"at":"2026-03-02T08:00:00.000000Z","content_sha256":null,"kind":"void",'
        b'"number":"COA-2026-000001","pdf_sha256":null,"revision":null}'
    )
    odd = Included(position=0, leaf=leaf, path=("not hex",))
    assert not odd.within(sign_head(log_key(), 1, bytes(32), leaf.at))
