"""When each word and phoneme of a known English text is spoken (forced alignment with pocketsphinx)."""

import re
from typing import Any

import numpy as np

from backend.audio.decode import SAMPLE_RATE
from backend.errors import EnvironmentProblem, InputError
from backend.speech.phones import CONSONANTS, SILENCE, Phone, Word, from_arpabet

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

    def align(self, samples: np.ndarray, text: str) -> tuple[list[Phone], list[Word]]:
        """Phones (silences between them included) and words of `text` in samples (n,) float32 at 16 kHz.

        Raises InputError where the text has no words or does not fit the sound.
        """
        words = re.findall(r"[a-z']+", text.lower())
        if not words:
            raise InputError("The transcript has no words in Latin letters; give what is said in the recording.")
        for word in set(words):
            self._teach(word)
        padding = np.random.default_rng(0).normal(0, 2, int(PADDING * SAMPLE_RATE))
        sound = np.concatenate([padding, samples * 32767, padding])
        raw = np.clip(sound, -32768, 32767).astype(np.int16).tobytes()
        try:
            self._decoder.set_align_text(" ".join(words))
            for _ in range(2):  # the first pass measures the microphone
                self._decode(raw)
            self._decoder.set_alignment()
            self._decode(raw)
            found = [
                (w.name, w.start, w.duration, [(p.name, p.start, p.duration, p.score) for p in w])
                for w in self._segments()
            ]
        except RuntimeError:
            raise InputError(NOT_FOUND) from None
        fit = _fit(found)
        if fit < DOUBTFUL_FIT:
            raise (DoubtfulFit if fit >= WORST_FIT else InputError)(NOT_FOUND)
        return _timeline(found, len(samples) / SAMPLE_RATE)

    def _decode(self, raw: bytes) -> None:
        self._decoder.start_utt()
        self._decoder.process_raw(raw, full_utt=True)
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


def _timeline(found: list, end: float) -> tuple[list[Phone], list[Word]]:
    def clock(frame: int) -> float:
        return float(np.clip(frame * FRAME_SECONDS - PADDING, 0, end))

    phones, words = [], []
    for name, start, length, parts in found:
        if not name.startswith("<"):
            words.append(Word(clock(start), clock(start + length), re.sub(r"\(\d+\)$", "", name)))
        for phone, first, duration, _ in parts:
            symbol = SILENCE if phone in ("SIL", "+NOISE+", "+SPN+") else from_arpabet(phone)
            if clock(first + duration) > clock(first):
                phones.append(Phone(clock(first), clock(first + duration), symbol))
    return _without_swallowed_pauses(phones), words


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
