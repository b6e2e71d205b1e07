"""The live verb plays a file in its own time and prints frames."""

import json
import time

import numpy as np
import pytest

from backend.__main__ import main
from backend.cli.live import play
from shape_keys.arkit import NAMES


def test_a_file_is_printed_frame_by_frame(capsys, tmp_path):
    import soundfile

    soundfile.write(tmp_path / "a.wav", np.random.default_rng(0).standard_normal(16_000) * 0.05, 16_000)
    assert main(["live", "--actor", "default", "--audio", str(tmp_path / "a.wav"), "--seconds", "0.5"]) == 0
    told = capsys.readouterr()
    assert told.err.endswith("frames late, 0 overruns\n")
    lines = [json.loads(line) for line in told.out.splitlines()]
    assert [line["frame"] for line in lines] == list(range(13))
    assert list(lines[0]["weights"]) == list(NAMES)
    assert lines[12]["time"] == pytest.approx(0.48)


def test_a_file_plays_in_its_own_time():
    begun = time.monotonic()
    assert sum(map(len, play(np.zeros(8000, np.float32), 0.3))) == 4800
    assert time.monotonic() - begun >= 0.29


@pytest.mark.parametrize(
    ("option", "message"),
    [("--seconds=0", "--seconds"), ("--seconds=nan", "--seconds"), ("--look-ahead=9", "look-ahead")],
)
def test_wrong_options_are_named(capsys, option, message):
    assert main(["live", "--actor", "default", option]) == 2
    assert message in capsys.readouterr().err


def test_a_file_needs_no_microphone(capsys):
    assert main(["live", "--actor", "default", "--audio", "a.wav", "--device", "3"]) == 2
    assert "--device" in capsys.readouterr().err


def test_a_missing_library_is_named(capsys, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "sounddevice", None)
    assert main(["live", "--actor", "default"]) == 1
    assert "requirements/live.txt" in capsys.readouterr().err
