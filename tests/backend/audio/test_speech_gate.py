"""The gate is shut in silence and noise and open in speech, also where a crowd is heard behind it."""

import ctypes.util

import numpy as np
import pytest

from backend.audio.decode import SAMPLE_RATE
from backend.audio.speech_gate import speech_gates, sure_columns

SECONDS = 4
N = SECONDS * SAMPLE_RATE


def noise(exponent: float, level: float) -> np.ndarray:
    """Noise whose power falls with frequency to the -exponent, at an RMS level."""
    spectrum = np.fft.rfft(np.random.default_rng(0).standard_normal(N))
    sound = np.fft.irfft(spectrum * np.arange(1, len(spectrum) + 1) ** (-exponent / 2))
    return (sound / sound.std() * level).astype(np.float32)


def hum() -> np.ndarray:
    time = np.arange(N) / SAMPLE_RATE
    return (noise(1, 0.002) + 0.003 * np.sin(2 * np.pi * 50 * time)).astype(np.float32)


def click() -> np.ndarray:
    sound = noise(0, 0.0005)
    sound[N // 2 : N // 2 + 80] = 0.5
    return sound


@pytest.mark.parametrize(
    "sound",
    [np.zeros(N, np.float32), noise(0, 0.01), noise(1, 0.001), noise(2, 0.05), hum(), click(), noise(0, 1e-5)],
    ids=["silence", "white", "pink", "brown", "hum", "click", "dither"],
)
def test_what_is_no_speech(sound):
    assert not sure_columns(sound).any()
    assert speech_gates(sound, np.arange(0, SECONDS, 0.04))[0].max() < 0.01


def test_nothing_at_all():
    assert speech_gates(np.zeros(0, np.float32), np.zeros(1))[0].tolist() == [0]
    assert speech_gates(np.zeros(0, np.float32), np.zeros(1))[1].tolist() == [0]


@pytest.fixture(scope="module")
def speech() -> np.ndarray:
    """A sentence between two pauses of a second and a half."""
    if ctypes.util.find_library("espeak-ng") is None:
        pytest.skip("espeak-ng is not installed")
    from backend.speech.espeak import speak

    pause = np.zeros(3 * SAMPLE_RATE // 2, np.float32)
    return np.concatenate([pause, speak("My mother bought a big brown map from the market").samples, pause])


def babble(length: int) -> np.ndarray:
    from backend.speech.espeak import speak

    texts = ("the other people talk all day about nothing", "seven or eight of them can be heard", "and never stop")
    voices = ("en-us+f2", "en-us+m3", "en-gb-x-rp", "en-us+f4", "en-us+m1", "en-us+m5")
    parts = [np.resize(speak(texts[i % 3], voice).samples, length) for i, voice in enumerate(voices)]
    return np.sum([np.roll(part, 4001 * i) for i, part in enumerate(parts)], axis=0)


@pytest.mark.parametrize("decibels", [None, 20, 10])
@pytest.mark.parametrize("behind", ["babble", "noise"])
def test_speech_is_let_through_and_pauses_are_not(speech, behind, decibels):
    sound = speech
    if decibels is not None:
        other = babble(len(speech)) if behind == "babble" else np.resize(noise(1, 1), len(speech))
        spoken = speech[3 * SAMPLE_RATE // 2 : -3 * SAMPLE_RATE // 2]
        sound = speech + other / other.std() * spoken.std() * 10 ** (-decibels / 20)
    sound = sound.astype(np.float32)
    times = np.arange(0, len(sound) / SAMPLE_RATE, 0.04)
    gate = speech_gates(sound, times)[0]
    said = (times > 1.55) & (times < times[-1] - 1.6)
    assert sure_columns(sound).any()
    assert gate[said].mean() > 0.95
    if behind == "noise" or decibels is None:  # pauses of a crowd are speech as well
        assert gate[(times < 1.0) | (times > times[-1] - 0.9)].mean() < 0.1


def test_a_breath_is_drawn_before_every_phrase_and_only_there(speech):
    times = np.arange(0, 2 * len(speech) / SAMPLE_RATE, 0.01)
    twice = np.concatenate([speech, speech])
    sure = sure_columns(twice)
    first, last = (np.flatnonzero(sure > 0.5)[place] * 0.01 for place in (0, -1))
    second = len(speech) / SAMPLE_RATE + first
    breath = speech_gates(twice, times)[1]
    for onset in (first, second):
        assert breath[(times > onset - 0.45) & (times < onset - 0.2)].min() > 0.95
        assert breath[(times > onset) & (times < onset + 1)].max() < 0.1
        assert breath[(times > onset - 1.3) & (times < onset - 0.9)].max() < 0.01
    assert breath[times > last].max() < 0.01


def test_no_breath_is_drawn_in_short_pauses(speech):
    pause = 3 * SAMPLE_RATE // 2
    spoken = speech[pause:-pause]
    sound = np.concatenate([np.zeros(SAMPLE_RATE, np.float32), spoken, np.zeros(SAMPLE_RATE, np.float32), spoken])
    times = np.arange(0, len(sound) / SAMPLE_RATE, 0.01)
    breath = speech_gates(sound, times)[1]
    assert breath[times < 1].max() > 0.95
    assert breath[times > 1.1].max() < 0.01


def test_long_recordings_are_measured_in_pieces(speech, monkeypatch):
    from backend.audio import speech_gate as module

    times = np.arange(0, len(speech) / SAMPLE_RATE, 0.04)
    whole = speech_gates(speech, times)[0]
    monkeypatch.setattr(module, "COLUMNS_AT_ONCE", 70)
    assert np.allclose(speech_gates(speech, times)[0], whole, atol=1e-3)


WORDS = ("Oh", "Ah", "No", "Yes", "It", "Up", "Come", "Sure", "Stop", "Maybe")


def word(text: str) -> np.ndarray:
    """A word without anything before and after it."""
    if ctypes.util.find_library("espeak-ng") is None:
        pytest.skip("espeak-ng is not installed")
    from backend.speech.espeak import speak

    samples = speak(text).samples
    loud = np.flatnonzero(np.abs(samples) > 0.01 * np.abs(samples).max())
    return samples[loud[0] : loud[-1] + 1]


@pytest.mark.parametrize("text", WORDS)
def test_a_word_cut_out_tightly_is_speech(text):
    samples = word(text)
    assert sure_columns(samples).any()
    assert speech_gates(samples, np.arange(0, len(samples) / SAMPLE_RATE, 0.04))[0].mean() > 0.8


@pytest.mark.parametrize("text", WORDS)
def test_a_word_between_pauses_is_speech(text):
    samples = word(text)
    background = np.resize(noise(1, 0.0005), 2 * SAMPLE_RATE + len(samples))
    assert sure_columns(background + np.pad(samples, SAMPLE_RATE)).any()


@pytest.mark.parametrize("exponent", [0, 1, 2])
@pytest.mark.parametrize("seconds", [0.2, 0.3, 0.6, 0.9])
def test_a_short_piece_of_noise_is_no_speech(exponent, seconds):
    for start in range(0, N - SAMPLE_RATE, SAMPLE_RATE // 3):
        piece = noise(exponent, 0.05)[start : start + round(seconds * SAMPLE_RATE)]
        assert sure_columns(piece).any() == (speech_gates(piece, np.arange(0, seconds, 0.04))[0].max() > 0)
        assert not sure_columns(piece).any()
