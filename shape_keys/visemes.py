"""Phonemes with their times to blendshape weights: coarticulation.

Every phoneme pulls each channel of the face (jaw, lip height, spread, rounding, tongue) towards its viseme with a
dominance that falls off with the distance in time, and the face stands where the pulls balance: Cohen and Massaro
1993, "Modeling coarticulation in synthetic visual speech" (doi:10.1007/978-4-431-66911-1_13). Jaw and lips are apart
and contacts are constraints, not preferences, as in JALI (Edwards et al. 2016, doi:10.1145/2897824.2925984).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from shape_keys import arkit
from shape_keys.viseme_table import Closure, Viseme, VisemeTable, load_visemes

REST = "sil"
REACH = 3.0
"""Times `ahead` or `after` from which on a phoneme's pull is not computed: it is exp(-9)."""
EDGE = 0.04
"""Seconds at either end of a phoneme over which its pull is already falling; a longer one has a plateau."""
LONGEST_CLOSURE = 0.12
"""Seconds a closure is held at most, counted back from its end: a pause before a stop is no closure."""

NEIGHBOUR = 0.7
"""Share of the phoneme before and after that the way into a closure and out of it may take."""
SHORTEST_WAY = 0.03
"""Seconds that it takes at least."""


class TimedPhone(Protocol):
    """A phoneme of `backend.speech.phones.SYMBOLS` and when it sounds, in seconds."""

    @property
    def symbol(self) -> str: ...
    @property
    def start(self) -> float: ...
    @property
    def end(self) -> float: ...


@dataclass(frozen=True)
class _Pull:
    start: float
    end: float
    viseme: Viseme


def coarticulate(
    phones: Sequence[TimedPhone],
    times: np.ndarray,
    loudness: np.ndarray | None = None,
    table: VisemeTable | None = None,
) -> np.ndarray:
    """Blendshape weights of a face that says `phones`.

    Args:
        phones: in order of time; where none sounds, and before and after all of them, the face is at rest.
        times: (T,) seconds, increasing.
        loudness: (T,) decibels of any reference; the jaw opens more in what is louder than the median of the speech.
        table: another table than the shipped one.

    Returns:
        (T, 52) float32 in 0..1, in the order of `arkit.NAMES`.

    Raises:
        ValueError: a symbol that the table lacks, or a loudness of another length than times.
    """
    table = table or load_visemes()
    times = np.asarray(times, np.float64)
    if loudness is not None and np.shape(loudness) != times.shape:
        raise ValueError(f"loudness has shape {np.shape(loudness)}: expected that of times, {times.shape}")
    weights = _balance(_pulls(phones, times, table), times, table)
    if loudness is not None:
        weights[:, arkit.INDEX["jawOpen"]] *= _jaw_factor(np.asarray(loudness, np.float64), phones, times, table)
    for phone, closure in closures(phones, table):
        _hold(weights, times, phone, closure)
    return np.clip(weights, 0, 1).astype(np.float32)


def _pulls(phones: Sequence[TimedPhone], times: np.ndarray, table: VisemeTable) -> list[_Pull]:
    """Every phoneme's pull, glides as two, and rest wherever nothing sounds."""
    pulls: list[_Pull] = []
    last = min(times[0] if len(times) else 0.0, phones[0].start if phones else 0.0) - 1.0
    for phone in phones:
        if phone.start > last + 1e-3:
            pulls.append(_Pull(last, phone.start, table.visemes[REST]))
        middle = (phone.start + phone.end) / 2
        parts = table.glides.get(phone.symbol, (phone.symbol,))
        edges = (phone.start, phone.end) if len(parts) == 1 else (phone.start, middle, phone.end)
        for symbol, start, end in zip(parts, edges[:-1], edges[1:], strict=True):
            if symbol not in table.visemes:
                raise ValueError(f"{symbol!r} is no phoneme of the table of visemes: expected {sorted(table.visemes)}")
            pulls.append(_Pull(start, end, table.visemes[symbol]))
        last = max(last, phone.end)
    pulls.append(_Pull(last, max(last, times[-1] if len(times) else last) + 1.0, table.visemes[REST]))
    return pulls


def _balance(pulls: list[_Pull], times: np.ndarray, table: VisemeTable) -> np.ndarray:
    """The weighted mean of the visemes, channel by channel: (T, 52) float64."""
    weights = np.zeros((len(times), len(arkit.NAMES)))
    for number, channel in enumerate(table.channels):
        shapes = list(channel.shapes)
        wanted, total = np.zeros((len(times), len(shapes))), np.full(len(times), 1e-12)
        for pull in pulls:
            near = slice(
                *np.searchsorted(times, (pull.start - REACH * channel.ahead, pull.end + REACH * channel.after))
            )
            if near.start == near.stop:
                continue
            edge = min(EDGE, (pull.end - pull.start) / 2)
            before = np.maximum(pull.start + edge - times[near], 0) / channel.ahead
            after = np.maximum(times[near] - (pull.end - edge), 0) / channel.after
            dominance = pull.viseme.dominance[number] * np.exp(-(before**2) - after**2)
            wanted[near] += dominance[:, None] * pull.viseme.weights[shapes]
            total[near] += dominance
        weights[:, shapes] = wanted / total[:, None]
    return weights


def _jaw_factor(
    loudness: np.ndarray, phones: Sequence[TimedPhone], times: np.ndarray, table: VisemeTable
) -> np.ndarray:
    """How much further the jaw opens than the table says: (T,), 1 at the speech's median loudness."""
    spoken = np.zeros(len(times), bool)
    for phone in phones:
        if phone.symbol != REST:
            spoken[slice(*np.searchsorted(times, (phone.start, phone.end)))] = True
    if not spoken.any():
        return np.ones(len(times))
    least, most = table.jaw_limits
    # Consonants are softer than vowels in every voice; what counts is how loud the syllable is.
    syllable = _running_maximum(loudness, times, 0.1)
    return np.clip(1 + table.jaw_per_decibel * (syllable - np.median(syllable[spoken])), least, most)


def _running_maximum(values: np.ndarray, times: np.ndarray, reach: float) -> np.ndarray:
    """The mean, over a window of `reach` seconds to either side, of the largest value in such a window: (T,)."""
    from scipy.ndimage import maximum_filter1d, uniform_filter1d

    step = float(np.median(np.diff(times))) if len(times) > 1 else reach
    size = 2 * max(1, round(reach / step)) + 1
    return uniform_filter1d(maximum_filter1d(values, size, mode="nearest"), size, mode="nearest")


def closures(phones: Sequence[TimedPhone], table: VisemeTable) -> Iterator[tuple[TimedPhone, Closure]]:
    """Every phoneme with a contact, and the contact, its way in and out shortened where the neighbours are short."""
    for place, phone in enumerate(phones):
        closure = table.closures.get(phone.symbol)
        if closure is not None:
            before = phones[place - 1] if place else None
            after = phones[place + 1] if place + 1 < len(phones) else None
            yield phone, _shortened(closure, before, after)


def _shortened(closure: Closure, before: TimedPhone | None, after: TimedPhone | None) -> Closure:
    attack = closure.attack if before is None else min(closure.attack, NEIGHBOUR * (before.end - before.start))
    release = closure.release if after is None else min(closure.release, NEIGHBOUR * (after.end - after.start))
    return replace(closure, attack=max(attack, SHORTEST_WAY), release=max(release, SHORTEST_WAY))


def closure_strength(times: np.ndarray, phone: TimedPhone, closure: Closure) -> tuple[slice, np.ndarray]:
    """How far a contact is reached around a phoneme: the part of `times` it touches, and its share there, 0..1."""
    length = phone.end - phone.start
    start = max(phone.start + closure.hold[0] * length, phone.end - LONGEST_CLOSURE)
    end = max(phone.start + closure.hold[1] * length, start)
    start, end = _with_a_frame(times, start, end)
    near = slice(*np.searchsorted(times, (start - closure.attack, end + closure.release)))
    before = np.maximum(start - times[near], 0) / closure.attack
    after = np.maximum(times[near] - end, 0) / closure.release
    share = np.clip(1 - before - after, 0, 1)
    return near, share * share * (3 - 2 * share)


def _with_a_frame(times: np.ndarray, start: float, end: float) -> tuple[float, float]:
    """An interval, widened by up to half a frame where none of `times` lies in it: a contact is seen, or is none."""
    place = int(np.searchsorted(times, start))
    if len(times) < 2 or (place < len(times) and times[place] <= end):
        return start, end
    nearest = float(times[np.abs(times - (start + end) / 2).argmin()])
    if max(start - nearest, nearest - end) > (times[1] - times[0]) / 2:
        return start, end
    return min(start, nearest), max(end, nearest)


def _hold(weights: np.ndarray, times: np.ndarray, phone: TimedPhone, closure: Closure) -> None:
    """Bring the shapes that a contact holds to its pose, in place."""
    near, share = closure_strength(times, phone, closure)
    held = np.flatnonzero(closure.held)
    part = weights[near]
    part[:, held] += share[:, None] * (closure.weights[held] - part[:, held])
