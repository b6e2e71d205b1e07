"""The recorded rig's controls become ARKit weights that agree with the sound."""

import json

import numpy as np
import pytest

from backend.audio.speech import loudness_columns
from backend.errors import InputError
from backend.training.voice.facegood import TABLE, read_take, read_takes, to_arkit
from shape_keys import arkit
from shape_keys.basis import load_basis
from shape_keys.topology import LOWER_INNER_LIP, UPPER_INNER_LIP


def test_every_row_names_arkit_shapes_and_says_why():
    rows = json.loads(TABLE.read_text())["rows"]
    assert len({row["control"] for row in rows}) == len(rows)
    for row in rows:
        assert set(row["shapes"]) <= set(arkit.NAMES)
        assert all(0 < factor <= 1 for factor in row["shapes"].values())
        assert len(row["why"]) > 5


def test_controls_become_weights():
    names = [row["control"] for row in json.loads(TABLE.read_text())["rows"]]
    controls = np.zeros((2, len(names)), np.float32)
    controls[0, names.index("mouth_stretch_c")] = 0.5
    controls[1] = 1
    weights = to_arkit(controls, names)
    assert {arkit.NAMES[i]: float(weights[0, i]) for i in np.flatnonzero(weights[0])} == {"jawOpen": 0.5}
    assert weights[1].max() == 1
    with pytest.raises(InputError, match="mouth_stretch_c"):
        to_arkit(controls[:, 1:], names[1:])


def test_a_file_of_something_else(tmp_path):
    np.savez(tmp_path / "other.npz", weights=np.zeros((3, 2)))
    with pytest.raises(InputError, match="fps, names"):
        read_take(tmp_path / "other.npz")
    with pytest.raises(InputError, match="no takes"):
        read_takes(tmp_path / "nowhere")


def test_a_recorded_take(shared):
    take = read_take(shared / "paired" / "facegood" / "1114_2_01.npz")
    assert take.weights.shape == (3295, 52)
    assert abs(len(take.samples) / 16000 - take.times[-1]) < 0.1
    loudness = loudness_columns(take.samples)
    at_frames = np.interp(take.times, np.arange(len(loudness)) * 0.01, loudness)
    assert np.corrcoef(take.weights[:, arkit.INDEX["jawOpen"]], at_frames)[0, 1] > 0.7
    half = take.weights_at((take.times[:-1] + take.times[1:]) / 2)
    assert np.allclose(half, (take.weights[:-1] + take.weights[1:]) / 2, atol=1e-6)
    offsets = np.tensordot(take.weights, load_basis(), 1)
    opening = offsets[:, UPPER_INNER_LIP, 1] - offsets[:, LOWER_INNER_LIP, 1]
    pressed = take.weights[:, arkit.INDEX["mouthPressLeft"]] > 0.1
    assert pressed.sum() > 10
    assert np.abs(np.median(opening[pressed])) < 0.1 * np.percentile(opening, 95)
