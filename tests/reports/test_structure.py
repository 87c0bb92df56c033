"""The tags say what the page shows: tables are tables, figures speak, the order is that of reading, every text has its language."""

import pytest

from domain.certificates.content import CertificateContent
from reports.certificate import render
from reports.results import in_groups
from reports.wording import for_people
from tests.reports.conftest import drawn_pdf
from tests.reports.contents import BATCH, INVESTIGATIONS, LIFE, ROWS, SAMPLES, TYPICAL, content, line, many, words
from tests.reports.tagged import Node, marked_text, tree

NAMES = ["investigated", "draft", "two-curves", "sixty", "without-gtin"]


@pytest.fixture(params=NAMES)
def read(request: pytest.FixtureRequest) -> tuple[CertificateContent, Node]:
    name = request.param
    return (LIFE.get(name) or SAMPLES[name]), tree(drawn_pdf(name))


def table(root: Node, *, first: str) -> Node:
    """The table whose first head cell begins so."""
    (found,) = (one for one in root.all("Table") if one.all("TH")[0].text.startswith(first) and first)
    return found


@pytest.mark.requirement("URS-070")
def test_every_table_is_a_table_with_the_rows_that_the_content_has(read: tuple[CertificateContent, Node]) -> None:
    shown, root = read
    groups, curves = len(in_groups(shown.tests)), len(shown.distributions)
    results, measured, *_ = (one for one in root.all("Table") if one.all("TH")[0].text == "TestPrüfung")
    (trace,) = (one for one in root.all("Table") if "Raw file" in one.text)
    for each, columns in ((results, 5), (measured, 6), (trace, 4)):
        rows = each.all("TR")
        extra = 1 + curves if each is trace and curves else 0
        assert len(rows) == 1 + groups + len(shown.tests) + extra
        titles = [row for row in rows if len(row.kids) == 1]
        assert len(titles) == groups + (1 if extra else 0)
        assert all(row.all("TH")[0].attributes["/ColSpan"] == str(columns) for row in titles)
        (head,) = each.own("THead")
        assert [cell.attributes["/Scope"] for cell in head.all("TH")] == ["/Column"] * columns
        for row in rows:
            if row not in titles and row not in head.all("TR"):
                assert [len(row.own("TH")), len(row.own("TD"))] == [1, columns - 1]
                assert row.own("TH")[0].attributes["/Scope"] == "/Row"
    others = curves + bool(shown.investigations)
    assert len(root.all("Table")) == 3 + others


@pytest.mark.requirement("URS-070")
def test_investigations_and_figures_of_a_distribution_are_tables_too() -> None:
    root = tree(drawn_pdf("investigated"))
    found = table(root, first="Kind")
    assert len(found.all("TR")) == 1 + len(INVESTIGATIONS)
    figures = table(root, first="Mean")
    assert [len(figures.all(kind)) for kind in ("TR", "TH", "TD")] == [9, 9, 9]


@pytest.mark.requirement("URS-070")
@pytest.mark.parametrize("count", [3, 120])
def test_a_row_stays_one_row_over_pages_and_the_head_is_read_once(count: int) -> None:
    long = "and then one more observation of the cake " * 60
    tests = (*many(count), line(ROWS[0], 0).model_copy(update={"result": words(long, "kurz")}))
    pdf = render(content(tests=tests))
    root = tree(pdf)
    assert root.text.count("Acceptance criterion") == 1
    _, artifacts = marked_text(pdf)
    assert sum("Acceptance criterion" in page for page in artifacts) >= 1
    (row,) = (row for row in root.all("TR") if "one more observation" in row.text)
    assert row.text.count("one more observation") == 60
    results = next(one for one in root.all("Table") if "Acceptance criterion" in one.text)
    assert len(results.all("TR")) == 1 + len(in_groups(tests)) + len(tests)


@pytest.mark.requirement("URS-070")
def test_every_figure_says_what_it_shows_and_where_it_stands(read: tuple[CertificateContent, Node]) -> None:
    shown, root = read
    figures = root.all("Figure")
    codes = 0 if shown.draft else 1 + bool(shown.product.gtin)
    assert len(figures) == len(shown.distributions) + codes
    for figure in figures:
        assert figure.alt
        left, bottom, right, top = map(float, figure.attributes["/BBox"].split())
        assert 0 <= left < right <= 596
        assert 0 <= bottom < top <= 842
    for curve, figure in zip(shown.distributions, figures, strict=False):
        assert f"mode {curve.mode} nm" in (figure.alt or "")
        assert f"{curve.percent_30_150} % of the particles between 30 and 150 nm" in (figure.alt or "")


@pytest.mark.requirement("URS-070")
def test_headings_and_the_field_and_links_are_what_they_are() -> None:
    root = tree(drawn_pdf("investigated"))
    assert [node.text for node in root.all("H1")] == ["Certificate of AnalysisAnalysenzertifikat"]
    assert [node.text.split("   ")[0] for node in root.all("H2")][1:4] == [
        "Test results Prüfergebnisse",
        "Particle size distribution, NTA · SOP-QC-041 v3 Partikelgrößenverteilung",
        "Investigations Untersuchungen",
    ]
    assert [(node.text, node.annotations) for node in root.all("Link")] == [(TYPICAL.look_up_url, 1)]
    assert [node.annotations for node in root.all("Form")] == [1]


@pytest.mark.requirement("URS-070")
def test_the_order_of_the_tags_is_the_order_of_reading(read: tuple[CertificateContent, Node]) -> None:
    shown, root = read
    said = [
        "Certificate of Analysis", shown.product.name.en, shown.lot.number, "tests passed", "Regulatory status",
        "Acceptance criterion", *(test.name.en for _, tests in in_groups(shown.tests) for test in tests),
        *(f"Particle size distribution, {each.method}" for each in shown.distributions), "Investigations",
        shown.statements[0].en, *(signature.name for signature in shown.signatures), "Verify this certificate",
        "Annex 1", "Annex 2",
    ]  # fmt: skip
    text, place = root.text, 0
    for words_ in said:
        found = text.find(for_people(words_), place)
        assert found >= 0, f"{words_!r} does not come after what stands before it"
        place = found + len(words_)


@pytest.mark.requirement("URS-070")
def test_a_signature_is_read_as_a_whole_before_the_next_one() -> None:
    root = tree(drawn_pdf("investigated"))
    first, second = root.all("Sect")
    assert (TYPICAL.signatures[0].name in first.text, TYPICAL.signatures[0].record_sha256 in first.text) == (True, True)
    assert (TYPICAL.signatures[1].name in second.text, TYPICAL.signatures[1].name in first.text) == (True, False)


@pytest.mark.requirement("URS-071")
def test_every_text_is_marked_with_its_language(read: tuple[CertificateContent, Node]) -> None:
    shown, root = read
    spoken = {language: "".join(text for text, lang in root.pieces() if lang == language) for language in ("en", "de")}
    assert {lang for _, lang in root.pieces()} == {"en", "de"}
    both = [shown.product.name, shown.product.storage, *shown.statements, *(test.name for test in shown.tests)]
    for said in both:
        if said.en != said.de:
            assert for_people(said.en) in spoken["en"]
            assert for_people(said.de, "de") in spoken["de"]
            assert for_people(said.de, "de") not in spoken["en"]
    for fixed in ("Prüfergebnisse", "Akzeptanzkriterium", "Rückverfolgbarkeit"):
        assert fixed in spoken["de"]
        assert fixed not in spoken["en"]


@pytest.mark.requirement("URS-070")
def test_only_what_repeats_is_left_to_those_who_see(read: tuple[CertificateContent, Node]) -> None:
    shown, root = read
    name = next(name for name in NAMES if (LIFE.get(name) or SAMPLES.get(name)) is shown)
    _, artifacts = marked_text(drawn_pdf(name))
    foot = shown.manufacturer.phone
    for number, page in enumerate(artifacts):
        assert foot in page
        assert f"Seite {number + 1} of" in page
        for test in shown.tests:
            assert test.name.en not in page
    assert "Page / Seite" not in root.text


@pytest.mark.requirement("URS-070", "URS-082")
def test_the_items_of_a_batch_certificate_are_a_table_in_order() -> None:
    root = tree(drawn_pdf("batch"))
    (items,) = root.all("Table")
    rows = items.all("TR")[1:]
    assert [row.own("TH")[0].text for row in rows] == [str(number) for number in range(1, 22)]
    assert "".join(BATCH.statement.de.split()) in "".join(rows[13].text.split())
