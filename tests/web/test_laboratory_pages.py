"""The laboratory's pages: a run, an investigation and a slow test, from the form to the record."""

import re

import pytest

from domain.laboratory.oos_models import Outcome
from domain.lots.models import LotState
from domain.work import Site
from tests import build
from tests.cast import password, raw
from tests.laboratory import control
from tests.stages import LOT
from tests.web.browsing import Browser, Page

pytestmark = pytest.mark.stage("drug_product")


def signed(who: str) -> dict[str, str]:
    return {"credentials.username": who, "credentials.password": password(who)}


def sent(browser: Browser, path: str, **values: str) -> str:
    """Fill in the form of that page and send it; returns where it leads."""
    page = Page(browser.open(path).text)
    given = {**page.values, **{name.replace("__", "."): value for name, value in values.items()}}
    answer = browser.client.post(path, data=given, headers={"accept": "text/html"})
    assert answer.status_code == 303, re.findall(r'class="summary".*?</div>', answer.text, re.DOTALL)
    return str(answer.headers["location"])


def test_a_run_is_started_concluded_and_shown_as_invalid(site: Site) -> None:
    control.method(site, "ENDO", suitability=[control.RECOVERY])
    ben = Browser(site, "ben")
    place = sent(ben, "/runs/new", method_code="SOP-ENDO", instrument="Plate reader 1")
    assert "spike recovery" in ben.open(place).text
    sent(ben, f"{place}/conclude", checks__0__value="12")
    shown = ben.open(place).text
    assert "Invalid" in shown
    assert "below the lower limit 50" in shown
    assert "Invalid" in ben.open("/laboratory").text


@pytest.mark.requirement("URS-176")
def test_the_form_of_a_retest_is_blank(site: Site) -> None:
    build.entered(site, build.sampled(site, LOT), "PH", "7.93", "7.97")
    (oos,) = control.investigations(site)
    control.phase_one(site, oos.number)
    control.planned(site, oos.number, count=1)
    text = Browser(site, "bea").open(f"/oos/{oos.number}/retest").text
    form = Page(text)
    assert {name: value for name, value in form.values.items() if name.startswith("replicates")} == {
        "replicates.1": "",
        "replicates.2": "",
    }
    assert "7.93" not in text
    assert "7.9" not in text


def test_an_investigation_goes_through_its_phases_on_the_pages(site: Site) -> None:
    build.entered(site, build.sampled(site, LOT), "PH", "7.9", "7.9")
    (oos,) = control.investigations(site)
    place = f"/oos/{oos.number}"
    rhea, cleo = Browser(site, "rhea"), Browser(site, "cleo")
    assert "Waits for phase 1" in rhea.open(place).text
    answers = {f"answers.{place}.as_it_should_be": "true" for place in range(9)}
    answers |= {"answers.2.as_it_should_be": "false", "answers.2.remark": "wrong cell of the sheet"}
    said = {"cause": "calculation", "text": "the sheet read the wrong cell", **signed("rhea")}
    sent(rhea, f"{place}/laboratory", **answers, **said)
    sent(cleo, f"{place}/conclusion", outcome=Outcome.LABORATORY_ERROR, text="as phase 1 found", **signed("cleo"))
    shown = cleo.open(place).text
    assert "wrong cell of the sheet" in shown
    assert "Error of the laboratory" in shown
    lot = cleo.open(f"/lots/{LOT}").text
    assert "Results that do not decide" in lot
    assert build.lot(site, LOT).state is LotState.ON_HOLD


def test_a_slow_test_is_inoculated_read_and_stated_on_the_pages(site: Site) -> None:
    control.method(site, "STER", read_every_days=14)
    sample, ben = build.sampled(site, LOT), Browser(site, "ben")
    sent(ben, f"/samples/{sample}/inoculate", method_code="SOP-STER", units="10", media="FTM and TSB")
    assert "Final from" in ben.open(f"/samples/{sample}").text
    site.clock.advance(days=14)  # type: ignore[attr-defined]
    ben = Browser(site, "ben")
    assert f"/samples/{sample}/growth/SOP-STER" in ben.open("/laboratory").text
    sent(ben, f"/samples/{sample}/growth/SOP-STER", seen="clear")
    sent(ben, f"/samples/{sample}/final/SOP-STER")
    assert raw(site, "SELECT count(*) FROM result WHERE test_code = 'STER'")[0][0] == 1


def test_a_sampling_plan_is_drafted_approved_and_drawn_by_on_the_pages(site: Site) -> None:
    rhea, cleo, ben = (Browser(site, who) for who in ("rhea", "cleo", "ben"))
    line = {
        "stage": "final_vial",
        "purpose": "retention",
        "quantity.value": "6",
        "quantity.unit": "{vial}",
        "reserve": "retention",
    }
    said = {f"lines.0.{name}": value for name, value in line.items()}
    tests = {**line, "purpose": "release", "reserve": "", "tests": "PH, STER", "quantity.value": "12"}
    said |= {f"lines.1.{name}": value for name, value in tests.items()}
    sent(
        rhea,
        "/sampling-plans/new",
        code="SP-1",
        product_code="UC-EV-50",
        effective_from=site.today().isoformat(),
        **said,
    )
    sent(cleo, "/sampling-plans/SP-1/1/approve", **signed("cleo"))
    assert "Approved" in ben.open("/sampling-plans").text
    assert "by-plan" in ben.open(f"/lots/{LOT}").text
    sent(ben, f"/lots/{LOT}/samples/by-plan")
    assert raw(site, "SELECT count(*) FROM sample")[0][0] == 2


def test_a_method_with_checks_is_defined_and_approved_on_the_pages(site: Site) -> None:
    rhea, cleo = Browser(site, "rhea"), Browser(site, "cleo")
    said = {"code": "SOP-ENDO-2", "test_code": "ENDO", "name": "LAL", "principle": "kinetic", "validation": "validated"}
    check = {
        "name": "spike recovery",
        "check": "control",
        "kind": "between",
        "lower": "50",
        "upper": "200",
        "unit": "%",
    }
    said |= {f"suitability.0.{name}": value for name, value in check.items()} | {
        "validated_for": "UC-EV-50, drug_product"
    }
    sent(rhea, "/methods/new", **said)
    sent(cleo, "/methods/SOP-ENDO-2/1/approve", **signed("cleo"))
    assert "Approved" in cleo.open("/methods").text
    assert (
        raw(site, "SELECT validated_for FROM method WHERE code = 'SOP-ENDO-2'")[0][0] == '["UC-EV-50", "drug_product"]'
    )
