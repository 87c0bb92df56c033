"""What a reader for the blind gets of a PDF: its structure tree with the text of every element, read with pdfium and pikepdf."""

import ctypes
import io
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

import pikepdf
import pypdfium2
from pypdfium2 import raw


@dataclass
class Node:
    """An element: type, language, alternative text, attributes, and what is in it, texts and elements, in reading order."""

    kind: str
    lang: str
    alt: str | None = None
    attributes: dict[str, str] = field(default_factory=dict)
    kids: "list[Node | str]" = field(default_factory=list)
    annotations: int = 0

    def walk(self) -> "Iterator[Node]":
        yield self
        for kid in self.kids:
            if isinstance(kid, Node):
                yield from kid.walk()

    def all(self, *kinds: str) -> "list[Node]":
        return [node for node in self.walk() if node.kind in kinds]

    def own(self, *kinds: str) -> "list[Node]":
        return [kid for kid in self.kids if isinstance(kid, Node) and kid.kind in kinds]

    def pieces(self) -> Iterator[tuple[str, str]]:
        """Each text with its language."""
        for kid in self.kids:
            if isinstance(kid, Node):
                yield from kid.pieces()
            else:
                yield kid, self.lang

    @property
    def text(self) -> str:
        return " ".join("".join(text for text, _ in self.pieces()).split())


def marked_text(pdf: bytes) -> tuple[dict[tuple[int, int], str], list[str]]:
    """The text of each mark (page, number), and for each page the text that is in none: that of artifacts."""
    found: dict[tuple[int, int], str] = defaultdict(str)
    artifacts = []
    for number, page in enumerate(pypdfium2.PdfDocument(pdf)):
        loose, texts = "", page.get_textpage()
        for thing in page.get_objects(filter=[raw.FPDF_PAGEOBJ_TEXT], max_depth=1):
            size = raw.FPDFTextObj_GetText(thing.raw, texts.raw, None, 0)
            buffer = ctypes.create_string_buffer(size)
            raw.FPDFTextObj_GetText(thing.raw, texts.raw, ctypes.cast(buffer, ctypes.POINTER(ctypes.c_ushort)), size)
            text = buffer.raw.decode("utf-16-le").rstrip("\0")
            mark = raw.FPDFPageObj_GetMarkedContentID(thing.raw)
            if mark >= 0:
                found[number, mark] += text
            else:
                loose += text
        artifacts.append(loose)
    return found, artifacts


def tree(pdf: bytes) -> Node:
    """The structure tree; every mark in it appears once, or AssertionError."""
    texts, _ = marked_text(pdf)
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        pages = {page.obj.objgen: number for number, page in enumerate(opened.pages)}
        (root,) = opened.Root.StructTreeRoot.K
        seen: list[tuple[int, int]] = []

        def read(element: pikepdf.Object, lang: str) -> Node:
            node = Node(str(element.S)[1:], str(element.get("/Lang", lang)))
            node.alt = str(element.Alt) if "/Alt" in element else None
            node.attributes = {str(key): str(value) for key, value in element.get("/A", {}).items() if key != "/BBox"}
            if "/BBox" in element.get("/A", {}):
                node.attributes["/BBox"] = " ".join(str(part) for part in element.A.BBox)
            held = element.get("/K", [])
            for kid in held if isinstance(held, pikepdf.Array) else [held]:
                if isinstance(kid, int) or kid.get("/Type") == "/MCR":
                    home = element.Pg if isinstance(kid, int) else kid.Pg
                    place = pages[home.objgen], kid if isinstance(kid, int) else int(kid.MCID)
                    seen.append(place)
                    node.kids.append(texts.get(place, ""))
                elif kid.get("/Type") == "/OBJR":
                    node.annotations += 1
                else:
                    assert kid.P.objgen == element.objgen
                    node.kids.append(read(kid, node.lang))
            return node

        found = read(root, str(opened.Root.Lang))
    assert len(seen) == len(set(seen))
    assert set(texts) <= set(seen), "text that no element holds"
    return found
