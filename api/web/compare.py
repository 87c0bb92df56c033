"""The page that sets lots side by side: no account, nothing kept, the live state of each lot first, and no winner."""

import math
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fastapi import APIRouter, File, Form, Request, UploadFile
from fastapi.responses import Response
from markupsafe import Markup

from api.deps import site_of
from api.look_ups import LookUpRoute
from api.web import security
from api.web.public_drawing import STYLE, address, drawn, language_in
from api.web.public_words import Language, standing_of
from domain.certificates.comparing import Compared, compare_lots
from domain.certificates.comparison.grades import SPREADS, log_sd
from domain.certificates.comparison.shapes import Figure, Pair, Row
from domain.certificates.content import CertificateContent, Words
from domain.certificates.reading import MOST_BYTES, WHY, read_certificate
from domain.errors import DomainError, Invalid, NotFound, Reason
from domain.laboratory.values import with_unit
from reports.scale import STYLE as SCALE_STYLE
from reports.scale import Mark, key_svg, scale_svg
from reports.wording import for_people

router = APIRouter(include_in_schema=False, route_class=LookUpRoute)

_TABLES: dict[str, Any] = tomllib.loads(Path(__file__).with_name("compare_words.toml").read_text(encoding="utf-8"))
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": security.policy((security.hash_source(STYLE), security.hash_source(SCALE_STYLE))),
}

#: Where 95 of 100 repeated measurements of one laboratory lie, as a factor up and down.
SPREAD = math.exp(1.96 * log_sd(SPREADS["A"]))
MOST_FILES = 6  # one more than are compared, so that too many are told as such


@router.get("/compare")
def ask(request: Request, lots: str = "", vials: str = "") -> Response:
    """The form; with lots in the address, their comparison, so that it can be passed on. One lot alone waits in the form for another."""
    if len(list(_named(lots))) == 1:
        return _page(request, language_in(request), {"lots": lots[:2000], "vials": vials[:10]})
    return _answer(request, lots, vials, [])


@router.post("/compare")
def compare(
    request: Request, lots: str = Form(""), vials: str = Form(""), files: list[UploadFile] | None = File(None)
) -> Response:
    """Lots and files that were chosen; the files are read and forgotten."""
    chosen = [one for one in files or () if one.filename or one.size][:MOST_FILES]
    return _answer(request, lots, vials, chosen)


def _answer(request: Request, lots: str, vials: str, files: list[UploadFile]) -> Response:
    language, typed = language_in(request), {"lots": lots[:2000], "vials": vials[:10]}
    named = list(_named(typed["lots"]))
    if not named and not files:
        return _page(request, language, typed)
    site = site_of(request)
    try:
        contents = [_read(one) for one in files]
        found = compare_lots(site.engine, named, contents, site.today(), _vials(vials))
    except (NotFound, Invalid) as refusal:
        status = 404 if isinstance(refusal, NotFound) else 422
        return _page(request, language, typed, status, told=_told(refusal, language, named))
    return _page(request, language, typed, found=found)


def _named(text: str) -> Iterator[tuple[str, str]]:
    """Number and check code of each lot that was typed; one a line, or with commas between."""
    for line in re.split(r"[\n,;]", text):
        if line.strip():
            number, slash, code = line.rpartition("/") if "://" not in line else (line, "", "")
            yield (number.strip(), code.strip()[:40]) if slash else (line.strip(), "")


def _vials(text: str) -> int | None:
    if not text.strip():
        return None
    if not re.fullmatch(r"[0-9]{1,4}", text.strip()):
        raise Invalid(Reason("vials-per-dose", f"{text[:20]!r} is no number of vials", "vials"))
    return int(text)


def _read(file: UploadFile) -> CertificateContent:
    return read_certificate(file.file.read(MOST_BYTES + 1), (file.filename or "file")[:60])


def _told(refusal: DomainError, language: Language, named: list[tuple[str, str]]) -> dict[str, list[str]]:
    """Every reason in the reader's language, with the lot or the file that it is about; of a file that is not of the schema, the places."""
    words = _TABLES[language]["refusals"]
    told: dict[str, list[str]] = {}
    for reason in refusal.reasons:
        place = re.fullmatch(r"lots\.([0-9])", reason.field or "")
        field = named[int(place[1])][0][:60] if place else reason.field or ""
        head = words.get(reason.code, reason.text).format(field=field)
        told.setdefault(head, []).extend([_beside(reason.text, language)] if reason.code in _TOLD_BESIDE else [])
    return told


def _beside(text: str, language: Language) -> str:
    """A place of a file and what is wrong there, in the reader's language."""
    place, colon, why = text.rpartition(": ")
    return place + colon + getattr(WHY[why], language) if why in WHY else text


#: Reasons whose sentence says more than that of the page.
_TOLD_BESIDE = ("certificate-not-valid", "certificate-not-readable")
MOST_TOLD = 5


def _page(
    request: Request,
    language: Language,
    typed: dict[str, str],
    status: int = 200,
    *,
    found: Compared | None = None,
    told: dict[str, list[str]] | None = None,
) -> Response:
    shown = _shown(found, language) if found else {}
    here = address("/compare", lots=",".join(part.strip() for part in typed["lots"].splitlines()), vials=typed["vials"])
    words = _TABLES[language]["say"]
    refused = _TABLES[language]["refusals"]["refused"]
    return drawn(
        request,
        language,
        "public_compare.html",
        status,
        HEADERS,
        here,
        words=words,
        told=told or {},
        most_told=MOST_TOLD,
        refused=refused,
        found=found,
        entered=typed,
        **shown,
    )


def _shown(found: Compared, language: Language) -> dict[str, Any]:
    comparison, say = found.comparison, _TABLES[language]["say"]
    columns = [
        {
            "key": Markup(key_svg(place)),  # noqa: S704 - drawn by us
            "number": place + 1,
            "column": column,
            "name": getattr(column.product, language),
            "notice": getattr(column.regulatory_notice, language),
            "standing": standing_of(lot, language) if lot else None,
            "withdrawn": bool(lot and lot.withdrawn),
            "superseded": say["superseded"].format(revision=column.revision, newest=lot.revision)
            if lot and lot.revision != column.revision
            else "",
        }
        for place, (column, lot) in enumerate(zip(comparison.columns, found.standings, strict=True))
    ]
    names = [f"{column.lot_number}" for column in comparison.columns]
    rows = [_row(row, names, language) for row in comparison.rows]
    return {"columns": columns, "rows": rows, "vials_per_dose": comparison.vials_per_dose}


def _row(row: Row, names: list[str], language: Language) -> dict[str, Any]:
    say = _TABLES[language]["say"]

    def words(said: Words | None) -> str:
        return for_people(getattr(said, language), language) if said else ""

    def written(number: float) -> str:
        """At a tick: `0`, `0.5`, `200`, `10¹⁰`."""
        plain = not number or 1e-4 <= abs(number) < 1e5
        return for_people(f"{number:g}" if plain else f"{number:.0E}").removeprefix("1 × ")

    def value(figure: Figure) -> str:
        return for_people(figure.text, language) if figure.text else f"{say['missing']}: {words(figure.missing)}"

    figures = [
        {
            "number": place,
            "value": value(figure),
            "missing": figure.value is None,
            "note": words(figure.note),
            "beside": [(words(fact.label), words(fact.text)) for fact in figure.beside],
        }
        for place, figure in enumerate(row.figures, 1)
    ]
    marks = [
        Mark(float(one.value) if one.value is not None else None, one.comparator, say["missing"]) for one in row.figures
    ]
    told = "; ".join(f"{one['number']} {name} {one['value']}" for name, one in zip(names, figures, strict=True))
    label = f"{words(row.title)}: {told}"
    logarithmic = row.scale == "logarithmic"
    svg = scale_svg(
        marks, logarithmic=logarithmic, spread=SPREAD if row.compared else None, label=label, written=written
    )
    return {
        "code": row.code,
        "title": words(row.title),
        "unit": for_people(with_unit("1", row.unit), language).partition(" ")[2],
        "help": words(row.help),
        "logarithmic": logarithmic,
        "compared": row.compared,
        "svg": Markup(svg),  # noqa: S704 - drawn by us, escaped there
        "figures": figures,
        "beside": any(figure.beside for figure in row.figures),
        "pairs": [_pair(one, language) for one in row.pairs],
    }


_TONES = {"not_distinguishable": "quiet", "different": "note", "side_by_side": "plain", "no_ratio": "plain"}


def _pair(pair: Pair, language: Language) -> dict[str, Any]:
    return {
        "places": f"{pair.first + 1} – {pair.second + 1}",
        "grade": pair.grade,
        "said": getattr(pair.said, language),
        "why": getattr(pair.why, language),
        "tone": _TONES[pair.saying],
    }
