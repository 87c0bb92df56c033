"""From donor to purified bulk in the demo laboratory: cell banks, cultures, harvests."""

import random
from dataclasses import dataclass
from datetime import timedelta

from api.demo.lab import Lab, Said, Story, credentials, taken
from api.demo.laboratory_control import contracted, sent_out
from api.demo.opening import accepted
from api.demo.panel import METHOD_FOR
from api.demo.products import DemoProduct
from domain.disposition.queries import sample_file
from domain.laboratory.catalogue import TESTS
from domain.laboratory.results import EnterResult, enter_result
from domain.laboratory.reviewing import ReviewResults, review_results
from domain.laboratory.samples import DrawSample, draw_sample
from domain.lots.models import LotKind
from domain.lots.operations import Amount
from domain.manufacturing.donors import (
    DecideEligibility,
    MarkerEntry,
    RecordMarkers,
    RegisterDonor,
    decide_eligibility,
    record_markers,
    register_donor,
)
from domain.manufacturing.models import MINIMUM_PANEL, ConsentScope, Eligibility, Marker, MarkerVerdict, Tissue
from domain.manufacturing.step_commands import Entry
from domain.store import reading

K = LotKind
CELLS = "10*6.{cells}"
_NAT = (Marker.HIV_NAT, Marker.HBV_NAT, Marker.HCV_NAT, Marker.HTLV)


@dataclass(frozen=True, slots=True)
class Bulk:
    """Purified bulk: what is there to be formulated, mL, and {particles}/mL."""

    lot: str
    ml: int
    per_ml: float


def figure(number: float, places: int = 2) -> str:
    """A large number as people write it: `3.21E10`."""
    mantissa, exponent = f"{number:.{places}E}".split("E")
    return f"{mantissa}E{int(exponent)}"


def banks(lab: Lab, product: DemoProduct, day: int) -> Story[None]:
    """The donor's cells as master and working bank; the working bank may be used from `day` + 38 on."""
    donation = yield from _donated(lab, product, day)
    start = lab.at(day, "09:00") + timedelta(hours=float(product.isolation["procurement_to_processing"]))
    inputs = [taken(donation, " ".join(product.donation))]
    inputs += [lab.material("enzyme", "0.2 g")] if product.isolation["method"] == "enzymatic" else []
    made = (K.ISOLATED_CELLS, product.isolation["nucleated_cells"], CELLS)
    cells = yield from lab.step("isolation", start, 4, inputs, made, product.isolation)
    yield lab.at(day + 2, "13:00")
    _found_eligible(lab, product, donation)
    banked: dict[str, Said] = {
        "bank_tier": "master",
        "passage_number": "1",
        "population_doublings": "4.8",
        "vials_made": "60",
    }
    banked |= {"viability_post_thaw": "90", "dmso": "10", "cooling_rate": "1"}
    inputs = [taken(cells, f"{made[1]} {CELLS}"), lab.material("cryo", "0.1 L")]
    master = yield from lab.step(
        "banking", lab.at(14 + day, "08:00"), 6, inputs, (K.MASTER_CELL_BANK, "60", "{vial}"), banked
    )
    yield from _bank_tested(lab, master, 14 + day, ("STER-R", "MYCO", "VIRUS"))
    banked |= {"bank_tier": "working", "passage_number": "3", "population_doublings": "10.3", "vials_made": "80"}
    inputs = [
        taken(master, "2 {vial}"),
        lab.material("medium", "1.2 L"),
        lab.material("lysate", "60 mL"),
        lab.material("cryo", "0.1 L"),
    ]
    working = yield from lab.step(
        "banking", lab.at(28, "08:00"), 100, inputs, (K.WORKING_CELL_BANK, "80", "{vial}"), banked
    )
    yield from _bank_tested(lab, working, 32, ("STER-R", "MYCO"))
    lab.banks[product.code] = working


def _donated(lab: Lab, product: DemoProduct, day: int) -> Story[str]:
    yield lab.at(day, "08:15")
    command = RegisterDonor(
        pseudonym=product.donor,
        tissue=product.tissue,
        age_years=product.age,
        consent_id=f"CONS-{product.donor[2:]}",
        consent_version="3",
        consent_scope=ConsentScope.COMMERCIAL,
    )
    lab.act("tom", register_donor, command)
    made = (K.DONATION, *product.donation)
    return (
        yield from lab.step("procurement", lab.at(day, "09:00"), 1, [], made, product.procurement, donor=product.donor)
    )


def _found_eligible(lab: Lab, product: DemoProduct, donation: str) -> None:
    """The panel comes from the blood bank; QA decides, and releases the donation."""
    drawn = lab.now.date() - timedelta(days=2)
    found = dict.fromkeys((*MINIMUM_PANEL, *_NAT, Marker.CMV), MarkerVerdict.NEGATIVE)
    reason = "consent complete, panel negative"
    if product.tissue is Tissue.ADIPOSE:
        found[Marker.CMV] = MarkerVerdict.POSITIVE
        reason = "consent complete; CMV IgG without acute infection, judged acceptable by the responsible physician"
    entries = tuple(MarkerEntry(marker=marker, verdict=verdict, sampled_on=drawn) for marker, verdict in found.items())
    lab.act(
        "tom",
        record_markers,
        RecordMarkers(pseudonym=product.donor, laboratory="Blutspendedienst Havelland", results=entries),
    )
    decision = DecideEligibility(
        pseudonym=product.donor, decision=Eligibility.ELIGIBLE, reason=reason, credentials=credentials("quentin")
    )
    lab.act("quentin", decide_eligibility, decision)
    accepted(lab, donation, "documents complete, donor eligible")


def _bank_tested(lab: Lab, bank: str, day: int, tests: tuple[str, ...]) -> Story[None]:
    """A bank is sampled on the day it is frozen, tested within a week, reviewed, and released for use."""
    yield lab.at(day, "15:00")
    sample = lab.act(
        "ben",
        draw_sample,
        DrawSample(lot_number=bank, quantity=Amount(value="4", unit="{vial}"), purpose="bank release"),
    ).number
    started = lab.now
    if "VIRUS" in tests:
        sent_out(lab, sample)
    yield lab.at(day + 7, "15:30")
    for test in tests:
        if test == "VIRUS":
            contracted(lab, sample, started)
            continue
        word = "no growth" if test == "STER-R" else "not detected"
        command = EnterResult(
            sample_number=sample,
            method_code=METHOD_FOR[test],
            replicates=(word,),
            unit=TESTS[test].unit,
            started_at=started,
            finished_at=lab.now,
        )
        lab.act("ben", enter_result, command)
    reviewed(lab, sample)
    accepted(lab, bank, "bank tests comply")


def reviewed(lab: Lab, sample: str) -> None:
    """The head of QC reviews every result of a sample that nobody has reviewed yet."""
    with reading(lab.site.engine) as session:
        _, results = sample_file(session, sample)
    ids = tuple(result.id for result in results if result.reviewer is None)
    lab.act(
        "rhea", review_results, ReviewResults(sample_number=sample, result_ids=ids, credentials=credentials("rhea"))
    )


def bulk(lab: Lab, product: DemoProduct, day: int, seed: int, *, busy: bool = False) -> Story[Bulk]:
    """Four vials of the working bank become about 230 mL of purified bulk, eleven days after the thaw on `day`.

    busy: a week with an unusual confluence, and a reading that was written down late.
    """
    chance = random.Random(seed)  # noqa: S311 - invented data, no secret
    start = lab.at(day, "08:30")
    yield start
    inputs = [lab.material("medium", "1.5 L"), lab.material("lysate", "75 mL")]
    seed_culture = yield from lab.step(
        "expansion",
        start,
        96,
        [taken(lab.banks[product.code], "4 {vial}"), *inputs],
        (K.CULTURE, "242", CELLS),
        _expansion(4, "14.1"),
    )
    cells = chance.uniform(2850, 3050)
    said = _expansion(5, "18.0", area="63600")
    if busy:
        said["confluence"] = Entry(
            parameter="confluence", value="92", unit="%", comment="two of ten stacks ahead; harvested at once"
        )
    inputs = [taken(seed_culture, f"242 {CELLS}"), lab.material("medium", "13 L"), lab.material("lysate", "650 mL")]
    culture = yield from lab.step(
        "expansion", lab.at(day + 4, "13:00"), 96, inputs, (K.CULTURE, f"{cells:.0f}", CELLS), said
    )
    alive = cells * chance.uniform(0.94, 0.97)
    collected: dict[str, Said] = {
        "viability_end": f"{chance.uniform(93.5, 96):.1f}",
        "particle_blank": "2.1E7",
        "o2": "5",
        "priming_agent": "none",
    }
    collected |= {"viable_cells_start": f"{cells:.0f}", "viable_cells_end": f"{alive:.0f}"}
    inputs = [taken(culture, f"{cells:.0f} {CELLS}"), lab.material("collection", "10 L")]
    medium = yield from lab.step(
        "conditioning", lab.at(day + 8, "15:00"), 48, inputs, (K.CONDITIONED_MEDIUM, "9.8", "L"), collected
    )
    return (
        yield from _purified(
            lab, medium, day + 10, alive * 1e6 * chance.uniform(3400, 3700), chance.uniform(0.71, 0.76), late=busy
        )
    )


def _expansion(passage: int, doublings: str, area: str = "6360") -> dict[str, Said]:
    said: dict[str, Said] = {"passage_number": str(passage), "population_doublings": doublings, "vessel_area": area}
    said |= {
        "supplement": "hpl",
        "days_per_passage": "4",
        "seeding_density": "2900",
        "viability": "97.2",
        "morphology": "spindle-shaped, adherent",
    }
    return said | ({"viability_post_thaw": "89"} if passage == 4 else {})


def _purified(lab: Lab, medium: str, day: int, particles: float, recovery: float, *, late: bool) -> Story[Bulk]:
    """Harvest, clarification and tangential flow filtration; particles: in the harvest of 9.6 L."""
    said: dict[str, Said] = {
        "volume": "9.6",
        "hold_time": "1.5",
        "hold_temperature": "5",
        "particle_concentration": figure(particles / 9600),
    }
    harvest = yield from lab.step(
        "harvest", lab.at(day, "15:30"), 1, [taken(medium, "9.8 L")], (K.HARVEST, "9.6", "L"), said
    )
    said = {
        "spin_2_rcf": "2000",
        "spin_2_time": "20",
        "filter_area": "0.12",
        "filter_load": "80",
        "filter_pressure_drop": "0.4",
        "volume_out": "9.3",
    }
    clear = yield from lab.step(
        "clarification", lab.at(day, "17:00"), 2, [taken(harvest, "9.6 L")], (K.CLARIFIED_HARVEST, "9.3", "L"), said
    )
    start, ml = lab.at(day + 1, "08:30"), 232
    said = {
        "membrane": "mPES hollow fibre",
        "membrane_area": "0.14",
        "membrane_reuse": "0",
        "concentration_factor": "40",
        "shear_rate": "4000",
    }
    said |= {
        "flux": "31",
        "integrity_pre_use": "pass",
        "step_recovery": f"{100 * recovery:.0f}",
        "protein_reduction": "96",
    }
    if late:
        at = start + timedelta(hours=1)
        said["flux"] = Entry(
            parameter="flux", value="31", unit="L/(m2.h)", happened_at=at, comment="network down; from the paper log"
        )
    inputs = [taken(clear, "9.3 L"), lab.material("membrane", "1 {unit}"), lab.material("buffer", "2 L")]
    lot = yield from lab.step("purification", start, 6, inputs, (K.PURIFIED_BULK, str(ml), "mL"), said)
    return Bulk(lot, ml, particles * 0.97 * (9.3 / 9.6) * recovery / ml)
