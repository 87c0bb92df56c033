"""Lots side by side: what can be compared, what differs, what is missing; and never a winner (domain.md 7, 8)."""

import math
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.certificates.comparison import compare
from domain.certificates.comparison.grades import FACTORS, least_ratio, principle_of
from domain.certificates.comparison.shapes import Comparison, Pair, Row
from domain.certificates.comparison.sides import printed
from domain.certificates.content import CertificateContent, Manufacturer, TestLine, Words
from domain.certificates.words import LOWER_LIMIT_UNKNOWN
from domain.errors import Invalid
from domain.laboratory.values import Censored, Numeric, Qualitative
from tests.certificates import typed
from tests.reports import contents

TODAY = date(2026, 12, 1)
ALL_PARTICLES = Words(en="Share of all particles from 45 nm", de="Anteil aller Partikel ab 45 nm")
OTHER_MAKER = Manufacturer(
    name="Other Biologics", tagline="", address="Street 2, Town", phone="+1 555", email="q@other.example", licence=None
)


def lot(number: str = "EV-2026-0418", tests: tuple[TestLine, ...] | None = None, **changes: Any) -> CertificateContent:
    given: dict[str, Any] = {
        "number": f"COA-{number}",
        "lot": contents.TYPICAL.lot.model_copy(update={"number": number}),
        **changes,
    }
    return typed.certificate(tests, **given)


def swapped(code: str, **changes: Any) -> tuple[TestLine, ...]:
    """The lines of an ordinary lot, one of them another."""
    return tuple(line.model_copy(update=changes) if line.code == code else line for line in typed.lines())


def without(*codes: str) -> tuple[TestLine, ...]:
    return tuple(line for line in typed.lines() if line.code not in codes)


def compared(*others: CertificateContent, verified: bool = True, **more: Any) -> Comparison:
    return compare([(one, verified) for one in (lot("EV-2026-0417"), *others)], TODAY, **more)


def row(found: Comparison, code: str) -> Row:
    return next(one for one in found.rows if one.code == code)


def pair(found: Comparison, code: str) -> Pair:
    (only,) = row(found, code).pairs
    return only


# --- when two figures differ ------------------------------------------------------------------------------------------


@pytest.mark.requirement("URS-104")
@pytest.mark.parametrize(("cv", "ratio"), [(0.10, "1.32"), (0.12, "1.39"), (0.25, "1.98"), (0.525, "3.93")])
def test_the_least_ratio_is_the_computed_one(cv: float, ratio: str) -> None:
    assert f"{least_ratio(cv):.2f}" == ratio


def test_the_factors_of_the_grades_are_the_least_ratios_rounded_up() -> None:
    assert FACTORS == {"A": 2, "B": 4}


@pytest.mark.requirement("URS-104")
@pytest.mark.parametrize(
    ("other", "saying", "ratio"),
    [
        ("6.0E11", "not_distinguishable", "1.00"),
        ("1.1E12", "not_distinguishable", "1.83"),
        ("1.2E12", "not_distinguishable", "2.00"),
        ("1.2006E12", "different", "2.01"),
        ("2.9E11", "different", "2.07"),
    ],
)
def test_within_two_fold_the_same_laboratory_cannot_tell_two_lots_apart(other: str, saying: str, ratio: str) -> None:
    found = pair(
        compared(lot(tests=typed.lines(PART_VIAL=typed.number(other, "{particles}/{vial}")))), "particles-per-vial"
    )
    assert (found.grade, found.saying, str(found.ratio), found.factor) == ("A", saying, ratio, 2)


@pytest.mark.parametrize(("other", "saying"), [("2.3E12", "not_distinguishable"), ("2.5E12", "different")])
def test_between_laboratories_four_fold_is_within_the_spread(other: str, saying: str) -> None:
    elsewhere = lot(tests=typed.lines(PART_VIAL=typed.number(other, "{particles}/{vial}")), manufacturer=OTHER_MAKER)
    found = pair(compared(elsewhere), "particles-per-vial")
    assert (found.grade, found.saying, found.factor) == ("B", saying, 4)


positive = st.decimals(min_value=Decimal("1E-6"), max_value=Decimal("1E15"), allow_nan=False, allow_infinity=False)


@settings(max_examples=60, deadline=None)
@given(positive, positive)
def test_two_figures_differ_only_beyond_the_factor_whichever_comes_first(one: Decimal, other: Decimal) -> None:
    lots = [
        lot(str(at), tests=(typed.line("MOIST", Numeric(value=value, unit="%")),))
        for at, value in enumerate((one, other))
    ]
    sayings = set()
    for order in (lots, lots[::-1]):
        found = pair(compare([(content, True) for content in order], TODAY), "moisture")
        sayings.add((found.saying, found.ratio))
        assert (found.saying == "different") == (max(one, other) > 2 * min(one, other))
    assert len(sayings) == 1


# --- grades -------------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("URS-105")
@pytest.mark.parametrize(
    ("changes", "grade", "word"),
    [
        ({}, "A", "same laboratory"),
        ({"method_revision": 3}, "B", "other method or version"),
        ({"method_code": "SOP-9"}, "B", "other method or version"),
        ({"instrument": "NTA instrument, serial 99"}, "B", "other instrument"),
        ({"settings": (("Reference material", "REF-2"),)}, "B", "other reference material"),
        ({"principle": "Nanoparticle tracking analysis (NTA), 488 nm"}, "A", "same laboratory"),
        ({"principle": "TRPS"}, "C", "different principles"),
        ({"principle": None}, "D", "not stated: principle"),
        ({"method_revision": None}, "D", "not stated: method version"),
        ({"method_code": None}, "D", "not stated: method"),
        ({"instrument": None}, "D", "not stated: instrument"),
        ({"instrument": "  "}, "D", "not stated: instrument"),
    ],
)
def test_the_grade_follows_from_what_is_stated_of_the_method(changes: dict[str, Any], grade: str, word: str) -> None:
    found = pair(compared(lot(tests=swapped("PART-CONC", **changes))), "particles-per-vial")
    assert found.grade == grade
    assert word in found.why.en


@pytest.mark.requirement("URS-105")
@pytest.mark.parametrize("changes", [{"principle": "nFCM"}, {"instrument": None}])
def test_across_principles_and_without_metadata_nothing_is_ranked_and_no_ratio_given(changes: dict[str, Any]) -> None:
    tests = swapped("PART-CONC", **changes)
    found = pair(compared(lot(tests=tests)), "particles-per-vial")
    assert (found.saying, found.ratio, found.factor) == ("side_by_side", None, None)


def test_a_calculated_figure_has_the_worst_grade_of_what_it_came_from() -> None:
    found = compared(lot(tests=swapped("PROT", principle="Bradford")))
    assert pair(found, "particles-per-protein").grade == "C"
    assert pair(found, "particles-per-vial").grade == "A"


def test_a_file_that_nobody_vouches_for_is_never_taken_for_a_lot_of_this_site() -> None:
    mixed = compare([(lot("EV-2026-0417"), True), (lot("EV-2026-0418"), False)], TODAY)
    assert pair(mixed, "moisture").grade == "B"
    assert "other laboratory" in pair(mixed, "moisture").why.en
    assert [column.verified for column in mixed.columns] == [True, False]


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("Nanoparticle tracking analysis (NTA), 488 nm", "NTA"),
        ("Tunable resistive pulse sensing", "TRPS"),
        ("Micro-BCA after lysis, bovine albumin standard", "BCA"),
        ("Kinetic chromogenic LAL, spike recovery 50-200 %", "kinetic chromogenic"),
        ("Nano-flow cytometry (nFCM), anti-CD9", "nFCM"),
        ("Something of our own", "something of our own"),
        ("Plantation count", "plantation count"),
    ],
)
def test_a_principle_is_known_however_it_is_written(written: str, name: str) -> None:
    assert principle_of(typed.line("PROT", None, principle=written)) == name


def test_sizes_need_a_stated_lower_limit_and_one_convention() -> None:
    unknown = typed.certificate().distributions[0].model_copy(update={"lower_limit": LOWER_LIMIT_UNKNOWN})
    other = (
        typed.certificate()
        .distributions[0]
        .model_copy(update={"convention": Words(en="Bin centres", de="Klassenmitten")})
    )
    assert pair(compared(lot(distributions=(unknown,))), "percent-30-150").grade == "D"
    assert pair(compared(lot(distributions=(other,))), "percent-30-150").grade == "C"
    assert pair(compared(lot()), "percent-30-150").grade == "A"


def test_percent_of_what_must_be_stated_and_the_same() -> None:
    stated = swapped("TET-63", note=ALL_PARTICLES)
    dyed = swapped("TET-63", settings=(("Denominator", "membrane-dye positive particles"),))
    one, two, other = lot("1", stated), lot("2", stated), lot("3", dyed)

    def graded(first: CertificateContent, second: CertificateContent) -> str:
        return pair(compare([(first, True), (second, True)], TODAY), "cd63").grade

    assert (graded(one, two), graded(one, other), graded(one, lot("4"))) == ("A", "C", "D")


# --- what is missing, censored or zero ------------------------------------------------------------------------------------


@pytest.mark.requirement("URS-106")
@pytest.mark.parametrize(
    ("tests", "why"),
    [
        (without("MOIST"), "not on this certificate"),
        (swapped("MOIST", verdict="not_tested", value=None), "not tested"),
        (typed.lines(MOIST=Qualitative(term="conforms")), "no number"),
        (typed.lines(MOIST=Numeric(value=Decimal(2), unit="mg/mL")), "given in mg/mL"),
        (swapped("MOIST", value=Numeric(value=Decimal(-1), unit="%")), "below zero"),
    ],
)
def test_what_is_missing_is_missing_and_never_zero(tests: tuple[TestLine, ...], why: str) -> None:
    found = row(compared(lot(tests=tests)), "moisture")
    assert found.figures[1].value is None
    assert why in str(found.figures[1].missing)
    assert not found.pairs


@pytest.mark.requirement("URS-106")
def test_a_censored_value_never_gets_a_ratio() -> None:
    found = row(compared(lot()), "endotoxin-per-vial")
    assert [(one.value, one.comparator) for one in found.figures] == [(Decimal("0.25"), "<")] * 2
    assert (found.pairs[0].saying, found.pairs[0].ratio) == ("no_ratio", None)


def test_zero_is_a_figure_but_has_no_ratio() -> None:
    found = row(compared(lot(tests=typed.lines(MOIST=typed.number("0", "%")))), "moisture")
    assert found.figures[1].value == 0
    assert found.pairs[0].saying == "no_ratio"


@settings(max_examples=60, deadline=None)
@given(st.sampled_from("<>"), positive, positive)
def test_no_figure_that_is_only_a_bound_is_ever_divided(comparator: str, bound: Decimal, plain: Decimal) -> None:
    censored = Censored(comparator=comparator, bound=bound, unit="{particles}/mL")  # type: ignore[arg-type]
    tests = typed.lines(PART_CONC=censored, PROT=Numeric(value=plain, unit="ug/mL"))
    tests = tuple(line for line in tests if line.code not in ("RATIO-PP", "PART-VIAL"))
    found = compared(lot(tests=tests))
    assert row(found, "particles-per-protein").figures[1].value is None
    assert row(found, "particles-per-vial").figures[1].comparator == comparator
    assert all(one.ratio is None for one in row(found, "particles-per-vial").pairs)


# --- the figures ------------------------------------------------------------------------------------------------------------


def test_the_vectors_of_the_domain_are_found() -> None:
    """1.2E11/mL x 5 mL = 6.0E11 per vial; 8 ug/mL protein -> 1.5E10 per ug, class B."""
    bare = lot(tests=without("PART-VIAL", "RATIO-PP"))
    for content in (lot(), bare):
        found = compare([(content, True), (lot("x"), True)], TODAY)
        assert row(found, "particles-per-vial").figures[0].value == Decimal("6.0E11")
        ratio = row(found, "particles-per-protein").figures[0]
        assert ratio.value == Decimal("1.5E10")
        assert ratio.note == Words(en="purity class B", de="Reinheitsklasse B")
    assert row(found, "particles-per-vial").figures[0].note == Words(
        en="calculated here: concentration × reconstitution volume",
        de="hier berechnet: Konzentration × Rekonstitutionsvolumen",
    )
    assert pair(found, "particles-per-vial").grade == "A", "both rest on the same concentration"


def test_figures_for_a_dose_rest_on_what_the_reader_says_a_dose_is() -> None:
    tests = typed.lines(ENDO=typed.number("0.35", "{EU}/mL"))
    without_dose = compared(lot(tests=tests))
    assert "vials per dose not given" in str(row(without_dose, "particles-per-dose").figures[1].missing)
    assert row(without_dose, "endotoxin-used").figures[1].value is None
    found = compared(lot(tests=tests), vials_per_dose=2)
    assert row(found, "particles-per-dose").figures[1].value == Decimal("1.2E12")
    used = row(found, "endotoxin-used").figures
    assert used[1].value == Decimal(1), "0.35 EU/mL x 5 mL x 2 vials = 3.5 of 350 EU"
    assert used[0].text == "< 0.1429 %", "0.5 of 350 EU, and only known to lie below"
    assert used[1].text in ("1 %", "1.00 %")
    assert "350 EU" in str(used[1].note)
    assert "how many vials" in str(row(found, "dna-per-particles").figures[1].missing), (
        "what a reader types is on no certificate"
    )


@pytest.mark.parametrize(
    ("route", "limit"), [("Intrathecal", "14.0 EU"), ("Topical", None), ("Intra-articular", "350 EU")]
)
def test_the_endotoxin_limit_follows_the_route(route: str, limit: str | None) -> None:
    product = contents.TYPICAL.product.model_copy(update={"route": Words(en=route, de=route)})
    tests = typed.lines(ENDO=typed.number("0.35", "{EU}/mL"))
    figure = row(compared(lot(tests=tests, product=product), vials_per_dose=1), "endotoxin-used").figures[1]
    assert (limit in str(figure.note)) if limit else (figure.value is None and "route" in str(figure.missing))


def test_marker_positive_particles_are_those_of_the_most_frequent_marker_of_all_particles() -> None:
    tests = tuple(
        line.model_copy(update={"note": ALL_PARTICLES}) if line.code.startswith("TET") else line
        for line in typed.lines()
    )
    figure = row(compared(lot(tests=tests)), "marker-positive-per-vial").figures[1]
    assert figure.value == Decimal("6.0E11") * 55 / 100
    assert "CD63" in str(figure.note)
    assert row(compared(lot()), "marker-positive-per-vial").figures[1].value is None, "of what is not stated"


@pytest.mark.requirement("URS-221")
def test_dna_is_set_against_particles_only_by_figures_of_the_certificate_itself() -> None:
    for dna, wanted in ((("1.8", "ng/{vial}"), "0.03"), (("0.36", "ng/mL"), "0.03")):
        tests = typed.lines(DNA=typed.number(*dna))
        for vials in (None, 7):
            figure = row(compared(lot(tests=tests), vials_per_dose=vials), "dna-per-particles").figures[1]
            assert figure.value == Decimal(wanted), "whatever a reader types"


def _counted(share: str, count: str) -> CertificateContent:
    note = {"note": ALL_PARTICLES}
    shares = {line.code: {**note, "principle": share} for line in typed.lines() if line.code.startswith("TET")}
    changes: dict[str, dict[str, Any]] = {**shares, "PART-CONC": {"principle": count}}
    tests = tuple(line.model_copy(update=changes.get(line.code, {})) for line in typed.lines())
    return lot(f"{share} {count}"[:20], tests)


@pytest.mark.requirement("URS-221")
def test_a_share_of_one_principle_times_a_count_of_another_is_never_set_against_anything() -> None:
    joined = compare([(_counted("nFCM", "NTA"), True), (lot("2", _counted("nFCM", "NTA").tests), True)], TODAY)
    judged = pair(joined, "marker-positive-per-vial")
    assert (judged.grade, judged.ratio) == ("C", None)
    assert "joins figures of different principles" in judged.why.en
    one = compare([(_counted("nFCM", "nFCM"), True), (lot("2", _counted("nFCM", "nFCM").tests), True)], TODAY)
    assert pair(one, "marker-positive-per-vial").grade == "A"


@pytest.mark.requirement("URS-221")
def test_figures_are_rounded_as_on_the_certificate() -> None:
    tests = typed.lines(MOIST=typed.number("1.4449", "%"))
    figure = row(compared(lot(tests=tests)), "moisture").figures[1]
    (printed_on_it,) = [line.result.en for line in tests if line.code == "MOIST"]
    assert (printed_on_it, figure.text, figure.value) == ("1.4 %", "1.4 %", Decimal("1.4449"))


def test_age_and_months_to_expiry_are_told_and_never_judged() -> None:
    found = compared(lot())
    assert [row(found, code).figures[0].value for code in ("age", "age-at-test", "months-to-expiry")] == [1, 0, 22]
    assert not row(found, "age").pairs
    late = compare([(lot("1"), True), (lot("2"), True)], date(2029, 1, 5))
    assert row(late, "months-to-expiry").figures[0].value == -2


def test_misev_completeness_is_transparency_and_names_what_is_not_shown() -> None:
    found = row(compared(lot(tests=without("CYT", "MORPH"))), "misev")
    assert [one.value for one in found.figures] == [8, 6]
    assert found.figures[0].note is None
    assert found.figures[1].note is not None
    assert found.figures[1].note.en == "not shown: cytosolic protein, images of single vesicles"
    assert not found.pairs
    assert "not how good" in found.help.en


def test_a_certificate_of_the_first_schema_is_read_from_its_printed_figures_and_graded_d() -> None:
    since = dict.fromkeys(("limits", "value", "method_code", "method_revision", "principle", "instrument"))
    old = lot("old", tests=tuple(line.model_copy(update=since) for line in contents.TYPICAL.tests))
    found = compared(old)
    assert row(found, "moisture").figures[1].value == Decimal("1.4")
    assert pair(found, "moisture").grade == "D"
    assert row(found, "endotoxin-per-vial").figures[1].comparator == "<"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("< 0.05 {EU}/mL", Censored(comparator="<", bound=Decimal("0.05"), unit="{EU}/mL")),
        ("1.2E+11 {particles}/mL", Numeric(value=Decimal("1.2E+11"), unit="{particles}/mL")),
        ("7.3", Numeric(value=Decimal("7.3"), unit="1")),
        ("No growth", None),
        ("12 furlongs", None),
        ("1,5 %", None),
        ("", None),
        ("-", None),
    ],
)
def test_printed_figures_are_read_exactly_or_not_at_all(text: str, value: object) -> None:
    assert printed(text) == value


def test_what_must_be_known_stands_beside_each_figure() -> None:
    beside = {fact.label.en: fact.text.en for fact in row(compared(lot()), "percent-30-150").figures[0].beside}
    assert "about 50 nm" in beside["Lower limit"]
    assert "linear" in beside["Convention"]
    vial = {fact.label.en: fact.text.en for fact in row(compared(lot()), "particles-per-vial").figures[0].beside}
    assert "SOP-PART-CONC v2 · NTA" in vial["Particle concentration"]
    assert vial["Settings"] == "Laser: 488 nm; Camera level: 14"
    assert vial["Reconstitution"] == "5 mL water for injections"


# --- the whole ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "code"), [(0, "too-few-to-compare"), (1, "too-few-to-compare"), (6, "too-many-to-compare")]
)
def test_two_to_five_lots_are_compared(count: int, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        compare([(lot(str(number)), True) for number in range(count)], TODAY)
    assert refused.value.reasons[0].code == code


def test_a_lot_is_not_compared_with_itself() -> None:
    with pytest.raises(Invalid) as refused:
        compare([(lot(), True), (lot(), False)], TODAY)
    assert refused.value.reasons[0].code == "compared-twice"


@pytest.mark.parametrize("vials", [0, -1, 101])
def test_a_dose_is_a_sensible_number_of_vials(vials: int) -> None:
    with pytest.raises(Invalid) as refused:
        compared(lot(), vials_per_dose=vials)
    assert refused.value.reasons[0].code == "vials-per-dose"


def test_five_lots_give_ten_pairs_in_the_order_given() -> None:
    found = compare([(lot(str(number)), True) for number in range(5)], TODAY)
    assert [column.lot_number for column in found.columns] == list("01234")
    assert [(one.first, one.second) for one in row(found, "moisture").pairs] == [
        (first, second) for first in range(5) for second in range(first + 1, 5)
    ]


@pytest.mark.requirement("URS-105")
def test_no_word_of_a_comparison_names_a_winner() -> None:
    found = compared(lot(tests=typed.lines(PART_VIAL=typed.number("9.9E13", "{particles}/{vial}"))), vials_per_dose=1)
    text = found.model_dump_json().casefold()
    for word in (
        "better",
        "best",
        "worse",
        "winner",
        "superior",
        "besser",
        "beste",
        "schlechter",
        "sieger",
        "rank",
        "score",
    ):
        assert word not in text, word


@pytest.mark.parametrize("share", ["PART-CONC", "A"])
def test_lines_that_claim_to_come_from_each_other_end(share: str) -> None:
    ring = tuple(
        typed.line("PART-VIAL", typed.number("1E11", "{particles}/{vial}")).model_copy(
            update={"code": code, "inputs": (*(f"L{number}" for number in range(40)), share), "method_code": None}
        )
        for code in ["PART-VIAL", *(f"L{number}" for number in range(40))] * 10
    )
    found = pair(compared(lot(tests=ring)), "particles-per-vial")
    assert found.grade == "D"
    assert math.isfinite(float(row(compared(lot(tests=ring)), "particles-per-vial").figures[1].value or 0))
