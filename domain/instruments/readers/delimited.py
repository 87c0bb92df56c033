"""Delimited text as instruments write it: the encoding, the separator and the decimal mark are found in the file, or it is refused."""

import csv
import io
import re
from dataclasses import dataclass

from domain.errors import Invalid, Reason

_SEPARATORS = {";": "semicolon", "\t": "tab", ",": "comma"}
_COMMA = re.compile(r"[+-]?[0-9]+,[0-9]+")
_POINT = re.compile(r"[+-]?[0-9]+\.[0-9]+")


@dataclass(frozen=True, slots=True)
class Row:
    """A line with its number in the file."""

    line: int
    cells: list[str]


@dataclass(frozen=True, slots=True)
class Cells:
    """The lines that are neither empty nor comments. decimal: `.` or `,`."""

    rows: list[Row]
    encoding: str
    separator_word: str
    decimal: str


def cells(data: bytes) -> Cells:
    """The cells of a file. Raises Invalid for what is no text, or mixes decimal marks."""
    text, encoding = _text(data)
    lines = [
        (place, line) for place, line in enumerate(text.splitlines(), 1) if line.strip() and line.lstrip()[0] != "#"
    ]
    separator = max(_SEPARATORS, key=lambda mark: sum(line.count(mark) for _, line in lines[:200]))
    try:
        rows = [Row(place, next(csv.reader(io.StringIO(line), delimiter=separator), [])) for place, line in lines]
    except csv.Error as error:
        raise _refused(f"the file is no table: {error}") from None
    return Cells(rows, encoding, _SEPARATORS[separator], _decimal(rows, separator))


def _text(data: bytes) -> tuple[str, str]:
    """UTF-8, UTF-16 with its mark, or the code page of western Windows."""
    if not data.strip():
        raise _refused("the file is empty")
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        encoding = "cp1252"
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            raise _refused("the file is no text in UTF-8, UTF-16 or Windows-1252") from None
    if "\x00" in text:
        raise _refused("the file is no text: it holds zero bytes")
    return text, encoding.removesuffix("-sig").upper()


def _decimal(rows: list[Row], separator: str) -> str:
    if separator == ",":
        return "."
    found = {"," if _COMMA.fullmatch(cell.strip()) else "." for row in rows for cell in row.cells
             if _COMMA.fullmatch(cell.strip()) or _POINT.fullmatch(cell.strip())}  # fmt: skip
    if len(found) > 1:
        raise _refused("some numbers have a decimal comma and others a decimal point")
    return found.pop() if found else "."


def _refused(text: str) -> Invalid:
    return Invalid(Reason("not-a-trend-file", text, "file"))


def number_pattern(decimal: str) -> re.Pattern[str]:
    """Plain ASCII digits with one decimal mark: nothing else is a number."""
    return re.compile(rf"[+-]?[0-9]{{1,9}}(?:{re.escape(decimal)}[0-9]{{1,12}})?(?:[eE][+-]?[0-9]{{1,2}})?")
