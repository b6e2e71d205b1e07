"""Clips of the GRID corpus (Cooke et al. 2006, doi:10.1121/1.2229005): what their file names say."""

from pathlib import Path

_WORDS = (
    {"b": "bin", "l": "lay", "p": "place", "s": "set"},
    {"b": "blue", "g": "green", "r": "red", "w": "white"},
    {"a": "at", "b": "by", "i": "in", "w": "with"},
    {letter: letter for letter in "abcdefghijklmnopqrstuvwxyz"},
    {
        "z": "zero", "1": "one", "2": "two", "3": "three", "4": "four",
        "5": "five", "6": "six", "7": "seven", "8": "eight", "9": "nine",
    },
    {"a": "again", "n": "now", "p": "please", "s": "soon"},
)  # fmt: skip


def sentence(stem: str) -> str:
    """`bbaf4p` -> `bin blue at f four please`. Raises KeyError, IndexError where the name is none of GRID's."""
    return " ".join(words[stem[place]] for place, words in enumerate(_WORDS))


HELD_OUT_EVERY = 6
"""Of a speaker's clips in order of their names, every sixth plays no part in any training or selection."""
SIXTY_EVERY = 5
"""Of the rest of s1's 360 clips, every fifth is one of the 60 (3 minutes) that small trainings use."""


def held_out(clips: list[Path]) -> list[Path]:
    """The clips that are kept for measuring (docs/grid_s1_held_out.txt lists those of s1)."""
    return sorted(clips)[::HELD_OUT_EVERY]


def trainable(clips: list[Path]) -> list[Path]:
    """All other clips."""
    kept = set(held_out(clips))
    return [clip for clip in sorted(clips) if clip not in kept]


def sixty(clips: list[Path]) -> list[Path]:
    """Three minutes of s1."""
    return trainable(clips)[::SIXTY_EVERY]
