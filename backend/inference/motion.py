"""A recording to codes, vertices and blendshape weights in NumPy; see `predict.py` for the same in PyTorch."""

import numpy as np

from backend.audio.decode import SAMPLE_RATE
from backend.audio.spectrogram import level_gain, spectrogram_windows
from backend.inference.heard_lips import rounding, tucking
from backend.progress import Progress, no_progress
from models.motion_network import MotionNetwork
from shape_keys.basis import load_basis

FRAMES_AT_ONCE = 500
"""Frames between two reports of progress: bounds memory for recordings of any length."""
NEAR_SILENCE = 1e-3
"""How much the neutral code keeps to silence's, as a share of what an average code moves."""
STEADY_FPS, STEADY_SECONDS = 40.0, 0.011
"""Frames a second above which codes are steadied, and the Gaussian's standard deviation. Networks learn from 25 frames
a second; what they hear at moments nearer to each other wavers, and lips flutter by it: on five recordings at 120
frames a second a quarter to six tenths more openings than at 25, steadied as many as there."""


def hear(
    network: MotionNetwork,
    samples: np.ndarray,
    times: np.ndarray,
    progress: Progress = no_progress,
    look_ahead: float | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Codes of the frames at `times` (T,), seconds, of a recording (n,) float32 at 16 kHz: (T, numbers) float32.

    And how round and how far tucked lips are beside what codes tell, (T, 2) float32: `rounding` and `tucking`, 0 in a
    speaker's own network.

    look_ahead: seconds of sound after each frame that are heard, all that the network knows to use by default.
    """
    gain = level_gain(samples)
    codes = np.empty((len(times), network.numbers), np.float32)
    lips = np.zeros((len(times), 2), np.float32)
    for start in range(0, len(times), FRAMES_AT_ONCE):
        progress("listen", start, len(times))
        part = slice(start, start + FRAMES_AT_ONCE)
        windows = spectrogram_windows(samples, times[part], gain=gain, look_ahead=look_ahead, count=network.columns)
        codes[part], probabilities = network.hear(network.features(windows.columns), windows.index)
        if probabilities is not None:
            lips[part] = np.stack([rounding(probabilities), tucking(probabilities)], axis=1)
    progress("listen", len(times), len(times))
    return codes, lips


def steady(codes: np.ndarray, fps: float) -> np.ndarray:
    """Codes (T, Ns) without what wavers faster than faces that were learnt from; slow frames stay as they are."""
    if fps <= STEADY_FPS:
        return codes
    from scipy.ndimage import gaussian_filter1d

    return gaussian_filter1d(codes, STEADY_SECONDS * fps, axis=0, mode="nearest")


def rest_code(network: MotionNetwork) -> np.ndarray:
    """Code of silence, (1, numbers): where the face comes to rest."""
    return hear(network, np.zeros(SAMPLE_RATE // 2, np.float32), np.array([0.25]))[0]


def neutral_code(network: MotionNetwork) -> np.ndarray:
    """Code at which the face stands nearest to its neutral one, not far from silence's, (1, numbers).

    What a network makes of silence is the mean of what speakers do in it: lips half open for the next word. Offsets
    are affine in the code, so the nearest one is the solution of a small linear system.
    """
    code = rest_code(network)
    silence = code[0, : network.code_length]
    weight, bias = network.offsets_weight.astype(np.float64), network.offsets_bias.astype(np.float64)
    gram = weight @ weight.T
    ridge = NEAR_SILENCE * np.trace(gram) / len(gram) * np.eye(len(gram))
    away = np.linalg.solve(gram + ridge, -weight @ (silence @ weight + bias))
    code[0, : network.code_length] += away
    return code


def calm_silence(motion: np.ndarray, rest: np.ndarray, open_: np.ndarray) -> np.ndarray:
    """Bring the face to rest where nobody speaks.

    motion: codes (T, Ns) or weights (T, 52); rest: (1, the same), of the face at rest; open_: (T,), 0 at rest, 1 as
    heard.
    """
    return rest + np.asarray(open_, np.float32)[:, None] * (motion - rest)


def style_motion(motion: np.ndarray, rest: np.ndarray, intensity: float, smooth_frames: float) -> np.ndarray:
    """Exaggerate or calm the motion, and smooth it.

    motion: codes (T, Ns), which vertices and texture follow, or weights (T, 52); rest: (1, the same). intensity 1
    leaves the motion, 0 keeps the face at rest: geometry is affine in the code, so scaling the code's distance from
    rest scales it exactly. smooth_frames: standard deviation of a Gaussian over time.
    """
    if smooth_frames == 0 and intensity == 1:
        return motion
    if smooth_frames > 0:
        from scipy.ndimage import gaussian_filter1d

        motion = gaussian_filter1d(motion, smooth_frames, axis=0, mode="nearest")
    return rest + np.float32(intensity) * (motion - rest)


class LazyOffsets:
    """The offsets (T, 468, 3) float32 of a performance, computed where they are looked at.

    codes: (T, Ns), decoded by the network; shift: (T, 52) multiples of the basis' shapes that come on top, or None.
    Two hours of offsets are a gigabyte; slices are made piece by piece while the file is written.
    """

    def __init__(self, network: MotionNetwork, codes: np.ndarray, shift: np.ndarray | None = None) -> None:
        self._network, self._codes = network, codes
        self._shift = shift if shift is not None and shift.any() else None
        self.shape = (len(codes), 468, 3)
        self.dtype = np.dtype(np.float32)

    def __len__(self) -> int:
        return len(self._codes)

    def __getitem__(self, frames: slice) -> np.ndarray:
        offsets = self._network.offsets(self._codes[frames])
        if self._shift is not None:
            basis = load_basis()
            offsets += (self._shift[frames] @ basis.reshape(len(basis), -1)).reshape(offsets.shape)
        return offsets

    def __array__(self, dtype=None, copy=None) -> np.ndarray:
        return self[:].astype(dtype or self.dtype, copy=False)
