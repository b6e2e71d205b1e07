"""When each word and phoneme of a known English text is spoken (forced alignment with pocketsphinx)."""

import re
import unicodedata
from typing import Any

import numpy as np

from backend.audio.decode import SAMPLE_RATE
from backend.errors import EnvironmentProblem, InputError
from backend.progress import Progress, no_progress
from backend.speech.phones import CONSONANTS, SILENCE, Phone, Word, from_arpabet, with_pauses

FRAME_SECONDS = 0.01
PADDING = 0.3
"""Seconds of silence laid before and after, so that the first word does not swallow the pause before it."""
BEAM = 1e-120
"""Share of the best path's likelihood below which a path is given up. What is said is known, so that a voice unlike
those of the acoustic model is no reason to stop looking."""
DOUBTFUL_FIT, WORST_FIT = -50.0, -66.0
"""Mean logarithm of a frame's likelihood (in units of the library) below which a text may not be what is said, and
below which it is not. Measured: the right text -10 to -27, in noise 10 dB under the voice -20 to -28, of rough
synthetic voices down to -61; another text -55 to -79, or mostly not found at all."""
NOT_FOUND = "The transcript does not fit the sound; check that it is what is said, word for word."
LONGEST_FIRST_CONSONANT = 0.15
"""Seconds that a consonant after a pause may last."""
LONGEST_PIECE = 60.0
"""Seconds of sound whose phonemes are found in one go, for which memory grows with the square of the length; the words
of a longer one are found first, and it is cut between them."""
MARGIN = 1.0
"""Seconds of a longer pause that a piece begins and ends with."""
NO_WORDS = (
    "The transcript has no words in Latin letters; if it is not English, name its language with --language (de, ru, "
    "cmn), else give what is said in the recording."
)
_APOSTROPHES = dict.fromkeys(map(ord, "\u2018\u2019\u201b\u2032\u00b4`"), "'")
_TO_ARPABET = {"ah": "AH", "ue": "UW", "h": "HH"}
"""What pocketsphinx calls the symbols whose names differ."""


class DoubtfulFit(InputError):
    """The text was found, but so badly that another one may be said; or the voice is unlike those of the model."""


class Aligner:
    """Finds a text in its sound. Raises EnvironmentProblem where pocketsphinx is not installed."""

    def __init__(self) -> None:
        try:
            from pocketsphinx import Decoder
        except ImportError:
            raise EnvironmentProblem(
                "Aligning a transcript needs pocketsphinx; install it: "
                "pip install --no-deps -r requirements/speech.txt."
            ) from None
        self._decoder: Any = Decoder(
            samprate=SAMPLE_RATE, bestpath=False, loglevel="FATAL", beam=BEAM, pbeam=BEAM, wbeam=BEAM
        )

    def align(self, samples: np.ndarray, text: str, progress: Progress = no_progress) -> tuple[list[Phone], list[Word]]:
        """Phones (silences between them included) and words of `text` in samples (n,) float32 at 16 kHz.

        Raises InputError where the text has no words or does not fit the sound.
        """
        words = self._find_words(text)
        if not words:
            raise InputError(NO_WORDS)
        phones: list[Phone] = []
        timed: list[Word] = []
        try:
            pieces = self._cut(samples, words)
            for number, (start, end, part) in enumerate(pieces):
                progress("align", number, len(pieces))
                found = self._find_phones(samples[start:end], part, 1 if len(part) < len(words) else 2)
                more = _timeline(found, start / SAMPLE_RATE, end / SAMPLE_RATE)
                phones, timed = phones + more[0], timed + more[1]
        except RuntimeError:
            raise InputError(NOT_FOUND) from None
        return _without_swallowed_pauses(with_pauses(phones, len(samples) / SAMPLE_RATE)), timed

    def _find_words(self, text: str) -> list[str]:
        """The words of a text as the dictionary has them, quotation marks and accents left out: `cafe`, `'em`."""
        plain = unicodedata.normalize("NFKD", text.translate(_APOSTROPHES).lower())
        letters = "".join(letter for letter in plain if not unicodedata.combining(letter))
        written = re.findall(r"[a-z']*[a-z][a-z']*", letters)
        words = [word if self._decoder.lookup_word(word) is not None else word.strip("'") for word in written]
        for word in set(words):
            self._teach(word)
        return words

    def _cut(self, samples: np.ndarray, words: list[str]) -> list[tuple[int, int, list[str]]]:
        """Pieces of up to about LONGEST_PIECE: first sample, one past the last, and the words. Raises RuntimeError."""
        if len(samples) <= LONGEST_PIECE * SAMPLE_RATE:
            return [(0, len(samples), words)]
        self._decoder.set_align_text(" ".join(words))
        for _ in range(2):
            self._decode(samples)
        said = [part for part in self._decoder.seg() or () if part.word[0] not in "<["]
        if len(said) != len(words):
            raise RuntimeError
        starts, ends = (
            np.array([getattr(part, name) for part in said]) * FRAME_SECONDS - PADDING
            for name in ("start_frame", "end_frame")
        )
        firsts = _first_words(starts, ends)
        pieces = []
        for first, last in zip(firsts, [*firsts[1:], len(words)], strict=True):
            start = max(0, starts[first] - MARGIN, (ends[first - 1] + starts[first]) / 2 if first else 0)
            end = ends[last - 1] + MARGIN
            if last < len(words):
                end = min(end, (ends[last - 1] + starts[last]) / 2)
            if end - start > 2 * LONGEST_PIECE:  # a word that lasts for a minute was not found
                raise RuntimeError
            pieces.append((round(start * SAMPLE_RATE), min(round(end * SAMPLE_RATE), len(samples)), words[first:last]))
        return pieces

    def _find_phones(self, samples: np.ndarray, words: list[str], passes: int) -> list:
        """Words with their first frames, numbers of frames and phonemes. Raises RuntimeError, InputError.

        passes: the first of two measures the microphone.
        """
        self._decoder.set_align_text(" ".join(words))
        for _ in range(passes):
            self._decode(samples)
        self._decoder.set_alignment()
        self._decode(samples)
        found = [
            (w.name, w.start, w.duration, [(p.name, p.start, p.duration, p.score) for p in w]) for w in self._segments()
        ]
        fit = _fit(found)
        if fit < DOUBTFUL_FIT:
            raise (DoubtfulFit if fit >= WORST_FIT else InputError)(NOT_FOUND)
        return found

    def _decode(self, samples: np.ndarray) -> None:
        padding = np.random.default_rng(0).normal(0, 2, int(PADDING * SAMPLE_RATE))
        sound = np.concatenate([padding, samples * 32767, padding])
        self._decoder.start_utt()
        self._decoder.process_raw(np.clip(sound, -32768, 32767).astype(np.int16).tobytes(), full_utt=True)
        self._decoder.end_utt()

    def _segments(self) -> Any:
        alignment = self._decoder.get_alignment()
        if alignment is None:
            raise RuntimeError
        return alignment

    def _teach(self, word: str) -> None:
        """Add a word that the dictionary lacks, as espeak-ng would say it."""
        if self._decoder.lookup_word(word) is not None:
            return
        from backend.speech.espeak import speak

        phones = [_TO_ARPABET.get(p.symbol, p.symbol.upper()) for p in speak(word).phones if p.symbol != SILENCE]
        self._decoder.add_word(word, " ".join(phones) or "SIL", True)


def _fit(found: list) -> float:
    """Mean logarithm of the likelihood of the frames of all phonemes but silences."""
    spoken = [(score, length) for *_, parts in found for name, _, length, score in parts if name != "SIL"]
    return sum(score for score, _ in spoken) / max(1, sum(length for _, length in spoken))


def _first_words(starts: np.ndarray, ends: np.ndarray) -> list[int]:
    """Numbers of the words that pieces begin with, after the longest pauses. starts, ends: (words,) seconds."""
    pauses = np.concatenate([[0], starts[1:] - ends[:-1]])
    firsts = [0]
    while starts[-1] - starts[firsts[-1]] > LONGEST_PIECE:
        early, late = np.searchsorted(starts, starts[firsts[-1]] + np.array([0.5, 1]) * LONGEST_PIECE)
        firsts.append(int(early + np.argmax(pauses[early : max(late, early + 1)])))
    return firsts


def _timeline(found: list, start: float, end: float) -> tuple[list[Phone], list[Word]]:
    """Phones and words of a piece of sound that lasts from start to end, in seconds of the whole.

    Words that nobody said are found without length and left out.
    """

    def clock(frame: int) -> float:
        return float(np.clip(start + frame * FRAME_SECONDS - PADDING, start, end))

    phones, words = [], []
    for name, begin, length, parts in found:
        if not name.startswith("<") and clock(begin + length) > clock(begin):
            words.append(Word(clock(begin), clock(begin + length), re.sub(r"\(\d+\)$", "", name)))
        for phone, first, duration, _ in parts:
            symbol = SILENCE if phone in ("SIL", "+NOISE+", "+SPN+") else from_arpabet(phone)
            if clock(first + duration) > clock(first):
                phones.append(Phone(clock(first), clock(first + duration), symbol))
    return phones, words


def _without_swallowed_pauses(phones: list[Phone]) -> list[Phone]:
    """A pause is often taken for the closure of the stop after it; nobody holds one for so long."""
    result: list[Phone] = []
    for phone in phones:
        paused = not result or result[-1].symbol == SILENCE
        if paused and phone.symbol in CONSONANTS and phone.end - phone.start > LONGEST_FIRST_CONSONANT:
            start = phone.end - LONGEST_FIRST_CONSONANT
            result.append(Phone(phone.start, start, SILENCE))
            phone = Phone(start, phone.end, phone.symbol)
        result.append(phone)
    return result
