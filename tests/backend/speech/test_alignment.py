"""A known text is found in speech whose times are known."""

import ctypes.util
from itertools import pairwise

import numpy as np
import pytest

from backend.errors import InputError
from backend.speech.phones import SILENCE, Phone

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


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("'Printing,' in the only sense", "printing in the only sense"),
        ("\u2018Printing,\u2019 in the only sense", "printing in the only sense"),
        ("Printing ' in the ''only'' sense '", "printing in the only sense"),
        ("don\u2019t tell 'em the dogs' names", "don't tell 'em the dogs' names"),
        ("rock 'n' roll at the café", "rock n roll at the cafe"),
    ],
)
def test_quotation_marks_are_no_words(aligner, text, words):
    from backend.speech.espeak import speak

    assert [word.text for word in aligner.align(speak(words).samples, text)[1]] == words.split()


def test_a_long_recording_is_aligned_in_pieces(aligner, monkeypatch):
    from backend.speech import alignment
    from backend.speech.espeak import speak

    text = "My mother bought a big brown map. Seven green parrots sang in their cage. Nobody believed the old captain."
    spoken = speak(text)
    monkeypatch.setattr(alignment, "LONGEST_PIECE", 3.0)
    decoded = []
    monkeypatch.setattr(aligner, "_find_phones", _noting(aligner._find_phones, decoded))
    said: list[tuple[str, int, int]] = []
    phones, words = aligner.align(spoken.samples, text, lambda *step: said.append(step))
    assert len(decoded) > 1
    assert said == [("align", number, len(decoded)) for number in range(len(decoded))]
    assert max(decoded) < 4.5
    assert [word.text for word in words] == [word.text.lower() for word in spoken.words]
    apart = [abs(mine.start - true.start) for mine, true in zip(words, spoken.words, strict=True)]
    assert np.median(apart) < 0.05
    assert phones[-1].end == pytest.approx(len(spoken.samples) / 16000)
    assert all(a.end == pytest.approx(b.start) for a, b in pairwise(phones))
    with pytest.raises(InputError, match="does not fit the sound"):
        aligner.align(spoken.samples, " ".join([text] * 9))


def test_long_silence_takes_no_part(aligner, monkeypatch):
    from backend.speech import alignment
    from backend.speech.espeak import speak

    monkeypatch.setattr(alignment, "LONGEST_PIECE", 10.0)
    quiet = np.random.default_rng(0).normal(0, 1e-3, 20 * 16000).astype(np.float32)
    text = "My mother bought a big brown map"
    decoded = []
    monkeypatch.setattr(aligner, "_find_phones", _noting(aligner._find_phones, decoded))
    phones, words = aligner.align(np.concatenate([quiet, speak(text).samples, quiet]), text)
    assert max(decoded) < 6
    assert 19.9 < words[0].start < 20.3
    assert (phones[0].start, phones[0].symbol, phones[-1].symbol) == (0, "sil", "sil")
    assert phones[-1].end > 40
    assert all(a.end == pytest.approx(b.start, abs=2e-3) for a, b in pairwise(phones))


def _noting(find_phones, seconds):
    def find(samples, *arguments):
        seconds.append(len(samples) / 16000)
        return find_phones(samples, *arguments)

    return find


def test_pieces_begin_after_the_longest_pauses():
    from backend.speech.alignment import _first_words

    starts = np.arange(0, 130, 0.5)
    ends = starts + 0.4
    ends[[80, 150]] -= 0.2
    assert _first_words(starts, ends) == [0, 81, 151]
    assert _first_words(np.array([0, 1, 400, 401.0]), np.array([0.5, 1.5, 400.5, 401.5])) == [0, 2]
    assert _first_words(starts[:100], ends[:100]) == [0]


def test_words_that_nobody_said_are_left_out():
    from backend.speech.alignment import _timeline

    sounds = [("M", 50, 20, -900), ("AY", 70, 20, -900)]
    found = [("<sil>", 0, 50, []), ("my", 50, 40, sounds), ("own", 90, 0, []), ("map(2)", 190, 30, [])]
    phones, words = _timeline(found, 0.0, 1.5)  # the last one lies in the padding after the sound
    assert [(word.text, word.start, word.end) for word in words] == [("my", pytest.approx(0.2), pytest.approx(0.6))]
    assert [phone.symbol for phone in phones] == ["m", "ay"]


def test_a_long_consonant_after_a_pause_leaves_the_pause_what_it_took():
    from backend.speech.alignment import LONGEST_FIRST_CONSONANT, _without_swallowed_pauses

    first, vowel, long = Phone(0, 0.5, "b"), Phone(0.5, 1.0, "aa"), Phone(1.0, 1.5, "s")
    begin = pytest.approx(0.5 - LONGEST_FIRST_CONSONANT)
    expected = [Phone(0, begin, SILENCE), Phone(begin, 0.5, "b"), vowel, long]
    assert _without_swallowed_pauses([first, vowel, long]) == expected


def test_no_words(aligner):
    with pytest.raises(InputError, match="no words"):
        aligner.align(np.zeros(16000, np.float32), "!?")
