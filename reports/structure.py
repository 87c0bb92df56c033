"""What a document is made of, beside how it looks: a tree of structure elements (ISO 32000-1, 14.7 and 14.8) and what is marked on each page.

A flowable holds the elements it stands for. An element joins the tree when something of it is drawn for the first time, so the tree reads in
the order of drawing, and what is drawn again (the head of a table on its next page) adds nothing. Everything that no element claims is an
artifact: decoration, repeated heads, the foot of a page.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from reportlab.pdfgen.canvas import Canvas

Scope = Literal["Row", "Column"]
Box = tuple[float, float, float, float]

_OPEN, _CLOSE = "/Artifact BMC", "EMC"
# What leaves no trace on the page: state, transformations, colours, line styles, blank.
_TRACELESS = frozenset(("q", "Q", "cm", "rg", "RG", "g", "G", "w", "J", "j", "d", "gs", "Tf", "TL", ""))


class Element:
    """One structure element: its standard type (`P`, `TD`), language, and what is in it: elements, marks on pages, annotations.

    alt: what a figure shows, in words. box: where a figure stands (page, and its rectangle in pt). scope, columns: of a cell of a table.
    """

    __slots__ = ("alt", "box", "columns", "kids", "kind", "lang", "parent", "scope")

    def __init__(
        self,
        kind: str,
        parent: "Element | None" = None,
        *,
        lang: str | None = None,
        alt: str | None = None,
        scope: Scope | None = None,
        columns: int = 1,
    ):
        self.kind, self.parent, self.lang, self.alt = kind, parent, lang, alt
        self.scope, self.columns = scope, columns
        self.box: tuple[int, Box] | None = None
        self.kids: list[Element | Mark | Annotation] | None = None

    def walk(self) -> Iterator["Element"]:
        """The element and all below it, in reading order."""
        yield self
        for kid in self.kids or ():
            if isinstance(kid, Element):
                yield from kid.walk()


@dataclass(frozen=True, slots=True)
class Mark:
    """Marked content: its page (from 0) and its number there."""

    page: int
    number: int


@dataclass(frozen=True, slots=True)
class Annotation:
    """Something to click on: a link, or the field for a digital signature. box: its rectangle on the page, in pt.

    words: what it is, for those who do not see it. appearance: the drawing of a field, as content of a stream.
    """

    page: int
    box: Box
    words: str
    address: str | None = None
    field: str | None = None
    appearance: str = ""


@dataclass(slots=True)
class Structure:
    """The structure of one document, while it is drawn: the root, and for each page the elements of its marks."""

    root: Element
    pages: list[list[Element]] = field(default_factory=list)
    annotations: list[tuple[Element, Annotation]] = field(default_factory=list)

    def join(self, element: Element) -> list[Any]:
        """Put the element into the tree, and all it stands in, if they are not there yet; gives what is in it."""
        if element.kids is None:
            element.kids = []
            if element is not self.root:
                self.join(element.parent or self.root).append(element)
        return element.kids

    def mark(self, element: Element, page: int) -> int:
        """A new mark of the element on the page; gives its number."""
        while len(self.pages) <= page:
            self.pages.append([])
        number = len(self.pages[page])
        self.pages[page].append(element)
        self.join(element).append(Mark(page, number))
        return number

    def annotate(self, element: Element, annotation: Annotation) -> None:
        """An annotation as part of the element."""
        self.join(element).append(annotation)
        self.annotations.append((element, annotation))


class TaggedCanvas(Canvas):  # type: ignore[misc]
    """A canvas on which elements are marked. What is drawn outside of `content` becomes an artifact."""

    def __init__(self, filename: Any, structure: Structure, **options: Any):
        super().__init__(filename, **options)
        self.structure = structure

    @property
    def page_index(self) -> int:
        """The page being drawn, from 0."""
        return int(self._pageNumber) - 1

    @contextmanager
    def content(self) -> Iterator[None]:
        """Where real content is drawn: every operator that leaves a trace has to stand in a mark."""
        self._code.append(_CLOSE)
        yield
        self._code.append(_OPEN)

    def claim(self, element: Element) -> str:
        """The operator that begins a mark of the element; `EMC` ends it."""
        return f"/{element.kind} <</MCID {self.structure.mark(element, self.page_index)}>> BDC"

    @contextmanager
    def figure(self, element: Element, width: float, height: float) -> Iterator[None]:
        """Everything drawn inside is one figure of this size, standing at the origin."""
        element.box = (self.page_index, self.placed((0, 0, width, height)))
        with self.content():
            self._code.append(self.claim(element))
            yield
            self._code.append(_CLOSE)

    @contextmanager
    def pagination(self, subtype: Literal["Header", "Footer", "Watermark"]) -> Iterator[None]:
        """What repeats on every page."""
        self._code.append(_CLOSE)
        self._code.append(f"/Artifact <</Type /Pagination /Subtype /{subtype}>> BDC")
        yield
        self._code.append(_CLOSE)
        self._code.append(_OPEN)

    def placed(self, box: Box) -> Box:
        """A rectangle where it stands on the page."""
        left, bottom = self.absolutePosition(box[0], box[1])
        return left, bottom, left + box[2] - box[0], bottom + box[3] - box[1]

    @contextmanager
    def apart(self) -> Iterator[list[str]]:
        """Draw not on the page but into the list given: the operators of an appearance."""
        page: list[str] = self._code
        self._code: list[str] = []
        yield self._code
        self._code = page

    def close_marks(self) -> None:
        """Once the page is drawn: what is unclaimed becomes artifacts, as few as there are stretches that leave a trace."""
        self._code = list(_without_empty([_OPEN, *self._code, _CLOSE]))


def _without_empty(code: Sequence[str]) -> Iterator[str]:
    """The code without artifacts that show nothing."""
    start: int | None = None
    for place, operator in enumerate(code):
        if operator == _OPEN:
            start = place
        elif start is None:
            yield operator
        elif operator == _CLOSE:
            stretch = code[start + 1 : place]
            yield from (code[start : place + 1] if _leaves_a_trace(stretch) else stretch)
            start = None


def _leaves_a_trace(operators: Iterable[str]) -> bool:
    return any(
        operator.rstrip().rpartition(" ")[2] not in _TRACELESS and not operator.endswith(" TL ET")  # only sets a font
        for operator in operators
    )
