"""Products, materials, donors and lots."""

# ruff: noqa: B008 - acting() and asking() are declarations that FastAPI reads, like Depends()

from datetime import date
from typing import Any

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from api.deps import acting, asking, current_actor, site_of
from api.problems import answers
from domain.disposition.cascade import decide_eligibility_and_hold, withdraw_consent_and_hold
from domain.disposition.decisions import (
    AcceptLot,
    HoldLot,
    LiftHold,
    RecallLot,
    RejectLot,
    ReleaseLot,
    SubmitLot,
    accept_lot,
    hold_lot,
    lift_hold,
    recall_lot,
    reject_lot,
    release_lot,
    submit_lot,
)
from domain.disposition.queries import CertificateView, LotFile, MoveView, MyWork, lot_file, my_work
from domain.disposition.readiness import Blocker, readiness
from domain.lots.genealogy import Trace, trace
from domain.lots.models import LotKind, LotState
from domain.lots.operations import DefineProduct, ReceiveMaterial, define_product, receive_material
from domain.lots.queries import LotRow, LotsFound, ProductView, find_lots, lot_row, product_coded, products
from domain.manufacturing.donors import (
    DecideEligibility,
    MarkerEntry,
    RecordMarkers,
    RegisterDonor,
    WithdrawConsent,
    record_markers,
    register_donor,
)
from domain.manufacturing.models import Eligibility
from domain.manufacturing.queries import DonorView, donor_file, donors
from domain.signatures import Credentials
from domain.work import Actor
from reports.genealogy import trace_svg

router = APIRouter(prefix="/api/v1", responses=answers(401, 403, 409, 422))
_trace_json = TypeAdapter(Trace)


class Body(BaseModel):
    """A request's body: takes no stray fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Decision(Body):
    """A decision: reason and signature."""

    reason: str = Field(default="", max_length=1000)
    credentials: Credentials


class ReasonedDecision(Body):
    """A decision that must give its reason."""

    reason: str = Field(min_length=3, max_length=1000)
    credentials: Credentials


class Recall(ReasonedDecision):
    """A recall: class I, II or III, reason and signature."""

    recall_class: str = Field(pattern="^(I|II|III)$", examples=["II"])


class Markers(Body):
    """Results of an infection panel."""

    laboratory: str = Field(min_length=1, max_length=200)
    results: tuple[MarkerEntry, ...] = Field(min_length=1, max_length=40)


class EligibilityBody(ReasonedDecision):
    """A decision on a donor."""

    decision: Eligibility


class Withdrawal(Body):
    """A withdrawn consent."""

    withdrawn_on: date
    reason: str = Field(min_length=3, max_length=1000)


@router.get("/products", tags=["lots"])
def list_products(ask: Any = asking()) -> list[ProductView]:
    """All products."""
    return ask(products)  # type: ignore[no-any-return]


@router.post("/products", status_code=201, tags=["lots"])
def new_product(body: DefineProduct, act: Any = acting(define_product), ask: Any = asking()) -> ProductView:
    """Define a product."""
    return ask(product_coded, act(body).code)  # type: ignore[no-any-return]


@router.post("/materials", status_code=201, tags=["lots"])
def receive(body: ReceiveMaterial, request: Request, act: Any = acting(receive_material)) -> LotRow:
    """Book a raw-material lot in; it is in quarantine until QA accepts it."""
    return lot_row(act(body), None, site_of(request).today())


@router.get("/donors", tags=["donors"])
def list_donors(ask: Any = asking()) -> list[DonorView]:
    """All donors, by pseudonym."""
    return ask(donors)  # type: ignore[no-any-return]


@router.post("/donors", status_code=201, tags=["donors"])
def new_donor(body: RegisterDonor, act: Any = acting(register_donor), ask: Any = asking()) -> DonorView:
    """Register a donor under a pseudonym."""
    return ask(donor_file, act(body).pseudonym)  # type: ignore[no-any-return]


@router.get("/donors/{pseudonym}", tags=["donors"], responses=answers(404))
def get_donor(pseudonym: str, ask: Any = asking()) -> DonorView:
    """A donor with panel, decisions and donations."""
    return ask(donor_file, pseudonym)  # type: ignore[no-any-return]


@router.post("/donors/{pseudonym}/markers", status_code=201, tags=["donors"], responses=answers(404))
def markers(pseudonym: str, body: Markers, act: Any = acting(record_markers), ask: Any = asking()) -> DonorView:
    """Enter results of the infection panel."""
    act(RecordMarkers(pseudonym=pseudonym, laboratory=body.laboratory, results=body.results))
    return ask(donor_file, pseudonym)  # type: ignore[no-any-return]


@router.post("/donors/{pseudonym}/eligibility", status_code=201, tags=["donors"], responses=answers(404))
def eligibility(
    pseudonym: str, body: EligibilityBody, act: Any = acting(decide_eligibility_and_hold), ask: Any = asking()
) -> DonorView:
    """Decide whether the donor's cells may be used, with a signature; ineligible holds everything made of them."""
    act(
        DecideEligibility(pseudonym=pseudonym, decision=body.decision, reason=body.reason, credentials=body.credentials)
    )
    return ask(donor_file, pseudonym)  # type: ignore[no-any-return]


@router.post("/donors/{pseudonym}/consent-withdrawal", tags=["donors"], responses=answers(404))
def consent(
    pseudonym: str, body: Withdrawal, act: Any = acting(withdraw_consent_and_hold), ask: Any = asking()
) -> DonorView:
    """Record that the donor withdrew the consent; everything made of the donor's cells is held in the same act."""
    act(WithdrawConsent(pseudonym=pseudonym, withdrawn_on=body.withdrawn_on, reason=body.reason))
    return ask(donor_file, pseudonym)  # type: ignore[no-any-return]


@router.get("/work", tags=["lots"])
def work(request: Request, actor: Actor = Depends(current_actor), ask: Any = asking()) -> MyWork:
    """What waits for the one who asks."""
    return ask(my_work, site_of(request).today(), actor)  # type: ignore[no-any-return]


@router.get("/lots", tags=["lots"])
def list_lots(
    request: Request,
    state: LotState | None = None,
    kind: LotKind | None = None,
    text: str = Query(default="", max_length=100),
    after: str | None = None,
    limit: int = Query(default=50, ge=1, le=200),
    ask: Any = asking(),
) -> LotsFound:
    """Lots, newest first, by state of today, kind and text."""
    return ask(find_lots, site_of(request).today(), state=state, kind=kind, text=text, after=after, limit=limit)  # type: ignore[no-any-return]


@router.get("/lots/{lot_number}", tags=["lots"], responses=answers(404))
def get_lot(lot_number: str, request: Request, actor: Actor = Depends(current_actor), ask: Any = asking()) -> LotFile:
    """Everything about one lot: how it was made, what was found, what stands in the way, what was decided."""
    site = site_of(request)
    now = site.clock()
    return ask(lot_file, lot_number, now, site.today(now), actor)  # type: ignore[no-any-return]


@router.get("/lots/{lot_number}/trace", tags=["lots"], response_model=Trace, responses=answers(404))
def get_trace(lot_number: str, request: Request, ask: Any = asking()) -> Response:
    """All ancestors and all descendants at full depth, with the steps between and the quantities."""
    found = ask(trace, lot_number, site_of(request).today())
    return Response(_trace_json.dump_json(found), media_type="application/json")


@router.get("/lots/{lot_number}/trace.svg", tags=["lots"], response_class=Response, responses=answers(404))
def get_trace_picture(lot_number: str, request: Request, ask: Any = asking()) -> Response:
    """The same as a picture."""
    picture = trace_svg(ask(trace, lot_number, site_of(request).today()), href=lambda number: f"/lots/{number}")
    return Response(picture, media_type="image/svg+xml")


@router.get("/lots/{lot_number}/readiness", tags=["decisions"], responses=answers(404))
def get_readiness(
    lot_number: str,
    request: Request,
    action: str = "release",
    actor: Actor = Depends(current_actor),
    ask: Any = asking(),
) -> list[Blocker]:
    """Everything that stands in the way of an action on a lot: in two languages, with its record and who can clear it."""
    site = site_of(request)
    now = site.clock()
    return list(ask(readiness, lot_number, action, now, site.today(now), actor))


def _moved(move: Any) -> MoveView:
    return MoveView.model_validate(move)


@router.post("/lots/{lot_number}/submission", tags=["decisions"], responses=answers(404))
def submission(lot_number: str, body: Decision, act: Any = acting(submit_lot)) -> MoveView:
    """Head of QC: tested, goes to QA."""
    return _moved(act(SubmitLot(lot_number=lot_number, reason=body.reason, credentials=body.credentials)))


@router.post("/lots/{lot_number}/release", status_code=201, tags=["decisions"], responses=answers(404))
def release(lot_number: str, body: Decision, act: Any = acting(release_lot)) -> CertificateView:
    """Certify for release and issue the certificate, in one act."""
    certificate = act(ReleaseLot(lot_number=lot_number, reason=body.reason, credentials=body.credentials))
    return CertificateView.model_validate(certificate)


@router.post("/lots/{lot_number}/acceptance", tags=["decisions"], responses=answers(404))
def acceptance(lot_number: str, body: Decision, act: Any = acting(accept_lot)) -> MoveView:
    """Release an input (donation, cell bank, raw material) for use."""
    return _moved(act(AcceptLot(lot_number=lot_number, reason=body.reason, credentials=body.credentials)))


@router.post("/lots/{lot_number}/rejection", tags=["decisions"], responses=answers(404))
def rejection(lot_number: str, body: ReasonedDecision, act: Any = acting(reject_lot)) -> MoveView:
    """Reject for good."""
    return _moved(act(RejectLot(lot_number=lot_number, reason=body.reason, credentials=body.credentials)))


@router.post("/lots/{lot_number}/hold", tags=["decisions"], responses=answers(404))
def hold(lot_number: str, body: ReasonedDecision, act: Any = acting(hold_lot)) -> MoveView:
    """Put on hold."""
    return _moved(act(HoldLot(lot_number=lot_number, reason=body.reason, credentials=body.credentials)))


@router.post("/lots/{lot_number}/hold-lift", tags=["decisions"], responses=answers(404))
def lift(lot_number: str, body: ReasonedDecision, act: Any = acting(lift_hold)) -> MoveView:
    """Lift a hold, by another person than the one who set it."""
    return _moved(act(LiftHold(lot_number=lot_number, reason=body.reason, credentials=body.credentials)))


@router.post("/lots/{lot_number}/recall", tags=["decisions"], responses=answers(404))
def recall(lot_number: str, body: Recall, act: Any = acting(recall_lot)) -> MoveView:
    """Recall a released lot."""
    command = RecallLot.model_validate({"lot_number": lot_number, **body.model_dump()})
    return _moved(act(command))
