"""Files are found by the digest of their bytes, wherever they are kept, and an altered one is never handed out."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.documents import Corrupt, Documents
from domain.errors import NotFound


@pytest.fixture(scope="session")
def s3() -> Iterator[str]:
    """An object store on the loopback, with the bucket `records`."""
    import httpx
    from moto.server import ThreadedMotoServer

    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "testing")
        server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
        server.start()
        host, port = server.get_host_and_port()
        httpx.put(f"http://{host}:{port}/records").raise_for_status()
        yield f"http://{host}:{port}"
        server.stop()


@pytest.fixture(params=["folder", "file", "memory", "s3"])
def documents(request: pytest.FixtureRequest, tmp_path: Path) -> Documents:
    """A store of each kind."""
    if request.param == "s3":
        return Documents(f"s3://records/files?endpoint={request.getfixturevalue('s3')}&region=us-east-1")
    urls = {"folder": str(tmp_path / "kept"), "file": f"file://{tmp_path}/kept", "memory": "memory://"}
    return Documents(urls[request.param])


def test_bytes_come_back_by_their_digest(documents: Documents) -> None:
    digest = documents.put(b"raw data of an instrument")
    assert digest == hashlib.sha256(b"raw data of an instrument").hexdigest()
    assert documents.get(digest) == b"raw data of an instrument"
    assert documents.put(b"raw data of an instrument") == digest


def test_an_empty_file_is_a_file(documents: Documents) -> None:
    assert documents.get(documents.put(b"")) == b""


def test_a_file_that_was_never_kept_is_not_found(documents: Documents) -> None:
    with pytest.raises(NotFound) as refusal:
        documents.get("0" * 64)
    assert refusal.value.reasons[0].code == "document-not-found"


@pytest.mark.requirement("URS-036")
def test_altered_bytes_are_never_handed_out(documents: Documents) -> None:
    import obstore

    digest = documents.put(b"7.40")
    obstore.put(documents._store, documents._path(digest), b"7.60")
    with pytest.raises(Corrupt, match=digest):
        documents.get(digest)


def test_only_known_kinds_of_store_are_opened() -> None:
    with pytest.raises(ValueError, match="allowed are"):
        Documents("ftp://nowhere/x")


@given(st.binary(max_size=200))
def test_any_bytes_come_back_as_they_were(data: bytes) -> None:
    store = Documents("memory://")
    assert store.get(store.put(data)) == data
