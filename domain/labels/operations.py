"""Acts on labels: each print is recorded, a further one says why, and all printed labels are accounted for (21 CFR 211.125)."""

from typing import Literal

from pydantic import Field
from sqlalchemy.exc import NoResultFound
from sqlmodel import Session, select

from domain.errors import DomainError, Invalid, NotFound, Reason, Refused, Unavailable
from domain.labels.compose import product_labels, sample_labels
from domain.labels.content import DoesNotFit, DrawnLabels, LabelContent, LabelLanguage
from domain.labels.models import Kind, LabelPrint, LabelReconciliation
from domain.labels.queries import prints_of
from domain.laboratory.models import Sample
from domain.lots.lifecycle import state_on
from domain.lots.models import Lot
from domain.lots.operations import lot_named
from domain.permissions import Permission
from domain.store import reading
from domain.work import Actor, Command, Site, Work, operation

MOST = 2000
MOST_OF_A_SAMPLE = 50


class PrintLabels(Command):
    """Print labels for the vials or cartons of a drug product.

    serialised: each gets a serial number, counted on through the lot. first_serial: prints numbers anew that were printed before. reason: why more
    are printed after the first print of the kind.
    """

    lot_number: str = Field(max_length=20)
    kind: Literal["vial", "carton"]
    count: int = Field(ge=1, le=MOST)
    language: LabelLanguage = "en"
    serialised: bool = False
    first_serial: int | None = Field(default=None, ge=1, le=999_999, description="only to print numbers anew")
    reason: str = Field(default="", max_length=1000)


class PrintSampleLabels(Command):
    """Print labels for the containers of a sample; reason: why more are printed after the first print."""

    sample_number: str = Field(max_length=40)
    count: int = Field(ge=1, le=MOST_OF_A_SAMPLE)
    language: LabelLanguage = "en"
    reason: str = Field(default="", max_length=1000)


class ReconcileLabels(Command):
    """Account for all labels of a kind that were printed for a lot; explanation: where they do not add up."""

    lot_number: str = Field(max_length=20)
    kind: Literal["vial", "carton"]
    applied: int = Field(ge=0, le=1_000_000)
    destroyed: int = Field(ge=0, le=1_000_000)
    sample_attached: int = Field(ge=0, le=1_000_000)
    explanation: str = Field(default="", max_length=1000)


Ready = tuple[LabelContent, DrawnLabels]


def _drawn(site: Site, content: LabelContent) -> DrawnLabels:
    if site.print_labels is None:
        raise Unavailable(Reason("no-label-printer", "nothing is set up here that draws labels"))
    try:
        drawn: DrawnLabels = site.print_labels(content)
        return drawn
    except DoesNotFit as long:
        raise Invalid(Reason("label-does-not-fit", long.text, long.field)) from None


def _product_labels_ahead(site: Site, _actor: Actor, command: PrintLabels) -> Ready | None:
    """Drawn before the write lock is held: two thousand labels take seconds."""
    with reading(site.engine) as session:
        try:
            lot = session.exec(select(Lot).where(Lot.lot_number == command.lot_number)).one()
            content = _content_of(site, command, lot, session, prints_of(session, lot.key, Kind(command.kind)))
            return content, _drawn(site, content)
        except (NoResultFound, DomainError):
            return None  # the act refuses it, and the refusal is on record


def _content_of(site: Site, command: PrintLabels, lot: Lot, session: Session, before: list[LabelPrint]) -> LabelContent:
    state = state_on(lot.state, lot.expires_on, site.today())
    serial = _first_serial(command, before)
    return product_labels(session, site, lot, state, command.kind, command.language, command.count, serial)


@operation(Permission.RUN_STEP, prepare=_product_labels_ahead)
def print_labels(work: Work, command: PrintLabels) -> LabelPrint:
    """The first print of a kind needs no reason, every further one does; what is printed is kept, with its files."""
    lot = lot_named(work, command.lot_number)
    before = prints_of(work.session, lot.key, Kind(command.kind))
    _require_reason(before, command.reason)
    content = _content_of(work.site, command, lot, work.session, before)
    return _written(work, lot, None, content, before, command.reason)


@operation(Permission.DRAW_SAMPLE)
def print_sample_labels(work: Work, command: PrintSampleLabels) -> LabelPrint:
    """As for vials; whoever draws samples labels them."""
    sample = work.session.exec(select(Sample).where(Sample.number == command.sample_number)).first()
    if sample is None:
        raise NotFound(Reason("sample-not-found", f"there is no sample {command.sample_number!r}", "sample_number"))
    lot = work.session.exec(select(Lot).where(Lot.id == sample.lot_id).with_for_update()).one()
    before = prints_of(work.session, lot.key, Kind.SAMPLE, sample.key)
    _require_reason(before, command.reason)
    content = sample_labels(work.site, lot, sample, command.language, command.count)
    return _written(work, lot, sample, content, before, command.reason)


@operation(Permission.RUN_STEP)
def reconcile_labels(work: Work, command: ReconcileLabels) -> LabelReconciliation:
    """Printed = applied + destroyed + sample attached, exactly; or the difference is explained."""
    lot = lot_named(work, command.lot_number)
    kind = Kind(command.kind)
    prints = prints_of(work.session, lot.key, kind)
    if not prints:
        raise Refused(Reason("no-labels-printed", f"no {kind.value} labels were printed for lot {lot.lot_number}"))
    printed = sum(one.count for one in prints)
    accounted = command.applied + command.destroyed + command.sample_attached
    if printed != accounted and len(command.explanation) < 3:
        text = (
            f"{printed} {kind.value} labels were printed, and {accounted} are accounted for"
            f" ({command.applied} applied, {command.destroyed} destroyed, {command.sample_attached} attached): count again, or explain the difference"
        )
        raise Refused(Reason("labels-do-not-add-up", text, "explanation"))
    return work.add(
        LabelReconciliation(
            lot_id=lot.key,
            kind=kind,
            last_print_id=prints[-1].key,
            printed=printed,
            applied=command.applied,
            destroyed=command.destroyed,
            sample_attached=command.sample_attached,
            explanation=command.explanation,
            reconciled_at=work.now,
            reconciled_by=work.actor.person,
        )
    )


def _require_reason(before: list[LabelPrint], reason: str) -> None:
    if before and len(reason) < 3:
        text = f"{sum(one.count for one in before)} such labels were printed already; say why more are printed"
        raise Invalid(Reason("reason-needed", text, "reason"))


def _first_serial(command: PrintLabels, before: list[LabelPrint]) -> int | None:
    """The next number of the lot, or, to print numbers anew, the one asked for: it must have been printed before."""
    if not command.serialised:
        return None
    highest = max((one.last_serial for one in before if one.last_serial is not None), default=0)
    if command.first_serial is None:
        return highest + 1
    if command.first_serial + command.count - 1 > highest:
        text = f"serial numbers up to {highest:06d} were printed before; only these can be printed anew"
        raise Invalid(Reason("serial-not-printed", text, "first_serial"))
    return command.first_serial


def _written(
    work: Work, lot: Lot, sample: Sample | None, content: LabelContent, before: list[LabelPrint], reason: str
) -> LabelPrint:
    ready: Ready | None = work.prepared
    drawn = ready[1] if ready is not None and ready[0] == content else _drawn(work.site, content)
    name = f"{content.sample_number or lot.lot_number}-{content.kind}-{len(before) + 1}"
    return work.add(
        LabelPrint(
            lot_id=lot.key,
            sample_id=sample.key if sample else None,
            kind=Kind(content.kind),
            template=content.template,
            language=content.language,
            count=content.count,
            first_serial=content.first_serial,
            last_serial=content.first_serial + content.count - 1 if content.first_serial is not None else None,
            expires_on=content.expires_on,
            content=content.canonical().decode(),
            content_sha256=content.sha256(),
            pdf_sha256=work.keep_document(drawn.pdf, f"{name}.pdf", "application/pdf"),
            zpl_sha256=work.keep_document(drawn.zpl, f"{name}.zpl", "text/plain"),
            reprint_of_id=before[-1].key if before else None,
            reason=reason,
            printed_at=work.now,
            printed_by=work.actor.person,
        )
    )
