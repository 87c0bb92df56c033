"""Products."""

from fastapi import APIRouter
from fastapi.responses import Response

from api.web.forms import Amount, Field, Group, Sheet, offer, options
from api.web.lots import unit_options
from api.web.pages import Reader, Visit, page
from api.web.words import capital, spelled
from domain.lots.models import RegulatoryStatus, Route
from domain.lots.operations import DefineProduct, define_product
from domain.lots.queries import products
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


def _product(_visit: Visit) -> Sheet:
    return Sheet(
        "Define a product",
        (
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
                ),
            ),
        ),
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
