"""A certificate checked without the server that issued it: the file, its proof of the public log, and whom the one who checks trusts."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from pydantic import ValidationError

from api.checking import Examine, Outcome
from api.checks import Check, judged, minute, of_file, said
from api.keys import Trusted
from domain.certificates.log_check import LATEST
from domain.certificates.proofs import Leaf, Proof
from domain.certificates.reading import empty
from domain.errors import Invalid, Reason
from reports.checking import Found

#: What stands in the log about a revision, the worst first, and what it makes of the certificate.
_SINCE = {
    "recall": Outcome.GENUINE_RECALLED,
    "withdraw": Outcome.GENUINE_WITHDRAWN,
    "revise": Outcome.GENUINE_SUPERSEDED,
    "supersede": Outcome.GENUINE_SUPERSEDED,
}
#: What shows that the file is not the one that was issued; and what must be right before it is called genuine.
_OF_FILE = ("entry", "signature", "attachments", "active", "dated")
_NEEDED = ("entry", "inclusion", "head", "signature")


@dataclass(frozen=True, slots=True)
class CheckedOffline:
    """The answer. `unproved`: nothing is wrong with the file, but it does not lead to a signer and a log that are trusted.

    as_of: up to when the log was asked; what became of it later is not known.
    """

    outcome: Outcome | Literal["unproved"]
    sha256: str
    certificate_number: str
    revision: int | None
    lot_number: str | None
    as_of: str
    checks: tuple[Check, ...]


def proof_in(data: bytes) -> Proof:
    """The proof in a file. Raises Invalid."""
    try:
        return Proof.model_validate_json(data)
    except ValidationError as error:
        first = error.errors()[0]
        text = f"this is no proof of the public log: {'.'.join(map(str, first['loc']))}: {first['msg']}"
        raise Invalid(Reason("proof-not-readable", text, "proof")) from None


def check_offline(data: bytes, proof: Proof, trusted: Trusted, examine: Examine) -> CheckedOffline:
    """Hold a file against its proof. Nothing is asked of anybody."""
    if not data:
        raise empty()
    found = examine(data, [one.dump() for one in trusted.certificates])
    sha256, leaf = hashlib.sha256(data).hexdigest(), proof.entry.leaf
    other = leaf.pdf_sha256 != sha256 and _says_another(found, leaf)
    checks = (
        *_of_log(sha256, proof, trusted, f"{found.number} revision {found.revision}" if other else ""),
        *(
            _pinned(one, found, trusted)
            for one in of_file(found, None if other else leaf.content_sha256, issued=not other)
        ),
        *(() if other else (_dated(found, proof), *_since(proof))),
    )
    return CheckedOffline(
        _outcome(found, proof, checks), sha256, leaf.number, leaf.revision, found.lot_number, proof.stated_at, checks
    )


def _says_another(found: Found, leaf: Leaf) -> bool:
    """Whether the data in the file say that it is another document, or another revision, than the one that the proof is about."""
    return found.number is not None and (found.number, found.revision) != (leaf.number, leaf.revision)


def _of_log(sha256: str, proof: Proof, trusted: Trusted, other: str) -> Iterator[Check]:
    leaf, keys = proof.entry.leaf, dict(trusted.log_keys)
    named = {"number": leaf.number, "revision": leaf.revision}
    same = leaf.pdf_sha256 == sha256 and leaf.kind in ("issue", "revise")
    if other:
        yield said("entry", "other", "not_possible", own=other, **named)
    else:
        yield judged(same, "entry", "same", "differs", **named)
    yield judged(proof.contained(), "inclusion", "proved", "wrong", size=proof.head.size)
    if not keys:
        yield said("head", "unpinned", "not_possible")
    else:
        signed = proof.head.signed_by(keys) and proof.signed_by(keys)
        yield judged(signed, "head", "signed", "wrong", key=proof.key_id[:16])


def _pinned(one: Check, found: Found, trusted: Trusted) -> Check:
    """Without trusted certificates an unknown signer is no failure, but nobody has vouched for them either."""
    if one.code == "signer" and found.signature is not None and not trusted.certificates:
        return said("signer", "unpinned", "not_possible", signer=found.signature.signer)
    return one


def _dated(found: Found, proof: Proof) -> Check:
    at = proof.entry.leaf.at
    if found.issued_at is None or found.issued_at.tzinfo is None:
        return said("dated", "unknown", "not_possible")
    try:
        within = -LATEST / 60 <= datetime.fromisoformat(at) - found.issued_at <= LATEST  # clocks may differ by a minute
    except (ValueError, TypeError):
        within = False
    return judged(within, "dated", "same", "back", issued=minute(found.issued_at), at=at)


def _since(proof: Proof) -> Iterator[Check]:
    later = {one.leaf.kind for one in proof.later}
    if not later:
        yield said("since", "nothing", at=proof.stated_at)
    for kind in _SINCE:
        if kind in later:
            yield said("since", kind, "failed")


def _outcome(found: Found, proof: Proof, checks: tuple[Check, ...]) -> Outcome | Literal["unproved"]:
    states = {one.code: one.state for one in checks}
    if any(states.get(code) == "failed" for code in _OF_FILE):
        return Outcome.ALTERED if found.number == proof.entry.leaf.number else Outcome.NOT_OURS
    vouched = found.signature is not None and found.signature.trusted_by is not None
    if not vouched or any(states.get(code) != "ok" for code in _NEEDED):
        return "unproved"
    later = {one.leaf.kind for one in proof.later}
    if not later & _SINCE.keys() and found.expires_on is not None and datetime.now(UTC).date() > found.expires_on:
        return Outcome.GENUINE_EXPIRED
    return next((outcome for kind, outcome in _SINCE.items() if kind in later), Outcome.GENUINE_CURRENT)
