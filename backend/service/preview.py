"""What a page or a script needs to show an animation without reading its arrays: `preview.json` in each result."""

import json
from pathlib import Path

import numpy as np

ENVELOPE_RATE = 100
"""Columns of the waveform a second."""


def write_preview(folder: Path, sound: Path) -> None:
    """Write the blendshape curves, the lip gap and the waveform's envelope of the animation in `folder`.

    fps; frames; gap: (frames) interocular units; weights: {name: (frames) 0..1}; envelope: lowest and highest sample
    of each 10 ms, -1..1; crops: number of lip pictures, 0 without texture.
    """
    from backend.animation_file import ATLAS_FOLDER, load_animation
    from backend.audio.decode import SAMPLE_RATE, decode_audio
    from shape_keys.topology import LOWER_INNER_LIP, UPPER_INNER_LIP

    animation = load_animation(folder)
    lips = animation.vertices[:, [UPPER_INNER_LIP, LOWER_INNER_LIP]]
    samples = decode_audio(sound)
    preview = {
        "fps": animation.fps,
        "frames": len(animation.offsets),
        "seconds": len(samples) / SAMPLE_RATE,
        "gap": _round(np.linalg.norm(lips[:, 0] - lips[:, 1], axis=-1), 4),
        "weights": {
            name: _round(animation.weights[:, column], 3) for column, name in enumerate(animation.weight_names)
        },
        "envelope": envelope(samples, SAMPLE_RATE // ENVELOPE_RATE),
        "crops": sum(1 for _ in (folder / ATLAS_FOLDER).glob("*.png")),
    }
    (folder / "preview.json").write_text(json.dumps(preview, separators=(",", ":")))


def envelope(samples: np.ndarray, length: int) -> list[list[float]]:
    """Lowest and highest of each `length` samples (n,) float32; the last piece may be shorter."""
    starts = np.arange(0, len(samples), length)
    low, high = np.minimum.reduceat(samples, starts), np.maximum.reduceat(samples, starts)
    return [list(pair) for pair in zip(_round(low, 3), _round(high, 3), strict=True)]


def _round(values: np.ndarray, digits: int) -> list[float]:
    return np.round(values.astype(np.float64), digits).tolist()
