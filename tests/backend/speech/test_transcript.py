"""A transcript finds its words in the sound, in English and elsewhere, and one that does not fit is refused."""

import ctypes.util
import json

import numpy as np
import pytest

from backend.errors import InputError, UsageError
from backend.speech.phones import Phone, Word
from backend.speech.timeline import Timeline, save_markers
from backend.speech.transcript import align_transcript, read_transcript

needs_espeak = pytest.mark.skipif(ctypes.util.find_library("espeak-ng") is None, reason="espeak-ng is not installed")
GERMAN = "Der Papagei möchte bald wieder im alten Baum sitzen"
SPANISH = "Mi amigo bebe poca agua por la mañana"


@needs_espeak
@pytest.mark.parametrize(
    ("text", "voice", "language"),
    [(GERMAN, "de+f2", "de"), (SPANISH, "es+m3", "es")],
)
def test_other_languages_through_the_synthesisers_reading(text, voice, language):
    from backend.speech.espeak import speak

    spoken = speak(text, voice, rate=140)
    sound = np.concatenate([np.zeros(8000, np.float32), spoken.samples])
    found = align_transcript(sound, text, language)
    assert [word.text for word in found.words] == text.split()
    apart = [abs(mine.start - 0.5 - true.start) for mine, true in zip(found.words, spoken.words, strict=True)]
    assert np.median(apart) < 0.06
    assert found.phones[0].symbol == "sil"
    for before, after in zip(found.phones, found.phones[1:], strict=False):
        assert before.end == pytest.approx(after.start)


@needs_espeak
def test_a_text_that_is_not_what_is_said_is_refused():
    from backend.speech.espeak import speak

    samples = speak(SPANISH, "es+f2").samples
    with pytest.raises(InputError, match="does not fit the sound"):
        align_transcript(samples, "La vieja guitarra duerme en el jardín", "es")
    with pytest.raises(InputError, match="does not fit the sound"):
        align_transcript(samples, " ".join([SPANISH] * 5), "es")
    with pytest.raises(InputError, match="does not fit the sound"):
        align_transcript(np.zeros(32000, np.float32), SPANISH, "es")


@needs_espeak
def test_english_is_aligned_and_refused_alike():
    pytest.importorskip("pocketsphinx", reason="pocketsphinx is not installed")
    from backend.speech.espeak import speak

    samples = speak("My mother bought a big brown map from the market", "en-us+f3").samples
    found = align_transcript(samples, "My mother bought a big brown map from the market.")
    assert found.words[0].text == "my"
    assert sum(phone.symbol in ("p", "b", "m") for phone in found.phones) == 9
    with pytest.raises(InputError, match="does not fit the sound"):
        align_transcript(samples, "seven green parrots sang in their small cage on friday")


@needs_espeak
def test_figures_and_accents_are_read_as_they_are_spoken():
    from backend.speech.espeak import speak

    text = "The café opened in 1984"
    found = align_transcript(speak(text, "en-us+f3").samples, text)
    assert found.words[-1].text.endswith("984")
    plain = align_transcript(speak("Meet me at the café", "en-us+m3").samples, "Meet me at the café")
    assert plain.words[-1].text in ("cafe", "café")


def test_a_transcript_without_words():
    with pytest.raises(UsageError, match="no words"):
        align_transcript(np.zeros(16000, np.float32), " ... ")


def test_a_transcript_is_a_file_or_the_words(tmp_path):
    path = tmp_path / "line.txt"
    path.write_text("Nice to meet you.", encoding="utf-8-sig")
    assert read_transcript(str(path)) == "Nice to meet you."
    assert read_transcript("Nice to meet you.") == "Nice to meet you."
    assert read_transcript("word " * 2000) == "word " * 2000
    with pytest.raises(UsageError, match="no transcript"):
        read_transcript(str(tmp_path / "other.txt"))
    path.write_bytes(b"\xff\xfe\x00\xd8")
    with pytest.raises(InputError, match="UTF-8"):
        read_transcript(str(path))


def test_markers_are_what_the_add_on_reads(tmp_path):
    timeline = Timeline((Phone(0, 0.1, "sil"), Phone(0.1, 0.25, "b")), (Word(0.1, 0.25, "be"),))
    assert json.loads(save_markers(timeline, tmp_path).read_text()) == {
        "format": 1,
        "words": [{"start": 0.1, "end": 0.25, "text": "be"}],
        "phones": [{"start": 0.1, "end": 0.25, "symbol": "b"}],
    }
