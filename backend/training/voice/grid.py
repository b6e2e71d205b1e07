"""Clips of the GRID corpus (Cooke et al. 2006, doi:10.1121/1.2229005): what their file names say."""

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
