"""From the records of a lot to the frozen content of its certificate; what is missing is named, and then nothing is issued (ICH Q7 11.4)."""

import json
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Literal

from sqlmodel import Session, col, select

from domain import audit
from domain.certificates import words
from domain.certificates.content import (
    AuditHead,
    CertificateContent,
    DistributionShown,
    LotShown,
    Manufacturer,
    Origin,
    ProductShown,
    SignatureShown,
    TestLine,
    Words,
)
from domain.errors import Reason, Refused
from domain.laboratory.queries import Finding, Line, LotResults
from domain.laboratory.results import distribution_of, sd_text
from domain.laboratory.size_distribution import CONVENTION
from domain.laboratory.values import NotReportable, describe_value, load_value, with_unit
from domain.laboratory.verdict import CriterionKind, Verdict, describe, judge
from domain.lots.genealogy import ancestor_ids
from domain.lots.models import Lot, LotKind, Product, Yield
from domain.manufacturing.models import Reading, Step
from domain.manufacturing.steps import donors_of
from domain.quantities import format_decimal
from domain.signatures import MEANING_DE, Signature
from domain.work import Profile, Site, Work

#: From here on a limit of detection is written as a power of ten.
LARGE = Decimal(100_000)


def missing_items(
    product: Product | None, lot: Lot, results: LotResults, profile: Profile | None = None
) -> Iterator[Reason]:
    """What a certificate must carry and does not: each item of ICH Q7 11.4 that is empty, in the records and (if given) the profile."""
    if product is None or results.specification is None:
        yield Reason(
            "certificate-incomplete", "a certificate needs a product and the specification the lot is judged against"
        )
        return
    needed = {
        "product name": product.name_en and product.name_de,
        "date of manufacture": lot.manufactured_on,
        "expiry date": lot.expires_on,
        "lot size": lot.quantity,
        "storage conditions": product.storage_high is not None,
        "container": product.container,
        "composition": product.composition,
    }
    if profile is not None:
        needed |= {
            "name of the manufacturer": profile.name,
            "address of the manufacturer": profile.address,
            "telephone of the manufacturer": profile.phone,
            "public address of this server": profile.base_url,
        }
    for item, given in needed.items():
        if not given:
            yield Reason("certificate-incomplete", f"the certificate needs the {item}, which is empty")
    for line in results.lines:
        if line.test.derived is None and line.method is None:
            yield Reason("certificate-incomplete", f"{line.test.name_en} names no method")


def compose(
    work: Work,
    lot: Lot,
    product: Product,
    results: LotResults,
    number: str,
    revision: int,
    supersedes: str | None,
    released: Signature,
) -> CertificateContent:
    """The content of a certificate, everything in it taken from the records as they are now."""
    profile = work.site.profile
    assert results.specification is not None
    head = audit.head(work.session)
    return CertificateContent(
        number=number,
        revision=revision,
        supersedes=supersedes,
        issued_at=work.now,
        time_zone=profile.time_zone,
        manufacturer=Manufacturer(
            name=profile.name,
            tagline=profile.tagline,
            address=profile.address,
            phone=profile.phone,
            email=profile.email,
            licence=profile.licence,
        ),
        product=_product(product),
        lot=_lot(lot, product, results, released.signed_at, work),
        origin=_origin(work.session, lot),
        specification=results.specification.label,
        tests=tuple(_test_line(line, work.site) for line in results.lines),
        distributions=tuple(_distributions(results)),
        deviations=words.NO_DEVIATIONS,
        statements=words.STATEMENTS,
        signatures=_signatures(work.session, lot, results, released),
        look_up_url=f"{profile.base_url.rstrip('/')}/c/{lot.lot_number}",
        audit_head=AuditHead(sequence=head.sequence, sha256=head.digest),
    )


def _product(product: Product) -> ProductShown:
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


def _lot(lot: Lot, product: Product, results: LotResults, released_at: datetime, work: Work) -> LotShown:
    assert lot.quantity is not None
    assert lot.manufactured_on is not None
    assert lot.expires_on is not None
    tested = [work.site.today(finding.result.finished_at) for finding in results.findings]
    return LotShown(
        number=lot.lot_number,
        quantity=f"{format_decimal(lot.quantity)} {lot.unit}",
        manufactured_on=lot.manufactured_on,
        expires_on=lot.expires_on,
        shelf_life=f"{product.shelf_life_months} mo",
        tested_until=max(tested, default=work.today),
        released_at=released_at,
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


def _test_line(line: Line, site: Site) -> TestLine:
    shown, criterion = line.shown, describe(line.criterion)
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
        result=Words(en=result[0], de=result[1]),
        verdict=_verdict(line, value is None),
        n=shown.result.n if shown else None,
        sd=_sd(shown),
        lod=_limit(method.lod, line) if method else None,
        loq=_limit(method.loq, line) if method else None,
        note=_note(line),
        tested_on=site.today(shown.result.finished_at) if shown else None,
        result_id=shown.result.id if shown else None,
        raw_sha256=shown.result.raw_sha256 if shown else None,
    )


def _curve(shown: Finding | None) -> tuple[str, str] | None:
    """A size distribution in one line: what the curve further down shows."""
    curve = distribution_of(shown.result) if shown else None
    if curve is None:
        return None
    found = curve.statistics()
    text = f"D10 {found.d10:.0f}, D50 {found.d50:.0f}, D90 {found.d90:.0f} nm"
    return text, text


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
        en.append(f"{len(line.findings)} samples tested, all comply; the newest is shown")
        de.append(f"{len(line.findings)} Proben geprüft, alle entsprechen; gezeigt ist die neueste")
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


def _signatures(session: Session, lot: Lot, results: LotResults, released: Signature) -> tuple[SignatureShown, ...]:
    """The review of the results, the submission by the head of QC, and the release: oldest first."""
    reviews = {finding.review.signature_id for finding in results.findings if finding.review}
    found = session.exec(
        select(Signature)
        .where(
            col(Signature.id).in_(reviews) | ((col(Signature.record) == "lot") & (col(Signature.record_id) == lot.id))
        )
        .order_by(col(Signature.id))
    ).all()
    newest = {(one.user_id, one.meaning): one for one in (*found, released)}
    return tuple(
        SignatureShown(
            name=one.name,
            function=one.function,
            meaning=Words(en=one.meaning.value, de=MEANING_DE[one.meaning]),
            signed_at=one.signed_at,
            record_sha256=one.record_sha256,
        )
        for one in sorted(newest.values(), key=lambda one: one.key)
    )
