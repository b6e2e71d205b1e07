"""A transcript finds its words in the sound, in English and elsewhere, and one that does not fit is refused."""

import ctypes.util
import json
from pathlib import Path

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
def test_what_is_said_about_a_pause_lasts_no_longer_than_it_sounds():
    from backend.speech.espeak import speak

    lines = ("Guten Tag, Papa", "ich komme aus Panama", "und fahre mit Oma", "nach Amerika")
    spoken, pause = [speak(line, "de+f3", rate=150) for line in lines], np.zeros(12_800, np.float32)
    sound = np.concatenate([piece for line in spoken for piece in (pause, line.samples)])
    found = align_transcript(sound, ", ".join(lines), "de")
    begin, words = 0.0, {word.text: word for word in found.words}
    for line in spoken:
        begin += len(pause) / 16000
        for true in (line.words[0], line.words[-1]):
            word = words[true.text]
            assert (word.start, word.end) == pytest.approx((begin + true.start, begin + true.end), abs=0.25)
        assert words[line.words[0].text].start == pytest.approx(begin, abs=0.1)
        begin += len(line.samples) / 16000


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
    assert [word.text for word in found.words] == text.split()
    plain = align_transcript(speak("Meet me at the café", "en-us+m3").samples, "Meet me at the café")
    assert plain.words[-1].text in ("cafe", "café")


@needs_espeak
@pytest.mark.parametrize("text", ["hello", "Bob may buy puppies", "My mother bought a big brown map"])
def test_a_text_that_is_shorter_than_what_is_said_is_refused(text):
    pytest.importorskip("pocketsphinx", reason="pocketsphinx is not installed")
    from backend.speech.espeak import speak

    said = "My mother bought a big brown map, and seven green parrots sang all morning in their small cage on the wall."
    with pytest.raises(InputError, match="does not fit the sound"):
        align_transcript(speak(said, "en-us+f3").samples, text)


def test_the_right_texts_of_recordings_are_taken():
    pytest.importorskip("pocketsphinx", reason="pocketsphinx is not installed")
    from backend.audio.decode import decode_audio
    from backend.training.voice.ljspeech import transcripts

    data = Path(__file__).parents[4] / "shared/data"
    if not (data / "speech/ljspeech").is_dir():
        pytest.skip("the recordings of ../shared are not there")
    for path, text in list(transcripts(data).items())[:4]:
        samples = decode_audio(path)
        assert len(align_transcript(samples, text).words) >= len(text.split())
        with pytest.raises(InputError, match=r"s of speech have no words|word for word"):
            align_transcript(samples, "hello")


@pytest.mark.parametrize("text", ["Привет, мир", "В 1984 году", "東京は日本の首都です"])
def test_a_text_in_another_script_names_the_language(text):
    with pytest.raises(InputError, match="--language"):
        align_transcript(np.zeros(16000, np.float32), text)


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


def test_what_looks_like_a_path_is_not_spoken(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sp ace").mkdir()
    missing = ("sp ace/nope", "sp ace/nope.txt", "other folder/nope.txt", "lines/nope.doc", "lines/nope", "nope.lab")
    for given in (*missing, r"C:\my lines\nope", str(tmp_path / "nope")):
        with pytest.raises(UsageError, match="There is no transcript at"):
            read_transcript(given)
    with pytest.raises(UsageError, match="is a folder"):
        read_transcript("sp ace")
    for said in ("hello", "He/she said so.", "Open 24/7, every day", "one\ntwo/three", "e.g. this", "nope.", ""):
        assert read_transcript(said) == said


def test_markers_are_what_the_add_on_reads(tmp_path):
    timeline = Timeline((Phone(0, 0.1, "sil"), Phone(0.1, 0.25, "b")), (Word(0.1, 0.25, "be"),))
    assert json.loads(save_markers(timeline, tmp_path).read_text()) == {
        "format": 1,
        "words": [{"start": 0.1, "end": 0.25, "text": "be"}],
        "phones": [{"start": 0.1, "end": 0.25, "symbol": "b"}],
    }
