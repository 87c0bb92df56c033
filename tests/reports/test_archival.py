"""The file conforms to PDF/A-3a and PDF/UA-1, before and after it is signed, as other people's programs see it."""

import io
import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pikepdf
import pytest
from pikepdf import Dictionary, Name, Pdf, String

from domain.certificates.content import BatchCertificateContent, CertificateContent
from reports import certificate
from reports.archival import SIGNATURE_FIELD
from reports.fhir import bundle
from reports.look import Look
from tests.printing import press
from tests.reports.conftest import Ask, drawn_pdf
from tests.reports.contents import BATCH, LIFE, TYPICAL
from tests.reports.test_look import PNG, SVG

LOOKS = {
    "letter, plain": Look(theme="plain", paper="letter"),
    "accent, SVG, German": Look(accent="#7A1F4C", logo=SVG, languages=("de", "en")),
    "PNG, English alone": Look(logo=PNG, languages=("en",)),
}


@pytest.mark.requirement("URS-069")
@pytest.mark.parametrize("name", ["investigated", "draft", "conditional", "demonstration", "two-curves", "batch"])
def test_every_document_is_archival_and_accessible(oracle: Ask, name: str) -> None:
    assert oracle(drawn_pdf(name)) == []


@pytest.mark.requirement("URS-069")
@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS.keys())
def test_it_is_so_in_every_look(oracle: Ask, look: Look) -> None:
    assert oracle(certificate.render(LIFE["demonstration"], look=look)) == []


@pytest.mark.requirement("URS-069")
@pytest.mark.parametrize("content", [LIFE["investigated"], BATCH], ids=["certificate", "batch certificate"])
def test_the_signed_file_is_so_too_and_begins_with_the_unsigned_one(
    oracle: Ask, content: CertificateContent | BatchCertificateContent
) -> None:
    printed = press()(content)
    unsigned = drawn_pdf("batch" if content is BATCH else "investigated")
    assert printed.pdf[: printed.unsigned_size] == unsigned
    assert oracle(printed.pdf) == []


def test_a_copy_under_a_watermark_is_archival_and_has_no_field(oracle: Ask) -> None:
    copy = certificate.render(TYPICAL, watermark="SUPERSEDED / ERSETZT")
    assert oracle(copy) == []
    with Pdf.open(io.BytesIO(copy)) as pdf:
        assert "/AcroForm" not in pdf.Root


@pytest.mark.requirement("URS-074")
@pytest.mark.parametrize("name", ["investigated", "batch"])
def test_the_field_for_the_signature_is_empty_tagged_and_named_for_those_who_do_not_see_it(name: str) -> None:
    with Pdf.open(io.BytesIO(drawn_pdf(name))) as pdf:
        (field,) = pdf.Root.AcroForm.Fields
        assert (str(field.T), str(field.FT), "/V" in field) == (SIGNATURE_FIELD, "/Sig", False)
        assert str(field.TU).startswith("Digital signature of the manufacturer. Select this field")
        fonts = field.AP.N.Resources.Font.values()
        assert all("/FontFile2" in font.FontDescriptor for font in fonts)
        numbers = list(pdf.Root.StructTreeRoot.ParentTree.Nums)
        assert str(numbers[numbers.index(field.StructParent) + 1].S) == "/Form"
        (page,) = (page for page in pdf.pages if field.objgen in [one.objgen for one in page.get("/Annots", [])])
        assert field.P.objgen == page.obj.objgen


def test_a_draft_has_no_field_to_sign() -> None:
    with Pdf.open(io.BytesIO(drawn_pdf("draft"))) as pdf:
        assert "/AcroForm" not in pdf.Root


Breaking = Callable[[Pdf], object]


def _elements(pdf: Pdf, kind: str) -> list[pikepdf.Object]:
    """Elements of a type, in any order."""
    return [
        thing
        for thing in pdf.objects
        if isinstance(thing, Dictionary) and thing.get("/S") == f"/{kind}" and "/P" in thing and "/K" in thing
    ]


def _without_xmp(pdf: Pdf) -> None:
    del pdf.Root.Metadata


def _with_a_font_that_is_not_embedded(pdf: Pdf) -> None:
    for font in pdf.pages[0].Resources.Font.values():
        del font.FontDescriptor["/FontFile2"]


def _without_language(pdf: Pdf) -> None:
    del pdf.Root.Lang
    for thing in pdf.objects:
        if isinstance(thing, Dictionary) and "/Lang" in thing:
            del thing["/Lang"]


def _without_alternative_text(pdf: Pdf) -> None:
    del _elements(pdf, "Figure")[0]["/Alt"]


def _with_a_table_without_rows(pdf: Pdf) -> None:
    for row in _elements(pdf, "TR"):
        row.S = Name.Div


def _without_the_way_from_pages_to_tags(pdf: Pdf) -> None:
    for page in pdf.pages:
        del page.obj["/StructParents"]


def _with_another_part_of_pdf_ua(pdf: Pdf) -> None:
    packet = pdf.Root.Metadata.read_bytes()
    pdf.Root.Metadata.write(packet.replace(b"<pdfuaid:part>1<", b"<pdfuaid:part>7<"))


def _without_output_intent(pdf: Pdf) -> None:
    del pdf.Root.OutputIntents


def _with_content_that_is_not_tagged(pdf: Pdf) -> None:
    pdf.pages[0].contents_add(b"BT /F2+0 9 Tf 50 50 Td (A) Tj ET")


def _with_a_script(pdf: Pdf) -> None:
    pdf.Root.OpenAction = Dictionary(S=Name.JavaScript, JS=String("app.alert(1)"))


def _without_relation_of_an_attachment(pdf: Pdf) -> None:
    del pdf.Root.AF[0]["/AFRelationship"]


def _with_a_link_outside_of_the_tags(pdf: Pdf) -> None:
    for link in _elements(pdf, "Link"):
        link.S = Name.Span


def _without_title(pdf: Pdf) -> None:
    del pdf.Root.ViewerPreferences


def _with_a_field_without_its_look(pdf: Pdf) -> None:
    del pdf.Root.AcroForm.Fields[0]["/AP"]


def _with_heads_of_no_column(pdf: Pdf) -> None:
    for cell in _elements(pdf, "TH"):
        del cell["/A"]


#: What is broken, and a rule that must be named for it.
CANARIES: dict[Breaking, str] = {
    _without_xmp: "6.6.2.1-1",
    _with_a_font_that_is_not_embedded: "6.2.11.4.1-1",
    _without_language: "7.2-",
    _without_alternative_text: "7.3-1",
    _with_a_table_without_rows: "7.2-",
    _without_the_way_from_pages_to_tags: "7.1-3",
    _with_another_part_of_pdf_ua: "5-",
    _without_output_intent: "6.2.4.3-2",
    _with_content_that_is_not_tagged: "7.1-3",
    _with_a_script: "6.5.1-1",
    _without_relation_of_an_attachment: "6.8-",
    _with_a_link_outside_of_the_tags: "7.18.5-1",
    _without_title: "7.1-10",
    _with_a_field_without_its_look: "6.3.3-1",
    _with_heads_of_no_column: "7.5-1",
}


@pytest.mark.parametrize("breaking", CANARIES, ids=lambda breaking: breaking.__name__.strip("_"))
def test_a_broken_file_is_found(oracle: Ask, breaking: Breaking) -> None:
    out = io.BytesIO()
    with Pdf.open(io.BytesIO(drawn_pdf("four"))) as pdf:
        breaking(pdf)
        pdf.save(out)
    rules = {failure.rule for failure in oracle(out.getvalue())}
    assert any(rule.startswith(CANARIES[breaking]) for rule in rules), rules


def test_an_encrypted_file_is_found(oracle: Ask) -> None:
    out = io.BytesIO()
    with Pdf.open(io.BytesIO(drawn_pdf("four"))) as pdf:
        pdf.save(out, encryption=pikepdf.Encryption(owner="owner", user=""))
    assert oracle(out.getvalue())


def _ran(folder: Path, pdf: bytes, *command: str) -> str:
    (folder / "file.pdf").write_bytes(pdf)
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("signed", [False, True], ids=["unsigned", "signed"])
def test_qpdf_finds_nothing_wrong(tmp_path: Path, signed: bool) -> None:
    pdf = press()(LIFE["investigated"]).pdf if signed else drawn_pdf("investigated")
    assert "No syntax or stream encoding errors" in _ran(tmp_path, pdf, "qpdf", "--check", "file.pdf")


@pytest.mark.parametrize("name", ["two-curves", "batch"])
def test_poppler_finds_every_font_embedded_and_every_letter_known(tmp_path: Path, name: str) -> None:
    lines = _ran(tmp_path, drawn_pdf(name), "pdffonts", "file.pdf").splitlines()[2:]
    assert lines
    for line in lines:
        assert re.search(r"SourceSansPro-\w+ +TrueType +WinAnsi +yes +yes +yes", line), line


@pytest.mark.requirement("URS-072")
def test_what_it_was_drawn_from_is_attached_and_the_same_as_fhir(tmp_path: Path) -> None:
    shown = LIFE["investigated"]
    listed = _ran(tmp_path, drawn_pdf("investigated"), "pdfdetach", "-list", "file.pdf")
    assert re.findall(r"\d: (\S+)", listed) == ["coa.fhir.json", "coa.json"]
    _ran(tmp_path, drawn_pdf("investigated"), "pdfdetach", "-saveall", "file.pdf")
    assert (tmp_path / "coa.json").read_bytes() == shown.canonical()
    assert (tmp_path / "coa.fhir.json").read_bytes() == bundle(shown)
    with Pdf.open(io.BytesIO(drawn_pdf("investigated"))) as pdf:
        said = {str(file.UF): (str(file.AFRelationship), str(file.EF.F.Subtype)) for file in pdf.Root.AF}
    assert said == {
        "coa.json": ("/Source", "/application/json"),
        "coa.fhir.json": ("/Alternative", "/application/fhir+json"),
    }


@pytest.mark.requirement("URS-072")
def test_a_batch_certificate_holds_its_data(tmp_path: Path) -> None:
    _ran(tmp_path, drawn_pdf("batch"), "pdfdetach", "-saveall", "file.pdf")
    data = (tmp_path / "batch-certificate.json").read_bytes()
    assert data == BATCH.canonical()
    assert json.loads(data)["register_entry"] == BATCH.register_entry


@pytest.mark.requirement("URS-073")
def test_nothing_is_deflated_as_builds_of_zlib_differ() -> None:
    with Pdf.open(io.BytesIO(drawn_pdf("two-curves"))) as pdf:
        streams = [thing for thing in pdf.objects if isinstance(thing, pikepdf.Stream)]
        assert len(streams) > 10
        assert all("/Filter" not in stream for stream in streams)
