"""The demo laboratory: a clock of its own, people who act through the real operations, and stories told side by side.

A story is a generator that yields when it goes on. `Lab.tell` always lets the story go on whose time comes first, so that the
history of many lots is written in the order in which it would have happened.
"""

import heapq
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import Any, Protocol, TypeVar

from pydantic import SecretStr
from sqlmodel import select

from api.demo.cast import CAST
from api.demo_files import CYCLE_PHASES, freeze_dryer_log
from domain.instruments.cycles import CyclePhase, ImportCycle, import_cycle
from domain.lots.models import LotKind
from domain.lots.operations import Amount
from domain.manufacturing.catalogue import step_kind
from domain.manufacturing.cycle_logs import Phase
from domain.manufacturing.ending import complete_step
from domain.manufacturing.models import Step
from domain.manufacturing.readings import yielded
from domain.manufacturing.step_commands import CompleteStep, Entry, Input, Measured, Output, StartStep
from domain.manufacturing.steps import start_step
from domain.people.models import User
from domain.permissions import permissions_of
from domain.signatures import Credentials
from domain.store import reading
from domain.work import Actor, Command, Site, Work, perform


class Control(Protocol):
    """How the steps of one product are done under its recipe (`api.demo.control`)."""

    @property
    def product(self) -> str: ...
    def at_start(self, kind: str) -> dict[str, Any]: ...
    def seen(self, lab: "Lab", number: str) -> None: ...
    def checked(self, lab: "Lab", number: str) -> None: ...


ResultT = TypeVar("ResultT")
CommandT = TypeVar("CommandT", bound=Command)
Story = Generator[datetime, None, ResultT]
Said = str | Entry | None

#: Where each kind of step is done, and with what.
PLACES: dict[str, tuple[str, str]] = {
    "procurement": ("Tissue reception, room 101", "Transport logger TL-31"),
    "isolation": ("Clean room C1", "Safety cabinet SC-2, centrifuge Z-4"),
    "banking": ("Clean room C1", "Controlled-rate freezer CRF-1"),
    "expansion": ("Clean room C2", "Incubators I-3 to I-6"),
    "conditioning": ("Clean room C2", "Incubators I-3 to I-6"),
    "harvest": ("Clean room C2", "Collection bags, scale W-7"),
    "clarification": ("Clean room C3", "Centrifuge Z-6, pump P-2"),
    "purification": ("Clean room C3", "TFF skid TFF-1"),
    "pooling": ("Clean room C3", "Freezer F-80-2"),
    "formulation": ("Clean room B1", "Mixing vessel MV-5"),
    "fill": ("Isolator A1", "Filling line FL-1"),
    "lyophilization": ("Freeze-drying, room 121", "Freeze dryer FD-2"),
    "packaging": ("Packaging, room 130", "Inspection booth IB-1"),
}


@dataclass
class Lab:
    """The laboratory while its history is told. first_day: a Monday; days are counted from it."""

    real: Site
    first_day: date
    now: datetime = field(init=False)
    site: Site = field(init=False)
    materials: dict[str, str] = field(default_factory=dict)
    banks: dict[str, str] = field(default_factory=dict)
    control: Control | None = None
    _people: dict[str, Actor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.now = self.at(0, "07:30")
        self.site = replace(self.real, clock=lambda: self.now)

    def at(self, day: int, clock: str) -> datetime:
        """`at(14, "09:30")`: the time at the site on a day."""
        return datetime.combine(self.first_day + timedelta(days=day), time.fromisoformat(clock), self.real.zone)

    def tell(self, *stories: Story[None]) -> None:
        """Let every story go on when its time comes."""
        waiting = [(next(story), place, story) for place, story in enumerate(stories)]
        heapq.heapify(waiting)
        while waiting:
            when, place, story = heapq.heappop(waiting)
            self.now = max(self.now, when)
            if (after := next(story, None)) is not None:
                heapq.heappush(waiting, (after, place, story))

    def act(
        self, who: str, operation: Callable[[Work, CommandT], ResultT], command: CommandT, reason: str = ""
    ) -> ResultT:
        """One act of one person, a minute after the one before."""
        self.now += timedelta(minutes=1)
        return perform(self.site, self._actor(who), operation, command, reason)

    def _actor(self, username: str) -> Actor:
        if username not in self._people:
            roles = next(one.roles for one in CAST if one.username == username)
            with reading(self.site.engine) as session:
                user = session.exec(select(User).where(User.username == username)).one()
            self._people[username] = Actor(user.id, username, user.name, user.function, permissions_of(roles))
        return self._people[username]

    def begin(
        self,
        kind: str,
        inputs: Sequence[Input],
        output: LotKind,
        unit: str,
        *,
        who: str = "tom",
        said: Mapping[str, Said] | None = None,
        **more: Any,
    ) -> tuple[str, str]:
        """Start a step; returns its number and that of the lot it will give."""
        room, equipment = PLACES[kind]
        wanted = (Output(kind=output, unit=unit),)
        entries = tuple(entry for entry in readings(kind, said or {}) if said and entry.parameter in said)
        governed = self.control if self.control and more.get("product_code") == self.control.product else None
        if governed:
            more |= governed.at_start(kind)
        command = StartStep(
            kind=kind,
            location=room,
            equipment=equipment,
            inputs=tuple(inputs),
            outputs=wanted,
            readings=entries,
            **more,
        )
        step: Step = self.act(who, start_step, command)
        if governed:
            governed.seen(self, step.number)
        with reading(self.site.engine) as session:
            (lot,) = yielded(session, step.key)
        return step.number, lot.lot_number

    def step(
        self, kind: str, start: datetime, hours: float, inputs: Sequence[Input], output: tuple[LotKind, str, str],
        said: Mapping[str, Said] | None = None, *, who: str = "tom", comment: str = "", **more: Any,
    ) -> Story[str]:  # fmt: skip
        """A step from `start` for `hours`; returns the lot it gave. output: kind, quantity, unit."""
        yield start
        what, quantity, unit = output
        step, lot = self.begin(kind, inputs, what, unit, who=who, **more)
        yield start + timedelta(hours=hours)
        measured = (Measured(lot_number=lot, quantity=Amount(value=quantity, unit=unit)),)
        entries = readings(kind, said or {})
        self.act(
            who, complete_step, CompleteStep(step_number=step, outputs=measured, readings=entries, comment=comment)
        )
        if self.control and more.get("product_code") == self.control.product:
            self.control.checked(self, step)
            if kind == "lyophilization":
                self.trend(step, start, who)
        return lot

    def trend(self, step: str, start: datetime, who: str) -> None:
        """The freeze-dryer's file of a cycle that began half an hour after the step."""
        began = start + timedelta(minutes=30)
        data = freeze_dryer_log(began_at=began.astimezone(self.real.zone).replace(tzinfo=None), seed=len(step))
        phases = tuple(
            CyclePhase(
                phase=Phase(name), began_at=began + timedelta(hours=first), ended_at=began + timedelta(hours=last)
            )
            for name, (first, last) in CYCLE_PHASES.items()
        )
        command = ImportCycle(step_number=step, file_name=f"FD-2 {step}.csv", data=data, phases=phases)
        self.act(who, import_cycle, command)

    def material(self, key: str, quantity: str) -> Input:
        """An amount of an accepted raw material: `material("medium", "1.5 L")`."""
        return taken(self.materials[key], quantity)


def taken(lot: str, quantity: str, share: str | None = None) -> Input:
    """An amount of a lot: `taken("WCB26-0001", "4 {vial}")`."""
    value, unit = quantity.split(" ", 1)
    return Input(lot_number=lot, quantity=Amount(value=value, unit=unit), share=share)


def credentials(username: str) -> Credentials:
    """Both components of somebody's signature."""
    password = next(one.password for one in CAST if one.username == username)
    return Credentials(username=username, password=SecretStr(password))


def readings(kind: str, said: Mapping[str, Said]) -> tuple[Entry, ...]:
    """All that a step of the kind must record and all that is said; what is not said is as the catalogue's examples.

    said: values in the catalogue's unit, whole entries (for comments and late entries), or None to leave one out.
    """
    parameters = {parameter.code: parameter for parameter in step_kind(kind).parameters}
    values = {code: parameter.example for code, parameter in parameters.items() if parameter.required} | dict(said)
    for code, parameter in parameters.items():
        if code not in values and any(values.get(key) in choices for key, choices in parameter.needed_when.items()):
            values[code] = parameter.example
    return tuple(
        value if isinstance(value, Entry) else Entry(parameter=code, value=value, unit=parameters[code].unit)
        for code, value in values.items()
        if value is not None
    )
