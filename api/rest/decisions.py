"""Decisions beside the moves of a lot: confirmation, holds that run down, later expiry, destruction, and the dossier as a file."""

# ruff: noqa: B008 - acting() and asking() are declarations that FastAPI reads, like Depends()

from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from api.deps import acting, asking, site_of
from api.problems import answers
from domain.disposition.cascade import (
    HoldDescendants,
    HoldDonor,
    LiftCascade,
    hold_descendants,
    hold_donor,
    lift_cascade,
    propose_lift,
)
from domain.disposition.cascade_queries import CascadeView, ReachedLot, cascade_view, find_cascades, would_reach
from domain.disposition.decisions import (
    ConfirmManufacture,
    ReleaseConditionally,
    confirm_manufacture,
    release_conditionally,
)
from domain.disposition.destruction import DestroyLot, WitnessDestruction, destroy_lot, witness_destruction
from domain.disposition.export import ExportDossier, export_dossier
from domain.disposition.models import CascadeCause
from domain.disposition.queries import AwaitedLot, CertificateView, awaited_lots
from domain.disposition.shelf_life import ExtendExpiry, extend_expiry
from domain.lots.operations import Amount
from domain.signatures import Credentials
from domain.work import Attachment

router = APIRouter(prefix="/api/v1", tags=["decisions"], responses=answers(401, 403, 404, 409, 422))

Why = Field(min_length=3, max_length=1000)


class Body(BaseModel):
    """A request's body: takes no stray fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Confirmation(Body):
    """The signature of the head of production."""

    reason: str = Field(default="", max_length=1000)
    credentials: Credentials


class Conditional(Body):
    """What a release does not wait for: exactly the results that are outstanding, until when they may come, and why it cannot wait."""

    awaited: tuple[str, ...] = Field(min_length=1, max_length=20, examples=[["STER"]])
    due_on: date
    reason: str = Why
    credentials: Credentials


class ConfirmationView(BaseModel):
    """A confirmation, as recorded."""

    model_config = ConfigDict(from_attributes=True)

    reason: str
    confirmed_at: datetime


class LotHold(Body):
    """Why a lot and all that was made of it is held."""

    cause: Literal[
        CascadeCause.BANK_PROBLEM, CascadeCause.BULK_PROBLEM, CascadeCause.MATERIAL_PROBLEM, CascadeCause.OTHER
    ]
    reason: str = Why
    credentials: Credentials


class Reasoned(Body):
    """A reason and a signature."""

    reason: str = Why
    credentials: Credentials


class Extension(Body):
    """A later expiry, and the stability data that allow it."""

    new_expires_on: date
    data_reference: str = Field(min_length=3, max_length=300)
    attachment: Attachment | None = None
    justification: str = Why
    credentials: Credentials


class ExtensionView(BaseModel):
    """An extension, as recorded."""

    model_config = ConfigDict(from_attributes=True)

    old_expires_on: date
    new_expires_on: date
    data_reference: str
    document_sha256: str | None
    extended_at: datetime


class DestructionBody(Body):
    """What was destroyed, and how."""

    quantity: Amount
    method: str = Field(min_length=3, max_length=300)
    reason: str = Why
    credentials: Credentials


class DestructionView(BaseModel):
    """A destruction, as recorded; it counts once it is witnessed."""

    model_config = ConfigDict(from_attributes=True)

    quantity: Decimal
    method: str
    destroyed_at: datetime


class Witness(Body):
    """The signature of who saw it."""

    credentials: Credentials


class WitnessView(BaseModel):
    """When it was witnessed."""

    model_config = ConfigDict(from_attributes=True)

    witnessed_at: datetime


@router.post("/lots/{lot_number}/manufacture-confirmation", status_code=201)
def confirmation(lot_number: str, body: Confirmation, act: Any = acting(confirm_manufacture)) -> ConfirmationView:
    """Head of production: manufactured according to instruction."""
    return ConfirmationView.model_validate(act(ConfirmManufacture(lot_number=lot_number, **dict(body))))


@router.post("/lots/{lot_number}/conditional-release", status_code=201, responses=answers(503))
def conditional(lot_number: str, body: Conditional, act: Any = acting(release_conditionally)) -> CertificateView:
    """Release a lot before results that its product lets come late are final; completed by a revision with the cause `condition_met`."""
    made = act(ReleaseConditionally(lot_number=lot_number, **dict(body)))
    return CertificateView.model_validate(made)


@router.get("/awaited")
def awaited(request: Request, ask: Any = asking()) -> list[AwaitedLot]:
    """Every lot that was released before a result that is still awaited, the one due first first."""
    return list(ask(awaited_lots, site_of(request).today()))


@router.get("/lots/{lot_number}/hold-cascade")
def reach(lot_number: str, request: Request, ask: Any = asking()) -> list[ReachedLot]:
    """What a hold from this lot would reach, released ones first; nothing is held by asking."""
    return list(ask(would_reach, lot_number, site_of(request).today()))


@router.post("/lots/{lot_number}/hold-cascade", status_code=201)
def hold_from_lot(
    lot_number: str, body: LotHold, act: Any = acting(hold_descendants), ask: Any = asking()
) -> CascadeView:
    """Hold a lot and everything made of it, in one act; released ones are listed first."""
    made = act(HoldDescendants(lot_number=lot_number, **dict(body)))
    return ask(cascade_view, made.number)  # type: ignore[no-any-return]


@router.post("/donors/{pseudonym}/hold-cascade", status_code=201)
def hold_from_donor(pseudonym: str, body: Reasoned, act: Any = acting(hold_donor), ask: Any = asking()) -> CascadeView:
    """Hold everything made of a donor's cells, in one act."""
    made = act(HoldDonor(pseudonym=pseudonym, **dict(body)))
    return ask(cascade_view, made.number)  # type: ignore[no-any-return]


@router.get("/hold-cascades")
def list_holds(ask: Any = asking()) -> list[CascadeView]:
    """Every hold that ran down, the newest first."""
    return list(ask(find_cascades))


@router.get("/hold-cascades/{number}")
def one_hold(number: str, ask: Any = asking()) -> CascadeView:
    """One hold with every lot it reached, released ones first."""
    return ask(cascade_view, number)  # type: ignore[no-any-return]


@router.post("/hold-cascades/{number}/lift-proposal", status_code=201)
def lift_proposal(number: str, body: Reasoned, act: Any = acting(propose_lift), ask: Any = asking()) -> CascadeView:
    """The first of two of QA proposes to lift a hold that ran down."""
    act(LiftCascade(number=number, **dict(body)))
    return ask(cascade_view, number)  # type: ignore[no-any-return]


@router.post("/hold-cascades/{number}/lift", status_code=201)
def lift(number: str, body: Reasoned, act: Any = acting(lift_cascade), ask: Any = asking()) -> CascadeView:
    """The second lifts it: every lot it moved goes back to where it was."""
    act(LiftCascade(number=number, **dict(body)))
    return ask(cascade_view, number)  # type: ignore[no-any-return]


@router.post("/lots/{lot_number}/expiry-extension", status_code=201)
def extension(lot_number: str, body: Extension, act: Any = acting(extend_expiry)) -> ExtensionView:
    """Extend the expiry of a released lot, with data."""
    return ExtensionView.model_validate(act(ExtendExpiry(lot_number=lot_number, **dict(body))))


@router.post("/lots/{lot_number}/destruction", status_code=201)
def destruction(lot_number: str, body: DestructionBody, act: Any = acting(destroy_lot)) -> DestructionView:
    """State that all that is left of a lot was destroyed."""
    return DestructionView.model_validate(act(DestroyLot(lot_number=lot_number, **dict(body))))


@router.post("/lots/{lot_number}/destruction/witness", status_code=201)
def witness(lot_number: str, body: Witness, act: Any = acting(witness_destruction)) -> WitnessView:
    """A second person saw it; nothing is left of the lot."""
    command = WitnessDestruction(lot_number=lot_number, credentials=body.credentials)
    return WitnessView.model_validate(act(command))


@router.get("/lots/{lot_number}/dossier.zip", response_class=Response)
def dossier_zip(lot_number: str, act: Any = acting(export_dossier)) -> Response:
    """Everything known of a lot and its ancestors, as a ZIP that opens and can be verified without this system. It is on record that it was taken."""
    data = act(ExportDossier(lot_number=lot_number))
    headers = {"Content-Disposition": f'attachment; filename="dossier-{lot_number}.zip"', "Cache-Control": "no-store"}
    return Response(data, media_type="application/zip", headers=headers)
