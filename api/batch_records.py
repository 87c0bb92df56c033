"""The batch record of a lot, from the domain's view of it to the words and tables that the report draws."""

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from sqlmodel import Session, select

from api.cycles import drawn
from domain.certificates.content import DistributionShown, Manufacturer, Words
from domain.disposition.batch_record import BatchRecord, StepRecord, batch_record
from domain.disposition.not_normal import entered
from domain.disposition.queries import ReadingView
from domain.laboratory.keeping import distribution_of
from domain.laboratory.queries import Finding, lot_results
from domain.laboratory.size_distribution import CONVENTION
from domain.laboratory.values import NotReportable, load_value
from domain.lots.models import Lot
from domain.manufacturing.catalogue import step_kind
from domain.quantities import format_decimal
from domain.work import Actor, Site
from reports import batch_record as report
from reports.batch_record import Cell, Grid, Section
from reports.wording import at_site


def batch_record_pdf(session: Session, lot_number: str, site: Site, actor: Actor) -> bytes:
    """The PDF as of now. Raises NotFound; Invalid for a character that cannot be printed."""
    now = site.clock()
    found = batch_record(session, lot_number, now, site.today(now), actor)
    lot = session.exec(select(Lot).where(Lot.lot_number == lot_number)).one()
    curves = tuple(_curves(lot_results(session, lot.key).findings))
    return report.render(_Words(site).record(found, now, curves))


def _curves(findings: Iterable[Finding]) -> Iterator[DistributionShown]:
    """The size distributions that count, as the certificates draw them."""
    for finding in findings:
        curve = distribution_of(finding.result)
        if curve is None or finding.method is None or isinstance(load_value(finding.result.value), NotReportable):
            continue
        found, method = curve.statistics(), finding.method
        figures = {name: f"{getattr(found, name):.1f}" for name in ("mean", "mode", "sd", "d10", "d50", "d90")}
        limit = method.limitation_en or "The lower size limit of the method is not stated."
        yield DistributionShown(
            test_code=finding.result.test_code,
            method=f"{method.label} · {method.principle}",
            weighting="number",
            edges_nm=curve.edges_nm,
            per_ml=curve.values,
            **figures,
            span=f"{found.span:.2f}",
            percent_30_150=f"{found.percent_30_150:.1f}",
            concentration=f"{found.total:.2E} {{particles}}/mL",
            convention=Words(en=CONVENTION[0], de=CONVENTION[1]),
            lower_limit=Words(en=limit, de=method.limitation_de or limit),
            settings=tuple((name, value) for name, value in json.loads(finding.result.settings)),
            flags=finding.flags,
            raw_sha256=finding.result.raw_sha256 or "",
        )


class _Words:
    """What the record says, with the times of the site."""

    def __init__(self, site: Site) -> None:
        self.site = site

    def time(self, at: datetime | None) -> str:
        """`2026-11-20 09:31`, on the clock of the site."""
        return f"{at_site(at, self.site.profile.time_zone):%Y-%m-%d %H:%M}" if at else "–"

    def record(self, found: BatchRecord, now: datetime, curves: tuple[DistributionShown, ...]) -> report.BatchRecord:
        """The whole."""
        profile, file = self.site.profile, found.file
        return report.BatchRecord(
            lot_number=file.lot.lot_number,
            product=file.product.name_en if file.product else _spelled(file.lot.kind).capitalize(),
            recipe=found.recipe or "",
            state=_spelled(file.lot.state).capitalize(),
            maker=Manufacturer(
                name=profile.name,
                tagline=profile.tagline,
                address=profile.address,
                phone=profile.phone,
                email=profile.email,
                licence=profile.licence,
            ),
            time_zone=profile.time_zone,
            drawn_at=now,
            normal=not found.odd,
            exceptions=self._exceptions(found),
            sections=tuple(self._sections(found)),
            curves=curves,
            cycles=tuple(drawn(one.cycle, one.step.number, profile.time_zone) for one in found.steps if one.cycle),
            demonstration=profile.demo,
        )

    def _exceptions(self, found: BatchRecord) -> Section:
        rows = tuple((Cell(about), Cell(what)) for about, what in found.odd)
        grids = (Grid((("About", 1), ("What was not normal", 2.4)), rows),) if rows else ()
        return Section("Not normal", "Auffälligkeiten", grids=grids)

    def _sections(self, found: BatchRecord) -> Iterator[Section]:
        yield self._lot(found)
        yield self._materials(found)
        for place, one in enumerate(found.steps, 1):
            yield self._step(one, place)
        if found.clocks:
            yield self._clocks(found)
        yield self._deviations(found)
        yield self._people(found)

    def _lot(self, found: BatchRecord) -> Section:
        lot, product = found.file.lot, found.file.product
        facts = [
            ("Lot", lot.lot_number),
            ("Kind", _spelled(lot.kind)),
            ("State", _spelled(lot.state)),
            ("Quantity made", _amount(lot.quantity, lot.unit)),
            ("Made on", str(lot.manufactured_on or "–")),
            ("Expires on", str(lot.expires_on or "–")),
            ("Recipe", found.recipe or "none: made by the process catalogue alone"),
        ]
        if product:
            facts += [("Product", product.code), ("Container", product.container)]
        return Section("Lot", "Charge", tuple(facts), page=True)

    def _materials(self, found: BatchRecord) -> Section:
        rows = tuple(
            (
                Cell(one.lot_number, _spelled(one.kind)),
                Cell(one.description or "–", " · ".join(filter(None, (one.supplier, one.supplier_lot_number)))),
                Cell(_amount(one.quantity, one.unit), one.reason),
                Cell(str(one.expires_on or "–")),
                Cell(_spelled(one.origin) if one.origin else "–"),
                Cell(one.step),
            )
            for one in found.materials
        )
        heads = (
            ("Lot", 1),
            ("Material, supplier", 2),
            ("Quantity", 1),
            ("Expires", 0.8),
            ("Animal origin", 0.9),
            ("Step", 0.8),
        )
        said = () if rows else ("Nothing but what the steps show.",)
        return Section(
            "Materials and starting lots", "Ausgangsstoffe", sentences=said, grids=(Grid(heads, rows),) if rows else ()
        )

    def _step(self, one: StepRecord, place: int) -> Section:
        step, kind = one.step, step_kind(one.step.kind)
        facts = [
            ("Step", step.number + (f" · {one.recipe_step}" if one.recipe_step else "")),
            ("Place", step.location),
            ("Started", f"{self.time(step.started_at)}, {step.started_by}" + (" (entered late)" if step.late else "")),
            ("Ended", f"{self.time(step.ended_at)}, {step.completed_by}" if step.ended_at else "not complete"),
            ("Start verified by", one.start_verified or "–"),
            ("Takes", "; ".join(f"{lot.lot_number}: {_amount(lot.quantity, lot.unit)}" for lot in step.consumed)),
            ("Gives", "; ".join(f"{lot.lot_number}: {_amount(lot.quantity, lot.unit)}" for lot in step.yielded)),
        ]
        if step.equipment:
            facts.append(("Equipment as noted", step.equipment))
        said = [
            f"Instruction: {one.instruction}" if one.instruction else "",
            f"Room and line clearance: {one.clearance}" if one.clearance else "",
            f"Out of order: {one.out_of_order}" if one.out_of_order else "",
            f"Comment: {step.comment}" if step.comment else "",
            *(
                f"Sample to take: {point.purpose}, {point.quantity.value} {point.quantity.unit}"
                for point in one.samples
            ),
            *one.statements,
        ]
        return Section(
            f"{place} {kind.en}",
            kind.de,
            tuple(facts),
            tuple(filter(None, said)),
            tuple(self._grids(one)),
        )

    def _grids(self, one: StepRecord) -> Iterator[Grid]:
        if one.equipment:
            rows = tuple(
                (
                    Cell(used.code, used.name),
                    Cell(used.serial),
                    Cell(str(used.calibration_due or "–")),
                    Cell(str(used.maintenance_due or "–")),
                )
                for used in one.equipment
            )
            yield Grid((("Equipment", 2), ("Serial", 1), ("Calibration due", 1), ("Maintenance due", 1)), rows)
        if one.step.readings:
            rows = tuple(self._reading(one, reading) for reading in one.step.readings)
            yield Grid((("Parameter", 1.6), ("Value", 1.6), ("Recorded", 1.4), ("Verified by", 1)), rows)

    def _reading(self, one: StepRecord, reading: ReadingView) -> tuple[Cell, Cell, Cell, Cell]:
        parameter = step_kind(one.step.kind).parameter(reading.parameter)
        notes = [
            reading.alert or "",
            f"comment: {reading.comment}" if reading.comment else "",
            f"corrected because: {reading.reason}" if reading.replaces_id else "",
            "replaced by a correction" if reading.replaced else "",
        ]
        mark: Any = "old" if reading.replaced else "odd" if reading.alert or reading.replaces_id else "plain"
        late = f"; entered late, {self.time(reading.recorded_at)}" if reading.late else ""
        return (
            Cell(parameter.en, "critical" if parameter.critical else ""),
            Cell(entered(reading), "; ".join(filter(None, notes)), mark),
            Cell(reading.recorded_by, self.time(reading.happened_at) + late),
            Cell(one.verified.get(reading.id, "–")),
        )

    def _clocks(self, found: BatchRecord) -> Section:
        rows = tuple(
            (
                Cell(f"{one.after} → {one.before}"),
                Cell(f"{one.at_most_hours} h"),
                Cell(self.time(one.began_at)),
                Cell(self.time(one.stopped_at) if one.stopped_at else "runs"),
                Cell("over" if one.over else "kept", mark="odd" if one.over else "plain"),
            )
            for one in found.clocks
        )
        heads = (("Hold time", 2), ("At most", 0.8), ("From", 1.2), ("Until", 1.2), ("", 0.7))
        return Section("Hold times", "Standzeiten", grids=(Grid(heads, rows),))

    def _deviations(self, found: BatchRecord) -> Section:
        rows = tuple(
            (
                Cell(one.number, one.severity),
                Cell(one.text),
                Cell(one.step or "–"),
                Cell(self.time(one.opened_at), one.opened_by),
            )
            for one in found.deviations
        )
        heads = (("Deviation", 0.9), ("What", 3.2), ("Step", 0.8), ("Opened", 1.1))
        return Section(
            "Deviations",
            "Abweichungen",
            sentences=() if rows else ("None.",),
            grids=(Grid(heads, rows),) if rows else (),
        )

    def _people(self, found: BatchRecord) -> Section:
        people = Grid((("Person", 1), ("Part", 2)), tuple((Cell(name), Cell(part)) for name, part in found.people))
        signed = tuple(
            (
                Cell(about),
                Cell(one.name, one.function),
                Cell(one.meaning.value),
                Cell(self.time(one.signed_at), one.record_sha256[:16]),
            )
            for about, one in found.signatures
        )
        heads = (("On", 1), ("Signed by", 1.4), ("Meaning", 1.2), ("When, digest", 1.3))
        grids = (people, Grid(heads, signed)) if signed else (people,)
        return Section("People and signatures", "Personen und Unterschriften", grids=grids)


def _spelled(code: str) -> str:
    return str(code).replace("_", " ")


def _amount(number: Any, unit: str) -> str:
    return "–" if number is None else f"{format_decimal(number)} {unit}"
