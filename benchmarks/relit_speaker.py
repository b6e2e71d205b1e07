"""The synthetic speaker under a light of known strength: a lamp that wanders over the picture and a colour that drifts.

Light multiplies what a camera records, before and after its gamma curve alike, so every pixel is multiplied by a
smooth gain and its channels by a colour. The undisturbed video is the exact truth.
"""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np

from backend.video.decode import iterate_frames
from backend.video.encode import encode_video

ACTOR = Path(__file__).resolve().parents[2] / "shared" / "data" / "actor" / "actor.mp4"
FPS = 25.0

AMBIENT, LAMP = 0.45, 0.60
"""Gain far from the lamp and what the lamp adds in its middle: the dark side of the face falls to half."""
LAMP_SIZE = 0.3
"""Standard deviation of the lamp's light, picture widths; the face is 0.55 wide."""
CAST = 0.15
"""Largest change of red and blue."""


def light_gain(height: int, width: int, seconds: float) -> np.ndarray:
    """The gain of every pixel and channel at a moment: (H, W, 3) float32."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32) / width
    lamp_x, lamp_y = 0.5 + 0.3 * np.sin(1.1 * seconds), 0.45 + 0.25 * np.cos(0.7 * seconds)
    distance = (x - lamp_x) ** 2 + (y - lamp_y) ** 2
    gain = AMBIENT + LAMP * np.exp(-distance / (2 * LAMP_SIZE**2))
    colour = (1 + CAST * np.sin(0.9 * seconds), 1.0, 1 - CAST * np.sin(0.9 * seconds + 0.5))
    return gain[..., None] * np.array(colour, np.float32)


def relight_frame(image: np.ndarray, seconds: float) -> np.ndarray:
    """A frame (H, W, 3) uint8 under the wandering light, (H, W, 3) uint8."""
    return np.round(np.clip(image * light_gain(*image.shape[:2], seconds), 0, 255)).astype(np.uint8)


def write_relit_video(out: Path, seconds: float) -> None:
    """Encode the first seconds of the speaker under the wandering light, with the sound."""
    count = round(seconds * FPS)
    encode_video(_relit_frames(count), count, FPS, ACTOR, out, {})


def _relit_frames(count: int) -> Iterator[np.ndarray]:
    for time, image in islice(iterate_frames(ACTOR), count):
        yield relight_frame(image, time)
