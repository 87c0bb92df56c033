"""What the pages list beside lots and steps: donors, methods, specifications."""

from datetime import date, datetime
from typing import Any

from sqlmodel import Session, col, select

from domain.errors import NotFound, Reason
from domain.laboratory.catalogue import test as catalogue_test
from domain.laboratory.methods import approved_ids
from domain.laboratory.models import Method, Specification, SpecificationApproval, SpecificationLine
from domain.laboratory.specifications import criterion_of, lines_of
from domain.laboratory.verdict import describe
from domain.lots.models import Lot, LotKind, LotState, Product
from domain.manufacturing.donors import donor_named, eligibility_of, panel_of
from domain.manufacturing.models import Donation, Donor, EligibilityDecision, Reading, Step
from domain.people.models import User
from domain.signatures import Signature
from domain.work import View

MOST = 500


class DonorRow(View):
    """A donor in a list."""

    pseudonym: str
    tissue: str
    eligibility: str
    consent_scope: str
    consent_withdrawn_on: date | None
    registered_at: datetime


class MarkerRow(View):
    """The newest result of a marker."""

    marker: str
    verdict: str
    sampled_on: date
    laboratory: str


class DecisionRow(View):
    """A decision on a donor, with who signed it."""

    decision: str
    reason: str
    decided_at: datetime
    name: str
    function: str


class DonorFile(View):
    """Everything known of a donor; no name, no date of birth."""

    pseudonym: str
    tissue: str
    tissue_text: str
    age_years: int | None
    consent_id: str
    consent_version: str
    consent_scope: str
    consent_withdrawn_on: date | None
    registered_at: datetime
    eligibility: str
    panel: tuple[MarkerRow, ...]
    decisions: tuple[DecisionRow, ...]
    donations: tuple[str, ...]


class MethodRow(View):
    """A method."""

    code: str
    revision: int
    test_code: str
    test_name: str
    name: str
    principle: str
    instrument: str
    replicates: int
    rule: str
    unit: str | None
    terms: tuple[str, ...]
    result: str
    lod: Any
    loq: Any
    minimum_days: int | None
    run_required: bool
    linear_low: Any
    linear_high: Any
    read_every_days: int | None
    validation: str | None
    approved: bool


class SpecificationRow(View):
    """A specification in a list."""

    code: str
    revision: int
    product_code: str
    purpose: str
    effective_from: date
    drafted_by: str
    drafted_at: datetime
    approved_by: str | None
    approved_at: datetime | None


class CriterionRow(View):
    """A line of a specification in words."""

    test_code: str
    test_name: str
    method: str
    criterion: str
    rounding: str
    required: bool


def donors(session: Session) -> list[DonorRow]:
    """Donors, newest first."""
    decided = {
        row.donor_id: row.decision
        for row in session.exec(select(EligibilityDecision).order_by(col(EligibilityDecision.id)))
    }
    return [
        DonorRow(
            pseudonym=one.pseudonym,
            tissue=one.tissue,
            eligibility="ineligible" if one.consent_withdrawn_on else decided.get(one.key, "incomplete"),
            consent_scope=one.consent_scope,
            consent_withdrawn_on=one.consent_withdrawn_on,
            registered_at=one.registered_at,
        )
        for one in session.exec(select(Donor).order_by(col(Donor.id).desc()).limit(MOST))
    ]


def donor_file(session: Session, pseudonym: str) -> DonorFile:
    """One donor. Raises NotFound."""
    donor = donor_named(session, pseudonym)
    decisions = session.exec(
        select(EligibilityDecision, Signature)
        .join(Signature, col(EligibilityDecision.signature_id) == Signature.id)
        .where(EligibilityDecision.donor_id == donor.id)
        .order_by(col(EligibilityDecision.id))
    )
    donations = (
        select(Lot.lot_number).join(Donation, col(Donation.lot_id) == Lot.id).where(Donation.donor_id == donor.id)
    )
    return DonorFile(
        **{name: getattr(donor, name) for name in _DONOR_FACTS},
        eligibility=eligibility_of(session, donor.key),
        panel=tuple(
            MarkerRow(marker=marker, verdict=one.verdict, sampled_on=one.sampled_on, laboratory=one.laboratory)
            for marker, one in panel_of(session, donor.key).items()
        ),
        decisions=tuple(
            DecisionRow(
                decision=one.decision, reason=one.reason, decided_at=one.decided_at, name=by.name, function=by.function
            )
            for one, by in decisions
        ),
        donations=tuple(session.exec(donations.order_by(Lot.lot_number))),
    )


_DONOR_FACTS = (
    "pseudonym", "tissue", "tissue_text", "age_years", "consent_id", "consent_version", "consent_scope", "consent_withdrawn_on",
    "registered_at",
)  # fmt: skip


def methods(session: Session, *, newest: bool = True) -> list[MethodRow]:
    """Methods by code; of each the newest revision only, unless all are asked for."""
    rows = session.exec(select(Method).order_by(Method.code, col(Method.revision).desc())).all()
    shown = list({row.code: row for row in reversed(rows)}.values())[::-1] if newest else rows
    approved = approved_ids(session, {row.key for row in shown})
    return [_method(row, row.id in approved) for row in shown]


def method_coded(session: Session, code: str) -> MethodRow:
    """The newest revision. Raises NotFound."""
    row = session.exec(select(Method).where(Method.code == code).order_by(col(Method.revision).desc())).first()
    if row is None:
        raise NotFound(Reason("method-not-found", f"there is no method {code!r}", "method_code"))
    return _method(row, bool(approved_ids(session, {row.key})))


def _method(row: Method, approved: bool) -> MethodRow:
    test = catalogue_test(row.test_code)
    facts = (
        "code",
        "revision",
        "test_code",
        "name",
        "principle",
        "instrument",
        "replicates",
        "rule",
        "lod",
        "loq",
        "minimum_days",
        "linear_low",
        "linear_high",
        "read_every_days",
        "validation",
    )
    return MethodRow(
        **{name: getattr(row, name) for name in facts},
        run_required=bool(row.run_required),
        approved=approved,
        test_name=test.name_en,
        unit=test.unit,
        terms=test.terms,
        result=test.result,
    )


def specifications(session: Session) -> list[SpecificationRow]:
    """Specifications, newest first, with who approved them."""
    rows = session.exec(
        select(Specification, Product, User, SpecificationApproval, Signature)  # type: ignore[call-overload]
        .join(Product, col(Specification.product_id) == Product.id)
        .join(User, col(Specification.drafted_by) == User.id)
        .outerjoin(SpecificationApproval, col(SpecificationApproval.specification_id) == Specification.id)
        .outerjoin(Signature, col(SpecificationApproval.signature_id) == Signature.id)
        .order_by(col(Specification.id).desc())
        .limit(MOST)
    )
    return [_specification(*row) for row in rows]


def _specification(
    one: Specification, product: Product, drafter: User, approval: SpecificationApproval | None, by: Signature | None
) -> SpecificationRow:
    return SpecificationRow(
        code=one.code,
        revision=one.revision,
        product_code=product.code,
        purpose=one.purpose,
        effective_from=one.effective_from,
        drafted_by=drafter.name,
        drafted_at=one.drafted_at,
        approved_by=by.name if by else None,
        approved_at=approval.approved_at if approval else None,
    )


def specification_file(session: Session, code: str, revision: int) -> tuple[SpecificationRow, tuple[CriterionRow, ...]]:
    """One revision with its lines. Raises NotFound."""
    row = next((one for one in specifications(session) if (one.code, one.revision) == (code, revision)), None)
    found = session.exec(
        select(Specification).where(Specification.code == code, Specification.revision == revision)
    ).first()
    if row is None or found is None:
        raise NotFound(Reason("specification-not-found", f"there is no specification {code} v{revision}", "code"))
    methods_by_id = {one.key: one for one in session.exec(select(Method))}
    return row, tuple(_criterion(line, methods_by_id.get(line.method_id or 0)) for line in lines_of(session, found.key))


def _criterion(line: SpecificationLine, method: Method | None) -> CriterionRow:
    return CriterionRow(
        test_code=line.test_code,
        test_name=catalogue_test(line.test_code).name_en,
        method=method.label if method else "calculated",
        criterion=describe(criterion_of(line))[0],
        rounding=line.rounding,
        required=line.required,
    )


def usable_lots(session: Session, kinds: tuple[LotKind, ...]) -> list[tuple[str, str]]:
    """Numbers of lots of these kinds of which something is left, with a word on each, newest first: suggestions for a step."""
    barred = (LotState.IN_PROCESS, LotState.REJECTED, LotState.RECALLED, LotState.ON_HOLD)
    found = (
        select(Lot)
        .where(col(Lot.kind).in_(kinds), col(Lot.state).not_in(barred))
        .order_by(col(Lot.id).desc())
        .limit(MOST)
    )
    return [
        (lot.lot_number, f"{lot.kind.value.replace('_', ' ')} {lot.description}".strip())
        for lot in session.exec(found)
        if lot.quantity_left
    ]


def reading_place(session: Session, reading_id: int) -> str:
    """The number of the step a reading stands on. Raises NotFound."""
    number = session.exec(
        select(Step.number).join(Reading, col(Reading.step_id) == Step.id).where(Reading.id == reading_id)
    ).first()
    if number is None:
        raise NotFound(Reason("reading-not-found", f"there is no reading {reading_id}", "reading_id"))
    return number
