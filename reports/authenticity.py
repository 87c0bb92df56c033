"""Who signed, and how anybody can check that a document is genuine and current (21 CFR 11.50, 11.70)."""

from collections.abc import Iterator, Sequence
from typing import Any

from reportlab.platypus import Flowable, KeepTogether, Table

from domain import gs1
from domain.certificates.content import AnyCertificate, LotShown, ProductShown, SignatureShown
from reports.archival import SIGNATURE_FIELD
from reports.catalogue import Pair
from reports.codes import gs1_datamatrix, qr_code
from reports.design import BODY_SECOND, LABEL, SMALL, SMALL_INK, STRONG, TINY, Design, below, beside
from reports.pages import Heading
from reports.structure import Annotation, Element
from reports.style import INK, REGULAR, RULE, SEMIBOLD, WHITE, Type
from reports.tables import BARE, Command, panel
from reports.text import Block, Run, Text
from reports.wording import site_time, utc_time

QR_SIDE, MATRIX_SIDE = 96.0, 66.0  # pt; 150 dots per inch still tell the modules apart


def signatures(design: Design, signed: Sequence[SignatureShown], zone: str, title: Pair) -> Iterator[Flowable]:
    """Cards side by side, three if there are three, else two.

    Each: name, function, meaning, both times, the digest of what was signed. No tick: the reader judges.
    """
    gap, across = 14.0, 3 if len(signed) == 3 else 2
    card = (design.width - gap * (across - 1)) / across
    widths = [width for _ in range(across) for width in (card, gap)][:-1]
    heading: list[Flowable] = [Heading(design, title)]
    for start in range(0, len(signed), across):
        group = signed[start : start + across]
        columns = [_card(design, each, zone) for each in group]
        rows = [[cell for column in columns for cell in (column[part], "")][: len(widths)] for part in (0, 1)]
        rows = [row + [""] * (len(widths) - len(row)) for row in rows]
        yield KeepTogether([*heading, Table(rows, colWidths=widths, style=_frames(design, len(group)), spaceAfter=8)])
        heading = []


def _frames(design: Design, count: int) -> list[Command]:
    commands: list[Command] = [*BARE, ("BOTTOMPADDING", (0, 1), (-1, 1), 10)]
    for column in range(0, 2 * count, 2):
        head = (column, 0), (column, 0)
        commands += [
            ("BACKGROUND", *head, design.palette.deep)
            if design.palette.filled
            else ("LINEBELOW", *head, 0.6, design.palette.deep),
            ("BOX", (column, 0), (column, 1), 0.8, RULE),
            ("LEFTPADDING", (column, 0), (column, 1), 9),
            ("RIGHTPADDING", (column, 0), (column, 1), 8),
            ("TOPPADDING", *head, 3),
            ("BOTTOMPADDING", *head, 5),
            ("TOPPADDING", (column, 1), (column, 1), 5),
            ("BOTTOMPADDING", (column, 1), (column, 1), 8),
        ]
    return commands


def _card(design: Design, signature: SignatureShown, zone: str) -> tuple[Text, Text]:
    """Head and body; one part of the document, whatever is drawn in between."""
    part = Element("Sect")
    first = Type(SEMIBOLD, 8.8, 11, design.on_deep)
    head = Text(beside(design.of(signature.meaning), first, first.but(font=REGULAR)), within=Element("P", part))
    body = Text(
        Run(signature.name, Type(SEMIBOLD, 11, 13.5, INK), design.language),
        Run(signature.function, BODY_SECOND),
        beside(design.say("signature.signed"), LABEL),
        Run(utc_time(signature.signed_at), STRONG),
        Run(site_time(signature.signed_at, zone), SMALL_INK),
        (*beside(design.say("signature.electronic"), LABEL), Run(" (21 CFR 11.50)", LABEL)),
        Run(f"ID {signature.record_sha256[:16]}…", STRONG),
        (
            *beside(design.say("signature.record"), TINY.but(size=5.6)),
            Run(f" {signature.record_sha256}", TINY.but(size=5.6)),
        ),
        within=part,
    )
    return head, body


def code_address(content: AnyCertificate, product: ProductShown, lot: LotShown) -> str:
    """What the QR code holds: a GS1 Digital Link where the product has a GTIN, else the address of the look-up page.

    Raises Invalid (`gtin-check-digit`, `lot-not-encodable`).
    """
    if not product.gtin:
        return content.look_up_url
    page, _, query = content.look_up_url.partition("?")
    link = gs1.digital_link(page.partition("/c/")[0], product.gtin, lot.number, lot.expires_on)
    return f"{link}&{query}" if query else link


class _Step(Text):
    """What to do, behind its number on a disc; the list says the number to those who do not see it."""

    def __init__(self, design: Design, number: int, listed: Element, blocks: Sequence[Block | Run]):
        body = Element("LBody", Element("LI", listed))
        super().__init__(*blocks, within=body)
        self.design, self.number = design, number

    def wrap(self, width: float, height: float) -> tuple[float, float]:
        """The text beside the disc, with air below."""
        _, tall = super().wrap(width - 20, height)
        return width, tall

    def draw(self) -> None:
        """Disc and number, then the text."""
        canvas: Any = self.canv
        canvas.setFillColor(self.design.palette.deep)
        canvas.circle(7, self.height - 6.4, 6.2, stroke=0, fill=1)
        canvas.setFillColor(WHITE)
        canvas.setFont(SEMIBOLD, 8)
        canvas.drawCentredString(7, self.height - 9.1, str(self.number))
        canvas.translate(20, 0)
        super().draw()


class SignatureField(Flowable):  # type: ignore[misc]
    """The empty field for the maker's digital signature, with the look that it keeps when signed. Whether it is valid, the reader says."""

    def __init__(self, design: Design, width: float):
        super().__init__()
        self.design, self.width = design, width
        words = design.say("field.title"), design.say("field.hint")
        self.text = Text(
            beside(words[0], STRONG.but(color=design.palette.link)),
            *below(words[1], SMALL_INK, SMALL),
            decoration=True,
        )
        self.alternative = f"{words[0][0].text}. {words[1][0].text}"
        self.element = Element("Form")

    def wrap(self, width: float, height: float) -> tuple[float, float]:
        """As tall as its words need."""
        _, tall = self.text.wrap(self.width - 24, height)
        self.height = tall + 13
        return self.width, self.height

    def draw(self) -> None:
        """Its look goes into the field, not on the page."""
        canvas: Any = self.canv
        with canvas.apart() as code:
            canvas.setFillColor(WHITE)
            canvas.setStrokeColor(self.design.palette.link)
            canvas.setLineWidth(0.8)
            canvas.roundRect(0.4, 0.4, self.width - 0.8, self.height - 0.8, 4, stroke=1, fill=1)
            canvas.setFillColor(self.design.palette.link)
            canvas.rect(0.4, 5, 3, self.height - 10, stroke=0, fill=1)
            self.text.drawOn(canvas, 14, 6.5)
        field = Annotation(
            canvas.page_index,
            canvas.placed((0, 0, self.width, self.height)),
            self.alternative,
            field=SIGNATURE_FIELD,
            appearance="\n".join(code),
        )
        canvas.structure.annotate(self.element, field)


def verification(
    design: Design,
    content: AnyCertificate,
    product: ProductShown,
    lot: LotShown,
    digests: Sequence[tuple[Pair, str]],
    attached: Sequence[str],
    *,
    signed: bool,
) -> Iterator[Flowable]:
    """Codes and link to the status of today, what to do with signature and attachments, the digests; the field for the signature.

    digests: label and value. attached: names of the files in the file. signed: whether it has the field.
    """
    address = code_address(content, product, lot)
    alt = design.say("verify.qr_alt", address=address)[0]
    codes: list[Flowable | str] = [qr_code(address, QR_SIDE, alt.text, alt.lang)]
    widths = [QR_SIDE + 20]
    matrix = _matrix(design, product, lot)
    beside_it = 104.0 if matrix else 0.0
    steps = _steps(design, content, attached, signed=signed)
    row: list[Any] = [codes, steps, *([matrix] if matrix else [])]
    widths += [design.width - widths[0] - beside_it, *([beside_it] if matrix else [])]
    commands: list[Command] = [
        *BARE,
        ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
        ("LEFTPADDING", (0, 0), (-1, -1), 10),
        ("RIGHTPADDING", (0, 0), (-1, -1), 8),
        ("TOPPADDING", (0, 0), (-1, -1), 6),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 4),
        ("TOPPADDING", (0, 0), (-1, 0), 10),
        ("BOTTOMPADDING", (0, -1), (-1, -1), 10),
        *panel(design),
    ]
    rows = [row]
    for below_it in ([SignatureField(design, design.width - 20)] if signed else []), [_digests(design, digests)]:
        if below_it:
            commands.append(("SPAN", (0, len(rows)), (-1, len(rows))))
            rows.append([below_it, *[""] * (len(row) - 1)])
    table = Table(rows, colWidths=widths, style=commands)
    yield KeepTogether([Heading(design, design.say("section.verify")), table])


def _steps(design: Design, content: AnyCertificate, attached: Sequence[str], *, signed: bool) -> list[Flowable]:
    listed = Element("L")
    said: list[list[Block | Run]] = [
        [
            *below(design.say("verify.scan"), STRONG),
            Run(content.look_up_url, design.link.but(size=8), design.language, content.look_up_url),
        ]
    ]
    if signed:
        said.append([*below(design.say("verify.signature"), STRONG), *below(design.say("verify.reader"), SMALL_INK)])
    said.append([*below(design.say("verify.data"), STRONG), Run(" · ".join(attached), SMALL_INK)])
    steps = [_Step(design, number, listed, blocks) for number, blocks in enumerate(said, start=1)]
    for step in steps[:-1]:
        step.spaceAfter = 5
    return [*steps]


def _matrix(design: Design, product: ProductShown, lot: LotShown) -> list[Flowable]:
    """The DataMatrix as on the label, with what it holds for people to read."""
    if not product.gtin:
        return []
    held = gs1.element_string(product.gtin, lot.number, lot.expires_on)
    alt = design.say("verify.matrix_alt", held=held)[0]
    lines = [Run("(" + part, SMALL_INK, design.language) for part in held.split("(") if part]
    words = below(design.say("verify.matrix"), TINY, TINY)
    code = gs1_datamatrix(held, MATRIX_SIDE, alt.text, alt.lang)
    text = Text(*lines, *words, space_before=4)
    return [code, text]


def _digests(design: Design, digests: Sequence[tuple[Pair, str]]) -> Flowable:
    listed = Element("L")
    cells: list[Text | str] = []
    for label, value in digests:
        item = Element("LI", listed)
        elements = [Element("Lbl", item), Element("LBody", item)]
        cells.append(Text(beside(label, TINY), Run(value, SMALL_INK.but(size=6.7)), elements=elements))
    cells += [""] * (len(cells) % 2)
    rows = [cells[start : start + 2] for start in range(0, len(cells), 2)]
    half = (design.width - 20) / 2
    return Table(rows, colWidths=[half, half], style=[*BARE, ("BOTTOMPADDING", (0, 0), (-1, -2), 4)])
