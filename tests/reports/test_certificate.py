"""What a printed certificate must show, whatever it is given."""

import hashlib
import io
import os
import re
import subprocess
import sys
from pathlib import Path

import pikepdf
import pypdfium2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.certificates.content import CertificateContent, TestLine
from domain.errors import Invalid
from domain.laboratory.verdict import Criterion, CriterionKind
from reports.certificate import render
from reports.results import conclusion
from reports.wording import for_people
from tests.reports.conftest import drawn_pdf
from tests.reports.contents import (
    FAILING,
    INVESTIGATIONS,
    LIFE,
    ROWS,
    SAMPLES,
    TYPICAL,
    content,
    distribution,
    line,
    many,
    words,
)
from tests.reports.tagged import tree

ROOT = Path(__file__).parents[2]


def squeezed(text: str) -> str:
    """Without any blank: where lines break does not matter to what is said."""
    return re.sub(r"\s+", "", text)


def pages_of(pdf: bytes) -> list[str]:
    document = pypdfium2.PdfDocument(pdf)
    return [page.get_textpage().get_text_range() for page in document]


def text_of(pdf: bytes) -> str:
    return squeezed("".join(pages_of(pdf)))


@pytest.fixture(scope="module")
def drawn() -> dict[str, bytes]:
    return {name: drawn_pdf(name) for name in SAMPLES}


@pytest.fixture(params=SAMPLES)
def sample(request: pytest.FixtureRequest, drawn: dict[str, bytes]) -> tuple[CertificateContent, bytes]:
    return SAMPLES[request.param], drawn[request.param]


def test_every_test_is_printed_with_criterion_result_and_method(sample: tuple[CertificateContent, bytes]) -> None:
    shown, pdf = sample
    text = text_of(pdf)
    for test in shown.tests:
        for said in (test.name.en, test.name.de, test.criterion.en, test.result.en, test.method, test.code):
            assert squeezed(for_people(said)) in text
        assert test.raw_sha256 is None or test.raw_sha256 in text


def test_signatures_show_name_function_meaning_both_times_and_what_was_signed(
    sample: tuple[CertificateContent, bytes],
) -> None:
    shown, pdf = sample
    text = text_of(pdf)
    for signature in shown.signatures:
        for said in (signature.name, signature.function, signature.meaning.en, signature.meaning.de):
            assert squeezed(said) in text
        assert signature.record_sha256 in text
    assert squeezed("2026-11-20 08:31:05 UTC") in text
    assert squeezed("2026-11-20 09:31:05 +01:00 (Europe/Berlin)") in text


def test_the_digests_and_the_revision_are_printed_in_full(sample: tuple[CertificateContent, bytes]) -> None:
    shown, pdf = sample
    text = text_of(pdf)
    assert shown.sha256() in text
    assert shown.audit_head.sha256 in text
    assert str(shown.audit_head.sequence) in text
    assert f"Revision{shown.revision}" in text
    assert squeezed(shown.supersedes or "first issue") in text


def test_every_page_names_certificate_maker_and_its_number_of_all_pages(
    sample: tuple[CertificateContent, bytes],
) -> None:
    shown, pdf = sample
    pages = pages_of(pdf)
    for number, page in enumerate(pages, start=1):
        assert f"Page / Seite {number} of / von {len(pages)}" in page
        assert f"{shown.number} · Revision {shown.revision}" in page
        assert shown.manufacturer.address in page
        assert shown.manufacturer.phone in page
        assert "The PDF file is the original; prints are copies" in page


def test_units_are_printed_as_laboratories_write_them(drawn: dict[str, bytes]) -> None:
    text = text_of(drawn["typical"])
    for said in ("< 0.05 EU/mL", "1.2 × 10¹¹ particles/mL", "6.2 × 10⁹ particles/µg", "96 vials", "296 mosmol/kg"):
        assert squeezed(said) in text
    assert "{" not in text
    assert "[pH]" not in text
    assert "E+" not in text


def test_the_figures_of_every_size_distribution_are_printed(drawn: dict[str, bytes]) -> None:
    shown, text = SAMPLES["two-curves"], text_of(drawn["two-curves"])
    for each in shown.distributions:
        for said in (f"{each.mode} nm", each.convention.en, each.lower_limit.de, each.flags[0], each.method):
            assert squeezed(said) in text
        for figure in (each.mean, each.sd, each.d10, each.d50, each.d90):
            assert f"{figure}nm" in text
    assert "Particlesizedistribution" not in text_of(drawn["no-curve"])


def test_every_font_is_embedded(sample: tuple[CertificateContent, bytes]) -> None:
    with pikepdf.open(io.BytesIO(sample[1])) as pdf:
        fonts = [font for page in pdf.pages for font in page.Resources.Font.values()]
        assert fonts
        for font in fonts:
            assert "/FontFile2" in font.FontDescriptor, f"{font.BaseFont} is not embedded"
            assert "SourceSansPro" in str(font.BaseFont)


def test_title_author_language_and_time_stand_in_the_file(drawn: dict[str, bytes]) -> None:
    with pikepdf.open(io.BytesIO(drawn["typical"])) as pdf:
        assert str(pdf.docinfo["/Title"]) == "Certificate of Analysis COA-2026-000123 · Revision 2"
        assert str(pdf.docinfo["/Author"]) == TYPICAL.manufacturer.name
        assert str(pdf.docinfo["/CreationDate"]).startswith("D:20261120084217")
        assert TYPICAL.sha256() in str(pdf.docinfo["/Keywords"])
        assert str(pdf.Root.Lang) == "en"
        with pdf.open_outline() as outline:
            assert [item.title for item in outline.root][:2] == [
                "Test results",
                "Particle size distribution, NTA · SOP-QC-041 v3",
            ]


@pytest.mark.requirement("URS-073")
def test_the_same_content_gives_the_same_bytes_on_any_machine() -> None:
    code = (
        "import hashlib; from tests.reports.conftest import drawn_pdf;"
        "print(hashlib.sha256(drawn_pdf('two-curves') + drawn_pdf('batch')).hexdigest())"
    )
    here = hashlib.sha256(drawn_pdf("two-curves") + drawn_pdf("batch")).hexdigest()
    for seed, zone, epoch in (("1", "Pacific/Auckland", "1"), ("77", "America/Lima", "1700000000")):
        env = {**os.environ, "PYTHONHASHSEED": seed, "TZ": zone, "SOURCE_DATE_EPOCH": epoch}
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True, check=True
        )
        assert done.stdout.strip() == here


def test_drawing_twice_in_one_process_gives_the_same_bytes(drawn: dict[str, bytes]) -> None:
    assert render(TYPICAL) == drawn["typical"]


def test_a_certificate_with_all_tests_passed_complies(drawn: dict[str, bytes]) -> None:
    assert conclusion(TYPICAL) == "complies"
    assert squeezed("Complies with specification – 14 of 14 tests passed") in text_of(drawn["typical"])


def test_a_lot_with_a_test_not_done_is_not_said_to_comply_and_the_test_is_named(drawn: dict[str, bytes]) -> None:
    text = text_of(drawn["not-tested"])
    assert conclusion(SAMPLES["not-tested"]) == "incomplete"
    assert squeezed("Incomplete – 11 of 12 tests passed") in text
    assert squeezed("Not tested: Sterility / Nicht geprüft: Sterilität") in text
    assert squeezed("Reported without criterion: 2") in text
    assert "Complieswithspecification" not in text


def test_report_only_lines_alone_are_no_passed_tests() -> None:
    shown = content(tests=tuple(line(row, 1, "reported") for row in ROWS))
    assert conclusion(shown) == "incomplete"
    assert squeezed("0 of 0 tests passed") in text_of(render(shown))


@pytest.mark.parametrize("count", [3, 17, 120])
def test_any_number_of_tests_fits_and_no_group_title_stands_alone_at_the_foot(count: int) -> None:
    pages = pages_of(render(content(tests=many(count))))
    for page in pages:
        body = page.split("Vesitera Biologics GmbH · Im Neuenheimer")[0].strip().splitlines()
        assert not re.match(r"(Physicochemical|Identity|Purity|Safety|Potency) · ", body[-1])
    results = [page for page in pages if "Acceptance criterion" in page]
    assert all("Verdict" in page for page in results)
    assert count < 100 or len(results) > 4


def test_texts_longer_than_a_page_are_carried_over_not_cut() -> None:
    long = "A" * 60 + " and then one more observation of the cake" * 120
    test = line(ROWS[0], 0).model_copy(update={"result": words(long), "criterion": words(long)})
    shown = content(tests=(test,), statements=(words(long + long),))
    assert text_of(render(shown)).count("observation") == 2 * 120 + 2 * 120


def test_makers_products_and_facts_of_any_length_are_printed_whole() -> None:
    name = "Gesellschaft für extrazelluläre Vesikel und ihre Gefriertrocknung " * 3
    shown = content(
        manufacturer=TYPICAL.manufacturer.model_copy(update={"name": name, "address": name * 2, "tagline": name}),
        product=TYPICAL.product.model_copy(update={"name": words(name), "composition": "trehalose dihydrate, " * 250}),
        look_up_url="https://coa.example/c/" + "EV_2026_0417/" * 20,
        signatures=TYPICAL.signatures + TYPICAL.signatures[:1],
    )
    text = text_of(render(shown))
    assert text.count("trehalosedihydrate") == 250
    assert text.count("Dr.RheaGrößler") == 2
    assert squeezed(shown.look_up_url) in text


def test_banners_and_settings_of_any_length_go_on_on_the_next_page() -> None:
    failing = tuple(test.model_copy(update={"verdict": "fail"}) for test in many(120, long_names=True))
    settings = tuple((f"Setting {number}", "a value with several words") for number in range(250))
    curve = distribution().model_copy(update={"settings": settings, "flags": ("flagged " * 300,)})
    notice = words("For a named patient. " * 400, "Für eine Person. " * 400)
    shown = LIFE["draft"].model_copy(update={
        "tests": failing, "distributions": (curve,), "missing": tuple(f"item {number} is empty" for number in range(150)),
        "product": TYPICAL.product.model_copy(update={"regulatory_notice": notice}),
    })  # fmt: skip
    text = squeezed(tree(render(shown)).text)
    assert all(f"item{number}isempty" in text for number in range(150))
    assert all(f"Setting{number}avalue" in text for number in range(250))
    assert (text.count("Foranamedpatient"), text.count("flagged")) == (400, 300)
    start = text.index("Failed:")
    assert all(squeezed(test.name.en) in text[start : start + 20_000] for test in failing)


def test_text_that_looks_like_mark_up_is_printed_as_it_is() -> None:
    test = line(ROWS[1], 0).model_copy(update={"result": words("<b>7.3</b> & <0.1 \N{LESS-THAN OR EQUAL TO} x")})
    assert squeezed("<b>7.3</b> & <0.1 ≤ x") in text_of(render(content(tests=(test,))))


def test_letters_the_font_cannot_draw_are_refused_by_name() -> None:
    test = line(ROWS[0], 0).model_copy(update={"result": words("外泌体")})
    with pytest.raises(Invalid, match=r"外 \(U\+5916\)"):
        render(content(tests=(test,)))


def test_decomposed_letters_are_printed_composed() -> None:
    test = line(ROWS[0], 0).model_copy(update={"method": "Gro\u0308ße"})
    assert "Größe" in text_of(render(content(tests=(test,))))


def test_a_watermark_stands_on_every_page() -> None:
    pages = pages_of(render(TYPICAL, watermark="SUPERSEDED"))
    assert all("SUPERSEDED" in squeezed(page) for page in pages)
    assert "SUPERSEDED" not in text_of(render(TYPICAL))


def test_absent_facts_are_shown_as_a_dash() -> None:
    product = TYPICAL.product.model_copy(update={"gtin": None, "strength": None})
    text = text_of(render(content(product=product)))
    assert "GTIN—" in text
    assert squeezed("Strength / Stärke —") in text


def test_a_size_distribution_with_a_negative_count_is_refused() -> None:
    broken = distribution().model_copy(update={"per_ml": (-1.0,) * 200})
    with pytest.raises(Invalid, match="no value below zero"):
        render(content(distributions=(broken,)))


def test_nowhere_stands_nan(sample: tuple[CertificateContent, bytes]) -> None:
    assert not re.search(r"\bnan\b", "\n".join(pages_of(sample[1])), re.IGNORECASE)
    with pikepdf.open(io.BytesIO(sample[1])) as pdf:
        streams = b"".join(page.Contents.read_bytes() for page in pdf.pages)
    assert not re.search(rb"(?<![\w(])(nan|inf)\b", re.sub(rb"\(.*?\) Tj", b"", streams))


WRITTEN = st.text(st.sampled_from("abcXYZ äöüß 0123456789 ≤≥<>±–%&{}[]/().,µ"), min_size=1, max_size=90)


@settings(max_examples=25, deadline=None)
@given(name=WRITTEN, result=WRITTEN, count=st.integers(1, 20))
def test_whatever_is_typed_is_drawn(name: str, result: str, count: int) -> None:
    test = line(ROWS[0], 0).model_copy(update={"name": words(name), "result": words(result)})
    assert squeezed(for_people(result)) in text_of(render(content(tests=(test,) * count)))


@pytest.mark.requirement("URS-076")
def test_a_draft_has_no_number_a_watermark_on_every_page_and_names_what_is_missing() -> None:
    shown, pages = LIFE["draft"], pages_of(drawn_pdf("draft"))
    text = squeezed("".join(pages))
    assert all("DRAFT/ENTWURF" in squeezed(page) for page in pages)
    assert "COA-" not in text.replace("COA-2026-000117", "")
    assert squeezed("Draft, without number / Entwurf, ohne Nummer") in text
    for missing in shown.missing:
        assert squeezed(missing) in text
    assert squeezed("not released") in text
    assert squeezed("A draft cannot be verified") in text


@pytest.mark.requirement("URS-075", "URS-076")
def test_a_draft_says_of_each_test_that_does_not_pass_why_and_does_not_comply() -> None:
    text = text_of(drawn_pdf("draft"))
    assert squeezed("Does not comply with specification – 10 of 14 tests passed") in text
    for said in (
        "Failed: Bacterial endotoxins",
        "Unclear: TSG101",
        "Not tested: Sterility",
        "Fails",
        "Unclear",
        "In review",
    ):
        assert squeezed(said) in text
    assert squeezed("Awaiting review by a second person: T-cell suppression, relative potency") in text
    assert "Complieswithspecification" not in text


@pytest.mark.requirement("URS-075")
def test_a_conditional_release_says_its_condition_and_what_is_outstanding() -> None:
    text = text_of(drawn_pdf("conditional"))
    condition = LIFE["conditional"].conditional
    assert condition
    for said in ("Conditional – 13 of 14 tests passed", condition.en, condition.de, "Not tested: Sterility"):
        assert squeezed(said) in text
    assert "Complieswithspecification" not in text


@pytest.mark.requirement("URS-075")
@pytest.mark.parametrize(
    ("tests", "stated"),
    [
        (FAILING, "complies"),
        (FAILING, "conditional"),
        (LIFE["conditional"].tests, "complies"),
        (TYPICAL.tests, "conditional"),  # on no condition
        ((), "complies"),
        (SAMPLES["not-tested"].tests, "complies"),
    ],
)
def test_a_conclusion_that_its_lines_do_not_bear_is_never_drawn(tests: tuple[TestLine, ...], stated: str) -> None:
    with pytest.raises(Invalid) as refusal:
        render(content(tests=tests, conclusion=stated))
    assert refusal.value.reasons[0].code == "conclusion-contradicted"


VERDICT = st.sampled_from(["pass", "reported", "not_tested", "fail", "indeterminate", "pending"])


@pytest.mark.requirement("URS-075")
@settings(max_examples=200, deadline=None)
@given(st.lists(VERDICT, max_size=8))
def test_a_certificate_complies_only_when_every_judged_line_passes(verdicts: list[str]) -> None:
    shown = content(tests=tuple(line(ROWS[0], 0, verdict) for verdict in verdicts))
    judged = [verdict for verdict in verdicts if verdict != "reported"]
    assert (conclusion(shown) == "complies") == (bool(judged) and set(judged) == {"pass"})
    assert (conclusion(shown) == "does_not_comply") == ("fail" in judged)


def test_a_line_that_is_only_reported_stands_in_no_ones_way() -> None:
    limits = Criterion(kind=CriterionKind.REPORT_ONLY)
    only = line(ROWS[0], 0, "not_tested").model_copy(update={"limits": limits})
    shown = content(tests=(*TYPICAL.tests, only), conclusion="complies")
    assert squeezed("Not tested: Appearance of the cake") in text_of(render(shown))


@pytest.mark.requirement("URS-079")
def test_every_investigation_is_referenced_or_it_is_said_that_there_is_none(drawn: dict[str, bytes]) -> None:
    text = text_of(drawn_pdf("investigated"))
    for each in INVESTIGATIONS:
        for said in (each.reference, each.on.isoformat(), each.words.en, each.words.de):
            assert squeezed(said) in text
    none = squeezed(
        "No deviation was recorded, no result was out of specification, repeated, invalid or corrected, and the lot was never on hold."
    )
    assert none not in text
    assert none in text_of(drawn["typical"])


@pytest.mark.requirement("URS-078")
def test_the_annex_says_how_each_result_was_measured(sample: tuple[CertificateContent, bytes]) -> None:
    shown, pdf = sample
    annex = text_of(pdf)
    annex = annex[annex.index(squeezed("Annex 1: how it was measured")) :]
    for test in shown.tests:
        for said in (test.method, test.method_principle, test.instrument, test.reference, test.lod, test.loq, test.sd):
            assert said is None or squeezed(for_people(said)) in annex
        assert not test.inputs or squeezed(", ".join(test.inputs)) in annex
    for test in shown.tests:
        if test.settings and test.settings not in {each.settings for each in shown.distributions}:
            assert all(squeezed(f"{name} {for_people(value)}") in annex for name, value in test.settings)


@pytest.mark.requirement("URS-078")
def test_a_distribution_names_its_convention_and_the_lower_limit_of_the_instrument(drawn: dict[str, bytes]) -> None:
    text = text_of(drawn["typical"])
    (shown,) = TYPICAL.distributions
    for said in (shown.convention.en, shown.convention.de, shown.lower_limit.en, shown.lower_limit.de):
        assert squeezed(said) in text


def test_a_revision_says_what_it_supersedes_and_why() -> None:
    text = text_of(drawn_pdf("investigated"))
    assert squeezed("Revision 2 supersedes COA-2026-000117 revision 1") in text
    assert squeezed("Reason: A result was corrected / Grund: Ein Ergebnis wurde berichtigt") in text


@pytest.mark.requirement("URS-083")
def test_a_demonstration_says_so_on_every_page(drawn: dict[str, bytes]) -> None:
    said = squeezed("DEMONSTRATION: signed with a key that nobody vouches for. Not for use.")
    german = squeezed("VORFÜHRUNG: signiert mit einem Schlüssel, für den niemand bürgt. Nicht zur Anwendung.")
    pages = [squeezed(page) for page in pages_of(drawn_pdf("demonstration"))]
    assert all(said in page and german in page for page in pages)
    assert said not in text_of(drawn["typical"])


@pytest.mark.requirement("URS-051")
def test_the_regulatory_status_stands_above_the_results_with_no_claim_of_approval(
    sample: tuple[CertificateContent, bytes],
) -> None:
    first = squeezed(pages_of(sample[1])[0])
    for said in (
        "Regulatory status: Investigational product",
        "It is no marketing authorisation and does not stand for one.",
    ):
        assert first.index(squeezed(said)) < first.index("Testresults")


def test_a_content_of_the_first_schema_can_still_be_drawn() -> None:
    new = {"conclusion", "conditional", "draft", "revision_reason", "investigations", "missing", "demonstration"}
    of_a_test = {"limits", "value", "method_code", "method_revision", "principle", "instrument", "settings", "inputs"}
    old = TYPICAL.model_dump(mode="json", exclude={*new, "tests"}) | {"schema_version": "1.0"}
    old["tests"] = [test.model_dump(mode="json", exclude=of_a_test) for test in TYPICAL.tests]
    text = text_of(render(CertificateContent.model_validate(old)))
    assert squeezed("Complies with specification – 14 of 14 tests passed") in text
    assert "Investigations" not in text
