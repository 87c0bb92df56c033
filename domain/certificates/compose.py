"""From the records of a lot to the frozen content of its certificate; what is missing is named, and then nothing is issued (ICH Q7 11.4)."""

import json
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Literal

from sqlmodel import Session, col, select

from domain.certificates import words
from domain.certificates.content import (
    AuditHead,
    CertificateContent,
    Conclusion,
    DistributionShown,
    LotShown,
    Manufacturer,
    Origin,
    ProductShown,
    SignatureShown,
    TestLine,
    Words,
)
from domain.certificates.frame import Frame
from domain.certificates.investigations import investigations
from domain.certificates.statements import in_force
from domain.errors import Reason, Refused
from domain.laboratory.catalogue import test as catalogue_test
from domain.laboratory.keeping import distribution_of, sd_text
from domain.laboratory.models import Result, ResultInput, Specification
from domain.laboratory.queries import Finding, Line, LotResults
from domain.laboratory.size_distribution import CONVENTION
from domain.laboratory.values import NotReportable, describe_value, load_value, with_unit
from domain.laboratory.verdict import CriterionKind, Verdict, describe, judge
from domain.lots.genealogy import ancestor_ids
from domain.lots.models import Lot, LotKind, Product, RegulatoryStatus, Yield
from domain.manufacturing.models import Reading, Step
from domain.manufacturing.steps import donors_of
from domain.quantities import format_decimal
from domain.signatures import MEANING_DE, Meaning, Signature
from domain.work import Profile, Site

#: From here on a limit of detection is written as a power of ten.
LARGE = Decimal(100_000)


def missing_items(
    product: Product | None, lot: Lot, results: LotResults, profile: Profile | None = None
) -> Iterator[Reason]:
    """What a certificate must carry and does not: each item of domain.md 4.1 that is empty, in the records and (if given) the profile.

    Sources: ICH Q7 11.4, WHO TRS 1010 Annex 4, the WHO and MRA batch certificates.
    """
    if product is None or results.specification is None:
        yield Reason(
            "certificate-incomplete", "a certificate needs a product and the specification the lot is judged against"
        )
        return
    needed = {
        "product name": product.name_en and product.name_de,
        "pharmaceutical form": product.form_en and product.form_de,
        "date of manufacture": lot.manufactured_on,
        "expiry date": lot.expires_on,
        "lot size": lot.quantity,
        "storage conditions": product.storage_high is not None,
        "container": product.container,
        "composition": product.composition,
        "diluent for reconstitution": product.diluent_en and product.diluent_de,
    }
    if profile is not None:
        needed |= {
            "name of the manufacturer": profile.name,
            "address of the manufacturer": profile.address,
            "telephone of the manufacturer": profile.phone,
            "public address of this server": profile.base_url,
            "key to sign it with": profile.signs,
        }
    for item, given in needed.items():
        if not given:
            yield Reason("certificate-incomplete", f"the certificate needs the {item}, which is empty")
    for line in results.lines:
        if line.test.derived is None and line.method is None:
            yield Reason("certificate-incomplete", f"{line.test.name_en} names no method")
    if product.batch_certificate:
        yield from _missing_of_batch(product, profile)


def _missing_of_batch(product: Product, profile: Profile | None) -> Iterator[Reason]:
    """A batch certificate states that a licensed maker worked under GMP: nobody may state that of a product for research."""
    if product.regulatory_status is RegulatoryStatus.RESEARCH_USE:
        text = f"product {product.code} is for research use: it gets no batch certificate, which would speak of GMP"
        yield Reason("certificate-incomplete", text)
    if profile is not None and not profile.licence:
        yield Reason("certificate-incomplete", "the batch certificate needs the manufacturing licence, which is empty")


def compose(
    session: Session, site: Site, lot: Lot, product: Product, results: LotResults, frame: Frame
) -> CertificateContent:
    """The content of a certificate, everything in it taken from the records as they are now.

    Of what does not pass only a draft is made; else Refused (`result-not-passing`).
    """
    assert results.specification is not None
    calculated = _calculated_from(session, results)
    tests = tuple(_test_line(line, site, frame, calculated) for line in results.lines)
    missing = tuple(reason.text for reason in missing_items(product, lot, results, site.profile)) if frame.draft else ()
    return CertificateContent(
        number=frame.number,
        revision=frame.revision,
        supersedes=frame.supersedes,
        issued_at=frame.issued_at,
        time_zone=site.profile.time_zone,
        demonstration=site.profile.demo,
        manufacturer=manufacturer_shown(site.profile),
        product=frame.before.product if frame.before else product_shown(product),
        lot=lot_shown(lot, product, results, site, frame),
        origin=_origin(session, lot),
        specification=_specification(results.specification),
        tests=tests,
        distributions=tuple(_distributions(results)),
        deviations=words.DEVIATIONS,
        statements=(_tested(frame), *words.STATEMENTS[1:], *in_force(session, product)),
        signatures=_signatures(session, lot, results, frame),
        look_up_url=look_up_url(site.profile, lot),
        audit_head=AuditHead(sequence=frame.head.sequence, sha256=frame.head.digest),
        conclusion=_conclusion(tests, bool(missing), frame),
        conditional=words.awaiting(_named(frame.awaited.tests), frame.awaited.due_on) if frame.awaited else None,
        draft=frame.draft,
        revision_reason=words.REVISION_CAUSES[frame.cause] if frame.cause else None,
        investigations=investigations(session, site, lot, results),
        missing=missing,
    )


def _specification(one: Specification) -> str:
    """Code and revision, with the market where the lot is judged for several."""
    return f"{one.label} ({one.market})" if one.market else one.label


def _tested(frame: Frame) -> Words:
    """That the lot was tested, and whether all of it before the release."""
    if frame.awaited:
        return words.TESTED_BUT_FOR
    return words.awaited_before(_named(frame.came_late)) if frame.came_late else words.STATEMENTS[0]


def _named(codes: Sequence[str]) -> tuple[Words, ...]:
    return tuple(Words(en=one.name_en, de=one.name_de) for one in map(catalogue_test, codes))


def _conclusion(tests: Sequence[TestLine], anything_missing: bool, frame: Frame) -> Conclusion:
    """The lot complies when every judged line passes, and there is one; conditionally, when all but what is awaited do."""
    concluded = _concluded([line for line in tests if not frame.waits_for(line.code)], anything_missing)
    return "conditional" if frame.awaited and concluded == "complies" else concluded


def _concluded(tests: Sequence[TestLine], anything_missing: bool) -> Conclusion:
    verdicts = {line.verdict for line in tests}
    if "fail" in verdicts:
        return "does_not_comply"
    if anything_missing or verdicts & {"pending", "indeterminate"} or "pass" not in verdicts:
        return "incomplete"
    judged_but_not_tested = any(
        line.verdict == "not_tested" and line.limits and line.limits.kind is not CriterionKind.REPORT_ONLY
        for line in tests
    )
    return "incomplete" if judged_but_not_tested else "complies"


def manufacturer_shown(profile: Profile) -> Manufacturer:
    """The maker, as the settings name it."""
    return Manufacturer(
        name=profile.name,
        tagline=profile.tagline,
        address=profile.address,
        phone=profile.phone,
        email=profile.email,
        licence=profile.licence,
    )


def look_up_url(profile: Profile, lot: Lot) -> str:
    """Where anybody finds the state of the lot today."""
    return f"{profile.base_url.rstrip('/')}/c/{lot.lot_number}"


def _calculated_from(session: Session, results: LotResults) -> dict[int, tuple[str, ...]]:
    """For each calculated result the tests whose results went into it."""
    shown = [finding.result.key for finding in results.findings if finding.result.formula]
    if not shown:
        return {}
    rows = session.exec(
        select(ResultInput.result_id, Result.test_code)
        .join(Result, col(ResultInput.input_result_id) == Result.id)
        .where(col(ResultInput.result_id).in_(shown))
        .order_by(col(ResultInput.id))
    ).all()
    return {key: tuple(dict.fromkeys(code for of, code in rows if of == key)) for key in shown}


def product_shown(product: Product) -> ProductShown:
    """The product, in the words of a certificate."""
    volume = format_decimal(product.reconstitution_volume)
    label = product.label_particles
    low, high = format_decimal(product.storage_low), format_decimal(product.storage_high)
    storage = f"{low} to {high} °C" if low != high else f"{low} °C"
    return ProductShown(
        code=product.code,
        name=Words(en=product.name_en, de=product.name_de),
        gtin=product.gtin,
        form=Words(en=product.form_en, de=product.form_de),
        route=words.ROUTES[product.route],
        strength=f"{_scientific(label)} {{particles}}/{{vial}}" if label is not None else None,
        composition=product.composition,
        container=product.container,
        fill_volume=f"{format_decimal(product.fill_volume)} mL",
        reconstitution=Words(en=f"{volume} mL {product.diluent_en}", de=f"{volume} mL {product.diluent_de}"),
        storage=Words(en=storage, de=storage.replace(" to ", " bis ")),
        regulatory_status=product.regulatory_status.value,
        regulatory_notice=words.NOTICES[product.regulatory_status],
    )


def _scientific(number: Decimal, figures: int = 2) -> str:
    """`1.0E11`: at least so many figures, as a label writes them; engines differ in the zeros they keep."""
    known = max(figures, len(number.normalize().as_tuple().digits))
    return f"{number:.{known - 1}E}".replace("E+", "E")


def lot_shown(lot: Lot, product: Product, results: LotResults, site: Site, frame: Frame) -> LotShown:
    """The lot, with the day its testing ended."""
    assert lot.quantity is not None
    assert lot.manufactured_on is not None
    assert lot.expires_on is not None
    counted = [one.result for one in results.findings if not frame.waits_for(one.result.test_code)]
    tested = [site.today(result.finished_at) for result in counted]
    return LotShown(
        number=lot.lot_number,
        quantity=f"{format_decimal(lot.quantity)} {lot.unit}",
        manufactured_on=lot.manufactured_on,
        expires_on=frame.expires_on or lot.expires_on,
        shelf_life=frame.before.lot.shelf_life if frame.before else f"{product.shelf_life_months} mo",
        tested_until=max(tested, default=site.today(frame.issued_at)),
        released_at=frame.released.signed_at if frame.released else None,
    )


def _origin(session: Session, lot: Lot) -> Origin:
    """Tissue, eligibility and banks; never the donor (GDPR). Passage and doublings are those of the last expansion."""
    ancestors = ancestor_ids(session, lot.key)
    tissues = {
        words.TISSUES[donor.tissue].en: words.TISSUES[donor.tissue] for donor, _ in donors_of(session, [lot.key])
    }
    banks = session.exec(
        select(Lot.lot_number)
        .where(col(Lot.id).in_(ancestors), col(Lot.kind).in_((LotKind.MASTER_CELL_BANK, LotKind.WORKING_CELL_BANK)))
        .order_by(Lot.lot_number)
    ).all()
    cultured = session.exec(
        select(Reading)
        .join(Step, col(Reading.step_id) == Step.id)
        .join(Yield, col(Yield.step_id) == Step.id)
        .where(
            col(Yield.lot_id).in_(ancestors),
            Step.kind == "expansion",
            col(Reading.parameter).in_(("passage_number", "population_doublings")),
        )
        .order_by(col(Step.started_at), col(Step.id), col(Reading.id))
    ).all()
    replaced = {reading.replaces_id for reading in cultured}
    last = {reading.parameter: reading.entered_value for reading in cultured if reading.id not in replaced}
    return Origin(
        tissue=Words(en=", ".join(tissues), de=", ".join(one.de for one in tissues.values())),
        donor_eligibility=words.ELIGIBLE,
        cell_banks=tuple(banks),
        passage=f"P{last['passage_number']}" if "passage_number" in last else None,
        population_doublings=last.get("population_doublings"),
    )


def _test_line(line: Line, site: Site, frame: Frame, calculated: Mapping[int, tuple[str, ...]]) -> TestLine:
    awaited = frame.waits_for(line.test.code)
    shown, criterion = None if awaited else line.shown, describe(line.criterion)
    method = shown.method if shown and shown.method else line.method
    value = load_value(shown.result.value) if shown else None
    # the figure of the very result named, not of the one that decided: several samples may all pass
    result = _curve(shown) or describe_value(value, judge(line.criterion, value).rounded)
    return TestLine(
        code=line.test.code,
        group=line.test.group,
        name=Words(en=line.test.name_en, de=line.test.name_de),
        method=method.label if method else f"Calculated ({shown.result.formula if shown else line.test.derived})",
        method_principle=method.principle if method else "Calculated from the results named",
        reference=(method.reference if method else None) or line.test.reference,
        criterion=Words(en=criterion[0], de=criterion[1]),
        result=words.AWAITED if awaited else Words(en=result[0], de=result[1]),
        verdict=_drafted(line, value is None) if frame.draft else _verdict(line, value is None),
        n=shown.result.n if shown else None,
        sd=_sd(shown),
        lod=_limit(method.lod, line) if method else None,
        loq=_limit(method.loq, line) if method else None,
        note=_note(line) if shown else None,
        tested_on=site.today(shown.result.finished_at) if shown else None,
        result_id=shown.result.id if shown else None,
        raw_sha256=shown.result.raw_sha256 if shown else None,
        limits=line.criterion,
        value=value,
        method_code=method.code if method else None,
        method_revision=method.revision if method else None,
        principle=method.principle if method else None,
        instrument=(method.instrument or None) if method else None,
        settings=tuple((name, said) for name, said in json.loads(shown.result.settings)) if shown else (),
        inputs=calculated.get(shown.result.key, ()) if shown else (),
    )


def _curve(shown: Finding | None) -> tuple[str, str] | None:
    """A size distribution in one line: what the curve further down shows."""
    curve = distribution_of(shown.result) if shown else None
    if curve is None:
        return None
    found = curve.statistics()
    text = f"D10 {found.d10:.0f}, D50 {found.d50:.0f}, D90 {found.d90:.0f} nm"
    return text, text


def _drafted(
    line: Line, nothing: bool
) -> Literal["pass", "reported", "not_tested", "fail", "indeterminate", "pending"]:
    """A preview shows what stands in the way: failing, unclear, and what no second person has accepted yet."""
    if nothing:
        return "not_tested"
    if line.judgement.verdict is Verdict.FAIL:
        return "fail"
    if not line.final:
        return "pending"
    if line.judgement.verdict is not Verdict.PASS:
        return "indeterminate"
    return "reported" if line.criterion.kind is CriterionKind.REPORT_ONLY else "pass"


def _verdict(line: Line, nothing: bool) -> Literal["pass", "reported", "not_tested"]:
    """Whatever does not pass has no place on a certificate: the release was refused long before."""
    if nothing:
        return "not_tested"
    if line.judgement.verdict is not Verdict.PASS:
        raise Refused(
            Reason("result-not-passing", f"{line.test.name_en} does not pass; there is no certificate for it")
        )
    return "reported" if line.criterion.kind is CriterionKind.REPORT_ONLY else "pass"


def _sd(shown: Finding | None) -> str | None:
    text = sd_text(shown.result.sd) if shown else None
    return f"{text} {shown.result.unit}" if text and shown else None


def _limit(limit: Decimal | None, line: Line) -> str | None:
    if limit is None:
        return None
    return with_unit(_scientific(limit) if limit >= LARGE else format_decimal(limit), line.test.unit)


def _note(line: Line) -> Words | None:
    shown = line.shown
    if shown is None:
        return None
    en, de = [], []
    if shown.result.purity_class:
        en.append(f"Purity class {shown.result.purity_class}")
        de.append(f"Reinheitsklasse {shown.result.purity_class}")
    if len(line.findings) > 1:
        en.append(f"{len(line.findings)} results, each complies; the newest is shown")
        de.append(f"{len(line.findings)} Ergebnisse, jedes entspricht; gezeigt ist das neueste")
    if shown.flags:
        en.append("Instrument flags: see the size distribution")
        de.append("Hinweise des Geräts: siehe Größenverteilung")
    if shown.method and shown.method.limitation_en:
        en.append(shown.method.limitation_en)
        de.append(shown.method.limitation_de or shown.method.limitation_en)
    return Words(en=". ".join(en), de=". ".join(de)) if en else None


def _distributions(results: LotResults) -> Iterator[DistributionShown]:
    for finding in results.findings:
        curve = distribution_of(finding.result)
        if curve is None or isinstance(load_value(finding.result.value), NotReportable):
            continue
        found = curve.statistics()
        method = finding.method
        assert method is not None
        assert finding.result.raw_sha256 is not None
        yield DistributionShown(
            test_code=finding.result.test_code,
            method=f"{method.label} · {method.principle}",
            weighting="number",
            edges_nm=curve.edges_nm,
            per_ml=curve.values,
            mean=f"{found.mean:.1f}",
            mode=f"{found.mode:.1f}",
            sd=f"{found.sd:.1f}",
            d10=f"{found.d10:.1f}",
            d50=f"{found.d50:.1f}",
            d90=f"{found.d90:.1f}",
            span=f"{found.span:.2f}",
            percent_30_150=f"{found.percent_30_150:.1f}",
            concentration=_scientific(Decimal(f"{found.total:.3g}"), 3) + " {particles}/mL",
            convention=Words(en=CONVENTION[0], de=CONVENTION[1]),
            lower_limit=_lower_limit(method.limitation_en, method.limitation_de),
            settings=tuple((name, value) for name, value in json.loads(finding.result.settings)),
            flags=finding.flags,
            raw_sha256=finding.result.raw_sha256,
        )


def _lower_limit(en: str, de: str) -> Words:
    return Words(en=en, de=de or en) if en else words.LOWER_LIMIT_UNKNOWN


def _signatures(session: Session, lot: Lot, results: LotResults, frame: Frame) -> tuple[SignatureShown, ...]:
    """The review of the results, the submission by the head of QC, the release and, of a revision, its issue: oldest first.

    Of several signatures of one person with one meaning the newest counts. A later decision on the lot (a hold, a recall) is no part of it.
    """
    reviews = {finding.review.signature_id for finding in results.findings if finding.review}
    of_lot = (col(Signature.record) == "lot") & (col(Signature.record_id) == lot.id)
    found = session.exec(
        select(Signature)
        .where(col(Signature.id).in_(reviews) | (of_lot & (col(Signature.meaning) == Meaning.APPROVED)))
        .order_by(col(Signature.id))
    ).all()
    given = [*found, *(one for one in (frame.released, frame.issuer) if one is not None)]
    newest = {(one.user_id, one.meaning): one for one in given}
    return tuple(signature_shown(one) for one in sorted(newest.values(), key=lambda one: one.signed_at))


def signature_shown(one: Signature) -> SignatureShown:
    """The manifestation of a signature (21 CFR 11.50)."""
    return SignatureShown(
        name=one.name,
        function=one.function,
        meaning=Words(en=one.meaning.value, de=MEANING_DE[one.meaning]),
        signed_at=one.signed_at,
        record_sha256=one.record_sha256,
    )
