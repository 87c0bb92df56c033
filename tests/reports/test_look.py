"""Looks: themes, papers, accents, logos and languages; what cannot be drawn or read well is refused when it is set."""

import io
import re
from pathlib import Path
from string import Formatter

import pikepdf
import pypdfium2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from pydantic import ValidationError
from reportlab.lib.colors import HexColor
from reportlab.pdfgen.canvas import Canvas

from api.settings import Settings
from domain.certificates import content
from domain.errors import Invalid
from reports import catalogue
from reports.certificate import render
from reports.logo import read_logo
from reports.look import LEAST_CONTRAST, PAPERS, THEMES, Look, contrast
from reports.style import INK, MUTED, WHITE
from tests.reports.contents import LIFE, TYPICAL
from tests.reports.tagged import marked_text, tree

SVG = b"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 120 40">
<path fill="#7a1f4c" d="M20 2a18 18 0 1 0 0 36a18 18 0 1 0 0-36z"/><circle cx="20" cy="20" r="9" fill="#fff"/>
<g fill="none" stroke="#7a1f4c" stroke-width="4" transform="translate(2 0) scale(.9)"><path d="M48 30V10l12 20V10"/>
<line x1="70" y1="10" x2="84" y2="10"/><polyline points="70 20 82 20"/></g><rect x="90" y="5" width="20" height="20"/></svg>"""


def picture(mode: str = "RGBA", size: tuple[int, int] = (300, 100)) -> bytes:
    out = io.BytesIO()
    Image.new(mode, size, 100 if mode == "L" else (120, 30, 80, 128)[: len(mode)]).save(out, "PNG")
    return out.getvalue()


PNG = picture()


@pytest.mark.requirement("URS-081")
@pytest.mark.parametrize("paper", PAPERS)
@pytest.mark.parametrize("theme", THEMES)
def test_every_theme_fits_every_paper(theme: str, paper: str) -> None:
    pdf = render(LIFE["investigated"], look=Look(theme=theme, paper=paper))
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        for page in opened.pages:
            wanted = PAPERS[paper]
            assert [float(side) for side in page.MediaBox[2:]] == pytest.approx(wanted, abs=0.01)
    usual = tree(render(LIFE["investigated"])).text
    assert tree(pdf).text.replace(" ", "") == usual.replace(" ", "")


def _readable(look: Look) -> None:
    palette = look.palette()
    ground = palette.deep if palette.filled else WHITE
    pairs = [(WHITE, palette.deep), (palette.pale, ground), (palette.link, palette.panel), (palette.deep, WHITE)]
    pairs += [(color, each) for each in (WHITE, palette.panel) for color in (INK, MUTED)]
    pairs += [(tone.color, tone.ground) for tone in palette.tones.values()]
    pairs += [(color, tone.ground) for tone in palette.tones.values() for color in (INK, MUTED)]
    for text, behind in pairs:
        assert contrast(text, behind) >= LEAST_CONTRAST, (text, behind)


@pytest.mark.requirement("URS-081")
@pytest.mark.parametrize("theme", THEMES)
def test_the_text_of_a_theme_can_be_read_on_its_ground(theme: str) -> None:
    _readable(Look(theme=theme))


@pytest.mark.requirement("URS-081")
@given(st.integers(0, 0xFFFFFF), st.sampled_from(sorted(THEMES)))
def test_an_accent_can_be_read_or_is_refused(color: int, theme: str) -> None:
    accent = f"#{color:06X}"
    if contrast(HexColor(accent), WHITE) >= LEAST_CONTRAST:
        _readable(Look(theme=theme, accent=accent))
    else:
        with pytest.raises(Invalid, match="contrast"):
            Look(theme=theme, accent=accent)


@pytest.mark.parametrize(
    "wrong",
    [
        {"theme": "neon"}, {"paper": "A4"}, {"accent": "red"}, {"accent": "#FFEE00"}, {"languages": ()},
        {"languages": ("en", "en")}, {"languages": ("en", "de", "en")}, {"languages": ("tlh",)},
    ],
)  # fmt: skip
def test_a_look_that_cannot_be_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(Invalid):
        Look(**wrong)  # type: ignore[arg-type]


@pytest.mark.requirement("URS-081")
@pytest.mark.parametrize("logo", [SVG, PNG, picture("RGB", (40, 90)), picture("L", (5000, 60))])
def test_the_makers_logo_is_drawn_on_every_page(logo: bytes) -> None:
    plain, branded = (render(TYPICAL, look=Look(logo=one)) for one in (None, logo))
    with pikepdf.open(io.BytesIO(plain)) as before, pikepdf.open(io.BytesIO(branded)) as after:
        for one, other in zip(before.pages, after.pages, strict=True):
            assert one.Contents.read_bytes() != other.Contents.read_bytes()
        if logo.startswith(b"\x89PNG"):
            images = [thing for thing in after.objects if isinstance(thing, pikepdf.Stream) and thing.get("/Width")]
            assert all(image.Width <= 750 and image.Height <= 250 for image in images)
            assert images


def test_the_shapes_of_a_logo_stand_where_its_designer_put_them() -> None:
    """Drawn 40 pt tall, rendered, and looked at: red left, blue above right with a white hole, round corners, nothing hidden shown."""
    logo = read_logo(
        b"<svg viewBox='0 0 40 20'><rect width='20' height='20' rx='4' fill='#f00'/><path display='none' d='M0 0h40v20z'/>"
        b"<g transform='translate(20 0)'><rect width='10' height='20' fill='blue' transform='rotate(90 10 10)'/>"
        b"<circle cx='10' cy='10' r='3' style='fill:#fff'/></g></svg>"
    )
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=(80, 40))
    logo.draw(canvas, 0, 0, 80, 40)
    canvas.save()
    picture = pypdfium2.PdfDocument(out.getvalue())[0].render(scale=1).to_pil().convert("RGB")
    red, blue, white = (255, 0, 0), (0, 0, 255), (255, 255, 255)
    wanted = {
        (20, 20): red,
        (1, 1): white,
        (45, 10): blue,
        (75, 10): blue,
        (60, 5): blue,
        (60, 18): white,
        (45, 30): white,
    }
    assert {place: picture.getpixel(place) for place in wanted} == wanted


@pytest.mark.parametrize(
    ("logo", "why"),
    [
        (b"GIF89a", "neither a PNG nor an SVG"),
        (b"\x89PNG\r\n\x1a\n broken", "no PNG"),
        (b"<html/>", "neither a PNG nor an SVG"),
        (b'<!DOCTYPE svg [<!ENTITY a "b">]><svg/>', "document type"),
        (b'<svg viewBox="0 0 1 1"/>', "no shapes"),
        (b"<svg><path d='M0 0h1v1z'/></svg>", "view box"),
        (b"<svg viewBox='0 0 9 9'><text>ONE</text></svg>", "<text>"),
        (b"<svg viewBox='0 0 9 9'><path d='M0 0h1v1z' fill='url(#a)'/></svg>", "url"),
        (b"<svg viewBox='0 0 9 9'><path d='M0 0h1v1z' opacity='.5'/></svg>", "opacity"),
        (b"<svg viewBox='0 0 9 9'><path d='M0 0h1v1z' transform='skewX(4)'/></svg>", "transformation"),
        (b"<svg viewBox='0 0 9 9'><path d='M0 0h1v1z' display='none'/></svg>", "no shapes"),
        (b"<svg viewBox='0 0 9 9'>" + b" " * 600_000 + b"</svg>", "bytes"),
    ],
)  # fmt: skip
def test_a_logo_that_would_not_be_drawn_as_meant_is_refused_with_the_reason(logo: bytes, why: str) -> None:
    with pytest.raises(Invalid, match=re.escape(why)):
        Look(logo=logo)


@pytest.mark.requirement("URS-080")
def test_every_catalogue_has_every_word_with_the_same_places_to_fill() -> None:
    english = catalogue.catalogue("en")
    for language in catalogue.languages():
        words = catalogue.catalogue(language)
        assert set(words) == set(english)
        for key, text in words.items():
            assert text.strip()
            fields, wanted = ({name for _, name, _, _ in Formatter().parse(one)} for one in (text, english[key]))
            assert fields == wanted, key


def test_every_word_of_the_catalogues_is_used() -> None:
    files = [*Path(catalogue.__file__).parent.glob("*.py"), Path(content.__file__)]
    source = "".join(path.read_text() for path in files)
    tables = {"group.", "verdict.", "conclusion.", "regulatory.", "facts.", "figure.", "investigation.", "batch.", "copy.",
              "results.", "section."}  # fmt: skip
    for key in catalogue.catalogue("en"):
        table, _, word = key.partition(".")
        assert f'"{key}"' in source or f"'{key}'" in source or (f"{table}." in tables and f'"{word}"' in source), key


@pytest.mark.requirement("URS-080")
def test_the_leading_language_leads() -> None:
    root = tree(render(TYPICAL, look=Look(languages=("de", "en"))))
    assert root.lang == "de"
    assert root.text.startswith("AnalysenzertifikatCertificate of Analysis")
    assert root.text.index(TYPICAL.statements[0].de) < root.text.index(TYPICAL.statements[0].en)


@pytest.mark.requirement("URS-080")
def test_a_document_may_speak_one_language() -> None:
    root = tree(render(LIFE["investigated"], look=Look(languages=("de",))))
    assert {lang for _, lang in root.pieces()} <= {"de", "en"}
    assert "Prüfergebnisse" in root.text
    assert "Test results" not in root.text
    assert TYPICAL.statements[0].en not in root.text


@pytest.mark.requirement("URS-080")
def test_another_language_is_another_file_and_the_words_of_the_content_stay_english(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in catalogue.FOLDER.glob("*.toml"):
        (tmp_path / path.name).write_text(path.read_text())
    french = (catalogue.FOLDER / "en.toml").read_text().replace('"Test results"', '"Résultats des essais"')
    (tmp_path / "fr.toml").write_text(french)
    monkeypatch.setattr(catalogue, "FOLDER", tmp_path)
    root = tree(render(TYPICAL, look=Look(languages=("fr", "de"))))
    spoken = {
        language: "".join(text for text, lang in root.pieces() if lang == language) for language in ("fr", "en", "de")
    }
    assert root.lang == "fr"
    assert "Résultats des essais" in spoken["fr"]
    assert TYPICAL.product.name.en in spoken["en"]
    assert TYPICAL.product.name.de in spoken["de"]


def test_a_watermark_and_a_demonstration_speak_both_languages() -> None:
    _, artifacts = marked_text(render(LIFE["draft"]))
    assert all("DRAFT / ENTWURF" in page for page in artifacts)
    shown = LIFE["draft"].model_copy(update={"demonstration": True})
    drawn = " ".join(marked_text(render(shown))[1])
    assert "DEMONSTRATION: invented, and not signed" in drawn
    assert "signed with a key" not in drawn, "nobody signed a draft"


@pytest.mark.requirement("URS-081")
def test_the_look_comes_from_the_settings(tmp_path: Path) -> None:
    (tmp_path / "logo.svg").write_bytes(SVG)
    settings = Settings(
        look_theme="plain", look_paper="letter", look_accent="#7A1F4C", look_logo=str(tmp_path / "logo.svg"),
        look_languages="de, en", demo=True, keys=str(tmp_path),
    )  # fmt: skip
    assert settings.look() == Look("plain", "letter", "#7A1F4C", SVG, ("de", "en"))
    for wrong in (
        {"look_theme": "neon"},
        {"look_accent": "#FFFFFF"},
        {"look_logo": "/nowhere"},
        {"look_languages": ""},
    ):
        with pytest.raises(ValidationError):
            Settings(demo=True, keys=str(tmp_path), **wrong)  # type: ignore[arg-type]
