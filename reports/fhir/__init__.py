"""A certificate of analysis as a FHIR R5 bundle (JSON), shaped after HL7's Pharmaceutical Quality guide (hl7.fhir.uv.pharm-quality 1.0.0).

The same content gives the same bytes anywhere: identifiers are UUIDs (version 5) of the content's digest, and the only times are those of the
content. Nothing is computed that the certificate does not say. A draft is preliminary, never final; what was not tested has no value and a
reason. No conformance to a profile of the guide is claimed (`meta.profile`): it is written for submissions, and some of its elements are not
on a certificate.
"""

from collections.abc import Sequence
from uuid import NAMESPACE_URL, UUID, uuid5

from domain.certificates.content import CertificateContent, SignatureShown, Words
from reports.fhir import observations, product, specification
from reports.fhir.elements import (
    OWN,
    Element,
    concept,
    element,
    extension,
    note,
    own_coding,
    pruned,
    reference,
    references,
    to_json,
)

REPORT_TYPE = "http://hl7.org/fhir/uv/pharm-quality/CodeSystem/cs-reportType-local-pq"

CONCLUSIONS = {
    "complies": "The lot complies with the specification.",
    "conditional": "Conditional: what was tested complies with the specification; a test is outstanding.",
    "does_not_comply": "The lot does not comply with the specification.",
    "incomplete": "Incomplete: no conclusion can be drawn.",
}


class _Names:
    """The `urn:uuid:` of each entry, from the digest of the content and what the entry is."""

    def __init__(self, digest: str) -> None:
        self.root = uuid5(NAMESPACE_URL, f"{OWN}:certificate:{digest}")

    def __call__(self, what: str, place: int = 0) -> str:
        return uuid5(self.root, f"{what}/{place}").urn


def bundle(content: CertificateContent) -> bytes:
    """The certificate as FHIR R5 JSON, UTF-8. Raises Invalid when a typed value has a unit outside the closed list."""
    name = _Names(digest := content.sha256())
    maker, made, lot = name("Organization"), name("MedicinalProductDefinition"), name("Medication")
    package, substance, specimen = name("PackagedProductDefinition"), name("Substance"), name("Specimen")
    plan, report = name("PlanDefinition"), name("DiagnosticReport")
    definitions = [name("ObservationDefinition", place) for place, _ in enumerate(content.tests)]
    instruments = dict.fromkeys(
        line.instrument for line in content.tests if line.instrument and line.instrument.strip()
    )
    devices = {instrument: name("Device", place) for place, instrument in enumerate(instruments)}
    around = observations.Around(content, maker, lot, specimen, devices)
    results = _results(content, around, name, definitions)
    entries = [
        (report, "DiagnosticReport", _report(content, lot, specimen, maker, plan, digest, [urn for urn, _ in results])),
        (maker, "Organization", product.organization(content)),
        (made, "MedicinalProductDefinition", product.product(content)),
        (package, "PackagedProductDefinition", product.package(content, made)),
        (substance, "Substance", product.substance(content)),
        (lot, "Medication", product.lot(content, made, substance, maker)),
        (specimen, "Specimen", product.specimen(lot)),
        (plan, "PlanDefinition", specification.plan(content, plan, made, definitions)),
        *(
            (urn, "ObservationDefinition", specification.definition(line, urn, content.draft))
            for line, urn in zip(content.tests, definitions, strict=True)
        ),
        *((urn, "Device", {"displayName": instrument}) for instrument, urn in devices.items()),
        *((urn, "Observation", found) for urn, found in results),
        *(
            (name("Provenance", place), "Provenance", _signed(one, report))
            for place, one in enumerate(content.signatures)
        ),
    ]
    whole = {
        "resourceType": "Bundle",
        "id": str(name.root),
        "language": "en",
        "identifier": {"system": "urn:ietf:rfc:3986", "value": name.root.urn},
        "type": "collection",
        "timestamp": content.issued_at.isoformat(),
        "entry": [
            {"fullUrl": urn, "resource": {"resourceType": kind, "id": str(UUID(urn)), **pruned(resource)}}
            for urn, kind, resource in entries
        ],
    }
    return to_json(whole).encode()


def _results(
    content: CertificateContent, around: observations.Around, name: _Names, definitions: Sequence[str]
) -> list[tuple[str, Element]]:
    """Every line, then every distribution; a calculated result names those it was calculated from."""
    lines = [name("Observation", place) for place, _ in enumerate(content.tests)]
    curves = [name("Distribution", place) for place, _ in enumerate(content.distributions)]
    by_code: dict[str, list[str]] = {}
    for line, urn in zip(content.tests, lines, strict=True):
        by_code.setdefault(line.code, []).append(urn)
    names = {line.code: line.name for line in content.tests}
    found = [
        (
            urn,
            observations.result(
                line,
                around,
                definition,
                [source for code in line.inputs for source in by_code.get(code, ())],
                [
                    curve
                    for curve, shown in zip(curves, content.distributions, strict=True)
                    if shown.test_code == line.code
                ],
            ),
        )
        for line, urn, definition in zip(content.tests, lines, definitions, strict=True)
    ]
    size = Words(en="Size distribution", de="Größenverteilung")
    return found + [
        (curve, observations.distribution(shown, around, names.get(shown.test_code, size)))
        for curve, shown in zip(curves, content.distributions, strict=True)
    ]


def _report(
    content: CertificateContent, lot: str, specimen: str, maker: str, plan: str, digest: str, results: Sequence[str]
) -> Element:
    """The certificate itself: number and revision, what it rests on, what it concludes, what else a reader must know."""
    head = content.audit_head
    audit = [{"url": "sequence", "valueInteger": head.sequence}, {"url": "sha256", "valueString": head.sha256}]
    superseded = {
        "type": concept(text="Supersedes"),
        "reference": {"type": "DiagnosticReport", "identifier": {"value": content.supersedes}},
    }
    conclusion = CONCLUSIONS[content.conclusion] if content.conclusion else None
    return element(
        extension=[
            {"url": "http://hl7.org/fhir/StructureDefinition/workflow-triggeredBy", "valueReference": reference(plan)},
            extension("revision", valuePositiveInt=content.revision),
            extension("audit-head", extension=audit),
            *([extension("demonstration", valueBoolean=True)] if content.demonstration else []),
        ],
        identifier=[
            {"system": product.maker_space(content, "certificates"), "value": content.number},
            {"system": f"{OWN}:content-sha256", "value": digest},
        ],
        status=_status(content),
        code=concept({"system": REPORT_TYPE, "code": "Batch Analysis Report"}, text=_TITLE),
        subject=reference(lot),
        effectiveDateTime=content.lot.tested_until.isoformat(),
        issued=content.issued_at.isoformat(),
        performer=[reference(maker)],
        specimen=[reference(specimen)],
        result=references(results),
        note=[note(words) for words in _notes(content)],
        supportingInfo=[superseded] if content.supersedes else None,
        conclusion=conclusion,
        conclusionCode=[concept(own_coding("conclusion", content.conclusion), text=conclusion)]
        if content.conclusion
        else None,
        presentedForm=[{"contentType": "text/html", "url": content.look_up_url, "title": "State of the lot today"}],
    )


_TITLE = Words(en="Certificate of analysis", de="Analysenzertifikat")


def _status(content: CertificateContent) -> str:
    """A draft is preliminary; a conditional certificate lacks a result; a later revision amends the first."""
    if content.draft:
        return "preliminary"
    if content.conclusion == "conditional":
        return "partial"
    return "amended" if content.revision > 1 else "final"


def _notes(content: CertificateContent) -> list[Words]:
    """What stands on the certificate besides results: its status before the law, conditions, investigations, deviations, statements."""
    notes = [
        content.product.regulatory_notice,
        content.conditional,
        _led("Reason of the revision: ", "Grund der Revision: ", content.revision_reason),
        *(_led(*2 * (f"{one.on}, {one.reference}: ",), one.words) for one in content.investigations),
        content.deviations,
        *content.statements,
        *(Words(en=f"Missing: {one}", de=f"Fehlt: {one}") for one in content.missing),
    ]
    return [words for words in notes if words is not None]


def _led(en: str, de: str, words: Words | None) -> Words | None:
    """The words with something before them."""
    return words and Words(en=en + words.en, de=de + words.de)


def _signed(one: SignatureShown, report: str) -> Element:
    """Who signed, with what meaning and when; the digest is of the record that was signed (21 CFR 11.50, 11.70)."""
    return element(
        extension=[extension("record-sha256", valueString=one.record_sha256)],
        target=[reference(report)],
        recorded=one.signed_at.isoformat(),
        activity=concept(text=one.meaning),
        agent=[
            {
                "type": concept({"system": PARTICIPANT, "code": "attester"}),
                "role": [concept(text=one.function)],
                "who": {"display": one.name},
            }
        ],
    )


PARTICIPANT = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
