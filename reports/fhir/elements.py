"""The pieces of FHIR R5 that the resources are built of, as plain values; an element that would be empty is left out.

Codes of value sets stand here in tables, because a FHIR library does not check them. Units are UCUM: only those of the laboratory's closed list.
"""

import json
from collections.abc import Iterable, Iterator
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Any

from domain.certificates.content import Words
from domain.errors import Invalid
from domain.laboratory.values import describe_term
from domain.quantities import parse_decimal, unit_of

Element = dict[str, Any]

UCUM = "http://unitsofmeasure.org"
NCIT = "http://ncicb.nci.nih.gov/xml/owl/EVS/Thesaurus.owl"
OBSERVATION_INTERPRETATION = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
DATA_ABSENT_REASON = "http://terminology.hl7.org/CodeSystem/data-absent-reason"

#: Code systems and extensions of our own: names, the same at every site.
OWN = "urn:exolotl:fhir"
#: Extensions of HL7's Pharmaceutical Quality guide (hl7.fhir.uv.pharm-quality 1.0.0, FHIR R5).
PQ = "http://hl7.org/fhir/uv/pharm-quality/StructureDefinition"
TRANSLATION = "http://hl7.org/fhir/StructureDefinition/translation"

#: FHIR R5, 2.1.28.0.1: a decimal has at most 18 digits.
_DIGITS = Context(prec=17, rounding=ROUND_HALF_EVEN)
_plain = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode


def element(**parts: Any) -> Element:
    """The parts of an element, in order; `pruned` leaves out those that turn out empty."""
    return parts


def pruned(resource: Element) -> Element:
    """Without what is empty: FHIR allows no null, no empty string, list or object, and no blanks round a string."""
    return dict(_kept(resource))


def _kept(elements: Element) -> Iterator[tuple[str, Any]]:
    for name, value in elements.items():
        if (found := _pruned(value)) not in (None, "", [], {}):
            yield name, found


def _pruned(node: Any) -> Any:
    """The same without what is empty; an extension without a value is empty too."""
    match node:
        case str():
            return node.strip()
        case dict():
            found = dict(_kept(node))
            return {} if found.keys() == {"url"} else found
        case list():
            return [found for one in node if (found := _pruned(one)) not in (None, "", {})]
    return node


def extension(name: str, **value: Any) -> Element:
    """`extension("rounding", valueCode="none")`, under a name of ours or a full address."""
    return {"url": name if ":" in name else f"{OWN}:extension:{name}", **value}


def in_both(name: str, words: Words | None) -> Element:
    """A string element in English, with the German words as its translation (FHIR R5, extension `translation`)."""
    if words is None or not words.en.strip():
        return {}
    found: Element = {name: words.en}
    if words.de.strip() and words.de != words.en:
        parts = [{"url": "lang", "valueCode": "de"}, {"url": "content", "valueString": words.de}]
        found[f"_{name}"] = {"extension": [{"url": TRANSLATION, "extension": parts}]}
    return found


def note(words: Words) -> Element:
    """An annotation, English and German."""
    return in_both("text", words)


def own_coding(system: str, code: str, display: str | None = None, version: str | None = None) -> Element:
    """A coding of a code system of ours: `test`, `group`, `term`, `method` …"""
    return element(system=f"{OWN}:code-system:{system}", version=version, code=code, display=display)


def concept(*codings: Element, text: str | Words | None = None) -> Element:
    """A CodeableConcept."""
    words = Words(en=text, de=text) if isinstance(text, str) else text
    return element(coding=list(codings)) | in_both("text", words)


def term(word: str) -> Element:
    """A word of the controlled list, such as `no growth`: the code is the word, letter by letter."""
    en, de = describe_term(word)
    return concept(own_coding("term", word, en), text=Words(en=en, de=de))


def quantity(number: Decimal, unit: str, comparator: str | None = None) -> Element:
    """A Quantity with its UCUM code; digits beyond what FHIR can hold stand in an extension. Raises Invalid for a unit outside the list."""
    known = unit_of(unit)
    short = _DIGITS.plus(number) if len(number.as_tuple().digits) > _DIGITS.prec else number
    exact = [] if short is number else [extension("exact-value", valueString=str(number))]
    return element(
        extension=exact,
        value=short,
        comparator=comparator,
        unit=known.en or known.ucum,
        system=UCUM,
        code=known.ucum,
    )


def written(text: str | None) -> Element | None:
    """A quantity written as `0.05 {EU}/mL` or `7.4`; None for other words."""
    figures, _, unit = (text or "").strip().partition(" ")
    try:
        return quantity(parse_decimal(figures), unit or "1")
    except Invalid:
        return None


def reference(target: str) -> Element:
    """A reference to another entry of the bundle, by its `urn:uuid:`."""
    return {"reference": target}


def references(targets: Iterable[str]) -> list[Element]:
    """References to several entries."""
    return [reference(target) for target in targets]


def to_json(node: Any) -> str:
    """JSON with decimals as they are: in FHIR 7.40 is not 7.4, and a float would lose the zero."""
    match node:
        case str():
            return _plain(node)
        case dict():
            return "{" + ",".join([f'"{name}":{to_json(value)}' for name, value in node.items()]) + "}"
        case list():
            return "[" + ",".join([to_json(one) for one in node]) + "]"
        case Decimal():
            return str(node)
        case _:
            return _plain(node)
