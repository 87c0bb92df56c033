"""A maker's logo: an SVG of plain shapes, kept as vectors, or a PNG.

Read once. What would not be drawn as its designer meant it, or not be embedded (text in a font, gradients, effects), is refused by name.
"""

import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import cos, radians, sin
from typing import Any, Protocol
from xml.etree import ElementTree as ET

from PIL import Image, UnidentifiedImageError
from reportlab.graphics.svgpath import SvgPath
from reportlab.lib.colors import Color, toColor
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.pathobject import PDFPathObject

from domain.errors import Invalid, Reason

MOST_BYTES = 500_000
MOST_PIXELS = (750, 250)  # what 300 dots per inch need at the size it is printed
_IGNORED = frozenset(("title", "desc", "metadata", "defs"))
_STYLES = ("fill", "stroke", "stroke-width", "fill-rule", "display")
_REFUSED_STYLES = (
    "opacity",
    "fill-opacity",
    "stroke-opacity",
    "filter",
    "mask",
    "clip-path",
    "stroke-dasharray",
    "visibility",
)
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_TRANSFORM = re.compile(r"(matrix|translate|scale|rotate)\s*\(([^)]*)\)")


class Logo(Protocol):
    """A picture of a known shape."""

    @property
    def ratio(self) -> float:
        """Width by height."""

    def draw(self, canvas: Any, x: float, y: float, width: float, height: float) -> None:
        """Fill the rectangle with it (pt)."""


@lru_cache(maxsize=8)
def read_logo(data: bytes) -> Logo:
    """The logo in a file; Invalid (`logo-not-usable`) with the reason."""
    if len(data) > MOST_BYTES:
        raise _unusable(f"it has {len(data)} bytes, more than {MOST_BYTES}")
    return _Picture.read(data) if data.startswith(b"\x89PNG\r\n\x1a\n") else _Drawing.read(data)


def _unusable(why: str) -> Invalid:
    return Invalid(Reason("logo-not-usable", f"the logo cannot be used: {why}", "logo"))


@dataclass(frozen=True, eq=False)
class _Picture:
    """A PNG, brought to the resolution of print."""

    reader: ImageReader
    ratio: float

    @classmethod
    def read(cls, data: bytes) -> "_Picture":
        try:
            with Image.open(io.BytesIO(data), formats=["PNG"]) as found:
                picture = found.convert("RGBA" if "A" in found.mode or "transparency" in found.info else "RGB")
        except (UnidentifiedImageError, Image.DecompressionBombError, OSError, ValueError, SyntaxError) as error:
            raise _unusable(f"it is no PNG that can be read ({error})") from None
        picture.thumbnail(MOST_PIXELS)
        return cls(ImageReader(picture), picture.width / picture.height)

    def draw(self, canvas: Any, x: float, y: float, width: float, height: float) -> None:
        canvas.drawImage(self.reader, x, y, width, height, mask="auto")


@dataclass(frozen=True, slots=True)
class _Shape:
    """A path as PDF operators, with what it is painted with."""

    code: tuple[str, ...]
    matrix: tuple[float, ...]
    fill: Color | None
    stroke: Color | None
    width: float
    even_odd: bool


@dataclass(frozen=True, eq=False)
class _Drawing:
    """The shapes of an SVG, in its own units, y downwards from the upper left corner of its view box."""

    shapes: tuple[_Shape, ...]
    box: tuple[float, float, float, float]

    @property
    def ratio(self) -> float:
        return self.box[2] / self.box[3]

    @classmethod
    def read(cls, data: bytes) -> "_Drawing":
        if b"<!ENTITY" in data or b"<!DOCTYPE" in data:
            raise _unusable("an SVG with a document type declaration is not read")
        try:
            root = ET.fromstring(data)  # noqa: S314 (without declarations there are no entities to expand)
        except ET.ParseError as error:
            raise _unusable(f"it is neither a PNG nor an SVG ({error})") from None
        if _name(root) != "svg":
            raise _unusable("it is neither a PNG nor an SVG")
        given = root.get("viewBox") or f"0 0 {root.get('width', '')} {root.get('height', '')}"
        box = [float(number) for number in _NUMBER.findall(given)]
        if len(box) != 4 or box[2] <= 0 or box[3] <= 0:
            raise _unusable("the SVG has neither a view box nor a width and height")
        shapes = tuple(_shapes(root, {"fill": "black"}, (1, 0, 0, 1, 0, 0)))
        if not shapes:
            raise _unusable("the SVG has no shapes")
        return cls(shapes, (box[0], box[1], box[2], box[3]))

    def draw(self, canvas: Any, x: float, y: float, width: float, height: float) -> None:
        left, top, wide, tall = self.box
        canvas.saveState()
        canvas.transform(width / wide, 0, 0, -height / tall, x - left * width / wide, y + height + top * height / tall)
        for shape in self.shapes:
            canvas.saveState()
            canvas.transform(*shape.matrix)
            if shape.fill:
                canvas.setFillColor(shape.fill)
            if shape.stroke:
                canvas.setStrokeColor(shape.stroke)
                canvas.setLineWidth(shape.width)
            path = PDFPathObject(code=list(shape.code))
            mode = 0 if shape.even_odd else 1
            canvas.drawPath(path, stroke=int(bool(shape.stroke)), fill=int(bool(shape.fill)), fillMode=mode)
            canvas.restoreState()
        canvas.restoreState()


def _name(node: ET.Element) -> str:
    return node.tag.rpartition("}")[2]


def _shapes(node: ET.Element, styles: Mapping[str, str], matrix: tuple[float, ...]) -> Iterator[_Shape]:
    for child in node:
        name = _name(child)
        own = {**styles, **_styles(child)}
        if name in _IGNORED or own.pop("display", "") == "none":
            continue
        placed = _multiplied(matrix, _matrix(child.get("transform", "")))
        if name == "g":
            yield from _shapes(child, own, placed)
        else:
            yield _shape(_path(child), own, placed)


def _styles(node: ET.Element) -> dict[str, str]:
    written = dict(part.split(":", 1) for part in node.get("style", "").split(";") if ":" in part)
    given = {**node.attrib, **{name.strip(): value.strip() for name, value in written.items()}}
    for name in _REFUSED_STYLES:
        if given.get(name, "1") not in {"1", "none", "1.0"}:
            raise _unusable(f"the SVG uses {name}; plain filled or stroked shapes are drawn")
    return {name: given[name] for name in _STYLES if name in given}


def _path(node: ET.Element) -> str:
    """The shape as path data."""
    name = _name(node)

    def number(attribute: str) -> float:
        found = _NUMBER.match(node.get(attribute, "0").strip())
        return float(found[0]) if found else 0.0

    if name == "path":
        return node.get("d", "")
    if name == "rect":
        return _rectangle(*map(number, ("x", "y", "width", "height", "rx", "ry")))
    if name in {"circle", "ellipse"}:
        rx, ry = (number("r"),) * 2 if name == "circle" else (number("rx"), number("ry"))
        return f"M{number('cx') - rx} {number('cy')} a{rx} {ry} 0 1 0 {2 * rx} 0 a{rx} {ry} 0 1 0 {-2 * rx} 0 Z"
    if name == "line":
        return f"M{number('x1')} {number('y1')} L{number('x2')} {number('y2')}"
    if name in {"polyline", "polygon"}:
        points = _NUMBER.findall(node.get("points", ""))
        return f"M{' '.join(points)}{' Z' if name == 'polygon' else ''}"
    raise _unusable(f"the SVG has an element <{name}>; only shapes are drawn (convert text to paths)")


def _rectangle(x: float, y: float, width: float, height: float, rx: float, ry: float) -> str:
    """A rectangle, with round corners if one radius is given (SVG 2, 10.2)."""
    rx, ry = min(rx or ry, width / 2), min(ry or rx, height / 2)
    across, down = width - 2 * rx, height - 2 * ry
    if not rx:
        return f"M{x} {y} h{width} v{height} h{-width} Z"
    corner = f"a{rx} {ry} 0 0 1"
    return (
        f"M{x + rx} {y} h{across} {corner} {rx} {ry} v{down} {corner} {-rx} {ry}"
        f" h{-across} {corner} {-rx} {-ry} v{-down} {corner} {rx} {-ry} Z"
    )


def _shape(data: str, styles: Mapping[str, str], matrix: tuple[float, ...]) -> _Shape:
    try:
        path = SvgPath(data)
    except (ValueError, IndexError, TypeError) as error:
        raise _unusable(f"a path of the SVG cannot be read ({error})") from None
    points = iter(f"{value:.4f}" for value in path.points)
    code = []
    for operator in path.operators:  # move, line, curve, close
        count, letter = ((2, "m"), (2, "l"), (6, "c"), (0, "h"))[operator]
        code.append(" ".join([*(next(points) for _ in range(count)), letter]))
    width = _NUMBER.match(styles.get("stroke-width", "1"))
    return _Shape(
        tuple(code),
        matrix,
        _color(styles.get("fill", "black")),
        _color(styles.get("stroke", "none")),
        float(width[0]) if width else 1.0,
        styles.get("fill-rule") == "evenodd",
    )


def _color(written: str) -> Color | None:
    if written == "none":
        return None
    if re.fullmatch("#[0-9A-Fa-f]{3}", written):
        written = "#" + "".join(2 * figure for figure in written[1:])
    try:
        return toColor("black" if written == "currentColor" else written)
    except ValueError:
        raise _unusable(f"the SVG paints with {written!r}; plain colours are drawn") from None


def _matrix(written: str) -> tuple[float, ...]:
    matrix: tuple[float, ...] = (1, 0, 0, 1, 0, 0)
    if _TRANSFORM.sub("", written).strip(" ,\n\t"):
        raise _unusable(f"the SVG has the transformation {written!r}; matrix, translate, scale and rotate are drawn")
    for kind, arguments in _TRANSFORM.findall(written):
        matrix = _multiplied(matrix, _single(kind, [float(number) for number in _NUMBER.findall(arguments)]))
    return matrix


def _single(kind: str, given: list[float]) -> tuple[float, ...]:
    if kind == "matrix" and len(given) == 6:
        return tuple(given)
    if kind == "translate" and given:
        return (1, 0, 0, 1, given[0], given[1] if len(given) > 1 else 0)
    if kind == "scale" and given:
        return (given[0], 0, 0, given[-1], 0, 0)
    if kind == "rotate" and len(given) in {1, 3}:
        turn, x, y = (*given, 0.0, 0.0)[:3]
        sine, cosine = sin(radians(turn)), cos(radians(turn))
        turned = _multiplied((1, 0, 0, 1, x, y), (cosine, sine, -sine, cosine, 0, 0))
        return _multiplied(turned, (1, 0, 0, 1, -x, -y))
    raise _unusable(f"the SVG has a transformation {kind} that is not drawn; convert it to paths")


def _multiplied(left: tuple[float, ...], right: tuple[float, ...]) -> tuple[float, ...]:
    a, b, c, d, e, f = left
    g, h, i, j, k, m = right
    return (a * g + c * h, b * g + d * h, a * i + c * j, b * i + d * j, a * k + c * m + e, b * k + d * m + f)
