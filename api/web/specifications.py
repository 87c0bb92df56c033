"""Specifications: drafted by one person, approved by another's signature."""

from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response

from api.web.forms import Field, Group, Rows, Sheet, Typed, offer, options, signature
from api.web.lists import methods, specification_file, specifications
from api.web.pages import Reader, Visit, page, unit_word
from api.web.words import capital, spelled
from domain.laboratory.catalogue import TESTS
from domain.laboratory.models import Purpose
from domain.laboratory.specification_queries import open_lots_touched
from domain.laboratory.specifications import (
    ApproveSpecification,
    DraftSpecification,
    approve_specification,
    draft_specification,
)
from domain.laboratory.verdict import CriterionKind, Rounding
from domain.lots.models import LotKind
from domain.lots.queries import products
from domain.permissions import Permission
from reports.wording import for_people

router = APIRouter(include_in_schema=False)


def _word(code: str) -> str:
    return capital(spelled(code))


@router.get("/specifications")
def listed(visit: Reader) -> Response:
    """Every revision, newest first."""
    return page(
        visit,
        "specifications.html",
        found=visit.ask(specifications),
        may_draft=visit.may(Permission.DRAFT_SPECIFICATION),
    )


@router.get("/specifications/{code}/{revision}")
def one(code: str, revision: int, visit: Reader) -> Response:
    """One revision with its lines."""
    row, lines = visit.ask(specification_file, code, revision)
    return page(
        visit, "specification.html", row=row, lines=lines, may_approve=visit.may(Permission.APPROVE_SPECIFICATION)
    )


def _draft(visit: Visit) -> Sheet:
    tests = [
        (code, f"{test.name_en} · {code}{' · ' + unit_word(test.unit) if unit_word(test.unit) else ''}")
        for code, test in TESTS.items()
    ]
    known = [(method.code, f"{method.code} · {method.test_code}") for method in visit.ask(methods)]
    columns = (
        Field("test_code", "Test", "select", options=(("", "Choose …"), *tests)),
        Field("method_code", "Method", "select", options=(("", "None: calculated"), *known), needed=False),
        Field("kind", "Criterion", "select", options=options(CriterionKind, _word)),
        Field("lower", "At least", "number", needed=False),
        Field("upper", "At most", "number", needed=False),
        Field("allowed", "Passing words", needed=False, hint="Separated by commas."),
        Field("alert_lower", "Alert below", "number", needed=False),
        Field("alert_upper", "Alert above", "number", needed=False),
        Field("rounding", "Rounding", "select", options=tuple((str(one), _word(one)) for one in Rounding)),
        Field("required", "Required", "select", options=(("true", "Yes"), ("false", "No: only reported"))),
    )
    coded = [(product.code, f"{product.code} · {product.name_en}") for product in visit.ask(products)]
    return Sheet(
        "Draft a specification",
        (
            Group(
                "Specification",
                (
                    Field(
                        "code",
                        "Code",
                        "code",
                        hint="Such as SPEC-AD-EV-100; the same code again makes the next revision.",
                    ),
                    Field("product_code", "Product", "select", options=(("", "Choose …"), *coded)),
                    Field("purpose", "Purpose", "select", options=tuple((str(one), _word(one)) for one in Purpose)),
                    Field("effective_from", "In force from", "date"),
                    Field(
                        "market", "Market or route", needed=False, hint="Where the product has several specifications."
                    ),
                    Field(
                        "stage",
                        "Kind of lot",
                        "select",
                        needed=False,
                        options=options(LotKind, _word, empty="Not in process"),
                        hint="Of an in-process specification.",
                    ),
                    Field(
                        "controlled",
                        "Methods",
                        "select",
                        options=(("false", "As defined"), ("true", "Only those that QA approved")),
                    ),
                ),
            ),
            Group(
                "Criteria",
                (Rows("lines", columns, least=3, more="Add a line"),),
                "Limits stand on the certificate exactly as typed: 0.50 is not 0.5.",
            ),
        ),
        "Draft it",
        "A draft counts for nothing until QA approves it; nobody approves their own.",
        ("/specifications", "Specifications"),
        context={"width": ""},
    )


def _words_split(_visit: Visit, typed: Typed) -> dict[str, Any]:
    """The passing words of each line become a list."""
    for place in typed.places("lines"):
        name = f"lines.{place}.allowed"
        if words := [word.strip() for word in typed.get(name).split(",") if word.strip()]:
            typed.values[f"{name}[]"] = words
        typed.values.setdefault(name, [""])
    return {}


offer(
    router,
    "/specifications/new",
    draft_specification,
    DraftSpecification,
    _draft,
    lambda _visit, found: (
        f"/specifications/{found.code}/{found.revision}",
        f"{found.label} is drafted and waits for approval.",
    ),
    _words_split,
)


def _place(visit: Visit) -> tuple[str, int]:
    return str(visit.request.path_params["code"]), int(visit.request.path_params["revision"])


def _approval(visit: Visit) -> Sheet:
    row, lines = visit.ask(specification_file, *_place(visit))
    return Sheet(
        f"Approve {row.code} v{row.revision}",
        (signature("You approve exactly the criteria above."),),
        "Approve",
        f"Drafted by {row.drafted_by}; in force from {row.effective_from}.",
        (f"/specifications/{row.code}/{row.revision}", f"{row.code} v{row.revision}"),
        facts=(
            *((line.test_name, for_people(line.criterion)) for line in lines),
            ("Open lots it touches", _touched(visit)),
        ),
    )


def _touched(visit: Visit) -> str:
    lots = visit.ask(open_lots_touched, *_place(visit))
    told = (
        f"{one.lot_number} ({f'stays with {one.specification}' if one.specification else 'not sampled yet'})"
        for one in lots
    )
    return ", ".join(told) or "None"


offer(
    router,
    "/specifications/{code}/{revision}/approve",
    approve_specification,
    ApproveSpecification,
    _approval,
    lambda visit, _approved: (
        f"/specifications/{'/'.join(map(str, _place(visit)))}",
        "The specification is approved and signed.",
    ),
    lambda visit, _typed: dict(zip(("code", "revision"), _place(visit), strict=True)),
)
