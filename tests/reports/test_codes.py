"""The codes are read from the page as it is printed at 150 dots per inch, and hold what GS1 has them hold."""

import biip
import pypdfium2
import pytest
import zxingcpp

from domain.errors import Invalid
from reports import batch_certificate
from reports.certificate import render
from reports.look import Look
from tests.reports.conftest import drawn_pdf
from tests.reports.contents import BATCH, LIFE, TYPICAL, content


def read(pdf: bytes) -> dict[str, zxingcpp.Barcode]:
    """The codes on all pages, by their format."""
    pages = (page.render(scale=150 / 72).to_pil() for page in pypdfium2.PdfDocument(pdf))
    return {code.format.name: code for page in pages for code in zxingcpp.read_barcodes(page)}


@pytest.mark.requirement("URS-077")
@pytest.mark.parametrize("name", ["typical", "batch", "demonstration"])
def test_the_codes_of_a_product_with_a_gtin_name_product_lot_and_expiry(name: str) -> None:
    found = read(drawn_pdf(name))
    qr, matrix = found["QRCode"], found["DataMatrix"]
    assert qr.text == "https://coa.vesitera.example/01/04012345678901/10/EV-2026-0417?17=281031&code=K7QF-2M9T"
    parsed = biip.parse(matrix.symbology_identifier + matrix.bytes.decode())
    assert parsed.gs1_message is not None
    held = {one.ai.ai: one.value for one in parsed.gs1_message.element_strings}
    assert held == {"01": TYPICAL.product.gtin, "17": "281031", "10": TYPICAL.lot.number}
    assert not any(one.gtin_error for one in parsed.gs1_message.element_strings)


@pytest.mark.requirement("URS-077")
def test_without_a_gtin_the_code_leads_to_the_look_up_page() -> None:
    found = read(drawn_pdf("without-gtin"))
    assert {name: code.text for name, code in found.items()} == {"QRCode": LIFE["without-gtin"].look_up_url}


@pytest.mark.parametrize("theme", ["petrol", "plain"])
def test_codes_are_read_through_a_watermark_and_in_every_theme(theme: str) -> None:
    assert set(read(render(TYPICAL, look=Look(theme=theme), watermark="SUPERSEDED"))) == {"QRCode", "DataMatrix"}


@pytest.mark.requirement("URS-077")
def test_nothing_is_drawn_with_a_wrong_check_digit() -> None:
    product = TYPICAL.product.model_copy(update={"gtin": "04012345678902"})
    for draw in (
        lambda: render(content(product=product)),
        lambda: batch_certificate.render(BATCH.model_copy(update={"product": product})),
    ):
        with pytest.raises(Invalid) as refusal:
            draw()
        assert refusal.value.reasons[0].code == "gtin-check-digit"


def test_a_draft_has_no_code() -> None:
    assert read(drawn_pdf("draft")) == {}
