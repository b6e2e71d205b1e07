"""A recording to codes, vertices and blendshape weights in NumPy; see `predict.py` for the same in PyTorch."""

import numpy as np

from backend.audio.decode import SAMPLE_RATE
from backend.audio.spectrogram import level_gain, spectrogram_windows
from backend.progress import Progress, no_progress
from models.motion_network import MotionNetwork

FRAMES_AT_ONCE = 500
"""Frames between two reports of progress: bounds memory for recordings of any length."""


def hear(
    network: MotionNetwork,
    samples: np.ndarray,
    times: np.ndarray,
    progress: Progress = no_progress,
    look_ahead: float | None = None,
) -> np.ndarray:
    """Codes of the frames at `times` (T,), seconds, of a recording (n,) float32 at 16 kHz: (T, Ns) float32.

    look_ahead: seconds of sound after each frame that are heard, all that the network knows to use by default.
    """
    gain = level_gain(samples)
    codes = np.empty((len(times), network.code_length), np.float32)
    for start in range(0, len(times), FRAMES_AT_ONCE):
        progress("listen", start, len(times))
        part = slice(start, start + FRAMES_AT_ONCE)
        windows = spectrogram_windows(samples, times[part], gain=gain, look_ahead=look_ahead, count=network.columns)
        codes[part] = network.codes(network.features(windows.columns), windows.index)
    progress("listen", len(times), len(times))
    return codes


def rest_code(network: MotionNetwork) -> np.ndarray:
    """Code of silence, (1, Ns): where the face comes to rest."""
    return hear(network, np.zeros(SAMPLE_RATE // 2, np.float32), np.array([0.25]))


def style_codes(codes: np.ndarray, rest: np.ndarray, intensity: float, smooth_frames: float) -> np.ndarray:
    """Exaggerate or calm the motion, and smooth it; vertices, weights and texture follow alike.

    codes: (T, Ns); rest: (1, Ns). intensity 1 leaves the motion, 0 keeps the face at rest: geometry and weights are
    affine in the code, so scaling the code's distance from rest scales them exactly. smooth_frames: standard deviation
    of a Gaussian over time.
    """
    if smooth_frames > 0:
        from scipy.ndimage import gaussian_filter1d

        codes = gaussian_filter1d(codes, smooth_frames, axis=0, mode="nearest")
    return rest + np.float32(intensity) * (codes - rest)


class LazyOffsets:
    """The offsets (T, 468, 3) float32 that codes (T, Ns) decode to, computed where they are looked at.

    Two hours of them are a gigabyte; slices are made piece by piece while the file is written.
    """

    def __init__(self, network: MotionNetwork, codes: np.ndarray) -> None:
        self._network, self._codes = network, codes
        self.shape = (len(codes), 468, 3)
        self.dtype = np.dtype(np.float32)

    def __len__(self) -> int:
        return len(self._codes)

    def __getitem__(self, frames: slice) -> np.ndarray:
        return self._network.offsets(self._codes[frames])

    def __array__(self, dtype=None, copy=None) -> np.ndarray:
        return self._network.offsets(self._codes).astype(dtype or self.dtype, copy=False)
