"""What a document says of product, lot and origin, of its revision, and of what the law says of the product."""

from collections.abc import Iterator

from reportlab.platypus import Flowable, Table

from domain.certificates.content import CertificateContent, LotShown, ProductShown
from reports.catalogue import Pair
from reports.design import SMALL, SMALL_INK, STRONG, Design, below, beside
from reports.style import INK, MUTED, REGULAR, SEMIBOLD, WHITE, Type
from reports.tables import Command, Fact, facts_grid, notice, panel
from reports.text import Block, Run, Text
from reports.wording import site_date

LARGE = Type(SEMIBOLD, 9.6, 11.8, INK)
PLAIN = Type(REGULAR, 8, 9.8, INK)


def product_name(design: Design, product: ProductShown) -> Text:
    """The product as the title of what follows."""
    lines = below(design.of(product.name), Type(SEMIBOLD, 16, 19, INK), Type(REGULAR, 10, 12.5, MUTED))
    text = Text(*lines, space_after=8)
    head = text.elements[0]
    head.kind = "H2"
    return Text(*lines, elements=[head] * len(lines), space_after=8)


def main_facts(design: Design, product: ProductShown, lot: LotShown, specification: str) -> Table:
    """What identifies the lot, large."""
    facts = {
        "code": design.of(product.code),
        "lot": design.of(lot.number),
        "gtin": design.of(product.gtin or ""),
        "specification": design.of(specification),
        "manufactured": design.of(lot.manufactured_on.isoformat()),
        "expires": design.of(lot.expires_on.isoformat()),
        "size": design.of(lot.quantity),
        "storage": design.of(product.storage),
    }
    commands: list[Command] = [
        ("TOPPADDING", (0, 0), (-1, -1), 5),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 6),
        ("LINEBELOW", (0, 0), (-1, 0), 1.2, WHITE),
        *panel(design),
    ]
    return facts_grid(design, _facts(design, facts), LARGE, 4, commands)


def more_facts(design: Design, content: CertificateContent) -> Table:
    """Form, container, origin, dates."""
    product, lot, origin = content.product, content.lot, content.origin
    released = (
        design.of(site_date(lot.released_at, content.time_zone))
        if lot.released_at is not None
        else design.say("facts.not_released")
    )
    facts = {
        "form": design.of(product.form),
        "route": design.of(product.route),
        "strength": design.of(product.strength or ""),
        "composition": design.of(product.composition),
        "container": design.of(product.container),
        "fill_volume": design.of(product.fill_volume),
        "reconstitution": design.of(product.reconstitution),
        "shelf_life": design.of(lot.shelf_life),
        "tissue": design.of(origin.tissue),
        "eligibility": design.of(origin.donor_eligibility),
        "bank": design.of(", ".join(origin.cell_banks)),
        "passage": design.of(_passage(origin.passage, origin.population_doublings)),
        "tested": design.of(lot.tested_until.isoformat()),
        "released": released,
    }
    commands: list[Command] = [
        ("TOPPADDING", (0, 0), (-1, -1), 3),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
        ("TOPPADDING", (0, 0), (-1, 0), 6),
    ]
    return facts_grid(design, _facts(design, facts), PLAIN, 4, commands)


def _facts(design: Design, values: dict[str, Pair]) -> list[Fact]:
    return [Fact(design.say(f"facts.{key}"), _said(value)) for key, value in values.items()]


def _said(value: Pair) -> Pair:
    return tuple(said for said in value if said.text.strip())


def _passage(passage: str | None, doublings: str | None) -> str:
    said = [passage or "", f"PDL {doublings}" if doublings else ""]
    return " · ".join(filter(None, said))


def regulatory(design: Design, product: ProductShown) -> Table:
    """What the product is before the law; that no document of ours is an authorisation."""
    strong = Type(SEMIBOLD, 8.2, 10.2, INK)
    columns: dict[str, list[Block | Run]] = {}
    label, status = design.say("regulatory.label"), design.say(f"regulatory.{product.regulatory_status}")
    for place, said in enumerate(label):
        named = status[min(place, len(status) - 1)]
        head = Run(f"{said.text}: ", SMALL, said.lang), Run(named.text, strong, named.lang)
        columns[said.lang] = [head]
    for pair, type_ in ((design.of(product.regulatory_notice), SMALL_INK), (design.say("regulatory.none"), SMALL)):
        for place, said in enumerate(pair):
            lang = said.lang if said.lang in columns else label[min(place, len(label) - 1)].lang
            columns[lang].append(Run(said.text, type_, said.lang))
    return notice(design, [Text(*blocks) for blocks in columns.values()], "calm", space_before=5)


def revision(design: Design, content: CertificateContent) -> Iterator[Flowable]:
    """Which document this one replaces, and why."""
    if content.supersedes is None and content.revision_reason is None:
        return
    replaced = design.say("revision.supersedes", revision=content.revision, earlier=content.supersedes or "—")
    blocks: list[Block | Run] = [beside(replaced, STRONG, SMALL)]
    if content.revision_reason is not None:
        reason = design.say("revision.reason", reason=design.of(content.revision_reason))
        blocks.append(beside(reason, SMALL_INK, SMALL))
    yield notice(design, [Text(*blocks)], "calm", space_before=5)


def missing(design: Design, content: CertificateContent) -> Iterator[Flowable]:
    """Of a draft: that it is one, and what stands in the way of its issue."""
    if not content.draft:
        return
    color = design.tone("warn").color
    heading = below(design.say("draft.notice"), STRONG.but(color=color), SMALL.but(color=color))
    said = design.say("draft.missing" if content.missing else "draft.nothing_missing")
    blocks: list[Block | Run] = [*heading, beside(said, SMALL_INK, SMALL)]
    blocks += [Run(f"•  {text}", SMALL_INK) for text in content.missing]
    yield notice(design, [Text(*blocks)], "warn", space_before=5)
