"""`exolotl verify-certificate`: against the records of the server, and without any server at all."""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from fastapi.testclient import TestClient
from typer.testing import CliRunner, Result

from api.cli import app as command_line
from api.main import create_app
from api.settings import settings
from domain.certificates import log
from domain.certificates.models import Certificate
from domain.certificates.proofs import Proof, sign_proof
from domain.certificates.words import RevisionCause
from domain.disposition.certificates import ReviseCertificate, revise_certificate
from domain.disposition.decisions import RecallLot, recall_lot
from domain.store import reading
from domain.work import Site
from reports.look import Look
from reports.press import Press
from tests import build
from tests.behind import triggers_asleep
from tests.cast import Clock, act, credentials
from tests.signing.keys import authority, certified, laboratory, log_key, signer_of
from tests.stages import LOT

pytestmark = pytest.mark.stage("in_review")

Exolotl = Callable[..., Result]


@pytest.fixture
def exolotl(site: Site, monkeypatch: pytest.MonkeyPatch) -> Exolotl:
    """The command, with the site of the test for its own."""
    monkeypatch.setattr("api.settings.Settings.site", lambda _self: site)
    return lambda *typed: CliRunner().invoke(command_line, [str(one) for one in typed])


@pytest.fixture
def certificate(site: Site) -> Certificate:
    return build.released(site, LOT)


@pytest.fixture
def file(site: Site, certificate: Certificate, tmp_path: Path) -> Path:
    """The certificate as a clinic got it."""
    path = tmp_path / "coa.pdf"
    path.write_bytes(site.documents.get(certificate.pdf_sha256))
    return path


def states(done: Result) -> dict[str, str]:
    """How each check stands: code -> state."""
    return {one["code"]: one["state"] for one in json.loads(done.output)["checks"]}


@pytest.mark.requirement("URS-096")
def test_it_knows_its_own_draws_them_anew_and_tells_every_check(exolotl: Exolotl, site: Site, file: Path) -> None:
    genuine = exolotl("verify-certificate", file)
    assert genuine.exit_code == 0, genuine.output
    lines = genuine.output.splitlines()
    assert lines[-1] == "COA-2026-000001 rev. 1: genuine current"
    assert [line.split()[1] for line in lines[:4]] == ["digest", "record", "signature", "signer"]
    assert any(line.startswith("ok           drawn ") for line in lines)
    file.write_bytes(file.read_bytes() + b" ")
    altered = exolotl("verify-certificate", file)
    assert (altered.exit_code, altered.output.splitlines()[-1]) == (1, "COA-2026-000001 rev. 1: altered")
    file.write_bytes(b"a letter")
    other = exolotl("verify-certificate", file)
    assert (other.exit_code, other.output.splitlines()[-1]) == (1, "not ours")
    assert exolotl("verify-certificate", file.parent / "missing.pdf").exit_code == 2


@pytest.mark.requirement("URS-096")
def test_what_the_server_would_draw_today_is_compared_byte_for_byte(exolotl: Exolotl, site: Site, file: Path) -> None:
    told = exolotl("verify-certificate", file, "--json")
    assert (told.exit_code, json.loads(told.output)["counts"], states(told)["drawn"]) == (0, True, "ok")
    with triggers_asleep(site) as connection:
        connection.exec_driver_sql("UPDATE certificate SET content = replace(content, 'Lyophilisate', 'Lyophilised!')")
    told = exolotl("verify-certificate", file, "--json")
    assert (told.exit_code, json.loads(told.output)["outcome"]) == (1, "altered")
    assert (states(told)["record"], states(told)["drawn"], states(told)["digest"]) == ("failed", "failed", "ok")
    assert "drawn" not in states(exolotl("verify-certificate", file, "--json", "--no-redraw"))


@pytest.mark.requirement("URS-096")
def test_a_recalled_lot_has_no_certificate_that_counts(exolotl: Exolotl, site: Site, file: Path) -> None:
    recall(site)
    told = exolotl("verify-certificate", file)
    assert (told.exit_code, told.output.splitlines()[-1]) == (1, "COA-2026-000001 rev. 1: genuine recalled")


def recall(site: Site) -> None:
    command = RecallLot(lot_number=LOT, recall_class="II", reason="particles seen", credentials=credentials("cleo"))
    act(site, "cleo", recall_lot, command)


#: No database is asked, so one is enough to make the certificate with.
offline = pytest.mark.parametrize("databases", ["sqlite"], indirect=True)

# --- offline -------------------------------------------------------------------------------------------------------------


class Kept:
    """What a clinic keeps: the file, its proof, the manufacturer's certificate and the key of the log."""

    def __init__(self, folder: Path, file: Path, site: Site) -> None:
        self.folder, self.file, self.site = folder, file, site
        self.trusted, self.log_key = folder / "trusted.pem", folder / "log.pem"
        self.trusted.write_bytes(laboratory().certificate.public_bytes(Encoding.PEM))
        self.log_key.write_bytes(log_key().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))

    def ask(self, revision: int = 1) -> Proof:
        """What the log states now."""
        with reading(self.site.engine) as session:
            return log.proof_of(session, self.site.log_key, "COA-2026-000001", revision, self.site.clock())

    def check(self, proof: Proof | str | None = None, *more: object, pinned: bool = True) -> Result:
        """Check with this proof."""
        path = self.folder / "proof.json"
        path.write_text(proof if isinstance(proof, str) else (proof or self.ask()).model_dump_json())
        pins = ("--trusted", self.trusted, "--log-key", self.log_key) if pinned else ()
        typed = ("verify-certificate", self.file, "--offline", "--proof", path, "--json", *pins, *more)
        return CliRunner().invoke(command_line, [str(one) for one in typed])


@pytest.fixture
def kept(site: Site, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kept:
    """From here on there are no settings, and so no server."""

    def none() -> None:
        raise AssertionError("the settings were asked for")

    monkeypatch.setattr("api.verifying.settings", none)
    return Kept(tmp_path, file, site)


def outcome(done: Result) -> tuple[int, str]:
    return done.exit_code, json.loads(done.output)["outcome"]


@offline
@pytest.mark.requirement("URS-097")
def test_without_the_server_signature_digest_data_and_proof_are_checked(kept: Kept) -> None:
    told = kept.check()
    assert outcome(told) == (0, "genuine_current"), told.output
    assert states(told) == {
        "entry": "ok",
        "inclusion": "ok",
        "head": "ok",
        "signature": "ok",
        "signer": "ok",
        "timestamp": "not_possible",
        "attachments": "ok",
        "dated": "ok",
        "since": "ok",
    }
    kept.trusted.write_bytes(authority().certificate.public_bytes(Encoding.PEM))
    assert outcome(kept.check()) == (0, "genuine_current"), "the root will do as well"


@offline
@pytest.mark.requirement("URS-097")
def test_whom_nobody_vouches_for_is_not_called_genuine(kept: Kept) -> None:
    told = kept.check(pinned=False)
    assert outcome(told) == (1, "unproved")
    assert (states(told)["signer"], states(told)["head"]) == ("not_possible", "not_possible")
    kept.trusted.write_bytes(certified("Somebody").certificate.public_bytes(Encoding.PEM))
    told = kept.check()
    assert (outcome(told), states(told)["signer"]) == ((1, "unproved"), "failed")


@offline
@pytest.mark.requirement("URS-097", "URS-092")
def test_what_became_of_a_certificate_cannot_be_left_out_of_its_proof(kept: Kept) -> None:
    before = kept.ask()
    recall(kept.site)
    told = kept.check()
    assert (outcome(told), states(told)["since"]) == ((1, "genuine_recalled"), "failed")
    silent = kept.ask().model_copy(update={"later": ()})
    assert outcome(kept.check(silent)) == (1, "unproved")
    resigned = sign_proof(Ed25519PrivateKey.generate(), silent.head, silent.entry, (), silent.stated_at)
    assert outcome(kept.check(resigned)) == (1, "unproved")
    old = kept.check(before)
    assert outcome(old) == (0, "genuine_current"), "as of then, and it says so"
    assert json.loads(old.output)["as_of"] == before.stated_at


@offline
@pytest.mark.requirement("URS-097")
def test_a_proof_for_another_file_or_made_up_proves_nothing(kept: Kept) -> None:
    proof = kept.ask()
    data = kept.file.read_bytes()
    kept.file.write_bytes(data[:-30] + b"%" + data[-29:])
    assert outcome(kept.check(proof)) == (1, "altered")
    kept.file.write_bytes(b"%PDF-1.7 another file")
    assert outcome(kept.check(proof)) == (1, "not_ours")
    kept.file.write_bytes(data)
    forged = proof.model_copy(
        update={"entry": proof.entry.model_copy(update={"leaf": proof.entry.leaf.model_copy(update={"revision": 2})})}
    )
    told = kept.check(forged)
    assert (outcome(told), states(told)["inclusion"]) == ((1, "unproved"), "failed")
    for nonsense in ("", "{}", "[" * 100_000, proof.model_dump_json().replace('"size":', '"size":1' + "0" * 400)):
        told = kept.check(nonsense)
        assert (told.exit_code, told.output.split(":")[0]) == (1, "proof-not-readable")


@offline
@pytest.mark.requirement("URS-097")
def test_what_is_missing_for_an_offline_check_is_told(kept: Kept) -> None:
    without = CliRunner().invoke(command_line, ["verify-certificate", str(kept.file), "--offline"])
    assert (without.exit_code, "proof-missing" in without.output) == (1, True)
    kept.trusted.write_text("no certificate")
    told = kept.check()
    assert (told.exit_code, told.output.split(":")[0]) == (1, "trusted-not-readable")


@offline
@pytest.mark.requirement("URS-091", "URS-097")
def test_a_certificate_that_was_dated_back_is_found(site: Site, kept: Kept, clock: Clock) -> None:
    proof = kept.ask()
    later = (clock.now + timedelta(days=3)).isoformat()
    leaf = proof.entry.leaf.model_copy(update={"at": later.replace("+00:00", "Z")})
    told = kept.check(proof.model_copy(update={"entry": proof.entry.model_copy(update={"leaf": leaf})}))
    assert states(told)["dated"] == "failed"


@offline
@pytest.mark.requirement("URS-223")
def test_a_proof_of_another_revision_is_said_to_be_one(kept: Kept, site: Site, clock: Clock) -> None:
    clock.advance(days=2)
    command = ReviseCertificate(
        certificate_number="COA-2026-000001",
        cause=RevisionCause.WORDING_CORRECTED,
        reason="a typing error",
        credentials=credentials("cleo"),
    )
    act(site, "cleo", revise_certificate, command)
    told = kept.check(kept.ask(revision=2))
    assert outcome(told) == (1, "unproved"), "the file is not altered: the proof is of another revision"
    said = {one["code"]: one["en"] for one in json.loads(told.output)["checks"]}
    assert said["entry"] == (
        "The proof is about COA-2026-000001 revision 2, but the file says it is COA-2026-000001 revision 1: ask for the proof of that one."
    )
    assert not {"dated", "since"} & said.keys()
    assert outcome(kept.check()) == (1, "genuine_superseded")
    data = kept.file.read_bytes()
    kept.file.write_bytes(data[:5000] + bytes([data[5000] ^ 1]) + data[5001:])
    assert outcome(kept.check(kept.ask(revision=2))) == (1, "altered"), "a broken signature is one with any proof"


@offline
@pytest.mark.requirement("URS-088", "URS-097")
def test_after_a_change_of_keys_an_old_certificate_is_checked_with_the_old_ones(kept: Kept, site: Site) -> None:
    proof = kept.ask()
    changed = replace(
        site,
        print_certificate=Press(signer_of(certified("The New Key")), Look()),
        log_key=Ed25519PrivateKey.generate(),
    )
    kept.site = changed
    assert outcome(kept.check(proof)) == (0, "genuine_current")
    new = changed.log_key
    assert new is not None
    assert outcome(kept.check()) == (1, "unproved"), "stated with a key that the clinic does not know yet"
    with kept.log_key.open("ab") as more:
        more.write(new.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    assert outcome(kept.check()) == (0, "genuine_current")


@offline
@pytest.mark.requirement("URS-098")
def test_openssl_finds_the_signature_on_the_head_of_the_log_right(kept: Kept) -> None:
    import base64

    import rfc8785

    head = kept.ask().head
    fields = head.model_dump()
    (kept.folder / "sig").write_bytes(base64.b64decode(fields.pop("signature")))
    (kept.folder / "head").write_bytes(rfc8785.dumps(fields))
    command = [
        "openssl",
        "pkeyutl",
        "-verify",
        "-pubin",
        "-inkey",
        "log.pem",
        "-rawin",
        "-in",
        "head",
        "-sigfile",
        "sig",
    ]
    done = subprocess.run(command, cwd=kept.folder, capture_output=True, text=True, timeout=20, check=False)
    assert "Signature Verified Successfully" in done.stdout + done.stderr


# --- the public log over HTTP -----------------------------------------------------------------------------------------------


@pytest.fixture
def client(site: Site) -> Iterator[TestClient]:
    with TestClient(create_app(site, threads=4)) as opened:
        yield opened


@pytest.mark.requirement("URS-090", "URS-092")
def test_everything_an_offline_check_needs_is_had_over_http(client: TestClient, site: Site, kept: Kept) -> None:
    public = "/api/v1/public"
    head = client.get(f"{public}/log/head").json()
    (key,) = client.get(f"{public}/log/key").json()
    assert (head["size"], key["key_id"], key["current"]) == (1, head["key_id"], True)
    kept.log_key.write_text(client.get(f"{public}/log/key").text)
    as_json = kept.check()
    kept.log_key.write_bytes(client.get(f"{public}/log/key.pem").content)
    assert kept.log_key.read_text() == key["pem"]
    assert outcome(as_json) == outcome(kept.check()) == (0, "genuine_current"), "either form will do"
    kept.trusted.write_bytes(client.get(f"{public}/signing-certificates.pem").content)
    answer = client.get(f"{public}/certificates/COA-2026-000001/proof", params={"revision": 1})
    assert outcome(kept.check(answer.text)) == (0, "genuine_current")
    recall(site)
    grown = client.get(f"{public}/log/consistency", params={"first": 1, "second": 2}).json()
    assert (grown["first"], grown["second"]["size"], len(grown["path"])) == (head, 2, 1)
    (first, second) = client.get(f"{public}/log/entries", params={"start": 0}).json()
    assert (first["leaf"]["kind"], second["leaf"]["kind"], second["position"]) == ("issue", "recall", 1)
    assert outcome(kept.check(client.get(f"{public}/certificates/COA-2026-000001/proof").text))[1] == "genuine_recalled"
    assert client.get(f"{public}/certificates/COA-2026-000009/proof").status_code == 404
    assert client.get(f"{public}/log/consistency", params={"first": 0, "second": 2}).status_code == 422
    assert client.get(f"{public}/log/consistency", params={"first": 1, "second": 9}).status_code == 404


@offline
@pytest.mark.requirement("URS-097")
def test_an_installed_command_checks_offline_in_a_process_of_its_own(kept: Kept) -> None:
    proof = kept.folder / "own.json"
    proof.write_text(kept.ask().model_dump_json())
    command = [
        sys.executable,
        "-c",
        "from api.cli import app; app()",
        "verify-certificate",
        str(kept.file),
        "--offline",
    ]
    command += ["--proof", str(proof), "--trusted", str(kept.trusted), "--log-key", str(kept.log_key)]
    env: dict[str, Any] = {"EXOLOTL_DATABASE_URL": "nonsense://", "PATH": "/usr/bin:/bin"}
    root = Path(__file__).parents[2]
    done = subprocess.run(command, cwd=root, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1].startswith("COA-2026-000001 rev. 1: genuine current, as of 20")


def test_the_log_is_empty_before_anything_was_issued(client: TestClient) -> None:
    assert client.get("/api/v1/public/log/head").json()["type"] == "/problems/log-empty"
    assert client.get("/api/v1/public/log/entries").json() == []
    assert settings().log_key == ""


@offline
@pytest.mark.requirement("URS-090", "URS-098")
def test_the_program_of_the_documentation_checks_a_proof_with_python_alone(kept: Kept) -> None:
    page = (Path(__file__).parents[2] / "docs/verification.md").read_text()
    (program,) = re.findall(r"```python\n(.+?)```", page, re.DOTALL)
    recall(kept.site)

    def told(proof: Proof) -> subprocess.CompletedProcess[str]:
        (kept.folder / "proof.json").write_text(proof.model_dump_json())
        command = [sys.executable, "-I", "-S", "-c", program, "proof.json", kept.file.name]
        return subprocess.run(command, cwd=kept.folder, capture_output=True, text=True, timeout=30, check=False)

    proof = kept.ask()
    assert [line.split()[1:] for line in told(proof).stdout.splitlines()] == [
        ["issue", "COA-2026-000001", "rev.", "1"],
        ["recall", "COA-2026-000001", "rev.", "1"],
    ]
    forged = proof.model_copy(update={"entry": proof.entry.model_copy(update={"position": 1})})
    assert "it is not in the log" in told(forged).stderr
    kept.file.write_bytes(kept.file.read_bytes() + b" ")
    assert "the log names another file" in told(proof).stderr
