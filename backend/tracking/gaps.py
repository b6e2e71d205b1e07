"""Gaps: frames whose landmarks are not to be believed or not the speaker's, each with its reason."""

from enum import IntEnum

import numpy as np

from backend.tracking.landmarks import Track
from shape_keys.topology import LIPS, VERTEX_COUNT


class Gap(IntEnum):
    """Why a frame is left out; several reasons show as the first of them."""

    NONE = 0
    BLACK = 1
    CUT = 2
    NO_FACE = 3
    SECOND_FACE = 4
    OUTSIDE = 5
    TURNED = 6
    NO_SOUND = 7


REASONS = {
    Gap.BLACK: "a black picture, or a face without light",
    Gap.CUT: "a cut",
    Gap.NO_FACE: "no face",
    Gap.SECOND_FACE: "a second face as large as the speaker's",
    Gap.OUTSIDE: "the face leaves the picture",
    Gap.TURNED: "the head turned too far",
    Gap.NO_SOUND: "the sound has ended",
}

THUMBNAIL = 32
"""Pixels a side of the picture that neighbouring frames are compared at: motion disappears, another scene does not."""

BLACK_LEVEL = 0.05
"""Mean brightness, 0..1, under which a picture is black, or the face in it where one is found: video black is 0, or
16/255 where the range is mistaken."""

CUT_CHANGE = 0.08
"""Mean change of a thumbnail's brightness, 0..1, that a cut exceeds; a nodding head changes it by 0.01 to 0.02."""

CUT_JUMP = 0.15
"""Face widths that the whole face moves between two frames at a jump cut; fast nodding reaches 0.05 at 25 fps."""

CUT_FACTOR = 4.0
"""A cut stands out from the median change of its surroundings by this factor: a moving camera is no cut."""

SURROUNDINGS = 12
"""Frames to either side that a change is compared with: half a second at 25 fps."""

SETTLING = 2
"""Frames from a cut on that are left out: the tracker still looks for the face where it was."""

RIVAL = 0.6
"""Width of another face over the speaker's from which it is unclear whose voice is heard."""

LARGEST_OUTSIDE = 0.05
"""Share of the vertices that may lie outside the picture; what is cut off, MediaPipe makes up."""

LARGEST_YAW, LARGEST_PITCH = 35.0, 30.0
"""Degrees from the camera beyond which the far corner of the mouth is hidden."""


class SceneSigns:
    """What is measured of each picture while it is in memory."""

    def __init__(self) -> None:
        self._brightness: list[float] = []
        self._change: list[float] = []
        self._last: np.ndarray | None = None

    def observe(self, image: np.ndarray, face: float | None = None) -> None:
        """Take in the next picture (H, W, 3) uint8 RGB; face: the brightness, 0..1, of the face found in it."""
        import cv2

        # The nearest eighth of the pixels is enough for a mean, and a 4K picture would cost 10 ms otherwise.
        step = max(1, min(image.shape[:2]) // 256)
        size = (THUMBNAIL, THUMBNAIL)
        small = cv2.resize(np.ascontiguousarray(image[::step, ::step]), size, interpolation=cv2.INTER_AREA)
        thumbnail = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
        self._brightness.append(float(thumbnail.mean()) if face is None else face)
        self._change.append(0.0 if self._last is None else float(np.abs(thumbnail - self._last).mean()))
        self._last = thumbnail

    @property
    def brightness(self) -> np.ndarray:
        """(T,) float32 mean brightness, 0..1: of the face, or of the whole picture where none was found."""
        return np.array(self._brightness, np.float32)

    @property
    def change(self) -> np.ndarray:
        """(T,) float32 mean change of brightness from the frame before, 0..1."""
        return np.array(self._change, np.float32)


def find_gaps(track: Track, signs: SceneSigns, angles: np.ndarray) -> np.ndarray:
    """The reason why each frame is left out, (T,) uint8 of `Gap` numbers, 0 where it is not.

    angles: (T, 3) degrees, yaw, pitch, roll, NaN where no face was found.
    """
    turned = (np.abs(angles[:, 0]) > LARGEST_YAW) | (np.abs(angles[:, 1]) > LARGEST_PITCH)
    masks = {
        Gap.TURNED: turned,
        Gap.OUTSIDE: _leaves_picture(track),
        Gap.SECOND_FACE: track.rival > RIVAL,
        Gap.NO_FACE: ~track.found,
        Gap.CUT: _settling(find_cuts(track, signs)),
        Gap.BLACK: signs.brightness < BLACK_LEVEL,
    }
    gaps = np.zeros(len(track.times), np.uint8)
    for reason, mask in masks.items():  # from the weakest reason to the strongest
        gaps[mask] = reason
    return gaps


def find_cuts(track: Track, signs: SceneSigns) -> np.ndarray:
    """Frames (T,) bool that begin a new shot: the picture changes, or the face jumps, far more than nearby."""
    if len(track.times) < 2:
        return np.zeros(len(track.times), bool)
    return _stands_out(signs.change, CUT_CHANGE) | _stands_out(_jumps(track), CUT_JUMP)


def describe_gaps(gaps: np.ndarray, name: str) -> list[str]:
    """A sentence for each reason that took frames of the video `name`. gaps: (T,) `Gap` numbers."""
    return [
        f"{name}: {int((gaps == reason).sum())} of {len(gaps)} frames are not trained on: {words}."
        for reason, words in REASONS.items()
        if (gaps == reason).any()
    ]


def count_gaps(gaps: np.ndarray) -> dict[str, int]:
    """Number of frames left out for each reason that occurs, by its name in lower case."""
    return {reason.name.lower(): int((gaps == reason).sum()) for reason in REASONS if (gaps == reason).any()}


def _jumps(track: Track) -> np.ndarray:
    """Face widths (T,) that the middle of the face moved since the frame before; 0 beside gaps."""
    points = track.landmarks[:, :VERTEX_COUNT, :2]
    centres, widths = points.mean(axis=1), np.ptp(points[..., 0], axis=1)
    steps = np.linalg.norm(np.diff(centres, axis=0), axis=1) / np.maximum(widths[1:], 1.0)
    # Where frames are missing from a variable rate, a face may well move further; judged by its speed at 25 fps.
    steps *= np.minimum(1.0, 0.04 / np.maximum(np.diff(track.times), 1e-3))
    return np.nan_to_num(np.concatenate([[0.0], steps]))


def _stands_out(change: np.ndarray, least: float) -> np.ndarray:
    padded = np.pad(change, SURROUNDINGS, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * SURROUNDINGS + 1)
    return (change > least) & (change > CUT_FACTOR * np.median(windows, axis=1))


def _settling(cuts: np.ndarray) -> np.ndarray:
    result = cuts.copy()
    for step in range(1, SETTLING):
        result[step:] |= cuts[:-step]
    return result


def _leaves_picture(track: Track) -> np.ndarray:
    points = track.landmarks[:, :VERTEX_COUNT, :2]
    with np.errstate(invalid="ignore"):
        outside = ((points < 0) | (points > [track.width, track.height])).any(axis=2)
    return (outside.mean(axis=1) > LARGEST_OUTSIDE) | outside[:, LIPS].any(axis=1)
