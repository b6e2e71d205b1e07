"""Every blendshape moves what its name says, on its own side, and left mirrors right."""

import numpy as np
import pytest

from shape_keys import arkit
from shape_keys import topology as t
from shape_keys.basis import load_basis

X, Y, Z = 0, 1, 2
FACE = t.CANONICAL_FACE
BROWS = np.concatenate([t.LEFT_EYEBROW, t.RIGHT_EYEBROW])
LEFT_CHEEK, LEFT_NOSE_WING = 280, 358  # MediaPipe face mesh: middle of the cheek, wing of the nose


def delta(name: str) -> np.ndarray:
    return load_basis()[arkit.INDEX[name]]


def size(name: str, vertices: np.ndarray) -> float:
    return float(np.linalg.norm(delta(name)[vertices], axis=1).max())


def shaped(*names: str) -> np.ndarray:
    return FACE + sum(delta(name) for name in names)


def lip_gap(face: np.ndarray) -> np.ndarray:
    """Height of the mouth's opening at the nine inner columns; negative where the lips overlap."""
    return (face[t.INNER_LIP_UPPER[1:-1]] - face[t.INNER_LIP_LOWER[1:-1]])[:, Y]


def left_eye_gap(face: np.ndarray) -> np.ndarray:
    return (face[t.LEFT_UPPER_LID[1:-1]] - face[t.LEFT_LOWER_LID[1:-1]])[:, Y]


def width(face: np.ndarray) -> float:
    return float(face[t.LEFT_MOUTH_CORNER, X] - face[t.RIGHT_MOUTH_CORNER, X])


def test_shape_and_type():
    basis = load_basis()
    assert basis.shape == (52, 468, 3)
    assert basis.dtype == np.float32
    assert np.isfinite(basis).all()
    assert not basis.flags.writeable


def test_tongue_is_zero_and_no_other_shape_is():
    largest = np.linalg.norm(load_basis(), axis=2).max(axis=1)
    assert largest[arkit.INDEX["tongueOut"]] == 0
    assert np.delete(largest, arkit.INDEX["tongueOut"]).min() > 0.02
    assert largest.max() < 0.6, "no shape moves a vertex by more than half the distance of the eyes"


@pytest.mark.parametrize("name", arkit.NAMES)
def test_left_and_right_mirror_each_other(name):
    assert np.array_equal(delta(name)[t.MIRROR] * np.float32([-1, 1, 1]), delta(arkit.mirrored(name)))


@pytest.mark.parametrize("name", [n for n in arkit.NAMES if n.endswith("Left") and n not in ("jawLeft", "mouthLeft")])
def test_one_sided_shapes_stay_on_their_side(name):
    energy = (delta(name) ** 2).sum(1)
    left, right = energy[FACE[:, X] > 0].sum(), energy[FACE[:, X] < 0].sum()
    assert left > 4 * right


@pytest.mark.parametrize("name", [n for n in arkit.NAMES if n.startswith(("jaw", "mouth"))])
def test_mouth_and_jaw_leave_the_brows_alone(name):
    assert size(name, BROWS) < 0.02


@pytest.mark.parametrize("name", [n for n in arkit.NAMES if n.startswith(("eye", "brow"))])
def test_eyes_and_brows_leave_the_mouth_alone(name):
    assert size(name, np.concatenate([t.LIPS, t.JAW])) < 0.005


def test_jaw_open_lowers_the_chin_and_opens_the_lips():
    assert delta("jawOpen")[t.CHIN, Y] < -0.2
    assert (lip_gap(shaped("jawOpen")) > 4 * lip_gap(FACE)).all()
    assert lip_gap(shaped("jawOpen"))[4] > 0.3
    assert size("jawOpen", t.INNER_LIP_UPPER[4:7]) < 0.1 * size("jawOpen", t.INNER_LIP_LOWER[4:7])
    assert size("jawOpen", BROWS) < 0.005


def test_mouth_close_undoes_the_opening_of_the_jaw():
    assert np.abs(lip_gap(shaped("jawOpen", "mouthClose"))).max() < 0.2 * lip_gap(shaped("jawOpen")).max()
    assert abs(delta("mouthClose")[t.CHIN, Y]) < 0.2 * abs(delta("jawOpen")[t.CHIN, Y])


def test_jaw_moves_sideways_and_forward():
    assert delta("jawLeft")[t.CHIN, X] > 0.05  # the subject's left is the viewer's right
    assert delta("jawRight")[t.CHIN, X] < -0.05
    assert delta("jawForward")[t.CHIN, Z] > 0.05


def test_mouth_moves_sideways():
    assert delta("mouthLeft")[t.LIPS, X].mean() > 0.05
    assert delta("mouthRight")[t.LIPS, X].mean() < -0.05


def test_pucker_and_funnel_narrow_the_mouth_and_push_it_forward():
    for name in ("mouthPucker", "mouthFunnel"):
        assert width(shaped(name)) < 0.9 * width(FACE)
        assert delta(name)[t.LIPS, Z].mean() > 0.03
    assert lip_gap(shaped("mouthFunnel"))[4] > 2 * lip_gap(shaped("mouthPucker"))[4]


def test_mouth_corners():
    corner = t.LEFT_MOUTH_CORNER
    assert delta("mouthSmileLeft")[corner, Y] > 0.05
    assert delta("mouthFrownLeft")[corner, Y] < -0.02
    assert delta("mouthStretchLeft")[corner, X] > 0.04
    assert delta("mouthDimpleLeft")[corner, Z] < -0.03
    assert width(shaped("mouthSmileLeft", "mouthSmileRight")) > 1.1 * width(FACE)


def test_lips_up_down_roll_shrug_and_press():
    upper, lower = t.INNER_LIP_UPPER[6:9], t.INNER_LIP_LOWER[6:9]  # the subject's left half
    assert delta("mouthUpperUpLeft")[upper, Y].mean() > 0.03
    assert delta("mouthLowerDownLeft")[lower, Y].mean() < -0.02
    assert delta("mouthRollUpper")[t.UPPER_INNER_LIP, Z] < -0.05
    assert delta("mouthRollLower")[t.LOWER_INNER_LIP, Z] < -0.05
    assert delta("mouthShrugLower")[t.OUTER_LIP_LOWER[5], Y] > 0.05
    assert delta("mouthShrugUpper")[t.OUTER_LIP_UPPER[5], Y] > 0.02
    assert lip_gap(shaped("mouthPressLeft"))[5:].mean() < lip_gap(FACE)[5:].mean()


def test_blink_closes_the_left_eye_only():
    assert (left_eye_gap(shaped("eyeBlinkLeft")) < 0.25 * left_eye_gap(FACE).max()).all()
    assert left_eye_gap(shaped("eyeBlinkLeft")).mean() < 0
    assert left_eye_gap(shaped("eyeBlinkLeft")).min() > -0.03, "the lids pass each other by less than 3 mm"
    assert size("eyeBlinkLeft", t.RIGHT_EYE) < 0.002
    upper, lower = size("eyeBlinkLeft", t.LEFT_UPPER_LID[3:6]), size("eyeBlinkLeft", t.LEFT_LOWER_LID[3:6])
    assert upper > 2 * lower, "the upper lid closes the eye"


def test_other_eye_shapes():
    opening = left_eye_gap(FACE).mean()
    assert left_eye_gap(shaped("eyeWideLeft")).mean() > 1.2 * opening
    assert left_eye_gap(shaped("eyeSquintLeft")).mean() < 0.8 * opening
    assert delta("eyeSquintLeft")[t.LEFT_LOWER_LID[3:6], Y].mean() > 0.01
    assert left_eye_gap(shaped("eyeLookDownLeft")).mean() < 0.7 * opening
    assert left_eye_gap(shaped("eyeLookUpLeft")).mean() > 1.1 * opening
    for name in ("eyeLookInLeft", "eyeLookOutLeft"):
        assert size(name, np.arange(468)) < 0.04, "the mesh has no eyeballs: only the lids follow"


def test_brows_cheeks_and_nose():
    inner, outer = 336, 300  # MediaPipe face mesh: ends of the left brow's upper edge
    assert delta("browInnerUp")[[inner, t.MIRROR[inner]], Y].min() > 0.03
    assert delta("browInnerUp")[inner, Y] > 3 * abs(delta("browInnerUp")[outer, Y])
    assert delta("browOuterUpLeft")[t.LEFT_EYEBROW, Y].max() > 0.05
    assert delta("browOuterUpLeft")[outer, Y] > delta("browOuterUpLeft")[inner, Y]
    assert delta("browDownLeft")[t.LEFT_EYEBROW, Y].mean() < -0.02
    assert delta("cheekPuff")[[LEFT_CHEEK, 410, 425], Z].mean() > 0.02
    assert delta("cheekSquintLeft")[LEFT_CHEEK, Y] > 0.03
    assert delta("noseSneerLeft")[LEFT_NOSE_WING, Y] > 0.03
