"""The frozen value of a certificate of analysis: everything it prints, and nothing else.

It is written once, as canonical JSON (RFC 8785); its SHA-256 stands on the PDF, which is drawn from this value alone.
Figures are text, exactly as judged: a certificate never computes. No donor data enters (domain.md 3, GDPR).
"""

import hashlib
from datetime import date, datetime
from typing import Literal

import rfc8785
from pydantic import BaseModel, ConfigDict


class Frozen(BaseModel):
    """A value that cannot change and takes no stray fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Words(Frozen):
    """The same words in both languages of the certificate."""

    en: str
    de: str


class Manufacturer(Frozen):
    """Name, address and telephone of the original maker (ICH Q7 11.44)."""

    name: str
    tagline: str
    address: str
    phone: str
    email: str
    licence: str | None


class ProductShown(Frozen):
    """What the product is; volumes are text with unit (`5 mL`)."""

    code: str
    name: Words
    gtin: str | None
    form: Words
    route: Words
    strength: str | None
    composition: str
    container: str
    fill_volume: str
    reconstitution: Words
    storage: Words
    regulatory_status: Literal["research_use", "investigational", "named_patient", "licensed"]
    regulatory_notice: Words


class LotShown(Frozen):
    """The lot: dates are calendar dates at the site; `quantity` is text with unit (`96 {vial}`)."""

    number: str
    quantity: str
    manufactured_on: date
    expires_on: date
    shelf_life: str
    tested_until: date
    released_at: datetime


class Origin(Frozen):
    """Where the cells came from, without the donor."""

    tissue: Words
    donor_eligibility: Words
    cell_banks: tuple[str, ...]
    passage: str | None
    population_doublings: str | None


class TestLine(Frozen):
    """One line of the specification with its result.

    criterion, result: as printed, number and unit (`≤ 0.50 {EU}/mL`, `< 0.05 {EU}/mL`, `No growth`); units are UCUM.
    n, sd: number of replicates counted and their standard deviation (text, same unit), where it makes sense.
    verdict: `reported` for report-only lines; `not_tested` is printed, never left out (WHO TRS 1010 Annex 4).
    raw_sha256: digest of the raw file; result_id: the result's row in the laboratory's records.
    """

    __test__ = False

    code: str
    group: Literal["physicochemical", "identity", "purity", "safety", "potency"]
    name: Words
    method: str
    method_principle: str
    reference: str | None
    criterion: Words
    result: Words
    verdict: Literal["pass", "reported", "not_tested"]
    n: int | None
    sd: str | None
    lod: str | None
    loq: str | None
    note: Words | None
    tested_on: date | None
    result_id: int | None
    raw_sha256: str | None


class DistributionShown(Frozen):
    """A size distribution: `edges_nm` (n + 1, nm, ascending) and `per_ml` (n bins, {particles}/mL per bin).

    The figures beside the curve are text in nm (`span` and `percent_30_150` without unit); `convention` says how the percentage
    within 30-150 nm was found, `lower_limit` what the instrument cannot see.
    """

    test_code: str
    method: str
    weighting: Literal["number"]
    edges_nm: tuple[float, ...]
    per_ml: tuple[float, ...]
    mean: str
    mode: str
    sd: str
    d10: str
    d50: str
    d90: str
    span: str
    percent_30_150: str
    concentration: str
    convention: Words
    lower_limit: Words
    settings: tuple[tuple[str, str], ...]
    flags: tuple[str, ...]
    raw_sha256: str


class SignatureShown(Frozen):
    """The manifestation of an electronic signature (21 CFR 11.50): printed name, time, meaning; and what it is bound to."""

    name: str
    function: str
    meaning: Words
    signed_at: datetime
    record_sha256: str


class AuditHead(Frozen):
    """The newest sealed entry of the audit chain when the certificate was made."""

    sequence: int
    sha256: str


class CertificateContent(Frozen):
    """Everything a certificate says."""

    schema_version: Literal["1.0"] = "1.0"
    number: str
    revision: int
    supersedes: str | None
    issued_at: datetime
    time_zone: str
    manufacturer: Manufacturer
    product: ProductShown
    lot: LotShown
    origin: Origin
    specification: str
    tests: tuple[TestLine, ...]
    distributions: tuple[DistributionShown, ...]
    deviations: Words
    statements: tuple[Words, ...]
    signatures: tuple[SignatureShown, ...]
    look_up_url: str
    audit_head: AuditHead

    def canonical(self) -> bytes:
        """The RFC 8785 bytes whose SHA-256 identifies the content."""
        return rfc8785.dumps(self.model_dump(mode="json"))

    def sha256(self) -> str:
        """Hex digest of `canonical()`."""
        return hashlib.sha256(self.canonical()).hexdigest()
