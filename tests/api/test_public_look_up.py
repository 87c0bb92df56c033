"""The look-up: whatever becomes of a lot shows in the very next request, and what nobody may know shows in none."""

import json
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from domain import store
from domain.certificates.models import Certificate
from domain.certificates.words import RevisionCause
from domain.disposition.certificates import (
    ReviseCertificate,
    WithdrawCertificate,
    revise_certificate,
    withdraw_certificate,
)
from domain.disposition.decisions import RecallLot, recall_lot
from domain.lots.models import Lot, LotMove
from domain.work import Site
from tests import build
from tests.behind import triggers_asleep
from tests.cast import Clock, act, credentials
from tests.stages import LOT

pytestmark = pytest.mark.stage("in_review")

#: What a page or a code shows does not depend on the engine.
ON_SQLITE = pytest.mark.parametrize("databases", ["sqlite"], indirect=True)

LOTS = "/api/v1/public/lots"
PAGE = {"accept": "text/html"}
GTIN, OTHER_GTIN = "09521234543213", "08806388269617"


@pytest.fixture
def number(site: Site) -> str:
    """The certificate of the one lot that is released."""
    return build.released(site, LOT).number


def revised(site: Site, number: str, cause: RevisionCause = RevisionCause.WORDING_CORRECTED) -> None:
    said = {"certificate_number": number, "cause": cause, "reason": "as Dr Example wrote"}
    act(site, "cleo", revise_certificate, ReviseCertificate(**said, credentials=credentials("cleo")))


def withdrawn(site: Site, number: str) -> None:
    said = {"certificate_number": number, "reason": "as Dr Example wrote"}
    act(site, "cleo", withdraw_certificate, WithdrawCertificate(**said, credentials=credentials("cleo")))


def recalled(site: Site) -> None:
    said = {"lot_number": LOT, "recall_class": "II", "reason": "seen by Dr Example"}
    act(site, "cleo", recall_lot, RecallLot(**said, credentials=credentials("cleo")))


def behind(site: Site, statement: str) -> None:
    """A change past the application, to save a test the making of a lot."""
    with triggers_asleep(site) as connection:
        connection.exec_driver_sql(statement)


def twins(site: Site, *numbers: str) -> None:
    """Copies of the lot, its moves and its certificate under other numbers."""
    tables = [(cls.__table__, "id" if cls is Lot else "lot_id") for cls in (Lot, Certificate, LotMove)]  # type: ignore[attr-defined]
    with site.engine.begin() as connection:
        lot_id = connection.execute(sa.select(tables[0][0].c.id).where(tables[0][0].c.lot_number == LOT)).scalar_one()
        for at, other in enumerate(numbers):
            for table, key in tables:
                for row in connection.execute(sa.select(table).where(table.c[key] == lot_id)).mappings().all():
                    moved = {"id": row["id"] + 1000 * (at + 1), key: lot_id + 1000 * (at + 1)}
                    named = {"lot_number": other} if "lot_number" in row else {}
                    named |= {"number": f"COA-{other}"} if "number" in row else {}
                    connection.execute(table.insert(), dict(row) | moved | named)


# --- revisions, withdrawal, recall --------------------------------------------------------------------------------


@pytest.mark.requirement("URS-114")
def test_every_revision_is_told_with_its_cause_and_what_replaced_it(
    site: Site, client: TestClient, clock: Clock, number: str
) -> None:
    revised(site, number)
    clock.advance(minutes=5)
    withdrawn(site, number)
    told = client.get(f"{LOTS}/{LOT}").json()
    assert (told["state"], told["certificate_state"], told["usable"]) == ("released", "withdrawn", False)
    revised(site, number, RevisionCause.AFTER_WITHDRAWAL)
    told = client.get(f"{LOTS}/{LOT}").json()
    assert (told["certificate_state"], told["usable"], told["revision"]) == ("current", True, 3)
    fields = ("revision", "state", "cause", "supersedes", "superseded_by")
    assert [tuple(one[field] for field in fields) for one in told["revisions"]] == [
        (3, "current", "after_withdrawal", 2, None),
        (2, "withdrawn", "wording_corrected", 1, 3),
        (1, "superseded", None, None, 2),
    ]
    assert [one["withdrawn_at"] is not None for one in told["revisions"]] == [False, True, False]
    for one in told["revisions"]:
        assert client.get(one["pdf_url"]).status_code == 200
        assert client.get(one["proof_url"]).status_code == 200
    page = client.get(f"/c/{LOT}", headers=PAGE).text
    assert [page.count(f"Revision {one}</strong>") for one in (1, 2, 3)] == [1, 1, 1]
    for words in (
        "Superseded by revision 3",
        "Superseded by revision 2",
        "Replaces revision 1",
        "The wording was corrected",
    ):
        assert words in page
    assert "Dr Example" not in page + json.dumps(told), "what a person wrote stays in the laboratory"


@ON_SQLITE
@pytest.mark.requirement("URS-114")
def test_a_withdrawn_certificate_is_the_first_thing_that_the_page_says(
    site: Site, client: TestClient, number: str
) -> None:
    withdrawn(site, number)
    page = client.get(f"/c/{LOT}", headers=PAGE).text
    assert page.index("Certificate withdrawn") < page.index("Do not use") < page.index("Product and lot")
    assert "The certificate is valid" not in page


@ON_SQLITE
@pytest.mark.requirement("URS-115", "URS-057")
def test_a_recall_is_told_with_class_contact_and_steps_and_no_word_that_a_person_wrote(
    site: Site, client: TestClient, number: str
) -> None:
    recalled(site)
    told = client.get(f"{LOTS}/{LOT}").json()
    maker = site.profile
    assert told["recall"] == {
        "class": "II",
        "since": told["state_since"],
        "contact": {"name": maker.name, "phone": maker.phone, "email": maker.email},
    }
    english, german = (client.get(f"/c/{LOT}?lang={one}", headers=PAGE).text for one in ("en", "de"))
    assert (
        english.index("Recalled")
        < english.index("Recall notice")
        < english.index("Class II")
        < english.index("Results")
    )
    assert german.index("Zurückgerufen") < german.index("Klasse II") < german.index("Ergebnisse")
    for page in (english, german):
        assert maker.phone in page
        assert maker.email in page
    assert "Dr Example" not in english + german + json.dumps(told)


class HonestCache:
    """A shared cache between a clinic and the server: it keeps what it may, and asks again when it must (RFC 9111)."""

    def __init__(self, origin: httpx.Client) -> None:
        self.origin, self.kept, self.statuses = origin, dict[str, httpx.Response](), list[int]()

    def get(self, path: str) -> httpx.Response:
        kept = self.kept.get(path)
        if kept is not None and "no-cache" not in kept.headers["cache-control"]:
            return kept
        asked = {"if-none-match": kept.headers["etag"]} if kept is not None else {}
        answer = self.origin.get(path, headers=asked)
        self.statuses.append(answer.status_code)
        if answer.status_code == 304 and kept is not None:
            return kept
        if "no-store" not in answer.headers["cache-control"] and "etag" in answer.headers:
            self.kept[path] = answer
        return answer


@pytest.mark.requirement("URS-117", "URS-055")
@pytest.mark.parametrize("path", [f"{LOTS}/{LOT}", f"/c/{LOT}?lang=en"])
def test_every_change_shows_in_the_very_next_request_behind_a_cache(
    site: Site, client: TestClient, clock: Clock, path: str
) -> None:
    cache, seen = HonestCache(client), list[str]()

    def changed() -> str:
        answer = cache.get(path)
        assert cache.get(path).content == answer.content
        seen.append(answer.text)
        return answer.text

    assert cache.get(path).status_code == 404, "and nothing of it is kept"
    number = build.released(site, LOT).number
    changed()
    revised(site, number)
    changed()
    withdrawn(site, number)
    changed()
    revised(site, number, RevisionCause.AFTER_WITHDRAWAL)
    changed()
    clock.now = clock.now.replace(year=2028, month=3, day=3)
    assert "xpired" in changed()
    recalled(site)
    assert "ecalled" in changed()
    assert len(set(seen)) == len(seen) == 6
    assert cache.statuses == [404, *[200, 304] * 6]


# --- numbers as they are typed ------------------------------------------------------------------------------------


@pytest.mark.requirement("URS-118")
def test_a_number_is_found_however_it_is_typed_or_scanned(site: Site, client: TestClient, number: str) -> None:
    behind(site, f"UPDATE product SET gtin = '{GTIN}'")
    shown = client.get(f"{LOTS}/{LOT}").content
    for typed in (
        "uev260001",
        "UEV26 OOO1",
        "uev 26–000l",
        "UEV.26.0001",
        f"(01){GTIN}(17)280302(10){LOT}",
        f"]d201{GTIN}10{LOT}%1D17280302",
    ):
        assert client.get(f"{LOTS}/{typed}").content == shown, typed
    for typed in ("UEV26-001", "UEV26-00010", "EV26-0001", "%25", "_", "-", "UEV26-000%", "%5F" * 10):
        assert client.get(f"{LOTS}/{typed}").status_code == 404, typed


@pytest.mark.requirement("URS-119")
def test_a_number_that_could_be_several_lots_finds_only_the_exact_one(
    site: Site, client: TestClient, number: str
) -> None:
    twins(site, "LEV26-0001", "IEV26-0001")
    for exact in ("LEV26-0001", "IEV26-0001", "iev26-0001"):
        assert client.get(f"{LOTS}/{exact}").json()["lot_number"] == exact.upper()
    for several in ("1EV26-0001", "1ev260001", "LEV260001", "IEV26 0001"):
        assert client.get(f"{LOTS}/{several}").status_code == 404, several


@pytest.mark.requirement("URS-119")
def test_a_lot_that_is_not_released_makes_no_number_doubtful(site: Site, client: TestClient, number: str) -> None:
    behind(site, f"UPDATE lot SET lot_number = 'IEV26-0001' WHERE lot_number = '{LOT}'")
    behind(site, "UPDATE lot SET lot_number = 'LEV26-0001' WHERE lot_number = 'LV26-0001'")
    assert client.get(f"{LOTS}/1ev260001").json()["lot_number"] == "IEV26-0001"


# --- what answers alike -------------------------------------------------------------------------------------------


def statements(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, path: str
) -> tuple[list[str], bytes, dict[str, str], int]:
    """What the database was asked, and what was answered."""
    ran: list[str] = []
    run = store._Compiled.run

    def noting(self: Any, driver: Any, values: Any) -> Any:
        ran.append(self.sql)
        return run(self, driver, values)

    with monkeypatch.context() as patch:
        patch.setattr(store._Compiled, "run", noting)
        answer = client.get(path, headers=PAGE)
    headers = {name: value for name, value in answer.headers.items() if name != "date"}
    return ran, answer.content, headers, answer.status_code


@pytest.mark.requirement("URS-054", "URS-122")
def test_unknown_unreleased_and_hidden_lots_are_asked_and_answered_alike(
    site: Site, client: TestClient, monkeypatch: pytest.MonkeyPatch, number: str
) -> None:
    behind(site, "UPDATE product SET look_up_code = true")
    behind(site, f"UPDATE lot SET check_code = 'A01K9Z' WHERE lot_number = '{LOT}'")
    unreleased = "LV26-000001"
    behind(site, f"UPDATE lot SET lot_number = '{unreleased}' WHERE lot_number = 'LV26-0001'")
    for path, unknown in ((LOTS, "UEV26-0009"), ("/c", "UEV26-0009"), (f"/01/{GTIN}/10", "UEV26-0009")):
        wanted = statements(client, monkeypatch, f"{path}/{unknown}")
        assert wanted[3] == 404
        assert len(wanted[0]) == 1, "one statement, whatever is asked"
        for hidden, code in ((LOT, ""), (LOT, "?code=A01K9Y"), ("LV26-00001", "")):
            found = statements(client, monkeypatch, f"{path}/{hidden}{code}")
            assert found[0] == wanted[0]
            assert found[1].replace(hidden.encode(), unknown.encode()) == wanted[1]
            assert found[2] == wanted[2]


@ON_SQLITE
@pytest.mark.requirement("URS-122")
def test_the_check_code_opens_the_look_up_and_the_page_keeps_it(site: Site, client: TestClient, number: str) -> None:
    behind(site, "UPDATE product SET look_up_code = true")
    behind(site, f"UPDATE lot SET check_code = 'A01K9Z' WHERE lot_number = '{LOT}'")
    missing = client.get(f"/c/{LOT}", headers=PAGE)
    assert missing.status_code == 404
    assert f'value="{LOT}"' in missing.text, "the number that was typed stays in the form"
    assert "Some lots need the code" in missing.text
    assert client.get(f"{LOTS}/uev260001?code=ao1k9z").json()["lot_number"] == LOT
    led = client.get("/c", params={"lot": LOT, "code": "aoik9z", "lang": "en"}, headers=PAGE)
    assert "Released" in led.text
    assert "code=aoik9z&amp;lang=de" in led.text or "code=aoik9z&lang=de" in led.text
    assert client.get(f"/api/v1/public/certificates/{number}.pdf").status_code == 404, "its number can be guessed too"
    told = client.get(f"{LOTS}/uev260001?code=ao1k9z").json()
    file = client.get(told["revisions"][0]["pdf_url"])
    assert file.status_code == 200
    assert told["revisions"][0]["pdf_url"].replace("&", "&amp;") in led.text
    checked = client.post("/api/v1/public/verify", files={"file": ("a.pdf", file.content)})
    assert checked.json()["state"] == "released"


@ON_SQLITE
@pytest.mark.requirement("URS-123")
@pytest.mark.stage("cast")
def test_a_lot_of_a_product_that_wants_it_gets_a_check_code_when_it_is_made(site: Site) -> None:
    coded = build.drug_product(site, build.new_product(site, look_up_code=True))
    plain = build.drug_product(site, build.new_product(site, "AD-EV-100", "AEV"))
    assert len(build.lot(site, coded).check_code or "") == 6
    assert build.lot(site, plain).check_code is None


# --- codes on labels ----------------------------------------------------------------------------------------------


@pytest.fixture
def coded(site: Site, number: str) -> str:
    """The lot's product has a GTIN; the lot expires on 2 March 2028."""
    behind(site, f"UPDATE product SET gtin = '{GTIN}'")
    return LOT


@ON_SQLITE
@pytest.mark.requirement("URS-120")
def test_the_code_on_a_vial_leads_to_its_lot(client: TestClient, coded: str) -> None:
    for asked in ("", "?17=280302", "?17=280300", "?17=280302&linkType=gs1:certificationInfo"):
        answer = client.get(f"/01/{GTIN}/10/{coded}{asked}", follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (307, f"/c/{coded}"), asked
        assert answer.headers["cache-control"] == "no-cache"
    serial = client.get(f"/01/{GTIN[1:]}/10/{coded.lower()}/21/77?17=280302", follow_redirects=False)
    assert (serial.status_code, serial.headers["location"]) == (307, f"/c/{coded}")
    scanned = client.get("/c", params={"lot": f"(01){GTIN}(17)280302(10){coded}"}, headers=PAGE)
    assert "Released" in scanned.text
    assert client.get(f"/01/{GTIN}/10/{coded}?linkType=gs1:recipeInfo").status_code == 404


@ON_SQLITE
@pytest.mark.requirement("URS-121")
@pytest.mark.parametrize(
    "code", [f"/01/{OTHER_GTIN}/10/{LOT}", f"/01/{GTIN}/10/{LOT}?17=290302", f"/01/{GTIN}/10/{LOT}?17=280332"]
)
def test_a_code_that_does_not_agree_with_the_record_is_told_as_a_warning(
    client: TestClient, coded: str, code: str
) -> None:
    answer = client.get(code, headers=PAGE, follow_redirects=False)
    assert answer.status_code == 404
    assert "wrong or counterfeit" in answer.text
    assert "Do not use the vial" in answer.text
    scan = code.replace("/01/", "01").replace("/10/", "10").replace("?17=", "%1D17")
    refused = client.get(f"{LOTS}/{scan}")
    assert (refused.status_code, refused.json()["type"]) == (404, "/problems/code-disagrees")
    unknown = client.get(f"/01/{GTIN}/10/UEV26-0009", headers=PAGE)
    assert "counterfeit" not in unknown.text


@ON_SQLITE
@pytest.mark.requirement("URS-120")
def test_a_program_gets_the_links_of_a_lot_as_a_linkset(site: Site, client: TestClient, coded: str) -> None:
    path = f"/01/{GTIN}/10/{coded}"
    for asked in (
        {"headers": {"accept": "application/json"}},
        {"headers": {"accept": "application/linkset+json;q=1, */*;q=0.1"}},
        {"params": {"linkType": "all"}},
        {"params": {"linkType": "linkset"}},
    ):
        answer = client.get(path, **asked, follow_redirects=False)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/linkset+json")
        (known,) = answer.json()["linkset"]
        assert known["anchor"] == f"{site.profile.base_url}{path}"
        (default,) = known["https://gs1.org/voc/defaultLink"]
        assert default["href"] == f"{site.profile.base_url}/c/{coded}"
        for link in known["https://gs1.org/voc/certificationInfo"]:
            assert (
                client.get(link["href"].removeprefix(site.profile.base_url))
                .headers["content-type"]
                .startswith(link["type"])
            )
    described = client.get("/.well-known/gs1resolver").json()
    assert (described["resolverRoot"], described["supportedPrimaryKeys"]) == (site.profile.base_url, ["01"])


@ON_SQLITE
@pytest.mark.requirement("URS-133")
def test_a_certificate_of_the_first_schema_is_shown_as_ever(site: Site, client: TestClient, number: str) -> None:
    whole = json.loads(client.get(f"{LOTS}/{LOT}").text)["certificate"]
    for added in (
        "conclusion",
        "conditional",
        "draft",
        "investigations",
        "missing",
        "demonstration",
        "revision_reason",
        "revision_cause",
    ):
        whole.pop(added, None)
    for line in whole["tests"]:
        for added in (
            "limits",
            "value",
            "method_code",
            "method_revision",
            "principle",
            "instrument",
            "settings",
            "inputs",
        ):
            line.pop(added, None)
    old = json.dumps(whole | {"schema_version": "1.0"}, sort_keys=True, separators=(",", ":"))
    with triggers_asleep(site) as connection:
        connection.execute(sa.text("UPDATE certificate SET content = :old"), {"old": old})
    assert client.get(f"{LOTS}/{LOT}").json()["certificate"] == json.loads(old)
    page = client.get(f"/c/{LOT}", headers=PAGE)
    assert page.status_code == 200
    assert "Bacterial endotoxins" in page.text
