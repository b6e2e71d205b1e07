"""What lips do at phonemes that are heard, where no speaker's own were seen: they round, and are tucked at /f v/."""

from functools import lru_cache

import numpy as np

from backend.inference.performance import gap_of_shapes
from backend.speech.phones import LABIODENTALS, SYMBOLS
from models.phonemes import MOMENTS
from shape_keys import arkit
from shape_keys.viseme_table import load_visemes

CERTAINTY = 0.3, 0.7
"""Probability of /f v/ at which the lower lip begins to go under the teeth, and at which it is there."""
MOMENT_SECONDS = 0.04
"""Distance of the moments about a frame at which phonemes are told."""
PUCKER, CLOSE = arkit.INDEX["mouthPucker"], arkit.INDEX["mouthClose"]


def rounding(probabilities: np.ndarray) -> np.ndarray:
    """mouthPucker (T,) float32 of what is heard: (T, MOMENTS, PHONEMES), the probabilities about each frame.

    The visemes' balance (`shape_keys.visemes.coarticulate`), in which every phoneme pulls as much as it is likely:
    rounding spreads ahead, further than it lasts. The filmed speakers that the voice model learnt from hardly round,
    for in small pictures the tracker sees little of it.
    """
    pull, pucker = _pulls()
    pulls = probabilities * pull
    return (pulls @ pucker).sum(axis=1) / pulls.sum(axis=(1, 2))


def tucking(probabilities: np.ndarray) -> np.ndarray:
    """How far the lower lip goes under the teeth (T,) in 0..1 at what is heard: (T, MOMENTS, PHONEMES)."""
    doubt, sure = CERTAINTY
    tucked = probabilities[:, MOMENTS // 2, [SYMBOLS.index(symbol) for symbol in LABIODENTALS]].sum(axis=-1)
    return np.clip((tucked - doubt) / (sure - doubt), 0, 1)


def lacking(weights: np.ndarray, rounded: np.ndarray) -> np.ndarray:
    """What ARKit weights (T, 52) lack to be so round, (T, 52) float32; lips stay as far apart as they are.

    rounded: (T,), 0 for as they are.
    """
    lack, opened = np.zeros_like(weights), gap_of_shapes()
    lack[:, PUCKER] = np.maximum(rounded - weights[:, PUCKER], 0)
    lack[:, CLOSE] = lack[:, PUCKER] * opened[PUCKER] / -opened[CLOSE]
    return lack


@lru_cache(maxsize=1)
def _pulls() -> tuple[np.ndarray, np.ndarray]:
    """How strongly each phoneme pulls at each moment (MOMENTS, PHONEMES), and where to: mouthPucker (PHONEMES,)."""
    table = load_visemes()
    number, channel = next((n, c) for n, c in enumerate(table.channels) if PUCKER in c.shapes)
    parts = [[table.visemes[part] for part in table.glides.get(symbol, (symbol,))] for symbol in SYMBOLS]
    dominance = np.array([np.mean([viseme.dominance[number] for viseme in part]) for part in parts])
    pucker = np.array([np.mean([viseme.weights[PUCKER] for viseme in part]) for part in parts])
    seconds = (np.arange(MOMENTS) - MOMENTS // 2) * MOMENT_SECONDS
    nearness = np.exp(-((seconds / np.where(seconds > 0, channel.ahead, channel.after)) ** 2))
    return (nearness[:, None] * dominance).astype(np.float32), pucker.astype(np.float32)
