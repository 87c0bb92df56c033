"""From donor to released drug product in few lines, through the real acts; a test says only what differs.

Every builder takes the site (with the cast in it) and gives numbers or small values, never rows. Nothing moves the clock but `tested`,
which waits the fourteen days of a sterility test.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import count
from typing import Any

from sqlmodel import select

from domain.certificates.models import Certificate
from domain.disposition.decisions import (
    AcceptLot,
    ConfirmManufacture,
    ReleaseConditionally,
    ReleaseLot,
    SubmitLot,
    accept_lot,
    confirm_manufacture,
    release_conditionally,
    release_lot,
    submit_lot,
)
from domain.disposition.product_changes import (
    DecideProductChange,
    ProposeProductChange,
    decide_product_change,
    propose_product_change,
)
from domain.errors import Conflict
from domain.laboratory.catalogue import TESTS
from domain.laboratory.defining import DefineMethod, define_method
from domain.laboratory.models import Purpose
from domain.laboratory.results import EnterResult, enter_result
from domain.laboratory.reviewing import ReviewResults, review_results
from domain.laboratory.samples import DrawSample, draw_sample
from domain.laboratory.specifications import (
    ApproveSpecification,
    DraftSpecification,
    LineDraft,
    approve_specification,
    draft_specification,
)
from domain.laboratory.verdict import CriterionKind
from domain.lots.models import Lot, LotKind, RegulatoryStatus, Route
from domain.lots.operations import Amount, DefineProduct, ReceiveMaterial, define_product, receive_material
from domain.manufacturing.catalogue import step_kind
from domain.manufacturing.donors import (
    DecideEligibility,
    MarkerEntry,
    RecordMarkers,
    RegisterDonor,
    decide_eligibility,
    record_markers,
    register_donor,
)
from domain.manufacturing.ending import complete_step
from domain.manufacturing.models import MINIMUM_PANEL, ConsentScope, Eligibility, Marker, MarkerVerdict, Tissue
from domain.manufacturing.readings import yielded
from domain.manufacturing.step_commands import CompleteStep, Entry, Input, Measured, Output, StartStep
from domain.manufacturing.steps import start_step
from domain.store import reading
from domain.work import Site
from tests.cast import Clock, act, credentials

K = LotKind
Quantity = tuple[str, str]
_pseudonyms = count(1)


def amount(value: str, unit: str) -> Amount:
    """`amount("12.5", "mL")`."""
    return Amount(value=value, unit=unit)


def lot(site: Site, number: str) -> Lot:
    """The row of a lot, as it is now."""
    with reading(site.engine) as session:
        return session.exec(select(Lot).where(Lot.lot_number == number)).one()


# --- what comes in -----------------------------------------------------------------------------------------------


def donor(site: Site, pseudonym: str | None = None, **differing: Any) -> str:
    """A registered donor of umbilical cord, with nothing decided; returns the pseudonym."""
    said: dict[str, Any] = {
        "pseudonym": pseudonym or f"D-2026-{next(_pseudonyms):04d}",
        "tissue": Tissue.UMBILICAL_CORD,
        "age_years": 31,
        "consent_id": "C-118",
        "consent_version": "3",
        "consent_scope": ConsentScope.COMMERCIAL,
    }
    command = RegisterDonor(**said | differing)
    return act(site, "tom", register_donor, command).pseudonym


def markers(
    site: Site, pseudonym: str, verdicts: Mapping[Marker, MarkerVerdict] | None = None, sampled_on: date | None = None
) -> None:
    """The infection panel of a donor: the minimum panel, all negative, unless told otherwise."""
    found = verdicts if verdicts is not None else dict.fromkeys(MINIMUM_PANEL, MarkerVerdict.NEGATIVE)
    on = sampled_on or site.today()
    entries = tuple(MarkerEntry(marker=marker, verdict=said, sampled_on=on) for marker, said in found.items())
    act(site, "tom", record_markers, RecordMarkers(pseudonym=pseudonym, laboratory="Blood bank", results=entries))


def decided(site: Site, pseudonym: str, decision: Eligibility = Eligibility.ELIGIBLE, who: str = "cleo") -> None:
    """QA's decision on a donor."""
    said = {"decision": decision, "reason": "panel and consent looked at", "credentials": credentials(who)}
    act(site, who, decide_eligibility, DecideEligibility(pseudonym=pseudonym, **said))


def eligible_donor(site: Site, pseudonym: str | None = None, **differing: Any) -> str:
    """A donor with a negative panel of today, found eligible."""
    name = donor(site, pseudonym, **differing)
    markers(site, name)
    decided(site, name)
    return name


def material(site: Site, name: str = "DMEM/F12, xeno-free", quantity: Quantity = ("10", "L"), **differing: Any) -> str:
    """A raw material in quarantine; returns its lot number."""
    said: dict[str, Any] = {
        "material": name,
        "supplier": "Biowest",
        "supplier_lot_number": "MX-4471",
        "quantity": amount(*quantity),
        "expires_on": site.today() + timedelta(days=365),
    }
    return act(site, "tom", receive_material, ReceiveMaterial(**said | differing)).lot_number


def accepted(site: Site, number: str, who: str = "cleo") -> str:
    """QA releases an input for use; returns its lot number."""
    act(site, who, accept_lot, AcceptLot(lot_number=number, reason="complies", credentials=credentials(who)))
    return number


def released_material(
    site: Site, name: str = "DMEM/F12, xeno-free", quantity: Quantity = ("10", "L"), **more: Any
) -> str:
    """A raw material that may be used."""
    return accepted(site, material(site, name, quantity, **more))


# --- steps -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Done:
    """A complete step and the lots it gave."""

    step: str
    lots: tuple[str, ...]

    @property
    def lot(self) -> str:
        """The only lot."""
        (only,) = self.lots
        return only


def readings_for(kind: str, **differing: str | Quantity | Entry | None) -> tuple[Entry, ...]:
    """Everything a step of the kind must record, with the catalogue's examples.

    differing: `ph="7.4"`, `volume=("2", "L")`, a whole `Entry`, or None to leave one out; optional parameters can be added.
    """
    parameters = {parameter.code: parameter for parameter in step_kind(kind).parameters}
    chosen = {
        code: differing.get(code) or parameter.example for code, parameter in parameters.items() if parameter.required
    }
    wanted = [
        code
        for code, parameter in parameters.items()
        if code in differing
        or parameter.required
        or any(chosen.get(key) in choices for key, choices in parameter.needed_when.items())
    ]
    entries = []
    for code in [*wanted, *(code for code in differing if code not in parameters)]:
        said = differing.get(code, parameters[code].example if code in parameters else None)
        if isinstance(said, Entry):
            entries.append(said)
        elif said is not None:
            value, unit = said if isinstance(said, tuple) else (said, _unit(parameters.get(code)))
            entries.append(Entry(parameter=code, value=value, unit=unit))
    return tuple(entries)


def _unit(parameter: Any) -> str | None:
    return None if parameter is None else parameter.example_unit or parameter.unit


def begun(
    site: Site,
    kind: str,
    inputs: Mapping[str, Quantity] | Sequence[Input] = (),
    outputs: Sequence[tuple[LotKind, str]] = (),
    *,
    who: str = "tom",
    **more: Any,
) -> Done:
    """A started step; its lots have numbers, and no quantity yet."""
    given = (
        tuple(Input(lot_number=number, quantity=amount(*taken)) for number, taken in inputs.items())
        if isinstance(inputs, Mapping)
        else tuple(inputs)
    )
    wanted = tuple(Output(kind=what, unit=unit) for what, unit in outputs)
    command = StartStep(kind=kind, location="Clean room B2", inputs=given, outputs=wanted, **more)
    number = act(site, who, start_step, command).number
    return Done(number, lots_of(site, number))


def lots_of(site: Site, step: str) -> tuple[str, ...]:
    """The lots that a step gives."""
    from domain.manufacturing.models import Step

    with reading(site.engine) as session:
        found = session.exec(select(Step).where(Step.number == step)).one()
        return tuple(one.lot_number for one in yielded(session, found.key))


def ended(
    site: Site,
    begun_step: Done,
    quantities: Sequence[Quantity],
    readings: tuple[Entry, ...],
    *,
    who: str = "tom",
    **more: Any,
) -> Done:
    """Complete a begun step: what came out of it, and its readings."""
    outputs = tuple(
        Measured(lot_number=number, quantity=amount(*quantity))
        for number, quantity in zip(begun_step.lots, quantities, strict=True)
    )
    act(site, who, complete_step, CompleteStep(step_number=begun_step.step, outputs=outputs, readings=readings, **more))
    return begun_step


def step(
    site: Site,
    kind: str,
    inputs: Mapping[str, Quantity] | Sequence[Input],
    outputs: Sequence[tuple[LotKind, str, str]],
    *,
    who: str = "tom",
    product: str | None = None,
    from_donor: str | None = None,
    comment: str = "",
    **differing: Any,
) -> Done:
    """One step from start to end: `step(site, "harvest", {medium: ("2", "L")}, [(K.HARVEST, "2", "L")], volume=("2", "L"))`."""
    wanted = [(what, unit) for what, _, unit in outputs]
    started = begun(site, kind, inputs, wanted, who=who, product_code=product, donor=from_donor)
    quantities = [(value, unit) for _, value, unit in outputs]
    return ended(site, started, quantities, readings_for(kind, **differing), who=who, comment=comment)


def donation(site: Site, from_donor: str | None = None, **differing: Any) -> str:
    """The cord of an eligible donor, 40 g, in quarantine; returns the lot number."""
    source = from_donor or eligible_donor(site)
    return step(site, "procurement", {}, [(K.DONATION, "40", "g")], from_donor=source, **differing).lot


def cells(site: Site, from_donation: str, **differing: Any) -> str:
    """All of a donation becomes 35 million cells."""
    made = [(K.ISOLATED_CELLS, "35", "10*6.{cells}")]
    return step(site, "isolation", {from_donation: ("40", "g")}, made, **differing).lot


def quarantined_bank(site: Site, from_donor: str | None = None) -> str:
    """A master cell bank of 60 vials that nobody has released, made of an accepted donation."""
    isolated = cells(site, accepted(site, donation(site, from_donor)))
    made = [(K.MASTER_CELL_BANK, "60", "{vial}")]
    return step(site, "banking", {isolated: ("35", "10*6.{cells}")}, made).lot


def bank(site: Site, from_donor: str | None = None) -> str:
    """A released master cell bank of 60 vials."""
    return accepted(site, quarantined_bank(site, from_donor))


def medium(site: Site, from_bank: str, with_material: str | None = None, litres: str = "2") -> str:
    """One vial of the bank becomes conditioned medium."""
    basal = with_material or released_material(site)
    taken = {from_bank: ("1", "{vial}"), basal: ("1", "L")}
    culture = step(site, "expansion", taken, [(K.CULTURE, "180", "10*6.{cells}")]).lot
    made = [(K.CONDITIONED_MEDIUM, litres, "L")]
    return step(site, "conditioning", {culture: ("180", "10*6.{cells}"), basal: ("2", "L")}, made).lot


def bulk(site: Site, from_bank: str, with_material: str | None = None) -> str:
    """Purified bulk, 100 mL."""
    collected = medium(site, from_bank, with_material)
    harvested = step(site, "harvest", {collected: ("2", "L")}, [(K.HARVEST, "2", "L")]).lot
    clear = step(site, "clarification", {harvested: ("2", "L")}, [(K.CLARIFIED_HARVEST, "1.9", "L")]).lot
    return step(site, "purification", {clear: ("1.9", "L")}, [(K.PURIFIED_BULK, "100", "mL")]).lot


def pooled(site: Site, shares: Mapping[str, tuple[str, str]], made: str = "100") -> str:
    """A pool in mL: `pooled(site, {one: ("60", "60"), other: ("40", "40")})` gives lot: (mL, share in %)."""
    inputs = [
        Input(lot_number=number, quantity=amount(ml, "mL"), share=share) for number, (ml, share) in shares.items()
    ]
    return step(site, "pooling", inputs, [(K.POOLED_BULK, made, "mL")]).lot


def vials(site: Site, of_bulk: str, product: str, millilitres: str = "100") -> str:
    """Filled vials, as many as the catalogue's example of a fill loads."""
    formulated = step(
        site, "formulation", {of_bulk: (millilitres, "mL")}, [(K.FORMULATED_BULK, "210", "mL")], product=product
    ).lot
    loaded = next(entry.value for entry in readings_for("fill") if entry.parameter == "vials_loaded")
    made = [(K.FILLED_VIALS, loaded, "{vial}")]
    return step(site, "fill", {formulated: ("210", "mL")}, made, product=product).lot


def drug_product(
    site: Site, product: str | None = None, *, of_bulk: str | None = None, from_bank: str | None = None
) -> str:
    """A lyophilised, packaged lot in quarantine; what is not given is made, down to the donor."""
    code = product or new_product(site)
    source = of_bulk or bulk(site, from_bank or bank(site))
    filled = vials(site, source, code)
    loaded = str(lot(site, filled).quantity)
    dried = [(K.LYOPHILIZED_VIALS, loaded, "{vial}")]
    frozen = step(site, "lyophilization", {filled: (loaded, "{vial}")}, dried, product=code).lot
    passed = next(entry.value for entry in readings_for("packaging") if entry.parameter == "vials_accepted")
    packed = [(K.DRUG_PRODUCT, passed, "{vial}")]
    return step(site, "packaging", {frozen: (loaded, "{vial}")}, packed, product=code).lot


# --- product, specification, tests, release ------------------------------------------------------------------------


#: The builders' product, as it is typed.
PRODUCT: dict[str, Any] = {
    "name_en": "Umbilical cord MSC vesicles, freeze-dried",
    "name_de": "MSC-Vesikel aus Nabelschnur, gefriergetrocknet",
    "lot_series": "UEV",
    "form_en": "Lyophilisate",
    "form_de": "Lyophilisat",
    "composition": "5E10 vesicles, trehalose, phosphate",
    "container": "6R vial, type I glass",
    "fill_volume": amount("2", "mL"),
    "reconstitution_volume": amount("2", "mL"),
    "diluent_en": "Water for injections",
    "diluent_de": "Wasser für Injektionszwecke",
    "route": Route.TOPICAL,
    "label_particles": amount("5E10", "{particles}/{vial}"),
    "shelf_life_months": 24,
    "storage_low": amount("2", "Cel"),
    "storage_high": amount("8", "Cel"),
    "regulatory_status": RegulatoryStatus.RESEARCH_USE,
}


def new_product(site: Site, code: str = "UC-EV-50", lot_series: str = "UEV", **differing: Any) -> str:
    """A product in research use, 2 mL a vial, two years; returns its code, also where it is there already."""
    said: dict[str, Any] = PRODUCT | {"code": code, "lot_series": lot_series}
    try:
        return act(site, "ann", define_product, DefineProduct(**said | differing)).code
    except Conflict:
        return code


def late(site: Site, *tests: str, days: int = 20) -> None:
    """QA approves that the product's lots may be released before these tests (sterility) are final."""
    said = {
        "code": new_product(site),
        "late_tests": tests or ("STER",),
        "late_days": days,
        "reason": "short shelf life",
    }
    change = act(site, "ann", propose_product_change, ProposeProductChange(**PRODUCT | said))
    decision = DecideProductChange(code=said["code"], revision=change.revision, credentials=credentials("cleo"))
    act(site, "cleo", decide_product_change, decision)


#: test: criterion, what an ordinary lot gives (every replicate)
PANEL: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "APP-CAKE": ({"kind": CriterionKind.ONE_OF, "allowed": ("intact",)}, ("intact",)),
    "PH": ({"kind": CriterionKind.BETWEEN, "lower": "6.8", "upper": "7.6"}, ("7.21", "7.19")),
    "PART-CONC": ({"kind": CriterionKind.AT_LEAST, "lower": "2.0E10"}, ("2.4E10", "2.6E10", "2.5E10")),
    "PART-VIAL": ({"kind": CriterionKind.AT_LEAST, "lower": "4.0E10"}, ()),
    "PROT": ({"kind": CriterionKind.REPORT_ONLY}, ("8.1", "8.0", "7.9")),
    "RATIO-PP": ({"kind": CriterionKind.AT_LEAST, "lower": "1.0E9"}, ()),
    "ENDO": ({"kind": CriterionKind.AT_MOST, "upper": "0.50"}, ("<0.05", "<0.05")),
    "STER": ({"kind": CriterionKind.NONE_DETECTED}, ("no growth",)),
    "MYCO": ({"kind": CriterionKind.NONE_DETECTED}, ("not detected",)),
}
_LIMITS = {"ENDO": {"lod": "0.05", "loq": "0.05"}}


def methods(site: Site, tests: Sequence[str] = tuple(PANEL)) -> None:
    """A method for each measured test."""
    for code in tests:
        if TESTS[code].derived is None:
            command = DefineMethod(
                code=f"SOP-{code}",
                test_code=code,
                name=TESTS[code].name_en,
                principle="as validated",
                **_LIMITS.get(code, {}),
            )
            act(site, "rhea", define_method, command)


def approved_specification(
    site: Site,
    product: str | None = None,
    panel: Mapping[str, Mapping[str, Any]] | None = None,
    code: str = "SPEC-UC-EV-50",
    market: str = "",
    purpose: Purpose = Purpose.RELEASE,
) -> str:
    """A specification (of release) in force from today, drafted by Rhea and approved by Cleo; returns its label."""
    criteria = panel if panel is not None else {test: criterion for test, (criterion, _) in PANEL.items()}
    methods(site, tuple(criteria))
    lines = tuple(
        LineDraft(test_code=test, method_code=None if TESTS[test].derived else f"SOP-{test}", **criterion)
        for test, criterion in criteria.items()
    )
    draft = DraftSpecification(
        code=code,
        product_code=product or new_product(site),
        purpose=purpose,
        market=market,
        effective_from=site.today(),
        lines=lines,
    )
    drafted = act(site, "rhea", draft_specification, draft)
    approval = ApproveSpecification(code=code, revision=drafted.revision, credentials=credentials("cleo"))
    act(site, "cleo", approve_specification, approval)
    return drafted.label


def sampled(site: Site, number: str, quantity: Quantity = ("10", "{vial}"), who: str = "ben") -> str:
    """A sample of a lot; returns its number."""
    return act(site, who, draw_sample, DrawSample(lot_number=number, quantity=amount(*quantity))).number


def entered(site: Site, sample: str, test: str, *replicates: str, started_at: Any = None, who: str = "ben") -> int:
    """One result, just read; returns its id."""
    now = site.clock()
    command = EnterResult(
        sample_number=sample,
        method_code=f"SOP-{test}",
        replicates=replicates,
        unit=TESTS[test].unit,
        started_at=started_at or now,
        finished_at=now,
    )
    return act(site, who, enter_result, command).key


def reviewed(site: Site, sample: str, who: str = "rhea") -> None:
    """Every result of the sample that nobody has reviewed yet, derived ones too, is looked at and accepted."""
    from tests.cast import raw

    rows = raw(
        site,
        "SELECT r.id FROM result r JOIN sample s ON s.id = r.sample_id WHERE s.number = :sample"
        " AND NOT EXISTS (SELECT 1 FROM result_review v WHERE v.result_id = r.id)"
        " AND NOT EXISTS (SELECT 1 FROM result n WHERE n.replaces_id = r.id)",
        sample=sample,
    )
    ids = tuple(row[0] for row in rows)
    act(site, who, review_results, ReviewResults(sample_number=sample, result_ids=ids, credentials=credentials(who)))


def tested(site: Site, number: str, *, submit: bool = True, **differing: tuple[str, ...] | None) -> str:  # noqa: PT028
    """Sampled, tested fourteen days later, reviewed, and submitted to QA; returns the sample's number.

    Call it `build.tested`: a test module that imports it by name would have it run as a test.

    differing: `PH=("7.9", "7.9")`, with `_` for `-` (`APP_CAKE=("collapsed",)`); None leaves a test out.
    """
    sample = sampled(site, number)
    started = site.clock()
    assert isinstance(site.clock, Clock)
    site.clock.advance(days=14)
    said = {code.replace("_", "-"): replicates for code, replicates in differing.items()}
    for test, (_, usual) in PANEL.items():
        if replicates := said.get(test, usual):
            entered(site, sample, test, *replicates, started_at=started)
    reviewed(site, sample)
    if submit:
        command = SubmitLot(lot_number=number, reason="all tests done", credentials=credentials("rhea"))
        act(site, "rhea", submit_lot, command)
    return sample


def confirmed(site: Site, number: str, who: str = "ann") -> None:
    """The head of production signs: manufactured according to instruction."""
    said = {"reason": "batch record looked at", "credentials": credentials(who)}
    act(site, who, confirm_manufacture, ConfirmManufacture(lot_number=number, **said))


def resubmitted(site: Site, number: str, who: str = "rhea") -> None:
    """The head of QC signs anew, as what was signed has changed since."""
    act(site, who, submit_lot, SubmitLot(lot_number=number, reason="looked at again", credentials=credentials(who)))


def released(site: Site, number: str | None = None, who: str = "cleo") -> Certificate:
    """A drug product, specified, tested and released; what is not given is made, down to the donor."""
    lot_number = number
    if lot_number is None:
        code = new_product(site)
        approved_specification(site, code)
        lot_number = drug_product(site, code)
        tested(site, lot_number)
    command = ReleaseLot(lot_number=lot_number, reason="complies", credentials=credentials(who))
    return act(site, who, release_lot, command)


def released_awaiting(site: Site, number: str, *tests: str, days: int = 14, who: str = "cleo") -> Certificate:
    """A drug product released before the results of these tests (sterility), which are awaited for so many days."""
    command = ReleaseConditionally(
        lot_number=number,
        reason="the patient cannot wait",
        awaited=tests or ("STER",),
        due_on=site.today() + timedelta(days=days),
        credentials=credentials(who),
    )
    return act(site, who, release_conditionally, command)
