"""A transcript laid over its recording: which word and phoneme is spoken when."""

import os
from pathlib import Path

import numpy as np

from backend.audio.speech import FRAME_SECONDS
from backend.audio.speech_gate import sure_columns
from backend.errors import EnvironmentProblem, InputError, UsageError
from backend.progress import Progress, no_progress
from backend.speech.alignment import NO_WORDS, Aligner, DoubtfulFit
from backend.speech.english import is_english, is_in_another_script
from backend.speech.phones import Word
from backend.speech.timeline import Timeline

MOST_BYTES = 200_000
MOST_WORDLESS = 0.35
"""Share of what is surely speech that may lie outside all words of an English text. Measured: the right texts of 98
recordings 0-0.12, of the shortest in noise 10 dB under the voice 0.28; one to four other words 0.5-0.95, and under it
only where they are about as long as what is said."""
FILE_ENDINGS = (".txt", ".text", ".md", ".srt", ".vtt", ".lab", ".doc", ".docx", ".odt", ".rtf", ".pdf")
"""What ends so is meant as a file, not as the words of a transcript."""


def align_transcript(
    samples: np.ndarray, text: str, language: str = "en-us", progress: Progress = no_progress
) -> Timeline:
    """When the words and phonemes of `text` are spoken in samples (n,) float32 at 16 kHz.

    language: as espeak-ng names it. English is aligned with pocketsphinx; every other language, English with figures in
    it (espeak-ng knows how they are read), and English where pocketsphinx is not installed, through espeak-ng's own
    reading of the text.
    Raises InputError where the text does not fit the sound or an English one has no Latin letters, EnvironmentProblem
    where espeak-ng is needed and missing, UsageError for an unknown language or a text without words.
    """
    if not any(letter.isalnum() for letter in text):
        raise UsageError("The transcript has no words; write what is said in the recording.")
    if not is_english(language):
        return _align_by_reading(samples, text, language)
    if is_in_another_script(text):
        raise InputError(NO_WORDS)
    if not _has_pocketsphinx() or any(letter.isdigit() for letter in text):
        return _align_by_reading(samples, text, language)
    try:
        phones, words = Aligner().align(samples, text, progress)
    except DoubtfulFit as unlike:
        # A voice unlike those of its model is no wrong text: the reading has the second word.
        return _align_by_reading(samples, text, language, unlike)
    _check_speech_has_words(samples, words)
    return Timeline(tuple(phones), tuple(words))


def _check_speech_has_words(samples: np.ndarray, words: list[Word]) -> None:
    """Raise InputError where much of the speech in samples (n,) float32 at 16 kHz lies outside all words."""
    heard = sure_columns(samples) > 0.5
    wordless = heard.copy()
    for word in words:
        wordless[int(word.start / FRAME_SECONDS) : int(word.end / FRAME_SECONDS) + 1] = False
    if wordless.sum() > MOST_WORDLESS * heard.sum():
        raise InputError(
            f"The transcript does not fit the sound: {wordless.sum() * FRAME_SECONDS:.1f} of "
            f"{heard.sum() * FRAME_SECONDS:.1f} s of speech have no words in it; check that it is what is said, word "
            "for word."
        )


def _align_by_reading(samples: np.ndarray, text: str, language: str, earlier: InputError | None = None) -> Timeline:
    from backend.speech.espeak import speak
    from backend.speech.warping import warp

    try:
        phones, words = warp(samples, speak(text, language))
    except (EnvironmentProblem, InputError) as problem:
        raise earlier or problem from None
    return Timeline(tuple(phones), tuple(words))


def _has_pocketsphinx() -> bool:
    from importlib.util import find_spec

    return find_spec("pocketsphinx") is not None


def read_transcript(given: str) -> str:
    """The text of --transcript: a file's content where there is such a file, else the words themselves.

    Raises InputError where the file is no text, UsageError for a folder, or where a file was meant that is not there.
    """
    path = Path(given)
    if os.path.isdir(given):  # noqa: PTH112 - a long text, which is no name of a file, is an error to Path
        raise UsageError(f"{given} is a folder; for one recording, name a text file or write the words themselves.")
    if not os.path.isfile(given):  # noqa: PTH113
        if _names_a_file(given):
            raise UsageError(f"There is no transcript at {given}; name a text file, or write the words themselves.")
        return given
    if path.stat().st_size > MOST_BYTES:
        raise InputError(f"{path} is too long for a transcript; up to {MOST_BYTES // 1000} kB are read.")
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{path} is no text in UTF-8; save it as UTF-8 and try again.") from None


def _names_a_file(given: str) -> bool:
    """Whether a text looks like a path: by its ending, or a separator in what is one word or in a folder that exists.

    `He/she said so.` does not.
    """
    if "\n" in given.strip():
        return False
    folder = os.path.dirname(given)  # noqa: PTH120
    one_word = len(given.split()) == 1
    separated = "\\" in given or ("/" in given and (one_word or os.path.isdir(folder)))  # noqa: PTH112
    return separated or given.strip().lower().endswith(FILE_ENDINGS)
