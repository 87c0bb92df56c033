"""The JSON Schemas of what is written into certificates, made from the models and frozen beside this file.

A published schema never changes: when the models say something else, the version of the content is raised and a new file is added.
`python -m reports.schemas` writes the files of the present versions.
"""

import json
from pathlib import Path
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue

from domain.certificates.content import SCHEMA_VERSION, AnyCertificate, BatchCertificateContent, CertificateContent
from domain.certificates.reading import MAY_BE_EMPTY

FOLDER = Path(__file__).parent
DIALECT = "https://json-schema.org/draft/2020-12/schema"

#: File -> the model it describes and what it is called.
CURRENT: dict[str, tuple[type[AnyCertificate], str]] = {
    f"coa-{SCHEMA_VERSION}.json": (CertificateContent, "Certificate of analysis"),
    "batch-certificate-1.0.json": (BatchCertificateContent, "Batch certificate"),
}
NEWEST = {"coa.json": f"coa-{SCHEMA_VERSION}.json", "batch-certificate.json": "batch-certificate-1.0.json"}

#: A decimal as it is written: digits, trailing zeros kept.
DECIMAL = r"^[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?$"


class _OfContent(GenerateJsonSchema):
    """Figures are text, and a text says something."""

    def decimal_schema(self, schema: Any) -> JsonSchemaValue:
        """A figure is text, as it was judged."""
        return {"type": "string", "pattern": DECIMAL}

    def str_schema(self, schema: Any) -> JsonSchemaValue:
        """An empty text says nothing."""
        return {"minLength": 1, **super().str_schema(schema)}


def schema_of(model: type[AnyCertificate], file: str, title: str) -> dict[str, Any]:
    """The schema (draft 2020-12) of the canonical JSON of a certificate."""
    made = model.model_json_schema(mode="serialization", schema_generator=_OfContent)
    for described in (made, *made["$defs"].values()):
        _settle(described)
    name = f"urn:exolotl:schema:{file.removesuffix('.json')}"
    return {"$schema": DIALECT, "$id": name, **made, "title": title}


def _settle(described: dict[str, Any]) -> None:
    """What the models cannot say: which text may be empty, and that a value always names its kind."""
    for name, part in described.get("properties", {}).items():
        if name in MAY_BE_EMPTY:
            _may_be_empty(part)
        if name == "kind" and "const" in part:
            described["required"] = ["kind", *described.get("required", ())]


def _may_be_empty(part: Any) -> None:
    if isinstance(part, dict):
        part.pop("minLength", None)
    for inner in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        _may_be_empty(inner)


def frozen(file: str) -> bytes:
    """A published schema as it is served. Raises FileNotFoundError for a name that is none."""
    if file not in published():
        raise FileNotFoundError(file)
    return (FOLDER / file).read_bytes()


def published() -> tuple[str, ...]:
    """The names of all schemas that were ever published."""
    return tuple(sorted(path.name for path in FOLDER.glob("*.json")))


def written(file: str) -> bytes:
    """The schema of a present version as its file should be."""
    model, title = CURRENT[file]
    return (json.dumps(schema_of(model, file, title), indent=1, ensure_ascii=False) + "\n").encode()
