"""Lips that meet where the words say so: closures at /p b m/, the tuck at /f v/, never closed in open vowels."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from backend.inference.performance import Performance, gap_of_shapes, wide_gap
from backend.speech.phones import BILABIALS, LABIODENTALS, OPEN_VOWELS, Phone
from shape_keys import arkit
from shape_keys.basis import load_basis
from shape_keys.topology import INNER_LIP_LOWER, INNER_LIP_UPPER
from shape_keys.viseme_table import Closure, load_visemes
from shape_keys.visemes import TimedPhone, closure_strength, closures

TUCKED = 0.25
"""Share of a widely opened mouth that the lips are apart at most while the lower one touches the teeth."""
LEAST_OPEN = 0.16
"""Share of it that they are apart at least in the middle of an open vowel; under 0.1 they count as closed."""
VOWEL_EDGE = 3.0
"""The vowel's inner two thirds count in full."""
TUCK_STRENGTH = 0.8
"""How far the tuck of the viseme table replaces what was heard: speakers differ more in it than in closures."""

HOLD, SHORTEST_HOLD = 0.2, 0.02
"""Share of a /p b m/, and least seconds, over which the lips are held together where their timing was heard."""
WAY = 0.05
"""Seconds of the way in and out, at most."""
INNER_PAIRS = np.array([INNER_LIP_UPPER[1:-1], INNER_LIP_LOWER[1:-1]])
"""Vertices of the inner lips that lie upon each other, without the corners."""


def keep_words(
    performance: Performance, times: np.ndarray, phones: Sequence[Phone], strength: float = 1.0
) -> Performance:
    """The performance with its contacts where `phones` are spoken; the same elsewhere.

    times: (T,) seconds of the frames; phones: in order of time; strength: 0..1, how large the motion is: contacts
    take no larger a part in it, and at 0 the performance stays as it is.
    """
    if strength == 0:
        return performance
    before = performance.gap()
    wide = wide_gap(before)
    closed, tucked, weights = _hold_poses(performance, times, phones)
    held = performance.reweighted(performance.weights + np.float32(strength) * (weights - performance.weights))
    held = _bring_together(held, closed, 0.0)
    held = _bring_together(held, tucked, TUCKED * wide)
    held = _keep_apart(held, np.minimum(before, 0))
    return _open_vowels(held, times, phones, np.maximum(closed, tucked), LEAST_OPEN * wide)


def tuck(performance: Performance, share: np.ndarray) -> Performance:
    """The performance with a character's lower lip under the teeth, as /f v/ have it. share: (T,) in 0..1, how far.

    Only the weights change: moved by the basis too, the vertices' lip would go so far back that lips part.
    """
    closure, weights = load_visemes().closures[LABIODENTALS[0]], performance.weights.copy()
    held = np.flatnonzero(closure.held)
    weights[:, held] += TUCK_STRENGTH * share[:, None] * (closure.weights[held] - weights[:, held])
    return replace(performance, weights=weights)


def _hold_poses(
    performance: Performance, times: np.ndarray, phones: Sequence[Phone]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """How far the lips are closed and tucked at each frame, (T,) in 0..1, and weights (T, 52) with those poses."""
    gap, weights = performance.gap(), performance.weights.copy()
    closed, tucked = np.zeros(len(times)), np.zeros(len(times))
    for phone, closure in closures(phones, load_visemes()):
        if phone.symbol in BILABIALS:
            near, share = closure_strength(times, phone, _at_the_narrowest(phone, closure, times, gap))
            closed[near] = np.maximum(closed[near], share)
        elif phone.symbol in LABIODENTALS:
            near, share = closure_strength(times, phone, closure)
            share = TUCK_STRENGTH * share
            tucked[near] = np.maximum(tucked[near], share)
        else:
            continue
        held = np.flatnonzero(closure.held)
        part = weights[near]
        part[:, held] += share[:, None] * (closure.weights[held] - part[:, held])
    return closed, tucked, weights


def _at_the_narrowest(phone: TimedPhone, closure: Closure, times: np.ndarray, gap: np.ndarray) -> Closure:
    """The closure held about the moment within its phoneme at which the lips were nearest to each other by themselves.

    An aligner knows that a /b/ is there, the network hears when in it the lips meet.
    """
    inside = np.flatnonzero((times >= phone.start) & (times <= phone.end))
    if not len(inside):
        return closure
    length = phone.end - phone.start
    middle = float(times[inside[gap[inside].argmin()]] - phone.start) / length
    half = max(SHORTEST_HOLD / 2 / length, HOLD / 2)
    hold = max(middle - half, 0.0), min(middle + half, 1.0)
    return replace(closure, hold=hold, attack=min(closure.attack, WAY), release=min(closure.release, WAY))


def _bring_together(performance: Performance, share: np.ndarray, most: float) -> Performance:
    """Close what the basis leaves between the lips: the gap comes down to `most` where share (T,) is 1.

    Only the vertices move: the weights have the contact's pose already, and a character's own lips meet in it.
    """
    return _moved_together(performance, np.maximum(performance.gap() - most, 0) * share)


def _keep_apart(performance: Performance, least: np.ndarray) -> Performance:
    """Take back where a contact's pose has pushed lips that had met already through each other. least: (T,)."""
    return _moved_together(performance, -np.maximum(least - performance.gap(), 0))


def part_lips(performance: Performance, reference: np.ndarray) -> Performance:
    """Part lips that exaggerated motion has pushed through each other, wherever along them; only the vertices move.

    reference: (468, 3) vertices of the face at rest.
    """
    network, (upper, lower) = performance.network, INNER_PAIRS
    heights = network.offsets_weight.reshape(-1, *reference.shape)[:, :, 1]
    still = reference[:, 1] + network.offsets_bias.reshape(reference.shape)[:, 1]
    shapes = load_basis()[:, :, 1]
    gaps = performance.codes[:, : len(heights)] @ (heights[:, upper] - heights[:, lower]) + still[upper] - still[lower]
    gaps += performance.shift @ (shapes[:, upper] - shapes[:, lower])
    crossed = np.maximum(np.minimum(reference[upper, 1] - reference[lower, 1], 0) - gaps, 0)
    close = arkit.INDEX["mouthClose"]
    share = (shapes[close, upper] - shapes[close, lower]) / gap_of_shapes()[close]
    return _moved_together(performance, -(crossed / share).max(axis=1))


def _moved_together(performance: Performance, distance: np.ndarray) -> Performance:
    """The vertices of the lips nearer to each other by so much, (T,) interocular units, as mouthClose moves them."""
    shift = performance.shift.copy()
    close = arkit.INDEX["mouthClose"]
    shift[:, close] += (distance / -gap_of_shapes()[close]).astype(np.float32)
    return replace(performance, shift=shift)


def _open_vowels(
    performance: Performance, times: np.ndarray, phones: Sequence[Phone], contact: np.ndarray, least: float
) -> Performance:
    """Drop the jaw where an open vowel has less than `least` between the lips, away from contacts."""
    inside = np.zeros(len(times))
    for phone in phones:
        if phone.symbol in OPEN_VOWELS:
            half = max((phone.end - phone.start) / 2, 1e-3)
            distance = np.abs(times - (phone.start + phone.end) / 2) / half
            inside = np.maximum(inside, np.clip(VOWEL_EDGE * (1 - distance), 0, 1))
    lacking = np.maximum(least - performance.gap(), 0) * inside * (1 - contact)
    jaw = arkit.INDEX["jawOpen"]
    weights = performance.weights.copy()
    weights[:, jaw] += lacking / gap_of_shapes()[jaw]
    return performance.reweighted(weights)
