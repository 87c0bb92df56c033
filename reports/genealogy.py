"""The genealogy of a lot as an SVG picture: lots as boxes, steps as small discs, quantities on the lines between them.

Time runs from left to right. The picture needs no script, its text can be selected, and its colours follow the page.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol
from xml.sax.saxutils import escape, quoteattr

from reports.style import REGULAR, SEMIBOLD, shortened, width_of
from reports.wording import for_people

MOST_LOTS = 200
BOX_WIDTH, BOX_HEIGHT, STEP_WIDTH, GAP_X, GAP_Y, EDGE = 190.0, 52.0, 84.0, 76.0, 16.0, 16.0
Node = tuple[Literal["lot", "step"], str]


class TraceLot(Protocol):
    """A lot of the trace; `distance` is negative for ancestors, 0 for the lot itself, positive for descendants."""

    @property
    def lot_number(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def distance(self) -> int: ...


class TraceEdge(Protocol):
    """A step consumed or yielded a quantity of a lot; `step` is the step's number, `kind` what was done."""

    @property
    def step(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def lot_number(self) -> str: ...
    @property
    def direction(self) -> Literal["consumed", "yielded"]: ...
    @property
    def quantity(self) -> str: ...
    @property
    def unit(self) -> str: ...


class Trace(Protocol):
    """A lot with its ancestors and descendants."""

    @property
    def lot_number(self) -> str: ...
    @property
    def lots(self) -> Sequence[TraceLot]: ...
    @property
    def edges(self) -> Sequence[TraceEdge]: ...


_TONES = {
    "good": ("released", "certified"),
    "bad": ("rejected", "recalled", "destroyed"),
    "warn": ("quarantine", "on_hold", "hold", "expired", "conditional", "returned", "under_test", "qa_review"),
}
_TONE_OF = {state: tone for tone, states in _TONES.items() for state in states}
_STYLE = (
    ".exo-trace{font-family:var(--font,'Source Sans Pro',system-ui,sans-serif)}"
    ".exo-trace text{fill:var(--text,currentColor)}.exo-trace .minor{fill:var(--muted,currentColor);font-size:11px}"
    ".exo-trace .number{font-size:14px;font-weight:600}.exo-trace .small{font-size:11px}"
    ".exo-trace .box{fill:var(--surface,transparent);stroke:currentColor;stroke-opacity:.35}"
    ".exo-trace .self .box{stroke:var(--accent,#1b8a8f);stroke-opacity:1;stroke-width:2.5}"
    ".exo-trace a:hover .box,.exo-trace a:focus .box{stroke:var(--accent,#1b8a8f);stroke-opacity:1;stroke-width:2}"
    ".exo-trace .line{fill:none;stroke:currentColor;stroke-opacity:.4;stroke-width:1.3}"
    ".exo-trace .step{fill:var(--accent,#1b8a8f)}.exo-trace .tip{fill:currentColor;fill-opacity:.55}"
    ".exo-trace .state{font-size:11px;font-weight:600}.exo-trace .bar{fill:var(--muted,#6b7c84)}"
    ".exo-trace .halo{stroke:var(--background,Canvas);stroke-width:4px;paint-order:stroke;stroke-linejoin:round}"
    ".exo-trace .good .bar{fill:var(--good,#16803f)}.exo-trace .bad .bar{fill:var(--bad,#c0362c)}"
    ".exo-trace .warn .bar{fill:var(--warn,#b86e00)}"
)


@dataclass(frozen=True, slots=True)
class _Drawn:
    """What is drawn: the nearest lots, the edges between them, and where every node stands (its left middle)."""

    trace: Trace
    lots: tuple[TraceLot, ...]
    edges: tuple[TraceEdge, ...]
    place: dict[Node, tuple[float, float]]
    size: tuple[float, float]


def trace_svg(trace: Trace, *, href: Callable[[str], str | None] = lambda _: None, ident: str = "genealogy") -> str:
    """The trace as SVG; `href` gives the address of a lot's page, or None; `ident` must be unique on the page.

    Beyond 200 lots the 200 nearest are drawn and the picture says how many are not.
    """
    drawn = _arranged(trace)
    left_out = len(trace.lots) - len(drawn.lots)
    width, height = drawn.size
    name, note = escape(ident, {'"': "&quot;"}), ""
    if left_out:
        note = f'<text class="minor" x="{EDGE}" y="{height + 8:.0f}">{_left_out(left_out)}</text>'
        height += 20
    lines = [_line(drawn, edge) for edge in drawn.edges]
    parts = [
        *(line for line, _ in lines),
        *(label for _, label in lines),
        *_steps(drawn),
        *(_box(drawn, lot, href) for lot in drawn.lots),
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="exo-trace" role="group" aria-labelledby="{name}-t" '
        f'aria-describedby="{name}-d" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" height="{height:.0f}">'
        f'<title id="{name}-t">Genealogy of lot {escape(trace.lot_number)}</title>'
        f'<desc id="{name}-d">{escape(_described(drawn, left_out))}</desc>'
        f"<style>{_STYLE}</style>{''.join(parts)}{note}</svg>"
    )


def _left_out(count: int) -> str:
    return f"{count} more distant lot{'s are' if count > 1 else ' is'} not drawn."


def _described(drawn: _Drawn, left_out: int) -> str:
    before = sum(lot.distance < 0 for lot in drawn.lots)
    after = sum(lot.distance > 0 for lot in drawn.lots)
    steps = len({edge.step for edge in drawn.edges})
    said = (
        f"From left to right: {before} lots it was made from, the lot itself, {after} lots made from it; {steps} steps."
    )
    return f"{said} {_left_out(left_out)}" if left_out else said


def _arranged(trace: Trace) -> _Drawn:
    nearest = sorted(trace.lots, key=lambda lot: (abs(lot.distance), lot.distance, lot.lot_number))[:MOST_LOTS]
    kept = {lot.lot_number for lot in nearest}
    edges = _kept_edges(trace.edges, kept)
    nodes: dict[Node, None] = {("lot", lot.lot_number): None for lot in nearest}
    nodes |= {("step", edge.step): None for edge in edges}
    after: dict[Node, list[Node]] = defaultdict(list)
    before: dict[Node, list[Node]] = defaultdict(list)
    for edge in edges:
        lot, step = ("lot", edge.lot_number), ("step", edge.step)
        source, target = (lot, step) if edge.direction == "consumed" else (step, lot)
        after[source].append(target)  # type: ignore[index,arg-type]
        before[target].append(source)  # type: ignore[index,arg-type]
    columns = _ordered(_layers(list(nodes), before, after), before, after)
    place, size = _placed(columns)
    return _Drawn(trace, tuple(nearest), edges, place, size)


def _kept_edges(edges: Sequence[TraceEdge], kept: set[str]) -> tuple[TraceEdge, ...]:
    """Edges of drawn lots, each once; without steps that lost their other end because it is not drawn."""
    lots_of: dict[str, set[str]] = defaultdict(set)
    for edge in edges:
        lots_of[edge.step].add(edge.lot_number)
    whole = {step for step, lots in lots_of.items() if lots <= kept or len(lots & kept) > 1}
    found = {
        (edge.step, edge.lot_number, edge.direction): edge
        for edge in edges
        if edge.step in whole and edge.lot_number in kept
    }
    return tuple(found.values())


def _layers(nodes: list[Node], before: dict[Node, list[Node]], after: dict[Node, list[Node]]) -> list[list[Node]]:
    """Every node right of all it comes from; what comes from nothing stands just before its first use.

    A cycle cannot be recorded; should one come in, its nodes are placed in the order given instead of never ending.
    """
    waiting = {node: len(before[node]) for node in nodes}
    ready = [node for node in nodes if not waiting[node]]
    order: list[Node] = []
    while len(order) < len(nodes):
        if not ready:
            ready.append(next(node for node in nodes if waiting[node] > 0))
        node = ready.pop(0)
        waiting[node] = -1
        order.append(node)
        for target in after[node]:
            if waiting[target] > 0:
                waiting[target] -= 1
                if not waiting[target]:
                    ready.append(target)
    layer: dict[Node, int] = {}
    for node in order:
        layer[node] = max((layer[source] + 1 for source in before[node] if source in layer), default=0)
    for node in reversed(order):
        if not before[node] and after[node]:
            layer[node] = max(min(layer[target] for target in after[node]) - 1, 0)
    columns: list[list[Node]] = [[] for _ in range(max(layer.values(), default=0) + 1)]
    for node in nodes:
        columns[layer[node]].append(node)
    return [column for column in columns if column]


def _ordered(
    columns: list[list[Node]], before: dict[Node, list[Node]], after: dict[Node, list[Node]]
) -> list[list[Node]]:
    """Columns sorted by where their neighbours stand (barycentres, swept to and fro), so that few lines cross."""
    position = {node: index / len(column) for column in columns for index, node in enumerate(column)}

    def sweep(order: Iterable[list[Node]], neighbours: dict[Node, list[Node]]) -> None:
        for column in order:
            wanted = {
                node: sum(position[other] for other in neighbours[node]) / len(neighbours[node])
                if neighbours[node]
                else position[node]
                for node in column
            }
            column.sort(key=lambda node: (wanted[node], node))
            position.update({node: (index + 0.5) / len(column) for index, node in enumerate(column)})

    for _ in range(4):
        sweep(columns, before)
        sweep(reversed(columns), after)
    return columns


def _placed(columns: list[list[Node]]) -> tuple[dict[Node, tuple[float, float]], tuple[float, float]]:
    """Left edge and middle height of every node, and the size of the whole picture (px)."""
    pitch = BOX_HEIGHT + GAP_Y
    height = max((len(column) for column in columns), default=1) * pitch + 2 * EDGE
    place: dict[Node, tuple[float, float]] = {}
    x = EDGE
    for column in columns:
        wide = BOX_WIDTH if any(kind == "lot" for kind, _ in column) else STEP_WIDTH
        top = (height - len(column) * pitch) / 2
        for row, node in enumerate(column):
            inset = 0.0 if node[0] == "lot" else (wide - STEP_WIDTH) / 2
            place[node] = (x + inset, top + (row + 0.5) * pitch)
        x += wide + GAP_X
    return place, (x - GAP_X + EDGE, height)


def _line(drawn: _Drawn, edge: TraceEdge) -> tuple[str, str]:
    """The curve of an edge with its tip, and its quantity in the middle (labels are drawn over all curves)."""
    lot_x, lot_y = drawn.place["lot", edge.lot_number]
    step_x, step_y = drawn.place["step", edge.step]
    middle = step_x + STEP_WIDTH / 2
    if edge.direction == "consumed":
        x1, y1, x2, y2 = lot_x + BOX_WIDTH, lot_y, middle - 14, step_y
    else:
        x1, y1, x2, y2 = middle + 9, step_y, lot_x - 6, lot_y
    bend = max((x2 - x1) * 0.5, 24.0)
    path = f"M{x1:.1f} {y1:.1f}C{x1 + bend:.1f} {y1:.1f} {x2 - bend:.1f} {y2:.1f} {x2:.1f} {y2:.1f}"
    tip = f'<path class="tip" d="M{x2 - 1:.1f} {y2 - 4:.1f}l7 4l-7 4z"/>'
    # A lot still in process has no quantity yet.
    quantity = escape(for_people(f"{edge.quantity} {edge.unit}")) if edge.quantity else ""
    at = f'x="{(x1 + x2) / 2:.1f}" y="{(y1 + y2) / 2 + 4:.1f}"'
    label = f'<text class="minor halo" {at} text-anchor="middle">{quantity}</text>' if quantity else ""
    return f'<path class="line" d="{path}"/>{tip}', label


def _steps(drawn: _Drawn) -> list[str]:
    parts = []
    for edge in {edge.step: edge for edge in drawn.edges}.values():
        x, y = drawn.place["step", edge.step]
        x += STEP_WIDTH / 2
        kind = escape(_shortened(_worded(edge.kind), STEP_WIDTH + GAP_X - 30, 11, REGULAR))
        parts.append(
            f"<g><title>{escape(f'Step {edge.step}: {_worded(edge.kind)}')}</title>"
            f'<circle class="step" cx="{x:.1f}" cy="{y:.1f}" r="7"/>'
            f'<text class="small halo" x="{x:.1f}" y="{y + 21:.1f}" text-anchor="middle">{kind}</text>'
            f'<text class="minor halo" x="{x:.1f}" y="{y - 13:.1f}" text-anchor="middle">{escape(edge.step)}</text></g>'
        )
    return parts


def _worded(code: str) -> str:
    return code.replace("_", " ").lower()


def _shortened(text: str, width: float, size: float, font: str) -> str:
    """Cut to the width, kept a fifth below it, because a page may show a wider font than ours."""
    return shortened(text, font, size, width / 1.2)


def _box(drawn: _Drawn, lot: TraceLot, href: Callable[[str], str | None]) -> str:
    x, middle = drawn.place["lot", lot.lot_number]
    y, state = middle - BOX_HEIGHT / 2, _worded(lot.state)
    tone = _TONE_OF.get(lot.state.lower(), "plain")
    itself = " self" if lot.lot_number == drawn.trace.lot_number else ""
    number = _shortened(lot.lot_number, BOX_WIDTH - 24, 14, SEMIBOLD)
    wide = width_of(state, SEMIBOLD, 11) * 1.2
    kind = _shortened(_worded(lot.kind), BOX_WIDTH - 34 - wide, 11, REGULAR)
    full = f"Lot {lot.lot_number}: {_worded(lot.kind)}, {state}"
    drawing = (
        f'<g class="{tone}{itself}"><title>{escape(full)}</title>'
        f'<rect class="box" x="{x:.1f}" y="{y:.1f}" width="{BOX_WIDTH:.0f}" height="{BOX_HEIGHT:.0f}" rx="6"/>'
        f'<rect class="bar" x="{x:.1f}" y="{y + 6:.1f}" width="5" height="{BOX_HEIGHT - 12:.0f}" rx="2"/>'
        f'<text class="number" x="{x + 14:.1f}" y="{y + 22:.1f}">{escape(number)}</text>'
        f'<text class="minor" x="{x + 14:.1f}" y="{y + 40:.1f}">{escape(kind)}</text>'
        f'<text class="state" x="{x + BOX_WIDTH - 10:.1f}" y="{y + 40:.1f}" text-anchor="end">{escape(state)}</text>'
        "</g>"
    )
    address = href(lot.lot_number)
    return drawing if address is None else f"<a href={quoteattr(address)} aria-label={quoteattr(full)}>{drawing}</a>"
