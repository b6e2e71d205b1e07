"""A known text is found in speech whose times are known."""

import ctypes.util

import numpy as np
import pytest

from backend.errors import InputError

pytest.importorskip("pocketsphinx", reason="pocketsphinx is not installed")
pytestmark = pytest.mark.skipif(ctypes.util.find_library("espeak-ng") is None, reason="espeak-ng is not installed")


@pytest.fixture(scope="module")
def aligner():
    from backend.speech.alignment import Aligner

    return Aligner()


def test_words_are_found_where_they_are_spoken(aligner):
    from backend.speech.espeak import speak

    text = "My mother bought a big brown map from the market"
    spoken = speak(text)
    phones, words = aligner.align(spoken.samples, text)
    assert [word.text for word in words] == text.lower().split()
    apart = [abs(mine.start - true.start) for mine, true in zip(words, spoken.words, strict=False)]
    assert np.median(apart) < 0.05
    assert {"m", "b", "p"} <= {phone.symbol for phone in phones}


def test_a_word_that_no_dictionary_has(aligner):
    from backend.speech.espeak import speak

    _, words = aligner.align(speak("the blorfnip is here").samples, "the blorfnip is here")
    assert "blorfnip" in [word.text for word in words]


def test_no_words(aligner):
    with pytest.raises(InputError, match="no words"):
        aligner.align(np.zeros(16000, np.float32), "!?")
