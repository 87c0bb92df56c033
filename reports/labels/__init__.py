"""Labels for vials, cartons and samples: a page of the label's size each, as vectors; and the same as a picture for the screen."""

import html
import io
from typing import Any

from reportlab.pdfgen.canvas import Canvas
from reportlab.pdfgen.pathobject import PDFPathObject

from domain.labels.content import DrawnLabels, LabelContent
from reports.codes import QUIET, datamatrix_path, qr_path
from reports.labels.layout import MM, Code, Label, all_laid_out, laid_out
from reports.labels.zpl import zpl_of
from reports.style import REGULAR


def print_labels(content: LabelContent) -> DrawnLabels:
    """All labels of a print, as PDF and as ZPL. Raises DoesNotFit."""
    return DrawnLabels(pdf_of(content), zpl_of(content))


def pdf_of(content: LabelContent) -> bytes:
    """The labels as a PDF with a page for each; the same content gives the same bytes."""
    first = laid_out(content)
    target = io.BytesIO()
    size = (first.width * MM, first.height * MM)
    canvas: Any = Canvas(target, pagesize=size, invariant=1, pageCompression=1, initialFontName=REGULAR)
    canvas.setTitle(f"{content.template}: {content.sample_number or content.lot_number}")
    canvas.setSubject(content.sha256())
    if content.first_serial is None:
        canvas.beginForm("label")
        _draw(canvas, first)
        canvas.endForm()
    for label in all_laid_out(content) if content.first_serial is not None else [None] * content.count:
        canvas.setPageSize(size)
        if label is None:
            canvas.doForm("label")
        else:
            _draw(canvas, label)
        canvas.showPage()
    canvas.save()
    return target.getvalue()


def _draw(canvas: Any, label: Label) -> None:
    for words in label.words:
        text = canvas.beginText(words.x * MM, (label.height - words.y) * MM)
        text.setFont(words.font, words.size)
        text.textOut(words.text)
        canvas.drawText(text)
    for code in label.codes:
        modules, runs = _modules(code)
        unit = code.side * MM / (modules + 2 * QUIET[code.kind])
        canvas.saveState()
        canvas.translate(
            code.x * MM + QUIET[code.kind] * unit, (label.height - code.y - code.side) * MM + QUIET[code.kind] * unit
        )
        canvas.scale(unit, unit)
        canvas.setFillColorRGB(0, 0, 0)
        canvas.drawPath(PDFPathObject(code=list(runs)), stroke=0, fill=1)
        canvas.restoreState()


def _modules(code: Code) -> tuple[int, tuple[str, ...]]:
    return qr_path(code.content) if code.kind == "qr" else datamatrix_path(code.content, code.gs1)


def svg_of(content: LabelContent) -> str:
    """The first label as SVG for a page of ours: no style, no script; a unit is a tenth of a mm."""
    label = laid_out(content)
    width, height = label.width * 10, label.height * 10
    said = html.escape(" · ".join(words.text for words in label.words))
    frame = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{said}">'
        f'<rect x="1" y="1" width="{width - 2:g}" height="{height - 2:g}" rx="12" fill="#fff" stroke="#8a9aa0" stroke-width="2"/>'
    )
    parts = [frame]
    for words in label.words:
        weight = "400" if words.font == REGULAR else "600"
        parts.append(
            f'<text x="{words.x * 10:.1f}" y="{words.y * 10:.1f}" font-size="{words.size / MM * 10:.1f}" font-weight="{weight}"'
            f' font-family="Source Sans Pro, Source Sans 3, Arial, sans-serif" fill="#000" textLength="{words.width * 10:.1f}"'
            f' lengthAdjust="spacingAndGlyphs">{html.escape(words.text)}</text>'
        )
    parts += [_code_svg(code) for code in label.codes]
    return "".join([*parts, "</svg>"])


def _code_svg(code: Code) -> str:
    modules, runs = _modules(code)
    unit = code.side * 10 / (modules + 2 * QUIET[code.kind])
    left, top = (at * 10 + QUIET[code.kind] * unit for at in (code.x, code.y))
    squares = []
    for run in runs:
        x, y, wide, _, _ = run.split()
        squares.append(f"M{x} {modules - 1 - int(y)}h{wide}v1h-{wide}z")
    return f'<path transform="translate({left:.2f} {top:.2f}) scale({unit:.4f})" fill="#000" d="{"".join(squares)}"/>'
