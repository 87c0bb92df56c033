"""A key that never leaves its token: a SoftHSM made for the test, spoken to as to any PKCS#11 device."""

import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pkcs11.exceptions import PKCS11Error

from domain.errors import Refused, Unavailable
from reports.keys import TokenKey, from_pkcs11
from reports.signing import Signer
from tests.signing.keys import Certified, certified
from tests.signing.papers import unsigned
from tests.signing.test_signing import judged, poppler, refusal

AT = datetime(2026, 3, 2, 8, 30, tzinfo=UTC)
MODULES = ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so")
PIN = "2718"


class Token(NamedTuple):
    module: str
    label: str


@pytest.fixture(scope="module")
def token(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Token]:
    """A token with an EC and an RSA key, each with its certificate, and one key with the certificate of another."""
    module = next((one for one in MODULES if Path(one).exists()), None)
    assert module is not None, "install softhsm2 and opensc (`make browser` does)"
    folder = tmp_path_factory.mktemp("token")
    (folder / "tokens").mkdir()
    (folder / "softhsm2.conf").write_text(f"directories.tokendir = {folder}/tokens\nobjectstore.backend = file\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOFTHSM2_CONF", str(folder / "softhsm2.conf"))
        _run("softhsm2-util", "--init-token", "--free", "--label", "exolotl", "--pin", PIN, "--so-pin", "31415926")
        made = Token(module, "exolotl")
        _put(made, folder, "ec", 1, certified())
        _put(made, folder, "rsa", 2, certified(key=rsa.generate_private_key(65537, 2048)))
        _put(made, folder, "mixed up", 3, Certified(certified().key, certified().certificate))
        yield made


def _put(token: Token, folder: Path, label: str, number: int, own: Certified) -> None:
    key, certificate = folder / f"{number}.key", folder / f"{number}.der"
    key.write_bytes(own.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))
    certificate.write_bytes(own.certificate.public_bytes(Encoding.DER))
    tool = ("pkcs11-tool", "--module", token.module, "--token-label", token.label, "--login", "--pin", PIN)
    for kind, file in (("privkey", key), ("cert", certificate)):
        _run(*tool, "--write-object", str(file), "--type", kind, "--id", f"0{number}", "--label", label)


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, timeout=30)


Opened = Callable[..., Signer]


@pytest.fixture
def opened(token: Token) -> Iterator[Opened]:
    """A signer with a key on the token; when the test is over nobody is signed in to it any more."""
    keys: list[TokenKey] = []

    def signer(key: str, pin: str = PIN, label: str | None = None) -> Signer:
        def once() -> TokenKey:
            keys.append(from_pkcs11(token.module, label or token.label, key, pin))
            return keys[-1]

        return Signer(once)

    yield signer
    for key in keys:
        with suppress(PKCS11Error):
            key.pkcs11_session.close()


@pytest.mark.requirement("URS-084", "URS-098")
@pytest.mark.parametrize("key", ["ec", "rsa"])
def test_a_key_on_a_token_signs(opened: Opened, key: str, tmp_path: Path) -> None:
    signer = opened(key)
    signed = signer.sign(unsigned(), AT)
    assert signed.startswith(unsigned())
    assert judged(signed).bottom_line
    assert "Signature is Valid." in poppler(signed, tmp_path)
    assert "Test Laboratory Quality" in signer.subject


@pytest.mark.requirement("URS-084")
def test_a_token_signs_for_several_at_once(opened: Opened) -> None:
    signer, made = opened("ec"), []
    threads = [threading.Thread(target=lambda: made.append(signer.sign(unsigned(), AT))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(made) == 6
    assert all(judged(one).bottom_line for one in made)


@pytest.mark.requirement("URS-085")
def test_what_is_wrong_with_a_token_is_told_and_a_wrong_pin_is_tried_once_only(opened: Opened) -> None:
    wrong = opened("ec", pin="0000")
    for _ in range(5):
        assert refusal(Refused, lambda: wrong.sign(unsigned(), AT)) == "signing-key-not-usable"
    right = opened("ec")
    assert right.sign(unsigned(), AT), "the token was not locked by it"
    assert refusal(Refused, lambda: opened("mixed up").sign(unsigned(), AT)) == "signing-key-not-usable"
    assert refusal(Unavailable, lambda: opened("none").sign(unsigned(), AT)) == "signing-key-unavailable"
    away = opened("ec", label="on the train")
    assert refusal(Unavailable, lambda: away.sign(unsigned(), AT)) == "signing-key-unavailable"
    nothing = Signer(lambda: from_pkcs11("/nowhere/module.so", "exolotl", "ec", PIN))
    assert refusal(Unavailable, lambda: nothing.sign(unsigned(), AT)) == "signing-key-unavailable"


@pytest.mark.requirement("URS-085")
def test_a_token_that_was_away_is_used_again_when_it_is_back(opened: Opened) -> None:
    signer = opened("ec")
    assert signer.sign(unsigned(), AT)
    assert isinstance(signer._opened, TokenKey)
    signer._opened.pkcs11_session.close()
    assert refusal(Unavailable, lambda: signer.sign(unsigned(), AT)) == "signing-key-unavailable"
    assert judged(signer.sign(unsigned(), AT)).bottom_line
