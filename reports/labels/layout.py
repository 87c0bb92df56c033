"""Where everything stands on a label, in mm from its top left corner: one layout for the PDF, the printer's commands and the picture.

Text shrinks until it fits, down to the smallest type that can be read; what does not fit then is refused, never cut.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

from domain.labels.content import DoesNotFit, LabelContent, LabelKind
from domain.quantities import unit_of
from reports.style import REGULAR, SEMIBOLD, width_of

MM = 72 / 25.4  # pt in a mm
SMALLEST = 5.0  # pt: what is read at arm's length on a small container
LEADING = 1.12

#: Width and height in mm, and the size of the first type tried, in pt.
SIZES: dict[LabelKind, tuple[float, float]] = {"vial": (50, 25), "carton": (90, 50), "sample": (40, 20)}
_TYPE: dict[LabelKind, float] = {"vial": 7.0, "carton": 9.5, "sample": 7.5}
_MARGIN = 1.5
_CODE: dict[LabelKind, float] = {"vial": 14, "carton": 20, "sample": 13}

#: The words that name a thing on a label; LOT and EXP are the same everywhere (ISO 15223-1, EU labelling of small containers).
_WORDS = {
    "en": {"store": "Store at", "code": "Check code", "sample": "Sample", "taken": "taken", "demo": "DEMONSTRATION"},
    "de": {"store": "Lagerung", "code": "Prüfcode", "sample": "Probe", "taken": "gezogen", "demo": "DEMONSTRATION"},
}


#: Signs that look alike, as the one that printers have.
_PLAIN = str.maketrans({"\u03bc": "µ", "\u2010": "-", "\u2011": "-", "\u2212": "-", "\u00a0": " ", "\u202f": " "})


@dataclass(frozen=True, slots=True)
class Words:
    """A line of text: left end and baseline in mm, size in pt."""

    x: float
    y: float
    size: float
    font: str
    text: str

    @property
    def width(self) -> float:
        """In mm."""
        return width_of(self.text, self.font, self.size) / MM


@dataclass(frozen=True, slots=True)
class Code:
    """A square code with its quiet zone: top left corner and side in mm. gs1: a DataMatrix of an element string with brackets."""

    x: float
    y: float
    side: float
    kind: Literal["datamatrix", "qr"]
    content: str
    gs1: bool = False


@dataclass(frozen=True, slots=True)
class Label:
    """One label, laid out: width and height in mm."""

    width: float
    height: float
    words: tuple[Words, ...]
    codes: tuple[Code, ...]


@dataclass(frozen=True, slots=True)
class _Item:
    """A piece of text: how large beside the others, and what to call it when it does not fit."""

    text: str
    field: str
    name: str
    scale: float = 1.0
    bold: bool = False
    most_lines: int = 1


def all_laid_out(content: LabelContent) -> Iterator[Label]:
    """Every label of a serialised print: laid out once, as they differ in their serial number alone. Raises DoesNotFit."""
    first = laid_out(content)
    numbered = next(place for place, words in enumerate(first.words) if words.text == _serial(content.serials()[0]))
    for serial, code in zip(content.serials(), content.codes(), strict=True):
        words = list(first.words)
        words[numbered] = replace(words[numbered], text=_serial(serial))
        yield replace(first, words=tuple(words), codes=(replace(first.codes[0], content=code), *first.codes[1:]))


def _serial(number: str) -> str:
    return f"SN {number}"


def laid_out(content: LabelContent) -> Label:
    """The first label of a print. Raises DoesNotFit."""
    width, height = SIZES[content.kind]
    side = _CODE[content.kind]
    codes = _codes(content, width, side)
    left = codes[0].x + codes[0].side + _MARGIN if content.kind != "carton" else _MARGIN + 0.5
    right = width - _MARGIN if content.kind != "carton" else codes[0].x - _MARGIN
    items = [replace(item, text=item.text.translate(_PLAIN)) for item in _items(content)]
    for item in items:
        _require_printable(item)
    words = _set(items, left, right - left, height - 2 * _MARGIN, _TYPE[content.kind])
    return Label(width, height, words, codes)


def _codes(content: LabelContent, width: float, side: float) -> tuple[Code, ...]:
    matrix = content.codes()[0]
    gs1 = content.element_string is not None
    height = SIZES[content.kind][1]
    if content.kind != "carton":
        return (Code(0.8, (height - side) / 2, side, "datamatrix", matrix, gs1),)
    column = width - side - _MARGIN
    first = Code(column, _MARGIN, side, "datamatrix", matrix, gs1)
    return (first, Code(column, height - _MARGIN - side, side, "qr", content.look_up or content.lot_number))


def _items(content: LabelContent) -> Iterator[_Item]:
    """What the label says, in its order; the lines that identify a lot never wrap."""
    say, kind = _WORDS[content.language], content.kind
    if kind == "sample":
        yield _Item(f"{say['sample']} {content.sample_number}", "sample_number", "the sample's number", 1.15, bold=True)
        yield _Item(f"LOT {content.lot_number}", "lot_number", "the lot's number", bold=True)
        yield _Item(content.sample_purpose or "", "purpose", "what the sample is for", most_lines=2)
        yield _Item(f"{say['taken']} {_day(content.sampled_on)}", "sampled_on", "the day of sampling")
        yield _Item(_demo(content, content.manufacturer), "manufacturer", "the manufacturer's name", 0.85, most_lines=2)
        return
    yield _Item(content.product_name or "", "product_name", "the product's name", 1.1, bold=True, most_lines=4)
    if content.form:
        yield _Item(content.form, "form", "the pharmaceutical form", most_lines=2)
    if content.strength:
        figures, _, unit = content.strength.partition(" ")
        yield _Item(f"{figures} {getattr(unit_of(unit or '1'), content.language)}", "strength", "the strength")
    yield _Item(f"LOT {content.lot_number}", "lot_number", "the lot's number", 1.1, bold=True)
    yield _Item(f"EXP {_day(content.expires_on)}", "expires_on", "the expiry date", 1.1, bold=True)
    if serials := content.serials():
        yield _Item(_serial(serials[0]), "serial", "the serial number")
    stored = " · ".join(part for part in (f"{say['store']} {content.storage}", content.route) if part)
    yield _Item(stored, "storage", "storage and route", 0.9, most_lines=2)
    if content.check_code:
        yield _Item(f"{say['code']} {content.check_code}", "check_code", "the check code", bold=True)
    yield _Item(_demo(content, content.notice), "notice", "the regulatory notice", 0.9, bold=True, most_lines=3)
    yield _Item(content.manufacturer or "", "manufacturer", "the manufacturer", 0.8, most_lines=3)


def _require_printable(item: _Item) -> None:
    """Only what the font of a label printer has: a sign that is left out changes what is read (10¹⁰ would be 10)."""
    if missing := sorted({sign for sign in item.text if not _is_known(sign)}):
        text = f"{item.name} holds {', '.join(missing[:10])}, which a label printer cannot print: {item.text[:120]!r}"
        raise DoesNotFit(text, item.field)


def _is_known(sign: str) -> bool:
    try:
        return sign.isprintable() and bool(sign.encode("cp1252")) and sign not in "¹²³"
    except UnicodeEncodeError:
        return False


def _demo(content: LabelContent, text: str | None) -> str:
    return f"{_WORDS[content.language]['demo']} · {text or ''}" if content.demonstration else text or ""


def _day(on: date | None) -> str:
    return on.isoformat() if on else ""


def _set(items: Sequence[_Item], x: float, width: float, height: float, size: float) -> tuple[Words, ...]:
    """The items under each other, as large as fits into the box (mm)."""
    items = [item for item in items if item.text.strip()]
    while size >= SMALLEST:
        lines = [(item, line) for item in items for line in _broken(item, _size(item, size), width)]
        if not any(_excess(item, size, width) > 1 for item in items) and _tall(lines, size) <= height:
            return tuple(_placed(lines, size, x, (height - _tall(lines, size)) / 2))
        size -= 0.1
    raise _too_long(items, width)


def _size(item: _Item, size: float) -> float:
    return max(SMALLEST, size * item.scale)


def _tall(lines: Sequence[tuple[_Item, str]], size: float) -> float:
    """Height of the lines under each other, in mm."""
    return sum(_size(item, size) * LEADING for item, _ in lines) / MM


def _placed(lines: Sequence[tuple[_Item, str]], size: float, x: float, above: float) -> Iterator[Words]:
    y = _MARGIN + above
    for item, line in lines:
        own = _size(item, size)
        yield Words(x, y + own * 0.92 / MM, own, _font(item), line)
        y += own * LEADING / MM


def _font(item: _Item) -> str:
    return SEMIBOLD if item.bold else REGULAR


def _broken(item: _Item, size: float, width: float) -> list[str]:
    """The text broken between words; a word is never broken."""
    lines: list[str] = []
    for word in item.text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and width_of(longer, _font(item), size) <= width * MM:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _excess(item: _Item, size: float, width: float) -> float:
    """How far an item goes beyond its own room: above 1 a word is wider than the label, or there are too many lines."""
    own = _size(item, size)
    lines = _broken(item, own, width)
    widest = max(width_of(line, _font(item), own) for line in lines) / (width * MM)
    return max(widest, len(lines) / item.most_lines)


def _too_long(items: Sequence[_Item], width: float) -> DoesNotFit:
    """The item that goes beyond its own room, or else the longest of all, which together are too tall."""
    worst = max(items, key=lambda item: (max(1.0, _excess(item, SMALLEST, width)), len(item.text)))
    text = (
        f"{worst.name} leaves no room for the rest of the label, or has none itself, in type of {SMALLEST:g} pt,"
        f" the smallest that can be read: {worst.text[:120]!r}"
    )
    return DoesNotFit(text, worst.field)
