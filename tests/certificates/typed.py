"""Certificates whose lines carry their typed value and criterion, as they are issued; maker, product and figures are invented."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from domain.certificates.content import CertificateContent, DistributionShown, TestLine, Words
from domain.laboratory.catalogue import TESTS
from domain.laboratory.size_distribution import SizeDistribution
from domain.laboratory.values import Censored, Numeric, Qualitative, ReportableValue, Text, describe_value
from domain.laboratory.verdict import Criterion, CriterionKind, Verdict, describe, judge
from tests.reports import contents

REPORT_ONLY = Criterion(kind=CriterionKind.REPORT_ONLY)


def number(value: str, unit: str) -> Numeric:
    return Numeric(value=Decimal(value), unit=unit)


def below(bound: str, unit: str, lod: str | None = None, loq: str | None = None) -> Censored:
    lod_, loq_ = (Decimal(limit) if limit else None for limit in (lod, loq))
    return Censored(comparator="<", bound=Decimal(bound), unit=unit, lod=lod_, loq=loq_)


def line(code: str, value: ReportableValue, criterion: Criterion = REPORT_ONLY, **changes: Any) -> TestLine:
    """One line as it would be issued: words, verdict and typed value agree; `changes` are fields of the line."""
    test = TESTS[code]
    judged = judge(criterion, value)
    verdict = {Verdict.PASS: "pass", Verdict.FAIL: "fail", Verdict.MISSING: "not_tested"}.get(
        judged.verdict, "indeterminate"
    )
    if criterion.kind is CriterionKind.REPORT_ONLY and verdict == "pass":
        verdict = "reported"
    said, asked = describe_value(value, judged.rounded), describe(criterion)
    derived = test.derived is not None
    fields: dict[str, Any] = {
        "code": code,
        "group": test.group,
        "name": Words(en=test.name_en, de=test.name_de),
        "method": f"Calculated ({test.derived}/1)" if derived else f"SOP-{code} v2",
        "method_principle": "Calculated from the results named" if derived else (test.methods or ("as validated",))[0],
        "reference": test.reference,
        "criterion": Words(en=asked[0], de=asked[1]),
        "result": Words(en=said[0], de=said[1]),
        "verdict": verdict,
        "n": test.replicates if test.replicates > 1 else None,
        "sd": None,
        "lod": None,
        "loq": None,
        "note": None,
        "tested_on": date(2026, 11, 12),
        "result_id": 400 + list(TESTS).index(code),
        "raw_sha256": None,
        "limits": criterion,
        "value": value,
        "method_code": None if derived else f"SOP-{code}",
        "method_revision": None if derived else 2,
        "principle": None if derived else (test.methods or ("as validated",))[0],
        "instrument": None
        if derived
        else f"{test.methods[0] if test.methods else code} instrument, serial 0{len(code)}17",
        "settings": (),
        "inputs": tuple(test.inputs.values()),
    }
    return TestLine(**fields | changes)


def at_least(lower: str, unit: str) -> Criterion:
    return Criterion(kind=CriterionKind.AT_LEAST, lower=lower, unit=unit)


def at_most(upper: str, unit: str) -> Criterion:
    return Criterion(kind=CriterionKind.AT_MOST, upper=upper, unit=unit)


#: What an ordinary lot shows: domain.md 8 gives 1.2E11/mL x 5 mL = 6.0E11/vial and 8 ug/mL -> 1.5E10/ug, class B.
FOUND: Mapping[str, tuple[ReportableValue, Criterion]] = {
    "APP-CAKE": (Qualitative(term="intact"), Criterion(kind=CriterionKind.ONE_OF, allowed=("intact",))),
    "MOIST": (number("1.40", "%"), at_most("3.0", "%")),
    "PH": (number("7.40", "[pH]"), Criterion(kind=CriterionKind.BETWEEN, lower="6.5", upper="7.8", unit="[pH]")),
    "PART-CONC": (number("1.2E+11", "{particles}/mL"), at_least("1.0E11", "{particles}/mL")),
    "PART-VIAL": (number("6.0E+11", "{particles}/{vial}"), at_least("4.8E11", "{particles}/{vial}")),
    "SIZE-DIST": (Text(text="See the size distribution"), REPORT_ONLY),
    "D50": (number("102.25", "nm"), REPORT_ONLY),
    "PCT-30-150": (number("94.2", "%"), at_least("70", "%")),
    "SPAN": (number("0.61", "1"), REPORT_ONLY),
    "LYO-REC": (number("88", "%"), at_least("70", "%")),
    "PROT": (number("8.0", "ug/mL"), REPORT_ONLY),
    "MORPH": (
        Qualitative(term="cup-shaped"),
        Criterion(kind=CriterionKind.ONE_OF, allowed=("cup-shaped", "lipid bilayer")),
    ),
    "TET-9": (number("41", "%"), at_least("20", "%")),
    "TET-63": (number("55", "%"), at_least("20", "%")),
    "TET-81": (number("38", "%"), REPORT_ONLY),
    "CYT": (Qualitative(term="present"), Criterion(kind=CriterionKind.ONE_OF, allowed=("present",))),
    "NEG-INT": (Qualitative(term="not detected"), Criterion(kind=CriterionKind.NONE_DETECTED)),
    "RATIO-PP": (number("1.5E+10", "{particles}/ug"), at_least("1.0E9", "{particles}/ug")),
    "DNA": (number("1.8", "ng/{dose}"), at_most("10", "ng/{dose}")),
    "BSA": (None, at_most("50", "ng/{dose}")),
    "STER": (Qualitative(term="no growth"), Criterion(kind=CriterionKind.NONE_DETECTED, allowed=("no growth",))),
    "ENDO": (below("0.05", "{EU}/mL", "0.01", "0.05"), at_most("0.50", "{EU}/mL")),
    "MYCO": (Qualitative(term="not detected"), Criterion(kind=CriterionKind.NONE_DETECTED)),
}
#: More of some lines.
MORE: Mapping[str, dict[str, Any]] = {
    "PART-CONC": {"principle": "NTA", "n": 3, "sd": "0.09E11 {particles}/mL", "raw_sha256": "cd" * 32,
                  "settings": (("Laser", "488 nm"), ("Camera level", "14"))},
    "SIZE-DIST": {"principle": "NTA"},
    "ENDO": {"lod": "0.01 {EU}/mL", "loq": "0.05 {EU}/mL"},
    "TET-9": {"note": Words(en="Of membrane-dye positive particles", de="Der membranfarbstoffpositiven Partikel")},
}  # fmt: skip


def lines(
    found: Mapping[str, tuple[ReportableValue, Criterion]] | None = None, **values: ReportableValue
) -> tuple[TestLine, ...]:
    """All lines of an ordinary lot; `PART_CONC=number(…)` gives another value (`_` for `-`)."""
    said = {code.replace("_", "-"): value for code, value in values.items()}
    panel = FOUND if found is None else found
    return tuple(
        line(code, said.get(code, value), criterion, **MORE.get(code, {})) for code, (value, criterion) in panel.items()
    )


def curve(distribution: SizeDistribution, **changes: Any) -> DistributionShown:
    """A distribution as it would be shown."""
    found = distribution.statistics()
    fields = contents.distribution().model_dump() | {
        "edges_nm": distribution.edges_nm,
        "per_ml": distribution.values,
        **{
            name: f"{getattr(found, name):.1f}"
            for name in ("mean", "mode", "sd", "d10", "d50", "d90", "percent_30_150")
        },
        "span": f"{found.span:.2f}",
    }
    return DistributionShown.model_validate(fields | changes)


def certificate(tests: tuple[TestLine, ...] | None = None, **changes: Any) -> CertificateContent:
    """A certificate of schema 1.1."""
    given: dict[str, Any] = {
        "conclusion": "complies",
        "revision": 1,
        "supersedes": None,
        "look_up_url": "https://coa.vesitera.example/c/EV-2026-0417",
    }
    return contents.content(tests=lines() if tests is None else tests, **given | changes)
