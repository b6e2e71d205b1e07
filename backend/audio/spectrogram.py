"""Samples to the complex spectrogram window of every video frame (LipSync3D section 3)."""

from dataclasses import dataclass

import numpy as np

from backend.audio.decode import SAMPLE_RATE

WINDOW = 480
"""Samples in the Hann window: 30 ms (section 3)."""
HOP_SECONDS = 0.010
"""Distance of neighbouring columns (section 3)."""
FFT_LENGTH = 512
"""The next power of two; its 257 bins less the one at 0 Hz give the paper's 256."""
BINS = 256
COLUMNS = 24
"""Columns in the window of one frame: 240 ms centred on it (section 3). Networks may read more (`encoder.columns`)."""
COMPRESSION = 0.3
"""Exponent of the magnitude: brings speech's 60 dB into the range a network likes."""

PIECE = SAMPLE_RATE // 50
"""Samples in a piece whose loudness is measured: 20 ms."""
PIECES_AT_ONCE = 5000
"""Measured in one go: bounds memory for recordings of any length."""
SOUNDING = 1e-3
"""Share of the loudest piece's power above which a piece counts as sounding: 30 dB."""
SPEECH_RMS = 0.05
"""Level to which every recording is brought."""
SILENCE_RMS = 1e-4
"""Below -80 dB of full scale a recording counts as silent and is left as it is."""


@dataclass(frozen=True)
class Windows:
    """Spectrogram windows of T frames, with the columns that several windows share kept once.

    columns: (C, 2, 256) float32, real and imaginary part, magnitude compressed.
    index: (T, K) int64, which columns make up each window; `columns[index]` is (T, K, 2, 256).
    """

    columns: np.ndarray
    index: np.ndarray


def frame_times(duration: float, fps: float) -> np.ndarray:
    """Times in seconds of the ceil(duration * fps) frames that cover a sound."""
    # The tolerance keeps 5.000000001 frames, a rounding of the sample count, from becoming six.
    return np.arange(max(1, int(np.ceil(duration * fps - 1e-6)))) / fps


def level_gain(samples: np.ndarray) -> float:
    """Factor that brings a recording's sounding parts to the same RMS level, whatever the microphone.

    samples: (n,) float32. Sounding parts are the 20 ms pieces within 30 dB of the loudest. Silence gets 1.
    """
    power = piece_power(samples)
    if not len(power) or np.sqrt(power.max()) < SILENCE_RMS:
        return 1.0
    return float(SPEECH_RMS / np.sqrt(power[power > power.max() * SOUNDING].mean()))


def piece_power(samples: np.ndarray) -> np.ndarray:
    """Mean square of each whole 20 ms piece of (n,) float32 samples: (n // 320,) float64."""
    pieces = samples[: len(samples) // PIECE * PIECE].reshape(-1, PIECE)
    power = np.empty(len(pieces))
    for start in range(0, len(pieces), PIECES_AT_ONCE):
        power[start : start + PIECES_AT_ONCE] = np.mean(
            np.square(pieces[start : start + PIECES_AT_ONCE], dtype=np.float64), axis=1
        )
    return power


def normalise_level(samples: np.ndarray) -> np.ndarray:
    """Scale a recording (n,) float32 by its `level_gain`; silence is left silent."""
    gain = level_gain(samples)
    return samples if gain == 1.0 else (samples * gain).astype(np.float32)


def window_centres(times: np.ndarray, look_ahead: float | None = None, count: int = COLUMNS) -> np.ndarray:
    """Sample positions of the `count` columns of each frame, (T, count) int64; some lie outside the recording.

    times: (T,) seconds. Column k is centred at the frame's time + (k - (count - 1) / 2) * 10 ms. look_ahead: seconds
    of sound after the frame's time that may be heard; the columns that reach further repeat the last one that does
    not. None hears all of them.
    """
    times = np.asarray(times)
    offsets = (np.arange(count) - (count - 1) / 2) * HOP_SECONDS
    centres = np.rint((times[:, None] + offsets) * SAMPLE_RATE).astype(np.int64)
    if look_ahead is None:
        return centres
    heard = samples_needed(times, look_ahead)[:, None]
    last = (centres + WINDOW // 2 <= heard).sum(axis=1, keepdims=True) - 1
    return np.minimum(centres, np.take_along_axis(centres, last, axis=1))


def samples_needed(times: np.ndarray, look_ahead: float) -> np.ndarray:
    """How many samples of the recording are heard for the frames at `times` (T,), seconds: (T,) int64."""
    # The tolerance keeps 0.04 * 16,000 from becoming 639.
    return np.floor((np.asarray(times) + look_ahead) * SAMPLE_RATE + 1e-6).astype(np.int64)


def spectrogram_windows(
    samples: np.ndarray,
    times: np.ndarray,
    snap: bool = False,
    gain: float = 1.0,
    look_ahead: float | None = None,
    count: int = COLUMNS,
) -> Windows:
    """Cut the `count` columns around each frame out of a recording.

    samples: (n,) float32 at 16 kHz, level-normalised or with the `gain` that does it; times: (T,) seconds, any frame
    rate, real time stamps. Outside the recording there is silence. look_ahead: see `window_centres`.
    snap moves the times by up to 5 ms, so that all windows share one grid of columns whatever the frame rate: a
    fifth of the work for training on odd rates, where so little does not matter.
    """
    times = np.asarray(times)
    if snap:
        times = times[0] + np.rint((times - times[0]) / HOP_SECONDS) * HOP_SECONDS
    centres = window_centres(times, look_ahead, count)
    unique, index = np.unique(centres, return_inverse=True)
    return Windows(spectrum(samples, unique, gain), index.reshape(centres.shape))


def spectrum(samples: np.ndarray, centres: np.ndarray, gain: float | np.ndarray = 1.0) -> np.ndarray:
    """Compressed complex spectrum of 30 ms Hann windows.

    samples: (n,) float32; centres: (C,) int sample positions, may lie outside the recording; gain: of all windows or
    (C,) of each. Memory grows with the windows asked for, not with the recording.
    Returns: (C, 2, 256) float32: real and imaginary parts of |X|^0.3 * X / |X|, bins 31.25 Hz to 8 kHz.
    """
    half = WINDOW // 2
    first, last = int(centres.min()) - half, int(centres.max()) + half
    part = samples[max(0, first) : max(0, last)]
    before = min(max(0, -first), last - first)
    part = np.pad(part, (before, last - first - before - len(part)))
    views = np.lib.stride_tricks.sliding_window_view(part, WINDOW)
    pieces = views[centres - half - first] * _hann()
    pieces *= np.asarray(gain, np.float32)[..., None] if np.ndim(gain) else np.float32(gain)
    bins = np.fft.rfft(pieces, FFT_LENGTH, axis=1)[:, 1:].astype(np.complex64)
    bins *= (np.abs(bins) + np.float32(1e-8)) ** np.float32(COMPRESSION - 1)
    return np.stack([bins.real, bins.imag], axis=1)


def _hann() -> np.ndarray:
    """Periodic Hann window: the one whose shifted copies add up to a constant."""
    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)).astype(np.float32)
