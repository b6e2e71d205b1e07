"""Recorded performance curves of FACEGOOD-Audio2Face (MIT): Mandarin speech with ARKit weights."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from backend.audio.decode import decode_audio
from backend.errors import InputError
from shape_keys import arkit

TABLE = Path(__file__).with_suffix(".json")
"""Which ARKit shapes each control of the recorded rig drives, how far, and why."""

CLOSE_OF_JAW = 0.3
"""Most of jawOpen that mouthClose takes back; mouthPress and mouthRoll do the rest."""


@dataclass(frozen=True)
class Take:
    """One recorded performance.

    name: of its file; samples: (n,) float32 at 16 kHz; times: (F,) float64 seconds; weights: (F, 52) float32 in 0..1
    in the order of `arkit.NAMES`; jaw: (F,) float32, the recorded control that opens the jaw (`mouth_stretch_c`).
    """

    name: str
    samples: np.ndarray
    times: np.ndarray
    weights: np.ndarray
    jaw: np.ndarray

    def weights_at(self, times: np.ndarray) -> np.ndarray:
        """Weights between the recorded frames: (T,) seconds -> (T, 52) float32."""
        return np.stack([np.interp(times, self.times, curve) for curve in self.weights.T], axis=1).astype(np.float32)


def read_takes(folder: Path) -> list[Take]:
    """All takes of a folder, by name. Raises InputError where there is none, or its sound or curves are missing."""
    paths = sorted(folder.glob("*.npz"))
    if not paths:
        raise InputError(f"{folder} holds no takes; expected pairs of NAME.npz and NAME.flac.")
    return [read_take(path) for path in paths]


def read_take(path: Path) -> Take:
    """The take NAME.npz with its sound NAME.flac beside it. Raises InputError."""
    with np.load(path, allow_pickle=False) as stored:
        missing = {"weights", "names", "fps"} - set(stored)
        if missing:
            raise InputError(f"{path} lacks {', '.join(sorted(missing))}; it is no take of FACEGOOD-Audio2Face.")
        controls, names, fps = stored["weights"], [str(name) for name in stored["names"]], float(stored["fps"])
    weights = to_arkit(controls, names)
    jaw = controls[:, names.index("mouth_stretch_c")].astype(np.float32)
    return Take(path.stem, decode_audio(path.with_suffix(".flac")), np.arange(len(controls)) / fps, weights, jaw)


def to_arkit(controls: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """Values of the rig's controls (F, C) as ARKit weights (F, 52) float32; a sum beyond 1 is 1.

    mouthClose stays within what the open jaw leaves between the lips, so that they meet and do not cross.
    Raises InputError where a control of the table is not among the names.
    """
    matrix = np.zeros((len(names), len(arkit.NAMES)), np.float32)
    for control, shapes in _rows():
        if control not in names:
            raise InputError(f"The curves have no control {control!r}; they are not those of FACEGOOD-Audio2Face.")
        for shape, factor in shapes.items():
            matrix[names.index(control), arkit.INDEX[shape]] = factor
    weights = np.clip(np.maximum(controls, 0) @ matrix, 0, 1).astype(np.float32)
    close, jaw = arkit.INDEX["mouthClose"], arkit.INDEX["jawOpen"]
    weights[:, close] = np.minimum(weights[:, close], CLOSE_OF_JAW * weights[:, jaw])
    return weights


@cache
def _rows() -> tuple[tuple[str, dict[str, float]], ...]:
    return tuple((row["control"], row["shapes"]) for row in json.loads(TABLE.read_text(encoding="utf-8"))["rows"])
