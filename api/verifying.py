"""The commands that tell whether a certificate is genuine: against the records of this server, or offline with its proof; and who signs here."""

import json
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from api.checking import Checked, Outcome, check
from api.checks import Check, judged, said
from api.keys import Trusted, signer_at, signing_state, trusted_in
from api.limited import EXAMINER
from api.offline import CheckedOffline, check_offline, proof_in
from api.settings import settings
from api.terminal import say, stop
from domain.certificates.content import BatchCertificateContent, CertificateContent
from domain.certificates.recognising import Issued, issued_as
from domain.errors import DomainError, Invalid, Reason
from domain.store import reading
from domain.work import Site

#: A machine may be slow to start the process that examines; no one waits at the other end of this.
examine = partial(EXAMINER.examine, patience=30)

File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True)]
OtherFile = typer.Option(exists=True, dir_okay=False, readable=True)

_STYLES = {"ok": "green", "failed": "red", "not_possible": "yellow"}


def verify_certificate(
    file: File,
    offline: Annotated[bool, typer.Option("--offline", help="without this server's records; needs --proof")] = False,
    proof: Annotated[Path | None, OtherFile] = None,
    trusted: Annotated[Path | None, OtherFile] = None,
    log_key: Annotated[Path | None, OtherFile] = None,
    redraw: Annotated[bool, typer.Option(help="draw it anew from the stored content and compare the bytes")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="the answer as JSON")] = False,
) -> None:
    """Tell whether a PDF is a genuine certificate that still counts: 0 if so, 1 if not; each check on a line of its own.

    Offline: --proof is the JSON of /api/v1/public/certificates/NUMBER/proof, --trusted a PEM file with the manufacturer's certificate or root
    (and the time-stamp authority's), --log-key one with the public keys of its log.
    """
    try:
        data = file.read_bytes()
        checked = _offline(data, proof, trusted, log_key) if offline else _online(settings().site(), data, redraw)
    except DomainError as error:
        raise stop(error.reasons) from None
    counts = checked.outcome is Outcome.GENUINE_CURRENT and all(one.state != "failed" for one in checked.checks)
    if as_json:
        typer.echo(json.dumps({"counts": counts, **asdict(checked)}, ensure_ascii=False, indent=2, default=str))
    else:
        _tell(checked, counts)
    if not counts:
        raise typer.Exit(1)


def _online(site: Site, data: bytes, redraw: bool) -> Checked:
    checked = check(site, data, examine)
    with reading(site.engine, consistent=True) as session:
        issued = issued_as(session, data, site.today())
    if issued is None or not redraw:
        return checked
    return replace(checked, checks=(*checked.checks, _redrawn(site, issued, data)))


def _redrawn(site: Site, issued: Issued, data: bytes) -> Check:
    """The stored content drawn anew against the first bytes of the file."""
    if issued.unsigned_size is None:
        return said("drawn", "before", "not_possible")
    kind = BatchCertificateContent if issued.document == "batch" else CertificateContent
    try:
        content = kind.model_validate_json(issued.content)
        drawn = site.print_certificate.draw(content, issued.look, site.documents.get)
    except (DomainError, ValidationError):  # content that was altered need not even be drawable
        drawn = b""
    size = issued.unsigned_size
    return judged(drawn == data[:size], "drawn", "same", "differs", size=size)


def _offline(data: bytes, proof: Path | None, trusted: Path | None, log_key: Path | None) -> CheckedOffline:
    if proof is None:
        text = "offline needs the proof: the JSON of /api/v1/public/certificates/NUMBER/proof?revision=N"
        raise Invalid(Reason("proof-missing", text, "--proof"))
    known = Trusted(_known("--trusted", trusted).certificates, _known("--log-key", log_key).log_keys)
    return check_offline(data, proof_in(proof.read_bytes()), known, examine)


def _known(option: str, file: Path | None) -> Trusted:
    try:
        return trusted_in(_pem(file.read_bytes())) if file else Trusted()
    except ValueError as error:
        raise Invalid(Reason("trusted-not-readable", f"{file}: {error}", option)) from None


def _pem(data: bytes) -> bytes:
    """A PEM file as it is; of the answer of /log/key, which is JSON, the keys in it."""
    if not data.lstrip().startswith(b"["):
        return data
    try:
        return "\n".join(str(one["pem"]) for one in json.loads(data)).encode()
    except (ValueError, KeyError, TypeError):
        raise ValueError("neither a PEM file nor the answer of /api/v1/public/log/key") from None


def _tell(checked: Checked | CheckedOffline, counts: bool) -> None:
    for one in checked.checks:
        say(f"{one.state.replace('_', ' '):<13}{one.code:<12}{one.en}", _STYLES[one.state])
    named = checked.certificate_number and f"{checked.certificate_number} rev. {checked.revision}: "
    as_of = f", as of {checked.as_of}" if isinstance(checked, CheckedOffline) else ""
    say(f"{named or ''}{str(checked.outcome).replace('_', ' ')}{as_of}", "green" if counts else "red")


def signing_certificate() -> None:
    """Tell who signs certificates here, until when, and what is wrong with it: 0 if certificates can be signed, 1 if not."""
    site = settings().site()
    state, signer = signing_state(site), signer_at(site)
    if signer is not None and state.not_after is not None:
        say(f"{state.subject}, until {state.not_after:%Y-%m-%d %H:%M} UTC")
        level = {"b": "B-T" if signer.stamps else "B-B", "lta": "B-LTA"}[signer.level]
        stamps = f", time-stamps from {signer.stamps.url}" if signer.stamps else ""
        say(f"PAdES {level}{stamps}; {len(signer.chain)} certificates in each signature")
    if state.development:
        say("a demonstration key: nobody vouches for it", "yellow")
    if state.warning:
        say(state.warning, "yellow" if not state.problem else "red")
    if state.problem or (state.left is not None and state.left.total_seconds() < 0):
        raise typer.Exit(1)
