"""Something before the face is found by what it hides."""

import numpy as np

from backend.training.occlusion import agreement_cells, covered_frames


def test_cells_average_the_skin_alone():
    weights, skin = np.full((128, 128), 0.5, np.float32), np.ones((128, 128), bool)
    skin[:16] = False
    weights[16:32, :16] = 0.1
    skin[16:24, :16] = False
    cells = agreement_cells(weights, skin).reshape(8, 8)
    assert (cells[0] == 255).all()  # no skin
    assert cells[1, 0] == round(0.1 * 255)
    assert (cells[2:] == round(0.5 * 255)).all()


def test_frames_are_compared_with_the_usual():
    agreement = np.full((50, 64), 160, np.uint8)
    agreement[:, :8] = 255
    agreement[:, 20:30] = 60  # stubble that never agrees well is no occlusion
    agreement[10:15, 40:46] = 20
    expected = np.zeros(50, bool)
    expected[10:15] = True
    assert (covered_frames(agreement) == expected).all()
    assert covered_frames(agreement[:0]).shape == (0,)
