"""Blendshape weights as a table with the columns of Epic's Live Link Face app."""

import csv
from pathlib import Path

import numpy as np

HEAD = ("HeadYaw", "HeadPitch", "HeadRoll")
"""Columns after the blendshapes: how the head is turned, radians."""
EYES = (
    "LeftEyeYaw",
    "LeftEyePitch",
    "LeftEyeRoll",
    "RightEyeYaw",
    "RightEyePitch",
    "RightEyeRoll",
)
"""Columns after those; speech says nothing about them, so they are 0."""


def write_live_link(
    path: Path, weights: np.ndarray, names: tuple[str, ...], fps: float, head_rotation: np.ndarray | None = None
) -> None:
    """Write weights (T, 52) in 0..1 with ARKit names as rows `Timecode, BlendshapeCount, EyeBlinkLeft, ...`.

    head_rotation: (T, 3) radians, XYZ Euler angles in head space; None where the head keeps still.
    The timecode is hours:minutes:seconds:frame.subframe from the start of the sound, as the app writes it.
    """
    with Path(path).open("w", newline="") as file:
        writer = csv.writer(file)
        columns = [name[0].upper() + name[1:] for name in names]
        writer.writerow(["Timecode", "BlendshapeCount", *columns, *HEAD, *EYES])
        turns = np.zeros((len(weights), len(HEAD))) if head_rotation is None else head_angles(head_rotation)
        still = np.zeros(len(EYES))
        for frame, row in enumerate(weights):
            values = [f"{value:.6f}" for value in (*row, *turns[frame], *still)]
            writer.writerow([timecode(frame, fps), len(names), *values])


def head_angles(rotation: np.ndarray) -> np.ndarray:
    """Yaw, pitch and roll (T, 3) radians of XYZ Euler angles (T, 3) in head space (x right, y up, z to the viewer).

    Signs are those of Unreal's rotators, from the face's own side: turned to its right, up, tilted to its right; yaw is
    the outermost turn, roll the innermost.
    """
    x, y, z = np.moveaxis(np.asarray(rotation, np.float64), -1, 0)
    yaw = np.arctan2(np.cos(z) * np.sin(y) * np.cos(x) + np.sin(z) * np.sin(x), np.cos(y) * np.cos(x))
    pitch = np.arcsin(np.clip(np.cos(z) * np.sin(x) - np.sin(z) * np.sin(y) * np.cos(x), -1, 1))
    roll = np.arctan2(np.sin(z) * np.cos(y), np.sin(z) * np.sin(y) * np.sin(x) + np.cos(z) * np.cos(x))
    return np.stack([-yaw, -pitch, roll], axis=-1)


def timecode(frame: int, fps: float) -> str:
    """Timecode of a frame: whole seconds, then frames and thousandths of a frame within the second."""
    seconds, rest = divmod(frame / fps + 1e-9, 1.0)
    minutes, second = divmod(int(seconds), 60)
    hours, minute = divmod(minutes, 60)
    whole, part = divmod(rest * fps, 1.0)
    return f"{hours:02d}:{minute:02d}:{second:02d}:{int(whole):02d}.{int(part * 1000):03d}"
