"""Numbers, issued certificates, their withdrawal, and the transparency log: facts that are written once and never made again."""

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import Field

from domain.certificates.words import RevisionCause
from domain.store import AppendOnly, coded, moment


class DocumentKind(StrEnum):
    """The two documents a lot can have; they are never merged (domain.md 0)."""

    ANALYSIS = "analysis"
    BATCH = "batch"


class CertificateNumber(AppendOnly, table=True):
    """A number taken for a lot before its document is drawn and signed, in an act of its own.

    Signing may wait for a time-stamp authority, and must not hold the database's write lock meanwhile. An issue that fails leaves the number with
    its lot, for the next try; a lot that will never have the document has its number voided. specification_id: a lot has one document of each kind
    for each of its release specifications; empty in what was taken before it could have several.
    """

    number: str = Field(unique=True)
    kind: DocumentKind = coded(DocumentKind)
    lot_id: int = Field(foreign_key="lot.id")
    taken_at: datetime = moment()
    taken_by: int = Field(foreign_key="app_user.id")
    specification_id: int | None = Field(default=None, foreign_key="specification.id")

    __table_args__ = (sa.UniqueConstraint("lot_id", "kind", "specification_id"),)


class VoidedNumber(AppendOnly, table=True):
    """A number that no document will ever have, and why: the series has no unexplained gap."""

    number_id: int = Field(foreign_key="certificate_number.id", unique=True)
    reason: str
    voided_at: datetime = moment()
    voided_by: int = Field(foreign_key="app_user.id")


class Certificate(AppendOnly, table=True):
    """One revision of a certificate of analysis.

    content: the canonical JSON (RFC 8785) that everything on the PDF comes from; content_sha256 stands on the PDF; pdf_sha256: the stored file.
    audit_sequence, audit_sha256: the head of the audit chain when it was made, which stands on the PDF too.
    unsigned_size, unsigned_sha256: the file begins with exactly these bytes, which are the same wherever the content is drawn; what follows is
    the signature. revision_cause: why there is a revision after the first. look: in what it was drawn (JSON; a logo by its SHA-256).
    All these are empty in what was issued before they were kept.
    """

    number: str
    revision: int
    lot_id: int = Field(foreign_key="lot.id")
    specification_id: int = Field(foreign_key="specification.id")
    signature_id: int = Field(foreign_key="signature.id")
    content: str
    content_sha256: str
    pdf_sha256: str = Field(foreign_key="document.sha256", index=True)
    audit_sequence: int
    audit_sha256: str
    issued_at: datetime = moment()
    issued_by: int = Field(foreign_key="app_user.id")
    supersedes_id: int | None = Field(default=None, foreign_key="certificate.id", unique=True)
    unsigned_size: int | None = None
    unsigned_sha256: str | None = Field(default=None, index=True)
    revision_cause: RevisionCause | None = coded(RevisionCause, default=None, nullable=True)
    look: str | None = None

    __table_args__ = (
        sa.UniqueConstraint("number", "revision"),
        sa.UniqueConstraint("lot_id", "specification_id", "revision"),
        sa.CheckConstraint("revision >= 1", name="revision"),
    )


class Withdrawal(AppendOnly, table=True):
    """A revision that no longer counts although no other takes its place; signed by QA, with the reason. A later revision may be issued."""

    certificate_id: int = Field(foreign_key="certificate.id", unique=True)
    reason: str
    withdrawn_at: datetime = moment()
    withdrawn_by: int = Field(foreign_key="app_user.id")
    signature_id: int = Field(foreign_key="signature.id")


class BatchCertificate(AppendOnly, table=True):
    """The batch certificate of a certified lot, and with it its line in the register of certified batches (EU GMP Annex 16; AMWHV 17(5)).

    register_entry: 1, 2, 3 …, without a gap. content, digests and sizes as those of a certificate of analysis.
    """

    number: str = Field(unique=True)
    lot_id: int = Field(foreign_key="lot.id", unique=True)
    certificate_id: int = Field(foreign_key="certificate.id")
    signature_id: int = Field(foreign_key="signature.id")
    register_entry: int = Field(unique=True)
    content: str
    content_sha256: str
    pdf_sha256: str = Field(foreign_key="document.sha256", index=True)
    unsigned_size: int
    unsigned_sha256: str = Field(index=True)
    look: str
    issued_at: datetime = moment()
    issued_by: int = Field(foreign_key="app_user.id")


class LogEntry(AppendOnly, table=True):
    """A leaf of the public log: an issue, revision, withdrawal, recall or void, as canonical JSON without any person.

    position: 0, 1, 2 … in the tree. leaf_hash: SHA-256 of 0x00 and the leaf (RFC 9162, 2.1.1), hex.
    """

    position: int = Field(unique=True)
    leaf: str
    leaf_hash: str = Field(index=True)
    number: str = Field(index=True)
    revision: int | None = None


class LogNode(AppendOnly, table=True):
    """The hash of a complete subtree: of the 2^level leaves from place * 2^level on. With these, a proof reads O(log n) rows."""

    level: int
    place: int
    hash: str

    __table_args__ = (sa.UniqueConstraint("level", "place"),)


class TreeHead(AppendOnly, table=True):
    """The root of the log at a size, signed with the log's key: once published it cannot be taken back unseen (RFC 9162, 4.10)."""

    size: int = Field(unique=True)
    root: str
    signed_at: datetime = moment()
    signature: str
    key_id: str
