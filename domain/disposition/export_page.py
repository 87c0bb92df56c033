"""The page in an exported dossier that says what is in it and how to verify it: one file, readable anywhere, in two languages."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from domain.work import Profile

_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:0 auto;padding:1.5rem;color:#16232e;background:#fff}
h1{font-size:1.6rem;margin:0 0 .25rem}h2{font-size:1.15rem;margin:2rem 0 .5rem;border-bottom:1px solid #c8d3da}
.de{color:#3d4f5c}.wide{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:.9rem}
th,td{text-align:left;vertical-align:top;padding:.35rem .6rem .35rem 0;border-bottom:1px solid #e3e9ed}
code{font:.85em ui-monospace,monospace;overflow-wrap:anywhere}pre{background:#eef3f6;padding:.75rem;overflow-x:auto}
"""

_WHAT: tuple[tuple[str, str, str], ...] = (
    (
        "dossier.json",
        "the lot, everything it is made of, steps, readings with corrections, samples, results, deviations, signatures",
        "die Charge, alles, woraus sie gemacht ist, Schritte, Messwerte mit Korrekturen, Proben, Ergebnisse, Abweichungen, Unterschriften",
    ),
    ("files/", "certificates, raw data and evidence, as stored", "Zertifikate, Rohdaten und Belege, wie abgelegt"),
    ("records.json", "every record in the form that was sealed", "jeder Datensatz in der versiegelten Form"),
    (
        "audit.json",
        "every audit entry that touched one of these records, whole",
        "jeder Eintrag des Audit-Trails zu diesen Datensätzen, vollständig",
    ),
    ("SHA256SUMS", "the SHA-256 of every other file", "der SHA-256-Wert jeder anderen Datei"),
    ("verify.py", "checks all of this; needs Python 3 and nothing else", "prüft all dies; braucht nur Python 3"),
)


def index_page(dossier: Mapping[str, Any], sums: Mapping[str, str], profile: Profile) -> str:
    """The page; sums: the SHA-256 of each file in the ZIP but this one and SHA256SUMS."""
    lot = dossier["lot"]["lot"]
    number = escape(lot["lot_number"])
    parts = [
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>Dossier of lot {number}</title><style>{_STYLE}</style></head><body>",
        f'<h1>Dossier of lot {number} <span class="de" lang="de">Dossier der Charge {number}</span></h1>',
        f"<p>{escape(profile.name)}, {escape(profile.address)}. State / <span lang=de>Zustand</span>: ",
        f"<strong>{escape(lot['state'])}</strong>.</p>",
        *_section("What is in it", "Was darin ist", ("File", "Content", "Inhalt"), _WHAT),
        *_how(),
        *_lots(dossier),
        *_results(dossier),
        *_deviations(dossier),
        *_signatures(dossier),
        *_section("Files", "Dateien", ("File", "SHA-256"), sorted(sums.items())),
        "</body></html>\n",
    ]
    return "\n".join(parts)


def _how() -> Iterable[str]:
    yield '<h2>How to verify it <span class="de" lang="de">So wird es geprüft</span></h2>'
    yield "<p>Unpack the ZIP, open a terminal in the folder, and type either line. The first checks sums, audit entries and"
    yield 'records; the second the sums alone. <span class="de" lang="de">ZIP auspacken, im Ordner ein Terminal öffnen und eine der Zeilen'
    yield "eingeben. Die erste prüft Prüfsummen, Audit-Einträge und Datensätze, die zweite nur die Prüfsummen.</span></p>"
    yield "<pre>python3 verify.py\nsha256sum --check SHA256SUMS</pre>"
    yield "<p>That the file as a whole is the one that was handed out, the laboratory can tell: it keeps the SHA-256 of each export."
    yield '<span class="de" lang="de">Ob die ganze Datei die herausgegebene ist, sagt das Labor: es kennt den SHA-256-Wert jedes Exports.</span></p>'


def _section(
    en: str, de: str, heads: Sequence[str], rows: Iterable[Sequence[object]], none: str = "None."
) -> Iterable[str]:
    yield f'<h2>{escape(en)} <span class="de" lang="de">{escape(de)}</span></h2>'
    told = ["".join(f"<td>{_cell(value)}</td>" for value in row) for row in rows]
    if not told:
        yield f"<p>{escape(none)}</p>"
        return
    head = "".join(f'<th scope="col">{escape(one)}</th>' for one in heads)
    yield f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>'
    yield from (f"<tr>{cells}</tr>" for cells in told)
    yield "</tbody></table></div>"


def _cell(value: object) -> str:
    text = escape("–" if value is None or value == "" else str(value))
    return f"<code>{text}</code>" if isinstance(value, str) and len(value) == 64 and " " not in value else text


def _lots(dossier: Mapping[str, Any]) -> Iterable[str]:
    files = [dossier["lot"], *dossier["ancestors"]]
    facts = ("lot_number", "kind", "state", "quantity", "unit", "manufactured_on", "expires_on")
    heads = ("Lot", "Kind", "State", "Quantity", "Unit", "Made on", "Expires on")
    rows = [[one["lot"][name] for name in facts] for one in files]
    return _section("Lots", "Chargen", heads, rows)


def _results(dossier: Mapping[str, Any]) -> Iterable[str]:
    rows = [
        (line["name_en"], line["criterion_en"], "; ".join(one["value_en"] for one in line["results"]), line["verdict"])
        for line in dossier["lot"]["lines"]
    ]
    return _section("Results of the lot", "Ergebnisse der Charge", ("Test", "Criterion", "Result", "Verdict"), rows)


def _deviations(dossier: Mapping[str, Any]) -> Iterable[str]:
    rows = []
    for one in dossier["deviations"]:
        row = one["deviation"]
        standing = "open" if row["open"] else one["conclusion"]
        rows.append((row["number"], row["severity"], ", ".join(row["lot_numbers"]), row["text"], standing))
    heads = ("Number", "Severity", "Lots", "What", "Conclusion")
    return _section("Deviations", "Abweichungen", heads, rows)


def _signatures(dossier: Mapping[str, Any]) -> Iterable[str]:
    rows = [
        (
            one["name"],
            one["function"],
            one["meaning"],
            one["signed_at"],
            "yes" if one["current"] else "no: changed since",
            one["record_sha256"],
        )
        for one in dossier["lot"]["signatures"]
    ]
    heads = ("Name", "Function", "Meaning", "Time (UTC)", "Covers what is here", "SHA-256 of what was signed")
    return _section("Signatures on the lot", "Unterschriften zur Charge", heads, rows)
