"""Decisions that reach beyond one lot's state: holds that run down, a later expiry, destruction before a witness."""

from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response

from api.web.deviations import attached, word
from api.web.forms import Amount, Field, Group, Sheet, offer, options, signature
from api.web.pages import Reader, Visit, page, unit_word
from domain.disposition.cascade import (
    HoldDescendants,
    HoldDonor,
    LiftCascade,
    hold_descendants,
    hold_donor,
    lift_cascade,
    propose_lift,
)
from domain.disposition.cascade_queries import cascade_view, find_cascades, would_reach
from domain.disposition.destruction import (
    FINAL,
    DestroyLot,
    WitnessDestruction,
    destroy_lot,
    destruction_of,
    witness_destruction,
)
from domain.disposition.models import CascadeCause
from domain.disposition.queries import LotFile
from domain.disposition.shelf_life import ExtendExpiry, extend_expiry
from domain.lots.models import LotState
from domain.lots.queries import lot_numbered
from domain.permissions import Permission

router = APIRouter(include_in_schema=False)

_REASON = Field("reason", "Reason", "area", hint="Stands in the history of every lot and in the audit trail.")
_CAUSES = (
    CascadeCause.BANK_PROBLEM,
    CascadeCause.BULK_PROBLEM,
    CascadeCause.MATERIAL_PROBLEM,
    CascadeCause.OTHER,
)


def more_on(visit: Visit, file: LotFile) -> list[tuple[str, str]]:
    """What else can be begun from a lot's page: address and words."""
    lot, here = file.lot, f"/lots/{file.lot.lot_number}"
    extends = lot.state is LotState.RELEASED and file.product is not None and file.product.expiry_extension_months
    offered = (
        (visit.may(Permission.OPEN_DEVIATION), f"/deviations/new?lot={lot.lot_number}", "Report a deviation …"),
        (visit.may(Permission.HOLD_LOT), f"{here}/hold-descendants", "Hold it and all made of it …"),
        (visit.may(Permission.EXTEND_EXPIRY) and bool(extends), f"{here}/extend-expiry", "Extend the expiry …"),
        (visit.may(Permission.DESTROY_LOT) and lot.state in FINAL, f"{here}/destruction", "Destruction …"),
        (visit.may(Permission.READ_AUDIT), f"/api/v1{here}/dossier.zip", "Dossier (ZIP)"),
    )
    return [(address, label) for may, address, label in offered if may]


def _lot(visit: Visit, *_typed: Any) -> dict[str, str]:
    return {"lot_number": str(visit.request.path_params["lot_number"])}


def _here(visit: Visit, *_done: Any) -> str:
    return f"/lots/{_lot(visit)['lot_number']}"


def _back(visit: Visit) -> tuple[str, str]:
    return _here(visit), f"Lot {_lot(visit)['lot_number']}"


def _hold(visit: Visit) -> Sheet:
    number = _lot(visit)["lot_number"]
    return Sheet(
        f"Hold lot {number} and all made of it",
        (Group("Hold", (Field("cause", "Cause", "select", options=options(_CAUSES, word)), _REASON)), signature()),
        "Hold them all",
        "One act, one reason. Whoever follows one of the lots is told. Two people of QA lift it, neither of them you.",
        _back(visit),
        tone="grave",
        above="would_hold.html",
        context={"lots": visit.ask(would_reach, number, visit.site.today()), "width": ""},
    )


offer(
    router,
    "/lots/{lot_number}/hold-descendants",
    hold_descendants,
    HoldDescendants,
    _hold,
    lambda _visit, made: (f"/holds/{made.number}", f"Hold {made.number} is set."),
    _lot,
)


def _extension(visit: Visit) -> Sheet:
    lot = visit.ask(lot_numbered, _lot(visit)["lot_number"], visit.site.today())
    return Sheet(
        f"Extend the expiry of lot {lot.lot_number}",
        (
            Group(
                "Later expiry",
                (
                    Field("new_expires_on", "Expires on", "date"),
                    Field("data_reference", "Stability data", hint="Study and report, with the months it covers."),
                    Field("attachment", "Report", "file", needed=False),
                    Field(
                        "justification",
                        "Justification",
                        "area",
                        hint="Trend, storage, why the lot is like those studied.",
                    ),
                ),
                "ICH Q5C asks for real-time data of the product, ICH Q1E bounds how far they reach.",
            ),
            signature(),
        ),
        "Extend the expiry",
        "The certificates that count are revised in the same act and carry the new date; earlier revisions stay as they were issued.",
        _back(visit),
        facts=(("Lot", lot.lot_number), ("Expires on", str(lot.expires_on))),
    )


offer(
    router,
    "/lots/{lot_number}/extend-expiry",
    extend_expiry,
    ExtendExpiry,
    _extension,
    lambda visit, made: (_here(visit), f"The lot expires on {made.new_expires_on}."),
    lambda visit, typed: _lot(visit) | attached(typed),
)


@router.get("/lots/{lot_number}/destruction")
def destruction(lot_number: str, visit: Reader) -> Response:
    """What was destroyed of a lot, and whose turn it is."""
    visit.who.require(Permission.DESTROY_LOT)
    waiting = visit.ask(destruction_of, lot_number)
    part = "witness-destruction" if waiting else "destroy"
    return Response(status_code=303, headers={"location": f"/lots/{lot_number}/{part}"})


def _destroying(visit: Visit) -> Sheet:
    lot = visit.ask(lot_numbered, _lot(visit)["lot_number"], visit.site.today())
    return Sheet(
        f"Destroy what is left of lot {lot.lot_number}",
        (
            Group(
                "What was destroyed",
                (
                    Amount(
                        "quantity",
                        "Counted",
                        ((lot.unit, unit_word(lot.unit)),),
                        hint="All that is left, to the last one.",
                    ),
                    Field("method", "How", hint="Such as steam, 134 °C, 18 min, then incinerated."),
                    _REASON,
                ),
            ),
            signature(),
        ),
        "It is destroyed",
        "It counts once somebody else has signed that they saw it.",
        _back(visit),
        tone="grave",
        facts=(("Left on record", f"{lot.quantity_left} {unit_word(lot.unit)}"),),
    )


offer(
    router,
    "/lots/{lot_number}/destroy",
    destroy_lot,
    DestroyLot,
    _destroying,
    lambda visit, _made: (_here(visit), "The destruction is recorded; it waits for its witness."),
    _lot,
)


def _witnessing(visit: Visit) -> Sheet:
    waiting = visit.ask(destruction_of, _lot(visit)["lot_number"])
    facts = (
        (("Counted", f"{waiting.quantity} {unit_word(waiting.unit)}"), ("How", waiting.method), ("By", waiting.by))
        if waiting
        else ()
    )
    return Sheet(
        f"Witness the destruction of lot {_lot(visit)['lot_number']}",
        (signature("You sign that you saw it, and that nothing is left."),),
        "I saw it",
        back=_back(visit),
        tone="grave",
        facts=facts,
    )


offer(
    router,
    "/lots/{lot_number}/witness-destruction",
    witness_destruction,
    WitnessDestruction,
    _witnessing,
    lambda visit, _made: (_here(visit), "The destruction is witnessed; nothing is left of the lot."),
    _lot,
)


def _donor(visit: Visit, *_typed: Any) -> dict[str, str]:
    return {"pseudonym": str(visit.request.path_params["pseudonym"])}


offer(
    router,
    "/donors/{pseudonym}/hold",
    hold_donor,
    HoldDonor,
    lambda visit: Sheet(
        f"Hold everything made of the cells of donor {_donor(visit)['pseudonym']}",
        (Group("Hold", (_REASON,)), signature()),
        "Hold them all",
        "One act, one reason. Two people of QA lift it, neither of them you.",
        (f"/donors/{_donor(visit)['pseudonym']}", f"Donor {_donor(visit)['pseudonym']}"),
        tone="grave",
    ),
    lambda _visit, made: (f"/holds/{made.number}", f"Hold {made.number} is set."),
    _donor,
)


@router.get("/holds")
def holds(visit: Reader) -> Response:
    """Every hold that ran down."""
    return page(visit, "holds.html", found=visit.ask(find_cascades))


@router.get("/holds/{number}")
def one_hold(number: str, visit: Reader) -> Response:
    """A hold with every lot it reached."""
    return page(visit, "hold.html", one=visit.ask(cascade_view, number))


def _number(visit: Visit, *_typed: Any) -> dict[str, str]:
    return {"number": str(visit.request.path_params["number"])}


def _lifting(visit: Visit, title: str, button: str, lead: str) -> Sheet:
    one = visit.ask(cascade_view, _number(visit)["number"])
    facts = [("From", one.source), ("Reason", one.reason), ("Set by", one.set_by), ("Lots", str(len(one.lots)))]
    facts += [("Proposed by", one.proposed_by)] if one.proposed_by else []
    back = (f"/holds/{one.number}", f"Hold {one.number}")
    return Sheet(
        f"{title} {one.number}", (Group("Lifting", (_REASON,)), signature()), button, lead, back, facts=tuple(facts)
    )


offer(
    router,
    "/holds/{number}/propose",
    propose_lift,
    LiftCascade,
    lambda visit: _lifting(visit, "Propose to lift hold", "Propose it", "Another person of QA confirms it."),
    lambda visit, _made: (f"/holds/{_number(visit)['number']}", "The proposal is recorded and signed."),
    _number,
)
offer(
    router,
    "/holds/{number}/lift",
    lift_cascade,
    LiftCascade,
    lambda visit: _lifting(
        visit, "Lift hold", "Lift it", "Every lot it moved goes back to where it was, or none does."
    ),
    lambda visit, _made: (f"/holds/{_number(visit)['number']}", "The hold is lifted."),
    _number,
)
