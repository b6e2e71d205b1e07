"""When each phoneme of a known text is spoken, in any language: the recording laid over espeak-ng's own reading of it.

Dynamic time warping (Sakoe and Chiba 1978, doi:10.1109/TASSP.1978.1163055) of the two sounds' spectra, pauses left out.
"""

import numpy as np

from backend.audio.decode import SAMPLE_RATE
from backend.audio.mel import log_mel
from backend.audio.speech import FRAME_SECONDS
from backend.audio.speech_gate import sure_columns
from backend.errors import InputError
from backend.speech.alignment import NOT_FOUND
from backend.speech.espeak import Spoken
from backend.speech.phones import SILENCE, Phone, Word, with_pauses

BANDS = slice(2, 38)
BAND_SHARE, LEAST_BAND = 0.15, 200
"""How far the path may leave the diagonal: share of the longer sound, and at least so many columns of 10 ms."""
DIFFERENCE_WEIGHT = 2.0
"""Of the spectra's change over time beside the spectra themselves: onsets and closures align better by it."""
STRETCH_COST = 0.15
"""Added to the distance, in means of it, for each step that is not diagonal."""
MOST_STRETCH = 3.0
"""A recording that is so many times longer or shorter than the synthesiser's reading says something else."""
WORST_FIT = 0.918
"""Cost of the path, as a share of what it costs to lay the reading over the recording backwards or with its halves
swapped: above this another text is said. Measured on 40 recordings: the right text 0.33-0.915; another, of
which a tenth stays unnoticed, 0.90-1.03."""
STOP_COLUMNS = 18
"""Columns of quiet that may be a stop's closure; longer ones are pauses and take no part."""
SOFT_COLUMNS = 5
"""Columns before and after what is surely speech that may be a soft consonant."""
MOST_COLUMNS = 5000
"""Of either sound; of a longer one, every second or third column is taken."""
LONGEST_SECONDS = 150.0
"""Of speech that is laid over a reading in one go."""


def warp(samples: np.ndarray, reading: Spoken) -> tuple[list[Phone], list[Word]]:
    """Carry the times of phonemes and words over from a reading to a recording (n,) float32, 16 kHz, of the same text.

    Raises InputError where nobody speaks in the recording, it is too long, or something else is said in it.
    """
    heard, read = _speech_columns(samples), _spoken_columns(reading)
    if len(heard) < 10 or len(read) < 5 or not 1 / MOST_STRETCH < len(heard) / len(read) < MOST_STRETCH:
        raise InputError(NOT_FOUND)
    if max(len(heard), len(read)) * FRAME_SECONDS > LONGEST_SECONDS:
        raise InputError(
            f"The recording has {len(heard) * FRAME_SECONDS:.0f} s of speech; a transcript is laid over up to "
            f"{LONGEST_SECONDS:.0f} s, unless it is English without figures and pocketsphinx is installed: write "
            "figures as words, or cut the recording into lines."
        )
    step = -(-max(len(heard), len(read)) // MOST_COLUMNS)
    heard, read = heard[::step], read[::step]
    sound, text = _features(samples)[heard], _features(reading.samples)[read]
    pairs, cost = _path(text, sound)
    half = len(text) // 2
    turned, shifted = text[::-1], np.concatenate([text[half:], text[:half]])
    if cost > WORST_FIT * (_path(turned, sound)[1] + _path(shifted, sound)[1]) / 2:
        raise InputError(NOT_FOUND)
    # The first column of the recording that each column of the reading is laid on.
    first = np.full(len(read) + 1, len(heard), int)
    np.minimum.at(first, pairs[:, 0], pairs[:, 1])

    def heard_in(timed: Phone | Word) -> tuple[float, float]:
        begin, stop = np.searchsorted(read, np.rint([timed.start / FRAME_SECONDS, timed.end / FRAME_SECONDS]))
        return _longest_run(heard[first[begin] : first[stop]], step)

    moved = [Phone(*heard_in(p), p.symbol) for p in reading.phones if p.symbol != SILENCE]
    words = [Word(*heard_in(w), w.text) for w in reading.words]
    phones = [phone for phone in moved if phone.end > phone.start]
    return with_pauses(phones, len(samples) / SAMPLE_RATE), [word for word in words if word.end > word.start]


def _longest_run(columns: np.ndarray, step: int) -> tuple[float, float]:
    """Start and end in seconds of the longest run of columns (n,), which are `step` apart in it; both 0 without any.

    A phoneme after a pause is often laid on the last columns before it as well.
    """
    if not len(columns):
        return 0.0, 0.0
    run = max(np.split(columns, np.flatnonzero(np.diff(columns) > STOP_COLUMNS) + 1), key=len)
    return float(run[0] * FRAME_SECONDS), float((run[-1] + step) * FRAME_SECONDS)


def _spoken_columns(reading: Spoken) -> np.ndarray:
    """Numbers of the 10 ms columns of a reading in which a phoneme sounds."""
    sounding = np.zeros(len(reading.samples) // round(FRAME_SECONDS * SAMPLE_RATE), bool)
    for phone in reading.phones:
        if phone.symbol != SILENCE:
            sounding[round(phone.start / FRAME_SECONDS) : round(phone.end / FRAME_SECONDS)] = True
    return np.flatnonzero(sounding)


def _speech_columns(samples: np.ndarray) -> np.ndarray:
    """Numbers of the 10 ms columns in which somebody speaks, soft beginnings and the closures of stops included."""
    from scipy.ndimage import binary_closing, binary_dilation

    spoken = np.pad(sure_columns(samples) > 0, STOP_COLUMNS)
    near = binary_dilation(binary_closing(spoken, np.ones(STOP_COLUMNS)), np.ones(2 * SOFT_COLUMNS + 1))
    return np.flatnonzero(near[STOP_COLUMNS:-STOP_COLUMNS])


def _features(samples: np.ndarray) -> np.ndarray:
    """Spectra free of voice and microphone, with their change over time: (columns, 72) float32."""
    mel = log_mel(samples)[:, BANDS]
    mel = np.maximum(mel, mel.max() - 9)  # 40 dB
    mel = (mel - mel.mean(axis=0)) / (mel.std() + 1e-6)
    change = np.gradient(mel, axis=0) if len(mel) > 1 else np.zeros_like(mel)
    return np.concatenate([mel, DIFFERENCE_WEIGHT * change], axis=1).astype(np.float32)


def _path(read: np.ndarray, heard: np.ndarray) -> tuple[np.ndarray, float]:
    """The cheapest monotonous way through both from end to end: (steps, 2) column numbers, and its mean distance."""
    distance = _distances(read, heard)
    usual = float(distance.mean())
    rows, columns = distance.shape
    slant, stretch = columns / rows, STRETCH_COST * usual
    reach = max(LEAST_BAND, int(BAND_SHARE * max(rows, columns)))
    total = np.full((rows + 1, columns + 1), np.inf, np.float32)
    total[0, 0] = 0
    for row in range(1, rows + 1):
        middle = int(row * slant)
        low, high = max(1, middle - reach), min(columns, middle + reach)
        here = distance[row - 1, low - 1 : high]
        best = here + np.minimum(total[row - 1, low - 1 : high], total[row - 1, low : high + 1] + stretch)
        # A run along the row costs the sum of its distances: the cheapest entry into it, by a running minimum.
        run = np.cumsum(here + stretch, dtype=np.float64)
        total[row, low : high + 1] = np.minimum.accumulate(best - run) + run
    pairs = _trace(total, stretch)
    return pairs, float(distance[pairs[:, 0], pairs[:, 1]].mean())


def _distances(read: np.ndarray, heard: np.ndarray) -> np.ndarray:
    """Euclidean distances of all pairs of columns: (R, H) float32."""
    squares = (read**2).sum(1)[:, None] + (heard**2).sum(1)[None] - 2 * read @ heard.T
    return np.sqrt(np.maximum(squares, 0))


def _trace(total: np.ndarray, stretch: float) -> np.ndarray:
    row, column = total.shape[0] - 1, total.shape[1] - 1
    steps = []
    while row > 0 and column > 0:
        steps.append((row - 1, column - 1))
        before = (
            total[row - 1, column - 1],
            total[row - 1, column] + stretch,
            total[row, column - 1] + stretch,
        )
        way = int(np.argmin(before))
        row, column = row - (way != 2), column - (way != 1)
    return np.array(steps[::-1])
