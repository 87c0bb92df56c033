"""Labels as they are drawn and as a printer is told: codes that scanners read, texts that fit or are refused, nothing that is taken for a command."""

import re
from datetime import date
from typing import Any

import pypdfium2
import pytest
import zxingcpp
from biip.gs1_messages import GS1Message
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.labels.content import DoesNotFit, LabelContent
from reports.labels import pdf_of, svg_of
from reports.labels.layout import SIZES, SMALLEST, laid_out
from reports.labels.zpl import FNC1, escaped, zpl_of

GTIN = "09521234543213"
LONGEST_LOT = "ABCDEFGHIJ_LMNO.QR-T"
VIAL: dict[str, Any] = {
    "kind": "vial", "template": "VIAL-1", "language": "en", "count": 1, "lot_number": "UEV26-0001", "expires_on": date(2028, 3, 2),
    "product_name": "Umbilical cord MSC vesicles, freeze-dried", "form": None, "strength": "5.0E10 {particles}/{vial}",
    "storage": "2 to 8 °C", "route": "Topical", "notice": "For research use only", "manufacturer": "Vesitera Biologics GmbH",
    "check_code": None, "element_string": f"(01){GTIN}(17)280302(10)UEV26-0001", "plain_code": None, "look_up": None,
    "first_serial": None, "sample_number": None, "sample_purpose": None, "sampled_on": None,
}  # fmt: skip
CARTON = VIAL | {
    "kind": "carton", "template": "CARTON-1", "form": "Lyophilisate", "manufacturer": "Vesitera Biologics GmbH, Im Feld 9, 69120 Heidelberg",
    "look_up": f"https://coa.vesitera.example/01/{GTIN}/10/UEV26-0001?17=280302",
}  # fmt: skip
SAMPLE = VIAL | {
    "kind": "sample", "template": "SAMPLE-1", "sample_number": "SA-000017", "sample_purpose": "release testing", "element_string": None,
    "plain_code": "SA-000017", "sampled_on": date(2026, 3, 2),
    **dict.fromkeys(("product_name", "strength", "storage", "route", "notice")), "expires_on": None,
}  # fmt: skip


def label(base: dict[str, Any] = VIAL, **changes: Any) -> LabelContent:
    return LabelContent(**base | changes)


def pages(content: LabelContent, dpi: int = 300) -> list[Any]:
    document = pypdfium2.PdfDocument(pdf_of(content))
    return [page.render(scale=dpi / 72).to_pil() for page in document]


def matrix_of(page: Any) -> Any:
    (found,) = [one for one in zxingcpp.read_barcodes(page) if one.format == zxingcpp.BarcodeFormat.DataMatrix]
    return found


def elements(found: Any) -> dict[str, str]:
    """What biip reads of a GS1 code, by application identifier."""
    parsed = GS1Message.parse(found.bytes.decode())
    assert not [one.gtin_error for one in parsed.element_strings if one.gtin_error]
    return {one.ai.ai: one.value for one in parsed.element_strings}


# --- the PDF ------------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("URS-109")
@pytest.mark.parametrize("lot", ["UEV26-0001", LONGEST_LOT, "7"])
@pytest.mark.parametrize("base", [VIAL, CARTON], ids=["vial", "carton"])
def test_the_datamatrix_is_read_from_the_page_at_300_dpi(base: dict[str, Any], lot: str) -> None:
    content = label(base, lot_number=lot, element_string=f"(01){GTIN}(17)280302(10){lot}")
    found = matrix_of(pages(content)[0])
    assert found.content_type == zxingcpp.ContentType.GS1
    assert elements(found) == {"01": GTIN, "17": "280302", "10": lot}


@pytest.mark.requirement("URS-109")
def test_each_label_of_a_serialised_print_has_the_next_number() -> None:
    content = label(
        count=3, first_serial=41, lot_number=LONGEST_LOT, element_string=f"(01){GTIN}(17)280302(10){LONGEST_LOT}"
    )
    assert [elements(matrix_of(page))["21"] for page in pages(content)] == ["000041", "000042", "000043"]
    assert elements(matrix_of(pages(content)[2]))["10"] == LONGEST_LOT


def test_a_carton_leads_to_the_public_page() -> None:
    found = {one.format: one.text for one in zxingcpp.read_barcodes(pages(label(CARTON))[0])}
    assert found[zxingcpp.BarcodeFormat.QRCode] == CARTON["look_up"]
    assert len(found) == 2


def test_a_sample_has_its_number_as_a_plain_datamatrix() -> None:
    found = matrix_of(pages(label(SAMPLE))[0])
    assert found.text == "SA-000017"
    assert found.content_type != zxingcpp.ContentType.GS1


def test_a_product_without_gtin_has_its_lot_number_in_a_plain_datamatrix() -> None:
    found = matrix_of(pages(label(element_string=None, plain_code="UEV26-0001"))[0])
    assert found.text == "UEV26-0001"
    assert found.content_type != zxingcpp.ContentType.GS1


@pytest.mark.parametrize("base", [VIAL, CARTON, SAMPLE], ids=["vial", "carton", "sample"])
def test_a_page_has_exactly_the_size_of_the_label_and_all_fonts_are_inside(base: dict[str, Any]) -> None:
    content = label(base, count=4)
    document = pypdfium2.PdfDocument(pdf_of(content))
    assert len(document) == 4
    for page in document:
        assert [round(side / 72 * 25.4, 2) for side in page.get_size()] == list(SIZES[content.kind])
    assert b"Helvetica" not in pdf_of(content)
    assert b"/Subtype /Image" not in pdf_of(content), "a label is drawn, not a picture"


def test_the_page_says_what_the_content_says() -> None:
    text = pypdfium2.PdfDocument(pdf_of(label(check_code="7K2Q9M")))[0].get_textpage().get_text_range()
    said = " ".join(text.split())
    for words in ("Umbilical cord MSC vesicles, freeze-dried", "LOT UEV26-0001", "EXP 2028-03-02", "2 to 8 °C", "Topical",
                  "For research use only", "5.0E10 particles/vial", "Check code 7K2Q9M", "Vesitera Biologics GmbH"):  # fmt: skip
        assert words in said


def test_the_same_content_gives_the_same_bytes() -> None:
    assert pdf_of(label(CARTON)) == pdf_of(label(CARTON))
    assert zpl_of(label(CARTON)) == zpl_of(label(CARTON))


def test_a_thousand_like_labels_hold_the_drawing_once() -> None:
    one, many = (len(pdf_of(label(count=count))) for count in (1, 1000))
    assert many < one + 1000 * 600


def test_a_demonstration_is_marked() -> None:
    assert any("DEMONSTRATION" in words.text for words in laid_out(label(demonstration=True)).words)


# --- what fits and what does not ------------------------------------------------------------------------------------------


@pytest.mark.requirement("URS-110")
@pytest.mark.parametrize(
    "name",
    [
        "µ-Vesikel für Größenstandards, ÄÖÜäöüß, gefriergetrocknet",
        "μ with the Greek letter",
        "Mesenchymal stromal cell derived extracellular vesicles from umbilical cord, freeze-dried, for reconstitution",
        "A",
    ],
)
def test_long_names_and_umlauts_fit_in_readable_type_inside_the_label(name: str) -> None:
    content = label(
        product_name=name,
        lot_number=LONGEST_LOT,
        element_string=f"(01){GTIN}(17)280302(10){LONGEST_LOT}",
        check_code="7K2Q9M",
    )
    found = laid_out(content)
    width, height = SIZES["vial"]
    for words in found.words:
        assert words.size >= SMALLEST
        assert words.x > 0
        assert words.x + words.width <= width
        assert 0 < words.y <= height
    assert elements(matrix_of(pages(content)[0]))["10"] == LONGEST_LOT


@pytest.mark.requirement("URS-110")
@pytest.mark.parametrize(
    ("changes", "field", "word"),
    [
        ({"product_name": "Extracellular vesicles " * 12}, "product_name", "the product's name"),
        ({"product_name": "Vesikelgefriertrocknungsprodukt" * 3}, "product_name", "the product's name"),
        ({"manufacturer": "A maker with a name that is longer than anything " * 4}, "manufacturer", "the manufacturer"),
        ({"product_name": "Vesicles 10¹⁰"}, "product_name", "cannot print"),
        ({"product_name": "外泌体"}, "product_name", "cannot print"),
    ],
)
def test_what_does_not_fit_is_refused_by_name_and_never_cut(changes: dict[str, Any], field: str, word: str) -> None:
    with pytest.raises(DoesNotFit) as refused:
        laid_out(label(**changes))
    assert refused.value.field == field
    assert word in refused.value.text


@settings(max_examples=60, deadline=None)
@given(
    st.text(st.characters(codec="cp1252", categories=("L", "N", "P", "Zs")), min_size=1, max_size=120).filter(str.strip)
)
def test_any_name_is_drawn_whole_or_refused(name: str) -> None:
    try:
        found = laid_out(label(product_name=name))
    except DoesNotFit:
        return
    drawn = " ".join(words.text for words in found.words)
    assert " ".join(name.translate({0xA0: " "}).split()) in drawn


# --- the printer's commands -------------------------------------------------------------------------------------------------

_FIELD = re.compile(r"\^FO(\d+),(\d+)(\^A0N,\d+,\d+|\^BXN[^^]*|\^BQN[^^]*)(\^FH_)?\^FD(.*?)\^FS", re.DOTALL)


def fields(zpl: str) -> list[tuple[str, str]]:
    """Command and data of every field of a format, its hexadecimal escapes resolved as a printer does."""
    return [(command, unescaped(data) if escapes else data) for _, _, command, escapes, data in _FIELD.findall(zpl)]


def unescaped(sent: str) -> str:
    """What a printer makes of the hexadecimal bytes of ^FH."""
    return re.sub(r"(?:_[0-9A-F]{2})+", lambda match: bytes.fromhex(match[0].replace("_", "")).decode(), sent)


def formats(content: LabelContent) -> list[str]:
    text = zpl_of(content).decode("ascii")
    found = re.findall(r"\^XA.*?\^XZ", text, re.DOTALL)
    assert "".join(found).replace("\n", "") == text.replace("\n", ""), "nothing stands outside of a format"
    return found


@pytest.mark.requirement("URS-111")
def test_a_printer_is_told_size_encoding_texts_code_and_number_of_copies() -> None:
    (one,) = formats(label(count=96))
    assert one.startswith("^XA^CI28^PW591^LL295^LH0,0")
    assert "^PQ96,0,0,N" in one
    texts = [data for command, data in fields(one) if command.startswith("^A0N")]
    assert texts == [words.text for words in laid_out(label()).words]
    assert "^GF" not in one


@pytest.mark.requirement("URS-111")
def test_the_datamatrix_command_carries_fnc1_first_and_after_the_lot() -> None:
    plain = [data for command, data in fields(formats(label())[0]) if command.startswith("^BXN")]
    assert plain == [f"{FNC1}01{GTIN}1728030210UEV26-0001"]
    serial = label(count=2, first_serial=7)
    both = [data for one in formats(serial) for command, data in fields(one) if command.startswith("^BXN")]
    assert both == [f"{FNC1}01{GTIN}1728030210UEV26-0001{FNC1}21{number}" for number in ("000007", "000008")]
    assert all("^PQ1," in one for one in formats(serial))


def test_an_underscore_in_a_lot_number_is_data_and_no_escape() -> None:
    content = label(lot_number="A_1B", element_string=f"(01){GTIN}(17)280302(10)A_1B")
    (data,) = [data for command, data in fields(formats(content)[0]) if command.startswith("^BXN")]
    assert data == f"{FNC1}01{GTIN}1728030210A__1B"
    (plain,) = [
        data for command, data in fields(formats(label(SAMPLE, plain_code="S_1"))[0]) if command.startswith("^BXN")
    ]
    assert plain == "S__1"


def test_the_command_for_the_datamatrix_is_ecc_200_with_our_escape_and_square() -> None:
    commands = [command for command, _ in fields(formats(label())[0])]
    assert [command for command in commands if command.startswith("^BX")] == ["^BXN,6,200,,,,_,1"]


def test_the_code_of_a_carton_is_told_as_a_qr_code_of_level_m() -> None:
    found = dict(fields(formats(label(CARTON))[0]))
    (data,) = [data for command, data in found.items() if command.startswith("^BQN,2,")]
    assert data == f"MA,{CARTON['look_up']}"


@pytest.mark.requirement("URS-111")
@pytest.mark.parametrize("name", ["^XZ^XA^PQ9999", "~JR restart", "^FS^FO0,0^FDother", "a_41b", "back\\slash & more"])
def test_no_text_is_taken_for_a_command(name: str) -> None:
    (one,) = formats(label(product_name=name))
    assert one.count("^XA") == one.count("^XZ") == 1
    assert "~" not in one
    texts = [data for command, data in fields(one) if command.startswith("^A0N")]
    assert name in " ".join(texts)


@given(st.text(max_size=60))
def test_escaping_is_undone_by_the_printer_whatever_the_text(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        return
    sent = escaped(text)
    assert sent.isascii()
    assert not set(sent) & set("^~\\\n\r")
    assert unescaped(sent) == text


@pytest.mark.parametrize("base", [VIAL, CARTON, SAMPLE], ids=["vial", "carton", "sample"])
def test_everything_a_printer_sets_lies_on_the_label(base: dict[str, Any]) -> None:
    content = label(base)
    (one,) = formats(content)
    wide, tall = (int(re.search(rf"\^{name}(\d+)", one)[1]) for name in ("PW", "LL"))  # type: ignore[index]
    for x, y, command, _, _ in _FIELD.findall(one):
        assert 0 <= int(x) < wide, command
        assert 0 <= int(y) < tall, command


# --- the picture --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("base", [VIAL, CARTON, SAMPLE], ids=["vial", "carton", "sample"])
def test_the_picture_shows_the_same_without_style_or_script(base: dict[str, Any]) -> None:
    svg = svg_of(label(base, notice="Care <b>&</b> more" if base is not SAMPLE else None))
    assert "style=" not in svg
    assert "<script" not in svg
    assert "<b>" not in svg
    assert f"LOT {VIAL['lot_number']}" in svg
