"""Raw materials: what is there, the supplier's papers, the ledger."""

# ruff: noqa: B008 - acting() and asking() are declarations that FastAPI reads, like Depends()

from typing import Annotated, Any

from fastapi import APIRouter, File, Form, Request, UploadFile
from pydantic import BaseModel, ConfigDict, Field

from api.deps import acting, asking, site_of
from api.problems import answers
from domain.disposition.ledger import MaterialFile, MaterialRow, material_file, materials
from domain.lots.operations import Amount
from domain.manufacturing.execution_models import AnimalOrigin
from domain.manufacturing.materials import LARGEST, CorrectStock, FilePapers, correct_stock, file_papers

router = APIRouter(prefix="/api/v1", tags=["materials"], responses=answers(401, 403, 409, 422))


class Count(BaseModel):
    """What was counted."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    counted: Amount
    reason: str = Field(min_length=3, max_length=1000)


@router.get("/materials")
def list_materials(request: Request, ask: Any = asking()) -> list[MaterialRow]:
    """Raw materials, newest first; `first_to_expire` for the one to take first."""
    return ask(materials, site_of(request).today())  # type: ignore[no-any-return]


@router.get("/materials/{lot_number}", responses=answers(404))
def get_material(lot_number: str, request: Request, ask: Any = asking()) -> MaterialFile:
    """One raw material with its papers and its ledger."""
    return ask(material_file, lot_number, site_of(request).today())  # type: ignore[no-any-return]


@router.post("/materials/{lot_number}/papers", status_code=201, responses=answers(404))
def papers(
    lot_number: str,
    request: Request,
    file: Annotated[UploadFile, File(description="the supplier's certificate: PDF, PNG or JPEG")],
    origin: Annotated[AnimalOrigin, Form()],
    species: Annotated[str, Form(max_length=100)] = "",
    country: Annotated[str, Form(max_length=100)] = "",
    specification_code: Annotated[str, Form(max_length=60)] = "",
    reason: Annotated[str, Form(max_length=1000)] = "",
    act: Any = acting(file_papers),
    ask: Any = asking(),
) -> MaterialFile:
    """File the supplier's certificate and the statement on animal origin."""
    command = FilePapers(
        lot_number=lot_number,
        origin=origin,
        species=species,
        country=country,
        specification_code=specification_code,
        reason=reason,
        file_name=file.filename or "certificate",
        data=file.file.read(LARGEST + 1),
    )
    act(command)
    return ask(material_file, lot_number, site_of(request).today())  # type: ignore[no-any-return]


@router.post("/materials/{lot_number}/stock-corrections", status_code=201, responses=answers(404))
def count(
    lot_number: str, body: Count, request: Request, act: Any = acting(correct_stock), ask: Any = asking()
) -> MaterialFile:
    """What was counted, where the ledger says otherwise."""
    act(CorrectStock(lot_number=lot_number, counted=body.counted, reason=body.reason))
    return ask(material_file, lot_number, site_of(request).today())  # type: ignore[no-any-return]
