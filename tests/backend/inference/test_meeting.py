"""Weights close the lips where the vertices have, and stay as they are elsewhere."""

import numpy as np
import pytest

from backend.inference.meeting import NEAR, meet
from backend.inference.performance import gap_of_shapes
from shape_keys import arkit

REST = 0.003


def frames(**weights: float) -> np.ndarray:
    row = np.zeros((1, len(arkit.NAMES)), np.float32)
    for name, value in weights.items():
        row[0, arkit.INDEX[name]] = value
    return row


def left_open(weights: np.ndarray) -> float:
    return float(REST + (weights @ gap_of_shapes())[0])


def test_lips_meet_and_the_jaw_may_stay_open():
    ajar = frames(jawOpen=0.1, mouthLowerDownLeft=0.1, mouthLowerDownRight=0.1)
    assert left_open(ajar) > 0.02
    shut = meet(ajar, np.zeros(1), REST)
    assert abs(left_open(shut)) < 1e-6
    assert shut[0, arkit.INDEX["jawOpen"]] == ajar[0, arkit.INDEX["jawOpen"]]
    assert shut[0, arkit.INDEX["mouthLowerDownLeft"]] == 0
    assert shut[0, arkit.INDEX["mouthClose"]] > 0


def test_little_to_close_leaves_mouth_close_alone():
    ajar = frames(jawOpen=0.01, mouthLowerDownLeft=0.5, mouthLowerDownRight=0.5, mouthClose=0.05)
    assert left_open(ajar) > 0.01
    shut = meet(ajar, np.zeros(1), REST)
    assert abs(left_open(shut)) < 1e-6
    assert shut[0, arkit.INDEX["mouthClose"]] == ajar[0, arkit.INDEX["mouthClose"]]


def test_lips_apart_stay_apart():
    ajar = frames(jawOpen=0.1, mouthFunnel=0.2)
    assert left_open(ajar) > 2 * NEAR
    assert np.allclose(meet(ajar, np.full(1, 2 * NEAR), REST), ajar)


def test_lips_that_nearly_meet_are_as_far_apart_as_the_vertices():
    ajar = frames(jawOpen=0.1, mouthLowerDownLeft=0.1, mouthLowerDownRight=0.1)
    assert left_open(meet(ajar, np.full(1, NEAR), REST)) == pytest.approx(NEAR, abs=1e-6)


def test_lips_that_are_closer_already_are_not_opened():
    pressed = frames(jawOpen=0.02, mouthClose=0.3)
    assert np.allclose(meet(pressed, np.zeros(1), REST), pressed)
