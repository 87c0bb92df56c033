"""The look of a printed document: colours, type, distances; and the fonts, registered once for the process.

Importing this module sets ReportLab to plain (not ASCII85) streams and embeds Source Sans Pro, so that no document
depends on a font of the reader's machine (PDF/A needs every font embedded).
"""

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from reportlab import rl_config

rl_config.useA85 = 0  # read when ReportLab's PDF modules are imported, so before them

import font_source_sans_pro  # noqa: E402
from reportlab.lib.colors import Color, HexColor  # noqa: E402
from reportlab.pdfbase import pdfmetrics  # noqa: E402
from reportlab.pdfbase.ttfonts import TTFont  # noqa: E402

from domain.errors import Invalid, Reason  # noqa: E402

LIGHT, REGULAR, SEMIBOLD, BOLD = "Exolotl-Light", "Exolotl-Regular", "Exolotl-Semibold", "Exolotl-Bold"
_FILES = {LIGHT: "Light", REGULAR: "Regular", SEMIBOLD: "Semibold", BOLD: "Bold"}

PAGE_WIDTH, PAGE_HEIGHT = 595.2756, 841.8898  # A4, pt
MARGIN = 42.0
WIDTH = PAGE_WIDTH - 2 * MARGIN

# Contrast on the ground each is used on is at least 4.5:1 for text (WCAG 2.2, 1.4.3), in grey as well.
INK = HexColor(0x14242B)
MUTED = HexColor(0x4F6067)
PETROL = HexColor(0x0E4F5A)
TEAL = HexColor(0x1B8A8F)
TEAL_TEXT = HexColor(0x0B6B72)
FOAM = HexColor(0xEDF5F5)
MIST = HexColor(0xBFE3E2)
RULE = HexColor(0xCBD7DA)
WHITE = HexColor(0xFFFFFF)
GREEN, GREEN_GROUND = HexColor(0x16703F), HexColor(0xE5F4EB)
AMBER, AMBER_GROUND = HexColor(0x8A4B00), HexColor(0xFDF3E0)
SLATE, SLATE_GROUND = HexColor(0x46565E), HexColor(0xEEF1F3)


@dataclass(frozen=True, slots=True)
class Type:
    """How a piece of text is set: font, size and leading in pt, colour."""

    font: str
    size: float
    leading: float
    color: Color

    def but(self, *, color: Color | None = None, size: float | None = None, font: str | None = None) -> "Type":
        """The same type with another colour, size (leading scales along) or font."""
        ratio = 1.0 if size is None else size / self.size
        return replace(
            self,
            color=self.color if color is None else color,
            size=self.size * ratio,
            leading=self.leading * ratio,
            font=font or self.font,
        )


H1 = Type(SEMIBOLD, 16, 19, INK)
H1_DE = Type(REGULAR, 10, 12.5, MUTED)
H2 = Type(SEMIBOLD, 12, 14.5, PETROL)
H2_DE = Type(REGULAR, 10, 12, MUTED)
BODY = Type(REGULAR, 8.6, 11, INK)
BODY_DE = BODY.but(color=MUTED)
STRONG = Type(SEMIBOLD, 8.6, 10.4, INK)
CELL = Type(REGULAR, 8.6, 10.4, INK)
SMALL = Type(REGULAR, 7.2, 8.8, MUTED)
TINY = Type(REGULAR, 6.4, 7.9, MUTED)
LABEL = Type(REGULAR, 6.4, 11, MUTED)  # above a value, with air before it


def register_fonts() -> None:
    """Register the four weights; doing it again changes nothing."""
    known = set(pdfmetrics.getRegisteredFontNames())
    folder = Path(font_source_sans_pro.font_directory)
    for name, weight in _FILES.items():
        if name not in known:
            pdfmetrics.registerFont(TTFont(name, str(folder / f"SourceSansPro-{weight}.ttf")))


register_fonts()
_GLYPHS = frozenset(chr(code) for code in pdfmetrics.getFont(REGULAR).face.charToGlyph)


@lru_cache(maxsize=20_000)
def width_of(text: str, font: str, size: float) -> float:
    """Width of the text in pt."""
    return float(pdfmetrics.stringWidth(text, font, size))


def fitted(text: str, style: Type, width: float, smallest: float) -> Type:
    """The style, made smaller (not below `smallest` pt) until the text fits into the width."""
    needed = width_of(text, style.font, style.size)
    return style if needed <= width else style.but(size=max(smallest, style.size * width / needed))


def shortened(text: str, font: str, size: float, width: float) -> str:
    """The text, cut with an ellipsis where it is wider than `width` pt."""
    if width_of(text, font, size) <= width:
        return text
    while text and width_of(text + "…", font, size) > width:
        text = text[:-1]
    return text.rstrip() + "…"


def require_glyphs(text: str) -> None:
    """Refuse text the embedded font cannot draw: an empty box on a certificate would be read as a value."""
    if missing := sorted({char for char in text if char not in _GLYPHS and char != "\n"}):
        named = ", ".join(f"{char} (U+{ord(char):04X})" for char in missing[:10])
        raise Invalid(
            Reason("character-not-printable", f"A document cannot print {named}; use Latin or Greek letters.", None)
        )
