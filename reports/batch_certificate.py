"""The batch certificate as a PDF, drawn from its frozen content: that a batch was made and checked under GMP, and who certifies it.

Items and their order are those of the batch certificate of the mutual recognition agreements (EMA/INS/MRA/387218/2011), then what the WHO
model batch certificate adds. Results of analysis stand on the certificate of analysis that it names: two documents, never merged.
"""

from collections.abc import Iterator, Sequence

from reportlab.platypus import CondPageBreak, Flowable

from domain.certificates.content import BatchCertificateContent, SiteShown
from reports import facts
from reports.archival import Attachment
from reports.authenticity import signatures, verification
from reports.catalogue import Pair
from reports.design import BODY, SMALL, SMALL_INK, STRONG, Design, below, beside, design
from reports.document import document, sheet
from reports.look import Look
from reports.pages import Heading
from reports.style import SEMIBOLD, Type
from reports.tables import Cell, DataTable, notice
from reports.text import Block, Run, Text
from reports.wording import site_date

DATA = "batch-certificate.json"


def render(content: BatchCertificateContent, *, look: Look | None = None) -> bytes:
    """The unsigned PDF/A-3a and PDF/UA-1 of a batch certificate, with an empty field for the maker's signature.

    The same content and look give the same bytes. Invalid: `character-not-printable`, `gtin-check-digit`, `lot-not-encodable`.
    """
    drawing = design(look or Look())
    digest = content.sha256()
    page = sheet(
        drawing,
        content,
        content.manufacturer,
        drawing.say("batch.title"),
        content.lot.number,
        subject=f"{content.product.name.en}, lot {content.lot.number}, revision {content.revision}",
        keywords=f"{content.number}; {content.lot.number}; {content.analysis_certificate}; sha256:{digest}",
    )
    data = Attachment(DATA, content.canonical(), "application/json", "Source", "What this document was drawn from")
    return document(drawing, page, list(_story(drawing, content, digest)), [data])


def _story(drawing: Design, content: BatchCertificateContent, digest: str) -> Iterator[Flowable]:
    yield facts.product_name(drawing, content.product)
    yield _certified(drawing, content)
    yield facts.regulatory(drawing, content.product)
    yield CondPageBreak(130)
    yield Heading(drawing, drawing.say("section.certification"), binds=False)
    yield _items(drawing, content).flowable()
    title = drawing.say("section.signatures")
    yield from signatures(drawing, [content.certifier], content.time_zone, title)
    digests = [
        (drawing.say("verify.content"), digest),
        (drawing.say("verify.analysis", certificate=content.analysis_certificate), content.analysis_sha256),
        (
            drawing.say("verify.revision"),
            f"{content.number}, {drawing.both('sheet.revision', revision=content.revision)}",
        ),
        (drawing.say("verify.supersedes"), content.supersedes or drawing.both("verify.first")),
    ]
    yield from verification(drawing, content, content.product, content.lot, digests, (DATA,), signed=True)


def _certified(drawing: Design, content: BatchCertificateContent) -> Flowable:
    """Lot and register entry, large; the statement stands among the items."""
    color = drawing.tone("good").color
    headline = drawing.say("batch.certified", lot=content.lot.number)
    blocks: list[Block | Run] = [*below(headline, Type(SEMIBOLD, 11.5, 14, color), BODY.but(color=color))]
    rests_on = drawing.say("batch.rests_on", certificate=content.analysis_certificate)
    blocks.append(beside(rests_on, SMALL_INK, SMALL))
    return notice(drawing, [Text(*blocks)], "good", sign="pass")


def _items(drawing: Design, content: BatchCertificateContent) -> DataTable:
    widths = [share * drawing.width for share in (0.06, 0.32, 0.62)]
    named = ("batch.number", "batch.item", "batch.says")
    table = DataTable(drawing, [drawing.say(key) for key in named], widths)
    for number, (key, said) in enumerate(_said(drawing, content).items(), start=1):
        blocks: list[Block | Run] = []
        for pair in said or [drawing.say("batch.none")]:
            blocks += below(pair, SMALL_INK.but(size=8), SMALL)
        item = Cell(below(drawing.say(f"batch.{key}"), STRONG.but(size=8), SMALL))
        table.add((Cell([Run(str(number), SMALL_INK, drawing.language)]), item, Cell(blocks)))
    return table


def _said(drawing: Design, content: BatchCertificateContent) -> dict[str, Sequence[Pair]]:
    """What the certificate says under each item, in the order of the MRA certificate; then what the WHO model adds."""
    product, lot, certifier = content.product, content.lot, content.certifier

    def one(text: str | None) -> Sequence[Pair]:
        return [drawing.of(text)] if text else []

    analysis = drawing.say("batch.analysis", certificate=content.analysis_certificate)
    signed_on = site_date(certifier.signed_at, content.time_zone)
    return {
        "product": [drawing.of(product.name)],
        "country": one(content.importing_country),
        "authorisation": one(content.authorisation),
        "strength": one(product.strength),
        "form": [drawing.of(product.form)],
        "pack": one(content.pack),
        "lot": one(lot.number),
        "manufactured": one(lot.manufactured_on.isoformat()),
        "expires": one(lot.expires_on.isoformat()),
        "sites": [pair for site in content.sites for pair in _site(drawing, site)],
        "licences": [drawing.of(f"{site.name}: {site.licence}") for site in content.sites if site.licence],
        "results": [analysis, drawing.of(content.analysis_sha256)],
        "comments": [drawing.of(content.comments)],
        "statement": [drawing.of(content.statement)],
        "certifier": one(f"{certifier.name}, {certifier.function}"),
        "signature": [drawing.say("batch.signed", record=f"{certifier.record_sha256[:16]}…")],
        "date": one(signed_on),
        "quantity": one(lot.quantity),
        "shelf_life": one(lot.shelf_life),
        "storage": [drawing.of(product.storage)],
        "register": one(str(content.register_entry)),
    }


def _site(drawing: Design, site: SiteShown) -> list[Pair]:
    return [drawing.of(f"{site.name}, {site.address}"), drawing.of(site.activity)]
