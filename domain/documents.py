"""Content-addressed files (raw data of instruments, issued PDFs): a local folder, or S3.

A file's name is the SHA-256 of its bytes, so a file can be written before the act that mentions it commits: if the act
fails, an unnamed file stays behind, harmless. Bytes are checked against their name on every read.
"""

import hashlib
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import obstore
from obstore.store import LocalStore, MemoryStore, ObjectStore, S3Store
from sqlmodel import Field

from domain.errors import NotFound, Reason
from domain.store import AppendOnly


class Document(AppendOnly, table=True):
    """What is known of a stored file beside its bytes."""

    sha256: str = Field(unique=True, min_length=64, max_length=64)
    name: str
    media_type: str
    size: int


class Corrupt(RuntimeError):
    """Bytes in the store no longer match their name."""


class Documents:
    """The store of files; `url`: a folder (`data/documents`, `file:///…`), `s3://bucket/prefix?endpoint=…`, or `memory://`."""

    def __init__(self, url: str) -> None:
        self._store, self._prefix = _open(url)

    def _path(self, sha256: str) -> str:
        return f"{self._prefix}{sha256[:2]}/{sha256}"

    def put(self, data: bytes) -> str:
        """Keep the bytes; returns their SHA-256 (hex). Keeping the same bytes twice is one file."""
        sha256 = hashlib.sha256(data).hexdigest()
        obstore.put(self._store, self._path(sha256), data)
        return sha256

    def get(self, sha256: str) -> bytes:
        """The bytes of that digest. Raises NotFound, or Corrupt when they no longer match it."""
        try:
            data = bytes(obstore.get(self._store, self._path(sha256)).bytes())
        except FileNotFoundError:
            raise NotFound(Reason("document-not-found", f"no file with SHA-256 {sha256} is stored")) from None
        if hashlib.sha256(data).hexdigest() != sha256:
            raise Corrupt(f"the stored file {sha256} was altered")
        return data


def _open(url: str) -> tuple[ObjectStore, str]:
    parts = urlsplit(url)
    if parts.scheme == "memory":
        return MemoryStore(), ""
    if parts.scheme == "s3":
        options = parse_qs(parts.query)
        endpoint = options.get("endpoint", [None])[0]
        extra = {"endpoint": endpoint, "virtual_hosted_style_request": False} if endpoint else {}
        plain = {"client_options": {"allow_http": True}} if endpoint and endpoint.startswith("http://") else {}
        prefix = parts.path.strip("/")
        region = options.get("region", ["us-east-1"])[0]
        return S3Store(parts.netloc, region=region, **extra, **plain), f"{prefix}/" if prefix else ""  # type: ignore[arg-type]
    if parts.scheme not in ("", "file"):
        raise ValueError(f"no document store for {parts.scheme!r}: allowed are a folder, file:// and s3://")
    folder = Path(parts.path if parts.scheme else url).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    return LocalStore(folder), ""
