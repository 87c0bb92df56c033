"""The table of bad inputs: what can be typed or sent wrong at each stage of a lot's way, and what has to come back."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from api.demo_files import nanosight_summary
from tests.stories.over_http import JSON, amount, credentials, product_facts, readings

World = SimpleNamespace
Sent = tuple[str, str, dict[str, Any]]


@dataclass(frozen=True)
class Bad:
    """One bad input: when, what, who sends it, the request, and what has to come back."""

    stage: str
    what: str
    who: str | None
    request: Callable[[World], Sent]
    status: int
    code: str


def post(path: str, body: Any, **differing: Any) -> Callable[[World], Sent]:
    """A POST of a JSON body; both may need what the story has made so far, and fields may differ."""

    def of(world: World) -> Sent:
        sent = body(world) if callable(body) else body
        return "POST", path.format(**vars(world)), {"json": {**sent, **differing}}

    return of


def get(path: str) -> Callable[[World], Sent]:
    """A GET."""
    return lambda world: ("GET", path.format(**vars(world)), {})


# --- what would be right -------------------------------------------------------------------------------------------

DONOR = {"pseudonym": "D-2026-500", "tissue": "umbilical_cord", "age_years": 31, "consent_id": "C-1", "consent_version": "1",
         "consent_scope": "commercial"}  # fmt: skip
MATERIAL = {"material": "PBS", "supplier": "Biowest", "supplier_lot_number": "B-1", "expires_on": "2027-03-01",
            "quantity": {"value": "10", "unit": "L"}}  # fmt: skip
SIGNED = {"reason": "as the records say", "credentials": credentials("cleo")}


def material(value: Any, unit: str = "L") -> JSON:
    """A material whose quantity was typed so."""
    return {**MATERIAL, "quantity": {"value": value, "unit": unit}}


def procurement(**differing: Any) -> Callable[[World], JSON]:
    """A procurement, some readings of which were typed differently."""
    return lambda world: {
        "location": "Clean room B2", "donor": world.donor, "outputs": [{"kind": "donation", "unit": "g"}],
        "readings": {code: {"value": one} if isinstance(one, str) else one for code, one in differing.items()},
    }  # fmt: skip


def taking(lot: str, value: str, unit: str, kind: str, out: str, **more: Any) -> Callable[[World], JSON]:
    """A step that takes an amount of one lot, named by what the story calls it or as typed."""
    return lambda world: {
        "location": "Clean room B2", "outputs": [{"kind": kind, "unit": out}], **more,
        "inputs": [{"lot_number": getattr(world, lot, lot), "quantity": {"value": value, "unit": unit}}],
    }  # fmt: skip


def pool(first: tuple[str, str], second: tuple[str, str]) -> Callable[[World], JSON]:
    """A pool of two bulks: (mL, share in %) of each."""
    return lambda world: {
        "location": "Clean room B2", "outputs": [{"kind": "pooled_bulk", "unit": "mL"}],
        "inputs": [
            {"lot_number": lot, "quantity": {"value": ml, "unit": "mL"}, "share": share}
            for lot, (ml, share) in ((world.bulk, first), (world.other_bulk, second))
        ],
    }  # fmt: skip


def completing(value: str, unit: str, **differing: Any) -> Callable[[World], JSON]:
    """The end of the step that is open, with readings typed differently."""
    return lambda world: {
        "outputs": [{"lot_number": world.lot, "quantity": {"value": value, "unit": unit}}],
        "readings": readings(world.kind, **differing),
    }


def result(test: str, *replicates: str, unit: str | None = None, **differing: Any) -> Callable[[World], JSON]:
    """A result as typed."""
    return lambda world: {
        "method_code": f"SOP-{test}", "replicates": replicates, "unit": unit, "started_at": world.sampled_at,
        "finished_at": world.now(), **{name: one(world) if callable(one) else one for name, one in differing.items()},
    }  # fmt: skip


def review(*ids: int, **differing: Any) -> Callable[[World], JSON]:
    """A review of results, of one that is there if none is named."""
    return lambda world: {"result_ids": ids or world.results, "credentials": credentials("rhea"), **differing}


def upload(data: bytes, **form: str) -> Callable[[World], Sent]:
    """A file for the sample."""
    sent = {"concentration_method": "SOP-PART-CONC", "size_method": "SOP-SIZE-DIST", **form}
    file = {"file": ("NTA-ExperimentSummary.csv", data)}
    return lambda world: ("POST", f"/samples/{world.sample}/nanosight", {"data": sent, "files": file})


def specification(**line: Any) -> Callable[[World], JSON]:
    """A specification of one line."""
    whole = {"test_code": "ENDO", "method_code": "SOP-ENDO", "kind": "at_most", **line}
    return lambda world: {
        "code": "SPEC-2",
        "product_code": world.product,
        "effective_from": "2026-03-02",
        "lines": [whole],
    }


def sublimation(world: World) -> JSON:
    """A pressure and a temperature, both commented, at which ice stays ice."""
    body = completing("104", "{vial}")(world)
    body["readings"]["chamber_pressure_primary"] = {"value": "0.5", "unit": "mbar", "comment": "gauge looked at"}
    body["readings"]["product_temperature_max_primary"] = {"value": "-40", "unit": "Cel", "comment": "probe looked at"}
    return body


NANOSIGHT = nanosight_summary(
    mode_nm=100.0, concentration_per_ml=4e10, dilution=1000, runs=3, seed=1, sample="A",
    captured_at=datetime(2026, 3, 16, 8, 40, tzinfo=UTC),
)  # fmt: skip

# --- the table -----------------------------------------------------------------------------------------------------

DOOR, DONORS, GOODS, STEPS = "at the door", "the donor", "goods in", "making"
BANK, BULK, FILL, DRY, PACK = "the cell bank", "the bulk", "the fill", "freeze-drying", "packing"
RULES, TESTS, REVIEW, DECIDE, AFTER = (
    "specifications",
    "the laboratory",
    "the review",
    "the decision",
    "after the release",
)

CASES = (
    Bad(DOOR, "a wrong password", None, post("/session", {"username": "tom", "password": "guess"}), 401, "wrong-credentials"),
    Bad(DOOR, "a user that there is not", None, post("/session", {"username": "tim", "password": "x"}), 401, "wrong-credentials"),
    Bad(DOOR, "nothing", None, post("/session", {}), 422, "value-not-valid"),
    Bad(DOOR, "not JSON", None, lambda _: ("POST", "/session", {"content": b"{username"}), 422, "value-not-valid"),
    Bad(DOOR, "no sign-in", None, get("/lots"), 401, "not-signed-in"),
    Bad(DOOR, "a token made up", None, lambda _: ("GET", "/lots", {"headers": {"Authorization": "Bearer x"}}), 401, "not-signed-in"),
    Bad(DOOR, "an address that there is not", "tom", get("/vials"), 404, "not-found"),
    Bad(DONORS, "an empty pseudonym", "tom", post("/donors", DONOR, pseudonym=""), 422, "value-not-valid"),
    Bad(DONORS, "a name for a pseudonym", "tom", post("/donors", DONOR, pseudonym="Maria Muster"), 422, "value-not-valid"),
    Bad(DONORS, "a date of birth", "tom", post("/donors", DONOR, date_of_birth="1994-01-01"), 422, "value-not-valid"),
    Bad(DONORS, "an age of 121 years", "tom", post("/donors", DONOR, age_years=121), 422, "value-not-valid"),
    Bad(DONORS, "an age of -1 years", "tom", post("/donors", DONOR, age_years=-1), 422, "value-not-valid"),
    Bad(DONORS, "an unknown tissue", "tom", post("/donors", DONOR, tissue="cord"), 422, "value-not-valid"),
    Bad(DONORS, "another tissue, not said which", "tom", post("/donors", DONOR, tissue="other"), 422, "tissue-text-needed"),
    Bad(DONORS, "the same donor again", "tom", post("/donors", DONOR, pseudonym="D-2026-017"), 409, "donor-exists"),
    Bad(DONORS, "registered by an auditor", "dov", post("/donors", DONOR), 403, "permission-missing"),
    Bad(DONORS, "a marker sampled tomorrow", "tom", post("/donors/{donor}/markers", lambda w: {"laboratory": "L", "results": [
        {"marker": "hbsag", "verdict": "negative", "sampled_on": w.tomorrow()}]}), 422, "in-the-future"),
    Bad(DONORS, "a marker found “Negative”", "tom", post("/donors/{donor}/markers", {"laboratory": "L", "results": [
        {"marker": "hbsag", "verdict": "Negative", "sampled_on": "2026-03-02"}]}), 422, "value-not-valid"),
    Bad(DONORS, "eligible without a panel", "cleo", post("/donors/{undecided}/eligibility", SIGNED, decision="eligible"),
        409, "marker-missing"),
    Bad(DONORS, "a decision without the username at the first signature", "cleo", post("/donors/{donor}/eligibility", {
        "decision": "ineligible", "reason": "fine", "credentials": {"password": credentials("cleo")["password"]}}),
        409, "username-needed"),
    Bad(DONORS, "a decision signed with a wrong password", "cleo", post("/donors/{donor}/eligibility", {
        "decision": "ineligible", "reason": "fine", "credentials": {"username": "cleo", "password": "guess"}}),
        401, "wrong-credentials"),
    Bad(DONORS, "a decision in somebody else's name", "cleo", post("/donors/{donor}/eligibility", {
        "decision": "ineligible", "reason": "fine", "credentials": credentials("quin")}), 401, "wrong-credentials"),
    Bad(DONORS, "a donor that there is not", "tom", get("/donors/D-0000-000"), 404, "donor-not-found"),
    *(
        Bad(GOODS, what, "tom", post("/materials", material(value, unit)), 422, code)
        for what, value, unit, code in (
            ("an empty quantity", "", "L", "not-a-number"),
            ("a blank quantity", "   ", "L", "not-a-number"),
            ("a quantity of NaN", "NaN", "L", "not-a-number"),
            ("a quantity of Infinity", "Infinity", "L", "not-a-number"),
            ("a quantity of 1e400", "1e400", "L", "not-a-number"),
            ("a decimal comma (1,5)", "1,5", "L", "not-a-number"),
            ("an Arabic digit (٣)", "٣", "L", "not-a-number"),
            ("an underscore (1_000)", "1_000", "L", "not-a-number"),
            ("a word for a quantity (ten)", "ten", "L", "not-a-number"),
            ("a hexadecimal quantity (0x1F)", "0x1F", "L", "not-a-number"),
            ("a negative quantity", "-5", "L", "not-positive"),
            ("a quantity of zero", "0.00", "L", "not-positive"),
            ("a quantity of 41 digits", "9" * 41, "L", "value-not-valid"),
            ("a JSON number instead of text", 12.5, "L", "value-not-valid"),
            ("no quantity at all (null)", None, "L", "value-not-valid"),
            ("an empty unit", "10", "", "unknown-unit"),
            ("the Ehrlich unit ([EU])", "10", "[EU]", "unknown-unit"),
            ("a unit that is not UCUM (mTorr)", "10", "mTorr", "unknown-unit"),
            ("a unit in other letters (ML)", "10", "ML", "unknown-unit"),
        )
    ),
    Bad(GOODS, "an expired material", "tom", post("/materials", MATERIAL, expires_on="2026-03-01"), 409, "lot-expired"),
    Bad(GOODS, "a date the German way", "tom", post("/materials", MATERIAL, expires_on="31.12.2027"), 422, "value-not-valid"),
    Bad(GOODS, "a day that there is not", "tom", post("/materials", MATERIAL, expires_on="2027-02-30"), 422, "value-not-valid"),
    Bad(GOODS, "no lot number of the supplier", "tom", post("/materials", MATERIAL, supplier_lot_number=""), 422, "value-not-valid"),
    Bad(GOODS, "a supplier of blanks", "tom", post("/materials", MATERIAL, supplier="   "), 422, "value-not-valid"),
    Bad(GOODS, "a name of 301 characters", "tom", post("/materials", MATERIAL, material="x" * 301), 422, "value-not-valid"),
    Bad(GOODS, "a control character in a name", "tom", post("/materials", MATERIAL, material="PBS\x07"), 422, "value-not-valid"),
    Bad(GOODS, "a NUL in a name", "tom", post("/materials", MATERIAL, material="PBS\x00"), 422, "value-not-valid"),
    Bad(GOODS, "a field that there is not", "tom", post("/materials", MATERIAL, state="released"), 422, "value-not-valid"),
    Bad(GOODS, "a product with a wrong GTIN", "ann", post("/products", product_facts("X-1", lot_series="XX", gtin="09521234543214")),
        422, "gtin-check-digit"),
    Bad(GOODS, "a product with a used series", "ann", post("/products", product_facts("X-1", lot_series="DN", gtin=None)),
        422, "lot-series-reserved"),
    Bad(GOODS, "the same product again", "ann", post("/products", product_facts()), 409, "product-exists"),
    Bad(GOODS, "storage from 8 to 2 °C", "ann", post("/products", product_facts(
        "X-1", lot_series="XX", gtin=None, storage_low=amount(("8", "Cel")), storage_high=amount(("2", "Cel")))),
        422, "range-reversed"),
    Bad(STEPS, "a kind of step that there is not", "tom", post("/steps/blending", procurement()), 405, "method-not-allowed"),
    Bad(STEPS, "a donor that there is not", "tom", post("/steps/procurement", procurement(), donor="D-0000-000"), 404, "donor-not-found"),
    Bad(STEPS, "a start tomorrow", "tom", post("/steps/procurement", procurement(), started_at="2027-01-01T08:00:00Z"), 422, "in-the-future"),
    Bad(STEPS, "a time without a zone", "tom", post("/steps/procurement", procurement(), started_at="2026-03-02T08:00:00"),
        422, "value-not-valid"),
    Bad(STEPS, "a place of blanks", "tom", post("/steps/procurement", procurement(), location="  "), 422, "value-not-valid"),
    Bad(STEPS, "another tissue than the donor's", "tom", post("/steps/procurement", procurement(tissue_source="adipose")),
        409, "tissue-differs"),
    Bad(STEPS, "“Yes” for “yes”", "tom", post("/steps/procurement", procurement(documents_complete="Yes")), 422, "value-not-valid"),
    Bad(STEPS, "an unknown parameter", "tom", post("/steps/procurement", procurement(colour="red")), 422, "value-not-valid"),
    Bad(STEPS, "a temperature without a unit", "tom", post("/steps/procurement", procurement(transport_temperature_min="4")),
        422, "value-not-valid"),
    Bad(STEPS, "a temperature in mbar", "tom", post("/steps/procurement", procurement(
        transport_temperature_min={"value": "4", "unit": "mbar"})), 422, "value-not-valid"),
    Bad(STEPS, "a word for a temperature", "tom", post("/steps/procurement", procurement(
        transport_temperature_min={"value": "cold", "unit": "Cel"})), 422, "not-a-number"),
    Bad(STEPS, "41 °C in transport", "tom", post("/steps/procurement", procurement(
        transport_temperature_max={"value": "41", "unit": "Cel"})), 422, "value-outside-hard-bounds"),
    Bad(STEPS, "30 °C in transport, without a comment", "tom", post("/steps/procurement", procurement(
        transport_temperature_max={"value": "30", "unit": "Cel"})), 422, "comment-needed"),
    Bad(STEPS, "the lowest temperature above the highest", "tom", post("/steps/procurement", procurement(
        transport_temperature_min={"value": "7", "unit": "Cel"}, transport_temperature_max={"value": "5", "unit": "Cel"})),
        409, "lowest-above-highest"),
    Bad(STEPS, "a step started by an analyst", "ben", post("/steps/procurement", procurement()), 403, "permission-missing"),
    Bad(STEPS, "a completion without what must be recorded", "tom", post(
        "/steps/{step}/completion/procurement", completing("40", "g"), readings={}), 409, "parameter-missing"),
    Bad(STEPS, "a completion of nothing", "tom", post("/steps/{step}/completion/procurement", completing("0", "g")), 422, "not-positive"),
    Bad(STEPS, "an end before the start", "tom", post(
        "/steps/{step}/completion/procurement", completing("40", "g"), ended_at="2026-03-01T08:00:00Z"), 422, "times-reversed"),
    Bad(STEPS, "a completion of another lot", "tom", post("/steps/{step}/completion/procurement", completing("40", "g"), outputs=[
        {"lot_number": "DN26-9999", "quantity": {"value": "40", "unit": "g"}}]), 409, "output-unknown"),
    Bad(STEPS, "a reading recorded twice", "tom", post("/steps/{step}/readings", {
        "parameter": "receipt_bioburden", "value": "no_growth"}), 409, "reading-exists"),
    Bad(STEPS, "a reading from before the step", "tom", post("/steps/{step}/readings", {
        "parameter": "cord_mass", "value": "40", "unit": "g", "happened_at": "2026-03-01T08:00:00Z"}), 422, "before-the-step"),
    Bad(STEPS, "a completion as another kind of step", "tom", post("/steps/{step}/completion/harvest", completing("40", "g"), readings={}),
        409, "parameter-missing"),
    Bad(STEPS, "a step that there is not", "tom", post("/steps/S-999999/readings", {"parameter": "ph", "value": "7"}), 404, "step-not-found"),
    Bad(STEPS, "a raw material that QA has not accepted", "tom", post(
        "/steps/procurement", procurement(), inputs=[{"lot_number": "RM26-0001", "quantity": {"value": "1", "unit": "L"}}]),
        409, "lot-not-released"),
    Bad(BANK, "the same completion again", "tom", post("/steps/{step}/completion/procurement", completing("40", "g")), 409, "step-complete"),
    Bad(BANK, "more of a donation than there is", "tom", post(
        "/steps/isolation", taking("donation", "41", "g", "isolated_cells", "10*6.{cells}")), 409, "not-enough-left"),
    Bad(BANK, "a donation in litres", "tom", post(
        "/steps/isolation", taking("donation", "1", "L", "isolated_cells", "10*6.{cells}")), 422, "incompatible-units"),
    Bad(BANK, "a lot number made of SQL", "tom", post(
        "/steps/isolation", taking("' OR 1=1; --", "1", "g", "isolated_cells", "10*6.{cells}")), 404, "lot-not-found"),
    Bad(BANK, "a lot number with a dash that is none", "tom", post(
        "/steps/isolation", taking("DN26–0001", "1", "g", "isolated_cells", "10*6.{cells}")), 404, "lot-not-found"),
    Bad(BANK, "a step that takes nothing", "tom", post("/steps/isolation", {
        "location": "B2", "outputs": [{"kind": "isolated_cells", "unit": "10*6.{cells}"}]}), 409, "input-missing"),
    Bad(BANK, "a step that yields what it cannot", "tom", post(
        "/steps/isolation", taking("donation", "40", "g", "drug_product", "{vial}")), 409, "wrong-kind-of-lot"),
    Bad(BANK, "a bank of cells of an undecided donor", "tom", post(
        "/steps/banking", taking("undecided_cells", "35", "10*6.{cells}", "master_cell_bank", "{vial}")), 409, "donor-not-eligible"),
    Bad(BANK, "a donation accepted while its donor is undecided", "cleo", post("/lots/{undecided_donation}/acceptance", SIGNED),
        409, "donor-not-eligible"),
    Bad(BANK, "a cell bank that QA has not released", "tom", post(
        "/steps/expansion", taking("bank", "1", "{vial}", "culture", "10*6.{cells}")), 409, "lot-not-released"),
    Bad(BULK, "two vials' worth of half a vial", "tom", post(
        "/steps/expansion", taking("bank", "1000", "{vial}", "culture", "10*6.{cells}")), 409, "not-enough-left"),
    Bad(BULK, "a bank in a harvest", "tom", post("/steps/harvest", taking("bank", "1", "{vial}", "harvest", "L")), 409, "wrong-kind-of-lot"),
    Bad(BULK, "shares of 60 % and 30 %", "tom", post("/steps/pooling", pool(("60", "60"), ("40", "30"))), 409, "shares-do-not-add-up"),
    Bad(BULK, "a share of 110 % and one of -10 %", "tom", post("/steps/pooling", pool(("60", "110"), ("40", "-10"))), 409, "share-not-positive"),
    Bad(BULK, "shares that differ from the quantities", "tom", post("/steps/pooling", pool(("60", "50"), ("40", "50"))), 409, "share-differs"),
    Bad(BULK, "a blank share", "tom", post("/steps/pooling", pool(("60", ""), ("40", "40"))), 422, "not-a-number"),
    Bad(BULK, "the same lot pooled twice", "tom", post("/steps/pooling", lambda w: {
        "location": "B2", "outputs": [{"kind": "pooled_bulk", "unit": "mL"}],
        "inputs": [{"lot_number": w.bulk, "quantity": {"value": "50", "unit": "mL"}, "share": "50"}] * 2}), 409, "lot-twice"),
    Bad(BULK, "a formulation of no product", "tom", post(
        "/steps/formulation", taking("bulk", "100", "mL", "formulated_bulk", "mL"), product_code="NO-SUCH"), 404, "product-not-found"),
    Bad(FILL, "vials that do not add up", "tom", post(
        "/steps/{step}/completion/fill", completing("104", "{vial}", vials_rejected="9")), 409, "reconciliation-does-not-balance"),
    Bad(FILL, "half a vial rejected", "tom", post(
        "/steps/{step}/completion/fill", completing("104", "{vial}", vials_rejected="0.5")), 422, "not-a-whole-number"),
    Bad(DRY, "a chamber pressure above that of ice", "tom", post("/steps/{step}/completion/lyophilization", completing(
        "104", "{vial}", chamber_pressure_primary=("0.5", "mbar"), product_temperature_max_primary=("-40", "Cel"))),
        422, "comment-needed"),
    Bad(DRY, "a chamber pressure above that of ice, with a comment", "tom", post(
        "/steps/{step}/completion/lyophilization", sublimation), 409, "no-sublimation"),
    Bad(DRY, "a pressure in mTorr", "tom", post("/steps/{step}/completion/lyophilization", completing(
        "104", "{vial}", chamber_pressure_primary=("100", "mTorr"))), 422, "value-not-valid"),
    Bad(PACK, "an expiry beyond the shelf life", "tom", post("/steps/{step}/completion/packaging", lambda w: {
        **completing("101", "{vial}")(w), "outputs": [
            {"lot_number": w.lot, "quantity": {"value": "101", "unit": "{vial}"}, "expires_on": "2028-03-03"}]}), 409, "expiry-too-late"),
    Bad(PACK, "an expiry before the packing", "tom", post("/steps/{step}/completion/packaging", lambda w: {
        **completing("101", "{vial}")(w), "outputs": [
            {"lot_number": w.lot, "quantity": {"value": "101", "unit": "{vial}"}, "expires_on": "2026-03-01"}]}), 422, "expiry-too-early"),
    Bad(PACK, "labels that do not add up", "tom", post(
        "/steps/{step}/completion/packaging", completing("101", "{vial}", labels_destroyed="0")), 409, "reconciliation-does-not-balance"),
    Bad(RULES, "a limit left blank", "rhea", post("/specifications", specification(upper="")), 422, "criterion-not-judgeable"),
    Bad(RULES, "a limit forgotten", "rhea", post("/specifications", specification()), 422, "criterion-not-judgeable"),
    Bad(RULES, "a limit of 0,5", "rhea", post("/specifications", specification(upper="0,5")), 422, "criterion-not-judgeable"),
    Bad(RULES, "limits the wrong way round", "rhea", post("/specifications", specification(
        test_code="PH", method_code="SOP-PH", kind="between", lower="7.6", upper="6.8")), 422, "criterion-not-judgeable"),
    Bad(RULES, "a word that the test never gives", "rhea", post("/specifications", specification(
        test_code="APP-CAKE", method_code="SOP-APP-CAKE", kind="one_of", allowed=["pretty"])), 422, "unknown-term"),
    Bad(RULES, "a measured test without a method", "rhea", post("/specifications", specification(upper="0.50", method_code=None)),
        422, "method-needed"),
    Bad(RULES, "an optional limit", "rhea", post("/specifications", specification(upper="0.50", required=False)), 422, "judged-lines-are-required"),
    Bad(RULES, "a test that there is not", "rhea", post("/methods", {
        "code": "SOP-X", "test_code": "TASTE", "name": "Tasting", "principle": "tongue"}), 404, "unknown-test"),
    Bad(RULES, "sterility in 7 days", "rhea", post("/methods", {
        "code": "SOP-X", "test_code": "STER", "name": "Quick", "principle": "membrane", "minimum_days": 7}), 409, "too-few-days"),
    Bad(RULES, "an approval by who drafts", "rhea", post("/specifications/SPEC-UC-EV-50/1/approval", {"credentials": credentials("rhea")}),
        403, "permission-missing"),
    Bad(RULES, "an approval twice", "cleo", post("/specifications/SPEC-UC-EV-50/1/approval", {"credentials": credentials("cleo")}),
        409, "approved-already"),
    Bad(TESTS, "a sample larger than the lot", "ben", post("/lots/{lot}/samples", {"quantity": amount(("5000", "{vial}"))}), 409, "not-enough-left"),
    Bad(TESTS, "a sample from before the lot was made", "ben", post("/lots/{lot}/samples", {
        "quantity": amount(("1", "{vial}")), "taken_at": "2026-01-01T08:00:00Z"}), 422, "time-impossible"),
    Bad(TESTS, "a sample of a lot that there is not", "ben", post("/lots/UEV26-9999/samples", {"quantity": amount(("1", "{vial}"))}),
        404, "lot-not-found"),
    *(
        Bad(TESTS, what, "ben", post("/samples/{sample}/results", body), status, code)
        for what, body, status, code in (
            ("a pH without its unit", result("PH", "7.2", "7.2"), 422, "wrong-unit"),
            ("a pH in %", result("PH", "7.2", "7.2", unit="%"), 422, "wrong-unit"),
            ("endotoxin in [EU]/mL", result("ENDO", "<0.05", "<0.05", unit="[EU]/mL"), 422, "wrong-unit"),
            ("a word for a pH (neutral)", result("PH", "neutral", "7.2", unit="[pH]"), 422, "not-a-number"),
            ("a blank pH", result("PH", " ", "7.2", unit="[pH]"), 422, "not-a-number"),
            ("a pH of 7,2", result("PH", "7,2", "7.2", unit="[pH]"), 422, "not-a-number"),
            ("a pH of NaN", result("PH", "NaN", "7.2", unit="[pH]"), 422, "not-a-number"),
            ("a pH of 1e400", result("PH", "1e400", "7.2", unit="[pH]"), 422, "not-a-number"),
            ("no replicates", result("PH", unit="[pH]"), 422, "value-not-valid"),
            ("“yes” for sterility", result("STER", "yes"), 422, "unknown-term"),
            ("“No Growth” for “no growth”", result("STER", "No Growth"), 422, "unknown-term"),
            ("sterility after 13 days", result("STER", "no growth"), 409, "too-early"),
            ("a test that ends tomorrow", result("PH", "7.2", "7.2", unit="[pH]", finished_at=lambda w: w.later()), 409, "in-the-future"),
            ("a test that ends before it starts", result(
                "PH", "7.2", "7.2", unit="[pH]", started_at=lambda w: w.now(), finished_at=lambda w: w.sampled_at), 409, "times-reversed"),
            ("a test from before its sample", result("PH", "7.2", "7.2", unit="[pH]", started_at="2026-03-01T08:00:00Z"), 409, "before-the-sample"),
            ("a time without a zone", result("PH", "7.2", "7.2", unit="[pH]", finished_at="2026-03-15T08:00:00"), 422, "value-not-valid"),
            ("a method that there is not", result("X", "7.2", "7.2", unit="[pH]"), 404, "method-not-found"),
            ("a size distribution by hand", result("SIZE-DIST", "100", unit="nm"), 422, "file-needed"),
            ("a raw file that is not stored", result("PH", "7.2", "7.2", unit="[pH]", raw_sha256="0" * 64), 404, "document-not-found"),
            ("a comment of 1001 characters", result("PH", "7.2", "7.2", unit="[pH]", comment="x" * 1001), 422, "value-not-valid"),
            ("a test done twice", result("MYCO", "not detected"), 409, "result-exists"),
        )
    ),
    Bad(TESTS, "a result by a technician", "tom", post("/samples/{sample}/results", result("PH", "7.2", "7.2", unit="[pH]")),
        403, "permission-missing"),
    Bad(TESTS, "a sample that there is not", "ben", post("/samples/SA-999999/results", result("PH", "7.2", "7.2", unit="[pH]")),
        404, "sample-not-found"),
    Bad(TESTS, "a correction without a reason", "ben", post("/results/{first}/correction", lambda w: {
        "replicates": ["not detected"], "started_at": w.sampled_at, "finished_at": w.now(), "reason": ""}), 422, "value-not-valid"),
    Bad(TESTS, "a picture for a NanoSight file", "nano", upload(b"\x89PNG\r\n\x1a\n" + bytes(100)), 422, "not-a-nanosight-summary"),
    Bad(TESTS, "an empty file", "nano", upload(b""), 422, "not-a-nanosight-summary"),
    Bad(TESTS, "a file cut in the middle", "nano", upload(NANOSIGHT[: len(NANOSIGHT) // 2]), 422, "not-a-nanosight-summary"),
    Bad(TESTS, "a dilution for a file that has one", "nano", upload(NANOSIGHT, dilution="1000"), 422, "dilution-in-file"),
    Bad(TESTS, "a file under the method of another test", "nano", upload(NANOSIGHT, size_method="SOP-PH"), 422, "method-of-other-test"),
    Bad(TESTS, "no file at all", "nano", post("/samples/{sample}/nanosight", {}), 422, "value-not-valid"),
    Bad(TESTS, "an empty raw file", "nano", lambda _: ("POST", "/documents", {"files": {"file": ("a.csv", b"")}}), 422, "file-empty"),
    Bad(TESTS, "a raw file above 20 MB", "nano", lambda _: ("POST", "/documents", {"files": {"file": ("a.csv", bytes(20 * 2**20 + 1))}}),
        422, "file-too-large"),
    Bad(TESTS, "a submission before the tests are done", "rhea", post("/lots/{lot}/submission", {"credentials": credentials("rhea")}),
        409, "result-missing"),
    Bad(REVIEW, "a review by who tested", "ben", post("/samples/{sample}/reviews", review(), credentials=credentials("ben")),
        403, "permission-missing"),
    Bad(REVIEW, "a review of a result that there is not", "rhea", post("/samples/{sample}/reviews", review(999999)), 409, "result-not-found"),
    Bad(REVIEW, "a review of nothing", "rhea", post("/samples/{sample}/reviews", review(), result_ids=[]), 422, "value-not-valid"),
    Bad(REVIEW, "results refused without saying why", "rhea", post("/samples/{sample}/reviews", review(outcome="refused")), 422, "comment-needed"),
    Bad(REVIEW, "a review signed with a wrong password", "rhea", post(
        "/samples/{sample}/reviews", review(credentials={"username": "rhea", "password": "guess"})), 401, "wrong-credentials"),
    Bad(REVIEW, "a submission before the review", "rhea", post("/lots/{lot}/submission", {"credentials": credentials("rhea")}),
        409, "result-not-reviewed"),
    Bad(DECIDE, "a review twice", "rhea", post("/samples/{sample}/reviews", review()), 409, "reviewed-already"),
    Bad(DECIDE, "a release before the submission", "cleo", post("/lots/{lot}/release", SIGNED), 409, "wrong-state"),
    Bad(DECIDE, "a release of a lot that was never tested", "cleo", post("/lots/{second}/release", SIGNED), 409, "no-specification"),
    Bad(DECIDE, "a release by who reviewed", "rhea", post("/lots/{lot}/release", SIGNED, credentials=credentials("rhea")), 403, "permission-missing"),
    Bad(DECIDE, "a release by the administrator", "ada", post("/lots/{lot}/release", SIGNED, credentials=credentials("ada")),
        403, "permission-missing"),
    Bad(DECIDE, "a release without a signature", "cleo", post("/lots/{lot}/release", {"reason": "fine"}), 422, "value-not-valid"),
    Bad(DECIDE, "a release with a wrong password", "cleo", post("/lots/{lot}/release", SIGNED, credentials={
        "username": "cleo", "password": "guess"}), 401, "wrong-credentials"),
    Bad(DECIDE, "a drug product accepted like an input", "cleo", post("/lots/{lot}/acceptance", SIGNED), 409, "not-an-input"),
    Bad(DECIDE, "a recall of what was never released", "cleo", post("/lots/{lot}/recall", SIGNED, recall_class="II"), 409, "never-released"),
    Bad(DECIDE, "a hold without a reason", "cleo", post("/lots/{lot}/hold", SIGNED, reason=""), 422, "value-not-valid"),
    Bad(DECIDE, "a hold lifted where there is none", "cleo", post("/lots/{lot}/hold-lift", SIGNED), 409, "wrong-state"),
    Bad(DECIDE, "a hold lifted by who set it", "cleo", post("/lots/{held}/hold-lift", SIGNED), 409, "not-by-same-person"),
    Bad(DECIDE, "a material used after it expired", "tom", post(
        "/steps/expansion", lambda w: {"location": "B2", "outputs": [{"kind": "culture", "unit": "10*6.{cells}"}], "inputs": [
            {"lot_number": w.bank, "quantity": {"value": "1", "unit": "{vial}"}},
            {"lot_number": w.short_lived, "quantity": {"value": "1", "unit": "L"}}]}), 409, "lot-expired"),
    Bad(AFTER, "the same release again", "cleo", post("/lots/{lot}/release", SIGNED), 409, "wrong-state"),
    Bad(AFTER, "a rejection of what was released", "cleo", post("/lots/{lot}/rejection", SIGNED), 409, "was-released"),
    Bad(AFTER, "a recall of class IV", "cleo", post("/lots/{lot}/recall", SIGNED, recall_class="IV"), 422, "value-not-valid"),
    Bad(AFTER, "a recall by the production head", "ann", post("/lots/{lot}/recall", SIGNED, recall_class="I"), 403, "permission-missing"),
    Bad(AFTER, "one more result", "ben", post("/samples/{sample}/results", result("PH", "7.2", "7.2", unit="[pH]")), 409, "lot-decided"),
    Bad(AFTER, "a corrected result", "ben", post("/results/{first}/correction", lambda w: {
        "replicates": ["not detected"], "started_at": w.sampled_at, "finished_at": w.now(), "reason": "mistyped"}), 409, "lot-decided"),
    Bad(AFTER, "a corrected reading", "tom", post("/readings/{reading}/correction", {"value": "pending", "reason": "mistyped"}), 409, "lot-decided"),
    Bad(AFTER, "a look-up of a lot that there is not", None, get("/public/lots/UEV26-9999"), 404, "no-certificate"),
    Bad(AFTER, "a look-up of a lot that was not released", None, get("/public/lots/{second}"), 404, "no-certificate"),
    Bad(AFTER, "a look-up made of SQL", None, get("/public/lots/' OR '1'='1"), 404, "no-certificate"),
    Bad(AFTER, "a look-up with other letters", None, get("/public/lots/ЦЕВ26-0001"), 404, "no-certificate"),
    Bad(AFTER, "a certificate that there is not", None, get("/public/certificates/COA-2026-999999.pdf"), 404, "no-certificate"),
    Bad(AFTER, "a trace of a lot that there is not", "dov", get("/lots/UEV26-9999/trace"), 404, "lot-not-found"),
    Bad(AFTER, "a list of -1 lots", "dov", get("/lots?limit=-1"), 422, "value-not-valid"),
    Bad(AFTER, "a list of steps beyond measure", "dov", get("/steps?limit=99999999999999999999"), 422, "value-not-valid"),
    Bad(AFTER, "an audit since yesterday, without a zone", "dov", get("/audit?since=2026-03-01T00:00:00"), 422, "value-not-valid"),
    Bad(AFTER, "a correction of result number 10^30", "ben", post(f"/results/{10**30}/correction", lambda w: {
        "replicates": ["1"], "started_at": w.sampled_at, "finished_at": w.now(), "reason": "mistyped"}), 422, "value-not-valid"),
)  # fmt: skip
