"""Two-dimensional codes as vector art."""

from functools import lru_cache
from typing import Any

import zxingcpp
from reportlab.pdfgen.pathobject import PDFPathObject
from reportlab.platypus import Flowable

QUIET_MODULES = 4  # ISO/IEC 18004, 9.1: a blank margin of four modules round a QR code


@lru_cache(maxsize=256)
def qr_path(content: str) -> tuple[int, tuple[str, ...]]:
    """Side of the QR code in modules, and its dark modules as PDF rectangles (a unit a module, y up)."""
    code = zxingcpp.create_barcode(content, zxingcpp.BarcodeFormat.QRCode, ec_level="M")
    image: Any = code.to_image(scale=1, add_quiet_zones=False)
    matrix: Any = memoryview(image).tolist()
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


class QrCode(Flowable):  # type: ignore[misc]
    """A QR code with its quiet zone on white, `side` pt wide: one filled path, so no hairlines show between modules."""

    def __init__(self, content: str, side: float):
        super().__init__()
        self.content, self.side = content, side

    def wrap(self, width: float, height: float) -> tuple[float, float]:
        """A square of `side` pt."""
        return self.side, self.side

    def draw(self) -> None:
        """White ground, then the dark modules."""
        canvas: Any = self.canv
        modules, runs = qr_path(self.content)
        unit = self.side / (modules + 2 * QUIET_MODULES)
        canvas.setFillColorRGB(1, 1, 1)
        canvas.roundRect(0, 0, self.side, self.side, 4, stroke=0, fill=1)
        canvas.saveState()
        canvas.translate(QUIET_MODULES * unit, QUIET_MODULES * unit)
        canvas.scale(unit, unit)
        canvas.setFillColorRGB(0, 0, 0)
        canvas.drawPath(PDFPathObject(code=list(runs)), stroke=0, fill=1)
        canvas.restoreState()
