"""Products, and the changes of them."""

from dataclasses import replace
from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response

from api.web.forms import Amount, Field, Group, Part, Rows, Sheet, Typed, offer, options, signature
from api.web.lots import unit_options
from api.web.pages import Reader, Visit, page
from api.web.words import capital, spelled
from domain.disposition.product_changes import (
    DecideProductChange,
    ProposeProductChange,
    decide_product_change,
    product_changes,
    propose_product_change,
    why_never_late,
)
from domain.errors import NotFound, Reason
from domain.laboratory.catalogue import TESTS
from domain.lots.models import RegulatoryStatus, Route
from domain.lots.operations import DefineProduct, define_product
from domain.lots.queries import ProductView, product_coded, products
from domain.permissions import Permission

router = APIRouter(include_in_schema=False)


@router.get("/products")
def listed(visit: Reader) -> Response:
    """All products."""
    return page(visit, "products.html", found=visit.ask(products), may_define=visit.may(Permission.DEFINE_PRODUCT))


_VOLUME = unit_options(("mL", "uL", "L"), empty=False)
_CELSIUS = unit_options(("Cel", "K"), empty=False)
_NO_OR_YES = (("false", "No"), ("true", "Yes"))
_PER_VIAL = unit_options(("{particles}/{vial}",), empty=False)


def _word(code: str) -> str:
    return capital(spelled(code))


def _groups() -> tuple[Group, ...]:
    return (
        Group(
            "Name",
            (
                Field("code", "Code", "code", hint="Capitals, digits and hyphens, such as AD-EV-100."),
                Field("lot_series", "Series of its lot numbers", "code", hint="2 to 6 capitals, such as AEV."),
                Field("name_en", "Name in English"),
                Field("name_de", "Name in German"),
                Field("gtin", "GTIN", "code", needed=False, hint="14 digits with the check digit."),
                Field("regulatory_status", "Regulatory status", "select", options=options(RegulatoryStatus, _word)),
                Field(
                    "authorisation",
                    "Authorisation",
                    needed=False,
                    hint="Number of the marketing or clinical-trial authorisation, if there is one.",
                ),
            ),
        ),
        Group(
            "Form and container",
            (
                Field("form_en", "Form in English", hint="Such as lyophilised powder."),
                Field("form_de", "Form in German"),
                Field("composition", "Composition"),
                Field("container", "Container"),
                Amount("fill_volume", "Fill volume", _VOLUME, unit="mL"),
                Amount("label_particles", "Particles on the label", _PER_VIAL, needed=False, hint="Such as 1E10."),
            ),
        ),
        Group(
            "Use and storage",
            (
                Amount("reconstitution_volume", "Reconstitution volume", _VOLUME, unit="mL"),
                Field("diluent_en", "Diluent in English"),
                Field("diluent_de", "Diluent in German"),
                Field("route", "Route", "select", options=options(Route, _word)),
                Field("shelf_life_months", "Shelf life", "number", unit="months", hint="1 to 120."),
                Amount("storage_low", "Stored from", _CELSIUS, unit="Cel"),
                Amount("storage_high", "Stored up to", _CELSIUS, unit="Cel"),
            ),
        ),
        Group(
            "Release and look-up",
            (
                Field(
                    "batch_certificate",
                    "Batch certificate",
                    "select",
                    options=_NO_OR_YES,
                    hint="Whether a released lot gets a batch certificate beside the certificate of analysis.",
                ),
                Field(
                    "look_up_code",
                    "Check code",
                    "select",
                    options=_NO_OR_YES,
                    hint="Whether the public look-up asks for a code that is printed on the label beside the lot number.",
                ),
                Field(
                    "release_signatures",
                    "Signatures for a release",
                    "select",
                    options=(("2", "Two: head of QC, QA"), ("3", "Three: head of production, head of QC, QA")),
                ),
                Field(
                    "expiry_extension_months",
                    "Expiry may be extended by",
                    "number",
                    unit="months",
                    needed=False,
                    hint="1 to 60, all extensions of a lot together; empty: not at all.",
                ),
            ),
        ),
    )


def _product(_visit: Visit) -> Sheet:
    return Sheet(
        "Define a product",
        _groups(),
        "Define the product",
        "A code is given once and never again; what is on the label and the certificate comes from here.",
        ("/products", "Products"),
    )


offer(
    router,
    "/products/new",
    define_product,
    DefineProduct,
    _product,
    lambda _visit, product: ("/products", f"Product {product.code} is defined."),
)


#: What the form of a new product does not ask for: it is allowed by a change, which QA signs.
_LATE = Group(
    "Conditional release",
    (
        Field(
            "late_tests[]",
            "Tests that may come late",
            "checks",
            needed=False,
            options=tuple((code, test.name_en) for code, test in TESTS.items() if not why_never_late(code)),
            hint="A lot may be released before their results are final, never before others.",
        ),
        Field("late_days", "Late by at most", "number", unit="days", needed=False, hint="1 to 90, after the release."),
    ),
)
_FIXED = ("code", "lot_series")
_UNITS = {
    "fill_volume": "mL",
    "label_particles": "{particles}/{vial}",
    "reconstitution_volume": "mL",
    "storage_low": "Cel",
    "storage_high": "Cel",
}


def _code(visit: Visit) -> str:
    return str(visit.request.path_params["code"])


def _filled(group: Group, product: ProductView) -> Group:
    """The same fields with what the product is now."""
    parts: list[Part] = []
    for part in group.parts:
        if isinstance(part, Rows) or part.name in _FIXED:
            continue
        now = getattr(product, part.name.removesuffix("[]"))
        if isinstance(part, Amount):
            parts.append(replace(part, value="" if now is None else f"{now}", unit=_UNITS[part.name]))
        else:
            parts.append(replace(part, value=_as_typed(now)))
    return Group(group.legend, tuple(parts), group.note)


def _as_typed(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return ", ".join(value) if isinstance(value, tuple) else "" if value is None else str(value)


def _change(visit: Visit) -> Sheet:
    product = visit.ask(product_coded, _code(visit))
    reason = Group("Reason", (Field("reason", "Why it changes", "area", hint="Stands in the history of the product."),))
    return Sheet(
        f"Propose a change of {product.code}",
        (*(_filled(group, product) for group in (*_groups(), _LATE)), reason),
        "Propose it",
        "Nothing changes before QA approves it. Certificates that were issued keep the product as it was.",
        (f"/products/{product.code}", f"Product {product.code}"),
        facts=(("Code", product.code), ("Series of its lot numbers", product.lot_series)),
    )


def _fixed(visit: Visit, _typed: Typed) -> dict[str, Any]:
    """What never changes."""
    product = visit.ask(product_coded, _code(visit))
    return {"code": product.code, "lot_series": product.lot_series}


offer(
    router,
    "/products/{code}/change",
    propose_product_change,
    ProposeProductChange,
    _change,
    lambda visit, made: (f"/products/{_code(visit)}", f"Change {made.revision} is proposed and waits for QA."),
    _fixed,
)


@router.get("/products/{code}")
def one(code: str, visit: Reader) -> Response:
    """A product with every change that was proposed for it."""
    return page(
        visit,
        "product.html",
        one=visit.ask(product_coded, code),
        changes=visit.ask(product_changes, code, visit.site.today()),
        may_propose=visit.may(Permission.DEFINE_PRODUCT),
        may_decide=visit.may(Permission.APPROVE_SPECIFICATION),
    )


def _decision(visit: Visit) -> Sheet:
    code, revision = _code(visit), int(visit.request.path_params["revision"])
    found = next(
        (one for one in visit.ask(product_changes, code, visit.site.today()) if one.revision == revision), None
    )
    if found is None:
        raise NotFound(Reason("change-not-found", f"there is no change {revision} of product {code}", "revision"))
    lots = ", ".join(f"{one.lot_number} ({spelled(one.state)})" for one in found.open_lots) or "None"
    changes = tuple((capital(spelled(one.name)), f"{one.old or '–'} → {one.new or '–'}") for one in found.changes)
    return Sheet(
        f"Decide on change {revision} of {code}",
        (
            Group(
                "Decision",
                (
                    Field("approved", "Decision", "select", options=(("true", "Approve"), ("false", "Decline"))),
                    Field("comment", "Comment", "area", needed=False, hint="Needed where it is declined."),
                ),
            ),
            signature("You sign exactly the changes above."),
        ),
        "Sign the decision",
        f"Proposed by {found.proposed_by}: {found.reason}",
        (f"/products/{code}", f"Product {code}"),
        facts=(*changes, ("Open lots it touches", lots)),
    )


offer(
    router,
    "/products/{code}/changes/{revision}/decide",
    decide_product_change,
    DecideProductChange,
    _decision,
    lambda visit, made: (
        f"/products/{_code(visit)}",
        "The change is approved and in force." if made.approved else "The change is declined.",
    ),
    lambda visit, _typed: {"code": _code(visit), "revision": visit.request.path_params["revision"]},
)
