"""The words of the public page in both languages."""

from typing import Literal, NamedTuple

from domain.lots.models import LotState

Language = Literal["en", "de"]


class Standing(NamedTuple):
    """What a state means for somebody with a vial in the hand: the state, what to do, and how it looks."""

    state: str
    order: str
    tone: str
    icon: str


STANDINGS: dict[Language, dict[LotState, Standing]] = {
    "en": {
        LotState.RELEASED: Standing("Released", "The certificate is valid.", "good", "check"),
        LotState.ON_HOLD: Standing(
            "On hold", "Do not use. Keep the vials apart until the hold is lifted.", "warn", "pause"
        ),
        LotState.RECALLED: Standing("Recalled", "Do not use. Contact the manufacturer:", "bad", "cross"),
        LotState.EXPIRED: Standing("Expired", "Do not use.", "warn", "clock"),
    },
    "de": {
        LotState.RELEASED: Standing("Freigegeben", "Das Zertifikat ist gültig.", "good", "check"),
        LotState.ON_HOLD: Standing(
            "Gesperrt", "Nicht anwenden. Vials bis zur Aufhebung der Sperre getrennt aufbewahren.", "warn", "pause"
        ),
        LotState.RECALLED: Standing("Zurückgerufen", "Nicht anwenden. Hersteller kontaktieren:", "bad", "cross"),
        LotState.EXPIRED: Standing("Verfallen", "Nicht anwenden.", "warn", "clock"),
    },
}

#: Any other state of a lot that once had a certificate: not released now.
OTHERWISE: dict[Language, Standing] = {
    "en": Standing("Not released", "Do not use.", "warn", "pause"),
    "de": Standing("Nicht freigegeben", "Nicht anwenden.", "warn", "pause"),
}

WORDS: dict[Language, dict[str, str]] = {
    "en": {
        "lot": "Lot",
        "certificate": "Certificate of analysis",
        "as_of": "as of",
        "since": "since",
        "other": "Deutsch",
        "product": "Product",
        "form": "Form",
        "route": "Route",
        "strength": "On the label",
        "composition": "Composition",
        "container": "Container",
        "fill": "Fill volume",
        "reconstitution": "Reconstitute with",
        "storage": "Store at",
        "size": "Lot size",
        "made": "Made on",
        "expires": "Expires on",
        "released": "Released on",
        "origin": "Origin of the cells",
        "banks": "Cell banks",
        "results": "Results",
        "against": "Tested against specification",
        "criterion": "Limit",
        "result": "Result",
        "method": "Method",
        "distribution": "Size of the particles",
        "mode": "Mode",
        "median": "Median (D50)",
        "within": "Within 30–150 nm",
        "document": "The certificate as PDF",
        "open": "Open the PDF",
        "number": "Number",
        "revision": "Revision",
        "issued": "Issued",
        "supersedes": "It replaces {old}, which no longer counts.",
        "verify": "How to check that a PDF is genuine",
        "verify_how": "The SHA-256 of the file must be the one below, letter by letter. The SHA-256 printed on it identifies its content.",
        "verify_link": "Check a PDF",
        "verify_title": "Is this PDF genuine, and does it still count?",
        "verify_lead": "Choose a certificate that you were sent. It is compared with what was issued here, and is not kept.",
        "verify_label": "Certificate (PDF)",
        "verify_button": "Check the file",
        "verify_none": "No file was chosen, or it has more than 20 MB.",
        "genuine_current": "Genuine and current",
        "genuine_current_told": "This is the newest certificate of the lot, byte for byte.",
        "genuine_old": "Genuine, but superseded",
        "genuine_old_told": "It was issued here, but a newer revision counts now.",
        "genuine_barred": "Genuine, but do not use",
        "genuine_barred_told": "It was issued here, but the lot is not released now.",
        "not_ours": "Not ours, or altered",
        "not_ours_told": "No certificate issued here has exactly this content. Do not rely on it, and ask the manufacturer.",
        "state_now": "State of the lot now",
        "to_lot": "Open the page of the lot",
        "paper": "Look again before use: paper does not know of a recall.",
        "maker": "Manufacturer",
        "look": "Look up another lot",
        "look_label": "Lot number, as on the label",
        "look_button": "Look up",
        "missing_title": "No certificate under this number",
        "missing": "No certificate has been issued under this lot number. Check the number on the label, letter by letter.",
        "missing_doubt": "If the number is right, do not use the vial, and ask the manufacturer.",
        "pass": "Meets the limit",
        "reported": "Reported",
        "not_tested": "Not tested",
        "physicochemical": "Appearance, particles, chemistry",
        "identity": "Identity",
        "purity": "Purity",
        "safety": "Safety tests",
        "potency": "Potency",
        "facts": "Product and lot",
        "plot": "Particle size distribution",
    },
    "de": {
        "lot": "Charge",
        "certificate": "Analysenzertifikat",
        "as_of": "Stand",
        "since": "seit",
        "other": "English",
        "product": "Produkt",
        "form": "Form",
        "route": "Anwendung",
        "strength": "Auf dem Etikett",
        "composition": "Zusammensetzung",
        "container": "Behältnis",
        "fill": "Füllvolumen",
        "reconstitution": "Rekonstituieren mit",
        "storage": "Lagern bei",
        "size": "Chargengröße",
        "made": "Hergestellt am",
        "expires": "Verwendbar bis",
        "released": "Freigegeben am",
        "origin": "Herkunft der Zellen",
        "banks": "Zellbanken",
        "results": "Ergebnisse",
        "against": "Geprüft nach Spezifikation",
        "criterion": "Grenze",
        "result": "Ergebnis",
        "method": "Methode",
        "distribution": "Größe der Partikel",
        "mode": "Modalwert",
        "median": "Median (D50)",
        "within": "Innerhalb 30–150 nm",
        "document": "Das Zertifikat als PDF",
        "open": "PDF öffnen",
        "number": "Nummer",
        "revision": "Revision",
        "issued": "Ausgestellt",
        "supersedes": "Es ersetzt {old}, das nicht mehr gilt.",
        "verify": "So prüfen Sie, ob ein PDF echt ist",
        "verify_how": "Der SHA-256 der Datei muss Zeichen für Zeichen der untenstehende sein. Der aufgedruckte SHA-256 bezeichnet ihren Inhalt.",
        "verify_link": "Ein PDF prüfen",
        "verify_title": "Ist dieses PDF echt, und gilt es noch?",
        "verify_lead": "Wählen Sie ein Zertifikat, das Sie erhalten haben. Es wird mit dem hier Ausgestellten verglichen und nicht aufbewahrt.",
        "verify_label": "Zertifikat (PDF)",
        "verify_button": "Datei prüfen",
        "verify_none": "Es wurde keine Datei gewählt, oder sie hat mehr als 20 MB.",
        "genuine_current": "Echt und gültig",
        "genuine_current_told": "Dies ist Byte für Byte das neueste Zertifikat der Charge.",
        "genuine_old": "Echt, aber ersetzt",
        "genuine_old_told": "Es wurde hier ausgestellt, doch gilt jetzt eine neuere Revision.",
        "genuine_barred": "Echt, aber nicht anwenden",
        "genuine_barred_told": "Es wurde hier ausgestellt, doch ist die Charge jetzt nicht freigegeben.",
        "not_ours": "Nicht von uns oder verändert",
        "not_ours_told": "Kein hier ausgestelltes Zertifikat hat genau diesen Inhalt. Verlassen Sie sich nicht darauf und fragen Sie den Hersteller.",
        "state_now": "Stand der Charge jetzt",
        "to_lot": "Seite der Charge öffnen",
        "paper": "Vor der Anwendung erneut nachschlagen: Papier weiß von keinem Rückruf.",
        "maker": "Hersteller",
        "look": "Andere Charge nachschlagen",
        "look_label": "Chargennummer, wie auf dem Etikett",
        "look_button": "Nachschlagen",
        "missing_title": "Kein Zertifikat unter dieser Nummer",
        "missing": "Unter dieser Chargennummer wurde kein Zertifikat ausgestellt. Prüfen Sie die Nummer auf dem Etikett Zeichen für Zeichen.",
        "missing_doubt": "Ist die Nummer richtig, verwenden Sie das Vial nicht und fragen Sie den Hersteller.",
        "pass": "Hält die Grenze ein",
        "reported": "Berichtet",
        "not_tested": "Nicht geprüft",
        "physicochemical": "Aussehen, Partikel, Chemie",
        "identity": "Identität",
        "purity": "Reinheit",
        "safety": "Sicherheitsprüfungen",
        "potency": "Wirkstärke",
        "facts": "Produkt und Charge",
        "plot": "Größenverteilung der Partikel",
    },
}


def language_of(asked: str | None, accepted: str) -> Language:
    """The language asked for, else the better liked of the two that the browser names, else English."""
    if asked in ("en", "de"):
        return "de" if asked == "de" else "en"
    liked: dict[str, float] = {}
    for part in accepted.lower().split(","):
        tag, _, weight = part.strip().partition(";q=")
        try:
            liked.setdefault(tag[:2], float(weight or 1))
        except ValueError:
            continue
    return "de" if liked.get("de", 0) > liked.get("en", 0) else "en"
