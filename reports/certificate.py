"""The certificate of analysis as a PDF, drawn from its frozen content and nothing else.

What it must say: ICH Q7 11.4, WHO TRS 1010 Annex 4, 21 CFR 11.50. English leads, German stands below or beside.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from reportlab.platypus import CondPageBreak, Flowable, KeepTogether, Table

from domain.certificates.content import CertificateContent, DistributionShown, Words
from reports import style
from reports.authenticity import signatures, verification
from reports.pages import Heading, Sheet, compose
from reports.plots import DistributionPlot
from reports.results import BARE, ROUND, TALLEST, banner, barred, both, results_table, traceability_table
from reports.style import REGULAR, SEMIBOLD, WIDTH, Type
from reports.text import Block, Run, Text, in_parts
from reports.wording import for_people, site_date

_STATUS = {
    "research_use": Words(en="For research use only", de="Nur für Forschungszwecke"),
    "investigational": Words(en="Investigational product", de="Prüfpräparat"),
    "named_patient": Words(en="Named-patient supply", de="Abgabe für namentlich benannte Patienten"),
    "licensed": Words(en="Licensed product, as stated here", de="Zugelassenes Produkt, wie hier angegeben"),
}
_NO_AUTHORISATION = Words(
    en="This certificate reports results of tests. It is no marketing authorisation and does not stand for one.",
    de="Dieses Zertifikat berichtet Prüfergebnisse. Es ist keine Zulassung und ersetzt keine.",
)
_ORIGINAL = "The PDF file is the original; prints are copies. Die PDF-Datei ist das Original; Ausdrucke sind Kopien."


def render(content: CertificateContent, *, watermark: str | None = None) -> bytes:
    """The PDF of a certificate; the same content gives the same bytes.

    watermark: a word drawn over every page (`SUPERSEDED`), or None. Invalid: `distribution-malformed`,
    `character-not-printable`.
    """
    digest = content.sha256()
    return compose(_sheet(content, digest, watermark), list(_story(content, digest)))


def _sheet(content: CertificateContent, digest: str, watermark: str | None) -> Sheet:
    maker, issued = content.manufacturer, site_date(content.issued_at, content.time_zone)
    revision = f"Revision {content.revision}"
    licence = f"Licence / Erlaubnis {maker.licence}" if maker.licence else None
    return Sheet(
        number=content.number,
        maker=maker.name,
        tagline=maker.tagline,
        title="Certificate of Analysis",
        title_de="Analysenzertifikat",
        facts=f"No. / Nr. {content.number}   ·   {revision}   ·   Issued / Ausgestellt {issued}",
        running=f"Certificate of Analysis / Analysenzertifikat   ·   {content.number}   ·   Lot {content.lot.number}",
        footer=(
            f"{maker.name} · {maker.address}",
            " · ".join(filter(None, (maker.phone, maker.email, licence))),
            _ORIGINAL,
        ),
        mark=f"{content.number} · {revision}",
        subject=f"{content.product.name.en}, lot {content.lot.number}, revision {content.revision}",
        keywords=f"{content.number}; {content.lot.number}; {content.specification}; sha256:{digest}",
        issued_at=content.issued_at,
        watermark=watermark,
    )


def _story(content: CertificateContent, digest: str) -> Iterator[Flowable]:
    product = content.product
    yield Text(Run(product.name.en, style.H1), Run(product.name.de, style.H1_DE, "de"), space_after=8)
    yield _main_facts(content)
    yield _more_facts(content)
    yield _regulatory(content)
    yield banner(content.tests)
    yield CondPageBreak(130)
    yield Heading("Test results", "Prüfergebnisse", binds=False)
    yield results_table(content.tests)
    for shown in content.distributions:
        yield from _distribution(shown)
    yield from _statements(content)
    yield from signatures(content)
    yield KeepTogether([Heading("Verify this certificate", "Echtheit prüfen"), verification(content, digest)])
    yield CondPageBreak(130)
    yield Heading("Annex: traceability of results", "Anhang: Rückverfolgbarkeit der Ergebnisse", binds=False)
    yield traceability_table(content.tests, content.distributions)


def _fact(en: str, de: str, value: Words | str | None, type_: Type) -> Text:
    words = Words(en=value or "—", de=value or "—") if not isinstance(value, Words) else value
    label: Block = (Run(en, style.TINY), Run(f" / {de}" if de != en else "", style.TINY, "de"))
    return Text(label, *both(words, type_, style.TINY))


def _grid(cells: Sequence[Text], columns: int, commands: Sequence[tuple[Any, ...]]) -> Table:
    padded = [*cells, *[Text() for _ in range(-len(cells) % columns)]]
    widths = [WIDTH / columns - 14] * columns  # 14 pt: the paddings of a fact
    starts = range(0, len(padded), columns)
    rows = [row for start in starts for row in in_parts(padded[start : start + columns], widths, TALLEST)]
    return Table(rows, colWidths=[WIDTH / columns] * columns, style=[*BARE, *commands], spaceAfter=0)


def _main_facts(content: CertificateContent) -> Table:
    product, lot = content.product, content.lot
    large = Type(SEMIBOLD, 9.6, 11.8, style.INK)
    cells = [
        _fact("Product code", "Artikelnummer", product.code, large),
        _fact("Lot / Batch", "Charge", lot.number, large),
        _fact("GTIN", "GTIN", product.gtin, large),
        _fact("Specification", "Spezifikation", content.specification, large),
        _fact("Manufactured", "Hergestellt", lot.manufactured_on.isoformat(), large),
        _fact("Expires", "Verwendbar bis", lot.expires_on.isoformat(), large),
        _fact("Lot size", "Chargengröße", lot.quantity, large),
        _fact("Storage", "Lagerung", product.storage, large),
    ]
    commands = [
        ("BACKGROUND", (0, 0), (-1, -1), style.FOAM),
        ("LEFTPADDING", (0, 0), (-1, -1), 10),
        ("RIGHTPADDING", (0, 0), (-1, -1), 4),
        ("TOPPADDING", (0, 0), (-1, -1), 5),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 6),
        ("LINEBELOW", (0, 0), (-1, 0), 1.2, style.WHITE),
        ROUND,
    ]
    return _grid(cells, 4, commands)


def _more_facts(content: CertificateContent) -> Table:
    product, lot, origin = content.product, content.lot, content.origin
    plain = Type(REGULAR, 8, 9.8, style.INK)
    zone = content.time_zone
    facts: list[tuple[str, str, Words | str | None]] = [
        ("Form", "Darreichungsform", product.form),
        ("Route", "Anwendung", product.route),
        ("Strength", "Stärke", product.strength),
        ("Composition", "Zusammensetzung", product.composition),
        ("Container", "Behältnis", product.container),
        ("Fill volume", "Füllvolumen", product.fill_volume),
        ("Reconstitution", "Rekonstitution", product.reconstitution),
        ("Shelf life", "Haltbarkeit", lot.shelf_life),
        ("Tissue of origin", "Herkunftsgewebe", origin.tissue),
        ("Donor eligibility", "Spendereignung", origin.donor_eligibility),
        ("Cell bank", "Zellbank", ", ".join(origin.cell_banks) or None),
        ("Passage · population doublings", "Verdopplungen", _passage(origin.passage, origin.population_doublings)),
        ("Tests completed", "Prüfung beendet", lot.tested_until.isoformat()),
        ("Released", "Freigegeben", site_date(lot.released_at, zone)),
    ]
    commands = [
        ("LEFTPADDING", (0, 0), (-1, -1), 10),
        ("RIGHTPADDING", (0, 0), (-1, -1), 4),
        ("TOPPADDING", (0, 0), (-1, -1), 3),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
        ("TOPPADDING", (0, 0), (-1, 0), 6),
    ]
    return _grid([_fact(en, de, value, plain) for en, de, value in facts], 4, commands)


def _passage(passage: str | None, doublings: str | None) -> str | None:
    said = [passage or "", f"PDL {doublings}" if doublings else ""]
    return " · ".join(filter(None, said)) or None


def _regulatory(content: CertificateContent) -> Table:
    status, notice = _STATUS[content.product.regulatory_status], content.product.regulatory_notice
    strong = Type(SEMIBOLD, 8.2, 10.2, style.INK)
    cells = [
        Text(
            (Run("Regulatory status: ", style.SMALL), Run(status.en, strong)),
            Run(notice.en, style.SMALL.but(color=style.INK)),
            Run(_NO_AUTHORISATION.en, style.SMALL),
        ),
        Text(
            (Run("Regulatorischer Status: ", style.SMALL, "de"), Run(status.de, strong, "de")),
            Run(notice.de, style.SMALL.but(color=style.INK), "de"),
            Run(_NO_AUTHORISATION.de, style.SMALL, "de"),
        ),
    ]
    return barred(cells, style.SLATE, style.SLATE_GROUND, space_before=5)


def _distribution(shown: DistributionShown) -> Iterator[Flowable]:
    plot_width, gap = 372.0, 12.0
    summary = _summary(shown, WIDTH - plot_width - gap)
    _, tall = summary.wrap(WIDTH - plot_width - gap, 2000)
    plot = DistributionPlot(shown, plot_width, min(max(tall, 210.0), 300.0))
    side_by_side = Table([[plot, "", summary]], colWidths=[plot_width, gap, WIDTH - plot_width - gap], style=BARE)
    titled = Heading(f"Particle size distribution, {shown.method}", "Partikelgrößenverteilung")
    yield KeepTogether([titled, side_by_side, _convention(shown)])


def _summary(shown: DistributionShown, width: float) -> Table:
    figures = [
        ("Mean / Mittelwert", f"{shown.mean} nm"),
        ("Mode / Modalwert", f"{shown.mode} nm"),
        ("SD / Std.-Abw.", f"{shown.sd} nm"),
        ("D10", f"{shown.d10} nm"),
        ("D50 (median)", f"{shown.d50} nm"),
        ("D90", f"{shown.d90} nm"),
        ("Span (D90−D10)/D50", shown.span),
        ("30–150 nm", f"{shown.percent_30_150} %"),
    ]
    rows: list[list[Text]] = [
        [Text((Run("Summary ", style.STRONG.but(color=style.PETROL)), Run("Kennwerte", style.SMALL, "de")))]
    ]
    rows[0].append(Text(Run("", style.SMALL)))
    strong = style.STRONG.but(size=8)
    rows += [
        [Text(Run(name, style.SMALL.but(color=style.INK))), Text(Run(value, strong), align="right")]
        for name, value in figures
    ]
    concentration = Text(Run("Concentration / Konzentration", style.TINY), Run(for_people(shown.concentration), strong))
    rows.append([concentration, Text(Run("", style.SMALL))])
    last = len(rows) - 1
    commands = [
        *BARE,
        ("BACKGROUND", (0, 0), (-1, -1), style.FOAM),
        ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
        ("LEFTPADDING", (0, 0), (0, -1), 8),
        ("RIGHTPADDING", (1, 0), (1, -1), 8),
        ("TOPPADDING", (0, 0), (-1, -1), 3.5),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 4.5),
        ("LINEBELOW", (0, 1), (-1, last - 1), 0.5, style.RULE),
        ("SPAN", (0, last), (1, last)),
        ROUND,
    ]
    return Table(rows, colWidths=[width * 0.62, width * 0.38], style=commands)


def _convention(shown: DistributionShown) -> Table:
    """How to read the figures: English left, German right; settings and flags as the instrument names them below."""
    settings = " · ".join(f"{name} {for_people(value)}" for name, value in shown.settings)
    small = style.SMALL.but(color=style.INK)
    english: list[Block | Run] = [Run(shown.convention.en, small), Run(shown.lower_limit.en, small)]
    german: list[Block | Run] = [
        Run(shown.convention.de, style.SMALL, "de"),
        Run(shown.lower_limit.de, style.SMALL, "de"),
    ]
    rows: list[list[Text | str]] = [[Text(*english), Text(*german)]]
    below: list[Block | Run] = []
    if settings:
        below.append((Run("Settings / Einstellungen: ", style.SMALL.but(font=SEMIBOLD)), Run(settings, style.SMALL)))
    if shown.flags:
        amber = style.SMALL.but(color=style.AMBER)
        below.append((Run("Flags / Hinweise: ", amber.but(font=SEMIBOLD)), Run("; ".join(shown.flags), amber)))
    commands: list[tuple[Any, ...]] = [
        *BARE,
        ("TOPPADDING", (0, 0), (-1, -1), 4),
        ("RIGHTPADDING", (0, 0), (0, 0), 12),
    ]
    if below:
        rows.append([Text(*below), ""])
        commands.append(("SPAN", (0, 1), (1, 1)))
    return Table(rows, colWidths=[WIDTH / 2, WIDTH / 2], style=commands)


def _statements(content: CertificateContent) -> Iterator[Flowable]:
    strong, strong_de = style.BODY.but(font=SEMIBOLD), style.BODY_DE.but(font=SEMIBOLD)
    said, deviations = content.statements, content.deviations
    pairs = [(Text(Run(words.en, style.BODY)), Text(Run(words.de, style.BODY_DE, "de"))) for words in said]
    pairs.append(
        (
            Text((Run("Deviations: ", strong), Run(deviations.en, style.BODY))),
            Text((Run("Abweichungen: ", strong_de, "de"), Run(deviations.de, style.BODY_DE, "de"))),
        )
    )
    half = WIDTH / 2 - 7
    rows = [row for pair in pairs for row in in_parts(pair, (half, half), TALLEST)]
    commands = [*BARE, ("RIGHTPADDING", (0, 0), (0, -1), 14), ("BOTTOMPADDING", (0, 0), (-1, -1), 4)]
    yield CondPageBreak(90)
    yield Heading("Statement", "Erklärung", binds=False)
    yield Table(rows, colWidths=[WIDTH / 2 + 7, WIDTH / 2 - 7], style=commands)
