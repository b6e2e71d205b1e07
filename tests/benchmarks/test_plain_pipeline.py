"""The plain pipeline does the whole work that the fast paths are measured by: its pictures are theirs."""

from pathlib import Path

import numpy as np
from PIL import Image

from backend.actor_file import load_actor
from backend.actor_library import find_actor
from backend.audio.spectrogram import frame_times
from benchmarks.inference import most_off
from benchmarks.plain_pipeline import animate_plainly
from benchmarks.speech import speech


def test_its_pictures_are_those_of_the_fast_path(tmp_path: Path):
    actor, samples, times = load_actor(find_actor("default")), speech(2.0), frame_times(0.4, 25.0)
    _, pictures = animate_plainly(actor, samples, times, tmp_path)
    assert pictures.shape == (10, 128, 128, 3)
    assert most_off(actor, samples, times, pictures) <= 1
    assert most_off(actor, samples, times, np.roll(pictures, 1, axis=0)) > 1  # these do differ from frame to frame
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "0010.png")), pictures[-1])
