"""The page of a training run: loss curves, figures, truth over prediction, and what to record next time."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from backend.evaluation.figures import HELD_OUT, format_figure
from backend.renaming import move
from backend.training.report_charts import draw_figures, draw_losses

if TYPE_CHECKING:
    from backend.training.quality import Finding

REPORT, SHEET = "report.html", "contact_sheet.png"
EVERY = 4
"""Looks during the epochs compare the textures of one frame in so many, the last one those of all."""
SPARSE = f"<p>Curves and table are of one frame in {EVERY}, as far as textures are concerned.</p>"
ALL = f"<p>The curves of textures are of one frame in {EVERY}, the table is of all.</p>"
TAUGHT = (
    f"<p>The curves are of the epochs, textures of one frame in {EVERY}. The table is of all frames and of the "
    "finished actor: after the epochs its teeth were learnt once more. They are sharper for it, at a cost in the "
    "figures of the interior, which like a blur better than a sharp edge a pixel beside its place.</p>"
)
UNMEASURED = "<p>Nothing was measured: the end of the video, which is kept for that, hardly shows a face.</p>"

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #222; background: #fff; max-width: 800px; margin: 2em auto;
  padding: 0 1em; }
h1 { font-size: 1.5em; } h2 { font-size: 1.15em; margin: 2em 0 .6em; }
table { border-collapse: collapse; } td { padding: .15em 1.2em .15em 0; vertical-align: top; }
td.number { text-align: right; white-space: nowrap; } td.meaning { color: #555; }
svg { display: block; max-width: 100%; height: auto; } svg text { font: 12px sans-serif; fill: #444; }
img { max-width: 100%; image-rendering: auto; }
.charts { display: flex; flex-wrap: wrap; gap: 1.2em 2em; } .charts figure { margin: 0; }
.legend span { margin-right: 1.2em; white-space: nowrap; font-size: 13px; }
.legend i { display: inline-block; width: 14px; height: 3px; margin-right: 5px; vertical-align: 4px; }
"""


@dataclass(frozen=True)
class ReportPage:
    """The page of one training, which is written anew as it goes on."""

    work: Path
    """The training's work folder."""
    actor: str
    epochs: int
    """How many there may be; 0 where the actor is solved without any."""
    findings: "Sequence[Finding]" = ()
    """What the data-quality gate found."""
    measured: bool = True
    """Whether the held-out part shows a face, so that there is something to measure."""

    @property
    def path(self) -> Path:
        """Where it is."""
        return self.work / REPORT

    def write(
        self, history: list[dict[str, float]], figures: dict[str, float] | None = None, taught: bool = False
    ) -> None:
        """Write `report.html`, whole or not at all.

        history: a row of figures for each epoch so far; figures: of the held-out part, by default the latest of them;
        taught: whether the teeth were learnt once more after the epochs.
        """
        sparse = SPARSE if figures is None else TAUGHT if taught else ALL
        figures = latest_figures(history) if figures is None else figures
        state = f"epoch {len(history)} of at most {self.epochs}" if self.epochs else "solved, without epochs"
        title = f"Training of {escape(self.actor)}"
        losses, looks = draw_losses(history), draw_figures(history)
        if not any("ssim_atlas" in row for row in history):
            sparse = ""
        parts = [
            f"<h1>{title}</h1><p>{state}</p>",
            losses and _section("Losses", losses + "<p>Each relative to its first value.</p>"),
            _section("Held-out part of the video", looks + sparse + self._table(figures)),
            _sheet(self.work),
            _section("What to record next time", _advice(figures, self.findings, self.measured)),
        ]
        page = (
            f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
            f"<style>{STYLE}</style>{''.join(parts)}</html>"
        )
        temporary = self.work / f"{REPORT}.partial"
        temporary.write_text(page, encoding="utf-8", errors="replace")  # names of videos may be no text
        move(temporary, self.path)

    def _table(self, figures: dict[str, float]) -> str:
        if not figures:
            return "<p>Not measured yet.</p>" if self.measured else UNMEASURED
        return f"<table>{''.join(_row(name, value) for name, value in figures.items())}</table>"


def latest_figures(history: list[dict[str, float]]) -> dict[str, float]:
    """What the latest look at the held-out part measured; empty before the first."""
    looks = [row for row in history if "lip_error_mm" in row]
    return {name: looks[-1][name] for name in HELD_OUT if name in looks[-1]} if looks else {}


def _section(title: str, content: str) -> str:
    return f"<h2>{title}</h2>{content}" if content else ""


def _sheet(work: Path) -> str:
    if not (work / SHEET).exists():
        return ""
    picture = f'<img src="{SHEET}" alt="Held-out textures, truth above prediction">'
    return _section("Truth above prediction, from closed to open", picture)


def _row(name: str, value: float) -> str:
    meaning = HELD_OUT[name]
    number = f"{format_figure(value)} {meaning.unit}".strip()
    return f'<tr><td>{name}</td><td class="number">{number}</td><td class="meaning">{meaning.sentence}</td></tr>'


def _advice(figures: dict[str, float], findings: "Sequence[Finding]", measured: bool) -> str:
    """Sentences for the next recording, from what the quality gate found and what came out worst; "" if unknown yet."""
    advice = [escape(str(finding)) for finding in findings]
    if not measured:
        advice.append("Keep the face in the picture to the end of the video, which is kept for measuring.")
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
    if advice:
        return f"<ul>{''.join(f'<li>{line}</li>' for line in advice)}</ul>"
    return "<p>Nothing stands out.</p>" if figures else ""
