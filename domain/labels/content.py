"""What a label says: a frozen value from which both its drawing and the commands for a label printer are made."""

import hashlib
from datetime import date
from typing import Literal, NamedTuple

import rfc8785
from pydantic import BaseModel, ConfigDict

LabelKind = Literal["vial", "carton", "sample"]
LabelLanguage = Literal["en", "de"]


class LabelContent(BaseModel):
    """The labels of one print: all are alike, but for their serial numbers.

    template: name and version of the layout. element_string: GS1 element string with brackets, (01)(17)(10), without the serial number; None where
    the product has no GTIN. plain_code: what the DataMatrix holds instead. look_up: address of the public page, on cartons. first_serial: of the
    first label; the others follow. Texts are in `language`; what a kind of label does not carry is None.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: LabelKind
    template: str
    language: LabelLanguage
    count: int
    lot_number: str
    expires_on: date | None
    product_name: str | None
    form: str | None
    strength: str | None
    storage: str | None
    route: str | None
    notice: str | None
    manufacturer: str | None
    check_code: str | None
    element_string: str | None
    plain_code: str | None
    look_up: str | None
    first_serial: int | None
    sample_number: str | None
    sample_purpose: str | None
    sampled_on: date | None
    demonstration: bool = False

    def canonical(self) -> bytes:
        """RFC 8785 bytes, whose SHA-256 identifies the print's content."""
        return rfc8785.dumps(self.model_dump(mode="json"))

    def sha256(self) -> str:
        """Hex digest of `canonical()`."""
        return hashlib.sha256(self.canonical()).hexdigest()

    def codes(self) -> list[str]:
        """What the DataMatrix of each label holds; only serial numbers make a difference."""
        if self.element_string is None:
            return [self.plain_code or self.lot_number]
        if self.first_serial is None:
            return [self.element_string]
        return [f"{self.element_string}(21){serial}" for serial in self.serials()]

    def serials(self) -> list[str]:
        """The serial numbers, six digits at least; empty for labels without."""
        if self.first_serial is None:
            return []
        return [f"{number:06d}" for number in range(self.first_serial, self.first_serial + self.count)]


class DrawnLabels(NamedTuple):
    """The labels as a PDF (a page each, of the label's size) and as ZPL II for a label printer of 300 dpi."""

    pdf: bytes
    zpl: bytes


class DoesNotFit(Exception):
    """A text has no room on the label, in the smallest type that can be read; `text` says which, `field` what it is."""

    def __init__(self, text: str, field: str) -> None:
        self.text, self.field = text, field
        super().__init__(text)
