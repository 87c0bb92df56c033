"""What the demo laboratory makes: three invented products, and the materials that go into them."""

from dataclasses import dataclass, field
from typing import Any

from domain.lots.models import RegulatoryStatus, Route
from domain.lots.operations import Amount, DefineProduct
from domain.manufacturing.models import Tissue


@dataclass(frozen=True, slots=True)
class DemoProduct:
    """A product, its donor, and the figures its lots are spread around.

    vial_ml: fill and reconstitution volume. per_ml: particles per mL on the label. mode_nm: of the size distribution. protein: ug/mL.
    positive: percent of particles with CD9, CD63, CD81. donation: quantity and readings of the procurement.
    """

    command: DefineProduct
    specification: str
    tissue: Tissue
    donor: str
    age: int
    donation: tuple[str, str]
    procurement: dict[str, str]
    isolation: dict[str, str]
    vial_ml: int
    per_ml: float
    mode_nm: float
    protein: float
    positive: tuple[float, float, float]
    left_out: tuple[str, ...] = field(default=())

    @property
    def code(self) -> str:
        """The product's code."""
        return self.command.code


def _product(
    code: str, vial_ml: int, label: str, trehalose_mg: int, histidine_mg: str, salt_mg: int, **more: Any
) -> DefineProduct:
    volume = Amount(value=f"{vial_ml}.0", unit="mL")
    content = f"trehalose dihydrate {trehalose_mg} mg, L-histidine {histidine_mg} mg, sodium chloride {salt_mg} mg"
    return DefineProduct(
        code=code,
        form_en="Lyophilisate for solution",
        form_de="Lyophilisat zur Herstellung einer Lösung",
        composition=f"MSC extracellular vesicles, {content} per vial",
        fill_volume=volume,
        reconstitution_volume=volume,
        diluent_en="water for injections",
        diluent_de="Wasser für Injektionszwecke",
        label_particles=Amount(value=label, unit="{particles}/{vial}"),
        shelf_life_months=24,
        storage_low=Amount(value="2", unit="Cel"),
        storage_high=Amount(value="8", unit="Cel"),
        **more,
    )


ADIPOSE = DemoProduct(
    command=_product(
        "AD-EV-100", 5, "1.0E11", 400, "7.8", 10,
        name_en="Adipose MSC small extracellular vesicles, freeze-dried",
        name_de="Kleine extrazelluläre Vesikel aus Fettgewebe-MSC, gefriergetrocknet",
        gtin="09521234543213",
        lot_series="ADEV",
        container="10R vial, type I glass, bromobutyl stopper",
        route=Route.INTRAVENOUS,
        regulatory_status=RegulatoryStatus.INVESTIGATIONAL,
        authorisation="0000-000000-00-00 (invented)",
        batch_certificate=True,
    ),
    specification="SPEC-AD-EV-100",
    tissue=Tissue.ADIPOSE,
    donor="D-AD-0417",
    age=34,
    donation=("140", "mL"),
    procurement={"tissue_source": "adipose", "lipoaspirate_volume": "140", "transport_temperature_min": "3.4", "transport_temperature_max": "6.9"},
    isolation={"method": "enzymatic", "enzyme_activity": "200", "digestion_time": "55", "procurement_to_processing": "5.5", "nucleated_cells": "46"},
    vial_ml=5, per_ml=2.0e10, mode_nm=104, protein=2.4, positive=(31, 46, 54),
)  # fmt: skip
BONE_MARROW = DemoProduct(
    command=_product(
        "BM-EV-60", 3, "6.0E10", 240, "4.7", 6,
        name_en="Bone marrow MSC small extracellular vesicles, freeze-dried",
        name_de="Kleine extrazelluläre Vesikel aus Knochenmark-MSC, gefriergetrocknet",
        lot_series="BMEV",
        container="6R vial, type I glass, bromobutyl stopper",
        route=Route.INTRAARTICULAR,
        regulatory_status=RegulatoryStatus.INVESTIGATIONAL,
    ),
    specification="SPEC-BM-EV-60",
    tissue=Tissue.BONE_MARROW,
    donor="D-BM-0088",
    age=27,
    donation=("45", "mL"),
    procurement={"tissue_source": "bone_marrow", "marrow_aspirate_volume": "45",
        "transport_temperature_min": "17.2", "transport_temperature_max": "21.6"},
    isolation={"method": "density_gradient", "procurement_to_processing": "4.0", "nucleated_cells": "310", "viability": "94"},
    vial_ml=3, per_ml=2.0e10, mode_nm=112, protein=3.1, positive=(22, 41, 49),
    left_out=("SPAN", "DNA"),
)  # fmt: skip
CORD = DemoProduct(
    command=_product(
        "UC-EV-50", 2, "5.0E10", 160, "3.1", 4,
        name_en="Umbilical cord MSC small extracellular vesicles, freeze-dried",
        name_de="Kleine extrazelluläre Vesikel aus Nabelschnur-MSC, gefriergetrocknet",
        gtin="09521234543220",
        lot_series="UCEV",
        container="4R vial, type I glass, bromobutyl stopper",
        route=Route.TOPICAL,
        regulatory_status=RegulatoryStatus.NAMED_PATIENT,
    ),
    specification="SPEC-UC-EV-50",
    tissue=Tissue.UMBILICAL_CORD,
    donor="D-UC-0231",
    age=31,
    donation=("38", "g"),
    procurement={"tissue_source": "umbilical_cord", "cord_length": "27", "cord_mass": "38"},
    isolation={"method": "explant", "procurement_to_processing": "20", "nucleated_cells": "28"},
    vial_ml=2, per_ml=2.5e10, mode_nm=98, protein=2.1, positive=(38, 44, 61),
    left_out=("TET-9",),
)  # fmt: skip
PRODUCTS = (ADIPOSE, BONE_MARROW, CORD)

#: key: material, supplier, supplier's lot, quantity, unit
MATERIALS: dict[str, tuple[str, str, str, str, str]] = {
    "medium": ("Alpha-MEM, GMP grade", "Nordlicht Zellkultur GmbH", "NZ-60417", "160", "L"),
    "lysate": ("Human platelet lysate, pathogen-reduced", "Hemalys SA", "HPL-2207-A", "12", "L"),
    "collection": ("Serum-free collection medium", "Nordlicht Zellkultur GmbH", "NZ-60533", "120", "L"),
    "enzyme": ("Collagenase NB 6, GMP grade", "Enzymwerk Bodensee AG", "CL-0913", "2", "g"),
    "cryo": ("Freezing medium with 10 % DMSO", "Kryolab Graz GmbH", "KG-5518", "2", "L"),
    "membrane": ("Hollow-fibre module, mPES, 500 kDa", "Fasertec Membranen AG", "FT-88120", "20", "{unit}"),
    "buffer": ("Histidine buffer 10 mmol/L, sterile", "Pharmapuffer Jena GmbH", "PJ-31077", "200", "L"),
    "trehalose": ("Trehalose dihydrate, low endotoxin", "Sacchara Excipients BV", "SX-T-4402", "5000", "g"),
    "filter": ("Sterile filter, PES 0.2 µm", "Fasertec Membranen AG", "FT-90233", "30", "{unit}"),
    "vials": ("Vials, type I glass, depyrogenated", "Glashütte Ilmtal GmbH", "GI-771204", "3000", "{unit}"),
    "stoppers": ("Bromobutyl stoppers, lyophilisation, sterile", "Elastoseal Srl", "ES-120558", "3000", "{unit}"),
    "seals": ("Aluminium seals, flip-off", "Elastoseal Srl", "ES-120731", "3000", "{unit}"),
}
#: The newest delivery, which nobody has looked at yet; it is the last thing that happens, and so the mark of a finished demo.
LAST_DELIVERY = ("Trehalose dihydrate, low endotoxin", "Sacchara Excipients BV", "SX-T-4519", "2500", "g")
