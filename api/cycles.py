"""The trend of a freeze-drying cycle, from what the domain keeps to what the reports draw."""

import re
from datetime import datetime, timedelta
from typing import Literal, cast

from domain.manufacturing.cycle_logs import CycleContent, CycleView, Phase
from reports.cycle import CycleShown, Limit, Line, Panel, parts_of
from reports.wording import at_site

_NAMES = {Phase.FREEZING: "Freezing", Phase.PRIMARY: "Primary drying", Phase.SECONDARY: "Secondary drying"}
_CHANNELS = {
    "shelf_temperature": "shelf",
    "product_temperature": "product",
    "chamber_pressure": "capacitance",
    "pirani_pressure": "pirani",
}


def drawn(cycle: CycleView, step: str, time_zone: str) -> CycleShown:
    """A log as it is drawn, with the times of the site."""
    content = cycle.content
    told = [one.said() for one in content.excursions]
    flat = "; ".join((*told, *content.flags)) or "no limit was left, nothing is missing"
    facts = (
        ("Step", step),
        ("Begins", f"{at_site(content.began_at, time_zone):%Y-%m-%d %H:%M}"),
        *content.figures,
        ("Readings", str(content.rows)),
        ("File", f"{cycle.file_name}, SHA-256 {cycle.sha256[:16]}…"),
        ("Imported", f"{cycle.imported_by}, {at_site(cycle.imported_at, time_zone):%Y-%m-%d %H:%M}"),
    )
    comment = (f"Comment: {cycle.comment}",) if cycle.comment else ()
    return CycleShown(
        title=f"Freeze-drying cycle, step {step}",
        told=f"Temperatures and pressures over {content.seconds[-1] / 3600:.1f} hours: {flat}.",
        hours=content.seconds[-1] / 3600,
        phases=tuple(
            (_NAMES[one.phase], _hour(content, one.began_at), _hour(content, one.ended_at)) for one in content.phases
        ),
        panels=tuple(panel for panel in (_panel(content, "Cel"), _panel(content, "mbar")) if panel.lines),
        facts=facts,
        odd=(*told, *content.flags, *comment),
    )


def _hour(content: CycleContent, at: datetime) -> float:
    return (at - content.began_at) / timedelta(hours=1)


def _panel(content: CycleContent, unit: str) -> Panel:
    hours = [second / 3600 for second in content.seconds]
    own = [one for one in content.trends if one.unit == unit]
    lines = (Line(_name(one.channel, one.head), parts_of(hours, one.values, content.breaks)) for one in own)
    spans = {one.phase: (_hour(content, one.began_at), _hour(content, one.ended_at)) for one in content.phases}
    limits = tuple(
        Limit(cast(Literal["alert", "action", "hard"], one.level), *spans[one.phase], one.value)
        for one in content.bounds
        if one.phase in spans and one.channel in {trend.channel for trend in own} and one.level != "hard"
    )
    if unit == "Cel":
        return Panel("Temperature", "°C", tuple(lines), limits)
    return Panel("Chamber pressure", "mbar", tuple(lines), limits, decades=True)


def _name(channel: str, head: str) -> str:
    """The head without its unit, which stands on the axis; behind what it is, where the head does not say that."""
    plain = re.sub(r"\s*[\[(][^\])]*[\])]\s*$", "", head) or head
    word = _CHANNELS[channel]
    return (plain if word in plain.casefold() else f"{word}, {plain}")[:34]
