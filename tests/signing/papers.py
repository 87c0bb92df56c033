"""A small file to sign: one page, with the empty field that every certificate has."""

from functools import cache
from io import BytesIO

import pikepdf
from pikepdf import Array, Dictionary, Name, String

from reports.signing import FIELD


@cache
def unsigned(pages: int = 1, field: str = FIELD) -> bytes:
    """The file, the same bytes each time."""
    pdf = pikepdf.new()
    for _ in range(pages):
        pdf.add_blank_page()
    widget = Dictionary(
        Type=Name.Annot, Subtype=Name.Widget, FT=Name.Sig, T=String(field), F=132, Rect=[50, 50, 250, 100]
    )
    placed = pdf.make_indirect(widget)
    pdf.pages[0].obj.Annots = Array([placed])
    pdf.Root.AcroForm = Dictionary(Fields=Array([placed]), SigFlags=1)
    made = BytesIO()
    pdf.save(made, deterministic_id=True)
    return made.getvalue()
