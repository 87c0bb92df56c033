"""The rows of a comparison: which figure, from what, and what must be known of it (domain.md 7)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from domain.certificates.comparison.sides import Denominator, Found, Missing, Side
from domain.certificates.content import TestLine, Words
from domain.certificates.words import LOWER_LIMIT_UNKNOWN
from domain.errors import Invalid
from domain.laboratory.derived import purity_class
from domain.quantities import convert

PER_ML, PER_VIAL, PER_DOSE = "{particles}/mL", "{particles}/{vial}", "{particles}/{dose}"

#: USP <85> / Ph. Eur. 5.1.10: endotoxin that a dose may bring per kg of body mass (within one hour), by how it is given.
THRESHOLDS = {
    "intravenous": Decimal(5),
    "intradermal": Decimal(5),
    "intra-articular": Decimal(5),
    "intrathecal": Decimal("0.2"),
}
BODY_MASS_KG = Decimal(70)


@dataclass(frozen=True, slots=True)
class Measured:
    """A row of measured figures. denominator: the test whose percentage means nothing without percent of what; sized: from a size distribution.

    one_count: all that a figure rests on must have counted the same particles, as what one principle sees another does not.
    """

    code: str
    title: Words
    unit: str
    find: Callable[[Side], Found]
    help: Words
    scale: str = "linear"
    denominator: str | None = None
    sized: bool = False
    one_count: bool = False


def particles_per_vial(side: Side) -> Found:
    """As certified; else concentration times reconstitution volume."""
    if side.has("PART-VIAL"):
        return side.number("PART-VIAL", PER_VIAL)
    found = side.number("PART-CONC", PER_ML).times(side.volume())
    return replace(found, note=Words(en="calculated here: concentration × reconstitution volume",
                                     de="hier berechnet: Konzentration × Rekonstitutionsvolumen"))  # fmt: skip


def _particles_per_dose(side: Side) -> Found:
    return particles_per_vial(side).times(side.vials())


def _particles_per_protein(side: Side) -> Found:
    """As certified; else the two concentrations divided; with its class (Webber & Clayton 2013, gaps closed)."""
    found = (
        side.number("RATIO-PP", "{particles}/ug")
        if side.has("RATIO-PP")
        else side.number("PART-CONC", PER_ML).over(side.number("PROT", "ug/mL"))
    )
    if found.comparator:
        return found
    letter = purity_class(found.value)
    return replace(found, note=Words(en=f"purity class {letter}", de=f"Reinheitsklasse {letter}"))


def _sized(code: str, unit: str, name: str) -> Callable[[Side], Found]:
    """A figure of the size distribution: as certified in a line, else beside the curve."""

    def find(side: Side) -> Found:
        if side.has(code):
            return side.number(code, unit)
        shown = side.distribution()
        if shown is None:
            return side.number(code, unit)
        lines = tuple(line for line in side.content.tests if line.code == shown.test_code)
        try:
            return Found(convert(Decimal(getattr(shown, name)), unit, unit), lines=lines)
        except (ArithmeticError, Invalid):
            raise Missing("no number beside the curve", "keine Zahl neben der Kurve") from None

    return find


def _test(code: str, unit: str) -> Callable[[Side], Found]:
    return lambda side: side.number(code, unit)


def _marker(code: str) -> Callable[[Side], Found]:
    """The percentage of particles that carry a marker, with what it is a percentage of."""

    def find(side: Side) -> Found:
        found = side.number(code, "%")
        try:
            return replace(found, note=side.denominator(code)[1])
        except Missing as unstated:
            return replace(found, note=unstated.words)

    return find


MARKERS = ("TET-9", "TET-63", "TET-81")


def _marker_positive(side: Side) -> Found:
    """The largest share of one tetraspanin times the particles: the markers overlap, so shares cannot be added."""
    counted: list[Found] = []
    why: Missing | None = None
    for code in MARKERS:
        try:
            share = side.number(code, "%")
            if _denominator(side, code) != "all":
                raise Missing(
                    "percentages are not of all particles", "Prozentwerte beziehen sich nicht auf alle Partikel"
                )
            if share.comparator:
                raise Missing(
                    "only known to lie below or above a limit", "nur als unter oder über einer Grenze bekannt"
                )
            counted.append(share)
        except Missing as missing:
            why = why or missing
    if not counted:
        raise why or Missing("not tested", "nicht geprüft")
    share = max(counted, key=lambda one: one.value)
    particles = particles_per_vial(side)
    lines = tuple({line.code: line for line in (*particles.lines, *share.lines)}.values())
    name = share.lines[0].name
    note = Words(en=f"from {name.en}", de=f"aus {name.de}")
    return replace(particles.times(share.value, Decimal(100)), lines=lines, note=note)


def _denominator(side: Side, code: str) -> Denominator:
    return side.denominator(code)[0]


def endotoxin_per_vial(side: Side) -> Found:
    """In EU per vial: as measured for a vial, or the concentration after reconstitution times its volume."""
    try:
        return side.number("ENDO", "{EU}/{vial}")
    except Missing:
        return side.number("ENDO", "{EU}/mL").times(side.volume())


def _endotoxin_used(side: Side) -> Found:
    """Percent of K × 70 kg that one dose brings."""
    try:
        dose = side.number("ENDO", "{EU}/{dose}")
    except Missing:
        dose = endotoxin_per_vial(side).times(side.vials())
    route = side.content.product.route.en.casefold()
    k = next((limit for name, limit in THRESHOLDS.items() if route.startswith(name)), None)
    if k is None:
        raise Missing(
            "no limit per body mass is known for this route", "für diesen Weg ist keine Grenze pro Körpermasse bekannt"
        )
    limit = k * BODY_MASS_KG
    note = Words(en=f"of {limit:f} EU per dose ({k} EU/kg within one hour × 70 kg)",
                 de=f"von {limit:f} EU pro Dosis ({k} EU/kg innerhalb einer Stunde × 70 kg)")  # fmt: skip
    return replace(dose.times(Decimal(100), limit), note=note)


def _per_dose(code: str) -> Callable[[Side], Found]:
    def find(side: Side) -> Found:
        try:
            return side.number(code, "ng/{dose}")
        except Missing as missing:
            try:
                return side.number(code, "ng/{vial}").times(side.vials())
            except Missing:
                raise missing from None

    return find


def _dna_per_particles(side: Side) -> Found:
    """From figures of the certificate alone: how many vials a dose is stands on none, and so DNA for a dose is set against no particles."""
    try:
        found = side.number("DNA", "ng/{vial}").over(particles_per_vial(side))
    except Missing as missing:
        try:
            found = side.number("DNA", "ng/mL").over(side.number("PART-CONC", PER_ML))
        except Missing:
            raise _by_dose(side) or missing from None
    return found.times(Decimal("1E10"))


def _by_dose(side: Side) -> Missing | None:
    try:
        side.number("DNA", "ng/{dose}")
    except Missing:
        return None
    return Missing(
        "DNA is certified for a dose, and the certificate does not say how many vials that is",
        "DNA ist für eine Dosis bescheinigt, und das Zertifikat sagt nicht, wie viele Vials das sind",
    )


def _potency(side: Side) -> Found:
    code = next((line.code for line in side.content.tests if line.code.startswith("POT")), "POT-1")
    found = side.number(code, "%")
    told = " ".join(f"{line.principle} {dict(line.settings)}" for line in found.lines)
    if "reference" not in told.casefold():
        return replace(found, lines=(), note=Words(en="reference lot not stated", de="Referenzcharge nicht angegeben"))
    return found


def lower_limit_unstated(side: Side) -> bool:
    """Whether nothing says from which size on the instrument sees particles."""
    shown = side.distribution()
    return shown is None or shown.lower_limit.en == LOWER_LIMIT_UNKNOWN.en


def different_convention(one: Side, other: Side) -> bool:
    """Whether two size distributions are evaluated or weighted differently."""
    first, second = one.distribution(), other.distribution()
    return (
        first is None
        or second is None
        or (first.convention.en, first.weighting) != (second.convention.en, second.weighting)
    )


def _w(en: str, de: str) -> Words:
    return Words(en=en, de=de)


_METHOD_BOUND = _w(
    "Instruments differ in what they see: compare only within one method.",
    "Geräte sehen Verschiedenes: nur innerhalb einer Methode vergleichen.",
)
_WHAT_OF = _w(
    "Percent of what is counted: the denominator decides.", "Prozent dessen, was gezählt wird: Der Nenner entscheidet."
)

MEASURED: Sequence[Measured] = (
    Measured("particles-per-vial", _w("Particles per vial", "Partikel pro Vial"), PER_VIAL, particles_per_vial,
             _w("How many particles a vial holds; not all of them are vesicles.",
                "Wie viele Partikel ein Vial enthält; nicht alle sind Vesikel."), "logarithmic"),
    Measured("particles-per-dose", _w("Particles per dose", "Partikel pro Dosis"), PER_DOSE, _particles_per_dose,
             _w("Particles per vial times the vials of a dose.", "Partikel pro Vial mal Vials einer Dosis."), "logarithmic"),
    Measured("marker-positive-per-vial", _w("EV-marker-positive particles per vial", "EV-Marker-positive Partikel pro Vial"),
             PER_VIAL, _marker_positive,
             _w("Particles that carry a vesicle marker: the share of the most frequent one times the particles. Two principles see different"
                " particles: where one gave the share and another the count, it is a rough guide.",
                "Partikel mit Vesikelmarker: der Anteil des häufigsten mal die Partikel. Zwei Prinzipien sehen verschiedene Partikel: Wo eines den"
                " Anteil und ein anderes die Zahl ergab, ist es nur ein Anhalt."), "logarithmic", one_count=True),
    Measured("particles-per-protein", _w("Particles per µg protein", "Partikel pro µg Protein"), "{particles}/ug", _particles_per_protein,
             _w("A sign of purity, not of potency; protein added as excipient makes it meaningless.",
                "Ein Zeichen der Reinheit, nicht der Wirksamkeit; zugesetztes Protein macht es bedeutungslos."), "logarithmic"),
    Measured("percent-30-150", _w("Particles within 30–150 nm", "Partikel in 30–150 nm"), "%", _sized("PCT-30-150", "%", "percent_30_150"),
             _METHOD_BOUND, sized=True),
    Measured("d50", _w("Median size D50", "Mediane Größe D50"), "nm", _sized("D50", "nm", "d50"), _METHOD_BOUND, sized=True),
    Measured("span", _w("Width of the size distribution (span)", "Breite der Größenverteilung (Span)"), "1", _sized("SPAN", "1", "span"),
             _METHOD_BOUND, sized=True),
    Measured("cd9", _w("CD9-positive", "CD9-positiv"), "%", _marker("TET-9"), _WHAT_OF, denominator="TET-9"),
    Measured("cd63", _w("CD63-positive", "CD63-positiv"), "%", _marker("TET-63"), _WHAT_OF, denominator="TET-63"),
    Measured("cd81", _w("CD81-positive", "CD81-positiv"), "%", _marker("TET-81"), _WHAT_OF, denominator="TET-81"),
    Measured("endotoxin-per-vial", _w("Endotoxin per vial", "Endotoxin pro Vial"), "{EU}/{vial}", endotoxin_per_vial,
             _w("Far below the limit it speaks of the process, not of safety.",
                "Weit unter der Grenze spricht es vom Prozess, nicht von der Sicherheit."), "logarithmic"),
    Measured("endotoxin-used", _w("Endotoxin: share of the limit for a dose", "Endotoxin: Anteil an der Grenze für eine Dosis"), "%",
             _endotoxin_used,
             _w("Of the endotoxin that a dose may bring to 70 kg of body mass (USP <85>).",
                "Vom Endotoxin, das eine Dosis bei 70 kg Körpermasse bringen darf (USP <85>)."), "logarithmic"),
    Measured("dna", _w("Residual DNA per dose", "Rest-DNA pro Dosis"), "ng/{dose}", _per_dose("DNA"),
             _w("DNA of the producing cells.", "DNA der Produktionszellen.")),
    Measured("dna-per-particles", _w("Residual DNA per 10¹⁰ particles", "Rest-DNA pro 10¹⁰ Partikel"), "ng", _dna_per_particles,
             _w("DNA of a vial over its particles.", "DNA eines Vials geteilt durch seine Partikel."), "logarithmic"),
    Measured("bsa", _w("Residual bovine albumin per dose", "Bovines Restalbumin pro Dosis"), "ng/{dose}", _per_dose("BSA"),
             _w("Only where bovine serum was used.", "Nur wo bovines Serum verwendet wurde.")),
    Measured("moisture", _w("Residual moisture", "Restfeuchte"), "%", _test("MOIST", "%"),
             _w("Water left after freeze-drying.", "Wasser nach der Gefriertrocknung.")),
    Measured("recovery", _w("Particle recovery over freeze-drying", "Partikelwiederfindung nach Gefriertrocknung"), "%", _test("LYO-REC", "%"),
             _w("Particles after drying, in percent of those before.", "Partikel nach der Trocknung, in Prozent derer davor.")),
    Measured("potency", _w("Relative potency", "Relative Wirkstärke"), "%", _potency,
             _w("Only against the same reference lot in the same assay.", "Nur gegen dieselbe Referenzcharge im selben Test.")),
)  # fmt: skip

#: Eight things that MISEV2023 asks to be reported of a preparation, by the tests that show them [proposal].
MISEV: Sequence[tuple[Words, tuple[str, ...]]] = (
    (_w("particle number", "Partikelzahl"), ("PART-CONC", "PART-VIAL")),
    (
        _w("a second quantity (protein, lipid, RNA)", "eine zweite Menge (Protein, Lipid, RNA)"),
        ("PROT", "LIPID", "RNA"),
    ),
    (_w("their ratio", "ihr Verhältnis"), ("RATIO-PP",)),
    (_w("transmembrane protein", "Transmembranprotein"), (*MARKERS, "MSC-EV-ID")),
    (_w("cytosolic protein", "zytosolisches Protein"), ("CYT",)),
    (_w("contaminants", "Verunreinigungen"), ("NEG-EXT", "NEG-INT")),
    (_w("images of single vesicles", "Bilder einzelner Vesikel"), ("MORPH",)),
    (_w("sizes of single vesicles", "Größen einzelner Vesikel"), ("SIZE-DIST", "D50")),
)


def misev(side: Side) -> tuple[int, list[Words]]:
    """How many of the eight were done, and those that were not."""
    undone = [name for name, codes in MISEV if not any(side.has(code) for code in codes)]
    return len(MISEV) - len(undone), undone


#: As much as is shown of how a figure was found: a file could say far more than anybody reads.
MOST_LINES, MOST_SHOWN = 6, 600


def metadata(lines: Sequence[TestLine]) -> list[tuple[Words, Words]]:
    """How the figures of these lines were found: method, instrument, limits, replicates, settings; label and text."""
    told: list[tuple[Words, Words]] = []
    for line in lines[:MOST_LINES]:
        how = " · ".join(
            part for part in (line.method, line.principle or line.method_principle, line.instrument) if part
        )
        told.append((line.name, _shown(how)))
        limits = ", ".join(
            f"{name} {text}" for name, text in (("LOD", line.lod), ("LOQ", line.loq), ("SD", line.sd)) if text
        )
        counted = f"n = {line.n}" if line.n is not None else ""
        if more := ", ".join(part for part in (counted, limits) if part):
            told.append((_w("Replicates and limits", "Wiederholungen und Grenzen"), _shown(more)))
        if line.settings:
            text = "; ".join(f"{name}: {value}" for name, value in line.settings)
            told.append((_w("Settings", "Einstellungen"), _shown(text)))
    return told


def _shown(text: str) -> Words:
    cut = text if len(text) <= MOST_SHOWN else text[: MOST_SHOWN - 1] + "…"
    return _w(cut, cut)
