"""From what was drawn to a file that lasts and that everyone can read: PDF/A-3a (ISO 19005-3) and PDF/UA-1 (ISO 14289-1).

One pass adds what the drawing library does not write: structure tree, colour profile, XMP, attachments, links, the field for a signature. What
is signed later (an incremental update) leaves all of it as it is.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pikepdf
from pikepdf import Array, Dictionary, Name, Object, Pdf, Stream, String

from reports.metadata import Metadata
from reports.pages import Drawn
from reports.structure import Annotation, Box, Element, Mark, Structure
from reports.wording import in_utc

_ICC = (Path(__file__).parent / "srgb.icc").read_bytes()
#: The field for the manufacturer's signature, in every document that can be signed.
SIGNATURE_FIELD = "Manufacturer"
_PRINT, _LOCKED = 4, 128  # flags of an annotation (ISO 32000-1, table 165)


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file within the file: the data it was drawn from (`Source`), or the same said in another way (`Alternative`)."""

    name: str
    data: bytes
    media_type: str
    relationship: Literal["Source", "Alternative"]
    description: str


def archived(drawn: Drawn, metadata: Metadata, attachments: Sequence[Attachment]) -> bytes:
    """The finished, unsigned file; the same in gives the same bytes."""
    out = io.BytesIO()
    with Pdf.open(io.BytesIO(drawn.pdf)) as pdf:
        root = pdf.Root
        root.Metadata = Stream(pdf, metadata.packet(), Type=Name.Metadata, Subtype=Name.XML)
        root.OutputIntents = Array([_output_intent(pdf)])
        root.MarkInfo = Dictionary(Marked=True)
        root.ViewerPreferences = Dictionary(DisplayDocTitle=True)
        root.PageMode = Name.UseOutlines
        _Tree(pdf, drawn.structure).write()
        _attach(pdf, attachments, metadata)
        pdf.save(
            out,
            min_version="1.7",
            deterministic_id=True,
            compress_streams=False,
            stream_decode_level=pikepdf.StreamDecodeLevel.generalized,
            object_stream_mode=pikepdf.ObjectStreamMode.disable,
        )
    return out.getvalue()


def _output_intent(pdf: Pdf) -> Dictionary:
    profile = Stream(pdf, _ICC, N=3, Alternate=Name.DeviceRGB)
    return Dictionary(
        Type=Name.OutputIntent,
        S=Name.GTS_PDFA1,
        OutputConditionIdentifier=String("sRGB IEC61966-2.1"),
        Info=String("sRGB IEC61966-2.1"),
        DestOutputProfile=profile,
    )


def _attach(pdf: Pdf, attachments: Sequence[Attachment], metadata: Metadata) -> None:
    if not attachments:
        return
    time = String(in_utc(metadata.issued_at).strftime("D:%Y%m%d%H%M%SZ"))
    files: list[Object] = []
    for each in attachments:
        stream = Stream(pdf, each.data, Type=Name.EmbeddedFile, Subtype=Name(f"/{each.media_type}"))
        stream.Params = Dictionary(Size=len(each.data), ModDate=time, CreationDate=time)
        file = Dictionary(
            Type=Name.Filespec,
            F=String(each.name),
            UF=String(each.name),
            Desc=String(each.description),
            AFRelationship=Name(f"/{each.relationship}"),
            EF=Dictionary(F=stream, UF=stream),
        )
        files.append(pdf.make_indirect(file))
    pdf.Root.AF = Array(files)
    by_name = sorted(zip((each.name for each in attachments), files, strict=True), key=lambda pair: pair[0])
    names = Array([part for name, file in by_name for part in (String(name), file)])
    pdf.Root.Names = Dictionary(EmbeddedFiles=Dictionary(Names=names))


class _Tree:
    """Writes the structure tree, the annotations that belong to it, and from every mark and annotation the way back into the tree."""

    def __init__(self, pdf: Pdf, structure: Structure):
        self.pdf, self.structure = pdf, structure
        self.pages = [page.obj for page in pdf.pages]
        self.written: dict[Element, Object] = {}
        self.annotations: dict[Annotation, Object] = {
            annotation: self._annotation(annotation, len(self.pages) + number)
            for number, (_, annotation) in enumerate(structure.annotations)
        }

    def write(self) -> None:
        """Everything, into the catalogue and the pages."""
        root = self.pdf.make_indirect(Dictionary(Type=Name.StructTreeRoot))
        self.pdf.Root.StructTreeRoot = root
        root.K = Array([self._element(self.structure.root, root, None)])
        parents: list[Object | int] = []
        for number, page in enumerate(self.pages):
            page.StructParents, page.Tabs = number, Name.S
            marked = self.structure.pages[number] if number < len(self.structure.pages) else []
            parents += [number, Array([self.written[element] for element in marked])]
        for number, (element, _) in enumerate(self.structure.annotations, start=len(self.pages)):
            parents += [number, self.written[element]]
        root.ParentTree = Dictionary(Nums=Array(parents))
        root.ParentTreeNextKey = len(parents) // 2
        if fields := [self.annotations[one] for one in self.annotations if one.field]:
            self.pdf.Root.AcroForm = Dictionary(Fields=Array(fields))

    def _element(self, element: Element, parent: Object, inherited: str | None) -> Object:
        written = Dictionary(S=Name(f"/{element.kind}"), P=parent)
        lang = element.lang or inherited
        if lang != inherited:
            written.Lang = String(lang or "")
        if element.alt is not None:
            written.Alt = String(element.alt)
        if attributes := _attributes(element):
            written.A = attributes
        made = self.written[element] = self.pdf.make_indirect(written)
        kids = element.kids or []
        home = next((kid.page for kid in kids if isinstance(kid, Mark)), None)
        if home is not None:
            made.Pg = self.pages[home]
        if kids:
            written_kids = [self._kid(kid, made, home, lang) for kid in kids]
            made.K = Array(written_kids) if len(kids) > 1 else written_kids[0]
        return made

    def _kid(
        self, kid: Element | Mark | Annotation, parent: Object, home: int | None, lang: str | None
    ) -> Object | int:
        if isinstance(kid, Element):
            return self._element(kid, parent, lang)
        if isinstance(kid, Annotation):
            return Dictionary(Type=Name.OBJR, Obj=self.annotations[kid], Pg=self.pages[kid.page])
        if kid.page == home:
            return kid.number
        return Dictionary(Type=Name.MCR, Pg=self.pages[kid.page], MCID=kid.number)

    def _annotation(self, annotation: Annotation, number: int) -> Object:
        page = self.pages[annotation.page]
        made = Dictionary(Type=Name.Annot, Rect=_numbers(annotation.box), P=page, StructParent=number, F=_PRINT)
        if annotation.address:
            made.Subtype, made.Contents = Name.Link, String(annotation.words)
            made.Border = Array([0, 0, 0])
            made.A = Dictionary(S=Name.URI, URI=String(annotation.address))
        if annotation.field:
            self._make_field(made, annotation, page)
        written = self.pdf.make_indirect(made)
        if "/Annots" not in page:
            page.Annots = Array([])
        page.Annots.append(written)
        return written

    def _make_field(self, made: Dictionary, annotation: Annotation, page: Object) -> None:
        """An empty signature field, with its look: signing must not draw anything."""
        left, bottom, right, top = annotation.box
        made.Subtype, made.FT, made.F = Name.Widget, Name.Sig, _PRINT | _LOCKED
        made.T, made.TU = String(annotation.field or ""), String(annotation.words)
        look = Stream(self.pdf, annotation.appearance.encode("latin-1"))
        look.Type, look.Subtype, look.FormType = Name.XObject, Name.Form, 1
        look.BBox = _numbers((0, 0, right - left, top - bottom))
        look.Resources = Dictionary(Font=page.Resources.Font)
        made.AP = Dictionary(N=look)


def _numbers(box: Box) -> Array:
    return Array([pikepdf.Object.parse(f"{part:.2f}".encode()) for part in box])


def _attributes(element: Element) -> Dictionary | None:
    if element.box is not None:
        return Dictionary(O=Name.Layout, Placement=Name.Block, BBox=_numbers(element.box[1]))
    if element.scope is None and element.columns == 1:
        return None
    made = Dictionary(O=Name.Table)
    if element.scope is not None:
        made.Scope = Name(f"/{element.scope}")
    if element.columns != 1:
        made.ColSpan = element.columns
    return made
