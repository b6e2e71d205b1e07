"""A folder to work in."""

from pathlib import Path

import pytest
import soundfile

ROOT = Path(__file__).resolve().parents[3]
SAMPLE = ROOT / "backend" / "samples" / "speech.flac"


@pytest.fixture
def place(tmp_path, monkeypatch) -> Path:
    """The folder to work in, with a second of speech in a.wav and what is no sound in corrupt.wav."""
    monkeypatch.chdir(tmp_path)
    samples, rate = soundfile.read(SAMPLE, stop=16_000)
    soundfile.write("a.wav", samples, rate)
    Path("corrupt.wav").write_text("no sound")
    return tmp_path
