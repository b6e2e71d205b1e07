"""Which syllables of a recording are stressed: louder and higher than their neighbours."""

from dataclasses import dataclass

import numpy as np

from backend.audio.decode import SAMPLE_RATE
from backend.audio.speech import FRAME_SECONDS, loudness_columns
from backend.audio.speech_gate import gate_columns

SYLLABLE_SECONDS = 0.12
"""Least distance of two syllables."""
SYLLABLE_DB = 2.0
"""Least height of a syllable's loudness over the dips beside it."""
LEAST_STRENGTH = 0.5
"""Standard deviations, loudness and pitch together, by which a stressed syllable stands out."""
PHRASE_SECONDS = 0.6
"""Least distance of two stressed syllables: faster ones are one gesture."""
PITCH_WINDOW = 640
"""Samples (40 ms) in which pitch is measured: three periods of the lowest."""
LOWEST_PITCH, HIGHEST_PITCH = 75.0, 500.0
"""Hz."""
VOICED = 0.4
"""Least peak of the normalised autocorrelation in a voiced sound."""


@dataclass(frozen=True)
class Accent:
    """A stressed syllable. time: seconds, of its loudest moment; strength: 0..1."""

    time: float
    strength: float


def find_accents(samples: np.ndarray) -> list[Accent]:
    """The stressed syllables of a recording (n,) float32, 16 kHz, in order; none where nobody speaks."""
    times, loudness = _syllables(samples)
    if len(times) < 2:
        return []
    pitch = np.array([measure_pitch(samples, time) for time in times])
    score = _standardised(loudness) + _standardised(np.log(np.where(pitch > 0, pitch, np.nan)))
    accents: list[Accent] = []
    for place in np.argsort(-score, kind="stable"):
        far = all(abs(times[place] - accent.time) >= PHRASE_SECONDS for accent in accents)
        if score[place] >= LEAST_STRENGTH and far:
            accents.append(Accent(float(times[place]), float(np.clip(score[place] / 3, 0.2, 1))))
    return sorted(accents, key=lambda accent: accent.time)


def _syllables(samples: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Times of the loudness' peaks in speech (S,) seconds, and their loudness (S,) dB."""
    from scipy.signal import find_peaks

    if len(samples) < PITCH_WINDOW:
        return np.zeros(0), np.zeros(0)
    loudness = np.where(gate_columns(samples) > 0.5, loudness_columns(samples), -100.0)
    peaks, _ = find_peaks(loudness, distance=round(SYLLABLE_SECONDS / FRAME_SECONDS), prominence=SYLLABLE_DB)
    return peaks * FRAME_SECONDS, loudness[peaks]


def measure_pitch(samples: np.ndarray, time: float) -> float:
    """Fundamental frequency in Hz about `time` seconds of samples (n,) float32, 16 kHz; 0 where nothing is voiced.

    The highest peak of the normalised autocorrelation (Boersma 1993), between 75 and 500 Hz.
    """
    middle, half = int(time * SAMPLE_RATE), PITCH_WINDOW // 2
    piece = samples[max(0, middle - half) : middle + half].astype(np.float64)
    if len(piece) < PITCH_WINDOW:
        return 0.0
    window = np.hanning(len(piece))
    spectrum = np.abs(np.fft.rfft((piece - piece.mean()) * window, 4 * PITCH_WINDOW)) ** 2
    own = np.abs(np.fft.rfft(window, 4 * PITCH_WINDOW)) ** 2
    correlation = np.fft.irfft(spectrum)[:PITCH_WINDOW]
    if correlation[0] <= 1e-9:
        return 0.0
    shape = np.fft.irfft(own)[:PITCH_WINDOW]
    lags = np.arange(int(SAMPLE_RATE / HIGHEST_PITCH), int(SAMPLE_RATE / LOWEST_PITCH))
    strength = (correlation[lags] / correlation[0]) / (shape[lags] / shape[0])
    best = int(strength.argmax())
    return SAMPLE_RATE / float(lags[best]) if strength[best] > VOICED else 0.0


def _standardised(values: np.ndarray) -> np.ndarray:
    """Distance from the mean in standard deviations; 0 where a value is missing (NaN)."""
    if np.isfinite(values).sum() < 2:
        return np.zeros(len(values))
    spread = max(float(np.nanstd(values)), 1e-6)
    return np.nan_to_num((values - np.nanmean(values)) / spread)
