"""The look of a maker's documents: theme, paper, accent colour, logo and languages; what cannot be read is refused when it is set.

Text stands on its ground with a contrast of at least 4.5:1 (WCAG 2.2, 1.4.3), in every theme and with every accent.
"""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import NamedTuple

from reportlab.lib.colors import Color, HexColor

from domain.errors import Invalid, Reason
from reports.catalogue import catalogue
from reports.logo import Logo, read_logo
from reports.style import WHITE

#: Width and height in pt.
PAPERS: Mapping[str, tuple[float, float]] = MappingProxyType({"a4": (595.2756, 841.8898), "letter": (612.0, 792.0)})
LEAST_CONTRAST = 4.5


class Tone(NamedTuple):
    """A colour that says how something stands, and the ground it may stand on; never the only sign of it."""

    color: Color
    ground: Color


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours of a theme.

    filled: grounds stand behind bands, heads and panels; else lines do their work, and little ink is used. deep: headings and, if filled, the
    ground of white text. bright: bars and curves. link: small text in colour. pale: second text on deep. panel: the ground of panels.
    """

    filled: bool
    deep: Color
    bright: Color
    link: Color
    pale: Color
    panel: Color
    tones: Mapping[str, Tone]

    def in_accent(self, accent: Color) -> "Palette":
        """The same theme in another colour; tints are mixed from it."""
        tinted = replace(self, deep=accent, bright=mixed(accent, 0.75), link=accent)
        if not self.filled:
            return tinted
        return replace(tinted, pale=_tint(accent, 0.25), panel=_tint(accent, 0.06))


_TONES = {
    "good": Tone(HexColor(0x16703F), HexColor(0xE5F4EB)),
    "warn": Tone(HexColor(0x8A4B00), HexColor(0xFDF3E0)),
    "bad": Tone(HexColor(0xA3211B), HexColor(0xFBEAE8)),
    "calm": Tone(HexColor(0x46565E), HexColor(0xEEF1F3)),
}
THEMES: Mapping[str, Palette] = MappingProxyType(
    {
        "petrol": Palette(
            filled=True,
            deep=HexColor(0x0E4F5A),
            bright=HexColor(0x1B8A8F),
            link=HexColor(0x0B6B72),
            pale=HexColor(0xBFE3E2),
            panel=HexColor(0xEDF5F5),
            tones=MappingProxyType(_TONES),
        ),
        "plain": Palette(
            filled=False,
            deep=HexColor(0x22313F),
            bright=HexColor(0x5B7083),
            link=HexColor(0x1D4E89),
            pale=HexColor(0x4F6067),
            panel=WHITE,
            tones=MappingProxyType({name: Tone(tone.color, WHITE) for name, tone in _TONES.items()}),
        ),
    }
)


@dataclass(frozen=True, slots=True)
class Look:
    """How a maker's documents look. Raises Invalid (`look-not-usable`, `language-unknown`) for what cannot be drawn or read.

    accent: `#rrggbb`, or None for the theme's own. logo: the bytes of an SVG or PNG file. languages: one or two, the leading one first.
    """

    theme: str = "petrol"
    paper: str = "a4"
    accent: str | None = None
    logo: bytes | None = None
    languages: tuple[str, ...] = ("en", "de")

    def __post_init__(self) -> None:
        """Refuse a look that cannot be used, before anything is drawn in it."""
        _require_choice("theme", self.theme, THEMES)
        _require_choice("paper", self.paper, PAPERS)
        if self.accent is not None:
            _require_accent(self.accent)
        if not 1 <= len(self.languages) <= 2 or len(set(self.languages)) != len(self.languages):
            raise _unusable("a document speaks one language, or two different ones", "languages")
        for language in self.languages:
            catalogue(language)
        if self.logo is not None:
            read_logo(self.logo)

    def described(self) -> str:
        """The look as JSON, the logo by its SHA-256: enough to draw the same document again."""
        plain = {
            "theme": self.theme,
            "paper": self.paper,
            "accent": self.accent,
            "logo": hashlib.sha256(self.logo).hexdigest() if self.logo is not None else None,
            "languages": self.languages,
        }
        return json.dumps(plain, sort_keys=True)

    @classmethod
    def from_description(cls, described: str, file: Callable[[str], bytes]) -> "Look":
        """The look that `described` tells; `file` gives the bytes of a logo by their SHA-256."""
        plain = json.loads(described)
        logo = file(plain.pop("logo")) if plain["logo"] is not None else None
        return cls(**{**plain, "logo": logo, "languages": tuple(plain["languages"])})

    def palette(self) -> Palette:
        """The colours of the theme, in the accent if there is one."""
        theme = THEMES[self.theme]
        return theme if self.accent is None else theme.in_accent(HexColor(self.accent))

    def mark(self) -> Logo | None:
        """The maker's logo, ready to be drawn."""
        return read_logo(self.logo) if self.logo is not None else None


def _unusable(text: str, field: str) -> Invalid:
    return Invalid(Reason("look-not-usable", text, field))


def _require_choice(field: str, value: str, choices: Mapping[str, object]) -> None:
    if value not in choices:
        raise _unusable(f"there is no {field} {value!r}; there are {', '.join(choices)}", field)


def _require_accent(accent: str) -> None:
    if not re.fullmatch(r"#[0-9A-Fa-f]{6}", accent):
        raise _unusable(f"an accent is a colour such as #0E4F5A, not {accent!r}", "accent")
    found = contrast(HexColor(accent), WHITE)
    if found < LEAST_CONTRAST:
        text = f"white text on {accent} has a contrast of {found:.1f}:1, less than {LEAST_CONTRAST}:1; choose a darker accent"
        raise _unusable(text, "accent")


def mixed(color: Color, share: float) -> Color:
    """The colour mixed with white: 1 is the colour itself, 0 white."""
    return Color(*(round(1 - share * (1 - part), 4) for part in color.rgb()))


def _tint(color: Color, share: float) -> Color:
    """The colour mixed with so much white that it can be told from the colour itself."""
    shares = (share, share * 0.6, share * 0.3, 0.0)
    return next(tint for part in shares if contrast(tint := mixed(color, part), color) >= LEAST_CONTRAST)


def contrast(one: Color, other: Color) -> float:
    """The contrast ratio of two colours, 1 to 21 (WCAG 2.2, relative luminance)."""
    brighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


def _luminance(color: Color) -> float:
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in color.rgb())
    return float(0.2126 * red + 0.7152 * green + 0.0722 * blue)
