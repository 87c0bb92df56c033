"""Forms of the workplace: what is wrong is said where it was typed, and nothing typed is lost."""

from datetime import UTC, datetime

from sqlmodel import select

from domain.laboratory.models import Sample
from domain.store import reading
from domain.work import Site
from tests import build
from tests.cast import Clock, raw
from tests.web.browsing import PAGE, Browser, Page, errors_at, signed

MATERIAL = {
    "material": "Human platelet lysate",
    "supplier": "Biowest",
    "supplier_lot_number": "MX-4471",
    "quantity.value": "500",
    "quantity.unit": "mL",
    "expires_on": "2027-03-01",
}


def test_material_comes_in_through_a_form(site: Site) -> None:
    answer = Browser(site, "tom").send("/materials/new", MATERIAL)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/lots/RM26-0001"
    assert build.lot(site, "RM26-0001").supplier_lot_number == "MX-4471"


def test_a_bad_value_is_answered_at_its_field_and_stays_typed(site: Site) -> None:
    answer = Browser(site, "tom").send("/materials/new", {**MATERIAL, "quantity.value": "1,5"})
    assert answer.status_code == 422
    assert "1,5" in errors_at(answer, "quantity.value")
    page = Page(answer.text)
    assert page.values["quantity.value"] == "1,5"
    assert page.values["material"] == "Human platelet lysate"
    assert page.values["quantity.unit"] == "mL"
    assert page.attributes["f-quantity.value"]["aria-invalid"] == "true"
    assert "#f-quantity.value" in page.links
    assert raw(site, "SELECT count(*) FROM lot")[0][0] == 0


def test_every_empty_field_is_named_at_once(site: Site) -> None:
    answer = Browser(site, "tom").send("/materials/new", {})
    assert answer.status_code == 422
    for name in ("material", "supplier", "supplier_lot_number", "quantity.value", "expires_on"):
        assert errors_at(answer, name) == "This is needed.", name


def test_a_form_without_the_token_of_the_session_records_nothing_and_keeps_what_was_typed(site: Site) -> None:
    browser = Browser(site, "tom")
    for token in ("", "guessed", "ä"):
        answer = browser.client.post("/materials/new", data={**MATERIAL, "csrf": token}, headers=PAGE)
        assert answer.status_code == 403
        assert Page(answer.text).values["material"] == "Human platelet lysate"
    assert raw(site, "SELECT count(*) FROM lot")[0][0] == 0


def test_half_an_hour_without_a_click_ends_the_session(site: Site, clock: Clock) -> None:
    browser = Browser(site, "tom")
    token = browser.token("/materials/new")
    clock.advance(minutes=31)
    answer = browser.open("/lots?kind=donation")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in?next=%2Flots%3Fkind%3Ddonation"
    lost = browser.client.post("/materials/new", data={**MATERIAL, "csrf": token}, headers=PAGE)
    assert lost.status_code == 401
    assert "Nothing was recorded" in lost.text
    assert browser.sign_in("tom", target="/lots?kind=donation").headers["location"] == "/lots?kind=donation"


def test_signing_in_never_leads_to_another_site(site: Site) -> None:
    for target in ("//evil.example", "https://evil.example/", "/\\evil.example", "/\n/evil.example"):
        assert Browser(site).sign_in("tom", target=target).headers["location"] == "/work"


def test_a_wrong_password_signs_nobody_in_and_keeps_the_username(site: Site) -> None:
    answer = Browser(site).sign_in("tom", "wrong")
    assert answer.status_code == 401
    assert Page(answer.text).values["username"] == "tom"
    assert "exolotl_session" not in answer.cookies


def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(site: Site) -> None:
    cookie = Browser(site).sign_in("tom").headers.get_list("set-cookie")[0].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie


def test_signing_out_ends_the_session_for_the_server_too(site: Site) -> None:
    browser = Browser(site, "tom")
    cookie = browser.client.cookies["exolotl_session"]
    assert browser.send("/work", {}).status_code == 405
    browser.client.post("/sign-out", data={"csrf": browser.token("/work")}, headers=PAGE)
    browser.client.cookies.set("exolotl_session", cookie)
    assert browser.open("/work").status_code == 303


def test_who_may_not_gets_a_page_that_says_so(site: Site) -> None:
    answer = Browser(site, "ben").open("/materials/new")
    assert answer.status_code == 403
    assert "receive_material" in answer.text
    assert Browser(site, "ada").open("/lots").status_code == 403


def test_what_was_typed_is_never_markup(site: Site) -> None:
    browser = Browser(site, "tom")
    browser.send("/materials/new", {**MATERIAL, "material": "<script>alert(1)</script>"})
    answer = browser.open("/lots/RM26-0001")
    assert "<script" not in answer.text
    assert "&lt;script&gt;" in answer.text


def test_pages_allow_no_script_and_no_frame(site: Site) -> None:
    policy = Browser(site, "tom").open("/work").headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy


def test_a_reading_outside_the_bounds_is_refused_at_its_field_then_recorded(site: Site) -> None:
    step = _expansion(site)
    browser = Browser(site, "tom")
    path = f"/steps/{step}"
    csrf = browser.token(path)

    def log(value: str, comment: str = "") -> object:
        said = {
            "csrf": csrf,
            "_parameter": "ph",
            "readings.ph.value": value,
            "readings.ph.unit": "[pH]",
            "readings.ph.comment": comment,
        }
        return browser.client.post(path, data=said, headers=PAGE)

    refused = log("74")
    assert refused.status_code == 422
    assert "cannot be" in errors_at(refused, "readings.ph.value")
    assert 'value="74"' in refused.text
    unusual = log("7.8")
    assert unusual.status_code == 422
    assert "comment" in errors_at(unusual, "readings.ph.comment")
    assert log("7.8", "probe drifted, recalibrated").status_code == 303
    assert "7.8" in browser.open(path).text
    corrected = browser.send(
        f"/readings/{_newest_reading(site)}/correct", {"value": "7.4", "comment": "", "reason": "misread"}
    )
    assert corrected.status_code == 303
    told = browser.open(path).text
    assert "<del>" in told
    assert "misread" in told


def _expansion(site: Site) -> str:
    bank, basal = build.bank(site), build.released_material(site)
    taken = {bank: ("1", "{vial}"), basal: ("1", "L")}
    return build.begun(site, "expansion", taken, [(build.K.CULTURE, "10*6.{cells}")]).step


def _newest_reading(site: Site) -> int:
    return int(raw(site, "SELECT max(id) FROM reading")[0][0])


def test_a_step_is_started_and_completed_by_forms(site: Site) -> None:
    bank, basal = build.bank(site), build.released_material(site)
    browser = Browser(site, "tom")
    rows = {
        "location": "Clean room B2",
        "inputs.0.lot_number": bank,
        "inputs.0.quantity.value": "1",
        "inputs.0.quantity.unit": "{vial}",
        "inputs.2.lot_number": basal,
        "inputs.2.quantity.value": "many",
        "inputs.2.quantity.unit": "L",
        "readings.medium.value": "alpha-MEM",
    }
    refused = browser.send("/steps/new/expansion", rows)
    assert refused.status_code == 422
    assert Page(refused.text).values["inputs.0.lot_number"] == bank
    started = browser.send("/steps/new/expansion", {**rows, "inputs.2.quantity.value": "1"})
    assert started.status_code == 303, refused.text
    step = started.headers["location"]
    missing = browser.send(f"{step}/complete", {"outputs.0.quantity.value": "180"})
    assert missing.status_code in (409, 422)
    assert errors_at(missing, "readings.temperature.value")
    known = {entry.parameter: entry for entry in build.readings_for("expansion")}
    said = {f"readings.{code}.value": entry.value for code, entry in known.items() if code != "medium"}
    done = browser.send(f"{step}/complete", {**said, "outputs.0.quantity.value": "180", "comment": "as planned"})
    assert done.status_code == 303, done.text
    assert "Complete" in browser.open(step).text


def test_another_row_is_asked_for_without_losing_any(site: Site) -> None:
    browser = Browser(site, "tom")
    answer = browser.send(
        "/steps/new/expansion", {"_more": "inputs", "inputs.0.lot_number": "MCB26-0001", "location": "B2"}
    )
    page = Page(answer.text)
    assert answer.status_code == 200
    assert page.values["inputs.0.lot_number"] == "MCB26-0001"
    assert "inputs.2.lot_number" in page.values
    assert page.values["location"] == "B2"


def test_times_are_those_of_the_site_and_a_skipped_hour_is_none(site: Site, clock: Clock) -> None:
    clock.advance(days=30)
    number = build.material(site)
    clock.advance(days=1)
    browser = Browser(site, "tom")
    sample = {"quantity.value": "1", "quantity.unit": "L"}
    skipped = browser.send(f"/lots/{number}/samples/new", {**sample, "taken_at": "2026-03-29T02:30"})
    assert skipped.status_code == 422
    assert "does not exist" in errors_at(skipped, "taken_at")
    assert browser.send(f"/lots/{number}/samples/new", {**sample, "taken_at": "2026-04-02T09:00"}).status_code == 303
    with reading(site.engine) as session:
        assert session.exec(select(Sample.taken_at)).one() == datetime(2026, 4, 2, 7, tzinfo=UTC)


def test_a_blank_replicate_is_an_error_not_one_fewer(site: Site) -> None:
    code = build.new_product(site)
    build.approved_specification(site, code)
    sample = build.sampled(site, build.drug_product(site, code))
    browser = Browser(site, "ben")
    now = f"{site.clock().astimezone(site.zone):%Y-%m-%dT%H:%M}"
    said = {"replicates.1": "7.21", "replicates.2": "", "started_at": now, "finished_at": now}
    answer = browser.send(f"/samples/{sample}/results/SOP-PH", said)
    assert answer.status_code == 422
    assert errors_at(answer, "replicates.2")
    assert Page(answer.text).values["replicates.1"] == "7.21"
    done = browser.send(f"/samples/{sample}/results/SOP-PH", {**said, "replicates.2": "7.19"})
    assert done.status_code == 303


def test_results_are_reviewed_with_one_signature_and_a_wrong_password_is_told_at_the_password(site: Site) -> None:
    code = build.new_product(site)
    build.approved_specification(site, code)
    sample = build.sampled(site, build.drug_product(site, code))
    ids = [
        str(build.entered(site, sample, "PH", "7.2", "7.2")),
        str(build.entered(site, sample, "PROT", "8", "8", "8")),
    ]
    browser, path = Browser(site, "rhea"), f"/samples/{sample}/review"
    said = {"result_ids[]": ids, "outcome": "accepted", **signed("rhea")}
    wrong = browser.send(path, {**said, "credentials.password": "wrong"})
    assert wrong.status_code == 422
    assert errors_at(wrong, "credentials.password")
    assert "wrong" not in Page(wrong.text).values.get("credentials.password", "")
    assert browser.send(path, said).status_code == 303
    assert raw(site, "SELECT count(*) FROM result_review")[0][0] == 2


def test_a_specification_is_drafted_line_by_line_and_approved_by_another(site: Site) -> None:
    code = build.new_product(site)
    build.methods(site, ("PH", "STER"))
    draft = {
        "code": "SPEC-1",
        "product_code": code,
        "effective_from": "2026-03-02",
        "lines.0.test_code": "PH",
        "lines.0.method_code": "SOP-PH",
        "lines.0.kind": "between",
        "lines.0.lower": "6.8",
        "lines.0.upper": "6.2",
        "lines.2.test_code": "STER",
        "lines.2.method_code": "SOP-STER",
        "lines.2.kind": "none_detected",
        "lines.2.allowed": "no growth",
    }
    browser = Browser(site, "rhea")
    refused = browser.send("/specifications/new", draft)
    assert refused.status_code == 422
    assert errors_at(refused, "lines.0.test_code")
    assert (
        browser.send("/specifications/new", {**draft, "lines.0.upper": "7.6"}).headers["location"]
        == "/specifications/SPEC-1/1"
    )
    quality = Browser(site, "cleo")
    assert quality.send("/specifications/SPEC-1/1/approve", signed("cleo")).status_code == 303
    assert "Approved" in quality.open("/specifications/SPEC-1/1").text


def test_users_are_made_by_the_administrator_and_toxic_roles_are_refused(site: Site) -> None:
    browser = Browser(site, "ada")
    said = {"username": "nia", "name": "Nia New", "password": "a long first password", "roles[]": ["analyst", "qa"]}
    refused = browser.send("/users/new", said)
    assert refused.status_code == 409
    assert "may not be held" in errors_at(refused, "roles[]")
    assert browser.send("/users/new", {**said, "roles[]": ["analyst"]}).status_code == 303
    assert (
        browser.client.post(
            "/users/nia/grant", data={"csrf": browser.token("/users/nia"), "role": "qa"}, headers=PAGE
        ).status_code
        == 409
    )


def test_a_scanned_number_leads_straight_to_its_lot(site: Site) -> None:
    number = build.material(site)
    browser = Browser(site, "tom")
    assert browser.open(f"/lots?scan={number.lower()}").headers["location"] == f"/lots/{number}"
    assert "No lot has exactly this number" in browser.open("/lots?scan=RM99").text


def test_every_link_that_a_person_is_shown_leads_to_a_page(site: Site) -> None:
    build.released(site)
    build.donor(site)
    for username in ("tom", "ann", "ben", "rhea", "cleo", "dov", "ada"):
        browser = Browser(site, username)
        waiting, seen = [browser.open("/").headers["location"]], set()
        while waiting:
            path = waiting.pop()
            if path in seen or path.startswith(("#", "mailto:", "/c/", "/sign-in")) or len(seen) > 150:
                continue
            seen.add(path)
            answer = browser.open(path)
            assert answer.status_code in (200, 303), (username, path, answer.status_code, answer.text[:300])
            if "text/html" in answer.headers.get("content-type", ""):
                waiting += Page(answer.text).links
        assert len(seen) > 2
