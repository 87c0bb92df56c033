"""The public log: its head, its entries, and the proofs that it only ever grew and holds a certificate (RFC 9162). No account is needed."""

from typing import Annotated

from asn1crypto import pem
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from api.deps import CheckCode, RowId, site_of
from api.keys import log_keys_of, trusted_at
from api.look_ups import LookUpRoute
from api.problems import answers
from domain.certificates import log
from domain.certificates.proofs import Leaf, Proof, SignedHead
from domain.certificates.published import published_proof
from domain.errors import NotFound, Reason
from domain.store import reading

router = APIRouter(
    prefix="/api/v1/public", tags=["public log"], responses=answers(404, 409, 422, 429), route_class=LookUpRoute
)

Size = Annotated[int, Query(ge=0, le=2**31 - 1)]


class LogKey(BaseModel):
    """A key that has signed the log: its id is the SHA-256 of its SubjectPublicKeyInfo."""

    key_id: str
    pem: str = Field(examples=["-----BEGIN PUBLIC KEY-----\n…"])
    current: bool


class LogEntryView(BaseModel):
    """An entry; its hash is the SHA-256 of 0x00 and the canonical JSON (RFC 8785) of `leaf`."""

    position: int
    leaf: Leaf


class Consistency(BaseModel):
    """That the log at `second` is the one at `first` with entries added: the proof of RFC 9162, 2.1.4, hashes in hex."""

    first: SignedHead
    second: SignedHead
    path: list[str]


@router.get("/log/head")
def head(request: Request, response: Response) -> SignedHead:
    """The newest signed head. Keep it: with it and a consistency proof you will see if anything before it is ever changed."""
    response.headers["Cache-Control"] = "no-cache"
    with reading(site_of(request).engine) as session:
        found = log.head(session)
    if found is None:
        raise NotFound(Reason("log-empty", "nothing was issued yet: the public log is empty"))
    return found


@router.get("/log/entries")
def entries(request: Request, start: Size = 0, end: Size = log.MOST) -> list[LogEntryView]:
    """The entries from `start` up to, not including, `end`; at most a thousand."""
    with reading(site_of(request).engine) as session:
        found = log.entries(session, start, end)
    return [LogEntryView(position=position, leaf=Leaf.model_validate_json(leaf)) for position, leaf in found]


@router.get("/log/consistency")
def consistency(request: Request, first: Size, second: Size) -> Consistency:
    """The proof that nothing was removed, reordered or altered between two sizes of the log, with the heads signed at each."""
    with reading(site_of(request).engine, consistent=True) as session:
        path = log.consistency(session, first, second)
        return Consistency(first=log.head_at(session, first), second=log.head_at(session, second), path=path)


@router.get("/log/key")
def keys(request: Request) -> list[LogKey]:
    """The public keys of the log: the one of today, and those that were used before. Keep them from a source that you trust."""
    site = site_of(request)
    own = site.log_key.public_key() if site.log_key else None
    known = log_keys_of(request.app.state.settings, site)
    return [
        LogKey(
            key_id=name,
            pem=key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode(),
            current=key == own,
        )
        for name, key in known.items()
    ]


@router.get("/log/key.pem", response_class=Response)
def keys_pem(request: Request) -> Response:
    """The same as a PEM file, as `exolotl verify-certificate --log-key` and openssl take it."""
    return Response("".join(one.pem for one in keys(request)), media_type="application/x-pem-file")


@router.get("/signing-certificates.pem", response_class=Response)
def signing_certificates(request: Request) -> Response:
    """The certificates that signatures here lead to: that of today's signing key, and what was used before or is trusted beside it (PEM)."""

    every = dict.fromkeys(one.dump() for one in trusted_at(site_of(request)))
    data = b"".join(pem.armor("CERTIFICATE", one) for one in every)
    return Response(data, media_type="application/x-pem-file")


@router.get("/certificates/{certificate_number}/proof")
def proof(
    certificate_number: str,
    request: Request,
    response: Response,
    revision: RowId | None = None,
    code: CheckCode = "",
) -> Proof:
    """Everything a check without this server needs (`exolotl verify-certificate FILE --offline --proof proof.json`): entry, path, signed head,
    and every later entry on the same number. The newest revision, unless one is named. Signed by the key of the log, as of this moment.
    """
    site = site_of(request)
    response.headers["Cache-Control"] = "no-cache"
    response.headers["Content-Disposition"] = 'attachment; filename="proof.json"'
    with reading(site.engine, consistent=True) as session:
        return published_proof(session, site.log_key, certificate_number, revision, code, site.clock())
