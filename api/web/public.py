"""The public look-up as a page: no account, one request, the state of this minute first."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from markupsafe import Markup

from api.deps import site_of
from api.help_on_tests import HELP
from api.look_ups import LookUpRoute
from api.web.public_drawing import FRESH, LOOK, address, drawn, language_in, minute
from api.web.public_words import FOLLOW, WORDS, Language, standing_of
from domain.certificates.look_up import DISAGREES, PublicLot, Revision, public_lot
from domain.certificates.words import REVISION_CAUSES
from domain.errors import NotFound
from domain.lots.models import LotState
from domain.lots.numbers import GS1_CHARACTERS
from domain.lots.typed import MOST_TYPED, as_printed, read
from domain.store import reading
from domain.work import Profile
from reports.plots import distribution_svg
from reports.wording import for_people, site_date, site_time

router = APIRouter(include_in_schema=False, route_class=LookUpRoute)

#: In what order the groups of tests are told.
GROUPS = ("safety", "physicochemical", "identity", "purity", "potency")

FILES = "/api/v1/public/certificates"

Wording = Callable[[Any], str]


@router.get("/c")
def look(request: Request, lot: str = "", code: str = "", lang: str | None = None) -> Response:
    """The number typed leads to its page, and a scanned code to the resolver of codes; without either, the form."""
    typed, language = lot.strip()[:MOST_TYPED], language_in(request, lang)
    if not typed:
        return drawn(request, language, "public_search.html", typed="")
    wanted, asked = read(typed), {"code": code.strip()[:40], "lang": lang if lang in ("en", "de") else ""}
    if wanted.gtin is not None:
        path = f"/01/{wanted.gtin}/10/{wanted.lot_number}"
        return RedirectResponse(address(path, **{"17": wanted.expires}, **asked), 303)
    return RedirectResponse(address(f"/c/{typed if len(typed) <= 60 else typed[:60]}", **asked), 303)


@router.get("/c/{lot_number:path}")
def show(lot_number: str, request: Request, code: str = "", lang: str | None = None, certificate: str = "") -> Response:
    """A lot's certificate; unknown, unreleased and hidden lots get the very same page."""
    site, language = site_of(request), language_in(request, lang)
    now = site.clock().replace(second=0, microsecond=0)
    with reading(site.engine) as session:
        try:
            found = public_lot(session, lot_number, site.today(), code, certificate)
        except NotFound as refusal:
            return missing(request, language, lot_number, disagrees=refusal.reasons == (DISAGREES,))
    by_mail = request.app.state.settings.mail() is not None
    etag = found.etag(language, LOOK, repr(site.profile), now.isoformat(), code, str(by_mail))
    headers = {**FRESH, "ETag": etag, "Content-Language": language}
    if etag in (part.strip().removeprefix("W/") for part in request.headers.get("if-none-match", "").split(",")):
        return Response(status_code=304, headers=headers)
    chosen = found.certificate_number if found.others and certificate else ""
    here = address(f"/c/{found.lot_number}", code=code, certificate=chosen)
    shown = _shown(found, language, site.profile, now)
    return drawn(
        request, language, "public.html", 200, headers, here, **shown, now=now, code=code, by_mail=by_mail, typed=""
    )


def missing(request: Request, language: Language, typed: str, *, disagrees: bool = False) -> Response:
    """The page for a number that nothing can be shown for; the number stays in the form, as the code beside it may be all that lacks."""
    number = as_printed(typed)
    kept = number if len(number) <= 20 and GS1_CHARACTERS.fullmatch(number) else ""
    return drawn(request, language, "public_missing.html", 404, typed=kept, disagrees=disagrees)


def _shown(found: PublicLot, language: Language, profile: Profile, now: datetime) -> dict[str, Any]:
    """Everything the page shows, each word in its language; figures exactly as certified."""
    content, say, zone = found.certificate, WORDS[language], profile.time_zone
    recalled = found.state is LotState.RECALLED
    void = recalled or found.withdrawn

    def words(said: Any) -> str:
        return for_people(str(said[language]), language) if isinstance(said, dict) else for_people(str(said), language)

    return {
        "found": found,
        "as_of": minute(now, zone),
        "content": content,
        "standing": standing_of(found, language),
        "recalled": recalled,
        "void": void,
        "since": site_date(found.since, zone) if found.state is not LotState.EXPIRED else found.expires_on.isoformat(),
        "withdrawn_on": site_date(found.newest.withdrawn_at, zone) if found.newest.withdrawn_at else "",
        "conditional": words(content["conditional"]) if content.get("conditional") else "",
        "facts": [(term, value) for term, value in _facts(found, content, say, words) if value],
        "name": product_name(content, language),
        "notice": content["product"]["regulatory_notice"][language],
        "remarks": _remarks(content, words),
        "groups": [
            (say[group], lines)
            for group in GROUPS
            if (lines := [_line(one, words, language) for one in content["tests"] if one["group"] == group])
        ],
        "plots": [_plot(one, say, language, place) for place, one in enumerate(content["distributions"])],
        "revisions": [
            _revision(one, language, zone, usable=found.usable, recalled=recalled) for one in found.revisions
        ],
        "pdf": found.newest.copy_url(FILES, newest=True) if void else found.newest.pdf_url(FILES, newest=True),
        "follow": FOLLOW[language],
        "choices": [(one, _for_market(one.market, one.specification)) for one in found.others],
        "several_lead": say["several_lead"].format(specification=content["specification"]),
    }


def _for_market(market: str | None, specification: str) -> str:
    """What one of several certificates is for."""
    return f"{market}: {specification}" if market else specification


def product_name(content: dict[str, Any], language: Language) -> str:
    """What the product is called in that language."""
    return str(content["product"]["name"][language])


def _facts(found: PublicLot, content: dict[str, Any], say: dict[str, str], words: Wording) -> Iterator[tuple[str, str]]:
    product, lot, origin = content["product"], content["lot"], content["origin"]
    yield say["form"], words(product["form"])
    yield say["route"], words(product["route"])
    yield say["strength"], words(product["strength"]) if product["strength"] else ""
    yield say["fill"], words(product["fill_volume"])
    yield say["reconstitution"], words(product["reconstitution"])
    yield say["storage"], words(product["storage"])
    yield say["expires"], found.expires_on.isoformat()
    yield say["made"], lot["manufactured_on"]
    yield say["size"], words(lot["quantity"])
    released = datetime.fromisoformat(lot["released_at"]) if lot["released_at"] else None
    yield say["released"], site_date(released, content["time_zone"]) if released else ""
    yield say["composition"], product["composition"]
    yield say["container"], product["container"]
    yield say["origin"], words(origin["tissue"])
    yield say["banks"], ", ".join(origin["cell_banks"])


def _remarks(content: dict[str, Any], words: Wording) -> list[str]:
    """What a reader should know beside the results: what was departed from, and what was looked into."""
    looked_into = [f"{words(one['words'])} ({one['on']})" for one in content.get("investigations") or ()]
    return [words(content["deviations"]), *looked_into]


def _line(one: dict[str, Any], words: Wording, language: Language) -> dict[str, str]:
    say, told = WORDS[language], HELP.get(one["code"])
    spread = [
        say["replicates"].format(n=one["n"]) if one.get("n") and one["n"] > 1 else "",
        say["spread"].format(sd=words(one["sd"])) if one.get("sd") else "",
    ]
    return {
        "name": words(one["name"]),
        "criterion": words(one["criterion"]),
        "result": words(one["result"]),
        "verdict": one["verdict"],
        "method": one["method"],
        "note": words(one["note"]) if one["note"] else "",
        "spread": ", ".join(part for part in spread if part),
        "help": getattr(told, language) if told else "",
    }


def _revision(one: Revision, language: Language, zone: str, *, usable: bool, recalled: bool) -> dict[str, Any]:
    """A revision: what it is now, when and why it was issued, what it replaced, and where its file and its proof are."""
    say = WORDS[language]
    at = site_date(one.withdrawn_at, zone) if one.withdrawn_at else ""
    cause = getattr(REVISION_CAUSES[one.cause], language) if one.cause else ""
    standing = say["current"] if usable else say["newest"]
    if one.withdrawn_at:
        standing = say["withdrawn_on"].format(on=at)
    elif one.superseded_by:
        standing = say["superseded"].format(by=one.superseded_by)
    return {
        "revision": one.revision,
        "tone": {"current": "good" if usable else "plain", "withdrawn": "bad", "superseded": "plain"}[one.standing],
        "standing": standing,
        "superseded": say["superseded"].format(by=one.superseded_by) if one.withdrawn_at and one.superseded_by else "",
        "issued": site_time(one.issued_at, zone),
        "cause": cause,
        "supersedes": say["supersedes"].format(old=one.revision - 1) if one.revision > 1 else "",
        "pdf": one.pdf_url(FILES),
        "marked": "" if one.standing == "current" and not recalled else one.copy_url(FILES),
        "proof": one.proof_url(FILES),
        "pdf_sha256": one.pdf_sha256,
    }


#: The plot is drawn in English; these are all of its words.
_PLOT_DE = (
    ("Hydrodynamic diameter", "Hydrodynamischer Durchmesser"),
    ("Particles [", "Partikel ["),
    (" % within 30–150 nm", " % in 30–150 nm"),
    (">Mode ", ">Modalwert "),
    (
        " % of the particles within 30 to 150 nm. Drawn from 0 to ",
        " % der Partikel innerhalb 30 bis 150 nm. Gezeigt von 0 bis ",
    ),
)


def _plot(one: dict[str, Any], say: dict[str, str], language: Language, place: int) -> dict[str, Any]:
    svg = distribution_svg(
        one["edges_nm"],
        one["per_ml"],
        mode=one["mode"],
        percent_30_150=one["percent_30_150"],
        title=say["plot"],
        ident=f"d{place}",
        width=440,
        height=310,
    )
    if language == "de":
        for english, german in _PLOT_DE:
            svg = svg.replace(english, german)
    figures = (
        (say["mode"], f"{one['mode']} nm"),
        (say["median"], f"{one['d50']} nm"),
        (say["within"], f"{one['percent_30_150']} %"),
    )
    limits = f"{one['convention'][language]} {one['lower_limit'][language]}"
    return {"svg": Markup(svg), "figures": figures, "method": one["method"], "limits": limits}  # noqa: S704 - drawn by us, escaped there
