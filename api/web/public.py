"""The public look-up as a page: no account, one request, the state of this minute first."""

import hashlib
from datetime import datetime
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, File, Request, UploadFile
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from markupsafe import Markup

from api.deps import site_of
from api.web import security
from api.web.pages import FOLDER, TEMPLATES
from api.web.public_words import OTHERWISE, STANDINGS, WORDS, Language, language_of
from domain.certificates.look_up import PublicLot, public_lot
from domain.certificates.queries import FileChecked, check_file
from domain.errors import NotFound
from domain.lots.models import LotState
from domain.store import reading
from domain.work import Profile
from reports.plots import distribution_svg
from reports.wording import at_site, for_people, site_date, site_time

router = APIRouter(include_in_schema=False)

STYLE = (FOLDER / "templates" / "public.css").read_text(encoding="utf-8").strip()
POLICY = security.policy((security.hash_source(STYLE), security.hash_source(security.PLOT_STYLE)))

#: As large as a certificate may be.
MOST_BYTES = 20_000_000

#: In what order the groups of tests are told.
GROUPS = ("safety", "physicochemical", "identity", "purity", "potency")

#: Changes with the look of the page, so that nobody is told "unchanged" about an old one.
_LOOK = hashlib.sha256(
    b"".join((FOLDER / "templates" / name).read_bytes() for name in ("public.html", "public.css"))
).hexdigest()

#: What a cache keeps it must ask about each time: a recall shows in the very next request.
FRESH = {"Cache-Control": "no-cache", "Vary": "Accept-Language", "Content-Security-Policy": POLICY}


@router.get("/c")
def look(request: Request, lot: str = "", lang: str | None = None) -> Response:
    """The number typed leads to its page; without one, the form."""
    if lot.strip():
        return RedirectResponse(
            f"/c/{quote(lot.strip()[:60], safe='')}" + (f"?lang={lang}" if lang in ("en", "de") else ""), 303
        )
    return _drawn(request, _language(request, lang), "public_search.html", 200)


@router.get("/c/{lot_number:path}")
def show(lot_number: str, request: Request, lang: str | None = None) -> Response:
    """A lot's certificate; unknown and unreleased lots get the very same page."""
    site, language = site_of(request), _language(request, lang)
    now = site.clock().replace(second=0, microsecond=0)
    with reading(site.engine) as session:
        try:
            found = public_lot(session, lot_number, site.today())
        except NotFound:
            return _drawn(request, language, "public_missing.html", 404)
    etag = _etag(found, language, site.profile, now)
    headers = {**FRESH, "ETag": etag, "Content-Language": language}
    if etag in (part.strip().removeprefix("W/") for part in request.headers.get("if-none-match", "").split(",")):
        return Response(status_code=304, headers=headers)
    return _drawn(request, language, "public.html", 200, headers, now=now, **_shown(found, language, site.profile, now))


@router.get("/verify")
def ask_for_file(request: Request, lang: str | None = None) -> Response:
    """The form for a file that somebody was sent."""
    return _drawn(request, _language(request, lang), "public_verify.html", 200, told="", refused=False)


@router.post("/verify")
def verify(request: Request, file: UploadFile | None = File(None), lang: str | None = None) -> Response:
    """Whether a file is a certificate of this laboratory, byte for byte, and what is true of its lot now. It is not kept."""
    site, language = site_of(request), _language(request, lang)
    data = file.file.read(MOST_BYTES + 1) if file else b""
    if not 0 < len(data) <= MOST_BYTES:
        return _drawn(request, language, "public_verify.html", 422, told="", refused=True)
    digest = hashlib.sha256(data).hexdigest()
    with reading(site.engine) as session:
        found = check_file(session, digest, site.today())
    checked = found if found is not None and found.sound else None
    told, tone, icon = _judged(checked)
    return _drawn(
        request,
        language,
        "public_verify.html",
        200,
        told=told,
        tone=tone,
        icon=icon,
        refused=False,
        checked=checked,
        sha256=digest,
        standing=STANDINGS[language].get(checked.lot.state, OTHERWISE[language]) if checked else None,
        as_of=_minute(site.clock(), site.profile.time_zone),
    )


def _judged(checked: FileChecked | None) -> tuple[str, str, str]:
    """What is said of a file, and how it looks; a lot that may not be used comes before a revision that does not count."""
    if checked is None:
        return "not_ours", "bad", "cross"
    if checked.lot.state is not LotState.RELEASED:
        return "genuine_barred", "bad" if checked.lot.state is LotState.RECALLED else "warn", "cross"
    return ("genuine_current", "good", "check") if checked.newest else ("genuine_old", "warn", "clock")


def _minute(at: datetime, zone: str) -> str:
    """`2026-11-20 09:31 +01:00 (Europe/Berlin)`."""
    local = at_site(at, zone)
    return f"{local:%Y-%m-%d %H:%M} {local.isoformat()[-6:]} ({zone})"


def _etag(found: PublicLot, language: Language, profile: Profile, now: datetime) -> str:
    """The page says as of which minute it is, so it is another one a minute later."""
    told = repr((found.etag(), language, _LOOK, profile, now.isoformat()))
    return f'"{hashlib.sha256(told.encode()).hexdigest()[:32]}"'


def _language(request: Request, lang: str | None) -> Language:
    return language_of(lang, request.headers.get("accept-language", ""))


def _drawn(
    request: Request,
    language: Language,
    template: str,
    status: int,
    headers: dict[str, str] | None = None,
    **context: Any,
) -> HTMLResponse:
    site = site_of(request)
    html = TEMPLATES.get_template(template).render(
        language=language,
        other="en" if language == "de" else "de",
        say=WORDS[language],
        profile=site.profile,
        style=Markup(STYLE),  # noqa: S704 - a file of ours
        path=quote(request.url.path) if status == 200 else "/c",
        **context,
    )
    return HTMLResponse(html, status, headers=headers or {**FRESH, "Content-Language": language})


def _shown(found: PublicLot, language: Language, profile: Profile, now: datetime) -> dict[str, Any]:
    """Everything the page shows, each word in its language; figures exactly as certified."""
    content, say = found.certificate, WORDS[language]
    standing = STANDINGS[language].get(found.state, OTHERWISE[language])
    zone = profile.time_zone

    def words(pair: Any) -> str:
        return for_people(str(pair[language]), language) if isinstance(pair, dict) else for_people(str(pair), language)

    product, lot, origin = content["product"], content["lot"], content["origin"]
    facts = [
        (say["form"], words(product["form"])),
        (say["route"], words(product["route"])),
        (say["strength"], words(product["strength"]) if product["strength"] else ""),
        (say["fill"], words(product["fill_volume"])),
        (say["reconstitution"], words(product["reconstitution"])),
        (say["storage"], words(product["storage"])),
        (say["expires"], found.expires_on.isoformat()),
        (say["made"], lot["manufactured_on"]),
        (say["size"], words(lot["quantity"])),
        (say["released"], lot["released_at"][:10]),
        (say["composition"], product["composition"]),
        (say["container"], product["container"]),
        (say["origin"], words(origin["tissue"])),
        (say["banks"], ", ".join(origin["cell_banks"])),
    ]
    return {
        "found": found,
        "as_of": _minute(now, profile.time_zone),
        "content": content,
        "standing": standing,
        "urgent": found.state is LotState.RECALLED,
        "since": site_date(found.since, zone) if found.state is not LotState.EXPIRED else found.expires_on.isoformat(),
        "facts": [(term, value) for term, value in facts if value],
        "name": product["name"][language],
        "notice": product["regulatory_notice"][language],
        "groups": [
            (say[group], lines)
            for group in GROUPS
            if (lines := [_line(one, words) for one in content["tests"] if one["group"] == group])
        ],
        "plots": [_plot(one, say, language, place) for place, one in enumerate(content["distributions"])],
        "issued": site_time(found.issued_at, zone),
        "pdf": f"/api/v1/public/certificates/{quote(found.certificate_number)}.pdf",
    }


def _line(one: dict[str, Any], words: Any) -> dict[str, str]:
    return {
        "name": words(one["name"]),
        "criterion": words(one["criterion"]),
        "result": words(one["result"]),
        "verdict": one["verdict"],
        "method": one["method"],
        "note": words(one["note"]) if one["note"] else "",
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
