"""Labels: print, reprint with a reason, account for all of them."""

# ruff: noqa: B008 - acting() and asking() are declarations that FastAPI reads, like Depends()

from typing import Any, Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from api.deps import RowId, acting, asking, site_of
from api.problems import answers
from domain.labels.content import LabelLanguage
from domain.labels.operations import (
    MOST,
    MOST_OF_A_SAMPLE,
    PrintLabels,
    PrintSampleLabels,
    ReconcileLabels,
    print_labels,
    print_sample_labels,
    reconcile_labels,
)
from domain.labels.queries import LabelsView, PrintView, labels_of, print_numbered, print_shown

router = APIRouter(prefix="/api/v1", tags=["labels"], responses=answers(401, 403, 404, 409, 422))


class Body(BaseModel):
    """A request's body: takes no stray fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class LabelsWanted(Body):
    """Labels for vials or cartons; `reason`: for every print of a kind after the first."""

    kind: Literal["vial", "carton"]
    count: int = Field(ge=1, le=MOST)
    language: LabelLanguage = "en"
    serialised: bool = Field(default=False, description="each gets a serial number (21), counted on through the lot")
    first_serial: int | None = Field(default=None, ge=1, le=999_999, description="only to print numbers anew")
    reason: str = Field(default="", max_length=1000)


class SampleLabelsWanted(Body):
    """Labels for the containers of a sample."""

    count: int = Field(ge=1, le=MOST_OF_A_SAMPLE)
    language: LabelLanguage = "en"
    reason: str = Field(default="", max_length=1000)


class Counted(Body):
    """What became of the labels of a kind; `explanation`: where they do not add up to those printed."""

    kind: Literal["vial", "carton"]
    applied: int = Field(ge=0, le=1_000_000)
    destroyed: int = Field(ge=0, le=1_000_000)
    sample_attached: int = Field(ge=0, le=1_000_000)
    explanation: str = Field(default="", max_length=1000)


@router.post("/lots/{lot_number}/labels", status_code=201)
def labels(lot_number: str, body: LabelsWanted, act: Any = acting(print_labels), ask: Any = asking()) -> PrintView:
    """Print labels for a drug product: the print is on record, with its PDF and its ZPL."""
    return ask(print_shown, act(PrintLabels(lot_number=lot_number, **dict(body))).key)  # type: ignore[no-any-return]


@router.post("/samples/{sample_number}/labels", status_code=201)
def sample_labels(
    sample_number: str, body: SampleLabelsWanted, act: Any = acting(print_sample_labels), ask: Any = asking()
) -> PrintView:
    """Print labels for the containers of a sample."""
    return ask(print_shown, act(PrintSampleLabels(sample_number=sample_number, **dict(body))).key)  # type: ignore[no-any-return]


@router.get("/lots/{lot_number}/labels")
def list_labels(lot_number: str, ask: Any = asking()) -> LabelsView:
    """The labels of a lot: prints, reconciliations, and what is still open."""
    return ask(labels_of, lot_number)  # type: ignore[no-any-return]


@router.post("/lots/{lot_number}/labels/reconciliation", status_code=201)
def reconciliation(
    lot_number: str, body: Counted, act: Any = acting(reconcile_labels), ask: Any = asking()
) -> LabelsView:
    """Account for all labels of a kind: printed = applied + destroyed + sample attached, or the difference is explained."""
    act(ReconcileLabels(lot_number=lot_number, **dict(body)))
    return ask(labels_of, lot_number)  # type: ignore[no-any-return]


@router.get("/lots/{lot_number}/labels/{print_id}.pdf", response_class=Response)
def labels_pdf(lot_number: str, print_id: RowId, request: Request, ask: Any = asking()) -> Response:
    """The labels of a print, a page each, as they were drawn then."""
    return _file(request, ask(print_numbered, lot_number, print_id).pdf_sha256, lot_number, print_id, "pdf")


@router.get("/lots/{lot_number}/labels/{print_id}.zpl", response_class=Response)
def labels_zpl(lot_number: str, print_id: RowId, request: Request, ask: Any = asking()) -> Response:
    """The same for a label printer of 300 dpi (ZPL II)."""
    return _file(request, ask(print_numbered, lot_number, print_id).zpl_sha256, lot_number, print_id, "zpl")


def _file(request: Request, sha256: str, lot_number: str, print_id: int, kind: Literal["pdf", "zpl"]) -> Response:
    how, media = ("inline", "application/pdf") if kind == "pdf" else ("attachment", "text/plain; charset=us-ascii")
    headers = {
        "Content-Disposition": f'{how}; filename="labels-{lot_number}-{print_id}.{kind}"',
        "Cache-Control": "no-store",
    }
    return Response(site_of(request).documents.get(sha256), media_type=media, headers=headers)
