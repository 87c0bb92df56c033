"""One product of the demo is made under a recipe: equipment, training, papers of materials, and a second person at every step."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlmodel import col, select

from api.demo.lab import Lab, credentials
from api.demo.products import CORD, MATERIALS
from domain.equipment.models import EventKind, Finding
from domain.equipment.register import LogEquipmentEvent, RegisterEquipment, register_equipment
from domain.lots.operations import Amount
from domain.manufacturing.equipment_use import log_equipment_event
from domain.manufacturing.execution_models import AnimalOrigin
from domain.manufacturing.materials import FilePapers, file_papers
from domain.manufacturing.models import Reading, Step
from domain.manufacturing.recipe_models import (
    BillLine,
    ExpectedYield,
    HoldTime,
    ParameterRule,
    RecipeContent,
    RecipeStep,
    SamplePoint,
)
from domain.manufacturing.recipes import (
    ApproveRecipe,
    DraftRecipe,
    ReviewRecipe,
    approve_recipe,
    draft_recipe,
    review_recipe,
)
from domain.manufacturing.verifying import VerifyReadings, VerifyStart, verify_readings, verify_start
from domain.people.training import RecordTraining, TrainedFor, record_training
from domain.store import reading

RECIPE = f"MBR-{CORD.code}"
KINDS = ("formulation", "fill", "lyophilization", "packaging")
CLEARED = "Room and line clean and free of other products, materials, labels and papers; status label changed."

#: code: name, class, serial, place, what it is used for
EQUIPMENT: dict[str, tuple[str, str, str, str, tuple[str, ...]]] = {
    "B1": ("Clean room B1, grade B", "room-B", "QR-B1", "Building 1", ("formulation",)),
    "A1": ("Isolator A1, grade A", "isolator", "ISO-2207", "Clean room B1", ("fill",)),
    "MV-5": ("Mixing vessel, 20 L", "mixing-vessel", "MV-4410", "Clean room B1", ("formulation",)),
    "FL-1": ("Filling line", "filling-line", "FL-0098", "Isolator A1", ("fill",)),
    "FD-2": ("Freeze dryer, 4 m2", "freeze-dryer", "FD-7713", "Room 121", ("lyophilization",)),
    "IB-1": ("Inspection booth", "inspection-booth", "IB-3002", "Room 130", ("packaging",)),
    "W-3": ("Scale, 3 kg", "scale", "W-55120", "Clean room B1", ()),
}


@dataclass
class Control:
    """What a start of a governed step says, and the second person."""

    product: str
    used: dict[str, tuple[str, ...]] = field(
        default_factory=lambda: {
            kind: tuple(code for code, facts in EQUIPMENT.items() if kind in facts[4]) for kind in KINDS
        }
    )

    def at_start(self, kind: str) -> dict[str, Any]:
        """Equipment and clearance."""
        return {"equipment_codes": self.used[kind], "clearance": CLEARED}

    def seen(self, lab: Lab, number: str) -> None:
        """The head of production verifies the start."""
        lab.act("petra", verify_start, VerifyStart(step_number=number, credentials=credentials("petra")))

    def checked(self, lab: Lab, number: str) -> None:
        """The head of production verifies all entries."""
        with reading(lab.site.engine) as session:
            found = select(Reading.id).join(Step, col(Reading.step_id) == Step.id).where(Step.number == number)
            ids = tuple(one for one in session.exec(found) if one is not None)
        command = VerifyReadings(step_number=number, reading_ids=ids, credentials=credentials("petra"))
        lab.act("petra", verify_readings, command)


def introduced(lab: Lab) -> None:
    """Register, training, papers and the approved recipe, on the day the materials are accepted."""
    for code, facts in EQUIPMENT.items():
        _registered(lab, code, facts)
    for who, trainer in (("tom", "petra"), ("petra", "tom")):
        for kind in KINDS:
            _trained(lab, who, trainer, kind)
    for key, number in lab.materials.items():
        _papers(lab, key, number)
    _recipe(lab)
    lab.control = Control(CORD.code)


def _registered(lab: Lab, code: str, facts: tuple[str, str, str, str, tuple[str, ...]]) -> None:
    name, of_class, serial, place, _ = facts
    room = of_class in ("room-B", "isolator")
    command = RegisterEquipment(
        code=code,
        name=name,
        equipment_class=of_class,
        serial=serial,
        location=place,
        needs_maintenance=not room,
    )
    lab.act("petra", register_equipment, command)
    days = 60 if code == "W-3" else 365
    for kind in (EventKind.CALIBRATION, *(() if room else (EventKind.MAINTENANCE,))):
        event = LogEquipmentEvent(
            code=code,
            kind=kind,
            finding=Finding.WITHIN if kind is EventKind.CALIBRATION else None,
            next_due=lab.now.date() + timedelta(days=days),
            performed_by="Messdienst Spree GmbH",
        )
        lab.act("petra", log_equipment_event, event)


def _trained(lab: Lab, who: str, trainer: str, kind: str) -> None:
    command = RecordTraining(
        username=who,
        subject=TrainedFor.STEP,
        code=kind,
        trained_on=lab.now.date(),
        valid_until=lab.now.date() + timedelta(days=365),
        trainer=trainer,
        evidence="attendance list TR-041",
    )
    lab.act("rhea", record_training, command)


def _papers(lab: Lab, key: str, number: str) -> None:
    name, supplier, supplier_lot, _, _ = MATERIALS[key]
    origin = {"lysate": AnimalOrigin.HUMAN, "enzyme": AnimalOrigin.RECOMBINANT}.get(key, AnimalOrigin.NONE)
    command = FilePapers(
        lot_number=number,
        origin=origin,
        file_name=f"{supplier_lot}.pdf",
        data=_certificate(f"{supplier}: certificate of {name}, lot {supplier_lot}. Invented, for demonstration."),
    )
    lab.act("tom", file_papers, command)


def _certificate(text: str) -> bytes:
    """A PDF of one line, put together by hand."""
    line = text.encode("latin-1", "replace").replace(b"(", b"[").replace(b")", b"]")
    stream = b"BT /F1 10 Tf 40 780 Td (" + line + b") Tj ET"
    parts = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(stream), stream),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>",
    ]
    out, places = b"%PDF-1.4\n", []
    for count, part in enumerate(parts, 1):
        places.append(len(out))
        out += b"%d 0 obj%s\nendobj\n" % (count, part)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return out + b"xref\n0 6\n0000000000 65535 f \n%strailer<</Size 6/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (
        table,
        len(out),
    )


def _recipe(lab: Lab) -> None:
    draft = DraftRecipe(
        code=RECIPE,
        product_code=CORD.code,
        effective_from=lab.now.date(),
        reason="first version, after three engineering runs",
        content=_content(),
    )
    lab.act("petra", draft_recipe, draft)
    place: dict[str, Any] = {"code": RECIPE, "revision": 1}
    lab.act("rhea", review_recipe, ReviewRecipe(**place, credentials=credentials("rhea")))
    lab.act("cleo", approve_recipe, ApproveRecipe(**place, credentials=credentials("cleo")))


def _content() -> RecipeContent:
    def line(key: str, value: str, unit: str, tolerance: str) -> BillLine:
        return BillLine(material=MATERIALS[key][0], quantity=_amount(value, unit), tolerance=tolerance)

    return RecipeContent(
        steps=(
            RecipeStep(
                key="formulation",
                kind="formulation",
                instruction="Thaw the bulk, dilute with buffer, dissolve trehalose, adjust the pH.",
                parameters=(
                    ParameterRule(code="ph", alert_low="7.0", alert_high="7.4", action_low="6.9", action_high="7.5"),
                    ParameterRule(code="osmolality", alert_low="270", alert_high="320"),
                    ParameterRule(code="bioburden", action_high="10"),
                ),
                materials=(line("trehalose", "20", "g", "40"), line("buffer", "0.5", "L", "2")),
                equipment_classes=("mixing-vessel",),
                room_classes=("room-B",),
            ),
            RecipeStep(
                key="fill",
                kind="fill",
                instruction="Filter with 0.2 µm, fill 2.0 mL, half-stopper.",
                parameters=(ParameterRule(code="fill_volume", alert_low="1.95", alert_high="2.05"),),
                materials=(
                    line("filter", "1", "{unit}", "0"),
                    *(line(key, "130", "{unit}", "40") for key in ("vials", "stoppers", "seals")),
                ),
                equipment_classes=("filling-line", "isolator"),
                statements=("The aseptic process simulation of the line is valid.",),
            ),
            RecipeStep(
                key="drying",
                kind="lyophilization",
                parameters=(
                    ParameterRule(
                        code="shelf_temperature_primary",
                        alert_low="-28",
                        alert_high="-22",
                        action_low="-30",
                        action_high="-20",
                    ),
                    ParameterRule(
                        code="chamber_pressure_primary",
                        alert_low="0.08",
                        alert_high="0.12",
                        action_low="0.067",
                        action_high="0.15",
                    ),
                    ParameterRule(code="product_temperature_max_primary", alert_high="-32", action_high="-31"),
                ),
                equipment_classes=("freeze-dryer",),
                expected_yield=ExpectedYield(low="98", high="100"),
            ),
            RecipeStep(
                key="packing",
                kind="packaging",
                expected_yield=ExpectedYield(low="90", high="100"),
                samples=(SamplePoint(purpose="release", quantity=_amount("36", "{vial}"), stage="start, middle, end"),),
                equipment_classes=("inspection-booth",),
            ),
        ),
        hold_times=tuple(
            HoldTime(after=after, before=before, at_most=_amount(hours, "h"))
            for after, before, hours in (
                ("formulation", "fill", "4"),
                ("fill", "drying", "4"),
                ("drying", "packing", "48"),
            )
        ),
    )


def _amount(value: str, unit: str) -> Amount:
    return Amount(value=value, unit=unit)
