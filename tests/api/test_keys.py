"""From settings to keys: what is set wrong is told at the start, demo keys say that they are, and the end of a certificate is seen coming."""

import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    pkcs12,
)
from fastapi.testclient import TestClient
from pydantic import ValidationError
from typer.testing import CliRunner

from api import keys
from api.cli import app as command_line
from api.development import log_key as kept_log_key
from api.development import signing_key as kept_signing_key
from api.main import create_app
from api.settings import Settings
from domain.documents import Documents
from domain.errors import Refused
from domain.store import engine_for
from domain.work import Site
from reports.keys import HeldKey
from reports.look import Look
from reports.press import Press
from reports.signing import DEMONSTRATION, Signer
from tests.cast import Clock
from tests.signing.keys import authority, certified, laboratory, log_key, signer_of
from tests.signing.papers import unsigned
from tests.signing.test_signing import judged, refusal

AT = datetime(2026, 3, 2, 8, 30, tzinfo=UTC)


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    """Key files as a laboratory has them."""
    own, above = laboratory(), [authority().certificate]
    made = pkcs12.serialize_key_and_certificates(
        b"key", own.key, own.certificate, above, BestAvailableEncryption(b"open")
    )
    written = {
        "p12": made,
        "log": log_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        "trusted": authority().certificate.public_bytes(Encoding.PEM)
        + Ed25519PrivateKey.generate().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        "rubbish": b"nothing",
    }
    for name, data in written.items():
        (tmp_path / name).write_bytes(data)
    return {name: str(tmp_path / name) for name in written}


@pytest.mark.requirement("URS-084", "URS-088")
def test_keys_are_what_the_settings_name(files: dict[str, str]) -> None:
    known = Settings(
        signing_pkcs12=files["p12"], signing_password="open", log_key=files["log"], trusted=files["trusted"]
    )
    signing = keys.signer_of(known)
    assert signing is not None
    assert judged(signing.sign(unsigned(), AT)).bottom_line
    named = keys.log_key_of(known)
    assert named is not None
    assert named.public_key() == log_key().public_key()
    trusted = keys.trusted_of(known)
    assert (len(trusted.certificates), len(trusted.log_keys)) == (1, 1)
    site = Site(engine_for("sqlite://"), Documents("memory://"), Press(signing, Look()), log_key=log_key())
    assert len(keys.log_keys_of(known, site)) == 2
    assert [one.subject.native["common_name"] for one in keys.trusted_at(site)] == [
        "Test Laboratory Quality",
        "Test Laboratory Root",
    ]


@pytest.mark.requirement("URS-085", "URS-086")
@pytest.mark.parametrize(
    ("chosen", "told"),
    [
        ({"signing_pkcs12": "p12", "signing_pkcs11": "p12"}, "not both"),
        ({"signing_pkcs11": "p12"}, "EXOLOTL_SIGNING_TOKEN"),
        ({"signing_pkcs12": "/nowhere/key.p12"}, "there is no file"),
        ({"trusted": "rubbish"}, "EXOLOTL_TRUSTED: there is no certificate"),
        ({"log_key": "rubbish"}, "EXOLOTL_LOG_KEY"),
        ({"log_key": "p12"}, "EXOLOTL_LOG_KEY"),
        ({"timestamp_url": "http://127.0.0.1:9/"}, "root of that authority"),
        ({"signing_level": "lta"}, "needs EXOLOTL_TIMESTAMP_URL"),
        ({"signing_level": "c"}, "signing_level"),
    ],
)
def test_what_cannot_be_meant_is_told_at_the_start(files: dict[str, str], chosen: dict[str, str], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        Settings(**{name: files.get(value, value) for name, value in chosen.items()})  # type: ignore[arg-type]


@pytest.mark.requirement("URS-085")
def test_a_wrong_password_is_told_when_the_key_is_needed(files: dict[str, str]) -> None:
    wrong = keys.signer_of(Settings(signing_pkcs12=files["p12"], signing_password="shut"))
    assert wrong is not None
    assert refusal(Refused, lambda: wrong.sign(unsigned(), AT)) == "signing-key-not-usable"


@pytest.mark.requirement("URS-086")
def test_without_a_key_nothing_signs_and_outside_of_demo_mode_none_is_made(tmp_path: Path) -> None:
    bare = Settings(keys=str(tmp_path / "keys"))
    assert (keys.signer_of(bare), keys.log_key_of(bare)) == (None, None)
    assert not (tmp_path / "keys").exists()


@pytest.mark.requirement("URS-086")
def test_demo_keys_are_made_once_kept_private_and_say_what_they_are(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    demo = Settings(demo=True, keys=str(folder))
    signing, again = keys.signer_of(demo), keys.signer_of(demo)
    assert signing is not None
    assert again is not None
    assert signing.is_development
    assert DEMONSTRATION in signing.subject
    assert all(DEMONSTRATION in one.subject.human_friendly for one in signing.chain)
    assert len(signing.chain) == 2
    assert signing.certificate.dump() == again.certificate.dump()
    first, second = keys.log_key_of(demo), keys.log_key_of(demo)
    assert first is not None
    assert second is not None
    assert first.public_key() == second.public_key()
    assert signing.sign(unsigned(), AT).startswith(unsigned())
    assert {stat.S_IMODE(one.stat().st_mode) for one in folder.iterdir()} == {0o600}


@pytest.mark.requirement("URS-086")
@pytest.mark.parametrize("make", [kept_signing_key, kept_log_key])
def test_processes_that_start_together_share_one_demo_key(make: Callable[[Path], bytes], tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = set(pool.map(lambda _: make(tmp_path / "keys"), range(8)))
    assert len(made) == 1
    assert len(list((tmp_path / "keys").iterdir())) == 1, "nothing half-made is left behind"


# --- the end of a certificate ---------------------------------------------------------------------------------------------


def ending(in_: timedelta) -> Site:
    """A laboratory whose certificate ends in that time."""
    own = certified("Ending Laboratory", valid=(AT - timedelta(days=300), AT + in_))
    return Site(
        engine_for("sqlite://"),
        Documents("memory://"),
        Press(signer_of(own), Look()),
        clock=Clock(AT),
        log_key=log_key(),
    )


@pytest.mark.requirement("URS-087")
@pytest.mark.parametrize(
    ("left", "told"),
    [
        (timedelta(days=61), ""),
        (timedelta(days=59, hours=1), "ends on 2026-04-30, in 59 days"),
        (timedelta(hours=3), "in 0 days"),
        (timedelta(days=-1), "ended on 2026-03-01: nothing can be issued"),
    ],
)
def test_the_end_of_the_signing_certificate_is_shown_from_sixty_days_before(left: timedelta, told: str) -> None:
    state = keys.signing_state(ending(left))
    assert (state.left, state.development) == (left, False)
    assert (told in state.warning) if told else (state.warning == "")


def _unopened() -> HeldKey:
    raise keys.not_usable("the token refuses the PIN")


@pytest.mark.requirement("URS-087")
def test_a_key_that_cannot_be_opened_is_told_and_look_ups_still_work(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    broken = replace(site, print_certificate=Press(Signer(_unopened), Look()))
    assert (
        keys.signing_state(broken).warning == "Nothing can be issued, withdrawn or recalled: the token refuses the PIN."
    )
    assert keys.trusted_at(broken) == ()
    with TestClient(create_app(broken, threads=4)) as client:
        ready = client.get("/health/ready")
        assert (ready.status_code, ready.json()["status"]) == (200, "ready")
        assert "refuses the PIN" in ready.json()["signing"]
        assert "exolotl_signing_certificate_expires_seconds NaN" in client.get("/metrics").text
    assert "refuses the PIN" in caplog.text
    assert "no signing key is set" in keys.signing_state(replace(site, print_certificate=Press(None, Look()))).warning


@pytest.mark.requirement("URS-087")
def test_how_long_the_certificate_lasts_is_measured(site: Site) -> None:
    own = certified("Ending Laboratory", valid=(AT - timedelta(days=300), site.clock() + timedelta(days=10)))
    with TestClient(create_app(replace(site, print_certificate=Press(signer_of(own), Look())), threads=4)) as client:
        assert "exolotl_signing_certificate_expires_seconds 864000.0" in client.get("/metrics").text
        assert "in 10 days" in client.get("/health/ready").json()["signing"]


@pytest.mark.requirement("URS-087")
def test_the_command_tells_who_signs_and_until_when(monkeypatch: pytest.MonkeyPatch) -> None:
    def told(site: Site) -> tuple[int, str]:
        monkeypatch.setattr("api.settings.Settings.site", lambda _self: site)
        done = CliRunner().invoke(command_line, ["signing-certificate"])
        return done.exit_code, done.output

    code, words = told(ending(timedelta(days=30)))
    assert code == 0
    assert "Ending Laboratory" in words
    assert "PAdES B-B; 2 certificates in each signature" in words
    assert "in 30 days: order a new one" in words
    assert told(ending(timedelta(days=-3)))[0] == 1
    assert told(replace(ending(timedelta(days=3)), print_certificate=Press(None, Look())))[0] == 1
