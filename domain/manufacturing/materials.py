"""Raw materials: the papers that come with them, and what is counted of them (21 CFR 211.80 to 211.94; ICH Q7 7)."""

from pydantic import Field

from domain.errors import Invalid, Reason, Refused
from domain.lots.models import Lot, LotKind
from domain.lots.operations import COUNTED, Amount, lot_named, magnitude
from domain.manufacturing.bill import papers_of
from domain.manufacturing.execution_models import AnimalOrigin, MaterialPapers, StockCorrection
from domain.permissions import Permission
from domain.quantities import format_decimal
from domain.work import Command, Work, operation

LARGEST = 20_000_000
_KINDS = {b"%PDF-": "application/pdf", b"\x89PNG": "image/png", b"\xff\xd8\xff": "image/jpeg"}


class FilePapers(Command):
    """File the supplier's certificate of a raw material, and what the supplier states of its origin.

    species, country: needed for material of animal origin (EMA/410/01). reason: needed where papers are filed already.
    """

    lot_number: str = Field(max_length=20)
    specification_code: str = Field(default="", max_length=60, examples=["RM-SPEC-014"])
    origin: AnimalOrigin
    species: str = Field(default="", max_length=100)
    country: str = Field(default="", max_length=100)
    file_name: str = Field(min_length=1, max_length=200)
    data: bytes = Field(repr=False)
    reason: str = Field(default="", max_length=1000)


class CorrectStock(Command):
    """What was counted of a raw material, where the ledger says otherwise; 0 for nothing."""

    lot_number: str = Field(max_length=20)
    counted: Amount
    reason: str = Field(min_length=3, max_length=1000)


@operation(Permission.RECEIVE_MATERIAL)
def file_papers(work: Work, command: FilePapers) -> MaterialPapers:
    """The file is kept as it came; newer papers count instead of earlier ones, which stay."""
    lot = _material(work, command.lot_number)
    needed = {"species": command.species, "country": command.country}
    if command.origin is AnimalOrigin.ANIMAL and (missing := [name for name, said in needed.items() if not said]):
        told = (Reason("origin-incomplete", f"material of animal origin names its {name}", name) for name in missing)
        raise Invalid(*told)
    if command.origin in (AnimalOrigin.NONE, AnimalOrigin.RECOMBINANT) and any(needed.values()):
        text = f"a material of the origin {command.origin.value} has neither species nor country"
        raise Invalid(Reason("origin-contradicts", text, "species"))
    if papers_of(work.session, lot.key) is not None and not command.reason:
        raise Invalid(Reason("reason-needed", f"lot {lot.lot_number} has papers already; say why new ones", "reason"))
    media_type = _media_type(command.data)
    sha256 = work.keep_document(command.data, command.file_name, media_type)
    return work.add(
        MaterialPapers(
            **command.model_dump(exclude={"lot_number", "file_name", "data"}),
            lot_id=lot.key,
            certificate_sha256=sha256,
            certificate_name=command.file_name,
            filed_at=work.now,
            filed_by=work.actor.person,
        )
    )


@operation(Permission.RECEIVE_MATERIAL)
def correct_stock(work: Work, command: CorrectStock) -> StockCorrection:
    """The ledger gets a line of its own; no earlier line is changed."""
    lot = _material(work, command.lot_number)
    counted = magnitude(command.counted, lot.unit, "counted")
    if counted < 0:
        raise Invalid(Reason("not-positive", "nothing can be counted below 0", "counted.value"))
    if lot.unit in COUNTED and counted != counted.to_integral_value():
        text = f"{command.counted.value} {command.counted.unit}: what is counted is a whole number"
        raise Invalid(Reason("not-a-whole-number", text, "counted.value"))
    assert lot.quantity is not None
    assert lot.quantity_left is not None
    if counted > lot.quantity:
        text = f"{format_decimal(lot.quantity)} {lot.unit} were booked in; more than that cannot be left"
        raise Refused(Reason("more-than-received", text, "counted.value"))
    if counted == lot.quantity_left:
        raise Invalid(Reason("nothing-changes", "the ledger says the same already", "counted.value"))
    correction = work.add(
        StockCorrection(
            lot_id=lot.key,
            before=lot.quantity_left,
            counted=counted,
            reason=command.reason,
            corrected_at=work.now,
            corrected_by=work.actor.person,
        )
    )
    lot.quantity_left = counted
    return correction


def _material(work: Work, number: str) -> Lot:
    lot = lot_named(work, number)
    if lot.kind is not LotKind.RAW_MATERIAL:
        raise Refused(Reason("not-a-material", f"lot {number} is {lot.kind.value}, not a raw material", "lot_number"))
    return lot


def _media_type(data: bytes) -> str:
    """By the first bytes of the file: what the sender says of it is not believed."""
    if not data or len(data) > LARGEST:
        size = f"{LARGEST // 1_000_000} MB"
        raise Invalid(Reason("file-not-readable", f"the certificate is empty or larger than {size}", "file"))
    for start, media_type in _KINDS.items():
        if data.startswith(start):
            return media_type
    raise Invalid(Reason("file-not-readable", "the certificate is a PDF, PNG or JPEG file", "file"))
