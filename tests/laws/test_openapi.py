"""The description of the API is true and reads well: each kind of step has its own schema, each refusal its problem type."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from api.main import create_app
from api.problem_types import DOCUMENT, document, problem_types
from api.problems import KINDS
from domain.documents import Documents
from domain.errors import Reason
from domain.manufacturing.catalogue import STEP_KINDS, Parameter
from domain.quantities import units_like
from domain.store import engine_for
from domain.work import Site
from tests.stories.over_http import readings

ROOT = Path(__file__).parents[2]
BOUNDS = ("hard_low", "hard_high", "alert_low", "alert_high")


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    """The application; its description needs no database."""
    url = f"sqlite:///{tmp_path_factory.mktemp('openapi') / 'empty.db'}"
    return create_app(Site(engine_for(url), Documents("memory://"), lambda _content: b""), threads=2)


@pytest.fixture(scope="module")
def described(app: FastAPI) -> dict[str, Any]:
    """The document, as it is served."""
    with TestClient(app) as client:
        return dict(client.get("/openapi.json").json())


def operations(described: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every operation by method and path."""
    for path, item in described["paths"].items():
        for method, operation in item.items():
            yield f"{method.upper()} {path}", operation


def resolved(described: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """A schema, or the one it refers to; of a schema that may be null, the one that is not."""
    for one in schema.get("anyOf", ()):
        if one != {"type": "null"}:
            return resolved(described, one)
    if "$ref" in schema:
        return dict(described["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    return schema


def checker(described: dict[str, Any], schema: dict[str, Any]) -> Draft202012Validator:
    """What tells whether a value fits a schema of the document."""
    return Draft202012Validator({**schema, "components": described["components"]})


def body_of(described: dict[str, Any], path: str) -> dict[str, Any]:
    """The schema of what is posted there."""
    content = described["paths"][path]["post"]["requestBody"]["content"]["application/json"]
    return resolved(described, content["schema"])


def test_the_description_is_valid_openapi(described: dict[str, Any]) -> None:
    """One step kind stands for all: their schemas are made alike, and the validator takes a minute for the whole."""
    others = set(STEP_KINDS) - {"pooling"}
    paths = {path: item for path, item in described["paths"].items() if path.rpartition("/")[2] not in others}
    short = {**described, "paths": paths, "components": {**described["components"], "schemas": {}}}
    while missing := referred(short) - short["components"]["schemas"].keys():
        short["components"]["schemas"] |= {name: described["components"]["schemas"][name] for name in missing}
    errors = [f"{list(one.absolute_path)}: {one.message[:200]}" for one in OpenAPIV31SpecValidator(short).iter_errors()]
    assert not errors, "\n".join(errors[:10])


def referred(part: Any) -> set[str]:
    """The names of all schemas that a part of the document refers to."""
    return set(re.findall(r"'#/components/schemas/([^']+)'", str(part)))


def test_every_operation_says_what_it_does_under_a_name_of_its_own(described: dict[str, Any]) -> None:
    found = dict(operations(described))
    assert not [name for name, one in found.items() if not one.get("description")]
    names = [one["operationId"] for one in found.values()]
    assert len(names) == len(set(names))


def test_every_route_of_the_api_documents_its_refusals_as_problems(described: dict[str, Any]) -> None:
    silent = []
    for name, operation in operations(described):
        if " /api/" not in name:
            continue
        refusals = {status: one for status, one in operation["responses"].items() if int(status) >= 400}
        wanted = {"401", "403"} if "security" in operation else set()
        wanted |= {"404"} if "{" in name else set()
        wanted |= {"422"} if "requestBody" in operation or operation.get("parameters") else set()
        if not wanted <= refusals.keys():
            silent.append(f"{name} does not tell of {sorted(wanted - refusals.keys())}")
        for status, one in refusals.items():
            if one.get("content", {}).get("application/problem+json", {}).get("schema") != {
                "$ref": "#/components/schemas/Problem"
            }:
                silent.append(f"{name} {status} is not described as a problem")
    assert not silent, "\n".join(silent)


def test_what_needs_a_sign_in_says_so(described: dict[str, Any]) -> None:
    public = {name for name, one in operations(described) if "security" not in one}
    assert {name for name in public if " /api/" in name} == {
        "POST /api/v1/session",
        "GET /api/v1/public/lots/{lot_number}",
        "POST /api/v1/public/lots/{lot_number}/followers",
        "GET /api/v1/public/tests",
        "GET /api/v1/public/certificates/{certificate_number}.pdf",
        "GET /api/v1/public/certificates/{certificate_number}/proof",
        "GET /api/v1/public/log/head",
        "GET /api/v1/public/log/entries",
        "GET /api/v1/public/log/consistency",
        "GET /api/v1/public/log/key",
        "GET /api/v1/public/log/key.pem",
        "GET /api/v1/public/certificates/{certificate_number}/copy.pdf",
        "GET /api/v1/public/signing-certificates.pem",
        "POST /api/v1/public/verify",
        "POST /api/v1/public/compare",
        "GET /api/v1/public/certificates/{certificate_number}.json",
        "GET /api/v1/public/certificates/{certificate_number}.fhir.json",
    }


PARAMETERS = [(kind, parameter) for kind in STEP_KINDS.values() for parameter in kind.parameters]


def value_schema(described: dict[str, Any], kind: str, code: str, path: str) -> dict[str, Any]:
    """The schema of one parameter in the body of a step."""
    readings_of_kind = resolved(described, body_of(described, path)["properties"]["readings"])
    return resolved(described, readings_of_kind["properties"][code])


@pytest.mark.requirement("URS-025", "URS-026")
def test_each_kind_of_step_has_its_own_schema_with_units_bounds_and_examples(described: dict[str, Any]) -> None:
    for kind, parameter in PARAMETERS:
        path = f"/api/v1/steps/{kind.code}"
        schema = value_schema(described, kind.code, parameter.code, path)
        assert schema == value_schema(
            described, kind.code, parameter.code, f"/api/v1/steps/{{step_number}}/completion/{kind.code}"
        )
        whole = f"{kind.code}.{parameter.code}"
        for name in BOUNDS:
            bound = getattr(parameter, name)
            assert schema.get(f"x-{name.replace('_', '-')}") == (None if bound is None else str(bound)), whole
        assert schema["x-critical"] == parameter.critical, whole
        assert schema["x-name-de"] == parameter.de, whole
        assert parameter.en in schema["title"], whole
        assert schema["description"].startswith(parameter.description), whole
        assert_units(schema, parameter, whole)
        assert_examples(described, schema, parameter, whole)


def assert_units(schema: dict[str, Any], parameter: Parameter, whole: str) -> None:
    """A measured value takes the units that convert, and no other; a word takes none."""
    unit = schema["properties"].get("unit")
    if parameter.unit is None:
        assert unit is None, whole
        assert schema["additionalProperties"] is False, whole
        return
    assert schema["x-unit"] == parameter.unit, whole
    given = next((one for one in unit.get("anyOf", ()) if one != {"type": "null"}), unit)
    assert tuple(given.get("enum") or [given["const"]]) == units_like(parameter.unit), whole
    assert ("unit" in schema["required"]) == (parameter.unit != "1" and parameter.type != "count"), whole


def assert_examples(described: dict[str, Any], schema: dict[str, Any], parameter: Parameter, whole: str) -> None:
    """There is an example; it fits the schema, and the laboratory accepts it without an alert."""
    check = checker(described, schema)
    assert schema["examples"], whole
    for example in schema["examples"]:
        assert not list(check.iter_errors(example)), whole
        assert parameter.check(example["value"], example.get("unit")).alert is None, whole


def test_what_a_story_sends_fits_the_schema_of_its_step(described: dict[str, Any]) -> None:
    for kind in STEP_KINDS:
        schema = body_of(described, f"/api/v1/steps/{{step_number}}/completion/{kind}")
        measured = [{"lot_number": "X26-0001", "quantity": {"value": "1", "unit": "mL"}}]
        body = {"outputs": measured, "readings": readings(kind)}
        assert not list(checker(described, schema).iter_errors(body)), kind


def test_a_body_with_a_stray_field_fits_no_schema(described: dict[str, Any]) -> None:
    loose = []
    for name, operation in operations(described):
        content = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if content and resolved(described, content["schema"]).get("additionalProperties") is not False:
            loose.append(name)
    assert not loose, "these take fields that nobody reads"


# --- every reason is listed ---------------------------------------------------------------------------------------


def codes(argument: ast.expr) -> Iterator[str]:
    """The codes that the first argument of a Reason can be; parts that are computed as `*`."""
    if isinstance(argument, ast.Constant):
        yield str(argument.value)
    elif isinstance(argument, ast.IfExp):
        yield from codes(argument.body)
        yield from codes(argument.orelse)
    elif isinstance(argument, ast.JoinedStr):
        yield "".join(str(part.value) if isinstance(part, ast.Constant) else "*" for part in argument.values)


def raised() -> Iterator[tuple[str, str, int | None]]:
    """Place, code, and status (where the kind of refusal stands right there) of every reason in the sources."""
    statuses = {kind.__name__: status for kind, (status, _) in KINDS.items()}
    for file in sorted(file for room in ("domain", "reports", "api") for file in (ROOT / room).rglob("*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == Reason.__name__ and node.args:
                parent = parents[node]
                kind = ast.unparse(parent.func) if isinstance(parent, ast.Call) else ""
                for code in codes(node.args[0]):
                    yield f"{file.relative_to(ROOT)}:{node.lineno}", code, statuses.get(kind)


def test_every_reason_in_the_sources_is_listed_with_its_status_and_meaning() -> None:
    known = problem_types()
    unlisted = []
    for place, code, status in raised():
        pattern = re.compile(re.escape(code).replace(r"\*", "[a-z-]+"))
        listed = [one for one in known.values() if pattern.fullmatch(one.code)]
        if not listed or any(status is not None and status not in one.status for one in listed):
            unlisted.append(f"{place}: {code} with {status}")
    assert not unlisted, "add to api/problems.toml:\n" + "\n".join(unlisted)


def test_no_reason_is_listed_that_nothing_gives() -> None:
    patterns = [re.compile(re.escape(code).replace(r"\*", "[a-z-]+")) for _, code, _ in raised()]
    by_handlers = {"several-reasons", "not-found", "method-not-allowed", "too-large", "http-error"}
    unused = [
        code for code in problem_types() if code not in by_handlers and not any(one.fullmatch(code) for one in patterns)
    ]
    assert not unused


def test_the_list_of_refusals_in_the_documents_is_current() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == document(), "type: .venv/bin/python -m api.problem_types"


@pytest.mark.requirement("URS-018", "URS-059")
def test_each_reason_is_served_as_a_page_and_as_json(app: FastAPI) -> None:
    with TestClient(app) as client:
        assert {one["code"] for one in client.get("/problems").json()} == problem_types().keys()
        for code, known in problem_types().items():
            plain = client.get(f"/problems/{code}")
            assert plain.json() == {
                "code": code,
                "area": known.area,
                "status": list(known.status),
                "means": known.means,
            }
        page = client.get("/problems/not-enough-left", headers={"Accept": "text/html"})
        assert page.headers["content-type"].startswith("text/html")
        assert problem_types()["not-enough-left"].means in page.text
        missing = client.get("/problems/<script>")
        assert (missing.status_code, missing.headers["content-type"]) == (404, "application/problem+json")
