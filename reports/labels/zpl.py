"""Labels as ZPL II, the language of label printers, for 300 dpi (Zebra: "ZPL II Programming Guide").

Nothing is sent as a picture: text is set in the printer's scalable font 0, the DataMatrix by ^BX, the QR code by ^BQ. Every text goes
through ^FH, its hexadecimal escapes, so that no text can be taken for a command; UTF-8 (^CI28).
"""

from collections.abc import Iterator, Sequence

from domain.labels.content import LabelContent
from reports.codes import QUIET, datamatrix_path, qr_path
from reports.labels.layout import Code, Label, Words, all_laid_out, laid_out
from reports.style import REGULAR

DPI = 300
DOTS = DPI / 25.4  # in a mm
ESCAPE = "_"

#: In ^BX with `_` as the escape character: FNC1, which begins a GS1 code and ends a field of variable length.
FNC1 = f"{ESCAPE}1"


def zpl_of(content: LabelContent) -> bytes:
    """The commands for all labels of a print: one format with its number of copies, or one for each serial number."""
    first = laid_out(content)
    sides = [_modules(code) for code in first.codes]  # serial numbers of one length make codes of one size
    if content.first_serial is None:
        return _format(first, sides, content.count).encode("ascii")
    return "".join(_format(label, sides, 1) for label in all_laid_out(content)).encode("ascii")


def _format(label: Label, sides: Sequence[int], copies: int) -> str:
    head = f"^XA^CI28^PW{_dots(label.width)}^LL{_dots(label.height)}^LH0,0"
    fields = [*map(_text, label.words), *map(_code, label.codes, sides)]
    return "\n".join([head, *fields, f"^PQ{copies},0,0,N", "^XZ\n"])


def _modules(code: Code) -> int:
    return (qr_path(code.content) if code.kind == "qr" else datamatrix_path(code.content, code.gs1))[0]


def _dots(mm: float) -> int:
    return round(mm * DOTS)


def _text(words: Words) -> str:
    """A line in font 0 of the same size, never wider than it was laid out."""
    height = round(words.size / 72 * DPI)
    top = _dots(words.y) - round(0.78 * height)
    narrow = round(height * (0.92 if words.font == REGULAR else 0.98))
    return f"^FO{_dots(words.x)},{max(0, top)}^A0N,{height},{narrow}^FH{ESCAPE}^FD{escaped(words.text)}^FS"


def _code(code: Code, modules: int) -> str:
    quiet = QUIET[code.kind]
    magnified = max(1, int(code.side * DOTS / (modules + 2 * quiet)))
    inset = (_dots(code.side) - magnified * modules) // 2
    place = f"^FO{_dots(code.x) + inset},{_dots(code.y) + inset}"
    if code.kind == "qr":
        return f"{place}^BQN,2,{magnified}^FH{ESCAPE}^FDMA,{escaped(code.content)}^FS"
    return f"{place}^BXN,{magnified},200,,,,{ESCAPE},1^FD{_matrix(code)}^FS"


def _matrix(code: Code) -> str:
    """What ^BX encodes: an underscore is written twice; a GS1 code begins with FNC1 and has one after a field of variable length."""
    if not code.gs1:
        return code.content.replace(ESCAPE, 2 * ESCAPE)
    parts = code.content.removeprefix("(").split("(")
    fields = [(part[:2], part[3:]) for part in parts]
    return FNC1 + "".join(_element(fields, place) for place in range(len(fields)))


def _element(fields: list[tuple[str, str]], place: int) -> str:
    identifier, value = fields[place]
    variable = identifier in ("10", "21") and place + 1 < len(fields)
    return identifier + value.replace(ESCAPE, 2 * ESCAPE) + (FNC1 if variable else "")


def escaped(text: str) -> str:
    """For ^FH: commands (^, ~), the escape itself, backslashes and all beyond ASCII as hexadecimal bytes of UTF-8."""
    return "".join(_signs(text))


def _signs(text: str) -> Iterator[str]:
    for sign in text:
        if " " <= sign <= "~" and sign not in "^~_\\":
            yield sign
        else:
            yield from (f"{ESCAPE}{byte:02X}" for byte in sign.encode())
