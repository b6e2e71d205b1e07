"""The page of a training run: loss curves, figures, truth over prediction, and what to record next time."""

from html import escape
from pathlib import Path

from backend.evaluation.figures import format_figure

REPORT = "report.html"
WIDTH, HEIGHT, EDGE = 720, 220, 44
"""Pixels of a chart, and of the room for its numbers."""
COLOURS = ("#c0392b", "#2563a8", "#2e8b57", "#8e5ea2", "#b8860b", "#555555")
LOSSES = ("geometry", "velocity", "aperture", "closure", "blendshapes", "texture")
MEASURED = ("lip_error_mm", "aperture_r", "ssim_atlas", "interior_skill")
"""Figures of the held-out part that are drawn over the epochs."""
SPARSE = "<p>The curves of textures are of one frame in four, the table is of all.</p>"

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #222; background: #fff; max-width: 800px; margin: 2em auto;
  padding: 0 1em; }
h1 { font-size: 1.5em; } h2 { font-size: 1.15em; margin: 2em 0 .6em; }
table { border-collapse: collapse; } td { padding: .15em 1.5em .15em 0; } td.number { text-align: right; }
svg { display: block; max-width: 100%; height: auto; } svg text { font: 12px sans-serif; fill: #444; }
img { max-width: 100%; image-rendering: auto; }
.legend span { margin-right: 1.2em; white-space: nowrap; font-size: 13px; }
.legend i { display: inline-block; width: 14px; height: 3px; margin-right: 5px; vertical-align: 4px; }
"""


def write_training_report(
    work: Path, actor: str, history: list[dict[str, float]], figures: dict[str, float], epochs: int
) -> None:
    """Write `report.html` into a training's work folder, whole or not at all. It is rewritten as training goes on.

    history: a row of figures for each epoch so far; figures: of the held-out part; epochs: how many there may be.
    """
    state = f"epoch {len(history)} of at most {epochs}" if history else "solved, without epochs"
    losses = _chart(history, LOSSES, relative=True)
    looks = _chart(history, MEASURED)
    parts = [
        f"<h1>Training of {escape(actor)}</h1><p>{state}</p>",
        losses and _section("Losses", losses + "<p>Each relative to its first value.</p>"),
        _section("Held-out part of the video", looks + (looks and SPARSE) + _table(figures)),
        _sheet(work),
        _section("What to record next time", _advice(figures)),
    ]
    page = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Training of {escape(actor)}</title>'
        f"<style>{STYLE}</style>{''.join(parts)}</html>"
    )
    temporary = work / f"{REPORT}.partial"
    temporary.write_text(page, encoding="utf-8")
    temporary.replace(work / REPORT)


def _section(title: str, content: str) -> str:
    return f"<h2>{title}</h2>{content}"


def _sheet(work: Path) -> str:
    if not (work / "contact_sheet.png").exists():
        return ""
    picture = '<img src="contact_sheet.png" alt="Held-out textures, truth above prediction">'
    return _section("Truth above prediction, from closed to open", picture)


def _table(figures: dict[str, float]) -> str:
    shown = {name: format_figure(value) for name, value in figures.items()}
    rows = (f'<tr><td>{name}</td><td class="number">{text}</td></tr>' for name, text in shown.items())
    return f"<table>{''.join(rows)}</table>"


def _chart(history: list[dict[str, float]], names: tuple[str, ...], relative: bool = False) -> str:
    """Lines over the epochs; those that were measured in some epochs only are joined. "" where there is none yet."""
    lines = {name: [(i, row[name]) for i, row in enumerate(history) if name in row] for name in names}
    lines = {name: points for name, points in lines.items() if len(points) > 1}
    if not lines:
        return ""
    if relative:
        lines = {name: [(i, value / (points[0][1] or 1)) for i, value in points] for name, points in lines.items()}
    values = [value for points in lines.values() for _, value in points]
    low, top = min(0.0, *values), max(values) * 1.05 or 1.0
    across = (WIDTH - EDGE) / max(1, len(history) - 1)
    drawn, legend = [], []
    for (name, points), colour in zip(lines.items(), COLOURS, strict=False):
        places = " ".join(f"{EDGE + i * across:.1f},{HEIGHT * (top - value) / (top - low):.1f}" for i, value in points)
        drawn.append(f'<polyline points="{places}" fill="none" stroke="{colour}" stroke-width="1.8"/>')
        legend.append(f'<span><i style="background:{colour}"></i>{name} ({points[-1][1]:.3g})</span>')
    for share in (0.25, 0.5, 0.75):
        y = HEIGHT * (1 - share)
        value = low + (top - low) * share
        drawn.append(f'<path d="M{EDGE} {y}H{WIDTH}" stroke="#ddd"/><text x="0" y="{y + 4}">{value:.2g}</text>')
    drawn.append(f'<text x="{WIDTH}" y="{HEIGHT + 16}" text-anchor="end">epoch {len(history)}</text>')
    svg = f'<svg viewBox="0 0 {WIDTH} {HEIGHT + 20}" width="{WIDTH}" height="{HEIGHT + 20}">{"".join(drawn)}</svg>'
    return f'{svg}<p class="legend">{"".join(legend)}</p>'


def _advice(figures: dict[str, float]) -> str:
    """Sentences for the next recording, from what came out worst."""
    if not figures:
        return "<p>Nothing was measured: the end of the video, which is kept for that, hardly shows a face.</p>"
    advice = []
    if figures.get("aperture_r", 1.0) < 0.85:
        advice.append(
            "The lips follow the sound only roughly: record more minutes of varied, clearly spoken sentences in a "
            "quiet room, and run `mouthpiece inspect` on the video."
        )
    if abs(figures.get("aperture_offset_ms", 0.0)) > 40:
        advice.append("Lips and sound are apart in time: check that the camera's sound is in sync.")
    if figures.get("interior_skill", 1.0) < 0.15:
        advice.append(
            "Teeth and tongue came out blurred: light the face from the front, come closer (500 pixels from chin to "
            "forehead), and read sentences with wide vowels."
        )
    if figures.get("frames", 1000.0) < 250:
        advice.append("Few frames were held out, so these figures are rough: record two minutes or more.")
    return f"<ul>{''.join(f'<li>{line}</li>' for line in advice)}</ul>" if advice else "<p>Nothing stands out.</p>"
