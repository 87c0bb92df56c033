"""Labels at the workplace: what they look like, printing them, and accounting for all of them."""

from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response
from markupsafe import Markup
from sqlmodel import Session

from api.web import words
from api.web.forms import Field, Group, Sheet, offer
from api.web.pages import Reader, Visit, page
from domain.errors import DomainError, Reason
from domain.labels.content import DoesNotFit, LabelKind
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
from domain.labels.queries import LabelsView, label_preview, labels_of
from domain.lots.models import Lot
from domain.permissions import Permission
from reports.labels import svg_of

router = APIRouter(include_in_schema=False)

_LANGUAGES = (("en", "English"), ("de", "German"))
_KINDS = (("", "Choose …"), ("vial", "Vial, 50 × 25 mm"), ("carton", "Carton, 90 × 50 mm"))
_NO_OR_YES = (("false", "No"), ("true", "Yes"))


@router.get("/lots/{lot_number}/labels")
def labels(lot_number: str, visit: Reader) -> Response:
    """Every print of labels for a lot, what became of them, and what is still open."""
    found: LabelsView = visit.ask(labels_of, lot_number)
    return page(
        visit,
        "labels.html",
        found=found,
        lot_number=lot_number,
        pictures=_pictures(visit, lot_number),
        may_print=visit.may(Permission.RUN_STEP),
    )


def _pictures(visit: Visit, lot_number: str) -> list[tuple[str, Markup, tuple[str, ...]]]:
    """What the labels of vials and cartons look like as they would be printed now, or why none would be."""
    kinds: tuple[LabelKind, ...] = ("vial", "carton")
    shown = []
    for kind in kinds:
        picture, why = _picture(visit, lot_number, kind)
        shown.append((words.capital(kind), picture, tuple(words.sentence(reason.text) for reason in why)))
    return shown


def _picture(visit: Visit, lot_number: str, kind: LabelKind) -> tuple[Markup, tuple[Reason, ...]]:
    try:
        content = visit.ask(label_preview, visit.site, lot_number, kind, "en")
        return Markup(svg_of(content)), ()  # noqa: S704 - drawn by us, escaped there
    except DoesNotFit as long:
        return Markup(), (Reason("label-does-not-fit", long.text, long.field),)
    except DomainError as refusal:
        return Markup(), refusal.reasons


def _lot(visit: Visit, *_typed: Any) -> dict[str, str]:
    return {"lot_number": str(visit.request.path_params["lot_number"])}


def _back(visit: Visit) -> tuple[str, str]:
    number = _lot(visit)["lot_number"]
    return f"/lots/{number}/labels", f"Labels of lot {number}"


def _printing(visit: Visit) -> Sheet:
    number = _lot(visit)["lot_number"]
    found: LabelsView = visit.ask(labels_of, number)
    counted = [(one.kind.value, one.count) for one in found.prints if one.sample_number is None]
    facts = [
        (f"{words.capital(kind)} labels printed", str(sum(count for of, count in counted if of == kind)))
        for kind in dict.fromkeys(kind for kind, _ in counted)
    ]
    parts = (
        Field("kind", "For", "select", options=_KINDS),
        Field("count", "How many", "number", allowed=f"1 to {MOST}"),
        Field("language", "Language", "select", options=_LANGUAGES),
        Field(
            "serialised",
            "Serial numbers",
            "select",
            options=_NO_OR_YES,
            hint="Each label gets the next number of the lot in its code; needs a GTIN.",
        ),
        Field(
            "first_serial",
            "First number, to print numbers anew",
            "number",
            needed=False,
            hint="Only numbers that were printed before.",
        ),
        Field(
            "reason",
            "Reason",
            "area",
            needed=False,
            hint="The first print of a kind needs none; every further one is a reprint and says why.",
        ),
    )
    return Sheet(
        f"Print labels for lot {number}",
        (Group("Labels", parts),),
        "Print",
        "The print is on record; every label of it is accounted for afterwards.",
        _back(visit),
        facts=tuple(facts),
    )


offer(
    router,
    "/lots/{lot_number}/labels/print",
    print_labels,
    PrintLabels,
    _printing,
    lambda visit, made: (
        _back(visit)[0],
        f"{made.count} {made.kind.value} labels are on record: take the file to the printer.",
    ),
    _lot,
)


def _reconciling(visit: Visit) -> Sheet:
    number = _lot(visit)["lot_number"]
    found: LabelsView = visit.ask(labels_of, number)
    printed: dict[str, int] = {}
    for one in found.prints:
        if one.sample_number is None:
            printed[one.kind.value] = printed.get(one.kind.value, 0) + one.count
    counts = (
        Field("kind", "For", "select", options=_KINDS),
        Field("applied", "Applied", "number", hint="On vials or cartons."),
        Field("destroyed", "Destroyed", "number"),
        Field("sample_attached", "Attached to the batch record", "number", hint="Specimens."),
        Field(
            "explanation",
            "Explanation of a difference",
            "area",
            needed=False,
            hint="Count again first. What cannot be found is explained, and stays visible.",
        ),
    )
    return Sheet(
        f"Account for the labels of lot {number}",
        (Group("What became of them", counts),),
        "Record",
        "All labels of a kind together, every print of it: printed = applied + destroyed + attached, exactly.",
        _back(visit),
        facts=tuple((f"{words.capital(kind)} labels printed", str(count)) for kind, count in printed.items()),
    )


offer(
    router,
    "/lots/{lot_number}/labels/reconcile",
    reconcile_labels,
    ReconcileLabels,
    _reconciling,
    lambda visit, made: (_back(visit)[0], f"The {made.kind.value} labels are accounted for."),
    _lot,
)


def _sample(visit: Visit, *_typed: Any) -> dict[str, str]:
    return {"sample_number": str(visit.request.path_params["sample_number"])}


def _sample_printing(visit: Visit) -> Sheet:
    number = _sample(visit)["sample_number"]
    parts = (
        Field("count", "How many", "number", allowed=f"1 to {MOST_OF_A_SAMPLE}"),
        Field("language", "Language", "select", options=_LANGUAGES),
        Field("reason", "Reason", "area", needed=False, hint="Every print after the first says why."),
    )
    return Sheet(
        f"Print labels for sample {number}",
        (Group("Labels, 40 × 20 mm", parts),),
        "Print",
        "Each carries the number of the sample, also as a DataMatrix.",
        (f"/samples/{number}", f"Sample {number}"),
    )


def _printed_for_sample(visit: Visit, made: Any) -> tuple[str, str]:
    lot_number = visit.ask(_lot_of_print, made.lot_id)
    return (
        f"/lots/{lot_number}/labels",
        f"{made.count} labels of the sample are on record: take the file to the printer.",
    )


def _lot_of_print(session: Session, lot_id: int) -> str:
    return str(session.get_one(Lot, lot_id).lot_number)


offer(
    router,
    "/samples/{sample_number}/labels/print",
    print_sample_labels,
    PrintSampleLabels,
    _sample_printing,
    _printed_for_sample,
    _sample,
)
