"""Rows and sections of a NanoSight summary file: decoding, the layout, and refusals that name the line."""

import csv
import io
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import dropwhile, takewhile

from domain.errors import Invalid, Reason

MAX_BYTES = 20 * 1024 * 1024
_FIRST_CELL = "NTA Experiment Summary File"
_CREATED = re.compile(r"Created with (NTA (3\.\d+)\b.*)")
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?")
_DECIMAL_COMMA = re.compile(r"[+-]?[0-9]+,[0-9]+([eE][+-]?[0-9]+)?")
_LARGEST = Decimal("1E30")
_SIZES, _BINS, _PERCENTILES = "Size Data", "Bin centre (nm)", "Percentile"
_PROMISE = "Size distribution - Number weighting"


def bad(why: str, line: int | None = None) -> Invalid:
    """The refusal of the file, with the line where there is one."""
    text = f"This NanoSight summary cannot be read: {why}."
    return Invalid(Reason("not-a-nanosight-summary", text, None if line is None else f"line {line}"))


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the file: its number, its first cell, and the cells after it, without spaces round them."""

    line: int
    label: str
    cells: tuple[str, ...]

    def cell(self, place: int) -> str:
        """The cell of a column, counted from 0 for the first run; "" beyond the end."""
        return self.cells[place] if place < len(self.cells) else ""

    def filled(self) -> tuple[str, ...]:
        """The cells without the empty ones at the end (spreadsheets pad every row to the widest)."""
        last = max((place for place, cell in enumerate(self.cells, 1) if cell), default=0)
        return self.cells[:last]


@dataclass(frozen=True, slots=True)
class Sections:
    """The file by sections; the first row of each is its heading (`[Results]` with the columns' names)."""

    version: str
    software: str
    encoding: str
    lines: int
    by_name: dict[str, list[Row]]

    def rows(self, section: str) -> list[Row]:
        """The rows of a section below its heading; none if it is missing."""
        return self.by_name.get(section, [])[1:]

    def row(self, section: str, label: str) -> Row | None:
        """The row with this label, if there is one; two of them are refused."""
        found = [row for row in self.rows(section) if row.label == label]
        if len(found) > 1 and section != _SIZES:
            raise bad(f'"{label}" stands twice in the section [{section}]', found[1].line)
        return found[0] if found else None

    def required(self, section: str) -> list[Row]:
        """A section that must be there, heading included."""
        if section not in self.by_name:
            raise bad(f"the section [{section}] is missing; the file is cut off or not a complete export", self.lines)
        return self.by_name[section]

    def needed(self, section: str, label: str) -> Row:
        """A row that must be there."""
        heading = self.required(section)[0]
        row = self.row(section, label)
        if row is None:
            raise bad(f'the section [{section}] has no row "{label}"', heading.line)
        return row

    def text(self, section: str, label: str) -> str:
        """The first cell of a row, "" if there is none."""
        row = self.row(section, label)
        return row.cell(0) if row else ""

    def number_block(self) -> list[Row]:
        """The rows of the number-weighted distribution (a file may hold three); none if the file has none."""
        if not any(row.label for row in self.required("Data Included")[1:]):
            raise bad("the section [Data Included] is empty; the file is cut off", self.lines)
        blocks = self._blocks()
        named = [block for block in blocks if block[0].cell(0).casefold().startswith("number")]
        if len(named) > 1:
            raise bad("the number-weighted distribution stands in the file twice", named[1][0].line)
        promised = any(row.label.startswith(_PROMISE) for row in self.rows("Data Included"))
        if not named and promised:
            raise bad("the number-weighted distribution it announces is missing; it is cut off", self.lines)
        return named[0] if named else []

    def _blocks(self) -> list[list[Row]]:
        blocks: list[list[Row]] = []
        for row in self.rows(_SIZES):
            if row.label == "Weighting":
                blocks.append([])
            if blocks:
                blocks[-1].append(row)
        return blocks

    def bins(self, runs: int) -> tuple[list[float], list[list[float]]]:
        """Bin centres in nm, ascending in equal steps, and the values per run and bin; both empty if there are none."""
        block = self.number_block()
        start = next((place for place, row in enumerate(block) if row.label == _BINS), None)
        if start is None:
            if block:
                raise bad(f'the size data has no table "{_BINS}"; the file is cut off', block[-1].line)
            return [], []
        width = len(block[start].filled())
        if width < runs:
            raise bad(f"{width} columns of bins for {runs} runs", block[start].line)
        table = list(takewhile(lambda row: row.label, block[start + 1 :]))
        self._complete(block[start + 1 + len(table) :], table, runs)
        bins = [_bin_row(row, runs, width) for row in table]
        centres = [centre for centre, _ in bins]
        _even(centres, table)
        return centres, [list(column) for column in zip(*(values for _, values in bins), strict=True)]

    def _complete(self, after: list[Row], table: list[Row], runs: int) -> None:
        """A file that promises percentiles ends with the hundredth: otherwise its end is lost."""
        promises = [row.label for row in self.rows("Data Included") if row.label.startswith(_PROMISE)]
        percentiles = list(dropwhile(lambda row: row.label != _PERCENTILES, after))
        whole = any(row.label == "100" and len(row.filled()) >= runs for row in percentiles)
        if any("With Percentiles" in label for label in promises) and not whole:
            found = percentiles or table
            raise bad("the table of percentiles is missing or cut off", found[-1].line if found else self.lines)


def number(row: Row, place: int, what: str) -> Decimal:
    """The number in a cell; a decimal comma, a word and an empty cell are refused."""
    text = row.cell(place)
    if _NUMBER.fullmatch(text) and abs(read := Decimal(text)) <= _LARGEST:
        return read
    if _DECIMAL_COMMA.fullmatch(text):
        raise bad(f'"{text}" has a decimal comma; export with decimal points', row.line)
    raise bad(f'"{text[:40]}" in column {place + 2} is not {what}', row.line)


def optional_number(row: Row | None, place: int) -> Decimal | None:
    """The number in a cell, None for an empty one."""
    return None if row is None or not row.cell(place) else number(row, place, "a number")


def open_sections(data: bytes) -> Sections:
    """Decode, check the kind of file and its version, and sort the rows into sections."""
    if len(data) > MAX_BYTES:
        raise bad(f"it has {len(data)} bytes, more than the {MAX_BYTES} allowed")
    text, encoding = _decode(data)
    rows = list(_rows(text))
    version, software = _kind(rows)
    sections: dict[str, list[Row]] = {}
    name = ""
    for row in rows:
        if row.label.startswith("[") and row.label.endswith("]"):
            name = row.label[1:-1]
            if name in sections and name != _SIZES:
                raise bad(f"the section [{name}] stands twice", row.line)
        if name:
            sections.setdefault(name, []).append(row)
    return Sections(version, software, encoding, rows[-1].line, sections)


def _decode(data: bytes) -> tuple[str, str]:
    """Text and the encoding it was found in: what has a byte order mark, ASCII, UTF-8, or else Latin-1."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        candidates = ["utf-16"]
    else:
        candidates = ["utf-8-sig" if data.startswith(b"\xef\xbb\xbf") else "ascii", "utf-8", "latin-1"]
    for encoding in candidates:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" in text:
            break
        if not text.strip():
            raise bad("the file is empty")
        return text, encoding
    raise bad("it is not a text file", 1)


def _rows(text: str) -> Iterator[Row]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=False)
    try:
        for cells in reader:
            stripped = [cell.strip() for cell in cells] or [""]
            yield Row(reader.line_num, stripped[0], tuple(stripped[1:]))
    except csv.Error as wrong:
        raise bad(f"not comma-separated text ({wrong})", reader.line_num) from wrong


def _kind(rows: list[Row]) -> tuple[str, str]:
    first = rows[0]
    if first.label != _FIRST_CELL:
        if first.label.startswith(_FIRST_CELL):
            raise bad("its cells are not separated by commas; export with commas and decimal points", first.line)
        raise bad(f'it does not begin with "{_FIRST_CELL}"', first.line)
    created = _CREATED.fullmatch(rows[1].label) if len(rows) > 1 else None
    if created is None:
        raise bad('the second line does not say "Created with NTA 3.…"; NTA 3 is what can be read', 2)
    return created[2], created[1].strip()


def _bin_row(row: Row, runs: int, width: int) -> tuple[float, list[float]]:
    """Centre and values of one bin; more or fewer cells than columns are decimal commas or a cut-off line."""
    found = len(row.filled())
    if found > width:
        raise bad(f"{found} values in {width} columns; were numbers written with a decimal comma?", row.line)
    if found < runs:
        raise bad(f"{found} values for {runs} runs; the line is cut off", row.line)
    values = [number(row, place, "a particle concentration") for place in range(runs)]
    if min(values) < 0:
        raise bad("a bin cannot hold less than nothing", row.line)
    centre = number(Row(row.line, "", (row.label,)), 0, "a bin centre")
    return float(centre), [float(value) for value in values]


def _even(centres: list[float], table: list[Row]) -> None:
    if len(centres) < 2:
        raise bad("the table of bins has fewer than two rows; the file is cut off", table[0].line if table else None)
    step = centres[1] - centres[0]
    for place in range(1, len(centres)):
        if step <= 0 or not math.isclose(centres[place] - centres[place - 1], step, rel_tol=1e-3):
            raise bad("the bin centres do not ascend in equal steps", table[place].line)
    if centres[0] < 0:
        raise bad("a bin centre cannot be below zero", table[0].line)
