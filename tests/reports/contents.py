"""Sample certificates: invented maker, product and figures."""

import math
from dataclasses import dataclass
from datetime import UTC, date, datetime

from domain.certificates.content import (
    AuditHead,
    BatchCertificateContent,
    CertificateContent,
    DistributionShown,
    Investigation,
    LotShown,
    Manufacturer,
    Origin,
    ProductShown,
    SignatureShown,
    SiteShown,
    TestLine,
    Words,
)


def words(en: str, de: str | None = None) -> Words:
    return Words(en=en, de=en if de is None else de)


@dataclass(frozen=True)
class Row:
    """The columns of a test that differ between samples."""

    code: str
    group: str
    en: str
    de: str
    method: str
    criterion: str
    result: str
    criterion_de: str | None = None
    result_de: str | None = None


ROWS = (
    Row("APP-CAKE", "physicochemical", "Appearance of the cake", "Aussehen des Kuchens", "SOP-QC-012",
        "White to off-white intact cake", "Conforms", "weißer bis cremefarbener, intakter Kuchen", "entspricht"),
    Row("PH", "physicochemical", "pH", "pH-Wert", "SOP-QC-020", "6.5 – 7.8 [pH]", "7.3 [pH]"),
    Row("OSMO", "physicochemical", "Osmolality", "Osmolalität", "SOP-QC-021", "250 – 350 mosm/kg", "296 mosm/kg"),
    Row("MOIST", "physicochemical", "Residual moisture", "Restfeuchte", "SOP-QC-022", "≤ 3.0 %", "1.4 %"),
    Row("PART-CONC", "physicochemical", "Particle concentration", "Partikelkonzentration", "SOP-QC-041 v3",
        "≥ 1.0E+11 {particles}/mL", "1.2E+11 {particles}/mL"),
    Row("SIZE-MODE", "physicochemical", "Particle size, mode", "Partikelgröße, Modalwert", "SOP-QC-041 v3",
        "50 – 150 nm", "98 nm"),
    Row("TET-9", "identity", "CD9 positive particles", "CD9-positive Partikel", "SOP-QC-052", "≥ 20 %", "41 %"),
    Row("CYT", "identity", "TSG101", "TSG101", "SOP-QC-053", "Present", "Present", "vorhanden", "vorhanden"),
    Row("RATIO-PP", "purity", "Particles per µg protein", "Partikel je µg Protein", "SOP-QC-058",
        "≥ 2.0E+9 {particles}/ug", "6.2E+9 {particles}/ug"),
    Row("DNA", "purity", "Residual host-cell DNA", "Restliche Wirtszell-DNA", "SOP-QC-061",
        "≤ 10 ng/{dose}", "1.8 ng/{dose}"),
    Row("ENDO", "safety", "Bacterial endotoxins", "Bakterien-Endotoxine", "SOP-QC-070 v2",
        "≤ 0.50 {EU}/mL", "< 0.05 {EU}/mL"),
    Row("STER", "safety", "Sterility", "Sterilität", "SOP-QC-071", "No growth", "No growth",
        "kein Wachstum", "kein Wachstum"),
    Row("MYCO", "safety", "Mycoplasma", "Mykoplasmen", "SOP-QC-072", "Not detected", "Not detected",
        "nicht nachweisbar", "nicht nachweisbar"),
    Row("POT-1", "potency", "T-cell suppression, relative potency", "T-Zell-Hemmung, relative Wirkstärke",
        "SOP-QC-090", "50 – 150 %", "104 %"),
)  # fmt: skip
PRINCIPLES = {"PH": "electrode", "OSMO": "freezing point", "MOIST": "Karl Fischer", "PART-CONC": "NTA",
              "SIZE-MODE": "NTA", "TET-9": "nano-flow cytometry", "CYT": "Western blot", "RATIO-PP": "NTA, micro-BCA",
              "DNA": "qPCR",
              "ENDO": "kinetic chromogenic", "STER": "membrane filtration", "MYCO": "NAT", "POT-1": "MLR"}  # fmt: skip
REFERENCES = {"APP-CAKE": "in-house", "PH": "Ph. Eur. 2.2.3", "OSMO": "Ph. Eur. 2.2.35", "MOIST": "USP <921>",
              "ENDO": "Ph. Eur. 2.6.14", "STER": "USP <71>", "MYCO": "Ph. Eur. 2.6.7"}  # fmt: skip
INSTRUMENTS = {
    "PH": "pH meter PH-02", "OSMO": "Osmometer OSM-01", "MOIST": "Coulometer KF-03",
    "PART-CONC": "NanoSight NS300, NTA-03", "SIZE-MODE": "NanoSight NS300, NTA-03",
    "TET-9": "Nano-flow cytometer NFC-01", "DNA": "Thermal cycler QPCR-02", "ENDO": "Plate reader PR-04"}  # fmt: skip
SETTINGS = {
    "PART-CONC": (("Laser", "488 nm"), ("Videos", "5 × 60 s"), ("Dilution", "1:2000"), ("Temperature", "25 Cel"),
                  ("Detection threshold", "5"), ("Tracks", "11842")),
    "TET-9": (("Label", "CD9-APC, clone HI9a"), ("Threshold", "side scatter 40 nm"), ("Denominator", "all particles")),
    "ENDO": (("Dilution", "1:20"), ("Spike recovery", "96 %"))}  # fmt: skip


def line(row: Row, number: int, verdict: str = "pass") -> TestLine:
    numeric = any(char.isdigit() for char in row.result)
    return TestLine(
        code=row.code, group=row.group, name=words(row.en, row.de), method=row.method,  # type: ignore[arg-type]
        method_principle=PRINCIPLES.get(row.code, "visual"), reference=REFERENCES.get(row.code),
        criterion=words(row.criterion, row.criterion_de),
        result=words("Not tested", "nicht geprüft") if verdict == "not_tested" else words(row.result, row.result_de),
        verdict=verdict,  # type: ignore[arg-type]
        n=3 if numeric else None, sd="0.2" if numeric else None,
        lod="0.01 {EU}/mL" if row.code == "ENDO" else None, loq="0.05 {EU}/mL" if row.code == "ENDO" else None,
        note=words("Compendial limit.", "Grenzwert des Arzneibuchs.") if row.code == "DNA" else None,
        tested_on=None if verdict == "not_tested" else date(2026, 11, 1 + number % 18),
        result_id=None if verdict == "not_tested" else 1200 + number,
        raw_sha256=f"{number:02x}" * 32 if numeric else None,
        method_code=row.method.partition(" ")[0], method_revision=3, principle=PRINCIPLES.get(row.code),
        instrument=INSTRUMENTS.get(row.code), settings=SETTINGS.get(row.code, ()),
        inputs=("PART-CONC", "PROT") if row.code == "RATIO-PP" else (),
    )  # fmt: skip


def distribution(method: str = "NTA · SOP-QC-041 v3", bins: int = 200, mode: float = 98.0) -> DistributionShown:
    width = 500 / bins
    edges = tuple(round(index * width, 6) for index in range(bins + 1))
    middles = [edge + width / 2 for edge in edges[:-1]]
    heights = (3e9 * width * math.exp(-((math.log(x / mode)) ** 2) / (2 * 0.26**2)) for x in middles)
    per_ml = tuple(float(round(height)) for height in heights)
    return DistributionShown(
        test_code="SIZE-DIST", method=method, weighting="number", edges_nm=edges, per_ml=per_ml, mean="105",
        mode=f"{mode:g}", sd="28", d10="75", d50="102", d90="138", span="0.61", percent_30_150="94.2",
        concentration="1.2E+11 {particles}/mL",
        convention=words("Number-weighted; linear within bins; all bins above the lower limit.",
                         "Zahlgewichtet; linear innerhalb der Klassen; alle Klassen oberhalb der Nachweisgrenze."),
        lower_limit=words("The instrument does not see particles below about 50 nm.",
                          "Das Gerät erfasst keine Partikel unter etwa 50 nm."),
        settings=(("Laser", "488 nm"), ("Videos", "5 × 60 s"), ("Dilution", "1:2000"), ("Temperature", "25 Cel"),
                  ("Detection threshold", "5"), ("Tracks", "11842")),
        flags=("Dilution above the usual range of 1:1000",), raw_sha256="ab" * 32,
    )  # fmt: skip


def content(
    tests: tuple[TestLine, ...] | None = None,
    distributions: tuple[DistributionShown, ...] | None = None,
    **changes: object,
) -> CertificateContent:
    fields: dict[str, object] = {
        "number": "COA-2026-000123", "revision": 2, "supersedes": "COA-2026-000117 revision 1",
        "issued_at": datetime(2026, 11, 20, 8, 42, 17, tzinfo=UTC), "time_zone": "Europe/Berlin",
        "manufacturer": Manufacturer(
            name="Vesitera Biologics GmbH", tagline="Extracellular vesicle therapeutics · GMP manufacturing",
            address="Im Neuenheimer Feld 999, 69120 Heidelberg, Germany", phone="+49 6221 000000",
            email="quality@vesitera.example", licence="DE_BW_01_MIA_2026_0042"),
        "product": ProductShown(
            code="VB-EV-100", name=words("MSC-derived extracellular vesicles, lyophilised",
                                         "Extrazelluläre Vesikel aus MSC, gefriergetrocknet"),
            gtin="04012345678901", form=words("Lyophilisate", "Lyophilisat"),
            route=words("Intravenous, after reconstitution", "intravenös, nach Rekonstitution"),
            strength="6.0E+11 {particles}/{vial}", composition="EVs, trehalose, mannitol, histidine buffer",
            container="10R glass vial, bromobutyl stopper", fill_volume="5 mL",
            reconstitution=words("5 mL water for injections", "5 mL Wasser für Injektionszwecke"),
            storage=words("2 to 8 °C, protect from light", "2 bis 8 °C, vor Licht schützen"),
            regulatory_status="investigational",
            regulatory_notice=words(
                "Investigational product. Not authorised for marketing in any country.",
                "Prüfpräparat. In keinem Land zum Inverkehrbringen zugelassen.")),
        "lot": LotShown(number="EV-2026-0417", quantity="96 {vial}", manufactured_on=date(2026, 10, 28),
                        expires_on=date(2028, 10, 31), shelf_life="24 months", tested_until=date(2026, 11, 18),
                        released_at=datetime(2026, 11, 20, 8, 40, 0, tzinfo=UTC)),
        "origin": Origin(tissue=words("Umbilical cord (Wharton's jelly)", "Nabelschnur (Wharton-Sulze)"),
                         donor_eligibility=words("Eligible", "geeignet"), cell_banks=("MCB-007", "WCB-007-02"),
                         passage="P5", population_doublings="18.4"),
        "specification": "SPEC-EV-0107 v4",
        "tests": tuple(line(row, number) for number, row in enumerate(ROWS)) if tests is None else tests,
        "distributions": (distribution(),) if distributions is None else distributions,
        "deviations": words("One minor deviation (DEV-2026-031), closed, without effect on quality.",
                            "Eine geringfügige Abweichung (DEV-2026-031), abgeschlossen, ohne Einfluss."),
        "statements": (
            words("We certify that the lot named above was made, sampled and tested under good manufacturing practice "
                  "and against the specification stated.",
                  "Wir bestätigen, dass die genannte Charge nach guter Herstellungspraxis hergestellt, bemustert und "
                  "gegen die genannte Spezifikation geprüft wurde."),
            words("This certificate holds no personal data of a donor.",
                  "Dieses Zertifikat enthält keine personenbezogenen Daten einer Spenderin oder eines Spenders.")),
        "signatures": (
            SignatureShown(name="Dr. Rhea Größler", function="Head of Quality Control",
                           meaning=words("Reviewed", "geprüft"),
                           signed_at=datetime(2026, 11, 20, 8, 31, 5, tzinfo=UTC), record_sha256="7f3a91c2" * 8),
            SignatureShown(name="Cleo Müller-Weiß", function="Qualified Person",
                           meaning=words("Certified for release", "zur Freigabe zertifiziert"),
                           signed_at=datetime(2026, 11, 20, 8, 40, 0, tzinfo=UTC), record_sha256="0c55aa17" * 8)),
        "look_up_url": "https://coa.vesitera.example/c/EV-2026-0417?code=K7QF-2M9T",
        "audit_head": AuditHead(sequence=48213, sha256="e3b0c442" * 8),
    }  # fmt: skip
    return CertificateContent.model_validate({**fields, **changes})


def many(count: int, long_names: bool = False) -> tuple[TestLine, ...]:
    """`count` lines over all groups; with long names a line needs several rows of text."""
    groups = ("physicochemical", "identity", "purity", "safety", "potency")
    found = []
    for number in range(count):
        row = ROWS[number % len(ROWS)]
        tail = (
            " after reconstitution in the labelled diluent, mean of three vials from three shelves"
            if long_names
            else ""
        )
        tail_de = (
            " nach Rekonstitution im angegebenen Lösungsmittel, Mittel aus drei Vials dreier Stellplatten"
            if long_names
            else ""
        )
        named = Row(f"{row.code}-{number}", groups[number * 5 // count], f"{row.en} {number}{tail}",
                    f"{row.de} {number}{tail_de}", row.method, row.criterion, row.result, row.criterion_de,
                    row.result_de)  # fmt: skip
        found.append(line(named, number))
    return tuple(found)


TYPICAL = content()
SAMPLES = {
    "typical": TYPICAL,
    "four": content(tests=many(4), revision=1, supersedes=None),
    "sixty": content(tests=many(60, long_names=True)),
    "two-curves": content(distributions=(distribution(), distribution("TRPS · SOP-QC-043 v1", 1000, 84.0))),
    "no-curve": content(distributions=()),
    "not-tested": content(
        tests=tuple(
            line(row, number, {"STER": "not_tested", "DNA": "reported", "TET-9": "reported"}.get(row.code, "pass"))
            for number, row in enumerate(ROWS)
        )
    ),
}

_COURSE = {"ENDO": "fail", "STER": "not_tested", "POT-1": "pending", "CYT": "indeterminate"}
FAILING = tuple(line(row, number, _COURSE.get(row.code, "pass")) for number, row in enumerate(ROWS))
INVESTIGATIONS = (
    Investigation(kind="hold", reference="lot move 88", on=date(2026, 11, 3), words=words("Put on hold", "Gesperrt")),
    Investigation(kind="invalid_test", reference="result 1204, now 1219", on=date(2026, 11, 9),
                  words=words("Osmolality: test invalid and repeated; the invalid one does not count",
                              "Osmolalität: Prüfung ungültig und wiederholt; die ungültige zählt nicht")),
    Investigation(kind="hold", reference="lot move 91", on=date(2026, 11, 12),
                  words=words("Hold lifted by quality assurance", "Sperre durch die Qualitätssicherung aufgehoben")),
)  # fmt: skip
#: A certificate in the courses that its life can take.
LIFE = {
    "draft": content(
        tests=FAILING, number="", revision=1, supersedes=None, draft=True, conclusion="does_not_comply", signatures=(),
        lot=TYPICAL.lot.model_copy(update={"released_at": None}),
        missing=("the certificate needs the public address of this server, which is empty", "Sterility names no method"),
    ),
    "conditional": content(
        tests=tuple(
            line(row, number, "not_tested" if row.code == "STER" else "pass") for number, row in enumerate(ROWS)
        ),
        conclusion="conditional", revision=1, supersedes=None,
        conditional=words("Released on an interim rapid sterility test; the final result of the sterility test follows by "
                          "2026-12-04. If it fails, the lot is recalled.",
                          "Freigegeben auf einen vorläufigen Schnelltest auf Sterilität; das Endergebnis folgt bis zum "
                          "2026-12-04. Fällt es durch, wird die Charge zurückgerufen."),
    ),
    "investigated": content(
        conclusion="complies", investigations=INVESTIGATIONS,
        revision_reason=words("A result was corrected", "Ein Ergebnis wurde berichtigt"),
    ),
    "demonstration": content(conclusion="complies", demonstration=True, revision=1, supersedes=None),
    "without-gtin": content(
        product=TYPICAL.product.model_copy(update={"gtin": None}), look_up_url="https://coa.vesitera.example/c/EV-2026-0417"
    ),
}  # fmt: skip
BATCH = BatchCertificateContent(
    number="BC-2026-000042", revision=1, supersedes=None, issued_at=TYPICAL.issued_at, time_zone=TYPICAL.time_zone,
    look_up_url=TYPICAL.look_up_url, manufacturer=TYPICAL.manufacturer, product=TYPICAL.product, importing_country=None,
    authorisation="CTA 2026-500123-42-00", pack=TYPICAL.product.container, lot=TYPICAL.lot,
    sites=(
        SiteShown(name="Vesitera Biologics GmbH", address="Im Neuenheimer Feld 999, 69120 Heidelberg, Germany",
                  activity=words("Manufacture, filling, freeze-drying, packaging",
                                 "Herstellung, Abfüllung, Gefriertrocknung, Verpackung"),
                  licence="DE_BW_01_MIA_2026_0042"),
        SiteShown(name="Sterilis Labor AG", address="Musterweg 5, 68159 Mannheim, Germany",
                  activity=words("Sterility, endotoxins, mycoplasma", "Sterilität, Endotoxine, Mykoplasmen"),
                  licence="DE_BW_01_GMP_2025_0107")),
    analysis_certificate="COA-2026-000123 rev. 2", analysis_sha256=TYPICAL.sha256(), register_entry=42,
    comments=words("None.", "Keine."),
    statement=words(
        "I hereby certify that the above information is authentic and accurate. This batch of product has been manufactured, "
        "including packaging and quality control, at the above mentioned sites in full compliance with the GMP requirements.",
        "Hiermit bescheinige ich, dass die obigen Angaben wahr und richtig sind. Diese Charge wurde, einschließlich "
        "Verpackung und Qualitätskontrolle, an den oben genannten Stätten in voller Übereinstimmung mit GMP hergestellt."),
    certifier=TYPICAL.signatures[-1],
)  # fmt: skip
