"""The report as one HTML page without scripts; its pictures lie beside it."""

from dataclasses import dataclass
from html import escape
from pathlib import Path

from backend.training.dataset import Dataset
from backend.training.quality import Finding
from backend.training.quality_figures import QualityFigures

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #222; background: #fff; max-width: 1000px; margin: 2em auto;
  padding: 0 1em; }
h1 { font-size: 1.5em; } h2 { font-size: 1.15em; margin: 2em 0 .6em; }
.verdict { padding: .6em 1em; border-radius: 6px; font-weight: 600; }
.good { background: #e4f3e4; } .warning { background: #fdf1d3; } .severe { background: #f9dcd8; }
.finding { padding: .5em 1em; margin: .5em 0; border-left: 5px solid; }
.finding.severe { border-color: #c0392b; } .finding.warning { border-color: #d9a400; }
table { border-collapse: collapse; } td { padding: .15em 1.2em .15em 0; } td.number { text-align: right; }
svg { display: block; width: 100%; height: auto; margin: .3em 0; } svg text { font: 12px sans-serif; fill: #333; }
svg text.tick { font-size: 11px; fill: #555; stroke: #fff; stroke-width: 3px; paint-order: stroke; }
figure { margin: 0 0 1.2em; } figcaption { color: #555; margin-bottom: .3em; }
.row { display: grid; grid-template-columns: repeat(4, 1fr); gap: 8px; }
.row img { width: 100%; height: auto; display: block; } .row.head { font-size: 13px; color: #555; }
.wide { width: 100%; height: auto; } .legend span { margin-right: 1.2em; white-space: nowrap; font-size: 13px; }
.legend i { display: inline-block; width: 12px; height: 12px; margin-right: 5px; vertical-align: -1px; }
"""

HEADINGS = ("tracked face", "atlas in its own light", "atlas in the reference's light", "gain (red brightens)")

ROWS = (
    ("seconds", "usable face", "{:.1f} s"),
    ("frames", "usable frames", "{:.0f}"),
    ("rate", "mean frame rate", "{:.2f} frames/s"),
    ("lost", "frames without a whole face", "{:.1%}"),
    ("rivals", "frames with a second large face", "{:.1%}"),
    ("turned", "frames turned too far", "{:.1%}"),
    ("angle", "mean angle from the camera", "{:.1f} degrees"),
    ("interocular", "distance of the outer eye corners", "{:.0f} pixels"),
    ("sharpness", "sharpness", "{:.3f}"),
    ("asymmetry", "difference of brightness between the sides", "{:.0%}"),
    ("brightness", "brightness of the face", "{:.0%}"),
    ("occluded", "frames with a covered lower face", "{:.1%}"),
    ("jitter", "movement of rigid points from frame to frame", "{:.2f} mm"),
    ("opening", "widest lip gap over the distance of the eye corners", "{:.3f}"),
    ("lip_sound", "correlation of lips and sound", "{:.2f}"),
    ("offset", "sound late by (moved already)", "{:.3f} s"),
    ("speech", "time with speech", "{:.0%}"),
    ("clipping", "samples near the ceiling", "{:.3%}"),
    ("background_db", "voice over background", "{:.0f} dB"),
    ("music", "music or hum (1: heard)", "{:.0f}"),
)
"""Fields of `QualityFigures` with their words and formats."""


@dataclass(frozen=True)
class Row:
    """An example frame of the page."""

    caption: str
    pictures: tuple[str, ...]
    """File names, one for each of HEADINGS."""


def write_page(
    path: Path,
    dataset: Dataset,
    verdict: str,
    figures: QualityFigures,
    findings: list[Finding],
    rows: list[Row],
    curves: list[str],
) -> None:
    """Write the page; `curves` are the clips' bars and then rows of lip curves, as SVG."""
    names = [clip["name"] for clip in dataset.description["clips"]]
    title = names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"
    worst = findings[0].severity if findings else "good"
    body = [
        f"<h1>Inspection of {escape(title)}</h1>",
        f'<p class="verdict {worst}">{escape(verdict[0].upper() + verdict[1:])}.</p>',
        *map(_finding, findings),
        *(f"<p>{escape(warning)}</p>" for warning in dataset.warnings),
        "<h2>Frames</h2>",
        curves[0],
        "<h2>Lip gap (red line) over the sound (blue)</h2>",
        *curves[1:],
        "<h2>Example frames</h2>",
        f'<div class="row head">{"".join(f"<div>{escape(words)}</div>" for words in HEADINGS)}</div>',
        *map(_row, rows),
        "<h2>Lip crops in even light, from closed to open</h2>",
        '<img class="wide" src="contact_sheet.jpg" alt="lip crops in even light, from closed to open">',
        "<h2>Reference atlas; the frame is what the network predicts</h2>",
        '<img src="reference_atlas.png" width="384" height="384" alt="reference atlas with the lip crop">',
        "<h2>Figures</h2>",
        f"<table>{''.join(_figure_row(figures, *row) for row in ROWS)}</table>",
    ]
    head = f'<meta charset="utf-8"><title>Inspection of {escape(title)}</title><style>{STYLE}</style>'
    page = f'<!doctype html>\n<html lang="en"><head>{head}</head>\n<body>\n{chr(10).join(body)}\n</body></html>\n'
    path.write_text(page, encoding="utf-8", errors="replace")  # names of videos may be no text


def _finding(finding: Finding) -> str:
    words = f"<b>{escape(finding.name)}</b> ({finding.severity}): {escape(str(finding))}"
    return f'<p class="finding {finding.severity}">{words}</p>'


def _row(row: Row) -> str:
    pictures = "".join(
        f'<img src="{escape(name)}" alt="{escape(heading)}, {escape(row.caption)}">'
        for name, heading in zip(row.pictures, HEADINGS, strict=True)
    )
    return f'<figure><figcaption>{escape(row.caption)}</figcaption><div class="row">{pictures}</div></figure>'


def _figure_row(figures: QualityFigures, field: str, words: str, form: str) -> str:
    value = getattr(figures, field)
    text = "not measured" if value != value else form.format(value)
    return f'<tr><td>{escape(words)}</td><td class="number">{escape(text)}</td></tr>'
