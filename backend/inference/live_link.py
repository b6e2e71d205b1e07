"""Blendshape weights as a table with the columns of Epic's Live Link Face app."""

import csv
from pathlib import Path

import numpy as np

HEAD_AND_EYES = (
    "HeadYaw",
    "HeadPitch",
    "HeadRoll",
    "LeftEyeYaw",
    "LeftEyePitch",
    "LeftEyeRoll",
    "RightEyeYaw",
    "RightEyePitch",
    "RightEyeRoll",
)
"""Columns after the blendshapes; speech says nothing about them, so they are 0."""


def write_live_link(path: Path, weights: np.ndarray, names: tuple[str, ...], fps: float) -> None:
    """Write weights (T, 52) in 0..1 with ARKit names as rows `Timecode, BlendshapeCount, EyeBlinkLeft, ...`.

    The timecode is hours:minutes:seconds:frame.subframe from the start of the sound, as the app writes it.
    """
    with Path(path).open("w", newline="") as file:
        writer = csv.writer(file)
        columns = [name[0].upper() + name[1:] for name in names]
        writer.writerow(["Timecode", "BlendshapeCount", *columns, *HEAD_AND_EYES])
        for frame, row in enumerate(weights):
            values = [f"{value:.6f}" for value in row] + ["0.000000"] * len(HEAD_AND_EYES)
            writer.writerow([timecode(frame, fps), len(names), *values])


def timecode(frame: int, fps: float) -> str:
    """Timecode of a frame: whole seconds, then frames and thousandths of a frame within the second."""
    seconds, rest = divmod(frame / fps + 1e-9, 1.0)
    minutes, second = divmod(int(seconds), 60)
    hours, minute = divmod(minutes, 60)
    whole, part = divmod(rest * fps, 1.0)
    return f"{hours:02d}:{minute:02d}:{second:02d}:{int(whole):02d}.{int(part * 1000):03d}"
