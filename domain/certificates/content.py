"""The frozen values of a certificate of analysis and of a batch certificate: everything they print, and nothing else.

Each is written once, as canonical JSON (RFC 8785); its SHA-256 stands on the PDF, which is drawn from this value alone.
Figures are text, exactly as judged: a certificate never computes. No donor data enters (domain.md 3, GDPR).

A field added since schema 1.0 has a default, so that every content that was ever issued can still be read.
"""

import hashlib
from datetime import date, datetime
from typing import Final, Literal

import rfc8785
from pydantic import BaseModel, ConfigDict, Field

from domain.laboratory.values import ReportableValue
from domain.laboratory.verdict import Criterion

#: The version of what is written into a certificate; its JSON Schema stands at /schemas/coa-1.1.json.
SCHEMA_VERSION: Final = "1.1"


class Frozen(BaseModel):
    """A value that cannot change and takes no stray fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Words(Frozen):
    """The same words in both languages of the certificate."""

    en: str
    de: str


class AnyCertificate(Frozen):
    """What every certificate has, whatever it certifies: its canonical bytes and their digest."""

    number: str
    revision: int
    supersedes: str | None
    issued_at: datetime
    time_zone: str
    look_up_url: str
    #: Marked on every page: made in demo mode, signed with a key that nobody vouches for.
    demonstration: bool = False

    def canonical(self) -> bytes:
        """The RFC 8785 bytes whose SHA-256 identifies the content."""
        return rfc8785.dumps(self.model_dump(mode="json"))

    def sha256(self) -> str:
        """Hex digest of `canonical()`."""
        return hashlib.sha256(self.canonical()).hexdigest()


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
    """The lot: dates are calendar dates at the site; `quantity` is text with unit (`96 {vial}`). A draft has no release yet."""

    number: str
    quantity: str
    manufactured_on: date
    expires_on: date
    shelf_life: str
    tested_until: date
    released_at: datetime | None


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
    limits, value: the same two for machines; the value is the reportable one, before it was rounded against the limit.
    n, sd: number of replicates counted and their standard deviation (text, same unit), where it makes sense.
    verdict: `reported` for report-only lines; `not_tested` is printed, never left out (WHO TRS 1010 Annex 4). `fail` and `indeterminate` occur in
    drafts only: what does not pass is never issued. `pending` likewise: found, but not yet reviewed by a second person.
    principle: NTA, TRPS, BCA …: figures of different principles are never ranked. instrument, settings: how it was measured (MISEV2023).
    inputs: for a calculated result, the tests it was calculated from.
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
    verdict: Literal["pass", "reported", "not_tested", "fail", "indeterminate", "pending"]
    n: int | None
    sd: str | None
    lod: str | None
    loq: str | None
    note: Words | None
    tested_on: date | None
    result_id: int | None
    raw_sha256: str | None
    limits: Criterion | None = None
    value: ReportableValue = None
    method_code: str | None = None
    method_revision: int | None = None
    principle: str | None = None
    instrument: str | None = None
    settings: tuple[tuple[str, str], ...] = ()
    inputs: tuple[str, ...] = ()


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


class Investigation(Frozen):
    """Something about the lot that a reader should know: an out-of-specification result that was investigated, a repeated or invalid test, a
    correction, a hold, a deviation.

    reference: the number of its record at the manufacturer (`result 412`, `lot move 88`).
    """

    kind: Literal["out_of_specification", "retest", "invalid_test", "corrected_result", "hold", "deviation"]
    reference: str
    on: date
    words: Words


#: What a certificate concludes: every judged line passes; the same, but one is outstanding (conditional); or not.
Conclusion = Literal["complies", "conditional", "does_not_comply", "incomplete"]


class CertificateContent(AnyCertificate):
    """Everything a certificate of analysis says.

    conclusion: None in contents of schema 1.0, where it followed from the lines. conditional: the wording and the follow-up of a conditional
    release. draft: a preview without a number, never issued. revision_reason: why there is another revision.
    """

    schema_version: Literal["1.0", "1.1"] = SCHEMA_VERSION
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
    audit_head: AuditHead
    conclusion: Conclusion | None = None
    conditional: Words | None = None
    draft: bool = False
    revision_reason: Words | None = None
    investigations: tuple[Investigation, ...] = ()
    missing: tuple[str, ...] = Field(default=(), description="of a draft: what stands in the way of its issue")


class SiteShown(Frozen):
    """A place that made or tested the lot: name, address, what it did, its licence or GMP certificate."""

    name: str
    address: str
    activity: Words
    licence: str | None


class BatchCertificateContent(AnyCertificate):
    """Everything a batch certificate says: the items of the MRA batch certificate, in its order (EMA/INS/MRA/387218/2011).

    It certifies that the batch was made and checked under GMP; results of analysis stand on the certificate of analysis that it names.
    authorisation: number of the marketing or clinical-trial authorisation, if there is one. register_entry: number in the running register of
    certified batches (EU GMP Annex 16; AMWHV 17(5)).
    """

    schema_version: Literal["batch-1.0"] = "batch-1.0"
    manufacturer: Manufacturer
    product: ProductShown
    importing_country: str | None
    authorisation: str | None
    pack: str
    lot: LotShown
    sites: tuple[SiteShown, ...]
    analysis_certificate: str
    analysis_sha256: str
    register_entry: int
    comments: Words
    statement: Words
    certifier: SignatureShown
