"""The FHIR bundle says what the certificate says: valid R5, codes of the right value sets, and every value can be read back."""

import json
import re
import subprocess
import sys
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from fhir.resources.bundle import Bundle
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.certificates.content import CertificateContent, Investigation, TestLine, Words
from domain.laboratory.size_distribution import SizeDistribution
from domain.laboratory.values import Censored, NotReportable, Numeric, Qualitative, ReportableValue, Text
from domain.laboratory.verdict import Criterion, CriterionKind
from domain.quantities import UNITS
from reports.fhir import bundle
from tests.certificates import typed
from tests.reports.contents import SAMPLES

CERTIFICATE = typed.certificate()

#: Required value sets of FHIR R5: no other code is allowed.
PUBLICATION_STATUS = {"draft", "active", "retired", "unknown"}
STATUS = {
    "DiagnosticReport": {"registered", "partial", "preliminary", "modified", "final", "amended", "corrected", "appended",
                         "cancelled", "entered-in-error", "unknown"},
    "Observation": {"registered", "preliminary", "final", "amended", "corrected", "cancelled", "entered-in-error", "unknown"},
    "Medication": {"active", "inactive", "entered-in-error"},
    "PlanDefinition": PUBLICATION_STATUS,
    "ObservationDefinition": PUBLICATION_STATUS,
}  # fmt: skip
COMPARATORS = {"<", "<=", ">=", ">", "ad"}

#: Code systems from which only these codes may come; units are those of the laboratory's closed list.
CODES = {
    "http://unitsofmeasure.org": set(UNITS),
    "http://terminology.hl7.org/CodeSystem/data-absent-reason": {
        "unknown", "asked-unknown", "temp-unknown", "not-asked", "asked-declined", "masked", "not-applicable",
        "unsupported", "as-text", "error", "not-a-number", "negative-infinity", "positive-infinity",
        "not-performed", "not-permitted"},
    "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation": {"N", "A", "IND"},
    "http://ncicb.nci.nih.gov/xml/owl/EVS/Thesaurus.owl": {"C80262", "C133998"},
    "http://terminology.hl7.org/CodeSystem/plan-definition-type": {
        "order-set", "clinical-protocol", "eca-rule", "workflow-definition"},
    "http://terminology.hl7.org/CodeSystem/provenance-participant-type": {
        "enterer", "performer", "author", "verifier", "legal", "attester", "informant", "custodian", "assembler", "composer"},
    "http://terminology.hl7.org/CodeSystem/substance-category": {
        "allergen", "biological", "body", "chemical", "food", "drug", "material"},
}  # fmt: skip
DECIMAL = re.compile(r"-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,17})?([eE][+-]?[0-9]{1,9})?")


def read(content: CertificateContent) -> dict[str, Any]:
    """The bundle, its decimals exactly as written."""
    found = json.loads(bundle(content), parse_float=Decimal, parse_int=Decimal)
    assert isinstance(found, dict)
    return found


def resources(content: CertificateContent, kind: str) -> list[dict[str, Any]]:
    return [entry["resource"] for entry in read(content)["entry"] if entry["resource"]["resourceType"] == kind]


def walk(node: Any) -> Any:
    yield node
    for one in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from walk(one)


def extension(element: dict[str, Any], name: str) -> Any:
    found = [one for one in element.get("extension", ()) if one["url"].endswith(f":{name}")]
    return next((value for one in found for key, value in one.items() if key.startswith("value")), None)


def exact(quantity: dict[str, Any]) -> Decimal:
    return Decimal(extension(quantity, "exact-value") or quantity["value"])


def component(observation: dict[str, Any], code: str) -> dict[str, Any]:
    return next((one for one in observation.get("component", ()) if one["code"]["coding"][0]["code"] == code), {})


def value_of(observation: dict[str, Any]) -> ReportableValue:
    """The typed value, from the bundle alone."""
    if "dataAbsentReason" in observation:
        absent = observation["dataAbsentReason"]
        return NotReportable(why=absent["text"]) if absent["coding"][0]["code"] == "error" else None
    if "valueCodeableConcept" in observation:
        return Qualitative(term=observation["valueCodeableConcept"]["coding"][0]["code"])
    if "valueString" in observation:
        return Text(text=observation["valueString"])
    quantity = observation["valueQuantity"]
    if "comparator" not in quantity:
        return Numeric(value=exact(quantity), unit=quantity["code"])
    lod, loq = (
        component(observation, f"limit-of-{what}").get("valueQuantity") for what in ("detection", "quantification")
    )
    return Censored(comparator=quantity["comparator"], bound=exact(quantity), unit=quantity["code"],
                    lod=lod and exact(lod), loq=loq and exact(loq))  # fmt: skip


def curve_of(observation: dict[str, Any]) -> SizeDistribution:
    sampled = observation["valueSampledData"]
    last = float(extension(sampled, "upper-edge")["value"])
    edges = (*map(float, sampled["offsets"].split()), last)
    return SizeDistribution(edges, tuple(map(float, sampled["data"].split())), extension(observation, "weighting"))


def results(content: CertificateContent) -> dict[str, dict[str, Any]]:
    """The observation of each line, by the code of its test."""
    lines = [one for one in resources(content, "Observation") if "valueSampledData" not in one]
    return {one["code"]["coding"][0]["code"]: one for one in lines}


EVERY = {
    **SAMPLES,
    "typed": CERTIFICATE,
    "draft": typed.certificate(draft=True, conclusion="incomplete", missing=("STER",)),
}


@pytest.mark.requirement("URS-099")
@pytest.mark.parametrize("name", EVERY)
def test_the_bundle_is_valid_fhir_r5(name: str) -> None:
    Bundle.model_validate_json(bundle(EVERY[name]))


@pytest.mark.parametrize("name", EVERY)
def test_codes_are_of_the_value_sets_that_fhir_requires(name: str) -> None:
    for resource in (entry["resource"] for entry in read(EVERY[name])["entry"]):
        if resource["resourceType"] in STATUS:
            assert resource["status"] in STATUS[resource["resourceType"]]
        for node in walk(resource):
            if isinstance(node, dict):
                assert node.get("comparator", "<") in COMPARATORS
                assert node.get("system") not in CODES or node["code"] in CODES[node["system"]]


@pytest.mark.parametrize("name", EVERY)
def test_nothing_is_empty_and_every_number_is_one_that_fhir_can_hold(name: str) -> None:
    text = bundle(EVERY[name]).decode()
    for node in walk(read(EVERY[name])):
        assert node not in (None, "", [], {})
        if isinstance(node, str):
            assert node == node.strip()
    for written in re.findall(r'"value":(-?[0-9][0-9.eE+-]*)', text):
        assert DECIMAL.fullmatch(written), written


@pytest.mark.parametrize("name", EVERY)
def test_every_reference_leads_to_an_entry_and_every_name_is_used_once(name: str) -> None:
    whole = read(EVERY[name])
    names = [entry["fullUrl"] for entry in whole["entry"]]
    assert len(set(names)) == len(names)
    for entry in whole["entry"]:
        assert entry["fullUrl"] == f"urn:uuid:{entry['resource']['id']}"
    led = {
        node["reference"] for node in walk(whole) if isinstance(node, dict) and isinstance(node.get("reference"), str)
    }
    assert led <= set(names)
    (plan,) = resources(EVERY[name], "PlanDefinition")
    asked = [test["definitionCanonical"] for test in plan["action"][0]["action"]]
    assert asked == [name for name, entry in zip(names, whole["entry"], strict=True)
                     if entry["resource"]["resourceType"] == "ObservationDefinition"]  # fmt: skip


@pytest.mark.requirement("URS-100")
def test_every_typed_value_is_read_back_from_the_bundle() -> None:
    found = results(CERTIFICATE)
    for line in CERTIFICATE.tests:
        assert value_of(found[line.code]) == line.value, line.code
        assert extension(found[line.code], "verdict") == line.verdict
        assert extension(found[line.code], "as-printed")["text"] == line.result.en


def test_below_the_limit_of_quantification_is_never_a_plain_number() -> None:
    endotoxin = results(CERTIFICATE)["ENDO"]
    assert endotoxin["valueQuantity"]["comparator"] == "<"
    assert endotoxin["valueQuantity"]["code"] == "{EU}/mL"
    assert component(endotoxin, "limit-of-detection")["valueQuantity"]["value"] == Decimal("0.01")
    assert component(endotoxin, "limit-of-quantification")["valueQuantity"]["value"] == Decimal("0.05")


def test_no_growth_is_the_word_of_the_controlled_list() -> None:
    sterility = results(CERTIFICATE)["STER"]["valueCodeableConcept"]
    assert sterility["coding"][0]["code"] == "no growth"
    assert sterility["coding"][0]["display"] == sterility["text"] == "No growth"
    assert sterility["_text"]["extension"][0]["extension"][1]["valueString"] == "Kein Wachstum"


def test_what_was_not_tested_has_a_reason_and_no_value() -> None:
    bsa = results(CERTIFICATE)["BSA"]
    assert bsa["dataAbsentReason"]["coding"][0]["code"] == "not-performed"
    assert not [name for name in bsa if name.startswith("value")]
    assert "interpretation" not in bsa


def test_trailing_zeros_are_kept() -> None:
    assert b'"value":7.40,' in bundle(CERTIFICATE)


@pytest.mark.requirement("URS-100")
def test_a_size_distribution_survives_completely() -> None:
    (observation,) = [one for one in resources(CERTIFICATE, "Observation") if "valueSampledData" in one]
    shown = CERTIFICATE.distributions[0]
    assert curve_of(observation) == SizeDistribution(shown.edges_nm, shown.per_ml, "number")
    assert component(observation, "percent-30-150")["valueQuantity"]["value"] == Decimal(shown.percent_30_150)
    assert [note["text"] for note in observation["note"]] == [shown.convention.en, shown.lower_limit.en, *shown.flags]
    (names,) = {tuple(one["reference"] for one in results(CERTIFICATE)["SIZE-DIST"]["hasMember"])}
    assert names == (f"urn:uuid:{observation['id']}",)


floats = st.floats(min_value=0, max_value=1e15, allow_nan=False)


@st.composite
def distributions(draw: st.DrawFn) -> SizeDistribution:
    widths = draw(st.lists(st.floats(min_value=1e-3, max_value=500), min_size=1, max_size=30))
    edges, values = [draw(st.floats(min_value=0, max_value=100))], []
    for width in widths:
        edges.append(edges[-1] + width)
        values.append(draw(floats))
    values[0] += 1.0
    return SizeDistribution(tuple(edges), tuple(values), "number")


@settings(max_examples=40, deadline=None)
@given(distributions())
def test_any_distribution_is_read_back_bit_for_bit(distribution: SizeDistribution) -> None:
    content = typed.certificate(tests=(), distributions=(typed.curve(distribution),))
    (observation,) = resources(content, "Observation")
    assert curve_of(observation) == distribution


numbers = st.decimals(allow_nan=False, allow_infinity=False, min_value=Decimal("-1E15"), max_value=Decimal("1E15"))
units = st.sampled_from(sorted(UNITS))


@settings(max_examples=80, deadline=None)
@given(
    st.one_of(
        st.builds(Numeric, value=numbers, unit=units),
        st.builds(
            Censored,
            comparator=st.sampled_from("<>"),
            bound=numbers,
            unit=units,
            lod=st.none() | numbers,
            loq=st.none() | numbers,
        ),
        st.builds(NotReportable, why=st.text("abc ", min_size=1).filter(str.strip)),
    )
)
def test_any_value_is_read_back_exactly(value: ReportableValue) -> None:
    content = typed.certificate(tests=(typed.line("PROT", value),), distributions=())
    Bundle.model_validate_json(bundle(content))
    assert value_of(results(content)["PROT"]) == value


def test_a_mean_without_an_end_keeps_all_its_digits() -> None:
    mean = Numeric(value=Decimal(116) / 3, unit="ug/mL")
    content = typed.certificate(tests=(typed.line("PROT", mean),))
    (quantity,) = [results(content)["PROT"]["valueQuantity"]]
    assert len(quantity["value"].as_tuple().digits) == 17
    assert value_of(results(content)["PROT"]) == mean


@pytest.mark.requirement("URS-099")
def test_a_draft_is_preliminary_and_never_final() -> None:
    draft = typed.certificate(draft=True, conclusion="incomplete")
    (report,) = resources(draft, "DiagnosticReport")
    assert report["status"] == "preliminary"
    assert {one["status"] for one in resources(draft, "Observation")} == {"preliminary"}
    assert resources(draft, "PlanDefinition")[0]["status"] == "draft"


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, "final"),
        ({"revision": 2, "supersedes": "COA-2026-000123 revision 1"}, "amended"),
        (
            {"conclusion": "conditional", "conditional": Words(en="Sterility outstanding", de="Sterilität offen")},
            "partial",
        ),
    ],
)
def test_the_status_says_what_kind_of_certificate_it_is(changes: dict[str, Any], status: str) -> None:
    (report,) = resources(typed.certificate(**changes), "DiagnosticReport")
    assert report["status"] == status


def test_a_verdict_is_an_interpretation_and_never_invented() -> None:
    failing = typed.line("MOIST", typed.number("3.60", "%"), typed.at_most("3.0", "%"))
    unclear = typed.line("ENDO", typed.below("1.0", "{EU}/mL"), typed.at_most("0.50", "{EU}/mL"))
    draft = typed.certificate(tests=(failing, unclear, typed.line("PROT", typed.number("8", "ug/mL"))), draft=True)
    said = {code: [one["code"] for one in found.get("interpretation", [{"coding": []}])[0]["coding"]]
            for code, found in results(draft).items()}  # fmt: skip
    assert said == {"MOIST": ["A", "C133998"], "ENDO": ["IND"], "PROT": []}


def test_criteria_are_ranges_or_words_on_the_definition_and_beside_the_result() -> None:
    definitions = {one["code"]["coding"][0]["code"]: one for one in resources(CERTIFICATE, "ObservationDefinition")}
    ph = definitions["PH"]["qualifiedValue"][0]
    assert (ph["range"]["low"]["value"], ph["range"]["high"]["value"]) == (Decimal("6.5"), Decimal("7.8"))
    assert extension(ph, "rounding") == "usp_decimals"
    assert definitions["ENDO"]["permittedUnit"] == [{"system": "http://unitsofmeasure.org", "code": "{EU}/mL"}]
    sterility = results(CERTIFICATE)["STER"]["referenceRange"][0]
    assert sterility["normalValue"]["coding"][0]["code"] == "no growth"
    assert sterility["text"] == "No growth"


def test_a_calculated_result_names_what_it_came_from() -> None:
    found = results(CERTIFICATE)
    ratio = [one["reference"] for one in found["RATIO-PP"]["derivedFrom"]]
    assert ratio == [f"urn:uuid:{found[code]['id']}" for code in ("PART-CONC", "PROT")]


def test_method_instrument_and_settings_are_told() -> None:
    particles = results(CERTIFICATE)["PART-CONC"]
    method, principle = particles["method"]["coding"]
    assert (method["code"], method["version"], principle["code"]) == ("SOP-PART-CONC", "2", "NTA")
    devices = {f"urn:uuid:{one['id']}": one["displayName"] for one in resources(CERTIFICATE, "Device")}
    assert devices[particles["device"]["reference"]] == CERTIFICATE.tests[3].instrument
    told = [
        tuple(part["valueString"] for part in one["extension"])
        for one in particles["extension"]
        if one["url"].endswith("setting")
    ]
    assert told == [("Laser", "488 nm"), ("Camera level", "14")]


def test_the_lot_is_a_batch_with_number_dates_and_product() -> None:
    (lot,) = resources(CERTIFICATE, "Medication")
    assert lot["batch"]["lotNumber"] == "EV-2026-0417"
    assert lot["batch"]["expirationDate"] == "2028-10-31"
    assert lot["code"]["coding"] == [{"system": "https://www.gs1.org/gtin", "code": "04012345678901"}]
    (package,) = resources(CERTIFICATE, "PackagedProductDefinition")
    (storage,) = package["packaging"]["shelfLifeStorage"][0]["specialPrecautionsForStorage"]
    assert storage["text"] == "2 to 8 °C, protect from light"


def test_signatures_are_provenance_without_a_person_record() -> None:
    signed = resources(CERTIFICATE, "Provenance")
    assert [one["agent"][0]["who"]["display"] for one in signed] == ["Dr. Rhea Größler", "Cleo Müller-Weiß"]
    assert [datetime.fromisoformat(one["recorded"]) for one in signed] == [
        one.signed_at for one in CERTIFICATE.signatures
    ]
    kinds = {entry["resource"]["resourceType"] for entry in read(CERTIFICATE)["entry"]}
    assert not kinds & {"Patient", "Practitioner", "Person"}


def test_what_a_reader_must_know_stands_in_the_notes() -> None:
    content = typed.certificate(
        revision=2,
        revision_reason=Words(en="Wrong container named", de="Falsches Behältnis genannt"),
        investigations=(
            Investigation(
                kind="retest", reference="result 412", on="2026-11-13", words=Words(en="Repeated", de="Wiederholt")
            ),
        ),
    )
    (report,) = resources(content, "DiagnosticReport")
    notes = [one["text"] for one in report["note"]]
    assert notes[0] == content.product.regulatory_notice.en
    assert "Reason of the revision: Wrong container named" in notes
    assert "2026-11-13, result 412: Repeated" in notes
    assert content.deviations.en in notes


@pytest.mark.requirement("URS-101")
def test_the_same_content_gives_the_same_bytes_in_another_process_and_another_certificate_other_names() -> None:
    script = (
        "import hashlib; from reports.fhir import bundle; from tests.certificates import typed;"
        "print(hashlib.sha256(bundle(typed.certificate())).hexdigest())"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={"PYTHONHASHSEED": seed, "TZ": zone},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed, zone in (("1", "UTC"), ("2", "Asia/Tokyo"))
    }
    assert len(found) == 1
    here = {entry["fullUrl"] for entry in read(CERTIFICATE)["entry"]}
    other = {entry["fullUrl"] for entry in read(typed.certificate(number="COA-2026-000124"))["entry"]}
    assert not here & other


def test_a_line_without_a_typed_value_is_told_in_its_words() -> None:
    old: TestLine = next(line for line in SAMPLES["typical"].tests if line.code == "STER")
    assert old.value is None
    found = results(SAMPLES["typical"])["STER"]
    assert found["valueString"] == "No growth"
    assert "dataAbsentReason" not in found


def test_one_passing_word_is_normal_several_are_only_listed() -> None:
    allowed = Criterion(kind=CriterionKind.ONE_OF, allowed=("cup-shaped", "lipid bilayer"))
    content = typed.certificate(tests=(typed.line("MORPH", Qualitative(term="cup-shaped"), allowed),))
    assert "normalValue" not in results(content)["MORPH"]["referenceRange"][0]
    (definition,) = resources(content, "ObservationDefinition")
    terms = [one["valueCodeableConcept"]["coding"][0]["code"] for one in definition["qualifiedValue"][0]["extension"]
             if one["url"].endswith("allowed-term")]  # fmt: skip
    assert terms == ["cup-shaped", "lipid bilayer"]
