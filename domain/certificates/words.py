"""The fixed words of a certificate, EN and DE. No claim of approval or effect can be typed freely: there is only this list."""

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
NO_DEVIATIONS = Words(
    en="Deviation and OOS records are not part of this certificate; see the batch record.",
    de="Abweichungs- und OOS-Berichte sind nicht Teil dieses Zertifikats; siehe Chargendokumentation.",
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
