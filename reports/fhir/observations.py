"""The results: an Observation for each line of the certificate, and one for each size distribution, complete and readable back.

A figure is a Quantity with its comparator if it is censored; a word of the controlled list a CodeableConcept; what was not tested has a
reason and no value. A size distribution is SampledData: `offsets` are the lower edges of the bins (nm), `data` what lies in each, and an
extension holds the upper edge of the last; text keeps every digit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from domain.certificates.content import CertificateContent, DistributionShown, TestLine, Words
from domain.laboratory.values import Censored, NotReportable, Numeric, Qualitative, Text
from reports.fhir.elements import (
    DATA_ABSENT_REASON,
    NCIT,
    OBSERVATION_INTERPRETATION,
    Element,
    concept,
    element,
    extension,
    in_both,
    note,
    own_coding,
    quantity,
    reference,
    references,
    term,
    written,
)
from reports.fhir.product import maker_space
from reports.fhir.specification import bounds_of, method, test_code

#: Verdict -> codes of HL7's ObservationInterpretation and of NCIt as in the FDA's PQ-CMC guide (value set Conformance to Criteria).
INTERPRETATIONS: Mapping[str, tuple[Element, ...]] = {
    "pass": (
        {"system": OBSERVATION_INTERPRETATION, "code": "N", "display": "Normal"},
        {"system": NCIT, "code": "C80262", "display": "Conforms"},
    ),
    "fail": (
        {"system": OBSERVATION_INTERPRETATION, "code": "A", "display": "Abnormal"},
        {"system": NCIT, "code": "C133998", "display": "Does not conform"},
    ),
    "indeterminate": ({"system": OBSERVATION_INTERPRETATION, "code": "IND", "display": "Indeterminate"},),
}


@dataclass(frozen=True, slots=True)
class Around:
    """The other entries that every result names."""

    content: CertificateContent
    maker: str
    lot: str
    specimen: str
    devices: Mapping[str, str]

    def common(self) -> Element:
        """Status, subject, specimen and performer; in a draft nothing is final."""
        return {
            "status": "preliminary" if self.content.draft else "final",
            "subject": reference(self.lot),
            "specimen": reference(self.specimen),
            "performer": [reference(self.maker)],
        }


def result(
    line: TestLine, around: Around, definition: str, derived_from: Sequence[str], members: Sequence[str]
) -> Element:
    """One line of the certificate."""
    device = around.devices.get(line.instrument or "")
    number = {"system": maker_space(around.content, "results"), "value": str(line.result_id)}
    return element(
        extension=_extensions(line),
        identifier=[number] if line.result_id is not None else None,
        instantiatesReference=reference(definition),
        **around.common(),
        category=[concept(own_coding("group", line.group))],
        code=test_code(line),
        effectiveDateTime=line.tested_on.isoformat() if line.tested_on else None,
        **_value(line),
        interpretation=[concept(*INTERPRETATIONS[line.verdict])] if line.verdict in INTERPRETATIONS else None,
        note=[note(line.note)] if line.note else None,
        method=method(line),
        device=reference(device) if device else None,
        referenceRange=[_reference_range(line)],
        hasMember=references(members),
        derivedFrom=references(derived_from),
        component=_components(line),
    )


def _extensions(line: TestLine) -> list[Element]:
    found = [
        extension("verdict", valueCode=line.verdict),
        extension("as-printed", valueCodeableConcept=concept(text=line.result)),
    ]
    if line.raw_sha256:
        found.append(extension("raw-file-sha256", valueString=line.raw_sha256))
    found += [extension("input", valueString=code) for code in line.inputs]
    return found + settings(line.settings)


def settings(pairs: Sequence[tuple[str, str]]) -> list[Element]:
    """How the instrument was set: one extension for each name and value."""
    return [
        extension("setting", extension=[{"url": "name", "valueString": name}, {"url": "value", "valueString": value}])
        for name, value in pairs
    ]


def _value(line: TestLine) -> Element:
    """The value element, or why there is none; what was issued before values were typed is told in its words."""
    match line.value:
        case _ if line.verdict == "not_tested":
            return {"dataAbsentReason": _absent("not-performed", "Not Performed", line.result)}
        case Numeric():
            return {"valueQuantity": quantity(line.value.value, line.value.unit)}
        case Censored():
            return {"valueQuantity": quantity(line.value.bound, line.value.unit, line.value.comparator)}
        case Qualitative():
            return {"valueCodeableConcept": term(line.value.term)}
        case Text():
            return {"valueString": line.value.text}
        case NotReportable():
            return {"dataAbsentReason": _absent("error", "Error", Words(en=line.value.why, de=line.value.why))}
        case _:
            return in_both("valueString", line.result)


def _absent(code: str, display: str, words: Words) -> Element:
    return concept({"system": DATA_ABSENT_REASON, "code": code, "display": display}, text=words)


def _reference_range(line: TestLine) -> Element:
    """The criterion beside the result; a single passing word is the normal value."""
    allowed = line.limits.allowed if line.limits else ()
    return element(
        **bounds_of(line.limits),
        normalValue=term(allowed[0]) if len(allowed) == 1 else None,
        **in_both("text", line.criterion),
    )


def _components(line: TestLine) -> list[Element]:
    """Detection and quantification limits, number of replicates and their standard deviation."""
    lod, loq = written(line.lod), written(line.loq)
    if isinstance(line.value, Censored):
        lod, loq = (
            quantity(limit, line.value.unit) if limit is not None else shown
            for limit, shown in ((line.value.lod, lod), (line.value.loq, loq))
        )
    found = [
        _component("limit-of-detection", "Limit of detection", lod, line.lod),
        _component("limit-of-quantification", "Limit of quantification", loq, line.loq),
        _component("standard-deviation", "Standard deviation of the replicates", written(line.sd), line.sd),
    ]
    if line.n is not None:
        code = concept(own_coding("component", "replicates", "Number of replicates"))
        found.append({"code": code, "valueInteger": line.n})
    return [one for one in found if one]


def _component(code: str, display: str, number: Element | None, printed: str | None) -> Element | None:
    if number is None and not printed:
        return None
    named = {"code": concept(own_coding("component", code, display))}
    return {**named, "valueQuantity": number} if number else {**named, "valueString": printed}


def distribution(shown: DistributionShown, around: Around, name: Words) -> Element:
    """A size distribution, bin by bin, with the figures beside the curve."""
    settled = [*settings(shown.settings), extension("raw-file-sha256", valueString=shown.raw_sha256)]
    return element(
        extension=[extension("weighting", valueCode=shown.weighting), *settled],
        **around.common(),
        category=[concept(own_coding("group", "physicochemical"))],
        code=concept(own_coding("test", shown.test_code), text=name),
        valueSampledData=_sampled(shown),
        note=[
            note(shown.convention),
            note(shown.lower_limit),
            *({"text": flag} for flag in shown.flags if flag.strip()),
        ],
        method=concept(text=shown.method),
        component=_figures(shown),
    )


def _sampled(shown: DistributionShown) -> Element:
    return {
        "extension": [extension("upper-edge", valueQuantity=quantity(_exact(shown.edges_nm[-1]), "nm"))],
        "origin": quantity(Decimal(0), "{particles}/mL"),
        "intervalUnit": "nm",
        "dimensions": 1,
        "offsets": " ".join(repr(edge) for edge in shown.edges_nm[:-1]),
        "data": " ".join(repr(value) for value in shown.per_ml),
    }


def _exact(number: float) -> Decimal:
    """The shortest decimal that reads back as the same float."""
    return Decimal(repr(number))


def _figures(shown: DistributionShown) -> list[Element]:
    sizes = ("mean", "mode", "sd", "d10", "d50", "d90")
    printed = [(code, f"{getattr(shown, code)} nm") for code in sizes]
    printed += [("span", shown.span), ("percent-30-150", f"{shown.percent_30_150} %")]
    printed += [("concentration", shown.concentration)]
    found = (_component(code, code, written(text), text) for code, text in printed)
    return [one for one in found if one]
