"""The audit trail, for those who may read it."""

# ruff: noqa: B008 - acting() and asking() are declarations that FastAPI reads, like Depends()

from typing import Any

from fastapi import APIRouter, Query
from pydantic import AwareDatetime

from api.deps import RowId, asking
from api.problems import answers
from domain.audit_queries import EntriesFound, find_entries
from domain.permissions import Permission

router = APIRouter(prefix="/api/v1", tags=["audit"], responses=answers(401, 403, 422))


@router.get("/audit")
def audit_trail(
    record: str | None = Query(default=None, description="table name", examples=["lot"]),
    record_id: RowId | None = None,
    actor: str | None = Query(default=None, description="printed name of the person"),
    since: AwareDatetime | None = None,
    until: AwareDatetime | None = None,
    before: RowId | None = Query(default=None, description="`next` of the page before"),
    limit: int = Query(default=50, ge=1, le=500),
    ask: Any = asking(Permission.READ_AUDIT),
) -> EntriesFound:
    """Sealed entries, newest first, by record, person and time."""
    return ask(  # type: ignore[no-any-return]
        find_entries,
        record=record,
        record_id=record_id,
        actor=actor,
        since=since,
        until=until,
        before=before,
        limit=limit,
    )
