"""The bare limit: FastAPI `def` routes that do the same with the raw driver, and nothing else."""

import hashlib
import itertools
import json
import threading
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from typing import Any

import anyio.to_thread
from fastapi import FastAPI, Response, UploadFile

from api.settings import settings
from benchmarks.drivers import connect

LOOK_UP = """
SELECT l.lot_number, l.state, l.expires_on, c.number, c.revision, c.issued_at, c.content_sha256, c.pdf_sha256,
    (SELECT m.moved_at FROM lot_move m WHERE m.lot_id = l.id ORDER BY m.id DESC LIMIT 1), c.content
FROM lot l JOIN certificate c ON c.lot_id = l.id WHERE l.lot_number = ? ORDER BY c.revision DESC LIMIT 1
"""
GENUINE = """
SELECT c.number, c.revision, c.content_sha256, l.lot_number, l.state, l.expires_on
FROM certificate c JOIN lot l ON l.id = c.lot_id WHERE c.pdf_sha256 = ?
"""
READING = """
INSERT INTO reading (version, step_id, parameter, entered_value, entered_unit, value, unit, comment, happened_at,
    recorded_at, late, recorded_by, reason)
VALUES (1, ?, ?, ?, ?, ?, ?, '', ?, ?, ?, 1, '')
"""
ENTRY = """
INSERT INTO audit_entry (sequence, at, actor_id, actor, act, outcome, reason, previous, digest)
VALUES (?, ?, 1, 'Tom Takes', 'log_reading', 'done', '', ?, ?)
"""
NOW = "2026-11-22T10:08:35.000000Z"


def create_app() -> FastAPI:
    """Three routes."""
    url = settings().database_url
    lite = url.startswith("sqlite")
    wanted = (LOOK_UP, READING, ENTRY, GENUINE)
    look_up, reading, entry, genuine = (sql if lite else sql.replace("?", "%s") for sql in wanted)
    lock: AbstractContextManager[Any] = threading.Lock() if lite else nullcontext()
    own, numbers = threading.local(), itertools.count(1_000_000)

    def connection() -> Any:
        if not hasattr(own, "connection"):
            own.connection = connect(url)
        return own.connection

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = settings().worker_threads()
        yield

    app = FastAPI(lifespan=lifespan)

    @app.get("/lots/{number}")
    def look(number: str) -> Response:
        row = connection().execute(look_up, (number,)).fetchone()
        return Response(f"{json.dumps(row[:-1], default=str)[:-1]}, {row[-1]}]", media_type="application/json")

    @app.post("/verify")
    def verify(file: UploadFile) -> Response:
        digest = hashlib.sha256(file.file.read()).hexdigest()
        row = connection().execute(genuine, (digest,)).fetchone()
        return Response(json.dumps({"sha256": digest, "found": row}, default=str), media_type="application/json")

    @app.post("/steps/{step_id}/readings", status_code=201)
    def log(step_id: int, body: dict[str, str]) -> Response:
        count, db = next(numbers), connection()
        with lock:
            db.execute("BEGIN IMMEDIATE" if lite else "BEGIN")
            db.execute(
                reading,
                (step_id, body["parameter"], body["value"], body["unit"], body["value"], body["unit"], NOW, NOW, False),
            )
            db.execute(entry, (count, NOW, f"{count:064}", f"{count:064}"))
            db.execute("COMMIT")
        return Response(json.dumps({"id": count, **body}), 201, media_type="application/json")

    return app
