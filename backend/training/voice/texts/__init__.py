"""Sentences and words of our own that the synthetic voices speak."""

from functools import cache
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).parent
SALAD_WORDS = (4, 10)
"""Fewest and most words of a made-up sentence."""


@cache
def sentences(language: str) -> tuple[str, ...]:
    """Sentences in a language by espeak-ng's name; `en` for English. Raises KeyError for a language not here."""
    if language == "en":
        return tuple((FOLDER / "en.txt").read_text(encoding="utf-8").split("\n")[:-1])
    for line in (FOLDER / "other.txt").read_text(encoding="utf-8").splitlines():
        name, text = line.split("\t")
        if name == language:
            parts = text.replace("?", "?\n").replace(". ", ".\n").replace("।", "।\n").split("\n")
            return tuple(part.strip() for part in parts if part.strip())
    raise KeyError(language)


@cache
def other_languages() -> tuple[str, ...]:
    """The languages besides English, by espeak-ng's names."""
    return tuple(line.split("\t")[0] for line in (FOLDER / "other.txt").read_text(encoding="utf-8").splitlines())


@cache
def _words(language: str) -> tuple[str, ...]:
    if language == "en":
        return tuple((FOLDER / "words.txt").read_text(encoding="utf-8").split())
    return tuple(word.strip(".,?!¿¡।;") for text in sentences(language) for word in text.split())


def random_text(language: str, rng: np.random.Generator) -> str:
    """A sentence, or as often a salad of words: every sound then meets every other."""
    if rng.random() < 0.4:
        return str(rng.choice(sentences(language)))
    words = list(rng.choice(_words(language), int(rng.integers(SALAD_WORDS[0], SALAD_WORDS[1] + 1))))
    if len(words) > 5 and rng.random() < 0.5:
        words[2] += ","
    return " ".join(words) + "."
