"""The condition of a recording: clipping, and what is heard behind the voice."""

from dataclasses import dataclass

import numpy as np

from backend.audio.decode import SAMPLE_RATE
from backend.audio.speech import loudness_columns, speech_columns

NEAR_PEAK = 0.93
"""Share of the peak from which a sample counts as pressed against the ceiling; lossy codecs bend flat tops."""

PEAK_PERCENTILE = 99.99
"""Of the absolute samples: a single crackle is no ceiling."""

QUIET_PERCENTILE = 10.0
LOUD_PERCENTILE = 95.0
"""Of the loudness of 10 ms columns: the background between words, and the voice."""

SPECTRUM_LENGTH = 2048
"""Samples (128 ms) of the windows in which tones are told from noise: harmonics of an instrument stand 8 Hz apart."""

TONE_BINS = slice(8, 800)
"""60 Hz to 6 kHz."""

TONE_SECONDS = 15.0
"""Shorter recordings are not searched for tones: their few pauses hold harmonics of the voice itself."""

NEIGHBOURHOOD = 33
"""Bins (260 Hz) that a spectral peak is compared with."""


@dataclass(frozen=True)
class SoundCondition:
    """Figures of one or more recordings of one speaker."""

    clipping: float
    """Share of the samples, 0..1, within 7 % of the peak: speech is there for moments only, a clipped voice stays."""
    background_db: float
    """Decibels by which the quietest tenth of the recording lies under the voice."""
    tonality: float
    """Of the background: its spectral peaks over their surroundings, decibels; 7.6 for noise, 0 for recordings under
    15 s."""
    speech: float
    """Share of the time, 0..1, in which somebody speaks."""


def examine_sound(samples: np.ndarray) -> SoundCondition:
    """Measure a recording (N,) float32, 16 kHz; digital silence gives zeros."""
    size = np.abs(samples)
    peak = float(np.percentile(size, PEAK_PERCENTILE)) if len(size) else 0.0
    if peak <= 1e-6:
        return SoundCondition(0.0, 0.0, 0.0, 0.0)
    loudness = loudness_columns(samples)
    # A recorder that gates its pauses to digital silence must not make every voice look clean or hide its music.
    heard = loudness[loudness > loudness.max() - 80]
    quiet, loud = (float(value) for value in np.percentile(heard, (QUIET_PERCENTILE, LOUD_PERCENTILE)))
    clipped = float((size > NEAR_PEAK * peak).mean())
    return SoundCondition(clipped, loud - quiet, _tonality(samples, loudness), float(speech_columns(samples).mean()))


def _tonality(samples: np.ndarray, loudness: np.ndarray) -> float:
    """How far the strongest peaks of the quietest windows' spectra stand out from their surroundings, dB."""
    from scipy.ndimage import median_filter

    blocks = len(samples) // SPECTRUM_LENGTH
    if blocks * SPECTRUM_LENGTH < TONE_SECONDS * SAMPLE_RATE:
        return 0.0
    frames = samples[: blocks * SPECTRUM_LENGTH].reshape(blocks, SPECTRUM_LENGTH)
    columns = np.arange(blocks) * SPECTRUM_LENGTH * 100 // SAMPLE_RATE
    level = np.array([loudness[c : c + SPECTRUM_LENGTH * 100 // SAMPLE_RATE].max() for c in columns])
    quiet = frames[level <= np.percentile(level, QUIET_PERCENTILE)]
    power = np.abs(np.fft.rfft(quiet * np.hanning(SPECTRUM_LENGTH))) ** 2
    decibels = 10 * np.log10(power[:, TONE_BINS] + 1e-12)
    peaks = np.percentile(decibels - median_filter(decibels, (1, NEIGHBOURHOOD)), 98, axis=1)
    # Window by window: the mean spectrum of many chords has no peaks.
    return float(np.median(peaks))
