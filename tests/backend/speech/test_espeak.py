"""espeak-ng says what it says, and when."""

import ctypes.util

import numpy as np
import pytest

from backend.errors import UsageError
from backend.speech.espeak import speak
from backend.speech.phones import VOWELS

pytestmark = pytest.mark.skipif(ctypes.util.find_library("espeak-ng") is None, reason="espeak-ng is not installed")


def test_sounds_words_and_their_times():
    spoken = speak("Bob put the map here.")
    assert spoken.samples.dtype == np.float32
    assert 0.5 < len(spoken.samples) / 16000 < 4
    assert np.abs(spoken.samples).max() > 0.05
    assert [word.text for word in spoken.words][:3] == ["Bob", "put", "the"]
    symbols = [phone.symbol for phone in spoken.phones if phone.symbol != "sil"]
    assert symbols[:3] == ["b", "aa", "b"]
    assert "m" in symbols
    for before, after in zip(spoken.phones, spoken.phones[1:], strict=False):
        assert before.end <= after.start + 1e-6
    assert spoken.phones[-1].end <= len(spoken.samples) / 16000 + 1e-3


def test_a_stop_is_quieter_than_the_vowel_after_it():
    spoken = speak("aba aba aba")
    level = {"stop": [], "vowel": []}
    for phone in spoken.phones:
        part = spoken.samples[round(phone.start * 16000) : round(phone.end * 16000)]
        kind = "stop" if phone.symbol == "b" else "vowel" if phone.symbol in VOWELS else None
        if kind and len(part):
            level[kind].append(float(np.sqrt(np.mean(part**2))))
    assert len(level["stop"]) == 3
    assert np.mean(level["stop"]) < 0.6 * np.mean(level["vowel"])


def test_other_languages():
    assert "ue" in [phone.symbol for phone in speak("Où vas-tu?", "fr").phones]


@pytest.mark.parametrize(("text", "voice"), [("hello", "klingon-xx"), ("", "en-us")])
def test_what_cannot_be_spoken(text, voice):
    with pytest.raises(UsageError):
        speak(text, voice)
