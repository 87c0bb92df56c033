"""Two-dimensional codes as vector art: a QR code, or a GS1 DataMatrix."""

from functools import lru_cache
from typing import Any

import zxingcpp
from reportlab.pdfgen.pathobject import PDFPathObject
from reportlab.platypus import Flowable

from reports.structure import Element, TaggedCanvas

#: Blank modules round a code: ISO/IEC 18004, 9.1 asks for four round a QR code, ISO/IEC 16022 for one round a DataMatrix; two are safer.
QUIET = {"qr": 4, "datamatrix": 2}


@lru_cache(maxsize=256)
def qr_path(content: str) -> tuple[int, tuple[str, ...]]:
    """Side of the QR code in modules, and its dark modules as PDF rectangles (a unit a module, y up)."""
    return _path(zxingcpp.create_barcode(content, zxingcpp.BarcodeFormat.QRCode, ec_level="M"))


@lru_cache(maxsize=256)
def datamatrix_path(content: str, gs1: bool = True) -> tuple[int, tuple[str, ...]]:
    """The same for a square DataMatrix; content: if it is a GS1 one, an element string with brackets (`domain.gs1`)."""
    matrix = zxingcpp.BarcodeFormat.DataMatrix
    return _path(zxingcpp.create_barcode(content, matrix, gs1=gs1, force_square=True))


def _path(code: Any) -> tuple[int, tuple[str, ...]]:
    matrix: Any = memoryview(code.to_image(scale=1, add_quiet_zones=False)).tolist()
    side = len(matrix)
    runs: list[str] = []
    for row, modules in enumerate(matrix):
        start: int | None = None
        for column, value in enumerate([*modules, 255]):
            if value < 128 and start is None:
                start = column
            elif value >= 128 and start is not None:
                runs.append(f"{start} {side - 1 - row} {column - start} 1 re")
                start = None
    return side, tuple(runs)


class Code(Flowable):  # type: ignore[misc]
    """A code with its quiet zone on white, `side` pt wide: one filled path, so no hairlines show between modules.

    alt: what the code holds, in words, and their language.
    """

    def __init__(self, path: tuple[int, tuple[str, ...]], quiet: int, side: float, alt: str, lang: str):
        super().__init__()
        self.path, self.quiet, self.side = path, quiet, side
        self.element = Element("Figure", alt=alt, lang=lang)

    def wrap(self, width: float, height: float) -> tuple[float, float]:
        """A square of `side` pt."""
        return self.side, self.side

    def draw(self) -> None:
        """White ground, then the dark modules."""
        canvas: Any = self.canv
        if isinstance(canvas, TaggedCanvas):
            with canvas.figure(self.element, self.side, self.side):
                self._paint(canvas)
        else:
            self._paint(canvas)

    def _paint(self, canvas: Any) -> None:
        modules, runs = self.path
        unit = self.side / (modules + 2 * self.quiet)
        canvas.setFillColorRGB(1, 1, 1)
        canvas.roundRect(0, 0, self.side, self.side, 3, stroke=0, fill=1)
        canvas.saveState()
        canvas.translate(self.quiet * unit, self.quiet * unit)
        canvas.scale(unit, unit)
        canvas.setFillColorRGB(0, 0, 0)
        canvas.drawPath(PDFPathObject(code=list(runs)), stroke=0, fill=1)
        canvas.restoreState()


def qr_code(content: str, side: float, alt: str, lang: str) -> Code:
    """A QR code."""
    return Code(qr_path(content), QUIET["qr"], side, alt, lang)


def gs1_datamatrix(element_string: str, side: float, alt: str, lang: str) -> Code:
    """A GS1 DataMatrix."""
    return Code(datamatrix_path(element_string), QUIET["datamatrix"], side, alt, lang)
