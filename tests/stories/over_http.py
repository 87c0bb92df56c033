"""The cast at their desks: everything goes through the JSON API, as any other program would send it.

`House` holds one application and signs people in as they are needed; `Story` walks one lot from its donor to the shelf. A story test says only
what differs; what is usual comes from the catalogues' own examples.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import httpx

from domain.laboratory.catalogue import TESTS
from domain.manufacturing.models import MINIMUM_PANEL
from domain.work import Site
from tests.build import PANEL, readings_for
from tests.cast import Clock, password

Quantity = tuple[str, str]
JSON = dict[str, Any]


class House:
    """A running application, asked over HTTP."""

    def __init__(self, client: httpx.Client) -> None:
        self.client = client
        self._tokens: dict[str, str] = {}

    def sign_in(self, who: str) -> str:
        """A fresh bearer token."""
        answer = self.client.post("/api/v1/session", json={"username": who, "password": password(who)})
        assert answer.status_code == 200, answer.text
        self.client.cookies.clear()  # a program sends its token; a cookie beside it would only blur who asks
        self._tokens[who] = answer.json()["access_token"]
        return self._tokens[who]

    def forget(self) -> None:
        """Everybody went home: who comes back signs in again."""
        self._tokens.clear()

    def ask(self, who: str | None, method: str, path: str, **sent: Any) -> httpx.Response:
        """One request as somebody, or as nobody."""
        headers = dict(sent.pop("headers", {}))
        if who is not None:
            headers["Authorization"] = f"Bearer {self._tokens.get(who) or self.sign_in(who)}"
        return self.client.request(method, path, headers=headers, **sent)

    def get(self, who: str | None, path: str, **sent: Any) -> Any:
        """What a successful GET answers."""
        answer = self.ask(who, "GET", f"/api/v1{path}", **sent)
        assert answer.status_code == 200, f"GET {path}: {answer.status_code} {answer.text}"
        return answer.json()

    def post(self, who: str | None, path: str, body: Any = None, **sent: Any) -> Any:
        """What a successful POST answers."""
        answer = self.ask(who, "POST", f"/api/v1{path}", json=body, **sent)
        assert answer.status_code in (200, 201, 204), f"POST {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None


def amount(quantity: Quantity) -> JSON:
    """A quantity as JSON."""
    return {"value": quantity[0], "unit": quantity[1]}


def credentials(who: str) -> JSON:
    """Both components of a signature."""
    return {"username": who, "password": password(who)}


def readings(kind: str, **differing: Any) -> JSON:
    """Everything a step of the kind must record, as the typed body of that kind takes it."""
    return {
        entry.parameter: entry.model_dump(mode="json", exclude={"parameter"}, exclude_none=True)
        for entry in readings_for(kind, **differing)
    }


class Story:
    """One lot on its way; every method is one visit of one person, and gives the numbers it made."""

    def __init__(self, house: House, site: Site) -> None:
        self.house, self.site = house, site

    def wait(self, **by: float) -> None:
        """Time passes; whoever comes back signs in again."""
        assert isinstance(self.site.clock, Clock)
        self.site.clock.advance(**by)
        self.house.forget()

    def now(self, later: timedelta = timedelta(0)) -> str:
        """The time of the server, or some later one."""
        return (self.site.clock() + later).isoformat()

    def donor(self, pseudonym: str, decided: str | None = "eligible") -> str:
        """A donor of umbilical cord with a negative panel of today."""
        facts = {"tissue": "umbilical_cord", "age_years": 31, "consent_id": "C-118", "consent_version": "3"}
        self.house.post("tom", "/donors", {"pseudonym": pseudonym, "consent_scope": "commercial", **facts})
        on = self.site.today().isoformat()
        panel = [{"marker": marker, "verdict": "negative", "sampled_on": on} for marker in MINIMUM_PANEL]
        self.house.post("tom", f"/donors/{pseudonym}/markers", {"laboratory": "Blood bank", "results": panel})
        if decided:
            said = {"decision": decided, "reason": "panel looked at", "credentials": credentials("cleo")}
            self.house.post("cleo", f"/donors/{pseudonym}/eligibility", said)
        return pseudonym

    def material(self, quantity: Quantity = ("10", "L"), **differing: Any) -> str:
        """A raw material in quarantine."""
        facts = {
            "material": "DMEM/F12",
            "supplier": "Biowest",
            "supplier_lot_number": "MX-4471",
            "expires_on": "2027-03-01",
        }
        return str(
            self.house.post("tom", "/materials", {**facts, "quantity": amount(quantity), **differing})["lot_number"]
        )

    def accept(self, lot: str) -> str:
        """QA releases an input for use."""
        self.house.post("cleo", f"/lots/{lot}/acceptance", {"reason": "complies", "credentials": credentials("cleo")})
        return lot

    def start(self, kind: str, inputs: Mapping[str, Quantity], outputs: Sequence[tuple[str, str]], **more: Any) -> JSON:
        """A step that is begun; its lots have their numbers."""
        body = {
            "location": "Clean room B2",
            "inputs": [{"lot_number": lot, "quantity": amount(taken)} for lot, taken in inputs.items()],
            "outputs": [{"kind": what, "unit": unit} for what, unit in outputs],
            **more,
        }
        return dict(self.house.post("tom", f"/steps/{kind}", body))

    def complete(self, step: JSON, quantities: Sequence[Quantity], **differing: Any) -> str:
        """The step ends: its lots are measured. Returns the first."""
        lots = [one["lot_number"] for one in step["yielded"]]
        measured = [{"lot_number": lot, "quantity": amount(one)} for lot, one in zip(lots, quantities, strict=True)]
        body = {"outputs": measured, "readings": readings(step["kind"], **differing)}
        self.house.post("tom", f"/steps/{step['number']}/completion/{step['kind']}", body)
        return str(lots[0])

    def step(self, kind: str, inputs: Mapping[str, Quantity], output: tuple[str, str, str], **more: Any) -> str:
        """A step from start to end; returns the lot it gave."""
        what, value, unit = output
        return self.complete(self.start(kind, inputs, [(what, unit)], **more), [(value, unit)])

    def bank(self, donor: str) -> str:
        """A released master cell bank of 60 vials."""
        donation = self.accept(self.step("procurement", {}, ("donation", "40", "g"), donor=donor))
        cells = self.step("isolation", {donation: ("40", "g")}, ("isolated_cells", "35", "10*6.{cells}"))
        return self.accept(self.step("banking", {cells: ("35", "10*6.{cells}")}, ("master_cell_bank", "60", "{vial}")))

    def bulk(self, bank: str, material: str) -> str:
        """Purified bulk, 100 mL, of one vial of the bank."""
        taken = {bank: ("1", "{vial}"), material: ("1", "L")}
        culture = self.step("expansion", taken, ("culture", "180", "10*6.{cells}"))
        taken = {culture: ("180", "10*6.{cells}"), material: ("2", "L")}
        medium = self.step("conditioning", taken, ("conditioned_medium", "2", "L"))
        harvest = self.step("harvest", {medium: ("2", "L")}, ("harvest", "2", "L"))
        clear = self.step("clarification", {harvest: ("2", "L")}, ("clarified_harvest", "1.9", "L"))
        return self.step("purification", {clear: ("1.9", "L")}, ("purified_bulk", "100", "mL"))

    def pack(self, bulk: str, product: str) -> str:
        """Formulated, filled, freeze-dried, packed; as many vials as the catalogue's examples say."""
        formulated = self.step(
            "formulation", {bulk: ("100", "mL")}, ("formulated_bulk", "210", "mL"), product_code=product
        )
        loaded = readings("fill")["vials_loaded"]["value"]
        filled = self.step(
            "fill", {formulated: ("210", "mL")}, ("filled_vials", loaded, "{vial}"), product_code=product
        )
        taken = {filled: (loaded, "{vial}")}
        dried = self.step("lyophilization", taken, ("lyophilized_vials", loaded, "{vial}"), product_code=product)
        packed = ("drug_product", readings("packaging")["vials_accepted"]["value"], "{vial}")
        return self.step("packaging", {dried: (loaded, "{vial}")}, packed, product_code=product)

    def product(self, code: str = "UC-EV-50") -> str:
        """A product in research use."""
        self.house.post("ann", "/products", product_facts(code))
        return code

    def specification(self, product: str, *, nanosight: bool = False) -> str:
        """Methods, and an approved release specification for the usual panel."""
        panel: dict[str, JSON] = {test: dict(criterion) for test, (criterion, _) in PANEL.items()}
        if nanosight:
            panel |= {"SIZE-DIST": {"kind": "report_only"}, "D50": {"kind": "between", "lower": "50", "upper": "200"}}
        for test in panel:
            if TESTS[test].derived is None:
                facts = {"test_code": test, "name": TESTS[test].name_en, "principle": "as validated"}
                limits = {"lod": "0.05", "loq": "0.05"} if test == "ENDO" else {}
                self.house.post("rhea", "/methods", {"code": f"SOP-{test}", **facts, **limits})
        lines = [
            {"test_code": test, "method_code": None if TESTS[test].derived else f"SOP-{test}", **criterion}
            for test, criterion in panel.items()
        ]
        code = f"SPEC-{product}"
        draft = {"code": code, "product_code": product, "effective_from": self.site.today().isoformat(), "lines": lines}
        made = self.house.post("rhea", "/specifications", draft)
        approval = {"credentials": credentials("cleo")}
        self.house.post("cleo", f"/specifications/{code}/{made['revision']}/approval", approval)
        return code

    def sample(self, lot: str) -> str:
        """Ten vials for the laboratory."""
        made = self.house.post("ben", f"/lots/{lot}/samples", {"quantity": amount(("10", "{vial}"))})
        return str(made["sample"]["number"])

    def result(self, sample: str, test: str, *replicates: str, started_at: str | None = None) -> JSON:
        """One result, just read."""
        body = {
            "method_code": f"SOP-{test}",
            "replicates": replicates,
            "unit": TESTS[test].unit,
            "started_at": started_at or self.now(),
            "finished_at": self.now(),
        }
        return dict(self.house.post("ben", f"/samples/{sample}/results", body))

    def test(self, lot: str, *, nanosight: bytes | None = None) -> str:
        """Sampled, and after the fourteen days of a sterility test every result entered; with a file, NTA comes from it."""
        sample, started = self.sample(lot), self.now()
        self.wait(days=14)
        for test, (_, usual) in PANEL.items():
            if usual and not (nanosight and test == "PART-CONC"):
                self.result(sample, test, *usual, started_at=started)
        if nanosight:
            self.measure(sample, nanosight)
        return sample

    def measure(self, sample: str, data: bytes, name: str = "NTA-ExperimentSummary.csv") -> list[int]:
        """The instrument sends its file."""
        form = {
            "concentration_method": "SOP-PART-CONC",
            "size_method": "SOP-SIZE-DIST",
            "comment": "few particles per frame, as expected at this dilution",
        }
        answer = self.house.ask(
            "nano", "POST", f"/api/v1/samples/{sample}/nanosight", data=form, files={"file": (name, data)}
        )
        assert answer.status_code == 201, answer.text
        return list(answer.json()["result_ids"])

    def review(self, sample: str) -> None:
        """A second person looks at everything found."""
        found = self.house.get("rhea", f"/samples/{sample}")["results"]
        ids = [one["id"] for one in found if one["outcome"] is None]
        said = {"result_ids": ids, "comment": "raw data seen", "credentials": credentials("rhea")}
        self.house.post("rhea", f"/samples/{sample}/reviews", said)

    def submit(self, lot: str) -> None:
        """The head of QC hands the lot to QA."""
        self.decide("rhea", lot, "submission")

    def decide(self, who: str, lot: str, what: str, **more: Any) -> JSON:
        """A signed decision on a lot."""
        body = {"reason": "as the records say", "credentials": credentials(who), **more}
        return dict(self.house.post(who, f"/lots/{lot}/{what}", body))

    def drug_product(self, donor: str = "D-2026-017") -> str:
        """A packed lot of a specified product, made down from its donor."""
        product = self.product()
        self.specification(product)
        return self.pack(self.bulk(self.bank(self.donor(donor)), self.accept(self.material())), product)

    def ready_for_release(self) -> str:
        """A lot that only waits for QA."""
        lot = self.drug_product()
        self.review(self.test(lot))
        self.submit(lot)
        return lot


def product_facts(code: str = "UC-EV-50", **differing: Any) -> JSON:
    """What defines a product."""
    return {
        "code": code,
        "name_en": "Umbilical cord MSC vesicles, freeze-dried",
        "name_de": "MSC-Vesikel aus Nabelschnur, gefriergetrocknet",
        "gtin": "09521234543213",
        "lot_series": "UEV",
        "form_en": "Lyophilisate",
        "form_de": "Lyophilisat",
        "composition": "5E10 vesicles, trehalose, phosphate",
        "container": "6R vial, type I glass",
        "fill_volume": amount(("2", "mL")),
        "reconstitution_volume": amount(("2", "mL")),
        "diluent_en": "Water for injections",
        "diluent_de": "Wasser für Injektionszwecke",
        "route": "topical",
        "label_particles": amount(("5E10", "{particles}/{vial}")),
        "shelf_life_months": 24,
        "storage_low": amount(("2", "Cel")),
        "storage_high": amount(("8", "Cel")),
        "regulatory_status": "research_use",
        **differing,
    }
