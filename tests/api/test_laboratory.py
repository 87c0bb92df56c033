"""An investigation and a run over HTTP, from the failing result to QA's conclusion."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from domain.laboratory.oos import CHECKLIST
from domain.work import Site
from tests import build
from tests.cast import Clock, password
from tests.laboratory import control
from tests.stages import LOT

pytestmark = pytest.mark.stage("drug_product")
API = "/api/v1"


class Asker:
    """Everybody of the laboratory, each with a token."""

    def __init__(self, client: TestClient) -> None:
        self.client, self.tokens = client, dict[str, str]()

    def __call__(self, who: str, path: str, body: dict[str, Any] | None = None, status: int | None = None) -> Any:
        """POST with a body, GET without; returns the JSON."""
        if who not in self.tokens:
            given = {"username": who, "password": password(who)}
            self.tokens[who] = self.client.post(f"{API}/session", json=given).json()["access_token"]
            self.client.cookies.clear()
        headers = {"Authorization": f"Bearer {self.tokens[who]}"}
        method = "GET" if body is None else "POST"
        answer = self.client.request(method, f"{API}{path}", json=body, headers=headers)
        assert answer.status_code == (status or (200 if body is None else 201)), answer.text
        return answer.json()


def signed(who: str) -> dict[str, Any]:
    return {"credentials": {"username": who, "password": password(who)}}


def test_an_investigation_is_led_to_its_conclusion_over_http(client: TestClient, site: Site) -> None:
    ask = Asker(client)
    sample = build.sampled(site, LOT)
    build.entered(site, sample, "PH", "7.9", "7.9")
    (oos,) = ask("dov", "/oos")
    assert oos["stage"] == "phase 1: laboratory"
    path = f"/oos/{oos['number']}"
    answers = [{"item": item, "as_it_should_be": True} for item in ask("rhea", "/oos-checklist")]
    assert len(answers) == len(CHECKLIST)
    ask("rhea", f"{path}/laboratory", {"answers": answers, "cause": "none", "text": control.WHY, **signed("rhea")})
    ask("ann", f"{path}/production", {"cause_found": False, "text": control.WHY, **signed("ann")})
    plan = {"count": 1, "analysts": ["bea"], "reason": control.WHY}
    ask("rhea", f"{path}/retest-plan", plan)
    now = site.clock().isoformat()
    retest = {"replicates": ["7.9", "7.8"], "unit": "[pH]", "started_at": now, "finished_at": now}
    refused = ask("bea", f"{path}/retests", retest, 409)
    assert refused["reasons"][0]["type"] == "/problems/retest-unplanned"
    ask("cleo", f"{path}/retest-plan/approval", signed("cleo"))
    assert isinstance(site.clock, Clock)
    shown = ask("bea", f"{path}/retests", retest)
    assert [one["analyst"] for one in shown["retests"]] == ["Bea Tests Too"]
    build.reviewed(site, sample, who="rob")
    final = {"outcome": "confirmed", "text": control.WHY, **signed("cleo")}
    assert ask("cleo", f"{path}/conclusion", final)["outcome"] == "confirmed"
    blockers = ask("cleo", f"/lots/{LOT}/readiness?action=lift")
    assert {one["code"] for one in blockers} >= {"oos-confirmed"}
    assert ask("ben", "/laboratory/work")["investigations"] == []


def test_a_run_is_led_to_its_end_over_http(client: TestClient, site: Site) -> None:
    ask = Asker(client)
    control.method(site, "ENDO", suitability=[control.RECOVERY])
    run = ask("ben", "/runs", {"method_code": "SOP-ENDO", "instrument": "Plate reader 1"})
    sample, now = build.sampled(site, LOT), site.clock().isoformat()
    result = {
        "method_code": "SOP-ENDO",
        "replicates": ["0.9", "0.9"],
        "unit": "{EU}/mL",
        "started_at": now,
        "finished_at": now,
    }
    ask("ben", f"/samples/{sample}/results", result, 409)
    ask("ben", f"/samples/{sample}/results", {**result, "run_number": run["number"]})
    ended = ask("ben", f"/runs/{run['number']}/conclusion", {"checks": [{"name": "spike recovery", "value": "12"}]})
    assert (ended["valid"], len(ended["results"])) == (False, 1)
    lot = ask("ben", f"/lots/{LOT}")
    assert [one["test_code"] for one in lot["invalid_results"]] == ["ENDO"]
    assert ask("ben", "/oos") == []
    (standing,) = ask("ben", f"/lots/{LOT}/standing")
    assert standing["verdicts"]["ENDO"] == "missing"
