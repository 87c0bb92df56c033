"""The dossier of a lot as a ZIP that opens, reads and can be verified without this system. The same state gives the same bytes."""

import hashlib
import json
import re
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import rfc8785
from sqlmodel import Session, col, select

from domain.deviations.models import Deviation
from domain.deviations.queries import deviation_file
from domain.disposition.export_page import index_page
from domain.disposition.export_records import Records, audit_of, people_in, records_of, sealed_texts
from domain.disposition.models import DossierExport
from domain.disposition.queries import lot_file
from domain.errors import NotFound, Reason, Stale
from domain.lots.models import Lot
from domain.people.models import User
from domain.permissions import Permission
from domain.store import reading
from domain.work import Actor, Command, Site, Work, operation

#: ZIP keeps times of the clock on the wall; of an export that is the same each time there is none.
_NO_TIME = (1980, 1, 1, 0, 0, 0)
Files = dict[str, bytes]


class ExportDossier(Command):
    """Take everything that is known of a lot out of the system."""

    lot_number: str


def _ready(site: Site, _actor: Actor, command: ExportDossier) -> bytes:
    with reading(site.engine, consistent=True) as session:
        return dossier_zip(session, site, command.lot_number)


@operation(Permission.READ_AUDIT, prepare=_ready)
def export_dossier(work: Work, command: ExportDossier) -> bytes:
    """The ZIP; who took it, when, and its SHA-256 are on record."""
    data: bytes | None = work.prepared
    if data is None:
        raise Stale(Reason("changed-meanwhile", "the dossier was not put together; try again"))
    lot = _lot(work.session, command.lot_number)
    digest = hashlib.sha256(data).hexdigest()
    work.add(DossierExport(lot_id=lot.key, sha256=digest, exported_at=work.now, exported_by=work.actor.user_id))
    return data


def dossier_zip(session: Session, site: Site, lot_number: str) -> bytes:
    """Raises NotFound."""
    lot = _lot(session, lot_number)
    records = records_of(session, lot)
    dossier = _told(session, site, lot, records)
    files: Files = {
        "dossier.json": rfc8785.dumps(dossier),
        "records.json": _json(sealed_texts(records)),
        "audit.json": _json(audit_of(session, records)),
        "verify.py": Path(__file__).with_name("verify_dossier.py").read_bytes(),
        **_documents(site, records),
    }
    files["index.html"] = index_page(dossier, {name: _sum(data) for name, data in files.items()}, site.profile).encode()
    lines = [f"{_sum(files[name])}  {name}\n" for name in sorted(files)]
    files["SHA256SUMS"] = "".join(lines).encode()
    return _zipped(files)


def _lot(session: Session, lot_number: str) -> Lot:
    if lot := session.exec(select(Lot).where(Lot.lot_number == lot_number)).first():
        return lot
    raise NotFound(Reason("lot-not-found", f"there is no lot {lot_number!r}", "lot_number"))


def _told(session: Session, site: Site, lot: Lot, records: Records) -> dict[str, Any]:
    """What a person reads: the lot, what it is made of, and every deviation, each whole; people by name."""
    now = site.clock()
    today = site.today(now)
    numbers = [row["lot_number"] for row in records["lot"].values() if row["id"] != lot.id]
    found = [lot_file(session, number, now, today, None) for number in (lot.lot_number, *sorted(numbers))]
    plain = [one.model_dump(mode="json", exclude={"actions"}) for one in found]
    deviations = session.exec(
        select(Deviation.number).where(col(Deviation.id).in_(records.get("deviation", {}))).order_by(Deviation.number)
    ).all()
    people = session.exec(select(User).where(col(User.id).in_(people_in(records))).order_by(col(User.id)))
    return {
        "lot": plain[0],
        "ancestors": plain[1:],
        "deviations": [
            deviation_file(session, number, today).model_dump(mode="json", exclude={"missing", "proposed"})
            for number in deviations
        ],
        "donors": [_donor(row) for row in records.get("donor", {}).values()],
        "people": [{"id": one.id, "name": one.name, "function": one.function} for one in people],
    }


def _donor(row: Mapping[str, Any]) -> dict[str, Any]:
    withdrawn = row["consent_withdrawn_on"]
    facts = {"pseudonym": row["pseudonym"], "tissue": str(row["tissue"].value)}
    return {**facts, "consent_withdrawn_on": withdrawn.isoformat() if withdrawn else None}


def _documents(site: Site, records: Records) -> Files:
    """Certificates, raw files, evidence: every stored file that the records name, under its digest."""
    return {
        f"files/{row['sha256'][:16]}-{_safe(row['name'])}": site.documents.get(row["sha256"])
        for row in records.get("document", {}).values()
    }


def _safe(name: str) -> str:
    """A name that every file system takes."""
    return re.sub(r"[^A-Za-z0-9._-]+", "_", name).strip(".")[-80:] or "file"


def _sum(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _json(value: Any) -> bytes:
    """Not RFC 8785: the texts in it are sealed as they are, and the numbers are whole."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, indent=1).encode()


def _zipped(files: Files) -> bytes:
    buffer = BytesIO()
    with ZipFile(buffer, "w", ZIP_DEFLATED) as archive:
        for name in sorted(files):
            info = ZipInfo(name, _NO_TIME)
            info.compress_type, info.create_system, info.external_attr = ZIP_DEFLATED, 3, 0o644 << 16
            archive.writestr(info, files[name])
    return buffer.getvalue()
