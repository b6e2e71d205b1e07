"""The table that Live Link Face writes and Unreal and others read."""

import csv

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from backend.inference.live_link import head_angles, timecode, write_live_link
from shape_keys.arkit import NAMES


def test_rows_and_columns(tmp_path):
    weights = np.random.default_rng(0).random((3, 52), np.float32)
    write_live_link(tmp_path / "w.csv", weights, NAMES, 25.0)
    with (tmp_path / "w.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 3
    assert len(rows[0]) == 2 + 52 + 9
    assert rows[0]["BlendshapeCount"] == "52"
    assert float(rows[2]["JawOpen"]) == pytest.approx(weights[2, NAMES.index("jawOpen")], abs=1e-6)
    assert float(rows[1]["MouthLeft"]) == pytest.approx(weights[1, NAMES.index("mouthLeft")], abs=1e-6)


@pytest.mark.parametrize(
    ("frame", "fps", "expected"),
    [
        (0, 25, "00:00:00:00.000"),
        (24, 25, "00:00:00:24.000"),
        (25, 25, "00:00:01:00.000"),
        (25 * 3661 + 7, 25, "01:01:01:07.000"),
        (30, 29.97, "00:00:01:00.030"),
    ],
)
def test_timecode_by_hand(frame, fps, expected):
    assert timecode(frame, fps) == expected


def test_the_head_is_turned_by_yaw_pitch_and_roll(tmp_path):
    rotation = np.random.default_rng(0).uniform(-0.4, 0.4, (20, 3))
    true = Rotation.from_euler("xyz", rotation).as_euler("YXZ")  # about the upright axis, then the new x, then z
    assert np.allclose(head_angles(rotation), true * [-1, -1, 1], atol=1e-9)
    write_live_link(tmp_path / "w.csv", np.zeros((20, 52), np.float32), NAMES, 25.0, rotation.astype(np.float32))
    with (tmp_path / "w.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    written = [[float(row[name]) for name in ("HeadYaw", "HeadPitch", "HeadRoll")] for row in rows]
    assert np.allclose(written, true * [-1, -1, 1], atol=1e-5)
    assert float(rows[3]["LeftEyeYaw"]) == 0


def test_signs_are_those_of_the_face_itself():
    chin_down, to_the_viewers_right, top_to_the_viewers_left = np.eye(3) * 0.1
    assert np.allclose(head_angles(chin_down), [0, -0.1, 0])
    assert np.allclose(head_angles(to_the_viewers_right), [-0.1, 0, 0])
    assert np.allclose(head_angles(top_to_the_viewers_left), [0, 0, 0.1])
