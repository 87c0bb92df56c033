"""The conditions named in the table of rules, and who took which part in a lot's history."""

from collections.abc import Iterator
from dataclasses import replace

from sqlmodel import col, select

from domain.certificates.compose import missing_items
from domain.deviations import blocking
from domain.disposition import signing
from domain.disposition.cascade_queries import standing_over
from domain.disposition.late import judged, outstanding
from domain.errors import Reason
from domain.labels.queries import open_labels
from domain.laboratory.catalogue import test as catalogue_test
from domain.laboratory.contract import why_not_checked
from domain.laboratory.doors import speaking_against
from domain.laboratory.keeping import why_not_final
from domain.laboratory.models import Result, ResultReview, Sample
from domain.laboratory.oos import why_oos_blocks
from domain.laboratory.queries import Finding, LotResults, lot_results, unreviewed
from domain.laboratory.runs import why_runs_do_not_count
from domain.laboratory.sampling import why_not_fulfilled
from domain.laboratory.sterility import why_slow_tests_not_final
from domain.laboratory.trends import why_not_assessed
from domain.laboratory.values import (
    VOCABULARY,
    NotReportable,
    Qualitative,
    ReportableValue,
    describe_value,
    load_value,
)
from domain.laboratory.verdict import Criterion, CriterionKind, Verdict, judge
from domain.lots.genealogy import ancestor_ids
from domain.lots.lifecycle import DOERS, GUARDS, Case, doers, guard
from domain.lots.models import INPUT_KINDS, Lot, LotKind, LotMove, LotState, Product, RegulatoryStatus, Yield
from domain.manufacturing import control
from domain.manufacturing.donors import eligibility_of, untimely_markers
from domain.manufacturing.models import ConsentScope, Eligibility, Reading, Step
from domain.manufacturing.steps import donors_of


def _results(case: Case) -> LotResults:
    """The results of the lot, looked up once for all guards that ask."""
    return judged(case)[0]


@guard("is-drug-product")
def _is_drug_product(case: Case) -> Iterator[Reason]:
    if case.lot.kind is not LotKind.DRUG_PRODUCT:
        yield Reason(
            "not-a-drug-product",
            f"lot {case.lot.lot_number} is {case.lot.kind.value}; only a drug product gets a certificate",
            about=("lot", case.lot.lot_number),
        )


@guard("is-input")
def _is_input(case: Case) -> Iterator[Reason]:
    if case.lot.kind not in INPUT_KINDS:
        allowed = ", ".join(sorted(INPUT_KINDS))
        yield Reason(
            "not-an-input",
            f"lot {case.lot.lot_number} is {case.lot.kind.value}; accepted by themselves are only {allowed}",
            about=("lot", case.lot.lot_number),
        )


@guard("not-expired")
def _not_expired(case: Case) -> Iterator[Reason]:
    if case.lot.expires_on is not None and case.today > case.lot.expires_on:
        text, given = f"lot {case.lot.lot_number} expired on {case.lot.expires_on}", {"day": case.lot.expires_on}
        yield Reason("lot-expired", text, about=("lot", case.lot.lot_number), given=given)
    if case.lot.expires_on is None and case.lot.kind is LotKind.DRUG_PRODUCT:
        text = f"lot {case.lot.lot_number} has no expiry date"
        yield Reason("no-expiry", text, about=("lot", case.lot.lot_number))


@guard("steps-complete")
def _steps_complete(case: Case) -> Iterator[Reason]:
    everything = [case.lot.key, *ancestor_ids(case.session, case.lot.key)]
    steps = case.session.exec(select(Step).join(Yield).where(col(Yield.lot_id).in_(everything)).distinct()).all()
    for step in steps:
        if step.ended_at is None:
            text = f"step {step.number} ({step.kind}) is not complete"
            yield Reason("step-open", text, about=("step", step.number))
    if not steps and case.lot.kind is not LotKind.RAW_MATERIAL:
        text = f"nothing is recorded of how lot {case.lot.lot_number} was made"
        yield Reason("no-steps", text, about=("lot", case.lot.lot_number))


@guard("labels-accounted")
def _labels_accounted(case: Case) -> Iterator[Reason]:
    """Of labels printed here; where none were, the counts of the packaging step stand alone."""
    yield from open_labels(case.session, case.lot.key)


@guard("donors-eligible")
def _donors_eligible(case: Case) -> Iterator[Reason]:
    if case.lot.kind is LotKind.RAW_MATERIAL:
        return
    donors = donors_of(case.session, [case.lot.key])
    if not donors:
        text = f"no donor is recorded behind lot {case.lot.lot_number}"
        yield Reason("no-donor", text, about=("lot", case.lot.lot_number))
    product = case.session.get(Product, case.lot.product_id) if case.lot.product_id else None
    for donor, donation in donors:
        decision = eligibility_of(case.session, donor.key)
        if decision is not Eligibility.ELIGIBLE:
            text, given = f"donor {donor.pseudonym} is {decision.value}", {"decision": decision.value}
            yield Reason("donor-not-eligible", text, about=("donor", donor.pseudonym), given=given)
        if donation.manufactured_on is not None:
            for untimely in untimely_markers(case.session, donor, donation.manufactured_on):
                yield replace(untimely, about=("donor", donor.pseudonym))
        if (
            product
            and product.regulatory_status is not RegulatoryStatus.RESEARCH_USE
            and donor.consent_scope is ConsentScope.RESEARCH
        ):
            yield Reason(
                "consent-too-narrow",
                f"donor {donor.pseudonym} consented to research only; the product is {product.regulatory_status.value}",
                about=("donor", donor.pseudonym),
            )


@guard("ancestors-released")
def _ancestors_released(case: Case) -> Iterator[Reason]:
    """Inputs must be released; what lies between must not be barred. A later expiry of an ancestor does not matter."""
    ids = ancestor_ids(case.session, case.lot.key)
    barred = (LotState.IN_PROCESS, LotState.REJECTED, LotState.ON_HOLD, LotState.RECALLED)
    for lot in case.session.exec(select(Lot).where(col(Lot.id).in_(ids)).order_by(Lot.lot_number)):
        if lot.kind in INPUT_KINDS and lot.state is not LotState.RELEASED:
            text = f"{lot.kind.value} lot {lot.lot_number} is {lot.state.value}, not released"
            yield Reason("ancestor-not-released", text, about=("lot", lot.lot_number), given=_stated(lot))
        elif lot.state in barred:
            text = f"{lot.kind.value} lot {lot.lot_number} is {lot.state.value}"
            yield Reason("ancestor-barred", text, about=("lot", lot.lot_number), given=_stated(lot))


def _stated(lot: Lot) -> dict[str, object]:
    return {"kind": lot.kind.value, "state": lot.state.value}


@guard("recipe-followed")
def _recipe_followed(case: Case) -> Iterator[Reason]:
    yield from control.not_followed(case.session, case.lot)


@guard("entries-verified")
def _entries_verified(case: Case) -> Iterator[Reason]:
    yield from control.not_verified(case.session, case.lot)


@guard("differences-explained")
def _differences_explained(case: Case) -> Iterator[Reason]:
    yield from control.not_explained(case.session, case.lot)


@guard("exceptions-approved")
def _exceptions_approved(case: Case) -> Iterator[Reason]:
    yield from control.not_excepted(case.session, case.lot)


@guard("samples-taken")
def _samples_taken(case: Case) -> Iterator[Reason]:
    """Samples that the recipe asks for at a step, of the lots that the step gave."""
    for step, wanted, lots in control.samples_wanted(case.session, case.lot):
        drawn = case.session.exec(select(Sample.id).where(col(Sample.lot_id).in_(lots))).all()
        if len(drawn) < len(wanted):
            named = "; ".join(one.purpose for one in wanted)
            text = f"the recipe asks for {len(wanted)} samples at step {step.number} ({named}); {len(drawn)} were drawn"
            yield Reason("sample-missing", text, about=("step", step.number))


@guard("fit-to-go-back")
def _fit_to_go_back(case: Case) -> Iterator[Reason]:
    """A hold goes back to released only if the release would still stand; to any other state a release asks again.

    What holds a lot by itself, an investigation of a failing result, is concluded first.
    """
    yield from why_oos_blocks(case.session, case.lot.key)
    if case.lot.held_from is LotState.RELEASED:
        yield from speaking_against(case.session, case.lot)
        yield from _ancestors_released(case)
        yield from _donors_eligible(case)


@guard("results-final")
def _results_final(case: Case) -> Iterator[Reason]:
    yield from _results(case).not_final(outstanding(case))


@guard("results-pass")
def _results_pass(case: Case) -> Iterator[Reason]:
    yield from _results(case).not_passing(outstanding(case))


@guard("no-failing-result")
def _no_failing_result(case: Case) -> Iterator[Reason]:
    """An input has no specification of its own yet: its results must be reviewed, and none may have found what must not be there."""
    findings = _results(case).findings
    yield from unreviewed(findings)
    for finding in findings:
        value = load_value(finding.result.value)
        found = judge(Criterion(kind=CriterionKind.NONE_DETECTED), value)
        if found.verdict is Verdict.FAIL or _speaks_against(value):
            text = f"result {finding.result.id} ({finding.result.test_code}): {found.reason}"
            yield Reason("result-fail", text, finding.result.test_code, about=("sample", finding.sample.number))


def _speaks_against(value: ReportableValue) -> bool:
    """A test that failed, or that says by itself that something is wrong."""
    if isinstance(value, Qualitative) and value.term in VOCABULARY:
        return VOCABULARY[value.term].outcome in ("does_not_conform", "invalid")
    return isinstance(value, NotReportable)


@guard("no-contamination")
def _no_contamination(case: Case) -> Iterator[Reason]:
    """What no line asks for is no less true: growth or a virus stands against the lot, also where it was found on the way.

    ICH Q5A(R2) has mycoplasma and viruses sought in the harvest. Lots on the way have no specification; what is made of
    them is judged here.
    """
    for finding in _results(case).others:
        if _is_contamination(finding):
            code = finding.result.test_code
            yield Reason("result-fail", _told(finding, case.lot), code, about=("sample", finding.sample.number))
    way = select(Lot).where(col(Lot.id).in_(ancestor_ids(case.session, case.lot.key)), _SAMPLED)
    for lot in case.session.exec(way.order_by(Lot.lot_number)):
        findings = lot_results(case.session, lot.key).findings
        for reason in unreviewed(findings):
            text = f"{lot.kind.value} lot {lot.lot_number}: {reason.text}"
            yield Reason("ancestor-result-not-final", text, about=reason.about, given=reason.given)
        for finding in findings:
            if _is_contamination(finding):
                text, given = _told(finding, lot), {"test": finding.result.test_code, "lot": lot.lot_number}
                yield Reason("ancestor-result-fail", text, about=("sample", finding.sample.number), given=given)


_SAMPLED = select(Sample.id).where(Sample.lot_id == Lot.id).exists()


def _is_contamination(finding: Finding) -> bool:
    value, safety = load_value(finding.result.value), catalogue_test(finding.result.test_code).group == "safety"
    bad = ("present", "does_not_conform")
    return safety and isinstance(value, Qualitative) and VOCABULARY[value.term].outcome in bad


def _told(finding: Finding, lot: Lot) -> str:
    found = describe_value(load_value(finding.result.value))[0]
    return f"{finding.result.test_code} of {lot.kind.value} lot {lot.lot_number} (result {finding.result.id}): {found}"


@guard("sterility-time")
def _sterility_time(case: Case) -> Iterator[Reason]:
    """Checked again at the decision, against the server's clock (USP <71>: 14 days from inoculation)."""
    for finding in _results(case).findings:
        result, until = finding.result, min(finding.result.finished_at, case.now)
        if result.test_code in outstanding(case):
            continue
        value = load_value(result.value)
        for early in why_not_final(case.session, finding.method, value, finding.sample, result.started_at, until):
            yield replace(early, about=("sample", finding.sample.number), given={"test": result.test_code})


@guard("oos-concluded")
def _oos_concluded(case: Case) -> Iterator[Reason]:
    yield from why_oos_blocks(case.session, case.lot.key)


@guard("runs-valid")
def _runs_valid(case: Case) -> Iterator[Reason]:
    yield from why_runs_do_not_count(case.session, case.lot.key, outstanding(case))


@guard("sampling-fulfilled")
def _sampling_fulfilled(case: Case) -> Iterator[Reason]:
    yield from why_not_fulfilled(case.session, case.lot)


@guard("contract-checked")
def _contract_checked(case: Case) -> Iterator[Reason]:
    yield from why_not_checked(case.session, case.lot.key, outstanding(case))


@guard("slow-tests-final")
def _slow_tests_final(case: Case) -> Iterator[Reason]:
    yield from why_slow_tests_not_final(case.session, case.lot.key, outstanding(case))


@guard("alerts-assessed")
def _alerts_assessed(case: Case) -> Iterator[Reason]:
    yield from why_not_assessed(case.session, case.lot.key)


@guard("every-specification")
def _every_specification(case: Case) -> Iterator[Reason]:
    """Every further release specification that was pinned must be met too; what the primary one says stands under its own guards."""
    but = outstanding(case)
    for results in judged(case)[1:]:
        one = results.specification
        assert one is not None
        for reason in (*results.not_final(but), *results.not_passing(but)):
            if reason.code not in ("result-not-reviewed", "result-refused"):
                yield replace(reason, text=f"{one.label} ({one.market or 'no market'}): {reason.text}")


@guard("certificate-complete")
def _certificate_complete(case: Case) -> Iterator[Reason]:
    """What the records must give; what the settings must give is checked at the issue."""
    product = case.session.get(Product, case.lot.product_id) if case.lot.product_id else None
    missing = (reason for results in judged(case) for reason in missing_items(product, case.lot, results))
    for reason in dict.fromkeys(missing):
        yield replace(reason, about=("lot", case.lot.lot_number))


@guard("no-open-deviation")
def _no_open_deviation(case: Case) -> Iterator[Reason]:
    """Of the lot or of anything it is made of (EU GMP Chapter 8; 21 CFR 211.192)."""
    everything = [case.lot.key, *ancestor_ids(case.session, case.lot.key)]
    yield from blocking.against_release(case.session, everything)


@guard("no-critical-deviation")
def _no_critical_deviation(case: Case) -> Iterator[Reason]:
    yield from blocking.against_lifting(case.session, [case.lot.key])


@guard("no-standing-cascade")
def _no_standing_cascade(case: Case) -> Iterator[Reason]:
    """A hold that ran down is lifted by two people for all its lots at once, not lot by lot."""
    for cascade in standing_over(case.session, case.lot.key):
        text = f"hold {cascade.number} stands over lot {case.lot.lot_number}; two people of QA lift it as a whole"
        yield Reason("cascade-stands", text, about=("cascade", cascade.number))


@guard("never-released")
def _never_released(case: Case) -> Iterator[Reason]:
    if _was_released(case):
        text = f"lot {case.lot.lot_number} was released; it can be recalled, not rejected"
        yield Reason("was-released", text, about=("lot", case.lot.lot_number))


@guard("was-released")
def _only_released(case: Case) -> Iterator[Reason]:
    if not _was_released(case):
        text = f"lot {case.lot.lot_number} was never released; it can be rejected, not recalled"
        yield Reason("never-released", text, about=("lot", case.lot.lot_number))


def _was_released(case: Case) -> bool:
    moves = select(LotMove.id).where(LotMove.lot_id == case.lot.id, LotMove.to_state == LotState.RELEASED)
    return case.session.exec(moves.limit(1)).first() is not None


@doers("made")
def _makers(case: Case) -> set[int]:
    """Who booked in, started, completed or recorded anything on a step of the lot or its ancestors."""
    everything = [case.lot.key, *ancestor_ids(case.session, case.lot.key)]
    steps = case.session.exec(select(Step).join(Yield).where(col(Yield.lot_id).in_(everything))).all()
    recorded = case.session.exec(
        select(Reading.recorded_by)
        .join(Yield, col(Yield.step_id) == Reading.step_id)
        .where(col(Yield.lot_id).in_(everything))
    )
    booked = case.session.exec(select(Lot.created_by).where(col(Lot.id).in_(everything)))
    of_steps = (user for step in steps for user in (step.started_by, step.completed_by))
    return {user for user in (*of_steps, *recorded, *booked) if user is not None}


@doers("tested")
def _testers(case: Case) -> set[int]:
    """Who found a result of the lot or its ancestors, corrected ones included."""
    everything = [case.lot.key, *ancestor_ids(case.session, case.lot.key)]
    return set(case.session.exec(select(Result.analyst_id).join(Sample).where(col(Sample.lot_id).in_(everything))))


@doers("reviewed")
def _reviewers(case: Case) -> set[int]:
    found = select(ResultReview.reviewer_id).join(Result).join(Sample).where(Sample.lot_id == case.lot.id)
    return set(case.session.exec(found))


@doers("held")
def _holder(case: Case) -> set[int]:
    """Who set the hold that stands."""
    holds = (
        select(LotMove.actor_id)
        .where(LotMove.lot_id == case.lot.id, LotMove.action == "hold")
        .order_by(col(LotMove.id).desc())
    )
    newest = case.session.exec(holds).first()
    return {newest} if newest is not None else set()


REGISTERED = bool(GUARDS and DOERS and signing.SAYS)
