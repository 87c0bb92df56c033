"""The batch certificate: the items of the MRA certificate in their order, and never a result of analysis."""

import io

import pikepdf
import pypdfium2
import pytest

from reports.batch_certificate import render
from reports.look import Look
from tests.reports.conftest import drawn_pdf
from tests.reports.contents import BATCH, TYPICAL
from tests.reports.tagged import tree
from tests.reports.test_certificate import pages_of, squeezed, text_of


@pytest.mark.requirement("URS-082")
def test_the_items_stand_in_the_order_of_the_mra_certificate() -> None:
    rows = {row.own("TH")[0].text: row.own("TD") for row in tree(drawn_pdf("batch")).all("Table")[0].all("TR")[1:]}
    said = {number: squeezed(cells[1].text) for number, cells in rows.items()}
    for number, wanted in {
        "1": BATCH.product.name.en, "2": "none stated", "3": BATCH.authorisation, "4": "6.0 × 10¹¹ particles/vial",
        "5": BATCH.product.form.de, "6": BATCH.pack, "7": BATCH.lot.number, "8": "2026-10-28", "9": "2028-10-31",
        "10": BATCH.sites[1].address, "11": BATCH.sites[1].licence, "12": BATCH.analysis_sha256, "13": BATCH.comments.en,
        "14": BATCH.statement.en, "15": f"{BATCH.certifier.name}, {BATCH.certifier.function}",
        "16": BATCH.certifier.record_sha256[:16], "17": "2026-11-20", "21": "42",
    }.items():  # fmt: skip
        assert squeezed(wanted or "") in said[number]


@pytest.mark.requirement("URS-082")
def test_it_names_the_certificate_of_analysis_and_holds_no_result_itself() -> None:
    text = text_of(drawn_pdf("batch"))
    assert squeezed(f"Results of analysis stand on {BATCH.analysis_certificate}") in text
    assert not any(squeezed(test.method) in text for test in TYPICAL.tests)
    assert "testspassed" not in text


def test_it_says_on_every_page_whose_it_is_and_that_it_is_a_demonstration() -> None:
    pages = pages_of(render(BATCH.model_copy(update={"demonstration": True})))
    for number, page in enumerate(pages, start=1):
        assert squeezed("signed with a key that nobody vouches for") in squeezed(page)
        assert f"Page / Seite {number} of / von {len(pages)}" in page
        assert f"{BATCH.number} · Revision 1" in page


@pytest.mark.requirement("URS-082")
@pytest.mark.parametrize(
    "look", [Look(), Look(theme="plain", paper="letter", languages=("de",))], ids=["usual", "other"]
)
def test_it_is_signed_by_the_certifier_and_has_a_field_for_the_makers_key(look: Look) -> None:
    pdf = render(BATCH, look=look)
    assert squeezed(BATCH.certifier.record_sha256) in text_of(pdf)
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        assert [str(field.T) for field in opened.Root.AcroForm.Fields] == ["Manufacturer"]
        assert str(opened.docinfo["/Title"]).endswith("BC-2026-000042 · Revision 1")


def test_any_number_of_sites_is_printed_whole() -> None:
    site = BATCH.sites[0].model_copy(update={"address": "Very Long Street of the Extracellular Vesicles 100, " * 8})
    pdf = render(BATCH.model_copy(update={"sites": (site,) * 12}))
    assert len(pypdfium2.PdfDocument(pdf)) > 3
    assert text_of(pdf).count("VeryLongStreet") == 8 * 12
