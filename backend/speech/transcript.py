"""A transcript laid over its recording: which word and phoneme is spoken when."""

import unicodedata
from pathlib import Path

import numpy as np

from backend.errors import EnvironmentProblem, InputError, UsageError
from backend.speech.timeline import Timeline

ENGLISH = ("en",)
"""Languages of pocketsphinx' model; others are aligned by way of espeak-ng."""
MOST_BYTES = 200_000


def align_transcript(samples: np.ndarray, text: str, language: str = "en-us") -> Timeline:
    """When the words and phonemes of `text` are spoken in samples (n,) float32 at 16 kHz.

    language: as espeak-ng names it. English is aligned with pocketsphinx; every other language, English with figures in
    it (espeak-ng knows how they are read), and English where pocketsphinx is not installed, through espeak-ng's own
    reading of the text.
    Raises InputError where the text does not fit the sound, EnvironmentProblem where espeak-ng is needed and missing,
    UsageError for an unknown language or a text without words.
    """
    if not any(letter.isalnum() for letter in text):
        raise UsageError("The transcript has no words; write what is said in the recording.")
    if language.split("-")[0] in ENGLISH and _has_pocketsphinx() and not any(letter.isdigit() for letter in text):
        from backend.speech.alignment import Aligner, DoubtfulFit

        try:
            phones, words = Aligner().align(samples, _without_accents(text))
            return Timeline(tuple(phones), tuple(words))
        except DoubtfulFit as unlike:
            # A voice unlike those of its model is no wrong text: the reading has the second word.
            return _align_by_reading(samples, text, language, unlike)
    return _align_by_reading(samples, text, language)


def _align_by_reading(samples: np.ndarray, text: str, language: str, earlier: InputError | None = None) -> Timeline:
    from backend.speech.espeak import speak
    from backend.speech.warping import warp

    try:
        reading = speak(text, language)
    except EnvironmentProblem as missing:
        raise earlier or missing from None
    phones, words = warp(samples, reading)
    return Timeline(tuple(phones), tuple(words))


def _without_accents(text: str) -> str:
    """`café` as `cafe`: pocketsphinx' dictionary has plain letters."""
    plain = unicodedata.normalize("NFKD", text.replace("\u2019", "'"))
    return "".join(letter for letter in plain if not unicodedata.combining(letter))


def _has_pocketsphinx() -> bool:
    from importlib.util import find_spec

    return find_spec("pocketsphinx") is not None


def read_transcript(given: str) -> str:
    """The text of --transcript: a file's content where there is such a file, else the words themselves.

    Raises InputError where the file is no text, UsageError where a file was meant that is not there.
    """
    path = Path(given)
    try:
        is_file = path.is_file()
    except (OSError, ValueError):  # a long text is no name of a file
        is_file = False
    if not is_file:
        if len(given.split()) == 1 and path.suffix.lower() in (".txt", ".srt", ".text", ".md"):
            raise UsageError(f"There is no transcript at {given}; name a text file, or write the words themselves.")
        return given
    if path.stat().st_size > MOST_BYTES:
        raise InputError(f"{path} is too long for a transcript; up to {MOST_BYTES // 1000} kB are read.")
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{path} is no text in UTF-8; save it as UTF-8 and try again.") from None
