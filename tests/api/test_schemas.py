"""The published JSON Schemas: what is issued fits them, what is odd does not, and they never change unseen."""

import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
from fastapi.testclient import TestClient
from jsonschema import Draft202012Validator, FormatChecker

from domain.certificates.content import SCHEMA_VERSION, BatchCertificateContent, CertificateContent, SiteShown, Words
from domain.certificates.reading import read_certificate
from domain.errors import Invalid
from domain.work import Site
from reports.schemas import CURRENT, NEWEST, frozen, published, written
from tests.certificates import typed
from tests.reports.contents import SAMPLES, TYPICAL

ISSUED = {
    **SAMPLES,
    "typed": typed.certificate(),
    "revised": typed.certificate(revision=2, supersedes="COA-2026-000123"),
}
FILE: dict[str, Any] = json.loads(typed.certificate().canonical())
BATCH = BatchCertificateContent.model_validate(
    {
        **{name: getattr(TYPICAL, name) for name in ("number", "revision", "issued_at", "time_zone", "look_up_url")},
        **{name: getattr(TYPICAL, name) for name in ("manufacturer", "product", "lot")},
        "supersedes": None,
        "importing_country": "DE",
        "authorisation": None,
        "pack": "96 vials",
        "sites": (
            SiteShown(name="Site", address="Street 1", activity=Words(en="Filling", de="Abfüllung"), licence=None),
        ),
        "analysis_certificate": "COA-2026-000123",
        "analysis_sha256": TYPICAL.sha256(),
        "register_entry": 17,
        "comments": Words(en="None", de="Keine"),
        "statement": Words(en="Made and checked.", de="Hergestellt und geprüft."),
        "certifier": TYPICAL.signatures[-1],
    }
)


def checker(name: str = f"coa-{SCHEMA_VERSION}.json") -> Draft202012Validator:
    schema = json.loads(frozen(name))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema, format_checker=FormatChecker())


def without_words(node: Any) -> Any:
    """The schema without its descriptions: better words are no other schema."""
    if isinstance(node, dict):
        return {
            name: without_words(part)
            for name, part in node.items()
            if name != "description" or not isinstance(part, str)
        }
    return [without_words(one) for one in node] if isinstance(node, list) else node


@pytest.mark.requirement("URS-102")
@pytest.mark.parametrize("name", CURRENT)
def test_the_frozen_schema_is_what_the_models_say(name: str) -> None:
    said, kept = (without_words(json.loads(text)) for text in (written(name), frozen(name)))
    assert said == kept, (
        "the content has another shape: raise its version and publish another schema (python -m reports.schemas)"
    )


@pytest.mark.requirement("URS-102")
@pytest.mark.parametrize("name", ISSUED)
def test_every_certificate_fits_the_published_schema(name: str) -> None:
    errors = list(checker().iter_errors(json.loads(ISSUED[name].canonical())))
    assert not errors, errors[:3]


def test_a_batch_certificate_fits_its_schema_and_not_that_of_the_other() -> None:
    plain = json.loads(BATCH.canonical())
    assert not list(checker("batch-certificate-1.0.json").iter_errors(plain))
    assert list(checker().iter_errors(plain))


def at(plain: Any, *path: str | int) -> Any:
    for step in path:
        plain = plain[step]
    return plain


def broken() -> Iterator[tuple[str, dict[str, Any]]]:
    """A certificate with one thing wrong."""
    good = json.loads(typed.certificate().canonical())
    place = {line["code"]: number for number, line in enumerate(good["tests"])}
    changes: dict[str, tuple[tuple[str | int, ...], Any]] = {
        "an empty number of the lot": (("lot", "number"), ""),
        "an empty result": (("tests", 0, "result", "en"), ""),
        "an empty value": (("tests", place["PH"], "value"), ""),
        "an empty word": (("tests", place["STER"], "value", "term"), ""),
        "a value of no kind": (("tests", place["PH"], "value"), {"value": "7.40", "unit": "[pH]"}),
        "a number instead of text": (("tests", place["PH"], "value", "value"), 7.4),
        "a whole number instead of text": (("tests", place["PH"], "value", "value"), 7),
        "a decimal comma": (("tests", place["PH"], "value", "value"), "7,40"),
        "no number at all": (("tests", place["PH"], "value", "value"), "NaN"),
        "a limit that is a number": (("tests", place["PH"], "limits", "upper"), 7.8),
        "an unknown field": (("tests", 0, "approved"), True),
        "an unknown field above": (("efficacy",), "proven"),
        "a verdict of its own": (("tests", 0, "verdict"), "excellent"),
        "a text instead of a figure in a curve": (("distributions", 0, "per_ml", 0), "12"),
        "a revision that is a text": (("revision",), "1"),
        "another version": (("schema_version",), "2.0"),
        "nothing where the lot should be": (("lot",), None),
        "a date that is none": (("lot", "expires_on"), "31.10.2028"),
    }
    for what, (path, value) in changes.items():
        plain = deepcopy(good)
        at(plain, *path[:-1])[path[-1]] = value
        yield what, plain
    for missing in ("tests", "number", "audit_head"):
        yield f"without {missing}", {name: part for name, part in good.items() if name != missing}


@pytest.mark.requirement("URS-103")
@pytest.mark.parametrize(("what", "plain"), list(broken()))
def test_what_is_odd_fits_neither_the_schema_nor_the_reader(what: str, plain: dict[str, Any]) -> None:
    assert list(checker().iter_errors(plain)), what
    with pytest.raises(Invalid) as refused:
        read_certificate(json.dumps(plain).encode())
    assert {reason.code for reason in refused.value.reasons} == {"certificate-not-valid"}, what
    assert all(reason.text for reason in refused.value.reasons)


@pytest.mark.parametrize("name", ISSUED)
def test_what_was_issued_is_read_back_equal(name: str) -> None:
    assert read_certificate(ISSUED[name].canonical()) == ISSUED[name]
    indented = json.dumps(json.loads(ISSUED[name].canonical()), indent=2).encode()
    assert read_certificate(indented).sha256() == ISSUED[name].sha256()


def test_a_certificate_of_the_version_before_is_still_read() -> None:
    old = {"limits", "value", "method_code", "method_revision", "principle", "instrument", "settings", "inputs"}
    new_above = {"conclusion", "conditional", "draft", "revision_reason", "investigations", "missing", "demonstration"}
    plain = json.loads(TYPICAL.canonical())
    plain["schema_version"] = "1.0"
    plain["tests"] = [{name: part for name, part in line.items() if name not in old} for line in plain["tests"]]
    plain = {name: part for name, part in plain.items() if name not in new_above}
    assert not list(checker().iter_errors(plain))
    assert read_certificate(json.dumps(plain).encode()).tests[0].value is None


HOSTILE = {
    "nothing": b"",
    "a PDF": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3",
    "no UTF-8": b'{"number": "\xff\xfe"}',
    "cut off": TYPICAL.canonical()[:-10],
    "two values": b"{} {}",
    "not a number": b'{"revision": NaN}',
    "a deep nest": b"[" * 100_000 + b"]" * 100_000,
    "too large": b'"' + b"x" * 1_000_001 + b'"',
    "many digits": b'{"revision": ' + b"9" * 500_000 + b"}",
}


@pytest.mark.requirement("URS-103")
@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_json_is_refused_with_a_reason(what: str) -> None:
    with pytest.raises(Invalid) as refused:
        read_certificate(HOSTILE[what])
    assert refused.value.reasons[0].code in {"certificate-not-readable", "certificate-not-valid", "file-empty"}
    assert len(refused.value.reasons) <= 20
    assert all(len(reason.text) < 500 for reason in refused.value.reasons)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"revision": 2**60}, "the certificate"),
        ({"specification": "x" * 4001}, "at most 4000"),
        ({"number": "C" * 61}, "at most 60"),
        ({"lot": FILE["lot"] | {"number": "L" * 61}}, "at most 60"),
    ],
)
def test_what_would_flood_a_page_or_no_program_can_read_alike_is_refused(change: dict[str, Any], word: str) -> None:
    with pytest.raises(Invalid) as refused:
        read_certificate(json.dumps(FILE | change).encode())
    assert word in str(refused.value)
    assert refused.value.reasons[0].code == "certificate-not-valid"


@pytest.mark.parametrize("plain", [b"[]", b"null", b"7", b'"text"', b"{}"])
def test_json_that_is_no_certificate_is_refused(plain: bytes) -> None:
    with pytest.raises(Invalid):
        read_certificate(plain)


def test_a_preview_is_no_certificate() -> None:
    with pytest.raises(Invalid) as refused:
        read_certificate(typed.certificate(draft=True).canonical())
    assert refused.value.reasons[0].code == "certificate-is-a-draft"


def test_a_thousand_wrong_places_are_told_in_twenty_reasons() -> None:
    plain = json.loads(typed.certificate().canonical())
    plain["distributions"][0]["per_ml"] = ["x"] * 1000
    with pytest.raises(Invalid) as refused:
        read_certificate(json.dumps(plain).encode())
    assert len(refused.value.reasons) == 20


@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
def test_schemas_are_served_at_addresses_that_stay(site: Site, client: TestClient) -> None:
    assert set(CURRENT) <= set(published())
    for name in published():
        answer = client.get(f"/schemas/{name}")
        assert answer.content == frozen(name)
        assert answer.headers["content-type"] == "application/schema+json"
    for name, newest in NEWEST.items():
        answer = client.get(f"/schemas/{name}", follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (307, f"/schemas/{newest}")
    unknown = client.get("/schemas/coa-9.9.json")
    assert unknown.status_code == 404
    assert client.get("/schemas/..%2F__init__.json").status_code == 404


def test_a_schema_names_itself_and_its_dialect() -> None:
    for name in published():
        schema = json.loads(frozen(name))
        assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
        assert schema["$id"] == f"urn:exolotl:schema:{name.removesuffix('.json')}"
        assert schema["title"]
        assert schema["additionalProperties"] is False


def test_floats_stand_in_distributions_alone() -> None:
    schema = json.loads(frozen(f"coa-{SCHEMA_VERSION}.json"))

    def numbers(node: Any, where: str) -> Iterator[str]:
        if isinstance(node, dict):
            if node.get("type") == "number":
                yield where
            for name, part in node.items():
                yield from numbers(part, f"{where}.{name}")

    assert {where.split(".")[2] for where in numbers(schema, "")} == {"DistributionShown"}
    assert CertificateContent.model_fields["schema_version"].default == SCHEMA_VERSION
