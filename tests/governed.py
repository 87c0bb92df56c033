"""A product under an approved recipe, with equipment, trained people and documented materials: the short way for tests of control."""

from datetime import date, timedelta
from typing import Any

from domain.equipment.models import EventKind, Finding
from domain.equipment.register import LogEquipmentEvent, RegisterEquipment, register_equipment
from domain.manufacturing.completing import Explained
from domain.manufacturing.equipment_use import log_equipment_event
from domain.manufacturing.execution_models import AnimalOrigin
from domain.manufacturing.materials import FilePapers, file_papers
from domain.manufacturing.recipe_models import (
    BillLine,
    ExpectedYield,
    HoldTime,
    ParameterRule,
    Recipe,
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
from domain.manufacturing.step_commands import Entry
from domain.manufacturing.verifying import VerifyReadings, VerifyStart, verify_readings, verify_start
from domain.people.training import RecordTraining, TrainedFor, record_training
from domain.work import Site
from tests import build
from tests.build import Done, K, amount
from tests.cast import act, credentials, raw

RECIPE, PRODUCT = "MBR-UC-EV-50", "UC-EV-50"
#: The purified bulk and the buffer that the stage `governed` leaves.
BULK, BUFFER = "PB26-0001", "Histidine buffer 10 mmol/L"
CLEARED = "Room and line free of other products, materials and papers; clean."
EQUIPMENT = {"MV-5": "mixing-vessel", "FL-1": "filling-line", "FD-2": "freeze-dryer", "B1": "room-B"}
_WITH = {"formulation": ("MV-5", "B1"), "fill": ("FL-1", "B1"), "lyophilization": ("FD-2",), "packaging": ()}


def content(**differing: Any) -> RecipeContent:
    """Formulation, fill, drying, packaging. differing: fields of steps by their key (`fill={"expected_yield": None}`), or `hold_times`."""
    steps: dict[str, dict[str, Any]] = {
        "formulation": {
            "kind": "formulation",
            "instruction": "Mix the bulk with the buffer.",
            "parameters": (
                ParameterRule(code="ph", alert_low="7.0", alert_high="7.4", action_low="6.9", action_high="7.5"),
                ParameterRule(code="osmolality", alert_high="340"),
            ),
            "materials": (BillLine(material=BUFFER, quantity=amount("100", "mL"), tolerance="5"),),
            "equipment_classes": ("mixing-vessel",),
            "room_classes": ("room-B",),
        },
        "fill": {
            "kind": "fill",
            "equipment_classes": ("filling-line",),
            "statements": ("Aseptic process simulation valid.",),
        },
        "drying": {"kind": "lyophilization", "equipment_classes": ("freeze-dryer",)},
        "packing": {
            "kind": "packaging",
            "expected_yield": ExpectedYield(low="90", high="100"),
            "samples": (SamplePoint(purpose="release", quantity=amount("10", "{vial}")),),
        },
    }
    holds = (HoldTime(after="formulation", before="fill", at_most=amount("4", "h")),)
    made = tuple(RecipeStep(key=key, **said | differing.get(key, {})) for key, said in steps.items())
    return RecipeContent(steps=made, hold_times=differing.get("hold_times", holds))


def drafted(site: Site, said: RecipeContent | None = None, on: date | None = None, **more: Any) -> Recipe:
    """A draft by Ann, the head of production."""
    facts = {"code": RECIPE, "product_code": PRODUCT, "reason": "first version"} | more
    command = DraftRecipe(**facts, effective_from=on or site.today(), content=said or content())
    return act(site, "ann", draft_recipe, command)


def approved(site: Site, said: RecipeContent | None = None, on: date | None = None, **more: Any) -> Recipe:
    """A version that Rhea reviewed and Cleo approved."""
    recipe = drafted(site, said, on, **more)
    place: dict[str, Any] = {"code": recipe.code, "revision": recipe.revision}
    act(site, "rhea", review_recipe, ReviewRecipe(**place, credentials=credentials("rhea")))
    act(site, "cleo", approve_recipe, ApproveRecipe(**place, credentials=credentials("cleo")))
    return recipe


def equipped(site: Site, codes: dict[str, str] | None = None) -> None:
    """Equipment in the register, calibrated and maintained for a year."""
    for code, of_class in (codes or EQUIPMENT).items():
        said = {"code": code, "name": of_class, "equipment_class": of_class, "serial": f"SN-{code}", "location": "B1"}
        act(site, "ann", register_equipment, RegisterEquipment(**said))
        for kind in (EventKind.CALIBRATION, EventKind.MAINTENANCE):
            serviced(site, code, kind)


def serviced(
    site: Site, code: str, kind: EventKind = EventKind.CALIBRATION, days: int = 365, finding: Finding | None = None,
    **more: Any,
) -> None:  # fmt: skip
    """A calibration or maintenance of today; the next is due after so many days, unless it was found out of tolerance."""
    found = (finding or Finding.WITHIN) if kind is EventKind.CALIBRATION else None
    due = None if found is Finding.OUT else site.today() + timedelta(days=days)
    command = LogEquipmentEvent(
        code=code, kind=kind, finding=found, next_due=due, performed_by="Service company", **more
    )
    act(site, "ann", log_equipment_event, command)


def trained(site: Site, username: str, *kinds: str, days: int = 365) -> None:
    """Somebody's training for kinds of step, from today on."""
    trainer = "ann" if username != "ann" else "tom"
    for kind in kinds:
        command = RecordTraining(
            username=username,
            subject=TrainedFor.STEP,
            code=kind,
            trained_on=site.today(),
            valid_until=site.today() + timedelta(days=days),
            trainer=trainer,
            evidence="TR-2026-014",
        )
        act(site, "rhea", record_training, command)


def documented(site: Site, name: str = BUFFER, quantity: tuple[str, str] = ("1", "L"), **more: Any) -> str:
    """A released raw material with its papers; returns its lot number."""
    number = build.released_material(site, name, quantity, **more)
    papers(site, number)
    return number


def papers(site: Site, number: str, **more: Any) -> None:
    """The supplier's certificate, and the statement that nothing of an animal is in it."""
    said = {"origin": AnimalOrigin.NONE, "file_name": "coa.pdf", "data": b"%PDF-1.7 certificate"} | more
    act(site, "tom", file_papers, FilePapers(lot_number=number, **said))


def furnished(site: Site) -> None:
    """What the stage `governed` begins with: product, recipe, equipment, training, a bulk and a buffer."""
    build.new_product(site)
    build.approved_specification(site)
    assert build.bulk(site, build.bank(site)) == BULK
    approved(site)
    equipped(site)
    for who in ("tom", "ann"):
        trained(site, who, *_WITH)
    documented(site)


def buffer_of(site: Site) -> str:
    """The lot number of the buffer that the stage has."""
    (number,) = raw(site, "SELECT lot_number FROM lot WHERE description = :name ORDER BY id", name=BUFFER)[0]
    return str(number)


def start(site: Site, kind: str, taken: dict[str, tuple[str, str]], who: str = "tom", **more: Any) -> Done:
    """A step under the recipe, begun with what it needs."""
    unit = "mL" if kind == "formulation" else "{vial}"
    made = {
        "formulation": K.FORMULATED_BULK,
        "fill": K.FILLED_VIALS,
        "lyophilization": K.LYOPHILIZED_VIALS,
        "packaging": K.DRUG_PRODUCT,
    }
    said: dict[str, Any] = {"equipment_codes": _WITH[kind], "clearance": CLEARED, "product_code": PRODUCT}
    return build.begun(site, kind, taken, [(made[kind], unit)], who=who, **said | more)


def formulation(site: Site, **more: Any) -> Done:
    """The formulation, begun."""
    taken = more.pop("taken", {BULK: ("100", "mL"), buffer_of(site): ("100", "mL")})
    return start(site, "formulation", taken, **more)


def seen(site: Site, step: Done, who: str = "ann") -> Done:
    """A second person verifies the start."""
    act(site, who, verify_start, VerifyStart(step_number=step.step, credentials=credentials(who)))
    return step


def verified(site: Site, step: Done, who: str = "ann") -> Done:
    """A second person verifies every reading of a step."""
    found = raw(
        site,
        "SELECT r.id FROM reading r JOIN step s ON s.id = r.step_id WHERE s.number = :step"
        " AND NOT EXISTS (SELECT 1 FROM reading n WHERE n.replaces_id = r.id)",
        step=step.step,
    )
    ids = tuple(row[0] for row in found)
    command = VerifyReadings(step_number=step.step, reading_ids=ids, credentials=credentials(who))
    act(site, who, verify_readings, command)
    return step


def end(site: Site, step: Done, quantity: tuple[str, str], readings: tuple[Entry, ...], **more: Any) -> Done:
    """The step, completed."""
    return build.ended(site, step, [quantity], readings, **more)


def formulated(site: Site, **more: Any) -> str:
    """A complete, verified formulation of 210 mL; returns its lot."""
    return verified(
        site,
        end(site, seen(site, formulation(site, **more)), ("210", "mL"), build.readings_for("formulation", ph="7.2")),
    ).lot


def explained(parameter: str, reason: str = "the probe broke, the batch was not stopped") -> Explained:
    """A reason for what is missing, or does not balance."""
    return Explained(parameter=parameter, reason=reason)


def drug_product(site: Site) -> str:
    """All four steps, verified; returns the lot."""
    loaded = next(entry.value for entry in build.readings_for("fill") if entry.parameter == "vials_loaded")
    passed = next(entry.value for entry in build.readings_for("packaging") if entry.parameter == "vials_accepted")
    lot, taken = formulated(site), ("210", "mL")
    for kind, made in (("fill", loaded), ("lyophilization", loaded), ("packaging", passed)):
        step = seen(site, start(site, kind, {lot: taken}))
        lot, taken = verified(site, end(site, step, (made, "{vial}"), build.readings_for(kind))).lot, (made, "{vial}")
    return lot


def deviations(site: Site) -> list[str]:
    """The codes of all deviations, oldest first."""
    return [str(row[0]) for row in raw(site, "SELECT code FROM deviation ORDER BY id")]
