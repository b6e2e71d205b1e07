"""Figures that tie lips to what is said: closures at bilabials, stillness in silence."""

import numpy as np

from backend.audio.speech import speech_mask
from backend.inference.performance import wide_gap
from backend.runs import find_runs
from backend.speech.phones import OPEN_VOWELS, Phone
from shape_keys.topology import LIPS

CLOSED_SHARE = 0.1
"""Of a clip's widely opened mouth (95th percentile of the lip gap): below it the lips count as closed."""
SILENCE_MARGIN = 0.2
"""Seconds on either side of speech in which lips still move for it."""


def closed_below(gap: np.ndarray) -> float:
    """The lip gap under which a clip's lips (T,) count as closed."""
    return CLOSED_SHARE * wide_gap(gap)


def closure_recall(gap: np.ndarray, times: np.ndarray, phones: list[Phone], symbols: tuple[str, ...]) -> list[bool]:
    """For every interval of one of `symbols`: whether the lip gap falls to closed in it.

    gap, times: (T,). An interval counts with half a frame before and after it, since it may be shorter than a frame.
    With `OPEN_VOWELS` instead of `BILABIALS` this tells false closures; only their inner frames count then.
    """
    limit, step = closed_below(gap), float(np.median(np.diff(times)))
    margin = step / 2 if symbols != OPEN_VOWELS else -step / 2
    found = []
    for phone in phones:
        inside = (times >= phone.start - margin) & (times <= phone.end + margin)
        if phone.symbol in symbols and inside.any():
            found.append(bool(gap[inside].min() < limit))
    return found


def tracked_closures(true: np.ndarray, predicted: np.ndarray) -> list[bool]:
    """For every closure of the true lip gap (T,): whether the predicted one closes within a frame of it.

    Stands in for /p b m/ where no transcript says when they are spoken. The pauses before and after speech do not
    count: every stretch begins and ends with open lips.
    """
    below = predicted < closed_below(predicted)
    runs = find_runs(true < closed_below(true))
    return [bool(below[max(0, a - 1) : b + 1].any()) for a, b in runs if a > 0 and b < len(true)]


def silence_motion(vertices: np.ndarray, times: np.ndarray, samples: np.ndarray) -> tuple[float, float]:
    """Mean speed of the lip vertices in silence and in speech, interocular units a second; NaN where there is none.

    vertices: (T, 468, 3); times: (T,) seconds; samples: (n,) float32 at 16 kHz.
    """
    spoken = speech_mask(samples, times)
    step = np.diff(times)
    speed = np.linalg.norm(np.diff(vertices[:, list(LIPS)], axis=0), axis=-1).mean(axis=1) / step
    reach = max(1, round(SILENCE_MARGIN / float(np.median(step))))
    near = np.convolve(spoken, np.ones(2 * reach + 1))[reach : reach + len(spoken)] > 0
    silent, speaking = ~(near[1:] | near[:-1]), spoken[1:] & spoken[:-1]
    return (
        float(speed[silent].mean()) if silent.any() else float("nan"),
        float(speed[speaking].mean()) if speaking.any() else float("nan"),
    )
