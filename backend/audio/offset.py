"""By how much the sound of a video lags behind its picture."""

import math
from dataclasses import dataclass

import numpy as np

from backend.audio.decode import SAMPLE_RATE
from backend.audio.mel import log_mel

SEARCH = 0.30
"""Seconds searched to either side at first."""

FAR = 1.5
"""Seconds searched to either side, first in steps of `FAR_STEP`, where nothing is certain nearer."""

FAR_STEP = 0.05

EDGE = 0.06
"""Seconds from the end of a search within which its highest score is no peak: it may rise beyond."""

STEP = 0.01
"""Seconds between tried lags: one mel column."""

CONTEXT = (-4, -2, 0, 2, 4)
"""Mel columns (10 ms) that a lip aperture is predicted from: short, or the context could undo the lag."""

RIDGE = 0.01
"""Penalty relative to the number of frames, features being of unit variance."""

FOLDS = 4

SMOOTHING = np.hanning(15)[1:-1]
"""Weights of neighbouring lags' scores. The peak is flat and noisy: over random tens of GRID clips the estimates
scatter by 7 ms with it and by 18 without."""

NATURAL_LEAD = 0.014
"""Seconds by which this estimate places the sound after the lips where both are synchronous: a voiced sound grows loud
after the lips have parted. 16 ms on the synthetic speaker, whose true lips and sound share one clock; 13 ms on GRID."""

LEAST_CORRELATION = 0.2
"""Held-out correlation of predicted and true aperture under which sound and lips have nothing to do with each other."""

SURE_CORRELATION = 0.5
"""From which no other lag need be looked for, and a far one is believed: the speaker's own voice reaches 0.6 to 0.7 at
its lag and 0.25 at 0.2 s beside it, a foreign one 0.19 at the best of all lags."""


@dataclass(frozen=True)
class Offset:
    """An estimated lag of the sound."""

    seconds: float
    """Positive where the sound comes after the picture; NaN where the lag is not known."""
    correlation: float
    """Held-out correlation of the aperture predicted from the sound with the true one, at that lag; NaN where
    nothing was measured."""

    @property
    def trusted(self) -> bool:
        """Whether sound and lips agree well enough to believe the lag."""
        return math.isfinite(self.seconds) and self.correlation >= LEAST_CORRELATION


NOT_MEASURED = Offset(math.nan, math.nan)


@dataclass(frozen=True)
class Clip:
    """What is compared: lip apertures (T,) at times (T,) seconds with samples (N,), 16 kHz; NaN marks gaps."""

    times: np.ndarray
    aperture: np.ndarray
    samples: np.ndarray


def estimate_offset(clips: list[Clip]) -> Offset:
    """The lag of the sound that lets a ridge regression predict lip aperture best, over all clips together.

    Each lag is judged by held-out blocks of frames (4-fold); the scores are smoothed over the lags, and the peak is
    refined by a parabola. Lags over 0.3 s are tried, to 1.5 s, only where none below is certain.
    """
    mels = [log_mel(clip.samples) for clip in clips]
    aperture = np.concatenate([_standard(clip.aperture) for clip in clips])
    keep = np.isfinite(aperture)
    if keep.sum() < 50:
        return NOT_MEASURED

    def scores(lags: np.ndarray) -> np.ndarray:
        return np.array([_score(_features(clips, mels, lag + NATURAL_LEAD)[keep], aperture[keep]) for lag in lags])

    about = np.arange(-SEARCH, SEARCH + STEP / 2, STEP)
    near = _peak(about, scores(about))
    if near.trusted and near.correlation >= SURE_CORRELATION:
        return near
    wide = np.arange(-FAR, FAR + FAR_STEP / 2, FAR_STEP)
    about += wide[np.argmax(scores(wide))]
    far = _peak(about, scores(about))
    return far if far.trusted and far.correlation >= SURE_CORRELATION else near


def _peak(lags: np.ndarray, scores: np.ndarray) -> Offset:
    """The lag of the highest score once they are smoothed, no lag where that is at the edge of those tried."""
    padded = np.pad(scores, len(SMOOTHING) // 2, mode="edge")
    scores = np.convolve(padded, SMOOTHING / SMOOTHING.sum(), mode="valid")
    best = int(np.argmax(scores))
    if not lags[0] + EDGE <= lags[best] <= lags[-1] - EDGE:
        return Offset(math.nan, float(scores[best]))
    return Offset(float(lags[best] + STEP * _parabola(scores, best)), float(scores[best]))


def shift_samples(samples: np.ndarray, seconds: float, rate: int = SAMPLE_RATE) -> np.ndarray:
    """Samples moved `seconds` earlier (later if negative), of the same length, silence coming in."""
    count = round(seconds * rate)
    result = np.zeros_like(samples)
    if abs(count) < len(samples):
        if count >= 0:
            result[: len(samples) - count] = samples[count:]
        else:
            result[-count:] = samples[:count]
    return result


def _features(clips: list[Clip], mels: list[np.ndarray], lag: float) -> np.ndarray:
    """Mel columns about each frame's time plus the lag: (frames, 5 * 40) float32."""
    parts = []
    for clip, mel in zip(clips, mels, strict=True):
        centre = np.round((clip.times + lag) / STEP).astype(int)
        columns = np.clip(centre[:, None] + np.array(CONTEXT), 0, len(mel) - 1)
        parts.append((mel - mel.mean(axis=0))[columns].reshape(len(centre), -1))
    return np.concatenate(parts)


def _score(features: np.ndarray, target: np.ndarray) -> float:
    """Held-out correlation of a ridge regression, over contiguous folds."""
    x = (features - features.mean(axis=0)) / (features.std(axis=0) + 1e-6)
    predicted = np.empty(len(target))
    for fold in np.array_split(np.arange(len(target)), FOLDS):
        train = np.ones(len(target), bool)
        train[fold] = False
        a, b = x[train], target[train]
        gram = a.T @ a + RIDGE * len(a) * np.eye(a.shape[1])
        predicted[fold] = x[fold] @ np.linalg.solve(gram, a.T @ (b - b.mean())) + b.mean()
    if predicted.std() < 1e-9 or target.std() < 1e-9:
        return 0.0
    return float(np.corrcoef(predicted, target)[0, 1])


def _standard(values: np.ndarray) -> np.ndarray:
    return (values - np.nanmedian(values)) / (np.nanstd(values) + 1e-9)


def _parabola(scores: np.ndarray, best: int) -> float:
    """Where between -0.5 and 0.5 steps of `best` a parabola through its neighbours peaks."""
    if best in (0, len(scores) - 1):
        return 0.0
    left, middle, right = scores[best - 1 : best + 2]
    curve = left - 2 * middle + right
    return float(np.clip(0.5 * (left - right) / curve, -0.5, 0.5)) if curve < 0 else 0.0
