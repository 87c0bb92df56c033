"""From purified bulk to vials that are released, held, recalled or still waiting: the lots that a visitor of the demo finds."""

import random
from collections.abc import Mapping, Sequence
from datetime import timedelta

from sqlmodel import col, select

from api.demo.lab import Lab, Said, Story, readings, taken
from api.demo.laboratory_control import drawn, inoculated, no_growth, read, run_of
from api.demo.panel import METHOD_FOR, panel
from api.demo.products import DemoProduct
from api.demo.upstream import Bulk, figure
from api.demo_files import nanosight_summary
from domain.instruments.imports import ImportNanoSight, import_nanosight
from domain.laboratory.catalogue import TESTS
from domain.laboratory.results import CorrectResult, EnterResult, correct_result, enter_result
from domain.lots.models import Lot, LotKind, Yield
from domain.manufacturing.models import Reading
from domain.manufacturing.readings import correct_reading, log_reading
from domain.manufacturing.step_commands import CorrectReading, Entry, LogReading
from domain.store import reading

K = LotKind
FILTER, DRYING = 0.88, 0.96
"""Share of the particles that pass the sterile filter, and that are found again after drying."""
SAMPLED = 36
"""Vials drawn for release: 10 for sterility, 10 for sub-visible particles, 16 for everything else."""
STERILE, STERILITY_DAYS = 10, 15
"""Vials inoculated, and days after sampling when no growth is stated."""


def pooled(lab: Lab, parts: Sequence[Bulk], day: int) -> Story[Bulk]:
    """Bulks of one donor become one, all but 5 mL of each."""
    given = [part.ml - 5 for part in parts]
    total = sum(given)
    inputs = [taken(part.lot, f"{ml} mL", f"{100 * ml / total:.2f}") for part, ml in zip(parts, given, strict=True)]
    said: dict[str, Said] = {"donors_per_pool": "1", "volume": str(total), "hold_temperature": "-80", "hold_days": "3"}
    lot = yield from lab.step("pooling", lab.at(day, "15:30"), 1.5, inputs, (K.POOLED_BULK, str(total), "mL"), said)
    return Bulk(lot, total, sum(part.per_ml * ml for part, ml in zip(parts, given, strict=True)) / total)


def filled(lab: Lab, product: DemoProduct, of: Bulk, day: int) -> Story[tuple[str, int]]:
    """Formulation and sterile fill on one day; returns the lot of filled vials, and how many."""
    target = product.per_ml / FILTER / DRYING
    volume = int(of.ml * of.per_ml / target)
    inputs = [
        taken(of.lot, f"{of.ml} mL"),
        lab.material("trehalose", f"{0.08 * volume:.1f} g"),
        lab.material("buffer", "0.5 L"),
    ]
    said: dict[str, Said] = {"target_particle_concentration": figure(target), "particle_concentration": figure(target)}
    said |= {
        "lyoprotectant_concentration": "80",
        "buffer": "L-histidine",
        "buffer_concentration": "10",
        "ph": "7.19",
        "osmolality": "289",
        "bioburden": "0",
    }
    made = (K.FORMULATED_BULK, str(volume), "mL")
    formulated = yield from lab.step(
        "formulation", lab.at(day, "07:30"), 2, inputs, made, said, product_code=product.code
    )
    count = (volume - 12) // product.vial_ml
    loaded = count - 6
    pieces = [lab.material(key, f"{count} {{unit}}") for key in ("vials", "stoppers", "seals")]
    inputs = [taken(formulated, f"{volume} mL"), lab.material("filter", "1 {unit}"), *pieces]
    said = {
        "vials_filled": str(count),
        "vials_ipc_used": "4",
        "vials_rejected": "2",
        "vials_loaded": str(loaded),
        "interventions": "1",
    }
    said |= {
        "fill_volume_target": f"{product.vial_ml}.0",
        "fill_volume": f"{product.vial_ml * 1.004:.2f}",
        "fill_weight": f"{product.vial_ml * 1.03:.2f}",
    }
    said |= {
        "filter_integrity_pre_use": "pass",
        "bubble_point": "3450",
        "particle_recovery": f"{100 * FILTER:.0f}",
        "aseptic_time_limit": "8",
    }
    said |= dict.fromkeys(("em_air", "em_settle", "em_contact", "em_glove"), "0") | {
        "airborne_05_um": "410",
        "airborne_5_um": "2",
    }
    made = (K.FILLED_VIALS, str(loaded), "{vial}")
    return (yield from lab.step("fill", lab.at(day, "10:30"), 4, inputs, made, said, product_code=product.code)), loaded


CYCLE: dict[str, Said] = {
    "recipe_version": "LYO-05 v3", "load_to_freeze_wait": "1.0", "shelf_temperature_load": "5", "freezing_ramp": "0.5", "freezing_time": "3",
    "time_primary": "42", "product_temperature_max_primary": "-34.2", "critical_temperature": "-29", "soak_share": "15",
    "condenser_temperature": "-76",
    "secondary_ramp": "0.1", "chamber_pressure_secondary": "0.100", "time_secondary": "6", "alarms": "none",
}  # fmt: skip
SHORT_SOAK = Entry(
    parameter="soak_share",
    value="6",
    unit="%",
    comment="vacuum pump tripped during the soak; secondary drying was started early",
)


def packed(
    lab: Lab, product: DemoProduct, vials: tuple[str, int], day: int, cycle: Mapping[str, Said] = CYCLE
) -> Story[str]:
    """Drying from the evening of `day`, packaging three days later; returns the lot of drug product."""
    lot, count = vials
    loaded = f"{count} {{vial}}"
    start = lab.at(day, "16:00")
    dried = yield from lab.step(
        "lyophilization",
        start,
        63,
        [taken(lot, loaded)],
        (K.LYOPHILIZED_VIALS, str(count), "{vial}"),
        cycle,
        product_code=product.code,
    )
    good = count - 3
    said: dict[str, Said] = {
        "vials_inspected": str(count),
        "vials_accepted": str(good),
        "rejected_major": "1",
        "rejected_minor": "2",
        "raised_stoppers": "0",
    }
    said |= {
        "labels_printed": str(good + 9),
        "labels_applied": str(good),
        "labels_destroyed": "8",
        "labels_sample_attached": "1",
    }
    said |= {
        "label_template": f"LBL-{product.code} v2",
        "retention_samples": "12",
        "cci_method": "headspace_laser",
        "cci": "pass",
        "cake_appearance": "intact",
    }
    said |= {"headspace_oxygen": "0.6", "headspace_pressure": "800"}
    made = (K.DRUG_PRODUCT, str(good), "{vial}")
    return (
        yield from lab.step(
            "packaging", lab.at(day + 3, "09:00"), 5, [taken(dried, loaded)], made, said, product_code=product.code
        )
    )


def analysed(
    lab: Lab, product: DemoProduct, lot: str, day: int, seed: int, *,
    instead: Mapping[str, tuple[str, ...]] | None = None, slip: bool = False, until: int = 99,
) -> Story[str]:  # fmt: skip
    """Sampled on `day`, tested as the results come in; returns the sample's number.

    instead: replicates that are out of the ordinary. slip: a pH is transcribed wrongly, and corrected. until: how many days are told.
    """
    chance = random.Random(seed)  # noqa: S311 - invented data, no secret
    yield lab.at(day, "14:30")
    sample = drawn(lab, product, lot, SAMPLED)
    yield lab.at(day + 1, "09:00")
    inoculated(lab, sample, STERILE)
    lines = panel(product)
    for after in sorted({line.days for line in lines if line.days <= until} | ({8} if until > 8 else set())):
        yield lab.at(day + after, "10:00")
        if after < STERILITY_DAYS:
            read(lab, sample)
        for line in lines:
            test = line.criterion.test_code
            if line.days != after or TESTS[test].derived:
                continue
            if test == "SIZE-DIST":
                _measured(lab, product, sample, seed)
            elif test == "STER":
                no_growth(lab, sample)
            elif test == "ENDO":
                run_of(lab, sample, test, line.replicates(chance), fails_first=slip)
            elif test != "PART-CONC":
                found = (instead or {}).get(test) or line.replicates(chance)
                _entered(lab, sample, test, found, lab.now - timedelta(minutes=50), slip=slip and test == "PH")
    return sample


def _measured(lab: Lab, product: DemoProduct, sample: str, seed: int) -> None:
    """The instrument writes its file, and its account imports it."""
    lab.now += timedelta(minutes=12)
    per_ml = product.per_ml * random.Random(seed).uniform(0.96, 1.05)  # noqa: S311 - invented data
    data = nanosight_summary(
        mode_nm=product.mode_nm, concentration_per_ml=per_ml, dilution=100, runs=5, seed=seed, sample=sample,
        captured_at=lab.now.astimezone(lab.real.zone),
    )  # fmt: skip
    command = ImportNanoSight(
        sample_number=sample,
        file_name=f"{sample}-ExperimentSummary.csv",
        data=data,
        concentration_method=METHOD_FOR["PART-CONC"],
        size_method=METHOD_FOR["SIZE-DIST"],
    )
    lab.act("nanosight", import_nanosight, command)


def _entered(lab: Lab, sample: str, test: str, found: tuple[str, ...], started: object, *, slip: bool) -> None:
    facts = {"unit": TESTS[test].unit, "started_at": started, "finished_at": lab.now}
    typed = ("7.91", *found[1:]) if slip else found
    command = EnterResult.model_validate(
        {"sample_number": sample, "method_code": METHOD_FOR[test], "replicates": typed} | facts
    )
    result = lab.act("ben", enter_result, command)
    if slip:
        reason = f"first replicate transcribed wrongly: the print-out of the pH meter says {found[0]}, not 7.91"
        correction = CorrectResult.model_validate(
            {"result_id": result.key, "reason": reason, "replicates": found} | facts
        )
        lab.act("ben", correct_result, correction)


def fill_weight_corrected(lab: Lab, vials: str, right: str) -> None:
    """The head of production corrects a misread digit in the batch record."""
    with reading(lab.site.engine) as session:
        found = (
            select(Reading)
            .join(Yield, col(Yield.step_id) == Reading.step_id)
            .join(Lot, col(Yield.lot_id) == Lot.id)
            .where(Lot.lot_number == vials, Reading.parameter == "fill_weight")
        )
        typed = session.exec(found).one()
    reason = f"last digit misread; the print-out of scale W-3 says {right} g"
    lab.act("tom", correct_reading, CorrectReading(reading_id=typed.key, value=right, unit="g", reason=reason))


def drying(lab: Lab, product: DemoProduct, vials: tuple[str, int], day: int) -> Story[None]:
    """A freeze dryer that is running now: readings come in, and the step is open."""
    lot, count = vials
    yield lab.at(day, "16:00")
    at_start = {code: CYCLE[code] for code in ("recipe_version", "shelf_temperature_load")} | {"leak_rate": "0.008"}
    step, _ = lab.begin(
        "lyophilization",
        [taken(lot, f"{count} {{vial}}")],
        K.LYOPHILIZED_VIALS,
        "{vial}",
        said=at_start,
        product_code=product.code,
    )
    for hours, code, value in (
        (1, "load_to_freeze_wait", "1.0"),
        (5, "shelf_temperature_freezing", "-45"),
        (14, "shelf_temperature_primary", "-25"),
    ):
        yield lab.at(day, "16:00") + timedelta(hours=hours)
        (entry,) = (one for one in readings("lyophilization", {code: value}) if one.parameter == code)
        lab.act("tom", log_reading, LogReading(step_number=step, entry=entry))
