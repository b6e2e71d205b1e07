"""espeak-ng says what it says, and when."""

import ctypes.util

import numpy as np
import pytest

from backend.errors import UsageError
from backend.speech.espeak import save_speech, speak
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


@pytest.mark.parametrize(("voice", "sounds"), [("en-gb", "ao"), ("en-us", "aa"), ("en-gb+f2", "ao"), ("fr-fr", "ao")])
def test_voices_by_the_names_of_their_languages(voice, sounds):
    assert sounds in [phone.symbol for phone in speak("hot", voice).phones]


def test_other_languages():
    assert "ue" in [phone.symbol for phone in speak("Où vas-tu?", "fr").phones]


@pytest.mark.parametrize(
    ("text", "voice", "words"),
    [
        ("In 1984 there were 42 people.", "en-us", "In 1984 there were 42 people"),
        ("$42.50, please", "en-us", "$42.50 please"),
        ("in the house of the king", "en-us", "in the house of the king"),
        ("- hello - there", "en-us", "hello there"),
        ("don't say it's the 2nd café", "en-us", "don't say it's the 2nd café"),
        ("“Go” … you & me", "en-us", "Go you & me"),
        ("東京は日本の首都です。", "ja", "東京は日本の首都です"),
        ("你好世界", "cmn", "你 好 世 界"),
        ("Où vas-tu? L'été dernier.", "fr", "Où vas-tu L'été dernier"),
    ],
)
def test_each_word_of_the_text_once_and_whole(text, voice, words):
    spoken = speak(text, voice)
    assert [word.text for word in spoken.words] == words.split()
    assert all(word.end - word.start > 0.02 for word in spoken.words)
    assert all(a.end <= b.start + 1e-6 for a, b in zip(spoken.words, spoken.words[1:], strict=False))
    sounding = [phone for phone in spoken.phones if phone.symbol != "sil"]
    assert spoken.words[0].start == sounding[0].start
    assert spoken.words[-1].end == pytest.approx(sounding[-1].end)


def test_a_word_lasts_from_its_first_sound_to_its_last():
    spoken = speak("Two people. Bob")
    _, people, bob = spoken.words
    sounds = [phone for phone in spoken.phones if phone.symbol == "b"]
    assert (bob.start, bob.end) == (sounds[0].start, sounds[1].end)
    assert people.end < bob.start - 0.1


@pytest.mark.parametrize(
    ("text", "voice"), [("hello", "klingon-xx"), ("hello", "en-us+zzz"), ("hello", "en-us+F2"), ("", "en-us")]
)
def test_what_cannot_be_spoken(text, voice):
    with pytest.raises(UsageError):
        speak(text, voice)


@pytest.mark.parametrize("voice", ["en-us", "en-gb", "en+f2"])
def test_an_english_voice_spells_out_no_other_script(tmp_path, voice):
    for text in ("你好世界", "Привет, мир"):
        with pytest.raises(UsageError, match="no Latin letters"):
            save_speech(text, voice, tmp_path / "speech.wav")
    assert not any(tmp_path.iterdir())
    assert save_speech("42", voice, tmp_path / "speech.wav").words[0].text == "42"
