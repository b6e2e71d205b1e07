"""What the tracker makes of a face that turns: the same face in another shape, which is learnt and taken off.

A tracker that knows one picture guesses depth from what faces usually look like. As the head turns, cheeks, jaw and
lips therefore move in head space although the speaker does not move them (docs/decisions/016-turning.md).
"""

from dataclasses import dataclass, field

import numpy as np

from backend.normalisation.pose import yaw_pitch_roll
from shape_keys.topology import INNER_LIP_LOWER, INNER_LIP_UPPER, VERTEX_COUNT

SECONDS = 2.0
"""Standard deviation of the blur in time under which both are compared: words even out, the turn of a head does not."""
DOUBT = 50.0
"""How much is asked of a video before it is believed: as if the head had been turned by a degree, and the face had
stayed the same, so many times. A short video, or a head that is held still, changes little."""
NAMES = ("middle", "reach", "slopes")


@dataclass(frozen=True)
class Turning:
    """How a tracked face changes with the head's angles; by default not at all.

    middle (3,) float32 degrees: yaw, pitch and roll of the reference, where nothing changes; reach (3,) float32: how
    far from it the head was seen; slopes (3, 468, 3) float32: interocular units, head space, for each degree, the same
    for the upper and the lower of each pair of inner lips: lips that touch still touch.
    """

    middle: np.ndarray = field(default_factory=lambda: np.zeros(3, np.float32))
    reach: np.ndarray = field(default_factory=lambda: np.zeros(3, np.float32))
    slopes: np.ndarray = field(default_factory=lambda: np.zeros((3, VERTEX_COUNT, 3), np.float32))

    def offsets(self, poses: np.ndarray) -> np.ndarray:
        """What the tracker adds to vertices, (..., 468, 3) float32, at poses (..., 3, 4), frame to head; NaN where NaN.

        A head that is turned further than it was ever seen changes as it does at the furthest.
        """
        angles = np.clip(yaw_pitch_roll(poses) - self.middle, -self.reach, self.reach)
        return np.tensordot(angles, self.slopes, 1).astype(np.float32)

    def arrays(self) -> dict[str, np.ndarray]:
        """Its numbers under the names of a reference file."""
        return {f"turning_{name}": getattr(self, name) for name in NAMES}

    @staticmethod
    def of(arrays: dict[str, np.ndarray]) -> "Turning":
        """From the arrays of a reference file; raises KeyError where they are missing, ValueError where misshapen."""
        middle, reach, slopes = (arrays[f"turning_{name}"] for name in NAMES)
        return Turning(middle.reshape(3), reach.reshape(3), slopes.reshape(3, VERTEX_COUNT, 3))


def fit_turning(
    vertices: np.ndarray, poses: np.ndarray, times: np.ndarray, clip: np.ndarray, middle: np.ndarray
) -> Turning:
    """Learn it from the frames of a speaker: what changes slowly with the angles, since speech does not.

    vertices (T, 468, 3) head space and poses (T, 3, 4), NaN where no face is; times (T,) seconds and clip (T,), which
    frames belong together; middle (3,): angles of the reference, degrees. Ridge regression of the blurred vertices on
    the blurred angles.
    """
    found = np.isfinite(vertices).all(axis=(1, 2))
    angles = yaw_pitch_roll(poses[found])
    flat = np.asarray(vertices[found], np.float64).reshape(len(angles), -1)
    if len(angles) < 2:
        return Turning()
    reach = np.abs(angles - middle).max(axis=0)
    times, clip = times[found], clip[found]
    for number in np.unique(clip):
        rows = clip == number
        angles[rows], flat[rows] = (_blurred(values[rows], times[rows]) for values in (angles, flat))
    seconds = len(times) * _step(times, clip)
    centred = angles - angles.mean(0)
    doubt = DOUBT * 2 * SECONDS / seconds
    gram = centred.T @ centred / len(centred) + doubt * np.eye(3)
    slopes = np.linalg.solve(gram, centred.T @ (flat - flat.mean(0)) / len(centred)).reshape(3, VERTEX_COUNT, 3)
    both = (slopes[:, INNER_LIP_UPPER] + slopes[:, INNER_LIP_LOWER]) / 2
    slopes[:, INNER_LIP_UPPER] = slopes[:, INNER_LIP_LOWER] = both
    return Turning(*(np.asarray(part, np.float32) for part in (middle, reach, slopes)))


def _blurred(values: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Values (T, N) of one clip, blurred over time; frames that are missing are passed over."""
    from scipy.ndimage import gaussian_filter1d

    step = _step(times, np.zeros(len(times)))
    return gaussian_filter1d(values, SECONDS / step, axis=0)


def _step(times: np.ndarray, clip: np.ndarray) -> float:
    """Seconds from one frame to the next."""
    steps = np.diff(times)[np.diff(clip) == 0]
    return float(np.median(steps)) if len(steps) else 1.0
