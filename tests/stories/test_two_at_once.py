"""Two people, or two clicks of one, do the same at the same moment: one record, and a clear refusal for the other."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.main import create_app
from domain import audit
from domain.deviations.models import Severity
from domain.deviations.operations import OpenDeviation, report_deviation
from domain.errors import DomainError
from domain.laboratory.results import EnterResult, enter_result
from domain.manufacturing.ending import complete_step
from domain.manufacturing.materials import CorrectStock, correct_stock
from domain.manufacturing.readings import log_reading
from domain.manufacturing.step_commands import CompleteStep, Entry, Input, LogReading, Measured, Output, StartStep
from domain.manufacturing.steps import start_step
from domain.manufacturing.verifying import VerifyStart, verify_start
from domain.work import Site, perform
from tests import build, governed
from tests.build import K, amount
from tests.cast import actor, credentials, password, raw
from tests.web.browsing import PAGE, Browser, Page


def at_once(*acts: Callable[[], Any]) -> tuple[list[Any], list[str]]:
    """What the acts gave, and the codes of those that were refused."""
    ready = Barrier(len(acts))

    def press(one: Callable[[], Any]) -> Any:
        ready.wait(timeout=30)
        try:
            return one()
        except DomainError as refusal:
            return refusal

    with ThreadPoolExecutor(len(acts)) as pool:
        found = list(pool.map(press, acts))
    refused = [one.reasons[0].code for one in found if isinstance(one, DomainError)]
    return [one for one in found if not isinstance(one, DomainError)], refused


def twice(site: Site, operation: Any, command: Any, *people: str, once: str = "") -> tuple[list[Any], list[str]]:
    """The same command by two people, or twice by one, at the same moment."""
    who = [actor(site, one) for one in people]
    return at_once(*(lambda one=one: perform(site, one, operation, command, once=once) for one in who))  # type: ignore[misc]


def begun(site: Site, quantity: str) -> StartStep:
    bank = build.bank(site)
    taken = Input(lot_number=bank, quantity=amount(quantity, "{vial}"))
    return StartStep(kind="expansion", location="B1", inputs=(taken,), outputs=(Output(kind=K.CULTURE, unit="mL"),))


@pytest.mark.requirement("URS-213")
def test_a_step_that_takes_all_there_is_starts_once_of_two_at_once(site: Site) -> None:
    command = begun(site, "1")
    left = raw(site, "SELECT quantity_left FROM lot ORDER BY id DESC LIMIT 1")[0][0]
    command = command.model_copy(
        update={"inputs": (command.inputs[0].model_copy(update={"quantity": amount(str(left), "{vial}")}),)}
    )
    before = raw(site, "SELECT count(*) FROM step")[0][0]
    done, refused = twice(site, start_step, command, "tom", "ann")
    assert (len(done), len(refused)) == (1, 1)
    assert refused[0] in ("not-enough", "not-enough-left", "lot-empty", "changed-meanwhile"), refused
    assert raw(site, "SELECT count(*) FROM step") == [(before + 1,)]


@pytest.mark.requirement("URS-213")
def test_a_form_pressed_twice_at_once_starts_one_step_though_there_is_material_for_two(site: Site) -> None:
    command = begun(site, "1")
    before = raw(site, "SELECT count(*) FROM step")[0][0]
    done, refused = twice(site, start_step, command, "tom", "tom", once="key of the form")
    assert (len(done), refused) == (1, ["sent-already"])
    assert raw(site, "SELECT count(*) FROM step") == [(before + 1,)]
    assert raw(site, "SELECT count(*) FROM audit_entry WHERE act = 'start_step' AND outcome = 'done' AND sequence > 0")
    assert audit.verify(site.engine, []).broken is None


@pytest.mark.requirement("URS-213")
def test_the_same_result_entered_by_two_analysts_at_once_is_one_result(site: Site) -> None:
    build.methods(site, ("PH",))
    sample, now = build.sampled(site, build.donation(site), ("1", "g")), site.clock()
    said = {"sample_number": sample, "method_code": "SOP-PH", "replicates": ("7.2", "7.2"), "unit": "[pH]"}
    command = EnterResult(**said, started_at=now, finished_at=now)
    done, refused = twice(site, enter_result, command, "ben", "bea")
    assert (len(done), refused) == (1, ["result-exists"])
    assert raw(site, "SELECT count(*) FROM result") == [(1,)]


@pytest.mark.stage("governed")
@pytest.mark.requirement("URS-213")
def test_reading_verification_and_end_of_a_step_are_done_once_of_two_at_once(site: Site) -> None:
    step = governed.formulation(site)
    log = LogReading(step_number=step.step, entry=Entry(parameter="ph", value="7.2", unit="[pH]"))
    assert twice(site, log_reading, log, "tom", "ann")[1] == ["reading-exists"]
    assert raw(site, "SELECT count(*) FROM reading WHERE parameter = 'ph'") == [(1,)]
    seen = VerifyStart(step_number=step.step, credentials=credentials("ann"))
    assert twice(site, verify_start, seen, "ann", "ann")[1] == ["verified-already"]
    out = Measured(lot_number=step.lot, quantity=amount("210", "mL"))
    end = CompleteStep(step_number=step.step, outputs=(out,), readings=build.readings_for("formulation", ph=None))
    assert twice(site, complete_step, end, "tom", "ann")[1] == ["step-complete"]


@pytest.mark.requirement("URS-213")
def test_a_page_that_is_sent_twice_is_refused_in_words_and_a_refused_one_can_be_sent_again(site: Site) -> None:
    tom = Browser(site, "tom")
    form = "/materials/new"
    held = Page(tom.open(form).text).values
    wrong = {
        **held,
        "material": "Saline",
        "quantity.value": "none",
        "quantity.unit": "L",
        "supplier": "S",
        "supplier_lot_number": "1",
        "expires_on": "2027-01-01",
    }
    assert tom.client.post(form, data=wrong, headers=PAGE).status_code == 422
    right = {**wrong, "quantity.value": "2"}
    first = tom.client.post(form, data=right, headers=PAGE)
    assert first.status_code == 303, first.text
    second = tom.client.post(form, data=right, headers=PAGE)
    assert (second.status_code, "was sent already" in second.text) == (409, True)
    assert raw(site, "SELECT count(*) FROM lot WHERE description = 'Saline'") == [(1,)]


@pytest.mark.requirement("URS-213")
def test_a_request_with_the_same_key_is_done_once_and_another_persons_key_is_their_own(site: Site) -> None:
    client = TestClient(create_app(site))

    def post(who: str, key: str, text: str = "the label printer smells of smoke") -> int:
        body = {"code": "printer-smells", "text": text, "severity": "minor"}
        session = client.post("/api/v1/session", json={"username": who, "password": password(who)}).json()
        client.cookies.clear()
        headers = {"Authorization": f"Bearer {session['access_token']}", "Idempotency-Key": key}
        return client.post("/api/v1/deviations", json=body, headers=headers).status_code

    told = [post("tom", "a"), post("tom", "a", "it burns"), post("tom", "b", "it burns"), post("ann", "a")]
    assert told == [201, 409, 201, 201]
    assert post("tom", "x" * 201) == 422


@pytest.mark.requirement("URS-213")
def test_a_key_of_one_act_does_not_swallow_another_act(site: Site) -> None:
    number = build.material(site)
    counted = CorrectStock(lot_number=number, counted=amount("1", "L"), reason="counted on the shelf")
    told = OpenDeviation(code="printer-smells", text="the label printer smells of smoke", severity=Severity.MINOR)
    perform(site, actor(site, "tom"), correct_stock, counted, once="a")
    assert perform(site, actor(site, "tom"), report_deviation, told, once="a").key
