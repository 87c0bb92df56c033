"""Issued certificates: content and file are stored once, and never made again."""

from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Field

from domain.store import AppendOnly, moment


class Certificate(AppendOnly, table=True):
    """One revision of a certificate of analysis.

    content: the canonical JSON (RFC 8785) that everything on the PDF comes from; content_sha256 stands on the PDF; pdf_sha256: the stored file.
    audit_sequence, audit_sha256: the head of the audit chain when it was made, which stands on the PDF too.
    """

    number: str
    revision: int
    lot_id: int = Field(foreign_key="lot.id")
    specification_id: int = Field(foreign_key="specification.id")
    signature_id: int = Field(foreign_key="signature.id")
    content: str
    content_sha256: str
    pdf_sha256: str = Field(foreign_key="document.sha256")
    audit_sequence: int
    audit_sha256: str
    issued_at: datetime = moment()
    issued_by: int = Field(foreign_key="app_user.id")
    supersedes_id: int | None = Field(default=None, foreign_key="certificate.id", unique=True)

    __table_args__ = (
        sa.UniqueConstraint("number", "revision"),
        sa.UniqueConstraint("lot_id", "revision"),
        sa.CheckConstraint("revision >= 1", name="revision"),
    )
