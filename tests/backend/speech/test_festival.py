"""Festival's voices speak for the training of the voice model."""

import shutil

import numpy as np
import pytest

from backend.errors import EnvironmentProblem
from backend.speech.festival import VOICES, speak
from backend.speech.phones import SYMBOLS

NEEDS_FESTIVAL = pytest.mark.skipif(not shutil.which("festival"), reason="festival is not installed")


@NEEDS_FESTIVAL
@pytest.mark.parametrize("voice", VOICES)
def test_phonemes_fill_the_sound(voice):
    try:
        spoken = speak('He said "go", and mother came.', voice, 1.2)
    except EnvironmentProblem as problem:
        pytest.skip(str(problem))
    assert spoken.samples.dtype == np.float32
    assert spoken.phones[-1].end == pytest.approx(len(spoken.samples) / 16000, abs=0.05)
    assert all(a.end == b.start for a, b in zip(spoken.phones, spoken.phones[1:], strict=False))
    symbols = [phone.symbol for phone in spoken.phones]
    assert set(symbols) <= set(SYMBOLS)
    assert symbols.count("m") == 2
    quick = speak('He said "go", and mother came.', voice, 0.8)
    assert len(quick.samples) < len(spoken.samples) or voice != VOICES[0]


def test_a_voice_that_is_not_there(monkeypatch, tmp_path):
    with pytest.raises(EnvironmentProblem, match="apt install festival"):
        speak("Hello.", "nobody_at_all")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EnvironmentProblem, match="apt install festival"):
        speak("Hello.", VOICES[0])
