"""Raw materials: what is there, their papers, their ledger."""

from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response

from api.web.forms import Amount, Field, Group, Sheet, Typed, offer, options
from api.web.pages import Reader, Visit, page
from api.web.words import capital, spelled
from domain.disposition.ledger import material_file, materials
from domain.manufacturing.execution_models import AnimalOrigin
from domain.manufacturing.materials import CorrectStock, FilePapers, correct_stock, file_papers
from domain.permissions import Permission
from domain.quantities import UNITS

router = APIRouter(include_in_schema=False)


@router.get("/materials")
def listed(visit: Reader) -> Response:
    """Raw materials, newest first."""
    found = visit.ask(materials, visit.site.today())
    return page(visit, "materials.html", found=found, may_receive=visit.may(Permission.RECEIVE_MATERIAL))


@router.get("/materials/{lot_number}")
def one(lot_number: str, visit: Reader) -> Response:
    """One raw material with its papers and its ledger."""
    found = visit.ask(material_file, lot_number, visit.site.today())
    return page(visit, "material.html", one=found, lot=found.lot, may_receive=visit.may(Permission.RECEIVE_MATERIAL))


def _number(visit: Visit) -> str:
    return str(visit.request.path_params["lot_number"])


def _papers(visit: Visit) -> Sheet:
    found = visit.ask(material_file, _number(visit), visit.site.today())
    parts = [
        Field("file", "Supplier’s certificate", "file", "PDF, PNG or JPEG, 20 MB at most."),
        Field("origin", "Origin, as the supplier states", "select", options=options(AnimalOrigin, _origin)),
        Field("species", "Species", needed=False, hint="Needed with animal origin."),
        Field("country", "Country", needed=False, hint="Needed with animal origin."),
        Field("specification_code", "Specification code", needed=False, hint="As recipes may name the material."),
    ]
    if found.papers:
        parts.append(Field("reason", "Why new papers", "area"))
    return Sheet(
        f"File the papers of {_number(visit)}",
        (Group("What came with it", tuple(parts)),),
        "File",
        "Under a recipe a material is used only with its papers.",
        (f"/materials/{_number(visit)}", f"Material {_number(visit)}"),
        facts=(("Material", found.lot.description), ("Supplier’s lot", found.lot.supplier_lot_number or "")),
    )


def _origin(code: str) -> str:
    said = {"none": "Nothing of animal or human origin", "animal": "Animal origin", "human": "Human origin"}
    return said.get(code, capital(spelled(code)))


def _file(visit: Visit, typed: Typed) -> dict[str, Any]:
    """The file that was chosen; an empty one is refused by the act."""
    name, data = typed.files.get("file", ("certificate", b""))
    return {"lot_number": _number(visit), "file_name": name or "certificate", "data": data}


offer(
    router,
    "/materials/{lot_number}/papers",
    file_papers,
    FilePapers,
    _papers,
    lambda visit, _found: (f"/materials/{_number(visit)}", "The papers are filed."),
    _file,
)


def _count(visit: Visit) -> Sheet:
    lot = visit.ask(material_file, _number(visit), visit.site.today()).lot
    parts = (
        Amount("counted", "Counted", ((lot.unit, UNITS[lot.unit].en),), "0 for nothing.", unit=lot.unit),
        Field("reason", "Why the ledger differs", "area"),
    )
    return Sheet(
        f"Correct the stock of {_number(visit)}",
        (Group("Count", parts),),
        "Record",
        "The ledger gets a line of its own; no earlier line is changed.",
        (f"/materials/{_number(visit)}", f"Material {_number(visit)}"),
    )


offer(
    router,
    "/materials/{lot_number}/count",
    correct_stock,
    CorrectStock,
    _count,
    lambda visit, _found: (f"/materials/{_number(visit)}", "The correction is recorded."),
    lambda visit, _typed: {"lot_number": _number(visit)},
)
