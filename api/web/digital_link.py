"""The resolver of GS1 Digital Links: the code on a vial leads to its lot, if code and record agree (GS1-Conformant Resolver, its simple form).

A lot whose product asks for the check code answers as an unknown one: the code on the vial does not carry it.
"""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response

from api.deps import site_of
from api.look_ups import LookUpRoute
from api.web.public import FILES, missing, product_name
from api.web.public_drawing import FRESH, address, language_in, profile_of
from domain.certificates.look_up import DISAGREES, PublicLot, public_lot
from domain.errors import NotFound
from domain.store import reading

router = APIRouter(include_in_schema=False, route_class=LookUpRoute)

VOCABULARY = "https://gs1.org/voc/"
#: What a link can be asked for by; `all` is what `linkset` was called before.
KNOWN = ("", "gs1:defaultLink", "gs1:certificationInfo", f"{VOCABULARY}defaultLink", f"{VOCABULARY}certificationInfo")
WHOLE = ("all", "linkset")
_JSON = {"application/json", "application/linkset+json"}
_VARY = {"Vary": "Accept, Accept-Language"}
_CONTEXT = '<https://ref.gs1.org/standards/resolver/linkset-context>; rel="http://www.w3.org/ns/json-ld#context"; type="application/ld+json"'


@router.get("/01/{gtin}/10/{lot}")
@router.get("/01/{gtin}/10/{lot}/21/{serial}")
def resolve(gtin: str, lot: str, request: Request) -> Response:
    """To the page of the lot, if GTIN, lot and expiry belong together; else the page for unknown lots, with a hint where they differ."""
    site, language, asked = site_of(request), language_in(request), request.query_params
    scanned = address(f"/01/{gtin}/10/{lot}", **{"17": asked.get("17")})
    with reading(site.engine) as session:
        try:
            found = public_lot(session, scanned, site.today(), asked.get("code"))
        except NotFound as refusal:
            return missing(request, language, lot, disagrees=refusal.reasons == (DISAGREES,))
    wanted = asked.get("linkType", "")
    if wanted in WHOLE or (not wanted and _asks_for_json(request)):
        return _linkset(request, found)
    if wanted not in KNOWN:
        return missing(request, language, lot)
    target = address(f"/c/{found.lot_number}", code=asked.get("code"), lang=asked.get("lang"))
    return RedirectResponse(target, 307, headers={**FRESH, **_VARY, "Link": _CONTEXT})


def _asks_for_json(request: Request) -> bool:
    accepted = {part.partition(";")[0].strip() for part in request.headers.get("accept", "").split(",")}
    return bool(accepted & _JSON) and "text/html" not in accepted


def _linkset(request: Request, found: PublicLot) -> Response:
    """Every link of the lot (RFC 9264): its page in both languages, the certificate as PDF and as JSON."""
    base, code = profile_of(request).base_url.rstrip("/"), request.query_params.get("code")
    content, page = found.certificate, f"{base}{address(f'/c/{found.lot_number}', code=code)}"
    title = f"{product_name(content, 'en')}, lot {found.lot_number}"
    pages = [
        {
            "href": f"{page}{'&' if code else '?'}lang={language}",
            "title": title,
            "type": "text/html",
            "hreflang": [language],
        }
        for language in ("en", "de")
    ]
    told = address(f"/api/v1/public/lots/{found.lot_number}", code=code)
    files = [
        {"href": f"{base}{found.newest.pdf_url(FILES, newest=True)}", "title": title, "type": "application/pdf"},
        {"href": f"{base}{told}", "title": title, "type": "application/json"},
    ]
    known: dict[str, Any] = {
        "anchor": f"{base}{address(f'/01/{found.gtin}/10/{found.lot_number}')}",
        "itemDescription": title,
        f"{VOCABULARY}defaultLink": [{"href": page, "title": title, "type": "text/html", "hreflang": ["en", "de"]}],
        f"{VOCABULARY}certificationInfo": [*pages, *files],
    }
    headers = {"Cache-Control": "no-cache", **_VARY, "Link": _CONTEXT, "Access-Control-Allow-Origin": "*"}
    return JSONResponse({"linkset": [known]}, 200, headers, media_type="application/linkset+json")


@router.get("/.well-known/gs1resolver")
def describe(request: Request) -> Response:
    """What this resolver can resolve."""
    profile = profile_of(request)
    return JSONResponse(
        {
            "name": f"{profile.name}: certificates by lot",
            "resolverRoot": profile.base_url.rstrip("/"),
            "supportedPrimaryKeys": ["01"],
            "supportedLinkType": [{"namespace": VOCABULARY, "prefix": "gs1:"}],
            "linkTypeDefaultCanBeLinkset": False,
            "contact": {"fn": profile.name, "hasTelephone": profile.phone},
        }
    )
