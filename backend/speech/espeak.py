"""Speech from text with espeak-ng, and the exact times of its words and phonemes."""

import ctypes
import ctypes.util
import functools
import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from backend.audio.decode import SAMPLE_RATE
from backend.errors import EnvironmentProblem, UsageError
from backend.speech.phones import SILENCE, Phone, Word, from_ipa, spread
from backend.speech.timeline import Timeline

_SYNCHRONOUS = 2
_PHONEME_EVENTS_IN_IPA = 1 | 2
_DONT_EXIT = 0x8000
_UTF8 = 1
_WORD, _PHONEME, _LIST_ENDS = 1, 7, 0
_RATE, _PITCH, _RANGE = 1, 3, 4


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


_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


@functools.cache
def _library() -> tuple[ctypes.CDLL, int]:
    """The engine, started once a process, and its sample rate."""
    name = ctypes.util.find_library("espeak-ng") or "libespeak-ng.so.1"
    try:
        library = ctypes.CDLL(name)
    except OSError:
        raise EnvironmentProblem(
            "Speaking a text needs espeak-ng, which is not installed; on Debian: apt install espeak-ng. "
            "Any other synthesiser's sound file works as input instead."
        ) from None
    rate = library.espeak_Initialize(_SYNCHRONOUS, 0, None, _PHONEME_EVENTS_IN_IPA | _DONT_EXIT)
    if rate <= 0:
        raise EnvironmentProblem("espeak-ng does not start; install its data files (Debian: espeak-ng-data).")
    return library, rate


def speak(text: str, voice: str = "en-us", rate: int = 165, pitch: int = 50, pitch_range: int = 50) -> Spoken:
    """Speak a text.

    voice: espeak-ng's name of a language with an optional variant, `en-us+f2`. rate: words a minute, 80 to 450.
    pitch and pitch_range: 0 to 100. Raises EnvironmentProblem without espeak-ng, UsageError for an unknown voice or a
    text with nothing to say.
    """
    if not any(letter.isalnum() for letter in text):
        raise UsageError(f"There is nothing to speak in the text {text!r}; give words.")
    library, engine_rate = _library()
    if library.espeak_SetVoiceByName(voice.encode()):
        raise UsageError(f"espeak-ng has no voice {voice!r}; `espeak-ng --voices` lists them.")
    for parameter, value in ((_RATE, rate), (_PITCH, pitch), (_RANGE, pitch_range)):
        library.espeak_SetParameter(parameter, value, 0)
    pieces: list[np.ndarray] = []
    events: list[tuple[int, float, str | tuple[int, int]]] = []

    @_CALLBACK
    def receive(samples, count, event):
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
    library.espeak_Synth(encoded, len(encoded) + 1, 0, 1, 0, _UTF8, None, None)
    library.espeak_Synchronize()
    if not pieces:
        raise UsageError(f"There is nothing to speak in the text {text!r}.")
    sound = np.concatenate(pieces).astype(np.float32) / 32768
    return Spoken(_resample(sound, engine_rate), *_timeline(events, text, len(sound) / engine_rate))


def save_speech(text: str, voice: str, path: Path) -> Timeline:
    """Speak a text into a .wav file of 16-bit samples; returns when what is said. Raises as `speak` does."""
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
    starts = [(time, *place) for kind, time, place in events if kind == _WORD]
    words = []
    for (start, position, length), (stop, *_) in zip(starts, [*starts[1:], (end, 0, 0)], strict=True):
        written = text[position - 1 : position - 1 + length]
        if written.strip() and stop > start:
            words.append(Word(start, stop, written))
    return phones, words
