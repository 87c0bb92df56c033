"""What all documents have in common: the sheet with the maker's band and foot, and the way from a story to the finished file."""

from collections.abc import Sequence

from reportlab.platypus import Flowable

from domain.certificates.content import AnyCertificate, Manufacturer
from reports.archival import Attachment, archived
from reports.bands import Sheet
from reports.catalogue import Pair
from reports.design import Design, beside
from reports.metadata import Metadata
from reports.pages import compose
from reports.style import REGULAR, Type
from reports.text import Block, Run
from reports.wording import drawable, site_date


def document(design: Design, page: Sheet, story: Sequence[Flowable], attachments: Sequence[Attachment]) -> bytes:
    """The finished, unsigned file of a story."""
    metadata = Metadata(
        title=[said._replace(text=drawable(f"{said.text} {page.mark}")) for said in page.title],
        author=drawable(page.maker.name),
        subject=drawable(page.subject),
        keywords=drawable(page.keywords),
        issued_at=page.issued_at,
        languages=design.look.languages,
    )
    return archived(compose(page, design, story), metadata, attachments)


def sheet(
    design: Design,
    content: AnyCertificate,
    maker: Manufacturer,
    title: Pair,
    lot: str,
    *,
    subject: str,
    keywords: str,
    watermark: str | None = None,
    draft: bool = False,
) -> Sheet:
    """Bands and foot of a certificate; a draft has no number."""
    number = design.say("draft.number") if draft else design.of(content.number)
    revision = design.say("sheet.revision", revision=content.revision)
    issued = design.say("draft.made" if draft else "sheet.issued")
    issued_on = site_date(content.issued_at, content.time_zone)
    facts = [(design.say("sheet.number"), content.number), (revision, ""), (issued, issued_on)]
    if draft:
        facts = [(number, ""), (issued, issued_on)]
    mark = design.both("draft.number") if draft else f"{content.number} · {revision[0].text}"
    licence = f"{design.both('sheet.licence')} {maker.licence}" if maker.licence else ""
    return Sheet(
        maker=maker,
        title=title,
        facts=_line(design, facts),
        running="   ·   ".join(
            (" / ".join(said.text for said in title), number[0].text, f"{design.both('facts.lot')} {lot}")
        ),
        footer=(
            f"{maker.name} · {maker.address}",
            " · ".join(filter(None, (maker.phone, maker.email, licence))),
            " ".join(said.text for said in design.say("sheet.original")),
        ),
        mark=mark,
        subject=subject,
        keywords=keywords,
        issued_at=content.issued_at,
        watermark=watermark,
        demonstration=content.demonstration,
    )


def _line(design: Design, facts: Sequence[tuple[Pair, str]]) -> Block:
    """Labels with their values, parted by points."""
    type_ = Type(REGULAR, 8.6, 11, design.on_deep)
    runs: list[Run] = []
    for label, value in facts:
        if runs:
            runs.append(Run("   ·   ", type_, design.language))
        runs.extend(beside(label, type_))
        if value:
            runs.append(Run(f" {value}", type_, design.language))
    return tuple(runs)
