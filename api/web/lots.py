"""Work, lots, and the decisions on them."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter
from fastapi.responses import Response
from sqlmodel import col, select

from api.keys import signing_state
from api.web import words
from api.web.decisions import more_on
from api.web.forms import (
    Amount,
    Field,
    Form,
    Group,
    Sheet,
    attempt,
    offer,
    options,
    show,
    signature,
)
from api.web.pages import Member, Reader, Visit, leads_to, page
from domain.certificates.history import history_of
from domain.deviations.queries import find_deviations
from domain.disposition import decisions
from domain.disposition.not_normal import not_normal
from domain.disposition.queries import LineView, LotFile, ResultView, lot_file, my_work
from domain.disposition.readiness import Action
from domain.errors import NotFound, Reason
from domain.laboratory.catalogue import test as catalogue_test
from domain.laboratory.control_queries import laboratory_work, standing
from domain.laboratory.oos_queries import investigations_of
from domain.laboratory.sampling_queries import is_planned
from domain.laboratory.size_distribution import SizeDistribution
from domain.laboratory.verdict import CriterionKind, Verdict
from domain.lots.genealogy import trace
from domain.lots.lifecycle import RULES
from domain.lots.models import Lot, LotKind, LotMove, LotState
from domain.lots.operations import ReceiveMaterial, receive_material
from domain.lots.queries import find_lots, lot_id_of
from domain.manufacturing.catalogue import STEP_KINDS
from domain.manufacturing.control import hold_clocks
from domain.permissions import ROLES, Permission, Role
from domain.quantities import UNITS
from domain.work import Actor
from reports.genealogy import trace_svg
from reports.plots import distribution_svg

router = APIRouter(include_in_schema=False)

#: Units in which lots are counted, weighed or measured.
LOT_UNITS = (
    "mL",
    "L",
    "uL",
    "g",
    "kg",
    "mg",
    "{vial}",
    "{bag}",
    "{container}",
    "{unit}",
    "10*6.{cells}",
    "{cells}",
    "{dose}",
    "{flask}",
    "cm",
    "cm2",
)

OPERATIONS: Mapping[str, tuple[Any, type[decisions.Decide]]] = {
    "submit": (decisions.submit_lot, decisions.SubmitLot),
    "confirm": (decisions.confirm_manufacture, decisions.ConfirmManufacture),
    "release": (decisions.release_lot, decisions.ReleaseLot),
    "release_conditionally": (decisions.release_conditionally, decisions.ReleaseConditionally),
    "accept": (decisions.accept_lot, decisions.AcceptLot),
    "reject": (decisions.reject_lot, decisions.RejectLot),
    "hold": (decisions.hold_lot, decisions.HoldLot),
    "lift": (decisions.lift_hold, decisions.LiftHold),
    "recall": (decisions.recall_lot, decisions.RecallLot),
}


def unit_options(codes: tuple[str, ...] = LOT_UNITS, *, empty: bool = True) -> tuple[tuple[str, str], ...]:
    """Units as people write them, behind an empty choice."""
    found = tuple((code, UNITS[code].en) for code in codes)
    return (("", "unit …"), *found) if empty else found


@router.get("/work")
def work(visit: Reader) -> Response:
    """What waits for whoever is signed in."""
    mine = visit.ask(my_work, visit.site.today(), visit.who)
    may = any(
        visit.may(one)
        for one in (
            Permission.ENTER_RESULT,
            Permission.REVIEW_RESULT,
            Permission.CONCLUDE_OOS,
            Permission.REVIEW_PRODUCTION,
        )
    )
    waiting = visit.ask(laboratory_work, visit.site.today()) if may else None
    acts = [act for act in words.ACTS if visit.may(act[0])]
    samples: dict[str, list[Any]] = {}
    for result in mine.to_review:
        samples.setdefault(result.sample_number, []).append(result)
    signing = signing_state(visit.site).warning if visit.may(Permission.RELEASE_LOT) else ""
    return page(
        visit,
        "work.html",
        mine=mine,
        laboratory=waiting,
        acts=acts,
        to_review=samples,
        kinds=STEP_KINDS,
        signing=signing,
    )


@router.get("/lots")
def search(
    visit: Reader, state: str = "", kind: str = "", text: str = "", after: str | None = None, scan: str = ""
) -> Response:
    """Lots by number, product, kind, state or words; a scanned number leads straight to its lot."""
    typed = (scan or text).strip()
    if scan.strip():
        exact = visit.ask(_number_of, scan.strip())
        if exact is not None:
            return leads_to(f"/lots/{exact}")
    found = visit.ask(
        find_lots,
        visit.site.today(),
        state=LotState(state) if state in list(LotState) else None,
        kind=LotKind(kind) if kind in list(LotKind) else None,
        text=typed,
        after=after,
    )
    return page(
        visit,
        "lots.html",
        found=found,
        state=state,
        kind=kind,
        text=typed,
        missed=bool(scan.strip()),
        states=options(LotState, lambda code: words.STATES[code].word, empty="Any state"),
        kinds=options(LotKind, lambda code: words.capital(words.spelled(code)), empty="Any kind"),
    )


def _number_of(session: Any, typed: str) -> str | None:
    number = typed.replace(" ", "").upper()
    return session.exec(select(Lot.lot_number).where(col(Lot.lot_number).in_((typed, number)))).first()  # type: ignore[no-any-return]


@router.get("/lots/{lot_number}")
def lot_page(lot_number: str, visit: Reader) -> Response:
    """Everything about a lot on one page."""
    now = visit.site.clock()
    today = visit.site.today(now)
    file: LotFile = visit.ask(lot_file, lot_number, now, today, visit.who)
    traced = visit.ask(trace, lot_number, today)
    return page(
        visit,
        "lot.html",
        file=file,
        lot=file.lot,
        picture=trace_svg(traced, href=lambda number: f"/lots/{number}") if traced.edges else "",
        plot=plot_of(file),
        clocks=visit.ask(lambda session: hold_clocks(session, [lot_id_of(session, lot_number)], now)),
        offers=[_offer(action) for action in file.actions],
        kinds=STEP_KINDS,
        verdict_of=verdict_of,
        void=_void(visit, file),
        withdrawn=_withdrawn(visit, file),
        olds=olds_of(file),
        tally=_tally(file),
        investigations=visit.ask(investigations_of, lot_number),
        standings=visit.ask(standing, lot_number),
        planned=visit.ask(is_planned, lot_number),
        today=today,
        more=more_on(visit, file),
        whose=_whose,
        deviations=visit.ask(find_deviations, lot_number=lot_number),
        ancestors=[one for one in traced.lots if one.distance < 0],
        descendants=[one for one in traced.lots if one.distance > 0],
    )


def _void(visit: Visit, file: LotFile) -> bool:
    """Whether what was found of a lot counts no more: it was recalled, or its certificate withdrawn; nothing of it is shown in green."""
    if file.lot.state is LotState.RECALLED:
        return True
    numbers = {one.number for one in file.certificates}
    return bool(numbers) and numbers == _withdrawn(visit, file)


def _withdrawn(visit: Visit, file: LotFile) -> set[str]:
    """Numbers of the lot's certificates that were withdrawn, and not issued anew."""
    numbers = {one.number for one in file.certificates}
    return {one for one in numbers if visit.ask(history_of, one).revisions[0].standing == "withdrawn"}


def verdict_of(line: LineView) -> str:
    """What is only reported is not said to pass."""
    reported = line.verdict is Verdict.PASS and line.kind is CriterionKind.REPORT_ONLY
    return "reported" if reported else line.verdict.value


def _tally(file: LotFile) -> str:
    """How many criteria are met; what has no criterion cannot meet one, and is counted apart."""
    judged = [line for line in file.lines if line.kind is not CriterionKind.REPORT_ONLY]
    bare = [line for line in file.lines if line.kind is CriterionKind.REPORT_ONLY]
    told = [f"{sum(line.verdict is Verdict.PASS for line in judged)} of {len(judged)} criteria met"]
    untested = sum(line.verdict is Verdict.MISSING for line in judged)
    reported = sum(line.verdict is Verdict.PASS for line in bare)
    told += [f"{untested} not tested"] if untested else []
    told += [f"{reported} reported without criterion"] if reported else []
    told += [f"{len(bare) - reported} without criterion not reported"] if len(bare) > reported else []
    return ", ".join(told)


def olds_of(file: LotFile) -> dict[int, ResultView]:
    """What was corrected, by the number that the correction names."""
    return {one.id: one for one in file.corrected_results}


def plot_of(file: LotFile) -> str:
    """The lot's size distribution as a picture, or nothing."""
    if file.distribution is None:
        return ""
    edges, values = file.distribution
    found = SizeDistribution(edges, values).statistics()
    return distribution_svg(edges, values, mode=f"{found.mode:.1f}", percent_30_150=f"{found.percent_30_150:.1f}")


def _offer(action: Action) -> dict[str, Any]:
    """An action as the page offers it: its words, what stands in its way, and whose it is."""
    permission = decision_permission(action.action)
    holders = [role for role, held in ROLES.items() if permission in held]
    return {
        "action": action,
        "words": words.DECISIONS[action.action],
        "whose": " or ".join(words.ROLES[role].partition(":")[0] for role in holders if role is not Role.INSTRUMENT),
    }


def _whose(roles: Iterable[Role]) -> str:
    """Roles by their names."""
    return ", ".join(words.ROLES[role].partition(":")[0] for role in roles)


def decision_permission(action: str) -> Permission:
    """What the action needs."""
    return RULES[action].permission


def _decision_sheet(lot_number: str, action: str, file: LotFile) -> Sheet:
    told = words.DECISIONS[action]
    reason_needed = OPERATIONS[action][1].model_fields["reason"].is_required()
    parts: tuple[Field, ...] = (
        Field(
            "reason",
            "Reason",
            "area",
            needed=reason_needed,
            hint="Stands in the history of the lot and in the audit trail.",
        ),
    )
    if action == "recall":
        parts = (
            Field("recall_class", "Class of the recall", "select", options=(("", "Choose …"), *words.RECALL_CLASSES)),
            *parts,
        )
    if action == "release_conditionally":
        parts = (*parts, *_condition(file))
    standing = next((one for one in file.actions if one.action == action), None)
    warnings = (
        tuple(words.sentence(one.text) for one in standing.blockers)
        if standing
        else (f"{told.label}: the rules do not allow this for {_standing(file)}. Nothing can be signed here.",)
    )
    facts = [
        ("Lot", lot_number),
        ("State", words.STATES[file.lot.state].word),
        ("Kind", words.capital(words.spelled(file.lot.kind))),
    ]
    if file.lot.product_code:
        facts.append(("Product", file.lot.product_code))
    if file.lines:
        facts.append(("Results", _tally(file)))
    return Sheet(
        told.title.format(lot=lot_number),
        (Group("Decision", parts), signature()) if standing else (),
        told.label if standing else "",
        told.lead if standing else "",
        (f"/lots/{lot_number}", f"Lot {lot_number}"),
        told.tone if told.tone != "plain" else "main",
        warnings,
        tuple(facts),
        "deciding.html" if standing else "",
        {"not_normal": not_normal(file), "previews": _previews(lot_number, action, file)},
    )


def _previews(lot_number: str, action: str, file: LotFile) -> list[tuple[str, str]]:
    """What the certificates would look like that the release issues: address and specification."""
    if action not in ("release", "release_conditionally"):
        return []
    here = f"/lots/{quote(lot_number, safe='')}/certificate-draft.pdf"
    return [(f"{here}?specification={quote(code, safe='')}", label) for code, label in file.release_specifications]


def _condition(file: LotFile) -> tuple[Field, ...]:
    """What a conditional release names: exactly what is outstanding, and the last day that it may come on."""
    tests = tuple((code, f"{catalogue_test(code).name_en} ({code})") for code in file.outstanding)
    days = file.product.late_days if file.product else None
    return (
        Field(
            "awaited[]",
            "Results that are awaited",
            "checks",
            options=tests,
            hint="Tick each: you sign that you know of it.",
        ),
        Field("due_on", "Awaited until", "date", hint=f"At most {days} days from today, as the product allows."),
    )


def _standing(file: LotFile) -> str:
    return f"a {words.spelled(file.lot.kind)} in the state “{words.STATES[file.lot.state].word.lower()}”"


def _file(visit: Visit, lot_number: str) -> LotFile:
    now = visit.site.clock()
    return visit.ask(lot_file, lot_number, now, visit.site.today(now), visit.who)  # type: ignore[no-any-return]


@router.get("/lots/{lot_number}/{action}")
def decision_form(lot_number: str, action: str, visit: Reader) -> Response:
    """The form of a decision, with everything that stands in its way."""
    _known(action)
    visit.who.require(decision_permission(action))
    return show(visit, _decision_sheet(lot_number, action, _file(visit, lot_number)))


@router.post("/lots/{lot_number}/{action}")
def decide(lot_number: str, action: str, visit: Member, typed: Form) -> Response:
    """One decision, signed."""
    _known(action)
    operation, kind = OPERATIONS[action]
    _, reasons, status = attempt(visit, typed, kind, operation, {"lot_number": lot_number})
    if reasons and status != 403 and visit.ask(_just_done, lot_number, action, visit.who, visit.site.clock()):
        status, reasons = 303, ()  # a second click: the first one did it
    if reasons:
        return show(visit, _decision_sheet(lot_number, action, _file(visit, lot_number)), typed, reasons, status)
    return leads_to(
        f"/lots/{lot_number}", f"Lot {lot_number}: {words.DECISIONS[action].label.lower()} is recorded and signed."
    )


#: A decision that is sent again so soon after it was done is the second of two clicks, and no other decision.
SECOND_CLICK = timedelta(seconds=30)


def _just_done(session: Any, lot_number: str, action: str, who: Actor, now: datetime) -> bool:
    """Whether the newest move of the lot is this very decision by this very person, a moment ago."""
    moves = select(LotMove).join(Lot).where(Lot.lot_number == lot_number).order_by(col(LotMove.id).desc())
    newest = session.exec(moves.limit(1)).first()
    return (
        newest is not None
        and (newest.action, newest.actor_id) == (action, who.user_id)
        and now - newest.moved_at <= SECOND_CLICK
    )


def _known(action: str) -> None:
    if action not in OPERATIONS:
        raise NotFound(Reason("no-such-rule", f"there is no action {action[:30]!r} on a lot"))


def _material(_visit: Visit) -> Sheet:
    return Sheet(
        "Receive material",
        (
            Group(
                "What came in",
                (
                    Field("material", "Material", hint="Such as human platelet lysate."),
                    Field("supplier", "Supplier"),
                    Field(
                        "supplier_lot_number",
                        "Supplier’s lot number",
                        "code",
                        hint="As on the container; a scanner may type it.",
                    ),
                    Amount("quantity", "Quantity", unit_options()),
                    Field("expires_on", "Expires on", "date"),
                ),
            ),
        ),
        "Book in",
        "The lot gets its number and is in quarantine until QA accepts it.",
        ("/lots", "Lots"),
    )


offer(
    router,
    "/materials/new",
    receive_material,
    ReceiveMaterial,
    _material,
    lambda _visit, lot: (f"/lots/{lot.lot_number}", f"Booked in as lot {lot.lot_number}."),
)
