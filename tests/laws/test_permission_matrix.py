"""Who may ask what: every route of the application times every role, as stated here and as the application really answers.

`pytest -s tests/laws/test_permission_matrix.py` prints the matrix. A route that is not in the table fails the build.
"""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations
from threading import Barrier
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from fastapi.testclient import TestClient

from api.deps import current_actor
from api.main import create_app
from domain.lots.lifecycle import RULES
from domain.manufacturing.catalogue import STEP_KINDS
from domain.permissions import ROLES, TOXIC_PAIRS, Permission, Role, permissions_of, toxic_pairs
from domain.work import OPERATIONS, Site
from tests.cast import CAST, raw
from tests.stories.over_http import House

P = Permission
ANYONE, SIGNED_IN = "anyone", "whoever is signed in"
Need = frozenset[Permission] | str


def _needs(*permissions: Permission) -> Need:
    return frozenset(permissions)


_READ, _USERS, _RUN = _needs(P.READ_RECORDS), _needs(P.MANAGE_USERS), _needs(P.RUN_STEP, P.READ_RECORDS)

#: Method and path: what the route needs. Reading back what was just written needs READ_RECORDS too.
TABLE: dict[str, Need] = {
    "POST /api/v1/session": ANYONE,
    "GET /api/v1/session": SIGNED_IN,
    "DELETE /api/v1/session": SIGNED_IN,
    "POST /api/v1/session/password": SIGNED_IN,
    "GET /api/v1/users": _USERS,
    "POST /api/v1/users": _USERS,
    "POST /api/v1/users/{username}/roles": _USERS,
    "POST /api/v1/users/{username}/roles/{role}/revocation": _USERS,
    "POST /api/v1/users/{username}/deactivation": _USERS,
    "POST /api/v1/users/{username}/password": _USERS,
    "POST /api/v1/users/{username}/tokens": _USERS,
    "GET /api/v1/products": _READ,
    "POST /api/v1/products": _needs(P.DEFINE_PRODUCT, P.READ_RECORDS),
    "GET /api/v1/products/{code}": _READ,
    "GET /api/v1/products/{code}/changes": _READ,
    "POST /api/v1/product-changes": _needs(P.DEFINE_PRODUCT, P.READ_RECORDS),
    "POST /api/v1/products/{code}/changes/{revision}/decision": _needs(P.APPROVE_SPECIFICATION, P.READ_RECORDS),
    "POST /api/v1/materials": _needs(P.RECEIVE_MATERIAL),
    "GET /api/v1/donors": _READ,
    "POST /api/v1/donors": _needs(P.REGISTER_DONOR, P.READ_RECORDS),
    "GET /api/v1/donors/{pseudonym}": _READ,
    "POST /api/v1/donors/{pseudonym}/markers": _needs(P.REGISTER_DONOR, P.READ_RECORDS),
    "POST /api/v1/donors/{pseudonym}/eligibility": _needs(P.DECIDE_ELIGIBILITY, P.READ_RECORDS),
    "POST /api/v1/donors/{pseudonym}/consent-withdrawal": _needs(P.DECIDE_ELIGIBILITY, P.READ_RECORDS),
    "GET /api/v1/work": _READ,
    "GET /api/v1/lots": _READ,
    "GET /api/v1/lots/{lot_number}": _READ,
    "GET /api/v1/lots/{lot_number}/trace": _READ,
    "GET /api/v1/lots/{lot_number}/trace.svg": _READ,
    "GET /api/v1/lots/{lot_number}/readiness": _READ,
    "POST /api/v1/lots/{lot_number}/submission": _needs(P.SUBMIT_LOT),
    "POST /api/v1/lots/{lot_number}/release": _needs(P.RELEASE_LOT),
    "POST /api/v1/lots/{lot_number}/conditional-release": _needs(P.RELEASE_LOT),
    "GET /api/v1/awaited": _READ,
    "POST /api/v1/lots/{lot_number}/acceptance": _needs(P.RELEASE_LOT),
    "POST /api/v1/lots/{lot_number}/rejection": _needs(P.REJECT_LOT),
    "POST /api/v1/lots/{lot_number}/hold": _needs(P.HOLD_LOT),
    "POST /api/v1/lots/{lot_number}/hold-lift": _needs(P.LIFT_HOLD),
    "POST /api/v1/lots/{lot_number}/recall": _needs(P.RECALL_LOT),
    "POST /api/v1/lots/{lot_number}/manufacture-confirmation": _needs(P.CONFIRM_MANUFACTURE),
    "GET /api/v1/lots/{lot_number}/hold-cascade": _READ,
    "POST /api/v1/lots/{lot_number}/hold-cascade": _needs(P.HOLD_LOT, P.READ_RECORDS),
    "POST /api/v1/donors/{pseudonym}/hold-cascade": _needs(P.HOLD_LOT, P.READ_RECORDS),
    "GET /api/v1/hold-cascades": _READ,
    "GET /api/v1/hold-cascades/{number}": _READ,
    "POST /api/v1/hold-cascades/{number}/lift-proposal": _needs(P.LIFT_HOLD, P.READ_RECORDS),
    "POST /api/v1/hold-cascades/{number}/lift": _needs(P.LIFT_HOLD, P.READ_RECORDS),
    "POST /api/v1/lots/{lot_number}/expiry-extension": _needs(P.EXTEND_EXPIRY),
    "POST /api/v1/lots/{lot_number}/destruction": _needs(P.DESTROY_LOT),
    "POST /api/v1/lots/{lot_number}/destruction/witness": _needs(P.DESTROY_LOT),
    "GET /api/v1/lots/{lot_number}/dossier.zip": _needs(P.READ_AUDIT),
    "GET /api/v1/deviations": _READ,
    "POST /api/v1/deviations": _needs(P.OPEN_DEVIATION, P.READ_RECORDS),
    "GET /api/v1/deviations/{number}": _READ,
    "POST /api/v1/deviations/{number}/classification": _needs(P.CLASSIFY_DEVIATION, P.READ_RECORDS),
    "POST /api/v1/deviations/{number}/lots": _needs(P.INVESTIGATE_DEVIATION, P.READ_RECORDS),
    "POST /api/v1/deviations/{number}/investigation": _needs(P.INVESTIGATE_DEVIATION, P.READ_RECORDS),
    "POST /api/v1/deviations/{number}/lots/{lot_number}/outcome": _needs(P.DECIDE_DEVIATION, P.READ_RECORDS),
    "POST /api/v1/deviations/{number}/closure": _needs(P.DECIDE_DEVIATION, P.READ_RECORDS),
    "POST /api/v1/deviations/{number}/capa": _needs(P.INVESTIGATE_DEVIATION, P.READ_RECORDS),
    "GET /api/v1/capa": _READ,
    "POST /api/v1/capa/{number}/completion": _needs(P.OPEN_DEVIATION, P.READ_RECORDS),
    "POST /api/v1/capa/{number}/check": _needs(P.DECIDE_DEVIATION, P.READ_RECORDS),
    **{f"POST /api/v1/steps/{kind}": _RUN for kind in STEP_KINDS},
    **{f"POST /api/v1/steps/{{step_number}}/completion/{kind}": _RUN for kind in STEP_KINDS},
    "GET /api/v1/steps": _READ,
    "GET /api/v1/steps/{step_number}": _READ,
    "POST /api/v1/steps/{step_number}/readings": _needs(P.RUN_STEP),
    "POST /api/v1/steps/{step_number}/cycle": _needs(P.RUN_STEP),
    "POST /api/v1/readings/{reading_id}/correction": _needs(P.RUN_STEP),
    "GET /api/v1/recipes": _READ,
    "POST /api/v1/recipes/{code}": _needs(P.DRAFT_RECIPE, P.READ_RECORDS),
    "GET /api/v1/recipes/{code}/{revision}": _READ,
    "GET /api/v1/recipes/{code}/{revision}/difference/{other}": _READ,
    "POST /api/v1/recipes/{code}/{revision}/review": _needs(P.REVIEW_RECIPE, P.READ_RECORDS),
    "POST /api/v1/recipes/{code}/{revision}/approval": _needs(P.APPROVE_RECIPE, P.READ_RECORDS),
    "POST /api/v1/steps/{step_number}/start-verification": _needs(P.RUN_STEP),
    "POST /api/v1/steps/{step_number}/reading-verifications": _needs(P.RUN_STEP),
    "GET /api/v1/lots/{lot_number}/hold-times": _READ,
    "GET /api/v1/lots/{lot_number}/batch-record.pdf": _READ,
    "GET /api/v1/equipment": _READ,
    "POST /api/v1/equipment": _needs(P.MANAGE_EQUIPMENT, P.READ_RECORDS),
    "GET /api/v1/equipment/{code}": _READ,
    "POST /api/v1/equipment/{code}/events": _needs(P.MANAGE_EQUIPMENT, P.READ_RECORDS),
    "GET /api/v1/equipment/{code}/lots": _READ,
    "POST /api/v1/exceptions": _needs(P.APPROVE_EXCEPTION),
    "GET /api/v1/training": _READ,
    "POST /api/v1/training": _needs(P.RECORD_TRAINING, P.READ_RECORDS),
    "GET /api/v1/training/requirements": _READ,
    "POST /api/v1/training/requirements": _needs(P.RECORD_TRAINING, P.READ_RECORDS),
    "GET /api/v1/materials": _READ,
    "GET /api/v1/materials/{lot_number}": _READ,
    "POST /api/v1/materials/{lot_number}/papers": _needs(P.RECEIVE_MATERIAL, P.READ_RECORDS),
    "POST /api/v1/materials/{lot_number}/stock-corrections": _needs(P.RECEIVE_MATERIAL, P.READ_RECORDS),
    "GET /api/v1/step-kinds": _READ,
    "GET /api/v1/tests": _READ,
    "GET /api/v1/methods": _READ,
    "POST /api/v1/methods": _needs(P.DEFINE_METHOD),
    "GET /api/v1/specifications": _READ,
    "POST /api/v1/specifications": _needs(P.DRAFT_SPECIFICATION, P.READ_RECORDS),
    "POST /api/v1/specifications/{code}/{revision}/approval": _needs(P.APPROVE_SPECIFICATION, P.READ_RECORDS),
    "POST /api/v1/lots/{lot_number}/samples": _needs(P.DRAW_SAMPLE, P.READ_RECORDS),
    "GET /api/v1/samples/{sample_number}": _READ,
    "POST /api/v1/samples/{sample_number}/results": _needs(P.ENTER_RESULT, P.READ_RECORDS),
    "POST /api/v1/results/{result_id}/correction": _needs(P.ENTER_RESULT),
    "POST /api/v1/samples/{sample_number}/nanosight": _needs(P.IMPORT_RESULT),
    "POST /api/v1/samples/{sample_number}/reviews": _needs(P.REVIEW_RESULT, P.READ_RECORDS),
    "POST /api/v1/documents": _needs(P.IMPORT_RESULT),
    "GET /api/v1/laboratory/work": _READ,
    "POST /api/v1/methods/{code}/{revision}/approval": _needs(P.APPROVE_SPECIFICATION),
    "GET /api/v1/specifications/{code}/{revision}/open-lots": _READ,
    "GET /api/v1/lots/{lot_number}/standing": _READ,
    "GET /api/v1/runs": _READ,
    "POST /api/v1/runs": _needs(P.ENTER_RESULT, P.READ_RECORDS),
    "GET /api/v1/runs/{run_number}": _READ,
    "POST /api/v1/runs/{run_number}/conclusion": _needs(P.ENTER_RESULT, P.READ_RECORDS),
    "GET /api/v1/sampling-plans": _READ,
    "POST /api/v1/sampling-plans": _needs(P.DRAFT_SPECIFICATION, P.READ_RECORDS),
    "POST /api/v1/sampling-plans/{code}/{revision}/approval": _needs(P.APPROVE_SPECIFICATION, P.READ_RECORDS),
    "POST /api/v1/lots/{lot_number}/samples-by-plan": _needs(P.DRAW_SAMPLE),
    "GET /api/v1/samples/{sample_number}/control": _READ,
    "POST /api/v1/samples/{sample_number}/custody": _needs(P.DRAW_SAMPLE, P.READ_RECORDS),
    "POST /api/v1/samples/{sample_number}/reserve-use": _needs(P.REVIEW_RESULT, P.READ_RECORDS),
    "GET /api/v1/inoculations": _READ,
    "POST /api/v1/samples/{sample_number}/inoculations": _needs(P.ENTER_RESULT, P.READ_RECORDS),
    "POST /api/v1/samples/{sample_number}/growth-readings": _needs(P.ENTER_RESULT, P.READ_RECORDS),
    "POST /api/v1/samples/{sample_number}/slow-test-results": _needs(P.ENTER_RESULT, P.READ_RECORDS),
    "GET /api/v1/contract-reports": _READ,
    "POST /api/v1/contract-reports": _needs(P.ENTER_RESULT),
    "POST /api/v1/samples/{sample_number}/contract-results": _needs(P.ENTER_RESULT),
    "GET /api/v1/transcriptions": _READ,
    "POST /api/v1/results/{result_id}/transcription-check": _needs(P.REVIEW_RESULT),
    "GET /api/v1/oos": _READ,
    "GET /api/v1/oos-checklist": _READ,
    "GET /api/v1/oos/{oos_number}": _READ,
    "POST /api/v1/oos/{oos_number}/laboratory": _needs(P.REVIEW_RESULT, P.READ_RECORDS),
    "POST /api/v1/oos/{oos_number}/production": _needs(P.REVIEW_PRODUCTION, P.READ_RECORDS),
    "POST /api/v1/oos/{oos_number}/retest-plan": _needs(P.REVIEW_RESULT, P.READ_RECORDS),
    "POST /api/v1/oos/{oos_number}/retest-plan/approval": _needs(P.CONCLUDE_OOS, P.READ_RECORDS),
    "POST /api/v1/oos/{oos_number}/retests": _needs(P.ENTER_RESULT, P.READ_RECORDS),
    "POST /api/v1/oos/{oos_number}/conclusion": _needs(P.CONCLUDE_OOS, P.READ_RECORDS),
    "GET /api/v1/alerts": _READ,
    "POST /api/v1/alerts/{alert_id}/assessment": _needs(P.REVIEW_RESULT),
    "GET /api/v1/documents/{sha256}": _READ,
    "GET /api/v1/lots/{lot_number}/certificate/draft.pdf": _READ,
    "GET /api/v1/certificates/{certificate_number}": _READ,
    "GET /api/v1/certificates/{certificate_number}.pdf": _READ,
    "POST /api/v1/certificates/{certificate_number}/revision": _needs(P.RELEASE_LOT),
    "POST /api/v1/certificates/{certificate_number}/withdrawal": _needs(P.RELEASE_LOT),
    "GET /api/v1/register": _READ,
    "GET /api/v1/batch-certificates/{number}.pdf": _READ,
    "GET /api/v1/statements": _READ,
    "POST /api/v1/statements": _needs(P.DRAFT_SPECIFICATION, P.READ_RECORDS),
    "POST /api/v1/statements/{code}/{revision}/approval": _needs(P.APPROVE_SPECIFICATION, P.READ_RECORDS),
    "POST /api/v1/statements/{code}/{revision}/rejection": _needs(P.APPROVE_SPECIFICATION, P.READ_RECORDS),
    "POST /api/v1/statements/{code}/{revision}/retirement": _needs(P.APPROVE_SPECIFICATION, P.READ_RECORDS),
    "GET /api/v1/audit": _needs(P.READ_AUDIT),
    "GET /api/v1/public/lots/{lot_number}": ANYONE,
    "HEAD /api/v1/public/lots/{lot_number}": ANYONE,
    "POST /api/v1/public/lots/{lot_number}/followers": ANYONE,
    "GET /api/v1/public/tests": ANYONE,
    "GET /api/v1/public/certificates/{certificate_number}.pdf": ANYONE,
    "HEAD /api/v1/public/certificates/{certificate_number}.pdf": ANYONE,
    "POST /api/v1/public/verify": ANYONE,
    "GET /api/v1/public/certificates/{certificate_number}/proof": ANYONE,
    "GET /api/v1/public/log/head": ANYONE,
    "GET /api/v1/public/log/entries": ANYONE,
    "GET /api/v1/public/log/consistency": ANYONE,
    "GET /api/v1/public/log/key": ANYONE,
    "GET /api/v1/public/log/key.pem": ANYONE,
    "GET /api/v1/public/certificates/{certificate_number}/copy.pdf": ANYONE,
    "GET /api/v1/public/signing-certificates.pem": ANYONE,
    "POST /api/v1/public/compare": ANYONE,
    "GET /api/v1/public/certificates/{certificate_number}.json": ANYONE,
    "GET /api/v1/public/certificates/{certificate_number}.fhir.json": ANYONE,
    "GET /api/v1/lots/{lot_number}/labels": _READ,
    "POST /api/v1/lots/{lot_number}/labels": _RUN,
    "POST /api/v1/samples/{sample_number}/labels": _needs(P.DRAW_SAMPLE, P.READ_RECORDS),
    "POST /api/v1/lots/{lot_number}/labels/reconciliation": _RUN,
    "GET /api/v1/lots/{lot_number}/labels/{print_id}.pdf": _READ,
    "GET /api/v1/lots/{lot_number}/labels/{print_id}.zpl": _READ,
}

#: What is no part of the API and open to all: the documents of the API, and what whoever runs the server asks.
OPEN = {"/openapi.json", "/docs", "/docs/oauth2-redirect", "/redoc", "/health/live", "/health/ready", "/metrics"}
#: Pages without a sign-in: the look-up, its check of a file, following a lot, the resolver of codes, what a refusal means, and the door.
OPEN_PAGES = {
    "/",
    "/problems",
    "/problems/{code}",
    "/c",
    "/c/{lot_number:path}",
    "/01/{gtin}/10/{lot}",
    "/01/{gtin}/10/{lot}/21/{serial}",
    "/.well-known/gs1resolver",
    "/verify",
    "/compare",
    "/log",
    "/schemas/{name}.json",
    "/follow",
    "/follow/{token}",
    "/unfollow/{token}",
    "/sign-in",
    "/sign-out",
}

WHO: Mapping[Role, str] = {roles[0]: username for username, (_, _, roles) in reversed(CAST.items()) if len(roles) == 1}


def dependencies(dependant: Any) -> Iterator[Any]:
    """Every function that a route depends on, at any depth."""
    for one in dependant.dependencies:
        yield one.call
        yield from dependencies(one)


def declared(dependant: Any) -> Need:
    """What the dependencies of a route ask for: `acting`, `asking` and `visiting` carry their permission."""
    calls = list(dependencies(dependant))
    found = [call.permission for call in calls if hasattr(call, "permission")]
    if permissions := frozenset(one for one in found if one is not None):
        return permissions
    return SIGNED_IN if found or current_actor in calls else ANYONE


def routes(app: FastAPI) -> dict[str, Any]:
    """Method and path of everything the application serves, with what it depends on."""
    contexts = [one for one in iter_route_contexts(app.routes) if getattr(one, "methods", None)]
    return {f"{method} {one.path}": getattr(one, "dependant", None) for one in contexts for method in one.methods or ()}


def api_routes(app: FastAPI) -> dict[str, Any]:
    """Those of the JSON API."""
    return {name: dependant for name, dependant in routes(app).items() if " /api/" in name}


def allowed(need: Need, role: Role | None) -> bool:
    """Whether the role (None: nobody signed in) gets past the door."""
    if need == ANYONE:
        return True
    return role is not None and (need == SIGNED_IN or frozenset(need) <= ROLES[role])


@pytest.fixture
def app(site: Site) -> FastAPI:
    return create_app(site, threads=8)


@pytest.fixture
def house(app: FastAPI) -> Iterator[House]:
    with TestClient(app, raise_server_exceptions=False) as client:
        yield House(client)


@pytest.mark.requirement("URS-010")
def test_every_route_asks_for_what_the_table_says(app: FastAPI) -> None:
    found = {name: declared(dependant) for name, dependant in api_routes(app).items()}
    assert found == TABLE, "a route and the table of permissions differ"


@pytest.mark.requirement("URS-010", "URS-015")
def test_the_matrix_is_what_the_application_answers(house: House, app: FastAPI, site: Site) -> None:
    answered, wrong = {}, []
    for name in sorted(api_routes(app), key=lambda one: one.split()[::-1]):
        row = {role: knock(house, name, role) for role in (None, *Role)}
        answered[name] = row
        for role, status in row.items():
            may = allowed(TABLE[name], role)
            refused = status == (401 if role is None else 403)
            if status >= 500 or (may and status in (401, 403)) or (not may and not refused):
                wrong.append(f"{name} as {role or 'nobody'}: {status}, though {'allowed' if may else 'not allowed'}")
    print(matrix(answered))  # noqa: T201 - read with -s, it is the record of who may what
    assert not wrong, "\n".join(wrong)
    refusals = raw(site, "SELECT count(*) FROM audit_entry WHERE outcome = 'refused' AND reason LIKE '%permission%'")
    assert refusals[0][0] > 0


def knock(house: House, name: str, role: Role | None) -> int:
    """The status of an otherwise senseless request: whoever may not is turned away before anything is looked at."""
    method, path = name.split()
    who = WHO[role] if role else None
    if method == "DELETE" and who:
        house.sign_in(who)  # signing out ends this one alone
    sent = {} if method in ("GET", "HEAD", "DELETE") else {"json": {}}
    if name == "POST /api/v1/session":
        sent = {}  # an empty body: a wrong password would count towards the lock-out
    path = (
        path.replace("{role}", "qa")
        .replace("{result_id}", "0")
        .replace("{reading_id}", "0")
        .replace("{revision}", "1")
        .replace("{other}", "1")
    )
    status = house.ask(who, method, path.replace("{", "").replace("}", ""), **sent).status_code
    if method == "DELETE" and who:
        house.forget()
    return status


def matrix(answered: Mapping[str, Mapping[Role | None, int]]) -> str:
    """Route x role: what was answered to whom; a dot for those turned away."""
    head = " ".join(f"{(role or 'nobody')[:6]:>6}" for role in (None, *Role))
    lines = [f"{'':70}{head}"]
    for name, row in answered.items():
        cells = " ".join(f"{'·' if status in (401, 403) else status:>6}" for status in row.values())
        lines.append(f"{name:70}{cells}")
    return "\n".join(lines)


@pytest.mark.requirement("URS-010")
def test_no_page_opens_for_a_stranger_unless_it_is_listed(house: House, app: FastAPI) -> None:
    opened = {}
    for name in routes(app):
        method, path = name.split()
        if " /api/" not in name and path not in OPEN:
            answer = house.client.request(method, path.replace("{", "").replace("}", ""), follow_redirects=False)
            to_the_door = answer.status_code == 303 and answer.headers["location"].startswith("/sign-in")
            if answer.status_code != 401 and not to_the_door:
                opened[path] = answer.status_code
    assert opened.keys() <= OPEN_PAGES, "a page answers a stranger"
    assert all(status < 500 for status in opened.values())


@pytest.mark.requirement("URS-010")
def test_no_permission_is_held_by_nobody_and_no_operation_is_without_one() -> None:
    assert frozenset().union(*ROLES.values()) == frozenset(Permission)
    own = {"change_password", "end_sign_in", "open_sign_in"}
    strangers = {"follow_lot", "confirm_following", "unfollow"}  # a clinic has no account
    worker = {
        "address_letter",
        "confirm_webhook",
        "drop_follower",
        "forget_followers",
    }  # no record of the laboratory changes
    without = {name for name, known in OPERATIONS.items() if known.permission is None}
    assert without == own | strangers | worker
    assert {rule.permission for rule in RULES.values()} <= frozenset(Permission)


ROLE_SETS = [set(pair) for size in (1, 2, 3) for pair in combinations(Role, size)]


@pytest.mark.requirement("URS-011")
def test_no_set_of_roles_that_may_be_held_reaches_both_halves_of_a_toxic_pair() -> None:
    for held in ROLE_SETS:
        reached = permissions_of(held)
        both = any(first in reached and second in reached for first, second, _ in TOXIC_PAIRS)
        assert bool(toxic_pairs(held)) == both


@pytest.mark.requirement("URS-011")
def test_nobody_can_be_made_with_or_granted_a_toxic_pair_over_http(house: House) -> None:
    toxic = [pair for pair in combinations(Role, 2) if toxic_pairs(pair)]
    assert len(toxic) > 10
    for place, (first, second) in enumerate(toxic):
        user = {
            "username": f"new.{place}",
            "name": "Nova New",
            "password": "a long enough secret",
            "roles": [first, second],
        }
        refused = house.ask("ada", "POST", "/api/v1/users", json=user)
        assert (refused.status_code, refused.json()["reasons"][0]["type"]) == (409, "/problems/toxic-roles")
        house.post("ada", "/users", {**user, "roles": [first]})
        refused = house.ask("ada", "POST", f"/api/v1/users/new.{place}/roles", json={"role": second})
        assert (refused.status_code, refused.json()["reasons"][0]["type"]) == (409, "/problems/toxic-roles")
        assert roles_of(house, f"new.{place}") == [first]


@pytest.mark.requirement("URS-011")
def test_nobody_grants_a_role_to_themselves(house: House) -> None:
    for role in Role:
        refused = house.ask("ada", "POST", "/api/v1/users/ada/roles", json={"role": role})
        assert refused.status_code == 409
    assert roles_of(house, "ada") == ["administrator"]


@pytest.mark.requirement("URS-011", "URS-005")
def test_two_halves_of_a_toxic_pair_granted_at_once_are_never_both_held(house: House) -> None:
    for place in range(5):
        user = {
            "username": f"both.{place}",
            "name": "Nova New",
            "password": "a long enough secret",
            "roles": ["auditor"],
        }
        house.post("ada", "/users", user)
        ready = Barrier(2)

        def grant(role: str, username: str = f"both.{place}", ready: Barrier = ready) -> int:
            ready.wait(timeout=30)
            return house.ask("ada", "POST", f"/api/v1/users/{username}/roles", json={"role": role}).status_code

        with ThreadPoolExecutor(2) as pool:
            assert sorted(pool.map(grant, ("technician", "qa"))) == [200, 409]
        assert not toxic_pairs(Role(role) for role in roles_of(house, f"both.{place}"))


def roles_of(house: House, username: str) -> list[str]:
    """The roles somebody holds now."""
    users: list[dict[str, Any]] = house.get("ada", "/users")
    return next(user["roles"] for user in users if user["username"] == username)


@pytest.mark.requirement("URS-010")
def test_a_role_that_was_revoked_opens_no_door_from_the_next_request_on(house: House, site: Site) -> None:
    assert house.ask("rhea", "POST", "/api/v1/methods", json={}).status_code == 422
    house.post("ada", "/users/rhea/roles/reviewer/revocation")
    assert house.ask("rhea", "POST", "/api/v1/methods", json={}).status_code == 403
    assert raw(site, "SELECT count(*) FROM role_grant WHERE revoked_at IS NOT NULL") == [(1,)]
