"""Type: fonts, registered once for the process, how text is set in them, and how wide it is.

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

# On white at least 4.5:1 (WCAG 2.2, 1.4.3), in grey as well; a theme has its own colours beside these.
INK = HexColor(0x14242B)
MUTED = HexColor(0x4F6067)
RULE = HexColor(0xCBD7DA)
WHITE = HexColor(0xFFFFFF)


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
