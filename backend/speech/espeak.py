"""Speech from text with espeak-ng, and the exact times of its words and phonemes."""

import ctypes
import functools
import re
import threading
import unicodedata
import wave
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from backend.audio.decode import SAMPLE_RATE
from backend.errors import EnvironmentProblem, UsageError
from backend.speech.english import is_english, is_in_another_script
from backend.speech.espeak_library import load_library
from backend.speech.phones import SILENCE, Phone, Word, from_ipa, spread
from backend.speech.timeline import Timeline

_SYNCHRONOUS = 2
_PHONEME_EVENTS_IN_IPA = 1 | 2
_DONT_EXIT = 0x8000
_UTF8 = 1
_WORD, _PHONEME, _LIST_ENDS = 1, 7, 0
_RATE, _PITCH, _RANGE = 1, 3, 4
_FIRST_FEMALE = 10
"""Numbers of variants: 1 is the voice file m1, 11 is f1."""
SPOKEN_SIGNS = set("&%@#*/")
"""Punctuation that has a name when it is read."""


@dataclass(frozen=True)
class Spoken:
    """Speech and what is said in it. samples: (n,) float32, 16 kHz."""

    samples: np.ndarray
    phones: list[Phone]
    words: list[Word]


class _Id(ctypes.Union):
    _fields_ = [("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8)]


class _Event(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int),
        ("identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _Id),
    ]


class _Voice(ctypes.Structure):
    _fields_ = [
        ("name", ctypes.c_char_p),
        ("languages", ctypes.c_char_p),
        ("identifier", ctypes.c_char_p),
        ("gender", ctypes.c_ubyte),
        ("age", ctypes.c_ubyte),
        ("variant", ctypes.c_ubyte),
        ("reserved", ctypes.c_ubyte),
        ("score", ctypes.c_int),
        ("spare", ctypes.c_void_p),
    ]


_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


@functools.cache
def _library() -> tuple[ctypes.CDLL, int]:
    """The engine, started once a process, and its sample rate."""
    library, folder = load_library()
    rate = library.espeak_Initialize(_SYNCHRONOUS, 0, folder, _PHONEME_EVENTS_IN_IPA | _DONT_EXIT)
    if rate <= 0:
        raise EnvironmentProblem("espeak-ng does not start; install it again, with its data (Debian: espeak-ng-data).")
    return library, rate


@functools.cache
def _variants() -> frozenset[str]:
    """Names of the engine's variants, as they follow the + of a voice."""
    files = [voice.identifier.decode("utf-8", "replace") for voice in _listed(_Voice(languages=b"variant"))]
    return frozenset(re.split(r"[/\\]", file)[-1] for file in files)


def _listed(like: _Voice | None) -> Iterator[_Voice]:
    """The engine's voices, all but variants where none is asked for."""
    library, _ = _library()
    library.espeak_ListVoices.restype = ctypes.POINTER(ctypes.POINTER(_Voice))
    for voice in library.espeak_ListVoices(None if like is None else ctypes.byref(like)):
        if not voice:
            return
        yield voice.contents


@functools.cache
def _names_by_language() -> dict[str, str]:
    """The engine's voice of each language that it lists: {"en-gb": "gmw/en"}; those of other engines left out."""
    names: dict[str, str] = {}
    for voice in _listed(None):
        file = voice.identifier.decode("utf-8", "replace")
        if not file.startswith("mb/"):
            # Each language is preceded by a byte, its priority.
            names.setdefault(voice.languages[1:].split(b"\0")[0].decode("utf-8", "replace"), file)
    return names


def _set_voice(voice: str) -> None:
    """Raise UsageError for an unknown voice, and for an unknown variant, which the engine itself passes over."""
    library, _ = _library()
    _, plus, variant = voice.partition("+")
    if variant.isdecimal():
        number = int(variant)
        variant = f"f{number - _FIRST_FEMALE}" if number >= _FIRST_FEMALE else f"m{number}"
    if plus and variant not in _variants():
        raise UsageError(
            f"espeak-ng has no voice {voice!r}: its variant is unknown; `espeak-ng --voices=variant` lists them."
        )
    if library.espeak_SetVoiceByName(voice.encode()) and not _set_language(voice):
        raise UsageError(f"espeak-ng has no voice {voice!r}; `espeak-ng --voices` lists them.")


def _set_language(voice: str) -> bool:
    """Set a voice by its language, as `espeak-ng --voices` lists some that have no file of that name: en-gb, fr-fr."""
    library, _ = _library()
    language, plus, variant = voice.partition("+")
    name = _names_by_language().get(language)
    return name is not None and not library.espeak_SetVoiceByName(f"{name}{plus}{variant}".encode())


def speak(text: str, voice: str = "en-us", rate: int = 165, pitch: int = 50, pitch_range: int = 50) -> Spoken:
    """Speak a text.

    voice: espeak-ng's name of a language with an optional variant, `en-us+f2`. rate: words a minute, 80 to 450.
    pitch and pitch_range: 0 to 100. Raises EnvironmentProblem without espeak-ng, UsageError for an unknown voice or a
    text with nothing to say.
    """
    if not any(letter.isalnum() for letter in text):
        raise UsageError(f"There is nothing to speak in the text {text!r}; give words.")
    library, engine_rate = _library()
    _set_voice(voice)
    for parameter, value in ((_RATE, rate), (_PITCH, pitch), (_RANGE, pitch_range)):
        library.espeak_SetParameter(parameter, value, 0)
    pieces: list[np.ndarray] = []
    events: list[tuple[int, float, str | tuple[int, int]]] = []
    stopped = threading.Event()

    @_CALLBACK
    def receive(samples, count, event):
        if stopped.is_set():
            return 1  # the engine goes no further
        if samples and count > 0:
            pieces.append(np.ctypeslib.as_array(samples, (count,)).copy())
        index = 0
        while event[index].type != _LIST_ENDS:
            entry = event[index]
            if entry.type == _PHONEME:
                events.append((_PHONEME, entry.sample / engine_rate, entry.id.string.decode("utf-8", "ignore")))
            elif entry.type == _WORD:
                events.append((_WORD, entry.sample / engine_rate, (entry.text_position, entry.length)))
            index += 1
        return 0

    library.espeak_SetSynthCallback(receive)
    encoded = text.encode()
    # Ctrl-C reaches the main thread alone: in a callback of the engine it would be lost.
    with ThreadPoolExecutor(1) as engine:
        try:
            engine.submit(library.espeak_Synth, encoded, len(encoded) + 1, 0, 1, 0, _UTF8, None, None).result()
        finally:
            stopped.set()
    if not pieces:
        raise UsageError(f"There is nothing to speak in the text {text!r}.")
    sound = np.concatenate(pieces).astype(np.float32) / 32768
    return Spoken(_resample(sound, engine_rate), *_timeline(events, text, len(sound) / engine_rate))


def save_speech(text: str, voice: str, path: Path) -> Timeline:
    """Speak a text into a .wav file of 16-bit samples; returns when what is said.

    Raises as `speak` does, and UsageError where an English voice would spell a text out: `Chinese letter`.
    """
    if is_english(voice) and is_in_another_script(text):
        raise UsageError(
            f"The voice {voice} is English, and the text has no Latin letters; choose one that reads it (ru, cmn, ja)."
        )
    spoken = speak(text, voice)
    samples = np.clip(np.rint(spoken.samples * 32767), -32768, 32767).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(samples.tobytes())
    return Timeline(tuple(spoken.phones), tuple(spoken.words))


def _resample(sound: np.ndarray, rate: int) -> np.ndarray:
    from scipy.signal import resample_poly

    divisor = np.gcd(rate, SAMPLE_RATE)
    return np.asarray(resample_poly(sound, SAMPLE_RATE // divisor, rate // divisor), np.float32)


def _timeline(events: list, text: str, end: float) -> tuple[list[Phone], list[Word]]:
    """Phones and words from the engine's events; each lasts until the next begins."""
    sounds = [(time, name) for kind, time, name in events if kind == _PHONEME and not name.startswith("(")]
    phones: list[Phone] = []
    for (start, name), (stop, _) in zip(sounds, [*sounds[1:], (end, "")], strict=True):
        if stop > start:
            phones += spread(start, stop, from_ipa(name) or (SILENCE,))
    starts = [(time, place[0] - 1) for kind, time, place in events if kind == _WORD]
    return phones, _place_words(starts, text, [phone for phone in phones if phone.symbol != SILENCE])


def _place_words(starts: list[tuple[float, int]], text: str, phones: list[Phone]) -> list[Word]:
    """Each word of a text once, from its first sound to its last.

    starts: the engine's words, (seconds, number of a letter); it begins several in one word of the text (`1984`), and
    none in a word that it joins to the one before (`in the`). phones: those that sound.
    """
    words = _split_words(text, {letter for _, letter in starts})
    if not words or not phones:
        return []
    ends, times = [end for _, end in words], [phone.start for phone in phones]
    begun = {0: 0}  # first sounds of words
    for time, letter in starts:
        number = int(np.searchsorted(ends, letter, side="right"))
        if letter >= 0 and max(begun) < number < len(words):
            begun[number] = int(np.searchsorted(times, time))
    following = [*list(begun.values())[1:], len(phones)]
    heard = [number for (number, sound), stop in zip(begun.items(), following, strict=True) if sound < stop]
    result: list[Word] = []
    for number, after in zip(heard, [*heard[1:], len(words)], strict=True):
        together = words[number if result else 0 : after]
        sounds = phones[begun[number] : begun.get(after, len(phones))]
        result += _share(sounds, [_trim(text[start:end]) for start, end in together])
    return result


def _split_words(text: str, begun: set[int]) -> list[tuple[int, int]]:
    """First letter of each word of a text and one past its last; lone punctuation is none.

    Chinese is not written in words: they begin where the engine begins one, at the letters numbered in `begun`.
    """
    words = []
    for match in re.finditer(r"\S+", text):
        start, end = match.span()
        cuts = [n for n in range(start + 1, end) if n in begun and "\u4e00" <= text[n] <= "\u9fff"]
        words += zip([start, *cuts], [*cuts, end], strict=True)
    return [(start, end) for start, end in words if _trim(text[start:end])]


def _trim(word: str) -> str:
    """A word without the punctuation around it: `(1984).` as `1984`, `$42` and `5%` as they are."""
    return word.strip("".join({sign for sign in word if unicodedata.category(sign)[0] == "P"} - SPOKEN_SIGNS))


def _share(sounds: list[Phone], words: list[str]) -> list[Word]:
    """Words that are spoken as one: each has a share of the sounds, by its letters."""
    edges = [*(sound.start for sound in sounds), sounds[-1].end]
    shares = np.cumsum([0, *map(len, words)]) / sum(map(len, words)) * len(sounds)
    times = np.interp(shares, np.arange(len(edges)), edges).tolist()
    return [Word(start, end, word) for start, end, word in zip(times, times[1:], words, strict=False)]
