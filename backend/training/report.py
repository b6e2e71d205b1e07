"""What a person looks at after training: a contact sheet, the figures, the card."""

from pathlib import Path
from typing import Any

import numpy as np

from backend.evaluation.figures import format_figure

TILES = 12
"""Frames on a contact sheet."""


def save_contact_sheet(path: Path, true: np.ndarray, predicted: np.ndarray, visible: np.ndarray) -> None:
    """Write held-out crops, truth over prediction, from the most closed to the most open mouth.

    true, predicted: (T, 128, 128, 3) uint8; visible: (T,).
    """
    from PIL import Image

    order = np.argsort(visible)
    chosen = order[np.linspace(0, len(order) - 1, TILES).astype(int)]
    rows = [np.concatenate(list(images[chosen]), axis=1) for images in (true, predicted)]
    Image.fromarray(np.concatenate(rows)).save(path)


def card_text(facts: dict[str, Any]) -> str:
    """Text of MODEL_CARD.md. facts: `name`, and what `train` puts into an actor's description."""
    consent = {name: _cell(value) for name, value in facts["consent"].items()}
    rows = "\n".join(f"| `{name}` | {format_figure(value)} |" for name, value in facts["metrics"].items())
    return f"""# Actor `{facts["name"]}`

A talking head trained by Mouthpiece from the video named below. Everything it makes is synthetic.

| | |
|---|---|
| made with | `{_cell(facts["command"])}` |
| data | {_cell(facts["data"])} |
| trained on | {facts["train_frames"]} frames; the last {facts["held_out"]:.0%} of the video held out |
| seed | {facts["seed"]} |
{_epochs(facts)}
| speaker | {consent["speaker"]} |
| consent | {consent["statement"]} (given by {consent["given_by"]}, {consent["date"]}) |
| licence of the face | {consent["licence"]} |
{_origin(facts)}
## Figures on the held-out end of the video

Predicted from the sound alone, on frames that training never saw. Millimetres take 90 mm between the outer eye
corners. `mean_texture` is what a still texture reaches; `interior` counts the visible mouth interior only.

| figure | value |
|---|---|
{rows}

## Limits

It learnt one face from a few minutes of video and the voices heard in it; other voices, languages and noise move the
mouth less exactly. Eyes, brows and head do not move with the sound.
"""


def _epochs(facts: dict[str, Any]) -> str:
    """The rows of how long it was trained, and where; an actor that was solved has no epochs."""
    where = f"{facts['machine']} ({facts['date']})"
    if not facts["epochs_run"]:
        return f"| epochs | solved, without epochs |\n| made on | {where} |"
    return (
        f"| epochs | {facts['epochs_run']} of at most {facts['epochs']} |\n"
        f"| time of the epochs | {facts['minutes']:.0f} minutes on {where} |"
    )


def _cell(value: object) -> str:
    """A value as it may stand in a table: on one line, its bars escaped."""
    return " ".join(str(value).replace("|", "\\|").split())


def _origin(facts: dict[str, Any]) -> str:
    """The row that says what the weights started from."""
    from backend.training.voice.export import LICENCE

    if not facts.get("from_voice"):
        return ""
    return (
        "| started from | the voice model, learnt in part from the GRID corpus (Cooke, Barker, Cunningham and Shao "
        "2006, doi:10.1121/1.2229005, CC BY 4.0) |\n"
        f"| licence of the voice model | {LICENCE} |\n"
    )
