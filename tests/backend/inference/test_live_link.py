"""The table that Live Link Face writes and Unreal and others read."""

import csv

import numpy as np
import pytest

from backend.inference.live_link import timecode, write_live_link
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
