"""The charts of a training's page, as SVG: losses on one axis, figures each with an axis of its own."""

from collections.abc import Iterable
from math import isfinite

from backend.evaluation.figures import HELD_OUT, format_figure

WIDTH, HEIGHT, EDGE = 720, 220, 44
"""Pixels of the chart of losses, and of the room for its numbers."""
SMALL_WIDTH, SMALL_HEIGHT, SMALL_EDGE = 340, 130, 52
"""The same of a figure's chart."""
ROOM = 0.08
"""Share of a figure's range that is left free above and below it."""
COLOURS = ("#c0392b", "#2563a8", "#2e8b57", "#8e5ea2", "#b8860b", "#555555")
LOSSES = ("geometry", "velocity", "aperture", "closure", "blendshapes", "texture")
FIGURES = {"lip_error_mm": "lower", "aperture_r": "higher", "ssim_atlas": "higher", "interior_skill": "higher"}
"""Figures of the held-out part that are drawn over the epochs, and what of them is better."""
Points = list[tuple[int, float]]
"""Numbers of epochs, from 0, and values."""


def draw_losses(history: list[dict[str, float]]) -> str:
    """The losses over the epochs, each relative to its first value; "" before the second epoch."""
    lines = {name: points for name in LOSSES if len(points := _points(history, name)) > 1}
    if not lines:
        return ""
    lines = {name: [(i, value / (points[0][1] or 1)) for i, value in points] for name, points in lines.items()}
    top = max(value for points in lines.values() for _, value in points) * 1.05 or 1.0
    across = (WIDTH - EDGE) / max(1, len(history) - 1)
    drawn, legend = [], []
    for share in (0.25, 0.5, 0.75):
        y = HEIGHT * (1 - share)
        drawn.append(f'<path d="M{EDGE} {y}H{WIDTH}" stroke="#ddd"/><text x="0" y="{y + 4}">{top * share:.2g}</text>')
    for (name, points), colour in zip(lines.items(), COLOURS, strict=False):
        drawn.append(_line(((EDGE + i * across, HEIGHT * (1 - value / top)) for i, value in points), colour))
        legend.append(f'<span><i style="background:{colour}"></i>{name} ({points[-1][1]:.3g})</span>')
    drawn.append(f'<text x="{WIDTH}" y="{HEIGHT + 16}" text-anchor="end">epoch {len(history)}</text>')
    return f'{_svg(WIDTH, HEIGHT + 20, "Losses", drawn)}<p class="legend">{"".join(legend)}</p>'


def draw_figures(history: list[dict[str, float]]) -> str:
    """One small chart for each figure that was measured, with a range of its own; "" where none was."""
    lines = {name: points for name in FIGURES if (points := _points(history, name))}
    charts = (
        f"<figure><figcaption><b>{name}</b> {format_figure(points[-1][1])} {HELD_OUT[name].unit} "
        f"<small>({FIGURES[name]} is better)</small></figcaption>{_small(name, points, len(history), colour)}</figure>"
        for (name, points), colour in zip(lines.items(), COLOURS, strict=False)
    )
    return f'<div class="charts">{"".join(charts)}</div>' if lines else ""


def _points(history: list[dict[str, float]], name: str) -> Points:
    """The epochs in which something was measured; what is no number is left out."""
    return [(i, row[name]) for i, row in enumerate(history) if isfinite(row.get(name, float("nan")))]


def _small(name: str, points: Points, epochs: int, colour: str) -> str:
    values = [value for _, value in points]
    low, high = min(values), max(values)
    room = (high - low) * ROOM or abs(high) * ROOM or ROOM
    bottom, span = low - room, high - low + 2 * room
    across = (SMALL_WIDTH - SMALL_EDGE - 6) / max(1, epochs - 1)

    def height(value: float) -> float:
        return SMALL_HEIGHT * (1 - (value - bottom) / span)

    drawn = []
    for value in sorted({low, (low + high) / 2, high}):
        y = height(value)
        drawn.append(f'<path d="M{SMALL_EDGE} {y:.1f}H{SMALL_WIDTH}" stroke="#ddd"/>')
        drawn.append(f'<text x="{SMALL_EDGE - 6}" y="{y + 4:.1f}" text-anchor="end">{value:.4g}</text>')
    places = [(SMALL_EDGE + i * across, height(value)) for i, value in points]
    drawn.append(_line(places, colour))
    drawn += (f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" fill="{colour}"/>' for x, y in places)
    ends = [(points[-1], places[-1], "end"), (points[0], places[0], "start")][: len(points)]
    for (epoch, _), (x, _), anchor in ends:
        drawn.append(f'<text x="{x:.1f}" y="{SMALL_HEIGHT + 16}" text-anchor="{anchor}">epoch {epoch + 1}</text>')
    return _svg(SMALL_WIDTH, SMALL_HEIGHT + 20, name, drawn)


def _line(places: Iterable[tuple[float, float]], colour: str) -> str:
    joined = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    return f'<polyline points="{joined}" fill="none" stroke="{colour}" stroke-width="1.8"/>'


def _svg(width: int, height: int, label: str, drawn: list[str]) -> str:
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    return f'<svg {size} role="img" aria-label="{label} over the epochs">{"".join(drawn)}</svg>'
