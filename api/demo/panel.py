"""How the demo laboratory tests: methods with what they cannot see, criteria, and what an ordinary lot gives.

The limits follow the proposal for a lyophilised MSC-EV product: they are examples, not a standard that anybody has agreed upon.
"""

import random
from dataclasses import dataclass
from decimal import Decimal

from api.demo.products import DemoProduct
from domain.laboratory.catalogue import TESTS
from domain.laboratory.defining import DefineMethod
from domain.laboratory.methods import Check, CheckKind
from domain.laboratory.models import Validation
from domain.laboratory.reportable import Rule
from domain.laboratory.specifications import LineDraft
from domain.laboratory.verdict import CriterionKind

K = CriterionKind

_NTA_EN = "NTA counts particles from about 60 nm; smaller vesicles are not seen, and not every particle is a vesicle"
_NTA_DE = (
    "NTA zählt Partikel ab etwa 60 nm; kleinere Vesikel werden nicht erfasst, und nicht jedes Partikel ist ein Vesikel"
)
_NFCM_EN = "Share of all particles from 45 nm"
_NFCM_DE = "Anteil aller Partikel ab 45 nm"


def _method(number: int, test: str, principle: str, instrument: str = "", **more: object) -> DefineMethod:
    said = {
        "code": f"SOP-QC-{number:03}",
        "test_code": test,
        "name": TESTS[test].name_en,
        "principle": principle,
        "instrument": instrument,
    }
    return DefineMethod.model_validate(said | more)


def _nfcm(number: int, marker: str) -> DefineMethod:
    principle = f"Nano-flow cytometry (nFCM), anti-{marker}, isotype subtracted"
    return _method(
        number,
        f"TET-{marker[2:]}",
        principle,
        "NanoAnalyzer N30E-1",
        lod="2",
        loq="5",
        limitation_en=_NFCM_EN,
        limitation_de=_NFCM_DE,
    )


#: What a LAL run must give.
LAL_CHECKS = (
    Check(name="negative control", check=CheckKind.BLANK, kind=CriterionKind.AT_MOST, upper="0.005", unit="{EU}/mL"),
    Check(
        name="spike recovery", check=CheckKind.CONTROL, kind=CriterionKind.BETWEEN, lower="50", upper="200", unit="%"
    ),
    Check(name="standard curve, r", check=CheckKind.STANDARD, kind=CriterionKind.AT_LEAST, lower="0.980", unit="1"),
)

METHODS: tuple[DefineMethod, ...] = (
    _method(1, "APP-CAKE", "Visual inspection against reference photograph"),
    _method(2, "APP-REC", "Visual inspection, 2000-3750 lx, black and white background"),
    _method(3, "REC-TIME", "Visual inspection, stopwatch"),
    _method(4, "MOIST", "Karl Fischer titration, coulometric", "KF-Coulometer 2", lod="0.1", loq="0.3"),
    _method(5, "PH", "Potentiometry", "pH-Meter 4"),
    _method(6, "OSMO", "Freezing point depression", "Osmometer 1"),
    _method(
        10, "PART-CONC", "Nanoparticle tracking analysis (NTA), 488 nm", "NanoSight NS300-2", replicates=5, rule=Rule.MEAN,
        lod="1E7", loq="5E7", limitation_en=_NTA_EN, limitation_de=_NTA_DE,
    ),
    _method(
        11, "SIZE-DIST", "Nanoparticle tracking analysis (NTA), 488 nm", "NanoSight NS300-2", limitation_en=_NTA_EN, limitation_de=_NTA_DE,
    ),
    _method(
        12, "PROT", "Micro-BCA after lysis, bovine albumin standard", "Plate reader 3", lod="0.2", loq="0.5",
        limitation_en="Albumin is the standard: vesicle protein may answer differently",
        limitation_de="Standard ist Albumin: Vesikelprotein kann anders ansprechen",
    ),
    _nfcm(20, "CD9"), _nfcm(21, "CD63"), _nfcm(22, "CD81"),
    _method(23, "CYT", "Capillary western blot, anti-TSG101", "Wes-1"),
    _method(24, "NEG-INT", "Capillary western blot, anti-calnexin, against cell lysate", "Wes-1"),
    _method(30, "DNA", "qPCR, Alu repeats, without DNase", "qPCR 2", lod="0.05", loq="0.2"),
    _method(40, "STER", "Membrane filtration, FTM and TSB, 14 days", read_every_days=4),
    _method(
        41, "STER-R", "Automated growth-based detection, 7 days", "BacT 1", validation=Validation.VALIDATED,
        validated_for=("master_cell_bank", "working_cell_bank"),
    ),
    _method(
        42, "ENDO", "Kinetic chromogenic LAL, spike recovery 50-200 %", "Plate reader 1", lod="0.01", loq="0.05",
        instrument_class="Plate reader, kinetic", validation=Validation.VERIFIED, suitability=LAL_CHECKS,
    ),
    _method(43, "MYCO", "NAT, 16S rRNA genes, detects 10 CFU/mL", "qPCR 2"),
    _method(44, "VIRUS", "PCR panel, 14 human viruses", "qPCR 2"),
    _method(45, "VIS", "Visual inspection of every vial, AQL sample of 20"),
    _method(46, "SUBV-10", "Light obscuration, pool of 10 vials", "HIAC 1"),
    _method(47, "SUBV-25", "Light obscuration, pool of 10 vials", "HIAC 1"),
    _method(48, "CCI", "Laser headspace analysis", "Headspace 1"),
    _method(
        50, "POT-1", "Inhibition of T-cell proliferation, 3 plates, reference lot REF-EV-01", "Flow cytometer 2",
        limitation_en="No consensus assay: no statement on clinical effect",
        limitation_de="Kein Konsensverfahren: keine Aussage zur klinischen Wirkung",
    ),
)  # fmt: skip
METHOD_FOR = {method.test_code: method.code for method in METHODS}


@dataclass(frozen=True, slots=True)
class Usual:
    """A line of the specification, and what an ordinary lot gives: words, or numbers round a centre.

    days: after sampling, when the result is there.
    """

    criterion: LineDraft
    days: int
    found: tuple[str, ...] = ()
    centre: float = 0
    spread: float = 0
    places: int = 0

    def replicates(self, chance: random.Random) -> tuple[str, ...]:
        """As somebody would type them: as many as the catalogue's test takes."""
        if self.found:
            return self.found
        count = TESTS[self.criterion.test_code].replicates
        middle = chance.gauss(self.centre, self.spread)
        return tuple(f"{Decimal(chance.gauss(middle, 0.6 * self.spread)):.{self.places}f}" for _ in range(count))


def _line(test: str, kind: CriterionKind, days: int = 0, **more: object) -> Usual:
    figures = {name: more.pop(name) for name in ("found", "centre", "spread", "places") if name in more}
    draft = LineDraft.model_validate({"test_code": test, "method_code": METHOD_FOR.get(test), "kind": kind} | more)
    return Usual(draft, days, **figures)  # type: ignore[arg-type]


def _label(times: float, count: float) -> str:
    """A limit at 80 or 120 % of the label, to the same power of ten on both sides: `8.0E10` and `1.20E11`."""
    number = times * count
    exponent = len(f"{0.8 * count:.0f}") - 2
    mantissa = round(number / 10**exponent)
    return format(Decimal(mantissa).scaleb(exponent), "E").replace("E+", "E")


def panel(product: DemoProduct) -> tuple[Usual, ...]:
    """The release specification of a product, in the order of the catalogue."""
    per_ml, per_vial = product.per_ml, product.per_ml * product.vial_ml
    cd9, cd63, cd81 = product.positive
    lines = (
        _line("APP-CAKE", K.ONE_OF, 4, allowed=("intact",), found=("intact",)),
        _line("APP-REC", K.ONE_OF, 4, allowed=("clear", "opalescent"), found=("opalescent",) * 3),
        _line("REC-TIME", K.AT_MOST, 4, upper="120", centre=38, spread=5),
        _line("MOIST", K.AT_MOST, 5, upper="3.0", centre=1.4, spread=0.15, places=2),
        _line(
            "PH",
            K.BETWEEN,
            4,
            lower="6.5",
            upper="7.8",
            alert_lower="6.8",
            alert_upper="7.5",
            centre=7.18,
            spread=0.03,
            places=2,
        ),
        _line("OSMO", K.BETWEEN, 4, lower="250", upper="350", centre=291, spread=4),
        _line("PART-CONC", K.BETWEEN, 4, lower=_label(0.8, per_ml), upper=_label(1.2, per_ml)),
        _line("PART-VIAL", K.BETWEEN, 4, lower=_label(0.8, per_vial), upper=_label(1.2, per_vial)),
        _line("SIZE-DIST", K.REPORT_ONLY, 4),
        _line("D50", K.BETWEEN, 4, lower="60", upper="160"),
        _line("PCT-30-150", K.AT_LEAST, 4, lower="70"),
        _line("SPAN", K.AT_MOST, 4, upper="1.5"),
        _line("PROT", K.REPORT_ONLY, 5, centre=product.protein, spread=0.12, places=2),
        _line("TET-9", K.REPORT_ONLY, 6, centre=cd9, spread=1.5, places=1),
        _line("TET-63", K.AT_LEAST, 6, lower="20", centre=cd63, spread=1.5, places=1),
        _line("TET-81", K.AT_LEAST, 6, lower="20", centre=cd81, spread=1.5, places=1),
        _line("CYT", K.ONE_OF, 7, allowed=("present",), found=("present",)),
        _line("NEG-INT", K.NONE_DETECTED, 7, allowed=("not detected",), found=("not detected",)),
        _line("RATIO-PP", K.AT_LEAST, 5, lower="1.0E9"),
        _line("DNA", K.AT_MOST, 7, upper="10.0", centre=1.9, spread=0.3, places=2),
        _line("STER", K.NONE_DETECTED, 15, allowed=("no growth",), found=("no growth",)),
        _line("ENDO", K.AT_MOST, 5, upper="0.50", found=("<0.05", "<0.05")),
        _line("MYCO", K.NONE_DETECTED, 6, allowed=("not detected",), found=("not detected",)),
        _line("VIS", K.ONE_OF, 4, allowed=("essentially free",), found=("essentially free",)),
        _line("SUBV-10", K.AT_MOST, 6, upper="6000", centre=210, spread=40),
        _line("SUBV-25", K.AT_MOST, 6, upper="600", centre=8, spread=1.5),
        _line("CCI", K.CONFORMS, 5, found=("conforms",)),
        _line("POT-1", K.REPORT_ONLY, 12, centre=101, spread=5),
    )
    return tuple(line for line in lines if line.criterion.test_code not in product.left_out)


#: What Switzerland asks for beside, of an invented market file: tighter limits for two tests of the adipose product.
SWISS = {"MOIST": {"upper": "2.5"}, "ENDO": {"upper": "0.25"}}


def swiss_lines(product: DemoProduct) -> tuple[LineDraft, ...]:
    """The specification for the Swiss market: the same tests, some limits tighter."""
    lines = (one.criterion for one in panel(product))
    return tuple(one.model_copy(update=SWISS.get(one.test_code, {})) for one in lines)
