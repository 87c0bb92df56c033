"""The fixed words of a certificate, EN and DE. No claim of approval or effect can be typed freely: there is only this list."""

from collections.abc import Sequence
from datetime import date
from enum import StrEnum

from domain.certificates.content import Words
from domain.lots.models import RegulatoryStatus, Route
from domain.manufacturing.models import Tissue

TISSUES: dict[Tissue, Words] = {
    Tissue.ADIPOSE: Words(en="Adipose tissue", de="Fettgewebe"),
    Tissue.BONE_MARROW: Words(en="Bone marrow", de="Knochenmark"),
    Tissue.UMBILICAL_CORD: Words(en="Umbilical cord (Wharton's jelly)", de="Nabelschnur (Wharton-Sulze)"),
    Tissue.CORD_BLOOD: Words(en="Cord blood", de="Nabelschnurblut"),
    Tissue.PLACENTA_AMNION: Words(en="Placenta / amnion", de="Plazenta / Amnion"),
    Tissue.DENTAL: Words(en="Dental pulp", de="Zahnpulpa"),
    Tissue.IPSC_MSC: Words(en="MSC from induced pluripotent cells", de="MSC aus induzierten pluripotenten Zellen"),
    Tissue.OTHER: Words(en="Other tissue", de="Anderes Gewebe"),
}

ROUTES: dict[Route, Words] = {
    Route.INTRAVENOUS: Words(en="Intravenous", de="Intravenös"),
    Route.INTRADERMAL: Words(en="Intradermal", de="Intradermal"),
    Route.INTRAARTICULAR: Words(en="Intra-articular", de="Intraartikulär"),
    Route.TOPICAL: Words(en="Topical", de="Topisch"),
    Route.INHALATION: Words(en="Inhalation", de="Inhalation"),
    Route.NOT_FOR_HUMANS: Words(en="Not for use in humans", de="Nicht zur Anwendung am Menschen"),
}

_NOT_AN_APPROVAL = Words(
    en="This certificate is not a marketing authorisation and makes no statement on safety or efficacy.",
    de="Dieses Zertifikat ist keine Zulassung und trifft keine Aussage zu Sicherheit oder Wirksamkeit.",
)


def _notice(en: str, de: str) -> Words:
    return Words(en=f"{en} {_NOT_AN_APPROVAL.en}", de=f"{de} {_NOT_AN_APPROVAL.de}")


NOTICES: dict[RegulatoryStatus, Words] = {
    RegulatoryStatus.RESEARCH_USE: _notice(
        "For research use only. Not an authorised medicinal product.",
        "Nur für Forschungszwecke. Kein zugelassenes Arzneimittel.",
    ),
    RegulatoryStatus.INVESTIGATIONAL: _notice(
        "Investigational product, for use within an authorised clinical trial only.",
        "Prüfpräparat, nur zur Anwendung in einer genehmigten klinischen Prüfung.",
    ),
    RegulatoryStatus.NAMED_PATIENT: _notice(
        "For a named patient, under the responsibility of the treating physician.",
        "Für eine namentlich genannte Person, in Verantwortung der behandelnden Ärztin oder des behandelnden Arztes.",
    ),
    RegulatoryStatus.LICENSED: _notice(
        "See the licence of the product for its conditions.", "Bedingungen: siehe Genehmigung des Produkts."
    ),
}

ELIGIBLE = Words(en="Complied", de="Erfüllt")
DEVIATIONS = Words(
    en="Deviations of the lot and of what it is made of, results out of specification, retests, corrections and holds are named under"
    " Investigations, by the number of their record.",
    de="Abweichungen der Charge und dessen, woraus sie gemacht ist, Ergebnisse außerhalb der Spezifikation, Wiederholungsprüfungen, Berichtigungen"
    " und Sperren sind unter Untersuchungen mit der Nummer ihres Berichts genannt.",
)
LOWER_LIMIT_UNKNOWN = Words(
    en="The lower size limit of the method is not stated; particles below it are not counted.",
    de="Die untere Größengrenze der Methode ist nicht angegeben; kleinere Partikel werden nicht gezählt.",
)

STATEMENTS: tuple[Words, ...] = (
    Words(
        en="The lot was sampled and tested against the specification named. A second person reviewed each result against its raw data"
        " before release.",
        de="Die Charge wurde nach der genannten Spezifikation beprobt und geprüft. Eine zweite Person hat jedes Ergebnis vor der Freigabe"
        " anhand der Rohdaten begutachtet.",
    ),
    Words(
        en="Numbers of particles depend on the method: compare lots only where principle and method agree.",
        de="Partikelzahlen hängen von der Methode ab: Chargen nur bei gleichem Prinzip und gleicher Methode vergleichen.",
    ),
)

MAKES_AND_TESTS = Words(
    en="Manufacture, packaging, quality control, certification",
    de="Herstellung, Verpackung, Qualitätskontrolle, Zertifizierung",
)
BATCH_COMMENT = Words(
    en="None beyond what the certificate of analysis states.", de="Keine über das Analysenzertifikat hinaus."
)
BATCH_STATEMENT = Words(
    en="I certify that this batch was manufactured, packaged and tested at the sites named above; that its records of processing, packaging and"
    " analysis were reviewed and found to be in accordance with good manufacturing practice; and that it complies with the specification named"
    " in the certificate of analysis. This is no statement that the product is approved.",
    de="Ich bescheinige, dass diese Charge an den genannten Standorten hergestellt, verpackt und geprüft wurde, dass ihre Herstellungs-,"
    " Verpackungs- und Prüfprotokolle begutachtet und im Einklang mit der Guten Herstellungspraxis befunden wurden und dass sie der im"
    " Analysenzertifikat genannten Spezifikation entspricht. Das ist keine Aussage über eine Zulassung des Produkts.",
)


def awaiting(tests: Sequence[Words], due_on: date) -> Words:
    """What a certificate says of a lot that was released before these results were final."""
    en, de = ", ".join(one.en for one in tests), ", ".join(one.de for one in tests)
    return Words(
        en=f"Conditional release: the lot was released before the result of the following was final: {en}. The result is awaited until {due_on}."
        " Without it the lot must not be used after that day; if it does not comply, the lot is put on hold at once. The state of today is told"
        " by the look-up.",
        de=f"Freigabe unter Auflage: Die Charge wurde freigegeben, bevor das Ergebnis folgender Prüfung endgültig war: {de}. Es wird bis {due_on}"
        " erwartet. Liegt es dann nicht vor, darf die Charge danach nicht verwendet werden; entspricht es nicht, wird sie sofort gesperrt. Den"
        " heutigen Stand nennt die Online-Abfrage.",
    )


AWAITED = Words(en="Awaited", de="Ausstehend")
#: Instead of the first of `STATEMENTS`, where a lot was released before all its results were final.
TESTED_BUT_FOR = Words(
    en="The lot was sampled and tested against the specification named, save for the results that are awaited. A second person reviewed each result"
    " shown against its raw data before release.",
    de="Die Charge wurde nach der genannten Spezifikation beprobt und geprüft, ausgenommen die ausstehenden Ergebnisse. Eine zweite Person hat"
    " jedes gezeigte Ergebnis vor der Freigabe anhand der Rohdaten begutachtet.",
)


def awaited_before(tests: Sequence[Words]) -> Words:
    """Instead of the first of `STATEMENTS`, once what a release awaited is there."""
    en, de = ", ".join(one.en for one in tests), ", ".join(one.de for one in tests)
    return Words(
        en=f"The lot was sampled and tested against the specification named. It was released before the result of the following was final: {en}."
        " A second person reviewed each result against its raw data, all others before release.",
        de=f"Die Charge wurde nach der genannten Spezifikation beprobt und geprüft. Sie wurde freigegeben, bevor das Ergebnis folgender Prüfung"
        f" endgültig war: {de}. Eine zweite Person hat jedes Ergebnis anhand der Rohdaten begutachtet, alle übrigen vor der Freigabe.",
    )


class RevisionCause(StrEnum):
    """Why a certificate is revised; what a person adds stays in the laboratory's records."""

    RESULT_CORRECTED = "result_corrected"
    RESULT_ADDED = "result_added"
    LOT_DATA_CORRECTED = "lot_data_corrected"
    PRODUCT_DATA_CORRECTED = "product_data_corrected"
    SITE_DATA_CHANGED = "site_data_changed"
    WORDING_CORRECTED = "wording_corrected"
    AFTER_WITHDRAWAL = "after_withdrawal"
    CONDITION_MET = "condition_met"
    EXPIRY_EXTENDED = "expiry_extended"


REVISION_CAUSES: dict[RevisionCause, Words] = {
    RevisionCause.RESULT_CORRECTED: Words(en="A result was corrected", de="Ein Ergebnis wurde berichtigt"),
    RevisionCause.RESULT_ADDED: Words(en="A result was added", de="Ein Ergebnis wurde ergänzt"),
    RevisionCause.LOT_DATA_CORRECTED: Words(
        en="Data of the lot were corrected", de="Angaben zur Charge wurden berichtigt"
    ),
    RevisionCause.PRODUCT_DATA_CORRECTED: Words(
        en="Data of the product were corrected", de="Angaben zum Produkt wurden berichtigt"
    ),
    RevisionCause.SITE_DATA_CHANGED: Words(
        en="Data of the manufacturer changed", de="Angaben zum Hersteller haben sich geändert"
    ),
    RevisionCause.WORDING_CORRECTED: Words(en="The wording was corrected", de="Der Wortlaut wurde berichtigt"),
    RevisionCause.AFTER_WITHDRAWAL: Words(
        en="Issued anew after the revision before was withdrawn",
        de="Neu ausgestellt, nachdem die vorige Fassung zurückgezogen wurde",
    ),
    RevisionCause.CONDITION_MET: Words(
        en="The results that the release awaited are final and comply",
        de="Die bei der Freigabe ausstehenden Ergebnisse liegen vor und entsprechen",
    ),
    RevisionCause.EXPIRY_EXTENDED: Words(
        en="The expiry was extended on stability data",
        de="Das Verfalldatum wurde aufgrund von Stabilitätsdaten verlängert",
    ),
}
