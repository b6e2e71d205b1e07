"""Samples to the complex spectrogram window of every video frame (LipSync3D section 3)."""

from dataclasses import dataclass

import numpy as np
import scipy.fft

from backend.audio.decode import SAMPLE_RATE

WINDOW = 480
"""Samples in the Hann window: 30 ms (section 3)."""
HOP_SECONDS = 0.010
"""Distance of neighbouring columns (section 3)."""
FFT_LENGTH = 512
"""The next power of two; its 257 bins less the one at 0 Hz give the paper's 256."""
BINS = 256
COLUMNS = 24
"""Columns in the window of one frame: 240 ms centred on it (section 3)."""
COMPRESSION = 0.3
"""Exponent of the magnitude: brings speech's 60 dB into the range a network likes."""

SPEECH_RMS = 0.05
"""Level to which every recording is brought."""
SILENCE_RMS = 1e-4
"""Below -80 dB of full scale a recording counts as silent and is left as it is."""


@dataclass(frozen=True)
class Windows:
    """Spectrogram windows of T frames, with the columns that several windows share kept once.

    columns: (C, 2, 256) float32, real and imaginary part, magnitude compressed.
    index: (T, 24) int64, which columns make up each window; `columns[index]` is (T, 24, 2, 256).
    """

    columns: np.ndarray
    index: np.ndarray


def frame_times(duration: float, fps: float) -> np.ndarray:
    """Times in seconds of the ceil(duration * fps) frames that cover a sound."""
    # The tolerance keeps 5.000000001 frames, a rounding of the sample count, from becoming six.
    return np.arange(max(1, int(np.ceil(duration * fps - 1e-6)))) / fps


def normalise_level(samples: np.ndarray) -> np.ndarray:
    """Scale a recording so that its sounding parts have the same RMS level, whatever the microphone.

    samples: (n,) float32. Silence is left silent. Sounding parts are the 20 ms pieces within 30 dB of the loudest.
    """
    length = SAMPLE_RATE // 50
    pieces = samples[: len(samples) // length * length].reshape(-1, length)
    power = np.mean(np.square(pieces, dtype=np.float64), axis=1) if len(pieces) else np.zeros(1)
    if np.sqrt(power.max()) < SILENCE_RMS:
        return samples
    level = np.sqrt(power[power > power.max() * 1e-3].mean())
    return (samples * (SPEECH_RMS / level)).astype(np.float32)


def spectrogram_windows(samples: np.ndarray, times: np.ndarray, snap: bool = False) -> Windows:
    """Cut the 24 columns around each frame out of a recording.

    samples: (n,) float32 at 16 kHz, level-normalised; times: (T,) seconds, any frame rate, real time stamps.
    Column k of a frame is centred at its time + (k - 11.5) * 10 ms; outside the recording there is silence.
    snap moves the times by up to 5 ms, so that all windows share one grid of columns whatever the frame rate: a
    fifth of the work for training on odd rates, where so little does not matter.
    """
    times = np.asarray(times)
    if snap:
        times = times[0] + np.rint((times - times[0]) / HOP_SECONDS) * HOP_SECONDS
    offsets = (np.arange(COLUMNS) - (COLUMNS - 1) / 2) * HOP_SECONDS
    centres = np.rint((times[:, None] + offsets) * SAMPLE_RATE).astype(np.int64)
    unique, index = np.unique(centres, return_inverse=True)
    return Windows(spectrum(samples, unique), index.reshape(centres.shape))


def spectrum(samples: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Compressed complex spectrum of 30 ms Hann windows.

    samples: (n,) float32; centres: (C,) int sample positions, may lie outside the recording.
    Returns: (C, 2, 256) float32: real and imaginary parts of |X|^0.3 * X / |X|, bins 31.25 Hz to 8 kHz.
    """
    half = WINDOW // 2
    first = int(min(0, centres.min() - half))
    padding = (-first, max(0, int(centres.max()) + half - len(samples)))
    views = np.lib.stride_tricks.sliding_window_view(np.pad(samples, padding), WINDOW)
    pieces = views[centres - half - first] * _hann()
    bins = np.asarray(scipy.fft.rfft(pieces, FFT_LENGTH, axis=1))[:, 1:]
    bins *= (np.abs(bins) + 1e-8) ** (COMPRESSION - 1)
    return np.stack([bins.real, bins.imag], axis=1).astype(np.float32, copy=False)


def _hann() -> np.ndarray:
    """Periodic Hann window: the one whose shifted copies add up to a constant."""
    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)).astype(np.float32)
