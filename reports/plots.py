"""The size distribution as an SVG for a page; `curve.py` paints the same on paper."""

from collections.abc import Sequence
from itertools import pairwise
from xml.sax.saxutils import escape

from reports.histogram import (
    BAND,
    Axes,
    Histogram,
    Point,
    area,
    axes_for,
    beyond_text,
    density_at,
    histogram,
    number_of,
    scale_of,
    ticks,
)
from reports.style import REGULAR, SEMIBOLD, width_of

_SVG_STYLE = (
    ".exo-plot text{font:12px var(--font,'Source Sans Pro',system-ui,sans-serif);fill:var(--muted,currentColor)}"
    ".exo-plot .said{fill:var(--text,currentColor);font-weight:600;font-size:13px}"
    ".exo-plot .grid{stroke:currentColor;stroke-opacity:.16}.exo-plot .axis{stroke:currentColor}"
    ".exo-plot .band{fill:var(--accent,#1b8a8f);fill-opacity:.10}"
    ".exo-plot .edge{stroke:var(--accent,#1b8a8f);stroke-dasharray:4 3}"
    ".exo-plot .in,.exo-plot .out{fill:var(--accent,#1b8a8f)}"
    ".exo-plot .in{fill-opacity:.55}.exo-plot .out{fill-opacity:.25}"
    ".exo-plot .curve{fill:none;stroke:var(--text,currentColor);stroke-width:1.5;stroke-linejoin:round}"
    ".exo-plot .mode{fill:var(--text,currentColor)}"
)


def distribution_svg(
    edges: Sequence[float],
    values: Sequence[float],
    *,
    mode: str,
    percent_30_150: str,
    title: str = "Particle size distribution",
    ident: str = "size-distribution",
    width: int = 760,
    height: int = 380,
) -> str:
    """The distribution as an accessible SVG (edges in nm, n + 1; values n, in {particles}/mL; figures as text).

    Colours come from `--text`, `--muted`, `--accent` of the page, else from currentColor; `ident` is unique on a page.
    """
    shown = histogram(edges, values)
    axes = axes_for(shown, width - 76, height - 70)
    above = not _svg_room(axes, mode, percent_30_150)
    if above:
        axes = axes_for(shown, width - 76, height - 82)
    desc = (
        f"Mode {mode} nm; {percent_30_150} % of the particles within 30 to 150 nm. Drawn from 0 to {axes.x_end:g} nm."
    )
    body = "".join(
        (*_svg_grid(axes), *_svg_curve(shown, axes), *_svg_labels(shown, axes, mode, percent_30_150, above=above))
    )
    name = escape(ident, {'"': "&quot;"})
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="exo-plot" role="img" aria-labelledby="{name}-t {name}-d" '
        f'viewBox="0 0 {width} {height}" width="100%"><title id="{name}-t">{escape(title)}</title>'
        f'<desc id="{name}-d">{escape(desc)}</desc><style>{_SVG_STYLE}</style>'
        f'<g transform="translate(60 {height - 54})">{body}</g></svg>'
    )


def _svg_grid(axes: Axes) -> list[str]:
    low, high = axes.x(BAND[0]), axes.x(BAND[1])
    divisor, unit = scale_of(axes)
    parts = [
        f'<rect class="band" x="{low:.1f}" y="{-axes.height:.1f}" width="{high - low:.1f}" height="{axes.height:.1f}"/>'
    ]
    for tick in ticks(axes.y_end / divisor, 7):
        y = -axes.y(tick * divisor)
        parts.append(f'<path class="grid" d="M0 {y:.1f}H{axes.width:.1f}"/>')
        parts.append(f'<text x="-8" y="{y + 4:.1f}" text-anchor="end">{tick:g}</text>')
    for tick in ticks(axes.x_end, 8):
        x = axes.x(tick)
        parts.append(
            f'<path class="axis" d="M{x:.1f} 0v4"/><text x="{x:.1f}" y="18" text-anchor="middle">{tick:g}</text>'
        )
    parts.append(f'<path class="axis" d="M0 0H{axes.width:.1f}"/>')
    parts.append(f'<text x="{axes.width / 2:.1f}" y="42" text-anchor="middle">Hydrodynamic diameter [nm]</text>')
    parts.append(
        f'<text transform="translate(-44 {-axes.height / 2:.1f}) rotate(-90)" text-anchor="middle">'
        f"Particles [{unit}]</text>"
    )
    return parts


def _svg_curve(shown: Histogram, axes: Axes) -> list[str]:
    low, high = BAND
    parts = [
        f'<path class="{name}" d="{_svg_path(area(shown, axes, start, end))}"/>'
        for name, start, end in (("out", 0.0, low), ("in", low, high), ("out", high, axes.x_end))
        if area(shown, axes, start, end)
    ]
    parts.append(f'<path class="curve" d="{_svg_path(area(shown, axes, 0.0, axes.x_end))}"/>')
    return parts + [f'<path class="edge" d="M{axes.x(nm):.1f} 0V{-axes.height:.1f}"/>' for nm in BAND]


def _svg_path(points: tuple[Point, ...]) -> str:
    """Steps as alternating H and V commands: half the characters of lines to points; level neighbours are joined."""
    turns = [(f"{x:.1f}", f"{-y:.1f}") for x, y in points]
    path, height, pen = f"M{turns[0][0]} {turns[0][1]}", turns[0][1], turns[0][0]
    for (before, _), (_, y) in pairwise(turns):
        if y != height:
            path += (f"H{before}" if before != pen else "") + f"V{y}"
            height, pen = y, before
    return path + (f"H{turns[-1][0]}" if turns[-1][0] != pen else "")


def _svg_beside(axes: Axes, mode: str) -> float:
    """Where words right of the band and of the mode begin."""
    number = number_of(mode)
    beside = axes.x(BAND[1]) + 12
    return max(beside, axes.x(number) + 22) if number is not None and number < axes.x_end else beside


def _svg_room(axes: Axes, mode: str, percent: str) -> bool:
    """Whether the words fit right of the band; a page's own font may be a sixth wider than ours, a German word too."""
    said = f"{percent} % within 30–150 nm"
    return _svg_beside(axes, mode) + width_of(said, SEMIBOLD, 13) * 1.2 <= axes.width


def _svg_labels(shown: Histogram, axes: Axes, mode: str, percent: str, *, above: bool) -> list[str]:
    """Mode and share: right of the band, or above the plot where there is no room beside it."""
    top, beside = -axes.height + 18, _svg_beside(axes, mode)
    parts: list[str] = []
    number = number_of(mode)
    if number is not None and number < axes.x_end:
        x, y = axes.x(number), -axes.y(density_at(shown, number))
        if not above:
            parts.append(f'<path class="axis" d="M{x:.1f} {y:.1f}L{beside - 6:.1f} {top - 4:.1f}"/>')
        parts.append(f'<circle class="mode" cx="{x:.1f}" cy="{y:.1f}" r="4"/>')
        place = f'x="0" y="{-axes.height - 10:.1f}"' if above else f'x="{beside:.1f}" y="{top:.1f}"'
        parts.append(f'<text class="said" {place}>Mode {escape(mode)} nm</text>')
    said = f"{escape(percent)} % within 30–150 nm"
    place = (
        f'x="{axes.width:.1f}" y="{-axes.height - 10:.1f}" text-anchor="end"'
        if above
        else f'x="{beside:.1f}" y="{top + 20:.1f}"'
    )
    parts.append(f'<text class="said" {place}>{said}</text>')
    if shown.beyond:
        told = f"{beyond_text(shown)} →"
        begins = max(0.0, 1 - width_of(told, REGULAR, 12) * 1.35 / axes.width) * axes.x_end
        y = -max(18.0, axes.y(density_at(shown, begins)) + 8)
        parts.append(f'<text x="{axes.width:.1f}" y="{y:.1f}" text-anchor="end">{escape(told)}</text>')
    return parts
