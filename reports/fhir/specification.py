"""The specification: a PlanDefinition (the list of tests) and an ObservationDefinition for each (the criterion)."""

from collections.abc import Sequence
from decimal import Decimal

from domain.certificates.content import CertificateContent, TestLine
from domain.laboratory.verdict import Criterion, CriterionKind
from reports.fhir.elements import PQ, Element, concept, element, extension, own_coding, quantity, reference, term

PLAN_TYPE = "http://terminology.hl7.org/CodeSystem/plan-definition-type"


def plan(content: CertificateContent, url: str, product_id: str, definitions: Sequence[str]) -> Element:
    """The specification the lot was judged against: one action for release, one below it for each test."""
    tests = [
        element(title=line.name.en, code=concept(text="Test"), definitionCanonical=definition)
        for line, definition in zip(content.tests, definitions, strict=True)
    ]
    release = element(
        title="Release",
        code=concept(text="Timing Group"),
        timingTiming={"code": concept(text="Release time")},
        action=tests,
    )
    return element(
        url=url,
        title=content.specification,
        type=concept({"system": PLAN_TYPE, "code": "workflow-definition"}),
        status="draft" if content.draft else "active",
        subjectReference=reference(product_id),
        action=[release],
    )


def definition(line: TestLine, url: str, draft: bool) -> Element:
    """A test of the specification and its acceptance criterion, as printed and, where there are limits, as a range."""
    unit = line.limits.unit if line.limits else None
    return element(
        url=url,
        title=line.name.en,
        status="draft" if draft else "active",
        category=[concept(own_coding("group", line.group))],
        code=test_code(line),
        permittedDataType=["Quantity"] if unit else None,
        permittedUnit=[{"system": "http://unitsofmeasure.org", "code": unit}] if unit else None,
        method=method(line),
        qualifiedValue=[_criterion(line)],
    )


def _criterion(line: TestLine) -> Element:
    printed = {"url": f"{PQ}/Extension-qualified-value-text-pq", "valueString": line.criterion.en}
    limits = line.limits
    if limits is None:
        return {"extension": [printed]}
    machine = [
        extension("criterion-kind", valueCode=limits.kind.value),
        extension("rounding", valueCode=limits.rounding.value),
        *(extension("allowed-term", valueCodeableConcept=term(word)) for word in limits.allowed),
    ]
    bounds = bounds_of(limits)
    return element(extension=[printed, *machine], range=bounds, rangeCategory="absolute" if bounds else None)


def bounds_of(limits: Criterion | None) -> Element:
    """Low and high of a criterion, both inclusive, as a FHIR Range has them; empty for criteria without limits."""
    if limits is None or limits.kind is CriterionKind.REPORT_ONLY or limits.unit is None:
        return {}
    given = {"low": limits.lower, "high": limits.upper}
    return {name: quantity(Decimal(text), limits.unit) for name, text in given.items() if text is not None}


def test_code(line: TestLine) -> Element:
    """What is tested: the code of the catalogue and its name in both languages."""
    return concept(own_coding("test", line.code, line.name.en), text=line.name)


test_code.__test__ = False  # type: ignore[attr-defined]


def method(line: TestLine) -> Element:
    """How it is tested: code and revision of the method, as printed, its principle and the compendium."""
    revision = str(line.method_revision) if line.method_revision is not None else None
    codings = [own_coding("method", line.method_code, version=revision)] if line.method_code else []
    if line.principle:
        codings.append(own_coding("principle", line.principle))
    said = " · ".join(part for part in (line.method, line.method_principle, line.reference) if part and part.strip())
    return concept(*codings, text=said)
