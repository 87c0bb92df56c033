"""The dossier as a file: opens, reads and is verified without the system; the same state gives the same bytes."""

import hashlib
import io
import json
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from domain.disposition.export import ExportDossier, export_dossier
from domain.errors import Forbidden
from domain.work import Site
from tests import build
from tests.cast import act, raw
from tests.deviations.steps import opened, planned, settled
from tests.stages import LOT

AT_QA = pytest.mark.stage("in_review")


def taken(site: Site, number: str = LOT, who: str = "dov") -> bytes:
    return act(site, who, export_dossier, ExportDossier(lot_number=number))


def unpacked(data: bytes, folder: Path) -> Path:
    with ZipFile(io.BytesIO(data)) as archive:
        archive.extractall(folder)
    return folder


def verified(folder: Path) -> subprocess.CompletedProcess[str]:
    """By a plain Python, without the project or its libraries."""
    plain = [sys._base_executable, "-I", "-S", str(folder / "verify.py")]  # type: ignore[attr-defined]
    return subprocess.run(plain, capture_output=True, text=True, check=False, cwd=folder.parent)


@AT_QA
@pytest.mark.requirement("URS-193", "URS-194")
def test_a_dossier_is_verified_without_the_system_and_shows_what_was_altered(site: Site, tmp_path: Path) -> None:
    settled(site, opened(site, LOT), LOT)
    planned(site, "DEV26-0001")
    build.resubmitted(site, LOT)
    certificate = build.released(site, LOT)
    data = taken(site)
    folder = unpacked(data, tmp_path / "dossier")
    found = verified(folder)
    assert found.returncode == 0, found.stdout + found.stderr
    assert found.stdout.startswith("OK")

    told = json.loads((folder / "dossier.json").read_text())
    assert told["lot"]["lot"]["lot_number"] == LOT
    assert {"donation", "master_cell_bank", "raw_material"} <= {one["lot"]["kind"] for one in told["ancestors"]}
    assert told["deviations"][0]["actions"][0]["number"] == "CAPA26-0001"
    records = json.loads((folder / "records.json").read_text())
    assert {"reading", "result", "signature", "deviation_closure", "specification_line", "marker_result"} <= set(
        records
    )
    assert not {"app_user", "sign_in", "role_grant"} & set(records)
    assert "password" not in (folder / "records.json").read_text()
    pdfs = [one for one in (folder / "files").iterdir() if certificate.pdf_sha256.startswith(one.name[:16])]
    assert [hashlib.sha256(one.read_bytes()).hexdigest() for one in pdfs] == [certificate.pdf_sha256]

    for name, old, new in (
        ("records.json", "7.21", "7.31"),
        ("audit.json", "Tom Takes", "Tim Takes"),
        ("index.html", LOT, "UEV26-0002"),
    ):
        whole = (folder / name).read_text()
        (folder / name).write_text(whole.replace(old, new, 1))
        broken = verified(folder)
        assert broken.returncode == 1
        assert f"{name} was altered" in broken.stdout
        (folder / name).write_text(whole)
    (folder / "extra.txt").write_text("put in")
    assert "extra.txt is not named" in verified(folder).stdout


@AT_QA
def test_the_sums_alone_do_not_hide_a_change(site: Site, tmp_path: Path) -> None:
    """Whoever alters a record and makes the sums anew is found by the audit digests."""
    folder = unpacked(taken(site), tmp_path / "dossier")
    records = (folder / "records.json").read_text().replace("7.21", "7.31", 1)
    (folder / "records.json").write_text(records)
    lines = (folder / "SHA256SUMS").read_text().splitlines()
    anew = hashlib.sha256(records.encode()).hexdigest()
    told = [f"{anew}  records.json" if line.endswith("  records.json") else line for line in lines]
    (folder / "SHA256SUMS").write_text("\n".join(told) + "\n")
    found = verified(folder)
    assert found.returncode == 1
    assert "is not what was sealed" in found.stdout


@AT_QA
@pytest.mark.requirement("URS-193")
def test_the_same_state_gives_the_same_bytes_and_each_taking_is_on_record(site: Site) -> None:
    first = taken(site)
    second = taken(site, who="cleo")
    assert first == second
    digest = hashlib.sha256(first).hexdigest()
    assert raw(site, "SELECT sha256 FROM dossier_export") == [(digest,), (digest,)]
    opened(site, LOT)
    assert taken(site) != first


@AT_QA
def test_a_technician_takes_no_dossier_out(site: Site) -> None:
    with pytest.raises(Forbidden):
        taken(site, who="tom")


@AT_QA
def test_a_dossier_holds_nothing_of_other_lots(site: Site, tmp_path: Path) -> None:
    other = build.material(site, "Another medium")
    opened(site, other, text="another lot's door")
    folder = unpacked(taken(site), tmp_path / "dossier")
    for name in ("records.json", "dossier.json", "index.html"):
        assert other not in (folder / name).read_text()
        assert "another lot" not in (folder / name).read_text()
