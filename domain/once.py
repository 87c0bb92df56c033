"""A form that is sent twice is done once: its key is claimed in the transaction of the act, so a refused act leaves it free.

A key is no record: it stands outside the audit trail, and says nothing but that an act was done.
"""

import hashlib
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session, SQLModel

from domain.errors import Conflict, Reason
from domain.store import UtcDateTime

sent = sa.Table(
    "sent",
    SQLModel.metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("at", UtcDateTime, nullable=False),
)
#: Whoever comes second waits for the first, and then writes nothing.
_claim = sa.text("INSERT INTO sent (key, at) VALUES (:key, :at) ON CONFLICT (key) DO NOTHING").bindparams(
    sa.bindparam("at", type_=UtcDateTime)
)
SENT_ALREADY = Reason(
    "sent-already",
    "this was sent already, and what it did is recorded once; look at it before you send anything again",
)


def claim(session: Session, key: str, who: int | None, now: datetime) -> None:
    """Take the key for the act in progress. Raises Conflict where an act was done with it; key: as the sender chose it, who: the sender."""
    digest = hashlib.sha256(f"{who}:{key}".encode()).hexdigest()
    if session.connection().execute(_claim, {"key": digest, "at": now}).rowcount == 0:
        raise Conflict(SENT_ALREADY)
