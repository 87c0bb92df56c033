"""The trend file of a freeze-dryer becomes part of its step: kept by its digest, judged against the recipe, drawn in the batch record."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Literal

from pydantic import AwareDatetime, Field
from sqlmodel import select

from domain.deviations.models import DeviationOrigin, Severity
from domain.errors import Conflict, Invalid, NotFound, Reason, Refused, refuse_if_any
from domain.instruments.readers import freeze_dryer
from domain.instruments.readers.freeze_dryer import Channel, Cycle, Layout
from domain.manufacturing.catalogue import step_kind
from domain.manufacturing.cycle_logs import (
    LIMITED,
    CycleContent,
    CycleLog,
    Excursion,
    Phase,
    PhaseTimes,
    Trend,
    bounds_of,
    breaks_after,
    current_cycle,
    excursions,
    figures,
    thinned,
    warmest_product,
)
from domain.manufacturing.departures import Departure, depart
from domain.manufacturing.executing import kind_on, refuse_untrained
from domain.manufacturing.models import Step
from domain.manufacturing.readings import CLOCK_SKEW, decided_lots, yielded
from domain.permissions import Permission
from domain.work import Actor, Command, Site, Work, operation

KIND = "lyophilization"


class CycleColumn(Command):
    """Which column of the file is what; the unit, where its head does not say it in brackets."""

    channel: Channel
    head: str = Field(min_length=1, max_length=100, description="as it stands in the file")
    unit: str | None = Field(default=None, max_length=10, examples=["mTorr"])


class CyclePhase(Command):
    """From when until when a phase of the cycle lasted."""

    phase: Phase
    began_at: AwareDatetime
    ended_at: AwareDatetime


class ImportCycle(Command):
    """Import the trend file of a freeze-dryer into its lyophilization step.

    columns: none, where every head says what it is and its unit in brackets. date_order: for dates such as 03/02/2026. began_at: for files that
    count from their beginning. reason: where the step has a file already, which this one replaces.
    """

    step_number: str
    file_name: str = Field(min_length=1, max_length=200)
    data: bytes = Field(repr=False)
    columns: tuple[CycleColumn, ...] = Field(default=(), max_length=40)
    date_order: Literal["ymd", "dmy", "mdy"] | None = None
    began_at: AwareDatetime | None = None
    phases: tuple[CyclePhase, ...] = Field(min_length=1, max_length=3)
    comment: str = Field(default="", max_length=1000)
    reason: str = Field(default="", max_length=1000)


def _read(_site: Site, _actor: Actor, command: ImportCycle) -> Cycle:
    """A long file takes seconds to read, and is read before the database's write lock is held."""
    columns = tuple(freeze_dryer.Column(one.channel, one.head.strip(), one.unit) for one in command.columns)
    return freeze_dryer.read(command.data, Layout(columns, command.date_order, command.began_at))


@operation(Permission.RUN_STEP, prepare=_read)
def import_cycle(work: Work, command: ImportCycle) -> CycleLog:
    """Outside an alert limit or with gaps: a comment. Outside an action limit: a deviation opens by itself. Raises Invalid with line and reason."""
    step = _step(work, command.step_number)
    refuse_if_any(decided_lots(work.session, step))
    refuse_untrained(work, step.key, step.kind)
    cycle: Cycle = work.prepared or _read(work.site, work.actor, command)
    times = [at.replace(tzinfo=at.tzinfo or work.site.zone).astimezone(UTC) for at in cycle.times]
    phases = _phases(work, step, command, times)
    sha256 = work.keep_document(command.data, command.file_name, "text/csv")
    earlier = _earlier(work, step, sha256, command.reason)
    content = _content(work, step, cycle, times, phases)
    _demand_comment(command.comment, content)
    log = work.add(
        CycleLog(
            step_id=step.key,
            sha256=sha256,
            file_name=command.file_name,
            content=content.model_dump_json(),
            comment=command.comment,
            imported_at=work.now,
            imported_by=work.actor.person,
            replaces_id=earlier.key if earlier else None,
            reason=command.reason,
        )
    )
    depart(work, step.key, _departures(content.excursions, command.comment), yielded(work.session, step.key), times[-1])
    return log


def _step(work: Work, number: str) -> Step:
    step = work.session.exec(select(Step).where(Step.number == number).with_for_update()).first()
    if step is None:
        raise NotFound(Reason("step-not-found", f"there is no step {number!r}", "step_number"))
    if step.kind != KIND:
        text = f"step {number} is {step_kind(step.kind).en.lower()}; a freeze-dryer's file belongs to a lyophilization"
        raise Refused(Reason("cycle-of-other-step", text, "step_number"))
    return step


def _phases(work: Work, step: Step, command: ImportCycle, times: Sequence[datetime]) -> list[PhaseTimes]:
    """The phases, UTC, in their order, within the file and within the step. Raises Invalid."""
    said = sorted(command.phases, key=lambda one: list(Phase).index(one.phase))
    if faults := tuple(_phase_faults(work, step, command.phases, times)):
        raise Invalid(*faults)
    return [
        PhaseTimes(phase=one.phase, began_at=one.began_at.astimezone(UTC), ended_at=one.ended_at.astimezone(UTC))
        for one in said
    ]


def _phase_faults(work: Work, step: Step, phases: Sequence[CyclePhase], times: Sequence[datetime]) -> Iterator[Reason]:
    if len({one.phase for one in phases}) < len(phases):
        yield Reason("phase-twice", "each phase of the cycle is given once", "phases")
    if Phase.PRIMARY not in {one.phase for one in phases}:
        yield Reason("cycle-phase-missing", "say from when until when primary drying lasted", "phases")
    end = step.ended_at or work.now
    if times[0] < step.started_at - CLOCK_SKEW or times[-1] > end + CLOCK_SKEW:
        text = (
            f"the file runs from {times[0]:%Y-%m-%d %H:%M} to {times[-1]:%Y-%m-%d %H:%M} UTC, the step from"
            f" {step.started_at:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M}: is it the file of this cycle?"
        )
        yield Reason("cycle-outside-step", text, "file")
    latest = times[0]
    for place, one in sorted(enumerate(phases), key=lambda pair: list(Phase).index(pair[1].phase)):
        name = one.phase.value.replace("_", " ")
        if one.ended_at <= one.began_at:
            yield Reason("times-reversed", f"{name} ends before it begins", f"phases.{place}.ended_at")
        elif one.began_at < latest or one.ended_at > times[-1]:
            text = f"{name} lies outside the file, or before the phase that precedes it"
            yield Reason("phase-outside-file", text, f"phases.{place}.began_at")
        latest = max(latest, one.ended_at)


def _earlier(work: Work, step: Step, sha256: str, reason: str) -> CycleLog | None:
    """The log that this one replaces. Raises Conflict for a file that was imported before, Invalid without a reason."""
    known = work.session.exec(
        select(Step.number).join(CycleLog).where(CycleLog.sha256 == sha256, CycleLog.step_id != step.id)
    ).first()
    if known is not None:
        raise Conflict(Reason("file-of-other-step", f"this very file belongs to step {known}", "file"))
    earlier = current_cycle(work.session, step.key)
    if earlier is not None and not reason:
        text = f"step {step.number} has the file {earlier.file_name} already; say why this one replaces it"
        raise Invalid(Reason("reason-needed", text, "reason"))
    return earlier


def _content(
    work: Work, step: Step, cycle: Cycle, times: Sequence[datetime], phases: Sequence[PhaseTimes]
) -> CycleContent:
    kind = kind_on(work.session, step.key, step_kind(step.kind))
    trends = [Trend(channel=one.channel, head=one.head, unit=one.unit, values=one.values) for one in cycle.curves]
    bounds = bounds_of(kind)
    seconds = [(at - times[0]).total_seconds() for at in times]
    kept = thinned(seconds, trends)
    return CycleContent(
        began_at=times[0],
        rows=len(times),
        seconds=tuple(seconds[place] for place in kept),
        breaks=breaks_after(kept, freeze_dryer.gaps(times)),
        trends=tuple(one.model_copy(update={"values": tuple(one.values[place] for place in kept)}) for one in trends),
        phases=tuple(phases),
        bounds=tuple(bounds),
        excursions=tuple(excursions(times, trends, phases, bounds)),
        flags=(*cycle.flags, *_not_judged(times, trends, phases)),
        figures=figures(times, trends, phases),
        warmest=warmest_product(times, trends, phases),
        read_as=cycle.read_as,
    )


def _not_judged(times: Sequence[datetime], trends: Sequence[Trend], phases: Sequence[PhaseTimes]) -> Iterator[str]:
    """What nothing can be said of: phases that were not given, and channels without a value in a phase."""
    given = {one.phase: one for one in phases}
    for phase in (one for one in Phase if one not in given):
        yield f"{phase.value.replace('_', ' ')} was not given and is not judged"
    for phase, channel in LIMITED:
        own = [one for one in trends if one.channel == channel]
        inside = [
            place
            for place, at in enumerate(times)
            if phase in given and given[phase].began_at <= at <= given[phase].ended_at
        ]
        if phase in given and not any(one.values[place] is not None for one in own for place in inside):
            yield f"{channel.replace('_', ' ')} has no value in {phase.value.replace('_', ' ')} and is not judged"


def _demand_comment(comment: str, content: CycleContent) -> None:
    told = [*content.flags, *(one.said() for one in content.excursions)]
    if told and not comment:
        raise Invalid(*(Reason("comment-needed", f"{one}. Say why in a comment.", "comment") for one in told[:20]))


def _departures(found: Sequence[Excursion], comment: str) -> list[Departure]:
    return [
        Departure(DeviationOrigin.READING, "outside-action-bounds", f"{one.said()}. {comment}", Severity.MAJOR)
        for one in found
        if one.bound.level in ("action", "hard")
    ]
