"""One small phoneme set for every language and every engine."""

import re
import unicodedata
from dataclasses import dataclass

SILENCE = "sil"
CONSONANTS = (
    "p",
    "b",
    "m",
    "f",
    "v",
    "th",
    "dh",
    "t",
    "d",
    "n",
    "s",
    "z",
    "l",
    "r",
    "sh",
    "zh",
    "ch",
    "jh",
    "k",
    "g",
    "ng",
    "h",
    "w",
    "y",
)
VOWELS = ("iy", "ih", "ey", "eh", "ae", "aa", "ao", "ow", "uh", "uw", "ue", "ah", "er", "ay", "aw", "oy")
SYMBOLS = (SILENCE, *CONSONANTS, *VOWELS)
"""ARPAbet in small letters without stress, and `ue` for the rounded front vowels that English lacks."""

BILABIALS = ("p", "b", "m")
LABIODENTALS = ("f", "v")
OPEN_VOWELS = ("aa", "ae", "ah", "ay", "aw", "eh")

_ARPABET = {"ax": "ah", "axr": "er", "ix": "ih", "hh": "h", "el": "l", "em": "m", "en": "n", "dx": "d", "nx": "n"}
_ARPABET |= {"pau": SILENCE, "ssil": SILENCE, "brth": SILENCE, "h#": SILENCE, "zh": "zh", "ax-h": "ah", "hv": "h"}

_IPA = {
    "tʃ": "ch", "dʒ": "jh", "tɕ": "ch", "dʑ": "jh", "tʂ": "ch", "dʐ": "jh",
    "eɪ": "ey", "aɪ": "ay", "aʊ": "aw", "ɔɪ": "oy", "oʊ": "ow", "əʊ": "ow", "ɔʏ": "oy",
    "p": "p", "b": "b", "m": "m", "ɸ": "f", "β": "b", "f": "f", "v": "v", "ʋ": "v", "ɱ": "m",
    "θ": "th", "ð": "dh", "t": "t", "d": "d", "ʈ": "t", "ɖ": "d", "n": "n", "ɳ": "n", "ɲ": "n",
    "s": "s", "z": "z", "ɬ": "s", "ʃ": "sh", "ʂ": "sh", "ɕ": "sh", "ç": "sh", "ʒ": "zh", "ʐ": "zh", "ʑ": "zh",
    "l": "l", "ɭ": "l", "ʎ": "l", "ɫ": "l", "r": "r", "ɹ": "r", "ɾ": "d", "ɻ": "r", "ɽ": "r", "ʀ": "h", "ʁ": "h",
    "k": "k", "q": "k", "c": "k", "ɡ": "g", "g": "g", "ɟ": "g", "ɣ": "g", "ŋ": "ng", "ɴ": "ng",
    "h": "h", "ɦ": "h", "x": "h", "χ": "h", "ħ": "h", "ʔ": "h", "w": "w", "ʍ": "w", "ɥ": "w", "j": "y", "ʝ": "y",
    "i": "iy", "ɪ": "ih", "ɨ": "ih", "ᵻ": "ih", "ɯ": "ih", "e": "ey", "ɛ": "eh", "æ": "ae", "a": "aa", "ɑ": "aa",
    "ɐ": "ah", "ɒ": "ao", "ɔ": "ao", "o": "ow", "ɤ": "ah", "ʊ": "uh", "u": "uw", "ʉ": "uw", "ʌ": "ah", "ə": "ah",
    "ɘ": "ah", "ɵ": "uh", "ɜ": "er", "ɝ": "er", "ɚ": "er", "y": "ue", "ʏ": "ue", "ø": "ue", "œ": "ue",
}  # fmt: skip


@dataclass(frozen=True)
class Phone:
    """A phoneme and when it sounds, in seconds."""

    start: float
    end: float
    symbol: str


@dataclass(frozen=True)
class Word:
    """A word and when it sounds, in seconds."""

    start: float
    end: float
    text: str


def from_arpabet(name: str) -> str:
    """`AH0` or `ax` -> `ah`. Raises KeyError where the name is unknown."""
    plain = name.lower().rstrip("012")
    plain = _ARPABET.get(plain, plain)
    if plain not in SYMBOLS:
        raise KeyError(name)
    return plain


def from_ipa(text: str) -> tuple[str, ...]:
    """A phoneme in the International Phonetic Alphabet as one or more symbols; empty where nothing is known.

    Length, stress, tone and diacritics are left aside: `ɔ̃` is `ao`, `ɛɹ` is `eh`, `r`, `əl` is `ah`, `l`.
    """
    base = "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))
    base = re.sub(r"[ːˑˈˌʲʰʷˠˤ˞.|‿0-9\-_^'\"]", "", base) if "ç" not in text else "ç"
    symbols: list[str] = []
    place = 0
    while place < len(base):
        for length in (2, 1):
            symbol = _IPA.get(base[place : place + length])
            if symbol:
                symbols.append(symbol)
                break
        place += length
    return tuple(symbols)


def spread(start: float, end: float, symbols: tuple[str, ...]) -> list[Phone]:
    """Divide an interval evenly among symbols."""
    step = (end - start) / max(1, len(symbols))
    return [Phone(start + i * step, start + (i + 1) * step, symbol) for i, symbol in enumerate(symbols)]


def with_pauses(phones: list[Phone], end: float) -> list[Phone]:
    """Phonemes in order, with silences wherever nothing is said from 0 to end (seconds)."""
    result: list[Phone] = []
    last = 0.0
    for phone in phones:
        if phone.start - last > 1e-3:
            result.append(Phone(last, phone.start, SILENCE))
        result.append(phone)
        last = phone.end
    return [*result, Phone(last, end, SILENCE)] if end - last > 1e-3 else result
