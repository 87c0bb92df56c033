"""The certificate of analysis as a PDF, drawn from its frozen content and nothing else.

What it must say: ICH Q7 11.4, WHO TRS 1010 Annex 4, 21 CFR 11.50. The leading language of the look first, the second below or beside it.
"""

from collections.abc import Iterator

from reportlab.platypus import CondPageBreak, Flowable, Table

from domain.certificates.content import CertificateContent
from reports import distributions, facts
from reports.annexes import investigations_table, measured_table, traceability_table
from reports.archival import Attachment
from reports.authenticity import signatures, verification
from reports.catalogue import Pair
from reports.design import BODY, BODY_SECOND, Design, design
from reports.document import document, sheet
from reports.fhir import bundle
from reports.look import Look
from reports.pages import Heading
from reports.results import banner, results_table
from reports.tables import BARE, TALLEST
from reports.text import Run, Text, in_parts

#: Names of the files within the file.
DATA, FHIR = "coa.json", "coa.fhir.json"
_ROOM = 130.0  # pt: less than this is left on a page: a table begins on the next


def render(content: CertificateContent, *, look: Look | None = None, watermark: str | None = None) -> bytes:
    """The unsigned PDF/A-3a and PDF/UA-1 of a certificate; the same content and look give the same bytes.

    It has an empty field for the maker's signature (`archival.SIGNATURE_FIELD`), except as a draft and under a watermark: words over every
    page of a copy that is not the original (`SUPERSEDED`). Invalid: `distribution-malformed`, `character-not-printable`,
    `conclusion-contradicted`, `gtin-check-digit`, `lot-not-encodable`.
    """
    drawing = design(look or Look())
    marked = watermark or (drawing.both("draft.watermark") if content.draft else None)
    digest = content.sha256()
    page = sheet(
        drawing,
        content,
        content.manufacturer,
        drawing.say("certificate.title"),
        content.lot.number,
        subject=f"{content.product.name.en}, lot {content.lot.number}, revision {content.revision}",
        keywords=f"{_number(content)}; {content.lot.number}; {content.specification}; sha256:{digest}",
        watermark=marked,
        draft=content.draft,
    )
    story = list(_story(drawing, content, digest, signed=marked is None))
    return document(drawing, page, story, _attached(content))


def _number(content: CertificateContent) -> str:
    return "draft" if content.draft else content.number


def _attached(content: CertificateContent) -> list[Attachment]:
    return [
        Attachment(DATA, content.canonical(), "application/json", "Source", "What this document was drawn from"),
        Attachment(FHIR, bundle(content), "application/fhir+json", "Alternative", "The same as HL7 FHIR R5"),
    ]


def _story(drawing: Design, content: CertificateContent, digest: str, *, signed: bool) -> Iterator[Flowable]:
    yield facts.product_name(drawing, content.product)
    yield facts.main_facts(drawing, content.product, content.lot, content.specification)
    yield banner(drawing, content)
    yield from facts.missing(drawing, content)
    yield from facts.revision(drawing, content)
    yield facts.regulatory(drawing, content.product)
    yield facts.more_facts(drawing, content)
    yield from _titled(drawing, "results", results_table(drawing, content.tests))
    for shown in content.distributions:
        yield from distributions.section(drawing, shown)
    yield from _investigations(drawing, content)
    yield from _statements(drawing, content)
    yield from signatures(drawing, content.signatures, content.time_zone, drawing.say("section.signatures"))
    yield from _authenticity(drawing, content, digest, signed=signed)
    yield from _titled(drawing, "measured", measured_table(drawing, content))
    yield from _titled(drawing, "traceability", traceability_table(drawing, content.tests, content.distributions))


def _titled(drawing: Design, section: str, table: Table) -> Iterator[Flowable]:
    yield CondPageBreak(_ROOM)
    yield Heading(drawing, drawing.say(f"section.{section}"), binds=False)
    yield table


def _investigations(drawing: Design, content: CertificateContent) -> Iterator[Flowable]:
    """Everything investigated, or that there is nothing; contents of schema 1.0 do not know."""
    if content.investigations:
        yield from _titled(drawing, "investigations", investigations_table(drawing, content.investigations))
    elif content.schema_version != "1.0":
        yield CondPageBreak(50)
        yield Heading(drawing, drawing.say("section.investigations"))
        yield from _side_by_side(drawing, [drawing.say("investigation.none")])


def _statements(drawing: Design, content: CertificateContent) -> Iterator[Flowable]:
    yield CondPageBreak(90)
    yield Heading(drawing, drawing.say("section.statements"), binds=False)
    said = [drawing.of(words) for words in content.statements]
    deviations = drawing.say("statement.deviations", words=drawing.of(content.deviations))
    yield from _side_by_side(drawing, [*said, deviations])


def _side_by_side(drawing: Design, pairs: list[Pair]) -> Iterator[Flowable]:
    """Statements, the second language to the right of the first."""
    columns = max(map(len, pairs))
    half = drawing.width / columns
    cells = [
        [Text(Run(said.text, BODY_SECOND if place else BODY, said.lang)) for place, said in enumerate(pair)]
        for pair in pairs
    ]
    padded = [row + [Text() for _ in range(columns - len(row))] for row in cells]
    rows = [part for row in padded for part in in_parts(row, [half - 14] * columns, TALLEST)]
    commands = [*BARE, ("RIGHTPADDING", (0, 0), (-1, -1), 14), ("BOTTOMPADDING", (0, 0), (-1, -1), 4)]
    yield Table(rows, colWidths=[half] * columns, style=commands)


def _authenticity(drawing: Design, content: CertificateContent, digest: str, *, signed: bool) -> Iterator[Flowable]:
    if content.draft:
        said = drawing.say("draft.not_verifiable")
        yield Heading(drawing, drawing.say("section.verify"))
        yield from _side_by_side(drawing, [said])
        return
    digests = [
        (drawing.say("verify.content"), digest),
        (drawing.say("verify.audit", entry=content.audit_head.sequence), content.audit_head.sha256),
        (
            drawing.say("verify.revision"),
            f"{content.number}, {drawing.both('sheet.revision', revision=content.revision)}",
        ),
        (drawing.say("verify.supersedes"), content.supersedes or drawing.both("verify.first")),
    ]
    yield from verification(drawing, content, content.product, content.lot, digests, (DATA, FHIR), signed=signed)
