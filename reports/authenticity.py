"""Who signed a certificate, and how anybody can check that it is genuine and current (21 CFR 11.50, 11.70)."""

from collections.abc import Iterator

from reportlab.platypus import Flowable, KeepTogether, Table

from domain.certificates.content import CertificateContent, SignatureShown
from reports import style
from reports.codes import QrCode
from reports.pages import Heading
from reports.results import BARE, ROUND
from reports.style import REGULAR, SEMIBOLD, WIDTH, Type
from reports.text import Block, Run, Text
from reports.wording import site_time, utc_time


def signatures(content: CertificateContent) -> Iterator[Flowable]:
    """Cards side by side, three if there are three, else two.

    Each: name, function, meaning, both times, the digest of what was signed. No tick: the reader judges.
    """
    gap, across = 14.0, 3 if len(content.signatures) == 3 else 2
    card = (WIDTH - gap * (across - 1)) / across
    widths = [width for _ in range(across) for width in (card, gap)][:-1]
    heading: list[Flowable] = [Heading("Electronic signatures", "Elektronische Unterschriften")]
    for start in range(0, len(content.signatures), across):
        group = content.signatures[start : start + across]
        columns = [(_signature_head(each), _signature_body(each, content.time_zone)) for each in group]
        rows = [[cell for column in columns for cell in (column[part], "")][: len(widths)] for part in (0, 1)]
        rows = [row + [""] * (len(widths) - len(row)) for row in rows]
        commands = [*BARE, ("BOTTOMPADDING", (0, 1), (-1, 1), 10)]
        for column in range(0, 2 * len(group), 2):
            commands += [
                ("BACKGROUND", (column, 0), (column, 0), style.PETROL),
                ("BOX", (column, 0), (column, 1), 0.8, style.RULE),
                ("LEFTPADDING", (column, 0), (column, 1), 9),
                ("RIGHTPADDING", (column, 0), (column, 1), 8),
                ("TOPPADDING", (column, 0), (column, 0), 3),
                ("BOTTOMPADDING", (column, 0), (column, 0), 5),
                ("TOPPADDING", (column, 1), (column, 1), 5),
                ("BOTTOMPADDING", (column, 1), (column, 1), 8),
            ]
        cards = Table(rows, colWidths=widths, style=commands, spaceAfter=8)
        yield KeepTogether([*heading, cards])
        heading = []


def _signature_head(signature: SignatureShown) -> Text:
    white = Type(SEMIBOLD, 8.8, 11, style.WHITE)
    return Text((Run(signature.meaning.en, white), Run(f" / {signature.meaning.de}", white.but(font=REGULAR), "de")))


def _signature_body(signature: SignatureShown, zone: str) -> Text:
    small = style.SMALL.but(color=style.INK)
    return Text(
        Run(signature.name, Type(SEMIBOLD, 11, 13.5, style.INK)),
        Run(signature.function, style.BODY_DE),
        Run("Signed / Unterzeichnet", style.LABEL),
        Run(utc_time(signature.signed_at), style.STRONG),
        Run(site_time(signature.signed_at, zone), small),
        Run("Electronic signature / Elektronische Signatur (21 CFR 11.50)", style.LABEL),
        Run(f"ID {signature.record_sha256[:16]}…", style.STRONG),
        Run(f"Record SHA-256 {signature.record_sha256}", style.TINY.but(size=5.6)),
    )


def verification(content: CertificateContent, sha256: str) -> Table:
    """Code and link to the status of today, digest of the content, head of the audit trail, what it supersedes."""
    side = 104.0
    link = style.STRONG.but(color=style.TEAL_TEXT)
    label, digest = style.LABEL, style.SMALL.but(color=style.INK)
    supersedes = content.supersedes or "— (first issue / Erstausgabe)"
    blocks: list[Block | Run] = [
        Run("Scan the code or open the link: it shows the status of this lot today.", style.STRONG),
        Run("Code scannen oder Link öffnen: zeigt den heutigen Status dieser Charge.", style.SMALL, "de"),
        Run(content.look_up_url, link, "en", content.look_up_url),
        Run("Content SHA-256 / Prüfsumme des Inhalts", label),
        Run(sha256, digest),
        Run(
            f"Head of the audit trail / Kopf der Audit-Kette, SHA-256: entry / Eintrag {content.audit_head.sequence}",
            label,
        ),
        Run(content.audit_head.sha256, digest),
        Run("Revision · supersedes / ersetzt", label),
        Run(f"{content.number}, revision {content.revision} · {supersedes}", digest),
    ]
    commands = [
        *BARE,
        ("BACKGROUND", (0, 0), (-1, -1), style.FOAM),
        ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
        ("LEFTPADDING", (0, 0), (-1, -1), 10),
        ("RIGHTPADDING", (0, 0), (-1, -1), 10),
        ("TOPPADDING", (0, 0), (-1, -1), 9),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 10),
        ROUND,
    ]
    return Table(
        [[QrCode(content.look_up_url, side), Text(*blocks)]], colWidths=[side + 20, WIDTH - side - 20], style=commands
    )
